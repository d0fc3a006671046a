"""The dtype of text columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def text_dtype() -> Any:
    """Arrow text with NaN for missing: what pandas 3 calls ``str``, in pandas 2.3 too."""
    return pd.StringDtype("pyarrow", na_value=np.nan)


def text_array(texts: Any) -> Any:
    """Texts, None for missing, as an array of ``text_dtype``.

    Arrow's own pool keeps what it no longer needs: as much again as the frame. The system's
    gives it back.
    """
    made = pa.array(
        texts, type=pa.large_string(), from_pandas=True, memory_pool=pa.system_memory_pool()
    )
    return pd.array(made, dtype=text_dtype())
