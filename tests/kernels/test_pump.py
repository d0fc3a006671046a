"""A cell that waits handles clicks, and what is queued behind it runs afterwards, in order."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.kernel

SETUP = """
import threading, ipywidgets
from alchemer_nb.notebook.kernel.pump import find_pump, has_front_end
clicked = threading.Event()
order = []
button = ipywidgets.Button(description="go")
button.on_click(lambda _: (print("clicked"), order.append("click"), clicked.set()))
number = ipywidgets.IntText()
def wait(seconds=10):
    print("waiting", flush=True)
    with find_pump(get_ipython()) as pump:
        return pump.wait(clicked.is_set, seconds)
print(button.model_id, number.model_id)
"""
CLICK = {"event": "click"}


@pytest.fixture
def widgets(kernel):
    """Fresh widgets in the kernel; their comm ids."""
    done = kernel.do(SETUP)
    assert done.status == "ok", done
    return done.text.split()


def test_a_click_is_handled_in_the_waiting_cell_and_the_queue_keeps_its_order(kernel, widgets):
    button, _ = widgets
    waiting = kernel.run("print(wait())")
    kernel.until_printed(waiting, "waiting")
    queued = [kernel.run(f"order.append({n}); print(order)") for n in (1, 2, 3)]
    kernel.handled(kernel.custom(button, CLICK))
    assert kernel.ended(waiting).text.split() == ["waiting", "clicked", "True"]
    assert kernel.ended(queued[-1]).text.strip() == "['click', 1, 2, 3]"


def test_a_change_is_acknowledged_so_that_the_front_end_sends_the_next(kernel, widgets):
    button, number = widgets
    waiting = kernel.run("wait(); print('number', number.value)")
    kernel.until_printed(waiting, "waiting")
    kernel.handled(kernel.set_state(number, value=1))
    kernel.handled(kernel.set_state(number, value=2))
    kernel.custom(button, CLICK)
    assert "number 2" in kernel.ended(waiting).text


def test_an_interrupt_ends_the_wait_and_the_kernel_goes_on(kernel, widgets):
    waiting = kernel.run("wait(60)")
    kernel.until_printed(waiting, "waiting")
    kernel.interrupt()
    assert "KeyboardInterrupt" in kernel.ended(waiting, 10).text
    assert kernel.do("print(1 + 1)").text.strip() == "2"


def test_the_time_limit_ends_the_wait(kernel, widgets):
    assert kernel.do("print(wait(0.2))").text.split() == ["waiting", "False"]
    assert kernel.do("print('on')").text.strip() == "on"


def test_an_error_after_the_wait_aborts_the_queue_as_in_any_run_all(kernel, widgets):
    button, _ = widgets
    waiting = kernel.run("wait(); raise RuntimeError('stop here')")
    kernel.until_printed(waiting, "waiting")
    queued = kernel.run("order.append('must not run')")
    kernel.handled(kernel.custom(button, CLICK))
    assert kernel.ended(waiting).status == "error"
    assert kernel.ended(queued).status in ("aborted", "error")
    assert kernel.do("print(order)").text.strip() == "['click']"


def test_clicks_after_the_wait_are_handled_by_the_kernel_itself(kernel, widgets):
    button, _ = widgets
    waiting = kernel.run("wait()")
    kernel.until_printed(waiting, "waiting")
    kernel.handled(kernel.custom(button, CLICK))
    kernel.ended(waiting)
    kernel.handled(kernel.custom(button, CLICK))
    assert kernel.do("print(order)").text.strip() == "['click', 'click']"


def test_a_run_without_a_person_is_told_apart(kernel, widgets):
    check = "print(has_front_end(get_ipython()))"
    assert kernel.do(check, stdin=False).text.strip() == "False"
    assert kernel.do(check, stdin=True).text.strip() == "True"


def test_no_pump_where_a_name_is_missing_or_on_another_thread(kernel, widgets):
    done = kernel.do(
        """
import threading, types
shell = get_ipython()
class Without:
    def __init__(self, kernel, name): self._kernel, self._name = kernel, name
    def __getattr__(self, name):
        if name == self._name: raise AttributeError(name)
        return getattr(self._kernel, name)
for name in ("comm_manager", "io_loop", "_publish_status", "session"):
    assert find_pump(types.SimpleNamespace(kernel=Without(shell.kernel, name))) is None, name
found = []
thread = threading.Thread(target=lambda: found.append(find_pump(shell)))
thread.start(); thread.join()
print(found, find_pump(None), find_pump(shell) is not None)
"""
    )
    assert done.text.strip() == "[None] None True", done
