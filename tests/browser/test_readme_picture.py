"""The README's picture can be taken: the panel that a user meets first, in both themes.

``make pictures`` runs this and puts what it took into ``docs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .lab import ARTIFACTS, Notebook, new_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .lab import Server, Theme

pytestmark = pytest.mark.browser

CELLS = [
    "%load_ext alchemer_nb\n%alchemer login",
    'df = %alchemer responses "Customer satisfaction" --complete',
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_fits_the_picture(lab: Server, chromium: Browser, theme: Theme) -> None:
    lab.configure(theme=theme)
    lab.write("readme.ipynb", CELLS)
    with new_context(chromium, wide=880, high=560, scale=2) as context:
        notebook = Notebook.open(lab, context, "readme.ipynb")
        button = notebook.run(0).get_by_role("button", name="Sign in", exact=True)
        expect(button).to_be_in_viewport(ratio=1)
        # Neither the toolbar of the cell nor a focus mark is part of the picture.
        notebook.cell(1).locator(".jp-InputPrompt").click()
        cells = notebook.page.locator(".jp-WindowedPanel-inner").bounding_box()
        last = notebook.cell(1).bounding_box()
        assert cells is not None
        assert last is not None
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        notebook.page.screenshot(
            path=str(ARTIFACTS / f"readme-{theme}.png"),
            animations="disabled",
            clip={
                "x": cells["x"],
                "y": cells["y"],
                "width": cells["width"],
                "height": last["y"] + last["height"] - cells["y"],
            },
        )
        assert last["y"] + last["height"] <= 560
