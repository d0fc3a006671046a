"""Frames of the sandbox for the tests of tables, charts and the report."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from alchemer_nb import ApiKey, Client
from tests.boxes import copied_box

if TYPE_CHECKING:
    import pandas as pd


@functools.cache
def frames() -> dict[str, pd.DataFrame]:
    """The responses of each survey of the sandbox, by the end of its id."""
    with copied_box() as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        return {
            str(survey)[-1]: client.responses(str(survey), metadata="all", progress="none")
            for survey in client.surveys()["id"]
        }


def customers() -> pd.DataFrame:
    return frames()["1"].copy()


def pulse() -> pd.DataFrame:
    return frames()["3"].copy()


def nobody() -> pd.DataFrame:
    """The responses of a survey that nobody has answered."""
    return frames()["4"].copy()
