"""The versions that pyproject names are true: what they allow installs, and passes the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from tests.environments import REPOSITORY, environment, interpreter, run

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
PROJECT, GROUPS = PYPROJECT["project"], PYPROJECT["dependency-groups"]
USED = sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])
BOUNDED = sorted({*USED, *GROUPS["test"], *GROUPS["bench"]})
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
SLOW = ("long", "browser", "kernel", "notebook", "peers", "binder", "docs")
FAST = " and ".join(f"not {mark}" for mark in SLOW)


@pytest.mark.parametrize("line", BOUNDED)
def test_a_requirement_names_its_lowest_version(line: str) -> None:
    assert [bound.operator for bound in Requirement(line).specifier].count(">=") == 1


def test_a_name_has_the_same_bounds_wherever_it_stands() -> None:
    assert len({Requirement(line).name for line in BOUNDED}) == len(BOUNDED)


@pytest.mark.parametrize("line", sorted({*USED, *GROUPS["test"]}))
def test_what_is_installed_is_within_the_bounds(line: str) -> None:
    wanted = Requirement(line)
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        pytest.skip(f"{wanted.name} is not installed")
    assert found in wanted.specifier


def test_the_classifiers_begin_with_the_oldest_python_that_is_allowed() -> None:
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("which", "python"), [("lowest", PYTHONS[0]), *(("newest", python) for python in PYTHONS)]
)
def test_the_fast_tests_pass_with_the(which: str, python: str) -> None:
    """Leaves ``.venv-WHICH-PYTHON``, whose ``bin/python -m pytest`` runs one of them alone."""
    found = interpreter(python)
    if found is None:
        pytest.skip(f"there is no Python {python} here")
    if (which, python) == ("newest", "{}.{}".format(*sys.version_info)):
        pytest.skip("make test has run them")
    lines = sorted({*USED, *GROUPS["test"]})
    month = datetime.now(tz=UTC).strftime("%Y-%m")  # the newest does not stay the newest
    if which == "lowest":
        # pandas>=2.3 becomes pandas==2.3; what pandas itself needs is the newest that it takes.
        lines, month = [re.sub(r">=([^,]+).*", r"==\1", line) for line in lines], ""
    here = environment(
        f"{which}-{python}", ("--no-compile", "--editable", ".", *lines), also=month, made_by=found
    )
    printed = run([str(here), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", FAST])
    assert re.search(r"^\d{3,} passed", printed, re.MULTILINE), printed


@pytest.mark.parametrize(("given", "made"), [(False, False), (True, True)])
def test_make_takes_the_interpreter_that_it_is_given(
    given: bool, made: bool, tmp_path: Path
) -> None:
    """An environment that is there serves, but not instead of an interpreter that is asked for."""
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "python"
    old.write_text("#!/bin/sh\necho Python 3.10.0\n", encoding="utf-8")
    old.chmod(0o755)
    for stamp in (".created", ".installed-lab"):
        (tmp_path / stamp).touch()
    command = ["make", "--dry-run", "demo", f"VENV={tmp_path}"]
    asked = [f"PYTHON={sys.executable}"] if given else []
    # Not what the make that runs these tests was given.
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "PYTHON")}
    done = subprocess.run(
        [*command, *asked], cwd=REPOSITORY, env=own, capture_output=True, text=True, check=True
    )
    assert ("-m venv --clear" in done.stdout) is made
