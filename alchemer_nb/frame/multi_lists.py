"""Multi-selects as one column of lists each (``multi="list"``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alchemer_nb.survey.columns import AnswerColumn, column_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.survey.columns import AnswerPath


def fold_lists(columns: Sequence[AnswerColumn], options: FrameOptions) -> list[AnswerColumn]:
    """Return the columns of the frame: those of options are folded if lists were asked for."""
    if options.multi != "list" or options.shape == "long":
        return list(columns)
    groups: dict[AnswerPath, list[AnswerColumn]] = {}
    for column in columns:
        if column.part == "option":
            groups.setdefault(column.path[:-1], []).append(column)
    return [
        fold_options(groups.pop(column.path[:-1]), options.without)
        if column.part == "option"
        else column
        for column in columns
        if column.part != "option" or column.path[:-1] in groups
    ]


def is_redacted(column: AnswerColumn, without: Set[str]) -> bool:
    """Check whether a column was redacted; a list is once all of its options are."""
    return all(part.id in without for part in column.option_columns or (column,))


def column_ids(columns: Iterable[AnswerColumn]) -> set[str]:
    """Return the ids of columns; for a list, those of its options."""
    return {part.id for column in columns for part in column.option_columns or (column,)}


def fold_options(group: Sequence[AnswerColumn], without: Set[str] = frozenset()) -> AnswerColumn:
    """Return one column for the options of a question, without the redacted ones."""
    stem = group[0].path[:-1]
    parts = tuple(part for part in group if part.id not in without) or tuple(group)
    return replace(
        group[0],
        id=column_id(stem),
        kind="list",
        path=stem,
        part="list",
        option=None,
        choices=tuple(part.option for part in parts if part.option is not None),
        option_columns=parts,
        removed=all(part.removed for part in group),
    )
