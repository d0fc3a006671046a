"""Opens a survey's store: reads its manifest, sweeps leftovers, mends what is broken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store import manifest as files
from alchemer_nb.store import names, parts
from alchemer_nb.store.manifest import Manifest, Part, SyncRecord, Unreadable
from alchemer_nb.store.paths import written
from alchemer_nb.survey.definition import load_definition, save_definition

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.survey.definition import Definition

#: Goes into the names of tables: another number has all of them made anew.
TABLES = 2
_MADE_ANEW = "the list of what the store holds was cut short, changed or gone, and made anew"


def opened(folder: Path, survey_id: str) -> Manifest:
    """Opens a store for writing, and leaves it whole. Its lock must be held.

    Args:
        folder: The survey's.
        survey_id: Id.

    Raises:
        StoreNewer: A newer version of this package wrote it.
    """
    try:
        found = files.load(folder)
    except Unreadable:
        found = _rebuilt(folder, survey_id)
    if found is None:
        is_lost = any(names.ours(folder, names.RESPONSES))
        found = _rebuilt(folder, survey_id) if is_lost else Manifest(survey_id)
    made = found
    drop_damaged(folder, made)
    sweep(folder, made)
    return made


def drop_damaged(folder: Path, manifest: Manifest) -> None:
    """Takes parts out that are gone or cut short; their rows are fetched at the next sync."""
    for part in list(manifest.parts):
        try:
            parts.open_part(folder, part).close()
        except parts.Damaged:
            drop(folder, manifest, part.number)


def drop(folder: Path, manifest: Manifest, number: int) -> None:
    """Takes a part out.

    An older version of a response must not pass for the newest, so all is doubtful until the next
    sync; and what it fetches again did not change lately.
    """
    (part,) = [each for each in manifest.parts if each.number == number]
    manifest.parts = [each for each in manifest.parts if each.number != number]
    why = f"{part.name} was gone or damaged, and its {part.rows:,} responses were fetched again"
    manifest.doubtful = "; ".join(filter(None, (manifest.doubtful, why)))
    manifest.unfinished = manifest.clock = None
    manifest.save(folder)
    names.remove(folder / part.name)


def sweep(folder: Path, manifest: Manifest) -> None:
    """Removes files of the store that no manifest names: leftovers of a run that was ended."""
    keep = {files.NAME, files.EXPUNGED, names.LOCK}
    keep |= {part.name for part in manifest.parts}
    keep |= {definition_name(each["number"]) for each in manifest.definitions}
    keep |= {table_name(part, manifest) for part in manifest.parts}
    names.sweep(folder, keep)


def definition_name(number: int) -> str:
    """Name of the file with a definition."""
    return names.definition(number)


def table_name(part: Part, manifest: Manifest) -> str:
    """Name of the file with a part's columns, as they are to be read at present."""
    definition = manifest.definitions[-1]["digest"] if manifest.definitions else ""
    text = json.dumps([TABLES, definition, manifest.dates], sort_keys=True)
    return names.table(part.number, _digest(text))


def keep_definition(folder: Path, manifest: Manifest, survey: Definition) -> bool:
    """Stores a definition if it is another than the last; tells whether it was."""
    digest = digest_of(survey)
    if manifest.definitions and manifest.definitions[-1]["digest"] == digest:
        return False
    number = 1 + max((each["number"] for each in manifest.definitions), default=0)
    with written(folder / definition_name(number)) as temporary:
        save_definition(survey, temporary)
    manifest.definitions.append({"number": number, "utc": _now(), "digest": digest})
    return True


def definition_of(folder: Path, manifest: Manifest, number: int | None = None) -> Definition:
    """The definition at hand, or an earlier one."""
    which = manifest.definitions[-1]["number"] if number is None else number
    return load_definition(folder / definition_name(which))


def digest_of(survey: Definition) -> str:
    """What tells two definitions apart."""
    return _digest(json.dumps(asdict(survey), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _rebuilt(folder: Path, survey_id: str) -> Manifest:
    """A manifest made from the files that are there."""
    made = Manifest(survey_id, doubtful=_MADE_ANEW)
    highest = 0
    for path in names.ours(folder, names.RESPONSES):
        part = _measured(path)
        if part is not None:
            made.parts.append(part)
            highest = max(highest, parts.stored_syncs(folder, part))
    for path in names.ours(folder, names.DEFINITION):
        try:
            digest = digest_of(load_definition(path))
        except InvalidArgument:
            continue
        made.definitions.append({"number": names.number_of(path), "utc": None, "digest": digest})
    made.next = 1 + max((part.number for part in made.parts), default=0)
    if highest:
        made.syncs = [record(highest, None, 0, 0, 0, 0)]
    return made


def _measured(path: Path) -> Part | None:
    try:
        with pq.ParquetFile(path) as file:
            ids = file.read(["response_id"])["response_id"]
    except (OSError, pa.ArrowException, KeyError):
        return None
    if not len(ids):
        return None
    number, size = names.number_of(path), path.stat().st_size
    return Part(number, len(ids), ids[0].as_py(), ids[-1].as_py(), size)


def record(
    number: int, utc: str | None, added: int, changed: int, removed: int, rows: int
) -> SyncRecord:
    """What the manifest keeps of a sync."""
    return {
        "number": number,
        "utc": utc,
        "added": added,
        "changed": changed,
        "removed": removed,
        "rows": rows,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
