"""An attribute that is computed when it is first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


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
