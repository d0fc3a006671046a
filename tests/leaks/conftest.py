"""A search for each test of leaks, which fails where it has found something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaks.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def search(record_property: Callable[[str, object], None]) -> Iterator[Search]:
    """Looks for the canaries; after the test, nothing may have been found.

    The number of its places goes into the line at the end of the run.
    """
    looking = Search()
    yield looking
    record_property("canaries", (looking.places, len(looking.found)))
    assert looking.places > 0, "nothing was searched"
    assert looking.found == []
