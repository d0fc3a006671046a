"""Objects in forked processes: replace their locks, threads and connections.

A fork copies everything except threads. In the child a socket is shared with the parent, the
result of a thread never comes, and a lock that a thread held stays locked for ever. So an object
that owns one of these makes a new one in the child, before anything else runs there.
multiprocessing and joblib fork on Linux, and can on macOS; Windows has no fork.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from alchemer_nb.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable


def renew_after_fork(method: Callable[[], None]) -> None:
    """Register a method to be called in every forked process, while its object exists.

    Args:
        method: A bound method; the child has no other thread yet when it is called.
    """
    _FORK_HANDLERS.add(method)


class OriginProcess:
    """The process that started a piece of work; a forked child must not continue it."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_current(self) -> bool:
        """True in that process; False in a child that was forked later."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise an error in a forked child, where waiting for the threads would never end.

        Raises:
            TransportError: This is a forked child.
        """
        if not self.is_current:
            raise TransportError("this process was forked from the one that began it")


class _ForkHandlers:
    """The methods to call in each forked process."""

    def __init__(self) -> None:
        self._methods: set[weakref.WeakMethod[Callable[[], None]]] = set()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._call_all)

    def add(self, method: Callable[[], None]) -> None:
        self._methods.add(weakref.WeakMethod(method, self._methods.discard))

    def _call_all(self) -> None:
        for reference in list(self._methods):
            method = reference()
            if method is not None:
                method()


_FORK_HANDLERS = _ForkHandlers()  # one: Python cannot unregister its hooks
