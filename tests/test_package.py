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
from packaging.requirements import Requirement

import alchemer_nb
from alchemer_nb.errors import ConfigurationError
from alchemer_nb.files import import_optional

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


LOADED = """
import json, sys
print(json.dumps(sorted(sys.modules)))
"""

PUBLIC = [
    *("ApiKey", "Client", "Job", "OAuth1", "OAuthFlow", "Region", "Retries", "connect", "errors"),
    *("read_parquet", "read_spss", "read_stata", "run_sync", "sandbox", "stack_waves"),
]

COMPLETION = """
import json
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import alchemer_nb as al; from alchemer_nb import *").raise_error()
for shell.Completer.use_jedi in (True, False):
    with provisionalcompleter():
        found = [each.text.rpartition(".")[2] for each in shell.Completer.completions("al.", 3)]
    print(json.dumps(sorted(found)))
"""


def run_python(code: str) -> list[str]:
    """Return the lines that a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONPATH": str(REPOSITORY), "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_version_is_said_in_one_voice() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert alchemer_nb.__version__ == project["version"]
    try:
        assert version("alchemer_nb") == project["version"]
    except PackageNotFoundError:
        pytest.skip("run from the checkout without an installation")


def test_the_public_names_are_these() -> None:
    assert alchemer_nb.__all__ == PUBLIC
    assert dir(alchemer_nb) == PUBLIC
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        alchemer_nb.nonsense  # noqa: B018  # the access is what is tested


def test_every_public_name_is_there_without_a_second_import() -> None:
    assert run_python(
        "from alchemer_nb import *\nprint(*sorted(n for n in dir() if n[0] != '_'))"
    ) == [" ".join(PUBLIC)]
    lazy = "al.errors.RateLimited, al.sandbox.Sandbox, al.__version__"
    assert run_python(f"import alchemer_nb as al\nprint(None in ({lazy}))") == ["False"]


def test_completion_offers_public_names_alone() -> None:
    # In a process of its own, where every folder of the package was imported before.
    assert [json.loads(line) for line in run_python(COMPLETION)[-2:]] == [PUBLIC, PUBLIC]


def test_loading_the_extension_is_light() -> None:
    # A bare IPython has loaded less than a kernel, so what passes here passes there.
    loaded = set(json.loads(run_python(LOADING)[-1]))
    assert loaded & HEAVY == set()


def test_importing_the_package_loads_neither_pandas_nor_the_sandbox() -> None:
    loaded = set(json.loads(run_python("import alchemer_nb\n" + LOADED)[-1]))
    assert loaded & {*HEAVY, "alchemer_nb.errors", "alchemer_nb.sandbox"} == set()


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


@pytest.mark.parametrize(
    ("module", "extra"),
    [("duckdb", "sql"), ("dask.dataframe", "dask"), ("polars", "polars"), ("openpyxl", "excel")],
)
def test_a_missing_package_is_named_as_pip_finds_it(
    module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    monkeypatch.setitem(sys.modules, module, None)  # what Python itself keeps for "cannot import"
    with pytest.raises(
        ConfigurationError, match=f"this needs {module.partition('.')[0]}"
    ) as raised:
        import_optional(module, extra)
    advised = re.findall(r'%pip install ((?:"[^"]+" ?)+)', raised.value.hint)[0]
    wanted = {Requirement(line) for line in project["optional-dependencies"][extra]}
    assert {Requirement(line) for line in re.findall(r'"([^"]+)"', advised)} == wanted
