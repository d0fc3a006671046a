"""A table as text, for a terminal and for ``print``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from alchemer_nb.analysis.grid import Cell, Grid

_WIDTH = 100
_LABEL = 44  # characters of the label of a row
_HEAD = 16  # of the words above a column


def to_text(grid: Grid) -> str:
    """Return a table as lines of text."""
    head = [
        f"{_shorten(label, _HEAD)} {mark}".rstrip()
        for label, mark in zip(grid.header, grid.marks, strict=True)
    ]
    body = [(row, [*map(_text, row.cells)]) for row in grid.rows]
    left = min(_LABEL, max([0, *(len(row.label) for row, cells in body if cells)]))
    widths = [
        max([4, len(label), *(len(cells[place]) for _, cells in body if cells)])
        for place, label in enumerate(head)
    ]
    lines = textwrap.wrap(grid.title, _WIDTH) or [""]
    if any(label for label, _ in grid.groups):
        lines.append(" " * left + "  " + "  ".join(_group_cells(grid, widths)))
    lines.append(" " * left + "  " + _line(head, widths))
    for row, cells in body:
        if not cells:
            lines += ["", *textwrap.wrap(row.label, _WIDTH)]
            continue
        first, *more = textwrap.wrap(row.label, left or 1) or [""]
        lines += [f"{first:<{left}}  {_line(cells, widths)}", *more]
    lines += textwrap.wrap(" ".join(grid.footer), _WIDTH)
    return make_visible("\n".join(line.rstrip() for line in lines))


def _group_cells(grid: Grid, widths: list[int]) -> list[str]:
    cells, place = [], 0
    for label, span in grid.groups:
        room = sum(widths[place : place + span]) + 2 * (span - 1)
        cells.append(_shorten(label, room).center(room))
        place += span
    return cells


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _text(cell: Cell) -> str:
    return f"{cell.text} {cell.letters}".rstrip()


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"
