"""Sandboxes whose demo data is copied from a file, as generating it takes most of their start."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from alchemer_nb.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "TESTS_DEMO_FILES"  # the variable that names the folder which all workers share
NO_LIMITS: dict[str, Any] = {
    "calls_per_minute": None,
    "cache_seconds": 0,
    "refuse_identical": False,
}
_DATA = {"seed": 1, "responses": 500, "types": False, "form": "2017"}  # what the data depends on


@contextlib.contextmanager
def copied_box(source: Path | None = None, **settings: Any) -> Iterator[Sandbox]:
    """Run ``Sandbox(**settings)`` in the US region with a copy of its demo data.

    Copies have the same keys and passwords.

    Args:
        source: The file of another sandbox of these settings, to be copied in place of fresh data.
        settings: Of the sandbox.
    """
    folder = tempfile.mkdtemp(dir=os.environ[FOLDER])
    try:
        file = shutil.copy(source or demo_file(**settings), folder)
        with Sandbox(**settings, db=file) as box:
            yield box
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def demo_file(**settings: Any) -> Path:
    """Return the file of the demo data of these settings, made by the first who asks."""
    data = {name: settings.get(name, default) for name, default in _DATA.items()}
    file = Path(os.environ[FOLDER], "-".join(map(str, data.values())) + ".db")
    if not file.exists():
        made = Path(tempfile.mkdtemp(dir=file.parent), file.name)
        with Sandbox(**data, **NO_LIMITS, db=made) as box:
            _render(box)
        made.replace(file)  # another worker may have made it meanwhile: it is the same
    return file


def _render(box: Sandbox, survey: int = 9000001) -> None:
    """Ask for all responses of the largest survey: the sandbox keeps their text."""
    asked = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
    address = f"{box.url}/v5/survey/{survey}/surveyresponse"
    page = total = 1
    while page <= total:
        asked |= {"resultsperpage": "500", "page": str(page)}
        total = int(requests.get(address, asked, timeout=60).json()["total_pages"])
        page += 1
