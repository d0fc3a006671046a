"""Columns that only the answers bring: the definition does not announce them.

A question deleted since, an option taken out, a type nobody knows, a text where a list was closed:
each has a column of its own, marked and noted, so that nothing received is lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alchemer_nb.survey.columns import (
    AGAIN,
    COMMENT,
    Column,
    column_id,
    other_column,
    plan,
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
    from alchemer_nb.frame.values import Renderer
    from alchemer_nb.survey.columns import Part, Path
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.survey.question_types import Kind


def all_columns(survey: Definition, answers: Answers, renderer: Renderer) -> list[Column]:
    """The planned columns, and beside them what only the answers brought.

    Args:
        survey: The definition.
        answers: All answers of the download.
        renderer: Its notes say why a column is there.
    """
    planned = plan(survey)
    ids = {column.id for column in planned}
    columns: list[Column] = []
    for column in planned:
        columns.append(column)
        columns.extend(x for x in _beside(column, renderer) if x.id not in ids)
    extra = []
    for column, why in _unannounced(survey, planned, answers):
        renderer.notes.add(column, why)
        extra += [column, *_beside(column, renderer)]
    return _placed(survey, columns, extra)


def _beside(column: Column, renderer: Renderer) -> Iterator[Column]:
    """What is written in, or does not fit, where the definition did not expect it."""
    if column.part in ("answer", "item") and renderer.has_raw(column):
        yield replace(raw_column(column), planned=False)
    # A cell of a grid holds its column's words, which are nothing written in.
    chosen = column.part in ("answer", "option") and not column.is_cell
    if chosen and column.kind in ("category", "number", "boolean") and renderer.has_other(column):
        yield other_column(column, planned=False)


def _unannounced(
    survey: Definition, planned: Iterable[Column], answers: Answers
) -> Iterator[tuple[Column, str]]:
    """Columns for answers at places that the definition does not announce, and why."""
    taken = {column.path for column in planned}
    known: dict[str, tuple[Question, Question | None]] = {}
    for question in survey.questions:
        for each, parent in _with_parents(question, None):
            known.setdefault(each.id, (each, parent))
    for path in sorted(set(answers.leaves) - taken, key=_in_order):
        leaf = answers.leaves[path]
        if path[0] in known:
            yield _part_of(*known[path[0]], path, leaf, survey.language)
        else:
            said, kind = answers.unknown_questions.get(path[0], ("", ""))
            words = {survey.language: said} if said else {}
            gone = Question(path[0], kind.upper(), "", words)
            column = _leaf(gone, None, path, leaf, survey.language)
            yield replace(column, removed=True), "the question is no longer in the definition"


def _with_parents(
    question: Question, parent: Question | None
) -> Iterator[tuple[Question, Question | None]]:
    yield question, parent
    for row in question.rows:
        yield from _with_parents(row, question)


def _part_of(
    question: Question, parent: Question | None, path: Path, leaf: Leaf, language: str
) -> tuple[Column, str]:
    """A part that a known question does not have, or has no longer."""
    column = _leaf(question, parent, path, leaf, language)
    if path[-1] == COMMENT and len(path) > 1:
        return column, "a comment box is not in the definition"
    below = path[1:]
    if question_key(question) == TABLE and question.rows and below:
        inner = next((row for row in question.rows if row.id == path[1]), None)
        if inner is None:
            return replace(column, removed=True), "the column is no longer in the definition"
        column = replace(column, question=inner, parent=question)
        question, parent, below = inner, question, path[2:]
    kind = _kind_of_part(question, parent)
    if kind is None or len(below) != 1 or below[0] == AGAIN:
        return column, _why_leaf(question, path)
    part: Part = "option" if kind == "boolean" else "item"
    column = replace(column, kind=kind, part=part, removed=True)
    return column, "the option is no longer in the definition"


def _kind_of_part(question: Question, parent: Question | None) -> Kind | None:
    """What each option, item or cell of a question holds; None where it has none."""
    grid = question_key(parent) if parent is not None else ""
    key = question_key(question)
    if grid in GRID_CELLS:
        return GRID_CELLS[grid]
    return "boolean" if key in MULTI else ITEMS.get(key)


def _why_leaf(question: Question, path: Path) -> str:
    if path[-1] == AGAIN:
        return "a response answered twice here, and differently: the second answer"
    if not is_known(question):
        word = question.key or question.type
        return f"the question type {word!r} is not known: kept as received"
    return "the definition does not announce an answer here: kept as received"


def _leaf(
    question: Question, parent: Question | None, path: Path, leaf: Leaf, language: str
) -> Column:
    if path[-1] == COMMENT and len(path) > 1:
        return Column(
            f"{column_id(path[:-1])}_comment",
            "text",
            path,
            question,
            None,
            "comment",
            planned=False,
        )
    return Column(
        column_id(path),
        "text",
        path,
        question,
        parent,
        "leaf",
        _option(path, leaf, language) if len(path) > 1 else None,
        planned=False,
    )


def _option(path: Path, leaf: Leaf, language: str) -> Option:
    """What the answers tell of an option: its words, and its value if all have the same."""
    labels = (str(atom.label) for atom in leaf.atoms if atom.label not in (None, ""))
    label = next(labels, "")
    values = {str(atom.answer) for atom in leaf.atoms if atom.answer not in (None, "")}
    value = values.pop() if len(values) == 1 else ""
    return Option(path[-1], {language: label} if label else {}, value)


def _placed(survey: Definition, columns: list[Column], extra: list[Column]) -> list[Column]:
    """Puts what was not announced after its question, or at the end where that is unknown."""
    own = {column.path[0]: place for place, column in enumerate(columns)}
    last: dict[str, int] = {}
    place = -1
    for question in survey.questions:
        everything = [each.id for each in question.walk()]
        place = max((own[each] for each in everything if each in own), default=place)
        last.update((each, own.get(each, place)) for each in everything)
    after: dict[int | None, list[Column]] = {}
    for each in extra:
        after.setdefault(last.get(each.path[0]), []).append(each)
    placed = after.get(-1, [])
    for place, column in enumerate(columns):
        placed += [column, *after.get(place, ())]
    return placed + after.get(None, [])


def _in_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    numbers = map(id_number, path)
    return tuple((1, 0, p) if n is None else (0, n, "") for p, n in zip(path, numbers, strict=True))
