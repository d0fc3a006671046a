"""Environments of their own for software that must not share ours, kept between runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).resolve().parents[1]


def environment(
    name: str, *steps: Sequence[str], also: str = "", made_by: str = sys.executable
) -> Path:
    """Gives the interpreter of a virtual environment, made once and again when its steps change.

    Args:
        name: It lies in ``.venv-NAME`` of the checkout, which git ignores.
        *steps: What is installed: each the words after ``pip install``.
        also: Anything else that the environment hangs on, such as a file's text.
        made_by: The interpreter that it is made with.

    Raises:
        RuntimeError: pip failed; the text is pip's own.
    """
    folder = REPOSITORY / f".venv-{name}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    version = run([made_by, "-c", "import sys; sys.stdout.write(sys.version)"])
    recipe = hashlib.sha256(repr((version, steps, also)).encode()).hexdigest()
    stamp = folder / ".recipe"
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):  # another worker may make it
        if stamp.is_file() and stamp.read_text() == recipe:
            return python
        run([made_by, "-m", "venv", "--clear", str(folder)])
        for step in steps:
            run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *step])
        stamp.write_text(recipe)
    return python


def interpreter(version: str) -> str | None:
    """Gives a Python of a version such as ``3.12`` that is on PATH or was installed by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob(f"{version}.*/bin"))]
    found = [shutil.which(f"python{version}", path=str(place)) for place in places]
    # pyenv puts a python3.12 on PATH that only says how to choose one, and Debian leaves out venv.
    works = "import ensurepip, venv"
    return next((p for p in filter(None, found) if _succeeds([p, "-c", works])), None)


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: Sequence[str], *, folder: Path = REPOSITORY, **more: str) -> str:
    """Runs a command and gives what it printed.

    Args:
        command: Its words.
        folder: Where it runs.
        **more: Variables for its environment.

    Raises:
        RuntimeError: It failed; the text is what it said.
    """
    done = subprocess.run(
        list(command),
        cwd=folder,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout
