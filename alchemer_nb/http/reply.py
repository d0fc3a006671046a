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

from alchemer_nb.errors import (
    ApiError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SignInError,
    TransportError,
)
from alchemer_nb.http.compression import Broken, edges, unpack
from alchemer_nb.http.refusals import (
    ACCESS_TOKEN,
    NOT_ALLOWED,
    Attempt,
    Heard,
    problem_in,
    refused,
    sentence_in,
    without_right,
    without_token,
)
from alchemer_nb.http.secrets import redact
from alchemer_nb.wire.json import BOM, clean, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.secrets import Secret

# What is read of an answer's headers; the others (a redirect's Location) may repeat the address
# of the call, and are not kept.
HEADERS = (
    "Content-Length",
    "Date",
    "Retry-After",
    "WWW-Authenticate",
    "X-SG-Cached",
    "X-SG-Warning",
)
_LONGEST_MESSAGE = 300
_HEAD = 4_000  # bytes in which a problem is looked for
_LARGE = 4_000  # bytes as they travelled, which unpack to ten times as many and more
_GOOD_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"result_ok"\s*:\s*(?:true|"true")\s*,')
_REFUSED_RIGHT = re.compile(r"not authori[sz]ed|permission|access denied|forbidden", re.I)
_REFUSED_KEY = re.compile(r"api_token|auth token|login failed", re.I)
_UNAVAILABLE_CODE = 103  # "Service currently unavailable", seen with HTTP 200


class Verdict(msgspec.Struct):
    """The few members of an envelope that decide, read without building its data."""

    result_ok: Any = None
    code: Any = None
    message: Any = None

    def __repr__(self) -> str:
        return "Verdict(…)"  # the message may repeat what was sent


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came.

    Attributes:
        method: HTTP method of the call.
        path: Path of the call, without any query.
        status: HTTP status.
        headers: The HTTP headers of the answer that are read here, without secrets.
        packed: The bytes as they travelled, mostly compressed.
        encoding: How: ``"gzip"``, ``"deflate"`` or ``""``.
        took: Seconds from sending to the last byte.
        cached: Whether no call was made for it: it comes from this client's memory of the last
            minute, or is shared with the same call of another thread.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    packed: bytes = field(repr=False)
    encoding: str = ""
    took: float = 0.0
    cached: bool = False

    @property
    def cached_there(self) -> bool:
        """Whether Alchemer says that it comes from a cache of its own."""
        return str(self.headers.get("X-SG-Cached", "")).lower() == "true"

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
        """The answer as a dict; ``fault_in`` has made sure that it is one."""
        decoded = decode(self.body)
        if not isinstance(decoded, dict):
            raise TransportError(
                f"{self.method} {self.path} was answered with JSON that is not an object"
            )
        return decoded


def fault_in(
    answer: Answer,
    region: Region,
    secrets: Iterable[Secret] = (),
    attempt: Attempt | None = None,
) -> ApiError | TransportError | None:
    """Tells what is wrong with an answer; the single place where that is decided.

    The error is given and not raised: an answer may repeat a secret, and whatever prints the
    variables of a traceback would print the answer.

    Args:
        answer: What came.
        region: Where it came from.
        secrets: What must not stand in the error.
        attempt: What is known of the call.

    Returns:
        The fitting error, or None where the answer is good.
    """
    attempt, secrets = attempt or Attempt(), tuple(secrets)
    if answer.status == 200 and _is_plainly_good(answer):
        return None
    try:
        body = answer.body
    except TransportError as error:
        return error.with_traceback(None)
    said = _Said(answer, region, attempt, redact(answer.path, secrets), _problem(answer, body))
    verdict = _read_verdict(body)
    if verdict is None:
        return _foreign(said, body)
    refused = verdict.result_ok in (False, 0, "0", "false", "False")
    odd = verdict.result_ok is None and verdict.code not in (None, 200, "200")
    if answer.status < 300 and not refused and not odd:
        return None
    words = str(verdict.message or "")
    message = " ".join(redact(words, secrets).split())[:_LONGEST_MESSAGE]
    code = _as_code(verdict.code, secrets)
    return _error_for(said, answer.status if code is None else code, words, message)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer that is none of the good ones, and the call that it answers."""

    answer: Answer
    region: Region
    attempt: Attempt
    path: str  # without secrets
    problem: str

    @property
    def where(self) -> str:
        return f"{self.answer.method} {self.path}"

    def context(self, code: int | str) -> dict[str, Any]:
        """What every error of an answer carries."""
        answer = self.answer
        return {"status": answer.status, "code": code, "method": answer.method, "path": self.path}


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


def _foreign(said: _Said, body: bytes) -> ApiError | TransportError:
    """What an answer is that is not an envelope: a gateway's page, an empty or a broken body."""
    status, where, host = said.answer.status, said.where, said.region.host
    head = body.lstrip()[:200].lower()
    is_page = head.startswith(b"<")
    if 300 <= status < 400:
        return TransportError(
            f"{where} at {host} was redirected elsewhere, which is not followed because "
            "the call carries credentials; check the region's address",
            reason="redirect",
        )
    if status == 403 and is_page and not said.problem:
        return TransportError(
            f"{where} at {host} was forbidden by a web page, which is not Alchemer's answer",
            reason="blocked",
            hint="A firewall or proxy in between may have stopped the call: ask whoever runs your "
            "network, or try from another one",
        )
    if status >= 400 or said.problem:
        return _error_for(said, status)
    if said.attempt.signs_in:
        return no_token(said.attempt, said.region, head)
    if not head:
        return TransportError(
            f"{where} at {host} was answered with nothing; try again",
            reason="cut",
        )
    if is_page:
        return TransportError(
            f"{where} at {host} was answered with a web page instead of data: a proxy or "
            "a log-in page may stand in between, or the address is not that of the API",
            reason="page",
        )
    return TransportError(
        f"{where} at {host} was answered with something that is not JSON, or was cut off "
        f"after {len(body)} bytes; try again",
        reason="cut",
    )


def no_token(attempt: Attempt, region: Region, body: bytes) -> SignInError | TransportError:
    """Makes the error of a sign-in step that was answered without an error and without a token."""
    head = body.lstrip()[:1]
    got = "" if head == b"{" else ", with a web page" if head == b"<" else ""
    sentence, hint = without_token(attempt, region, got if head else ", with nothing at all")
    if attempt.step == ACCESS_TOKEN:
        return SignInError(sentence, hint=hint)
    return TransportError(sentence, reason="page" if head == b"<" else "", hint=hint)


def _problem(answer: Answer, body: bytes) -> str:
    """What the answer to a signed call reports, in a header or in its body."""
    header = answer.headers.get("WWW-Authenticate", "")
    if "oauth" not in header.lower() and not body.lstrip().startswith(b"oauth_problem="):
        return ""
    return problem_in(header) or problem_in(body[:_HEAD].decode("ascii", "replace"))


def _as_code(code: Any, secrets: Iterable[Secret]) -> int | str | None:
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    text = redact(str(code), secrets) if code not in (None, "") else ""
    try:
        return int(text)
    except ValueError:
        return " ".join(text.split())[:40] or None


def _error_for(said: _Said, code: int | str, words: str = "", message: str = "") -> ApiError:
    """Makes the error; ``message`` is what may be repeated of the server's words."""
    answer, where = said.answer, said.where
    told = f": {message}" if message else ""
    number = _number(said, code, words)
    context = said.context(code)
    if number == 429:
        wait = retry_after(answer.headers)
        return RateLimited(
            f"Alchemer asks to slow down ({where}{told}). The limit is per account, colleagues' "
            f"calls count too: wait {f'{wait:.0f} seconds' if wait else 'a minute'}, then run "
            "the cell again",
            retry_after=wait,
            **context,
        )
    if number == 401:
        ahead = _clock_ahead(answer.headers)
        heard = Heard(message, sentence_in(words), said.problem, ahead)
        return refused(said.attempt, said.region, heard, context)
    if number == 403:
        return PermissionDenied(
            f"{'you are signed in, but ' if said.attempt.worked else ''}your user may not do this "
            f"({where}{told}); ask an administrator of the account",
            hint=without_right(said.attempt),
            **context,
        )
    if number == 404:
        return NotFound(
            f"nothing was found at {said.path} in region {said.region.name}{told}; check the id"
            + ("" if said.attempt.worked else ", and that the account lies in this region"),
            **context,
        )
    if number >= 500 or number == _UNAVAILABLE_CODE:
        return ServerError(
            f"Alchemer could not answer {where} (status {answer.status}{told}); try again in a "
            "minute",
            **context,
        )
    return ApiError(
        f"Alchemer refused {where} (status {answer.status}, code {code}{told})", **context
    )


def _number(said: _Said, code: int | str, words: str) -> int:
    """The HTTP status that an error comes to, whatever it was sent with."""
    number = code if isinstance(code, int) else said.answer.status
    if "please wait for other requests" in words.lower():
        return 429
    if said.problem in NOT_ALLOWED and not said.attempt.signs_in:
        return 403
    if said.problem or sentence_in(words):
        return 401
    passing = number in (408, 429) or number >= 500 or number == _UNAVAILABLE_CODE
    if said.attempt.signs_in and not passing:
        return 401  # nothing but credentials and addresses is asked about there
    # Alchemer words a wrong pair and a missing right alike as 401; only the text tells them apart.
    if number == 401 and _REFUSED_RIGHT.search(words) and not _REFUSED_KEY.search(words):
        return 403
    return number


def _clock_ahead(headers: Mapping[str, str]) -> float | None:
    server = _timestamp(headers.get("Date", ""))
    return None if server is None else time.time() - server


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
