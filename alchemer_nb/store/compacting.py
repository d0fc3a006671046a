"""Few parts instead of many, without versions that nobody asks for any more."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from alchemer_nb.store import parts
from alchemer_nb.store.opening import sweep
from alchemer_nb.store.streaming import AT_ONCE, Stored, chosen, pages, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest, Part
    from alchemer_nb.store.parts import Index

_MANY_PARTS = 16  # small ones
_SMALL_ROWS, _SMALL_BYTES = 2500, 2 << 20
_STALE = 0.25
_PAGES = parts.LARGEST // AT_ONCE
_TOGETHER = 5


def compact(folder: Path, manifest: Manifest, index: Index) -> bool:
    """Merges small parts when they are many, all parts when much in them is out of date.

    What counts, and what counted before the last sync (for ``changes``), is kept.

    Args:
        folder: The survey's.
        manifest: Its parts.
        index: Of them.
    """
    small = [p for p in manifest.parts if p.rows < _SMALL_ROWS and p.size < _SMALL_BYTES]
    is_crowded = len(small) > _MANY_PARTS
    if not is_crowded and index.total - len(index.ids) <= _STALE * index.total:
        return False
    wanted = _wanted(folder, manifest)
    needed = sum(len(rows) for rows in wanted.values())
    if index.total - needed > _STALE * index.total:
        return _merge(folder, manifest, manifest.parts, wanted)
    return is_crowded and _merge(folder, manifest, small, wanted)


def rewrite(
    folder: Path,
    manifest: Manifest,
    which: Iterable[Part],
    change: Callable[[Stored], Stored],
) -> None:
    """Writes some parts anew with other content, each for itself."""
    for part in list(which):
        rows = {part.number: np.arange(part.rows)}
        _replace(folder, manifest, [part], map(change, stream(folder, manifest, rows)))


def _wanted(folder: Path, manifest: Manifest) -> dict[int, np.ndarray]:
    """Rows by part that count, or counted before the last sync."""
    rows: dict[int, list[np.ndarray]] = {}
    for until in (None, manifest.sync - 1):
        index = parts.index(folder, manifest, until=until)
        for number, some in chosen(index, np.ones(len(index.ids), dtype=bool)).items():
            rows.setdefault(number, []).append(some)
    return {number: np.unique(np.concatenate(some)) for number, some in rows.items()}


def _merge(
    folder: Path, manifest: Manifest, which: list[Part], wanted: dict[int, np.ndarray]
) -> bool:
    rows = {p.number: wanted[p.number] for p in which if p.number in wanted}
    _replace(folder, manifest, list(which), stream(folder, manifest, rows))
    manifest.save(folder)
    sweep(folder, manifest)
    return True


def _replace(folder: Path, manifest: Manifest, old: list[Part], new: Iterator[Stored]) -> None:
    """Writes new parts in the place of old ones; the manifest is the caller's to save."""
    numbers = {part.number for part in old}
    before = [part for part in manifest.parts if part.number not in numbers]
    # The stream reads the old parts, so that the manifest names them until it has ended.
    made: list[Part] = []
    rest = pages(new)
    for first in rest:
        some = chain([first], islice(rest, _PAGES - 1))
        made.append(parts.write_tables(folder, manifest, _tables(some)))
    manifest.parts = [*before, *made]


def _tables(some: Iterable[list[Stored]]) -> Iterator[pa.Table]:
    """Tables of a few pages each: each is a group of rows, and many groups are slow to read."""
    waiting = iter(some)
    while few := list(islice(waiting, _TOGETHER)):
        yield pa.concat_tables(map(_table, few))


def _table(page: list[Stored]) -> pa.Table:
    columns = {
        "response_id": [each.id for each in page],
        "version": [each.version for each in page],
        "sync": [each.sync for each in page],
        "date_updated": [each.updated for each in page],
        "digest": [each.digest for each in page],
        "response": [each.content for each in page],
    }
    return pa.table(columns, schema=parts.SCHEMA)
