"""What a cell shows of the frame that a command returned, and what the frame is all the same."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.running.preview import preview_html, preview_text
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

TITLE = "Customer satisfaction"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=120, **NO_LIMITS) as box:
        yield box


@pytest.fixture
def signed_in(notebook, box):
    key = ApiKey(box.api_token, box.api_token_secret)
    notebook.names["given"] = Client(key, region=box.region)
    assert notebook.run("%alchemer switch given").failure is None
    return notebook


@pytest.mark.parametrize("width", [60, 80])
def test_surveys_fit_a_narrow_terminal_with_id_and_title_first(signed_in, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    outcome = signed_in.run("%alchemer surveys")
    lines = outcome.out.strip().splitlines()
    assert max(map(len, lines)) <= width
    head = next(line for line in lines if "title" in line)
    assert head.split()[:2] == ["id", "title"]
    assert any(re.search(rf"9000001  {TITLE}  ", line) for line in lines)
    assert lines[-1].startswith("5 rows; ")
    assert outcome.value.shape == (5, 13)


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("questions 9000002", ["question_id", "alias", "type", "text"]),
        ("contacts 31", ["id", "email_address"]),
        ("campaigns 9000001", ["id", "type"]),
        ("account", ["id", "organization"]),
    ],
)
def test_lists_fit_a_narrow_terminal_too(signed_in, monkeypatch, command, first):
    monkeypatch.setenv("COLUMNS", "80")
    lines = signed_in.run(f"%alchemer {command}").out.strip().splitlines()
    assert max(map(len, lines)) <= 80
    head = next(line for line in lines if first[0] in line)
    assert head.split()[: len(first)] == first
    assert "..." not in "".join(lines)


def test_answers_and_short_dates(signed_in):
    outcome = signed_in.run(f'%alchemer responses "{TITLE}"')
    table = outcome.out[outcome.out.index("response_id") :]
    assert "recent_customer" in table
    assert "_raw" not in table, "columns without a value are left out"
    assert "00:00" not in table
    assert isinstance(outcome.value["date_submitted"].dtype, pd.DatetimeTZDtype)
    assert "The first 10 of " in table
    shown = preview_text(outcome.value[["region", "date_submitted"]], 80)
    assert re.search(r"  \d{4}-\d\d-\d\d \d\d:\d\d$", shown, re.M)
    assert "+00:00" not in shown + preview_html(outcome.value)


def test_other_cells_show_frames_as_pandas_does(signed_in):
    for cell in ("df = %alchemer surveys", "df"):
        shown = signed_in.run(cell).out
    assert "[5 rows x 13 columns]" in shown
    signed_in.run("%alchemer surveys")
    with pd.option_context("display.max_columns", 30):  # the user has chosen another look
        assert "rows;" not in signed_in.run("%alchemer surveys").out
    signed_in.run("%unload_ext alchemer_nb")
    assert not signed_in.shell.display_formatter.mimebundle_formatter.deferred_printers
    assert not signed_in.shell.display_formatter.ipython_display_formatter.deferred_printers


@pytest.mark.parametrize("width", [30, 60, 80])
def test_any_frame_fits(width):
    frame = pd.DataFrame(
        {
            "long": ["a word " * 30, "b"],
            ("a", 1): [1.0, 2.5],
            "when": pd.to_datetime(["2026-01-01", None]),
            "evil": ["<b>\x1b[2J</b>", "x\ny"],
            "list": [["a", "b"], None],
        }
    )
    for shown in (frame, frame.rename_axis("row"), frame.head(0), frame.iloc[:, :0]):
        text = preview_text(shown, width)
        assert max(map(len, text.splitlines())) <= width
        assert "\x1b" not in text
        html = preview_html(shown)
        assert "\x1b" not in html
        assert "<b>" not in html
    assert re.search(r"\b1(\.0)?\b", unescape(preview_html(frame)))
    assert "2026-01-01" in preview_text(frame[["when"]], width)
    assert "00:00" not in preview_text(frame[["when"]], width)


def test_surveys_of_a_region_without_a_zone_say_how_dates_were_read(notebook, box):
    key = ApiKey(box.api_token, box.api_token_secret)
    for zone, is_said in ((None, True), (box.region.timezone, False)):
        region = Region.custom(box.url, timezone=zone)
        name = f"zone_{zone is None}"
        notebook.names[name] = Client(key, region=region)
        notebook.run(f"%alchemer switch {name}")
        told = " ".join(notebook.run("%alchemer surveys").out.split())
        assert ("Dates without a time zone were read as UTC" in told) is is_said
        receipt = " ".join(notebook.run(f'%alchemer df << responses "{TITLE}"').out.split())
        assert ("dates without a time zone were read as UTC" in receipt) is is_said


def test_a_receipt_names_only_columns_of_the_frame(signed_in):
    def receipt(options: str) -> str:
        return " ".join(signed_in.run(f'%alchemer df << responses "{TITLE}" {options}').out.split())

    raw = [
        name
        for name in signed_in.run(f"df = given.responses('{TITLE}')\ndf").value
        if "_raw" in name
    ]
    df = signed_in.names["df"]
    unparsed = [n for n in raw if (df[n].notna() & df[n.removesuffix("_raw")].isna()).any()]
    assert unparsed
    assert f"did not parse (in {', '.join(unparsed)})" in receipt("")
    assert "did not parse" not in receipt("--columns nps,region")
    assert f"did not parse (in {unparsed[0]})" in receipt(f"--columns {unparsed[0]}")
    assert re.search(r"did not parse and (is|are) as received", receipt("--shape long"))


def test_other_frames_of_a_command_have_nothing_that_a_terminal_obeys(notebook, scripted):
    name = "Ann\x1b[2J\u202e"
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    scripted.answer("accountuser", {"result_ok": True, "data": [{"id": 1, "username": name}]})
    notebook.names["given"] = Client(ApiKey("token", "secret"), region=scripted.region)
    notebook.run("%alchemer switch given")
    outcome = notebook.run("%alchemer users")
    assert r"Ann\x1b[2J\u202e" in outcome.out
    assert name not in outcome.out
    assert outcome.value["username"].tolist() == [name]
