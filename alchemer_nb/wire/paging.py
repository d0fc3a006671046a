"""Walks all pages of a list, always.

Returning the first page in silence is the most common fault of the API's other clients. Facts:
page sizes are 50 by default and 500 at most; totals come as numbers or as text, can be 0 or be
missing; some lists ignore paging and reply with one page (https://apihelp.alchemer.com/help/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from alchemer_nb.wire.ids import has_digits_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

PAGE_SIZE = 500
# Members of a list reply that are not its rows.
_FRAME = {
    "result_ok", "code", "message", "total_count", "page", "total_pages", "results_per_page",
}  # fmt: skip
_Page = TypeVar("_Page")


@dataclass(frozen=True, slots=True)
class Measure:
    """The totals of a page and its list.

    Totals below what is on the page, such as 0, count as unknown: by them the list would end
    after its first page.

    Attributes:
        rows: Number of rows on the page.
        total_count: Number of rows of the whole list, None if unknown.
        total_pages: Number of pages of the whole list, None if unknown.
        per_page: Page size of the list, None if unknown.
        key: A value that two different pages do not share.
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


def walk(
    fetch: Callable[[int], _Page], measure: Callable[[_Page], Measure], first: int = 1
) -> Iterator[_Page]:
    """Yield page after page until the list ends.

    It ends where both totals, if known, have been reached; without totals, with a page that is
    empty, shorter than the others, or equal to the one before it (a list that ignores ``page``).

    Args:
        fetch: Returns the page of a number.
        measure: Returns the totals of a page.
        first: Number of the first page.
    """
    number, seen, before = first, 0, None
    while True:
        page = fetch(number)
        totals = measure(page)
        repeats = number > first and totals.key is not None and totals.key == before
        past = number > first and not totals.rows and number >= (totals.total_pages or 0)
        if repeats or past:
            return
        yield page
        seen += totals.rows
        before = totals.key
        if _is_last(totals, number, seen, skipped=first > 1):
            return
        number += 1


def _is_last(totals: Measure, number: int, seen: int, *, skipped: bool) -> bool:
    if totals.total_pages is None and totals.total_count is None:
        short = totals.per_page is not None and totals.rows < totals.per_page
        return short or not totals.rows
    if totals.total_pages is not None and number < totals.total_pages:
        return False
    return skipped or totals.total_count is None or seen >= totals.total_count or not totals.rows


def whole(value: Any) -> int | None:
    """Return a count as a number, which may be a number or text; None for anything else."""
    try:
        return None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):  # the last one for 1e999
        return None


def rows_of(envelope: dict[str, Any]) -> list[Any]:
    """Return the rows of a list reply.

    Usually they are under ``data``; ``quotas`` has them under its own name; some lists are objects
    keyed by id. A single object is one row, with or without ``data`` around it.
    """
    data = envelope.get("data", envelope.get("quotas"))
    if isinstance(data, list):
        return data
    if isinstance(data, dict):
        ids = (str(key).removeprefix("-") for key in data)
        if all(isinstance(row, dict) for row in data.values()) and all(map(has_digits_alone, ids)):
            return [{"id": key, **row} for key, row in data.items()]
        return [data] if data else []
    if data is not None:
        return []
    flat = {name: value for name, value in envelope.items() if name not in _FRAME}
    return [flat] if flat else []


def measure_envelope(envelope: dict[str, Any]) -> Measure:
    """Return the totals of a decoded list reply."""
    rows = rows_of(envelope)
    ends = [row for row in (*rows[:1], *rows[-1:]) if row]
    ids = [row.get("id") if isinstance(row, dict) else str(row) for row in ends]
    is_list = isinstance(envelope.get("data", envelope.get("quotas")), list)
    return Measure(
        rows=len(rows),
        total_count=whole(envelope.get("total_count")),
        total_pages=whole(envelope.get("total_pages")) if is_list else 1,
        per_page=whole(envelope.get("results_per_page")),
        key=(len(rows), *(str(each) for each in ids)),
    )
