"""Answers as numbers: scores, shares of the highest ones, frames for models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.accessor.knowledge import Knowledge
from alchemer_nb.decode.option_lookup import Lookup
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.description import Facts
from alchemer_nb.frame.values import option_names, read_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.definition import Option


def score(frame: pd.DataFrame, question: str | int) -> pd.Series[float]:
    """Does what ``df.alchemer.score`` says.

    Raises:
        InvalidArgument: The question has several columns, or no numbers.
        KnowledgeLost: The answers are not with the frame any more.
    """
    known = Knowledge(frame)
    kept = known.kept
    name, column = known.one(kept, question)
    spoken = (kept.options.language, kept.survey.language)
    values = []
    lookup = Lookup(column.choices, spoken)
    leaf = kept.answers.leaves.get(column.path)
    for atom in leaf.atoms if leaf else ():
        option, _ = lookup.find(atom)
        if option is not None and option.is_not_applicable:
            values.append(np.nan)
        else:
            values.append(read_number(option.value if option else atom.answer))
    full = np.full(kept.answers.count, np.nan)
    if leaf is not None:
        at = np.asarray(leaf.rows, dtype=np.int64)
        full[at] = np.array(values)[np.asarray(leaf.codes, dtype=np.int64)]
    if column.choices and not _ladder(column.choices):
        raise InvalidArgument(f"the reporting values of {name!r} are not numbers")
    keep = kept.rows(known.ids(kept)).keep
    return pd.Series(full[keep], index=frame.index, name=name)


def top(frame: pd.DataFrame, question: str | int, n: int) -> float:
    """Does what ``df.alchemer.top`` says.

    Raises:
        InvalidArgument: ``n`` does not fit, or the question has no scores.
        KnowledgeLost: The answers are not with the frame any more.
    """
    known = Knowledge(frame)
    _, column = known.one(known.kept, question)
    scores = score(frame, question).dropna()
    ladder = sorted(_ladder(column.choices) or set(scores[np.isfinite(scores)]), reverse=True)
    if not isinstance(n, int) or not 1 <= n <= max(1, len(ladder)):
        raise InvalidArgument(f"n is 1 to {len(ladder)}, the number of different scores")
    return float((scores >= ladder[n - 1]).mean()) if len(scores) else float("nan")


def _ladder(options: Iterable[Option]) -> set[float]:
    """The different scores that options can give."""
    values = {read_number(each.value) for each in options if not each.is_not_applicable}
    return {value for value in values if np.isfinite(value)}


def _lists_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy with one column for each option where the frame has a column of lists."""
    text = frame.attrs.get(ATTRS)
    kept = text.kept if isinstance(text, Facts) else None
    if kept is None or not frame.columns.is_unique:
        return frame.copy()
    lists = {name: column for name, column in kept.names.items() if column.parts}
    lists = {name: column for name, column in lists.items() if name in frame.columns}
    if not lists:
        return frame.copy()
    spoken = (kept.options.language, kept.survey.language)
    apart = replace(kept, options=kept.with_options(multi="columns", columns=None))
    names = {column.id: name for name, column in apart.names.items()}
    pieces: list[pd.Series[Any]] = []
    for name in frame.columns:
        column = lists.get(name)
        if column is None:
            pieces.append(frame[name])
            continue
        labels = option_names(column.choices, kept.options.rendered, spoken)
        for part, label in zip(column.parts, labels, strict=True):
            chosen = [label in cell if isinstance(cell, list) else None for cell in frame[name]]
            option = pd.array(chosen, dtype="boolean")
            pieces.append(pd.Series(option, index=frame.index, name=names[part.id]))
    result = pd.concat(pieces, axis=1)
    told = apart.frame([], apart.options).attrs[ATTRS]
    result.attrs = {**frame.attrs, ATTRS: told}
    return result


def for_model(frame: pd.DataFrame) -> pd.DataFrame:
    """Does what ``df.alchemer.for_model`` says."""
    result = _lists_apart(frame)
    for place in range(result.shape[1]):  # by place: a name of the user's may come twice
        values = result.iloc[:, place]
        if isinstance(values.dtype, pd.CategoricalDtype):
            unordered = values.cat.as_unordered() if values.cat.ordered else values
            result.isetitem(place, unordered.cat.remove_unused_categories().array)
        elif values.dtype == bool or isinstance(values.dtype, pd.BooleanDtype | pd.Int64Dtype):
            floats = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            result.isetitem(place, floats)
    return result
