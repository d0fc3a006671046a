"""Pages of responses, turned from rows into leaves.

A *leaf* is a place where answers stand, named by its path of ids: ``("2",)`` for a question,
``("21", "10031")`` for an option of it, ``("51", "10040")`` for a cell of a grid. Each keeps the
distinct answers it has seen and, for each response that has one, which it was. What an answer
means is not decided here: names, labels and types come later, from the survey's definition, so
that they can be switched without another download.

Shapes: facts from https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real
payloads.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from alchemer_nb.decoding import (
    DOCUMENTED,
    META_FIELDS,
    Chosen,
    Entry,
    Page,
    Scalar,
    is_entry,
    loose_choice,
    loose_entry,
    nothing,
    numbered,
    raw_entries,
    read_page,
    scalar,
    url_variables,
)
from alchemer_nb.definition import truth
from alchemer_nb.envelope import decode
from alchemer_nb.question_types import is_known

if TYPE_CHECKING:
    from alchemer_nb.definition import Survey

Path = tuple[str, ...]
COMMENT = "comment"
AGAIN = "again"
FIRST_OPTION = 10001  # question ids are small numbers, option ids (SKUs) start here
_DEEPEST = 6


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


class Leaf:
    """The answers at one place: for each response that has one, the number of its atom."""

    __slots__ = ("_numbers", "atoms", "codes", "rows")

    def __init__(self) -> None:
        self.rows = array("q")
        self.codes = array("q")
        self.atoms: list[Atom] = []
        self._numbers: dict[Atom, int] = {}

    def add(self, row: int, atom: Atom) -> None:
        """Notes the answer of one response."""
        number = self._numbers.get(atom)
        if number is None:
            number = self._numbers[atom] = len(self.atoms)
            self.atoms.append(atom)
        self.rows.append(row)
        self.codes.append(number)


class Answers:
    """All responses of a download, by leaf.

    Attributes:
        meta: Field name -> one value a response, as received.
        urls: Variable name -> {row: value}.
        quality: ``data_quality`` of the responses that have one, as JSON text by row.
        leaves: Path -> Leaf.
        shown: Question id -> {row: shown}, of entries that say so.
        words: Question id -> (words, type) of questions that the definition does not know or
            whose type nobody knows.
        misfits: Entries whose JSON types were not the documented ones.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self._known = known
        self._parents: dict[str, str] | None = None
        self._unknown_types: frozenset[str] = frozenset()
        self._rich: set[str] = set()  # questions whose entries have members nobody documents
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
        made = cls(frozenset(each.id for q in survey.questions for each in q.walk()))
        made._parents = {each.id: each.parent for q in survey.questions for each in q.walk()}
        made._unknown_types = frozenset(
            each.id for q in survey.questions for each in q.walk() if not is_known(each)
        )
        return made

    def add_page(self, body: bytes) -> Page:
        """Takes in one page of the response list."""
        page, misfits = read_page(body)
        self.misfits += misfits
        unknown: set[str] = set()
        first = self.count
        for response in page.data:
            self._add(response, unknown)
        new = unknown - self.words.keys()
        if new or unknown & self._rich:
            decoded = decode(body)
            self._learn_words(decoded, new)
            self._add_undocumented(decoded, first)
        return page

    def _add(self, response: Any, unknown: set[str]) -> None:
        row = self.count
        self.count += 1
        for name, values in self.meta.items():
            values.append(getattr(response, name))
        for name, value in url_variables(response.url_variables):
            self.urls.setdefault(name, {})[row] = value
        if response.data_quality:
            self.quality[row] = json.dumps(response.data_quality, ensure_ascii=False)
        data = response.survey_data
        if data and not isinstance(data, dict):
            self.misfits += 1
            data = {own: loose_entry(item)[0] for own, item in numbered(data)}
        for question, entry in (data or {}).items():
            self._entry((question,), entry, row)
            if question not in self._known or question in self._unknown_types:
                unknown.add(question)

    def _entry(self, path: Path, entry: Entry, row: int, depth: int = 0) -> None:
        if entry.shown is not None:
            rows, states = self.shown.setdefault(path[0], (array("q"), array("b")))
            if not rows or rows[-1] != row:  # each cell of a grid row says it once more
                rows.append(row)
                states.append(truth(entry.shown))
        answer = entry.rank if entry.answer is None else entry.answer
        if answer is not None or entry.answer_id is not None:
            self._note(path, row, Atom(answer, entry.answer_id, entry.original_answer))
        if entry.comments not in (None, ""):
            self._note((*path, COMMENT), row, Atom(entry.comments))
        if entry.options:
            for option, chosen in self._options(entry.options).items():
                answer = chosen.rank if chosen.answer is None else chosen.answer
                key = option.removesuffix("-other")
                atom = Atom(answer, option, chosen.original_answer, chosen.option)
                self._note((*path, key), row, atom)
        if entry.subquestions:
            inner = entry.subquestions
            if not isinstance(inner, Mapping):
                self.misfits += 1
                inner = dict(numbered(inner))
            for key, child in inner.items():
                self._child(path, str(key), child, row, depth + 1)

    def _options(self, options: Any) -> dict[str, Chosen]:
        if isinstance(options, dict):
            return options
        self.misfits += 1
        return {own: loose_choice(item) for own, item in numbered(options)}

    def _child(self, path: Path, key: str, child: Any, row: int, depth: int) -> None:
        """An entry, or a map of cells: which of the two is told by what it holds."""
        own = self._below(path, key)
        if not isinstance(child, Mapping) or depth > _DEEPEST:
            if child not in (None, [], {}, ""):
                self._note(own, row, Atom(scalar(child)))
            return
        if len(own) == 1 and key not in self._known and "question" in child:
            self.words.setdefault(key, (str(child["question"]), str(child.get("type") or "")))
        if is_entry(child):
            entry, _ = loose_entry(child)
            self._entry(own, entry, row, depth)
        else:
            for cell, inner in child.items():
                self._child(own, str(cell), inner, row, depth + 1)

    def _note(self, path: Path, row: int, atom: Atom) -> None:
        leaf = self.leaves.get(path)
        if leaf is None:
            leaf = self.leaves[path] = Leaf()
        elif leaf.rows and leaf.rows[-1] == row:  # said twice: at the top level and in a grid
            if not _same(leaf.atoms[leaf.codes[-1]], atom):
                self._note((*path, AGAIN), row, atom)
            return
        leaf.add(row, atom)

    def _below(self, path: Path, key: str) -> Path:
        """A part with a question id of its own stands by itself: rows of grids, parts of groups.

        The definition tells which ids are such parts; an id it does not know, or knows in no grid,
        is one if it is small. Columns of custom tables count anew in each table and belong to it.
        """
        if _is_option_id(key):
            return (*path, key)
        parent = (self._parents or {}).get(key)
        if not parent:  # but who knows what the numbers of an unknown type mean
            return (*path, key) if path[0] in self._unknown_types else (key,)
        return (key,) if parent == path[0] else (*path, key)

    def _learn_words(self, decoded: Any, new: set[str]) -> None:
        for _, question, entry in raw_entries(decoded):
            if question in new:
                said = (str(entry.get("question") or ""), str(entry.get("type") or ""))
                self.words.setdefault(question, said)
                if entry.keys() - DOCUMENTED:
                    self._rich.add(question)
        for question in new:  # asked once, even where nothing was said
            self.words.setdefault(question, ("", ""))

    def _add_undocumented(self, decoded: Any, first: int) -> None:
        """Members that nobody documents, of types that nobody knows: each is a leaf of its own."""
        for number, question, entry in raw_entries(decoded):
            if question in self._rich or question in self._unknown_types:
                for name in sorted(entry.keys() - DOCUMENTED):
                    value = scalar(nothing(entry[name]))
                    if value not in (None, ""):
                        self._note((question, str(name)), first + number, Atom(value))


def _is_option_id(key: str) -> bool:
    return not (key.isdecimal() and len(key) < 6 and int(key) < FIRST_OPTION)


def _same(old: Atom, new: Atom) -> bool:
    """Whether a second answer at one place says nothing that the first did not."""
    return str(old.answer) == str(new.answer) and new.answer_id in (None, old.answer_id)
