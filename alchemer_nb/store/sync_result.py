"""The results of a sync, and of a comparison of a store with Alchemer."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

STOPPED = "the sync was stopped; what came is kept, and the next one goes on there"
COMPARISON_STOPPED = (
    "the sync is complete, and its comparison with Alchemer was stopped: whether they are equal is "
    "not known. Run it again"
)


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
        verified: The comparison with Alchemer after the sync; None if none was asked for.
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
    verified: VerifyResult | None = None

    def __str__(self) -> str:
        counts = {"new": self.added, "changed": self.changed, "removed": self.removed}
        changes = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
        name = self.title or self.survey
        rows = counted(self.rows, "response")
        first = f"{name}: {changes or 'nothing new'}; {rows} (test data included) in {self.place}"
        last = [self.verified.summary] if self.verified else []
        return make_visible("; ".join([first, *self.notes, *last]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(str(self))}</div>"


def note_without_id(count: int) -> str:
    """Return the note about responses that no store can hold."""
    are = "is" if count == 1 else "are"
    return f"{counted(count, 'response')} came without a valid id and {are} not stored"


DIFFERENCES = ("missing", "changed", "deleted", "expunged")
_ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True, eq=False)
class VerifyResult:
    """A comparison of a store with Alchemer, and of its files with their digests.

    Attributes:
        survey: Id.
        title: Title.
        place: Folder of the store.
        rows: Responses in it that can be read, test data included.
        told: Total count of responses, as Alchemer reported it.
        differences: One row a response that differs, by ``response_id``: ``difference`` is
            ``"missing"`` (only Alchemer has it), ``"changed"``, ``"deleted"`` (only the store has
            it) or ``"expunged"`` (it was removed for good, and yet is here); ``date_stored`` and
            ``date_alchemer`` are its ``date_updated`` on both sides.
        files: One row a file that is not the one that was written: ``file``, and ``problem``
            (``"gone"`` or ``"damaged"``).
        files_checked: How many files were checked.
        definition_differs: Whether Alchemer has another definition than the store.
        calls: Calls for responses.
        utc: When it began.
        notes: What else to know.
    """

    survey: str
    title: str
    place: Path
    rows: int
    told: int | None
    differences: pd.DataFrame
    files: pd.DataFrame
    files_checked: int
    definition_differs: bool
    calls: int
    utc: str
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not (len(self.differences) or len(self.files) or self.definition_differs)

    @property
    def counts(self) -> dict[str, int]:
        """Kind of difference -> responses; without those that do not occur."""
        counts = self.differences["difference"].value_counts()
        return {kind: int(counts[kind]) for kind in DIFFERENCES if counts[kind]}

    @property
    def summary(self) -> str:
        """What was found, in one sentence without the title."""
        if self.ok:
            count = self.files_checked
            return f"all {self.rows:,} responses are as at Alchemer, and {count:,} files as written"
        found = [f"{count:,} {kind}" for kind, count in self.counts.items()]
        if self.definition_differs:
            found.append("another definition")
        found += [f"{row.file} {row.problem}" for row in self.files.itertuples()]
        return f"not as at Alchemer: {', '.join(found)}"

    @property
    def hint(self) -> str:
        """What to do next; ``""`` if nothing differs."""
        if self.ok:
            return ""
        own = self.survey
        python = f"client.sync({own}, full=True)"
        return f"Nothing was changed; %alchemer sync {own} --full or {python} mends it"

    def __str__(self) -> str:
        first = f"{self.title or self.survey}: {self.summary}"
        text = ". ".join(filter(None, ["; ".join([first, *self.notes]), self.hint]))
        return make_visible(text)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = [each.head(_ROWS_SHOWN) for each in (self.differences, self.files) if len(each)]
        shown = "".join(table.to_html(na_rep="") for table in tables)
        return f"<p>{html.escape(str(self))}</p>{shown}"
