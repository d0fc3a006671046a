"""A gate in front of a server: it holds pages until a test has looked at what waits for them."""

from __future__ import annotations

import http.client
import select
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

SECONDS = 30  # until a test that waits for a call fails
_HOP = ("connection", "keep-alive", "transfer-encoding")  # headers of one connection alone


class Gate:
    """A reverse proxy on loopback, through which every call passes until it is closed.

    Args:
        server: The address of the server behind it.
    """

    def __init__(self, server: str) -> None:
        self.behind = urlsplit(server).netloc
        self._holds: tuple[str, int, dict[str, str]] | None = None  # as ``close`` was asked
        self._changed = threading.Condition()
        self._has_held = False
        self._front = _Front(self)
        self._thread = threading.Thread(
            target=self._front.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._front.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open()
        self._front.shutdown()
        self._thread.join(5)
        self._front.server_close()

    def close(self, page: int = 1, path: str = "/surveyresponse", **query: str) -> None:
        """Hold calls that ask for this page or a later one; let those before it go on.

        Args:
            page: The first page that is held.
            path: How the paths end whose calls are held; ``""`` for every call.
            query: What else the calls that are held ask for, such as ``order_by``.
        """
        self._set((path, page, query))

    def open(self) -> None:
        """Let every call go on."""
        self._set(None)

    def wait(self) -> None:
        """Wait until a call has come that is held, since the gate was closed."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._has_held, SECONDS), "no call came"

    def pass_through(self, target: str) -> None:
        """Return when a call may go on."""
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query))

        def is_held() -> bool:
            if self._holds is None:
                return False
            end, page, query = self._holds
            fits = parts.path.endswith(end) and asked | query == asked
            return fits and int(asked.get("page", 1)) >= page

        with self._changed:
            if is_held():
                self._has_held = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: not is_held())

    def _set(self, holds: tuple[str, int, dict[str, str]] | None) -> None:
        with self._changed:
            self._holds, self._has_held = holds, False
            self._changed.notify_all()


class _Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # which a client that hangs up causes
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Front

    def setup(self) -> None:
        super().setup()
        self.behind = http.client.HTTPConnection(self.server.gate.behind, timeout=SECONDS)

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.gate.pass_through(self.path)
        self.close_connection = True  # unless all goes well
        if select.select([self.connection], [], [], 0)[0]:
            return  # who asked has hung up, as nothing else comes before the reply
        try:
            self._pass_on(body)
        except (OSError, http.client.HTTPException):
            return  # one of the two has hung up
        self.close_connection = False

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names that http.server calls

    def _pass_on(self, body: bytes) -> None:
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                self.behind.putheader(name, value)
        self.behind.endheaders(body or None)
        reply = self.behind.getresponse()
        content = reply.read()  # still compressed
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in (*_HOP, "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
