"""The customer survey: one mood per person drives score, satisfaction, grid and comments."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo import phrases
from alchemer_nb.sandbox.demo.answer_sheet import Sheet
from alchemer_nb.sandbox.demo.crm import SEGMENTS, contact_count, segment_of
from alchemer_nb.sandbox.demo.customer_form import customer_form
from alchemer_nb.sandbox.demo.visits import (
    DAY,
    END,
    START,
    Plan,
    Visit,
    build_response,
    draw_key,
    draw_normal,
    draw_visits,
    round_to_scale,
    seeded_random,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from alchemer_nb.sandbox.demo.survey_writer import Option, Question, SurveyWriter

#: Region -> weight, and how far its mood lies from the mean.
_REGIONS = {"1": (0.30, 0.45), "2": (0.30, 0.0), "3": (0.22, -0.55), "4": (0.18, 0.15)}
_REGION_WEIGHTS = {value: weight for value, (weight, _) in _REGIONS.items()}

#: Channel -> share of people who use it, and how much less likely each year of age makes it.
_CHANNELS = {
    "web": (0.70, 0.004),
    "shop": (0.55, -0.004),
    "app": (0.45, 0.012),
    "phone": (0.10, -0.003),
}

_WAYS = {"friends": 0.38, "search": 0.30, "advert": 0.22, "other": 0.10}

# The reporting values of `had_problem` were words until this moment (2026-02-01).
_EDITED = END - 242 * DAY
_OLD_VALUES = {"1": "Yes", "0": "No"}

_LANGUAGES = {"English": 0.60, "French": 0.22, "German": 0.18}


@dataclass(frozen=True, slots=True)
class _Person:
    """The traits of one person, which decide the answers."""

    visit: Visit
    region: str
    age: int
    mood: float
    satisfaction: int


class _Writer:
    """Fills in the customer survey for one person after the other."""

    def __init__(self, rng: Random, questions: Mapping[str, Question], wave: _Wave) -> None:
        self._wave = wave
        self._rng = rng
        self._questions = questions
        self._last: _Person | None = None
        # By question and reporting value; the reporting values of one question are unique.
        self._options = {
            name: {option.value: option for option in question.options}
            for name, question in questions.items()
        }

    def answers(self, visit: Visit) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return survey_data and data_quality of one visit."""
        if visit.empty:
            return {}, {}
        person = self._person(visit)
        self._last = person
        sheet = Sheet(visit.stop_page, keep_rest=visit.keep_rest)
        self._about_you(sheet, person)
        self._experience(sheet, person)
        self._closer_look(sheet, person)
        return sheet.survey_data(), self._quality(person)

    def _person(self, visit: Visit) -> _Person:
        rng = self._rng
        if self._last is not None and self._last.visit.person == visit.person:
            return replace(self._last, visit=visit)
        region = draw_key(rng, _REGION_WEIGHTS)
        mood = visit.mood + self._wave.drift + _REGIONS[region][1]
        if visit.contact is not None:
            mood += SEGMENTS[segment_of(visit.contact)]
        if visit.is_test:
            mood = 3.0 * (rng.random() - 0.5)
        age = min(88, max(16, int(43 + 15 * draw_normal(rng))))
        step = round_to_scale(3.65 + 0.85 * mood + 0.45 * draw_normal(rng), 1, 5)
        return _Person(visit, region, age, mood, step)

    def _option(self, name: str, value: str) -> Option:
        return self._options[name][value]

    def _unless_skipped(self, option: Option, rate: float) -> Option | None:
        return None if self._rng.random() < rate else option

    def _about_you(self, sheet: Sheet, person: _Person) -> None:
        rng, questions, visit = self._rng, self._questions, person.visit
        recent = "0" if visit.status == "Disqualified" else "1"
        sheet.choose(questions["recent_customer"], self._option("recent_customer", recent))
        sheet.choose(questions["region"], self._option("region", person.region))
        age = rng.choice(phrases.ODD_AGES) if rng.random() < 0.008 else str(person.age)
        sheet.type_text(questions["age"], None if rng.random() < 0.06 else age)
        mail = f"customer{visit.person}@example.org"
        sheet.type_text(questions["email"], mail if rng.random() < 0.55 else None)
        day = time.gmtime(visit.started - rng.randrange(1, 120) * DAY)
        typed = f"{day.tm_mon:02d}/{day.tm_mday:02d}/{day.tm_year}"
        if rng.random() < 0.008:
            typed = rng.choice(phrases.ODD_DATES)
        sheet.type_text(questions["last_visit"], None if rng.random() < 0.12 else typed)

    def _experience(self, sheet: Sheet, person: _Person) -> None:
        rng, questions = self._rng, self._questions
        value = "99" if rng.random() < 0.03 else str(person.satisfaction)
        remark = self._phrase(person) if rng.random() < 0.08 else None
        sheet.choose(
            questions["satisfaction"],
            self._unless_skipped(self._option("satisfaction", value), 0.02),
            comment=remark,
        )
        score = round_to_scale(7.2 + 1.9 * person.mood + 0.9 * draw_normal(rng), 0, 10)
        sheet.choose(questions["nps"], self._unless_skipped(self._option("nps", str(score)), 0.03))
        sheet.rate(questions["service"], self._grades(person))
        sheet.tick(questions["channels"], self._channels(person))
        sheet.mark(questions["tasks"], self._tasks(person))

    def _grades(self, person: _Person) -> list[Option | None]:
        rng = self._rng
        columns = self._questions["service"].options
        if person.visit.is_test:
            return [columns[2]] * 4
        chosen: list[Option | None] = []
        for shift in (0.35, 0.0, -0.45, 0.1):
            step = round_to_scale(3.2 + shift + 0.75 * person.mood + 0.7 * draw_normal(rng), 1, 5)
            chosen.append(self._unless_skipped(columns[step - 1], 0.04))
        return chosen

    def _channels(self, person: _Person) -> list[tuple[Option, str | None]]:
        rng = self._rng
        if person.visit.is_test:
            *all_but_last, other = self._questions["channels"].options
            return [
                *((option, None) for option in all_but_last),
                (other, rng.choice(phrases.NOISE)),
            ]
        ticked: list[tuple[Option, str | None]] = []
        if rng.random() < 0.05:
            return ticked
        # The shop is where the North buys, the app where the East does.
        lean = {"1": "shop", "3": "app"}.get(person.region)
        for value, (share, slope) in _CHANNELS.items():
            chance = share - slope * (person.age - 43) + (0.15 if value == lean else 0.0)
            if rng.random() < chance:
                ticked.append((self._option("channels", value), None))
        if rng.random() < 0.05:
            other = self._option("channels", "other")
            ticked.append((other, rng.choice(phrases.OTHER_CHANNELS)))
        return ticked

    def _tasks(self, person: _Person) -> list[tuple[int, int]]:
        rng = self._rng
        if rng.random() < 0.06:
            return []
        online = 0.75 - 0.006 * (person.age - 43)
        chances = ((online, 0.5, 0.02), (online - 0.1, 0.45, 0.08), (0.35, 0.3, 0.35))
        return [
            (row, column)
            for row, row_chances in enumerate(chances)
            for column, chance in enumerate(row_chances)
            if rng.random() < chance
        ]

    def _closer_look(self, sheet: Sheet, person: _Person) -> None:
        rng, questions, visit = self._rng, self._questions, person.visit
        way = draw_key(rng, _WAYS)
        chosen = self._option("heard_from", way)
        if way == "other":
            sheet.write_in(questions["heard_from"], chosen, rng.choice(phrases.OTHER_WAYS))
        else:
            sheet.choose(questions["heard_from"], self._unless_skipped(chosen, 0.03))
        self._problem(sheet, person)
        wrote = visit.is_test or rng.random() < 0.42
        comment = self._phrase(person) if wrote else None
        if rng.random() < 0.004 and not visit.is_test:
            comment = "".join(phrases.STORY.format(day=day) for day in range(1, 31))
        sheet.type_text(questions["comments"], comment)
        sheet.fill_hidden(questions["source"], visit.source[0] if visit.source else None)

    def _problem(self, sheet: Sheet, person: _Person) -> None:
        rng, questions = self._rng, self._questions
        had = "1" if rng.random() < 0.18 - 0.09 * person.mood else "0"
        old = _OLD_VALUES[had] if person.visit.submitted < self._wave.edited else None
        sheet.choose(questions["had_problem"], self._option("had_problem", had), original=old)
        solved = questions["problem_solved"]
        step = round_to_scale(1.0 + 0.6 * person.mood + 0.5 * draw_normal(rng), 0, 2)
        if had == "1":
            sheet.choose(solved, self._option("problem_solved", str(step)))
        elif rng.random() < 0.02:
            # Answered, then went back and took the problem away: the answer stays, hidden.
            sheet.choose(solved, self._option("problem_solved", str(step)), shown=False)
        else:
            sheet.hide(solved)

    def _phrase(self, person: _Person) -> str:
        if person.visit.is_test:
            return self._rng.choice(phrases.NOISE)
        shelf = (phrases.BAD, phrases.MIXED, phrases.GOOD)[round_to_scale(1 + person.mood, 0, 2)]
        return self._rng.choice(shelf[person.visit.language])

    def _quality(self, person: _Person) -> dict[str, Any]:
        # What a service would flag in rows that somebody filled in to try the form.
        visit = person.visit
        if not visit.is_test or visit.stop_page == 1:
            return {}
        grid, boxes, essay = (self._questions[n].id for n in ("service", "channels", "comments"))
        quality: dict[str, Any] = {
            "checkbox": {"one": [], "all": {str(boxes): boxes}},
            "straightlining": {str(grid): grid},
        }
        if visit.stop_page is None:
            quality = {"opentext": {"gibberish": {str(essay): essay}, "badwords": []}} | quality
        return quality


@dataclass(frozen=True, slots=True)
class _Wave:
    """One round of the survey.

    Attributes:
        key: The name of its source of chance.
        start: Unix seconds of its first day; it lasts a year.
        edited: Until when its answers had the old reporting values.
        drift: How far the mood of all lies from that of the current round.
    """

    key: str
    id: int
    titles: tuple[str, str, str]
    internal_title: str
    status: str
    link_id: str
    start: int
    edited: int
    drift: float

    def definition(self, form: SurveyWriter) -> dict[str, Any]:
        """Return the survey around its questions."""
        return form.definition(
            self.id,
            self.titles,
            internal_title=self.internal_title,
            status=self.status,
            team="40001",
            created=self.start - 21 * DAY,
            modified=max(self.start, self.edited),
        )


_CURRENT = _Wave(
    key="customer",
    id=9_000_001,
    titles=("Customer satisfaction", "Satisfaction des clients", "Kundenzufriedenheit"),
    internal_title="CSAT tracker 2025/26",
    status="Launched",
    link_id="300001",
    start=START,
    edited=_EDITED,
    drift=0.0,
)
_BEFORE = _Wave(
    key="customer-2025",
    id=9_000_005,
    titles=(
        "Customer satisfaction 2025",
        "Satisfaction des clients 2025",
        "Kundenzufriedenheit 2025",
    ),
    internal_title="CSAT tracker 2024/25",
    status="Closed",
    link_id="300005",
    start=START - 365 * DAY,
    edited=0,
    drift=-0.25,
)


def customer_survey(seed: int, responses: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Build "Customer satisfaction": its definition and so many responses."""
    survey, filled = _build(_CURRENT, seed, responses)
    asked = (question for page in survey["pages"] for question in page["questions"])
    region = next(question for question in asked if question["shortname"] == "region")
    survey["quotas"] = [
        {
            "name": f"Region {option['title']['English']}",
            "limit": 200,
            "question": region["id"],
            "value": option["value"],
        }
        for option in region["options"][:2]
    ]
    survey["email_campaign"] = 300011
    return survey, filled


def last_customer_survey(seed: int, responses: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Build "Customer satisfaction 2025", the closed round of the year before."""
    return _build(_BEFORE, seed, responses)


def _build(wave: _Wave, seed: int, responses: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    form = customer_form()
    plan = Plan(
        pages=len(form.pages),
        languages=_LANGUAGES,
        link_id=wave.link_id,
        link=f"https://survey.example.com/s3/{wave.id}/customer-satisfaction",
        contacts=contact_count(responses),
        start=wave.start,
        end=wave.start + 365 * DAY,
    )
    rng = seeded_random(seed, wave.key)
    writer = _Writer(rng, form.questions, wave)
    crowd = draw_visits(rng, responses, plan)
    filled = [build_response(visit, plan, *writer.answers(visit)) for visit in crowd]
    return wave.definition(form), filled
