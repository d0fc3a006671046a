"""The columns of a frame as variables of SPSS or Stata: names, labels, codes, plain values."""

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
from alchemer_nb.export.names import Dialect, clean, label_of, legal_names
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import is_ordered
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alchemer_nb.survey.columns import Column

Kind = Literal["number", "text", "date", "moment"]
_EXACT = 2**53  # beyond it floating point skips whole numbers
_FIRST_YEAR = 1583  # SPSS counts from October 1582
_SELECTED = {0.0: "Not selected", 1.0: "Selected"}
_YES = {0.0: "No", 1.0: "Yes"}


@dataclass
class Variable:
    """One column, ready to be written.

    Attributes:
        column: Its name in the frame.
        values: float64, datetime64, ``date`` objects or ``str``, by kind.
        kind: What the values are.
        labels: Value labels by code.
        missing: Codes that say that there is no answer.
        measure: ``"nominal"``, ``"ordinal"`` or ``"scale"``.
        notes: What is not as in the frame.
        name: Legal name.
        label: Legal label.
        cut: Whether the label was cut.
        group: Question whose options were chosen or not, ``""`` where it is none.
        counted: The value that says "chosen".
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


def variables(frame: pd.DataFrame, dialect: Dialect) -> tuple[list[Variable], Known]:
    """Every column of a frame, and the index where it says something.

    Raises:
        InvalidArgument: There is nothing to write.
    """
    known = Known.of(frame)
    made = [_variable(name, values, known, dialect) for name, values in columns_of(frame)]
    if not made:
        raise InvalidArgument("the frame has no columns to write")
    wanted = [variable.column for variable in made]
    instead = [str(known.record(name).get("column_id") or name) for name in wanted]
    labelled = [bool(variable.labels) for variable in made]
    names = legal_names(wanted, dialect, instead, labelled)
    for variable, name in zip(made, names, strict=True):
        variable.name = name
        variable.label, variable.cut = label_of(known.pieces(variable.column), dialect)
        _fit_labels(variable, dialect)
    return made, known


def columns_of(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series[Any]]]:
    """Name and values of the index, unless it only counts, and of the columns."""
    index = frame.index
    if not (isinstance(index, pd.RangeIndex) and index.name is None):
        for level, name in enumerate(index.names):
            if name not in frame.columns:
                values = pd.Series(index.get_level_values(level))
                yield _named(name, f"index_{level}" if index.nlevels > 1 else "index"), values
    for place, name in enumerate(frame.columns):
        yield _named(name, f"column_{place}"), frame.iloc[:, place].reset_index(drop=True)


def table(made: list[Variable]) -> pd.DataFrame:
    """What became of each column: the table that an export returns."""
    text = text_dtype()
    data = {
        "column": pd.array([v.column for v in made], dtype=text),
        "variable": pd.array([v.name for v in made], dtype=text),
        "renamed": np.array([v.name != v.column for v in made], dtype=bool),
        "label": pd.array([v.label for v in made], dtype=text),
        "label_cut": np.array([v.cut for v in made], dtype=bool),
        "type": pd.array([v.kind for v in made], dtype=text),
        "measure": pd.array([v.measure for v in made], dtype=text),
        "notes": pd.array(["; ".join(v.notes) for v in made], dtype=text),
    }
    return WordTable(data)


def infer(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects as what it holds, where that is one thing."""
    if not pd.api.types.is_object_dtype(values.dtype):
        return values
    there = [v for v in values if not _is_missing(v)]
    if there and all(isinstance(v, bool | np.bool_) for v in there):
        return pd.Series(pd.array([None if _is_missing(v) else bool(v) for v in values], "boolean"))
    if there and all(_is_number(v) for v in there):
        return pd.Series([np.nan if _is_missing(v) else float(v) for v in values], dtype="float64")
    if there and all(isinstance(v, datetime.date) for v in there):
        try:
            return pd.Series(pd.to_datetime(values))
        except (ValueError, TypeError, OverflowError):
            return values  # of several zones: written as text
    return values


def texts(values: pd.Series[Any], notes: list[str]) -> list[str]:
    """Any values as texts, ``""`` where there are none; lists are joined."""
    seen: set[str] = set()
    made, mended = [], 0
    for value in values:
        if _is_missing(value):
            made.append("")
            continue
        if isinstance(value, list | tuple | set | frozenset | np.ndarray):
            seen.add("lists are joined with '; '")
            value = "; ".join(str(each) for each in value)
        elif not isinstance(value, str):
            seen.add(f"{type(value).__name__} is written as text")
        whole, changed = clean(str(value))
        mended += changed
        made.append(whole)
    notes.extend(sorted(seen))
    if mended:
        notes.append(f"{mended:,} with characters that no text may hold, replaced by \ufffd")
    return made


def wall_clock(values: pd.Series[Any], notes: list[str]) -> pd.Series[Any]:
    """Times without their zone, as the clock there showed them."""
    if isinstance(values.dtype, pd.ArrowDtype):
        values = pd.Series(pd.DatetimeIndex(values.array))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        notes.append(f"wall-clock time of {values.dtype.tz}; files of this kind hold no zones")
        naive: pd.Series[Any] = values.dt.tz_localize(None)
        return naive
    return values


def is_day(name: str, known: Known, values: pd.Series[Any]) -> bool:
    """Whether a column holds days rather than moments."""
    column = known.column(name)
    if column is None or column.kind != "date":
        return False
    return bool((values.dropna() == values.dropna().dt.normalize()).all())


# -- one column -----------------------------------------------------------------------------


def _variable(name: str, raw: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    values = infer(raw)
    dtype = values.dtype
    make: Callable[[str, pd.Series[Any], Known, Dialect], Variable] = _text
    if isinstance(dtype, pd.CategoricalDtype):
        make = _category
    elif pd.api.types.is_bool_dtype(dtype):
        make = _boolean
    elif pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        make = _number
    elif pd.api.types.is_datetime64_any_dtype(dtype):
        make = _moment
    elif pd.api.types.is_timedelta64_dtype(dtype):
        make = _duration
    return make(name, values, known, dialect)


def _category(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    groups = values.cat.categories
    if pd.api.types.is_numeric_dtype(groups.dtype) and not pd.api.types.is_bool_dtype(groups.dtype):
        made = _number(name, values.astype("float64"), known, dialect)
        made.measure = "ordinal" if values.cat.ordered else "nominal"
        return made
    called = [clean(str(group))[0] for group in groups]
    choices = known.choices(name, whole=dialect.whole_codes)
    notes = []
    if choices is not None and any(one in choices.by_name for one in called):
        code_of, labels = dict(choices.by_name), dict(choices.labels)
        strange = [one for one in called if one not in code_of]
        beyond = math.floor(max(labels)) + 1
        for number, one in enumerate(strange, beyond):
            code_of[one], labels[float(number)] = float(number), one
        how = "reporting values" if choices.are_values else "positions of the options"
        notes.append(f"codes are {how}")
        if strange:
            notes.append(f"no options of the survey: codes from {beyond}")
    else:
        choices = None
        code_of = {one: float(number) for number, one in enumerate(called, 1)}
        labels = {float(number): one for number, one in enumerate(called, 1)}
        notes.append("codes are positions of the categories")
    table_ = np.array([*(code_of[one] for one in called), np.nan], dtype=np.float64)
    column = known.column(name)
    ordered = bool(values.cat.ordered) or (
        choices is not None and column is not None and _is_scale(column)
    )
    return Variable(
        name,
        pd.Series(table_[values.cat.codes.to_numpy()]),
        "number",
        labels,
        choices.not_applicable if choices else (),
        "ordinal" if ordered else "nominal",
        notes,
    )


def _boolean(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:  # noqa: ARG001 - one signature for all kinds
    record = known.record(name)
    is_option = record.get("part") == "option"
    made = Variable(name, _floats(values), "number", dict(_SELECTED if is_option else _YES))
    made.group = str(record.get("question_id") or "") if is_option else ""
    return made


def _number(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:
    floats = _floats(values)
    record, column = known.record(name), known.column(name)
    made = Variable(name, floats, "number", measure="scale")
    if name == INDEX:
        made.measure = "nominal"
    if record.get("part") == "option" and column is not None and column.kind == "boolean":
        chosen = sorted(set(floats.dropna()) - {0.0})
        if len(chosen) < 2:  # codes, or ids: one number says "chosen"
            made.counted = chosen[0] if chosen else 1.0
            made.labels = {0.0: _SELECTED[0.0], made.counted: _SELECTED[1.0]}
            made.measure, made.group = "nominal", str(record.get("question_id") or "")
        return made
    choices = known.numbers(name)
    if choices is not None:
        made.labels, made.missing = dict(choices.labels), choices.not_applicable
        if column is not None and column.kind == "category":
            made.measure = "ordinal" if _is_scale(column) else "nominal"
    if pd.api.types.is_integer_dtype(values.dtype) and (floats.abs() > _EXACT).any():
        made.notes.append("whole numbers beyond 2^53 are rounded")
    beyond = ~(floats.abs() <= dialect.largest) & floats.notna()
    if beyond.any():
        made.values = floats.mask(beyond)
        made.notes.append(f"{int(beyond.sum()):,} infinite or too large, written as missing")
    return made


def _moment(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:  # noqa: ARG001 - one signature for all kinds
    notes: list[str] = []
    naive = wall_clock(values, notes)
    years = naive.dropna().dt.year
    if len(years) and not (years.min() >= _FIRST_YEAR and years.max() <= datetime.MAXYEAR):
        notes.append("written as text: some lie outside the calendar of these files")
        written = [None if pd.isna(v) else str(v) for v in naive.to_numpy()]
        return Variable(name, pd.Series(texts(pd.Series(written), [])), "text", notes=notes)
    naive = naive.astype("datetime64[us]")
    kind: Kind = "date" if is_day(name, known, naive) else "moment"
    return Variable(name, naive, kind, measure="scale", notes=notes)


def _duration(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:  # noqa: ARG001 - one signature for all kinds
    seconds = values.dt.total_seconds()
    return Variable(name, _floats(seconds), "number", measure="scale", notes=["in seconds"])


def _text(name: str, values: pd.Series[Any], known: Known, dialect: Dialect) -> Variable:  # noqa: ARG001 - one signature for all kinds
    notes: list[str] = []
    made = texts(values, notes)
    if not dialect.keeps_blanks:
        blank = sum(text.endswith(" ") for text in made)
        if blank:
            notes.append(f"{blank:,} end in blanks, which {dialect.program} does not keep")
    longest = dialect.longest_text
    if longest is not None:
        shorter = [dialect.cut(text, longest) for text in made]
        often = sum(a != b for a, b in zip(made, shorter, strict=True))
        if often:
            notes.append(f"{often:,} cut to {longest:,} bytes")
        made = shorter
    return Variable(name, pd.Series(made, dtype=object), "text", notes=notes)


def _is_scale(column: Column) -> bool:
    """Whether the options are a scale once those that say "no answer" are set aside."""
    steps = tuple(o for o in column.choices if not o.is_not_applicable)
    return is_ordered(replace(column, choices=steps))


def _fit_labels(variable: Variable, dialect: Dialect) -> None:
    """Cuts value labels, and drops those of numbers that cannot have one."""
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
    made = pd.Series(values.array).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(made)


def _named(name: Any, otherwise: str) -> str:
    if isinstance(name, tuple):
        return "_".join(str(piece) for piece in name if piece not in (None, "")) or otherwise
    return otherwise if name is None or str(name) == "" else str(name)


def _is_missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating | decimal.Decimal) and bool(value != value)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, numbers.Real | decimal.Decimal)
