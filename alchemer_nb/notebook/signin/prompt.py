"""Sign-in at a prompt, for front ends without widgets: nothing that is typed is shown."""

from __future__ import annotations

import getpass
import warnings
from typing import TYPE_CHECKING

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.signin.session import KEY
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


def sign_in_at_prompt(session: Session, region: Region, mode: str) -> Status:
    """Ask for credentials with getpass and sign in; nothing is saved.

    Args:
        session: The session that gets the connection.
        region: Where to sign in.
        mode: ``"api_key"`` or ``"oauth1"``.

    Raises:
        ConfigurationError: Nothing can be asked here, or nothing was typed.
        AlchemerError: What was typed cannot be used, or the call failed.
    """
    steps = SignIn(session)
    try:
        if mode == KEY:
            _ask_key(steps, region)
        else:
            _ask_oauth(steps, region)
    except FieldError as error:
        cause = error.cause or ConfigurationError("nothing was typed, so nobody is signed in")
    else:
        return session.status()
    finally:
        steps.cancel()
    raise cause


def _ask_key(steps: SignIn, region: Region) -> None:
    first = _ask_hidden(f"API key for {region.app_host} (or key and secret key together): ")
    values = {TOKEN: first}
    if len(first.reveal().split()) == 1 and "://" not in first.reveal():
        values[TOKEN_SECRET] = _ask_hidden("API secret key: ")
    steps.use_key(values, region)


def _ask_oauth(steps: SignIn, region: Region) -> None:
    from IPython.display import display

    values = {
        CONSUMER: _ask_hidden(f"Consumer key for {region.app_host}: "),
        CONSUMER_SECRET: _ask_hidden("Consumer secret: "),
    }
    display(steps.request_link(values, region))  # type: ignore[no-untyped-call]  # IPython has no hints
    pasted = _ask_hidden("Address you land on, or the code shown (empty once this page has it): ")
    callback = steps.take_callback() if not pasted.reveal().strip() else None
    steps.finish(callback or pasted)


def _ask_hidden(question: str) -> Secret:
    """Ask without an echo; where that is impossible, do not ask at all."""
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
