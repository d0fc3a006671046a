"""Tables as a formatted workbook: a sheet for each, with numbers as numbers."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

from alchemer_nb.files import import_optional, output_path, replace_atomically
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from alchemer_nb.analysis.shown import ShownRow, ShownTable

_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31


def write_workbook(tables: Mapping[str, ShownTable], path: str | os.PathLike[str]) -> None:
    """Write tables to a workbook, one sheet each; see ``Table.to_excel``.

    Args:
        tables: Name of the sheet -> the table.
        path: Name of the file, ending in ``.xlsx``.
    """
    openpyxl = import_optional("openpyxl", "excel")
    target = output_path(path, (".xlsx",))
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, table in tables.items():
        title = _NOT_IN_NAMES.sub(" ", make_visible(name))[:_LONGEST_NAME].strip() or "table"
        if title.casefold() == "history":  # Excel does not open a sheet of this name
            title = f"{title}_"
        _Sheet(workbook.create_sheet(title), table).fill()  # openpyxl makes it unique
    content = io.BytesIO()  # openpyxl prints an error of its own when the disk is full
    workbook.save(content)
    with replace_atomically(target) as temporary:
        temporary.write_bytes(content.getvalue())


class _Sheet:
    """The sheet of a table: title, banner, one row each, footer."""

    def __init__(self, sheet: Any, table: ShownTable) -> None:
        from openpyxl.styles import Alignment, Border, Font, Side

        self._sheet, self._table = sheet, table
        self._row = 0
        self._bold, self._grey = Font(bold=True), Font(color="00767676")
        self._fonts = {
            "heading": self._bold, "statistic": self._bold, "net": Font(italic=True),
            "base": self._grey, "not applicable": self._grey,
        }  # fmt: skip
        self._wrapped = Alignment(wrap_text=True, vertical="top", horizontal="right")
        self._rule = Border(bottom=Side(style="thin"))
        # A column that is compared is followed by one for its letters.
        widths = [2 if mark else 1 for mark in table.marks]
        self._places = [2 + sum(widths[:place]) for place in range(len(widths))]
        self._last = 1 + sum(widths)

    def fill(self) -> None:
        """Write all of it."""
        self._write([self._table.title], self._bold)
        self._row += 1
        if any(label for label, _ in self._table.groups):
            starts = [
                sum(n for _, n in self._table.groups[:at]) for at in range(len(self._table.groups))
            ]
            line = [""] * self._last
            for (label, _), start in zip(self._table.groups, starts, strict=True):
                line[self._places[start] - 1] = label
            self._write(line, self._bold)
        line = [""] * self._last
        for place, label, mark in zip(
            self._places, self._table.header, self._table.marks, strict=True
        ):
            line[place - 1] = f"{label} {mark}".rstrip()
        self._write(line, self._bold)
        for column in range(1, self._last + 1):
            cell = self._sheet.cell(self._row, column)
            cell.alignment, cell.border = self._wrapped, self._rule
        self._sheet.freeze_panes = self._sheet.cell(self._row + 1, 2)
        for row in self._table.rows:
            self._write_row(row)
        self._row += 1
        for sentence in self._table.footer:
            self._write([sentence], self._grey)
        self._sheet.column_dimensions["A"].width = 48
        for column in range(2, self._last + 1):
            letter = self._sheet.cell(1, column).column_letter
            self._sheet.column_dimensions[letter].width = 14 if column in self._places else 7

    def _write_row(self, row: ShownRow) -> None:
        line: list[Any] = [row.label] + [None] * (self._last - 1)
        looks = {}
        for place, cell in zip(self._places, row.cells, strict=False):
            line[place - 1] = cell.text if math.isnan(cell.number) else cell.number
            looks[place] = cell.look
            if cell.letters:
                line[place] = cell.letters
        self._write(line, self._fonts.get(row.kind), looks)

    def _write(
        self, line: Sequence[Any], font: Any, looks: Mapping[int, str] | None = None
    ) -> None:
        self._row += 1
        for place, value in enumerate(line, 1):
            if value is None or value == "":
                continue
            cell = self._sheet.cell(self._row, place)
            cell.value = make_visible(value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
            if font is not None:
                cell.font = font
            if looks and place in looks:
                cell.number_format = looks[place]
