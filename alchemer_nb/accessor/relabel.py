"""The responses of a frame with other choices, from the values at hand."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import describe
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reexpress import reexpress

if TYPE_CHECKING:
    import pandas as pd

# Which rows, and how their dates were read: not changed here.
_FIXED = {"test_rows", "limit", "day_first"}
_ALLOWED = tuple(each.name for each in fields(FrameOptions) if each.name not in _FIXED)


def relabel(frame: pd.DataFrame, choices: dict[str, Any]) -> pd.DataFrame:
    """Write a frame again with other choices; see ``AlchemerAccessor.relabel``.

    Raises:
        InvalidArgument: A choice does not fit.
        KnowledgeLost: The frame carries no description, or its values do not suffice.
    """
    description = describe(frame)
    unknown = [name for name in choices if name not in _ALLOWED]
    if unknown:
        raise InvalidArgument(f"relabel takes {', '.join(_ALLOWED)}, not {unknown[0]!r}")
    if description.waves:
        raise InvalidArgument(
            "these are several waves under one another; relabel each wave's own frame, then stack"
        )
    return reexpress(frame, description, replace(description.options, **choices))
