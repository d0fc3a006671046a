"""The values of columns: what each answer means by the survey's definition.

Each distinct answer of a question is read once, however many respondents gave it.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.decode.leaves import OptionFinder, RawAnswers
from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.survey.columns import COMMENT
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.wire.ids import id_number, id_text
from alchemer_nb.wire.stamps import parse_typed_dates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.decode.leaves import RawAnswer
    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn, AnswerPath
    from alchemer_nb.survey.definition import Option


class Renderer:
    """A builder of column arrays from the answers.

    Args:
        answers: All answers of the download.
        row_numbers: Rows of the answers to render, in the order of the result.
        values: ``"label"``, ``"code"`` or ``"id"``.
        languages: Languages of the labels; the first one that an option has is taken.

    Attributes:
        counts: Column id -> what did not fit -> count of answers, None for all of them.
    """

    def __init__(
        self,
        answers: Answers,
        row_numbers: np.ndarray,
        values: Values,
        languages: Sequence[str | None],
    ) -> None:
        self._answers = answers
        self._row_numbers = row_numbers
        self._values = values
        self.languages = tuple(languages)
        self._answered_rows: dict[AnswerPath, np.ndarray] = {}
        self._paths_below: dict[AnswerPath, list[AnswerPath]] = {}
        for path in answers.leaves:
            if len(path) > 1 and path[-1] != COMMENT:
                self._paths_below.setdefault(path[:-1], []).append(path)
        self._option_finders: dict[str, OptionFinder] = {}
        self.counts: dict[str, dict[str, int | None]] = {}

    def note(self, column: AnswerColumn, text: str, count: int | None = None) -> None:
        """Add a note to a column, or so many answers to a note; it repeats no answer."""
        notes = self.counts.setdefault(column.id, {})
        notes[text] = (notes.get(text) or 0) + count if count else notes.get(text)

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
            return text_array(self._to_rows(column, self.extra_texts(column), None, object))
        if column.kind == "category":
            return self._render_category(column)
        if column.kind == "boolean":
            return self._render_boolean(column)
        if column.kind == "list":
            return self._render_list(column)
        if column.kind == "number":
            numbers = [
                self._as_number(column, raw, count)
                for raw, count in zip(
                    self._raw_answers(column), self._count_rows(column), strict=True
                )
            ]
            return self._to_rows(column, numbers, np.nan, np.float64)
        if column.kind == "date":
            days = [day for _, day in self._read_days(column)]
            return self._to_rows(column, days, None, "datetime64[us]")
        raw_answers = self._raw_answers(column)
        texts = (
            [raw.received for raw in raw_answers] if column.part == "leaf" else raw_answers.texts()
        )
        return text_array(self._to_rows(column, texts, None, object))

    def has_raw(self, column: AnswerColumn) -> bool:
        """Check whether some answer of the rows at hand is no number."""
        if column.kind != "number" and not (column.kind == "category" and self.is_coded(column)):
            return False
        answers = self._raw_answers(column)
        return any(
            count and self._raw_text(column, raw) is not None
            for raw, count in zip(answers, self._count_rows(column), strict=True)
        )

    def has_other(self, column: AnswerColumn) -> bool:
        """Check whether a write-in was received, announced by the definition or not."""
        return any(write_in_text(raw, column) is not None for raw in self._raw_answers(column))

    def is_coded(self, column: AnswerColumn) -> bool:
        """Check whether a category is rendered as numeric codes, so that it can hold no text."""
        return self._values == "code" and codes_are_numbers(column.choices)

    def extra_texts(self, column: AnswerColumn) -> list[str | None]:
        """Return the text of each distinct answer in a column of write-ins or raw answers."""
        if column.part == "other":
            return [write_in_text(raw, column) for raw in self._raw_answers(column)]
        if question_key(column.question) == "date":
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
            full[np.asarray(leaf.rows, dtype=np.int64)] = np.asarray(leaf.codes, dtype=np.int64)
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

    def _as_number(self, column: AnswerColumn, raw: RawAnswer, count: int) -> float:
        option, note = self._find_option(column, raw)
        if (
            note
            and count
            and read_number(raw.answer) != read_number(option.value if option else None)
        ):
            self.note(column, note, count)
        if option is not None and self._values == "id":
            return read_number(option.id)
        return read_number(option.value if option is not None else raw.answer)

    def _raw_text(self, column: AnswerColumn, raw: RawAnswer) -> str | None:
        """Return the text of an answer that is no number; a write-in has its own column."""
        if raw.text is None or column.kind == "date" or raw.is_write_in:
            return None
        option, _ = self._find_option(column, raw)
        number = read_number(option.value if option is not None else raw.answer)
        return raw.text if np.isnan(number) else None

    def _read_days(self, column: AnswerColumn) -> list[tuple[str | None, Any]]:
        """Return text and day of each distinct answer, None for a day that cannot be read."""
        texts = self._raw_answers(column).texts()
        days = parse_typed_dates(text for text in texts if text is not None)
        return [(text, None if text is None else days[text]) for text in texts]

    def _render_boolean(self, column: AnswerColumn) -> Any:
        raw_answers = self._raw_answers(column)
        chosen = self._to_rows(column, [is_chosen(a, column) for a in raw_answers], False, bool)
        if column.is_cell and column.option is not None:
            expected = (None, column.option.value, column.option.label(*self.languages))
            counts = zip(raw_answers, self._count_rows(column), strict=True)
            if odd := sum(count for raw, count in counts if raw.text not in expected):
                self.note(column, "with another text than the reporting value", odd)
        stem = column.path[:-1]
        if stem not in self._answered_rows:
            self._answered_rows[stem] = self._find_answered(column)
        answered = self._answered_rows[stem]
        if self._values == "label":
            return pd.arrays.BooleanArray(chosen, ~answered)
        option_id = column.option.id if column.option else ""
        mark = id_number(option_id) if self._values == "id" else None
        numbers = np.where(chosen, 1 if mark is None else mark, 0).astype(np.int64)
        return pd.arrays.IntegerArray(numbers, ~answered)

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
        names = option_names(column.choices, self._values, self.languages)
        arrays = [self._render_boolean(part) for part in column.option_columns]
        answered = ~arrays[0].isna()
        marks = [array.to_numpy(dtype=bool, na_value=False) for array in arrays]
        cells = [
            [name for name, mark in zip(names, marks, strict=True) if mark[row]] if given else None
            for row, given in enumerate(answered)
        ]
        return pd.Series(cells, dtype=object)

    def _render_category(self, column: AnswerColumn) -> Any:
        names = option_names(column.choices, self._values, self.languages)
        positions = {option.id: position for position, option in enumerate(column.choices)}
        categories = {name: position for position, name in enumerate(names)}
        raw_answers = self._raw_answers(column)
        row_codes = self._codes_by_row(column.path)
        present, first, counts = np.unique(row_codes, return_index=True, return_counts=True)
        table = np.full(len(raw_answers) + 1, -1, dtype=np.int64)
        for at in np.argsort(first).tolist():  # texts that are no option come by their first row
            if present[at] < 0:
                continue
            raw, count = raw_answers[present[at]], int(counts[at])
            option, note = self._find_option(column, raw)
            if note:
                self.note(column, note, count)
            if option is not None:
                table[present[at]] = positions[option.id]
            elif raw.text is not None:
                self.note(column, "that are no option of the definition", count)
                table[present[at]] = categories.setdefault(raw.text, len(categories))
        by_row = table[row_codes]
        if self.is_coded(column):
            # By the options, not by their names: two with one value have ids in their names.
            texts = [option.value for option in column.choices] + [*categories][len(names) :]
            return np.array([*map(read_number, texts), np.nan], dtype=np.float64)[by_row]
        # The position on the scale of an option that the definition does not have is unknown.
        whole = len(categories) == len(names)
        ordered = self._values == "label" and whole and is_ordered(column)
        index = pd.Index([*categories], dtype=text_dtype())
        return pd.Categorical.from_codes(by_row, categories=index, ordered=ordered)


def option_names(
    options: Sequence[Option], values: Values, languages: Sequence[str | None]
) -> list[str]:
    """Return the name of each option in the frame; equal names get the ids appended."""
    if values == "id":
        return [option.id for option in options]
    names = [o.value if values == "code" else o.label(*languages) for o in options]
    counts = Counter(names)
    return [
        f"{name} [{option.id}]" if counts[name] > 1 else name
        for name, option in zip(names, options, strict=True)
    ]


def codes_are_numbers(options: Sequence[Option]) -> bool:
    """Check whether all reporting values of a question are numbers."""
    return bool(options) and not any(np.isnan(read_number(option.value)) for option in options)


def is_ordered(column: AnswerColumn) -> bool:
    """Check whether the options of a column are a scale, with no "not applicable" among them.

    The API does not say that options have an order. The likert type has one, and reporting values
    that are rising or falling numbers mean one; but not in a dropdown list, which may hold years.
    """
    if any(o.is_not_applicable or o.is_other for o in column.choices):
        return False
    if question_key(column.question) == "menu":
        return False
    if column.question.key == "radio-likert":
        return True
    numbers = [read_number(option.value) for option in column.choices]
    if len(numbers) < 3 or any(np.isnan(n) for n in numbers):
        return False
    steps = np.diff(numbers)
    return bool((steps > 0).all() or (steps < 0).all())


def is_chosen(raw: RawAnswer, column: AnswerColumn) -> bool:
    """Check whether an answer says that an option was chosen.

    An entry in ``options`` is chosen unless it is null. A grid lists all cells; those that were
    not chosen have no id and an empty answer.
    """
    if column.is_cell and raw.answer_id in (None, "", 0, "0"):
        return raw.answer not in (None, "", False)
    return raw.answer is not None or raw.original is not None


def read_number(value: Any) -> float:
    """Return a number as typed, such as ``"1,234.5"`` or ``"12%"``; NaN for what is none."""
    if isinstance(value, str):
        value = value.strip().replace("\u00a0", "").removesuffix("%").strip()
        if value.count(",") and "." in value.split(",")[-1]:
            value = value.replace(",", "")
        if "_" in value:  # Python reads "1_000"
            return np.nan
    try:
        number = np.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
    return number if math.isfinite(number) else np.nan


def shown_states(answers: Answers, question_id: str, row_numbers: np.ndarray) -> np.ndarray:
    """Return for each row whether a question was shown: 1 yes, 0 no, -1 unknown (int8)."""
    rows, states = answers.shown.get(question_id, ((), ()))
    full = np.full(answers.count, -1, dtype=np.int8)
    full[np.asarray(rows, dtype=np.int64)] = np.asarray(states, dtype=np.int8)
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
