"""The OAuth 1.0a sign-in for a user: request token, log-in in a browser, access token.

Steps: https://apihelp.alchemer.com/help/authentication. Other clients show the rest: the consent
path is ``authenticate`` and not ``authorize``; token replies are form-encoded and once had a JSON
object appended to them, so they are parsed leniently. The addresses are those of ``Region``.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from alchemer_nb import errors
from alchemer_nb.auth.loopback import DEAD_ADDRESS, CallbackListener, is_browser_local
from alchemer_nb.auth.pasted import find_verifier
from alchemer_nb.http.credentials import OAuth1, sign
from alchemer_nb.http.refusals import (
    ACCESS_TOKEN,
    NEW_LINK_HINT,
    REQUEST_TOKEN,
    THREE_LEGGED,
    TWO_LEGGED,
    Attempt,
    build_no_token_error,
)
from alchemer_nb.http.regions import Region
from alchemer_nb.http.reply import Reply, find_error
from alchemer_nb.http.secrets import Secret, to_secret
from alchemer_nb.http.transport import Call, Timeout, Transport

if TYPE_CHECKING:
    from alchemer_nb.http.transport import Sign

OUT_OF_BAND = "oob"
LISTENER, ERROR_PAGE, CODE_PAGE, OWN_PAGE = "listener", "error page", "code page", "own page"
_DEFAULT_TTL = 3600
_LONGEST_TOKEN_REPLY = 1 << 16  # bytes


class OAuthFlow:
    """A sign-in by which a user allows an application to make calls for them.

    Args:
        consumer_key: Given when the application was registered.
        consumer_secret: The same.
        region: Name or ``Region``; each has its own log-in page.
        callback: Where the browser returns to. None: a listener on this machine if the browser
            probably runs here, else an address at which nothing answers (the page may fail to
            load: copy its address anyway). ``"oob"`` or any other address on request.
        timeout: As for ``Client``.

    Attributes:
        region: The region.
        known_regions: As for credentials.
        ends_at: Where the log-in of the last link ends: ``LISTENER`` (nothing has to be copied),
            ``ERROR_PAGE`` (the address is what to copy), ``CODE_PAGE`` or ``OWN_PAGE``.

    Example:
        >>> flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
        >>> link = flow.start()                  # open it in a browser, log in, allow
        >>> landed_on = log_in_and_allow(link)   # the address of the page you land on
        >>> flow.finish(landed_on).three_legged
        True
    """

    _request: OAuth1 | None = None  # signs with the request token of the attempt under way

    def __init__(
        self,
        consumer_key: str | Secret,
        consumer_secret: str | Secret,
        region: str | Region = "us",
        callback: str | None = None,
        *,
        timeout: Timeout = (5, 60),
    ) -> None:
        consumer_key, consumer_secret = to_secret(consumer_key), to_secret(consumer_secret)
        self._consumer = OAuth1(consumer_key, consumer_secret)
        self.known_regions = self._consumer.known_regions
        self.region = Region.get(region)
        self._transport = Transport(None, self.region, timeout=timeout)
        self._asked_callback = _check_callback(callback)
        self._listener: CallbackListener | None = None
        self._expires = 0.0
        self.ends_at = OWN_PAGE

    @property
    def callback(self) -> str:
        """The callback address to ask for."""
        if self._asked_callback:
            return self._asked_callback
        if self._listener is not None and not self._listener.is_open:
            self.close()
        if self._listener is None and is_browser_local():
            try:
                self._listener = CallbackListener()
            except OSError:  # no loopback port to be had: pasting still works
                return DEAD_ADDRESS
        return self._listener.address if self._listener else DEAD_ADDRESS

    @property
    def caught(self) -> str | None:
        """The query that the listener received, for ``finish``; None until then."""
        return self._listener.caught if self._listener else None

    def start(self) -> str:
        """Ask for a request token and return the address to open in a browser.

        May be called again at any time: it begins a new attempt, and the old link is void.

        Raises:
            AuthenticationError: The consumer pair was refused.
            ApiError, TransportError: As for any call.
        """
        consumer = self._consumer
        worked = self.region.api_url in consumer.accepted_by
        known = self.region.api_url in self.known_regions
        attempt = Attempt(TWO_LEGGED, REQUEST_TOKEN, worked, known, consumer.slip)
        callback = self.callback
        signer = partial(sign, credentials=consumer, callback=callback)
        given = self._ask(self.region.request_token_url, attempt, signer, consumer.secrets)
        consumer.accepted_by.add(self.region.api_url)
        self._request = self._with_token(given)
        self._expires = time.monotonic() + given.lifetime
        self.ends_at = {DEAD_ADDRESS: ERROR_PAGE, OUT_OF_BAND: CODE_PAGE}.get(callback, OWN_PAGE)
        if self._listener:
            self._listener.expect(given.token, given.lifetime)
            self.ends_at = LISTENER
        address = self.region.authenticate_url
        return f"{address}?oauth_token={quote(given.token.reveal(), safe='')}"

    def finish(self, text: str | Secret) -> OAuth1:
        """Exchange what the browser came back with for credentials.

        Args:
            text: The verifier alone, or the whole address of the page the browser landed on, as
                pasted: words around it, line breaks, percent-encoding and the links of mail
                gateways do not matter.

        Returns:
            Credentials for calls in the scope of the user who logged in.

        Raises:
            InvalidArgument: Nothing in the text looks like a verifier; paste again.
            WrongAttempt: It belongs to another attempt.
            SignInExpired: The request token is too old.
            ConsentDenied: The user did not allow the application.
            SignInError: The verifier was refused, or ``start`` was not called.
        """
        text = to_secret(text)
        request = self._request
        if request is None or request.token is None:
            raise errors.SignInError("no sign-in has been started", hint=NEW_LINK_HINT)
        found = find_verifier(text, request.token)
        if isinstance(found, errors.AlchemerError):
            raise found
        verifier, is_named = found
        if time.monotonic() > self._expires:
            raise errors.SignInExpired("the sign-in link has expired", hint=NEW_LINK_HINT)
        attempt = Attempt(THREE_LEGGED, ACCESS_TOKEN, worked=True, names_attempt=is_named)
        signer = partial(sign, credentials=request, verifier=verifier)
        secrets = (*request.secrets, verifier)
        given = self._ask(self.region.access_token_url, attempt, signer, secrets)
        self._request = None  # a request token serves once
        self.close()
        credentials = self._with_token(given)
        credentials.accepted_by.add(self.region.api_url)
        return credentials

    def wait(self, timeout: float) -> bool:
        """Wait for the listener; return False after the timeout, or at once if there is none."""
        return self._listener.wait(timeout) if self._listener else False

    def close(self) -> None:
        """Stop the listener, if there is one; the flow may be started again afterwards."""
        if self._listener:
            self._listener.close()
            self._listener = None

    def __repr__(self) -> str:
        state = "waiting for the browser" if self._request else "not started"
        region = getattr(self, "region", None)  # a traceback may show one that is half made
        return f"OAuthFlow({region.host if region else 'no region'}, {state})"

    def _with_token(self, given: _Token) -> OAuth1:
        pair = self._consumer.consumer_key, self._consumer.consumer_secret
        return OAuth1(*pair, given.token, given.secret)

    def _ask(self, url: str, attempt: Attempt, signer: Sign, secrets: tuple[Secret, ...]) -> _Token:
        # The reply is not stored in a variable, which a traceback may show: it may hold a secret.
        outcome = _read_reply(
            self._transport.exchange(Call("GET", attempt.step), url, signer, secrets),
            self.region,
            secrets,
            attempt,
        )
        if isinstance(outcome, errors.AlchemerError):
            raise outcome
        return outcome


@dataclass(frozen=True, slots=True)
class _Token:
    """The token that a step of the sign-in returned, and its lifetime in seconds."""

    token: Secret
    secret: Secret
    lifetime: float


def _read_reply(
    reply: Reply, region: Region, secrets: tuple[Secret, ...], attempt: Attempt
) -> _Token | errors.ApiError | errors.TransportError:
    """Return the token of a reply, or its error; raise nothing, as the reply may hold a secret."""
    with suppress(errors.TransportError):  # ``find_error`` returns it
        given = _read_token(reply.body)
        if given is not None and reply.status < 400:
            return given
    failure = find_error(reply, region, secrets, attempt)
    return failure or build_no_token_error(attempt, region, reply.body)


def _read_token(body: bytes) -> _Token | None:
    """Parse a form-encoded token reply; ignore a JSON object after it."""
    text = body[:_LONGEST_TOKEN_REPLY].decode("utf-8", errors="replace").lstrip("\ufeff \r\n")
    fields = dict(parse_qsl(text.split("{", 1)[0].strip()))
    token, secret = fields.get("oauth_token"), fields.get("oauth_token_secret")
    if not (token and secret):
        return None
    digits = re.match(r"[0-9]{1,9}", fields.get("xoauth_token_ttl", ""))
    lifetime = float(digits.group()) if digits else 0.0
    return _Token(Secret(token), Secret(secret), lifetime or _DEFAULT_TTL)


def _check_callback(callback: str | None) -> str | None:
    if callback is None or callback == OUT_OF_BAND:
        return callback
    parts = urlsplit(str(callback).strip())
    is_plain = str(callback).strip().isprintable() and " " not in str(callback).strip()
    if parts.scheme not in ("http", "https") or not parts.netloc or not is_plain:
        raise errors.InvalidArgument(
            "callback is 'oob' or an address that begins with http:// or https://"
        )
    return str(callback).strip()
