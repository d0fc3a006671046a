"""What all tests share."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING

import hypothesis
import keyring
import pytest
from keyring.backends import fail

from alchemer_nb.auth.lookup import VARIABLES
from alchemer_nb.auth.oauth_flow import OAuthFlow
from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.secrets import Secret
from tests import boxes
from tests.boxes import NO_LIMITS, copied_box
from tests.person import landing_address
from tests.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alchemer_nb.sandbox import Sandbox
    from tests.leaks.search import Search

# `make test-long` tries more examples: pytest --hypothesis-profile thorough.
hypothesis.settings.register_profile("fast", max_examples=10, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=300, deadline=None)
# Of mutations there are many more kinds: `make test-long` for tests/fuzz, and more by hand.
FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
hypothesis.settings.register_profile("fuzz", max_examples=FUZZ_EXAMPLES, deadline=None)
hypothesis.settings.load_profile("fast")

LIVE = pytest.StashKey[dict[str, Secret]]()  # for tests/live alone

# What takes longest as a whole begins first, so that no worker is left with it at the end: the
# browser on one, and on the other what installs environments of its own, where there are none yet.
ORDER = ("browser", "peers", "binder", "docs", "kernel", "notebook")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mode = getattr(item, "callspec", None) and item.callspec.params.get("credentials")
        if mode not in (None, MODES[0]) and not item.get_closest_marker("every_mode"):
            item.add_marker(pytest.mark.long)
        check_marks(item)

    def cost(item: pytest.Item) -> int:
        marks = [ORDER.index(mark.name) + 1 for mark in item.iter_markers() if mark.name in ORDER]
        return max(marks, default=0)

    items.sort(key=cost)


def check_marks(item: pytest.Item) -> None:
    """Check that the file of a test names its marks, as `make test` imports no other files."""
    for mark in item.iter_markers():
        if mark.name in ORDER and f"mark.{mark.name}" not in text_of(item.path):
            raise pytest.UsageError(f"{item.nodeid}: its file does not name the mark {mark.name}")


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8")


# What is made of the answers is shown in the first mode, and by `make test-long` in every mode. The
# mark `every_mode` is for calls that are signed in ways of their own.
MODES = ("api_key", "oauth1_two_legged", "oauth1_three_legged")


def pytest_collectstart() -> None:
    """Collect no garbage while modules are imported, as they all stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass by what is there for the whole run: modules and tests."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 100)  # and look less often, as tests make much and keep little


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many places were searched for secrets; see tests/leaks."""
    reports = [each for kind in ("passed", "failed", "error", "")
               for each in terminalreporter.stats.get(kind, [])]  # fmt: skip
    counts = [
        value
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, value in report.user_properties
        if name == "canaries"
    ]
    if counts:
        places, found = (sum(each) for each in zip(*counts, strict=True))
        terminalreporter.write_line(f"canaries: {places:,} places searched, {found:,} found")


def pytest_configure(config: pytest.Config) -> None:
    """Credentials of whoever runs the tests must not sign anything in, but for ``-m live``."""
    found = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("ALCHEMER_")}
    if config.option.markexpr == "live":
        config.stash[LIVE] = {name: Secret(found[name]) for name in VARIABLES if name in found}
    # Nor do their calls count, nor are calls of tests to be waited for by them.
    folder = tempfile.mkdtemp(prefix="alchemer-limits-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["ALCHEMER_LIMITS_FOLDER"] = folder
    os.environ["ALCHEMER_STORE"] = f"{folder}/store"  # nor is anything kept among their surveys
    if boxes.FOLDER not in os.environ:  # workers find the folder of the process that starts them
        os.environ[boxes.FOLDER] = tempfile.mkdtemp(prefix="alchemer-demo-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(boxes.FOLDER), ignore_errors=True))
    # A shell that starts tests in the background has them ignore Ctrl-C, which some tests send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Nor may their keychain be read. Set before the tests are collected: keyring would else choose
    # among the classes that a test defines for itself.
    keyring.set_keyring(fail.Keyring())


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with an empty minute, so that none waits for the calls of others."""
    folder = tempfile.mkdtemp(dir=os.environ["ALCHEMER_LIMITS_FOLDER"])
    monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", folder)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No keychain, no display, no Binder; a folder of the test's own for what is remembered."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST"):
        monkeypatch.delenv(name, raising=False)
    yield
    keyring.set_keyring(fail.Keyring())


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """One sandbox for all tests that change nothing in it; all responses are on one page."""
    with copied_box(responses=203, **NO_LIMITS) as running:
        yield running


def credentials_for(box: Sandbox, mode: str) -> ApiKey | OAuth1:
    """Credentials of the demo administrator, got in the way that the mode asks for."""
    if mode == "api_key":
        return ApiKey(box.api_token, box.api_token_secret)
    if mode == "oauth1_two_legged":
        return OAuth1(box.consumer_key, box.consumer_secret)
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    return flow.finish(landing_address(flow.start(), box.username, box.password))


@pytest.fixture(scope="session", params=MODES)
def credentials(request: pytest.FixtureRequest, box: Sandbox) -> ApiKey | OAuth1:
    return credentials_for(box, request.param)


@pytest.fixture
def client(box: Sandbox, credentials: ApiKey | OAuth1) -> Client:
    return Client(credentials, region=box.region)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers what the test says."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def search(record_property: Callable[[str, object], None]) -> Iterator[Search]:
    """Looks for the canaries; after the test, nothing may have been found.

    The number of its places goes into the line at the end of the run.
    """
    from tests.leaks.search import Search  # not for workers that run no such test

    looking = Search()
    yield looking
    record_property("canaries", (looking.places, len(looking.found)))
    assert looking.places > 0, "nothing was searched"
    assert looking.found == []
