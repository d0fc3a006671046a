"""A download that the user stopped: a calm line, and a cell that fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.errors import DownloadIncomplete
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Fault
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

STOP = """
from alchemer_nb import Job, run_sync
job = Job.start(given, 9000001)
job.cancel()
df = run_sync(job)
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=600, **NO_LIMITS) as box:
        yield box


@pytest.fixture
def signed_in(notebook, box):
    box.calm()
    key = ApiKey(box.api_token, box.api_token_secret)
    notebook.names["given"] = Client(key, region=box.region, max_in_flight=1, retries=1)
    assert notebook.run("%alchemer switch given").failure is None
    return notebook


def test_it_is_a_line_and_the_cell_fails(signed_in):
    outcome = signed_in.run(STOP)
    assert isinstance(outcome.failure, DownloadIncomplete)
    assert outcome.failure.stopped
    assert "df" not in signed_in.names
    shown = outcome.out + outcome.err
    assert "stopped" in shown
    assert "DownloadIncomplete" not in shown
    assert "\x1b[" not in shown
    assert sys.last_value is outcome.failure


def test_one_that_was_cut_off_is_an_error(signed_in, box):
    box.fail_next(Fault(status=502, when={"path": "surveyresponse", "page": 2}, times=None))
    outcome = signed_in.run("%alchemer df << responses 9000001")
    assert isinstance(outcome.failure, DownloadIncomplete)
    assert not outcome.failure.stopped
    assert "DownloadIncomplete" in outcome.out + outcome.err


def test_the_whole_traceback_on_request(signed_in):
    signed_in.run("%config AlchemerMagics.short_errors = False")
    outcome = signed_in.run(STOP.replace("df = ", "job.exception; job.exception\ndf = "))
    assert outcome.failure is not None
    outcome.failure.short = False
    signed_in.names["error"] = outcome.failure
    again = signed_in.run("raise error")
    assert "Traceback" in again.out + again.err


def test_a_handler_of_somebody_else_stays(bare):
    shell = bare.shell
    shell.set_custom_exc((ZeroDivisionError,), lambda *_, **__: ["theirs"])
    assert bare.run("%load_ext alchemer_nb").failure is None
    assert shell.custom_exceptions == (ZeroDivisionError,)
    bare.run("%unload_ext alchemer_nb")
    assert shell.custom_exceptions == (ZeroDivisionError,)


def test_unloading_removes_the_handler(notebook):
    assert notebook.shell.custom_exceptions == (DownloadIncomplete,)
    notebook.run("%unload_ext alchemer_nb")
    assert notebook.shell.custom_exceptions == ()


def test_a_job_is_shown_with_how_it_ended(signed_in):
    signed_in.run("from alchemer_nb import Job\njob = Job.start(given, 9000001, limit=3)")
    signed_in.names["job"].wait(30)
    assert "Job done · Customer satisfaction" in signed_in.run("job").out
