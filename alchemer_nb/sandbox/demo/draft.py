"""A survey that somebody began and nobody answered."""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.demo.people import DAY, END
from alchemer_nb.sandbox.demo.survey_writer import Choice, SurveyWriter


def draft_survey() -> tuple[dict[str, Any], list[dict[str, Any]]]:
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
    survey = {
        "id": 9_000_004,
        "title": "Shop opening hours",
        "internal_title": "",
        "type": "Standard Survey",
        "status": "In Design",
        "team": "0",
        "languages": list(form.languages),
        "title_ml": form.by_language("Shop opening hours"),
        "created": END - 3 * DAY,
        "modified": END - 2 * DAY,
        "pages": form.pages,
    }
    return survey, []
