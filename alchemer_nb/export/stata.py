"""Write Stata files: ``.dta`` with variable and value labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb import files
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.names import STATA
from alchemer_nb.export.variables import Variable, build_variables, report_variables

if TYPE_CHECKING:
    import os


def to_stata(frame: pd.DataFrame, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Write a Stata file; see ``AlchemerAccessor.to_stata``."""
    pyreadstat = files.import_optional("pyreadstat", "stats")
    target = files.output_path(path, (".dta",))
    variables, known = build_variables(frame, STATA)
    data = pd.DataFrame({v.name: _values(v) for v in variables})
    with files.replace_atomically(target) as temporary:
        try:
            pyreadstat.write_dta(
                data,
                temporary,
                file_label=STATA.cut(known.title, 80),
                column_labels={v.name: v.label for v in variables},
                variable_value_labels={
                    v.name: {int(code): label for code, label in v.labels.items()}
                    for v in variables
                    if v.labels
                },
            )
        except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError) as error:
            raise InvalidArgument(f"Stata cannot hold this frame: {error}") from None
    return report_variables(variables)


def _values(variable: Variable) -> pd.Series[Any]:
    """Return the values, with days as ``date`` objects, which pyreadstat writes as dates."""
    if variable.kind == "date" and variable.values.notna().any():
        days = [None if pd.isna(value) else value.date() for value in variable.values]
        return pd.Series(days, dtype=object)
    return variable.values
