"""The employee pulse: grids, a textbox list, a continuous sum and a ranking; anonymous."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo import phrases
from alchemer_nb.sandbox.demo.answer_sheet import Sheet
from alchemer_nb.sandbox.demo.survey_writer import Choice, Option, Question, SurveyWriter
from alchemer_nb.sandbox.demo.visits import (
    DAY,
    END,
    Plan,
    Rates,
    Visit,
    build_responses,
    draw_key,
    draw_normal,
    round_to_scale,
    seeded_random,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

#: Department -> weight, and how far its mood lies from the mean.
_DEPARTMENTS = {
    "shops": (0.40, -0.2),
    "warehouse": (0.22, -0.4),
    "online": (0.20, 0.35),
    "office": (0.18, 0.2),
}
_WEIGHTS = {name: weight for name, (weight, _) in _DEPARTMENTS.items()}

#: Share of each column of the week's grid for a day at a desk: office, home, on the road.
_DESK = (0.5, 0.55, 0.08)

# Open for the four weeks from 2026-04-13.
_OPENS = END - 171 * DAY
_CLOSES = _OPENS + 28 * DAY


def pulse_form() -> SurveyWriter:
    """Write the employee pulse."""
    form = SurveyWriter(["English"])
    _work(form)
    _mood(form)
    _wishes(form)
    return form


def _work(form: SurveyWriter) -> None:
    form.page("Your work")
    form.ask(
        "department",
        "menu",
        "Where do you work?",
        [
            Choice("Shops", "shops"),
            Choice("Warehouse", "warehouse"),
            Choice("Online shop", "online"),
            Choice("Head office", "office"),
        ],
    )
    form.ask("tenure_years", "number", "For how many years have you been with us?")
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    form.ask(
        "week",
        "checkbox-grid",
        "Where did you work last week?",
        [Choice("On site"), Choice("At home"), Choice("On the road")],
        rows=[(f"week_{day[:3].lower()}", day) for day in days],
    )


def _mood(form: SurveyWriter) -> None:
    form.page("How it feels")
    agreement = [
        Choice("Strongly agree", "5"),
        Choice("Agree", "4"),
        Choice("Neither", "3"),
        Choice("Disagree", "2"),
        Choice("Strongly disagree", "1"),
        # Its reporting value is its label, so that this grid has no numeric codes throughout.
        Choice("Don't know", None, {"na": True}),
    ]
    form.ask(
        "engagement",
        "radio-grid",
        "How far do you agree?",
        agreement,
        rows=[
            ("proud", "I am <b>proud</b> to work here."),
            ("goals", "I know what is expected of me."),
            ("tools", "I have the tools I need."),
            ("growth", "I can learn &amp; grow here."),
            ("balance", "My work leaves room for my life."),
        ],
    )
    # Nobody gave these rows an alias.
    form.ask(
        "manager",
        "radio-grid",
        "My manager …",
        [Choice(word, str(5 - place)) for place, word in enumerate(("Always", "Often"))]
        + [Choice(word, str(3 - place)) for place, word in enumerate(("Sometimes", "Never"))],
        rows=[("", "listens."), ("", "gives useful feedback."), ("", "treats all alike.")],
        alias="",
    )
    form.ask(
        "enps",
        "nps",
        "How likely are you to recommend us as an employer?",
        [Choice(str(score)) for score in range(11)],
    )


def _wishes(form: SurveyWriter) -> None:
    form.page("What should change")
    form.ask(
        "time_split",
        "contsum",
        "How was your time split last week? (in percent)",
        [Choice("Customers"), Choice("Meetings"), Choice("Paperwork"), Choice("Learning")],
    )
    form.ask(
        "benefits",
        "rank",
        "Put these in the order of their worth to you.",
        [
            Choice("Pay", "pay"),
            Choice("Flexible hours", "hours"),
            Choice("Staff discount", "discount"),
            Choice("Pension", "pension"),
            Choice("Days in the hills", "hills"),
        ],
    )
    form.ask(
        "ideas",
        "textlist",
        "Up to three ideas for next year",
        [Choice(f"Idea {number}") for number in (1, 2, 3)],
    )
    form.ask("one_change", "essay", "If you could change one thing, what would it be?")


def pulse_survey(seed: int, responses: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Build "Employee pulse 2026": its definition and so many responses."""
    form = pulse_form()
    plan = Plan(
        pages=len(form.pages),
        languages={"English": 1.0},
        link_id="300003",
        link="https://survey.example.com/s3/9000003/pulse",
        minutes=6.0,
        start=_OPENS,
        end=_CLOSES,
        anonymous=True,
        rates=Rates(disqualified=0.0),
    )
    rng = seeded_random(seed, "pulse")
    survey = form.definition(
        9_000_003,
        "Employee pulse 2026",
        internal_title="Pulse, spring",
        status="Closed",
        team="40003",
        created=_OPENS - 9 * DAY,
        modified=_CLOSES,
    )
    return survey, build_responses(rng, responses, plan, partial(_answers, rng, form.questions))


def _answers(rng: Random, questions: Mapping[str, Question], visit: Visit) -> dict[str, Any]:
    if visit.empty:
        return {}
    sheet = Sheet(visit.stop_page, keep_rest=visit.keep_rest)
    department = draw_key(rng, _WEIGHTS)
    mood = visit.mood + _DEPARTMENTS[department][1]
    _fill_work(rng, questions, sheet, department)
    _fill_mood(rng, questions, sheet, mood)
    _fill_wishes(rng, questions, sheet)
    return sheet.survey_data()


def _fill_work(
    rng: Random, questions: Mapping[str, Question], sheet: Sheet, department: str
) -> None:
    options = {option.value: option for option in questions["department"].options}
    sheet.choose(questions["department"], None if rng.random() < 0.03 else options[department])
    years = f"{rng.randrange(1, 60) / 4:g}" if rng.random() < 0.3 else str(rng.randrange(25))
    sheet.type_text(questions["tenure_years"], None if rng.random() < 0.08 else years)
    shares = _DESK if department in {"online", "office"} else (0.88, 0.03, 0.06)
    grid = questions["week"]
    marked = [
        (row, column)
        for row in range(len(grid.rows))
        for column, share in enumerate(shares)
        if rng.random() < share
    ]
    sheet.mark(grid, marked if rng.random() < 0.95 else [])


def _fill_mood(rng: Random, questions: Mapping[str, Question], sheet: Sheet, mood: float) -> None:
    sheet.rate(questions["engagement"], _agreement(rng, questions["engagement"], mood))
    manager = questions["manager"]
    lean = mood + 0.8 * draw_normal(rng)
    often = [round_to_scale(1.2 - 0.7 * lean + 0.4 * draw_normal(rng), 0, 3) for _ in manager.rows]
    sheet.rate(manager, [manager.options[place] for place in often])
    score = round_to_scale(6.8 + 2.0 * mood + 1.1 * draw_normal(rng), 0, 10)
    sheet.choose(
        questions["enps"], questions["enps"].options[score] if rng.random() < 0.96 else None
    )


def _agreement(rng: Random, grid: Question, mood: float) -> list[Option | None]:
    *_, unknown = grid.options
    chosen: list[Option | None] = []
    for shift in (0.5, 0.7, 0.1, -0.2, -0.4):
        chance = rng.random()
        place = 5 - round_to_scale(3.3 + shift + 0.8 * mood + 0.7 * draw_normal(rng), 1, 5)
        if chance < 0.03:
            chosen.append(None)
        else:
            chosen.append(unknown if chance < 0.07 else grid.options[place])
    return chosen


def _fill_wishes(rng: Random, questions: Mapping[str, Question], sheet: Sheet) -> None:
    parts = _hundred(rng, (5, 3, 2, 1))
    sheet.fill_list(questions["time_split"], {} if rng.random() < 0.1 else parts)
    sheet.fill_list(questions["benefits"], _ranks(rng, len(questions["benefits"].options)))
    ideas = rng.sample(phrases.IDEAS, rng.choice((0, 0, 1, 1, 2, 3)))
    sheet.fill_list(questions["ideas"], dict(enumerate(ideas)))
    change = rng.choice(phrases.CHANGES) if rng.random() < 0.5 else None
    sheet.type_text(questions["one_change"], change)


def _hundred(rng: Random, weights: Sequence[int]) -> dict[int, str]:
    # Shares in steps of five that add up to 100.
    drawn = [weight * (0.5 + rng.random()) for weight in weights]
    shares = [5 * int(20 * part / sum(drawn)) for part in drawn]
    shares[0] += 100 - sum(shares)
    return {place: str(share) for place, share in enumerate(shares)}


def _ranks(rng: Random, items: int) -> dict[int, str]:
    # Some put only their first few in order.
    order = list(range(items))
    rng.shuffle(order)
    ranked = items if rng.random() < 0.85 else rng.randrange(items)
    return {item: str(place + 1) for place, item in enumerate(order[:ranked])}
