"""The credentials of whoever runs the tests, for these tests alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import LIVE

if TYPE_CHECKING:
    from alchemer_nb.http.secrets import Secret


@pytest.fixture(scope="module")
def live_credentials(request: pytest.FixtureRequest) -> dict[str, Secret]:
    return request.config.stash.get(LIVE, {})
