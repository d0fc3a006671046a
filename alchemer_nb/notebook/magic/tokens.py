r"""Words of a magic line, and Python values in them.

The rules, for the line and for the lines below a cell magic alike:

* White space separates words. ``'…'`` and ``"…"`` keep it, and are taken off. A quote of one kind
  may stand between quotes of the other; quoted and bare pieces that touch are one word.
* A backslash is a character like any other, so that ``C:\data`` needs no care.
* A word that begins with a bare ``#`` starts a comment.
* ``{expression}`` and ``$name`` (or ``$name.attribute``) stand for the value of a Python
  expression, inside quotes of either kind too, as IPython's own expansion has it: the lines
  below a cell magic hold apostrophes as plain letters, so quotes cannot switch it off there.
  ``{{``, ``}}`` and ``$$`` stand for the characters themselves.
* The line is split first and filled in after that: a value with blanks, quotes or a leading dash
  in it stays one word and never turns into an option. A word that is nothing but one
  ``{expression}`` or ``$name`` keeps the Python object.

IPython's own expansion leaves an unknown name in place and splits values with blanks in them.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DOLLAR_NAME = re.compile(r"\$([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_BARE = re.compile(r"[\w.,:/@%+*=<>!~^&()-]+")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: characters to take as they are, or an expression to fill in.

    Attributes:
        text: The characters, or the source of the expression.
        quoted: Whether it stood between quotes.
        expression: Whether ``text`` is an expression.
    """

    text: str
    quoted: bool = False
    expression: bool = False


@dataclass(slots=True)
class RawWord:
    """A word before its expressions are filled in.

    Attributes:
        start: Where it begins in the line.
        pieces: What it is made of.
        open_with: The quote or brace that is not closed, or an empty text.
        end: Where it ends in the line.
    """

    start: int
    pieces: list[Piece] = field(default_factory=list)
    open_with: str = ""
    end: int = 0

    @property
    def plain(self) -> str:
        """The word's text with expressions left as their source."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def shielded(self) -> bool:
        """Whether it begins with a quoted or filled-in piece, and is therefore no option."""
        return bool(self.pieces) and (self.pieces[0].quoted or self.pieces[0].expression)


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its value.

    Attributes:
        text: What it says.
        value: The Python object, where the word is one expression; else ``text``.
        parts: Its pieces with their values.
    """

    text: str
    value: Any
    parts: tuple[tuple[Piece, Any], ...] = ()

    def __str__(self) -> str:
        return self.text


def near(name: str, known: Iterable[str]) -> str:
    """Gives `` Did you mean `x`?`` with a leading blank, or nothing."""
    return did_you_mean(name, known, sentence=" Did you mean `{}`?")


def quote_word(text: str) -> str:
    """Writes a text so that ``split`` gives it back as one word."""
    safe = text.replace("{", "{{").replace("}", "}}").replace("$", "$$")
    if _BARE.fullmatch(safe) and not safe.startswith(("-", "<<")):
        return safe
    if '"' not in safe:
        return f'"{safe}"'
    return "".join(f"'{part}'" if part == '"' else f'"{part}"' for part in _runs(safe))


def split(line: str, *, partial: bool = False) -> list[RawWord]:
    """Splits a line into words by the rules above.

    Args:
        line: The line.
        partial: Whether the line is still being typed; an open quote or brace is then no error.

    Raises:
        UsageError: A quote or brace is opened and not closed, or closed and not opened.
    """
    words: list[RawWord] = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        if line[position] == "#":
            break
        word = _read_word(line, position)
        if word.open_with and not partial:
            raise UsageError(not_closed(word.open_with))
        words.append(word)
        position = word.end
    return words


def fill(
    word: RawWord, variables: Mapping[str, Any], local: Mapping[str, Any] | None = None
) -> Word:
    """Fills the expressions of a word in.

    Raises:
        UsageError: An expression cannot be evaluated.
    """
    parts = tuple(
        (piece, evaluate(piece.text, variables, local) if piece.expression else piece.text)
        for piece in word.pieces
    )
    text = "".join(str(value) for _, value in parts)
    whole = len(parts) == 1 and parts[0][0].expression
    return Word(text, parts[0][1] if whole else text, parts)


def evaluate(
    source: str, variables: Mapping[str, Any], local: Mapping[str, Any] | None = None
) -> Any:
    """Evaluates one expression, with an optional ``:format`` as in an f-string.

    Raises:
        UsageError: It is empty, is no expression, or fails.
    """
    expression, spec = _parted(source.strip())
    names = {**variables, **(local or {})}
    try:
        # The notebook's user wrote this expression in a cell of their own: it is as trusted as
        # the cell, and runs where IPython itself would evaluate `{expression}`.
        value = eval(expression, names)  # noqa: S307 - the user's own cell
        return value if spec is None else format(value, spec)
    except NameError as error:
        name = error.name or source
        own = [n for n in names if not n.startswith("_") and not hasattr(builtins, n)]
        hint = near(name, own) or " Write $$ or {{ for the character itself."
        raise UsageError(f"no variable `{name}`.{hint}") from None
    except Exception as error:  # noqa: BLE001 - whatever the user's expression raises
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"`{{{source.strip()}}}` cannot be evaluated: {told}") from None


def _parted(source: str) -> tuple[Any, str | None]:
    """The compiled expression, and the format that follows its first fitting colon."""
    if not source:
        raise UsageError("`{}` holds no expression; write {{}} for the braces themselves")
    cuts = [len(source), *(at for at, char in enumerate(source) if char == ":")]
    for cut in cuts:
        try:
            compiled = compile(source[:cut].strip(), "<alchemer>", "eval")
        except (SyntaxError, ValueError):
            continue
        return compiled, source[cut + 1 :] if cut < len(source) else None
    raise UsageError(f"`{{{source}}}` is not a Python expression; write {{{{ for a brace itself")


def _read_word(line: str, start: int) -> RawWord:
    word = RawWord(start)
    quote = ""
    letters: list[str] = []

    def close(*, keep_empty: bool = False) -> None:
        if letters or keep_empty:
            word.pieces.append(Piece("".join(letters), quoted=bool(quote)))
            letters.clear()

    position = start
    while position < len(line):
        char = line[position]
        if quote and char == quote:
            close(keep_empty=True)
            quote = ""
            position += 1
        elif not quote and char in "'\"":
            close()
            quote = char
            position += 1
        elif not quote and char.isspace():
            break
        else:
            text, expression, position = take(line, position)
            if expression and text is None:
                word.open_with, position = "{", len(line)
            elif expression:
                close()
                word.pieces.append(Piece(text or "", bool(quote), expression=True))
            else:
                letters.append(text or "")
    close(keep_empty=bool(quote))
    word.open_with = word.open_with or quote
    word.end = position
    return word


def take(line: str, at: int) -> tuple[str | None, bool, int]:
    """Reads one character, escape or expression.

    Args:
        line: The line.
        at: Where it begins.

    Returns:
        Its text, or None where a brace is not closed; whether it is an expression; what is next.

    Raises:
        UsageError: A brace is closed and not opened.
    """
    char = line[at]
    if char in "{}$" and line.startswith(char * 2, at):
        return char, False, at + 2
    if char == "$" and (name := _DOLLAR_NAME.match(line, at)):
        return name[1], True, name.end()
    if char == "{":
        end = _closing_brace(line, at)
        return (None, True, len(line)) if end is None else (line[at + 1 : end], True, end + 1)
    if char == "}":
        raise UsageError("a } is closed and not opened; write }} for a brace itself")
    return char, False, at + 1


def _closing_brace(line: str, start: int) -> int | None:
    """Where the brace that opens at ``start`` is closed, over nested brackets and strings."""
    expected: list[str] = []
    quote = ""
    at = start
    while at < len(line):
        char = line[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in _PAIRS:
            expected.append(_PAIRS[char])
        elif expected and char == expected[-1]:
            expected.pop()
            if not expected:
                return at
        at += 1
    return None


def _runs(text: str) -> list[str]:
    """The text in runs without double quotes, and the double quotes one by one."""
    return [run for run in re.split(r'(")', text) if run]


def not_closed(mark: str) -> str:
    """What is told about a quote or brace without its end."""
    if mark == "{":
        return "a { is opened and not closed; write {{ for a brace itself"
    other = '"' if mark == "'" else "'"
    return (
        f"a quote {mark} is opened and not closed; for the mark itself write {other}{mark}{other}"
    )
