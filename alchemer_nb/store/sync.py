"""Brings a store up to date: what is new, what changed, what is gone.

The first time goes through all pages by ascending id and keeps what it has every few pages, so
that a run that was ended goes on where it was. From then on the newest changes are read first,
back to a little before the newest change of the last time: that needs no clock and no zone, which
``date_updated`` does not tell (https://apihelp.alchemer.com/help/list-responses). What is gone
shows in the count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.download import definition
from alchemer_nb.errors import TooSlow
from alchemer_nb.paging import PAGE_SIZE
from alchemer_nb.store import compacting, expunging, opening, parts, place, tables, vanished
from alchemer_nb.store.manifest import Manifest, Unfinished, load_expunged
from alchemer_nb.store.parts import Raw, RawPage, expunged, gone
from alchemer_nb.store.synced import Synced

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import pyarrow as pa

    from alchemer_nb.definition import Survey
    from alchemer_nb.engine import Engine
    from alchemer_nb.regions import Region
    from alchemer_nb.store.listing import Listing
    from alchemer_nb.store.parts import Index

_FEW, _MANY = 100, 500
_TURNS = 20
_CUT_ELSEWHERE = 250
_KEEP_ROWS = 5000  # of a long walk, kept each time; what a killed run loses at most
_KEEP_BYTES = 64 << 20
# New responses can take five minutes to become visible: /help/surveyresponse-sub-object-v5.
_OVERLAP = timedelta(minutes=10)
_HOUR = timedelta(hours=1)  # that occurs twice when summer ends
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
        survey = definition(
            listing.transport, listing.survey, stop=listing.stop, tell=listing.waiting
        )
        listing.waiting("")
        place.make(self.folder)
        with place.locked(self.folder):
            for _ in range(_TRIES):
                manifest = opening.opened(self.folder, listing.survey)
                try:
                    return self._run(manifest, survey, began)
                except parts.Damaged as damaged:
                    number = damaged.number
                opening.drop(self.folder, manifest, number)
            return self._run(manifest, survey, began)

    def _run(self, manifest: Manifest, survey: Survey, began: str) -> Synced:
        self._manifest = manifest
        self._number = manifest.sync + 1
        self._skip = load_expunged(self.folder)
        if self._skip:
            expunging.finish(self.folder, manifest)
        self._known_keys: dict[int, pa.Table] = {}
        self._read_index()
        self._prepare(survey)
        if manifest.doubtful:
            self.notes.append(f"{manifest.doubtful}; all responses were compared with Alchemer's")
        if self._whole():
            self._walk()
        if not self._catch_up():
            self._walk()
        self._settle()
        return self._finish(began)

    def _prepare(self, survey: Survey) -> None:
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
            or manifest.unfinished is not None
        )

    # -- all pages --------------------------------------------------------------------------

    def _walk(self, per_page: int = PAGE_SIZE) -> None:
        """Reads all pages by ascending id, or goes on where the last run was ended.

        A response that is deleted meanwhile moves all behind it up, and as many fall between two
        pages, so that the count is right and the rows are not: then all is read once more.
        """
        for _ in range(_TRIES):
            if self._is_walked(per_page):
                return
            per_page = PAGE_SIZE if per_page == _CUT_ELSEWHERE else _CUT_ELSEWHERE

    def _is_walked(self, per_page: int) -> bool:
        manifest, listing = self._manifest, self.listing
        if manifest.unfinished is None or self.full:
            manifest.unfinished = Unfinished(0, per_page, self._newest_change())
            self.full = False
        state = manifest.unfinished
        first = max(1, state.pages)  # the last one once more: it may have been short
        if state.pages:
            self.notes.append(f"went on at page {first:,}, where the last run was ended")
        walk = _Walk()
        try:
            for number, page in enumerate(listing.walk(first, state.size), first):
                walk.add(page, self._news(page), listing.told)
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
        manifest.watermark = state.watermark
        self._keep(walk.taken())
        return not walk.shrank

    def _newest_change(self) -> str | None:
        with self.listing.engine() as engine:
            page = self.listing.newest(engine, 1, 1)
        return page.rows[0].updated if page.rows else None

    # -- what changed -----------------------------------------------------------------------

    def _catch_up(self) -> bool:
        """Reads the newest changes, back to a little before those of the last time.

        Returns:
            Whether the server gave the newest first, as asked.
        """
        manifest = self._manifest
        self.listing.begin("looking for changes")
        for _ in range(_TRIES):
            with self.listing.engine() as engine:
                changes = self._changes(engine, _before(manifest.watermark, self.region.zone))
            self._keep(changes.news)
            if changes.is_steady or not changes.is_ordered:
                break
        if changes.newest is not None:
            manifest.watermark = max(changes.newest, manifest.watermark or "")
        return changes.is_ordered

    def _changes(self, engine: Engine, horizon: str | None) -> _Changes:
        """What changed since a stamp.

        Where responses carry no ``date_updated``, half a page without news is the end.
        """
        found = _Changes()
        # Another size each time is another address, which no cache of the last minute knows.
        few, many = _FEW - self._number % _TURNS, _MANY - self._number % _TURNS
        size, most, number, told = few, many, 1, None
        while True:
            try:
                page = self.listing.newest(engine, size, number)
            except TooSlow:
                if size < few:
                    raise
                size = most = few if size > few else few // 4
                number = 1
                continue
            rows = page.rows
            found.newest = found.newest or (rows[0].updated if rows else None)
            # A row that was deleted moves those behind it up, and one may fall between two pages.
            found.is_steady &= told is None or (self.listing.told or told) >= told
            found.is_ordered &= _is_newest_first(rows)
            told = self.listing.told
            news = self._news(page)
            found.news += news
            last = rows[-1].updated if rows else None
            is_past = last < horizon if last and horizon else _is_quiet(news, rows)
            if len(rows) < size or is_past or not found.is_ordered:
                return found
            if size < most:
                size = most  # and once more from the start, which costs less than small pages
            else:
                number += 1

    # -- what is gone, and what is missing ------------------------------------------------------

    def _settle(self) -> None:
        """Compares the count, and finds out what is gone or missing."""
        for _ in range(_TRIES):
            told = self.listing.told
            known = self._known()
            if told is None or told == len(known):
                return
            if told > len(known) or not self._find_gone(known, told):
                self._walk(_CUT_ELSEWHERE)
                known = self._known()
                if self.listing.told is None or self.listing.told >= len(known):
                    return

    def _find_gone(self, known: np.ndarray, told: int) -> bool:
        if not vanished.is_cheap(len(known), len(known) - told):
            return False
        self.listing.begin("looking for what is gone")
        with self.listing.engine() as engine:
            found = vanished.find(self.listing, engine, known, told)
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
        newest: The newest stamp.
        is_steady: Whether nothing was deleted meanwhile.
        is_ordered: Whether the newest came first.
    """

    news: list[Raw] = field(default_factory=list)
    newest: str | None = None
    is_steady: bool = True
    is_ordered: bool = True


def _is_newest_first(rows: list[Raw]) -> bool:
    """Whether a page is in the order that was asked for; one that ignores it is in that of ids."""
    stamps = [row.updated or "" for row in rows]
    falls = all(a >= b for a, b in pairwise(stamps))
    return falls and (bool(stamps and stamps[0]) or len(rows) < _FEW // 2 or not _rises(rows))


def _is_quiet(news: list[Raw], rows: list[Raw]) -> bool:
    """Whether nothing is new in the second half of a page."""
    new = {row.id for row in news}
    return not any(row.id in new for row in rows[len(rows) // 2 :])


def _rises(rows: list[Raw]) -> bool:
    return all(a.id < b.id for a, b in pairwise(rows))


def _before(watermark: str | None, zone: ZoneInfo) -> str | None:
    """The stamp, a little earlier, in the same wall-clock time."""
    if watermark is None:
        return None
    try:
        stamp = datetime.strptime(watermark[:19], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return ""  # whatever it is, everything is read
    early, late = stamp - 2 * _HOUR, stamp + 2 * _HOUR
    moves = early.replace(tzinfo=zone).utcoffset() != late.replace(tzinfo=zone).utcoffset()
    return str(stamp - _OVERLAP - (_HOUR if moves else timedelta()))
