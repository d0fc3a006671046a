"""One column of several waves: common names of options, a common dtype, values cast to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def find_new_labels(waves: Sequence[Mapping[str, tuple[str, str]]]) -> list[dict[str, str]]:
    """Return, for each wave, old words -> new words of the options whose words alone changed.

    A copy of a survey keeps the ids of its options. With another reporting value, or if the old
    words still mean another option, it is another answer.
    """
    latest = {option: label for options in waves for label, option in options.items()}
    meanings: dict[str, set[tuple[str, str]]] = {}
    for options in waves:
        for label, option in options.items():
            meanings.setdefault(label, set()).add(option)
    return [
        {
            label: latest[option]
            for label, option in options.items()
            if latest[option] != label and latest[option] not in options
            if len(meanings[label]) == len(meanings[latest[option]]) == 1
        }
        for options in waves
    ]


def common_dtype(
    notes: list[str], dtypes: Sequence[Any], filled: Sequence[bool], *, whole: bool
) -> Any:
    """Return one dtype for all waves; add to the notes what an analyst should know of it."""
    if all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes):
        return _categories(notes, dtypes)
    if all(pd.api.types.is_bool_dtype(dtype) for dtype in dtypes):
        plain = whole and all(dtype == np.bool_ for dtype in dtypes)
        return np.dtype(bool) if plain else pd.BooleanDtype()
    if len(set(dtypes)) == 1 and (whole or not pd.api.types.is_integer_dtype(dtypes[0])):
        return dtypes[0]
    if all(pd.api.types.is_numeric_dtype(d) and not pd.api.types.is_bool_dtype(d) for d in dtypes):
        nullable = any(isinstance(dtype, pd.Int64Dtype) for dtype in dtypes)
        return pd.Int64Dtype() if nullable and not any(map(_is_float, dtypes)) else np.dtype(float)
    if all(isinstance(dtype, pd.DatetimeTZDtype) for dtype in dtypes):
        return pd.DatetimeTZDtype("us", "UTC")
    if all(pd.api.types.is_datetime64_dtype(dtype) for dtype in dtypes):
        return np.dtype("datetime64[us]")
    if all(pd.api.types.is_string_dtype(dtype) for dtype in dtypes):
        return text_dtype()
    used = {str(_kind(d)) for d, any_ in zip(dtypes, filled, strict=True) if any_}
    if len(used) > 1:
        notes.append(f"text, because its kinds differ: {', '.join(sorted(used))}")
    return text_dtype()


def _is_float(dtype: Any) -> bool:
    return bool(pd.api.types.is_float_dtype(dtype))


def _kind(dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return "options"
    if pd.api.types.is_bool_dtype(dtype):
        return "yes or no"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    return "text"


def _categories(notes: list[str], dtypes: Sequence[pd.CategoricalDtype]) -> pd.CategoricalDtype:
    """Return the options of all waves, new ones after the option they followed in their wave."""
    lists = [list(dtype.categories) for dtype in dtypes]
    merged: list[Any] = []
    for options in lists:
        at = -1
        for option in options:
            if option in merged:
                at = merged.index(option)
            else:
                at += 1
                merged.insert(at, option)
    same = all(options == lists[0] for options in lists)
    ordered = same and all(dtype.ordered for dtype in dtypes)
    if not same:
        notes.append("the waves have other options")
    if any(dtype.ordered for dtype in dtypes) and not ordered:
        notes.append("not ordered any more")
    texts = all(isinstance(option, str) for option in merged)
    categories = pd.Index(merged, dtype=text_dtype()) if texts else pd.Index(merged)
    return pd.CategoricalDtype(categories, ordered=ordered)


def cast(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Return the values of one wave in the common dtype."""
    values = values.reset_index(drop=True)
    if isinstance(dtype, pd.CategoricalDtype):
        # Not astype: to it, equal words of another text dtype are the same categories already,
        # and pandas 2.3 does not concatenate those of two text dtypes.
        return values.cat.set_categories(dtype.categories, ordered=dtype.ordered)
    if dtype != text_dtype() or pd.api.types.is_string_dtype(values.dtype):
        return values.astype(dtype)
    texts = [None if _is_missing(value) else _text(value) for value in values]
    return pd.Series(pd.array(texts, dtype=text_dtype()))


def _is_missing(value: Any) -> bool:
    return not isinstance(value, list) and bool(pd.isna(value))


def _text(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else id_text(value)
