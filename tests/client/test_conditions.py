"""Conditions from Python to the rows that come; which those are is worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import AlchemerError, ConditionError
from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = [("Very happy", "5"), ("Happy", "4"), ("Neither", "3"), ("Unhappy", "2"), ("N/A", "99")]
PARTS = [("Yes", "yes"), ("a lot", "a lot"), ("Yes, a lot", "Yes, a lot"), ("No", "no")]


def options(first: int, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [small.option(first + n, *pair) for n, pair in enumerate(pairs)]


def chosen(own: int, first: int, pairs: list[tuple[str, str]], at: int, **more: Any) -> Any:
    answer = {"answer": pairs[at][1], "answer_id": first + at}
    return small.entry(own, "RADIO", f"Question {own}", 1, **answer, **more)


# One response for each step of the scale, ids 1 to 5; the parts go round: Yes for 1 and 5, …
RESPONSES = [
    small.response(
        n + 1,
        "2026-03-01T12:00:00",
        survey_data={
            "2": chosen(2, 10001, STEPS, n),
            "3": chosen(3, 10011, PARTS, n % 4),
            "6": chosen(6, 10021, STEPS, 4 - n, parent=5),
        },
        url_variables={"from": PARTS[n % 4][0]},
    )
    for n in range(5)
]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    survey = small.survey()
    grid = options(10021, STEPS)
    survey["pages"] = [
        {
            **survey["pages"][0],
            "questions": [
                small.question(2, "RADIO", "Happy?", "happy", options=options(10001, STEPS)),
                small.question(3, "RADIO", "Part?", "part", options=options(10011, PARTS)),
                small.question(
                    5,
                    "TABLE",
                    "Rate",
                    "rate",
                    options=grid,
                    sub_questions=[small.question(6, "RADIO", "Staff", "staff", options=grid)],
                ),
            ],
        }
    ]
    calm = {"calls_per_minute": None, "cache_seconds": 0, "refuse_identical": False}
    with Sandbox(surveys=[small.Small(survey, RESPONSES)], **calm) as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("happy >= Happy", [1, 2]),
        ("happy < Happy", [3, 4]),
        ("happy > 2", [1, 2, 3]),
        ("happy <> Happy", [1, 3, 4, 5]),
        ("staff >= Happy", [4, 5]),
        ("[question(6)] <= 3", [2, 3]),
        (["happy >= Neither", "staff >= Neither"], [3]),
        ('part in "Yes, a lot", "No"', [3, 4]),
        ('part in "Yes, a lot", Yes', [1, 3, 5]),
        ("part in Yes, a lot", [1, 2, 5]),
        ("part = Yes, a lot", [3]),
        ('[question(3), option(10013)] in "Yes, a lot"', [3]),
        ('[url("from")] in "Yes, a lot", No', [3, 4]),
        (f"part in {['Yes, a lot', 'No']}", [3, 4]),
        (f"part in {{{'Yes, a lot'!r}}}", [3]),
        (pd.Series(["happy >= 3", 'part in "Yes, a lot", Yes']), [1, 3]),
        ((line for line in ["happy >= 3", "part = No"]), []),
        (np.array(["happy in 5, 4"]), [1, 2]),
    ],
)
def test_rows_that_fit(client: Client, where: Any, ids: list[int]) -> None:
    got = client.responses(small.SURVEY_ID, where=where, progress="none")
    assert [*got.index] == ids


def test_the_summary_says_how_many_options_were_asked_for(client: Client) -> None:
    got = client.responses(small.SURVEY_ID, where="happy >= Happy", progress="none")
    assert "; happy >=: 2 of 5 options" in got.alchemer.summary
    assert "Happy" not in str(got.alchemer.facts["asked"])
    got = client.responses(small.SURVEY_ID, where="part = No", progress="none")
    assert "options" not in got.alchemer.summary


@pytest.mark.parametrize(
    ("where", "notes"),
    [
        ("happy >= Happy", ["happy >=: 2 of 5 options"]),
        ("part in Yes, 'Yes, a lot'", ["those that fit will be chosen here: Alchemer splits the "
                                       "values of `in` at commas"]),
        (["happy < Happy", "staff > Happy"],
         ["happy <: 2 of 5 options", "staff >: 1 of 5 options"]),
        ("part = No", []),
        (None, []),
    ],
)  # fmt: skip
def test_an_estimate_repeats_the_notes_on_conditions(
    client: Client, where: Any, notes: list[str]
) -> None:
    estimate = client.estimate(small.SURVEY_ID, where=where, test_rows="include")
    assert [*estimate.notes] == notes
    assert str(estimate).endswith("; ".join(["", *notes]))


@pytest.mark.parametrize(
    "where",
    [
        "happy = Hapy", {"happy": "Happy"}, ["happy = Happy", float("nan")], {"a": 1}, b"happy = 5",
        [None], 5, float("nan"), pd.DataFrame({"a": ["happy = 5"]}), "happy = Happy or part = No",
    ],
)  # fmt: skip
def test_what_can_match_nobody_is_an_error_before_responses_are_asked_for(
    client: Client, where: Any
) -> None:
    with pytest.raises(ConditionError):
        client.responses(small.SURVEY_ID, where=where, progress="none")
    with pytest.raises(ConditionError):
        client.estimate(small.SURVEY_ID, where=where)


@pytest.mark.parametrize("name", ["since", "until", "status", "limit", "columns"])
@pytest.mark.parametrize("value", [float("nan"), pd.NaT, pd.NA, {"a": 1}, np.float64("nan")])
def test_missing_values_and_maps_are_refused_as_arguments(
    client: Client, name: str, value: Any
) -> None:
    with pytest.raises(AlchemerError):
        client.responses(small.SURVEY_ID, progress="none", **{name: value})
