"""Columns that the answers need and the definition does not have.

A deleted question or option, an unknown question type, a text at a closed list: each gets a
column of its own with a note, so that nothing received is lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from alchemer_nb.survey.columns import (
    MEMBER,
    SECOND_ANSWER,
    AnswerColumn,
    column_id,
    comment_column,
    is_before_edit,
    is_comment,
    other_column,
    plan_columns,
    raw_column,
)
from alchemer_nb.survey.definition import Option, Question
from alchemer_nb.survey.question_types import (
    GRID_CELLS,
    ITEMS,
    MULTI,
    TABLE,
    is_known,
    question_key,
)
from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.decode.leaves import Leaf
    from alchemer_nb.frame.options import Metadata
    from alchemer_nb.frame.values import Renderer
    from alchemer_nb.survey.columns import AnswerPath, Part
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.survey.question_types import Kind


def all_columns(
    survey: Definition, answers: Answers, renderer: Renderer, metadata: Metadata = "all"
) -> list[AnswerColumn]:
    """Return the planned columns and those that only the answers need.

    Args:
        survey: The definition.
        answers: All answers of the download.
        renderer: Takes notes of why a column was added.
        metadata: Answers before an edit have columns with ``"all"``, else they are counted.
    """
    unknown = []
    for column, why in _unknown_paths(survey, plan_columns(survey), answers):
        if is_before_edit(column.path) and metadata != "all":
            renderer.note_edits(column)
        else:
            renderer.note(column, why)
            unknown.append(column)
    return arrange_columns(survey, unknown, renderer)


class Companions(Protocol):
    """What says which columns need another column beside them."""

    def has_raw(self, column: AnswerColumn) -> bool:
        """Check for answers that the column cannot tell as received."""

    def has_other(self, column: AnswerColumn) -> bool:
        """Check for write-ins."""


def arrange_columns(
    survey: Definition, unknown: Iterable[AnswerColumn], companions: Companions
) -> list[AnswerColumn]:
    """Return the planned columns and, in their places, those that are not planned.

    Args:
        survey: The definition.
        unknown: The columns of answers at unknown paths.
        companions: Says which columns of write-ins and raw answers there are.
    """
    planned = plan_columns(survey)
    ids = {column.id for column in planned}
    columns: list[AnswerColumn] = []
    for column in planned:
        columns.append(column)
        columns.extend(x for x in _unplanned_companions(column, companions) if x.id not in ids)
    unknown = sorted(unknown, key=lambda column: _path_sort_key(column.path))
    extra = [x for c in unknown for x in (c, *_unplanned_companions(c, companions))]
    return _insert(survey, columns, extra)


def _unplanned_companions(column: AnswerColumn, companions: Companions) -> Iterator[AnswerColumn]:
    """Yield the columns of write-ins and raw answers that the definition does not announce."""
    if column.part in ("answer", "item") and companions.has_raw(column):
        yield replace(raw_column(column), planned=False)
    # A grid cell repeats the label of its column: that is no write-in.
    chosen = column.part in ("answer", "option") and not column.is_cell
    if chosen and column.kind in ("category", "number", "boolean") and companions.has_other(column):
        yield other_column(column, planned=False)


def _unknown_paths(
    survey: Definition, planned: Iterable[AnswerColumn], answers: Answers
) -> Iterator[tuple[AnswerColumn, str]]:
    """Yield columns for answers at unknown paths, with the reason for each."""
    taken = {column.path for column in planned}
    known: dict[str, Question] = {}
    for question in survey.walk():
        known.setdefault(question.id, question)
    for path in answers.leaves.keys() - taken:
        leaf = answers.leaves[path]
        if path[0] in known:
            question = known[path[0]]
            yield _unknown_part(question, known.get(question.parent), path, leaf, survey.language)
        else:
            text, kind = answers.unknown_questions.get(path[0], ("", ""))
            titles = {survey.language: text} if text else {}
            deleted = Question(path[0], kind.upper(), "", titles)
            column = _leaf_column(deleted, None, path, leaf, survey.language)
            yield replace(column, removed=True), "the question is no longer in the definition"


def _unknown_part(
    question: Question, parent: Question | None, path: AnswerPath, leaf: Leaf, language: str
) -> tuple[AnswerColumn, str]:
    """Return the column, and why it is there, of an unknown part of a known question."""
    column = _leaf_column(question, parent, path, leaf, language)
    if not is_known(question) and column.option is not None:  # its words may be an answer
        column = replace(column, option=Option(path[-1], {}, ""))
    if is_comment(path):
        return column, "a comment box is not in the definition"
    below = path[1:]
    if question_key(question) == TABLE and question.rows and below:
        inner = next((row for row in question.rows if row.id == path[1]), None)
        if inner is None:
            return replace(column, removed=True), "the column is no longer in the definition"
        column = replace(column, question=inner, parent=question)
        question, parent, below = inner, question, path[2:]
    kind = _kind_of_part(question, parent)
    if kind is None or len(below) != 1 or below[0] == SECOND_ANSWER:
        return column, _reason_of_leaf(question, path)
    part: Part = "option" if kind == "boolean" else "item"
    option = _option_from_answers(path, leaf, language) if part == "option" else column.option
    column = replace(column, kind=kind, part=part, option=option, removed=True)
    return column, "the option is no longer in the definition"


def _kind_of_part(question: Question, parent: Question | None) -> Kind | None:
    """Return the kind of the options, items or cells of a question; None if it has none."""
    grid = question_key(parent) if parent is not None else ""
    key = question_key(question)
    if grid in GRID_CELLS:
        return GRID_CELLS[grid]
    return "boolean" if key in MULTI else ITEMS.get(key)


def _reason_of_leaf(question: Question, path: AnswerPath) -> str:
    if path[-1] == SECOND_ANSWER:
        return "a response answered twice here, and differently: the second answer"
    if not is_known(question):
        word = question.key or question.type
        return f"the question type {word!r} is not known: kept as received"
    if is_before_edit(path):
        return "the answer before it was edited"
    if MEMBER in path:
        return "this part of an answer is not documented: kept as received"
    return "the definition does not announce an answer here: kept as received"


def _leaf_column(
    question: Question, parent: Question | None, path: AnswerPath, leaf: Leaf, language: str
) -> AnswerColumn:
    if is_comment(path):
        return comment_column(question, path[:-1], planned=False)
    option = None
    if len(path) > 1:  # without a value, which may be what somebody typed
        option = replace(_option_from_answers(path, leaf, language), value="")
    return AnswerColumn(
        column_id(path), "text", path, question, parent, "leaf", option, planned=False
    )


def _option_from_answers(path: AnswerPath, leaf: Leaf, language: str) -> Option:
    """Return an option as the answers describe it; with a value only if all have the same."""
    label = next((str(raw.label) for raw in leaf.raw_answers if raw.label not in (None, "")), "")
    values = {str(raw.answer) for raw in leaf.raw_answers if raw.answer not in (None, "")}
    value = values.pop() if len(values) == 1 else ""
    return Option(path[-1], {language: label} if label else {}, value)


def _insert(
    survey: Definition, columns: list[AnswerColumn], extra: list[AnswerColumn]
) -> list[AnswerColumn]:
    """Insert the extra columns after their questions, those of unknown ones at the end."""
    last_column = {column.path[0]: number for number, column in enumerate(columns)}
    insert_after: dict[str, int] = {}
    number = -1
    for question in survey.questions:
        ids = [each.id for each in question.walk()]
        number = max((last_column[each] for each in ids if each in last_column), default=number)
        insert_after.update({each: last_column.get(each, number) for each in ids})
    after: dict[int | None, list[AnswerColumn]] = {}
    for each in extra:
        after.setdefault(insert_after.get(each.path[0]), []).append(each)
    placed = after.get(-1, [])
    for number, column in enumerate(columns):
        placed += [column, *after.get(number, ())]
    return placed + after.get(None, [])


def _path_sort_key(path: AnswerPath) -> tuple[tuple[int, int, str], ...]:
    numbers = map(id_number, path)
    return tuple((1, 0, p) if n is None else (0, n, "") for p, n in zip(path, numbers, strict=True))
