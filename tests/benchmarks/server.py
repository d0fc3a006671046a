"""A server of pages made beforehand, so that not the server is what is measured.

``python -m tests.benchmarks.server FOLDER LATENCY`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import gzip
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = latency
        self.bodies = {path.stem: path.read_bytes() for path in folder.glob("*.gz")}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        name = parts.path.rsplit("/", 1)[-1]
        if name == "surveyresponse":
            time.sleep(self.server.latency)
            name = f"page-{query.get('page', '1')}"
            if query.get("order_by"):  # what changed last: the end of the last page
                name = "newest"
        body = self.server.bodies.get(f"{name}.json", b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_header("Content-Encoding", "gzip")
        else:
            body = gzip.decompress(body) if body else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the query holds the key."""


if __name__ == "__main__":
    started = _Server(Path(sys.argv[1]), float(sys.argv[2]))
    print(started.server_port, flush=True)  # noqa: T201 - how the port is told
    started.serve_forever()
