"""The calls that a sync makes, and how it tells how far it is."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import TransportError
from alchemer_nb.fetch.prefetch import Engine
from alchemer_nb.fetch.progress import Progress, Told
from alchemer_nb.forks import Home
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.store.parts import Raw, RawPage, cut
from alchemer_nb.wire.clocks import Clock

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from alchemer_nb.http.reply import Answer
    from alchemer_nb.http.transport import Transport

_OFTEN = 0.1
_TURNS = 20
NEWEST_FIRST = {"order_by": "-date_updated"}


@dataclass(slots=True)
class _Stage:
    """A part of a sync, as whoever is told how far it is sees it.

    Attributes:
        doing: What is being done, told where nothing is waited for.
        size: Rows a page where all pages are read; 0 where nobody knows how many there will be.
        before: Pages that an earlier run had read.
        pages: Pages that came.
        rows: Rows that came.
        began: When, by the clock that only counts.
    """

    doing: str = ""
    size: int = 0
    before: int = 0
    pages: int = 0
    rows: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, rows: int) -> None:
        """Counts a page; those that are read before anything has begun are not worth telling."""
        if self.doing or self.size:
            self.rows += rows
            self.pages += 1

    def progress(self, title: str, told: int | None, state: str, stop: threading.Event) -> Progress:
        """How far it is."""
        before, pages = self.before * self.size, self.before + self.pages
        told = told if self.size else None
        return Progress(
            title,
            before + self.rows,
            told,
            pages,
            None if told is None else max(pages, math.ceil(told / self.size)),
            state=state or self.doing,
            seconds=time.monotonic() - self.began,
            stop=stop,
            before=before,
            kept=True,
        )


@dataclass
class Listing:
    """The responses of one survey, as the server lists them.

    Attributes:
        transport: Sends.
        survey: Id.
        options: How to stop it, and whether pages of a walk may come from memory (no others do).
        on_progress: Called after each page, and often while waiting.
        title: Title, for ``on_progress``.
        calls: Calls that were made.
        told: Responses that the last page said there are.
        clock: What the server's clock said with the last page.
        turn: Another number makes other addresses of the same calls (see ``size``).
    """

    transport: Transport
    survey: str
    options: CallOptions = field(default_factory=CallOptions)
    on_progress: Callable[[Progress], None] | None = None
    title: str = ""
    calls: int = 0
    told: int | None = None
    clock: Clock | None = None
    turn: int = 0

    def __post_init__(self) -> None:
        self._states = Told()
        self.home = Home()
        self._stage = _Stage()
        self._last = time.monotonic()

    def begin(self, doing: str = "", size: int = 0, before: int = 0) -> None:
        """Tells that another part of the sync begins.

        Args:
            doing: What is being done, in a word or two.
            size: Rows a page, where all pages are read.
            before: Pages that an earlier run had read.

        Raises:
            Stopped: ``stop`` was set.
        """
        self.options.check()
        self._stage = _Stage(doing, size, before)
        self._report()

    def waiting(self, state: str) -> None:
        """Tells what a call of this thread waits for; ``""`` for nothing."""
        self._states(state)
        self._report()

    def engine(self) -> Engine:
        """Sends for what must be as it is now; to be entered."""
        return self._engine(fresh=True)

    def _engine(self, *, fresh: bool) -> Engine:
        return Engine(
            self.transport,
            f"survey/{self.survey}/surveyresponse",
            {},
            replace(self.options, on_wait=self._states, fresh=fresh),
            tick=self._tick,
        )

    def size(self, most: int, step: int = 1) -> int:
        """A size for pages, near the most.

        Another size each time is another address, which no cache of the last minute knows; one
        that it does know would have to be waited for.
        """
        return most - step * (self.turn % _TURNS)

    def walk(self, first: int, size: int) -> Iterator[RawPage]:
        """All pages by ascending id, many of them in flight."""
        self.begin(size=size, before=first - 1)
        with self._engine(fresh=self.options.fresh) as engine:
            yield from engine.run(self._read, size=size, first=first)

    def newest(self, engine: Engine, size: int, page: int) -> RawPage:
        """A page of those that changed last."""
        query = {"resultsperpage": size, "page": page, **NEWEST_FIRST}
        return self._read(engine.wait_for(engine.send(query)))

    def newest_pages(self, engine: Engine, size: int, pages: Sequence[int]) -> Iterator[RawPage]:
        """Some pages of the same list, sent for at once."""
        queries = [{"resultsperpage": size, "page": page, **NEWEST_FIRST} for page in pages]
        for sent in [engine.send(query) for query in queries]:
            yield self._read(engine.wait_for(sent))

    def at(
        self, engine: Engine, positions: Sequence[int], pages: dict[int, list[Raw]]
    ) -> list[int | None]:
        """The ids at some positions of the list by ascending id, counted from 0.

        Args:
            engine: Sends.
            positions: Which.
            pages: Those that were read for this before, by number; what is read is added.
        """
        size = 1 + self.turn % _TURNS
        numbers = dict.fromkeys(p // size + 1 for p in positions)
        sent = {
            number: engine.send({"resultsperpage": size, "page": number})
            for number in numbers
            if number not in pages
        }
        pages.update(
            (number, self._read(engine.wait_for(each)).rows) for number, each in sent.items()
        )
        found = [pages[p // size + 1][p % size :][:1] for p in positions]
        return [rows[0].id if rows else None for rows in found]

    def _read(self, answer: Answer) -> RawPage:
        self.calls += not answer.cached
        try:
            page = cut(answer.body)
        except ValueError:
            page = None
        if page is None:
            raise TransportError(
                f"a page of the responses of survey {self.survey} is not a list of responses"
            )
        self._stage.add(len(page.rows))
        self.told = page.measure.total_count
        self.clock = Clock.of(answer.headers)
        self._report()
        return page

    def _tick(self) -> None:
        if time.monotonic() - self._last >= _OFTEN:
            self._report()

    def _report(self) -> None:
        if self.on_progress is None:
            return
        self._last = time.monotonic()
        state, stop = self._states.state, self.options.stop
        self.on_progress(self._stage.progress(self.title, self.told, state, stop))
        self.home.check()  # whoever was told may have forked; the child must not write, too
