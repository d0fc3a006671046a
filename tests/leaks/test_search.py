"""The search itself: what is put in a place is found there, in whatever way it is written."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import pickle
import zipfile
import zlib
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, urlencode

import pytest

from alchemer_nb.errors import AlchemerError
from alchemer_nb.http.secrets import Secret
from tests.leaks.search import CANARIES, KEY, ROOT, Search, forms_of

SECRET = CANARIES["api_token_secret"]


def zipped(text: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.json", text)
    return whole.getvalue()


WRITTEN = {
    "raw": str,
    "in a sentence": "the key {} was refused".format,
    "percent": lambda s: quote(s, safe=""),
    "percent, small": lambda s: quote(s, safe="").lower(),
    "percent, twice": lambda s: quote(quote(s, safe=""), safe=""),
    "a form": lambda s: urlencode({"a": s}),
    "plus": quote_plus,
    "json": json.dumps,
    "json of php": lambda s: json.dumps(s).replace("/", "\\/"),
    "json codes": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "html": html.escape,
    "html codes": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "capitals": str.upper,
    "hex": lambda s: s.encode().hex(),
    "hex, capitals": lambda s: s.encode().hex().upper(),
    **{
        f"base64 after {before}": lambda s, b=before: base64.b64encode(
            b"k" * b + s.encode() + b":x"
        )
        for before in range(4)
    },
    "base64 of addresses": lambda s: base64.urlsafe_b64encode(s.encode()),
    "utf-16": lambda s: s.encode("utf-16"),
    "the first twelve": lambda s: s[:12] + "…",
    "the last twelve": lambda s: "…" + s[-12:],
    "zlib": lambda s: zlib.compress(s.encode()),
    "gzip": lambda s: gzip.compress(s.encode()),
    "zlib as base64": lambda s: base64.b64encode(zlib.compress(b"x" * 50 + s.encode())),
    "zip": zipped,
    "repr of bytes": lambda s: repr(s.encode()),
    "pickle": lambda s: pickle.dumps({"k": [s]}),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_each_secret_is_found_however_it_is_written(way):
    search = Search()
    for name, secret in CANARIES.items():
        search.text(name, WRITTEN[way](secret))
    assert search.found == [f"{name}: {name}" for name in CANARIES]
    assert search.places == len(CANARIES)


def test_what_is_shown_of_a_secret_on_purpose_is_none():
    search = Search()
    search.text("here", KEY, repr(KEY), KEY.secrets[0].tail, "canary", base64.b64encode(b"canary"))
    search.thing("there", KEY)
    assert search.found == []
    assert search.places == 2


def test_a_short_secret_is_refused_as_it_would_be_found_everywhere():
    with pytest.raises(AssertionError):
        Search(["short"])


@dataclass
class Careless:
    note: str

    def __repr__(self) -> str:
        return "Careless()"


Careless.__module__ = "alchemer_nb.made_up"


@pytest.mark.parametrize(
    "thing",
    [
        SECRET,
        {"a": [SECRET]},
        {SECRET: 1},
        ({SECRET},),
        Careless(SECRET),
        [Careless(SECRET)],
        AlchemerError("refused", hint=f"with {SECRET}"),
        type("Page", (), {"_repr_html_": lambda _: SECRET})(),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_a_secret_inside_an_object_is_found(thing):
    search = Search()
    search.thing("here", thing)
    search.copies("here", Careless(SECRET))
    assert any(place.startswith("here") for place in search.found)
    assert any("pickle" in place for place in search.found)


def test_a_function_that_holds_a_secret_is_found():
    secret = SECRET
    search = Search()
    search.thing("here", lambda: secret)
    assert search.found == ["here.secret: api_token_secret"]


def raised(call, *args):
    with pytest.raises(AlchemerError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize("held", [SECRET, Careless(SECRET), {"x": [SECRET]}, SECRET.encode()])
def test_a_variable_of_a_frame_of_ours_is_found(held):
    def ours(variable):
        raise AlchemerError("refused")

    code = ours.__code__.replace(co_filename=f"{ROOT}/made_up.py", co_qualname="ours")
    search = Search()
    search.error("here", raised(type(ours)(code, globals(), "ours"), held))
    assert any("ours, line" in place for place in search.found)


def test_a_secret_in_a_chained_error_is_found():
    def fail():
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise AlchemerError("refused") from error

    search = Search()
    search.error("here", raised(fail))
    assert any("here: KeyError" in place for place in search.found)


def test_a_secret_in_a_folder_is_found(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    inner.joinpath("plain.json").write_text(json.dumps({"key": SECRET}))
    pq.write_table(pa.table({"a": ["x" * 30 + SECRET] * 50}), inner / "t.parquet")
    inner.joinpath(CANARIES["oauth_token"]).touch()
    search = Search()
    search.folder(tmp_path)
    assert len(search.found) >= 3
    assert search.places == 4


def test_secrets_of_a_sandbox_are_added_to_those_that_are_looked_for():
    search = Search()
    search.add([Secret("0123456789abcdef0123"), "another-secret"])
    search.text("here", "0123456789abcdef0123 another-secret")
    assert len(search.found) == 2


def test_each_form_of_a_secret_is_long_enough_to_be_no_accident():
    assert all(len(form) >= 12 for secret in CANARIES.values() for form in forms_of(secret))
