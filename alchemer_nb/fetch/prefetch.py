"""Pages in flight: many travel at once, one consumer reads them in order.

The server takes half a second or more for a page, so waiting for one at a time is what costs.
Bodies stay compressed until it is their turn; the window bounds how many there are.
"""

from __future__ import annotations

import copy
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from alchemer_nb.errors import AuthenticationError, PermissionDenied, Stopped, TooSlow
from alchemer_nb.forks import Home
from alchemer_nb.wire.paging import PAGE_SIZE, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alchemer_nb.http.reply import Answer
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.http.waiting import CallOptions

# What becomes of the largest page where the server is slow: each divides the one before it.
SIZES = (PAGE_SIZE, 250, 125, 25, 5, 1)
_TICK = 0.1  # seconds: how soon a cancel or an interrupt is seen


class _Measured(Protocol):
    measure: Measure


_Page = TypeVar("_Page", bound=_Measured)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows of a list: a page of a size."""

    size: int
    number: int

    @property
    def other_size(self) -> int:
        """A size at which no page has the address of one of this size."""
        return SIZES[1] if self.size == SIZES[0] else SIZES[0]

    def smaller(self) -> list[Stretch]:
        """The same rows in smaller pages; none where there is no smaller size."""
        parts = next((n for n in range(2, self.size + 1) if self.size % n == 0), 0)
        if not parts:
            return []
        size = self.size // parts
        first = (self.number - 1) * parts + 1
        return [Stretch(size, number) for number in range(first, first + parts)]


class Engine:
    """Fetches the pages of one list.

    Args:
        transport: Sends.
        path: Of the list.
        params: Its filters.
        options: Of all its calls; the engine sets ``stop`` when it is left by an error.
        tick: Called often while waiting, in the thread that runs the engine.
        anew: Whether no page may come from a cache: it is cut otherwise, which no cache knows.
    """

    def __init__(
        self,
        transport: Transport,
        path: str,
        params: Mapping[str, Any],
        options: CallOptions,
        *,
        tick: Callable[[], None] = lambda: None,
        anew: bool = False,
    ) -> None:
        self._transport = transport
        self._path = path
        self._params = dict(params)
        self._options = options
        self._tick = tick
        self._anew = anew
        self._window = 2 * transport.max_in_flight  # some may wait for their turn to be read
        self._ahead: deque[tuple[Stretch, Future[Answer]]] = deque()
        self._next = Stretch(PAGE_SIZE, 1)  # the furthest that was sent for
        self._slow = 0
        self._refused: AuthenticationError | PermissionDenied | None = None
        self.at = self._next  # where the page stands that was yielded last
        self.all_sent = False  # more pages than one, and the last of them is on its way
        self._pool = ThreadPoolExecutor(transport.max_in_flight, "alchemer-page")
        self._home = Home()  # of the threads of the pool

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._home.is_here:
            return
        if kind is not None:
            self._options.stop.set()  # those that wait for a turn or a retry leave at once
        self._pool.shutdown(wait=False, cancel_futures=True)

    def send(self, params: Mapping[str, Any]) -> Future[Answer]:
        """Sends a call of its own for the same list, beside the pages."""
        self._home.check()
        return self._pool.submit(self._call, {**params, **self._params})

    def run(
        self,
        decode: Callable[[Answer], _Page],
        most: int | None = None,
        size: int = PAGE_SIZE,
        first: int = 1,
        expected: int | None = None,
    ) -> Iterator[_Page]:
        """Fetches page after page and decodes each in its turn.

        Args:
            decode: Makes a page of an answer.
            most: Rows to send for ahead, None for all that are told.
            size: Rows a page.
            first: The page to begin with.
            expected: About how many rows there are, to send for them before a page has told.

        Yields:
            The pages, in the order of the list.

        Raises:
            Stopped: ``stop`` was set.
            ApiError, TransportError: As for any call.
        """
        self._submit(Stretch(size, first))
        self._fill(Measure(0, total_count=expected), most)
        self.all_sent = False  # only a page can tell
        last: Measure | None = None
        seen = size * (first - 1)
        while self._ahead:
            stretch, future = self._ahead.popleft()
            try:
                answer = self.wait_for(future)
            except TooSlow:
                if not stretch.smaller():
                    raise
                self._split(stretch)
                self._slow_down(stretch)
                continue
            if self._anew and (answer.cached or answer.cached_there) and stretch.smaller():
                self._split(stretch)
                continue
            if last is not None:
                self._fill(last, most)
            page = decode(answer)
            told = page.measure
            del answer, future  # or two bodies are held while the next is awaited
            if last is not None and told.key == last.key and told.rows:
                return  # a list that ignores the page, and gives the same one for ever
            last = told
            seen += told.rows
            self._fill(told, most)
            self.at = stretch
            yield page
            if not self._ahead and _goes_on(told, seen):
                self._submit(Stretch(self._next.size, self._next.number + 1))

    def wait_for(self, future: Future[Answer]) -> Answer:
        """Waits for an answer, and sees to progress, cancel and interrupt meanwhile."""
        self._home.check()
        stop = self._options.stop
        while not future.done() and not stop.is_set():
            wait([future], timeout=_TICK)
            self._tick()
            self._home.check()
        if stop.is_set():
            raise Stopped
        return future.result()

    def _call(self, params: Mapping[str, Any]) -> Answer:
        if self._refused is not None:  # whatever waits for its turn would be refused as well
            raise copy.copy(self._refused)
        try:
            return self._transport.send(
                "GET", self._path, params, options=self._options, raise_slow=True
            )
        except (AuthenticationError, PermissionDenied) as error:
            self._refused = error
            raise
        finally:
            self._options.on_wait("")

    def _submit(self, stretch: Stretch, *, first: bool = False) -> None:
        call = self.send({"resultsperpage": stretch.size, "page": stretch.number})
        entry = (stretch, call)
        if first:
            self._ahead.appendleft(entry)
        else:
            self._ahead.append(entry)
            self._next = stretch

    def _split(self, stretch: Stretch) -> None:
        """Sends for a page in pieces: one that took too long, or that a cache had."""
        pieces = stretch.smaller()
        for piece in reversed(pieces):
            self._submit(piece, first=True)
        if self._next == stretch:
            self._next = pieces[-1]

    def _slow_down(self, stretch: Stretch) -> None:
        self._slow += 1
        if self._slow > 1 and self._next.size == stretch.size:  # what follows is hardly quicker
            self._next = self._next.smaller()[-1]

    def _fill(self, told: Measure, most: int | None) -> None:
        """Sends for what is told to come, as far as the window is open."""
        size = self._next.size
        last = _pages(told, size)
        ahead = last if most is None else min(last, -(-most // size))
        while self._next.number < ahead and len(self._ahead) < self._window:
            self._submit(Stretch(size, self._next.number + 1))
        self.all_sent = self._next.number >= last > 1


def _pages(told: Measure, size: int) -> int:
    """How many pages of a size there are, by what a page tells; totals may lag behind."""
    by_pages = (told.total_pages or 0) * (PAGE_SIZE // size)
    by_count = -(-(told.total_count or 0) // min(size, told.per_page or size))
    return by_count if size < PAGE_SIZE and by_count else max(by_pages, by_count)


def _goes_on(told: Measure, seen: int) -> bool:
    """Whether to ask for one page more than was told: totals lag behind, or are missing."""
    if told.total_pages is None and told.total_count is None:
        return bool(told.rows) and not (told.per_page and told.rows < told.per_page)
    return bool(told.rows) and told.total_count is not None and seen < told.total_count
