"""Builds the errors of failures below HTTP, without the text of the original error.

The errors of requests and urllib3 hold the address of the call, which holds the API key.
"""

from __future__ import annotations

from typing import NamedTuple

import requests
import urllib3

from alchemer_nb.errors import TransportError
from alchemer_nb.http.compression import Broken, UnknownEncoding


class _Failure(NamedTuple):
    kinds: tuple[type[object], ...]
    reason: str
    sentence: str
    hint: str = ""


# The first that fits the error or its cause is used: subclasses come before their base classes.
_FAILURES = (
    _Failure(
        (requests.exceptions.ConnectTimeout,),
        "unreachable",
        "{host} could not be reached within {connect:g} seconds ({where}); try again",
    ),
    _Failure(
        (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError),
        "silent",
        "{host} did not answer {where} within {read:g} seconds; try again",
    ),
    _Failure(
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        "certificate",
        "the certificate of {host} could not be verified ({where})",
        "Behind a company proxy, set REQUESTS_CA_BUNDLE to the company's certificate file",
    ),
    _Failure(
        (requests.exceptions.ProxyError,),
        "",
        "the proxy of this machine did not let {where} through to {host}",
    ),
    _Failure(
        (
            *(requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError),
            *(urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError, Broken),
        ),
        "cut",
        "the answer of {host} to {where} was cut off or broken; try again",
    ),
    _Failure(
        (UnknownEncoding,),
        "",
        "the answer of {host} to {where} is compressed in a way that was not asked for",
        "A proxy in between may have changed it: ask whoever runs your network, or try from "
        "another one",
    ),
    _Failure(
        (urllib3.exceptions.NameResolutionError,),
        "unreachable",
        "no host is called {host}: check the region's address and your network ({where})",
    ),
    _Failure(
        (urllib3.exceptions.NewConnectionError,),
        "unreachable",
        "nothing answers at {host}: check your network, or whether the server is running ({where})",
    ),
    _Failure(
        (requests.exceptions.ConnectionError,),
        "cut",
        "the connection to {host} broke off; try again ({where})",
    ),
)


def build_network_error(
    error: Exception, where: str, host: str, timeout: tuple[float, float]
) -> TransportError:
    """Build the error to raise instead of an error of requests or urllib3.

    Args:
        error: What was caught.
        where: Method and path of the call.
        host: The part of the address that may be shown.
        timeout: Seconds to connect, and to wait for bytes.
    """
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    for kinds, reason, sentence, hint in _FAILURES:
        if isinstance(error, kinds) or isinstance(cause, kinds):
            connect, read = timeout
            text = sentence.format(host=host, where=where, connect=connect, read=read)
            return TransportError(text, reason=reason, hint=hint)
    return TransportError(f"{where} at {host} could not be sent ({type(error).__name__})")
