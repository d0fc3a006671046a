"""The cells of a table as they are shown: one layout for text, HTML and Excel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from alchemer_nb.analysis.table import LOW, VERY_LOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.analysis.table import Block, Row, Table

NOTHING = "–"


@dataclass(frozen=True)
class ShownRow:
    """A row as it is shown.

    Attributes:
        label: Its words.
        cells: One text for each column.
        kind: ``"heading"``, ``"base"`` or the kind of the row.
        bars: Percent of each column for a bar behind it, NaN for none.
    """

    label: str
    cells: tuple[str, ...]
    kind: str
    bars: tuple[float, ...] = ()

    @property
    def is_heading(self) -> bool:
        """True if it is the words of an item above its rows."""
        return self.kind == "heading"


@dataclass(frozen=True)
class Grid:
    """The cells of a table: a header and rows.

    Attributes:
        header: Words of each column.
        marks: Letter of each column, in brackets; ``""`` for none.
        rows: The rows.
    """

    header: tuple[str, ...]
    marks: tuple[str, ...]
    rows: tuple[ShownRow, ...]


def lay_out(table: Table) -> Grid:
    """Return the cells of a table; several items without a banner are one row each."""
    if table.is_summary:
        return _summary(table)
    if len(table.banner) == 1:
        header = ["%", "n", *(["weighted n"] if table.weight else [])]
        marks = [""] * len(header)
    else:
        header = [column.label for column in table.banner]
        marks = [f"({column.letter})" if column.letter else "" for column in table.banner]
    rows: list[ShownRow] = []
    for block in table.blocks:
        if len(table.blocks) > 1:
            rows.append(ShownRow(block.label, ("",) * len(header), "heading"))
        rows += _base_rows(table, block)
        rows += [_shown(table, row) for row in block.rows]
    return Grid(tuple(header), tuple(marks), tuple(rows))


def header_groups(table: Table) -> list[tuple[str, int]]:
    """Return the words above the header, and how many columns each is about."""
    if len(table.banner) == 1:
        return [("", len(lay_out(table).header))]
    return [(label, len([*columns])) for label, columns in groupby(c.group for c in table.banner)]


def percent_text(value: float) -> str:
    """Return a percent without decimals."""
    return NOTHING if math.isnan(value) else f"{value:.0f} %"


def number_text(value: float, decimals: int) -> str:
    """Return a number of a statistic."""
    return NOTHING if math.isnan(value) else f"{value:,.{decimals}f}"


def base_text(base: int) -> str:
    """Return the number of a base, marked if it is low."""
    mark = "**" if base < VERY_LOW else "*" if base < LOW else ""
    return f"{base:,}{mark}"


def _summary(table: Table) -> Grid:
    first = table.blocks[0]
    header = [row.label for row in first.rows if row.kind != "not applicable"]
    has_apart = [row.label for row in first.rows if row.kind == "not applicable"]
    rows = []
    for block in table.blocks:
        shown = [row for row in block.rows if row.kind != "not applicable"]
        apart = [f"{int(row.counts[0]):,}" for row in block.rows if row.kind == "not applicable"]
        cells = [
            *(_value(row, 0) for row in shown),
            *apart,
            base_text(int(block.bases.answered[0])),
        ]
        bars = [row.values[0] if row.kind == "choice" else math.nan for row in shown]
        rows.append(ShownRow(block.label, tuple(cells), "choice", tuple(bars)))
    whole = (*header, *(f"{label} (n)" for label in has_apart), "Base")
    return Grid(whole, ("",) * len(whole), tuple(rows))


def _base_rows(table: Table, block: Block) -> Iterator[ShownRow]:
    answered = [base_text(int(n)) for n in block.bases.answered]
    if len(table.banner) == 1:
        extra = [f"{block.bases.weighted[0]:,.1f}"] if table.weight else []
        yield ShownRow("Base: answered", ("", answered[0], *extra), "base")
        return
    yield ShownRow("Base: answered", tuple(answered), "base")
    if table.weight:
        effective = tuple(f"{n:,.0f}" for n in block.bases.effective)
        yield ShownRow("Effective base", effective, "base")


def _shown(table: Table, row: Row) -> ShownRow:
    if len(table.banner) == 1:
        extra = [f"{row.weighted[0]:,.1f}"] if table.weight else []
        value = "" if row.kind == "not applicable" else _value(row, 0)
        cells = (value, f"{int(row.counts[0]):,}", *extra)
        share = float(row.values[0]) if row.is_share else math.nan
        return ShownRow(row.label, cells, row.kind, (share,))
    cells = tuple(
        f"{int(row.counts[n]):,}" if row.kind == "not applicable" else _value(row, n)
        for n in range(len(table.banner))
    )
    bars = tuple(float(value) if row.is_share else math.nan for value in row.values)
    label = f"{row.label} (n)" if row.kind == "not applicable" else row.label
    return ShownRow(label, cells, row.kind, bars)


def _value(row: Row, place: int) -> str:
    value = float(row.values[place])
    text = percent_text(value) if row.is_share else number_text(value, row.decimals)
    if row.margins is not None and not math.isnan(row.margins[place]):
        text = f"{value:.0f} ± {row.margins[place]:.0f}"
    letters = row.letters[place] if row.letters else ""
    return f"{text} {letters}" if letters else text
