"""A download in a real kernel: its bar, Cancel and interrupt, and what is left in the cell."""

from __future__ import annotations

import itertools
import re
import time
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from alchemer_nb.sandbox.traffic.faults import Fault
from tests.boxes import NO_LIMITS, copied_box

from .conftest import PAGES, ROWS

if TYPE_CHECKING:
    from alchemer_nb.sandbox import Sandbox

pytestmark = pytest.mark.kernel

TITLE = "Customer satisfaction"
CLICK = {"event": "click"}
# A client of its own for each test: another would answer from what it remembers.
SETUP = """
from alchemer_nb import ApiKey, Client, Job, Region, run_sync
%load_ext alchemer_nb
region = Region.custom("{url}", name="sandbox", label="Sandbox")
client = Client(ApiKey("{token}", "{secret}"), region=region, max_in_flight={in_flight})
%alchemer switch client
for name in ("df", "rows"):
    globals().pop(name, None)
"""


# For where no bar is to be seen: every download takes longer than a bar waits.
SLOW_START = Fault(
    delay=0.6, when={"path": "surveyresponse", "page": 1, "resultsperpage": 500}, times=None
)


def setup(box: Sandbox, url: str = "", in_flight: int = 1) -> str:
    return SETUP.format(
        url=url or box.url, token=box.api_token, secret=box.api_token_secret, in_flight=in_flight
    )


_days = itertools.count(1)


def new() -> str:
    """A question that was not asked before, and that every response answers."""
    return f'responses "{TITLE}" --since 2001-01-01T00:00:{next(_days):02}'


@pytest.fixture
def signed_in(kernel, box, gate):
    done = kernel.do(setup(box, gate.url))
    assert done.status == "ok", done
    return kernel


def states(kernel, request: str) -> list[dict[str, Any]]:
    """What the widgets that a cell made were told, in order."""
    return [
        {"comm_id": m["content"]["comm_id"], **m["content"]["data"].get("state", {})}
        for m in kernel.messages
        if m["msg_type"] in ("comm_open", "comm_msg")
        and m["parent_header"].get("msg_id") == request
    ]


def shown(kernel, request: str) -> tuple[str, str]:
    """Waits for the bar; the name of its output, and the button's comm."""
    message = kernel.until(lambda m: kernel.shows_widget(m, request))
    button = next(s for s in states(kernel, request) if s.get("description") == "Cancel")
    return message["content"]["transient"]["display_id"], button["comm_id"]


def first_page(kernel, request: str) -> None:
    kernel.until(
        lambda m: (
            m["msg_type"] == "comm_msg"
            and m["parent_header"].get("msg_id") == request
            and "The first rows" in str(m["content"])
        ),
        seconds=20,
    )


def lines(kernel, request: str) -> list[str]:
    """What the bar said, in order."""
    values = [state.get("value") for state in states(kernel, request)]
    return [value for value in values if isinstance(value, str)]


def bar_values(kernel, request: str) -> list[int]:
    """How many rows the bar showed, in order."""
    values = [state.get("value") for state in states(kernel, request)]
    return [value for value in values if isinstance(value, int)]


def page(kernel, request: str, number: int) -> None:
    """Waits until the bar tells of a page."""
    until_told(kernel, request, f"of {ROWS:,} responses · page {number} of {PAGES}")


def until_told(kernel, request: str, words: str) -> None:
    """Waits until the bar says some words."""
    kernel.until(lambda _: any(words in line for line in lines(kernel, request)), seconds=20)


def left(kernel, display_id: str, seconds: float = 20) -> dict[str, Any]:
    """Waits until an output was written anew; what it shows at last."""
    message = kernel.until(
        lambda m: (
            m["msg_type"] == "update_display_data"
            and m["content"]["transient"].get("display_id") == display_id
        ),
        seconds,
    )
    data: dict[str, Any] = message["content"]["data"]
    return data


def closed(kernel, request: str) -> bool:
    """Whether all widgets that a cell opened were closed again."""
    opened = {
        m["content"]["comm_id"]
        for m in kernel.messages
        if m["msg_type"] == "comm_open" and m["parent_header"].get("msg_id") == request
    }
    gone = {m["content"]["comm_id"] for m in kernel.messages if m["msg_type"] == "comm_close"}
    return bool(opened) and opened <= gone


def is_display(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "display_data"


def begun(kernel, request: str) -> None:
    """Waits until the kernel has taken up a cell."""
    kernel.until(
        lambda m: m["msg_type"] == "execute_input" and m["parent_header"].get("msg_id") == request
    )


def shows_error(kernel, request: str) -> bool:
    """Whether a cell shows an error, which front ends colour."""
    return any(
        m["msg_type"] == "error" and m["parent_header"].get("msg_id") == request
        for m in kernel.messages
    )


@pytest.mark.timed
def test_cancel_in_the_running_cell_stops_it_and_leaves_no_dead_button(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"%alchemer df << {new()}")
    output, button = shown(signed_in, request)
    first_page(signed_in, request)
    began = time.monotonic()
    signed_in.custom(button, CLICK)
    done = signed_in.ended(request)
    assert time.monotonic() - began < 0.5 + 0.2  # two tenths for two busy cores
    assert done.status == "error"
    assert not shows_error(signed_in, request)
    for text in (done.error, done.text):
        assert "it was stopped" in text
        assert "df = %alchemer partial" in text
    assert left(signed_in, output) == {"text/plain": ""}
    assert closed(signed_in, request)
    after = signed_in.do(
        "import sys\nprint('df' in globals())\nearly = sys.last_value.partial\n"
        "df = %alchemer partial\nprint()\nprint(0 < len(df) <= 500, df is early)"
    )
    words = after.text.split()
    assert [words[0], *words[-2:]] == ["False", "True", "True"], after.text
    assert "So far 500 of 2,500" in " ".join(words)


@pytest.mark.timed
def test_an_interrupt_does_the_same(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"df = %alchemer {new()}")
    output, _ = shown(signed_in, request)
    first_page(signed_in, request)
    began = time.monotonic()
    signed_in.interrupt()
    done = signed_in.ended(request)
    assert time.monotonic() - began < 0.5 + 0.2
    assert done.status == "error"
    assert not shows_error(signed_in, request)
    assert left(signed_in, output) == {"text/plain": ""}
    assert closed(signed_in, request)
    assert signed_in.do("print('df' in globals())").text.strip() == "False"


@pytest.mark.timed
def test_an_interrupt_before_anything_has_come_stops_it_too(signed_in, gate):
    gate.close(path="")
    request = signed_in.run(f"%alchemer {new()}")
    gate.wait()
    began = time.monotonic()
    signed_in.interrupt()
    done = signed_in.ended(request)
    assert time.monotonic() - began < 0.5 + 0.2
    assert "it was stopped" in done.error


def test_a_download_to_its_end_leaves_the_receipt_where_the_bar_was(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"%alchemer df << {new()}")
    queued = signed_in.run("print(len(df))")
    output, _ = shown(signed_in, request)
    for number in range(1, PAGES):
        page(signed_in, request, number)
        # The line may say it first, as it is written when the bar is made.
        signed_in.until(lambda _, rows=500 * number: rows in bar_values(signed_in, request))
        gate.close(page=number + 2)
    done = signed_in.ended(request)
    assert done.status == "ok"
    walked = [line for line in lines(signed_in, request) if f" of {PAGES} " in line]
    assert all(" a second" in line and " left" in line for line in walked[: PAGES - 1])
    rows = bar_values(signed_in, request)
    assert rows == sorted(rows)
    receipt = left(signed_in, output)
    assert f"{TITLE} (9000001)" in receipt["text/plain"]
    assert closed(signed_in, request)
    assert int(signed_in.ended(queued).text) > 0.95 * ROWS


@pytest.mark.timed
def test_a_small_download_shows_no_bar(kernel, box):
    kernel.do(setup(box))
    kernel.do("%alchemer df << responses 9000001 --limit 400")  # remembered from here on
    done_before = len(kernel.messages)
    request = kernel.run("%alchemer df << responses 9000001 --limit 400")
    done = kernel.ended(request)
    assert "→ 400 rows" in done.text
    shown = [m["content"]["data"] for m in kernel.messages[done_before:] if is_display(m)]
    assert [sorted(data) for data in shown] == [["text/html", "text/plain"]]


def test_a_job_in_the_background_gives_its_name_between_cells(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"%alchemer df << {new()} --background")
    assert signed_in.ended(request).status == "ok"
    output, _ = shown(signed_in, request)
    assert signed_in.do("print('df' in globals())").text.strip() == "False"
    gate.open()
    receipt = left(signed_in, output)
    assert receipt["text/plain"].startswith(f"df = {TITLE} (9000001)")
    assert "<div" in receipt["text/html"]
    assert int(signed_in.do("print(len(df))").text) > 0.95 * ROWS


def test_a_cell_that_is_queued_behind_waits_for_the_name_that_it_reads(signed_in, gate):
    gate.close(page=2)
    began = signed_in.run(f"%alchemer df << {new()} --background")
    queued = [signed_in.run(cell) for cell in ("print('df' in globals())", "print('=', len(df))")]
    assert signed_in.ended(began).status == "ok"
    assert signed_in.ended(queued[0]).text.strip().endswith("False")
    begun(signed_in, queued[1])
    gate.open()
    done = signed_in.ended(queued[1])
    assert (done.status, done.error) == ("ok", "")
    assert int(done.text.split()[-1]) > 0.95 * ROWS
    # An older frame of that name is not read in its place.
    signed_in.do("df = 'old'")
    gate.close(page=2)
    began = signed_in.run(f"%alchemer df << {new()} --background")
    queued = [signed_in.run("print('=', len(df))")]
    begun(signed_in, queued[0])
    gate.open()
    assert int(signed_in.ended(queued[0]).text.split()[-1]) > 0.95 * ROWS


def test_cancel_of_a_job_in_the_background_works_between_cells(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"%alchemer df << {new()} --background")
    output, button = shown(signed_in, request)
    signed_in.ended(request)
    signed_in.custom(button, CLICK)
    told = left(signed_in, output)
    assert "t was stopped" in " ".join(told["text/plain"].split())
    assert "color" not in told["text/html"]
    assert signed_in.do("print('df' in globals())").text.strip() == "False"


def test_run_sync_waits_in_a_cell_with_its_bar_alive(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(
        "job = %alchemer responses 9000001 --background\nrows = len(run_sync(job))"
    )
    _, button = shown(signed_in, request)
    first_page(signed_in, request)
    signed_in.custom(button, CLICK)
    done = signed_in.ended(request)
    assert done.status == "error"
    assert "it was stopped" in done.error
    done = signed_in.do("job = Job.start(client, 9000001, limit=100)\nprint(len(run_sync(job)))")
    assert done.text.strip() == "100"


def test_run_sync_takes_coroutines_although_the_kernel_has_a_loop(signed_in):
    done = signed_in.do(
        """
import asyncio
async def both():
    jobs = [Job.start(client, 9000001, limit=n) for n in (10, 20)]
    return [len(frame) for frame in await asyncio.gather(*jobs)]
print(run_sync(both()))
"""
    )
    assert done.text.strip() == "[10, 20]", done
    assert signed_in.do("print(1 + 1)").text.strip() == "2"


def test_a_job_can_be_awaited_in_a_cell(signed_in):
    done = signed_in.do("job = Job.start(client, 9000001, limit=30)\nprint(len(await job))")
    assert done.text.strip() == "30", done


def test_text_where_it_is_asked_for_and_no_widgets(signed_in, gate):
    gate.close(page=2)
    request = signed_in.run(f"%alchemer df << {new()} --progress text")
    signed_in.until_printed(request, f"of {ROWS:,} responses · page 1 of {PAGES}")
    gate.open()
    done = signed_in.ended(request)
    assert done.status == "ok"
    assert not any(signed_in.shows_widget(m, request) for m in signed_in.messages)


def test_where_no_person_is_there_only_the_last_line_is_left(tmp_path):
    from nbclient import NotebookClient  # takes a second, which every worker would need
    from nbformat import from_dict

    store = f"import os\nos.environ['ALCHEMER_STORE'] = {str(tmp_path / 'store')!r}\n"
    cells = [
        f"%alchemer df << {new()}",
        f"%alchemer later << {new()} --background",
        "print(len(df), len(later))",
        f"job = %alchemer {new()} --background\nprint(job.done, len(job.result()))",
        "%alchemer sync 9000001",
    ]
    code: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
    }
    with copied_box(responses=ROWS, faults=[SLOW_START], **NO_LIMITS) as slow:
        sources = [store + setup(slow, in_flight=4), *cells]
        notebook = from_dict(  # type: ignore[no-untyped-call]  # no hints
            {
                "cells": [
                    {**code, "id": f"c{n}", "source": each} for n, each in enumerate(sources)
                ],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = [cell["outputs"] for cell in notebook.cells]
    assert "widget" not in str(outputs)
    assert [output["output_type"] for output in outputs[1]] == ["display_data"]
    data = outputs[1][0]["data"]
    assert data["text/plain"].startswith(f"{TITLE} (9000001)")
    words = re.sub("<[^>]*>", "", unescape(data["text/html"])).split()
    assert data["text/plain"].split() == words
    assert "widgets" not in notebook.metadata
    one, other = outputs[3][-1]["text"].split()[-2:]
    assert one == other
    assert outputs[4][-1]["text"].split()[-2:] == ["True", one]
    (output,) = outputs[5]
    assert output["output_type"] == "execute_result"
    assert output["data"]["text/plain"].startswith(f"{TITLE}: {ROWS:,} new; ")
