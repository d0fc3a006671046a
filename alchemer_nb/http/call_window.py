"""A sliding window of calls: who may call when, and no more.

A bucket that refills lets its burst and a minute's refill through in the same minute. A window
that remembers each call does not. Pure: told the time, and knows nothing of files or threads.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = 1
_LONGEST_PAUSE = 2  # periods; Alchemer's penalty lasts up to one
_LONGEST_CALL = 65.0  # seconds; Alchemer gives up after 30, a client after 60 without a byte
_FLOOR = 10  # a warning leaves at least a tenth of the limit


@dataclass(slots=True)
class Place:
    """A place in the queue.

    Attributes:
        at: When its call may be made; a time that has come is not changed any more.
        ticket: Whose it is.
        limit: Calls a period that its owner allows.
    """

    at: float
    ticket: str
    limit: int


@dataclass(slots=True)
class Lease:
    """A GET on its way, which nobody else of the account may make meanwhile.

    Attributes:
        ticket: Whose it is.
        since: When it was made.
        pid: The process that makes it.
    """

    ticket: str
    since: float
    pid: int


@dataclass(slots=True)
class Window:
    """The calls of one account in the last period, and those that wait for their turn.

    Attributes:
        period: Seconds that the limit is for.
        places: In the order in which they were asked for, which is also that of their times.
        ceiling: What a warning lowered the limit to, until ``ceiling_until``.
        ceiling_until: See there.
        paused_until: Nobody calls before.
        leases: Hash of a GET -> who is making it.
    """

    period: float = 60.0
    places: list[Place] = field(default_factory=list)
    ceiling: int = 0
    ceiling_until: float = -math.inf
    paused_until: float = -math.inf
    leases: dict[str, Lease] = field(default_factory=dict)

    def lease(
        self, call: str, ticket: str, pid: int, now: float, is_alive: Callable[[int], bool]
    ) -> bool:
        """Takes a call, unless somebody else who is still there makes the same one."""
        other = self.leases.get(call)
        if other is not None and other.ticket != ticket and is_alive(other.pid):
            return False
        self.leases[call] = Lease(ticket, now, pid)
        return True

    def end_lease(self, call: str, ticket: str) -> None:
        """The call is over."""
        if call in self.leases and self.leases[call].ticket == ticket:
            del self.leases[call]

    def book(self, ticket: str, limit: int, now: float) -> float:
        """Takes the next place that is free and tells its time."""
        self.places.append(Place(math.inf, ticket, limit))
        self.settle(now)
        return self.places[-1].at

    def time_of(self, ticket: str) -> float | None:
        """When a ticket's turn is; None where it has no place."""
        return next((p.at for p in reversed(self.places) if p.ticket == ticket), None)

    def give_back(self, ticket: str, now: float) -> None:
        """Frees the place of a call that was not made; those behind it move up."""
        self.places = [p for p in self.places if p.ticket != ticket]
        self.settle(now)

    def warn(self, limit: int, now: float) -> None:
        """The server warns: for a period, no more calls than there are in the window now.

        Where this machine alone uses the account, the warning comes near the limit and changes
        little; where others use it too, or the plan allows less, it comes early and leaves them
        room.
        """
        self.settle(now)
        recent = sum(p.at <= now for p in self.places)
        lower = max(1, limit // _FLOOR, min(recent, limit))
        self.ceiling = min(lower, self.ceiling) if now < self.ceiling_until else lower
        self.ceiling_until = now + self.period
        self.settle(now)

    def pause(self, until: float, now: float) -> None:
        """Nobody calls before a time, those that wait already included."""
        until = min(until, now + _LONGEST_PAUSE * self.period)
        self.paused_until = max(self.paused_until, until)
        self.settle(now)

    def carry(self, other: Window, now: float) -> None:
        """Takes over what another window knows of the same account."""
        known = {p.ticket for p in self.places}
        self.places += [p for p in other.places if p.ticket not in known]
        self.places.sort(key=lambda p: p.at)
        self.paused_until = max(self.paused_until, other.paused_until)
        self.leases = {**other.leases, **self.leases}
        if other.ceiling_until > max(now, self.ceiling_until):
            self.ceiling, self.ceiling_until = other.ceiling, other.ceiling_until
        self.settle(now)

    def settle(self, now: float) -> None:
        """Forgets what is over, and gives those that wait the earliest times there are."""
        self._distrust(now)
        times: list[float] = []
        kept: list[Place] = []
        for place in self.places:
            if place.at <= now - self.period:
                continue
            if place.at > now:
                place.at = self._earliest(place.limit, times, now)
            times.append(place.at)
            kept.append(place)
        self.places = kept
        for call, lease in list(self.leases.items()):
            if not now - _LONGEST_CALL < lease.since <= now:  # whoever had it is gone
                del self.leases[call]

    def _earliest(self, limit: int, times: list[float], now: float) -> float:
        if now < self.ceiling_until:
            limit = min(limit, self.ceiling)
        at = max(now, self.paused_until, times[-1] if times else now)
        return max(at, times[-limit] + self.period) if len(times) >= limit else at

    def _distrust(self, now: float) -> None:
        """Times that cannot be come from before a restart, which sets the clock back to zero."""
        if self.paused_until > now + _LONGEST_PAUSE * self.period:
            self.paused_until = -math.inf
        if self.ceiling_until > now + self.period:
            self.ceiling_until = -math.inf
        smallest = min((p.limit for p in self.places), default=1)
        if self.ceiling:  # also one that is over: those that wait had their times under it
            smallest = min(smallest, self.ceiling)
        rounds = 2 + len(self.places) // max(1, smallest)
        last = max(now, self.paused_until) + rounds * self.period
        self.places = [p for p in self.places if p.at <= last or p.at == math.inf]

    def to_text(self) -> str:
        """As it is kept in a file."""
        return json.dumps(
            {
                "version": _VERSION,
                "places": [[p.at, p.ticket, p.limit] for p in self.places],
                "ceiling": [self.ceiling, self.ceiling_until],
                "paused": self.paused_until,
                "leases": {c: [x.ticket, x.since, x.pid] for c, x in self.leases.items()},
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str, period: float) -> Window:
        """Reads what ``to_text`` wrote; anything else gives an empty window."""
        try:
            return cls._read(json.loads(text), period)
        except (
            AttributeError,
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            RecursionError,
            OverflowError,
        ):
            return cls(period)

    @classmethod
    def _read(cls, told: Any, period: float) -> Window:
        if told["version"] != _VERSION:
            return cls(period)
        places = [Place(float(at), str(ticket), int(n)) for at, ticket, n in told["places"]]
        if any(math.isnan(p.at) or p.limit < 1 for p in places):
            return cls(period)
        ceiling, until = told["ceiling"]
        leases = {
            str(call): Lease(str(ticket), float(since), int(pid))
            for call, (ticket, since, pid) in told.get("leases", {}).items()
        }
        return cls(
            period, places, max(1, int(ceiling)), float(until), float(told["paused"]), leases
        )
