"""A small survey with a question of each shape, as Alchemer sends it: the seeds of mutations."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

from alchemer_nb import ApiKey, Client
from tests.scripted import Reply
from tests.survey_json import option, question, response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scripted import ScriptedServer

OWN = 5
_YES_NO = [
    option(10001, "Yes", "1"),
    option(10002, "No", "0"),
    option(10003, "Other", "o", other=True),
]
_CHANNELS = [option(10004, {"English": "Website", "German": "Netz"}, "web"), option(10005, "Shop")]
_SCALE = [
    option(10006, "Bad", "1"),
    option(10007, "Good", "2"),
    option(10008, "n/a", "99", na=True),
]
_ROWS = [
    question(6, "RADIO", "Staff", options=_SCALE),
    question(7, "RADIO", "Price", options=_SCALE),
]
QUESTIONS: list[dict[str, Any]] = [
    question(2, "RADIO", "Happy?", "happy", _YES_NO, key="radio"),
    question(3, "TEXTBOX", "Age", "age", key="text", subtype="number"),
    question(4, "CHECKBOX", "Channels", "channels", _CHANNELS, key="checkbox"),
    question(5, "TABLE", "Rate", options=_SCALE, rows=_ROWS, key="table-radio"),
    question(8, "TABLE", "When", options=_CHANNELS, rows=[question(9, "CHECKBOX", "Morning")]),
    question(10, "GROUP", "You", rows=[question(11, "TEXTBOX", "Name", "name")], key="group"),
    question(12, "CONT_SUM", "Split", "split", _CHANNELS, key="contsum"),
    question(13, "TEXTBOX", "Day", "day", key="date"),
    question(14, "NPS", "Recommend?", "nps", [option(10010 + n, str(n)) for n in range(11)]),
    question(15, "TABLE", "Brands", "", _SCALE, key="table-radio", piped_from="4"),
]
PAGES = [{"id": 1, "title": {"English": "Page"}, "questions": QUESTIONS}]
SURVEY: dict[str, Any] = {
    "result_ok": True,
    "data": {
        "id": str(OWN),
        "title": "Made by hand",
        "languages": ["English", "German"],
        "pages": PAGES,
    },
}


def _entry(own: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": own, "type": kind, "question": "Q", "section_id": 1, **more, "shown": True}


_DATA = {
    "2": _entry(2, "RADIO", answer="so so", answer_id="10003-other", original_answer="1"),
    "3": _entry(3, "TEXTBOX", answer="042"),
    "4": _entry(
        4, "parent", options={"10004": {"id": 10004, "option": "Website", "answer": "web"}}
    ),
    "6": _entry(6, "RADIO", parent=5, answer="2", answer_id=10007, comments="well"),
    "8": _entry(
        8,
        "parent",
        subquestions={
            "9": {"10004": {"id": 10004, "type": "CHECKBOX", "parent": 8, "answer": "web"}}
        },
    ),
    "10": _entry(
        10,
        "parent",
        subquestions={"11": {"id": 11, "type": "TEXTBOX", "parent": 10, "answer": "Zoë"}},
    ),
    "12": _entry(12, "parent", options={"10005": {"id": 10005, "option": "Shop", "answer": "40"}}),
    "13": _entry(13, "TEXTBOX", answer="01/31/2026"),
    "14": _entry(14, "NPS", answer="9", answer_id=10019),
    "15": _entry(15, "RADIO", parent=15, question="Website", answer="1", answer_id=10006),
    "99": _entry(99, "NOVEL", answer={"x": [1, 2]}, new_field=True),
}
RESPONSES = [
    response(1, _DATA, url_variables={"utm": {"key": "utm", "value": "news", "type": "url"}}),
    response(2, [], status="Partial", is_test_data="1", date_submitted="2026-07-01 00:00:00 EDT"),
    response(3, {"2": _DATA["2"], "14": _DATA["14"]}, date_updated="2026-01-16 10:42:26"),
]
PAGE: dict[str, Any] = {
    "result_ok": True,
    "total_count": "3",
    "page": 1,
    "total_pages": 1,
    "results_per_page": "500",
    "data": RESPONSES,
}
LIST: dict[str, Any] = {**PAGE, "total_count": 10, "data": QUESTIONS}
QUIET: dict[str, Any] = {"progress": "none"}


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def client_of(
    server: ScriptedServer,
    *,
    survey: bytes = as_json(SURVEY),
    questions: bytes = as_json(LIST),
    responses: bytes = as_json(PAGE),
    store: Path | None = None,
) -> Client:
    """A client that remembers nothing, of a server with these replies."""
    server.asked.clear()
    server.asked_headers.clear()
    server.answer("account", {"result_ok": True, "data": {"id": 1}})
    server.answer(f"survey/{OWN}", Reply(survey))
    server.answer(f"survey/{OWN}/surveyquestion", Reply(questions))
    server.answer(f"survey/{OWN}/surveyresponse", Reply(responses))
    key = ApiKey("token", "secret")
    more = {"retries": 1, "requests_per_minute": 10**6, "store": store}
    return Client(key, region=server.region, **more)


def new_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz-")
