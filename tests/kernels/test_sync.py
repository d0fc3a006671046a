"""A sync in a real kernel: its bar, Cancel and interrupt, and how the next one goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from alchemer_nb.sandbox import Sandbox

from .test_download import CLICK, closed, left, shown, shows_error, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .harness import Done, Kernel

pytestmark = pytest.mark.kernel

TITLE, ROWS = "Customer satisfaction", 4000
STOPPED = "the sync was stopped; what came is kept, and the next one goes on there"
SETUP = """
import os
os.environ["ALCHEMER_STORE"] = {store!r}
from alchemer_nb import ApiKey, Client, Region
%load_ext alchemer_nb
region = Region.custom("{url}", name="sandbox", label="Sandbox")
def connect(in_flight):
    return Client(ApiKey("{token}", "{secret}"), region=region, max_in_flight=in_flight)
client = connect({in_flight})
%alchemer switch client
globals().pop("df", None)
"""
SAME = """
import tempfile
from pandas.testing import assert_frame_equal
asked = dict(store=True, test_rows="include", metadata="all", progress="none")
stored = connect(4).responses(9000001, **asked)
before, os.environ["ALCHEMER_STORE"] = os.environ["ALCHEMER_STORE"], tempfile.mkdtemp()
assert_frame_equal(stored, connect(8).responses(9000001, **asked), check_exact=True)
os.environ["ALCHEMER_STORE"] = before
print(len(stored))
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """Eight pages of four tenths of a second."""
    with Sandbox(
        responses=ROWS, latency=0.4, calls_per_minute=None, cache_seconds=0, refuse_identical=False
    ) as started:
        yield started


@pytest.fixture
def setup(box: Sandbox, tmp_path) -> Callable[..., str]:
    """Gives the first cell: an empty store, and a client that remembers nothing."""

    def cell(box: Sandbox = box, in_flight: int = 1) -> str:
        return SETUP.format(
            store=str(tmp_path / "store"),
            url=box.url,
            token=box.api_token,
            secret=box.api_token_secret,
            in_flight=in_flight,
        )

    return cell


@pytest.fixture
def signed_in(kernel: Kernel, setup) -> Kernel:
    done = kernel.do(setup())
    assert done.status == "ok", done
    return kernel


def lines(kernel: Kernel, request: str) -> list[str]:
    """What the bar said, in order."""
    values = [state.get("value") for state in states(kernel, request)]
    return [value for value in values if isinstance(value, str)]


def page(kernel: Kernel, request: str, number: int) -> None:
    """Waits until the bar tells of a page."""
    told = f"of 4,000 responses · page {number} of 8"
    kernel.until(lambda _: any(told in line for line in lines(kernel, request)), seconds=20)


def stopped(kernel: Kernel, request: str, began: float) -> Done:
    """Waits for the end of a cell that was stopped, and sees that nothing dead is left."""
    output, _ = shown(kernel, request)
    done = kernel.ended(request)
    assert time.monotonic() - began < 0.5 + 0.2  # two tenths for two busy cores
    assert done.status == "error"
    assert not shows_error(kernel, request)
    assert left(kernel, output) == {"text/plain": ""}
    assert closed(kernel, request)
    return done


def goes_on(kernel: Kernel, command: str) -> Done:
    """Runs a sync once more, and compares with one that was never stopped."""
    done = kernel.do(command)
    assert done.status == "ok", done
    after = kernel.do(SAME)
    assert after.text.strip() == "4000", after
    return done


@pytest.mark.timed
def test_cancel_stops_a_sync_and_the_next_one_goes_on_there(signed_in):
    request = signed_in.run(f'%alchemer sync "{TITLE}"')
    _, button = shown(signed_in, request)
    page(signed_in, request, 3)
    began = time.monotonic()
    signed_in.custom(button, CLICK)
    assert stopped(signed_in, request, began).error == STOPPED
    assert "went on at page" in goes_on(signed_in, f'%alchemer sync "{TITLE}"').text


@pytest.mark.timed
def test_an_interrupt_does_the_same(signed_in):
    request = signed_in.run("synced = %alchemer sync 9000001")
    page(signed_in, request, 2)
    began = time.monotonic()
    signed_in.interrupt()
    assert stopped(signed_in, request, began).error == STOPPED
    assert signed_in.do("print('synced' in globals())").text.strip() == "False"
    assert "went on at page" in goes_on(signed_in, "%alchemer sync 9000001").text


@pytest.mark.timed
def test_an_interrupt_before_anything_has_come_says_the_same(signed_in, box):
    before = len(box.seen)
    request = signed_in.run(f'%alchemer sync "{TITLE}"')
    while len(box.seen) == before:
        time.sleep(0.02)
    began = time.monotonic()
    signed_in.interrupt()
    assert signed_in.ended(request).error == STOPPED
    assert time.monotonic() - began < 0.5 + 0.2
    goes_on(signed_in, "%alchemer sync 9000001")


@pytest.mark.timed
def test_cancel_of_a_frame_that_has_to_be_synced_first(signed_in):
    request = signed_in.run("%alchemer df << responses 9000001 --max-age 1h")
    _, button = shown(signed_in, request)
    page(signed_in, request, 3)
    began = time.monotonic()
    signed_in.custom(button, CLICK)
    assert stopped(signed_in, request, began).error == f"{STOPPED}. Run it again for the frame"
    assert signed_in.do("print('df' in globals())").text.strip() == "False"
    goes_on(signed_in, "%alchemer df << responses 9000001 --max-age 1h")
    assert int(signed_in.do("print(len(df))").text) > 3800


@pytest.mark.timed
def test_the_bar_of_a_sync_that_goes_on_begins_where_it_was(signed_in):
    request = signed_in.run("%alchemer sync 9000001")
    page(signed_in, request, 5)
    signed_in.interrupt()
    signed_in.ended(request)
    request = signed_in.run("%alchemer sync 9000001")
    output, _ = shown(signed_in, request)
    done = signed_in.ended(request)
    told = lines(signed_in, request)
    walked = [line for line in told if " of 8" in line]
    assert walked
    assert not any(f"page {number} of 8" in line for line in walked for number in (1, 2, 3))
    assert any(" a second" in line and " left" in line for line in walked)
    assert any("looking for changes" in line for line in told)
    assert left(signed_in, output) == {"text/plain": ""}
    assert closed(signed_in, request)
    assert f"{TITLE}: 4,000 new; 4,000 responses (test data included) in " in done.text


def test_a_sync_that_ends_at_once_shows_nothing_but_its_line(kernel, setup):
    with Sandbox(responses=20) as quick:
        begin = setup(box=quick, in_flight=4)
        heavy = "import filelock, pyarrow.parquet, alchemer_nb.store.sync"  # takes its time, once
        assert kernel.do(f"{begin}\n{heavy}").status == "ok"
        seen = len(kernel.messages)
        done = kernel.do("%alchemer sync 9000001")
        assert done.text.startswith(f"{TITLE}: 20 new; 20 responses (test data included) in ")
        kinds = {m["msg_type"] for m in kernel.messages[seen:]}
        assert not kinds & {"display_data", "stream", "comm_open"}


def test_text_where_no_widgets_are_wanted(signed_in):
    signed_in.do("%config AlchemerMagics.progress = 'text'")
    request = signed_in.run("%alchemer sync 9000001")
    done = signed_in.ended(request)
    signed_in.do("%config AlchemerMagics.progress = 'auto'")
    assert "of 4,000 responses · page" in done.text
    assert not any(signed_in.shows_widget(m, request) for m in signed_in.messages)


def test_where_no_person_is_there_only_the_last_line_is_left(setup):
    from nbclient import NotebookClient  # takes a second, which every worker would need
    from nbformat import from_dict

    cells = [setup(in_flight=4), "%alchemer sync 9000001"]
    code: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
    }
    notebook = from_dict(  # type: ignore[no-untyped-call]  # no hints
        {
            "cells": [{**code, "id": f"c{n}", "source": cell} for n, cell in enumerate(cells)],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[1]["outputs"]
    assert output["output_type"] == "execute_result"
    assert output["data"]["text/plain"].startswith(f"{TITLE}: 4,000 new; ")
