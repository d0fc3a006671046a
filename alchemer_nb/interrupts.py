"""Delay interrupts, so that a block of code runs completely."""

from __future__ import annotations

import _thread
import math
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alchemer_nb.forks import renew_after_fork

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator


_AFTER_IMPORT = 0.05  # seconds from the last line of a package to the end of its import


class HeldInterrupts:
    """A SIGINT handler that collects interrupts, and raises them where nothing can be lost.

    Only the main thread gets ``KeyboardInterrupt``: on others, and where interrupts are ignored,
    this does nothing. A forked child gets the handler from before.
    """

    def __init__(self) -> None:
        self._before: Callable[..., Any] | None = None
        self._received: list[tuple[Any, ...]] = []
        self._allowed_from = math.inf

    def __call__(self, *signal_args: Any) -> None:
        """Collect an interrupt, or raise it where that is allowed."""
        self._received.append(signal_args)
        if time.monotonic() >= self._allowed_from:
            self.raise_received()

    def begin(self) -> None:
        """Collect interrupts from here on."""
        before = signal.getsignal(signal.SIGINT)
        if callable(before) and threading.current_thread() is threading.main_thread():
            self._before = before
            signal.signal(signal.SIGINT, self)
            renew_after_fork(self._restore)

    def end(self) -> None:
        """Raise what was collected, and collect no more."""
        self._restore()
        self.raise_received()

    def end_import(self) -> None:
        """Collect no more, and raise what was collected when the import is over.

        A package whose import raises is imported once more, which compiled ones do not survive.
        """
        self._restore()
        if isinstance(self._before, HeldInterrupts):
            self.raise_received()
        elif self._received:
            threading.Timer(_AFTER_IMPORT, _interrupt_thread, (threading.get_ident(),)).start()

    def raise_received(self) -> None:
        """Call the handler from before, which raises ``KeyboardInterrupt``, if there was one."""
        if self._received and self._before is not None:
            signal_args, self._received = self._received[0], []
            self._before(*signal_args)

    @contextmanager
    def allowed(self, after: float) -> Iterator[None]:
        """Raise interrupts at once in this block, when it has run for so many seconds."""
        self._allowed_from = time.monotonic() + after
        try:
            yield
        finally:
            self._allowed_from = math.inf

    def _restore(self) -> None:
        current: object = signal.getsignal(signal.SIGINT)
        if current is self:
            signal.signal(signal.SIGINT, self._before)


class TaskInterrupts(HeldInterrupts):
    """A SIGINT handler that cancels a task while a loop that others use, too, runs for it.

    A kernel reads its messages in that loop: an interrupt that is raised among them loses one. A
    second interrupt is raised at once, for a task that blocks. As in ``asyncio.Runner``:
    https://docs.python.org/3/library/asyncio-runner.html#handling-keyboard-interruption
    """

    def __init__(self, task: asyncio.Task[Any]) -> None:
        super().__init__()
        self._task = task
        self._has_reached_task = False

    def __call__(self, *signal_args: Any) -> None:
        """Cancel the task at the first interrupt, and raise the second one."""
        self._received.append(signal_args)
        if len(self._received) > 1:
            self.raise_received()
        self._has_reached_task = self._task.cancel()
        self._task.get_loop().call_soon_threadsafe(lambda: None)  # wakes a loop that waits

    def end(self) -> None:
        """Raise the interrupt, unless the task has caught its cancel and ended by itself."""
        if self._task.done() and not self._task.cancelled():
            self._task.exception()  # an error that is not taken is reported in a later cell
            if self._has_reached_task:
                self._received.clear()
        super().end()


def _interrupt_thread(main: int) -> None:
    """Interrupt the main thread, also where it waits in a call of the system."""
    if not hasattr(signal, "pthread_kill"):  # Windows
        _thread.interrupt_main()
    elif callable(signal.getsignal(signal.SIGINT)):  # else the signal could end the process
        signal.pthread_kill(main, signal.SIGINT)


@contextmanager
def delay_interrupts() -> Iterator[None]:
    """Delay an interrupt until the end of the block, so that the block runs completely."""
    interrupts = HeldInterrupts()
    interrupts.begin()
    try:
        yield
    finally:
        interrupts.end()
