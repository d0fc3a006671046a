"""Connections whose reads end soon after ``CallOptions.stop`` is set, and in any case some day.

The first byte of a page of responses can take half a minute. A cancelled download must not wait for
it, and a thread that waited would delay the end of the process.

A timeout of requests bounds the wait for the next bytes, not that for a reply: one byte a second
would go on for ever. So does an endless row of ``100 Continue``, which ``http.client`` skips.
"""

from __future__ import annotations

import http.client
import io
import queue
import time
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters
import urllib3
from urllib3.util import wait_for_read

from alchemer_nb._version import __version__
from alchemer_nb.forks import renew_after_fork

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from alchemer_nb.http.waiting import CallOptions

_POLL = 0.1  # seconds between two looks at ``stop``
# A reply that comes with fewer bytes a second has this many times the read timeout in all.
_SLOWEST = 1_000
_MOST_TIMEOUTS = 10
_MOST_HEAD = 1 << 20  # bytes of status line and headers
# A context variable, as urllib3 makes the connections and passes no argument of ours to them.
_options: ContextVar[CallOptions | None] = ContextVar("alchemer_nb_options", default=None)


@contextmanager
def interrupted_by(options: CallOptions) -> Iterator[None]:
    """Make calls of this thread raise ``Stopped`` soon after ``stop`` is set."""
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


class SlowReply(Exception):
    """A reply that comes so slowly that it would take hours."""


class _StoppableReader(io.RawIOBase):
    """A reader of a reply that waits in short steps, and checks ``stop`` between them.

    Attributes:
        in_head: True until the body begins.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._begun = time.monotonic()
        self._count = 0
        self.in_head = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read the bytes that have come; may return None, as a TLS record can hold no data.

        Raises:
            Stopped: ``stop`` was set.
            TimeoutError: Nothing came in time.
            SlowReply: Too little came in time.
            HTTPException: The headers do not end.
        """
        if self.in_head and self._count > _MOST_HEAD:
            raise http.client.HTTPException("too many headers")
        options = _options.get()
        # ``pending``: bytes that TLS has decrypted already, which ``wait_for_read`` does not see.
        if options is not None and not getattr(self._sock, "pending", int)():
            timeout = self._sock.gettimeout()
            timeout = float("inf") if timeout is None else timeout
            end = time.monotonic() + timeout
            end_of_all = self._begun + _MOST_TIMEOUTS * timeout + self._count / _SLOWEST
            while not wait_for_read(self._sock, _POLL):
                options.check()
                if time.monotonic() >= end:
                    raise TimeoutError("no answer")
            if time.monotonic() >= end_of_all:
                raise SlowReply
        count = self._raw.readinto(buffer)
        self._count += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _StoppableReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        self._reader.in_head = False


# ``http.client.HTTPConnection.debuglevel = 1``, as people set it to find a fault, prints each call
# with its key, past all logs.
class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response
    debuglevel = 0


class _SafeConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response
    debuglevel = 0


class _IdleConnections(queue.LifoQueue[Any]):
    """Connections that wait for the next call; a forked process drops those of its parent."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        # Closes the child's copies only, so the parent's connections stay open; makes new locks.
        inherited = self.queue
        super().__init__(self.maxsize)
        for connection in inherited:
            if connection is not None:
                connection.close()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection
    QueueCls = _IdleConnections


class _SafePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SafeConnection
    QueueCls = _IdleConnections


_POOLS = {"http": _Pool, "https": _SafePool}


class InterruptibleAdapter(requests.adapters.HTTPAdapter):
    """An adapter for ``requests.Session.mount`` that makes interruptible connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use interruptible connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Use interruptible connections through a proxy, too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class InterruptibleSession(requests.Session):
    """A session of interruptible connections that keeps no cookie and looks at no redirect."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, InterruptibleAdapter())
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = f"alchemer_nb/{__version__}"

    def get_redirect_target(self, _: requests.Response) -> None:
        """Return no target: also with ``allow_redirects=False`` requests prepares the next call.

        For that it reads the body of the redirect whole, unpacked and without a bound.
        """
