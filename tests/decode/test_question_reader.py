"""Entries are told by their bytes: whatever repeats, each response keeps its own answers."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemer_nb.decode import question_reader
from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.survey.definition import read_definition
from tests.survey_json import question

SURVEY = read_definition(
    {"id": "5", "title": "S"}, [question(own, "TEXTBOX", f"Q{own}") for own in (2, 3, 4)]
)
# The same bytes under several questions, as an entry without an id may have.
ENTRIES = st.sampled_from([None, "a", "b", "c", ""])
ROWS = st.lists(st.tuples(ENTRIES, ENTRIES, ENTRIES), max_size=8)


def body(rows, first):
    data = [
        {
            "id": number,
            "survey_data": {
                own: {"answer": text, "shown": True}
                for own, text in zip(("2", "3", "4"), row, strict=True)
                if text is not None
            },
        }
        for number, row in enumerate(rows, first)
    ]
    return json.dumps({"result_ok": True, "data": data}).encode()


def told(answers, own):
    """The answer to a question in each response."""
    texts = [None] * answers.count
    leaf = answers.leaves.get((own,))
    for row, code in zip(leaf.rows, leaf.codes, strict=True) if leaf else ():
        texts[row] = leaf.raw_answers[code].answer
    return texts


@given(st.lists(ROWS, max_size=4))
@settings(deadline=None)
def test_equal_entries_of_different_questions_are_told_apart(pages):
    builder, whole = AnswersBuilder(SURVEY), []
    for rows in pages:
        builder.add_page(body(rows, len(whole) + 1))
        whole += rows
    answers = builder.build()
    for place, own in enumerate(("2", "3", "4")):
        assert told(answers, own) == [row[place] for row in whole]
        states = [*answers.shown.get(own, ())]
        states += [-1] * (len(whole) - len(states))
        assert states == [-1 if row[place] is None else 1 for row in whole]


def test_texts_that_hardly_repeat_are_let_go_and_none_is_lost():
    most = question_reader._MOST_DISTINCT
    rows = [(f"text {n}", f"text {n % 7}", f"text {n}") for n in range(most + 500)]
    builder = AnswersBuilder(SURVEY)
    for start in range(0, len(rows), 400):
        builder.add_page(body(rows[start : start + 400], start + 1))
    answers = builder.build()
    for place, own in enumerate(("2", "3", "4")):
        assert told(answers, own) == [row[place] for row in rows]
    remembered = [raw for raw in builder._interner._raws if raw]
    assert len(remembered) < 20


def test_what_nobody_documents_is_kept_beside_an_answer_too():
    rows = [{"id": n, "survey_data": {"2": {"answer": f"text {n}"}}} for n in range(1, 1600)]
    rows[3]["survey_data"]["2"]["mood"] = "planted"
    rows[1550]["survey_data"]["2"]["mood"] = "planted later"
    builder = AnswersBuilder(SURVEY)
    for start in range(0, len(rows), 400):
        page = {"result_ok": True, "data": rows[start : start + 400]}
        builder.add_page(json.dumps(page).encode())
    answers = builder.build()
    assert told(answers, "2") == [row["survey_data"]["2"]["answer"] for row in rows]
    leaf = answers.leaves["2", "member", "mood"]
    assert [*leaf.rows] == [3, 1550]
    assert [leaf.raw_answers[code].answer for code in leaf.codes] == ["planted", "planted later"]


def test_the_same_in_a_row_of_a_grid():
    rows = [question(11, "RADIO", "Staff"), question(12, "RADIO", "Prices")]
    grid = question(10, "TABLE", "Rate", rows=rows, key="table-radio")
    survey = read_definition({"id": "5", "title": "S"}, [grid, question(2, "TEXTBOX")])
    builder = AnswersBuilder(survey)
    cell = {"id": 11, "answer": "Good", "answer_id": 10001, "mood": "planted"}
    data = {"10": {"id": 10, "subquestions": {"11": cell}}}
    builder.add_page(json.dumps({"data": [{"id": 1, "survey_data": data}]}).encode())
    answers = builder.build()
    assert [raw_answer.answer for raw_answer in answers.leaves["11",].raw_answers] == ["Good"]
    assert [
        raw_answer.answer for raw_answer in answers.leaves["11", "member", "mood"].raw_answers
    ] == ["planted"]


def content(answers):
    """All that the answers hold, in plain types."""
    leaves = {
        path: ([*leaf.rows], [*leaf.codes], [*leaf.raw_answers])
        for path, leaf in answers.leaves.items()
    }
    shown = {own: [*states] for own, states in answers.shown.items()}
    counts = (answers.count, answers.misfits, answers.unchosen)
    meta = {name: [*values] for name, values in answers.meta.items()}
    around = (meta, answers.urls, answers.quality, answers.unknown_questions)
    return repr((counts, around, leaves, shown))


def page(*numbers):
    rows = [
        {
            "id": n,
            "url_variables": {"from": {"value": f"mail {n}"}},
            "data_quality": {"speed": n},
            "survey_data": {
                "2": {"answer": f"text {n}", "shown": True},
                "77": {"answer": [n], "question": "Gone?", "type": "TEXTBOX"},
            },
        }
        for n in numbers
    ]
    return json.dumps({"data": rows}).encode()


def test_later_pages_change_neither_a_snapshot_nor_what_was_begun_with():
    whole, first = AnswersBuilder(SURVEY), AnswersBuilder(SURVEY)
    whole.add_page(page(1, 2))
    first.add_page(page(1, 2))
    before = content(first.build())
    snapshot, continued = first.build(), first.copy()
    for builder in (whole, continued):
        builder.add_page(page(3, 77))
    assert content(snapshot) == content(first.build()) == before
    assert content(continued.build()) == content(whole.build()) != before
    first.add_page(page(4))
    assert content(snapshot) == before
    assert first.build().count == 3


def test_looking_at_the_answers_after_each_page_copies_none():
    """Or a download that looks for enough rows would copy all of them once a page."""
    builder = AnswersBuilder(SURVEY)
    builder.add_page(page(1, 2))
    ids = builder.meta["id"]
    assert content(builder.view()) == content(AnswersBuilder(SURVEY, builder.view()).build())
    builder.add_page(page(3))
    assert builder.meta["id"] is ids
    assert [*builder.view().meta["id"]] == [1, 2, 3]
    assert builder.view().count == 3


def test_answers_are_frozen():
    with pytest.raises(FrozenInstanceError):
        AnswersBuilder(SURVEY).build().count = 1
