"""What changed between two definitions, and which columns can still be compared.

A survey edited in mid-field, or copied for the next wave, gives frames that look alike and are
not. "Comparable" has one meaning here: the same answer is recorded the same way in both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.frame.metadata import STANDARD
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import is_ordered
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.survey.columns import name_columns, plan
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.wire.text import bare, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alchemer_nb.survey.columns import Column
    from alchemer_nb.survey.definition import Definition, Option, Question

FIELDS = ("change", "question_id", "option_id", "before", "after", "comparable", "columns")


def diff(earlier: Definition, later: Definition) -> pd.DataFrame:
    """Compares two definitions, of one survey or of two waves of it.

    Args:
        earlier: The definition before.
        later: The definition after.

    Returns:
        One row a change, in the order of the later survey, what was removed last: ``change``,
        ``question_id``, ``option_id`` (of the later survey; of the earlier for what was removed),
        ``before``, ``after`` (text), ``comparable`` (bool) and ``columns``: the list of columns
        concerned, as the later survey's frame calls them (the earlier one's for what was removed).
    """
    old, new = _Side(earlier), _Side(later)
    pairs = _pairs(old, new)
    back = {after: before for before, after in pairs.items()}
    moved = _moved(old, new, back)
    rows: list[dict[str, Any]] = []
    for own, question in new.questions.items():
        if own in back:
            pair = _Pair(old, new, old.questions[back[own]], question)
            rows.extend(pair.changes(moved=own in moved))
        elif new.above(own) in (None, *back):  # a new grid is one row here, with all its columns
            rows.append(_row("question added", own, "", new.phrase(question), "", new.of(own)))
    for own, question in old.questions.items():
        if own not in pairs and old.above(own) in (None, *pairs):
            rows.append(_row("question removed", own, old.phrase(question), "", "", old.of(own)))
    return _frame(rows)


class _Side:
    """One of the two definitions, with its columns named."""

    def __init__(self, survey: Definition) -> None:
        self.survey = survey
        self.columns = plan(survey)
        names = name_columns(self.columns, survey, "alias", STANDARD)
        self.names = {column.id: name for column, name in zip(self.columns, names, strict=True)}
        self.parents: dict[str, Question] = {}
        self.questions: dict[str, Question] = {}
        for question in survey.questions:
            self._note(question)

    def _note(self, question: Question) -> None:
        self.questions[question.id] = question
        for row in question.rows:
            self.parents[row.id] = question
            self._note(row)

    def phrase(self, question: Question) -> str:
        """The question's words, below those of its grid."""
        above = self.parents.get(question.id)
        words = question.words(self.survey.language)
        return f"{self.phrase(above)}: {words}" if above else words

    def above(self, own: str) -> str | None:
        """Id of the grid or group that a question is part of."""
        parent = self.parents.get(own)
        return parent.id if parent else None

    def beside(self, own: str) -> list[str]:
        """Ids of the questions among which it has its place, itself included."""
        parent = self.parents.get(own)
        return [each.id for each in (parent.rows if parent else self.survey.questions)]

    def place(self, question: Question) -> str:
        """Where it stands: its page and its number there, or its number in a grid."""
        if question.id in self.parents:
            return f"row {self.beside(question.id).index(question.id) + 1}"
        for number, page in enumerate(self.survey.pages, 1):
            ids = [each.id for each in page.questions]
            if question.id in ids:
                title = page.title(self.survey.language) or f"page {number}"
                return f"{title}, {ids.index(question.id) + 1}"
        return ""

    def page(self, question: Question) -> int | None:
        """The number of its page."""
        pages = {page.id: number for number, page in enumerate(self.survey.pages)}
        return pages.get(question.page)

    def columns_of(self, own: str) -> list[Column]:
        """Columns of a question, of its rows and parts too."""
        question = self.questions[own]
        ids = {each.id for each in question.walk()}
        return [column for column in self.columns if column.question.id in ids]

    def of(self, own: str, option: str | None = None) -> list[str]:
        """Names of the columns of a question, or of those that one option of it concerns."""
        columns = self.columns_of(own)
        if option:  # what was typed into a comment box stays comparable
            columns = [c for c in columns if c.part not in ("comment", "raw")]
        parts = [c for c in columns if c.option is not None and c.option.id == option]
        return [self.names[column.id] for column in (parts or columns)]


def _pairs(old: _Side, new: _Side) -> dict[str, str]:
    """Question id before -> question id after, in the order before.

    In one survey the id decides. In another survey an id means nothing: there the alias decides,
    then the words.
    """
    keys: list[Callable[[_Side, Question], str]] = [
        lambda _, question: question.alias,
        lambda side, question: f"{question_key(question)} {bare(side.phrase(question))}",
        lambda side, question: bare(side.phrase(question)),
    ]
    found: dict[str, str] = {}
    if old.survey.id == new.survey.id:
        found = {own: own for own in old.questions if own in new.questions}
        keys = []
    for key in keys:
        before = _unique(old, key, found.keys())
        after = _unique(new, key, found.values())
        found.update({before[text]: after[text] for text in before if text in after})
    return {own: found[own] for own in old.questions if own in found}


def _unique(side: _Side, key: Callable[[_Side, Question], str], taken: Any) -> dict[str, str]:
    """What is called so by one question alone -> its id."""
    texts = [(key(side, q), own) for own, q in side.questions.items() if own not in taken]
    often = Counter(text for text, _ in texts)
    return {text: own for text, own in texts if text.strip() and often[text] == 1}


def _moved(old: _Side, new: _Side, back: Mapping[str, str]) -> set[str]:
    """Ids of the questions that moved among those that are in both: as few as explain it."""
    moved: set[str] = set()
    for own in new.questions:
        group = new.beside(own)
        if group[0] != own:
            continue
        common = [each for each in group if each in back]
        if common:
            ranks = {each: place for place, each in enumerate(old.questions)}
            order = [ranks[back[each]] for each in common]
            stay = _longest_rise(order)
            moved |= {each for each, rank in zip(common, order, strict=True) if rank not in stay}
    return moved


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The longest run that already stands in order, gaps allowed; the others have moved."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


@dataclass(frozen=True)
class _Pair:
    """One question in both definitions."""

    old: _Side
    new: _Side
    before: Question
    after: Question

    def changes(self, *, moved: bool) -> Iterator[dict[str, Any]]:
        """Yields a row for each change."""
        kind = (_type(self.before), _type(self.after))
        if kind[0] != kind[1]:
            yield self._row("question retyped", *kind, comparable=self._same_columns())
        for language in dict.fromkeys((*self.before.titles, *self.after.titles)):
            words = [plain(each.titles.get(language)) for each in (self.before, self.after)]
            if words[0] != words[1]:
                said = "" if language == self.new.survey.language else f"{language}: "
                yield self._row("words changed", *(said + text for text in words), comparable=True)
        if self.before.alias != self.after.alias:
            yield self._row("alias changed", self.before.alias, self.after.alias, comparable=True)
        if moved or self._changed_page():
            places = (self.old.place(self.before), self.new.place(self.after))
            yield self._row("question moved", *places, comparable=True)
        yield from self._options()

    def _row(
        self, change: str, before: str, after: str, *, comparable: bool, option: str = ""
    ) -> dict[str, Any]:
        columns = self.new.of(self.after.id, option)
        return _row(change, self.after.id, before, after, option, columns, comparable=comparable)

    def _same_columns(self) -> bool:
        """Whether both types record answers the same way, as radio buttons and a menu do."""
        before, after = (
            [(c.kind, c.part) for c in side.columns_of(q.id)] for side, q in self._sides()
        )
        return before == after

    def _changed_page(self) -> bool:
        """Whether the page that it stands on is not the one it stood on."""
        if self.old.above(self.before.id) or self.new.above(self.after.id):
            return False
        return self.old.page(self.before) != self.new.page(self.after)

    def _options(self) -> Iterator[dict[str, Any]]:
        old, new = self.before.options, self.after.options
        matched = _matched(old, new, same=self.old.survey.id == self.new.survey.id)
        back = {after.id: before for before, after in matched}
        scale = any(self._is_scale(side, q) for side, q in self._sides())
        for option in new:
            if option.id not in back:
                yield self._row(
                    "option added", "", self._say(option), option=option.id,
                    comparable=not scale and not self._own_columns(self.new, option),
                )  # fmt: skip
                continue
            yield from self._option(back[option.id], option)
        for option in old:
            if option.id not in {before.id for before, _ in matched}:
                own = self._own_columns(self.old, option)
                columns = self.old.of(self.before.id, option.id) if own else None
                yield _row(
                    "option removed", self.after.id, self._say(option), "", option.id,
                    columns or self.new.of(self.after.id),
                    comparable=not scale and not own,
                )  # fmt: skip
        kept = {before.id for before, _ in matched}
        order = [before.id for before in old if before.id in kept]
        now = [back[option.id].id for option in new if option.id in back]
        if order != now:
            said = [", ".join(self._label(o) for o in options) for options in (old, new)]
            yield self._row("options in another order", *said, comparable=True)

    def _option(self, before: Option, after: Option) -> Iterator[dict[str, Any]]:
        labels = (self._label(before), self._label(after))
        values = (before.value, after.value)
        if labels[0] != labels[1]:
            replaced = values[0] != values[1]  # label and value at once: it is another answer
            yield self._row("label changed", *labels, option=after.id, comparable=not replaced)
        if values[0] != values[1]:
            yield self._row("reporting value changed", *values, option=after.id, comparable=False)

    def _sides(self) -> tuple[tuple[_Side, Question], tuple[_Side, Question]]:
        return (self.old, self.before), (self.new, self.after)

    def _is_scale(self, side: _Side, question: Question) -> bool:
        """Whether a further option changes what the others mean: ordered, or numbers."""
        columns = [c for c in side.columns_of(question.id) if c.choices and c.part == "answer"]
        return any(column.kind == "number" or is_ordered(column) for column in columns)

    def _own_columns(self, side: _Side, option: Option) -> bool:
        own = self.after.id if side is self.new else self.before.id
        return any(c.option and c.option.id == option.id for c in side.columns_of(own))

    def _label(self, option: Option) -> str:
        return option.label(self.new.survey.language, self.old.survey.language)

    def _say(self, option: Option) -> str:
        label = self._label(option)
        return label if label == option.value else f"{label} = {option.value}"


def _matched(
    old: Sequence[Option], new: Sequence[Option], *, same: bool
) -> list[tuple[Option, Option]]:
    """Options in both: by id in one survey; else by reporting value and label, then by either."""
    keys: list[Callable[[Option], Any]] = [
        lambda o: (o.value, bare(o.label())),
        lambda o: bare(o.label()),
        lambda o: o.value,
    ]
    if same:
        keys = [lambda o: o.id]
    pairs: list[tuple[Option, Option]] = []
    for key in keys:
        found = {before.id for before, _ in pairs}, {after.id for _, after in pairs}
        left = [option for option in old if option.id not in found[0]]
        right = {key(o): o for o in reversed(new) if o.id not in found[1]}
        for option in left:
            after = right.pop(key(option), None)
            if after is not None:
                pairs.append((option, after))
    return pairs


def _type(question: Question) -> str:
    return question_key(question) or question.type.lower()


def _row(
    change: str,
    question: str,
    before: str = "",
    after: str = "",
    option: str = "",
    columns: Sequence[str] = (),
    *,
    comparable: bool | None = None,
) -> dict[str, Any]:
    if comparable is None:  # added or removed: only what asks nothing makes no difference
        comparable = not columns
    values = (change, question, option, before, after, comparable, list(columns))
    return dict(zip(FIELDS, values, strict=True))


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    data: dict[str, Any] = {}
    for name in FIELDS:
        values = [row[name] for row in rows]
        if name == "comparable":
            data[name] = pd.array(values, dtype="bool")
        elif name == "columns":
            data[name] = pd.Series(values, dtype=object)
        else:
            texts = [None if value == "" else value for value in values]
            data[name] = pd.array(texts, dtype=text_dtype())
    return WordTable(data)
