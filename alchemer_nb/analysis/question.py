"""Answers to a question as a frame has them, ready to be counted.

A question is one or more items: itself, the rows of a grid, the items of a ranking. Each item says
who was asked, who answered and what was chosen, by row of the frame. What an analyst blanked or
recoded is so here, too: the cells are read, and the survey's definition only says what they mean.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.lookup import columns_of
from alchemer_nb.frame.missing import cell_states
from alchemer_nb.frame.reasons import ANSWERED, CELL_STATES, SKIPPED, UNKNOWN
from alchemer_nb.frame.values import option_names
from alchemer_nb.survey.columns import MEMBER
from alchemer_nb.survey.question_types import GROUP, question_key
from alchemer_nb.survey.scales import has_scores, is_scale, read_number
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alchemer_nb.frame.description import Description
    from alchemer_nb.survey.columns import AnswerColumn

Kind = Literal["single", "multi", "number", "rank", "nps", "date", "text"]
_NPS = "radio-nps"
_RANKS = ("rank-dragdrop", "rank-table")
_NOT_ASKED, _UNKNOWN = -1, -2
_FEW_UNKNOWN = 0.05  # of those who were asked
_SHORT = np.full(len(CELL_STATES), _NOT_ASKED, np.int8)
_SHORT[[ANSWERED, SKIPPED, UNKNOWN]] = 1, 0, _UNKNOWN
_NOT_CHOSEN = ("", "0", "0.0", "false", "no")  # texts of an option, in small letters
MOST_VALUES = 60  # different texts or numbers of a column that is no question


@dataclass(frozen=True)
class Choice:
    """An option of the survey, or another value of a column, that is counted by itself.

    Attributes:
        label: Its words.
        score: Its number on a scale; NaN for none.
        not_applicable: Whether it means that there is no answer.
    """

    label: str
    score: float = math.nan
    not_applicable: bool = False

    @property
    def is_step(self) -> bool:
        """True if it is a step of a scale that has a number."""
        return not self.not_applicable and not math.isnan(self.score)


@dataclass(frozen=True, eq=False)
class Item:
    """What is counted together, by row of the frame.

    Attributes:
        label: Words of a grid row or of an item; ``""`` where the question is a single item.
        kind: What its answers are.
        columns: Names of its columns in the frame.
        choices: What can be chosen, in order; none for free numbers, dates and texts.
        asked: Whether each row was asked: it answered or skipped (bool).
        answered: Whether each row has an answer that can be counted (bool).
        codes: Position of the choice of each row, -1 for none (int64); empty for other kinds.
        chosen: Whether each choice was chosen (bool, rows x choices), if several may be.
        numbers: Number or score of each row, NaN for none (float64); empty for other kinds.
        values: Dates, texts or integers of each row.
        is_scale: Whether its choices have an order with two ends.
        has_order_alone: Whether they are such a scale, all without numbers.
    """

    label: str
    kind: Kind
    columns: tuple[str, ...]
    asked: np.ndarray
    answered: np.ndarray
    choices: tuple[Choice, ...] = ()
    codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    chosen: np.ndarray = field(default_factory=lambda: np.empty((0, 0), bool))
    numbers: np.ndarray = field(default_factory=lambda: np.empty(0))
    values: Any = None
    is_scale: bool = False
    has_order_alone: bool = False

    def holders(self, choice: int) -> np.ndarray:
        """Return which rows chose a choice (bool)."""
        held: np.ndarray = self.chosen[:, choice] if self.kind == "multi" else self.codes == choice
        return held

    @property
    def not_applicable(self) -> np.ndarray:
        """Which rows have chosen nothing but "not applicable" (bool)."""
        flags = np.array([choice.not_applicable for choice in self.choices], bool)
        if self.kind == "multi":
            alone: np.ndarray = self.answered & self.chosen.any(axis=1)
            return alone & ~self.chosen[:, ~flags].any(axis=1)
        if not flags.any() or not len(self.codes):
            return np.zeros(len(self.answered), bool)
        apart: np.ndarray = (self.codes >= 0) & flags[np.maximum(self.codes, 0)]
        return apart

    @property
    def has_scale(self) -> bool:
        """True if the numbers of its choices can be averaged."""
        return bool(len(self.numbers)) and bool(self.choices)


@dataclass(frozen=True, eq=False)
class QuestionAnswers:
    """All items of a question.

    Attributes:
        name: What the caller named it by.
        title: The words of the question; the name of a column that is no question.
        items: Its items, in the survey's order.
        notes: What a reader of a table must know, one sentence each.
        is_own: Whether it is a column that is no question, of which nobody was asked.
    """

    name: str
    title: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    is_own: bool = False


def read_question(
    frame: pd.DataFrame, description: Description, question: str | int
) -> QuestionAnswers:
    """Read the answers to a question, or any column, from a frame.

    Args:
        frame: A frame of responses, wide.
        description: Its description.
        question: An alias, an id, ``"q12"``, or the name of a column.

    Raises:
        InvalidArgument: There is no such question or column.
    """
    if not isinstance(question, str | int | np.integer):
        raise InvalidArgument(
            "a question is named by its alias or id, or by a column, not by a "
            f"{type(question).__name__}"
        )
    if question in frame.index.names and question not in frame.columns:
        frame = frame.assign(**{str(question): frame.index.get_level_values(question)})
    names = columns_of(frame, description, question)
    described = _described(description)
    if any(name not in described for name in names):
        items = tuple(_read_own(frame, name, "" if len(names) == 1 else name) for name in names)
        left_out = _left_out(
            sum(int((frame[name].notna() & ~item.answered).sum())
                for name, item in zip(names, items, strict=True)),
            "that are no number",
        )  # fmt: skip
        return QuestionAnswers(str(question), str(question), items, left_out, is_own=True)
    reader = _Reader(frame, description, described, _states(frame, description, names))
    # An earlier value of an answer has a column of its own, but is no answer.
    names = [name for name in names if MEMBER not in described[name].path] or names
    found = [reader.item(group) for group in _by_item(description, names)]
    if any(described[name].piped for name in names):  # the question itself is asked by row alone
        found = [item for item in found
                 if described[item.columns[0]].piped or item.asked.any()] or found  # fmt: skip
    language = _languages(description)
    tables = {name: parent.text(*language) for name in names if (parent := described[name].parent)}
    items = _with_distinct_labels(found, tables)
    reader.note_unknown(items)
    above = [described[name].parent or described[name].question for name in names]
    groups = [each for each in above if question_key(each) in GROUP]  # with grids inside
    titles = {each.text(*language) for each in groups or above}
    if len(titles) > 1:  # such as columns of several tables, whose ids begin anew in each
        titles = {described[name].question.text(*language) for name in names}
    title = titles.pop() if len(titles) == 1 else str(question)
    if len(items) == 1:
        row = items[0].label
        title = f"{title}: {row}" if title and row not in ("", title) else title or row
        items = (replace(items[0], label=""),)
    return QuestionAnswers(str(question), title or str(question), items, tuple(reader.notes))


def _described(description: Description) -> dict[str, AnswerColumn]:
    found: dict[str, AnswerColumn] = {}
    for each in description.each_wave:
        found = {**each.columns, **found}
    return found


def _languages(description: Description) -> tuple[str | None, ...]:
    return description.each_wave[0].languages


def _by_item(description: Description, names: Sequence[str]) -> list[list[str]]:
    """Group columns by item: the options of a question are one, whatever its id in each wave."""
    groups: list[list[str]] = []
    at: dict[Any, list[str]] = {}
    for name in names:
        keys = []
        for place, each in enumerate(description.each_wave):
            if (column := each.columns.get(name)) is not None:
                is_option = column.part == "option"
                keys.append((place, column.path[:-1] if is_option else column.path, is_option))
        group = next((at[key] for key in keys if key in at), None)
        if group is None:
            groups.append(group := [])
        group.append(name)
        at |= dict.fromkeys(keys, group)
    return groups


def _with_distinct_labels(items: Sequence[Item], tables: Mapping[str, str]) -> tuple[Item, ...]:
    """Return items whose labels differ: of equal ones, by the table, else by the column."""
    often = Counter(item.label for item in items)
    by_table = [f"{tables.get(item.columns[0], '')}: {item.label}" for item in items]
    often_by_table = Counter(by_table)

    def label(item: Item, longer: str) -> str:
        if often[item.label] == 1:
            return item.label
        is_clear = often_by_table[longer] == 1 and item.label and tables.get(item.columns[0])
        return longer if is_clear else f"{item.label} [{item.columns[0]}]".strip()

    return tuple(
        replace(item, label=label(item, longer))
        for item, longer in zip(items, by_table, strict=True)
    )


def _states(
    frame: pd.DataFrame, description: Description, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return of each cell: answered 1, skipped 0, not asked -1, not known -2 (int8)."""
    found = {name: np.full(len(frame), _NOT_ASKED, np.int8) for name in names}
    for _, rows, wave in description.pieces(frame):
        piece = frame if len(rows) == len(frame) else frame.iloc[rows]
        for name, states in cell_states(piece, wave, names).items():
            if name in found:
                found[name][rows] = _SHORT[states]
    return found


class _Reader:
    """Reads the items of described columns."""

    def __init__(
        self,
        frame: pd.DataFrame,
        description: Description,
        described: Mapping[str, AnswerColumn],
        states: Mapping[str, np.ndarray],
    ) -> None:
        self._frame, self._description = frame, description
        self._described, self._states = described, states
        self._languages = _languages(description)
        self.notes: list[str] = []

    def item(self, names: list[str]) -> Item:
        """Read the item of some columns."""
        column = self._described[names[0]]
        if column.part == "option":
            return self._multi(names)
        if column.part == "list":
            return self._lists(names[0])
        if column.kind == "category":
            return self._single(names[0])
        if column.kind == "number":
            return self._number(names[0])
        return self._other(names[0])

    def note_unknown(self, items: Iterable[Item]) -> None:
        """Note how many responses may have been asked, as far as is known."""
        columns = [name for item in items for name in item.columns]
        states = np.max([self._states[name] for name in columns], axis=0)
        is_unknown = states == _UNKNOWN
        asked = np.zeros(len(is_unknown), bool)
        for item in items:
            asked |= item.asked
        count = int((is_unknown & ~asked).sum())
        if count > _FEW_UNKNOWN * asked.sum():  # a few closed the survey before its first page
            more = "1 more response" if count == 1 else f"{count:,} more responses"
            self.notes.append(f"Of {more} it is not known whether the question was asked.")

    def _base(self, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows were asked, and which have an answer."""
        best = np.max([self._states[name] for name in names], axis=0)
        return best >= 0, best > 0

    def _label(self, name: str) -> str:
        column = self._described[name]
        words = column.question.text(*self._languages)
        if column.part not in ("item", "leaf"):
            return words or name
        label = column.option.label(*self._languages) if column.option else ""
        if column.parent is None or not label:
            return label or (": ".join(column.path[1:]) if column.option else words) or name
        return f"{words}: {label}" if words else label  # a cell of a grid

    def _multi(self, names: list[str]) -> Item:
        asked, answered = self._base(names)
        options = [self._described[name].option for name in names]
        known = [option for option in options if option is not None]
        labels = iter(option_names(known, "label", self._languages))
        choices = [
            Choice(name) if option is None
            else Choice(next(labels), not_applicable=option.is_not_applicable)
            for name, option in zip(names, options, strict=True)
        ]  # fmt: skip
        label = self._label(names[0])
        matrix = np.column_stack([_are_chosen(self._frame[name]) for name in names])
        return Item(label, "multi", tuple(names), asked, answered, tuple(choices), chosen=matrix)

    def _lists(self, name: str) -> Item:
        asked, answered = self._base([name])
        choices: dict[str, Choice] = {}
        holders: dict[str, np.ndarray] = {}
        for _, rows, wave in self._description.pieces(self._frame):
            if (column := wave.columns.get(name)) is None:
                continue
            known = {}
            labels = option_names(column.choices, "label", wave.languages)
            keys = option_names(column.choices, wave.options.rendered, wave.languages)
            for key, label, option in zip(keys, labels, column.choices, strict=True):
                known[key] = label
                choices.setdefault(label, Choice(label, not_applicable=option.is_not_applicable))
            for row, cell in zip(rows.tolist(), self._frame[name].iloc[rows], strict=True):
                for each in cell if isinstance(cell, list | tuple | np.ndarray) else ():
                    label = known.get(as_label(each), as_label(each))
                    choices.setdefault(label, Choice(label))
                    if label not in holders:
                        holders[label] = np.zeros(len(self._frame), bool)
                    holders[label][row] = True
        nobody = np.zeros(len(self._frame), bool)
        chosen = [holders.get(label, nobody) for label in choices]
        matrix = np.column_stack(chosen) if chosen else np.zeros((len(self._frame), 0), bool)
        found = tuple(choices.values())
        return Item(self._label(name), "multi", (name,), asked, answered, found, chosen=matrix)

    def _single(self, name: str) -> Item:
        """Read a choice by its options; other categories that a cell holds are choices after."""
        asked, given = self._base([name])
        choices, codes = self._coded(name)
        self._note_left_out(given & (codes < 0), "that are no option of the survey")
        column = self._described[name]
        numbers = np.empty(0)
        has_numbers = any(choice.is_step for choice in choices)
        if has_numbers:
            scores = np.array([math.nan if c.not_applicable else c.score for c in choices])
            numbers = np.where(codes >= 0, scores[np.maximum(codes, 0)], np.nan)
        answered = codes >= 0
        has_order = is_scale(column)
        return Item(
            self._label(name), "single", (name,), asked | answered, answered, choices,
            codes=codes, numbers=numbers if has_order else np.empty(0), is_scale=has_order,
            has_order_alone=has_order and not has_numbers
            and 0 < len(choices) == len(column.choices),
        )  # fmt: skip

    def _coded(self, name: str) -> tuple[tuple[Choice, ...], np.ndarray]:
        """Return the choices of a column, and the position of that of each row."""
        choices: dict[str, Choice] = {}
        at: dict[str, int] = {}
        codes = np.full(len(self._frame), -1, np.int64)
        for _, rows, wave in self._description.pieces(self._frame):
            column = wave.columns.get(name)
            if column is None:
                continue
            way = wave.options.rendered
            labels = option_names(column.choices, "label", wave.languages)
            keys = option_names(column.choices, way, wave.languages)
            known: dict[Any, str] = {}
            scored = has_scores(column)
            for key, label, option in zip(keys, labels, column.choices, strict=True):
                score = read_number(option.value) if scored else math.nan
                choices.setdefault(label, Choice(label, score, option.is_not_applicable))
                at.setdefault(label, len(at))
                known[key] = label
                if way != "label" and (number := read_number(key)) == number:
                    known[number] = label
            cells = _hashable(self._frame[name].iloc[rows])
            for value, where in cells.groupby(cells.astype(object), sort=False).indices.items():
                label = known.get(value, as_label(value))
                if label not in at:
                    self.notes.append(f"{label!r} is no option of the survey.")
                choices.setdefault(label, Choice(label, read_number(label)))
                codes[rows[where]] = at.setdefault(label, len(at))
        return tuple(choices.values()), codes

    def _number(self, name: str) -> Item:
        asked, _ = self._base([name])
        column = self._described[name]
        numbers, choices = self._numbers(name)
        answered = np.isfinite(numbers)
        given = self._texts(name) | self._frame[name].notna().to_numpy(bool)
        self._note_left_out(given & ~answered, "that are no number")
        keys = (question_key(column.question), question_key(column.parent) if column.parent else "")
        kind: Kind = "nps" if keys[0] == _NPS else "rank" if {*keys} & {*_RANKS} else "number"
        if kind == "rank" and not choices:
            beside = [c for c in self._described.values() if c.path[:-1] == column.path[:-1]]
            choices = tuple(Choice(str(n), n) for n in range(1, len(beside) + 1))
        if kind != "nps" and choices:
            choices = self._extended(choices, numbers[answered])
        codes = np.full(len(numbers), -1, np.int64)
        if choices:
            at = {c.score: place for place, c in reversed([*enumerate(choices)])}
            codes = np.array([at.get(number, -1) for number in numbers.tolist()], np.int64)
            self._note_left_out(answered & (codes < 0), "that are no option of the survey")
            flags = np.array([choice.not_applicable for choice in choices])
            numbers = np.where((codes < 0) | flags[codes], np.nan, numbers)
            answered &= codes >= 0
        return Item(
            self._label(name), kind, (name,), asked | answered, answered, choices,
            codes=codes, numbers=numbers, is_scale=kind != "number" or is_scale(column),
        )  # fmt: skip

    def _texts(self, name: str) -> np.ndarray:
        """Return in which rows the ``_raw`` column of a column of numbers has a text."""
        found = np.zeros(len(self._frame), bool)
        for _, rows, wave in self._description.pieces(self._frame):
            if (column := wave.columns.get(name)) is not None:
                beside = wave.raw_columns.get(f"{column.id}_raw")
                if beside in self._frame.columns:
                    found[rows] = self._frame[beside].iloc[rows].notna()
        return found

    def _note_left_out(self, rows: np.ndarray, what: str) -> None:
        self.notes += _left_out(int(rows.sum()), what)

    def _numbers(self, name: str) -> tuple[np.ndarray, tuple[Choice, ...]]:
        """Return the number of each row, and the numbers that are options of the survey."""
        numbers = np.full(len(self._frame), np.nan)
        choices: dict[float, Choice] = {}
        for _, rows, wave in self._description.pieces(self._frame):
            if (column := wave.columns.get(name)) is None:
                continue
            cells = self._frame[name].iloc[rows]
            if cells.dtype.kind in "mM":  # pandas would convert dates to nanoseconds
                cells = cells.astype(object)
            cells = pd.to_numeric(cells, errors="coerce")
            found = cells.to_numpy(np.float64, na_value=np.nan)
            for option in column.choices:
                score = read_number(option.value)
                label = option.label(*wave.languages)
                choices.setdefault(score, Choice(label, score, option.is_not_applicable))
            if wave.options.rendered == "id" and column.choices:
                scores = {read_number(o.id): read_number(o.value) for o in column.choices}
                found = np.array([scores.get(each, each) for each in found.tolist()], np.float64)
            numbers[rows] = found
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers, tuple(choices.values())

    def _extended(self, choices: tuple[Choice, ...], numbers: np.ndarray) -> tuple[Choice, ...]:
        """Return choices with those numbers of an analyst that are none; none if there are many."""
        known = {choice.score for choice in choices}
        more = [number for number in np.unique(numbers).tolist() if number not in known]
        if len(more) > MOST_VALUES:
            return ()
        self.notes += [f"{as_label(number)!r} is no option of the survey." for number in more]
        return (*choices, *(Choice(as_label(number), number) for number in more))

    def _other(self, name: str) -> Item:
        asked, _ = self._base([name])
        cells = self._frame[name]
        answered = cells.notna().to_numpy(bool)
        if isinstance(cells.dtype, pd.BooleanDtype) or cells.dtype == bool:
            item = _read_own(self._frame, name, self._label(name))
            return replace(item, asked=asked | answered)
        kind: Kind = "date" if pd.api.types.is_datetime64_any_dtype(cells.dtype) else "text"
        if kind == "date":
            self._note_left_out(self._texts(name) & ~answered, "that could not be read as a date")
        return Item(self._label(name), kind, (name,), asked | answered, answered, values=cells)


def as_label(value: Any) -> str:
    """Return a value of a cell as a label: a number in full, without a fraction of zeros."""
    return f"{value:.15g}" if isinstance(value, float | np.floating) else str(value)


def _left_out(count: int, what: str) -> tuple[str, ...]:
    """Return the sentence on answers that are not counted, if there are any."""
    words = what if count > 1 else what.replace("that are", "that is")
    return (f"Left out: {counted(count, 'answer')} {words}.",) if count else ()


def _are_chosen(cells: pd.Series) -> np.ndarray:
    """Return in which rows an option was chosen: true, 1 or its id, as numbers or as text."""
    is_number = pd.api.types.is_numeric_dtype(cells.dtype)  # or bool
    if is_number and not isinstance(cells.dtype, pd.ArrowDtype):
        return np.asarray(cells.to_numpy(np.float64, na_value=0) != 0)
    words = cells.astype(object).map(lambda cell: str(cell).strip().casefold())
    chosen: np.ndarray = (cells.notna() & ~words.isin(_NOT_CHOSEN)).to_numpy(bool)
    return chosen


def _hashable(cells: pd.Series) -> pd.Series:
    """Return cells with lists and the like as text."""
    if cells.dtype != object:
        return cells
    return cells.map(lambda cell: cell if isinstance(cell, Hashable) else str(cell))


def _read_own(frame: pd.DataFrame, name: str, label: str) -> Item:
    """Read a column that is no question: its categories, numbers, dates or texts."""
    cells = frame[name].infer_objects()
    answered = cells.notna().to_numpy(bool)
    everybody = np.ones(len(frame), bool)
    if isinstance(cells.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(cells.dtype):
        as_category = cells.astype("category")
        places, labels = pd.factorize(
            np.array([as_label(each) for each in as_category.cat.categories], object)
        )  # equal labels, as of 1 and "1", are one
        choices = tuple(map(Choice, labels))
        codes = np.append(places, -1)[as_category.cat.codes.to_numpy(np.int64)]
        return Item(label, "single", (name,), everybody, answered, choices, codes=codes)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = cells.to_numpy(np.float64, na_value=np.nan)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        whole = cells if pd.api.types.is_integer_dtype(cells.dtype) else None
        return Item(
            label, "number", (name,), everybody, np.isfinite(numbers), numbers=numbers, values=whole
        )
    kind: Kind = "date" if pd.api.types.is_datetime64_any_dtype(cells.dtype) else "text"
    item = Item(label, kind, (name,), everybody, answered, values=cells)
    if kind == "date" or len(set(map(as_label, cells[answered]))) > MOST_VALUES:
        return item
    return as_choices(item)


def as_choices(item: Item) -> Item:
    """Return an item of texts or numbers as choices: one for each different value, sorted.

    Raises:
        InvalidArgument: It has more than ``MOST_VALUES`` values, or holds dates.
    """
    if item.choices or item.kind == "single":
        return item
    name = item.columns[0]
    if item.kind == "date":
        raise InvalidArgument(
            f"{name!r} holds dates", hint=f"Make periods of them: df[{name!r}].dt.year"
        )
    is_number = item.kind == "number"
    is_whole = is_number and item.values is not None  # integers of any length
    numbers = item.numbers if is_number and not is_whole else item.values
    values = pd.Series(numbers).reset_index(drop=True)
    if not is_number:  # of any type, which need not have an order
        values = pd.Series([as_label(v) if there else None
                            for v, there in zip(values, item.answered, strict=True)],
                           dtype=object)  # fmt: skip
    codes, levels = pd.factorize(values, sort=True)
    if len(levels) > MOST_VALUES:
        raise InvalidArgument(
            f"{name!r} has {len(levels):,} different values, too many for a table",
            hint=f"Make groups of them: pd.cut(df[{name!r}], …)" if is_number else "",
        )
    choices = tuple(Choice(as_label(level)) for level in levels)
    return replace(
        item, kind="single", choices=choices, codes=codes.astype(np.int64), numbers=np.empty(0)
    )
