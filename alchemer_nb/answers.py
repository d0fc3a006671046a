"""Pages of responses, decoded and turned from rows into leaves.

A *leaf* is a place where answers stand, named by its path of ids: ``("2",)`` for a question,
``("21", "10031")`` for an option of it, ``("51", "10040")`` for a cell of a grid. Each keeps the
distinct answers it has seen and, for each response that has one, which it was. What an answer
means is not decided here: names, labels and types come later, from the survey's definition, so
that they can be switched without another download.

Shapes: facts from https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real
payloads. The decoder is typed and skips what is not wanted (question texts above all); a page that
does not fit the types is read again, slowly and without them.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from alchemer_nb.definition import truth
from alchemer_nb.envelope import BOM, decode
from alchemer_nb.question_types import is_known

if TYPE_CHECKING:
    from alchemer_nb.definition import Survey

Scalar = str | int | float | bool | None
Path = tuple[str, ...]
COMMENT = "comment"
FIRST_OPTION = 10001  # question ids are small numbers, option ids (SKUs) start here
_DEEPEST = 6

META_FIELDS = (
    "id",
    "contact_id",
    "status",
    "is_test_data",
    "date_submitted",
    "session_id",
    "language",
    "date_started",
    "date_updated",
    "link_id",
    "ip_address",
    "referer",
    "user_agent",
    "response_time",
    "longitude",
    "latitude",
    "country",
    "city",
    "region",
    "postal",
    "dma",
)


class Atom(NamedTuple):
    """One answer as received: text, option id, the text before an edit, the option's label."""

    answer: Scalar = None
    answer_id: Scalar = None
    original: Scalar = None
    label: Scalar = None


class Chosen(msgspec.Struct, gc=False):
    """An entry of ``options``."""

    option: Scalar = None
    answer: Scalar = None
    original_answer: Scalar = None
    rank: Scalar = None


class Entry(msgspec.Struct, gc=False):
    """One question's entry in ``survey_data``; its words are left unread."""

    answer: Scalar = None
    answer_id: Scalar = None
    original_answer: Scalar = None
    rank: Scalar = None
    shown: Scalar = None
    comments: Scalar = None
    options: dict[str, Chosen] | list[Any] | str | None = None
    subquestions: dict[str, Any] | list[Any] | str | None = None


Response = msgspec.defstruct(
    "Response",
    [
        *((name, Scalar, None) for name in META_FIELDS),
        ("url_variables", Any, None),
        ("data_quality", Any, None),
        ("survey_data", dict[str, Entry] | list[Any] | str | None, None),
    ],
    gc=False,
)


class Page(msgspec.Struct):
    """A page of the response list."""

    data: list[Response] = []  # type: ignore[valid-type]  # a Struct made at run time
    total_count: Scalar = None
    total_pages: Scalar = None
    results_per_page: Scalar = None


_DECODER = msgspec.json.Decoder(Page)


def read_page(body: bytes) -> tuple[Page, int]:
    """Decodes a page; also tells how many of its entries did not fit the documented types.

    Raises:
        ValueError: It is not JSON, or not a list of responses.
    """
    try:
        return _DECODER.decode(body.removeprefix(BOM)), 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_loosely(decode(body))


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
        made._parents = {
            each.id: each.parent for q in survey.questions for each in q.walk()
        }  # fmt: skip
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
            data = {own: loose_entry(item)[0] for own, item in _numbered(data)}
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
                inner = dict(_numbered(inner))
            for key, child in inner.items():
                self._child(path, str(key), child, row, depth + 1)

    def _options(self, options: Any) -> dict[str, Chosen]:
        if isinstance(options, dict):
            return options
        self.misfits += 1
        return {own: _loose_choice(item) for own, item in _numbered(options)}

    def _child(self, path: Path, key: str, child: Any, row: int, depth: int) -> None:
        """An entry, or a map of cells: which of the two is told by what it holds."""
        own = self._below(path, key)
        if not isinstance(child, Mapping) or depth > _DEEPEST:
            if child not in (None, [], {}, ""):
                self._note(own, row, Atom(_scalar(child)))
            return
        if len(own) == 1 and key not in self._known and "question" in child:
            self.words.setdefault(key, (str(child["question"]), str(child.get("type") or "")))
        if _is_entry(child):
            entry, _ = loose_entry(child)
            self._entry(own, entry, row, depth)
        else:
            for cell, inner in child.items():
                self._child(own, str(cell), inner, row, depth + 1)

    def _note(self, path: Path, row: int, atom: Atom) -> None:
        leaf = self.leaves.get(path)
        if leaf is None:
            leaf = self.leaves[path] = Leaf()
        leaf.add(row, atom)

    def _below(self, path: Path, key: str) -> Path:
        """A part with a question id of its own stands by itself: rows of grids, parts of groups.

        The definition tells which ids are such parts; an id it does not know is one if it is small.
        """
        if self._parents and key in self._parents:
            # Columns of custom tables count anew in each table, and belong to it.
            own = self._parents[key] == path[-1] and not _is_option_id(key)
            return (key,) if own or not _is_option_id(key) else (*path, key)
        return (*path, key) if _is_option_id(key) else (key,)

    def _learn_words(self, decoded: Any, new: set[str]) -> None:
        for _, question, entry in _raw_entries(decoded):
            if question in new:
                said = (str(entry.get("question") or ""), str(entry.get("type") or ""))
                self.words.setdefault(question, said)
                if entry.keys() - _DOCUMENTED:
                    self._rich.add(question)

    def _add_undocumented(self, decoded: Any, first: int) -> None:
        """Members that nobody documents, of types that nobody knows: each is a leaf of its own."""
        for number, question, entry in _raw_entries(decoded):
            if question in self._rich or question in self._unknown_types:
                for name in sorted(entry.keys() - _DOCUMENTED):
                    value = _scalar(_nothing(entry[name]))
                    if value not in (None, ""):
                        self._note((question, str(name)), first + number, Atom(value))


_ENTRY = ("answer", "options", "id", "subquestions", "answer_id", "rank", "option")
_DOCUMENTED = {
    "id",
    "type",
    "parent",
    "question",
    "section_id",
    "shown",
    "comments",
    "answer",
    "answer_id",
    "original_answer",
    "options",
    "subquestions",
    "rank",
}


def url_variables(value: Any) -> Iterator[tuple[str, str]]:
    """Reads url variables in any of their forms: keyed objects, flat texts, ``[]``."""
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        text = inner.get("value") if isinstance(inner, Mapping) else inner
        if text is not None:
            yield str(name), str(_scalar(text))


def _raw_entries(decoded: Any) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Number of the response, question id and entry, of all entries of a page."""
    data = decoded.get("data") if isinstance(decoded, Mapping) else None
    rows = list(data.values()) if isinstance(data, Mapping) else data or []
    rows = [row for row in rows if isinstance(row, Mapping)]
    for number, response in enumerate(rows):
        entries = response.get("survey_data")
        for question, entry in entries.items() if isinstance(entries, Mapping) else ():
            if isinstance(entry, Mapping):
                yield number, str(question), entry


def _is_option_id(key: str) -> bool:
    return not key.isdecimal() or int(key) >= FIRST_OPTION


def _is_entry(child: Mapping[str, Any]) -> bool:
    return any(name in child for name in _ENTRY)


def _scalar(value: Any) -> Scalar:
    """Anything as a scalar: what should not be a list or a map is kept as JSON text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return json.dumps(value, ensure_ascii=False)


def loose_entry(raw: Any) -> tuple[Entry, bool]:
    """Reads an entry without trusting its types; tells whether one of them was wrong."""
    if not isinstance(raw, Mapping):
        return Entry(answer=_scalar(raw) if raw not in ([], {}) else None), True
    names = ("answer", "answer_id", "original_answer", "rank", "shown", "comments")
    values: dict[str, Any] = {name: _nothing(raw.get(name)) for name in names}
    wrong = any(isinstance(value, (list, Mapping)) for value in values.values())
    values = {name: _scalar(value) for name, value in values.items()}
    options, subquestions = raw.get("options"), raw.get("subquestions")
    if isinstance(options, Mapping):
        values["options"] = {str(k): _loose_choice(v) for k, v in options.items()}
    elif options:
        wrong = True
        values["options"] = {str(i): _loose_choice(v) for i, v in _numbered(options)}
    if isinstance(subquestions, Mapping):
        values["subquestions"] = {str(k): v for k, v in subquestions.items()}
    elif subquestions:
        wrong = True
        values["subquestions"] = dict(_numbered(subquestions))
    return Entry(**values), wrong


def _nothing(value: Any) -> Any:
    return None if value in ([], {}) else value


def _numbered(items: Any) -> Iterator[tuple[str, Any]]:
    """A list where a map should be, by the ids its items carry."""
    for index, item in enumerate(items if isinstance(items, list) else [items]):
        own = item.get("id") if isinstance(item, Mapping) else None
        yield str(own if own not in (None, "") else index), item


def _loose_choice(raw: Any) -> Chosen:
    if not isinstance(raw, Mapping):
        return Chosen(answer=_scalar(raw))
    names = ("option", "answer", "original_answer", "rank")
    return Chosen(**{name: _scalar(_nothing(raw.get(name))) for name in names})


def _read_loosely(decoded: Any) -> tuple[Page, int]:
    if not isinstance(decoded, Mapping):
        raise ValueError("not a list of responses")  # noqa: TRY004 - like any other broken JSON
    data = decoded.get("data")
    if data is not None and not isinstance(data, (list, Mapping)):
        raise ValueError("not a list of responses")
    items = data.values() if isinstance(data, Mapping) else data or []
    responses, misfits = [], 0
    for raw in items:
        if isinstance(raw, Mapping):
            response, wrong = _loose_response(raw)
            responses.append(response)
            misfits += wrong
        else:
            misfits += 1
    counts = {
        name: _scalar(decoded.get(name))
        for name in ("total_count", "total_pages", "results_per_page")
    }
    return Page(responses, **counts), misfits


def _loose_response(raw: Mapping[str, Any]) -> tuple[Any, int]:
    misfits = 0
    entries: dict[str, Entry] = {}
    data = raw.get("survey_data")
    pairs = data.items() if isinstance(data, Mapping) else _numbered(data) if data else ()
    misfits += bool(data) and not isinstance(data, Mapping)
    for question, item in pairs:
        entries[str(question)], wrong = loose_entry(item)
        misfits += wrong
    meta = {name: _scalar(_nothing(raw.get(name))) for name in META_FIELDS}
    response = Response(
        **meta,
        url_variables=raw.get("url_variables"),
        data_quality=raw.get("data_quality"),
        survey_data=entries,
    )
    return response, misfits
