"""A small survey whose every answer is known, in the neutral form that a sandbox takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SURVEY_ID = 7


@dataclass(frozen=True)
class Small:
    survey: dict[str, Any]
    responses: list[dict[str, Any]]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def option(number: int, title: str, value: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": {"English": title},
        "value": value,
        "properties": {"disabled": False, **properties},
    }


def question(number: int, kind: str, title: str, alias: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "base_type": "Question",
        "type": kind,
        "title": {"English": title},
        "shortname": alias,
        "varname": [""],
        "description": [],
        "has_showhide_deps": False,
        "comment": False,
        "properties": {"required": False, "hidden": False},
        **more,
    }


def survey() -> dict[str, Any]:
    columns = [option(10006, "Bad", "1"), option(10007, "Good", "2")]
    days = [option(10008, "Mon", "mon"), option(10009, "Tue", "tue")]
    first = [
        question(
            2,
            "RADIO",
            "Happy?",
            "happy",
            options=[
                option(10001, "Yes", "yes"),
                option(10002, "No", "no"),
                option(10003, "Other", "other", other=True),
            ],
        ),
        question(3, "TEXTBOX", "Age", "age"),
        question(
            4,
            "CHECKBOX",
            "Channels",
            "channels",
            options=[option(10004, "Website", "web"), option(10005, "Shop", "shop")],
        ),
    ]
    second = [
        question(
            5,
            "TABLE",
            "Rate",
            options=columns,
            sub_questions=[
                question(6, "RADIO", "Staff", options=columns),
                question(7, "RADIO", "Price", options=columns),
            ],
        ),
        question(
            8,
            "TABLE",
            "When",
            options=days,
            sub_questions=[question(9, "CHECKBOX", "Morning", options=days)],
        ),
        question(10, "GROUP", "You", sub_questions=[question(11, "TEXTBOX", "Name")]),
        question(12, "HIDDEN", "source"),
        question(
            13,
            "CONT_SUM",
            "Split",
            "split",
            options=[option(10010, "Work", "work"), option(10011, "Play", "play")],
        ),
    ]
    return {
        "id": SURVEY_ID,
        "title": "Small survey",
        "internal_title": "small",
        "type": "Standard Survey",
        "status": "Launched",
        "team": "0",
        "languages": ["English"],
        "title_ml": {"English": "Small survey"},
        "created": utc("2026-01-02T08:00:00"),
        "modified": utc("2026-07-02T08:00:00"),
        "pages": [
            {
                "id": number,
                "title": {"English": f"Page {number}"},
                "description": [],
                "properties": {"hidden": False, "piped_from": ""},
                "questions": questions,
            }
            for number, questions in ((1, first), (2, second))
        ],
    }


def entry(number: int, kind: str, title: str, page: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "question": title, "section_id": page, **more}


def full_answers() -> dict[str, Any]:
    return {
        "2": entry(2, "RADIO", "Happy?", 1, answer="yes", answer_id=10001, shown=True),
        "3": entry(3, "TEXTBOX", "Age", 1, answer="30", shown=True),
        "4": entry(
            4,
            "parent",
            "Channels",
            1,
            options={
                "10004": {"id": 10004, "option": "Website", "answer": "web"},
                "10005": {"id": 10005, "option": "Shop", "answer": "shop"},
            },
            shown=True,
        ),
        "6": {
            "id": 6,
            "type": "RADIO",
            "parent": 5,
            "question": "Staff",
            "section_id": 2,
            "answer": "2",
            "answer_id": 10007,
            "shown": True,
        },
        "7": {
            "id": 7,
            "type": "RADIO",
            "parent": 5,
            "question": "Price",
            "section_id": 2,
            "shown": True,
        },
        "8": {
            "id": 8,
            "type": "parent",
            "question": "When",
            "subquestions": {
                "9": {
                    "10008": {
                        "id": 10008,
                        "type": "CHECKBOX",
                        "parent": 8,
                        "question": "Morning : Mon",
                        "answer": "mon",
                        "shown": True,
                    },
                    "10009": {
                        "id": 10009,
                        "type": "CHECKBOX",
                        "parent": 8,
                        "question": "Morning : Tue",
                        "answer": None,
                        "shown": True,
                    },
                }
            },
            "section_id": 2,
            "shown": True,
        },
        "10": {
            "id": 10,
            "type": "parent",
            "question": "You",
            "subquestions": {
                "11": {
                    "id": 11,
                    "question": "Name",
                    "type": "TEXTBOX",
                    "parent": 10,
                    "answer": "Zoë",
                }
            },
            "section_id": 2,
            "shown": True,
        },
        "12": entry(12, "HIDDEN", "source", 2, answer="mail", answer_id=0, shown=False),
    }


def other_answers() -> dict[str, Any]:
    return {
        "2": entry(2, "RADIO", "Happy?", 1, answer="so so", answer_id="10003-other", shown=True),
        "3": entry(3, "TEXTBOX", "Age", 1, answer="9", shown=True),
        "7": {
            "id": 7,
            "type": "RADIO",
            "parent": 5,
            "question": "Price",
            "section_id": 2,
            "answer": "1",
            "answer_id": 10006,
            "shown": True,
        },
        "12": entry(12, "HIDDEN", "source", 2, shown=False),
    }


def response(number: int, submitted: str, **more: Any) -> dict[str, Any]:
    moment = utc(submitted)
    return {
        "id": number,
        "contact_id": "",
        "status": "Complete",
        "is_test_data": False,
        "submitted": moment,
        "started": moment - 90,
        "updated": moment,
        "session_id": f"{moment}_6553f1000a1b27.12345678",
        "language": "English",
        "link_id": "300001",
        "url_variables": {},
        "ip_address": "192.0.2.1",
        "referer": None,
        "user_agent": "test",
        "response_time": 90,
        "data_quality": {},
        "longitude": "-71.05999755859",
        "latitude": "",
        "country": "",
        "city": "",
        "region": "",
        "postal": "",
        "dma": "",
        "survey_data": {},
        **more,
    }


def build() -> Small:
    """Five responses; 1 and 2 lie in the hour that occurs twice in US Eastern time."""
    quality = {"opentext": {"gibberish": {"12": 12}, "badwords": {}}, "straightlining": {"5": 5}}
    return Small(
        survey(),
        [
            response(
                1,
                "2026-11-01T05:30:00",
                contact_id="700000001",
                url_variables={"utm_source": "news"},
                data_quality=quality,
                survey_data=full_answers(),
            ),
            response(2, "2026-11-01T06:30:00", status="Partial"),
            response(3, "2026-11-03T12:00:00", is_test_data=True, survey_data=full_answers()),
            response(4, "2026-07-01T12:00:00", status="Disqualified", survey_data=other_answers()),
            response(5, "2026-11-05T12:00:00", response_time=None, link_id="300002"),
        ],
    )
