"""Downloads that run beside the cells of one shell.

Frames get their names on the kernel's own thread and between cells, never in the middle of one: a
loop over a frame must not find another one under its name. A name that has got another value
since is left alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import AuthenticationError
from alchemer_nb.fetch.endings import GOES_ON, TAKE, advice
from alchemer_nb.notebook.kernel.outputs import fold, say
from alchemer_nb.notebook.kernel.pump import call_later

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.errors import DownloadIncomplete
    from alchemer_nb.notebook.running.follow import View

    Receipt = Callable[[Job[Any], Any], str]

_NOTHING = object()
_TICK = 0.1  # seconds between two updates of what is shown
_EVENTS = ("pre_run_cell", "post_run_cell")


@dataclass(slots=True)
class _Running:
    job: Job[Any]
    name: str | None
    before: object  # what the name stood for when it began
    receipt: Receipt
    view: View


class Downloads:
    """The downloads of one shell that run beside its cells, and rows that nobody has taken yet.

    Args:
        shell: What ``get_ipython()`` gives.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: list[_Running] = []
        self._left: tuple[str | None, Callable[[], pd.DataFrame | None]] | None = None
        self._listens = self._ticks = False

    def begin(self, job: Job[Any], name: str | None, receipt: Receipt, progress: str) -> None:
        """Watches a download or a sync that has begun.

        Args:
            job: What has begun.
            name: What to call what it gives; None leaves that to whoever has the job.
            receipt: Gives the line to leave when it has come.
            progress: How to show it.
        """
        from alchemer_nb.notebook.running.follow import clicks, view

        for other in [one for one in self._running if name and one.name == name]:
            self._running.remove(other)  # the cell was run again
            other.job.cancel()
            other.view.end(f"Called off: `{name}` is being downloaded anew.")
        note = f" → {name}" if name else ""
        shown = view(job, self._shell, progress, note=note, beside=True)
        if type(shown).__name__ == "Silent" and progress != "none" and not job.done:
            then = f"; `{name}` is there when it has come" if name else ""
            say(fold(f"{job.line.partition(':')[0]}: on its way in the background{then}."))
        before = self._shell.user_ns.get(name, _NOTHING) if name else _NOTHING
        self._running.append(_Running(job, name, before, receipt, shown))
        job.waiting = lambda: clicks(self._shell, shown.update)
        self._listen()
        self._tick_later()

    def partial(self, name: str | None = None) -> pd.DataFrame:
        """Gives the rows so far of a download.

        Args:
            name: What its frame is to be called; None for the latest.

        Raises:
            UsageError: There is none, or nothing has come yet.
        """
        self.settle()
        for one in reversed(self._running):
            if name in (None, one.name) and one.job.gives_rows:
                return _rows(one.job.partial())
        if self._left is not None and name in (None, self._left[0]):
            return _rows(self._left[1]())
        which = f" called `{name}`" if name else ""
        raise UsageError(f"no download{which} is under way or was stopped")

    def broke_off(self, error: DownloadIncomplete, name: str | None) -> None:
        """Keeps what has come, and has the message say how to get it and how to go on."""
        self._left = (name, lambda: error.partial)
        if TAKE not in error.hint:
            sync_broke_off(error)
            return
        again = "run the same cell again"
        if error.resumable:
            again = f"{again}, which goes on with the rows at hand"
        say_next(error, again, f"{name or 'df'} = %alchemer partial")

    def settle(self) -> None:
        """Gives the frames that have come their names; nothing where a cell may be using them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for one in [one for one in self._running if one.job.done]:
            self._running.remove(one)
            self._ended(one)
        if not self._running:
            self._listen(on=False)

    def close(self) -> None:
        """Calls them all off."""
        for one in self._running:
            one.job.cancel()
            one.view.end("Called off.")
        self._running.clear()
        self._listen(on=False)

    def _ended(self, one: _Running) -> None:
        from alchemer_nb.errors import DownloadIncomplete

        failed = one.job.exception
        if failed is not None:
            if isinstance(failed, DownloadIncomplete):
                if one.job.gives_rows:
                    self.broke_off(failed, one.name)
                else:
                    sync_broke_off(failed)
            one.view.end(f"{type(failed).__name__}: {failed}", failed=True)
            return
        given = one.job.result()
        line = one.receipt(one.job, given)
        if one.name is None:
            one.view.end(line)
            return
        now = self._shell.user_ns.get(one.name, _NOTHING)
        if now is _NOTHING or now is one.before:
            self._shell.push({one.name: given})
            one.view.end(f"{one.name} = {line}" if line else "")
            return
        way = ""
        if one.job.gives_rows:
            self._left = (one.name, lambda: given)
            way = ": NAME = %alchemer partial has this frame"
        one.view.end(
            f"{line or one.job.note}. `{one.name}` has got another value meanwhile and was left "
            f"alone{way}",
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
            self._ticks = call_later(self._shell, _TICK, self._tick)

    def _tick(self) -> None:
        """Called by the kernel's loop, which runs between cells only."""
        self._ticks = False
        for one in self._running:
            one.view.update()
        self.settle()
        if self._running:
            self._tick_later()


def say_next(error: DownloadIncomplete, again: str, take: str = "") -> None:
    """Has the message say what to do next in the notebook; arguments as for ``advice``."""
    needs = error.needs
    if isinstance(error.cause, AuthenticationError):
        needs = f"{needs} (%alchemer login)"
    error.hint = advice(needs, again, take)


def sync_broke_off(error: DownloadIncomplete) -> None:
    """Has the message of a sync that was refused say where to sign in; it keeps what has come."""
    if error.needs:
        say_next(error, GOES_ON)


def _rows(frame: pd.DataFrame | None) -> pd.DataFrame:
    if frame is None:
        raise UsageError("nothing has come yet")
    return frame
