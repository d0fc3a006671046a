"""From atoms to values: what an answer means, by the survey's definition.

Every distinct answer of a leaf is looked at once, however many respondents gave it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.decode.leaves import Lookup
from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.survey.columns import COMMENT
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.wire.ids import id_number, id_text
from alchemer_nb.wire.stamps import read_days

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.decode.leaves import Atom, Leaf
    from alchemer_nb.survey.columns import Column, Path
    from alchemer_nb.survey.definition import Option

Values = Literal["label", "code", "id"]
_FEW = 12  # notes name this many examples at most


@dataclass
class Notes:
    """What did not fit, by column id: counted, with a few examples."""

    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, column: Column, text: str) -> None:
        """Notes something about a column, once."""
        kept = self.texts.setdefault(column.id, [])
        if text not in kept and len(kept) < _FEW:
            kept.append(text)


class Renderer:
    """Makes the array of one column from the answers.

    Args:
        answers: All answers of the download.
        keep: Rows to give, by number, in the order to give them.
        values: ``"label"``, ``"code"`` or ``"id"``.
        languages: Whose labels, the first that has one.
    """

    def __init__(
        self,
        answers: Answers,
        keep: np.ndarray,
        values: Values,
        languages: Sequence[str | None],
    ) -> None:
        self._answers = answers
        self._keep = keep
        self._values = values
        self.languages = tuple(languages)
        self._answered_rows: dict[Path, np.ndarray] = {}
        self._parts: dict[Path, list[Path]] = {}
        for path in answers.leaves:
            if len(path) > 1 and path[-1] != COMMENT:
                self._parts.setdefault(path[:-1], []).append(path)
        self._lookups: dict[str, Lookup] = {}
        self.notes = Notes()

    def array(self, column: Column) -> Any:
        """The values of a column, as a pandas array or series."""
        if column.part in ("other", "raw"):
            return text_array(self._mapped(column, self.beside(column), None, object))
        if column.kind == "category":
            return self._category(column)
        if column.kind == "boolean":
            return self._boolean(column)
        if column.kind == "list":
            return self._list(column)
        if column.kind == "number":
            return self._number(column)
        if column.kind == "date":
            return self._date(column)
        if column.part == "leaf":
            return self._texts(column, lambda atom: atom.received)
        return self._texts(column, answer_text)

    def has_raw(self, column: Column) -> bool:
        """Whether some answer of a column of numbers is not one."""
        if column.kind != "number" and not (column.kind == "category" and self.is_coded(column)):
            return False
        return any(self._misfit(column, atom) is not None for atom in self._atoms(column))

    def has_other(self, column: Column) -> bool:
        """Whether something was written in, at a choice that may announce no write-in."""
        return any(written_in(atom, column) is not None for atom in self._atoms(column))

    def _find(self, column: Column, atom: Atom) -> tuple[Option | None, str | None]:
        found = self._lookups.get(column.id)
        if found is None:
            found = self._lookups[column.id] = Lookup(column.choices, self.languages)
        return found.find(atom)

    def _leaf(self, column: Column) -> Leaf | None:
        return self._answers.leaves.get(column.path)

    def _atoms(self, column: Column) -> Sequence[Atom]:
        leaf = self._leaf(column)
        return leaf.atoms if leaf else []

    def _codes(self, path: Path) -> np.ndarray:
        """Number of the atom of each kept row, -1 where there is no answer."""
        full = np.full(self._answers.count, -1, dtype=np.int64)
        leaf = self._answers.leaves.get(path)
        if leaf is not None:
            full[np.asarray(leaf.rows, dtype=np.int64)] = np.asarray(leaf.codes, dtype=np.int64)
        kept: np.ndarray = full[self._keep]
        return kept

    def _mapped(self, column: Column, values: Sequence[Any], missing: Any, dtype: Any) -> Any:
        """Puts one value for each atom into the rows."""
        table = np.empty(len(values) + 1, dtype=dtype)
        table[:-1] = values
        table[-1] = missing
        return table[self._codes(column.path)]

    def _texts(self, column: Column, read: Callable[[Atom], str | None]) -> Any:
        leaf = self._leaf(column)
        if leaf is not None and read is answer_text:
            texts = leaf.atoms.texts()
        else:
            texts = [read(atom) for atom in self._atoms(column)]
        mapped = self._mapped(column, texts, None, object)
        return text_array(mapped)

    def _number(self, column: Column) -> Any:
        numbers = [self._as_number(column, atom) for atom in self._atoms(column)]
        return self._mapped(column, numbers, np.nan, np.float64)

    def _as_number(self, column: Column, atom: Atom) -> float:
        option, note = self._find(column, atom)
        if note and read_number(atom.answer) != read_number(option.value if option else None):
            self.notes.add(column, note)
        if option is not None and self._values == "id":
            return read_number(option.id)
        return read_number(option.value if option is not None else atom.answer)

    def is_coded(self, column: Column) -> bool:
        """Whether the options of a category are given as numbers, so that no text fits beside."""
        return self._values == "code" and codes_are_numbers(column.choices)

    def _misfit(self, column: Column, atom: Atom) -> str | None:
        text = answer_text(atom)
        if text is None or column.kind == "date":
            return None
        if atom.is_write_in:  # it stands in a column of its own
            return None
        option, _ = self._find(column, atom)
        number = read_number(option.value if option is not None else atom.answer)
        return text if np.isnan(number) else None

    def beside(self, column: Column) -> list[str | None]:
        """What each atom has for a column of what was written in, or does not fit."""
        atoms = self._atoms(column)
        if column.part == "other":
            return [written_in(atom, column) for atom in atoms]
        if question_key(column.question) == "date":
            texts = [answer_text(atom) for atom in atoms]
            days = read_days(text for text in texts if text is not None)
            return [None if days.get(text or "") else text for text in texts]
        return [self._misfit(column, atom) for atom in atoms]

    def _date(self, column: Column) -> Any:
        texts = [answer_text(atom) for atom in self._atoms(column)]
        days = read_days(text for text in texts if text is not None)
        moments = [None if text is None else days[text] for text in texts]
        return self._mapped(column, moments, None, "datetime64[us]")

    def _boolean(self, column: Column) -> Any:
        atoms = self._atoms(column)
        chosen = self._mapped(column, [is_chosen(a, column) for a in atoms], False, bool)
        if column.is_cell and column.option is not None:
            expected = (None, column.option.value, column.option.label(*self.languages))
            for text in (a.text for a in atoms):
                if text not in expected:
                    self.notes.add(column, f"{text!r} was received for {expected[1]!r}")
        stem = column.path[:-1]
        if stem not in self._answered_rows:
            self._answered_rows[stem] = self._answered(column)
        answered = self._answered_rows[stem]
        if self._values == "label":
            return pd.arrays.BooleanArray(chosen, ~answered)
        own = column.option.id if column.option else ""
        mark = id_number(own) if self._values == "id" else None
        numbers = np.where(chosen, 1 if mark is None else mark, 0).astype(np.int64)
        return pd.arrays.IntegerArray(numbers, ~answered)

    def _answered(self, column: Column) -> np.ndarray:
        """Rows in which any part of the same question was chosen."""
        answered = np.zeros(len(self._keep), dtype=bool)
        for path in self._parts.get(column.path[:-1], ()):
            leaf = self._answers.leaves[path]
            table = np.array([is_chosen(a, column) for a in leaf.atoms] + [False], dtype=bool)
            answered |= table[self._codes(path)]
        return answered

    def _list(self, column: Column) -> pd.Series[Any]:
        """What was chosen of several options, None where the question was not answered."""
        names = option_names(column.choices, self._values, self.languages)
        arrays = [self._boolean(part) for part in column.parts]
        answered = ~arrays[0].isna()
        marks = [array.to_numpy(dtype=bool, na_value=False) for array in arrays]
        cells = [
            [name for name, mark in zip(names, marks, strict=True) if mark[row]] if given else None
            for row, given in enumerate(answered)
        ]
        return pd.Series(cells, dtype=object)

    def _category(self, column: Column) -> Any:
        atoms = self._atoms(column)
        names = option_names(column.choices, self._values, self.languages)
        places = {option.id: place for place, option in enumerate(column.choices)}
        at = {name: place for place, name in enumerate(names)}
        codes = []
        for atom in atoms:
            option, note = self._find(column, atom)
            if note:
                self.notes.add(column, note)
            if option is not None:
                codes.append(places[option.id])
            elif (text := answer_text(atom)) is None:
                codes.append(-1)
            else:
                self.notes.add(column, f"{text!r} is no option of the definition")
                codes.append(at.setdefault(text, len(at)))
        categories = list(at)
        placed = self._mapped(column, codes, -1, np.int64)
        if self.is_coded(column):
            # By the options, not by their names: two with one value have ids in their names.
            known = [option.value for option in column.choices]
            coded = [read_number(text) for text in (*known, *categories[len(known) :])]
            return np.array([*coded, np.nan], dtype=np.float64)[placed]
        # Nobody knows where on the scale an option stands that the definition does not have.
        whole = len(categories) == len(names)
        ordered = self._values == "label" and whole and is_ordered(column)
        index = pd.Index(categories, dtype=text_dtype())
        return pd.Categorical.from_codes(placed, categories=index, ordered=ordered)


def resolve(
    atom: Atom, options: Sequence[Option], languages: Sequence[str | None]
) -> tuple[Option | None, str | None]:
    """Finds the option an answer stands for: by its id, else its reporting value, else its label.

    Returns:
        The option, or None; and a note where it was not found by id, or where the text received
        differs from the option's reporting value.
    """
    return Lookup(options, languages).find(atom)


def option_names(
    options: Sequence[Option], values: Values, languages: Sequence[str | None]
) -> list[str]:
    """What each option is called in the frame; two with one name get their ids added."""
    if values == "id":
        return [option.id for option in options]
    names = [o.value if values == "code" else o.label(*languages) for o in options]
    often = Counter(names)
    return [
        f"{name} [{option.id}]" if often[name] > 1 else name
        for name, option in zip(names, options, strict=True)
    ]


def codes_are_numbers(options: Sequence[Option]) -> bool:
    """Whether all reporting values of a question are numbers."""
    return bool(options) and not any(np.isnan(read_number(option.value)) for option in options)


def is_ordered(column: Column) -> bool:
    """Whether the options of a column are a scale: a likert or rating, with no "not applicable".

    Nothing in the API says that options have an order. The likert type does, and so do reporting
    values that are numbers and run one way, but in a dropdown list, which holds places and years.
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


def is_chosen(atom: Atom, column: Column) -> bool:
    """Whether an entry says that an option was chosen.

    What is listed in ``options`` is chosen unless it is null, and has an id; in a grid all cells
    are there, and the empty ones are null or empty.
    """
    if column.is_cell and atom.answer_id in (None, "", 0, "0"):
        return atom.answer not in (None, "", False)
    return atom.answer is not None or atom.original is not None


def read_number(value: Any) -> float:
    """A number as typed, NaN for what is none; ``"1,234.5"`` and ``"12%"`` are read too."""
    if isinstance(value, bool) or value is None:
        return np.nan
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    else:
        if not isinstance(value, str) or "_" not in value:
            return number if math.isfinite(number) else np.nan
    text = str(value).strip().replace("\u00a0", "").removesuffix("%").strip()
    if text.count(",") and "." in text.split(",")[-1]:
        text = text.replace(",", "")
    try:
        number = float(text) if "_" not in text else np.nan
    except ValueError:
        return np.nan
    return number if math.isfinite(number) else np.nan


def answer_text(atom: Atom) -> str | None:
    """What was answered, as text; None where nothing was."""
    return atom.text


def written_in(atom: Atom, column: Column) -> str | None:
    """What was typed at an "other" option.

    At a single choice the id says so (``"10024-other"``), or is that of an "other" option. At a
    checkbox the text stands in ``answer`` (2017) or in ``original_answer`` (later) of the option
    itself.
    """
    option = column.option
    if option is None:
        if atom.is_write_in:
            return answer_text(atom) if atom.original in (None, "") else str(atom.original)
        option = _other_chosen(atom, column)
        if option is None:
            return None
    # Of any other option, the original answer is its reporting value before an edit.
    later = option.is_other and atom.original not in (None, "")
    typed = atom.original if later else atom.answer
    if typed in (None, "") or str(typed) in (option.value, option.label(), *option.titles.values()):
        return None
    return str(typed)


def _other_chosen(atom: Atom, column: Column) -> Option | None:
    if atom.answer_id in (None, "", 0, "0"):
        return None
    own = id_text(atom.answer_id)
    return next((each for each in column.choices if each.is_other and each.id == own), None)
