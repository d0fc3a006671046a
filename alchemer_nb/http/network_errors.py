"""Errors below HTTP, described without any of the original error's own text.

The errors of requests and urllib3 hold the address of the call, and with an API key that holds
the credentials.
"""

from __future__ import annotations

from typing import NamedTuple

import requests
import urllib3

from alchemer_nb.errors import TransportError
from alchemer_nb.http.compression import Broken, UnknownEncoding


class _Failure(NamedTuple):
    reason: str
    sentence: str
    hint: str = ""


# The first that fits is taken.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], _Failure], ...] = (
    (
        (requests.exceptions.ConnectTimeout,),
        _Failure(
            "unreachable",
            "{host} could not be reached within {connect:g} seconds ({where}); try again",
        ),
    ),
    (
        (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError),
        _Failure("silent", "{host} did not answer {where} within {read:g} seconds; try again"),
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        _Failure(
            "certificate",
            "the certificate of {host} could not be verified ({where})",
            "Behind a company proxy, set REQUESTS_CA_BUNDLE to the company's certificate file",
        ),
    ),
    (
        (requests.exceptions.ProxyError,),
        _Failure("", "the proxy of this machine did not let {where} through to {host}"),
    ),
    (
        (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
            urllib3.exceptions.ProtocolError,
            urllib3.exceptions.DecodeError,
            Broken,
        ),
        _Failure("cut", "the answer of {host} to {where} was cut off or broken; try again"),
    ),
    (
        (UnknownEncoding,),
        _Failure(
            "",
            "the answer of {host} to {where} is compressed in a way that was not asked for",
            "A proxy in between may have changed it: ask whoever runs your network, or try from "
            "another one",
        ),
    ),
)
_BY_CAUSE = (
    (
        urllib3.exceptions.NameResolutionError,
        _Failure(
            "unreachable",
            "no host is called {host}: check the region's address and your network ({where})",
        ),
    ),
    (
        urllib3.exceptions.NewConnectionError,
        _Failure(
            "unreachable",
            "nothing answers at {host}: check your network, or whether the server is running "
            "({where})",
        ),
    ),
)


def describe(
    error: Exception, where: str, host: str, timeout: tuple[float, float]
) -> TransportError:
    """Build the error that is raised instead.

    Args:
        error: What was caught.
        where: Method and path of the call.
        host: The part of the address that may be shown.
        timeout: Seconds to connect, and to wait for bytes.
    """
    failure = _failure_of(error)
    connect, read = timeout
    return TransportError(
        failure.sentence.format(host=host, where=where, connect=connect, read=read),
        reason=failure.reason,
        hint=failure.hint,
    )


def _failure_of(error: Exception) -> _Failure:
    for kinds, failure in _FAILURES:
        if isinstance(error, kinds):
            return failure
    if not isinstance(error, requests.exceptions.ConnectionError):
        return _Failure("", f"{{where}} at {{host}} could not be sent ({type(error).__name__})")
    within = error.args[0] if error.args else None
    cause = getattr(within, "reason", None)
    for kind, failure in _BY_CAUSE:
        if isinstance(cause, kind):
            return failure
    return _Failure("cut", "the connection to {host} broke off; try again ({where})")
