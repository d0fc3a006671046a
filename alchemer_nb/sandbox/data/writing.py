"""``data[…]`` of a create or update to entries of ``survey_data``.

The forms that the vendor's page on responses names: ``data[QID][value]`` for text types,
``data[QID][SKU]`` for choices, ranks and items of lists, ``data[QID][SKU-other]`` for write-ins,
``data[QID][comment]``; a question's alias may stand for QID. invented: that what does not fit is
refused with code 400.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.definition import Definition

_STATUSES = ("Complete", "Partial", "Disqualified")
_MANY = ("CHECKBOX", "MULTI_TEXTBOX", "CONT_SUM", "RANK", "MULTI_SLIDER")  # one value per option
_CELLS = ("CHECKBOX", "TEXTBOX", "MULTI_TEXTBOX")  # rows that have one value per column
_OTHER = "-other"


def new_response(survey: Definition, tree: dict[str, Any]) -> dict[str, Any]:
    """Build the neutral record of a create.

    Raises:
        Refusal: No data, a question that is not there, or a status that does not exist.
    """
    now = int(time.time())
    record: dict[str, Any] = {
        "id": None,
        "contact_id": "",
        "status": "Complete",
        "is_test_data": False,
        "submitted": now,
        "started": now,
        "session_id": f"{now}_{secrets.token_hex(7)}.{secrets.randbelow(10**8):08}",
        "language": (survey.record.get("languages") or ["English"])[0],
        "link_id": None,
        "url_variables": {},
        "ip_address": "127.0.0.1",
        "referer": "",
        "user_agent": "",
        "response_time": None,
        "data_quality": {},
        "survey_data": {},
    }
    return changed_response(survey, record, tree)


def changed_response(
    survey: Definition, record: dict[str, Any], tree: dict[str, Any]
) -> dict[str, Any]:
    """Return a copy of a record with the answers of an update.

    Raises:
        Refusal: As for a create.
    """
    given = tree.get("data")
    data = given if isinstance(given, dict) else {}
    status = tree.get("status")
    if not data and status is None:
        raise Refusal(400, "At least one data parameter is required")
    if status is not None and status not in _STATUSES:
        raise Refusal(400, f"Invalid status: {str(status)[:40]}")
    answers = dict(record.get("survey_data") or {})
    for name, parts in data.items():
        question = survey.named(str(name))
        if question is None:
            raise Refusal(400, f"No such question: {str(name)[:40]}")
        _answer(survey, question, parts, answers)
    in_order = {key: answers[key] for key in sorted(answers, key=int)}
    changed = {**record, "survey_data": in_order, "updated": int(time.time())}
    if status is not None:
        changed["status"] = status
    return changed


def _answer(
    survey: Definition, question: dict[str, Any], given: Any, answers: dict[str, Any]
) -> None:
    """Write the answer of one question: at the top level, or below its parent."""
    number, parts = str(question["id"]), given if isinstance(given, dict) else {"value": given}
    if question.get("sub_questions"):  # a grid or group: its parts are keyed by row
        for name, value in parts.items():
            row = survey.named(str(name))
            if row is None or survey.parent_of(int(row["id"])) is not question:
                raise Refusal(400, f"No such row: {str(name)[:40]}")
            _answer(survey, row, value, answers)
        return
    parent = survey.parent_of(int(number))
    if parent is None:
        answers[number] = _entry(survey, question, parts)
    elif parent["type"] != "TABLE":
        entry = _entry(survey, question, parts)
        inner = {key: entry[key] for key in entry if key not in ("section_id", "shown")}
        _below(survey, parent, answers)[number] = {"id": entry["id"], **inner}
    elif question["type"] in _CELLS:
        _below(survey, parent, answers)[number] = _cells(parent, question, parts)
    else:  # rows of a radio grid are siblings of their parent (facts on response shapes)
        head = {"id": int(number), "type": question["type"], "parent": int(parent["id"])}
        answers[number] = head | _entry(survey, question, parts, parent.get("options"))


def _below(survey: Definition, parent: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Return the map of a parent's parts; create parent and map if they are missing."""
    number = int(parent["id"])
    old = answers.get(str(number)) or {}
    rows = dict(old.get("subquestions") or {})
    answers[str(number)] = {
        "id": number,
        "type": "parent",
        "question": _words(parent),
        "subquestions": rows,
        "section_id": survey.page_of(number),
        "shown": True,
    }
    return rows


def _entry(
    survey: Definition,
    question: dict[str, Any],
    parts: dict[str, Any],
    columns: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    kind = question["type"]
    options = {str(one["id"]): one for one in question.get("options") or columns or []}
    many = kind in _MANY
    entry: dict[str, Any] = {
        "id": int(question["id"]),
        "type": "parent" if many else kind,
        "question": _words(question),
        "section_id": survey.page_of(int(question["id"])),
    }
    if many:
        entry["options"] = {
            sku: {"id": int(sku), "option": _words(options[sku]), "answer": str(answer)}
            for sku, answer in _chosen(options, parts)
        }
    else:
        entry |= _one(options, parts)
    comment = parts.get("comment")
    if comment is not None:
        entry["comments"] = str(comment)
    return {**entry, "shown": True}


def _one(options: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    for sku, answer in _chosen(options, parts):
        other = f"{sku}{_OTHER}"
        return {"answer": str(answer), "answer_id": other if other in parts else int(sku)}
    value = parts.get("value")
    if value is None:
        return {}
    for sku, one in options.items():
        if str(one.get("value")) == str(value):
            return {"answer": str(value), "answer_id": int(sku)}
    return {"answer": str(value)}


def _chosen(options: dict[str, Any], parts: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the given options, a write-in's text instead of its reporting value."""
    chosen = {}
    for name, value in parts.items():
        sku = str(name).removesuffix(_OTHER)
        if sku in options and (sku not in chosen or str(name).endswith(_OTHER)):
            chosen[sku] = value
        elif sku not in options and name not in ("value", "comment"):
            raise Refusal(400, f"No such option: {str(name)[:40]}")
    return list(chosen.items())


def _cells(
    parent: dict[str, Any], question: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    """Return the cells of one row of a checkbox or textbox grid: all of them, empty ones null."""
    return {
        str(column["id"]): {
            "id": int(column["id"]),
            "type": question["type"],
            "parent": int(parent["id"]),
            "question": f"{_words(question)} : {_words(column)}",
            "answer": None if (given := parts.get(str(column["id"]))) is None else str(given),
            "shown": True,
        }
        for column in parent.get("options") or []
    }


def _words(thing: dict[str, Any]) -> str:
    title = thing.get("title") or {}
    return str(next(iter(title.values()), "")) if isinstance(title, dict) else str(title)
