"""``login(wait=True)`` in a real kernel, with the front end played by the test."""

from __future__ import annotations

import pytest
import requests

from tests.person import landing_address

pytestmark = pytest.mark.kernel

SETUP = """
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.login import login
from alchemer_nb.sandbox import Sandbox
if "box" not in globals():
    box = Sandbox(responses=1).start()
session = Session()
def sign_in(seconds=20):
    login(session, region=box.region, wait=seconds)
print(box.api_token, box.api_token_secret)
"""
READ_FORM = "print(session.panel.form.model_id, session.panel.form.view['attempt'])"


def is_rewrite(message, display_id=None):
    """Whether a message rewrites an output, or a certain one."""
    if message["msg_type"] != "update_display_data":
        return False
    return display_id in (None, message["content"]["transient"]["display_id"])


def is_state(message, comm_id):
    """Whether a message tells a new state of the form."""
    return (
        message["msg_type"] == "comm_msg"
        and message["content"]["comm_id"] == comm_id
        and "view" in message["content"]["data"].get("state", {})
    )


class Panel:
    """The panel's form in the kernel, as its page sees it."""

    def __init__(self, kernel, comm_id):
        self.kernel, self.comm_id, self.attempt = kernel, comm_id, 1

    def submit(self, token, secret, subshell=None):
        values = {"api_token": token, "api_token_secret": secret}
        self.kernel.submit(self.comm_id, self.attempt, values, subshell)
        self.attempt += 1


@pytest.fixture
def pair(kernel):
    """A fresh session in the kernel; key and secret of its sandbox."""
    done = kernel.do(SETUP)
    assert done.status == "ok", done
    assert len(done.text.split()) == 2, done.text
    return done.text.split()


@pytest.fixture
def subshell(kernel):
    """Made before a cell runs, since a waiting cell keeps the kernel from telling what it can."""
    made = kernel.subshell()
    if made is None:
        pytest.skip("this ipykernel has no subshells")
    return made


@pytest.fixture
def waiting(kernel, pair):
    """A cell that waits with the panel shown: the cell's request and the panel."""
    seen = len(kernel.messages)
    request = kernel.run("sign_in()")
    kernel.until(lambda m: kernel.shows_widget(m, request))
    form = next(
        m["content"]["comm_id"]
        for m in kernel.messages[seen:]
        if m["msg_type"] == "comm_open" and "view" in m["content"]["data"].get("state", {})
    )
    return request, Panel(kernel, form)


def test_the_cell_waits_for_the_sign_in_and_the_next_cell_is_signed_in(kernel, pair, waiting):
    request, panel = waiting
    queued = kernel.run("print(len(session.require().client.account()))")
    panel.submit(pair[0], "wrong-secret")
    panel.submit(*pair)
    done = kernel.ended(request)
    assert done.status == "ok"
    assert "Signed in to" in done.text
    assert kernel.ended(queued).text.strip() == "1"


def test_a_click_that_arrives_on_another_thread_ends_the_wait_too(kernel, pair, subshell, waiting):
    request, panel = waiting
    panel.submit(*pair, subshell=subshell)
    assert kernel.ended(request).status == "ok"
    assert kernel.do("print(session.status().signed_in)").text.strip() == "True"


def test_the_headline_is_rewritten_so_that_a_saved_notebook_tells_who_was_signed_in(
    kernel, pair, waiting
):
    request, panel = waiting
    panel.submit(*pair)
    kernel.ended(request)
    updates = [m["content"]["data"] for m in kernel.messages if is_rewrite(m)]
    assert "Signed in to" in updates[-1]["text/html"]
    assert all(secret not in str(updates) for secret in pair)


def test_a_panel_that_another_replaces_leaves_its_line_and_no_dead_widget(kernel, pair):
    first = kernel.run("login(session, region=box.region)")
    kernel.ended(first)
    shown = next(m for m in kernel.messages if kernel.shows_widget(m, first))
    kernel.do("login(session, region=box.region)")
    rewritten = kernel.until(lambda m: is_rewrite(m, shown["content"]["transient"]["display_id"]))
    assert rewritten["content"]["data"] == {"text/plain": ""}


def test_where_the_kernel_cannot_wait_the_panel_is_shown_and_says_so(kernel, pair):
    done = kernel.do(
        """
class Without:
    def __init__(self, kernel): self._kernel = kernel
    def __getattr__(self, name):
        if name == "comm_manager": raise AttributeError(name)
        return getattr(self._kernel, name)
shell = get_ipython()
kernel, shell.kernel = shell.kernel, Without(shell.kernel)
try:
    panel = login(session, region=box.region, wait=True)
finally:
    shell.kernel = kernel
print(panel.form.view["notice"])
"""
    )
    assert "sign in, then run the next cell" in done.text


def test_what_a_browser_on_this_machine_brings_back_finishes_the_sign_in(kernel, pair):
    cell = """
import os
for name in list(os.environ):
    if name.startswith(("SSH_", "JUPYTERHUB_", "CODESPACES", "COLAB_", "KUBERNETES_")):
        del os.environ[name]
os.environ["DISPLAY"] = ":0"
session.panel is None or session.panel.close()
panel = login(session, region=box.region, mode="oauth")
print(panel.form.model_id, panel.form.view["attempt"])
print(box.consumer_key, box.consumer_secret, box.username, box.password)
"""
    comm_id, attempt, key, secret, username, password = kernel.do(cell).text.split()
    values = {"consumer_key": key, "consumer_secret": secret}
    kernel.submit(comm_id, int(attempt), values)
    told = kernel.until(
        lambda m: (
            m["msg_type"] == "comm_msg"
            and m["content"]["comm_id"] == comm_id
            and "href" in m["content"]["data"].get("content", {})
        )
    )
    link = told["content"]["data"]["content"]["href"]
    back = landing_address(link, username, password)
    assert requests.get(back, timeout=5).status_code == 200
    seen = len(kernel.messages)
    kernel.until(lambda m: is_state(m, comm_id) and kernel.messages.index(m) >= seen)
    assert kernel.do("print(session.status().signed_in)").text.strip() == "True"


def test_an_interrupt_ends_the_wait_with_one_line_and_the_panel_still_works(kernel, pair, waiting):
    request, panel = waiting
    kernel.interrupt()
    done = kernel.ended(request)
    assert done.status == "error"
    assert "sign in above, then run from here" in done.error
    assert len(kernel.traceback(request)) == 1
    panel.submit(*pair)
    assert kernel.do("print(session.status().signed_in)").text.strip() == "True"


def test_a_time_limit_ends_the_wait_and_stops_run_all(kernel, pair):
    request = kernel.run("sign_in(0.2)")
    queued = kernel.run("print('must not run')")
    done = kernel.ended(request)
    assert done.status == "error"
    assert "nobody signed in" in done.error
    assert "must not run" not in kernel.ended(queued).text


def test_where_no_person_is_there_it_does_not_wait(kernel, pair):
    done = kernel.do("sign_in()", stdin=False)
    assert done.status == "error"
    assert "ALCHEMER_API_TOKEN" in done.error


def test_where_no_person_is_there_refused_credentials_fail_the_cell(kernel, pair):
    done = kernel.do(
        """
import os
os.environ.update(ALCHEMER_API_TOKEN="CANARYtoken", ALCHEMER_API_TOKEN_SECRET="CANARYsecret")
try:
    login(session, region=box.region)
finally:
    del os.environ["ALCHEMER_API_TOKEN"], os.environ["ALCHEMER_API_TOKEN_SECRET"]
""",
        stdin=False,
    )
    assert done.status == "error"
    assert "refused" in done.error
    assert "CANARY" not in done.error + done.text


def test_where_no_person_is_there_and_nothing_was_found_it_says_what_was_looked_for(kernel, pair):
    for call in ("login(session)", "login(session, region=box.region, prompt=True)"):
        done = kernel.do(call, stdin=False)
        assert done.status == "error"
        assert "ALCHEMER_CONSUMER_KEY" in done.error
        assert "'default'" in done.error
    done = kernel.do("login(session, profile='nosuch')", stdin=False)
    assert done.status == "error"
    assert "'nosuch'" in done.error
    assert kernel.do("print(session.panel)").text.strip() == "None"


def test_where_no_person_is_there_what_is_in_use_is_taken_again(kernel, pair):
    done = kernel.do(
        """
import os, tempfile
from alchemer_nb import ApiKey, OAuth1
from alchemer_nb.auth import profiles
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()
profiles.save("key", ApiKey(box.api_token, box.api_token_secret), box.region)
profiles.save("pair", OAuth1(box.consumer_key, box.consumer_secret), box.region)
for name in ("key", "pair", "key"):
    print(login(session, profile=name).mode, len(session.names()))
""",
        stdin=False,
    )
    assert done.text.splitlines() == ["API key 1", "OAuth 2", "API key 2"], done


def test_a_prompt_where_nothing_can_be_asked_says_what_to_set(kernel, pair):
    done = kernel.do("login(session, region=box.region, prompt=True)", stdin=False)
    assert done.status == "error"
    assert "ALCHEMER_API_TOKEN" in done.error


def test_without_waiting_the_panel_works_between_cells(kernel, pair):
    done = kernel.do("login(session, region=box.region)")
    assert "Sign in to Alchemer" in done.text
    comm_id, attempt = kernel.do(READ_FORM).text.split()
    panel = Panel(kernel, comm_id)
    panel.attempt = int(attempt)
    panel.submit(*pair)
    assert kernel.do("print(session.status().signed_in)").text.strip() == "True"


def test_nothing_that_was_typed_is_in_history_or_messages(kernel, pair, waiting):
    request, panel = waiting
    panel.submit("TYPEDtoken12345", "TYPEDsecret12345")
    panel.submit(*pair)
    kernel.ended(request)
    kept = kernel.do("print(In, Out, [str(m) for m in get_ipython().history_manager.get_range()])")
    sent = str([m for m in kernel.messages if m["parent_header"].get("msg_id") == request])
    assert "TYPED" not in kept.text + sent
    assert pair[1] not in kept.text + sent
