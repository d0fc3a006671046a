"""Checks ids, before a path, a folder or a call is made of one.

An id is a whole number, written in the digits 0 to 9. Use these functions only: Python counts other
characters as digits, too (``"²".isdigit()`` is true), and a server can send anything.
"""

from __future__ import annotations

import operator
from typing import Any

from alchemer_nb.errors import InvalidArgument, TransportError

LARGEST = 2**63 - 1  # what Arrow and numpy hold
_FIRST_OPTION = 10001  # question ids are small numbers, option ids (SKUs) start here
_MOST_DIGITS = len(str(LARGEST))
_EXACT_FLOATS = 2**53  # from here on, a float cannot hold every whole number
_LONGEST_SHOWN = 40


def has_digits_alone(text: str) -> bool:
    """Check whether a text consists of the digits 0 to 9 only."""
    return text.isascii() and text.isdigit()


def id_number(value: Any) -> int | None:
    """Return the number of an id, which may be a number or text; None for anything else.

    Example:
        >>> [id_number(each) for each in (12, "12", 12.0, "²", "../12", -12, True)]
        [12, 12, 12, None, None, None, None]
    """
    found: int | None = None
    if isinstance(value, str):
        found = int(value) if len(value) <= _MOST_DIGITS and has_digits_alone(value) else None
    elif isinstance(value, float):
        found = int(value) if value.is_integer() and abs(value) < _EXACT_FLOATS else None
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


def check_given_id(value: Any, of: str) -> str:
    """Check an id that a user gave and return its one spelling: ``"007"`` is ``"7"``.

    Args:
        value: The id.
        of: What it identifies, with an article: ``"a survey"``.

    Raises:
        InvalidArgument: It is not an id.
    """
    found = id_number(value)
    if found is None:
        raise InvalidArgument(
            f"{_for_message(value)} is not the id of {of}: an id is a whole number in the digits "
            f"0 to 9, such as 9000001, and at most {LARGEST}"
        )
    return str(found)


def check_received_id(value: Any, of: str) -> str:
    """Check an id that a server sent and return its one spelling.

    Args:
        value: The id.
        of: What it identifies, with an article: ``"a survey"``.

    Raises:
        TransportError: It is not an id.
    """
    found = id_number(value)
    if found is None:
        raise TransportError(
            f"the server sent {_for_message(value)} as the id of {of}, which is no id; nothing was "
            "made of it. Check the region, and any proxy between here and Alchemer"
        )
    return str(found)


def is_option_id(text: str) -> bool:
    """Check whether an id is that of an option or a table column, and not of a question."""
    number = id_number(text)
    return number is None or number >= _FIRST_OPTION


def _for_message(value: Any) -> str:
    """Return a value for a message: escaped, and not too long."""
    if isinstance(value, str):
        return repr(value[:_LONGEST_SHOWN]) + "…" * (len(value) > _LONGEST_SHOWN)
    if isinstance(value, int) and abs(value) > 10**_LONGEST_SHOWN:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, (int, float)):
        return repr(value)
    return f"an object of type {type(value).__name__}"
