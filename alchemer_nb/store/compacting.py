"""Merges small parts of a store, and removes old versions of responses."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.store import parts
from alchemer_nb.store.opening import remove_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alchemer_nb.store.manifest import Manifest, Part
    from alchemer_nb.store.parts import Index, StoredVersion

_MANY_PARTS = 16  # small ones
_SMALL_ROWS, _SMALL_BYTES = 2500, 2 << 20
_STALE = 0.25  # share of unneeded rows from which on parts are rewritten
_ROW_GROUP = 2500  # many small row groups are slow to read


def compact(manifest: Manifest, index: Index) -> None:
    """Merge small parts if there are many, and all parts if many of their rows are not needed.

    The current versions, and those before the last sync (for ``changes``), are needed.

    Args:
        manifest: Lists the parts.
        index: Of these parts.
    """
    small = [p for p in manifest.parts if p.rows < _SMALL_ROWS and p.size < _SMALL_BYTES]
    is_crowded = len(small) > _MANY_PARTS
    if not is_crowded and index.total - len(index.ids) <= _STALE * index.total:
        return
    needed = _needed_rows(manifest)
    if index.total - sum(map(len, needed.values())) > _STALE * index.total:
        small = manifest.parts
    elif not is_crowded:
        return
    rows = {p.number: needed[p.number] for p in small if p.number in needed}
    _replace_parts(manifest, small, parts.read_versions(manifest, rows))
    manifest.save()
    remove_leftovers(manifest)


def rewrite(
    manifest: Manifest, old: Iterable[Part], change: Callable[[StoredVersion], StoredVersion]
) -> None:
    """Replace some parts by parts with changed rows; the caller saves the manifest."""
    for part in list(old):
        versions = parts.read_all_versions(manifest, [part])
        _replace_parts(manifest, [part], map(change, versions))


def _needed_rows(manifest: Manifest) -> dict[int, np.ndarray]:
    rows: dict[int, list[np.ndarray]] = {}
    for until in (None, manifest.sync - 1):
        index = parts.read_index(manifest, until=until)
        for number, some in index.rows_by_part(np.ones(len(index.ids), dtype=bool)).items():
            rows.setdefault(number, []).append(some)
    return {number: np.unique(np.concatenate(some)) for number, some in rows.items()}


def _replace_parts(
    manifest: Manifest, old: Iterable[Part], versions: Iterator[StoredVersion]
) -> None:
    old_numbers = {part.number for part in old}
    unchanged = [part for part in manifest.parts if part.number not in old_numbers]
    new: list[Part] = []
    # The iterator reads the old parts, so the manifest lists them until it is exhausted.
    for first in versions:
        some = chain([first], islice(versions, parts.MOST_ROWS - 1))
        tables = map(parts.versions_table, parts.in_chunks(some, _ROW_GROUP))
        new.append(parts.write_part(manifest, tables))
    manifest.parts = [*unchanged, *new]
