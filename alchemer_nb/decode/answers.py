"""Pages of responses, turned from rows into leaves.

A *leaf* is a place where answers stand, named by its path of ids: ``("2",)`` for a question,
``("21", "10031")`` for an option of it, ``("51", "10040")`` for a cell of a grid. Each keeps the
distinct answers it has seen and, for each response that has one, which it was. What an answer
means is not decided here: names, labels and types come later, from the survey's definition, so
that they can be switched without another download.
"""

from __future__ import annotations

import json
import pickle
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.decode.entries import EntryReader
from alchemer_nb.decode.entry_types import Scalar, url_variables
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.decode.leaves import Leaf
from alchemer_nb.decode.pages import META_FIELDS, Page, PageReader
from alchemer_nb.decode.question_reader import Column, Seen
from alchemer_nb.survey.answer_paths import AGAIN, Path
from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alchemer_nb.survey.definition import Definition


class Answers:
    """All responses of a download, by leaf.

    Attributes:
        meta: Field name -> one value a response, as received.
        urls: Variable name -> {row: value}.
        quality: ``data_quality`` of the responses that have one, as JSON text by row.
        leaves: Path -> Leaf.
        shown: Question id -> (rows, shown), int32 and int8, of entries that say so.
        words: Question id -> (words, type) of questions that the definition does not know or
            whose type nobody knows.
        misfits: Entries whose JSON types were not the documented ones.
        unchosen: Options that were listed as null, so not chosen.
    """

    def __init__(self, reader: EntryReader | None = None) -> None:
        self._reader = reader or EntryReader()
        self._pages = PageReader(self._reader.order)
        self._columns: dict[str, Column] = {}
        self._seen = Seen()
        self._texts: dict[Scalar, Scalar] = {}
        self._alike: set[str] = set()
        self.count = 0
        self.meta: dict[str, list[Scalar]] = {name: [] for name in META_FIELDS}
        self.urls: dict[str, dict[int, str]] = {}
        self.quality: dict[int, str] = {}
        self.leaves: dict[Path, Leaf] = {}
        self.shown: dict[str, tuple[array[int], array[int]]] = {}
        self.words: dict[str, tuple[str, str]] = {}
        self.misfits = 0
        self.unchosen = 0

    @classmethod
    def of(cls, survey: Definition) -> Answers:
        """Nothing yet, for the answers to a survey: its definition tells parts from questions."""
        return cls(EntryReader.of(survey))

    @property
    def known(self) -> frozenset[str]:
        """Ids of the questions and parts of the definition."""
        return self._reader.known

    def __getstate__(self) -> dict[str, Any]:
        """What stays once all pages are in."""
        return {**self.__dict__, "_pages": None, "_columns": {}, "_seen": None, "_texts": {}}

    def copy(self) -> Answers:
        """The same answers apart: what is added to the one is not in the other."""
        made: Answers = pickle.loads(pickle.dumps(self, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - what was pickled just now
        made._pages, made._seen = PageReader(self._reader.order), Seen()
        return made

    def add_page(self, body: bytes) -> Page:
        """Takes in one page of the response list.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
        """
        page = self.decode(body)
        self.add(page)
        return page

    def decode(self, body: bytes) -> Page:
        """Decodes a page and takes nothing in yet.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
        """
        with collector_paused():
            return self._pages.read(body)

    def add(self, page: Page) -> None:
        """Takes in a page that was decoded."""
        with collector_paused():
            self._add(page)

    def _add(self, page: Page) -> None:
        self.misfits += page.misfits
        self._add_around(page)
        parts: dict[Path, list[_Part]] = {}
        shown: dict[str, list[_Part]] = {}
        for column, numbers in self._numbered(page):
            self._add_question(column, numbers, parts, shown)
        while parts:  # what is said again comes after what it repeats
            path = min(parts, key=len)
            pieces = parts.pop(path)
            again = (*path, AGAIN)
            for part in self._add_parts(path, again, pieces):
                parts.setdefault(again, []).append(part)
        for question, pieces in shown.items():
            if not pieces:
                continue
            rows, states = self.shown.setdefault(question, (array("i"), array("b")))
            at, codes = _first_said(pieces)
            rows.frombytes((at + np.int32(self.count)).tobytes())
            states.frombytes(codes.astype(np.int8).tobytes())
        self.count += len(page)

    def _numbered(self, page: Page) -> Iterator[tuple[Column, np.ndarray]]:
        """The columns of a page, and which of its entries each response has."""
        columns = [self._column(question) for question in page.questions]
        places = [place for place, column in enumerate(columns) if not column.is_varied]
        steady = [columns[place] for place in places]
        found = self._seen.numbers(page.entries, places)
        strange = self._seen.strange(found, [column.own for column in steady])
        for at in np.flatnonzero(strange.any(axis=0)).tolist():
            steady[at].catch_up(found[:, at], strange[:, at], self._seen, self._leaf)
        which = iter(self._seen.places(found).T)
        known = set(places)
        for place, column in enumerate(columns):
            if place in known:
                yield column, next(which)
            else:
                yield column, column.read_all([row[place] for row in page.entries], self._leaf)
        varied = [column.own for column in steady if column.is_varied]
        if varied:
            self._seen.forget(varied)

    def _column(self, question: str) -> Column:
        column = self._columns.get(question)
        if column is None:
            column = Column(question, len(self._columns), self._reader)
            self._columns[question] = column
        return column

    def _add_around(self, page: Page) -> None:
        """Metadata, url variables and quality."""
        same, first = self._texts, not self.count
        for name, values in self.meta.items():
            new = page.fields[name]
            if first and len(set(new)) * 4 < len(new):
                self._alike.add(name)  # such as the language: one text for all its rows
            values.extend(map(same.setdefault, new, new) if name in self._alike else new)
        for row, variables in enumerate(page.url_variables, self.count):
            if variables:
                for name, value in url_variables(variables):
                    self.urls.setdefault(name, {})[row] = value
        for row, quality in enumerate(page.data_quality, self.count):
            if quality:
                self.quality[row] = json.dumps(quality, ensure_ascii=False)

    def _add_question(
        self,
        column: Column,
        numbers: np.ndarray,
        parts: dict[Path, list[_Part]],
        shown: dict[str, list[_Part]],
    ) -> None:
        """What the entries of one question say, spread over the rows that have them."""
        for path, table in column.tables.items():
            part = _spread(numbers, table)
            _add(part, parts.setdefault(path, []), first=path[0] == column.question)
        for question, table in column.shown.items():
            part = _spread(numbers, table)
            _add(part, shown.setdefault(question, []), first=question == column.question)
        for words in column.words:
            for question, said in words.items():
                self.words.setdefault(question, said)
        column.words.clear()
        self.misfits += _total(column.misfits, numbers)
        self.unchosen += _total(column.unchosen, numbers)

    def _leaf(self, path: Path) -> Leaf:
        leaf = self.leaves.get(path)
        if leaf is None:
            leaf = self.leaves[path] = Leaf()
        return leaf

    def _add_parts(self, path: Path, again: Path, pieces: list[_Part]) -> list[_Part]:
        """Adds what was said of one place: mostly by one question; a grid may say it of its row.

        Returns:
            What was said of a row once more and otherwise, numbered for the place ``again``.
        """
        if not pieces:
            return []
        leaf = self._leaf(path)
        rows, codes = _first_said(pieces)
        leaf.extend(rows + np.int32(self.count), codes)
        if len(pieces) == 1:
            return []
        first = dict(zip(rows.tolist(), codes.tolist(), strict=True))
        others = []
        for part in pieces:
            said = zip(*(each.tolist() for each in part), strict=True)
            more = {
                row: self._leaf(again).number(leaf.atoms[code])
                for row, code in said
                if code != first[row] and not leaf.atoms[code].repeats(leaf.atoms[first[row]])
            }
            if more:
                at, numbers = (np.fromiter(each, np.int32) for each in (more, more.values()))
                others.append((at, numbers))
        return others


_Part = tuple[np.ndarray, np.ndarray]  # rows of the page, and a number for each


def _total(counts: Mapping[int, int], numbers: np.ndarray) -> int:
    """The sum of what some entries count, over the rows that have them."""
    if not counts:
        return 0
    often = np.bincount(numbers, minlength=max(counts) + 1)
    return sum(int(often[at]) * count for at, count in counts.items())


def _spread(numbers: np.ndarray, table: np.ndarray) -> _Part:
    codes = table[numbers]
    (rows,) = np.nonzero(codes >= 0)
    return rows.astype(np.int32), codes[rows]


def _add(part: _Part, pieces: list[_Part], *, first: bool) -> None:
    """What a question says of itself counts before what its grid says of it."""
    if len(part[0]):
        pieces.insert(0 if first else len(pieces), part)


def _first_said(pieces: Sequence[_Part]) -> _Part:
    """What was said first of each row, by ascending row."""
    if len(pieces) == 1:
        return pieces[0]
    rows = np.concatenate([rows for rows, _ in pieces])
    codes = np.concatenate([codes for _, codes in pieces])
    at, first = np.unique(rows, return_index=True)
    return at, codes[first]


def latest_rows(answers: Answers) -> dict[int, int]:
    """Response id -> number of its last copy among the answers."""
    return {_response_id(raw, row): row for row, raw in enumerate(answers.meta["id"])}


def _response_id(raw: Any, row: int) -> int:
    own = id_number(raw)
    return -1 - row if own is None else own  # a response without an id is kept all the same
