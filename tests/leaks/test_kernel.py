"""A kernel that logs all that it is sent, and what it keeps of a sign-in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kernels.conftest import LATEST, VERSIONS, overlay
from tests.kernels.harness import Kernel
from tests.leaks.search import CANARIES, KEY, MODES
from tests.leaks.walk import VERIFIER, Walk, returned_to

pytestmark = pytest.mark.kernel

SETUP = """
%load_ext alchemer_nb
from alchemer_nb import Region
region = Region.custom("{url}", name="ours", label="Ours")
session = get_ipython().magics_manager.registry["AlchemerMagics"].session
"""
PANEL = """
%alchemer login --region {{region}} --mode {mode}
"""
FORM = "print(session.panel.form.model_id, session.panel.form.view['attempt'])"
CELLS = [
    "%alchemer status",
    "client = %alchemer client\nclient, vars(client), client.credentials",
    "df = %alchemer responses 5\ndf.attrs",
    "%who",
    "%whos",
    "%history -n -o",
    "In, Out",
    "import os; print(dict(os.environ))",
    "!env",
]
VERSION_CASES = [
    version if version == LATEST else pytest.param(version, marks=pytest.mark.long)
    for version in VERSIONS
]


@pytest.fixture(params=VERSION_CASES)
def kernel(request, tmp_path):
    cache = Path(request.config.cache.mkdir("ipykernel"))
    running = Kernel(tmp_path, overlay(cache, request.param), "--debug").start()
    try:
        yield running
    finally:
        running.stop()


def log(kernel):
    return (kernel.folder / "kernel.log").read_text("utf-8", "replace")


def names_of(*names):
    return {name: CANARIES[name] for name in names}


class Panel:
    """The panel of a kernel, and its form."""

    def __init__(self, kernel, mode):
        shown = kernel.do(PANEL.format(mode=mode))
        assert shown.status == "ok", shown
        self.kernel = kernel
        self.form, self.attempt = kernel.do(FORM).text.split()

    def submit(self, options=None, **values):
        self.kernel.submit(self.form, int(self.attempt), values, options=options)
        self.attempt = int(self.attempt) + 1


def signed_in(kernel):
    return kernel.do("print(session.status().signed_in)").text.strip() == "True"


def test_a_kernel_at_debug_logs_nothing_that_was_submitted(kernel, scripted, search):
    walk = Walk(scripted, KEY)
    assert kernel.do(SETUP.format(url=scripted.url)).status == "ok"
    answers = {path: [*replies] for path, replies in scripted.replies.items()}

    walk.refuse(401)
    panel = Panel(kernel, "key")
    panel.submit(**names_of("api_token", "api_token_secret"))
    assert not signed_in(kernel)
    scripted.replies.update(answers)
    panel.submit(**names_of("api_token", "api_token_secret"))
    assert signed_in(kernel)
    for cell in CELLS:
        kernel.do(cell)

    pair = names_of("consumer_key", "consumer_secret")
    kernel.do("session.sign_out()")
    panel = Panel(kernel, "oauth")
    panel.submit({"two_legged": True}, **pair)
    assert signed_in(kernel)
    kernel.do("session.sign_out()")
    panel = Panel(kernel, "oauth")
    panel.submit(**pair)
    panel.submit(pasted=returned_to(VERIFIER))
    assert signed_in(kernel)

    said = log(kernel)
    assert "two_legged" in said  # what is no buffer is logged: it was the level that logs it
    assert said.count("<memory at") >= 9
    search.text("the log of the kernel", said)
    for at, message in enumerate(kernel.messages):
        if "'type': 'link'" not in str(message["content"]):  # the browser has to know the link
            search.text(f"message {at}, {message['msg_type']}", json.dumps(message, default=str))
    search.folder(kernel.folder)


def test_the_debugger_and_a_prompt_show_no_secret(kernel, scripted, search):
    walk = Walk(scripted, MODES["key"])
    assert kernel.do(SETUP.format(url=scripted.url)).status == "ok"
    request = kernel.run("%alchemer login --region {region} --mode key --prompt")
    typed = names_of("api_token", "api_token_secret")
    for answer in (*typed.values(), "n"):  # the last question is whether to remember it
        asked = kernel.client.get_stdin_msg(timeout=20)
        assert asked["content"]["password"] is (answer in typed.values())
        kernel.client.input(answer)
    assert kernel.ended(request).status == "ok"
    assert signed_in(kernel)
    kernel.do("%config AlchemerMagics.short_errors = False")
    kernel.do("%xmode Verbose")
    walk.refuse(401, "survey/5/quotas")
    failed = kernel.do("%alchemer get survey/5/quotas")
    assert failed.status == "error"
    assert "transport.py" in failed.text
    kernel.do("%tb")
    request = kernel.run("%debug")
    for command in ["bt", *["args", "p locals()", "pp vars(self)", "up"] * 12, "q"]:
        kernel.client.get_stdin_msg(timeout=20)
        kernel.client.input(command)
    shown = kernel.ended(request)
    assert "_send_with_retries" in shown.text
    for at, message in enumerate(kernel.messages):
        search.text(f"message {at}, {message['msg_type']}", json.dumps(message, default=str))
    search.folder(kernel.folder)
