"""Views of a download or a sync while it runs: a bar with a button, a line of text, or nothing.

All of this runs on the thread of the cell; the job has a thread of its own.
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.notebook.kernel import outputs
from alchemer_nb.notebook.kernel.pump import find_pump, has_front_end
from alchemer_nb.notebook.running.preview import preview_html
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.fetch.progress import Progress

_Result = TypeVar("_Result")

_SECONDS_WITHOUT_BAR = 0.5  # the bar of a short job would only flash
_INTERVAL = 0.1  # seconds between two updates
# In a saved notebook of which the kernel has ended, nothing else is left of the bar.
_IF_NO_BAR = (
    "Began at {:%H:%M on %Y-%m-%d}. If no bar is shown here, it was still running when this "
    "notebook was saved: run the cell again."
)
_HEAD_ROWS = 5


class ProgressView:
    """A view that shows nothing until the end; the other views are its subclasses.

    Args:
        job: The download or sync.
        note: What to add to the progress line.
    """

    is_visible = False

    def __init__(self, job: Job[Any], note: str = "") -> None:
        self._job = job
        self._note = note
        self._shown: Progress | None = None
        self._shown_at = 0.0

    def update(self) -> None:
        """Show the progress where there is a new one, at most ten times a second."""
        progress, now = self._job.progress, time.monotonic()
        if progress is None or progress is self._shown or now - self._shown_at < _INTERVAL:
            return
        self._shown, self._shown_at = progress, now
        self._draw(progress)

    def end(self, line: str, *, failed: bool = False) -> None:  # noqa: ARG002 - for subclasses
        """Remove the progress and leave a line, if there is one."""
        if line:
            outputs.show_line(line)

    def _draw(self, progress: Progress) -> None:
        pass


class TerminalView(ProgressView):
    """A line of a terminal that is overwritten again and again."""

    is_visible = True
    _width = 0

    def end(self, line: str, *, failed: bool = False) -> None:
        """Erase the line, and print the last one."""
        if self._width:
            self._write("")
            sys.stdout.write("\r")
        super().end(line, failed=failed)

    def _draw(self, progress: Progress) -> None:  # noqa: ARG002 - the job writes the line
        self._write(self._job.line)

    def _write(self, line: str) -> None:
        line = make_visible(line)[: shutil.get_terminal_size((80, 24)).columns - 1]
        sys.stdout.write(f"\r{line:<{self._width}}")
        sys.stdout.flush()
        self._width = max(self._width, len(line))


class TextView(ProgressView):
    """A line in an output that is replaced again and again, where widgets are not wanted."""

    is_visible = True

    def __init__(self, job: Job[Any], note: str = "") -> None:
        super().__init__(job, note)
        self._output = outputs.add_output(self._content())

    def end(self, line: str, *, failed: bool = False) -> None:
        """Replace the output, so that a saved notebook shows no dead button."""
        outputs.replace_outputs([self._output], outputs.line_bundle(line, failed=failed))

    def _content(self) -> dict[str, Any]:
        # With the time: a notebook that is saved now shows this line for ever.
        return outputs.line_bundle(f"{self._job.line}{self._note} · at {_now():%H:%M:%S}")

    def _draw(self, progress: Progress) -> None:  # noqa: ARG002 - the job writes the line
        outputs.replace_outputs([self._output], self._content())


class WidgetView(TextView):
    """A bar with a Cancel button, the progress line, and the first rows once they are there."""

    def __init__(self, job: Job[Any], note: str = "") -> None:
        import ipywidgets

        self._bar = ipywidgets.IntProgress(
            min=0, max=1, layout={"width": "auto", "flex": "1 1 auto", "min_width": "80px"}
        )
        self._button = ipywidgets.Button(
            description="Cancel", icon="stop", layout={"width": "auto", "flex": "0 0 auto"}
        )
        self._button.on_click(self._cancel)
        self._line, self._head = ipywidgets.HTML(_line_html(f"{job.line}{note}")), ipywidgets.HTML()
        self._top = ipywidgets.HBox(
            [self._bar, self._button], layout={"align_items": "center", "max_width": "720px"}
        )
        self._box = ipywidgets.VBox([self._top, self._line, self._head], layout={"width": "100%"})
        self._box.add_class("alchemer-download")
        self._first_rows: Future[pd.DataFrame | None] | None = None
        super().__init__(job, note)
        self._below = outputs.add_output(outputs.line_bundle(_IF_NO_BAR.format(_now()), dim=True))

    def end(self, line: str, *, failed: bool = False) -> None:
        """Close all widgets: a button that is left in a page would do nothing."""
        for widget in (self._bar, self._button, self._line, self._head, self._top, self._box):
            for name in ("layout", "style"):  # each is a widget of its own, and would stay open
                model = getattr(widget, name, None)
                if model is not None:
                    model.close()
            widget.close()
        super().end(line, failed=failed)
        outputs.replace_outputs([self._below], outputs.line_bundle(""))

    def _content(self) -> dict[str, Any]:
        bundle: dict[str, Any] = self._box._repr_mimebundle_()
        text = "(A bar with a Cancel button. Without it: interrupt the kernel to stop.)"
        return {**bundle, "text/plain": text}

    def _draw(self, progress: Progress) -> None:
        if progress.rows_told:  # a sync has no total while it looks for pages after its last one
            self._bar.max = progress.rows_told
            self._bar.value = min(progress.rows, progress.rows_told)
        if not self._button.disabled:
            self._line.value = _line_html(f"{self._job.line}{self._note}")
        if self._first_rows is None and progress.frame is not None and progress.pages:
            self._first_rows = self._job.first(_HEAD_ROWS)
        if self._first_rows is not None and self._first_rows.done() and not self._head.value:
            rows = None if self._first_rows.exception() else self._first_rows.result()
            if rows is not None:
                heading = '<div style="opacity:.8">The first rows:</div>'
                self._head.value = f"{heading}{preview_html(rows)}"

    def _cancel(self, _: object) -> None:
        self._button.disabled = True
        self._line.value = _line_html("stopping …")
        self._job.cancel()


def _now() -> datetime:
    return datetime.now().astimezone()


def _line_html(line: str) -> str:
    return f'<span style="line-height:1.4">{escape(make_visible(line))}</span>'


def choose_view(
    job: Job[Any], shell: Any, progress: str, *, note: str = "", background: bool = False
) -> ProgressView:
    """Build the view that fits the shell.

    Args:
        job: The download or sync.
        shell: What ``get_ipython()`` returns.
        progress: ``"auto"``, ``"text"`` or ``"none"``.
        note: What to add to the progress line.
        background: Whether it runs behind the cells: a terminal has no line for it then.
    """
    kind = ProgressView
    if progress != "none" and getattr(shell, "kernel", None) is None:
        kind = TerminalView if sys.stdout.isatty() and not background else ProgressView
    elif progress != "none" and has_front_end(shell):
        kind = WidgetView if progress == "auto" else TextView
    return kind(job, note)


def wait_in_cell(
    job: Job[_Result],
    shell: Any,
    progress: str,
    write_receipt: Callable[[_Result], str],
    allow_interrupts: Callable[[], None],
) -> _Result:
    """Wait for a job in the running cell, and show its progress.

    Args:
        job: The download or sync.
        shell: What ``get_ipython()`` returns.
        progress: As for ``choose_view``.
        write_receipt: Returns the line to leave in place of the progress.
        allow_interrupts: Raises an interrupt that came since the job was started, if there was one.

    Raises:
        DownloadIncomplete: Cancel was pressed, or the kernel interrupted.
        AlchemerError: Why it failed.
    """
    view = ProgressView(job)
    stopped, line = False, ""
    try:
        try:
            allow_interrupts()
            if not job.wait(_SECONDS_WITHOUT_BAR):
                with delay_interrupts():  # or a bar could be left that nobody closes
                    view = choose_view(job, shell, progress)
                with click_handler(shell, view.update) as handle:
                    while not job.cancelled and not job.wait(_INTERVAL / 2):
                        handle()
        except KeyboardInterrupt:
            stopped = True  # and raised below, as an error of ours
        result = job.end() if stopped or job.cancelled else job.result()
        line = write_receipt(result)
    finally:
        with delay_interrupts():  # or a part of the bar would stay
            view.end(line)
    return result


@contextmanager
def click_handler(shell: Any, update: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Provide a function for a waiting cell to call in a loop: it updates and handles clicks."""
    pump = find_pump(shell) if has_front_end(shell) else None
    if pump is None:
        yield update
        return

    def handle() -> None:
        update()
        pump.step()

    with pump:
        yield handle
