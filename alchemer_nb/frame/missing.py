"""The reasons of missing answers of a frame as it is, and the base of each question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.frame.description import WAVE, Description, describe_wide, response_ids
from alchemer_nb.frame.reasons import (
    ANSWERED,
    CELL_STATES,
    NOT_REACHED,
    NOT_SHOWN,
    REMOVED,
    SKIPPED,
    UNKNOWN,
    empty_cells,
)
from alchemer_nb.frame.text_dtype import text_dtype, typed_frame

if TYPE_CHECKING:
    from collections.abc import Iterable


# Of several cells of a question, the first of these that occurs is the state of the question.
_RANKS = np.argsort([ANSWERED, REMOVED, SKIPPED, NOT_SHOWN, NOT_REACHED, UNKNOWN])
_STATES = np.argsort(_RANKS)


def missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the reason of each empty cell; see ``AlchemerAccessor.missing``."""
    description = describe_wide(frame)
    found: dict[str, np.ndarray] = {}
    for _, rows, wave in description.pieces(frame):
        for name, states in cell_states(frame.iloc[rows], wave).items():
            # A question that another wave does not have was not shown there.
            everywhere = found.setdefault(name, np.full(len(frame), NOT_SHOWN, dtype=np.int8))
            everywhere[rows] = states
    dtype = pd.CategoricalDtype(pd.Index(list(CELL_STATES), dtype=text_dtype()))
    names = [name for name in frame.columns if name in found]
    data = {n: pd.Categorical.from_codes(found[n], dtype=dtype, validate=False) for n in names}
    return pd.DataFrame(data, index=frame.index)


def cell_states(
    frame: pd.DataFrame, description: Description, names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the states of the cells of each column, as positions in ``CELL_STATES`` (int8).

    Args:
        frame: A frame of responses.
        description: Its description.
        names: The columns that are wanted; left out, all.
    """
    at = description.reasons.positions(response_ids(frame))
    if names is not None:
        wanted = {*names} & description.columns.keys()
        raw = {description.raw_columns.get(f"{description.columns[n].id}_raw") for n in wanted}
        frame = frame.loc[:, [name in wanted or name in raw for name in frame.columns]]
    empty = dict(empty_cells(frame))
    states = {}
    for name in empty.keys() & description.columns.keys():
        column, is_empty = description.columns[name], empty[name]
        received = description.raw_columns.get(f"{column.id}_raw")
        # A text that no code can hold.
        if column.kind == "category" and received is not None and received in empty:
            is_empty = is_empty & empty[received]
        states[name] = description.reasons.kinds(at, column, is_empty)
    return states


def count_answers(frame: pd.DataFrame, description: Description) -> dict[str, tuple[int, int]]:
    """Count, for each column, the responses that were asked, and those that answered."""
    counts: dict[str, tuple[int, int]] = {}
    for _, rows, wave in description.pieces(frame):
        if not wave.survey.id:  # of a file of another program
            continue
        for name, states in cell_states(frame.iloc[rows], wave).items():
            asked, answered = counts.get(name, (0, 0))
            new = int((states == ANSWERED).sum())
            counts[name] = asked + new + int((states == SKIPPED).sum()), answered + new
    return counts


def base_sizes(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the responses behind each question, from its columns.

    Returns:
        One row for each question or grid row, of each wave of a stacked frame: ``wave`` (then
        alone), ``question_id``, ``alias``, ``question``, ``base``: the responses that answered or
        skipped, and a count (int64) for each state.
    """
    description = describe_wide(frame)
    rows = []
    for label, at, wave in description.pieces(frame):
        states = cell_states(frame.iloc[at], wave)
        for names in _by_question(wave, frame.columns):
            rows.append({WAVE: label, **_base([states[name] for name in names], wave, names[0])})
    fields = ("question_id", "alias", "question", "base", *CELL_STATES)
    of_waves = (WAVE,) if description.waves else ()
    return typed_frame(rows, (*of_waves, *fields), dict.fromkeys(fields[3:], "int64"))


def _by_question(description: Description, names: Iterable[str]) -> list[list[str]]:
    """Group by question the columns that show whether it was answered."""
    columns = description.columns
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        column = columns.get(name)
        if column is not None and column.part in ("answer", "option", "item", "list", "leaf"):
            above = column.parent.id if column.parent else ""  # two tables may repeat ids
            groups.setdefault((above, column.question.id), []).append(name)
    return [[n for n in group if columns[n].part != "leaf"] or group for group in groups.values()]


def _base(states: list[np.ndarray], description: Description, name: str) -> dict[str, object]:
    ranks = np.min(_RANKS[states], axis=0)
    counts = np.bincount(_STATES[ranks], minlength=len(CELL_STATES))
    column, language = description.columns[name], description.survey.language
    question, parent = column.question, column.parent
    grid = f"{parent.text(language)}: " if parent else ""
    return {
        "question_id": column.question_id,
        "alias": question.alias or (parent.alias if parent else ""),
        "question": grid + question.text(language),
        "base": int(counts[ANSWERED] + counts[SKIPPED]),
        **{state: int(count) for state, count in zip(CELL_STATES, counts, strict=True)},
    }
