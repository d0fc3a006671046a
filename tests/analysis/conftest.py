from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from tests.analysis.raw import Raw
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from alchemer_nb.sandbox import Sandbox

CUSTOMERS, EVENT, STAFF, EVERY_TYPE = 9000001, 9000002, 9000003, 9000006


@pytest.fixture(scope="session")
def peer() -> SimpleNamespace:
    """What statsmodels has of our numbers; workers that run no such test need not import it."""
    from statsmodels.regression.linear_model import WLS
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportions_ztest
    from statsmodels.stats.weightstats import ttest_ind

    return SimpleNamespace(
        WLS=WLS,
        multipletests=multipletests,
        proportions_ztest=proportions_ztest,
        ttest_ind=ttest_ind,
    )


@pytest.fixture(scope="session")
def every_box() -> Iterator[Sandbox]:
    """A sandbox whose surveys have every type of question."""
    with copied_box(responses=150, types=True, **NO_LIMITS) as box:
        yield box


@pytest.fixture(scope="session")
def analyst(every_box: Sandbox) -> Client:
    key = ApiKey(every_box.api_token, every_box.api_token_secret)
    return Client(key, region=every_box.region, requests_per_minute=10**9)


@pytest.fixture(scope="session")
def downloads(analyst: Client) -> Callable[[int], pd.DataFrame]:
    """The responses to a survey, as everybody sees them first."""
    frames: dict[int, pd.DataFrame] = {}

    def download(survey: int) -> pd.DataFrame:
        if survey not in frames:
            frames[survey] = analyst.responses(survey, progress="none")
        return frames[survey].copy()

    return download


@pytest.fixture(scope="session")
def raws(every_box: Sandbox) -> Callable[[int], Raw]:
    """The raw responses to a survey."""
    return functools.cache(lambda survey: Raw(every_box, survey))


@pytest.fixture
def customers(downloads: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    return downloads(CUSTOMERS)
