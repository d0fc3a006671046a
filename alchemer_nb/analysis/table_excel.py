"""Tables as a formatted workbook: a sheet for each, with numbers as numbers."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from alchemer_nb.analysis.table_cells import NOTHING
from alchemer_nb.files import import_optional, output_path, replace_atomically
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from alchemer_nb.analysis.table import Block, Row, Table

_SHEET = re.compile(r"[\[\]:*?/\\']")  # what the name of a sheet cannot have
_SHEET_LENGTH = 31
_NUMBER = "#,##0.00"
_COUNT = "#,##0"
_SHARE = "0%"


def write_tables(tables: Sequence[Table], path: str | os.PathLike[str]) -> None:
    """Write tables to a workbook, one sheet each; see ``Table.to_excel``."""
    openpyxl = import_optional("openpyxl", "excel")
    target = output_path(path, (".xlsx",))
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for table in tables:
        name = _SHEET.sub(" ", make_visible(table.question))[:_SHEET_LENGTH].strip() or "table"
        _Sheet(workbook.create_sheet(name), table).fill()  # openpyxl makes the name unique
    with replace_atomically(target) as temporary:
        workbook.save(temporary)


class _Sheet:
    """The sheet of a table: title, banner, one row each, footer."""

    def __init__(self, sheet: Any, table: Table) -> None:
        from openpyxl.styles import Alignment, Border, Font, Side

        self._sheet, self._table = sheet, table
        self._row = 0
        self._bold, self._italic = Font(bold=True), Font(italic=True)
        self._grey = Font(color="00767676")
        self._wrapped = Alignment(wrap_text=True, vertical="top")
        self._rule = Border(bottom=Side(style="thin"))
        self._has_letters = bool(table.tests)
        self._columns = [*self._plan()]

    def _plan(self) -> Iterator[tuple[int, str]]:
        """Yield the place in the banner and the content of each column of the sheet."""
        for place in range(len(self._table.banner)):
            yield place, "value"
            if self._has_letters and place:
                yield place, "letters"
            if len(self._table.banner) == 1:
                yield place, "count"
                if self._table.weight:
                    yield place, "weighted"

    def fill(self) -> None:
        """Write all of it."""
        self._write([self._table.title], font=self._bold)
        self._row += 1
        self._header()
        self._sheet.freeze_panes = self._sheet.cell(self._row + 1, 2)
        for block in self._table.blocks:
            if block.label:
                self._write([block.label], font=self._bold)
            self._bases(block)
            for row in block.rows:
                self._values(row)
        self._row += 1
        for sentence in self._table.footer:
            self._write([sentence], font=self._grey)
        self._sheet.column_dimensions["A"].width = 48
        for number, (_, content) in enumerate(self._columns, 2):
            letter = self._sheet.cell(1, number).column_letter
            self._sheet.column_dimensions[letter].width = 8 if content == "letters" else 14

    def _header(self) -> None:
        banner = self._table.banner
        if len(banner) > 1:
            groups = [banner[p].group if c == "value" else "" for p, c in self._columns]
            shown = [g if n == 0 or g != groups[n - 1] else "" for n, g in enumerate(groups)]
            self._write(["", *shown], font=self._bold)
        names = {"value": "%", "count": "n", "weighted": "weighted n"}
        labels = []
        for place, content in self._columns:
            if len(banner) == 1:
                labels.append(names[content])
            else:
                column = banner[place]
                mark = f" ({column.letter})" if column.letter else ""
                labels.append("" if content == "letters" else column.label + mark)
        self._write(["", *labels], font=self._bold)
        for cell in self._sheet[self._row]:
            cell.alignment, cell.border = self._wrapped, self._rule

    def _bases(self, block: Block) -> None:
        content = "value" if len(self._table.banner) > 1 else "count"
        lines = [("Base: answered", block.bases.answered)]
        if self._table.weight:
            lines.append(("Effective base", block.bases.effective))
        for label, numbers in lines:
            cells = [float(numbers[p]) if c == content else None for p, c in self._columns]
            self._write([label, *cells], font=self._grey, number=_COUNT)

    def _values(self, row: Row) -> None:
        font = {"net": self._italic, "statistic": self._bold, "not applicable": self._grey}
        cells: list[Any] = []
        for place, content in self._columns:
            value = float(row.values[place])
            if content == "letters":
                cells.append(row.letters[place] if row.letters else None)
            elif content == "count" or row.kind == "not applicable":
                cells.append(int(row.counts[place]))
            elif content == "weighted":
                cells.append(float(row.weighted[place]))
            else:
                cells.append(
                    NOTHING if math.isnan(value) else value / 100 if row.is_share else value
                )
        if row.kind == "not applicable" and len(self._table.banner) == 1:
            cells[0] = None
        self._write([row.label, *cells], font=font.get(row.kind), number="")
        for cell, (_, content) in zip(self._sheet[self._row][1:], self._columns, strict=False):
            count = content == "count" or row.kind == "not applicable"
            cell.number_format = _COUNT if count else _SHARE if row.is_share else _NUMBER

    def _write(self, cells: Sequence[Any], font: Any = None, number: str = "") -> None:
        self._row += 1
        for place, value in enumerate(cells, 1):
            if value is None or value == "":
                continue
            cell = self._sheet.cell(self._row, place)
            cell.value = make_visible(value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
            if font is not None:
                cell.font = font
            if number and place > 1:
                cell.number_format = number
