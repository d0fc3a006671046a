"""The progress of a download or a sync, and its reports to a callback."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.forks import OriginProcess
from alchemer_nb.visible import print_line
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    OnProgress = Callable[["Progress"], None]
    ProgressMode = str | bool | None | OnProgress  # "auto", "text", "none", or a callback
    NoteMode = str | bool | None | Callable[[str], None]  # "auto", "none", or a callback

_INTERVAL = 0.1  # seconds between two reports while no page comes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is; passed to the callback after each page and while it waits.

    Attributes:
        survey: Title of the survey.
        rows: Responses received.
        rows_told: Total count of responses, None if the server does not report it.
        pages: Pages received.
        pages_told: Total count of pages, None if the server does not report it.
        note: The summary when it is over; ``""`` until then.
        state: What it waits for, such as ``"waiting for the rate limit, 23 s"``; else ``""``.
        seconds: Since it began.
        stop: Set it to stop the download, as ``cancel`` does.
        frame: Builds a frame of the rows so far; None when it is over, and for a sync.
        before: How many of the rows an earlier run had received.
        kept: Whether the rows are stored (a sync), so that the next run continues after them.
        comparing: Whether a store is compared with Alchemer, after a sync that was completed.
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
    comparing: bool = False

    def cancel(self) -> None:
        """Stop the download; it raises ``DownloadIncomplete`` with the rows so far."""
        self.stop.set()

    @property
    def rows_per_second(self) -> float:
        """Rows a second since it began; 0 at first."""
        return (self.rows - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds that remain; None if unknown."""
        if self.rows_told is None or not self.rows_per_second:
            return None
        return max(0, self.rows_told - self.rows) / self.rows_per_second

    @property
    def line(self) -> str:
        """The progress in one line."""
        if not self.pages and self.state:
            return f"{self.survey}: {self.state}"
        parts = [f"{self.survey}: {counted(self.rows, 'response', of=self.rows_told)}"]
        if self.pages:
            of = f" of {self.pages_told:,}" if self.pages_told is not None else ""
            parts.append(f"page {self.pages:,}{of}")
            parts.append(f"{self.rows_per_second:,.0f} a second")
        if self.pages and self.seconds_left:
            parts.append(f"{_format_seconds(self.seconds_left)} left")
        if self.state:
            parts.append(self.state)
        return " · ".join(parts)


class ProgressReporter:
    """Passes the progress of a download or a sync to a callback.

    Args:
        on_progress: Called by the thread that reads the pages; None for no reports.
        build: Builds the progress from what the calls wait for.
    """

    def __init__(self, on_progress: OnProgress | None, build: Callable[[str], Progress]) -> None:
        self._on_progress = on_progress
        self._build = build
        self._last = time.monotonic()
        self._origin = OriginProcess()
        self._lock = threading.Lock()
        self._waits: dict[int, str] = {}  # by thread

    def set_status(self, status: str) -> None:
        """Set what the calling thread waits for; ``""`` for nothing."""
        with self._lock:
            if status:
                self._waits[threading.get_ident()] = status
            else:
                self._waits.pop(threading.get_ident(), None)

    def report(self) -> None:
        """Call the callback.

        Raises:
            TransportError: The callback has forked the process, and this is the child.
        """
        if self._on_progress is None:
            return
        self._last = time.monotonic()
        with self._lock:
            status = next(iter(self._waits.values()), "")
        self._on_progress(self._build(status))
        self._origin.check()

    def report_if_due(self) -> None:
        """Call the callback if the last call was a tenth of a second ago."""
        if time.monotonic() - self._last >= _INTERVAL:
            self.report()


def note_printer(progress: NoteMode) -> Callable[[str], None]:
    """Return what prints a line, for the values of ``progress`` of ``scan`` and ``sql``.

    Raises:
        InvalidArgument: It is none of them.
    """
    if callable(progress):
        return progress
    if progress in ("auto", "text", True):
        return print_line
    if progress in ("none", False, None):
        return lambda _: None
    raise InvalidArgument("progress is 'auto', 'none' or a function that takes a line")


def _format_seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
