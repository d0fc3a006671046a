"""``%alchemer demo``: the sandbox in the background, signed in to."""

from __future__ import annotations

import atexit
import weakref
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from IPython.core.error import StdinNotImplementedError, UsageError

from alchemer_nb.http.regions import is_loopback
from alchemer_nb.notebook.signin.steps import browser_url

if TYPE_CHECKING:
    from alchemer_nb.notebook.signin.session import Connection, Session

NAME = "demo"


@dataclass(slots=True, repr=False)
class Running:
    """A sandbox that runs, and how a person gets to its pages.

    ``%alchemer demo`` shows it at once, in the middle of a cell too, and also gives it, so that
    ``demo = %alchemer demo`` has it: so the cell that has shown it does not show it again.

    Attributes:
        box: The ``Sandbox``; its ``password`` goes with the user name below.
        organisation: What its account calls itself.
        again: Whether it ran before.
    """

    box: Any
    organisation: str
    again: bool = False
    _shown: tuple[Any, int] | None = field(default=None, compare=False)

    @property
    def address(self) -> str:
        """Where a browser finds its pages, on JupyterHub and Binder too."""
        return browser_url(f"{self.box.url}/")

    @property
    def line(self) -> str:
        """What runs."""
        state = "was running already" if self.again else "runs"
        return (
            f"The sandbox {state}: a local stand-in for Alchemer with invented data. Signed in to "
            f"{self.organisation}."
        )

    def __repr__(self) -> str:
        return (
            f"{self.line}\nIts web pages: {self.address} (log in as {self.box.username})\n"
            "Next: %alchemer surveys"
        )

    def shown_by(self, shell: Any) -> None:
        """Notes that the running cell has shown it."""
        self._shown = (shell, shell.execution_count)

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if self._shown is None or self._shown[0].execution_count != self._shown[1]:
            bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
            publish_display_data(bundle)  # type: ignore[no-untyped-call]  # IPython has no hints

    def _repr_html_(self) -> str:
        link = escape(self.address)
        return (
            f'<div>{escape(self.line)}</div><div>Its web pages: <a href="{link}" target="_blank" '
            f'rel="noopener noreferrer">{link}</a> (log in as {escape(self.box.username)})</div>'
            '<div style="opacity:.8">Next: %alchemer surveys</div>'
        )


def demo(session: Session, responses: int | None = None) -> Running:
    """Starts the sandbox, or finds the running one, and makes it the current connection.

    Args:
        session: The shell's session; it holds the sandbox and stops it at the last sign-out.
        responses: How many responses the largest demo survey has.

    Raises:
        UsageError: A real account is signed in and the user does not want to leave it, or cannot
            be asked; or the running sandbox has another number of responses.
    """
    if responses is not None and responses < 0:
        raise UsageError(f"--responses: expected 0 or more, got `{responses}`")
    _leave(session.connection)
    if session.box is None or not session.box.running:
        connection = _start(session, responses)
        return Running(session.box, connection.organisation)
    running = session.box.settings.responses
    if responses not in (None, running):
        raise UsageError(
            f"the sandbox is running already, with {running} responses; %alchemer logout demo "
            "stops it"
        )
    return Running(session.box, _sign_in(session).organisation, again=True)


def _start(session: Session, responses: int | None) -> Connection:
    from alchemer_nb.sandbox import Sandbox

    box = Sandbox() if responses is None else Sandbox(responses=responses)
    box.start()
    session.box = box
    try:
        connection = _sign_in(session)
    except BaseException:
        session.box = None
        box.stop()
        raise
    # A weak reference: the sandbox of a session that has gone must not live until the end.
    atexit.register(_stop, weakref.ref(box))
    return connection


def _sign_in(session: Session) -> Connection:
    from alchemer_nb.client.client import Client
    from alchemer_nb.http.credentials import ApiKey

    box = session.box
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    return session.adopt(client, NAME)


def _leave(connection: Connection | None) -> None:
    """Asks before the data of a real account give way to invented ones."""
    if connection is None or is_loopback(urlsplit(connection.client.region.api_url).hostname):
        return
    who = connection.organisation or connection.name
    try:
        answer = input(
            f"{who} is signed in. Work in the sandbox from here on? %alchemer switch "
            f"{connection.name} leads back. [y/N] "
        )
    except (StdinNotImplementedError, EOFError, OSError):
        answer = ""
    if answer.strip().casefold() not in ("y", "yes"):
        raise UsageError(f"{who} stays signed in and no demo was started; %alchemer logout first")


def _stop(reference: weakref.ref[Any]) -> None:
    box = reference()
    if box is not None:
        box.stop()
