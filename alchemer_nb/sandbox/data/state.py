"""All data of a sandbox, behind one SQLite connection of the server's thread."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.data.accounts import Accounts
from alchemer_nb.sandbox.data.database import connect, transaction
from alchemer_nb.sandbox.data.grants import Grants
from alchemer_nb.sandbox.data.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.sandbox.settings import Settings


class State:
    """Users, keys, applications, tokens, surveys and responses.

    Args:
        settings: The sandbox's switches. ``settings.db`` names the file; without one all is in
            memory and gone when the sandbox stops.

    Raises:
        ValueError: The file belongs to an account of another region.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._db = connect(settings.db)
        filters.add_functions(self._db)
        self._db.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT)")
        self.accounts = Accounts(self._db)
        self.grants = Grants(self._db, settings.request_token_ttl)
        self.library = Library(self._db, settings)
        self._check_file()

    @property
    def cookie_secret(self) -> str:
        """The secret of the console's session cookies, which the file stores."""
        return self._read_or_create("cookie_secret", lambda: secrets.token_hex(32))

    @property
    def is_empty(self) -> bool:
        """Whether the state has not been filled yet."""
        return self.read("filled") is None

    def fill(self, work: Callable[[State], None]) -> None:
        """Run the work that fills an empty state, and record that it was completed."""
        with transaction(self._db):
            work(self)
            self.write("filled", "yes")

    @property
    def teams(self) -> dict[str, str]:
        """Name of each team by its id."""
        return dict(json.loads(self.read("teams") or "{}"))

    def write(self, name: str, value: str) -> None:
        """Store a text."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _check_file(self) -> None:
        region = self._read_or_create("region", lambda: self.settings.region)
        if region != self.settings.region:
            self._db.close()
            raise ValueError(
                f"{self.settings.db} holds an account of region {region!r}; an account lives in one"
                f" region, so start the sandbox with region={region!r} or with another file"
            )
        form = self._read_or_create("form", lambda: self.settings.form)
        if form != self.settings.form:
            self.library.discard_rendered()
            self.write("form", self.settings.form)

    def _read_or_create(self, name: str, make: Callable[[], str]) -> str:
        value = self.read(name)
        if value is None:
            value = make()
            self.write(name, value)
        return value

    def read(self, name: str) -> str | None:
        """Return a stored text, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None
