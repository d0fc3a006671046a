"""What went wrong below HTTP, told without a word of the error's own text.

The errors of requests and urllib3 hold the address of the call, and with an API key that holds
the credentials.
"""

from __future__ import annotations

import requests
import urllib3

from alchemer_nb.errors import TransportError
from alchemer_nb.http.compression import Broken

# The first that fits says what happened.
_TROUBLES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (
        requests.exceptions.ConnectTimeout,
        "unreachable",
        "{host} could not be reached within {connect} seconds ({where}); try again",
    ),
    (
        (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError),
        "silent",
        "{host} did not answer {where} within {read} seconds; try again",
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        "certificate",
        "the certificate of {host} could not be verified ({where}). Behind a company proxy, set "
        "REQUESTS_CA_BUNDLE to the company's certificate file",
    ),
    (
        requests.exceptions.ProxyError,
        "",
        "the proxy of this machine did not let {where} through to {host}",
    ),
    (
        (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
            urllib3.exceptions.ProtocolError,
            urllib3.exceptions.DecodeError,
            Broken,
        ),
        "cut",
        "the answer of {host} to {where} was cut off or broken; try again",
    ),
)


def describe(
    error: Exception, where: str, host: str, timeout: tuple[float, float]
) -> TransportError:
    """Builds the error that is raised instead.

    Args:
        error: What was caught.
        where: Method and path of the call.
        host: The part of the address that may be shown.
        timeout: Seconds to connect, and to wait for bytes.
    """
    reason, words = _told_by_kind(error)
    connect, read = timeout
    return TransportError(
        words.format(host=host, where=where, connect=f"{connect:g}", read=f"{read:g}"),
        reason=reason,
    )


def _told_by_kind(error: Exception) -> tuple[str, str]:
    for kinds, reason, words in _TROUBLES:
        if isinstance(error, kinds):
            return reason, words
    if isinstance(error, requests.exceptions.ConnectionError):
        return _connection(error)
    return "", f"{{where}} at {{host}} could not be sent ({type(error).__name__})"


def _connection(error: Exception) -> tuple[str, str]:
    within = error.args[0] if error.args else None
    reason = getattr(within, "reason", None)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return (
            "unreachable",
            "no host is called {host}: check the region's address and your network ({where})",
        )
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return (
            "unreachable",
            "nothing answers at {host}: check your network, or whether the server is running "
            "({where})",
        )
    return "cut", "the connection to {host} broke off; try again ({where})"
