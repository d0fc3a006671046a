"""The demo data against the shapes of real payloads, by a reader of its own."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from alchemer_nb.sandbox.demo import DemoSurvey, build

TITLES = (
    "Customer satisfaction",
    "Event registration",
    "Employee pulse 2026",
    "Shop opening hours",
    "Customer satisfaction 2025",
)
ANSWERED = [title for title in TITLES if title != "Shop opening hours"]

RESPONSE_KEYS = [
    "id", "contact_id", "status", "is_test_data", "submitted", "session_id", "language",
    "started", "updated", "link_id", "url_variables", "ip_address", "referer", "user_agent",
    "response_time", "data_quality", "longitude", "latitude", "country", "city", "region",
    "postal", "dma", "survey_data",
]  # fmt: skip

# The order in which the keys of an entry stand in real payloads.
ENTRY_ORDER = [
    "id", "type", "parent", "question", "subquestions", "section_id", "original_answer",
    "options", "answer", "answer_id", "shown", "comments",
]  # fmt: skip

QUESTION_KEYS = {
    "id", "base_type", "type", "title", "shortname", "varname", "description",
    "has_showhide_deps", "comment", "properties", "options",
}  # fmt: skip

DOCUMENTATION_NETWORKS = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]


@cache
def surveys() -> dict[str, DemoSurvey]:
    return {d.survey["title"]: d for d in build(1, 600)}


def questions(survey: dict[str, Any]) -> list[dict[str, Any]]:
    """All questions that stand on pages."""
    return [question for page in survey["pages"] for question in page["questions"]]


def with_parts(survey: dict[str, Any]) -> list[dict[str, Any]]:
    """All questions, rows and parts of groups included."""
    flat = []
    for question in questions(survey):
        flat += [question, *question.get("sub_questions", ())]
    return flat


def every_entry(title: str) -> list[dict[str, Any]]:
    return [e for row in surveys()[title].responses for e in row["survey_data"].values()]


@pytest.mark.parametrize("title", TITLES)
def test_survey_and_pages(title: str) -> None:
    survey = surveys()[title].survey
    assert list(survey) == [
        "id", "title", "internal_title", "type", "status", "team", "languages", "title_ml",
        "created", "modified", "pages",
        *(["quotas", "email_campaign"] if title == "Customer satisfaction" else []),
    ]  # fmt: skip
    assert isinstance(survey["id"], int)
    assert survey["created"] < survey["modified"]
    assert set(survey["title_ml"]) == set(survey["languages"])
    assert [page["id"] for page in survey["pages"]] == list(range(1, len(survey["pages"]) + 1))
    for page in survey["pages"]:
        assert list(page) == ["id", "title", "description", "properties", "questions"]
        assert page["questions"]


@pytest.mark.parametrize("title", TITLES)
def test_question_objects(title: str) -> None:
    survey = surveys()[title].survey
    languages = set(survey["languages"])
    numbers = [question["id"] for question in with_parts(survey)]
    assert numbers == list(range(1, len(numbers) + 1))
    for question in with_parts(survey):
        assert set(question) - {"sub_questions"} == QUESTION_KEYS
        assert set(question["title"]) == languages
        assert question["description"] == []
        assert question["varname"] == [""]
        assert question["base_type"] in {"Question", "Action", "Decorative"}
        assert question["properties"]["map_key"]
        assert question["properties"]["messages"]["inputmask"] == []
        for option in question["options"]:
            assert list(option) == ["id", "title", "value", "properties"]
            assert set(option["title"]) == languages
            assert isinstance(option["value"], str)


@pytest.mark.parametrize("title", TITLES)
def test_option_ids_start_at_10001_and_are_unique_but_for_the_columns_of_rows(title: str) -> None:
    survey = surveys()[title].survey
    skus = [option["id"] for question in questions(survey) for option in question["options"]]
    assert skus == list(range(10001, 10001 + len(skus)))
    for table in questions(survey):
        for row in table.get("sub_questions", ()):
            assert row["options"] == table["options"]


@pytest.mark.parametrize("title", ANSWERED)
def test_top_level_fields(title: str) -> None:
    rows = surveys()[title].responses
    languages = surveys()[title].survey["languages"]
    for row in rows:
        assert list(row) == RESPONSE_KEYS
        assert row["status"] in {"Complete", "Partial", "Disqualified"}
        assert type(row["is_test_data"]) is bool
        assert re.fullmatch(r"\d{10}_[0-9a-f]{14}\.\d{8}", row["session_id"])
        assert row["language"] in languages
        assert row["response_time"] is None or type(row["response_time"]) is int
        for name in ("contact_id", "link_id", "referer", "user_agent", "longitude", "latitude",
                     "country", "city", "region", "postal", "dma"):  # fmt: skip
            assert type(row[name]) is str, name
        assert set(row["url_variables"]) in (set(), {"utm_source", "utm_campaign"})
        if row["ip_address"]:
            address = ipaddress.ip_address(row["ip_address"])
            assert any(address in network for network in DOCUMENTATION_NETWORKS)
    assert any(row["url_variables"] for row in rows)


def test_only_the_anonymous_pulse_keeps_no_address() -> None:
    for title in ANSWERED:
        kept = any(row["ip_address"] or row["country"] for row in surveys()[title].responses)
        assert kept == (title != "Employee pulse 2026")


@pytest.mark.parametrize("title", ANSWERED)
def test_entries_ascend_and_keep_the_order_of_keys(title: str) -> None:
    pages = {
        question["id"]: page["id"]
        for page in surveys()[title].survey["pages"]
        for question in page["questions"]
    }
    for row in surveys()[title].responses:
        numbers = [int(key) for key in row["survey_data"]]
        assert numbers == sorted(numbers)
        for key, entry in row["survey_data"].items():
            assert entry["id"] == int(key)
            assert list(entry) == [name for name in ENTRY_ORDER if name in entry]
            assert entry["section_id"] == pages[entry.get("parent", entry["id"])]
            assert type(entry["shown"]) is bool
            assert entry.get("answer", "") is not None


@pytest.mark.parametrize("title", ANSWERED)
def test_each_entry_fits_its_question(title: str) -> None:
    survey = surveys()[title].survey
    defined = {question["id"]: question for question in with_parts(survey)}
    seen: Counter[str] = Counter()
    for entry in every_entry(title):
        question = defined[entry["id"]]
        assert entry["question"] == question["title"][survey["languages"][0]]
        CHECKS[question["type"]](entry, question)
        seen[question["type"]] += 1
    expected = {q["type"] for q in with_parts(survey)} - {"INSTRUCTIONS"}
    # Rows of checkbox grids and parts of groups stand inside their parents.
    assert expected == set(seen) | ({"TABLE", "CHECKBOX"} & expected)


def check_choice(entry: dict[str, Any], question: dict[str, Any]) -> None:
    assert entry["type"] == question["type"]
    assert ("answer" in entry) == ("answer_id" in entry)
    if "answer" not in entry:
        assert "original_answer" not in entry
        return
    values = {option["id"]: option for option in question["options"]}
    if isinstance(entry["answer_id"], str):
        sku = re.fullmatch(r"(\d+)-other", entry["answer_id"])
        assert sku is not None
        assert values[int(sku[1])]["properties"]["other"] is True
    else:
        assert values[entry["answer_id"]]["value"] == entry["answer"]


def check_text(entry: dict[str, Any], question: dict[str, Any]) -> None:
    assert entry["type"] == question["type"]
    assert set(entry) - {"answer"} == {"id", "type", "question", "section_id", "shown"}
    assert type(entry.get("answer", "")) is str


def check_hidden(entry: dict[str, Any], _: dict[str, Any]) -> None:
    assert entry["type"] == "HIDDEN"
    assert ("answer" in entry) == ("answer_id" in entry)
    assert entry.get("answer_id", 0) == 0


def check_container(entry: dict[str, Any], question: dict[str, Any]) -> None:
    # Never present without options: an unanswered one is left out.
    assert entry["type"] == "parent"
    assert entry["options"]
    defined = {option["id"]: option for option in question["options"]}
    for key, option in entry["options"].items():
        assert list(option) == ["id", "option", "answer"]
        assert option["id"] == int(key)
        assert option["option"] == defined[option["id"]]["title"]["English"]
        if question["type"] == "CHECKBOX" and not defined[option["id"]]["properties"].get("other"):
            assert option["answer"] == defined[option["id"]]["value"]


def check_sum(entry: dict[str, Any], question: dict[str, Any]) -> None:
    check_container(entry, question)
    assert sum(int(option["answer"]) for option in entry["options"].values()) == 100


def check_rank(entry: dict[str, Any], question: dict[str, Any]) -> None:
    check_container(entry, question)
    ranks = sorted(int(option["answer"]) for option in entry["options"].values())
    assert ranks == list(range(1, len(ranks) + 1))


def check_table(entry: dict[str, Any], question: dict[str, Any]) -> None:
    if question["properties"]["map_key"] == "table-radio":
        # The rows are entries of their own; the grid itself only tells that it was not shown.
        assert entry["type"] == "TABLE"
        assert entry["shown"] is False
        return
    assert entry["type"] == "parent"
    rows = {str(row["id"]): row for row in question["sub_questions"]}
    assert list(entry["subquestions"]) == list(rows)
    for number, cells in entry["subquestions"].items():
        assert list(cells) == [str(column["id"]) for column in question["options"]]
        for column in question["options"]:
            cell = cells[str(column["id"])]
            assert list(cell) == ["id", "type", "parent", "question", "answer", "shown"]
            assert cell["parent"] == question["id"]
            row_title = rows[number]["title"]["English"]
            assert cell["question"] == f"{row_title} : {column['title']['English']}"
            assert cell["answer"] in (None, column["value"])


def check_group(entry: dict[str, Any], question: dict[str, Any]) -> None:
    assert entry["type"] == "parent"
    assert list(entry["subquestions"]) == [str(part["id"]) for part in question["sub_questions"]]
    for part in entry["subquestions"].values():
        assert list(part) == ["id", "question", "type", "parent", "answer"]
        assert type(part["answer"]) is str


CHECKS = {
    "RADIO": check_choice,
    "MENU": check_choice,
    "NPS": check_choice,
    "TEXTBOX": check_text,
    "ESSAY": check_text,
    "FILE": check_text,
    "HIDDEN": check_hidden,
    "CHECKBOX": check_container,
    "MULTI_TEXTBOX": check_container,
    "CONT_SUM": check_sum,
    "RANK": check_rank,
    "TABLE": check_table,
    "GROUP": check_group,
}


def test_rows_of_a_radio_grid_name_their_grid() -> None:
    customer = surveys()["Customer satisfaction"].survey
    grid = next(q for q in questions(customer) if q["properties"]["map_key"] == "table-radio")
    rows = {row["id"] for row in grid["sub_questions"]}
    parents = {e["id"]: e.get("parent") for e in every_entry("Customer satisfaction")}
    assert {number for number, parent in parents.items() if parent == grid["id"]} == rows


def test_cells_are_empty_or_marked_and_whole_grids_may_be_empty() -> None:
    grids = [e for e in every_entry("Customer satisfaction") if "subquestions" in e]
    answers = Counter(
        cell["answer"] is None for e in grids for row in e["subquestions"].values()
        for cell in row.values()
    )  # fmt: skip
    assert min(answers[True], answers[False]) > 500
    assert any(
        all(cell["answer"] is None for row in e["subquestions"].values() for cell in row.values())
        for e in grids
        if e["shown"]
    )


def test_comment_boxes_and_flags_of_quality_have_their_shapes() -> None:
    customer = surveys()["Customer satisfaction"]
    assert any(type(e.get("comments")) is str for e in every_entry("Customer satisfaction"))
    numbers = {question["id"] for question in questions(customer.survey)}
    flagged = [row["data_quality"] for row in customer.responses if row["data_quality"]]
    assert flagged
    for quality in flagged:
        leaves = {**quality["straightlining"], **quality["checkbox"]["all"]}
        assert all(key == str(number) for key, number in leaves.items())
        assert set(leaves.values()) <= numbers


def test_skipped_single_choices_are_shown_without_an_answer() -> None:
    skipped = [
        e for e in every_entry("Customer satisfaction")
        if e["type"] in {"RADIO", "NPS"} and e["shown"] and "answer" not in e
    ]  # fmt: skip
    assert len(skipped) > 50


def test_the_trigger_of_the_show_logic_names_its_dependent() -> None:
    customer = surveys()["Customer satisfaction"].survey
    by_alias = {question["shortname"]: question for question in questions(customer)}
    trigger = by_alias["had_problem"]
    assert trigger["has_showhide_deps"] is True
    yes, no = (option["properties"] for option in trigger["options"])
    assert yes["dependent"] == str(by_alias["problem_solved"]["id"])
    assert "dependent" not in no
