"""The dtype of text columns, and tables whose columns have given dtypes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AT_ONCE = 1000  # texts


def text_dtype() -> Any:
    """Return Arrow text with NaN for missing: what pandas 3 calls ``str``, in pandas 2.3 too."""
    return pd.StringDtype("pyarrow", na_value=np.nan)


def text_array(texts: Any, codes: np.ndarray | None = None) -> Any:
    """Return an array of texts, with None for missing.

    Arrow's default memory pool does not return as much memory as the frame has; the system's does.

    Args:
        texts: The texts, from any iterable.
        codes: For each cell the position of its text, -1 for missing; None for all texts in order.
    """
    pool, rest, parts = pa.system_memory_pool(), iter(texts), []
    # Few at once: as they are converted, Python texts grow by a copy in UTF-8.
    while some := list(islice(rest, _AT_ONCE)):
        parts.append(pa.array(some, type=pa.large_string(), from_pandas=True, memory_pool=pool))
    made = pa.concat_arrays(parts, pool) if parts else pa.array([], type=pa.large_string())
    del parts
    if codes is not None:
        made = pc.take(made, pa.array(codes, mask=codes < 0), memory_pool=pool)
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
