"""Choose the bars of a histogram."""

from __future__ import annotations

import math

import numpy as np

from alchemer_nb.analysis.statistics import are_whole

_MOST_BARS = 24
_HUGE = 2.0**52  # above, floats have no halves


def bar_edges(numbers: np.ndarray) -> np.ndarray:
    """Return the edges of the bars of a histogram; of whole numbers, all bars span as many."""
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        half = max(0.5, abs(low) / 1000)
        return np.array([low - half, high + half])
    bars = _count_bars(numbers, low, high)
    if are_whole(numbers) and max(-low, high) < _HUGE:
        step = max(1, math.ceil((high - low + 1) / bars))
        return np.arange(low - 0.5, high + step, step)
    return 2 * np.linspace(low / 2, high / 2, bars + 1)


def _count_bars(numbers: np.ndarray, low: float, high: float) -> int:
    """Return how many bars numbers need: by Sturges or by Freedman and Diaconis, the larger.

    Unlike NumPy's, this does not build the edges, of which huge ranges have no end.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        below, above = np.percentile(numbers / 2, [25, 75])  # halves, which do not overflow
    width = 2 * (above - below) / len(numbers) ** (1 / 3)
    by_width = (high / 2 - low / 2) / width if width > 0 else 0.0
    return math.ceil(min(max(math.log2(len(numbers)) + 1, by_width), _MOST_BARS))
