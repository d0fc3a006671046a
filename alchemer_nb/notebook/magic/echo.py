"""What a download was asked for, in one line of words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alchemer_nb.survey.filters import parse_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_WORDS = {
    "test_rows": "test rows: {}",
    "names": "names: {}",
    "values": "values: {}",
    "shape": "shape: {}",
    "multi": "multi-selects as {}",
    "language": "in {}",
    "metadata": "metadata: {}",
    "tz": "times in {}",
    "columns": "columns: {}",
    "limit": "at most {} rows",
}


def sentence(survey: Any, asked: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """Says what was asked and what came.

    Args:
        survey: The id or title as it was given.
        asked: The arguments that were given.
        frame: What came.

    Returns:
        One line, for example ``Customer satisfaction (9000001): status is Complete → 412 rows ×
        31 columns; 14 test rows left out (--test-rows include brings them back)``.
    """
    parts = [*conditions(asked), *_options(asked)]
    head = name_of(frame, survey)
    told = f": {', '.join(parts)}" if parts else ""
    size = f"{_count(len(frame), 'row')} × {_count(frame.shape[1], 'column')}"
    return "; ".join([f"{head}{told} → {size}", *_notes(frame)])


def conditions(asked: Mapping[str, Any]) -> list[str]:
    """The filters, in words."""
    parts = []
    if asked.get("status"):
        parts.append(f"status is {_listed(asked['status'], ' or ')}")
    if asked.get("since"):
        parts.append(f"submitted from {asked['since']}")
    if asked.get("until"):
        parts.append(f"submitted until {asked['until']}")
    return parts + [str(condition) for condition in parse_conditions(asked.get("where"))]


def name_of(frame: pd.DataFrame, survey: Any) -> str:
    """The survey's title and id as the frame carries them, else what was given."""
    told = facts(frame)
    survey_id, title = told.get("survey_id"), told.get("title") or told.get("survey_title")
    if title and survey_id:
        return f"{' '.join(str(title).split())} ({survey_id})"
    return str(survey)


def facts(frame: pd.DataFrame) -> dict[str, Any]:
    """What a frame carries about where it comes from."""
    try:
        told = json.loads(frame.attrs.get("alchemer", "{}"))
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _notes(frame: pd.DataFrame) -> list[str]:
    """What the download has to say of rows that were left out, in words of the magic."""
    from alchemer_nb.frame.provenance import summary

    told = facts(frame)
    if not told:
        return []
    _, *notes = summary(told).split("; ")
    return [note.replace('test_rows="include"', "--test-rows include") for note in notes]


def _options(asked: Mapping[str, Any]) -> list[str]:
    shown = {k: v for k, v in asked.items() if k in _WORDS}
    return [_WORDS[name].format(_listed(value, ", ")) for name, value in shown.items()]


def _listed(value: Any, joint: str) -> str:
    return joint.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
