"""Plan and name the columns of a survey, from its definition alone.

The same survey has the same columns, whichever responses came: a question that nobody answered
has its column. ``frame.unplanned_columns`` adds those that only the answers bring. Names are
unique: aliases may repeat in Alchemer, texts may be anything, and metadata has names of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from alchemer_nb.survey import question_types
from alchemer_nb.survey.definition import Definition, Option, Question
from alchemer_nb.survey.question_types import Kind, Names, is_asked, is_grid, question_key
from alchemer_nb.wire.ids import has_digits_alone, id_text, is_option_id
from alchemer_nb.wire.text import alias_to_name, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

AnswerPath = tuple[str, ...]  # of ids: where in a response an answer is
COMMENT = "comment"  # the last item of the path of a comment
SECOND_ANSWER = "again"  # the last item, of a second, different answer in the same response
MEMBER = "member"  # the item before the name of an undocumented JSON member of an entry
ORIGINAL = "original_answer"  # the member with the earlier value of an answer
Part = Literal["answer", "option", "item", "list", "other", "comment", "raw", "leaf"]
META_FIELDS = (
    "id", "contact_id", "status", "is_test_data", "date_submitted", "session_id", "language",
    "date_started", "date_updated", "link_id", "ip_address", "referer", "user_agent",
    "response_time", "longitude", "latitude", "country", "city", "region", "postal", "dma",
)  # fmt: skip
STANDARD_FIELDS = (
    "status", "is_test_data", "date_started", "date_submitted", "date_updated", "response_time",
    "language", "link_id", "contact_id",
)  # fmt: skip
URL = "url_"  # how the name of the column of a url variable begins
INDEX = "response_id"  # of a frame; a column of this name would make reset_index fail
_DEEPEST = 4  # levels of nesting; a definition that nests deeper refers to itself
_RESERVED = {COMMENT, SECOND_ANSWER, MEMBER, "other", "raw"}  # names that other columns end with
_NAME_SUFFIXES = {"comment": "_comment", "raw": "_raw"}
TEXT_SUFFIXES = {"other": "other, written in", "comment": "comment", "raw": "as received"}


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column of answers, before it has a name.

    Attributes:
        id: Its name with ``names="id"``, such as ``"q21_10031"``.
        kind: Kind of its values.
        path: Path of its answers.
        question: The question, the row of a grid, or the part of a group or custom table.
        parent: The grid, group or table that the question is part of.
        part: What it holds: the ``answer``, one ``option`` or ``item``, a ``list`` of options, a
            write-in (``other``), a ``comment``, an answer that is no number or date (``raw``), or
            an answer that the definition does not announce (``leaf``).
        option: Its option or grid column.
        choices: The options that a category or list may hold, in order.
        option_columns: The columns of options that a list replaces.
        planned: False for a column that the definition did not announce.
        removed: The question or option is no longer in the definition.
        raw_kind: Kind of the column whose answers as received are in this one.
        piped: The row, whose text the question has, is piped: known from the answers alone.
    """

    id: str
    kind: Kind
    path: AnswerPath
    question: Question
    parent: Question | None = None
    part: Part = "answer"
    option: Option | None = None
    choices: tuple[Option, ...] = ()
    option_columns: tuple[AnswerColumn, ...] = ()
    planned: bool = True
    removed: bool = False
    raw_kind: Kind | None = None
    piped: bool = False

    @property
    def question_id(self) -> str:
        """The id that the survey knows the question by; a piped row has that of its grid."""
        return self.question.parent if self.piped else self.question.id

    @property
    def is_cell(self) -> bool:
        """True for one cell of a grid: all cells of an answered row are in the payload."""
        return self.parent is not None and question_key(self.parent) in question_types.GRID_CELLS


def plan_columns(survey: Definition) -> list[AnswerColumn]:
    """Return the columns of a survey in the order in which it asks."""
    return [column for question in survey.questions for column in _plan_question(question)]


def plan_piped_row(parent: Question, row: Question) -> list[AnswerColumn]:
    """Return the columns of a piped row, without those of write-ins and raw answers."""
    # The row may decide which type of grid it is; the columns need no other rows.
    grid = replace(parent, key=question_key(replace(parent, rows=(row,))), rows=(row,))
    is_row = is_grid(parent)
    planned = _plan_grid(grid, grid.key, depth=0) if is_row else _plan_question(row, parent)
    above = replace(grid, rows=())
    return [
        replace(column, parent=above, planned=False, piped=True)
        for column in planned
        if column.part not in ("raw", "other")
    ]


def _plan_question(
    question: Question, parent: Question | None = None, above: AnswerPath = (), depth: int = 0
) -> Iterator[AnswerColumn]:
    """Yield the columns of a question and of all its parts.

    Args:
        question: The question.
        parent: The group, grid or table it is part of.
        above: Path of its custom table.
        depth: Level of nesting.
    """
    if not is_asked(question) or depth > _DEEPEST:
        return
    key = question_key(question)
    path = (*above, question.id)
    if key in question_types.GROUP:
        for part in question.rows:
            yield from _plan_question(part, question, depth=depth + 1)
    elif key == question_types.TABLE or (
        question.rows and all(is_option_id(row.id) for row in question.rows)
    ):
        yield from _plan_table(question, depth)
    elif question.rows:
        yield from _plan_grid(question, key, depth)
    else:
        yield from _plan_plain_question(question, key, parent, path)
    if question.has_comment:
        yield comment_column(question, path)


def _plan_table(table: Question, depth: int) -> Iterator[AnswerColumn]:
    """Yield the columns of a custom table; its column ids are unique within the table only."""
    for part in table.rows:
        above = (table.id,) if is_option_id(part.id) else ()
        yield from _plan_question(part, table, above, depth + 1)
    if not table.rows:  # only the labels of its columns are known, not their types
        for option in table.options:
            yield _part_column(table, option, "text")


def _plan_grid(grid: Question, key: str, depth: int) -> Iterator[AnswerColumn]:
    for row in grid.rows:
        options = row.options or grid.options
        if key in question_types.GRID_CELLS:
            for option in grid.options:
                yield _part_column(row, option, question_types.GRID_CELLS[key], grid)
        elif key == question_types.MENU_GRID and question_key(row) not in question_types.SINGLE:
            for option in grid.options:
                yield _menu_cell(row, option, grid)
        elif key in question_types.ITEMS:  # each row is an item, and what is chosen is its rank
            path, kind = (row.id,), _kind_by_codes(question_types.ITEMS[key], options)
            yield AnswerColumn(column_id(path), kind, path, row, grid, choices=options)
        elif key in question_types.GRID_SINGLE or key == question_types.MENU_GRID:
            yield from _plan_single_choice(row, options, grid)
        else:  # an unknown grid: each row by its own type
            yield from _plan_question(replace(row, options=options), grid, depth=depth + 1)


def _menu_cell(row: Question, option: Option, grid: Question) -> AnswerColumn:
    """Return the column of a cell with its own menu; ``limits`` has its labels, without ids."""
    column = _part_column(row, option, "text", grid)
    limits = row.properties.get("limits") or grid.properties.get("limits")
    words = [str(word) for word in limits if word] if isinstance(limits, (list, tuple)) else []
    choices = tuple(Option(word, {}, word) for word in dict.fromkeys(words))
    return replace(column, kind="category", choices=choices) if choices else column


def _plan_plain_question(
    question: Question, key: str, parent: Question | None, path: AnswerPath
) -> Iterator[AnswerColumn]:
    """Yield the columns of a question that has neither rows nor parts."""
    if key in question_types.SINGLE:
        yield from _plan_single_choice(question, question.options, parent, path)
    elif key in question_types.MULTI:
        for option in question.options:
            column = _part_column(question, option, "boolean", parent, path)
            yield column
            if option.is_other:
                yield other_column(column)
    elif key in question_types.NUMBER or key == "date":
        # The options of a slider or text box are not chosen from: its answer is a number or date.
        choices = question.options if key == "radio-nps" else ()
        kind = _kind_by_codes("date" if key == "date" else "number", choices)
        column = AnswerColumn(column_id(path), kind, path, question, parent, choices=choices)
        yield column
        if is_open(column):
            yield raw_column(column)
    elif key in question_types.ITEMS:
        for option in question.options:
            yield _part_column(question, option, question_types.ITEMS[key], parent, path)
    elif key in question_types.TEXT:
        yield AnswerColumn(column_id(path), "text", path, question, parent)


def column_id(path: AnswerPath) -> str:
    """Return the id of the column at a path."""
    return "_".join(("q" + path[0], *_below_question(path)))


def _below_question(path: AnswerPath) -> list[str]:
    """Return the ids below a question, and names of members that cannot be taken for others."""
    return [
        piece
        for piece, next_piece in zip(path[1:], (*path[2:], ""), strict=False)
        if piece != MEMBER or next_piece in _RESERVED or has_digits_alone(next_piece)
    ]


def is_before_edit(path: AnswerPath) -> bool:
    """Check whether the path is that of the earlier value of an answer."""
    return path[-2:] == (MEMBER, ORIGINAL)


def is_comment(path: AnswerPath) -> bool:
    """Check whether the path of an answer is that of a comment."""
    return len(path) > 1 and path[-1] == COMMENT and path[-2] != MEMBER


def _plan_single_choice(
    question: Question,
    options: tuple[Option, ...],
    parent: Question | None = None,
    path: AnswerPath | None = None,
) -> Iterator[AnswerColumn]:
    """Yield the columns of a question with one choice: the choice, and its write-in."""
    path = path or (question.id,)
    kind = _kind_by_codes("number" if _are_numbers(options) else "category", options)
    column = AnswerColumn(column_id(path), kind, path, question, parent, choices=options)
    yield column
    if any(option.is_other for option in options):
        yield other_column(column)


def other_column(column: AnswerColumn, *, planned: bool = True) -> AnswerColumn:
    """Return the column of write-ins at a single choice, or at one option of several."""
    return replace(column, id=f"{column.id}_other", kind="text", part="other", planned=planned)


def comment_column(question: Question, path: AnswerPath, *, planned: bool = True) -> AnswerColumn:
    """Return the column of the comments on the question at a path."""
    name, path = f"{column_id(path)}_comment", (*path, COMMENT)
    return AnswerColumn(name, "text", path, question, part="comment", planned=planned)


def raw_column(column: AnswerColumn) -> AnswerColumn:
    """Return the column of the answers that are no number or date, as received."""
    return replace(
        column,
        id=f"{column.id}_raw",
        kind="text",
        part="raw",
        planned=is_open(column),
        raw_kind=column.kind,
    )


def is_open(column: AnswerColumn) -> bool:
    """Check whether people type the value, so that it may be anything."""
    kind = column.raw_kind or column.kind
    return kind in ("number", "date") and not column.choices and column.option is None


def _part_column(
    question: Question,
    option: Option,
    kind: Kind,
    parent: Question | None = None,
    path: AnswerPath | None = None,
) -> AnswerColumn:
    """Return the column of one option, item or grid cell of a question."""
    part: Part = "option" if kind == "boolean" else "item"
    path = (*(path or (question.id,)), option.id)
    return AnswerColumn(column_id(path), kind, path, question, parent, part, option)


def _are_numbers(options: Sequence[Option]) -> bool:
    """Check whether every option is a number, in its labels and in its reporting value."""
    texts = (text for o in options for text in (o.value, *map(o.label, o.titles)))
    return bool(options) and all(map(_is_number, texts))


def _kind_by_codes(kind: Kind, options: Iterable[Option]) -> Kind:
    """Return the kind; a category in place of numbers that could not be distinguished.

    As numbers, ``"01"`` and ``"1"`` would be one, and so would two options with one value.
    """
    numbers = [o.value for o in options if any(map(str.isdigit, o.value))]
    is_plain = all(_is_number(text) and id_text(float(text)) == text for text in numbers)
    is_different = len(set(numbers)) == len(numbers)
    return "category" if kind == "number" and not (is_plain and is_different) else kind


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def name_columns(
    columns: Sequence[AnswerColumn],
    survey: Definition,
    names: Names,
    taken: Sequence[str],
    language: str | None = None,
) -> list[str]:
    """Return a unique name for each column.

    Args:
        columns: Columns of the survey.
        survey: The definition.
        names: ``"alias"``, ``"id"`` or ``"text"``.
        taken: Names of metadata, which no column may have.
        language: Language of names by ``"text"``.
    """
    if names == "id":
        wanted = [column.id for column in columns]
    elif names == "text":
        wanted = [_text_name(column, survey, language) for column in columns]
    else:
        wanted = _alias_names(columns, survey)
    return _make_unique(wanted, columns, {INDEX, *taken}, names)


def question_names(column: AnswerColumn) -> set[str]:
    """Return what a user may call the question of a column, or the grid above it."""
    names: set[str] = set()
    for question in (column.question, column.parent):
        if question is not None:
            names |= {question.id, f"q{question.id}", question.alias, alias_to_name(question.alias)}
    return names - {""}


def free_name(name: str, taken: Container[str]) -> str:
    """Return the name, with underscores at its end until it is none of the taken ones."""
    while name in taken:
        name += "_"
    return name


def _alias_names(columns: Sequence[AnswerColumn], survey: Definition) -> list[str]:
    uses = Counter(alias_to_name(question.alias) for question in survey.walk())

    def unique_alias(question: Question) -> str | None:
        name = alias_to_name(question.alias)
        return name if name and uses[name] == 1 else None

    wanted = [_alias_name(column, unique_alias) or column.id for column in columns]
    # Two parts with one slug: both fall back to their ids, so that neither seems the right one.
    is_shared = _shared_names(wanted, columns)
    return [
        _alias_name(column, unique_alias, by_id=True) or column.id if shared else name
        for column, name, shared in zip(columns, wanted, is_shared, strict=True)
    ]


def _shared_names(wanted: Sequence[str], columns: Sequence[AnswerColumn]) -> list[bool]:
    """Return for each column whether another one wants its name.

    Piped rows do not count for the other columns: the same survey has the same names, whichever
    rows its answers bring.
    """
    often = Counter(wanted)
    of_survey = Counter(n for n, column in zip(wanted, columns, strict=True) if not column.piped)
    return [
        (often if column.piped else of_survey)[name] > 1
        for name, column in zip(wanted, columns, strict=True)
    ]


def _alias_name(
    column: AnswerColumn, unique_alias: Callable[[Question], str | None], *, by_id: bool = False
) -> str | None:
    question, parent = column.question, column.parent
    stem = unique_alias(question)
    if stem is None and parent is not None:
        above = unique_alias(parent)
        if column.piped:
            words = question.id.removeprefix(f"{parent.id}_")
        else:
            words = question.id if by_id else slug(question.text()) or question.id
        stem = f"{above}_{words}" if above else None
    if stem is None:
        return None
    if column.part == "leaf" and len(column.path) > 1:
        return "_".join((stem, *_below_question(column.path)))
    if column.option is not None:
        # A removed option is known from the answers alone, which may differ next time.
        by_id = by_id or column.removed
        piece = column.option.id if by_id else slug(column.option.value) or column.option.id
        text = "_text" if column.part == "other" else ""
        return f"{stem}_{piece}{text}{_NAME_SUFFIXES.get(column.part, '')}"
    if column.part == "other":
        return f"{stem}_other"
    return f"{stem}{_NAME_SUFFIXES.get(column.part, '')}"


def _text_name(column: AnswerColumn, survey: Definition, language: str | None) -> str:
    languages = (language, survey.language)
    words = [column.parent.text(*languages)] if column.parent else []
    words.append(column.question.text(*languages) or f"q{column.question.id}")
    if column.part == "leaf" and len(column.path) > 1:
        words.append(" ".join(_below_question(column.path)))
    elif column.option is not None:
        words.append(column.option.label(*languages) or column.option.id)
    if column.part in TEXT_SUFFIXES:
        words.append(TEXT_SUFFIXES[column.part])
    return ": ".join(piece for piece in words if piece)


def _make_unique(
    wanted: Sequence[str], columns: Sequence[AnswerColumn], taken: set[str], names: Names
) -> list[str]:
    is_shared = _shared_names(wanted, columns)
    result = []
    for name, column, shared in zip(wanted, columns, is_shared, strict=True):
        mark = f" [{column.id}]" if names == "text" else f"_{column.id}"
        is_clash = name in taken or (shared and name != column.id)
        result.append(free_name(f"{name}{mark}" if is_clash else name, taken))
        taken.add(result[-1])
    return result
