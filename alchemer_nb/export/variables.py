"""The columns of a frame as variables of SPSS or Stata: names, labels, codes, values."""

from __future__ import annotations

import datetime
import decimal
import numbers
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.column_facts import Choices, Known
from alchemer_nb.export.names import Dialect, build_label, clean, legal_names
from alchemer_nb.frame.reasons import CELL_STATES
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.wire.text import counted, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from alchemer_nb.survey.columns import AnswerPath

Kind = Literal["number", "text", "date", "moment"]
_EXACT = 2**53  # beyond it floating point skips whole numbers
_FIRST_YEAR = 1583  # SPSS counts from October 1582
_MOST_NAMES = 12  # in a warning
SELECTED = {0.0: "Not selected", 1.0: "Selected"}
_YES = {0.0: "No", 1.0: "Yes"}
LOST = (
    "this frame carries no description of a survey, so the file has no words, labels and codes of "
    "one. df.alchemer.join (in place of merge), original.alchemer.attach(df) and "
    "alchemer_nb.stack_waves (in place of concat) keep it"
)
PLAIN = "plain=True writes the columns as pandas would, without labels"
# The kinds of missing that a file distinguishes; what an analyst removed is plain empty.
KINDS = tuple(state for state in CELL_STATES if state not in ("answered", "removed"))


@dataclass
class Variable:
    """A variable of the file.

    Attributes:
        column: Name of the column in the frame.
        values: float64, datetime64, ``date`` objects or ``str``, by kind.
        kind: Kind of the values.
        labels: Code -> value label.
        missing: Codes of "not applicable" options, each with its label.
        kinds: Why each empty cell is empty, None in other rows; None if it is not asked for.
        measure: ``"nominal"``, ``"ordinal"`` or ``"scale"``.
        notes: Differences from the frame.
        name: Name that the program allows.
        label: Label that the program allows.
        cut: Whether the label was cut.
        group: Path of the multi-select that the variable is an option of.
        counted: The value that means "chosen".
        is_own: Whether the categories are not the survey's, and their codes 1, 2, ….
    """

    column: str
    values: pd.Series[Any]
    kind: Kind
    labels: dict[Any, str] = field(default_factory=dict)
    missing: dict[Any, str] = field(default_factory=dict)
    kinds: np.ndarray | None = None
    measure: str = "nominal"
    notes: list[str] = field(default_factory=list)
    name: str = ""
    label: str = ""
    cut: bool = False
    group: AnswerPath = ()
    counted: float = 1.0
    is_own: bool = False


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export with labels; see ``AlchemerAccessor.to_spss``.

    Attributes:
        user_missing: Whether "not applicable" options are missing values.
        codes: Column -> the question whose codes it has, or category -> code.
        plain: Whether the columns are written without labels.
        kinds: Why each cell is empty, as ``df.alchemer.missing()`` says; None not to write it.
    """

    user_missing: bool = True
    codes: Mapping[str, Any] = field(default_factory=dict)
    plain: bool = False
    kinds: pd.DataFrame | None = None


def build_variables(
    frame: pd.DataFrame, dialect: Dialect, options: ExportOptions
) -> tuple[list[Variable], Known]:
    """Build the variables of a frame, from its index and its columns.

    What the file does not have as the survey has it is a Python warning, one in all.

    Returns:
        The variables, and the facts about the columns.

    Raises:
        InvalidArgument: The frame has no columns, or ``codes`` does not fit.
    """
    known = Known() if options.plain else Known.of(frame)
    named = list(named_columns(frame))
    if not named:
        raise InvalidArgument("the frame has no columns to write")
    _check_codes(options, [name for name, _ in named])
    variables = [_build_variable(name, values, known, dialect, options) for name, values in named]
    wanted = [variable.column for variable in variables]
    fallbacks = [str(known.record(name).get("column_id") or name) for name in wanted]
    labelled = [bool(variable.labels) for variable in variables]
    names = legal_names(wanted, dialect, fallbacks, labelled)
    for variable, name in zip(variables, names, strict=True):
        variable.name = name
        if not options.plain:
            variable.label, variable.cut = build_label(known.pieces(variable.column), dialect)
        if not options.user_missing:
            variable.missing = {}
        _fit_labels(variable, dialect)
        _add_kinds(variable, known, options.kinds)
    if not options.plain:
        broken = _break_sets(variables, known)
        _warn(known, [v.column for v in variables if v.is_own], broken)
    return variables, known


def _check_codes(options: ExportOptions, names: Sequence[str]) -> None:
    if not hasattr(options.codes, "items"):
        raise InvalidArgument("codes is a dict: column -> question, or column -> {category: code}")
    for name in options.codes:
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise InvalidArgument(f"codes: the frame has no column {str(name)!r}{hint}")
    if options.plain and (options.codes or options.kinds is not None):
        raise InvalidArgument("plain=True writes no codes and no kinds of missing: leave one out")


def _break_sets(variables: Sequence[Variable], known: Known) -> list[str]:
    """Take the options of incomplete multi-selects out of their sets; return what is missing."""
    missing = []
    for path, names in known.sets().items():
        group = [variable for variable in variables if variable.group == path]
        lacking = [name for name in names if name not in {v.column for v in group}]
        if group and lacking:
            missing += lacking
            for variable in group:
                variable.group = ()
                variable.notes.append(f"in no multiple-response set, without {lacking[0]}")
    return missing


def _warn(known: Known, own: Sequence[str], broken: Sequence[str]) -> None:
    """Warn of what is not as in the survey, at the line of the caller of the accessor."""
    texts = [LOST] if known.is_lost else []
    if own:
        question = "" if known.is_lost else f'codes={{{own[0]!r}: "the question"}} or '
        texts.append(
            f"{_listed(own)}: not all categories are options of the survey, so the codes are 1, 2, "
            f'… in their order. {question}codes={{{own[0]!r}: {{"a category": 5, …}}}} writes '
            "other ones"
        )
    if broken:
        texts.append(
            f"no multiple-response set is written where an option is not here: {_listed(broken)}"
        )
    if texts:
        if known.is_lost or own:
            texts.append(PLAIN)
        warnings.warn(". ".join(texts), stacklevel=5)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(repr, names[:_MOST_NAMES])) + more


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


def _build_variable(
    name: str, raw: pd.Series[Any], known: Known, dialect: Dialect, options: ExportOptions
) -> Variable:
    values = infer_objects(raw)
    given: Choices | None = None
    if name in options.codes:
        values, given = _with_codes(name, values, options.codes[name], known, dialect)
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _from_category(name, values, known, dialect, given, plain=options.plain)
    if pd.api.types.is_bool_dtype(dtype):
        return _from_boolean(name, values, known, plain=options.plain)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _from_numbers(name, values, known, dialect, given)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _from_datetimes(name, values, known)
    if pd.api.types.is_timedelta64_dtype(dtype):
        seconds = _floats(values.dt.total_seconds())
        return Variable(name, seconds, "number", measure="scale", notes=["in seconds"])
    return _from_texts(name, values, dialect)


def _with_codes(
    name: str, values: pd.Series[Any], given: object, known: Known, dialect: Dialect
) -> tuple[pd.Series[Any], Choices]:
    """Return a column with its choices in ``codes``; texts become categories."""
    whole = dialect.whole_codes
    if pd.api.types.is_bool_dtype(values.dtype):
        raise InvalidArgument(f"codes: {name!r} is true or false and has no categories")
    if pd.api.types.is_numeric_dtype(values.dtype):
        choices = known.given_choices(name, given, (), whole=whole)
        lacking = sorted(set(_floats(values).dropna()) - set(choices.labels))
        if lacking:
            raise InvalidArgument(f"codes for {name!r} leave out {lacking[0]:g}")
        return values, choices
    if not isinstance(values.dtype, pd.CategoricalDtype):
        if not all(isinstance(value, str) for value in values.dropna()):
            raise InvalidArgument(f"codes: {name!r} has neither categories nor texts")
        values = values.astype("category")
    groups = [str(group) for group in values.cat.categories]
    return values, known.given_choices(name, given, groups, whole=whole)


def _from_category(
    name: str,
    values: pd.Series[Any],
    known: Known,
    dialect: Dialect,
    given: Choices | None,
    *,
    plain: bool,
) -> Variable:
    groups = values.cat.categories
    is_number = pd.api.types.is_numeric_dtype(groups) and not pd.api.types.is_bool_dtype(groups)
    if is_number and given is None:
        variable = _from_numbers(name, values.astype("float64"), known, dialect, None)
        variable.measure = "ordinal" if values.cat.ordered else "nominal"
        return variable
    if plain:
        return _from_texts(name, values.astype(object), dialect)
    texts = [str(group) for group in groups]
    used = {texts[code] for code in values.cat.codes.unique() if code >= 0}
    choices = given or known.choices(name, texts, used, whole=dialect.whole_codes)
    is_own = choices is None and not known.is_metadata(name)
    if choices is None:
        choices = known.own_choices(name, texts, known.in_use.left_texts(name, values))
        by_group: list[Any] = [float(number) for number in range(1, len(texts) + 1)]
    else:
        by_group = [choices.by_name.get(text) for text in texts]  # None: no cell holds it
    is_text = any(isinstance(code, str) for code in choices.labels)
    dtype: Any = object if is_text else np.float64
    table = np.array([*by_group, "" if is_text else np.nan], dtype=dtype)
    return Variable(
        name,
        pd.Series(table[values.cat.codes.to_numpy()]),
        "text" if is_text else "number",
        dict(choices.labels),
        {code: choices.labels.get(code, "") for code in choices.not_applicable},
        measure="ordinal" if values.cat.ordered or choices.ordered else "nominal",
        notes=[choices.note],
        is_own=is_own,
    )


def _from_boolean(name: str, values: pd.Series[Any], known: Known, *, plain: bool) -> Variable:
    is_option = known.record(name).get("part") == "option"
    labels = dict(SELECTED if is_option else _YES)
    if name in known.described and set(known.described[name].labels) <= set(labels):
        labels = dict(known.described[name].labels)
    variable = Variable(name, _floats(values), "number", {} if plain else labels)
    variable.group = known.set_of(name)
    return variable


def _from_numbers(
    name: str, values: pd.Series[Any], known: Known, dialect: Dialect, given: Choices | None
) -> Variable:
    floats = _floats(values)
    record, column = known.record(name), known.column(name)
    beyond = ~(floats.abs() <= dialect.largest) & floats.notna()
    floats = floats.mask(beyond)
    variable = Variable(name, floats, "number", measure="scale")
    if beyond.any():
        variable.notes.append(f"{int(beyond.sum()):,} infinite or too large, written as missing")
    if name == INDEX:
        variable.measure = "nominal"
    if record.get("part") == "option" and column is not None and column.kind == "boolean":
        chosen = sorted(set(floats.dropna()) - {0.0})
        if len(chosen) < 2:  # codes or ids: one number means "chosen"
            variable.counted = chosen[0] if chosen else 1.0
            variable.labels = {0.0: SELECTED[0.0], variable.counted: SELECTED[1.0]}
            variable.measure, variable.group = "nominal", column.path[:-1]
        return variable
    choices = given or known.numbers(name)
    if choices is not None:
        variable.labels = dict(choices.labels)
        variable.missing = {code: choices.labels.get(code, "") for code in choices.not_applicable}
        if given is not None or (column is not None and column.kind == "category"):
            variable.measure = "ordinal" if choices.ordered else "nominal"
    if pd.api.types.is_integer_dtype(values.dtype) and (floats.abs() > _EXACT).any():
        variable.notes.append("whole numbers beyond 2^53 are rounded")
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
            notes.append(f"{blank:,} with blanks at the end, which {dialect.program} does not keep")
    longest = dialect.longest_text
    if longest is not None:
        shorter = [dialect.cut(text, longest) for text in texts]
        cut_count = sum(a != b for a, b in zip(texts, shorter, strict=True))
        if cut_count:
            notes.append(f"{cut_count:,} cut to {longest:,} bytes")
        texts = shorter
    return Variable(name, pd.Series(texts, dtype=object), "text", notes=notes)


def _fit_labels(variable: Variable, dialect: Dialect) -> None:
    """Cut value labels, and drop those of codes that the program cannot label."""
    labels, cut, odd = {}, 0, 0
    for code, label in variable.labels.items():
        short = dialect.cut(clean(label)[0] or " ", dialect.longest_value_label)
        cut += short != label
        if code in variable.missing:
            variable.missing[code] = short
        is_number = not isinstance(code, str)
        if dialect.whole_codes and is_number and (code != int(code) or abs(code) >= 2**31 - 100):
            odd += code not in variable.missing
        else:
            labels[code] = short
    variable.labels = labels
    if cut:
        variable.notes.append(f"{counted(cut, 'value label')} cut or mended")
    if odd:
        variable.notes.append(
            f"{counted(odd, 'value label')} left out: only whole numbers have them"
        )


def _add_kinds(variable: Variable, known: Known, kinds: pd.DataFrame | None) -> None:
    """Add the reasons of empty cells to a variable of numbers."""
    if kinds is None:
        return
    name: str | None = variable.column
    if name not in kinds:
        name = known.label_column(variable.column)
        if name not in kinds:
            return
    reasons = kinds[name].astype(object).to_numpy()
    empty = variable.values.isna() if variable.kind != "text" else variable.values == ""
    is_known = empty.to_numpy(dtype=bool) & np.isin(reasons, KINDS)
    if variable.kind == "number":
        variable.kinds = reasons.copy()
        variable.kinds[~is_known] = None
    elif is_known.any():
        variable.notes.append("why cells are empty is not written: only numbers hold it")


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
