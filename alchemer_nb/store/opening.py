"""Opens a store for writing: reads its manifest, removes leftovers, repairs what is broken.

A part that is damaged is removed, and the next sync downloads its responses again. A definition is
stored again by the next sync, a table is built again, and the list of expunged ids is written again
from the manifest, or the one in the manifest from the file. Without a manifest one is made from the
other files, and the next sync compares all responses.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store import parts, paths
from alchemer_nb.store.digests import FileDamaged, record_file
from alchemer_nb.store.manifest import (
    FORMAT,
    Manifest,
    Part,
    SyncRecord,
    UnreadableFile,
    read_expunged_ids,
    read_manifest,
    write_expunged_ids,
)
from alchemer_nb.survey.definition import Definition, load_definition, save_definition
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from alchemer_nb.store.manifest import DefinitionRecord

_TABLE_VERSION = 6  # part of the file names of tables: with another number all are built again
_MOST_NAMED = 20  # damaged parts that a note names one by one
_REBUILT = "the list of what the store holds was cut short, changed or gone, and made anew"


def open_store(folder: Path, on_repair: Callable[[str], None] = lambda _: None) -> Manifest:
    """Open a store for writing, and repair it. The folder must be locked.

    Args:
        folder: The survey's.
        on_repair: Called with what was repaired, unless the next sync says it.

    Raises:
        StoreNewer: A newer version of this package wrote it.
        StoreError: The ids of the expunged responses cannot be read, or no file be written.
    """
    survey_id = folder.name.rpartition("-")[2]
    try:
        manifest = read_manifest(folder)
        if manifest is None and not paths.list_store_files(folder, paths.PART_PATTERN):
            manifest = Manifest(folder, survey_id)
    except UnreadableFile:
        manifest = None
    if manifest is None:
        manifest = rebuild_manifest(folder, survey_id)
    elif manifest.format < FORMAT:
        add_digests(manifest)
    damaged = [part for part in manifest.parts if not manifest.is_intact(part.name)]
    if damaged:
        drop_parts(manifest, damaged)
    _restore_expunged_ids(manifest, on_repair)
    remove_leftovers(manifest)
    return manifest


def _restore_expunged_ids(manifest: Manifest, on_repair: Callable[[str], None]) -> None:
    """Make the file of the expunged ids and the manifest agree; neither loses an id."""
    ids = read_expunged_ids(manifest) | _read_unlisted_markers(manifest)
    is_whole = manifest.is_intact(paths.EXPUNGED) or not (ids or paths.EXPUNGED in manifest.files)
    if is_whole and ids == set(manifest.expunged):
        return
    if paths.EXPUNGED in manifest.files and ids == set(manifest.expunged):
        on_repair("the list of expunged responses was gone or damaged, and was written again")
    write_expunged_ids(manifest, ids)


def _read_unlisted_markers(manifest: Manifest) -> set[int]:
    """Return the ids that are marked as expunged in parts that the manifest does not list.

    The manifest may be an earlier copy, from before the responses were expunged.
    """
    listed, found = {part.name for part in manifest.parts}, set[int]()
    for path in paths.list_store_files(manifest.folder, paths.PART_PATTERN):
        if path.name not in listed:
            with suppress(parts.PartDamaged):
                part, _ = parts.adopt_part(manifest, paths.file_number(path))
                found |= parts.read_expunged_markers(manifest, part)
            manifest.files.pop(path.name, None)
    return found


def drop_parts(manifest: Manifest, damaged: Sequence[Part]) -> None:
    """Remove damaged parts; the next sync downloads their responses again.

    That sync has to read all pages, as the other parts may hold older versions of these responses.
    """
    numbers = {part.number for part in damaged}
    manifest.parts = [each for each in manifest.parts if each.number not in numbers]
    why = [manifest.doubtful]
    for part in damaged:
        manifest.files.pop(part.name, None)
        if len(damaged) <= _MOST_NAMED:
            lost = counted(part.rows, "response")
            why.append(f"{part.name} was gone or damaged, so {lost} had to be fetched again")
    if len(damaged) > _MOST_NAMED:
        lost = counted(sum(part.rows for part in damaged), "response")
        why.append(
            f"{len(damaged):,} parts were gone or damaged, so {lost} had to be fetched again"
        )
    manifest.doubtful = "; ".join(filter(None, why))
    manifest.unfinished = manifest.clock = None
    manifest.save()
    for part in damaged:
        paths.remove_file(manifest.folder / part.name)


def remove_leftovers(manifest: Manifest) -> None:
    """Remove files of the store that the manifest does not list, as an interrupted run left.

    Their digests are removed, too, when the manifest is saved the next time.
    """
    keep = {paths.MANIFEST, paths.EXPUNGED, paths.LOCK}
    keep |= {part.name for part in manifest.parts}
    keep |= {paths.definition_name(each["number"]) for each in manifest.definitions}
    keep |= set(table_names(manifest))
    paths.remove_other_files(manifest.folder, keep)
    manifest.files = {name: each for name, each in manifest.files.items() if name in keep}


def table_names(manifest: Manifest) -> list[str]:
    """Return the names of all tables that are up to date, with either order of dates."""
    return [
        table_path(manifest, part, day_first=day_first).name
        for part in manifest.parts
        for day_first in (False, True)
    ]


def table_path(manifest: Manifest, part: Part, *, day_first: bool = False) -> Path:
    """Return the path of the table of a part, built with the current definition."""
    definition = manifest.definitions[-1]["digest"] if manifest.definitions else ""
    text = json.dumps([_TABLE_VERSION, definition, day_first], sort_keys=True)
    return manifest.folder / paths.table_name(part.number, _digest(text))


def store_definition(manifest: Manifest, survey: Definition) -> list[str]:
    """Store a definition if the last one differs or is damaged; return notes about it."""
    before, digest = manifest.definitions, _definition_digest(survey)
    names = [paths.definition_name(each["number"]) for each in before]
    intact = [e for e, name in zip(before, names, strict=True) if manifest.is_intact(name)]
    notes = [
        f"{name} was gone or damaged, and the survey's definition was fetched again"
        for name in names
        if not manifest.is_intact(name)
    ]
    if not intact or intact[-1]["digest"] != digest:
        number = 1 + max((each["number"] for each in before), default=0)
        while os.path.lexists(manifest.folder / paths.definition_name(number)):
            number += 1
        with manifest.write_file(paths.definition_name(number)) as temporary:
            save_definition(survey, temporary)
        utc = datetime.now(UTC).isoformat(timespec="seconds")
        intact.append({"number": number, "utc": utc, "digest": digest})
    manifest.definitions = intact
    if before and before[-1]["digest"] != digest:
        notes.append("the survey's definition has changed")
    return notes


def is_current_definition(manifest: Manifest, survey: Definition) -> bool:
    """Check whether a definition is the one that was stored last."""
    records = manifest.definitions
    return bool(records) and records[-1]["digest"] == _definition_digest(survey)


def read_stored_definition(manifest: Manifest) -> Definition:
    """Read the current definition.

    Raises:
        FileDamaged: Its file is missing, or is not the one that was written.
    """
    name = paths.definition_name(manifest.definitions[-1]["number"])
    if manifest.is_intact(name):
        with suppress(InvalidArgument, OSError):
            return load_definition(manifest.folder / name)
    raise FileDamaged(name)


def _definition_digest(survey: Definition) -> str:
    return _digest(json.dumps(asdict(survey), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def add_digests(manifest: Manifest) -> None:
    """Add what an earlier format did not have: digests, and the expunged ids.

    A damaged part gets no digest, so it is removed; a damaged definition is stored again by the
    next sync. Tables are built again, as nothing shows whether they were changed.
    """
    manifest.files = {}
    for part in manifest.parts:
        with suppress(parts.PartDamaged):
            found, _ = parts.adopt_part(manifest, part.number)
            if found != part:
                del manifest.files[part.name]
    _adopt_definitions(manifest, manifest.definitions)
    manifest.expunged = sorted(read_expunged_ids(manifest))


def _adopt_definitions(manifest: Manifest, records: Iterable[DefinitionRecord]) -> None:
    """Add the digests of the files of definitions that hold what their records say."""
    for each in records:
        name = paths.definition_name(each["number"])
        with suppress(InvalidArgument, OSError):
            if _definition_digest(load_definition(manifest.folder / name)) == each["digest"]:
                manifest.files[name] = record_file(manifest.folder / name)


def rebuild_manifest(folder: Path, survey_id: str) -> Manifest:
    """Build a manifest from the files of a folder; the next sync completes it."""
    manifest = Manifest(folder, survey_id, doubtful=_REBUILT)
    last_sync = 0
    expunged: set[int] = set()
    for path in paths.list_store_files(folder, paths.PART_PATTERN):
        with suppress(parts.PartDamaged):
            part, sync = parts.adopt_part(manifest, paths.file_number(path))
            manifest.parts.append(part)
            last_sync = max(last_sync, sync)
            expunged |= parts.read_expunged_markers(manifest, part)
    for path in paths.list_store_files(folder, paths.DEFINITION_PATTERN):
        with suppress(InvalidArgument, OSError):
            digest = _definition_digest(load_definition(path))
            number = paths.file_number(path)
            manifest.definitions.append({"number": number, "utc": None, "digest": digest})
    _adopt_definitions(manifest, manifest.definitions)
    manifest.expunged = sorted(expunged | read_expunged_ids(manifest))
    manifest.next = 1 + max((part.number for part in manifest.parts), default=0)
    if last_sync:
        manifest.syncs = [
            SyncRecord(number=last_sync, utc=None, added=0, changed=0, removed=0, rows=0)
        ]
    return manifest
