"""Charts in JupyterLab: read aloud, as wide as there is room, in a notebook of a stranger, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from tests.analysis.frames import customers

from .lab import THEMES, Notebook, new_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .lab import Server, Theme

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", THEMES)
def test_a_chart_of_an_untrusted_notebook(lab: Server, chromium: Browser, theme: Theme) -> None:
    chart = customers().alchemer.plot("nps", by="region_q3")
    bundle = chart._repr_mimebundle_()
    bundle["image/png"] = "iVBORw0KGgo="  # not what is shown
    path = lab.write("charts.ipynb", ["chart"])
    notebook = nbformat.from_dict(json.loads(path.read_text("utf-8")))
    notebook.cells[0].outputs = [nbformat.v4.new_output("execute_result", bundle)]
    nbformat.write(notebook, path)
    lab.configure(theme=theme)
    with new_context(chromium, wide=640) as context:
        opened = Notebook.open(lab, context, path.name)
        output = opened.output(0)
        picture = output.get_by_role("img", name=chart.description)
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") > 500
        wide = output.locator(".jp-RenderedHTMLCommon").evaluate("e => e.clientWidth")
        assert picture.evaluate("image => image.clientWidth") <= wide < 560
        title = output.get_by_text(chart.title, exact=True)
        ink = title.evaluate("element => getComputedStyle(element).color")
        light = sum(
            map(int, ink.removeprefix("rgb(").removeprefix("rgba(").split(")")[0].split(",")[:3])
        )
        assert light > 600 if theme == "dark" else light < 150
        opened.screenshot(f"chart-{theme}")
