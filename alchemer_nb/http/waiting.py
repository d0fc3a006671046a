"""The options that a caller passes down with its calls: how to stop them, and how to wait."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alchemer_nb.errors import Stopped
from alchemer_nb.forks import OriginProcess

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 1.0  # seconds between two calls of ``on_wait``
_POLL = 0.1  # seconds between two checks of ``stop`` while waiting for something else
_WORTH_SHOWING = 0.3  # seconds of the shortest wait that is reported; others would only flicker


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Options of calls, passed down to every function that waits.

    Attributes:
        stop: Set it to end every wait at once, and a call that is on its way.
        on_wait: Called about once a second with the reason and the length of a wait, and with
            ``""`` afterwards.
        fresh: Use no cached reply; wait until Alchemer's cache has dropped the call.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    on_wait: Callable[[str], None] = lambda _: None
    fresh: bool = False

    def check(self) -> None:
        """Raise ``Stopped`` if ``stop`` is set."""
        if self.stop.is_set():
            raise Stopped("the call was called off")

    def wait(self, left: Callable[[], float], why: str) -> None:
        """Wait until no time is left.

        Args:
            left: Returns the seconds that are left; called once a second, as they may change.
            why: Reason, for ``on_wait``: ``"waiting for the rate limit"``.

        Raises:
            Stopped: ``stop`` was set.
        """
        is_reported, origin = False, OriginProcess()
        try:
            while True:
                origin.check()
                self.check()
                seconds = left()
                if seconds <= 0:
                    return
                if is_reported or seconds > _WORTH_SHOWING:
                    self.on_wait(f"{why}, {math.ceil(seconds)} s")
                    is_reported = True
                self.stop.wait(min(seconds, _TICK))
        finally:
            if is_reported:
                self.on_wait("")

    def wait_until(self, ready: Callable[[float], bool], why: str) -> None:
        """Wait for something other than time.

        Args:
            ready: Waits at most the given seconds; returns True when the wait is over.
            why: Reason, for ``on_wait``.

        Raises:
            Stopped: ``stop`` was set.
        """
        waited, is_reported, origin = 0.0, False, OriginProcess()
        try:
            while not ready(_POLL):
                origin.check()
                self.check()
                waited += _POLL
                if not is_reported and waited > _WORTH_SHOWING:
                    self.on_wait(why)
                    is_reported = True
        finally:
            if is_reported:
                self.on_wait("")

    def pause(self, seconds: float, why: str) -> None:
        """Wait some seconds, as ``wait`` does."""
        end = time.monotonic() + seconds
        self.wait(lambda: end - time.monotonic(), why)
