"""The notebooks are the documentation: they run, and they are committed clean."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import nbformat

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def the(name: str) -> Path:
    return next(path for path in NOTEBOOKS if path.stem == name)


def executed(path: Path, folder: Path, tell: str, before: int) -> nbformat.NotebookNode:
    """Runs a notebook with one more cell, which stands before the last ``before`` cells."""
    import nbformat  # takes a second, which every worker would need
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(len(notebook.cells) - before, nbformat.v4.new_code_cell(tell))
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    return [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]


def test_there_are_notebooks() -> None:
    names = [path.stem for path in NOTEBOOKS]
    assert names == [
        "frames", "large_surveys", "quickstart", "report", "sign_in", "tables_and_charts",
    ]  # fmt: skip


def test_they_are_committed_without_outputs() -> None:
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text("utf-8"))
        assert notebook["nbformat"] == 4, path
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["outputs"] for cell in cells] == [[]] * len(cells), path
        assert {cell["execution_count"] for cell in cells} == {None}, path
        assert "widgets" not in notebook["metadata"], path


@pytest.mark.notebook
@by_name
def test_it_is_a_valid_notebook(path: Path) -> None:
    import nbformat  # takes a second, which every worker would need

    nbformat.validate(json.loads(path.read_text("utf-8")))


@by_name
def test_it_holds_no_secret(path: Path) -> None:
    # Keys, secrets and tokens are runs of 20 or more hexadecimal or Base64 letters.
    source = "".join("".join(c["source"]) for c in json.loads(path.read_text("utf-8"))["cells"])
    assert re.findall(r"(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}", source) == []


@pytest.mark.notebook
def test_the_quickstart_ends_with_the_frame_that_it_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_credentials(monkeypatch)
    tell = (
        "import json, pandas as pd\n"
        "print(json.dumps([len(df), df.index.name, df.index.is_unique, df.index.dtype.name,\n"
        "    df['status'].unique().tolist(), str(df['date_submitted'].min()),\n"
        "    df['nps'].dtype.name, df['region'].cat.categories.tolist(), len(northern),\n"
        "    northern['region'].unique().tolist()]))"
    )
    notebook = executed(the("quickstart"), tmp_path, tell, before=0)
    rows, name, unique, dtype, status, first, nps, regions, northern, of = json.loads(
        notebook.cells[-1].outputs[0].text
    )
    assert rows > northern > 10
    assert (name, unique, dtype) == ("response_id", True, "int64")
    assert status == ["Complete"]
    assert first >= "2026-01-01"
    assert nps == "float64"
    assert regions[:4] == ["North", "South", "East", "West"]
    assert of == ["North"]
    assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []


@pytest.mark.notebook
def test_every_way_to_sign_in_shows_the_account_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_credentials(monkeypatch)
    tell = (
        "import json\n"
        "print(json.dumps([box.api_token, box.api_token_secret, box.consumer_key,\n"
        "    box.consumer_secret, box.password, landed_on]))"
    )
    notebook = executed(the("sign_in"), tmp_path, tell, before=1)  # the sandbox is stopped last
    *shown, told, answers = outputs(notebook)
    assert "satisfaction" in answers["data"]["text/plain"]
    text = json.dumps([*shown, answers])
    tables = [o for o in shown if "organization" in json.dumps(o)]
    assert len(tables) == 3
    *secrets, landed_on = json.loads(told["text"])
    secrets += re.findall(r"(?:oauth_token|oauth_verifier)=([^&]+)", landed_on)
    assert len(secrets) == 7
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.notebook
def test_what_a_frame_knows_is_true_and_its_files_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_credentials(monkeypatch)
    # Its folder is made with tempfile, which looks here.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tell = (
        "import json\n"
        "print(json.dumps(dict(relabelled=german.equals(fresh), names=list(german.columns),\n"
        "    from_parquet=again.equals(df), rows=len(df), joined=len(joined), last=len(last),\n"
        "    top=df.alchemer.top('satisfaction', 2), known=known.alchemer.columns('channels'),\n"
        "    waves=waves.index.get_level_values('wave').value_counts().to_dict(),\n"
        "    unchanged=survey.diff(client.survey('Customer satisfaction 2025')).empty,\n"
        "    edited=survey.diff(saved)[['change', 'before', 'after']].values.tolist(),\n"
        "    emails=df['email'].dropna().tolist(), hashes=shared['email'].dropna().tolist(),\n"
        "    folder=str(folder))))"
    )
    notebook = executed(the("frames"), tmp_path, tell, before=0)
    told = json.loads(notebook.cells[-1].outputs[0].text)
    assert told["relabelled"]
    assert told["names"][0].startswith("Haben Sie in den letzten 12 Monaten")
    assert told["from_parquet"]
    assert told["joined"] == told["rows"]
    assert told["known"][:2] == ["channels_web", "channels_shop"]
    assert told["waves"] == {"2025": told["last"], "2026": told["rows"]}
    assert told["unchanged"]
    assert told["edited"] == [["label changed", "Delighted", "Very satisfied"]]
    assert len(told["hashes"]) == len(told["emails"]) > 100
    assert not set(told["hashes"]) & set(told["emails"])
    assert Path(told["folder"]).parent == tmp_path
    files_read_back(Path(told["folder"]), told["rows"], told["top"])
    assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []


def files_read_back(folder: Path, rows: int, top: float) -> None:
    """Reads the notebook's files with what their users have, not with this package."""
    import pandas as pd
    import pyreadstat

    for name, read in (("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)):
        frame, meta = read(folder / f"responses.{name}", apply_value_formats=True)
        assert len(frame) == rows
        assert meta.column_names_to_labels["region"] == "In which part of the country do you live?"
        answers = frame["satisfaction"][frame["satisfaction"] != "Not applicable"].dropna()
        assert answers.isin(["Very satisfied", "Satisfied"]).mean() == pytest.approx(top)
    sheets = pd.read_excel(folder / "responses.xlsx", sheet_name=None)
    assert len(sheets["responses"]) == rows
    assert sheets["codebook"]["column"].tolist() == sheets["responses"].columns.tolist()
    assert "$channels" in (folder / "responses.mrsets.sps").read_text("utf-8-sig")


def clear_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("ALCHEMER_")]:
        monkeypatch.delenv(name)


@pytest.mark.notebook
def test_tables_and_charts_say_what_plain_pandas_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_credentials(monkeypatch)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tell = (
        "import json\n"
        "north = df.loc[df['region'] == 'North', 'satisfaction'].dropna()\n"
        "north = north[north != 'Not applicable']\n"
        "group = table.frame['In which part of the country do you live?']['North']['percent']\n"
        "met = weighted.groupby('region', observed=True)['weight'].sum()\n"
        "print(json.dumps([group['Pleased'],\n"
        "    100 * north.isin(['Very satisfied', 'Satisfied']).mean(),\n"
        "    (met / met.sum()).round(3).tolist()]))"
    )
    notebook = executed(the("tables_and_charts"), tmp_path, tell, before=0)
    pleased, expected, shares = json.loads(notebook.cells[-1].outputs[0].text)
    assert pleased == pytest.approx(expected)
    assert shares == [0.3, 0.3, 0.2, 0.2]
    charts = [o for o in outputs(notebook) if "image/svg+xml" in o.get("data", {})]
    assert len(charts) == 5
    assert {*charts[0]["data"]} == {"text/html", "image/svg+xml", "image/png", "text/plain"}
    assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []


@pytest.mark.notebook
def test_the_report_is_written_and_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clear_credentials(monkeypatch)
    tell = "print(len(careful), report.questions)"
    notebook = executed(the("report"), tmp_path, tell, before=0)
    careful, questions = map(int, notebook.cells[-1].outputs[0].text.split())
    assert careful > 300
    pages = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.html")}
    assert [*sorted(pages)] == ["careful.html", "customers.html", "waves.html"]
    assert pages["careful.html"].count("<section id=") == questions == 4
    assert "Weighted by weight" in pages["careful.html"]
    links = [o["data"]["text/html"] for o in outputs(notebook)
             if "customers.html" in json.dumps(o.get("data", {}))]  # fmt: skip
    assert '<a href="customers.html"' in links[0]
    assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []


@pytest.mark.notebook
def test_large_surveys_are_downloaded_kept_and_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_credentials(monkeypatch)
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    tell = (
        "import json, pandas as pd\n"
        "pd.testing.assert_frame_equal(stored, hourly)\n"
        "counts = stored[stored['status'] == 'Complete']['satisfaction'].value_counts(sort=False)\n"
        "queried = by_satisfaction.dropna().set_index('satisfaction')['responses']\n"
        "assert [*queried.items()] == [*counts[counts > 0].items()]\n"
        "print(json.dumps([len(df), len(later), len(complete), len(stored), len(after),\n"
        "    changes['change'].value_counts().to_dict(), len(new),\n"
        "    [client.scan('Customer satisfaction', test_rows=t, progress='none').count_rows()\n"
        "     for t in ('include', 'exclude')],\n"
        "    stored.alchemer.relabel(values='code').shape == stored.shape]))"
    )
    notebook = executed(the("large_surveys"), tmp_path, tell, before=0)
    rows, later, complete, stored, after, changes, new, scanned, same = json.loads(
        notebook.cells[-1].outputs[0].text
    )
    assert later == 6000 > rows > complete > 4000
    assert changes == {"added": new, "changed": 1, "removed": 2}
    assert scanned == [6000 + new - 3, after]
    assert stored == after + 1
    assert same
