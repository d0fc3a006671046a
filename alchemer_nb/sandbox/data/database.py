"""The SQLite connection and its transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def connect(db: str | None) -> sqlite3.Connection:
    """Open a file, or a database in memory if no file is named.

    Raises:
        OSError: The file cannot be made.
        ValueError: The file is something else.
    """
    if db is None or db == ":memory:":
        return sqlite3.connect(":memory:", isolation_level=None)
    path = Path(db)
    path.touch(mode=0o600)  # it holds keys: only their owner may read it
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ValueError(f"{db} cannot be used as a sandbox's file: {error}") from None
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run all of it or nothing; it may be inside another transaction."""
    connection.execute("SAVEPOINT step")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO step")
        connection.execute("RELEASE step")
        raise
    connection.execute("RELEASE step")
