"""What a debugger, rich or an error collector prints of the variables in a traceback's frames."""

from __future__ import annotations

import base64
import html
import json
import signal
import threading
import time
from urllib.parse import quote

import keyring
import pytest
from keyring.backends import fail

import alchemer_nb
from alchemer_nb import ApiKey, Client, OAuth1, OAuthFlow
from alchemer_nb.auth import profiles
from alchemer_nb.auth.lookup import find_without_profiles
from alchemer_nb.errors import AlchemerError, ApiError, InvalidArgument, SignInExpired
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import MASK, Secret, mask_secrets
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import SignIn
from tests.auth.test_profiles import MemoryKeyring
from tests.leaks.search import CANARIES, MODES
from tests.leaks.walk import GIVEN, returned_to
from tests.scripted import Reply

FIRST, SECOND = CANARIES["api_token"], CANARIES["api_token_secret"]
THIRD, FOURTH = CANARIES["oauth_token"], CANARIES["oauth_token_secret"]
REQUEST, REQUEST_SECRET = CANARIES["request_token"], CANARIES["request_token_secret"]
CONSUMER, CONSUMER_SECRET = CANARIES["consumer_key"], CANARIES["consumer_secret"]
VERIFIER = CANARIES["oauth_verifier"]


def raised(call, *args, kind=AlchemerError, **named):
    with pytest.raises(kind) as caught:
        call(*args, **named)
    return caught.value


def references(secret):
    """A secret as a page may write it, letter by letter."""
    codes = [ord(letter) for letter in secret]
    return ["".join(map(form.format, codes)) for form in ("&#{};", "&#x{:x};", "&#x{:04X};")]


# -- answers that repeat what was sent -----------------------------------------------------------


def echoes(*secrets):
    """Answers that repeat secrets in all their parts."""
    echo = " ".join(secrets)
    lower = quote(echo, safe="").lower()
    refused = {"result_ok": False, "code": 400, "message": echo}
    return {
        "message": Reply({**refused, "code": 401}, 401),
        "message, as JSON": Reply(json.dumps(refused).replace("/", "\\/").encode(), 400),
        "message, percent": Reply({**refused, "message": lower}, 400),
        "message, capitals": Reply({**refused, "message": echo.upper()}, 400),
        "message, small": Reply({**refused, "message": echo.lower()}, 400),
        **{
            f"message, references {at}": Reply({**refused, "message": written})
            for at, secret in enumerate(secrets[:2])
            for written in references(secret)
        },
        "message, a map": Reply({**refused, "message": {"q": [echo]}}, 400),
        "code": Reply({"result_ok": False, "code": echo, "message": "no"}, 400),
        "code in 200": Reply({"result_ok": False, "code": secrets[-1], "message": "no"}),
        "code as a list": Reply({"result_ok": False, "code": list(secrets), "message": "no"}),
        "code, percent": Reply({"result_ok": False, "code": lower}),
        "other fields": Reply({"result_ok": False, "code": 404, "url": echo, echo: 1}, 404),
        "page": Reply(f"<html>{echo}</html>".encode(), 401),
        "page of a proxy": Reply(f"<html>{echo}</html>".encode(), 403),
        "page in 200": Reply(f"<html>{echo}</html>".encode()),
        "words": Reply(echo.encode(), 401),
        "words in 200": Reply(echo.encode()),
        "a list": Reply(json.dumps([echo]).encode()),
        "no gzip": Reply(echo.encode(), headers={"Content-Encoding": "gzip"}),
        "not asked for": Reply(echo.encode(), headers={"Content-Encoding": "br"}),
        "cut": Reply({"result_ok": True, "data": [echo] * 40}, cut=700),
        "redirect": Reply(b"", 302, {"Location": f"https://elsewhere.example/?q={lower}"}),
        "redirect, plain": Reply(echo.encode(), 301, {"Location": f"https://x.example/{echo}"}),
        "headers": Reply(
            {"result_ok": False, "code": 429, "message": "slow down"},
            429,
            {"Retry-After": secrets[0], "Date": echo, "Set-Cookie": f"a={secrets[0]}"},
        ),
        "problem": Reply(
            f"oauth_problem=token_rejected&oauth_problem_advice={lower}".encode(),
            401,
            {"WWW-Authenticate": f'OAuth realm="{echo}", oauth_problem="{secrets[0]}"'},
        ),
        "problem unknown": Reply(f"oauth_problem={secrets[-1]}".encode(), 400),
        "server error": Reply(f"<html>{echo}</html>".encode(), 500),
    }


NAMES = tuple(echoes("x", "y"))


@pytest.mark.parametrize(
    "mode",
    [pytest.param(mode, marks=() if mode == "two" else pytest.mark.long) for mode in MODES],
)
def test_no_frame_of_a_call_shows_a_secret(scripted, mode, search):
    secrets = [secret.reveal() for secret in MODES[mode].secrets]
    for name, reply in echoes(*secrets).items():
        scripted.answer("account", reply)
        client = Client(MODES[mode], region=scripted.region, timeout=(2, 1), retries=1)
        search.error(name, raised(client.account))


def test_no_frame_of_a_sign_in_shows_a_secret(scripted, search):
    flow = OAuthFlow(CONSUMER, CONSUMER_SECRET, region=scripted.region, callback="oob")
    for name in NAMES:
        reply = echoes(CONSUMER, CONSUMER_SECRET)[name]
        scripted.answer("/head/oauth/request_token", reply)
        search.error(f"{name}, request", raised(flow.start))
        scripted.answer("/head/oauth/request_token", Reply(GIVEN.encode()))
        flow.start()
        sent = (CONSUMER, CONSUMER_SECRET, REQUEST, REQUEST_SECRET, VERIFIER)
        scripted.answer("/head/oauth/access_token", echoes(*sent)[name])
        for pasted in (VERIFIER, returned_to(VERIFIER)):
            search.error(f"{name}, access", raised(flow.finish, pasted))


ODD = {
    "cut": lambda s: s[:20],
    "cut in the middle": lambda s: f"{s[:11]}...{s[11:]}",
    "wrapped": lambda s: f"{s[:10]}\n{s[10:]}",
    "spaced": " ".join,
    "zero width": "\u200b".join,
    "reversed": lambda s: s[::-1],
    "full width": lambda s: "".join(chr(ord(each) + 0xFEE0) for each in s),
    "JSON in JSON": lambda s: json.dumps(json.dumps(s).replace("/", "\\/"))[3:-3],
    "HTML in HTML": lambda s: html.escape(html.escape(html.escape(s))),
    "percent u": lambda s: "".join(f"%u{ord(each):04x}" for each in s),
    "octal": lambda s: "".join(f"\\{ord(each):03o}" for each in s),
    "JavaScript": lambda s: "".join(f"\\u{{{ord(each):x}}}" for each in s),
    "quoted-printable": lambda s: "".join(f"={ord(each):02X}" for each in s),
    "base64": lambda s: base64.b64encode(f"?api_token={quote(s, safe='')}".encode()).decode(),
    "base64 of addresses": lambda s: base64.urlsafe_b64encode(f"xx{s}".encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "hex, spaced": lambda s: s.encode().hex(" "),
}


@pytest.mark.parametrize("form", ODD)
def test_words_that_repeat_a_secret_in_an_odd_form_are_not_quoted(scripted, form):
    secret = "k7Qz9/Xw+Lm4&Rt=Pz8yUv1Bn"
    key = ApiKey(secret, "A9zz#Wq%Ee/Rr+Tt")
    client = Client(key, region=scripted.region, retries=1)
    for where in ("message", "code"):
        refused = {"result_ok": False, "code": 400, "message": "no"}
        scripted.answer("account", refused | {where: f"bad call: {ODD[form](secret)}"})
        error = raised(client.account, kind=ApiError)
        shown = repr((str(error), error.args, vars(error)))
        assert "bad call" not in shown, form
        assert MASK in shown
    scripted.answer("account", refused | {"message": "bad call: 0123456789abcdef0123456789abcdef"})
    assert "0123456789abcdef" in str(raised(client.account, kind=ApiError))


def test_a_text_that_stands_for_a_code_is_cleaned(scripted):
    key = ApiKey(FIRST, "12345678")
    codes = [f"E:{FIRST}", FIRST, quote(FIRST), "12345678", 12345678, [FIRST]]
    for code in codes:
        scripted.answer("account", {"result_ok": False, "code": code, "message": "no"})
        error = raised(Client(key, region=scripted.region, retries=1).account, kind=ApiError)
        assert FIRST not in repr((error.code, str(error), error.args))
        assert "12345678" not in repr((error.code, str(error), error.args))
    scripted.answer("account", {"result_ok": False, "code": "E_LIMIT", "message": "no"})
    error = raised(Client(key, region=scripted.region, retries=1).account, kind=ApiError)
    assert error.code == "E_LIMIT"


def test_a_secret_in_a_path_is_not_repeated(scripted):
    scripted.answer("survey", {"result_ok": True})
    client = Client(ApiKey(FIRST, SECOND), region=scripted.region, retries=1)
    error = raised(client.request, "GET", f"survey/{FIRST}", kind=ApiError)
    assert FIRST not in str(error) + str(error.path)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are those of POSIX")
@pytest.mark.parametrize("silent_after", [None, 12])
@pytest.mark.parametrize("mode", MODES)
def test_an_interrupted_call_leaves_no_secret_in_its_frames(scripted, mode, silent_after, search):
    echo = " ".join(secret.reveal() for secret in MODES[mode].secrets)
    scripted.answer("account", Reply(f"<html>{echo}".encode(), silent=True, cut=silent_after))
    client = Client(MODES[mode], region=scripted.region, timeout=(2, 20), retries=1)

    def interrupt():
        end = time.monotonic() + 10
        while not scripted.asked and time.monotonic() < end:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        error = raised(client.account, kind=KeyboardInterrupt)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    search.error("interrupted", error)


def test_nothing_of_an_answer_shows_its_body_or_its_address(scripted, search):
    redirect = {"Location": f"https://x.example/?api_token={FIRST}", "X-SG-Warning": FIRST}
    scripted.answer("account", Reply({"result_ok": True, "data": [SECOND]}, headers=redirect))
    client = Client(ApiKey(FIRST, SECOND), region=scripted.region)
    answer = client._transport.send("GET", "account")
    search.text("the answer", repr(answer))
    search.text("its headers", repr(answer.headers))
    assert "X-SG-Warning" in answer.headers


# -- whatever reads credentials ------------------------------------------------------------------

TEXTS = [
    FIRST,
    f"{FIRST} {SECOND} {THIRD}",
    f"https://api.alchemer.com/v5/survey?api_token={FIRST}",
    f"https://x.example/{FIRST}/{SECOND}",
    f"{FIRST}\n",
    f"key: {FIRST}, secret: {SECOND}, more: {THIRD}",
    f"\ud800{FIRST} {SECOND}",
    f"{FIRST} {SECOND}\udfff",
    f"{FIRST}\x00 {SECOND}",
    f"&#{'9' * 5000}; {FIRST} {SECOND}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_pasted_pair_that_cannot_be_read_stays_hidden(text, search):
    search.error("a pair", raised(ApiKey.parse, text))


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (ApiKey, (f"{FIRST} {SECOND}", THIRD)),
        (ApiKey, (FIRST, f"{SECOND}\n{THIRD}")),
        (ApiKey, (FIRST, "")),
        (ApiKey, (FIRST, None)),
        (ApiKey, ("", SECOND)),
        (ApiKey, (f"{FIRST}\ud800", SECOND)),
        (ApiKey, (FIRST, f"\udc80{SECOND}")),
        (OAuth1, (FIRST, f"{SECOND} x")),
        (OAuth1, (FIRST, SECOND, THIRD)),
        (OAuth1, (FIRST, SECOND, None, FOURTH)),
        (OAuth1, (FIRST, SECOND, f"{THIRD} x", FOURTH)),
        (OAuth1, (FIRST, SECOND, THIRD, f"{FOURTH}\ud800")),
        (OAuthFlow, (FIRST, f"{SECOND} x")),
        (OAuthFlow, (FIRST, SECOND, "nowhere")),
        (OAuthFlow, (FIRST, SECOND, "us", "ftp://x")),
        (Client, (FIRST,)),
    ],
)
def test_parts_that_do_not_fit_stay_hidden(kind, parts, search):
    error = raised(kind, *parts)
    if kind is not Client:  # its argument is the caller's, who gave a text for credentials
        search.error("parts", error)
    search.text("parts, its text", str(error))


@pytest.mark.parametrize("kind", [ApiKey, OAuth1, OAuthFlow, Client])
def test_what_is_half_made_can_be_shown(kind):
    assert repr(kind.__new__(kind)).startswith(kind.__name__)
    assert str(kind.__new__(kind))


def test_a_half_made_pair_shows_nothing(search):
    half = ApiKey.__new__(ApiKey)
    raised(half.__init__, FIRST, "")
    search.text("half a pair", repr(half))


@pytest.mark.parametrize(
    "names",
    [
        {"ALCHEMER_API_TOKEN": FIRST},
        {"ALCHEMER_API_TOKEN_SECRET": SECOND},
        {"ALCHEMER_API_SECRET": SECOND},
        {"ALCHEMER_CONSUMER_KEY": FIRST},
        {"ALCHEMER_OAUTH_TOKEN": THIRD, "ALCHEMER_OAUTH_TOKEN_SECRET": FOURTH},
        {"ALCHEMER_API_TOKEN": f"{FIRST} x", "ALCHEMER_API_TOKEN_SECRET": SECOND},
        {"ALCHEMER_API_TOKEN": FIRST, "ALCHEMER_API_TOKEN_SECRET": f"{SECOND}\udcff"},
        {
            "ALCHEMER_CONSUMER_KEY": FIRST,
            "ALCHEMER_CONSUMER_SECRET": SECOND,
            "ALCHEMER_OAUTH_TOKEN": THIRD,
        },
    ],
)
def test_an_environment_that_does_not_do_stays_hidden(monkeypatch, names, search):
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    search.error("the environment", raised(find_without_profiles))
    search.error("connect, environment", raised(alchemer_nb.connect))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST"):
        monkeypatch.delenv(name, raising=False)
    keyring.set_keyring(fail.Keyring())
    yield tmp_path
    keyring.set_keyring(fail.Keyring())


WHOLE = {
    "mode": "api_key",
    "credentials": {"api_token": FIRST, "api_token_secret": SECOND},
    "region": {"name": "us"},
}
KEPT = {
    "cut": json.dumps(WHOLE)[:90].encode(),
    "no region": json.dumps(WHOLE).encode(),
    "mode": json.dumps({**WHOLE, "mode": FIRST}).encode(),
    "extra": json.dumps({**WHOLE, "credentials": {"api_token": FIRST, SECOND: "x"}}).encode(),
    "part": json.dumps({**WHOLE, "credentials": {"api_token": f"{FIRST} {SECOND}"}}).encode(),
    "list": json.dumps([FIRST, SECOND]).encode(),
    "text": json.dumps(FIRST).encode(),
    "latin": b"\xff\xfe" + json.dumps(WHOLE).encode(),
    "utf-16": json.dumps(WHOLE).encode("utf-16"),
    "surrogate": json.dumps(
        {**WHOLE, "credentials": {"api_token": f"\ud800{FIRST}", "api_token_secret": SECOND}}
    ).encode(),
    "deep": b'{"mode": "' + FIRST.encode() + b'", "x": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("place", ["file", "keychain"])
def test_a_profile_that_cannot_be_read_stays_hidden(home, kept, place, search):
    if place == "file":
        home.joinpath("alchemer_nb").mkdir(mode=0o700)
        path = home / "alchemer_nb" / "work.json"
        path.touch(mode=0o600)
        path.write_bytes(KEPT[kept])
    else:
        ring = MemoryKeyring()
        ring.set_password("alchemer_nb", "work", KEPT[kept].decode("utf-8", "replace"))
        keyring.set_keyring(ring)
    error = raised(profiles.load, "work")
    assert "cannot be read" in str(error)
    search.error("load", error)
    search.error("connect, profile", raised(alchemer_nb.connect, profile="work"))


class CarelessKeyring(MemoryKeyring):
    """Repeats what it was given in the text of its error."""

    def set_password(self, service, username, password):
        raise RuntimeError(password)


def test_a_profile_that_cannot_be_kept_stays_hidden(home, search):
    blocked = home / "alchemer_nb"
    blocked.write_text("a file where the folder should be")
    search.error("save, blocked", raised(profiles.save, "work", MODES["three"], Region.get("us")))
    keyring.set_keyring(CarelessKeyring())
    search.error("save, keychain", raised(profiles.save, "work", MODES["three"], Region.get("us")))


# -- the last step -------------------------------------------------------------------------------

GOT, CODE = quote(REQUEST, safe=""), quote(VERIFIER, safe="")
PASTES = [
    returned_to(VERIFIER),
    returned_to(VERIFIER, FIRST),
    f"https://x.invalid/?oauth_token={GOT}&other={CODE}",
    f"https://x.invalid/{VERIFIER}",
    f"https://x.invalid/?denied={GOT}&x={CODE}",
    f"?oauth_token={GOT}&oauth_problem={CODE}",
    f"{VERIFIER}\ud800",
    f"https://x.invalid/?oauth_token={GOT}\udfff&oauth_verifier={CODE}",
    f"https://[{VERIFIER}/?oauth_token={GOT}&oauth_verifier=1",
    f"&#{'9' * 5000};{VERIFIER}",
    VERIFIER,
]


@pytest.mark.parametrize("pasted", PASTES)
def test_a_paste_that_does_not_do_stays_hidden(scripted, pasted, search):
    flow = OAuthFlow(CONSUMER, CONSUMER_SECRET, region=scripted.region, callback="oob")
    search.error("finish, not begun", raised(flow.finish, pasted))  # before it was begun
    scripted.answer("/head/oauth/request_token", Reply(GIVEN.encode()))
    flow.start()
    scripted.answer("/head/oauth/access_token", Reply(b"", 401))
    search.error("finish", raised(flow.finish, pasted))
    steps = SignIn(Session())
    steps.flow = flow
    search.error("finish in the panel", raised(steps.finish, Secret(pasted)))


def test_a_link_that_has_expired_stays_hidden(scripted, search):
    scripted.answer(
        "/head/oauth/request_token",
        Reply(GIVEN.replace("ttl=60", "ttl=1").encode()),
    )
    flow = OAuthFlow(CONSUMER, CONSUMER_SECRET, region=scripted.region, callback="oob")
    flow.start()
    end = time.monotonic() + 1.05
    while time.monotonic() < end:
        time.sleep(0.02)
    search.error("expired", raised(flow.finish, VERIFIER, kind=SignInExpired))


@pytest.mark.parametrize("echo", ["message", "code", "page", "redirect", "cut"])
def test_no_frame_of_a_panel_step_shows_a_secret(scripted, echo, search):
    reply = echoes(FIRST, SECOND)[echo]
    scripted.answer("account", reply)
    scripted.answer("/head/oauth/request_token", reply)
    steps = SignIn(Session())
    consumer = {"consumer_key": Secret(FIRST), "consumer_secret": Secret(SECOND)}
    for step, values in [
        (steps.use_key, {"api_token": Secret(FIRST), "api_token_secret": Secret(SECOND)}),
        (steps.use_key, {"api_token": Secret(f"{FIRST} {SECOND}")}),
        (steps.use_key, {"api_token": Secret(f"{FIRST} {SECOND} {THIRD}")}),
        (steps.use_consumer_pair, consumer),
        (steps.request_link, consumer),
    ]:
        search.error("a step", raised(step, values, scripted.region))


def test_letters_that_are_none_are_an_error_without_the_text(search):
    for call in (
        lambda: ApiKey(f"{FIRST}\ud800", SECOND),
        lambda: ApiKey.parse(f"{FIRST}\ud800 {SECOND}"),
        lambda: OAuth1(FIRST, f"{SECOND}\udcff"),
    ):
        search.text("no letters", repr(raised(call).args))
    odd = Secret(f"{FIRST}\ud800")
    assert odd == Secret(f"{FIRST}\ud800")
    assert odd != Secret(FIRST)
    assert FIRST not in mask_secrets(f"<{FIRST}\ud800>", [odd])


def test_a_paste_with_letters_that_are_none_is_refused_before_it_is_sent(scripted):
    scripted.answer(
        "/head/oauth/request_token",
        Reply(b"oauth_token=t0000&oauth_token_secret=s0000&xoauth_token_ttl=60"),
    )
    flow = OAuthFlow(CONSUMER, CONSUMER_SECRET, region=scripted.region, callback="oob")
    flow.start()
    asked = len(scripted.asked)
    raised(flow.finish, f"{VERIFIER}\ud800", kind=InvalidArgument)
    assert len(scripted.asked) == asked
