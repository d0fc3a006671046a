"""The sentences of summaries, with counts of one and of a thousand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alchemer_nb.client.estimate import Estimate
from alchemer_nb.fetch.progress import Progress
from alchemer_nb.frame.provenance import summary
from alchemer_nb.store.sync_result import SyncResult
from alchemer_nb.wire.text import counted

COUNTS = (
    "test_rows_left_out", "repeated_rows", "changed_rows", "partial_rows", "misfits",
    "options_not_chosen", "unparsed_values", "piped_rows", "dates_in_other_order", "without_id",
    "without_survey_data", "edited_answers", "rows_at_hand", "went_on_at_page",
)  # fmt: skip


def notes_of(count):
    """The summary of a download in which everything that is counted happened so often."""
    facts = dict.fromkeys(COUNTS, count) | {
        "title": "Tea", "rows_told": count, "rows_received": count, "complete": True, "asked": {},
        "zone_documented": True, "unknown_types": ["SORT"] * count,
        "removed_questions": ["7"] * count, "hidden_fields": {"comments": count},
    }  # fmt: skip
    return summary(facts)


def test_a_summary_of_ones():
    told = notes_of(1)
    assert str(told) == (
        "Tea: 1 response received; went on at page 1 with the 1 response at hand; "
        "1 partial among them; "
        '1 test row left out (test_rows="include" brings them back); '
        "1 came twice and counts once; 1 came or changed meanwhile and is up to date; "
        "1 entry had an undocumented form and was kept; "
        "1 option came without a value (null) and counts as not chosen; "
        "1 answer did not parse and is as received; "
        "1 question type not known, kept as received: SORT; "
        "1 question not in the definition any more; "
        "1 piped row, whose columns come from the answers; "
        "1 date among them would be read with the day first (see day_first); "
        "1 response came without a valid id and got a negative one; "
        "1 response came without survey_data, so without answers; "
        '1 answer had an earlier value (metadata="all" shows it); '
        'undocumented fields of responses not shown: comments (1) (metadata="all" shows them)'
    )


def test_a_summary_of_thousands():
    told = notes_of(1000)
    assert told.line == "Tea: 1,000 responses received"
    for note in told.notes:
        assert re.search(r"\b1,000\b", note), note
        assert not re.search(r"1,000 \w+ (was|is|counts|comes)\b", note), note
    assert "1,000 entries had an undocumented form and were kept" in told.notes
    assert "1,000 responses came without a valid id and got negative ones" in told.notes


@pytest.mark.parametrize(
    ("count", "told", "line"),
    [
        (1, 1, "Tea: 1 response received"),
        (1, None, "Tea: 1 response received"),
        (0, 1, "Tea: 0 of 1 response received"),
        (1, 1000, "Tea: 1 of 1,000 responses received"),
        (0, 0, "Tea: 0 responses received"),
    ],
)
def test_the_line_of_a_summary(count, told, line):
    facts = dict.fromkeys(COUNTS, 0) | {
        "title": "Tea", "rows_told": told, "rows_received": count, "complete": True, "asked": {},
        "zone_documented": True, "unknown_types": [], "removed_questions": [],
    }  # fmt: skip
    assert str(summary(facts)) == line


def test_sentences_of_other_counts():
    assert str(Estimate("Tea", 1, 1, 1, 1.2)) == "Tea: 1 response in 1 page, 1 call, about 1 second"
    assert str(Estimate("Tea", 1200, 3, 1000, 600)) == (
        "Tea: 1,200 responses in 3 pages, 1,000 calls, about 10 minutes"
    )
    assert Progress("Tea", 1, 1, 0, None).line == "Tea: 1 of 1 response"
    assert Progress("Tea", 1, None, 0, None).line == "Tea: 1 response"
    assert Progress("Tea", 1, 1000, 0, None).line == "Tea: 1 of 1,000 responses"
    synced = SyncResult("1", "Tea", Path("store"), 1, 1, 1, 0, 0, 1, "")
    assert str(synced) == "Tea: 1 new; 1 response (test data included) in store"


@pytest.mark.parametrize("count", [0, 2, 11, 1000])
def test_only_one_is_singular(count):
    assert counted(count, "row") == f"{count:,} rows"
    assert counted(1, "row", of=count) == f"1 of {count:,} rows"
    assert counted(count, "row", of=1) == f"{count:,} of 1 row"
