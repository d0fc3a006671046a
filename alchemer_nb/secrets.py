"""Secrets that never show themselves.

``Secret`` is a wrapper and not a ``str`` subclass: a subclass leaks through ``json.dumps``,
``+``, ``strip`` and pickle.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "••••"
_SHORTEST_SHOWN = 12  # the last four characters of a short secret would be too much of it


class Secret:
    """A text that shows itself only to whoever calls ``reveal()``.

    Args:
        value: The text, or another ``Secret`` of which this becomes a copy.

    Example:
        >>> from alchemer_nb.secrets import Secret
        >>> Secret("0123456789abcdef")
        Secret(••••)
        >>> Secret("0123456789abcdef").tail
        '…cdef'
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | Secret) -> None:
        self.__value = value.reveal() if isinstance(value, Secret) else str(value)

    def reveal(self) -> str:
        """Gives the text itself; call it where it is sent, and nowhere else."""
        return self.__value

    @property
    def tail(self) -> str:
        """The last four characters, to tell one key from another; none of a short secret."""
        return f"…{self.__value[-4:]}" if len(self.__value) >= _SHORTEST_SHOWN else MASK

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied to disk")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__reduce__()

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Replaces every occurrence of the secrets in a text, plain or percent-encoded."""
    from urllib.parse import quote, quote_plus

    for secret in secrets:
        value = secret.reveal()
        for form in {value, quote(value, safe=""), quote_plus(value)}:
            if form:
                text = text.replace(form, MASK)
    return text
