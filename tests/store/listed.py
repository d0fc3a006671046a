"""A survey on loopback with stamps and a clock of a test's own, and what a walk brings."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.http.regions import Region
from alchemer_nb.store import manifest, parts

if TYPE_CHECKING:
    from pathlib import Path

OWN = 7
QUESTION = {"id": 2, "type": "TEXTBOX", "title": {"English": "Why?"}, "shortname": "why"}
_DEFINITION: dict[str, dict[str, Any]] = {
    f"/v5/survey/{OWN}": {"data": {"id": str(OWN), "title": "Listed", "pages": []}},
    f"/v5/survey/{OWN}/surveyquestion": {"data": [QUESTION], "total_count": 1, "total_pages": 1},
    "/v5/account": {"data": {"id": 1}},
}


def stamp(ago: timedelta = timedelta()) -> str:
    """The date of a change so long ago, or ahead where that is negative."""
    return str((datetime.now(UTC) - ago).replace(tzinfo=None, microsecond=0))


class ListedServer:
    """Serves responses that a test edits, oldest stamp last.

    Args:
        count: Responses.
        apart: Between the changes of two of them; the newest changed so long ago.

    Attributes:
        rows: Id -> response, as JSON.
        dates: Id -> the date that it is ordered by.
        slow: Seconds by which the ``Date`` of answers is behind; None for none at all.
        is_ordered: Whether ``order_by`` does anything.
        walked: Pages that were asked for by ascending id.
        newest: Pages that were asked for in the other order.
        answers: What was answered, by address, where the same is to be answered once more; None
            for a server that looks anew each time.
    """

    def __init__(self, count: int, apart: timedelta = timedelta(hours=1)) -> None:
        self.rows: dict[int, bytes] = {}
        self.dates: dict[int, str] = {}
        self.slow: float | None = 0.0
        self.is_ordered = True
        self.walked = self.newest = 0
        self.answers: dict[str, bytes] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        for own in range(1, count + 1):
            self.edit([own], stamp((count + 1 - own) * apart), "as it was")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def client(self) -> Client:
        """A client that remembers nothing."""
        region = Region.custom(self.url, timezone="America/New_York")
        return Client(ApiKey("key", "secret"), region=region)

    def edit(self, ids: Any, date: str | None, mark: str, at: str | None = None) -> None:
        """Changes an answer of some responses; the change bears a date, and may be of another."""
        for own in ids:
            self.rows[own], self.dates[own] = _row(own, date, mark), at or date or ""

    def answer(self, query: str) -> bytes:
        """A page of the list, or what the cache holds."""
        if self.answers is None or query not in self.answers:
            page = self.page(dict(parse_qsl(query)))
            if self.answers is None:
                return page
            self.answers[query] = page
        return self.answers[query]

    def page(self, query: dict[str, str]) -> bytes:
        """A page of the list."""
        ids = sorted(self.rows)
        if "order_by" in query:
            self.newest += 1
            if self.is_ordered:
                ids.sort(key=lambda own: (self.dates[own], own), reverse=True)
        else:
            self.walked += 1
        size, number = int(query["resultsperpage"]), int(query["page"])
        rows = b",".join(self.rows[own] for own in ids[(number - 1) * size : number * size])
        told = f'"total_count": {len(ids)}, "total_pages": {-(-len(ids) // size)}'.encode()
        return b'{"result_ok": true, %s, "data": [%s]}' % (told, rows)


def _row(own: int, date: str | None, mark: str) -> bytes:
    dated = {} if date is None else {"date_updated": date}
    answer = {"id": 2, "type": "TEXTBOX", "question": "Why?", "section_id": 1, "shown": True}
    row = {
        "id": str(own),
        "status": "Complete",
        "is_test_data": "0",
        "date_submitted": "2026-01-02 03:04:05 GMT",
        **dated,
        "survey_data": {"2": {**answer, "answer": mark}},
    }
    return json.dumps(row).encode()


def _handler(served: ListedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits for the last one's receipt

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == f"/v5/survey/{OWN}/surveyresponse":
                body = served.answer(asked.query)
            else:
                body = json.dumps({"result_ok": True, **_DEFINITION[asked.path]}).encode()
            self.send_response_only(200)
            if served.slow is not None:
                self.send_header("Date", formatdate(time.time() - served.slow, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the query holds the key."""

    return Handler


def stored(folder: Path) -> dict[int, bytes]:
    """All responses of a store, as they came."""
    found = manifest.read_manifest(folder)
    assert found is not None
    index = parts.read_index(found)
    rows = parts.read_versions(found, index.rows_by_part(index.has_content))
    return {row.id: row.content for row in rows if row.content is not None}
