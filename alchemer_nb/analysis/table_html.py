"""A table as HTML that needs nothing else: no script, no style sheet, no other file."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from alchemer_nb.analysis.grid import Cell, Grid, ShownRow

_GREY = "color:#767676"  # 4.5:1 on white, and nearly on black
_BAR = "rgba(74,124,175,.28)"
_PLAIN = 'style="background:none"'  # notebooks stripe the rows of tables
_CELL = "padding:.2em .7em;text-align:right;white-space:nowrap;border:0"
_LABEL = (
    "padding:.2em .7em .2em 0;text-align:left;font-weight:normal;min-width:9em;max-width:28em;"
    "border:0"
)
_RULE = "border-bottom:1px solid rgba(127,127,127,.5)"
_LOOKS = {
    "base": _GREY,
    "net": "font-style:italic",
    "statistic": "font-weight:600",
    "not applicable": _GREY,
}


def to_html(grid: Grid) -> str:
    """Return a table as one HTML element; it takes the colours of what is around it."""
    body = "".join(_row(row, len(grid.header)) for row in grid.rows)
    return make_visible(
        '<figure style="margin:.5em 0;max-width:100%;overflow-x:auto">'
        '<table style="border-collapse:collapse;font-size:.95em;border:0">'
        '<caption style="caption-side:top;text-align:left;font-weight:bold;padding:0 0 .5em">'
        f"{escape(grid.title)}</caption>"
        f"<thead>{_head(grid)}</thead><tbody>{body}</tbody></table>"
        f'<figcaption style="{_GREY};font-size:.85em;margin-top:.5em;max-width:60em">'
        f"{escape(' '.join(grid.footer))}</figcaption></figure>"
    )


def _head(grid: Grid) -> str:
    above = ""
    if any(label for label, _ in grid.groups):
        cells = "".join(
            f'<th colspan="{span}" scope="colgroup" style="{_CELL};text-align:center">'
            f"{escape(label)}</th>"
            for label, span in grid.groups
        )
        above = f'<tr {_PLAIN}><td style="border:0"></td>{cells}</tr>'
    columns = "".join(
        f'<th scope="col" style="{_CELL};white-space:normal;vertical-align:bottom;{_RULE}">'
        f"{escape(f'{label} {mark}'.rstrip())}</th>"
        for label, mark in zip(grid.header, grid.marks, strict=True)
    )
    return f'{above}<tr {_PLAIN}><td style="border:0;{_RULE}"></td>{columns}</tr>'


def _row(row: ShownRow, columns: int) -> str:
    if not row.cells:
        return (
            f'<tr {_PLAIN}><th scope="rowgroup" colspan="{columns + 1}" '
            f'style="{_LABEL};padding-top:.8em;font-weight:600">{escape(row.label)}</th></tr>'
        )
    look = _LOOKS.get(row.kind, "")
    cells = "".join(_cell(cell, look) for cell in row.cells)
    label = f'<th scope="row" style="{_LABEL};{look}">{escape(row.label)}</th>'
    return f"<tr {_PLAIN}>{label}{cells}</tr>"


def _cell(cell: Cell, look: str) -> str:
    bar = ""
    if not math.isnan(cell.bar):
        edge = f"{100 * cell.bar:.1f}%"
        bar = f";background:linear-gradient(to right,{_BAR} {edge},transparent {edge})"
    letters = f" <small>{escape(cell.letters)}</small>" if cell.letters else ""
    return f'<td style="{_CELL};{look}{bar}">{escape(cell.text)}{letters}</td>'
