"""The sign-in panel, driven as its page drives it, against a sandbox over HTTP."""

from __future__ import annotations

import contextlib
import gc
import logging
import re
import subprocess
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import comm
import pytest
import requests

from alchemer_nb.auth import profiles
from alchemer_nb.client.client import Client
from alchemer_nb.errors import TransportError
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.signin.panel import LoginPanel
from alchemer_nb.notebook.signin.session import KEY, OAUTH, Session
from alchemer_nb.sandbox import Fault, Sandbox
from tests.notebook.signin.page import Page, Wire
from tests.person import landing_address, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.leaks.search import Search

    Open = Callable[..., Page]

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A sandbox of this module's own, since some tests order trouble of it."""
    with Sandbox(responses=1) as running:
        yield running


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The front end's place, which ``comm`` leaves to whoever provides one."""
    wire = Wire()
    monkeypatch.setattr(comm, "create_comm", wire.comm)
    return wire


@pytest.fixture
def session(box: Sandbox) -> Session:
    return Session()


@pytest.fixture
def opened(session: Session, box: Sandbox, wire: Wire) -> Iterator[Open]:
    panels: list[LoginPanel] = []

    def open_panel(mode: str = KEY, region: Region | None = None, **given: Any) -> Page:
        panel = LoginPanel(session, region=region or box.region, mode=mode, **given)
        panels.append(panel)
        return Page(panel, wire)

    yield open_panel
    for panel in panels:
        panel.close()


@pytest.fixture
def page(opened: Open) -> Page:
    return opened()


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signs of a desktop whose browser runs beside the kernel."""
    for name in (
        "CODESPACES",
        "COLAB_RELEASE_TAG",
        "JUPYTERHUB_SERVICE_PREFIX",
        "KUBERNETES_SERVICE_HOST",
        "SSH_CLIENT",
        "SSH_CONNECTION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")


def to_link(page: Page, box: Sandbox) -> str:
    """Fills in the consumer pair; gives the address of the log-in page."""
    page.panel.mode.value = OAUTH
    page.submit(consumer_key=box.consumer_key, consumer_secret=box.consumer_secret)
    assert page.errors == {}
    return page.wire.last_link()


def land(box: Sandbox, link: str, answer: str = "allow") -> str:
    return landing_address(link, box.username, box.password, answer)


class TestApiKey:
    def test_key_and_secret_sign_in(self, page: Page, session: Session, box: Sandbox) -> None:
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.require().client.credentials == ApiKey(box.api_token, box.api_token_secret)
        assert not page.panel.shows_form
        assert page.panel.form not in page.panel.children

    @pytest.mark.parametrize(
        "pasted",
        [
            "{token} {secret}",
            "  {token}\t{secret} \n",
            "{token}\n{secret}",
            "{token},{secret}",
            "https://api.alchemer.com/v5/survey?api_token={token}&api_token_secret={secret}",
        ],
    )
    def test_both_parts_may_stand_in_the_first_box(
        self, page: Page, session: Session, box: Sandbox, pasted: str
    ) -> None:
        text = pasted.format(token=box.api_token, secret=box.api_token_secret)
        page.submit(api_token=text, api_token_secret="")
        assert session.require().client.credentials == ApiKey(box.api_token, box.api_token_secret)

    def test_space_around_a_pasted_part_does_not_matter(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token=f" {box.api_token}\n", api_token_secret=f"\t{box.api_token_secret} ")
        assert session.status().signed_in

    def test_an_empty_box_is_named_and_the_form_stays_usable(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token=" ", api_token_secret=box.api_token_secret)
        assert list(page.errors) == ["api_token"]
        page.submit(api_token=box.api_token, api_token_secret="")
        assert list(page.errors) == ["api_token_secret"]
        assert not session.status().signed_in
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.status().signed_in

    def test_a_refused_key_says_so_beside_its_box_and_names_the_region(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token="CANARYwrong", api_token_secret=box.api_token_secret)
        assert "refused" in page.errors["api_token"]
        assert "address bar" not in page.errors["api_token"]
        assert "address bar" in page.hints["api_token"]
        assert not session.status().signed_in
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.status().signed_in

    def test_a_key_of_another_region_is_refused(self, opened: Open, box: Sandbox) -> None:
        with Sandbox(responses=1, region="eu") as other:
            page = opened(region=other.region)
            page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
            assert "refused" in page.errors["api_token"]

    def test_a_server_that_is_down_is_told_below_the_form(self, opened: Open) -> None:
        with Sandbox(responses=1) as gone:
            region = gone.region
        page = opened(region=region)
        page.submit(api_token="some-key", api_token_secret="some-secret")
        assert list(page.errors) == [""]
        assert region.host in page.errors[""]
        assert "paste it again" in page.hints[""]  # the page has emptied its boxes
        page.submit(api_token="some-key some-secret", api_token_secret="")
        assert "paste it again" not in page.hints[""]  # it has not: one of them was empty

    def test_empty_network_error_wrong_and_right_follow_one_another(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token="", api_token_secret=box.api_token_secret)
        assert list(page.errors) == ["api_token"]
        box.fail_next(Fault(cut=10))
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert list(page.errors) == [""]
        page.submit(api_token="CANARYwrong", api_token_secret=box.api_token_secret)
        assert list(page.errors) == ["api_token"]
        assert page.hints.get("", "") == ""
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.status().signed_in
        assert page.errors == {}

    def test_a_proxy_in_trouble_is_told_as_in_python(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", "http://joe:CANARYpassword@")
        page = opened(region=Region.get("us"))
        page.submit(api_token="some-key", api_token_secret="some-secret")
        with pytest.raises(TransportError) as caught:
            Client(ApiKey("some-key", "some-secret"), retries=1).account()
        sentence, hint = caught.value.lines
        shown = f"{page.errors} {page.hints}"
        assert sentence in shown
        assert hint in shown
        assert "CANARY" not in shown + page.wire.text

    @pytest.mark.parametrize(
        "trouble",
        [
            Fault(status=502, body="<html>bad gateway</html>", content_type="text/html"),
            Fault(status=200, body='{"result_ok": tr'),
            Fault(status=429),
            Fault(cut=10),
        ],
        ids=["page", "truncated", "limit", "cut"],
    )
    def test_a_server_in_trouble_leaves_the_panel_usable(
        self, page: Page, session: Session, box: Sandbox, trouble: Fault
    ) -> None:
        box.fail_next(trouble)
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert list(page.errors) == [""]
        assert not session.status().signed_in
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.status().signed_in


SHOWN = """
import sys
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.signin.panel import LoginPanel
from alchemer_nb.notebook.signin.session import Session
session = Session()
panel = LoginPanel(session, region=Region.custom(sys.argv[1]))
content = {"type": "submit", "attempt": 1, "fields": ["api_token", "api_token_secret"]}
panel.form._handle_custom_msg(content, [memoryview(each.encode()) for each in sys.argv[2:]])
print(session.names(), [name for name in ("numpy", "pandas", "pyarrow") if name in sys.modules])
"""


def test_a_sign_in_is_one_call_and_imports_no_pandas(box: Sandbox) -> None:
    before = len(box.seen)
    command = [sys.executable, "-c", SHOWN, box.url, box.api_token, box.api_token_secret]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("('custom',) []\n", "")
    assert [call.path for call in box.seen[before:]] == ["account"]


def test_a_closed_panel_is_freed(wire: Wire) -> None:
    """Else ipywidgets or anywidget deletes it while the process ends, when it cannot be closed."""
    panel = LoginPanel(Session())
    freed = weakref.ref(panel)
    panel.close()
    del panel
    wire.clear()
    gc.collect()
    assert freed() is None


class Slow(Session):
    """A session whose check of a client takes until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self._arrived, self._go_on = threading.Event(), threading.Event()

    def adopt(self, *given: Any, **more: Any) -> Any:
        self.calls += 1
        self._arrived.set()
        assert self._go_on.wait(10)
        return super().adopt(*given, **more)

    @contextlib.contextmanager
    def under_way(self, begin: Callable[[], None]) -> Iterator[None]:
        """Begins on another thread, as callbacks of ipykernel 7.0 to 7.3 do."""
        thread = threading.Thread(target=begin)
        thread.start()
        assert self._arrived.wait(10)
        try:
            yield
        finally:
            self._go_on.set()
            thread.join(10)


class TestOnce:
    def test_two_clicks_are_one_sign_in(self, page: Page, box: Sandbox) -> None:
        before = len(box.seen)
        click = page.submission(api_token=box.api_token, api_token_secret=box.api_token_secret)
        content, texts = click
        page.send(content, [*texts])
        page.send(content, [*texts])
        assert len(box.seen) - before == 1

    def test_a_click_during_a_sign_in_is_nothing(self, wire: Wire) -> None:
        slow = Slow()
        with Sandbox(responses=1) as box:
            page = Page(LoginPanel(slow, region=box.region), wire)
            click = page.submission(api_token=box.api_token, api_token_secret=box.api_token_secret)
            content, texts = {**click[0], "attempt": click[0]["attempt"] + 1}, [*click[1]]
            with slow.under_way(lambda: page.send(*click)):
                page.send(content, texts)
            assert slow.calls == 1
            assert slow.status().signed_in
            page.panel.close()

    def test_what_the_browser_brings_back_while_it_is_pasted_counts_once(
        self, wire: Wire, display: None
    ) -> None:
        slow = Slow()
        with Sandbox(responses=1) as box:
            page = Page(LoginPanel(slow, region=box.region), wire)
            back = land(box, to_link(page, box))
            assert requests.get(back, timeout=5).status_code == 200
            with slow.under_way(lambda: page.submit(pasted=back)):
                page.panel.finish_if_returned()
            assert slow.calls == 1
            assert slow.status().signed_in
            page.panel.close()

    def test_the_page_hears_that_an_attempt_has_ended_whatever_became_of_it(
        self, page: Page
    ) -> None:
        before = page.view["attempt"]
        page.submit(api_token="", api_token_secret="")
        assert page.view["attempt"] == before + 1


class TestOAuth:
    def test_link_log_in_paste_finish(self, page: Page, session: Session, box: Sandbox) -> None:
        link = to_link(page, box)
        assert link.startswith(f"{box.url}/head/oauth/authenticate?oauth_token=")
        assert page.fields == ["pasted"]
        assert page.button == "Finish"
        assert "The last page shows an error" in page.view["intro"]
        assert "from the address bar of the browser" in page.view["intro"]
        page.submit(pasted=f"  {land(box, link)}\n")
        credentials = session.require().client.credentials
        assert isinstance(credentials, OAuth1)
        assert credentials.three_legged

    def test_the_link_names_its_host_and_stands_in_no_state(self, page: Page, box: Sandbox) -> None:
        token = to_link(page, box).partition("oauth_token=")[2]
        sent = [m["data"]["content"] for _, m in page.wire if "content" in (m["data"] or {})]
        assert sent[-1]["host"] == box.region.host
        assert token not in str(page.panel.form.get_state())

    def test_a_page_that_comes_later_is_given_the_link_too(self, page: Page, box: Sandbox) -> None:
        link = to_link(page, box)
        page.wire.clear()
        page.send({"type": "ready"})
        assert page.wire.last_link() == link

    def test_the_consumer_pair_is_refused_beside_its_box(self, page: Page, box: Sandbox) -> None:
        page.panel.mode.value = OAUTH
        page.submit(consumer_key="unknown-key", consumer_secret=box.consumer_secret)
        assert list(page.errors) == ["consumer_key"]
        page.submit(consumer_key="", consumer_secret="")
        assert list(page.errors) == ["consumer_key"]
        page.submit(consumer_key=box.consumer_key, consumer_secret="")
        assert list(page.errors) == ["consumer_secret"]

    def test_an_address_of_another_attempt_is_told_and_the_right_one_still_works(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        old = land(box, to_link(page, box))
        page.press("new_link")
        page.submit(pasted=old)
        assert "older sign-in link" in page.errors["pasted"]
        assert not session.status().signed_in
        page.submit(pasted=land(box, page.wire.last_link()))
        assert session.status().signed_in

    def test_what_was_begun_in_one_region_is_not_ended_in_another(
        self, opened: Open, session: Session, box: Sandbox
    ) -> None:
        with Sandbox(responses=1, region="eu") as other:
            session.box = other
            page = opened()
            back = land(box, to_link(page, box))
            finish = page.submission(pasted=back)
            page.panel.region.value = other.region
            page.send(*finish)
            session.box = None
            assert page.fields == ["consumer_key", "consumer_secret"]
            assert "consumer_key" in page.errors
            assert len(other.seen) == 0
        assert not session.status().signed_in

    def test_a_denied_consent_is_told_and_can_be_repeated(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(pasted=land(box, to_link(page, box), "deny"))
        assert "Access was denied" in page.errors["pasted"]
        page.press("new_link")
        assert page.errors == {}
        page.submit(pasted=land(box, page.wire.last_link()))
        assert session.status().signed_in

    def test_an_expired_link_is_told(self, opened: Open) -> None:
        with Sandbox(responses=1, request_token_ttl=0.001) as box:
            page = opened(OAUTH, box.region)
            token = to_link(page, box).partition("oauth_token=")[2]
            page.submit(pasted=f"https://x.invalid/?oauth_token={token}&oauth_verifier=v1")
            assert "expired" in page.errors["pasted"]

    def test_nothing_pasted_is_told(self, page: Page, box: Sandbox) -> None:
        to_link(page, box)
        page.submit(pasted="  ")
        assert list(page.errors) == ["pasted"]

    def test_start_again_leads_back_to_the_consumer_pair(self, page: Page, box: Sandbox) -> None:
        to_link(page, box)
        page.press("start_again")
        assert page.fields == ["consumer_key", "consumer_secret"]
        assert page.panel.sign_in.flow is None

    def test_the_application_may_sign_in_itself(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.panel.mode.value = OAUTH
        assert "two_legged" in page.options
        page.submit(
            {"two_legged": True},
            consumer_key=box.consumer_key,
            consumer_secret=box.consumer_secret,
        )
        expected = OAuth1(box.consumer_key, box.consumer_secret)
        assert session.require().client.credentials == expected

    def test_what_the_browser_brings_back_by_itself_finishes_the_sign_in(
        self, page: Page, session: Session, box: Sandbox, display: None
    ) -> None:
        back = land(box, to_link(page, box))
        page.panel.finish_if_returned()
        assert page.panel.shows_form
        assert requests.get(back, timeout=5).status_code == 200
        page.panel.finish_if_returned()
        assert session.status().signed_in

    def test_where_the_return_is_caught_nothing_has_to_be_copied(
        self, page: Page, box: Sandbox, display: None
    ) -> None:
        to_link(page, box)
        assert "nothing has to be copied" in page.view["intro"]
        assert "code_link" not in page.actions

    def test_a_denial_that_comes_back_by_itself_is_told_on_both_sides(
        self, page: Page, session: Session, box: Sandbox, display: None
    ) -> None:
        back = land(box, to_link(page, box), "deny")
        landing = requests.get(back, timeout=5).text
        assert "Access was denied" in landing
        assert "finishes in the notebook" not in landing
        page.panel.finish_if_returned()
        assert "Access was denied" in page.errors["pasted"]
        assert "new sign-in link" in page.hints["pasted"]
        page.press("new_link")
        requests.get(land(box, page.wire.last_link()), timeout=5)
        page.panel.finish_if_returned()
        assert session.status().signed_in

    def test_without_a_desktop_a_page_can_show_the_code(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        to_link(page, box)
        page.press("code_link")
        assert page.errors == {}
        assert "shows a code" in page.view["intro"]
        shown = sign_in(page.wire.last_link(), box.username, box.password).text
        found = re.search(r"<code[^>]*>\s*(\S+?)\s*</code>", shown)
        assert found
        page.submit(pasted=f"Your verifier: {found[1]}.")
        assert session.status().signed_in

    def test_where_no_page_shows_a_code_the_link_before_still_works(
        self, opened: Open, session: Session
    ) -> None:
        with Sandbox(responses=1, oob=False) as strict:
            page = opened(OAUTH, strict.region)
            link = to_link(page, strict)
            page.press("code_link")
            assert "no page that shows a code" in page.errors[""]
            assert "even if that page shows an error" in page.hints[""]
            assert page.wire.last_link() == link
            page.submit(pasted=land(strict, link))
            assert session.status().signed_in

    def test_behind_a_hub_the_sandbox_is_opened_through_its_proxy(
        self, page: Page, session: Session, box: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
        link = to_link(page, box)
        assert link.startswith(f"/user/ada/proxy/{box.port}/head/oauth/authenticate?oauth_token=")


class TestRemember:
    def test_nothing_is_kept_unless_ticked(self, page: Page, box: Sandbox) -> None:
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert profiles.names() == ()

    def test_ticked_it_is_kept_with_its_region(self, page: Page, box: Sandbox) -> None:
        page.submit(
            {"remember": True}, api_token=box.api_token, api_token_secret=box.api_token_secret
        )
        kept = profiles.load()
        assert kept is not None
        assert kept.credentials == ApiKey(box.api_token, box.api_token_secret)
        assert kept.region == box.region
        assert "Remembered in a file that only you can read" in page.panel.status.value

    def test_a_refused_key_is_not_kept(self, page: Page, box: Sandbox) -> None:
        page.submit({"remember": True}, api_token="wrong", api_token_secret="pair")
        assert profiles.names() == ()

    def test_where_it_cannot_be_kept_the_sign_in_stands_and_says_so(
        self, page: Page, session: Session, box: Sandbox, tmp_path: Path
    ) -> None:
        (tmp_path / "alchemer_nb").write_text("a file where the folder should be")
        page.submit(
            {"remember": True}, api_token=box.api_token, api_token_secret=box.api_token_secret
        )
        assert session.status().signed_in
        assert "Not remembered" in page.panel.status.value

    def test_on_binder_the_box_is_absent_and_a_warning_stands_there(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        assert "remember" in opened().options
        monkeypatch.setenv("BINDER_SERVICE_HOST", "hub")
        page = opened()
        assert page.options == []
        assert "someone else's machine" in page.view["notice"]
        page.submit(
            {"remember": True}, api_token=box.api_token, api_token_secret=box.api_token_secret
        )
        assert profiles.names() == ()


class TestSignedIn:
    def test_the_headline_tells_who_is_signed_in_and_the_button_signs_out(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        shown = repr(page.panel) + page.panel.status.value
        assert session.status().organisation in shown
        assert box.region.host in shown
        page.panel._sign_out_button.click()
        assert not session.status().signed_in
        assert page.panel.shows_form
        assert page.panel.form in page.panel.children

    def test_boxes_are_emptied_at_every_sign_in_and_sign_out_and_not_by_an_error(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        seen = [page.view["clear"]]
        page.submit(api_token=box.api_token, api_token_secret="wrong")
        assert page.view["clear"] == seen[0]
        session.adopt(Client(ApiKey(box.api_token, box.api_token_secret), region=box.region))
        seen.append(page.view["clear"])
        session.sign_out()
        seen.append(page.view["clear"])
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        seen.append(page.view["clear"])
        assert seen == sorted(set(seen))

    def test_another_account_can_be_added_and_one_may_go_back(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        page.panel._add_button.click()
        page.press("back")
        assert not page.panel.shows_form
        page.panel._add_button.click()
        page.panel.mode.value = OAUTH
        page.submit(
            {"two_legged": True},
            consumer_key=box.consumer_key,
            consumer_secret=box.consumer_secret,
        )
        assert session.names() == ("sandbox", "sandbox-2")
        assert session.status().mode == "OAuth"

    def test_the_note_of_who_is_signed_in_goes_with_the_status(
        self, opened: Open, session: Session, box: Sandbox
    ) -> None:
        session.adopt(Client(ApiKey(box.api_token, box.api_token_secret), region=box.region))
        page = opened(notice=("Already signed in; sign out first, or add another account.", ""))
        assert "Already signed in" in page.panel.status.value
        page.panel._add_button.click()
        assert page.view["notice"] == ""
        page.press("back")
        assert "Already signed in" not in page.panel.status.value

    def test_a_sandbox_that_stops_leaves_the_list_of_regions(self, wire: Wire) -> None:
        session = Session()
        with Sandbox(responses=1) as own:
            session.box = own
            page = Page(LoginPanel(session), wire)
            assert page.panel.region.value == own.region
            page.submit(api_token=own.api_token, api_token_secret=own.api_token_secret)
            session.sign_out()
            assert page.panel.region.value == Region.get("us")
            assert len(page.panel.region.options) == len(Region.names())
            page.panel.close()


class TestSecondTab:
    """The same panel in two tabs of the browser: both get each view, and one attempt counts."""

    def test_what_one_tab_sends_late_changes_nothing(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        other = Page(page.panel, page.wire)
        late = other.submission(api_token="CANARYlate1", api_token_secret="CANARYlate2")
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        before = len(box.seen)
        other.send(*late)
        assert len(box.seen) == before
        assert session.status().signed_in

    def test_a_new_link_of_one_tab_is_the_link_of_both(
        self, page: Page, session: Session, box: Sandbox
    ) -> None:
        old = to_link(page, box)
        other = Page(page.panel, page.wire)
        other.press("new_link")
        page.submit(pasted=land(box, old))
        assert "older sign-in link" in page.errors["pasted"]
        assert "newest link" in page.hints["pasted"]
        page.submit(pasted=land(box, page.wire.last_link()))
        assert session.status().signed_in


class TestWhere:
    """Where a key or a consumer pair comes from, in the words of Alchemer's own page."""

    @pytest.mark.parametrize("name", Region.names())
    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            (KEY, ("Security > API Access", "Account > Integrations > API Key", "ask an admin")),
            (OAUTH, ("registration form", "If this page is not found:")),
        ],
    )
    def test_each_way_says_where_with_links_of_its_region(
        self, opened: Open, name: str, mode: str, words: tuple[str, ...]
    ) -> None:
        region = Region.get(name)
        where = opened(mode, region).view["where"]
        text = "".join(each["text"] for each in where)
        for each in (*words, f"Log in at {region.app_host}"):
            assert each in text
        links = [each["href"] for each in where if "href" in each]
        assert links == [region.app_url, region.register_url][: 1 + (mode == OAUTH)]

    def test_another_region_has_other_links_and_what_was_typed_stays(self, page: Page) -> None:
        before = page.view["clear"]
        page.panel.region.value = Region.get("eu")
        assert page.view["where"][1]["href"] == "https://app.alchemer.eu"
        assert page.view["clear"] == before

    def test_while_a_link_is_open_it_is_not_asked_for(self, page: Page, box: Sandbox) -> None:
        to_link(page, box)
        assert "where" not in page.view


class TestRegions:
    def test_each_region_shows_where_one_logs_in(self, wire: Wire) -> None:
        panel = LoginPanel(Session())
        labels = [label for label, _ in panel.region.options]
        for name in Region.names():
            assert any(Region.get(name).app_host in label for label in labels)
        assert "address bar" in panel._hint.value
        panel.close()

    def test_a_change_of_region_ends_the_attempt_under_way(self, page: Page, box: Sandbox) -> None:
        to_link(page, box)
        page.panel.region.value = Region.get("eu")
        assert page.panel.sign_in.flow is None
        assert page.fields == ["consumer_key", "consumer_secret"]


class TestSecrets:
    def everything(self, page: Page) -> str:
        """All that the panel shows, keeps in synced state, or ever sent."""
        panel = page.panel
        parts = [panel, panel.region, panel.mode, panel.form, panel.status, panel._buttons]
        states = [str(part.get_state()) + repr(part) for part in parts]
        bundle = panel._repr_mimebundle_()
        return "".join([*states, str(bundle), page.wire.text, repr(panel.sign_in.__dict__)])

    def test_no_part_of_a_key_is_in_any_state_or_message(
        self, page: Page, session: Session, box: Sandbox, search: Search
    ) -> None:
        secrets = ["CANARYtoken12345678", "CANARYsecret12345678"]
        search.add([*secrets, box.api_token, box.api_token_secret])
        page.submit(api_token=secrets[0], api_token_secret=secrets[1])
        page.submit(api_token=f"{secrets[0]} {secrets[1]} three", api_token_secret="")
        page.submit(api_token=f"https://x/?api_token={secrets[0]}", api_token_secret="")
        page.submit(api_token=box.api_token, api_token_secret=f"in{secrets[1]} side")
        page.submit(api_token=box.api_token, api_token_secret=box.api_token_secret)
        assert session.status().signed_in
        search.text("the panel", self.everything(page))

    def test_no_part_of_an_oauth_sign_in_is_in_any_state(
        self, page: Page, session: Session, box: Sandbox, search: Search
    ) -> None:
        landed = land(box, to_link(page, box))
        verifier = landed.rpartition("oauth_verifier=")[2]
        page.submit(pasted="https://x/?oauth_token=CANARYother&oauth_verifier=CANARYverifier")
        page.submit(pasted=landed)
        credentials = session.require().client.credentials
        assert len(credentials.secrets) == 4
        search.add([*credentials.secrets, verifier, "CANARYverifier"])
        search.text("the panel", self.everything(page))
        search.thing("its form", page.panel.form._link)  # it had a request token

    @pytest.mark.parametrize("buffers", [[], [b"CANARY"], [b"CANARY\xff"] * 2], ids=len)
    @pytest.mark.parametrize(
        "content",
        [
            "CANARY",
            ["CANARY"],
            {"type": "CANARY"},
            {"type": "submit", "attempt": 1, "fields": "CANARY", "options": "CANARY"},
            {"type": "submit", "attempt": 1, "fields": {"api_token": {"CANARY": 1}}},
            {"type": "submit", "attempt": 1, "fields": [["CANARY"]], "options": {"CANARY": 1}},
            {"type": "submit", "attempt": 1, "values": {"api_token": "CANARY"}},
            {"type": "submit", "attempt": "CANARY", "fields": []},
            {"type": "action", "attempt": 1, "name": "CANARY"},
            {"type": "options", "options": ["CANARY"]},
        ],
    )
    def test_a_message_of_the_wrong_form_does_nothing_and_is_not_repeated(
        self,
        page: Page,
        session: Session,
        content: Any,
        buffers: list[bytes],
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        page.send(content, buffers)
        out, err = capsys.readouterr()
        assert "CANARY" not in self.everything(page) + caplog.text + out + err
        assert not session.status().signed_in

    def test_what_was_typed_is_taken_out_of_the_message(self, page: Page, box: Sandbox) -> None:
        content, texts = page.submission(api_token="CANARYa", api_token_secret="CANARYb")
        assert "CANARY" not in str(content) + str(texts)
        page.send(content, texts)
        assert texts == []

    def test_a_front_end_that_passes_no_buffers_is_named(self, page: Page) -> None:
        content, _ = page.submission(api_token="CANARYa", api_token_secret="CANARYb")
        page.send(content, [])
        assert "did not reach the kernel" in page.errors[""]
        assert "%alchemer login --prompt" in page.hints[""]

    def test_a_fault_of_ours_shows_in_the_panel_without_its_text(
        self, wire: Wire, box: Sandbox, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Broken(Session):
            def adopt(self, *_: Any, **__: Any) -> Any:
                raise RuntimeError("CANARY")

        page = Page(LoginPanel(Broken(), region=box.region), wire)
        page.submit(api_token="some-key", api_token_secret="some-secret")
        assert "RuntimeError" in page.errors[""]
        assert "CANARY" not in page.errors[""]
        assert capsys.readouterr() == ("", "")
        page.panel.close()
