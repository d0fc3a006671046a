"""What a survey adds up to: statistics, reports and quotas.

invented: that a survey with responses has two reports, one with an id of the older kind and one of
the newer, and that a quota counts complete responses.
"""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.api.call import Call, Resource, find_row
from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.data.filters import Condition
from alchemer_nb.sandbox.data.statistics import count_answers
from alchemer_nb.sandbox.wire import records, replies


def statistics(call: Call) -> str:
    """Answer ``GET survey/{id}/surveystatistic``, of one question with ``surveyquestion=``."""
    one = call.survey()
    rows = count_answers(one, call.state.library.records(one.id))
    wanted = call.params.get("surveyquestion")
    page = call.params.get("surveypage")
    return replies.single_page(
        [
            row
            for row in rows
            if (not wanted or str(row["id"]) == wanted)
            and (not page or str(one.page_of(row["id"])) == page)
        ]
    )


def reports(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyreport``: a list that names no pages."""
    kinds = [kind for kind in call.params.get("types", "").split(",") if kind]
    rows = [row for row in _reports(call) if not kinds or row["type"] in kinds]
    return records.encode({"result_ok": True, "total_count": len(rows), "data": rows})


def report(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyreport/{id}``."""
    return replies.single_object(find_row(call, "surveyreport", _reports(call)), call.settings)


def _reports(call: Call) -> list[dict[str, Any]]:
    one = call.survey()
    count = call.state.library.count(one.id)
    named = {str(one.id * 10): ("Summary", "summary"), f"st_{one.id}": ("Profile", "profile")}
    return [
        {
            "id": own,
            "survey_id": str(one.id),
            "name": f"{name} of {one.record['title']}",
            "type": kind,
            "status": "Active",
            "last_run": "N/A",
            "responses": count,
            "version": "3",
            "publish_link": f"https://report.{call.settings.domain}/reportsview/?key={own}",
        }
        for own, (name, kind) in named.items()
        if count
    ]


def quotas(call: Call) -> str:
    """Answer ``GET survey/{id}/quotas``: rows under ``quotas``, no paging."""
    return records.encode({"result_ok": True, "quotas": _quotas(call)})


def quota(call: Call) -> str:
    """Answer ``GET survey/{id}/quotas/{id}``: its fields beside ``result_ok``."""
    return records.encode({"result_ok": True, **find_row(call, "quotas", _quotas(call))})


def _quotas(call: Call) -> list[dict[str, Any]]:
    return [
        _quota(call, str(number), one)
        for number, one in enumerate(call.survey().record.get("quotas") or (), 1)
    ]


def _quota(call: Call, number: str, quota: dict[str, Any]) -> dict[str, Any]:
    survey, question = call.survey(), f"[question({quota['question']})]"
    where, values = filters.response_sql(
        [
            Condition("status", "=", "Complete"),
            Condition("is_test_data", "=", "0"),
            Condition(question, "=", quota["value"]),
        ],
        survey,
        call.settings.zone,
    )
    rule = {
        "id": "1",
        "input_value": str(quota["question"]),
        "operator": "=",
        "answers_type": "option",
        "answers_values": quota["value"],
        "rule_percentage": "",
    }
    return {
        "id": number,
        "name": quota["name"],
        "description": "",
        "responses": str(call.state.library.count(survey.id, where, values)),
        "limit": str(quota["limit"]),
        "distributed": "false",
        "groups": [{"id": "1", "rules": [rule]}],
    }


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("survey", "surveystatistic"): Resource(list=statistics),
    ("survey", "surveyreport"): Resource(list=reports, get=report),
    ("survey", "quotas"): Resource(list=quotas, get=quota),
}
