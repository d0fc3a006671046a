"""OAuth 1.0a in a user's name: request token, log-in in a browser, access token.

Facts: the consent path is ``authenticate`` and not ``authorize``; token answers are form-encoded
and once had a JSON object glued to their end, so they are read leniently
(https://apihelp.alchemer.com/help/authentication; the addresses are those of ``Region``).
"""

from __future__ import annotations

import html
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from alchemer_nb.callback import NOWHERE, CallbackListener, browser_is_here
from alchemer_nb.credentials import OAuth1, sign
from alchemer_nb.envelope import Answer, judge
from alchemer_nb.errors import (
    ApiError,
    AuthenticationError,
    ConsentDenied,
    InvalidArgument,
    RateLimited,
    ServerError,
    SignInError,
    SignInExpired,
    TransportError,
    WrongAttempt,
)
from alchemer_nb.regions import Region
from alchemer_nb.secrets import Secret
from alchemer_nb.transport import Timeout, Transport

if TYPE_CHECKING:
    from requests import PreparedRequest

OUT_OF_BAND = "oob"
_DEFAULT_TTL = 3600
_AROUND = "\"'`<>“”‘’«»()[]{},;\u200b\u200c\u200d\ufeff\u2060"
_DENIALS = ("denied", "oauth_problem", "error")
_AGAIN = "get a new sign-in link and try once more"


class OAuthFlow:
    """One application's way to an access token in a user's name.

    Args:
        consumer_key: Given when the application was registered.
        consumer_secret: The same.
        region: Name or ``Region``; each has its own log-in page.
        callback: Where the browser returns to. None: a listener on this machine where the
            browser probably runs here, else an address at which nothing answers (the page may
            fail to load: copy its address anyway). ``"oob"`` or any other address on request.
        timeout: As for ``Client``.

    Example:
        >>> flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
        >>> link = flow.start()                  # open it in a browser, log in, allow
        >>> landed_on = log_in_and_allow(link)   # the address of the page you land on
        >>> flow.finish(landed_on).three_legged
        True
    """

    def __init__(
        self,
        consumer_key: str | Secret,
        consumer_secret: str | Secret,
        region: str | Region = "us",
        callback: str | None = None,
        *,
        timeout: Timeout = (5, 60),
    ) -> None:
        self._consumer = OAuth1(consumer_key, consumer_secret)
        self.region = Region.get(region)
        self._transport = Transport(None, self.region, timeout=timeout)
        self._asked_callback = _check_callback(callback)
        self._listener: CallbackListener | None = None
        self._token: Secret | None = None
        self._token_secret: Secret | None = None
        self._expires = 0.0

    @property
    def callback(self) -> str:
        """The callback address that is asked for."""
        if self._asked_callback:
            return self._asked_callback
        if self._listener is None and browser_is_here():
            try:
                self._listener = CallbackListener()
            except OSError:  # no loopback port to be had: pasting still works
                return NOWHERE
        return self._listener.address if self._listener else NOWHERE

    @property
    def caught(self) -> str | None:
        """What the listener caught, for ``finish``; None until the browser has returned."""
        return self._listener.caught if self._listener else None

    def start(self) -> str:
        """Asks for a request token and returns the address to open in a browser.

        May be called again at any time: it begins a new attempt, and the old link is void.

        Raises:
            AuthenticationError: The consumer pair was refused.
            ApiError, TransportError: As for any call.
        """
        callback = self.callback

        def signer(request: PreparedRequest) -> PreparedRequest:
            return sign(request, *self._pair, callback=callback)

        answer = self._call(self.region.request_token_url, signer, "oauth/request_token")
        told = self._read_token(answer)
        self._token, self._token_secret = told["oauth_token"], told["oauth_token_secret"]
        self._expires = time.monotonic() + _ttl(answer)
        if self._listener:
            self._listener.expect(self._token.reveal())
        address = self.region.authenticate_url
        return f"{address}?oauth_token={quote(self._token.reveal(), safe='')}"

    def finish(self, text: str | Secret) -> OAuth1:
        """Turns what the browser came back with into credentials.

        Args:
            text: The verifier alone, or the whole address of the page the browser landed on, as
                pasted: white space, quotes and line breaks in it do not matter.

        Returns:
            Credentials for calls in the scope of the user who logged in.

        Raises:
            InvalidArgument: Nothing in the text looks like a verifier; paste again.
            WrongAttempt: It belongs to another attempt.
            SignInExpired: The request token is too old.
            ConsentDenied: The user did not allow the application.
            SignInError: The verifier was refused, or ``start`` was not called.
        """
        if self._token is None or self._token_secret is None:
            raise SignInError(f"no sign-in has been started; {_AGAIN}")
        token, token_secret = self._token, self._token_secret
        verifier = self._verifier_of(Secret(text).reveal(), token)
        if time.monotonic() > self._expires:
            raise SignInExpired(f"the sign-in link has expired; {_AGAIN}")

        def signer(request: PreparedRequest) -> PreparedRequest:
            return sign(
                request, *self._pair, token=token, token_secret=token_secret, verifier=verifier
            )

        secrets = (token, token_secret, verifier)
        failure: SignInError | None = None
        try:
            answer = self._call(self.region.access_token_url, signer, "oauth/access_token", secrets)
            told = self._read_token(answer)
        except (RateLimited, ServerError):
            raise
        except ApiError as refused:
            failure = _refusal(refused)
        if failure:
            raise failure
        self._token = self._token_secret = None  # a request token serves once
        self.close()
        return OAuth1(*self._pair, told["oauth_token"], told["oauth_token_secret"])

    def wait(self, timeout: float) -> bool:
        """Waits for the listener; False after so many seconds, or at once where there is none."""
        return self._listener.wait(timeout) if self._listener else False

    def close(self) -> None:
        """Stops the listener, if there is one; the flow may be started again afterwards."""
        if self._listener:
            self._listener.close()
            self._listener = None

    def __repr__(self) -> str:
        state = "waiting for the browser" if self._token else "not started"
        return f"OAuthFlow({self.region.host}, {state})"

    @property
    def _pair(self) -> tuple[Secret, Secret]:
        return self._consumer.consumer_key, self._consumer.consumer_secret

    def _call(
        self,
        url: str,
        signer: object,
        label: str,
        secrets: tuple[Secret, ...] = (),
    ) -> Answer:
        hidden = (*self._consumer.secrets, *secrets)
        answer = self._transport.call("GET", url, label, signer, hidden)  # type: ignore[arg-type]  # a signer, whose type only the transport imports
        if not _token_fields(answer.body):
            judge(answer, self.region, hidden)
            raise TransportError(
                f"{self.region.host} answered {label} without a token; check the OAuth addresses "
                "of the region"
            )
        if answer.status >= 400:
            judge(answer, self.region, hidden)
        return answer

    def _read_token(self, answer: Answer) -> dict[str, Secret]:
        fields = _token_fields(answer.body)
        return {name: Secret(fields[name]) for name in ("oauth_token", "oauth_token_secret")}

    def _verifier_of(self, pasted: str, token: Secret) -> Secret:
        text = _tidy(pasted)
        if not text:
            raise InvalidArgument("nothing was pasted; copy the address of the page you landed on")
        fields = _query_of(text)
        if not fields:
            if "://" in text or "/" in text:
                raise InvalidArgument(
                    "this address carries no verifier: copy the address of the page you land on "
                    "after you allowed the application"
                )
            return Secret(text)
        returned = fields.get("oauth_token") or fields.get("denied")
        if returned and Secret(returned) != token:
            raise WrongAttempt(f"the pasted address belongs to another sign-in attempt; {_AGAIN}")
        verifier = fields.get("oauth_verifier")
        if verifier:
            return Secret(verifier)
        if any(name in fields for name in _DENIALS):
            raise ConsentDenied(
                f"access was not allowed on the log-in page; to sign in after all, {_AGAIN}"
            )
        raise InvalidArgument(
            "this address carries no verifier: log in, allow, then copy the address of the page "
            "you land on"
        )


def _tidy(pasted: str) -> str:
    """Takes out all that copying adds: white space anywhere, line breaks, quotes around."""
    text = html.unescape("".join(pasted.split()))
    return text.strip(_AROUND)


def _query_of(text: str) -> dict[str, str]:
    if "=" not in text:
        return {}
    query = urlsplit(text).query if "://" in text or "?" in text else text
    query = query or urlsplit(text).fragment
    known = ("oauth_token", "oauth_verifier", *_DENIALS)
    return {name: value for name, value in parse_qsl(query) if name in known}


def _token_fields(body: bytes) -> dict[str, str]:
    """Reads a form-encoded token answer, whatever is glued to its end."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff \r\n")
    fields = dict(parse_qsl(text.split("{", 1)[0].strip()))
    whole = fields.get("oauth_token") and fields.get("oauth_token_secret")
    return fields if whole else {}


def _ttl(answer: Answer) -> float:
    digits = re.match(r"\d+", _token_fields(answer.body).get("xoauth_token_ttl", ""))
    return float(digits.group()) if digits and int(digits.group()) > 0 else _DEFAULT_TTL


def _refusal(refused: ApiError) -> SignInError:
    """Words a refused last step; which of its reasons it was, only the server's text tells."""
    text = str(refused).lower()
    where = {
        "status": refused.status,
        "code": refused.code,
        "method": refused.method,
        "path": refused.path,
    }
    if "expired" in text:
        return SignInExpired(f"the sign-in link has expired; {_AGAIN}", **where)  # type: ignore[arg-type]  # the four members of any ApiError
    if "denied" in text:
        return ConsentDenied(f"access was not allowed; {_AGAIN}", **where)  # type: ignore[arg-type]  # the same
    if isinstance(refused, AuthenticationError) or refused.status in (400, 401, 403):
        return WrongAttempt(
            "the verifier was refused: it belongs to another attempt, was used already, or was "
            f"not copied whole. Paste it again, or {_AGAIN}",
            **where,  # type: ignore[arg-type]  # the same
        )
    return SignInError(f"the sign-in failed: {refused}; {_AGAIN}", **where)  # type: ignore[arg-type]  # the same


def _check_callback(callback: str | None) -> str | None:
    if callback is None or callback == OUT_OF_BAND:
        return callback
    parts = urlsplit(str(callback).strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidArgument(
            "callback is 'oob' or an address that begins with http:// or https://"
        )
    return str(callback).strip()
