"""Downloads and syncs in the background: their progress, and how to wait for them.

Only the background thread reads pages and builds frames. Another thread requests the rows so far,
and the background thread builds their frame between two pages, so never from a part of a page.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from alchemer_nb.errors import DownloadIncomplete, InvalidArgument, Stopped
from alchemer_nb.fetch.interruption import build_hint
from alchemer_nb.forks import renew_after_fork
from alchemer_nb.interrupts import TaskInterrupts
from alchemer_nb.store.sync_result import COMPARISON_STOPPED, STOPPED
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.fetch.progress import OnProgress, Progress
    from alchemer_nb.store.sync_result import SyncResult

    Waiting = Callable[[], AbstractContextManager[Callable[[], object]]]
    ChangeFrame = Callable[[pd.DataFrame], pd.DataFrame]

_CANCEL_SECONDS = 0.4  # seconds to wait for a job that was cancelled
_TICK = 0.05
_FrameFuture = Future["pd.DataFrame | None"]
_Result = TypeVar("_Result")


class Job(Generic[_Result]):
    """A download of responses, or a sync, in the background.

    ``Job.start`` and ``Job.sync`` return one. ``await job`` waits in a coroutine or an async cell,
    ``run_sync(job)`` and ``job.result()`` in any other.

    Attributes:
        waiting: Returns a context manager that is entered while ``wait`` blocks the main thread;
            its value is called about twenty times a second. The notebook sets it, so that clicks
            are handled while it waits.

    Example:
        >>> from alchemer_nb import Job
        >>> job = Job.start(client, "Customer satisfaction", limit=10)
        >>> len(job.result())
        10
    """

    def __init__(
        self,
        title: str,
        fetch: Callable[[OnProgress, threading.Event], _Result],
        stopped: str = "",
    ) -> None:
        self.waiting: Waiting | None = None
        self._title = title
        self._fetch = fetch
        self._stopped = stopped
        self._progress: Progress | None = None
        self._outcome: tuple[Any] | None = None
        self._renew()
        renew_after_fork(self._renew_in_child)

    def _renew(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._requests: deque[tuple[_FrameFuture, ChangeFrame]] = deque()
        self._future: Future[_Result] = Future()
        self._future.set_running_or_notify_cancel()  # so that only `cancel` below cancels it

    def _renew_in_child(self) -> None:
        """Fail in a forked child, which has no background thread, unless the job had ended."""
        was_cancelled = self._stop.is_set()
        self._renew()
        if was_cancelled:
            self.cancel()
        lost = DownloadIncomplete(
            f"{self._title}: it goes on in the process that began it, and not in this one, "
            "which was forked meanwhile. Run it again here, or wait for it before forking"
        )
        self._end(*(self._outcome or (lost,)))

    @classmethod
    def start(cls, client: Client, id_or_title: int | str, **options: Any) -> Job[pd.DataFrame]:
        """Start a download and return at once.

        Args:
            client: Client of the account.
            id_or_title: As for ``client.responses``.
            **options: As for ``client.responses``, except ``progress``.

        Raises:
            InvalidArgument: ``progress`` is given: the job has its own.
            TypeError: ``client.responses`` has no such option.
        """
        if "progress" in options:
            raise InvalidArgument("a job tells its progress itself: job.progress")
        inspect.signature(client.responses).bind(id_or_title, **options)

        def fetch(on_progress: OnProgress, _: threading.Event) -> pd.DataFrame:
            return client.responses(id_or_title, progress=on_progress, **options)

        return Job.of(str(id_or_title), fetch)

    @classmethod
    def sync(cls, client: Client, id_or_title: int | str, **how: Any) -> Job[SyncResult]:
        """Start a sync of the local store and return at once.

        Args:
            client: Client of the account.
            id_or_title: As for ``client.sync``.
            **how: As for ``client.sync``, except ``tell`` and ``stop``.
        """

        def fetch(on_progress: OnProgress, stop: threading.Event) -> SyncResult:
            return client.sync(id_or_title, tell=on_progress, stop=stop, **how)

        return Job.of(str(id_or_title), fetch, STOPPED)

    @classmethod
    def of(
        cls, title: str, fetch: Callable[[OnProgress, threading.Event], _Result], stopped: str = ""
    ) -> Job[_Result]:
        """Start a job and return at once.

        Args:
            title: Shown until the title of the survey is known.
            fetch: Called in the background thread, with a callback for the progress and an event
                that is set when the job is cancelled.
            stopped: Message of a cancelled sync; ``""`` for a download.
        """
        # Not in the thread: a child forked during an import waits for the import lock for ever.
        import alchemer_nb.client.stored_retrieval
        import alchemer_nb.store.sync  # noqa: F401

        job = Job(title, fetch, stopped)
        try:
            # A daemon thread: a kernel that is shut down does not wait for it.
            threading.Thread(target=job._run, name="alchemer-job", daemon=True).start()
        except BaseException:  # an interrupt: no caller has the job yet to cancel it
            job.cancel()
            raise
        return job

    @property
    def title(self) -> str:
        """The title of the survey; until it is known, the argument of the call."""
        return (self._progress.survey if self._progress else "") or self._title

    @property
    def progress(self) -> Progress | None:
        """The progress; None at the very beginning."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether it has ended, with a result or an error."""
        return self._future.done()

    @property
    def exception(self) -> BaseException | None:
        """The error; None while it runs, and if there is a result."""
        return self._future.exception() if self.done else None

    @property
    def note(self) -> str:
        """The summary, once there is a result."""
        return self._progress.note if self._progress is not None else ""

    @property
    def gives_rows(self) -> bool:
        """Whether it is a download; a sync writes its rows to the store."""
        return not self._stopped

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled; it may not have ended yet."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Cancel the job; it then raises ``DownloadIncomplete``, which has the rows so far."""
        self._stop.set()

    def partial(self) -> pd.DataFrame | None:
        """Return the rows so far; all rows when it has ended.

        Returns:
            A frame that later pages do not change; None before the first page, and of a sync.
        """
        if not self.gives_rows:
            return None
        if not self.done and (self._progress is None or not self._progress.pages):
            return None
        frame = self._request_frame(lambda frame: frame).result()
        if frame is not None:
            return frame
        failed = self.exception  # it ended before it built a frame
        partial_frame = getattr(failed, "partial", None) if failed else self._future.result()
        return cast("pd.DataFrame | None", partial_frame)

    def first(self, rows: int) -> Future[pd.DataFrame | None]:
        """Request the first rows of the frame so far, without waiting.

        Returns:
            A future that gets them after the next page, or None if the job ends before.
        """

        def cut(frame: pd.DataFrame) -> pd.DataFrame:
            frame = frame.head(rows).copy()
            frame.attrs.clear()  # describes more than these rows
            return frame

        return self._request_frame(cut)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended.

        Args:
            timeout: Seconds, None for no limit.

        Returns:
            Whether it has ended.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        is_main = threading.current_thread() is threading.main_thread()
        waiting = self.waiting if is_main and not self.done else None
        tick = _CANCEL_SECONDS if waiting is None else _TICK
        with waiting() if waiting is not None else nullcontext(lambda: None) as handle_clicks:
            while not self._wait_done(min(tick, end - time.monotonic())):
                if time.monotonic() >= end:
                    return False
                handle_clicks()
        return True

    def result(self, timeout: float | None = None) -> _Result:
        """Wait for the frame, or the result of the sync; an interrupt ends the wait, not the job.

        Args:
            timeout: Seconds, None for no limit.

        Raises:
            TimeoutError: It has not ended by then.
            AlchemerError: The error of the job.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"not done yet: {self.line}")
        return self._future.result()

    def end(self) -> _Result:
        """Cancel it and wait half a second at most.

        Returns:
            The result, if it was complete just then.

        Raises:
            DownloadIncomplete: It was cancelled; ``.partial`` has the rows so far.
            AlchemerError: The error of the job, which had failed before.
        """
        self.cancel()
        if self._wait_done(_CANCEL_SECONDS):
            return self._future.result()
        # Its thread ends by itself when the reply that it waits for has come.
        if self._stopped or (self._progress is not None and self._progress.kept):
            raise DownloadIncomplete(
                self._stopped_message or f"{STOPPED}. Run it again for the frame", stopped=True
            )
        come = self._progress is not None and self._progress.pages
        raise DownloadIncomplete(
            f"it was stopped; {self.line}" + ("" if come else "; nothing had come"),
            partial=self.partial if come else None,
            hint=build_hint("", "run it again", "job.partial()" if come else ""),
            stopped=True,
        )

    @property
    def _stopped_message(self) -> str:
        is_comparison = self._progress is not None and self._progress.comparing
        return COMPARISON_STOPPED if self._stopped and is_comparison else self._stopped

    @property
    def line(self) -> str:
        """The state in one line."""
        if self.done:
            failed = self.exception
            if failed is None and not self.gives_rows:
                return str(self._future.result())
            return str(failed) if failed else self.note
        if self._progress is not None and self._progress.survey:
            return self._progress.line
        state = self._progress.state if self._progress else ""
        return f"{self._title}: {state or 'asking for the survey'}"

    def __repr__(self) -> str:
        return make_visible(f"<Job {self._state}: {self.line}>")

    def __str__(self) -> str:
        return f"Job {self._dated_state} · {make_visible(self.line)}"

    def _repr_html_(self) -> str:
        return f"<div><b>Job</b> {self._dated_state} · {escape(make_visible(self.line))}</div>"

    @property
    def _state(self) -> str:
        if not self.done:
            return "running"
        if self.exception is None:
            return "done"
        return "stopped" if getattr(self.exception, "stopped", False) else "failed"

    @property
    def _dated_state(self) -> str:
        """The state; while it runs with the time, as a saved notebook shows it for ever."""
        now = "" if self.done else f" at {datetime.now().astimezone():%H:%M:%S on %Y-%m-%d}"
        return f"{self._state}{now}"

    def __await__(self) -> Generator[Any, None, _Result]:
        return self._awaited().__await__()

    async def _awaited(self) -> _Result:
        end = asyncio.wrap_future(self._future)
        try:
            return await asyncio.shield(end)
        except asyncio.CancelledError:  # as for a task: cancelling the wait cancels the job
            # asyncio would report the error of a job that nobody waits for, in a later cell.
            end.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            self.cancel()
            raise

    def _wait_done(self, seconds: float) -> bool:
        try:
            self._future.exception(timeout=max(0.0, seconds))
        except TimeoutError:
            return False
        return True

    def _run(self) -> None:
        try:
            outcome: Any = self._fetch(self._note_progress, self._stop)
        except Stopped:
            outcome = DownloadIncomplete(
                self._stopped_message
                or f"{self._title}: it was stopped before anything had come. Run it again",
                stopped=True,
            )
        except BaseException as error:  # noqa: BLE001 - the waiting thread gets it
            outcome = error
        self._end(outcome)
        self._build_requested(None)

    def _end(self, outcome: Any) -> None:
        with self._lock:
            self._outcome = (outcome,)
            if self._progress is not None:  # frees the answers
                self._progress = replace(self._progress, frame=None)
            if isinstance(outcome, BaseException):
                self._future.set_exception(outcome)
            else:
                self._future.set_result(outcome)

    def _note_progress(self, progress: Progress) -> None:
        """Take the progress, in the background thread, after each page and during waits."""
        self._progress = progress
        if self._stop.is_set():
            progress.cancel()
        if progress.frame is not None and self._requests:
            self._build_requested(progress.frame)

    def _request_frame(self, change: ChangeFrame) -> _FrameFuture:
        """Have the thread build a frame between two pages; None if it has ended."""
        future: _FrameFuture = Future()
        with self._lock:
            if self.done:
                future.set_result(None)
            else:
                self._requests.append((future, change))
        return future

    def _build_requested(self, build: Callable[[], pd.DataFrame] | None) -> None:
        # Only those at hand: whoever asks again at once must not keep the next page waiting.
        for _ in range(len(self._requests)):
            future, change = self._requests.popleft()
            try:
                future.set_result(change(build()) if build is not None else None)
            except Exception as error:  # noqa: BLE001 - the requesting thread gets it
                future.set_exception(error)


def run_sync(awaitable: Awaitable[Any] | Job[Any]) -> Any:
    """Wait for a job or a coroutine from a cell or function that is not async.

    Args:
        awaitable: What to wait for. An interrupt cancels it; a second one does not wait for its
            end.

    Returns:
        Its result.

    Raises:
        DownloadIncomplete: The job was cancelled.
        AlchemerError: The error of the job.
        KeyboardInterrupt: A coroutine was interrupted.

    Example:
        >>> from alchemer_nb import Job, run_sync
        >>> len(run_sync(Job.start(client, "Customer satisfaction", limit=10)))
        10
    """
    if isinstance(awaitable, Job):
        try:
            return awaitable.result()
        except KeyboardInterrupt:
            pass
        return awaitable.end()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awaited(awaitable))
    # A kernel's loop runs already. The patch is for the whole process, so it is applied late.
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    task = loop.create_task(_awaited(awaitable))
    interrupts = TaskInterrupts(task)
    interrupts.begin()
    try:
        loop.run_until_complete(asyncio.wait([task]))
    finally:
        interrupts.end()
    return task.result()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
