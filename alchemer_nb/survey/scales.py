"""Numbers as people type them, and the options that are steps of a scale."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from alchemer_nb.survey.question_types import question_key

if TYPE_CHECKING:
    from alchemer_nb.survey.columns import AnswerColumn


def is_ordered(column: AnswerColumn) -> bool:
    """Check whether the options of a column are a scale, with no "not applicable" among them.

    The API does not say that options have an order. The likert type has one, and reporting values
    that are rising or falling numbers mean one; but not in a dropdown list, which may hold years.
    """
    if any(o.is_not_applicable or o.is_other for o in column.choices):
        return False
    if question_key(column.question) == "menu":
        return False
    if column.question.key == "radio-likert":
        return True
    numbers = [read_number(option.value) for option in column.choices]
    if len(numbers) < 3 or any(map(math.isnan, numbers)):
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def is_scale(column: AnswerColumn) -> bool:
    """Check whether the options of a column are a scale, "not applicable" ones left aside."""
    steps = tuple(option for option in column.choices if not option.is_not_applicable)
    return is_ordered(replace(column, choices=steps))


def has_scores(column: AnswerColumn) -> bool:
    """Check whether the codes of a column are numbers to count with: a scale, or 0 and 1."""
    if column.kind != "category" or is_scale(column):
        return True
    codes = {read_number(o.value) for o in column.choices if not o.is_not_applicable}
    return {code for code in codes if not math.isnan(code)} <= {0, 1}


def read_number(value: Any) -> float:
    """Return a number as typed, such as ``"1,234.5"`` or ``"12%"``; NaN for what is none."""
    if isinstance(value, str):
        value = value.strip().replace("\u00a0", "").removesuffix("%").strip()
        if value.count(",") and "." in value.split(",")[-1]:
            value = value.replace(",", "")
        if "_" in value:  # Python reads "1_000"
            return math.nan
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan
