"""Completes the lines below ``%%alchemer responses``: field, operator, value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.notebook.magic.tokens import escape_expressions
from alchemer_nb.survey.condition_fields import FIELDS, describe_columns, find_question
from alchemer_nb.survey.condition_values import (
    COMPARISONS,
    list_options,
    list_questions,
    takes_comparison,
)
from alchemer_nb.survey.filters import (
    DATE_FIELDS,
    QUESTION_FIELD,
    STATUSES,
    URL_FIELD,
    split_field,
    text_after_operator,
)
from alchemer_nb.visible import is_visible
from alchemer_nb.wire.quoting import QUOTES, begins_comment, parse_values, quote_if_needed
from alchemer_nb.wire.text import alias_to_name, fold_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.notebook.magic.lookahead import SurveyWords
    from alchemer_nb.survey.definition import Definition, Question

RELATIVE_DATES = ("today", "yesterday", "7d", "2w", "3m", "1y")
_EQUALITY, _ORDER = ("=", "<>", "in"), tuple(COMPARISONS)
_NULL = ("IS NULL", "IS NOT NULL")


def complete_condition(known: SurveyWords, text: str) -> tuple[str, list[str]]:
    """Return the end of a condition that a completion replaces, and the completions.

    Args:
        known: The survey.
        text: The line up to the cursor.
    """
    found = text_after_operator(text)
    if found is not None:
        value, is_list = found
        before = text[: len(text) - len(value)]
        return _complete_value(known.survey, before, value, is_list)
    parts = split_field(text)
    if parts is None:
        fragment = text.lstrip()
        return fragment, [] if fragment.startswith("#") else _fields(known, fragment)
    field, fragment = parts
    typed = " ".join(fragment.upper().split())
    return fragment, [o for o in _operators(known.survey, field) if o.upper().startswith(typed)]


def _fields(known: SurveyWords, typed: str) -> list[str]:
    """Return what can begin a condition."""
    survey = known.survey
    asked = list_questions(survey)
    if typed.startswith("["):
        names = [f"[question({question.id})]" for question in asked]
    else:
        names = [alias_to_name(each.alias) or f"q{each.id}" for each in asked]
    urls = [f'[url("{name}")]' for name in known.urls]
    every = dict.fromkeys([*names, *FIELDS, *urls])
    folded = typed.casefold()
    found = [name for name in every if name.casefold().startswith(folded)]
    if typed:  # the columns of options and rows are written as conditions on their question
        columns = describe_columns(survey)
        fitting = (way for name, way in columns.items() if name.casefold().startswith(folded))
        found += [way for way in fitting if way.removesuffix(" =") not in every]
    return [escape_expressions(name) for name in dict.fromkeys(found) if is_visible(name)]


def _operators(survey: Definition, field: str) -> tuple[str, ...]:
    """Return the operators that make sense with a field."""
    name = field.casefold()
    if name in DATE_FIELDS:
        return ("=", *_ORDER)
    if name in FIELDS:
        return (*_EQUALITY, *_NULL) if name == "contact_id" else _EQUALITY
    question, option_id = _find_question(survey, field)
    if question is None:
        return (*_EQUALITY, *_NULL) if URL_FIELD.fullmatch(field) else ()
    if option_id is None and takes_comparison(survey, question):
        return (*_EQUALITY, *_ORDER, *_NULL)
    return (*_EQUALITY, *_NULL)


def _complete_value(
    survey: Definition, before: str, value: str, is_list: bool
) -> tuple[str, list[str]]:
    start = _last_piece(value) if is_list else 0
    fragment = value[start:].lstrip(" \t([" if is_list else " \t")
    if _is_in_comment(value):
        return "", []
    typed = fold_title(fragment.lstrip("".join(QUOTES)))
    given = {fold_title(each) for each in _given(value[:start])}
    # A value may not touch a word such as `in`.
    blank = "" if value else " "
    candidates = [
        f"{blank}{escape_expressions(quote_if_needed(label))}"
        for label in dict.fromkeys(_values(survey, before))
        if fold_title(label).startswith(typed) and fold_title(label) not in given
    ]
    return fragment, candidates


def _is_in_comment(value: str) -> bool:
    return not any(mark in value for mark in QUOTES) and any(
        begins_comment(value, at) for at in range(len(value)) if value[at] == "#"
    )


def _values(survey: Definition, before: str) -> Iterator[str]:
    """Yield the values that a field takes."""
    field, operator = split_field(before) or ("", "")
    name = field.casefold()
    if name in DATE_FIELDS:
        yield from RELATIVE_DATES
    elif name == "status":
        yield from STATUSES
    elif name == "is_test_data":
        yield from ("true", "false")
    else:
        question, option_id = _find_question(survey, field)
        if question is not None:
            for option in list_options(survey, question, option_id):
                label = option.label(survey.language)
                is_step = not (option.is_not_applicable and operator.strip() in _ORDER)
                if is_step and is_visible(label):
                    yield label


def _find_question(survey: Definition, field: str) -> tuple[Question | None, str | None]:
    found = QUESTION_FIELD.fullmatch(field)
    name, option_id = (found[1], found[2]) if found else (field.strip("\"'"), None)
    try:
        return find_question(survey, name), option_id
    except ValueError:
        return None, None


def _last_piece(text: str) -> int:
    """Return where the last value of a list begins."""
    start, quote = 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in QUOTES and not text[start:at].strip(" \t(["):
            quote = char
        elif char == ",":
            start = at + 1
    return start


def _given(text: str) -> Iterable[str]:
    try:
        return parse_values(text.lstrip(" \t(["))
    except ValueError:
        return ()
