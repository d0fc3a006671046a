"""No call is made twice: what is on its way is shared, and what came a moment ago is known."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import (
    AuthenticationError,
    NotFound,
    ServerError,
    Stopped,
    TransportError,
)
from alchemer_nb.http.compression import Broken, unpack, unpack_edges
from alchemer_nb.http.retries import Retries
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.sandbox import Sandbox
from tests.conftest import MODES, credentials_for
from tests.scripted import Reply

KEY = ApiKey("canary-token-0123456789abcdef", "canary-secret-xyz")
MINUTE = 0.6  # of the tests that wait for its end


class Gated(Reply):
    """Answers when the test lets it, each time with another id."""

    def __init__(self, status=200):
        super().__init__(None, status)
        self.asked, self.gate, self.number = threading.Event(), threading.Event(), 0

    @property
    def content(self):
        self.number += 1
        number = self.number
        self.asked.set()
        self.gate.wait(10)
        return json.dumps(
            {"result_ok": self.status == 200, "code": self.status, "data": [{"id": number}]}
        ).encode()


class Counted(Gated):
    """Says how often it was asked, at once."""

    def __init__(self):
        super().__init__()
        self.gate.set()


def ids(answer):
    return [row["id"] for row in answer.envelope()["data"]]


@pytest.fixture
def transport(scripted):
    return Transport(KEY, scripted.region, retries=1, minute=MINUTE)


def waiting(count):
    """Events that tell when so many threads wait, and what sets them."""
    told = [threading.Event() for _ in range(count)]
    return told, [lambda _, event=event: event.set() for event in told]


def test_the_same_call_of_two_threads_is_made_once(transport, scripted):
    reply = Gated()
    scripted.answer("survey", reply)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(transport.send, "GET", "survey", {"a": 1, "b": 2})
        assert reply.asked.wait(5)
        told, tells = waiting(3)
        others = [
            pool.submit(
                transport.send,
                "GET",
                "/survey/",
                {"b": 2, "a": 1},
                options=CallOptions(on_wait=tell),
            )
            for tell in tells
        ]
        assert all(event.wait(5) for event in told)
        reply.gate.set()
        answers = [each.result(5) for each in (first, *others)]
    assert [ids(answer) for answer in answers] == [[1]] * 4
    assert [answer.cached for answer in answers] == [False, True, True, True]
    assert len(scripted.asked) == 1


def test_an_error_is_shared_too(transport, scripted):
    reply = Gated(404)
    scripted.answer("survey", reply)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(transport.send, "GET", "survey")
        assert reply.asked.wait(5)
        (told,), (tell,) = waiting(1)
        second = pool.submit(transport.send, "GET", "survey", options=CallOptions(on_wait=tell))
        assert told.wait(5)
        reply.gate.set()
        errors = [first.exception(5), second.exception(5)]
    assert [type(error) for error in errors] == [NotFound, NotFound]
    assert errors[0] is not errors[1]
    assert (errors[1].status, errors[1].path) == (404, "survey")
    assert len(scripted.asked) == 1
    with pytest.raises(NotFound):  # but it is not remembered
        transport.send("GET", "survey")
    assert len(scripted.asked) == 2


def test_one_that_gives_up_does_not_take_the_other_along(scripted):
    transport = Transport(KEY, scripted.region, retries=Retries(base=0.2), minute=MINUTE)
    scripted.answer("survey", Reply(b"", 503), Counted())
    stop, waits = threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            transport.send, "GET", "survey", options=CallOptions(stop, lambda _: waits.set())
        )
        while not scripted.asked:
            time.sleep(0.01)
        (_told,), (tell,) = waiting(1)
        second = pool.submit(transport.send, "GET", "survey", options=CallOptions(on_wait=tell))
        stop.set()
        assert isinstance(first.exception(5), Stopped)
        assert ids(second.result(5)) == [1]


def test_one_that_waits_for_another_can_be_called_off(transport, scripted):
    reply = Gated()
    scripted.answer("survey", reply)
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(transport.send, "GET", "survey")
        assert reply.asked.wait(5)
        second = pool.submit(transport.send, "GET", "survey", options=CallOptions(stop))
        stop.set()
        assert isinstance(second.exception(0.5), Stopped)
        reply.gate.set()
        assert ids(first.result(5)) == [1]


@pytest.mark.parametrize("mode", MODES)
def test_within_a_minute_the_answer_is_known(box, mode):
    client = Client(credentials_for(box, mode), region=box.region)
    before = len(box.seen)
    first = client.survey(9000001)
    made = len(box.seen) - before
    assert client.survey(9000001) == first
    assert len(box.seen) - before == made
    client.surveys()
    client.surveys("pulse")
    assert len(box.seen) - before == made + 1
    # Another client, even of the same credentials, knows nothing of it.
    Client(client.credentials, region=box.region).surveys()
    assert len(box.seen) - before == made + 2


def test_after_the_minute_it_is_asked_anew(transport, scripted):
    scripted.answer("survey", Counted())
    first = transport.send("GET", "survey")
    again = transport.send("GET", "survey")
    assert (ids(again), first.cached, again.cached) == ([1], False, True)
    assert ids(transport.send("GET", "survey", {"page": 2})) == [2]
    time.sleep(MINUTE)
    assert ids(transport.send("GET", "survey")) == [3]


def test_fresh_waits_until_alchemer_would_answer_anew(transport, scripted):
    scripted.answer("survey", Counted())
    begun, told = time.monotonic(), []
    transport.send("GET", "survey", options=CallOptions(fresh=True))
    assert time.monotonic() - begun < MINUTE / 2  # nothing was asked before
    answer = transport.send("GET", "survey", options=CallOptions(on_wait=told.append, fresh=True))
    assert time.monotonic() - begun > MINUTE
    assert (ids(answer), answer.cached) == ([2], False)
    assert told == ["waiting until Alchemer answers anew, 1 s", ""]
    assert ids(transport.send("GET", "survey")) == [2]


def test_fresh_can_be_called_off(scripted):
    transport = Transport(KEY, scripted.region)  # a whole minute
    scripted.answer("survey", Counted())
    transport.send("GET", "survey")
    stop = threading.Event()
    with pytest.raises(Stopped):
        transport.send("GET", "survey", options=CallOptions(stop, lambda _: stop.set(), fresh=True))
    assert ids(transport.send("GET", "survey")) == [1]


def test_fresh_is_not_content_with_a_call_that_somebody_else_began(transport, scripted):
    reply = Gated()
    scripted.answer("survey", reply)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(transport.send, "GET", "survey")
        assert reply.asked.wait(5)
        (told,), (tell,) = waiting(1)
        second = pool.submit(
            transport.send, "GET", "survey", options=CallOptions(on_wait=tell, fresh=True)
        )
        assert told.wait(5)
        reply.gate.set()
        assert (ids(first.result(5)), ids(second.result(5))) == ([1], [2])


def test_fresh_is_not_content_with_the_cache_of_the_server(transport, scripted):
    """Another program may have asked the same a moment ago."""
    old = Reply({"result_ok": True, "data": [{"id": 0}]}, headers={"X-SG-Cached": "true"})
    scripted.answer("survey", old, Counted())
    begun = time.monotonic()
    assert ids(transport.send("GET", "survey", options=CallOptions(fresh=True))) == [1]
    assert time.monotonic() - begun >= MINUTE


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writing_forgets_what_is_known(transport, scripted, method):
    reply = Gated()
    scripted.answer("survey", reply)
    scripted.answer("survey/1", Reply())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(transport.send, "GET", "survey")
        assert reply.asked.wait(5)
        transport.send(method, "survey/1")  # while the other is on its way
        reply.gate.set()
        assert ids(first.result(5)) == [1]
    assert ids(transport.send("GET", "survey")) == [2]
    transport.send(method, "survey/1")
    assert ids(transport.send("GET", "survey")) == [3]


def test_no_more_is_remembered_than_there_is_room_for(scripted):
    transport = Transport(KEY, scripted.region, remember=2500)
    scripted.answer("survey", Reply({"result_ok": True, "data": ["x" * 900]}))
    for page in (1, 2, 3, 1, 3):
        transport.send("GET", "survey", {"page": page})
    assert [query["page"] for _, _, query in scripted.asked] == ["1", "2", "3", "1"]
    scripted.answer("large", Reply({"result_ok": True, "data": ["x" * 9000]}))
    for _ in range(2):
        transport.send("GET", "large")
    assert [path for _, path, _ in scripted.asked].count("/v5/large") == 2
    # Yet it is known that Alchemer's cache has it.
    stop = threading.Event()
    with pytest.raises(Stopped):
        transport.send("GET", "large", options=CallOptions(stop, lambda _: stop.set(), fresh=True))


# -- bodies --------------------------------------------------------------------------------------

ENVELOPE = {"result_ok": True, "data": [{"id": n, "text": f"answer {n}"} for n in range(4000)]}
PLAIN = json.dumps(ENVELOPE).encode()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("gzip", lambda c: gzip.compress(c) + b"\0" * 20),
        ("gzip", lambda c: gzip.compress(c) + b"\r\n"),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_read(transport, scripted, name, pack):
    content = pack(PLAIN)
    scripted.answer("survey", Reply(content, headers={"Content-Encoding": name}))
    answer = transport.send("GET", "survey")
    assert answer.envelope() == ENVELOPE
    assert answer.body == PLAIN
    assert answer.packed == content


def test_gzip_alone_is_asked_for(transport, scripted):
    scripted.answer("survey", Reply(PLAIN))
    transport.send("GET", "survey")
    assert [headers["accept-encoding"] for headers in scripted.asked_headers] == ["gzip"]


@pytest.mark.parametrize("name", ["br", "deflate", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_an_error_and_not_tried_again(
    transport, scripted, name
):
    scripted.answer("survey", Reply(PLAIN, headers={"Content-Encoding": name}))
    with pytest.raises(TransportError, match="not asked for") as caught:
        transport.send("GET", "survey")
    assert "proxy" in caught.value.hint
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (502, ServerError)])
def test_the_status_of_an_error_counts_in_whatever_encoding_its_body_is(
    transport, scripted, status, error
):
    scripted.answer("survey", Reply(PLAIN, status=status, headers={"Content-Encoding": "br"}))
    with pytest.raises(error):
        transport.send("GET", "survey")


# Memory is counted for all threads of a process: this one shares its own with nobody.
_COUNTED = """
import sys, tracemalloc
from alchemer_nb import ApiKey
from alchemer_nb.http.regions import Region
from alchemer_nb.http.transport import Transport

region = Region.custom(sys.argv[1], timezone="America/New_York")
transport = Transport(ApiKey("canary-token-0123456789abcdef", "canary-secret-xyz"), region)
transport.send("GET", "survey", {"page": 0})
tracemalloc.start()
answers = [transport.send("GET", "survey", {"page": n}) for n in range(1, 6)]
print(*tracemalloc.get_traced_memory(), len(answers[0].body))
"""


def test_only_the_packed_bytes_are_kept(scripted):
    large = json.dumps({"result_ok": True, "data": ["the same text"] * 400_000}).encode()
    content = gzip.compress(large)
    scripted.answer("survey", Reply(content, headers={"Content-Encoding": "gzip"}))
    command = [sys.executable, "-c", _COUNTED, scripted.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    kept, most, size = map(int, done.stdout.split())
    assert size == len(large)
    assert len(large) > 100 * len(content)
    assert kept < 6 * len(content) + 200_000
    assert most < len(large)  # not even while it is looked through


@pytest.mark.parametrize("missing", [1, 4, 8, 9, 100])
def test_a_packed_body_without_its_end_is_noticed(missing):
    for read in (unpack_edges, unpack):
        with pytest.raises(Broken):
            read(gzip.compress(PLAIN)[:-missing])


def test_a_damaged_packed_body_is_noticed():
    content = bytearray(gzip.compress(PLAIN))
    content[-6] ^= 1  # of the checksum
    for read in (unpack_edges, unpack):
        with pytest.raises(Broken):
            read(bytes(content))


def test_a_second_body_behind_the_first_is_not_lost_without_a_word():
    for padding in (b"", b"\0" * 20):
        twice = gzip.compress(PLAIN[:999]) + padding + gzip.compress(PLAIN[999:])
        for read in (unpack_edges, unpack):
            with pytest.raises(Broken):
                read(twice)


# -- the sandbox's own log -----------------------------------------------------------------------


def test_the_server_sees_no_call_too_many_and_no_two_alike():
    """Three clients of one account, in two modes, hurry; the server allows little."""
    with Sandbox(responses=40, calls_per_minute=11, minute=1.0) as own:
        clients = [
            Transport(credentials_for(own, mode), own.region, requests_per_minute=7, minute=1.0)
            for mode in ("api_key", "oauth1_two_legged", "api_key")
        ]
        for each in clients:
            each.set_account("77001")

        def get(n):
            path = "survey/9000001/surveyresponse"
            which = n % 3  # clients do not share what they ask for, so each asks something else
            query = {"page": n // 6, "resultsperpage": 10 + which}
            return clients[which].send("GET", path, query).status

        with ThreadPoolExecutor(9) as pool:
            assert set(pool.map(get, range(24))) == {200}
        assert own.busiest_minute() <= 11
        assert [call.status for call in own.calls if call.status != 200] == []
        assert own.identical_in_flight() == []


_ASK = """
import sys
from alchemer_nb import ApiKey
from alchemer_nb.http.regions import Region
from alchemer_nb.http.transport import Transport

transport = Transport(ApiKey(*sys.argv[2:]), Region.custom(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(transport.send("GET", "survey").status)
"""


def test_processes_that_ask_the_same_at_once_are_all_answered():
    """Alchemer refuses all but one of them while that one runs; they ask again."""
    with Sandbox(responses=40, latency=1.0) as own:
        key = (own.api_token, own.api_token_secret)
        command = [sys.executable, "-c", _ASK, own.region.api_url, *key]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
        assert [each.stdout.readline() for each in processes] == ["ready\n"] * 3
        for each in processes:
            each.stdin.write("\n")
            each.stdin.flush()
        assert [each.communicate(timeout=60)[0] for each in processes] == ["200\n"] * 3
        assert sum(call.status == 200 for call in own.calls) == 3
        assert len(own.calls) > 3
