"""Which columns a survey gives, decided by its definition alone.

Same survey, same columns, whichever responses came: a question nobody answered has its column.
What only the answers bring stands in ``extras``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from alchemer_nb.survey.answer_paths import COMMENT, MEMBER, Path
from alchemer_nb.survey.definition import Definition, Option, Question
from alchemer_nb.survey.question_types import (
    GRID_CELLS,
    GRID_SINGLE,
    GROUP,
    ITEMS,
    MENU_GRID,
    MULTI,
    NUMBER,
    SINGLE,
    TABLE,
    TEXT,
    Kind,
    is_asked,
    is_multi,
    question_key,
)
from alchemer_nb.wire.ids import is_option_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Column",
    "Kind",
    "Part",
    "is_asked",
    "is_multi",
    "is_open",
    "is_scale",
    "other_column",
    "plan",
    "question_key",
    "raw_column",
]

Part = Literal["answer", "option", "item", "list", "other", "comment", "raw", "leaf"]
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One output column, before it has a name.

    Attributes:
        id: Its name with ``names="id"``, such as ``"q21_10031"``.
        kind: What its values are.
        path: Where its answers stand.
        question: The question, the row of a grid, or the part of a group or custom table.
        parent: The grid, group or table that the question is part of.
        part: Which part of the question it is.
        option: The option or grid column that it stands for.
        choices: The options a category may take, or a list may hold, in order.
        parts: The columns of options that a list stands for.
        planned: False for what the definition did not announce.
        removed: The question or option is no longer in the definition.
    """

    id: str
    kind: Kind
    path: Path
    question: Question
    parent: Question | None = None
    part: Part = "answer"
    option: Option | None = None
    choices: tuple[Option, ...] = ()
    parts: tuple[Column, ...] = ()
    planned: bool = True
    removed: bool = False

    @property
    def is_cell(self) -> bool:
        """Whether it is one cell of a grid: all cells of an answered row are in the payload."""
        return self.parent is not None and question_key(self.parent) in GRID_CELLS


def plan(survey: Definition) -> list[Column]:
    """The columns of a survey in the order in which it asks."""
    return [column for question in survey.questions for column in _columns(question)]


def _columns(
    question: Question, parent: Question | None = None, above: Path = (), depth: int = 0
) -> Iterator[Column]:
    """Columns of a question and all that is part of it.

    Args:
        question: The question.
        parent: The group, grid or table it is part of.
        above: Where the answers of its custom table stand.
        depth: How deep it lies; a definition that nests deeper refers to itself.
    """
    if not is_asked(question) or depth > _DEEPEST:
        return
    key = question_key(question)
    path = (*above, question.id)
    if key in GROUP:
        for part in question.rows:
            yield from _columns(part, question, depth=depth + 1)
    elif key == TABLE or (question.rows and all(is_option_id(row.id) for row in question.rows)):
        yield from _table(question, depth)
    elif question.rows:
        yield from _grid(question, key, depth)
    else:
        yield from _plain_columns(question, key, parent, path)
    if question.has_comment:
        yield comment_column(question, path)


def _table(table: Question, depth: int) -> Iterator[Column]:
    """Columns of a custom table; the ids of its columns count anew in each table."""
    for part in table.rows:
        above = (table.id,) if is_option_id(part.id) else ()
        yield from _columns(part, table, above, depth + 1)
    if not table.rows:  # only the columns' words are known, not their types
        for option in table.options:
            yield part_column(table, option, "text")


def _grid(grid: Question, key: str, depth: int) -> Iterator[Column]:
    for row in grid.rows:
        options = row.options or grid.options
        if key in GRID_CELLS:
            for option in grid.options:
                yield part_column(row, option, GRID_CELLS[key], grid)
        elif key == MENU_GRID and question_key(row) not in SINGLE:
            for option in grid.options:
                yield _menu_cell(row, option, grid)
        elif key in ITEMS:  # each row is an item, and what is chosen is its rank
            path = (row.id,)
            yield Column(name(path), ITEMS[key], path, row, grid, choices=options)
        elif key in GRID_SINGLE or key == MENU_GRID:
            yield from single(row, options, grid)
        else:  # an unknown grid: each row by its own type
            yield from _columns(replace(row, options=options), grid, depth=depth + 1)


def _menu_cell(row: Question, option: Option, grid: Question) -> Column:
    """A cell with a list of its own, whose words stand in the row's ``limits`` without ids."""
    column = part_column(row, option, "text", grid)
    limits = row.properties.get("limits") or grid.properties.get("limits")
    words = [str(word) for word in limits if word] if isinstance(limits, (list, tuple)) else []
    choices = tuple(Option(word, {}, word) for word in dict.fromkeys(words))
    return replace(column, kind="category", choices=choices) if choices else column


def _plain_columns(
    question: Question, key: str, parent: Question | None, path: Path
) -> Iterator[Column]:
    """Columns of a question that has neither rows nor parts."""
    if key in SINGLE:
        yield from single(question, question.options, parent, path)
    elif key in MULTI:
        yield from _multi(question, parent, path)
    elif key in NUMBER or key == "date":
        yield from _typed(question, "date" if key == "date" else "number", parent, path)
    elif key in ITEMS:
        for option in question.options:
            yield part_column(question, option, ITEMS[key], parent, path)
    elif key in TEXT:
        yield Column(name(path), "text", path, question, parent)


def name(path: Path) -> str:
    """The id of the column at a path."""
    return "_".join(("q" + path[0], *pieces(path)))


def pieces(path: Path) -> list[str]:
    """What a path says below its question."""
    return [piece for piece in path[1:] if piece != MEMBER]


def single(
    question: Question,
    options: tuple[Option, ...],
    parent: Question | None = None,
    path: Path | None = None,
) -> Iterator[Column]:
    """Columns of a question with one choice: the choice, and what was written in."""
    path = path or (question.id,)
    kind: Kind = "number" if is_scale(options) else "category"
    column = Column(name(path), kind, path, question, parent, choices=options)
    yield column
    if any(option.is_other for option in options):
        yield other_column(column)


def other_column(column: Column, *, planned: bool = True) -> Column:
    """What was written in at a single choice, or at one option of several."""
    return replace(
        column, id=f"{column.id}_other", kind="text", part="other", planned=planned
    )  # fmt: skip


def comment_column(question: Question, path: Path) -> Column:
    """What was written into a question's comment box."""
    return Column(
        f"{name(path)}_comment", "text", (*path, COMMENT), question, None, "comment"
    )  # fmt: skip


def raw_column(column: Column) -> Column:
    """What does not fit a column of numbers or dates, as received."""
    return replace(
        column, id=f"{column.id}_raw", kind="text", part="raw", planned=is_open(column)
    )  # fmt: skip


def is_open(column: Column) -> bool:
    """Whether people type the value, so that anything may stand there."""
    return column.kind in ("number", "date") and not column.choices and column.option is None


def part_column(
    question: Question,
    option: Option,
    kind: Kind,
    parent: Question | None = None,
    path: Path | None = None,
) -> Column:
    """One option, item or grid cell of a question."""
    part: Part = "option" if kind == "boolean" else "item"
    path = (*(path or (question.id,)), option.id)
    return Column(name(path), kind, path, question, parent, part, option)


def _multi(question: Question, parent: Question | None, path: Path) -> Iterator[Column]:
    for option in question.options:
        column = part_column(question, option, "boolean", parent, path)
        yield column
        if option.is_other:
            yield other_column(column)


def _typed(question: Question, kind: Kind, parent: Question | None, path: Path) -> Iterator[Column]:
    # Options of a slider or a text box are no list to choose from: what was answered counts.
    choices = question.options if question_key(question) == "radio-nps" else ()
    column = Column(name(path), kind, path, question, parent, choices=choices)
    yield column
    if is_open(column):
        yield raw_column(column)


def is_scale(options: Iterable[Option]) -> bool:
    """Whether every option is a number, in its words and in its reporting value."""
    texts = [text for o in options for text in (o.value, *(o.label(k) for k in o.titles))]
    return bool(texts) and all(_is_number(text) for text in texts)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "-inf", "infinity")
