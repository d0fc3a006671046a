"""Dates: seconds since 1970 inside, the region's wall clock in payloads.

Responses carry a zone suffix (``2018-09-27 10:42:26 EDT``); every other date, and the dates in
filters, have none and are in the same zone (vendor's pages on filters and on regions).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_LAYOUTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def format_zoned(seconds: float, zone: ZoneInfo) -> str:
    """Format a moment as responses do, with its zone suffix."""
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def format_local(seconds: float, zone: ZoneInfo) -> str:
    """Format a moment as everything but responses does."""
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def parse_date(text: str, zone: ZoneInfo) -> float | None:
    """Parse a date of a filter in the region's zone; return None if it is none.

    invented: the hour that occurs twice in autumn is taken as its first occurrence.
    """
    for layout in _LAYOUTS:
        try:
            return datetime.strptime(text.strip(), layout).replace(tzinfo=zone).timestamp()
        except ValueError:
            continue
    return None
