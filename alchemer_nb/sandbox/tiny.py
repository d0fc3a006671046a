"""A stand-in until the demo data is there: one survey, a few answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ORGANISATION = "Sandbox"


@dataclass
class Tiny:
    """A survey and its responses."""

    survey: dict[str, Any]
    responses: list[dict[str, Any]]


def build(seed: int, responses: int) -> list[Tiny]:
    """Gives one survey."""
    options = [
        {
            "id": 10001,
            "title": {"English": "Yes"},
            "value": "Yes",
            "properties": {"disabled": False},
        },
        {"id": 10002, "title": {"English": "No"}, "value": "No", "properties": {"disabled": False}},
    ]
    question = {
        "id": 2,
        "base_type": "Question",
        "type": "RADIO",
        "title": {"English": "Happy?"},
        "shortname": "happy",
        "varname": [""],
        "description": [],
        "has_showhide_deps": False,
        "comment": False,
        "properties": {"map_key": "radio", "required": False},
        "options": options,
    }
    survey = {
        "id": 9000001,
        "title": "Customer satisfaction",
        "internal_title": "",
        "status": "Launched",
        "type": "Standard Survey",
        "team": "0",
        "languages": ["English"],
        "title_ml": {"English": "Customer satisfaction"},
        "created": 1767225600,
        "modified": 1767225600,
        "pages": [
            {
                "id": 1,
                "title": {"English": ""},
                "description": [],
                "properties": {"hidden": False, "piped_from": ""},
                "questions": [question],
            }
        ],
    }
    rows = []
    for number in range(1, responses + 1):
        pick = options[(number * 7 + seed) % 2]
        moment = 1767225600 + number * 3600
        rows.append(
            {
                "id": number,
                "contact_id": "",
                "status": "Complete",
                "is_test_data": False,
                "submitted": moment,
                "started": moment - 60,
                "session_id": f"{moment}_0",
                "language": "English",
                "link_id": "300001",
                "url_variables": {},
                "ip_address": "192.0.2.1",
                "referer": "",
                "user_agent": "",
                "response_time": 60,
                "data_quality": {},
                "survey_data": {
                    "2": {
                        "id": 2,
                        "type": "RADIO",
                        "question": "Happy?",
                        "section_id": 1,
                        "answer": pick["value"],
                        "answer_id": pick["id"],
                        "shown": True,
                    }
                },
            }
        )
    return [Tiny(survey, rows)]
