"""Shows a download or a sync while it runs: a bar with a button, a line of text, or nothing.

Everything here runs on the thread of the cell; the job has one of its own.
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from alchemer_nb.http.waiting import interrupts_held
from alchemer_nb.notebook.kernel import outputs
from alchemer_nb.notebook.kernel.outputs import fold, say
from alchemer_nb.notebook.kernel.pump import find_pump, has_front_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.fetch.progress import Progress

_Result = TypeVar("_Result")

_AT_ONCE = 0.5  # seconds within which a job ends without a bar, which would only flash
_HEAD = 5  # rows
_OFTEN = 0.1  # seconds between two updates


class View(Protocol):
    """What shows a download."""

    def update(self) -> None:
        """Shows how far it is, at most ten times a second."""

    def end(self, line: str, *, failed: bool = False) -> None:
        """Takes it away and leaves a line, where there is one."""


class Silent:
    """Shows nothing until the end: nobody is there, or nobody wants it."""

    def update(self) -> None:
        """Nothing."""

    def end(self, line: str, *, failed: bool = False) -> None:  # noqa: ARG002 - as the others
        """Prints the line."""
        if line:
            say(fold(line))


class Widgets:
    """The bar with its button, in an output that becomes a line at the end.

    Args:
        job: The download.
        note: What to say after how far it is.
    """

    def __init__(self, job: Job[Any], note: str = "") -> None:
        from alchemer_nb.notebook.running.bar import Bar

        self._job = job
        self._bar = Bar(job.line, job.cancel, note)
        self._name = outputs.show(self._bar.mime())
        self._pace = _Pace()
        self._head: Future[Any] | None = None

    def update(self) -> None:
        """Shows how far it is, and once the first rows."""
        progress = self._job.progress
        if progress is None or not self._pace.due(progress):
            return
        self._bar.update(progress, self._job.line)
        if self._head is None and progress.frame is not None and progress.pages:
            self._head = self._job.first(_HEAD)
        if self._head is not None and self._head.done() and not self._bar.head.value:
            self._show_head(self._head)

    def end(self, line: str, *, failed: bool = False) -> None:
        """Rewrites the output, so that a saved notebook shows no dead button."""
        self._bar.close()
        outputs.rewrite([self._name], outputs.text(line, failed=failed) if line else outputs.EMPTY)

    def _show_head(self, head: Future[Any]) -> None:
        if head.exception() is None and head.result() is not None:
            self._bar.show_head(head.result())


class Text:
    """An output that is written over and over, where widgets are not wanted."""

    def __init__(self, job: Job[Any], note: str = "") -> None:
        self._job = job
        self._note = note
        self._pace = _Pace()
        self._name = outputs.show(outputs.text(f"{job.line}{note}"))

    def update(self) -> None:
        """Writes how far it is over what stood there."""
        progress = self._job.progress
        if progress is not None and self._pace.due(progress):
            outputs.rewrite([self._name], outputs.text(f"{self._job.line}{self._note}"))

    def end(self, line: str, *, failed: bool = False) -> None:
        """Writes the line there for good."""
        outputs.rewrite([self._name], outputs.text(line, failed=failed) if line else outputs.EMPTY)


class Terminal:
    """One line of a terminal that is written over and over."""

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self._pace = _Pace()
        self._width = 0

    def update(self) -> None:
        """Writes it over the last."""
        progress = self._job.progress
        if progress is not None and self._pace.due(progress):
            self._write(self._job.line)

    def end(self, line: str, *, failed: bool = False) -> None:  # noqa: ARG002 - as the others
        """Wipes it out and prints the line."""
        if self._width:
            self._write("")
            sys.stdout.write("\r")
        if line:
            say(fold(line))

    def _write(self, line: str) -> None:
        line = line[: shutil.get_terminal_size((80, 24)).columns - 1]
        sys.stdout.write(f"\r{line:<{self._width}}")
        sys.stdout.flush()
        self._width = max(self._width, len(line))


class _Pace:
    """Whether there is something new to show, and time for it."""

    def __init__(self) -> None:
        self._last = 0.0
        self._shown: Progress | None = None

    def due(self, progress: Progress) -> bool:
        now = time.monotonic()
        if progress is self._shown or now - self._last < _OFTEN:
            return False
        self._shown, self._last = progress, now
        return True


def view(job: Job[Any], shell: Any, progress: str, *, note: str = "", beside: bool = False) -> View:
    """Chooses how to show a download here.

    Args:
        job: The download.
        shell: What ``get_ipython()`` gives.
        progress: ``"auto"``, ``"text"`` or ``"none"``.
        note: What to say after how far it is.
        beside: Whether it runs beside the cells: a terminal has no place for its line then.
    """
    if progress == "none":
        return Silent()
    if getattr(shell, "kernel", None) is None:
        return Terminal(job) if sys.stdout.isatty() and not beside else Silent()
    if not has_front_end(shell):
        return Silent()
    return Widgets(job, note) if progress == "auto" else Text(job, note)


def follow(job: Job[_Result], shell: Any, progress: str) -> tuple[_Result, View]:
    """Waits for a job and shows it, in the running cell.

    Returns:
        What it gives, and what shows it, to be ended with a line.

    Raises:
        DownloadIncomplete: Cancel was pressed, or the kernel interrupted.
        AlchemerError: Why it failed.
    """
    shown: View = Silent()
    stopped = False
    try:
        try:
            if not job.wait(_AT_ONCE):
                with interrupts_held():  # or a bar might stand there that nobody takes away
                    shown = view(job, shell, progress)
                with clicks(shell, shown.update) as meanwhile:
                    while not job.cancelled and not job.wait(_OFTEN / 2):
                        meanwhile()
        except KeyboardInterrupt:
            stopped = True  # and told below, in our own words
        result = job.end() if stopped or job.cancelled else job.result()
    except BaseException:
        shown.end("")
        raise
    return result, shown


@contextmanager
def clicks(shell: Any, update: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Gives what to call again and again while a cell waits: it updates, and sees to clicks."""
    pump = find_pump(shell) if has_front_end(shell) else None
    if pump is None:
        yield update
        return

    def meanwhile() -> None:
        update()
        pump.step()

    with pump:
        yield meanwhile
