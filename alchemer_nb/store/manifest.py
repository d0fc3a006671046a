"""The manifest of a store: the file that lists the other files of the store.

Each step of a sync replaces it atomically, so a store is always consistent. Files of the store that
it does not list are leftovers of an interrupted run, and are removed. A checksum shows whether it
was edited.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path  # noqa: TC003 - msgspec reads annotations
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec

from alchemer_nb.errors import InvalidArgument, StoreError, StoreNewer
from alchemer_nb.store import paths
from alchemer_nb.wire.clocks import Clock  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.wire.ids import check_given_id

FORMAT = 1
_SYNCS_KEPT = 200
_LARGEST_FILE_NUMBER = 10**12 - 1
_CHECKSUM = "seal"


class UnreadableFile(Exception):
    """A JSON file of the store is truncated, edited, or no JSON."""


@dataclass(slots=True)
class Part:
    """A Parquet file of responses.

    Attributes:
        number: Makes its file name.
        rows: Rows, those of deleted responses included.
        low: The lowest response id.
        high: The highest response id.
        size: Bytes.
    """

    number: int
    rows: int
    low: int
    high: int
    size: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return paths.part_name(self.number)


class SyncRecord(TypedDict):
    """A completed sync: when it began, and counts of responses."""

    number: int
    utc: str | None
    added: int
    changed: int
    removed: int
    rows: int


class DefinitionRecord(TypedDict):
    """A stored definition: the number of its file, when it was stored, and its digest."""

    number: int
    utc: str | None
    digest: str


@dataclass(slots=True)
class Checkpoint:
    """How far a read of all pages has come.

    Attributes:
        pages: Pages whose rows are stored.
        size: Rows a page.
        watermark: The newest change when the read began.
        clock: The clocks when it began.
    """

    pages: int = 0
    size: int = 500
    watermark: str | None = None
    clock: Clock | None = None


@dataclass(slots=True)
class Manifest:
    """The state of a store. The attributes, except the folder, are the keys of the JSON file.

    Attributes:
        folder: The survey's.
        survey: Id.
        title: Title.
        region: Name of the region.
        zone: Time zone of the region.
        format: Version of the format.
        next: Number of the next part.
        parts: The parts, by number.
        watermark: The newest ``date_updated`` at the last sync, as received; stamps ahead of the
            server's clock are ignored.
        clock: The clocks when the last sync read the watermark.
        late: Whether some changes were backdated: they had a stamp from before the last sync, so
            only a read of all pages finds every change.
        told: Total count of responses, as the server reported it.
        rows: Responses with content.
        turn: Next ``Listing.variant``; it changes the addresses of calls.
        syncs: The last completed syncs.
        definitions: The definitions so far.
        unfinished: A read of all pages that is not complete; None if there is none.
        doubtful: Why the next sync has to read all pages; ``""`` for no reason.
    """

    folder: Path
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
    unfinished: Checkpoint | None = None
    doubtful: str = ""

    @property
    def complete(self) -> bool:
        """Whether any sync was completed."""
        return bool(self.syncs)

    @property
    def utc(self) -> str | None:
        """When the last completed sync began."""
        return self.syncs[-1]["utc"] if self.syncs else None

    @property
    def sync(self) -> int:
        """Number of the last completed sync; 0 for none."""
        return self.syncs[-1]["number"] if self.syncs else 0

    def save(self) -> None:
        """Replace the manifest of the folder.

        Raises:
            StoreError: The disk is full, or access is denied.
        """
        self.syncs = self.syncs[-_SYNCS_KEPT:]
        state = asdict(self)
        del state["folder"]
        _write_json(self.folder / paths.MANIFEST, state | {_CHECKSUM: _checksum(state)})


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if there is none.

    Raises:
        StoreNewer: A newer version of this package wrote it.
        UnreadableFile: It is truncated or edited.
    """
    state = _read_json(folder / paths.MANIFEST)
    if state is None:
        return None
    try:
        version = int(state["format"])
        if version > FORMAT:
            raise StoreNewer(
                f"{folder} was written by a newer version of alchemer_nb (store format {version}, "
                f"this one knows {FORMAT}); update alchemer_nb, or give another folder. Nothing "
                "was changed"
            )
        checksum = state.pop(_CHECKSUM, None)
        if checksum is None:  # an earlier version wrote no checksum, and another clock
            state["clock"] = None
        elif checksum != _checksum(state):
            raise UnreadableFile
        return _check_numbers(msgspec.convert(state | {"folder": folder}, Manifest))
    except (
        *(KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError),
        RecursionError,
    ):
        raise UnreadableFile from None


def _check_numbers(manifest: Manifest) -> Manifest:
    """Check the numbers that become file names, and the time zone.

    Raises:
        ValueError: A number is out of range, or is used twice.
        KeyError, OSError: There is no such zone.
    """
    parts = [part.number for part in manifest.parts]
    numbers = [*parts, manifest.next, *(each["number"] for each in manifest.definitions)]
    if not all(0 <= number <= _LARGEST_FILE_NUMBER for number in numbers):
        raise ValueError("no number of a file")
    if len(set(parts)) < len(parts) or max(parts, default=0) >= manifest.next:
        raise ValueError("one number for two files")
    ZoneInfo(manifest.zone)
    return manifest


def _checksum(state: dict[str, Any]) -> str:
    text = json.dumps(state, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def read_expunged_ids(folder: Path) -> set[int]:
    """Read the ids of the responses that were removed for good, and are never stored again."""
    try:
        ids = _read_json(folder / paths.EXPUNGED)
        return {int(check_given_id(each, "a response")) for each in ids or []}
    except (UnreadableFile, TypeError, InvalidArgument):
        pass
    raise StoreError(
        f"{folder / paths.EXPUNGED} cannot be read: it lists the responses that were removed for "
        "good. Delete the whole folder, sync, and expunge them anew"
    )


def write_expunged_ids(folder: Path, ids: set[int]) -> None:
    """Replace the list of ids; a separate file, so that it survives a damaged manifest."""
    _write_json(folder / paths.EXPUNGED, sorted(ids))


def _write_json(path: Path, value: Any) -> None:
    with paths.replace_file(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def _read_json(path: Path) -> Any:
    """Read a JSON file; None if there is none.

    Raises:
        UnreadableFile: It is not JSON.
        StoreError: Access is denied.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UnreadableFile from None
