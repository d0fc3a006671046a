"""The sign-in panel as a person meets it: typed into, clicked, saved, looked at.

The sandbox runs in the test's process and the notebook knows its address alone, so that no
secret is in a cell to begin with.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from alchemer_nb.sandbox import Fault, Sandbox

from .lab import THEMES, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.leaks.search import Search

    from .lab import Notebook, Server, Theme, Window

pytestmark = pytest.mark.browser

LOGIN, FRAME = 1, 2


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(responses=60) as started:
        yield started


def cells(box: Sandbox, **environment: str) -> list[str]:
    return [
        f"import os; os.environ.update({environment})\n"
        "%load_ext alchemer_nb\n"
        "from alchemer_nb import Region\n"
        f'box = Region.custom("{box.url}", name="sandbox", label="Sandbox")',
        "%alchemer login --region {box}",
        'df = %alchemer responses "Customer satisfaction"\nprint(type(df), df.shape)\ndf.head()',
    ]


def opened(
    window: Window, box: Sandbox, name: str, theme: Theme = "light", **environment: str
) -> Notebook:
    # In all of them, so that they share a page.
    window.server.configure(theme=theme, save_widget_state=True)
    window.server.write(f"{name}.ipynb", cells(box, **environment))
    notebook = window.open(f"{name}.ipynb")
    notebook.run(0)
    notebook.run(LOGIN)
    return notebook


def field(notebook: Notebook, label: str) -> Locator:
    return notebook.output(LOGIN).get_by_label(label, exact=True)


def button(notebook: Notebook, label: str) -> Locator:
    # Icons count as a letter of the name.
    name = re.compile(rf"^\W*{label}$")
    return notebook.output(LOGIN).get_by_role("button", name=name)


def shows_a_frame(notebook: Notebook) -> None:
    output = notebook.run(FRAME)
    expect(output).to_contain_text("pandas")
    expect(output.locator("table")).to_contain_text("recent_customer")


def signed_in(notebook: Notebook, timeout: float = 15) -> None:
    expect(notebook.output(LOGIN)).to_contain_text("Larkmoor Outdoor", timeout=timeout * 1000)
    expect(button(notebook, "Sign out")).to_be_visible()


def search_all(search: Search, lab: Server, notebook: Notebook) -> None:
    """Searches all that a save writes, all that Lab keeps and logs, and what is made of it."""
    from nbconvert import HTMLExporter, MarkdownExporter, PythonExporter  # takes a second

    notebook.save()
    saved = lab.root / ".ipynb_checkpoints" / f"{notebook.path.stem}-checkpoint.ipynb"
    assert "widget-state" in notebook.path.read_text("utf-8"), "it saves no widget state"
    assert saved.exists()
    search.folder(lab.root)
    search.folder(lab.home)
    for exporter in (HTMLExporter, MarkdownExporter, PythonExporter):
        search.text(exporter.__name__, exporter().from_filename(str(notebook.path))[0])
    # The kernel logs what it is sent, and of what was submitted where it lies in memory.
    assert "MESSAGE TYPE:comm_msg" in lab.log.read_text("utf-8", "replace")
    search.text("what the page holds", notebook.page.content())


@contextmanager
def counting(box: Sandbox, path: str) -> Iterator[list[int]]:
    before = sum(path in call.path for call in box.seen)
    told: list[int] = []
    yield told
    told.append(sum(path in call.path for call in box.seen) - before)


@pytest.mark.parametrize("theme", THEMES)
def test_an_api_key_gives_a_frame_and_stays_out_of_the_saved_notebook(
    window: Window, box: Sandbox, search: Search, theme: Theme
) -> None:
    secrets = {"token": box.api_token, "secret": box.api_token_secret}
    search.add(secrets)
    notebook = opened(window, box, f"key-{theme}", theme)
    notebook.screenshot(f"panel-key-{theme}", notebook.output(LOGIN))

    field(notebook, "API key").press_sequentially(secrets["token"])
    field(notebook, "API secret key").press_sequentially(secrets["secret"])
    notebook.screenshot(f"panel-key-filled-{theme}")
    search_all(search, window.server, notebook)  # typed, and not submitted

    button(notebook, "Sign in").click()
    signed_in(notebook)
    shows_a_frame(notebook)
    assert "<memory at" in window.server.log.read_text("utf-8", "replace")
    notebook.screenshot(f"panel-key-signed-in-{theme}")
    search_all(search, window.server, notebook)
    assert notebook.errors == []


@pytest.mark.parametrize("theme", THEMES)
def test_oauth_gives_a_frame_by_way_of_the_log_in_page(
    window: Window, box: Sandbox, search: Search, theme: Theme
) -> None:
    secrets = {"key": box.consumer_key, "secret": box.consumer_secret}
    search.add(secrets)
    notebook = opened(window, box, f"oauth-{theme}", theme)
    button(notebook, "OAuth").click()
    field(notebook, "Consumer key").fill(secrets["key"])
    field(notebook, "Consumer secret").fill(secrets["secret"])
    notebook.screenshot(f"panel-oauth-{theme}", notebook.output(LOGIN))
    button(notebook, "Get sign-in link").click()

    expect(notebook.output(LOGIN)).to_contain_text("The last page shows an error")
    link = notebook.output(LOGIN).get_by_role("link", name="Open the log-in page")
    expect(link).to_be_visible()
    expect(notebook.output(LOGIN)).to_contain_text(urlsplit(box.url).netloc)
    notebook.screenshot(f"panel-oauth-link-{theme}", notebook.output(LOGIN))
    with window.context.expect_page() as opening:
        link.click()
    landed_on = log_in_and_allow(opening.value, box, theme)
    answer = parse_qs(urlsplit(landed_on).query)
    search.add({"token": answer["oauth_token"][0], "verifier": answer["oauth_verifier"][0]})

    paste(notebook, landed_on)
    notebook.screenshot(f"panel-oauth-pasted-{theme}")
    button(notebook, "Finish").click()
    signed_in(notebook)
    shows_a_frame(notebook)
    notebook.screenshot(f"panel-oauth-signed-in-{theme}")
    search_all(search, window.server, notebook)
    assert notebook.errors == []


def ask_for_a_link(notebook: Notebook, box: Sandbox) -> None:
    button(notebook, "OAuth").click()
    field(notebook, "Consumer key").fill(box.consumer_key)
    field(notebook, "Consumer secret").fill(box.consumer_secret)
    button(notebook, "Get sign-in link").click()


def new_link(notebook: Notebook, link: Locator) -> None:
    voided = link.get_attribute("href")
    button(notebook, "Get a new link").click()
    expect(link).not_to_have_attribute("href", voided or "")


def log_in_and_allow(page: Page, box: Sandbox, theme: Theme, answer: str = "Allow") -> str:
    """Goes through the sandbox's pages; gives the address that the browser ends at."""
    page.emulate_media(color_scheme=theme)
    expect(page.get_by_role("heading")).to_be_visible()
    if not page.get_by_label("Password").is_visible():  # logged in since the last attempt
        return decide(page, theme, answer)
    page.get_by_label("Name").fill(box.username)
    page.get_by_label("Password").fill(box.password)
    picture(page, f"sandbox-log-in-{theme}")
    page.get_by_role("button", name="Log in").click()
    return decide(page, theme, answer)


def paste(notebook: Notebook, address: str) -> None:
    notebook.page.bring_to_front()  # a page behind another one draws once a second
    field(notebook, "Address or code").fill(address)


def decide(page: Page, theme: Theme, answer: str) -> str:
    button = page.get_by_role("button", name=answer)
    expect(button).to_be_visible()
    picture(page, f"sandbox-allow-{theme}")
    # The page does not load, as it does not for the user: the address is all there is.
    with page.expect_request(lambda request: "/signed-in?" in request.url) as landing:
        button.click()
    return landing.value.url


def test_the_browser_on_the_same_machine_needs_no_paste(window: Window, box: Sandbox) -> None:
    # A display is what tells a person's own machine from a server.
    notebook = opened(window, box, "caught", DISPLAY=":0")
    ask_for_a_link(notebook, box)
    expect(notebook.output(LOGIN)).to_contain_text("nothing has to be copied")
    link = notebook.output(LOGIN).get_by_role("link", name="Open the log-in page")
    with window.context.expect_page() as opening:
        link.click()
    log_in_and_allow(opening.value, box, "light", "Deny")
    expect(opening.value.get_by_role("heading")).to_have_text("Access was denied")
    picture(opening.value, "landing-denied")
    notebook.page.bring_to_front()
    expect(notebook.output(LOGIN)).to_contain_text("denied on the log-in page")
    notebook.screenshot("panel-caught-denied", notebook.output(LOGIN))

    new_link(notebook, link)
    with window.context.expect_page() as opening:
        link.click()
    landed_on = log_in_and_allow(opening.value, box, "light")
    assert landed_on.startswith("http://127.0.0.1:")
    expect(opening.value.get_by_role("heading")).to_have_text("Back to your notebook")
    notebook.page.bring_to_front()
    signed_in(notebook)
    shows_a_frame(notebook)


def test_oauth_works_where_the_browser_is_far_from_the_kernel(window: Window, box: Sandbox) -> None:
    notebook = opened(window, box, "far", JUPYTERHUB_SERVICE_PREFIX="/user/ada/", DISPLAY="")
    ask_for_a_link(notebook, box)
    link = notebook.output(LOGIN).get_by_role("link", name="Open the log-in page")
    proxied = f"/user/ada/proxy/{box.port}/head/oauth/authenticate"
    expect(link).to_have_attribute("href", re.compile("^" + re.escape(proxied)))
    with window.context.expect_page() as opening:
        link.click()
    landed_on = log_in_and_allow(opening.value, box, "light")
    paste(notebook, landed_on)
    button(notebook, "Finish").click()
    signed_in(notebook)
    shows_a_frame(notebook)


def test_a_denied_consent_is_told_and_a_new_link_works(window: Window, box: Sandbox) -> None:
    notebook = opened(window, box, "denied")
    ask_for_a_link(notebook, box)
    link = notebook.output(LOGIN).get_by_role("link", name="Open the log-in page")
    with window.context.expect_page() as opening:
        link.click()
    paste(notebook, log_in_and_allow(opening.value, box, "light", "Deny"))
    button(notebook, "Finish").click()
    expect(notebook.output(LOGIN).locator(".alchemer-error:visible")).to_contain_text(
        re.compile("denied|not allowed|said no|refused", re.IGNORECASE)
    )
    notebook.screenshot("panel-denied", notebook.output(LOGIN))

    new_link(notebook, link)
    with window.context.expect_page() as opening:
        link.click()
    paste(notebook, log_in_and_allow(opening.value, box, "light"))
    button(notebook, "Finish").click()
    signed_in(notebook)


def test_a_wrong_key_is_told_next_to_its_field_and_the_next_try_works(
    window: Window, box: Sandbox
) -> None:
    notebook = opened(window, box, "wrong-key")
    button(notebook, "Sign in").click()
    expect(field(notebook, "API key")).to_have_attribute("aria-invalid", "true")

    wrong = "0123456789abcdef0123456789abcdef"
    field(notebook, "API key").fill(wrong)
    field(notebook, "API secret key").fill("nonsense-and-no-secret")
    button(notebook, "Sign in").click()
    box_of_row = notebook.page.get_by_label("API key", exact=True)
    row = notebook.output(LOGIN).locator(".alchemer-row", has=box_of_row)
    expect(row.locator(".alchemer-error")).not_to_be_empty(timeout=15_000)
    expect(field(notebook, "API key")).to_be_focused()  # although the button was clicked
    for label in ("API key", "API secret key"):
        expect(field(notebook, label)).to_have_value("")  # it was emptied when it was sent
    told = row.locator(".alchemer-error").inner_text()
    assert re.search(r"refused|not accepted|Invalid", told), told
    assert wrong not in notebook.output(LOGIN).inner_text()
    notebook.screenshot("panel-wrong-key", notebook.output(LOGIN))

    box.fail_next(Fault(cut=10))
    field(notebook, "API key").fill(box.api_token)
    field(notebook, "API secret key").fill(box.api_token_secret)
    button(notebook, "Sign in").click()
    expect(notebook.output(LOGIN)).to_contain_text("paste it again", timeout=15_000)
    expect(field(notebook, "API key")).to_have_value("")
    notebook.screenshot("panel-network-error", notebook.output(LOGIN))

    field(notebook, "API key").fill(box.api_token)
    button(notebook, "Sign in").click()
    expect(field(notebook, "API secret key")).to_have_attribute("aria-invalid", "true")
    expect(field(notebook, "API key")).to_have_value(box.api_token)  # only the rest is asked for
    field(notebook, "API secret key").fill(box.api_token_secret)
    button(notebook, "Sign in").click()
    signed_in(notebook)


def test_two_clicks_are_one_sign_in(window: Window, box: Sandbox) -> None:
    notebook = opened(window, box, "two-clicks")
    field(notebook, "API key").fill(box.api_token)
    field(notebook, "API secret key").fill(box.api_token_secret)
    with counting(box, "account") as calls:
        button(notebook, "Sign in").dblclick()
        signed_in(notebook)
        notebook.run(0)  # whatever else was sent has been dealt with before this cell
    assert calls == [1]


def test_it_works_by_keyboard_alone(window: Window, box: Sandbox) -> None:
    notebook = opened(window, box, "keyboard")
    keyboard = notebook.page.keyboard
    field(notebook, "API key").focus()
    keyboard.type(box.api_token)
    keyboard.press("Tab")  # the eye of the first field
    keyboard.press("Tab")
    expect(field(notebook, "API secret key")).to_be_focused()
    keyboard.type(box.api_token_secret)
    keyboard.press("Enter")
    signed_in(notebook)
    expect(notebook.output(LOGIN).locator(".alchemer-panel")).to_be_focused()
    keyboard.press("Enter")  # once more does nothing
    keyboard.press("Tab")
    expect(button(notebook, "Sign out")).to_be_focused()
    assert len(notebook.page.locator(".jp-Notebook .jp-CodeCell").all()) == len(cells(box))


def test_a_key_pasted_at_once_signs_in_and_sign_out_brings_the_form_back_empty(
    window: Window, box: Sandbox
) -> None:
    notebook = opened(window, box, "paste-both")
    pasted = f"  {box.api_token}\n{box.api_token_secret}\n"
    notebook.page.evaluate("text => navigator.clipboard.writeText(text)", pasted)
    field(notebook, "API key").focus()
    notebook.page.keyboard.press("Control+v")
    notebook.page.keyboard.press("Enter")
    signed_in(notebook)
    button(notebook, "Sign out").click()
    expect(field(notebook, "API key")).to_have_value("")
    expect(field(notebook, "API secret key")).to_have_value("")
    expect(notebook.run(FRAME)).to_contain_text("sign in above")
