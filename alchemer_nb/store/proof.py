"""Checks a store against the order in which the server lists the responses.

The list, newest change first, is known beforehand: it is that of the stored stamps. A response
that changed unseen has another stamp now, so that it stands elsewhere, and all between its two
places have moved by one. So the stamps of the pages that were read anyway are compared with those
that belong there, then those of a few pages further down, ever further apart, and of the last.
Where one response changed and both its places lie between two of these, nothing shows; but a list
of up to two large pages is looked at whole each time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alchemer_nb.store.parts import EXPUNGED
from alchemer_nb.wire.clocks import is_later

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from alchemer_nb.store.parts import Index, Raw

_SHORT = 3  # large pages
_MOST = 4  # pages that are looked at further down in a longer one
_STAMP = 19  # letters of a date and a time; what follows is a zone


@dataclass(frozen=True, slots=True)
class Piece:
    """Some responses in a row, newest change first.

    Attributes:
        first: Place of the first in the whole list, from 0.
        told: Responses in the list at that moment.
        stamps: Of those that are kept here.
    """

    first: int
    told: int | None
    stamps: list[str | None]

    @classmethod
    def of(cls, rows: list[Raw], first: int, told: int | None, skip: Iterable[int]) -> Piece:
        """Makes it of a page, without those that were removed here for good."""
        return cls(first, told, [row.updated for row in rows if row.id not in skip])


class Order:
    """The stamps of a store, newest first.

    Attributes:
        is_dated: Whether any response has one.
        is_whole: Whether all have one that can be read.
    """

    def __init__(self, index: Index, zone: ZoneInfo) -> None:
        self._zone = zone
        texts = index.updated.filter(pa.array(index.here))
        self.is_dated = texts.null_count < len(texts)
        stamps = None if texts.null_count else _read(texts)
        self.is_whole = stamps is not None
        self._stamps = np.empty(0, np.int64) if stamps is None else np.sort(stamps)[::-1]
        self._hidden = int((index.digest == EXPUNGED).sum())  # whose stamps are not kept

    def __len__(self) -> int:
        return len(self._stamps) + self._hidden

    def fits(self, piece: Piece) -> bool:
        """Whether the stamps of a piece are those that belong there.

        What came after the piece was read stands before it. Where responses were removed here,
        any number of them may.
        """
        stamps = _read(pa.chunked_array([pa.array(piece.stamps, pa.string())]))
        if stamps is None:
            return False
        first = piece.first + len(self) - (len(self) if piece.told is None else piece.told)
        starts = range(max(0, first - self._hidden), first + 1)
        return any(self._agree(self._stamps[at : at + len(stamps)], stamps) for at in starts)

    def _agree(self, ours: np.ndarray, theirs: np.ndarray) -> bool:
        if len(ours) != len(theirs):
            return False
        differ = ours != theirs
        pairs = zip(_texts(ours[differ]), _texts(theirs[differ]), strict=True)
        return all(is_later(min(pair), max(pair), self._zone) for pair in pairs)


def is_short(total: int, large: int) -> bool:
    """Whether a list is so short that all its large pages, or all but one, are looked at."""
    return total <= _SHORT * large


def pages_to_see(seen: int, total: int, small: int, large: int) -> tuple[int, list[int]]:
    """Which pages to compare besides what was seen: their size, and their numbers."""
    if seen >= total:
        return large, []
    if is_short(total, large):
        last = math.ceil(total / large)
        return large, [last] if seen >= large else sorted({1, last})
    last, wider = math.ceil(total / small), (total / max(seen, 1)) ** (1 / _MOST)
    places = [int(seen * wider**step) for step in range(1, _MOST + 1)]
    return small, sorted({min(last, place // small + 1) for place in places})


def _texts(stamps: np.ndarray) -> list[str]:
    return [text.replace("T", " ") for text in np.datetime_as_string(stamps.view("M8[s]"))]


def _read(texts: pa.ChunkedArray) -> np.ndarray | None:
    """Stamps as numbers; None where one is none."""
    if texts.null_count:
        return None
    try:
        moments = pc.utf8_slice_codeunits(texts, 0, _STAMP).cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        return None
    return np.asarray(moments.cast(pa.int64()).to_numpy())
