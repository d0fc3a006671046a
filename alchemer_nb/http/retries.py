"""Retry policy for transient failures.

Facts: 429 can last up to a minute. ``Please wait for other requests`` is the reply to a GET while
the same GET of another process is running, at most 30 seconds: all attempts together take longer.
After a 500, calls may get 400 for about a minute while the throttle resets
(https://apihelp.alchemer.com/help/api-request-limits). Other clients have seen ``Please wait`` as
429 and as 400, and 52x from the network in front of the API.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from alchemer_nb import errors
from alchemer_nb.wire.text import counted

_SPREAD = 0.2  # random share of a wait, so that clients that failed together do not retry together
# Seconds of the first, second, … wait, in units of ``base``. After a 429 of the account:
_RATE_STEPS = (15.0, 30.0, 60.0)
# After a 400 while the throttle resets:
_RESET_STEPS = (5.0, 10.0, 20.0, 30.0)
# While the same call is running: the default 7 waits take more than 30 seconds, even if the random
# share makes all of them shorter.
_SAME_CALL_STEPS = (1.0, 1.5, 2.0, 3.0, 6.0, 10.0, 15.0, 20.0)
_TRANSIENT = {"cut", "silent"}
# Not retried if Alchemer has never answered: the address is probably wrong, or there is no network.
_TRANSIENT_IF_REACHED = {"unreachable", "page"}


@dataclass(frozen=True, slots=True)
class Retries:
    """Retry policy for transient failures.

    Refused credentials, missing rights, unknown objects and wrong arguments are never retried.
    PUT, POST and DELETE are retried only if the rate limit refused them, so nothing was changed.

    Args:
        attempts: How often a call is made at most; 1 tries nothing again.
        base: Seconds of the first wait after a server error, and the scale of all waits except
            those that the server names.
        longest: Seconds of the longest wait. Alchemer's penalty lasts up to a minute.
        too_slow: Seconds after which a server error means that the call asked for too much.

    Raises:
        ConfigurationError: A value does not fit.

    Example:
        >>> from alchemer_nb.http.retries import Retries
        >>> Retries(attempts=1)
        Retries(attempts=1, base=1.0, longest=60.0, too_slow=25.0)
    """

    attempts: int = 8
    base: float = 1.0
    longest: float = 60.0
    too_slow: float = 25.0

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int):
            raise errors.ConfigurationError(
                "retries: attempts is a whole number, 1 for no second try"
            )
        if self.attempts < 1:
            raise errors.ConfigurationError(
                "retries: attempts is at least 1, which tries nothing again"
            )
        if not (self.base >= 0 and self.longest >= 0 and self.too_slow > 0):
            raise errors.ConfigurationError("retries: times are not below 0")

    @classmethod
    def of(cls, value: Any) -> Retries:
        """Build a policy from ``Client(retries=…)``: None, a number of attempts, or a policy.

        Raises:
            ConfigurationError: It is something else.
        """
        if value is None:
            return cls()
        if isinstance(value, cls):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(attempts=value)
        raise errors.ConfigurationError(
            "retries is None, a number of attempts, or a Retries object"
        )

    def wait(
        self,
        error: errors.AlchemerError,
        attempt: int,
        *,
        method: str = "GET",
        reached: bool = True,
        after_500: bool = False,
    ) -> float | None:
        """Return the seconds until the next attempt, or None if there is none.

        Args:
            error: Of the last attempt.
            attempt: Its number, counted from 1.
            method: Of the call.
            reached: True if Alchemer has answered this client before.
            after_500: True if a call of this client ended in a 500 within the last minute.
        """
        if attempt >= self.attempts:
            return None
        if isinstance(error, errors.RateLimited):
            return self._slow_down(error, attempt, after_500)
        if method != "GET":
            return None
        if isinstance(error, errors.TransportError):
            again = _TRANSIENT | _TRANSIENT_IF_REACHED if reached else _TRANSIENT
            return self._doubling(attempt) if error.reason in again else None
        if isinstance(error, errors.ServerError):
            return self._doubling(attempt)
        if after_500 and is_transient_400(error):
            return self._step(_RESET_STEPS, attempt)
        return None

    def named(
        self, error: errors.ApiError | errors.TransportError, took: float, method: str, path: str
    ) -> errors.ApiError | errors.TransportError:
        """Return the error, or ``TooSlow`` in its place if the call took ``too_slow`` seconds."""
        silent = isinstance(error, errors.TransportError) and error.reason == "silent"
        if took < self.too_slow or not (silent or isinstance(error, errors.ServerError)):
            return error
        problem = f"Alchemer gave up after {counted(round(took), 'second')}"
        code = getattr(error, "code", None)
        return too_slow(problem, method, path, getattr(error, "status", None), code)

    def _slow_down(self, error: errors.RateLimited, attempt: int, after_500: bool) -> float:
        if error.retry_after is not None:
            # Not sooner than the server asks, up to ``longest``. Each wait is longer than the last:
            # with "Retry-After: 0" all attempts would be used up at once.
            more = self.base * random.random() * _SPREAD  # noqa: S311 - no secret
            if attempt > 1:
                more = max(more, self._step(_SAME_CALL_STEPS, attempt - 1) - error.retry_after)
            return min(error.retry_after, self.longest) + more
        if error.same_call:
            # A throttle that resets sends the same reply, for about a minute.
            return self._step(_RESET_STEPS if after_500 else _SAME_CALL_STEPS, attempt)
        return self._step(_RATE_STEPS, attempt)

    def _doubling(self, attempt: int) -> float:
        return self._step((2.0 ** (attempt - 1),), 1)

    def _step(self, steps: tuple[float, ...], attempt: int) -> float:
        seconds = self.base * steps[min(attempt, len(steps)) - 1]
        spread = 1 + _SPREAD * (2 * random.random() - 1)  # noqa: S311 - no secret
        return min(seconds * spread, self.longest)


def too_slow(
    problem: str, method: str, path: str, status: int | None, code: int | None = None
) -> errors.TooSlow:
    """Return the error of a call that asked for too much."""
    return errors.TooSlow(
        f"{problem} ({method} {path}); ask for less at once, as with a smaller resultsperpage",
        status=status,
        code=code,
        method=method,
        path=path,
    )


def is_penalty(error: errors.AlchemerError) -> bool:
    """Return True if the account made too many calls, rather than the same one twice at once."""
    return isinstance(error, errors.RateLimited) and not error.same_call


def is_transient_400(error: errors.AlchemerError) -> bool:
    """Return True for the plain 400 that Alchemer answers while its throttle resets."""
    known = (
        errors.AuthenticationError,
        errors.PermissionDenied,
        errors.NotFound,
        errors.RateLimited,
        errors.ServerError,
    )
    return (
        isinstance(error, errors.ApiError) and not isinstance(error, known) and error.status == 400
    )


def reason_in_words(error: errors.AlchemerError) -> str:
    """Describe a failure in a few words, without the server's message, for ``on_wait``."""
    if isinstance(error, errors.RateLimited):
        return "Alchemer asks to slow down"
    if isinstance(error, errors.TransportError):
        return _REASONS.get(error.reason, "no answer")
    status = getattr(error, "status", None)
    return f"Alchemer answered {status}" if status else "no answer"


_REASONS = {
    "unreachable": "Alchemer cannot be reached",
    "silent": "no answer in time",
    "cut": "an answer was cut off",
    "page": "a web page came instead of data",
}
