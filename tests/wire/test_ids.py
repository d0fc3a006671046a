"""What is an id: of surveys, questions, options and responses, from users and from servers."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.notebook.magic.lookahead import KnownSurveys
from alchemer_nb.survey.definition import read_definition
from alchemer_nb.wire.ids import id_number, is_option_id
from tests.survey_json import LIKERT, frame, question, response, serve


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (9000001, 9000001),
        ("9000001", 9000001),
        ("007", 7),
        (7.0, 7),
        (np.int64(7), 7),
        (np.float64(7), 7),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        (2**63, None),
        (str(2**63), None),
        ("9" * 5000, None),
        (float(2**60), None),
        (-1, None),
        ("-1", None),
        ("+1", None),
        ("1_0", None),
        ("1.0", None),
        (" 1", None),
        ("1\n", None),
        ("1\0", None),
        ("²", None),
        ("٣", None),
        ("１", None),
        ("", None),
        ("../1", None),
        (1.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (np.True_, None),
        (None, None),
        (b"1", None),
        ([1], None),
        (np.array([1, 2]), None),
    ],
)
def test_an_id_is_a_whole_number_in_plain_digits(value, number):
    assert id_number(value) == number


@pytest.mark.parametrize(
    "path",
    [
        "survey/..",
        "survey/../account",
        "survey/ .. /account",
        "./survey",
        "survey/5\0",
        "survey/5\nHost: x",
        "survey/5\x7f",
        "survey/5\u202e",
        "survey/5?page=2",
        "survey/5#x",
        "survey/%2e%2e/account",
        "survey/5%00",
        "survey\\5",
        "//elsewhere/survey",
        "https://elsewhere/survey",
        "",
        "/",
        "v5",
    ],
)
def test_a_path_leads_to_nothing_but_what_it_says(scripted, path):
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    for call in (
        lambda: client.request("GET", path),
        lambda: client.request("DELETE", path),
        lambda: client.table(path),
        lambda: list(client.pages(path)),
    ):
        with pytest.raises(InvalidArgument) as caught:
            call()
        assert str(caught.value).isprintable()
    assert scripted.asked == []


ODD = ["²", "9" * 5000, "-5", "x"]
ODDER = [pytest.param(each, marks=pytest.mark.long) for each in ("٣", "5\0", str(10**30))]


@pytest.mark.parametrize("odd", [*ODD, *ODDER])
def test_questions_of_any_id_are_read_and_lose_no_answer(scripted, odd):
    """Sub-questions, options, and answers that name them, in every kind of table."""
    for kind, key in (("TABLE", "table-radio"), ("MATRIX", ""), ("GROUP", ""), ("RADIO", "")):
        row = question(odd, "RADIO", "Row", "", LIKERT)
        asked = [question(2, kind, "Grid", "", LIKERT, [row], key=key), question(odd, "TEXTBOX")]
        options = {"9": {"id": 9, "option": "?", "answer": "in option"}}
        data = {
            "2": {"id": 2, "subquestions": {odd: {"id": odd, "answer": "in row"}}},
            odd: {"id": odd, "type": "TEXTBOX", "answer": "on its own"},
            "77": {"id": 77, "options": {**options, odd: {"id": odd, "answer": "by option"}}},
        }
        for values in ("label", "code", "id"):
            df = frame(scripted, asked, [response(1, data)], values=values, multi="columns")
            assert df.index.tolist() == [1]
        said = df.astype(str).to_string()
        assert "on its own" in said


@pytest.mark.parametrize("odd", [*ODD, *ODDER])
def test_options_of_any_id_are_read(scripted, odd):
    asked = [question(2, "CHECKBOX", "Which?", "", [{**LIKERT[0], "id": odd}], key="checkbox")]
    data = {"2": {"id": 2, "options": {odd: {"id": odd, "option": "x", "answer": "5"}}}}
    for values in ("label", "code", "id"):
        df = frame(scripted, asked, [response(1, data), response(3, {})], values=values)
        assert df.index.tolist() == [1, 3]


def test_where_options_begin():
    options = ["10001", "99999999", "²", "x", "-5", "", "9" * 30]
    assert [is_option_id(each) for each in options] == [True] * len(options)
    assert [is_option_id(each) for each in ("0", "2", "10000")] == [False] * 3


@pytest.mark.parametrize("odd", [10**30, 2**63, "²", "../1", True, 1e300, "", None, [1]])
def test_a_response_of_any_id_is_kept(scripted, odd):
    asked = [question(2, "TEXTBOX", "Say", "say")]
    rows = [response(1, {"2": {"id": 2, "answer": "one"}})]
    rows.append({**response(2, {"2": {"id": 2, "answer": "odd"}}), "id": odd})
    df = frame(scripted, asked, rows)
    assert sorted(df["say"]) == ["odd", "one"]
    assert df.loc[1, "say"] == "one"


def test_a_map_by_id_and_a_map_by_name(scripted):
    client = serve(scripted, [], [])
    scripted.answer("keyed", {"result_ok": True, "data": {"12": {"a": 1}, "13": {"a": 2}}})
    scripted.answer("named", {"result_ok": True, "data": {"²": {"a": 1}}})
    assert client.table("keyed")["id"].tolist() == ["12", "13"]
    assert len(client.table("named")) == 1


def test_a_count_beyond_all_numbers_is_none(scripted):
    asked = [question(2, "TEXTBOX", "Say", "say")]
    client = serve(scripted, asked, [response(1, {})])
    data = b'"data":[{"id":"1","survey_data":[]}]'
    page = b'{"result_ok":true,"total_count":1e999,"total_pages":1e999,' + data + b"}"
    scripted.answer("survey/5/surveyresponse", page)
    assert client.responses(5, progress="none").index.tolist() == [1]


def test_a_definition_keeps_the_texts_of_odd_ids():
    odd = {"id": "²", "type": "RADIO", "title": "x"}
    survey = read_definition({"id": "5", "pages": [{"id": 1, "questions": [odd]}]}, [odd])
    assert [q.id for q in survey.questions] == ["²"]


def test_tab_offers_no_id_that_cannot_be_asked_for():
    known = KnownSurveys()
    for own in ("../x", "²", "5\n", None):
        known.add(own, "Trap")
    known.add(6, "Other")
    assert list(known) == [("6", "Other")]


def test_the_limit_is_kept_in_a_folder_of_the_user_without_harm(scripted, tmp_path, monkeypatch):
    """Its own windows go when they are old, and nothing else."""
    folder = tmp_path / "shared"
    folder.mkdir()
    theirs = ["package.json", "notes.tmp", "0123.json", "0123456789abcdef01234567.json.bak"]
    window = "0123456789abcdef01234567"
    ours = [f"{window}.json", f"{window}.json.01234567.tmp", f"{window}.link.01234567.tmp"]
    for name in [*theirs, *ours]:
        (folder / name).write_text("{}")
        os.utime(folder / name, (time.time() - 9 * 86400,) * 2)
    monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", str(folder))
    scripted.answer("survey", {"result_ok": True, "data": []})
    Client(ApiKey("token", "secret"), region=scripted.region).surveys()
    left = {path.name for path in Path(folder).iterdir()}
    assert set(theirs) <= left
    assert not set(ours) & left
