"""The sandbox's web console as an administrator sees it, through jupyter-server-proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from alchemer_nb.client.client import Client
from alchemer_nb.errors import AuthenticationError
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox

from .lab import picture

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from .lab import Server

pytestmark = pytest.mark.browser


def test_an_administrator_regenerates_a_key_behind_the_proxy(
    lab: Server, context: BrowserContext
) -> None:
    with Sandbox(responses=5) as box:
        prefix = f"{urlsplit(lab.address).path}/proxy/{box.port}/"
        token = box.api_token
        old = ApiKey(token, box.api_token_secret)
        page = context.new_page()
        page.goto(f"{lab.address}/proxy/{box.port}/")
        log_in(page, box.username, box.password)
        page.get_by_role("link", name="API Access").first.click()
        arrives_at(page, "Security › API Access", prefix)
        expect(page.get_by_role("table").first).to_contain_text("ben")
        page.get_by_role("button", name="Copy Key").first.click()
        expect(page.get_by_role("button", name="Copied Key")).to_be_visible()
        picture(page, "sandbox-api-access")
        # By its label: a random key may contain any user's short name.
        page.get_by_role("button", name=f"Regenerate the key of {box.username}").click()
        arrives_at(page, f"Regenerate the key of {box.username}?", prefix)
        picture(page, "sandbox-regenerate")
        assert box.api_token == token
        page.get_by_role("button", name="Regenerate key").click()
        arrives_at(page, "Security › API Access", prefix)
        expect(page.get_by_role("main")).not_to_contain_text(token)
        with pytest.raises(AuthenticationError, match="Invalid auth token"):
            Client(old, region=box.region).account()
        assert len(Client(ApiKey(box.api_token, box.api_token_secret), region=box.region).account())


def test_a_user_without_a_key_is_sent_to_the_administrator(
    lab: Server, context: BrowserContext
) -> None:
    with Sandbox(responses=5) as box:
        page = context.new_page()
        page.goto(f"{lab.address}/proxy/{box.port}/login")
        log_in(page, "cleo", "cleo-sandbox")
        page.get_by_role("link", name="API Key").first.click()
        arrives_at(
            page,
            "Account › Integrations › API Key",
            f"{urlsplit(lab.address).path}/proxy/{box.port}/",
        )
        expect(page.get_by_role("main")).to_contain_text("administrator")
        expect(page.get_by_role("link", name="API Access")).to_have_count(0)
        picture(page, "sandbox-no-key")


def log_in(page: Page, name: str, password: str) -> None:
    if page.get_by_label("Password").count() == 0:
        page.get_by_role("link", name="Log in").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def arrives_at(page: Page, title: str, prefix: str) -> None:
    """Waits for the page with this title, since a click does not wait for the page it opens."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert urlsplit(page.url).path.startswith(prefix)
