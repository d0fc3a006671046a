"""Which columns of a table differ: pairwise tests, and the letters that say so.

Shares are compared by z tests, means by Welch's t tests; weighted ones by a regression on the
columns with robust errors (HC1), which equals Taylor linearisation for a design of weights alone.
Frequency-weight formulas would be wrong for survey weights.
"""

from __future__ import annotations

import warnings
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
EXTRA = "analysis"


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
        how = "with robust errors " if is_weighted else ""
        return (
            "A letter marks a value that is higher than that of the column with this letter: "
            f"pairwise z tests of shares and t tests of means {how}at {self.level:.0%}, "
            f"{_NAMES[self.correction]}."
        )


def find_lower(
    values: np.ndarray, column: np.ndarray, weights: np.ndarray | None, places: Sequence[int],
    testing: Testing, *, is_share: bool,
) -> dict[int, list[int]]:  # fmt: skip
    """Return, for each column, those columns whose value is significantly lower.

    Args:
        values: Value of each response of the base: 0 or 1 for shares, or numbers (float64).
        column: Column that each of them is in; others than ``places`` are left aside (int64).
        weights: Weight of each, above 0 (float64); None for none.
        places: The columns to compare.
        testing: Level and correction.
        is_share: Whether the values are shares, not numbers.
    """
    here = [place for place in places if (column == place).sum() > (0 if is_share else 1)]
    pairs = [*combinations(here, 2)]
    if not pairs:
        return {}
    groups = {place: values[column == place] for place in here}
    if weights is not None:
        p_values, means = _weighted(values, column, weights, here, pairs)
        if is_share:  # robust errors of a few equal answers are zero, which says nothing
            flat = {p for p, g in groups.items() if len(g) < VERY_LOW and len({*g.tolist()}) == 1}
            pairs_here = zip(pairs, p_values, strict=True)
            p_values = [np.nan if flat & {*pair} else p for pair, p in pairs_here]
    else:
        means = {place: float(group.mean()) for place, group in groups.items()}
        test = _share_test if is_share else _mean_test
        p_values = [test(groups[a], groups[b]) for a, b in pairs]
    tested = [number for number, p in enumerate(p_values) if np.isfinite(p)]
    if not tested:
        return {}
    found = np.array([p_values[number] for number in tested])
    if testing.correction == "none":
        rejected = found < testing.level
    else:
        multitest = import_optional("statsmodels.stats.multitest", EXTRA)
        rejected = multitest.multipletests(found, testing.level, testing.correction)[0]
    lower: dict[int, list[int]] = {}
    for number, is_different in zip(tested, rejected, strict=True):
        if is_different:
            a, b = pairs[number]
            high, low = (a, b) if means[a] > means[b] else (b, a)
            lower.setdefault(high, []).append(low)
    return lower


def _share_test(first: np.ndarray, second: np.ndarray) -> float:
    proportion = import_optional("statsmodels.stats.proportion", EXTRA)
    counts = [first.sum(), second.sum()]
    if sum(counts) in (0, len(first) + len(second)):  # nobody, or everybody: no error to test by
        return float("nan")
    return float(proportion.proportions_ztest(counts, [len(first), len(second)])[1])


def _mean_test(first: np.ndarray, second: np.ndarray) -> float:
    weightstats = import_optional("statsmodels.stats.weightstats", EXTRA)
    if first.std() == second.std() == 0:
        return float("nan")
    return float(weightstats.ttest_ind(first, second, usevar="unequal")[1])


def _weighted(
    values: np.ndarray,
    column: np.ndarray,
    weights: np.ndarray,
    here: Sequence[int],
    pairs: Sequence[tuple[int, int]],
) -> tuple[list[float], dict[int, float]]:
    """Return the p value of each pair and the weighted mean of each column."""
    linear = import_optional("statsmodels.regression.linear_model", EXTRA)
    inside = np.isin(column, here)
    dummies = (column[inside, None] == np.array(here)).astype(np.float64)
    if len(dummies) <= len(here):
        return [float("nan")] * len(pairs), dict.fromkeys(here, 0.0)
    fitted = linear.WLS(values[inside], dummies, weights=weights[inside]).fit(cov_type="HC1")
    means = dict(zip(here, fitted.params.tolist(), strict=True))
    unit = dict(zip(here, np.eye(len(here)), strict=True))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a difference without any error: handled as no test
        p_values = [float(fitted.t_test(unit[a] - unit[b]).pvalue) for a, b in pairs]
        errors = [float(fitted.t_test(unit[a] - unit[b]).sd.item()) for a, b in pairs]
    exact = 1e-12
    return [p if e > exact else float("nan") for p, e in zip(p_values, errors, strict=True)], means
