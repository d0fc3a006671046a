"""What `client.doctor()` says of good and bad surroundings, against the sandbox and worse."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

import pytest
import trustme

from alchemer_nb import ApiKey, Client, OAuth1, Region
from alchemer_nb.doctor.computer import check_computer
from alchemer_nb.doctor.examination import Examination, Subject
from alchemer_nb.http.network_errors import find_proxy
from alchemer_nb.http.transport import Transport
from alchemer_nb.sandbox.traffic import faults
from tests.boxes import NO_LIMITS, copied_box
from tests.proxies import ScriptedProxy
from tests.scripted import Reply

NETWORK_VARIABLES = (
    *("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
TOKEN, SECRET, PASSWORD = "canary-token-0123456789abcdef", "canary-secret-xyz", "canary-hunter2"


@pytest.fixture(autouse=True)
def no_network_settings(monkeypatch):
    for name in NETWORK_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def own():
    """A sandbox for faults, which other tests must not meet."""
    with copied_box(**NO_LIMITS) as running:
        yield running


@pytest.fixture
def ada(own):
    own.calm()
    return Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)


def results(found):
    return {(check.area, check.name): check.result for check in found.checks}


def check(found, name):
    return next(one for one in found.checks if one.name == name)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_key_that_works_is_told_what_it_may_do(ada, own):
    before = len(own.seen)
    found = ada.doctor()
    assert found.ok
    said = results(found)
    assert said["network", "host"] == said["network", "clock"] == "ok"
    assert said["sign-in", "credentials"] == "ok"
    for right in ("surveys", "definition", "responses", "campaigns", "contact lists", "users"):
        assert said["rights", right] == "allowed"
    assert said["rights", "statistics"] == "not tried"
    assert said["this computer", "store folder"] == "ok"
    assert list(found.frame.columns) == ["area", "check", "result", "detail", "advice"]
    assert len(found.frame) == len(found.checks)
    assert "none is used" in check(found, "proxy").detail
    for package in ("Python", "alchemer_nb", "pandas", "ipywidgets", "requests-oauthlib"):
        assert package in check(found, "versions").detail
    # The first call has no key: it shows whether the host is the right one.
    calls = own.seen[before:]
    assert [call.mode for call in calls[:2]] == ["none", "api_key"]
    assert {call.method for call in calls} == {"GET"}


def test_a_user_without_a_right_reads_which_one(own):
    key = own.key("ben")
    found = Client(ApiKey(key.token, key.secret), region=own.region).doctor()
    assert check(found, "users").result == "refused"
    assert "administrator" in check(found, "users").advice
    assert check(found, "responses").result == "allowed"
    assert found.ok
    assert "1 right refused" in repr(found)


def test_each_way_of_signing_in_is_named(client):
    found = client.doctor()
    assert check(found, "credentials").result == "ok"
    kind = {"ApiKey": "API key", "OAuth1": "consumer pair"}[type(client.credentials).__name__]
    if getattr(client.credentials, "three_legged", False):
        kind = "access token"
    assert kind in check(found, "credentials").detail


def test_a_wrong_key_stops_what_needs_one_and_no_more(ada, own):
    found = Client(ApiKey(own.api_token, SECRET), region=own.region).doctor()
    assert not found.ok
    wrong = check(found, "credentials")
    assert wrong.result == "trouble"
    assert "do not belong together" in wrong.detail
    assert "--try-regions" in wrong.advice
    assert "us (api.alchemer.com)" in wrong.advice
    said = results(found)
    assert said["network", "host"] == "ok"
    assert said["rights", "all"] == said["rate limit", "calls"] == "not tried"
    assert "trouble with credentials" in repr(found)
    assert "status 401" in found.text()


def test_a_key_that_was_replaced_within_the_minute_is_refused(own, ada):
    ada.account()
    own.fail_next(faults.Fault(status=401, when={"path": "account"}, after=1))
    assert check(ada.doctor(), "credentials").result == "trouble"


def test_a_host_that_does_not_resolve():
    region = Region.custom("https://no-such-host.invalid")
    found = Client(ApiKey(TOKEN, SECRET), region=region).doctor()
    assert check(found, "host").result == "trouble"
    assert "the host no-such-host.invalid was not found" in check(found, "host").detail
    assert check(found, "credentials").result == "not tried"
    assert check(found, "all").result == "not tried"
    assert "no-such-host" not in found.text()
    assert "TransportError (unreachable)" in found.text()


def test_a_dead_proxy_is_named_without_its_password(monkeypatch):
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://joe:{PASSWORD}@127.0.0.1:{port}")
    found = Client(ApiKey(TOKEN, SECRET), region="us").doctor()
    assert check(found, "proxy").detail == f"127.0.0.1:{port} is used, as HTTPS_PROXY says"
    assert "nothing answers at the proxy" in check(found, "host").detail
    text = found.text()
    assert "a proxy is used, as HTTPS_PROXY says" in text
    assert str(port) not in text
    shown = f"{found!r} {found._repr_html_()} {text} {found.frame.to_csv()}"
    for secret in (PASSWORD, "joe", TOKEN, SECRET):
        assert secret not in shown


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://joe:hunter2@proxy.test:3128", "proxy.test:3128"),
        ("proxy.test:3128", "proxy.test:3128"),
        ("http://[::1]:3128/", "[::1]:3128"),
        ("http://joe:hunter2/x@proxy.test:3128", ""),
        ("http://joe:hunter2@@proxy.test", ""),
        ("http://joe:hunt er2", ""),
    ],
)
def test_only_the_host_of_a_proxy_is_shown(monkeypatch, address, host):
    monkeypatch.setenv("HTTPS_PROXY", address)
    found = find_proxy("https://api.alchemer.com/v5/account")
    assert found == ("HTTPS_PROXY", host)


def test_a_certificate_that_nobody_signed(monkeypatch):
    with ScriptedProxy("own") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = Client(ApiKey(TOKEN, SECRET), region="us").doctor()
        assert check(found, "certificate").result == "trouble"
        assert "does not trust its issuer" in check(found, "certificate").detail
        assert check(found, "host").result == "not tried"
        assert check(found, "credentials").result == "not tried"
        assert not any(TOKEN.encode() in one for one in proxy.received)


@pytest.mark.parametrize(
    ("seconds", "result", "words"),
    [
        (-7200, "trouble", "120 minutes ahead of"),
        pytest.param(45, "note", "seconds behind", marks=pytest.mark.long),
        pytest.param(5, "ok", "agrees", marks=pytest.mark.long),
    ],
)
def test_a_clock_that_is_off(own, ada, seconds, result, words):
    own.fail_next(faults.wrong_clock(seconds))
    found = ada.doctor()
    assert check(found, "clock").result == result
    assert words in check(found, "clock").detail
    assert check(found, "credentials").result == "ok"


def test_a_log_in_page_in_place_of_alchemer_gets_no_key(scripted):
    page = b"<html>Welcome to the guest network</html>"
    scripted.answer("account", page)
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region).doctor()
    assert "web page instead of data" in check(found, "host").detail
    assert check(found, "credentials").result == "not tried"
    assert not any("api_token" in params for _, _, params in scripted.asked)


@pytest.mark.parametrize(
    "reply",
    [Reply(b"<html>Bad gateway</html>", 502), Reply(b"busy", 503), Reply({"hello": "world"})],
)
def test_what_is_not_the_api_gets_no_key_whatever_its_status(scripted, reply):
    scripted.answer("account", reply)
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region).doctor()
    assert check(found, "host").result == "trouble"
    assert check(found, "credentials").result == "not tried"
    assert not any("api_token" in params for _, _, params in scripted.asked)


def test_a_number_of_the_server_is_not_in_the_text(scripted):
    said = {"result_ok": False, "code": 4915112345678, "message": "canary"}
    scripted.answer("account", {"result_ok": True, "data": {"id": "1"}})
    scripted.answer("survey", said)
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region).doctor()
    assert check(found, "surveys").result == "trouble"
    assert "4915112345678" not in found.text()


def test_a_list_that_fails_is_one_line_and_the_others_are_tried(own, ada):
    own.fail_next(faults.gateway(522, when={"path": "*/surveycampaign"}))
    found = ada.doctor()
    assert check(found, "campaigns").result == "trouble"
    assert "status 522" in found.text()
    assert check(found, "teams").result == "allowed"


def test_no_more_calls_are_made_once_the_limit_is_reached(own, ada):
    own.fail_next(faults.limit_reached(when={"path": "*/surveyquestion"}))
    found = ada.doctor()
    assert check(found, "questions").result == "trouble"
    assert not any(one.name == "responses" for one in found.checks)


def test_a_host_that_falls_silent_is_not_waited_for_list_by_list(scripted):
    scripted.answer("account", {"result_ok": True, "data": {"id": "1"}})
    scripted.answer("survey", {"result_ok": True, "data": [{"id": "5", "title": "x"}]})
    lists = ("", "/surveyquestion", "/surveyresponse", "/surveycampaign", "/quotas")
    for name in (*(f"survey/5{each}" for each in lists), "contactlist", "accountuser"):
        scripted.answer(name, Reply(b"", silent=True))
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region, timeout=(5, 0.3)).doctor()
    assert [one.name for one in found.checks if one.result == "trouble"] == [
        "definition", "questions",
    ]  # fmt: skip
    assert check(found, "other lists").result == "not tried"


def test_an_account_without_surveys(scripted):
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("survey", {"result_ok": True, "data": []})
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region).doctor()
    assert check(found, "surveys").result == "allowed"
    assert check(found, "responses").detail == "there is no survey to look at"


def test_a_survey_that_does_not_exist_is_a_line_too(ada):
    found = ada.doctor("no such survey")
    assert "no survey of" in check(found, "survey").detail
    assert check(found, "responses").result == "not tried"
    assert check(found, "teams").result == "allowed"
    assert "no such survey" not in found.text()


def test_the_survey_that_was_named_is_looked_at(own, ada):
    ada.doctor("Employee pulse")
    asked = {seen.path for seen in own.seen[-12:]}
    pulse = ada.survey_id("Employee pulse")
    assert f"survey/{pulse}/surveyresponse" in asked


def test_a_folder_that_cannot_be_written(own, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", str(blocked / "limits"))
    key = ApiKey(own.api_token, own.api_token_secret)
    found = Client(key, region=own.region, store=blocked).doctor()
    assert check(found, "store folder").result == "trouble"
    assert "ALCHEMER_STORE" in check(found, "store folder").advice
    assert check(found, "limits folder").result == "trouble"
    assert check(found, "other programs").result == "note"
    assert str(tmp_path) not in found.text()


def test_settings_are_named_without_their_values(ada, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", TOKEN)
    monkeypatch.setenv("ALCHEMER_JANE_DOE", "x")
    found = ada.doctor()
    set_ones = check(found, "environment")
    assert "ALCHEMER_API_TOKEN" in set_ones.detail
    assert "1 other name that begins with ALCHEMER_" in set_ones.detail
    shown = f"{found!r} {found._repr_html_()} {found.text()}"
    assert TOKEN not in shown
    assert "JANE" not in shown


def test_the_allowance_counts_what_this_computer_sent(ada):
    before = int(check(ada.doctor(), "calls").detail.split()[0])
    for number in range(4):
        ada.request("GET", "survey", {"page": number + 1})
    after = int(check(ada.doctor(), "calls").detail.split()[0])
    calls = before - after
    assert calls > 4 + 10
    assert before < 230


def test_an_interrupt_ends_it_with_what_is_known(own, ada):
    own.fail_next(faults.Fault(delay=30, when={"path": "*/surveyresponse"}))

    def interrupt():
        while not any(call.path.endswith("surveyresponse") for call in own.calls[-3:]):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    found = ada.doctor()
    waiting.join()
    own.calm()
    assert check(found, "credentials").result == "ok"
    assert check(found, "definition").result == "allowed"
    assert "you stopped it" in check(found, "interrupt").detail
    assert not any(one.name == "teams" for one in found.checks)


def test_it_says_that_it_has_to_wait_for_the_limit(own, ada):
    told = []

    def tell(line):
        told.append(line)
        raise KeyboardInterrupt  # as a person may who reads it

    few = Subject(own.region, ada.credentials, None, requests_per_minute=5)
    found = Examination(few, tell=tell).run()
    assert "wait for the next minute" in told[0]
    assert check(found, "host").result == "ok"
    assert "you stopped it" in check(found, "interrupt").detail


ODD = [
    None, [], "text", 7, {"data": None}, {"data": "text"}, {"data": [None, 7, {"id": []}]},
    {"result_ok": True, "data": {"id": {"a": 1}}}, {"data": [{"id": "../7", "statistics": 1}]},
    {"result_ok": [], "quotas": {"x": [[]]}, "total_count": {}},
]  # fmt: skip


@pytest.mark.parametrize("odds", [ODD[::3], pytest.param(ODD, marks=pytest.mark.long)])
def test_odd_replies_are_no_error_of_its_own(scripted, odds):
    client = Client(ApiKey(TOKEN, SECRET), region=scripted.region)
    for odd in odds:
        scripted.replies.clear()
        for path in ("survey", "survey/7", "contactlist", "accountuser", "account"):
            scripted.answer(path, odd)
        for shapes in (False, True):
            found = client.doctor(7, shapes=shapes)
            assert check(found, "host").result in ("ok", "trouble")
            assert "fault of this package" not in repr(found)


@pytest.mark.parametrize(
    ("version", "noted"), [("6.31.0", False), ("7.0.1", True), ("7.3.0", True), ("7.4.0", False)]
)
def test_a_kernel_that_delays_requests_is_noted(tmp_path, monkeypatch, version, noted):
    folder = tmp_path / f"ipykernel-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: ipykernel\nVersion: {version}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = [*check_computer(None)]
    assert f"ipykernel {version}" in found[0].detail
    notes = [one for one in found if one.name == "ipykernel"]
    assert bool(notes) == noted
    assert all("about 1 in 100" in one.detail and "7.4" in one.advice for one in notes)


# -- other regions -----------------------------------------------------------------------------


def wrong_client(own):
    return Client(ApiKey(TOKEN, SECRET), region=own.region)


def test_other_regions_get_the_key_on_request_alone(own, ada, monkeypatch, capsys):
    with ScriptedProxy(b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        wrong_client(own).doctor()
        assert proxy.received == []
        ada.doctor(try_regions=True)  # accepted where it is: nothing is sent elsewhere
        assert proxy.received == []
        capsys.readouterr()
        seen_before_a_call = []

        def tell(line):
            seen_before_a_call.append((line, len(proxy.received)))

        subject = Subject(own.region, ApiKey(TOKEN, SECRET), None)
        found = Examination(subject, None, False, True, tell).run()
        line, calls = seen_before_a_call[0]
        assert calls == 0
        hosts = [Region.get(name).host for name in Region.names()]
        assert all(host in line for host in hosts)
        asked = [one.split()[1].decode().partition(":")[0] for one in proxy.received]
        assert asked == hosts
        assert check(found, "region eu").result == "note"
    wrong = wrong_client(own).doctor(try_regions=True)
    printed = capsys.readouterr()
    assert "is now sent to the other regions, too: us (api.alchemer.com)" in printed.err
    assert check(wrong, "region eu").result == "note"


def test_a_key_that_was_not_refused_is_sent_to_no_other_region(own, monkeypatch):
    own.calm()
    own.fail_next(faults.gateway(503, when={"path": "*account"}, times=None))
    with ScriptedProxy(b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = wrong_client(own).doctor(try_regions=True)
        assert proxy.received == []
    assert check(found, "other regions").result == "not tried"


def test_the_region_that_accepts_the_key_is_named(own, ada, monkeypatch, tmp_path):
    authority = trustme.CA()
    hosts = [Region.get(name).host for name in Region.names()]
    authority.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with ScriptedProxy(str(tmp_path / "all")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = wrong_client(own).doctor(try_regions=True)
    assert "the account is in this region" in check(found, "region eu").detail
    assert "%alchemer login --region eu" in check(found, "region eu").advice


# -- no sign-in ----------------------------------------------------------------------------------


@pytest.fixture
def empty_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("ALCHEMER_API_TOKEN", "ALCHEMER_API_TOKEN_SECRET", "ALCHEMER_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_sign_in_the_rest_is_checked(own, empty_home):
    subject = Subject.find(region=own.region)
    found = Examination(subject).run()
    assert check(found, "host").result == "ok"
    assert check(found, "credentials").result == "not tried"
    assert "%alchemer login" in check(found, "credentials").advice
    assert check(found, "all").detail == "there is no sign-in that works"
    assert found.ok


def test_half_a_pair_in_the_environment_is_trouble_and_not_an_error(own, empty_home, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", TOKEN)
    found = Examination(Subject.find(region=own.region)).run()
    assert check(found, "credentials").result == "trouble"
    assert "ALCHEMER_API_TOKEN_SECRET is not" in check(found, "credentials").detail
    assert check(found, "host").result == "ok"


def test_what_the_environment_has_is_examined(own, empty_home, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", own.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", own.api_token_secret)
    found = Examination(Subject.find(region=own.region)).run()
    assert "from the environment" in check(found, "credentials").detail
    assert check(found, "surveys").result == "allowed"


# -- the text for a bug report -----------------------------------------------------------------


def test_the_text_has_no_value_of_the_account(own, ada, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "jane" / "store"))
    client = Client(ada.credentials, region=own.region)
    found = client.doctor(shapes=True)
    assert "~/jane/store" in repr(found)
    surveys = client.surveys()
    account = client.read_account()
    values = [
        *surveys["title"], *surveys["id"].astype(str), str(account["id"]), account["organization"],
        own.api_token, own.api_token_secret, own.api_token[-4:], own.username, str(tmp_path),
        str(own.port), "jane", *client.table("accountuser")["email"],
    ]  # fmt: skip
    text = found.text()
    assert [value for value in values if value in text] == []
    assert "0 differ" in text
    everywhere = f"{found!r} {found._repr_html_()} {found.frame.to_csv()} {found.shapes.to_csv()}"
    for secret in (own.api_token, own.api_token_secret):
        assert secret not in everywhere


def test_a_message_of_the_server_is_not_in_the_text(scripted):
    said = "Jane Doe (jane@example.com) may not read survey 9000001"
    refusal = {"result_ok": False, "code": "jane", "message": said}
    scripted.answer("account", refusal)
    found = Client(OAuth1(TOKEN, SECRET), region=scripted.region).doctor()
    assert not found.ok
    for word in ("Jane", "jane", "9000001", "@"):
        assert word not in found.text()


def test_the_html_shows_the_same_and_escapes_it(scripted):
    scripted.answer("account", {"result_ok": False, "code": 401, "message": "<b>bold\x1b[2J"})
    found = Client(ApiKey(TOKEN, SECRET), region=scripted.region).doctor()
    html = found._repr_html_()
    assert "&lt;b&gt;bold" in html
    assert "\x1b" not in html + repr(found)
    for one in found.checks:
        assert one.area in html
        assert one.result in html


def test_the_window_counts_what_may_be_sent_at_once(own):
    transport = Transport(
        ApiKey(own.api_token, own.api_token_secret), own.region, requests_per_minute=5
    )
    assert transport.limiter.free_calls() == 5
    transport.read_account()
    assert transport.limiter.free_calls() == 4
    transport.limiter.pause(30)
    assert transport.limiter.free_calls() == 0
