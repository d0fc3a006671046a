"""The console's pages: rows 2, 3 and 6 of the authentication page, as a person uses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
import requests
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.web import Application, RequestHandler

from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small
from tests.sandbox.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = (
    "",
    "login",
    "security/api-access",
    "account/api-key",
    "account/restful-register",
    "head/oauth/authenticate",
)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(surveys=[small.build()]) as running:
        yield running


def status(person: Person) -> int:
    assert person.answer is not None
    return person.answer.status_code


class TestLogIn:
    def test_by_name_or_address(self, box: Sandbox) -> None:
        for name in ("ben", "ben@example.org", " ben "):
            person = Person(box.url)
            person.open("login")
            page = person.send("password", name=name, password="ben-sandbox")
            assert "Log out" in page.text

    @pytest.mark.parametrize(
        ("name", "password"),
        [("ben", "wrong"), ("nobody", "ben-sandbox"), ("", ""), ("dora", "dora-sandbox")],
    )
    def test_refused(self, box: Sandbox, name: str, password: str) -> None:
        person = Person(box.url)
        person.open("login")
        page = person.send("password", name=name, password=password)
        assert status(person) == 401
        assert "do not fit" in page.text
        assert "Log out" not in page.text

    def test_leads_back_to_the_page_that_was_asked_for(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.open("account/api-key")
        page = person.send("password", name="ben", password="ben-sandbox")
        assert page.marked["data-token=ben"] == box.key("ben").token

    @pytest.mark.parametrize(
        "place", ["//evil.example", "https://evil.example", "/\\evil.example", "../x", "a?b"]
    )
    def test_never_leads_elsewhere(self, box: Sandbox, place: str) -> None:
        person = Person(box.url)
        person.open("login")
        person.send("password", follow=False, name="ben", password="ben-sandbox", next=place)
        assert person.answer is not None
        assert person.answer.headers["Location"] == "./"

    def test_log_out_ends_it(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        person.session.post(f"{box.url}/logout", data=person.page.forms[0].fields, timeout=10)
        assert "Log out" not in person.open("/").text

    def test_a_forged_cookie_is_nobody(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        name = f"alchemer_sandbox_{box.port}"
        good = person.session.cookies[name]
        person.session.cookies.clear()
        person.session.cookies.set(name, good[:-4] + "0000")
        assert "Log in" in person.open("account/api-key").text

    def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.open("login")
        person.send("password", follow=False, name="ben", password="ben-sandbox")
        assert person.answer is not None
        set_by = person.answer.headers["Set-Cookie"]
        assert "HttpOnly" in set_by
        assert "SameSite=Lax" in set_by


class TestForgery:
    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("login", {"name": "ben", "password": "ben-sandbox"}),
            ("logout", {}),
            ("security/api-access", {"user_id": "2"}),
            ("account/restful-register", {"title": "x"}),
            ("head/oauth/authenticate?oauth_token=x", {"step": "allow"}),
        ],
    )
    def test_a_post_without_the_forms_token_is_refused(
        self, box: Sandbox, path: str, fields: dict[str, str]
    ) -> None:
        person = Person(box.url)
        person.log_in("ada")
        before = box.key("ben").token
        answer = person.session.post(
            f"{box.url}/{path}", data=fields, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 403
        assert "reload" in answer.text
        assert box.key("ben").token == before

    def test_pages_are_not_framed_kept_or_scripted(self, box: Sandbox) -> None:
        headers = requests.get(f"{box.url}/login", timeout=10).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["frame-ancestors"] == policy["default-src"] == policy["base-uri"] == "'none'"
        # One script of ours, which a number that is never used again lets run.
        again = requests.get(f"{box.url}/login", timeout=10)
        assert re.fullmatch(r"'nonce-[\w-]{20,}'", policy["script-src"])
        assert policy["script-src"] not in again.headers["Content-Security-Policy"]
        assert again.text.count("<script") == again.text.count("<script nonce=") == 1
        assert headers["Cache-Control"] == "no-store"

    def test_text_of_people_is_not_markup(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ada")
        person.open("account/restful-register")
        person.send("title", title="<script>alert(1)</script>")
        assert person.answer is not None
        assert "<script>" not in person.answer.text
        assert person.answer.text.count("<script") == 1
        assert "&lt;script&gt;" in person.answer.text


class TestApiAccess:
    def test_an_administrator_sees_all_keys_of_all_users(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ada")
        page = person.open("security/api-access")
        for name in ("ada", "ben", "dora"):
            assert page.marked[f"data-token={name}"] == box.key(name).token
            assert page.marked[f"data-secret={name}"] == box.key(name).secret
        assert "data-token=cleo" not in page.marked

    def test_an_administrator_makes_a_key_for_a_chosen_user(self) -> None:
        with Sandbox(surveys=[]) as box:
            person = Person(box.url)
            person.log_in("ada")
            person.open("security/api-access")
            page = person.send("user_id", user_id="3")
            assert page.marked["data-token=cleo"] == box.key("cleo").token
            cleo = Person(box.url)
            cleo.log_in("cleo")
            assert cleo.open("account/api-key").marked["data-token=cleo"] == box.key("cleo").token

    def test_a_key_is_replaced_only_after_a_question(self) -> None:
        with Sandbox(surveys=[]) as box:
            before = box.key("ben").token
            person = Person(box.url)
            person.log_in("ada")
            person.open("security/api-access")
            page = person.send("user_id:2")
            assert "Regenerate the key of ben?" in page.text
            assert f"ends in {before[-4:]} stops working at once" in " ".join(page.text.split())
            assert before not in page.text
            assert any(link.endswith("security/api-access") for link in page.links)
            assert box.key("ben").token == before
            answered = person.answer
            page = person.send("replaces")
            assert page.marked["data-token=ben"] == box.key("ben").token != before
            # The same answer once more is about a key that is gone: it asks again.
            new = box.key("ben").token
            person.answer = answered
            person.send("replaces")
            assert box.key("ben").token == new

    def test_a_user_that_does_not_exist(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ada")
        person.open("security/api-access")
        person.send("user_id", user_id="77")
        assert status(person) == 404

    def test_others_are_told_where_their_key_is(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        page = person.open("security/api-access")
        assert status(person) == 403
        assert "Only administrators" in page.text
        assert box.api_token not in page.text

    def test_others_cannot_make_keys(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        before = box.key("ben").token
        token = person.page.forms[0].fields["_xsrf"]
        person.session.post(
            f"{box.url}/security/api-access", data={"user_id": "2", "_xsrf": token}, timeout=10
        )
        assert box.key("ben").token == before


class TestMyKey:
    def test_shows_the_key_that_was_made_for_me(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        page = person.open("account/api-key")
        assert page.marked == {
            "data-token=ben": box.key("ben").token,
            "data-secret=ben": box.key("ben").secret,
        }

    def test_who_has_none_is_told_to_contact_the_administrator(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("cleo")
        page = person.open("account/api-key")
        assert "Contact your administrator (ada@example.org)" in page.text


class TestRegistration:
    def test_needs_a_name(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("ben")
        person.open("account/restful-register")
        page = person.send("title", title="  ")
        assert status(person) == 400
        assert "Give the application a name" in page.text

    def test_shows_nobody_elses_applications(self, box: Sandbox) -> None:
        person = Person(box.url)
        person.log_in("cleo")
        assert box.consumer_key not in person.open("account/restful-register?made=yes").text


def test_every_link_and_form_is_relative(box: Sandbox) -> None:
    person = Person(box.url)
    for user in (None, "ada"):
        if user:
            person.log_in(user)
        for path in PAGES:
            page = person.open(f"/{path}")
            places = page.links + [form.action for form in page.forms]
            assert places
            assert not [place for place in places if re.match(r"/|https?:", place)]


class Prefixed(RequestHandler):
    """Hands ``/user/ada/proxy/PORT/…`` on to a sandbox, as jupyter-server-proxy does."""

    box: Sandbox
    prefix: str

    def initialize(self, box: Sandbox, prefix: str) -> None:
        self.box, self.prefix = box, prefix

    async def get(self, rest: str) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        headers = HTTPHeaders(self.request.headers)
        headers["X-ProxyContextPath"] = self.prefix
        answer = await AsyncHTTPClient().fetch(
            f"{self.box.url}/{rest}{query}",
            method=self.request.method or "GET",
            headers=headers,
            body=self.request.body if self.request.method == "POST" else None,
            follow_redirects=False,
            raise_error=False,
        )
        self.set_status(answer.code)
        for name, value in answer.headers.get_all():
            if name in ("Location", "Set-Cookie", "Content-Type"):
                self.add_header(name, value)
        self.finish(answer.body)

    post = get

    def check_xsrf_cookie(self) -> None:
        return


@pytest.fixture
def proxied(box: Sandbox) -> Iterator[str]:
    """The address of a sandbox behind a proxy that takes a prefix away."""
    import asyncio
    import threading
    from concurrent.futures import Future

    prefix = f"/user/ada/proxy/{box.port}"
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets

        server = HTTPServer(
            Application([(rf"{prefix}/(.*)", Prefixed, {"box": box, "prefix": prefix})])
        )
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        stop = asyncio.Event()
        port = sockets[0].getsockname()[1]
        ready.set_result((f"http://127.0.0.1:{port}{prefix}/", asyncio.get_running_loop(), stop))
        await stop.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    address, loop, stop = ready.result(10)
    yield address
    loop.call_soon_threadsafe(stop.set)
    thread.join()


def test_everything_works_behind_a_prefix(box: Sandbox, proxied: str) -> None:
    from requests_oauthlib import OAuth1Session

    session = OAuth1Session(box.consumer_key, box.consumer_secret, callback_uri="oob")
    token = session.fetch_request_token(f"{box.url}/head/oauth/request_token")["oauth_token"]
    person = Person(proxied)
    person.open(f"{proxied}head/oauth/authenticate?oauth_token={token}")
    person.send("password", name="ada", password="ada-sandbox")
    assert person.answer is not None
    assert person.answer.url.startswith(f"{proxied}head/oauth/authenticate?")
    page = person.send("step:allow", step="allow")
    tokens = session.fetch_access_token(
        f"{box.url}/head/oauth/access_token", verifier=page.marked["data-verifier"]
    )
    assert tokens["oauth_token"]
    page = person.open(f"{proxied}account/api-key")  # logged in on every page below the prefix
    assert page.marked["data-token=ada"] == box.api_token
    paths = {c.path for c in person.session.cookies if c.name == f"alchemer_sandbox_{box.port}"}
    assert paths == {f"/user/ada/proxy/{box.port}"}
    person.open(f"{proxied}security/api-access")
    person.send("user_id:2")
    page = person.send("replaces")
    assert page.marked["data-token=ben"] == box.key("ben").token
    here = person.answer.url
    for link in page.links:
        person.open(urljoin(here, link))
        assert status(person) == 200
