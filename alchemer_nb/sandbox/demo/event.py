"""The event form: HTML in its titles, one alias used twice, a question without one."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo import phrases
from alchemer_nb.sandbox.demo.answer_sheet import Sheet
from alchemer_nb.sandbox.demo.crm import contact_count
from alchemer_nb.sandbox.demo.survey_writer import Choice, Option, Question, SurveyWriter
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

# Registration runs from 2026-03-01 until the day before the event (2026-09-17 to 20).
_FIRST_DAY = END - 14 * DAY
_OPENS = END - 214 * DAY


def event_form() -> SurveyWriter:
    """Write the registration form."""
    form = SurveyWriter(["English"])
    _who(form)
    _what(form)
    return form


def _who(form: SurveyWriter) -> None:
    form.page("Who is coming")
    form.ask(
        "welcome",
        "instructions",
        "<h2>Larkmoor Autumn Meet</h2>\n<p>17&ndash;20 September 2026, free of charge</p>",
        alias="",
    )
    form.ask(
        "contact",
        "contact",
        "<b>Your details</b>",
        rows=[("given_name", "Given name"), ("family_name", "Family name"), ("phone", "Phone")],
    )
    form.ask("email", "email", "E-mail&nbsp;address <em>(for your ticket)</em>", required=True)
    form.ask("company", "text", "Club or company")
    # Copied from the question above it, alias and all: aliases need not be unique.
    form.ask("adults", "number", "How many <strong>adults</strong> do you bring?", alias="guests")
    form.ask("children", "number", "And how many <strong>children</strong>?", alias="guests")


def _what(form: SurveyWriter) -> None:
    form.page("What you plan")
    form.ask("arrival", "date", "Day of arrival<br><small>MM/DD/YYYY</small>", required=True)
    form.ask(
        "workshop",
        "menu",
        "Which workshop would you like to join?",
        [
            Choice("Map &amp; compass", "map"),
            # Held twice: one label, two reporting values.
            Choice("First aid", "aid-am"),
            Choice("First aid", "aid-pm"),
            Choice("Gear repair", "repair"),
            Choice("Don't know yet", "later", {"na": True}),
        ],
    )
    form.ask(
        "meals",
        "checkbox",
        "Meals you would like <i>(tick all)</i>",
        [
            Choice("Breakfast"),
            Choice("Packed lunch"),
            Choice("Dinner"),
            Choice("Something else", "else", {"other": True}),
            Choice("None of these", "none", {"none": True}),
        ],
    )
    form.ask("needs", "essay", "Is there anything we should prepare for you?", alias="")
    form.ask(
        "terms",
        "checkbox",
        'I accept the <a href="https://www.example.com/terms">terms</a>',
        [Choice("Yes, I do", "1")],
        required=True,
    )
    form.ask("campaign", "hidden", "utm_campaign")
    form.ask("pitch", "file", "A photo of your tent or van, or a list of what you bring")


def event_survey(seed: int, responses: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Build "Event registration": its definition and so many responses."""
    form = event_form()
    plan = Plan(
        pages=len(form.pages),
        languages={"English": 1.0},
        link_id="300002",
        link="https://survey.example.com/s3/9000002/event-registration",
        contacts=contact_count(responses),
        minutes=2.5,
        start=_OPENS,
        end=_FIRST_DAY,
        rates=Rates(disqualified=0.0),
    )
    # Files have a source of chance of their own: they came later, and changed no other answer.
    rng, of_files = seeded_random(seed, "event"), seeded_random(seed, "event-files")
    survey = form.definition(
        9_000_002,
        "Event registration",
        internal_title="Autumn Meet 2026",
        kind="Form",
        team="40002",
        created=_OPENS - 12 * DAY,
        modified=_OPENS - DAY,
    )
    return survey, build_responses(
        rng, responses, plan, partial(_answers, rng, of_files, form.questions)
    )


def _answers(
    rng: Random, of_files: Random, questions: Mapping[str, Question], visit: Visit
) -> dict[str, Any]:
    if visit.empty:
        return {}
    sheet = Sheet(visit.stop_page, keep_rest=visit.keep_rest)
    _fill_who(rng, questions, visit, sheet)
    _fill_what(rng, questions, visit, sheet)
    # A stored name: as in real payloads, a number, 32 hex digits, and the name of the file.
    stored = f"16-{of_files.getrandbits(128):032x}_{of_files.choice(phrases.FILES)}"
    sheet.type_text(questions["pitch"], stored if of_files.random() < 0.4 else None)
    return sheet.survey_data()


def _fill_who(rng: Random, questions: Mapping[str, Question], visit: Visit, sheet: Sheet) -> None:
    given, family = rng.choice(phrases.GIVEN_NAMES), rng.choice(phrases.FAMILY_NAMES)
    phone = f"555-01{rng.randrange(100):02d}" if rng.random() < 0.6 else ""
    if visit.is_test:
        given, family = rng.choice(phrases.NOISE), ""
    sheet.fill_group(questions["contact"], [given, family, phone])
    sheet.type_text(questions["email"], f"guest{visit.person}@example.org")
    club = rng.choice(("Hill &amp; Dale Ramblers", "Sektion Bergfreunde", "Club des Cimes"))
    sheet.type_text(questions["company"], club if rng.random() < 0.35 else None)
    sheet.type_text(questions["adults"], str(1 + rng.randrange(4)))
    sheet.type_text(questions["children"], str(rng.randrange(4)) if rng.random() < 0.5 else None)


def _fill_what(rng: Random, questions: Mapping[str, Question], visit: Visit, sheet: Sheet) -> None:
    day = time.gmtime(_FIRST_DAY + DAY * rng.randrange(4))
    sheet.type_text(questions["arrival"], f"{day.tm_mon:02d}/{day.tm_mday:02d}/{day.tm_year}")
    workshops = questions["workshop"].options
    sheet.choose(questions["workshop"], rng.choice(workshops) if rng.random() < 0.9 else None)
    sheet.tick(questions["meals"], _meals(rng, questions["meals"]))
    sheet.type_text(questions["needs"], rng.choice(phrases.NEEDS) if rng.random() < 0.3 else None)
    sheet.tick(questions["terms"], [(questions["terms"].options[0], None)])
    sheet.fill_hidden(questions["campaign"], visit.source[1] if visit.source else None)


def _meals(rng: Random, question: Question) -> list[tuple[Option, str | None]]:
    *meals, other, none = question.options
    if rng.random() < 0.15:
        return [(none, None)]
    ticked: list[tuple[Option, str | None]] = [(m, None) for m in meals if rng.random() < 0.55]
    if rng.random() < 0.06:
        ticked.append((other, rng.choice(("Vegan cake", "Gluten-free bread", "Raclette"))))
    return ticked
