"""Downloads in the background of one shell.

A result is assigned to its variable on the kernel's own thread and between cells, never while a
cell runs: a loop over a frame must not find another one under its name. A cell that reads the
variable waits for it before it starts, as the next one does when all cells are run. A variable
that was reassigned in the meantime is not overwritten.
"""

from __future__ import annotations

import ast
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import AuthenticationError, DownloadIncomplete
from alchemer_nb.fetch.interruption import RUN_SYNC_AGAIN, build_hint
from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.notebook.kernel.outputs import add_output, replace_outputs, show_line
from alchemer_nb.notebook.kernel.pump import call_later

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.notebook.running.progress_views import ProgressView

_UNSET = object()
_INTERVAL = 0.1  # seconds between two updates of what is shown


@dataclass(slots=True)
class _BackgroundJob:
    job: Job[Any]
    name: str | None
    value_before: object  # the variable's value when the job began
    write_receipt: Callable[[Any], str]
    view: ProgressView
    cell: int  # the number of the cell that began it


class Downloads:
    """The downloads and syncs in the background of one shell, and rows that have no variable yet.

    Args:
        shell: What ``get_ipython()`` returns.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: list[_BackgroundJob] = []
        self._unassigned: tuple[str | None, Callable[[], pd.DataFrame | None]] | None = None
        self._is_listening = self._update_is_planned = False
        self._shown_jobs: dict[str, tuple[Job[Any], str]] = {}  # by output, with the text in it

    def begin(
        self, job: Job[Any], name: str | None, progress: str, write_receipt: Callable[[Any], str]
    ) -> None:
        """Show a job that has begun, and assign its result to a variable when it is there.

        Args:
            job: The download or sync.
            name: The variable for its result, or None.
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
            show_line(f"{job.title}: on its way in the background{then}.")
        before = self._shell.user_ns.get(name, _UNSET) if name else _UNSET
        self._running.append(
            _BackgroundJob(job, name, before, write_receipt, view, self._shell.execution_count)
        )
        job.waiting = lambda: click_handler(self._shell, view.update)
        self._listen()
        self._plan_update()

    def show_job(self, job: Job[Any]) -> None:
        """Show a job, and show it anew until it has ended, so that a saved notebook says how.

        The cell that began it shows its progress already.
        """
        now = self._shell.execution_count
        if any(one.job is job and one.view.is_visible and one.cell == now for one in self._running):
            return
        bundle = _job_bundle(job)
        self._shown_jobs[add_output(bundle)] = job, bundle["text/plain"]
        self._plan_update()

    def partial(self, name: str | None = None) -> pd.DataFrame:
        """Return the rows so far of a download.

        Args:
            name: The variable for its frame; None for the latest download.

        Raises:
            UsageError: There is none, or nothing has come yet.
        """
        self.assign_results()
        frames: list[Callable[[], pd.DataFrame | None]] = [
            one.job.partial
            for one in reversed(self._running)
            if name in (None, one.name) and one.job.gives_rows
        ]
        if self._unassigned is not None and name in (None, self._unassigned[0]):
            frames.append(self._unassigned[1])
        if not frames:
            which = f" called `{name}`" if name else ""
            raise UsageError(f"no download{which} is under way or was stopped")
        frame = frames[0]()
        if frame is None:
            raise UsageError("nothing has come yet")
        return frame

    def note_failure(self, job: Job[Any], error: DownloadIncomplete, name: str | None) -> None:
        """Keep the rows of a job that was cut off, and set the error's hint for a notebook.

        Args:
            job: The download or sync.
            error: Why it failed.
            name: The variable for its frame, or None.
        """
        if job.gives_rows:
            self._unassigned = (name, lambda: error.partial)
        needs = error.needs
        if isinstance(error.cause, AuthenticationError):
            needs = f"{needs} (%alchemer login)"
        if error.has_rows:
            on = ": it goes on from the responses at hand" if error.resumable else ""
            take = f"{name or 'df'} = %alchemer partial"
            error.hint = build_hint(needs, f"run the cell again{on}", take)
        elif needs:  # of a sync, whose rows are in the store
            error.hint = build_hint(needs, RUN_SYNC_AGAIN)

    def assign_results(self, *_: object) -> None:
        """Assign finished results to their variables; do nothing on other threads than the main.

        IPython calls it after each cell, with an argument that is of no use here.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for one in [one for one in self._running if one.job.done]:
            with delay_interrupts():  # or its result would be in no variable
                self._running.remove(one)
                self._finish(one)
        if not self._running:
            self._listen(on=False)

    def _prepare_cell(self, info: Any = None) -> None:
        """Wait for the results that a cell reads, before it runs.

        Args:
            info: What IPython's event ``pre_run_cell`` says of the cell.
        """
        if threading.current_thread() is threading.main_thread():
            names = _names_read(self._shell, getattr(info, "raw_cell", None) or "")
            for one in self._running:
                if one.name in names and self._value(one) is one.value_before:
                    try:
                        one.job.wait()
                    except KeyboardInterrupt:
                        show_line(f"`{one.name}` is not waited for; it is still on its way.")
                        break
        self.assign_results()

    def _value(self, one: _BackgroundJob) -> object:
        return self._shell.user_ns.get(one.name, _UNSET)

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
                if error.stopped:
                    one.view.end(" ".join(error.lines))
                    return
            one.view.end(f"{type(error).__name__}: {error}", failed=True)
            return
        result = one.job.result()
        line = one.write_receipt(result)
        now = self._value(one)
        if one.name is None:
            one.view.end(line)
        elif now is _UNSET or now is one.value_before:
            self._shell.push({one.name: result})
            one.view.end(f"{one.name} = {line}" if line else "")
        else:
            way = ""
            if one.job.gives_rows:
                self._unassigned = (one.name, lambda: result)
                way = ": NAME = %alchemer partial has this frame"
            one.view.end(
                f"{line or one.job.note}. `{one.name}` was reassigned in the meantime and was "
                f"not overwritten{way}",
                failed=True,
            )

    def _listen(self, *, on: bool = True) -> None:
        if on == self._is_listening:
            return
        self._is_listening = on
        change = self._shell.events.register if on else self._shell.events.unregister
        change("pre_run_cell", self._prepare_cell)
        change("post_run_cell", self.assign_results)

    def _plan_update(self) -> None:
        if not self._update_is_planned:
            self._update_is_planned = call_later(self._shell, _INTERVAL, self._update)

    def _update(self) -> None:
        """Update what is shown; the kernel's event loop calls it, so only between cells."""
        self._update_is_planned = False
        for one in self._running:
            one.view.update()
        self.assign_results()
        for output, (job, shown) in [*self._shown_jobs.items()]:
            done, bundle = job.done, _job_bundle(job)
            if bundle["text/plain"] != shown:
                replace_outputs([output], bundle)
            self._shown_jobs[output] = job, bundle["text/plain"]
            if done:
                del self._shown_jobs[output]
        if self._running or self._shown_jobs:
            self._plan_update()


def _job_bundle(job: Job[Any]) -> dict[str, Any]:
    return {"text/plain": str(job), "text/html": job._repr_html_()}


def _names_read(shell: Any, cell: str) -> set[str]:
    """Return the names of variables that a cell reads, functions in it included."""
    try:
        tree = ast.parse(shell.transform_cell(cell))
    except (SyntaxError, ValueError):
        return set()
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
