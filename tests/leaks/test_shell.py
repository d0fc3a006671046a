"""What IPython keeps and shows: history, variables, tracebacks, the debugger."""

from __future__ import annotations

import io
import json
import pdb
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout

import comm
import pytest
from traitlets.config import Config

from tests.leaks.search import CANARIES, MODES
from tests.leaks.walk import VERIFIER, Walk, returned_to
from tests.notebook.conftest import new_shell
from tests.notebook.signin.page import Page, Wire

FORMS = {
    "key": ["api_token", "api_token_secret"],
    "two": ["consumer_key", "consumer_secret"],
    "three": ["consumer_key", "consumer_secret"],
}
CELLS = [
    "%alchemer status",
    "client = %alchemer client\nclient, vars(client), dir(client), client.credentials",
    "df = %alchemer responses 5\ndf.attrs",
    "%alchemer surveys",
    "%alchemer sync 5",
    "%who",
    "%whos",
    "%history -n -o",
    "%config AlchemerMagics",
    "In, Out",
]


@pytest.fixture
def wire(monkeypatch):
    wire = Wire()
    monkeypatch.setattr(comm, "create_comm", wire.comm)
    return wire


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell that keeps its history in a file."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("DISPLAY", "")
    config = Config()
    config.HistoryManager.hist_file = str(tmp_path / "history.sqlite")
    config.HistoryManager.db_cache_size = 0
    with new_shell(config) as shell:
        shell.run_cell("%load_ext alchemer_nb", store_history=True)
        yield shell


def run(shell, cell):
    """What a cell shows."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        result = shell.run_cell(cell, store_history=True)
        if result.result is not None:
            print(shell.display_formatter.format(result.result))  # noqa: T201 - as a kernel would
    return said.getvalue()


def signed_in_by_panel(shell, wire, walk, mode):
    """Shows the panel and submits it, as a person does."""
    shell.user_ns["region"] = walk.server.region
    how = "key" if mode == "key" else "oauth"
    shown = run(shell, f"%alchemer login --region {{region}} --mode {how}")
    assert "The sign-in panel" in shown, shown
    session = shell.magics_manager.registry["AlchemerMagics"].session
    page = Page(session.panel, wire)
    page.submit({"two_legged": mode == "two"}, **{name: CANARIES[name] for name in FORMS[mode]})
    if mode == "three":
        page.submit(pasted=returned_to(VERIFIER))
    assert session.status().signed_in
    return shown, page


LONG = [pytest.param(mode, marks=pytest.mark.long) for mode in ("two", "three")]


@pytest.mark.parametrize("mode", ["key", *LONG])
def test_no_shell_keeps_a_secret(scripted, search, shell, wire, tmp_path, mode):
    walk = Walk(scripted, MODES[mode])
    shown, page = signed_in_by_panel(shell, wire, walk, mode)
    search.text("login", shown)
    for cell in CELLS:
        search.text(cell, run(shell, cell))
    walk.refuse(401, "survey/5/quotas")
    failing = "%alchemer get survey/5/quotas"
    assert "refused" in run(shell, failing)
    search.text("an error", run(shell, failing), run(shell, "%tb"))
    run(shell, "%config AlchemerMagics.short_errors = False")
    run(shell, "%xmode Verbose")
    said = run(shell, failing)
    assert "transport.py" in said
    search.text("an error with its variables", said)
    error = sys.last_value
    search.text("%debug", debugged(error))
    search.error("the error", error)
    search.thing("variables", shell.user_ns, computed=True)
    # The link to the log-in page has a request token, which the browser has to know.
    sent = [each for each in wire if "'type': 'link'" not in str(each)]
    search.text("sent to the page", json.dumps(sent, default=str))
    widgets = (page.panel, page.panel.form, page.panel.status, page.panel.region)
    search.text("widgets", *(json.dumps(each.get_state(), default=str) for each in widgets))
    shell.history_manager.writeout_cache()
    search.folder(tmp_path)
    assert (tmp_path / "history.sqlite").stat().st_size > 0
    page.panel.close()


def debugged(error):
    """What a debugger shows that goes through all frames of an error."""
    said = io.StringIO()
    frames = len(traceback.extract_tb(error.__traceback__))
    asked = io.StringIO("bt\n" + "args\np locals()\nup\n" * frames + "q\n")
    # IPython's own would make a shell of the terminal, which stays; kernels show `%debug` itself.
    debugger = pdb.Pdb(stdin=asked, stdout=said, nosigint=True, readrc=False)
    debugger.reset()
    debugger.interaction(None, error.__traceback__)
    assert "http/transport.py" in said.getvalue()  # it went through our frames
    return said.getvalue()
