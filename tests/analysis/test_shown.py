"""What text, HTML and Excel show is what ``.frame`` has."""

from __future__ import annotations

import html.parser
import re
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest

from alchemer_nb.analysis.shown import count_cell, number_cell, percent_cell, rounded
from tests.analysis.conftest import EVERY_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.analysis.table import Table


class Cells(html.parser.HTMLParser):
    """The texts of the cells of a table, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_cell = tag in ("td", "th", "small")
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = self._is_cell and tag == "small"

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.rows[-1][-1] += data


def in_words(table: Table) -> list[list[str]]:
    """Return the rows with a banner as they must be shown, from the frame alone."""
    frame = table.frame
    columns = [*dict.fromkeys(column[:2] for column in frame.columns)]
    rows = []
    for place, label in enumerate(frame.index):
        line = [label]
        for column in columns:
            cell = {key[2]: frame[key].iloc[place] for key in frame if key[:2] == column}
            letters = cell.get("letters", "")
            if not np.isnan(cell["percent"]):
                words = f"{rounded(cell['percent'])} %"
            elif not np.isnan(cell["value"]):
                words = f"{cell['value']:,.2f}"
            else:
                words = f"{cell['count']:,}"
            line.append(f"{words} {letters}".strip())
        rows.append(line)
    return rows


def test_text_and_html_show_the_frame(customers: pd.DataFrame) -> None:
    table = customers.alchemer.table("satisfaction", by=["region", "had_problem"])
    assert any(any(row.letters) for row in table.blocks[0].rows)
    expected = in_words(table)
    found = [row for row in Cells(table.to_html()).rows if len(row) == len(expected[0])]
    found = [[cell.strip() for cell in row] for row in found[-len(expected):]]  # fmt: skip
    assert [row[1:] for row in found] == [row[1:] for row in expected]
    lines = str(table).splitlines()
    for label, *cells in expected:
        (line,) = [each for each in lines if each.startswith(f"{label} ")]
        words = " ".join(line.removeprefix(label).removeprefix(" (n)").split())
        assert words == " ".join(" ".join(cells).split())
    assert " ".join(table.footer) in " ".join(str(table).split())


def test_excel_has_the_numbers_of_the_frame(customers: pd.DataFrame, tmp_path: Path) -> None:
    table = customers.alchemer.table("nps", by="region")
    table.to_excel(tmp_path / "table.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").active
    rows = {row[0].value: row for row in sheet.iter_rows() if row[0].value}
    frame = table.frame
    places = [1, 2, 4, 6, 8]  # beside each column that is compared is one for its letters
    for label in table.frame.index:
        for place, column in zip(places, table.banner, strict=True):
            cell = rows[label][place]
            key = (column.group, column.label)
            shown = {each[2]: frame.loc[label, each] for each in frame if each[:2] == key}
            if not np.isnan(shown["percent"]):
                assert cell.value == pytest.approx(shown["percent"] / 100)
                assert cell.number_format == "0%"
            else:
                assert cell.value == pytest.approx(shown["value"])
            if column.letter:
                assert (rows[label][place + 1].value or "") == shown["letters"]
    margin = rounded(frame.loc["NPS", ("", "Total", "margin")])
    assert rows["NPS"][1].number_format == f'#,##0" ± {margin}"'
    assert sheet["A1"].value == table.title
    assert [rows[line] for line in table.footer]


def test_questions_of_parts_can_be_shown(
    downloads: Callable[[int], pd.DataFrame], tmp_path: Path
) -> None:
    frame = downloads(EVERY_TYPE)
    for question in [*dict.fromkeys(frame.alchemer.codebook["parent_id"].dropna())][::4]:
        table = frame.alchemer.table(question, by="10")
        table.to_excel(tmp_path / "table.xlsx")
        rows = sum(len(block.rows) for block in table.blocks)
        assert len(table.frame) == rows
        for row in (row for block in table.blocks for row in block.rows):
            assert row.label.split()[0] in str(table)
            assert row.label.split()[0] in table.to_html()


def test_halves_are_rounded_away_from_zero_as_in_a_spreadsheet() -> None:
    assert [rounded(number) for number in (0.5, 1.5, 2.5, -0.5, -0.4, 12.5)] == [
        "1", "2", "3", "-1", "0", "13",
    ]  # fmt: skip
    assert rounded(100 * 23 / 40) == "58"
    assert rounded(2.675, 2) == "2.68"
    assert rounded(1234567.891, 2) == "1,234,567.89"
    assert rounded(1e15, 2) == "1,000,000,000,000,000.00"
    assert rounded(4_477_009_001_234.5, 2) == "4,477,009,001,234.50"  # no digit is made up
    assert rounded(100 * 0.285) == "29"  # as it is written, not 28.499999999999996
    assert (rounded(1e300), rounded(float("inf"))) == ("1e+300", "inf")
    assert percent_cell(12.5).text == "13 %"
    assert percent_cell(np.nan).text == number_cell(np.nan, 2).text == "–"
    assert count_cell(12345, "*").text == "12,345*"


def test_columns_of_equal_words_stay_apart(customers: pd.DataFrame) -> None:
    title = customers.alchemer.table("region").title
    customers[title] = np.resize(["North", "South"], len(customers))
    table = customers.alchemer.table("nps", by=["region", title])
    assert {column.group for column in table.banner} == {
        "", f"{title} [region]", f"{title} [{title}]",
    }  # fmt: skip
    assert table.frame.columns.is_unique
    assert not table.bases.duplicated(["banner", "column"]).any()
    assert table.shown.groups == (
        ("", 1), (f"{title} [region]", 4), (f"{title} [{title}]", 2),
    )  # fmt: skip


def test_a_banner_question_named_twice_is_there_once(customers: pd.DataFrame) -> None:
    table = customers.alchemer.table("nps", by=["region", "3", "region"])
    assert str(table) == str(customers.alchemer.table("nps", by="region"))


def test_a_score_of_one_has_no_interval(customers: pd.DataFrame) -> None:
    one = customers[customers["nps"].eq(9)].head(1)
    assert re.search(r"^NPS +100 +1$", str(one.alchemer.table("nps")), re.MULTILINE)


def test_the_effective_numbers_of_a_grid_are_those_of_its_rows(customers: pd.DataFrame) -> None:
    customers["w"] = np.resize([0.5, 1.0, 1.5], len(customers))
    table = customers.alchemer.table("9", weight="w")
    numbers = table.bases["effective"].round().astype(int)
    assert numbers.min() < numbers.max()
    worth = f"effective n {numbers.min()} to {numbers.max()}."
    assert worth in table.footer[1]


def test_small_bases_are_marked(customers: pd.DataFrame) -> None:
    for n, mark in ((29, "**"), (30, "*"), (49, "*"), (50, "")):
        frame = customers.dropna(subset="region").head(n)
        table = frame.alchemer.table("region")
        assert re.search(rf"Base: answered +{n}{re.escape(mark)}$", str(table), re.MULTILINE)
        assert ("read with care" in str(table)) == bool(mark)


def test_numbers_have_no_percent_above_them(customers: pd.DataFrame) -> None:
    head = str(customers.alchemer.table("age")).splitlines()[1]
    assert head.split() == ["Value", "n"]
    assert str(customers.alchemer.table("nps")).splitlines()[1].split() == ["%", "n"]


def test_a_name_that_excel_keeps_for_itself(customers: pd.DataFrame, tmp_path: Path) -> None:
    customers["History"] = customers["region"]
    customers.alchemer.table("History").to_excel(tmp_path / "table.xlsx")
    assert openpyxl.load_workbook(tmp_path / "table.xlsx").sheetnames == ["History_"]
