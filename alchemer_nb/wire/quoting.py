"""Reads and writes values of condition lines and options, bare or in quotes.

A quote at the beginning of a value, single or double, ends it: everything between is part of the
value, also commas, blanks, ``#`` and line breaks, and the quote itself is written twice in it
(``'Don''t know'``). A bare value ends with the line or before a comment, in a list before the
next comma; quotes inside it are ordinary characters. A comment begins with ``#`` after white
space.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NamedTuple

QUOTES = ("'", '"')
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_QUOTED = r"""'(?:[^']|'')*+'|"(?:[^"]|"")*+\""""
_QUOTED_VALUE = re.compile(rf"((?:^.|,)\s*)({_QUOTED})", re.S)  # in a list between brackets
# A bare None may be Python's own word for a missing value, and a bare "or" begin a condition.
_SAFE = re.compile(r"(?!(?:None|nan|NaN|NaT)$)[\w.:/+@-]+(?: (?!(?:or|and) )[\w.:/+@-]+)*", re.I)
_BAD_QUOTES = (
    "a quote that begins a value has to end it; write a quote in it twice, as in 'Don''t know', or "
    "put the value between quotes of the other kind"
)


class ValueEnd(NamedTuple):
    """The extent of a value, or of a list of values.

    Attributes:
        end: Position of its end: a comment, or the end of the text.
        unclosed: The quote that has no end, or an empty text.
        has_trailing_text: True if something follows the end of a quote.
    """

    end: int
    unclosed: str
    has_trailing_text: bool


def find_value_end(text: str, *, several: bool) -> ValueEnd:
    """Find the end of a value, or of several separated by commas."""
    at, may_begin, unclosed, trailing = 0, True, "", False
    while at < len(text):
        char = text[at]
        if may_begin and char in QUOTES:
            end = _quote_end(text, at)
            if end is not None and _may_end_before(text[end:], several):
                at, may_begin = end, False
                continue
            unclosed = unclosed or ("" if end else char)
            trailing = trailing or end is not None
        elif begins_comment(text, at):
            break
        may_begin = (may_begin and (char.isspace() or (several and char in _PAIRS))) or (
            several and char == ","
        )
        at += 1
    return ValueEnd(at, unclosed, trailing)


def begins_comment(text: str, at: int) -> bool:
    """Check whether a comment begins at a position outside of quotes."""
    return text[at] == "#" and (not at or text[at - 1].isspace())


def parse_value(text: str) -> str:
    """Parse one value.

    Raises:
        ValueError: Its quotes do not match.
    """
    bare = text[: find_value_end(text, several=False).end].strip()
    if not bare.startswith(QUOTES):
        return bare
    if _quote_end(bare, 0) == len(bare):
        return _unquoted(bare)
    if len(bare) > 1 and bare[-1] == bare[0]:
        raise ValueError(_BAD_QUOTES)
    return bare


def parse_values(text: str) -> tuple[str, ...]:
    """Parse values separated by commas, with or without brackets around all of them.

    Raises:
        ValueError: The quotes of one of them do not match.
    """
    text = _without_brackets(text[: find_value_end(text, several=True).end].strip())
    values = []
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
            continue
        if text[at] in QUOTES:
            end = _quote_end(text, at) or at
            if end == at or text[end:].lstrip()[:1] not in ("", ","):
                raise ValueError(_BAD_QUOTES)
            values.append(_unquoted(text[at:end]))
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            values.append(text[at:end].strip())
        at = end
    return tuple(values)


def quote(text: str) -> str:
    """Return a text in quotes."""
    quote_char = "'" if '"' in text and "'" not in text else '"'
    return f"{quote_char}{double_quotes(text, quote_char)}{quote_char}"


def double_quotes(text: str, quote_char: str) -> str:
    """Return a text with the quote doubled, to be put between such quotes."""
    return text.replace(quote_char, quote_char * 2)


def quote_if_needed(text: str) -> str:
    """Return a text as a value, in quotes unless it needs none in any place."""
    return text if _SAFE.fullmatch(text) else quote(text)


def _quote_end(text: str, start: int) -> int | None:
    """Return the position after the quoted text at ``start``; None where it has no end."""
    found = re.compile(_QUOTED).match(text, start)
    return found.end() if found else None


def _may_end_before(rest: str, several: bool) -> bool:
    """Check whether a value may end before this text."""
    left = rest.lstrip()
    if not left or (left[0] == "#" and left != rest):
        return True
    return several and left[0] in ",)]}"


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _without_brackets(text: str) -> str:
    """Remove brackets around a whole list, but not those around its first value only."""
    closer = _PAIRS.get(text[:1])
    if closer is None or not text.endswith(closer):
        return text
    masked = _QUOTED_VALUE.sub(lambda found: found[1] + "_" * len(found[2]), text)
    depths = [*accumulate((char == text[0]) - (char == closer) for char in masked)]
    return text[1:-1].strip() if not depths[-1] and 0 not in depths[:-1] else text
