"""A table as HTML that needs nothing else: no script, no style sheet, no other file."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from alchemer_nb.analysis.table_cells import header_groups, lay_out

if TYPE_CHECKING:
    from alchemer_nb.analysis.table import Table
    from alchemer_nb.analysis.table_cells import ShownRow

_GREY = "color:#767676"  # 4.5:1 on white and on black
_BAR = "rgba(74,124,175,.28)"
_CELL = "padding:.2em .7em;text-align:right;white-space:nowrap;border:0"
_LABEL = "padding:.2em .7em .2em 0;text-align:left;font-weight:normal;min-width:9em;max-width:28em;border:0"
_RULE = "border-bottom:1px solid rgba(127,127,127,.5)"


def to_html(table: Table) -> str:
    """Return a table as one HTML element; it takes the colours of what is around it."""
    grid = lay_out(table)
    groups = header_groups(table)
    head = ""
    if any(label for label, _ in groups):
        cells = "".join(
            f'<th colspan="{span}" scope="colgroup" style="{_CELL};text-align:center">'
            f"{escape(label)}</th>"
            for label, span in groups
        )
        head = f'<tr style="background:none"><td style="border:0"></td>{cells}</tr>'
    columns = "".join(
        f'<th scope="col" style="{_CELL};white-space:normal;vertical-align:bottom;{_RULE}">'
        f"{escape(f'{label} {mark}'.rstrip())}</th>"
        for label, mark in zip(grid.header, grid.marks, strict=True)
    )
    head += f'<tr style="background:none"><td style="border:0;{_RULE}"></td>{columns}</tr>'
    body = "".join(_row(row, len(grid.header)) for row in grid.rows)
    footer = escape(" ".join(table.footer))
    return (
        '<figure style="margin:.5em 0;max-width:100%;overflow-x:auto">'
        '<table style="border-collapse:collapse;font-size:.95em;border:0">'
        '<caption style="caption-side:top;text-align:left;font-weight:bold;padding:0 0 .5em">'
        f"{escape(table.title)}</caption>"
        f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        f'<figcaption style="{_GREY};font-size:.85em;margin-top:.5em;max-width:60em">{footer}'
        "</figcaption></figure>"
    )


def _row(row: ShownRow, columns: int) -> str:
    plain = 'style="background:none"'
    if row.is_heading:
        return (
            f'<tr {plain}><th scope="rowgroup" colspan="{columns + 1}" '
            f'style="{_LABEL};padding-top:.8em;font-weight:600">{escape(row.label)}</th></tr>'
        )
    look = {"base": _GREY, "net": "font-style:italic", "statistic": "font-weight:600"}
    style = look.get(row.kind, _GREY if row.kind == "not applicable" else "")
    cells = []
    for place, cell in enumerate(row.cells):
        share = row.bars[place] if place < len(row.bars) else math.nan
        bar = ""
        if row.kind == "choice" and not math.isnan(share):
            edge = min(100.0, max(0.0, share))
            bar = f";background:linear-gradient(to right,{_BAR} {edge:.1f}%,transparent {edge:.1f}%)"
        cells.append(f'<td style="{_CELL};{style}{bar}">{escape(cell)}</td>')
    label = f'<th scope="row" style="{_LABEL};{style}">{escape(row.label)}</th>'
    return f"<tr {plain}>{label}{''.join(cells)}</tr>"
