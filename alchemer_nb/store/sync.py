"""Updates a store with new, changed and deleted responses.

The first sync reads all pages by ascending id, and stores them every few pages, so the next run can
continue an interrupted one. Later syncs read the newest changes first, back to the time of the last
sync (see ``wire.clocks``). The total count shows deletions. At the end the order of the list is
checked (see ``order_check``). All pages are read if that check fails, if a clock was set back, or
if dates are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.fetch.lists import fetch_definition
from alchemer_nb.fetch.page_fetcher import PageFetcher, PageRange, read_newest_first
from alchemer_nb.store import compacting, expunging, opening, parts, paths, tables
from alchemer_nb.store.find_deleted import find_deleted, is_cheap
from alchemer_nb.store.manifest import Checkpoint, Manifest, read_expunged_ids
from alchemer_nb.store.order_check import ListedDates, StoredDates, choose_pages, is_short
from alchemer_nb.store.reading import as_store_error
from alchemer_nb.store.sync_result import SyncResult, note_without_id
from alchemer_nb.wire import clocks
from alchemer_nb.wire.paging import PAGE_SIZE
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import pyarrow as pa

    from alchemer_nb.fetch.raw_pages import RawPage, RawResponse
    from alchemer_nb.http.regions import Region
    from alchemer_nb.store.listing import Listing
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.wire.clocks import Clock

# Page sizes of the list of newest changes: to read the newest date, to check the order further
# down, for the first page, and for the other pages.
_DATE_ROWS, _CHECK_ROWS, _FIRST_ROWS, _LARGE_ROWS = 20, 30, 100, 500
_OVERLAP_ROWS = 40  # rows before the horizon that are compared, too, in case of backdated changes
_SIZE_STEP = 4  # between page sizes: multiples of 4 can be halved where the server is slow
_STORE_ROWS = 5000  # rows between two writes of a read of all pages; a killed run loses them
_STORE_BYTES = 64 << 20
_BACKDATED = "some changes are dated earlier than they were made"
_ATTEMPTS = 3


@dataclass
class Sync:
    """One sync of one survey.

    Attributes:
        folder: The survey's.
        listing: The response list.
        region: Of the account.
        full: Whether to read all pages, not only the newest changes.
        notes: What was repaired, or is not as it should be.
    """

    folder: Path
    listing: Listing
    region: Region
    full: bool = False
    notes: list[str] = field(default_factory=list)

    def run(self) -> SyncResult:
        """Bring the store up to date.

        Raises:
            StoreBusy: Another process holds it.
            StoreError: The disk is full, or access is denied.
            Stopped: ``stop`` was set; what came before is stored.
            ApiError, TransportError: As for any call; what came before is stored.
        """
        listing = self.listing
        listing.begin_stage()
        began = datetime.now(UTC).isoformat(timespec="seconds")
        # Before the folder is made: the survey may not exist.
        options = replace(listing.options, on_wait=listing.report_wait, fresh=False)
        survey, _ = fetch_definition(listing.transport, listing.survey, options)
        listing.report_wait("")
        paths.make_folders(self.folder)
        with paths.lock_folder(self.folder), as_store_error(self.folder):
            for _ in range(_ATTEMPTS):
                manifest = opening.open_store(self.folder, self.notes.append)
                try:
                    return self._run(manifest, survey, began)
                except parts.PartDamaged as error:
                    number = error.number
                opening.drop_parts(manifest, [p for p in manifest.parts if p.number == number])
            return self._run(manifest, survey, began)

    def _run(self, manifest: Manifest, survey: Definition, began: str) -> SyncResult:
        self._manifest = manifest
        self._number = manifest.sync + 1
        self._change_addresses()
        self._all_compared = self._found_backdated = False
        self._without_id = 0
        self._expunged = read_expunged_ids(manifest)
        if self._expunged:
            expunging.remove_expunged(manifest)
        self._index_cache: dict[int, pa.Table] = {}
        self._read_index()
        self._store_survey(survey)
        if manifest.doubtful:
            self._note_full_read(manifest.doubtful)
        elif manifest.late and not self.full:
            self._note_full_read(_BACKDATED)
        must_read_all = self.full or not manifest.complete or manifest.doubtful or manifest.late
        if must_read_all or manifest.unfinished is not None:
            self._read_all()
        self._sync_changes()
        return self._finish(began)

    def _change_addresses(self) -> None:
        """Use other page sizes for the next calls, so that Alchemer has no cached reply to them."""
        self.listing.variant = self._manifest.turn
        self._manifest.turn += 1
        self._manifest.save()  # at once: this run may be killed

    def _store_survey(self, survey: Definition) -> None:
        manifest = self._manifest
        self.listing.title = survey.title
        manifest.title, manifest.region = survey.title, self.region.name
        manifest.zone = str(self.region.zone)
        self.notes += opening.store_definition(manifest, survey)
        manifest.save()

    def _note_full_read(self, reason: str) -> None:
        self.notes.append(f"{reason}; all responses were compared with Alchemer's")

    # -- all pages --------------------------------------------------------------------------

    def _read_all(self) -> None:
        """Read all pages by ascending id, or those that the last run had not reached.

        A deletion during the read moves all later responses forward, so one may be missed between
        two pages although the count is right. In this case all pages are read once more.
        """
        for _ in range(_ATTEMPTS):
            if self._read_all_once():
                return

    def _plan_full_read(self) -> Checkpoint:
        """Note that all pages are to be read, by this run or the next one."""
        listing = self.listing
        with listing.fetcher() as fetcher:
            first = PageRange(listing.page_size(_DATE_ROWS), 1)
            (page,) = listing.read_newest(fetcher, [first])
        size = listing.page_size(PAGE_SIZE, _SIZE_STEP)
        state = Checkpoint(0, size, _newest_date(page.rows, listing.clock), listing.clock)
        self._manifest.unfinished = state
        self.full = False
        return state

    def _read_all_once(self) -> bool:
        """Read all pages; return whether no response was deleted during the read."""
        manifest, listing = self._manifest, self.listing
        state = (None if self.full else manifest.unfinished) or self._plan_full_read()
        first = max(1, state.pages)  # the last one again: it may have been short
        if state.pages:
            self.notes.append(f"went on at page {first:,}, where the last run was ended")
        horizon = clocks.horizon(manifest.clock, manifest.watermark) if manifest.clock else None
        read = _FullRead()
        try:
            for at, page in listing.read_all(PageRange(state.size, first)):
                new_rows = self._find_new_rows(page)
                read.add(page, new_rows, listing.total_count)
                self._note_backdated(new_rows, horizon)
                state.pages = at.size * at.number // state.size  # pages may get smaller
                if len(read.unstored) >= _STORE_ROWS or read.size >= _STORE_BYTES:
                    self._store(read.take_unstored())
        except BaseException:  # stopped, interrupted or failed: what came is stored
            self._store(read.take_unstored())
            raise
        if first == 1 and not read.has_shrunk and listing.total_count == len(read.seen):
            deleted = set(self._listed_ids().tolist()) - read.seen
            read.unstored += map(parts.deleted_marker, deleted)
        manifest.unfinished = None
        manifest.doubtful = "the list grew shorter while it was read" if read.has_shrunk else ""
        manifest.watermark, manifest.clock = state.watermark, state.clock
        self._all_compared = first == 1 and not read.has_shrunk
        self._without_id = read.without_id
        self._store(read.take_unstored())
        self._change_addresses()
        return not read.has_shrunk

    def _note_backdated(self, new_rows: list[RawResponse], horizon: str | None) -> bool:
        """Return whether a change has a date from before the horizon, and note it."""
        is_backdated = any(row.updated and row.updated < (horizon or "") for row in new_rows)
        if is_backdated:
            self._found_backdated = self._manifest.late = True
        return is_backdated

    # -- newest changes ---------------------------------------------------------------------

    def _sync_changes(self) -> None:
        """Read the newest changes; read all pages if a change may be missing among them."""
        for _ in range(_ATTEMPTS):
            reason = self._read_changes()
            if not reason:
                return
            self._note_full_read(reason)
            self._read_all()
        self._match_total_count()

    def _read_changes(self) -> str:
        """Read the newest changes; return why these may not be all, ``""`` if they are."""
        reason = ""
        for _ in range(2):  # a change during the check moves all responses: check again
            changes = self._store_changes()
            if changes.full_read_reason:
                return changes.full_read_reason
            self._match_total_count()
            reason = "" if self._all_compared else self._check_order(changes)
            if not reason:
                self._manifest.watermark, self._manifest.clock = changes.newest, changes.clock
                return ""
            self._change_addresses()
        self._plan_full_read()
        return reason

    def _store_changes(self) -> _Changes:
        """Store the newest changes, back to the time of the last sync."""
        manifest, listing = self._manifest, self.listing
        listing.begin_stage("looking for changes")
        horizon = clocks.horizon(manifest.clock, manifest.watermark)
        for _ in range(_ATTEMPTS):
            with listing.fetcher() as fetcher:
                changes = self._find_changes(fetcher, horizon)
            if not changes.full_read_reason and not changes.is_ordered and not self._all_compared:
                changes.full_read_reason = "Alchemer did not give the newest changes first"
            if (
                not changes.full_read_reason
                and changes.is_ordered
                and self._note_backdated(changes.new_rows, horizon)
            ):
                changes.full_read_reason = _BACKDATED
            if changes.full_read_reason:
                self._plan_full_read()
            self._store(changes.new_rows)
            if changes.is_steady or changes.full_read_reason:
                break
            self._change_addresses()
        return changes

    def _find_changes(self, fetcher: PageFetcher, horizon: str | None) -> _Changes:
        """Find what changed since the horizon.

        The last page is one whose last rows are before the horizon and stored. Where responses
        have no date, it is a page whose second half is stored.
        """
        found, listing = _Changes(), self.listing
        small, large = listing.page_size(_FIRST_ROWS), listing.page_size(_LARGE_ROWS)
        total: int | None = None
        for at, page in read_newest_first(
            lambda page_range: next(listing.read_newest(fetcher, [page_range])),
            small,
            large,
            begin_large=is_short(len(self._listed_ids()), large),
        ):
            rows = page.rows
            if at.number == 1:
                found.listed.clear()
                found.clock = found.clock or listing.clock
                found.newest = found.newest or _newest_date(rows, found.clock)
                if not self._all_compared:
                    found.full_read_reason = clocks.clock_problem(self._manifest.clock, found.clock)
            # A deletion moves all later responses, and one may be missed between two pages.
            found.is_steady &= total is None or (listing.total_count or total) >= total
            found.is_ordered &= _is_newest_first(rows, self.region.zone)
            total = listing.total_count
            new_rows = self._find_new_rows(page)
            found.new_rows += new_rows
            found.listed.append(self._listed_dates(page, at))
            is_end = len(rows) < at.size or _ends_before(rows, new_rows, horizon)
            if is_end or found.full_read_reason or not found.is_ordered:
                found.size = at.size
                break
        return found

    def _listed_dates(self, page: RawPage, at: PageRange) -> ListedDates:
        dates = [row.updated for row in page.rows if row.id not in self._expunged]
        return ListedDates((at.number - 1) * at.size, self.listing.total_count, dates)

    def _check_order(self, changes: _Changes) -> str:
        """Return how the order of the list shows a change that was missed; ``""`` if none."""
        stored, listing = StoredDates(self._index, self.region.zone), self.listing
        if not stored.any_dated:
            return ""  # there is no order to check
        if not stored.all_dated:
            return "some responses tell no date of their last change"
        listed, new_rows = list(changes.listed), []
        seen = sum(len(each.dates) for each in listed)
        small = min(changes.size, listing.page_size(_CHECK_ROWS))
        size, numbers = choose_pages(seen, len(stored), small, changes.size)
        if size == changes.size:  # some of these pages have been read
            numbers = [n for n in numbers if n > len(changes.listed)]
        pages = [PageRange(size, number) for number in numbers]
        listing.begin_stage("comparing")
        with listing.fetcher() as fetcher:
            for at, page in zip(pages, listing.read_newest(fetcher, pages), strict=True):
                new_rows += self._find_new_rows(page)
                listed.append(self._listed_dates(page, at))
        is_shown = not new_rows and all(map(stored.agree_with, listed))
        return "" if is_shown else "the order of the list shows changes that were not found"

    # -- deleted and missing responses --------------------------------------------------------

    def _match_total_count(self) -> None:
        """Find deleted or missing responses where the total count is another than the stored."""
        for _ in range(_ATTEMPTS):
            total, listed = self.listing.total_count, self._listed_ids()
            if total is None or total == len(listed):
                return
            if total > len(listed) or not self._store_deletions(listed, total):
                self._read_all()
                total = self.listing.total_count
                if total is None or total >= len(self._listed_ids()):
                    return

    def _store_deletions(self, listed: np.ndarray, total: int) -> bool:
        if not is_cheap(len(listed), len(listed) - total):
            return False
        self._change_addresses()
        self.listing.begin_stage("looking for what is gone")
        with self.listing.fetcher() as fetcher:
            found = find_deleted(self.listing, fetcher, listed, total)
        if found is None:
            return False
        self._store(list(map(parts.deleted_marker, found)))
        return True

    def _listed_ids(self) -> np.ndarray:
        """Return the stored ids that the server lists, expunged ones included."""
        return np.asarray(self._index.ids[self._index.is_listed])

    # -- storing ----------------------------------------------------------------------------

    def _find_new_rows(self, page: RawPage) -> list[RawResponse]:
        """Return the rows of a page that are new or differ from the stored version."""
        rows = [
            row if row.id not in self._expunged else parts.expunged_marker(row.id)
            for row in page.rows
        ]
        stored = self._index.is_stored(rows)
        return [row for row, known in zip(rows, stored, strict=True) if not known]

    def _store(self, rows: list[RawResponse]) -> None:
        self.listing.origin.check()
        if rows:
            parts.write_parts(self._manifest, rows, self._number)
        self._manifest.save()
        if rows:
            self._read_index()

    def _read_index(self) -> None:
        self._index = parts.read_index(self._manifest, cache=self._index_cache)

    def _finish(self, began: str) -> SyncResult:
        manifest, listing, now = self._manifest, self.listing, self._index
        before = parts.read_index(manifest, until=manifest.sync, cache=self._index_cache)
        added, changed, removed = map(len, now.compare(before))
        if added + changed:
            manifest.late = self._found_backdated
        manifest.rows = int(now.has_content.sum())
        manifest.told = listing.total_count
        listed = len(self._listed_ids())
        if self._without_id:
            self.notes.append(note_without_id(self._without_id))
        if listing.total_count not in (None, listed, listed + self._without_id):
            told = counted(listing.total_count, "response")
            are = "is" if listing.total_count == 1 else "are"
            self.notes.append(
                f"Alchemer says there {are} {told} and gave {listed:,}; some came or went "
                "meanwhile, so sync again"
            )
        manifest.syncs.append(
            {
                "number": self._number,
                "utc": began,
                "added": added,
                "changed": changed,
                "removed": removed,
                "rows": manifest.rows,
            }
        )
        manifest.save()
        compacting.compact(manifest, now)
        self.notes += tables.write_tables(manifest, listing.begin_stage)
        return SyncResult(
            manifest.survey,
            manifest.title,
            self.folder,
            manifest.rows,
            listing.total_count,
            added,
            changed,
            removed,
            listing.calls,
            began,
            tuple(self.notes),
        )


@dataclass(slots=True)
class _FullRead:
    """The state of a read of all pages.

    Attributes:
        seen: Ids that came.
        unstored: Rows to store.
        size: Their bytes.
        has_shrunk: Whether the list grew shorter during the read.
        total: The largest total count so far.
        without_id: Responses without a valid id.
    """

    seen: set[int] = field(default_factory=set)
    unstored: list[RawResponse] = field(default_factory=list)
    size: int = 0
    has_shrunk: bool = False
    total: int = 0
    without_id: int = 0

    def add(self, page: RawPage, new_rows: list[RawResponse], total_count: int | None) -> None:
        """Add a page."""
        self.seen.update(row.id for row in page.rows)
        self.unstored += new_rows
        self.size += sum(len(row.content or b"") for row in new_rows)
        self.has_shrunk |= total_count is not None and total_count < self.total
        self.total = max(self.total, total_count or 0)
        self.without_id += page.without_id

    def take_unstored(self) -> list[RawResponse]:
        """Return the rows to store, once."""
        rows, self.unstored, self.size = self.unstored, [], 0
        return rows


@dataclass(slots=True)
class _Changes:
    """The newest changes.

    Attributes:
        new_rows: Responses that are new or changed.
        listed: The dates on all pages, in their order.
        newest: The newest date that is not ahead of the server's clock.
        clock: The server's clock at the first page.
        is_steady: Whether nothing was deleted during the read.
        is_ordered: Whether the newest changes came first.
        full_read_reason: Why changes may be missing; ``""`` if none are.
        size: Rows a page, of the last page: smaller ones if the server was too slow.
    """

    new_rows: list[RawResponse] = field(default_factory=list)
    listed: list[ListedDates] = field(default_factory=list)
    newest: str | None = None
    clock: Clock | None = None
    is_steady: bool = True
    is_ordered: bool = True
    full_read_reason: str = ""
    size: int = _LARGE_ROWS


def _newest_date(rows: list[RawResponse], now: Clock | None) -> str | None:
    """Return the first date of a page that is not ahead of the server's clock."""
    dates = (row.updated for row in rows if row.updated is not None)
    return next((date for date in dates if not clocks.is_ahead(date, now)), None)


def _is_newest_first(rows: list[RawResponse], zone: ZoneInfo) -> bool:
    """Check the order of a page; a server that ignores it lists by ascending id."""
    dates = [row.updated or "" for row in rows]
    if not all(clocks.is_later(a, b, zone) for a, b in pairwise(dates)):
        return False
    is_by_id = all(a.id < b.id for a, b in pairwise(rows))
    return bool(dates and dates[0]) or len(rows) < _FIRST_ROWS // 2 or not is_by_id


def _ends_before(rows: list[RawResponse], new_rows: list[RawResponse], horizon: str | None) -> bool:
    """Check whether the last rows of a page are before the horizon, and none of them is new."""
    new = {row.id for row in new_rows}
    is_dated = horizon is not None and rows[-1].updated is not None
    has_overlap = is_dated and len(rows) > 2 * _OVERLAP_ROWS
    last = rows[-_OVERLAP_ROWS:] if has_overlap else rows[len(rows) // 2 :]
    if any(row.id in new for row in last):
        return False
    return not is_dated or (last[0].updated or "") < (horizon or "")
