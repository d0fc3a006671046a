"""The demo data as an analyst meets it: same for a seed, with the stated mess, and coherent."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest

from alchemer_nb.sandbox.demo import (
    BENCHMARK,
    ORGANISATION,
    TEAMS,
    DemoSurvey,
    Rates,
    build,
    crm_rows,
)

DIGEST = """
import hashlib, json
from alchemer_nb.sandbox.demo import build
data = [[d.survey, d.responses] for d in build(7, 60)]
print(hashlib.sha256(json.dumps(data).encode()).hexdigest())
"""


@cache
def demo(seed: int = 1, responses: int = 500) -> tuple[DemoSurvey, ...]:
    return tuple(build(seed, responses))


def digest(seed: int, responses: int) -> str:
    data = [[d.survey, d.responses] for d in build(seed, responses)]
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def ids_by_alias(survey: dict) -> dict[str, str]:
    found: dict[str, str] = {}
    for page in survey["pages"]:
        for question in page["questions"]:
            for each in (question, *question.get("sub_questions", ())):
                if each["shortname"]:
                    found.setdefault(each["shortname"], str(each["id"]))
    return found


def countable(survey: DemoSurvey) -> list[dict]:
    return [r for r in survey.responses if r["status"] == "Complete" and not r["is_test_data"]]


def pairs(survey: DemoSurvey) -> list[tuple[int, int, str]]:
    """Score, satisfaction and region of each row that counts."""
    ids = ids_by_alias(survey.survey)
    found = []
    for row in countable(survey):
        data = row["survey_data"]
        score = data.get(ids["nps"], {}).get("answer")
        satisfied = data.get(ids["satisfaction"], {}).get("answer")
        if score and satisfied and satisfied != "99":
            found.append((int(score), int(satisfied), data[ids["region"]]["answer"]))
    return found


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert digest(7, 60) == digest(7, 60)
    assert digest(7, 60) != digest(8, 60)


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_hash_order_and_zone_of_the_process_play_no_part(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
    told = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == digest(7, 60)


def test_the_pinned_digest_holds_on_every_platform() -> None:
    # Change it whenever the demo data are changed on purpose; the point is that nobody's
    # Python or platform changes it.
    assert digest(1, 20) == PINNED


PINNED = "454cee4b58d36b0bec9631cf211317e2a0e5f6da4055c8b199c64efc00be07a8"


@pytest.mark.parametrize("responses", [0, 1, 5, 500])
def test_the_customer_survey_has_exactly_the_responses_asked_for(responses: int) -> None:
    customer, event, pulse, draft, before = demo(3, responses)
    assert len(customer.responses) == responses
    assert draft.responses == []
    for other, part in ((event, 2), (pulse, 3), (before, 4)):
        assert len(other.responses) == max(min(3, responses), responses // part)


def test_a_negative_number_of_responses_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        build(1, -1)


def test_the_organisation_and_its_surveys() -> None:
    assert ORGANISATION == "Larkmoor Outdoor"
    assert {d.survey["team"] for d in demo()} == {*TEAMS, "0"}
    told = [(d.survey["title"], d.survey["type"], d.survey["status"]) for d in demo()]
    assert told == [
        ("Customer satisfaction", "Standard Survey", "Launched"),
        ("Event registration", "Form", "Launched"),
        ("Employee pulse 2026", "Standard Survey", "Closed"),
        ("Shop opening hours", "Standard Survey", "In Design"),
        ("Customer satisfaction 2025", "Standard Survey", "Closed"),
    ]


def test_every_question_type_of_the_first_frames_is_in_the_customer_survey() -> None:
    customer = demo()[0].survey
    kinds = {
        (question["type"], question["properties"]["map_key"])
        for page in customer["pages"]
        for question in page["questions"]
    }
    assert kinds == {
        ("INSTRUCTIONS", "instructions"),
        ("RADIO", "radio"),
        ("MENU", "menu"),
        ("NPS", "radio-nps"),
        ("TEXTBOX", "number"),
        ("TEXTBOX", "email"),
        ("TEXTBOX", "date"),
        ("ESSAY", "essay"),
        ("HIDDEN", "hidden"),
        ("CHECKBOX", "checkbox"),
        ("TABLE", "table-radio"),
        ("TABLE", "table-checkbox"),
    }
    assert {"nps", "satisfaction", "region", "channels", "age", "comments"} <= set(
        ids_by_alias(customer)
    )


def test_the_other_surveys_bring_the_other_types() -> None:
    kinds = {
        question["type"]
        for survey in demo()
        for page in survey.survey["pages"]
        for question in page["questions"]
    }
    assert {"GROUP", "MULTI_TEXTBOX", "CONT_SUM", "RANK", "TEXTBOX"} <= kinds


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_score_and_satisfaction_correlate_as_stated(seed: int) -> None:
    scores, satisfied, _ = zip(*pairs(demo(seed)[0]), strict=True)
    found = statistics.correlation(scores, satisfied)
    assert found == pytest.approx(BENCHMARK.correlation, abs=BENCHMARK.tolerance)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_regions_differ_and_promoters_are_more_satisfied(seed: int) -> None:
    rows = pairs(demo(seed)[0])
    north, east = (
        statistics.mean(score for score, _, region in rows if region == wanted)
        for wanted in ("1", "3")
    )
    assert north - east > 0.5
    promoters = statistics.mean(level for score, level, _ in rows if score >= 9)
    detractors = statistics.mean(level for score, level, _ in rows if score <= 6)
    assert promoters - detractors > 1.0


def test_the_mess_stands_at_its_stated_rates() -> None:
    rates = Rates()
    rows = demo(1, 5000)[0].responses
    status = Counter(row["status"] for row in rows)
    sessions = Counter(row["session_id"] for row in rows)
    found = {
        "test": sum(row["is_test_data"] for row in rows),
        "partial": status["Partial"],
        "disqualified": status["Disqualified"],
        "repeated": sum(count - 1 for count in sessions.values()),
        "empty": sum(row["status"] == "Complete" and not row["survey_data"] for row in rows),
    }
    for what, count in found.items():
        assert count / 5000 == pytest.approx(getattr(rates, what), rel=0.35), what
    assert set(status) == {"Complete", "Partial", "Disqualified"}


def test_a_second_sending_comes_from_the_same_person() -> None:
    rows = demo(1, 5000)[0].responses
    ids = ids_by_alias(demo(1, 5000)[0].survey)
    twice = [(a, b) for a, b in itertools.pairwise(rows) if a["session_id"] == b["session_id"]]
    assert twice
    for first, second in twice:
        assert first["contact_id"] == second["contact_id"]
        assert first["submitted"] < second["submitted"]
        if first["survey_data"]:
            regions = [row["survey_data"][ids["region"]]["answer"] for row in (first, second)]
            assert regions[0] == regions[1]


def test_dates_lie_in_the_year_and_most_are_of_2026() -> None:
    first = datetime(2025, 10, 1, tzinfo=UTC).timestamp()
    after_last = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    new_year = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    for survey in demo()[:3]:
        for row in survey.responses:
            assert first <= row["started"] < row["submitted"] <= row["updated"] <= after_last
    kept = [row for row in demo()[0].responses if row["submitted"] >= new_year]
    assert 0.65 < len(kept) / 500 < 0.85
    before = demo()[4].responses
    assert all(row["updated"] <= first for row in before)


def test_ids_ascend_and_follow_the_order_of_submission_but_for_a_few() -> None:
    rows = demo()[0].responses
    assert [row["id"] for row in rows] == list(range(1, 501))
    late = sum(a["submitted"] > b["submitted"] for a, b in itertools.pairwise(rows))
    assert late < 15


def test_three_languages_and_text_beyond_ascii() -> None:
    customer = demo()[0]
    assert customer.survey["languages"] == ["English", "French", "German"]
    told = Counter(row["language"] for row in customer.responses)
    assert min(told[language] for language in customer.survey["languages"]) > 40
    essay = ids_by_alias(customer.survey)["comments"]
    texts = [row["survey_data"].get(essay, {}).get("answer", "") for row in customer.responses]
    assert any(not text.isascii() for text in texts)
    assert any("&amp;" in text for text in texts)
    assert any("\n" in text for text in texts)


def test_a_long_essay_occurs() -> None:
    customer = demo(1, 5000)[0]
    essay = ids_by_alias(customer.survey)["comments"]
    lengths = [
        len(row["survey_data"].get(essay, {}).get("answer", "")) for row in customer.responses
    ]
    assert max(lengths) > 4000


def test_reporting_values_were_edited_for_the_older_answers() -> None:
    customer = demo()[0]
    problem = ids_by_alias(customer.survey)["had_problem"]
    entries = [row["survey_data"].get(problem, {}) for row in customer.responses]
    edited = {(e["original_answer"], e["answer"]) for e in entries if "original_answer" in e}
    assert edited == {("Yes", "1"), ("No", "0")}
    assert any("answer" in e and "original_answer" not in e for e in entries)


def test_show_logic_hides_the_question_and_sometimes_a_given_answer() -> None:
    customer = demo(1, 5000)[0]
    ids = ids_by_alias(customer.survey)
    seen = Counter()
    for row in countable(customer):
        data = row["survey_data"]
        if data:
            had = data[ids["had_problem"]]["answer"]
            solved = data[ids["problem_solved"]]
            seen[had, solved["shown"], "answer" in solved] += 1
    assert set(seen) == {("1", True, True), ("0", False, False), ("0", False, True)}
    assert seen["0", False, True] < seen["0", False, False] / 20


def test_partials_lose_what_lies_behind_their_stop_page_in_both_ways() -> None:
    customer = demo()[0]
    last = ids_by_alias(customer.survey)["comments"]
    entries = [
        row["survey_data"].get(last) for row in customer.responses if row["status"] == "Partial"
    ]
    assert None in entries
    assert any(entry is not None and entry["shown"] is False for entry in entries)
    assert not any(entry is not None and "answer" in entry for entry in entries)


def test_not_applicable_and_write_ins_occur() -> None:
    customer = demo()[0]
    ids = ids_by_alias(customer.survey)
    rows = [row["survey_data"] for row in customer.responses]
    assert any(data.get(ids["satisfaction"], {}).get("answer") == "99" for data in rows)
    ways = [data.get(ids["heard_from"], {}).get("answer_id") for data in rows]
    assert any(isinstance(way, str) and way.endswith("-other") for way in ways)
    labels = {"Other (please specify)"}
    typed = {
        option["answer"]
        for data in rows
        for option in data.get(ids["channels"], {}).get("options", {}).values()
        if option["option"] in labels
    }
    assert typed
    assert "other" not in typed


def test_event_has_one_alias_twice_and_a_question_without() -> None:
    event = demo()[1].survey
    aliases = [
        q["shortname"]
        for page in event["pages"]
        for q in page["questions"]
        if q["base_type"] != "Decorative"
    ]
    assert Counter(aliases)["guests"] == 2
    assert "" in aliases
    assert any("<" in q["title"]["English"] for page in event["pages"] for q in page["questions"])


@pytest.mark.parametrize("seed", [1, 9])
@pytest.mark.parametrize("responses", [1, 5, 500])
def test_the_customer_list_covers_every_contact_of_the_survey(seed: int, responses: int) -> None:
    known = {row["contact_id"]: row for row in crm_rows(responses)}
    assert len(known) == len(crm_rows(responses))
    used = {row["contact_id"] for row in demo(seed, responses)[0].responses} - {""}
    assert used <= set(known)
    if responses == 500:
        assert 0.4 < len(used) / 500 <= 0.5
        assert {row["segment"] for row in known.values()} == {"Club", "Regular", "Occasional"}


def test_members_of_the_club_are_more_satisfied() -> None:
    customer = demo(1, 5000)[0]
    segments = {row["contact_id"]: row["segment"] for row in crm_rows(5000)}
    score = ids_by_alias(customer.survey)["nps"]
    means = {}
    for segment in ("Club", "Occasional"):
        means[segment] = statistics.mean(
            int(row["survey_data"][score]["answer"])
            for row in countable(customer)
            if segments.get(row["contact_id"]) == segment
            and "answer" in row["survey_data"].get(score, {})
        )
    assert means["Club"] - means["Occasional"] > 0.5
