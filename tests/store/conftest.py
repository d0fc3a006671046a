"""A survey to sync, in a sandbox of each test's own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from alchemer_nb.sandbox import Sandbox

SURVEY = "9000001"
ALL = {"test_rows": "include", "metadata": "all", "progress": "none"}


QUIET = {"seed": 3, "responses": 1003, "form": "current", **NO_LIMITS}
# What does not hang on the number of pages is shown by less than one, in test-long by three, too.
COUNTS = (83, pytest.param(1003, marks=pytest.mark.long))


def quiet_box(**more) -> AbstractContextManager[Sandbox]:
    """A sandbox without limits, as these tests are about something else."""
    return copied_box(**QUIET | more)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where stores lie during a test."""
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture(scope="session", params=COUNTS)
def count(request: pytest.FixtureRequest) -> int:
    """The number of responses in ``own_box``."""
    return request.param


@pytest.fixture
def own_box(place: Path, count: int) -> Iterator[Sandbox]:
    with quiet_box(responses=count) as running:
        yield running


@pytest.fixture
def paged_box(place: Path) -> Iterator[Sandbox]:
    """A sandbox of three pages."""
    with quiet_box() as running:
        yield running


@pytest.fixture(scope="session")
def first_sync(tmp_path_factory: pytest.TempPathFactory, count: int) -> Path:
    """The folder that the first sync of ``SURVEY`` in ``own_box`` makes."""
    with quiet_box(responses=count) as box, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCHEMER_STORE", str(tmp_path_factory.mktemp("first sync")))
        return fresh_client(box).sync(SURVEY).place


@pytest.fixture
def synced_client(own_box: Sandbox, first_sync: Path) -> Client:
    """A client of ``own_box`` after the first sync, whose files are copied."""
    client = fresh_client(own_box)
    folder = client._stores.survey_folder(SURVEY)
    folder.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(first_sync, folder)
    return client


@pytest.fixture
def folder(synced_client: Client) -> Path:
    """The folder of ``SURVEY`` in the store of ``synced_client``."""
    return synced_client._stores.survey_folder(SURVEY)


def fresh_client(box: Sandbox) -> Client:
    """A client that remembers nothing."""
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)
