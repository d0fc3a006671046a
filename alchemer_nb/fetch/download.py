"""Downloads the responses of a survey: all pages, in order, without a gap.

Responses may change while the pages are downloaded, so at the end the newest changes are read,
and all pages once more if responses are missing.

An interrupted download can be resumed. Pages are ranges of positions, so the rows of the first run
can be used only if no response before their end was deleted or moved. To check this, a part of the
last page is fetched again.
"""

from __future__ import annotations

import time
from dataclasses import InitVar, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from alchemer_nb.decode.answers import Answers, AnswersBuilder, latest_rows
from alchemer_nb.errors import ApiError, InvalidArgument
from alchemer_nb.fetch.page_fetcher import (
    SIZES,
    PageFetcher,
    PageRange,
    decode_page,
    read_newest_first,
)
from alchemer_nb.fetch.progress import Progress, ProgressReporter
from alchemer_nb.fetch.raw_pages import RawPage, join_page, split_page
from alchemer_nb.http.retries import is_transient_400
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.wire import clocks
from alchemer_nb.wire.clocks import Clock
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.paging import PAGE_SIZE, PageTotals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    import pandas as pd

    from alchemer_nb.decode.entry_types import Scalar
    from alchemer_nb.decode.pages import ResponsePage
    from alchemer_nb.fetch.raw_pages import RawResponse
    from alchemer_nb.http.reply import Reply
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.survey.definition import Definition

    ResponseKey = tuple[Scalar, Scalar]  # id and session id, which no edit changes

# Page sizes for the newest changes. Each resumed run uses another size, so the call has another
# address, and Alchemer does not answer from its cache of the last minute.
_NEWEST_ROWS, _NEWEST_SIZES = 100, 50
_SECOND_READ_ROWS = 250
_RECHECK_SIZES = 2
_MOST_NEWEST_PAGES = 50  # a survey that changes faster than it is read would never end


@dataclass(frozen=True, slots=True)
class LastPage:
    """The last page that was downloaded.

    Attributes:
        range: Which page of the list.
        keys: Keys of its responses.
    """

    range: PageRange
    keys: list[ResponseKey]

    @property
    def has_room(self) -> bool:
        """Whether newer responses may be on it by now."""
        return len(self.keys) < self.range.size

    def tail(self, resumes: int) -> tuple[PageRange, list[ResponseKey]]:
        """Return the part of the page with its last response, and the keys expected there.

        Args:
            resumes: How often the download was resumed; each time the part has another size, so
                that it is not answered from a cache.
        """
        sizes = [size for size in SIZES if size < self.range.size][:_RECHECK_SIZES]
        size = sizes[(resumes - 1) % len(sizes)] if sizes else self.range.size
        pages_before = (len(self.keys) - 1) // size
        first = (self.range.number - 1) * (self.range.size // size) + 1
        return PageRange(size, first + pages_before), self.keys[pages_before * size :]


@dataclass(slots=True)
class Download:
    """The responses of a survey that have come so far, and counts about them.

    Attributes:
        builder: Collects the answers of the pages.
        total_count: Total count of responses by the last page.
        pages: Pages received.
        total_pages: Total count of pages by the last page.
        reached_limit: Whether it ended early because enough rows had come.
        interrupted: Whether it ended early for any other reason.
        changed: Responses that came again because they had changed during the download.
        copies: Responses that were added again because they had, or may have, changed.
        has_shrunk: Whether the total count fell: responses were deleted during the download.
        last_page: The last page that came; a resumed download continues after it.
        rows_before: Responses that earlier runs had received.
        rows_of_first_run: Those of them that the first run had received.
        clock: The server's clock when the first page came.
        resumes: How often it was resumed.
        resumed_at_page: The page at which this run continued; None if all pages had come.
        restart_reason: Why the rows of earlier runs were dropped; ``""`` if they were not.
    """

    builder: AnswersBuilder
    total_count: int | None = None
    pages: int = 0
    total_pages: int | None = None
    reached_limit: bool = False
    interrupted: bool = False
    changed: int = 0
    copies: int = 0
    has_shrunk: bool = False
    last_page: LastPage | None = None
    rows_before: int = 0
    rows_of_first_run: int = 0
    clock: Clock | None = None
    resumes: int = 0
    resumed_at_page: int | None = None
    restart_reason: str = ""

    @property
    def has_gaps(self) -> bool:
        """Whether responses are missing, or may be: a deleted one can hide a missing one."""
        received = len(latest_rows(self.builder))
        return self.total_count is not None and (self.has_shrunk or received < self.total_count)

    @property
    def answers(self) -> Answers:
        """The answers received so far, which later pages do not change."""
        return self.builder.build()

    def copy(self) -> Download:
        """Return an independent copy to resume."""
        return replace(
            self,
            builder=self.builder.copy(),
            rows_before=self.builder.count,
            rows_of_first_run=self.rows_of_first_run or self.builder.count,
            resumes=self.resumes + 1,
            interrupted=False,
            restart_reason="",
        )

    def add(self, page: ResponsePage) -> None:
        """Add the responses of a page, all or none of them."""
        with delay_interrupts():
            self.builder.add(page)

    def add_newer(self, page: ResponsePage, latest: Mapping[int, int]) -> None:
        """Add those responses of a page that are missing, or newer than the ones received.

        Args:
            page: The page.
            latest: Response id -> row of its last copy.
        """
        updated, newer = self.builder.meta["date_updated"], []
        for row, (response_id, date) in enumerate(
            zip(page.fields["id"], page.fields["date_updated"], strict=True)
        ):
            number = id_number(response_id)
            if number is None:
                continue  # cannot be recognised among those received
            at = latest.get(number)
            if at is None:
                newer.append(row)
            elif str(date or "") > str(updated[at] or ""):
                newer.append(row)
                self.changed += 1
                self.copies += 1
        if newer:
            self.add(page.only(newer))

    def note_total(self, count: int | None) -> None:
        """Note the total count that the server reports now."""
        if count is not None:
            self.has_shrunk |= self.total_count is not None and count < self.total_count
            self.total_count = count


@dataclass
class Downloader:
    """A download of the responses of a survey, with its limits and callbacks.

    Attributes:
        transport: Sends the calls.
        survey: The definition; its question ids are the known columns.
        params: Filter parameters.
        earlier: A download to resume; its rows are added to.
        same_account: Whether its rows are known to be of the same account.
        has_enough: Called after each page; returns whether to stop.
        most_rows: Rows that are needed at most, None for all.
        expected_rows: Estimated rows, to send for their pages before the first one comes.
        on_progress: Called after each page, and often while waiting.
        frame: Builds a frame of the rows so far, for ``Progress``.
        calls: Options of its calls.
    """

    transport: Transport
    survey: Definition
    params: Mapping[str, Any]
    earlier: InitVar[Download | None] = None
    same_account: bool = False
    has_enough: Callable[[Download], bool] | None = None
    most_rows: int | None = None
    expected_rows: int | None = None
    on_progress: Callable[[Progress], None] | None = None
    frame: Callable[[Download], pd.DataFrame] | None = None
    calls: CallOptions = field(default_factory=CallOptions)

    def __post_init__(self, earlier: Download | None) -> None:
        self.result = earlier or Download(AnswersBuilder(self.survey))
        self._reporter = ProgressReporter(self.on_progress, self._progress)
        self._began = time.monotonic()

    def run(self) -> Download:
        """Download all responses.

        Raises:
            Stopped: ``stop`` was set; ``result`` has what came before.
            InvalidArgument: The download to resume is of another account.
            ApiError, TransportError: As for any call.
        """
        first = self._find_start()
        result = self.result
        with self._fetcher(uncached=result.resumes > 0) as fetcher:
            newest = None  # the call for the newest changes, sent together with the last pages
            expected = result.total_count or self.expected_rows
            # Pages that had become smaller may grow again; after a restart another size is meant.
            largest = 0 if result.restart_reason else PAGE_SIZE
            for page in fetcher.fetch(
                self._decode, first, largest=largest, limit=self.most_rows, expected_rows=expected
            ):
                self._add_page(page, fetcher.current)
                if self.has_enough is not None and self.has_enough(result):
                    result.reached_limit = True
                    return result
                if fetcher.all_sent and newest is None and self.most_rows is None:
                    newest = self._send_newest(fetcher)
            is_long = result.pages > 1 or result.rows_before
            if newest is None and is_long and self.most_rows is None:
                newest = self._send_newest(fetcher)  # no total showed which page was the last
            if newest is not None:
                self._add_changes(fetcher, newest)
        if newest is not None and result.has_gaps:
            with self._fetcher(fresh=result.resumes > 0) as fetcher:
                latest = latest_rows(result.builder)
                # Pages of another size: a response that was missed between two pages, as others
                # moved, is within one page now.
                for page in fetcher.fetch(self._decode, PageRange(_SECOND_READ_ROWS, 1)):
                    result.note_total(page.totals.total_count)
                    result.add_newer(page, latest)
        return result

    def _fetcher(self, *, fresh: bool = False, uncached: bool = False) -> PageFetcher:
        return PageFetcher(
            self.transport,
            self.survey.id,
            self.params,
            replace(self.calls, fresh=fresh or self.calls.fresh),
            self._reporter,
            uncached=uncached,
        )

    def _decode(self, reply: Reply) -> ResponsePage:
        self.result.clock = self.result.clock or Clock.of(reply.headers)
        return decode_page(self.result.builder.decode, reply, self.survey.id)

    def _add_page(self, page: ResponsePage, at: PageRange) -> None:
        result = self.result
        result.add(page)
        result.pages += 1
        if len(page):
            result.last_page = LastPage(at, _response_keys(page))
        result.note_total(page.totals.total_count)
        result.total_pages = page.totals.total_pages
        self._reporter.report()

    def _progress(self, status: str) -> Progress:
        result, frame = self.result, self.frame
        return Progress(
            self.survey.title,
            result.builder.count,
            result.total_count,
            result.pages,
            result.total_pages,
            state=status,
            seconds=time.monotonic() - self._began,
            before=result.rows_before,
            stop=self.calls.stop,
            frame=None if frame is None else lambda: frame(result),
        )

    # -- resuming ---------------------------------------------------------------------------

    def _find_start(self) -> PageRange | None:
        """Return the page to begin with; None if all had come.

        Raises:
            InvalidArgument: The download to resume is of another account.
        """
        result, last = self.result, self.result.last_page
        if last is None:
            return PageRange(PAGE_SIZE, 1)
        tail, expected_keys = last.tail(result.resumes)
        with self._fetcher(fresh=True) as fetcher:
            page = self._decode(fetcher.wait_for(fetcher.send(tail)))
        keys = _response_keys(page)
        if set(keys).isdisjoint(last.keys) and not self.same_account:
            raise InvalidArgument(
                f"none of the rows at hand of survey {self.survey.id} is where it was: another "
                "account, or they were deleted; run the download again"
            )
        if keys[: len(expected_keys)] != expected_keys:
            self.result = Download(
                AnswersBuilder(self.survey),
                resumes=result.resumes,
                restart_reason="responses among those at hand were deleted or moved meanwhile",
            )
            return PageRange(last.range.other_size, 1)  # caches may hold the pages as they were
        result.total_count = page.totals.total_count
        if last.has_room:
            result.add_newer(page, latest_rows(result.builder))
            result.last_page = LastPage(tail, keys)
        self._reporter.report()
        received = len(latest_rows(result.builder))
        if result.total_count is not None and received >= result.total_count:
            return None
        result.resumed_at_page = None if last.has_room else result.pages + 1
        end = tail if last.has_room else last.range
        return end.next

    # -- newest changes ---------------------------------------------------------------------

    def _send_newest(self, fetcher: PageFetcher) -> Future[Reply]:
        return fetcher.send(self._first_newest_page, newest_first=True)

    @property
    def _first_newest_page(self) -> PageRange:
        return PageRange(_NEWEST_ROWS - self.result.resumes % _NEWEST_SIZES, 1)

    def _add_changes(self, fetcher: PageFetcher, call: Future[Reply]) -> None:
        """Add responses that changed during the download; mostly one call shows that none did.

        Args:
            fetcher: Sends more calls.
            call: The first call.
        """
        first = self._first_newest_page

        def read(page: PageRange) -> RawPage:
            sent = call if page == first else fetcher.send(page, newest_first=True)
            body = fetcher.wait_for(sent).body
            try:
                return split_page(body)
            except ValueError:
                return RawPage([], PageTotals(0))

        pages = read_newest_first(read, first.size, first.size)
        try:
            for _, page in islice(pages, _MOST_NEWEST_PAGES):
                self.result.note_total(page.totals.total_count)
                if self._add_changed(page.rows):
                    return
        except ApiError as error:
            if not is_transient_400(error):  # a permanent 400: this server does not sort
                raise

    def _add_changed(self, rows: list[RawResponse]) -> bool:
        """Add new and changed responses; return whether no response after them can have changed."""
        result = self.result
        latest, updated = latest_rows(result.builder), result.builder.meta["date_updated"]

        def is_changed(row: RawResponse) -> bool:
            at = latest.get(row.id)
            return at is None or (row.updated or "") != str(updated[at] or "")

        changed = [row for row in rows if is_changed(row)]
        is_end = len(changed) < len(rows) or not rows
        added = changed
        if rows and result.rows_before:
            # An unchanged response of this run shows nothing about those of earlier runs.
            horizon, first_run = clocks.horizon(result.clock, None), result.rows_of_first_run
            is_end = any(
                (horizon is not None and (row.updated or "") < horizon)
                or (latest.get(row.id, first_run) < first_run and row not in changed)
                for row in rows
            )
            # A response without a date may have changed, even if it is stored.
            added = [row for row in rows if row in changed or not row.updated]
        if added:
            before = result.builder.count - len(latest)
            result.add(result.builder.decode(join_page(row.content for row in added)))
            result.changed += len(changed)
            result.copies += result.builder.count - len(latest_rows(result.builder)) - before
        return is_end


def _response_keys(page: ResponsePage) -> list[ResponseKey]:
    return list(zip(page.fields["id"], page.fields["session_id"], strict=True))
