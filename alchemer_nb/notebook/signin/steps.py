"""The steps of a sign-in, without any widget: what was typed becomes a connection.

Panel and prompt are two faces of this. An error that belongs to one box of the form is a
``FieldError``; every other passes through as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from alchemer_nb.auth import profiles
from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    ConfigurationError,
    InvalidArgument,
)
from alchemer_nb.http.secrets import Secret, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alchemer_nb.auth.oauth_flow import OAuthFlow
    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.http.regions import Region
    from alchemer_nb.notebook.signin.session import Connection, Session

TOKEN, TOKEN_SECRET = "api_token", "api_token_secret"
CONSUMER, CONSUMER_SECRET = "consumer_key", "consumer_secret"
PASTED = "pasted"
_NOTHING = Secret("")
_BOTH_PARTS = re.compile(r"[\s,;|]|://|api[_ ]?(?:token|secret)", re.I)
_T = TypeVar("_T")


class FieldError(AlchemerError):
    """What was typed into one box does not do.

    Attributes:
        field: Name of the box.
        cause: The error that it came from, or None where the box was empty.
    """

    def __init__(self, field: str, message: str, cause: AlchemerError | None = None) -> None:
        super().__init__(message, hint=cause.hint if cause else "")
        self.field = field
        self.cause = cause


class SignIn:
    """One person's way to a connection, in either mode; can be begun again at any time.

    Args:
        session: Gets the connection.
        profile: Name to remember the credentials by.

    Attributes:
        flow: The OAuth attempt under way, or None.
        kept: Where the credentials were kept, in words; or why they were not.
    """

    def __init__(self, session: Session, profile: str | None = None) -> None:
        self.session = session
        self.profile = profile or profiles.DEFAULT
        self.flow: OAuthFlow | None = None
        self.kept = ""
        self._tried: Secret | None = None

    def with_key(
        self, values: Mapping[str, Secret], region: Region, *, remember: bool = False
    ) -> Connection:
        """Signs in with an API key; both parts may stand in the first box.

        Raises:
            FieldError: A box is empty, or its text is refused.
            AlchemerError: The server could not be asked.
        """
        from alchemer_nb.http.credentials import ApiKey

        first, second = values.get(TOKEN, _NOTHING), values.get(TOKEN_SECRET, _NOTHING)
        if not first.reveal().strip():
            raise FieldError(TOKEN, "Paste your API key here.")
        if _holds_both(first):
            key = _as_field(TOKEN, lambda: ApiKey.parse(first))
        elif not second.reveal().strip():
            raise FieldError(
                TOKEN_SECRET,
                "Paste the secret key here, or paste 'key secret' into the box above.",
            )
        else:
            _as_field(TOKEN, lambda: ApiKey(first, "-"))
            key = _as_field(TOKEN_SECRET, lambda: ApiKey(first, second))
        return self._adopt(key, region, TOKEN, remember=remember)

    def as_application(
        self, values: Mapping[str, Secret], region: Region, *, remember: bool = False
    ) -> Connection:
        """Signs in with the consumer pair alone (two-legged).

        Raises:
            FieldError: A box is empty, or the pair is refused.
            AlchemerError: The server could not be asked.
        """
        from alchemer_nb.http.credentials import OAuth1

        key, secret = _consumer(values)
        return self._adopt(OAuth1(key, secret), region, CONSUMER, remember=remember)

    def get_link(self, values: Mapping[str, Secret], region: Region) -> str:
        """Begins a log-in in the browser and gives the address to open.

        Raises:
            FieldError: A box is empty, or the pair is refused.
            AlchemerError: The server could not be asked.
        """
        from alchemer_nb.auth.oauth_flow import OAuthFlow

        self.stop()
        key, secret = _consumer(values)
        flow = OAuthFlow(key, secret, region=region)
        try:
            address = _as_field(CONSUMER, flow.start)
        except BaseException:
            flow.close()
            raise
        self.flow = flow
        return address

    def new_link(self) -> str:
        """Begins another attempt with the same consumer pair; the old link is void.

        Raises:
            AlchemerError: The server could not be asked, or no attempt was begun before.
        """
        if self.flow is None:
            raise ConfigurationError("no sign-in has been started")
        return self.flow.start()

    def finish(self, pasted: Secret, *, remember: bool = False) -> Connection:
        """Ends the log-in with what the browser came back with.

        Raises:
            FieldError: The text is empty, of another attempt, too late, or says no.
            AlchemerError: The server could not be asked.
        """
        flow = self.flow
        if flow is None:
            raise ConfigurationError("no sign-in has been started")
        if not pasted.reveal().strip():
            raise FieldError(PASTED, "Paste the address of the page you landed on here.")
        credentials = _as_field(PASTED, lambda: flow.finish(pasted))
        connection = self._adopt(credentials, flow.region, PASTED, remember=remember)
        self.stop()
        return connection

    @property
    def has_caught(self) -> bool:
        """Whether the browser has brought something back that was not tried yet."""
        caught = sealed(self.flow.caught if self.flow else None)
        return bool(caught) and caught != self._tried

    def caught(self) -> Secret | None:
        """What the browser brought back by itself, once; None as long as there is nothing."""
        caught = sealed(self.flow.caught if self.flow else None)
        if not caught or caught == self._tried:
            return None
        self._tried = caught
        return caught

    def stop(self) -> None:
        """Drops the attempt under way, and with it its listener."""
        flow, self.flow = self.flow, None
        self._tried = None
        if flow is not None:
            flow.close()

    def with_credentials(self, credentials: Credentials, region: Region) -> Connection:
        """Signs in with credentials that were found rather than typed.

        Raises:
            AlchemerError: They were refused, or the server could not be asked.
        """
        from alchemer_nb.client.client import Client

        check = Client(credentials, region=region, retries=1)  # a click is not to take minutes
        return self.session.adopt(Client(credentials, region=region), check=check)

    def _adopt(
        self, credentials: Credentials, region: Region, field: str, *, remember: bool
    ) -> Connection:
        connection = _as_field(field, lambda: self.with_credentials(credentials, region))
        self.kept = self._keep(credentials, region) if remember else ""
        return connection

    def _keep(self, credentials: Credentials, region: Region) -> str:
        try:
            where = profiles.save(self.profile, credentials, region)
        except AlchemerError as error:
            return f"Not remembered: {error}."
        return f"Remembered {where}, as profile “{self.profile}”."


def _as_field(field: str, call: Callable[[], _T]) -> _T:
    """Has the errors that are about what was typed show beside the box it was typed into."""
    try:
        return call()
    except (AuthenticationError, InvalidArgument, ConfigurationError) as error:
        cause = error
    raise FieldError(field, cause.sentence, cause)


def _holds_both(text: Secret) -> bool:
    return _BOTH_PARTS.search(text.reveal().strip()) is not None


def _consumer(values: Mapping[str, Secret]) -> tuple[Secret, Secret]:
    from alchemer_nb.http.credentials import OAuth1

    key, secret = values.get(CONSUMER, _NOTHING), values.get(CONSUMER_SECRET, _NOTHING)
    if not key.reveal().strip():
        raise FieldError(CONSUMER, "Paste the consumer key here.")
    if not secret.reveal().strip():
        raise FieldError(CONSUMER_SECRET, "Paste the consumer secret here.")
    _as_field(CONSUMER, lambda: OAuth1(key, "-"))
    pair = _as_field(CONSUMER_SECRET, lambda: OAuth1(key, secret))
    return pair.consumer_key, pair.consumer_secret
