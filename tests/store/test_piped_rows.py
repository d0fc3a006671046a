"""Rows that are piped from earlier answers, in a store: the same columns as in a download."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from alchemer_nb.fetch.raw_pages import split_page
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.demo import piped
from alchemer_nb.store import manifest, parts
from alchemer_nb.store.manifest import SyncRecord
from tests.boxes import NO_LIMITS
from tests.store.conftest import ALL, fresh_client, same

SURVEY = str(piped.NUMBER)


@pytest.fixture
def stored(place):
    """A client whose store has two parts, of which the second has a row of its own."""
    with Sandbox(surveys=[piped.build(4, 40)], form="current", **NO_LIMITS) as box:
        client = fresh_client(box)
        synced = client.sync(SURVEY)
        rows = client.request("GET", f"survey/{SURVEY}/surveyresponse", {"resultsperpage": 1})
        (row,) = rows["data"]
        head = {"id": 10001, "type": "RADIO", "parent": 2, "section_id": 2, "shown": True}
        good = {"answer": "3", "answer_id": 10005}
        data = {
            "10001": {**head, "question": "Only Here", **good},
            "10002": {**head, "question": "Larkmoor", **good},
        }
        changed = {**row, "survey_data": data}
        found = manifest.read_manifest(synced.place)
        number = found.sync + 1
        page = split_page(json.dumps({"data": [{**changed, "id": "5000"}, changed]}).encode())
        parts.write_parts(found, page.rows, number)
        found.syncs.append(
            SyncRecord(number=number, utc=found.utc, added=1, changed=1, removed=0, rows=41)
        )
        found.save()
        yield client, row


def test_scan_and_sql_have_a_column_for_each_row(stored):
    client, row = stored
    own = int(row["id"])
    frame = client.responses(SURVEY, store=True, **ALL)
    assert frame.index[frame["opinion_only_here"] == "Good"].tolist() == sorted([own, 5000])
    scanned = client.scan(SURVEY, "pandas", test_rows="include").sort_index()
    names = [n for n in frame if n.startswith(("opinion_", "q3_", "buy_again_"))]
    assert len(names) > 20
    for name in names:
        one, other = (each[name].astype(object) for each in (frame, scanned))
        assert [None if pd.isna(v) else v for v in one] == [
            None if pd.isna(v) else v for v in other
        ]
    pytest.importorskip("duckdb")
    query = "SELECT count(*) AS n FROM survey_9000007 WHERE opinion_larkmoor = 'Good'"
    assert (
        client.sql(query, test_rows="include")["n"].iloc[0]
        == (frame["opinion_larkmoor"] == "Good").sum()
    )


def test_diff_names_the_row_that_changed(stored):
    client, row = stored
    changes = client.changes(SURVEY)
    assert changes.loc[5000, "change"] == "added"
    assert "opinion_only_here" in changes.loc[int(row["id"]), "columns"]
    assert "opinion_north_ridge" not in changes.loc[int(row["id"]), "columns"]


def test_the_store_gives_what_a_download_gives(place):
    with Sandbox(surveys=[piped.build(4, 40)], form="2017", **NO_LIMITS) as box:
        client = fresh_client(box)
        client.sync(SURVEY)
        for how in (ALL, {"shape": "long", "names": "id"}, {"values": "code", "multi": "list"}):
            asked = {**how, "progress": "none"}
            same(
                client.responses(SURVEY, store=True, **asked),
                fresh_client(box).responses(SURVEY, **asked),
            )
