"""Surveys and their responses, in SQLite.

A response is stored twice: as the neutral record, which filters and updates read, and as the JSON
that is sent, so that a page of 500 costs one query and one join of strings. The JSON is made when
it is first asked for (until then it is empty), so that a sandbox of many responses starts sooner.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol

from alchemer_nb.sandbox.data.database import transaction
from alchemer_nb.sandbox.data.definition import Definition
from alchemer_nb.sandbox.wire import records as wire

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from alchemer_nb.sandbox.settings import Settings

SCHEMA = """
CREATE TABLE IF NOT EXISTS surveys (id INTEGER PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS responses (
    survey_id INTEGER NOT NULL REFERENCES surveys(id), id INTEGER NOT NULL,
    status TEXT NOT NULL, is_test INTEGER NOT NULL, contact_id TEXT,
    submitted REAL NOT NULL, updated REAL NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL, wire TEXT NOT NULL,
    PRIMARY KEY (survey_id, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS living_submitted ON responses (survey_id, deleted, submitted);
CREATE INDEX IF NOT EXISTS living_updated ON responses (survey_id, deleted, updated);
CREATE INDEX IF NOT EXISTS responses_kind ON responses (survey_id, deleted, is_test, status);
"""
_COUNT = "SELECT COUNT(*) FROM responses WHERE survey_id = ? AND deleted = 0"
_WIRE = (
    "SELECT id, wire, IIF(wire = '', record, NULL) FROM responses"
    " WHERE survey_id = ? AND deleted = 0"
)
_RECORD = "SELECT record FROM responses WHERE survey_id = ? AND deleted = 0"


class SurveyRecord(Protocol):
    """A survey and its responses in neutral form, as ``Sandbox(surveys=…)`` takes them."""

    @property
    def survey(self) -> dict[str, Any]:
        """The survey and its pages."""

    @property
    def responses(self) -> Iterable[dict[str, Any]]:
        """Its responses."""


class Library:
    """The surveys of the account."""

    def __init__(self, connection: sqlite3.Connection, settings: Settings) -> None:
        self._db = connection
        self._db.executescript(SCHEMA)
        self._settings = settings
        self._definitions: dict[int, Definition] = {}
        self._reserved: dict[int, int] = {}

    def add(self, survey: dict[str, Any], responses: Iterable[dict[str, Any]]) -> None:
        """Add a survey with its responses, or replace the one that has its id."""
        number = int(survey["id"])
        with transaction(self._db):
            self._db.execute("DELETE FROM responses WHERE survey_id = ?", (number,))
            self._db.execute(
                "INSERT OR REPLACE INTO surveys VALUES (?, ?)", (number, json.dumps(survey))
            )
            self._db.executemany(
                "INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._row(number, record) for record in responses),
            )
        self._definitions.pop(number, None)
        self._reserved.pop(number, None)

    def discard_rendered(self) -> None:
        """Discard all rendered responses: the file was written in another form."""
        self._db.execute("UPDATE responses SET wire = ''")

    def surveys(self) -> list[Definition]:
        """Return all surveys, by ascending id."""
        rows = self._db.execute("SELECT id FROM surveys ORDER BY id").fetchall()
        found = (self.survey(row[0]) for row in rows)
        return [one for one in found if one is not None]

    def survey(self, number: int) -> Definition | None:
        """Return one survey, or None."""
        if number not in self._definitions:
            row = self._db.execute("SELECT record FROM surveys WHERE id = ?", (number,)).fetchone()
            if row is None:
                return None
            self._definitions[number] = Definition(json.loads(row[0]))
        return self._definitions[number]

    def count_by_status(self, survey_id: int) -> dict[str, int]:
        """Count responses as the survey object's statistics do; empty when there are none.

        invented: test rows are counted under TestData alone.
        """
        rows = self._db.execute(
            "SELECT CASE WHEN deleted THEN 'Deleted' WHEN is_test THEN 'TestData' ELSE status END"
            " AS kind, COUNT(*) FROM responses WHERE survey_id = ? GROUP BY kind ORDER BY kind",
            (survey_id,),
        )
        return dict(rows.fetchall())

    def count(self, survey_id: int, where: str = "1", values: Iterable[Any] = ()) -> int:
        """Count the responses, but deleted ones, that fulfil an SQL condition of ``filters``."""
        row = self._db.execute(
            f"{_COUNT} AND ({where})",  # `where` holds placeholders for all that a caller sent
            (survey_id, *values),
        ).fetchone()
        return int(row[0])

    def render_page(
        self,
        survey_id: int,
        limit: int,
        offset: int,
        order: str = "id",
        where: str = "1",
        values: Iterable[Any] = (),
    ) -> list[str]:
        """Return the responses of one page, each as JSON."""
        rows = self._db.execute(
            f"{_WIRE} AND ({where}) ORDER BY {order} LIMIT ? OFFSET ?",
            (survey_id, *values, limit, offset),
        ).fetchall()
        new = {row[0]: self._render(json.loads(row[2])) for row in rows if row[2] is not None}
        if new:
            with transaction(self._db):
                self._db.executemany(
                    "UPDATE responses SET wire = ? WHERE survey_id = ? AND id = ?",
                    ((text, survey_id, number) for number, text in new.items()),
                )
        return [new.get(row[0]) or row[1] for row in rows]

    def link_ids(self, survey_id: int) -> list[str]:
        """Return the ids of the links through which responses came, the oldest first."""
        rows = self._db.execute(
            "SELECT json_extract(record, '$.link_id') AS link, MIN(id) AS first FROM responses"
            " WHERE survey_id = ? AND link IS NOT NULL GROUP BY link ORDER BY first",
            (survey_id,),
        )
        return [str(row[0]) for row in rows]

    def contact_statuses(self, survey_id: int) -> dict[str, str]:
        """Return the status of the last response of each contact that answered."""
        rows = self._db.execute(
            "SELECT contact_id, status FROM responses"
            " WHERE survey_id = ? AND deleted = 0 AND contact_id <> '' ORDER BY id",
            (survey_id,),
        )
        return dict(rows.fetchall())

    def response(self, survey_id: int, number: int) -> dict[str, Any] | None:
        """Return the neutral record of one response that is not deleted."""
        row = self._db.execute(f"{_RECORD} AND id = ?", (survey_id, number)).fetchone()
        return json.loads(row[0]) if row else None

    def records(self, survey_id: int, limit: int = -1) -> Iterator[dict[str, Any]]:
        """Return the neutral records of the first (or all) responses that are not deleted."""
        rows = self._db.execute(f"{_RECORD} ORDER BY id LIMIT ?", (survey_id, limit))
        return (json.loads(row[0]) for row in rows)

    def reserve(self, survey_id: int, count: int) -> list[int]:
        """Reserve the next ids of a survey."""
        row = self._db.execute(
            "SELECT COALESCE(MAX(id), 0) FROM responses WHERE survey_id = ?", (survey_id,)
        ).fetchone()
        last = max(int(row[0]), self._reserved.get(survey_id, 0))
        self._reserved[survey_id] = last + count
        return list(range(last + 1, last + count + 1))

    def save_response(self, survey_id: int, record: dict[str, Any]) -> dict[str, Any]:
        """Save a response; without an id it gets the next one of its survey."""
        record = dict(record)
        if record.get("id") is None:
            record["id"] = self.reserve(survey_id, 1)[0]
        self.save_responses(survey_id, [record])
        return record

    def save_responses(self, survey_id: int, records: Iterable[dict[str, Any]]) -> None:
        """Save responses that have ids."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._row(survey_id, record) for record in records),
            )

    def delete_response(self, survey_id: int, number: int) -> None:
        """Mark a response as deleted: no list or filter shows it any more."""
        self._db.execute(
            "UPDATE responses SET deleted = 1, updated = ? WHERE survey_id = ? AND id = ?",
            (time.time(), survey_id, number),
        )

    def _row(self, survey_id: int, record: dict[str, Any]) -> tuple[Any, ...]:
        return (
            survey_id,
            int(record["id"]),
            record["status"],
            int(bool(record.get("is_test_data"))),
            str(record.get("contact_id") or ""),
            record["submitted"],
            record.get("updated") or record["submitted"],
            0,
            _to_json(record),
            "",
        )

    def _render(self, record: dict[str, Any]) -> str:
        return wire.encode(wire.render_response(record, self._settings))


def _to_json(record: dict[str, Any]) -> str:
    from msgspec import json as quick

    try:
        return quick.encode(record).decode()
    except (TypeError, ValueError):  # half a surrogate pair, NaN or infinity
        return json.dumps(record)
