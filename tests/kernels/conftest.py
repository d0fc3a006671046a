"""Kernels of several ipykernel lines: each version is laid over the environment, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.boxes import NO_LIMITS, copied_box
from tests.gate import Gate

from .harness import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

PAGES, ROWS = 5, 2500  # of the largest survey
LATEST = "installed"
# 6.29.5 is the oldest that is promised; 7.1 shares one context among messages, 7.0 to 7.3 handle
# widget messages on other threads, 7.4 sends them back to the cell's own. 7.0 to 7.3 leave about
# one request in a hundred waiting for the next one, without any code of ours.
VERSIONS = ("6.29.5", "6.31.0", "7.0.1", "7.1.0", "7.3.0", LATEST)
LONG = ("6.31.0", "7.0.1", "7.3.0")  # between two others, so in `make test-long` alone
STRANDING = ("7.0.", "7.1.", "7.2.", "7.3.")


# What the pump and the waiting panel show in every line is shown once for downloads, syncs and Tab,
# which stand on them; `make test-long` shows those in every line, too.
ONCE = ("test_download.py", "test_sync.py", "test_files.py", "test_completion.py")
# So with interrupts of what waits as "bar" does.
ONCE_KINDS = ("text", "job", "background")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        version = params.get("kernel")
        is_once = item.path.parent == Path(__file__).parent and (
            item.path.name in ONCE or params.get("kind") in ONCE_KINDS
        )
        if version in LONG or (is_once and version not in (None, LATEST)):
            item.add_marker(pytest.mark.long)


def overlay(cache: Path, version: str) -> Path | None:
    """A folder with one ipykernel version, and what it imports that newer ones do not."""
    if version == LATEST:
        return None
    folder = cache / version
    if not (folder / "complete").exists():
        packages = [f"ipykernel=={version}", "nest-asyncio==1.6.0"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        done = subprocess.run(
            [*command, "--disable-pip-version-check", "--target", str(folder), *packages],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session", params=VERSIONS)
def kernel(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kernel]:
    """One kernel of each version, for all tests of the session."""
    cache = Path(request.config.cache.mkdir("ipykernel"))
    with FileLock(cache / "lock"):  # another worker may install the same version now
        packages = overlay(cache, request.param)
    running = Kernel(
        tmp_path_factory.mktemp("kernel"),
        packages,
        strands=request.param.startswith(STRANDING),
    ).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=ROWS, **NO_LIMITS) as running:
        yield running


@pytest.fixture
def gate(box: Sandbox) -> Iterator[Gate]:
    """What the calls to ``box`` pass through: a test can hold them and look at what waits."""
    with Gate(box.url) as before_box:
        yield before_box
