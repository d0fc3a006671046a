"""What is an id, told in one place before a path, a folder or a call is made of one.

An id is a whole number, written in the digits 0 to 9. Other letters count as digits in Python
(``"²".isdigit()`` is true), and a server can send anything, so nothing else is to be asked.
"""

from __future__ import annotations

import operator
from typing import Any

from alchemer_nb.errors import InvalidArgument, TransportError

LARGEST = 2**63 - 1  # what Arrow and numpy hold
_FIRST_OPTION = 10001  # question ids are small numbers, option ids (SKUs) start here
_LONGEST = len(str(LARGEST))
_EXACT = 2**53  # from here on a float is not one number alone
_SHOWN = 40


def has_digits_alone(text: str) -> bool:
    """Whether a text is made of nothing but the digits 0 to 9."""
    return text.isascii() and text.isdigit()


def id_number(value: Any) -> int | None:
    """The number that an id stands for, whether it came as one or as text; None for no id.

    Example:
        >>> [id_number(each) for each in (12, "12", 12.0, "²", "../12", -12, True)]
        [12, 12, 12, None, None, None, None]
    """
    found: int | None = None
    if isinstance(value, str):
        found = int(value) if len(value) <= _LONGEST and has_digits_alone(value) else None
    elif isinstance(value, float):
        found = int(value) if value.is_integer() and abs(value) < _EXACT else None
    elif not isinstance(value, bool):
        found = _index(value)
    return found if found is not None and 0 <= found <= LARGEST else None


def _index(value: Any) -> int | None:
    if getattr(getattr(value, "dtype", None), "kind", "") == "b":
        return None  # numpy's booleans were numbers until 2.3
    try:
        return operator.index(value)
    except TypeError:
        return None


def id_text(value: Any) -> str:
    """Return an id as text; 10001.0 is the same as 10001."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def given_id(value: Any, of: str) -> str:
    """Checks an id that a user gave; one survey has one spelling: ``"007"`` is ``"7"``.

    Args:
        value: The id.
        of: Of what, with its article: ``"a survey"``.

    Raises:
        InvalidArgument: It is no id.
    """
    found = id_number(value)
    if found is None:
        raise InvalidArgument(
            f"{_shown(value)} is not the id of {of}: an id is a whole number in the digits 0 to 9, "
            f"such as 9000001, and at most {LARGEST}"
        )
    return str(found)


def sent_id(value: Any, of: str) -> str:
    """Checks an id that a server sent.

    Args:
        value: The id.
        of: Of what, with its article: ``"a survey"``.

    Raises:
        TransportError: It is no id.
    """
    found = id_number(value)
    if found is None:
        raise TransportError(
            f"the server sent {_shown(value)} as the id of {of}, which is no id; nothing was made "
            "of it. Check the region, and any proxy between here and Alchemer"
        )
    return str(found)


def is_option_id(own: str) -> bool:
    """Whether an id is that of an option, or of a column of a table, and not of a question."""
    found = id_number(own)
    return found is None or found >= _FIRST_OPTION


def _shown(value: Any) -> str:
    """Anything in a message: what cannot be seen is escaped, and it is not too long."""
    if isinstance(value, str):
        return repr(value[:_SHOWN]) + "…" * (len(value) > _SHOWN)
    if isinstance(value, int) and abs(value) > 10**_SHOWN:
        return f"a number of {value.bit_length()} bits"
    return repr(value) if value is None or isinstance(value, (int, float)) else _kind(value)


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__}"
