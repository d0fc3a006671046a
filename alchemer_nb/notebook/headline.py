"""A line of plain output above the panel, which stays readable when the notebook is reopened.

Widgets are dead in a saved notebook. This line is ordinary output: it is rewritten when somebody
signs in or out, and is saved as it stands. A panel that is taken away leaves it alone in its cell.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from alchemer_nb.notebook.kernel.outputs import rewrite, show

if TYPE_CHECKING:
    from alchemer_nb.notebook.status import Status


class Headline:
    """The line and the place of the panel below; it knows the outputs in which they stand."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._panels: list[str] = []
        self._shown = ""

    @property
    def shown(self) -> bool:
        """Whether it was put into any output."""
        return bool(self._ids)

    def publish(self, status: Status, panel: dict[str, Any], *, asks: bool) -> None:
        """Shows line and panel as two more outputs of the running cell."""
        self._shown = _text(status, asks=asks)
        self._ids.append(show(_bundle(self._shown)))
        self._panels.append(show(panel))

    def update(self, status: Status, *, asks: bool) -> None:
        """Rewrites the line wherever it was shown."""
        text = _text(status, asks=asks)
        if text != self._shown:
            self._shown = text
            rewrite(self._ids, _bundle(text))

    def leave(self) -> None:
        """Empties the panel's place, so that no dead widget is saved there."""
        rewrite(self._panels, {"text/plain": ""})
        self._panels = []


def _text(status: Status, *, asks: bool) -> str:
    if not status.signed_in:
        return "Sign in to Alchemer"
    if not asks:
        return status.line
    account = f"{status.who} ({status.region})"
    if status.refused:
        return f"Sign in again · the {status.mode} {status.key} of {account} was refused"
    return f"Sign in to another account · besides {account}"


def _bundle(text: str) -> dict[str, Any]:
    head, dot, rest = text.partition(" · ")
    html = f"<div><b>{escape(head)}</b>{escape(dot + rest)}</div>"
    return {"text/plain": text, "text/html": html}
