"""Going on with a download that ended on its way.

Pages are cut by position: those at hand are of use only while nothing before their end was
deleted or moved. A piece of the last one, asked for again, tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alchemer_nb.decoding import Scalar
    from alchemer_nb.engine import Engine, Stretch
    from alchemer_nb.envelope import Answer
    from alchemer_nb.pages import Page

    Key = tuple[Scalar, Scalar]


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


def look(engine: Engine, decode: Callable[[Answer], Page], mark: Mark) -> Seen:
    """Asks for the piece of the last page that has its last response.

    It is cut otherwise than the page, which makes it another address, unknown to any cache.
    """
    pieces = mark.stretch.smaller() or [mark.stretch]
    size = pieces[0].size
    place = (len(mark.keys) - 1) // size
    piece = pieces[place]
    answer = engine.wait_for(engine.send({"resultsperpage": size, "page": piece.number}))
    page = decode(answer)
    before, now = list(mark.keys[place * size :]), _keys(page)
    return Seen(piece, page, now[: len(before)] == before, not set(now).isdisjoint(mark.keys))


def _keys(page: Page) -> list[Key]:
    return list(zip(page.fields["id"], page.fields["session_id"], strict=True))
