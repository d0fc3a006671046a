"""A page of responses, decoded.

The decoder is typed and skips what is not wanted (question texts above all); a page that does not
fit the types is read again, slowly and without them. Shapes:
https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from alchemer_nb.envelope import BOM, decode

Scalar = str | int | float | bool | None

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


_ENTRY = ("answer", "options", "id", "subquestions", "answer_id", "rank", "option")
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


def raw_entries(decoded: Any) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Number of the response, question id and entry, of all entries of a page."""
    data = decoded.get("data") if isinstance(decoded, Mapping) else None
    rows = list(data.values()) if isinstance(data, Mapping) else data or []
    rows = [row for row in rows if isinstance(row, Mapping)]
    for number, response in enumerate(rows):
        entries = response.get("survey_data")
        for question, entry in entries.items() if isinstance(entries, Mapping) else ():
            if isinstance(entry, Mapping):
                yield number, str(question), entry


def is_entry(child: Mapping[str, Any]) -> bool:
    """Whether a map is one entry, and not a map of cells."""
    return any(name in child for name in _ENTRY)


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
        return Chosen(answer=scalar(raw))
    names = ("option", "answer", "original_answer", "rank")
    return Chosen(**{name: scalar(nothing(raw.get(name))) for name in names})


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
        name: scalar(decoded.get(name))
        for name in ("total_count", "total_pages", "results_per_page")
    }
    return Page(responses, **counts), misfits


def _loose_response(raw: Mapping[str, Any]) -> tuple[Any, int]:
    misfits = 0
    entries: dict[str, Entry] = {}
    data = raw.get("survey_data")
    pairs = data.items() if isinstance(data, Mapping) else numbered(data) if data else ()
    misfits += bool(data) and not isinstance(data, Mapping)
    for question, item in pairs:
        entries[str(question)], wrong = loose_entry(item)
        misfits += wrong
    meta = {name: scalar(nothing(raw.get(name))) for name in META_FIELDS}
    response = Response(
        **meta,
        url_variables=raw.get("url_variables"),
        data_quality=raw.get("data_quality"),
        survey_data=entries,
    )
    return response, misfits
