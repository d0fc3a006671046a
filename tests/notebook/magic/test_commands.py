"""The commands against the sandbox, through cells of a real shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from IPython.core.error import UsageError

from alchemer_nb.auth import profiles
from alchemer_nb.auth.lookup import FoundCredentials
from alchemer_nb.client.client import Client
from alchemer_nb.errors import ConditionError, InvalidArgument, NotFound, SurveyNotFound
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "Customer satisfaction"
ID = 9000001


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(responses=300) as box:
        yield box


@pytest.fixture
def client(box: Sandbox) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture
def signed_in(notebook, client):
    """A notebook that took a client made in Python."""
    notebook.names["client"] = client
    assert notebook.run("%alchemer switch client").failure is None
    return notebook


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(one, other)
    return True


def test_every_list_has_data_in_the_sandbox_or_says_that_it_is_empty(signed_in):
    for command in (
        f"quotas {ID}", f"reports {ID}", "contactlists", "contacts 31", f"campaigns {ID}", "users",
        "teams", "get domain", "get sso", "get surveytheme", "get contactcustomfield",
        f"get survey/{ID}/surveycampaign/300011/emailmessage",
        f"get survey/{ID}/surveycampaign/300011/surveycontact",
    ):  # fmt: skip
        outcome = signed_in.run(f"%alchemer {command}")
        assert outcome.failure is None
        assert len(outcome.value), command
        assert "none" not in outcome.out
    outcome = signed_in.run("%alchemer quotas 9000004")
    assert outcome.out.startswith("Alchemer has none: the list survey/9000004/quotas is empty.\n")
    assert outcome.value.empty


def test_named_commands_give_what_the_client_gives(signed_in, client):
    for cell, expected in (
        ("%alchemer account", client.account()),
        ("%alchemer surveys", client.surveys()),
        ("%alchemer surveys pulse", client.surveys("pulse")),
        ("%alchemer surveys --status closed", client.surveys(status="closed")),
        (f'%alchemer codebook "{TITLE}"', client.codebook(ID)),
        ("%alchemer get survey", client.table("survey")),
        ("%alchemer users", client.table("accountuser")),
        (f'%alchemer campaigns "{TITLE}"', client.table(f"survey/{ID}/surveycampaign")),
        (f"%alchemer statistics {ID}", client.statistics(ID)),
    ):
        outcome = signed_in.run(cell)
        assert outcome.failure is None
        assert same(outcome.value, expected)


def test_the_forms_of_keeping_a_frame_all_give_the_same(signed_in, client):
    expected = client.responses(ID, progress="none")
    cells = (
        f'df = %alchemer responses "{TITLE}"',
        f'%alchemer df << responses "{TITLE}"',
        f"%alchemer responses {ID} -o df",
        f"%%alchemer df << responses {ID}\n# every response",
    )
    for cell in cells:
        signed_in.names.pop("df", None)
        outcome = signed_in.run(cell)
        assert (outcome.failure, outcome.value) == (None, None)
        assert same(signed_in.names["df"], expected)
    assert same(signed_in.run(f"%alchemer responses {ID}").value, expected)
    assert same(signed_in.run(f"%%alchemer responses {ID}\n# every one").value, expected)


def test_every_option_reaches_the_client(signed_in, client):
    line = (
        f"%alchemer responses {ID} --status Complete,Partial --since 2025-10-01 --until 2026-06-30 "
        "--test-rows include --names id --values code --metadata all --multi list --tz none "
        "--limit 20 --progress none --where '[question(3)] <> 1'"
    )
    expected = client.responses(
        ID,
        where="[question(3)] <> 1",
        status=["Complete", "Partial"],
        since="2025-10-01",
        until="2026-06-30",
        test_rows="include",
        names="id",
        values="code",
        metadata="all",
        multi="list",
        tz=None,
        limit=20,
        progress="none",
    )
    outcome = signed_in.run(line)
    assert "→" not in outcome.out
    assert 0 < len(expected) <= 20
    assert same(outcome.value, expected)
    long = signed_in.run(f"%alchemer responses {ID} --shape long --language French").value
    assert same(long, client.responses(ID, shape="long", language="French", progress="none"))
    both = signed_in.run(f"%alchemer responses {ID} --columns nps,region --values both").value
    assert same(
        both, client.responses(ID, columns=["nps", "region"], values="both", progress="none")
    )


def test_conditions_below_filter_with_values_of_the_notebook(signed_in, client):
    signed_in.names.update(regions=["North", "South"], low=9)
    outcome = signed_in.run(
        f"%%alchemer df << responses {ID} --complete\nregion in {{regions}}\n\nnps >= $low  # fans"
    )
    assert outcome.failure is None
    frame = signed_in.names["df"]
    everything = client.responses(ID, status="Complete", progress="none")
    expected = everything[everything["region"].isin(["North", "South"]) & (everything["nps"] >= 9)]
    assert 0 < len(frame) < len(everything)
    assert list(frame.index) == list(expected.index)


def test_conditions_below_and_on_the_line_hold_together(signed_in):
    cell = f"%%alchemer responses {ID} --where 'nps >= 9'\nregion = North"
    frame = signed_in.run(cell).value
    assert len(frame) > 0
    assert set(frame["region"].astype(str)) == {"North"}
    assert frame["nps"].min() >= 9


def test_whole_months_are_asked_for_and_the_echo_says_in_which_zone(signed_in):
    line = f"%alchemer df << responses {ID} --since 2025-10 --until 2025-11 --tz America/Chicago"
    told = " ".join(signed_in.run(line).out.split())
    assert "submitted from 2025-10-01 00:00 America/Chicago" in told
    assert "submitted until the end of 2025-11-30 America/Chicago" in told
    whole = signed_in.names["df"]
    cell = f"%%alchemer df << responses {ID} --tz America/Chicago\ndate_submitted >= 2025-10\n"
    told = " ".join(signed_in.run(cell + "date_submitted <= 2025-11").out.split())
    assert "date_submitted >= 2025-10-01 00:00 America/Chicago" in told
    assert len(whole) > 0
    assert list(signed_in.names["df"].index) == list(whole.index)
    months = whole["date_submitted"].dt.strftime("%Y-%m")
    assert set(months) == {"2025-10", "2025-11"}
    told = " ".join(signed_in.run(f"%alchemer responses {ID} --since 1y --dry-run").out.split())
    assert re.search(r"; submitted from \d{4}-\d\d-\d\d 00:00 UTC; ", told)


def test_a_limit_counts_responses_in_the_long_shape_too(signed_in):
    outcome = signed_in.run(f"%alchemer responses {ID} --limit 3 --shape long")
    assert "at most 3 responses → " in " ".join(outcome.out.split())
    assert outcome.value["response_id"].nunique() == 3 < len(outcome.value)


def test_the_echo_says_in_words_what_was_asked(signed_in):
    cell = (
        f"%%alchemer df << responses {ID} --since 2025-10-01 --values code\n"
        "status = Complete\n[url(\"utm_source\")] IS NOT NULL"
    )  # fmt: skip
    told = signed_in.run(cell).out
    frame = signed_in.names["df"]
    facts = frame.alchemer.facts
    assert max(map(len, told.splitlines())) <= 96  # notebooks break longer ones inside a word
    assert "\n  → " in told
    assert " ".join(told.split()) == (
        f"{TITLE} ({ID}): submitted from 2025-10-01 00:00 UTC, status is Complete, "
        f'[url("utm_source")] is answered, values: code → {len(frame)} rows × '
        f"{frame.shape[1]} columns; "
        f"{facts['test_rows_left_out']} test rows left out (--test-rows include brings them back); "
        f"{facts['edited_answers']} answers had an earlier value (--metadata all shows it)"
    )
    assert facts["test_rows_left_out"] > 1
    assert facts["edited_answers"] > 1


def test_the_day_first_by_an_option_or_for_the_whole_notebook(signed_in):
    def asked(options=""):
        signed_in.run(f"%alchemer df << responses {ID} --limit 20{options}")
        return signed_in.names["df"].alchemer.facts["asked"]["day_first"]

    assert asked() is False
    assert asked(" --day-first") is True
    signed_in.run("%config AlchemerMagics.day_first = True")
    assert asked() is True


def test_the_echo_can_be_switched_off(signed_in):
    signed_in.run("%config AlchemerMagics.echo = False")
    signed_in.run("%config AlchemerMagics.progress = 'none'")
    outcome = signed_in.run(f"df = %alchemer responses {ID}")
    assert (outcome.out, outcome.err) == ("", "")
    outcome = signed_in.run(f"df = %alchemer responses {ID} --progress auto")
    assert "test rows left out" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("cell", "kind", "told"),
    [
        ("%alchemer df << responses nothing", SurveyNotFound, "fits 'nothing'"),
        ("%alchemer df << responses customer", SurveyNotFound, "2 surveys fit 'customer'"),
        ("%alchemer df << responses 1", NotFound, ""),
        (f"%alchemer df << responses {ID} --limit -1", InvalidArgument, "limit"),
        (f"%alchemer df << responses {ID} --since soon", InvalidArgument, "'soon' is not a date"),
        (f"%alchemer df << responses {ID} --complete --status Partial", UsageError, "--complete"),
        (f"%alchemer df << responses {ID} --status Don", InvalidArgument, "'Don' is no status"),
        (f"%%alchemer df << responses {ID}\n# x\nnope = 1", ConditionError, "line 2: 'nope'"),
        (f"%%alchemer df << responses {ID}\n\nstatus Complete", ConditionError, "line 2: "),
        ("%alchemer df << get survey page", UsageError, "a parameter is written key=value"),
        ("%alchemer df << get survey a=1 a=2", UsageError, "`a` is given twice"),
        ("%alchemer df << get nothing", NotFound, "nothing"),
        ("%alchemer df << get survey/%2e%2e/account", InvalidArgument, "no percent signs"),
        ("%alchemer df << contacts {-3}", InvalidArgument, "-3 is not the id of a list"),
        ("%alchemer df << responses ²", InvalidArgument, "is not the id of a survey"),
        ("%alchemer df << campaigns {True}", InvalidArgument, "True is not the id of a survey"),
        ("%alchemer df << sync {-5.5}", InvalidArgument, "-5.5 is not the id of a survey"),
    ],
)
def test_a_command_that_fails_is_one_line_and_leaves_the_name_alone(signed_in, cell, kind, told):
    signed_in.names["df"] = "kept"
    outcome = signed_in.run(cell)
    assert type(outcome.failure) is kind
    assert told in outcome.told
    shown = (outcome.out + outcome.err).strip()
    assert len(shown.splitlines()) == 1
    assert "Traceback" not in shown
    assert signed_in.names["df"] == "kept"


def test_questions_has_a_row_per_question_and_row_of_a_grid(signed_in, client):
    frame = signed_in.run('%alchemer questions "Employee pulse"').value
    survey = client.survey("Employee pulse")
    everything = [each for question in survey.questions for each in question.walk()]
    assert list(frame["question_id"]) == [each.id for each in everything]
    assert set(frame["row_of"]) > {""}
    assert frame["options"].str.contains(", ").any()


def test_any_path_is_reached_with_parameters_and_as_it_is(signed_in, client):
    signed_in.names["survey"] = ID
    raw = signed_in.run("%alchemer get survey/{survey}/surveyresponse resultsperpage=3 --raw").value
    assert raw["result_ok"] is True
    assert len(raw["data"]) == 3
    cell = (
        "%alchemer get survey/$survey/surveyresponse filter[field][0]=status "
        "filter[operator][0]== filter[value][0]=Partial"
    )
    frame = signed_in.run(cell).value
    assert set(frame["status"]) == {"Partial"}


def test_after_a_list_of_surveys_a_press_of_tab_makes_no_call(signed_in, box):
    signed_in.run("%alchemer surveys")
    calls = len(box.seen)
    assert calls > 0
    offers = signed_in.tab("%alchemer responses Emp")
    assert offers == ['%alchemer responses "Employee pulse 2026"']
    signed_in.tab("%alchemer responses ")
    signed_in.magics.lookahead.wait(20)
    assert len(box.seen) == calls


def test_surveys_become_known_by_listing_and_by_use(signed_in):
    known = signed_in.magics.known_surveys
    assert list(known) == []
    signed_in.run(f"df = %alchemer responses {ID}")
    assert list(known) == [(str(ID), TITLE)]
    signed_in.run('%alchemer questions "Employee pulse"')
    assert "Employee pulse 2026" in dict(known).values()
    assert signed_in.tab("%alchemer codebook emp") == ['%alchemer codebook "Employee pulse 2026"']
    signed_in.run("%alchemer logout")
    assert list(signed_in.magics.known_surveys) == []


def test_switch_takes_names_and_clients_and_nothing_else(signed_in, box):
    signed_in.names["mine"] = Client(
        OAuth1(box.consumer_key, box.consumer_secret), region=box.region
    )
    status = signed_in.run("%alchemer switch mine").value
    assert (status.name, status.mode, status.others) == ("mine", "OAuth", ("client",))
    assert signed_in.run("%alchemer switch client").value.mode == "API key"
    assert signed_in.run("%alchemer switch {mine}").value.mode == "OAuth"
    assert signed_in.tab("%alchemer switch cl") == ["%alchemer switch client"]
    signed_in.names["number"] = 3
    assert "a variable with a Client" in signed_in.run("%alchemer switch number").told
    assert "no connection is called 'nope'" in signed_in.run("%alchemer switch nope").told


def test_switch_takes_what_a_variable_has_now(signed_in, box):
    key = ApiKey(box.api_token, box.api_token_secret)
    before = signed_in.magics.session.client
    signed_in.names["client"] = again = Client(key, region=box.region)
    signed_in.run("%alchemer switch client")
    assert signed_in.magics.session.client is again is not before
    signed_in.names["client"] = Client(ApiKey("0" * 32, "unknown"), region=box.region)
    assert "refused" in signed_in.run("%alchemer switch client").told
    assert signed_in.magics.session.client is again
    # Also where the last login has found the same credentials.
    where = FoundCredentials(key, box.region, "the environment", "the environment")
    signed_in.magics.session.found = where
    for _ in range(2):
        signed_in.names["client"] = Client(key, region=box.region)
        assert signed_in.run("%alchemer switch client").failure is None
    del signed_in.names["client"]  # the connection stays
    assert signed_in.run("%alchemer switch client").failure is None


def test_switch_never_guesses_between_a_sign_in_and_a_variable(signed_in, box):
    key = ApiKey(box.api_token, box.api_token_secret)
    session = signed_in.magics.session
    session.adopt(Client(key, region=box.region), "eu", source="what you typed")
    signed_in.names["eu"] = Client(key, region=box.region)
    assert "write {eu} for the variable" in signed_in.run("%alchemer switch eu").told
    signed_in.run("%alchemer switch {eu}")
    assert session.client is signed_in.names["eu"]
    # A client in braces has the name of its region, which is no variable's.
    signed_in.run("%alchemer logout client")
    name = session.connection.name
    signed_in.names[name] = Client(key, region=box.region)
    assert f"write {{{name}}}" in signed_in.run(f"%alchemer switch {name}").told
    signed_in.names["eu"] = 3  # a variable of another kind
    assert signed_in.run("%alchemer switch eu").value.name == "eu"


def test_logout_forgets_the_current_or_the_named_connection(signed_in, client):
    signed_in.names["other"] = client
    signed_in.run("%alchemer switch other")
    assert "Signed out of Larkmoor Outdoor" in signed_in.run("%alchemer logout client").out
    assert signed_in.run("%alchemer status").value.name == "other"
    signed_in.run("%alchemer logout")
    assert not signed_in.run("%alchemer status").value.signed_in
    assert "not signed in" in signed_in.run("%alchemer surveys").told


def test_status_can_be_kept_and_shows_no_secret(signed_in, box):
    outcome = signed_in.run("%alchemer status")
    shown = repr(outcome.value) + outcome.value._repr_html_() + outcome.out
    assert "Larkmoor Outdoor" in shown
    assert box.api_token not in shown
    assert box.api_token_secret not in shown


def test_login_takes_region_objects_and_the_environment(notebook, box, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", box.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", box.api_token_secret)
    notebook.names["box"] = box
    outcome = notebook.run("%alchemer login --region {box.region}")
    assert outcome.failure is None
    assert notebook.run("%alchemer status").value.organisation == "Larkmoor Outdoor"
    assert box.api_token_secret not in outcome.out + outcome.err


def test_a_profile_is_not_asked_to_be_of_the_region_that_login_starts_with(
    notebook, box, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profiles.save("work", ApiKey(box.api_token, box.api_token_secret), box.region)
    notebook.run("%config AlchemerMagics.region = 'eu'")
    assert notebook.run("%alchemer login --profile work").failure is None
    assert notebook.run("%alchemer status").value.host == box.region.host


def test_unloading_signs_out(signed_in):
    session = signed_in.magics.session
    assert session.client is not None
    signed_in.run("%unload_ext alchemer_nb")
    assert session.client is None
