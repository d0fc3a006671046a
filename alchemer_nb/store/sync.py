"""Brings a store up to date: what is new, what changed, what is gone.

The first time goes through all pages by ascending id and keeps what it has every few pages, so
that a run that was ended goes on where it was. From then on the newest changes are read first,
back to where the last sync began (see ``clocks``). What is gone shows in the count. Then the order
of the list is to bear out that this was all (see ``proof``); where it does not, and where a clock
was set back or dates are missing, all pages are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.errors import TooSlow
from alchemer_nb.fetch.download import definition
from alchemer_nb.store import compacting, expunging, find_deleted, opening, parts, paths, tables
from alchemer_nb.store.manifest import Manifest, Unfinished, load_expunged
from alchemer_nb.store.parts import Raw, RawPage, expunged, gone
from alchemer_nb.store.proof import Order, Piece, is_short, pages_to_see
from alchemer_nb.store.sync_result import Synced
from alchemer_nb.wire import clocks
from alchemer_nb.wire.paging import PAGE_SIZE

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import pyarrow as pa

    from alchemer_nb.fetch.prefetch import Engine
    from alchemer_nb.http.regions import Region
    from alchemer_nb.store.listing import Listing
    from alchemer_nb.store.parts import Index
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.wire.clocks import Clock

_HEAD, _SOME, _FEW, _MANY = 20, 30, 100, 500  # rows of a page
_RUN = 40  # rows before the horizon that are looked at, in case some changed nevertheless
_STEP = 4  # between sizes of pages; such numbers can be halved where the server is slow
_KEEP_ROWS = 5000  # of a long walk, kept each time; what a killed run loses at most
_KEEP_BYTES = 64 << 20
_LATE = "some changes are dated earlier than they were made"
_TRIES = 3


@dataclass
class Sync:
    """One sync of one survey.

    Attributes:
        folder: The survey's.
        listing: Asks for responses.
        region: Of the account.
        full: Whether all responses are compared, not only those that changed lately.
    """

    folder: Path
    listing: Listing
    region: Region
    full: bool = False
    notes: list[str] = field(default_factory=list)

    def run(self) -> Synced:
        """Syncs.

        Raises:
            StoreBusy: Another notebook is at work on it.
            StoreError: The disk refuses.
            Stopped: ``stop`` was set; what came before is kept.
            ApiError, TransportError: As for any call; what came before is kept.
        """
        listing = self.listing
        listing.begin()
        began = datetime.now(UTC).isoformat(timespec="seconds")
        # First of all: of a survey that there is not, nothing is made here.
        options = replace(listing.options, on_wait=listing.waiting, fresh=False)
        survey = definition(listing.transport, listing.survey, options)
        listing.waiting("")
        paths.make(self.folder)
        with paths.locked(self.folder):
            for _ in range(_TRIES):
                manifest = opening.opened(self.folder, listing.survey)
                try:
                    return self._run(manifest, survey, began)
                except parts.Damaged as damaged:
                    number = damaged.number
                opening.drop(self.folder, manifest, number)
            return self._run(manifest, survey, began)

    def _run(self, manifest: Manifest, survey: Definition, began: str) -> Synced:
        self._manifest = manifest
        self._number = manifest.sync + 1
        self._take_turn()
        self._compared = self._is_late = False
        self._skip = load_expunged(self.folder)
        if self._skip:
            expunging.finish(self.folder, manifest)
        self._known_keys: dict[int, pa.Table] = {}
        self._read_index()
        self._prepare(survey)
        if manifest.doubtful:
            self._note(manifest.doubtful)
        elif manifest.late and not self.full:
            self._note(_LATE)
        if self._whole():
            self._walk()
        self._follow()
        return self._finish(began)

    def _take_turn(self) -> None:
        """Has the next calls bear addresses that neither this run nor one before it used."""
        self.listing.turn = self._manifest.turn
        self._manifest.turn += 1
        self._manifest.save(self.folder)  # so that the next run knows, however this one ends

    def _prepare(self, survey: Definition) -> None:
        manifest = self._manifest
        self.listing.title = survey.title
        manifest.title, manifest.region = survey.title, self.region.name
        manifest.zone = str(self.region.zone)
        if opening.keep_definition(self.folder, manifest, survey) and len(manifest.definitions) > 1:
            self.notes.append("the survey's definition has changed")
        manifest.save(self.folder)

    def _whole(self) -> bool:
        """Whether all pages are to be read."""
        manifest = self._manifest
        return bool(
            self.full
            or not manifest.complete
            or manifest.doubtful
            or manifest.late
            or manifest.unfinished is not None
        )

    def _note(self, why: str) -> None:
        self.notes.append(f"{why}; all responses were compared with Alchemer's")

    # -- all pages --------------------------------------------------------------------------

    def _walk(self) -> None:
        """Reads all pages by ascending id, or goes on where the last run was ended.

        A response that is deleted meanwhile moves all behind it up, and as many fall between two
        pages, so that the count is right and the rows are not: then all is read once more.
        """
        for _ in range(_TRIES):
            if self._is_walked():
                return

    def _begin_walk(self) -> Unfinished:
        """Notes that all pages are to be read, whatever ends this run."""
        with self.listing.engine() as engine:
            page = self.listing.newest(engine, self.listing.size(_HEAD), 1)
        clock = self.listing.clock
        size = self.listing.size(PAGE_SIZE, _STEP)
        state = Unfinished(0, size, _newest(page.rows, clock), clock)
        self._manifest.unfinished = state
        self.full = False
        return state

    def _is_walked(self) -> bool:
        manifest, listing = self._manifest, self.listing
        begun = None if self.full else manifest.unfinished
        state = begun or self._begin_walk()
        first = max(1, state.pages)  # the last one once more: it may have been short
        if state.pages:
            self.notes.append(f"went on at page {first:,}, where the last run was ended")
        horizon = clocks.horizon(manifest.clock, manifest.watermark) if manifest.clock else None
        walk = _Walk()
        try:
            for number, page in enumerate(listing.walk(first, state.size), first):
                news = self._news(page)
                walk.add(page, news, listing.told)
                self._judge(news, horizon)
                state.pages = number
                if len(walk.waiting) >= _KEEP_ROWS or walk.size >= _KEEP_BYTES:
                    self._keep(walk.taken())
        except BaseException:  # stopped, interrupted or broken off: what came is kept
            self._keep(walk.taken())
            raise
        if first == 1 and not walk.shrank and listing.told == len(walk.seen):
            walk.waiting += [gone(own) for own in self._known().tolist() if own not in walk.seen]
        manifest.unfinished = None
        manifest.doubtful = "the list grew shorter while it was read" if walk.shrank else ""
        manifest.watermark, manifest.clock = state.watermark, state.clock
        self._compared = first == 1 and not walk.shrank
        self._keep(walk.taken())
        self._take_turn()
        return not walk.shrank

    def _judge(self, news: list[Raw], horizon: str | None) -> bool:
        """Notes it where something changed with a stamp that lies before the horizon."""
        is_late = any(row.updated and row.updated < (horizon or "") for row in news)
        if is_late:
            self._is_late = self._manifest.late = True
        return is_late

    # -- what changed -----------------------------------------------------------------------

    def _follow(self) -> None:
        """Reads what changed lately; all, where that cannot be shown to be everything."""
        for _ in range(_TRIES):
            why = self._read_lately()
            if not why:
                return
            self._note(why)
            self._walk()
        self._settle()

    def _read_lately(self) -> str:
        """Reads what changed lately.

        Returns:
            Why that may not be everything; ``""`` where it is.
        """
        why = ""
        for _ in range(2):  # a change meanwhile moves all that follow it: looked at once more
            changes = self._catch_up()
            if changes.doubt:
                return changes.doubt
            self._settle()
            why = "" if self._compared else self._disproof(changes)
            if not why:
                self._manifest.watermark, self._manifest.clock = changes.newest, changes.clock
                return ""
            self._take_turn()
        self._begin_walk()
        return why

    def _catch_up(self) -> _Changes:
        """Reads the newest changes, back to where the last sync read them."""
        manifest, listing = self._manifest, self.listing
        listing.begin("looking for changes")
        horizon = clocks.horizon(manifest.clock, manifest.watermark)
        for _ in range(_TRIES):
            with listing.engine() as engine:
                changes = self._changes(engine, horizon)
            changes.doubt = self._doubt(changes, horizon)
            if changes.doubt:
                self._begin_walk()
            self._keep(changes.news)
            if changes.is_steady or changes.doubt:
                break
            self._take_turn()
        return changes

    def _doubt(self, changes: _Changes, horizon: str | None) -> str:
        """Why what was read may not be all that changed."""
        if changes.doubt:
            return changes.doubt
        if not changes.is_ordered:
            return "" if self._compared else "Alchemer did not give the newest changes first"
        return _LATE if self._judge(changes.news, horizon) else ""

    def _changes(self, engine: Engine, horizon: str | None) -> _Changes:
        """What changed since a stamp.

        The end is a page whose last rows lie before it and are known. Where responses carry no
        ``date_updated``, half a page without news is the end.
        """
        found, listing = _Changes(), self.listing
        few, many = listing.size(_FEW), listing.size(_MANY)
        size, most, number, told = few, many, 1, None
        if is_short(len(self._known()), many):
            size = many
        while True:
            try:
                page = listing.newest(engine, size, number)
            except TooSlow:
                if size < few:
                    raise
                size = most = few if size > few else few // 4
                number = 1
                continue
            rows = page.rows
            if number == 1:
                found.pieces.clear()
                found.clock = found.clock or listing.clock
                found.newest = found.newest or _newest(rows, found.clock)
                if not self._compared:
                    found.doubt = clocks.doubt(self._manifest.clock, found.clock)
            # A row that was deleted moves those behind it up, and one may fall between two pages.
            found.is_steady &= told is None or (listing.told or told) >= told
            found.is_ordered &= _is_newest_first(rows, self.region.zone)
            told = listing.told
            news = self._news(page)
            found.news += news
            found.pieces.append(Piece.of(rows, (number - 1) * size, told, self._skip))
            is_end = len(rows) < size or _is_past(rows, news, horizon)
            if is_end or found.doubt or not found.is_ordered:
                found.size = size
                return found
            if size < most:
                size = most  # and once more from the start, which costs less than small pages
            else:
                number += 1

    def _disproof(self, changes: _Changes) -> str:
        """Why the list shows that something changed unseen; ``""`` where it does not."""
        order, listing = Order(self._index, self.region.zone), self.listing
        if not order.is_dated:
            return ""  # nothing to tell by
        if not order.is_whole:
            return "some responses tell no date of their last change"
        pieces, news = list(changes.pieces), []
        seen = sum(len(piece.stamps) for piece in pieces)
        small = min(changes.size, listing.size(_SOME))
        size, numbers = pages_to_see(seen, len(order), small, changes.size)
        if size == changes.size:  # those that were read are known
            numbers = [n for n in numbers if n > len(changes.pieces)]
        listing.begin("comparing")
        with listing.engine() as engine:
            for number, page in zip(
                numbers, listing.newest_pages(engine, size, numbers), strict=True
            ):
                news += self._news(page)
                pieces.append(Piece.of(page.rows, (number - 1) * size, listing.told, self._skip))
        is_shown = not news and all(map(order.fits, pieces))
        return "" if is_shown else "the order of the list shows changes that were not found"

    # -- what is gone, and what is missing ------------------------------------------------------

    def _settle(self) -> None:
        """Compares the count, and finds out what is gone or missing."""
        for _ in range(_TRIES):
            told = self.listing.told
            known = self._known()
            if told is None or told == len(known):
                return
            if told > len(known) or not self._find_gone(known, told):
                self._walk()
                known = self._known()
                if self.listing.told is None or self.listing.told >= len(known):
                    return

    def _find_gone(self, known: np.ndarray, told: int) -> bool:
        if not find_deleted.is_cheap(len(known), len(known) - told):
            return False
        self._take_turn()
        self.listing.begin("looking for what is gone")
        with self.listing.engine() as engine:
            found = find_deleted.find(self.listing, engine, known, told)
        if found is None:
            return False
        self._keep([gone(own) for own in found])
        return True

    def _known(self) -> np.ndarray:
        """Ids that the server has, too, as far as is known; those skipped here among them."""
        return np.asarray(self._index.ids[self._index.alive])

    # -- keeping ------------------------------------------------------------------------------

    def _news(self, page: RawPage) -> list[Raw]:
        """Rows of a page that are not stored as they came."""
        rows = [row if row.id not in self._skip else expunged(row.id) for row in page.rows]
        same = self._index.is_same(rows)
        return [row for row, known in zip(rows, same, strict=True) if not known]

    def _keep(self, rows: list[Raw]) -> None:
        self.listing.home.check()
        if rows:
            parts.write(self.folder, self._manifest, rows, self._number)
        self._manifest.save(self.folder)
        if rows:
            self._read_index()

    def _read_index(self) -> None:
        self._index = parts.index(self.folder, self._manifest, known=self._known_keys)

    def _finish(self, began: str) -> Synced:
        manifest, listing = self._manifest, self.listing
        now = self._index
        before = parts.index(self.folder, manifest, until=manifest.sync, known=self._known_keys)
        added, changed, removed = compare(before, now)
        if len(added) + len(changed):
            manifest.late = self._is_late
        manifest.rows = int(now.here.sum())
        manifest.told = listing.told
        known = len(self._known())
        if listing.told is not None and listing.told != known:
            self.notes.append(
                f"Alchemer says there are {listing.told:,} responses and gave {known:,}; some came "
                "or went meanwhile, so sync again"
            )
        counts = (len(added), len(changed), len(removed))
        manifest.syncs.append(opening.record(self._number, began, *counts, manifest.rows))
        manifest.save(self.folder)
        compacting.compact(self.folder, manifest, now)
        tables.make_all(self.folder, manifest, listing.begin)
        return Synced(
            manifest.survey,
            manifest.title,
            self.folder,
            manifest.rows,
            listing.told,
            *counts,
            listing.calls,
            began,
            tuple(self.notes),
        )


def compare(before: Index, now: Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids that were added, changed and removed between two states."""
    at = before.find(now.ids)
    was = np.zeros(len(now.ids), dtype=bool)
    was[at >= 0] = before.here[at[at >= 0]]
    other = np.ones(len(now.ids), dtype=bool)
    other[at >= 0] = before.version[at[at >= 0]] != now.version[at >= 0]
    here, lost = now.here, now.digest == parts.GONE
    return now.ids[here & ~was], now.ids[here & was & other], now.ids[lost & was]


@dataclass(slots=True)
class _Walk:
    """What a walk through all pages has brought so far.

    Attributes:
        seen: Ids that came.
        waiting: Rows to keep.
        size: Their bytes.
        shrank: Whether the list grew shorter meanwhile.
    """

    seen: set[int] = field(default_factory=set)
    waiting: list[Raw] = field(default_factory=list)
    size: int = 0
    shrank: bool = False
    _told: int = 0

    def add(self, page: RawPage, news: list[Raw], told: int | None) -> None:
        """Takes a page in."""
        self.seen.update(row.id for row in page.rows)
        self.waiting += news
        self.size += sum(len(row.content or b"") for row in news)
        self.shrank |= told is not None and told < self._told
        self._told = max(self._told, told or 0)

    def taken(self) -> list[Raw]:
        """The rows to keep, once."""
        rows, self.waiting, self.size = self.waiting, [], 0
        return rows


@dataclass(slots=True)
class _Changes:
    """What was found among the newest changes.

    Attributes:
        news: Responses that are new or changed.
        pieces: All that was read, in its order.
        newest: The newest stamp that does not lie ahead.
        clock: When the first page came.
        is_steady: Whether nothing was deleted meanwhile.
        is_ordered: Whether the newest came first.
        doubt: Why that may not be all that changed.
        size: Rows a page, as the server could give them.
    """

    news: list[Raw] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    newest: str | None = None
    clock: Clock | None = None
    is_steady: bool = True
    is_ordered: bool = True
    doubt: str = ""
    size: int = _MANY


def _newest(rows: list[Raw], now: Clock | None) -> str | None:
    """The newest stamp of a page that does not lie ahead."""
    stamps = (row.updated for row in rows if row.updated is not None)
    return next((stamp for stamp in stamps if not clocks.is_ahead(stamp, now)), None)


def _is_newest_first(rows: list[Raw], zone: ZoneInfo) -> bool:
    """Whether a page is in the order that was asked for; one that ignores it is in that of ids."""
    stamps = [row.updated or "" for row in rows]
    falls = all(clocks.is_later(a, b, zone) for a, b in pairwise(stamps))
    return falls and (bool(stamps and stamps[0]) or len(rows) < _FEW // 2 or not _rises(rows))


def _is_past(rows: list[Raw], news: list[Raw], horizon: str | None) -> bool:
    """Whether a page ends with rows that lie before the horizon, all of them known."""
    new = {row.id for row in news}
    is_dated = horizon is not None and rows[-1].updated is not None
    last = rows[-_RUN:] if is_dated and len(rows) > 2 * _RUN else rows[len(rows) // 2 :]
    if any(row.id in new for row in last):
        return False
    return not is_dated or (last[0].updated or "") < (horizon or "")


def _rises(rows: list[Raw]) -> bool:
    return all(a.id < b.id for a, b in pairwise(rows))
