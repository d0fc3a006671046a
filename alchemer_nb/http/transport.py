"""The only module that sends calls to Alchemer.

With an API key the address of a call holds the credentials, and so do the texts of all errors of
requests and urllib3. The address is used in this module only. Errors are built anew from method,
path and status, and raised outside the ``except`` block, so that no chained exception contains it.

A call waits for the rate limit (``rate_limit``), is repeated after a transient failure
(``retries``), and is not made if its reply is cached (``minute_cache``).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from alchemer_nb import errors
from alchemer_nb.forks import renew_after_fork
from alchemer_nb.http import compression, interruptible
from alchemer_nb.http.minute_cache import MinuteCache
from alchemer_nb.http.network_errors import build_network_error
from alchemer_nb.http.rate_limit import Limiter
from alchemer_nb.http.refusals import API_KEY, Attempt
from alchemer_nb.http.regions import is_loopback
from alchemer_nb.http.reply import HEADERS, Reply, find_error
from alchemer_nb.http.reply_times import ReplyTimes
from alchemer_nb.http.retries import Retries, is_penalty, reason_in_words, too_slow
from alchemer_nb.http.secrets import hidden_in_logs, mask_secrets
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.wire.paging import reply_object, to_count
from alchemer_nb.wire.query import API_VERSION, clean_path, flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    import requests

    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.secrets import Secret

    Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]
    Pairs = tuple[tuple[str, str], ...]

Timeout = float | tuple[float, float]
_METHODS = ("GET", "PUT", "POST", "DELETE")
_MOST_IN_FLIGHT = 8
_PIECE = 1 << 16
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, with the options of its caller."""

    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    options: CallOptions = field(default_factory=CallOptions)
    retries: Retries = field(default_factory=Retries)
    raise_slow: bool = False
    most_500s: int | None = None
    failed: int = 0

    @property
    def key(self) -> Hashable:
        """The cache key, equal for calls that Alchemer treats as the same."""
        return (self.path, tuple(sorted(self.query)), tuple(sorted(self.form)))


class Transport:
    """A sender of calls with one set of credentials to one region; thread-safe.

    Forked processes may use it, too: each has its own connections and cache, and all share one
    rate limit.

    Args:
        credentials: Sign the calls; None for the steps of a sign-in, which sign themselves.
        region: The only destination of the calls.
        timeout: Seconds to wait for a connection, and then for the next bytes.
        max_in_flight: Calls on their way at once, 1 to 8.
        requests_per_minute: Limit for calls of this account (240 on current plans), shared with
            all that call it from this machine.
        retries: Retry policy for transient failures: None for the default, the number of
            attempts, or a ``Retries``.
        minute: Seconds of Alchemer's minute; another number is for tests.
        remember: Size of the cache of replies, in bytes.

    Attributes:
        account: Id of the account, once it is known.
        reply_times: How long its latest replies took.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        region: Region,
        *,
        timeout: Timeout = (5, 60),
        max_in_flight: int = 4,
        requests_per_minute: int = 230,
        retries: Any = None,
        minute: float = 60.0,
        remember: int = 32 << 20,
    ) -> None:
        if not 1 <= (to_count(max_in_flight) or 0) <= _MOST_IN_FLIGHT:
            raise errors.ConfigurationError(f"max_in_flight is 1 to {_MOST_IN_FLIGHT}")
        if (to_count(requests_per_minute) or 0) < 1:
            raise errors.ConfigurationError("requests_per_minute is at least 1")
        self.credentials = credentials
        self.region = region
        self.timeout = _check_timeout(timeout)
        self.max_in_flight = int(max_in_flight)
        self.retries = Retries.of(retries)
        identity = _identity(credentials)
        self.limiter = Limiter(region.host, identity, int(requests_per_minute), minute)
        self.account: str | None = None
        self.reply_times = ReplyTimes()
        self._refused_at: float | None = None
        self._minute = minute
        self._cache = MinuteCache(minute, remember)
        self._local = threading.local()
        self._is_reached = False  # whether Alchemer has ever answered
        self._accepted_by: set[str] = getattr(credentials, "accepted_by", set())
        self._last_500 = float("-inf")
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._in_flight = threading.Semaphore(self.max_in_flight)

    @property
    def accepted(self) -> bool:
        """True if this region has accepted these credentials in this process."""
        return self.region.api_url in self._accepted_by

    @property
    def _attempt(self) -> Attempt:
        return Attempt(
            getattr(self.credentials, "signed_with", API_KEY),
            worked=self.accepted,
            knows_region=self.region.api_url in getattr(self.credentials, "known_regions", ()),
            slip=getattr(self.credentials, "slip", ""),
        )

    @property
    def refused(self) -> bool:
        """True if Alchemer refused the credentials the last time."""
        return self._refused_at is not None

    def read_account(
        self, options: CallOptions | None = None, *, retries: int | None = None
    ) -> dict[str, Any]:
        """Return the fields of the account, or ``{}``; arguments and errors as for ``send``."""
        reply = self.send("GET", _ACCOUNT, options=options, retries=retries)
        return reply_object(reply.envelope())

    def account_id(self, options: CallOptions | None = None) -> str | None:
        """Return the id of the account, None if it has none; the first time with a call."""
        if self.account is None:
            self.read_account(options)
        return self.account

    def set_account(self, account_id: object) -> None:
        """Share the rate limit with all credentials of the account from now on.

        ``send`` calls this for each reply that has the account.
        """
        if account_id not in (None, ""):
            self.account = str(account_id)
            self.limiter.set_account(self.account)

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        *,
        raise_slow: bool = False,
        most_500s: int | None = None,
        failed: int = 0,
        retries: int | None = None,
    ) -> Reply:
        """Make one call and return its reply.

        A GET of the last minute is answered from this client's cache, as Alchemer would from its
        own; writing clears the cache. Two threads with the same GET at once share one call.

        Args:
            method: GET, PUT (creates), POST (updates) or DELETE.
            path: Below the version, such as ``survey/123/surveyresponse``.
            params: Query parameters; nested values become ``name[key]=…``.
            data: Form fields of the body, nested in the same way.
            options: How to stop it, what to call during waits, and whether to use the cache.
            raise_slow: Raise ``TooSlow`` at once, for a caller that can ask for less.
            most_500s: After so many replies with status 500 in a row, raise ``TooSlow``.
            failed: Attempts that have failed for the same rows, which count as attempts of this.
            retries: Attempts of this call at most; None for this transport's policy.

        Raises:
            InvalidArgument: The method or path does not fit.
            ApiError: Alchemer answered with an error.
            TransportError: No reply, or none of Alchemer's.
            Stopped: ``stop`` was set.
        """
        verb = str(method).upper()
        if verb not in _METHODS:
            raise errors.InvalidArgument(
                f"method {str(method)[:20]!r} is none of {', '.join(_METHODS)}"
            )
        options = options or CallOptions()
        policy = self.retries if retries is None else Retries.of(retries)
        query, form = tuple(flatten(params)), tuple(flatten(data))
        path = clean_path(path)
        call = Call(verb, path, query, form, options, policy, raise_slow, most_500s, failed)
        options.check()
        if verb != "GET":
            self._cache.forget()
            try:
                return self._send_with_retries(call)
            finally:
                self._cache.forget()  # again: a GET may have ended during the write

        def fetch() -> Reply:
            reply = self._send_with_retries(call)
            if options.fresh and reply.cached_there:
                # Another client made the same call, at an unknown time within the last minute.
                options.pause(self._minute, "waiting until Alchemer answers anew")
                reply = self._send_with_retries(call)
            return reply

        return self._cache.get(call.key, fetch, options)

    def prefetch(
        self, path: str, params: Mapping[str, Any], options: CallOptions | None = None
    ) -> None:
        """Send a GET whose reply will be needed soon; return at once.

        The same call of ``send`` then shares it, or finds its reply in the cache. Nothing is sent
        before Alchemer has answered this client once, so that a wrong key is tried only once.
        """

        def work() -> None:
            with suppress(errors.AlchemerError):  # ``send`` of the same call will raise it
                self.send("GET", path, params, options=options, raise_slow=True)

        if self._is_reached:
            threading.Thread(target=work, daemon=True, name="alchemer-ahead").start()

    def exchange(
        self, call: Call, url: str, sign: Sign | None, secrets: tuple[Secret, ...]
    ) -> Reply:
        """Send a call once to an address of the region; return its reply, even if it is an error.

        Raises:
            TransportError: No whole reply came.
            Stopped: ``stop`` was set before the whole reply had come.
        """
        with hidden_in_logs(secrets), interruptible.interrupted_by(call.options):
            outcome = self._send_unraised(call, url, sign, secrets)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _send_unraised(
        self, call: Call, url: str, sign: Sign | None, secrets: tuple[Secret, ...]
    ) -> Reply | errors.TransportError | errors.Stopped | KeyboardInterrupt:
        """Send a call once; return errors instead of raising them.

        Request and response hold the address with the key. A traceback printed with variables
        would show them if the error were raised here; it does not if this function has returned.
        """
        started = time.monotonic()
        try:
            response = self._session(url).request(
                call.method,
                url,
                params=list(call.query),
                data=list(call.form) or None,
                auth=sign or _unsigned,  # with None, requests would look into ~/.netrc
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                packed, is_gzip = _read_body(response, call.options)
            took = time.monotonic() - started
            given = response.headers  # a server may repeat in a header what was sent
            headers = {
                name: mask_secrets(given[name], secrets) for name in HEADERS if name in given
            }
            return Reply(
                call.method, call.path, response.status_code, headers, packed, is_gzip, took
            )
        except KeyboardInterrupt:
            return KeyboardInterrupt()
        except errors.Stopped:
            return errors.Stopped("the call was called off")
        except Exception as error:  # noqa: BLE001 - any of them may carry the address
            where = f"{call.method} {call.path}"
            return build_network_error(error, where, self.region.host, self.timeout, url)

    def _send_with_retries(self, call: Call) -> Reply:
        attempt, in_a_row = call.failed, 0
        while True:
            attempt += 1
            outcome = self._send_once(call)
            if isinstance(outcome, Reply):
                return outcome
            in_a_row = in_a_row + 1 if getattr(outcome, "status", None) == 500 else 0
            if in_a_row == call.most_500s:
                problem = f"Alchemer answered {in_a_row} times with an error"
                outcome = too_slow(problem, call.method, call.path, 500)
            seconds = call.retries.wait(
                outcome,
                attempt,
                method=call.method,
                reached=self._is_reached,
                after_500=time.monotonic() - self._last_500 < self._minute,
            )
            if seconds is None or (call.raise_slow and isinstance(outcome, errors.TooSlow)):
                outcome.attempts = attempt
                raise outcome
            if is_penalty(outcome):
                self.limiter.pause(seconds)  # calls during the penalty would make it longer
            call.options.pause(seconds, f"{reason_in_words(outcome)}, trying again")

    def _send_once(self, call: Call) -> Reply | errors.ApiError | errors.TransportError:
        """Make a call once, when the limits of calls at once and per minute allow it."""
        in_flight = self._in_flight
        call.options.wait_until(
            lambda seconds: in_flight.acquire(timeout=seconds), "waiting for other calls"
        )
        try:
            self.limiter.wait_for_turn(call.options)
            call.options.check()
            started = time.monotonic()
            outcome = self._send_and_judge(call)
        finally:
            in_flight.release()
        if isinstance(outcome, Reply):
            return outcome
        took = time.monotonic() - started
        return call.retries.named(outcome, took, call.method, call.path)

    def _send_and_judge(self, call: Call) -> Reply | errors.ApiError | errors.TransportError:
        """Make a call; return its reply, or the error that the reply reports."""
        started = time.monotonic()
        secrets = self.credentials.secrets if self.credentials else ()
        url = f"{self.region.api_url}/{API_VERSION}/{quote(call.path, safe='/')}"
        try:
            reply = self.exchange(call, url, self.credentials, secrets)
        except errors.TransportError as error:
            return error
        if reply.status == 500:
            self._last_500 = time.monotonic()
        if "X-SG-Warning" in reply.headers:
            self.limiter.warn()
        failure = find_error(reply, self.region, secrets, self._attempt)
        self._is_reached = self._is_reached or not isinstance(failure, errors.TransportError)
        if isinstance(failure, errors.AuthenticationError):
            self._refused_at = time.monotonic()
        if failure is not None:
            return failure
        self._accepted_by.add(self.region.api_url)
        if not reply.cached_there:
            self.reply_times.note(call.path, call.query, reply.took)
        if self._refused_at is not None and self._refused_at < started:
            self._refused_at = None
        if call.method == "GET" and call.path == _ACCOUNT:
            with suppress(errors.TransportError):  # ``envelope`` raises it
                self.set_account(reply_object(reply.envelope()).get("id"))
        return reply

    def _session(self, url: str) -> requests.Session:
        # One session per thread: requests does not promise that sessions may be shared.
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = interruptible.InterruptibleSession()
            session.headers["Accept"] = "application/json"
            session.headers["Accept-Encoding"] = compression.ACCEPTED
        # A proxy from the environment must never see calls to this machine.
        session.trust_env = not is_loopback(urlsplit(url).hostname)
        return session


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_body(response: requests.Response, options: CallOptions) -> tuple[bytes, bool]:
    """Return the body as received, and whether it is gzip."""
    if 300 <= response.status_code < 400:
        return b"", False  # no call is redirected, so its page is not read
    try:
        is_gzip = compression.is_gzip(response.headers.get("Content-Encoding"))
    except compression.UnknownEncoding:
        if response.status_code == 200:
            raise
        return b"", False  # a gateway's error page, of which the status says enough
    pieces, count = [], 0
    for piece in response.raw.stream(_PIECE, decode_content=False):
        options.check()
        pieces.append(piece)
        count += len(piece)
        if count > compression.MOST_BYTES:
            raise compression.TooLarge
    return b"".join(pieces), is_gzip


def _identity(credentials: Credentials | None) -> str:
    parts = credentials.secrets if credentials else ()
    texts = json.dumps([part.reveal() for part in parts])
    return hashlib.sha256(texts.encode()).hexdigest()


def _check_timeout(timeout: Timeout) -> tuple[float, float]:
    pair = timeout if isinstance(timeout, (tuple, list)) else (timeout, timeout)
    try:
        connect, read = (float(part) for part in pair)
    except (TypeError, ValueError):
        raise errors.ConfigurationError(
            "timeout is a number of seconds, or a pair (connect, read)"
        ) from None
    if not (connect > 0 and read > 0):
        raise errors.ConfigurationError("timeout is more than 0 seconds")
    return connect, read
