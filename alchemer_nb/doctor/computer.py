"""Checks of this computer: versions, front end, settings and folders; no call is made."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from alchemer_nb._version import __version__
from alchemer_nb.auth import lookup, profiles
from alchemer_nb.doctor.report import NOTE, OK, TROUBLE, Check, hide_home
from alchemer_nb.http import network_errors, rate_limit
from alchemer_nb.store import paths
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AREA = "this computer"
_PACKAGES = (
    *("pandas", "pyarrow", "ipython", "ipywidgets", "anywidget", "ipykernel"),
    *("requests", "requests-oauthlib", "oauthlib", "urllib3"),
)
# ipykernel 7.0 to 7.3: https://github.com/ipython/ipykernel/issues/1529
_SLOW_KERNELS = ((7, 0), (7, 4))
_SETTINGS = (
    *lookup.VARIABLES,
    *(paths.FOLDER_VARIABLE, rate_limit.FOLDER_NAME, "ALCHEMER_SANDBOX_HOSTS"),
    *network_errors.VARIABLES,
)


def check_computer(store: Path | None) -> Iterator[Check]:
    """Check this computer.

    Args:
        store: Folder of local stores; None if it cannot be found.
    """
    yield from _check_versions()
    yield Check(AREA, "front end", *_find_front_end())
    yield _check_settings()
    if store is not None:
        yield _check_folder("store folder", store, paths.FOLDER_VARIABLE)
    yield _check_folder("limits folder", rate_limit.default_folder(), rate_limit.FOLDER_NAME)


def _check_versions() -> Iterator[Check]:
    found = {"Python": platform.python_version(), "alchemer_nb": __version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    system = f"{platform.system()} {platform.machine()}"
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    yield Check(AREA, "versions", OK, f"{listed}; {system}")
    low, high = _SLOW_KERNELS
    if low <= tuple(map(int, re.findall(r"\d+", found["ipykernel"])[:2])) < high:
        yield Check(
            AREA,
            "ipykernel",
            NOTE,
            f"ipykernel {found['ipykernel']} itself delays about 1 in 100 requests of the notebook",
            "Install ipykernel 7.4 or later, and restart the kernel",
        )


def _find_front_end() -> tuple[str, str]:
    """Return the result and what shows the notebook, as far as the kernel can know it."""
    shell = None
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
    if shell is None:
        return OK, "Python without a notebook"
    if getattr(shell, "kernel", None) is None:
        return OK, "IPython in a terminal"
    if "google.colab" in sys.modules:
        return OK, "Colab"
    if profiles.on_binder():
        return OK, "Binder"
    if any(map(os.environ.get, ("VSCODE_PID", "VSCODE_CWD"))):
        return OK, "VS Code"
    if os.environ.get("JPY_SESSION_NAME"):
        return OK, "a Jupyter server started this kernel"
    return NOTE, "not known: a kernel that no Jupyter server has named"


def _check_settings() -> Check:
    names = [name for name in _SETTINGS if os.environ.get(name)]
    unknown = sum(name.startswith("ALCHEMER_") and name not in _SETTINGS for name in os.environ)
    listed = f"set: {', '.join(names)}" if names else "none is set"
    if not unknown:
        return Check(AREA, "environment", OK, listed)
    # Their names are not shown: somebody may have chosen them.
    more = f"{listed}; and {counted(unknown, 'other name')} that begins with ALCHEMER_"
    advice = "Look for a misspelled name: this package reads no others"
    return Check(AREA, "environment", NOTE, more, advice)


def _check_folder(name: str, folder: Path, variable: str) -> Check:
    shown, problem = hide_home(str(folder)), _find_problem(folder)
    if problem:
        advice = f"Name a folder that you can write to in {variable}, or mend this one"
        return Check(AREA, name, TROUBLE, f"{shown}: {problem}", advice, public=problem)
    state = "can be written" if folder.is_dir() else "can be made when it is needed"
    return Check(AREA, name, OK, f"{shown}: {state}", public=state)


def _find_problem(folder: Path) -> str:
    """Return why a folder cannot be written, or ``""``; nothing is left in it."""
    try:
        existing = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            return "a file is in its place"
        if existing == folder:
            with tempfile.TemporaryFile(dir=folder):
                return ""
        return "" if os.access(existing, os.W_OK | os.X_OK) else "it cannot be made"
    except OSError as error:
        return f"it cannot be written ({error.strerror or type(error).__name__})"
