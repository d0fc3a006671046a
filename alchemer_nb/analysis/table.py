"""A table of a question: what ``df.alchemer.table`` returns, ready to read, show and write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.analysis import layout, table_excel, table_html, table_text
from alchemer_nb.analysis.blocks import LOW, VERY_LOW
from alchemer_nb.errors import InvalidArgument

if TYPE_CHECKING:
    import os

    from alchemer_nb.analysis.blocks import BannerColumn, Block, Row
    from alchemer_nb.analysis.shown import ShownTable

Percent = Literal["column", "row", "total"]


def _from_to(numbers: list[int]) -> str:
    """Return numbers as words: the lowest and the highest, where they differ."""
    ends = dict.fromkeys((min(numbers, default=0), max(numbers, default=0)))
    return " to ".join(f"{end:,}" for end in ends)


@dataclass(frozen=True, eq=False)
class Table:
    """A question by the columns of a banner: percents, counts, statistics, bases, letters.

    Show it as the value of a cell, or ``print`` it. It cannot be changed.

    Attributes:
        title: The words of the question.
        question: The name that it was asked for by.
        banner: Its columns; the first is the total.
        blocks: Its items, such as the rows of a grid.
        percent: What percents are of: ``"column"``, ``"row"`` or ``"total"``.
        weight: Name of the column of weights; ``""`` for none.
        notes: What a reader must know of it, one sentence each.
        tests: The tests behind the letters, in words; ``""`` for none.
        is_question: Whether it is a question, not another column, of which nobody was asked.

    Example:
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> table = df.alchemer.table("satisfaction")
        >>> list(table.frame.columns)
        ['count', 'percent', 'value']
    """

    title: str
    question: str
    banner: tuple[BannerColumn, ...]
    blocks: tuple[Block, ...]
    percent: Percent = "column"
    weight: str = ""
    notes: tuple[str, ...] = ()
    tests: str = ""
    is_question: bool = True

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers as a plain frame.

        Returns:
            One row for each row of the table. The index is ``row``, after ``item`` if the
            question has several. The columns are ``count`` (not weighted), ``weighted`` (with a
            weight alone), ``percent``, ``value`` (of statistics) and ``letters`` (text, if
            columns are compared), and ``margin`` (half the width of the 95 % interval, of NPS);
            with a banner, below the words of its questions and options.
        """
        pieces = []
        has_margins = any(row.margins is not None for row in self._rows())
        for place in range(len(self.banner)):
            weighted = ["weighted"] if self.weight else []
            measures = ["count", *weighted, "percent", "value"]
            data: dict[str, list[Any]] = {measure: [] for measure in measures}
            if self.tests:
                data["letters"] = []
            if has_margins:
                data["margin"] = []
            for row in self._rows():
                share = row.values[place] if row.is_share else np.nan
                data["count"].append(row.counts[place])
                data["percent"].append(share)
                data["value"].append(np.nan if row.is_share else row.values[place])
                if self.weight:
                    data["weighted"].append(row.weighted[place])
                if self.tests:
                    data["letters"].append(row.letters[place] if row.letters else "")
                if has_margins:
                    data["margin"].append(np.nan if row.margins is None else row.margins[place])
            pieces.append(pd.DataFrame(data))
        keys = [(column.group, column.label) for column in self.banner]
        whole = pd.concat(pieces, axis=1, keys=keys, names=["banner", "column", "measure"])
        if len(self.banner) == 1:
            whole = whole.droplevel(["banner", "column"], axis=1)
        labels = [(block.label, row.label) for block in self.blocks for row in block.rows]
        index = pd.MultiIndex.from_tuples(labels, names=["item", "row"])
        whole.index = index if len(self.blocks) > 1 else index.droplevel("item")
        return whole

    @property
    def bases(self) -> pd.DataFrame:
        """The bases as a plain frame: asked, answered, weighted, effective, not applicable.

        Returns:
            One row for each item and column of the table, in their order, with ``item``,
            ``banner`` and ``column`` (text) before the numbers.
        """
        rows = [
            {
                "item": block.label, "banner": column.group, "column": column.label,
                "asked": int(block.bases.asked[place]),
                "answered": int(block.bases.answered[place]),
                "weighted": float(block.bases.weighted[place]),
                "effective": float(block.bases.effective[place]),
                "not_applicable": int(block.bases.not_applicable[place]),
            }
            for block in self.blocks
            for place, column in enumerate(self.banner)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def _rows(self) -> list[Row]:
        return [row for block in self.blocks for row in block.rows]

    @property
    def shown(self) -> ShownTable:
        """The table as it is shown: words, bars and letters, cell by cell."""
        return layout.lay_out(self.title, self.banner, self.blocks, self.weight, self.footer)

    @property
    def footer(self) -> tuple[str, ...]:
        """What the numbers rest on, in sentences: base, weighting, tests, notes."""
        lines = [self._base_sentence()]
        if self.weight:
            effective = [round(float(block.bases.effective[0])) for block in self.blocks]
            worth = f"; effective n {_from_to(effective)}" if effective else ""
            lines.append(f"Weighted by {self.weight}{worth}. Bases and n are not weighted.")
        else:
            lines.append("Not weighted.")
        if self.percent != "column":
            of = {"row": "the row", "total": "the total"}[self.percent]
            lines.append(f"Percents are of {of}.")
        if self.tests:
            lines.append(self.tests)
        smallest = min((int(b.bases.answered.min()) for b in self.blocks), default=LOW)
        if smallest < LOW:
            lines.append(f"* fewer than {LOW} answers, ** fewer than {VERY_LOW}: read with care.")
        return (*lines, *self.notes)

    def _base_sentence(self) -> str:
        """Return the base in words; that of texts is all who were asked."""
        counted = [block for block in self.blocks if block.kind != "text"]
        asked = _from_to([int(block.bases.asked[0]) for block in counted or self.blocks])
        if not self.is_question:
            asked = f"{asked} responses"
        elif counted:
            asked = f"{asked} who were asked"
        if not counted:
            return f"Base: {asked}{' who were asked' * self.is_question}."
        answered = _from_to([int(block.bases.answered[0]) for block in counted])
        is_multi = any(block.kind == "multi" for block in counted)
        cases = " Several answers were possible: percents can add up to more than 100 %."
        return f"Base: {answered} who answered, of {asked}.{cases * is_multi}"

    def __str__(self) -> str:
        return table_text.to_text(self.shown)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return the table as HTML that needs nothing else: no script, no style sheet."""
        return table_html.to_html(self.shown)

    def to_excel(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a workbook, formatted, with its footer.

        Args:
            path: Name of the file, ending in ``.xlsx``.

        Raises:
            InvalidArgument: The path does not fit.
            ConfigurationError: openpyxl is not installed.
        """
        table_excel.write_workbook({self.question: self.shown}, path)


def only_scores(table: Table) -> Table:
    """Return a table of NPS without the eleven answers: the three groups and the score.

    Raises:
        InvalidArgument: It is not of an NPS question.
    """
    if {block.kind for block in table.blocks} != {"nps"}:
        what = "no NPS question" if table.is_question else "a column of your own, no NPS question"
        raise InvalidArgument(
            f"{table.question!r} is {what}",
            hint="table() has the mean and the top box of any scale",
        )
    blocks = [
        replace(block, rows=tuple(r for r in block.rows if r.kind == "net" or r.label == "NPS"))
        for block in table.blocks
    ]
    return replace(table, blocks=tuple(blocks))
