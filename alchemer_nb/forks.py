"""Helpers for objects whose process may be forked: replace locks, threads and connections.

A fork copies everything except threads. In the child a socket is shared with the parent, the
result of a thread never comes, and a lock that a thread held stays locked for ever. So an object
that owns one of these makes a new one in the child, before anything else runs there.
multiprocessing and joblib fork on Linux, and can on macOS; Windows has no fork.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from alchemer_nb.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


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


class lazy_attribute(Generic[_Value]):  # noqa: N801 - used as ``property`` is
    """A property that is computed once for each object.

    Not ``functools.cached_property``: before Python 3.12 it holds one lock for all objects of the
    class while it computes, and a process forked at that moment would wait for the lock for ever.
    """

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...
    def __get__(self, instance: Any, owner: type) -> _Value | Self:
        """Compute the value and store it in the object, where Python finds it from then on."""
        if instance is None:
            return self
        value: _Value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value


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
