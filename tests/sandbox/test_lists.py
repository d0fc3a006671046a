"""Envelopes, paging, paths, methods, and the shape of every object."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small
from tests.sandbox.conftest import caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIELDS_2017 = [
    "id",
    "contact_id",
    "status",
    "is_test_data",
    "date_submitted",
    "session_id",
    "language",
    "date_started",
    "link_id",
    "url_variables",
    "ip_address",
    "referer",
    "user_agent",
    "response_time",
    "data_quality",
    "longitude",
    "latitude",
    "country",
    "city",
    "region",
    "postal",
    "dma",
    "survey_data",
]


@pytest.fixture(scope="module")
def many() -> Iterator[Sandbox]:
    """A survey with 1,203 responses, all alike."""
    rows = [small.response(n, "2026-03-01T00:00:00") for n in range(1, 1204)]
    with Sandbox(surveys=[small.Small(small.survey(), rows)]) as box:
        yield box


@pytest.fixture(scope="module")
def page(many: Sandbox) -> Callable[..., dict[str, Any]]:
    call = caller(many)

    def ask(**params: Any) -> dict[str, Any]:
        return dict(call("survey/7/surveyresponse", **params).json())

    return ask


def ids(body: dict[str, Any]) -> list[int]:
    return [int(row["id"]) for row in body["data"]]


class TestPaging:
    def test_fifty_a_page_unless_told(self, page: Callable[..., Any]) -> None:
        body = page()
        assert ids(body) == list(range(1, 51))
        assert {name: value for name, value in body.items() if name != "data"} == {
            "result_ok": True,
            "total_count": "1203",
            "page": 1,
            "total_pages": 25,
            "results_per_page": 50,
        }

    def test_five_hundred_at_most(self, page: Callable[..., Any]) -> None:
        body = page(resultsperpage=100000)
        assert (len(body["data"]), body["results_per_page"], body["total_pages"]) == (500, 500, 3)

    def test_the_last_page_is_short_and_after_it_comes_none(self, page: Callable[..., Any]) -> None:
        assert ids(page(page=3, resultsperpage=500)) == list(range(1001, 1204))
        beyond = page(page=4, resultsperpage=500)
        assert (beyond["result_ok"], beyond["data"], beyond["page"]) == (True, [], 4)

    def test_all_pages_hold_every_row_once(self, page: Callable[..., Any]) -> None:
        found = [n for p in range(1, 14) for n in ids(page(page=p, resultsperpage=97))]
        assert found == list(range(1, 1204))

    @pytest.mark.parametrize("bad", ["0", "-1", "x", ""])
    def test_nonsense_counts_as_the_default(self, page: Callable[..., Any], bad: str) -> None:
        assert ids(page(page=bad, resultsperpage=bad)) == list(range(1, 51))

    def test_a_page_of_an_empty_survey(self) -> None:
        with Sandbox(surveys=[small.Small(small.survey(), [])]) as box:
            body = caller(box)("survey/7/surveyresponse").json()
            assert (body["total_count"], body["total_pages"], body["data"]) == ("0", 0, [])
            assert caller(box)("survey").json()["data"][0]["statistics"] is None


class TestOrder:
    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (None, [1, 2, 3, 4, 5]),
            ("date_submitted", [4, 1, 2, 3, 5]),
            ("-date_submitted", [5, 3, 2, 1, 4]),
            ("date_updated", [4, 1, 2, 3, 5]),
            ("-date_updated", [5, 3, 2, 1, 4]),
        ],
    )
    def test_of_responses(
        self, get: Callable[..., requests.Response], order: str | None, expected: list[int]
    ) -> None:
        asked = {"order_by": order} if order else {}
        assert ids(get("survey/7/surveyresponse", **asked).json()) == expected

    def test_another_order_is_refused(self, get: Callable[..., requests.Response]) -> None:
        answer = get("survey/7/surveyresponse", order_by="record; DROP TABLE responses")
        assert (answer.status_code, answer.json()["code"]) == (400, 400)


class TestPaths:
    @pytest.mark.parametrize("ending", ["", "/", ".json", "/.json", ".json/"])
    @pytest.mark.parametrize("version", ["v5", "head"])
    def test_every_ending_means_the_same(self, shared: Sandbox, ending: str, version: str) -> None:
        pair = {"api_token": shared.api_token, "api_token_secret": shared.api_token_secret}
        address = f"{shared.url}/{version}/survey/7/surveyresponse{ending}"
        assert ids(requests.get(address, params=pair, timeout=10).json()) == [1, 2, 3, 4, 5]

    def test_question_is_an_alias(self, get: Callable[..., requests.Response]) -> None:
        assert get("survey/7/question").json() == get("survey/7/surveyquestion").json()
        assert get("survey/7/question/3").json() == get("survey/7/surveyquestion/3").json()

    @pytest.mark.parametrize("path", ["nope", "survey/7/nope", "survey/7/reporting", ""])
    def test_an_unknown_object(self, get: Callable[..., requests.Response], path: str) -> None:
        answer = get(path)
        assert answer.status_code == 404
        assert answer.json() == {
            "result_ok": False,
            "code": 404,
            "message": "Method not implemented",
        }

    @pytest.mark.parametrize(
        "path",
        [
            "survey/8",
            "survey/x",
            "survey/99999999999999999999",
            "survey/8/surveyresponse",
            "survey/7/surveyresponse/99",
            "survey/7/surveyquestion/99",
            "survey/7/surveyquestion/2/surveyoption/1",
            "survey/7/surveypage/9",
            "survey/7/surveypage/2/surveyquestion/2",
            "survey/7/surveycampaign/1",
            "accountuser/99",
            "accountteams/1",
        ],
    )
    def test_an_id_that_nothing_has(self, get: Callable[..., requests.Response], path: str) -> None:
        answer = get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, 404)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("DELETE", "account"),
            ("PUT", "survey"),
            ("POST", "survey/7/surveyresponse"),
            ("PUT", "survey/7/surveyresponse/1"),
            ("PATCH", "survey"),
            ("DELETE", "survey/7/surveyresponse"),
        ],
    )
    def test_a_method_that_an_object_does_not_have(
        self, get: Callable[..., requests.Response], method: str, path: str
    ) -> None:
        for answer in (get(path, method), get(path, _method=method)):
            assert answer.status_code == 405
            assert answer.json()["message"] == "Method not supported"

    def test_other_versions_and_addresses(self, shared: Sandbox) -> None:
        for path in ("v4/survey", "v6/survey", "nowhere"):
            answer = requests.get(f"{shared.url}/{path}", timeout=10)
            assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_gzip_when_asked_for_and_not_otherwise(shared: Sandbox) -> None:
    pair = {"api_token": shared.api_token, "api_token_secret": shared.api_token_secret}
    address = f"{shared.url}/v5/survey/7/surveyresponse"
    plain = requests.get(address, params=pair, headers={"Accept-Encoding": ""}, timeout=10)
    assert "Content-Encoding" not in plain.headers
    packed = requests.get(
        address, params=pair, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content


class TestSurvey:
    def test_row_of_the_list(self, get: Callable[..., requests.Response]) -> None:
        body = get("survey").json()
        assert body["total_count"] == "1"
        assert body["data"] == [
            {
                "id": "7",
                "team": "0",
                "type": "Standard Survey",
                "status": "Launched",
                "created_on": "2026-01-02 03:00:00",
                "modified_on": "2026-07-02 04:00:00",
                "title": "Small survey",
                "statistics": {"Complete": 2, "Disqualified": 1, "Partial": 1, "TestData": 1},
                "links": body["data"][0]["links"],
            }
        ]

    def test_one_has_its_tree_without_varname(self, get: Callable[..., requests.Response]) -> None:
        data = get("survey/7").json()["data"]
        assert [page["id"] for page in data["pages"]] == [1, 2]
        grid = data["pages"][1]["questions"][0]
        assert [row["id"] for row in grid["sub_questions"]] == [6, 7]
        assert "varname" not in json.dumps(data)
        assert (data["languages"], data["title_ml"]) == (["English"], {"English": "Small survey"})

    def test_metaonly_leaves_the_tree_out(self, get: Callable[..., requests.Response]) -> None:
        assert "pages" not in get("survey/7", metaonly="true").json()["data"]

    def test_questions_come_in_one_page_with_rows_as_items_too(
        self, get: Callable[..., requests.Response]
    ) -> None:
        body = get("survey/7/surveyquestion", resultsperpage=2, page=2).json()
        assert [q["id"] for q in body["data"]] == list(range(2, 14))
        assert (body["total_count"], body["results_per_page"], body["page"]) == (12, 12, 1)
        assert [row["id"] for row in body["data"][3]["sub_questions"]] == [6, 7]
        assert all(q["varname"] == [""] for q in body["data"])

    def test_questions_of_a_page(self, get: Callable[..., requests.Response]) -> None:
        body = get("survey/7/surveypage/1/surveyquestion").json()
        assert [q["id"] for q in body["data"]] == [2, 3, 4]
        assert get("survey/7/surveypage/1/surveyquestion/2").json()["data"]["shortname"] == "happy"

    def test_pages_and_options(self, get: Callable[..., requests.Response]) -> None:
        pages = get("survey/7/surveypage").json()
        assert [page["title"]["English"] for page in pages["data"]] == ["Page 1", "Page 2"]
        assert get("survey/7/surveypage/2").json()["data"]["id"] == 2
        options = get("survey/7/surveyquestion/2/surveyoption").json()
        assert [one["id"] for one in options["data"]] == [10001, 10002, 10003]
        assert options["total_count"] == 3
        one = get("survey/7/surveyquestion/2/surveyoption/10002").json()["data"]
        assert one["value"] == "no"

    def test_campaigns_are_those_that_responses_name(
        self, get: Callable[..., requests.Response]
    ) -> None:
        body = get("survey/7/surveycampaign").json()
        assert [(row["id"], row["name"]) for row in body["data"]] == [
            ("300001", "Default Link"),
            ("300002", "Link 2"),
        ]
        assert body["total_count"] == "2"
        assert body["data"][0]["SSL"] == "True"
        assert get("survey/7/surveycampaign/300002").json()["data"]["link_type"] == "link"

    def test_statistics_are_text_and_one_key_has_a_space(
        self, get: Callable[..., requests.Response]
    ) -> None:
        rows = {row["id"]: row for row in get("survey/7/surveystatistic").json()["data"]}
        assert rows[2]["total responses"] == "1"
        assert rows[2]["breakdown"][0] == {"label": "Yes", "percentage": "100.0", "count": "1"}
        assert (rows[6]["sum"], rows[6]["average"], rows[6]["max"]) == ("2", "2.0", "2")
        assert rows[3] == {"id": 3, "type": "TEXTBOX"}
        # Rows of grids are counted by their cells: Monday was marked, Tuesday was not.
        assert rows[8] == {"id": 8, "type": "TABLE"}
        assert rows[9]["total responses"] == "1"
        assert [(one["label"], one["count"]) for one in rows[9]["breakdown"]] == [
            ("Mon", "1"), ("Tue", "0"),
        ]  # fmt: skip

    def test_statistics_of_choices_that_are_listed_without_a_value(self) -> None:
        days = [small.option(10001 + n, day, day.lower()) for n, day in enumerate(("Mon", "Tue"))]
        row = small.question(9, "CHECKBOX", "Morning")  # has the options of its grid
        group = small.question(5, "GROUP", "You", sub_questions=[
            small.question(6, "CHECKBOX", "Days", options=days),
        ])  # fmt: skip
        grid = small.question(8, "TABLE", "When", options=days, sub_questions=[row])
        survey = small.survey()
        survey["pages"] = [{**survey["pages"][0], "questions": [group, grid]}]
        ticked = {"10001": {"id": 10001, "option": "Mon"}}
        null = {"10002": {"id": 10002, "option": "Tue", "answer": None}}
        inside = [ticked, null, {**ticked, **null}, []]
        cells = [("mon", "tue"), ("mon", None), (None, ""), None]
        responses = [
            small.response(
                n + 1,
                "2026-03-01T12:00:00",
                survey_data={
                    "5": {"id": 5, "type": "parent", "subquestions": {
                        "6": {"id": 6, "type": "parent", "options": options},
                    }},
                    "8": {"id": 8, "type": "parent", "subquestions": {
                        "9": [] if marks is None else {
                            str(10001 + at): {"id": 10001 + at, "answer": mark}
                            for at, mark in enumerate(marks)
                        },
                    }},
                },
            )
            for n, (options, marks) in enumerate(zip(inside, cells, strict=True))
        ]  # fmt: skip
        with Sandbox(surveys=[small.Small(survey, responses)]) as box:
            body = caller(box)("survey/7/surveystatistic").json()
        rows = {row["id"]: row for row in body["data"]}
        counts = {
            own: (
                rows[own]["total responses"], *(one["count"] for one in rows[own]["breakdown"]),
            )
            for own in (6, 9)
        }  # fmt: skip
        assert counts == {6: ("2", "2", "0"), 9: ("2", "2", "1")}

    def test_irregular_lists(self, get: Callable[..., requests.Response]) -> None:
        assert get("survey/7/quotas").json() == {"result_ok": True, "quotas": []}
        assert set(get("contactlist").json()) == {"result_ok", "page", "results_per_page", "data"}
        assert get("accountteams/40001").json()["data"]["team_name"] == "Research"


class TestResponse:
    def test_fields_in_the_order_of_real_payloads(
        self, get: Callable[..., requests.Response]
    ) -> None:
        row = get("survey/7/surveyresponse").json()["data"][0]
        assert list(row) == FIELDS_2017

    def test_types_are_those_of_real_payloads(self, get: Callable[..., requests.Response]) -> None:
        one, two, three, _, five = get("survey/7/surveyresponse").json()["data"]
        assert (one["id"], one["is_test_data"], three["is_test_data"]) == ("1", "0", "1")
        assert (one["response_time"], five["response_time"]) == (90, None)
        assert (one["longitude"], one["latitude"], one["dma"]) == ("-71.05999755859", "", "0")
        assert one["url_variables"] == {
            "utm_source": {"key": "utm_source", "value": "news", "type": "url"}
        }
        assert one["data_quality"] == {
            "opentext": {"gibberish": {"12": 12}, "badwords": []},
            "straightlining": {"5": 5},
        }
        assert (two["url_variables"], two["data_quality"], two["survey_data"]) == ([], [], [])
        assert two["referer"] is None

    def test_not_answered_is_absent(self, get: Callable[..., requests.Response]) -> None:
        answers = get("survey/7/surveyresponse/4").json()["data"]["survey_data"]
        assert answers == small.other_answers()
        assert "4" not in answers
        assert "answer" not in answers["12"]

    def test_a_list_and_a_single_call_agree(self, get: Callable[..., requests.Response]) -> None:
        rows = get("survey/7/surveyresponse").json()["data"]
        assert len(rows) > 1
        for row in rows:
            assert get(f"survey/7/surveyresponse/{row['id']}").json()["data"] == row


@pytest.fixture(scope="module")
def call() -> Iterator[Callable[..., requests.Response]]:
    """Calls a sandbox that sends the newer form, single objects flat."""
    with Sandbox(surveys=[small.build()], form="current", flat_single=True) as box:
        yield caller(box)


class TestCurrentForm:
    def test_ids_of_questions_and_pages_are_text(
        self, call: Callable[..., requests.Response]
    ) -> None:
        questions = call("survey/7/surveyquestion").json()["data"]
        assert [q["id"] for q in questions] == [str(n) for n in range(2, 14)]
        assert questions[3]["sub_questions"][0]["id"] == "6"
        assert call("survey/7/surveypage").json()["data"][0]["id"] == "1"

    def test_date_updated_follows_date_submitted_without_a_zone(
        self, call: Callable[..., requests.Response]
    ) -> None:
        row = call("survey/7/surveyresponse").json()["data"][3]
        assert list(row)[4:6] == ["date_submitted", "date_updated"]
        assert row["date_updated"] == "2026-07-01 08:00:00"
        assert row["date_submitted"] == "2026-07-01 08:00:00 EDT"

    def test_not_answered_is_null(self, call: Callable[..., requests.Response]) -> None:
        rows = call("survey/7/surveyresponse").json()["data"]
        assert rows[3]["survey_data"]["12"] == {
            "id": 12,
            "type": "HIDDEN",
            "question": "source",
            "section_id": 2,
            "answer": None,
            "shown": False,
        }
        assert rows[0]["survey_data"]["7"]["answer"] is None
        assert rows[0]["survey_data"]["8"] == small.full_answers()["8"]

    def test_options_and_quality(self, call: Callable[..., requests.Response]) -> None:
        row = call("survey/7/surveyresponse").json()["data"][0]
        assert row["survey_data"]["4"]["options"]["10005"]["original_answer"] == "shop"
        assert row["data_quality"] == {
            "opentext.gibberish": {"12": 12},
            "opentext.badwords": [],
            "straightlining": {"5": 5},
        }

    def test_single_objects_stand_beside_result_ok(
        self, call: Callable[..., requests.Response]
    ) -> None:
        body = call("survey/7/surveyresponse/1").json()
        assert "data" not in body
        assert (body["result_ok"], body["id"]) == (True, "1")
        assert call("account").json()["organization"] == "Larkmoor Outdoor"


class TestRegions:
    def test_us_has_eastern_time_with_real_daylight_saving(
        self, get: Callable[..., requests.Response]
    ) -> None:
        rows = get("survey/7/surveyresponse").json()["data"]
        assert [row["date_submitted"] for row in rows] == [
            "2026-11-01 01:30:00 EDT",
            "2026-11-01 01:30:00 EST",
            "2026-11-03 07:00:00 EST",
            "2026-07-01 08:00:00 EDT",
            "2026-11-05 07:00:00 EST",
        ]
        assert rows[0]["date_started"] == "2026-11-01 01:28:30 EDT"

    @pytest.mark.parametrize("region", ["eu", "ca"])
    def test_eu_and_ca_have_gmt(self, region: str) -> None:
        with Sandbox(surveys=[small.build()], region=region) as box:
            row = caller(box)("survey/7/surveyresponse/4").json()["data"]
            assert row["date_submitted"] == "2026-07-01 12:00:00 GMT"
            survey = caller(box)("survey").json()["data"][0]
            assert survey["created_on"] == "2026-01-02 08:00:00"
            assert f"//survey.{box.settings.domain}/s3/7/" in survey["links"]["default"]
            assert (box.region.timezone, box.region.api_url) == ("Etc/GMT", box.url)

    def test_a_region_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="us, eu, ca, au"):
            Sandbox(region="uk")
