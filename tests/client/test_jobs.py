"""Downloads in the background: how far they are, their rows so far, their end."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from alchemer_nb import Job, run_sync
from alchemer_nb.client.client import Client
from alchemer_nb.errors import (
    ConditionError,
    DownloadIncomplete,
    InvalidArgument,
    Stopped,
    SurveyNotFound,
)
from alchemer_nb.fetch.progress import Progress
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TITLE, ID = "Customer satisfaction", 9000001
ROWS = 1600


@pytest.fixture(scope="module")
def slow_box() -> Iterator[Sandbox]:
    """Two tenths of a second a page, four pages: time to look at it and to stop it."""
    with copied_box(responses=ROWS, latency=0.2, **NO_LIMITS) as box:
        yield box


@pytest.fixture
def slow(slow_box: Sandbox) -> Client:
    """A client that remembers nothing yet, with one call at a time."""
    key = ApiKey(slow_box.api_token, slow_box.api_token_secret)
    return Client(key, region=slow_box.region, max_in_flight=1)


@pytest.fixture
def quick(box: Sandbox) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Waits for what another thread does and has no event for."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def after_first_page(job: Job) -> Job:
    until(lambda: job.progress is not None and job.progress.pages)
    return job


def test_a_job_gives_the_frame_that_responses_gives(quick: Client) -> None:
    job = Job.start(quick, TITLE, status="Complete", values="code")
    expected = quick.responses(ID, status="Complete", values="code", progress="none")
    pd.testing.assert_frame_equal(job.result(30), expected)
    pd.testing.assert_frame_equal(job.result(), expected)
    assert (job.done, job.exception) == (True, None)


def test_it_tells_how_far_it_is_while_it_runs_and_how_it_ended(slow: Client) -> None:
    job = Job.start(slow, ID)
    assert f"{ID}: asking for the survey" in repr(job)
    after_first_page(job)
    assert not job.done
    assert "Job running: Customer satisfaction:" in repr(job)
    assert "of 1,600 responses · page" in repr(job)
    # With the time: a saved notebook shows it for ever.
    dated = r"running at \d\d:\d\d:\d\d on \d{4}-\d\d-\d\d · Customer satisfaction"
    assert re.search(dated, job._repr_html_())
    assert re.search(dated, str(job))
    job.result(30)
    assert job.note.startswith("Customer satisfaction: 1,600 responses received")
    assert "Job done: Customer satisfaction: 1,600" in repr(job)
    assert job.progress is not None
    assert job.progress.frame is None, "it would hold all answers for as long as the job is held"


def test_rows_so_far_are_a_frame_that_later_pages_do_not_change(slow: Client) -> None:
    job = Job.start(slow, ID)
    assert job.partial() is None
    early = after_first_page(job).partial()
    assert early is not None
    assert 0 < len(early) < ROWS
    whole = job.result(30)
    again = early.alchemer.relabel(values="code")
    pd.testing.assert_index_equal(again.index, early.index)
    assert early.alchemer.facts["rows"] < whole.alchemer.facts["rows"]
    pd.testing.assert_frame_equal(early["nps"].to_frame(), whole.loc[early.index, ["nps"]])
    assert job.partial() is whole


def test_cancel_ends_it_within_half_a_second_and_leaves_what_came(slow: Client) -> None:
    job = after_first_page(Job.start(slow, ID))
    began = time.monotonic()
    job.cancel()
    with pytest.raises(DownloadIncomplete) as caught:
        job.result(5)
    assert time.monotonic() - began < 0.5
    assert job.cancelled
    assert isinstance(job.exception, DownloadIncomplete)
    partial = job.partial()
    assert partial is caught.value.partial
    assert 0 < len(partial) < ROWS
    assert "Job stopped" in repr(job)


def test_one_that_waits_for_an_answer_is_left_behind_within_half_a_second(scripted) -> None:
    released = threading.Event()

    def fetch(*_: object) -> pd.DataFrame:
        released.wait(20)
        raise SurveyNotFound("there is none")

    job = Job.of("Customer satisfaction", fetch)
    began = time.monotonic()
    with pytest.raises(DownloadIncomplete, match="it was stopped") as caught:
        job.end()
    assert time.monotonic() - began < 0.5
    released.set()
    assert caught.value.partial is None
    assert job.wait(10)


def test_who_asks_for_rows_again_and_again_does_not_hold_up_the_download() -> None:
    ready, built = threading.Event(), []

    def fetch(on_progress: Callable[[Progress], None], _: threading.Event) -> pd.DataFrame:
        assert ready.wait(10)

        def frame() -> pd.DataFrame:
            built.append(job)
            if len(built) < 50:
                asked.append(job.first(1))  # as fast as the fastest that polls
            return pd.DataFrame({"nps": [1, 2]})

        for page in (1, 2):
            on_progress(Progress(TITLE, 2, 4, page, 2, frame=frame))
        return pd.DataFrame({"nps": [1, 2, 3, 4]})

    job = Job.of(TITLE, fetch)
    asked = [job.first(1)]
    ready.set()
    assert len(job.result(10)) == 4
    assert len(built) == 2  # once for each page
    assert [one.result(10) is None for one in asked] == [False, False, True]


def test_what_is_wrong_with_the_question_is_told_by_the_result(quick: Client) -> None:
    for job, error in (
        (Job.start(quick, "no such survey"), SurveyNotFound),
        (Job.start(quick, ID, where="this is no condition"), ConditionError),
    ):
        with pytest.raises(error):
            job.result(30)
        assert isinstance(job.exception, error)
        assert job.partial() is None


def test_what_is_wrong_with_the_call_is_told_at_once(quick: Client) -> None:
    with pytest.raises(TypeError, match="colums"):
        Job.start(quick, ID, colums=["nps"])
    with pytest.raises(InvalidArgument, match=r"job\.progress"):
        Job.start(quick, ID, progress="none")


def test_a_result_that_takes_too_long_is_a_timeout_and_the_job_goes_on(slow: Client) -> None:
    job = Job.start(slow, ID)
    with pytest.raises(TimeoutError, match="not done yet"):
        job.result(0.05)
    assert len(job.result(30)) > 1200


def test_it_can_be_awaited_beside_other_work(slow: Client) -> None:
    async def both() -> tuple[int, int]:
        job = Job.start(slow, ID, limit=900)
        turns = 0
        while not job.done:
            await asyncio.sleep(0.01)
            turns += 1
        return len(await job), turns

    rows, turns = asyncio.run(both())
    assert rows == 900
    assert turns > 5


def test_who_stops_waiting_in_a_coroutine_stops_the_download(slow: Client) -> None:
    job = Job.start(slow, ID)

    async def hurry() -> None:
        await asyncio.wait_for(job, 0.3)

    with pytest.raises(TimeoutError):
        asyncio.run(hurry())
    assert job.cancelled


def test_the_error_of_a_job_that_nobody_waits_for_is_not_reported_later() -> None:
    reported: list[dict[str, Any]] = []

    def fetch(_: object, stop: threading.Event) -> None:
        stop.wait(10)
        raise Stopped

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
        job = Job.of("A survey", fetch)
        waiting = asyncio.ensure_future(job)
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it waits for the job by now
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(DownloadIncomplete):
            await job

    asyncio.run(leave())
    gc.collect()  # when asyncio reports errors that nobody took
    assert reported == []


def test_run_sync_waits_for_jobs_and_coroutines(quick: Client) -> None:
    async def fetch() -> pd.DataFrame:
        return await Job.start(quick, ID, limit=5)

    assert len(run_sync(Job.start(quick, ID, limit=5))) == 5
    assert len(run_sync(fetch())) == 5


def test_run_sync_patches_asyncio_only_where_a_loop_runs_already(quick: Client) -> None:
    async def fetch() -> int:
        await asyncio.sleep(0)
        return 5

    assert run_sync(fetch()) == 5
    if "nest_asyncio2" not in sys.modules:  # another test of this process may have had a loop
        assert not hasattr(asyncio, "_nest_patched")


INTERRUPTED = """
import asyncio, signal
from alchemer_nb import run_sync
seen = []

async def wait(ends):
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        seen.append("cancelled")
        if not ends:
            raise
        return "its own end"

def read_message():  # as a kernel does in the loop that it shares
    signal.raise_signal(signal.SIGINT)
    seen.append("read")

async def block():
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    seen.append("not reached")

async def cell():
    loop = asyncio.get_running_loop()
    for coroutine in (wait(False), wait(True), block()):
        loop.call_later(0.01, read_message if coroutine.__name__ == "wait" else int)
        try:
            seen.append(run_sync(coroutine))
        except KeyboardInterrupt:
            seen.append("interrupted")
    print(seen, signal.getsignal(signal.SIGINT) is signal.default_int_handler)

asyncio.new_event_loop().run_until_complete(cell())
"""


def test_an_interrupt_of_a_coroutine_spares_what_else_runs_in_the_loop() -> None:
    code = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(code, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == (
        "['read', 'cancelled', 'interrupted', 'read', 'cancelled', 'its own end', 'interrupted'] "
        "True\n"
    ), done.stderr
    assert done.stderr == ""


def test_a_wait_for_the_rate_limit_is_told_and_ends_within_half_a_second() -> None:
    with copied_box(responses=1600) as box:
        key = ApiKey(box.api_token, box.api_token_secret)
        client = Client(key, region=box.region, max_in_flight=1, requests_per_minute=4)
        job = after_first_page(Job.start(client, ID))
        until(lambda: "waiting for the rate limit" in repr(job))
        assert re.search(r"waiting for the rate limit, \d+ s>$", repr(job))
        began = time.monotonic()
        with pytest.raises(DownloadIncomplete):
            job.end()
        assert time.monotonic() - began < 0.5


def test_one_that_waits_before_the_first_page_ends_within_half_a_second_too() -> None:
    with Sandbox(responses=10) as box:
        key = ApiKey(box.api_token, box.api_token_secret)
        job = Job.start(Client(key, region=box.region, requests_per_minute=1), ID)
        until(lambda: box.seen)
        began = time.monotonic()
        with pytest.raises(DownloadIncomplete, match="it was stopped"):
            job.end()
        assert time.monotonic() - began < 0.5
        assert job.partial() is None
