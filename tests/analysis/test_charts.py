"""Charts: marks, order, totals and words, by their specification and by the picture."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from alchemer_nb.errors import InvalidArgument
from tests.analysis.frames import customers, nobody, pulse
from tests.analysis.made import entry
from tests.survey_json import frame as download
from tests.survey_json import option, question, response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scripted import ScriptedServer


def values(spec: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(spec["data"]["values"])


def marks(spec: dict[str, Any]) -> list[str]:
    inner = spec.get("spec", spec)
    layers = inner.get("layer", [inner])
    return [m["type"] if isinstance(m := layer["mark"], dict) else m for layer in layers]


def shares(cells: pd.Series[Any], without: tuple[str, ...] = ()) -> dict[str, float]:
    """Shares by plain pandas."""
    given = cells.dropna().astype(str)
    given = given[~given.isin(without)]
    return (given.value_counts() / len(given)).to_dict()


def test_bars_of_a_single_choice_in_the_order_of_the_survey() -> None:
    df = customers()
    chart = df.alchemer.plot("region_q3")
    drawn = values(chart.spec)
    assert marks(chart.spec) == ["bar", "text"]
    assert list(drawn["label"]) == ["North", "South", "East", "West"]
    expected = shares(df["region_q3"])
    assert dict(zip(drawn["label"], drawn["share"], strict=True)) == pytest.approx(expected)


def test_several_choices_are_sorted_and_their_base_is_cases() -> None:
    df = customers()
    names = df.alchemer.columns("channels")
    answered = df[names].notna().any(axis=1)
    expected = sorted(
        (float(df.loc[answered, name].sum() / answered.sum()) for name in names), reverse=True
    )
    chart = df.alchemer.plot("channels")
    order = chart.spec["layer"][0]["encoding"]["y"]["sort"]
    drawn = values(chart.spec).set_index("label")["share"]
    assert [drawn[label] for label in order] == pytest.approx(expected)


def test_a_scale_stands_around_its_middle() -> None:
    df = customers()
    chart = df.alchemer.plot("satisfaction", by="region_q3")
    drawn = values(chart.spec)
    lowest_first = [
        "Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied",
        "Very satisfied",
    ]  # fmt: skip
    assert chart.spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == lowest_first
    assert list(dict.fromkeys(drawn["bar"])) == ["Total", "North", "South", "East", "West"]
    for region, bar in drawn.groupby("bar", sort=False):
        cells = df["satisfaction"]
        if region != "Total":
            cells = cells[df["region_q3"] == region]
        expected = shares(cells, without=("Not applicable",))
        assert bar["share"].sum() == pytest.approx(1)
        got = dict(zip(bar["option"], bar["share"], strict=True))
        assert {k: v for k, v in got.items() if v} == pytest.approx(expected)
        middle = bar[bar["option"] == lowest_first[2]].iloc[0]
        assert middle["start"] == pytest.approx(-middle["end"])


def test_a_grid_has_a_bar_for_each_row() -> None:
    chart = customers().alchemer.plot("q9")
    drawn = values(chart.spec)
    assert list(dict.fromkeys(drawn["bar"])) == ["Staff", "Delivery", "Prices", "Website & app"]
    assert drawn.groupby("bar")["share"].sum().tolist() == pytest.approx([1] * 4)


def test_nps_bars_carry_the_score() -> None:
    df = customers()
    chart = df.alchemer.plot("nps", by="region_q3")
    told = {v["bar"]: v["score"] for v in chart.spec["layer"][2]["data"]["values"]}
    for region, score in told.items():
        given = df["nps"].dropna() if region == "Total" else df["nps"][df["region_q3"] == region]
        given = given.dropna()
        expected = 100 * ((given >= 9).mean() - (given <= 6).mean())
        assert score.startswith(f"NPS {expected:.0f} ±")


def test_ranks_show_the_best_first() -> None:
    df = pulse()
    chart = df.alchemer.plot("benefits")
    expected = sorted(float(df[name].mean()) for name in df.alchemer.columns("benefits"))
    assert list(values(chart.spec)["mean"]) == pytest.approx(expected)


def test_a_histogram_has_all_answers() -> None:
    df = customers()
    drawn = values(df.alchemer.plot("age").spec)
    assert drawn["count"].sum() == df["age"].notna().sum()
    by_region = values(df.alchemer.plot("age", by="region_q3").spec)
    counts = by_region.groupby("panel")["count"].sum().to_dict()
    assert counts == df.groupby("region_q3", observed=True)["age"].count().to_dict()


def test_dates_become_responses_over_time() -> None:
    df = customers()
    drawn = values(df.alchemer.plot("date_submitted").spec)
    months = df["date_submitted"].dt.strftime("%Y-%m").value_counts().sort_index()
    assert dict(zip(drawn["period"], drawn["count"], strict=True)) == months.to_dict()
    lines = df.alchemer.plot("date_submitted", by="region_q3").spec
    assert lines["mark"]["type"] == "line"


def test_weights_change_the_shares() -> None:
    df = customers()
    df["w"] = (df["region_q3"] == "North").astype(float) + 1
    drawn = values(df.alchemer.plot("region_q3", weight="w").spec).set_index("label")["share"]
    given = df.dropna(subset=["region_q3"])
    assert drawn["North"] == pytest.approx(
        given.loc[given["region_q3"] == "North", "w"].sum() / given["w"].sum()
    )


def test_wider_letters_have_room() -> None:
    """Where Arial is missing, its measures are too small."""
    df = customers()
    narrow, wide = df.alchemer.plot("region_q3").spec, df.alchemer.plot("channels").spec
    longest = max(len(value["label"]) for value in wide["data"]["values"])
    assert wide["padding"]["left"] == longest + 5 > narrow["padding"]["left"]
    legend = df.alchemer.plot("satisfaction").spec["padding"]["right"]
    assert legend > narrow["padding"]["right"] == 20


def test_words_for_those_who_cannot_see_it() -> None:
    chart = customers().alchemer.plot("satisfaction")
    assert chart.spec["description"] == chart.description
    assert chart.description.startswith("Overall, how satisfied are you with Larkmoor Outdoor?")
    assert "Very satisfied 2" in chart.description
    assert "who answered, of" in chart.description
    assert f'<svg role="img" aria-label="{chart.description}"' in chart.to_svg()
    assert chart.spec["title"]["subtitle"][0].startswith("Base: ")


def test_a_cell_shows_svg_and_png_without_a_network() -> None:
    bundle = customers().alchemer.plot("nps")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "image/png"}
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert not re.findall(r'(?:href|src)="http', bundle["image/svg+xml"])


@pytest.mark.parametrize(
    ("suffix", "begin"), [(".png", b"\x89PNG"), (".svg", b"<svg"), (".pdf", b"%PDF")]
)
def test_save(suffix: str, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"nps{suffix}"
    customers().alchemer.plot("nps").save(path)
    assert path.read_bytes().startswith(begin)


def test_save_says_what_it_can_write(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"\.png or \.svg or \.pdf"):
        customers().alchemer.plot("nps").save(tmp_path / "nps.gif")


@pytest.mark.long  # Altair takes two seconds to import
def test_altair_takes_it_on() -> None:
    chart = customers().alchemer.plot("satisfaction").chart
    assert chart.properties(width=300).to_dict()["width"] == 300


def test_what_cannot_be_drawn_says_so() -> None:
    df = customers()
    with pytest.raises(InvalidArgument, match="texts, which have no chart"):
        df.alchemer.plot("comments")
    with pytest.raises(InvalidArgument, match="rows"):
        df.alchemer.plot("q9", by="region_q3")
    with pytest.raises(InvalidArgument, match="did you mean"):
        df.alchemer.plot("satisfacton")


@pytest.mark.parametrize("question", ["q2", "q1"])
def test_nobody_has_answered(question: str) -> None:
    chart = nobody().alchemer.plot(question)
    base = "Base: 0 who answered, of 0 who were asked."
    assert chart.spec["title"]["subtitle"][0].startswith(base)
    assert drawn_shares(chart.spec) == []


KINDS = ["satisfaction", "nps", "age", "channels", "last_visit"]


@pytest.mark.parametrize("question", KINDS)
def test_one_response_and_none(question: str) -> None:
    df = customers()
    assert drawn_shares(df.iloc[:0].alchemer.plot(question).spec) == []
    answered = df.dropna(subset=df.alchemer.columns(question)).iloc[:1]
    one = drawn_shares(answered.alchemer.plot(question).spec)
    assert one
    assert max(one) == 1


def drawn_shares(spec: dict[str, Any]) -> list[float]:
    """The shares or counts of a chart that are not zero."""
    rows = spec["data"]["values"]
    return [share for v in rows if (share := v.get("share", v.get("count")))]


@pytest.mark.parametrize(
    "question", [KINDS[0], *(pytest.param(each, marks=pytest.mark.long) for each in KINDS[1:])]
)
def test_a_chart_of_few_can_be_drawn(question: str) -> None:
    df = customers()
    for rows in (df.iloc[:0], df.iloc[:1], df):
        assert rows.alchemer.plot(question).to_svg().startswith("<svg")


def test_labels_of_any_script_and_with_markup() -> None:
    df = customers()
    names = {
        "North": "شمال <b>&",
        "South": "南部\x1b[2J",
        "East": "</text><script>",
        "West": "x" * 90,
    }
    df["place"] = df["region_q3"].cat.rename_categories(names)
    svg = df.alchemer.plot("place").to_svg()
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert "شمال" in svg
    assert json.dumps(df.alchemer.plot("place").spec)


def test_many_options_show_the_most_chosen() -> None:
    df = customers().iloc[:200]
    df["shop"] = pd.Categorical([f"Shop {n % 50}" for n in range(200)])
    chart = df.alchemer.plot("shop")
    assert len(values(chart.spec)) == 30
    assert "The 30 most chosen of 50." in chart.description


def test_a_scale_of_hundreds_is_drawn_as_bars(scripted: ScriptedServer) -> None:
    steps = [option(20000 + n, f"Step {n}", str(n)) for n in range(40)]
    kind = question(2, "RADIO", "How many?", "many", steps, key="radio")
    answers = [
        response(n, {"2": entry(2, "RADIO", answer=str(n), answer_id=20000 + n)})
        for n in range(1, 40)
    ]
    spec = download(scripted, [kind], answers).alchemer.plot("many").spec
    assert len({value["label"] for value in spec["data"]["values"]}) == 30


def test_a_legend_of_long_labels_does_not_make_the_chart_wide(scripted: ScriptedServer) -> None:
    steps = [option(20000 + n, f"{'very ' * 20}good {n}", str(n)) for n in range(1, 7)]
    kind = question(2, "RADIO", "How?", "how", steps, key="radio")
    answers = [response(1, {"2": entry(2, "RADIO", answer="1", answer_id=20001)})]
    spec = download(scripted, [kind], answers).alchemer.plot("how").spec
    assert spec["padding"]["right"] < 100
    assert spec["layer"][0]["encoding"]["color"]["legend"]["columns"] == 1
