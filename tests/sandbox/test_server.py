"""Starting, stopping, ports, threads, files, trouble on order, the command line."""

from __future__ import annotations

import _thread
import asyncio
import gc
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alchemer_nb.sandbox import Fault, PortInUse, Sandbox
from tests.sandbox import small
from tests.sandbox.conftest import CALM, caller
from tests.sandbox.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Given:
    survey: dict[str, Any]
    responses: Iterator[dict[str, Any]]


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class TestLife:
    def test_it_answers_when_entered_and_is_gone_when_left(self) -> None:
        with Sandbox(surveys=[]) as box:
            assert requests.get(box.url, timeout=10).status_code == 200
            assert box.url in repr(box)
            port = box.port
        assert not listens(port)
        assert not box.running
        assert "not running" in repr(box)

    def test_start_and_stop_by_hand(self) -> None:
        box = Sandbox(surveys=[]).start()
        with pytest.raises(RuntimeError, match="runs already"):
            box.start()
        box.stop()
        box.stop()
        box.start()
        assert requests.get(box.url, timeout=10).status_code == 200
        box.stop()
        with pytest.raises(RuntimeError, match="not running"):
            _ = box.api_token

    def test_nothing_is_left_behind(self) -> None:
        before = set(threading.enumerate())
        open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208 - counts, no paths
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            for _ in range(3):
                with Sandbox(surveys=[]) as box, requests.Session() as session:
                    session.get(f"{box.url}/v5/account", timeout=10)
            gc.collect()
        assert set(threading.enumerate()) == before
        if open_before:
            assert len(os.listdir("/proc/self/fd")) <= open_before  # noqa: PTH208 - counts

    def test_stop_does_not_wait_for_a_slow_answer(self) -> None:
        with Sandbox(surveys=[], latency=60) as box, ThreadPoolExecutor(1) as pool:
            asked = pool.submit(requests.get, f"{box.url}/v5/account", timeout=30)
            while not box.in_flight:
                time.sleep(0.005)
            begun = time.monotonic()
            box.stop()
            assert time.monotonic() - begun < 5
            with pytest.raises(requests.ConnectionError):
                asked.result()

    def test_a_port_in_use_is_told_so(self) -> None:
        with Sandbox(surveys=[]) as box:
            with pytest.raises(PortInUse, match=f"port {box.port} .* in use"):
                Sandbox(surveys=[], port=box.port).start()
            assert requests.get(box.url, timeout=10).status_code == 200

    def test_a_failing_start_leaves_nothing(self) -> None:
        before = set(threading.enumerate())
        with pytest.raises(KeyError):
            Sandbox(surveys=[small.Small({}, [])]).start()
        assert set(threading.enumerate()) == before

    def test_an_interrupted_start_leaves_nothing(self) -> None:
        # A shell starts what it sends to the background with interrupts ignored.
        before_us = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._interrupt_a_start()
        finally:
            signal.signal(signal.SIGINT, before_us)

    def _interrupt_a_start(self) -> None:
        def interrupting() -> Iterator[dict[str, Any]]:
            _thread.interrupt_main()
            yield small.response(1, "2026-01-01T00:00:00")

        before = set(threading.enumerate())
        with pytest.raises(KeyboardInterrupt):
            Sandbox(surveys=[Given(small.survey(), interrupting())]).start()
        assert set(threading.enumerate()) == before

    def test_it_listens_on_loopback_alone(self) -> None:
        with Sandbox(surveys=[]) as box:
            assert box.url == f"http://127.0.0.1:{box.port}"
            for info in socket.getaddrinfo(socket.gethostname(), box.port, socket.AF_INET):
                address = str(info[4][0])
                if not address.startswith("127."):
                    with socket.socket() as one:
                        one.settimeout(2)
                        assert one.connect_ex((address, box.port)) != 0

    def test_inside_a_running_loop_as_in_a_notebook(self) -> None:
        async def cell() -> int:
            with Sandbox(surveys=[]) as box:
                return requests.get(box.url, timeout=10).status_code

        assert asyncio.run(cell()) == 200

    def test_from_many_threads(self) -> None:
        with Sandbox(surveys=[small.build()], **CALM) as box, ThreadPoolExecutor(8) as pool:
            call = caller(box)
            tasks = [pool.submit(call, "survey/7/surveyresponse") for _ in range(40)]
            tokens = [pool.submit(lambda: box.api_token) for _ in range(40)]
            assert {task.result().json()["total_count"] for task in tasks} == {"5"}
            assert {task.result() for task in tokens} == {box.api_token}

    def test_two_sandboxes_and_two_log_ins_in_one_browser(self) -> None:
        with Sandbox(surveys=[]) as one, Sandbox(surveys=[]) as two:
            person = Person(one.url)
            person.log_in("ada")
            person.home = two.url
            person.log_in("ben")
            assert "ben" in person.open(f"{two.url}/account/api-key").text
            assert "ada, administrator" in person.open(f"{one.url}/account/api-key").text

    @pytest.mark.parametrize(
        "wrong", [{"form": "2020"}, {"port": 70000}, {"responses": -1}, {"latency": -1}]
    )
    def test_bad_settings_are_told_at_once(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Sandbox(**wrong)


def test_five_hundred_responses_start_in_time_and_pages_come_quickly() -> None:
    begun = time.monotonic()
    with Sandbox() as box:
        assert time.monotonic() - begun < 10  # a guard against a slip, not a benchmark
        survey = caller(box)("survey").json()["data"][0]
        rows = caller(box)(f"survey/{survey['id']}/surveyresponse", resultsperpage=500)
        assert len(rows.json()["data"]) == 500


def test_latency_is_added_to_every_call() -> None:
    with Sandbox(surveys=[], latency=0.2) as box:
        begun = time.monotonic()
        caller(box)("account")
        assert time.monotonic() - begun >= 0.2


class TestFile:
    def test_everything_outlives_a_restart(self, tmp_path: Path) -> None:
        from requests_oauthlib import OAuth1, OAuth1Session

        db = str(tmp_path / "box.db")
        with Sandbox(surveys=[small.build()], db=db) as box:
            pair = (box.api_token, box.api_token_secret)
            consumer = (box.consumer_key, box.consumer_secret)
            caller(box)("survey/7/surveyresponse", "PUT", **{"data[3][value]": "77"})
            caller(box)("survey/7/surveyresponse/2", "DELETE")
            session = OAuth1Session(*consumer, callback_uri="oob")
            session.fetch_request_token(f"{box.url}/head/oauth/request_token")
            person = Person(box.url)
            person.open(session.authorization_url(f"{box.url}/head/oauth/authenticate"))
            person.send("password", name="ben", password="ben-sandbox")
            verifier = person.send("step:allow", step="allow").marked["data-verifier"]
            token = session.fetch_access_token(
                f"{box.url}/head/oauth/access_token", verifier=verifier
            )
            admin = Person(box.url)
            admin.log_in("ada")
            admin.open("security/api-access")
            admin.send("user_id", user_id="3")
            cleo = box.key("cleo")
        with Sandbox(surveys=[], db=db) as again:
            assert (again.api_token, again.api_token_secret) == pair
            assert (again.consumer_key, again.consumer_secret) == consumer
            assert again.key("cleo") == cleo
            rows = caller(again)("survey/7/surveyresponse").json()["data"]
            assert [row["id"] for row in rows] == ["1", "3", "4", "5", "6"]
            assert rows[-1]["survey_data"]["3"]["answer"] == "77"
            auth = OAuth1(*consumer, token["oauth_token"], token["oauth_token_secret"])
            answer = requests.get(f"{again.url}/v5/account", auth=auth, timeout=10)
            assert answer.json()["result_ok"] is True
            Person(again.url).log_in("ada")

    def test_it_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        db = tmp_path / "box.db"
        with Sandbox(surveys=[], db=str(db)):
            modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
        assert modes == {0o600}

    def test_another_programs_file_is_left_alone(self, tmp_path: Path) -> None:
        db = tmp_path / "notes.txt"
        db.write_text("mine " * 100)
        with pytest.raises(ValueError, match=r"notes\.txt cannot be used"):
            Sandbox(surveys=[], db=db).start()
        assert db.read_text() == "mine " * 100

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Sandbox(surveys=[], db=tmp_path / "no" / "box.db").start()

    def test_an_account_stays_in_its_region(self, tmp_path: Path) -> None:
        db = str(tmp_path / "box.db")
        with Sandbox(surveys=[], db=db, region="eu"):
            pass
        with pytest.raises(ValueError, match="region 'eu'"):
            Sandbox(surveys=[], db=db, region="us").start()

    def test_another_form_shows_the_same_data(self, tmp_path: Path) -> None:
        db = str(tmp_path / "box.db")
        rows = []
        for form in ("2017", "current", "2017"):
            with Sandbox(surveys=[small.build()], db=db, form=form) as box:
                rows.append(caller(box)("survey/7/surveyresponse").json()["data"])
        assert rows[0] == rows[2]
        assert "date_updated" in rows[1][0]


class TestTrouble:
    def test_faults_meet_calls_in_order(self) -> None:
        page = "<html>down</html>"
        faults = [
            Fault(status=429),
            None,
            {"status": 502, "body": page, "content_type": "text/html"},
            Fault(body="{not json"),
        ]
        with Sandbox(surveys=[], faults=faults) as box:
            call = caller(box)
            first = call("account")
            assert (first.status_code, first.json()["code"]) == (429, 429)
            assert call("account").json()["result_ok"] is True
            third = call("account")
            assert (third.status_code, third.text) == (502, page)
            assert third.headers["Content-Type"] == "text/html"
            fourth = call("account")
            assert (fourth.status_code, fourth.text) == (200, "{not json")
            assert call("account").json()["result_ok"] is True

    def test_more_can_be_ordered_while_it_runs(self, own: Sandbox) -> None:
        own.fail_next(Fault(status=503, headers={"Retry-After": "7"}))
        answer = caller(own)("account")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")

    def test_a_body_can_be_cut(self, own: Sandbox) -> None:
        own.fail_next({"cut": 20})
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            caller(own)("account")
        assert caller(own)("account").status_code == 200

    def test_an_answer_can_be_late(self, own: Sandbox) -> None:
        own.fail_next({"delay": 0.2})
        begun = time.monotonic()
        assert caller(own)("account").status_code == 200
        assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:{}", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("127.0.0.1@evil.example", "localhost.", "127.0.0.2", "[::2]", "", "a, localhost"),
    ],
)
def test_a_page_whose_name_leads_here_reads_nothing(shared: Sandbox, host: str) -> None:
    """DNS rebinding: the browser sends the name of the page, from wherever the answer comes."""
    named = {"Host": host.format(shared.port), "X-Forwarded-Context": "/", "X-Forwarded-Host": "x"}
    before = len(shared.seen)
    for path in (
        "",
        "login",
        "account/api-key",
        "v5/account",
        "nowhere",
        "head/oauth/authenticate",
    ):
        answer = requests.get(
            f"{shared.url}/{path}", headers=named, timeout=5, allow_redirects=False
        )
        assert answer.status_code in (400, 421)  # newer versions of tornado refuse some themselves
        assert shared.api_token not in answer.text
        assert not answer.cookies
    assert len(shared.seen) == before


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:{}", "127.0.0.1", "[::1]:{}", "localhost:1"]
)
def test_names_of_this_machine_are_answered(shared: Sandbox, host: str) -> None:
    named = {"Host": host.format(shared.port)}
    assert requests.get(f"{shared.url}/login", headers=named, timeout=5).status_code == 200


def test_on_a_hub_the_name_of_the_hub_arrives(
    shared: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What jupyter-server-proxy hands on: the browser's ``Host``."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    named = {"Host": "hub.example.org", "X-ProxyContextPath": f"/user/ada/proxy/{shared.port}"}
    assert requests.get(f"{shared.url}/login", headers=named, timeout=5).status_code == 200


def test_a_name_that_was_given_is_answered_and_no_other(
    shared: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remote Jupyter server without a hub: the name in the browser's address bar arrives."""

    def opened(host: str, box: Sandbox = shared) -> requests.Response:
        return requests.get(f"{box.url}/login", headers={"Host": host}, timeout=5)

    refused = opened("server.example:8888")
    assert refused.status_code == 421
    for way in ("%env ALCHEMER_SANDBOX_HOSTS=", "Sandbox(hosts=", "--host-name "):
        assert way in refused.text
    names = "Server.example, 10.0.0.7 [fd00::7]"
    monkeypatch.setenv("ALCHEMER_SANDBOX_HOSTS", names)  # the sandbox runs already
    for host in (
        "server.example:8888",
        "SERVER.EXAMPLE",
        "10.0.0.7:80",
        "[fd00::7]:1",
        "localhost",
    ):
        assert opened(host).status_code == 200
    for host in ("evil.example", "server.example.evil", "10.0.0.70", "server.example:8:8", ","):
        assert opened(host).status_code in (400, 421)
    monkeypatch.setenv("ALCHEMER_SANDBOX_HOSTS", " , ")
    assert opened("server.example").status_code == 421
    with Sandbox(surveys=[], hosts=("server.example",)) as box:
        assert opened("server.example:8888", box).status_code == 200
        assert opened("evil.example", box).status_code == 421


@pytest.mark.parametrize("host", ["http://server.example", "server.example:8888", "*", "", "a b"])
def test_a_name_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"a name alone, such as server\.example"):
        Sandbox(hosts=(host,))


def test_surveys_can_be_added_while_it_runs(own: Sandbox) -> None:
    more = small.build()
    own.add_survey(small.Small(more.survey | {"id": 8, "title": "More"}, more.responses))
    assert caller(own)("survey/8/surveyresponse").json()["total_count"] == "5"
    own.add_survey(small.Small(more.survey | {"id": 8, "title": "Less"}, []))
    assert caller(own)("survey/8").json()["data"]["title"] == "Less"
    assert caller(own)("survey/8/surveyresponse").json()["total_count"] == "0"


class TestCommandLine:
    def test_serves_until_interrupted(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "alchemer_nb.sandbox", "--port", "0", "--responses", "5"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            address = lines[0].split(" at ")[1].strip()
            assert "ada    password ada-sandbox" in "".join(lines)
            assert "security/api-access" in "".join(lines)
            assert requests.get(address, timeout=10).status_code == 200
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=20)
            assert (process.returncode, rest) == (0, "stopped\n")

    def test_a_port_in_use_is_one_line(self, own: Sandbox) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "alchemer_nb.sandbox", "--port", str(own.port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2
        assert f"port {own.port}" in ended.stdout
        assert len(ended.stdout.splitlines()) == 1
        assert ended.stderr == ""


class TestOwnFaults:
    """A fault of the sandbox itself: provoked by a survey whose page has no id."""

    @pytest.fixture
    def broken(self, own: Sandbox) -> Sandbox:
        own.add_survey(small.Small({"id": 9, "title": "x", "pages": [{}]}, []))
        return own

    def test_is_an_error_body_and_a_log_line_without_secrets(
        self, broken: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = caller(broken)("survey/9")
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        ours = [one for one in caplog.records if not one.name.startswith("urllib3")]
        assert [one.getMessage() for one in ours] == ["the sandbox failed at GET /v5/survey/9"]
        assert broken.api_token_secret not in caplog.text

    def test_is_a_readable_page(self, broken: Sandbox) -> None:
        person = Person(broken.url)
        assert "Something went wrong" in person.open("/").text


def test_who_leaves_early_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Sandbox(surveys=[small.build()], latency=0.2) as box:
        pair = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{box.url}/v5/survey/7/surveyresponse", params=pair, timeout=0.05)
        assert caller(box)("account").status_code == 200  # later than the first would have been
    assert not [one for one in caplog.records if not one.name.startswith("urllib3")]


def test_calls_that_wait_are_counted() -> None:
    with (
        Sandbox(surveys=[small.build()], latency=0.3, **CALM) as box,
        ThreadPoolExecutor(3) as pool,
    ):
        list(pool.map(caller(box), ["account", "survey", "account"]))
        assert box.most_in_flight == 3
        caller(box)("account")
        assert [one.path for one in box.seen].count("account") == 3
        assert box.in_flight == 0
