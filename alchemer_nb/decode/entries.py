"""What one entry of a response says, wherever in it the answers stand.

Shapes: facts from https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real
payloads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.decode.entry_types import (
    DOCUMENTED,
    Chosen,
    Entry,
    has_blank_choice,
    is_choice,
    is_entry,
    is_listed,
    loose_choice,
    loose_entry,
    nothing,
    numbered,
    read_entry,
    scalar,
)
from alchemer_nb.decode.leaves import Atom
from alchemer_nb.decode.option_lookup import OTHER, Lookup
from alchemer_nb.survey.answer_paths import AGAIN, COMMENT, MEMBER, Path
from alchemer_nb.survey.columns import plan
from alchemer_nb.survey.question_types import GRID_SINGLE, is_known, question_key
from alchemer_nb.wire.ids import id_number, is_option_id
from alchemer_nb.wire.json import decode
from alchemer_nb.wire.scalars import id_text, truth

if TYPE_CHECKING:
    from alchemer_nb.survey.definition import Definition, Option

_DEEPEST = 6


@dataclass(slots=True)
class Said:
    """What an entry says.

    Attributes:
        atoms: The answer at each place.
        shown: Whether it says of a question that it was shown; the first time counts.
        words: Question id -> (words, type) of what the definition does not know.
        misfits: How often its JSON types were not the documented ones.
        unchosen: Options that are listed as null, so not chosen.
    """

    atoms: dict[Path, Atom] = field(default_factory=dict)
    shown: dict[str, bool] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    misfits: int = 0
    unchosen: int = 0

    def note(self, path: Path, atom: Atom) -> None:
        """Notes an answer; a second one that says something else has a place of its own."""
        while path in self.atoms:
            if atom.repeats(self.atoms[path]):
                return
            path = (*path, AGAIN)
        self.atoms[path] = atom


class EntryReader:
    """Reads entries of the responses to one survey.

    Args:
        known: Ids of its questions and parts, in the order of the survey.
        parents: Id of a part -> id of the question it belongs to, ``""`` for none.
        unknown_types: Ids of the questions whose type nobody documents.
        rows: Ids of the rows of grids in which one column of each row is chosen.
        options: Where answers stand by options or items -> these.
        choices: Where an answer is one or more of the options.
        singles: Where it is one of them alone.
    """

    def __init__(
        self,
        known: Iterable[str] = (),
        parents: Mapping[str, str] | None = None,
        unknown_types: frozenset[str] = frozenset(),
        rows: frozenset[str] = frozenset(),
        options: Mapping[Path, Lookup] | None = None,
        choices: frozenset[Path] = frozenset(),
        singles: frozenset[Path] = frozenset(),
    ) -> None:
        self.order = tuple(dict.fromkeys(known))
        self.known = frozenset(self.order)
        self._parents = parents or {}
        self._unknown_types = unknown_types
        self._rows = rows
        self._known_options = options or {}
        self._choices = choices
        self._singles = singles

    @classmethod
    def of(cls, survey: Definition) -> EntryReader:
        """A reader that tells parts from questions by the survey's definition."""
        parts = [each for question in survey.questions for each in question.walk()]
        grids = [each for each in parts if question_key(each) in GRID_SINGLE]
        options: dict[Path, list[Option]] = {}
        choices, singles = set(), set()
        for column in plan(survey):
            if column.part in ("option", "item") and column.option is not None:
                options.setdefault(column.path[:-1], []).append(column.option)
                if column.part == "option":
                    choices.add(column.path[:-1])
            elif column.part == "answer" and column.choices:
                options[column.path] = [*column.choices]
                singles.add(column.path)
        return cls(
            [each.id for each in parts],
            {each.id: each.parent for each in parts},
            frozenset(each.id for each in parts if not is_known(each)),
            frozenset(row.id for grid in grids for row in grid.rows),
            {path: Lookup(some, (survey.language,)) for path, some in options.items()},
            frozenset(choices | singles),
            frozenset(singles),
        )

    def knows(self, question: str) -> bool:
        """Whether all that an entry of a question may hold is documented."""
        return question in self.known and question not in self._unknown_types

    def read(self, question: str, raw: bytes) -> Said:
        """Reads the JSON of the entry of one question."""
        entry, wrong = read_entry(raw)
        said = Said(misfits=int(wrong))
        self._entry(said, (question,), entry)
        if not self.knows(question):
            self._undocumented(said, question, decode(raw))
        else:
            decoded = decode(raw)
            if isinstance(decoded, Mapping):
                _members(said, (question, MEMBER), decoded)
        return said

    def read_decoded(self, question: str, entry: Entry, raw: bytes) -> Said:
        """Reads the entry of a question of which all is documented, decoded from its JSON."""
        if has_blank_choice(entry):
            return self.read(question, bytes(raw))
        said = Said()
        self._entry(said, (question,), entry)
        return said

    def _entry(self, said: Said, path: Path, entry: Entry, depth: int = 0) -> None:
        if entry.shown is not None:  # each cell of a grid row says it once more
            said.shown.setdefault(path[0], truth(entry.shown))
        atom = own_answer(entry)
        if atom is not None:
            said.note(path, atom)
        if entry.comments not in (None, ""):
            said.note((*path, COMMENT), Atom(entry.comments))
        if entry.options:
            options = _by_id(said, entry.options)
            place = path[:-1] if self._lists_itself(path, options) else path
            self._options(said, place, options, atom)
        if entry.subquestions:
            inner = entry.subquestions
            if not isinstance(inner, Mapping):
                said.misfits += 1
                inner = dict(numbered(inner))
            for key, child in inner.items():
                self._child(said, path, str(key), child, depth + 1)

    def _options(
        self, said: Said, path: Path, options: Mapping[str, Chosen], beside: Atom | None = None
    ) -> None:
        """What is chosen of some options, or the value of each item.

        Args:
            said: Takes it.
            path: Where they are listed.
            options: By their ids, or by whatever keys they came.
            beside: The answer that stands beside them.
        """
        is_choice = path in self._choices
        answers = {
            key: each
            for key, each in options.items()
            if not (each.is_null or (each.value is False and is_choice))
        }
        if is_choice:
            said.unchosen += len(options) - len(answers)
        chosen = [(self._option_id(key, each, path), key, each) for key, each in answers.items()]
        is_the_answer = beside is None and len(chosen) == 1 and path in self._singles
        written = {own for own, _, _ in chosen if own.endswith(OTHER)} if is_choice else set()
        for own, key, each in chosen:
            is_known = self._has_option(path, own)
            if not (is_known or is_option_id(own)) and self._is_part(own, path[0]):
                said.note((own,), Atom(each.value, None, each.original_answer))  # its own question
                continue
            value = each.value
            if is_known and not is_choice and each.rank is not None:
                value = each.rank  # an answer beside it holds but the words of the item
            if (own != key and str(value) == own) or (is_known and is_choice and value is True):
                value = ""  # a bare id, or no more than that it is chosen
            atom = Atom(value, own, each.original_answer, each.option)
            if (written or beside) and is_known and self._is_told(path, atom, written, beside):
                continue
            said.note(path if is_the_answer else (*path, own.removesuffix(OTHER)), atom)

    def _lists_itself(self, cell: Path, options: Mapping[str, Chosen]) -> bool:
        """Whether a cell of a grid lists its own column, in place of an answer."""
        row, column = cell[:-1], cell[-1]
        return row in self._choices and all(
            self._option_id(key, each, row) == column for key, each in options.items()
        )

    def _is_told(
        self, path: Path, atom: Atom, written: Collection[str], beside: Atom | None
    ) -> bool:
        """Whether an option says no more than the answer beside it, or than its own write-in."""
        own = id_text(atom.answer_id)
        if f"{own}{OTHER}" not in written and (beside is None or own != id_text(beside.answer_id)):
            return False
        meant = self._known_options[path].find(Atom(atom.text))[0]
        return atom.text is None or (meant is not None and meant.id == own)

    def _option_id(self, key: str, chosen: Chosen, path: Path) -> str:
        """The id of an option: its key, or its own where keys only number or name them."""
        if self._has_option(path, key) or self._is_part(key, path[0]):
            return key
        own = "" if chosen.id is None else id_text(chosen.id)
        if self._has_option(path, own):
            return own
        if id_number(key) is not None and is_option_id(key):
            return key  # it left the definition
        options = self._known_options.get(path)
        text = (chosen.value if path in self._choices else None) or chosen.option
        found = None if own or options is None else options.find(Atom(text, text))[0]
        return found.id if found is not None else own or key

    def _has_option(self, path: Path, own: str) -> bool:
        options = self._known_options.get(path)
        return options is not None and options.has(own)

    def _child(self, said: Said, path: Path, key: str, child: Any, depth: int) -> None:
        """An entry, or a map of cells: which of the two is told by what it holds."""
        own = self._below(path, key)
        child = _cells(said, child)
        if not isinstance(child, Mapping) or depth > _DEEPEST:
            if child not in (None, [], {}, ""):
                said.note(own, Atom(scalar(child)))
            return
        if len(own) == 1 and key not in self.known and "question" in child:
            words = (str(child["question"]), str(child.get("type") or ""))
            said.words.setdefault(key, words)
        if is_choice(child) and len(own) > 1:
            self._options(said, own[:-1], {key: loose_choice(child)})
        elif is_entry(child):
            entry, _ = loose_entry(child)
            self._entry(said, own, entry, depth)
            if self.knows(own[0]):  # ``option`` has the words of a cell's column
                _members(said, (*own, MEMBER), {k: v for k, v in child.items() if k != "option"})
            else:
                _members(said, own, child)
        else:
            self._parts(said, own, child, depth)

    def _parts(self, said: Said, own: Path, parts: Mapping[str, Any], depth: int) -> None:
        """A map of cells, or of options."""
        if len(own) == 1 and own[0] in self._rows:
            for cell, inner in parts.items():
                column = self._option_id(str(cell), loose_choice(inner), own)
                self._column(said, own, column, inner, depth + 1)
        elif own in self._choices and all(map(is_listed, parts.values())):
            self._options(said, own, {str(k): loose_choice(v) for k, v in parts.items()})
        else:
            for cell, inner in parts.items():
                self._child(said, own, _cell_id(str(cell), inner), inner, depth + 1)

    def _column(self, said: Said, row: Path, column: str, cell: Any, depth: int) -> None:
        """A column of a row in which one is chosen; tables in groups may list them all."""
        entry, wrong = loose_entry(cell)
        said.misfits += int(wrong)
        if is_choice(cell):
            entry.answer, entry.answer_id = "", column
        elif entry.answer in (None, ""):
            entry.answer = entry.answer_id = None
        elif entry.answer_id is None:
            entry.answer_id = column
        self._entry(said, row, entry, depth)

    def _below(self, path: Path, key: str) -> Path:
        """A part with a question id of its own stands by itself: rows of grids, parts of groups.

        The definition tells which ids are such parts; an id it does not know, or knows in no grid,
        is one if it is small. Columns of custom tables count anew in each table and belong to it.
        """
        if is_option_id(key):
            return (*path, key)
        if not self._parents.get(key):  # but who knows what the numbers of an unknown type mean
            return (*path, key) if path[0] in self._unknown_types else (key,)
        return (key,) if self._is_part(key, path[0]) else (*path, key)

    def _is_part(self, part: str, question: str) -> bool:
        for _ in range(_DEEPEST):  # a group may give the parts of groups within it as its own
            part = self._parents.get(part, "")
            if part in (question, ""):
                break
        return part == question

    def _undocumented(self, said: Said, question: str, decoded: Any) -> None:
        """Words, and members that nobody documents: each is a leaf of its own."""
        if not isinstance(decoded, Mapping):
            said.words.setdefault(question, ("", ""))
            return
        words = (str(decoded.get("question") or ""), str(decoded.get("type") or ""))
        said.words.setdefault(question, words)
        _members(said, (question,), decoded)


def _members(said: Said, path: Path, decoded: Mapping[str, Any]) -> None:
    """What an entry has beside what is documented: each member is a leaf of its own."""
    for name in sorted(decoded.keys() - DOCUMENTED):
        value = scalar(nothing(decoded[name]))
        if value not in (None, ""):
            said.note((*path, str(name)), Atom(value))


def own_answer(entry: Entry) -> Atom | None:
    """The answer that stands in the entry itself, None where there is none."""
    answer = entry.rank if entry.answer is None else entry.answer
    if answer is None and entry.answer_id is None:
        return None
    return Atom(answer, entry.answer_id, entry.original_answer)


def _by_id(said: Said, options: Any) -> dict[str, Chosen]:
    if isinstance(options, dict):
        return options
    said.misfits += 1
    return {own: loose_choice(item) for own, item in numbered(options)}


def _cells(said: Said, child: Any) -> Any:
    """A list of cells as a map; anything else as it is."""
    if not isinstance(child, list) or not any(isinstance(cell, Mapping) for cell in child):
        return child
    said.misfits += 1
    return dict(numbered(child))


def _cell_id(key: str, cell: Any) -> str:
    """The id of a cell: its key, or its own where the keys only number the cells."""
    own = cell.get("id") if isinstance(cell, Mapping) and not is_option_id(key) else None
    return key if own in (None, "") else id_text(own)
