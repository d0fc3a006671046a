"""Downloads in the background of one shell.

A frame gets its name on the kernel's own thread and between cells, never in the middle of one: a
loop over a frame must not find another one under its name. A name that was reassigned in the
meantime is not overwritten.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import AuthenticationError, DownloadIncomplete
from alchemer_nb.fetch.interruption import RUN_SYNC_AGAIN, build_hint
from alchemer_nb.notebook.kernel.outputs import print_wrapped
from alchemer_nb.notebook.kernel.pump import call_later

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.notebook.running.progress_views import ProgressView

_UNSET = object()
_INTERVAL = 0.1  # seconds between two updates of what is shown
_EVENTS = ("pre_run_cell", "post_run_cell")


@dataclass(slots=True)
class _BackgroundJob:
    job: Job[Any]
    name: str | None
    value_before: object  # the value of the name when the job began
    write_receipt: Callable[[Any], str]
    view: ProgressView


class Downloads:
    """The downloads and syncs in the background of one shell, and rows that nobody has taken yet.

    Args:
        shell: What ``get_ipython()`` returns.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: list[_BackgroundJob] = []
        self._left: tuple[str | None, Callable[[], pd.DataFrame | None]] | None = None
        self._listens = self._ticks = False

    def begin(
        self, job: Job[Any], name: str | None, progress: str, write_receipt: Callable[[Any], str]
    ) -> None:
        """Show a job that has begun, and give its result a name when it is there.

        Args:
            job: The download or sync.
            name: The name of its result; None leaves that to whoever has the job.
            progress: As for ``choose_view``.
            write_receipt: Returns the line to leave in place of the progress.
        """
        from alchemer_nb.notebook.running.progress_views import choose_view, click_handler

        for other in [one for one in self._running if name and one.name == name]:
            self._running.remove(other)  # the cell was run again
            other.job.cancel()
            other.view.end(f"Called off: `{name}` is being downloaded anew.")
        note = f" → {name}" if name else ""
        view = choose_view(job, self._shell, progress, note=note, background=True)
        if not view.is_visible and progress != "none" and not job.done:
            then = f"; `{name}` is there when it has come" if name else ""
            print_wrapped(f"{job.title}: on its way in the background{then}.")
        before = self._shell.user_ns.get(name, _UNSET) if name else _UNSET
        self._running.append(_BackgroundJob(job, name, before, write_receipt, view))
        job.waiting = lambda: click_handler(self._shell, view.update)
        self._listen()
        self._tick_later()

    def partial(self, name: str | None = None) -> pd.DataFrame:
        """Return the rows so far of a download.

        Args:
            name: The name that was given for its frame; None for the latest download.

        Raises:
            UsageError: There is none, or nothing has come yet.
        """
        self.settle()
        frames: list[Callable[[], pd.DataFrame | None]] = [
            one.job.partial
            for one in reversed(self._running)
            if name in (None, one.name) and one.job.gives_rows
        ]
        if self._left is not None and name in (None, self._left[0]):
            frames.append(self._left[1])
        if not frames:
            which = f" called `{name}`" if name else ""
            raise UsageError(f"no download{which} is under way or was stopped")
        frame = frames[0]()
        if frame is None:
            raise UsageError("nothing has come yet")
        return frame

    def note_failure(self, job: Job[Any], error: DownloadIncomplete, name: str | None) -> None:
        """Keep the rows of a job that was cut off, and set the hint for a notebook.

        Args:
            job: The download or sync.
            error: Why it failed; its hint becomes what to do next in a notebook.
            name: The name that was given for its frame.
        """
        if job.gives_rows:
            self._left = (name, lambda: error.partial)
        needs = error.needs
        if isinstance(error.cause, AuthenticationError):
            needs = f"{needs} (%alchemer login)"
        if error.has_rows:
            on = ", which goes on with the rows at hand" if error.resumable else ""
            take = f"{name or 'df'} = %alchemer partial"
            error.hint = build_hint(needs, f"run the same cell again{on}", take)
        elif needs:  # of a sync, whose rows are in the store
            error.hint = build_hint(needs, RUN_SYNC_AGAIN)

    def settle(self) -> None:
        """Give finished results their names; does nothing off the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        for one in [one for one in self._running if one.job.done]:
            self._running.remove(one)
            self._finish(one)
        if not self._running:
            self._listen(on=False)

    def close(self) -> None:
        """Cancel all jobs."""
        for one in self._running:
            one.job.cancel()
            one.view.end("Called off.")
        self._running.clear()
        self._listen(on=False)

    def _finish(self, one: _BackgroundJob) -> None:
        error = one.job.exception
        if error is not None:
            if isinstance(error, DownloadIncomplete):
                self.note_failure(one.job, error, one.name)
            one.view.end(f"{type(error).__name__}: {error}", failed=True)
            return
        result = one.job.result()
        line = one.write_receipt(result)
        now = self._shell.user_ns.get(one.name, _UNSET)
        if one.name is None:
            one.view.end(line)
        elif now is _UNSET or now is one.value_before:
            self._shell.push({one.name: result})
            one.view.end(f"{one.name} = {line}" if line else "")
        else:
            way = ""
            if one.job.gives_rows:
                self._left = (one.name, lambda: result)
                way = ": NAME = %alchemer partial has this frame"
            one.view.end(
                f"{line or one.job.note}. `{one.name}` was reassigned in the meantime and was "
                f"not overwritten{way}",
                failed=True,
            )

    def _listen(self, *, on: bool = True) -> None:
        if on == self._listens:
            return
        self._listens = on
        for event in _EVENTS:
            act = self._shell.events.register if on else self._shell.events.unregister
            act(event, self._between_cells)

    def _between_cells(self, *_: Any) -> None:
        self.settle()

    def _tick_later(self) -> None:
        if not self._ticks:
            self._ticks = call_later(self._shell, _INTERVAL, self._tick)

    def _tick(self) -> None:
        """Update what is shown; the kernel's loop calls it, between cells only."""
        self._ticks = False
        for one in self._running:
            one.view.update()
        self.settle()
        if self._running:
            self._tick_later()
