"""The survey "Every question type": what the reference names is in it, in both forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.demo import every_type

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5
TYPE_WORDS = {
    *("TEXTBOX", "ESSAY", "MULTI_TEXTBOX", "RADIO", "CHECKBOX", "MENU", "SLIDER", "MULTI_SLIDER"),
    *("IMAGE_SELECT", "NPS", "TABLE", "RANK", "CONT_SUM", "FILE", "MATRIX", "GROUP", "HIDDEN"),
    *("URLREDIRECT", "EMAIL", "INSTRUCTIONS", "SCRIPT", "LOGIC", "MEDIA", "JAVASCRIPT"),
}
MAP_KEYS = {
    *("text", "number", "email", "percent", "date", "essay", "multitext", "radio", "checkbox"),
    *("menu", "slider", "multi_slider", "single-image", "multi-image", "table-menu", "radio-nps"),
    *("radio-likert", "rank-dragdrop", "rank-table", "contsum", "table-stars", "table-radio"),
    *("table-checkbox", "table-menu-matrix", "table-textbox", "matrix", "group", "contactgroup"),
    *("file", "urlredirect", "hidden", "emailaction", "instructions"),
}


@pytest.fixture(scope="module", params=["2017", "current"])
def received(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    survey = every_type.build(seed=3, responses=40)
    with Sandbox(surveys=[survey], form=request.param) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        path = f"survey/{every_type.NUMBER}"
        yield {
            "form": request.param,
            "questions": client.request("GET", f"{path}/surveyquestion")["data"],
            "survey": client.request("GET", path)["data"],
            "responses": client.request("GET", f"{path}/surveyresponse", {"resultsperpage": "500"})[
                "data"
            ],
        }


def test_every_type_of_the_reference_is_asked(received: dict[str, Any]) -> None:
    questions = received["questions"]
    assert {q["type"] for q in questions} >= TYPE_WORDS
    keys = {q["properties"]["map_key"] for q in questions if q["properties"]}
    assert keys >= MAP_KEYS


def test_the_definition_has_its_odd_forms(received: dict[str, Any]) -> None:
    questions = received["questions"]
    assert {str(type(q["varname"])) for q in questions} == {
        str(kind) for kind in (list, dict, str, type(None))
    }
    assert [] in [q["varname"] for q in questions]
    inner = [q["sub_questions"] for q in questions if "sub_questions" in q]
    assert {type(one) for one in inner} == {list, dict}
    ids = [str(q["id"]) for q in questions]
    assert "31" in ids  # a row of the grid 30, which has it too
    wanted = str if received["form"] == "current" else int
    assert all(isinstance(q["id"], wanted) for q in questions)
    nested = json.dumps(received["survey"]["pages"])
    assert "varname" not in nested


def test_every_shape_of_an_answer_is_sent(received: dict[str, Any]) -> None:
    first, second, third, *rest = received["responses"]
    assert second["survey_data"] == []
    assert all(entry["shown"] is False for entry in third["survey_data"].values())
    data = first["survey_data"]
    assert data["8"]["answer_id"] == 0
    assert data["9"]["answer_id"] == 10017
    assert data["31"]["parent"] == 30
    assert "answer" not in data["10"] or "answer_id" in data["10"]
    assert set(data["40"]["subquestions"]) == {"41", "42"}
    assert "id" not in data["64"]["subquestions"]["71"]
    assert data["64"]["subquestions"]["68"]["type"] == "TABLE"
    assert set(data["83"]["subquestions"]) == {"10001", "10002", "10003", "10004"}
    text = json.dumps(rest)
    for piece in ('"10103-other"', '"rank"', '"original_answer"', '"comments"', '"10039"'):
        assert piece in text
    assert {"98", "99"} <= {own for one in rest if one["survey_data"] for own in one["survey_data"]}
    unanswered = [one["survey_data"]["2"] for one in rest if "Ann" not in json.dumps(one)]
    if received["form"] == "2017":
        assert any("answer" not in entry for entry in unanswered)
    else:
        assert all("answer" in entry for entry in unanswered)


def test_a_switch_adds_it_to_the_demo() -> None:
    with Sandbox(responses=5, types=True) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        assert every_type.TITLE in set(client.surveys()["title"])
        assert len(client.surveys()) == 7
    assert every_type.build(2, 9) == every_type.build(2, 9)
    assert every_type.build(2, 9) != every_type.build(3, 9)
