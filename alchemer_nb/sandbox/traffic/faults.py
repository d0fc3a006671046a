"""Faults: errors and changes that tests order for the next calls of the API, or for some of them.

``Sandbox(faults=[…])`` and ``box.fail_next(…)`` take a schedule. Faults without ``when`` stand in
a queue: the first entry meets the first call, the second the next; ``None`` lets a call through.
Faults with ``when`` wait for the calls that fit; such a call takes nothing from the queue. ::

    Fault(status=502, body="<html>…", content_type="text/html", when={"page": 3}, times=2)
    Fault(cut=1000, when={"path": "surveyresponse", "page": 2})
    Fault(shift=-2, when={"page": 4})      # page 4 begins with the last two rows of page 3
    Fault(adds=7, when={"page": 2})        # seven responses arrive just before page 2 is read
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from fnmatch import fnmatchcase
from threading import Lock
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.traffic.limits import EXCEEDED, WAIT, WARNING
from alchemer_nb.sandbox.wire import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error, a delay, a damaged reply, or a change of the data at a call.

    Attributes:
        status: HTTP status to answer with, instead of doing what was asked.
        body: Body to send; with ``status`` alone, the API's error envelope.
        content_type: What the body says it is.
        headers: Further headers, of any answer.
        delay: Seconds to wait first.
        cut: Close the connection after this many bytes of the body, as it is sent (compressed).
        reset: Close it with a TCP reset; without ``cut``, before anything is sent.
        total_count: What a list of responses says in place of its true ``total_count``.
        shift: A list of responses begins so many rows later: rows before it seem to have been
            deleted. Below 0, so many rows earlier: the last rows of the page before come again.
        adds: So many responses arrive in the survey before the call is answered.
        deletes: Ids of responses that are deleted before.
        touches: Ids of responses whose ``date_updated`` moves before.
        when: Which calls it meets: ``method``; ``path``, the end of a path or a pattern with
            ``*``; any other name is a parameter of the query (``page`` is 1 where none is sent).
        times: How many calls it meets; None never ends.
        after: Number of matching calls that it does not affect first.
    """

    status: int | None = None
    body: str | bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    delay: float = 0.0
    cut: int | None = None
    reset: bool = False
    total_count: int | None = None
    shift: int = 0
    adds: int = 0
    deletes: tuple[int, ...] = ()
    touches: tuple[int, ...] = ()
    when: Mapping[str, Any] | None = None
    times: int | None = 1
    after: int = 0

    def __post_init__(self) -> None:
        if self.times is None and self.when is None:
            raise ValueError("a fault that never ends needs `when`")

    @property
    def answers(self) -> bool:
        """Whether it answers in place of the API."""
        return self.status is not None or self.body is not None

    def fits(self, method: str, path: str, params: Mapping[str, str]) -> bool:
        """Check whether it is meant for a call."""
        for name, wanted in (self.when or {}).items():
            if name == "method":
                fits = method == str(wanted).upper()
            elif name == "path":
                fits = _same_path(path, str(wanted))
            else:
                default = "1" if name == "page" else None
                fits = params.get(name, default) == str(wanted)
            if not fits:
                return False
        return True


def _same_path(path: str, wanted: str) -> bool:
    path = path.strip("/").removesuffix(".json")
    wanted = wanted.removeprefix("…").removeprefix("...").strip("/")
    if "*" in wanted:
        return fnmatchcase(path, wanted)
    return path == wanted or path.endswith(f"/{wanted}")


def limit_reached(retry_after: float | None = None, **more: Any) -> Fault:
    """Build the reply to one call too many."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return _refusal(429, EXCEEDED, headers, more)


def please_wait(status: int = 429, **more: Any) -> Fault:
    """Build the reply to a call while an identical one runs; seen with status 429 and with 400."""
    return _refusal(status, WAIT, {}, more)


def gateway(status: int = 522, **more: Any) -> Fault:
    """Build the page of the network in front of the API when the API itself does not answer."""
    page = f"<!DOCTYPE html>\n<html><body><h1>Error {status}</h1></body></html>\n"
    return Fault(status=status, body=page, content_type="text/html; charset=UTF-8", **more)


def warning(**more: Any) -> Fault:
    """Build a correct reply that warns of the limit."""
    return Fault(headers={"X-SG-Warning": WARNING}, **more)


def wrong_clock(seconds: float, **more: Any) -> Fault:
    """Build a correct reply of a server whose clock is ahead by so many seconds, or behind."""
    return Fault(headers={"Date": formatdate(time.time() + seconds, usegmt=True)}, **more)


def _refusal(status: int, words: str, headers: Mapping[str, str], more: dict[str, Any]) -> Fault:
    body = records.encode({"result_ok": False, "code": status, "message": words})
    return Fault(status=status, body=body, headers=headers, **more)


class _Rule:
    """A fault that waits for the calls that match."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.skip = fault.after
        self.left = fault.times

    def meets(self, method: str, path: str, params: Mapping[str, str]) -> bool:
        if self.left == 0 or not self.fault.fits(method, path, params):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FaultSchedule:
    """The faults that have not occurred yet."""

    def __init__(self, faults: Iterable[Fault | Mapping[str, Any] | None] = ()) -> None:
        self._lock = Lock()  # the notebook's thread adds, the server's takes
        self._next: deque[Fault | None] = deque()
        self._rules: list[_Rule] = []
        self.add(faults)

    def add(self, faults: Iterable[Fault | Mapping[str, Any] | None]) -> None:
        """Append faults, as ``Fault`` or as a mapping of its fields."""
        for one in faults:
            fault = one if one is None or isinstance(one, Fault) else Fault(**one)
            with self._lock:
                if fault is not None and fault.when is not None:
                    self._rules.append(_Rule(fault))
                else:
                    self._next.extend([fault] * (1 if fault is None else fault.times or 1))

    def clear(self) -> None:
        """Remove all faults that have not occurred yet."""
        with self._lock:
            self._next.clear()
            self._rules.clear()

    def take(self, method: str, path: str, params: Mapping[str, str]) -> Fault | None:
        """Return the fault of the call that just arrived, if any."""
        with self._lock:
            for rule in self._rules:
                if rule.meets(method, path, params):
                    self._rules = [one for one in self._rules if one.left != 0]
                    return rule.fault
            return self._next.popleft() if self._next else None
