"""Create, update and delete of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import caller

if TYPE_CHECKING:
    from alchemer_nb.sandbox import Sandbox

LIST = "survey/7/surveyresponse"


def made(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


def test_put_creates_and_gives_the_whole_response(own: Sandbox) -> None:
    call = caller(own)
    row = made(
        call(
            LIST,
            "PUT",
            **{"data[2][10001]": "yes", "data[age][value]": "41", "status": "Partial"},
        )
    )
    assert (row["id"], row["status"], row["is_test_data"]) == ("6", "Partial", "0")
    assert row["survey_data"] == {
        "2": {
            "id": 2,
            "type": "RADIO",
            "question": "Happy?",
            "section_id": 1,
            "answer": "yes",
            "answer_id": 10001,
            "shown": True,
        },
        "3": {
            "id": 3,
            "type": "TEXTBOX",
            "question": "Age",
            "section_id": 1,
            "answer": "41",
            "shown": True,
        },
    }
    assert call(LIST).json()["data"][-1] == row


def test_method_in_the_query_and_form_body(own: Sandbox) -> None:
    pair = {"api_token": own.api_token, "api_token_secret": own.api_token_secret}
    answer = requests.post(
        f"{own.url}/v5/{LIST}",
        params=pair | {"_method": "PUT"},
        data={"data[3][value]": "50"},
        timeout=10,
    )
    assert made(answer)["survey_data"]["3"]["answer"] == "50"


def test_everything_as_get_with_method(own: Sandbox) -> None:
    call = caller(own)
    row = made(call(LIST, _method="PUT", **{"data[3][value]": "1"}))
    path = f"{LIST}/{row['id']}"
    changed = made(call(path, _method="POST", **{"data[3][value]": "2"}))
    assert changed["survey_data"]["3"]["answer"] == "2"
    assert call(path, _method="DELETE").json() == {"result_ok": True}
    assert call(path).status_code == 404


def test_json_body(own: Sandbox) -> None:
    pair = {"api_token": own.api_token, "api_token_secret": own.api_token_secret}
    answer = requests.put(
        f"{own.url}/v5/{LIST}",
        params=pair,
        json={"data": {"2": {"10003": "other", "10003-other": "hm"}}},
        timeout=10,
    )
    entry = made(answer)["survey_data"]["2"]
    assert (entry["answer"], entry["answer_id"]) == ("hm", "10003-other")


def test_every_writable_shape(own: Sandbox) -> None:
    call = caller(own)
    row = made(
        call(
            LIST,
            "PUT",
            **{
                "data[2][value]": "no",
                "data[2][comment]": "why not",
                "data[4][10005]": "shop",
                "data[5][6][value]": "2",
                "data[7][10006]": "1",
                "data[8][9][10009]": "tue",
                "data[11][value]": "Ida",
                "data[13][10010]": "70",
                "data[13][10011]": "30",
            },
        )
    )
    data = row["survey_data"]
    assert list(data) == ["2", "4", "6", "7", "8", "10", "13"]
    assert (data["2"]["answer_id"], data["2"]["comments"]) == (10002, "why not")
    assert data["4"]["options"] == {"10005": {"id": 10005, "option": "Shop", "answer": "shop"}}
    assert list(data["6"])[:4] == ["id", "type", "parent", "question"]
    assert (data["6"]["parent"], data["6"]["answer"], data["6"]["answer_id"]) == (5, "2", 10007)
    assert data["7"]["answer_id"] == 10006
    cells = data["8"]["subquestions"]["9"]
    assert [cells[sku]["answer"] for sku in ("10008", "10009")] == [None, "tue"]
    assert cells["10009"]["question"] == "Morning : Tue"
    assert data["10"]["subquestions"]["11"] == {
        "id": 11,
        "type": "TEXTBOX",
        "question": "Name",
        "answer": "Ida",
    }
    assert [one["answer"] for one in data["13"]["options"].values()] == ["70", "30"]


def test_post_changes_what_is_given_and_keeps_the_rest(own: Sandbox) -> None:
    call = caller(own)
    before = made(call(f"{LIST}/1"))
    after = made(call(f"{LIST}/1", "POST", **{"data[3][value]": "31", "status": "Partial"}))
    assert after["status"] == "Partial"
    assert after["survey_data"].pop("3")["answer"] == "31"
    before["survey_data"].pop("3")
    assert after["survey_data"] == before["survey_data"]
    assert call(LIST, order_by="-date_updated").json()["data"][0]["id"] == "1"


def test_deleted_responses_are_never_seen_again(own: Sandbox) -> None:
    call = caller(own)
    assert call(f"{LIST}/1", "DELETE").json() == {"result_ok": True}
    body = call(LIST).json()
    assert [row["id"] for row in body["data"]] == ["2", "3", "4", "5"]
    assert body["total_count"] == "4"
    assert call(f"{LIST}/1").status_code == 404
    asked = {"filter[field][0]": "status", "filter[operator][0]": "="}
    assert call(LIST, **asked, **{"filter[value][0]": "Deleted"}).json()["data"] == []
    assert call("survey").json()["data"][0]["statistics"]["Deleted"] == 1
    assert made(call(LIST, "PUT", **{"data[3][value]": "1"}))["id"] == "6"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data[99][value]": "x"},
        {"data[nobody][value]": "x"},
        {"data[2][10099]": "x"},
        {"data[5][2]": "x"},
        {"data[3][value]": "x", "status": "Deleted"},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused_and_nothing_kept(
    own: Sandbox, sent: dict[str, str]
) -> None:
    call = caller(own)
    answer = call(LIST, "PUT", **sent)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert call(LIST).json()["total_count"] == "5"
