"""What any input may come to: a result, or an error of the package; and soon."""

from __future__ import annotations

import contextlib
import signal
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from IPython.core.error import UsageError

from alchemer_nb.errors import AlchemerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 2.0  # of CPU, which others on the machine do not change
ANY = settings(suppress_health_check=list(HealthCheck))
# Of what takes a tenth of a second each: a few in `make check`, as many as any elsewhere.
COSTLY = settings(ANY, max_examples=2 if ANY.max_examples <= 25 else ANY.max_examples)
_Value = TypeVar("_Value")


class Hang(BaseException):
    """Something takes longer than it may; no ``except Exception`` hides it."""


@contextlib.contextmanager
def soon() -> Iterator[None]:
    """Raise ``Hang`` in the block after so many seconds of CPU."""

    def ring(*_: object) -> None:
        raise Hang(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def outcome(work: Callable[..., _Value], *given: Any, **named: Any) -> _Value | None:
    """Return the result of a call, None for an error of the package; any other error is raised."""
    error: BaseException | None = None
    with soon(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return work(*given, **named)
        except (AlchemerError, UsageError) as refused:
            error = refused
    text = str(error)
    assert text.strip(), f"{type(error).__name__} says nothing"
    assert len(text) < 3000, f"{type(error).__name__} says {len(text):,} characters"
    text.encode("utf-8")  # half a surrogate pair cannot be printed
    if isinstance(error, UsageError):
        assert type(error) is UsageError  # a subclass is shown with its whole traceback
    return None
