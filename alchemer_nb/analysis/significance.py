"""Which columns of a table differ: pairwise tests, and the letters that say so.

Shares are compared by z tests, means by Welch's t tests; weighted ones by z tests with the robust
errors (HC1) of a weighted regression on the columns. Those are Taylor linearisation for a design of
weights alone; frequency-weight formulas would be wrong for survey weights. All of it needs sums by
column, so that a row of 100,000 responses takes milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from alchemer_nb.analysis.blocks import VERY_LOW
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.files import import_optional
from alchemer_nb.frame.options import check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

Correction = Literal["none", "bonferroni", "holm", "fdr_bh"]
_NAMES = {
    "none": "no correction",
    "bonferroni": "Bonferroni correction",
    "holm": "Holm correction",
    "fdr_bh": "Benjamini-Hochberg correction",
}
_EXACT = 1e-12  # errors that are smaller, relative to the values, are none


@dataclass(frozen=True)
class Testing:
    """How columns are compared.

    Attributes:
        level: Probability of a difference by chance that is accepted, between 0 and 1.
        correction: Correction for the pairs of one row within one banner question.
    """

    level: float = 0.05
    correction: Correction = "none"

    def __post_init__(self) -> None:
        if not isinstance(self.level, int | float) or not 0 < self.level < 1:
            raise InvalidArgument(f"level lies between 0 and 1, such as 0.05, not {self.level!r}")
        check_choice("correction", self.correction, tuple(_NAMES))

    def sentence(self, is_weighted: bool) -> str:
        """Return the tests in words, for the footer of a table."""
        weighted = "z tests of weighted shares and means, with robust errors,"
        kinds = weighted if is_weighted else "z tests of shares and t tests of means"
        return (
            "A letter marks a value that is higher than that of the column with this letter: "
            f"pairwise {kinds} at {100 * self.level:g} %, {_NAMES[self.correction]}."
        )


def find_lower(
    values: np.ndarray, column: np.ndarray, weights: np.ndarray | None, places: Sequence[int],
    testing: Testing, *, is_share: bool,
) -> dict[int, list[int]]:  # fmt: skip
    """Return, for each column, those columns whose value is significantly lower.

    Args:
        values: Value of each response of the base: 0 or 1 for shares, or numbers (float64).
        column: Position in ``places`` of the column of each (int64).
        weights: Weight of each, above 0 (float64); None for none.
        places: The columns to compare.
        testing: Level and correction.
        is_share: Whether the values are shares, not numbers.
    """
    groups = _Groups(values, column, weights, len(places))
    first, second = np.array([*combinations(range(len(places)), 2)], np.int64).reshape(-1, 2).T
    p_values = groups.compare(first, second, is_share=is_share)
    tested = np.flatnonzero(np.isfinite(p_values))
    if not len(tested):
        return {}
    rejected = _corrected(p_values[tested], testing.correction) <= testing.level
    lower: dict[int, list[int]] = {}
    for pair in tested[rejected].tolist():
        a, b = int(first[pair]), int(second[pair])
        high, low = (a, b) if groups.means[a] > groups.means[b] else (b, a)
        lower.setdefault(places[high], []).append(places[low])
    return lower


class _Groups:
    """Sizes, means and sums of squares of the values of each column."""

    def __init__(
        self, values: np.ndarray, column: np.ndarray, weights: np.ndarray | None, columns: int
    ) -> None:
        def by_column(each: np.ndarray) -> np.ndarray:
            return np.bincount(column, each, minlength=columns)

        w = np.ones(len(values)) if weights is None else weights
        self._is_weighted = weights is not None
        self._sizes = np.bincount(column, minlength=columns)
        sums = by_column(w)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            self.means = by_column(w * values) / sums
            apart = values - self.means[column]
            self._scale = 1 + np.abs(self.means)
            self._variances = by_column(apart**2) / (self._sizes - 1)
            self._robust = by_column((w * apart) ** 2) / sums**2

    def compare(self, first: np.ndarray, second: np.ndarray, *, is_share: bool) -> np.ndarray:
        """Return the p value of each pair of columns, NaN where they cannot be compared."""
        least = np.minimum(self._sizes[first], self._sizes[second])
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            if self._is_weighted:
                found = self._weighted(first, second, is_share=is_share)
            else:
                found = (self._shares if is_share else self._numbers)(first, second)
        found[least < 2] = np.nan  # a single answer says nothing of its column
        return found

    def _shares(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Test by the share of both columns together, as is usual for tables."""
        n, means = self._sizes, self.means
        together = (n[first] * means[first] + n[second] * means[second]) / (n[first] + n[second])
        variance = together * (1 - together) * (1 / n[first] + 1 / n[second])
        return _of_normal(means[first] - means[second], np.sqrt(np.maximum(variance, 0)))

    def _numbers(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        special = import_optional("scipy.special", "analysis")
        parts = self._variances / self._sizes
        a, b = parts[first], parts[second]
        error = np.sqrt(a + b)
        freedom = (a + b) ** 2 / (
            a**2 / (self._sizes[first] - 1) + b**2 / (self._sizes[second] - 1)
        )
        t = np.abs(self.means[first] - self.means[second]) / error
        found: np.ndarray = 2 * special.stdtr(freedom, -t)
        found[error <= _EXACT * np.maximum(self._scale[first], self._scale[second])] = np.nan
        return found

    def _weighted(self, first: np.ndarray, second: np.ndarray, *, is_share: bool) -> np.ndarray:
        used = self._sizes > 1
        n, columns = int(self._sizes[used].sum()), int(used.sum())
        if n <= columns:
            return np.full(len(first), np.nan)
        robust = self._robust * n / (n - columns)
        error = np.sqrt(robust[first] + robust[second])
        found = _of_normal(self.means[first] - self.means[second], error)
        exact = error <= _EXACT * np.maximum(self._scale[first], self._scale[second])
        if is_share:  # robust errors of a few equal answers are zero, which says nothing
            flat = (self._sizes < VERY_LOW) & (np.sqrt(self._robust) <= _EXACT)
            exact |= flat[first] | flat[second]
            many = ~(flat[first] | flat[second])
            # Of many, 100 % and 0 % differ; without weights they do, too.
            apart = np.abs(self.means[first] - self.means[second]) > 1 - _EXACT
            found[many & apart] = 0.0
            exact &= ~(many & apart)
        found[exact] = np.nan
        return found


def _corrected(p_values: np.ndarray, correction: Correction) -> np.ndarray:
    """Return p values to be compared with the level, after a correction for their number."""
    n = len(p_values)
    if correction == "none":
        return p_values
    if correction == "bonferroni":
        return p_values * n
    order = np.argsort(p_values)
    ranks = np.arange(1, n + 1)
    if correction == "holm":  # none is below that of a smaller p value
        steps = np.maximum.accumulate(p_values[order] * (n + 1 - ranks))
    else:  # Benjamini-Hochberg: none is above that of a larger one
        steps = np.minimum.accumulate((p_values[order] * n / ranks)[::-1])[::-1]
    corrected = np.empty(n)
    corrected[order] = steps
    return corrected


def _of_normal(difference: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the p value of differences by the normal distribution, NaN without an error."""
    z = np.abs(difference) / np.where(error > _EXACT, error, np.nan)
    return np.array([math.erfc(each / math.sqrt(2)) for each in z.tolist()])
