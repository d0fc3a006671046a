"""Opens a survey's store: reads its manifest, sweeps leftovers, mends what is broken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb.definition import Survey
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store import manifest as files
from alchemer_nb.store import parts
from alchemer_nb.store.manifest import Manifest, Part, Unreadable
from alchemer_nb.store.place import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Goes into the names of tables: another number has all of them made anew.
TABLES = 1


def opened(folder: Path, survey_id: str, say: Callable[[str], None]) -> Manifest:
    """Opens a store for writing, and leaves it whole. Its lock must be held.

    Args:
        folder: The survey's.
        survey_id: Id.
        say: Told what was mended.

    Raises:
        StoreNewer: A newer version of this package wrote it.
    """
    try:
        found = files.load(folder)
    except Unreadable:
        found = _rebuilt(folder, survey_id)
        say(
            f"the list of what the store holds could not be read and was made anew from its "
            f"{len(found.parts)} files; all responses are compared with Alchemer's"
        )
    if found is None:
        names = [each.name for each in folder.glob("responses-*.parquet")]
        if names:
            found = _rebuilt(folder, survey_id)
            say("the list of what the store holds was gone and was made anew from its files")
    made = found or Manifest(survey_id)
    drop_damaged(folder, made, say)
    sweep(folder, made)
    return made


def drop_damaged(folder: Path, manifest: Manifest, say: Callable[[str], None]) -> None:
    """Takes parts out that are gone or cut short; their rows are fetched at the next sync."""
    for part in list(manifest.parts):
        try:
            parts.open_part(folder, part).close()
        except parts.Damaged:
            drop(folder, manifest, part.number, say)


def drop(folder: Path, manifest: Manifest, number: int, say: Callable[[str], None]) -> None:
    """Takes a part out."""
    (part,) = [each for each in manifest.parts if each.number == number]
    manifest.parts = [each for each in manifest.parts if each.number != number]
    manifest.doubtful = f"{part.name} was gone or damaged"
    manifest.unfinished = None
    manifest.save(folder)
    (folder / part.name).unlink(missing_ok=True)
    say(f"{part.name} was gone or damaged; its {part.rows:,} responses are fetched again")


def sweep(folder: Path, manifest: Manifest) -> None:
    """Removes what no manifest names: leftovers of a run that was ended."""
    keep = {files.NAME, files.EXPUNGED, "lock"}
    keep |= {part.name for part in manifest.parts}
    keep |= {definition_name(each["number"]) for each in manifest.definitions}
    keep |= {table_name(part, manifest) for part in manifest.parts}
    for path in folder.iterdir():
        if path.name not in keep and path.is_file():
            path.unlink(missing_ok=True)


def definition_name(number: int) -> str:
    """Name of the file with a definition."""
    return f"definition-{number:04}.json"


def table_name(part: Part, manifest: Manifest) -> str:
    """Name of the file with a part's columns, under the definition at hand."""
    digest = manifest.definitions[-1]["digest"] if manifest.definitions else ""
    return f"table-{part.number:06}-{TABLES}{digest}.parquet"


def keep_definition(folder: Path, manifest: Manifest, survey: Survey) -> bool:
    """Stores a definition if it is another than the last; tells whether it was."""
    digest = digest_of(survey)
    if manifest.definitions and manifest.definitions[-1]["digest"] == digest:
        return False
    number = 1 + max((each["number"] for each in manifest.definitions), default=0)
    with written(folder / definition_name(number)) as temporary:
        survey.save(temporary)
    manifest.definitions.append({"number": number, "utc": _now(), "digest": digest})
    return True


def definition_of(folder: Path, manifest: Manifest, number: int | None = None) -> Survey:
    """The definition at hand, or an earlier one."""
    which = manifest.definitions[-1]["number"] if number is None else number
    return Survey.load(folder / definition_name(which))


def digest_of(survey: Survey) -> str:
    """What tells two definitions apart."""
    text = json.dumps(asdict(survey), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _rebuilt(folder: Path, survey_id: str) -> Manifest:
    """A manifest made from the files that are there."""
    made = Manifest(survey_id, doubtful="the manifest was made anew")
    highest = 0
    for path in sorted(folder.glob("responses-*.parquet")):
        part = _measured(path)
        if part is not None:
            made.parts.append(part)
            highest = max(highest, parts.stored_syncs(folder, part))
    for path in sorted(folder.glob("definition-*.json")):
        try:
            digest = digest_of(Survey.load(path))
        except InvalidArgument:
            continue
        number = int(path.stem.rpartition("-")[2])
        made.definitions.append({"number": number, "utc": None, "digest": digest})
    made.next = 1 + max((part.number for part in made.parts), default=0)
    if highest:
        made.syncs = [record(highest, None, 0, 0, 0, 0)]
    return made


def _measured(path: Path) -> Part | None:
    number = path.stem.rpartition("-")[2]
    if not number.isdigit():
        return None
    try:
        with pq.ParquetFile(path) as file:
            ids = file.read(["response_id"])["response_id"]
    except (OSError, pa.ArrowException, KeyError):
        return None
    if not len(ids):
        return None
    return Part(int(number), len(ids), ids[0].as_py(), ids[-1].as_py(), path.stat().st_size)


def record(
    number: int, utc: str | None, added: int, changed: int, removed: int, rows: int
) -> dict[str, Any]:
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
