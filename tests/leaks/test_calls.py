"""What a call leaves behind: in logs, errors, warnings and callbacks, whatever becomes of it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import trustme

from alchemer_nb import Client, Job, OAuthFlow
from alchemer_nb.errors import AlchemerError, DownloadIncomplete, TransportError
from alchemer_nb.http.regions import Region
from tests.leaks.search import CANARIES, KEY, MODES, everything_logged
from tests.leaks.walk import Walk
from tests.person import landing_address
from tests.scripted import Reply

PASSWORD = CANARIES["proxy_password"]
ELSEWHERE = "https://elsewhere.example/?x=" + CANARIES["api_token"]
TROUBLES = {
    "refused": Reply({"result_ok": False, "code": 401, "message": "Invalid api_token"}, 401),
    "page": Reply(b"<html>gateway</html>", 502),
    "cut": Reply({"result_ok": True, "data": list(range(500))}, cut=50),
    "redirect": Reply(b"", 302, {"Location": ELSEWHERE}),
    "silent": Reply(silent=True),
    "broken": Reply(b"x", headers={"Content-Encoding": "gzip"}),
}


@contextlib.contextmanager
def watched(search, place):
    """Searches all that is logged and warned of meanwhile."""
    with everything_logged() as log, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield log
    search.text(f"{place}: logs", log.getvalue())
    search.text(f"{place}: warnings", *(str(each) for each in warned))


def fails(search, place, call, *args, kind=AlchemerError):
    """Makes a call that fails, and searches its error and all that was said."""
    with watched(search, place) as log, pytest.raises(kind) as caught:
        call(*args)
    search.error(place, caught.value)
    return caught.value, log.getvalue()


def calls_of(region, mode):
    """The calls of a mode that are signed in ways of their own."""
    client = Client(MODES[mode], region=region, timeout=(2, 0.3), retries=1)
    yield client.account
    if mode == "two":
        pair = MODES["two"].secrets
        yield OAuthFlow(*pair, region=region, callback="oob").start


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_trouble_with_an_answer_shows_a_secret(scripted, search, mode, trouble):
    scripted.answer("account", TROUBLES[trouble])
    scripted.answer("/head/oauth/request_token", TROUBLES[trouble])
    calls = [*calls_of(scripted.region, mode)]
    for call in calls[:1] if trouble == "silent" else calls:  # a sign-in waits for a minute
        _, said = fails(search, trouble, call)
        if trouble in ("refused", "page"):
            assert "/v5/account" in said or "request_token" in said  # the log was on


@contextlib.contextmanager
def answering(reply, context=None):
    """The port of a server that answers the first lines of any caller so, and what they were."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_all():
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    try:
                        one.settimeout(5)
                        one = context.wrap_socket(one, server_side=True) if context else one
                        heard.append(one.recv(65536))
                        one.sendall(reply(heard[-1]))
                    except OSError:
                        continue

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture(scope="module")
def untrusted():
    """What a server has that is called 127.0.0.1 and is certified by nobody who is known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("mode", MODES)
def test_no_host_that_cannot_be_reached_is_told_a_secret(search, untrusted, mode):
    for call in calls_of(Region.custom("http://127.0.0.1:9"), mode):
        assert fails(search, "down", call)[0].reason == "unreachable"
    for call in calls_of(Region.custom("https://no-such-host.invalid"), mode):
        assert fails(search, "no such host", call)[0].reason == "unreachable"
    for name, context in {"certificate": untrusted, "no TLS": None}.items():
        with answering(lambda _: b"HTTP/1.1 200 OK\r\n\r\n", context) as (port, heard):
            for call in calls_of(Region.custom(f"https://127.0.0.1:{port}"), mode):
                error, _ = fails(search, name, call)
                assert error.reason == "certificate"
            search.text(f"{name}: heard by the server", *heard)


PROXIES = {
    "refused": lambda asked: b"HTTP/1.1 407 No\r\nX: " + asked.replace(b"\r\n", b" ") + b"\r\n\r\n",
    "reason": lambda asked: b"HTTP/1.1 407 " + asked.replace(b"\r\n", b" ") + b"\r\n\r\n",
    "page": lambda asked: b"HTTP/1.1 502 Bad\r\n\r\n<html>" + asked,
    "no HTTP": lambda asked: asked,
    "tunnel to nothing": lambda _: b"HTTP/1.1 200 OK\r\n\r\n",
}
ADDRESSES = {
    "http": f"http://ada:{PASSWORD}@127.0.0.1:{{port}}",
    "https": f"https://ada:{PASSWORD}@127.0.0.1:{{port}}",
    "no scheme": f"ada:{PASSWORD}@127.0.0.1:{{port}}",
    "no port": f"http://ada:{PASSWORD}@127.0.0.1:{PASSWORD}",
    "no host": f"http://ada:{PASSWORD}@:0{{port}}",
    "socks": f"socks5://ada:{PASSWORD}@127.0.0.1:{{port}}",
    "odd": f"http://[ada:{PASSWORD}@{{port}}",
    "token": f"http://{PASSWORD}@127.0.0.1:{{port}}",
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        pytest.param(name, mode, marks=() if mode == fast else pytest.mark.long)
        for name, fast in (("HTTPS_PROXY", "key"), ("ALL_PROXY", "two"))
        for mode in MODES
    ],
)
def test_no_proxy_has_its_password_shown(search, monkeypatch, mode, name):
    region = Region.custom("https://api.alchemer.invalid")
    for other in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    for place, reply in PROXIES.items():
        with answering(reply) as (port, heard):
            monkeypatch.setenv(name, ADDRESSES["http"].format(port=port))
            for call in calls_of(region, mode):
                fails(search, place, call, kind=TransportError)
            sent = base64.b64encode(f"ada:{PASSWORD}".encode())
            assert sent in b"".join(heard)  # it was asked, with the password
            assert all(KEY.secrets[0].reveal().encode() not in each for each in heard)
    for place, address in ADDRESSES.items():
        monkeypatch.setenv(name, address.format(port=9))
        for call in calls_of(region, mode):
            fails(search, f"{place}, down", call, kind=TransportError)


def test_no_switch_of_the_standard_library_prints_a_key(scripted, search, monkeypatch, capfd):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    requests.get(scripted.url, timeout=5)
    assert "send: b'GET / HTTP/1.1" in capfd.readouterr().out
    for mode in MODES:
        for call in calls_of(scripted.region, mode):
            with contextlib.suppress(AlchemerError):
                call()
    search.text("printed", *capfd.readouterr())


@pytest.mark.every_mode
def test_a_call_that_succeeds_leaves_no_trace(box, credentials, search):
    search.add(credentials.secrets)
    with watched(search, "surveys") as log:
        frame = Client(credentials, region=box.region).surveys()
    assert "/v5/survey" in log.getvalue()
    search.text("the frame", frame.to_csv(), frame.attrs, frame.to_html())


def test_a_sign_in_leaves_no_trace(box, search):
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    with everything_logged() as log:
        link = flow.start()
        before = log.getvalue()
        address = landing_address(link, box.username, box.password)
        start = log.tell()
        credentials = flow.finish(address)
        said = before + log.getvalue()[start:]
    query = parse_qs(urlsplit(address).query)
    search.add(credentials.secrets)
    search.add([query["oauth_token"][0], query["oauth_verifier"][0]])
    search.text("logs", said)
    search.thing("the flow", flow, computed=True)
    search.thing("what it gave", credentials, computed=True)
    flow.close()


# -- what a user's own code meets ----------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_callback_that_fails_shows_no_secret(scripted, search, mode):
    client, told = Walk(scripted, MODES[mode]).client, []

    def fail(progress):
        told.append(progress)
        raise ZeroDivisionError

    with watched(search, "progress"), pytest.raises(ZeroDivisionError) as caught:
        client.responses(5, progress=fail)
    search.error("progress", caught.value)
    search.thing("what it was told", told, computed=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_job_that_is_cancelled_shows_no_secret(scripted, search, mode):
    client = Walk(scripted, MODES[mode]).break_off(Reply(silent=True))
    with watched(search, "cancelled"):
        job = Job.start(client, 5)
        while len([path for _, path, _ in scripted.asked if "response" in path]) < 2:
            job.wait(0.02)
        search.thing("while it runs", job)
        job.cancel()
        with pytest.raises(DownloadIncomplete) as caught:
            job.result(10)
    search.error("cancelled", caught.value)
    search.copies("cancelled", caught.value)
    search.thing("the job", job)


FIRST_CALL = """
import logging, os, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
import alchemer_nb as al
address, *key = sys.stdin.read().split()
region = al.Region.custom(address)
try:
    {call}
except al.errors.AlchemerError as error:
    print(error)
print(dict(os.environ), sys.argv)
"""


@pytest.mark.parametrize(
    "call",
    [
        "al.Client(al.ApiKey(*key), region).account()",
        pytest.param("al.Client(al.OAuth1(*key), region).account()", marks=pytest.mark.long),
        "al.OAuthFlow(*key, region, callback='oob').start()",
    ],
)
def test_the_very_first_call_of_a_process_leaves_no_trace(scripted, search, call):
    """Loggers come into being with the libraries; none may speak before it is guarded."""
    scripted.answer("account", TROUBLES["refused"])
    scripted.answer("/head/oauth/request_token", TROUBLES["refused"])
    said = subprocess.run(
        [sys.executable, "-c", FIRST_CALL.format(call=call)],
        input=f"{scripted.url} {CANARIES['api_token']} {CANARIES['oauth_token']}",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "urllib3" in said.stdout
    assert "refused" in said.stdout
    search.text("said by the process", said.stdout, said.stderr)


def test_no_process_that_is_started_inherits_a_secret(box, search):
    """A sign-in puts nothing into the environment, which every child would have."""
    before = dict(os.environ)
    credentials = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    address = landing_address(credentials.start(), box.username, box.password)
    signed_in = credentials.finish(address)
    search.add(signed_in.secrets)
    Client(signed_in, region=box.region).account()
    child = subprocess.run(
        [sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert json.loads(child.stdout).keys() >= before.keys()
    search.text("a child's environment", child.stdout, dict(os.environ))
