"""A hundred thousand responses are no reason to wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 100_000
LIMITS: list[tuple[str, dict[str, Any], float]] = [
    ("satisfaction", {"by": "region", "letters": False}, 1),
    ("14", {"by": "region"}, 1),
    ("nps", {"by": "region"}, 1.5),
    ("satisfaction", {"by": ["region", "had_problem"], "weight": "w", "correction": "holm"}, 2),
    ("9", {"by": ["region", "had_problem"], "weight": "w"}, 5),  # of four rows
]


@pytest.fixture(scope="module")
def many(downloads: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    few = downloads(9000001)
    drawn = np.random.default_rng(1)
    frame = few.iloc[drawn.integers(0, len(few), ROWS)].copy()
    frame.index = pd.RangeIndex(1, ROWS + 1, name="response_id")
    frame["w"] = drawn.uniform(0.2, 3, ROWS)
    return frame


@pytest.mark.long
@pytest.mark.parametrize(("question", "options", "seconds"), LIMITS)
def test_cpu_of_a_table(
    many: pd.DataFrame, question: str, options: dict[str, Any], seconds: float
) -> None:
    many.alchemer.table(question, **options)  # what is imported and decoded once
    started = time.process_time()
    many.alchemer.table(question, **options)
    assert time.process_time() - started < seconds
