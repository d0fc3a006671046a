"""Reads the rows and totals of a page, which decide whether the list has more pages.

Returning the first page only is the most common fault of the API's other clients. Pages have 50
rows by default and 500 at most; totals come as numbers or as text, can be 0 or be missing; some
lists ignore paging and reply with one page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from alchemer_nb.wire.ids import has_digits_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

PAGE_SIZE = 500
# Members of a list reply that are not its rows.
_ENVELOPE_FIELDS = {
    "result_ok", "code", "message", "total_count", "page", "total_pages", "results_per_page",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PageTotals:
    """The row count of a page, and the totals of its list.

    Attributes:
        rows: Rows on the page.
        total_count: Rows of the whole list, None if unknown.
        total_pages: Pages of the whole list, None if unknown.
        per_page: Rows of a full page, None if unknown.
        key: Equal for two copies of one page, so a list that ignores the page number is noticed.

    A total count below the rows of the page, such as 0, is taken as unknown: otherwise the list
    would end after its first page.
    """

    rows: int
    total_count: int | None = None
    total_pages: int | None = None
    per_page: int | None = None
    key: Hashable = None

    def __post_init__(self) -> None:
        if self.total_count is not None and self.total_count < self.rows:
            object.__setattr__(self, "total_count", None)
        if self.total_pages is not None and self.total_pages < 1 <= self.rows:
            object.__setattr__(self, "total_pages", None)

    @classmethod
    def of(cls, ids: Sequence[object], field: Callable[[str], Any]) -> Self:
        """Read the totals of a page.

        Args:
            ids: Ids of its rows.
            field: Returns a field of the reply: ``reply.get``, or ``partial(getattr, reply)``.
        """
        return cls(
            rows=len(ids),
            total_count=to_count(field("total_count")),
            total_pages=to_count(field("total_pages")),
            per_page=to_count(field("results_per_page")),
            key=(len(ids), *(str(each) for each in (*ids[:1], *ids[-1:]))),
        )

    def has_more(self, seen: float) -> bool:
        """Check whether to ask for one more page after the last one by the totals.

        Totals may be unknown or too small.

        Args:
            seen: Rows of all pages up to this one.
        """
        if self.total_pages is None and self.total_count is None:
            return bool(self.rows) and not (self.per_page and self.rows < self.per_page)
        return bool(self.rows) and self.total_count is not None and seen < self.total_count


def to_count(value: Any) -> int | None:
    """Return a count as a number, which may be a number or text; None for anything else."""
    try:
        return None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):  # the last one for 1e999
        return None


_EMPTY: tuple[Any, ...] = (None, [], {})


def reply_rows(envelope: dict[str, Any]) -> list[Any]:
    """Return the rows of a list reply.

    Usually they are under ``data``; ``quotas`` has them under its own name; some lists are objects
    keyed by id. A single object is one row, with or without ``data`` around it. Empty items, which
    some lists have in place of deleted objects, are left out.
    """
    if "data" not in envelope and "quotas" not in envelope:
        flat = {name: value for name, value in envelope.items() if name not in _ENVELOPE_FIELDS}
        return [flat] if flat else []
    data = _data(envelope)
    if isinstance(data, list):
        return [row for row in data if row not in _EMPTY]
    if not isinstance(data, dict):
        return []
    rows = {str(key): row for key, row in data.items() if row not in _EMPTY}
    ids = (str(key).removeprefix("-") for key in data)
    if all(isinstance(row, dict) for row in rows.values()) and all(map(has_digits_alone, ids)):
        return [{"id": key, **row} for key, row in rows.items()]
    return [data]


def reply_object(envelope: dict[str, Any]) -> dict[str, Any]:
    """Return the object of a reply, the first row of a list; ``{}`` if there is none."""
    rows = reply_rows(envelope)
    return rows[0] if rows and isinstance(rows[0], dict) else {}


def read_totals(envelope: dict[str, Any]) -> PageTotals:
    """Read the totals of an ordinary envelope."""
    # Rows without an id are known by all that they hold, or two pages of them would look the same.
    ids = [(row.get("id") or row) if isinstance(row, dict) else row for row in reply_rows(envelope)]
    totals = PageTotals.of(ids, envelope.get)
    return totals if isinstance(_data(envelope), list) else replace(totals, total_pages=1)


def _data(envelope: dict[str, Any]) -> Any:
    """Return the list of a reply, also one that is alone in an object; else the object."""
    data = envelope.get("data", envelope.get("quotas"))
    inner = next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else None
    return inner if isinstance(inner, list) else data
