"""The limits of an account: calls a minute, identical calls, and calls after a slow one.

Sources: the vendor's page on request limits, and payloads that clients of others saw. The window
slides; every call of the account counts, whichever key made it.

invented: answers out of the cache and calls with a fault count, too; calls that were
refused for the limit do not; and the words of an answer that took too long.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.settings import Settings

EXCEEDED = (
    "You have exceeded your requests per minute, see /help/api-request-limits for more details"
)
WARNING = (
    "You are reaching your API request rate limit and may be throttled or blocked if you continue"
    " to make excessive requests."
)
WAIT = "Please wait for other requests to complete"
TOO_SLOW = "Internal Server Error"
_LOW = 0.1  # of the allowance is left: the answer warns


class Limits:
    """A counter of the account's calls that refuses those above the limit.

    Args:
        settings: The sandbox's switches.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._recent: deque[float] = deque()
        self._blocked_until = 0.0
        self._recovering_until = 0.0

    def enter(self) -> str | None:
        """Count a call that just arrived, and return the warning for its reply.

        Raises:
            Refusal: The account is over its limit, or still pays for having been.
        """
        allowed, now = self._settings.calls_per_minute, time.monotonic()
        if allowed is None:
            return None
        while self._recent and now - self._recent[0] >= self._settings.minute:
            self._recent.popleft()
        if now < self._blocked_until:
            raise Refusal(429, EXCEEDED)
        if len(self._recent) >= allowed:
            self._blocked_until = now + self._settings.penalty
            raise Refusal(429, EXCEEDED)
        self._recent.append(now)
        return WARNING if allowed - len(self._recent) < allowed * _LOW else None

    def count(self) -> None:
        """Count a call whose reply is decided elsewhere."""
        with contextlib.suppress(Refusal):
            self.enter()

    def check_recovery(self) -> None:
        """Refuse calls while the throttle that a slow call started resets.

        Raises:
            Refusal: A call was too slow a short while ago.
        """
        if time.monotonic() < self._recovering_until:
            raise Refusal(400, WAIT)

    def too_slow(self) -> Refusal:
        """Build the refusal of a call that ran too long; the next calls are refused, too."""
        self._recovering_until = time.monotonic() + self._settings.recovery
        return Refusal(500, TOO_SLOW)
