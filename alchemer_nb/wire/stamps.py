"""Parses Alchemer's date stamps, and days as people type them.

``date_submitted`` and ``date_started`` end with EST, EDT or GMT, which pandas does not parse; the
zone distinguishes the hour that occurs twice in autumn. ``date_updated`` and others have no zone
and are taken in the region's
(https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5).
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
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


class Span(NamedTuple):
    """A date or a time given by the user.

    Attributes:
        start: Its first instant, in its own zone.
        end: The instant after a whole day, month or year; None of a time of day.
    """

    start: datetime
    end: datetime | None

    def __str__(self) -> str:
        """Return the first instant with its zone: ``2026-11-19 00:00 America/New_York``."""
        return _moment_text(self.start)

    @property
    def last(self) -> str:
        """The last instant in words: ``the end of 2026-01-31 America/New_York``."""
        if self.end is None:
            return str(self)
        day = self.end.replace(tzinfo=None) - timedelta(days=1)
        return f"the end of {day:%Y-%m-%d} {_zone_name(self.end)}"


#: The dates that ``parse_span`` reads, for messages.
DATE_FORMS = (
    "2026-01-31, '2026-01-31 14:00', 2026-01 or 2026 (a whole month or year), today, yesterday, or "
    "7d, 2w, 3m, 1y (days, weeks, months or years ago)"
)
_RELATIVE = re.compile(r"(\d{1,4})\s*([dwmy])", re.I)
_MONTH = re.compile(r"(\d{4})(?:-(\d{1,2}))?")


def parse_span(value: Any, zone: tzinfo, now: datetime | None = None) -> Span:
    """Parse a date or time given by the user.

    Args:
        value: Text, see ``DATE_FORMS``, also with a zone at its end; a ``date`` or ``datetime``
            (or pandas' own).
        zone: Zone of a value without one.
        now: The time from which relative dates count; None for the present.

    Raises:
        ValueError: It is no date.
    """
    try:
        return _parse_span(value, zone, now or datetime.now(zone))
    except OverflowError:  # such as the day after 9999-12-31
        raise ValueError(value) from None


def _parse_span(value: Any, zone: tzinfo, now: datetime) -> Span:
    if isinstance(value, datetime):
        if value != value:  # NaT, which is a datetime, too
            raise ValueError(value)
        return Span(value if value.tzinfo else value.replace(tzinfo=zone), None)
    if isinstance(value, date):
        return _days(value, value + timedelta(days=1), zone)
    text = str(value).strip()
    days = _parse_days(text, now.astimezone(zone).date())
    if days is not None:
        return _days(*days, zone)
    found = _STAMP.fullmatch(text)
    if not found or (found[7] and not _offset(found[7])):
        raise ValueError(value)
    start = _instant(found, zone)
    if found[4] is not None:
        return Span(start, None)
    return _days(start.date(), start.date() + timedelta(days=1), start.tzinfo or zone)


def _days(first: date, after: date, zone: tzinfo) -> Span:
    """Return the days from the first to before another: a day is not always 24 hours long."""
    return Span(*(datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, after)))


def _parse_days(text: str, today: date) -> tuple[date, date] | None:
    """Return the first day of a relative date, month or year, and the day after its last."""
    day = timedelta(days=1)
    if text.lower() in ("today", "yesterday"):
        first = today - day * (text.lower() == "yesterday")
        return first, first + day
    if ago := _RELATIVE.fullmatch(text):
        first = _ago(today, int(ago[1]), ago[2].lower())
        return first, first + day
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2] or 1)
        months = 1 if found[2] else 12
        last = year * 12 + month - 1 + months
        return date(year, month, 1), date(last // 12, last % 12 + 1, 1)
    return None


def _ago(today: date, count: int, unit: str) -> date:
    if unit in "dw":
        return today - timedelta(days=count * (7 if unit == "w" else 1))
    month = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
    first = date(month // 12, month % 12 + 1, 1)
    last = calendar.monthrange(first.year, first.month)[1]
    return first.replace(day=min(today.day, last))


def _moment_text(moment: datetime) -> str:
    seconds = ":%S" if moment.second else ""
    return f"{moment.strftime(f'%Y-%m-%d %H:%M{seconds}')} {_zone_name(moment)}"


def _zone_name(moment: datetime) -> str:
    return str(getattr(moment.tzinfo, "key", None) or moment.tzname() or "")


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
