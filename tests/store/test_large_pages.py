"""Pages that are too large to be read, as with very long answers: a sync asks for smaller ones."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.http.regions import Region
from tests.store.listed import OWN, ListedServer, stamp, stored

BOMB = b'{"result_ok": true, "data": [' + b"[]," * 250_000 + b"0]}"


class _LongAnswers(ListedServer):
    """Pages of more rows than `most` cannot be read."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(count)
        self.most, self.refused = most, Counter[tuple[str, bool]]()

    def client(self) -> Client:
        region = Region.custom(self.url, timezone="America/New_York")
        return Client(ApiKey("key", "secret"), region=region, requests_per_minute=100_000)

    def page(self, query: dict[str, str]) -> bytes:
        if int(query["resultsperpage"]) <= self.most:
            return super().page(query)
        self.refused[query["resultsperpage"], "order_by" in query] += 1
        return BOMB


@pytest.mark.parametrize("most", [150, pytest.param(60, marks=pytest.mark.long)])
def test_no_size_that_was_too_large_is_asked_for_again(place, most):
    with _LongAnswers(640, most) as server:
        for turn in range(3):
            server.refused.clear()
            result = server.client().sync(OWN)
            assert result.rows == 640
            # By ascending id, the next page had been sent for before the first one came.
            assert all(count <= 2 - newest for (_, newest), count in server.refused.items())
            server.edit(range(1, 400), stamp(), f"edit {turn}")
            # Dated back, so that the next sync reads the changes, all pages, and the changes again.
            server.edit([600], stamp(timedelta(days=90)), f"edit {turn}")
        server.refused.clear()
        assert stored(result.place).keys() == server.rows.keys()
        assert server.client().verify(OWN).told == 640
        assert all(count <= 2 for count in server.refused.values())
