"""Answers as numbers: scores, shares of the highest scores, frames for models."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import ATTRS, Description, describe_wide, read_description
from alchemer_nb.frame.lookup import column_of
from alchemer_nb.frame.values import codes_are_numbers, option_names
from alchemer_nb.survey.columns import name_columns
from alchemer_nb.survey.scales import has_scores, read_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Option


def score(frame: pd.DataFrame, question: str | int) -> pd.Series[float]:
    """Return the scores of a question; see ``AlchemerAccessor.score``.

    Raises:
        InvalidArgument: The question has several columns, or no numbers.
        KnowledgeLost: The frame carries no description.
    """
    description = describe_wide(frame)
    name = column_of(frame, description, question)
    scores = np.full(len(frame), np.nan)
    for _, rows, wave in description.pieces(frame):
        if name in wave.columns:
            scores[rows] = _scores(frame[name].iloc[rows], name, wave)
    return pd.Series(scores, index=frame.index, name=name)


def _scores(values: pd.Series[Any], name: str, description: Description) -> np.ndarray:
    """Return the score of each cell of one wave, NaN for "not applicable" and missing."""
    column, way = description.columns[name], description.options.rendered
    if column.choices and not _option_scores(column.choices):
        raise InvalidArgument(f"the reporting values of {name!r} are not numbers")
    if not has_scores(column):
        raise InvalidArgument(
            f"the options of {name!r} are no scale, so its codes have no mean",
            hint=f"If they are steps, give them numbers: df[{name!r}].map({{…}})",
        )
    # Before the dtype is checked: pandas infers floats from objects that are all missing.
    if column.kind in ("category", "number") and values.isna().all():
        return np.full(len(values), np.nan)
    own = "the survey's options no longer say what its values mean"
    values = values.infer_objects()
    if values.dtype.kind in "iuf":
        if column.kind == "category" and not (way == "code" and codes_are_numbers(column.choices)):
            raise InvalidArgument(f"{name!r} holds numbers of your own: {own}")
        floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
        numbers: dict[float, float] = {}
        for option in column.choices:
            key = read_number(option.id if way == "id" else option.value)
            numbers.setdefault(key, _option_score(option))
        return np.array([numbers.get(number, number) for number in floats.tolist()])
    is_category = isinstance(values.dtype, pd.CategoricalDtype)
    is_text = is_category or pd.api.types.is_string_dtype(values.dropna())
    if not is_text or column.kind != "category":
        raise InvalidArgument(f"{name!r} holds no numbers and no options: {own}")
    names = option_names(column.choices, way, description.languages)
    texts: dict[Any, float] = {
        text: _option_score(option) for text, option in zip(names, column.choices, strict=True)
    }
    present = values.dropna().unique()
    if texts.keys().isdisjoint(present):
        raise InvalidArgument(f"{name!r} holds none of its options: {own}")
    others = {text: read_number(text) for text in present if text not in texts}
    left_out = int(values.isin([text for text, number in others.items() if number != number]).sum())
    if left_out:
        warnings.warn(
            f"{name!r} holds texts that are no option of the question and have no score: "
            f"{left_out:,} left out",
            stacklevel=4,
        )
    texts |= others
    return np.array([texts.get(value, np.nan) for value in values.astype(object)])


def top(frame: pd.DataFrame, question: str | int, n: int) -> float:
    """Return the share of the highest scores; see ``AlchemerAccessor.top``.

    Raises:
        InvalidArgument: ``n`` does not fit, or the question has no scores.
        KnowledgeLost: The frame carries no description.
    """
    scores = score(frame, question).dropna()
    description = describe_wide(frame)
    name = column_of(frame, description, question)
    levels: set[float] = set()
    for _, _, wave in description.pieces(frame):
        if name in wave.columns:
            levels |= _option_scores(wave.columns[name].choices)
    ranked = sorted(levels or set(scores[np.isfinite(scores)]), reverse=True)
    if not isinstance(n, int) or not 1 <= n <= max(1, len(ranked)):
        raise InvalidArgument(f"n is 1 to {len(ranked)}, the number of different scores")
    return float((scores >= ranked[n - 1]).mean()) if len(scores) else float("nan")


def _option_score(option: Option) -> float:
    return np.nan if option.is_not_applicable else read_number(option.value)


def _option_scores(options: Iterable[Option]) -> set[float]:
    """Return the different scores of options."""
    return {value for value in map(_option_score, options) if np.isfinite(value)}


def _split_lists(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with one column for each option instead of columns of lists."""
    try:
        description = read_description(frame)  # models need no response ids
    except KnowledgeLost:
        return frame.copy()
    lists = {n: c for n, c in description.columns.items() if c.option_columns and n in frame}
    if not lists or not frame.columns.is_unique:
        return frame.copy()
    options = replace(description.options, multi="columns", columns=None)
    parts = [p for c in description.columns.values() for p in (c.option_columns or (c,))]
    names = name_columns(
        parts, description.survey, options.names, description.metadata, options.language
    )
    by_id: dict[str, tuple[str, AnswerColumn]] = {
        part.id: (name, part) for name, part in zip(names, parts, strict=True)
    }
    pieces: list[pd.Series[Any]] = []
    for name in frame.columns:
        column = lists.get(name)
        if column is None:
            pieces.append(frame[name])
            continue
        labels = option_names(column.choices, options.rendered, description.languages)
        for part, label in zip(column.option_columns, labels, strict=True):
            chosen = [label in cell if isinstance(cell, list) else None for cell in frame[name]]
            array = pd.array(chosen, dtype="boolean")
            pieces.append(pd.Series(array, index=frame.index, name=by_id[part.id][0]))
    result = pd.concat(pieces, axis=1)
    columns = dict(zip(names, parts, strict=True))
    split = replace(description, options=options, columns=columns)
    result.attrs = {**frame.attrs, ATTRS: split.to_json()}
    return result


def for_model(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame for models; see ``AlchemerAccessor.for_model``."""
    result = _split_lists(frame)
    for position in range(result.shape[1]):  # not by name: two columns may have the same
        values = result.iloc[:, position]
        if isinstance(values.dtype, pd.CategoricalDtype):
            unordered = values.cat.as_unordered() if values.cat.ordered else values
            result.isetitem(position, unordered.cat.remove_unused_categories().array)
        elif values.dtype == bool or isinstance(values.dtype, pd.BooleanDtype | pd.Int64Dtype):
            floats = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            result.isetitem(position, floats)
    return result
