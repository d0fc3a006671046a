"""What no survey should send and no analyst should do: one clear line or a note, nothing lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, Client
from alchemer_nb.decode.entry_types import read_entries
from alchemer_nb.errors import AlchemerError, InvalidArgument, KnowledgeLost
from tests.export.frames import NO_DESCRIPTION, OWN_CODES
from tests.frame.test_types_properties import KINDS
from tests.scripted import Reply
from tests.survey_json import LIKERT, frame, option, question, response, serve

EXPORTS = {
    "to_spss": "x.sav",
    "to_stata": "x.dta",
    "to_excel": "x.xlsx",
    "to_parquet": "x.parquet",
}
EXPORT = pytest.mark.parametrize("method", EXPORTS)


def one_line(caught, *words):
    """The message of an error that an analyst can act on."""
    text = str(caught.value)
    assert isinstance(caught.value, AlchemerError)
    assert text.strip()
    assert len(text.splitlines()) == 1
    assert len(text) < 400
    for word in words:
        assert word in text
    return text


def beside(df, question_id=None):
    """What the codebook tells of answers (of one question) beside the cells."""
    book = df.alchemer.codebook
    if question_id is not None:
        book = book[book["column_id"].str.fullmatch(f"q{question_id}(_.*)?")]
    book = book[["notes", "reporting_value"]].fillna("")
    return " ".join(f"{notes} {value}" for notes, value in book.to_numpy())


def few(cases, *fast):
    """Return the cases, those that are not among the last arguments for test-long."""
    return [pytest.param(each, marks=() if each in fast else pytest.mark.long) for each in cases]


# Answers of a wrong JSON type.

HUGE = 10**30
WRONG = {
    "dict": {"deep": "wd1"},
    "list": ["wl1", "wl2"],
    "nested list": [["wn1"], {"k": ["wn2"]}],
    "bool": True,
    "float": 1234.5678,
    "int": 7654,
    "huge int": HUGE,
    "string": "ws1",
    "null": None,
}


def words_in(value):
    """The words and numbers of a value of any shape, as JSON writes them."""
    if isinstance(value, dict):
        return [word for inner in value.values() for word in words_in(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in words_in(inner)]
    return [value if isinstance(value, str) else json.dumps(value)]


def every_type():
    asked = []
    for place, (kind, key) in enumerate(KINDS):
        own = 2 + 3 * place
        rows = []
        if kind in ("TABLE", "GROUP"):
            inner = {"table-checkbox": "CHECKBOX", "table-textbox": "TEXTBOX"}.get(key, "RADIO")
            rows = [question(own + 1, inner, "Row", "", LIKERT)]
        if kind == "MATRIX":
            rows = [question(10001, "RADIO", "Column", "", LIKERT)]
        asked.append(question(own, kind, "Q", "", LIKERT, rows, key=key))
    return asked


def places(value):
    """The wrong value at each place of an entry where an answer may stand."""
    return {
        "answer": {"answer": value},
        "with id": {"answer": value, "answer_id": 10001},
        "option": {
            "options": {"10001": {"id": 10001, "option": "Very satisfied", "answer": value}}
        },
        "bare option": {"options": {"10001": value}},
        "options": {"options": value},
        "part": {"subquestions": {"77": {"id": 77, "answer": value}}},
        "bare part": {"subquestions": {"10001": value}},
        "parts": {"subquestions": value},
        "rank": {"rank": value},
        "comment": {"comments": value},
        "entry": value,
    }


FEW_WRONG = ("nested list",)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(name, marks=() if name in FEW_WRONG else pytest.mark.long)
        for name in WRONG
        if name != "null"
    ],
)
def test_each_answer_of_a_wrong_type_is_found_in_its_row(scripted, wrong):
    """One question type and one place a response, so that no other hides a loss."""
    value, asked = WRONG[wrong], every_type()
    made = places(value)
    pairs = [(each["id"], place) for each in asked for place in made]
    given = [response(n, {str(own): made[place]}) for n, (own, place) in enumerate(pairs, 1)]
    client = serve(scripted, asked, given)
    df = client.responses(5, names="id", metadata="none", progress="none")
    told = {each["id"]: beside(df, each["id"]) for each in asked}
    rows = zip(pairs, df.astype("object").to_numpy().tolist(), strict=True)
    lost = [
        (KINDS[(own - 2) // 3], place)
        for (own, place), cells in rows
        if not is_said(value, [cell for cell in cells if pd.notna(cell)], told[own])
    ]
    assert lost == []
    for options in ({"values": "code", "multi": "list"}, {"values": "id", "shape": "long"}):
        other = client.responses(5, names="id", metadata="none", progress="none", **options)
        ids = other["response_id"] if "shape" in options else other.index
        assert list(ids.unique()) == list(df.index)


def is_said(value, cells, told):
    """A cell holds it; or an option is chosen there, and the codebook counts what came for it."""
    words = words_in(value)
    if isinstance(value, float | int) and float(value) in [c for c in cells if c is not True]:
        return True
    if value is True and any(cell is True for cell in cells):  # "true" at a chosen option
        return True
    here = " ".join(map(str, cells))
    counted = "with another text than the reporting value" in told
    return bool(cells) and all(word in here or word in told or counted for word in words)


def test_an_answer_that_is_null_is_none_and_every_row_is_there(scripted):
    asked = every_type()
    given = [
        response(number, {str(each["id"]): entry for each in asked})
        for number, entry in enumerate(places(None).values(), 1)
    ]
    df = frame(scripted, asked, given, names="id", metadata="none")
    assert list(df.index) == list(range(1, len(given) + 1))
    chosen = ["with id", "option", "bare option"]  # whose id says something all the same
    silent = [place not in chosen for place in places(None)]
    assert not (df[silent].notna() & (df[silent] != False)).any(axis=None)  # noqa: E712 - cells


def test_members_that_nobody_documents_are_kept_whenever_they_first_come(scripted):
    """Of a question that the definition does not know, and of a known one that says no more."""
    asked = [question(2, "RADIO", "", "a", LIKERT), question(3, "CHECKBOX", options=LIKERT)]
    below = {"98": {"id": 98, "question": "Part", "answer": "p", "angle": "w4"}}
    given = [
        response(1, {"2": {"answer": "5", "answer_id": 10001}, "99": {"id": 99, "answer": "x"}}),
        response(2, {"99": {"id": 99, "answer": "y", "points": [["w1"]]}}),
        response(3, {"2": {"id": 2, "type": "RADIO", "text": "w2"}}),
        response(4, {"3": {"options": {"10001": {"id": 10001, "text": "w3"}}}}),
        response(5, {"99": {"type": "parent", "subquestions": below}}),
        response(6, {"2": {"id": 2, "type": "RADIO", "section_id": 1, "answer": None}}),
    ]
    client = serve(scripted, asked, [])
    pages = [
        {
            "result_ok": True,
            "total_count": 6,
            "total_pages": 6,
            "results_per_page": 1,
            "data": [one],
        }
        for one in given
    ]
    scripted.answer("survey/5/surveyresponse", *pages)
    df = client.responses(5, names="id", metadata="none", progress="none")
    assert df["q99"].tolist()[:2] == ["x", "y"]
    assert df.loc[2, "q99_points"] == '[["w1"]]'
    assert df.loc[3, "q2_text"] == "w2"
    assert "w3" in df.loc[4, "q3_10001_other"]
    assert df.loc[4, "q3_10001"]
    assert df.loc[5, "q98_angle"] == "w4"
    assert df.loc[6].dropna().empty


# Definitions that cannot be read, or make no sense.

SURVEY = "survey/5"
QUESTIONS = "survey/5/surveyquestion"


@pytest.mark.parametrize("path", [SURVEY, QUESTIONS])
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({"result_ok": False, "code": 500, "message": "x"}, 500), "status 500"),
        (Reply(b"<html><body>down</body></html>"), "web page instead of data"),
        (Reply(b'{"result_ok": true, "data": {"id": "5", "pages": [{'), "cut off"),
        (Reply(b'{"result_ok": true, "data": {"id": "5"}}', cut=20), "cut off"),
        (Reply([1, 2]), "not JSON"),
    ],
    ids=["status 500", "HTML", "truncated JSON", "cut off", "a bare list"],
)
def test_a_definition_that_cannot_be_read_is_one_clear_line(scripted, path, reply, words):
    serve(scripted, [], [])
    client = Client(ApiKey("token", "secret"), region=scripted.region, retries=1)
    scripted.answer(path, reply)
    with pytest.raises(AlchemerError) as caught:
        client.responses(5, progress="none")
    one_line(caught, words, path)


@pytest.mark.parametrize("path", [SURVEY, QUESTIONS])
@pytest.mark.parametrize(
    "data",
    [
        [],
        ["x"],
        "x",
        None,
        {"id": "5", "title": "T", "pages": None},
        {"id": "5", "title": ["T"], "languages": 5, "status": {"a": 1}, "pages": 5},
        {"id": "5", "pages": {"1": {"id": [1], "title": [], "questions": 5}}},
        {"id": "5", "pages": [{"id": 1, "questions": {"2": question(2, "ESSAY")}}]},
    ],
    ids=str,
)
def test_what_is_left_of_a_definition_is_enough(scripted, path, data):
    client = serve(scripted, [question(2, "ESSAY")], [response(1, {"2": {"answer": "w"}})])
    scripted.answer(path, {"result_ok": True, "data": data})
    df = client.responses(5, names="id", metadata="none", progress="none")
    assert df["q2"].tolist() == ["w"]
    assert not df.alchemer.codebook.set_index("column_id").loc["q2", "removed"]


def test_answers_without_any_definition_are_kept_and_marked(scripted):
    client = serve(scripted, [], [response(1, {"2": {"answer": "w"}})])
    for path in (SURVEY, QUESTIONS):
        scripted.answer(path, {"result_ok": True, "data": None})
    df = client.responses(5, names="id", metadata="none", progress="none")
    assert df["q2"].tolist() == ["w"]
    assert "no longer in the definition" in beside(df)


def text_box(own, **members):
    return {**question(own, "TEXTBOX", key="text"), **members}


def nested(depth):
    inner = text_box(2)
    for own in range(depth):
        inner = {**question(1000 + own, "GROUP"), "sub_questions": [inner]}
    return inner


ODD = option(10001, "A", "w4")
DEFINITIONS = {
    "contains itself": [{**question(2, "GROUP"), "sub_questions": [text_box(2)]}, text_box(3)],
    "contains its own id": [{**question(2, "GROUP"), "sub_questions": [2, "2"]}, text_box(3)],
    "parents in a circle": [text_box(2, parent=3), text_box(3, parent=2), text_box(4, parent=4)],
    "parent missing": [text_box(2, parent=77), text_box(3, parent=None), text_box(4)],
    "nested 300 deep": [nested(300), text_box(3)],
    "options are none": [{**question(q, "RADIO"), "options": o} for q, o in ((2, "x"), (3, 5))],
    "odd options": [
        {**question(2, "RADIO"), "options": [None, 1, "x", [], {"id": None}, {"id": [1]}]},
        {**question(3, "CHECKBOX"), "options": {"a": option(10001, "X"), "b": 7}},
        {**question(4, "RADIO"), "options": [{**ODD, "title": ["A"], "value": ["w4"]}]},
    ],
    "rows are none": [
        {**question(own, "TABLE", key="table-radio"), "sub_questions": rows}
        for own, rows in ((2, "x"), (3, 7), (4, {"a": None, "b": [1]}))
    ],
    "odd members": [
        text_box(2, type=5, title=["x"], shortname={"a": 1}, properties="p", varname=5),
        text_box(3, type=None, title=7, shortname=7, comment="x", base_type=[1]),
        text_box(4, properties={"map_key": ["a"], "subtype": 5, "show_rules_ids": {"a": 1}}),
    ],
    "odd ids": [text_box(own) for own in (2.0, 3.0, [4], {"a": 1}, True, 4.5, 'q"\\', "\0")],
    "ids twice": [text_box(2), question(2, "RADIO", options=LIKERT), text_box(3), text_box("3")],
}


@pytest.mark.parametrize(
    ("which", "nested"),
    [
        pytest.param(which, nested, marks=() if nested == number % 2 else pytest.mark.long)
        for number, which in enumerate(DEFINITIONS)
        for nested in (True, False)
    ],
)
def test_a_definition_without_sense_loses_no_answer(scripted, which, nested):
    given = [response(1, {own: {"answer": f"w{own}"} for own in "234"}), response(2, [])]
    client = serve(scripted, DEFINITIONS[which], given, nested=nested)
    df = client.responses(5, names="id", metadata="none", progress="none")
    assert list(df.index) == [1, 2]
    assert df.columns.is_unique
    assert [df.loc[1, f"q{own}"] for own in "234"] == ["w2", "w3", "w4"]
    df.alchemer.redact()
    df.alchemer.base_sizes()
    for made in (df.alchemer.missing(), df.alchemer.relabel(names="text")):
        assert len(made) == 2
    assert repr(df.alchemer.codebook)


@pytest.mark.parametrize("received", [10001, "10001", 10001.0])
@pytest.mark.parametrize("announced", [10001, "10001", 10001.0])
def test_an_id_is_the_same_as_number_and_as_text(scripted, announced, received):
    options = [option(announced, "A", "a"), option(10002, "B", "b")]
    asked = [question(2, "RADIO", "", "r", options), question(3, "CHECKBOX", "", "c", options)]
    chosen = {"options": {"10001": {"id": received, "option": "A", "answer": "a"}}}
    given = [response(1, {"2": {"answer": "?", "answer_id": received}, "3": chosen})]
    df = frame(scripted, asked, given, metadata="none")
    assert df.loc[1].to_dict() == {"r": "A", "c_a": True, "c_b": False}


def test_an_option_id_that_stands_twice_keeps_both_answers(scripted):
    asked = [question(2, "RADIO", "", "r", [option(10001, "A", "a"), option("10001", "B", "b")])]
    answers = [{"answer": "a", "answer_id": 10001}, {"answer": "b", "answer_id": 10001}]
    df = frame(scripted, asked, [response(n, {"2": each}) for n, each in enumerate(answers, 1)])
    assert df["r"].notna().all()
    assert "1 with another text" in beside(df)


# Text that files do not like, and much of it.


def written(df, folder):
    """The frame in all formats, as other people's readers see it: one list of texts each."""
    df.alchemer.to_spss(folder / "x.sav")
    df.alchemer.to_stata(folder / "x.dta")
    df.alchemer.to_excel(folder / "x.xlsx")
    df.alchemer.to_parquet(folder / "x.parquet")
    pd.testing.assert_frame_equal(al.read_parquet(folder / "x.parquet"), df)
    sheets = openpyxl.load_workbook(folder / "x.xlsx")
    assert len(list(sheets["responses"].values)) == len(df) + 1
    read = (
        pyreadstat.read_sav(folder / "x.sav", apply_value_formats=True)[0],
        pyreadstat.read_dta(folder / "x.dta", apply_value_formats=True)[0],
        pd.DataFrame(list(sheets["responses"].values)[1:]),
    )
    assert [len(each) for each in read[:2]] == [len(df)] * 2
    return [[str(value) for value in each.to_numpy().ravel()] for each in read]


@pytest.mark.parametrize(
    ("odd", "options"),
    [
        pytest.param(odd, options, marks=long, id=f"{name} {options}")
        for turn, (name, odd) in enumerate([("NUL", "\0"), ("lone surrogate", "\ud800")])
        for number, options in enumerate(
            [{}, {"names": "text"}, {"shape": "long"}, {"values": "both"}, {"multi": "list"}]
        )
        for long in [() if number == 2 * turn else pytest.mark.long]
    ],
)
def test_nul_and_lone_surrogates_everywhere_and_on_to_every_file(scripted, tmp_path, odd, options):
    bad = f"l{odd}r"
    options_ = [option(10001, f"{bad} label", f"{bad} value"), option(10002, "B", "2")]
    asked = [
        question(2, "ESSAY", f"{bad} title", f"{bad} alias"),
        question(3, "RADIO", bad, "", options_),
        question(4, "CHECKBOX", "", bad, [option(10001, bad, bad)]),
    ]
    data = {
        "2": {"answer": f"{bad} text", "comments": bad},
        "3": {"answer": f"{bad} value", "answer_id": 10001},
        "4": {"options": {"10001": {"id": 10001, "option": bad, "answer": bad}}},
        bad: {"answer": "under an odd id"},
        'q"\\': {"answer": "under a quoted id"},
    }
    around = {
        "referer": bad,
        "city": bad,
        "link_id": bad,
        "url_variables": {bad: {"key": bad, "value": f"{bad} url", "type": "url"}},
        "data_quality": {bad: bad},
    }
    given = [response(1, data, **around), response(2, {"2": {"answer": "plain"}})]
    df = frame(scripted, asked, given, metadata="all", **options)
    assert df.columns.is_unique
    here = [str(value) for name in df for value in df[name].dropna()]
    mended = bad if odd == "\0" else "l\ufffdr"
    wanted = [f"{mended} text", f"{mended} label", "under an odd id", "under a quoted id", "plain"]
    for word in wanted:
        assert word in here
    assert repr(df.alchemer.codebook)
    df.alchemer.redact("hash", salt="a long enough salt")
    for texts in written(df, tmp_path):
        for word in wanted:
            assert word.replace("\0", "\ufffd") in texts


def test_a_label_of_10_000_characters_goes_everywhere(scripted, tmp_path):
    long = ("word " * 2000).strip()
    asked = [
        question(2, "RADIO", long, "a", [option(10001, long, "1"), option(10002, "B", "2")]),
        question(3, "CHECKBOX", long, "b", [option(10001, long, long)]),
    ]
    chosen = {"options": {"10001": {"id": 10001, "option": long, "answer": long}}}
    given = [response(1, {"2": {"answer": "1", "answer_id": 10001}, "3": chosen})]
    for options in ({}, {"names": "text"}, {"shape": "long"}, {"multi": "list"}):
        df = frame(scripted, asked, given, metadata="none", **options)
        assert long in str([df[name].tolist() for name in df])
        assert max(map(len, repr(df.alchemer.codebook).splitlines())) < 1000
        assert len(df.alchemer.codebook._repr_html_()) < 20_000
        for texts in written(df, tmp_path):
            assert any(text.startswith(long[:100]) for text in texts)


@pytest.mark.parametrize("count", [400, pytest.param(3000, marks=pytest.mark.long)])
def test_many_questions(scripted, tmp_path, count):
    numbers = range(2, 2 + count)
    asked = [question(n, *LARGE[n % 3], options=LIKERT) for n in numbers]
    data = {str(n): {"answer": "5", "answer_id": 10001} for n in numbers}
    client = serve(scripted, asked, [response(1, data), response(2, [])])
    df = client.responses(5, names="id", metadata="none", progress="none")
    df.alchemer.to_parquet(tmp_path / "x.parquet")
    assert len(df.alchemer.base_sizes()) == count
    assert df.loc[1].notna().sum() >= count
    assert repr(df.alchemer.codebook)


LARGE = [("RADIO", "Why?"), ("ESSAY", "How?"), ("CHECKBOX", "Which?")]


# Aliases.

ALIASES = [
    "class", "None", "status", "response_id", "!!!", " ", "a" * 300, "a" * 299 + "b",
    "Same", "same", "SAME", "größe", "日本語", "имя", "q2", "date_submitted", "_", "1st",
    "a.b", "a-b", "index", "shape", "url_x", "with", "é", "e\u0301", "\u200b", "\U0001f600",
]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        *(
            pytest.param(options, marks=pytest.mark.long)
            for options in (
                {"metadata": "none", "shape": "long"},
                {"metadata": "all", "names": "text"},
            )
        ),
    ],
    ids=str,
)
def test_aliases_of_every_sort_lose_nothing(scripted, tmp_path, options):
    own = range(2, 2 + len(ALIASES))
    asked = [question(n, "TEXTBOX", a, a, key="text") for n, a in zip(own, ALIASES, strict=True)]
    given = [response(1, {str(n): {"answer": f"w{n}"} for n in own})]
    df = frame(scripted, asked, given, **options)
    assert df.columns.is_unique
    assert df.reset_index().columns.is_unique
    words = {f"w{n}" for n in own}
    assert words <= {str(value) for name in df for value in df[name]}
    if not options:
        assert {"class", "None", "status_q4", "response_id_q5", "Same", "same"} <= set(df.columns)
    for texts in written(df, tmp_path):
        assert words <= set(texts)
    variables = list(pyreadstat.read_sav(tmp_path / "x.sav")[0].columns)
    assert len({name.casefold() for name in variables}) == len(variables)
    assert all(re.fullmatch(r"[^\W\d_]\w*", name) for name in variables)


# What a user did to the frame before.


@EXPORT
def test_a_folder_that_cannot_be_written_to(scripted, tmp_path, method):
    df = frame(scripted, [question(2, "ESSAY")], [response(1, {"2": {"answer": "w"}})])
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InvalidArgument) as caught:
        getattr(df.alchemer, method)(tmp_path / "file" / EXPORTS[method])
    one_line(caught, "does not exist")
    locked = Path("/proc/self")  # a folder in which nobody may write, not even the administrator
    if not locked.is_dir():
        pytest.skip("needs a folder that nobody may write in")
    with pytest.raises(InvalidArgument) as caught:
        getattr(df.alchemer, method)(locked / EXPORTS[method])
    one_line(caught, "could not write")


class Thing:
    """What no file knows."""


OWN = {
    "things": lambda: pd.Series([Thing(), {1}], dtype=object),
    "frames": lambda: pd.Series([pd.DataFrame({"a": [1]}), None], dtype=object),
    "bytes": lambda: pd.Series([b"a", b"\xff"], dtype=object),
    "timedelta": lambda: pd.to_timedelta(pd.Series([1, None]), unit="h"),
    "complex": lambda: pd.Series([1 + 2j, 0j]),
    "period": lambda: pd.Series(pd.period_range("2026-01", periods=2, freq="M")),
    "interval": lambda: pd.Series(pd.IntervalIndex.from_breaks([0, 1, 2])),
    "sparse": lambda: pd.Series(pd.arrays.SparseArray([1, 0])),
    "huge": lambda: pd.Series([HUGE, 1], dtype=object),
}
NOT_IN_PARQUET = {"things", "frames", "complex", "sparse", "huge"}
NAMES = [5, 2.5, ("a", "b"), None, float("nan"), pd.Timestamp("2026-01-01"), "", "a\0b", "sat "]


def small(scripted):
    asked = [
        question(2, "RADIO", "", "sat", LIKERT),
        question(3, "CHECKBOX", "", "c", LIKERT),
        question(4, "TEXTBOX", "", "t", key="text"),
        question(5, "TEXTBOX", "", "mail", key="email"),
    ]
    chosen = {"options": {"10001": {"answer": "5", "option": "Very satisfied"}}}
    first = {"2": {"answer": "5", "answer_id": 10001}, "3": chosen, "4": {"answer": "w1"}}
    given = [response(1, first), response(2, {"4": {"answer": "w2"}, "5": {"answer": "a@b.ex"}})]
    return frame(scripted, asked, given)


def known_by(df):
    """All that needs the frame's knowledge, each with what it gives."""
    own = df.alchemer
    return {
        "relabel": own.relabel(values="code", names="id"),
        "redact": own.redact(),
        "missing": own.missing(),
        "base_sizes": own.base_sizes(),
        "codebook": own.codebook,
        "for_model": own.for_model(),
    }


@pytest.mark.parametrize("kind", few(OWN, "things", "bytes", "timedelta", "interval"))
def test_a_column_of_any_type_goes_on_or_is_named(scripted, tmp_path, kind):
    df = small(scripted)
    df["own"] = OWN[kind]().set_axis(df.index)
    made = known_by(df)
    for name in ("relabel", "redact", "for_model"):
        assert "own" in made[name]
        assert len(made[name]) == 2
    for method, name in EXPORTS.items():
        if method == "to_parquet" and kind in NOT_IN_PARQUET:
            with pytest.raises(InvalidArgument) as caught:
                df.alchemer.to_parquet(tmp_path / name)
            one_line(caught, "Parquet cannot hold this frame")
            df.drop(columns="own").alchemer.to_parquet(tmp_path / name)
        else:
            getattr(df.alchemer, method)(tmp_path / name)
    for read in (pyreadstat.read_sav(tmp_path / "x.sav"), pyreadstat.read_dta(tmp_path / "x.dta")):
        assert "own" in read[0]
        assert read[0]["t"].tolist() == ["w1", "w2"]


@pytest.mark.filterwarnings("ignore:The DataFrame has column names of mixed type")
@pytest.mark.parametrize("name", few(NAMES, 5, ("a", "b"), None, "a\0b"), ids=ascii)
def test_a_column_of_any_name_goes_on(scripted, tmp_path, name):
    df = small(scripted)
    df[name] = ["mine", "too"]
    known = known_by(df)
    for made in ("relabel", "redact", "for_model"):
        assert known[made].iloc[:, -1].tolist() == ["mine", "too"]
    for method, path in EXPORTS.items():
        getattr(df.alchemer, method)(tmp_path / path)
    for read in (pyreadstat.read_sav(tmp_path / "x.sav"), pyreadstat.read_dta(tmp_path / "x.dta")):
        assert read[0].iloc[:, -1].tolist() == ["mine", "too"]
    assert al.read_parquet(tmp_path / "x.parquet").iloc[:, -1].tolist() == ["mine", "too"]


@pytest.mark.parametrize("twice", ["own", "sat", "contact_id"])
def test_a_name_that_comes_twice_is_written_twice_or_named(scripted, tmp_path, twice):
    df = small(scripted).assign(own=[1, 2])
    df = pd.concat([df, df[[twice]]], axis=1)
    for call in (df.alchemer.relabel, df.alchemer.redact, df.alchemer.missing):
        with pytest.raises(InvalidArgument) as caught:
            call()
        one_line(caught, f"two columns are called {twice!r}")
    assert df.alchemer.for_model().shape == df.shape
    for method in ("to_spss", "to_stata"):
        told = getattr(df.alchemer, method)(tmp_path / EXPORTS[method])
        assert told["column"].tolist().count(twice) == 2
        assert told["variable"].is_unique
    df.alchemer.to_excel(tmp_path / "x.xlsx")
    with pytest.raises(InvalidArgument):
        df.alchemer.to_parquet(tmp_path / "x.parquet")


@OWN_CODES
def test_columns_of_two_levels_are_written_and_redaction_does_not_pass_them_by(scripted, tmp_path):
    df = small(scripted)
    deep = df.set_axis(pd.MultiIndex.from_product([["x"], df.columns]), axis=1)
    deep.attrs = df.attrs
    for call in (deep.alchemer.relabel, deep.alchemer.redact, deep.alchemer.missing):
        with pytest.raises(KnowledgeLost) as caught:
            call()
        one_line(caught, "2 levels")
    for method, name in EXPORTS.items():
        getattr(deep.alchemer, method)(tmp_path / name)
    read = pyreadstat.read_sav(tmp_path / "x.sav")[0]
    assert "w2" in read.to_numpy()


@pytest.mark.parametrize(
    "columns",
    [["sat", "t"], ["t"], ["c_10001"], ["mail", "sat"], []],
    ids=lambda names: "+".join(names) or "none",
)
def test_dropped_columns_stay_out_of_everything(scripted, tmp_path, columns):
    df = small(scripted)
    df = df[[name for name in df if name in columns]]
    made = known_by(df)
    assert [len(made[name].columns) for name in ("relabel", "missing")] == [df.shape[1]] * 2
    assert len(made["relabel"]) == len(made["redact"]) == 2
    for method, name in EXPORTS.items():
        getattr(df.alchemer, method)(tmp_path / name)
    read = pyreadstat.read_sav(tmp_path / "x.sav")[0]
    assert read.shape == (2, df.shape[1] + 1)
    assert al.read_parquet(tmp_path / "x.parquet").shape == df.shape


@pytest.mark.parametrize(
    "index",
    few([["a", "b"], [1.5, 2], [None, 1], [(1, 2), (3, 4)], [HUGE, 1]], ["a", "b"], [HUGE, 1]),
    ids=str,
)
def test_rows_that_are_no_responses_are_named(scripted, tmp_path, index):
    df = small(scripted)
    df.index = pd.Index(index, name="response_id", dtype=object, tupleize_cols=False)
    own = df.alchemer
    for call in (own.relabel, own.redact, own.missing, own.base_sizes):
        with pytest.raises(KnowledgeLost) as caught:
            call()
        one_line(caught, "response_id of this frame is no whole number")
    for method in ("to_spss", "to_stata", "to_excel"):
        getattr(own, method)(tmp_path / EXPORTS[method])
    assert pyreadstat.read_sav(tmp_path / "x.sav")[0]["t"].tolist() == ["w1", "w2"]


@pytest.mark.parametrize("text", few(["no json", "[1]", "{}", "5"], "no json", "{}"))
@NO_DESCRIPTION
@OWN_CODES
def test_other_attrs_than_ours_are_said(scripted, tmp_path, text):
    df = small(scripted)
    df.attrs["alchemer"] = text
    with pytest.raises(KnowledgeLost) as caught:
        df.alchemer.relabel(names="id")
    one_line(caught, "original.alchemer.attach")
    for method, name in EXPORTS.items():
        getattr(df.alchemer, method)(tmp_path / name)
    assert pyreadstat.read_sav(tmp_path / "x.sav")[0]["t"].tolist() == ["w1", "w2"]


def test_what_is_documented_is_not_looked_into_further():
    plain = b'{"id":5,"type":"ESSAY","parent":4,"question":"Why?","section_id":1,"shown":false}'
    assert read_entries([plain])[1]
    assert not read_entries([b'{"id":5,"type":"ESSAY","shown":false,"colour":"red"}'])[1]
