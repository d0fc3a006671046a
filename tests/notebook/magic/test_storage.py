"""The commands of the store, through cells of a real shell."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from IPython.core.error import UsageError

from alchemer_nb import Job
from alchemer_nb.client.client import Client
from alchemer_nb.errors import DownloadIncomplete, InvalidArgument
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Fault
from alchemer_nb.store.sync_result import STOPPED
from tests.boxes import copied_box
from tests.notebook.running.test_downloading import ended, running
from tests.store.conftest import SURVEY, fresh_client, place, quiet_box, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

__all__ = ["place"]  # a fixture

TITLE, ROWS = "Customer satisfaction", 203


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A small sandbox whose data no test changes."""
    with quiet_box(responses=ROWS) as running:
        yield running


def sign_in(notebook, box):
    notebook.names["client"] = fresh_client(box)
    assert notebook.run("%alchemer switch client").failure is None
    return notebook


@pytest.fixture
def signed_in(notebook, place, box):
    return sign_in(notebook, box)


@pytest.fixture
def own_box() -> Iterator[Sandbox]:
    """A small sandbox whose data a test may change."""
    with quiet_box(responses=ROWS) as running:
        yield running


def test_diff_before_the_first_sync_says_what_to_do(signed_in):
    told = signed_in.run(f'%alchemer diff "{TITLE}"').told
    assert told.startswith(f"survey {SURVEY} is not stored on this computer")
    assert f"%alchemer sync {SURVEY}" in told
    assert "account-" not in told


def test_a_query_and_a_piece_of_a_title_need_no_quotes(signed_in):
    signed_in.names["df"] = pd.DataFrame({"a b": [1, 2], "word": ["x  y", "z"]})
    outcome = signed_in.run("""%alchemer sql select "a b" as n from df where word = 'x  y'""")
    assert outcome.value["n"].tolist() == [1]
    assert signed_in.run("%alchemer surveys customer satis").value["id"].tolist() == [
        "9000001", "9000005",
    ]  # fmt: skip
    outcome = signed_in.run("%alchemer surveys custmer")
    assert outcome.value.empty
    assert "No title has 'custmer' in it; did you mean `Customer`?" in outcome.out


def test_a_sync_in_python_reports_its_progress(signed_in, capsys):
    client, states = signed_in.names["client"], []
    result = client.sync(SURVEY, progress=states.append)
    assert result.rows > 0
    assert states
    assert states[-1].survey == TITLE
    assert capsys.readouterr().err == ""
    again = client.sync(SURVEY, progress="auto")
    assert capsys.readouterr().err == f"{again}\n"
    with pytest.raises(InvalidArgument, match="progress is 'auto', 'none' or a function"):
        client.sync(SURVEY, progress="bar")


def test_sync_diff_and_a_frame_from_the_store(notebook, place, own_box):
    signed_in = sign_in(notebook, own_box)
    outcome = signed_in.run(f'%alchemer sync "{TITLE}"')
    assert outcome.value.added == ROWS
    told = signed_in.run(f'changes = %alchemer diff "{TITLE}"').out
    assert re.match(rf"The first sync, 20[-\d]{{8}} [\d:]{{5}} UTC: {ROWS} added$", told.strip())
    own_box.touch(SURVEY, [3], data={"3": {"value": "77"}})
    own_box.add_responses(SURVEY, 2)
    synced = signed_in.run(f'%alchemer sync "{TITLE}" --verify').value
    assert synced.verified.ok
    assert "; all 205 responses are as at Alchemer, and " in str(synced)
    outcome = signed_in.run(f'changes = %alchemer diff "{TITLE}"')
    assert "2 added, 1 changed; changed most: " in " ".join(outcome.out.split())
    assert outcome.out.startswith("Between ")
    assert signed_in.names["changes"]["change"].astype(str).tolist() == [
        "changed",
        "added",
        "added",
    ]
    outcome = signed_in.run(f'df = %alchemer responses "{TITLE}" --max-age 1h')
    assert "from the local store, as of " in " ".join(outcome.out.split())
    client = signed_in.names["client"]
    same(signed_in.names["df"], client.responses(SURVEY, store=True, progress="none"))


def test_a_sync_beside_the_cells_tells_what_it_brought_between_them(signed_in):
    outcome = signed_in.run(f"%alchemer done << sync {SURVEY} --background")
    assert (outcome.failure, outcome.value) == (None, None)
    ended(signed_in)
    told = outcome.out + signed_in.run("count = done.added").out
    assert signed_in.names["count"] == ROWS
    assert f"done = {TITLE}: {ROWS} new; {ROWS} responses (test data included) in" in " ".join(
        told.split()
    )
    assert running(signed_in) == []


def test_a_sync_beside_the_cells_has_no_rows_to_give_and_takes_none_away(signed_in):
    job = signed_in.run(f"%alchemer sync {SURVEY} --background").value
    assert isinstance(job, Job)
    ended(signed_in)
    assert job.result(30).added == ROWS
    assert job.partial() is None
    signed_in.run("x = 1")
    assert "no download is under way or was stopped" in signed_in.run("%alchemer partial").told


@pytest.fixture(scope="module")
def paged_box() -> Iterator[Sandbox]:
    """A sandbox of three pages, whose data no test changes."""
    with quiet_box() as running:
        yield running


@pytest.mark.parametrize(
    "cell",
    [
        f"sync {SURVEY}",
        pytest.param(f"sync {SURVEY} --background", marks=pytest.mark.long),
        pytest.param(f"responses {SURVEY} --max-age 1h", marks=pytest.mark.long),
    ],
)
def test_a_sync_whose_key_was_refused_names_the_command_that_signs_in(
    notebook, place, paged_box, cell
):
    signed_in = sign_in(notebook, paged_box)
    refused = '{"result_ok": false, "code": 401, "message": "Login failed / Invalid auth token"}'
    third = {"path": "surveyresponse", "page": 3, "resultsperpage": 500}
    paged_box.fail_next(Fault(status=401, body=refused, when=third))
    outcome = signed_in.run(f"%alchemer {cell}")
    if "background" in cell:
        ended(signed_in)
        told = outcome.out + signed_in.run("x = 1").out
    else:
        told = outcome.told
    told = " ".join(told.split())
    assert "Sign in with the new key (%alchemer login), then run it again: it goes on" in told


def test_sql_over_surveys_and_frames_of_the_notebook(signed_in):
    pytest.importorskip("duckdb")
    signed_in.run(f"%alchemer sync {SURVEY}")
    signed_in.names["weights"] = pd.DataFrame({"status": ["Complete"], "weight": [2]})
    query = (
        "select count(*) as n, max({'w': weight}.w) as w -- $braces are SQL's here\n"
        "from customer_satisfaction join weights using (status)"
    )
    found = signed_in.run(f"%%alchemer sql\n{query}").value
    signed_in.run(f"%%alchemer sql -o kept\n{query}")
    same(signed_in.names["kept"], found)
    assert found["w"].tolist() == [2]
    count = '%alchemer sql "select count(*) as n from survey_9000001"'
    line = signed_in.run(f"{count} --test-rows include")
    assert line.value["n"].tolist() == [ROWS]
    line = signed_in.run(count)
    frame = signed_in.names["client"].responses(SURVEY, store=True, progress="none")
    assert line.value["n"].tolist() == [len(frame)]
    told = f"{ROWS - len(frame)} test rows left out"
    assert told in " ".join(line.out.split())
    failure = signed_in.run("%%alchemer sql\nselect x from nowhere").failure
    assert isinstance(failure, InvalidArgument)
    assert isinstance(signed_in.run("%alchemer sql").failure, UsageError)


def test_values_of_the_notebook_are_bound_in_sql(signed_in):
    pytest.importorskip("duckdb")
    signed_in.run(f"%alchemer sync {SURVEY}")
    frame = signed_in.names["client"].responses(SURVEY, store=True, progress="none")
    north = int((frame["region"] == "North").sum())
    some = int(frame["region"].isin(["North", "South"]).sum())
    assert 0 < north < some
    signed_in.names.update(
        {"r": "North", "rs": ["North", "South"], "evil": "x' or 'a'='a", "f": frame}
    )
    ask = "select count(*) as n from customer_satisfaction where region"
    for condition, count in {
        "= $r": north,
        "= {r}": north,
        "= {rs[0]}": north,
        "in $rs": some,
        "in {rs}": some,
        "in ($r, {rs[1]})": some,
        "= $evil": 0,
        "= {evil} -- '$nope'": 0,
    }.items():
        outcome = signed_in.run(f"%%alchemer sql\n{ask} {condition}")
        assert outcome.value["n"].tolist() == [count], condition
        if "$nope" not in condition:
            line = signed_in.run(f'%alchemer sql "{ask} {condition}"')
            assert line.value["n"].tolist() == [count], condition
    for cell in (f"%%alchemer sql\n{ask} = '{{r}}'", f"%alchemer sql \"{ask} = '{{r}}'\""):
        failure = signed_in.run(cell).failure
        assert isinstance(failure, UsageError)
        assert "write $r without quotes" in str(failure)
    query = "select region, count(*) as n from f group by region order by region"
    found = signed_in.run(f"%%alchemer sql\n{query}").value
    wanted = frame["region"].value_counts(sort=False)
    assert dict(zip(found["region"].dropna().astype(str), found["n"], strict=False)) == dict(wanted)
    assert found["region"].dtype == frame["region"].dtype


def test_sql_has_the_zone_and_the_files_that_were_asked_for(signed_in, tmp_path):
    pytest.importorskip("duckdb")
    signed_in.run(f"%alchemer sync {SURVEY}")
    query = "select date_submitted as d from customer_satisfaction order by response_id limit 1"
    wanted = signed_in.names["client"].responses(SURVEY, store=True, tz=None, progress="none")
    found = signed_in.run(f"%%alchemer sql --tz none\n{query}").value
    assert found["d"].tolist() == [wanted["date_submitted"].iloc[0]]
    found = signed_in.run(f"%%alchemer sql --tz Europe/Berlin\n{query}").value
    assert str(found["d"].dt.tz) == "Europe/Berlin"
    (tmp_path / "in.csv").write_text("a\n1\n")
    signed_in.names["place"] = str(tmp_path / "in.csv")
    query = "select a from read_csv($place)"
    failure = signed_in.run(f"%%alchemer sql\n{query}").failure
    assert "--files" in str(failure)
    assert signed_in.run(f"%%alchemer sql --files\n{query}").value["a"].tolist() == [1]
    help_text = " ".join(signed_in.run("%alchemer help sql").out.split())
    assert "--files let the query read and write any file" in help_text


def test_sql_has_the_day_first_by_an_option_or_for_the_whole_notebook(signed_in):
    pytest.importorskip("duckdb")
    signed_in.run(f"%alchemer sync {SURVEY}")
    query = "select last_visit as d from customer_satisfaction order by response_id"

    def days(options=""):
        return signed_in.run(f"%%alchemer sql{options}\n{query}").value["d"].tolist()

    client = signed_in.names["client"]
    wanted = {
        first: client.responses(SURVEY, store=True, progress="none", day_first=first)["last_visit"]
        for first in (False, True)
    }
    assert not wanted[True].equals(wanted[False])
    assert days() == wanted[False].tolist()
    assert days(" --day-first") == wanted[True].tolist()
    signed_in.run("%config AlchemerMagics.day_first = True")
    assert days() == wanted[True].tolist()


def test_stores_tells_the_place(signed_in, place):
    assert signed_in.run("%alchemer stores").value.empty
    synced = signed_in.run(f"%alchemer sync {SURVEY}").value
    outcome = signed_in.run("%alchemer stores")
    (row,) = outcome.value.to_dict("records")
    assert f"In {Path(row['place']).parent}" in " ".join(outcome.out.split())
    assert (row["id"], row["title"], row["rows"]) == (SURVEY, TITLE, ROWS)
    assert row["place"] == str(synced.place)
    assert row["place"].startswith(str(place))


def test_expunge_says_what_it_did(signed_in):
    signed_in.run(f"%alchemer sync {SURVEY}")
    outcome = signed_in.run(f"%alchemer expunge {SURVEY} --responses 3,5")
    assert "Removed 2 responses" in outcome.out
    assert outcome.value["response_id"].tolist() == [3, 5]
    assert isinstance(signed_in.run(f"%alchemer expunge {SURVEY}").failure, UsageError)
    assert isinstance(
        signed_in.run(f"%alchemer expunge {SURVEY} --responses x").failure, UsageError
    )


def test_a_wait_of_a_sync_for_the_rate_limit_is_told_and_ends_within_half_a_second(place):
    with copied_box(responses=1600) as box:
        key = ApiKey(box.api_token, box.api_token_secret)
        client = Client(key, region=box.region, max_in_flight=1, requests_per_minute=5)
        job = Job.sync(client, SURVEY)
        deadline = time.monotonic() + 20
        while "waiting for the rate limit, " not in job.line:
            assert time.monotonic() < deadline, job.line
            threading.Event().wait(0.02)
        assert job.line.startswith(TITLE)
        began = time.monotonic()
        with pytest.raises(DownloadIncomplete) as caught:
            job.end()
        assert time.monotonic() - began < 0.5
        assert str(caught.value) == STOPPED
