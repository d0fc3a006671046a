"""Check the values of a condition against the question, and translate them into reporting values.

Alchemer compares an answer with the text of a condition and finds nothing where no answer can be
equal: https://apihelp.alchemer.com/help/filters-v5. What no answer can fulfil is refused here.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alchemer_nb.survey.question_types import (
    GRID_CELLS,
    MENU_GRID,
    is_asked,
    is_known,
    question_key,
)
from alchemer_nb.survey.scales import is_scale, read_number
from alchemer_nb.wire.ids import is_option_id
from alchemer_nb.wire.text import counted, did_you_mean, strip_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition, Option, Question

COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_MOST_LISTED = 8  # options or rows in a message
# What Python prints for something that is no text; the first kind is a word of people, too.
_MISSING = re.compile(r"None|nan|NaN|NaT|<NA>")
_OBJECT = re.compile(
    r"range\(.*\)|<[\w.]+ .*\bat 0x[0-9a-fA-F]+.*>|<built-in .*>|<class .*>|dict_\w+\(.*"
    r"|[\[({]?(np|numpy|datetime)\.\w+\(.*|array\(.*|(frozen)?set\(.*\)|\[?Timestamp\(.*"
    r"|\{\s*('[^']*'|\"[^\"]*\"|[\w.]+)\s*:.*\}",
    re.S,
)
_OWN_PARTS = ("answer", "option", "item")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*")


@dataclass(frozen=True, slots=True)
class CheckedValues:
    """The values of a condition as Alchemer takes them.

    Attributes:
        operator: The operator; ``in`` in place of a comparison of options.
        values: Reporting values or texts.
        option_id: The option or item that the condition names, or None.
        note: What the condition asks for, where its words do not show it; without a value.
    """

    operator: str
    values: tuple[str, ...]
    option_id: str | None = None
    note: str = ""


def check_values(
    survey: Definition,
    question: Question,
    option_id: str | None,
    operator: str,
    values: tuple[str, ...],
    *,
    quoted: bool = False,
) -> CheckedValues:
    """Check and translate the values of a condition on a question.

    Args:
        survey: The definition.
        question: The question, or the row of a grid.
        option_id: The option or item that the condition names, or None.
        operator: ``=``, ``<>``, ``in``, a comparison or ``IS [NOT] NULL``.
        values: The values, none for the last two.
        quoted: Whether they are in quotes, and therefore meant as they are.

    Raises:
        ValueError: No answer can fulfil it, or it has no meaning; the text is for the user.
    """
    columns = _answer_columns(survey, question)
    if not columns or is_option_id(question.id):
        _refuse_without_answers(question)
    if option_id is not None:
        columns = _of_option(columns, question, option_id)
    if not values or not is_known(question):
        return CheckedValues(operator, values, option_id)
    options = _options(columns, question, option_id)
    if options and operator in COMPARISONS:
        checked = _compare_options(columns, options, question, operator, values[0])
        return replace(checked, option_id=option_id)
    if options:
        checked = _match_options(options, question, operator, values)
        return replace(checked, option_id=option_id or checked.option_id)
    _check_typed(columns, question, operator, values)
    if not quoted:
        refuse_missing(values)
    return CheckedValues(operator, values, option_id)


def list_options(
    survey: Definition, question: Question, option_id: str | None = None
) -> tuple[Option, ...]:
    """Return the options that a condition on a question can name; none where people type."""
    return _options(_answer_columns(survey, question), question, option_id)


def list_questions(survey: Definition) -> list[Question]:
    """Return the questions, and rows of grids, that have an answer of their own."""
    from alchemer_nb.survey.columns import plan_columns

    found = {
        column.question.id: column.question
        for column in plan_columns(survey)
        if column.part in _OWN_PARTS and not is_option_id(column.question.id)
    }
    return [*found.values()]


def takes_comparison(survey: Definition, question: Question) -> bool:
    """Check whether the answers to a question have an order: numbers, or the steps of a scale."""
    columns = _answer_columns(survey, question)
    return bool(columns) and all(c.kind == "number" or is_scale(c) for c in columns)


def _answer_columns(survey: Definition, question: Question) -> list[AnswerColumn]:
    from alchemer_nb.survey.columns import plan_columns  # loads msgspec

    return [
        column
        for column in plan_columns(survey)
        if column.question.id == question.id and column.part in _OWN_PARTS
    ]


def _check_typed(
    columns: Sequence[AnswerColumn], question: Question, operator: str, values: tuple[str, ...]
) -> None:
    """Refuse values that no number, or no date, can be equal to."""
    kinds = {column.kind for column in columns}
    for value in values:
        if kinds == {"number"} and math.isnan(read_number(value)):
            raise ValueError(f"{value[:40]!r} is no number, and {_name(question)} asks for numbers")
        if kinds == {"date"} and (operator in COMPARISONS or _DAY.fullmatch(value)):
            raise ValueError(
                f"Alchemer compares the dates of {_name(question)} as text, such as 12/31/2026; "
                "download, and compare them in the frame"
            )


def refuse_missing(values: Iterable[str]) -> None:
    """Refuse what Python prints for a missing value, in a field that takes any text.

    Raises:
        ValueError: A value is one of them.
    """
    for value in values:
        if _MISSING.fullmatch(value):
            raise ValueError(
                f"{value} is how Python writes a missing value; for no answer write IS NULL, for "
                f'this text "{value}"'
            )


def refuse_object(text: str) -> None:
    """Refuse what Python prints for an object that holds values, or is none.

    Raises:
        ValueError: The text is such a one.
    """
    if _OBJECT.fullmatch(text.strip()):
        raise ValueError(
            f"{text.strip()[:40]!r} is how Python prints an object; write its values, such as "
            "{list(…)} after 'in', or put a text like this in quotes"
        )


def reporting_value(text: str, options: Sequence[Option]) -> str | None:
    """Return the reporting value that a text means, or None.

    It is the value itself, or that of the option with this label. An exact match counts before one
    that ignores HTML and white space, that before one that ignores case, and then equal numbers.

    Raises:
        ValueError: The text fits options with different values.
    """
    texts_of: list[Callable[[Option], Iterable[str]]] = [
        lambda option: [option.value],
        lambda option: option.titles.values(),
    ]
    folds: list[Callable[[str], object]] = [
        str, strip_html, lambda text: strip_html(text).casefold(), _number_or_none
    ]  # fmt: skip
    for fold in folds:
        wanted = fold(text)
        for texts in texts_of:
            fitting = [o for o in options if wanted in {fold(one) for one in texts(o)}]
            found = {option.value for option in fitting} if wanted is not None else set()
            if len(found) > 1:
                values = ", ".join(map(repr, sorted(found)))
                raise ValueError(
                    f"{text[:40]!r} fits options with the reporting values {values}; write which"
                )
            if found:
                return found.pop()
    return None


def _number_or_none(text: str) -> float | None:
    number = read_number(text)
    return None if math.isnan(number) else number


def _refuse_without_answers(question: Question) -> None:
    """Refuse a question that never has an answer of its own."""
    refuse_custom_table(question)
    if question.rows:
        rows = [_name(row) for row in question.rows if is_asked(row)]
        more = ", …" if len(rows) > _MOST_LISTED else ""
        raise ValueError(
            f"{_name(question)} has no answer of its own; ask for one of its rows or parts: "
            f"{', '.join(rows[:_MOST_LISTED])}{more}"
        )
    if not is_asked(question):
        raise ValueError(f"{_name(question)} asks nothing, so it has no answer")


def refuse_custom_table(question: Question) -> None:
    """Refuse a custom table and its columns.

    Raises:
        ValueError: It is one.
    """
    if is_option_id(question.id) or any(is_option_id(row.id) for row in question.rows):
        raise ValueError(
            f"{_name(question)} is or has a column of a custom table, which Alchemer's filters "
            "cannot ask for; download, and choose the rows of the frame"
        )


def _of_option(
    columns: Sequence[AnswerColumn], question: Question, option_id: str
) -> list[AnswerColumn]:
    """Return the columns, as far as they are of one option; refuse an option that is not there."""
    known = {o.id: o for c in columns for o in (*c.choices, c.option) if o is not None}
    if known and option_id not in known:
        listed = [f"{o.id} ({o.label()})" for o in known.values()]
        more = ", …" if len(listed) > _MOST_LISTED else ""
        raise ValueError(
            f"{_name(question)} has no option {option_id}; it has "
            f"{', '.join(listed[:_MOST_LISTED])}{more}"
        )
    return [c for c in columns if c.option is None or c.option.id == option_id]


def _options(
    columns: Sequence[AnswerColumn], question: Question, option_id: str | None
) -> tuple[Option, ...]:
    """Return the options that answers are chosen from; none where people type them."""
    chosen = [
        option
        for column in columns
        for option in (*column.choices, column.option if column.part == "option" else None)
        if option is not None
    ]
    key = question_key(question)
    if not columns and GRID_CELLS.get(key, "boolean") == "boolean" and key != MENU_GRID:
        chosen = [*question.options]  # of a grid whose rows are known from the answers alone
    named = [option for option in chosen if option.id == option_id]
    return tuple({option.id: option for option in named or chosen}.values())


def _match_options(
    options: Sequence[Option], question: Question, operator: str, values: tuple[str, ...]
) -> CheckedValues:
    """Translate labels; a text that is no option is refused unless it may have been written in."""
    found = [reporting_value(value, options) for value in values]
    known = [*dict.fromkeys(name for o in options for name in (*_labels(o), o.value) if name)]
    for value, code in zip(values, found, strict=True):
        near = did_you_mean(value, known) if _number_or_none(value) is None else ""
        if code is not None or (not near and any(o.is_other for o in options)):
            continue
        raise ValueError(_no_option(value, question, options, near))
    written_in = found.count(None)
    meant = [option for option in options if option.value in found]
    note = ""
    if written_in:
        note = f"{counted(written_in, 'text')} that only a write-in can be"
    elif len(meant) > len(set(found)):
        note = f"{len(meant)} of {len(options)} options, as some share a reporting value"
    other = next((option for option in meant if option.is_other), None)
    if other is not None and operator == "=":  # what people wrote in replaces its value
        return CheckedValues("IS NOT NULL", (), other.id)
    if other is not None:
        field = f"[question({question.id}), option({other.id})]"
        among = "with" if operator == "<>" else "without"
        note = f"{among} those who wrote something in, whom {field} IS NOT NULL finds"
    codes = tuple(
        value if code is None else code for value, code in zip(values, found, strict=True)
    )
    return CheckedValues(operator, codes, note=note)


def _labels(option: Option) -> list[str]:
    return [strip_html(title) for title in option.titles.values()]


def _no_option(value: str, question: Question, options: Sequence[Option], near: str) -> str:
    """Return the message about a text that is none of the options."""
    labels = [option.label() for option in options if option.label() or option.value]
    more = ", …" if len(labels) > _MOST_LISTED else ""
    hint = near or f"; its options are {', '.join(labels[:_MOST_LISTED])}{more}"
    parts = re.split(r"\s+or\s+", value, flags=re.I)
    if len(parts) > 1 and all(reporting_value(part, options) is not None for part in parts):
        hint = f"; for one of several write '{_name(question)} in {', '.join(parts)}'"
    if _MISSING.fullmatch(value):
        hint = "; for no answer write IS NULL"
    other = next((option for option in options if option.is_other), None)
    if other is not None:
        hint += f" (a text written in: [question({question.id}), option({other.id})] = …)"
    return f"{value[:40]!r} is no option of {_name(question)}{hint}"


def _compare_options(
    columns: Sequence[AnswerColumn],
    options: Sequence[Option],
    question: Question,
    operator: str,
    value: str,
) -> CheckedValues:
    """Return the options that a comparison means, by their codes, without "not applicable"."""
    column = columns[0] if columns else None
    name = _name(question)
    if (
        column is None
        or column.part != "answer"
        or not (column.kind == "number" or is_scale(column))
    ):
        raise ValueError(
            f"the options of {name} are no scale, so {operator!r} means nothing; write "
            f"'{name} in …' with the options"
        )
    steps = [option for option in options if not option.is_not_applicable]
    if any(math.isnan(read_number(option.value)) for option in steps):
        raise ValueError(
            f"the reporting values of {name} are no numbers, so {operator!r} has no order to go "
            f"by; write '{name} in …' with the options"
        )
    code = reporting_value(value, steps)
    bound = read_number(value if code is None else code)
    if math.isnan(bound) or (code is None and reporting_value(value, options) is not None):
        if reporting_value(value, options) is not None:
            raise ValueError(f"{value[:40]!r} is no step of the scale of {name}")
        near = did_you_mean(value, [label for option in steps for label in _labels(option)])
        raise ValueError(_no_option(value, question, steps, near))
    fits = COMPARISONS[operator]
    codes = [o.value for o in steps if fits(read_number(o.value), bound)]
    if not codes:
        raise ValueError(f"no option of {name} is {operator} {value[:40]}")
    is_plain = column.kind == "number" and len(steps) == len(options)
    note = "" if is_plain else f"{len(codes)} of {len(options)} options"
    return CheckedValues("in", tuple(dict.fromkeys(codes)), note=note)


def _name(question: Question) -> str:
    return question.alias or f"q{question.id}"
