"""What Binder would do, without Docker: find the build, install the pins, run the quickstart."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.environments import REPOSITORY, environment, run

if TYPE_CHECKING:
    from pathlib import Path

BINDER = REPOSITORY / "binder"
PINS = dict(
    re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._+!]+)", line).groups()  # type: ignore[union-attr]
    for line in (BINDER / "requirements.txt").read_text("utf-8").splitlines()
)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_pins_hold_every_direct_dependency_within_its_bounds() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    pinned = {normal(name): version for name, version in PINS.items()}
    for requirement in wanted:
        name, _, bounds = requirement.partition(">=")
        least = bounds.partition(",")[0]
        assert numbers(pinned[normal(name)]) >= numbers(least), requirement


def test_the_notebooks_have_in_binder_what_they_use() -> None:
    """Those of ``make demo`` are the same: both are the extra ``lab``."""
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    assert {*extras["sql"], *extras["stats"], *extras["excel"]} <= {*extras["lab"]}
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    assert "--editable '.[lab]'" in makefile
    assert "'.[lab]'\n\t@$(VENV)/pins/bin/python -m pip freeze" in makefile


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def test_python_is_one_that_the_package_supports() -> None:
    assert (BINDER / "runtime.txt").read_text("utf-8").strip() == "python-3.11"


def test_post_build_can_be_run() -> None:
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    first, *rest = script.read_text("utf-8").splitlines()
    assert first == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in rest


@pytest.mark.binder
def test_repo2docker_takes_the_python_build_and_our_post_build(tmp_path: Path) -> None:
    python = environment("repo2docker", ("jupyter-repo2docker",))
    checkout = copy_of_checkout(tmp_path)
    # It tells the build on standard error.
    command = f"'{python.parent}/jupyter-repo2docker' --no-build --debug . 2>&1"
    told = run(["bash", "-c", command], folder=checkout)
    steps = [
        "Building conda environment for python=3.11",
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
    ]
    places = [told.find(step) for step in steps]
    assert places == sorted(places), told
    assert places[0] >= 0, told


@pytest.mark.binder
def test_the_quickstart_runs_on_the_pins_alone(tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path)
    pins = (BINDER / "requirements.txt").read_text("utf-8")
    python = environment("binder", ("-r", str(BINDER / "requirements.txt")), also=pins)
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    run(["./binder/postBuild"], folder=checkout, PATH=path)
    run([str(python), "-m", "pip", "check"])
    # From another folder, so that the installed package is what is used, notebooks included.
    command = [str(python), "-m", "alchemer_nb", "demo", "--check"]
    printed = run(command, folder=tmp_path, PATH=path, HOME=str(tmp_path), PYTHONPATH="")
    assert re.search(r"df\.shape = \((\d{2,}), (\d{2,})\)", printed), printed


@pytest.mark.binder
@pytest.mark.long
@pytest.mark.parametrize("name", ["frames", "large_surveys", "sign_in"])
def test_the_other_notebooks_run_on_the_pins_alone(name: str, tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path)
    pins = (BINDER / "requirements.txt").read_text("utf-8")
    python = environment("binder", ("-r", str(BINDER / "requirements.txt")), also=pins)
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    run(["./binder/postBuild"], folder=checkout, PATH=path)
    written = tmp_path / "executed.ipynb"
    command = [
        str(python),
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output",
        str(written),
    ]
    notebook = str(checkout / "notebooks" / f"{name}.ipynb")
    run([*command, notebook], folder=tmp_path, PATH=path, HOME=str(tmp_path), PYTHONPATH="")
    assert "text/html" in written.read_text("utf-8")


def copy_of_checkout(folder: Path) -> Path:
    """What a clone would hold, without this machine's leftovers."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in ("alchemer_nb", "notebooks", "binder"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(REPOSITORY / name, checkout / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, checkout / name)
    return checkout
