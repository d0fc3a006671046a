"""What Alchemer's answers are wrapped in, and whether an answer is an error.

Facts: HTTP 200 does not mean success, ``result_ok`` does; codes are not always HTTP statuses;
a BOM is possible; single objects come with and without ``data``
(https://apihelp.alchemer.com/help/api-base-domains, /help/api-request-limits).
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alchemer_nb.bodies import Broken, edges, unpack
from alchemer_nb.errors import (
    ApiError,
    AuthenticationError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    TransportError,
)
from alchemer_nb.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alchemer_nb.regions import Region
    from alchemer_nb.secrets import Secret

BOM = b"\xef\xbb\xbf"
_LONGEST_MESSAGE = 300
_LARGE = 4_000  # bytes as they travelled, which unpack to ten times as many and more
_GOOD_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"result_ok"\s*:\s*(?:true|"true")\s*,')
# Alchemer words a wrong pair and a missing right alike as 401; only the text tells them apart.
_REFUSED_RIGHT = re.compile(r"not authori[sz]ed|permission|access denied|forbidden", re.I)
_REFUSED_KEY = re.compile(r"api_token|auth token|login failed|signature|oauth|consumer", re.I)
_UNAVAILABLE_CODE = 103  # "Service currently unavailable", seen with HTTP 200


class Verdict(msgspec.Struct):
    """The few members of an envelope that decide, read without building its data."""

    result_ok: Any = None
    code: Any = None
    message: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came.

    Attributes:
        method: HTTP method of the call.
        path: Path of the call, without any query.
        status: HTTP status.
        headers: HTTP headers of the answer.
        packed: The bytes as they travelled, mostly compressed.
        encoding: How: ``"gzip"``, ``"deflate"`` or ``""``.
        took: Seconds from sending to the last byte.
        cached: Whether no call was made for it: it comes from this client's memory of the last
            minute, or is shared with the same call of another thread.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    packed: bytes = field(repr=False)
    encoding: str = ""
    took: float = 0.0
    cached: bool = False

    @property
    def body(self) -> bytes:
        """The bytes, unpacked anew each time, as the packed ones are all that is kept.

        Raises:
            TransportError: They are cut off or damaged.
        """
        with suppress(Broken):
            return unpack(self.packed, self.encoding)
        raise TransportError(
            f"the answer to {self.method} {self.path} was cut off or broken; try again",
            reason="cut",
        )

    def envelope(self) -> dict[str, Any]:
        """The answer as a dict; ``judge`` has made sure that it is one."""
        decoded = decode(self.body)
        if not isinstance(decoded, dict):
            raise TransportError(
                f"{self.method} {self.path} was answered with JSON that is not an object"
            )
        return decoded


def decode(body: bytes) -> Any:
    """Reads JSON leniently: a BOM is dropped and lone surrogates are replaced.

    Raises:
        ValueError: It is not JSON.
    """
    body = body.removeprefix(BOM)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return json.loads(clean(body))


def clean(body: bytes) -> str:
    """The text of a body that strict readers refuse, without bytes or escapes that are no text."""
    text = body.removeprefix(BOM).decode("utf-8", errors="replace")
    # A lone half of a surrogate pair, escaped: its other half is not beside it.
    pair = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    lone = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    return re.sub(
        rf"((?:\\\\)+)|({pair})|({lone})",
        lambda m: m.group(1) or m.group(2) or "\\ufffd",
        text,
    )


def judge(answer: Answer, region: Region, secrets: Iterable[Secret] = ()) -> None:
    """Raises the fitting error if the answer is one; the single place where that is decided.

    Raises:
        ApiError: Or the fitting one below it.
        TransportError: The answer does not come from Alchemer's API.
    """
    where = f"{answer.method} {answer.path}"
    if answer.status == 200 and _is_plainly_good(answer):
        return
    verdict = _read_verdict(answer.body)
    if verdict is None:
        _judge_foreign(answer, region, where)
        return
    refused = verdict.result_ok in (False, 0, "0", "false", "False")
    odd = verdict.result_ok is None and verdict.code not in (None, 200, "200")
    if answer.status < 300 and not refused and not odd:
        return
    message = redact(str(verdict.message or ""), secrets)
    message = " ".join(message.split())[:_LONGEST_MESSAGE]
    code = _as_code(verdict.code)
    raise _error_for(answer, region, code if code is not None else answer.status, message)


def _is_plainly_good(answer: Answer) -> bool:
    """Whether a large answer says at its start that it is none of an error, and has its end.

    A page of responses is megabytes, most of them question texts: it is gone through once to see
    that it arrived whole, but never held unpacked, and read as JSON only where it is used.
    """
    if len(answer.packed) < _LARGE:
        return False
    if not (answer.encoding or "Content-Length" in answer.headers):
        return False  # nothing but its JSON says that it is whole
    try:
        head, tail, _ = edges(answer.packed, answer.encoding)
    except Broken:
        return False  # and the body will say so
    return _GOOD_START.match(head) is not None and tail.rstrip().endswith(b"}")


def _read_verdict(body: bytes) -> Verdict | None:
    try:
        return msgspec.json.decode(body.removeprefix(BOM), type=Verdict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        decoded = json.loads(clean(body))
    except (ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict):
        return None
    return Verdict(decoded.get("result_ok"), decoded.get("code"), decoded.get("message"))


def _judge_foreign(answer: Answer, region: Region, where: str) -> None:
    """An answer that is not an envelope: a gateway's page, an empty or a broken body."""
    status = answer.status
    if 300 <= status < 400:
        raise TransportError(
            f"{where} at {region.host} was redirected elsewhere, which is not followed because "
            "the call carries credentials; check the region's address",
            reason="redirect",
        )
    if status >= 400:
        raise _error_for(answer, region, status, "")
    body = answer.body
    head = body.lstrip()[:200].lower()
    if not head:
        raise TransportError(
            f"{where} at {region.host} was answered with nothing; try again",
            reason="cut",
        )
    if head.startswith((b"<", b"<!doctype")):
        raise TransportError(
            f"{where} at {region.host} was answered with a web page instead of data: a proxy or "
            "a log-in page may stand in between, or the address is not that of the API",
            reason="page",
        )
    raise TransportError(
        f"{where} at {region.host} was answered with something that is not JSON, or was cut off "
        f"after {len(body)} bytes; try again",
        reason="cut",
    )


def _as_code(code: Any) -> int | str | None:
    try:
        return int(code)
    except (TypeError, ValueError):
        return str(code)[:40] if code not in (None, "") else None


def _error_for(answer: Answer, region: Region, code: int | str, message: str) -> ApiError:
    status, where = answer.status, f"{answer.method} {answer.path}"
    told = f": {message}" if message else ""
    context: dict[str, Any] = {
        "status": status,
        "code": code,
        "method": answer.method,
        "path": answer.path,
    }
    number = code if isinstance(code, int) else status
    if "please wait for other requests" in message.lower() or number == 429:
        wait = retry_after(answer.headers)
        return RateLimited(
            f"Alchemer asks to slow down ({where}{told}). The limit is per account, colleagues' "
            f"calls count too: wait {f'{wait:.0f} seconds' if wait else 'a minute'}, then run "
            "the cell again",
            retry_after=wait,
            **context,
        )
    if number == 401 and _REFUSED_RIGHT.search(message) and not _REFUSED_KEY.search(message):
        number = 403
    if number == 401:
        return AuthenticationError(_refused(region, message), **context)
    if number == 403:
        return PermissionDenied(
            f"you are signed in, but your user may not do this ({where}{told}); ask an "
            "administrator of the account",
            **context,
        )
    if number == 404:
        return NotFound(
            f"nothing was found at {answer.path} in region {region.name}{told}; check the id, "
            "and that the account lies in this region",
            **context,
        )
    if number >= 500 or number == _UNAVAILABLE_CODE:
        return ServerError(
            f"Alchemer could not answer {where} (status {status}{told}); try again in a minute",
            **context,
        )
    return ApiError(f"Alchemer refused {where} (status {status}, code {code}{told})", **context)


def _refused(region: Region, message: str) -> str:
    from alchemer_nb.regions import Region

    others = ", ".join(
        f"{name} ({Region.get(name).app_host})" for name in Region.names() if name != region.name
    )
    told = f" ({message})" if message else ""
    return (
        f"the credentials were refused by region {region.name}, {region.host}{told}. Your region "
        f"is in the address bar when you are logged in; the others are {others}"
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` header, None where there is none that can be read.

    A date is counted from the server's own ``Date``: this machine's clock may be another.
    """
    told = headers.get("Retry-After", "")
    try:
        seconds = float(told)
    except ValueError:
        until, now = _timestamp(told), _timestamp(headers.get("Date", ""))
        if until is None:
            return None
        seconds = until - (time.time() if now is None else now)
    return max(0.0, seconds) if seconds == seconds else None


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
