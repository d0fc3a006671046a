"""Merges of other data into responses, which keep the description of the responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import ATTRS, read_description
from alchemer_nb.visible import print_line
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd


def attach(
    known: pd.DataFrame, other: pd.DataFrame, names: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Give the description of one frame to another; see ``AlchemerAccessor.attach``.

    Raises:
        InvalidArgument: The other frame is redacted, and this description is not; or a name is
            unknown.
    """
    if brought_back(known, other):
        raise InvalidArgument(
            "the other frame was redacted, and this description would bring back what was taken "
            "out: redact this frame in the same way first, then attach"
        )
    description = read_description(known)
    for new, old in (names or {}).items():
        if new not in other.columns:
            raise InvalidArgument(f"names: the other frame has no column {str(new)[:40]!r}")
        description = description.named(new, old)
    described = other.copy(deep=False)
    described.attrs = {**other.attrs, ATTRS: description.to_json()}
    return described


def join(
    responses: pd.DataFrame,
    other: pd.DataFrame,
    on: Hashable | Sequence[Hashable],
    how: str,
    suffixes: tuple[str, str],
) -> pd.DataFrame:
    """Merge another frame into responses, and print how many matched.

    See ``AlchemerAccessor.join``.

    Raises:
        InvalidArgument: ``on`` is missing in one of them or of another type, or ``other`` would
            multiply rows.
    """
    keys = list(on) if isinstance(on, (list, tuple)) else [on]
    for which, frame in (("this frame", responses), ("the other frame", other)):
        lost = [key for key in keys if key not in frame.columns]
        if lost:
            raise InvalidArgument(f"{which} has no column {lost[0]!r} to join on")
    if how not in ("left", "inner"):
        raise InvalidArgument("how is 'left' or 'inner'")
    found = other.dropna(subset=keys)
    if found.duplicated(subset=keys).any():
        raise InvalidArgument(
            f"the other frame has several rows for one value of {keys[0]!r}; responses would "
            "be multiplied. Make them unique first, such as with drop_duplicates"
        )
    left = responses.copy(deep=False)
    left.attrs = {}
    try:
        merged = left.assign(__row=np.arange(len(left))).merge(
            found,
            on=keys,
            how="left",
            suffixes=suffixes,
            validate="many_to_one",
            indicator="__match",
        )
    except ValueError:
        # Ids are text here and often numbers elsewhere, of which pandas says "use pd.concat".
        for key in keys:
            if left[key].dtype != found[key].dtype:
                raise InvalidArgument(
                    f"{key!r} is {left[key].dtype} in this frame and {found[key].dtype} in the "
                    "other frame: give both the same type, such as with astype(str)"
                ) from None
        raise
    has_match = merged.pop("__match") == "both"
    used = len(merged.loc[has_match, keys].drop_duplicates())
    print_line(_matches(keys, (int(has_match.sum()), len(left)), (used, len(found))))
    if how == "inner":
        merged = merged[has_match]
    at = merged.pop("__row").to_numpy()
    merged.index = responses.index[at]
    return attach(responses, merged)


def _matches(keys: list[Hashable], here: tuple[int, int], there: tuple[int, int]) -> str:
    """Return how many rows of the two frames matched, as a sentence."""
    on = ", ".join(map(str, keys))
    matched = counted(here[0], "response", of=here[1])
    used = counted(there[0], "row", of=there[1])
    line = f"{on}: {matched} matched, by {used} of the other frame"
    return line if here[0] else f"{line}: compare how both write {on}"


def brought_back(known: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return the ids of columns that were redacted in one frame and are not in another's attrs.

    Args:
        known: The frame whose attrs are to be given.
        other: The frame to receive them.

    Returns:
        Column ids, sorted. A column that is hashed in the one and dropped in the other counts, as
        hashes distinguish people. Empty if the attrs were redacted at least as far.
    """
    dropped, hashed = _treated(other)
    here_dropped, here_hashed = _treated(known)
    return sorted((dropped - here_dropped) | (hashed - here_dropped - here_hashed))


def _treated(frame: pd.DataFrame) -> tuple[set[str], set[str]]:
    """Return the ids of dropped columns, and those of hashed ones."""
    try:
        report = read_description(frame).redacted
    except KnowledgeLost:  # a text of the user's own says nothing
        return set(), set()
    done = {str(row.get("column_id")): str(row.get("done", "")) for row in report}
    dropped = {own for own, word in done.items() if word == "dropped"}
    return dropped, {own for own, word in done.items() if word.startswith("hashed")}
