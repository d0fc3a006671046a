"""Put Python values into conditions: in ``--where``, and below ``%%alchemer responses``.

A value is put between quotes if the condition would be read differently without them; a list is
written as the values of ``in``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.secret_guard import holds_secret
from alchemer_nb.notebook.magic.tokens import evaluate_expression, read_part, unclosed_message
from alchemer_nb.survey.filters import text_after_operator
from alchemer_nb.visible import replace_lone_surrogates
from alchemer_nb.wire import quoting

if TYPE_CHECKING:
    from alchemer_nb.notebook.magic.tokens import EvaluatedWord

    # Takes the beginning of a condition. Returns the part of it that belongs to the value or list
    # at its end, and whether that is a list; None if a value cannot follow.
    FindValue = Callable[[str], tuple[str, bool] | None]


def to_condition(word: EvaluatedWord) -> str:
    """Return the condition in a word, or the conditions in the list of a variable, as lines."""
    if len(word.parts) == 1:
        value = _to_python(word.value)
        return "\n".join(map(str, value)) if isinstance(value, list) else word.text
    return interpolate_word(word, text_after_operator)


def interpolate_word(word: EvaluatedWord, find_value: FindValue) -> str:
    """Return a word with its Python values written so that they are read unchanged."""
    text_before = ""
    for index, (part, value) in enumerate(word.parts):
        if part.is_expression:
            # A value may follow anything but another value.
            after = "".join(
                "{" if later.is_expression else later.text for later, _ in word.parts[index + 1 :]
            )
            text_before += _format_value(part.text, value, find_value(text_before), after)
        else:
            text_before += part.text
    return text_before


def interpolate_lines(text: str, variables: Mapping[str, Any]) -> str:
    """Replace the expressions in the lines of conditions by their values.

    Raises:
        UsageError: An expression cannot be evaluated, or its value fits into no condition; the
            message begins with the number of the line.
    """
    lines = []
    for number, line in enumerate(replace_lone_surrogates(text).splitlines(), start=1):
        try:
            lines.append("".join(_interpolate_line(line, variables)))
        except UsageError as error:
            raise UsageError(f"line {number}: {error}") from None
    return "\n".join(lines)


def _interpolate_line(line: str, variables: Mapping[str, Any]) -> Iterator[str]:
    position, text_before = 0, ""
    while position < len(line):
        rest = line[position:]
        if quoting.begins_comment(line, position) and not _is_inside_quotes(text_before, rest):
            yield rest
            return
        found = read_part(line, position)
        if found is None:
            raise UsageError(unclosed_message("{"))
        part, position = found
        text = part.text
        if part.is_expression:
            value = evaluate_expression(text, variables)
            text = _format_value(text, value, text_after_operator(text_before), line[position:])
        text_before += text
        yield text


def _is_inside_quotes(before: str, after: str) -> bool:
    """Check whether quotes that were opened, in a value or a field, are closed only later."""
    found = text_after_operator(before)
    if found is None:
        return before.count('"') % 2 == 1 and '"' in after
    open_quote = quoting.find_value_end(found[0], several=found[1]).unclosed
    return bool(open_quote) and open_quote in after


def _format_value(source: str, value: Any, before: tuple[str, bool] | None, after: str) -> str:
    """Return a value as a condition takes it.

    Args:
        source: The expression it came from, for messages.
        value: The value.
        before: The text before it in the same value or list, and whether that is a list; None
            where no value is expected.
        after: The text after it.

    Raises:
        UsageError: It is missing, or cannot be written so that it is read unchanged.
    """
    source = "…" if holds_secret(source) else source
    value = _to_python(value)
    is_several = isinstance(value, list)
    for each in value if is_several else [value]:
        _check_single(source, each)
    if before is None:  # a field, an operator or a whole condition
        text = _to_text(value)
        if len(text.splitlines()) > 1:  # one condition would become two
            raise UsageError(f"the value of `{source}` has a line break in it")
        return text
    beginning, is_list = before
    open_quote = quoting.find_value_end(beginning, several=is_list).unclosed
    if is_several:
        if open_quote or not is_list:
            raise UsageError(f"`{source}` holds several values; write `in {{{source}}}`, unquoted")
        return ", ".join(quoting.quote(_to_text(each)) for each in value)
    text = _to_text(value)
    if open_quote:
        return quoting.double_quotes(text, open_quote)
    is_start = _can_start_after(beginning, is_list)
    if is_start and _can_end_before(after, is_list):
        return quoting.quote_if_needed(text)
    # Other characters of the same value touch it, so it cannot have quotes of its own.
    needs_quotes = "#" in text or text != text.strip() or len(text.splitlines()) > 1
    if needs_quotes or (is_list and "," in text) or (is_start and text.startswith(quoting.QUOTES)):
        raise UsageError(
            f"the value of `{source}` needs quotes around it and what it stands beside, as in "
            f'"North {{{source}}}"'
        )
    return text


def _to_python(value: Any) -> Any:
    """Return several values as a list, whatever holds them, and one as a Python object."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # numpy's would be numbers
        import pandas as pd

        value = pd.to_datetime(value)
    if hasattr(value, "tolist"):  # numpy and pandas
        value = value.tolist()
    if (
        isinstance(value, Iterable)
        and not isinstance(value, str | bytes)
        and not hasattr(value, "keys")
    ):
        return list(value)
    return value


def _to_text(value: Any) -> str:
    # pandas keeps whole numbers as 4.0 in a column with missing values.
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _check_single(source: str, value: Any) -> None:
    """Refuse a missing value, and an object that holds others."""
    if isinstance(value, bytes) or hasattr(value, "keys") or isinstance(_to_python(value), list):
        kind = type(value).__name__
        raise UsageError(
            f"the value of `{source}` is of type {kind}; a condition takes a text, a number, a "
            "date or a list of them"
        )
    import pandas as pd

    if pd.isna(value):
        raise UsageError(f"the value of `{source}` is {value}; for no answer write IS NULL")


def _can_start_after(text: str, is_list: bool) -> bool:
    before = text.strip()
    return not before or (is_list and (before in "([" or before.endswith(",")))


def _can_end_before(text: str, is_list: bool) -> bool:
    after = text.lstrip()
    is_comment = after.startswith("#") and after != text
    return not after or is_comment or (is_list and after.startswith((",", ")", "]")))
