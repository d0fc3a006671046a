"""Write and read Stata files: ``.dta`` with labels and extended missing values."""

from __future__ import annotations

import re
from itertools import zip_longest
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb import files
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.labelled_files import FileVariable, read_labelled
from alchemer_nb.export.names import STATA
from alchemer_nb.export.variables import (
    KINDS,
    ExportOptions,
    Variable,
    build_variables,
    report_variables,
)

if TYPE_CHECKING:
    import os

SUFFIXES = (".dta",)


def to_stata(
    frame: pd.DataFrame, path: str | os.PathLike[str], options: ExportOptions
) -> pd.DataFrame:
    """Write a Stata file; see ``AlchemerAccessor.to_stata``."""
    pyreadstat = files.import_optional("pyreadstat", "stats")
    target = files.output_path(path, SUFFIXES)
    variables, known = build_variables(frame, STATA, options)
    letters = {v.name: found for v in variables if (found := _letters(v))}
    data = pd.DataFrame({v.name: _values(v, letters.get(v.name, {})) for v in variables})
    labels = {v.name: _labels(v, letters.get(v.name, {})) for v in variables}
    with files.replace_atomically(target) as temporary:
        try:
            pyreadstat.write_dta(
                data,
                temporary,
                file_label=STATA.cut(known.title, 80),
                column_labels={v.name: v.label or None for v in variables},
                variable_value_labels={name: each for name, each in labels.items() if each},
                missing_user_values={name: [*each.values()] for name, each in letters.items()},
            )
        except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError) as error:
            raise InvalidArgument(f"Stata cannot hold this frame: {error}") from None
    return report_variables(variables)


def read_stata(path: str | os.PathLike[str], *, user_missing: bool = True) -> pd.DataFrame:
    """Read a ``.dta`` file of any program.

    Args:
        path: Name of the file.
        user_missing: Whether the missing values ``.a`` to ``.z`` that have labels are categories,
            where all values of the variable have one. False makes them NaN, as they are in numbers.

    Returns:
        As ``read_spss`` returns it: labelled variables are categories in the order of their codes,
        missing values last; if some value has no label, numbers. Categories are not ordered, as
        Stata does not say which are. ``to_stata`` and ``to_spss`` write the codes of the file
        again.

    Raises:
        InvalidArgument: There is no such file, or it is not Stata.
        ConfigurationError: pyreadstat is not installed.

    Example:
        >>> import tempfile, pathlib
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "customers.dta")
        ...     report = df.alchemer.to_stata(path)
        ...     again = read_stata(path)
        >>> again["satisfaction"].cat.categories.tolist()[-1]
        'Not applicable'
    """
    pyreadstat = files.import_optional("pyreadstat", "stats")
    return read_labelled(
        path, SUFFIXES, pyreadstat.read_dta, "a Stata", _describe, user_missing=user_missing
    )


def _describe(values: pd.Series[Any], meta: Any) -> FileVariable:
    name = str(values.name)
    form = meta.original_variable_types.get(name, "")
    labels = dict(meta.variable_value_labels.get(name, {}))
    if form.endswith("s"):  # such as "%20s"
        return FileVariable(values, is_text=True)
    if re.match("%-?[td]", form):  # dates and times
        return FileVariable(values)
    missing = {code for code in {*labels, *values.dropna()} if isinstance(code, str)}
    if not missing:
        values = values.astype("float64")  # whole numbers with empty cells are objects
    return FileVariable(values, labels, missing)


def _letters(variable: Variable) -> dict[Any, str]:
    """Return the extended missing value of each kind of missing and "not applicable" code.

    The kinds are .a to .d; the "not applicable" options .e, .f and so on; beyond .z they share it.
    """
    letters: dict[Any, str] = {}
    if variable.kinds is not None:
        letters |= dict(zip(KINDS, ascii_lowercase, strict=False))
        listed = ", ".join(f".{letter} {kind}" for kind, letter in letters.items())
        variable.notes.append(f"kinds of missing: {listed}")
    for code, letter in zip_longest(variable.missing, ascii_lowercase[len(KINDS) :]):
        if code is not None:
            letters[code] = letter or "z"
            variable.notes.append(f"missing: {code:g} as .{letters[code]}")
    return letters


def _labels(variable: Variable, letters: dict[Any, str]) -> dict[Any, str]:
    """Return the value labels, those of missing values by letter."""
    labels: dict[Any, str] = {
        int(code): label for code, label in variable.labels.items() if code not in letters
    }
    texts = {**dict(zip(KINDS, KINDS, strict=True)), **variable.missing}
    return labels | {letter: texts[each] for each, letter in letters.items() if texts[each]}


def _values(variable: Variable, letters: dict[Any, str]) -> pd.Series[Any]:
    """Return the values as pyreadstat writes them as numbers, missing values or dates."""
    values = variable.values
    if variable.kind == "date" and values.notna().any():
        days = [None if pd.isna(value) else value.date() for value in values]
        return pd.Series(days, dtype=object)
    if not letters:
        return values
    cells = np.full(len(values), "", dtype=object)
    for code in variable.missing:
        cells[(values == code).to_numpy()] = letters[code]
    for kind in KINDS if variable.kinds is not None else ():
        cells[variable.kinds == kind] = letters[kind]
    used = sorted(set(cells) - {""})
    if not used:
        return values
    # A column of letters and numbers would be written as text; categories of both are not.
    numbers, floats = pd.factorize(values.mask(cells != ""))
    at = np.where(numbers < 0, -1, numbers + len(used))
    for place, letter in enumerate(used):
        at[cells == letter] = place
    categories = pd.Index([*used, *map(float, floats)], dtype=object)
    return pd.Series(pd.Categorical.from_codes(at.astype(np.int64), categories=categories))
