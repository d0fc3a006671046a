"""Responses of many parts as one stream by ascending id, without holding more than a few."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from alchemer_nb.store.parts import SCHEMA, batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest, Part
    from alchemer_nb.store.parts import Index

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a response, as it is stored.

    Attributes:
        id: Response id.
        version: Orders the versions of a response.
        sync: The sync that brought it.
        updated: ``date_updated`` as received.
        digest: Of its content.
        content: Its JSON; None where the response is gone.
    """

    id: int
    version: int
    sync: int
    updated: str | None
    digest: int
    content: bytes | None


def chosen(index: Index, which: np.ndarray) -> dict[int, np.ndarray]:
    """Rows by part, of some responses of an index."""
    part, row = index.part[which], index.row[which]
    if not len(part):
        return {}
    order = np.argsort(part, kind="stable")
    numbers, starts = np.unique(part[order], return_index=True)
    rows = np.split(row[order], starts[1:])
    return {int(number): np.sort(some) for number, some in zip(numbers, rows, strict=True)}


def stream(folder: Path, manifest: Manifest, rows: Mapping[int, np.ndarray]) -> Iterator[Stored]:
    """Yields versions by ascending id, and by version where several of one are wanted.

    Args:
        folder: The survey's.
        manifest: Its parts.
        rows: Part number -> the rows wanted of it, ascending.

    Raises:
        Damaged: A part cannot be read.
    """
    waiting = sorted(
        (part for part in manifest.parts if len(rows.get(part.number, ()))), key=lambda p: -p.low
    )
    heap: list[tuple[int, int, int, Stored, Iterator[Stored]]] = []
    while waiting or heap:
        while waiting and (not heap or waiting[-1].low <= heap[0][0]):
            part = waiting.pop()  # opened only now: most parts follow one another
            _push(heap, part.number, _read(folder, part, rows[part.number]))
        _, _, number, stored, more = heapq.heappop(heap)
        yield stored
        _push(heap, number, more)


def _push(
    heap: list[tuple[int, int, int, Stored, Iterator[Stored]]], number: int, more: Iterator[Stored]
) -> None:
    stored = next(more, None)
    if stored is not None:
        heapq.heappush(heap, (stored.id, stored.version, number, stored, more))


def _read(folder: Path, part: Part, rows: np.ndarray) -> Iterator[Stored]:
    start = 0
    for batch in batches(folder, part, SCHEMA.names):
        low, high = np.searchsorted(rows, (start, start + batch.num_rows))
        if high > low:
            some = batch.take(pa.array(rows[low:high] - start))
            yield from map(Stored, *(column.to_pylist() for column in some.columns))
        start += batch.num_rows


def pages(stored: Iterator[Stored]) -> Iterator[list[Stored]]:
    """The same, some at a time."""
    some: list[Stored] = []
    for one in stored:
        some.append(one)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
