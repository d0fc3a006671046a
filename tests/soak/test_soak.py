"""A small soak, and that it would tell; `make soak` runs it for minutes."""

from __future__ import annotations

import re
import tempfile
from collections import Counter

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.sandbox import Fault
from tests.boxes import NO_LIMITS, copied_box
from tests.soak import measures
from tests.soak.measures import Measure
from tests.soak.soak import DATA, Result, Soak
from tests.soak.troubles import SLOW
from tests.soak.truth import SURVEY, compare_store, walk

pytestmark = pytest.mark.skipif(
    not measures.can_measure(), reason="counts what /proc lists of this process"
)
SUMMARY = r"""soak: seed 7, 1 rounds in \d+ s
calls: \d+
troubles: \d+ \(.+ \d+\)
actions: \d+ \(.+ \d+\)
errors: \d+( \(.+ \d+\))?
syncs: \d+ \(.*done in peace 1.*\)
compared: \d+ \(.*store after a sync in peace 1.*\)
mismatches: 0
held, after a warm-up and at the end:
 +start +end +may grow by
  RSS in MB +\d+ +\d+ +\+48
  threads +\d+ +\d+ +\+4
  file descriptors +\d+ +\d+ +\+12
  temporary files +0 +0 +\+0
  files of the store +\d+ +\d+ +\+40"""


def test_a_round_of_troubles_leaves_the_store_right(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    result = Soak(7, tmp_path, waits=False).run(rounds=1)
    summary = "\n".join(result.lines())
    assert re.fullmatch(SUMMARY, summary), summary
    assert result.ok


@pytest.mark.long
def test_a_call_that_a_client_gave_up_on_is_waited_for(tmp_path):
    """The sandbox goes on with it, and refuses the same one, as Alchemer does."""
    soak = Soak(7, tmp_path, waits=False)
    soak._restart(refuse_identical=True)
    try:
        soak._changed = set()
        soak._box.fail_next(Fault(delay=SLOW, when={"path": f"survey/{SURVEY}"}))
        soak._attempt(soak._sync)
        assert soak.result.errors.total() == soak._box.in_flight == 1
        soak._settle()
        assert soak.result.mismatches == []
    finally:
        soak._box.stop()


def test_growth_is_named_and_fails():
    few, many = Measure(200, 4, 14, 0, 20), Measure(260, 9, 30, 1, 70)
    assert measures.growth(few, few) == []
    assert len(measures.growth(few, many)) == 5
    compared = Counter(store=1)
    assert not Result(1, compared=compared, taken=[few, few, many]).ok
    assert Result(1, compared=compared, taken=[few, few, few]).ok
    assert not Result(1, compared=compared, taken=[few], mismatches=["x"]).ok
    assert not Result(1, taken=[few]).ok  # nothing was compared


@pytest.mark.long
def test_a_store_that_is_wrong_is_told(tmp_path):
    with copied_box(**DATA, **NO_LIMITS) as box:
        key = ApiKey(box.api_token, box.api_token_secret)
        client = Client(key, region=box.region, store=tmp_path)
        client.sync(SURVEY)
        truth = walk(box)
        assert compare_store(truth, client, None, set(truth.ids[:20])) == []
        truth.responses[3]["survey_data"]["4"]["answer"] = "31.5"
        (found,) = compare_store(truth, client, None, set(truth.ids[:20]))
        assert "q4: expected 31.5" in found
        box.delete_responses(SURVEY, [10])
        assert len(compare_store(walk(box), client, None, set())) >= 4
