"""Multi-selects as one column of lists each, for those who want no column for every option."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alchemer_nb.survey.columns import Column, column_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.survey.columns import Path


def as_asked(columns: Sequence[Column], options: FrameOptions) -> list[Column]:
    """The columns as the frame has them: options folded into lists where lists were asked for."""
    if options.multi != "list" or options.shape == "long":
        return list(columns)
    groups: dict[Path, list[Column]] = {}
    for column in columns:
        if column.part == "option":
            groups.setdefault(column.path[:-1], []).append(column)
    return [
        _folded(groups.pop(column.path[:-1]), options.without)
        if column.part == "option"
        else column
        for column in columns
        if column.part != "option" or column.path[:-1] in groups
    ]


def is_out(column: Column, without: Set[str]) -> bool:
    """Whether a column was taken out; a list is when nothing is left to stand in it."""
    return all(part.id in without for part in column.parts or (column,))


def ids(columns: Iterable[Column]) -> set[str]:
    """Ids of the columns; of a list, those of its options."""
    return {part.id for column in columns for part in column.parts or (column,)}


def _folded(group: Sequence[Column], without: Set[str]) -> Column:
    """One column for the options of a question, as far as they were not taken out."""
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
        parts=parts,
        removed=all(part.removed for part in group),
    )
