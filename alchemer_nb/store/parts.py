"""Parts: Parquet files of the responses as the server sent them, one row for each version.

A part is never changed. A new version of a response is a row of a later part, and a deletion is a
row without content; the row with the highest ``version`` is the current one.
"""

from __future__ import annotations

import errno
import heapq
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb.fetch.raw_pages import RawResponse, content_digest
from alchemer_nb.store.digests import FileDamaged, FileRecord, check_is_damage, record_file
from alchemer_nb.store.manifest import Manifest, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SCHEMA = pa.schema(
    [
        ("response_id", pa.int64()),
        ("version", pa.int64()),
        ("sync", pa.int32()),
        ("date_updated", pa.string()),
        ("digest", pa.int64()),
        ("response", pa.binary()),
    ]
)
_KEY_COLUMNS = SCHEMA.names[:-1]
MOST_ROWS = 20_000  # of a part: bounds the memory that building its table takes
ID_BITS = 40  # of the key of a version
LARGEST_ID = 2**ID_BITS - 1
DELETED, EXPUNGED = 0, -1  # values of ``digest`` for responses without content
CHUNK = 500  # rows read or decoded at once
_ROW_GROUP = 5000
_SURVEY = b"survey"  # in the metadata of a part: the survey's id
_READ_ERRORS = (OSError, pa.ArrowException)


class PartDamaged(FileDamaged):
    """A part is missing, or is not the one that was written.

    Attributes:
        number: Number of the part.
    """

    def __init__(self, part: Part) -> None:
        super().__init__(part.name)
        self.number = part.number


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a response: a row of a part.

    Attributes:
        id: Response id.
        version: Orders the versions of a response.
        sync: Number of the sync that brought it.
        updated: ``date_updated`` as received.
        digest: Hash of the content, ``DELETED`` or ``EXPUNGED``.
        content: Its JSON; None for a deleted or expunged response.
    """

    id: int
    version: int
    sync: int
    updated: str | None
    digest: int
    content: bytes | None


def deleted_marker(response_id: int) -> RawResponse:
    """Return the row that is stored for a response that was deleted."""
    return RawResponse(response_id, None, DELETED, None)


def expunged_marker(response_id: int) -> RawResponse:
    """Return the row that is stored for a response that was expunged, but not deleted."""
    return RawResponse(response_id, None, EXPUNGED, None)


# -- writing --------------------------------------------------------------------------------


def write_parts(manifest: Manifest, rows: Iterable[RawResponse], sync: int) -> None:
    """Write rows as new parts, by ascending id; of rows with the same id the last one.

    The caller saves the manifest, which makes them part of the store.
    """
    latest = {row.id: row for row in rows}
    ordered = [latest[response_id] for response_id in sorted(latest)]
    for start in range(0, len(ordered), MOST_ROWS):
        number = manifest.next
        versions = [
            StoredVersion(row.id, number, sync, row.updated, row.digest, row.content)
            for row in ordered[start : start + MOST_ROWS]
        ]
        write_part(manifest, [versions_table(versions)])


def versions_table(versions: Sequence[StoredVersion]) -> pa.Table:
    """Return versions as a table with the columns of a part."""
    columns = zip(
        *((v.id, v.version, v.sync, v.updated, v.digest, v.content) for v in versions), strict=True
    )
    return pa.table([list(column) for column in columns], schema=SCHEMA)


def write_part(manifest: Manifest, tables: Iterable[pa.Table]) -> Part:
    """Write a part from tables whose rows follow one another by ascending id."""
    part = Part(manifest.next, 0, 0, 0, 0)
    manifest.next += 1
    with manifest.write_file(part.name) as temporary:
        with temporary.open("wb") as sink, _open_writer(sink, manifest.survey) as writer:
            for table in tables:
                ids = table["response_id"]
                part.low = part.low if part.rows else ids[0].as_py()
                part.high = ids[-1].as_py()
                part.rows += table.num_rows
                writer.write_table(table, row_group_size=_ROW_GROUP)
        part.size = temporary.stat().st_size
    manifest.parts.append(part)
    return part


def _open_writer(sink: Any, survey: str) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        sink,
        SCHEMA.with_metadata({_SURVEY: survey}),
        compression="zstd",
        use_dictionary=["date_updated"],
        write_statistics=["response_id"],
        data_page_size=4
        << 20,  # large pages compress well: each response repeats the question texts
        write_page_checksum=True,
    )


# -- reading --------------------------------------------------------------------------------


def open_part(manifest: Manifest, part: Part) -> pq.ParquetFile:
    """Open a part.

    Raises:
        PartDamaged: It is missing, or is not the one that was written.
    """
    try:
        if manifest.is_intact(part.name):
            path = manifest.folder / part.name
            return pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
    except _READ_ERRORS as error:
        raise _read_error(manifest, part, error) from None
    raise PartDamaged(part)


def _read_error(manifest: Manifest, part: Part, error: Exception) -> PartDamaged:
    if isinstance(error, MemoryError):  # as one of pyarrow is
        error = OSError(errno.ENOMEM, "")
    if isinstance(error, OSError):
        check_is_damage(error, manifest.folder / part.name)
    return PartDamaged(part)


def check_content(manifest: Manifest, part: Part) -> int:
    """Check each response of a part against its hash.

    Returns:
        The number of the last sync that brought any of them.

    Raises:
        PartDamaged: A hash is another one, or the part cannot be read.
    """
    rows, sync = 0, 0
    for version in _read_rows(manifest, part, np.arange(part.rows)):
        content = version.content
        expected = version.digest if content is None else content_digest(content)
        if version.digest != expected or (content is None) != (expected in (DELETED, EXPUNGED)):
            raise PartDamaged(part)
        rows, sync = rows + 1, max(sync, version.sync)
    if rows != part.rows:
        raise PartDamaged(part)
    return sync


def adopt_part(manifest: Manifest, number: int) -> tuple[Part, int]:
    """Add the digest of a part that was written without one, or whose digest was lost.

    Returns:
        The part, which the manifest does not list yet, and the number of the last sync in it.

    Raises:
        PartDamaged: It cannot be read, or a response in it was changed.
    """
    part = Part(number, 0, 0, 0, 0)
    try:
        record = manifest.files[part.name] = _record_part(manifest, part)
        part.size = record["size"]
        with open_part(manifest, part) as file:
            owner = (file.schema_arrow.metadata or {}).get(_SURVEY)  # once there was none
        if owner not in (None, manifest.survey.encode()):
            raise PartDamaged(part)
        ids = read_key_columns(manifest, part, ["response_id"])["response_id"].to_numpy()
        part.rows, part.low, part.high = len(ids), int(ids.min()), int(ids.max())
        return part, check_content(manifest, part)
    except (*_READ_ERRORS, KeyError, ValueError, TypeError, PartDamaged):
        manifest.files.pop(part.name, None)
    raise PartDamaged(part)


def _record_part(manifest: Manifest, part: Part) -> FileRecord:
    path = manifest.folder / part.name
    try:
        return record_file(path)
    except OSError as error:
        check_is_damage(error, path)
        raise


def read_key_columns(
    manifest: Manifest, part: Part, columns: Sequence[str] = _KEY_COLUMNS
) -> pa.Table:
    """Read columns of a part; by default all except the content, which is fast.

    Raises:
        PartDamaged: It cannot be read.
    """
    try:
        with open_part(manifest, part) as file:
            return file.read(list(columns), use_threads=False)
    except _READ_ERRORS as error:
        raise _read_error(manifest, part, error) from None


def read_expunged_markers(manifest: Manifest, part: Part) -> set[int]:
    """Return the ids of the responses of a part that were expunged."""
    table = read_key_columns(manifest, part, ["response_id", "digest"])
    return set(table["response_id"].to_numpy()[table["digest"].to_numpy() == EXPUNGED].tolist())


def read_versions(manifest: Manifest, rows: Mapping[int, np.ndarray]) -> Iterator[StoredVersion]:
    """Yield versions of many parts by ascending id and version, with few of them in memory.

    Args:
        manifest: Lists the parts.
        rows: Part number -> row numbers, ascending.

    Raises:
        PartDamaged: A part cannot be read.
    """
    waiting = sorted(
        (part for part in manifest.parts if len(rows.get(part.number, ()))), key=lambda p: -p.low
    )
    heap: list[tuple[int, int, int, StoredVersion, Iterator[StoredVersion]]] = []

    def push(number: int, more: Iterator[StoredVersion]) -> None:
        version = next(more, None)
        if version is not None:
            heapq.heappush(heap, (version.id, version.version, number, version, more))

    while waiting or heap:
        # A part is opened when its ids begin: most parts follow one another.
        while waiting and (not heap or waiting[-1].low <= heap[0][0]):
            part = waiting.pop()
            push(part.number, _read_rows(manifest, part, rows[part.number]))
        _, _, number, version, more = heapq.heappop(heap)
        yield version
        push(number, more)


def _read_rows(manifest: Manifest, part: Part, rows: np.ndarray) -> Iterator[StoredVersion]:
    start = 0
    try:
        with open_part(manifest, part) as file:
            for batch in file.iter_batches(CHUNK, columns=SCHEMA.names, use_threads=False):
                low, high = np.searchsorted(rows, (start, start + batch.num_rows))
                some = batch.take(pa.array(rows[low:high] - start))
                yield from map(StoredVersion, *(column.to_pylist() for column in some.columns))
                start += batch.num_rows
    except _READ_ERRORS as error:
        raise _read_error(manifest, part, error) from None


def read_all_versions(manifest: Manifest, parts: Iterable[Part]) -> Iterator[StoredVersion]:
    """Yield all versions of some parts, as ``read_versions`` does."""
    return read_versions(manifest, {part.number: np.arange(part.rows) for part in parts})


def in_chunks(
    versions: Iterable[StoredVersion], size: int = CHUNK
) -> Iterator[list[StoredVersion]]:
    """Yield lists of so many versions."""
    rest = iter(versions)
    while chunk := list(islice(rest, size)):
        yield chunk


# -- index ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Index:
    """The current version of each response, as columns.

    Attributes:
        ids: Response ids, ascending, each once.
        part: Number of the part with the version.
        row: Row number in that part.
        version: Version number.
        updated: ``date_updated`` as received.
        digest: Hash of the content, ``DELETED`` or ``EXPUNGED``.
        total: Rows of all parts, of all versions.
    """

    ids: np.ndarray
    part: np.ndarray
    row: np.ndarray
    version: np.ndarray
    updated: pa.ChunkedArray
    digest: np.ndarray
    total: int

    @property
    def is_listed(self) -> np.ndarray:
        """Mask of the responses that are not deleted: those the server lists."""
        return np.asarray(self.digest != DELETED)

    @property
    def has_content(self) -> np.ndarray:
        """Mask of the responses that are neither deleted nor expunged."""
        return np.asarray((self.digest != DELETED) & (self.digest != EXPUNGED))

    def rows_by_part(self, mask: np.ndarray) -> dict[int, np.ndarray]:
        """Return part number -> ascending row numbers of the versions of a mask."""
        part, row = self.part[mask], self.row[mask]
        return {int(number): np.sort(row[part == number]) for number in np.unique(part)}

    def positions(self, ids: np.ndarray) -> np.ndarray:
        """Return where ids are in the index; -1 for those that are not."""
        if not len(self.ids):
            return np.full(len(ids), -1)
        at = np.searchsorted(self.ids, ids).clip(max=len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

    def is_stored(self, rows: Sequence[RawResponse]) -> list[bool]:
        """Check for each row whether its content and date are stored already."""
        at = self.positions(np.array([row.id for row in rows], dtype=np.int64))
        dates = iter(self.updated.take(pa.array(at[at >= 0])).to_pylist())
        return [
            position >= 0 and (row.updated, row.digest) == (next(dates), self.digest[position])
            for row, position in zip(rows, at.tolist(), strict=True)
        ]

    def compare(self, before: Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the ids that were added, changed and removed since an earlier index."""
        at = before.positions(self.ids)
        had = np.zeros(len(self.ids), dtype=bool)
        had[at >= 0] = before.has_content[at[at >= 0]]
        other = np.ones(len(self.ids), dtype=bool)
        other[at >= 0] = before.version[at[at >= 0]] != self.version[at >= 0]
        has, deleted = self.has_content, self.digest == DELETED
        return self.ids[has & ~had], self.ids[has & had & other], self.ids[deleted & had]


def read_index(
    manifest: Manifest,
    *,
    until: int | None = None,
    without: Iterable[int] = (),
    cache: dict[int, pa.Table] | None = None,
) -> Index:
    """Read the index of a store.

    Args:
        manifest: Lists the parts.
        until: Only versions that this sync or an earlier one brought.
        without: Ids to leave out.
        cache: Part number -> its key columns, for the next call with the same dict.

    Raises:
        PartDamaged: A part cannot be read.
    """
    cache = {} if cache is None else cache
    for part in manifest.parts:
        if part.number not in cache:
            cache[part.number] = read_key_columns(manifest, part)
    tables = [cache[part.number] for part in manifest.parts]
    table = pa.concat_tables([SCHEMA.empty_table().select(_KEY_COLUMNS), *tables])
    empty = np.empty(0, dtype=np.int64)
    numbers = [np.full(t.num_rows, p.number) for p, t in zip(manifest.parts, tables, strict=True)]
    row_numbers = [np.arange(t.num_rows) for t in tables]
    ids, version = table["response_id"].to_numpy(), table["version"].to_numpy()
    order = np.lexsort((version, ids))
    if until is not None:
        order = order[table["sync"].to_numpy()[order] <= until]
    ordered = ids[order]
    is_last = np.append(ordered[1:] != ordered[:-1], np.ones(min(1, len(ordered)), bool))
    skipped = np.fromiter(without, dtype=np.int64)
    keep = order[is_last & ~np.isin(ordered, skipped)]
    taken = table.take(pa.array(keep))
    return Index(
        taken["response_id"].to_numpy(),
        np.concatenate([empty, *numbers])[keep],
        np.concatenate([empty, *row_numbers])[keep],
        taken["version"].to_numpy(),
        taken["date_updated"],
        taken["digest"].to_numpy(),
        table.num_rows,
    )
