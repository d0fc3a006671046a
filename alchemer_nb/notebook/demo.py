"""``%alchemer demo``: start the sandbox in the background and sign in to it."""

from __future__ import annotations

import atexit
import weakref
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from IPython.core.error import StdinNotImplementedError, UsageError

from alchemer_nb.http.regions import is_loopback
from alchemer_nb.notebook.kernel.outputs import add_output
from alchemer_nb.notebook.signin.steps import browser_url
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from alchemer_nb.notebook.signin.session import Connection, Session

NAME = "demo"


@dataclass(slots=True, repr=False)
class RunningSandbox:
    """A sandbox that runs, and the address of its web pages.

    ``%alchemer demo`` shows it at once, even in the middle of a cell, and returns it for
    ``demo = %alchemer demo``. The cell that has shown it does not show it again as its result.

    Attributes:
        box: The ``Sandbox``.
        organisation: Name of its account.
        was_running: Whether it was running already.
    """

    box: Any
    organisation: str
    was_running: bool = False
    _displayed_in: tuple[Any, int] | None = field(default=None, compare=False)

    @property
    def address(self) -> str:
        """The address of its web pages in the browser, on JupyterHub and Binder, too."""
        return browser_url(f"{self.box.url}/")

    @property
    def log_in(self) -> str:
        """Who logs in to its web pages, as they are shown; the password is no secret."""
        return f"user {self.box.username}, password {self.box.password}"

    @property
    def line(self) -> str:
        """The first line of what is shown."""
        state = "was running already" if self.was_running else "runs"
        return (
            f"The sandbox {state}: a local stand-in for Alchemer with invented data. Signed in to "
            f"{self.organisation}."
        )

    def __repr__(self) -> str:
        return (
            f"{self.line}\nIts web pages: {self.address} ({self.log_in})\nNext: %alchemer surveys"
        )

    def mark_displayed(self, shell: Any) -> None:
        """Record that the running cell has displayed it already."""
        self._displayed_in = (shell, shell.execution_count)

    def _ipython_display_(self) -> None:
        if (
            self._displayed_in is None
            or self._displayed_in[0].execution_count != self._displayed_in[1]
        ):
            add_output({"text/plain": repr(self), "text/html": self._repr_html_()})

    def _repr_html_(self) -> str:
        link = escape(self.address)
        return (
            f'<div>{escape(self.line)}</div><div>Its web pages: <a href="{link}" target="_blank" '
            f'rel="noopener noreferrer">{link}</a> ({escape(self.log_in)})</div>'
            '<div style="opacity:.8">Next: %alchemer surveys</div>'
        )


def demo(session: Session, responses: int | None = None) -> RunningSandbox:
    """Start the sandbox unless it is running, and make it the current connection.

    Args:
        session: The shell's session, which stops the sandbox at the last sign-out.
        responses: How many responses the largest demo survey has.

    Raises:
        UsageError: Somebody is signed in to a real account and does not confirm, or cannot be
            asked; or the running sandbox has another number of responses.
    """
    if responses is not None and responses < 0:
        raise UsageError(f"--responses: expected 0 or more, got `{responses}`")
    _confirm_switch(session.connection)
    if session.box is None or not session.box.running:
        connection = _start(session, responses)
        return RunningSandbox(session.box, connection.organisation)
    current = session.box.settings.responses
    if responses not in (None, current):
        raise UsageError(
            f"the sandbox is running already, with {counted(current, 'response')}; %alchemer "
            "logout demo stops it"
        )
    return RunningSandbox(session.box, _sign_in(session).organisation, was_running=True)


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
    # A weak reference, so that the sandbox of a deleted session can be freed.
    atexit.register(_stop, weakref.ref(box))
    return connection


def _sign_in(session: Session) -> Connection:
    from alchemer_nb.client.client import Client
    from alchemer_nb.http.credentials import ApiKey

    box = session.box
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    return session.adopt(client, NAME, source="the sandbox")


def _confirm_switch(connection: Connection | None) -> None:
    """Ask before the sandbox becomes the current connection in place of a real account."""
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
