"""The OAuth 1.0a state: applications, request tokens, access tokens, used nonces.

Consumer keys and tokens have 41 hex digits and secrets 32, as in every sample that was seen.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS applications (
    consumer_key TEXT PRIMARY KEY, consumer_secret TEXT NOT NULL, title TEXT NOT NULL,
    description TEXT NOT NULL, user_id INTEGER NOT NULL REFERENCES users(id),
    created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS request_tokens (
    token TEXT PRIMARY KEY, secret TEXT NOT NULL, consumer_key TEXT NOT NULL,
    callback TEXT NOT NULL, created REAL NOT NULL, state TEXT NOT NULL DEFAULT 'new',
    user_id INTEGER, verifier TEXT);
CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY, secret TEXT NOT NULL, consumer_key TEXT NOT NULL,
    user_id INTEGER NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS nonces (
    consumer_key TEXT, token TEXT, timestamp INTEGER, nonce TEXT,
    PRIMARY KEY (consumer_key, token, timestamp, nonce)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonces_age ON nonces (timestamp);
"""
TIMESTAMP_LIFETIME = 300  # seconds a signature may be off; invented: no source documents Alchemer's


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application and its consumer pair."""

    consumer_key: str
    consumer_secret: str
    title: str
    description: str
    user_id: int
    created: float

    def __repr__(self) -> str:
        return f"Application({self.title!r}, …{self.consumer_key[-4:]})"


@dataclass(frozen=True, slots=True)
class RequestToken:
    """A sign-in that was started: ``new``, ``allowed`` or ``denied``."""

    token: str
    secret: str
    consumer_key: str
    callback: str
    created: float
    state: str
    user_id: int | None
    verifier: str | None

    def __repr__(self) -> str:
        return f"RequestToken(…{self.token[-4:]}, {self.state})"


def new_token() -> str:
    """Make a consumer key or token of 41 hex digits."""
    return secrets.token_hex(21)[:41]


def new_secret() -> str:
    """Make a secret of 32 hex digits."""
    return secrets.token_hex(16)


class Grants:
    """Applications and tokens in SQLite."""

    def __init__(self, connection: sqlite3.Connection, ttl: float) -> None:
        self._db = connection
        self._db.executescript(SCHEMA)
        self._ttl = ttl

    def register(self, title: str, description: str, user_id: int) -> Application:
        """Register an application for a user, with a new consumer pair."""
        made = Application(new_token(), new_secret(), title, description, user_id, time.time())
        self._db.execute(
            "INSERT INTO applications VALUES (?, ?, ?, ?, ?, ?)",
            (
                made.consumer_key,
                made.consumer_secret,
                made.title,
                made.description,
                made.user_id,
                made.created,
            ),
        )
        return made

    def application(self, consumer_key: str) -> Application | None:
        """Return an application by its consumer key."""
        row = self._db.execute(
            "SELECT * FROM applications WHERE consumer_key = ?", (consumer_key,)
        ).fetchone()
        return Application(*row) if row else None

    def applications(self, user_id: int) -> list[Application]:
        """Return the applications that a user registered, the oldest first."""
        rows = self._db.execute(
            "SELECT * FROM applications WHERE user_id = ? ORDER BY created", (user_id,)
        )
        return [Application(*row) for row in rows]

    def begin(self, token: str, secret: str, consumer_key: str, callback: str) -> None:
        """Store a new request token."""
        self._db.execute(
            "INSERT INTO request_tokens (token, secret, consumer_key, callback, created)"
            " VALUES (?, ?, ?, ?, ?)",
            (token, secret, consumer_key, callback, time.time()),
        )

    def request_token(self, token: str) -> RequestToken | None:
        """Return a request token that exists and has not expired."""
        row = self._db.execute("SELECT * FROM request_tokens WHERE token = ?", (token,)).fetchone()
        if row is None:
            return None
        found = RequestToken(*row)
        return found if time.time() - found.created < self._ttl else None

    def allow(self, token: str, user_id: int) -> str:
        """Store the consent of a user and return the verifier (invented: its shape)."""
        verifier = secrets.token_hex(10)
        self._db.execute(
            "UPDATE request_tokens SET state = 'allowed', user_id = ?, verifier = ?"
            " WHERE token = ? AND state = 'new'",
            (user_id, verifier, token),
        )
        return verifier

    def deny(self, token: str) -> None:
        """Store a denial; the token cannot be used any more."""
        self._db.execute(
            "UPDATE request_tokens SET state = 'denied' WHERE token = ? AND state = 'new'", (token,)
        )

    def forget(self, token: str) -> None:
        """Remove a request token that was exchanged for an access token."""
        self._db.execute("DELETE FROM request_tokens WHERE token = ?", (token,))

    def grant(self, token: str, secret: str, consumer_key: str, user_id: int) -> None:
        """Store an access token; it does not expire (no source shows one that did)."""
        self._db.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?)",
            (token, secret, consumer_key, user_id, time.time()),
        )

    def access(self, consumer_key: str, token: str) -> tuple[str, int] | None:
        """Return secret and user of an access token of this application."""
        row = self._db.execute(
            "SELECT secret, user_id FROM access_tokens WHERE token = ? AND consumer_key = ?",
            (token, consumer_key),
        ).fetchone()
        return (row[0], row[1]) if row else None

    def use_nonce(self, consumer_key: str, token: str, timestamp: int, nonce: str) -> bool:
        """Store a nonce; return False if it was used before."""
        # What is older than any accepted timestamp cannot be replayed and need not be stored.
        self._db.execute(
            "DELETE FROM nonces WHERE timestamp < ?", (int(time.time()) - 2 * TIMESTAMP_LIFETIME,)
        )
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO nonces VALUES (?, ?, ?, ?)",
            (consumer_key, token, timestamp, nonce),
        )
        return cursor.rowcount == 1
