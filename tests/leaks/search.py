"""Canaries: secrets that can be told from all else, and the search for them in any place.

A place is a text, a file, an object, or an error with its frames. Whatever a secret becomes on its
way there is found as well: percent, JSON and HTML escapes, base64 at any offset, hex, UTF-16, its
first or last letters, and what is packed by zlib, gzip, zip or Parquet.
"""

from __future__ import annotations

import base64
import binascii
import copy
import dataclasses
import functools
import gzip
import html
import io
import json
import logging
import pickle
import pprint
import re
import traceback
import types
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import alchemer_nb
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Named as the API names them. All but the password of a proxy have letters that are escaped.
CANARIES = {
    "api_token": "canary1first00aabbccddeeff",
    "api_token_secret": "canary2second/+&=%",
    "consumer_key": "canary3consumer/00112233",
    "consumer_secret": "canary4consumersecret+44",
    "oauth_token": "canary5token=5566778899",
    "oauth_token_secret": "canary6tokensecret&66778",
    "request_token": "canary7request/778899aa",
    "request_token_secret": "canary8requestsecret%88",
    "oauth_verifier": "canary9verifier+99aabb",
    "proxy_password": "canary0proxy00password",
}
KEY = ApiKey(CANARIES["api_token"], CANARIES["api_token_secret"])
PAIR = OAuth1(CANARIES["consumer_key"], CANARIES["consumer_secret"])
TOKEN = OAuth1(*PAIR.secrets, CANARIES["oauth_token"], CANARIES["oauth_token_secret"])
MODES = {"key": KEY, "two": PAIR, "three": TOKEN}

ROOT = str(Path(alchemer_nb.__file__).parent)
TESTS = str(Path(__file__).parents[1])
_PART = 12  # so many letters are a leak, too; four are shown on purpose
_DEPTH = 12
_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_SIMPLE = (str, bytes, int, float, bool, type(None), Secret)
_CLOSED = (type, types.ModuleType, types.BuiltinFunctionType)


def forms_of(secret: str) -> set[bytes]:
    """Everything that a secret looks like, in small letters, once it was escaped or cut."""
    raw = secret.encode()
    once, codes = quote(secret, safe=""), [ord(letter) for letter in secret]
    escaped = json.dumps(secret)[1:-1]
    texts = {
        secret,
        secret[:_PART],
        secret[-_PART:],
        once,
        quote(once, safe=""),
        quote_plus(secret),
        "".join(f"%{octet:02X}" for octet in raw),
        escaped,
        escaped.replace("/", "\\/"),
        "".join(f"\\u{code:04x}" for code in codes),
        "".join(f"\\x{octet:02x}" for octet in raw),
        html.escape(secret),
        "".join(f"&#{code};" for code in codes),
        "".join(f"&#x{code:x};" for code in codes),
        "".join(f"&#x{code:04x};" for code in codes),
        raw.hex(),
        raw.hex(":"),
    }
    forms = {form.encode() for form in texts} | {secret.encode("utf-16-le"), *_base64_forms(raw)}
    return {form.lower() for form in forms}


@functools.cache
def _distinct_forms(secret: str) -> tuple[bytes, ...]:
    """The forms that hold no other form, which would be found in their place."""
    forms = sorted(forms_of(secret), key=len)
    return tuple(f for at, f in enumerate(forms) if not any(other in f for other in forms[:at]))


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """The letters of base64 that depend on the secret alone, at each of three offsets."""
    for before in range(3):
        filled = bytes(before) + raw
        whole = filled[: len(filled) // 3 * 3]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(whole)[-(-before * 4 // 3) :]


class Search:
    """Looks for secrets wherever it is sent, and counts the places.

    Args:
        secrets: What to look for, by name; credentials stand for all their parts.

    Attributes:
        places: How many places were searched.
        found: Where which secret was found.
    """

    def __init__(self, secrets: dict[str, str] | Iterable[Any] = CANARIES) -> None:
        self.places = 0
        self.found: list[str] = []
        self._forms: dict[str, tuple[bytes, ...]] = {}
        self.add(secrets)

    def add(self, secrets: dict[str, str] | Iterable[Any]) -> None:
        """Look for more secrets from now on."""
        if not isinstance(secrets, dict):
            texts = (s.reveal() if isinstance(s, Secret) else str(s) for s in secrets)
            secrets = {f"secret {len(self._forms) + at}": text for at, text in enumerate(texts)}
        assert all(len(secret) >= _PART for secret in secrets.values()), "too short to be told"
        self._forms |= {name: _distinct_forms(secret) for name, secret in secrets.items()}
        self._clean: set[bytes] = set()  # short texts come many times

    def text(self, place: str, *contents: object) -> None:
        """Search texts or bytes, which are one place."""
        self.places += 1
        for content in contents:
            raw = content if isinstance(content, bytes) else _octets(str(content))
            self._look(place, raw)

    def file(self, path: Path) -> None:
        """Search the name and the content of a file."""
        self.text(str(path), str(path), path.read_bytes())
        if path.suffix == ".parquet":
            import pyarrow.parquet

            table = pyarrow.parquet.read_table(path)
            self.text(f"{path} as a table", table.to_pydict(), table.schema.metadata)

    def folder(self, folder: Path) -> None:
        """Search all files below a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.file(path)

    def thing(self, place: str, thing: object, *, computed: bool = False) -> None:
        """Search all that an object shows, holds and, if asked, computes, and all inside it."""
        self.places += 1
        self._walk(place, thing, {}, 0, computed)

    def copies(self, place: str, thing: object) -> None:
        """Search what an object becomes when it is copied, pickled or written as text."""
        import cloudpickle

        for name, make in {
            "pickle": pickle.dumps,
            "cloudpickle": cloudpickle.dumps,
            "copy": copy.copy,
            "deepcopy": copy.deepcopy,
            "json": json.dumps,
            "json of str": functools.partial(json.dumps, default=str),
            "json of vars": functools.partial(json.dumps, default=vars, skipkeys=True),
            "asdict": dataclasses.asdict,  # type: ignore[dict-item]  # refuses all else
            "pprint": pprint.pformat,
            "rich": _rich_text,
        }.items():
            try:
                made = make(thing)  # type: ignore[operator]
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not show a secret
                self.text(f"{place}: {name}, refused", str(error), repr(error.args))
            else:
                self.thing(f"{place}: {name}", made)

    def error(self, place: str, error: BaseException) -> None:
        """Search an error, its chain, and the variables of all frames but those of the tests."""
        self.places += 1
        seen: dict[int, object] = {}
        for each in _chain(error):
            self._walk(f"{place}: {type(each).__name__}", each, seen, 0)
            self._look(f"{place}: traceback", _octets("".join(traceback.format_exception(each))))
            captured = traceback.TracebackException.from_exception(each, capture_locals=True)
            for entry in captured.stack:
                if not entry.filename.startswith(TESTS):
                    self._look(f"{place}: captured in {entry.name}", _octets(str(entry.locals)))
            for frame, line in traceback.walk_tb(each.__traceback__):
                if not frame.f_code.co_filename.startswith(TESTS):
                    where = f"{place}: {frame.f_code.co_qualname}, line {line}"
                    self._walk(where, dict(frame.f_locals), seen, 0)
            self._look(f"{place}: rich", _octets(_rich_variables(each)))

    def _walk(
        self,
        place: str,
        thing: object,
        seen: dict[int, object],
        depth: int,
        computed: bool = False,
    ) -> None:
        if id(thing) in seen or depth > _DEPTH:
            return
        seen[id(thing)] = thing  # held, so that its id is given to nothing else
        self._look(place, thing if isinstance(thing, bytes) else _octets(_shown(thing)))
        if isinstance(thing, (*_SIMPLE, *_CLOSED)):
            return
        for name, value in _inside(thing, computed):
            self._walk(f"{place}.{name}", value, seen, depth + 1, computed)

    def _look(self, place: str, raw: bytes) -> None:
        if raw in self._clean:
            return
        whole = unpacked(raw).lower()
        held = [name for name, forms in self._forms.items() for form in forms if form in whole]
        self.found += [f"{place}: {name}" for name in dict.fromkeys(held)]
        if not held and len(raw) < 1000:
            self._clean.add(raw)


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger says at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    known = [each for each in [*logging.root.manager.loggerDict.values()]
             if isinstance(each, logging.Logger)]  # fmt: skip
    levels = {each: each.level for each in (logging.root, *known)}
    apart = [logging.root, *(each for each in known if not each.propagate)]
    for each in levels:
        each.setLevel(logging.DEBUG)
    for each in apart:
        each.addHandler(handler)
    try:
        yield stream
    finally:
        for each in apart:
            each.removeHandler(handler)
        for each, level in levels.items():
            each.setLevel(level)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _shown(thing: object) -> str:
    """All texts that an object shows of itself."""
    texts = []
    makers: list[Callable[[], object]] = [lambda: repr(thing), lambda: str(thing)]
    if not isinstance(thing, (*_SIMPLE, *_CLOSED)):
        makers += [
            getattr(thing, name)
            for name in ("_repr_html_", "_repr_mimebundle_", "_repr_markdown_", "_repr_json_")
            if hasattr(type(thing), name)
        ]
    for make in makers:
        try:
            texts.append(str(make()))
        except Exception as error:  # noqa: BLE001 - then its error is what is shown
            texts.append(f"{error} {error.args}")
    return "\n".join(texts)


def _inside(thing: object, computed: bool) -> Iterator[tuple[str, object]]:
    """What is one level below an object: items, attributes, closures."""
    if isinstance(thing, dict):
        yield from _inside([*thing, *thing.values()], computed)
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from ((str(at), value) for at, value in enumerate(thing))
    elif isinstance(thing, functools.partial):
        yield from (("func", thing.func), ("args", thing.args), ("keywords", thing.keywords))
    elif isinstance(thing, types.MethodType):
        yield "self", thing.__self__
    elif isinstance(thing, types.FunctionType):
        cells = zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=False)
        yield from ((name, getattr(cell, "cell_contents", None)) for name, cell in cells)
    elif type(thing).__module__.partition(".")[0] == "alchemer_nb":
        yield from _attributes(thing, computed)


def _attributes(thing: object, computed: bool) -> Iterator[tuple[str, object]]:
    """The attributes of an object of ours; those that are computed only if asked for."""
    slots = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())}
    names = {*getattr(thing, "__dict__", ()), *slots} | ({*dir(thing)} if computed else set())
    for name in sorted(n for n in names if not n.startswith("__")):
        try:
            value = getattr(thing, name)
        except Exception as error:  # noqa: BLE001 - then its error is what is shown
            value = (str(error), error.args)
        if not isinstance(value, types.MethodType):
            yield name, value


def _chain(error: BaseException) -> list[BaseException]:
    todo, seen = [error], []
    while todo:
        each = todo.pop()
        if each is not None and each not in seen:
            seen.append(each)
            todo += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return seen


def _rich_text(thing: object) -> str:
    from rich.pretty import pretty_repr

    return pretty_repr(thing, max_depth=_DEPTH, expand_all=True)


def _rich_variables(error: BaseException) -> str:
    """What rich prints of the variables of all frames but those of the tests."""
    from rich.traceback import Traceback

    trace = Traceback.extract(
        type(error), error, error.__traceback__,
        show_locals=True, locals_max_length=100, locals_max_string=None,
    )  # fmt: skip
    shown = [stack.exc_value for stack in trace.stacks]
    for frame in (each for stack in trace.stacks for each in stack.frames):
        if not frame.filename.startswith(TESTS):
            shown += [f"{name}={node}" for name, node in (frame.locals or {}).items()]
    return "\n".join(shown)


def unpacked(raw: bytes, depth: int = 3) -> bytes:
    """The bytes, and behind them what is packed in them."""
    parts = [raw]
    if depth and raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts += [unpacked(archive.read(name), depth - 1) for name in archive.namelist()]
    elif depth:
        parts += [unpacked(inner, depth - 1) for inner in _inflated(raw)]
        for found in set(_PACKED.findall(raw)):
            with_padding = found.rstrip(b"=") + b"=" * (-len(found.rstrip(b"=")) % 4)
            try:
                inner = base64.b64decode(with_padding.translate(_URL_SAFE), validate=True)
            except binascii.Error:
                continue
            parts += [inner, *(unpacked(each, depth - 1) for each in _inflated(inner))]
    return b"\0".join(parts)


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def _inflated(raw: bytes) -> Iterator[bytes]:
    for unpack in (zlib.decompress, gzip.decompress):
        try:
            yield unpack(raw)
        except (zlib.error, OSError, EOFError):
            continue
