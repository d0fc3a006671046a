"""How a value stands in a line: bare, or between quotes.

A quote that begins a value, single or double, ends it: what stands between is taken as it is, with
commas, blanks, ``#`` and line breaks, and the quote itself is written twice in it
(``'Don''t know'``). A bare value reaches to the end of the line or to a comment, in a list to the
next comma; quotes within it are letters. A comment begins with ``#`` after white space.
"""

from __future__ import annotations

import re
from typing import NamedTuple

QUOTES = ("'", '"')
_PAIRS = {"(": ")", "[": "]"}
_PLAIN = re.compile(r"[\w.:/+@-]+(?: [\w.:/+@-]+)*")
_ODD = (
    "a quote that begins a value has to end it; write a quote in it twice, as in 'Don''t know', or "
    "put the value between quotes of the other kind"
)


class Scan(NamedTuple):
    """How far a value, or a list of values, reaches.

    Attributes:
        end: Where it ends: at a comment or with the text.
        open: The quote that is begun and not ended, or an empty text.
        odd: Whether something stands after the end of a quote.
    """

    end: int
    open: str
    odd: bool


def scan(text: str, *, several: bool) -> Scan:
    """Finds the end of a value, or of several with commas between them."""
    at, starts, opened, odd = 0, True, "", False
    while at < len(text):
        char = text[at]
        if starts and char in QUOTES:
            end = _closing(text, at)
            if end is not None and _is_end(text[end:], several):
                at, starts = end, False
                continue
            opened, odd = opened or ("" if end else char), odd or end is not None
        elif begins_comment(text, at):
            break
        starts = (starts and (char.isspace() or (several and char in _PAIRS))) or (
            several and char == ","
        )
        at += 1
    return Scan(at, opened, odd)


def begins_comment(text: str, at: int) -> bool:
    """Whether a comment would begin at a place that lies in no quotes."""
    return text[at] == "#" and (not at or text[at - 1].isspace())


def read_value(text: str) -> str:
    """Reads one value.

    Raises:
        ValueError: Its quotes do not fit.
    """
    bare = text[: scan(text, several=False).end].strip()
    if not bare.startswith(QUOTES):
        return bare
    if _closing(bare, 0) == len(bare):
        return _unquoted(bare)
    if len(bare) > 1 and bare[-1] == bare[0]:
        raise ValueError(_ODD)
    return bare


def read_values(text: str) -> tuple[str, ...]:
    """Reads values with commas between them; brackets around them all may be there.

    Raises:
        ValueError: The quotes of one of them do not fit.
    """
    text = _without_brackets(text[: scan(text, several=True).end].strip())
    values = []
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
            continue
        if text[at] in QUOTES:
            end = _closing(text, at) or at
            if end == at or text[end:].lstrip()[:1] not in ("", ","):
                raise ValueError(_ODD)
            values.append(_unquoted(text[at:end]))
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            values.append(text[at:end].strip())
        at = end
    return tuple(values)


def quote(text: str) -> str:
    """Puts a text between quotes, so that it is read as it is."""
    mark = "'" if '"' in text and "'" not in text else '"'
    return f"{mark}{double(text, mark)}{mark}"


def double(text: str, mark: str) -> str:
    """A text as it stands between quotes."""
    return text.replace(mark, mark * 2)


def written(text: str) -> str:
    """A text as a value: bare where that is read as it is in any place."""
    return text if _PLAIN.fullmatch(text) else quote(text)


def _closing(text: str, start: int) -> int | None:
    """What comes after the quote that begins at ``start``; None where it has no end."""
    mark = text[start]
    at = text.find(mark, start + 1)
    while at >= 0 and text.startswith(mark, at + 1):
        at = text.find(mark, at + 2)
    return None if at < 0 else at + 1


def _is_end(rest: str, several: bool) -> bool:
    """Whether a value may end before this."""
    left = rest.lstrip()
    if not left or (left[0] == "#" and left != rest):
        return True
    return several and left[0] in ",)]"


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _without_brackets(text: str) -> str:
    """Takes brackets off that stand around all of a list, and not around its first value."""
    closer = _PAIRS.get(text[:1])
    if closer is None or not text.endswith(closer):
        return text
    at, depth, starts = 0, 0, False
    while at < len(text):
        char = text[at]
        end = _closing(text, at) if starts and char in QUOTES else None
        if end is not None:
            at, starts = end, False
            continue
        depth += (char == text[0]) - (char == closer)
        if not depth:
            break
        starts = char == "," or at == 0 or (starts and char.isspace())
        at += 1
    return text[1:-1].strip() if at == len(text) - 1 else text
