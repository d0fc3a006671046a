"""Raw answers, the leaves that hold them, and the options that they mean.

A leaf is a sparse dictionary-encoded column: the numbers of the responses that have an answer at
one path of ids, and for each of them a code, which is the position of its answer among the
distinct ones. Paths are ``("2",)`` for a question, ``("21", "10031")`` for an option of it,
``("51", "10040")`` for a cell of a grid.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from alchemer_nb.decode.entry_types import Scalar
from alchemer_nb.decode.packed_list import PackedList
from alchemer_nb.forks import lazy_attribute
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alchemer_nb.survey.definition import Option

WRITE_IN_SUFFIX = "-other"
NO_ID = (None, "", 0, "0")
OTHER_TEXT = "with another text than the reporting value"
_MOST_IN_A_BYTE = 255
_MANY = 1000  # distinct answers, from which a leaf may stop looking for repeated ones


class RawAnswer(NamedTuple):
    """One answer as received: text, option id, the text before an edit, the option's label."""

    answer: Scalar = None
    answer_id: Scalar = None
    original: Scalar = None
    label: Scalar = None

    @property
    def text(self) -> str | None:
        """The answer as text, None where it is empty."""
        if self.answer is None or self.answer == "":
            return None
        if isinstance(self.answer, bool):
            return "true" if self.answer else "false"
        return str(self.answer)

    @property
    def is_write_in(self) -> bool:
        """True if the text was typed at an "other" option, whose id is then "10024-other"."""
        return self.answer_id is not None and str(self.answer_id).endswith(WRITE_IN_SUFFIX)

    @property
    def received(self) -> str | None:
        """The first of text, original text, label and id that is not empty."""
        if self.text is not None:
            return self.text
        for other in (self.original, self.label, self.answer_id):
            if other not in NO_ID:
                return str(other)
        return None

    def repeats(self, earlier: RawAnswer) -> bool:
        """Check whether it adds nothing to an earlier answer at the same path."""
        if str(earlier.answer) != str(self.answer):
            return False
        # A grid may give the id as a number and its row as text.
        return self.answer_id is None or id_text(self.answer_id) == id_text(earlier.answer_id)

    def differences(self, earlier: RawAnswer) -> Iterator[RawAnswer]:
        """Yield what it says other than an earlier answer at the same path, as answers."""
        has_other_label = None not in (self.label, earlier.label) and self.label != earlier.label
        if has_other_label or not self.repeats(earlier):
            yield self._replace(original=None)
        known = {None, "", self.answer, earlier.answer, earlier.original}
        if self.original not in known:  # a write-in, of which a column shows one text
            yield RawAnswer(self.original, self.answer_id, None, self.label)


_ITEMS = msgspec.msgpack.Decoder(list[RawAnswer | Scalar])
_NOTHING_ELSE = (None, None, None)  # the other fields of a RawAnswer with an answer alone


class RawAnswers:
    """The distinct answers of a leaf.

    Texts are many and distinct: a tuple around each would double their memory.

    Attributes:
        items: RawAnswer, or bare values where an answer has no field but ``answer``.
    """

    __slots__ = ("items",)

    def __init__(self, items: Iterable[RawAnswer | Scalar] = ()) -> None:
        self.items: PackedList[RawAnswer | Scalar] = PackedList(_ITEMS)
        self.extend(items)

    def extend(self, items: Iterable[RawAnswer | Scalar]) -> None:
        """Append answers, the bare ones without a tuple around them."""
        self.items.extend(map(_without_tuple, items))

    def texts(self) -> Iterator[str | None]:
        """Yield each answer as text, None where it is empty."""
        return (
            item if item and isinstance(item, str) else _as_raw_answer(item).text
            for item in self.items
        )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: int) -> RawAnswer:
        return _as_raw_answer(self.items[at])

    def __iter__(self) -> Iterator[RawAnswer]:
        return map(_as_raw_answer, self.items)


def _without_tuple(item: Any) -> Any:
    return item.answer if isinstance(item, RawAnswer) and item[1:] == _NOTHING_ELSE else item


def _as_raw_answer(item: Any) -> RawAnswer:
    return item if isinstance(item, RawAnswer) else RawAnswer(item)


class Leaf:
    """A sparse dictionary-encoded column of the answers at one path.

    Attributes:
        codes: Position of the answer of each row in ``raw_answers`` (uint8, or int32).
        raw_answers: The distinct answers; of texts that hardly repeat, all answers.
    """

    def __init__(self) -> None:
        self.codes = array("B")
        self._gaps = array("B")  # from each row to the next: rarely more than a byte
        self._last_row = -1
        self.raw_answers = RawAnswers()
        self._known: dict[Any, int] | None = {}

    @property
    def rows(self) -> np.ndarray:
        """Numbers of the responses that have an answer, ascending (int64)."""
        return np.cumsum(np.asarray(self._gaps), dtype=np.int64) - 1

    def copy(self) -> Leaf:
        """Return a leaf with the same answers that can grow apart from this one."""
        result = Leaf()
        result.codes, result._gaps, result._last_row = self.codes[:], self._gaps[:], self._last_row
        result.raw_answers.items = self.raw_answers.items.copy()
        result._known = None if self._known is None else self._known.copy()
        return result

    def encode(self, item: RawAnswer | Scalar) -> int:
        """Return the code of an answer, a new one if it was not there before."""
        item = _without_tuple(item)
        known, items = self._known, self.raw_answers.items
        # 1, 1.0 and True are equal, but three answers.
        key = item if isinstance(item, (str, RawAnswer)) else (item, type(item))
        code = None if known is None else known.get(key)
        if code is None:
            code = len(items)
            items.append(item)
            if known is not None:
                known[key] = code
        return code

    def encode_all(self, items: Sequence[RawAnswer | Scalar]) -> Sequence[int]:
        """Return the codes of many answers."""
        if self._known is not None:
            return list(map(self.encode, items))
        start = len(self.raw_answers)
        self.raw_answers.extend(items)
        return range(start, len(self.raw_answers))

    def extend(self, rows: np.ndarray, codes: np.ndarray) -> None:
        """Append the encoded answers of many responses."""
        gaps = rows.copy()
        gaps[1:] -= rows[:-1]
        gaps[0] -= self._last_row
        self._last_row = int(rows[-1])
        self._gaps = _extended(self._gaps, gaps, int(gaps.max()))
        self.codes = _extended(self.codes, codes, len(self.raw_answers) - 1)
        if len(self.raw_answers) > _MANY and len(self.raw_answers) * 2 > len(self.codes):
            self._known = None  # texts hardly repeat: a lookup would cost more than it saves


def _extended(numbers: array[int], new: np.ndarray, largest: int) -> array[int]:
    """Return an array of bytes with more numbers in it; of int32 if they do not fit in a byte."""
    if numbers.typecode == "B" and largest > _MOST_IN_A_BYTE:
        numbers = array("i", numbers)
    numbers.frombytes(new.astype(numbers.typecode).tobytes())
    return numbers


class OptionFinder:
    """Finds the option of an answer: by its id, else its reporting value, else its label.

    Args:
        options: Options of one question, in the order of the definition.
        languages: Languages of the labels that count first.
    """

    def __init__(self, options: Sequence[Option], languages: Sequence[str | None]) -> None:
        self._options = options
        self._languages = languages
        self._by_id = {option.id: option for option in options}

    def has(self, option_id: str) -> bool:
        """Check whether an id is that of an option, or of a text written in at one."""
        return option_id.removesuffix(WRITE_IN_SUFFIX) in self._by_id

    def get(self, option_id: Scalar) -> Option | None:
        """Return the option of an id, also of a text written in at it."""
        return self._by_id.get(id_text(option_id).removesuffix(WRITE_IN_SUFFIX))

    def find(self, raw_answer: RawAnswer) -> tuple[Option | None, str | None]:
        """Find the option of an answer.

        Returns:
            The option, or None; and a note where it was not found by id, or where the text
            received differs from the option's reporting value; it never repeats the text.
        """
        if not self._options:
            return None, None
        text = raw_answer.text
        if raw_answer.answer_id not in NO_ID:
            option_id = id_text(raw_answer.answer_id).removesuffix(WRITE_IN_SUFFIX)
            option = self._by_id.get(option_id)
            if option is not None:
                typed = raw_answer.is_write_in or option.is_other  # the text has another column
                differs = not typed and text is not None and text != option.value
                return option, OTHER_TEXT if differs else None
            if raw_answer.is_write_in:
                others = [option for option in self._options if option.is_other]
                return (others[0] if len(others) == 1 else None), None
        if text is None:
            return None, None
        if text in self._by_value:
            return self._by_value[text], None
        if text in self._by_label:
            return self._by_label[text], "found by the label"
        return None, None

    @lazy_attribute
    def _by_value(self) -> dict[str, Option]:
        return _drop_ambiguous((option.value, option) for option in self._options)

    @lazy_attribute
    def _by_label(self) -> dict[str, Option]:
        return _drop_ambiguous(
            (label, option)
            for option in self._options
            for label in {option.label(*self._languages), *map(option.label, option.titles)}
        )


def _drop_ambiguous(pairs: Iterable[tuple[str, Option]]) -> dict[str, Option]:
    """Return text -> option, without the texts that mean several options."""
    found: dict[str, Option] = {}
    ambiguous: set[str] = set()
    for text, option in pairs:
        if text in found:
            ambiguous.add(text)
        found[text] = option
    return {text: option for text, option in found.items() if text not in ambiguous}
