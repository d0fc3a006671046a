"""Statistics of numbers with weights, for the columns of a table.

Errors are those of Taylor linearisation for a design of weights alone, as in survey packages.
All take the values and the weights above 0 of some responses (float64, equally long, not empty).
"""

from __future__ import annotations

import math

import numpy as np

_Z = 1.959963984540054  # of a 95 % interval


def are_whole(values: np.ndarray) -> bool:
    """Check whether all numbers are whole, missing ones left aside."""
    there = values[np.isfinite(values)]
    return bool((there == np.floor(there)).all())


def mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the mean."""
    return float(np.average(values, weights=weights))


def deviation(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the standard deviation; NaN of one value."""
    n = len(values)
    if n < 2:
        return math.nan
    squares = (values - mean(values, weights)) ** 2
    return math.sqrt(float(np.average(squares, weights=weights)) * n / (n - 1))


def margin(values: np.ndarray, weights: np.ndarray) -> float:
    """Return half the width of the 95 % interval of a mean, by Taylor linearisation."""
    n = len(values)
    if n < 2:
        return math.nan
    scaled = weights * (values - mean(values, weights)) / weights.sum()
    return _Z * math.sqrt(n / (n - 1) * float((scaled**2).sum()))


def median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the median; with weights, the value at which half of their sum is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    half = reached[-1] / 2
    place = int(np.searchsorted(reached, half * (1 - 1e-12)))
    at_half = np.isclose(reached[place], half, rtol=1e-12)
    after = values[order][min(place + 1, len(values) - 1)]
    return float((values[order][place] + after) / 2 if at_half else values[order][place])


def lowest(values: np.ndarray, _weights: np.ndarray) -> float:
    """Return the lowest value."""
    return float(values.min())


def highest(values: np.ndarray, _weights: np.ndarray) -> float:
    """Return the highest value."""
    return float(values.max())


def different(values: np.ndarray, _weights: np.ndarray) -> float:
    """Return how many texts differ, up to case and blanks around them."""
    return float(len({str(value).strip().casefold() for value in values}))
