"""Builds the errors of failures below HTTP, without the text of the original error.

The errors of requests and urllib3 hold the address of the call, which holds the API key; those of a
proxy may hold its password. So the cause is found by the classes and numbers in the chain of errors
alone, and of a proxy only the variable that names it is shown.
"""

from __future__ import annotations

import os
import re
import ssl
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy

from alchemer_nb.errors import TransportError
from alchemer_nb.http.compression import MOST_BYTES, Broken, TooLarge, UnknownEncoding
from alchemer_nb.http.interruptible import SlowReply
from alchemer_nb.http.regions import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")  # the first one counts
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
VARIABLES = (*_PROXY_VARIABLES, "no_proxy", "NO_PROXY", *_CA_VARIABLES)  # that calls depend on
_PROXY_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9]*://)?(?:[^@/?#\s]*@)?((?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)/?",
    re.A | re.I,
)
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})\b")
_EXPIRED, _NOT_YET_VALID, _WRONG_HOST = 10, 9, 62  # X509_V_ERR_… of OpenSSL
_CHECK_PROXY = (
    "Try again. If it still fails, ask whoever runs your network whether the proxy lets {host} "
    "through"
)
_NO_PROXY = "If you need no proxy, {remove_proxy}"
_ASK_NETWORK = "ask whoever runs your network to let {host} through, or use another network"
# Not in a cell, which is saved with the notebook.
_LONG_FORM = (
    "http://NAME:PASSWORD@HOST:PORT (in both write @ as %40, / as %2F, : as %3A) in the terminal "
    "that starts Jupyter (export; Windows: set)"
)
_ASK_CA = (
    "Ask whoever runs your network for the company's certificate file (.pem), and set "
    "REQUESTS_CA_BUNDLE to it (in a cell: %env REQUESTS_CA_BUNDLE=PATH.pem)"
)


class _Failure(NamedTuple):
    kinds: tuple[type[object], ...]
    reason: str
    sentence: str
    hint: str = ""


_MISSING_CA = _Failure(
    (),
    "certificate",
    "{ca} names a file of certificates that is not there or cannot be read ({where})",
    "Correct the path (in a cell: %env {ca}=PATH.pem). If your network has no certificate of its "
    "own, remove the variable (in a cell: %env {ca}=)",
)
# By the number that OpenSSL gives for the reason.
_CERTIFICATES = {
    _EXPIRED: _Failure(
        (),
        "certificate",
        "the certificate of {host} has expired ({where})",
        "Check the date of this computer. If it is right, another server answers in place of "
        "Alchemer: ask whoever runs your network",
    ),
    _NOT_YET_VALID: _Failure(
        (),
        "certificate",
        "the certificate of {host} is not valid yet ({where})",
        "Check the date and the time zone of this computer",
    ),
    _WRONG_HOST: _Failure(
        (),
        "certificate",
        "another server answers in place of {host}, with the certificate of another host ({where})",
        "Open https://{host} in a browser: if a log-in page of your network appears, log in there, "
        "then try again. If not, check the region",
    ),
}
# Of a proxy, by the cause.
_PROXY_FAILURES = (
    _Failure(
        (urllib3.exceptions.NameResolutionError,),
        "unreachable",
        "the host of the proxy in {proxy} was not found ({where})",
        f"Check its spelling. {_NO_PROXY}",
    ),
    _Failure(
        (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError),
        "unreachable",
        "nothing answers at the proxy in {proxy} ({where})",
        f"Check its host and port, or ask whoever runs your network. {_NO_PROXY}",
    ),
    _Failure(
        (ssl.SSLCertVerificationError,),
        "certificate",
        "the certificate of the proxy in {proxy} could not be verified ({where})",
        _ASK_CA,
    ),
    _Failure(
        (ssl.SSLError,),
        "",
        "the proxy in {proxy} does not speak https itself ({where})",
        "Its address probably begins with http://, also for calls over https",
    ),
    _Failure(
        (object,),
        "",
        "the proxy in {proxy} did not let {where} through to {host}",
        f"Try again. If it still fails, {_ASK_NETWORK}",
    ),
)
_SILENT_PROXY = _Failure(
    (),
    "silent",
    "the proxy in {proxy} did not answer within {connect:g} seconds, or could not reach {host}; "
    "{where} was not sent",
    f"Check its port, and whether the proxy runs and lets {{host}} through. {_NO_PROXY}",
)
# The first that fits an error of the chain is used: subclasses come before their base classes.
_FAILURES = (
    _Failure(
        (requests.exceptions.ConnectTimeout,),
        "unreachable",
        "{to} could not be reached within {connect:g} seconds ({where}); try again",
    ),
    _Failure(
        (SlowReply,),
        "slow",
        "{to} answered {where} so slowly that the answer was given up",
        "Try again, or from another network",
    ),
    _Failure(
        (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError),
        "silent",
        "{to} did not answer {where} within {read:g} seconds; try again",
    ),
    _Failure(
        (ssl.SSLCertVerificationError,),
        "certificate",
        "the certificate of {host} could not be verified: this computer does not trust its issuer "
        "({where})",
        _ASK_CA,
    ),
    _Failure(
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        "certificate",
        "no encrypted connection to {host} could be made ({where})",
        "Another server may answer in place of Alchemer: use another network, or check the region",
    ),
    _Failure(
        (
            *(requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError),
            *(urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError, Broken),
            requests.exceptions.InvalidHeader,
        ),
        "cut",
        "the answer of {to} to {where} was cut off or broken; try again",
    ),
    _Failure(
        (UnknownEncoding,),
        "",
        "the answer of {host} to {where} is compressed in a way that was not asked for",
        "A proxy in between may have changed it: ask whoever runs your network, or use another "
        "network",
    ),
    _Failure(
        (urllib3.exceptions.NameResolutionError,),
        "unreachable",
        "the host {host} was not found ({where})",
        "Check your network connection first, then the region",
    ),
    _Failure(
        (urllib3.exceptions.NewConnectionError,),
        "unreachable",
        "nothing answers at {host}: check your network, or whether the server is running ({where})",
    ),
    _Failure(
        (requests.exceptions.ConnectionError,),
        "cut",
        "the connection to {to} broke off; try again ({where})",
    ),
)


def build_too_large_error(where: str, most: int) -> TransportError:
    """Build the error of an answer that is not read, as it would fill the memory.

    Args:
        where: Method and path of the call.
        most: Bytes that would have been read.
    """
    return TransportError(
        f"the answer to {where} has more than {most >> 20} MB when unpacked, or far more lists and "
        "objects than data of its size, so it was not read",
        reason="large",
        hint="Ask for less at once, as with a smaller resultsperpage. Where that does not help, "
        "another server may answer in place of Alchemer: use another network",
    )


def build_network_error(
    error: Exception, where: str, host: str, timeout: tuple[float, float], url: str
) -> TransportError:
    """Build the error to raise instead of an error of requests or urllib3.

    Args:
        error: What was caught.
        where: Method and path of the call.
        host: The part of the address that may be shown.
        timeout: Seconds to connect, and to wait for bytes.
        url: Address of the call, to see whether a proxy is used for it.
    """
    chain = list(_chain(error))
    if any(isinstance(each, TooLarge) for each in chain):
        return build_too_large_error(where, MOST_BYTES)
    found = find_proxy(url)
    proxy = found.variable if found else ""
    failure = _find_failure(error, chain, proxy)
    if failure is None:
        return TransportError(
            f"{where} at {host} could not be sent ({type(error).__name__})",
            hint="Try again. If it still fails, check your proxy settings and the region",
        )
    hint = failure.hint or (_CHECK_PROXY if proxy else "")
    connect, read = timeout
    is_variable = proxy in _PROXY_VARIABLES
    remove = f"remove the variable (in a cell: %env {proxy}=)" if is_variable else "remove it there"
    words = {
        "to": f"{host} (through the proxy in {proxy})" if proxy else host,
        "host": host, "where": where, "connect": connect, "read": read, "proxy": proxy,
        "variable": proxy if is_variable else _PROXY_VARIABLES[1], "remove_proxy": remove,
        "ca": next(filter(os.environ.get, _CA_VARIABLES), _CA_VARIABLES[0]),
    }  # fmt: skip
    return TransportError(
        failure.sentence.format(**words), reason=failure.reason, hint=hint.format(**words)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, as requests and urllib3 nest them."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            # Not ``__context__``: it may be an error that the caller is handling.
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__]


def _find_failure(error: Exception, chain: list[BaseException], proxy: str) -> _Failure | None:
    if proxy:
        failure = _find_proxy_failure(error, chain)
        if failure is not None:
            return failure
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError) and each.verify_code in _CERTIFICATES:
            return _CERTIFICATES[each.verify_code]
        if isinstance(each, ssl.SSLError) and each.library in ("X509", "PEM"):
            return _MISSING_CA
    if type(error) is OSError and any(map(os.environ.get, _CA_VARIABLES)):
        return _MISSING_CA  # raised by requests before it sends anything
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    certificate = [each for each in chain if isinstance(each, ssl.SSLCertVerificationError)]
    return _first_fit(_FAILURES, [error, reason, *certificate])


def _find_proxy_failure(error: Exception, chain: list[BaseException]) -> _Failure | None:
    for each in chain:
        found = _TUNNEL_STATUS.match(str(each)) if type(each) is OSError else None
        if found:
            return _refused_tunnel(int(found[1]))
    if isinstance(error, requests.exceptions.ProxyError):
        return _first_fit(_PROXY_FAILURES, chain)
    if any(_is_silent_proxy(each) for each in chain):
        return _SILENT_PROXY
    if isinstance(error, requests.exceptions.InvalidSchema):
        return _Failure(
            (),
            "",
            "{proxy} names a SOCKS proxy, for which a package is missing here ({where})",
            "Run %pip install pysocks and restart the kernel, or use an http:// proxy",
        )
    if isinstance(error, (ValueError, TypeError, urllib3.exceptions.LocationValueError)):
        # The region's address has been checked before, so it is the proxy's.
        return _Failure(
            (),
            "",
            "the address of the proxy in {proxy} is not valid ({where})",
            "Write it as http://HOST:PORT (in a cell: %env {variable}=http://HOST:PORT) or, with "
            f"name and password, as {_LONG_FORM}. {_NO_PROXY}",
        )
    return None


def _refused_tunnel(status: int) -> _Failure:
    """Return what it means that a proxy answered CONNECT with this status."""
    if status == requests.codes.proxy_authentication_required:
        return _Failure(
            (),
            "",
            "the proxy in {proxy} asks for a valid name and password (status 407, {where})",
            "Ask whoever runs your network for both, and set {variable} to " + _LONG_FORM,
        )
    if status >= requests.codes.server_error:
        sentence = f"the proxy in {{proxy}} cannot reach {{host}} (status {status}, {{where}})"
        hint = f"Try again in a few minutes. If it still fails, {_ASK_NETWORK}"
        return _Failure((), "unreachable", sentence, hint)
    sentence = f"the proxy in {{proxy}} blocks {{host}} (status {status}, {{where}})"
    return _Failure((), "blocked", sentence, _ASK_NETWORK[:1].upper() + _ASK_NETWORK[1:])


def _first_fit(failures: tuple[_Failure, ...], causes: Sequence[object]) -> _Failure | None:
    return next(
        (each for each in failures if any(isinstance(one, each.kinds) for one in causes)), None
    )


def _is_silent_proxy(error: BaseException) -> bool:
    """Check for a time-out before the call was sent: urllib3 then names the proxy, not the path."""
    is_timeout = isinstance(error, urllib3.exceptions.ReadTimeoutError)
    return is_timeout and "://" in str(getattr(error, "url", ""))


class Proxy(NamedTuple):
    """The proxy of an address.

    Attributes:
        variable: What names it: an environment variable, or the settings of the computer.
        host: Its host and port alone; ``""`` if its address cannot be read.
    """

    variable: str
    host: str


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy that calls to an address go through, or None."""
    if is_loopback(urlsplit(url).hostname):
        return None
    try:
        proxy = select_proxy(url, get_environ_proxies(url))
    except ValueError:  # an address that cannot be read at all
        proxy = "?"
    if not proxy:
        return None
    variable = next(filter(os.environ.get, _PROXY_VARIABLES), "the settings of this computer")
    # The whole address has to fit: of a damaged one, a part of the password may look like a host.
    found = _PROXY_ADDRESS.fullmatch(proxy)
    return Proxy(variable, found[1] if found else "")
