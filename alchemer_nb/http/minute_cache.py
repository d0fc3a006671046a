"""The answers of the last minute, and the calls on their way: no call is made twice.

Fact: within a minute Alchemer answers the same GET from a cache of its own, and refuses one that
is asked for while the same one is still running
(https://apihelp.alchemer.com/help/survey-responses, /help/api-request-limits). So a second call
would cost a turn and bring nothing.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import AlchemerError, Stopped
from alchemer_nb.forks import in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from alchemer_nb.http.reply import Answer
    from alchemer_nb.http.waiting import CallOptions

_SLACK = 1.01  # the server's minute ends a little after ours


@dataclass(slots=True)
class _Flight:
    """A call on its way, for all that want its answer."""

    fresh: bool
    landed: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: AlchemerError | None = None


@dataclass(slots=True)
class _Kept:
    """An answer, or only the knowledge that there was one."""

    asked: float
    came: float
    answer: Answer | None


class Remembered:
    """What one client asked for in the last minute, in one process.

    Args:
        minute: Seconds for which Alchemer itself would give the same answer.
        most_bytes: Of the bodies as they travelled; the oldest are forgotten first.
    """

    def __init__(self, minute: float = 60.0, most_bytes: int = 64 << 20) -> None:
        self._minute = minute
        self._most_bytes = most_bytes
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._bytes = 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, fetch: Callable[[], Answer], options: CallOptions) -> Answer:
        """Return the answer from memory, from the same call on its way, or by making the call.

        Args:
            key: What is the same for two calls that are.
            fetch: Makes the call.
            options: Of the caller.

        Raises:
            Stopped: ``stop`` was set during a wait.
            AlchemerError: As the call, or the one that was shared.
        """
        while True:
            with self._lock:
                self._forget_old()
                kept = self._kept.get(key)
                if kept is not None and kept.answer is not None and not options.fresh:
                    return replace(kept.answer, cached=True)
                flight = self._flights.get(key)
                mine = flight is None
                if flight is None:
                    flight = self._flights[key] = _Flight(options.fresh)
            if mine:
                return self._fly(key, flight, fetch, options)
            options.wait_until(flight.landed.wait, "waiting for the same call")
            if options.fresh and not flight.fresh:
                continue
            if flight.answer is not None:
                return replace(flight.answer, cached=True)
            if flight.error is not None:
                raise copy.copy(flight.error)
            # Its caller gave up, which is no reason for this one.

    def forget(self) -> None:
        """Something was changed: no answer is given from memory, nor kept if it is on its way."""
        with self._lock:
            self._writes += 1
            for kept in self._kept.values():
                kept.answer = None
            self._bytes = 0

    def left(self, key: Hashable) -> float:
        """Seconds until Alchemer would answer anew."""
        with self._lock:
            kept = self._kept.get(key)
            return kept.came + self._minute * _SLACK - time.monotonic() if kept else 0.0

    def _fly(
        self,
        key: Hashable,
        flight: _Flight,
        fetch: Callable[[], Answer],
        options: CallOptions,
    ) -> Answer:
        try:
            if flight.fresh:
                options.wait(lambda: self.left(key), "waiting until Alchemer answers anew")
            writes, asked = self._writes, time.monotonic()
            flight.answer = fetch()
            self._keep(key, flight.answer, asked, writes)
            return flight.answer
        except Stopped:
            raise
        except AlchemerError as error:
            flight.error = copy.copy(error)
            raise
        finally:
            with self._lock:
                self._flights.pop(key, None)  # a process that was forked meanwhile has none
            flight.landed.set()

    def _keep(self, key: Hashable, answer: Answer, asked: float, writes: int) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            if before is not None and before.answer is not None:
                self._bytes -= len(before.answer.packed)
            whole = writes == self._writes and len(answer.packed) <= self._most_bytes
            self._kept[key] = _Kept(asked, time.monotonic(), answer if whole else None)
            if not whole:
                return
            self._bytes += len(answer.packed)
            for kept in self._kept.values():
                if self._bytes <= self._most_bytes:
                    break
                if kept.answer is not None:
                    self._bytes -= len(kept.answer.packed)
                    kept.answer = None

    def _forget_old(self) -> None:
        """Drops what Alchemer would answer anew; what it might, is not answered from here."""
        now = time.monotonic()
        for key, kept in list(self._kept.items()):
            if kept.answer is not None and now >= kept.asked + self._minute:
                self._bytes -= len(kept.answer.packed)
                kept.answer = None
            if now >= kept.came + self._minute * _SLACK:
                del self._kept[key]
