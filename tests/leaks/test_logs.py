"""Canaries: secrets planted in every mode, and looked for wherever they could come to light."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import traceback
from contextlib import contextmanager
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from IPython.core.interactiveshell import InteractiveShell

from alchemer_nb import ApiKey, Client, OAuth1, OAuthFlow
from alchemer_nb.errors import AlchemerError
from alchemer_nb.http.regions import Region
from tests.person import landing_address
from tests.scripted import Reply

CANARIES = {
    "first": "canary1first00aabbccddeeff",
    "second": "canary2second/+&=%",
    "third": "canary3third0011223344",
    "fourth": "canary4fourth00998877",
}
KEY = ApiKey(CANARIES["first"], CANARIES["second"])
TWO = OAuth1(CANARIES["first"], CANARIES["second"])
THREE = OAuth1(*CANARIES.values())


def search(text: str, secrets: list[str] | None = None) -> list[str]:
    """Which secrets a text holds, plain or in an encoding of an address."""
    secrets = list(CANARIES.values()) if secrets is None else secrets
    return [
        s
        for s in secrets
        if any(form in text for form in (s, quote(s, safe=""), quote(quote(s, safe=""), safe="")))
    ]


@contextmanager
def everything_logged():
    """All that any logger says at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    names = [
        n
        for n in logging.root.manager.loggerDict
        if n.split(".")[0]
        in ("urllib3", "requests", "oauthlib", "requests_oauthlib", "alchemer_nb")
    ]
    before = {name: logging.getLogger(name).level for name in names}
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)


def chain(error: BaseException) -> str:
    """Everything that a debugger, a log or a report could print of an error."""
    seen, text, todo = set(), [], [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        text += [str(each), repr(each), repr(each.args), repr(vars(each))]
        text += traceback.format_exception(each)
        todo += [each.__cause__, each.__context__]
    return "\n".join(text)


TROUBLES = {
    "refused": Reply({"result_ok": False, "code": 401, "message": "Invalid api_token"}, 401),
    "page": Reply(b"<html>gateway</html>", 502),
    "cut": Reply({"result_ok": True, "data": list(range(500))}, cut=50),
    "redirect": Reply(b"", 302, {"Location": "https://elsewhere.example/?x=" + CANARIES["first"]}),
    "silent": Reply(silent=True),
    "broken": Reply(b"x", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.every_mode
@pytest.mark.parametrize("credentials", [KEY, TWO, THREE], ids=["key", "two", "three"])
@pytest.mark.parametrize("trouble", [*TROUBLES, "echoed", "down", "nowhere"])
def test_no_error_and_no_log_holds_a_secret(scripted, credentials, trouble):
    region = scripted.region
    if trouble == "down":
        region = Region.custom("http://127.0.0.1:9")
    elif trouble == "nowhere":
        region = Region.custom("https://no-such-host.invalid")
    elif trouble == "echoed":
        said = " ".join(s.reveal() for s in credentials.secrets)
        scripted.answer("account", Reply({"result_ok": False, "code": 400, "message": said}, 400))
    else:
        scripted.answer("account", TROUBLES[trouble])
    client = Client(credentials, region=region, timeout=(2, 0.3), retries=1)
    with everything_logged() as log, pytest.raises(AlchemerError) as caught:
        client.account()
    assert search(chain(caught.value)) == []
    assert search(log.getvalue()) == []
    if trouble in ("refused", "page"):
        assert "/v5/account" in log.getvalue()  # the log was on, and something was said


@pytest.mark.every_mode
def test_a_call_that_succeeds_leaves_no_trace_in_the_logs(box, credentials):
    secrets = [s.reveal() for s in credentials.secrets]
    with everything_logged() as log:
        Client(credentials, region=box.region).surveys()
    assert "/v5/survey" in log.getvalue()
    assert search(log.getvalue(), secrets) == []


def test_a_sign_in_leaves_no_trace(box):
    flow = OAuthFlow(box.consumer_key, box.consumer_secret, region=box.region)
    with everything_logged() as log:
        link = flow.start()
        address = landing_address(link, box.username, box.password)
        start = log.tell()
        credentials = flow.finish(address)
        ours = log.getvalue()[start:]
    query = parse_qs(urlsplit(address).query)
    secrets = [s.reveal() for s in credentials.secrets]
    secrets += [query["oauth_token"][0], query["oauth_verifier"][0]]
    assert search(ours, secrets) == []
    assert search(repr(flow) + repr(vars(flow)) + repr(credentials), secrets) == []


FIRST_CALL = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
import alchemer_nb as al
region = al.Region.custom(sys.argv[1])
try:
    {call}
except al.errors.AlchemerError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "call",
    [
        "al.Client(al.ApiKey(sys.argv[2], sys.argv[3]), region).account()",
        "al.Client(al.OAuth1(sys.argv[2], sys.argv[3]), region).account()",
        "al.OAuthFlow(sys.argv[2], sys.argv[3], region, callback='oob').start()",
    ],
)
def test_the_very_first_call_of_a_process_leaves_no_trace_in_the_logs(scripted, call):
    """Loggers come into being with the libraries; none may speak before it is guarded."""
    scripted.answer("account", TROUBLES["refused"])
    scripted.answer("/head/oauth/request_token", TROUBLES["refused"])
    secrets = [CANARIES["first"], CANARIES["third"]]
    said = subprocess.run(
        [sys.executable, "-c", FIRST_CALL.format(call=call), scripted.url, *secrets],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "urllib3" in said.stdout
    assert "refused" in said.stdout
    assert search(said.stdout + said.stderr) == []


def test_verbose_tracebacks_with_locals_show_no_secret(scripted):
    scripted.answer("account", TROUBLES["cut"])
    shell = InteractiveShell()
    shell.run_line_magic("xmode", "Verbose")
    shell.user_ns["client"] = Client(KEY, region=scripted.region, timeout=(2, 0.3), retries=1)
    said = io.StringIO()
    before, sys.stdout = sys.stdout, said
    try:
        result = shell.run_cell("client.account()")
    finally:
        sys.stdout = before
    assert result.error_in_exec is not None
    assert "TransportError" in said.getvalue()
    assert search(said.getvalue()) == []


CELLS = [
    "%load_ext alchemer_nb",
    "import alchemer_nb as al\n"
    "from alchemer_nb.sandbox import Sandbox\n"
    "box = Sandbox(responses=20).start()",
    "key = al.ApiKey(box.api_token, box.api_token_secret)\n"
    "client = al.Client(key, region=box.region, retries=1)\n"
    "client, vars(client), client.credentials",
    "%alchemer switch client",
    "%alchemer status",
    "df = %alchemer responses 9000001\ndf.attrs",
    "%alchemer surveys",
    "box.stop()",
]
FAILING = "%alchemer codebook 9000002"  # not asked before, so that it has to be fetched


@pytest.mark.notebook
def test_a_saved_notebook_and_its_history_hold_no_secret(tmp_path):
    import nbformat  # takes a second, which every worker would need
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    cells = [*CELLS, FAILING]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.cells.insert(
        2,
        nbformat.v4.new_code_cell(
            "import json, pathlib\n"
            f"pathlib.Path({str(tmp_path / 'secrets.json')!r}).write_text(json.dumps("
            "[box.api_token, box.api_token_secret, box.consumer_key, box.consumer_secret]))\n"
        ),
    )
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    with pytest.raises(CellExecutionError) as caught:
        client.execute()
    assert "nothing answers" in str(caught.value)
    secrets = json.loads((tmp_path / "secrets.json").read_text())
    assert len(secrets) == 4
    saved = nbformat.writes(notebook)
    assert "20" in saved
    assert "rows" in saved
    assert search(saved, secrets) == []
