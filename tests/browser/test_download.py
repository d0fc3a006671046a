"""A download as a person meets it in JupyterLab: the bar, Cancel, a job beside the cells."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .lab import THEMES, Notebook

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

    from alchemer_nb.sandbox import Sandbox
    from tests.gate import Gate

    from .lab import Server, Theme

pytestmark = pytest.mark.browser

DOWNLOAD, AFTER = 1, 2


def opened(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate, name: str, *cells: str
) -> Notebook:
    """Opens a notebook whose client asks for one page at a time, and runs its first cell."""
    begin = (
        "%load_ext alchemer_nb\n"
        "from alchemer_nb import ApiKey, Client, Region\n"
        f'box = Region.custom("{gate.url}", name="sandbox", label="Sandbox")\n'
        f'key = ApiKey("{box.api_token}", "{box.api_token_secret}")\n'
        "client = Client(key, region=box, max_in_flight=1)\n"
        "%alchemer switch client"
    )
    lab.write(f"{name}.ipynb", [begin, *cells])
    notebook = Notebook.open(lab, context, f"{name}.ipynb")
    expect(notebook.run(0)).to_contain_text("Larkmoor")
    return notebook


def cancel(notebook: Notebook, cell: int = DOWNLOAD) -> Locator:
    # Icons count as a letter of the name.
    return notebook.output(cell).get_by_role("button", name=re.compile(r"^\W*Cancel$"))


@pytest.mark.timed
@pytest.mark.parametrize("theme", THEMES)
def test_cancel_stops_the_running_cell_and_nothing_dead_is_saved(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate, theme: Theme
) -> None:
    lab.configure(theme=theme, save_widget_state=True)
    notebook = opened(
        lab, context, box, gate, f"cancel-{theme}",
        '%alchemer df << responses "Customer satisfaction"',
        "df = %alchemer partial\ndf.shape",
    )  # fmt: skip
    gate.close(page=3)
    notebook.start(DOWNLOAD)
    output = notebook.output(DOWNLOAD)
    expect(output).to_contain_text("1,000 of 2,500 responses · page 2 of 5")
    expect(output.locator("table")).to_contain_text("response_id")
    notebook.screenshot(f"progress-bar-{theme}")
    began = time.monotonic()
    cancel(notebook).click()
    expect(output).to_contain_text("had come when it was stopped")
    assert time.monotonic() - began < 1.0
    expect(cancel(notebook)).to_have_count(0)
    expect(output.locator("table")).to_have_count(0)
    expect(output).not_to_contain_text("DownloadIncomplete")
    expect(output.locator("[data-mime-type$=stderr], [data-mime-type$=error]")).to_have_count(0)
    notebook.screenshot(f"progress-cancelled-{theme}")
    expect(notebook.run(AFTER)).to_contain_text(re.compile(r"\(\d+, \d+\)"))
    saved = notebook.save()
    assert "Cancel" not in saved
    assert notebook.errors == []


def test_a_download_to_its_end_leaves_its_receipt(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate
) -> None:
    notebook = opened(
        lab, context, box, gate, "whole",
        '%alchemer df << responses "Customer satisfaction" --complete',
        '%alchemer df << responses "Customer satisfaction" --complete',
    )  # fmt: skip
    gate.close(page=2)
    notebook.start(DOWNLOAD)
    expect(cancel(notebook)).to_be_visible()
    gate.open()
    for cell in (DOWNLOAD, AFTER):  # with a bar, and from memory without one
        output = notebook.output(DOWNLOAD) if cell == DOWNLOAD else notebook.run(AFTER)
        expect(output).to_contain_text("rows × ")
        expect(output.get_by_role("button")).to_have_count(0)
    notebook.screenshot("progress-receipt")


def test_jobs_beside_the_cells_show_themselves_and_give_the_name_or_stop(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate
) -> None:
    notebook = opened(
        lab, context, box, gate, "beside",
        '%alchemer df << responses "Customer satisfaction" --background --values code',
        "early = %alchemer partial\nlen(early)",
        "df.shape",
        "%alchemer df << responses 9000001 --background --until 2030-01-01",
    )  # fmt: skip
    gate.close(page=3)
    output = notebook.run(DOWNLOAD)
    expect(output).to_contain_text("1,000 of 2,500 responses · page 2 of 5")
    expect(output).to_contain_text("→ df")
    expect(notebook.run(AFTER)).to_contain_text(re.compile(r"\d+"))
    expect(cancel(notebook)).to_be_visible()
    notebook.screenshot("progress-background")
    gate.open()
    expect(output).to_contain_text("df = Customer satisfaction")
    expect(cancel(notebook)).to_have_count(0)
    expect(notebook.run(3)).to_contain_text("46)")
    notebook.screenshot("progress-background-done")
    gate.close(page=2)
    output = notebook.run(4)
    expect(output).to_contain_text("responses · page 1 of 5")
    cancel(notebook, 4).click()
    expect(output).to_contain_text("t was stopped")
    expect(cancel(notebook, 4)).to_have_count(0)
    assert "Cancel" not in notebook.save()
    notebook.screenshot("progress-background-cancelled")


@pytest.mark.timed
def test_a_sync_has_the_same_bar_and_goes_on_after_cancel(
    lab: Server, context: BrowserContext, box: Sandbox, gate: Gate
) -> None:
    notebook = opened(  # its store lies in the folder that is JupyterLab's home here
        lab, context, box, gate, "sync",
        '%alchemer sync "Customer satisfaction"',
        '%alchemer sync "Customer satisfaction"',
    )  # fmt: skip
    gate.close(page=3)
    notebook.start(DOWNLOAD)
    output = notebook.output(DOWNLOAD)
    expect(output).to_contain_text("1,000 of 2,500 responses · page 2 of 5")
    notebook.screenshot("sync-bar")
    began = time.monotonic()
    cancel(notebook).click()
    expect(output).to_contain_text("The sync was stopped; what came is kept")
    assert time.monotonic() - began < 1.0
    expect(cancel(notebook)).to_have_count(0)
    gate.open()
    expect(notebook.run(AFTER)).to_contain_text("went on at page")
    expect(notebook.output(AFTER).get_by_role("button")).to_have_count(0)
    assert "Cancel" not in notebook.save()
    assert notebook.errors == []
