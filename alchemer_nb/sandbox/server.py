"""The thread that serves a sandbox.

A thread with an event loop of its own: in a notebook the kernel's loop is busy running the cell
that waits for an answer.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.sandbox.data.state import State
    from alchemer_nb.sandbox.services import Services
    from alchemer_nb.sandbox.settings import Settings
    from alchemer_nb.sandbox.traffic.faults import FaultSchedule

HOST = "127.0.0.1"
T = TypeVar("T")


class PortInUse(OSError):
    """Another program listens at the port that was asked for."""


class Server:
    """The server of one sandbox, in a thread of its own.

    Args:
        settings: The sandbox's switches.
        faults: Faults for the next calls.
        fill: Called to fill a new state.
    """

    def __init__(
        self, settings: Settings, faults: FaultSchedule, fill: Callable[[State], None]
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._fill = fill
        self._ready: Future[int] = Future()
        self._stop_requested = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._services: Services | None = None
        self._thread = threading.Thread(target=self._run, name="alchemer-sandbox", daemon=True)
        self._pid = os.getpid()

    def check_process(self) -> None:
        """Raise an error in a process that was forked from the one that serves.

        Raises:
            RuntimeError: This is such a process.
        """
        if os.getpid() != self._pid:
            raise RuntimeError(
                "the sandbox runs in the process that started it: ask it there, or before forking"
            )

    def start(self) -> int:
        """Start the thread, wait until it listens, and return the port.

        Raises:
            PortInUse: The port is taken.
            ValueError: The file of ``db`` belongs to another region.
        """
        self._thread.start()
        try:
            return self._ready.result()
        except BaseException:  # an interrupt, too: nothing must go on in the background
            self.stop()
            raise

    def stop(self) -> None:
        """Close every connection and wait for the thread; do nothing the second time.

        Do nothing in a forked process, either: the sandbox runs on in the process that started it.
        """
        if os.getpid() != self._pid:
            return
        self._stop_requested.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join()

    def call(self, work: Callable[[Services], T]) -> T:
        """Run work in the server's thread, the only one that uses the state.

        Raises:
            RuntimeError: It does not run, or not in this process.
        """
        self.check_process()
        loop, services = self._loop, self._services
        if loop is None or services is None or not self._thread.is_alive():
            raise RuntimeError("the sandbox is not running")
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work(services))
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                done.set_exception(error)

        loop.call_soon_threadsafe(run)
        while not wait([done], timeout=1).done:  # a loop that is stopping runs nothing more
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox was stopped")
        return done.result()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that starts us
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        from tornado.httpserver import HTTPServer

        from alchemer_nb.sandbox import app
        from alchemer_nb.sandbox.data.state import State
        from alchemer_nb.sandbox.oauth.provider import Provider
        from alchemer_nb.sandbox.services import Services
        from alchemer_nb.sandbox.traffic.cache import Cache
        from alchemer_nb.sandbox.traffic.limits import Limits

        listener = _listen(self._settings.port)
        port = int(listener.getsockname()[1])
        state: State | None = None
        server: HTTPServer | None = None
        try:
            state = State(self._settings)
            if state.is_empty:
                state.fill(self._fill)
            services = Services(
                state,
                self._faults,
                Provider(state),
                Limits(self._settings),
                Cache(self._settings.cache_seconds, self._settings.refuse_identical),
            )
            server = HTTPServer(app.build_application(services, port))
            server.add_socket(listener)
            self._stop = asyncio.Event()
            self._services, self._loop = services, asyncio.get_running_loop()
            self._ready.set_result(port)
            if not self._stop_requested.is_set():
                await self._stop.wait()
        finally:
            if server is None:
                listener.close()
            else:
                server.stop()
                await server.close_all_connections()
            if state is not None:
                state.close()


def _listen(port: int) -> socket.socket:
    # Not tornado's bind_sockets: it leaves its socket open when the port is taken.
    try:
        one = socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(
            error.errno,
            f"port {port} of {HOST} is in use; choose another one, or port 0 for any that is free",
        ) from None
    one.setblocking(False)
    return one
