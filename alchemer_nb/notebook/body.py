"""Python values in conditions: on the line in ``--where``, and below ``%%alchemer responses``.

A value that a condition would read otherwise than it is (a ``#``, quotes around it) is put into
quotes, and a list is written as the values of ``in``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.words import Word, evaluate, not_closed, take

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Where a comment begins: after white space, with no quote open. Conditions end there too.
_COMMENT = re.compile(r"(?<!\S)#(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)")
_QUOTES = "\"'"


def condition(word: Word) -> str:
    """The text of a condition given as one word; of several, where a variable holds a list."""
    if len(word.parts) == 1:
        several = isinstance(word.value, list | tuple)
        return "\n".join(map(str, word.value)) if several else word.text
    texts = [piece.text for piece, _ in word.parts]
    written = []
    for number, (piece, value) in enumerate(word.parts):
        if not piece.expression:
            written.append(piece.text)
            continue
        before = texts[number - 1] if number else ""
        after = texts[number + 1] if number + 1 < len(texts) else ""
        written.append(write(piece.text, value, inside=_inside(before, after)))
    return "".join(written)


def fill_lines(
    text: str, variables: Mapping[str, Any], local: Mapping[str, Any] | None = None
) -> str:
    """Fills the expressions of condition lines in, and leaves the rest alone.

    Args:
        text: The lines.
        variables: What names mean.
        local: What names mean first, inside a function.

    Raises:
        UsageError: An expression cannot be evaluated, or its value fits into no condition; the
            message begins with the number of the line.
    """
    done = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            done.append("".join(_filled(line, variables, local)))
        except UsageError as error:
            raise UsageError(f"line {number}: {error}") from None
    return "\n".join(done)


def write(source: str, value: Any, *, inside: bool = False) -> str:
    """A value as a condition takes it.

    Args:
        source: The expression it came from, for messages.
        value: The value.
        inside: Whether it stands between quotes already.

    Raises:
        UsageError: It is None, has a line break in it, or holds quotes of both kinds where it has
            to be quoted.
    """
    if value is None:
        raise UsageError(f"the value of `{source}` is None; for no answer write IS NULL")
    if hasattr(value, "tolist"):  # numpy and pandas
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_quoted(source, str(each), always=True) for each in value)
    return str_in_line(source, value) if inside else _quoted(source, str(value))


def str_in_line(source: str, value: Any) -> str:
    """A value's text, where it has one line.

    Raises:
        UsageError: It would make two conditions of one.
    """
    text = str(value)
    if len(text.splitlines()) > 1:
        raise UsageError(f"the value of `{source}` has a line break in it")
    return text


def _quoted(source: str, text: str, *, always: bool = False) -> str:
    str_in_line(source, text)
    if not (always or "#" in text or text[:1] in (*_QUOTES, " ") or text[-1:] in (*_QUOTES, " ")):
        return text
    mark = next((mark for mark in _QUOTES if mark not in text), None)
    if mark is None:
        raise UsageError(f"the value of `{source}` holds quotes of both kinds; write it out")
    return f"{mark}{text}{mark}"


def _inside(before: str, after: str) -> bool:
    return before[-1:] in _QUOTES and before[-1:] == after[:1] and bool(before)


def _filled(
    line: str, variables: Mapping[str, Any], local: Mapping[str, Any] | None
) -> Iterator[str]:
    comment = _COMMENT.search(line)
    end = comment.start() if comment else len(line)
    at = 0
    while at < end:
        start = at
        text, expression, at = take(line[:end], at)
        if text is None:
            raise UsageError(not_closed("{"))
        if expression:
            inside = _inside(line[:start], line[at:end])
            yield write(text, evaluate(text, variables, local), inside=inside)
        else:
            yield text
    yield line[end:]
