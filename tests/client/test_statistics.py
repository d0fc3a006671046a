"""Statistics as a readable frame, from replies in the documented form; means worked out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.sandbox import Sandbox
from tests.survey_json import option, question, serve

STEPS = [
    option(10001, "<b>Good</b> &amp; fast", "3"),
    option(10002, {"English": "Fair", "German": "Mittel"}, "2"),
    option(10003, "Bad", "1"),
    option(10004, "Not applicable", "99", na=True),
]
REGIONS = [option(10011, "North", "1"), option(10012, "South", "2"), option(10013, "North", "7")]
YES_NO = [option(10021, "Yes", "1"), option(10022, "No", "0")]
QUESTIONS = [
    question(1, "INSTRUCTIONS", "Welcome", key="instructions"),
    question(2, "RADIO", "How is <i>it</i>?", "how", STEPS, key="radio"),
    question(3, "MENU", "Where?", "region", REGIONS, key="menu"),
    question(4, "TABLE", "Rate our …", options=STEPS, key="table-radio", rows=[
        question(5, "RADIO", "Staff", "staff", STEPS),
    ]),
    question(6, "CHECKBOX", "Which?", "which", YES_NO, key="checkbox"),
    question(7, "TEXTBOX", "How many?", "many", key="number"),
    question(8, "RADIO", "Again?", "again", YES_NO, key="radio"),
    question(9, "ESSAY", "Why?", "why", key="essay"),
]  # fmt: skip


def counted(own, kind, counts, total, **more):
    breakdown = [
        {"label": label, "percentage": f"{100 * n / total:.1f}", "count": str(n)}
        for label, n in counts
    ]
    numbers = {"sum": "0", "average": "", "stdDev": None, "min": None, "max": None}
    return {
        "id": own,
        "type": kind,
        "breakdown": breakdown,
        "total responses": str(total),
        **numbers,
        **more,
    }


HOW = [("<b>Good</b> &amp; fast", 3), ("Fair", 0), ("Bad", 1), ("Not applicable", 4)]
REPLY = [
    {"id": 1, "type": "INSTRUCTIONS"},
    # What Alchemer would say: (9 + 1 + 396) / 8.
    counted(2, "RADIO", HOW, 8, sum="406", average="50.8", min="1", max="99"),
    counted(3, "MENU", [("North", 5), ("South", 3), ("North", 2)], 10, average="2.5"),
    {"id": 4, "type": "TABLE"},
    counted(5, "RADIO", [("Fair", 1), ("Bad", 1), ("Gone", 0)], 2),
    counted(6, "CHECKBOX", [("Yes", 3), ("No", 3)], 4),
    {"id": 7, "type": "TEXTBOX", "total responses": "1,200", "sum": "1,500,000",
     "average": "1,250.0", "stdDev": "10.5", "min": "1,000", "max": "2,000", "median": "1,240"},
    {"id": "8", "type": "RADIO", "breakdown": {"0": {"label": "No", "percentage": "100.0",
     "count": "1"}}, "total responses": "1", "extra": {"a": [1]}},
    {"id": 9, "type": "ESSAY"},
    counted(99, "RADIO", [("Old", 1)], 1),
]  # fmt: skip


@pytest.fixture
def stats(scripted):
    client = serve(scripted, QUESTIONS, [])
    scripted.answer("survey/5/surveystatistic", {"result_ok": True, "data": REPLY})
    return client.statistics(5)


def rows(stats, own, *fields):
    return stats.loc[stats["question_id"] == own, [*fields]].to_numpy().tolist()


def test_one_row_an_option_with_words(stats):
    assert rows(stats, "2", "alias", "question", "option", "code", "count", "responses") == [
        ["how", "How is it?", "Good & fast", "3", 3, 8],
        ["how", "How is it?", "Fair", "2", 0, 8],
        ["how", "How is it?", "Bad", "1", 1, 8],
        ["how", "How is it?", "Not applicable", "99", 4, 8],
    ]
    assert rows(stats, "5", "question", "row", "option") == [
        ["Rate our …", "Staff", option] for option in ("Fair", "Bad", "Gone")
    ]
    assert [*stats["question_id"].unique()] == ["2", "3", "5", "6", "7", "8", "9", "99"]
    assert stats["percent"].iloc[0] == 37.5


def test_means_leave_not_applicable_out(stats):
    # 3, 3, 3 and 1: mean 10/4, squares of the differences 0.25 * 3 + 2.25 = 3, of a sample 3/3.
    assert rows(stats, "2", "mean", "std", "min", "max") == [[2.5, 1.0, 1.0, 3.0]] * 4
    assert rows(stats, "5", "mean", "min", "max") == [[1.5, 1.0, 2.0]] * 3
    assert [row[0] for row in rows(stats, "8", "mean")] == [0.0]
    assert math.isnan(rows(stats, "8", "std")[0][0])


def test_what_is_no_scale_has_no_mean(stats):
    for own in ("3", "6", "9", "99"):
        assert all(math.isnan(row[0]) for row in rows(stats, own, "mean")), own
    # Two options with one label: each once, in order.
    assert rows(stats, "3", "option", "code", "count") == [
        ["North", "1", 5], ["South", "2", 3], ["North", "7", 2],
    ]  # fmt: skip


def test_numbers_that_people_typed_are_as_received(stats):
    (row,) = rows(stats, "7", "responses", "mean", "std", "min", "max", "median")
    assert row == [1200, 1250.0, 10.5, 1000.0, 2000.0, "1,240"]


def test_nothing_received_is_lost_and_no_cell_of_known_fields_is_json(stats):
    assert rows(stats, "99", "option", "count") == [["Old", 1]]
    assert rows(stats, "8", "extra") == [['{"a": [1]}']]
    known = [*map(str, stats.drop(columns=["extra", "median"]).to_numpy().ravel())]
    assert not [cell for cell in known if "{" in cell or "[" in cell]
    assert str(stats["count"].dtype) == str(stats["responses"].dtype) == "Int64"
    assert stats["mean"].dtype == "float64"


def test_an_option_that_left_the_survey_has_no_code_and_the_mean_is_missing(scripted):
    client = serve(scripted, QUESTIONS, [])
    reply = [counted(2, "RADIO", [("Good & fast", 1), ("Gone", 1)], 2)]
    scripted.answer("survey/5/surveystatistic", {"result_ok": True, "data": reply})
    stats = client.statistics(5)
    assert rows(stats, "2", "option", "count") == [["Good & fast", 1], ["Gone", 1]]
    assert stats["mean"].isna().all()
    assert stats["code"].isna().tolist() == [False, True]


def test_words_in_another_language(scripted):
    client = serve(scripted, QUESTIONS, [])
    scripted.answer("survey/5/surveystatistic", {"result_ok": True, "data": REPLY})
    stats = client.statistics(5, language="German")
    assert rows(stats, "2", "option")[1] == ["Mittel"]


def test_no_statistics_at_all_are_an_empty_frame(scripted):
    client = serve(scripted, QUESTIONS, [])
    scripted.answer("survey/5/surveystatistic", {"result_ok": True, "data": []})
    stats = client.statistics(5)
    assert (len(stats), stats.columns[0], str(stats["count"].dtype)) == (0, "question_id", "Int64")


def test_every_question_type_has_statistics():
    with Sandbox(responses=60, types=True, calls_per_minute=None) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region, retries=1)
        for survey in client.surveys()["id"]:
            stats = client.statistics(survey)
            assert stats["question"].notna().all()
            is_draft = survey == "9000004"
            assert bool(stats["count"].sum() > 0) is not is_draft, survey


def test_they_agree_with_the_responses_of_the_sandbox(box):
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    stats = client.statistics(9000001)
    frame = client.responses(9000001, status="Complete", progress="none")
    mean = stats.set_index("alias")["mean"]
    for name in ("satisfaction", "nps", "staff", "had_problem"):
        assert mean[name].iloc[0] == pytest.approx(frame.alchemer.score(name).mean()), name
    counts = stats.set_index(["alias", "code"])["count"]
    marked = frame["task_browse_online"]
    assert counts["task_browse", "online"] == int(marked.sum()) > 0
    assert isinstance(stats, pd.DataFrame)
