"""Which columns a survey gives, decided by its definition alone.

Same survey, same columns, whichever responses came: a question nobody answered has its column.
Only what the definition does not know (a question deleted since, an option taken out, a text where
a closed list of numbers was) adds columns, and those are marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alchemer_nb.answers import COMMENT, Path
from alchemer_nb.definition import Option, Question, Survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["category", "number", "boolean", "text", "date"]
Part = Literal["answer", "option", "item", "other", "comment", "raw", "leaf"]

_SINGLE = {"radio", "menu", "single-image", "radio-likert"}
_MULTI = {"checkbox", "multi-image"}
_NUMBER = {"radio-nps", "number", "percent", "slider"}
_TEXT = {"text", "essay", "email", "hidden", "file", "urlredirect"}
_ITEMS: dict[str, Kind] = {
    "multitext": "text",
    "contsum": "number",
    "rank-dragdrop": "number",
    "rank-table": "number",
    "multi_slider": "number",
}
_GRID_SINGLE = {"table-radio", "table-menu"}
_GRID_CELLS: dict[str, Kind] = {
    "table-checkbox": "boolean",
    "table-textbox": "text",
    "table-stars": "number",
}
_GROUP = {"group", "contactgroup"}
_KEYS = {
    *_SINGLE, *_MULTI, *_NUMBER, *_TEXT, *_ITEMS, *_GRID_SINGLE, *_GRID_CELLS, *_GROUP,
    "date", "matrix",
}  # fmt: skip
# They show, send or compute something and ask nothing.
_NO_ANSWER = {
    "INSTRUCTIONS",
    "URLREDIRECT",
    "SCRIPT",
    "LOGIC",
    "MEDIA",
    "JAVASCRIPT",
    "EMAIL",
}
_TYPES_BY_WORD = {
    "RADIO": "radio",
    "MENU": "menu",
    "CHECKBOX": "checkbox",
    "NPS": "radio-nps",
    "SLIDER": "slider",
    "MULTI_SLIDER": "multi_slider",
    "TEXTBOX": "text",
    "ESSAY": "essay",
    "HIDDEN": "hidden",
    "FILE": "file",
    "MULTI_TEXTBOX": "multitext",
    "CONT_SUM": "contsum",
    "RANK": "rank-dragdrop",
    "IMAGE_SELECT": "multi-image",
    "GROUP": "group",
}
_KEYS_BY_ROW = {
    "RADIO": "table-radio",
    "MENU": "table-radio",
    "CHECKBOX": "table-checkbox",
    "TEXTBOX": "table-textbox",
    "ESSAY": "table-textbox",
}
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One output column, before it has a name.

    Attributes:
        id: Its name with ``names="id"``, such as ``"q21_10031"``.
        kind: What its values are.
        path: Where its answers stand.
        question: The question, or the row of a grid.
        parent: The grid or group that the question is part of.
        part: Which part of the question it is.
        option: The option or grid column that it stands for.
        choices: The options a category may take, in order.
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
    planned: bool = True
    removed: bool = False

    @property
    def is_cell(self) -> bool:
        """Whether it is one cell of a grid: all cells of an answered row are in the payload."""
        return self.parent is not None and len(self.path) > 1


def plan(survey: Survey) -> list[Column]:
    """The columns of a survey in the order in which it asks."""
    return [column for question in survey.questions for column in _columns(question)]


def question_key(question: Question) -> str:
    """The type as a ``map_key`` word, found from the type word where ``map_key`` is unset."""
    if question.key in _KEYS:
        key = question.key
    elif question.type == "TABLE" and question.rows:
        key = _KEYS_BY_ROW.get(question.rows[0].type, "")
    else:
        key = _TYPES_BY_WORD.get(question.type, "")
    if key == "text" and question.subtype in ("NUMBER", "PERCENT", "DATE"):
        return question.subtype.lower()
    return key


def is_multi(question: Question) -> bool:
    """Whether several options may be chosen, and an unanswered entry is absent."""
    return question_key(question) in _MULTI


def is_asked(question: Question) -> bool:
    """Whether a question can have an answer at all."""
    if question.type == "EMAIL":  # an action, unless the key says that it is the question type
        return question.key == "email"
    return question.type not in _NO_ANSWER


def _columns(
    question: Question, parent: Question | None = None, depth: int = 0
) -> Iterator[Column]:
    if not is_asked(question) or depth > _DEEPEST:
        return
    key = question_key(question)
    if key in _GROUP:
        for part in question.rows:
            yield from _columns(part, question, depth + 1)
        return
    if question.rows:
        yield from _grid(question, key)
    else:
        yield from _plain_columns(question, key, parent)
    if question.has_comment:
        yield comment_column(question)


def _grid(question: Question, key: str) -> Iterator[Column]:
    for row in question.rows:
        if key in _GRID_SINGLE:
            yield from single(row, row.options or question.options, question)
        elif key in _GRID_CELLS:
            for option in question.options:
                yield part_column(row, option, _GRID_CELLS[key], question)


def _plain_columns(question: Question, key: str, parent: Question | None) -> Iterator[Column]:
    """Columns of a question that has neither rows nor parts."""
    if key in _SINGLE:
        yield from single(question, question.options, parent)
    elif key in _MULTI:
        yield from _multi(question)
    elif key in _NUMBER or key == "date":
        yield from _typed(question, "date" if key == "date" else "number", parent)
    elif key in _ITEMS:
        for option in question.options:
            yield part_column(question, option, _ITEMS[key])
    elif key in _TEXT:
        yield Column(f"q{question.id}", "text", (question.id,), question, parent)


def single(
    question: Question, options: tuple[Option, ...], parent: Question | None = None
) -> Iterator[Column]:
    """Columns of a question with one choice: the choice, and what was written in."""
    path = (question.id,)
    if is_scale(options):
        yield Column(f"q{question.id}", "number", path, question, parent, choices=options)
    else:
        yield Column(f"q{question.id}", "category", path, question, parent, choices=options)
    if any(option.is_other for option in options):
        yield other_column(question, options, parent)


def other_column(
    question: Question, options: tuple[Option, ...], parent: Question | None = None
) -> Column:
    """What was written in at a single choice."""
    return Column(
        f"q{question.id}_other", "text", (question.id,), question, parent, "other", choices=options
    )


def comment_column(question: Question) -> Column:
    """What was written into a question's comment box."""
    path = (question.id, COMMENT)
    return Column(f"q{question.id}_comment", "text", path, question, None, "comment")


def raw_column(column: Column) -> Column:
    """What does not fit a column of numbers or dates, as received."""
    return Column(
        f"{column.id}_raw",
        "text",
        column.path,
        column.question,
        column.parent,
        "raw",
        column.option,
        column.choices,
        planned=is_open(column),
        removed=column.removed,
    )


def is_open(column: Column) -> bool:
    """Whether people type the value, so that anything may stand there."""
    return column.kind in ("number", "date") and not column.choices and len(column.path) == 1


def part_column(
    question: Question, option: Option, kind: Kind, parent: Question | None = None
) -> Column:
    """One option, item or grid cell of a question."""
    part: Part = "option" if kind == "boolean" else "item"
    name = f"q{question.id}_{option.id}"
    return Column(name, kind, (question.id, option.id), question, parent, part, option)


def _multi(question: Question) -> Iterator[Column]:
    for option in question.options:
        yield part_column(question, option, "boolean")
        if option.is_other:
            yield Column(
                f"q{question.id}_{option.id}_other",
                "text",
                (question.id, option.id),
                question,
                None,
                "other",
                option,
            )


def _typed(question: Question, kind: Kind, parent: Question | None) -> Iterator[Column]:
    column = Column(
        f"q{question.id}", kind, (question.id,), question, parent, choices=question.options
    )
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


def unplanned(
    survey: Survey,
    columns: Iterable[Column],
    paths: Iterable[Path],
    words: dict[str, tuple[str, str]],
) -> list[Column]:
    """Columns for answers at places that the definition does not announce.

    Args:
        survey: The definition.
        columns: What ``plan`` gave.
        paths: Every place at which an answer stands.
        words: Words and type of questions the definition does not know.
    """
    taken = {column.path for column in columns}
    known = {each.id: each for q in survey.questions for each in q.walk()}
    extra = []
    for path in sorted(set(paths) - taken, key=_in_order):
        question = known.get(path[0])
        removed = question is None
        if question is None:
            said, kind = words.get(path[0], ("", ""))
            question = Question(path[0], kind.upper(), "", {"English": said} if said else {})
        extra.append(_extra(question, path, removed))
    return extra


def _extra(question: Question, path: Path, removed: bool) -> Column:
    if path[-1] == COMMENT and len(path) > 1:
        name = "_".join((*path[:-1], "comment"))
        return Column(f"q{name}", "text", path, question, None, "comment", planned=False,
                      removed=removed)  # fmt: skip
    gone = question_key(question) in _MULTI and len(path) == 2  # an option taken out since
    option = Option(path[-1], {}, "") if gone else None
    return Column(
        f"q{'_'.join(path)}",
        "boolean" if gone else "text",
        path,
        question,
        None,
        "option" if gone else "leaf",
        option,
        planned=False,
        removed=removed or gone,
    )


def _in_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in path)
