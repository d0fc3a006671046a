"""The versions that pyproject names are true: what they allow installs, and passes the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
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
# What runs in which environment: all the fast tests, or those that hang on one package.
RUNS = {
    ("lowest", PYTHONS[0]): ("-m", FAST),
    **{("newest", python): ("-m", FAST) for python in PYTHONS},
    ("pandas2", PYTHONS[0]): (
        *("-m", FAST, "tests/accessor", "tests/compare", "tests/export", "tests/frame"),
    ),
    ("kernels", PYTHONS[-1]): ("-m", "kernel and not timed and not long", "tests/kernels"),
}


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


def environment_of(which: str, python: str) -> Path:
    """Gives the interpreter of an environment with the lowest or newest version of everything.

    It lies in ``.venv-WHICH-PYTHON``: its ``bin/python -m pytest`` runs one test alone.
    """
    found = interpreter(python)
    if found is None:
        pytest.skip(f"there is no Python {python} here")
    lines = sorted({*USED, *GROUPS["test"]})
    month = datetime.now(tz=UTC).strftime("%Y-%m")  # the newest does not stay the newest
    if which == "lowest":
        # pandas>=2.3 becomes pandas==2.3; what pandas itself needs is the newest that it takes.
        lines, month = [re.sub(r">=([^,]+).*", r"==\1", line) for line in lines], ""
    elif which == "pandas2":
        lines.append("pandas<3")
    return environment(
        f"{which}-{python}", ("--no-compile", "--editable", ".", *lines), also=month, made_by=found
    )


@pytest.mark.long
@pytest.mark.parametrize(("which", "python"), RUNS)
def test_the_tests_pass_with_the(which: str, python: str) -> None:
    if (which, python) == ("newest", "{}.{}".format(*sys.version_info)):
        pytest.skip("make test has run them")
    here = environment_of("newest" if which == "kernels" else which, python)
    asked = RUNS[which, python]
    cache = f"cache_dir={here.parents[1] / 'pytest_cache'}"
    printed = run([str(here), "-m", "pytest", "-q", "-o", cache, *asked])
    assert re.search(r"^\d{2,} passed", printed, re.MULTILINE), printed


INSTALLED = """
import os, pathlib, tempfile
import alchemer_nb as al
assert "site-packages" in al.__file__, al.__file__
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "alchemer_nb")
import requests
with al.sandbox.Sandbox(responses=30) as box:
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    df = client.responses("Customer satisfaction", progress="none")
    path = pathlib.Path(tempfile.mkdtemp(), "df.parquet")
    df.alchemer.to_parquet(path)
    assert al.read_parquet(path).equals(df)
    assert "<form" in requests.get(f"{box.url}/login", timeout=10).text
    from alchemer_nb.notebook.signin.panel import LoginPanel
    from alchemer_nb.notebook.signin.session import Session
    assert LoginPanel(Session()).form._esm
    print(df.shape)
"""


@pytest.mark.long
def test_a_built_wheel_works_in_an_environment_of_its_own(tmp_path: Path) -> None:
    build = ("-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", str(tmp_path))
    run([sys.executable, *build, str(REPOSITORY)])
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"alchemer_nb"}
    tracked = run(["git", "ls-files", "alchemer_nb"]).split()
    assert set(tracked) <= set(names)  # templates, style sheets, scripts and py.typed as well
    others = {name for name in names if ".dist-info/" not in name} - set(tracked)
    assert {PurePosixPath(name).parent.name for name in others} == {"_notebooks"}
    # Empty but for what the wheel itself asks for, and far from the checkout.
    here = str(environment("wheel", tuple(PROJECT["dependencies"])))
    run([here, "-m", "pip", "install", "-qq", "--force-reinstall", "--no-deps", str(wheel)])
    run([here, "-m", "pip", "check"])
    bare = {"PYTHONPATH": "", "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    assert run([here, "-I", "-c", INSTALLED], folder=tmp_path, **bare).startswith("(30, ")


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
