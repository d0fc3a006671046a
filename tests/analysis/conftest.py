from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from alchemer_nb.sandbox import Sandbox

CUSTOMERS, EVENT, STAFF, EVERY_TYPE = 9000001, 9000002, 9000003, 9000006


@pytest.fixture(scope="session")
def every_box() -> Iterator[Sandbox]:
    """A sandbox whose surveys have every type of question."""
    with copied_box(responses=250, types=True, **NO_LIMITS) as box:
        yield box


@pytest.fixture(scope="session")
def analyst(every_box: Sandbox) -> Client:
    key = ApiKey(every_box.api_token, every_box.api_token_secret)
    return Client(key, region=every_box.region, requests_per_minute=10**9)


@pytest.fixture(scope="session")
def _customers(analyst: Client) -> pd.DataFrame:
    return analyst.responses(CUSTOMERS, progress="none")


@pytest.fixture
def customers(_customers: pd.DataFrame) -> pd.DataFrame:
    """The customer survey, as everybody sees it first."""
    return _customers.copy()
