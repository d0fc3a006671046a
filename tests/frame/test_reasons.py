"""Why cells are empty, and what an analyst's changes make of it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.errors import KnowledgeLost
from alchemer_nb.frame.description import describe
from alchemer_nb.frame.reasons import CELL_STATES, Reasons
from alchemer_nb.survey.columns import AnswerColumn
from alchemer_nb.survey.definition import Question
from tests.survey_json import frame as built
from tests.survey_json import option, question, response

PLAIN = AnswerColumn("q2", "text", ("2",), Question("2", "TEXTBOX", "text", {}))
STATES = ["skipped", "not shown", "not reached", "unknown"] * 2  # of codes 0 to 7


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), max_size=30))
def test_the_rule_of_every_cell(cells):
    ids = np.arange(100, 100 + len(cells))
    codes = np.array([code for code, _, _ in cells], dtype=np.uint8)
    planes = np.packbits(np.stack([codes >> bit & 1 for bit in range(3)]), axis=1)
    answered = np.packbits(np.array([given_ for _, given_, _ in cells], dtype=bool))
    made = Reasons(ids, {"2": planes}, {"q2": answered})
    made = Reasons.unpack(made.pack())
    empty = np.array([is_empty for _, _, is_empty in cells], dtype=bool)
    seen = made.kinds(made.positions(ids), PLAIN, empty)
    for (code, was_answered, is_empty), state in zip(cells, seen, strict=True):
        right = STATES[code] if not was_answered else "removed"
        assert CELL_STATES[state] == (right if is_empty else "answered")
    backwards = made.kinds(made.positions(ids[::-1]), PLAIN, empty[::-1])
    assert backwards.tolist() == seen[::-1].tolist()
    others = made.kinds(made.positions(ids + 1000), PLAIN, np.ones(len(ids), dtype=bool))
    assert {CELL_STATES[state] for state in others} <= {"unknown"}
    few = made.only(ids[::2], [PLAIN])
    of_few = few.kinds(few.positions(ids[::2]), PLAIN, empty[::2])
    assert of_few.tolist() == seen[::2].tolist()


ASKED = [
    question(2, "RADIO", "How?", "sat", [option(10001, "Bad", "1"), option(10002, "Good", "2")]),
    question(3, "MULTI_TEXTBOX", "Which?", "which",
             [option(10011, "One", "one"), option(10012, "Two", "two")], key="multitext"),
]  # fmt: skip
GOOD = {"answer": "2", "answer_id": 10002, "shown": True}
ONE = {"options": {"10011": {"id": 10011, "answer": "x"}}, "shown": True}
GIVEN = [
    response(1, {"2": GOOD, "3": ONE}),
    response(2, {"2": {"shown": True}, "3": {"shown": False}}),
    response(3, {"2": GOOD}),
]


@pytest.fixture
def df(scripted):
    return built(scripted, ASKED, GIVEN)


def test_a_cell_that_was_emptied_is_removed(df):
    df.loc[1, "sat"] = np.nan
    df.loc[1, "which_one"] = np.nan
    states = df.alchemer.missing()
    assert states["sat"].tolist() == ["removed", "skipped", "answered"]
    assert states["which_one"].tolist() == ["removed", "not shown", "unknown"]
    assert states["which_two"].tolist() == ["skipped", "not shown", "unknown"]
    bases = df.alchemer.base_sizes().set_index("question_id")
    assert bases.loc["2", ["base", "answered", "skipped", "removed"]].tolist() == [2, 1, 1, 1]
    assert bases.loc["3", ["base", "removed", "not shown", "unknown"]].tolist() == [0, 1, 1, 1]
    book = df.alchemer.codebook.set_index("column_alias")
    assert book.loc["sat", ["n_asked", "n_answered"]].tolist() == [2, 1]


def test_a_cell_that_was_filled_is_answered(df):
    df.loc[2, "sat"] = "Bad"
    assert df.alchemer.missing().loc[2, "sat"] == "answered"


@pytest.mark.parametrize("has_gone_options", [False, True])
def test_a_comment_alone_does_not_say_that_an_option_was_chosen(scripted, has_gone_options):
    boxes = {**question(2, "CHECKBOX", key="checkbox"), "comment": True}
    chosen = {"options": {"10009": {"id": 10009, "answer": "x"}}} if has_gone_options else {}
    given_ = [response(1, {"2": {"shown": True, **chosen}}), response(2, {"2": {"shown": False}})]
    df = built(scripted, [boxes], given_, metadata="none")
    gone = [name for name in df if name != "q2_comment"]
    assert bool(gone) == has_gone_options
    own = describe(df.drop(columns=gone)).trim(df.drop(columns=gone)).reasons
    assert [*own.codes] == ([] if has_gone_options else ["2"])


def test_responses_of_elsewhere_are_unknown(df):
    more = pd.concat([df, df.head(1).set_axis(pd.Index([77], name="response_id"))])
    more.loc[77, "sat"] = np.nan
    assert more.alchemer.missing().loc[77, "sat"] == "unknown"


@pytest.mark.parametrize(
    "change",
    [
        {"ids": "AAAA"},
        {"bits": "AAAA"},
        {"questions": ["2"]},
        {"cells": [3]},
        {"bits": None},
    ],
)
def test_damaged_reasons_are_an_error_of_ours(df, change):
    data = json.loads(df.attrs["alchemer"])
    data["reasons"] |= change
    df.attrs["alchemer"] = json.dumps(data)
    with pytest.raises(KnowledgeLost, match="damaged"):
        df.alchemer.missing()
