"""The only module that sends.

With an API key the address of a call holds the credentials, and so does the text of every error
of requests and urllib3. Here alone such an address exists: errors are built anew, from method,
path and status, and outside the ``except`` block so that no chained exception carries it on.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests
import urllib3

from alchemer_nb import __version__, logs
from alchemer_nb.envelope import Answer, judge
from alchemer_nb.errors import ConfigurationError, InvalidArgument, TransportError
from alchemer_nb.regions import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alchemer_nb.credentials import Credentials
    from alchemer_nb.regions import Region
    from alchemer_nb.secrets import Secret

    Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]

API_VERSION = "v5"
Timeout = float | tuple[float, float]
_METHODS = ("GET", "PUT", "POST", "DELETE")
_CREDENTIAL_NAMES = ("api_token", "oauth_")
_MOST_IN_FLIGHT = 8


class Transport:
    """Sends calls of one set of credentials to one region.

    Args:
        credentials: How calls are signed; None for the steps of a sign-in, which sign themselves.
        region: Where calls go, and to no other place.
        timeout: Seconds to wait for a connection, and then for the next bytes.
        max_in_flight: How many calls may be under way at once, 1 to 8. One at a time is what the
            transport does today, whatever is set.
        requests_per_minute: Ceiling for calls of this account (240 on current plans).
        retries: Policy for calls that fail in passing; None leaves a failure to the caller.
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
        self.retries = retries
        self._local = threading.local()
        self._one_at_a_time = threading.Lock()

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Sends one call and returns its answer if it is no error.

        Args:
            method: GET, PUT (creates), POST (updates) or DELETE.
            path: Below the version, such as ``survey/123/surveyresponse``.
            params: Query parameters; nested values become ``name[key]=…``.
            data: Form fields of the body, nested in the same way.

        Raises:
            InvalidArgument: The method or path does not fit.
            ApiError: Alchemer answered with an error.
            TransportError: No answer, or none of Alchemer's.
        """
        verb = str(method).upper()
        if verb not in _METHODS:
            raise InvalidArgument(f"method {str(method)[:20]!r} is none of {', '.join(_METHODS)}")
        path = clean_path(path)
        url = f"{self.region.api_url}/{API_VERSION}/{quote(path, safe='/')}"
        secrets = self.credentials.secrets if self.credentials else ()
        answer = self.call(verb, url, path, self.credentials, secrets, params=params, data=data)
        judge(answer, self.region, secrets)
        return answer

    def call(
        self,
        method: str,
        url: str,
        path: str,
        sign: Sign | None,
        secrets: tuple[Secret, ...],
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Sends to one of the region's addresses and returns whatever comes, judged by nobody.

        Raises:
            TransportError: No whole answer came.
        """
        query, form = list(flatten(params)), list(flatten(data))
        problem: str | None = None
        answer: Answer | None = None
        interrupted = False
        with self._one_at_a_time, logs.hiding(secrets):
            started = time.monotonic()
            try:
                response = self._session(url).request(
                    method,
                    url,
                    params=query,
                    data=form or None,
                    auth=sign,
                    timeout=self.timeout,
                    allow_redirects=False,
                )
                took = time.monotonic() - started
                answer = Answer(
                    method, path, response.status_code, response.headers, response.content, took
                )
            except KeyboardInterrupt:
                interrupted = True
            except Exception as error:  # noqa: BLE001 - any of them may carry the address
                problem = self._describe(error, f"{method} {path}")
        if interrupted:
            raise KeyboardInterrupt
        if answer is None:
            raise TransportError(problem)
        return answer

    def _session(self, url: str) -> requests.Session:
        """One session a thread: requests does not promise that sessions may be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"alchemer_nb/{__version__}"
            session.headers["Accept"] = "application/json"
            self._local.session = session
        # A proxy from the environment must never see calls to this machine.
        session.trust_env = not is_loopback(urlsplit(url).hostname)
        return session

    def _describe(self, error: Exception, where: str) -> str:
        """Says what happened without a word of the error's own text, which holds the address."""
        host = self.region.host
        connect, read = self.timeout
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return f"{host} could not be reached within {connect:g} seconds ({where}); try again"
        if isinstance(error, requests.exceptions.Timeout):
            return f"{host} did not answer {where} within {read:g} seconds; try again"
        if isinstance(error, requests.exceptions.SSLError):
            return (
                f"the certificate of {host} could not be verified ({where}). Behind a company "
                "proxy, set REQUESTS_CA_BUNDLE to the company's certificate file"
            )
        if isinstance(error, requests.exceptions.ProxyError):
            return f"the proxy of this machine did not let {where} through to {host}"
        if isinstance(error, _CUT_OFF):
            return f"the answer of {host} to {where} was cut off or broken; try again"
        if isinstance(error, requests.exceptions.ConnectionError):
            return f"{_unreachable(error, host)} ({where})"
        return f"{where} at {host} could not be sent ({type(error).__name__})"


_CUT_OFF = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
)


def _unreachable(error: Exception, host: str) -> str:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return f"no host is called {host}: check the region's address and your network"
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return f"nothing answers at {host}: check your network, or whether the server is running"
    return f"the connection to {host} broke off; try again"


def clean_path(path: str) -> str:
    """Brings a path to the form ``survey/123/surveyresponse``.

    Raises:
        InvalidArgument: It is an address, leaves the API, or carries a query.
    """
    text = str(path).strip()
    if "://" in text or text.startswith("//"):
        raise InvalidArgument("give a path such as survey/123, not a whole address")
    if "?" in text or "#" in text:
        raise InvalidArgument("give parameters apart from the path, not after a question mark")
    parts = [p for p in text.split("/") if p]
    if parts and parts[0].lower() == API_VERSION:
        parts = parts[1:]
    if not parts or any(p in (".", "..") for p in parts) or "\\" in text:
        raise InvalidArgument(f"{text[:60]!r} is not a path of the API, such as survey/123")
    return "/".join(parts)


def flatten(values: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Writes nested values as PHP reads them: ``data[2][value]=…``.

    Raises:
        InvalidArgument: A name is one that carries credentials.
    """
    for name, value in (values or {}).items():
        if str(name).lower().startswith(_CREDENTIAL_NAMES):
            raise InvalidArgument(
                f"{str(name)[:30]!r} is not taken as a parameter: calls are signed with the "
                "credentials you signed in with. If a secret stood in a cell, clear it and "
                "regenerate the key"
            )
        yield from _pairs(str(name), value)


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(f"{name}[{key}]", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _pairs(f"{name}[{index}]", inner)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, bytes):
        raise InvalidArgument(f"{name} is bytes; give text")
    else:
        yield name, value if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (int, float)) else str(value)


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
