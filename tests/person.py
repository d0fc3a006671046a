"""What a person does with a browser on the sandbox's pages, over HTTP."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class _Forms(HTMLParser):
    """Collects the forms of a page: action, and names with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag in ("input", "button") and self.forms and given.get("name"):
            self.forms[-1][1].setdefault(given["name"], given.get("value", ""))


def _submit(session: requests.Session, page: requests.Response, **filled: str) -> requests.Response:
    parser = _Forms()
    parser.feed(page.text)
    action, fields = next(form for form in parser.forms if filled.keys() <= form[1].keys())
    address = urljoin(page.url, action) if action else page.url
    return session.post(address, data={**fields, **filled}, allow_redirects=False, timeout=10)


def _follow(session: requests.Session, page: requests.Response) -> requests.Response:
    """Follows redirects within the sandbox; stops at one that leads elsewhere."""
    here = page.url.split("/", 3)[:3]
    while page.is_redirect:
        target = urljoin(page.url, page.headers["Location"])
        if target.split("/", 3)[:3] != here:
            break
        page = session.get(target, allow_redirects=False, timeout=10)
    return page


def sign_in(link: str, username: str, password: str, answer: str = "allow") -> requests.Response:
    """Opens a sign-in link, logs in, and answers the question; gives the last page or redirect."""
    with requests.Session() as session:
        page = _follow(session, session.get(link, allow_redirects=False, timeout=10))
        page = _follow(session, _submit(session, page, name=username, password=password))
        return _follow(session, _submit(session, page, step=answer))


def landing_address(link: str, username: str, password: str, answer: str = "allow") -> str:
    """The address at which the browser lands after the sign-in, as a person would copy it."""
    return sign_in(link, username, password, answer).headers["Location"]


def _replaced(page: requests.Response) -> str:
    """The end of the key that a page asks to replace."""
    parser = _Forms()
    parser.feed(page.text)
    return next(fields["replaces"] for _, fields in parser.forms if "replaces" in fields)


def regenerate_key(base: str, username: str, password: str) -> None:
    """Logs in to the console and has the first user's key made anew."""
    with requests.Session() as session:
        page = session.get(f"{base}/login", timeout=10)
        _follow(session, _submit(session, page, name=username, password=password))
        page = session.get(f"{base}/security/api-access", timeout=10)
        parser = _Forms()
        parser.feed(page.text)
        keyed = [form for form in parser.forms if form[1].get("user_id")]
        asked = session.post(page.url, data=keyed[0][1], timeout=10)
        done = _submit(session, asked, replaces=_replaced(asked))
        assert done.is_redirect
