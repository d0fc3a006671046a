"""Interrupts at any moment of a waiting cell: no cell, no reply and no widget message is lost."""

from __future__ import annotations

import json
import queue
import random
import re
import time
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.sandbox import Sandbox

from .test_download import closed, setup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .harness import Done, Kernel

pytestmark = pytest.mark.kernel

SEED = 20
SECONDS = 0.7  # a download of the sandbox below takes a little less
CLICK = {"event": "click"}
SETUP = """
import itertools, signal, sys, threading, time, ipywidgets
from alchemer_nb.notebook.kernel.pump import find_pump
order, changes = [], []
clicked = threading.Event()
button, number = ipywidgets.Button(), ipywidgets.IntText()
button.on_click(lambda _: clicked.set())
number.observe(lambda change: changes.append(change["new"]), "value")
def wait_and_interrupt(step):
    # SIGINT arrives before the given bytecode of the pump and of what holds interrupts for it.
    left = itertools.count(step, -1)
    def trace(frame, event, _):
        if not frame.f_code.co_filename.endswith(("kernel/pump.py", "alchemer_nb/interrupts.py")):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(left) == 0:
            signal.raise_signal(signal.SIGINT)
        return trace
    time.sleep(0.02)  # for messages behind this cell to arrive
    sys.settrace(trace)
    try:
        with find_pump(get_ipython()) as pump:
            pump.wait(clicked.is_set, 10)
    finally:
        sys.settrace(None)
        print(step - next(left))  # how many bytecodes there were
print(button.model_id, number.model_id)
"""
JOBS = """
import asyncio
def start(): return Job.start(client, 9000001)
async def both(): return [len(frame) for frame in await asyncio.gather(start(), start())]
"""
SIGN_IN = """
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.login import login
login(Session(), region=region, wait=10)
"""
CELLS = {
    "bar": ("%alchemer df << responses 9000001",),
    "text": ("%alchemer df << responses 9000001 --progress text",),
    "job": ("run_sync(start())",),
    "coroutine": ("run_sync(both())",),
    "background": ("%alchemer df << responses 9000001 --background", "len(df)"),
    "sign-in": (SIGN_IN,),
}


class Page:
    """A page that runs cells and changes a widget, and looks for what each of them brought back."""

    def __init__(self, kernel: Kernel) -> None:
        done = kernel.do(SETUP)
        assert done.status == "ok", done
        self._kernel = kernel
        self._button, self._number = done.text.split()
        self._numbers = iter(range(1, 10**9))
        self._forget()

    def _forget(self) -> None:
        self._cells: dict[str, int] = {}
        self._asked: list[str] = []
        self._messages: list[str] = []
        self._values: list[int] = []
        self._caught = self._kernel.interrupts_caught()
        self._kernel.messages.clear()

    def cell(self) -> None:
        number = next(self._numbers)
        code = f"order.append({number})\nfor line in range(5): print({number}, line)"
        self._cells[self._kernel.run(code)] = number

    def change(self) -> None:
        self._values.append(next(self._numbers))
        self._messages.append(self._kernel.set_state(self._number, value=self._values[-1]))

    def ask(self) -> None:
        """Asks for what a page asks for besides cells."""
        self._asked.append(self._kernel.client.kernel_info())

    def click(self) -> None:
        self._messages.append(self._kernel.custom(self._button, CLICK))

    def ended(self, request: str) -> Done | None:
        """Waits for the end of a cell; None if ipykernel says that it was interrupted itself."""
        try:
            return self._kernel.ended(request, 12)
        except queue.Empty:
            self._caught += 1
            assert self._caught <= self._kernel.interrupts_caught(), "a cell got no reply"
            return None

    def settle(self) -> list[str]:
        """Waits for the end of all that was sent; the states of the cells, in order."""
        ends = {number: self.ended(request) for request, number in self._cells.items()}
        for request in self._asked:
            self._kernel.handled(request)
            self.ended(request)
        for message in self._messages:
            self._kernel.handled(message)
        for number, done in ends.items():
            lines = "".join(f"{number} {line}\n" for line in range(5))
            # The receipt of a job in the background may be there, too.
            assert done is None or done.status != "ok" or lines in done.text, done
            assert done is None or done.status != "aborted" or lines[:4] not in done.text, done
        after = self._kernel.do("print([order, changes]); order.clear(); changes.clear()")
        ran, changes = json.loads(re.search(r"\[\[.*\]\]", after.text)[0])
        assert ran == sorted(ran)
        assert {n for n, done in ends.items() if done and done.status == "ok"} <= {*ran}
        # ipykernel 7 itself may have read one, just before a cell began, that waits for its end.
        assert sorted(changes) == self._values
        self._forget()
        return [done.status if done else "" for done in ends.values()]


@pytest.fixture
def page(kernel: Kernel) -> Page:
    return Page(kernel)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(
        responses=4000, latency=0.05, calls_per_minute=None, cache_seconds=0, refuse_identical=False
    ) as started:
        yield started


def interrupt_at(kernel: Kernel, page: Page, step: int) -> int:
    """Runs all cells at once, interrupts the first, and gives how many bytecodes its wait had."""
    kernel.do("clicked.clear()")
    waiting = kernel.run(f"wait_and_interrupt({step})")
    for send in (page.cell, page.change, page.ask, page.cell, page.change, page.click):
        send()
    done = kernel.ended(waiting)
    count = int(done.text.split()[0])
    assert done.status == ("error" if count > step else "ok"), (step, done)
    # What was queued behind a cell that fails does not run, as in any Run All.
    assert page.settle() == ["aborted" if count > step else "ok"] * 2, step
    return count


def interrupt_at_random(kernel: Kernel, page: Page, draw: random.Random, kind: str) -> None:
    """Interrupts a command, with cells and widget messages before, during and after it."""
    first, *more = [kernel.run(cell) for cell in CELLS[kind]]
    for _ in range(draw.randrange(3)):
        page.cell()
    kernel.until(lambda m: m["parent_header"].get("msg_id") == first)
    moments = [(draw.random() * SECONDS, kernel.interrupt)]
    moments += [
        (draw.random() * SECONDS, draw.choice([page.cell, page.change, page.change, page.ask]))
        for _ in range(draw.randrange(3, 9))
    ]
    began = time.monotonic()
    for at, act in sorted(moments, key=lambda moment: moment[0]):
        time.sleep(max(0.0, began + at - time.monotonic()))
        act()
    for request in (first, *more):
        page.ended(request)
    if any(kernel.shows_widget(m, first) for m in kernel.messages) and kind == "bar":
        assert closed(kernel, first)
    page.settle()


def test_an_interrupt_between_two_steps_of_the_wait_loses_nothing(kernel, page) -> None:
    count = interrupt_at(kernel, page, 10**6)
    assert count > 300
    for step in sorted(random.Random(SEED).sample(range(count), 8)):
        interrupt_at(kernel, page, step)


@pytest.mark.long
def test_an_interrupt_at_any_step_of_the_wait_loses_nothing(kernel, page) -> None:
    count = interrupt_at(kernel, page, 10**6)
    first = random.Random(SEED).randrange(13)
    for step in range(first, count + 13, 13):
        interrupt_at(kernel, page, step)


@pytest.mark.parametrize("seed", [SEED, *(pytest.param(s, marks=pytest.mark.long) for s in (1, 2))])
@pytest.mark.parametrize("kind", CELLS)
def test_an_interrupt_at_a_random_moment_loses_nothing(kernel, page, box, kind, seed) -> None:
    draw = random.Random(f"{seed} {kind}")
    for _ in range(1 if seed == SEED else 4):
        done = kernel.do(setup(box) + JOBS)
        assert done.status == "ok", done
        interrupt_at_random(kernel, page, draw, kind)
    assert "True" in kernel.do("print(len(client.responses(9000001)) > 3800)").text.split()
