"""A log of calls for tests: when each began and ended, and what it asked, without secrets."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_KEPT = 50_000
_SECRET = ("api_token", "oauth_")


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of the API.

    Attributes:
        number: 1 for the first call of this sandbox.
        began: When it arrived, by the monotonic clock.
        ended: When its answer had been sent, or None while it runs.
        method: Its method, or that of the parameter ``_method``.
        path: Path below the version.
        identity: Equal for calls that ask the same: a hash of method, path and query, in which
            no credentials are.
        status: HTTP status, or None while it runs or when the caller left before the answer.
        account: Whose limit it counted against; empty for a call without valid credentials.
        user: Who called, where the sandbox looked.
        cached: Whether the answer came out of the cache.
    """

    number: int
    began: float
    method: str
    path: str
    identity: str
    ended: float | None = None
    status: int | None = None
    account: str = ""
    user: str = ""
    cached: bool = False


def without_secrets(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters that are no credentials."""
    return [(name, value) for name, value in pairs if not name.startswith(_SECRET)]


def identity(method: str, path: str, pairs: Sequence[tuple[str, str]], body: bytes) -> str:
    """Return a text that is equal for calls that ask the same.

    Args:
        method: What the call does.
        path: Path below the version.
        pairs: Parameters of the address, in their order, without credentials.
        body: What a writing call carries.
    """
    whole = json.dumps([method, path, list(pairs)]).encode() + b"\n" + body
    return hashlib.sha256(whole).hexdigest()[:20]


class CallLog:
    """The last calls, in the order of their arrival."""

    def __init__(self) -> None:
        self._records: dict[int, CallRecord] = {}
        self._next = 1

    def begin(self, method: str, path: str, same: str) -> int:
        """Record a call that arrived, and return its number."""
        number, self._next = self._next, self._next + 1
        self._records[number] = CallRecord(number, time.monotonic(), method, path, same)
        if len(self._records) > _KEPT:
            del self._records[next(iter(self._records))]
        return number

    def note(self, number: int, **what: str | int | bool) -> None:
        """Add details of a call."""
        if number in self._records:
            self._records[number] = replace(self._records[number], **what)  # type: ignore[arg-type]  # names of fields

    def end(self, number: int) -> None:
        """Record the end of a call."""
        if number in self._records:
            self._records[number] = replace(self._records[number], ended=time.monotonic())

    def list(self) -> list[CallRecord]:
        """Return the calls."""
        return list(self._records.values())


def max_calls_within(records: Iterable[CallRecord], window: float = 60.0) -> int:
    """Return the highest number of calls of one account within so many seconds."""
    times: defaultdict[str, deque[float]] = defaultdict(deque)
    most = 0
    for record in sorted(records, key=lambda one: one.began):
        if not record.account:
            continue
        recent = times[record.account]
        recent.append(record.began)
        while record.began - recent[0] >= window:
            recent.popleft()
        most = max(most, len(recent))
    return most


def identical_pairs(records: Iterable[CallRecord]) -> list[tuple[CallRecord, CallRecord]]:
    """Return the pairs of the same GET of one user that ran at the same time."""
    running: defaultdict[tuple[str, str, str], list[CallRecord]] = defaultdict(list)
    pairs = []
    for later in sorted(records, key=lambda one: one.began):
        if later.method != "GET":
            continue
        same = running[later.account, later.user, later.identity]
        same[:] = [one for one in same if one.ended is None or one.ended > later.began]
        pairs += [(earlier, later) for earlier in same]
        same.append(later)
    return pairs
