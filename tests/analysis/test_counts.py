"""Each number of a table beside the raw responses, read and counted without the package."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.frame.description import describe_wide
from tests.analysis.conftest import CUSTOMERS, EVENT, EVERY_TYPE, STAFF
from tests.analysis.raw import NOT_APPLICABLE, cells, counts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.analysis.table import Table
    from alchemer_nb.client.client import Client
    from tests.analysis.raw import Raw

MORE = [pytest.param(survey, marks=pytest.mark.long) for survey in (EVENT, STAFF)]


@pytest.fixture(scope="module", params=[CUSTOMERS, EVERY_TYPE, *MORE])
def survey(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def raw(raws: Callable[[int], Raw], survey: int) -> Raw:
    return raws(survey)


@pytest.fixture(scope="module")
def frame(downloads: Callable[[int], pd.DataFrame], survey: int) -> pd.DataFrame:
    return downloads(survey).alchemer.relabel(names="id")


@pytest.fixture(scope="module")
def tables(frame: pd.DataFrame) -> dict[str, Table]:
    """The table of each outermost question."""
    return {question: frame.alchemer.table(question) for question in questions_of(frame)}


def questions_of(frame: pd.DataFrame) -> list[str]:
    """Return the ids of the outermost questions that have columns, in order."""
    columns = describe_wide(frame).columns
    parts = ("answer", "option", "item", "list", "leaf")
    return [*dict.fromkeys((c.parent or c.question).id for n, c in columns.items()
                           if n in frame and c.part in parts)]  # fmt: skip


def check_numbers(table: Table, found: pd.Series) -> None:
    block = table.blocks[0]
    numbers = found.astype(float)
    assert block.bases.answered[0] == len(numbers)
    expected = {"Mean": numbers.mean(), "Standard deviation": numbers.std(ddof=1)}
    if not block.choices:
        expected |= {"Median": numbers.median()}
        expected |= {"Lowest": numbers.min(), "Highest": numbers.max()}
    for label, value in expected.items():
        row = block.row(label)
        if row is not None:
            assert row.values[0] == pytest.approx(value, nan_ok=True), label
            assert row.counts[0] == len(numbers)


def check_choices(table: Table, found: pd.Series) -> None:
    """Compare the choices, where the label of an answer is that of the option."""
    block = table.blocks[0]
    expected = Counter(found)
    assert {k: n for k, n in counts_of(table).items() if n} == expected
    base = sum(n for label, n in expected.items() if label not in NOT_APPLICABLE)
    assert block.bases.answered[0] == base
    assert block.bases.not_applicable[0] == len(found) - base
    for row in block.choices:
        assert row.values[0] == pytest.approx(100 * row.counts[0] / base)


def check_nps(table: Table, found: pd.Series) -> None:
    block, n = table.blocks[0], len(found)
    assert {int(row.score): row.counts[0] for row in block.choices} == {
        score: int((found == score).sum()) for score in range(11)
    }
    share = [(found >= 9).mean(), (found <= 6).mean()]
    score = 100 * (share[0] - share[1])
    row = block.row("NPS")
    assert row is not None
    assert row.values[0] == pytest.approx(score)
    # The variance of a multinomial, with n - 1 for n as of a sample.
    variance = (share[0] + share[1] - (share[0] - share[1]) ** 2) / (n - 1)
    assert row.margins[0] == pytest.approx(1.959963984540054 * 100 * variance**0.5)


def check_column(frame: pd.DataFrame, answers: dict[str, dict[int, Any]], column: str) -> str:
    table = frame.alchemer.table(column)
    assert len(table.blocks) == 1
    block, found = table.blocks[0], cells(answers, column, frame.index).dropna()
    if block.kind == "nps":
        check_nps(table, found)
    elif block.kind in ("number", "rank"):
        check_numbers(table, found)
    elif block.kind == "single" and pd.api.types.is_datetime64_dtype(frame[column].dtype):
        raise AssertionError
    elif block.kind == "single":
        check_choices(table, found)
    elif block.kind == "date":
        assert block.bases.answered[0] == len(found)
        length = len(block.choices[0].label) if block.choices else 0
        periods = Counter(text[:length] for text in found)
        assert {k: n for k, n in counts_of(table).items() if n} == periods
    else:
        assert block.kind == "text"
        asked = block.bases.asked[0]
        assert block.bases.answered[0] == asked >= len(found)
        assert block.rows[0].values[0] == pytest.approx(100 * len(found) / asked)
        assert block.rows[0].counts[0] == len(found)
        words = {" ".join(str(text).split()).casefold() for text in found}
        assert block.rows[1].values[0] == pytest.approx(len(words) or np.nan, nan_ok=True)
    return block.kind


def test_each_column_is_as_the_raw_responses_have_it(
    raw: Raw, frame: pd.DataFrame, survey: int
) -> None:
    answers, kinds = raw.answers(), Counter()
    described = describe_wide(frame).columns
    for name, column in described.items():
        is_leaf = column.part == "leaf"  # of a type that nobody knows: as JSON text
        if column.part in ("answer", "item") and not is_leaf and name in frame:
            kinds[check_column(frame, answers, name)] += 1
    assert sum(kinds.values()) > 10
    if survey == EVERY_TYPE:
        assert {*kinds} == {"single", "number", "nps", "rank", "date", "text"}


def test_each_option_of_several_is_as_the_raw_responses_have_it(
    raw: Raw, frame: pd.DataFrame, tables: dict[str, Table]
) -> None:
    answers, seen = raw.answers(), 0
    for question, table in tables.items():
        names = frame.alchemer.columns(question)
        options = [n for n in names if describe_wide(frame).columns[n].part == "option"]
        rows = [row for b in table.blocks if b.kind == "multi" for row in b.rows
                if row.kind in ("choice", "not applicable")]  # fmt: skip
        assert len(rows) == len(options)
        for row, name in zip(rows, options, strict=True):
            found = cells(answers, name, frame.index)
            assert row.counts[0] == (found == True).sum()  # noqa: E712, missing ones are None
            of = found.notna().sum()
            assert row.values[0] == pytest.approx(100 * row.counts[0] / of if of else np.nan)
            seen += 1
    assert seen > 3


def test_a_grid_is_one_table_of_its_rows(frame: pd.DataFrame, tables: dict[str, Table]) -> None:
    for question, table in tables.items():
        names = frame.alchemer.columns(question)
        labels = [block.label for block in table.blocks]
        assert len(labels) == len({*labels})
        parts = {describe_wide(frame).columns[name].part for name in names}
        if "option" in parts or len(names) == 1:
            continue
        assert len(table.blocks) == len(names)
        for block, name in zip(table.blocks, names, strict=True):
            (alone,) = frame.alchemer.table(name).blocks
            assert alone.layout == block.layout
            for row, of_block in zip(alone.rows, block.rows, strict=True):
                np.testing.assert_array_equal(row.values, of_block.values)
                np.testing.assert_array_equal(row.counts, of_block.counts)


def test_asked_is_who_was_shown_the_question(
    raws: Callable[[int], Raw], customers: pd.DataFrame
) -> None:
    raw, frame = raws(CUSTOMERS), customers
    for question in (2, 3, 4, 5, 7, 8, 19, 20, 22):
        bases = frame.alchemer.table(question).bases
        assert bases["asked"][0] == raw.asked(question, frame.index)
        assert bases["asked"][0] <= len(frame)
    solved = frame.alchemer.table(21)  # asked of those who had a problem alone
    asked = raw.asked(21, frame.index)
    assert solved.bases["asked"][0] == asked < 0.5 * len(frame)
    assert f"of {asked} who were asked." in str(solved)


def test_partials_in_the_base_are_said(raws: Callable[[int], Raw], customers: pd.DataFrame) -> None:
    raw, frame = raws(CUSTOMERS), customers
    answers = raw.answers()
    for column in ("q2", "q7"):
        held = cells(answers, column, frame.index).dropna()
        ids = held.index[~held.isin(NOT_APPLICABLE)]
        statuses = raw.statuses(ids)
        parts = [f"{statuses[s]} {s.lower()}" for s in ("Partial", "Disqualified") if statuses[s]]
        note = f"{' and '.join(parts)} responses in the base."
        assert statuses["Partial"] > 1
        assert note in frame.alchemer.table(column).notes
    tests = frame.index[frame["recent_customer"].notna()][:3]
    frame.loc[tests, "is_test_data"] = True
    assert "3 test responses in the base." in frame.alchemer.table("q2").notes
    nullable = frame.astype({"is_test_data": "boolean"})  # as where a wave has none
    assert "3 test responses in the base." in nullable.alchemer.table("q2").notes


@pytest.mark.parametrize(
    "way",
    [
        {"values": "code"}, {"values": "id", "multi": "list"}, {"names": "alias"},
        {"shape": "long"},
        *(pytest.param(way, marks=pytest.mark.long)
          for way in ({"values": "id"}, {"values": "both"}, {"multi": "list"},
                      {"values": "code", "multi": "list"})),
    ],
    ids=lambda way: "-".join(way.values()),
)  # fmt: skip
@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.long)])
def test_each_way_to_show_answers_has_the_same_table(
    frame: pd.DataFrame, survey: int, tables: dict[str, Table], way: dict[str, Any], step: int
) -> None:
    other = frame.alchemer.relabel(**way)
    # Each table of the long shape brings all of it into columns.
    for question in [*tables][:: 4 * step if "shape" in way else step]:
        first, second = tables[question], other.alchemer.table(question)
        if "shape" in way:  # which has no status, and so says nothing of partials
            first = replace(first, notes=second.notes)
        if "code" in way.values() and question == "16" and survey == EVERY_TYPE:
            continue  # a text that is no code is not in the column: see the next test
        assert str(first) == str(second), question
        for one, two in zip(first.blocks, second.blocks, strict=True):
            assert one.layout == two.layout
            for row, again in zip(one.rows, two.rows, strict=True):
                np.testing.assert_array_equal(row.counts, again.counts)
                np.testing.assert_array_equal(row.values, again.values)
            np.testing.assert_array_equal(one.bases.asked, two.bases.asked)
            np.testing.assert_array_equal(one.bases.answered, two.bases.answered)


def test_answers_that_the_columns_cannot_hold_are_said(
    downloads: Callable[[int], pd.DataFrame],
) -> None:
    coded = downloads(EVERY_TYPE).alchemer.relabel(names="id", values="code")
    table = coded.alchemer.table("q16")
    gone = coded["q16_raw"].notna().sum()
    assert gone > 1
    assert f"Left out: {gone} answers that are no option of the survey." in table.notes
    age = coded.alchemer.table("q5")
    words = (coded["q5"].isna() & coded["q5_raw"].notna()).sum()
    assert words > 1
    assert f"Left out: {words} answers that are no number." in age.notes
    (date,) = (n for n in coded if n.endswith("_raw") and coded[n[:-4]].dtype.kind == "M")
    words = coded[date].notna().sum()
    assert words > 1
    note = f"Left out: {words} answers that could not be read as a date."
    assert note in coded.alchemer.table(date[:-4]).notes


def test_labels_follow_the_language(raws: Callable[[int], Raw], analyst: Client) -> None:
    german = analyst.responses(CUSTOMERS, names="id", language="German", progress="none")
    answers = raws(CUSTOMERS).answers("German")
    for column in ("q2", "q7"):
        found = Counter(cells(answers, column, german.index).dropna())
        assert {k: n for k, n in counts_of(german.alchemer.table(column)).items() if n} == found
    assert "Sehr zufrieden" in str(german.alchemer.table("q7"))


def test_words_of_rows_and_titles(downloads: Callable[[int], pd.DataFrame]) -> None:
    frame = downloads(EVERY_TYPE).alchemer.relabel(names="id")

    def rows(question: str) -> list[str]:
        return [block.label for block in frame.alchemer.table(question).blocks]

    assert rows("36") == ["Sea: Spring", "Sea: Fall", "Hills: Spring", "Hills: Fall"]
    assert rows("43") == ["Room: Plus", "Room: Minus", "Board: Plus", "Board: Minus"]
    assert rows("46") == ["Cake: Taste", "Cake: Looks", "Pie: Taste", "Pie: Looks"]
    assert rows("83") == ["Size", "Colour", "Price", "Extras"]
    assert rows("24") == ["Work", "Home"]
    assert rows("30") == ["Staff", "Price"]
    assert rows("60") == ["Given name", "E-mail", "Topics"]
    assert frame.alchemer.table("q31").title == "Rate: Staff"
    assert frame.alchemer.table("q37_10421").title == "Visits: Sea: Spring"
    assert frame.alchemer.table("q83_10001").title == "Your bicycles: Size"
    assert frame.alchemer.table("q23_10231").title == "By worth: Pay"
    ranks = frame.alchemer.table("26").blocks[0]
    assert [row.label for row in ranks.rows] == ["First", "Second", "Mean rank"]
