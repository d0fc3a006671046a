"""Lists of the API as frames: their dates."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd

import alchemer_nb as al
from alchemer_nb.frame.api_tables import build_table

NEW_YORK = ZoneInfo("America/New_York")


def test_dates_are_in_utc_and_all_else_stays_as_received():
    rows = [
        {"date_created": "2026-01-02 03:04:05", "link_open_date": "2026-01-02", "last_login": None,
         "inner": {"modified_on": "2026-07-01 00:00:00 EDT"}, "birthday_date": "2026-01-02 03:04"},
        {"date_created": None, "link_open_date": "2026-01-02 03:04:05", "last_login": None,
         "inner": {"modified_on": ""}, "birthday_date": ""},
    ]  # fmt: skip
    table = build_table(rows, NEW_YORK)
    assert table["date_created"][0] == pd.Timestamp("2026-01-02 08:04:05", tz="UTC")
    assert table["inner_modified_on"][0] == pd.Timestamp("2026-07-01 04:00", tz="UTC")
    assert table[["date_created", "inner_modified_on", "last_login"]].isna().sum().tolist() == [
        1, 1, 2,
    ]  # fmt: skip
    assert isinstance(table.dtypes["last_login"], pd.DatetimeTZDtype)  # whatever its rows hold
    # A day has no zone to convert, and so its column stays text; as does what no list documents.
    assert table["link_open_date"].tolist() == ["2026-01-02", "2026-01-02 03:04:05"]
    assert table["birthday_date"][0] == "2026-01-02 03:04"


def test_campaigns_and_the_account_have_the_same_clock_as_surveys(box):
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    surveys, campaigns = client.surveys(), client.table("survey/9000001/surveycampaign")
    kinds = {
        surveys["created_on"].dtype,
        campaigns["date_created"].dtype,
        campaigns["date_modified"].dtype,
        client.account()["date_created"].dtype,
    }
    assert {str(kind.tz) for kind in kinds} == {"UTC"}
    stamp = client.request("GET", "account")["data"]["date_created"]
    here = pd.Timestamp(stamp).tz_localize(str(box.region.zone))
    assert client.account()["date_created"][0] == here
