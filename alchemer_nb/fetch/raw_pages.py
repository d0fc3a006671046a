"""Splits pages of the response list into the unchanged JSON of each response."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.json import decode_json, encode_json
from alchemer_nb.wire.paging import PageTotals, reply_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response as the server sent it.

    Attributes:
        id: Response id.
        updated: ``date_updated`` as received.
        digest: 64-bit hash of the content.
        content: Its JSON; None for a response that has been removed.
    """

    id: int
    updated: str | None
    digest: int
    content: bytes | None


@dataclass(slots=True)
class RawPage:
    """A page of the response list.

    Attributes:
        rows: The responses that have an id.
        totals: Row count and totals.
    """

    rows: list[RawResponse]
    totals: PageTotals

    @property
    def without_id(self) -> int:
        """How many responses of the page have no valid id, so that they are not in ``rows``."""
        return self.totals.rows - len(self.rows)


class _ResponseHead(msgspec.Struct):
    id: Any = None
    date_updated: Any = None


class _PageReply(msgspec.Struct):
    data: list[msgspec.Raw]
    total_count: Any = None
    total_pages: Any = None
    results_per_page: Any = None


_MOST_ROWS = (
    50_000  # of a page; the API has 500 at most, and a row without answers takes a kilobyte
)
_REPLY_DECODER = msgspec.json.Decoder(_PageReply)
_HEAD_DECODER = msgspec.json.Decoder(_ResponseHead)


def has_too_many_rows(body: bytes) -> bool:
    """Check whether a page has far more rows than any page of the API, without decoding them."""
    if body.count(b",") < _MOST_ROWS:
        return False
    try:
        return len(_REPLY_DECODER.decode(body).data) > _MOST_ROWS
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # the error of whoever decodes it


def split_page(body: bytes) -> RawPage:
    """Split a page of the response list into responses.

    Raises:
        ValueError: It is not a list of responses.
    """
    try:
        reply = _REPLY_DECODER.decode(body)
        rows = [(bytes(each), _HEAD_DECODER.decode(each)) for each in reply.data]
        read_field: Callable[[str], Any] = partial(getattr, reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A byte-order mark, broken characters, or an object instead of a list.
        decoded = decode_json(body)
        data = decoded.get("data") if isinstance(decoded, dict) else ""
        if data is not None and not isinstance(data, (list, dict)):
            raise ValueError("not a list of responses") from None
        rows = [
            (encode_json(row), _ResponseHead(row.get("id"), row.get("date_updated")))
            for row in reply_rows(decoded)
            if isinstance(row, dict)
        ]
        read_field = decoded.get
    totals = PageTotals.of([head.id for _, head in rows], read_field)
    return RawPage([row for row in map(_read_row, rows) if row is not None], totals)


def _read_row(row: tuple[bytes, _ResponseHead]) -> RawResponse | None:
    content, head = row
    response_id = id_number(head.id)
    if response_id is None:
        return None
    updated = None if head.date_updated in (None, "") else str(head.date_updated)
    return RawResponse(response_id, updated, content_digest(content), content)


def content_digest(content: bytes) -> int:
    """Return the 64-bit hash of the JSON of a response."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)


def join_page(contents: Iterable[bytes | None]) -> bytes:
    """Build a page of the response list from the JSON of responses."""
    return b'{"data":[' + b",".join(content or b"" for content in contents) + b"]}"
