"""The result of a sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from pathlib import Path

STOPPED = "the sync was stopped; what came is kept, and the next one goes on there"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of a sync.

    Attributes:
        survey: Id.
        title: Title.
        place: Folder of the store.
        rows: Responses in it, test data included.
        told: Total count of responses, as Alchemer reported it.
        added: New responses.
        changed: Changed responses.
        removed: Deleted responses.
        calls: Calls for responses.
        utc: When it began.
        notes: What was repaired, or is not as it should be.
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
        counts = {"new": self.added, "changed": self.changed, "removed": self.removed}
        changes = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
        name = self.title or self.survey
        first = f"{name}: {changes or 'nothing new'}; {self.rows:,} responses in {self.place}"
        return make_visible("; ".join([first, *self.notes]))

    __repr__ = __str__
