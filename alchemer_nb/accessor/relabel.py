"""The responses of a frame with other choices, without the columns that the user dropped."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from alchemer_nb.accessor.knowledge import Knowledge
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import multi_lists
from alchemer_nb.frame.description import kept_of
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.frame.description import Kept

_SHAPING = {"values", "multi", "metadata", "columns"}  # whose columns do not stand for one another
_FIXED = {"test_rows", "limit", "without"}  # which rows, and what was redacted: not changed here
_ALLOWED = tuple(each.name for each in fields(FrameOptions) if each.name not in _FIXED)


def relabel(frame: pd.DataFrame, choices: dict[str, Any]) -> pd.DataFrame:
    """Build a frame again with other choices; see ``AlchemerAccessor.relabel``.

    Raises:
        InvalidArgument: A choice does not fit.
        KnowledgeLost: The answers are not with the frame any more.
    """
    known = Knowledge(frame)
    kept = known.kept
    known.check_unique_columns()
    unknown = [name for name in choices if name not in _ALLOWED]
    if unknown:
        raise InvalidArgument(f"relabel takes {', '.join(_ALLOWED)}, not {unknown[0]!r}")
    if isinstance(choices.get("columns"), str):
        choices["columns"] = (choices["columns"],)
    elif choices.get("columns") is not None:
        choices["columns"] = tuple(choices["columns"])
    ids = known.ids(kept)
    was_long = kept.options.shape == "long"
    if was_long:
        ids = list(dict.fromkeys(ids))  # a response has a row for each of its answers there
    fresh = kept.frame(ids, kept.with_options(**choices))
    if was_long or fresh.index.name != INDEX:
        return fresh  # rows that do not stand for one another
    return _as_here(frame, kept, fresh, choices)


def _as_here(
    frame: pd.DataFrame, kept: Kept, fresh: pd.DataFrame, choices: dict[str, Any]
) -> pd.DataFrame:
    """Drop the columns that the user dropped, and add those that the user made."""
    before = kept.frame(fresh.index, kept.options)
    dropped = [name for name in before if name not in frame.columns]
    changed = {name for name in choices if choices[name] != getattr(kept.options, name)}
    alike = _SHAPING.isdisjoint(changed) and len(before.columns) == len(fresh.columns)
    if alike:
        out = set(dropped)
        pairs = zip(before.columns, fresh.columns, strict=True)
        fresh = fresh.drop(columns=[new for old, new in pairs if old in out])
    else:
        fresh = fresh.drop(columns=_by_place(kept, fresh, dropped))
    own = [c for c in frame.columns if c not in before.columns and c not in fresh.columns]
    attrs = fresh.attrs
    for name in own:
        if name != INDEX:
            fresh[name] = frame[name].to_numpy()
    fresh.attrs = attrs
    return fresh


def _by_place(kept: Kept, fresh: pd.DataFrame, dropped: list[Any]) -> list[Any]:
    """Return the new names of dropped columns, found by id, as names and order may differ."""
    described = kept_of(fresh)
    now = described.names if described else {}
    gone = multi_lists.column_ids(kept.names[name] for name in dropped if name in kept.names)
    out = [name for name in dropped if name in fresh.columns and name not in now]
    for name, column in now.items():
        if multi_lists.is_redacted(column, gone):
            out += [n for n in (name, f"{name}_code") if n in fresh.columns]
    return out
