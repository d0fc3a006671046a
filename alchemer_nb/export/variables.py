"""The columns of a frame as variables of SPSS or Stata: names, labels, codes, values."""

from __future__ import annotations

import datetime
import decimal
import math
import numbers
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.column_facts import Known
from alchemer_nb.export.names import Dialect, build_label, clean, legal_names
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.frame.values import is_ordered
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.survey.columns import AnswerColumn

Kind = Literal["number", "text", "date", "moment"]
_EXACT = 2**53  # beyond it floating point skips whole numbers
_FIRST_YEAR = 1583  # SPSS counts from October 1582
SELECTED = {0.0: "Not selected", 1.0: "Selected"}
_YES = {0.0: "No", 1.0: "Yes"}


@dataclass
class Variable:
    """A variable of the file.

    Attributes:
        column: Name of the column in the frame.
        values: float64, datetime64, ``date`` objects or ``str``, by kind.
        kind: Kind of the values.
        labels: Code -> value label.
        missing: Codes of "not applicable" options.
        measure: ``"nominal"``, ``"ordinal"`` or ``"scale"``.
        notes: Differences from the frame.
        name: Name that the program allows.
        label: Label that the program allows.
        cut: Whether the label was cut.
        group: Id of the multi-select that the variable is an option of; ``""`` for none.
        counted: The value that means "chosen".
    """

    column: str
    values: pd.Series[Any]
    kind: Kind
    labels: dict[float, str] = field(default_factory=dict)
    missing: tuple[float, ...] = ()
    measure: str = "nominal"
    notes: list[str] = field(default_factory=list)
    name: str = ""
    label: str = ""
    cut: bool = False
    group: str = ""
    counted: float = 1.0


def build_variables(frame: pd.DataFrame, dialect: Dialect) -> tuple[list[Variable], Known]:
    """Build the variables of a frame, from its index and its columns.

    Returns:
        The variables, and the facts about the columns.

    Raises:
        InvalidArgument: The frame has no columns.
    """
    known = Known.of(frame)
    variables = [
        _build_variable(name, values, known, dialect) for name, values in named_columns(frame)
    ]
    if not variables:
        raise InvalidArgument("the frame has no columns to write")
    wanted = [variable.column for variable in variables]
    fallbacks = [str(known.record(name).get("column_id") or name) for name in wanted]
    labelled = [bool(variable.labels) for variable in variables]
    names = legal_names(wanted, dialect, fallbacks, labelled)
    for variable, name in zip(variables, names, strict=True):
        variable.name = name
        variable.label, variable.cut = build_label(known.pieces(variable.column), dialect)
        _fit_labels(variable, dialect)
    return variables, known


def named_columns(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series[Any]]]:
    """Yield name and values of the index, unless it is a plain count, and of the columns."""
    index = frame.index
    if not (isinstance(index, pd.RangeIndex) and index.name is None):
        for level, name in enumerate(index.names):
            if name not in frame.columns:
                values = pd.Series(index.get_level_values(level))
                yield _column_name(name, f"index_{level}" if index.nlevels > 1 else "index"), values
    for number, name in enumerate(frame.columns):
        yield _column_name(name, f"column_{number}"), frame.iloc[:, number].reset_index(drop=True)


def report_variables(variables: Iterable[Variable]) -> pd.DataFrame:
    """Return the report of an export: one row for each variable."""
    rows = [
        {
            "column": v.column,
            "variable": v.name,
            "renamed": v.name != v.column,
            "label": v.label,
            "label_cut": v.cut,
            "type": v.kind,
            "measure": v.measure,
            "notes": "; ".join(v.notes),
        }
        for v in variables
    ]
    fields = ("column", "variable", "renamed", "label", "label_cut", "type", "measure", "notes")
    return typed_frame(rows, fields, {"renamed": "bool", "label_cut": "bool"})


def infer_objects(values: pd.Series[Any]) -> pd.Series[Any]:
    """Convert a column of objects if all are booleans, numbers or dates."""
    if not pd.api.types.is_object_dtype(values.dtype):
        return values
    present = [v for v in values if not _is_missing(v)]
    if present and all(isinstance(v, bool | np.bool_) for v in present):
        return pd.Series(pd.array([None if _is_missing(v) else bool(v) for v in values], "boolean"))
    if present and all(_is_number(v) for v in present):
        return pd.Series([np.nan if _is_missing(v) else float(v) for v in values], dtype="float64")
    if present and all(isinstance(v, datetime.date) for v in present):
        try:
            return pd.Series(pd.to_datetime(values))
        except (ValueError, TypeError, OverflowError):
            return values  # of several zones: written as text
    return values


def to_texts(values: pd.Series[Any], notes: list[str]) -> list[str]:
    """Return any values as texts, ``""`` for missing ones; lists are joined."""
    seen: set[str] = set()
    texts, replaced = [], 0
    for value in values:
        if _is_missing(value):
            texts.append("")
            continue
        if isinstance(value, list | tuple | set | frozenset | np.ndarray):
            seen.add("lists are joined with '; '")
            value = "; ".join(str(each) for each in value)
        elif not isinstance(value, str):
            seen.add(f"{type(value).__name__} is written as text")
        whole, changed = clean(str(value))
        replaced += changed
        texts.append(whole)
    notes.extend(sorted(seen))
    if replaced:
        notes.append(f"{replaced:,} with characters that no text may hold, replaced by \ufffd")
    return texts


def wall_clock(values: pd.Series[Any], notes: list[str]) -> pd.Series[Any]:
    """Return dates without their zone, as wall-clock time."""
    if isinstance(values.dtype, pd.ArrowDtype):
        values = pd.Series(pd.DatetimeIndex(values.array))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        notes.append(f"wall-clock time of {values.dtype.tz}; files of this kind hold no zones")
        naive: pd.Series[Any] = values.dt.tz_localize(None)
        return naive
    return values


def is_day(name: str, known: Known, values: pd.Series[Any]) -> bool:
    """Check whether a column is a date question with days alone, no times of day."""
    column = known.column(name)
    if column is None or column.kind != "date":
        return False
    return bool((values.dropna() == values.dropna().dt.normalize()).all())


# -- one column -----------------------------------------------------------------------------


def _build_variable(name: str, raw: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    values = infer_objects(raw)
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _from_category(name, values, known, dialect)
    if pd.api.types.is_bool_dtype(dtype):
        return _from_boolean(name, values, known)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _from_numbers(name, values, known, dialect)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _from_datetimes(name, values, known)
    if pd.api.types.is_timedelta64_dtype(dtype):
        seconds = _floats(values.dt.total_seconds())
        return Variable(name, seconds, "number", measure="scale", notes=["in seconds"])
    return _from_texts(name, values, dialect)


def _from_category(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    groups = values.cat.categories
    if pd.api.types.is_numeric_dtype(groups.dtype) and not pd.api.types.is_bool_dtype(groups.dtype):
        variable = _from_numbers(name, values.astype("float64"), known, dialect)
        variable.measure = "ordinal" if values.cat.ordered else "nominal"
        return variable
    texts = [clean(str(group))[0] for group in groups]
    choices = known.choices(name, whole=dialect.whole_codes)
    notes = []
    if choices is not None and any(text in choices.by_name for text in texts):
        code_of, labels = dict(choices.by_name), dict(choices.labels)
        unknown = [text for text in texts if text not in code_of]
        beyond = math.floor(max(labels)) + 1
        for number, text in enumerate(unknown, beyond):
            code_of[text], labels[float(number)] = float(number), text
        how = "reporting values" if choices.are_values else "positions of the options"
        notes.append(f"codes are {how}")
        if unknown:
            notes.append(f"no options of the survey: codes from {beyond}")
    else:
        choices = None
        code_of = {text: float(number) for number, text in enumerate(texts, 1)}
        labels = {float(number): text for number, text in enumerate(texts, 1)}
        notes.append("codes are positions of the categories")
    by_group = np.array([*(code_of[text] for text in texts), np.nan], dtype=np.float64)
    column = known.column(name)
    ordered = bool(values.cat.ordered) or (
        choices is not None and column is not None and _has_ordered_options(column)
    )
    return Variable(
        name,
        pd.Series(by_group[values.cat.codes.to_numpy()]),
        "number",
        labels,
        choices.not_applicable if choices else (),
        "ordinal" if ordered else "nominal",
        notes,
    )


def _from_boolean(name: str, values: pd.Series[Any], known: Known) -> Variable:
    record = known.record(name)
    is_option = record.get("part") == "option"
    variable = Variable(name, _floats(values), "number", dict(SELECTED if is_option else _YES))
    variable.group = str(record.get("question_id") or "") if is_option else ""
    return variable


def _from_numbers(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    floats = _floats(values)
    record, column = known.record(name), known.column(name)
    variable = Variable(name, floats, "number", measure="scale")
    if name == INDEX:
        variable.measure = "nominal"
    if record.get("part") == "option" and column is not None and column.kind == "boolean":
        chosen = sorted(set(floats.dropna()) - {0.0})
        if len(chosen) < 2:  # codes or ids: one number means "chosen"
            variable.counted = chosen[0] if chosen else 1.0
            variable.labels = {0.0: SELECTED[0.0], variable.counted: SELECTED[1.0]}
            variable.measure, variable.group = "nominal", str(record.get("question_id") or "")
        return variable
    choices = known.numbers(name)
    if choices is not None:
        variable.labels, variable.missing = dict(choices.labels), choices.not_applicable
        if column is not None and column.kind == "category":
            variable.measure = "ordinal" if _has_ordered_options(column) else "nominal"
    if pd.api.types.is_integer_dtype(values.dtype) and (floats.abs() > _EXACT).any():
        variable.notes.append("whole numbers beyond 2^53 are rounded")
    beyond = ~(floats.abs() <= dialect.largest) & floats.notna()
    if beyond.any():
        variable.values = floats.mask(beyond)
        variable.notes.append(f"{int(beyond.sum()):,} infinite or too large, written as missing")
    return variable


def _from_datetimes(name: str, values: pd.Series[Any], known: Known) -> Variable:
    notes: list[str] = []
    naive = wall_clock(values, notes)
    years = naive.dropna().dt.year
    if len(years) and not (years.min() >= _FIRST_YEAR and years.max() <= datetime.MAXYEAR):
        notes.append("written as text: some lie outside the calendar of these files")
        written = [None if pd.isna(v) else str(v) for v in naive.to_numpy()]
        return Variable(name, pd.Series(to_texts(pd.Series(written), [])), "text", notes=notes)
    naive = naive.astype("datetime64[us]")
    kind: Kind = "date" if is_day(name, known, naive) else "moment"
    return Variable(name, naive, kind, measure="scale", notes=notes)


def _from_texts(name: str, values: pd.Series[Any], dialect: Dialect) -> Variable:
    notes: list[str] = []
    texts = to_texts(values, notes)
    if not dialect.keeps_blanks:
        blank = sum(text.endswith(" ") for text in texts)
        if blank:
            notes.append(f"{blank:,} end in blanks, which {dialect.program} does not keep")
    longest = dialect.longest_text
    if longest is not None:
        shorter = [dialect.cut(text, longest) for text in texts]
        cut_count = sum(a != b for a, b in zip(texts, shorter, strict=True))
        if cut_count:
            notes.append(f"{cut_count:,} cut to {longest:,} bytes")
        texts = shorter
    return Variable(name, pd.Series(texts, dtype=object), "text", notes=notes)


def _has_ordered_options(column: AnswerColumn) -> bool:
    """Check whether the options are a scale, "not applicable" ones left aside."""
    steps = tuple(o for o in column.choices if not o.is_not_applicable)
    return is_ordered(replace(column, choices=steps))


def _fit_labels(variable: Variable, dialect: Dialect) -> None:
    """Cut value labels, and drop those of codes that the program cannot label."""
    labels, cut, odd = {}, 0, 0
    for code, label in variable.labels.items():
        if dialect.whole_codes and (code != int(code) or abs(code) >= 2**31 - 100):
            odd += 1
            continue
        short = dialect.cut(clean(label)[0] or " ", dialect.longest_value_label)
        cut += short != label
        labels[code] = short
    variable.labels = labels
    if cut:
        variable.notes.append(f"{cut} value labels cut or mended")
    if odd:
        variable.notes.append(f"{odd} value labels left out: only whole numbers have them")


def _floats(values: pd.Series[Any]) -> pd.Series[Any]:
    floats = pd.Series(values.array).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(floats)


def _column_name(name: Any, otherwise: str) -> str:
    if isinstance(name, tuple):
        return "_".join(str(piece) for piece in name if piece not in (None, "")) or otherwise
    return otherwise if name is None or str(name) == "" else str(name)


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, numbers.Real | decimal.Decimal)
