"""Python values in conditions: on the line in ``--where``, and below ``%%alchemer responses``.

A value that is put in by its name is put between quotes where it has to be, so that it is read as
it is; a list is written as the values of ``in``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.tokens import Word, evaluate, not_closed, take
from alchemer_nb.survey.filters import value_so_far
from alchemer_nb.wire.quoting import QUOTES, begins_comment, double, quote, scan, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Locate = Callable[[str], tuple[str, bool] | None]


def condition(word: Word) -> str:
    """The text of a condition given as one word; of several, where a variable holds a list."""
    if len(word.parts) == 1:
        value = plain(word.value)
        return "\n".join(map(str, value)) if isinstance(value, list) else word.text
    return compose(word, value_so_far)


def compose(word: Word, locate: Locate) -> str:
    """A word with its Python values written so that they are read as they are.

    Args:
        word: The word.
        locate: Tells of what stands before a value how much of it belongs to the same value or
            list, and whether it is a list; None where it is no value.
    """
    done = ""
    for number, (piece, value) in enumerate(word.parts):
        if piece.expression:
            after = "".join(
                "{" if each.expression else each.text for each, _ in word.parts[number + 1 :]
            )
            done += write(piece.text, value, locate(done), after)
        else:
            done += piece.text
    return done


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


def write(source: str, value: Any, before: tuple[str, bool] | None, after: str) -> str:
    """A value as a condition takes it.

    Args:
        source: The expression it came from, for messages.
        value: The value.
        before: What stands before it in the same value or list, and whether it is a list; None
            where it is no value.
        after: What follows it.

    Raises:
        UsageError: It is None, or would be read otherwise than it is.
    """
    value = plain(value)
    several = isinstance(value, list)
    for each in value if several else [value]:
        _check(source, each)
    if before is None:
        return str_in_line(source, value)
    text, is_list = before
    mark = scan(text, several=is_list).open
    if several:
        if mark or not is_list:
            raise UsageError(f"`{source}` holds several values; write `in {{{source}}}`, unquoted")
        return ", ".join(quote(as_text(each)) for each in value)
    if mark:
        return double(as_text(value), mark)
    begins = _begins(text, is_list)
    if begins and _ends(after, is_list):
        return written(as_text(value))
    return _beside(source, as_text(value), begins=begins, is_list=is_list)


def plain(value: Any) -> Any:
    """A value as Python has it: several of them as a list, whatever held them."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # numpy's would be numbers
        import pandas as pd

        value = pd.to_datetime(value)
    if hasattr(value, "tolist"):  # numpy and pandas
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes) and not _is_map(value):
        return list(value)
    return value


def as_text(value: Any) -> str:
    """The text of one value; a whole number is written as one, which pandas keeps as 4.0."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _is_map(value: Any) -> bool:
    return hasattr(value, "keys")


def _check(source: str, value: Any) -> None:
    """Refuses what is not one value.

    Raises:
        UsageError: It is missing, or holds others.
    """
    if isinstance(value, bytes) or _is_map(value) or isinstance(plain(value), list):
        kind = type(value).__name__
        raise UsageError(
            f"the value of `{source}` is of type {kind}; a condition takes a text, a number, a "
            "date or a list of them"
        )
    import pandas as pd

    if pd.isna(value):
        raise UsageError(f"the value of `{source}` is {value}; for no answer write IS NULL")


def str_in_line(source: str, value: Any) -> str:
    """A value's text, where it has one line.

    Raises:
        UsageError: It would make two conditions of one.
    """
    text = as_text(value)
    if len(text.splitlines()) > 1:
        raise UsageError(f"the value of `{source}` has a line break in it")
    return text


def _begins(text: str, is_list: bool) -> bool:
    """Whether a value begins after this."""
    before = text.strip()
    return not before or (is_list and (before in "([" or before.endswith(",")))


def _ends(text: str, is_list: bool) -> bool:
    """Whether a value has ended before this."""
    after = text.lstrip()
    return (
        not after
        or (after[0] == "#" and after != text)
        or (is_list and after.startswith((",", ")", "]")))
    )


def _beside(source: str, text: str, *, begins: bool, is_list: bool) -> str:
    """A value that stands without quotes beside other letters of the same value."""
    odd = "#" in text or text != text.strip() or len(text.splitlines()) > 1
    if odd or (is_list and "," in text) or (begins and text.startswith(QUOTES)):
        raise UsageError(
            f"the value of `{source}` needs quotes around it and what it stands beside, as in "
            f'"North {{{source}}}"'
        )
    return text


def _filled(
    line: str, variables: Mapping[str, Any], local: Mapping[str, Any] | None
) -> Iterator[str]:
    at, done = 0, ""
    while at < len(line):
        if begins_comment(line, at) and not _is_quoted(done, line[at:]):
            break
        text, expression, at = take(line, at)
        if text is None:
            raise UsageError(not_closed("{"))
        if expression:
            value = evaluate(text, variables, local)
            text = write(text, value, value_so_far(done), line[at:])
        done += text
        yield text
    yield line[at:]


def _is_quoted(before: str, after: str) -> bool:
    """Whether quotes that were begun go on here, in a value or in a field."""
    found = value_so_far(before)
    if found is None:
        return before.count('"') % 2 == 1 and '"' in after
    mark = scan(found[0], several=found[1]).open
    return bool(mark) and mark in after
