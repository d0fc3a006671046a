"""One question's entry in a response, decoded.

The decoder is typed and skips what is not wanted (question texts above all); an entry that does
not fit the types is read again, slowly and without them. Shapes:
https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from alchemer_nb.wire.json import decode

Scalar = str | int | float | bool | None
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Chosen(msgspec.Struct, gc=False):
    """An entry of ``options``.

    Attributes:
        id: Of the option.
        option: Its label.
        answer: Its reporting value, or what was typed. Empty where there is no such member: to be
            listed is to be chosen. None where it is null: listed and not chosen.
        original_answer: The text before an edit.
        rank: Its place in a ranking.
    """

    id: Scalar = None
    option: Scalar = None
    answer: Scalar = ""
    original_answer: Scalar = None
    rank: Scalar = None

    @property
    def value(self) -> Scalar:
        """What was answered; empty for an option that is chosen and nothing else."""
        return self.answer if self.rank is None or self.answer not in (None, "") else self.rank

    @property
    def is_null(self) -> bool:
        """Whether it is listed to say that it was not chosen."""
        return self.value is self.original_answer is None


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


_UNREAD = msgspec.Raw(b"null")


class _Documented(Entry, forbid_unknown_fields=True, gc=False):
    """An entry with no member but those that are known."""

    id: msgspec.Raw = _UNREAD
    type: msgspec.Raw = _UNREAD
    parent: msgspec.Raw = _UNREAD
    question: msgspec.Raw = _UNREAD
    section_id: msgspec.Raw = _UNREAD


_ENTRIES_DECODER = msgspec.json.Decoder(list[Entry])
_ENTRY_DECODER = msgspec.json.Decoder(Entry)
_DOCUMENTED_ENTRIES_DECODER = msgspec.json.Decoder(list[_Documented])
_DOCUMENTED_DECODER = msgspec.json.Decoder(_Documented)


_ENTRY = ("answer", "options", "id", "subquestions", "answer_id", "rank", "option")
_CELL = {"options", "subquestions", "type", "question"}
_NO_CHOICE = {"answer", "answer_id", "rank", *_CELL}
#: Members that an entry is known to have; anything else is of a type nobody documents.
DOCUMENTED = {
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
            yield str(name), str(scalar(text))


def read_entries(raws: Sequence[Any]) -> tuple[Sequence[Entry] | None, bool]:
    """Decodes many entries at once.

    Returns:
        The entries, None where one of them has other types than documented; and whether they
        have no member but those that are documented.
    """
    body = b"[" + b",".join(raws) + b"]"
    try:
        return _DOCUMENTED_ENTRIES_DECODER.decode(body), True
    except _REFUSED:
        pass
    try:
        return _ENTRIES_DECODER.decode(body), False
    except _REFUSED:
        return None, False


def read_entry(raw: bytes) -> tuple[Entry, bool]:
    """Decodes one entry; also tells whether its types were not the documented ones."""
    try:
        entry = _ENTRY_DECODER.decode(raw)
    except _REFUSED:
        return loose_entry(decode(raw))
    return loose_entry(decode(raw)) if has_blank_choice(entry) else (entry, False)


def has_more(raw: Any) -> bool:
    """Whether the JSON of an entry has members, or types, that are not documented."""
    try:
        _DOCUMENTED_DECODER.decode(raw)
    except _REFUSED:
        return True
    return False


def has_blank_choice(entry: Entry) -> bool:
    """Whether nothing that is documented stands at one of its options."""
    if not isinstance(entry.options, dict):
        return False
    return any(
        chosen.option is chosen.original_answer is chosen.rank is None
        and chosen.answer in (None, "")
        for chosen in entry.options.values()
    )


def is_entry(child: Mapping[str, Any]) -> bool:
    """Whether a map is one entry, and not a map of cells."""
    return any(name in child for name in _ENTRY)


def is_choice(child: Any) -> bool:
    """Whether a map is an entry of ``options`` that is listed without an answer.

    The cells of a grid are all there; one without an answer is not chosen.
    """
    if not isinstance(child, Mapping):
        return False
    return "option" in child and not _NO_CHOICE & child.keys()


def is_listed(child: Any) -> bool:
    """Whether a map is an entry of ``options``, and not a cell with words of its own."""
    return isinstance(child, Mapping) and "option" in child and not _CELL & child.keys()


def scalar(value: Any) -> Scalar:
    """Anything as a scalar: what should not be a list or a map is kept as JSON text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return json.dumps(value, ensure_ascii=False)


def loose_entry(raw: Any) -> tuple[Entry, bool]:
    """Reads an entry without trusting its types; tells whether one of them was wrong."""
    if not isinstance(raw, Mapping):
        return Entry(answer=scalar(raw) if raw not in ([], {}) else None), True
    names = ("answer", "answer_id", "original_answer", "rank", "shown", "comments")
    values: dict[str, Any] = {name: nothing(raw.get(name)) for name in names}
    wrong = any(isinstance(value, (list, Mapping)) for value in values.values())
    values = {name: scalar(value) for name, value in values.items()}
    options, subquestions = raw.get("options"), raw.get("subquestions")
    if isinstance(options, Mapping):
        values["options"] = {str(k): loose_choice(v) for k, v in options.items()}
    elif options:
        wrong = True
        values["options"] = {str(i): loose_choice(v) for i, v in numbered(options)}
    if isinstance(subquestions, Mapping):
        values["subquestions"] = {str(k): v for k, v in subquestions.items()}
    elif subquestions:
        wrong = True
        values["subquestions"] = dict(numbered(subquestions))
    return Entry(**values), wrong


def nothing(value: Any) -> Any:
    """None for an empty map, which PHP writes as a list."""
    return None if value in ([], {}) else value


def numbered(items: Any) -> Iterator[tuple[str, Any]]:
    """A list where a map should be, by the ids its items carry."""
    for index, item in enumerate(items if isinstance(items, list) else [items]):
        own = item.get("id") if isinstance(item, Mapping) else None
        yield str(own if own not in (None, "") else index), item


def loose_choice(raw: Any) -> Chosen:
    """Reads an entry of ``options`` without trusting its types."""
    if not isinstance(raw, Mapping):
        return Chosen() if raw == [] else Chosen(answer=scalar(raw))
    names = ("id", "option", "answer", "original_answer", "rank")
    values = {name: scalar(nothing(raw[name])) for name in names if name in raw}
    says = any(value is not None for name, value in values.items() if name != "id")
    if not says and raw.keys() - {*names, "shown"}:
        return Chosen(answer=scalar(dict(raw)))
    return Chosen(**values)
