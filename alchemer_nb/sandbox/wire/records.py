"""From neutral records to the JSON that the API sends.

A sandbox holds what happened (moments in seconds, flags as booleans); this module gives it the
looks of one region and one *form*:

- ``"2017"``: as in the real payloads of that year. Unanswered: no ``answer`` key; question ids
  are numbers; no ``date_updated``.
- ``"current"``: as in the vendor's 2026 reference. ``"answer": null`` where there is none, ids of
  questions and pages are strings, ``date_updated`` is there, ``original_answer`` is at
  checkbox options, data quality has dotted keys.

In both an empty map is ``[]``, for Alchemer's back end is PHP. invented: that ``original_answer``
of a checkbox option equals its ``answer``, and that dotted keys have two levels.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.wire import stamps

if TYPE_CHECKING:
    from alchemer_nb.sandbox.settings import Settings

_PLACE = ("longitude", "latitude", "country", "city", "region", "postal", "dma")


def encode(value: Any) -> str:
    """Write JSON as PHP does: ASCII, no spaces, slashes escaped."""
    # A slash can only be inside a string, so the replacement is safe.
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def or_list(mapping: Any) -> Any:
    """Return a map, or ``[]`` if it is empty."""
    return mapping or []


def render_response(record: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Render one response, with its fields in the order of real payloads."""
    zone = settings.zone
    submitted, started = record["submitted"], record["started"]
    row: dict[str, Any] = {
        "id": str(record["id"]),
        "contact_id": str(record.get("contact_id") or ""),
        "status": record["status"],
        "is_test_data": "1" if record.get("is_test_data") else "0",
        "date_submitted": stamps.format_zoned(submitted, zone),
    }
    if settings.current:
        row["date_updated"] = stamps.format_local(record.get("updated") or submitted, zone)
    row |= {
        "session_id": record.get("session_id", ""),
        "language": record.get("language", "English"),
        "date_started": stamps.format_zoned(started, zone),
        "link_id": _text(record.get("link_id")),
        "url_variables": or_list(_url_variables(record.get("url_variables"))),
        "ip_address": record.get("ip_address", ""),
        "referer": record.get("referer"),
        "user_agent": record.get("user_agent", ""),
        "response_time": record.get("response_time"),
        "data_quality": or_list(_data_quality(record.get("data_quality"), settings)),
    }
    row |= {field: _place(record.get(field), field) for field in _PLACE}
    answers = record.get("survey_data") or {}
    row["survey_data"] = or_list(_answers(answers) if settings.current else answers)
    return row


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _place(value: Any, field: str) -> str:
    if value is None or value == "":
        return "0" if field == "dma" else ""
    return str(value)


def _url_variables(given: Any) -> dict[str, Any]:
    return {
        name: value if isinstance(value, dict) else {"key": name, "value": value, "type": "url"}
        for name, value in (given or {}).items()
    }


def _data_quality(given: Any, settings: Settings) -> dict[str, Any]:
    if not settings.current:
        return {kind: _inner(found) for kind, found in (given or {}).items()}
    flat: dict[str, Any] = {}
    for kind, found in (given or {}).items():
        parts = found if isinstance(found, dict) else {}
        if parts and all(isinstance(part, dict | list) for part in parts.values()):
            flat |= {f"{kind}.{name}": or_list(part) for name, part in parts.items()}
        else:
            flat[kind] = or_list(found)
    return flat


def _inner(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    return or_list({name: _inner(part) for name, part in found.items()})


def _answers(answers: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _entry(entry) if isinstance(entry, dict) else entry for key, entry in answers.items()
    }


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """Render one entry of survey_data in the current form."""
    if "subquestions" in entry:
        inner = entry["subquestions"]
        return {**entry, "subquestions": _answers(inner) if isinstance(inner, dict) else inner}
    if "options" in entry:
        options = entry["options"]
        if not isinstance(options, dict):
            return entry
        options = {
            sku: {**one, "original_answer": one.get("answer")} for sku, one in options.items()
        }
        return {**entry, "options": options}
    if "type" not in entry:  # a map of cells
        return _answers(entry)
    if "answer" in entry or entry["type"] in ("parent", "TABLE"):
        return entry
    shown = {"shown": entry["shown"]} if "shown" in entry else {}
    return {
        **{key: value for key, value in entry.items() if key != "shown"},
        "answer": None,
        **shown,
    }


def render_question(record: dict[str, Any], settings: Settings, *, varname: bool) -> dict[str, Any]:
    """Render a question; ``varname`` is absent in the tree of a survey (facts on surveys)."""
    shown = {key: value for key, value in record.items() if varname or key != "varname"}
    if settings.current:
        shown["id"] = str(shown["id"])
    inner = shown.get("sub_questions")
    if isinstance(inner, list):
        shown["sub_questions"] = [render_question(one, settings, varname=varname) for one in inner]
    elif isinstance(inner, dict):
        shown["sub_questions"] = {
            alias: render_question(one, settings, varname=varname) for alias, one in inner.items()
        }
    return shown


def render_page(record: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Render a page with its tree of questions."""
    shown = dict(record)
    if settings.current:
        shown["id"] = str(shown["id"])
    shown["questions"] = [
        render_question(one, settings, varname=False) for one in record.get("questions", [])
    ]
    return shown
