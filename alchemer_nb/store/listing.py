"""The response list of a survey, as a sync reads it: calls, and their progress."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import TransportError
from alchemer_nb.fetch.page_fetcher import PageFetcher, PageRange, decode_page
from alchemer_nb.fetch.progress import Progress, ProgressReporter
from alchemer_nb.fetch.raw_pages import RawPage, split_page
from alchemer_nb.forks import OriginProcess
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.store.parts import LARGEST_ID
from alchemer_nb.wire.clocks import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alchemer_nb.fetch.progress import OnProgress
    from alchemer_nb.http.reply import Reply
    from alchemer_nb.http.transport import Transport

_SMALLEST = 12  # rows of a page after larger ones could not be read: one row may be the cause
_VARIANTS = 20  # page sizes that are used in turn, see ``Listing.page_size``


@dataclass(slots=True)
class _Stage:
    """A stage of a sync, for its progress.

    Attributes:
        activity: What is done, shown while no call waits.
        size: Rows a page if all pages are read; 0 if the number of pages is unknown.
        before: Pages that an earlier run had read.
        pages: Pages that came.
        rows: Rows that came.
        began: When it began, in seconds of the monotonic clock.
    """

    activity: str = ""
    size: int = 0
    before: int = 0
    pages: int = 0
    rows: int = 0
    began: float = field(default_factory=time.monotonic)


@dataclass
class Listing:
    """The response list of one survey.

    Attributes:
        transport: Sends the calls.
        survey: Id.
        options: Options of its calls; of all methods, only ``read_all`` may use the cache.
        on_progress: Called after each page, and often while waiting.
        title: Title, for ``on_progress``.
        calls: Calls that were made.
        total_count: Total count of responses by the last page.
        clock: The server's clock at the last page.
        variant: Number of the set of page sizes, see ``page_size``.
        too_large: Rows of the smallest page that was too large to be read; 0 for none.
        is_comparison: Whether it is read to compare a store, not to change it.
    """

    transport: Transport
    survey: str
    options: CallOptions = field(default_factory=CallOptions)
    on_progress: OnProgress | None = None
    title: str = ""
    calls: int = 0
    total_count: int | None = None
    clock: Clock | None = None
    variant: int = 0
    too_large: int = 0
    is_comparison: bool = False

    def __post_init__(self) -> None:
        self.origin = OriginProcess()
        self._stage = _Stage()
        self._reporter = ProgressReporter(self.on_progress, self._progress)

    def begin_stage(self, activity: str = "", size: int = 0, before: int = 0) -> None:
        """Begin the next stage of the sync, and report it.

        Args:
            activity: What is being done, in a few words.
            size: Rows a page if all pages are read.
            before: Pages that an earlier run had read.

        Raises:
            Stopped: ``stop`` was set.
        """
        self.options.check()
        self._stage = _Stage(activity, size, before)
        self._reporter.report()

    def report_wait(self, status: str) -> None:
        """Report what a call of this thread waits for; ``""`` for nothing."""
        self._reporter.set_status(status)
        self._reporter.report()

    def fetcher(self, *, fresh: bool = True, uncached: bool = False) -> PageFetcher:
        """Return a fetcher of pages; with ``fresh`` or ``uncached`` it uses no cached page."""
        return PageFetcher(
            self.transport,
            self.survey,
            {},
            replace(self.options, fresh=fresh),
            self._reporter,
            uncached=uncached,
        )

    def page_size(self, largest: int, step: int = 1) -> int:
        """Return a page size near the largest one, which depends on ``variant``.

        Another size makes another address, so Alchemer cannot answer from its cache. For the same
        address a sync would have to wait until that cache has dropped it. Pages as large as one
        that could not be read are not asked for again.
        """
        if 0 < self.too_large <= largest:
            largest = max(_SMALLEST, self.too_large // 2)
        return largest - min(step * (self.variant % _VARIANTS), largest // 2)

    def read_all(
        self, first: PageRange, activity: str = "", *, uncached: bool = False
    ) -> Iterator[tuple[PageRange, RawPage]]:
        """Yield all pages by ascending id, from the given one on.

        Args:
            first: The first page.
            activity: What is being done, in a few words.
            uncached: Ask for parts of a page that is cached, in place of the page.
        """
        self.begin_stage(activity, size=first.size, before=first.number - 1)
        with self.fetcher(fresh=self.options.fresh, uncached=uncached) as fetcher:
            for page in fetcher.fetch(self._read, first):
                self._note_too_large(fetcher.too_large)
                yield fetcher.current, page

    def read_newest(self, fetcher: PageFetcher, pages: Sequence[PageRange]) -> Iterator[RawPage]:
        """Yield pages of the list in order of the last change; the calls are sent at once."""
        for page, sent in [(page, fetcher.send(page, newest_first=True)) for page in pages]:
            try:
                found = self._read(fetcher.wait_for(sent))
            except TransportError as error:
                if error.reason == "large":
                    self._note_too_large(page.size)
                raise
            yield found

    def read_ids_at(
        self, fetcher: PageFetcher, positions: Sequence[int], cache: dict[int, RawPage]
    ) -> list[int | None]:
        """Return the ids at some positions of the list by ascending id, from 0.

        Args:
            fetcher: Sends the calls.
            positions: Which; None is returned for those behind the end.
            cache: Page number -> page, for the next call with the same dict.
        """
        size = 1 + self.variant % _VARIANTS
        numbers = {position // size + 1 for position in positions} - cache.keys()
        sent = {number: fetcher.send(PageRange(size, number)) for number in sorted(numbers)}
        for number, call in sent.items():
            cache[number] = self._read(fetcher.wait_for(call))
        found = [cache[p // size + 1].rows[p % size :][:1] for p in positions]
        return [rows[0].id if rows else None for rows in found]

    def _note_too_large(self, rows: int) -> None:
        self.too_large = min(filter(None, (self.too_large, rows)), default=0)

    def _read(self, reply: Reply) -> RawPage:
        self.calls += not reply.cached
        page = decode_page(split_page, reply, self.survey)
        page.rows = [row for row in page.rows if row.id <= LARGEST_ID]
        stage = self._stage
        if stage.activity or stage.size:  # the single calls before the first stage do not count
            stage.rows += len(page.rows)
            stage.pages += 1
        self.total_count = page.totals.total_count
        self.clock = Clock.of(reply.headers)
        self._reporter.report()
        return page

    def _progress(self, status: str) -> Progress:
        stage = self._stage
        before, pages = stage.before * stage.size, stage.before + stage.pages
        total = self.total_count if stage.size else None
        return Progress(
            self.title,
            before + stage.rows,
            total,
            pages,
            None if total is None else max(pages, math.ceil(total / stage.size)),
            state=status or stage.activity,
            seconds=time.monotonic() - stage.began,
            stop=self.options.stop,
            before=before,
            kept=True,
            comparing=self.is_comparison,
        )
