"""Fetch a file from a signed address: without credentials, in pieces, with bounds.

A signed address opens the file for whoever has it, so it is a secret like a key: it is not shown,
logged or raised. It leads to another host than Alchemer's API, which gets nothing of the sign-in.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from alchemer_nb.errors import Stopped, TransportError
from alchemer_nb.http import interruptible
from alchemer_nb.http.compression import is_gzip, unpack_stream
from alchemer_nb.http.network_errors import build_network_error
from alchemer_nb.http.regions import is_loopback
from alchemer_nb.http.secrets import Secret, hidden_in_logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.http.waiting import CallOptions

_MOST_REDIRECTS = 3
_PIECE = 1 << 16
_TIMEOUT = (10.0, 60.0)  # seconds to connect, and to wait for bytes
_IS_NUMBER = re.compile(r"0x[0-9a-f]*|\d+")
_REDIRECTS = (301, 302, 303, 307, 308)


class FileRefused(TransportError):
    """A file that did not come, although the host answered.

    Attributes:
        status: HTTP status, 0 if it is not about one.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What to fetch, and how.

    Attributes:
        address: The signed address.
        allow_loopback: Whether http is allowed to this computer: for a sandbox.
        most: Bytes that are read at most.
        size: Bytes of the file at hand, which is left as it is; -1 if there is none.
        options: How to stop it.
        on_bytes: Called with the number of bytes of each piece.
    """

    address: Secret
    allow_loopback: bool
    most: int
    size: int
    options: CallOptions
    on_bytes: Callable[[int], None]


def fetch_file(request: FileRequest, target: BinaryIO) -> int | None:
    """Fetch a file from its signed address.

    Args:
        request: What to fetch.
        target: File to write to.

    Returns:
        Its size in bytes; None if the file at hand has this size already.

    Raises:
        FileRefused: The address is not safe, the host refused it, the file is too large, or the
            file at hand has another size.
        TransportError: It did not come as a whole.
        OSError: It could not be written.
        Stopped: ``stop`` was set.
    """
    address = request.address
    for _ in range(_MOST_REDIRECTS + 1):
        _check_address(address, allow_loopback=request.allow_loopback)
        with hidden_in_logs(_as_logged(address)), interruptible.interrupted_by(request.options):
            # Errors of requests hold the address, so they are returned and not raised.
            outcome = _exchange(request, address, target)
        if isinstance(outcome, BaseException):
            raise outcome
        if not isinstance(outcome, Secret):
            return outcome
        address = outcome
    raise FileRefused(f"the address of the file leads on more than {_MOST_REDIRECTS} times")


def _check_address(address: Secret, *, allow_loopback: bool) -> None:
    """Check that nothing is fetched over a connection that others can read, or from nearby.

    Raises:
        FileRefused: It is not https, not an address, or that of a machine of this network.
    """
    scheme, host = _read_address(address)
    if not host:
        raise FileRefused("Alchemer sent no valid address of the file")
    if scheme == "https" and not _is_elsewhere(host):
        raise FileRefused("the address of the file leads to this network, so it was not fetched")
    if scheme != "https" and not (allow_loopback and scheme == "http" and is_loopback(host)):
        raise FileRefused("the address of the file is not https, so it was not fetched")


def _as_logged(address: Secret) -> tuple[Secret, ...]:
    """Return an address and its parts, also as requests writes them: ``%2D`` becomes ``-``."""
    prepared = requests.PreparedRequest()
    with suppress(ValueError):  # ``_exchange`` returns it
        prepared.prepare_url(address.reveal(), None)
    sent = urlsplit(prepared.url or "")
    signed_path = Secret(sent.path if len(sent.path) > len("/") else "")
    return address, Secret(urlsplit(address.reveal()).query), Secret(sent.query), signed_path


def _is_elsewhere(host: str) -> bool:
    """Check that a host is not this computer, or a machine of the network around it."""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        # 127.1, 2130706433 and 0x7f.1 are addresses, too, for those who connect.
        return host.isascii() and last != "localhost" and not _IS_NUMBER.fullmatch(last)
    return (getattr(number, "ipv4_mapped", None) or number).is_global


def _read_address(address: Secret) -> tuple[str, str]:
    """Return scheme and host; no host if others could read another one in the address."""
    text = address.reveal()
    with suppress(ValueError):
        parts = urlsplit(text)
        is_plain = text.isprintable() and not set(text) & {" ", "\\"} and "@" not in parts.netloc
        if is_plain and parts.port != 0:
            return parts.scheme, parts.hostname or ""
    return "", ""


def _exchange(
    request: FileRequest, address: Secret, target: BinaryIO
) -> int | Secret | Exception | KeyboardInterrupt | None:
    """Ask once; return the size, None for a file at hand, the next address, or the error."""
    url = address.reveal()
    host = urlsplit(url).hostname or ""
    try:
        with interruptible.InterruptibleSession() as session, _open(session, url) as reply:
            if reply.status_code in _REDIRECTS and "Location" in reply.headers:
                return Secret(urljoin(url, reply.headers["Location"]))
            if reply.status_code != requests.codes.ok:
                return FileRefused(
                    f"{host} refused the file (status {reply.status_code})", reply.status_code
                )
            return _receive(request, reply, target)
    except KeyboardInterrupt:
        return KeyboardInterrupt()
    except Stopped:
        return Stopped("the download was called off")
    except _WriteError as error:
        return error.cause
    except FileRefused as error:
        return FileRefused(*error.args)
    except Exception as error:  # noqa: BLE001 - any of them may carry the address
        return build_network_error(error, "GET of the file", host, _TIMEOUT, url)


def _open(session: requests.Session, url: str) -> requests.Response:
    session.headers["Accept-Encoding"] = "identity"  # so that the length is that of the file
    session.trust_env = not is_loopback(urlsplit(url).hostname)  # proxies are not for loopback
    return session.get(
        url,
        auth=lambda prepared: prepared,  # with None, requests would look into ~/.netrc
        timeout=_TIMEOUT,
        allow_redirects=False,
        stream=True,
    )


class _WriteError(Exception):
    """An error of the disk, apart from those of the network, which are an OSError, too."""

    def __init__(self, cause: OSError) -> None:
        self.cause = OSError(cause.errno, cause.strerror)  # without the frames of the call


def _receive(request: FileRequest, reply: requests.Response, target: BinaryIO) -> int | None:
    length = reply.headers.get("Content-Length", "")
    announced = int(length) if length.isascii() and length.isdigit() else None
    is_packed = is_gzip(reply.headers.get("Content-Encoding"))  # which was not asked for
    if announced is None and not reply.raw.chunked:
        raise FileRefused("the host does not say how long the file is, so it may be cut off")
    if not is_packed and announced == request.size:
        return None
    if request.size >= 0:
        raise FileRefused("a file of this name that is another one is in the folder: move it away")
    if announced is not None and announced > request.most:
        raise _too_large(request.most)
    count = 0
    received = reply.raw.stream(_PIECE, decode_content=False)
    for piece in unpack_stream(received, _PIECE) if is_packed else received:
        request.options.check()
        count += len(piece)
        if count > request.most:
            raise _too_large(request.most)
        try:
            target.write(piece)
        except OSError as error:
            raise _WriteError(error) from None
        request.on_bytes(len(piece))
    return count


def _too_large(most: int) -> FileRefused:
    return FileRefused(f"the file has more than {most:,} bytes (see most_bytes)")
