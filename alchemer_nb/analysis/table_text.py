"""A table as text, for a terminal and for ``print``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from alchemer_nb.analysis.table_cells import header_groups, lay_out
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from alchemer_nb.analysis.table import Table

_WIDTH = 100
_LABEL = 44  # characters of a row's label
_HEAD = 16  # of the header of a column


def to_text(table: Table) -> str:
    """Return a table as lines of text."""
    grid = lay_out(table)
    head = [
        f"{_shorten(label, _HEAD)} {mark}".rstrip()
        for label, mark in zip(grid.header, grid.marks, strict=True)
    ]
    body = [[row.label, *row.cells] for row in grid.rows]
    left = min(_LABEL, max([0, *(len(cells[0]) for cells in body)]))
    widths = [
        max(len(head[n]), *(len(cells[n + 1]) for cells in body), 4) if body else len(head[n])
        for n in range(len(head))
    ]
    lines = textwrap.wrap(table.title, _WIDTH) or [""]
    groups = header_groups(table)
    if any(label for label, _ in groups):
        cells, place = [], 0
        for label, span in groups:
            room = sum(widths[place : place + span]) + 2 * (span - 1)
            cells.append(_shorten(label, room).center(room))
            place += span
        lines.append(" " * left + "  " + "  ".join(cells))
    lines.append(
        " " * left + "  " + "  ".join(h.rjust(w) for h, w in zip(head, widths, strict=True))
    )
    for row, cells in zip(grid.rows, body, strict=True):
        if row.is_heading:
            lines += ["", *textwrap.wrap(row.label, _WIDTH)]
            continue
        wrapped = textwrap.wrap(cells[0], left) or [""]
        values = "  ".join(c.rjust(w) for c, w in zip(cells[1:], widths, strict=True))
        lines.append(f"{wrapped[0]:<{left}}  {values}")
        lines += wrapped[1:]
    lines += textwrap.wrap(" ".join(table.footer), _WIDTH)
    return make_visible("\n".join(line.rstrip() for line in lines))


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"
