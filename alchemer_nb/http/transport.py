"""The only module that sends.

With an API key the address of a call holds the credentials, and so does the text of every error
of requests and urllib3. Here alone such an address exists: errors are built anew, from method,
path and status, and outside the ``except`` block so that no chained exception carries it on.

Every call waits for its turn, is made again where it failed in passing, and is not made at all
where its answer is known: see ``limiter``, ``retries`` and ``remembered``.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from alchemer_nb._version import __version__
from alchemer_nb.errors import (
    AlchemerError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    InvalidArgument,
    Stopped,
    TooSlow,
    TransportError,
)
from alchemer_nb.forks import in_child
from alchemer_nb.http import compression, interruptible, log_filter
from alchemer_nb.http.minute_cache import Remembered
from alchemer_nb.http.network_errors import describe
from alchemer_nb.http.rate_limit import Limiter
from alchemer_nb.http.refusals import API_KEY, Attempt
from alchemer_nb.http.regions import is_loopback
from alchemer_nb.http.reply import HEADERS, Answer, fault_in
from alchemer_nb.http.retries import Retries, is_penalty, reason_in_words
from alchemer_nb.http.secrets import redact
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.wire.query import API_VERSION, clean_path, flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.secrets import Secret

    Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]
    Pairs = tuple[tuple[str, str], ...]

Timeout = float | tuple[float, float]
_METHODS = ("GET", "PUT", "POST", "DELETE")
_MOST_IN_FLIGHT = 8
_PIECE = 1 << 16
_MINUTE = 60.0
_REMEMBERED = 64 << 20


@dataclass(frozen=True, slots=True)
class Call:
    """One call and the patience of whoever asks for it."""

    method: str
    path: str
    query: Pairs
    form: Pairs
    options: CallOptions

    @property
    def key(self) -> Hashable:
        """The same for calls that are the same to Alchemer."""
        return (self.path, tuple(sorted(self.query)), tuple(sorted(self.form)))


class Transport:
    """Sends calls of one set of credentials to one region; many threads may use it at once.

    So may processes that are forked: each has its own connections and its own memory, and all
    take their turns from one limit.

    Args:
        credentials: How calls are signed; None for the steps of a sign-in, which sign themselves.
        region: Where calls go, and to no other place.
        timeout: Seconds to wait for a connection, and then for the next bytes.
        max_in_flight: How many calls may be under way at once, 1 to 8.
        requests_per_minute: Ceiling for calls of this account (240 on current plans), shared with
            all that call it from this machine.
        retries: Policy for calls that fail in passing: None for the usual patience, the number of
            attempts, or a ``Retries``.
        minute: Seconds of Alchemer's minute; another number is for tests.
        remember: Bytes of answers kept for a minute.
        limits_folder: Where the limit is shared; left out, this user's cache folder.

    Attributes:
        account: Id of the account, once it is known.
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
        minute: float = _MINUTE,
        remember: int = _REMEMBERED,
        limits_folder: Path | None = None,
    ) -> None:
        if not 1 <= int(max_in_flight) <= _MOST_IN_FLIGHT:
            raise ConfigurationError(f"max_in_flight is 1 to {_MOST_IN_FLIGHT}")
        if int(requests_per_minute) < 1:
            raise ConfigurationError("requests_per_minute is at least 1")
        self.credentials = credentials
        self.region = region
        self.timeout = _check_timeout(timeout)
        self.max_in_flight = int(max_in_flight)
        self.requests_per_minute = int(requests_per_minute)
        self.retries = Retries.of(retries)
        self.limiter = Limiter(
            region.host,
            _identity(credentials),
            self.requests_per_minute,
            minute,
            limits_folder,
        )
        self.account: str | None = None
        self._refused: float | None = None  # when its refusal came
        self._minute = minute
        self._remembered = Remembered(minute, remember)
        self._local = threading.local()
        self._reached = False
        self._accepted_by: set[str] = getattr(credentials, "accepted_by", set())
        self._last_500 = float("-inf")
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._places = threading.Semaphore(self.max_in_flight)

    @property
    def accepted(self) -> bool:
        """Whether this region has accepted these credentials in this process."""
        return self.region.api_url in self._accepted_by

    @property
    def _attempt(self) -> Attempt:
        """What is known of a call before it is answered."""
        return Attempt(
            getattr(self.credentials, "signed_with", API_KEY),
            worked=self.accepted,
            slip=getattr(self.credentials, "slip", ""),
        )

    @property
    def refused(self) -> bool:
        """Whether Alchemer refused the credentials the last time."""
        return self._refused is not None

    def know_account(self, account_id: object) -> None:
        """Shares the limit with all credentials of the account from now on."""
        if account_id in (None, ""):
            return
        self.account = str(account_id)
        self.limiter.know_account(self.account)

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        *,
        raise_slow: bool = False,
    ) -> Answer:
        """Gives the answer of one call if it is no error.

        A GET that this client made within the last minute is answered from its memory, as
        Alchemer would from its cache; writing forgets what is remembered. Two threads that ask
        the same at once share one call.

        Args:
            method: GET, PUT (creates), POST (updates) or DELETE.
            path: Below the version, such as ``survey/123/surveyresponse``.
            params: Query parameters; nested values become ``name[key]=…``.
            data: Form fields of the body, nested in the same way.
            options: How to stop it, who is told of waits, and whether memory will do.
            raise_slow: Raises ``TooSlow`` at once, for a caller that can ask for less.

        Raises:
            InvalidArgument: The method or path does not fit.
            ApiError: Alchemer answered with an error.
            TransportError: No answer, or none of Alchemer's.
            Stopped: ``stop`` was set.
        """
        verb = str(method).upper()
        if verb not in _METHODS:
            raise InvalidArgument(f"method {str(method)[:20]!r} is none of {', '.join(_METHODS)}")
        options = options or CallOptions()
        call = Call(verb, clean_path(path), tuple(flatten(params)), tuple(flatten(data)), options)
        options.check()
        if verb != "GET":
            self._remembered.forget()
            try:
                return self._patiently(call, raise_slow)
            finally:
                self._remembered.forget()  # once more, for what was asked meanwhile

        def fetch() -> Answer:
            answer = self._patiently(call, raise_slow)
            if options.fresh and answer.cached_there:
                # Somebody else asked the same, nobody knows when within the last minute.
                options.pause(self._minute, "waiting until Alchemer answers anew")
                answer = self._patiently(call, raise_slow)
            return answer

        return self._remembered.get(call.key, fetch, options)

    def ahead(
        self, path: str, params: Mapping[str, Any], options: CallOptions | None = None
    ) -> None:
        """Sends a GET whose answer will be asked for in a moment; returns at once.

        Whoever asks then shares the call, or finds its answer remembered. Nothing is sent before
        this client has heard Alchemer: a wrong key or address is to be tried once.
        """
        if self._reached:
            work = partial(self._send_ahead, path, dict(params), options)
            threading.Thread(target=work, daemon=True, name="alchemer-ahead").start()

    def _send_ahead(
        self, path: str, params: Mapping[str, Any], options: CallOptions | None
    ) -> None:
        with suppress(AlchemerError):  # who asks for it will meet it, too
            self.send("GET", path, params, options=options, raise_slow=True)

    def call(
        self,
        method: str,
        url: str,
        path: str,
        sign: Sign | None,
        secrets: tuple[Secret, ...],
        *,
        query: Pairs = (),
        form: Pairs = (),
        options: CallOptions | None = None,
    ) -> Answer:
        """Sends once to one of the region's addresses and returns what comes, judged by nobody.

        Raises:
            TransportError: No whole answer came.
            Stopped: ``stop`` was set before the whole answer had come.
        """
        options = options or CallOptions()
        with log_filter.hiding(secrets), interruptible.interrupted_by(options):
            outcome = self._exchange(method, url, path, sign, secrets, query, form, options)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _exchange(
        self,
        method: str,
        url: str,
        path: str,
        sign: Sign | None,
        secrets: tuple[Secret, ...],
        query: Pairs,
        form: Pairs,
        options: CallOptions,
    ) -> Answer | TransportError | Stopped | KeyboardInterrupt:
        """Sends once; gives what is to be raised, since request and response hold the address.

        Whatever prints the variables of a traceback does not see those of a call that has ended.
        """
        started = time.monotonic()
        try:
            response = self._session(url).request(
                method,
                url,
                params=list(query),
                data=list(form) or None,
                auth=sign,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                packed, encoding = _read(response, options)
            took = time.monotonic() - started
            headers = _headers(response, secrets)
            return Answer(method, path, response.status_code, headers, packed, encoding, took)
        except KeyboardInterrupt:
            return KeyboardInterrupt()
        except Stopped:
            return Stopped("the call was called off")
        except Exception as error:  # noqa: BLE001 - any of them may carry the address
            return describe(error, f"{method} {path}", self.region.host, self.timeout)

    def _patiently(self, call: Call, raise_slow: bool) -> Answer:
        """Makes a call as often as the policy allows."""
        attempt = 0
        while True:
            attempt += 1
            failure: AlchemerError
            try:
                return self._once(call)
            except (ApiError, TransportError) as error:
                failure = error
            seconds = None
            if not (raise_slow and isinstance(failure, TooSlow)):
                seconds = self.retries.wait(
                    failure,
                    attempt,
                    method=call.method,
                    reached=self._reached,
                    after_500=time.monotonic() - self._last_500 < self._minute,
                )
            if seconds is None:
                if attempt > 1:
                    failure.args = (f"{failure.sentence} (tried {attempt} times)",)
                raise failure
            if is_penalty(failure):
                self.limiter.pause(seconds)  # whoever calls now makes it last longer
            call.options.pause(seconds, f"{reason_in_words(failure)}, trying again")

    def _once(self, call: Call) -> Answer:
        """Makes a call once, when there is room for it and its turn has come."""
        secrets = self.credentials.secrets if self.credentials else ()
        url = f"{self.region.api_url}/{API_VERSION}/{quote(call.path, safe='/')}"
        with self._room(call), self._turn(call):
            call.options.check()
            started = time.monotonic()
            outcome = self._heard(call, url, secrets)
        if isinstance(outcome, Answer):
            return outcome
        took = time.monotonic() - started
        raise self.retries.named(outcome, took, call.method, call.path)

    def _heard(
        self, call: Call, url: str, secrets: tuple[Secret, ...]
    ) -> Answer | ApiError | TransportError:
        """Makes a call and judges its answer; gives the error without the answer it was made of."""
        started = time.monotonic()
        try:
            answer = self.call(
                call.method,
                url,
                call.path,
                self.credentials,
                secrets,
                query=call.query,
                form=call.form,
                options=call.options,
            )
        except TransportError as error:
            return error
        self._learn(answer)
        failure = fault_in(answer, self.region, secrets, self._attempt)
        self._reached = self._reached or not isinstance(failure, TransportError)
        if isinstance(failure, AuthenticationError):
            self._refused = time.monotonic()
        if failure is not None:
            return failure
        self._accepted_by.add(self.region.api_url)
        if self._refused is not None and self._refused < started:
            self._refused = None
        return answer

    @contextmanager
    def _room(self, call: Call) -> Iterator[None]:
        places = self._places
        call.options.wait_until(
            lambda seconds: places.acquire(timeout=seconds), "waiting for other calls"
        )
        try:
            yield
        finally:
            places.release()

    def _turn(self, call: Call) -> AbstractContextManager[None]:
        if call.method == "GET":
            return self.limiter.alone(json.dumps(call.key), call.options)
        self.limiter.turn(call.options)
        return nullcontext()

    def _learn(self, answer: Answer) -> None:
        if answer.status == 500:
            self._last_500 = time.monotonic()
        if "X-SG-Warning" in answer.headers:
            self.limiter.warned()

    def _session(self, url: str) -> requests.Session:
        """One session a thread: requests does not promise that sessions may be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            for scheme in ("https://", "http://"):
                session.mount(scheme, interruptible.adapter())
            session.headers["User-Agent"] = f"alchemer_nb/{__version__}"
            session.headers["Accept"] = "application/json"
            session.headers["Accept-Encoding"] = compression.ACCEPTED
            self._local.session = session
        # A proxy from the environment must never see calls to this machine.
        session.trust_env = not is_loopback(urlsplit(url).hostname)
        return session


def _read(response: requests.Response, options: CallOptions) -> tuple[bytes, str]:
    """The body as it travels, and how it is packed."""
    encoding = compression.encoding_of(response.headers.get("Content-Encoding"))
    pieces = []
    for piece in response.raw.stream(_PIECE, decode_content=False):
        options.check()
        pieces.append(piece)
    return b"".join(pieces), encoding


def _headers(response: requests.Response, secrets: tuple[Secret, ...]) -> dict[str, str]:
    """The headers that are read here; any may repeat what was sent."""
    given = response.headers
    return {name: redact(given[name], secrets) for name in HEADERS if name in given}


def _identity(credentials: Credentials | None) -> str:
    """A hash that tells credentials from others."""
    parts = credentials.secrets if credentials else ()
    texts = json.dumps([part.reveal() for part in parts])
    return hashlib.sha256(texts.encode()).hexdigest()


def _check_timeout(timeout: Timeout) -> tuple[float, float]:
    pair = timeout if isinstance(timeout, (tuple, list)) else (timeout, timeout)
    try:
        connect, read = (float(part) for part in pair)
    except (TypeError, ValueError):
        raise ConfigurationError(
            "timeout is a number of seconds, or a pair (connect, read)"
        ) from None
    if not (connect > 0 and read > 0):
        raise ConfigurationError("timeout is more than 0 seconds")
    return connect, read
