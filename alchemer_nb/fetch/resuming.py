"""Going on with a download that ended on its way.

Pages are cut by position: those at hand are of use only while nothing before their end was
deleted or moved. A piece of the last one, asked for again, tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.fetch.prefetch import SIZES, Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alchemer_nb.decode.entry_types import Scalar
    from alchemer_nb.decode.pages import Page
    from alchemer_nb.fetch.prefetch import Engine
    from alchemer_nb.http.reply import Answer

    Key = tuple[Scalar, Scalar]

_TURNS = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """The last page that came.

    Attributes:
        stretch: Where it stands in the list.
        keys: What tells its responses from all others, whatever is edited.
    """

    stretch: Stretch
    keys: Sequence[Key]

    @classmethod
    def of(cls, stretch: Stretch, page: Page) -> Mark:
        """Marks a page."""
        return cls(stretch, _keys(page))

    @property
    def has_room(self) -> bool:
        """Whether more responses may stand on it by now."""
        return len(self.keys) < self.stretch.size


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands now where the last page that came had stood.

    Attributes:
        stretch: The piece of it that was asked for.
        page: What stands there.
        same: Whether it holds what it did; more may follow.
        common: Whether it holds anything that it did.
    """

    stretch: Stretch
    page: Page
    same: bool
    common: bool


def look(engine: Engine, decode: Callable[[Answer], Page], mark: Mark, turn: int) -> Seen:
    """Asks for the piece of the last page that has its last response.

    It is cut otherwise than the page, and than the last time: another address, which no cache of
    the last minute knows.

    Args:
        engine: Sends.
        decode: Makes a page of an answer.
        mark: The last page that came.
        turn: How often a download was gone on with, from 1.
    """
    whole = mark.stretch
    sizes = [size for size in SIZES if size < whole.size][:_TURNS] or [whole.size]
    size = sizes[(turn - 1) % len(sizes)]
    place = (len(mark.keys) - 1) // size
    piece = Stretch(size, (whole.number - 1) * (whole.size // size) + place + 1)
    answer = engine.wait_for(engine.send({"resultsperpage": size, "page": piece.number}))
    page = decode(answer)
    before, now = list(mark.keys[place * size :]), _keys(page)
    return Seen(piece, page, now[: len(before)] == before, not set(now).isdisjoint(mark.keys))


def _keys(page: Page) -> list[Key]:
    return list(zip(page.fields["id"], page.fields["session_id"], strict=True))
