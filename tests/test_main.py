"""``python -m alchemer_nb demo``, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alchemer_nb.__main__ import DemoError, copy_notebooks, main, notebooks_folder, run_quickstart

REPOSITORY = Path(__file__).resolve().parents[1]

# Stands in for JupyterLab: says what it was asked to open.
LAB = "import sys; print('LAB', *sys.argv[1:])"


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home = folder / "home"
    home.mkdir()
    stand_in = folder / "modules" / "jupyterlab"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").touch()
    (stand_in / "__main__.py").write_text(LAB)
    return subprocess.run(
        [sys.executable, "-m", "alchemer_nb", "demo", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(stand_in.parent), str(REPOSITORY)]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.notebook
def test_it_prints_the_frame_and_opens_jupyterlab_on_a_copy(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    shape = re.search(r"df\.shape = \((\d+), (\d+)\)", done.stdout)
    assert shape is not None, done.stdout
    assert int(shape[1]) > 50
    assert int(shape[2]) > 20
    assert re.search(r"^response_id", done.stdout, re.MULTILINE)
    assert "satisfied" in done.stdout, "answers, not metadata"
    assert re.search(r"^LAB alchemer_demo\S+quickstart\.ipynb", done.stdout, re.MULTILINE)
    copies = sorted(path.name for path in (tmp_path / "alchemer_demo").iterdir())
    assert copies == [
        "frames.ipynb",
        "large_surveys.ipynb",
        "quickstart.ipynb",
        "report.ipynb",
        "sign_in.ipynb",
        "tables_and_charts.ipynb",
    ]
    assert done.stderr == ""


@pytest.mark.notebook
def test_check_stops_before_jupyterlab_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = demo(tmp_path, "--check")
    assert done.returncode == 0, done.stderr
    assert "df.shape = (" in done.stdout
    assert "LAB" not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "modules"]


@pytest.mark.notebook
def test_a_notebook_that_fails_is_told_with_its_error(tmp_path: Path) -> None:
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cell = {**code, "source": "raise ValueError('the shop is closed')"}
    path = tmp_path / "broken.ipynb"
    path.write_text(
        json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    )
    with pytest.raises(DemoError, match=r"(?s)broken\.ipynb failed:.*the shop is closed") as caught:
        run_quickstart(path)
    assert "\x1b" not in str(caught.value)


def test_a_copy_that_the_user_has_changed_is_left_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "quickstart.ipynb"
    mine.write_text("mine")
    assert copy_notebooks(notebooks_folder(), tmp_path) == mine
    assert mine.read_text() == "mine"
    assert (tmp_path / "sign_in.ipynb").is_file()


def test_the_version_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert re.fullmatch(r"alchemer_nb \d+\.\d+\.\d+\n", capsys.readouterr().out)
