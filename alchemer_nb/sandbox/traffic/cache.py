"""The minute in which the same GET gets the same answer.

Sources: the vendor's page on responses (60 s), a client's test (``X-SG-Cached``), and bodies seen
by clients (an identical call while another runs is refused).

invented: "the same" means the same user, path and query, whatever the credentials look like;
only answers without error are kept; and what does not fit into the room that the sandbox gives
the cache is forgotten early.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.traffic.limits import WAIT
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOM = 64 * 2**20  # bytes, packed
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, as it lies in the cache.

    Attributes:
        content: The bytes.
        packed: Whether they are compressed with gzip.
    """

    content: bytes
    packed: bool = False


class Cache:
    """Answers of the last minute, and the calls that are being answered.

    Args:
        seconds: How long an answer is kept; 0 keeps none.
        refuse_identical: Whether a call is refused while an identical one runs.
        clock: Gives the seconds of a clock that never jumps.
    """

    def __init__(
        self,
        seconds: float,
        refuse_identical: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._refuse = refuse_identical
        self._clock = clock
        self._kept: dict[Key, tuple[float, Body]] = {}  # the oldest first
        self._size = 0
        self._running: set[Key] = set()

    @contextmanager
    def running(self, key: Key) -> Iterator[None]:
        """Marks a call as being answered.

        Raises:
            Refusal: An identical one is.
        """
        if not self._refuse:
            yield
            return
        if key in self._running:
            raise Refusal(429, WAIT)
        self._running.add(key)
        try:
            yield
        finally:
            self._running.discard(key)

    def find(self, key: Key) -> Body | None:
        """Gives the answer to the same call, if it is young enough."""
        self._forget()
        found = self._kept.get(key)
        return found[1] if found else None

    def keep(self, key: Key, body: Body) -> None:
        """Keeps an answer."""
        if self._seconds <= 0 or len(body.content) > _ROOM:
            return
        self._drop(key)
        self._kept[key] = (self._clock(), body)
        self._size += len(body.content)
        self._forget()

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self._seconds > 0

    def _forget(self) -> None:
        now = self._clock()
        for key, (since, _) in list(self._kept.items()):
            if self._size <= _ROOM and now - since < self._seconds:
                break
            self._drop(key)

    def _drop(self, key: Key) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._size -= len(old[1].content)
