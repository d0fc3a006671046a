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
from alchemer_nb.export.labelled_files import FileVariable, read_labelled
from alchemer_nb.export.names import SPSS, build_label
from alchemer_nb.export.variables import (
    KINDS,
    ExportOptions,
    Variable,
    build_variables,
    report_variables,
)

if TYPE_CHECKING:
    import os

    from alchemer_nb.export.column_facts import Known
    from alchemer_nb.survey.columns import AnswerPath

SUFFIXES = (".sav", ".zsav")
_MOST_MISSING = 3  # what SPSS allows of a variable
_LINE = 200  # syntax lines of more than 256 bytes are cut by older versions


def to_spss(
    frame: pd.DataFrame, path: str | os.PathLike[str], options: ExportOptions
) -> pd.DataFrame:
    """Write an SPSS file; see ``AlchemerAccessor.to_spss``."""
    pyreadstat = files.import_optional("pyreadstat", "stats")
    target = files.output_path(path, SUFFIXES)
    variables, known = build_variables(frame, SPSS, options)
    missing = {v.name: ranges for v in variables if (ranges := _missing_ranges(v))}
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
                column_labels={v.name: v.label or None for v in variables},
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
    groups: dict[AnswerPath, list[Variable]] = {}
    for variable in variables:
        if variable.group:
            groups.setdefault(variable.group, []).append(variable)
    lines = []
    for group in groups.values():
        record = known.record(group[0].column)
        name = f"${_set_name(record, group)}"
        words = [str(record.get(k) or "") for k in ("question", "row")]
        label = SPSS.cut(build_label(words, SPSS)[0] or name, 250)
        counted = {v.counted for v in group}
        if len(counted) > 1:
            lines.append(f"* {name}: no set: its options count different values, as with ids.")
            continue
        lines += ["MRSETS", f"  /MDGROUP NAME={name}", *_label_syntax(label)]
        lines.append("    CATEGORYLABELS=VARLABELS")
        lines.append("    VARIABLES=" + "\n      ".join(v.name for v in group))
        lines.append(f"    VALUE={int(counted.pop())}")
        lines.append(f"  /DISPLAY NAME=[{name}].")
    return "\n".join([*lines, ""]) if lines else ""


def read_spss(path: str | os.PathLike[str], *, user_missing: bool = True) -> pd.DataFrame:
    """Read a ``.sav`` or ``.zsav`` file of any program.

    Args:
        path: Name of the file.
        user_missing: Whether user-missing values stay: as categories where they have labels, as
            numbers such as -99 elsewhere, which then count in means. False makes them NaN.

    Returns:
        Labelled variables, of strings too, are categories in the order of their codes, ordered if
        the file says "ordinal" and none of them is user-missing; if some value has no label,
        numbers or text. "Selected" and "Not selected" are booleans. A variable ``response_id`` of
        different numbers or texts becomes the index. Variable labels are in
        ``df.alchemer.codebook``. ``to_spss`` and ``to_stata`` write the codes of the file again.

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
    return read_labelled(
        path, SUFFIXES, pyreadstat.read_sav, "an SPSS", _describe, user_missing=user_missing
    )


# -- writing --------------------------------------------------------------------------------


def _missing_ranges(variable: Variable) -> list[Any]:
    """Return the ranges of user-missing values, and write the kinds of missing.

    SPSS allows three values, or one range and one value; of strings three values of eight bytes.
    """
    ranges = _write_kinds(variable) if variable.kinds is not None else []
    codes = list(variable.missing)
    if variable.kind == "text":
        if len(codes) > _MOST_MISSING or any(len(code.encode()) > 8 for code in codes):
            variable.notes.append("SPSS cannot hold the user-missing texts: none is declared")
            return []
        return codes
    if len(codes) > (1 if ranges else _MOST_MISSING):
        others = [*variable.values.dropna(), *variable.labels]
        if ranges or any(min(codes) <= c <= max(codes) and c not in codes for c in others):
            _merge_missing(variable)
        else:
            variable.notes.append(f"user-missing: {min(codes):g} to {max(codes):g}")
            return [{"lo": min(codes), "hi": max(codes)}]
    if variable.missing:
        listed = ", ".join(f"{code:g}" for code in variable.missing)
        variable.notes.append(f"user-missing: {listed}")
    return [*ranges, *({"lo": code, "hi": code} for code in variable.missing)]


def _write_kinds(variable: Variable) -> list[Any]:
    """Write the kinds of missing as codes that nothing else of the variable uses."""
    used = np.array([*variable.values.dropna(), *variable.labels, *variable.missing], dtype=float)
    starts = [-(10.0**power) - len(KINDS) for power in range(13)]  # -5 to -2, -14 to -11, …
    free = [a for a in starts if not ((used >= a) & (used < a + len(KINDS))).any()]
    if not free:
        variable.notes.append("kinds of missing are not written: no codes are free for them")
        return []
    codes = {kind: free[0] + number for number, kind in enumerate(reversed(KINDS))}
    at = pd.Series(variable.kinds).map(codes)
    variable.values = variable.values.where(at.isna(), at.astype("float64"))
    variable.labels |= {code: kind for kind, code in codes.items()}
    low, high = min(codes.values()), max(codes.values())
    variable.notes.append(f"kinds of missing: {low:g} to {high:g}")
    return [{"lo": low, "hi": high}]


def _merge_missing(variable: Variable) -> None:
    """Give all "not applicable" options the code of the first: SPSS has no room for more."""
    first, *others = variable.missing
    label = SPSS.cut(" / ".join(filter(None, variable.missing.values())), SPSS.longest_value_label)
    variable.values = variable.values.where(~variable.values.isin(others), first)
    variable.labels = {c: t for c, t in variable.labels.items() if c not in others}
    if label:
        variable.labels[first] = label
    variable.missing = {first: label}
    variable.notes.append(f"all 'not applicable' options are {first:g}")


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


def _set_name(record: dict[str, Any], group: list[Variable]) -> str:
    """Return the name of a set: the alias if the variables begin with it, else the id."""
    stem = str(record.get("alias") or "")
    alike = stem.isidentifier() and all(v.name.startswith(f"{stem}_") for v in group)
    return stem[:50] if alike else f"q{record.get('question_id')}"


def _label_syntax(text: str) -> list[str]:
    """Return the syntax lines of a label; a long one is on several lines joined by +."""
    pieces = [text[at : at + _LINE // 2] for at in range(0, len(text), _LINE // 2)] or [""]
    first, *others = [piece.replace("'", "''") for piece in pieces]
    return [f"    LABEL='{first}'", *(f"      + '{piece}'" for piece in others)]


# -- reading --------------------------------------------------------------------------------


def _describe(values: pd.Series[Any], meta: Any) -> FileVariable:
    name = str(values.name)
    is_text = meta.original_variable_types.get(name, "").startswith("A")
    labels = dict(meta.variable_value_labels.get(name, {}))
    if is_text:  # strings are padded with blanks to the width of the variable
        labels = {code.rstrip(): text for code, text in labels.items() if code.strip()}
    ranges = meta.missing_ranges.get(name, ())
    missing = {
        code
        for code in {*labels, *(values.dropna() if ranges else ())}
        if any(isinstance(code, str) == is_text and r["lo"] <= code <= r["hi"] for r in ranges)
    }
    is_ordinal = meta.variable_measure.get(name) == "ordinal"
    return FileVariable(values, labels, missing, is_text, is_ordinal)
