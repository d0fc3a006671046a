"""Replies that are made to fill the memory, to go on for ever, or to be read in two ways."""

from __future__ import annotations

import contextlib
import gzip
import socket
import subprocess
import sys
import threading
import zlib

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import AlchemerError, RateLimited, ServerError, TransportError
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import Secret
from alchemer_nb.http.signed_files import FileRequest, fetch_file
from alchemer_nb.http.waiting import CallOptions
from tests.scripted import Reply
from tests.survey_json import question, response, serve

KEY = ApiKey("canary-token-0123456789abcdef", "canary-secret-xyz")
LIMIT = 128 << 20  # bytes that are received or unpacked of one body
OK = b'{"result_ok": true, "data": {"id": 1}}'
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def client(scripted):
    return Client(KEY, region=scripted.region, timeout=2, retries=1)


def failure(client, call=None):
    with pytest.raises(AlchemerError) as caught:
        (call or (lambda: client.request("GET", "account")))()
    assert caught.value.__context__ is None
    return caught.value


def bomb(mb):
    """A gzip body of 1 kB that unpacks to 1 MB of blanks, many times over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    begin = packer.compress(b'{"result_ok": true, "data": "') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + block * mb


@pytest.mark.parametrize(
    "path", ["account", pytest.param("survey/1/surveyresponse", marks=pytest.mark.long)]
)
def test_a_small_body_that_unpacks_to_much_is_not_unpacked(client, scripted, path):
    body = bomb(LIMIT // 2**20 + 1)
    assert len(body) < LIMIT / 500
    scripted.answer(path, Reply(body, headers=GZIP))
    error = failure(client, lambda: client.request("GET", path))
    assert isinstance(error, TransportError)
    assert error.reason == "large"
    assert "128 MB" in error.sentence
    assert "resultsperpage" in error.hint
    scripted.answer(path, Reply(OK))
    assert client.request("GET", path)["result_ok"]


@pytest.mark.parametrize("piece", [b"{},", pytest.param(b"[],", marks=pytest.mark.long)])
def test_what_would_become_millions_of_objects_is_not_decoded(client, scripted, piece):
    rows = piece * (3 * 2**20)
    body = b'{"result_ok": true, "total_count": 1, "data": [' + rows + b"{}]}"
    for path in ("survey/1", "survey/1/surveyresponse"):
        scripted.answer(path, Reply(body))
    error = failure(client, lambda: client.request("GET", "survey/1"))
    assert error.reason == "large"
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    error = failure(client, lambda: client.responses(1, progress="none"))
    assert error.reason == "large"


def test_a_small_body_with_objects_for_each_byte_is_not_decoded(client, scripted):
    scripted.answer("account", Reply(b'{"result_ok": true, "data": [' + b"{}," * 2**20 + b"{}]}"))
    assert failure(client).reason == "large"


def test_brackets_in_texts_are_no_objects(client, scripted):
    text = '{[\\"' * 2**18
    scripted.answer("account", {"result_ok": True, "data": [{"text": text}]})
    assert client.request("GET", "account")["data"] == [{"text": text}]


@pytest.mark.parametrize("row", [b"{}", b"1", pytest.param(b'{"id": 1}', marks=pytest.mark.long)])
def test_a_page_with_more_rows_than_a_page_has_is_not_decoded(client, scripted, row):
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    rows = b",".join([row] * 60_000)
    scripted.answer(
        "survey/1/surveyresponse", Reply(b'{"result_ok": true, "data": [' + rows + b"]}")
    )
    assert "at most 500" in failure(client, lambda: client.responses(1)).sentence
    assert len(scripted.asked) < 10


MANY = {str(own): {"id": own, "option": "x", "answer": "x"} for own in range(20_000, 32_000)}
OPTIONS = {
    "map": {"options": MANY},
    "list": {"options": [*MANY.values()]},
    "parts": {"subquestions": MANY},
}
UNPLANNED = {
    "fields": {f"field{at}": 1 for at in range(20_000)},
    "questions": {"survey_data": {str(at): {"id": at, "answer": "x"} for at in range(20_000)}},
    "url variables": {"url_variables": {f"u{at}": "x" for at in range(20_000)}, "survey_data": []},
}


@pytest.mark.parametrize("kind", UNPLANNED)
def test_no_frame_or_table_is_built_of_questions_without_end(
    client, scripted, kind, tmp_path, monkeypatch
):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    rows = [{"id": 1, **UNPLANNED[kind]}]
    scripted.answer("survey/1/surveyresponse", {"result_ok": True, "total_count": 1, "data": rows})
    for call in (client.responses, client.sync):
        error = failure(client, lambda call=call: call(1))
        assert "20,000 questions, fields or url variables" in str(error)


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=pytest.mark.long if n else ()) for n, k in enumerate(OPTIONS)],
)
def test_no_frame_or_table_is_built_of_options_without_end(scripted, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    client = Client(KEY, region=scripted.region, retries=1, timeout=(5, 30))
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    rows = [{"id": 1, "survey_data": {"99": {"id": 99, **OPTIONS[kind]}}}]
    scripted.answer("survey/1/surveyresponse", {"result_ok": True, "total_count": 1, "data": rows})
    for call in (client.responses, client.sync):
        error = failure(client, lambda call=call: call(1))
        assert "places that the definition does not announce" in str(error)


def test_a_list_of_responses_that_is_a_text_is_no_empty_survey(
    client, scripted, tmp_path, monkeypatch
):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    scripted.answer("survey/1/surveyresponse", {"result_ok": True, "data": "none"})
    for call in (client.responses, client.sync):
        error = failure(client, lambda call=call: call(1))
        assert "not a list of responses" in error.sentence


@pytest.mark.parametrize(("keys", "rows"), [(70_000, 1), (1, 70_000)])
def test_objects_with_keys_without_end_are_no_table(client, scripted, keys, rows):
    """Each column of a frame takes time and memory of its own."""
    data = [{f"key {row} {key}": 1 for key in range(keys)} for row in range(rows)]
    scripted.answer("account", {"result_ok": True, "data": data})
    if keys > 1:
        assert "is no table" in failure(client, client.account).sentence
        assert client.request("GET", "account")["data"] == data  # as the hint says
    assert "70,000 columns" in failure(client, lambda: client.table("account")).sentence


@pytest.mark.long
def test_an_error_with_a_bomb_is_the_error_of_its_status(client, scripted):
    scripted.answer("account", Reply(bomb(LIMIT // 2**20 + 1), 502, headers=GZIP))
    assert isinstance(failure(client), ServerError)


@pytest.mark.long
def test_the_memory_for_a_bomb_is_bounded():
    """In a process of its own: the peak of a process never goes down."""
    code = """
import resource, sys
from tests.http.test_hostile_replies import KEY, GZIP, bomb
from tests.scripted import Reply, ScriptedServer
from alchemer_nb import Client
from alchemer_nb.errors import AlchemerError

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
body = bomb(1000)
with ScriptedServer() as server:
    client = Client(KEY, region=server.region, retries=1)
    client.refused
    before = peak()
    for path in ("account", "survey/1", "survey/1/surveyresponse"):
        server.answer(path, Reply(body, headers=GZIP))
        try:
            client.request("GET", path)
        except AlchemerError:
            pass
    print(peak() - before)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ended.stdout) < 300  # MB


class _Talker:
    """A server that sends what a function says to whoever connects, until they hang up."""

    def __init__(self, talk):
        self._talk = talk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.hung_up = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()
        self.region = Region.custom(f"http://127.0.0.1:{self._socket.getsockname()[1]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            with connection:
                connection.recv(1 << 16)
                try:
                    self._talk(connection)
                except OSError:
                    self.hung_up.set()


def endless(begin, piece, pause=0.0):
    def talk(connection):
        connection.sendall(begin)
        wait = threading.Event()
        while True:
            connection.sendall(piece)
            wait.wait(pause)

    return talk


HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "body": (endless(HEAD + b"\r\n", b" " * (1 << 20)), "large"),
    "chunks": (
        endless(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + b" " * 2**20 + b"\r\n"
        ),
        "large",
    ),
    "headers": (endless(HEAD, b"X-Note: yes\r\n"), "cut"),
    "one header": (endless(HEAD + b"X-Note: ", b"y" * 1000), "cut"),
    "100 Continue": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "cut"),
    "drops of a body": (endless(HEAD + b"Content-Length: 99999\r\n\r\n", b" ", 0.02), "slow"),
    "drops of a header": (endless(HEAD + b"X-Note: ", b"y", 0.02), "slow"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_given_up(name):
    talk, reason = ENDLESS[name]
    with _Talker(talk) as server:
        client = Client(KEY, region=server.region, timeout=(2, 0.15), retries=1)
        error = failure(client)
        assert isinstance(error, TransportError)
        assert error.reason == reason
        assert server.hung_up.wait(10)  # the connection is not kept


def redirecting(location):
    def talk(connection):
        head = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n" % location
        connection.sendall(head)
        for _ in range(40):
            connection.sendall(b" " * (1 << 20))

    return talk


def test_the_page_of_a_redirect_is_not_read(tmp_path, scripted):
    """Requests reads it whole, to prepare a call that nobody makes."""
    with _Talker(redirecting(b"https://elsewhere.example/")) as server:
        error = failure(Client(KEY, region=server.region, retries=1))
        assert error.reason == "redirect"
        assert server.hung_up.wait(10)
    scripted.answer("/moved", Reply(b"a file"))
    with _Talker(redirecting(f"{scripted.url}/moved".encode())) as server:
        address = Secret(f"{server.region.api_url}/file")
        request = FileRequest(address, True, 100, -1, CallOptions(), lambda _: None)
        with (tmp_path / "file").open("wb") as target:
            assert fetch_file(request, target) == 6
        assert server.hung_up.wait(10)


def test_a_redirect_to_no_address_is_a_redirect(client, scripted):
    scripted.answer("account", Reply(b"", 302, {"Location": "http://[::1"}))
    assert failure(client).reason == "redirect"


# Without a clock: all workers must collect the same tests.
TWICE_PACKED = gzip.compress(gzip.compress(OK, mtime=0), mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TWICE_PACKED, "gzip, gzip"),
        (zlib.compress(OK), "deflate"),
        (b"anything", "br"),
        (b"anything", "zstd"),
        (gzip.compress(OK, mtime=0), "gzip;q=1"),
        (TWICE_PACKED, "gzip"),
        (OK, "gzip"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_an_encoding_that_was_not_asked_for_is_no_data(client, scripted, body, encoding):
    scripted.answer("account", Reply(body, headers={"Content-Encoding": encoding}))
    assert isinstance(failure(client), TransportError)


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 3000 + b"]" * 3000,
        b"[" * 100_000,
        nested(3000),
        b'[{"id": 1, "title": ' + nested(3000) + b"}]",
        b"9" * 5000,
        b"-1e999",
        b"NaN",
        b'"\xff\xfe \\ud800 \\u0000"',
    ],
    ids=lambda data: data[:12].decode("latin-1"),
)
@pytest.mark.parametrize(
    "field",
    [
        "data",
        *(pytest.param(f, marks=pytest.mark.long) for f in ("total_count", "code", "message")),
    ],
)
def test_no_json_leads_to_an_error_of_pythons_own(client, scripted, field, data):
    envelope = {"result_ok": b"true", "total_count": b"1", "data": b"[]", field: data}
    body = b"{" + b",".join(b'"%s":%s' % (n.encode(), v) for n, v in envelope.items()) + b"}"
    for path in ("account", "survey", "survey/1", "survey/1/surveyresponse"):
        scripted.answer(path, Reply(body))
    for call in (
        client.account,
        client.surveys,
        lambda: client.survey(1),
        lambda: client.responses(1, progress="none"),
        lambda: client.estimate(1),
    ):
        with contextlib.suppress(AlchemerError):
            call()


@pytest.mark.parametrize("levels", [900, 960, 976])
def test_an_answer_nested_as_deep_as_can_be_decoded_is_kept_or_named(scripted, levels):
    answers = [response(1, {"2": {"id": 2, "answer": "here"}})]
    client = serve(scripted, [question(2, "TEXTBOX", "", "q")], answers)
    page = scripted.replies["/v5/survey/5/surveyresponse"][0]
    body = page.content.replace(b'"here"', nested(levels))
    scripted.answer("survey/5/surveyresponse", Reply(body))
    with contextlib.suppress(TransportError):
        frame = client.responses(5, progress="none")
        assert frame.filter(regex="^q").iloc[0].astype(str).str.count('"a"').max() == levels


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1e999", None), ("inf", None), ("nan", None), ("9" * 40, None), ("-5", 0), ("7", 7)],
)
def test_a_wait_without_end_is_no_wait(client, scripted, header, seconds):
    refusal = {"result_ok": False, "code": 429, "message": "slow down"}
    scripted.answer("account", Reply(refusal, 429, {"Retry-After": header}))
    error = failure(client)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds
    assert "inf" not in error.sentence
