"""Filters: every field and operator of the vendor's page on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.data import filters
from tests.sandbox import small
from tests.sandbox.conftest import caller

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests


def asking(*conditions: tuple[str, ...]) -> dict[str, str]:
    asked = {}
    for index, condition in enumerate(conditions):
        for name, value in zip(("field", "operator", "value"), condition, strict=False):
            asked[f"filter[{name}][{index}]"] = value
    return asked


def found(get: Callable[..., requests.Response], *conditions: tuple[str, ...]) -> list[int]:
    body = get("survey/7/surveyresponse", **asking(*conditions)).json()
    assert body["total_count"] == str(len(body["data"]))
    return [int(row["id"]) for row in body["data"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("status", "=", "Complete"), [1, 3, 5]),
        (("status", "<>", "Complete"), [2, 4]),
        (("status", "!=", "Complete"), [2, 4]),
        (("status", "in", "Partial, Disqualified"), [2, 4]),
        (("status", "=", "complete"), []),
        (("is_test_data", "=", "1"), [3]),
        (("is_test_data", "=", "0"), [1, 2, 4, 5]),
        (("is_test_data", "=", "false"), [1, 2, 4, 5]),
        (("contact_id", "=", "700000001"), [1]),
        (("contact_id", "IS NULL"), [2, 3, 4, 5]),
        (("contact_id", "is not null"), [1]),
        (("date_submitted", ">", "2026-11-03"), [3, 5]),
        (("date_submitted", "<", "2026-11-01 00:00:00"), [4]),
        (("date_submitted", ">=", "2026-11-03 07:00:00"), [3, 5]),
        (("date_submitted", ">", "2026-11-03 07:00:00"), [5]),
        (("date_submitted", "<=", "2026-07-01 08:00:00"), [4]),
        (("date_submitted", "=", "2026-07-01 08:00:00"), [4]),
        (("date_submitted", ">=", "2026-11-01 01:30:00"), [1, 2, 3, 5]),
        (("date_submitted", ">", "2026-11-01 01:30:00"), [2, 3, 5]),
        (("date_updated", "<", "2026-11-01"), [4]),
        (("[question(2)]", "=", "yes"), [1, 3]),
        (("[question(2)]", "<>", "yes"), [4]),
        (("[question(2)]", "IS NULL"), [2, 5]),
        (("[question(2)]", "IS NOT NULL"), [1, 3, 4]),
        (("[question(2)]", "in", "no,yes"), [1, 3]),
        (("[question(3)]", ">", "9"), [1, 3]),
        (("[question(3)]", "<=", "30"), [1, 3, 4]),
        (("[question(3)]", "=", "9.0"), [4]),
        (("[question(4)]", "=", "shop"), [1, 3]),
        (("[question(4)]", "IS NULL"), [2, 4, 5]),
        (("[question(4), option(10005)]", "=", "shop"), [1, 3]),
        (("[question(4),option(10005)]", "IS NOT NULL"), [1, 3]),
        (("[question(2), option(10003)]", "=", "so so"), [4]),
        (("[question(2), option(10002)]", "IS NOT NULL"), []),
        (("[question(6)]", "=", "2"), [1, 3]),
        (("[question(7)]", "=", "1"), [4]),
        (("[question(9)]", "=", "mon"), [1, 3]),
        (("[question(9), option(10008)]", "=", "mon"), [1, 3]),
        (("[question(9), option(10009)]", "IS NOT NULL"), []),
        (("[question(11)]", "=", "Zoë"), [1, 3]),
        (('[url("utm_source")]', "=", "news"), [1]),
        (('[url("utm_source")]', "IS NULL"), [2, 3, 4, 5]),
        (('[url("nothing")]', "IS NOT NULL"), []),
    ],
    ids=str,
)
def test_on_responses(
    get: Callable[..., requests.Response], condition: tuple[str, ...], expected: list[int]
) -> None:
    assert found(get, condition) == expected


def test_conditions_are_joined_by_and(get: Callable[..., requests.Response]) -> None:
    assert found(get, ("status", "=", "Complete"), ("[question(2)]", "=", "yes")) == [1, 3]
    assert found(
        get,
        ("status", "=", "Complete"),
        ("[question(2)]", "=", "yes"),
        ("is_test_data", "=", "0"),
    ) == [1]


def test_altfilter_holds_the_whole_filter_in_one_text(
    get: Callable[..., requests.Response],
) -> None:
    asked = asking(('[url("utm_source")]', "=", "news"), ("status", "=", "Complete"))
    for text in (urlencode(asked), "&".join(f"{name}={value}" for name, value in asked.items())):
        rows = get("survey/7/surveyresponse", altfilter=text).json()["data"]
        assert [row["id"] for row in rows] == ["1"]


def test_dates_are_in_the_regions_zone() -> None:
    asked = asking(("date_submitted", "=", "2026-07-01 12:00:00"))
    with Sandbox(surveys=[small.build()], region="eu") as box:
        assert caller(box)("survey/7/surveyresponse", **asked).json()["total_count"] == "1"
    with Sandbox(surveys=[small.build()], region="us") as box:
        assert caller(box)("survey/7/surveyresponse", **asked).json()["total_count"] == "0"


@pytest.mark.parametrize(
    "condition",
    [
        ("datesubmitted", "=", "2026-01-01"),
        ("title", "=", "x"),
        ("[question(99)]", "=", "x"),
        ("[question(x)]", "=", "x"),
        ("status", "like", "x"),
        ("status", "==", "x"),
        ("status", "="),
        ("", "=", "x"),
        ("date_submitted", "=", "yesterday"),
        ("1=1) OR (1", "=", "1"),
    ],
)
def test_what_is_no_condition_is_refused(
    get: Callable[..., requests.Response], condition: tuple[str, ...]
) -> None:
    answer = get("survey/7/surveyresponse", **asking(condition))
    body = answer.json()
    assert (answer.status_code, body["result_ok"], body["code"]) == (400, False, 400)
    assert body["message"].startswith("Invalid filter")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("title", "=", "Small survey"), 1),
        (("title", "=", "Other"), 0),
        (("status", "in", "Closed,Launched"), 1),
        (("type", "<>", "Poll"), 1),
        (("team", "=", "0"), 1),
        (("date_created", ">", "2026-01-01 00:00:00"), 1),
        (("date_modified", "<", "2026-07-02 04:00:00"), 0),
    ],
)
def test_on_surveys(
    get: Callable[..., requests.Response], condition: tuple[str, ...], expected: int
) -> None:
    assert len(get("survey", **asking(condition)).json()["data"]) == expected


def test_on_campaigns(get: Callable[..., requests.Response]) -> None:
    rows = get("survey/7/surveycampaign", **asking(("name", "=", "Link 2"))).json()["data"]
    assert [row["id"] for row in rows] == ["300002"]
    assert get("survey/7/surveycampaign", **asking(("invite_id", "=", "1"))).status_code == 400


def test_lists_without_filters_ignore_them(get: Callable[..., requests.Response]) -> None:
    asked = asking(("status", "=", "x"))
    assert get("survey/7/surveyquestion", **asked).json()["total_count"] == 12


@given(
    left=st.one_of(st.none(), st.text(max_size=5), st.integers(-9, 9).map(str)),
    right=st.one_of(st.text(max_size=5), st.integers(-9, 9).map(str)),
)
def test_operators_and_their_opposites(left: str | None, right: str) -> None:
    opposites = [("=", "<>"), ("<", ">="), (">", "<=")]
    there = not filters.compare(left, "IS NULL", "")
    assert there is filters.compare(left, "IS NOT NULL", "")
    for one, other in opposites:
        both: list[Any] = [filters.compare(left, one, right), filters.compare(left, other, right)]
        assert sum(both) == (1 if there else 0)
