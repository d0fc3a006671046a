"""What no survey should send and no analyst should do: one clear line or a note, nothing lost."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from alchemer_nb.errors import AlchemerError
from tests.client.test_frames import LIKERT, frame, question, response, serve
from tests.client.test_types_properties import KINDS

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


def beside(df):
    """What the codebook tells of answers beside the cells."""
    book = df.attrs["alchemer"].read()["codebook"]
    return " ".join(f"{row['notes'] or ''} {row['reporting_value'] or ''}" for row in book)


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


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "null"])
def test_each_answer_of_a_wrong_type_is_found_in_its_row(scripted, wrong):
    """One question type and one place a response, so that no other hides a loss."""
    value, asked = WRONG[wrong], every_type()
    made = places(value)
    pairs = [(each["id"], place) for each in asked for place in made]
    given = [response(n, {str(own): made[place]}) for n, (own, place) in enumerate(pairs, 1)]
    client = serve(scripted, asked, given)
    df = client.responses(5, names="id", metadata="none", progress="none")
    told = beside(df)
    rows = zip(pairs, df.astype("object").to_numpy().tolist(), strict=True)
    lost = [
        (KINDS[(own - 2) // 3], place)
        for (own, place), cells in rows
        if not is_said(value, [cell for cell in cells if pd.notna(cell)], told)
    ]
    assert lost == []
    for options in ({"values": "code", "multi": "list"}, {"values": "id", "shape": "long"}):
        other = client.responses(5, names="id", metadata="none", progress="none", **options)
        ids = other["response_id"] if "shape" in options else other.index
        assert list(ids.unique()) == list(df.index)


def is_said(value, cells, told):
    """A cell holds it; or an option is chosen there, and the codebook tells what came for it."""
    words = words_in(value)
    if isinstance(value, float | int) and float(value) in [c for c in cells if c is not True]:
        return True
    here = " ".join(map(str, cells))
    return bool(cells) and all(word in here or word in told for word in words)


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
