"""Fetches the pages of a list of responses: many calls at once, read in order by one thread.

The server takes half a second or more for a page, so waiting for one page at a time would be slow.
Replies stay compressed until they are read; a window bounds how many there are.
"""

from __future__ import annotations

import copy
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from alchemer_nb import errors
from alchemer_nb.forks import OriginProcess
from alchemer_nb.wire.paging import PAGE_SIZE, PageTotals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alchemer_nb.fetch.progress import ProgressReporter
    from alchemer_nb.http.reply import Reply
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.http.waiting import CallOptions

# Page sizes for a slow server; each divides the one before it.
SIZES = (PAGE_SIZE, 250, 125, 25, 5, 1)
# Some servers answer large pages with a 500 at once. A server that is down does so, too: therefore
# the parts of a page are asked for one by one, and small ones are tried as often as any call.
_MOST_500S = 3
_SMALL = 25
# Not a filter by date, as date_updated has no zone
# (https://apihelp.alchemer.com/help/list-responses).
_NEWEST_FIRST = {"order_by": "-date_updated"}
_TICK = 0.1  # seconds: how soon a cancel or an interrupt is noticed


class _HasTotals(Protocol):
    totals: PageTotals


_Page = TypeVar("_Page", bound=_HasTotals)


@dataclass(frozen=True, slots=True)
class PageRange:
    """The rows of one page of a list.

    Attributes:
        size: Rows a page.
        number: Number of the page, from 1.
    """

    size: int
    number: int

    @property
    def other_size(self) -> int:
        """A size whose pages have other addresses than those of this size."""
        return SIZES[1] if self.size == SIZES[0] else SIZES[0]

    @property
    def next(self) -> PageRange:
        """The page after this one."""
        return PageRange(self.size, self.number + 1)

    @property
    def most_500s(self) -> int | None:
        """Replies with status 500 in a row after which to ask for its parts; None for never."""
        return _MOST_500S if self.size > _SMALL and self.split() else None

    def split(self) -> list[PageRange]:
        """Return the same rows as smaller pages; none if there is no smaller size."""
        parts = next((n for n in range(2, self.size + 1) if self.size % n == 0), 0)
        if not parts:
            return []
        size = self.size // parts
        first = (self.number - 1) * parts + 1
        return [PageRange(size, number) for number in range(first, first + parts)]


class PageFetcher:
    """Fetches the pages of the responses to one survey; a context manager.

    Args:
        transport: Sends the calls.
        survey_id: Survey whose responses are listed.
        params: Filters of the list.
        options: Of all calls; ``stop`` is set when the context is left by an error.
        reporter: Gets what the calls wait for, and reports while the reading thread waits.
        uncached: Read no page that Alchemer or this client has cached: fetch its parts instead.
    """

    def __init__(
        self,
        transport: Transport,
        survey_id: str,
        params: Mapping[str, Any],
        options: CallOptions,
        reporter: ProgressReporter,
        *,
        uncached: bool = False,
    ) -> None:
        self._transport = transport
        self._path = f"survey/{survey_id}/surveyresponse"
        self._params = dict(params)
        self._options = replace(options, on_wait=reporter.set_status)
        self._reporter = reporter
        self._uncached = uncached
        self._window = 2 * transport.max_in_flight  # some may be waiting to be read
        self._sent: deque[tuple[PageRange, Future[Reply] | None]] = deque()
        self._last_sent = PageRange(PAGE_SIZE, 1)  # the last page that was sent for
        self._slow_pages = 0
        self._refusal: errors.AuthenticationError | errors.PermissionDenied | None = None
        self.current = self._last_sent  # the page that was yielded last
        self.all_sent = False  # there are several pages, and the last one has been sent for
        self._pool = ThreadPoolExecutor(transport.max_in_flight, "alchemer-page")
        self._origin = OriginProcess()  # the process of the pool's threads

    def __enter__(self) -> PageFetcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._origin.is_current:
            return
        if kind is not None:
            self._options.stop.set()  # ends the calls that wait for the limit or a retry
        self._pool.shutdown(wait=False, cancel_futures=True)

    def send(self, page: PageRange, *, newest_first: bool = False) -> Future[Reply]:
        """Send for a page.

        Args:
            page: Which.
            newest_first: In the order of the last change, newest first; else by ascending id.
        """
        self._origin.check()
        query = {"resultsperpage": page.size, "page": page.number}
        order = _NEWEST_FIRST if newest_first else {}
        return self._pool.submit(self._call, {**query, **order, **self._params}, page.most_500s)

    def fetch(
        self,
        decode: Callable[[Reply], _Page],
        first: PageRange | None,
        *,
        limit: int | None = None,
        expected_rows: int | None = None,
    ) -> Iterator[_Page]:
        """Fetch page after page, and decode each when it is read.

        Args:
            decode: Decodes a reply.
            first: The page to begin with; None for no pages at all.
            limit: Rows to send for in advance, None for all of the total count.
            expected_rows: Estimated rows, to send for their pages before the first one comes.

        Yields:
            The pages, in the order of the list.

        Raises:
            Stopped: ``stop`` was set.
            ApiError, TransportError: As for any call.
        """
        if first is None:
            return
        self._submit(first)
        self._send_ahead(PageTotals(0, total_count=expected_rows), first.size, limit)
        self.all_sent = False  # only a page shows how many there are
        last: PageTotals | None = None
        seen = first.size * (first.number - 1)
        while self._sent:
            page_range, sent = self._sent.popleft()
            future = sent or self.send(page_range)
            try:
                answer = self.wait_for(future)
            except errors.TooSlow as error:
                if not page_range.split():
                    raise
                self._submit_parts(page_range, one_by_one=error.attempts > 1)
                self._slow_down(page_range)
                continue
            if self._uncached and (answer.cached or answer.cached_there) and page_range.split():
                self._submit_parts(page_range)
                continue
            if last is not None:
                self._send_ahead(last, self.current.size, limit)
            page = decode(answer)
            totals = page.totals
            del answer, future, sent  # frees the reply before the next one is waited for
            if last is not None and totals.key == last.key and totals.rows:
                return  # a list that ignores the page number, and returns the same page for ever
            last = totals
            seen += totals.rows
            self._send_ahead(totals, page_range.size, limit)
            self.current = page_range
            yield page
            if not self._sent and totals.has_more(seen):
                self._submit(self._last_sent.next)

    def wait_for(self, future: Future[Reply]) -> Reply:
        """Wait for a reply, report progress, and check for cancels and interrupts."""
        self._origin.check()
        stop = self._options.stop
        while not future.done() and not stop.is_set():
            wait([future], timeout=_TICK)
            self._reporter.report_if_due()
            self._origin.check()
        if stop.is_set():
            raise errors.Stopped
        return future.result()

    def _call(self, params: Mapping[str, Any], most_500s: int | None) -> Reply:
        if self._refusal is not None:  # the calls after it would be refused, too
            raise copy.copy(self._refusal)
        try:
            return self._transport.send(
                "GET",
                self._path,
                params,
                options=self._options,
                raise_slow=True,
                most_500s=most_500s,
            )
        except (errors.AuthenticationError, errors.PermissionDenied) as error:
            self._refusal = error
            raise
        finally:
            self._reporter.set_status("")

    def _submit(self, page: PageRange) -> None:
        self._sent.append((page, self.send(page)))
        self._last_sent = page

    def _submit_parts(self, page: PageRange, *, one_by_one: bool = False) -> None:
        """Send for the parts of a page that the server could not answer, or that was cached."""
        parts = page.split()
        first = self.send(parts[0])
        others = [(part, None if one_by_one else self.send(part)) for part in parts[1:]]
        self._sent.extendleft([*reversed(others), (parts[0], first)])
        if self._last_sent == page:
            self._last_sent = parts[-1]

    def _slow_down(self, page: PageRange) -> None:
        self._slow_pages += 1
        # One slow page may be chance; after the second one, ask for smaller pages from now on.
        if self._slow_pages > 1 and self._last_sent.size == page.size:
            self._last_sent = self._last_sent.split()[-1]

    def _send_ahead(self, totals: PageTotals, asked: int, limit: int | None) -> None:
        """Send for the next pages, as far as the window allows.

        Args:
            totals: Those of a page.
            asked: Rows that this page was asked for.
            limit: Rows to send for, None for all.
        """
        size = self._last_sent.size
        last = _count_pages(totals, asked, size)
        needed = last if limit is None else min(last, -(-limit // size))
        while self._last_sent.number < needed and len(self._sent) < self._window:
            self._submit(self._last_sent.next)
        self.all_sent = self._last_sent.number >= last > 1


def decode_page(decode: Callable[[bytes], _Page], reply: Reply, survey_id: str) -> _Page:
    """Decode a page of responses.

    Raises:
        TransportError: It is not a list of responses.
    """
    with suppress(ValueError):
        return decode(reply.body)
    raise errors.TransportError(
        f"a page of the responses of survey {survey_id} is not a list of responses"
    )


def _count_pages(totals: PageTotals, asked: int, size: int) -> int:
    """Return how many pages of a size there are by the totals, which may be too small."""
    cap = totals.per_page or size  # fewer than asked for: the server's own largest size
    by_count = -(-(totals.total_count or 0) // (min(size, cap) if cap < asked else size))
    by_pages = -(-(totals.total_pages or 0) * asked // size)
    return by_count if asked != size and by_count else max(by_pages, by_count)


def read_newest_first(
    read: Callable[[PageRange], _Page], small: int, large: int, *, begin_large: bool = False
) -> Iterator[tuple[PageRange, _Page]]:
    """Yield pages in the order of the last change; the caller stops when nothing is new.

    The first page is small, as often nothing is new. The next ones begin again at the start and
    are large, which takes less time than many small pages.

    Args:
        read: Fetches a page.
        small: Rows of the first page, and of all others where the server is slow.
        large: Rows of the others.
        begin_large: Whether the first page is large, too.

    Raises:
        TooSlow: The server is too slow for a quarter of the small size.
    """
    size, number = large if begin_large else small, 1
    while True:
        try:
            page = read(PageRange(size, number))
        except errors.TooSlow:
            if size < small:
                raise
            size = large = small if size > small else small // 4
            number = 1
            continue
        yield PageRange(size, number), page
        if size < large:
            size, number = large, 1
        else:
            number += 1
