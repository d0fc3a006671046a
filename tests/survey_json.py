"""A survey as the API sends it, built by hand: questions, options, responses, and its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb import ApiKey, Client

if TYPE_CHECKING:
    from tests.scripted import ScriptedServer


def option(own, label, value=None, **properties):
    title = label if isinstance(label, dict) else {"English": label}
    return {"id": own, "title": title, "value": value or label, "properties": properties or []}


def question(own, kind, title="", alias="", options=(), rows=(), key="", **properties):
    return {
        "id": own,
        "base_type": "Question",
        "type": kind,
        "title": {"English": title or f"Question {own}"},
        "shortname": alias,
        "varname": [""],
        "description": [],
        "comment": False,
        "properties": {"map_key": key, **properties} if key or properties else [],
        "options": list(options),
        **({"sub_questions": list(rows)} if rows else {}),
    }


def response(own, data, **fields):
    base = {
        "id": str(own),
        "contact_id": "",
        "status": "Complete",
        "is_test_data": "0",
        "date_submitted": "2026-01-15 10:42:26 EST",
        "session_id": "1700000000_6553f1000a1b27.12345678",
        "language": "English",
        "date_started": "2026-01-15 10:40:26 EST",
        "link_id": None,
        "url_variables": [],
        "response_time": 120,
        "data_quality": [],
        "survey_data": data,
    }
    return {**base, **fields}


def serve(server: ScriptedServer, questions, responses, *, nested=True, told=None, survey_id=5):
    """A survey on a scripted server."""
    pages = [{"id": 1, "title": {"English": "Page"}, "questions": questions}] if nested else []
    survey = {
        "id": str(survey_id),
        "title": "Made by hand",
        "languages": ["English", "German"],
        "pages": pages,
    }
    server.answer(f"survey/{survey_id}", {"result_ok": True, "data": survey})
    server.answer(f"survey/{survey_id}/surveyquestion", {"result_ok": True, "data": questions})
    total = len(responses) if told is None else told
    server.answer(
        f"survey/{survey_id}/surveyresponse",
        {
            "result_ok": True,
            "total_count": str(total),
            "page": 1,
            "total_pages": 1,
            "results_per_page": "500",
            "data": responses,
        },
        *([{"result_ok": True, "total_count": str(total), "data": []}] if told else []),
    )
    return Client(ApiKey("token", "secret"), region=server.region)


def frame(scripted, questions, responses, *, survey_id=5, **options):
    client = serve(scripted, questions, responses, survey_id=survey_id)
    return client.responses(survey_id, progress="none", **options)


LIKERT = [
    option(10001, "Very satisfied", "5"),
    option(10002, "Satisfied", "4"),
    option(10003, "Not satisfied", "1"),
]
