"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# Cheap before dear, so that a mistake shows early.
ORDER = ("kernel", "notebook", "browser", "peers", "binder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def cost(item: pytest.Item) -> int:
        marks = [ORDER.index(mark.name) + 1 for mark in item.iter_markers() if mark.name in ORDER]
        return max(marks, default=0)

    items.sort(key=cost)
