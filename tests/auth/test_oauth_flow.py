"""Signing in with OAuth 1.0a, against the sandbox's own log-in and consent pages."""

from __future__ import annotations

import os
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from alchemer_nb import Client, OAuth1, OAuthFlow
from alchemer_nb.auth.loopback import DEAD_ADDRESS, CallbackListener, is_browser_local
from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    ConsentDenied,
    InvalidArgument,
    ServerError,
    SignInError,
    SignInExpired,
    TransportError,
    WrongAttempt,
)
from alchemer_nb.http.regions import Region
from alchemer_nb.sandbox import Sandbox
from tests.person import landing_address, sign_in
from tests.scripted import Reply


@pytest.fixture
def flow(box):
    made = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    yield made
    made.close()


def land(box, link, answer="allow"):
    return landing_address(link, box.username, box.password, answer)


def verifier_of(address):
    return parse_qs(urlsplit(address).query)["oauth_verifier"][0]


def test_start_gives_the_log_in_address_of_the_region(box, flow):
    link = flow.start()
    assert link.startswith(f"{box.url}/head/oauth/authenticate?oauth_token=")


def test_the_whole_address_or_the_bare_verifier_finishes(box, flow):
    for form in (lambda address: address, verifier_of):
        credentials = flow.finish(form(land(box, flow.start())))
        assert isinstance(credentials, OAuth1)
        assert credentials.three_legged
        account = Client(credentials, region=box.region).account()
        assert account["organization"][0] == "Larkmoor Outdoor"


@pytest.mark.parametrize(
    "copied",
    [
        "  {}  ",
        '"{}"',
        "<{}>",
        "“{}”",
        "\n{}\n",
        "'{}',",
        lambda a: a[:30] + "\n" + a[30:50] + "  \r\n" + a[50:],
        lambda a: a.replace("&", "&amp;"),
        lambda a: a.partition("?")[2],
        lambda a: f"oauth_verifier={verifier_of(a)}",
        lambda a: f"\ufeff {verifier_of(a)}\u200b\n",
    ],
)
def test_a_paste_is_forgiven_what_copying_adds(box, flow, copied):
    address = land(box, flow.start())
    text = copied.format(address) if isinstance(copied, str) else copied(address)
    assert flow.finish(text).three_legged


def test_calls_act_in_the_scope_of_the_user_who_logged_in(box):
    ben = next(user for user in box.users if user.username == "ben")
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    credentials = flow.finish(landing_address(flow.start(), ben.username, ben.password))
    client = Client(credentials, region=box.region)
    assert len(client.surveys()) == 5
    with pytest.raises(AlchemerError, match="administrator"):
        client.table("accountuser")  # administrators only, which two-legged calls of ada may
    assert len(
        Client(OAuth1(box.consumer_key, box.consumer_secret), box.region).table("accountuser")
    )


def test_an_address_of_another_attempt_is_refused_and_the_right_one_still_serves(box, flow):
    old = land(box, flow.start())
    new = land(box, flow.start())
    with pytest.raises(WrongAttempt, match="older sign-in link"):
        flow.finish(old)
    assert flow.finish(new).three_legged


def test_a_verifier_of_another_attempt_is_refused(box, flow):
    old = land(box, flow.start())
    flow.start()
    with pytest.raises(WrongAttempt, match="refused"):
        flow.finish(verifier_of(old))
    assert flow.finish(land(box, flow.start())).three_legged


def test_a_denied_consent_has_its_own_error_and_can_be_repeated(box, flow):
    with pytest.raises(ConsentDenied, match="access was denied"):
        flow.finish(land(box, flow.start(), "deny"))
    assert flow.finish(land(box, flow.start())).three_legged


def test_an_expired_request_token_has_its_own_error():
    with Sandbox(responses=0, request_token_ttl=1) as own:
        flow = OAuthFlow(own.consumer_key, own.consumer_secret, region=own.region)
        address = landing_address(flow.start(), own.username, own.password)
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            time.sleep(0.05)
        with pytest.raises(SignInExpired, match="expired"):
            flow.finish(address)
        assert flow.finish(landing_address(flow.start(), own.username, own.password)).three_legged


def test_a_verifier_serves_once(box, flow):
    address = land(box, flow.start())
    flow.finish(address)
    with pytest.raises(SignInError, match="new sign-in link"):
        flow.finish(address)


def test_finish_before_start(flow):
    with pytest.raises(SignInError, match="no sign-in has been started"):
        flow.finish("abc")


@pytest.mark.parametrize("text", ["", "   \n", '""', "https://alchemer-nb.invalid/signed-in"])
def test_a_paste_without_a_verifier_says_what_to_copy(flow, text):
    flow.start()
    with pytest.raises(InvalidArgument, match="copy the address"):
        flow.finish(text)


def test_pasting_the_sign_in_link_itself(flow):
    link = flow.start()
    with pytest.raises(InvalidArgument, match="log in, allow"):
        flow.finish(link)


def test_a_wrong_consumer_pair_is_refused(box):
    flow = OAuthFlow("f" * 41, "0" * 32, region=box.region)
    with pytest.raises(AuthenticationError):
        flow.start()


def test_json_glued_to_the_token_answers_is_ignored():
    with Sandbox(responses=0, glue_json=True) as own:
        flow = OAuthFlow(own.consumer_key, own.consumer_secret, region=own.region)
        credentials = flow.finish(landing_address(flow.start(), own.username, own.password))
        assert len(Client(credentials, region=own.region).account()) == 1


def test_out_of_band_shows_the_verifier_on_a_page(box):
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region, callback="oob")
    page = sign_in(flow.start(), box.username, box.password)
    assert page.status_code == 200
    import re

    verifier = re.search(r"<code[^>]*>\s*(\S+?)\s*</code>", page.text)[1]
    assert flow.finish(verifier).three_legged


def test_out_of_band_may_be_refused():
    with Sandbox(responses=0, oob=False) as own:
        flow = OAuthFlow(own.consumer_key, own.consumer_secret, region=own.region, callback="oob")
        with pytest.raises(AlchemerError):
            flow.start()


def test_a_callback_of_ones_own_keeps_its_query(box):
    callback = "https://example.org/back?from=notebook"
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region, callback=callback)
    address = land(box, flow.start())
    assert address.startswith("https://example.org/back?from=notebook&")
    assert flow.finish(address).three_legged


def test_without_a_browser_here_nothing_answers_at_the_callback(box, flow, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if is_browser_local():
        pytest.skip("this system always has a desktop")
    assert flow.callback == DEAD_ADDRESS
    assert land(box, flow.start()).startswith(DEAD_ADDRESS)
    assert flow.caught is None


def test_where_the_browser_is_here_the_verifier_is_caught(box, flow, monkeypatch):
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "CODESPACES", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    link = flow.start()
    address = land(box, link)
    assert address.startswith("http://127.0.0.1:")
    assert flow.caught is None
    page = requests.get(address, timeout=5)
    assert "Back to your notebook" in page.text
    assert verifier_of(address) not in page.text
    assert flow.wait(5)
    assert flow.finish(flow.caught).three_legged
    with pytest.raises(requests.ConnectionError):  # it has closed
        requests.get(address, timeout=1)


@pytest.mark.parametrize(
    ("environ", "here"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, False),
        ({"DISPLAY": ":0", "BINDER_SERVICE_HOST": "x"}, False),
        ({"WAYLAND_DISPLAY": "wayland-0", "JUPYTERHUB_SERVICE_PREFIX": "/user/x/"}, False),
    ],
)
def test_the_guess_where_the_browser_is(monkeypatch, environ, here):
    monkeypatch.setattr(os, "environ", environ)
    assert is_browser_local() is here


def test_the_listener_takes_only_the_attempt_it_waits_for():
    listener = CallbackListener()
    try:
        listener.expect("mine")
        other = requests.get(f"{listener.address}?oauth_token=other&oauth_verifier=x", timeout=5)
        assert other.status_code == 404
        assert listener.caught is None
        assert (
            requests.get(listener.address.replace("signed-in", "else"), timeout=5).status_code
            == 404
        )
        requests.get(f"{listener.address}?oauth_token=mine&oauth_verifier=x", timeout=5)
        assert listener.caught == "oauth_token=mine&oauth_verifier=x"
    finally:
        listener.close()
        listener.close()


@pytest.fixture
def listener():
    made = CallbackListener()
    made.expect("mine")
    yield made
    made.close()


def status(listener, query, host=None):
    headers = {"Host": host} if host else {}
    return requests.get(f"{listener.address}?{query}", headers=headers, timeout=5).status_code


def test_a_second_return_does_not_replace_the_first(listener):
    right = "oauth_token=mine&oauth_verifier=right"
    assert status(listener, right) == 200
    for query in (
        "oauth_token=mine&oauth_verifier=wrong",
        "oauth_token=mine&oauth_verifier=right&oauth_verifier=wrong",
        "denied=mine",
    ):
        assert status(listener, query) == 404
        assert listener.caught == right
    assert status(listener, right) == 200  # the page is loaded anew
    listener.expect("mine")
    assert listener.caught is None


@pytest.mark.parametrize(
    ("query", "host"),
    [
        ("oauth_token=mine", None),
        ("oauth_token=mine&oauth_token=other&oauth_verifier=x", None),
        ("oauth_verifier=x", None),
        ("oauth_token=mine&oauth_verifier=x", "evil.example"),
        ("oauth_token=mine&oauth_verifier=x", "localhost"),
    ],
)
def test_what_is_no_return_changes_nothing(listener, query, host):
    assert status(listener, query, host) == 404
    assert listener.caught is None
    assert status(listener, "oauth_token=mine&denied=mine") == 200


def test_a_listener_that_nobody_closes_leaves_no_thread_and_no_socket():
    listener = CallbackListener()
    listener.expect("mine")
    address = urlsplit(listener.address)
    thread = next(each for each in threading.enumerate() if each is listener._thread)
    idle = socket.create_connection((address.hostname, address.port))
    del listener
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(OSError):  # noqa: PT011 - refused, in the words of each system
        socket.create_connection((address.hostname, address.port), 1)
    idle.close()


def test_a_listener_ends_with_the_link_and_a_new_link_has_a_new_one(box, flow, monkeypatch):
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "CODESPACES", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    with Sandbox(responses=1, request_token_ttl=1) as brief:
        short = OAuthFlow(brief.consumer_key, brief.consumer_secret, region=brief.region)
        short.start()
        first = short.callback
        short._listener._thread.join(10)
        short.start()
        assert short.callback != first
        short.close()


def test_each_region_signs_in_at_its_own_host():
    for name in Region.names():
        flow = OAuthFlow("k" * 41, "s" * 32, region=name)
        assert flow.region.authenticate_url.startswith(Region.get(name).api_url)


def test_an_answer_without_a_token(scripted):
    scripted.answer("/head/oauth/request_token", {"result_ok": True})
    flow = OAuthFlow("k" * 41, "s" * 32, region=scripted.region, callback="oob")
    with pytest.raises(TransportError, match="without a token"):
        flow.start()


def test_a_new_link_that_cannot_be_had_leaves_the_one_before(scripted):
    first = Reply(b"oauth_token=first-token&oauth_token_secret=s&xoauth_token_ttl=3600")
    scripted.answer("/head/oauth/request_token", first, Reply(b"<html>bad gateway</html>", 502))
    scripted.answer("/head/oauth/access_token", Reply(b"oauth_token=t&oauth_token_secret=s"))
    flow = OAuthFlow("k" * 41, "s" * 32, region=scripted.region, callback="oob")
    flow.start()
    with pytest.raises(ServerError):
        flow.start()
    assert flow.finish("https://x.invalid/?oauth_token=first-token&oauth_verifier=v").three_legged


@pytest.mark.parametrize(
    ("query", "title", "text"),
    [
        ("oauth_token=mine&oauth_verifier=x", "Back to your notebook", "The sign-in finishes in"),
        ("oauth_token=mine&denied=mine", "Access was denied", "nobody is signed in"),
        ("denied=mine", "Access was denied", "nobody is signed in"),
        ("oauth_token=mine&error=access_denied", "Access was denied", "nobody is signed in"),
        ("oauth_token=mine&oauth_problem=user_refused", "Access was denied", "nobody is signed in"),
        ("oauth_token=mine&oauth_problem=token_expired", "link has expired", "new sign-in link"),
        ("oauth_token=older&oauth_verifier=x", "Not the newest", "Go back to the notebook"),
    ],
)
def test_the_page_one_lands_on_says_what_has_happened(listener, query, title, text):
    page = requests.get(f"{listener.address}?{query}", timeout=5).text
    assert title in page
    assert text in page
    assert ("The sign-in finishes in" in page) is ("Back to your notebook" in page)


def test_where_the_log_in_ends_is_known(box, monkeypatch):
    pair = box.consumer_key, box.consumer_secret
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if is_browser_local():
        pytest.skip("this system always has a desktop")
    for callback, expected in (
        (None, "error page"),
        ("oob", "code page"),
        ("https://example.org/", "own page"),
    ):
        flow = OAuthFlow(*pair, region=box.region, callback=callback)
        flow.start()
        assert flow.ends_at == expected


def test_nothing_secret_in_what_a_flow_shows(box, flow):
    link = flow.start()
    shown = repr(flow) + str(flow)
    assert box.consumer_key not in shown
    assert parse_qs(urlsplit(link).query)["oauth_token"][0] not in shown


@pytest.mark.parametrize(
    "callback",
    ["ftp://x", "nonsense", "//host/path", "http://x/\ud800", "http://x/\r\nX: y", "http://a b/"],
)
def test_a_callback_is_an_address(callback):
    with pytest.raises(InvalidArgument, match="callback"):
        OAuthFlow("k" * 41, "s" * 32, callback=callback)
