"""``responses`` beside the cells, stopped, or only estimated, in a shell without a front end."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.client.jobs import Job
from alchemer_nb.errors import ConditionError, DownloadIncomplete
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Fault
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alchemer_nb.notebook.running.background import _BackgroundJob
    from alchemer_nb.sandbox import Sandbox

ID, TITLE, ROWS = 9000001, "Customer satisfaction", 1200


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=ROWS, **NO_LIMITS) as box:
        yield box


@pytest.fixture
def signed_in(notebook, box):
    """A notebook with a client that remembers nothing yet."""
    key = ApiKey(box.api_token, box.api_token_secret)
    notebook.names["given"] = Client(key, region=box.region, max_in_flight=1)
    assert notebook.run("%alchemer switch given").failure is None
    return notebook


def running(notebook) -> list[_BackgroundJob]:
    return notebook.magics.downloads._running


def ended(notebook) -> None:
    for one in running(notebook):
        one.job.wait(30)


@pytest.fixture(autouse=True)
def calm(box: Sandbox) -> Iterator[None]:
    yield
    box.calm()


def held(box: Sandbox, seconds: float = 1.0) -> None:
    """The second page of responses takes so long."""
    box.fail_next(Fault(delay=seconds, when={"path": "surveyresponse", "page": 2}))


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_dry_run_tells_what_it_would_take_and_leaves_the_name_alone(signed_in, box):
    signed_in.names["df"] = "kept"
    before = len(box.seen)
    outcome = signed_in.run(f'%alchemer df << responses "{TITLE}" --dry-run --tz none')
    assert (outcome.failure, outcome.value) == (None, None)
    told = " ".join(outcome.out.split())
    assert re.match(rf"{TITLE}: 1,200 responses in 3 pages, 6 calls, (about )?\d", told)
    assert re.search(r" \((a guess|by the pace of)", told)
    assert "Nothing was downloaded" in told
    assert signed_in.names["df"] == "kept"
    asked = [call for call in box.seen[before:] if "surveyresponse" in call.path]
    assert len(asked) == 1


def test_a_dry_run_repeats_the_notes_on_conditions(signed_in):
    cell = f"%%alchemer responses {ID} --dry-run\nsatisfaction >= Satisfied"
    told = " ".join(signed_in.run(cell).out.split())
    assert "satisfaction >=: 2 of 6 options; " in told
    assert told.endswith("Nothing was downloaded (--dry-run).")


@pytest.mark.parametrize(
    ("option", "note"),
    [
        ("", "; test rows among them, if there are any, are left out of the frame."),
        ("--test-rows include", ""),
        ("--where 'is_test_data = yes'", ""),
        ("--test-rows only", "; only the test rows among them come into the frame."),
    ],
)
def test_a_dry_run_says_what_becomes_of_test_rows(signed_in, option, note):
    told = " ".join(signed_in.run(f"%alchemer responses {ID} --dry-run {option}").out.split())
    assert note in told
    assert ("test rows among them" in told) == bool(note)


def test_a_dry_run_counts_what_the_conditions_leave(signed_in):
    cell = f"%%alchemer responses {ID} --dry-run\nstatus = Disqualified"
    told = signed_in.run(cell).out
    assert " in 1 page, " in " ".join(told.split())
    assert "1,200" not in told


def test_the_name_of_a_download_in_the_background_is_there_in_the_next_cell(signed_in):
    outcome = signed_in.run(f'%alchemer df << responses "{TITLE}" --background --complete')
    assert (outcome.failure, outcome.value) == (None, None)
    assert "`df` is there when it has come" in " ".join(outcome.out.split())
    ended(signed_in)
    later = signed_in.run("rows = len(df)")
    assert later.failure is None
    told = f"df = {TITLE} ({ID}): status is Complete → {signed_in.names['rows']:,} rows"
    assert told in " ".join(later.out.split())
    assert running(signed_in) == []


def test_a_cell_waits_for_the_name_that_it_reads_and_others_do_not(signed_in, box):
    held(box, 0.5)
    signed_in.run(f"%alchemer df << responses {ID} --background")
    for cell in ("x = 1", "df2 = 'df'", "f'df'", "%alchemer early << partial df"):
        signed_in.run(cell)
        assert "df" not in signed_in.names, cell
    outcome = signed_in.run("def count():\n    return len(df)\nrows = count()")
    assert outcome.failure is None
    assert signed_in.names["rows"] == len(signed_in.names["df"]) > 1000


def test_a_cell_that_reads_the_name_of_a_download_that_fails_fails(signed_in):
    begun = signed_in.run(f"%alchemer df << responses {ID} --background --where 'no condition'")
    outcome = signed_in.run("len(df)")
    assert isinstance(outcome.failure, NameError)
    assert ConditionError.__name__ in begun.out + outcome.out


def test_without_a_name_the_job_is_the_value(signed_in):
    outcome = signed_in.run(f"job = %alchemer responses {ID} --background --limit 7")
    assert outcome.failure is None
    job = signed_in.names["job"]
    assert isinstance(job, Job)
    assert len(job.result(30)) == 7


def test_a_name_that_got_another_value_meanwhile_is_left_alone(signed_in, box):
    held(box, 0.5)
    signed_in.names["df"] = "before"
    signed_in.run(f"%alchemer df << responses {ID} --background")
    signed_in.run("df = 'mine'")
    ended(signed_in)
    told = " ".join(signed_in.run("x = 1").out.split())
    assert signed_in.names["df"] == "mine"
    assert "`df` was reassigned in the meantime and was not overwritten" in told
    assert signed_in.run("other = %alchemer partial").failure is None
    assert len(signed_in.names["other"]) > 1000


def test_a_cell_that_is_run_again_replaces_its_download(signed_in, box):
    held(box, 0.5)
    signed_in.run(f"%alchemer df << responses {ID} --background")
    first = running(signed_in)[0].job
    again = signed_in.run(f"%alchemer df << responses {ID} --background --limit 3")
    assert "Called off: `df` is being downloaded anew." in again.out
    assert first.cancelled
    ended(signed_in)
    assert signed_in.run("rows = len(df)").failure is None
    assert signed_in.names["rows"] == 3


def test_what_goes_wrong_in_the_background_is_told_between_cells(signed_in):
    cell = f"%alchemer df << responses {ID} --background --where 'no condition'"
    outcomes = [signed_in.run(cell)]
    ended(signed_in)
    outcomes.append(signed_in.run("x = 1"))
    assert [each.failure for each in outcomes] == [None, None]
    assert ConditionError.__name__ in outcomes[0].out + outcomes[1].out
    assert "df" not in signed_in.names


def test_rows_so_far_of_one_that_runs(signed_in, box):
    held(box, 1.0)
    signed_in.run(f"%alchemer df << responses {ID} --background")
    job = running(signed_in)[0].job
    until(lambda: job.progress and job.progress.pages)
    for cell in ("early = %alchemer partial", "%alchemer early << partial df"):
        outcome = signed_in.run(cell)
        assert outcome.failure is None
        rows = len(signed_in.names["early"])
        assert 0 < rows <= 500
        told = " ".join(outcome.out.split())
        assert re.match(
            rf"So far \d+ of 1,200 responses came\. {TITLE} \({ID}\) → {rows} rows", told
        )
    assert "called `other`" in signed_in.run("%alchemer partial other").told
    ended(signed_in)


def test_rows_so_far_of_one_that_broke_off(signed_in, box):
    box.fail_next(Fault(status=502, when={"path": "surveyresponse", "page": 2}, times=None))
    given = signed_in.names["given"]
    signed_in.names["hasty"] = Client(given.credentials, region=given.region, retries=1)
    signed_in.run("%alchemer switch hasty")
    signed_in.names["df"] = "kept"
    outcome = signed_in.run(f"%alchemer df << responses {ID}")
    assert isinstance(outcome.failure, DownloadIncomplete)
    assert "take the rows so far: df = %alchemer partial" in outcome.told
    assert signed_in.names["df"] == "kept"
    outcome = signed_in.run("df = %alchemer partial")
    assert outcome.failure is None
    rows = len(signed_in.names["df"])
    assert rows > 400
    assert f"→ {rows} rows" in " ".join(outcome.out.split())
    assert "fewer than Alchemer announced" in " ".join(outcome.out.split())
    signed_in.run("%config AlchemerMagics.echo = False")
    assert signed_in.run("df = %alchemer partial").out == ""


def test_partial_with_nothing_says_so(signed_in):
    assert "no download is under way or was stopped" in signed_in.run("%alchemer partial").told


def test_fresh_takes_nothing_from_memory_and_says_what_it_waits_for(signed_in):
    signed_in.run(f"%alchemer df << responses {ID}")
    signed_in.run(f"%alchemer again << responses {ID} --background --limit 3")
    ended(signed_in)
    assert len(signed_in.run("again").value) == 3
    signed_in.run(f"%alchemer fresh << responses {ID} --background --fresh")
    job = running(signed_in)[0].job
    assert not job.wait(1.0), "the same call is answered anew after a minute only"
    job.cancel()


def test_unloading_calls_downloads_off(signed_in, box):
    held(box, 1.0)
    signed_in.run(f"%alchemer df << responses {ID} --background")
    job = running(signed_in)[0].job
    signed_in.run("%unload_ext alchemer_nb")
    assert job.cancelled
    assert not signed_in.shell.events.callbacks["pre_run_cell"]


def test_the_client_of_the_connection_is_there_for_python(signed_in):
    assert signed_in.run("client = %alchemer client").failure is None
    assert signed_in.names["client"] is signed_in.names["given"]
    assert signed_in.run("%alchemer mine << client").failure is None
    assert signed_in.names["mine"] is signed_in.names["given"]
