"""Variable names and labels that SPSS and Stata allow.

Rules: SPSS names have up to 64 bytes of UTF-8, begin with a letter and ignore
case; its variable labels have up to 256 bytes, its value labels 120
(https://www.ibm.com/docs/en/spss-statistics, "Variable names", "Variable labels"). Stata names have
up to 32 letters, digits and underscores, its variable labels 80 characters and its value labels
32,000 (https://www.stata.com/manuals/u11.pdf, section 11.3; https://www.stata.com/manuals/r.pdf,
"limits").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from alchemer_nb.visible import replace_lone_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPSS_WORDS = frozenset(  # keywords of its syntax
    ("all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with")
)
_STATA_WORDS = frozenset(
    ("_all", "_b", "byte", "_coef", "_cons", "double", "float", "if", "in", "int", "long", "_n",
     "_pi", "_pred", "_rc", "_skip", "strl", "using", "with")
)  # fmt: skip
_STATA_TYPES = re.compile(r"str\d+")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The limits of a program.

    Attributes:
        program: Name of the program.
        longest_name: Length of a variable's name, in bytes or characters (``in_bytes``).
        longest_labelled: The same, for a variable with value labels.
        longest_label: Length of a variable's label.
        longest_value_label: Length of a value's label.
        longest_text: Length of a text answer in bytes, None for no limit.
        in_bytes: Whether lengths are bytes of UTF-8; else characters.
        keeps_blanks: Whether blanks at the end of a text are kept.
        only_ascii: Whether names have ASCII characters alone.
        whole_codes: Whether only whole numbers can have labels.
        largest: The largest number.
    """

    program: str
    longest_name: int
    longest_labelled: int
    longest_label: int
    longest_value_label: int
    longest_text: int | None
    in_bytes: bool
    keeps_blanks: bool
    only_ascii: bool
    whole_codes: bool
    largest: float

    def size(self, text: str) -> int:
        """Return the length of a text, as the program counts it."""
        return len(text.encode("utf-8", "replace")) if self.in_bytes else len(text)

    def cut(self, text: str, longest: int) -> str:
        """Return a text of at most this length; a cut one ends in an ellipsis."""
        if self.size(text) <= longest:
            return text
        return self.truncate(text, longest - self.size("…")).rstrip() + "…"

    def truncate(self, text: str, longest: int) -> str:
        """Return the beginning of a text, without half a character at its end."""
        if not self.in_bytes:
            return text[:longest]
        return text.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")

    def is_reserved(self, name: str) -> bool:
        """Check whether a word is a keyword of the program."""
        word = name.casefold()
        if self.program == "SPSS":
            return word in _SPSS_WORDS
        return word in _STATA_WORDS or _STATA_TYPES.fullmatch(word) is not None


SPSS = Dialect("SPSS", 64, 64, 256, 120, 32767, True, False, False, False, 1.7e308)
# pyreadstat names a set of value labels as its variable, followed by up to four digits.
STATA = Dialect("Stata", 32, 28, 80, 32000, None, False, True, True, True, 8.9e307)


def legal_names(
    wanted: Sequence[str],
    dialect: Dialect,
    fallbacks: Sequence[str] | None = None,
    labelled: Sequence[bool] | None = None,
) -> list[str]:
    """Return an allowed name for each of the wanted ones, all different.

    A wanted name that is allowed stays as it is.

    Args:
        wanted: Names of columns.
        dialect: The program.
        fallbacks: Names to use if no character of a wanted one is allowed, such as ``"q12"``.
        labelled: Whether each has value labels.
    """
    lengths = [
        dialect.longest_labelled if has_labels else dialect.longest_name
        for has_labels in labelled or [False] * len(wanted)
    ]
    allowed = [
        _nearest_allowed(name, dialect, longest) or _nearest_allowed(other, dialect, longest) or "v"
        for name, other, longest in zip(wanted, fallbacks or wanted, lengths, strict=True)
    ]
    unchanged: dict[str, int] = {}  # of names that differ in case alone the first
    for position, (name, nearest) in enumerate(zip(wanted, allowed, strict=True)):
        if name == nearest:
            unchanged.setdefault(name.casefold(), position)
    taken = set(unchanged)
    result = []
    for position, (name, longest) in enumerate(zip(allowed, lengths, strict=True)):
        if unchanged.get(name.casefold()) != position:
            tries = _with_numbers(name, dialect, longest)
            name = next(each for each in tries if each.casefold() not in taken)
            taken.add(name.casefold())
        result.append(name)
    return result


def build_label(pieces: Sequence[str], dialect: Dialect) -> tuple[str, bool]:
    """Return the label of a variable, and whether it was cut.

    The words of a long question are cut, not the row and option after them, which differ between
    the variables of one question.

    Args:
        pieces: The words of the question, then of row and option.
        dialect: The program.
    """
    head, *rest = [clean(piece)[0] for piece in pieces if piece] or [""]
    tail = "".join(f": {piece}" for piece in rest)
    whole = head + tail
    longest = dialect.longest_label
    if dialect.size(whole) <= longest:
        return whole, False
    room = longest - dialect.size(tail)
    if room >= longest // 4:
        return dialect.cut(head, room) + tail, True
    first = dialect.cut(head, longest // 4)
    return dialect.cut(first + tail, longest), True


def clean(text: str) -> tuple[str, bool]:
    """Return a text with U+FFFD for NUL and lone surrogates, and whether it had any."""
    if text.isascii() and "\0" not in text:
        return text, False
    whole = replace_lone_surrogates(text.replace("\0", "\ufffd"))
    return whole, whole != text


def _nearest_allowed(name: str, dialect: Dialect, longest: int) -> str:
    """Return the nearest allowed name; ``""`` if no letter or digit is left."""
    text = unicodedata.normalize("NFC", name)
    if dialect.only_ascii:
        text = unicodedata.normalize("NFKD", name)
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = "".join(c if _is_allowed(c, dialect) else "_" for c in text)
    if not any(c.isalpha() or c.isdigit() for c in text):
        return ""
    if text != name:
        text = re.sub("__+", "_", text).strip("_") or "v"
    if not text[0].isalpha() or dialect.is_reserved(text):
        text = f"v_{text.lstrip('_')}"
    return dialect.truncate(text, longest)


def _is_allowed(char: str, dialect: Dialect) -> bool:
    if char.isascii():
        return char.isalnum() or char == "_"
    return not dialect.only_ascii and char.isalpha()


def _with_numbers(name: str, dialect: Dialect, longest: int) -> Iterator[str]:
    yield name
    for number in count(2):
        mark = f"_{number}"
        yield dialect.truncate(name, longest - len(mark)) + mark
