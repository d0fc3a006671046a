"""Every form and region of the sandbox says the same: one analysis fits them all.

The client reads them here; what it makes of each must be equal but for ``date_updated``, which
the older form does not have.
"""

from __future__ import annotations

import pandas as pd
import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox


def frames(**switches: object) -> dict[str, pd.DataFrame]:
    with Sandbox(responses=60, **switches) as box:  # type: ignore[arg-type]  # switches differ in type
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        return {
            number: client.responses(number, test_rows="include", progress=False).drop(
                columns="date_updated"
            )
            for number in client.surveys()["id"]
        }


@pytest.fixture(scope="module")
def plain() -> dict[str, pd.DataFrame]:
    return frames()


@pytest.mark.parametrize(
    "switches",
    [
        {"form": "current", "flat_single": True, "region": "eu"},
        *(
            pytest.param(switch, marks=pytest.mark.long)
            for switch in ({"form": "current"}, {"flat_single": True}, {"region": "ca"})
        ),
    ],
    ids=str,
)
def test_frames_are_equal(plain: dict[str, pd.DataFrame], switches: dict[str, object]) -> None:
    others = frames(**switches)
    assert list(plain) == list(others)
    assert sum(len(frame) for frame in plain.values()) > 100
    for number, frame in plain.items():
        pd.testing.assert_frame_equal(frame, others[number])
