"""The reply to a call, and the check whether it is an error.

Real replies show: HTTP 200 does not mean success, ``result_ok`` does; codes are not always HTTP
statuses; a BOM is possible; single objects come with and without ``data``.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb import errors
from alchemer_nb.http.compression import (
    MOST_BYTES,
    Broken,
    TooLarge,
    has_too_many_objects,
    unpack,
    unpack_edges,
)
from alchemer_nb.http.network_errors import build_too_large_error
from alchemer_nb.http.refusals import (
    DENIED_PROBLEMS,
    Attempt,
    Evidence,
    build_log_in_hint,
    build_method_hint,
    build_no_token_error,
    find_known_sentence,
    find_oauth_problem,
    forbidden,
    refused,
)
from alchemer_nb.http.secrets import hide_repeated, mask_secrets
from alchemer_nb.wire.clocks import Clock
from alchemer_nb.wire.json import decode_json, is_nested_too_deeply
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.secrets import Secret

# The headers that are read; others (a redirect's Location) may repeat the address of the call,
# and are not stored.
HEADERS = (
    *("Content-Length", "Date", "Retry-After", "WWW-Authenticate"),
    *("X-SG-Cached", "X-SG-Warning"),
)
_LONGEST_MESSAGE = 300
_LONGEST_WAIT = 86_400.0  # seconds
_HEAD = 4_000  # bytes in which a problem is looked for
# Bytes of a body that is decoded as a whole, which takes several times as many.
_MOST_DECODED = 64 << 20
_LARGE = 4_000  # compressed bytes, which unpack to ten times as many and more
_GOOD_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"result_ok"\s*:\s*(?:true|"true")\s*,')
_REFUSED_RIGHT = re.compile(r"not authori[sz]ed|permission|access denied|forbidden", re.I)
_REFUSED_KEY = re.compile(r"api_token|auth token|login failed", re.I)
_SAME_CALL = "please wait for other requests"
_UNAVAILABLE_CODE = 103  # "Service currently unavailable", seen with HTTP 200


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one call.

    Attributes:
        method: HTTP method of the call.
        path: Path of the call, without any query.
        status: HTTP status.
        headers: The HTTP headers in ``HEADERS``, without secrets.
        packed: The body as received, mostly compressed.
        is_gzip: True if it is compressed.
        took: Seconds from sending to the last byte.
        cached: True if no call was made for it: it is from this client's ``MinuteCache``, or
            another thread's call is shared.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    packed: bytes = field(repr=False)
    is_gzip: bool = False
    took: float = 0.0
    cached: bool = False

    @property
    def cached_there(self) -> bool:
        """True if Alchemer answered it from its own cache."""
        return str(self.headers.get("X-SG-Cached", "")).lower() == "true"

    @property
    def body(self) -> bytes:
        """The body, unpacked at each access, as only the compressed bytes stay in memory.

        Raises:
            TransportError: It is cut off or damaged, or too large.
        """
        return self._unpack(MOST_BYTES)

    def _unpack(self, most: int) -> bytes:
        where = f"{self.method} {self.path}"
        try:
            # A gateway's error without a body may claim gzip.
            body = unpack(self.packed, most) if self.is_gzip and self.packed else self.packed
        except Broken:
            failure = errors.TransportError(
                f"the answer to {where} was cut off or broken; try again", reason="cut"
            )
        except TooLarge:
            failure = build_too_large_error(where, most)
        else:
            if len(body) <= most and not has_too_many_objects(body):
                return body
            failure = build_too_large_error(where, most)
        raise failure

    def envelope(self) -> dict[str, Any]:
        """Return the body as a dict.

        Raises:
            TransportError: It is not one; ``find_error`` looks at both ends of a large body only.
        """
        with suppress(ValueError, RecursionError):
            decoded = decode_json(self._unpack(_MOST_DECODED))
            if isinstance(decoded, dict) and not is_nested_too_deeply(decoded):
                return decoded
        raise errors.TransportError(
            f"{self.method} {self.path} was answered with something that is not JSON; try again",
            reason="cut",
        )


def find_error(
    reply: Reply,
    region: Region,
    secrets: Iterable[Secret] = (),
    attempt: Attempt | None = None,
) -> errors.ApiError | errors.TransportError | None:
    """Return the error that a reply reports, or None; the only function that decides this.

    The error is returned and not raised: a reply may repeat a secret, and a traceback may be
    printed with its variables.

    Args:
        reply: The reply.
        region: Region of the call.
        secrets: Texts that must not appear in the error.
        attempt: What is known about the call.
    """
    if reply.status == 200 and _is_large_and_good(reply):
        return None
    try:
        body = reply.body
    except errors.TransportError as error:
        if error.reason != "large" or reply.status < 400:
            return error.with_traceback(None)
        body = b""  # a gateway's error, of which the status says enough
    return _ErrorFinder(reply, body, region, tuple(secrets), attempt or Attempt()).find()


def _is_large_and_good(reply: Reply) -> bool:
    # A page of responses has megabytes, mostly question texts. Here it is unpacked piece by piece,
    # only to see that it is complete; it is decoded where it is used.
    if len(reply.packed) < _LARGE:
        return False
    if not (reply.is_gzip or "Content-Length" in reply.headers):
        return False  # only decoding shows whether it is complete
    try:
        head, tail = (
            unpack_edges(reply.packed) if reply.is_gzip else (reply.packed, reply.packed[-99:])
        )
    except (Broken, TooLarge):
        return False  # ``body`` will raise the error
    return _GOOD_START.match(head) is not None and tail.rstrip().endswith(b"}")


@dataclass(frozen=True, repr=False)  # no repr: a body may repeat a secret
class _ErrorFinder:
    """Decides which error a reply is."""

    reply: Reply
    body: bytes
    region: Region
    secrets: tuple[Secret, ...]
    attempt: Attempt

    @property
    def path(self) -> str:
        return mask_secrets(self.reply.path, self.secrets)

    @property
    def where(self) -> str:
        return f"{self.reply.method} {self.path}"

    @property
    def problem(self) -> str:
        """Return the OAuth problem that a header or the body names, or ``""``."""
        header = self.reply.headers.get("WWW-Authenticate", "")
        if "oauth" not in header.lower() and not self.body.lstrip().startswith(b"oauth_problem="):
            return ""
        return find_oauth_problem(header) or find_oauth_problem(
            self.body[:_HEAD].decode("ascii", "replace")
        )

    def find(self) -> errors.ApiError | errors.TransportError | None:
        try:
            envelope = self.reply.envelope()
        except errors.TransportError as error:
            if error.reason == "large" and self.reply.status < 400:
                return error.with_traceback(None)
            return self._error_without_envelope()
        result_ok, code = envelope.get("result_ok"), envelope.get("code")
        is_refused = result_ok in (False, 0, "0", "false", "False")
        is_odd = result_ok is None and code not in (None, 200, "200")
        if self.reply.status < 300 and not is_refused and not is_odd:
            return None
        return self._api_error(self._code(code), str(envelope.get("message") or ""))

    def _code(self, code: Any) -> int | str:
        if isinstance(code, float) and code.is_integer():
            code = int(code)
        text = hide_repeated(str(code)[:_HEAD], self.secrets) if code not in (None, "") else ""
        try:
            return int(text)
        except ValueError:
            return " ".join(text.split())[:40] or self.reply.status

    def _error_without_envelope(self) -> errors.ApiError | errors.TransportError:
        """Return the error of a gateway's page, an empty or a broken body."""
        status, where, host = self.reply.status, self.where, self.region.host
        head = self.body.lstrip()[:1]
        is_page = head == b"<"
        if 300 <= status < 400:
            return errors.TransportError(
                f"{where} at {host} was redirected elsewhere, which is not followed because "
                "the call carries credentials; check the region's address",
                reason="redirect",
            )
        if status == 403 and is_page and not self.problem:
            return errors.TransportError(
                f"{where} at {host} was refused with a web page, which is not Alchemer's answer",
                reason="blocked",
                hint="A firewall or proxy probably stopped the call: ask whoever runs your network "
                f"to let {host} through, or use another network",
            )
        if status >= 400 or self.problem:
            return self._api_error(status)
        if self.attempt.signs_in:
            return build_no_token_error(self.attempt, self.region, head)
        if not head:
            return errors.TransportError(
                f"{where} at {host} was answered with nothing; try again", reason="cut"
            )
        if is_page:
            return errors.TransportError(
                f"{where} at {host} was answered with a web page instead of data, probably of "
                "your network or a proxy",
                reason="page",
                hint=f"{build_log_in_hint(host)}. If not, check the region",
            )
        return errors.TransportError(
            f"{where} at {host} was answered with something that is not JSON, or was cut off "
            f"after {counted(len(self.body), 'byte')}; try again",
            reason="cut",
        )

    def _api_error(self, code: int | str, words: str = "") -> errors.ApiError:
        """Build the error; ``words`` are the server's."""
        status, where = self.reply.status, self.where
        message = hide_repeated(words[:_HEAD], self.secrets)
        message = " ".join(message.split())[:_LONGEST_MESSAGE]
        quoted = f": {message}" if message else ""
        context: dict[str, Any] = {
            "status": status, "code": code, "method": self.reply.method, "path": self.path,
        }  # fmt: skip
        number = self._status_of(code, words)
        if number == 429:
            wait = retry_after(self.reply.headers)
            pause = counted(round(wait), "second") if wait else "a minute"
            return errors.RateLimited(
                f"Alchemer asks to slow down ({where}{quoted}). The limit is per account, "
                f"colleagues' calls count too: wait {pause}, "
                "then run the cell again",
                retry_after=wait,
                same_call=_SAME_CALL in words.lower(),
                **context,
            )
        if number == 401:
            clock = Clock.of(self.reply.headers)
            ahead = clock.here - clock.server if clock else None
            evidence = Evidence(message, find_known_sentence(words), self.problem, ahead)
            return refused(self.attempt, self.region, evidence, context)
        if number == 403:
            sentence, hint = forbidden(self.attempt, f"{where}{quoted}")
            return errors.PermissionDenied(sentence, hint=hint, **context)
        if number == 404:
            worked = self.attempt.worked
            return errors.NotFound(
                f"nothing was found at {self.path} in region {self.region.name}{quoted}; check the "
                f"id{'' if worked else ', and that the account lies in this region'}",
                **context,
            )
        if number >= 500 or number == _UNAVAILABLE_CODE:
            return errors.ServerError(
                f"Alchemer could not answer {where} (status {status}{quoted}); try again in a "
                "minute",
                **context,
            )
        return errors.ApiError(
            f"Alchemer refused {where} (status {status}, code {code}{quoted})",
            hint=build_method_hint() if number == 405 else "",
            **context,
        )

    def _status_of(self, code: int | str, words: str) -> int:
        """Return the HTTP status that fits the error; the status of the reply may not."""
        number = code if isinstance(code, int) else self.reply.status
        if _SAME_CALL in words.lower():
            return 429
        if self.problem in DENIED_PROBLEMS and not self.attempt.signs_in:
            return 403
        if self.problem or find_known_sentence(words):
            return 401
        is_transient = number in (408, 429) or number >= 500 or number == _UNAVAILABLE_CODE
        if self.attempt.signs_in and not is_transient:
            return 401  # nothing but credentials and addresses is asked about there
        # Alchemer words a wrong pair and a missing right alike as 401; only the text differs.
        if number == 401 and _REFUSED_RIGHT.search(words) and not _REFUSED_KEY.search(words):
            return 403
        return number


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, or None if there is none.

    A date is counted from the server's own ``Date``, as this machine's clock may differ.
    """
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        until, clock = Clock.of({"Date": text}), Clock.of(headers)
        if until is None:
            return None
        seconds = until.server - (clock.server if clock else time.time())
    # More than a day, also infinity, is no time to wait for.
    return max(0.0, seconds) if seconds <= _LONGEST_WAIT else None
