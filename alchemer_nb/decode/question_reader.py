"""The entries of each question, told by their bytes and read once.

Most of a page is the same few entries over and over: a question of five options has five, words
and all.
"""

from __future__ import annotations

from array import array
from itertools import chain, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.decode.entries import own_answer
from alchemer_nb.decode.entry_types import has_more, read_entries
from alchemer_nb.decode.pages import NO_ENTRY
from alchemer_nb.wire.scalars import truth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alchemer_nb.decode.entries import EntryReader, Said
    from alchemer_nb.decode.entry_types import Entry, Scalar
    from alchemer_nb.decode.leaves import Atom, Leaf
    from alchemer_nb.survey.answer_paths import Path

_NOBODY = -1
_REMEMBERED = 1000  # different entries of a question; of a text they would be as many as rows


class Seen:
    """A number for each different entry of any question; number 0 is none at all.

    Each number has the question that had it first; where another one has the same bytes, it is
    given a number of its own.
    """

    def __init__(self) -> None:
        self._raws = [b""]
        self._numbers = {b"": 0}
        self._owners = array("i", [_NOBODY])  # by number, the column that it belongs to
        self._places = array("i", [0])  # by number, which entry of its column it is

    def numbers(self, rows: Sequence[Sequence[Any]], places: Sequence[int]) -> np.ndarray:
        """The number of each entry.

        Args:
            rows: Entries of each response.
            places: Which of them count.

        Returns:
            int32, (responses, places).
        """
        shape = len(rows), len(places)
        if not shape[0] or not shape[1]:
            return np.zeros(shape, dtype=np.int32)
        # Row by row, as the page lies in memory: column by column takes a fifth longer.
        chosen = rows if len(places) == len(rows[0]) else map(_picker(places), rows)
        raws = map(bytes, chain.from_iterable(chosen))
        every = map(self._numbers.get, raws, repeat(-1))
        found = np.fromiter(every, np.int32, shape[0] * shape[1]).reshape(shape)
        for row, column in np.argwhere(found < 0).tolist():
            raw = bytes(rows[row][places[column]])
            number = self._numbers.get(raw)
            found[row, column] = self.add(raw) if number is None else number
        return found

    def add(self, raw: bytes) -> int:
        """Gives an entry a number, a second one where it has one."""
        number = len(self._raws)
        self._raws.append(raw)
        self._owners.append(_NOBODY)
        self._places.append(-1)
        self._numbers.setdefault(raw, number)
        return number

    def claim(self, number: int, column: int, place: int) -> bytes | None:
        """Gives a number to a column; None where another one has it already."""
        if self._owners[number] != _NOBODY:
            return None
        self._owners[number], self._places[number] = column, place
        return self._raws[number]

    def raw(self, number: int) -> bytes:
        """The JSON of an entry."""
        return self._raws[number]

    def strange(self, found: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        """Which entries do not belong to their columns, or not yet."""
        owners = np.frombuffer(self._owners, dtype=np.int32)[found]
        strange: np.ndarray = (owners != np.array(columns, dtype=np.int32)) & (found > 0)
        return strange

    def places(self, found: np.ndarray) -> np.ndarray:
        """Which entry of its column each one is."""
        places: np.ndarray = np.frombuffer(self._places, dtype=np.int32)[found]
        return places

    def forget(self, columns: Sequence[int]) -> None:
        """Lets go of the entries of columns in which hardly one comes twice."""
        owners = np.frombuffer(self._owners, dtype=np.int32)
        for number in np.flatnonzero(np.isin(owners, columns)).tolist():
            if self._numbers.get(self._raws[number]) == number:
                del self._numbers[self._raws[number]]
            self._raws[number] = b""


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == 1:
        (only,) = places
        return lambda row: (row[only],)
    return itemgetter(*places)


class Column:
    """The entries of one question: each different one is read once.

    Attributes:
        question: Its id.
        own: Its own number.
        is_varied: Whether hardly an entry comes twice, as with texts.
        tables: Path -> for each entry of it, which answer it has there; -1 for none.
        shown: Question id -> for each entry, whether it says shown; -1 if it does not say.
        words: Words of new entries, of what the definition does not know.
        misfits: Which entry -> how many of its types were not the documented ones.
        unchosen: Which entry -> how many options it lists as not chosen.
    """

    def __init__(self, question: str, own: int, reader: EntryReader) -> None:
        self.question = question
        self.own = own
        self.is_varied = False
        self._path: Path = (question,)
        self._reader = reader
        self._is_known = reader.knows(question)
        self._blank: set[bytes] = set()
        self._twins: dict[int, int] = {}
        self._forget()

    def _forget(self) -> None:
        """Starts anew, so that memory does not grow with the texts that were read."""
        self._atoms: dict[Path, _Sparse] = {}
        self._shown: dict[str, _Sparse] = {}
        self._size = 1
        self.tables: dict[Path, np.ndarray] = {}
        self.shown: dict[str, np.ndarray] = {}
        self.words: list[Mapping[str, tuple[str, str]]] = []
        self.misfits: dict[int, int] = {}
        self.unchosen: dict[int, int] = {}

    def catch_up(
        self, numbers: np.ndarray, strange: np.ndarray, seen: Seen, leaf: Callable[[Path], Leaf]
    ) -> None:
        """Reads the entries of a page that this question has not had before.

        Args:
            numbers: Of its entries, as ``Seen.numbers`` gives them; those that another question
                had first are replaced.
            strange: Which of them do not belong to it yet.
            seen: What gave the numbers.
            leaf: Gives the leaf of a path.
        """
        new: list[bytes] = []
        for number in np.unique(numbers[strange]).tolist():
            raw = seen.claim(number, self.own, self._size + len(new))
            if raw is None:
                twin = self._twins.get(number)
                if twin is None:
                    twin = self._twins[number] = seen.add(seen.raw(number))
                    raw = seen.claim(twin, self.own, self._size + len(new))
                numbers[numbers == number] = twin
            if raw is not None:
                new.append(raw)
        if new:
            self._learn(new, leaf)
        self.is_varied = self._size > _REMEMBERED

    def read_all(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> np.ndarray:
        """Reads a page where hardly an entry comes twice: to look for one would only cost time.

        Returns:
            Which entry each one is, until the next page.
        """
        self._forget()
        rows = [row for row, raw in enumerate(raws) if raw is not NO_ENTRY]
        numbers = np.zeros(len(raws), dtype=np.int32)
        numbers[rows] = np.arange(1, len(rows) + 1)
        self._learn([raws[row] for row in rows], leaf)
        return numbers

    def _learn(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> None:
        self._read(raws, leaf)
        self._size += len(raws)
        self.tables = {path: _dense(at, self._size) for path, at in self._atoms.items()}
        self.shown = {question: _dense(at, self._size) for question, at in self._shown.items()}

    def _read(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> None:
        entries, is_plain = read_entries(raws) if self._is_known else (None, False)
        if entries is None:
            for number, raw in enumerate(raws, self._size):
                self._note(number, self._reader.read(self.question, bytes(raw)), leaf)
            return
        shown_at, states = self._shown.setdefault(self.question, ([], []))
        own_at: list[int] = []  # most entries: one answer, in its place
        own: list[Scalar | Atom] = []
        for number, (raw, entry) in enumerate(zip(raws, entries, strict=True), self._size):
            if not is_plain and self._has_more(bytes(raw)):
                self._note(number, self._reader.read(self.question, bytes(raw)), leaf)
                continue
            if entry.options or entry.subquestions or entry.comments:
                said = self._reader.read_decoded(self.question, entry, raw)
                self._note(number, said, leaf)
                continue
            if entry.shown is not None:
                shown_at.append(number)
                states.append(entry.shown is True or truth(entry.shown))
            item = _own_item(entry)
            if item is not None:
                own_at.append(number)
                own.append(item)
        if own:
            at, codes = self._atoms.setdefault(self._path, ([], []))
            at += own_at
            codes += leaf(self._path).numbers(own)

    def _has_more(self, raw: bytes) -> bool:
        """Whether an entry holds what nobody documents; those without an answer are the same."""
        if raw in self._blank:
            return False
        if has_more(raw):
            return True
        if len(self._blank) < _REMEMBERED:
            self._blank.add(raw)
        return False

    def _note(self, number: int, said: Said, leaf: Callable[[Path], Leaf]) -> None:
        for path, atom in said.atoms.items():
            at, codes = self._atoms.setdefault(path, ([], []))
            at.append(number)
            codes.append(leaf(path).number(atom))
        for question, state in said.shown.items():
            at, states = self._shown.setdefault(question, ([], []))
            at.append(number)
            states.append(state)
        if said.words:
            self.words.append(said.words)
        if said.misfits:
            self.misfits[number] = said.misfits
        if said.unchosen:
            self.unchosen[number] = said.unchosen


def _own_item(entry: Entry) -> Scalar | Atom:
    """The answer that stands in the entry itself: bare where it is nothing else."""
    answer = entry.rank if entry.answer is None else entry.answer
    if entry.answer_id is None and entry.original_answer is None:
        return answer
    return own_answer(entry)


_Sparse = tuple[list[int], list[Any]]  # numbers of entries, and a value for each


def _dense(values: _Sparse, size: int) -> np.ndarray:
    table = np.full(size, -1, dtype=np.int32)
    table[values[0]] = values[1]
    return table
