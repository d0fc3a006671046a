"""The pictures of README and documentation can be taken: the sign-in panel, and a result.

``make pictures`` runs this and puts what it took into ``docs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .lab import THEMES, Window, new_context, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, FloatRect

    from .lab import Notebook, Server, Theme

pytestmark = pytest.mark.browser
WIDE = 880

PANEL = [
    "%load_ext alchemer_nb\n%alchemer login",
    'df = %alchemer responses "Customer satisfaction" --complete',
]
RESULT = [
    "%load_ext alchemer_nb\n%alchemer demo",
    'df = %alchemer responses "Customer satisfaction" --complete',
    'df.alchemer.table("satisfaction", by="region")',
    'df.alchemer.plot("satisfaction", by="region")',
    "df.alchemer.base_sizes()",
]


@pytest.fixture(scope="module")
def sharp_window(running_lab: Server, chromium: Browser) -> Iterator[Window]:
    with new_context(chromium, wide=WIDE, scale=2) as context:
        yield Window(running_lab, context)


@pytest.fixture
def open_notebook(lab: Server, sharp_window: Window) -> Iterator[Callable[..., Notebook]]:
    def opened(theme: Theme, name: str, cells: list[str], high: int) -> Notebook:
        lab.configure(theme=theme)
        lab.write(f"{name}.ipynb", cells)
        notebook = sharp_window.open(f"{name}.ipynb")
        notebook.page.set_viewport_size({"width": WIDE, "height": high})
        return notebook

    yield opened
    sharp_window.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_fits_the_picture(open_notebook: Callable[..., Notebook], theme: Theme) -> None:
    notebook = open_notebook(theme, "panel", PANEL, 760)
    button = notebook.run(0).get_by_role("button", name="Sign in", exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    # Neither the toolbar of the cell nor a focus mark is part of the picture.
    notebook.cell(1).locator(".jp-InputPrompt").click()
    assert take(notebook, f"panel-{theme}", 0, 1) <= 760


@pytest.mark.parametrize("theme", THEMES)
def test_a_result_fits_the_picture(open_notebook: Callable[..., Notebook], theme: Theme) -> None:
    notebook = open_notebook(theme, "result", RESULT, 1200)
    for index in (0, 1):
        notebook.run(index)
    table = notebook.run(2).get_by_role("row", name="Very satisfied")
    expect(table).to_be_in_viewport(ratio=1)
    expect(table).to_contain_text("%")
    chart = notebook.run(3).get_by_role("img")
    expect(chart).to_be_in_viewport(ratio=1)
    notebook.cell(4).locator(".jp-InputPrompt").click()
    assert take(notebook, f"result-{theme}", 1, 3) <= 1200


def take(notebook: Notebook, name: str, first: int, last: int) -> float:
    """Takes the picture of some cells and gives where they end, in pixels from above."""
    cells = notebook.page.locator(".jp-WindowedPanel-inner").bounding_box()
    top, bottom = notebook.cell(first).bounding_box(), notebook.cell(last).bounding_box()
    assert cells is not None
    assert top is not None
    assert bottom is not None
    end = bottom["y"] + bottom["height"]
    # The edge above the first cell is part of the picture, and that of the next cell is not.
    start = cells["y"] if first == 0 else top["y"]
    assert 0 <= start <= top["y"], "nothing is scrolled out of the picture"
    area: FloatRect = {
        "x": cells["x"],
        "y": start,
        "width": cells["width"],
        "height": end - start - 2,
    }
    picture(notebook.page, name, area)
    return end
