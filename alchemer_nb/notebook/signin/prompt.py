"""Signing in at a prompt, for front ends without widgets: nothing that is typed is shown."""

from __future__ import annotations

import getpass
import warnings
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.signin.browser_address import for_browser
from alchemer_nb.notebook.signin.steps import (
    CONSUMER,
    CONSUMER_SECRET,
    TOKEN,
    TOKEN_SECRET,
    FieldError,
    SignIn,
)

if TYPE_CHECKING:
    from alchemer_nb.http.regions import Region
    from alchemer_nb.notebook.signin.session import Session, Status


class SignInLink:
    """The address of the log-in page, shown for a person to open.

    Args:
        address: The address.
        host: What is shown of it beside the link.
    """

    def __init__(self, address: str, host: str) -> None:
        self._address, self._host = address, host

    def __repr__(self) -> str:
        return f"Open this address, log in and allow:\n{self._address}"

    def _repr_html_(self) -> str:
        return (
            f'<div><a href="{escape(self._address)}" target="_blank" rel="noopener noreferrer">'
            f"Open the log-in page</a> on {escape(self._host)}: log in, allow, then copy the "
            "address of the page you land on, even if it does not load.</div>"
        )


def ask(session: Session, region: Region, mode: str, profile: str | None = None) -> Status:
    """Asks for credentials with getpass and signs in.

    Args:
        session: Gets the connection.
        region: Where to sign in.
        mode: ``"api_key"`` or ``"oauth1"``.
        profile: Unused at a prompt: nothing is remembered there.

    Raises:
        ConfigurationError: Nothing can be asked here.
        AlchemerError: What was typed does not do, or the server could not be asked.
    """
    steps = SignIn(session, profile)
    try:
        if mode == "api_key":
            _with_key(steps, region)
        else:
            _with_oauth(steps, region)
    except FieldError as error:
        trouble = error.cause or ConfigurationError("nothing was typed, so nobody is signed in")
    else:
        return session.status()
    finally:
        steps.stop()
    raise trouble


def _with_key(steps: SignIn, region: Region) -> None:
    first = _hidden(f"API key for {region.app_host} (or key and secret key together): ")
    values = {TOKEN: first}
    if len(first.reveal().split()) == 1 and "://" not in first.reveal():
        values[TOKEN_SECRET] = _hidden("API secret key: ")
    steps.with_key(values, region)


def _with_oauth(steps: SignIn, region: Region) -> None:
    from IPython.display import display

    values = {
        CONSUMER: _hidden(f"Consumer key for {region.app_host}: "),
        CONSUMER_SECRET: _hidden("Consumer secret: "),
    }
    address = steps.get_link(values, region)
    display(SignInLink(for_browser(address), urlsplit(address).netloc))  # type: ignore[no-untyped-call]  # IPython has no hints
    pasted = _hidden("Address you land on, or the code shown (empty once this page has it): ")
    caught = steps.caught() if not pasted.reveal().strip() else None
    steps.finish(caught or pasted)


def _hidden(question: str) -> Secret:
    """Asks without an echo; where that is not possible, does not ask at all."""
    from IPython.core.error import StdinNotImplementedError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return Secret(getpass.getpass(question))
    except (StdinNotImplementedError, EOFError, OSError, getpass.GetPassWarning):
        pass
    raise ConfigurationError(
        "nothing can be asked here without showing it: set ALCHEMER_API_TOKEN and "
        "ALCHEMER_API_TOKEN_SECRET in the environment, or sign in with the panel of a notebook"
    )
