"""Compares a store with the server, and its files with their digests; changes nothing.

All pages of the list of responses are read, as by a full sync, with one page in memory at a time.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.fetch.lists import fetch_definition
from alchemer_nb.fetch.page_fetcher import PageRange
from alchemer_nb.store import digests, opening, parts, paths
from alchemer_nb.store.manifest import FORMAT, UnreadableFile, read_expunged_ids, read_manifest
from alchemer_nb.store.reading import as_store_error
from alchemer_nb.store.sync_result import DIFFERENCES, VerifyResult, note_without_id
from alchemer_nb.wire.paging import PAGE_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.fetch.raw_pages import RawPage
    from alchemer_nb.store.listing import Listing
    from alchemer_nb.store.manifest import Manifest
    from alchemer_nb.store.parts import Index

_SIZE_STEP = 4  # between page sizes, as of a sync
_ATTEMPTS = 3
_EARLIER = "an earlier version wrote the store, without digests; the next sync adds them"


def verify(folder: Path, listing: Listing) -> VerifyResult:
    """Compare a store with the server, and its files with their digests.

    Args:
        folder: The survey's.
        listing: The response list.

    Raises:
        StoreError: There is no store, or it cannot be read.
        StoreBusy: Another process holds it.
        Stopped: ``stop`` was set.
        ApiError, TransportError: As for any call.
    """
    began = datetime.now(UTC).isoformat(timespec="seconds")
    if not paths.folder_exists(folder):
        raise paths.not_stored(folder)
    options = replace(listing.options, on_wait=listing.report_wait)
    survey, _ = fetch_definition(listing.transport, listing.survey, options)
    listing.report_wait("")
    listing.title = survey.title
    # Without the right to write there is no lock; whoever may write shows in the manifest.
    lock = paths.lock_folder(folder) if paths.is_writable(folder) else nullcontext()
    with lock, as_store_error(folder):
        listing.begin_stage("checking the files")
        files = _FileCheck(folder)
        files.run(listing)
        manifest = files.manifest
        index = parts.read_index(manifest)
        expunged = read_expunged_ids(manifest)
        chance = secrets.randbelow(1000)
        for attempt in range(_ATTEMPTS):
            # Another page size each time: Alchemer has rarely cached the reply to that call.
            listing.variant = chance + attempt
            walk = _Walk(index, expunged)
            walk.run(listing)
            if walk.is_steady:
                break
    notes = files.notes
    if files.has_changed():
        notes.append("the store changed while it was read, so some differences may be none")
    if walk.without_id:
        notes.append(note_without_id(walk.without_id))
    if not walk.is_steady:
        notes.append("the list changed while it was read, so some differences may be none")
    return VerifyResult(
        manifest.survey,
        survey.title,
        folder,
        int(index.has_content.sum()),
        walk.total_count,
        walk.differences(),
        pd.DataFrame(files.problems, columns=["file", "problem"]),
        files.count,
        not opening.is_current_definition(manifest, survey),
        listing.calls,
        began,
        tuple(notes),
    )


class _FileCheck:
    """A check of all files of a store.

    Attributes:
        manifest: Of the store; lists the parts that can be read.
        problems: File name and what is wrong with it.
        count: Files that were checked.
        notes: What else to know.
    """

    def __init__(self, folder: Path) -> None:
        self.problems: list[tuple[str, str]] = []
        self.count = 1
        self.notes: list[str] = []
        self._stamp = _read_stamp(folder)
        self.manifest = self._read_manifest(folder)

    def _read_manifest(self, folder: Path) -> Manifest:
        problem = "gone"
        try:
            manifest = read_manifest(folder)
        except UnreadableFile:
            manifest, problem = None, "damaged"
        if manifest is None:
            if not paths.list_store_files(folder, paths.PART_PATTERN):
                raise paths.not_stored(folder)
            self.problems.append((paths.MANIFEST, problem))
            return opening.rebuild_manifest(folder, folder.name.rpartition("-")[2])
        if manifest.format < FORMAT:
            self.notes.append(_EARLIER)
            opening.add_digests(manifest)
        if not manifest.complete:
            self.notes.append("no sync of it was completed")
        elif manifest.doubtful:
            self.notes.append(manifest.doubtful)
        return manifest

    def has_changed(self) -> bool:
        """Check whether another program replaced the manifest after it was read."""
        return self._stamp != _read_stamp(self.manifest.folder)

    def run(self, listing: Listing) -> None:
        """Check all files; leave out of the manifest in memory what cannot be read."""
        manifest = self.manifest
        intact = []
        for part in manifest.parts:
            listing.options.check()
            if self._check(part.name):
                try:
                    parts.check_content(manifest, part)
                except parts.PartDamaged:
                    self.problems.append((part.name, "damaged"))
                else:
                    intact.append(part)
        manifest.parts = intact
        names = [paths.definition_name(each["number"]) for each in manifest.definitions]
        tables = [name for name in opening.table_names(manifest) if name in manifest.files]
        for name in [*names, *tables]:
            listing.options.check()
            self._check(name)
        if paths.EXPUNGED in manifest.files:
            self._check(paths.EXPUNGED)
        elif manifest.expunged:  # without a record it was read, or is gone
            self.count += 1
            if not os.path.lexists(manifest.folder / paths.EXPUNGED):
                self.problems.append((paths.EXPUNGED, "gone"))

    def _check(self, name: str) -> bool:
        """Compute the digest of a file anew, whether or not this process did so before."""
        self.count += 1
        path = self.manifest.folder / name
        try:
            is_file = stat.S_ISREG(path.lstat().st_mode)
            if is_file and digests.record_file(path) == self.manifest.files.get(name):
                return True
        except OSError as error:
            digests.check_is_damage(error, path)
        digests.forget_digests()  # so that the next sync finds it, too
        self.problems.append((name, "damaged" if os.path.lexists(path) else "gone"))
        return False


def _read_stamp(folder: Path) -> tuple[int, int] | None:
    """Return what changes when the manifest is replaced; None where there is none."""
    try:
        status = (folder / paths.MANIFEST).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


@dataclass
class _Walk:
    """A comparison of all responses with a store.

    Attributes:
        index: Of the store.
        expunged: Ids that are not compared.
        total_count: By the last page.
        is_steady: Whether as many responses came as the total count, and it never went down.
        without_id: Responses without a valid id, which are not compared.
    """

    index: Index
    expunged: set[int]
    total_count: int | None = None
    is_steady: bool = True
    without_id: int = 0
    _found: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    _unknown: set[int] = field(default_factory=set)

    def run(self, listing: Listing) -> None:
        """Read all pages."""
        self._seen = np.zeros(len(self.index.ids), dtype=bool)
        size = listing.page_size(PAGE_SIZE, _SIZE_STEP)
        for _, page in listing.read_all(PageRange(size, 1), "comparing", uncached=True):
            self._compare(page)
            self.without_id += page.without_id
            total = listing.total_count
            self.is_steady &= total is None or total >= (self.total_count or 0)
            self.total_count = total
        seen = int(self._seen.sum()) + len(self._unknown) + self.without_id
        self.is_steady &= self.total_count in (None, seen)

    def _compare(self, page: RawPage) -> None:
        at = self.index.positions(np.array([row.id for row in page.rows], dtype=np.int64))
        self._seen[at[at >= 0]] = True
        stored = self.index.is_stored(page.rows)
        for row, position, is_same in zip(page.rows, at.tolist(), stored, strict=True):
            if position < 0:
                self._unknown.add(row.id)
            if is_same or row.id in self.expunged:
                continue
            is_here = position >= 0 and self.index.has_content[position]
            self._found[row.id] = ("changed" if is_here else "missing", row.updated)

    def differences(self) -> pd.DataFrame:
        """Return what differs, one row a response."""
        index, has_content = self.index, self.index.has_content
        found = dict(self._found)
        for response_id in index.ids[has_content & ~self._seen].tolist():
            found[response_id] = ("deleted", None)
        is_expunged = np.isin(index.ids, np.array(sorted(self.expunged), dtype=np.int64))
        for response_id in index.ids[has_content & is_expunged].tolist():
            found[response_id] = ("expunged", None)
        ids = np.array(sorted(found), dtype=np.int64)
        at = index.positions(ids)
        dates = np.full(len(ids), None, dtype=object)
        dates[at >= 0] = index.updated.take(at[at >= 0]).to_pylist()
        rows = [found[response_id] for response_id in ids.tolist()]
        return pd.DataFrame(
            {
                "difference": pd.Categorical([row[0] for row in rows], categories=DIFFERENCES),
                "date_stored": pd.Series(dates, dtype=object),
                "date_alchemer": pd.Series([row[1] for row in rows], dtype=object),
            }
        ).set_index(pd.Index(ids, name="response_id"))
