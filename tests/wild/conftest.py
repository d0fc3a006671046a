"""Environments with the oldest and with the newest pandas that we promise to work with."""

from __future__ import annotations

import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.environments import REPOSITORY, environment

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = {"anywidget", "ipykernel", "ipython", "ipywidgets", "nest-asyncio2", "tornado"}
BESIDE = ("seaborn", "statsmodels", "openpyxl")


@pytest.fixture(scope="package")
def pythons() -> dict[str, Path]:
    """Interpreters by name; the package itself is the checkout's, so an edit needs no install.

    ``newest`` has all of our dependencies and what analysts use beside us; ``2.3`` has only what
    a frame needs, which shows that nothing of a notebook is needed for it.
    """
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[^\w-]", line, maxsplit=1)[0]: line for line in project["dependencies"]}
    bare = [line for name, line in named.items() if name not in NOTEBOOK]
    quick = "--no-compile"  # of the thousands of modules there, few are ever imported
    month = datetime.now(tz=UTC).strftime("%Y-%m")  # the newest does not stay the newest
    with ThreadPoolExecutor() as pool:
        made = {
            "2.3": pool.submit(environment, "pandas2", (quick, "pandas>=2.3,<2.4", *bare)),
            "newest": pool.submit(
                environment, "wild", (quick, *named.values(), *BESIDE), also=month
            ),
        }
        return {name: future.result() for name, future in made.items()}
