"""Who is signed in to what, in one shell.

The magics object owns one ``Session``; there is no module global, so two shells have two sessions.
Widget callbacks may arrive on another thread (ipykernel 7.0 to 7.3 in JupyterLab), hence the lock.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from alchemer_nb.errors import ConfigurationError, DownloadIncomplete, InvalidArgument
from alchemer_nb.forks import renew_after_fork
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from alchemer_nb.auth.lookup import FoundCredentials
    from alchemer_nb.client.client import Client
    from alchemer_nb.http.credentials import Credentials

    Account = tuple[str, str | None]
    DownloadKey = tuple[Account, str]

KEY, OAUTH = "api_key", "oauth1"  # the `mode` of credentials
MODES = {KEY: "API key", OAUTH: "OAuth"}
_MOST_UNFINISHED = 3  # each holds all rows that were downloaded


@dataclass(frozen=True, slots=True)
class Connection:
    """A client whose credentials have worked, and the account that they belong to.

    Attributes:
        name: Name for ``%alchemer switch``.
        client: The client.
        organisation: Name of the account at Alchemer, ``""`` if it has none.
        account_id: Id of the account at Alchemer, None if the reply had none.
        source: Where the credentials come from, in words.
        looked_at: The places that were looked at for them, in order.
        variable: Name of the variable that the client was taken from; ``""`` for none.
    """

    name: str
    client: Client
    organisation: str
    account_id: str | None = None
    source: str = ""
    looked_at: tuple[str, ...] = ()
    variable: str = ""

    @property
    def account(self) -> Account:
        """Region and id of the account: the same for all credentials of one account."""
        return self.client.region.api_url, self.account_id

    def download_key(self, survey: Any, options: Mapping[str, Any]) -> DownloadKey:
        """Return a key that is equal for two downloads of the same frame from the same account.

        Args:
            survey: Id or title.
            options: The arguments of ``Client.responses``.
        """
        same = {name: value for name, value in options.items() if name != "fresh"}
        return self.account, json.dumps([str(survey), same], sort_keys=True, default=str)


class Panel(Protocol):
    """What the session needs of a sign-in panel."""

    def close(self) -> None:
        """Remove the panel from the page."""


class Session:
    """The connections of one shell, the current one, and the sandbox that runs.

    Attributes:
        box: The sandbox that ``%alchemer demo`` started in this shell, or None.
        panel: The sign-in panel that is shown, or None.
        unfinished: Downloads that broke off.
        found: What the last login found, or None.
        environment: Credentials that the last login found without their region, or None.
        signed_out: Whether a person has signed out since the last sign-in: then no command but
            login signs in.

    Example:
        >>> from alchemer_nb.notebook.signin.session import Session
        >>> Session().names()
        ()
    """

    def __init__(self) -> None:
        self.box: Any = None
        self.panel: Panel | None = None
        self.unfinished = UnfinishedDownloads()
        self.found: FoundCredentials | None = None
        self.environment: Credentials | None = None
        self.signed_out = False
        self._connections: dict[str, Connection] = {}
        self._current: str | None = None
        self._listeners: list[Callable[[], object]] = []
        self._make_lock()
        renew_after_fork(self._make_lock)

    def _make_lock(self) -> None:
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

    def require(self) -> Connection:
        """Return the current connection.

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
        if self.panel is not None:
            raise ConfigurationError(
                "not signed in: sign in above, then run from here (%alchemer login)"
            )
        why = ", as you signed out" if self.signed_out else ""
        raise ConfigurationError(
            f"not signed in{why}: run %alchemer login, then run from here",
            hint="" if self.signed_out else "%alchemer demo works without an account",
        )

    def names(self) -> tuple[str, ...]:
        """Return the names of the connections, the oldest first."""
        return tuple(connection.name for connection in self.connections())

    def connections(self) -> tuple[Connection, ...]:
        """Return all connections, the oldest first."""
        with self._lock:
            return tuple(self._connections.values())

    def known_regions(self) -> set[str]:
        """Return the addresses of the regions in which somebody is signed in."""
        return {connection.client.region.api_url for connection in self.connections()}

    def adopt(
        self,
        client: Client,
        name: str | None = None,
        *,
        retries: int | None = None,
        source: str = "what you typed",
        variable: str = "",
    ) -> Connection:
        """Check the credentials of a client with one call, and make it the current connection.

        Args:
            client: The client to use from now on.
            name: Name of the connection, which replaces one of the same name; None takes the
                region's name, with a number if another account has it.
            retries: Attempts of the call at most; None for the client's policy.
            source: Where the credentials come from, in words, if the last login did not find them.
            variable: Name of the variable that the client was taken from; ``""`` for none.

        Raises:
            AuthenticationError: The credentials were refused; nothing was changed.
            ApiError, TransportError: As for any call; nothing was changed.
        """
        client.credentials.known_regions |= self.known_regions()
        for known in self.connections():
            same = known.client.credentials == client.credentials
            if same and _have_same_region(known.client, client):
                # The same credentials again: an error can then say that they have worked before.
                client.credentials.accepted_by |= known.client.credentials.accepted_by
        account = client.read_account(retries=retries)
        organisation, account_id = _read_text(account, "organization"), _read_text(account, "id")
        found, looked_at = self.found, tuple[str, ...]()
        if found is not None and found.credentials == client.credentials:
            source, looked_at = found.source, found.looked_at
        with self._lock:
            name = name or self._choose_name(client)
            connection = Connection(
                name, client, organisation, account_id or None, source, looked_at, variable
            )
            self.signed_out = False
            replaced = self._connections.get(name)
            self._connections[name] = connection
            self._current = name
            box = self._release(replaced) if replaced else None
        if box is not None:
            box.stop()
        self._notify()
        return connection

    def switch(self, name: str) -> None:
        """Make another connection the current one.

        Raises:
            InvalidArgument: There is no connection of that name.
        """
        with self._lock:
            if name not in self._connections:
                known = ", ".join(self._connections)
                there = f"; there is {known}" if known else ", and there is none yet"
                raise InvalidArgument(
                    f"no connection is called {name[:40]!r}{there}",
                    hint="%alchemer login makes one. For a client made in Python, give the name of "
                    "its variable",
                )
            self._current = name
        self._notify()

    def sign_out(self, name: str | None = None) -> Connection | None:
        """Remove a connection, the current one where no name is given.

        No other connection becomes the current one: the next download would come from an account
        that nobody chose. The last connection to the sandbox stops it; the last connection to an
        account removes its unfinished downloads.

        Returns:
            The removed connection, or None where nobody was signed in.
        """
        with self._lock:
            self.signed_out = True
            removed = self._connections.pop(name or self._current or "", None)
            if removed is None:
                return None
            if removed.name == self._current:
                self._current = None
            box = self._release(removed)
        if box is not None:
            box.stop()
        self._notify()
        return removed

    def _release(self, removed: Connection) -> Any:
        """Forget what a removed connection alone has; return the sandbox to stop, or None."""
        box = None
        if self._uses_sandbox(removed) and not any(map(self._uses_sandbox, self.connections())):
            box, self.box = self.box, None
        self.unfinished.keep_only({each.account for each in self.connections()})
        return box

    def status(self) -> Status:
        """Return who is signed in to what, without any secret."""
        with self._lock:
            connection = self.connection
            others = tuple(name for name in self._connections if name != self._current)
        if connection is None:
            return Status(others=others)
        client = connection.client
        return Status(
            name=connection.name,
            region=client.region.label,
            host=client.region.host,
            organisation=connection.organisation,
            mode=MODES.get(client.credentials.mode, client.credentials.mode),
            key=client.credentials.masked,
            scope=_describe_scope(client.credentials),
            origin=_describe_origin(connection),
            refused=client.refused,
            others=others,
        )

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Register a function that is called after each sign-in, switch and sign-out.

        Args:
            callback: Called without arguments, outside the lock, on the thread that made the
                change; it must not raise.

        Returns:
            A function that removes the callback.
        """
        with self._lock:
            self._listeners.append(callback)

        def remove() -> None:
            with self._lock:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return remove

    def _notify(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _uses_sandbox(self, connection: Connection) -> bool:
        return self.box is not None and connection.client.region.api_url == self.box.region.api_url

    def _choose_name(self, client: Client) -> str:
        """Return the region's name, with a number if a connection that stays has it."""
        base = client.region.name
        name, number = base, 1
        while name in self._connections and not _is_replaced_by(
            client, self._connections[name].client
        ):
            number += 1
            name = f"{base}-{number}"
        return name


def _describe_scope(credentials: Credentials) -> str:
    three_legged = getattr(credentials, "three_legged", None)
    if three_legged is None:
        return "the user whose API key it is"
    if three_legged:
        return "the user who allowed it in the browser"
    return "the user who registered the application"


def _describe_origin(connection: Connection) -> str:
    places = connection.looked_at
    looked_at = f"; looked at: {', '.join(places)}" if len(places) > 1 else ""
    return f"{connection.source}{looked_at}"


def _is_replaced_by(new: Client, old: Client) -> bool:
    same = old.credentials == new.credentials
    return _have_same_region(old, new) and (old.refused or same)


def _have_same_region(one: Client, other: Client) -> bool:
    return one.region.api_url == other.region.api_url


def _read_text(account: Mapping[str, Any], name: str) -> str:
    value = account.get(name)
    is_given = isinstance(value, str | int) and not isinstance(value, bool)
    return make_visible(str(value).strip()) if is_given else ""


class UnfinishedDownloads:
    """The last downloads that broke off, so that the same cell can resume them; in memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: dict[DownloadKey, DownloadIncomplete] = {}

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, key: DownloadKey, error: DownloadIncomplete) -> None:
        """Add a download if it can be resumed, and remove the oldest if there are too many."""
        if not error.resumable:
            return
        with self._lock:
            self._errors.pop(key, None)
            self._errors[key] = error
            for oldest in list(self._errors)[:-_MOST_UNFINISHED]:
                del self._errors[oldest]

    def find(self, key: DownloadKey) -> DownloadIncomplete | None:
        """Return the error that a download ended with, or None."""
        with self._lock:
            return self._errors.get(key)

    def remove(self, key: DownloadKey) -> None:
        """Remove a download that has ended."""
        with self._lock:
            self._errors.pop(key, None)

    def keep_only(self, accounts: Collection[Account]) -> None:
        """Remove the downloads of all other accounts."""
        with self._lock:
            self._errors = {key: e for key, e in self._errors.items() if key[0] in accounts}


@dataclass(frozen=True, slots=True, repr=False)
class Status:
    """Who is signed in to what; shown by ``%alchemer status`` and by the panel.

    Attributes:
        name: Name of the current connection, or None.
        region: Label of its region.
        host: Host of the API.
        organisation: Name of the account at Alchemer.
        mode: ``"API key"`` or ``"OAuth"``.
        key: The masked key, at most its last four characters.
        scope: For which user calls are made, in words.
        origin: Where the credentials come from, and the places that were looked at.
        refused: Whether Alchemer refused the credentials the last time.
        others: Names of the other connections.
        note: A line below the rest.
    """

    name: str | None = None
    region: str = ""
    host: str = ""
    organisation: str = ""
    mode: str = ""
    key: str = ""
    scope: str = ""
    origin: str = ""
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
    def parts(self) -> tuple[str, ...]:
        """The status in one line: account, region and credentials."""
        if not self.signed_in:
            return ("Not signed in.",)
        region = f"{self.region} ({self.host})"
        return f"Signed in to {self.who}", region, f"{self.mode} {self.key}"

    @property
    def line(self) -> str:
        """The same parts as plain text."""
        return " · ".join(self.parts)

    @property
    def hint(self) -> str:
        """What to do next, or ``""``."""
        if self.refused:
            return f"The {self.mode} {self.key} was refused: sign in again with %alchemer login."
        if self.others:
            return f"Other connections: {', '.join(self.others)} (%alchemer switch NAME)"
        return "" if self.signed_in else "Sign in with %alchemer login, or try %alchemer demo."

    def with_note(self, note: str) -> Status:
        """Return the same status with a note."""
        return replace(self, note=note)

    def with_receipt(self, receipt: str) -> Status:
        """Return the same status with a note that says where the credentials come from."""
        return replace(self, note=receipt, origin="")

    def __repr__(self) -> str:
        scope = f"Calls are made for {self.scope}." if self.scope else ""
        origin = f"Credentials from {self.origin}." if self.origin else ""
        return "\n".join(filter(None, (self.line, scope, origin, self.note, self.hint)))

    def _repr_html_(self) -> str:
        # No colours of its own: it must be readable in a light and in a dark theme.
        below = "".join(
            f'<div style="opacity:.8">{escape(text)}</div>'
            for text in (self.note, self.hint)
            if text
        )
        if not self.signed_in:
            return f"<div><div>{escape(self.line)}</div>{below}</div>"
        rows = "".join(
            f'<tr><th style="text-align:left;font-weight:600;padding:1px 12px 1px 0">{label}'
            f'</th><td style="text-align:left;padding:1px 0">{escape(value)}</td></tr>'
            for label, value in (
                ("Account", self.organisation or "(no name)"),
                ("Region", f"{self.region} ({self.host})"),
                ("Signed in with", f"{self.mode} {self.key}"),
                ("Calls are made for", self.scope),
                ("Credentials from", self.origin),
                ("Connection", self.name or ""),
            )
            if value
        )
        return f'<div><table style="border:none;margin:0">{rows}</table>{below}</div>'
