"""A page of responses, decoded except for the entries of its responses.

The typed decoder is made for the questions of the survey and leaves their entries as JSON. A page
with other types is decoded to plain dicts and lists ("untyped"), which is slower. Fields:
https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5 and real payloads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec

from alchemer_nb.decode.entry_types import (
    DECODE_ERRORS,
    Scalar,
    empty_to_none,
    is_empty,
    items_by_id,
    to_scalar,
)
from alchemer_nb.errors import TransportError
from alchemer_nb.survey.columns import META_FIELDS
from alchemer_nb.wire.json import BOM, decode_json, encode_json
from alchemer_nb.wire.paging import PageTotals

_READ_APART = ("url_variables", "data_quality", "survey_data")
# Of a decoder: no survey has more questions, so further keys are no question ids.
_MOST_QUESTIONS = 5000
_MOST_OTHERS = 100  # undocumented fields of a decoder
# Of a page, not in the definition: each becomes a column.
MOST_UNPLANNED = 10_000
NO_ENTRY = msgspec.Raw(b"")


class _Totals(msgspec.Struct):
    total_count: Scalar = None
    total_pages: Scalar = None
    results_per_page: Scalar = None


_EmptyMap = Annotated[list[Any], msgspec.Meta(max_length=0)]  # as PHP writes it


class _PageOfFields(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]] = []


_FIELDS_DECODER = msgspec.json.Decoder(_PageOfFields)
_ENTRIES_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw] | _EmptyMap | None)


@dataclass(slots=True)
class ResponsePage:
    """A page of the response list.

    Attributes:
        fields: Name of a metadata field -> its value in each response, as received.
        url_variables: Url variables of each response, as received.
        data_quality: The same for ``data_quality``.
        others: Name of an undocumented field -> its value in each response, None for no value.
        has_entries: Whether each response has ``survey_data`` at all, which may be empty.
        questions: Ids of the questions that some response may have an entry of.
        entries: For each response the JSON of its entry for each of these questions, or
            ``NO_ENTRY``.
        misfits: Number of values whose JSON type was not the documented one.
        totals: Row count, and the totals of its list.
    """

    fields: dict[str, list[Scalar]]
    url_variables: list[Any]
    data_quality: list[Any]
    others: dict[str, list[Scalar]]
    has_entries: list[bool]
    questions: Sequence[str]
    entries: Sequence[Sequence[Any]]
    misfits: int
    totals: PageTotals

    def __len__(self) -> int:
        return len(self.url_variables)

    def only(self, rows: Sequence[int]) -> ResponsePage:
        """Return the same page with some of its responses."""
        return ResponsePage(
            {name: [values[row] for row in rows] for name, values in self.fields.items()},
            [self.url_variables[row] for row in rows],
            [self.data_quality[row] for row in rows],
            {name: [values[row] for row in rows] for name, values in self.others.items()},
            [self.has_entries[row] for row in rows],
            self.questions,
            [self.entries[row] for row in rows],
            self.misfits,
            self.totals,
        )


class PageReader:
    """Reads pages of the responses to one survey.

    Args:
        questions: Ids of the expected questions; others are learned when they come.
    """

    def __init__(self, questions: Iterable[str]) -> None:
        self._questions = [*filter(_can_be_a_field, questions)]
        self._most_questions = len(self._questions) + MOST_UNPLANNED
        self._others: list[str] = []  # undocumented fields of responses
        self._make_decoder()

    def _make_decoder(self) -> None:
        """Make a decoder with a field for each question: it finds them faster than a dict does."""
        names = [f"q{number}" for number in range(len(self._questions))]
        entries = msgspec.defstruct(
            "Entries",
            [(name, msgspec.Raw, NO_ENTRY) for name in names],
            rename=dict(zip(names, self._questions, strict=True)),
            forbid_unknown_fields=True,  # or the answers to other questions would be lost
            gc=False,
        )
        response = msgspec.defstruct(
            "Response",
            [
                *((name, Scalar, None) for name in META_FIELDS),
                ("url_variables", Any, None),
                ("data_quality", Any, None),
                ("survey_data", entries | _EmptyMap | None | msgspec.UnsetType, msgspec.UNSET),
                *((f"other{number}", Any, None) for number in range(len(self._others))),
            ],
            rename={f"other{number}": name for number, name in enumerate(self._others)},
            forbid_unknown_fields=True,
            gc=False,
        )
        page = msgspec.defstruct("Page", [("data", list[response], [])], bases=(_Totals,))  # type: ignore[valid-type]
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page)
        self._no_entries = entries()

    def read(self, body: bytes) -> ResponsePage:
        """Decode a page.

        Raises:
            ValueError: It is not JSON, or not a list of responses.
            TransportError: It has so many unknown questions or fields that no frame could be built.
        """
        body = body.removeprefix(BOM)
        page = self._decode(body) or (self._learn_names(body) and self._decode(body))
        if not page:
            return _read_untyped(decode_json(body), self._most_questions)
        fields = {name: [getattr(each, name) for each in page.data] for name in META_FIELDS}
        entries = [each.survey_data or self._no_entries for each in page.data]
        return ResponsePage(
            fields,
            [each.url_variables for each in page.data],
            [each.data_quality for each in page.data],
            {
                name: [_other_value(getattr(each, f"other{number}")) for each in page.data]
                for number, name in enumerate(self._others)
            },
            [each.survey_data is not msgspec.UNSET for each in page.data],
            tuple(self._questions),
            list(map(msgspec.structs.astuple, entries)),
            0,
            PageTotals.of(fields["id"], partial(getattr, page)),
        )

    def _decode(self, body: bytes) -> Any:
        """Decode a page, None where it does not fit the types."""
        try:
            return self._decoder.decode(body)
        except DECODE_ERRORS:
            return None

    def _learn_names(self, body: bytes) -> bool:
        """Replace the decoder if a page has other questions or fields than expected."""
        try:
            data = _FIELDS_DECODER.decode(body).data
            entries = [_ENTRIES_DECODER.decode(each.get("survey_data", b"null")) for each in data]
        except DECODE_ERRORS:
            return False
        found = {question for each in entries for question in each or ()}
        questions = sorted(filter(_can_be_a_field, found.difference(self._questions)))
        others = {name for each in data for name in each}.difference(
            META_FIELDS, _READ_APART, self._others
        )
        if (
            not (questions or others)
            or len(questions) + len(self._questions) > _MOST_QUESTIONS
            or len(others) + len(self._others) > _MOST_OTHERS
            or not all(map(_can_be_a_field, others))
        ):
            return False
        self._questions += questions
        self._others += sorted(others)
        self._make_decoder()
        return True


def _can_be_a_field(question: str) -> bool:
    """Check whether a typed decoder may look for it: JSON must not have to escape its name."""
    return question.isprintable() and not set(question) & {'"', "\\"}


def _other_value(value: Any) -> Scalar:
    """Return the value of an undocumented field, a list or map as JSON text; None if empty."""
    return None if is_empty(value) else to_scalar(value)


def check_unplanned(
    count: int,
    most: int = MOST_UNPLANNED,
    what: str = "questions, fields or url variables",
) -> None:
    """Check how many things there are that the definition lacks, each of which is a column.

    Raises:
        TransportError: There are more than ``most``.
    """
    if count > most:
        raise TransportError(
            f"the responses have {count:,} {what}, as no survey has; no frame was built of them",
            hint="Something between here and Alchemer may have changed them: try from another "
            "network. client.request returns them as they came",
        )


def _read_untyped(decoded: Any, most_questions: int) -> ResponsePage:
    """Read a page of any types."""
    data = decoded.get("data") if isinstance(decoded, Mapping) else ""
    if data is not None and not isinstance(data, (list, Mapping)):
        raise ValueError("not a list of responses")
    items = list(data.values() if isinstance(data, Mapping) else data or [])
    rows = [item for item in items if isinstance(item, Mapping)]
    misfits, received = len(items) - len(rows), []
    for row in rows:
        entries = row.get("survey_data")
        misfits += not (is_empty(entries) or isinstance(entries, Mapping))
        entries = [] if is_empty(entries) else entries
        pairs = entries.items() if isinstance(entries, Mapping) else items_by_id(entries)
        received.append({str(question): encode_json(item) for question, item in pairs})
    questions = tuple(dict.fromkeys(question for each in received for question in each))
    check_unplanned(len(questions), most_questions)
    fields = {
        name: [to_scalar(empty_to_none(row.get(name))) for row in rows] for name in META_FIELDS
    }
    others = {str(name) for row in rows for name in row}.difference(META_FIELDS, _READ_APART)
    check_unplanned(len(others))
    return ResponsePage(
        fields,
        [row.get("url_variables") for row in rows],
        [row.get("data_quality") for row in rows],
        {name: [_other_value(row.get(name)) for row in rows] for name in sorted(others)},
        ["survey_data" in row for row in rows],
        questions,
        [[each.get(question, NO_ENTRY) for question in questions] for each in received],
        misfits,
        PageTotals.of(fields["id"], decoded.get),
    )
