"""The entry of one question in a response, decoded from JSON.

The typed decoder skips what is not needed, above all the question texts. An entry with other types
is decoded to plain dicts and lists ("untyped"), which is slower. Shapes:
https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

Scalar = str | int | float | bool | None
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class ListedOption(msgspec.Struct, gc=False):
    """An entry of ``options``.

    Attributes:
        id: Id of the option.
        option: Its label.
        answer: Its reporting value, or what was typed. Empty where the member is missing: to be
            listed is to be chosen. None where it is null: listed and not chosen.
        original_answer: The text before an edit.
        rank: Position in a ranking.
    """

    id: Scalar = None
    option: Scalar = None
    answer: Scalar = ""
    original_answer: Scalar = None
    rank: Scalar = None

    @property
    def value(self) -> Scalar:
        """The answer or rank; empty for an option that is chosen without either."""
        return self.answer if self.rank is None or self.answer not in (None, "") else self.rank

    @property
    def is_null(self) -> bool:
        """True if it is listed as null, which means not chosen."""
        return self.value is self.original_answer is None


class UntypedOption(ListedOption, gc=False):
    """An entry of ``options`` of any types.

    Attributes:
        members: Its undocumented members.
    """

    members: Mapping[str, Any] = {}


class Entry(msgspec.Struct, gc=False):
    """The entry of one question in ``survey_data``, without the question's text."""

    answer: Scalar = None
    answer_id: Scalar = None
    original_answer: Scalar = None
    rank: Scalar = None
    shown: Scalar = None
    comments: Scalar = None
    options: dict[str, ListedOption] | list[Any] | str | None = None
    subquestions: dict[str, Any] | list[Any] | str | None = None


_UNREAD = msgspec.Raw(b"null")


class _DocumentedOption(ListedOption, forbid_unknown_fields=True, gc=False):
    """An entry of ``options`` that has documented members alone."""


class _Documented(Entry, forbid_unknown_fields=True, gc=False):
    """An entry that has documented members alone, as have its options."""

    options: dict[str, _DocumentedOption] | list[Any] | str | None = None  # type: ignore[assignment]
    id: msgspec.Raw = _UNREAD
    type: msgspec.Raw = _UNREAD
    parent: msgspec.Raw = _UNREAD
    question: msgspec.Raw = _UNREAD
    section_id: msgspec.Raw = _UNREAD


_ENTRIES_DECODER = msgspec.json.Decoder(list[Entry])
_DOCUMENTED_ENTRIES_DECODER = msgspec.json.Decoder(list[_Documented])
DOCUMENTED_MEMBERS = frozenset(_Documented.__struct_fields__)
_ENTRY = ("answer", "options", "id", "subquestions", "answer_id", "rank", "option")
_CELL = {"options", "subquestions", "type", "question"}
_NO_CHOICE = {"answer", "answer_id", "rank", *_CELL}


def read_url_variables(value: Any) -> Iterator[tuple[str, str]]:
    """Yield names and values of url variables: keyed objects, a list of them, flat texts, ``[]``.

    An undocumented member of an object is a variable of its own, ``name.member``.
    """
    pairs = value.items() if isinstance(value, Mapping) else enumerate(_as_list(value))
    for key, inner in pairs:
        if not isinstance(inner, Mapping):
            if inner is not None:
                yield str(key), str(to_scalar(inner))
            continue
        own_name = inner.get("key") or inner.get("name")
        name = str(key if isinstance(value, Mapping) or own_name is None else own_name)
        if inner.get("value") is not None:
            yield name, str(to_scalar(inner["value"]))
        named = {"value", "type"} if inner.get("type") == "url" else {"value"}
        for member, other in inner.items():
            if member not in named and not is_empty(other) and other != name:
                yield f"{name}.{member}", str(to_scalar(other))


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if is_empty(value) else [value]


def is_empty(value: Any) -> bool:
    """Check whether a value says nothing: null, an empty text, list or map."""
    return value is None or (isinstance(value, (str, list, Mapping)) and not value)


def read_entries(raws: Sequence[Any]) -> tuple[Sequence[Entry] | None, bool]:
    """Decode many entries at once.

    Returns:
        The entries, None where one of them has other types than documented; and whether all
        their members are documented.
    """
    body = b"[" + b",".join(raws) + b"]"
    try:
        return _DOCUMENTED_ENTRIES_DECODER.decode(body), True
    except DECODE_ERRORS:
        pass
    try:
        return _ENTRIES_DECODER.decode(body), False
    except DECODE_ERRORS:
        return None, False


def needs_untyped_reading(entry: Entry) -> bool:
    """Check whether the typed decoder lost a part: a list, or options with unknown members."""
    if entry.subquestions and not isinstance(entry.subquestions, dict):
        return True
    if not isinstance(entry.options, dict):
        return bool(entry.options)
    return any(
        chosen.option is chosen.original_answer is chosen.rank is None
        and chosen.answer in (None, "")
        for chosen in entry.options.values()
    )


def is_entry(child: Mapping[str, Any]) -> bool:
    """Check whether a map is one entry, and not a map of cells."""
    return any(name in child for name in _ENTRY)


def is_bare_option(child: Any) -> bool:
    """Check whether a map is an entry of ``options`` that is listed without an answer.

    A grid lists all its cells; one without an answer is not chosen.
    """
    return isinstance(child, Mapping) and "option" in child and not _NO_CHOICE & child.keys()


def is_listed_option(child: Any) -> bool:
    """Check whether a map is an entry of ``options``, and not a cell that has a question text."""
    return isinstance(child, Mapping) and "option" in child and not _CELL & child.keys()


def to_scalar(value: Any) -> Scalar:
    """Return a scalar unchanged, a list or map as JSON text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # json goes less deep than what has decoded it
        return msgspec.json.encode(value).decode()


def read_untyped_entry(raw: Any) -> tuple[Entry, bool]:
    """Read an entry of any types; return it, and whether a type was not the documented one."""
    if not isinstance(raw, Mapping):
        return Entry(answer=to_scalar(raw) if raw not in ([], {}) else None), True
    names = ("answer", "answer_id", "original_answer", "rank", "shown", "comments")
    received = {name: empty_to_none(raw.get(name)) for name in names}
    options, options_wrong = _as_map(raw.get("options"))
    subquestions, subquestions_wrong = _as_map(raw.get("subquestions"))
    is_wrong = any(isinstance(value, (list, Mapping)) for value in received.values())
    entry = Entry(
        **{name: to_scalar(value) for name, value in received.items()},
        options={key: read_untyped_option(item) for key, item in options.items()},
        subquestions=subquestions,
    )
    return entry, is_wrong or options_wrong or subquestions_wrong


def _as_map(value: Any) -> tuple[dict[str, Any], bool]:
    """Return a map with text keys, and whether it came as something else."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}, False
    return ({}, False) if is_empty(value) else (dict(items_by_id(value)), True)


def empty_to_none(value: Any) -> Any:
    """Return None for an empty map, which PHP writes as a list."""
    return None if value in ([], {}) else value


def items_by_id(items: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items of a list with keys, as of a map: their ids, else their positions."""
    seen: set[str] = set()
    for index, item in enumerate(items if isinstance(items, list) else [items]):
        item_id = item.get("id") if isinstance(item, Mapping) else None
        key = str(item_id if item_id not in (None, "") else index)
        while key in seen:
            key += " again"
        seen.add(key)
        yield key, item


def read_untyped_option(raw: Any) -> ListedOption:
    """Read an entry of ``options`` of any types."""
    if not isinstance(raw, Mapping):
        return ListedOption() if raw == [] else ListedOption(answer=to_scalar(raw))
    names = ListedOption.__struct_fields__
    values = {name: to_scalar(empty_to_none(raw[name])) for name in names if name in raw}
    is_blank = all(value is None for name, value in values.items() if name != "id")
    members = {name: raw[name] for name in raw.keys() - {*names, "shown"}}
    if is_blank and members:
        return ListedOption(answer=to_scalar(dict(raw)))
    return UntypedOption(**values, members=members)
