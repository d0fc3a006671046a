"""Collect the answers of a survey's responses, page by page.

What an answer means is not decided here: names, labels and types are applied when a frame is
built, so that they can be changed without another download.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from alchemer_nb.decode.entries import EntryReader
from alchemer_nb.decode.entry_types import Scalar, is_empty, read_url_variables
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.decode.leaves import Leaf
from alchemer_nb.decode.packed_list import PackedList
from alchemer_nb.decode.pages import MOST_UNPLANNED, PageReader, ResponsePage, check_unplanned
from alchemer_nb.decode.question_reader import EntryInterner, QuestionReader
from alchemer_nb.survey.columns import META_FIELDS, SECOND_ANSWER, AnswerPath
from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alchemer_nb.survey.definition import Definition


# Of each planned column: its comment, write-in, earlier value, second answer, and one more.
_MOST_LEAVES_PER_COLUMN = 5
_Values = list[Scalar] | PackedList[Scalar]  # of a metadata field, one for each response

_SCALARS = msgspec.msgpack.Decoder(list[Scalar])
_CodedRows = tuple[np.ndarray, np.ndarray]  # rows of the page, and a code for each


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of downloaded responses, by path.

    Attributes:
        count: Number of responses; the one at position n is response number n.
        meta: Field name -> one value for each response, as received; packed if they are many.
        urls: Name of a url variable -> {number of a response: value}.
        quality: Number of a response -> ``data_quality`` as JSON text, where it has one.
        leaves: Path -> Leaf.
        shown: Question id -> whether each response up to the last known one was shown it: 1 yes,
            0 no, -1 unknown (int8).
        unknown_questions: Question id -> (text, type) of questions that the definition does not
            know, or whose type is not documented.
        others: Name of an undocumented field of responses -> {number of a response: value}.
        without_entries: Numbers of the responses that have no ``survey_data`` at all.
        piped_rows: Id of a piped row (see ``survey.piped_rows``) -> its texts as received.
        misfits: Number of values whose JSON type was not the documented one.
        unchosen: Number of options that were listed as null, which means not chosen.
    """

    count: int = 0
    meta: dict[str, _Values] = field(default_factory=lambda: {n: [] for n in META_FIELDS})
    urls: dict[str, dict[int, str]] = field(default_factory=dict)
    quality: dict[int, str] = field(default_factory=dict)
    leaves: dict[AnswerPath, Leaf] = field(default_factory=dict)
    shown: dict[str, array[int]] = field(default_factory=dict)
    unknown_questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    others: dict[str, dict[int, Scalar]] = field(default_factory=dict)
    without_entries: list[int] = field(default_factory=list)
    piped_rows: dict[str, set[str]] = field(default_factory=dict)
    misfits: int = 0
    unchosen: int = 0

    def copy(self) -> Answers:
        """Return a copy that can grow without changing this one."""
        return replace(
            self,
            meta={name: values.copy() for name, values in self.meta.items()},
            urls={name: values.copy() for name, values in self.urls.items()},
            quality=self.quality.copy(),
            leaves={path: leaf.copy() for path, leaf in self.leaves.items()},
            shown={name: states[:] for name, states in self.shown.items()},
            unknown_questions=self.unknown_questions.copy(),
            others={name: values.copy() for name, values in self.others.items()},
            without_entries=self.without_entries.copy(),
            piped_rows={own: texts.copy() for own, texts in self.piped_rows.items()},
        )


class AnswersBuilder:
    """Builds the answers to a survey while the pages of responses arrive.

    Args:
        survey: The definition, which has the questions and their parts.
        earlier: Answers of an earlier download to continue; they stay as they are.

    Attributes:
        count: Number of responses so far.
    """

    def __init__(self, survey: Definition, earlier: Answers | None = None) -> None:
        self._survey = survey
        self._reader = EntryReader(survey)
        self._pages = PageReader(self._reader.known_questions)
        self._questions: dict[str, QuestionReader] = {}
        self._interner = EntryInterner()
        self._texts: dict[Scalar, Scalar] = {}
        self._answers = earlier or Answers()
        self._is_shared = earlier is not None  # then the next page is added to a copy
        self.count = self._answers.count
        self._most_leaves = _MOST_LEAVES_PER_COLUMN * self._reader.planned_count + MOST_UNPLANNED
        piped = self._answers.piped_rows
        self._leaf_count = sum(path[0] not in piped for path in self._answers.leaves)
        self._misfits = self._answers.misfits
        self._unchosen = self._answers.unchosen

    @property
    def meta(self) -> dict[str, _Values]:
        """Field name -> one value for each response so far, as received."""
        return self._answers.meta

    def copy(self) -> AnswersBuilder:
        """Return a builder that continues from the same answers, apart from this one."""
        return AnswersBuilder(self._survey, self.build())

    def build(self) -> Answers:
        """Return a snapshot: the answers so far, which later pages do not change."""
        self._is_shared = True
        return self.view()

    def view(self) -> Answers:
        """Return the answers so far, valid until the next page; a snapshot costs a copy then."""
        return replace(
            self._answers, count=self.count, misfits=self._misfits, unchosen=self._unchosen
        )

    def add_page(self, body: bytes) -> ResponsePage:
        """Decode and add one page of the response list.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
        """
        page = self.decode(body)
        self.add(page)
        return page

    def decode(self, body: bytes) -> ResponsePage:
        """Decode a page and add nothing yet.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
        """
        with collector_paused():
            return self._pages.read(body)

    def add(self, page: ResponsePage) -> None:
        """Add the responses of a decoded page."""
        with collector_paused():
            if self._is_shared:
                self._answers, self._is_shared = self._answers.copy(), False
            self._add_metadata(page)
            answers: dict[AnswerPath, list[_CodedRows]] = {}
            shown: dict[str, list[_CodedRows]] = {}
            for reader, positions in self._read_entries(page):
                self._spread_entries(reader, positions, answers, shown)
            self._add_answers(answers)
            self._add_shown(shown)
            self._misfits += page.misfits
            self.count += len(page)

    def _read_entries(self, page: ResponsePage) -> Iterator[tuple[QuestionReader, np.ndarray]]:
        """Yield the reader of each question, and the position there of each response's entry."""
        readers = [self._question_reader(question) for question in page.questions]
        places = [at for at, reader in enumerate(readers) if not reader.is_high_cardinality]
        interned = [readers[at] for at in places]
        numbers = self._interner.intern(page.entries, places)
        foreign = self._interner.find_foreign(numbers, [reader.number for reader in interned])
        for at in np.flatnonzero(foreign.any(axis=0)).tolist():
            interned[at].read_new(numbers[:, at], foreign[:, at], self._interner)
        positions = dict(zip(places, self._interner.positions(numbers).T, strict=True))
        for at, reader in enumerate(readers):
            if at in positions:
                yield reader, positions[at]
            else:
                yield reader, reader.read_all([row[at] for row in page.entries])
        varied = [reader.number for reader in interned if reader.is_high_cardinality]
        if varied:
            self._interner.evict(varied)

    def _question_reader(self, question: str) -> QuestionReader:
        reader = self._questions.get(question)
        if reader is None:
            reader = QuestionReader(question, len(self._questions), self._reader, self._leaf)
            self._questions[question] = reader
        return reader

    def _leaf(self, path: AnswerPath) -> Leaf:
        leaf = self._answers.leaves.get(path)
        if leaf is None:
            if not self._reader.is_piped_row(path[0]):  # there may be one for each respondent
                self._leaf_count += 1
                what = "or more answers at places that the definition does not announce"
                check_unplanned(self._leaf_count, self._most_leaves, what)
            leaf = self._answers.leaves[path] = Leaf()
        return leaf

    def _add_metadata(self, page: ResponsePage) -> None:
        """Add the documented fields, and what few responses have besides."""
        texts = self._texts
        for name, new in page.fields.items():
            values = self.meta[name]
            if not values:
                is_repetitive = len(set(new)) * 4 < len(new)
                values = self.meta[name] = [] if is_repetitive else PackedList(_SCALARS)
            if isinstance(values, list):  # such as the language: one text object for all rows
                values.extend(map(texts.setdefault, new, new))
            else:
                values.extend(new)
        self._add_apart(page)

    def _add_apart(self, page: ResponsePage) -> None:
        """Add what few responses have: url variables, data quality, undocumented fields."""
        for row, variables in enumerate(page.url_variables, self.count):
            if not is_empty(variables):
                for name, value in read_url_variables(variables):
                    _add_url_variable(self._answers.urls, name, row, value)
        check_unplanned(len(self._answers.urls))
        for row, quality in enumerate(page.data_quality, self.count):
            if not is_empty(quality):
                self._answers.quality[row] = json.dumps(quality, ensure_ascii=False)
        for name, others in page.others.items():
            for row, other in enumerate(others, self.count):
                if other is not None:
                    self._answers.others.setdefault(name, {})[row] = other
        self._answers.without_entries.extend(
            row for row, has_entries in enumerate(page.has_entries, self.count) if not has_entries
        )

    def _spread_entries(
        self,
        reader: QuestionReader,
        positions: np.ndarray,
        answers: dict[AnswerPath, list[_CodedRows]],
        shown: dict[str, list[_CodedRows]],
    ) -> None:
        """Spread the content of a question's distinct entries over the responses that have them."""
        for path, table in reader.codes.items():
            is_own = path[0] == reader.question
            _append_rows(answers.setdefault(path, []), positions, table, is_own=is_own)
        for question, table in reader.shown.items():
            is_own = question == reader.question
            _append_rows(shown.setdefault(question, []), positions, table, is_own=is_own)
        for question, text_and_type in reader.unknown_questions.items():
            self._answers.unknown_questions.setdefault(question, text_and_type)
        for row, texts in reader.piped_rows.items():
            self._answers.piped_rows.setdefault(row, set()).update(texts)
        self._misfits += _sum_over_rows(reader.misfits, positions)
        self._unchosen += _sum_over_rows(reader.unchosen, positions)

    def _add_answers(self, answers: dict[AnswerPath, list[_CodedRows]]) -> None:
        """Add the answers of a page to their leaves.

        Mostly one question has the answers of a path; a grid may repeat those of its rows. An
        answer that differs from the first one of the same response goes to the path below
        ``SECOND_ANSWER``.
        """
        for path in sorted(answers, key=len):
            different = self._add_first_answers(path, answers[path])
            while different:
                path = (*path, SECOND_ANSWER)
                if path in answers:
                    answers[path] += different
                    break  # its turn comes, as it is longer
                different = self._add_first_answers(path, different)

    def _add_first_answers(self, path: AnswerPath, parts: list[_CodedRows]) -> list[_CodedRows]:
        """Add the first answer of each response; return the others, encoded as second answers."""
        if not parts:
            return []
        leaf = self._leaf(path)
        rows, codes = _first_of_each_row(parts)
        leaf.extend(rows + np.int32(self.count), codes)
        if len(parts) == 1:
            return []
        first = dict(zip(rows.tolist(), codes.tolist(), strict=True))
        different = []
        for part in parts:
            found: tuple[dict[int, int], dict[int, int]] = {}, {}
            for row, code in zip(*(each.tolist() for each in part), strict=True):
                if code == first[row]:
                    continue
                seconds = leaf.raw_answers[code].differences(leaf.raw_answers[first[row]])
                for codes_by_row, second in zip(found, seconds, strict=False):
                    codes_by_row[row] = self._leaf((*path, SECOND_ANSWER)).encode(second)
            different += [
                (np.fromiter(each, np.int32), np.fromiter(each.values(), np.int32))
                for each in found
                if each
            ]
        return different

    def _add_shown(self, shown: dict[str, list[_CodedRows]]) -> None:
        for question, parts in shown.items():
            if parts:
                states = self._answers.shown.setdefault(question, array("b"))
                at, values = _first_of_each_row(parts)
                at = at + (self.count - len(states))
                new = np.full(at[-1] + 1, -1, dtype=np.int8)
                new[at] = values
                states.frombytes(new.tobytes())


def _add_url_variable(urls: dict[str, dict[int, str]], name: str, row: int, value: str) -> None:
    """Add a url variable; a second, different value of a response gets a name of its own."""
    while urls.setdefault(name, {}).get(row, value) != value:
        name += ".again"
    urls[name][row] = value


def _sum_over_rows(counts: Mapping[int, int], positions: np.ndarray) -> int:
    """Return the sum of what some entries count, over the responses that have them."""
    if not counts:
        return 0
    often = np.bincount(positions, minlength=max(counts) + 1)
    return sum(int(often[at]) * count for at, count in counts.items())


def _append_rows(
    parts: list[_CodedRows], positions: np.ndarray, table: np.ndarray, *, is_own: bool
) -> None:
    """Append the rows that have an answer; those of the question itself go first."""
    codes = table[positions]
    (rows,) = np.nonzero(codes >= 0)
    if len(rows):  # a question's own entry counts before a copy in the entry of its grid
        parts.insert(0 if is_own else len(parts), (rows.astype(np.int32), codes[rows]))


def _first_of_each_row(parts: Sequence[_CodedRows]) -> _CodedRows:
    """Return the first code of each row, by ascending row."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([rows for rows, _ in parts])
    codes = np.concatenate([codes for _, codes in parts])
    at, first = np.unique(rows, return_index=True)
    return at, codes[first]


def latest_rows(answers: Answers | AnswersBuilder) -> dict[int, int]:
    """Return response id -> number of its last copy among the answers."""
    return {_response_id(raw, row): row for row, raw in enumerate(answers.meta["id"])}


def _response_id(raw: Any, row: int) -> int:
    number = id_number(raw)
    return -1 - row if number is None else number  # negative ids keep responses without an id
