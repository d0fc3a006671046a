"""A sandbox with the small survey, and ways to call it that know nothing of our client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alchemer_nb.sandbox import Sandbox
from tests.boxes import copied_box
from tests.sandbox import small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# For tests that ask the same twice, quickly: neither limit nor cache.
CALM: dict[str, Any] = {"calls_per_minute": None, "cache_seconds": 0, "refuse_identical": False}

Call = "Callable[..., requests.Response]"


def caller(box: Sandbox, user: str = "ada") -> Callable[..., requests.Response]:
    """Gives a function that calls the API with a user's key, as it is now."""
    key = box.key(user)

    def call(path: str, method: str = "GET", **params: Any) -> requests.Response:
        pair = {"api_token": key.token, "api_token_secret": key.secret}
        return requests.request(method, f"{box.url}/v5/{path}", params=pair | params, timeout=10)

    return call


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """A sandbox for tests of one module that change nothing which another looks at."""
    with Sandbox(surveys=[small.build()], **CALM) as box:
        yield box


@pytest.fixture(scope="module")
def get(shared: Sandbox) -> Callable[..., requests.Response]:
    return caller(shared)


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sandbox with the small survey; a copy need not hash the passwords again."""
    file = tmp_path_factory.mktemp("small") / "box.db"
    with Sandbox(surveys=[small.build()], db=file, **CALM):
        return file


@pytest.fixture
def own(small_file: Path) -> Iterator[Sandbox]:
    """A sandbox for one test alone."""
    with copied_box(small_file, **CALM) as box:
        yield box


@pytest.fixture(autouse=True, scope="package")
def nothing_stays_behind() -> Iterator[None]:
    # The sandbox that all tests share may have been running before.
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert "alchemer-sandbox" not in left
