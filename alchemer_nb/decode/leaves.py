"""Where answers stand and what they are: paths, atoms and leaves."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from alchemer_nb.decode.entry_types import Scalar  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.wire.scalars import id_text


class Atom(NamedTuple):
    """One answer as received: text, option id, the text before an edit, the option's label."""

    answer: Scalar = None
    answer_id: Scalar = None
    original: Scalar = None
    label: Scalar = None

    @property
    def text(self) -> str | None:
        """What was answered, as text; None where nothing was."""
        if self.answer is None or self.answer == "":
            return None
        if isinstance(self.answer, bool):
            return "true" if self.answer else "false"
        return str(self.answer)

    @property
    def is_write_in(self) -> bool:
        """Whether the text was typed at an "other" option: its id is such as "10024-other"."""
        return self.answer_id is not None and str(self.answer_id).endswith("-other")

    @property
    def received(self) -> str | None:
        """Whatever there is, where nobody knows which of it is the answer."""
        if self.text is not None:
            return self.text
        for other in (self.original, self.label, self.answer_id):
            if other not in (None, "", 0, "0"):
                return str(other)
        return None

    def repeats(self, earlier: Atom) -> bool:
        """Whether it says nothing that an earlier answer at the same place did not."""
        if str(earlier.answer) != str(self.answer):
            return False
        # A grid may give the id as a number and its row as text.
        return self.answer_id is None or _same_id(self.answer_id, earlier.answer_id)


class Atoms(Sequence[Atom]):
    """The different answers at a place; those that are an answer and nothing else are kept bare.

    Texts are many and each its own: a tuple around every one would double what they take.

    Attributes:
        items: Atoms, or bare answers.
    """

    __slots__ = ("items",)

    def __init__(self, atoms: Iterable[Atom] = ()) -> None:
        self.items: list[Any] = []
        for atom in atoms:
            self.append(atom)

    def append(self, item: Atom | Scalar) -> None:
        """Adds one at the end, an atom or an answer that is nothing else."""
        if isinstance(item, Atom) and item[1:] == _NOTHING_ELSE:
            item = item.answer
        self.items.append(item)

    def extend(self, items: Iterable[Atom | Scalar]) -> None:
        """Adds many at the end."""
        for item in items:
            self.append(item)

    def texts(self) -> list[str | None]:
        """What was answered, as text; None where nothing was."""
        return [
            item if item and isinstance(item, str) else _whole(item).text for item in self.items
        ]

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, at: int) -> Atom: ...
    @overload
    def __getitem__(self, at: slice) -> list[Atom]: ...
    def __getitem__(self, at: int | slice) -> Atom | list[Atom]:
        if isinstance(at, slice):
            return [_whole(item) for item in self.items[at]]
        return _whole(self.items[at])

    def __iter__(self) -> Iterator[Atom]:
        return map(_whole, self.items)


_NOTHING_ELSE = (None, None, None)


def _same_id(one: Scalar, other: Scalar) -> bool:
    return one == other or id_text(one) == id_text(other)


def _whole(item: Any) -> Atom:
    return item if isinstance(item, Atom) else Atom(item)


class Leaf:
    """The answers at one place: for each response that has one, the number of its atom.

    Attributes:
        rows: Numbers of the responses, ascending (int32).
        codes: Number of the atom of each (int32).
        atoms: The different answers; of texts that hardly repeat, all.
    """

    __slots__ = ("_numbers", "atoms", "codes", "rows")

    def __init__(self, atoms: Iterable[Atom] = ()) -> None:
        self.rows = array("i")
        self.codes = array("i")
        self.atoms = Atoms(atoms)
        self._numbers: dict[Any, int] | None = {}

    def number(self, atom: Atom) -> int:
        """The number of an atom, a new one if it was not seen before."""
        if atom[1:] == _NOTHING_ELSE:
            return self.number_of_answer(atom.answer)
        return self._number(atom, atom)

    def numbers(self, items: Sequence[Atom | Scalar]) -> Sequence[int]:
        """The numbers of many atoms, or answers that are nothing else."""
        if self._numbers is None:  # texts that hardly repeat: each is a new one
            start = len(self.atoms.items)
            self.atoms.extend(items)
            return range(start, start + len(items))
        return [
            self.number(item) if isinstance(item, Atom) else self.number_of_answer(item)
            for item in items
        ]

    def number_of_answer(self, answer: Scalar) -> int:
        """The same for an answer that is nothing else."""
        # 1, 1.0 and True are equal, and three answers.
        return self._number(answer if isinstance(answer, str) else (answer, type(answer)), answer)

    def _number(self, key: Any, item: Any) -> int:
        known, items = self._numbers, self.atoms.items
        number = None if known is None else known.get(key)
        if number is None:
            number = len(items)
            items.append(item)
            if known is not None:
                known[key] = number
        return number

    def add(self, row: int, atom: Atom) -> None:
        """Notes the answer of one response."""
        self.rows.append(row)
        self.codes.append(self.number(atom))

    def extend(self, rows: np.ndarray, codes: np.ndarray) -> None:
        """Notes the answers of many responses; the codes are those of ``number``."""
        self.rows.frombytes(np.asarray(rows, dtype=np.int32).tobytes())
        self.codes.frombytes(np.asarray(codes, dtype=np.int32).tobytes())
        if len(self.atoms) > _MANY and len(self.atoms) * 2 > len(self.rows):
            self._numbers = None  # to look for a text that hardly comes twice costs more than it


_MANY = 1000
