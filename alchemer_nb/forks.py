"""What an object does when its process is forked.

A fork copies everything but the threads: two processes read from one socket, what a thread was
about to bring never comes, and a lock that it held stays locked for ever. So whatever owns such
things makes new ones in the child, before anything else runs there. multiprocessing and joblib
fork on Linux, and macOS can; Windows cannot, and there nothing is ever called.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from alchemer_nb.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable


def renew_after_fork(work: Callable[[], None]) -> None:
    """Register a method to be called in every forked process, as long as its object lives.

    Args:
        work: A bound method. No other thread is there yet when it is called.
    """
    _CHILDREN.add(work)


class OriginProcess:
    """The process in which something began, and which alone may go on with it."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_current(self) -> bool:
        """True in that process; False in one that was forked from it since."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise in a forked process, where the threads that are waited for are missing.

        Raises:
            TransportError: This is another process.
        """
        if not self.is_current:
            raise TransportError("this process was forked from the one that began it")


class _Children:
    """The methods to call in each forked process."""

    def __init__(self) -> None:
        self._works: set[weakref.WeakMethod[Callable[[], None]]] = set()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def add(self, work: Callable[[], None]) -> None:
        self._works.add(weakref.WeakMethod(work, self._works.discard))

    def _begin(self) -> None:
        for reference in list(self._works):
            work = reference()
            if work is not None:
                work()


_CHILDREN = _Children()  # one, as Python cannot unregister what it calls at a fork
