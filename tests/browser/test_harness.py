"""The harness itself, on a notebook that has nothing to do with this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from .lab import Window

pytestmark = pytest.mark.browser

GREETER = """
import ipywidgets as W
from IPython.display import display
name, button, out = W.Text(description="name"), W.Button(description="Greet"), W.Output()
def greet(_):
    with out: print("hello,", name.value)
button.on_click(greet)
display(W.VBox([name, button, out]))
"""


@pytest.mark.parametrize("kept", [True, False])
def test_a_widget_answers_and_its_state_is_saved_only_when_asked(
    window: Window, kept: bool
) -> None:
    window.server.configure(theme="light" if kept else "dark", save_widget_state=kept)
    window.server.write("greeter.ipynb", [GREETER])
    notebook = window.open("greeter.ipynb")
    notebook.run(0)
    notebook.page.fill(".widget-text input", "Ada Canary")
    notebook.page.click("button.jupyter-button:has-text('Greet')")
    expect(notebook.output(0)).to_contain_text("hello, Ada Canary")
    body = notebook.page.locator("body")
    expect(body).to_have_attribute("data-jp-theme-light", "true" if kept else "false")
    assert ('"value": "Ada Canary"' in notebook.save()) is kept
