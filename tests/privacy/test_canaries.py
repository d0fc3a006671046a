"""What was taken out of a frame is nowhere: each answer of a survey is a text that can be found.

What pandas itself keeps is excepted by name, and only until ``trim``, ``redact`` or our writers:
categories that nobody holds any more, and what the description says of columns that plain pandas
dropped (words of piped rows, and of removed questions and options).
"""

from __future__ import annotations

import base64
import gc
import io
import json
import pickle
import struct
import types
import warnings
import zipfile
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from alchemer_nb import stack_waves
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from tests.leaks.search import unpacked
from tests.scripted import ScriptedServer
from tests.survey_json import option, question, response, serve

OTHER = option(10009, "Other", "other", other=True)
GRADES = [option(10001, "Good", "1"), option(10002, "Bad", "2")]
YES_NO = [option(10001, "Yes", "y"), option(10002, "No", "n")]
WEB = [option(10001, "Web", "web"), option(10002, "Shop", "shop")]
ASKED = [
    question(2, "TEXTBOX", "Your e-mail", "mail", key="email", subtype="EMAIL"),
    question(3, "GROUP", "You", "you", key="contactgroup",
             rows=[question(4, "TEXTBOX", "Given name", "given")]),
    {**question(6, "RADIO", "Where from", "where", [*WEB, OTHER]), "comment": True},
    question(7, "ESSAY", "Comments", "comments", key="essay"),
    question(8, "TEXTBOX", "Number", "number", key="number"),
    {**question(9, "CHECKBOX", "Channels", "channels", [*WEB, OTHER], key="checkbox"),
     "comment": True},
    question(10, "TABLE", "Piped", "piped", GRADES, [question(11, "RADIO", "Fixed")],
             key="table-radio", piped_from="9"),
    question(20, "RADIO", "Free", "free", YES_NO, key="radio"),
    question(21, "TEXTBOX", "Day", "day", key="date"),
]  # fmt: skip
FORMS = ("2017", "current")
PEOPLE = (1, 2, 3)


def number_of(person):
    return 730_190.25 + person


def texts_of(person):
    """All that a person wrote or is known by, by where it is."""
    places = (
        "mail", "given", "where_other", "where_comment", "essay", "channel_other",
        "channel_comment", "piped", "gone_label", "gone_value", "no_option", "no_date",
        "removed_question", "removed_answer", "agent", "referer", "city", "contact", "session",
        "url_email", "url_tester", "url_plain",
    )  # fmt: skip
    return {place: f"canary{person}{place.replace('_', 'x')}" for place in places}


TEXTS = {person: texts_of(person) for person in PEOPLE}
ADDRESSES = {person: f"203.0.113.{person + 70}" for person in PEOPLE}
NUMBERS = {person: number_of(person) for person in PEOPLE}
CANARIES = [*(t for each in TEXTS.values() for t in each.values()), *ADDRESSES.values(),
            *map(str, NUMBERS.values())]  # fmt: skip
# Excepted until trim, redact or our writers: see the top of this file.
CATEGORIES = {each["no_option"] for each in TEXTS.values()}
WORDS = {
    each[place] for each in TEXTS.values() for place in ("piped", "gone_label", "removed_question")
}


def answered(person, form):
    """The response of a person in one form of the payload."""
    word = TEXTS[person]
    data = {
        "2": {"id": 2, "type": "TEXTBOX", "answer": word["mail"], "shown": True},
        "3": {"id": 3, "subquestions": {"4": {"id": 4, "answer": word["given"]}}},
        "6": {"id": 6, "answer": word["where_other"], "answer_id": "10009-other",
              "comments": word["where_comment"], "shown": True},
        "7": {"id": 7, "answer": word["essay"], "shown": True},
        "8": {"id": 8, "answer": str(NUMBERS[person]), "shown": True},
        "9": {"id": 9, "comments": word["channel_comment"], "shown": True, "options": {
            "10009": {"id": 10009, "option": "Other", "answer": word["channel_other"]},
            "10077": {"id": 10077, "option": word["gone_label"], "answer": word["gone_value"]},
        }},
        "10": {"id": 10, "subquestions": {
            "11": {"id": 11, "answer": "1", "answer_id": 10001},
            word["piped"]: {"answer": "Good", "answer_id": 10001},
        }},
        "20": {"id": 20, "answer": word["no_option"], "shown": True},
        "21": {"id": 21, "answer": word["no_date"], "shown": True},
        "77": {"id": 77, "type": "TEXTBOX", "question": word["removed_question"],
               "answer": word["removed_answer"]},
    }  # fmt: skip
    if form == "current":
        for each in data["9"]["options"].values():
            each["original_answer"] = each["answer"]
        data = {own: {**entry, "id": own} for own, entry in data.items()}
    urls = {"email": "url_email", "__sg_tester": "url_tester", "utm": "url_plain"}
    updated = {"date_updated": "2026-01-15 10:42:26"} if form == "current" else {}
    return response(
        person, data, ip_address=ADDRESSES[person], contact_id=word["contact"],
        session_id=word["session"], user_agent=word["agent"], referer=word["referer"],
        city=word["city"], **updated,
        url_variables={name: {"key": name, "value": word[own]} for name, own in urls.items()},
    )  # fmt: skip


@pytest.fixture(scope="module")
def clients():
    """Form of the payload -> a client of a server that answers in it."""
    with ScriptedServer() as one, ScriptedServer() as other:
        empty = {"id": 2, "answer": None, "shown": True}
        yield {
            form: serve(
                server, ASKED, [*(answered(p, form) for p in PEOPLE), response(4, {"2": empty})]
            )
            for form, server in zip(FORMS, (one, other), strict=True)
        }


def download(client, **choices):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return client.responses(5, progress="none", **{"metadata": "all", **choices})


# -- the search --------------------------------------------------------------------------------


def forms_of(canary):
    """A text, and a number as bytes of files have it."""
    forms = [canary.encode(), canary.encode("utf-16-le")]
    if canary in map(str, NUMBERS.values()):
        forms += [struct.pack("<d", float(canary)), struct.pack(">d", float(canary))]
    return forms


def found_in(raw, canaries):
    whole = unpacked(raw)
    return {canary for canary in canaries if any(form in whole for form in forms_of(canary))}


def visible(frame):
    """The canaries that a frame shows: in cells, names of columns, and its index."""
    names = [*frame.columns, *frame.index.names]
    levels = [frame.index.get_level_values(n) for n in range(frame.index.nlevels)]
    cells = [each for n in range(frame.shape[1]) for each in frame.iloc[:, n].astype(object)]
    text = "\n".join(map(str, [*names, *(each for level in levels for each in level), *cells]))
    return {canary for canary in CANARIES if canary in text}


def needed(frame):
    """The words of answers that describe a column at hand: of a removed question or option."""
    names = {*frame.columns, *frame.get("column", ())}
    is_listed = bool(names & {"channels", "q9", "Channels"})
    has_option = is_listed or any("10077" in str(name) for name in names)
    places = {"gone_label": has_option, "removed_question": "q77" in names}
    return {word[place] for word in TEXTS.values() for place in places if places[place]}


def reached(start):
    """All texts and numbers that an object leads to, but through modules and classes."""
    seen, todo, out = {}, [start], io.BytesIO()  # kept alive, so that no id comes twice
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, type | types.ModuleType):
            continue
        seen[id(each)] = each
        if isinstance(each, str):
            out.write(each.encode("utf-8", "surrogatepass") + b"\n")
        elif isinstance(each, bytes):
            out.write(each)
        elif isinstance(each, float):
            out.write(struct.pack("<d", each))
        elif isinstance(each, np.ndarray):  # its base, of which it may be a part, is of pandas
            todo.extend(each.tolist()) if each.dtype == object else out.write(each.tobytes())
        elif isinstance(each, pa.Array | pa.ChunkedArray):
            todo.extend(each.to_pylist())
        elif isinstance(each, types.FunctionType):
            todo.extend([each.__closure__, each.__defaults__, each.__kwdefaults__])
        else:
            todo.extend(gc.get_referents(each))
    return out.getvalue()


def of_parquet(path):
    """The bytes of a Parquet file, of which each column is unpacked, and its dictionaries, too."""
    file = pq.ParquetFile(path)
    texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
    sink = pa.BufferOutputStream()
    table = pq.read_table(path, read_dictionary=texts)
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes() + path.read_bytes()


def what_the_accessor_shows(frame):
    own = frame.alchemer
    tables = [own.redacted]
    if "column" not in frame:
        tables += [own.codebook, own.options, own.base_sizes(), own.missing()]
    shown = [repr(own), repr(own.facts), own.summary, *(each.to_csv() for each in tables)]
    return "\n".join(shown).encode()


def what_leaves(frame, folder):
    """All that leaves with a frame by plain pandas: place -> bytes."""
    path = folder / "plain.parquet"
    frame.to_parquet(path, compression=None)
    with pd.option_context("display.max_columns", None, "display.max_colwidth", None):
        shown = repr(frame) + str(frame) + frame._repr_html_()
    return {
        "pickle": pickle.dumps(frame) + pickle.dumps(frame, 2),
        "pandas parquet": of_parquet(path),
        "attrs": json.dumps(frame.attrs).encode(),
        "shown": shown.encode(),
        "csv": frame.to_csv().encode(),
        "heap": reached(frame) + reached(frame.alchemer.__dict__),
    }


def what_our_files_hold(frame, folder):
    """All that our writers write: place -> bytes."""
    files = {}
    own = frame.alchemer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own.to_parquet(folder / "own.parquet")
        files["parquet"] = of_parquet(folder / "own.parquet")
        tables = [
            own.to_spss(folder / "x.sav"), own.to_stata(folder / "x.dta"),
            own.to_excel(folder / "x.xlsx"),
        ]  # fmt: skip
    files["reports"] = "".join(each.to_csv() for each in tables).encode()
    values, labels = pyreadstat.read_sav(folder / "x.sav")  # its texts lie in pieces
    files["spss"] = values.to_csv().encode() + str(vars(labels)).encode()
    files["spss"] += b"".join(each.read_bytes() for each in folder.glob("x.*s*"))
    files["stata"] = (folder / "x.dta").read_bytes()
    with zipfile.ZipFile(folder / "x.xlsx") as archive:
        files["excel"] = b"\n".join(archive.read(name) for name in archive.namelist())
    return files


def leaks(places, frame, excepted=frozenset()):
    hidden = set(CANARIES) - visible(frame) - needed(frame) - excepted
    found = {place: sorted(found_in(raw, hidden)) for place, raw in places.items()}
    return {place: canaries for place, canaries in found.items() if canaries}


def check(frame, folder, *, stays=frozenset()):
    """Nothing that the frame does not show is anywhere; what stays is gone after trim."""
    assert leaks({"accessor": what_the_accessor_shows(frame)}, frame) == {}
    assert leaks(what_leaves(frame, folder), frame, stays) == {}
    assert leaks(what_our_files_hold(frame, folder), frame) == {}
    trimmed = frame.alchemer.trim()
    assert leaks(what_leaves(trimmed, folder), trimmed) == {}


def test_the_search_finds_what_it_is_for(clients, tmp_path):
    df = download(clients["2017"])
    assert visible(df) >= set(CANARIES) - WORDS
    everywhere = set(CANARIES) - WORDS
    for place, raw in {**what_leaves(df, tmp_path), **what_our_files_hold(df, tmp_path)}.items():
        lacking = everywhere - found_in(raw, everywhere)
        assert place in ("attrs", "reports") or lacking == set(), place
    words = found_in(what_leaves(df, tmp_path)["attrs"], CANARIES)
    assert words <= WORDS
    assert words >= {each["piped"] for each in TEXTS.values()}  # in zlib, in base64, in JSON
    nested = base64.b64encode(zlib.compress(base64.b64encode(b"a canary that is packed")))
    assert b"a canary that is packed" in unpacked(b'"' + nested + b'"')
    assert TEXTS[1]["mail"].encode() in reached(lambda: df)


# -- ten ways ----------------------------------------------------------------------------------


def holding(df):
    """The columns that show an answer in a cell."""
    return [
        name for name in df if visible(df[[name]].reset_index(drop=True).set_axis(["x"], axis=1))
    ]


def texts_in(df):
    return [name for name in holding(df) if pd.api.types.is_string_dtype(df[name].dtype)]


def overwrite(df):
    values = {n: 0.0 if df[n].dtype == "float64" else "(removed)" for n in holding(df)}
    return df.assign(**values)


def mask(df):
    return df.mask(pd.Series(df.index == 2, df.index), None) if df.index.name else mask_long(df)


def mask_long(df):
    return df.assign(**{n: df[n].mask(df["response_id"] == 2) for n in texts_in(df)})


def map_values(df):
    mapped = {n: df[n].map(lambda v: v[:3], na_action="ignore") for n in texts_in(df)}
    return df.assign(**mapped)


def replace_values(df):
    return df.assign(**{n: df[n].replace(dict.fromkeys(CANARIES, "x")) for n in texts_in(df)})


def drop(df):
    return df.drop(columns=holding(df))


def filter_rows(df):
    return df[df.get("response_id", df.index) != 2]


def head(df):
    return df.head(1)


def redact(df):
    if "column" not in df:
        return df.alchemer.redact(columns=holding(df))
    return df.alchemer.redact(columns=[*df.loc[df["value"].isin(CANARIES), "column"].unique()])


def drop_and_add(df):
    names = holding(df)
    return df.drop(columns=names).assign(**dict.fromkeys(names, "again"))


WAYS = {
    each.__name__: each
    for each in (
        overwrite, mask, map_values, replace_values, drop, filter_rows, head, redact, drop_and_add,
    )
}  # fmt: skip
# What stays until trim: categories with the rows of others, words with the columns.
STAYS = {"redact": frozenset()}
EVER = frozenset(CATEGORIES | WORDS)


@pytest.fixture(scope="module", params=[FORMS[1], pytest.param(FORMS[0], marks=pytest.mark.long)])
def whole(request, clients):
    return download(clients[request.param])


FEW_WAYS = ("overwrite", "drop", "redact")  # the others are much like them


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=() if way in FEW_WAYS else pytest.mark.long) for way in WAYS],
)
def test_what_was_taken_out_is_nowhere(whole, tmp_path, way):
    left = WAYS[way](whole)
    assert visible(left) < visible(whole)
    check(left, tmp_path, stays=STAYS.get(way, EVER))
    assert visible(whole) >= set(CANARIES) - WORDS  # the frame that it was taken from has it all


@pytest.mark.parametrize("form", FORMS)
def test_what_was_not_asked_for_is_nowhere(clients, tmp_path, form):
    words = ["piped_fixed", "channels_web"]
    for choices in ({"columns": [*words, "status"]}, {"columns": words, "shape": "long"}):
        left = download(clients[form], metadata="standard", **choices)
        assert visible(left) == set()
        check(left, tmp_path)


def test_texts_that_were_filtered_out_are_no_labels_anywhere(whole, tmp_path):
    """Nor where the column was renamed, copied, recoded, or is a level of the index."""
    whole = whole[["mail", "free", "where"]]
    held = whole["free"].cat
    left = {
        "as it is": whole.head(1),
        "renamed": whole.rename(columns={"free": "mine"}).head(1),
        "copied": whole.assign(mine=whole["free"]).head(1),
        "without the question": whole.assign(mine=whole["free"]).drop(columns="free").head(1),
        "renamed options": whole.assign(free=held.rename_categories({"Yes": "Ja"})).head(1),
        "sorted": whole.assign(free=held.reorder_categories(sorted(held.categories))).head(1),
        "index": whole.set_index("free", append=True).head(1),
    }
    for name, df in left.items():
        assert leaks(what_our_files_hold(df, tmp_path), df) == {}, name
        trimmed = df.alchemer.trim()
        assert leaks({"pickle": pickle.dumps(trimmed)}, trimmed) == {}, name
        taken = df.alchemer.redact()
        assert leaks({"pickle": pickle.dumps(taken)}, taken) == {}, name


def test_trim_changes_no_value_and_keeps_options_and_own_categories(whole):
    own = pd.Categorical(["low"] * len(whole), ["low", "middle", "high"], ordered=True)
    df = whole.assign(mine=own)
    trimmed = df.alchemer.trim()
    pd.testing.assert_frame_equal(trimmed, df)
    pd.testing.assert_frame_equal(df.alchemer.trim().alchemer.trim(), df)
    first = df.head(1)
    assert first.alchemer.trim()["mine"].dtype == own.dtype
    assert [*first.alchemer.trim()["where"].cat.categories] == ["Web", "Shop", "Other"]
    assert [*first.alchemer.trim()["free"].cat.categories] == ["Yes", "No", TEXTS[1]["no_option"]]
    pd.testing.assert_frame_equal(
        first.alchemer.trim().alchemer.missing(), first.alchemer.missing()
    )
    again = first.alchemer.trim().alchemer.relabel(values="id")
    pd.testing.assert_frame_equal(again, first.alchemer.relabel(values="id"))
    for index in (["free"], ["free", "mine"], ["response_id", "free"]):
        by = df.reset_index().set_index(index)
        pd.testing.assert_index_equal(by.alchemer.trim().index, by.index, exact="equiv")
        assert len(by.head(1).alchemer.trim().index) == 1
    lost = pd.DataFrame({"a": [1]})
    with pytest.raises(KnowledgeLost):
        lost.alchemer.trim()


def test_a_piped_row_that_was_redacted_is_not_named_in_the_report(whole):
    (name,) = [each for each in whole if TEXTS[2]["piped"] in each]
    left = whole.alchemer.redact(columns=[name])
    assert leaks({"pickle": pickle.dumps(left)}, left) == {}
    assert TEXTS[2]["piped"] not in visible(left)
    assert "q10" in left.alchemer.redacted["column"].tolist()
    with pytest.raises(InvalidArgument, match="would bring back"):
        whole.alchemer.attach(left)


@pytest.mark.parametrize(
    "way",
    [
        *(pytest.param(way, marks=pytest.mark.long) for way in ("drop", "redact")),
        *("filter_rows", "one wave"),
    ],
)
def test_what_was_taken_out_of_stacked_waves_is_nowhere(clients, tmp_path, way):
    first, second = (download(clients[form], metadata="standard") for form in FORMS)
    both = stack_waves({"first": first.loc[[1, 4]], "second": second.loc[[2, 3]]})
    if way == "one wave":
        left = both[both.index.get_level_values("wave") == "second"]
        assert TEXTS[1]["mail"] not in visible(left)
    elif way == "filter_rows":
        left = both[both.index.get_level_values("response_id") != 2]
    else:
        left = WAYS[way](both)
    assert visible(left) < visible(both)
    check(left, tmp_path, stays=STAYS.get(way, EVER))


def test_facts_are_few_and_are_a_copy(whole):
    facts = whole.alchemer.facts
    assert len(repr(facts)) < 2000
    assert found_in(repr(facts).encode(), CANARIES) == set()
    facts["asked"]["names"] = "changed"
    assert whole.alchemer.facts["asked"]["names"] == "alias"
    both = stack_waves({"a": whole, "b": whole}).alchemer.facts
    assert len(repr(both)) < 4000


LONG_WAYS = ("overwrite", "mask", "map_values", "replace_values", "filter_rows", "head", "redact")
VARIANTS = [
    {"names": "text", "values": "both"},
    {"names": "id", "values": "code", "multi": "list"},
    {"names": "text", "values": "id", "multi": "list"},
    {"values": "code", "metadata": "standard"},
    {"shape": "long"},
    {"shape": "long", "names": "text"},
]


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("choices", VARIANTS, ids=str)
def test_what_was_taken_out_is_nowhere_in_any_shape(clients, tmp_path, choices, form):
    df = download(clients[form], **choices)
    for way in LONG_WAYS if "shape" in choices else WAYS:
        left = WAYS[way](df)
        assert visible(left) < visible(df), way
        check(left, tmp_path, stays=STAYS.get(way, EVER))
