"""A survey with every question type and every shape of answer, for those who test with it.

It is no part of the demo: `Sandbox(types=True)` adds it, and so does `--types` of the command line.
Response 1 answers everything, response 2 recorded nothing, response 3 was shown nothing; from 4 on
chance decides what is answered. Shapes: https://apihelp.alchemer.com/help/surveyresponse-per-question-v5
and payloads seen in public; what is `invented` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.sandbox.demo.every_type_answers import answers
from alchemer_nb.sandbox.demo.every_type_form import LANGUAGES, pages
from alchemer_nb.sandbox.demo.visits import (
    DAY,
    END,
    Plan,
    Rates,
    build_responses,
    seeded_random,
)

if TYPE_CHECKING:
    from alchemer_nb.sandbox.demo import DemoSurvey

#: Id of the survey.
NUMBER = 9_000_006
TITLE = "Every question type"
_OPENS = END - 30 * DAY


def build(seed: int, responses: int) -> DemoSurvey:
    """Build "Every question type".

    Args:
        seed: Any number; the same gives the same data.
        responses: How many; the first three are those of the module's first lines.
    """
    from alchemer_nb.sandbox.demo import DemoSurvey

    plan = Plan(
        pages=len(pages()),
        languages={"English": 0.8, "German": 0.2},
        link_id="300006",
        link="https://survey.example.com/s3/9000006/types",
        start=_OPENS,
        rates=Rates(test=0, partial=0, disqualified=0, repeated=0, empty=0),
    )
    rng = seeded_random(seed, "types")
    survey = {
        "id": NUMBER,
        "title": TITLE,
        "internal_title": "",
        "type": "Standard Survey",
        "status": "Launched",
        "team": "0",
        "languages": list(LANGUAGES),
        "title_ml": {"English": TITLE},
        "created": _OPENS - DAY,
        "modified": _OPENS,
        "pages": pages(),
    }
    rows = build_responses(rng, responses, plan, lambda visit: answers(rng, visit.number))
    return DemoSurvey(survey, rows)
