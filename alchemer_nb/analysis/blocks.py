"""The numbers of a table: its columns, bases and rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

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
        score: Number of the choice on a scale, its place if the scale has no numbers; NaN for
            none.
    """

    label: str
    kind: RowKind
    values: np.ndarray
    counts: np.ndarray
    weighted: np.ndarray
    letters: tuple[str, ...] = ()
    margins: np.ndarray | None = None
    decimals: int = 2
    score: float = math.nan

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
    def choices(self) -> list[Row]:
        """The rows of choices."""
        return [row for row in self.rows if row.kind == "choice"]

    @property
    def is_scale(self) -> bool:
        """True if its choices are steps of a scale."""
        return bool(self.choices) and not any(math.isnan(row.score) for row in self.choices)

    def row(self, label: str) -> Row | None:
        """Return the row of that label; None where there is none."""
        return next((row for row in self.rows if row.label == label), None)

    @property
    def layout(self) -> tuple[tuple[str, RowKind], ...]:
        """The labels and kinds of its rows."""
        return tuple((row.label, row.kind) for row in self.rows)
