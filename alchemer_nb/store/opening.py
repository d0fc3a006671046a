"""Opens a store for writing: reads its manifest, removes leftovers, repairs what is broken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store import parts, paths
from alchemer_nb.store.manifest import Manifest, Part, SyncRecord, UnreadableFile, read_manifest
from alchemer_nb.survey.definition import Definition, load_definition, save_definition
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from pathlib import Path

_TABLE_VERSION = 5  # part of the file names of tables: with another number all are built again
_REBUILT = "the list of what the store holds was cut short, changed or gone, and made anew"


def open_store(folder: Path) -> Manifest:
    """Open a store for writing, and repair it. The folder must be locked.

    Raises:
        StoreNewer: A newer version of this package wrote it.
    """
    survey_id = folder.name.rpartition("-")[2]
    try:
        manifest = read_manifest(folder)
        if manifest is None and not paths.list_store_files(folder, paths.PART_PATTERN):
            manifest = Manifest(folder, survey_id)
    except UnreadableFile:
        manifest = None
    if manifest is None:
        manifest = _rebuild_manifest(folder, survey_id)
    for part in list(manifest.parts):
        try:
            parts.open_part(manifest, part).close()
        except parts.PartDamaged:
            drop_part(manifest, part.number)
    remove_leftovers(manifest)
    return manifest


def drop_part(manifest: Manifest, number: int) -> None:
    """Remove a damaged part; the next sync downloads its responses again.

    That sync has to read all pages, as the other parts may hold older versions of these responses.
    """
    (part,) = [each for each in manifest.parts if each.number == number]
    manifest.parts = [each for each in manifest.parts if each.number != number]
    lost = counted(part.rows, "response")
    why = f"{part.name} was gone or damaged; {lost} of it fetched again"
    manifest.doubtful = "; ".join(filter(None, (manifest.doubtful, why)))
    manifest.unfinished = manifest.clock = None
    manifest.save()
    paths.remove_file(manifest.folder / part.name)


def remove_leftovers(manifest: Manifest) -> None:
    """Remove files of the store that the manifest does not list, as an interrupted run left."""
    keep = {paths.MANIFEST, paths.EXPUNGED, paths.LOCK}
    keep |= {part.name for part in manifest.parts}
    keep |= {paths.definition_name(each["number"]) for each in manifest.definitions}
    keep |= set(table_names(manifest))
    paths.remove_other_files(manifest.folder, keep)


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


def store_definition(manifest: Manifest, survey: Definition) -> bool:
    """Store a definition if it differs from the last one; return whether it does."""
    digest = _definition_digest(survey)
    if manifest.definitions and manifest.definitions[-1]["digest"] == digest:
        return False
    number = 1 + max((each["number"] for each in manifest.definitions), default=0)
    with paths.replace_file(manifest.folder / paths.definition_name(number)) as temporary:
        save_definition(survey, temporary)
    utc = datetime.now(UTC).isoformat(timespec="seconds")
    manifest.definitions.append({"number": number, "utc": utc, "digest": digest})
    return True


def read_definition(manifest: Manifest) -> Definition:
    """Read the current definition."""
    number = manifest.definitions[-1]["number"]
    return load_definition(manifest.folder / paths.definition_name(number))


def _definition_digest(survey: Definition) -> str:
    return _digest(json.dumps(asdict(survey), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _rebuild_manifest(folder: Path, survey_id: str) -> Manifest:
    """Build a manifest from the files of a folder; the next sync completes it."""
    manifest = Manifest(folder, survey_id, doubtful=_REBUILT)
    last_sync = 0
    for path in paths.list_store_files(folder, paths.PART_PATTERN):
        part = Part(paths.file_number(path), 0, 0, 0, path.stat().st_size)
        try:
            table = parts.read_key_columns(manifest, part, ["response_id", "sync"])
            ids, syncs = table["response_id"], table["sync"]
        except (parts.PartDamaged, KeyError):
            continue
        if len(ids):
            part.rows, part.low, part.high = len(ids), ids[0].as_py(), ids[-1].as_py()
            last_sync = max(last_sync, pc.max(syncs).as_py() or 0)
            manifest.parts.append(part)
    for path in paths.list_store_files(folder, paths.DEFINITION_PATTERN):
        try:
            digest = _definition_digest(load_definition(path))
        except InvalidArgument:
            continue
        number = paths.file_number(path)
        manifest.definitions.append({"number": number, "utc": None, "digest": digest})
    manifest.next = 1 + max((part.number for part in manifest.parts), default=0)
    if last_sync:
        manifest.syncs = [
            SyncRecord(number=last_sync, utc=None, added=0, changed=0, removed=0, rows=0)
        ]
    return manifest
