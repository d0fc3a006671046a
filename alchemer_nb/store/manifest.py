"""The manifest of a store: the file that lists the other files of the store.

Each step of a sync replaces it atomically, so a store is always consistent. Files of the store that
it does not list are leftovers of an interrupted run, and are removed. It has the size and digest of
each file that it lists, and a checksum of its own, which covers everything in it. All fields are
explained in ``docs/store-format.md``.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path  # noqa: TC003 - msgspec reads annotations
from typing import TYPE_CHECKING, Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec

from alchemer_nb.errors import InvalidArgument, StoreError, StoreNewer
from alchemer_nb.store import digests, paths
from alchemer_nb.store.digests import FileRecord  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.wire.clocks import Clock  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.wire.ids import check_given_id

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 2  # of the whole store; 1 had no digests of files
_SYNCS_KEPT = 200
_LARGEST_FILE_NUMBER = 10**12 - 1
# Of one survey: parts of 2,500 responses, two tables of each, definitions. Each is looked for.
_MOST_FILES = 20_000
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
    """A stored definition: the number of its file, when it was stored, digest of its fields."""

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
        files: File name -> size and digest, of all parts, definitions and tables, and of the list
            of expunged ids.
        expunged: Ids of the responses that were removed for good; a file lists them, too.
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
    files: dict[str, FileRecord] = field(default_factory=dict)
    expunged: list[int] = field(default_factory=list)

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

    def is_intact(self, name: str) -> bool:
        """Check whether a file of the store is the one that was written."""
        return digests.is_intact(self.folder / name, self.files.get(name))

    @contextmanager
    def write_file(self, name: str) -> Iterator[Path]:
        """Replace a file, with its new record; yield the temporary path to write to.

        The caller saves the manifest.

        Raises:
            StoreError: The disk is full, or access is denied; the earlier file stays.
        """
        with paths.replace_file(self.folder / name) as temporary:
            yield temporary
            record = digests.record_file(temporary)
        self.files[name] = record

    def save(self) -> None:
        """Replace the manifest of the folder.

        Raises:
            StoreError: The disk is full, or access is denied.
        """
        self.format = FORMAT
        self.syncs = self.syncs[-_SYNCS_KEPT:]
        state = asdict(self)
        del state["folder"]
        _write_json(self.folder / paths.MANIFEST, state | {_CHECKSUM: _checksum(state)})


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if there is none.

    Raises:
        StoreNewer: A newer version of this package wrote it.
        StoreError: It lists more files than a store has.
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
                f"was changed. If no newer version was ever used, {paths.MANIFEST} there is "
                "damaged: delete that file, then sync the survey"
            )
        if version < 1:
            raise UnreadableFile
        count = max(len(state.get(name, ())) for name in ("parts", "definitions", "files"))
        if count > _MOST_FILES:
            raise StoreError(
                f"{folder / paths.MANIFEST} lists {count:,} files, as no store has",
                hint="It was changed or damaged: delete that file, then sync the survey, which "
                "makes the list anew from the files that are there",
            )
        checksum = state.pop(_CHECKSUM, None)
        if checksum is None and version == 1:  # once without a checksum, and with another clock
            state["clock"] = None
        elif checksum != _checksum(state):
            raise UnreadableFile
        return _check_numbers(msgspec.convert(state | {"folder": folder}, Manifest))
    except (
        *(KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError),
        *(RecursionError, msgspec.ValidationError),  # the latter is a ValueError only in later ones
    ):
        raise UnreadableFile from None


def _check_numbers(manifest: Manifest) -> Manifest:
    """Check the survey, the numbers that become file names, and the time zone.

    Raises:
        ValueError: It is of another survey, or a number is out of range or used twice.
        KeyError, OSError: There is no such zone.
    """
    parts = [part.number for part in manifest.parts]
    numbers = [*parts, manifest.next, *(each["number"] for each in manifest.definitions)]
    if not all(0 <= number <= _LARGEST_FILE_NUMBER for number in numbers):
        raise ValueError("no number of a file")
    if len(set(parts)) < len(parts) or max(parts, default=0) >= manifest.next:
        raise ValueError("one number for two files")
    if manifest.folder.name != paths.survey_folder_name(manifest.survey):
        raise ValueError("the manifest of another survey")
    if any(paths.FILE_PATTERN.fullmatch(name) is None for name in manifest.files):
        raise ValueError("no file of the store")
    ZoneInfo(manifest.zone)
    return manifest


def _checksum(state: dict[str, Any]) -> str:
    text = json.dumps(state, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def read_expunged_ids(manifest: Manifest) -> set[int]:
    """Return the ids of the responses that were removed for good, and are never stored again.

    They are in the manifest and in a file. The file may have more, if an ``expunge`` was ended
    between the two, and none where it is damaged.

    Raises:
        StoreError: The file cannot be read, and the manifest does not have them.
    """
    return {*manifest.expunged, *_read_expunged_file(manifest)}


def _read_expunged_file(manifest: Manifest) -> set[int]:
    path = manifest.folder / paths.EXPUNGED
    try:
        state = _read_json(path)
        if isinstance(state, dict):
            checksum = state.pop(_CHECKSUM, None)
            if state["survey"] != manifest.survey or checksum != _checksum(state):
                raise UnreadableFile
            state = state["ids"]
        elif paths.EXPUNGED in manifest.files and state is not None:  # it was more than a list
            raise UnreadableFile
        return {int(check_given_id(each, "a response")) for each in state or []}
    except (UnreadableFile, TypeError, KeyError, InvalidArgument):
        if paths.EXPUNGED in manifest.files:
            return set()
    except StoreError:
        if paths.EXPUNGED in manifest.files:
            return set()
        raise
    raise StoreError(
        f"{path} cannot be read, and {paths.MANIFEST} beside it does not list its ids either: the "
        "responses that were removed for good are not known, so nothing is read or synced",
        hint="Put one of the two back from a backup. Without one, delete the whole folder, sync, "
        "and expunge the same responses anew",
    )


def write_expunged_ids(manifest: Manifest, ids: set[int]) -> None:
    """Replace the ids in the file and in the manifest, so that they survive the loss of either.

    Raises:
        StoreError: The disk is full, or access is denied.
    """
    state = {"survey": manifest.survey, "ids": sorted(ids)}
    with manifest.write_file(paths.EXPUNGED) as temporary:
        _dump(state | {_CHECKSUM: _checksum(state)}, temporary)
    manifest.expunged = sorted(ids)
    manifest.save()


def _write_json(path: Path, value: Any) -> None:
    with paths.replace_file(path) as temporary:
        _dump(value, temporary)


def _dump(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, indent=1), "ascii")  # a title may have a lone surrogate


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
        raise StoreError(
            f"cannot read {path}: {error.strerror or error}",
            hint="Move what has this name away or make it readable, then sync the survey",
        ) from None
    except (ValueError, RecursionError):
        raise UnreadableFile from None
