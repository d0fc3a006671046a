"""Tables of frames that an analyst has edited, cut, stacked, written and read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument
from tests.analysis.conftest import CUSTOMERS, EVERY_TYPE
from tests.analysis.raw import counts_of
from tests.fidelity.reader import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alchemer_nb.client.client import Client
    from tests.analysis.raw import Raw

LAST_YEAR, BRANDS = 9000005, 9000007
REGIONS = ("North", "South", "East", "West")


def chosen(cells: pd.Series) -> dict[str, int]:
    return {str(k): int(n) for k, n in cells.value_counts().items() if n}


def shown(frame: pd.DataFrame, question: str, **options: object) -> dict[str, int]:
    return {k: n for k, n in counts_of(frame.alchemer.table(question, **options)).items() if n}


def test_blanked_recoded_and_new_answers(customers: pd.DataFrame) -> None:
    before = customers.alchemer.table("heard_from").bases
    frame = customers.copy()
    frame.loc[frame.index[:50], "heard_from"] = np.nan
    assert shown(frame, "heard_from") == chosen(frame["heard_from"])
    after = frame.alchemer.table("heard_from").bases
    lost = customers["heard_from"].iloc[:50].notna().sum()
    # What was removed is no longer asked, as it is no answer that was skipped.
    assert after["asked"][0] == before["asked"][0] - lost
    assert after["answered"][0] == before["answered"][0] - lost
    frame["heard_from"] = frame["heard_from"].astype(object).replace("Advertising", "Radio")
    table = frame.alchemer.table("heard_from")
    assert shown(frame, "heard_from") == chosen(frame["heard_from"])
    assert "'Radio' is no option of the survey." in table.notes
    assert table.blocks[0].row("Advertising").counts[0] == 0


def test_the_value_before_an_edit_is_no_answer(analyst: Client, customers: pd.DataFrame) -> None:
    frame = analyst.responses(CUSTOMERS, metadata="all", progress="none")
    assert frame.alchemer.columns("had_problem") == ["had_problem", "had_problem_original_answer"]
    assert str(frame.alchemer.table("had_problem")) == str(customers.alchemer.table("had_problem"))
    old = frame.alchemer.table("had_problem_original_answer")  # by its own name it is counted
    held = frame["had_problem_original_answer"].notna().sum()
    assert old.blocks[0].row("Answered").counts.tolist() == [held]


def test_edited_numbers(customers: pd.DataFrame) -> None:
    frame = customers.copy()
    frame.loc[frame.index[:20], "nps"] = 11.0
    frame.loc[frame.index[20:30], "nps"] = 7.5
    table = frame.alchemer.table("nps")
    held = frame["nps"].dropna()
    assert "Left out: 30 answers that are no option of the survey." in table.notes
    assert table.blocks[0].bases.answered[0] == len(held) - 30
    frame["age"] = frame["age"].clip(upper=60)
    assert frame.alchemer.table("age").blocks[0].row("Highest").values[0] == 60
    frame["age"] = frame["age"].astype("Int64")
    assert frame.alchemer.table("age").blocks[0].row("Mean").values[0] == pytest.approx(
        frame["age"].mean()
    )


def test_imputed_steps_of_a_scale_count(downloads: Callable[[int], pd.DataFrame]) -> None:
    frame = downloads(EVERY_TYPE)
    frame.loc[frame.index[:10], "order_pay"] = 1.5
    (block,) = frame.alchemer.table("order_pay").blocks
    held = frame["order_pay"].dropna()
    assert block.bases.answered[0] == len(held)
    assert block.row("1.5").counts[0] == 10
    assert block.row("Mean rank").values[0] == pytest.approx(held.mean())


def test_dropped_columns(customers: pd.DataFrame) -> None:
    frame = customers.drop(columns=["channels_web", "staff"])
    table = frame.alchemer.table("14")
    left = ["channels_shop", "channels_app", "channels_phone", "channels_other"]
    rows = [row.counts[0] for row in table.blocks[0].rows]
    assert rows == [int(frame[name].sum()) for name in left]
    assert table.blocks[0].bases.answered[0] == frame["channels_shop"].notna().sum()
    assert [b.label for b in frame.alchemer.table("9").blocks] == [
        "Delivery", "Prices", "Website & app",
    ]  # fmt: skip
    with pytest.raises(InvalidArgument, match="no column here belongs to a question 'staff'"):
        frame.alchemer.table("staff")


def test_edited_options_of_several(customers: pd.DataFrame) -> None:
    frame = customers.copy()
    names = [name for name in frame if name.startswith("channels_") and "text" not in name]
    frame.loc[frame.index[:60], names] = pd.NA
    base = frame["channels_web"].notna().sum()
    assert frame.alchemer.table("14").blocks[0].bases.answered[0] == base
    frame[names] = frame[names].astype(object).where(frame[names].notna(), False)
    assert frame.alchemer.table("14").blocks[0].bases.answered[0] == len(frame)


@pytest.mark.parametrize("words", [("True", "False"), ("yes", "No"), ("1", "0"), ("1.0", "0.0")])
def test_options_of_several_as_text(customers: pd.DataFrame, words: tuple[str, str]) -> None:
    expected = str(customers.alchemer.table("14", by="region"))
    names = [name for name in customers if name.startswith("channels_") and "text" not in name]
    text = customers.copy()
    for name in names:
        cells = customers[name].astype(object)
        text[name] = cells.map(dict(zip((True, False), words, strict=True)), na_action="ignore")
    assert str(text.alchemer.table("14", by="region")) == expected
    arrow = customers.convert_dtypes(dtype_backend="pyarrow")
    assert str(arrow.alchemer.table("14", by="region")) == expected


def test_numbers_that_cannot_be_counted_are_said(customers: pd.DataFrame) -> None:
    frame = customers[customers["age"].notna()].head(100)
    said = "Left out: 3 answers that are no number."
    for edited in (
        frame.assign(age=frame["age"].where(np.arange(100) >= 3, np.inf)),
        frame.assign(age=frame["age"].astype(object).where(np.arange(100) >= 3, "forty")),
    ):
        table = edited.alchemer.table("age")
        assert table.blocks[0].bases.answered[0] == 97
        assert said in table.notes
    own = frame.assign(spent=frame["age"].where(np.arange(100) >= 3, np.inf))
    assert said in own.alchemer.table("spent").notes
    assert "Left out" not in str(frame.alchemer.table("age"))


def test_categories_of_equal_words_are_one(customers: pd.DataFrame) -> None:
    cells = pd.Categorical(np.resize(np.array([1, "1", "2", None], object), len(customers)))
    frame = customers.assign(step=cells)
    assert shown(frame, "step") == {"1": sum(cells.isin([1, "1"])), "2": sum(cells == "2")}
    weighted = frame.alchemer.weight({"step": {"1": 0.5, "2": 0.5}})
    assert weighted["weight"].notna().sum() == frame["step"].notna().sum()


def test_whole_numbers_of_many_digits_stay_apart(customers: pd.DataFrame) -> None:
    frame = customers.assign(account=np.resize([2**60, 2**60 + 1], len(customers)))
    banner = frame.alchemer.table("nps", by="account").banner
    assert [column.label for column in banner[1:]] == [str(2**60), str(2**60 + 1)]


def test_a_banner_without_a_value_is_said(customers: pd.DataFrame) -> None:
    table = customers.assign(empty=np.nan).alchemer.table("nps", by="empty")
    answered = customers["nps"].notna().sum()
    note = f"In the total alone: {answered} responses that are in no column of 'empty'."
    assert note in table.notes


def test_pieces_and_orders_of_a_frame(customers: pd.DataFrame) -> None:
    expected = str(customers.alchemer.table("satisfaction", by="region"))
    for other in (
        customers.sample(frac=1, random_state=4),
        customers.sort_values("age"),
        customers.reset_index(),
        customers[customers.columns[::-1]],
        customers.alchemer.redact(),
        customers.convert_dtypes(),
    ):
        assert str(other.alchemer.table("satisfaction", by="region")) == expected
    counts = {}
    for label, piece in customers.groupby("region", observed=True):
        counts[label] = shown(piece, "satisfaction")
        assert counts[label] == chosen(piece["satisfaction"])
    table = customers.alchemer.table("satisfaction", by="region")
    for place, column in enumerate(table.banner[1:], 1):
        found = {row.label: int(row.counts[place]) for row in table.blocks[0].choices}
        of_piece = {k: n for k, n in counts[column.label].items() if k != "Not applicable"}
        assert {k: n for k, n in found.items() if n} == of_piece
    one = customers.head(1)
    assert "Base: 1 who answered" in str(one.alchemer.table("region"))


def test_files_keep_what_a_table_needs(customers: pd.DataFrame, tmp_path: Path) -> None:
    lists = customers.alchemer.relabel(multi="list")
    for frame in (customers, lists):
        frame.alchemer.to_parquet(tmp_path / "ours.parquet")
        frame.to_parquet(tmp_path / "plain.parquet")
        for again in (
            al.read_parquet(tmp_path / "ours.parquet"),
            pd.read_parquet(tmp_path / "plain.parquet"),
        ):
            for question in ("satisfaction", "14"):
                expected = str(customers.alchemer.table(question, by="had_problem"))
                assert str(again.alchemer.table(question, by="had_problem")) == expected


def test_own_columns(customers: pd.DataFrame) -> None:
    frame = customers.copy()
    frame["segment"] = np.resize(["b", "a", None, "<i>"], len(frame))
    frame["grown"] = frame["age"] > 40
    frame["spent"] = np.resize([1234567.0, 1234568.0, 0.5], len(frame))
    frame["when"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(frame)) % 3, "D")
    frame["mixed"] = pd.Series(
        np.resize([1, "1", 2.5, None], len(frame)), frame.index, dtype=object
    )
    assert list(shown(frame, "segment")) == ["<i>", "a", "b"]
    assert shown(frame, "segment") == dict(sorted(chosen(frame["segment"]).items()))
    table = frame.alchemer.table("segment")
    assert table.footer[0] == (
        f"Base: {frame['segment'].notna().sum()} who answered, of {len(frame)} responses."
    )
    assert shown(frame, "grown") == chosen(frame["grown"])
    assert frame.alchemer.table("spent").blocks[0].row("Highest").values[0] == 1234568
    columns = frame.alchemer.table("nps", by="spent").banner
    assert [column.label for column in columns] == ["Total", "0.5", "1234567", "1234568"]
    assert list(shown(frame, "when")) == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert sum(shown(frame, "mixed").values()) == frame["mixed"].notna().sum()
    assert len(frame.alchemer.table("nps", by="mixed").banner) == 3
    assert shown(frame, "status") == chosen(frame["status"])
    assert frame.alchemer.table("response_time").blocks[0].row("Median").values[0] == (
        frame["response_time"].median()
    )
    assert sum(shown(frame, "date_submitted").values()) == frame["date_submitted"].notna().sum()


def test_own_columns_that_the_survey_has_another_name_for(
    customers: pd.DataFrame, tmp_path: Path
) -> None:
    """What the survey calls so, too, is another column here: the cells are the analyst's."""
    frame = customers.alchemer.relabel(names="id")
    halves = {"North": "Up", "South": "Down", "East": "Up", "West": "Down"}
    frame["region"] = frame["q3"].astype(object).map(halves)
    assert shown(frame, "region") == chosen(frame["region"])
    assert [c.label for c in frame.alchemer.table("nps", by="region").banner] == [
        "Total", "Down", "Up",
    ]  # fmt: skip
    weighted = frame.alchemer.weight({"region": {"Up": 0.5, "Down": 0.5}})
    assert weighted.alchemer.weighting.targets["met"].all()
    assert frame.alchemer.columns("region") == ["region"]
    with pytest.raises(InvalidArgument, match="a column of your own; did you mean 'q3'"):
        frame.alchemer.score("region")
    assert shown(frame, "q3") == chosen(frame["q3"])
    # The report is of questions, and so are the checks of grids.
    few = customers[["region", *customers.alchemer.columns("q9")]]
    named = few.assign(q3="mine", q9="mine")
    page = tmp_path / "report.html"
    named.alchemer.report(page)
    assert "mine" not in page.read_text("utf-8")
    assert "In which part of the country do you live?" in page.read_text("utf-8")
    assert named.alchemer.quality().flags["flags"].equals(few.alchemer.quality().flags["flags"])


@pytest.mark.parametrize("values", ["label", "code", "id"])
def test_waves(downloads: Callable[[int], pd.DataFrame], values: str) -> None:
    this, last = (downloads(own).alchemer.relabel(values=values) for own in (CUSTOMERS, LAST_YEAR))
    waves = al.stack_waves({"2025": last, "2026": this})
    label = downloads(CUSTOMERS)
    for question in ("region", "had_problem", "nps", "14"):
        table = waves.alchemer.table(question, by="wave")
        assert [column.label for column in table.banner] == ["Total", "2025", "2026"]
        assert len(table.blocks) == 1
        for place, of_wave in ((1, last), (2, label)):
            alone = of_wave.alchemer.table(question)
            for row in alone.blocks[0].choices:
                both = table.blocks[0].row(row.label)
                assert both.counts[place] == row.counts[0], (question, row.label)
                assert both.values[place] == pytest.approx(row.values[0], nan_ok=True)
            assert table.blocks[0].bases.asked[place] == alone.blocks[0].bases.asked[0]
            assert table.blocks[0].bases.answered[place] == alone.blocks[0].bases.answered[0]
    total = table.blocks[0].bases.answered
    assert total[0] == total[1] + total[2]
    flat = waves.reset_index()
    assert str(flat.alchemer.table("nps", by="wave")) == str(waves.alchemer.table("nps", by="wave"))


def test_waves_with_weights(
    downloads: Callable[[int], pd.DataFrame], customers: pd.DataFrame
) -> None:
    weighted = customers.alchemer.weight({"region": {"North": 0.3, "South": 0.3, "East": 0.2,
                                                     "West": 0.2}})  # fmt: skip
    last = downloads(LAST_YEAR)
    waves = al.stack_waves({"2025": last.assign(weight=1.0), "2026": weighted})
    footer = waves.alchemer.table("nps").footer  # the older wave has none
    assert "Not weighted." in footer
    unused = "The weights of the waves are not used: not all waves have them under one name."
    assert footer.count(unused) == 1
    table = waves.alchemer.table("nps", by="wave", weight="weight")
    alone = weighted.alchemer.table("nps")
    assert table.blocks[0].row("NPS").values[2] == pytest.approx(
        alone.blocks[0].row("NPS").values[0]
    )


def test_weights_of_all_waves_are_used(
    downloads: Callable[[int], pd.DataFrame], customers: pd.DataFrame
) -> None:
    shares = {"region": {"North": 0.3, "South": 0.3, "East": 0.2, "West": 0.2}}
    each = {
        "2025": downloads(LAST_YEAR).alchemer.weight(shares),
        "2026": customers.alchemer.weight(shares),
    }
    waves = al.stack_waves(each)
    table = waves.alchemer.table("nps", by="wave")
    assert table.weight == "weight"
    for place, frame in enumerate(each.values(), 1):
        alone = frame.alchemer.table("nps").blocks[0].row("NPS")
        assert table.blocks[0].row("NPS").values[place] == pytest.approx(alone.values[0])
    assert "Not weighted." in waves.alchemer.table("nps", weight=False).footer
    with pytest.raises(InvalidArgument, match="each wave has weights of its own"):
        waves.alchemer.weighting  # noqa: B018, the property raises
    again = waves.alchemer.weight(shares, name="weight")
    assert again.alchemer.weighting.targets["met"].all()


def test_redacted_columns_are_gone(customers: pd.DataFrame) -> None:
    with pytest.raises(InvalidArgument):
        customers.alchemer.redact().alchemer.table("email")
    hashed = customers.alchemer.redact("hash", salt="salt-of-tests")
    expected = customers.alchemer.table("email").blocks[0].rows[0].counts
    np.testing.assert_array_equal(hashed.alchemer.table("email").blocks[0].rows[0].counts, expected)


def test_piped_rows_are_a_grid(
    raws: Callable[[int], Raw], downloads: Callable[[int], pd.DataFrame]
) -> None:
    raw, frame = raws(BRANDS), downloads(BRANDS)
    ids = {*frame.index.tolist()}
    for question in ("2", "4"):
        expected: dict[str, Counter[str]] = {}
        for response in raw.responses:
            for entry in (response["survey_data"] or {}).values():
                if str(entry.get("parent")) == question and int(response["id"]) in ids:
                    texts = expected.setdefault(plain(entry["question"]).casefold(), Counter())
                    texts.update([entry["answer"]] if entry.get("answer") else [])
        (options,) = (q["options"] for q in raw.questions if str(q["id"]) == question)
        label = {option["value"]: option["title"]["English"] for option in options}
        table = frame.alchemer.table(question)
        assert [block.label.casefold() for block in table.blocks] == sorted(expected)
        for place, block in enumerate(table.blocks):
            found = {k: n for k, n in counts_of(table, place).items() if n}
            of_row = expected[block.label.casefold()]
            assert found == {label[value]: n for value, n in of_row.items()}


def test_who_is_in_no_column_of_the_banner_is_said(customers: pd.DataFrame) -> None:
    table = customers.alchemer.table("nps", by=["satisfaction", 3])
    asked = customers[customers["nps"].notna()]
    outside = (asked["satisfaction"].isna() | asked["satisfaction"].eq("Not applicable")).sum()
    title = customers.alchemer.table("satisfaction").title
    assert outside > 1
    note = f"In the total alone: {outside} responses that are in no column of {title!r}."
    assert note in table.notes
    assert str(table) == str(customers.alchemer.table("nps", by=["satisfaction", "region"]))
    assert not any("no column" in note for note in customers.alchemer.table("nps").notes)


def test_a_banner_of_several_answers_has_those_who_chose_each(customers: pd.DataFrame) -> None:
    banner = customers.alchemer.table("nps", by="14").banner
    assert [column.label for column in banner[1:]] == [
        "Website", "Shop", "Mobile app", "Telephone", "Other (please specify)",
    ]  # fmt: skip
    table = customers.alchemer.table("nps", by="14")
    for place, name in enumerate(("channels_web", "channels_shop"), 1):
        held = customers.loc[customers[name].fillna(False).astype(bool), "nps"].dropna()
        assert table.blocks[0].bases.answered[place] == len(held)
        assert table.blocks[0].row("Mean").values[place] == pytest.approx(held.mean())


def test_many_that_may_have_been_asked_are_said(downloads: Callable[[int], pd.DataFrame]) -> None:
    pulse = downloads(9000003)
    columns = [name for name in pulse if name.startswith("ideas_")]
    states = pulse.alchemer.missing()[columns]
    unknown = int((states == "unknown").all(axis=1).sum())
    table = pulse.alchemer.table("ideas")
    note = f"Of {unknown} more responses it is not known whether the question was asked."
    assert note in table.notes
    assert unknown + table.bases["asked"][0] <= len(pulse)
    few = pulse.alchemer.table("q9")
    assert not any("not known" in note for note in few.notes)


def test_rows_that_are_there_twice_and_weights_that_are_gone_are_said(
    customers: pd.DataFrame,
) -> None:
    weighted = customers.alchemer.weight({"region": dict.fromkeys(REGIONS, 0.25)})
    twice = pd.concat([customers, customers.iloc[:7]])
    twice.attrs = customers.attrs
    answered = int(customers["region"].iloc[:7].notna().sum())
    rows = "rows of the base repeat a response that is there already."
    assert f"{answered} {rows}" in twice.alchemer.table("region").notes
    assert not any(rows in note for note in customers.alchemer.table("region").notes)
    gone = "it has no column 'weight' any more"
    for frame in (weighted.rename(columns={"weight": "w"}), weighted.drop(columns="weight")):
        assert any(gone in note for note in frame.alchemer.table("region").notes)
        assert not frame.alchemer.table("region").weight
    assert not any(gone in n for n in weighted.alchemer.table("region", weight=False).notes)


def test_a_group_is_tabulated_with_the_grids_in_it(
    downloads: Callable[[int], pd.DataFrame],
) -> None:
    frame = downloads(EVERY_TYPE)
    within = {"household_pets_cat", "household_names_a", "q69_10681", "q74", "q75"}
    assert within <= {*frame.alchemer.columns("household")}
    table = frame.alchemer.table("household")
    assert table.title == "Your household"
    assert {"Pets", "Adults: Age", "Names: A", "Rooms"} <= {block.label for block in table.blocks}
