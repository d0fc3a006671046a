"""A sync in a real kernel: its bar, Cancel and interrupt, and how the next one goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.boxes import copied_box

from .conftest import PAGES, ROWS
from .test_download import CLICK, TITLE, closed, left, lines, page, shown, shows_error, until_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.sandbox import Sandbox
    from tests.gate import Gate

    from .harness import Done, Kernel

pytestmark = pytest.mark.kernel

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
if "never_stopped" not in globals():
    before, os.environ["ALCHEMER_STORE"] = os.environ["ALCHEMER_STORE"], tempfile.mkdtemp()
    never_stopped = connect(8).responses(9000001, **asked)
    os.environ["ALCHEMER_STORE"] = before
assert_frame_equal(stored, never_stopped, check_exact=True)
print(len(stored))
"""


@pytest.fixture
def setup(box: Sandbox, tmp_path) -> Callable[..., str]:
    """Gives the first cell: an empty store, and a client that remembers nothing."""

    def cell(url: str, box: Sandbox = box, in_flight: int = 1) -> str:
        return SETUP.format(
            store=str(tmp_path / "store"),
            url=url,
            token=box.api_token,
            secret=box.api_token_secret,
            in_flight=in_flight,
        )

    return cell


@pytest.fixture
def signed_in(kernel: Kernel, setup, gate: Gate) -> Kernel:
    done = kernel.do(setup(gate.url))
    assert done.status == "ok", done
    return kernel


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
    assert after.text.strip() == str(ROWS), after
    return done


@pytest.mark.timed
def test_cancel_stops_a_sync_and_the_next_one_goes_on_there(signed_in, gate):
    gate.close(page=4)
    request = signed_in.run(f'%alchemer sync "{TITLE}"')
    _, button = shown(signed_in, request)
    page(signed_in, request, 3)
    began = time.monotonic()
    signed_in.custom(button, CLICK)
    assert stopped(signed_in, request, began).error == STOPPED
    gate.open()
    assert "went on at page" in goes_on(signed_in, f'%alchemer sync "{TITLE}"').text


@pytest.mark.timed
def test_an_interrupt_does_the_same(signed_in, gate):
    gate.close(page=3)
    request = signed_in.run("synced = %alchemer sync 9000001")
    page(signed_in, request, 2)
    began = time.monotonic()
    signed_in.interrupt()
    assert stopped(signed_in, request, began).error == STOPPED
    assert signed_in.do("print('synced' in globals())").text.strip() == "False"
    gate.open()
    assert "went on at page" in goes_on(signed_in, "%alchemer sync 9000001").text


@pytest.mark.timed
def test_an_interrupt_before_anything_has_come_says_the_same(signed_in, gate):
    gate.close(path="")
    request = signed_in.run(f'%alchemer sync "{TITLE}"')
    gate.wait()
    began = time.monotonic()
    signed_in.interrupt()
    assert signed_in.ended(request).error == STOPPED
    assert time.monotonic() - began < 0.5 + 0.2
    gate.open()
    goes_on(signed_in, "%alchemer sync 9000001")


def test_an_interrupt_as_it_begins_says_the_same(signed_in, gate):
    signed_in.do(
        """
import signal
class Interrupted(Client):
    def sync(self, *args, **options):  # in the thread of the job, when the cell does not wait yet
        signal.raise_signal(signal.SIGINT)
        return super().sync(*args, **options)
client.__class__ = Interrupted
%alchemer switch client
"""
    )
    gate.close(path="")
    assert signed_in.do(f'%alchemer sync "{TITLE}"').error == STOPPED


@pytest.mark.timed
def test_cancel_of_a_frame_that_has_to_be_synced_first(signed_in, gate):
    gate.close(page=4)
    request = signed_in.run("%alchemer df << responses 9000001 --max-age 1h")
    _, button = shown(signed_in, request)
    page(signed_in, request, 3)
    began = time.monotonic()
    signed_in.custom(button, CLICK)
    assert stopped(signed_in, request, began).error == f"{STOPPED}. Run it again for the frame"
    assert signed_in.do("print('df' in globals())").text.strip() == "False"
    gate.open()
    goes_on(signed_in, "%alchemer df << responses 9000001 --max-age 1h")
    assert int(signed_in.do("print(len(df))").text) > 0.95 * ROWS


def test_the_bar_of_a_sync_that_goes_on_begins_where_it_was(signed_in, gate):
    gate.close(page=4)
    request = signed_in.run("%alchemer sync 9000001")
    page(signed_in, request, 3)
    signed_in.interrupt()
    signed_in.ended(request)
    gate.close(page=5)
    request = signed_in.run("%alchemer sync 9000001")
    output, _ = shown(signed_in, request)
    page(signed_in, request, 4)
    gate.close(order_by="-date_updated")
    until_told(signed_in, request, "looking for changes")
    gate.open()
    done = signed_in.ended(request)
    told = lines(signed_in, request)
    walked = [line for line in told if f" of {PAGES}" in line]
    assert walked
    assert not any(f"page {number} of {PAGES}" in line for line in walked for number in (1, 2))
    assert any(" a second" in line and " left" in line for line in walked)
    assert left(signed_in, output) == {"text/plain": ""}
    assert closed(signed_in, request)
    assert f"{TITLE}: {ROWS:,} new; {ROWS:,} responses (test data included) in " in done.text


@pytest.mark.timed
def test_a_sync_that_ends_at_once_shows_nothing_but_its_line(kernel, setup):
    with copied_box(responses=20) as quick:
        begin = setup(quick.url, quick, in_flight=4)
        heavy = "import filelock, pyarrow.parquet, alchemer_nb.store.sync"  # takes its time, once
        assert kernel.do(f"{begin}\n{heavy}").status == "ok"
        seen = len(kernel.messages)
        done = kernel.do("%alchemer sync 9000001")
        assert done.text.startswith(f"{TITLE}: 20 new; 20 responses (test data included) in ")
        kinds = {m["msg_type"] for m in kernel.messages[seen:]}
        assert not kinds & {"display_data", "stream", "comm_open"}


def test_text_where_no_widgets_are_wanted(signed_in, gate):
    gate.close(page=2)
    signed_in.do("%config AlchemerMagics.progress = 'text'")
    request = signed_in.run("%alchemer sync 9000001")
    signed_in.until_printed(request, f"of {ROWS:,} responses · page 1 of {PAGES}")
    gate.open()
    signed_in.ended(request)
    signed_in.do("%config AlchemerMagics.progress = 'auto'")
    assert not any(signed_in.shows_widget(m, request) for m in signed_in.messages)
