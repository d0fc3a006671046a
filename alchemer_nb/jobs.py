"""Downloads in a thread of their own: how far they are, their rows so far, and how to wait.

Only the thread reads pages and builds frames. Whoever wants the rows so far asks, and the thread
answers between two pages, so that no frame is made of a page that is half read. It also means
that an interrupt, which reaches the main thread alone, never cuts through a page.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import pickle
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import DownloadIncomplete, InvalidArgument, Stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

    import pandas as pd

    from alchemer_nb.client import Client
    from alchemer_nb.progress import Progress

    Waiting = Callable[[], AbstractContextManager[Callable[[], object]]]

PATIENCE = 0.4  # seconds that a job which was called off is given to end, before nobody waits
_TICK = 0.05
HOW = "take the rows so far: "  # what a message says before it names a way


_Answer = Future["pd.DataFrame | None"]


class Job:
    """A download of responses in the background.

    Made by ``Job.start``. ``await job`` waits in a coroutine or an async cell, ``run_sync(job)``
    and ``job.result()`` in any other.

    Attributes:
        waiting: What to do meanwhile when ``wait`` blocks the main thread: gives a context whose
            value is called about twenty times a second. Set by the notebook, so that clicks come
            through.

    Example:
        >>> from alchemer_nb import Job
        >>> job = Job.start(client, "Customer satisfaction", limit=10)
        >>> len(job.result())
        10
    """

    def __init__(self, title: str, fetch: Callable[[Job], pd.DataFrame]) -> None:
        self.waiting: Waiting | None = None
        self._title = title
        self._fetch = fetch
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._asked: deque[tuple[_Answer, Callable[[pd.DataFrame], pd.DataFrame]]] = deque()
        self._future: Future[pd.DataFrame] = Future()
        self._future.set_running_or_notify_cancel()  # from here on only `cancel` below calls it off

    @classmethod
    def start(cls, client: Client, id_or_title: int | str, **options: Any) -> Job:
        """Begins a download and returns at once.

        Args:
            client: Whose account.
            id_or_title: As for ``client.responses``.
            **options: As for ``client.responses``, except ``progress``.

        Raises:
            InvalidArgument: ``progress`` is given: the job tells it itself.
            TypeError: ``client.responses`` has no such option.
        """
        if "progress" in options:
            raise InvalidArgument("a job tells its progress itself: job.progress")
        inspect.signature(client.responses).bind(id_or_title, **options)

        def fetch(job: Job) -> pd.DataFrame:
            return client.responses(id_or_title, progress=job._tell, **options)

        job = cls(str(id_or_title), fetch)
        # A daemon: a kernel that is shut down does not wait for a survey.
        try:
            threading.Thread(target=job._run, name="alchemer-job", daemon=True).start()
        except BaseException:  # an interrupt: nobody has the job yet who could call it off
            job.cancel()
            raise
        return job

    @property
    def progress(self) -> Progress | None:
        """How far it is; None at the very beginning."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._future.done()

    @property
    def exception(self) -> BaseException | None:
        """Why it failed; None while it runs and where it went well."""
        return self._future.exception() if self.done else None

    @property
    def note(self) -> str:
        """What there is to say of the rows that came, once it has ended well."""
        return self._progress.note if self._progress is not None else ""

    @property
    def cancelled(self) -> bool:
        """Whether it was called off; it may not have ended yet."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Has it end; it then fails with ``DownloadIncomplete``, which has the rows so far."""
        self._stop.set()

    def partial(self) -> pd.DataFrame | None:
        """Gives the rows so far while it goes on, and all there are when it has ended.

        Returns:
            A frame that later pages do not change; None before the first page.
        """
        if not self.done and (self._progress is None or not self._progress.pages):
            return None
        frame = self._ask(_apart).result()
        if frame is not None:
            return frame
        failed = self.exception  # it has ended meanwhile
        return getattr(failed, "partial", None) if failed else self._future.result()

    def first(self, rows: int) -> Future[pd.DataFrame | None]:
        """Asks for the first rows of the frame so far, and does not wait.

        Returns:
            What will have them after the next page; None where it has ended before.
        """

        def cut(frame: pd.DataFrame) -> pd.DataFrame:
            frame = frame.head(rows).copy()
            frame.attrs.clear()  # knows more than these rows
            return frame

        return self._ask(cut)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended.

        Args:
            timeout: Seconds, None for as long as it takes.

        Returns:
            Whether it has.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        is_main = threading.current_thread() is threading.main_thread()
        waiting = self.waiting if is_main and not self.done else None
        tick = PATIENCE if waiting is None else _TICK
        with waiting() if waiting is not None else nullcontext(lambda: None) as meanwhile:
            while not self._done_within(min(tick, end - time.monotonic())):
                if time.monotonic() >= end:
                    return False
                meanwhile()
        return True

    def result(self, timeout: float | None = None) -> pd.DataFrame:
        """Waits for the frame. An interrupt ends the wait, and the download goes on.

        Args:
            timeout: Seconds, None for as long as it takes.

        Raises:
            TimeoutError: It has not ended by then.
            AlchemerError: Why it failed.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"not done yet: {self.line}")
        return self._future.result()

    def end(self) -> pd.DataFrame:
        """Calls it off and waits half a second at most.

        Returns:
            The frame, where it was done just then.

        Raises:
            DownloadIncomplete: It was called off; ``.partial`` has the rows so far.
            AlchemerError: It had failed before.
        """
        self.cancel()
        if self._done_within(PATIENCE):
            return self._future.result()
        # Its thread ends by itself when the answer that it waits for has come.
        come = self._progress is not None and self._progress.pages
        how = f"Run it again, or {HOW}job.partial()" if come else "Nothing had come; run it again"
        raise DownloadIncomplete(f"it was stopped; {self.line}. {how}", partial=self.partial)

    @property
    def line(self) -> str:
        """How it stands, in one line."""
        if self.done:
            failed = self.exception
            return str(failed) if failed else self.note
        if self._progress is None or not self._progress.survey:
            state = self._progress.state if self._progress else ""
            return f"{self._title}: {state or 'asking for the survey'}"
        return _describe(self._progress)

    def __repr__(self) -> str:
        return f"<Job {self._word}: {self.line}>"

    def _repr_html_(self) -> str:
        return f"<div><b>Job</b> {self._word} · {escape(self.line)}</div>"

    @property
    def _word(self) -> str:
        return "running" if not self.done else "failed" if self.exception else "done"

    def __await__(self) -> Generator[Any, None, pd.DataFrame]:
        return self._awaited().__await__()

    async def _awaited(self) -> pd.DataFrame:
        try:
            return await asyncio.shield(asyncio.wrap_future(self._future))
        except asyncio.CancelledError:  # as for a task: who calls off the wait calls it off
            self.cancel()
            raise

    def _done_within(self, seconds: float) -> bool:
        try:
            self._future.exception(timeout=max(0.0, seconds))
        except TimeoutError:
            return False
        return True

    def _run(self) -> None:
        try:
            outcome: Any = self._fetch(self)
        except Stopped:
            outcome = DownloadIncomplete(
                f"{self._title}: it was stopped before anything had come. Run it again"
            )
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            outcome = error
        with self._lock:
            if self._progress is not None:  # lets go of the answers
                self._progress = replace(self._progress, frame=None)
            if isinstance(outcome, BaseException):
                self._future.set_exception(outcome)
            else:
                self._future.set_result(outcome)
        self._answer(None)

    def _tell(self, progress: Progress) -> None:
        """Called by the download after each page and while it waits, in its own thread."""
        self._progress = progress
        if self._stop.is_set():
            progress.cancel()
        if progress.frame is not None and self._asked:
            self._answer(progress.frame)

    def _ask(self, finish: Callable[[pd.DataFrame], pd.DataFrame]) -> _Answer:
        """Has the thread make a frame between two pages; None comes where it has ended."""
        answer: _Answer = Future()
        with self._lock:
            if self.done:
                answer.set_result(None)
            else:
                self._asked.append((answer, finish))
        return answer

    def _answer(self, frame: Callable[[], pd.DataFrame] | None) -> None:
        while self._asked:
            answer, finish = self._asked.popleft()
            try:
                answer.set_result(finish(frame()) if frame is not None else None)
            except Exception as error:  # noqa: BLE001 - whoever asked gets it
                answer.set_exception(error)


def run_sync(awaitable: Awaitable[Any] | Job) -> Any:
    """Waits for a job or a coroutine from a cell or function that is not async.

    Args:
        awaitable: What to wait for. An interrupt calls a job off.

    Returns:
        What it gives.

    Raises:
        DownloadIncomplete: The job was called off.
        AlchemerError: Why the job failed.

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
    # A kernel's loop runs already. The patch is for the whole process, so it waits until here.
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    return loop.run_until_complete(_awaited(awaitable))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _describe(progress: Progress) -> str:
    """How far a download is, in one line."""
    of = f" of {progress.rows_told:,}" if progress.rows_told is not None else ""
    parts = [f"{progress.survey}: {progress.rows:,}{of} responses"]
    if progress.pages:
        told = f" of {progress.pages_told:,}" if progress.pages_told is not None else ""
        parts.append(f"page {progress.pages:,}{told}")
        parts.append(f"{progress.rows_per_second:,.0f} a second")
    if progress.pages and progress.seconds_left:
        parts.append(f"{_span(progress.seconds_left)} left")
    if progress.state:
        parts.append(progress.state)
    return " · ".join(parts)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives a frame its own copy of the answers: those of the download grow while it is used."""
    from alchemer_nb.frames import ATTRS
    from alchemer_nb.kept import Facts

    facts = frame.attrs.get(ATTRS)
    if isinstance(facts, Facts) and facts.kept is not None:
        answers = pickle.loads(pickle.dumps(facts.kept.answers, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - what was pickled just now
        frame.attrs[ATTRS] = Facts(str(facts), replace(facts.kept, answers=answers))
    return frame
