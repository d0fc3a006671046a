"""Checks the order in which the server lists the responses against the stored dates.

The order of the list, newest change first, follows from the stored dates. If a sync has missed a
change, that response has another date on the server, so it is at another position, and all
responses between the two positions have moved by one. So a sync compares the dates on the pages
that it has read, on a few pages further down (at growing distances), and on the last page.

A missed change is not noticed if both positions are between two of these pages; a list of up to two
large pages is compared completely each time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alchemer_nb.store.parts import EXPUNGED, Index
from alchemer_nb.wire.clocks import is_later

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_SHORT = 3  # large pages
_FURTHER_PAGES = 4
_DATE_LENGTH = 19  # characters of date and time; a zone may follow


@dataclass(frozen=True, slots=True)
class ListedDates:
    """The dates of consecutive responses of the list, newest change first.

    Attributes:
        first: Position of the first in the list, from 0.
        total_count: Length of the list at that moment.
        dates: ``date_updated`` of each, without the responses that were expunged.
    """

    first: int
    total_count: int | None
    dates: list[str | None]


class StoredDates:
    """The dates of the responses in a store, newest first.

    Attributes:
        any_dated: Whether any response has a date.
        all_dated: Whether all have one that can be read.
    """

    def __init__(self, index: Index, zone: ZoneInfo) -> None:
        self._zone = zone
        texts = index.updated.filter(pa.array(index.has_content))
        self.any_dated = texts.null_count < len(texts)
        dates = _read_dates(texts)
        self.all_dated = dates is not None
        self._dates = np.empty(0, np.int64) if dates is None else np.sort(dates)[::-1]
        self._expunged = int((index.digest == EXPUNGED).sum())  # listed, with unknown dates

    def __len__(self) -> int:
        return len(self._dates) + self._expunged

    def agree_with(self, listed: ListedDates) -> bool:
        """Check whether listed dates are those expected at their position.

        Responses that came after the page was read are before it in the list. Expunged ones
        are at unknown positions, so any number of them may be before it.
        """
        dates = _read_dates(pa.chunked_array([pa.array(listed.dates, pa.string())]))
        if dates is None:
            return False
        total = len(self) if listed.total_count is None else listed.total_count
        first = listed.first + len(self) - total
        starts = range(max(0, first - self._expunged), first + 1)
        return any(self._are_equal(self._dates[at : at + len(dates)], dates) for at in starts)

    def _are_equal(self, ours: np.ndarray, theirs: np.ndarray) -> bool:
        """Compare dates; in the hour that occurs twice in autumn any order is possible."""
        if len(ours) != len(theirs):
            return False
        differ = ours != theirs
        pairs = zip(_as_text(ours[differ]), _as_text(theirs[differ]), strict=True)
        return all(is_later(min(pair), max(pair), self._zone) for pair in pairs)


def is_short(total: int, large: int) -> bool:
    """Check whether all large pages of a list, or all but one, are compared."""
    return total <= _SHORT * large


def choose_pages(seen: int, total: int, small: int, large: int) -> tuple[int, list[int]]:
    """Return the page size and the page numbers to compare besides the responses seen."""
    if seen >= total:
        return large, []
    if is_short(total, large):
        last = math.ceil(total / large)
        return large, [last] if seen >= large else sorted({1, last})
    last, ratio = math.ceil(total / small), (total / max(seen, 1)) ** (1 / _FURTHER_PAGES)
    positions = [int(seen * ratio**step) for step in range(1, _FURTHER_PAGES + 1)]
    return small, sorted({min(last, position // small + 1) for position in positions})


def _as_text(dates: np.ndarray) -> list[str]:
    return [text.replace("T", " ") for text in np.datetime_as_string(dates.view("M8[s]"))]


def _read_dates(texts: pa.ChunkedArray) -> np.ndarray | None:
    """Return dates as seconds since 1970; None if any is missing or cannot be read."""
    if texts.null_count:
        return None
    try:
        moments = pc.utf8_slice_codeunits(texts, 0, _DATE_LENGTH).cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        return None
    return np.asarray(moments.cast(pa.int64()).to_numpy())
