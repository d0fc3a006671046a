"""How far back the newest changes are to be read, by the server's clock.

A stamp may lie ahead, and ``date_updated`` names no zone: "typically UTC but can vary"
(https://apihelp.alchemer.com/help/list-responses). So the newest stamp tells nothing alone. What
every answer tells is the server's time. What changed after some moment bears a stamp that is, in
whatever zone, no earlier than that moment where clocks are furthest behind; nothing that is stored
moves this horizon. It is moved back where all stamps are older still, as those of a server whose
stamps come from another clock.
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

# New responses can take five minutes to become visible: /help/surveyresponse-sub-object-v5.
_OVERLAP = timedelta(minutes=10)
_FURTHEST_BEHIND, _FURTHEST_AHEAD = timedelta(hours=-12), timedelta(hours=14)
_TO_HOUR = 13  # letters of a stamp
_UNEVEN, _DRIFT = 60.0, 300.0  # seconds: of servers behind one address; of clocks to one another


@dataclass(frozen=True, slots=True)
class Clock:
    """What two clocks said at once, in seconds since 1970.

    Attributes:
        server: The server's.
        here: This machine's.
    """

    server: float
    here: float

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Clock | None:
        """Reads the server's time from an answer; None where it does not tell it."""
        try:
            return cls(parsedate_to_datetime(headers["Date"]).timestamp(), time.time())
        except (KeyError, TypeError, ValueError, OverflowError):
            return None


def doubt(since: Clock | None, now: Clock | None) -> str:
    """Why what changed since cannot be told by the clock; ``""`` where it can."""
    if since is None or now is None:
        return "nothing tells by Alchemer's clock when the last sync was"
    fell = (since.server - since.here) - (now.server - now.here)
    if now.server < since.server - _UNEVEN or fell > _DRIFT:
        return "Alchemer's clock was set back since the last sync"
    return ""


def horizon(since: Clock | None, watermark: str | None) -> str | None:
    """The stamp behind which nothing lies that changed since; None where nothing tells.

    Args:
        since: When the last changes were read.
        watermark: The newest stamp then, in the wall-clock time of whatever zone.
    """
    stamps = []
    if watermark is not None:
        try:
            stamps.append(str(_read(watermark) - _OVERLAP))
        except (ValueError, OverflowError):
            return ""  # whatever it is, everything is read
    if since is not None:
        stamps.append(_text(since, _FURTHEST_BEHIND - _OVERLAP))
    return min(stamps, default=None)


def is_ahead(stamp: str, now: Clock | None) -> bool:
    """Whether a stamp lies ahead of the server's clock in every zone."""
    return now is not None and stamp > _text(now, _FURTHEST_AHEAD + _OVERLAP)


def is_later(one: str, other: str, zone: ZoneInfo) -> bool:
    """Whether a change may be later than another, or as late, by their stamps."""
    return one >= other or (one[:_TO_HOUR] == other[:_TO_HOUR] and _occurs_twice(one, zone))


def _occurs_twice(stamp: str, zone: ZoneInfo) -> bool:
    """Whether a stamp is of the hour that occurs twice, when summer ends."""
    try:
        first, second = (_read(stamp).replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    except ValueError:
        return False
    return (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())


def _read(stamp: str) -> datetime:
    return datetime.strptime(stamp[:19], "%Y-%m-%d %H:%M:%S")


def _text(clock: Clock, shift: timedelta) -> str:
    moment = datetime.fromtimestamp(clock.server, UTC).replace(microsecond=0, tzinfo=None)
    return str(moment + shift)
