"""The dtype of text columns, and tables whose columns have given dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def text_dtype() -> Any:
    """Return Arrow text with NaN for missing: what pandas 3 calls ``str``, in pandas 2.3 too."""
    return pd.StringDtype("pyarrow", na_value=np.nan)


def text_array(texts: Any) -> Any:
    """Return an array of texts, with None for missing.

    Arrow's default memory pool does not return as much memory as the frame has; the system's does.
    """
    made = pa.array(
        texts, type=pa.large_string(), from_pandas=True, memory_pool=pa.system_memory_pool()
    )
    return pd.array(made, dtype=text_dtype())


def typed_frame(
    records: Iterable[Mapping[str, Any]], fields: Iterable[str], dtypes: Mapping[str, Any]
) -> pd.DataFrame:
    """Return a DataFrame with a row for each record; fields without a dtype are text."""
    rows = list(records)
    return pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in rows], dtype=dtypes.get(name, text_dtype()))
            for name in fields
        }
    )
