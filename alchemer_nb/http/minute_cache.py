"""Caches the replies of the last minute, and shares calls that are on their way.

Fact: within a minute Alchemer answers the same GET from its cache, and refuses one while the same
one is still running (https://apihelp.alchemer.com/help/surveyresponse-sub-object-v5,
/help/api-request-limits). So a second call would count against the rate limit and return nothing
new. Each process has its own cache: if another process makes the same call at the same time,
Alchemer refuses one of them, and ``retries`` repeats it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import AlchemerError, Stopped
from alchemer_nb.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from alchemer_nb.http.reply import Reply
    from alchemer_nb.http.waiting import CallOptions

# The two clocks may run differently: a call that is made too early gets the cached reply once more.
_SLACK = 1.01


@dataclass(slots=True)
class _Pending:
    """A call on its way, for all threads that want its reply."""

    fresh: bool
    done: threading.Event = field(default_factory=threading.Event)
    reply: Reply | None = None
    error: AlchemerError | None = None


@dataclass(slots=True)
class _Entry:
    """A reply and its times.

    The reply is None if it was dropped here; Alchemer still has it in its cache.
    """

    sent_at: float
    received_at: float
    reply: Reply | None


class MinuteCache:
    """The replies of the last minute to one client in one process.

    Args:
        minute: Seconds for which Alchemer itself returns the same reply.
        most_bytes: Size of all bodies, compressed; the oldest are dropped first.
    """

    def __init__(self, minute: float = 60.0, most_bytes: int = 64 << 20) -> None:
        self._minute = minute
        self._most_bytes = most_bytes
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._bytes = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._pending: dict[Hashable, _Pending] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, fetch: Callable[[], Reply], options: CallOptions) -> Reply:
        """Return the reply from memory, from the same call on its way, or by making the call.

        Args:
            key: Equal for two calls that are the same to Alchemer.
            fetch: Makes the call.
            options: Of the caller.

        Raises:
            Stopped: ``stop`` was set during a wait.
            AlchemerError: As the call, or the one that was shared.
        """
        while True:
            with self._lock:
                self._drop_old()
                entry = self._entries.get(key)
                if entry is not None and entry.reply is not None and not options.fresh:
                    return replace(entry.reply, cached=True)
                pending = self._pending.get(key)
                is_first = pending is None
                if pending is None:
                    pending = self._pending[key] = _Pending(options.fresh)
            if is_first:
                return self._fetch(key, pending, fetch, options)
            options.wait_until(pending.done.wait, "waiting for the same call")
            if options.fresh and not pending.fresh:
                continue
            if pending.reply is not None:
                return replace(pending.reply, cached=True)
            if pending.error is not None:
                raise copy.copy(pending.error)
            # Neither: the thread that made the call was stopped. This one makes it itself.

    def forget(self) -> None:
        """Drop all replies after a write; those on their way are not stored either."""
        with self._lock:
            self._writes += 1
            for entry in self._entries.values():
                self._drop(entry)

    def _fetch(
        self,
        key: Hashable,
        pending: _Pending,
        fetch: Callable[[], Reply],
        options: CallOptions,
    ) -> Reply:
        try:
            if pending.fresh:
                options.wait(lambda: self._seconds_left(key), "waiting until Alchemer answers anew")
            writes, sent_at = self._writes, time.monotonic()
            pending.reply = fetch()
            self._store(key, pending.reply, sent_at, writes)
            return pending.reply
        except Stopped:
            raise
        except AlchemerError as error:
            pending.error = copy.copy(error)
            raise
        finally:
            with self._lock:
                self._pending.pop(key, None)  # a child forked since then lacks it
            pending.done.set()

    def _seconds_left(self, key: Hashable) -> float:
        """Return the seconds for which Alchemer would still answer from its cache."""
        with self._lock:
            entry = self._entries.get(key)
            return entry.received_at + self._minute * _SLACK - time.monotonic() if entry else 0.0

    def _store(self, key: Hashable, reply: Reply, sent_at: float, writes: int) -> None:
        with self._lock:
            before = self._entries.pop(key, None)
            if before is not None:
                self._drop(before)
            entry = self._entries[key] = _Entry(sent_at, time.monotonic(), reply)
            self._bytes += len(reply.packed)
            if writes != self._writes or len(reply.packed) > self._most_bytes:
                self._drop(entry)
            for each in self._entries.values():
                if self._bytes <= self._most_bytes:
                    break
                self._drop(each)

    def _drop(self, entry: _Entry) -> None:
        if entry.reply is not None:
            self._bytes -= len(entry.reply.packed)
            entry.reply = None

    def _drop_old(self) -> None:
        # Nobody knows when within the call Alchemer's minute begins. So drop the reply a minute
        # after it was asked for, and count on Alchemer's copy until a minute after it came.
        now = time.monotonic()
        for key, entry in list(self._entries.items()):
            if now >= entry.sent_at + self._minute:
                self._drop(entry)
            if now >= entry.received_at + self._minute * _SLACK:
                del self._entries[key]
