r"""Split a magic line into words, and evaluate the Python expressions in them.

The rules, for the line and for the lines below a cell magic alike:

* White space separates words. ``'…'`` and ``"…"`` keep it, and are removed. A quote of one kind
  may appear between quotes of the other; quoted and unquoted parts that touch are one word.
* So do typographic quotes around a whole word, as a text editor makes them (``“…”``).
* A backslash is a character like any other, so ``C:\data`` needs no escape.
* A word that begins with an unquoted ``#`` starts a comment.
* ``{expression}`` and ``$name`` (or ``$name.attribute``) are replaced by the value of a Python
  expression, inside quotes of either kind too, as in IPython's own expansion: the lines below a
  cell magic hold apostrophes as plain letters, so quotes cannot switch it off there.
  ``{{``, ``}}`` and ``$$`` are the characters themselves.
* The line is split first and evaluated after that: a value with blanks, quotes or a leading dash
  in it stays one word and never becomes an option. A word that consists of one ``{expression}``
  or ``$name`` keeps the Python object.

IPython's own expansion leaves an unknown name as it is and splits values with blanks in them.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.secret_guard import format_word
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DOLLAR_NAME = re.compile(r"\$([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_NEEDS_NO_QUOTES = re.compile(r"[\w.,:/@%+*=<>!~^&()-]+")
# Those that open, with those that close them. An apostrophe is neither: it is inside a word.
_TYPOGRAPHIC = {
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\u2018": "\u2019",
}
_PLAIN = re.compile("""[^\\s'"{}$\u201c\u201d\u00bb\u2019]+""")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class WordPart:
    """Literal characters of a word, or one expression in it.

    Attributes:
        text: The characters, or the source of the expression.
        quoted: Whether it was between quotes.
        is_expression: Whether ``text`` is an expression.
    """

    text: str
    quoted: bool = False
    is_expression: bool = False


@dataclass(frozen=True, slots=True)
class SourceWord:
    """A word of a line, before its expressions are evaluated.

    Attributes:
        start: Index of its first character in the line.
        end: Index after its last character.
        parts: Its parts.
        unclosed: The quote or brace that is not closed, or an empty text.
    """

    start: int
    end: int
    parts: tuple[WordPart, ...] = ()
    unclosed: str = ""

    @property
    def source(self) -> str:
        """The text without quotes, with the source of each expression."""
        return "".join(part.text for part in self.parts)

    @property
    def syntax(self) -> str:
        """The source of a word that may be an option or ``<<``, else an empty text.

        A word that begins with a quote or an expression is always a value.
        """
        if not self.parts or self.parts[0].quoted or self.parts[0].is_expression:
            return ""
        return self.source


@dataclass(frozen=True, slots=True)
class EvaluatedWord:
    """A word with the values of its expressions.

    Attributes:
        text: The word as text.
        value: The Python object if the word is one expression, else ``text``.
        parts: Its parts, each with its value.
    """

    text: str
    value: Any
    parts: tuple[tuple[WordPart, Any], ...] = ()


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean `x`?"`` if a known name is similar, else an empty text."""
    return did_you_mean(name, known, sentence=" Did you mean `{}`?")


def quote_word(text: str) -> str:
    """Quote a text so that ``split_words`` reads it as one word."""
    safe = escape_expressions(text)
    if _NEEDS_NO_QUOTES.fullmatch(safe) and not safe.startswith(("-", "<<", "=")):
        return safe
    if '"' in safe and "'" not in safe:
        return f"'{safe}'"
    # Double quotes in the text go between single quotes: "Anna's "'"'"big"'"'" event".
    runs = re.split(r'("+)', safe)
    return "".join(f"'{run}'" if run[0] == '"' else f'"{run}"' for run in runs if run) or '""'


def escape_expressions(text: str) -> str:
    """Escape the braces and dollars of a text, so that they are literal."""
    return text.replace("{", "{{").replace("}", "}}").replace("$", "$$")


def split_words(line: str, *, partial: bool = False) -> list[SourceWord]:
    """Split a line into words by the rules of this module.

    Args:
        line: The line.
        partial: Whether the line is still being typed; an open quote or brace is then no error.

    Raises:
        UsageError: A quote or brace is opened and not closed, or closed and not opened.
    """
    words: list[SourceWord] = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        if line[position] == "#":
            break
        word = _read_word(line, position)
        if word.unclosed and not partial:
            raise UsageError(unclosed_message(word.unclosed))
        words.append(word)
        position = word.end
    return words


def evaluate_word(word: SourceWord, variables: Mapping[str, Any]) -> EvaluatedWord:
    """Evaluate the expressions of a word.

    Raises:
        UsageError: An expression cannot be evaluated.
    """
    parts = tuple(
        (part, evaluate_expression(part.text, variables) if part.is_expression else part.text)
        for part in word.parts
    )
    text = "".join(str(value) for _, value in parts)
    is_one_expression = len(parts) == 1 and parts[0][0].is_expression
    return EvaluatedWord(text, parts[0][1] if is_one_expression else text, parts)


def evaluate_expression(
    source: str,
    variables: Mapping[str, Any],
    escape: str = " Write $$ or {{ for the character itself.",
) -> Any:
    """Evaluate one expression, with an optional ``:format`` as in an f-string.

    Args:
        source: The expression.
        variables: Name -> value.
        escape: How the message about an unknown name ends if no known one is similar.

    Raises:
        UsageError: It is empty, is no expression, or fails.
    """
    expression, format_spec = _compile(source.strip())
    try:
        # The notebook's user wrote this expression in a cell of their own: it is as trusted as
        # the cell, and runs where IPython itself would evaluate `{expression}`.
        value = eval(expression, dict(variables))  # noqa: S307 - the user's own cell
        return value if format_spec is None else format(value, format_spec)
    except NameError as error:
        name = error.name or source
        own = [n for n in variables if not n.startswith("_") and not hasattr(builtins, n)]
        hint = suggest(name, own) or escape
        raise UsageError(f"no variable {format_word(name)}.{hint}") from None
    except Exception as error:  # noqa: BLE001 - whatever the user's expression raises
        # Without the error's text, which may repeat a value: that of a variable may be a secret.
        raise UsageError(
            f"{_format_source(source)} cannot be evaluated: {type(error).__name__} (run it in a "
            "cell to see why)"
        ) from None


def _compile(source: str) -> tuple[Any, str | None]:
    """Return the compiled expression and its format, which follows the first colon that fits."""
    if not source:
        raise UsageError("`{}` holds no expression; write {{}} for the braces themselves")
    ends = [len(source), *(index for index, char in enumerate(source) if char == ":")]
    for end in ends:
        try:
            compiled = compile(source[:end].strip(), "<alchemer>", "eval")
        except (SyntaxError, ValueError):
            continue
        return compiled, source[end + 1 :] if end < len(source) else None
    raise UsageError(
        f"{_format_source(source)} is not a Python expression; write {{{{ for a brace itself"
    )


def _format_source(source: str) -> str:
    return format_word(f"{{{source.strip()}}}")


def _read_word(line: str, start: int) -> SourceWord:
    parts: list[WordPart] = []
    quote, position = "", start
    typographic = _typographic_end(line, start)
    if typographic is not None:
        quote, position = line[typographic], start + 1
        parts.append(WordPart("", quoted=True))
    while position < len(line) and (quote or not line[position].isspace()):
        char = line[position]
        if position == typographic or (typographic is None and char in (quote or "'\"")):
            quote = "" if quote else char
            if quote:
                parts.append(WordPart("", quoted=True))  # also where '' holds nothing
            position += 1
            continue
        plain = _PLAIN.match(line, position)  # at once: a long word would take long
        found = (WordPart(plain[0]), plain.end()) if plain else read_part(line, position)
        if found is None:
            return SourceWord(start, len(line), tuple(parts), "{")
        part, position = found
        last = parts[-1] if parts else None
        if not last or part.is_expression or last.is_expression or last.quoted != bool(quote):
            parts.append(replace(part, quoted=bool(quote)))
        else:
            parts[-1] = replace(last, text=last.text + part.text)
    return SourceWord(start, position, tuple(parts), quote)


def _typographic_end(line: str, start: int) -> int | None:
    """Return the index of the quote that closes the typographic one at ``start``, else None."""
    closing = _TYPOGRAPHIC.get(line[start])
    found = re.compile(rf"[{closing}](?=\s|$)").search(line, start + 1) if closing else None
    return found.start() if found else None


def read_part(line: str, start: int) -> tuple[WordPart, int] | None:
    """Read one character, escape or expression.

    Args:
        line: The line.
        start: Index at which it begins.

    Returns:
        The part, and the index after it; None if a brace is not closed.

    Raises:
        UsageError: A brace is closed and not opened.
    """
    char = line[start]
    if char in "{}$" and line.startswith(char * 2, start):
        return WordPart(char), start + 2
    if char == "$" and (name := _DOLLAR_NAME.match(line, start)):
        return WordPart(name[1], is_expression=True), name.end()
    if char == "{":
        end = find_closing_brace(line, start)
        if end is None:
            return None
        return WordPart(line[start + 1 : end], is_expression=True), end + 1
    if char == "}":
        raise UsageError("a } is closed and not opened; write }} for a brace itself")
    return WordPart(char), start + 1


def find_closing_brace(line: str, start: int) -> int | None:
    """Return the index at which the brace at ``start`` is closed, past brackets and strings."""
    expected: list[str] = []
    quote = ""
    position = start
    while position < len(line):
        char = line[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in _BRACKETS:
            expected.append(_BRACKETS[char])
        elif expected and char == expected[-1]:
            expected.pop()
            if not expected:
                return position
        position += 1
    return None


def unclosed_message(mark: str) -> str:
    """Return the message about a quote or brace that is not closed."""
    if mark == "{":
        return "a { is opened and not closed; write {{ for a brace itself"
    other = '"' if mark == "'" else "'"
    return (
        f"a quote {mark} is opened and not closed; for the mark itself write {other}{mark}{other}"
    )
