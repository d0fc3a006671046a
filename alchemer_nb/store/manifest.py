"""What a survey's store holds: the one file that says which others count.

It is written anew at each step and put in place at once, so that a store is always that of one
moment. A file of the store that it does not name is a leftover and is swept away. Its seal tells
when another hand has changed it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec

from alchemer_nb.errors import InvalidArgument, StoreError, StoreNewer
from alchemer_nb.store import names
from alchemer_nb.store.paths import written
from alchemer_nb.wire.clocks import Clock  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.wire.ids import given_id

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
NAME = names.MANIFEST
EXPUNGED = names.EXPUNGED
_SYNCS_KEPT = 200
_HIGHEST = 10**12 - 1  # number of a file
_SEAL = "seal"


class Unreadable(Exception):
    """The manifest is cut short, changed or none; it can be made anew from the parts."""


@dataclass(slots=True)
class Part:
    """A file of responses.

    Attributes:
        number: Its number, and its name.
        rows: Rows, those that say "deleted" included.
        low: The lowest response id.
        high: The highest.
        size: Bytes.
    """

    number: int
    rows: int
    low: int
    high: int
    size: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return names.responses(self.number)


class SyncRecord(TypedDict):
    """A sync that came to its end: when it began, and responses by what became of them."""

    number: int
    utc: str | None
    added: int
    changed: int
    removed: int
    rows: int


class DefinitionRecord(TypedDict):
    """A definition that is stored: the number of its file, since when, and its digest."""

    number: int
    utc: str | None
    digest: str


@dataclass(slots=True)
class Unfinished:
    """A walk through all pages that has not come to its end.

    Attributes:
        pages: Pages whose rows are stored.
        size: Rows a page.
        watermark: The newest change when it began.
        clock: When it began.
    """

    pages: int = 0
    size: int = 500
    watermark: str | None = None
    clock: Clock | None = None


@dataclass(slots=True)
class Manifest:
    """The state of a survey's store.

    Attributes:
        survey: Id.
        title: Title.
        region: Name of the region.
        zone: The region's zone.
        format: Version of the store.
        next: Number of the next part.
        parts: Those that count, by number.
        watermark: The newest ``date_updated`` that was there at the last sync, as received; none
            that lies ahead of the server's clock.
        clock: When the last sync read it.
        late: Whether responses changed with a stamp from before the last sync, so that only a
            look at all of them tells what changed.
        told: Responses that the server said there are.
        rows: Responses stored and not deleted.
        turn: The next of the addresses of calls, which no cache knows (see ``Listing.size``).
        syncs: The syncs so far: number, utc, added, changed, removed, rows.
        definitions: The definitions so far: number, utc, digest.
        unfinished: A walk that goes on, or None.
        dates: Place of typed dates -> orders that they show; a part alone may not show any.
        doubtful: Why all rows are to be compared at the next sync; ``""`` for no reason.
    """

    survey: str
    title: str = ""
    region: str = ""
    zone: str = "UTC"
    format: int = FORMAT
    next: int = 1
    parts: list[Part] = field(default_factory=list)
    watermark: str | None = None
    clock: Clock | None = None
    late: bool = False
    told: int | None = None
    rows: int = 0
    turn: int = 0
    syncs: list[SyncRecord] = field(default_factory=list)
    definitions: list[DefinitionRecord] = field(default_factory=list)
    unfinished: Unfinished | None = None
    dates: dict[str, list[str]] = field(default_factory=dict)
    doubtful: str = ""

    @property
    def complete(self) -> bool:
        """Whether there was a sync that came to its end."""
        return bool(self.syncs)

    @property
    def utc(self) -> str | None:
        """When the last sync that came to its end began."""
        return self.syncs[-1]["utc"] if self.syncs else None

    @property
    def sync(self) -> int:
        """Number of the last sync that came to its end; 0 for none."""
        return self.syncs[-1]["number"] if self.syncs else 0

    def save(self, folder: Path) -> None:
        """Puts it in the place of the one before.

        Raises:
            StoreError: The disk refuses.
        """
        self.syncs = self.syncs[-_SYNCS_KEPT:]
        state = asdict(self)
        write_json(folder / NAME, state | {_SEAL: _seal(state)})


def load(folder: Path) -> Manifest | None:
    """Reads the manifest of a folder; None where there is none.

    Raises:
        StoreNewer: A newer version of this package wrote it.
        Unreadable: It is not whole, or is not as it was written.
    """
    told = read_json(folder / NAME)
    if told is None:
        return None
    try:
        version = int(told["format"])
        if version > FORMAT:
            raise StoreNewer(
                f"{folder} was written by a newer version of alchemer_nb (store format {version}, "
                f"this one knows {FORMAT}); update alchemer_nb, or give another folder. Nothing "
                "was changed"
            )
        seal = told.pop(_SEAL, None)
        if seal is None:  # as earlier versions wrote it
            told["clock"] = None
        elif seal != _seal(told):
            raise Unreadable
        return _checked(msgspec.convert(told, Manifest))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        pass
    raise Unreadable


def _checked(found: Manifest) -> Manifest:
    """A manifest whose numbers make the names of files, as whoever wrote it did.

    Raises:
        ValueError: They do not.
        KeyError, OSError: There is no such zone.
    """
    parts = [part.number for part in found.parts]
    numbers = [*parts, found.next, *(each["number"] for each in found.definitions)]
    if not all(0 <= number <= _HIGHEST for number in numbers):
        raise ValueError("no number of a file")
    if len(set(parts)) < len(parts) or max(parts, default=0) >= found.next:
        raise ValueError("a number that stands for two files")
    ZoneInfo(found.zone)
    return found


def _seal(state: dict[str, Any]) -> str:
    text = json.dumps(state, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def load_expunged(folder: Path) -> set[int]:
    """Ids of responses that were removed for good, and are to be skipped."""
    try:
        told = read_json(folder / EXPUNGED)
        return {int(given_id(each, "a response")) for each in told or []}
    except (Unreadable, TypeError, InvalidArgument):
        pass
    raise StoreError(
        f"{folder / EXPUNGED} cannot be read: it lists the responses that were removed for good. "
        "Delete the whole folder, sync, and expunge them anew"
    )


def save_expunged(folder: Path, ids: set[int]) -> None:
    """Writes the list of ids; it stands apart, so that it outlives a broken manifest."""
    write_json(folder / EXPUNGED, sorted(ids))


def write_json(place: Path, value: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    with written(place) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def read_json(place: Path) -> Any:
    """Reads a JSON file; None where there is none.

    Raises:
        Unreadable: It is not JSON.
        StoreError: It may not be read.
    """
    try:
        return json.loads(place.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {place}: {error.strerror or error}") from None
    except ValueError:
        pass
    raise Unreadable
