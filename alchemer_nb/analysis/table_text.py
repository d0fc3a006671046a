"""A table as text, for a terminal and for ``print``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from alchemer_nb.analysis.wording import width_of
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from alchemer_nb.analysis.shown import Cell, ShownTable

_WIDTH = 100
_LABEL = 44  # characters of the label of a row
_HEAD = 18  # of the words above a column


def to_text(table: ShownTable) -> str:
    """Return a table as lines of text."""
    head = [
        f"{_shorten(label, _HEAD)} {mark}".rstrip()
        for label, mark in zip(table.header, table.marks, strict=True)
    ]
    body = [(row, [*map(_text, row.cells)]) for row in table.rows]
    left = min(_LABEL, max([0, *(width_of(row.label) for row, cells in body if cells)]))
    widths = [
        max([4, width_of(label), *(width_of(cells[place]) for _, cells in body if cells)])
        for place, label in enumerate(head)
    ]
    lines = textwrap.wrap(table.title, _WIDTH) or [""]
    if any(label for label, _ in table.groups):
        lines.append(" " * left + "  " + "  ".join(_group_cells(table, widths)))
    lines.append(" " * left + "  " + _line(head, widths))
    for row, cells in body:
        if not cells:
            lines += ["", *textwrap.wrap(row.label, _WIDTH)]
            continue
        first, *more = _wrap(row.label, left)
        room = " " * (left - width_of(first))
        lines += [f"{first}{room}  {_line(cells, widths)}", *more]
    lines += textwrap.wrap(" ".join(table.footer), _WIDTH)
    return make_visible("\n".join(line.rstrip() for line in lines))


def _group_cells(table: ShownTable, widths: list[int]) -> list[str]:
    cells, place = [], 0
    for label, span in table.groups:
        room = sum(widths[place : place + span]) + 2 * (span - 1)
        shown = _shorten(label, room)
        cells.append(shown.center(room - width_of(shown) + len(shown)))
        place += span
    return cells


def _line(cells: list[str], widths: list[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return "  ".join(" " * (width - width_of(cell)) + cell for cell, width in pairs)


def _text(cell: Cell) -> str:
    return f"{cell.text} {cell.letters}".rstrip()


def _wrap(text: str, width: int) -> list[str]:
    """Return the lines of a label that are not wider than ``width``."""
    lines = []
    for line in textwrap.wrap(text, width or 1) or [""]:
        while width_of(line) > width:  # of wide characters, which ``textwrap`` counts as one
            at = next(n for n in range(1, len(line) + 1) if width_of(line[: n + 1]) > width)
            lines.append(line[:at])
            line = line[at:]
        lines.append(line)
    return lines


def _shorten(text: str, width: int) -> str:
    text = " ".join(text.split())
    while width_of(text) > width:
        text = f"{text.removesuffix('…')[:-1].rstrip()}…"
    return text
