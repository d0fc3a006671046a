"""The client against the sandbox; its calls in every mode of authentication."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import (
    ConditionError,
    ConfigurationError,
    InvalidArgument,
    NotFound,
    SurveyNotFound,
)
from alchemer_nb.sandbox import Sandbox
from tests.boxes import NO_LIMITS, copied_box

CUSTOMER = "Customer satisfaction"


@pytest.fixture(scope="module")
def everything(box):
    """All responses of the largest survey, test rows left out."""
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    return client.responses(CUSTOMER, progress="none")


@pytest.fixture(scope="module")
def paged_client():
    """A client whose sandbox has three pages of responses."""
    with copied_box(responses=1003, **NO_LIMITS) as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.mark.every_mode
def test_account_is_one_row(client, box):
    account = client.account()
    assert len(account) == 1
    assert account["organization"][0] == "Larkmoor Outdoor"


@pytest.mark.every_mode
def test_surveys_lists_them_all(client):
    surveys = client.surveys()
    assert list(surveys["id"]) == ["9000001", "9000002", "9000003", "9000004", "9000005"]
    assert surveys["responses"].dtype == np.int64
    assert str(surveys["created_on"].dtype) == "datetime64[us, UTC]"
    draft = surveys.set_index("title").loc["Shop opening hours"]
    assert draft["responses"] == 0  # statistics are null there


def test_surveys_by_a_piece_of_the_title_and_by_status(client):
    assert list(client.surveys("CUSTOMER")["id"]) == ["9000001", "9000005"]
    assert list(client.surveys(status="in design")["title"]) == ["Shop opening hours"]
    assert client.surveys("no such piece").empty


def test_responses_gives_all_pages(paged_client):
    df = paged_client.responses(CUSTOMER, test_rows="include", progress="none")
    told = paged_client.request("GET", "survey/9000001/surveyresponse", {"resultsperpage": 1})
    assert len(df) == int(told["total_count"]) == 1003  # three pages of 500
    assert df.index.is_unique
    assert df.index.is_monotonic_increasing
    assert df.index.name == "response_id"
    assert df.index.dtype == np.int64


def test_pages_gives_all_pages_whatever_their_size(paged_client):
    pages = list(paged_client.pages("survey/9000001/surveyresponse", {"resultsperpage": 50}))
    assert len(pages) == 21
    ids = [row["id"] for page in pages for row in page["data"]]
    assert len(set(ids)) == len(ids) == 1003


@pytest.mark.every_mode
def test_table_reads_any_list(client):
    questions = client.table("survey/9000001/surveyquestion")
    assert "title_English" in questions.columns
    assert len(questions) > 20
    assert "email" in client.table("accountuser").columns


@pytest.mark.every_mode
def test_request_gives_the_envelope_checked(client):
    envelope = client.request("get", "/v5/survey/9000001/")
    assert envelope["result_ok"] is True
    assert envelope["data"]["title"] == CUSTOMER
    with pytest.raises(NotFound, match="survey/1"):
        client.request("GET", "survey/1")


def test_survey_by_id_title_or_piece(client):
    assert client.survey(9000001).title == CUSTOMER
    assert client.survey("9000001").id == "9000001"
    assert client.survey(CUSTOMER).id == "9000001"  # exact, though it is a piece of another
    assert client.survey("customer SATISFACTION").id == "9000001"
    assert client.survey("pulse").title == "Employee pulse 2026"


def test_a_title_that_fits_two_surveys_lists_them(client):
    with pytest.raises(SurveyNotFound, match=r"9000001.*9000005") as caught:
        client.survey("customer")
    assert "\n" not in str(caught.value)


def test_a_title_that_fits_none_suggests_one(client):
    with pytest.raises(SurveyNotFound, match="did you mean 'Employee pulse 2026'"):
        client.survey("Employe puls 2026")
    with pytest.raises(InvalidArgument, match="title"):
        client.survey("  ")


def test_test_rows_are_left_out_said_and_brought_back(client, capsys):
    without = client.responses(CUSTOMER)
    said = "".join(capsys.readouterr())
    assert 'test rows left out (test_rows="include" brings them back)' in said
    everything = client.responses(CUSTOMER, test_rows="include", progress="none")
    only = client.responses(CUSTOMER, test_rows="only", progress="none")
    assert not without["is_test_data"].any()
    assert only["is_test_data"].all()
    assert len(without) + len(only) == len(everything)
    assert capsys.readouterr().out == ""


def odd(*case):
    """Return a case for every mode: a signature may get the signs of its condition wrong."""
    return pytest.param(*case, marks=pytest.mark.every_mode)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        pytest.param(
            {"status": "complete"},
            lambda df: df[df["status"] == "Complete"],
            marks=pytest.mark.long,
        ),
        (
            {"status": ["Partial", "Disqualified"]},
            lambda df: df[df["status"].isin(["Partial", "Disqualified"])],
        ),
        ({"where": "region = North"}, lambda df: df[df["region"] == "North"]),
        ({"where": "[question(3)] = 1"}, lambda df: df[df["region"] == "North"]),
        odd({"where": "nps >= 9\nregion in (North, 'South')  # two of them"}, None),
        ({"where": "comments IS NOT NULL"}, lambda df: df[df["comments"].notna()]),
        pytest.param(
            {"where": ["email IS NULL"]},
            lambda df: df[df["email"].isna()],
            marks=pytest.mark.long,
        ),
        (
            {"where": '[url("utm_source")] = news'},
            lambda df: df[df["url_utm_source"] == "news"],
        ),
        (
            {"since": "2026-01-01", "until": "2026-01-31"},
            lambda df: df[
                (df["date_submitted"] >= "2026-01-01") & (df["date_submitted"] < "2026-02-01")
            ],
        ),
        odd(
            {"where": "date_submitted > 2026-03-01 12:00"},
            lambda df: df[df["date_submitted"] > "2026-03-01 12:00"],
        ),
    ],
)
def test_what_the_server_filters_equals_what_pandas_filters(client, everything, asked, same):
    if same is None:
        expected = everything[
            (everything["nps"] >= 9) & everything["region"].isin(["North", "South"])
        ]
    else:
        expected = same(everything)
    got = client.responses(CUSTOMER, progress="none", **asked)
    assert 0 < len(got) < len(everything)
    assert list(got.index) == list(expected.index)


def test_same_survey_same_columns_whichever_rows_came(client):
    everything = client.responses(CUSTOMER, progress="none")
    few = client.responses(CUSTOMER, where="date_submitted < 1999-01-01", progress="none")
    assert len(few) == 0
    urls = [name for name in everything.columns if name.startswith("url_")]
    pd.testing.assert_series_equal(few.dtypes, everything.drop(columns=urls).dtypes)


def test_limit_stops_early(client, box):
    before = len(box.seen)
    df = client.responses(CUSTOMER, limit=7, progress="none")
    assert len(df) == 7
    pages = [s for s in box.seen[before:] if s.path.endswith("surveyresponse")]
    assert len(pages) <= 1
    assert list(df.index) == list(client.responses(CUSTOMER, progress="none").index[:7])


def test_progress_calls_back_after_each_page(paged_client):
    steps = []
    paged_client.responses(CUSTOMER, progress=steps.append)
    pages = dict.fromkeys((step.rows, step.pages) for step in steps if step.pages)
    assert list(pages) == [(500, 1), (1000, 2), (1003, 3)]
    assert next(step for step in steps if step.pages).rows_told == 1003
    assert "1,003 responses received" in steps[-1].note


def test_attrs_tell_how_the_frame_came_about(client, box):
    df = client.responses(CUSTOMER, status="Complete", progress="none")
    text = df.attrs["alchemer"]
    assert isinstance(text, str)  # pandas copies attrs at each step: a text costs nothing
    assert json.loads(text)["alchemer_nb"] == 1
    facts = df.alchemer.facts
    assert facts["survey_id"] == "9000001"
    assert facts["asked"]["status"] == "Complete"
    assert facts["rows"] == len(df)
    assert facts["complete"] is True
    assert df.alchemer.codebook["column_alias"].tolist() == list(df.columns)
    assert len(repr(facts)) < 2000


def test_conditions_and_statuses_that_can_be_read_only_once_are_recorded_too(client):
    df = client.responses(
        CUSTOMER,
        where=iter(["nps >= 9"]),
        status=(each for each in ["Complete", "Partial"]),
        progress="none",
    )
    assert df["nps"].min() >= 9
    asked = df.alchemer.facts["asked"]
    assert (asked["where"], asked["status"]) == (["nps >="], ["Complete", "Partial"])


def test_codebook_has_one_row_for_each_column(client):
    book = client.codebook(CUSTOMER)
    df = client.responses(CUSTOMER, names="id", progress="none")
    answers = [name for name in df.columns if not name.startswith("url_")]
    assert list(book["column_id"]) == answers
    assert book["column_alias"].is_unique
    assert book["column_text"].is_unique
    web = book.set_index("column_alias").loc["channels_web"]
    assert (web["option"], web["reporting_value"], web["type"]) == ("Website", "web", "checkbox")


@pytest.mark.parametrize(
    ("argument", "near"),
    [
        ({"names": "aliass"}, "alias"),
        ({"values": "lable"}, "label"),
        ({"test_rows": "exlude"}, "exclude"),
        ({"metadata": "al"}, "all"),
        ({"columns": ["satisfacton"]}, "satisfaction"),
        ({"status": "Complet"}, "Complete"),
        ({"where": "regoin = North"}, "region"),
    ],
)
def test_a_slip_gets_one_line_with_the_nearest_word(client, argument, near):
    with pytest.raises(InvalidArgument, match=near) as caught:
        client.responses(CUSTOMER, progress="none", **argument)
    assert "\n" not in str(caught.value)


def test_other_bad_arguments_say_what_would_do(client):
    with pytest.raises(ConditionError, match="line 2") as caught:
        client.responses(CUSTOMER, where="status = Complete\nnps !! 3")
    assert caught.value.line == 2
    with pytest.raises(InvalidArgument, match="2026-01-31"):
        client.responses(CUSTOMER, since="lately")
    with pytest.raises(InvalidArgument, match="after until"):
        client.responses(CUSTOMER, since="2026-02-01", until="2026-01-01")
    with pytest.raises(InvalidArgument, match="English, French, German"):
        client.responses(CUSTOMER, language="Klingon")
    for zone in ("Mars/Olympus", "a/" * 3000 + "a", "a" * 70_000, 5):
        with pytest.raises(InvalidArgument, match=r"^no time zone is called .{3,42}; give an"):
            client.responses(CUSTOMER, tz=zone)
    with pytest.raises(InvalidArgument, match="1 or more"):
        client.responses(CUSTOMER, limit=0)


def test_settings_are_checked_when_given():
    key = ApiKey("a" * 32, "b" * 13)
    with pytest.raises(ConfigurationError, match="no region is called 'mars'"):
        Client(key, region="mars")
    for meant in (
        "app.alchemer.eu",
        "https://app.alchemer.eu/home?x=1",
        "api.alchemer.eu",
        "EUROPE",
    ):
        with pytest.raises(ConfigurationError, match=r"\(did you mean eu\?\); choose one of us"):
            Client(key, region=meant)
    with pytest.raises(ConfigurationError) as caught:
        Client(key, region="app.alchemer.eu.example")
    assert "did you mean" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="timeout"):
        Client(key, timeout="soon")
    with pytest.raises(ConfigurationError, match="1 to 8"):
        Client(key, max_in_flight=9)
    with pytest.raises(ConfigurationError, match="ApiKey or an OAuth1"):
        Client("token")


def test_it_creates_updates_and_deletes_through_the_door_to_everything():
    with Sandbox(responses=3, cache_seconds=0) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        made = client.request(
            "PUT",
            "survey/9000001/surveyresponse",
            data={"data": {"22": {"value": "written by a test"}}, "status": "Complete"},
        )
        rid = int(made["data"]["id"])
        df = client.responses(9000001, progress="none")
        assert df.loc[rid, "comments"] == "written by a test"
        client.request("DELETE", f"survey/9000001/surveyresponse/{rid}")
        assert rid not in client.responses(9000001, progress="none").index


@pytest.fixture(scope="module")
def plain():
    """Responses to two surveys of a sandbox without any setting."""
    with Sandbox(responses=80) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        return [client.responses(title, progress="none") for title in (CUSTOMER, "pulse")]


@pytest.mark.parametrize(
    ("form", "flat_single"),
    [
        pytest.param(form, flat, marks=() if flat == (form == "current") else pytest.mark.long)
        for form in ("2017", "current")
        for flat in (False, True)
    ],
)
def test_both_forms_of_payload_give_the_same_answers(form, flat_single, plain):
    with Sandbox(responses=80, form=form, flat_single=flat_single) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        assert client.account()["organization"][0] == "Larkmoor Outdoor"
        df = client.responses(CUSTOMER, progress="none")
        pulse = client.responses("pulse", progress="none")
    for a, b in zip((df, pulse), plain, strict=True):
        pd.testing.assert_frame_equal(
            a.drop(columns="date_updated"), b.drop(columns="date_updated"), check_flags=False
        )


@pytest.mark.parametrize(
    ("region", "zone"),
    [pytest.param("us", "America/New_York", marks=pytest.mark.long), ("eu", "Etc/GMT")],
)
def test_regions_date_in_their_own_zone_and_frames_agree(region, zone):
    with Sandbox(responses=120, region=region) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), region=own.region)
        assert client.region.timezone == zone
        df = client.responses(CUSTOMER, progress="none")
        naive = client.responses(CUSTOMER, tz=None, progress="none")
        since = client.responses(CUSTOMER, since="2026-03-01", tz="Europe/Berlin", progress="none")
    moments = df["date_submitted"]
    assert str(moments.dtype) == "datetime64[us, UTC]"
    wall = moments.dt.tz_convert(zone).dt.tz_localize(None)
    pd.testing.assert_series_equal(naive["date_submitted"], wall)
    start = pd.Timestamp("2026-03-01", tz="Europe/Berlin")
    assert list(since.index) == list(df.index[moments >= start])
    assert str(since["date_submitted"].dtype) == "datetime64[us, Europe/Berlin]"
