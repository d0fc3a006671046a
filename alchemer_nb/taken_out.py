"""What was taken out of a frame, and whether other knowledge would bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.description import Facts

if TYPE_CHECKING:
    import pandas as pd


def brought_back(known: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """What one frame's knowledge still has and another frame had taken out.

    Args:
        known: Whose knowledge is to be given.
        other: The frame to receive it.

    Returns:
        Column ids, sorted. Hashes count where the other frame dropped the column: they tell
        people apart. Empty where the knowledge was redacted at least as far.
    """
    dropped, hashed = _treated(other)
    here_dropped, here_hashed = _treated(known)
    return sorted((dropped - here_dropped) | (hashed - here_dropped - here_hashed))


def _treated(frame: pd.DataFrame) -> tuple[set[str], set[str]]:
    """Ids of what was dropped, and of what was hashed."""
    text = frame.attrs.get(ATTRS)
    if not isinstance(text, str):
        return set(), set()
    kept = text.kept if isinstance(text, Facts) else None
    # The report leaves out metadata that the frame did not show; the options have them.
    dropped = set(kept.options.without) if kept is not None else set()
    hashed = set()
    for row in _report(text):
        own, done = row.get("column_id"), str(row.get("done", ""))
        if own and done == "dropped":
            dropped.add(own)
        elif own and done.startswith("hashed"):
            hashed.add(own)
    return dropped, hashed - dropped


def _report(text: str) -> list[dict[str, Any]]:
    try:
        facts = Facts(text).read()
    except ValueError:  # a text of the user's own says nothing
        return []
    rows = facts.get("redacted") if isinstance(facts, dict) else None
    return [row for row in rows or () if isinstance(row, dict)]
