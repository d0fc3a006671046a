"""Computes the horizon of a sync: the stamp back to which the newest changes are read.

The newest stored stamp alone is not enough: a stamp may be in the future, and ``date_updated`` has
no zone: "typically UTC but can vary" (https://apihelp.alchemer.com/help/list-responses). But each
reply has the server's time. A change after that time has a later stamp in every zone, if the time
is written in the zone that is furthest behind UTC. The horizon is the earlier one of this stamp and
the newest stored stamp, as the stamps of some servers come from another clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

# New responses can take five minutes to become visible
# (https://apihelp.alchemer.com/help/api-request-limits).
_OVERLAP = timedelta(minutes=10)
_FURTHEST_BEHIND, _FURTHEST_AHEAD = timedelta(hours=-12), timedelta(hours=14)
_HOUR_LENGTH = len("2026-10-25 01")
_SERVER_TOLERANCE = 60.0  # seconds by which the servers behind one address may differ
_CLOCK_TOLERANCE = 300.0  # seconds by which the server's clock may drift against this one


@dataclass(frozen=True, slots=True)
class Clock:
    """The times of two clocks at the same moment, in seconds since 1970.

    Attributes:
        server: Time of the server.
        here: Time of this machine.
    """

    server: float
    here: float

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Clock | None:
        """Read the server's time from the headers of a reply; None where they lack it."""
        try:
            return cls(parsedate_to_datetime(headers["Date"]).timestamp(), time.time())
        except (KeyError, TypeError, ValueError, OverflowError):
            return None


def clock_problem(since: Clock | None, now: Clock | None) -> str:
    """Return why the clocks cannot show what changed since the last sync; ``""`` if they can.

    Args:
        since: The clocks at the last sync.
        now: The clocks now.
    """
    if since is None or now is None:
        return "nothing tells by Alchemer's clock when the last sync was"
    set_back = (since.server - since.here) - (now.server - now.here)
    if now.server < since.server - _SERVER_TOLERANCE or set_back > _CLOCK_TOLERANCE:
        return "Alchemer's clock was set back since the last sync"
    return ""


def horizon(since: Clock | None, watermark: str | None) -> str | None:
    """Return a stamp that no change since the last sync is before.

    Args:
        since: The clocks at the last sync.
        watermark: The newest stamp then, in the wall-clock time of an unknown zone.

    Returns:
        The stamp; ``""``, which is before all stamps, if ``watermark`` is no date; None if both
        arguments are None.
    """
    stamps = []
    if watermark is not None:
        try:
            stamps.append(str(_parse(watermark) - _OVERLAP))
        except (ValueError, OverflowError):
            return ""
    if since is not None:
        stamps.append(_stamp(since, _FURTHEST_BEHIND - _OVERLAP))
    return min(stamps, default=None)


def is_ahead(stamp: str, now: Clock | None) -> bool:
    """Check whether a stamp is ahead of the server's clock in every zone."""
    return now is not None and stamp > _stamp(now, _FURTHEST_AHEAD + _OVERLAP)


def is_later(one: str, other: str, zone: ZoneInfo) -> bool:
    """Check whether one change may be as late as another or later, by their stamps."""
    return one >= other or (one[:_HOUR_LENGTH] == other[:_HOUR_LENGTH] and _occurs_twice(one, zone))


def _occurs_twice(stamp: str, zone: ZoneInfo) -> bool:
    """Check whether a stamp is in the hour that occurs twice when summer time ends."""
    try:
        first, second = (_parse(stamp).replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    except ValueError:
        return False
    return (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())


def _parse(stamp: str) -> datetime:
    return datetime.strptime(stamp[:19], "%Y-%m-%d %H:%M:%S")


def _stamp(clock: Clock, shift: timedelta) -> str:
    moment = datetime.fromtimestamp(clock.server, UTC).replace(microsecond=0, tzinfo=None)
    try:
        return str(moment + shift)
    except OverflowError:  # the last day of the calendar, or the first
        return str(moment)
