"""A table of a question: what ``df.alchemer.table`` returns, ready to read, show and write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import os

Percent = Literal["column", "row", "total"]
RowKind = Literal["choice", "net", "statistic", "not applicable"]
LOW, VERY_LOW = 50, 30  # bases that are marked


@dataclass(frozen=True)
class BannerColumn:
    """A column of a table: everybody, or those who chose an option of a banner question.

    Attributes:
        group: Words of the banner question; ``""`` for the total.
        label: Words of the option; ``"Total"``.
        letter: Its letter in the tests; ``""`` where it is not tested.
    """

    group: str
    label: str
    letter: str = ""


@dataclass(frozen=True, eq=False)
class Bases:
    """How many the numbers of an item rest on, for each column of the table.

    Attributes:
        asked: Responses that answered or skipped (int64).
        answered: Responses in the base of the percents: with an answer other than "not
            applicable" (int64).
        weighted: The same, weighted (float64).
        effective: Effective number of them: what they are worth after weighting (float64).
        not_applicable: Responses that chose "not applicable" alone (int64).
    """

    asked: np.ndarray
    answered: np.ndarray
    weighted: np.ndarray
    effective: np.ndarray
    not_applicable: np.ndarray


@dataclass(frozen=True, eq=False)
class Row:
    """A row of a table.

    Attributes:
        label: Words of the option, or name of the statistic.
        kind: What it shows.
        values: Percents (0 to 100) of choices and nets, numbers of statistics (float64).
        counts: Responses, not weighted (int64); of a statistic, those it rests on.
        weighted: Responses, weighted (float64).
        letters: For each column, the letters of those columns that are lower.
        margins: Half the width of the 95 % interval, where one is shown (float64, else NaN).
        decimals: Decimals of a statistic when it is shown.
    """

    label: str
    kind: RowKind
    values: np.ndarray
    counts: np.ndarray
    weighted: np.ndarray
    letters: tuple[str, ...] = ()
    margins: np.ndarray | None = None
    decimals: int = 2

    @property
    def is_share(self) -> bool:
        """True if its values are percents."""
        return self.kind in ("choice", "net")


@dataclass(frozen=True, eq=False)
class Block:
    """The rows of one item: of the question, or of one row of a grid.

    Attributes:
        label: Words of the grid row; ``""`` where the question is a single item.
        kind: What its answers are, such as ``"single"`` or ``"nps"``.
        bases: What its numbers rest on.
        rows: Its rows.
    """

    label: str
    kind: str
    bases: Bases
    rows: tuple[Row, ...]

    @property
    def layout(self) -> tuple[tuple[str, RowKind], ...]:
        """The labels and kinds of its rows."""
        return tuple((row.label, row.kind) for row in self.rows)


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

    Example:
        >>> table = client.responses("Customer satisfaction").alchemer.table("satisfaction")
        >>> table.frame["percent"].round(1)
    """

    title: str
    question: str
    banner: tuple[BannerColumn, ...]
    blocks: tuple[Block, ...]
    percent: Percent = "column"
    weight: str = ""
    notes: tuple[str, ...] = ()
    tests: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers as a plain frame.

        Returns:
            One row for each row of the table. The index is ``row``, after ``item`` if the
            question has several. The columns are ``count`` (not weighted), ``weighted`` (with a
            weight alone), ``percent``, ``value`` (of statistics) and ``letters`` (text, if
            columns are compared); with a banner, below the words of its questions and options.
        """
        pieces = {}
        for place, column in enumerate(self.banner):
            weighted = ["weighted"] if self.weight else []
            measures = ["count", *weighted, "percent", "value"]
            data: dict[str, list[Any]] = {measure: [] for measure in measures}
            if self.tests:
                data["letters"] = []
            for row in self._rows():
                share = row.values[place] if row.is_share else np.nan
                data["count"].append(row.counts[place])
                data["percent"].append(share)
                data["value"].append(np.nan if row.is_share else row.values[place])
                if self.weight:
                    data["weighted"].append(row.weighted[place])
                if self.tests:
                    data["letters"].append(row.letters[place] if row.letters else "")
            pieces[(column.group, column.label)] = pd.DataFrame(data)
        whole = pd.concat(pieces, axis=1, names=["banner", "column", "measure"])
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
    def is_summary(self) -> bool:
        """True if its items can be shown as one row each: no banner, and all alike."""
        several = len(self.blocks) > 1 and len(self.banner) == 1
        return several and len({block.layout for block in self.blocks}) == 1

    @property
    def footer(self) -> tuple[str, ...]:
        """What the numbers rest on, in sentences: base, weighting, tests, notes."""
        lines = [self._base_sentence()]
        if self.weight:
            total = self.blocks[0].bases if self.blocks else None
            worth = f"; effective n {total.effective[0]:,.0f}" if total is not None else ""
            lines.append(f"Weighted by {self.weight}{worth}. Counts and bases are not weighted.")
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
        ranges = [
            (int(min(values)), int(max(values)))
            for values in (
                [int(block.bases.answered[0]) for block in self.blocks],
                [int(block.bases.asked[0]) for block in self.blocks],
            )
        ]
        answered, asked = (f"{a:,}" if a == b else f"{a:,} to {b:,}" for a, b in ranges)
        kinds = {block.kind for block in self.blocks}
        cases = " Several answers were possible: percents add up to more." * ("multi" in kinds)
        return f"Base: {answered} who answered, of {asked} who were asked.{cases}"

    def __str__(self) -> str:
        from alchemer_nb.analysis.table_text import to_text

        return to_text(self)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return the table as HTML that needs nothing else: no script, no style sheet."""
        from alchemer_nb.analysis.table_html import to_html

        return to_html(self)

    def to_excel(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a workbook, formatted, with its footer.

        Args:
            path: Name of the file, ending in ``.xlsx``.

        Raises:
            InvalidArgument: The path does not fit.
            ConfigurationError: openpyxl is not installed.
        """
        from alchemer_nb.analysis.table_excel import write_tables

        write_tables([self], path)

    def with_notes(self, *notes: str) -> Table:
        """Return the table with more notes."""
        return replace(self, notes=(*self.notes, *notes))
