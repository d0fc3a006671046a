"""``crosstabs`` counts the same file: the same frequencies, and the same NPS with its error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.sandbox import Sandbox
from tests.environments import environment, run

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.peers

SHARES = {"North": 0.4, "South": 0.2, "East": 0.2, "West": 0.2}
PAIRS = ("satisfaction/region", "heard_from/had_problem", "staff/region", "had_problem/status")
Z = 1.959963984540054


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    with Sandbox(seed=7, responses=400) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        downloaded = client.responses(9000001, progress="none")
    return downloaded.alchemer.weight({"region": SHARES})


@pytest.fixture(scope="module")
def theirs(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("crosstabs") / "answers.json"
    names = sorted({*("nps", "weight"), *(name for pair in PAIRS for name in pair.split("/"))})
    frame[names].to_json(file, orient="records")
    printed = run(
        [
            str(environment("crosstabs", ("crosstabs[surveys]==1.5.0",))),
            str(Path(__file__).with_name("with_crosstabs_tables.py")),
        ],
        PEER_FILE=str(file),
        PEER_PAIRS=" ".join(PAIRS),
    )
    found: dict[str, Any] = json.loads(printed)
    return found


@pytest.mark.parametrize("pair", PAIRS)
def test_the_same_frequencies(theirs: dict[str, Any], frame: pd.DataFrame, pair: str) -> None:
    question, by = pair.split("/")
    table = frame.alchemer.table(question, by=by, weight=False, not_applicable=True)
    found = theirs["tables"][pair]
    (block,) = table.blocks
    counts = {
        (row.label, column.label): int(row.counts[place])
        for row in block.choices
        for place, column in enumerate(table.banner)
        if place
    }
    expected = {
        (row, column): count
        for row, line in zip(found["row_labels"], found["matrix"], strict=True)
        for column, count in zip(found["col_labels"], line, strict=True)
    }
    assert {cell: n for cell, n in counts.items() if n} == {c: n for c, n in expected.items() if n}
    assert sum(counts.values()) == found["n"] > 100


@pytest.mark.parametrize("weight", ["", "weight"])
def test_the_same_nps(theirs: dict[str, Any], frame: pd.DataFrame, weight: str) -> None:
    table = frame.alchemer.table("nps", by="region", weight=weight or False)
    found = theirs["scores"][weight]
    (block,) = table.blocks
    row = block.row("NPS")
    assert row is not None
    assert row.margins is not None
    segments = {one["segment"]: one["estimate"] for one in found["segments"]}
    for place, column in enumerate(table.banner):
        estimate = segments[column.label] if place else found["estimate"]
        n = int(block.bases.answered[place])
        assert row.values[place] == pytest.approx(estimate["nps"], abs=1e-3)
        assert block.row("Promoters (9–10)").values[place] == pytest.approx(
            100 * estimate["promoter_share"], abs=1e-3
        )
        assert block.bases.effective[place] == pytest.approx(estimate["variance_n"], abs=1e-4)
        if not weight:  # it divides by n, we by n - 1
            error = Z * estimate["se"] * np.sqrt(n / (n - 1))
            assert row.margins[place] == pytest.approx(error, abs=1e-2)
