"""Notebooks that were saved, and are opened again when their kernel is gone; and Notebook 7."""

from __future__ import annotations

import re
import shutil
from html import unescape
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .lab import Notebook
from .test_download import cancel, opened

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from alchemer_nb.sandbox import Sandbox
    from tests.gate import Gate

    from .lab import Server

pytestmark = pytest.mark.browser
SURVEY = '"Customer satisfaction"'
CELLS = (
    f"%alchemer df << responses {SURVEY} --background",
    # With a client of its own, as the other waits with the one call that it may make at once.
    "from alchemer_nb import Job\njob = Job.start(Client(key, region=box), 9000001)\njob",
    "%alchemer login --region eu",
)


def test_a_saved_notebook_says_what_was_last_known(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate
) -> None:
    notebook = opened(lab, context, box, gate, "saved", *CELLS)
    gate.close(page=3)
    bar, job, panel = (notebook.run(index) for index in (1, 2, 3))
    expect(bar).to_contain_text("page 2 of 5")
    expect(job).to_contain_text(re.compile(r"Job running at [\d:]+ on [\d-]+ · .* page 2 of 5"))
    expect(panel.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    notebook.save()
    running = notebook.path.with_name("running.ipynb")
    shutil.copy(notebook.path, running)
    gate.open()
    expect(bar).to_contain_text("df = Customer satisfaction")
    expect(job).to_contain_text("Job done · Customer satisfaction")
    expect(bar).not_to_contain_text("If no bar")
    text = notebook.save()
    assert "Job running" not in text
    assert "If no bar" not in text
    notebook.page.close()
    lab.end_kernels()
    reopened = Notebook.open(lab, context, running.name)
    bar, job, panel = (reopened.output(index) for index in (1, 2, 3))
    expect(bar).to_contain_text("model not found")  # what JupyterLab says of a widget that is gone
    expect(bar).to_contain_text(re.compile(r"Began at \d\d:\d\d on .* was still running when"))
    expect(job).to_contain_text(re.compile(r"Job running at [\d:]+ on [\d-]+"))
    expect(panel).to_contain_text(re.compile(r"besides Larkmoor Outdoor"))
    expect(panel).to_contain_text("%alchemer login --prompt needs no panel")
    reopened.screenshot("reopened")


def test_a_page_of_nbconvert_has_the_same_words(tmp_path) -> None:
    import nbformat
    from nbconvert import HTMLExporter

    from alchemer_nb.notebook.kernel.outputs import line_bundle
    from alchemer_nb.notebook.running.progress_views import _IF_NO_BAR

    data = line_bundle(_IF_NO_BAR, dim=True)
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("display_data", data)])
    page = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]
    assert _IF_NO_BAR in unescape(page)


def test_notebook_7_has_panel_bar_and_cancel(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate
) -> None:
    begin = f"""
%load_ext alchemer_nb
from alchemer_nb import ApiKey, Client, Region
box = Region.custom("{gate.url}", name="sandbox", label="Sandbox", timezone="America/New_York")
client = Client(ApiKey("{box.api_token}", "{box.api_token_secret}"), region=box, max_in_flight=1)
%alchemer login --region {{box}}"""
    lab.write(
        "seven.ipynb",
        [begin, f"%alchemer switch client\n%alchemer df << responses {SURVEY}", "df.shape"],
    )
    notebook = Notebook.open_in_notebook_7(lab, context, "seven.ipynb")
    panel = notebook.run(0)
    expect(panel.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    notebook.page.keyboard.press("Escape")
    gate.close(page=2)
    notebook.start(1)
    output = notebook.output(1)
    expect(output).to_contain_text("page 1 of 5")
    cancel(notebook).click()
    expect(output).to_contain_text("had come when it was stopped")
    expect(panel).to_contain_text("Signed in to Larkmoor Outdoor")
    notebook.screenshot("notebook-7")
