"""The session that must feel good, in a fresh environment with what analysts use beside us.

``scenario.py`` runs its cells in IPython; any of them that fails is the error of the fixture.
What the libraries drew, fitted and wrote is compared with what the frame says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.environments import REPOSITORY, run

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.peers

SCALE = [
    "Very satisfied",
    "Satisfied",
    "Neither satisfied nor dissatisfied",
    "Dissatisfied",
    "Very dissatisfied",
    "Not applicable",
]
CHANNELS = [f"channels_{each}" for each in ("web", "shop", "app", "phone", "other")]
REGIONS = ["North", "South", "East", "West"]


@pytest.fixture(scope="module")
def folder(pythons: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scenario")
    script = Path(__file__).with_name("scenario.py")
    run(
        [str(pythons["newest"]), str(script), str(made)],
        folder=made,
        PYTHONPATH=str(REPOSITORY),
        MPLCONFIGDIR=str(made / "matplotlib"),
    )
    return made


@pytest.fixture(scope="module")
def answer(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return found


def test_the_magic_gives_the_rows_that_were_asked_for(answer: dict[str, Any]) -> None:
    assert answer["rows"] > 100
    assert answer["statuses"] == ["Complete"]
    assert answer["first"] >= "2026-01-01"


def test_looking_into_it(answer: dict[str, Any]) -> None:
    assert answer["found"] == ["nps"]
    assert answer["channels"] == CHANNELS
    assert 0 <= answer["mean"] <= 10
    counts = answer["satisfaction"]
    scored = sum(counts[label] for label in SCALE[:5])
    assert answer["top_two"] == pytest.approx((counts[SCALE[0]] + counts[SCALE[1]]) / scored)


def test_means_of_a_multi_select_by_group(answer: dict[str, Any]) -> None:
    assert list(answer["means"]) == answer["regions"] == REGIONS
    assert all(0 < share < 1 for share in answer["means"].values())


def test_statsmodels_fits_the_means_of_the_groups(answer: dict[str, Any]) -> None:
    assert answer["predicted"] == answer["expected"]
    assert sorted(answer["predicted"]) == sorted(REGIONS)
    alone, several, logit = answer["fitted"]
    assert alone == answer["answered"]
    assert 0 < several < alone
    assert 0 < logit < alone


def test_an_option_that_nobody_chose_makes_no_empty_term(answer: dict[str, Any]) -> None:
    assert answer["satisfaction"]["Very dissatisfied"] == 0
    assert "C(satisfaction)[T.Satisfied]" in " ".join(answer["terms"])
    assert "Very dissatisfied" not in " ".join(answer["terms"])
    assert all(rank == terms for rank, terms in answer["ranks"])


def test_seaborn_draws_options_in_the_order_of_the_survey(
    answer: dict[str, Any], folder: Path
) -> None:
    drawn = answer["drawn"]
    assert drawn["ticks"] == SCALE
    assert drawn["counts"] == sorted(n for n in answer["satisfaction"].values() if n)
    assert drawn["web"] == answer["web"]
    assert drawn["points"] == answer["answered"]
    assert (folder / "drawn.png").stat().st_size > 10_000


def test_excel_opens_with_all_columns_and_the_codebook(answer: dict[str, Any]) -> None:
    columns, rows = answer["sheet"]
    assert answer["sheets"] == ["responses", "codebook"]
    assert columns == ["response_id", *answer["names"]]
    assert rows == answer["rows"]


def test_a_file_brings_frame_and_accessor_back(answer: dict[str, Any]) -> None:
    assert answer["same"]
    assert answer["again"] == CHANNELS


def test_customer_data_joins_and_the_knowledge_stays(answer: dict[str, Any]) -> None:
    rows, last, channels = answer["joined"]
    assert (rows, last, channels) == (answer["rows"], "segment", CHANNELS)
    assert 0 < answer["no_segment"] < answer["rows"]
    assert answer["joined_top"] == answer["attached_top"] == answer["top_two"]


def test_parts_under_one_another_are_the_frame_again(answer: dict[str, Any]) -> None:
    assert answer["halves"] == [True, ["nps"]]
