"""The addresses of the pages."""

from __future__ import annotations

from typing import Any


def routes(given: dict[str, Any]) -> list[Any]:
    """Gives tornado's routes of all pages."""
    del given
    return []
