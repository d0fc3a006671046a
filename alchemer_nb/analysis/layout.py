"""Decide what a table shows in which cell."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from alchemer_nb.analysis.blocks import LOW, VERY_LOW
from alchemer_nb.analysis.shown import (
    Cell,
    ShownRow,
    ShownTable,
    count_cell,
    number_cell,
    percent_cell,
    rounded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alchemer_nb.analysis.blocks import BannerColumn, Block, Row

_APART = "not applicable"


def lay_out(
    title: str,
    banner: Sequence[BannerColumn],
    blocks: Sequence[Block],
    weight: str,
    footer: tuple[str, ...],
) -> ShownTable:
    """Return the cells of a table; alike items without a banner are one row each."""
    groups: Sequence[tuple[str, int]]
    if len(banner) > 1:
        groups = [(label, len([*columns])) for label, columns in groupby(c.group for c in banner)]
        header = [column.label for column in banner]
        marks = [f"({column.letter})" if column.letter else "" for column in banner]
        rows = [row for block in blocks for row in _banner_rows(block, len(blocks), weight)]
    elif len(blocks) > 1 and len({block.layout for block in blocks}) == 1:
        header = _summary_header(blocks[0])
        groups, marks = [("", len(header))], [""] * len(header)
        rows = [_summary_row(block) for block in blocks]
    else:
        has_shares = any(row.is_share for block in blocks for row in block.rows)
        header = ["%" if has_shares else "Value", "n", *(["weighted n"] if weight else [])]
        groups, marks = [("", len(header))], [""] * len(header)
        rows = [row for block in blocks for row in _total_rows(block, len(blocks), weight)]
    return ShownTable(title, tuple(groups), tuple(header), tuple(marks), tuple(rows), footer)


def _banner_rows(block: Block, blocks: int, weight: str) -> Iterator[ShownRow]:
    if blocks > 1:
        yield ShownRow(block.label, "heading")
    yield ShownRow(_base_label(block), "base", tuple(map(_base_cell, block.bases.answered)))
    if weight:
        yield ShownRow("Effective base", "base", tuple(map(count_cell, block.bases.effective)))
    for row in block.rows:
        places = range(len(row.values))
        if row.kind == _APART:
            cells = tuple(count_cell(row.counts[place]) for place in places)
            yield ShownRow(f"{row.label} (n)", row.kind, cells)
        else:
            yield ShownRow(row.label, row.kind, tuple(_value_cell(row, n) for n in places))


def _total_rows(block: Block, blocks: int, weight: str) -> Iterator[ShownRow]:
    if blocks > 1:
        yield ShownRow(block.label, "heading")
    extra = [number_cell(float(block.bases.weighted[0]), 1)] if weight else []
    yield ShownRow(
        _base_label(block), "base", (Cell(), _base_cell(block.bases.answered[0]), *extra)
    )
    for row in block.rows:
        extra = [number_cell(float(row.weighted[0]), 1)] if weight else []
        value = Cell() if row.kind == _APART else _value_cell(row, 0)
        yield ShownRow(row.label, row.kind, (value, count_cell(row.counts[0]), *extra))


def _summary_header(block: Block) -> list[str]:
    apart = [f"{row.label} (n)" for row in block.rows if row.kind == _APART]
    return [*(row.label for row in block.rows if row.kind != _APART), *apart, "Base"]


def _summary_row(block: Block) -> ShownRow:
    apart = [count_cell(row.counts[0]) for row in block.rows if row.kind == _APART]
    shown = [_value_cell(row, 0) for row in block.rows if row.kind != _APART]
    return ShownRow(block.label, "choice", (*shown, *apart, _base_cell(block.bases.answered[0])))


def _base_label(block: Block) -> str:
    return "Base: asked" if block.kind == "text" else "Base: answered"


def _base_cell(base: float) -> Cell:
    return count_cell(base, "**" if base < VERY_LOW else "*" if base < LOW else "")


def _value_cell(row: Row, place: int) -> Cell:
    value = float(row.values[place])
    letters = row.letters[place] if row.letters else ""
    if row.is_share:
        return percent_cell(value, letters, has_bar=row.kind == "choice")
    cell = number_cell(value, row.decimals, letters)
    if row.margins is None or math.isnan(row.margins[place]):
        return cell
    margin = rounded(row.margins[place])
    return replace(cell, text=f"{rounded(value)} ± {margin}", look=f'#,##0" ± {margin}"')
