"""How far a download is, and the way to stop it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is; handed to the callback after each page and while it waits.

    Attributes:
        survey: Title of the survey.
        rows: Responses received.
        rows_told: Responses that the server says there are, None where it does not.
        pages: Pages received.
        pages_told: Pages that the server says there are.
        note: What to say when it is over; ``""`` until then.
        state: What it waits for, such as ``"waiting for the rate limit, 23 s"``; else ``""``.
        seconds: Since it began.
        stop: Set to have it end; ``cancel`` does.
        frame: Makes a frame of the rows so far; None once it is over, and where none is made.
        before: Of the rows, those that an earlier run had received.
        kept: Whether what comes is kept, so that a run that is ended goes on where it was.
    """

    survey: str
    rows: int
    rows_told: int | None
    pages: int
    pages_told: int | None
    note: str = ""
    state: str = ""
    seconds: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    frame: Callable[[], pd.DataFrame] | None = field(default=None, repr=False, compare=False)
    before: int = 0
    kept: bool = False

    def cancel(self) -> None:
        """Ends the download; it raises ``DownloadIncomplete`` with the rows so far."""
        self.stop.set()

    @property
    def rows_per_second(self) -> float:
        """Rows a second since it began; 0 at first."""
        return (self.rows - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at this pace; None where nobody can say."""
        if self.rows_told is None or not self.rows_per_second:
            return None
        return max(0, self.rows_told - self.rows) / self.rows_per_second

    @property
    def line(self) -> str:
        """How far it is, in one line."""
        if not self.pages and self.state:
            return f"{self.survey}: {self.state}"
        of = f" of {self.rows_told:,}" if self.rows_told is not None else ""
        parts = [f"{self.survey}: {self.rows:,}{of} responses"]
        if self.pages:
            told = f" of {self.pages_told:,}" if self.pages_told is not None else ""
            parts.append(f"page {self.pages:,}{told}")
            parts.append(f"{self.rows_per_second:,.0f} a second")
        if self.pages and self.seconds_left:
            parts.append(f"{_span(self.seconds_left)} left")
        if self.state:
            parts.append(self.state)
        return " · ".join(parts)


class Told:
    """What the threads that send have to say, for the thread that listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[int, str] = {}

    def __call__(self, state: str) -> None:
        """Notes what the calling thread waits for; ``""`` for nothing."""
        with self._lock:
            if state:
                self._states[threading.get_ident()] = state
            else:
                self._states.pop(threading.get_ident(), None)

    @property
    def state(self) -> str:
        """What one of them waits for, the one that began first."""
        with self._lock:
            return next(iter(self._states.values()), "")


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
