"""Files of responses: each as the server sent it, with what tells its versions apart.

A part is written once and never changed. A later version of a response stands in a later part, a
response that is gone as a row without content; the row with the highest ``version`` counts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from alchemer_nb.store.manifest import Manifest, Part
from alchemer_nb.store.paths import written
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.json import decode
from alchemer_nb.wire.paging import Measure, rows_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

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
KEYS = ["response_id", "version", "sync", "date_updated", "digest"]
LARGEST = 20_000  # rows of a part: bounds what its table takes to build
ID_BITS = 40  # of the key that tells the versions of all responses apart
LARGEST_ID = 2**ID_BITS - 1
GONE, EXPUNGED = 0, -1  # in place of a digest
_GROUP = 500  # rows read at once
_ROW_GROUP = 5000
_DAMAGED = (OSError, pa.ArrowInvalid, pa.ArrowException)


class Damaged(Exception):
    """A part cannot be read.

    Attributes:
        number: Which.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"part {number} cannot be read")
        self.number = number


@dataclass(frozen=True, slots=True)
class Raw:
    """A response as it came; without content where it is gone.

    Attributes:
        id: Response id.
        updated: ``date_updated`` as received.
        digest: Of its content.
        content: Its JSON.
    """

    id: int
    updated: str | None
    digest: int
    content: bytes | None


def gone(response_id: int) -> Raw:
    """What stands for a response that was deleted."""
    return Raw(response_id, None, GONE, None)


def expunged(response_id: int) -> Raw:
    """What stands for a response that was removed here for good, and is there on the server."""
    return Raw(response_id, None, EXPUNGED, None)


@dataclass(slots=True)
class RawPage:
    """A page of the list, cut into responses.

    Attributes:
        rows: The responses that have an id.
        measure: What the page tells of its list.
    """

    rows: list[Raw]
    measure: Measure


class _Key(msgspec.Struct):
    id: Any = None
    date_updated: Any = None


class _Cut(msgspec.Struct):
    data: list[msgspec.Raw]
    total_count: Any = None
    total_pages: Any = None
    results_per_page: Any = None


_CUT = msgspec.json.Decoder(_Cut)
_KEY = msgspec.json.Decoder(_Key)


def cut(body: bytes) -> RawPage:
    """Cuts a page of the response list into responses, byte by byte as they came.

    Raises:
        ValueError: It is not a list of responses.
    """
    try:
        page = _CUT.decode(body)
        rows = [_raw(bytes(each), _KEY.decode(each)) for each in page.data]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        page, rows = _loosely(body)
    kept = [row for row in rows if row is not None]
    edges = (kept[0].id, kept[-1].id) if kept else None
    return RawPage(
        kept,
        Measure(
            rows=len(rows),
            total_count=whole(page.total_count),
            total_pages=whole(page.total_pages),
            per_page=whole(page.results_per_page),
            key=(len(rows), edges),
        ),
    )


def _loosely(body: bytes) -> tuple[_Cut, list[Raw | None]]:
    """The same for a page with a mark at its start, broken characters or an object for a list."""
    decoded = decode(body)
    if not isinstance(decoded, dict):
        raise ValueError("not a list of responses")  # noqa: TRY004 - like any other broken JSON
    rows: list[Raw | None] = []
    for row in rows_of(decoded):
        if isinstance(row, dict):
            content = msgspec.json.encode(row)
            rows.append(_raw(content, _Key(row.get("id"), row.get("date_updated"))))
    names = ("total_count", "total_pages", "results_per_page")
    return _Cut([], *(decoded.get(name) for name in names)), rows


def _raw(content: bytes, key: _Key) -> Raw | None:
    own = id_number(key.id)
    if own is None or own > LARGEST_ID:
        return None
    digest = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)
    updated = None if key.date_updated in (None, "") else str(key.date_updated)
    return Raw(own, updated, digest, content)


def write(folder: Path, manifest: Manifest, rows: Iterable[Raw], sync: int) -> list[Part]:
    """Writes rows as new parts, by ascending id and each id once; the last copy counts.

    The manifest counts them once it is saved; until then they are leftovers.
    """
    latest = {row.id: row for row in rows}
    ordered = [latest[own] for own in sorted(latest)]
    made = []
    for start in range(0, len(ordered), LARGEST):
        some = ordered[start : start + LARGEST]
        number = manifest.next
        table = pa.table(
            {
                "response_id": [row.id for row in some],
                "version": [number] * len(some),
                "sync": [sync] * len(some),
                "date_updated": [row.updated for row in some],
                "digest": [row.digest for row in some],
                "response": [row.content for row in some],
            },
            schema=SCHEMA,
        )
        made.append(write_tables(folder, manifest, [table]))
    return made


def write_tables(folder: Path, manifest: Manifest, tables: Iterable[pa.Table]) -> Part:
    """Writes a part whose rows come piece by piece, ascending by id."""
    number = manifest.next
    manifest.next += 1
    part = Part(number, 0, 0, 0, 0)
    place = folder / part.name
    with written(place) as temporary:
        with temporary.open("wb") as sink, _writer(sink, SCHEMA) as writer:
            for table in tables:
                if not table.num_rows:
                    continue
                ids = table["response_id"]
                part.low = part.low if part.rows else ids[0].as_py()
                part.high = ids[-1].as_py()
                part.rows += table.num_rows
                writer.write_table(table, row_group_size=_ROW_GROUP)
        part.size = temporary.stat().st_size
    manifest.parts.append(part)
    return part


def _writer(sink: Any, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=["date_updated"],
        write_statistics=["response_id"],
        data_page_size=4 << 20,  # so that words which every response repeats are packed together
        write_page_checksum=True,
    )


def open_part(folder: Path, part: Part) -> pq.ParquetFile:
    """Opens a part.

    Raises:
        Damaged: It is gone, cut short, or no part.
    """
    place = folder / part.name
    try:
        if place.is_symlink() or place.stat().st_size != part.size:
            raise Damaged(part.number)
        return pq.ParquetFile(place, page_checksum_verification=True, pre_buffer=False)
    except _DAMAGED:
        pass
    raise Damaged(part.number)


def batches(folder: Path, part: Part, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a part, some at a time.

    Raises:
        Damaged: It cannot be read.
    """
    file = open_part(folder, part)
    try:
        yield from file.iter_batches(_GROUP, columns=list(columns), use_threads=False)
        return
    except _DAMAGED:
        pass
    finally:
        file.close()
    raise Damaged(part.number)


def keys(folder: Path, part: Part, columns: Sequence[str] = KEYS) -> pa.Table:
    """Everything of a part but the responses themselves, which costs little.

    Raises:
        Damaged: It cannot be read.
    """
    file = open_part(folder, part)
    try:
        return file.read(list(columns), use_threads=False)
    except _DAMAGED:
        pass
    finally:
        file.close()
    raise Damaged(part.number)


@dataclass(slots=True)
class Index:
    """The versions of all responses.

    Attributes:
        ids: Response ids, ascending, each once.
        part: Number of the part with the version that counts.
        row: Its row there.
        version: That version.
        sync: The sync that brought it.
        updated: Its ``date_updated``, as received.
        digest: Of its content; 0 where the response is gone.
        total: Versions in all.
    """

    ids: np.ndarray
    part: np.ndarray
    row: np.ndarray
    version: np.ndarray
    sync: np.ndarray
    updated: pa.ChunkedArray
    digest: np.ndarray
    total: int

    @property
    def alive(self) -> np.ndarray:
        """Which of them are not gone; those that were removed here for good among them."""
        return np.asarray(self.digest != GONE)

    @property
    def here(self) -> np.ndarray:
        """Which of them have content."""
        return np.asarray((self.digest != GONE) & (self.digest != EXPUNGED))

    def find(self, ids: np.ndarray) -> np.ndarray:
        """Where ids stand in the index; -1 for those that do not."""
        if not len(self.ids):
            return np.full(len(ids), -1)
        at = np.searchsorted(self.ids, ids).clip(max=len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

    def is_same(self, rows: Sequence[Raw]) -> list[bool]:
        """For each row, whether it is stored just as it came."""
        at = self.find(np.array([row.id for row in rows], dtype=np.int64))
        stored = self.updated.take(pa.array(np.where(at < 0, 0, at))) if len(self.ids) else []
        return [
            place >= 0
            and self.digest[place] != GONE
            and _is_same(row, date.as_py(), self.digest[place])
            for row, place, date in zip(rows, at.tolist(), stored, strict=False)
        ] or [False] * len(rows)


def _is_same(row: Raw, updated: str | None, digest: int) -> bool:
    return row.updated == updated and row.digest == digest


def index(
    folder: Path,
    manifest: Manifest,
    *,
    until: int | None = None,
    without: Iterable[int] = (),
    known: dict[int, pa.Table] | None = None,
) -> Index:
    """Reads the index of a store.

    Args:
        folder: The survey's.
        manifest: Says which parts count.
        until: Only versions that this sync or an earlier one brought.
        without: Ids to leave out.
        known: Keys of parts that were read before, by number; what is read is added.

    Raises:
        Damaged: A part cannot be read.
    """
    tables, numbers, places = [SCHEMA.empty_table().select(KEYS)], [], []
    known = {} if known is None else known
    for part in manifest.parts:
        table = known.get(part.number)
        if table is None:
            table = known[part.number] = keys(folder, part)
        tables.append(table)
        numbers.append(np.full(table.num_rows, part.number))
        places.append(np.arange(table.num_rows))
    table = pa.concat_tables(tables)
    ids = table["response_id"].to_numpy()
    version = table["version"].to_numpy()
    order = np.lexsort((version, ids))
    if until is not None:
        order = order[table["sync"].to_numpy()[order] <= until]
    ordered = ids[order]
    last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.empty(0, bool)
    skipped = np.fromiter(without, dtype=np.int64)
    if len(skipped):
        last &= ~np.isin(ordered, skipped)
    keep = order[last]
    taken = table.take(pa.array(keep))
    return Index(
        taken["response_id"].to_numpy(),
        np.concatenate(numbers)[keep] if numbers else keep,
        np.concatenate(places)[keep] if places else keep,
        taken["version"].to_numpy(),
        taken["sync"].to_numpy(),
        taken["date_updated"],
        taken["digest"].to_numpy(),
        table.num_rows,
    )


def stored_syncs(folder: Path, part: Part) -> int:
    """The highest sync number in a part."""
    return int(pc.max(keys(folder, part, ["sync"])["sync"]).as_py() or 0)
