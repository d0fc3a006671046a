"""What happens when something else than an envelope comes, or nothing at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import partial

import pytest

from alchemer_nb import ApiKey, Client, OAuth1
from alchemer_nb.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Stopped,
    TransportError,
)
from alchemer_nb.http.regions import Region
from alchemer_nb.http.reply import retry_after
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.sandbox import Sandbox
from tests.leaks.search import everything_logged
from tests.person import regenerate_key
from tests.scripted import Reply

TOKEN, SECRET = "canary-token-0123456789abcdef", "canary-secret-xyz"


@pytest.fixture(params=["api_key", "oauth1"])
def client(request, scripted):
    credentials = ApiKey(TOKEN, SECRET) if request.param == "api_key" else OAuth1(TOKEN, SECRET)
    return Client(credentials, region=scripted.region, timeout=(2, 0.5), retries=1)


def failure(client, kind, path="account"):
    """The error of a call, which must be one line without a secret and without a chain."""
    with pytest.raises(kind) as caught:
        client.request("GET", path)
    error = caught.value
    assert type(error) is kind
    assert "\n" not in str(error)
    assert TOKEN not in str(error)
    assert SECRET not in str(error)
    assert error.__context__ is None
    assert error.__cause__ is None
    return error


def refuse(code, message, status=None):
    return Reply({"result_ok": False, "code": code, "message": message}, status or code)


@pytest.mark.parametrize("status", [401, 200])
@pytest.mark.parametrize(
    "message",
    ["Login failed / Invalid auth token", "Invalid api_token or api_token_secret supplied", ""],
)
def test_refused_credentials_name_region_host_and_the_other_regions(
    client, scripted, status, message
):
    scripted.answer("account", refuse(401, message, status))
    error = failure(client, AuthenticationError)
    assert message in str(error)
    assert scripted.region.host in str(error)
    # Only a key that is not known may be one of another region, so it is shown where to look.
    is_unknown = isinstance(client.credentials, ApiKey) and "supplied" not in message
    app = {"us": "app.alchemer.com", "eu": "app.alchemer.eu", "ca": "app.alchemer-ca.com"}
    others = [f"{name} {host}" if is_unknown else name for name, host in app.items()]
    assert f"others: {', '.join(others)}, au" in str(error)
    assert "address bar" in str(error)
    assert (error.status, error.code, error.method, error.path) == (status, 401, "GET", "account")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refuse(401, "Not Authorized"), PermissionDenied),
        (refuse(403, "Forbidden"), PermissionDenied),
        (refuse(404, "Method not implemented"), NotFound),
        (refuse(404, "Method not implemented", 200), NotFound),
        (refuse("404", "as text", 200), NotFound),
        (refuse(405, "Method not supported"), ApiError),
        (refuse(400, "Bad request"), ApiError),
        (refuse(429, "You have exceeded your requests per minute"), RateLimited),
        (refuse(400, "Please wait for other requests to complete."), RateLimited),
        (refuse(500, "time-out"), ServerError),
        (refuse(103, "Service currently unavailable", 200), ServerError),
        (Reply(b"<html><h1>502</h1></html>", 502), ServerError),
        (Reply(b"<html>Cloudflare</html>", 524), ServerError),
        (Reply(b"", 503), ServerError),
        (Reply(b"", 503, {"Content-Encoding": "gzip"}), ServerError),
        (Reply(b"", 401, {"Content-Encoding": "gzip"}), AuthenticationError),
        (Reply(b"", 429, {"Content-Encoding": "gzip"}), RateLimited),
        (Reply(b"<html>no</html>", 404), NotFound),
        (Reply(b"<!DOCTYPE html><html>Log in</html>"), TransportError),
        (Reply(b""), TransportError),
        (Reply(b"null"), TransportError),
        (Reply(b"[1, 2]"), TransportError),
        (Reply(b'{"result_ok": true, "data": [{"id": 1}, {"i'), TransportError),
        (Reply({"result_ok": True, "data": list(range(999))}, cut=100), TransportError),
        (Reply(b"broken", headers={"Content-Encoding": "gzip"}), TransportError),
        (Reply(b"", 302, {"Location": "http://127.0.0.1:9/v5/account"}), TransportError),
        (Reply(silent=True), TransportError),
    ],
)
def test_each_trouble_gives_its_typed_error(client, scripted, reply, kind):
    scripted.answer("account", reply)
    failure(client, kind)


def test_the_lookup_error_family(client, scripted):
    scripted.answer("account", refuse(404, "no"))
    with pytest.raises(LookupError):
        client.request("GET", "account")


def test_retry_after_is_told(client, scripted):
    scripted.answer(
        "account",
        Reply({"result_ok": False, "code": 429, "message": "x"}, 429, {"Retry-After": "17"}),
    )
    assert failure(client, RateLimited).retry_after == 17
    scripted.answer("account", refuse(429, "x"))
    assert failure(client, RateLimited).retry_after is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("Sat, 03 Jan 2026 10:00:21 GMT", 21), ("Sat, 03 Jan 2026 09:00:00 GMT", 0), ("soon", None)],
)
def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_server(told, seconds):
    assert retry_after({"Retry-After": told, "Date": "Sat, 03 Jan 2026 10:00:00 GMT"}) == seconds


def test_a_date_to_come_back_at_without_a_clock_of_the_server():
    told = formatdate(time.time() + 20, usegmt=True)
    assert retry_after({"Retry-After": told}) == pytest.approx(20, abs=2)


def test_a_redirect_is_not_followed_with_credentials(client, scripted):
    scripted.answer("account", Reply(b"", 307, {"Location": f"{scripted.url}/v5/elsewhere"}))
    scripted.answer("elsewhere", {"result_ok": True, "data": {}})
    failure(client, TransportError)
    assert [path for _, path, _ in scripted.asked] == ["/v5/account"]


def test_a_server_that_is_down(scripted):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client(ApiKey(TOKEN, SECRET), region=Region.custom(f"http://127.0.0.1:{port}"))
    assert "nothing answers" in str(failure(client, TransportError))


def test_a_host_that_does_not_exist_is_named():
    client = Client(ApiKey(TOKEN, SECRET), region=Region.custom("https://no-such-host.invalid"))
    error = failure(client, TransportError)
    assert "no-such-host.invalid" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"result_ok": true, "data": {"organization": "Acme"}}',  # a BOM
        b'{"result_ok": true, "organization": "Acme"}',  # no data around it
        b'{"result_ok": "true", "data": {"organization": "Acme"}}',
        b'{"result_ok": true, "code": 200, "message": "", "data": {"organization": "Acme"}}',
        gzip.compress(b'{"result_ok": true, "data": {"organization": "Acme"}}', mtime=0),
    ],
)
def test_tolerated_forms_of_an_answer(client, scripted, body):
    packed = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    scripted.answer("account", Reply(body, headers=packed))
    assert client.account()["organization"][0] == "Acme"


def test_a_lone_surrogate_is_replaced_and_a_pair_is_kept(client, scripted):
    body = rb'{"result_ok": true, "data": {"organization": "a\ud83dz \ud83d\ude00 \\ud83d"}}'
    scripted.answer("account", Reply(body))
    assert client.account()["organization"][0] == "a\ufffdz \U0001f600 \\ud83d"


class Watching(Reply):
    """Counts how many calls it answers at the same time."""

    def __init__(self, together):
        super().__init__({"result_ok": True, "data": []})
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.gate = threading.Barrier(together)

    @property
    def content(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        with contextlib.suppress(threading.BrokenBarrierError):
            self.gate.wait(2)  # opens when as many are here as may be
        with self.lock:
            self.now -= 1
        return super().content


def at_once(*calls):
    """Runs calls in threads of their own and gives what they gave or raised."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.exception() or future.result() for future in futures]


@pytest.mark.parametrize("most", [1, 3, 8])
def test_as_many_calls_are_in_flight_as_were_asked_for_and_no_more(scripted, most):
    reply = Watching(most)
    scripted.answer("survey", reply)
    client = Client(ApiKey(TOKEN, SECRET), region=scripted.region, max_in_flight=most)
    at_once(*[partial(client.request, "GET", "survey", {"page": n}) for n in range(3 * most)])
    assert len(scripted.asked) == 3 * most
    assert reply.most == most


@pytest.mark.parametrize("number", ["many", "", None, float("nan"), 0, -1, [4]])
@pytest.mark.parametrize("name", ["max_in_flight", "requests_per_minute"])
def test_a_number_of_calls_that_is_none_is_refused(scripted, name, number):
    with pytest.raises(ConfigurationError, match=name):
        Client(ApiKey(TOKEN, SECRET), region=scripted.region, **{name: number})


@pytest.mark.parametrize(
    "path",
    [
        "survey/1&api_token={}",
        "survey/1&API_TOKEN_SECRET = {}",
        "survey/1%3Fapi_token%3D{}",
        "https://api.alchemer.com/v5/survey?api_token={}",
        "survey/oauth_token={}",
    ],
)
def test_a_path_with_credentials_is_not_sent_and_not_repeated(client, scripted, path):
    with pytest.raises(InvalidArgument, match="holds no credentials") as caught:
        client.request("GET", path.format(SECRET))
    assert SECRET not in str(caught.value)
    assert scripted.asked == []


def test_one_connection_serves_one_call_after_another(box):
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    with everything_logged() as log:
        for page in range(4):
            client.request("GET", "survey/9000001/surveyresponse", {"page": page})
    assert log.getvalue().count("Starting new HTTP connection") == 1


def test_a_warning_of_the_limit_slows_down_all_that_share_it(scripted):
    region = scripted.region
    first, second = (
        Transport(ApiKey(TOKEN, SECRET), region, requests_per_minute=20, minute=0.5)
        for _ in range(2)
    )
    scripted.answer("survey", Reply(headers={"X-SG-Warning": "You are reaching your limit"}))
    first.send("GET", "survey")
    scripted.answer("survey", Reply())
    begun = time.monotonic()
    for page in (1, 2, 3):
        second.send("GET", "survey", {"page": page})
    assert time.monotonic() - begun > 0.4


@pytest.mark.parametrize("bytes_before", [None, 0, 20])
def test_a_call_on_its_way_is_given_up_when_it_is_called_off(scripted, bytes_before):
    transport = Transport(ApiKey(TOKEN, SECRET), scripted.region, max_in_flight=1)
    scripted.answer("survey", Reply(silent=True, cut=bytes_before))
    scripted.answer("account", Reply())
    transport.send("GET", "account")
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(transport.send, "GET", "survey", options=CallOptions(stop))
        while len(scripted.asked) < 2:
            time.sleep(0.01)
        stop.set()
        begun = time.monotonic()
        assert isinstance(call.exception(5), Stopped)
        assert time.monotonic() - begun < 0.5
    assert transport.send("GET", "account", {"page": 2}).status == 200  # there is room again


@pytest.mark.parametrize("bytes_before", [None, 0, 20])
def test_silence_is_noticed_in_time(scripted, bytes_before):
    transport = Transport(ApiKey(TOKEN, SECRET), scripted.region, timeout=(2, 0.3), retries=1)
    scripted.answer("survey", Reply(silent=True, cut=bytes_before))
    begun = time.monotonic()
    with pytest.raises(TransportError, match=r"did not answer GET survey within 0\.3 seconds"):
        transport.send("GET", "survey")
    assert 0.3 <= time.monotonic() - begun < 1


def interrupt_when(told):
    """What to tell: interrupts this thread when it says so, as a kernel is interrupted."""
    main = threading.get_ident()

    def tell(words):
        if told in words:
            signal.pthread_kill(main, signal.SIGINT)

    return tell


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.parametrize("told", ["rate limit", "trying again", "answers anew"])
def test_an_interrupt_ends_every_wait_and_nothing_is_left_taken(scripted, told):
    limit = 1 if told == "rate limit" else 99
    transport = Transport(
        ApiKey(TOKEN, SECRET), scripted.region, requests_per_minute=limit, max_in_flight=1
    )
    scripted.answer("survey", Reply())
    transport.send("GET", "survey", {"page": 1})
    if told == "trying again":
        scripted.answer("survey", Reply(b"", 503))
    page, fresh = (1, True) if told == "answers anew" else (2, False)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt) as caught:
        transport.send(
            "GET",
            "survey",
            {"page": page},
            options=CallOptions(on_wait=interrupt_when(told), fresh=fresh),
        )
    assert time.monotonic() - begun < 0.5
    assert TOKEN not in str(caught.value)
    transport.limiter.limit = 2 if limit == 1 else 99  # one was called, and none is waiting
    scripted.answer("survey", Reply())
    stop = threading.Event()
    answer = transport.send(
        "GET", "survey", {"page": 3}, options=CallOptions(stop, lambda _: stop.set())
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/v5/survey", "//elsewhere.example/x", "../head/oauth", "", "a?b=c"],
)
def test_a_path_stays_within_the_api(client, scripted, path):
    with pytest.raises(InvalidArgument):
        client.request("GET", path)
    assert scripted.asked == []


@pytest.mark.parametrize("name", ["api_token", "api_token_secret", "oauth_token"])
def test_credentials_are_not_taken_as_parameters(client, scripted, name):
    with pytest.raises(InvalidArgument, match="regenerate") as caught:
        client.request("GET", "survey", {name: "typed-in-a-cell"})
    assert "typed-in-a-cell" not in str(caught.value)
    assert scripted.asked == []


def test_nested_values_are_written_as_php_reads_them(client, scripted):
    scripted.answer("survey", {"result_ok": True, "data": []})
    client.request("GET", "survey", {"filter": {"field": ["status"]}, "metaonly": True, "x": None})
    sent = {k: v for k, v in scripted.asked[0][2].items() if not k.startswith("api_")}
    assert sent == {"filter[field][0]": "status", "metaonly": "true"}


def test_no_proxy_of_the_environment_sees_a_call_to_this_machine(client, scripted, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    scripted.answer("account", {"result_ok": True, "data": {"organization": "Acme"}})
    assert len(client.account()) == 1


# -- lists that are not as the others ------------------------------------------------------------


def page(rows, **told):
    return {"result_ok": True, **told, "data": rows}


def ids(frame):
    return list(frame["id"])


def test_totals_as_text(client, scripted):
    scripted.answer(
        "things",
        page(
            [{"id": "1"}, {"id": "2"}],
            total_count="3",
            page=1,
            total_pages="2",
            results_per_page="2",
        ),
        page([{"id": "3"}], total_count="3", page=2, total_pages="2", results_per_page="2"),
    )
    assert ids(client.table("things")) == ["1", "2", "3"]
    assert [q["page"] for _, _, q in scripted.asked] == ["1", "2"]


def test_a_list_without_totals_goes_on_until_a_short_page(client, scripted):
    scripted.answer(
        "contactlist",
        page([{"id": 1}, {"id": 2}], page=1, results_per_page=2),
        page([{"id": 3}], page=2, results_per_page=2),
    )
    assert ids(client.table("contactlist")) == [1, 2, 3]


def test_a_large_reply_with_a_broken_middle_is_an_error(client, scripted):
    scripted.answer("things", Reply(b'{"result_ok": true, "x": "' + b"x" * 9000 + b'" broken}'))
    with pytest.raises(TransportError, match=r"GET things was .* not JSON"):
        client.request("GET", "things")


def test_a_list_that_ignores_paging_is_read_once(client, scripted):
    scripted.answer("things", page([{"id": 1}, {"id": 2}]))
    assert ids(client.table("things")) == [1, 2]


def test_total_pages_that_lag_behind_do_not_hide_rows(client, scripted):
    scripted.answer(
        "things",
        page([{"id": 1}], total_count=2, total_pages=1, results_per_page=1),
        page([{"id": 2}], total_count=2, total_pages=1, results_per_page=1),
        page([], total_count=2, total_pages=1, results_per_page=1),
    )
    assert ids(client.table("things")) == [1, 2]


def test_total_pages_zero(client, scripted):
    scripted.answer("things", page([], total_count=0, total_pages=0, results_per_page=50))
    assert client.table("things").empty
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("zero", [0, "0"])
def test_totals_of_zero_beside_rows_are_not_believed(client, scripted, zero):
    told = {"total_count": zero, "total_pages": 0, "results_per_page": 2}
    scripted.answer("things", page([{"id": 1}, {"id": 2}], **told), page([{"id": 3}], **told))
    assert ids(client.table("things")) == [1, 2, 3]


def test_quotas_stand_under_their_own_name(client, scripted):
    scripted.answer("survey/1/quotas", {"result_ok": True, "quotas": [{"id": "1", "name": "Men"}]})
    assert list(client.table("survey/1/quotas")["name"]) == ["Men"]


def test_a_list_keyed_by_id(client, scripted):
    scripted.answer(
        "contactcustomfield",
        {"result_ok": True, "data": {"1": {"id": "1", "name": "Region"}, "2": {"name": "Size"}}},
    )
    table = client.table("contactcustomfield")
    assert list(table["name"]) == ["Region", "Size"]
    assert ids(table) == ["1", "2"]


def test_a_regenerated_key_is_refused_at_once():
    with Sandbox(responses=0) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        assert len(client.account()) == 1
        regenerate_key(own.url, own.username, own.password)
        # Not the same client, which would answer from its memory of the last minute.
        client = Client(client.credentials, region=own.region)
        with pytest.raises(AuthenticationError, match="Login failed / Invalid auth token"):
            client.account()
        again = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        assert len(again.account()) == 1


def test_a_key_of_one_region_is_unknown_in_another(box):
    with Sandbox(responses=0, region="eu") as europe:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=europe.region)
        with pytest.raises(AuthenticationError, match="Invalid api_token or api_token_secret"):
            client.account()
