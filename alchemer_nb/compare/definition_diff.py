"""Differences between two definitions, and the columns that can still be compared.

A survey that is edited while it runs, or copied for the next wave, has frames that look alike
and are not. "Comparable" means: the same answer is recorded the same way in both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.survey.columns import STANDARD_FIELDS, name_columns, plan_columns
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.survey.scales import is_ordered
from alchemer_nb.wire.text import comparable_words, strip_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition, Option, Question

FIELDS = ("change", "question_id", "option_id", "before", "after", "comparable", "columns")


def compare_definitions(earlier: Definition, later: Definition) -> pd.DataFrame:
    """Compare two definitions, of one survey or of two of its waves.

    Args:
        earlier: The definition before.
        later: The definition after.

    Returns:
        One row for each change, in the order of the later survey, with removals at the end:
        ``change``, ``question_id``, ``option_id``, ``before``, ``after`` (text), ``comparable``
        (bool) and ``columns``, the list of affected columns. Ids and columns are those of the
        later survey; of the earlier one for removals.
    """
    old, new = _NamedSurvey(earlier), _NamedSurvey(later)
    pairs = _match_questions(old, new)
    earlier_of = {after: before for before, after in pairs.items()}
    moved = _find_moved(old, new, earlier_of)
    rows: list[dict[str, Any]] = []
    for question_id, question in new.questions.items():
        if question_id in earlier_of:
            pair = _QuestionPair(old, new, old.questions[earlier_of[question_id]], question)
            rows.extend(pair.changes(moved=question_id in moved))
        elif question.parent in ("", *earlier_of):  # rows of a new grid count with it
            names = new.column_names(question_id)
            rows.append(_row("question added", question_id, "", new.full_text(question), "", names))
    for question_id, question in old.questions.items():
        if question_id not in pairs and question.parent in ("", *pairs):
            names = old.column_names(question_id)
            rows.append(
                _row("question removed", question_id, old.full_text(question), "", "", names)
            )
    return typed_frame(rows, FIELDS, {"comparable": "bool", "columns": object})


class _NamedSurvey:
    """One of the two definitions, with the names of its columns."""

    def __init__(self, survey: Definition) -> None:
        self.survey = survey
        self.columns = plan_columns(survey)
        names = name_columns(self.columns, survey, "alias", STANDARD_FIELDS)
        self.names = {column.id: name for column, name in zip(self.columns, names, strict=True)}
        self.questions = {question.id: question for question in survey.walk()}
        self.page_numbers = {page.id: number for number, page in enumerate(survey.pages, 1)}

    def full_text(self, question: Question) -> str:
        """Return the text of a question, after that of its grid."""
        above = self.questions.get(question.parent)
        words = question.text(self.survey.language)
        return f"{self.full_text(above)}: {words}" if above else words

    def siblings(self, question_id: str) -> list[str]:
        """Return the ids of the questions at the same level, the question itself included."""
        parent = self.questions.get(self.questions[question_id].parent)
        return [each.id for each in (parent.rows if parent else self.survey.questions)]

    def position(self, question: Question) -> str:
        """Return page and number of a question in words, or its number in a grid."""
        if question.parent:
            return f"row {self.siblings(question.id).index(question.id) + 1}"
        for number, page in enumerate(self.survey.pages, 1):
            ids = [each.id for each in page.questions]
            if question.id in ids:
                title = page.title(self.survey.language) or f"page {number}"
                return f"{title}, {ids.index(question.id) + 1}"
        return ""

    def columns_of(self, question_id: str) -> list[AnswerColumn]:
        """Return the columns of a question, of its rows and parts."""
        question = self.questions[question_id]
        ids = {each.id for each in question.walk()}
        return [column for column in self.columns if column.question.id in ids]

    def column_names(self, question_id: str, option: str | None = None) -> list[str]:
        """Return the names of the columns of a question, or of one of its options."""
        columns = self.columns_of(question_id)
        if option:  # texts of a comment box do not depend on options
            columns = [c for c in columns if c.part not in ("comment", "raw")]
        parts = [c for c in columns if c.option is not None and c.option.id == option]
        return [self.names[column.id] for column in (parts or columns)]


def _match_questions(old: _NamedSurvey, new: _NamedSurvey) -> dict[str, str]:
    """Match questions: earlier id -> later id, in the earlier order.

    Within one survey ids match. Between two surveys ids mean nothing: there the alias matches,
    then the words do.
    """
    keys: list[Callable[[_NamedSurvey, Question], str]] = [
        lambda _, question: question.alias,
        lambda side, question: (
            f"{question_key(question)} {comparable_words(side.full_text(question))}"
        ),
        lambda side, question: comparable_words(side.full_text(question)),
    ]
    found: dict[str, str] = {}
    if old.survey.id == new.survey.id:
        found = {each: each for each in old.questions if each in new.questions}
        keys = []
    for key in keys:
        before = _ids_by_unique_text(old, key, found.keys())
        after = _ids_by_unique_text(new, key, found.values())
        found.update({before[text]: after[text] for text in before if text in after})
    return {earlier: found[earlier] for earlier in old.questions if earlier in found}


def _ids_by_unique_text(
    side: _NamedSurvey, key: Callable[[_NamedSurvey, Question], str], taken: Any
) -> dict[str, str]:
    """Return text -> id of the questions that no other question shares the text with."""
    texts = {i: key(side, question) for i, question in side.questions.items() if i not in taken}
    counts = Counter(texts.values())
    return {text: i for i, text in texts.items() if text.strip() and counts[text] == 1}


def _find_moved(old: _NamedSurvey, new: _NamedSurvey, earlier_of: Mapping[str, str]) -> set[str]:
    """Return the ids of moved questions: as few as explain the order."""
    moved: set[str] = set()
    for question_id in new.questions:
        group = new.siblings(question_id)
        if group[0] != question_id:
            continue
        common = [each for each in group if each in earlier_of]
        if common:
            ranks = {each: rank for rank, each in enumerate(old.questions)}
            order = [ranks[earlier_of[each]] for each in common]
            stay = _longest_increasing(order)
            moved |= {each for each, rank in zip(common, order, strict=True) if rank not in stay}
    return moved


def _longest_increasing(numbers: Sequence[int]) -> set[int]:
    """Return a longest increasing subsequence of different numbers (patience sorting)."""
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
class _QuestionPair:
    """One question, in both definitions."""

    old: _NamedSurvey
    new: _NamedSurvey
    before: Question
    after: Question

    def changes(self, *, moved: bool) -> Iterator[dict[str, Any]]:
        """Yield a row for each change of the question."""
        kind = (_type_name(self.before), _type_name(self.after))
        if kind[0] != kind[1]:
            yield self._row("question retyped", *kind, comparable=self._same_columns())
        for language in dict.fromkeys((*self.before.titles, *self.after.titles)):
            words = [strip_html(each.titles.get(language)) for each in (self.before, self.after)]
            if words[0] != words[1]:
                prefix = "" if language == self.new.survey.language else f"{language}: "
                both = (prefix + text for text in words)
                yield self._row("words changed", *both, comparable=True)
        if self.before.alias != self.after.alias:
            yield self._row("alias changed", self.before.alias, self.after.alias, comparable=True)
        if moved or self._changed_page():
            positions = (self.old.position(self.before), self.new.position(self.after))
            yield self._row("question moved", *positions, comparable=True)
        yield from self._compare_options()

    def _row(
        self, change: str, before: str, after: str, *, comparable: bool, option: str = ""
    ) -> dict[str, Any]:
        columns = self.new.column_names(self.after.id, option)
        return _row(change, self.after.id, before, after, option, columns, comparable=comparable)

    def _same_columns(self) -> bool:
        """Check whether both types record answers alike, as radio buttons and a menu do."""
        before, after = (
            [(c.kind, c.part) for c in side.columns_of(q.id)] for side, q in self._sides()
        )
        return before == after

    def _changed_page(self) -> bool:
        """Check whether the question is on another page now."""
        if self.before.parent or self.after.parent:
            return False
        before = self.old.page_numbers.get(self.before.page)
        return before != self.new.page_numbers.get(self.after.page)

    def _compare_options(self) -> Iterator[dict[str, Any]]:
        old, new = self.before.options, self.after.options
        matched = _match_options(old, new, same=self.old.survey.id == self.new.survey.id)
        earlier_of = {after.id: before for before, after in matched}
        scale = any(self._is_scale(side, q) for side, q in self._sides())
        for option in new:
            if option.id not in earlier_of:
                yield self._row(
                    "option added", "", self._label_and_value(option), option=option.id,
                    comparable=not scale and not self._has_columns(self.new, option),
                )  # fmt: skip
                continue
            yield from self._compare_option(earlier_of[option.id], option)
        for option in old:
            if option.id not in {before.id for before, _ in matched}:
                had_columns = self._has_columns(self.old, option)
                columns = self.old.column_names(self.before.id, option.id) if had_columns else None
                yield _row(
                    "option removed", self.after.id, self._label_and_value(option), "", option.id,
                    columns or self.new.column_names(self.after.id),
                    comparable=not scale and not had_columns,
                )  # fmt: skip
        kept = {before.id for before, _ in matched}
        order = [before.id for before in old if before.id in kept]
        now = [earlier_of[option.id].id for option in new if option.id in earlier_of]
        if order != now:
            orders = [", ".join(self._label(o) for o in options) for options in (old, new)]
            yield self._row("options in another order", *orders, comparable=True)

    def _compare_option(self, before: Option, after: Option) -> Iterator[dict[str, Any]]:
        labels = (self._label(before), self._label(after))
        values = (before.value, after.value)
        if labels[0] != labels[1]:
            replaced = values[0] != values[1]  # label and value both changed: another answer
            yield self._row("label changed", *labels, option=after.id, comparable=not replaced)
        if values[0] != values[1]:
            yield self._row("reporting value changed", *values, option=after.id, comparable=False)

    def _sides(self) -> tuple[tuple[_NamedSurvey, Question], tuple[_NamedSurvey, Question]]:
        return (self.old, self.before), (self.new, self.after)

    def _is_scale(self, side: _NamedSurvey, question: Question) -> bool:
        """Check whether an added or removed option changes what the others mean, as on a scale."""
        columns = [c for c in side.columns_of(question.id) if c.choices and c.part == "answer"]
        return any(column.kind == "number" or is_ordered(column) for column in columns)

    def _has_columns(self, side: _NamedSurvey, option: Option) -> bool:
        question_id = self.after.id if side is self.new else self.before.id
        return any(c.option and c.option.id == option.id for c in side.columns_of(question_id))

    def _label(self, option: Option) -> str:
        return option.label(self.new.survey.language, self.old.survey.language)

    def _label_and_value(self, option: Option) -> str:
        label = self._label(option)
        return label if label == option.value else f"{label} = {option.value}"


def _match_options(
    old: Sequence[Option], new: Sequence[Option], *, same: bool
) -> list[tuple[Option, Option]]:
    """Match options: by id within one survey; else by value and label, then by either."""
    keys: list[Callable[[Option], Any]] = [
        lambda o: (o.value, comparable_words(o.label())),
        lambda o: comparable_words(o.label()),
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


def _type_name(question: Question) -> str:
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
    if comparable is None:  # added or removed: comparable if it has no columns
        comparable = not columns
    texts = (text or None for text in (question, option, before, after))
    values = (change, *texts, comparable, list(columns))
    return dict(zip(FIELDS, values, strict=True))
