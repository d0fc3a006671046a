"""Dates as users write them, also relative ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from alchemer_nb.wire.stamps import parse_span

NEW_YORK = ZoneInfo("America/New_York")
# In New York it is still the 30th.
NOW = datetime(2026, 5, 31, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("today", "2026-05-30", "2026-05-31"),
        ("Yesterday", "2026-05-29", "2026-05-30"),
        ("0d", "2026-05-30", "2026-05-31"),
        ("7d", "2026-05-23", "2026-05-24"),
        (" 2W ", "2026-05-16", "2026-05-17"),
        ("3m", "2026-02-28", "2026-03-01"),  # there is no 30th of February
        ("5m", "2025-12-30", "2025-12-31"),
        ("1y", "2025-05-30", "2025-05-31"),
        ("2026-01", "2026-01-01", "2026-02-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        (2026, "2026-01-01", "2027-01-01"),
        ("2026-3-8", "2026-03-08", "2026-03-09"),  # a day of 23 hours
        (date(2026, 1, 31), "2026-01-31", "2026-02-01"),
    ],
)
def test_a_day_a_month_and_a_year_mean_all_of_it(text, first, after):
    span = parse_span(text, NEW_YORK, NOW)
    assert span.start == datetime.fromisoformat(first).replace(tzinfo=NEW_YORK)
    assert span.end == datetime.fromisoformat(after).replace(tzinfo=NEW_YORK)
    assert str(span) == f"{first} 00:00 America/New_York"


def test_words_say_the_zone_and_that_the_last_day_counts():
    assert parse_span("2026-01", NEW_YORK).last == "the end of 2026-01-31 America/New_York"
    assert parse_span("2026-01-31 14:00", NEW_YORK).last == "2026-01-31 14:00 America/New_York"
    assert str(parse_span("2026-01-31 14:00:05 EST", UTC)) == "2026-01-31 14:00:05 UTC-05:00"


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-02-30", "7", "7x", "-7d", "d", "99999d", "9999y", "9999", "9999-12-31", "",
     "tomorrow", "last week", "2026-01-31 14:00 XYZ"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller writes the message
        parse_span(text, NEW_YORK, NOW)
