"""A person with a browser: follows forms of the console over HTTP, cookies and XSRF included."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads forms, links, marked texts and all visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.marked: dict[str, str] = {}
        self.text = ""
        self._mark: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag in ("input", "textarea", "select") and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms and given.get("name"):
            self.forms[-1].buttons.append((given["name"], given.get("value", "")))
        marks = [name for name in given if name.startswith("data-")]
        if marks:
            self._mark = f"{marks[0]}={given[marks[0]]}" if given[marks[0]] else marks[0]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._mark:
            self.marked[self._mark] = data
            self._mark = None


class Person:
    """Clicks and types."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.session = requests.Session()
        self.answer: requests.Response | None = None

    def open(self, address: str) -> Reader:
        self.answer = self.session.get(urljoin(self.home, address), timeout=10)
        return self.page

    @property
    def page(self) -> Reader:
        assert self.answer is not None
        reader = Reader()
        reader.feed(self.answer.text)
        return reader

    def form(self, name: str) -> Form:
        """The form that has a field or button of this name (and value, after a colon)."""
        key, _, value = name.partition(":")
        for form in self.page.forms:
            if key in form.fields and value in ("", form.fields[key]):
                return form
            if any(key == one and value in ("", what) for one, what in form.buttons):
                return form
        raise AssertionError(f"no form has {name}: {self.page.text}")

    def send(self, form: str, follow: bool = True, **fields: Any) -> Reader:
        assert self.answer is not None
        found = self.form(form)
        self.answer = self.session.post(
            urljoin(self.answer.url, found.action),
            data={**found.fields, **fields},
            allow_redirects=follow,
            timeout=10,
        )
        return self.page

    def log_in(self, name: str) -> Reader:
        self.open(urljoin(self.home, "login"))
        return self.send("password", name=name, password=f"{name}-sandbox")
