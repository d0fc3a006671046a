"""A brand tracker whose grids and last question are repeated for each brand that somebody named.

It is no part of the demo: `Sandbox(types=True)` adds it, and so does `--types` of the command line.
The definition has no row of these grids; what a response names counts its own rows from 10001, as
in two real surveys of 2017. invented: the form of checkbox grids, and that a repeated question has
the same entries as a grid.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo.answer_sheet import Sheet
from alchemer_nb.sandbox.demo.survey_writer import Choice, SurveyWriter
from alchemer_nb.sandbox.demo.visits import (
    DAY,
    END,
    Plan,
    Rates,
    Visit,
    build_responses,
    seeded_random,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from alchemer_nb.sandbox.demo import DemoSurvey
    from alchemer_nb.sandbox.demo.survey_writer import Question

#: Id of the survey.
NUMBER = 9_000_007
TITLE = "Brand tracker"
_OPENS = END - 60 * DAY
#: What is typed as another brand: the same one in two spellings, accents, signs, other letters.
_OTHER_BRANDS = ("Alpenglut", "ALPENGLUT", "Côte &amp; Cime", "Cote Cime", "山の道", "4 Seasons+")


def piped_form() -> SurveyWriter:
    """Write the brand tracker."""
    form = SurveyWriter(["English"])
    form.page("Brands")
    other = Choice("Another one", "other", {"other": True})
    brands = [Choice("Larkmoor"), Choice("Fell &amp; Co"), Choice("North Ridge"), other]
    named = form.ask("brands", "checkbox", "Which brands do you know?", brands)
    form.page("What you think of them")
    rates = [Choice("Good", "3"), Choice("Fair", "2"), Choice("Poor", "1")]
    places = [Choice("In a shop"), Choice("Online")]
    source = str(named.id)
    form.ask("opinion", "radio-grid", "What do you think of them?", rates, piped_from=source)
    form.ask("seen", "checkbox-grid", "Where seen?", places, alias="", piped_from=source)
    form.page("Once more")
    answers = [Choice("Yes", "y"), Choice("No", "n")]
    form.ask("buy_again", "radio", "Would you buy it again?", answers, piped_from=source)
    return form


def build(seed: int, responses: int) -> DemoSurvey:
    """Build "Brand tracker".

    Args:
        seed: Any number; the same gives the same data.
        responses: How many.
    """
    from alchemer_nb.sandbox.demo import DemoSurvey

    form = piped_form()
    plan = Plan(
        pages=len(form.pages),
        languages={"English": 1.0},
        link_id="300007",
        link="https://survey.example.com/s3/9000007/brands",
        minutes=3.0,
        start=_OPENS,
        rates=Rates(disqualified=0.0),
    )
    rng = seeded_random(seed, "piped")
    survey = form.definition(NUMBER, TITLE, team="40001", created=_OPENS - DAY, modified=_OPENS)
    answers = partial(_answers, rng, form.questions)
    return DemoSurvey(survey, build_responses(rng, responses, plan, answers))


def _answers(rng: Random, questions: Mapping[str, Question], visit: Visit) -> dict[str, Any]:
    if visit.empty:
        return {}
    sheet = Sheet(visit.stop_page, keep_rest=visit.keep_rest)
    *brands, other = questions["brands"].options
    named = [(brand, None) for brand in brands if rng.random() < 0.5]
    typed = [(other, text) for text in rng.sample(_OTHER_BRANDS, 1) if rng.random() < 0.3]
    sheet.tick(questions["brands"], [*named, *typed])
    rows = [*(brand.label for brand, _ in named), *(text for _, text in typed)]
    opinions = [(row, [rng.randrange(3)] if rng.random() < 0.9 else []) for row in rows]
    sheet.pipe(questions["opinion"], opinions)
    seen = [(row, [n for n in (0, 1) if rng.random() < 0.4]) for row in rows]
    sheet.pipe(questions["seen"], seen)
    again = [(row, [rng.randrange(2)] if rng.random() < 0.9 else []) for row in rows]
    sheet.pipe(questions["buy_again"], again)
    return sheet.survey_data()
