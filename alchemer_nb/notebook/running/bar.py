"""The bar of a download or a sync: how far it is, its first rows, and a button that ends it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.fetch.progress import Progress

_COLUMNS = 8
_MODELS = ("layout", "style")  # widgets of their own, which the others leave behind


class Bar(ipywidgets.VBox):
    """Shows how far it is.

    Args:
        line: What to say before anything has come.
        cancel: Called when the button is pressed; may be called on another thread.
        note: What to say after how far it is.
    """

    def __init__(self, line: str, cancel: Callable[[], None], note: str = "") -> None:
        self.bar = ipywidgets.IntProgress(
            min=0, max=1, layout={"width": "auto", "flex": "1 1 auto", "min_width": "80px"}
        )
        self.button = ipywidgets.Button(
            description="Cancel", icon="stop", layout={"width": "auto", "flex": "0 0 auto"}
        )
        self.line = ipywidgets.HTML(_text(f"{line}{note}"))
        self.head = ipywidgets.HTML()
        self._cancel, self._note = cancel, note
        self.button.on_click(lambda _: self._pressed())
        top = ipywidgets.HBox(
            [self.bar, self.button], layout={"align_items": "center", "max_width": "720px"}
        )
        super().__init__([top, self.line, self.head], layout={"width": "100%"})
        self.add_class("alchemer-download")

    def update(self, progress: Progress, line: str) -> None:
        """Shows how far it is, and says it in a line."""
        if progress.rows_told and self.bar.max != progress.rows_told:
            self.bar.max = progress.rows_told
        if progress.rows_told:  # what a sync looks for after its last page has no end to tell
            self.bar.value = min(progress.rows, self.bar.max)
        if not self.button.disabled:
            self.line.value = _text(f"{line}{self._note}")

    def show_head(self, frame: pd.DataFrame) -> None:
        """Shows the first rows."""
        shown = frame.iloc[:, :_COLUMNS]
        of = f", {_COLUMNS} of {frame.shape[1]} columns" if frame.shape[1] > _COLUMNS else ""
        # pandas escapes what it writes; it is what strangers typed into a survey.
        table = shown.to_html(border=0, escape=True, max_cols=_COLUMNS, notebook=True)
        self.head.value = (
            f'<div style="opacity:.8">The first rows{of}:</div>'
            f'<div class="jp-RenderedHTMLCommon" style="overflow-x:auto">{table}</div>'
        )

    def close(self) -> None:
        """Takes it away with all its parts; a button that is left in a page would be dead."""
        parts = (self.bar, self.button, self.line, self.head, self.children[0])
        models = [getattr(part, name, None) for part in (*parts, self) for name in _MODELS]
        for model in (*parts, *models):
            if model is not None:
                model.close()
        super().close()

    def __repr__(self) -> str:
        return "(A download is under way. To stop it, interrupt the kernel.)"

    def mime(self) -> dict[str, Any]:
        """What an output is to show."""
        bundle: dict[str, Any] = self._repr_mimebundle_()
        return bundle

    def _pressed(self) -> None:
        self.button.disabled = True
        self.line.value = _text("stopping …")
        self._cancel()


def _text(line: str) -> str:
    return f'<span style="line-height:1.4">{escape(line)}</span>'
