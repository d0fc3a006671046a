"""Columns that the answers need and the definition does not have.

A deleted question or option, an unknown question type, a text at a closed list: each gets a
column of its own with a note, so that nothing received is lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from alchemer_nb.survey.columns import (
    MEMBER,
    SECOND_ANSWER,
    AnswerColumn,
    column_id,
    comment_column,
    is_before_edit,
    is_comment,
    is_open,
    other_column,
    plan_columns,
    plan_piped_row,
    raw_column,
)
from alchemer_nb.survey.definition import Option, Question
from alchemer_nb.survey.piped_rows import parent_of_row, piped_row, shown_row_id
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

_REMOVED = "the question is no longer in the definition"


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
    planned = plan_columns(survey)
    of_rows = plan_piped_rows(survey, answers)
    found = list(_unknown_paths(survey, [*planned, *of_rows], answers))
    # Edits are few, so their columns, as the others of metadata, depend on the rows at hand.
    edits = [column for column, _ in found if is_before_edit(column.path)]
    hidden = [column for column in edits if metadata != "all" or not renderer.count(column)]
    for column in hidden:
        if column.path[0] not in answers.piped_rows:  # whose ids have their texts
            renderer.note_edits(column)
    why = {column.path: text for column, text in found}
    unplanned = [*of_rows, *(column for column, _ in found if column not in hidden)]
    unknown = _with_shown_ids(unplanned, planned)
    for column in unknown:
        if column.path in why:
            renderer.note(column, why[column.path])
        spellings = len(answers.piped_rows.get(column.path[0], ()))
        if spellings > 1:
            renderer.note(column, f"the text of the row came in {spellings} spellings")
    return arrange_columns(survey, unknown, renderer)


def plan_piped_rows(survey: Definition, answers: Answers) -> list[AnswerColumn]:
    """Return the columns of the rows that the definition lacks, with ids that no names have yet."""
    rows = _piped_rows(survey, answers).values()
    return [column for parent, row in rows for column in plan_piped_row(parent, row)]


def _piped_rows(survey: Definition, answers: Answers) -> dict[str, tuple[Question, Question]]:
    """Return id -> question and row, of the rows that the definition lacks.

    Of several spellings the first one in alphabetical order is the row's text, so that it does not
    depend on which response came first.
    """
    known = _questions_by_id(survey)
    rows = {}
    for own, texts in answers.piped_rows.items():
        parent = known.get(parent_of_row(own)) or Question(parent_of_row(own), "", "", {})
        rows[own] = parent, piped_row(parent, own, min(texts), survey.language)
    return rows


def _questions_by_id(survey: Definition) -> dict[str, Question]:
    return {question.id: question for question in reversed([*survey.walk()])}


def _with_shown_ids(
    columns: Iterable[AnswerColumn], planned: Iterable[AnswerColumn]
) -> list[AnswerColumn]:
    """Return columns, those of piped rows with ids as names have them, and all ids different."""
    of_rows: dict[str, list[AnswerColumn]] = {}
    result: list[AnswerColumn] = []
    for column in columns:
        if column.piped:
            of_rows.setdefault(column.path[0], []).append(column)
        else:
            result.append(column)
    short = {own: [_with_shown_id(c) for c in some] for own, some in of_rows.items()}
    everything = chain(planned, result, *short.values())
    often = Counter(column.id for column in everything)
    for own, some in of_rows.items():
        is_clash = any(often[column.id] > 1 for column in short[own])
        result += [_with_shown_id(c, in_full=True) for c in some] if is_clash else short[own]
    return result


def _with_shown_id(column: AnswerColumn, *, in_full: bool = False) -> AnswerColumn:
    own = column.path[0]
    shown = shown_row_id(own, in_full=in_full)
    column_id_ = f"q{shown}{column.id.removeprefix(f'q{own}')}"
    return replace(column, id=column_id_, question=replace(column.question, id=shown))


class Companions(Protocol):
    """What decides which columns need another one, of write-ins or of raw answers."""

    def has_raw(self, column: AnswerColumn) -> bool:
        """Check whether some answers, as received, cannot be read from the column."""

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
    unknown = sorted(unknown, key=lambda column: _path_sort_key(column.path))
    ids = {column.id for column in (*planned, *unknown)}
    columns: list[AnswerColumn] = []
    for column in planned:
        columns.append(column)
        columns.extend(x for x in _unplanned_companions(column, companions) if x.id not in ids)
    extra = [x for c in unknown for x in (c, *_unplanned_companions(c, companions))]
    return _insert(survey, columns, extra)


def _unplanned_companions(column: AnswerColumn, companions: Companions) -> Iterator[AnswerColumn]:
    """Yield the columns of write-ins and raw answers that the definition does not announce.

    A piped row has those that it would have if it were in the definition.
    """
    is_answer = column.part in ("answer", "item")
    if is_answer and ((column.piped and is_open(column)) or companions.has_raw(column)):
        yield replace(raw_column(column), planned=False)
    # A grid cell repeats the label of its column: that is no write-in.
    chosen = column.part in ("answer", "option") and not column.is_cell
    options = column.choices if column.option is None else (column.option,)
    is_due = column.piped and any(option.is_other for option in options)
    is_choice = chosen and column.kind in ("category", "number", "boolean")
    if is_choice and (is_due or companions.has_other(column)):
        yield other_column(column, planned=False)


def _unknown_paths(
    survey: Definition, planned: Iterable[AnswerColumn], answers: Answers
) -> Iterator[tuple[AnswerColumn, str]]:
    """Yield columns for answers at unknown paths, with the reason for each."""
    taken = {column.path for column in planned}
    known, piped = _questions_by_id(survey), _piped_rows(survey, answers)
    for path in answers.leaves.keys() - taken:
        leaf = answers.leaves[path]
        if path[0] in piped:
            parent, row = piped[path[0]]
            column, why = _unknown_part(row, parent, path, leaf, survey.language)
            if parent.id not in known:
                column, why = replace(column, removed=True), _REMOVED
            yield replace(column, parent=parent, piped=True), why
        elif path[0] in known:
            question = known[path[0]]
            yield _unknown_part(question, known.get(question.parent), path, leaf, survey.language)
        else:
            text, kind = answers.unknown_questions.get(path[0], ("", ""))
            titles = {survey.language: text} if text else {}
            deleted = Question(path[0], kind.upper(), "", titles)
            column = _leaf_column(deleted, None, path, leaf, survey.language)
            yield replace(column, removed=True), _REMOVED


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
    word = question.key or question.type
    if word and not is_known(question):
        return f"the question type {word!r} is not known: kept as received"
    if is_before_edit(path):
        return "the earlier value of the answer, such as a reporting value that has changed since"
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
        own = each.parent.id if each.piped and each.parent else each.path[0]
        after.setdefault(insert_after.get(own), []).append(each)
    placed = after.get(-1, [])
    for number, column in enumerate(columns):
        placed += [column, *after.get(number, ())]
    return placed + after.get(None, [])


def _path_sort_key(path: AnswerPath) -> tuple[tuple[int, int, str], ...]:
    numbers = map(id_number, path)
    return tuple((1, 0, p) if n is None else (0, n, "") for p, n in zip(path, numbers, strict=True))
