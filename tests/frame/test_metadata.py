"""Stamps of all responses at once are those that are read one by one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alchemer_nb.frame.metadata import to_datetimes
from alchemer_nb.wire.stamps import parse_stamp

ENDS_OF_DAY = ("00:00:00", "23:59:59")
ODD = ["", None, "soon", "0000-01-01 00:00:00", "2026-01-15 10:42:26 XYZ", "2026-01-15T10:42Z", 5]
# Around the days on which clocks change somewhere, and any others.
DAYS = st.sampled_from(
    [datetime(2025, 3, 9), datetime(2025, 11, 2), datetime(2025, 3, 30), datetime(2025, 10, 26)]
)
TIMES = st.one_of(
    st.builds(lambda day, t: datetime.combine(day, t), DAYS, st.times()),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
)
FORMS = st.sampled_from(["", "", " EST", " EDT", " GMT", " PDT"])
STAMPS = st.one_of(
    st.builds(lambda time, form: time.strftime("%Y-%m-%d %H:%M:%S") + form, TIMES, FORMS),
    st.sampled_from([*ODD, "2025-02-30 01:00:00"]),
)


@pytest.mark.parametrize("name", ["America/New_York", "Europe/Berlin", "America/Toronto", "UTC"])
@example(values=["2040-01-01 12:00:00", "2040-07-01 12:00:00"])
@given(values=st.lists(STAMPS, max_size=30))
def test_all_at_once_is_one_by_one(name, values):
    zone = ZoneInfo(name)
    single = [parse_stamp(value, zone) for value in values]
    expected = pd.Series(
        np.array([None if s is None else s.replace(tzinfo=None) for s in single], "datetime64[us]")
    ).dt.tz_localize("UTC")
    pd.testing.assert_series_equal(to_datetimes(values, zone, "UTC"), expected)


@pytest.mark.parametrize("tz", [None, "UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("form", ["", " GMT", " EST"])
def test_dates_that_some_zone_has_not_are_none(form, tz):
    stamps = [f"{day} {at}{form}" for day in ("0001-01-01", "9999-12-31") for at in ENDS_OF_DAY]
    read = to_datetimes([*stamps, "9998-12-31 12:00:00"], ZoneInfo("America/New_York"), tz)
    assert read.isna().tolist() == [*(True for _ in stamps), False]
    assert str(read.iloc[-1]).startswith("999")


def test_wall_clock_time_stays_the_same_in_any_year():
    stamps = ["1850-07-01 12:00:00", "2026-07-01 12:00:00", "2040-07-01 12:00:00"]
    assert to_datetimes(stamps, ZoneInfo("America/New_York"), None).astype(str).tolist() == stamps
