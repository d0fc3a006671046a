"""Write and read SPSS files: ``.sav`` with labels, measures and user-missing values.

pyreadstat cannot write multiple-response sets into the file, so a syntax file that SPSS runs
declares them (``NAME.mrsets.sps``).
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb import files
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.names import SPSS, build_label
from alchemer_nb.export.variables import SELECTED, Variable, build_variables, report_variables
from alchemer_nb.frame.description import ATTRS, Description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.survey.columns import INDEX, AnswerColumn
from alchemer_nb.survey.definition import Question
from alchemer_nb.wire.text import ENGLISH

if TYPE_CHECKING:
    import os

    from alchemer_nb.export.column_facts import Known

SUFFIXES = (".sav", ".zsav")
_MOST_MISSING = 3  # what SPSS allows of a variable
_LINE = 200  # syntax lines of more than 256 bytes are cut by older versions


def to_spss(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, user_missing: bool = True
) -> pd.DataFrame:
    """Write an SPSS file; see ``AlchemerAccessor.to_spss``."""
    pyreadstat = files.import_optional("pyreadstat", "stats")
    target = files.output_path(path, SUFFIXES)
    variables, known = build_variables(frame, SPSS)
    missing = {v.name: r for v in variables if user_missing and (r := _missing_ranges(v))}
    syntax = mrsets_syntax(variables, known)
    syntax_file = files.output_path(target.with_name(f"{target.stem}.mrsets.sps"), (".sps",))
    data = pd.DataFrame({v.name: v.values for v in variables})
    with ExitStack() as stack:
        if syntax or syntax_file.exists():  # an older one would name variables that are gone
            text = syntax or "* This file has no multiple-response sets.\n"
            temporary = stack.enter_context(files.replace_atomically(syntax_file))
            temporary.write_text(text, encoding="utf-8-sig", newline="\n")
        temporary = stack.enter_context(files.replace_atomically(target))
        try:
            pyreadstat.write_sav(
                data,
                temporary,
                file_label=SPSS.cut(known.title, 64),
                column_labels={v.name: v.label for v in variables},
                compress=target.suffix.lower() == ".zsav",
                row_compress=target.suffix.lower() == ".sav",
                variable_value_labels={v.name: v.labels for v in variables if v.labels},
                missing_ranges=missing,
                variable_measure={v.name: v.measure for v in variables},
                variable_format={v.name: f for v in variables if (f := _variable_format(v))},
            )
        except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError) as error:
            raise InvalidArgument(f"SPSS cannot hold this frame: {error}") from None
    return report_variables(variables)


def mrsets_syntax(variables: list[Variable], known: Known) -> str:
    """Return the syntax that declares the multi-selects; ``""`` if there are none."""
    groups: dict[str, list[Variable]] = {}
    for variable in variables:
        if variable.group:
            groups.setdefault(variable.group, []).append(variable)
    lines = []
    for question_id, group in groups.items():
        record = known.record(group[0].column)
        name = f"${_set_name(question_id, record, group)}"
        words = [str(record.get(k) or "") for k in ("question", "row")]
        label = SPSS.cut(build_label(words, SPSS)[0] or name, 250)
        counted = {v.counted for v in group}
        if len(counted) > 1:
            lines.append(f"* {name}: no set: its options count different values, as with ids.")
            continue
        lines += ["MRSETS", f"  /MDGROUP NAME={name}", *_quote_syntax("    LABEL=", label)]
        lines.append("    CATEGORYLABELS=VARLABELS")
        lines.append("    VARIABLES=" + "\n      ".join(v.name for v in group))
        lines.append(f"    VALUE={int(counted.pop())}")
        lines.append(f"  /DISPLAY NAME=[{name}].")
    return "\n".join([*lines, ""]) if lines else ""


def read_spss(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a ``.sav`` or ``.zsav`` file of any program.

    Args:
        path: Name of the file.

    Returns:
        Labelled variables are categories in the order of their codes, ordered if the file says
        "ordinal" and none of them is user-missing; if some value has no label, numbers. "Selected"
        and "Not selected" are booleans. User-missing values stay answers. A variable
        ``response_id`` becomes the index. Variable labels are in ``df.alchemer.codebook``.

    Raises:
        InvalidArgument: There is no such file, or it is not SPSS.
        ConfigurationError: pyreadstat is not installed.

    Example:
        >>> import tempfile, pathlib
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "customers.sav")
        ...     report = df.alchemer.to_spss(path)
        ...     again = read_spss(path)
        >>> again["region"].cat.categories.tolist()
        ['North', 'South', 'East', 'West']
    """
    pyreadstat = files.import_optional("pyreadstat", "stats")
    source = files.input_path(path, SUFFIXES)
    try:
        raw, meta = pyreadstat.read_sav(source, user_missing=True)
    except Exception as error:  # noqa: BLE001 - it raises plain Exception too
        raise InvalidArgument(f"{source} cannot be read as an SPSS file: {error}") from None
    data = {name: _read_column(raw[name], name, meta) for name in raw.columns}
    frame = pd.DataFrame(data)
    if INDEX in frame and frame[INDEX].is_unique and not frame[INDEX].isna().any():
        frame = frame.astype({INDEX: np.int64}).set_index(INDEX)
    labels = meta.column_names_to_labels
    columns = {name: _described(name, labels.get(name) or "") for name in frame.columns}
    about = {"title": meta.file_label or ""}
    options = FrameOptions(metadata="none")
    frame.attrs[ATTRS] = Description(options=options, columns=columns, about=about).to_json()
    return frame


# -- writing --------------------------------------------------------------------------------


def _missing_ranges(variable: Variable) -> list[Any]:
    """Return the ranges of user-missing values: the codes of "not applicable" options."""
    codes = [code for code in variable.missing if code in variable.labels]
    if len(codes) > _MOST_MISSING:
        variable.notes.append("more than three 'not applicable' options: none is user-missing")
        return []
    if codes:
        listed = ", ".join(f"{code:g}" for code in codes)
        variable.notes.append(f"user-missing: {listed}")
    return [{"lo": code, "hi": code} for code in codes]


def _variable_format(variable: Variable) -> str | None:
    if variable.kind == "date":
        return "DATE11"
    if variable.kind != "number":
        return None
    values = variable.values.dropna()
    if len(values) and not (values == values.round()).all():
        return None
    ends = (values.min(), values.max()) if len(values) else (0.0,)
    digits = max(len(f"{value:.0f}") for value in ends)
    return f"F{min(max(digits, 8), 40)}.0"


def _set_name(question_id: str, record: dict[str, Any], group: list[Variable]) -> str:
    """Return the name of a set: the alias if the variables begin with it, else the id."""
    stem = str(record.get("alias") or "")
    alike = stem.isidentifier() and all(v.name.startswith(f"{stem}_") for v in group)
    return stem[:50] if alike else f"q{question_id}"


def _quote_syntax(head: str, text: str) -> list[str]:
    """Return the syntax lines of a quoted text; a long one is on several lines joined by +."""
    pieces = [text[at : at + _LINE // 2] for at in range(0, len(text), _LINE // 2)] or [""]
    doubled = [piece.replace("'", "''") for piece in pieces]
    return [
        f"{head if number == 0 else '      + '}'{piece}'" for number, piece in enumerate(doubled)
    ]


# -- reading --------------------------------------------------------------------------------


def _read_column(values: pd.Series[Any], name: str, meta: Any) -> Any:
    labels = meta.variable_value_labels.get(name)
    kind = meta.original_variable_types.get(name, "")
    if kind.startswith("A"):
        return pd.array([v if isinstance(v, str) and v else None for v in values], text_dtype())
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    if pd.api.types.is_object_dtype(values.dtype):
        return _to_dates(values)
    if labels == SELECTED and values.dropna().isin(labels).all():
        return values.astype("boolean")
    if labels and values.dropna().isin(labels).all():
        return _to_categorical(values, labels, _is_ordered(name, labels, meta))
    return values


def _is_ordered(name: str, labels: dict[float, str], meta: Any) -> bool:
    """Check whether the labels are a scale, which has no user-missing values."""
    ranges = meta.missing_ranges.get(name, ())
    any_missing = any(each["lo"] <= code <= each["hi"] for each in ranges for code in labels)
    return meta.variable_measure.get(name) == "ordinal" and not any_missing


def _to_dates(values: pd.Series[Any]) -> pd.Series[Any]:
    """Convert dates, which pyreadstat returns as objects; times of day stay objects."""
    try:
        return pd.Series(pd.to_datetime(values)).astype("datetime64[us]")
    except (ValueError, TypeError, OverflowError):
        return values


def _to_categorical(
    values: pd.Series[Any], labels: dict[float, str], ordered: bool
) -> pd.Categorical:
    codes = sorted(labels)
    texts = [labels[code] for code in codes]
    names = [f"{n} [{c:g}]" if texts.count(n) > 1 else n for n, c in zip(texts, codes, strict=True)]
    position = {code: number for number, code in enumerate(codes)}
    index = pd.Index(names, dtype=text_dtype())
    return pd.Categorical.from_codes(
        [position.get(value, -1) for value in values], categories=index, ordered=ordered
    )


def _described(name: str, label: str) -> AnswerColumn:
    question = Question(name, "", "", {ENGLISH: label} if label else {})
    return AnswerColumn(name, "text", (name,), question, planned=False)
