"""A sliding window of calls, which decides when each call may be made.

A token bucket would allow its burst and a minute's refill within one minute; a window that knows
the time of each call does not. Pure: the time is an argument, and there are no files or threads.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace

_VERSION = 1
# Periods. Alchemer's penalty lasts up to one (https://apihelp.alchemer.com/help/api-request-limits).
_LONGEST_PAUSE = 2
_SMALLEST_SHARE = 10  # a warning leaves at least a tenth of the limit


@dataclass(slots=True)
class Slot:
    """The time of one call.

    Attributes:
        at: When the call may be made; not changed after that time.
        ticket: Random id of the call.
        limit: Calls per period that the client of the call allows.
    """

    at: float
    ticket: str
    limit: int


@dataclass(slots=True)
class Window:
    """The calls of one account in the last period, and those that wait for their turn.

    Times are seconds of the monotonic clock.

    Attributes:
        period: Seconds that the limit is for.
        slots: One for each call, by ascending time.
        ceiling: The limit that a warning set.
        ceiling_until: When that limit ends.
        paused_until: Time before which no call may be made.
    """

    period: float = 60.0
    slots: list[Slot] = field(default_factory=list)
    ceiling: int = 0
    ceiling_until: float = -math.inf
    paused_until: float = -math.inf

    def reserve(self, ticket: str, limit: int, now: float) -> float:
        """Reserve the next free slot and return its time."""
        self.slots.append(Slot(math.inf, ticket, limit))
        self.update(now)
        return self.slots[-1].at

    def wait_for(self, calls: int, limit: int, now: float) -> float:
        """Return the seconds until the last of so many further calls may be made."""
        slots = [replace(slot) for slot in self.slots]
        later = replace(self, slots=[*slots, *(Slot(math.inf, "", limit) for _ in range(calls))])
        later.update(now)
        return later.slots[-1].at - now if later.slots else 0.0

    def time_of(self, ticket: str) -> float | None:
        """Return the time of a ticket's slot, or None if it has none."""
        return next((s.at for s in reversed(self.slots) if s.ticket == ticket), None)

    def release(self, ticket: str, now: float) -> None:
        """Free the slot of a call that was not made; later ones move up."""
        self.slots = [s for s in self.slots if s.ticket != ticket]
        self.update(now)

    def warn(self, limit: int, now: float) -> None:
        """Allow, for one period, no more calls than are in the window now.

        If only this machine uses the account, the warning comes near the limit and changes little.
        If others use it too, or the plan allows less, the warning comes early, and others get room.
        """
        self.update(now)
        recent = sum(s.at <= now for s in self.slots)
        lower = max(1, limit // _SMALLEST_SHARE, min(recent, limit))
        self.ceiling = min(lower, self.ceiling) if now < self.ceiling_until else lower
        self.ceiling_until = now + self.period
        self.update(now)

    def pause(self, until: float, now: float) -> None:
        """Allow no call before a time, including calls that wait already."""
        until = min(until, now + _LONGEST_PAUSE * self.period)
        self.paused_until = max(self.paused_until, until)
        self.update(now)

    def free(self, limit: int, now: float) -> int:
        """Return how many calls may be made at once now."""
        if now < self.paused_until:
            return 0
        if now < self.ceiling_until:
            limit = min(limit, self.ceiling)
        return max(0, limit - len(self.slots))

    def merge(self, other: Window, now: float) -> None:
        """Add the slots and limits of another window of the same account."""
        known = {s.ticket for s in self.slots}
        self.slots += [s for s in other.slots if s.ticket not in known]
        self.slots.sort(key=lambda s: s.at)
        self.paused_until = max(self.paused_until, other.paused_until)
        if other.ceiling_until > max(now, self.ceiling_until):
            self.ceiling, self.ceiling_until = other.ceiling, other.ceiling_until
        self.update(now)

    def update(self, now: float) -> None:
        """Drop slots older than a period, and move waiting ones to the earliest possible times."""
        self._drop_impossible_times(now)
        times: list[float] = []
        slots: list[Slot] = []
        for slot in self.slots:
            if slot.at <= now - self.period:
                continue
            if slot.at > now:
                slot.at = self._earliest(slot.limit, times, now)
            times.append(slot.at)
            slots.append(slot)
        self.slots = slots

    def _earliest(self, limit: int, times: list[float], now: float) -> float:
        if now < self.ceiling_until:
            limit = min(limit, self.ceiling)
        at = max(now, self.paused_until, times[-1] if times else now)
        return max(at, times[-limit] + self.period) if len(times) >= limit else at

    def _drop_impossible_times(self, now: float) -> None:
        # Times far in the future are from before a restart, which resets the monotonic clock.
        if self.paused_until > now + _LONGEST_PAUSE * self.period:
            self.paused_until = -math.inf
        if self.ceiling_until > now + self.period:
            self.ceiling_until = -math.inf
        smallest = min((s.limit for s in self.slots), default=1)
        if self.ceiling:  # also one that has ended: waiting slots got their times under it
            smallest = min(smallest, self.ceiling)
        rounds = 2 + len(self.slots) // max(1, smallest)
        last = max(now, self.paused_until) + rounds * self.period
        self.slots = [s for s in self.slots if s.at <= last or s.at == math.inf]

    def to_text(self) -> str:
        """Return the content of the window's file."""
        return json.dumps(
            {
                "version": _VERSION,
                "places": [[s.at, s.ticket, s.limit] for s in self.slots],
                "ceiling": [self.ceiling, self.ceiling_until],
                "paused": self.paused_until,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str, period: float) -> Window:
        """Parse the content of a file; return an empty window if it is damaged.

        Other fields are ignored; earlier versions wrote ``leases`` as well.
        """
        try:
            values = json.loads(text)
            slots = [Slot(float(at), str(who), int(n)) for at, who, n in values["places"]]
            ceiling, until = values["ceiling"]
            is_valid = values["version"] == _VERSION and not any(
                math.isnan(s.at) or s.limit < 1 for s in slots
            )
            if is_valid:
                paused = float(values["paused"])
                return cls(period, slots, max(1, int(ceiling)), float(until), paused)
        except (
            *(AttributeError, ValueError, TypeError, KeyError, IndexError),
            *(RecursionError, OverflowError),
        ):
            pass
        return cls(period)
