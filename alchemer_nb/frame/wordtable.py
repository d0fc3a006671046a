"""Tables of words, as notebooks should show them: words to the left, numbers to the right."""

from __future__ import annotations

import html
from itertools import cycle
from typing import Any

import pandas as pd

_LONGEST_WORDS = 160  # of a cell on the screen


class WordTable(pd.DataFrame):
    """A DataFrame that is read rather than computed with."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return WordTable

    def _repr_html_(self) -> str | None:
        if self.columns.nlevels > 1 or self.index.nlevels > 1 or not self.columns.is_unique:
            return self.to_html(max_rows=pd.get_option("display.max_rows"), border=0)
        right = {n for n in self if pd.api.types.is_numeric_dtype(self[n].dtype)}
        right -= {n for n in self if pd.api.types.is_bool_dtype(self[n].dtype)}
        numbered = self.index.equals(pd.RangeIndex(len(self)))
        return table_html(self, {str(name) for name in right}, index=not numbered)


def table_html(frame: pd.DataFrame, right: set[str], *, index: bool = False) -> str:
    """The frame as a table with words to the left.

    Args:
        frame: Of few columns; long words are cut, as nobody reads them in a cell.
        right: Columns of numbers, which stand to the right.
        index: Whether the index is shown, as the first column.
    """
    if not len(frame) and len(frame.columns):
        return f"<p>no rows; columns: {html.escape(', '.join(map(str, frame.columns)))}</p>"
    named = {frame.index.name or "": frame.index.to_series()} if index else {}
    named |= {name: frame.iloc[:, place] for place, name in enumerate(frame.columns)}
    shown = pd.DataFrame({str(name): _texts(values) for name, values in named.items()})
    made = shown.to_html(max_rows=pd.get_option("display.max_rows"), index=False, border=0)
    return _aligned(made, ["right" if name in right else "left" for name in shown.columns])


def _texts(values: pd.Series) -> list[object]:
    """Words as they are cut; what is missing is no word."""
    return [
        cell if not isinstance(cell, str) and not _is_missing(cell) else _cut(cell)
        for cell in values.astype(object)
    ]


def _is_missing(cell: Any) -> bool:
    return bool(pd.api.types.is_scalar(cell)) and bool(pd.isna(cell))


def _cut(cell: object) -> str:
    text = cell if isinstance(cell, str) else ""
    return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"


def _aligned(table: str, sides: list[str]) -> str:
    """The table with each column on its side.

    Notebooks put all cells to the right, which no reader of words wants; only a style of the cell
    itself is stronger. What the cells hold is escaped, so every ``<td>`` is one of the table's.
    """
    styles = [f' style="text-align:{side}">' for side in sides]
    for tag in ("<th", "<td"):
        pieces = table.split(f"{tag}>")  # one more than cells, which come row by row
        table = pieces[0] + "".join(
            f"{tag}{style}{piece}" for style, piece in zip(cycle(styles), pieces[1:], strict=False)
        )
    return table
