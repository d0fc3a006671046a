"""All pages of a list, always.

Returning the first page in silence is the commonest fault of the API's other clients. Facts:
page sizes are 50 by default and 500 at most; totals come as numbers or as text, can be 0 or be
missing; some lists ignore paging and answer in one page (https://apihelp.alchemer.com/help/).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from alchemer_nb.wire.ids import has_digits_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

PAGE_SIZE = 500
_Page = TypeVar("_Page")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a page tells about itself and its list.

    Attributes:
        rows: Rows on the page.
        total_count: Rows of the whole list, None where not told.
        total_pages: The same for pages.
        per_page: Rows a page of this list holds, None where not told.
        key: Something that two different pages do not share.

    Totals that are less than what is on the page, such as 0, are taken for totals that are not
    told: a list that believed them would end after its first page.
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
            total_count=whole(field("total_count")),
            total_pages=whole(field("total_pages")),
            per_page=whole(field("results_per_page")),
            key=(len(ids), *(str(own) for own in (*ids[:1], *ids[-1:]))),
        )


def walk(
    fetch: Callable[[int], _Page], measure: Callable[[_Page], Measure], first: int = 1
) -> Iterator[_Page]:
    """Yields page after page until the list has ended.

    It ends where both totals, as far as they are told, have been reached; without totals, with a
    page that is empty or shorter than the others, or that is the same as the one before it (a
    list that ignores ``page``).

    Args:
        fetch: Gets the page of a number.
        measure: Reads what it tells.
        first: Number of the first page.
    """
    number, seen, before = first, 0, None
    while True:
        page = fetch(number)
        told = measure(page)
        repeats = number > first and told.key is not None and told.key == before
        past = number > first and not told.rows and number >= (told.total_pages or 0)
        if repeats or past:
            return
        yield page
        seen += told.rows
        before = told.key
        if _is_last(told, number, seen, skipped=first > 1):
            return
        number += 1


def _is_last(told: Measure, number: int, seen: int, *, skipped: bool) -> bool:
    if told.total_pages is None and told.total_count is None:
        short = told.per_page is not None and told.rows < told.per_page
        return short or not told.rows
    if told.total_pages is not None and number < told.total_pages:
        return False
    return skipped or told.total_count is None or seen >= told.total_count or not told.rows


def whole(value: Any) -> int | None:
    """A count as a number, whether it came as one or as text; None for anything else."""
    try:
        return None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):  # the last one for 1e999
        return None


def rows_of(envelope: dict[str, Any]) -> list[Any]:
    """The rows of a list envelope, wherever they stand.

    Usually under ``data``; ``quotas`` has them under its own name; some lists are objects keyed
    by id. A single object is one row, with or without ``data`` around it.
    """
    data = envelope.get("data", envelope.get("quotas"))
    if isinstance(data, list):
        return data
    if isinstance(data, dict):
        if data and all(isinstance(row, dict) for row in data.values()) and _are_ids(data):
            return [{"id": key, **row} for key, row in data.items()]
        return [data] if data else []
    if data is not None:
        return []
    flat = {name: value for name, value in envelope.items() if name not in _FRAME}
    return [flat] if flat else []


_FRAME = (
    "result_ok",
    "code",
    "message",
    "total_count",
    "page",
    "total_pages",
    "results_per_page",
)


def _are_ids(data: dict[str, Any]) -> bool:
    return all(has_digits_alone(str(key).removeprefix("-")) for key in data)


def measure_envelope(envelope: dict[str, Any]) -> Measure:
    """Read the totals of an ordinary envelope."""
    rows = rows_of(envelope)
    ids = [row.get("id") if isinstance(row, dict) else row for row in rows]
    measure = Measure.of(ids, envelope.get)
    is_list = isinstance(envelope.get("data", envelope.get("quotas")), list)
    return measure if is_list else replace(measure, total_pages=1)
