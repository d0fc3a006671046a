"""A table as HTML that needs nothing else: no script, no style sheet, no other file."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from alchemer_nb.analysis.shown import Cell, ShownRow, ShownTable

# A notebook cleans style sheets away, so each element has its own style there; in a report, where
# there are hundreds of tables, each has a class.
STYLES = {
    "figure": "margin:.5em 0;max-width:100%;overflow-x:auto",
    "table": "border-collapse:collapse;font-size:.95em;border:0",
    "title": "caption-side:top;text-align:left;font-weight:bold;padding:0 0 .5em",
    "footer": "opacity:.75;font-size:.85em;margin-top:.5em;max-width:60em",
    "line": "background:none",  # notebooks stripe the rows of tables
    "corner": "border:0",
    "rule": "border:0;border-bottom:1px solid rgba(127,127,127,.5)",
    "group": "padding:.2em .7em;text-align:center;border:0",
    "column": (
        "padding:.2em .7em;text-align:right;vertical-align:bottom;border:0;"
        "border-bottom:1px solid rgba(127,127,127,.5)"
    ),
    "label": (
        "padding:.2em .7em .2em 0;text-align:left;font-weight:normal;min-width:9em;"
        "max-width:28em;border:0;overflow-wrap:anywhere"
    ),
    "heading": "padding:.8em .7em .2em 0;text-align:left;font-weight:600;border:0",
    "cell": "padding:.2em .7em;text-align:right;white-space:nowrap;border:0",
    "base": "opacity:.75",
    "net": "font-style:italic",
    "statistic": "font-weight:600",
    "apart": "opacity:.75",
    "letters": "display:inline-block;text-align:left",
}
_BAR = "rgba(74,124,175,.28)"
_LETTER, _PADDING = 0.6, 0.8  # em, of a wide font and on paper
_KINDS = {"base": "base", "net": "net", "statistic": "statistic", "not applicable": "apart"}


def to_html(table: ShownTable, *, classes: bool = False) -> str:
    """Return a table as one HTML element; it takes the colours of what is around it.

    Args:
        table: The table as it is shown.
        classes: Whether ``style_sheet()`` is part of the page.
    """
    return _Writer(classes).table(table)


def style_sheet() -> str:
    """Return the style sheet of tables with classes."""
    rules = [f".t-{name}{{{style}}}" for name, style in STYLES.items()]
    bar = f".t-bar{{background:linear-gradient(to right,{_BAR} var(--b),transparent var(--b))}}"
    return "".join((*rules, bar))


def _least_width(table: ShownTable) -> float:
    """Return about how wide a table is at least, in em: paper has no scroll bar."""
    columns = [
        [*label.split(), *(f"{row.cells[n].text} {row.cells[n].letters}" for row in table.rows
                           if row.cells)]
        for n, label in enumerate(table.header)
    ]  # fmt: skip
    longest = [_LETTER * max(map(len, texts), default=0) for texts in columns]
    return 9 + sum(width + _PADDING for width in longest)


class _Writer:
    """Writes tables with styles or with classes."""

    def __init__(self, classes: bool) -> None:
        self._classes = classes
        self._longest: list[int] = []  # letters of a cell, by column: values stand in line

    def _look(self, *names: str, bar: str = "", style: str = "") -> str:
        """Return the attribute that makes an element look as wanted."""
        names = tuple(filter(None, names))
        if self._classes:
            used = " ".join(f"t-{name}" for name in (*names, *(["bar"] if bar else [])))
            style = f"--b:{bar}" if bar else style
            return f'class="{used}"' + (f' style="{style}"' if style else "")
        styles = [STYLES[name] for name in names]
        if bar:
            styles.append(f"background:linear-gradient(to right,{_BAR} {bar},transparent {bar})")
        return f'style="{";".join((*styles, *filter(None, [style])))}"'

    def table(self, table: ShownTable) -> str:
        """Return a whole table."""
        rows = [row.cells for row in table.rows if row.cells]
        self._longest = [
            max(len(cell.letters) for cell in cells) for cells in zip(*rows, strict=True)
        ]
        body = "".join(self._row(row, len(table.header)) for row in table.rows)
        title = f"<caption {self._look('title')}>{escape(table.title)}</caption>"
        footer = escape(" ".join(table.footer))
        width = f' style="--w:{_least_width(table):.0f}"' if self._classes else ""
        return make_visible(
            f"<figure {self._look('figure')}><table {self._look('table')}{width}>"
            f"{title if table.title else ''}<thead>{self._head(table)}</thead>"
            f"<tbody>{body}</tbody></table>"
            f"<figcaption {self._look('footer')}>{footer}</figcaption></figure>"
        )

    def _head(self, table: ShownTable) -> str:
        above = ""
        if any(label for label, _ in table.groups):
            cells = "".join(
                f'<th colspan="{span}" scope="colgroup" {self._look("group")}>{escape(label)}</th>'
                for label, span in table.groups
            )
            above = f"<tr {self._look('line')}><td {self._look('corner')}></td>{cells}</tr>"
        columns = ""
        for label, mark in zip(table.header, table.marks, strict=True):
            # A month such as 2025-06 would be parted at its hyphen.
            whole = "white-space:nowrap" if len(label) < 20 and " " not in label else ""
            words = escape(f"{label} {mark}".rstrip())
            columns += f'<th scope="col" {self._look("column", style=whole)}>{words}</th>'
        return f"{above}<tr {self._look('line')}><td {self._look('rule')}></td>{columns}</tr>"

    def _row(self, row: ShownRow, columns: int) -> str:
        line = f"<tr {self._look('line')}>"
        if not row.cells:
            look = self._look("heading")
            wide = f'<th scope="rowgroup" colspan="{columns + 1}" {look}>{escape(row.label)}</th>'
            return f"{line}{wide}</tr>"
        kind = _KINDS.get(row.kind, "")
        cells = "".join(
            self._cell(cell, kind, longest)
            for cell, longest in zip(row.cells, self._longest, strict=True)
        )
        label = f'<th scope="row" {self._look("label", kind)}>{escape(row.label)}</th>'
        return f"{line}{label}{cells}</tr>"

    def _cell(self, cell: Cell, kind: str, longest: int) -> str:
        bar = "" if math.isnan(cell.bar) else f"{96 * cell.bar:.0f}%"  # not up to the next
        letters = ""
        if longest:
            look = self._look("letters", style=f"min-width:{0.7 * longest:.1f}em")
            letters = f" <small {look}>{escape(cell.letters)}</small>"
        return f"<td {self._look('cell', kind, bar=bar)}>{escape(cell.text)}{letters}</td>"
