"""Any condition lines: filters for Alchemer, or an error with the number of the line."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.survey import filters
from alchemer_nb.survey.definition import read_definition
from tests.fuzz.judge import ANY, outcome, soon
from tests.fuzz.mutations import texts
from tests.fuzz.surveys import QUESTIONS

SURVEY = read_definition({"id": 5, "title": "T"}, QUESTIONS)
ZONE = ZoneInfo("America/New_York")
LINES = (
    "status = Complete",
    "status in Complete, Partial",
    "date_submitted >= 2026-01-01\ndate_submitted < 2026-02-01T10:00:00+02:00",
    "id in 1, 2, 3\nis_test_data = false",
    "[question(2)] = Yes",
    "[question(2), option(10001)] IS NULL",
    "happy <> 'No'",
    "age > 18\nage <= 65 # of age",
    'channels in "Website", \'The "shop"\'',
    '[url("utm_source")] IS NOT NULL',
    "contact_id = 700000001\nlanguage = English",
)
PERIODS = ("2026-01-01", "2026-01-31T23:59:59Z", "2026-03-08 02:30", "2026-11-01T01:30-05:00")


def read(text):
    found = filters.resolve(filters.parse_conditions(text), SURVEY, ZONE, ZONE)
    return filters.to_params([each for each in found if each.can_be_sent])


@given(text=texts(LINES))
@ANY
def test_any_conditions_become_parameters_or_are_refused(text):
    params = outcome(read, text)
    assert params is None or all(isinstance(value, str) for value in params.values())
    if params is not None:
        "".join(params.values()).encode("utf-8")  # else they cannot be sent


@given(text=texts(LINES))
@ANY
def test_the_line_of_an_error_is_one_of_the_text(text):
    line = 1
    with soon():
        try:
            filters.parse_conditions(text)
        except filters.ConditionError as error:
            line = error.line
    assert 1 <= line <= max(1, len(text.splitlines()))


@given(value=texts(["Yes", "Don't know", 'The "shop"', "a, b", "North # South"]))
@ANY
def test_a_value_between_quotes_is_read_back(value):
    for mark in ("'", '"'):
        quoted = f"{mark}{value.replace(mark, 2 * mark)}{mark}"
        found = outcome(filters.parse_conditions, [f"happy = {quoted}"])
        assert found is None or found[0].value == value


@given(since=texts(PERIODS), until=st.none() | texts(PERIODS))
@ANY
def test_any_period_is_read_or_refused(since, until):
    outcome(
        lambda: filters.submitted_conditions(*filters.parse_period(since, until, ZONE).bounds, ZONE)
    )
