"""Find the question that a condition names; explain the names that no filter can ask for.

Fields that Alchemer filters by: https://apihelp.alchemer.com/help/filters-v5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from alchemer_nb.survey.condition_values import check_values, refuse_custom_table
from alchemer_nb.survey.question_types import Names
from alchemer_nb.wire.quoting import quote_if_needed
from alchemer_nb.wire.text import alias_to_name, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition, Question

FIELDS = ("status", "date_submitted", "date_updated", "is_test_data", "contact_id")
_IN_FRAME = "which Alchemer's filters cannot ask for; download, and choose the rows of the frame"


def find_question(survey: Definition, name: str) -> Question:
    """Return the question that a condition names.

    Raises:
        ValueError: There is none, or it has no filter; the text says what can be written instead.
    """
    try:
        return survey.question(name)
    except KeyError:
        pass
    everything = list(survey.walk())
    same = [q for q in everything if name and name in (q.alias, alias_to_name(q.alias))]
    if same:
        which = " or ".join(f"[question({q.id})]" for q in same)
        raise ValueError(f"several questions have the alias {name!r}; write {which}")
    known = _refuse_column(survey, name)
    _refuse_metadata(name)
    _refuse_piped_row(everything, name, known)
    aliases = [q.alias for q in everything if q.alias]
    hint = did_you_mean(
        name, [*FIELDS, *aliases, *known], f"; fields are {', '.join(FIELDS)}, an alias"
    )
    raise ValueError(f"{name[:40]!r} is neither a field nor a question of this survey{hint}")


def _refuse_column(survey: Definition, name: str) -> list[str]:
    """Refuse the name of a column of answers; return the names that columns have by default."""
    from alchemer_nb.survey.columns import STANDARD_FIELDS, name_columns, plan_columns

    columns = plan_columns(survey)
    by_default: list[str] = []
    for names in get_args(Names):  # as `responses(names=…)` writes them
        found = name_columns(columns, survey, names, STANDARD_FIELDS)
        for own, column in zip(found, columns, strict=True):
            if name == own:
                what, condition = _describe_column(survey, column)
                way = f": write {condition}" if condition else f", {_IN_FRAME}"
                raise ValueError(f"{name[:60]!r} {what}{way}")
            if name == f"{own}_code" and column.kind == "category" and column.part == "answer":
                field = _write_field(survey, column.question)
                raise ValueError(
                    f"{name[:60]!r} holds the codes of {field}: write {field} = …, with a label or "
                    "a code"
                )
        by_default = by_default or found
    return by_default


def describe_columns(survey: Definition) -> dict[str, str]:
    """Return the columns of answers that a condition can ask for, with its beginning."""
    from alchemer_nb.survey.columns import STANDARD_FIELDS, name_columns, plan_columns

    columns, found = plan_columns(survey), {}
    names = name_columns(columns, survey, "alias", STANDARD_FIELDS)
    for name, column in zip(names, columns, strict=True):
        try:
            condition = _describe_column(survey, column)[1]
        except ValueError:  # of a custom table
            continue
        if condition:
            found[name] = condition.removesuffix(" …")
    return found


def _describe_column(survey: Definition, column: AnswerColumn) -> tuple[str, str]:
    """Return what a column is, and the condition that asks for it; ``""`` if none can."""
    question, option = column.question, column.option
    field = _write_field(survey, question)
    refuse_custom_table(question)
    if column.part == "comment":
        return f"holds the comments on {field}", ""
    if column.part == "raw":
        return f"holds answers to {field} as received", ""
    if column.part == "other":
        option = option or next(each for each in column.choices if each.is_other)
        return "holds what people wrote in", f"{_write_part(question, option.id)} = …"
    if option is None:
        above = (
            f"a part of {_write_field(survey, column.parent)}" if column.parent else "a question"
        )
        return f"is {above}", f"{field} = …"
    if column.part != "option":
        kind = "cell" if column.is_cell else "item"
        return f"is one {kind} of {field}", f"{_write_part(question, option.id)} = …"
    label = option.label(survey.language)
    try:
        if column.is_cell:
            raise ValueError
        check_values(survey, question, None, "=", (label,))
    except ValueError:  # of a grid, or with the label of another option
        return f"is one option of {field}", f"{_write_part(question, option.id)} IS NOT NULL"
    return f"is one option of {field}", f"{field} = {quote_if_needed(label)}"


def _write_field(survey: Definition, question: Question) -> str:
    """Return what means a question at the start of a condition: its alias, else its id."""
    alias = alias_to_name(question.alias)
    try:
        is_alias = alias not in FIELDS and survey.question(alias).id == question.id
    except KeyError:
        is_alias = False
    return alias if is_alias else f"q{question.id}"


def _write_part(question: Question, option_id: str) -> str:
    return f"[question({question.id}), option({option_id})]"


def _refuse_metadata(name: str) -> None:
    """Refuse a column of metadata or of a url variable."""
    from alchemer_nb.survey.columns import META_FIELDS, URL

    if name in (*META_FIELDS, "data_quality", "response_id"):
        raise ValueError(f"{name!r} is a field of responses, {_IN_FRAME}")
    variable = name.removeprefix(URL)
    if variable and variable != name:
        raise ValueError(f'{name[:60]!r} is a url variable: write [url("{variable[:60]}")] = …')


def _refuse_piped_row(questions: Iterable[Question], name: str, known: Iterable[str]) -> None:
    """Refuse the column of a piped row, which the answers alone have, or of a removed option."""
    for question in questions:
        stems = [f"q{question.id}_"]
        if question.alias:
            stems.append(f"{alias_to_name(question.alias)}_")
        for stem in stems:
            if name.startswith(stem) and not name.removeprefix(stem).isdigit():
                near = did_you_mean(name, [each for each in known if each.startswith(stem)])
                raise ValueError(
                    f"{name[:60]!r} is no part of question {question.id} that the survey has{near}"
                    if near
                    else f"{name[:60]!r} is a part of question {question.id}, {_IN_FRAME}"
                )
