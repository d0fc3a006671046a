"""A server on loopback that answers just what a test says: what no sandbox would."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from alchemer_nb.http.regions import Region


@dataclass
class Reply:
    """One answer.

    Attributes:
        body: Bytes, or anything that becomes JSON.
        status: HTTP status.
        headers: Further headers.
        cut: Announces the whole body but closes after so many bytes.
        silent: Never answers (until the server stops); with ``cut``, falls silent after that.
        unsized: Tells no length; the body ends with the connection.
    """

    body: Any = field(default_factory=lambda: {"result_ok": True, "data": []})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    silent: bool = False
    unsized: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ScriptedServer:
    """Gives the replies of a path in order, and the last of them for ever."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.asked_headers: list[dict[str, str]] = []
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def answer(self, path: str, *replies: Any) -> None:
        """Sets what a path below v5 (or any other, with a slash in front) is answered."""
        full = path if path.startswith("/") else f"/v5/{path}"
        self.replies[full] = [r if isinstance(r, Reply) else Reply(r) for r in replies]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def region(self) -> Region:
        return Region.custom(self.url, timezone="America/New_York")

    def _next(self, path: str) -> Reply:
        waiting = self.replies.get(path)
        if not waiting:
            return Reply(
                {"result_ok": False, "code": 404, "message": "Method not implemented"}, 404
            )
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                server.asked.append((self.command, parts.path, dict(parse_qsl(parts.query))))
                server.asked_headers.append({n.lower(): v for n, v in self.headers.items()})
                reply = server._next(parts.path)
                if reply.silent and reply.cut is None:
                    server._stop.wait(30)
                    return
                content = reply.content
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not reply.unsized:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content if reply.cut is None else content[: reply.cut])
                if reply.silent:
                    server._stop.wait(30)
                self.close_connection = reply.cut is not None or reply.unsized

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        return Handler
