"""The cache that answers the same GET with the same reply for a minute.

Sources: the vendor's page on responses (60 s), a client's test (``X-SG-Cached``), and bodies seen
by clients (an identical call while another runs is refused).

invented: "the same" means the same user, path and query, whatever the credentials look like;
only replies without error are stored; and the oldest are removed early when the cache is full.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.traffic.limits import WAIT
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_BYTES = 64 * 2**20  # bytes, packed
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a reply in the cache.

    Attributes:
        content: The bytes.
        packed: Whether they are compressed with gzip.
    """

    content: bytes
    packed: bool = False


class Cache:
    """Replies of the last minute, and the calls that are being answered.

    Args:
        seconds: How long a reply is stored; 0 for no cache.
        refuse_identical: Whether a call is refused while an identical one runs.
    """

    def __init__(self, seconds: float, refuse_identical: bool) -> None:
        self._seconds = seconds
        self._refuse = refuse_identical
        self._stored: dict[Key, tuple[float, Body]] = {}  # the oldest first
        self._size = 0
        self._running: set[Key] = set()

    @contextmanager
    def running(self, key: Key) -> Iterator[None]:
        """Mark a call as being answered.

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
        """Return the reply to the same call, if it is not too old."""
        self._evict()
        found = self._stored.get(key)
        return found[1] if found else None

    def store(self, key: Key, body: Body) -> None:
        """Store a reply."""
        if self._seconds <= 0 or len(body.content) > _MAX_BYTES:
            return
        self._drop(key)
        self._stored[key] = (time.monotonic(), body)
        self._size += len(body.content)
        self._evict()

    @property
    def is_enabled(self) -> bool:
        """Whether replies are stored at all."""
        return self._seconds > 0

    def _evict(self) -> None:
        now = time.monotonic()
        for key, (since, _) in list(self._stored.items()):
            if self._size <= _MAX_BYTES and now - since < self._seconds:
                break
            self._drop(key)

    def _drop(self, key: Key) -> None:
        old = self._stored.pop(key, None)
        if old is not None:
            self._size -= len(old[1].content)
