"""`%alchemer doctor` in a shell: signed in, with an environment that signs in, and with nothing."""

from __future__ import annotations

import pytest

from alchemer_nb.errors import InvalidArgument, SurveyNotFound
from alchemer_nb.sandbox.traffic import faults
from tests.boxes import NO_LIMITS, copied_box


@pytest.fixture(scope="module")
def own():
    with copied_box(**NO_LIMITS) as running:
        yield running


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def details(found):
    return {check.name: check.detail for check in found.checks}


def sign_in(notebook, own):
    notebook.run("from alchemer_nb import ApiKey, Client")
    notebook.names.update(key=(own.api_token, own.api_token_secret), region=own.region)
    notebook.run("one = Client(ApiKey(*key), region=region)")
    assert notebook.run("%alchemer switch one").failure is None


def test_the_current_connection_is_examined(notebook, own):
    sign_in(notebook, own)
    outcome = notebook.run("%alchemer doctor")
    assert outcome.value.ok
    assert "was accepted" in details(outcome.value)["credentials"]
    assert outcome.out.startswith("Out[") or outcome.out == ""
    kept = notebook.run("found = %alchemer doctor 'Employee pulse' --shapes")
    assert kept.failure is None
    assert len(notebook.names["found"].shapes) > 100


@pytest.mark.parametrize("command", ["responses", "doctor", "codebook"])
def test_a_variable_in_place_of_a_survey_is_named(notebook, own, command):
    sign_in(notebook, own)
    notebook.run("import pandas as pd\ntitle, frame = 'Employee pulse 2026', pd.DataFrame()")
    for given, hint in (
        ("one", "`one` is a variable with a Client, and no survey: %alchemer switch one makes"),
        ("{one}", "A Client was given, and no survey: %alchemer switch NAME makes"),
        ("title", "`title` is a variable: write {title} for its value"),
        ("frame", "`frame` is a DataFrame, and no survey"),
    ):
        failure = notebook.run(f"%alchemer {command} {given}").failure
        assert isinstance(failure, SurveyNotFound | InvalidArgument)
        assert hint in failure.hint
    # A variable does no harm where a survey fits, or where the error is about something else.
    notebook.names["pulse"] = notebook.names["one"]
    assert notebook.run(f"x = %alchemer {command} pulse").failure is None
    failure = notebook.run("%alchemer table frame satisfaction").failure
    assert "no survey" not in str(failure)


def test_text_is_printed_to_be_copied(notebook, own):
    sign_in(notebook, own)
    outcome = notebook.run("%alchemer doctor --text")
    assert outcome.value is None
    assert outcome.out.startswith("alchemer_nb doctor, ")
    assert own.api_token[-4:] not in outcome.out


def test_without_a_sign_in_it_examines_what_it_can(notebook, own, home):
    notebook.names["region"] = own.region
    found = notebook.run("%alchemer doctor --region {region}").value
    assert "answered in" in details(found)["host"]
    assert details(found)["credentials"].startswith("not signed in")


def test_the_environment_is_examined_where_nobody_is_signed_in(notebook, own, home, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", own.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", own.api_token_secret)
    notebook.names["region"] = own.region
    found = notebook.run("%alchemer doctor 'Employee pulse' --region {region}").value
    assert "from the environment" in details(found)["credentials"]
    assert "surveyresponse" in details(found)["responses"]
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", "wrong")
    found = notebook.run("%alchemer doctor --region {region}").value
    assert not found.ok
    assert "do not belong together" in details(found)["credentials"]


def test_a_profile_that_cannot_be_is_trouble_and_not_an_error(notebook, own, home):
    notebook.names["region"] = own.region
    outcome = notebook.run("%alchemer doctor --profile 'no/such name' --region {region}")
    assert outcome.failure is None
    assert not outcome.value.ok
    assert "credentials" in repr(outcome.value).splitlines()[0]
    outcome = notebook.run("%alchemer doctor --profile nobody --region {region}")
    assert "no profile is called 'nobody'" in details(outcome.value)["credentials"]


def test_a_refused_key_is_not_an_error_of_the_cell(notebook, own):
    sign_in(notebook, own)
    own.fail_next(faults.Fault(status=401, when={"path": "account"}, after=1))
    outcome = notebook.run("%alchemer doctor")
    own.calm()
    assert outcome.failure is None
    assert not outcome.value.ok
