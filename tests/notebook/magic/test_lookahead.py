"""Tab with what is fetched in the background: titles, aliases, labels, columns, profiles."""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from IPython.core.completer import IPCompleter, provisionalcompleter

from alchemer_nb.auth import profiles
from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic.command_table import COMMANDS
from alchemer_nb.notebook.magic.parser import parse_line
from alchemer_nb.sandbox import Fault
from alchemer_nb.survey.filters import parse_conditions, resolve
from tests.boxes import copied_box
from tests.survey_json import option, question, response, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

CELL = '%%alchemer df << responses "customer SATISFACTION" --complete\n'


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=50) as box:
        yield box


@pytest.fixture
def signed_in(notebook, box):
    """A fresh session, in which nothing was listed."""
    return sign_in(notebook, box)


def sign_in(notebook, box):
    notebook.names["client"] = Client(ApiKey(box.api_token, box.api_token_secret), box.region)
    assert notebook.run("%alchemer switch client").failure is None
    return notebook


def press(notebook, code: str) -> list[str]:
    """What we offer at the ``|``: the text of each offer, which replaces what stands before."""
    at = code.index("|")
    with provisionalcompleter():
        offers = list(notebook.shell.Completer.completions(code.replace("|", "", 1), at))
    ours = [offer for offer in offers if offer.type == "alchemer"]
    assert all(offer.end == at for offer in offers)
    assert not ours or ours == offers  # Python's own names are not among them
    return [offer.text for offer in ours]


def more(*case):
    """Return a case like another one, for test-long."""
    return pytest.param(*case, marks=pytest.mark.long)


def press_twice(notebook, code: str) -> list[str]:
    press(notebook, code)
    notebook.magics.lookahead.wait(20)
    return press(notebook, code)


def test_titles_come_with_the_second_press_in_a_fresh_session(signed_in):
    assert press(signed_in, "%alchemer responses ev|") == []
    signed_in.magics.lookahead.wait(20)
    assert press(signed_in, "%alchemer responses ev|") == ['"Event registration"']
    assert press(signed_in, "df = %alchemer codebook satis|") == [
        '"Customer satisfaction"', '"Customer satisfaction 2025"',
    ]  # fmt: skip
    signed_in.run("%alchemer logout")  # another account has other surveys
    assert press_twice(signed_in, "%alchemer responses ev|") == []


def test_a_press_never_waits_and_a_failure_is_silent(notebook, capsys):
    with copied_box(responses=5) as slow:
        sign_in(notebook, slow)
        slow.fail_next(Fault(delay=4, reset=True, when={"path": "*survey*"}, times=None))
        capsys.readouterr()
        for code in ("%alchemer responses ev|", f"{CELL}reg|"):
            began = time.monotonic()
            press(notebook, code)
            assert time.monotonic() - began < 3  # a call takes 4 s
        notebook.run("%alchemer logout")  # what comes later is not taken any more
        assert capsys.readouterr().err == ""


def test_conditions_are_never_read_as_python(signed_in, monkeypatch):
    # The first time on a computer, that takes seconds.
    asked = []
    monkeypatch.setattr(
        IPCompleter, "_jedi_matches", lambda *_, **where: asked.append(where["text"]) or []
    )
    for line in ("reg|", "|", "region = Nowh|"):
        press_twice(signed_in, CELL + line)
    assert asked == []
    signed_in.names["destination"] = "North"
    press(signed_in, CELL + "region = {dest|")
    assert len(asked) == 1


def test_a_press_while_pandas_is_being_imported_is_no_error(signed_in, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pandas", ModuleType("pandas"))
    assert press(signed_in, "%alchemer table nowh|") == []
    assert capsys.readouterr().err == ""  # IPython would show a traceback


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("reg|", ["region"]),
        more("REG|", ["region"]),
        ("channels_w|", ["channels = Website"]),
        ("[url|", ['[url("utm_campaign")]', '[url("utm_source")]']),
        more("[question(3|", ["[question(3)]"]),
        more("stat|", ["status"]),
        ("status = |", ["Complete", "Partial", "Disqualified"]),
        ("status in Complete, P|", ["Partial"]),
        more("is_test_data = |", ["true", "false"]),
        ("date_updated |", ["=", "<", "<=", ">", ">="]),
        more("date_submitted >= y|", ["yesterday"]),
        more("region |", ["=", "<>", "in", "IS NULL", "IS NOT NULL"]),
        ("nps |", ["=", "<>", "in", "<", "<=", ">", ">=", "IS NULL", "IS NOT NULL"]),
        more("region is n|", ["IS NULL", "IS NOT NULL"]),
        ("region = no|", ["North"]),
        more("region=|", [" North", " South", " East", " West"]),
        ("[question(3)] in (North, s|", ["South"]),
        more("region in North, |, West", ["South", "East", "West"]),
        more("problem_solved = Ye|", ['"Yes, fully"']),
        ('problem_solved in "Yes, fully", |', ['"In part"', "No"]),
        ("satisfaction < Nei|", ["Neither satisfied nor dissatisfied"]),
        ("satisfaction = Not|", ['"Not applicable"']),
        ("region = $dest|", ["$destination"]),
    ],
)
def test_a_condition_is_completed_from_the_survey_named_above(signed_in, line, offers):
    signed_in.names["destination"] = "North"
    cell = f"{CELL}status = Complete\n{line}\nnps >= 5"
    assert sorted(press_twice(signed_in, cell)) == sorted(
        offer.replace('"In part"', "In part").replace('"Not applicable"', "Not applicable")
        for offer in offers
    )


@pytest.mark.parametrize(("step", "least"), [(4, 50), pytest.param(1, 200, marks=pytest.mark.long)])
def test_everything_offered_for_a_field_is_taken(signed_in, step, least):
    fields = press_twice(signed_in, f"{CELL}|")
    assert {"region", "nps", "comments", "task_browse", '[url("utm_source")]'} <= set(fields)
    survey, zone = signed_in.names["client"].survey(9000001), ZoneInfo("UTC")
    checked = 0
    for field in fields[::step]:
        for operator in press(signed_in, f"{CELL}{field} |"):
            if operator in ("IS NULL", "IS NOT NULL"):
                values = [""]
            else:
                values = press(signed_in, f"{CELL}{field} {operator} |")
            if operator in ("<", ">"):  # beyond the last step is nothing
                values = values[1:-1]
            for value in values:
                line = f"{field} {operator} {value}"
                assert resolve(parse_conditions(line), survey, zone, zone), line
                checked += 1
    assert checked > least


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("%alchemer responses 9000001 --columns nps,sat|", [
            "satisfaction", "satisfaction_comment"]),
        ("%alchemer responses 9000001 --columns nps,np|", []),
        ("%alchemer responses 9000001 --columns=url_utm_s|", ["url_utm_source"]),
        ("%alchemer responses 9000001 --columns 'nps, task_br| --limit 3", [
            "task_browse_online", "task_browse_shop", "task_browse_phone", "task_browse"]),
        ("%alchemer responses {which} --language f|", ["French"]),
        ("%alchemer responses 9000001 --tz europe/berl|", ["Europe/Berlin"]),
        ("%alchemer responses 9000001 --until 7|", ["7d"]),
        ("%alchemer responses 9000001 --status complete,dis|", ["Disqualified"]),
        ("%alchemer responses 9000001 --where 'region in North, S|' --fresh", ["South"]),
        ("%alchemer responses 9000001 --fr|  --fresh", []),
        ('%alchemer responses "cust|" --complete', [
            '"Customer satisfaction', '"Customer satisfaction 2025']),
        ("%alchemer surveys --status in|", ['"In Design"']),
        ('%alchemer surveys --status "in|', ['"In Design"']),
    ],
)  # fmt: skip
def test_values_are_completed_in_the_middle_of_a_line(signed_in, line, offers):
    signed_in.names["which"] = 9000001
    assert press_twice(signed_in, line) == offers


def test_no_code_of_the_user_runs_on_a_press(signed_in):
    signed_in.names["calls"] = calls = []
    press_twice(signed_in, "%%alchemer responses {calls.append(1)}\nreg|")
    press_twice(signed_in, "%alchemer responses {calls.append(1)} --columns reg|")
    assert not calls


def test_names_of_profiles_are_offered(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    profiles.save("work-eu", ApiKey("a" * 32, "b" * 32), Region.get("eu"))
    assert "work-eu" in press(notebook, "%alchemer login --profile wo|")


TITLES = ["Guests’ visit – “spring”", 'Anna\'s "big" event', "Опрос клиентов", "{braces} & $5",
          "50% off: yes/no?", "=plan"]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("guests|", 0), ("Guests'|", 0), ("\"Guests' VIS|", 0), ("“guests|", 0), ("spring|", 0),
        ("anna|", 1), ("Anna's|", 1), ('"Anna\'s|', 1), ("big|", 1),
        ("ОПР|", 2), ("'опрос кл|", 2), ("клиен|", 2), ("{{br|", 3), ("50|", 4), ("off|", 4),
        ("=|", 5),
    ],
)  # fmt: skip
def test_titles_with_any_characters_are_completed_and_found(notebook, typed, title):
    for number, text in enumerate(TITLES):
        notebook.magics.known_surveys.add(9000001 + number, text)
    [offer] = press(notebook, f"%alchemer codebook {typed}")
    assert parse_line(f"codebook {offer}", COMMANDS, {}).arguments == {"survey": TITLES[title]}


def test_labels_with_any_characters_are_completed_and_found(notebook, scripted):
    labels = ["Don’t know", 'It\'s "fine", or so', "{none} for $5", "Да, конечно", "# 1"]
    options = [option(10001 + at, text, str(at)) for at, text in enumerate(labels)]
    client = serve(scripted, [question(2, "RADIO", alias="sure", options=options)], [])
    scripted.answer("account", {"result_ok": True, "data": {"id": "1", "organization": "A"}})
    notebook.names["client"] = client
    assert notebook.run("%alchemer switch client").failure is None
    offers = press_twice(notebook, "%%alchemer responses 5\nsure = |")
    assert len(offers) == len(labels)
    for label, offer in zip(labels, offers, strict=True):
        outcome = notebook.run(f"%%alchemer responses 5 --dry-run\nsure = {offer}")
        assert outcome.failure is None, label
    assert press(notebook, "%%alchemer responses 5\nsure = don't|") == [offers[0]]
    assert press(notebook, "%%alchemer responses 5\nsure = да|") == ['"Да, конечно"']


HOSTILE_NAMES = [
    "{calls.append(1)}", "{calls.append(1)!r:>9}", "x{{calls.append(1)}}", "$calls", "$$calls",
    "{", "}", "a b", "c,d", "e'f", 'g"h', "i“j”", "#k", "l;m", "n=o", "--fresh", "\\", "(p", "[q]",
]  # fmt: skip


def test_url_variables_with_any_characters_run_no_code_and_are_found(notebook, scripted):
    """A respondent chooses them: they are in the link with which the survey was opened."""
    urls = {name: {"key": name, "value": "v", "type": "url"} for name in HOSTILE_NAMES}
    client = serve(
        scripted, [question(2, "TEXTBOX", alias="t")], [response(1, {}, url_variables=urls)]
    )
    scripted.answer("account", {"result_ok": True, "data": {"id": "1", "organization": "A"}})
    notebook.names["client"], notebook.names["calls"] = client, []
    assert notebook.run("%alchemer switch client").failure is None
    for start, end in (("--columns ", ""), ("--columns=", ""), ("--columns 't, ", "'")):
        offers = press_twice(notebook, f"%alchemer responses 5 {start}url_|{end}")
        assert len(offers) > 10
        for offer in offers:
            outcome = notebook.run(f"df = %alchemer responses 5 {start}{offer}{end}")
            assert outcome.failure is None, offer
            name = offer.replace("{{", "{").replace("}}", "}").replace("$$", "$")
            assert name in notebook.names["df"].columns
            assert name.removeprefix("url_") in HOSTILE_NAMES
    assert notebook.names["calls"] == []
