"""The table of a net promoter score: a table without the eleven answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import InvalidArgument

if TYPE_CHECKING:
    from alchemer_nb.analysis.table import Table

_SCORE = "NPS"


def only_scores(table: Table) -> Table:
    """Return a table with the three groups and the score alone.

    Raises:
        InvalidArgument: It is not of an NPS question.
    """
    if {block.kind for block in table.blocks} != {"nps"}:
        raise InvalidArgument(
            f"{table.question!r} is no NPS question",
            hint="table() has the mean and the top box of any scale",
        )
    blocks = [
        replace(block, rows=tuple(r for r in block.rows if r.kind == "net" or r.label == _SCORE))
        for block in table.blocks
    ]
    return replace(table, blocks=tuple(blocks))
