"""An attribute that is computed when it is first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


class lazy_attribute(Generic[_Value]):  # noqa: N801 - used as ``property`` is
    """A property that is computed once for each object.

    Before Python 3.12 ``functools.cached_property`` computes under a lock, one for all objects of
    the class. A process that is forked just then would wait for it for ever.
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
        """Compute the value and store it; from then on the stored one is found first."""
        if instance is None:
            return self
        value: _Value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value
