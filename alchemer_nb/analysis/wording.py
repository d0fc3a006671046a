"""The words of a chart: wrapped, and each of its own, as Vega draws equal ones in one place."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_LABEL_WIDTH = 28  # characters
_MOST_LINES = 6
_SHORT = 40  # characters
# Vega looks values up in an object of JavaScript, where these have a meaning of their own.
_OBJECT_NAMES = (
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
    "toString", "valueOf", "__defineGetter__", "__defineSetter__", "__lookupGetter__",
    "__lookupSetter__", "__proto__",
)  # fmt: skip


def width_of(text: str) -> int:
    """Return the width of a text in characters: a Chinese one or an emoji is as wide as two."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap_lines(text: str, width: int, most: int = _MOST_LINES) -> list[str]:
    """Return the lines of a text, none wider than a number of characters; too many are cut."""
    lines = [""]
    for word in text[: 2 * width * most].split():
        if lines[-1] and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for character in word:
            if width_of(lines[-1]) + _width(character) > width:
                lines.append("")
            lines[-1] += character
    lines = lines[1:] or [""]
    if len(lines) > most:
        lines[most - 1 :] = [f"{lines[most - 1][: width - 1]}…"]
    return lines


def wrap(label: str, width: int = _LABEL_WIDTH) -> str:
    """Return a label in lines that a chart has room for."""
    return "\n".join(wrap_lines(make_visible(label), width)) or " "


def widest(label: str) -> int:
    """Return the width of the widest line of a label, in characters."""
    return max(map(width_of, label.split("\n")))


def distinct(labels: Iterable[str]) -> list[str]:
    """Return labels that differ, by blanks at their ends, which nobody sees.

    Vega draws what has the same label in one place.
    """
    seen = {*_OBJECT_NAMES}
    found = []
    for label in labels:
        while label in seen:
            label += " "
        seen.add(label)
        found.append(label)
    return found


def shorten(text: str) -> str:
    """Return a text of at most 40 characters."""
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rstrip()}…"
