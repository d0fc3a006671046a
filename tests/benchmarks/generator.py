"""Surveys of any size, made up: definition and pages of responses as Alchemer writes them.

Rows of radio grids stand at the top level with their ``parent``, as in real payloads; cells of
custom tables stand under column ids from 10001 on. The mix of types is a guess: 45 % one choice,
20 % text, 15 % checkboxes, 15 % grids, 5 % tables; 8 % unanswered, 12 % partial.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any

PAGE_SIZE = 500
SURVEY_ID = "4599075"
_WORDS = [
    "service",
    "product",
    "time",
    "staff",
    "really",
    "very",
    "good",
    "bad",
    "slow",
    "support",
    "price",
    "delivery",
    "quality",
    "would",
    "recommend",
    "because",
    "easy",
    "difficult",
    "website",
    "order",
    "again",
    "never",
    "always",
    "customer",
    "experience",
    "team",
    "quick",
    "answer",
    "problem",
    "café",
    "naïve",
    "résumé",
    "value",
]
_STEMS = (
    "How satisfied were you with the <strong>%s</strong> during your most recent visit?",
    "Please tell us why you chose the %s over the alternatives/others.",
    "Which of the following %s apply to you? (Select all that apply)",
    "Overall, how likely are you to recommend our %s to a friend or colleague?",
)
_SCALE = ("Very satisfied", "Satisfied", "Neither", "Dissatisfied", "Very dissatisfied")
_YES_NO = ("Yes", "No", "Don't know / prefer not to say")
_COLOURS = ("Red", "Green", "Blue / teal", "None of the above", "Other, please specify", "Yellow")
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/%d.0.0.0 Safari/537.36"
)
_CYCLE = (
    ["RADIO"] * 8 + ["CHECKBOX"] * 3 + ["TEXTBOX"] * 2 + ["ESSAY"] * 2
    + ["TABLE"] * 3 + ["CUSTOM_TABLE"] + ["MENU"]
)  # fmt: skip
_START = 1_790_000_000


@dataclass(frozen=True)
class _Question:
    id: int
    kind: str
    title: str
    page: int
    options: tuple[tuple[int, str], ...] = ()
    rows: tuple[tuple[int, str], ...] = ()  # of grids, or the columns of a custom table


class Generator:
    """A survey with so many questions.

    Args:
        questions: How many.
        responses: How many there are in all.
        seed: Same seed, same survey, same answers.
    """

    def __init__(self, questions: int, responses: int, seed: int = 1) -> None:
        self.responses = responses
        self.pages = -(-responses // PAGE_SIZE)
        self._seed = seed
        self._questions = _make_questions(questions, random.Random(seed))

    def survey(self) -> dict[str, Any]:
        """The definition, as ``survey/ID`` answers."""
        pages: dict[int, list[dict[str, Any]]] = {}
        for each in self._questions:
            pages.setdefault(each.page, []).append(_definition(each))
        return {
            "id": SURVEY_ID,
            "title": "Benchmark",
            "status": "Launched",
            "languages": ["English"],
            "statistics": {"Complete": str(self.responses)},
            "pages": [
                {"id": number, "title": {"English": f"Page {number}"}, "questions": asked}
                for number, asked in pages.items()
            ],
        }

    def questions(self) -> list[dict[str, Any]]:
        """The flat list, as ``survey/ID/surveyquestion`` answers."""
        return [_definition(each) for each in self._questions]

    def page(self, number: int, size: int = PAGE_SIZE) -> bytes:
        """The bytes of a page of responses, as PHP writes JSON."""
        first = (number - 1) * size
        rows = range(first, min(first + size, self.responses))
        return envelope(
            [self.response(row + 1) for row in rows],
            total=self.responses, page=number, size=size,
        )  # fmt: skip

    def response(self, own: int) -> dict[str, Any]:
        """One response by its id."""
        r = random.Random(self._seed * 1_000_003 + own)
        partial = r.random() < 0.12
        cut = int(len(self._questions) * r.random()) if partial else len(self._questions)
        data: dict[str, Any] = {}
        for number, each in enumerate(self._questions):
            _answer(r, each, data, skip=number >= cut or r.random() < 0.08)
        return _around(r, own, data, partial=partial)


def envelope(rows: list[Any], *, total: int, page: int, size: int) -> bytes:
    """A page of a list, as PHP writes it: ASCII, slashes escaped."""
    body = {
        "result_ok": True,
        "total_count": str(total),
        "page": page,
        "total_pages": -(-total // size),
        "results_per_page": size,
        "data": rows,
    }
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def _make_questions(count: int, r: random.Random) -> list[_Question]:
    made, own, sku = [], 2, 10001

    def options(labels: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
        nonlocal sku
        sku += len(labels)
        return tuple((sku - len(labels) + n, label) for n, label in enumerate(labels))

    for number in range(count):
        kind, page = _CYCLE[number % len(_CYCLE)], 1 + number // 8
        title = r.choice(_STEMS) % (" ".join(r.choices(_WORDS, k=2)) + f" {own}")
        question = own
        own += 1
        if kind in ("RADIO", "MENU"):
            made.append(
                _Question(question, kind, title, page, options(r.choice((_SCALE, _YES_NO))))
            )
        elif kind == "CHECKBOX":
            made.append(_Question(question, kind, title, page, options(_COLOURS)))
        elif kind == "TABLE":
            rows = tuple((own + n, f"Row {' '.join(r.choices(_WORDS, k=3))}") for n in range(5))
            own += 5
            made.append(_Question(question, kind, title, page, options(_SCALE), rows))
        elif kind == "CUSTOM_TABLE":
            columns = tuple((10001 + n, f"Column {r.choice(_WORDS)}") for n in range(3))
            made.append(_Question(question, kind, title, page, options(_SCALE), columns))
        else:
            made.append(_Question(question, kind, title, page))
    return made


def _definition(each: _Question) -> dict[str, Any]:
    keys = {"TABLE": "table-radio", "CUSTOM_TABLE": "matrix", "ESSAY": "essay", "TEXTBOX": "text"}
    inner = [
        {
            "id": own, "base_type": "Question", "type": "RADIO", "title": {"English": words},
            "shortname": "", "varname": [""], "description": [], "comment": False,
            "properties": {"map_key": "radio"}, "options": _options(each),
        }
        for own, words in each.rows
    ]  # fmt: skip
    return {
        "id": each.id,
        "base_type": "Question",
        "type": "MATRIX" if each.kind == "CUSTOM_TABLE" else each.kind,
        "title": {"English": each.title},
        "shortname": "",
        "varname": [""],
        "description": [],
        "comment": False,
        "properties": {"map_key": keys.get(each.kind, each.kind.lower())},
        "options": _options(each),
        **({"sub_questions": inner} if inner else {}),
    }


def _options(each: _Question) -> list[dict[str, Any]]:
    return [
        {"id": own, "title": {"English": label}, "value": label, "properties": []}
        for own, label in each.options
    ]


def _answer(r: random.Random, each: _Question, data: dict[str, Any], *, skip: bool) -> None:
    head = {"id": each.id, "type": each.kind, "question": each.title, "section_id": each.page}
    parent = {**head, "type": "parent"}
    if each.kind == "TABLE":
        for own, words in each.rows:
            row = {"id": own, "type": "RADIO", "parent": each.id, "question": words}
            data[str(own)] = {**row, "section_id": each.page, **_choice(r, each, skip=skip)}
    elif each.kind == "CUSTOM_TABLE":
        cells = {
            str(own): {
                "id": own, "type": "RADIO", "question": words, "section_id": each.page,
                **_choice(r, each, skip=skip),
            }
            for own, words in each.rows
        }  # fmt: skip
        data[str(each.id)] = {**parent, "subquestions": cells, "shown": not skip}
    elif each.kind == "CHECKBOX":
        if not skip:
            chosen = sorted(r.sample(each.options, r.randint(1, 3)))
            options = {
                str(own): {"id": own, "option": label, "answer": label, "original_answer": label}
                for own, label in chosen
            }
            data[str(each.id)] = {**parent, "options": options, "shown": True}
    elif each.kind in ("TEXTBOX", "ESSAY"):
        low, high = (1, 4) if each.kind == "TEXTBOX" else (5, 40)
        text = {} if skip else {"answer": " ".join(r.choices(_WORDS, k=r.randint(low, high)))}
        data[str(each.id)] = {**head, **text, "shown": not skip}
    else:
        data[str(each.id)] = {**head, **_choice(r, each, skip=skip)}


def _choice(r: random.Random, each: _Question, *, skip: bool) -> dict[str, Any]:
    if skip:
        return {"shown": False}
    own, label = r.choice(each.options)
    return {"original_answer": label, "answer": label, "answer_id": own, "shown": True}


def _around(r: random.Random, own: int, data: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    at = _START + own * 37
    clock = "%Y-%m-%d %H:%M:%S EDT"
    ended = time.strftime(clock, time.gmtime(at - 4 * 3600))
    variables = {"src": r.choice(("email", "web", "qr")), "sguid": f"{r.getrandbits(64):x}"}
    octets = (r.randrange(1, 224), r.randrange(256), r.randrange(256), r.randrange(256))
    return {
        "id": str(own),
        "contact_id": "" if r.random() < 0.6 else str(100000 + own),
        "status": "Partial" if partial else "Complete",
        "is_test_data": "0",
        "date_submitted": ended,
        "session_id": f"{at}_{r.getrandbits(96):024x}.{r.random():.8f}",
        "language": "English" if r.random() < 0.8 else "Español",
        "date_started": time.strftime(clock, time.gmtime(at - 4 * 3600 - 300)),
        "date_updated": ended.removesuffix(" EDT"),
        "link_id": str(7_000_000 + r.randrange(4)),
        "url_variables": variables if r.random() < 0.3 else [],
        "ip_address": ".".join(map(str, octets)),
        "referer": "https://survey.alchemer.com/s3/4599075/Customer-Satisfaction",
        "user_agent": _AGENT % r.randrange(110, 130),
        "response_time": r.randrange(30, 3000),
        "data_quality": [],
        "longitude": f"{r.uniform(-120, -70):.4f}",
        "latitude": f"{r.uniform(25, 48):.4f}",
        "country": r.choice(("United States", "Canada", "México")),
        "city": r.choice(("Boulder", "Toronto", "San José", "Denver")),
        "region": r.choice(("CO", "ON", "CA")),
        "postal": str(r.randrange(10000, 99999)),
        "dma": "751",
        "survey_data": data,
    }
