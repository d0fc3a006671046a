"""Read each distinct entry of a question once.

Most of a page repeats the same few entries: a question with five options has five, word for word.
So entries are compared as bytes, and only new ones are decoded.
"""

from __future__ import annotations

from array import array
from itertools import chain, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.decode.entries import direct_answer, says_more_than_its_answer
from alchemer_nb.decode.entry_types import read_entries
from alchemer_nb.decode.pages import NO_ENTRY
from alchemer_nb.wire.ids import is_option_id
from alchemer_nb.wire.text import read_flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alchemer_nb.decode.entries import EntryContent, EntryReader
    from alchemer_nb.decode.entry_types import Entry, Scalar
    from alchemer_nb.decode.leaves import Leaf, RawAnswer
    from alchemer_nb.survey.columns import AnswerPath

_NO_OWNER = -1
_MOST_DISTINCT = 1000  # distinct entries of a question; a text question has as many as responses


class EntryInterner:
    """A table of the distinct entries of all questions, by number; 0 means no entry.

    A number belongs to the question that had its bytes first. A question that has the same bytes
    later gets a second number for them.
    """

    def __init__(self) -> None:
        self._raws = [b""]
        self._numbers = {b"": 0}
        self._owners = array("i", [_NO_OWNER])  # by number, the question that it belongs to
        self._positions = array("i", [0])  # by number, its position among entries of the question

    def intern(self, rows: Sequence[Sequence[Any]], columns: Sequence[int]) -> np.ndarray:
        """Return the number of each entry.

        Args:
            rows: Entries of each response.
            columns: Positions in each row of the entries to number.

        Returns:
            int32, (responses, columns).
        """
        shape = len(rows), len(columns)
        if not shape[0] or not shape[1]:
            return np.zeros(shape, dtype=np.int32)
        # Row by row, as the page lies in memory: column by column takes a fifth longer.
        chosen = rows if len(columns) == len(rows[0]) else map(_picker(columns), rows)
        raws = map(bytes, chain.from_iterable(chosen))
        every = map(self._numbers.get, raws, repeat(-1))
        found = np.fromiter(every, np.int32, shape[0] * shape[1]).reshape(shape)
        for row, at in np.argwhere(found < 0).tolist():
            raw = bytes(rows[row][columns[at]])
            number = self._numbers.get(raw)
            found[row, at] = self.add(raw) if number is None else number
        return found

    def add(self, raw: bytes) -> int:
        """Return a new number for an entry, even if it has one."""
        number = len(self._raws)
        self._raws.append(raw)
        self._owners.append(_NO_OWNER)
        self._positions.append(-1)
        self._numbers.setdefault(raw, number)
        return number

    def claim(self, number: int, owner: int, position: int) -> bytes | None:
        """Assign a number to a question and return its JSON; None if it has an owner already."""
        if self._owners[number] != _NO_OWNER:
            return None
        self._owners[number], self._positions[number] = owner, position
        return self._raws[number]

    def raw(self, number: int) -> bytes:
        """Return the JSON of an entry."""
        return self._raws[number]

    def find_foreign(self, found: np.ndarray, owners: Sequence[int]) -> np.ndarray:
        """Return the mask of entries that do not belong to their questions, or not yet."""
        actual = np.frombuffer(self._owners, dtype=np.int32)[found]
        foreign: np.ndarray = (actual != np.array(owners, dtype=np.int32)) & (found > 0)
        return foreign

    def positions(self, found: np.ndarray) -> np.ndarray:
        """Return the position of each entry among the distinct entries of its question."""
        positions: np.ndarray = np.frombuffer(self._positions, dtype=np.int32)[found]
        return positions

    def evict(self, owners: Sequence[int]) -> None:
        """Evict the entries of high-cardinality questions."""
        owned = np.isin(np.frombuffer(self._owners, dtype=np.int32), owners)
        for number in np.flatnonzero(owned).tolist():
            if self._numbers.get(self._raws[number]) == number:
                del self._numbers[self._raws[number]]
            self._raws[number] = b""


def _picker(columns: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(columns) == 1:
        (only,) = columns
        return lambda row: (row[only],)
    return itemgetter(*columns)


class QuestionReader:
    """Reads the entries of one question, each distinct one once.

    The arrays have an item for each distinct entry, by its position.

    Attributes:
        question: Question id.
        number: Number of the question, by which it owns entries.
        is_high_cardinality: True if entries hardly repeat, as with texts.
        codes: Path -> code of the entry's answer in the leaf of the path, -1 for none.
        shown: Question id -> 1 or 0 where the entry says whether it was shown, else -1.
        unknown_questions: Question id -> (text, type), where the definition does not know it.
        piped_rows: Id of a piped row -> its texts as received.
        misfits: Position -> number of values that were not of the documented type.
        unchosen: Position -> number of options listed as not chosen.
    """

    def __init__(
        self, question: str, number: int, reader: EntryReader, leaf: Callable[[AnswerPath], Leaf]
    ) -> None:
        self.question = question
        self.number = number
        self.is_high_cardinality = False
        self.unknown_questions: dict[str, tuple[str, str]] = {}
        self.piped_rows: dict[str, set[str]] = {}
        self._path: AnswerPath = (question,)
        self._reader = reader
        self._leaf = leaf
        # Where a top-level entry from 10001 belongs, only its text and parent say: see piped rows.
        self._is_documented = reader.is_documented(question) and not is_option_id(question)
        self._documented: set[bytes] = set()
        self._second_numbers: dict[int, int] = {}
        self._reset()

    def _reset(self) -> None:
        """Drop what was read, or memory would grow with the texts."""
        self._codes: dict[AnswerPath, _Sparse] = {}
        self._shown: dict[str, _Sparse] = {}
        self._size = 1
        self.codes: dict[AnswerPath, np.ndarray] = {}
        self.shown: dict[str, np.ndarray] = {}
        self.misfits: dict[int, int] = {}
        self.unchosen: dict[int, int] = {}

    def read_new(self, numbers: np.ndarray, foreign: np.ndarray, interner: EntryInterner) -> None:
        """Read the entries of a page that this question has not had before.

        Args:
            numbers: Numbers of its entries; those that another question owns are replaced.
            foreign: Mask of the entries whose numbers the question does not own.
            interner: The interner that assigned the numbers.
        """
        new: list[bytes] = []
        for number in np.unique(numbers[foreign]).tolist():
            raw = interner.claim(number, self.number, self._size + len(new))
            if raw is None:  # of another question: take a second number for the same bytes
                second = self._second_numbers.get(number)
                if second is None:
                    second = self._second_numbers[number] = interner.add(interner.raw(number))
                    raw = interner.claim(second, self.number, self._size + len(new))
                numbers[numbers == number] = second
            if raw is not None:
                new.append(raw)
        if new:
            self._read(new)
        self.is_high_cardinality = self._size > _MOST_DISTINCT

    def read_all(self, raws: Sequence[Any]) -> np.ndarray:
        """Read all entries of a page, without looking for repeated ones, which costs time.

        Returns:
            The position of each entry, valid until the next page.
        """
        self._reset()
        rows = [row for row, raw in enumerate(raws) if raw is not NO_ENTRY]
        positions = np.zeros(len(raws), dtype=np.int32)
        positions[rows] = np.arange(1, len(rows) + 1)
        self._read([raws[row] for row in rows])
        return positions

    def _read(self, raws: Sequence[Any]) -> None:
        entries, is_plain = read_entries(raws) if self._is_documented else (None, False)
        if entries is None:
            for position, raw in enumerate(raws, self._size):
                self._add(position, self._reader.read(self.question, bytes(raw)))
        else:
            self._read_typed(raws, entries, is_plain=is_plain)
        self._size += len(raws)
        self.codes = {path: _dense(some, self._size) for path, some in self._codes.items()}
        self.shown = {question: _dense(some, self._size) for question, some in self._shown.items()}

    def _read_typed(self, raws: Sequence[Any], entries: Sequence[Entry], *, is_plain: bool) -> None:
        shown_at, states = self._shown.setdefault(self.question, ([], []))
        direct_at: list[int] = []  # most entries: one answer, at the path of the question
        direct: list[Scalar | RawAnswer] = []
        for position, (raw, entry) in enumerate(zip(raws, entries, strict=True), self._size):
            if not is_plain and self._has_undocumented(bytes(raw)):
                self._add(position, self._reader.read(self.question, bytes(raw)))
                continue
            if says_more_than_its_answer(entry):
                self._add(position, self._reader.read_typed(self.question, entry, raw))
                continue
            if entry.shown is not None:
                shown_at.append(position)
                states.append(entry.shown is True or read_flag(entry.shown))
            item = _bare_or_direct(entry)
            if item is not None:
                direct_at.append(position)
                direct.append(item)
        if direct:
            at, codes = self._codes.setdefault(self._path, ([], []))
            at += direct_at
            codes += self._leaf(self._path).encode_all(direct)

    def _has_undocumented(self, raw: bytes) -> bool:
        if raw in self._documented:  # entries without an answer are often all the same
            return False
        if not read_entries([raw])[1]:
            return True
        if len(self._documented) < _MOST_DISTINCT:
            self._documented.add(raw)
        return False

    def _add(self, position: int, content: EntryContent) -> None:
        for path, raw_answer in content.answers.items():
            at, codes = self._codes.setdefault(path, ([], []))
            at.append(position)
            codes.append(self._leaf(path).encode(raw_answer))
        for question, state in content.shown.items():
            at, states = self._shown.setdefault(question, ([], []))
            at.append(position)
            states.append(state)
        if content.unknown_questions:  # the first mention counts
            self.unknown_questions = content.unknown_questions | self.unknown_questions
        for row, text in content.piped_rows.items():
            self.piped_rows.setdefault(row, set()).add(text)
        if content.misfits:
            self.misfits[position] = content.misfits
        if content.unchosen:
            self.unchosen[position] = content.unchosen


def _bare_or_direct(entry: Entry) -> Scalar | RawAnswer:
    """Return the answer in the entry itself, as a bare value if it has no other field."""
    answer = entry.rank if entry.answer is None else entry.answer
    if entry.answer_id is None:
        return answer
    return direct_answer(entry)


_Sparse = tuple[list[int], list[Any]]  # positions of entries, and a value for each


def _dense(values: _Sparse, size: int) -> np.ndarray:
    table = np.full(size, -1, dtype=np.int32)
    table[values[0]] = values[1]
    return table
