"""Processes that are forked from the tests, and a server that tells one answer from another."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import signal
import threading
import time
import traceback
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from alchemer_nb.http.regions import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 30.0  # seconds after which a child hangs


@contextlib.contextmanager
def forks_allowed() -> Iterator[None]:
    """Python 3.12 and later warn of every fork beside other threads, which is what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class Child:
    """A forked process that does some work, tells what it gave and ends without any clean-up.

    Args:
        work: Its outcome is pickled.
        leaves: Whether it ends as a program does instead: exit handlers and finalizers run.
    """

    def __init__(self, work: Callable[[], Any], *, leaves: bool = False) -> None:
        self._told, telling = os.pipe()
        with forks_allowed():
            self.pid = os.fork()
        if self.pid == 0:
            _be_child(work, telling, leaves)
        os.close(telling)

    def outcome(self, seconds: float = PATIENCE) -> Any:
        """Waits until it has ended; a child that hangs is ended and fails the test."""
        end, said = time.monotonic() + seconds, b""
        try:
            while select.select([self._told], [], [], max(0.0, end - time.monotonic()))[0]:
                piece = os.read(self._told, 1 << 16)
                if not piece:
                    break
                said += piece
            ended = self._ended(end)
        finally:
            os.close(self._told)
        assert ended, "the child hangs"
        done, outcome = pickle.loads(said)  # noqa: S301 - what a child of ours wrote
        assert done, outcome
        return outcome

    def _ended(self, end: float) -> bool:
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() >= end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return False
            time.sleep(0.005)
        return True


def _be_child(work: Callable[[], Any], telling: int, leaves: bool) -> None:
    try:
        said = (True, work())
    except BaseException:  # noqa: BLE001 - told by the parent
        said = (False, traceback.format_exc())
    with os.fdopen(telling, "wb") as pipe:
        pickle.dump(said, pipe)
    if not leaves:
        os._exit(0)
    import atexit

    atexit._run_exitfuncs()
    os._exit(0)


class EchoServer:
    """Answers a GET of ``survey/N`` with N, over connections that it keeps open.

    Attributes:
        asked: The numbers that were asked for.
        opened: How many connections there have been.
        held: Set when a call that is held has come.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.opened = 0
        self.held = threading.Event()
        self._gates: dict[str, threading.Event] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def hold(self, number: int) -> threading.Event:
        """Has the first call for a number wait for its answer until the event is set."""
        gate = self._gates[str(number)] = threading.Event()
        return gate

    @property
    def region(self) -> Region:
        return Region.custom(f"http://127.0.0.1:{self._server.server_port}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece
            disable_nagle_algorithm = True

            def setup(self) -> None:
                echo.opened += 1
                super().setup()

            def do_GET(self) -> None:
                number = urlsplit(self.path).path.rsplit("/", 1)[1]
                echo.asked.append(number)
                gate = echo._gates.pop(number, None)
                if gate is not None:
                    echo.held.set()
                    gate.wait(PATIENCE)
                content = json.dumps({"result_ok": True, "data": {"id": number}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
