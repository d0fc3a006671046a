"""Frames and Python values as SQL takes them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store.engines import unique_names

_PARAMETERS = (bool, int, float, str, bytes, date, time, timedelta, Decimal, uuid.UUID)
_REFUSED = (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError)
CONVERT = "Convert it, such as {}[{!r}].astype(str), or leave it out"
# Object columns of one type, or of numbers, as infer_dtype calls them.
_ALIKE = ("integer", "floating", "mixed-integer-float", "decimal", "string", "boolean")


@dataclass(frozen=True)
class FrameTable:
    """A frame as a table.

    Attributes:
        table: Its index levels, then its columns.
        categories: Column -> categories in their order, and whether they are ordered.
        notes: What was changed.
    """

    table: pa.Table
    categories: dict[str, tuple[list[str], bool]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def convert_frame(frame: pd.DataFrame, name: str) -> FrameTable:
    """Convert a frame of the notebook.

    Index levels are columns, except positions (an index that nobody named). Columns of several
    types are text.

    Args:
        frame: The frame.
        name: Its name, for messages.

    Raises:
        InvalidArgument: A column holds objects that SQL does not know.
    """
    columns = [*_index_columns(frame.index)]
    label: Any
    for place, label in enumerate(frame.columns):
        parts = label if isinstance(label, tuple) else (label,)
        text = _to_text("_".join(str(part) for part in parts if part != ""))
        columns.append((text or f"column_{place}", frame.iloc[:, place]))
    names, notes = unique_names([label for label, _ in columns])
    result = FrameTable(pa.table({}), notes=notes)
    arrays = []
    for label, (_, values) in zip(names, columns, strict=True):
        if isinstance(values.dtype, pd.CategoricalDtype) and _has_texts(values):
            texts = [_to_text(each) for each in values.cat.categories]
            result.categories[label] = texts, bool(values.cat.ordered)
            values = values.cat.rename_categories(texts).astype(object)
        array, is_changed = _to_array(values)
        if array is None:
            kinds = sorted({type(each).__name__ for each in _present(values)})
            raise InvalidArgument(
                f"the frame {name} cannot be asked: its column {label!r} holds values of type "
                f"{', '.join(kinds)}, which SQL does not know",
                hint=CONVERT.format(name, label),
            )
        if is_changed:
            notes.append(f"{label!r} is text in SQL, as it holds values of several types")
        arrays.append(array)
    return FrameTable(pa.table(arrays, names=names), result.categories, notes)


def _index_columns(index: pd.Index[Any]) -> Iterable[tuple[str, pd.Series[Any]]]:
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return
    for level in range(index.nlevels):
        label = index.names[level]
        if label is None:  # named as reset_index does
            label = "index" if index.nlevels == 1 else f"level_{level}"
        yield str(label), pd.Series(index.get_level_values(level))


def _has_texts(values: pd.Series[Any]) -> bool:
    """Check whether categories are texts, or are shown as texts, such as intervals."""
    categories = values.cat.categories
    kind = pd.api.types.infer_dtype(categories, skipna=True)
    texts = {_to_text(each) for each in categories}
    return kind in ("string", "interval", "period") and 0 < len(texts) == len(categories)


def _to_array(values: pd.Series[Any]) -> tuple[pa.Array | None, bool]:
    """Return a column for Arrow, None if it cannot be one; and whether it became text."""
    dtype: Any = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = values.astype(object)
    elif isinstance(dtype, pd.SparseDtype):
        values = pd.Series(np.asarray(values))
    elif isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):  # Arrow has their numbers alone
        return _text_array(values), False
    elif dtype == np.float16:
        values = values.astype(np.float32)  # DuckDB has no smaller one
    is_mixed = _is_mixed(values)
    if not is_mixed:
        try:
            array = pa.array(values, from_pandas=True)
        except _REFUSED:
            pass
        else:
            is_foreign = isinstance(array.type, pa.BaseExtensionType)
            return (_text_array(values) if is_foreign else array), False
    is_simple = all(pd.api.types.is_scalar(v) or isinstance(v, uuid.UUID) for v in values)
    if values.dtype == object and (is_mixed or is_simple):
        return _text_array(values), is_mixed
    return None, False


def _is_mixed(values: pd.Series[Any]) -> bool:
    """Check for an object column whose values have several types that are not all numbers."""
    if values.dtype != object or pd.api.types.infer_dtype(values, skipna=True) in _ALIKE:
        return False
    return len({type(each) for each in _present(values)}) > 1


def _present(values: pd.Series[Any]) -> list[Any]:
    is_scalar = pd.api.types.is_scalar
    return [each for each in values if not (is_scalar(each) and pd.isna(each))]


def _text_array(values: pd.Series[Any]) -> pa.Array:
    is_scalar = pd.api.types.is_scalar
    texts = [None if is_scalar(v) and pd.isna(v) else _to_text(v) for v in values]
    return pa.array(texts, type=pa.string())


def _to_text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()  # Arrow has no lone surrogates


# -- parameters -----------------------------------------------------------------------------


def convert_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a query's parameters as DuckDB takes them; missing ones are NULL.

    Raises:
        InvalidArgument: A value is of a type that SQL does not know; it is not shown.
    """
    return {name: _convert_parameter(name, value) for name, value in parameters.items()}


def _convert_parameter(name: str, value: Any) -> Any:
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if hasattr(value, "tolist"):  # numpy and pandas
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        return [_convert_single(name, each) for each in value]
    return _convert_single(name, value)


def _convert_single(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if not isinstance(value, _PARAMETERS):
        raise InvalidArgument(
            f"the value of ${name} is of type {type(value).__name__}; SQL takes a text, a number, "
            "a date or a list of them"
        )
    return _to_text(value) if isinstance(value, str) else value
