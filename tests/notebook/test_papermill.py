"""papermill: credentials from the environment, a cell of parameters, and a failure that stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.sandbox import Sandbox

pytestmark = pytest.mark.notebook

BEGIN = """
%load_ext alchemer_nb
from alchemer_nb import Region
box = Region.custom(address, timezone="America/New_York")
%alchemer login --region {box}
"""
STOP = """
from alchemer_nb import Job, run_sync
client = %alchemer client
job = Job.start(client, 9000001)
job.cancel()
run_sync(job)
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: Sandbox):
    """Runs cells, of which the first has the parameters, with papermill."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("ALCHEMER_API_TOKEN", box.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", box.api_token_secret)

    def run(*cells: str, **parameters: Any) -> Any:
        import nbformat  # takes a second, which every worker would need
        import papermill

        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]  # no annotations
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]  # the same
        notebook.cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata["kernelspec"] = kernel
        given, done = tmp_path / "given.ipynb", tmp_path / "done.ipynb"
        nbformat.write(notebook, given)  # type: ignore[no-untyped-call]  # the same
        try:
            papermill.execute_notebook(
                given, done, parameters, progress_bar=False, log_output=False, cwd=tmp_path
            )
        except papermill.PapermillExecutionError as error:
            return error, nbformat.read(done, 4)  # type: ignore[no-untyped-call]  # the same
        return None, nbformat.read(done, 4)  # type: ignore[no-untyped-call]  # the same

    return run


def test_parameters_and_the_environment(run, box: Sandbox) -> None:
    error, notebook = run(
        "address, since, limit = '', None, None",
        BEGIN,
        "df = %alchemer responses 9000001 --since {since} --limit {limit}\nprint(len(df))",
        address=box.url,
        limit=7,
    )
    assert error is None
    last = notebook.cells[-1].outputs
    assert last[-1].text.split() == ["7"]
    assert "→ 7 rows" in last[0].data["text/plain"], "a receipt, and no bar"
    assert box.api_token_secret not in str(notebook)


@pytest.mark.parametrize("cell", [STOP, "%alchemer responses 1"], ids=["stopped", "failed"])
def test_a_cell_that_fails_ends_the_run(run, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    # Of several pages, so that a job cannot end before it is stopped.
    with copied_box(responses=1003, latency=0.2, **NO_LIMITS) as large:
        monkeypatch.setenv("ALCHEMER_API_TOKEN", large.api_token)
        monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", large.api_token_secret)
        error, notebook = run("address = ''", BEGIN, cell, "print('went on')", address=large.url)
    assert error.ename in ("DownloadIncomplete", "NotFound")
    assert "\n" not in error.evalue
    assert [output.output_type for output in notebook.cells[-2].outputs][-1] == "error"
    assert notebook.cells[-1].outputs == []
