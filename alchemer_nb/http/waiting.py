"""What travels with a call from its caller to the socket: how to stop it, and how to wait."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import Stopped
from alchemer_nb.forks import OriginProcess, renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TICK = 1.0  # seconds between two calls of ``on_wait``
_LOOK = 0.1  # seconds between two looks at ``stop``, where something else is waited for
_WORTH_SHOWING = 0.3  # seconds below which a wait would only flicker


class _HeldInterrupts:
    """Takes interrupts until ``end``; a process that another thread forks ends it at once."""

    def __init__(self, before: Callable[..., Any]) -> None:
        self._before = before
        self.came: list[tuple[Any, ...]] = []
        signal.signal(signal.SIGINT, self)
        renew_after_fork(self.end)

    def __call__(self, *what: Any) -> None:
        self.came.append(what)

    def end(self) -> None:
        now: object = signal.getsignal(signal.SIGINT)
        if now is self:
            signal.signal(signal.SIGINT, self._before)


@contextmanager
def delay_interrupts() -> Iterator[None]:
    """Delay an interrupt until the end of the block, which must not be left half done."""
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(before):  # it would not come here, or not as an exception
        yield
        return
    held = _HeldInterrupts(before)
    try:
        yield
    finally:
        held.end()
        if held.came:
            before(*held.came[0])


def _ignore(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What a caller asks of its calls; handed down unchanged to whatever waits.

    Attributes:
        stop: Set it to end every wait at once, and a call that is on its way.
        on_wait: Called about once a second with what is waited for and for how long, and with
            ``""`` afterwards.
        fresh: Take no answer from memory; wait until Alchemer's cache has forgotten the call.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    on_wait: Callable[[str], None] = _ignore
    fresh: bool = False

    def check(self) -> None:
        """Raise ``Stopped`` if ``stop`` is set."""
        if self.stop.is_set():
            raise Stopped("the call was called off")

    def wait(self, left: Callable[[], float], why: str) -> None:
        """Wait until no time is left.

        Args:
            left: Returns the seconds that are left; called once a second, as they may change.
            why: What is waited for: ``"waiting for the rate limit"``.

        Raises:
            Stopped: ``stop`` was set.
        """
        shown, home = False, OriginProcess()
        try:
            while True:
                home.check()
                self.check()
                seconds = left()
                if seconds <= 0:
                    return
                if shown or seconds > _WORTH_SHOWING:
                    self.on_wait(f"{why}, {math.ceil(seconds)} s")
                    shown = True
                self.stop.wait(min(seconds, _TICK))
        finally:
            if shown:
                self.on_wait("")

    def wait_until(self, ready: Callable[[float], bool], why: str) -> None:
        """Wait for something other than time.

        Args:
            ready: Waits at most the given seconds; returns True when it has come about.
            why: What is waited for.

        Raises:
            Stopped: ``stop`` was set.
        """
        waited, shown, home = 0.0, False, OriginProcess()
        try:
            while not ready(_LOOK):
                home.check()
                self.check()
                waited += _LOOK
                if not shown and waited > _WORTH_SHOWING:
                    self.on_wait(why)
                    shown = True
        finally:
            if shown:
                self.on_wait("")

    def pause(self, seconds: float, why: str) -> None:
        """Wait some seconds, as ``wait`` does."""
        end = time.monotonic() + seconds
        self.wait(lambda: end - time.monotonic(), why)
