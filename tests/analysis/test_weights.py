"""Weights beside a rake that is written here, and what tables make of weights of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

REGION = {"North": 0.3, "South": 0.3, "East": 0.2, "West": 0.2}
PROBLEM = {"Yes": 0.3, "No": 0.7}


def rake(frame: pd.DataFrame, targets: dict[str, dict[Any, float]]) -> pd.Series:
    """Return weights by iterative proportional fitting, 30 times over, with the mean 1."""
    held = frame[[*targets]].dropna().index
    weights = pd.Series(1.0, held)
    for _ in range(30):
        for question, shares in targets.items():
            answers = frame.loc[held, question].astype(object)
            sums = weights.groupby(answers).sum() / weights.sum()
            weights *= answers.map({label: share / sums[label] for label, share in shares.items()})
    return (weights / weights.mean()).reindex(frame.index)


def test_raking_is_that_by_hand_and_meets_the_targets(customers: pd.DataFrame) -> None:
    targets = {"region": REGION, "had_problem": PROBLEM}
    frame = customers.alchemer.weight(targets)
    expected = rake(customers, targets)
    np.testing.assert_allclose(frame["weight"], expected, rtol=1e-4)
    assert frame["weight"].mean() == pytest.approx(1)
    for question, shares in targets.items():
        sums = frame.groupby(question, observed=True)["weight"].sum() / frame["weight"].sum()
        for label, share in shares.items():
            assert sums[label] == pytest.approx(share, abs=1e-5)
            row = frame.alchemer.table(question).blocks[0].row(label)
            assert row.values[0] == pytest.approx(100 * share, abs=1e-3)
    assert customers.columns.tolist() == frame.columns.drop("weight").tolist()


def test_what_weights_cost_by_hand(customers: pd.DataFrame) -> None:
    frame = customers.alchemer.weight({"region": {**REGION, "North": 0.6, "South": 0.0}})
    weights = frame["weight"]
    used = weights[weights > 0]
    worth = frame.alchemer.weighting
    assert worth.responses == len(used) == customers["region"].isin(["North", "East", "West"]).sum()
    assert worth.left_out == len(frame) - len(used)
    assert (weights[customers["region"] == "South"] == 0).all()
    assert worth.effective == pytest.approx(used.sum() ** 2 / (used**2).sum())
    assert worth.efficiency == pytest.approx(100 * used.sum() ** 2 / (used**2).sum() / len(used))
    assert worth.design_effect == pytest.approx(1 + used.std(ddof=0) ** 2 / used.mean() ** 2)
    assert (worth.smallest, worth.largest) == (used.min(), used.max())
    assert worth.targets["met"].all()
    assert f"left out: {worth.left_out} responses without an answer to each" in repr(worth)
    before = worth.targets.set_index("option")["before"]
    assert before["East"] == pytest.approx(
        100 * (customers["region"] == "East").sum() / customers["region"].notna().sum()
    )
    table = frame.alchemer.table("region")
    zero = int((weights == 0).sum())
    assert f"In counts and bases alone: {zero} responses with the weight 0." in table.notes


def test_targets_that_cannot_be_met_are_said(customers: pd.DataFrame) -> None:
    trimmed = customers.alchemer.weight(
        {"region": {"North": 0.85, "South": 0.05, "East": 0.05, "West": 0.05}}, trim=1.5
    )
    assert trimmed["weight"].max() <= 1.5 * 1.0001
    worth = trimmed.alchemer.weighting
    assert not worth.targets["met"].any()
    assert "not met: region, North:" in repr(worth)
    table = trimmed.alchemer.table("nps")
    assert "Targets of the weights that were not met: 4." in table.notes
    assert "not met" not in str(customers.alchemer.weight({"region": REGION}).alchemer.table("nps"))
    # Two questions with the same answers, and targets that differ.
    both = customers.assign(
        again=customers["region"].astype(str).where(customers["region"].notna())
    )
    torn = both.alchemer.weight({"region": REGION, "again": {**REGION, "North": 0.1, "South": 0.5}})
    assert not torn.alchemer.weighting.targets["met"].all()


def test_the_smallest_and_the_largest_weight_are_limits(customers: pd.DataFrame) -> None:
    targets = {"region": {"North": 0.6, "South": 0.2, "East": 0.1, "West": 0.1}}
    free = customers.alchemer.weight(targets)["weight"].dropna()
    assert free.min() < 0.6
    assert free.max() > 1.6
    held = customers.alchemer.weight(targets, trim=(0.6, 1.6))["weight"].dropna()
    assert held.between(0.6 * 0.999, 1.6 * 1.001).all()
    assert held.mean() == pytest.approx(1)
    wide = customers.alchemer.weight(targets, trim=(0.1, 10))["weight"].dropna()
    np.testing.assert_allclose(wide, free, rtol=1e-4)


def test_weights_that_an_analyst_edited(customers: pd.DataFrame) -> None:
    weighted = customers.alchemer.weight({"region": REGION})
    for cells, words in (
        ("heavy", "'weight' holds something else than numbers"),
        (-1.0, "'weight' is below zero or infinite"),
        (np.inf, "'weight' is below zero or infinite"),
        (1e200, "the numbers of 'weight' are too large or too small to add"),
        (1e-200, "the numbers of 'weight' are too large or too small to add"),
        (pd.Timestamp("2026-01-01"), "'weight' holds something else than numbers"),
    ):
        edited = weighted.assign(weight=cells)
        with pytest.raises(InvalidArgument, match=words):
            edited.alchemer.weighting  # noqa: B018, the property raises
        with pytest.raises(InvalidArgument, match=words):
            edited.alchemer.table("nps")
    renamed = weighted["region"].cat.rename_categories({"North": "Up"})
    with pytest.raises(InvalidArgument, match="no longer has the answers to 'region' that its"):
        weighted.assign(region=renamed).alchemer.weighting  # noqa: B018
    assert "Weighted by weight" in str(weighted.assign(region=renamed).alchemer.table("nps"))


@pytest.mark.parametrize(
    ("targets", "options", "words"),
    [
        ({"region": {"North": 0.5, "South": 0.5}}, {}, "has answers without a share: East, West"),
        ({"region": {**REGION, "Norht": 0.0}}, {}, "'Norht' is no option of 'region'"),
        ({"region": {**REGION, "North": 0.9}}, {}, "add up to 1.6, not to 1 or 100"),
        ({"region": {**REGION, "Here": 0}}, {}, "; its options are North, South, East, West"),
        ({"region": {**REGION, "North": -0.3}}, {}, "'North' is -0.3; shares are numbers, 0 or"),
        ({"region": {**REGION, "North": "30%"}}, {}, "the share of 'North' is '30%'"),
        ({"14": {"Website": 1}}, {}, "has no single answer for each response"),
        ({"9": {"Good": 1}}, {}, "has no single answer for each response"),
        ({"region": {}}, {}, "are shares by option"),
        ({}, {}, "targets are shares by question and option"),
        ({"empty": {"x": 1}}, {}, "targets: nobody answered 'empty'"),
        ({"nobody": {"x": 1}}, {}, "no column here belongs to a question 'nobody'"),
        ({"region": REGION}, {"trim": 0.5}, "trim is the largest weight, above 1"),
        ({"region": REGION}, {"name": "nps"}, "the frame has a column 'nps'"),
        ({"region": REGION}, {"name": ""}, "name is the name of the new column"),
        (
            {"region": REGION, "zone": {"a": 0.5, "b": 0.5}}, {},
            "nobody answered 'b' to 'zone', so its share cannot be met",
        ),
    ],
)  # fmt: skip
def test_bad_targets(
    customers: pd.DataFrame, targets: Any, options: dict[str, Any], words: str
) -> None:
    # Those of zone b have no region.
    customers["zone"] = np.where(customers["region"].isna(), "b", "a")
    customers["empty"] = np.nan
    customers.loc[customers.index[:3], "region"] = np.nan
    customers.loc[customers.index[:3], "zone"] = "b"
    with pytest.raises(InvalidArgument) as caught:
        customers.alchemer.weight(targets, **options)
    assert words in str(caught.value)


def test_weights_travel_by_name(customers: pd.DataFrame, tmp_path: Path) -> None:
    frame = customers.alchemer.weight({"region": REGION})
    expected = str(frame.alchemer.table("satisfaction"))
    assert "Weighted by weight" in expected
    assert "Bases and n are not weighted." in " ".join(expected.split())  # "weighted n" is
    frame.alchemer.to_parquet(tmp_path / "ours.parquet")
    frame.to_parquet(tmp_path / "plain.parquet")
    for again in (
        al.read_parquet(tmp_path / "ours.parquet"),
        pd.read_parquet(tmp_path / "plain.parquet"),
        frame.sample(frac=1, random_state=1),
        frame.alchemer.relabel(values="code"),
        frame.alchemer.redact(),
    ):
        assert str(again.alchemer.table("satisfaction")) == expected
    assert "Not weighted." in str(frame.alchemer.table("satisfaction", weight=False))
    renamed = frame.rename(columns={"weight": "w"})
    assert str(renamed.alchemer.table("satisfaction", weight="w")).replace(
        "Weighted by w;", "Weighted by weight;"
    ).split() == expected.split()  # fmt: skip
    assert "Not weighted." in str(renamed.alchemer.table("satisfaction"))
    part = frame[frame["region"] == "North"]
    assert part.alchemer.weighting.responses == len(part)
    again = frame.alchemer.weight({"region": {**REGION, "North": 0.2, "South": 0.4}})
    assert again["weight"].sum() == pytest.approx(frame["weight"].sum())
    assert again.alchemer.weighting.targets["target"].tolist() == [20, 40, 20, 20]


@pytest.mark.parametrize(
    "shares",
    [
        pd.Series(REGION),
        {label: np.float32(share) for label, share in REGION.items()},
        {label: 100 * share for label, share in REGION.items()},
    ],
    ids=["series", "numpy", "percents"],
)
def test_shares_may_be_of_any_kind(customers: pd.DataFrame, shares: Any) -> None:
    frame = customers.alchemer.weight({"region": shares})
    expected = customers.alchemer.weight({"region": REGION})
    np.testing.assert_allclose(frame["weight"], expected["weight"], rtol=1e-6)


@pytest.mark.parametrize("targets", [{1.0: 0.4, 0.0: 0.6}, {1: 0.4, 0: 0.6}, {"1": 40, "0": 60}])
def test_targets_of_a_column_of_numbers(customers: pd.DataFrame, targets: Any) -> None:
    customers["member"] = np.resize([1.0, 0.0, np.nan], len(customers))
    frame = customers.alchemer.weight({"member": targets})
    assert frame["weight"][frame["member"] == 1].sum() == pytest.approx(0.4 * frame["weight"].sum())


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (lambda n: [-1.0] + [1.0] * (n - 1), "'w' is below zero or infinite in 1 row"),
        (lambda n: [np.inf, -np.inf] + [1.0] * (n - 2), "below zero or infinite in 2 rows"),
        (lambda n: [0.0] * n, "'w' is zero or missing in all rows"),
        (lambda n: [np.nan] * n, "'w' is zero or missing in all rows"),
        (lambda n: ["much"] * n, "'w' holds something else than numbers"),
    ],
    ids=["negative", "infinite", "zero", "missing", "text"],
)
def test_columns_that_are_no_weights(customers: pd.DataFrame, weights: Any, words: str) -> None:
    customers["w"] = weights(len(customers))
    with pytest.raises(InvalidArgument) as caught:
        customers.alchemer.table("nps", weight="w")
    assert words in str(caught.value)


def test_weights_of_zero_and_missing_ones(customers: pd.DataFrame) -> None:
    customers["w"] = [np.nan, 0.0, *[1.0, 2.0] * len(customers)][: len(customers)]
    table = customers.alchemer.table("recent_customer", weight="w")
    held = customers[customers["w"].notna()].dropna(subset="recent_customer")
    block = table.blocks[0]
    assert block.bases.answered[0] == len(held)
    assert block.bases.weighted[0] == held["w"].sum()
    yes = held.loc[held["recent_customer"] == "Yes", "w"].sum()
    assert block.row("Yes").values[0] == pytest.approx(100 * yes / held["w"].sum())
    assert "Left out: 1 response without a weight." in table.notes
    assert "In counts and bases alone: 1 response with the weight 0." in table.notes
    with pytest.raises(InvalidArgument, match="there is no column 'wieght'"):
        customers.alchemer.table("nps", weight="wieght")
