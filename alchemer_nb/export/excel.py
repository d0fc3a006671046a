"""Write Excel workbooks: the responses on one sheet, their codebook on another.

openpyxl writes them, as pandas reads workbooks with openpyxl as well: one package for both.
Limits: https://support.microsoft.com/office/excel-specifications-and-limits.
"""

from __future__ import annotations

import datetime
import math
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from alchemer_nb import files
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.column_facts import Known
from alchemer_nb.export.variables import (
    LOST,
    PLAIN,
    infer_objects,
    is_day,
    named_columns,
    to_texts,
    wall_clock,
)
from alchemer_nb.frame.text_dtype import typed_frame

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
_LONGEST = 32_767  # characters of a cell, counted in UTF-16
_EXACT = 10**15  # Excel keeps fifteen digits
_FIRST_DAY = datetime.datetime(1900, 3, 1)  # before it, Excel's calendar has a day too many
_FORMULA = ("=", "+", "-", "@")
# XML 1.0 allows no other control characters, nor the two that are no characters at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# "_x0041_" means "A" in a workbook (ECMA-376 part 1, 22.9.2.19), so its first character is escaped.
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NAMESPACE = "http://schemas.openxmlformats.org"
_REFERENCES = {  # list of parts -> its end, and what refers to the shared strings
    "xl/_rels/workbook.xml.rels": (
        "</Relationships>",
        f'<Relationship Type="{_NAMESPACE}/officeDocument/2006/relationships/sharedStrings" '
        'Target="/xl/sharedStrings.xml" Id="rIdShared"/>',
    ),
    "[Content_Types].xml": (
        "</Types>",
        '<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>',
    ),
}
_CHUNK = 1 << 20  # bytes
_WIDEST = 40  # characters of a column on the screen
_CODEBOOK_FIELDS = (
    "page", "page_title", "type", "part", "alias", "question_id", "option_id", "reporting_value",
    "required", "removed",
)  # fmt: skip


def to_excel(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, plain: bool = False
) -> pd.DataFrame:
    """Write a workbook; see ``AlchemerAccessor.to_excel``."""
    openpyxl = files.import_optional("openpyxl", "excel")
    from openpyxl.writer.excel import ExcelWriter

    target = files.output_path(path, (".xlsx",))
    named = list(named_columns(frame))
    _check_size(len(frame), len(named))
    known = Known.of(frame)
    if known.is_lost and not plain:
        warnings.warn(f"{LOST}. {PLAIN}", stacklevel=3)
    notes: list[list[str]] = [[] for _ in named]
    columns = [_to_cells(*each, known, noted) for each, noted in zip(named, notes, strict=True)]
    names = [name for name, _ in named]
    book = _build_codebook(named, known, notes)
    with files.replace_atomically(target) as temporary:
        workbook = openpyxl.Workbook(write_only=True)  # writes to the disk as it goes
        _add_sheet(workbook, "responses", names, columns)
        if not plain:
            cells = [_to_cells(each, book[each], Known(), []) for each in book.columns]
            _add_sheet(workbook, "codebook", list(book.columns), cells)
        with _Archive(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.shared = list(workbook.shared_strings)
            ExcelWriter(workbook, archive).write_data()
    return book


class _Archive(zipfile.ZipFile):
    """The archive of a workbook, with what openpyxl does not write.

    XML readers turn carriage returns into line feeds unless they are character references. Shared
    strings are a part of their own, to which the lists of parts have to refer.
    """

    shared: Sequence[str] = ()

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        with Path(filename).open("rb") as source, self.open(str(arcname), "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk.replace(b"\r", b"&#13;"))

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        text = data if isinstance(data, str) else data.decode()
        if self.shared and zinfo_or_arcname in _REFERENCES:
            end, reference = _REFERENCES[zinfo_or_arcname]
            text = text.replace(end, reference + end)
        if self.shared and zinfo_or_arcname == "[Content_Types].xml":
            strings = "".join(f"<si>{_to_xml(each)}</si>" for each in self.shared)
            part = f'<sst xmlns="{_NAMESPACE}/spreadsheetml/2006/main">{strings}</sst>'
            super().writestr("xl/sharedStrings.xml", part)
        super().writestr(zinfo_or_arcname, text.replace("\r", "&#13;"))


def _to_xml(text: str) -> str:
    return f'<t xml:space="preserve">{escape(text, {chr(13): "&#13;"})}</t>'


class _SharedType(str):
    """The type "s" of a cell that holds the number of a shared string.

    openpyxl writes cells of the plain type "s" as inline strings, in which its reader leaves
    escapes as they are.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _check_size(rows: int, columns: int) -> None:
    if columns == 0:
        raise InvalidArgument("the frame has no columns to write")
    if rows + 1 > MOST_ROWS or columns > MOST_COLUMNS:
        raise InvalidArgument(
            f"an Excel sheet holds {MOST_ROWS - 1:,} rows below its heading and {MOST_COLUMNS:,} "
            f"columns; the frame has {rows:,} and {columns:,}. Choose some, or use to_parquet"
        )


# -- sheets ---------------------------------------------------------------------------------


def _add_sheet(workbook: Any, title: str, names: list[str], columns: list[list[Any]]) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "B2"
    for number, (name, cells) in enumerate(zip(names, columns, strict=True), 1):
        longest = max([len(name), *(len(str(cell)) for cell in cells[:50] if cell is not None)])
        sheet.column_dimensions[get_column_letter(number)].width = min(longest, _WIDEST) + 2
    bold = Font(bold=True)
    heading = []
    for name in names:
        cell = _to_cell(WriteOnlyCell, sheet, _replace_illegal(name)[0])
        cell.font = bold
        heading.append(cell)
    sheet.append(heading)
    for row in zip(*columns, strict=True):
        sheet.append([_to_cell(WriteOnlyCell, sheet, value) for value in row])
    if names:
        last = f"{get_column_letter(len(names))}{len(columns[0]) + 1}"
        sheet.auto_filter.ref = f"A1:{last}"


def _to_cell(make: Callable[..., Any], sheet: Any, value: Any) -> Any:
    """Return a cell; a text that looks like a formula or a number stays a text."""
    if not isinstance(value, str | datetime.date):
        return value
    if isinstance(value, str):
        escaped = _LOOKS_ESCAPED.sub("_x005F_", value)
        is_plain = escaped == value
        cell = make(sheet, value if is_plain else sheet.parent.shared_strings.add(escaped))
        cell.data_type = "s" if is_plain else _SharedType("s")
        if value.startswith(_FORMULA):
            cell.quotePrefix = True  # it stays a text when somebody edits it
    else:
        cell = make(sheet, value)
        time = " hh:mm:ss" if isinstance(value, datetime.datetime) else ""
        cell.number_format = f"yyyy-mm-dd{time}"
    return cell


def _build_codebook(
    named: list[tuple[str, pd.Series[Any]]], known: Known, notes: list[list[str]]
) -> pd.DataFrame:
    """Return one row for each column: its words, its values, and changes for Excel."""
    rows = []
    for (name, values), noted in zip(named, notes, strict=True):
        record = known.record(name)
        survey_notes = [str(record["notes"])] if record.get("notes") else []
        texts = {
            "column": name,
            "label": ": ".join(known.pieces(name)),
            "values": "; ".join(_value_meanings(name, values, known)),
            **{field: record.get(field) for field in _CODEBOOK_FIELDS},
            "notes": "; ".join([*dict.fromkeys(noted), *survey_notes]),
        }
        legal = {
            k: _replace_illegal(str(v))[0] if v not in (None, "") else None
            for k, v in texts.items()
        }
        flags = {flag: bool(record.get(flag)) for flag in ("required", "removed")}
        rows.append({**legal, "page": record.get("page"), **flags})
    dtypes = {"page": "Int64", "required": "bool", "removed": "bool"}
    return typed_frame(rows, ("column", "label", "values", *_CODEBOOK_FIELDS, "notes"), dtypes)


def _value_meanings(name: str, values: pd.Series[Any], known: Known) -> Iterator[str]:
    """Yield the meaning of each value of a column."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        groups = [str(group) for group in values.cat.categories]
        used = set(map(str, values.dropna().unique()))
        choices = known.choices(name, groups, used, whole=False)
        if choices is None:
            left = known.in_use.left_texts(name, values)
            yield from (group for group in groups if group not in left)
            return
        names_by_code = {code: shown for shown, code in choices.by_name.items()}
        for code, label in choices.labels.items():
            if names_by_code[code] != label:
                yield f"{names_by_code[code]} = {label}"
            elif choices.are_values:
                yield f"{label} ({code})" if isinstance(code, str) else f"{label} ({code:g})"
            else:
                yield label
    elif pd.api.types.is_numeric_dtype(values.dtype):
        choices = known.numbers(name)
        for code, label in choices.labels.items() if choices else ():
            yield f"{code:g} = {label}"


# -- values ---------------------------------------------------------------------------------


def _to_cells(name: str, raw: pd.Series[Any], known: Known, notes: list[str]) -> list[Any]:
    """Return the values of a column as Excel can hold them; None for missing."""
    values = infer_objects(raw)
    if isinstance(values.dtype, pd.CategoricalDtype):
        groups = values.cat.categories
        plain = _to_cells(name, pd.Series(groups.array), Known(), notes)
        return [None if code < 0 else plain[code] for code in values.cat.codes]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _to_time_cells(name, values, known, notes)
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        notes.append("in seconds")
        values = pd.Series(values.dt.total_seconds())
    if pd.api.types.is_bool_dtype(values.dtype):
        return [None if pd.isna(value) else bool(value) for value in values]
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_complex_dtype(values):
        return [_to_number_cell(value, notes) for value in values]
    texts = [_replace_illegal(text) for text in to_texts(values, notes)]
    replaced = sum(changed for _, changed in texts)
    if replaced:
        notes.append(f"{replaced:,} with control characters, replaced by \ufffd")
    cut = sum(_utf16_length(text) > _LONGEST for text, _ in texts)
    if cut:
        notes.append(f"{cut:,} cut to {_LONGEST:,} characters, the most of a cell")
    missing = values.isna().to_numpy()
    return [
        None if is_missing else _truncate(text)
        for (text, _), is_missing in zip(texts, missing, strict=True)
    ]


def _to_time_cells(name: str, values: pd.Series[Any], known: Known, notes: list[str]) -> list[Any]:
    naive = wall_clock(values, notes)
    day = is_day(name, known, naive)
    cells: list[Any] = []
    for value in naive:
        if pd.isna(value):
            cells.append(None)
            continue
        moment = pd.Timestamp(value).to_pydatetime(warn=False)
        if moment < _FIRST_DAY:
            notes.append("days before March 1900 are written as text; Excel's calendar has none")
            cells.append(moment.date().isoformat() if day else moment.isoformat(" "))
        else:
            cells.append(moment.date() if day else moment)
    return cells


def _to_number_cell(value: Any, notes: list[str]) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, int | np.integer):
        if abs(int(value)) < _EXACT:
            return int(value)
        notes.append("numbers of more than 15 digits are written as text")
        return str(int(value))
    number = float(value)
    if not math.isfinite(number):
        notes.append("infinite numbers are written as text")
        return str(number)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _replace_illegal(text: str) -> tuple[str, bool]:
    whole = _ILLEGAL.sub("\ufffd", text)
    return whole, whole != text


def _utf16_length(text: str) -> int:
    """Return the length in UTF-16, as Excel counts it."""
    return len(text) + sum(char > "\uffff" for char in text) if len(text) > _LONGEST // 2 else 0


def _truncate(text: str) -> str:
    if _utf16_length(text) <= _LONGEST:
        return text
    cut = text.encode("utf-16-le")[: 2 * (_LONGEST - 1)].decode("utf-16-le", "ignore")
    return cut + "…"
