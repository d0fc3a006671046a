"""Who is signed in to what, in one shell.

The magics object owns one ``Session``; there is no module global, so two shells have two sign-ins.
Widget callbacks may arrive on another thread (ipykernel 7.0 to 7.3 in JupyterLab), hence the lock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any, Protocol

from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.forks import in_child
from alchemer_nb.notebook.signin.unfinished import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.notebook.signin.unfinished import Account

NOT_SIGNED_IN = "not signed in: sign in above, then run from here (%alchemer login)"


@dataclass(frozen=True, slots=True)
class Connection:
    """One sign-in: a client that was seen to work, and what the account calls itself.

    Attributes:
        name: What ``switch`` knows it by.
        client: The client.
        organisation: The account's name as Alchemer tells it.
        account_id: The account's id, None where it tells none.
    """

    name: str
    client: Client
    organisation: str
    account_id: str | None = None

    @property
    def account(self) -> Account:
        """What tells the account from all others, whatever credentials lead to it."""
        return self.client.region.api_url, self.account_id

    def status(self, others: tuple[str, ...] = ()) -> Status:
        """Tells what may be shown of it."""
        region = self.client.region
        return Status(
            name=self.name,
            region=region.label,
            host=region.host,
            organisation=self.organisation,
            mode=MODES.get(self.client.credentials.mode, self.client.credentials.mode),
            key=self.client.credentials.masked,
            refused=self.client.refused,
            others=others,
        )


class Panel(Protocol):
    """A sign-in panel, as far as its session knows it."""

    def close(self) -> None:
        """Takes it off the screen."""


class Session:
    """The state of one shell: its connections, the current one, and its running sandbox.

    Attributes:
        box: The sandbox that ``%alchemer demo`` started in this shell, or None.
        panel: The sign-in panel that is in use, or None.
        unfinished: Downloads that ended on their way.
        environment: Credentials that the last login found in the environment, or None.

    Example:
        >>> from alchemer_nb.notebook.signin.session import Session
        >>> Session().names()
        ()
    """

    def __init__(self) -> None:
        self.box: Any = None
        self.panel: Panel | None = None
        self.unfinished = Unfinished()
        self.environment: Credentials | None = None
        self._connections: dict[str, Connection] = {}
        self._current: str | None = None
        self._listeners: list[Callable[[], object]] = []
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()

    @property
    def client(self) -> Client | None:
        """The current client, or None."""
        connection = self.connection
        return connection.client if connection else None

    @property
    def connection(self) -> Connection | None:
        """The current connection, or None."""
        with self._lock:
            return self._connections[self._current] if self._current is not None else None

    def require_client(self) -> Client:
        """Gives the current client; as ``require``."""
        return self.require().client

    def require(self) -> Connection:
        """Gives the current connection.

        Raises:
            ConfigurationError: Nobody is signed in.
        """
        connection = self.connection
        if connection is not None:
            return connection
        names = self.names()
        if names:
            raise ConfigurationError(
                f"no connection is chosen: %alchemer switch NAME (there is {', '.join(names)})"
            )
        raise ConfigurationError(NOT_SIGNED_IN)

    def names(self) -> tuple[str, ...]:
        """Names of the connections, the oldest first."""
        with self._lock:
            return tuple(self._connections)

    def adopt(
        self, client: Client, name: str | None = None, check: Client | None = None
    ) -> Connection:
        """Checks a client with one call and makes it the current connection.

        Args:
            client: The client to use from now on.
            name: What ``switch`` is to know it by; a connection of that name is replaced.
                Where it is left out, the region's name, numbered where that is taken by another
                sign-in.
            check: Makes the call instead, where a person waits who had better be told of trouble
                at once than have it tried again for minutes.

        Raises:
            AlchemerError: The check failed; nothing has changed then.
        """
        asks = check or client
        for known in self.connections():
            same = known.client.credentials == asks.credentials
            if same and _at_same_place(known.client, asks):  # typed once more: one history
                asks.credentials.accepted_by |= known.client.credentials.accepted_by
        account = asks.account()
        organisation, account_id = _first(account, "organization"), _first(account, "id")
        if check is not None:
            client.know_account(account_id)
        with self._lock:
            kept = name or self._free_name(client)
            connection = Connection(kept, client, organisation, account_id or None)
            self._connections[kept] = connection
            self._current = kept
        self._tell()
        return connection

    def switch(self, target: str | Client, name: str | None = None) -> Connection:
        """Makes another connection the current one.

        Args:
            target: The name of a connection, or a client made in Python, which is adopted.
            name: What to call an adopted client.

        Raises:
            InvalidArgument: There is no connection of that name.
            AlchemerError: The check of an adopted client failed.
        """
        if not isinstance(target, str):
            return self.adopt(target, name)
        with self._lock:
            if target not in self._connections:
                known = ", ".join(self._connections) or "none yet: %alchemer login"
                raise InvalidArgument(
                    f"no connection is called {target[:40]!r}; there is: {known}. A client made "
                    "in Python is taken by the name of its variable"
                )
            self._current = target
            connection = self._connections[target]
        self._tell()
        return connection

    def sign_out(self, name: str | None = None) -> Connection | None:
        """Forgets a connection, the current one where no name is given.

        No other connection takes its place: the next download would come from an account that
        nobody chose. The sandbox is stopped with the last connection that leads to it. What had
        come of downloads from the account is forgotten with the last connection to it.

        Returns:
            What was forgotten, or None where nobody was signed in.
        """
        box = None
        with self._lock:
            gone = self._connections.pop(name or self._current or "", None)
            if gone is None:
                return None
            if gone.name == self._current:
                self._current = None
            if self.leads_to_box(gone) and not any(map(self.leads_to_box, self.connections())):
                box, self.box = self.box, None
            self.unfinished.drop_others({one.account for one in self.connections()})
        if box is not None:
            box.stop()
        self._tell()
        return gone

    def connections(self) -> tuple[Connection, ...]:
        """All connections, the oldest first."""
        with self._lock:
            return tuple(self._connections.values())

    def leads_to_box(self, connection: Connection) -> bool:
        """Tells whether a connection is one to this session's sandbox."""
        return self.box is not None and connection.client.region.api_url == self.box.region.api_url

    def status(self) -> Status:
        """Tells who is signed in to what; it never holds a secret."""
        with self._lock:
            connection = self.connection
            others = tuple(name for name in self._connections if name != self._current)
        return connection.status(others) if connection else Status(others=others)

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Has a function called after each sign-in, switch and sign-out.

        Args:
            callback: Called without arguments, outside the lock, on whichever thread made the
                change; it must not raise.

        Returns:
            A function that takes the wish back.
        """
        with self._lock:
            self._listeners.append(callback)

        def forget() -> None:
            with self._lock:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return forget

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _free_name(self, client: Client) -> str:
        """The region's name; a number is added only beside a sign-in with other credentials.

        Credentials that were refused meanwhile give way.
        """
        base = client.region.name
        name, number = base, 1
        while name in self._connections and not _gives_way(self._connections[name].client, client):
            number += 1
            name = f"{base}-{number}"
        return name


def _gives_way(one: Client, other: Client) -> bool:
    return _at_same_place(one, other) and (one.refused or one.credentials == other.credentials)


def _at_same_place(one: Client, other: Client) -> bool:
    return one.region.api_url == other.region.api_url


def _first(account: pd.DataFrame, name: str) -> str:
    """A field of the account, ``""`` where it has none."""
    if name not in account.columns or not len(account):
        return ""
    value = account[name].iloc[0]
    return str(value).strip() if isinstance(value, str | Integral) else ""


MODES = {"api_key": "API key", "oauth1": "OAuth"}


@dataclass(frozen=True, slots=True, repr=False)
class Status:
    """Who is signed in to what; shown by ``%alchemer status`` and by the panel.

    Attributes:
        name: Name of the current connection, or None.
        region: The region's label.
        host: Host of the API.
        organisation: The account's name as Alchemer tells it.
        mode: ``"API key"`` or ``"OAuth"``.
        key: The masked key, at most its last four characters.
        refused: Whether the credentials were refused the last time.
        others: Names of the other connections.
        note: A line of its own below the rest.
    """

    name: str | None = None
    region: str = ""
    host: str = ""
    organisation: str = ""
    mode: str = ""
    key: str = ""
    refused: bool = False
    others: tuple[str, ...] = ()
    note: str = ""

    @property
    def signed_in(self) -> bool:
        """Whether there is a current connection."""
        return self.name is not None

    @property
    def who(self) -> str:
        """The account in words."""
        return self.organisation or "an account without a name"

    @property
    def line(self) -> str:
        """One line of plain text."""
        if not self.signed_in:
            return "Not signed in."
        return f"Signed in to {self.who} · {self.region} ({self.host}) · {self.mode} {self.key}"

    def facts(self) -> list[tuple[str, str]]:
        """Labels and values for a table."""
        if not self.signed_in:
            return []
        return [
            ("Account", self.organisation or "(no name)"),
            ("Region", f"{self.region} ({self.host})"),
            ("Signed in with", f"{self.mode} {self.key}"),
            ("Connection", self.name or ""),
        ]

    def also(self, note: str) -> Status:
        """The same with a line below."""
        return replace(self, note=note)

    @property
    def hint(self) -> str:
        """What to do next, where there is something to do."""
        if self.refused:
            return f"The {self.mode} {self.key} was refused: sign in again with %alchemer login."
        if self.others:
            return f"Other connections: {', '.join(self.others)} (%alchemer switch NAME)"
        return "" if self.signed_in else "Sign in with %alchemer login, or try %alchemer demo."

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.line, self.note, self.hint) if part)

    def _repr_html_(self) -> str:
        # No colours of its own: it has to be readable in a light and in a dark theme.
        rows = "".join(
            f'<tr><th style="text-align:left;font-weight:600;padding:1px 12px 1px 0">{escape(k)}'
            f'</th><td style="text-align:left;padding:1px 0">{escape(v)}</td></tr>'
            for k, v in self.facts()
        )
        table = f'<table style="border:none;margin:0">{rows}</table>' if rows else ""
        top = "" if rows else f"<div>{escape(self.line)}</div>"
        below = "".join(
            f'<div style="opacity:.8">{escape(text)}</div>'
            for text in (self.note, self.hint)
            if text
        )
        return f"<div>{top}{table}{below}</div>"
