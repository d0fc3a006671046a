"""A form whose fields keep what is typed in the page, and in no state of any widget.

A plain ``Password`` widget is synced as one types: a key that was typed but not submitted would
stand in a notebook that is saved with widget state. Here the declaration of the form is the only
synced trait; the values come once, as a message, when the form is submitted.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import anywidget
import traitlets

from alchemer_nb.http.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = Path(__file__).parent


class Field(TypedDict, total=False):
    """One box of the form.

    ``kind`` is ``"password"`` (masked, with a button that shows it) or ``"text"``.
    """

    name: str
    label: str
    kind: str
    placeholder: str
    help: str


class Option(TypedDict, total=False):
    """One box to tick; ``button`` is what the main button says while it is ticked."""

    name: str
    label: str
    help: str
    button: str


class Action(TypedDict):
    """One of the small buttons beside the main one."""

    name: str
    label: str


class View(TypedDict, total=False):
    """Everything the form shows; never a value of a field.

    ``errors`` says what went wrong, by the name of a field, or below the form under ``""``;
    ``hints`` what to do next, by the same names; ``notice`` and ``notice_next`` say both of
    what happened before.
    """

    fields: list[Field]
    options: list[Option]
    actions: list[Action]
    intro: str
    notice: str
    notice_next: str
    failed: bool
    button: str
    busy: str
    wants_link: bool
    link_label: str
    errors: dict[str, str]
    hints: dict[str, str]


class SecretForm(anywidget.AnyWidget):
    """The form; ``show`` declares what it asks for, the callbacks get what was filled in.

    Args:
        submit: Called with the fields' values and the ticked options.
        act: Called with the name of a small button.
    """

    _esm = _HERE / "form.js"
    _css = _HERE / "form.css"
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        submit: Callable[[dict[str, Secret], dict[str, bool]], None],
        act: Callable[[str], None],
    ) -> None:
        self._submit, self._act = submit, act
        self._attempt, self._clear = 1, 0
        self._working = threading.Lock()
        self._link: dict[str, str] = {}
        self.ticked: dict[str, bool] = {}
        super().__init__()
        self.on_msg(self._receive)

    def show(self, view: View, *, clear: bool = False) -> None:
        """Shows another declaration; fields that stay keep what is typed unless cleared."""
        self._clear += clear
        self.view = {**view, "attempt": self._attempt, "clear": self._clear}

    def show_link(self, href: str, host: str) -> None:
        """Shows a link; it goes as a message, since its address holds a request token."""
        self._link = {"href": href, "host": host} if href else {}
        self.send({"type": "link", **self._link})

    def _receive(self, _: object, content: Any, __: object) -> None:
        # Nothing of a message's content is repeated anywhere: any part of it may be a secret.
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "ready":
            self.send({"type": "link", **self._link})
        elif kind == "options":
            self.ticked = _ticks(content)
        elif kind in ("submit", "action"):
            self._once(content)

    def alone(self, work: Callable[[], None]) -> bool:
        """Does something as an attempt of its own; False where one is being handled already."""
        if not self._working.acquire(blocking=False):
            return False
        self._attempt += 1
        try:
            work()
        finally:
            self._working.release()
            # The page waits for the attempt to be counted up, whatever has become of it.
            self.view = {**self.view, "attempt": self._attempt}
        return True

    def _once(self, content: dict[str, Any]) -> None:
        """Handles one submit of an attempt; a second, from a fast click or a copy, is nothing."""

        def work() -> None:
            if content["type"] == "submit":
                self.ticked = _ticks(content)
                self._submit(_values(content), self.ticked)
            else:
                self._act(str(content.get("name", "")))

        if content.get("attempt") == self._attempt:
            self.alone(work)


def _values(content: dict[str, Any]) -> dict[str, Secret]:
    values = content.get("values")
    if not isinstance(values, dict):
        return {}
    kept = {str(name): Secret(text) for name, text in values.items() if isinstance(text, str)}
    values.clear()  # the kernel keeps its last message for a while: without what was typed
    return kept


def _ticks(content: dict[str, Any]) -> dict[str, bool]:
    ticks = content.get("options")
    return (
        {str(name): tick is True for name, tick in ticks.items()} if isinstance(ticks, dict) else {}
    )
