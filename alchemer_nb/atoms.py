"""Where answers stand and what they are: paths, atoms and leaves."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np

from alchemer_nb.decoding import Scalar  # noqa: TC001 - msgspec reads annotations

Path = tuple[str, ...]
COMMENT = "comment"
AGAIN = "again"
FIRST_OPTION = 10001  # question ids are small numbers, option ids (SKUs) start here


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
        for other in (self.original, self.answer_id, self.label):
            if other not in (None, "", 0, "0"):
                return str(other)
        return None

    def repeats(self, earlier: Atom) -> bool:
        """Whether it says nothing that an earlier answer at the same place did not."""
        told = str(earlier.answer) == str(self.answer)
        return told and self.answer_id in (None, earlier.answer_id)


class Leaf:
    """The answers at one place: for each response that has one, the number of its atom.

    Attributes:
        rows: Numbers of the responses, ascending (int32).
        codes: Number of the atom of each (int32).
        atoms: The different answers.
    """

    __slots__ = ("_numbers", "atoms", "codes", "rows")

    def __init__(self) -> None:
        self.rows = array("i")
        self.codes = array("i")
        self.atoms: list[Atom] = []
        self._numbers: dict[Atom, int] = {}

    def number(self, atom: Atom) -> int:
        """The number of an atom, a new one if it was not seen before."""
        number = self._numbers.get(atom)
        if number is None:
            number = self._numbers[atom] = len(self.atoms)
            self.atoms.append(atom)
        return number

    def add(self, row: int, atom: Atom) -> None:
        """Notes the answer of one response."""
        self.rows.append(row)
        self.codes.append(self.number(atom))

    def extend(self, rows: np.ndarray, codes: np.ndarray) -> None:
        """Notes the answers of many responses; the codes are those of ``number``."""
        self.rows.frombytes(np.asarray(rows, dtype=np.int32).tobytes())
        self.codes.frombytes(np.asarray(codes, dtype=np.int32).tobytes())
