"""What stands between here and Alchemer: each trouble has a sentence and a next step of its own."""

from __future__ import annotations

import socket
import sys

import pytest

from alchemer_nb import ApiKey, Client, OAuth1
from alchemer_nb.errors import TransportError
from tests.proxies import CERTIFICATES, ScriptedProxy

TOKEN, SECRET, PASSWORD = "canary-token-0123456789abcdef", "canary-secret-xyz", "canary-hunter2"
VARIABLES = (
    *("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
KEY, PAIR = ApiKey(TOKEN, SECRET), OAuth1(TOKEN, SECRET)


@pytest.fixture(autouse=True)
def no_network_settings(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def ask():
    client = Client(KEY, region="us", timeout=(0.5, 0.5), retries=1)
    return client.request("GET", "account")


def failure():
    with pytest.raises(TransportError) as caught:
        ask()
    error = caught.value
    shown = f"{error!r} {error} {error.args}"
    for secret in (TOKEN, SECRET, PASSWORD, "joe"):
        assert secret not in shown
    assert error.hint
    assert error.__context__ is None
    return error


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def status(line):
    return f"HTTP/1.1 {line}\r\nX-Note: {PASSWORD}\r\n\r\n".encode()


TROUBLE = {
    "407": (status("407 Proxy Authentication Required"), "asks for a valid name and password", ""),
    "403": (status("403 No"), "blocks api.alchemer.com (status 403", "blocked"),
    "502": (status("502 Bad Gateway"), "cannot reach api.alchemer.com (status 502", "unreachable"),
    "302": (status("302 Found"), "blocks api.alchemer.com (status 302", "blocked"),
    "reset": ("reset", "(through the proxy in HTTPS_PROXY) broke off", "cut"),
    "closed": ("close", "(through the proxy in HTTPS_PROXY) broke off", "cut"),
    "garbage": (b"garbage\r\n\r\n", "(through the proxy in HTTPS_PROXY) broke off", "cut"),
    "silent": ("silent", "the proxy in HTTPS_PROXY did not answer within 0.5 seconds", "silent"),
    "tunnel": ("tunnel", "or could not reach api.alchemer.com; GET account was not", "silent"),
    "signed by nobody": ("own", "does not trust its issuer", "certificate"),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLE)
def test_a_proxy_that_does_not_let_through_says_why(monkeypatch, name):
    answer, words, reason = TROUBLE[name]
    with ScriptedProxy(answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://joe:{PASSWORD}@127.0.0.1:{proxy.port}")
        error = failure()
        assert words in error.sentence
        assert error.reason == reason
        assert not any(secret.encode() in b"".join(proxy.received) for secret in (TOKEN, SECRET))


@pytest.mark.parametrize(
    ("certificate", "words"),
    [("other", "the certificate of another host"), ("expired", "has expired")],
)
def test_a_certificate_that_does_not_fit_says_why(monkeypatch, certificate, words):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / f"{certificate}.pem"))
    with ScriptedProxy(certificate) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert words in failure().sentence
        assert len(proxy.received) == 1  # CONNECT alone: no call was sent


@pytest.mark.parametrize(
    ("address", "words", "hint"),
    [
        ("http://joe:{}@127.0.0.1:99999", "is not valid", "http://HOST:PORT"),
        ("http://joe:{}@127.0.0.1:port", "is not valid", "http://HOST:PORT"),
        ("http://joe:{}@", "is not valid", "http://HOST:PORT"),
        ("joe:{}@127.0.0.1:1", "is not valid", "http://HOST:PORT"),
        ("foo://joe:{}@127.0.0.1:1", "is not valid", "http://HOST:PORT"),
        ("http://joe:{}/x@127.0.0.1:1", "is not valid", "%2F"),
        ("http://[::1", "is not valid", "http://HOST:PORT"),
        ("socks5://joe:{}@127.0.0.1:1", "SOCKS proxy", "pysocks"),
        ("http://joe:{}@127.0.0.1:0", "nothing answers at the proxy", "%env HTTPS_PROXY=)"),
        ("http://joe:{}@no-such-proxy.invalid:80", "was not found", "%env HTTPS_PROXY=)"),
    ],
)
def test_an_address_that_is_no_proxy_says_so(monkeypatch, address, words, hint):
    if "socks" in address:
        monkeypatch.setitem(sys.modules, "socks", None)  # as where it is not installed
    monkeypatch.setenv("HTTPS_PROXY", address.format(PASSWORD))
    error = failure()
    assert words in error.sentence
    assert "HTTPS_PROXY" in error.sentence
    assert hint in error.hint


def test_a_dead_proxy(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    error = failure()
    assert error.sentence == "nothing answers at the proxy in ALL_PROXY (GET account)"
    assert error.reason == "unreachable"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "junk", ""])
def test_a_file_of_certificates_that_cannot_be_read_is_named(monkeypatch, tmp_path, name, content):
    file = tmp_path / f"{PASSWORD}.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(name, str(file))
    with ScriptedProxy("own") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = failure()
    assert error.sentence.startswith(f"{name} names a file of certificates")
    assert error.reason == "certificate"


@pytest.mark.parametrize("signer", [KEY, PAIR], ids=["API key", "OAuth"])
def test_neither_netrc_nor_cookies_nor_redirects_carry_anything_along(
    monkeypatch, tmp_path, signer
):
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login joe password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "own.pem"))
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: visitor=canary-cookie; Path=/\r\n"
    with ScriptedProxy("own", answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = Client(signer, region="us", timeout=2, retries=1)
        client.request("GET", "account")
        client.request("GET", "survey")
        calls = b"".join(each for each in proxy.received if not each.startswith(b"CONNECT"))
    assert calls.count(b"Host: api.alchemer.com") == 2
    assert TOKEN.encode() in calls  # it is the proxy's certificate that is trusted here
    assert b"Basic" not in calls
    assert b"canary-cookie" not in calls


def test_a_redirect_goes_nowhere(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "own.pem"))
    location = b"HTTP/1.1 307 Found\r\nLocation: https://api.alchemer.eu/v5/account\r\n"
    with ScriptedProxy("own", location) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(TransportError):
            ask()
        hosts = [each.split()[1] for each in proxy.received if each.startswith(b"CONNECT")]
    assert hosts == [b"api.alchemer.com:443"]
