"""Makes characters visible that a terminal or browser would obey instead of showing.

Titles, labels and messages come from a server and from strangers who fill in surveys. Printed as
they are, an escape sequence could clear the screen, show a link to elsewhere or hide what is
before it; marks of text direction could show a line in another order. Data stays as received.
"""

from __future__ import annotations

import re
import sys

# All control characters but tab and line feed; line and paragraph separators; marks that turn the
# direction of the text after them; halves of surrogate pairs, which cannot be printed at all; and
# the two that XML has no way to write, at which the drawing of a chart ends the whole process.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def make_visible(text: str) -> str:
    r"""Return a text with such characters as escapes.

    Example:
        >>> make_visible("Total\x1b[2J: 5")
        'Total\\x1b[2J: 5'
    """
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def is_visible(text: str) -> bool:
    """Check whether a text has no such characters."""
    return _OBEYED.search(text) is None


def replace_lone_surrogates(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def print_line(line: str) -> None:
    """Print a line where the user reads it.

    Notebooks show stderr in red; scripts keep stdout for their own output.
    """
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    stream.write(f"{make_visible(line)}\n")
