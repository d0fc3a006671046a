"""A server of responses to which some are added and some are edited, for the cost of a sync.

``python -m tests.benchmarks.moving ROWS`` prints its port and serves until it is ended. Each
``POST /move`` adds 400 responses and edits 100.
"""

from __future__ import annotations

import gc
import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.generator import Generator, envelope

QUESTIONS = 8
_ADDED, _EDITED = 400, 100


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, rows: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.made = Generator(QUESTIONS, rows)
        self.rows: list[dict[str, Any]] = []
        self.newest: list[int] = []
        self._add(rows)
        self.newest = list(range(rows - 1, -1, -1))
        self.moves = 0

    def _add(self, count: int) -> None:
        start = len(self.rows)
        self.rows += [self.made.response(own) for own in range(start + 1, start + count + 1)]

    def move(self) -> None:
        """Some people answer, and some answers are edited."""
        self.moves += 1
        before = len(self.rows)
        self._add(_ADDED)
        edited = range(self.moves * 7, self.moves * 7 + _EDITED)
        touched = [*edited, *range(before, len(self.rows))]
        for row in touched:
            stamp = f"2027-01-{self.moves:02d} 10:{row % 60:02d}:00"
            self.rows[row] = {**self.rows[row], "date_updated": stamp}
        moved = set(touched)
        touched.sort(key=lambda row: self.rows[row]["date_updated"], reverse=True)
        self.newest = [*touched, *(row for row in self.newest if row not in moved)]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        name = parts.path.rsplit("/", 1)[-1]
        if name == "surveyresponse":
            body = self._page(int(query.get("page", 1)), int(query["resultsperpage"]), query)
        elif name == "surveyquestion":
            asked = self.server.made.questions()
            body = envelope(asked, total=len(asked), page=1, size=500)
        elif name == "account":
            body = json.dumps({"result_ok": True, "data": {"id": "1"}}).encode()
        else:
            body = json.dumps({"result_ok": True, "data": self.server.made.survey()}).encode()
        self._send(gzip.compress(body, 1))

    def do_POST(self) -> None:
        self.server.move()
        self._send(gzip.compress(b"{}"))

    def _page(self, page: int, size: int, query: dict[str, str]) -> bytes:
        first, rows = (page - 1) * size, self.server.rows
        if query.get("order_by"):
            chosen = [rows[at] for at in self.server.newest[first : first + size]]
        else:
            chosen = rows[first : first + size]
        return envelope(chosen, total=len(rows), page=page, size=size)

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the query holds the key."""


if __name__ == "__main__":
    started = _Server(int(sys.argv[1]))
    gc.collect()
    gc.freeze()  # or the server's collector is what grows with the history
    print(started.server_port, flush=True)  # noqa: T201 - how the port is told
    started.serve_forever()
