"""``%alchemer demo``: from nothing to a frame, and what it leaves behind."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import requests
from IPython.core.error import UsageError

from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.http.regions import Region

if TYPE_CHECKING:
    from alchemer_nb.notebook.demo import RunningSandbox
    from tests.notebook.conftest import Notebook


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
            return answer.status == 200
    except urllib.error.URLError:
        return False


def started(notebook: Notebook, line: str = "demo --responses 40") -> RunningSandbox:
    """What ``demo`` gives, kept under a name."""
    outcome = notebook.run(f"%alchemer running << {line}")
    assert outcome.failure is None
    running: RunningSandbox = notebook.names["running"]
    return running


def test_the_address_is_told_in_the_middle_of_a_cell_too(notebook):
    outcome = notebook.run("%alchemer demo --responses 40\nx = 1")
    assert (outcome.failure, outcome.value) == (None, None)
    box = notebook.magics.session.box
    assert (
        f"Its web pages: {box.url}/ (user {box.username}, password {box.password})" in outcome.out
    )


def test_the_demo_is_shown_once_by_its_cell_and_can_be_kept_as_a_value(notebook):
    shown = [
        notebook.run(cell).out.count("Its web pages")
        for cell in ("%alchemer demo --responses 40", "demo = %alchemer demo", "demo", "demo")
    ]
    assert shown == [1, 1, 1, 1]
    assert notebook.names["demo"].box is notebook.magics.session.box


def test_demo_leads_from_nothing_to_a_frame_and_stops_at_logout(notebook):
    running = started(notebook)
    assert answers(running.address)
    for shown in (repr(running), running._repr_html_()):
        assert running.address in shown
        # The password is invented, and no secret; a key is used as a real one is.
        assert f"user {running.box.username}, password {running.box.password}" in shown
        assert running.box.api_token not in shown
        assert running.box.api_token_secret not in shown
    notebook.run('df = %alchemer responses "Customer satisfaction" --test-rows include')
    assert len(notebook.names["df"]) == 40
    notebook.run("%alchemer logout")
    assert not answers(running.address)
    assert notebook.magics.session.box is None


def test_a_second_demo_uses_the_first(notebook):
    first = started(notebook)
    for line in ("demo", "demo --responses 40"):
        again = started(notebook, line)
        assert again.box is first.box
        assert "was running already" in repr(again)
    assert notebook.magics.session.names() == ("demo",)
    refused = notebook.run("%alchemer demo --responses 41")
    assert "is running already, with 40 responses" in refused.told


def test_the_box_can_be_kept_under_a_name_and_a_stopped_one_is_replaced(notebook):
    kept = started(notebook)
    assert kept.box.password
    kept.box.stop()
    again = started(notebook)
    assert again.box is not kept.box
    assert "runs" in repr(again)
    assert notebook.run("%alchemer account").failure is None


def test_unloading_stops_the_sandbox(notebook):
    running = started(notebook)
    assert answers(running.address)
    notebook.run("%unload_ext alchemer_nb")
    assert not answers(running.address)


@pytest.mark.parametrize("number", ["-1", "many"])
def test_a_bad_number_starts_nothing(notebook, number):
    assert "--responses: expected" in notebook.run(f"%alchemer demo --responses {number}").told
    assert notebook.magics.session.box is None


@pytest.fixture
def real(notebook):
    """A sign-in as one to a real account looks: nothing here can reach a real one."""
    client = SimpleNamespace(
        region=Region.get("eu"),
        credentials=ApiKey("0123456789abcdef0123456789abcdef", "A9secretsecret"),
        read_account=lambda **_: {"organization": "Real Ltd"},
        refused=False,
    )
    notebook.magics.session.adopt(client)
    return notebook


def test_beside_a_real_account_it_asks_and_without_an_answer_it_does_not_start(real):
    refused = real.run("%alchemer demo")
    assert type(refused.failure) is UsageError
    assert "Real Ltd stays signed in" in refused.told
    assert "%alchemer logout first" in refused.told
    assert real.run("%alchemer status").value.organisation == "Real Ltd"
    assert real.magics.session.box is None


@pytest.mark.parametrize(("typed", "starts"), [("y\n", True), ("no\n", False), ("", False)])
def test_the_answer_decides_and_the_real_sign_in_is_kept(real, monkeypatch, typed, starts):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    outcome = real.run("%alchemer demo --responses 40")
    assert "Real Ltd is signed in. Work in the sandbox from here on?" in outcome.out
    assert (outcome.failure is None) is starts
    assert real.run("%alchemer status").value.name == ("demo" if starts else "eu")
    assert "eu" in real.magics.session.names()


def test_on_a_hub_the_address_leads_through_the_proxy(notebook, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    running = started(notebook)
    assert running.address == f"/user/ann/proxy/{running.box.port}/"
    assert f'href="/user/ann/proxy/{running.box.port}/"' in running._repr_html_()


def test_on_a_remote_server_without_a_hub_its_name_opens_the_pages(notebook, monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    running = started(notebook)
    assert running.address == f"http://127.0.0.1:{running.box.port}/"
    monkeypatch.setenv("ALCHEMER_SANDBOX_HOSTS", "server.example")
    assert running.address == f"/proxy/{running.box.port}/"
    passed_on = {
        "Host": "server.example:8888",
        "X-ProxyContextPath": f"/proxy/{running.box.port}",
    }
    page = requests.get(f"{running.box.url}/login", headers=passed_on, timeout=5)
    assert page.status_code == 200
    assert "Log in" in page.text
    assert notebook.run("%alchemer surveys").failure is None


def test_a_process_that_ends_takes_its_sandbox_with_it(tmp_path):
    code = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell()
        shell.run_line_magic("load_ext", "alchemer_nb")
        shell.run_line_magic("alchemer", "running << demo --responses 40")
        print(shell.user_ns["running"].address)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        check=True,
    )
    assert done.stderr == ""
    assert not answers(done.stdout.split()[-1])
