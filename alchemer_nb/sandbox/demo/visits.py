"""Who answers, when and how: visits with a latent mood, a status, a session and a place.

All randomness comes from one `random.Random` seeded with text, and only from its uniform draws and
arithmetic, so that a seed gives the same people on every platform. Addresses are those that are
set aside for documentation (RFC 5737).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = 86_400

#: Unix seconds of 2026-10-01 00:00 UTC: nothing in the demo is younger.
END = 1_790_812_800
#: Unix seconds of 2025-10-01 00:00 UTC.
START = END - 365 * DAY

#: The contact ids of the demo are FIRST_CONTACT, FIRST_CONTACT + 1, …
FIRST_CONTACT = 700_000_001


@dataclass(frozen=True, slots=True)
class Rates:
    """Which share of the responses is what.

    Attributes:
        test: Test data.
        partial: Left before the last page.
        disqualified: Sent away by the screening question.
        repeated: Sent a second time in the session of the response before.
        empty: Complete, but nothing was recorded.
    """

    test: float = 0.03
    partial: float = 0.10
    disqualified: float = 0.02
    repeated: float = 0.01
    empty: float = 0.01


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address seems to be."""

    country: str
    region: str
    city: str
    postal: str
    latitude: str
    longitude: str


_PLACES: dict[str, tuple[Place, ...]] = {
    "English": (
        Place("United Kingdom", "ENG", "Leeds", "LS1", "53.79648000000", "-1.54785000000"),
        Place("United Kingdom", "SCT", "Edinburgh", "EH1", "55.95206000000", "-3.19648000000"),
        Place("Ireland", "L", "Dublin", "D02", "53.33306000000", "-6.24889000000"),
        Place("United States", "CO", "Boulder", "80302", "40.01499000000", "-105.27055000000"),
    ),
    "French": (
        Place("France", "ARA", "Lyon", "69001", "45.74846000000", "4.84671000000"),
        Place("France", "BRE", "Saint-Brieuc", "22000", "48.51513000000", "-2.76838000000"),
        Place("Belgium", "WAL", "Liège", "4000", "50.63373000000", "5.56749000000"),
    ),
    "German": (
        Place("Germany", "BY", "München", "80331", "48.13743000000", "11.57549000000"),
        Place("Germany", "HH", "Hamburg", "20095", "53.57532000000", "10.01534000000"),
        Place("Austria", "6", "Innsbruck", "6020", "47.26266000000", "11.39454000000"),
    ),
}
_NOWHERE = Place("", "", "", "", "", "")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
)
_SOURCES = (("news", "autumn"), ("social", "autumn"), ("qr", "till"), ("partner", "fair"))


@dataclass(frozen=True, slots=True)
class Visit:
    """One response before its answers.

    Attributes:
        number: The response id.
        person: The response id of the person's first visit; differs in a second sending.
        mood: The latent satisfaction that all answers depend on; mean 0, deviation about 1.
        stop_page: The last page of a partial; None otherwise.
        keep_rest: Whether a partial has the pages behind it as not shown, or not at all.
        empty: Complete, but nothing was recorded.
        source: utm_source and utm_campaign of the address that was followed, or None.
    """

    number: int
    person: int
    mood: float
    status: str
    is_test: bool
    stop_page: int | None
    keep_rest: bool
    empty: bool
    language: str
    contact: int | None
    started: int
    submitted: int
    updated: int
    session_id: str
    ip_address: str
    user_agent: str
    place: Place
    source: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the visits to one survey are drawn.

    Attributes:
        pages: The number of its pages.
        languages: Weight of each language.
        link_id: The campaign through which all came.
        link: The address of that campaign, the referer of some responses.
        contacts: How many of the responses carry a contact id.
        minutes: The usual time to fill it in.
        start: Unix seconds of the first possible start.
        end: Unix seconds of the end.
        anonymous: Whether addresses and places are left empty.
    """

    pages: int
    languages: Mapping[str, float]
    link_id: str
    link: str
    contacts: int = 0
    minutes: float = 4.0
    start: int = START
    end: int = END
    anonymous: bool = False
    rates: Rates = Rates()


def seeded_random(seed: int, name: str) -> Random:
    """Return a random generator for one survey, independent of those of the others."""
    return Random(f"{seed}:{name}")  # noqa: S311 - invented people, not secrets


def draw_normal(rng: Random) -> float:
    """Draw from nearly a normal distribution: mean 0, deviation 1.

    The sum of uniform draws, not `gauss`: logarithm and sine differ in the last bit between
    platforms, additions do not.
    """
    draw = rng.random
    return (draw() + draw() + draw() + draw() + draw() + draw() - 3.0) * 2**0.5


def draw_key(rng: Random, weights: Mapping[str, float]) -> str:
    """Draw a key by its weight."""
    target = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        target -= weight
        if target < 0:
            return key
    return key


def round_to_scale(number: float, low: int, high: int) -> int:
    """Round to a step of a scale, and keep within its ends."""
    return min(high, max(low, int(number + 0.5) if number > 0 else 0))


def draw_visits(rng: Random, count: int, plan: Plan) -> list[Visit]:
    """Draw the visits to one survey, ids from 1 in the order in which they were started."""
    starts = sorted(_draw_start(rng, plan) for _ in range(count))
    numbers = [*range(plan.contacts), *([None] * (count - plan.contacts))]
    rng.shuffle(numbers)
    drawn: list[Visit] = []
    for place, (started, contact) in enumerate(zip(starts, numbers, strict=True)):
        visit = _draw_visit(rng, place + 1, started, contact, plan)
        if drawn and rng.random() < plan.rates.repeated:
            visit = _repeat_visit(visit, drawn[-1])
        drawn.append(visit)
    return drawn


def build_responses(
    rng: Random, responses: int, plan: Plan, answers: Callable[[Visit], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Draw so many visits, and put each together with its answers."""
    crowd = draw_visits(rng, responses, plan)
    return [build_response(visit, plan, answers(visit), {}) for visit in crowd]


def build_response(
    visit: Visit, plan: Plan, survey_data: dict[str, Any], data_quality: dict[str, Any]
) -> dict[str, Any]:
    """Put a visit and its answers together; keys in the order of the API."""
    place = visit.place
    source = dict(zip(("utm_source", "utm_campaign"), visit.source or (), strict=False))
    timed = visit.status != "Partial" or visit.number % 2 == 0
    return {
        "id": visit.number,
        "contact_id": "" if visit.contact is None else str(FIRST_CONTACT + visit.contact),
        "status": visit.status,
        "is_test_data": visit.is_test,
        "submitted": visit.submitted,
        "session_id": visit.session_id,
        "language": visit.language,
        "started": visit.started,
        "updated": visit.updated,
        "link_id": plan.link_id,
        "url_variables": source,
        "ip_address": visit.ip_address,
        "referer": plan.link if visit.source else "",
        "user_agent": visit.user_agent,
        "response_time": visit.submitted - visit.started if timed else None,
        "data_quality": data_quality,
        "longitude": place.longitude,
        "latitude": place.latitude,
        "country": place.country,
        "city": place.city,
        "region": place.region,
        "postal": place.postal,
        "dma": "0" if place.country else "",
        "survey_data": survey_data,
    }


def _draw_start(rng: Random, plan: Plan) -> int:
    # Any day, but mostly in the middle of it.
    day = plan.start + DAY * rng.randrange((plan.end - plan.start) // DAY)
    return day + 6 * 3600 + int(15 * 3600 * (rng.random() + rng.random()) / 2)


def _draw_visit(rng: Random, number: int, started: int, contact: int | None, plan: Plan) -> Visit:
    rates = plan.rates
    chance = rng.random()
    status, stop = "Complete", None
    if chance < rates.partial and plan.pages > 1:
        status, stop = "Partial", rng.randrange(1, plan.pages)
    elif rates.partial <= chance < rates.partial + rates.disqualified:
        status, stop = "Disqualified", 1
    language = draw_key(rng, plan.languages)
    seconds = max(25, int(60 * plan.minutes * (1 + 0.4 * draw_normal(rng))))
    if stop is not None:
        seconds = max(8, seconds * stop // plan.pages)
    submitted = started + seconds
    edited = rng.random() < 0.03
    later = submitted + rng.randrange(1, 20 * DAY)
    return Visit(
        number=number,
        person=number,
        mood=draw_normal(rng),
        status=status,
        is_test=rng.random() < rates.test,
        stop_page=stop,
        keep_rest=rng.random() < 0.4,
        empty=rng.random() < rates.empty and status == "Complete",
        language=language,
        contact=contact,
        started=started,
        submitted=submitted,
        updated=min(later, max(plan.end, submitted)) if edited else submitted,
        session_id=_session_id(rng, started),
        ip_address="" if plan.anonymous else f"{rng.choice(_NETWORKS)}.{rng.randrange(1, 255)}",
        user_agent=rng.choice(_AGENTS),
        place=_NOWHERE if plan.anonymous else _place(rng, language),
        source=rng.choice(_SOURCES) if rng.random() < 0.35 else None,
    )


def _place(rng: Random, language: str) -> Place:
    # Some addresses cannot be placed.
    return rng.choice(_PLACES[language]) if rng.random() < 0.95 else _NOWHERE


def _session_id(rng: Random, started: int) -> str:
    # As PHP's uniqid makes it: seconds and microseconds in hexadecimal, then nine digits.
    micro = rng.randrange(1_000_000)
    digits = rng.randrange(1_000_000_000)
    tail = f"{digits:09d}"
    return f"{started}_{started:08x}{micro:05x}{tail[0]}.{tail[1:]}"


def _repeat_visit(visit: Visit, before: Visit) -> Visit:
    # The same person went back and sent the form a second time, a few minutes later.
    wait = visit.submitted - visit.started
    return replace(
        before,
        number=visit.number,
        started=before.started,
        submitted=before.submitted + wait,
        updated=before.submitted + wait,
    )
