"""Stamps of all responses at once are those that are read one by one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.frame.metadata import to_datetimes
from alchemer_nb.wire.stamps import parse_stamp

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
@given(values=st.lists(STAMPS, max_size=30))
def test_all_at_once_is_one_by_one(name, values):
    zone = ZoneInfo(name)
    single = [parse_stamp(value, zone) for value in values]
    expected = pd.Series(
        np.array([None if s is None else s.replace(tzinfo=None) for s in single], "datetime64[us]")
    ).dt.tz_localize("UTC")
    pd.testing.assert_series_equal(to_datetimes(values, zone, "UTC"), expected)
