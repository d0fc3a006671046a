"""Estimates of what a download takes, by the pace of the latest replies and the rate limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.survey.definition import Definition

_OTHER_CALLS = 3  # the definition in two calls, and the newest changes
_PAGE_SECONDS = 0.5  # of a small survey; a page of a wide one has taken ten times as long
_UNKNOWN_PACE = 10.0  # how many times slower pages may be that were never timed
_OTHER_SURVEY = 3.0  # how many times slower or faster pages of another survey may be
_SLOWER = 1.5  # how many times slower than its latest pages the others may be
_NARROW = 1.5  # a range of less than this factor is one number


@dataclass(frozen=True)
class Estimate:
    """An estimate of what a download takes, made before it begins.

    Attributes:
        survey: Title.
        rows: Responses that fit.
        pages: Pages they come in.
        calls: Calls in all.
        seconds: About how long.
        notes: What to know about the conditions, one clause each.
        seconds_range: Seconds at least and at most; None if they are about the same.
        basis: What the seconds are estimated from, in words.
    """

    survey: str
    rows: int
    pages: int
    calls: int
    seconds: float
    notes: tuple[str, ...] = ()
    seconds_range: tuple[float, float] | None = None
    basis: str = ""

    def __str__(self) -> str:
        line = (
            f"{self.survey}: {counted(self.rows, 'response')} in {counted(self.pages, 'page')}, "
            f"{counted(self.calls, 'call')}, {self._span}{self.basis and f' ({self.basis})'}"
        )
        return "; ".join([line, *self.notes])

    @property
    def _span(self) -> str:
        if self.seconds_range is None:
            return f"about {_in_words(self.seconds)}"
        least, most = map(_in_words, self.seconds_range)
        if least == most:
            return f"about {most}"
        number, unit = least.split()
        is_same = most.split()[1].rstrip("s") == unit.rstrip("s")
        return f"{number if is_same else least} to {most}"


def build_estimate(
    transport: Transport, survey: Definition, rows: int, pages: int, notes: tuple[str, ...]
) -> Estimate:
    """Build the estimate of a download of so many rows and pages, and send no call.

    Args:
        transport: Has timed its latest replies, and knows the rate limit.
        survey: The definition.
        rows: Responses that fit.
        pages: Pages they come in.
        notes: What to know about the conditions.
    """
    calls, times = pages + _OTHER_CALLS, transport.reply_times
    small = median(times.others) if times.others else 0.0
    own, any_survey = times.pages(survey.id), times.all_pages()
    if own:
        page = (min(own), median(own), max(own) * _SLOWER)
        latest = counted(len(own), "page") if len(own) > 1 else "page"
        basis = f"by the pace of its latest {latest}"
    elif any_survey:
        page = (
            min(any_survey) / _OTHER_SURVEY,
            median(any_survey),
            max(any_survey) * _OTHER_SURVEY,
        )
        basis = "a guess by the pace of other surveys"
    else:
        quick = max(_PAGE_SECONDS, 2 * small)
        page = (quick, quick * math.sqrt(_UNKNOWN_PACE), quick * _UNKNOWN_PACE)
        basis = "a guess: no page has come yet, so the pace of this account is not known"
    rounds = math.ceil(pages / transport.max_in_flight)
    least, about, most = (rounds * seconds + _OTHER_CALLS * small for seconds in page)
    wait = transport.limiter.wait_for(calls)
    if wait > most:
        basis = f"by the limit of {transport.limiter.limit:,} calls a minute"
    least, about, most = (max(wait, seconds) for seconds in (least, about, most))
    span = (least, most) if most > _NARROW * least else None
    return Estimate(survey.title, rows, pages, calls, about, notes, span, basis)


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    return counted(round(seconds / 60), "minute")
