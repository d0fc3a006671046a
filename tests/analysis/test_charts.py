"""Charts: marks, order, totals and words, by their specification and by the picture."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.errors import InvalidArgument
from tests.analysis.frames import customers, nobody, pulse
from tests.analysis.made import answer, entry, survey
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
        halves_away = math.copysign(math.floor(abs(expected) + 0.5), expected)
        assert score.startswith(f"NPS {halves_away:.0f} ±")


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


@pytest.mark.parametrize("number", [0.0, 5.0, -(10.0**17), 1e30, 1e308])
def test_a_histogram_of_one_number_is_one_bar(number: float) -> None:
    df = customers()
    chart = df.assign(age=df["age"].where(df["age"].isna(), number)).alchemer.plot("age")
    data = values(chart.spec)
    assert data["count"].tolist() == [df["age"].notna().sum()]
    assert (data["from"] < number).all()
    assert (number < data["to"]).all()


def test_dates_become_responses_over_time() -> None:
    df = customers()
    drawn = values(df.alchemer.plot("date_submitted").spec)
    months = df["date_submitted"].dt.strftime("%Y-%m").value_counts().sort_index()
    assert dict(zip(drawn["period"], drawn["count"], strict=True)) == months.to_dict()
    few = df[df["date_submitted"] < df["date_submitted"].min() + pd.Timedelta(days=60)]
    drawn = values(few.alchemer.plot("date_submitted").spec)
    assert len(drawn) > 31
    days = few["date_submitted"].dt.strftime("%Y-%m-%d").value_counts()
    held = drawn.set_index("period")["count"]
    assert held[held > 0].to_dict() == days.to_dict()
    assert len(few.alchemer.table("date_submitted").blocks[0].choices) < 4  # months
    lines = few.alchemer.plot("date_submitted", by="region_q3").spec
    assert lines["mark"]["type"] == "line"
    assert values(lines)["period"].nunique() < 4  # lines by day would hide each other


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
    nobody_said = df.iloc[:0].alchemer.plot("channels").spec["padding"]
    assert nobody_said["left"] == wide["padding"]["left"]
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


def test_a_cell_shows_html_svg_and_png_without_a_network() -> None:
    chart = customers().alchemer.plot("nps")
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml", "image/png"}
    shown = bundle["text/html"]
    assert f"<b>{chart.title}</b>" in shown
    assert f'<img alt="{chart.description}"' in shown
    drawn = base64.b64decode(re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)[0])
    assert b"NPS -10" in drawn
    assert chart.title.encode() not in drawn.split(b">", 1)[1]  # once is enough
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


def test_the_most_chosen_of_many_are_named_first() -> None:
    df = customers().iloc[:200]
    df["shop"] = pd.Categorical([f"Shop {49 if n % 4 else n % 50:02}" for n in range(200)])
    words = df.alchemer.plot("shop").description  # in their order, as all are drawn
    assert re.search(r"Shop 00 1 %, .*, Shop 49 75 % and 14 more\. Base", words)
    df["shop"] = pd.Categorical([f"Shop {49 if n % 4 == 1 else n % 49:02}" for n in range(200)])
    words = df.alchemer.plot("shop").description
    assert "Bars. Shop 49 25 %, " in words
    assert "and 18 more. The 30 most chosen of 50." in words
    ascending = df.alchemer.plot("shop", sort="ascending")
    assert values(ascending.spec)["label"].iloc[-1] == "Shop 49"
    assert values(ascending.spec)["share"].is_monotonic_increasing


def test_several_choices_in_ascending_order() -> None:
    chart = customers().alchemer.plot("channels", sort="ascending")
    drawn = values(chart.spec).set_index("label")["share"]
    order = chart.spec["layer"][0]["encoding"]["y"]["sort"]
    assert drawn[order].is_monotonic_increasing
    assert drawn[order].nunique() > 1


def test_percents_are_those_of_the_table(scripted: ScriptedServer) -> None:
    df = survey(scripted, [(0, 0, None)] * 1 + [(1, 0, None)] * 7)
    chart = df.alchemer.plot("rating")
    assert "Good 88 %, Very good 13 %" in chart.description  # halves, as in a spreadsheet
    text = values(chart.spec).set_index("option")["text"]
    assert [text["Good"], text["Very good"]] == ["88%", "13%"]
    table = str(df.alchemer.table("rating", letters=False))
    assert re.search(r"Good +88 %", table)
    assert re.search(r"Very good +13 %", table)


def test_not_applicable_is_no_step_of_a_scale(scripted: ScriptedServer) -> None:
    df = survey(scripted, [(0, 0, None)] * 4 + [(2, 0, None)] * 2 + [(4, 0, None)] * 4)
    drawn = values(df.alchemer.plot("rating", not_applicable=True).spec)
    assert "start" not in drawn.columns
    assert dict(zip(drawn["label"], drawn["share"], strict=True)) == pytest.approx(
        {"Very good": 0.4, "Good": 0, "Bad": 0.2, "Very bad": 0, "Not applicable": 0.4}
    )


@pytest.mark.parametrize("steps", [11, 12])
def test_more_steps_than_colours_are_bars(scripted: ScriptedServer, steps: int) -> None:
    choices = [option(10001 + step, f"Step {step}", str(step)) for step in range(steps)]
    asked = question(2, "RADIO", "How much?", "much", choices, key="radio")
    given = [response(n, {"2": answer(2, choices, n % steps)}) for n in range(1, 40)]
    chart = download(scripted, [asked], given).alchemer.plot("much")
    assert chart.description.startswith(
        "How much? Bars around the middle" if steps == 11 else "How much? Bars. Step 0"
    )


def two_banners() -> pd.DataFrame:
    df = customers()
    df["member"] = pd.Categorical(np.where(np.arange(len(df)) % 2, "Yes", "No"))
    df["returned"] = pd.Categorical(np.where(np.arange(len(df)) % 3, "Yes", "Total"))
    return df


@pytest.mark.parametrize(
    ("question", "field", "total"),
    [("satisfaction", "bar", 1), ("nps", "bar", 1), ("region_q3", "panel", 1)],
)
def test_equal_labels_of_two_banners_are_apart(question: str, field: str, total: float) -> None:
    drawn = values(two_banners().alchemer.plot(question, by=["member", "returned"]).spec)
    groups = drawn.groupby(field)["share"].sum()
    assert groups.tolist() == pytest.approx([total] * len(groups))
    names = {name.replace("\n", " ") for name in groups.index}
    assert {"No (member)", "Yes (member)", "Total (returned)", "Yes (returned)"} <= names


def test_counts_of_two_banners_are_apart() -> None:
    df = two_banners()
    by = ["member", "returned"]
    ages = values(df.alchemer.plot("age", by=by).spec).groupby("panel")["count"].sum()
    days = values(df.alchemer.plot("date_submitted", by=by).spec).groupby("line")["count"].sum()
    for name in by:
        for label in df[name].cat.categories:
            rows = df[df[name] == label]
            assert ages[f"{label} ({name})"] == rows["age"].notna().sum()
            assert days[f"{label} ({name})"] == len(rows)


def test_labels_that_look_alike_have_bars_of_their_own() -> None:
    df = customers()
    labels = ["a b", "a  b", "", "constructor", "toString", "__proto__", "x" * 400, "x" * 401]
    df["word"] = pd.Categorical([labels[n % 8] for n in range(len(df))], labels)
    chart = df.alchemer.plot("word")
    drawn = values(chart.spec)
    assert drawn["label"].nunique() == 8
    assert drawn["share"].sum() == pytest.approx(1)
    svg = chart.to_svg()
    assert svg.count('aria-roledescription="bar"') == 8
    assert "constructor" in svg
    for name in ("satisfaction", "nps", "age"):
        assert "constructor" in df.alchemer.plot(name, by="word").to_svg()


def test_labels_cannot_change_the_chart() -> None:
    df = customers()
    labels = [
        '{"expr": "1+1"}', '{"signal": "width"}', "datum.share", "{{x}}", "'); alert(1); ('", "\\",
        'a "b" \'c\' \\n d', "x:Q", "a.b[0]", "null", "NaN", "2020-01-01", "\ufffe\uffff",
    ]  # fmt: skip
    df["word"] = pd.Categorical([labels[n % 13] for n in range(len(df))], labels)
    title = '{"expr": "1+1"}:Q'
    chart = df.rename(columns={"word": title}).alchemer.plot(title)
    found = re.findall(r"<text[^>]*>([^<]*)</text>", chart.to_svg())
    texts = Counter(map(html.unescape, found))
    for label in (title, *labels[:-1]):
        assert texts[label] == 1, label
    assert texts["\\ufffe\\uffff"] == 1
    assert chart.to_png().startswith(b"\x89PNG")


def test_all_words_of_long_labels_have_room(scripted: ScriptedServer) -> None:
    df = customers()
    names = {"North": "one " * 30, "South": "two", "East": "非常" * 30, "West": "four"}
    df["place"] = df["region_q3"].cat.rename_categories(names)
    spec = df.alchemer.plot("place").spec
    labels = list(values(spec)["label"])
    assert max(len(line) for line in labels[2].split("\n")) == 14  # each is two wide
    lines = 1 + max(label.count("\n") for label in labels)
    assert spec["height"] >= 4 * 14 * lines > 4 * 28
    svg = df.alchemer.plot("place").to_svg()
    bars = re.findall(r'aria-roledescription="bar" d="M0,([\d.]+)h[\d.]+v([\d.]+)', svg)
    first = re.findall(r'role-axis-label".*?</g>', svg)[-1]
    heights = re.findall(r"translate\([^,]+,([\d.]+)\)", first)
    for label, bar, height in zip(labels, bars, heights, strict=True):
        middle = float(height) + 14 * label.count("\n") / 2
        assert middle == pytest.approx(float(bar[0]) + float(bar[1]) / 2, abs=5)


def test_a_legend_is_as_wide_as_a_notebook() -> None:
    df = customers()
    long = {
        each: f"{each}, as far as I can say today, " * 3
        for each in df["satisfaction"].cat.categories
    }
    df["satisfaction"] = df["satisfaction"].cat.rename_categories(long)
    df["place"] = df["region_q3"].cat.rename_categories(
        lambda name: f"{name} and all around it " * 3
    )
    spec = df.alchemer.plot("date_submitted", by="place").spec
    assert spec["encoding"]["color"]["legend"]["columns"] == 2
    assert max(len(line) for label in spec["encoding"]["color"]["sort"]
               for line in label.split("\n")) <= 36  # fmt: skip
    assert spec["padding"]["right"] < 100


def test_one_group_is_named() -> None:
    df = customers()
    df["all"] = pd.Categorical(["everybody"] * len(df))
    for name in ("region_q3", "age"):
        chart = df.alchemer.plot(name, by="all")
        assert set(values(chart.spec)["panel"]) == {"everybody"}
        assert "everybody: " in chart.description


def test_a_group_of_whom_nobody_answered_is_named() -> None:
    df = customers()
    for name in ("satisfaction", "nps", "age", "channels"):
        df.loc[df["region_q3"] == "West", df.alchemer.columns(name)] = None
        chart = df.alchemer.plot(name, by="region_q3")
        assert "West: nobody." in chart.description
        assert ">West</text>" in chart.to_svg()


def test_too_many_groups_are_refused() -> None:
    df = customers()
    df["many"] = pd.Categorical([f"group {n % 13}" for n in range(len(df))])
    for name in ("age", "region_q3"):
        with pytest.raises(InvalidArgument, match="13 panels are too many"):
            df.alchemer.plot(name, by="many")
    with pytest.raises(InvalidArgument, match="13 lines are too many"):
        df.alchemer.plot("date_submitted", by="many")
    bars = values(df.alchemer.plot("nps", by="many").spec)
    assert bars["bar"].nunique() == 14


def test_bars_of_whole_numbers_span_as_many_each() -> None:
    df = customers()
    df["visits"] = np.arange(len(df)) % 60 + 18
    drawn = values(df.alchemer.plot("visits").spec)
    assert (drawn["from"] % 1 == 0.5).all()
    assert (drawn["to"] - drawn["from"]).nunique() == 1
    for bar in drawn.itertuples():
        low, high = drawn.loc[bar.Index, ["from", "to"]]
        assert bar.count == ((df["visits"] > low) & (df["visits"] < high)).sum()


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize(
    "odd", [[1e300, -1e300], [1.7e308, -1.7e308], [1e17] * 2, [np.inf, np.nan]]
)
def test_a_histogram_of_odd_numbers(odd: list[float]) -> None:
    df = customers().iloc[:20]
    for numbers in ([*range(18), *odd], odd * 10):
        df["number"] = np.array(numbers, float)
        drawn = df.alchemer.plot("number").spec["data"]["values"]
        assert sum(bar["count"] for bar in drawn) == np.isfinite(df["number"]).sum()
        assert str(df.alchemer.table("number"))


def test_the_words_of_a_chart_of_dates_and_numbers() -> None:
    df = customers()
    ages, dates = df["age"].dropna(), df["date_submitted"].dt.strftime("%Y-%m")
    words = df.alchemer.plot("age").description
    assert f"Mean {ages.mean():.2f}, median {ages.median():.0f}, lowest {ages.min():.0f}" in words
    north = df["region_q3"] == "North"
    words = df.alchemer.plot("date_submitted", by="region_q3").description
    most = dates[north].value_counts().max()
    assert f"North: {north.sum()} from {dates.min()} to {dates.max()}, most in" in words
    assert f": {most}. South: " in words


def test_dates_too_far_apart_are_refused() -> None:
    df = customers()
    df["born"] = np.array(["0001-01-01", *["2026-01-01"] * (len(df) - 1)], "datetime64[s]")
    with pytest.raises(InvalidArgument, match="dates from 0001 to 2026, too far apart to draw"):
        df.alchemer.plot("born")


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
    legend = spec["layer"][0]["encoding"]["color"]
    assert legend["legend"]["columns"] == 2
    assert max(len(line) for name in legend["sort"] for line in name.split("\n")) <= 36
