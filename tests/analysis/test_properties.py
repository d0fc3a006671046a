"""What holds for a table of any answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.made import survey
from tests.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.analysis.table import Table

ANSWERS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 4),
        st.none() | st.integers(0, 2),
        st.none() | st.sets(st.integers(0, 2), min_size=1).map(tuple),
        st.floats(0.01, 5),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def whole() -> Iterator[pd.DataFrame]:
    """Every combination of answers once, from which examples are drawn."""
    every = [
        (rating, place, which)
        for rating in (None, 0, 1, 2, 3, 4)
        for place in (None, 0, 1, 2)
        for which in (None, (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    ]
    with ScriptedServer() as scripted:
        frame = survey(scripted, every)
        frame["key"] = [repr(each) for each in every]
        yield frame


def drawn(whole: pd.DataFrame, answers: list) -> pd.DataFrame:
    """Return responses with the drawn answers, each of another id."""
    at = dict(zip(whole["key"], range(len(whole)), strict=True))
    places = [at[repr((rating, place, which))] for rating, place, which, _ in answers]
    frame = whole.iloc[places].drop(columns="key").copy()
    frame["w"] = [weight for *_, weight in answers]
    return frame


def same(first: Table, second: Table) -> None:
    pd.testing.assert_frame_equal(first.frame, second.frame, check_exact=False, rtol=1e-9)
    pd.testing.assert_frame_equal(first.bases, second.bases, check_exact=False, rtol=1e-9)


@given(answers=ANSWERS, is_weighted=st.booleans())
def test_a_single_choice_adds_up(whole: pd.DataFrame, answers: list, is_weighted: bool) -> None:
    frame = drawn(whole, answers)
    options = {"weight": "w"} if is_weighted and answers else {}
    table = frame.alchemer.table("rating", by="place", **options)
    block = table.blocks[0]
    percents = np.nansum([row.values for row in block.choices], axis=0)
    np.testing.assert_allclose(percents, np.where(block.bases.answered > 0, 100, 0))
    sums = np.sum([row.counts for row in block.choices], axis=0)
    np.testing.assert_array_equal(sums, block.bases.answered)
    assert (block.bases.asked >= block.bases.answered + block.bases.not_applicable).all()
    assert (block.bases.effective <= block.bases.answered + 1e-9).all()
    # The columns are those who answered both questions.
    labels = ("Very good", "Good", "Bad", "Very bad")
    both = Counter(labels[r] for r, p, *_ in answers if r not in (None, 4) and p is not None)
    assert both == Counter({row.label: sum(row.counts[1:]) for row in block.choices})
    assert sum(block.bases.answered[1:]) == both.total()
    # The total is the table without columns.
    (alone,) = frame.alchemer.table("rating", **options).blocks
    for row, total in zip(block.rows, alone.rows, strict=True):
        assert (row.label, row.counts[0]) == (total.label, total.counts[0])
        np.testing.assert_allclose(row.values[0], total.values[0])


@given(answers=ANSWERS)
def test_the_base_of_several_answers_is_cases(whole: pd.DataFrame, answers: list) -> None:
    frame = drawn(whole, answers)
    block = frame.alchemer.table("which").blocks[0]
    real = sum(bool(which) and set(which) != {2} for *_, which, _ in answers)
    alone = sum(which == (2,) for *_, which, _ in answers)
    assert block.bases.answered[0] == real
    assert block.bases.not_applicable[0] == alone
    assert block.bases.asked[0] == len(answers)
    web = sum(0 in (which or ()) for *_, which, _ in answers)
    assert block.row("Web").counts[0] == web
    if real:
        assert block.row("Web").values[0] == pytest.approx(100 * web / real)


@given(answers=ANSWERS.filter(bool), data=st.data())
def test_order_of_rows_and_weights_of_one_change_nothing(
    whole: pd.DataFrame, answers: list, data: st.DataObject
) -> None:
    frame = drawn(whole, answers)
    order = data.draw(st.permutations(range(len(frame))))
    frame["same"] = data.draw(st.sampled_from([1.0, 2.0]))
    question = data.draw(st.sampled_from(["rating", "which"]))
    plain = frame.alchemer.table(question, by="place", letters=False)
    same(plain, frame.iloc[order].alchemer.table(question, by="place", letters=False))
    weighted = frame.alchemer.table(question, by="place", weight="same", letters=False)
    kept = weighted.frame.drop(columns="weighted", level="measure")
    pd.testing.assert_frame_equal(plain.frame, kept, check_exact=False, rtol=1e-9)


@given(answers=ANSWERS.filter(lambda each: len(each) > 3))
def test_letters_are_of_higher_values_and_never_of_both(whole: pd.DataFrame, answers: list) -> None:
    frame = drawn(whole, answers)
    for options in ({}, {"weight": "w"}):
        table = frame.alchemer.table("rating", by="place", level=0.5, **options)
        letter = {column.letter: n for n, column in enumerate(table.banner) if column.letter}
        for row in table.blocks[0].rows:
            for place, found in enumerate(row.letters):
                for each in found.split():
                    assert row.values[place] > row.values[letter[each]]
