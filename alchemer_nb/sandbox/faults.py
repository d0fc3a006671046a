"""Trouble on order: what happens to the next calls of the API.

``Sandbox(faults=[…])`` and ``box.fail_next(…)`` take a schedule: the first entry meets the first
call, the second the next; ``None`` lets a call through.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One piece of trouble.

    Attributes:
        status: HTTP status to answer with, instead of doing what was asked.
        body: Body to send; with ``status`` alone, the API's error envelope.
        content_type: What the body says it is.
        headers: Further headers.
        delay: Seconds to wait first.
        cut: Close the connection after this many bytes of the body.
    """

    status: int | None = None
    body: str | bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    delay: float = 0.0
    cut: int | None = None


class Schedule:
    """The faults that are still to come."""

    def __init__(self, faults: Iterable[Fault | Mapping[str, Any] | None] = ()) -> None:
        # A deque's append and popleft are atomic: the notebook's thread adds, the server's takes.
        self._next: deque[Fault | None] = deque()
        self.add(faults)

    def add(self, faults: Iterable[Fault | Mapping[str, Any] | None]) -> None:
        """Appends faults, as ``Fault`` or as a mapping of its fields."""
        self._next.extend(
            fault if fault is None or isinstance(fault, Fault) else Fault(**fault)
            for fault in faults
        )

    def take(self) -> Fault | None:
        """Gives the fault of the call that just arrived, if any."""
        try:
            return self._next.popleft()
        except IndexError:
            return None
