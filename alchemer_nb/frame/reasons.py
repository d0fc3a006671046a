"""Why cells are empty: whether each question was shown, and which cells were answered.

Facts (https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads): an
entry says whether it was shown; ``shown: false`` with an answer is an answer; an unanswered
checkbox question is absent altogether. "Not reached" is inferred: a question of an incomplete
response on a page after the last one that has anything shown or answered. A piped row without an
entry was not shown: a response lists the rows that it made, answered or not.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.values import shown_states
from alchemer_nb.survey.columns import column_id
from alchemer_nb.survey.definition import conditional_ids
from alchemer_nb.survey.piped_rows import parent_of_row
from alchemer_nb.survey.question_types import is_multi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition

CELL_STATES = ("answered", "skipped", "not shown", "not reached", "removed", "unknown")
ANSWERED, SKIPPED, NOT_SHOWN, NOT_REACHED, REMOVED, UNKNOWN = range(6)
# A code of a question and response: the reason if it has no answer, and whether the entry itself
# says that it was shown, which the long shape repeats.
_REASONS = np.array(
    [SKIPPED, NOT_SHOWN, NOT_REACHED, UNKNOWN, SKIPPED, NOT_SHOWN, NOT_REACHED, UNKNOWN], np.int8
)
_SAID = np.array([1, 0, 0, -1, -1, -1, -1, -1], np.int8)
_NOTHING = 3  # and unknown
_NOTHING_SKIPPED, _NOT_SHOWN_SILENT = 4, 5  # by inference: the entry says nothing
# The code by what the entry says, what the one of its grid or group says (0 not shown, 1 shown, -1
# nothing), and whether an incomplete response ended before its page.
_CODES = np.array([[[1, 2]] * 3, [[0, 0]] * 3, [[5, 6], [4, 4], [3, 6]]], np.uint8)
_BITS = 3
_AT_ONCE = 25  # columns: one by one is slow, all of them take memory
_MOST = 2**28  # bytes of unpacked bits


@dataclass(frozen=True, eq=False)
class Reasons:
    """The codes of questions and the answered cells of some responses, in bit planes.

    Attributes:
        ids: Response ids (int64), of which each occurs once.
        codes: Question id -> its 3 planes of bits, packed (uint8).
        answered: Key of a cell (see ``cell_key``) that anybody answered -> its packed bits (uint8).
    """

    ids: np.ndarray
    codes: Mapping[str, Iterable[np.ndarray]]
    answered: Mapping[str, np.ndarray]

    def positions(self, ids: Any) -> np.ndarray:
        """Return the position of each response here (int64); -1 where there is none."""
        found: np.ndarray = pd.Index(self.ids).get_indexer(pd.Index(ids))
        return found

    def kinds(self, at: np.ndarray, column: AnswerColumn, is_empty: np.ndarray) -> np.ndarray:
        """Return the state of each cell of a column, as its position in ``CELL_STATES`` (int8).

        Args:
            at: Position of each row's response, from ``positions``.
            column: The column.
            is_empty: Whether the cell of each row is empty.
        """
        codes = self._codes(column.path[0])[at]
        if column.part in ("comment", "leaf") and is_multi(column.question):
            codes = np.where(codes == _NOTHING_SKIPPED, _NOTHING, codes)
        reasons = _REASONS[codes]
        if column.part in ("other", "raw"):  # no such box is shown unless its option was chosen
            reasons = np.where(reasons == SKIPPED, NOT_SHOWN, reasons)
        elif cell_key(column) in self.answered:
            reasons = np.where(self._answered(cell_key(column))[at], REMOVED, reasons)
        return np.where(is_empty, reasons, ANSWERED).astype(np.int8)

    def shown(self, at: np.ndarray, question_id: str) -> np.ndarray:
        """Return whether the entry says that it was shown: 1 yes, 0 no, -1 nothing (int8)."""
        said: np.ndarray = _SAID[self._codes(question_id)[at]]
        return said

    def only(self, ids: Any, columns: Iterable[AnswerColumn]) -> Reasons:
        """Return the reasons of some responses and columns alone.

        Write-ins, comments of a multi-select and answers as received do not keep the code of their
        question: it may say that one of the options was chosen. A comment keeps it if there are no
        options.
        """
        columns = list(columns)
        at = np.flatnonzero(np.isin(self.ids, np.asarray(ids, dtype=np.int64)))
        questions = {column.path[0] for column in columns if not self._is_companion(column)}
        cells = {cell_key(column) for column in columns}
        answered = {key: self._answered(key)[at] for key in self.answered if key in cells}
        return Reasons(
            self.ids[at],
            {own: _planes(self._codes(own)[at]) for own in self.codes if own in questions},
            {key: np.packbits(bits) for key, bits in answered.items() if bits.any()},
        )

    def _is_companion(self, column: AnswerColumn) -> bool:
        """Check whether a column comes with the answers, but is none that the code counts."""
        if column.part != "comment" or not is_multi(column.question):
            return column.part in ("other", "raw")
        # Options that were deleted are not in the definition, but may have been chosen.
        return bool(column.question.options) or _key_of_options(column) in self.answered

    def _codes(self, question_id: str) -> np.ndarray:
        """Return the code of each response, and one for the others at the end."""
        codes = np.full(len(self.ids) + 1, _NOTHING, dtype=np.uint8)
        planes = self.codes.get(question_id)
        if planes is not None:
            low, middle, high = (np.unpackbits(plane, count=len(self.ids)) for plane in planes)
            codes[:-1] = low | middle << 1 | high << 2
        return codes

    def _answered(self, key: str) -> np.ndarray:
        bits = np.zeros(len(self.ids) + 1, dtype=bool)
        bits[:-1] = np.unpackbits(self.answered[key], count=len(self.ids))
        return bits

    def pack(self) -> dict[str, Any]:
        """Return the reasons as data of JSON."""
        of_codes = (plane for planes in self.codes.values() for plane in planes)
        planes = [plane.tobytes() for plane in (*of_codes, *self.answered.values())]
        distinct = {
            plane: at for at, plane in enumerate(dict.fromkeys(planes))
        }  # grids repeat them
        return {
            "ids": _deflate(np.diff(self.ids, prepend=0).astype("<i8").tobytes()),
            "questions": list(self.codes),
            "cells": list(self.answered),
            "planes": [distinct[plane] for plane in planes],
            "bits": _deflate(b"".join(distinct)),
        }

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> Reasons:
        """Read what ``pack`` returned.

        Raises:
            ValueError, TypeError, KeyError, zlib.error: It is something else.
        """
        ids = np.cumsum(np.frombuffer(_inflate(packed["ids"]), dtype="<i8"))
        if len(np.unique(ids)) != len(ids):
            raise ValueError("a response occurs twice")
        questions, cells = packed["questions"], packed["cells"]
        if not all(isinstance(key, str) for key in (*questions, *cells)):
            raise TypeError("keys are text")
        width = (len(ids) + 7) // 8
        bits = np.frombuffer(_inflate(packed["bits"]), dtype=np.uint8)
        distinct = [*bits.reshape(-1 if width else 1, width)]
        planes = [distinct[at] for at in packed["planes"]]
        of_codes = [planes[at : at + _BITS] for at in range(0, len(questions) * _BITS, _BITS)]
        of_cells = planes[len(questions) * _BITS :]
        if any(len(each) != _BITS for each in of_codes):
            raise ValueError("planes are missing")
        return cls(
            ids,
            dict(zip(questions, of_codes, strict=True)),
            dict(zip(cells, of_cells, strict=True)),
        )


NO_REASONS = Reasons(np.array([], dtype=np.int64), {}, {})


def empty_cells(frame: pd.DataFrame) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the name of each column, and which of its cells are empty."""
    for first in range(0, frame.shape[1], _AT_ONCE):
        some = frame.iloc[:, first : first + _AT_ONCE]
        yield from zip(some.columns.tolist(), some.isna().to_numpy().T, strict=True)


def cell_key(column: AnswerColumn) -> str:
    """Return the key of a cell that is answered or not; options of a question share theirs."""
    if column.part == "list":
        return f"{column.id}_*"
    return _key_of_options(column) if column.kind == "boolean" else column.id


def _key_of_options(column: AnswerColumn) -> str:
    return f"{column_id(column.path[:-1])}_*"


def collect_reasons(
    answers: Answers,
    survey: Definition,
    rows: Rows,
    columns: Iterable[tuple[AnswerColumn, np.ndarray]],
) -> Reasons:
    """Collect the reasons of missing answers of some responses.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: The responses.
        columns: Columns, and whether the cells of each are empty.
    """
    collector = _Collector(answers, survey, rows)
    codes: dict[str, np.ndarray] = {}
    answered: dict[str, np.ndarray] = {}
    for column, is_empty in columns:
        own = column.path[0]
        if own not in codes:
            codes[own] = _planes(collector.codes(own, column))
        if column.part not in ("other", "raw") and not is_empty.all():
            answered.setdefault(cell_key(column), np.packbits(~is_empty))
    return Reasons(rows.ids, codes, answered)


class _Collector:
    """The codes of the questions of a download."""

    def __init__(self, answers: Answers, survey: Definition, rows: Rows) -> None:
        self._answers = answers
        self._row_numbers = rows.numbers
        self._page_numbers = {page.id: n for n, page in enumerate(survey.pages)}
        self._outermost = {
            each.id: question.id for question in survey.questions for each in question.walk()
        }
        self._questions = {each.id: each for each in reversed([*survey.walk()])}
        self._conditional = conditional_ids(survey)
        statuses = np.array([*answers.meta["status"]], dtype=object)
        self._complete = statuses[rows.numbers] == "Complete"
        self._last_page = self._reached_pages()

    def codes(self, question_id: str, column: AnswerColumn) -> np.ndarray:
        """Return the code of each response for the question of a column (uint8)."""
        question = column.question if column.piped else self._questions.get(question_id)
        own = shown_states(self._answers, question_id, self._row_numbers)
        above = own
        is_beyond = np.zeros(len(own), dtype=np.int8)
        is_absent_if_unanswered = False
        if question is not None:
            page = self._page_numbers.get(question.page, -1)
            is_beyond = (~self._complete & (page > self._last_page)).astype(np.int8)
        if question is not None and not column.piped:
            parents = (question.parent, self._outermost[question_id])  # a grid, a group
            for parent in dict.fromkeys(each for each in parents if each in self._answers.shown):
                states = shown_states(self._answers, parent, self._row_numbers)
                above = np.where(above < 0, states, above)
            is_conditional = not {question.id, question.parent}.isdisjoint(self._conditional)
            is_absent_if_unanswered = is_multi(question) and not is_conditional
        codes: np.ndarray = _CODES[own, above, is_beyond]
        if is_absent_if_unanswered:  # unanswered, it has no entry
            # A response without any entry (71 of 583 real ones) leaves it unknown.
            codes[(codes == _NOTHING) & (self._last_page >= 0)] = _NOTHING_SKIPPED
        elif column.piped and (column.is_cell or not is_multi(column.question)):
            # Of a multi-select, an unanswered row has no entry either: that leaves it unknown.
            codes[(codes == _NOTHING) & (self._last_page >= 0)] = _NOT_SHOWN_SILENT
        return codes

    def _reached_pages(self) -> np.ndarray:
        """Return the last page with anything shown or answered, -1 for none."""
        last = np.full(self._answers.count, -1, dtype=np.int64)
        pages = {own: self._page_numbers.get(q.page, -1) for own, q in self._questions.items()}
        for question_id, states in self._answers.shown.items():
            (at,) = np.nonzero(np.asarray(states) > 0)
            last[at] = np.maximum(last[at], pages.get(parent_of_row(question_id), -1))
        for path, leaf in self._answers.leaves.items():
            at = leaf.rows
            last[at] = np.maximum(last[at], pages.get(parent_of_row(path[0]), -1))
        reached: np.ndarray = last[self._row_numbers]
        return reached


def _planes(codes: np.ndarray) -> np.ndarray:
    return np.packbits(np.stack([codes >> bit & 1 for bit in range(_BITS)]), axis=1)


def _deflate(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def _inflate(text: str) -> bytes:
    unzip = zlib.decompressobj()
    data = unzip.decompress(base64.b64decode(text, validate=True), _MOST)
    if not unzip.eof:
        raise ValueError("cut short")
    return data
