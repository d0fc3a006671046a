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
from alchemer_nb.fetch.raw_pages import has_too_many_rows
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
# the parts of a page are asked for one by one, and all sizes share the attempts of one call.
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

    def split(self) -> list[PageRange]:
        """Return the same rows as smaller pages; none if there is no smaller size."""
        parts = next((n for n in range(2, self.size + 1) if self.size % n == 0), 0)
        if not parts:
            return []
        size = self.size // parts
        first = (self.number - 1) * parts + 1
        return [PageRange(size, number) for number in range(first, first + parts)]


class PageSizes:
    """The sizes of the pages of one list: smaller where the server fails, and larger again later.

    After a failure at once (a 500), one larger page is tried when the smaller ones have come as far
    as its first row. Each time it fails, twice as many rows have to come before the next trial.

    Args:
        size: Rows of the first page.
        largest: Rows of the largest page.

    Attributes:
        attempts: Calls for the rows that are due that failed at once.
    """

    def __init__(self, size: int, largest: int) -> None:
        self._size, self._largest = size, largest
        self._trial: PageRange | None = None  # a larger page that has been sent for
        self._rows = self._rows_to_try = 0  # that came since a failure, and that have to come
        self._failures = 0
        self.attempts = 0

    def after(self, last: PageRange) -> PageRange:
        """Return the page after one."""
        start = last.size * last.number
        sizes = _smaller_sizes(self._largest)
        may_try = self._trial is None and self._rows and self._rows >= self._rows_to_try
        if may_try and self._size < self._largest:
            larger = min(size for size in sizes if size > self._size)
            if start % larger == 0:
                return PageRange(larger, start // larger + 1)
        fitting = (size for size in sizes if size <= self._size and start % size == 0)
        size = max(fitting, default=last.size)
        return PageRange(size, start // size + 1)

    def most_500s(self, page: PageRange) -> int | None:
        """Return after how many replies with 500 to ask for the parts of a page; None for never."""
        if page.size <= _SMALL or not page.split():
            return None
        return 1 if self.attempts or page.size > self._size else _MOST_500S

    def note_sent(self, page: PageRange) -> None:
        """Note that a page of ``after`` is sent for."""
        if page.size > self._size:
            self._trial = page

    def note_failure(self, page: PageRange, attempts: int) -> bool:
        """Note a page that the server could not answer.

        Args:
            page: The page.
            attempts: Calls for its rows that failed; one if the server was too slow for it.

        Returns:
            Whether it failed at once.
        """
        is_at_once = attempts > 1 or page == self._trial
        self._rows = 0
        self.attempts = attempts if is_at_once else 0
        if page == self._trial:
            self._trial = None
            self._rows_to_try = 2 * max(self._rows_to_try, page.size)
            return is_at_once
        self._failures += 1
        # One slow page may be chance; after the second one, ask for smaller pages.
        if self._failures > 1 and self._size >= page.size:
            self._size = page.split()[0].size
            self._largest = self._largest if is_at_once else self._size
        return is_at_once

    def note_success(self, page: PageRange) -> None:
        """Note a page that came."""
        self.attempts = 0
        self._rows += page.size
        self._size = max(self._size, min(page.size, self._largest))
        if page == self._trial:
            self._trial = None


def _smaller_sizes(size: int) -> list[int]:
    """Return a size, and those that its pages are split into."""
    sizes = [size]
    while parts := PageRange(sizes[-1], 1).split():
        sizes.append(parts[0].size)
    return sizes


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
        self._sizes = PageSizes(PAGE_SIZE, PAGE_SIZE)
        self._refusal: errors.AuthenticationError | errors.PermissionDenied | None = None
        self.too_large = 0  # rows of the smallest page of ``fetch`` that could not be read
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
        most, failed = self._sizes.most_500s(page), self._sizes.attempts
        return self._pool.submit(self._call, {**query, **order, **self._params}, most, failed)

    def fetch(
        self,
        decode: Callable[[Reply], _Page],
        first: PageRange | None,
        *,
        largest: int = 0,
        limit: int | None = None,
        expected_rows: int | None = None,
    ) -> Iterator[_Page]:
        """Fetch page after page, and decode each when it is read.

        Args:
            decode: Decodes a reply.
            first: The page to begin with; None for no pages at all.
            largest: Rows of the largest pages, if the first one is smaller.
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
        self._sizes = PageSizes(first.size, max(first.size, largest))
        self._submit(first)
        self._send_ahead(PageTotals(0, total_count=expected_rows), first.size, limit)
        self.all_sent = False  # only a page shows how many there are
        last: PageTotals | None = None
        seen = first.size * (first.number - 1)
        while self._sent:
            page_range, sent = self._sent.popleft()
            future = sent or self.send(page_range)
            try:
                reply = self.wait_for(future)
                self._sizes.note_success(page_range)
                if self._is_unwanted_copy(reply) and page_range.split():
                    self._submit_parts(page_range)
                    continue
                if last is not None:
                    self._send_ahead(last, self.current.size, limit)
                page = decode(reply)
            except (errors.TooSlow, errors.TransportError) as error:
                if not (is_too_much(error) and page_range.split()):
                    raise
                if not isinstance(error, errors.TooSlow):
                    self.too_large = min(self.too_large or page_range.size, page_range.size)
                is_at_once = self._sizes.note_failure(page_range, error.attempts)
                self._submit_parts(page_range, one_by_one=is_at_once)
                continue
            totals = page.totals
            del reply, future, sent  # frees the reply before the next one is waited for
            if last is not None and totals.key == last.key and totals.rows:
                return  # a list that ignores the page number, and returns the same page for ever
            last = totals
            seen += totals.rows
            self._send_ahead(totals, page_range.size, limit)
            self.current = page_range
            yield page
            if not self._sent and totals.has_more(seen):
                self._submit(self._sizes.after(self._last_sent))

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
        try:
            reply = future.result()
        except errors.TooSlow as error:
            self._sizes.attempts = error.attempts if error.attempts > 1 else 0
            raise
        self._sizes.attempts = 0
        return reply

    def _is_unwanted_copy(self, reply: Reply) -> bool:
        """Check whether a reply is of a cache, where those are not to be read."""
        return self._uncached and (reply.cached or reply.cached_there)

    def _call(self, params: Mapping[str, Any], most_500s: int | None, failed: int) -> Reply:
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
                failed=failed,
            )
        except (errors.AuthenticationError, errors.PermissionDenied) as error:
            self._refusal = error
            raise
        finally:
            self._reporter.set_status("")

    def _submit(self, page: PageRange) -> None:
        self._sizes.note_sent(page)
        self._sent.append((page, self.send(page)))
        self._last_sent = page

    def _submit_parts(self, page: PageRange, *, one_by_one: bool = False) -> None:
        """Send for the parts of a page that the server could not answer, or that was cached."""
        parts = page.split()
        while _SMALL <= self.too_large <= parts[0].size:
            parts = [smaller for part in parts for smaller in part.split()]
        first = self.send(parts[0])
        others = [(part, None if one_by_one else self.send(part)) for part in parts[1:]]
        self._sent.extendleft([*reversed(others), (parts[0], first)])

    def _send_ahead(self, totals: PageTotals, asked: int, limit: int | None) -> None:
        """Send for the next pages, as far as the window allows.

        Args:
            totals: Those of a page.
            asked: Rows that this page was asked for.
            limit: Rows to send for, None for all.
        """
        while len(self._sent) < self._window:
            page = self._sizes.after(self._last_sent)
            last = _count_pages(totals, asked, page.size)
            if page.number > (last if limit is None else min(last, -(-limit // page.size))):
                break
            self._submit(page)
        last = _count_pages(totals, asked, self._last_sent.size)
        self.all_sent = self._last_sent.number >= last > 1


def is_too_much(error: errors.AlchemerError) -> bool:
    """Check whether a smaller page may come where this one was too slow or too large."""
    return isinstance(error, errors.TooSlow) or getattr(error, "reason", "") == "large"


def decode_page(decode: Callable[[bytes], _Page], reply: Reply, survey_id: str) -> _Page:
    """Decode a page of responses.

    Raises:
        TransportError: It is not a list of responses, or has far more than a page can have.
    """
    body = reply.body
    problem = "is not a list of responses"
    if has_too_many_rows(body):
        problem = f"has thousands of rows, where a page has at most {PAGE_SIZE}, so it was not read"
    else:
        with suppress(ValueError):
            return decode(body)
    raise errors.TransportError(f"a page of the responses of survey {survey_id} {problem}")


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
        TooSlow, TransportError: A quarter of the small size is too much, too.
    """
    size, number = large if begin_large else small, 1
    while True:
        try:
            page = read(PageRange(size, number))
        except (errors.TooSlow, errors.TransportError) as error:
            if size < small or not is_too_much(error):
                raise
            size = large = small if size > small else small // 4
            number = 1
            continue
        yield PageRange(size, number), page
        if size < large:
            size, number = large, 1
        else:
            number += 1
