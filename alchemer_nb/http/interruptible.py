"""Connections that are given up at once when a call is called off.

A page of responses can take half a minute until its first byte comes. Whoever cancels a download
does not wait for that, and a thread that did would hold up the end of the process.
"""

from __future__ import annotations

import http.client
import io
import queue
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import requests.adapters
import urllib3
from urllib3.util import wait_for_read

from alchemer_nb.forks import in_child

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from alchemer_nb.http.waiting import CallOptions

_LOOK = 0.1  # seconds between two looks at whether to stop
_options: ContextVar[CallOptions | None] = ContextVar("alchemer_nb_options", default=None)


@contextmanager
def interrupted_by(options: CallOptions) -> Iterator[None]:
    """Within this context, calls of this thread raise ``Stopped`` soon after ``stop`` is set."""
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


def adapter() -> requests.adapters.HTTPAdapter:
    """What a session of requests is given to make such connections."""
    return _Adapter()


class _Watched(io.RawIOBase):
    """The bytes of an answer, from the first to the last, each waited for in short looks."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads what has come. After the hand-shake of TLS that may be nothing of the answer.

        Raises:
            Stopped: The call was called off.
            TimeoutError: Nothing came in time.
        """
        options = _options.get()
        if options is not None and not getattr(self._sock, "pending", int)():
            timeout = self._sock.gettimeout()
            end = time.monotonic() + (float("inf") if timeout is None else timeout)
            while not wait_for_read(self._sock, _LOOK):
                options.check()
                if time.monotonic() >= end:
                    raise TimeoutError("no answer")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Watched(self.fp.detach(), sock))


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _SafeConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _Idle(queue.LifoQueue[Any]):
    """Connections that wait for the next call. A forked process has none of its parent's."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        in_child(self._renew)

    def _renew(self) -> None:
        """Lets go of them without a word to the server, and of the locks of the queue."""
        inherited = self.queue
        super().__init__(self.maxsize)
        for connection in inherited:
            if connection is not None:
                connection.close()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection
    QueueCls = _Idle


class _SafePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SafeConnection
    QueueCls = _Idle


_POOLS = {"http": _Pool, "https": _SafePool}


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
