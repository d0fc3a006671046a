"""Waits that say how long they last and end at once when they are called off."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import Stopped
from alchemer_nb.forks import Home, in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[str], None]

_TICK = 1.0  # seconds between two announcements
_LOOK = 0.1  # seconds between two looks at whether to stop, where there is no event to wait for
_WORTH_TELLING = 0.3  # seconds below which a wait would only flicker


class _Held:
    """Takes interrupts; in a process that another thread forks meanwhile, no more."""

    def __init__(self, before: Callable[..., Any]) -> None:
        self._before = before
        self.came: list[tuple[Any, ...]] = []
        signal.signal(signal.SIGINT, self)
        in_child(self.end)

    def __call__(self, *what: Any) -> None:
        self.came.append(what)

    def end(self) -> None:
        now: object = signal.getsignal(signal.SIGINT)
        if now is self:
            signal.signal(signal.SIGINT, self._before)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Has an interrupt come at the end instead of within: half of what is done is of no use."""
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(before):  # it would not come here, or not as an exception
        yield
        return
    held = _Held(before)
    try:
        yield
    finally:
        held.end()
        if held.came:
            before(*held.came[0])


def check(stop: threading.Event | None) -> None:
    """Ends the call if it was called off.

    Raises:
        Stopped: It was.
    """
    if stop is not None and stop.is_set():
        raise Stopped("the call was called off")


def wait(
    left: Callable[[], float],
    why: str,
    stop: threading.Event | None = None,
    tell: Tell | None = None,
) -> None:
    """Waits until nothing is left to wait for.

    Args:
        left: Gives the seconds that are left; asked about once a second, as they may change.
        why: What ``tell`` is told, followed by the seconds: ``"waiting for the rate limit"``.
        stop: Ends the wait at once when it is set.
        tell: Told about once a second, and ``""`` at the end.

    Raises:
        Stopped: ``stop`` was set.
    """
    event = stop if stop is not None else threading.Event()
    told, home = False, Home()
    try:
        while True:
            home.check()
            check(stop)
            seconds = left()
            if seconds <= 0:
                return
            if tell is not None and (told or seconds > _WORTH_TELLING):
                tell(f"{why}, {math.ceil(seconds)} s")
                told = True
            event.wait(min(seconds, _TICK))
    finally:
        if told and tell is not None:
            tell("")


def wait_until(
    ready: Callable[[float], bool],
    why: str,
    stop: threading.Event | None = None,
    tell: Tell | None = None,
) -> None:
    """Waits for something else than time.

    Args:
        ready: Waits for at most the given seconds; True when it has come about.
        why: What ``tell`` is told once.
        stop: Ends the wait within a tenth of a second when it is set.
        tell: Told when the wait turns out to be one, and ``""`` at the end.

    Raises:
        Stopped: ``stop`` was set.
    """
    waited, told, home = 0.0, False, Home()
    try:
        while not ready(_LOOK):
            home.check()
            check(stop)
            waited += _LOOK
            if tell is not None and not told and waited > _WORTH_TELLING:
                tell(why)
                told = True
    finally:
        if told and tell is not None:
            tell("")


def pause(
    seconds: float, why: str, stop: threading.Event | None = None, tell: Tell | None = None
) -> None:
    """Waits for a time; as ``wait``.

    Raises:
        Stopped: ``stop`` was set.
    """
    end = time.monotonic() + seconds
    wait(lambda: end - time.monotonic(), why, stop, tell)
