"""A notebook that was executed without a person, and what is made of its file."""

from __future__ import annotations

import pytest

from tests.leaks.search import CANARIES, MODES
from tests.leaks.walk import Walk

ENVIRONMENT = {
    "api_token": "ALCHEMER_API_TOKEN",
    "api_token_secret": "ALCHEMER_API_TOKEN_SECRET",
    "consumer_key": "ALCHEMER_CONSUMER_KEY",
    "consumer_secret": "ALCHEMER_CONSUMER_SECRET",
    "oauth_token": "ALCHEMER_OAUTH_TOKEN",
    "oauth_token_secret": "ALCHEMER_OAUTH_TOKEN_SECRET",
}
PARTS = {"key": 2, "two": 2, "three": 4}
CELLS = [
    "%load_ext alchemer_nb",
    'import alchemer_nb as al\nregion = al.Region.custom("{url}")',
    "%alchemer login --region {region}",
    "client = %alchemer client\nclient, vars(client), client.credentials",
    "%alchemer status",
    "df = %alchemer responses 5\ndf.attrs, df",
    "%alchemer surveys",
    "%history -n -o",
    "%config AlchemerMagics.short_errors = False",
    "%xmode Verbose",
    "%alchemer get survey/5/quotas",  # refused, with all that was sent
    "%tb",
]


@pytest.mark.notebook
@pytest.mark.parametrize(
    "mode",
    ["key", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("two", "three"))],
)
def test_an_executed_notebook_holds_no_secret(scripted, search, tmp_path, monkeypatch, mode):
    import nbformat  # these take a second, which every worker would need
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter, MarkdownExporter, PythonExporter

    walk = Walk(scripted, MODES[mode])
    walk.refuse(401, "survey/5/quotas")
    names = [*ENVIRONMENT][:2] if mode == "key" else [*ENVIRONMENT][2 : 2 + PARTS[mode]]
    for name in names:
        monkeypatch.setenv(ENVIRONMENT[name], CANARIES[name])
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "XDG_CONFIG_HOME", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    cells = [cell.replace("{url}", scripted.url) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, store_widget_state=True
    ).execute()
    file = tmp_path / "executed.ipynb"
    nbformat.write(notebook, file)
    saved = file.read_text("utf-8")
    assert "Made by hand" in saved  # it was signed in
    assert "_send_with_retries" in saved  # and the error was shown with its variables
    for exporter in (HTMLExporter, MarkdownExporter, PythonExporter):
        made = exporter().from_filename(str(file))[0]
        file.with_suffix(exporter().file_extension).write_text(made, "utf-8")
    search.folder(tmp_path)
