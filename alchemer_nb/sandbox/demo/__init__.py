"""The demo data of the sandbox: an invented organisation, its surveys, and their responses.

`build` returns neutral data: times are unix seconds (UTC), empty maps are empty dicts, ids are
ints; the server writes them as the API does. The same seed and number give the same data on every
platform. Nothing here is about a real person or a real firm.

Rates (see `Rates`): 3 % test data, 10 % partials, 2 % disqualified, 1 % sent twice in one session,
1 % complete with nothing recorded. About half of the customers have a contact id, which the
customer list of `crm_rows` has, too. Across complete rows that are no test data, score (`nps`) and
the reporting value of `satisfaction` ("not applicable" left out) correlate as `BENCHMARK` states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alchemer_nb.sandbox.demo.crm import crm_rows
from alchemer_nb.sandbox.demo.customer import customer_survey, last_customer_survey
from alchemer_nb.sandbox.demo.event import event_survey
from alchemer_nb.sandbox.demo.pulse import pulse_survey
from alchemer_nb.sandbox.demo.survey_writer import Choice, SurveyWriter
from alchemer_nb.sandbox.demo.visits import DAY, END, Rates

__all__ = [
    "BENCHMARK",
    "ORGANISATION",
    "TEAMS",
    "Benchmark",
    "DemoSurvey",
    "Rates",
    "build",
    "crm_rows",
]

#: Who runs the demo account.
ORGANISATION = "Larkmoor Outdoor"

#: Name of each team by the id that surveys carry; "0" is none.
TEAMS = {"40001": "Research", "40002": "Events", "40003": "People"}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What an analysis of the customer survey must find, for every seed from 400 responses on.

    Attributes:
        correlation: Pearson's r of `nps` and the reporting value of `satisfaction`.
        tolerance: How far a seed may be from it.
    """

    correlation: float = 0.78
    tolerance: float = 0.08


BENCHMARK = Benchmark()


@dataclass(frozen=True, slots=True)
class DemoSurvey:
    """One survey of the demo.

    Attributes:
        survey: id, title, internal_title, type, status, team (an id), languages, title_ml, created,
            modified, and the pages with their questions as the API nests them.
        responses: Responses by ascending id, with survey_data as the API gives it.
    """

    survey: dict[str, Any]
    responses: list[dict[str, Any]]


def build(seed: int, responses: int) -> list[DemoSurvey]:
    """Build all surveys of the demo.

    Args:
        seed: Any number; the same gives the same data.
        responses: Responses of the customer survey; the others have fewer.

    Raises:
        ValueError: The number of responses is negative.
    """
    if responses < 0:
        raise ValueError("responses must be 0 or more")
    return [
        DemoSurvey(*customer_survey(seed, responses)),
        DemoSurvey(*event_survey(seed, _fraction(responses, 2))),
        DemoSurvey(*pulse_survey(seed, _fraction(responses, 3))),
        DemoSurvey(*_draft_survey()),
        DemoSurvey(*last_customer_survey(seed, _fraction(responses, 4))),
    ]


def _fraction(responses: int, divisor: int) -> int:
    # At least three, if there are as many: no survey of the demo is empty by rounding.
    return max(min(responses, 3), responses // divisor)


def _draft_survey() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Build "Shop opening hours": a few questions, in design, no responses."""
    form = SurveyWriter(["English"])
    form.page("Page One")
    form.ask("often", "radio", "How often do you visit a shop of ours?", alias="")
    form.ask(
        "days",
        "checkbox",
        "On which days?",
        [Choice("Weekdays"), Choice("Saturday"), Choice("Sunday")],
        alias="",
    )
    form.ask("why", "essay", "Why?", alias="")
    survey = form.definition(
        9_000_004,
        "Shop opening hours",
        status="In Design",
        created=END - 3 * DAY,
        modified=END - 2 * DAY,
    )
    return survey, []
