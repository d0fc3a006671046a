"""Downloads and syncs in a thread of their own: how far they are, and how to wait for them.

Only the thread reads pages and builds frames. Whoever wants the rows so far asks, and the thread
answers between two pages, so that no frame is made of a page that is half read. It also means
that an interrupt, which reaches the main thread alone, never cuts through a page.
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
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from alchemer_nb.errors import DownloadIncomplete, InvalidArgument, Stopped
from alchemer_nb.fetch.endings import advice
from alchemer_nb.forks import in_child
from alchemer_nb.store.sync_result import STOPPED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.store.sync_result import Synced

    Waiting = Callable[[], AbstractContextManager[Callable[[], object]]]
    Tell = Callable[[Progress], None]

PATIENCE = 0.4  # seconds that a job which was called off is given to end, before nobody waits
_TICK = 0.05


_Answer = Future["pd.DataFrame | None"]
_Result = TypeVar("_Result")


class Job(Generic[_Result]):
    """A download of responses, or a sync, in the background.

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

    def __init__(
        self,
        title: str,
        fetch: Callable[[Tell, threading.Event], _Result],
        stopped: str = "",
    ) -> None:
        self.waiting: Waiting | None = None
        self._title = title
        self._fetch = fetch
        self._stopped = stopped
        self._progress: Progress | None = None
        self._ended: tuple[Any] | None = None
        self._begin()
        in_child(self._begin_in_child)

    def _begin(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._asked: deque[tuple[_Answer, Callable[[pd.DataFrame], pd.DataFrame]]] = deque()
        self._future: Future[_Result] = Future()
        self._future.set_running_or_notify_cancel()  # from here on only `cancel` below calls it off

    def _begin_in_child(self) -> None:
        """Ends it in a forked process, where its thread is not; what had ended stays."""
        was_cancelled = self._stop.is_set()
        self._begin()
        if was_cancelled:
            self.cancel()
        if self._ended is None:
            self._end(
                DownloadIncomplete(
                    f"{self._title}: it goes on in the process that began it, and not in this one, "
                    "which was forked meanwhile. Run it again here, or wait for it before forking"
                )
            )
        else:
            self._end(*self._ended)

    @classmethod
    def start(cls, client: Client, id_or_title: int | str, **options: Any) -> Job[pd.DataFrame]:
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

        def fetch(tell: Tell, _: threading.Event) -> pd.DataFrame:
            return client.responses(id_or_title, progress=tell, **options)

        return Job.of(str(id_or_title), fetch)

    @classmethod
    def sync(cls, client: Client, id_or_title: int | str, **how: Any) -> Job[Synced]:
        """Begins a sync of the local store and returns at once.

        Args:
            client: Whose account.
            id_or_title: As for ``client.sync``.
            **how: As for ``client.sync``, except ``tell`` and ``stop``.
        """

        def fetch(tell: Tell, stop: threading.Event) -> Synced:
            return client.sync(id_or_title, tell=tell, stop=stop, **how)

        return Job.of(str(id_or_title), fetch, STOPPED)

    @classmethod
    def of(
        cls, title: str, fetch: Callable[[Tell, threading.Event], _Result], stopped: str = ""
    ) -> Job[_Result]:
        """Begins whatever tells how far it is, and returns at once.

        Args:
            title: What to call it before it has told anything.
            fetch: Called in a thread of its own, with what it tells and what ends it.
            stopped: What to say where it is called off; left out, what is said of a download.
        """
        # Here: a child that is forked in the middle of an import waits for its end for ever.
        import alchemer_nb.client.stored_retrieval
        import alchemer_nb.store.sync  # noqa: F401

        job = Job(title, fetch, stopped)
        # A daemon: a kernel that is shut down does not wait for a survey.
        try:
            threading.Thread(target=job._run, name="alchemer-job", daemon=True).start()
        except BaseException:  # an interrupt: nobody has the job yet who could call it off
            job.cancel()
            raise
        return job

    @property
    def title(self) -> str:
        """Title of the survey; until Alchemer has answered, what was given for it."""
        return (self._progress.survey if self._progress else "") or self._title

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
    def gives_rows(self) -> bool:
        """Whether it is a download; a sync keeps its rows in the store."""
        return not self._stopped

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
            A frame that later pages do not change; None before the first page, and of a sync.
        """
        if not self.gives_rows:
            return None
        if not self.done and (self._progress is None or not self._progress.pages):
            return None
        frame = self._ask(_apart).result()
        if frame is not None:
            return frame
        failed = self.exception  # it has ended meanwhile
        left = getattr(failed, "partial", None) if failed else self._future.result()
        return cast("pd.DataFrame | None", left)

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

    def result(self, timeout: float | None = None) -> _Result:
        """Waits for the frame, or what became of the sync. An interrupt ends the wait alone.

        Args:
            timeout: Seconds, None for as long as it takes.

        Raises:
            TimeoutError: It has not ended by then.
            AlchemerError: Why it failed.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"not done yet: {self.line}")
        return self._future.result()

    def end(self) -> _Result:
        """Calls it off and waits half a second at most.

        Returns:
            What it gives, where it was done just then.

        Raises:
            DownloadIncomplete: It was called off; ``.partial`` has the rows so far.
            AlchemerError: It had failed before.
        """
        self.cancel()
        if self._done_within(PATIENCE):
            return self._future.result()
        # Its thread ends by itself when the answer that it waits for has come.
        if self._stopped or (self._progress is not None and self._progress.kept):
            raise DownloadIncomplete(self._stopped or f"{STOPPED}. Run it again for the frame")
        come = self._progress is not None and self._progress.pages
        raise DownloadIncomplete(
            f"it was stopped; {self.line}" + ("" if come else "; nothing had come"),
            partial=self.partial if come else None,
            hint=advice("", "run it again", "job.partial()" if come else ""),
        )

    @property
    def line(self) -> str:
        """How it stands, in one line."""
        if self.done:
            failed = self.exception
            if failed is None and not self.gives_rows:
                return str(self._future.result())
            return str(failed) if failed else self.note
        if self._progress is None or not self._progress.survey:
            state = self._progress.state if self._progress else ""
            return f"{self._title}: {state or 'asking for the survey'}"
        return self._progress.line

    def __repr__(self) -> str:
        return f"<Job {self._word}: {self.line}>"

    def _repr_html_(self) -> str:
        return f"<div><b>Job</b> {self._word} · {escape(self.line)}</div>"

    @property
    def _word(self) -> str:
        return "running" if not self.done else "failed" if self.exception else "done"

    def __await__(self) -> Generator[Any, None, _Result]:
        return self._awaited().__await__()

    async def _awaited(self) -> _Result:
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
            outcome: Any = self._fetch(self._tell, self._stop)
        except Stopped:
            outcome = DownloadIncomplete(
                self._stopped
                or f"{self._title}: it was stopped before anything had come. Run it again"
            )
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            outcome = error
        self._end(outcome)
        self._answer(None)

    def _end(self, outcome: Any) -> None:
        with self._lock:
            self._ended = (outcome,)
            if self._progress is not None:  # lets go of the answers
                self._progress = replace(self._progress, frame=None)
            if isinstance(outcome, BaseException):
                self._future.set_exception(outcome)
            else:
                self._future.set_result(outcome)

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


def run_sync(awaitable: Awaitable[Any] | Job[Any]) -> Any:
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


def _apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives a frame its own copy of the answers: those of the download grow while it is used."""
    from alchemer_nb.frame.build import ATTRS
    from alchemer_nb.frame.description import Facts

    facts = frame.attrs.get(ATTRS)
    if isinstance(facts, Facts) and facts.kept is not None:
        kept = replace(facts.kept, answers=facts.kept.answers.copy())
        frame.attrs[ATTRS] = Facts(str(facts), kept)
    return frame
