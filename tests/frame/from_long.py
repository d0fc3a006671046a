"""The wide shape made again from the long one, to see that the long one holds every value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.frame.values import option_names
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.survey.scales import is_ordered, read_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alchemer_nb.survey.columns import AnswerColumn


def from_long(
    frame: pd.DataFrame, columns: Mapping[str, AnswerColumn], languages: Sequence[str | None] = ()
) -> pd.DataFrame:
    """Lays a long frame out again, one row a response, after its rows were chosen or changed.

    Args:
        frame: With ``response_id``, ``column`` and ``value`` of the long shape.
        columns: The columns to give, by name, as ``Description.columns`` has them.
        languages: Whose labels stand in ``value``.

    Returns:
        Index ``response_id`` in the order of the frame; values and dtypes as with
        ``values="label"``. A category that no option of the definition stands for comes after
        those of the definition.
    """
    ids = pd.Index(frame[INDEX].unique(), name=INDEX)
    places = ids.get_indexer(pd.Index(frame[INDEX]))
    groups = frame.groupby("column", sort=False).indices
    nothing = np.array([], dtype=np.int64)
    found = {name: groups.get(name, nothing) for name in columns}
    answered: dict[tuple[str, ...], np.ndarray] = {}
    for name, column in columns.items():
        if column.kind == "boolean":
            rows = answered.setdefault(column.path[:-1], np.zeros(len(ids), dtype=bool))
            rows[places[found[name]]] = True
    data: dict[str, Any] = {}
    received: dict[str, np.ndarray] = {}
    for name, column in columns.items():
        texts = np.full(len(ids), None, dtype=object)
        texts[places[found[name]]] = frame["value"].to_numpy(dtype=object)[found[name]]
        if column.part == "raw" and column.raw_kind == "number":
            _add_exact_texts(texts, received[column.id.removesuffix("_raw")])
        elif column.kind == "number":
            received[column.id] = texts
        if column.kind == "boolean":
            chosen = np.array([text is not None for text in texts], dtype=bool)
            data[name] = pd.arrays.BooleanArray(chosen, ~answered[column.path[:-1]])
        else:
            data[name] = _read_back(column, texts, languages)
    return pd.DataFrame(data, index=ids)


def _add_exact_texts(texts: np.ndarray, received: np.ndarray) -> None:
    """Adds the texts that stand in the long shape in place of their numbers."""
    for row, text in enumerate(received):
        if text is not None and text not in (str(float(text_number := read_number(text))), ""):
            whole = text_number.is_integer() and str(int(text_number)) == text
            texts[row] = texts[row] if whole else text


def _read_back(column: AnswerColumn, texts: np.ndarray, languages: Sequence[str | None]) -> Any:
    """The values of a column from their texts."""
    if column.kind == "number":
        numbers = [np.nan if t is None else read_number(t) for t in texts]
        return np.array(numbers, dtype=np.float64)
    if column.kind == "date":
        return texts.astype("datetime64[us]")
    if column.kind != "category":
        return text_array(texts)
    names = option_names(column.choices, "label", languages)
    more = [text for text in dict.fromkeys(texts) if text is not None and text not in names]
    index = pd.Index([*names, *more], dtype=text_dtype())
    dtype = pd.CategoricalDtype(index, ordered=is_ordered(column) and not more)
    return pd.Categorical(texts, dtype=dtype)
