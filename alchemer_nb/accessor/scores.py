"""Answers as numbers: scores, shares of the highest scores, frames for models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.accessor.knowledge import Knowledge
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.kept import kept_of
from alchemer_nb.frame.values import Renderer, option_names, read_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.definition import Option


def score(frame: pd.DataFrame, question: str | int) -> pd.Series[float]:
    """Return the scores of a question; see ``AlchemerAccessor.score``.

    Raises:
        InvalidArgument: The question has several columns, or no numbers.
        KnowledgeLost: The answers are not with the frame any more.
    """
    known = Knowledge(frame)
    kept = known.kept
    name, column = known.one(kept, question)
    if column.choices and not _option_scores(column.choices):
        raise InvalidArgument(f"the reporting values of {name!r} are not numbers")
    row_numbers = kept.rows(known.ids(kept)).numbers
    scores = Renderer(kept.answers, row_numbers, "code", kept.languages).scores(column)
    return pd.Series(scores, index=frame.index, name=name)


def top(frame: pd.DataFrame, question: str | int, n: int) -> float:
    """Return the share of the highest scores; see ``AlchemerAccessor.top``.

    Raises:
        InvalidArgument: ``n`` does not fit, or the question has no scores.
        KnowledgeLost: The answers are not with the frame any more.
    """
    known = Knowledge(frame)
    _, column = known.one(known.kept, question)
    scores = score(frame, question).dropna()
    levels = sorted(
        _option_scores(column.choices) or set(scores[np.isfinite(scores)]), reverse=True
    )
    if not isinstance(n, int) or not 1 <= n <= max(1, len(levels)):
        raise InvalidArgument(f"n is 1 to {len(levels)}, the number of different scores")
    return float((scores >= levels[n - 1]).mean()) if len(scores) else float("nan")


def _option_scores(options: Iterable[Option]) -> set[float]:
    """Return the different scores of options."""
    values = {read_number(each.value) for each in options if not each.is_not_applicable}
    return {value for value in values if np.isfinite(value)}


def _split_lists(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with one column for each option instead of columns of lists."""
    kept = kept_of(frame)
    described = kept.names if kept is not None and frame.columns.is_unique else {}
    lists = {name: c for name, c in described.items() if c.option_columns and name in frame.columns}
    if kept is None or not lists:
        return frame.copy()
    apart = replace(kept, options=kept.with_options(multi="columns", columns=None))
    names = {column.id: name for name, column in apart.names.items()}
    pieces: list[pd.Series[Any]] = []
    for name in frame.columns:
        column = lists.get(name)
        if column is None:
            pieces.append(frame[name])
            continue
        labels = option_names(column.choices, kept.options.rendered, kept.languages)
        for part, label in zip(column.option_columns, labels, strict=True):
            chosen = [label in cell if isinstance(cell, list) else None for cell in frame[name]]
            option = pd.array(chosen, dtype="boolean")
            pieces.append(pd.Series(option, index=frame.index, name=names[part.id]))
    result = pd.concat(pieces, axis=1)
    result.attrs = {**frame.attrs, **apart.frame([], apart.options).attrs}
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
