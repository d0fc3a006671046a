"""``survey`` with its pages, questions and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.api.account import THEME
from alchemer_nb.sandbox.api.call import Call, Resource, missing
from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.wire import records, replies, stamps

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.definition import Definition

_FIELDS = {
    "date_created": "created_on",
    "date_modified": "modified_on",
    "title": "title",
    "type": "type",
    "team": "team",
    "status": "status",
}


def surveys(call: Call) -> str:
    """Answer ``GET survey``."""
    conditions = filters.read_conditions(call.params)
    rows = [_row(call, one) for one in call.state.library.surveys()]
    matches = [row for row in rows if filters.fulfils(row, conditions, _FIELDS)]
    return replies.cut_page(call.paging, matches, text_count=True)


def survey(call: Call) -> str:
    """Answer ``GET survey/{id}``, with the tree of pages unless ``metaonly`` is given."""
    one = call.survey()
    row = _row(call, one)
    record = one.record
    team, teams = row["team"], call.state.teams
    data = {
        "id": row["id"],
        "team": [{"id": team, "name": teams[team]}] if team in teams else [],
        "type": row["type"],
        "status": row["status"],
        "created_on": row["created_on"],
        "modified_on": row["modified_on"],
        "forward_only": False,
        "languages": record.get("languages") or ["English"],
        "title": row["title"],
        "internal_title": record.get("internal_title") or row["title"],
        "title_ml": record.get("title_ml") or {"English": row["title"]},
        "theme": str(THEME),
        "blockby": "",
        "statistics": row["statistics"],
        "overall_quota": None,
        "auto_close": None,
        "links": {"default": row["links"]["default"], "campaign": row["links"]["publish"]},
    }
    if call.params.get("metaonly", "").lower() not in ("true", "1"):
        data["pages"] = [records.render_page(page, call.settings) for page in one.pages]
    return replies.single_object(data, call.settings)


def _row(call: Call, one: Definition) -> dict[str, Any]:
    record, zone, domain = one.record, call.settings.zone, call.settings.domain
    return {
        "id": str(one.id),
        "team": str(record.get("team") or "0"),
        "type": record.get("type") or "Standard Survey",
        "status": record["status"],
        "created_on": stamps.format_local(record["created"], zone),
        "modified_on": stamps.format_local(record.get("modified") or record["created"], zone),
        "title": record["title"],
        "statistics": call.state.library.count_by_status(one.id) or None,
        "links": {
            "edit": f"https://app.{domain}/builder/build/id/{one.id}",
            "publish": f"https://app.{domain}/distribute/share/id/{one.id}",
            "default": f"https://{one.link(domain)}",
        },
    }


def questions(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyquestion``: one page, sub-questions as items of their own."""
    found = call.survey().questions()
    return replies.single_page(
        [records.render_question(one, call.settings, varname=True) for one in found]
    )


def question(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyquestion/{id}``."""
    return replies.single_object(
        records.render_question(_question(call), call.settings, varname=True), call.settings
    )


def page_questions(call: Call) -> str:
    """Answer ``GET survey/{id}/surveypage/{id}/surveyquestion``."""
    one, number = call.survey(), int(_page(call)["id"])
    found = [q for q in one.questions() if one.page_of(int(q["id"])) == number]
    return replies.single_page(
        [records.render_question(q, call.settings, varname=True) for q in found]
    )


def pages(call: Call) -> str:
    """Answer ``GET survey/{id}/surveypage``: all in one page."""
    return replies.single_page(
        [records.render_page(one, call.settings) for one in call.survey().pages]
    )


def page(call: Call) -> str:
    """Answer ``GET survey/{id}/surveypage/{id}``."""
    return replies.single_object(records.render_page(_page(call), call.settings), call.settings)


def options(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyquestion/{id}/surveyoption``: all in one page."""
    return replies.single_page(_question(call).get("options") or [])


def option(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyquestion/{id}/surveyoption/{id}``."""
    number = call.number("surveyoption")
    for one in _question(call).get("options") or []:
        if int(one["id"]) == number:
            return replies.single_object(one, call.settings)
    raise missing("surveyoption")


def _question(call: Call) -> dict[str, Any]:
    one = call.survey()
    number = call.number("surveyquestion")
    found = one.question(number)
    if found is None or ("surveypage" in call.ids and one.page_of(number) != _page(call)["id"]):
        raise missing("surveyquestion")
    return found


def _page(call: Call) -> dict[str, Any]:
    found = call.survey().page(call.number("surveypage"))
    if found is None:
        raise missing("surveypage")
    return found


_QUESTIONS = Resource(list=questions, get=question)
_OPTIONS = Resource(list=options, get=option)
RESOURCES: dict[tuple[str, ...], Resource] = {
    ("survey",): Resource(list=surveys, get=survey),
    ("survey", "surveypage"): Resource(list=pages, get=page),
    ("survey", "surveypage", "surveyquestion"): Resource(list=page_questions, get=question),
    ("survey", "surveypage", "surveyquestion", "surveyoption"): _OPTIONS,
    ("survey", "surveyquestion"): _QUESTIONS,
    ("survey", "surveyquestion", "surveyoption"): _OPTIONS,
}
