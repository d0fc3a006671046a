"""Names and labels that SPSS and Stata allow.

Rules: SPSS names have up to 64 bytes of UTF-8, begin with a letter and are told apart without
regard to case; its variable labels have up to 256 bytes, its value labels 120
(https://www.ibm.com/docs/en/spss-statistics, "Variable names", "Variable labels"). Stata names have
up to 32 letters, digits and underscores, its variable labels 80 characters and its value labels
32,000 (https://www.stata.com/manuals/u11.pdf, section 11.3; https://www.stata.com/manuals/r.pdf,
"limits").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """What a program allows.

    Attributes:
        program: Its name.
        longest_name: Of a variable, in bytes or characters (``in_bytes``).
        longest_labelled: The same, of a variable with value labels.
        longest_label: Of a variable's label, likewise.
        longest_value_label: Of a value's label, likewise.
        longest_text: Of a text answer in bytes, None for no limit.
        in_bytes: Whether lengths count bytes of UTF-8; else characters.
        keeps_blanks: Whether blanks at the end of a text are kept.
        only_ascii: Whether names are kept to A-Z.
        whole_codes: Whether only whole numbers can have labels.
        largest: The largest number it can hold.
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
        """How long a text is, as the program counts."""
        return len(text.encode("utf-8", "replace")) if self.in_bytes else len(text)

    def cut(self, text: str, longest: int) -> str:
        """A text that fits; what is cut ends in an ellipsis."""
        if self.size(text) <= longest:
            return text
        room = longest - self.size("…")
        if not self.in_bytes:
            return text[:room].rstrip() + "…"
        return text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").rstrip() + "…"

    def is_reserved(self, name: str) -> bool:
        """Whether the program keeps a word for itself."""
        word = name.casefold()
        if self.program == "SPSS":
            return word in _SPSS_WORDS
        return word in _STATA_WORDS or _STATA_TYPES.fullmatch(word) is not None


SPSS = Dialect("SPSS", 64, 64, 256, 120, 32767, True, False, False, False, 1.7e308)
# pyreadstat calls a set of value labels as its variable, with a number of up to four digits behind.
STATA = Dialect("Stata", 32, 28, 80, 32000, None, False, True, True, True, 8.9e307)


def legal_names(
    wanted: Sequence[str],
    dialect: Dialect,
    instead: Sequence[str] | None = None,
    labelled: Sequence[bool] | None = None,
) -> list[str]:
    """A legal name for each of the wanted ones, no two alike.

    A name that is legal keeps as it is, whatever others turn into.

    Args:
        wanted: Names as they are.
        dialect: Whose rules.
        instead: What to take where nothing of a name can be kept, such as ``"q12"``.
        labelled: Which of them have value labels.
    """
    lengths = [
        dialect.longest_labelled if has_labels else dialect.longest_name
        for has_labels in labelled or [False] * len(wanted)
    ]
    near = [
        _near(name, dialect, longest) or _near(other, dialect, longest) or "v"
        for name, other, longest in zip(wanted, instead or wanted, lengths, strict=True)
    ]
    taken: set[str] = set()
    final: list[str | None] = []
    for name, cleaned in zip(wanted, near, strict=True):
        keeps = name == cleaned and name.casefold() not in taken
        final.append(name if keeps else None)
        if keeps:
            taken.add(name.casefold())
    result = []
    for kept, cleaned, longest in zip(final, near, lengths, strict=True):
        tries = _numbered(cleaned, dialect, longest)
        name = kept or next(each for each in tries if each.casefold() not in taken)
        taken.add(name.casefold())
        result.append(name)
    return result


def label_of(pieces: Sequence[str], dialect: Dialect) -> tuple[str, bool]:
    """A variable's label, and whether it had to be cut.

    Of a long question the words are cut, not the row or option behind it: those tell the
    variables of one question apart.

    Args:
        pieces: The question's words, and after it row and option.
        dialect: Whose limit.
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
    """A text that every file can hold: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text, False
    whole = text.replace("\0", "\ufffd")
    whole = whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole, whole != text


def _near(name: str, dialect: Dialect, longest: int) -> str:
    """The nearest legal name, ``""`` where no letter or digit is left."""
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
    return _short(text, longest, dialect)


def _is_allowed(char: str, dialect: Dialect) -> bool:
    if char.isascii():
        return char.isalnum() or char == "_"
    return not dialect.only_ascii and char.isalpha()


def _short(text: str, longest: int, dialect: Dialect) -> str:
    if not dialect.in_bytes:
        return text[:longest]
    return text.encode()[:longest].decode("utf-8", "ignore")


def _numbered(name: str, dialect: Dialect, longest: int) -> Iterator[str]:
    yield name
    number = 2
    while True:
        mark = f"_{number}"
        yield _short(name, longest - len(mark), dialect) + mark
        number += 1
