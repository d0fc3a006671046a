"""A line of plain output above the panel, which stays readable when the notebook is reopened.

Widgets are dead in a saved notebook. This line is ordinary output: it is rewritten when somebody
signs in or out, and is saved as it stands.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from alchemer_nb.notebook.status import Status


class Headline:
    """The line; it knows the outputs in which it was shown."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._shown = ""

    @property
    def shown(self) -> bool:
        """Whether it was put into any output."""
        return bool(self._ids)

    def publish(self, status: Status, *, asks: bool) -> None:
        """Shows it as another output of the running cell."""
        name = f"alchemer-nb-{uuid4().hex}"
        self._ids.append(name)
        self._shown = _text(status, asks=asks)
        publish(_bundle(self._shown), transient={"display_id": name})

    def update(self, status: Status, *, asks: bool) -> None:
        """Rewrites it wherever it was shown."""
        text = _text(status, asks=asks)
        if text == self._shown:
            return
        self._shown = text
        for name in self._ids:
            publish(_bundle(text), transient={"display_id": name}, update=True)


def _text(status: Status, *, asks: bool) -> str:
    if not status.signed_in:
        return "Sign in to Alchemer"
    return f"Sign in to another account ({status.line})" if asks else status.line


def _bundle(text: str) -> dict[str, Any]:
    head, dot, rest = text.partition(" · ")
    html = f"<div><b>{escape(head)}</b>{escape(dot + rest)}</div>"
    return {"text/plain": text, "text/html": html}


def publish(bundle: dict[str, Any], **how: Any) -> None:
    """Sends output to the cell that runs."""
    from IPython.display import publish_display_data

    publish_display_data(bundle, **how)  # type: ignore[no-untyped-call]  # IPython has no hints
