"""Plays the page in which the panel stands: sends what its scripts send, keeps what it is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comm.base_comm import BaseComm

if TYPE_CHECKING:
    from alchemer_nb.notebook.signin.panel import LoginPanel


class Wire(list[tuple[str, Any]]):
    """All that went from the kernel to the front end."""

    def comm(self, **given: Any) -> BaseComm:
        wire = self

        class Recorded(BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, **more: Any) -> None:
                wire.append((msg_type, {"data": data, **more}))

        return Recorded(**given)

    @property
    def text(self) -> str:
        return json.dumps(list(self), default=str)

    def last_link(self) -> str:
        """The address of the log-in page as the page was told last."""
        sent = [
            m["data"]["content"]
            for kind, m in self
            if kind == "comm_msg" and m["data"].get("method") == "custom"
        ]
        return next(
            str(c["href"]) for c in reversed(sent) if c.get("type") == "link" and "href" in c
        )


class Page:
    """The page with one panel in it."""

    def __init__(self, panel: LoginPanel, wire: Wire) -> None:
        self.panel, self.wire = panel, wire
        self.send({"type": "ready"})

    @property
    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = self.panel.form.view
        return view

    @property
    def errors(self) -> dict[str, str]:
        errors: dict[str, str] = self.view.get("errors", {})
        return errors

    @property
    def hints(self) -> dict[str, str]:
        hints: dict[str, str] = self.view.get("hints", {})
        return hints

    @property
    def fields(self) -> list[str]:
        return [field["name"] for field in self.view["fields"]]

    @property
    def button(self) -> str:
        return str(self.view["button"])

    @property
    def actions(self) -> list[str]:
        return [action["name"] for action in self.view["actions"]]

    @property
    def options(self) -> list[str]:
        return [option["name"] for option in self.view["options"]]

    def send(self, content: Any, buffers: list[Any] | None = None) -> None:
        self.panel.form._handle_custom_msg(content, [] if buffers is None else buffers)

    def submission(
        self, options: dict[str, bool] | None = None, **values: str
    ) -> tuple[dict[str, Any], list[Any]]:
        """Content and buffers of what one press of the main button sends."""
        assert values.keys() == set(self.fields), "a box that the page does not have"
        return submission(self.view["attempt"], values, options)

    def submit(self, options: dict[str, bool] | None = None, **values: str) -> None:
        self.send(*self.submission(options, **values))

    def press(self, action: str) -> None:
        assert action in self.actions
        self.send({"type": "action", "attempt": self.view["attempt"], "name": action})


def submission(
    attempt: int, values: dict[str, str], options: dict[str, bool] | None = None
) -> tuple[dict[str, Any], list[Any]]:
    """Content and buffers of the message that submits the form."""
    fields, texts = list(values), [memoryview(text.encode()) for text in values.values()]
    content = {"type": "submit", "attempt": attempt, "fields": fields, "options": options or {}}
    return content, texts
