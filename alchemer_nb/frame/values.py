"""The values of columns: what each answer means by the survey's definition.

Each distinct answer of a question is read once, however many respondents gave it.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.decode.leaves import (
    NO_ID,
    OTHER_TEXT,
    WRITE_IN_SUFFIX,
    OptionFinder,
    RawAnswer,
    RawAnswers,
)
from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.survey.columns import COMMENT, SECOND_ANSWER, column_id
from alchemer_nb.survey.scales import is_ordered, read_number
from alchemer_nb.wire.ids import id_number, id_text
from alchemer_nb.wire.stamps import parse_typed_date
from alchemer_nb.wire.text import strip_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn, AnswerPath
    from alchemer_nb.survey.definition import Option
    from alchemer_nb.survey.question_types import Kind

UNKNOWN_ID = "came with an option id that is not in the definition"
OTHER_LABEL = "with another label than the definition has"
BLANK, UNKNOWN = -1, -2  # in place of an option's position; see ``write_category``


class Renderer:
    """A builder of column arrays from the answers.

    Args:
        answers: All answers of the download.
        row_numbers: Rows of the answers to render, in the order of the result.
        values: ``"label"``, ``"code"`` or ``"id"``.
        languages: Languages of the labels; the first one that an option has is taken.
        day_first: Whether typed dates have the day before the month.

    Attributes:
        counts: Column id -> what did not fit -> count of answers, None for all of them.
    """

    def __init__(
        self,
        answers: Answers,
        row_numbers: np.ndarray,
        values: Values,
        languages: Sequence[str | None],
        *,
        day_first: bool = False,
    ) -> None:
        self._answers = answers
        self._day_first = day_first
        self._row_numbers = row_numbers
        self._values = values
        self.languages = tuple(languages)
        self._answered_rows: dict[AnswerPath, np.ndarray] = {}
        self._paths_below: dict[AnswerPath, list[AnswerPath]] = {}
        for path in answers.leaves:
            if len(path) > 1 and path[-1] not in (COMMENT, SECOND_ANSWER):
                self._paths_below.setdefault(path[:-1], []).append(path)
        self._option_finders: dict[str, OptionFinder] = {}
        self._reading_of: dict[str, Reading] = {}
        self.counts: dict[str, dict[str, int | None]] = {}

    def note(self, column: AnswerColumn, text: str, count: int | None = None) -> None:
        """Add a note to a column, or so many answers to a note; it repeats no answer."""
        if count != 0:
            notes = self.counts.setdefault(column.id, {})
            notes[text] = (notes.get(text) or 0) + count if count else None

    def note_edits(self, column: AnswerColumn) -> None:
        """Count, at the column of the answers, those that were edited."""
        edited = replace(column, id=column_id(column.path[:-2]))
        self.note(edited, 'had an earlier value (metadata="all" shows it)', self.count(column))

    def count(self, column: AnswerColumn) -> int:
        """Count the rows at hand that have an answer at the path of a column."""
        return int((self._codes_by_row(column.path) >= 0).sum())

    @property
    def notes(self) -> dict[str, list[str]]:
        """Column id -> notes, with counts of answers."""
        return {
            own: [text if count is None else f"{count:,} {text}" for text, count in notes.items()]
            for own, notes in self.counts.items()
        }

    def array(self, column: AnswerColumn) -> Any:
        """Return the values of a column, as a pandas array, a numpy array or a series."""
        if column.part in ("other", "raw"):
            return text_array(self.extra_texts(column), self._codes_by_row(column.path))
        for each in column.option_columns or (column,):
            self._note_other_words(each)
        if column.kind == "category":
            return self._render_category(column)
        if column.kind == "boolean":
            return self._render_boolean(column)
        if column.kind == "list":
            return self._render_list(column)
        if column.kind == "number":
            return self._to_rows(column, self._numbers(column).tolist(), np.nan, np.float64)
        if column.kind == "date":
            self.note(column, self._other_order, self.count_other_order(column))
            days = [day for _, day in self._read_days(column)]
            return self._to_rows(column, days, None, "datetime64[us]")
        raw_answers = self._raw_answers(column)
        texts = (
            (raw.received for raw in raw_answers) if column.part == "leaf" else raw_answers.texts()
        )
        return text_array(texts, self._codes_by_row(column.path))

    def has_raw(self, column: AnswerColumn) -> bool:
        """Check whether some answers, as received, cannot be read from the column."""
        if column.kind not in ("number", "category"):
            return False
        is_raw = [self._raw_text(column, raw) is not None for raw in self._raw_answers(column)]
        return any(is_raw) and bool(self._to_rows(column, is_raw, False, bool).any())

    def has_other(self, column: AnswerColumn) -> bool:
        """Check whether a write-in was received, announced by the definition or not."""
        return any(write_in_text(raw, column) is not None for raw in self._raw_answers(column))

    def is_coded(self, column: AnswerColumn) -> bool:
        """Check whether a category is rendered as numeric codes, so that it can hold no text."""
        return is_coded(column, self._values)

    def extra_texts(self, column: AnswerColumn) -> list[str | None]:
        """Return the text of each distinct answer in a column of write-ins or raw answers."""
        if column.part == "other":
            return [write_in_text(raw, column) for raw in self._raw_answers(column)]
        if column.raw_kind == "date":
            return [None if day else text for text, day in self._read_days(column)]
        return [self._raw_text(column, raw) for raw in self._raw_answers(column)]

    def _find_option(
        self, column: AnswerColumn, raw: RawAnswer
    ) -> tuple[Option | None, str | None]:
        found = self._option_finders.get(column.id)
        if found is None:
            found = self._option_finders[column.id] = OptionFinder(column.choices, self.languages)
        return found.find(raw)

    def _raw_answers(self, column: AnswerColumn) -> RawAnswers:
        leaf = self._answers.leaves.get(column.path)
        return leaf.raw_answers if leaf else RawAnswers()

    def _codes_by_row(self, path: AnswerPath) -> np.ndarray:
        """Return the code of each row's answer, -1 where there is none."""
        full = np.full(self._answers.count, -1, dtype=np.int64)
        leaf = self._answers.leaves.get(path)
        if leaf is not None:
            full[leaf.rows] = np.asarray(leaf.codes, dtype=np.int64)
        kept: np.ndarray = full[self._row_numbers]
        return kept

    def _count_rows(self, column: AnswerColumn) -> list[int]:
        """Count the rows at hand with each distinct answer."""
        codes = self._codes_by_row(column.path)
        size = len(self._raw_answers(column))
        counts: list[int] = np.bincount(codes[codes >= 0], minlength=size).tolist()
        return counts

    def _to_rows(
        self, column: AnswerColumn, values: Sequence[Any], missing: Any, dtype: Any
    ) -> Any:
        """Return the value of each row, from one value for each distinct answer."""
        table = np.empty(len(values) + 1, dtype=dtype)
        table[:-1] = values
        table[-1] = missing  # for code -1
        return table[self._codes_by_row(column.path)]

    def _numbers(self, column: AnswerColumn) -> np.ndarray:
        """Return the number of each distinct answer, or the id of its option."""
        raw_answers = self._raw_answers(column)
        positions = {option.id: position for position, option in enumerate(column.choices)}
        options = np.full(len(raw_answers), UNKNOWN)
        numbers = np.full(len(raw_answers), np.nan)
        counts = self._count_rows(column)
        for at, raw in enumerate(raw_answers):
            option, note = self._find_option(column, raw)
            numbers[at] = read_number(option.value if option is not None else raw.answer)
            is_same = note == OTHER_TEXT and is_plain_number(raw.text or "", numbers[at])
            if note and option and not is_same:
                self.note(column, note, counts[at])
            if option is not None and not np.isnan(numbers[at]):
                options[at] = positions[option.id]
        return write_numbers(column, numbers, options, self._values)

    def _raw_text(self, column: AnswerColumn, raw: RawAnswer) -> str | None:
        """Return the text of an answer if it cannot be read from its cell.

        It is no number where one is due, or the cell would be read as an option that it is not.
        """
        text = raw.text
        kind = column.raw_kind or column.kind
        if text is None or kind == "date":
            return None
        option, _ = self._find_option(column, raw)
        if option is not None:  # a write-in has its own column
            is_number = kind == "category" or not np.isnan(read_number(option.value))
            return None if is_number or raw.is_write_in else text
        if column.id not in self._reading_of:
            self._reading_of[column.id] = Reading(column, kind, self._values, self.languages)
        return None if self._reading_of[column.id].is_same(text) else text

    def _read_days(self, column: AnswerColumn) -> list[tuple[str | None, Any]]:
        """Return text and day of each distinct answer, None for a day that cannot be read."""
        return [
            (text, None if text is None else parse_typed_date(text, day_first=self._day_first))
            for text in self._raw_answers(column).texts()
        ]

    @property
    def _other_order(self) -> str:
        there = "month" if self._day_first else "day"
        return f"that can be read as a date with the {there} first alone"

    def count_other_order(self, column: AnswerColumn) -> int:
        """Count the dates at hand that can be read only with the other order of day and month."""
        is_other = [
            text is not None
            and day is None
            and parse_typed_date(text, day_first=not self._day_first) is not None
            for text, day in self._read_days(column)
        ]
        return int(self._to_rows(column, is_other, False, bool).sum()) if any(is_other) else 0

    def _note_other_words(self, column: AnswerColumn) -> None:
        """Note labels and ids that came with answers and that no column shows."""
        options = {option.id: option for option in (*column.choices, column.option) if option}
        for at, raw in enumerate(self._raw_answers(column).items):
            if not isinstance(raw, RawAnswer):  # an answer without id and label
                continue
            option, has_id = column.option, raw.answer_id not in NO_ID
            if has_id:
                option = options.get(id_text(raw.answer_id).removesuffix(WRITE_IN_SUFFIX))
                is_shown = column.part == "leaf" and raw.received == str(raw.answer_id)
                if option is None and not is_shown:
                    self.note(column, UNKNOWN_ID, self._count_rows(column)[at])
            if option is not None and not _is_label_of(option, raw.label):
                self.note(column, OTHER_LABEL, self._count_rows(column)[at])

    def _render_boolean(self, column: AnswerColumn) -> Any:
        raw_answers = self._raw_answers(column)
        chosen = self._to_rows(column, [is_chosen(a, column) for a in raw_answers], False, bool)
        if column.is_cell and column.option is not None:
            expected = (None, column.option.value, column.option.label(*self.languages))
            counts = zip(raw_answers, self._count_rows(column), strict=True)
            odd = sum(count for raw, count in counts if raw.text not in expected)
            self.note(column, OTHER_TEXT, odd)
        stem = column.path[:-1]
        if stem not in self._answered_rows:
            self._answered_rows[stem] = self._find_answered(column)
        answered = self._answered_rows[stem]
        return write_boolean(column, chosen, answered, self._values)

    def _find_answered(self, column: AnswerColumn) -> np.ndarray:
        """Return the rows in which any option of the same question was chosen."""
        answered = np.zeros(len(self._row_numbers), dtype=bool)
        for path in self._paths_below.get(column.path[:-1], ()):
            leaf = self._answers.leaves[path]
            table = np.array([is_chosen(a, column) for a in leaf.raw_answers] + [False], dtype=bool)
            answered |= table[self._codes_by_row(path)]
        return answered

    def _render_list(self, column: AnswerColumn) -> pd.Series[Any]:
        """Return lists of the chosen options, None where the question was not answered."""
        parts = [self._render_boolean(part) for part in column.option_columns]
        names = option_names(column.choices, self._values, self.languages)
        return write_lists(names, parts)

    def _render_category(self, column: AnswerColumn) -> Any:
        positions = {option.id: position for position, option in enumerate(column.choices)}
        options: list[int] = []
        texts: list[str | None] = []
        for raw, count in zip(self._raw_answers(column), self._count_rows(column), strict=True):
            option, note = self._find_option(column, raw)
            if note:
                self.note(column, note, count)
            is_unknown = option is None and raw.text is not None
            if is_unknown:
                self.note(column, "not among the options of the definition", count)
            options.append(positions[option.id] if option else UNKNOWN if is_unknown else BLANK)
            texts.append(raw.text if is_unknown else None)
        by_row = self._to_rows(column, options, BLANK, np.int64)
        unknown = self._to_rows(column, texts, None, object) if any(texts) else None
        return write_category(column, by_row, unknown, self._values, self.languages)


def write_category(
    column: AnswerColumn,
    options: np.ndarray,
    texts: np.ndarray | None,
    values: Values,
    languages: Sequence[str | None],
) -> Any:
    """Return the values of a category.

    Args:
        column: Its column.
        options: Position of each cell's option among the choices; ``BLANK``, or ``UNKNOWN``
            for a text that is no option.
        texts: The text of each unknown cell; None if there is none.
        values: How the options are written.
        languages: Languages of the labels.

    Returns:
        A Categorical, or float64 for codes that are numbers. Texts that are no option are
        categories after the options, by first row.
    """
    unknown = options == UNKNOWN
    is_any_unknown = texts is not None and bool(unknown.any())
    if is_coded(column, values):
        table = np.array([*(read_number(o.value) for o in column.choices), np.nan])
        numbers = table[np.where(options >= 0, options, -1)]
        if texts is not None and is_any_unknown:
            numbers[unknown] = [read_number(text) for text in texts[unknown]]
        return numbers
    names = option_names(column.choices, values, languages)
    positions = {name: position for position, name in enumerate(names)}
    codes = np.where(options >= 0, options, BLANK)
    if texts is not None and is_any_unknown:
        numbers_of_texts, distinct = pd.factorize(texts[unknown])
        places = [positions.setdefault(text, len(positions)) for text in distinct]
        codes[unknown] = np.array(places, dtype=np.int64)[numbers_of_texts]
    # The position on the scale of an option that the definition does not have is unknown.
    whole = len(positions) == len(names)
    ordered = values == "label" and whole and is_ordered(column)
    make = _category_dtype if whole else _category_dtype.__wrapped__  # no answer is remembered
    return pd.Categorical.from_codes(codes, dtype=make((*positions,), ordered), validate=False)


@functools.lru_cache(maxsize=256)
def _category_dtype(names: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype:
    """Return a dtype; the rows of a grid share it, as pandas takes longer to check its names."""
    return pd.CategoricalDtype(pd.Index(names, dtype=text_dtype()), ordered)


def write_numbers(
    column: AnswerColumn, numbers: np.ndarray, options: np.ndarray, values: Values
) -> np.ndarray:
    """Return numbers, for ``values="id"`` the ids of their options where they have one."""
    if values != "id" or not column.choices:
        return numbers
    ids = np.array([read_number(option.id) for option in column.choices])
    return np.where(options >= 0, ids[np.maximum(options, 0)], numbers)


def write_boolean(
    column: AnswerColumn, chosen: np.ndarray, answered: np.ndarray, values: Values
) -> Any:
    """Return the values of one option of several: boolean, or Int64 for codes and ids."""
    if values == "label":
        return pd.arrays.BooleanArray(chosen, ~answered)
    numbers = np.where(chosen, mark_of_chosen(column, values), 0).astype(np.int64)
    return pd.arrays.IntegerArray(numbers, ~answered)


def mark_of_chosen(column: AnswerColumn, values: Values) -> int:
    """Return the number that says that an option was chosen: its id, or 1."""
    mark = id_number(column.option.id) if column.option and values == "id" else None
    return 1 if mark is None else mark


def write_lists(names: Sequence[str], parts: Sequence[Any]) -> pd.Series[Any]:
    """Return lists of the chosen options, None where the question was not answered.

    Args:
        names: Names of the options.
        parts: The values of each option, nullable.
    """
    answered = ~np.all([part.isna() for part in parts], axis=0)
    marks = [part.to_numpy(dtype=bool, na_value=False) for part in parts]
    cells = [
        [name for name, mark in zip(names, marks, strict=True) if mark[row]] if given else None
        for row, given in enumerate(answered)
    ]
    return pd.Series(cells, dtype=object)


class Reading:
    """The texts that the cells of a column can hold, so that reading them gives the same text.

    Args:
        column: The column, or its ``_raw`` column.
        kind: Its kind, category or number.
        values: How its options are written.
        languages: Languages of the labels.
    """

    def __init__(
        self, column: AnswerColumn, kind: Kind, values: Values, languages: Sequence[str | None]
    ) -> None:
        self._is_coded = kind == "category" and is_coded(column, values)
        self._is_number = kind == "number"
        # The ids of numbers count for all values, so that `_raw` does not depend on them.
        spellings = ((o.value, *([o.id] if self._is_number else ())) for o in column.choices)
        self._numbers = {read_number(text) for texts in spellings for text in texts}
        self._names = set(option_names(column.choices, values, languages))

    def is_same(self, text: str) -> bool:
        """Check whether the cell of a text that is no option is read as this text again."""
        if not self._is_coded and not self._is_number:
            return text not in self._names
        number = read_number(text)
        if np.isnan(number) or number in self._numbers:
            return False
        return is_plain_number(text, number) if self._is_number else id_text(number) == text


def is_coded(column: AnswerColumn, values: Values) -> bool:
    """Check whether a category is written as numeric codes, so that it can hold no text."""
    return values == "code" and codes_are_numbers(column.choices)


def option_names(
    options: Sequence[Option], values: Values, languages: Sequence[str | None]
) -> list[str]:
    """Return the name of each option in the frame; equal names get the ids appended."""
    if values == "id":
        return [option.id for option in options]
    names = [o.value if values == "code" else o.label(*languages) for o in options]
    for _ in names:  # again, if a label is the name that another one got
        if len({*names}) == len(names):
            break
        counts = Counter(names)
        names = [
            f"{name} [{option.id}]" if counts[name] > 1 else name
            for name, option in zip(names, options, strict=True)
        ]
    return names


def codes_are_numbers(options: Sequence[Option]) -> bool:
    """Check whether the reporting values of a question are different plain numbers.

    ``"01"`` and ``"5%"`` are texts: as numbers they would be the same as ``"1"`` and ``"5"``.
    """
    values = {option.value for option in options}
    is_plain = all(id_text(read_number(value)) == value != "nan" for value in values)
    return bool(options) and len(values) == len(options) and is_plain


def _is_label_of(option: Option, label: Any) -> bool:
    """Check whether the words that came with an answer are those of its option."""
    words = strip_html(label)
    known = (option.id, option.value, option.label(), *map(strip_html, option.titles.values()))
    return not words or words in known or not (option.titles or option.value)


def is_chosen(raw: RawAnswer, column: AnswerColumn) -> bool:
    """Check whether an answer says that an option was chosen.

    An entry in ``options`` is chosen unless it is null. A grid lists all cells; those that were
    not chosen have no id and an empty answer.
    """
    if column.is_cell and raw.answer_id in (None, "", 0, "0"):
        return raw.answer not in (None, "", False)
    return raw.answer is not None or raw.original is not None


_PLAIN_NUMBER = re.compile(r"\+?(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)")


def is_plain_number(text: str, number: float) -> bool:
    """Check whether a text says no more than its number.

    Blanks around it, a leading ``+`` and zeros at the end of a decimal fraction say nothing.

    Example:
        >>> [is_plain_number(t, float(t)) for t in (" +5.0", "02134", "12345678901234567890")]
        [True, False, False]
    """
    found = _PLAIN_NUMBER.fullmatch(text.strip())
    if found is None or math.isnan(number):
        return False
    plain = found[1].rstrip("0").rstrip(".") if "." in found[1] else found[1]
    return plain == number_text(number)


def number_text(number: float) -> str:
    """Return the plain text of a number: ``5``, not ``5.0``; ``0.00001``, not ``1e-05``."""
    text = id_text(number)
    return np.format_float_positional(number, trim="-") if "e-" in text else text


def shown_states(answers: Answers, question_id: str, row_numbers: np.ndarray) -> np.ndarray:
    """Return for each row whether a question was shown: 1 yes, 0 no, -1 unknown (int8)."""
    states = answers.shown.get(question_id, ())
    full = np.full(answers.count, -1, dtype=np.int8)
    full[: len(states)] = states
    kept: np.ndarray = full[row_numbers]
    return kept


def write_in_text(raw: RawAnswer, column: AnswerColumn) -> str | None:
    """Return the text that was typed at an "other" option.

    At a single choice the id marks it (``"10024-other"``) or is the id of an "other" option. At a
    checkbox the text is in ``answer`` (2017) or ``original_answer`` (later) of the option itself.
    """
    option = column.option
    if option is None:
        if raw.is_write_in:
            return raw.text if raw.original in (None, "") else str(raw.original)
        option = _chosen_other_option(raw, column)
        if option is None:
            return None
    # Of any other option, the original answer is its reporting value before an edit.
    later = option.is_other and raw.original not in (None, "")
    typed = raw.original if later else raw.answer
    if typed in (None, "") or str(typed) in (option.value, option.label(), *option.titles.values()):
        return None
    return str(typed)


def _chosen_other_option(raw: RawAnswer, column: AnswerColumn) -> Option | None:
    if raw.answer_id in (None, "", 0, "0"):
        return None
    option_id = id_text(raw.answer_id)
    return next((each for each in column.choices if each.is_other and each.id == option_id), None)
