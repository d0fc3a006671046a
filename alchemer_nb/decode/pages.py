"""A page of responses, decoded as far as the entries of its responses.

The decoder is typed, made for the questions of the survey, and leaves the entries themselves
unread; a page that does not fit is read again, slowly and without types. Fields:
https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5 and real payloads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec

from alchemer_nb.decode.entry_types import Scalar, nothing, numbered, scalar
from alchemer_nb.wire.json import BOM, decode
from alchemer_nb.wire.paging import PageTotals

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


_MOST_QUESTIONS = 5000  # fields of a decoder: beyond, ids are not what a survey has
_FIELDS = attrgetter(*META_FIELDS)
NO_ENTRY = msgspec.Raw(b"")
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Totals(msgspec.Struct):
    total_count: Scalar = None
    total_pages: Scalar = None
    results_per_page: Scalar = None


@dataclass(slots=True)
class Page:
    """A page of the response list.

    Attributes:
        fields: Name of a field of metadata -> its value in each response, as received.
        url_variables: Of each response, as received.
        data_quality: The same.
        questions: Ids of those that some response may have an entry of.
        entries: Of each response, the JSON of its entry for each of these questions, or
            ``NO_ENTRY``.
        misfits: How much of it had other types than documented.
        totals: Row count, and the totals of its list.
    """

    fields: dict[str, list[Scalar]]
    url_variables: list[Any]
    data_quality: list[Any]
    questions: Sequence[str]
    entries: Sequence[Sequence[Any]]
    misfits: int
    totals: PageTotals

    def __len__(self) -> int:
        """Responses on it."""
        return len(self.url_variables)

    def only(self, rows: Sequence[int]) -> Page:
        """The same page with some of its responses."""
        return Page(
            {name: [values[row] for row in rows] for name, values in self.fields.items()},
            [self.url_variables[row] for row in rows],
            [self.data_quality[row] for row in rows],
            self.questions,
            [self.entries[row] for row in rows],
            self.misfits,
            self.totals,
        )


class PageReader:
    """Reads pages of the responses to one survey.

    Args:
        questions: Ids that entries are expected under; others are learned as they come.
    """

    def __init__(self, questions: Iterable[str] = ()) -> None:
        self._questions = list(filter(_can_be_a_field, dict.fromkeys(questions)))
        self._general = msgspec.json.Decoder(_page_of(dict[str, msgspec.Raw]))
        self._made_for_them()

    def _made_for_them(self) -> None:
        """A decoder with a field for each question: it finds them faster than a dict does."""
        names = [f"q{number}" for number in range(len(self._questions))]
        entries = msgspec.defstruct(
            "Entries",
            [(name, msgspec.Raw, NO_ENTRY) for name in names],
            rename=dict(zip(names, self._questions, strict=True)),
            forbid_unknown_fields=True,  # or the answers to them would be lost
            gc=False,
        )
        self._decoder = msgspec.json.Decoder(_page_of(entries))
        self._nothing = entries()
        self._all = attrgetter(*names) if len(names) > 1 else None

    def read(self, body: bytes) -> Page:
        """Decodes a page.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
        """
        body = body.removeprefix(BOM)
        if self._all is not None:
            try:
                return self._typed(self._decoder.decode(body))
            except _REFUSED:
                pass
        try:
            page = self._generally(self._general.decode(body))
        except _REFUSED:
            return _loosely(decode(body))
        new = set(filter(_can_be_a_field, set(page.questions) - set(self._questions)))
        if new and len(new) + len(self._questions) <= _MOST_QUESTIONS:
            self._questions += sorted(new)
            self._made_for_them()
        return page

    def _typed(self, page: Any) -> Page:
        given = [response.survey_data or self._nothing for response in page.data]
        if any(isinstance(each, list) for each in given):
            return self._generally(page)
        assert self._all is not None  # noqa: S101 - read() has made sure
        entries = list(map(self._all, given))
        return _page(page, page.data, tuple(self._questions), entries, 0)

    def _generally(self, page: Any) -> Page:
        misfits, given = 0, []
        for response in page.data:
            data = response.survey_data
            if isinstance(data, list):
                misfits += bool(data)
                items = numbered([decode(bytes(item)) for item in data])
                data = {own: msgspec.json.encode(item) for own, item in items}
            elif data is not None and not isinstance(data, dict):
                pairs = zip(self._questions, self._all(data), strict=True)  # type: ignore[misc]
                data = {question: raw for question, raw in pairs if raw is not NO_ENTRY}
            given.append(data or {})
        return _page(page, page.data, *_rows(given), misfits)


def _can_be_a_field(question: str) -> bool:
    """Whether a typed decoder may look for it: it takes no name that JSON would have to escape."""
    return question.isprintable() and not set(question) & {'"', "\\"}


def _page_of(entries: Any) -> Any:
    response = msgspec.defstruct(
        "Response",
        [
            *((name, Scalar, None) for name in META_FIELDS),
            ("url_variables", Any, None),
            ("data_quality", Any, None),
            ("survey_data", entries | list[msgspec.Raw] | None, None),
        ],
        gc=False,
    )
    return msgspec.defstruct("Page", [("data", list[response], [])], bases=(_Totals,))  # type: ignore[valid-type]


def _rows(given: Sequence[Mapping[str, Any]]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    questions = tuple(dict.fromkeys(question for data in given for question in data))
    return questions, [[data.get(own, NO_ENTRY) for own in questions] for data in given]


def _page(
    totals: Any,
    responses: Sequence[Any],
    questions: Sequence[str],
    entries: Sequence[Sequence[Any]],
    misfits: int,
) -> Page:
    columns = zip(*map(_FIELDS, responses), strict=True) if responses else [()] * len(META_FIELDS)
    fields = {name: list(column) for name, column in zip(META_FIELDS, columns, strict=True)}
    return Page(
        fields,
        [each.url_variables for each in responses],
        [each.data_quality for each in responses],
        questions,
        entries,
        misfits,
        PageTotals.of(fields["id"], partial(getattr, totals)),
    )


def _loosely(decoded: Any) -> Page:
    """A page of whatever types."""
    if not isinstance(decoded, Mapping):
        raise ValueError("not a list of responses")  # noqa: TRY004 - like any other broken JSON
    data = decoded.get("data")
    if data is not None and not isinstance(data, (list, Mapping)):
        raise ValueError("not a list of responses")
    items = list(data.values() if isinstance(data, Mapping) else data or [])
    rows = [item for item in items if isinstance(item, Mapping)]
    misfits, given = len(items) - len(rows), []
    for row in rows:
        entries = row.get("survey_data")
        misfits += bool(entries) and not isinstance(entries, Mapping)
        pairs = entries.items() if isinstance(entries, Mapping) else numbered(entries or [])
        given.append({str(question): msgspec.json.encode(item) for question, item in pairs})
    fields = {name: [scalar(nothing(row.get(name))) for row in rows] for name in META_FIELDS}
    return Page(
        fields,
        [row.get("url_variables") for row in rows],
        [row.get("data_quality") for row in rows],
        *_rows(given),
        misfits,
        PageTotals.of(fields["id"], decoded.get),
    )
