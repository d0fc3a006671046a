"""Finds out which responses were deleted, by asking as little as possible.

The API never names them: they are just not there any more. The list by ascending id is exact,
though: the response at position p tells how many of those known before it are gone. So each gap
is found by halving, with calls of a few rows each.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from alchemer_nb.fetch.prefetch import Engine
    from alchemer_nb.store.listing import Listing
    from alchemer_nb.store.parts import Raw

_PAGE = 500
_ROWS_COST = 20  # calls for one row that cost as much as one for a page


def is_cheap(known: int, missing: int) -> bool:
    """Whether to look for gaps costs less than to go through all pages."""
    probes = missing * 2 * math.ceil(math.log2(known + 2))
    return probes <= _ROWS_COST + 4 * math.ceil(known / _PAGE)


def find(listing: Listing, engine: Engine, known: np.ndarray, told: int) -> list[int] | None:
    """Ids that are gone.

    Args:
        listing: Asks.
        engine: Sends.
        known: Ids that were there, ascending.
        told: Responses that are there now.

    Returns:
        The ids; None where the answers do not fit together, as the list changed meanwhile.
    """
    gone: list[int] = []
    pages: dict[int, list[Raw]] = {}
    spans = [((-1, -1), (told, len(known)))]  # (position now, position among the known)
    while spans:
        open_spans = []
        for low, high in spans:
            lost = (high[1] - low[1]) - (high[0] - low[0])
            if lost < 0:
                return None
            if lost and high[0] - low[0] == 1:
                gone += known[low[1] + 1 : high[1]].tolist()
            elif lost:
                open_spans.append((low, high))
        if not open_spans:
            break
        probes = [
            _inside(low[0], high[0], 3 if len(open_spans) < 3 else 1) for low, high in open_spans
        ]
        asked = [position for some in probes for position in some]
        found = dict(zip(asked, listing.at(engine, asked, pages), strict=True))
        spans = []
        for (low, high), some in zip(open_spans, probes, strict=True):
            edges = [low]
            for position in some:
                place = _place(known, found[position])
                if place is None:
                    return None
                edges.append((position, place))
            edges.append(high)
            spans += list(itertools.pairwise(edges))
    return gone if len(known) - len(gone) == told else None


def _inside(low: int, high: int, count: int) -> list[int]:
    """Positions between two others, evenly."""
    steps = min(count, high - low - 1)
    return [low + (high - low) * step // (steps + 1) for step in range(1, steps + 1)]


def _place(known: np.ndarray, own: int | None) -> int | None:
    if own is None or not len(known):
        return None
    at = int(np.searchsorted(known, own))
    return at if at < len(known) and known[at] == own else None
