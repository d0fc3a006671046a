"""Parses Alchemer's date stamps, and days as people type them.

``date_submitted`` and ``date_started`` end with EST, EDT or GMT, which pandas does not parse; the
zone distinguishes the hour that occurs twice in autumn. ``date_updated`` and others have no zone
and are taken in the region's
(https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

_STAMP = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
    r"\s*(Z|[A-Za-z]{2,5}|[+-]\d{2}:?\d{2})?\s*"
)
#: Hours from UTC by the name of a zone.
ZONE_HOURS = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "GMT": 0, "UTC": 0, "Z": 0, "BST": 1, "CET": 1, "CEST": 2, "AEST": 10, "AEDT": 11,
}  # fmt: skip


def parse_stamp(text: Any, zone: tzinfo, fold: int = 0) -> datetime | None:
    """Parse a stamp as an instant in UTC; None for anything else.

    Args:
        text: ``"2018-09-27 10:42:26 EDT"``; without a zone it is wall-clock time of ``zone``.
        zone: Zone of the account's data centre.
        fold: Which one to take of an hour that occurs twice, 0 or 1.
    """
    found = _STAMP.fullmatch(str(text)) if text not in (None, "") else None
    try:
        return _instant(found, zone).replace(fold=fold).astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None


def _instant(found: re.Match[str], zone: tzinfo) -> datetime:
    *numbers, name = found.groups()
    naive = datetime(*(int(n or 0) for n in numbers))  # type: ignore[arg-type]  # six numbers
    return naive.replace(tzinfo=_offset(name) or zone)


def _offset(name: str | None) -> tzinfo | None:
    if not name:
        return None
    if name[0] in "+-":
        sign = -1 if name[0] == "-" else 1
        hours, minutes = int(name[1:3]), int(name[-2:])
        return timezone(sign * timedelta(hours=hours, minutes=minutes))
    hours_off = ZONE_HOURS.get(name.upper())
    return None if hours_off is None else timezone(timedelta(hours=hours_off))


def parse_moment(value: Any, zone: tzinfo) -> tuple[datetime, bool]:
    """Parse a date or time given by the user.

    Args:
        value: Text such as ``"2026-01-31"``, ``"2026-01-31 14:00"`` or with a zone at its end; a
            ``date`` or ``datetime`` (or pandas' own).
        zone: Zone of a value without one.

    Returns:
        The instant, in its own zone, and whether the value is a day without a time.

    Raises:
        ValueError: It is no date.
    """
    if isinstance(value, datetime):
        if value != value:  # NaT, which is a datetime, too
            raise ValueError(value)
        return value if value.tzinfo else value.replace(tzinfo=zone), False
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone), True
    found = _STAMP.fullmatch(str(value))
    if not found or (found[7] and not _offset(found[7])):
        raise ValueError(value)
    return _instant(found, zone), found[4] is None


def find_zone(name: Any) -> ZoneInfo | None:
    """Return the time zone of an IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, RecursionError):  # the last: a path too deep
        return None


def to_stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant as a stamp without a zone, in wall-clock time of ``zone``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def is_ambiguous(moment: datetime, zone: ZoneInfo) -> bool:
    """Check whether the wall-clock time of an instant occurs twice in the zone."""
    local = moment.astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


_TYPED_DATE = re.compile(
    r"\s*(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?\s*"
)


def parse_typed_date(text: str, *, day_first: bool = False) -> datetime | None:
    """Parse a date as people type it; None for anything else.

    Alchemer's date questions write the month first. A date with the year first has one order only.
    """
    found = _TYPED_DATE.fullmatch(text)
    if found is None:
        return None
    first, second, third = (int(number) for number in found.groups()[:3])
    if len(found.group(1)) == 4:
        year, month, day = first, second, third
    elif len(found.group(3)) == 4:
        year, month, day = third, *((second, first) if day_first else (first, second))
    else:
        return None
    try:
        return datetime(year, month, day, *_time_of_day(found))
    except ValueError:
        return None


def _time_of_day(found: re.Match[str]) -> tuple[int, int, int]:
    hour, minute, second = (int(n or 0) for n in found.groups()[3:6])
    half = (found.group(7) or "").lower()  # of the day: "a" or "p"
    if half and not 1 <= hour <= 12:
        raise ValueError(hour)
    if half:
        hour = hour % 12 + 12 * (half == "p")
    return hour, minute, second
