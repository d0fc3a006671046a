"""Users of the sandbox's account and their API keys.

A key belongs to a user; a new key kills that user's old one at once and nobody else's (vendor's
page *authentication*). Replaced keys stay known, because Alchemer answers differently to a key
that was replaced and to one that never was.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.data.database import transaction

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, email TEXT UNIQUE NOT NULL,
    admin INTEGER NOT NULL, status TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL,
    last_login REAL);
CREATE TABLE IF NOT EXISTS api_keys (
    token TEXT PRIMARY KEY, secret TEXT NOT NULL, user_id INTEGER NOT NULL REFERENCES users(id),
    created REAL NOT NULL, replaced INTEGER NOT NULL DEFAULT 0);
"""
# The passwords of a sandbox are shown on its pages: a low cost makes it start quickly.
_SCRYPT = {"n": 2**12, "r": 8, "p": 1}
_SELECT = "SELECT id, name, email, admin, status, last_login FROM users"


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in to the account."""

    id: int
    name: str
    email: str
    admin: bool
    status: str
    last_login: float | None

    @property
    def active(self) -> bool:
        """Whether the user may log in and call."""
        return self.status == "Active"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key pair; its text form hides the secret."""

    token: str
    secret: str
    created: float

    def __repr__(self) -> str:
        return f"Key(…{self.token[-4:]})"


class Accounts:
    """The users of the account and their keys, in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.executescript(SCHEMA)

    def add(self, name: str, email: str, password: str, *, admin: bool, status: str) -> User:
        """Add a user; store the password as a scrypt hash only."""
        salt = secrets.token_bytes(16)
        cursor = self._db.execute(
            "INSERT INTO users (name, email, admin, status, salt, hash) VALUES (?, ?, ?, ?, ?, ?)",
            (name, email, int(admin), status, salt, _hash(password, salt)),
        )
        return self.user(int(cursor.lastrowid or 0))

    def user(self, user_id: int) -> User:
        """Return a user by id; raise KeyError if there is none."""
        row = self._db.execute(f"{_SELECT} WHERE id = ?", (user_id,)).fetchone()
        if row is None:
            raise KeyError(user_id)
        return _user(row)

    def users(self) -> list[User]:
        """Return all users, by ascending id."""
        rows = self._db.execute(f"{_SELECT} ORDER BY id")
        return [_user(row) for row in rows]

    def log_in(self, name: str, password: str) -> User | None:
        """Return the user of a name (or e-mail address) and password, None if they do not fit."""
        row = self._db.execute(
            "SELECT id, salt, hash FROM users WHERE name = :who OR email = :who",
            {"who": name.strip()},
        ).fetchone()
        # An unknown name costs the same time as a wrong password.
        salt, stored = (row[1], row[2]) if row else (b"\0" * 16, b"")
        fits = hmac.compare_digest(_hash(password, salt), stored)
        if row is None or not fits:
            return None
        user = self.user(row[0])
        if not user.active:
            return None
        self._db.execute("UPDATE users SET last_login = ? WHERE id = ?", (time.time(), user.id))
        return user

    def key(self, user_id: int) -> Key | None:
        """Return the current key of a user, or None."""
        row = self._db.execute(
            "SELECT token, secret, created FROM api_keys WHERE user_id = ? AND NOT replaced",
            (user_id,),
        ).fetchone()
        return Key(*row) if row else None

    def make_key(self, user_id: int) -> Key:
        """Make a key for a user; the one before it stops working.

        The shapes are those of the vendor's examples: about 50 hex digits, and 13 characters
        that begin with ``A9``.
        """
        self.user(user_id)
        key = Key(secrets.token_hex(25), "A9" + secrets.token_hex(6)[:11], time.time())
        with transaction(self._db):
            self._db.execute("UPDATE api_keys SET replaced = 1 WHERE user_id = ?", (user_id,))
            self._db.execute(
                "INSERT INTO api_keys (token, secret, user_id, created) VALUES (?, ?, ?, ?)",
                (key.token, key.secret, user_id, key.created),
            )
        return key

    def holder(self, token: str, secret: str) -> tuple[User, bool] | None:
        """Return the user of a key pair and whether it was replaced; None for a wrong pair."""
        row = self._db.execute(
            "SELECT secret, user_id, replaced FROM api_keys WHERE token = ?", (token,)
        ).fetchone()
        if row is None or not hmac.compare_digest(row[0].encode(), secret.encode()):
            return None
        return self.user(row[1]), bool(row[2])


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)


def _user(row: tuple[int, str, str, int, str, float | None]) -> User:
    number, name, email, admin, status, last_login = row
    return User(number, name, email, bool(admin), status, last_login)
