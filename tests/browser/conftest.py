"""One JupyterLab and one Chromium for all browser tests, each of which has a kernel of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.boxes import NO_LIMITS, copied_box
from tests.gate import Gate

from .lab import Window, browser, lab_server, new_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

    from alchemer_nb.sandbox import Sandbox

    from .lab import Server

expect.set_options(timeout=15_000)  # five seconds are little beside other tests


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("notebooks")
    # With a prefix, as on JupyterHub and Binder: what works there works without one.
    with lab_server(root, tmp_path_factory.mktemp("lab"), base_url="/user/ada/") as server:
        yield server


@pytest.fixture
def lab(running_lab: Server) -> Iterator[Server]:
    running_lab.configure()
    yield running_lab
    running_lab.end_kernels()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with new_context(chromium) as opened:
        yield opened


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """Five pages."""
    with copied_box(responses=2500, **NO_LIMITS) as running:
        yield running


@pytest.fixture
def gate(box: Sandbox) -> Iterator[Gate]:
    """What the calls to ``box`` pass through: a test can hold them and look at what waits."""
    with Gate(box.url) as before_box:
        yield before_box


@pytest.fixture(scope="session")
def shared_window(running_lab: Server, chromium: Browser) -> Iterator[Window]:
    with new_context(chromium) as opened:
        yield Window(running_lab, opened)


@pytest.fixture
def window(lab: Server, shared_window: Window) -> Iterator[Window]:
    yield shared_window
    shared_window.clear()
