"""The package as a whole: its version, what loading it costs, what the repository holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import alchemer_nb

REPOSITORY = Path(__file__).resolve().parents[1]

HEAVY = {
    *("anywidget", "ipywidgets", "msgspec", "numpy", "oauthlib", "pandas", "pyarrow"),
    *("requests", "requests_oauthlib", "tornado.web", "urllib3"),
}

LOADING = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_cell("import alchemer_nb").raise_error()
shell.run_cell("%load_ext alchemer_nb").raise_error()
assert "alchemer" in shell.magics_manager.magics["line"], "the extension is not loaded"
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_version_is_said_in_one_voice() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert alchemer_nb.__version__ == project["version"]
    try:
        assert version("alchemer_nb") == project["version"]
    except PackageNotFoundError:
        pytest.skip("run from the checkout without an installation")


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(alchemer_nb, name) is not None for name in alchemer_nb.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        alchemer_nb.nonsense  # noqa: B018  # the access is what is tested


def test_loading_the_extension_is_light() -> None:
    # A bare IPython has loaded less than a kernel, so what passes here passes there.
    done = subprocess.run(
        [sys.executable, "-c", LOADING],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONPATH": str(REPOSITORY), "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded & HEAVY == set()


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z"], capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = REPOSITORY / name
        if path.is_file():
            try:
                texts[name] = path.read_text("utf-8")
            except UnicodeDecodeError:  # a picture
                continue
    return texts


# In pieces, so that this file does not find itself.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+)/",
    "the host of a package registry": r"py" + r"pi\.org|python" + r"hosted|npm" + r"js|anaconda\.",
    "the address of a package index": r"index" + r"[-_]url",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_repository_does_not_hold(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name}:{number}"
        for name, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
