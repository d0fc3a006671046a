"""Errors, intervals and weighted numbers, by statsmodels and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.analysis import statistics
from alchemer_nb.errors import InvalidArgument
from tests import survey_json

if TYPE_CHECKING:
    from alchemer_nb.analysis.chart import Chart
    from tests.scripted import ScriptedServer

if TYPE_CHECKING:
    from types import SimpleNamespace

VALUES = np.array([1.0, 2.0, 2.0, 4.0, 5.0, 5.0, 3.0])
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.7, 1.3, 1.0, 0.2])


def test_margin_is_that_of_a_robust_regression_and_of_taylor_by_hand(
    peer: SimpleNamespace,
) -> None:
    fitted = peer.WLS(VALUES, np.ones((7, 1)), weights=WEIGHTS).fit(cov_type="HC1")
    low, high = fitted.conf_int()[0]
    assert statistics.margin(VALUES, WEIGHTS) == pytest.approx((high - low) / 2)
    mean = (WEIGHTS * VALUES).sum() / WEIGHTS.sum()
    linear = WEIGHTS * (VALUES - mean) / WEIGHTS.sum()
    taylor = (7 / 6 * (linear**2).sum()) ** 0.5
    assert statistics.margin(VALUES, WEIGHTS) == pytest.approx(1.959964 * taylor, rel=1e-6)


def test_median_of_weights() -> None:
    # Sorted 1 2 2 3 4 5 5 with 0.5 1 2 0.2 0.7 1.3 1: half of 6.7 is reached at the second 2.
    assert statistics.median(VALUES, WEIGHTS) == 2
    assert statistics.median(VALUES, np.ones(7)) == np.median(VALUES) == 3
    assert statistics.median(np.array([1.0, 2, 3, 4]), np.ones(4)) == 2.5


@pytest.fixture
def weighted(customers: pd.DataFrame) -> pd.DataFrame:
    customers["w"] = np.random.default_rng(3).uniform(0.2, 3, len(customers))
    return customers


def test_weighted_nps_has_the_interval_of_a_robust_regression(
    peer: SimpleNamespace, weighted: pd.DataFrame
) -> None:
    table = weighted.alchemer.table("nps", by="region", weight="w")
    row = table.blocks[0].row("NPS")
    assert row is not None
    groups = [slice(None), *(weighted["region"] == c.label for c in table.banner[1:])]
    for place, group in enumerate(groups):
        held = weighted.loc[group].dropna(subset="nps")
        points = 100.0 * ((held["nps"] >= 9).astype(int) - (held["nps"] <= 6).astype(int))
        fitted = peer.WLS(points, np.ones(len(held)), weights=held["w"]).fit(cov_type="HC1")
        assert row.values[place] == pytest.approx(fitted.params.iloc[0])
        assert row.margins[place] == pytest.approx(1.959963984540054 * fitted.bse.iloc[0])
    margins = table.frame.loc["NPS"].xs("margin", level="measure")
    np.testing.assert_allclose(margins.astype(float), row.margins)


def test_weighted_percents_means_and_bases_by_hand(weighted: pd.DataFrame) -> None:
    table = weighted.alchemer.table("satisfaction", by="region", weight="w")
    block = table.blocks[0]
    scores = {"Very satisfied": 5, "Satisfied": 4, "Neither satisfied nor dissatisfied": 3,
              "Dissatisfied": 2, "Very dissatisfied": 1}  # fmt: skip
    text = weighted["satisfaction"].astype(object)
    in_base = text.notna() & (text != "Not applicable")
    for place, column in enumerate(table.banner):
        inside = weighted["region"].eq(column.label) if place else in_base
        held = weighted[in_base & inside]
        w, answers = held["w"], held["satisfaction"].astype(object)
        assert block.bases.answered[place] == len(held)
        assert block.bases.weighted[place] == pytest.approx(w.sum())
        assert block.bases.effective[place] == pytest.approx(w.sum() ** 2 / (w**2).sum())
        for label in scores:
            row = block.row(label)
            assert row.counts[place] == (answers == label).sum()
            assert row.weighted[place] == pytest.approx(w[answers == label].sum())
            assert row.values[place] == pytest.approx(100 * w[answers == label].sum() / w.sum())
        numbers = answers.map(scores).astype(float)
        mean = (w * numbers).sum() / w.sum()
        n = len(held)
        deviation = ((w * (numbers - mean) ** 2).sum() / w.sum() * n / (n - 1)) ** 0.5
        assert block.row("Mean").values[place] == pytest.approx(mean)
        assert block.row("Standard deviation").values[place] == pytest.approx(deviation)
        top = w[numbers >= 4].sum() / w.sum()
        assert block.row("Top 2").values[place] == pytest.approx(100 * top)
        assert block.row("Bottom 2").values[place] == pytest.approx(
            100 * w[numbers <= 2].sum() / w.sum()
        )


def test_percents_of_rows_and_of_the_total_by_hand(weighted: pd.DataFrame) -> None:
    both = pd.crosstab(weighted["heard_from"], weighted["region"], weighted["w"], aggfunc="sum")
    of_row = weighted.alchemer.table("heard_from", by="region", weight="w", percent="row")
    of_all = weighted.alchemer.table("heard_from", by="region", weight="w", percent="total")
    every = weighted.dropna(subset="heard_from").groupby("heard_from", observed=False)["w"].sum()
    for label, sums in both.iterrows():
        row, whole = of_row.blocks[0].row(label), of_all.blocks[0].row(label)
        np.testing.assert_allclose(row.values, [100, *(100 * sums / every[label])])
        np.testing.assert_allclose(
            whole.values, [100 * every[label] / every.sum(), *(100 * sums / every.sum())]
        )
    assert "Percents are of the row." in of_row.footer


def test_nets_and_sorting_by_hand(weighted: pd.DataFrame) -> None:
    nets = {"Happy": ["Satisfied", "Very satisfied"], "None": []}
    table = weighted.alchemer.table("satisfaction", nets=nets, top=1, sort="descending")
    block = table.blocks[0]
    counts = weighted["satisfaction"].value_counts().drop("Not applicable")
    base = counts.sum()
    happy = counts[["Satisfied", "Very satisfied"]].sum()
    assert block.row("Happy").counts[0] == happy
    assert block.row("Happy").values[0] == pytest.approx(100 * happy / base)
    assert block.row("None").values[0] == 0
    assert block.row("Top 1").counts[0] == counts["Very satisfied"]
    assert [r.counts[0] for r in block.choices] == sorted(counts, reverse=True)
    of_several = weighted.alchemer.table("14", nets={"Online": ["Website", "Mobile app"]})
    either = weighted[["channels_web", "channels_app"]].fillna(False).any(axis=1).sum()
    assert of_several.blocks[0].row("Online").counts[0] == either


def test_nets_of_the_analyst_come_before_those_of_a_scale(weighted: pd.DataFrame) -> None:
    parts = ["Satisfied", "Dissatisfied"]
    table = weighted.alchemer.table("satisfaction", nets={"Top 2": parts})
    assert table.blocks[0].row("Top 2").counts[0] == weighted["satisfaction"].isin(parts).sum()
    assert "Top 2: Satisfied, Dissatisfied." in table.notes
    table = weighted.alchemer.table("nps", nets={"High": [9, 10.0], "Promoters (9–10)": ["9"]})
    assert table.blocks[0].row("High").counts[0] == (weighted["nps"] >= 9).sum()
    assert table.blocks[0].row("Promoters (9–10)").counts[0] == (weighted["nps"] == 9).sum()


def test_boxes_for_which_a_scale_is_too_short_are_said(weighted: pd.DataFrame) -> None:
    table = weighted.alchemer.table("satisfaction", top=3)
    assert not any(row.kind == "net" for row in table.blocks[0].rows)
    assert "Top 3 and bottom 3 are left out: a scale of 5 has no room." in table.notes
    for question, why in (("region", "no scale with numbers"), ("nps", "NPS has groups")):
        table = weighted.alchemer.table(question, top=3)
        assert f"Top 3 and bottom 3 are left out: {why}." in table.notes
        assert "left out" not in str(weighted.alchemer.table(question))
    assert "left out" not in str(weighted.alchemer.table("satisfaction", top=0))


def drawn_colours(chart: Chart) -> list[str]:
    colours: list[str] = chart.spec["layer"][0]["encoding"]["color"]["scale"]["range"]
    return colours


def test_a_scale_without_numbers_says_so(scripted: ScriptedServer, weighted: pd.DataFrame) -> None:
    options = [survey_json.option(n, label) for n, label in enumerate(("Often", "Rarely"), 1)]
    question = survey_json.question(2, "RADIO", "Likert?", "often", options, key="radio-likert")
    data = {"2": {"id": 2, "type": "RADIO", "answer": "Often", "answer_id": 1, "shown": True}}
    frame = survey_json.frame(scripted, [question], [survey_json.response(1, data)])
    table = frame.alchemer.table("often")
    assert "No mean and no boxes: the reporting values are no numbers." in table.notes
    chart = frame.alchemer.plot("often")
    assert "around the middle of a scale" in chart.description
    scored = weighted.alchemer.plot("satisfaction")  # in red and blue: bad and good
    assert not {*drawn_colours(chart)} & {*drawn_colours(scored)}
    options.append(survey_json.option(3, "Not applicable", "99"))
    question = survey_json.question(2, "RADIO", "Likert?", "often", options, key="radio-likert")
    more = survey_json.frame(scripted, [question], [survey_json.response(1, data)], survey_id=6)
    assert more.alchemer.table("often").blocks[0].row("Mean") is None
    assert more.alchemer.plot("often").description.startswith("Likert? Bars around the middle")
    own = frame.assign(often="Always")
    assert own.alchemer.plot("often").description.startswith("Likert? Bars. Often 0 %")
    assert "No mean" not in str(weighted.iloc[:0].alchemer.table("satisfaction"))


def test_nets_of_what_is_in_no_base_are_refused(weighted: pd.DataFrame) -> None:
    nets = {"Others": ["Not applicable", "Satisfied"]}
    with pytest.raises(InvalidArgument, match="'Not applicable' is in no base, as it"):
        weighted.alchemer.table("satisfaction", nets=nets)
    within = weighted.alchemer.table("satisfaction", nets=nets, not_applicable=True)
    others = weighted["satisfaction"].isin(nets["Others"]).sum()
    assert within.blocks[0].row("Others").counts[0] == others


def test_answers_that_are_in_the_base_and_in_no_mean_are_said(weighted: pd.DataFrame) -> None:
    table = weighted.alchemer.table("satisfaction", not_applicable=True)
    mean = table.blocks[0].row("Mean")
    assert mean.counts[0] < table.blocks[0].bases.answered[0]
    assert "In no mean, as they have no number: Not applicable." in table.notes
    assert "In no mean" not in str(weighted.alchemer.table("satisfaction"))


def test_not_applicable_is_in_the_base_if_asked(weighted: pd.DataFrame) -> None:
    apart = weighted.alchemer.table("satisfaction")
    within = weighted.alchemer.table("satisfaction", not_applicable=True)
    how_many = int((weighted["satisfaction"] == "Not applicable").sum())
    assert how_many > 1
    assert apart.blocks[0].bases.not_applicable[0] == how_many
    assert within.blocks[0].bases.answered[0] == apart.blocks[0].bases.answered[0] + how_many
    row = within.blocks[0].row("Not applicable")
    assert row.kind == "choice"
    assert row.counts[0] == how_many
    assert within.blocks[0].row("Mean").values[0] == apart.blocks[0].row("Mean").values[0]
