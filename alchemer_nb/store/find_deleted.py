"""Finds the deleted responses with few calls.

The API does not list them. But in the list by ascending id, the position of a response shows how
many of the known responses before it were deleted. So each deleted response is found by bisection,
with calls for a few rows each.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.wire.paging import PAGE_SIZE

if TYPE_CHECKING:
    from alchemer_nb.fetch.page_fetcher import PageFetcher
    from alchemer_nb.fetch.raw_pages import RawPage
    from alchemer_nb.store.listing import Listing

    Edge = tuple[int, int]  # position in the list now, position among the known ids

_ROW_CALLS = 20  # small calls that take as long as reading all pages of a short list


def is_cheap(known: int, deleted: int) -> bool:
    """Check whether bisection costs less than a read of all pages.

    Args:
        known: Count of known responses.
        deleted: How many of them were deleted.
    """
    calls = deleted * 2 * math.ceil(math.log2(known + 2))
    return calls <= _ROW_CALLS + 4 * math.ceil(known / PAGE_SIZE)


def find_deleted(
    listing: Listing, fetcher: PageFetcher, known: np.ndarray, total_count: int
) -> list[int] | None:
    """Return the ids of the deleted responses; None if the list changed during the search.

    Args:
        listing: The list.
        fetcher: Sends the calls.
        known: Ids that were in the list, ascending.
        total_count: Length of the list now.
    """
    deleted: list[int] = []
    pages: dict[int, RawPage] = {}
    spans: list[tuple[Edge, Edge]] = [((-1, -1), (total_count, len(known)))]
    while spans:
        open_spans = []
        for low, high in spans:
            missing = (high[1] - low[1]) - (high[0] - low[0])
            if missing < 0:
                return None
            if missing and high[0] - low[0] == 1:
                deleted += known[low[1] + 1 : high[1]].tolist()
            elif missing:
                open_spans.append((low, high))
        count = 3 if len(open_spans) < 3 else 1
        chosen = [_between(low[0], high[0], count) for low, high in open_spans]
        positions = [position for some in chosen for position in some]
        found = dict(zip(positions, listing.read_ids_at(fetcher, positions, pages), strict=True))
        spans = []
        for (low, high), some in zip(open_spans, chosen, strict=True):
            edges = [low]
            for position in some:
                known_at = _position_among(known, found[position])
                if known_at is None:
                    return None
                edges.append((position, known_at))
            spans += itertools.pairwise([*edges, high])
    return deleted if len(known) - len(deleted) == total_count else None


def _between(low: int, high: int, count: int) -> list[int]:
    """Return positions at equal distances between two others."""
    steps = min(count, high - low - 1)
    return [low + (high - low) * step // (steps + 1) for step in range(1, steps + 1)]


def _position_among(known: np.ndarray, response_id: int | None) -> int | None:
    if response_id is None or not len(known):
        return None
    at = int(np.searchsorted(known, response_id))
    return at if at < len(known) and known[at] == response_id else None
