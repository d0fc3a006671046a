"""A table as it is shown, cell by cell: what text, HTML and Excel are made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

NOTHING = "–"
_WHOLE, _LONG = 1e15, 1e21  # from here on, floats are whole; are shown with an exponent


@dataclass(frozen=True)
class Cell:
    """A cell of a table as it is shown.

    Attributes:
        text: As it is shown.
        number: Its value, NaN for none; a percent is a part of 1.
        look: Number format of Excel.
        letters: Letters of the columns that are lower.
        bar: Length of the bar behind it, 0 to 1; NaN for none.
    """

    text: str = ""
    number: float = math.nan
    look: str = "General"
    letters: str = ""
    bar: float = math.nan


@dataclass(frozen=True)
class ShownRow:
    """A row of a table as it is shown.

    Attributes:
        label: Its words.
        kind: ``"heading"``, ``"base"`` or the kind of the row.
        cells: One for each column; none of a heading.
    """

    label: str
    kind: str
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class ShownTable:
    """A table as it is shown: title, header, rows and footer.

    Attributes:
        title: The words of the question.
        groups: Words above the header, and how many columns each is about.
        header: Words of each column.
        marks: Letter of each column, in brackets; ``""`` for none.
        rows: The rows.
        footer: Sentences beneath.
    """

    title: str
    groups: tuple[tuple[str, int], ...]
    header: tuple[str, ...]
    marks: tuple[str, ...]
    rows: tuple[ShownRow, ...]
    footer: tuple[str, ...]


def percent_cell(percent: float, letters: str = "", *, has_bar: bool = False) -> Cell:
    """Return the cell of a percent (0 to 100, NaN for none)."""
    if math.isnan(percent):
        return Cell(NOTHING)
    part = percent / 100
    bar = min(1.0, max(0.0, part)) if has_bar else math.nan
    return Cell(f"{rounded(percent)} %", part, "0%", letters, bar)


def number_cell(number: float, decimals: int, letters: str = "") -> Cell:
    """Return the cell of a number of a statistic (NaN for none, infinite if it overflowed)."""
    if not math.isfinite(number):
        return Cell(NOTHING)
    look = "#,##0" + ("." + "0" * decimals if decimals else "")
    return Cell(rounded(number, decimals), number, look, letters)


def rounded(number: float, decimals: int = 0) -> str:
    """Return a number as text, with halves away from zero, as spreadsheets have it; no ``-0``."""
    if not abs(number) < _WHOLE:
        return f"{number:,.{decimals}f}" if abs(number) < _LONG else f"{number:.6g}"
    step = Decimal(1).scaleb(-decimals)
    exact = Decimal(f"{number:.9f}")  # 2.675 as it is written, not as it is stored
    return f"{exact.quantize(step, ROUND_HALF_UP) + 0:,.{decimals}f}"


def count_cell(count: float, mark: str = "") -> Cell:
    """Return the cell of a count."""
    return Cell(f"{rounded(count)}{mark}", float(count), "#,##0")
