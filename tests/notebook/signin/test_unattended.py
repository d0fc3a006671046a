"""``%alchemer login`` where no panel can be used: the run stops, and says why."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.sandbox import Sandbox

pytestmark = pytest.mark.notebook
NOTHING = ("ALCHEMER_API_TOKEN", "ALCHEMER_CONSUMER_KEY", "'default'")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started find no profile, and no keychain."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def executed(*cells: str) -> list[tuple[str, str]]:
    """Runs cells as papermill does; the error of each, its name and its text, where it failed."""
    import nbformat  # takes a second, which every worker would need
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]  # no annotations
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]  # the same
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True).execute()
    return [failure(cell.outputs) for cell in notebook.cells]


def failure(outputs: list[Any]) -> tuple[str, str]:
    for output in outputs:
        assert "sign-in panel" not in str(output), "a panel that nobody sees"
        if output.output_type == "error":
            return output.ename, " ".join(output.evalue.split())
    return "", ""


def test_a_run_without_a_person_fails_with_the_reason(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = f"from alchemer_nb import Region; box = Region.custom({box.url!r})"
    loaded, nothing, nosuch, half, refused, works = executed(
        f"%load_ext alchemer_nb\nimport os\n{region}",
        "%alchemer login",
        "%alchemer login --profile nosuch",
        "os.environ['ALCHEMER_API_TOKEN'] = 'CANARYtoken'\n%alchemer login",
        "os.environ['ALCHEMER_API_TOKEN_SECRET'] = 'CANARYsecret'\n%alchemer login --region {box}",
        f"os.environ['ALCHEMER_API_TOKEN'] = {box.api_token!r}\n"
        f"os.environ['ALCHEMER_API_TOKEN_SECRET'] = {box.api_token_secret!r}\n"
        "%alchemer login --region {box}",
    )
    assert loaded == works == ("", "")
    assert nothing[0] == nosuch[0] == half[0] == "ConfigurationError"
    assert [name for name in NOTHING if name not in nothing[1]] == []
    assert "'nosuch'" in nosuch[1]
    assert "ALCHEMER_API_TOKEN_SECRET is not" in half[1]
    assert refused[0] == "AuthenticationError"
    assert "refused" in refused[1]
    assert "CANARY" not in str((nothing, nosuch, half, refused))


def test_a_terminal_says_how_to_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(line: str) -> subprocess.CompletedProcess[str]:
        cell = f"%load_ext alchemer_nb\n%alchemer {line}\nprint('went on')"
        return subprocess.run(
            [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", cell],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    nothing = ended("login")
    assert nothing.returncode != 0
    shown = nothing.stdout + nothing.stderr
    assert "went on" not in shown
    assert [name for name in (*NOTHING, "--prompt") if name not in shown] == []
    monkeypatch.setenv("ALCHEMER_API_TOKEN", "CANARY-half")
    half = ended("login")
    assert half.returncode != 0
    shown = half.stdout + half.stderr
    assert "ALCHEMER_API_TOKEN_SECRET is not" in shown
    assert "--prompt" in shown
