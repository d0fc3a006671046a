"""Patience: what is tried again, after how long, and what never is."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time

import pytest

from alchemer_nb import ApiKey, Client, OAuth1
from alchemer_nb.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Stopped,
    TooSlow,
    TransportError,
)
from alchemer_nb.http.regions import Region
from alchemer_nb.http.retries import Retries
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from tests.scripted import Reply

TOKEN, SECRET = "canary-token-0123456789abcdef", "canary-secret-xyz"
QUICK = Retries(base=0.01, longest=0.05)
GOOD = Reply({"result_ok": True, "data": [{"id": 1}]})
PLENTY = {"result_ok": True, "data": [{"id": n, "text": f"answer {n}"} for n in range(9000)]}
MODES = {
    "api_key": ApiKey(TOKEN, SECRET),
    "oauth1_two_legged": OAuth1(TOKEN, SECRET),
    "oauth1_three_legged": OAuth1(TOKEN, SECRET, "token-9876543210", "token-secret"),
}


def refuse(status, message="no", **headers):
    body = {"result_ok": False, "code": status, "message": message}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


RATE = refuse(429, "You have exceeded your requests per minute")
CROWD = "Please wait for other requests to complete"


def packed(body, cut=None):
    """A reply whose compressed body ends early although all of it seems to be there."""
    content = gzip.compress(json.dumps(body).encode())
    return Reply(content[:cut], headers={"Content-Encoding": "gzip"})


@pytest.fixture
def transport(scripted):
    return Transport(MODES["api_key"], scripted.region, timeout=(2, 0.3), retries=QUICK)


def asked(scripted):
    return len(scripted.asked)


class Dropped(Reply):
    """The server hangs up without a word."""

    @property
    def content(self):
        raise ConnectionAbortedError("as the test wants it")


PASSING = {
    "rate": RATE,
    "rate, told how long": refuse(429, "x", Retry_After="0"),
    "crowd": refuse(429, CROWD),
    "crowd as 400": refuse(400, CROWD),
    "500": refuse(500, "time-out"),
    "502": Reply(b"<html><h1>502</h1></html>", 502),
    "503": Reply(b"", 503),
    "504": Reply(b"", 504),
    "522": Reply(b"<html>Cloudflare</html>", 522),
    "103": Reply({"result_ok": False, "code": 103, "message": "Service currently unavailable"}),
    "cut": Reply(PLENTY, cut=1000),
    "cut after its headers": Reply(PLENTY, cut=0),
    "hung up": Dropped(),
    "empty": Reply(b""),
    "half of its JSON": Reply(b'{"result_ok": true, "data": [{"id": 1}, {"i'),
    "gzip cut off": packed(PLENTY, -100),
    "small gzip cut off": packed({"result_ok": True, "data": []}, -3),
    "gzip that is none": Reply(b"x", headers={"Content-Encoding": "gzip"}),
    "silence": Reply(silent=True),
    "plain, whole by its looks": Reply(
        json.dumps(PLENTY).encode().rpartition(b", {")[0], unsized=True
    ),
}


def in_modes():
    """All in one mode, and in the others what a signature could spoil: a status, and no answer."""
    few = ("rate", "500", "cut")
    for mode, trouble in itertools.product(MODES, PASSING):
        is_fast = mode == "api_key" or trouble in few
        yield pytest.param(mode, trouble, marks=() if is_fast else pytest.mark.long)


@pytest.mark.parametrize(("mode", "trouble"), [*in_modes()])
def test_trouble_that_passes_is_waited_out(scripted, mode, trouble):
    transport = Transport(MODES[mode], scripted.region, timeout=(2, 0.3), retries=QUICK)
    scripted.answer("survey", PASSING[trouble], PASSING[trouble], GOOD)
    assert transport.send("GET", "survey").envelope()["data"] == [{"id": 1}]
    assert asked(scripted) == 3


@pytest.mark.parametrize("trouble", ["rate", "500", "cut", "silence"])
def test_patience_ends(scripted, trouble):
    policy = Retries(attempts=3, base=0.01, longest=0.05)
    transport = Transport(MODES["api_key"], scripted.region, timeout=(2, 0.2), retries=policy)
    scripted.answer("survey", PASSING[trouble])
    with pytest.raises((ApiError, TransportError)) as caught:
        transport.send("GET", "survey")
    assert str(caught.value).endswith("(tried 3 times)")
    assert caught.value.__context__ is None
    assert asked(scripted) == 3


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refuse(401, "Login failed / Invalid auth token"), AuthenticationError),
        (refuse(401, "Not Authorized"), PermissionDenied),
        (refuse(403, "Forbidden"), PermissionDenied),
        (refuse(404, "Method not implemented"), NotFound),
        (refuse(400, "Bad request"), ApiError),
        (Reply(b"", 302, {"Location": "http://127.0.0.1:9/"}), TransportError),
        (Reply(b"<html>Log in</html>"), TransportError),
    ],
)
def test_what_would_fail_again_is_not_tried_again(transport, scripted, reply, kind):
    scripted.answer("survey", reply)
    with pytest.raises(kind):
        transport.send("GET", "survey")
    assert asked(scripted) == 1


def test_a_server_that_was_never_there_is_told_at_once():
    transport = Transport(MODES["api_key"], Region.custom("http://127.0.0.1:9"))  # full patience
    with pytest.raises(TransportError, match="nothing answers"):
        transport.send("GET", "survey")


def test_a_server_that_goes_away_is_waited_for(scripted):
    policy = Retries(attempts=3, base=0.01)
    transport = Transport(MODES["api_key"], scripted.region, retries=policy)
    scripted.answer("survey", GOOD)
    transport.send("GET", "survey")
    scripted.__exit__()
    with pytest.raises(TransportError, match=r"nothing answers.*tried 3 times"):
        transport.send("GET", "survey", {"page": 2})


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_change_is_made_again_only_where_it_was_refused_unread(transport, scripted, method):
    scripted.answer("survey", RATE, refuse(400, CROWD), GOOD)
    assert transport.send(method, "survey", data={"title": "x"}).status == 200
    assert asked(scripted) == 3
    for trouble in ("500", "cut", "silence"):
        scripted.answer("survey", PASSING[trouble], GOOD)
        before = asked(scripted)
        with pytest.raises((ServerError, TransportError)):
            transport.send(method, "survey", data={"title": "x"})
        assert asked(scripted) == before + 1


def test_a_400_after_a_500_is_tried_again_and_a_later_one_is_not(scripted):
    transport = Transport(MODES["api_key"], scripted.region, retries=QUICK, minute=0.5)
    bad = refuse(400, "Bad request")
    scripted.answer("survey", refuse(500), bad, bad, GOOD)
    assert transport.send("GET", "survey").status == 200
    time.sleep(0.5)  # the throttle has reset by then, so that a 400 means what it says
    scripted.answer("survey", bad)
    before = asked(scripted)
    with pytest.raises(ApiError):
        transport.send("GET", "survey", {"page": 2})
    assert asked(scripted) == before + 1


class Late(Reply):
    """An answer that takes its time."""

    @property
    def content(self):
        threading.Event().wait(0.6)
        return super().content


LATE = [Late({"result_ok": False, "code": 500, "message": "time-out"}, 500), Late(b"", 504)]


@pytest.mark.parametrize("reply", [*LATE, Reply(silent=True)])
def test_a_call_that_was_too_large_has_its_own_error_at_once(scripted, reply):
    policy = Retries(base=0.01, too_slow=0.5)  # far from a quick reply on a busy machine
    transport = Transport(MODES["api_key"], scripted.region, timeout=(2, 0.9), retries=policy)
    scripted.answer("survey", reply, GOOD)
    with pytest.raises(TooSlow) as caught:
        transport.send("GET", "survey", raise_slow=True)
    assert isinstance(caught.value, ServerError)
    assert (caught.value.method, caught.value.path) == ("GET", "survey")
    assert asked(scripted) == 1
    # Whoever cannot ask for less has it tried again, and a quick 500 is no sign of too much.
    assert transport.send("GET", "survey").status == 200
    scripted.answer("survey", refuse(500), GOOD)
    assert transport.send("GET", "survey", {"page": 2}, raise_slow=True).status == 200


def test_the_time_that_the_server_names_is_kept(transport, scripted):
    transport.retries = Retries(base=0.01, longest=60)
    scripted.answer("survey", refuse(429, "x", Retry_After="0.6"), GOOD)
    begun = time.monotonic()
    transport.send("GET", "survey")
    assert 0.6 <= time.monotonic() - begun < 2


def test_a_penalty_holds_all_that_share_the_limit(scripted):
    patient = Retries(base=0.01, longest=0.5)
    first, second = (
        Transport(MODES["api_key"], scripted.region, retries=patient) for _ in range(2)
    )
    scripted.answer("survey", refuse(429, "x", Retry_After="0.5"), GOOD)
    scripted.answer("account", GOOD)
    paused = threading.Event()
    thread = threading.Thread(
        target=first.send,
        args=("GET", "survey"),
        kwargs={"options": CallOptions(on_wait=lambda _: paused.set())},
    )
    thread.start()
    assert paused.wait(5)
    begun = time.monotonic()
    second.send("GET", "account")
    assert time.monotonic() - begun > 0.3
    thread.join(5)


def test_every_wait_is_told_without_a_secret_and_ends_when_called_off(scripted):
    transport = Transport(MODES["api_key"], scripted.region)  # full patience
    scripted.answer("survey", refuse(500, f"said {TOKEN}"))
    stop, told = threading.Event(), []

    def tell(words):
        told.append(words)
        stop.set()

    begun = time.monotonic()
    with pytest.raises(Stopped):
        transport.send("GET", "survey", options=CallOptions(stop, tell))
    assert time.monotonic() - begun < 0.5
    assert told[0].startswith("Alchemer answered 500, trying again, ")
    assert told[-1] == ""
    assert TOKEN not in "".join(told)


def test_a_call_that_is_called_off_before_it_is_made_is_not_made(transport, scripted):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        transport.send("GET", "survey", options=CallOptions(stop))
    assert scripted.asked == []


def test_steps_of_the_usual_patience():
    policy = Retries()
    rate = [policy.wait(RateLimited("too many"), n) for n in range(1, 8)]
    assert [round(t / 15) for t in rate[:3]] == pytest.approx([1, 2, 4], abs=1)
    assert max(rate) <= 60
    assert sum(rate) > 60  # a penalty of a minute is outlasted
    server = [policy.wait(ServerError("x"), n) for n in range(1, 8)]
    assert server == sorted(server)
    assert 60 < sum(server) < 200
    assert policy.wait(ServerError("x"), 8) is None
    crowd = [policy.wait(RateLimited("x", same_call=True), n) for n in range(1, 8)]
    assert crowd[0] < 2
    assert sum(crowd) > 30  # the same call of another process is outlasted
    resetting = [
        policy.wait(RateLimited("x", same_call=True), n, after_500=True) for n in range(1, 8)
    ]
    assert sum(resetting) > 70  # the throttle resets for about a minute after a 500
    at_once = [policy.wait(RateLimited("x", retry_after=0), n) for n in range(1, 8)]
    assert at_once[0] < 0.5
    assert sum(at_once) > 15  # not all attempts within a moment
    assert policy.wait(RateLimited("x", retry_after=17), 1) == pytest.approx(17, abs=0.5)
    assert len({policy.wait(ServerError("x"), 1) for _ in range(9)}) > 1  # not all at once


def test_what_the_client_takes_for_a_policy(scripted):
    own = Retries(attempts=2)
    for given, attempts in ((None, 8), (1, 1), (3, 3), (own, 2)):
        client = Client(MODES["api_key"], region=scripted.region, retries=given)
        assert client._transport.retries.attempts == attempts
    for wrong in (0, -1, True, "often", 1.5):
        with pytest.raises(ConfigurationError):
            Client(MODES["api_key"], region=scripted.region, retries=wrong)
    for wrong in ({"base": -1}, {"attempts": 0}, {"attempts": True}, {"longest": float("nan")}):
        with pytest.raises(ConfigurationError):
            Retries(**wrong)
