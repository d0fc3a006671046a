"""What became of a sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: What is said of a sync that was ended.
STOPPED = "the sync was stopped; what came is kept, and the next one goes on there"


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought.

    Attributes:
        survey: Id.
        title: Title.
        place: Where the store is.
        rows: Responses in it, test data included.
        told: Responses that Alchemer says there are.
        added: Responses that are new.
        changed: Responses that changed.
        removed: Responses that are gone.
        calls: Calls that were made for responses.
        utc: When it began.
        notes: What was mended, or is not as it should be.
    """

    survey: str
    title: str
    place: Path
    rows: int
    told: int | None
    added: int
    changed: int
    removed: int
    calls: int
    utc: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        changes = [
            f"{count:,} {word}"
            for count, word in (
                (self.added, "new"),
                (self.changed, "changed"),
                (self.removed, "removed"),
            )
            if count
        ]
        what = ", ".join(changes) or "nothing new"
        first = f"{self.title or self.survey}: {what}; {self.rows:,} responses in {self.place}"
        return "; ".join([first, *self.notes])

    __repr__ = __str__
