"""Multi-selects as one column of lists each (``multi="list"``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.survey.columns import AnswerColumn, AnswerPath


def fold_lists(columns: Sequence[AnswerColumn], options: FrameOptions) -> list[AnswerColumn]:
    """Return the columns of the frame: those of options are folded if lists were asked for."""
    if options.multi != "list" or options.shape == "long":
        return list(columns)
    groups: dict[AnswerPath, list[AnswerColumn]] = {}
    for column in columns:
        if column.part == "option":
            groups.setdefault(column.path[:-1], []).append(column)
    return [
        fold_options(groups.pop(column.path[:-1])) if column.part == "option" else column
        for column in columns
        if column.part != "option" or column.path[:-1] in groups
    ]


def fold_options(parts: Sequence[AnswerColumn]) -> AnswerColumn:
    """Return one column for columns of options of a question."""
    return replace(
        parts[0],
        id=parts[0].id.removesuffix(f"_{parts[0].path[-1]}"),
        kind="list",
        path=parts[0].path[:-1],
        part="list",
        option=None,
        choices=tuple(part.option for part in parts if part.option is not None),
        option_columns=tuple(parts),
        removed=all(part.removed for part in parts),
    )
