"""Pages of responses, turned from rows into leaves.

A *leaf* is a place where answers stand, named by its path of ids: ``("2",)`` for a question,
``("21", "10031")`` for an option of it, ``("51", "10040")`` for a cell of a grid. Each keeps the
distinct answers it has seen and, for each response that has one, which it was. What an answer
means is not decided here: names, labels and types come later, from the survey's definition, so
that they can be switched without another download.

Most of a page is the same few entries over and over (a question of five options has five, words
and all), so an entry is told by its bytes and read once.
"""

from __future__ import annotations

import gc
import json
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.atoms import AGAIN, Atom, Leaf, Path
from alchemer_nb.decoding import Scalar, has_more, read_entries, url_variables
from alchemer_nb.definition import truth
from alchemer_nb.entries import EntryReader, Said, own_answer
from alchemer_nb.pages import META_FIELDS, NO_ENTRY, Page, PageReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alchemer_nb.decoding import Entry
    from alchemer_nb.definition import Survey

_REMEMBERED = 1000  # different entries of a question; of a text they would be as many as rows


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
    """

    def __init__(self, reader: EntryReader | None = None) -> None:
        self._reader = reader or EntryReader()
        self._pages = PageReader(self._reader.order)
        self._columns: dict[str, _Column] = {}
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

    @classmethod
    def of(cls, survey: Survey) -> Answers:
        """Nothing yet, for the answers to a survey: its definition tells parts from questions."""
        return cls(EntryReader.of(survey))

    @property
    def known(self) -> frozenset[str]:
        """Ids of the questions and parts of the definition."""
        return self._reader.known

    def __getstate__(self) -> dict[str, Any]:
        """What stays once all pages are in."""
        return {**self.__dict__, "_pages": None, "_columns": {}, "_texts": {}}

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
        with _collector_paused():
            return self._pages.read(body)

    def add(self, page: Page) -> None:
        """Takes in a page that was decoded."""
        with _collector_paused():
            self._add(page)

    def _add(self, page: Page) -> None:
        self.misfits += page.misfits
        self._add_around(page)
        parts: dict[Path, list[_Part]] = {}
        shown: dict[str, list[_Part]] = {}
        for question, raws in page.entries.items():
            column = self._columns.get(question)
            if column is None:
                column = self._columns[question] = _Column(question, self._reader)
            self._add_question(column, column.numbers(raws, self._leaf), parts, shown)
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

    def _add_around(self, page: Page) -> None:
        """Metadata, url variables and quality."""
        same, first = self._texts, not self.count
        for name, values in self.meta.items():
            new = page.fields[name]
            if first and len(set(new)) * 4 < len(new):
                self._alike.add(name)  # such as the language: one text for all its rows
            values.extend([same.setdefault(v, v) for v in new] if name in self._alike else new)
        for row, variables in enumerate(page.url_variables, self.count):
            if variables:
                for name, value in url_variables(variables):
                    self.urls.setdefault(name, {})[row] = value
        for row, quality in enumerate(page.data_quality, self.count):
            if quality:
                self.quality[row] = json.dumps(quality, ensure_ascii=False)

    def _add_question(
        self,
        column: _Column,
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
        if column.misfits:
            often = np.bincount(numbers, minlength=column.size)
            self.misfits += sum(int(often[at]) * count for at, count in column.misfits.items())

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


@contextmanager
def _collector_paused() -> Iterator[None]:
    """For the time of a page: its objects make no circles, and to look for some takes a sixth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_Part = tuple[np.ndarray, np.ndarray]  # rows of the page, and a number for each


class _Column:
    """The entries of one question: each different one has a number, and is read once.

    Attributes:
        question: Its id.
        size: Different entries so far; number 0 is none at all.
        shown: Question id -> for each entry, whether it says shown; -1 if it does not say.
        words: Words of new entries, of what the definition does not know.
        misfits: Number of the entry -> how many of its types were not the documented ones.
    """

    def __init__(self, question: str, reader: EntryReader) -> None:
        self.question = question
        self._path: Path = (question,)
        self._reader = reader
        self._is_known = reader.knows(question)
        self._is_varied = False
        self._blank: set[bytes] = set()
        self._forget()

    def _forget(self) -> None:
        """Starts anew, so that memory does not grow with the texts that were read."""
        self._numbers: dict[bytes, int] = {b"": 0}
        self._atoms: dict[Path, _Sparse] = {}
        self._shown: dict[str, _Sparse] = {}
        self.size = 1
        self.tables: dict[Path, np.ndarray] = {}
        self.shown: dict[str, np.ndarray] = {}
        self.words: list[Mapping[str, tuple[str, str]]] = []
        self.misfits: dict[int, int] = {}

    def numbers(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> np.ndarray:
        """The number of each entry; reads those that are new."""
        if self.size > _REMEMBERED:
            self._is_varied = True
        if self._is_varied:
            return self._one_by_one(raws, leaf)
        known = self._numbers
        try:
            return np.fromiter(map(known.__getitem__, map(bytes, raws)), np.int32, len(raws))
        except KeyError:
            pass
        raws = list(map(bytes, raws))
        new = [raw for raw in dict.fromkeys(raws) if raw not in known]
        known.update(zip(new, range(self.size, self.size + len(new)), strict=True))
        self._learn(new, leaf)
        return np.fromiter(map(known.__getitem__, raws), np.int32, len(raws))

    def _one_by_one(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> np.ndarray:
        """The same where hardly an entry comes twice: to look for one would only cost time."""
        self._forget()
        rows = [row for row, raw in enumerate(raws) if raw is not NO_ENTRY]
        numbers = np.zeros(len(raws), dtype=np.int32)
        numbers[rows] = np.arange(1, len(rows) + 1)
        self._learn([raws[row] for row in rows], leaf)
        return numbers

    def _learn(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> None:
        self._read(raws, leaf)
        self.size += len(raws)
        self.tables = {path: _dense(at, self.size) for path, at in self._atoms.items()}
        self.shown = {question: _dense(at, self.size) for question, at in self._shown.items()}

    def _read(self, raws: Sequence[Any], leaf: Callable[[Path], Leaf]) -> None:
        entries = read_entries(raws) if self._is_known else None
        if entries is None:
            for number, raw in enumerate(raws, self.size):
                self._note(number, self._reader.read(self.question, bytes(raw)), leaf)
            return
        shown_at, states = self._shown.setdefault(self.question, ([], []))
        own_at: list[int] = []  # most entries: one answer, in its place
        own: list[Scalar | Atom] = []
        for number, (raw, entry) in enumerate(zip(raws, entries, strict=True), self.size):
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
            elif self._has_more(bytes(raw)):
                self._note(number, self._reader.read(self.question, bytes(raw)), leaf)
        if own:
            at, codes = self._atoms.setdefault(self._path, ([], []))
            at += own_at
            codes += leaf(self._path).numbers(own)

    def _has_more(self, raw: bytes) -> bool:
        """Whether an entry without an answer holds what nobody documents; most are the same."""
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
