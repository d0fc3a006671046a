"""Read the cells of a frame back: which option, number or text each of them holds.

The frame at hand is the only source, so what was changed in it counts. A text in ``_raw`` belongs
to its cell if the cell is what the text is written as; else the cell was changed, and it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import choose_names, column_words
from alchemer_nb.frame.description import response_ids
from alchemer_nb.frame.long import as_text
from alchemer_nb.frame.values import (
    BLANK,
    UNKNOWN,
    is_coded,
    is_plain_number,
    mark_of_chosen,
    option_names,
    write_category,
)
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.survey.scales import read_number
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alchemer_nb.frame.description import Description
    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn, AnswerPath


_Key = TypeVar("_Key")


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one column, apart from how its values are written.

    Attributes:
        values: Of a category the texts that are no option (object, None elsewhere), else numbers
            (float64), days (datetime64), nullable booleans, or texts (object, None for missing).
        options: Position of each cell's option among the choices, or ``BLANK``, ``UNKNOWN`` (no
            option); of categories and numbers.
    """

    values: Any
    options: np.ndarray = field(default_factory=lambda: np.array([], dtype=np.int64))


@dataclass(eq=False)
class FrameCells:
    """What a frame holds.

    Attributes:
        ids: Response ids, one for each row of the wide shape (int64).
        cells: Column id -> its cells.
        raw: Column id -> the texts of its ``_raw`` column (object).
        halves: Column id -> what of ``values="both"`` is there, if the other half was dropped.
        about_rows: The metadata columns.
        urls: Url variable -> its column.
        others: The columns of the user.
    """

    ids: np.ndarray
    cells: dict[str, Cells] = field(default_factory=dict)
    raw: dict[str, np.ndarray] = field(default_factory=dict)
    halves: dict[str, Values] = field(default_factory=dict)
    about_rows: dict[str, pd.Series[Any]] = field(default_factory=dict)
    urls: dict[str, pd.Series[Any]] = field(default_factory=dict)
    others: dict[Any, pd.Series[Any]] = field(default_factory=dict)


def read_wide(frame: pd.DataFrame, made: Description) -> FrameCells:
    """Read a frame of the wide shape.

    Raises:
        InvalidArgument: A column holds something that its kind does not have, or both columns of
            ``values="both"`` are there and disagree.
    """
    result = FrameCells(response_ids(frame).to_numpy(np.int64))
    languages = made.languages
    codes = _first_of((name, code) for code, name in made.codes.items() if code in frame)
    names = _first_of(  # a list has the id of its question, which a second answer has, too
        ((column.part, column.id), name)
        for name, column in made.columns.items()
        if name in frame or name in codes
    )
    urls = _first_of((variable, name) for name, variable in made.urls.items() if name in frame)
    result.raw = {
        raw_owner(made.columns[name]): read_texts(frame[name])
        for name in names.values()
        if made.columns[name].part == "raw"
    }
    for name in names.values():
        column = made.columns[name]
        if column.part == "raw":
            continue
        is_code = name not in frame  # the labels were dropped, their codes were not
        written = "code" if is_code else made.options.rendered
        series = frame[codes[name] if is_code else name]
        raw = result.raw.get(column.id)
        if column.kind == "list":
            options = option_names(column.choices, written, languages)
            parts = _read_lists(series, options)
            result.cells |= {c.id: p for c, p in zip(column.option_columns, parts, strict=True)}
            continue
        cells = result.cells[column.id] = _read_column(series, column, written, languages, raw)
        if is_code or (name not in codes and made.options.values == "both"):
            result.halves[column.id] = "code" if is_code else "label"
        elif name in codes:
            _check_codes(frame[codes[name]], write_cells(column, cells, "code", languages), name)
    result.about_rows = {
        name: frame[name] for name in (*made.metadata, *made.fields) if name in frame
    }
    result.urls = {variable: frame[name] for variable, name in urls.items()}
    known = {INDEX, *result.about_rows, *names.values(), *codes.values(), *urls.values()}
    result.others = {name: frame[name] for name in frame.columns if name not in known}
    return result


def _first_of(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, str]:
    """Return key -> first value; of two columns of one meaning, the other one is the user's."""
    found: dict[_Key, str] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def read_long(frame: pd.DataFrame, made: Description) -> FrameCells:
    """Read a frame of the long shape; an answer is in ``value``.

    Raises:
        InvalidArgument: Rows or values do not fit, or ``value`` and ``code`` or ``option_id``
            disagree.
    """
    _check_long(frame, made)
    positions, ids = pd.factorize(frame[INDEX].to_numpy())
    result = FrameCells(np.asarray(ids, dtype=np.int64))
    rows_of = frame.groupby("column", sort=False).indices
    texts = read_texts(frame["value"])
    columns = _columns_of_long(made)
    by_column: dict[str, np.ndarray] = {}
    answered: dict[AnswerPath, np.ndarray] = {}
    for name, column in columns.items():
        rows = np.asarray(rows_of.get(name, ()), dtype=np.int64)
        by_row = by_column[name] = np.full(len(ids), None, dtype=object)
        by_row[positions[rows]] = texts[rows]
        if column.kind == "boolean":
            stem = answered.setdefault(column.path[:-1], np.zeros(len(ids), dtype=bool))
            stem |= ~pd.isna(by_row)
        elif column.part == "raw":
            result.raw[raw_owner(column)] = by_row
    for name, column in columns.items():
        if column.part == "raw":
            continue
        if column.kind == "boolean":
            cells = _read_chosen(by_column[name], column, made, answered[column.path[:-1]])
        else:
            cells = _read_long_column(by_column[name], column, made, result.raw)
        result.cells[column.id] = cells
        if column.kind == "category" and column.part == "answer":
            rows = np.asarray(rows_of.get(name, ()), dtype=np.int64)
            _check_option_fields(frame.iloc[rows], positions[rows], column, cells, made)
    return result


def write_cells(
    column: AnswerColumn, cells: Cells, values: Values, languages: Sequence[str | None]
) -> Any:
    """Return the values of a category."""
    return write_category(column, cells.options, cells.values, values, languages)


def raw_owner(column: AnswerColumn) -> str:
    """Return the id of the column to which a column of answers as received belongs."""
    return column.id.removesuffix("_raw")


def read_texts(series: Any) -> np.ndarray:
    """Return values as texts (object), None for missing."""
    texts = np.array(series, dtype=object)
    is_missing = np.asarray(pd.isna(texts), dtype=bool)
    texts[is_missing] = None
    for row in np.flatnonzero([not isinstance(text, str) for text in texts]).tolist():
        if texts[row] is not None:
            texts[row] = id_text(texts[row])
    return texts


def _read_column(
    series: Any,
    column: AnswerColumn,
    values: Values,
    languages: Sequence[str | None],
    raw: np.ndarray | None,
) -> Cells:
    """Return the cells of a column of the wide shape."""
    if column.kind == "category":
        if is_coded(column, values):
            return _read_codes(_numbers(series), column, raw)
        names = option_names(column.choices, values, languages)
        if getattr(series.dtype, "categories", series).dtype.kind in "biufcmM":
            if not {*names, None}.issuperset(read_texts(series)):
                raise _misfit(series.name, "the question's options")
        elif isinstance(series.dtype, pd.CategoricalDtype):
            return _read_names(series.array.codes, series.array.categories, names, raw)
        return _read_names(*pd.factorize(read_texts(series)), names, raw)
    if column.kind == "number":
        return _read_numbers(_numbers(series), column, values, raw)
    if column.kind == "boolean":
        return Cells(_booleans(series, mark_of_chosen(column, values)))
    if column.kind == "date":
        return Cells(_days(series))
    return Cells(read_texts(series))


def _read_names(
    codes: np.ndarray, distinct: Any, names: Sequence[str], raw: np.ndarray | None
) -> Cells:
    """Return the cells of a category from the positions of its distinct texts, -1 for missing."""
    positions = {name: position for position, name in enumerate(names)}
    found = [text if isinstance(text, str) else id_text(text) for text in distinct.tolist()]
    options = np.array([*(positions.get(text, UNKNOWN) for text in found), BLANK])[codes]
    texts = np.array([*found, None], dtype=object)[codes]
    if raw is not None:
        options[[r is not None and r == t for r, t in zip(raw, texts, strict=True)]] = UNKNOWN
    texts[options != UNKNOWN] = None
    return Cells(texts, options)


def _read_codes(numbers: np.ndarray, column: AnswerColumn, raw: np.ndarray | None) -> Cells:
    options = _find_options(numbers, [option.value for option in column.choices])
    is_own_text = options == UNKNOWN
    texts = np.full(len(numbers), None, dtype=object)
    texts[is_own_text] = [id_text(number) for number in numbers[is_own_text].tolist()]
    if raw is not None:
        is_raw = _is_number_of(raw, numbers)
        options[is_raw], texts[is_raw] = UNKNOWN, raw[is_raw]
    return Cells(texts, options)


def _read_numbers(
    numbers: np.ndarray, column: AnswerColumn, values: Values, raw: np.ndarray | None
) -> Cells:
    is_id = values == "id" and bool(column.choices)
    spellings = [option.id if is_id else option.value for option in column.choices]
    options = _find_options(numbers, spellings)
    if raw is not None:
        options[_is_number_of(raw, numbers) & ~np.isnan(numbers)] = UNKNOWN
    if is_id:
        table = np.array([read_number(option.value) for option in column.choices])
        numbers = np.where(options >= 0, table[np.maximum(options, 0)], numbers)
    return Cells(numbers, options)


def _find_options(numbers: np.ndarray, spellings: Iterable[str]) -> np.ndarray:
    """Return the position of the option of each number."""
    by_number = {read_number(text): position for position, text in enumerate(spellings)}
    codes, distinct = pd.factorize(numbers)
    found = [by_number.get(number, UNKNOWN) for number in distinct.tolist()]
    return np.array([*found, BLANK], dtype=np.int64)[codes]


def _is_number_of(raw: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the mask of the texts that are written as the number of their cell."""
    texts = np.array([np.nan if text is None else read_number(text) for text in raw], dtype=float)
    is_same = (texts == numbers) | (np.isnan(texts) & np.isnan(numbers))
    there: np.ndarray = is_same & ~np.asarray(pd.isna(raw), dtype=bool)
    return there


def _numbers(series: Any) -> np.ndarray:
    if series.isna().all():  # of any dtype
        return np.full(len(series), np.nan)
    # NumPy would convert dates to nanoseconds.
    if not isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.kind not in "bmM":
        try:
            return np.array(series.to_numpy(dtype=np.float64, na_value=np.nan))
        except (ValueError, TypeError):
            pass
    raise _misfit(series.name, "numbers")


def _days(series: Any) -> np.ndarray:
    if series.isna().all():  # of any dtype
        return np.full(len(series), np.datetime64("NaT"), dtype="datetime64[us]")
    if series.dtype.kind != "M" or getattr(series.dtype, "tz", None) is not None:
        raise _misfit(series.name, "days without a time zone")
    return np.array(series.to_numpy(dtype="datetime64[us]"))


def _booleans(series: Any, mark: int) -> Any:
    needed = f"True, False, 0 or {mark}"
    try:
        codes, distinct = pd.factorize(series)
    except TypeError:  # such as lists
        raise _misfit(series.name, needed) from None
    found = distinct.tolist()
    if any(value not in (0, mark) for value in found):
        raise _misfit(series.name, needed)
    chosen = np.array([*map(bool, found), False])[codes]
    return pd.arrays.BooleanArray(chosen, codes < 0)


def _read_lists(series: Any, names: Sequence[str]) -> list[Cells]:
    """Return the cells of each option."""
    cells = series.to_numpy(dtype=object)
    is_list = np.array([isinstance(cell, (list, tuple, np.ndarray)) for cell in cells], dtype=bool)
    rest = pd.isna(pd.Series(cells[~is_list], dtype=object))
    if not rest.all() or {str(name) for cell in cells[is_list] for name in cell} - {*names}:
        raise _misfit(series.name, "lists of the question's options")
    result = []
    for name in names:
        chosen = [a and name in [*cell] for a, cell in zip(is_list, cells, strict=True)]
        result.append(Cells(pd.arrays.BooleanArray(np.array(chosen, dtype=bool), ~is_list)))
    return result


def _check_codes(series: Any, expected: Any, name: str) -> None:
    """Check the codes of labels against the labels, as both can be changed."""
    everything = np.arange(len(series))
    if isinstance(expected, np.ndarray):
        is_same = np.array_equal(_numbers(series), expected, equal_nan=True)
    else:
        is_same = [*read_texts(series)] == as_text(expected, everything)
    if not is_same:
        raise InvalidArgument(
            f"columns {name!r} and {series.name!r} disagree",
            hint=f"Drop {series.name!r}, or change both",
        )


def _check_long(frame: pd.DataFrame, made: Description) -> None:
    if "value" not in frame:
        raise InvalidArgument("the long frame has no column 'value' any more")
    if not set(frame["column"].dropna()) <= made.columns.keys():
        raise InvalidArgument("the long frame has rows of columns that the survey does not have")
    if frame.loc[frame["column"].notna(), [INDEX, "column"]].duplicated().any():
        raise InvalidArgument("the long frame has two rows of one response and column")


def _columns_of_long(made: Description) -> dict[str, AnswerColumn]:
    """Return the columns that a long frame may have, as it does not list those without rows."""
    options = made.options
    names: Iterable[str] = made.columns
    if options.columns is not None:
        known = set(made.columns).union(*map(column_words, made.columns.values()))
        wanted = [word for word in options.columns if word in known]  # no metadata in this shape
        names = choose_names(wanted, made.columns, made.columns)
    return {name: made.columns[name] for name in names if name in made.columns}


def _read_long_column(
    texts: np.ndarray, column: AnswerColumn, made: Description, raw: dict[str, np.ndarray]
) -> Cells:
    """Return the cells of a column from its texts; a text that is no number becomes raw."""
    if column.kind == "category":
        names = option_names(column.choices, "label", made.languages)
        return _read_names(*pd.factorize(texts), names, raw.get(column.id))
    if column.kind == "number":
        numbers = np.array([np.nan if t is None else read_number(t) for t in texts], dtype=float)
        for row in np.flatnonzero(~pd.isna(texts)).tolist():
            if not is_plain_number(texts[row], numbers[row]):
                beside = raw.setdefault(column.id, np.full(len(texts), None, dtype=object))
                beside[row] = texts[row] if beside[row] is None else beside[row]
        return _read_numbers(numbers, column, "label", raw.get(column.id))
    if column.kind == "date":
        try:
            return Cells(texts.astype("datetime64[us]"))
        except ValueError:
            raise _misfit("value", "dates such as 2026-01-31 for questions of dates") from None
    return Cells(texts)


def _read_chosen(
    texts: np.ndarray, column: AnswerColumn, made: Description, answered: np.ndarray
) -> Cells:
    label = column.option.label(*made.languages) if column.option else ""
    if not {text for text in texts if text is not None} <= {label, column.path[-1]}:
        raise _misfit("value", "the label of the option that the column is about")
    return Cells(pd.arrays.BooleanArray(~pd.isna(texts), ~answered))


def _check_option_fields(
    rows: pd.DataFrame, at: np.ndarray, column: AnswerColumn, cells: Cells, made: Description
) -> None:
    """Check the code and option id of each label, as all can be changed."""
    kinds: tuple[tuple[str, Values], ...] = (("code", "code"), ("option_id", "id"))
    for name, values in kinds:
        if name in rows:
            expected = as_text(write_cells(column, cells, values, made.languages), at)
            found = read_texts(rows[name]).tolist()
            if any(f not in (None, e) for f, e in zip(found, expected, strict=True)):
                raise InvalidArgument(
                    f"'value' and {name!r} of the long frame disagree",
                    hint=f"Drop {name!r}, or change both",
                )


def _misfit(name: Any, wanted: str) -> InvalidArgument:
    return InvalidArgument(
        f"column {name!r} does not hold {wanted} any more", hint="Keep it under another name"
    )
