"""The form of the sign-in panel: the widget, and what it asks for at each step.

A ``Password`` widget of ipywidgets syncs its value at each key press: a key that was typed but not
submitted would be saved in a notebook with widget state. Here the description of the form is the
only synced trait; the values come once, as a custom message, when the form is submitted
(https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md).

They are the message's binary buffers: a kernel at DEBUG logs the content of each message, and shows
of a buffer only its address in memory.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import anywidget
import traitlets

from alchemer_nb.auth.oauth_flow import ERROR_PAGE, LISTENER
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.signin.steps import (
    CONSUMER,
    CONSUMER_SECRET,
    NEXT_STEPS,
    PASTED,
    TOKEN,
    TOKEN_SECRET,
    explain_key,
    explain_pair,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.http.regions import Region

REMEMBER, TWO_LEGGED = "remember", "two_legged"
NEW_LINK, START_AGAIN, USE_FOUND, BACK = "new_link", "start_again", "use_found", "back"
CODE_LINK = "code_link"
_HERE = Path(__file__).parent
BINDER_NOTICE = (
    "This notebook runs on Binder, which is someone else's machine: use a key that you can "
    "replace afterwards, or the demo (%alchemer demo). Nothing is remembered here."
)


class FormView(TypedDict, total=False):
    """Everything that the form shows; never the value of a field.

    ``fields`` are text boxes, ``options`` checkboxes and ``actions`` small buttons; each has a
    ``name`` and a ``label``. The ``kind`` of a box is ``"text"`` or ``"password"`` (masked, with a
    button to show it); the ``button`` of a checkbox is the label of the main button while it is
    ticked.

    ``where`` says where one finds what the boxes ask for: pieces of ``text``, and ``href`` where a
    piece is a link.

    ``errors`` has the sentence of an error by the name of its field, ``""`` for the whole form;
    ``hints`` has what to do next, by the same names. ``notice`` and ``notice_next`` are the
    same for what happened before the form was shown.
    """

    fields: list[dict[str, str]]
    options: list[dict[str, str]]
    actions: list[dict[str, str]]
    where: list[dict[str, str]]
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


class SignInForm(anywidget.AnyWidget):
    """A form that submits its values once and keeps them in no state of a widget.

    Args:
        on_submit: Called with the values of the fields and the state of the checkboxes.
        on_button: Called with the name of a small button.

    Attributes:
        ticked: Which checkboxes are ticked, by name.
    """

    # As text, not as paths: anywidget watches files to reload them, and holds their widgets until
    # the process ends.
    _esm = (_HERE / "form.js").read_text("utf-8")
    _css = (_HERE / "form.css").read_text("utf-8")
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        on_submit: Callable[[dict[str, Secret], dict[str, bool]], None],
        on_button: Callable[[str], None],
    ) -> None:
        self._on_submit, self._on_button = on_submit, on_button
        self._attempt, self._clear_count = 1, 0
        self._is_handling = threading.Lock()
        self._link: tuple[Secret, str] | None = None
        self.ticked: dict[str, bool] = {}
        super().__init__()
        self.on_msg(self._receive)

    def show(self, view: FormView, *, clear: bool = False) -> None:
        """Show another view; fields that stay keep their text in the page unless cleared."""
        self._clear_count += clear
        self.view = {**view, "attempt": self._attempt, "clear": self._clear_count}

    def show_link(self, href: str, host: str) -> None:
        """Show a link; an empty ``href`` removes it."""
        # As a message, not a synced trait, which is saved: the address holds a request token.
        if href or self._link:
            self._link = (Secret(href), host) if href else None
            self._send_link()

    def run_alone(self, work: Callable[[], None]) -> None:
        """Run ``work`` as an attempt of its own; do nothing while another one is handled."""
        if not self._is_handling.acquire(blocking=False):
            return
        self._attempt += 1
        try:
            work()
        finally:
            self._is_handling.release()
            # The page is disabled until it gets the next number, also after an attempt that failed.
            self.view = {**self.view, "attempt": self._attempt}

    def _send_link(self) -> None:
        shown = {"href": self._link[0].reveal(), "host": self._link[1]} if self._link else {}
        self.send({"type": "link", **shown})

    def _receive(self, _: object, content: Any, buffers: list[memoryview]) -> None:
        # No error may repeat anything of a message's content: any part of it may be a secret.
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "ready":
            self._send_link()
        elif kind == "options":
            self.ticked = _read_ticked(content)
        # A second click, or a copy of the form in another view, sends the number of an old attempt.
        elif kind in ("submit", "action") and content.get("attempt") == self._attempt:
            self.run_alone(lambda: self._handle(kind, content, buffers))

    def _handle(self, kind: str, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if kind == "submit":
            self.ticked = _read_ticked(content)
            self._on_submit(_take_values(content, buffers), self.ticked)
        else:
            self._on_button(str(content.get("name", "")))


def _take_values(content: dict[str, Any], buffers: list[memoryview]) -> dict[str, Secret]:
    """Return the text of each field; ``{}`` if a front end did not pass the buffers on."""
    names = content.get("fields")
    if not isinstance(names, list) or len(names) != len(buffers):
        return {}
    texts = [Secret(bytes(each).decode("utf-8", "replace")) for each in buffers]
    buffers.clear()  # the kernel keeps its last message for a while: remove what was typed
    return dict(zip(map(str, names), texts, strict=True))


def _read_ticked(content: dict[str, Any]) -> dict[str, bool]:
    ticked = content.get("options")
    if not isinstance(ticked, dict):
        return {}
    return {str(name): value is True for name, value in ticked.items()}


def key_view(region: Region) -> FormView:
    """Return the form for an API key."""
    both = "key, or key and secret key together"
    return {
        "fields": [
            {"name": TOKEN, "label": "API key", "kind": "password", "placeholder": both},
            {"name": TOKEN_SECRET, "label": "API secret key", "kind": "password"},
        ],
        "where": explain_key(region),
        "button": "Sign in",
        "busy": "Signing in …",
    }


def pair_view(region: Region) -> FormView:
    """Return the form for a consumer pair."""
    return {
        "fields": [
            {"name": CONSUMER, "label": "Consumer key", "kind": "password"},
            {"name": CONSUMER_SECRET, "label": "Consumer secret", "kind": "password"},
        ],
        "where": explain_pair(region),
        "options": [
            {
                "name": TWO_LEGGED,
                "label": "Sign in as the application itself",
                "help": "No log-in page: calls are made for the user who registered it.",
                "button": "Sign in",
            }
        ],
        "button": "Get sign-in link",
        "busy": f"Asking {region.host} …",
    }


def paste_view(region: Region, ends_at: str) -> FormView:
    """Return the form for what the log-in page ends at."""
    example = "only if nothing happens" if ends_at == LISTENER else "paste it here"
    actions = [{"name": NEW_LINK, "label": "Get a new link"}]
    if ends_at == ERROR_PAGE:
        actions.append({"name": CODE_LINK, "label": "Get a link that shows a code"})
    actions.append({"name": START_AGAIN, "label": "Start again"})
    return {
        "fields": [
            {"name": PASTED, "label": "Address or code", "kind": "text", "placeholder": example}
        ],
        "actions": actions,
        "wants_link": True,
        "link_label": "Open the log-in page",
        "intro": NEXT_STEPS[ends_at],
        "button": "Finish",
        "busy": f"Asking {region.host} …",
    }
