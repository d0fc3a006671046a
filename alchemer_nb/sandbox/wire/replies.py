"""The envelope around every reply of the API.

Sources: the vendor's pages on versions and methods, and real payloads. A list has ``total_count``,
``page``, ``total_pages`` and ``results_per_page``; a single object has ``data`` (or, in the flat
form of the 2026 reference, its fields next to ``result_ok``); an error has ``code``, ``message``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.wire import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alchemer_nb.sandbox.settings import Settings

DEFAULT_PAGE = 50
LARGEST_PAGE = 500
_LARGEST_NUMBER = 10**12  # far beyond any page, and within what SQLite counts


class Refusal(Exception):
    """The error of a call that is answered with an error body."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def body(self) -> str:
        """The JSON that is sent."""
        return records.encode({"result_ok": False, "code": self.code, "message": self.message})


@dataclass(frozen=True, slots=True)
class Paging:
    """The page of a list that was asked for."""

    page: int
    size: int

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Paging:
        """Read ``page`` (from 1) and ``resultsperpage`` (50, at most 500).

        invented: what is not a number, or below 1, counts as the default.
        """
        size = _number(params.get("resultsperpage"), DEFAULT_PAGE)
        return cls(_number(params.get("page"), 1), min(size, LARGEST_PAGE))

    @property
    def offset(self) -> int:
        """Number of rows before this page."""
        return (self.page - 1) * self.size

    def cut(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return the rows of this page, none after the end."""
        return rows[self.offset : self.offset + self.size]


def _number(text: str | None, default: int) -> int:
    try:
        number = int(text or default)
    except ValueError:
        return default
    return min(number, _LARGEST_NUMBER) if number >= 1 else default


def render_page(paging: Paging, total: int, rows: Sequence[str], *, text_count: bool) -> str:
    """Build a page of a list whose rows are JSON already.

    Args:
        paging: The page.
        total: Rows of all pages.
        rows: Rows of this page.
        text_count: Whether ``total_count`` is a string, as in lists of surveys and responses.
    """
    count = f'"{total}"' if text_count else str(total)
    pages = math.ceil(total / paging.size)
    return (
        f'{{"result_ok":true,"total_count":{count},"page":{paging.page},"total_pages":{pages},'
        f'"results_per_page":{paging.size},"data":[{",".join(rows)}]}}'
    )


def cut_page(paging: Paging, rows: Sequence[Any], *, text_count: bool) -> str:
    """Build the asked page of a short list."""
    shown = [records.encode(row) for row in paging.cut(rows)]
    return render_page(paging, len(rows), shown, text_count=text_count)


def single_page(rows: Sequence[Any]) -> str:
    """Build a list that ignores paging: one page, as long as the list."""
    return records.encode(
        {
            "result_ok": True,
            "total_count": len(rows),
            "page": 1,
            "total_pages": 1,
            "results_per_page": len(rows),
            "data": list(rows),
        }
    )


def keyed_list(paging: Paging, rows: Mapping[str, Any]) -> str:
    """Build a list whose rows are an object keyed by id."""
    return records.encode(
        {
            "result_ok": True,
            "total_count": len(rows),
            "page": 1,
            "total_pages": 1,
            "results_per_page": paging.size,
            "data": rows,
        }
    )


def single_object(data: Mapping[str, Any], settings: Settings) -> str:
    """Build the reply with one object, below ``data`` or flat."""
    if settings.flat_single:
        return records.encode({"result_ok": True, **data})
    return records.encode({"result_ok": True, "data": data})


def success() -> str:
    """Build the reply to a delete."""
    return records.encode({"result_ok": True})
