"""A survey is found by a title as people type it."""

from __future__ import annotations

import pytest

from alchemer_nb.client.titles import find_survey_id
from alchemer_nb.errors import SurveyNotFound

ROWS = [
    {"id": "9000001", "title": "Guests’ visit – spring"},
    {"id": "9000002", "title": "The “big” event &amp; more"},
    {"id": "9000003", "title": "Опрос клиентов"},
    {"id": "9000004", "title": "Straße und Café"},
    {"id": "9000005", "title": "Pulse"},
    {"id": "9000006", "title": "PULSE"},
    {"id": "9000007", "title": "Pulse 2026"},
]


def find(title: str) -> str:
    return find_survey_id(title, lambda: ROWS)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("guests' visit - spring", 1),
        ("GUESTS`  VISIT — SPRING", 1),
        ("visit\u00a0\u2013\u00a0spr", 1),
        ('the "big" event & MORE', 2),
        ("the «big» event & more", 2),
        ("опрос КЛИЕНТОВ", 3),
        ("strasse und cafe\u0301", 4),
        ("Pulse", 5),
        ("PULSE", 6),
        ("pulse 2026\u200b", 7),
    ],
)
def test_case_quotes_dashes_and_blanks_do_not_matter(typed, number):
    assert find(typed) == f"900000{number}"


def test_several_that_are_spelled_alike_are_listed_with_their_ids():
    with pytest.raises(SurveyNotFound) as caught:
        find("pulsE")
    assert "2 surveys fit 'pulsE': 'Pulse' (9000005); 'PULSE' (9000006); give" in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Guest's visit - sprung", "did you mean 'Guests’ visit – spring'?"),
        ("evnet", "did you mean 'The “big” event & more' (9000002)?"),
        ("клеинтов", "did you mean 'Опрос клиентов'?"),
        ("nothing like it", "client.surveys() lists them"),
    ],
)
def test_a_near_miss_is_told_what_could_be_meant(typed, meant):
    with pytest.raises(SurveyNotFound) as caught:
        find(typed)
    assert str(caught.value).endswith(meant)
