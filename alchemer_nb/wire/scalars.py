"""Single values as the API writes them: flags and ids, as numbers or as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def truth(value: Any) -> bool:
    """Reads the API's many ways to say yes: true, 1, ``"1"``, ``"true"``, ``"True"``."""
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes")
    return bool(value)


def truths(values: Sequence[Any]) -> list[bool]:
    """The same of many values, most of them the same few texts."""
    if set(map(type, values)) <= {str}:
        return list(map({text: truth(text) for text in set(values)}.__getitem__, values))
    return [truth(value) for value in values]


def id_text(value: Any) -> str:
    """An id as text; one that came as 10001.0 is the same as 10001."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
