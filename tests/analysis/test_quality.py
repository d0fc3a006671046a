"""Flags of careless responses, against plain pandas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument
from tests import survey_json
from tests.analysis.conftest import EVERY_TYPE
from tests.analysis.frames import customers, nobody, pulse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scripted import ScriptedServer


def test_speeders() -> None:
    df = customers()
    limit = df["response_time"].median() / 3
    flags = df.alchemer.quality().flags["speeder"]
    assert flags.isna().equals(df["response_time"].isna())
    assert set(flags.index[flags.fillna(False)]) == set(df.index[df["response_time"] < limit])
    half = df.alchemer.quality(speed=0.5).flags["speeder"].sum()
    assert half == (df["response_time"] < df["response_time"].median() / 2).sum()


def test_straight_lines_of_each_grid() -> None:
    df = pulse()
    flags = df.alchemer.quality().flags
    names = df.alchemer.columns("q9")
    rows = df[names].astype(object)
    expected = (rows.nunique(axis=1) == 1) & (rows.notna().sum(axis=1) >= 3)
    assert flags["straight_q9"].fillna(False).astype(bool).equals(expected)
    assert flags["straight_q9"].isna().equals(rows.notna().sum(axis=1) < 3)


def test_answers_that_an_analyst_added_differ_by_their_words() -> None:
    df = pulse()
    names = df.alchemer.columns("q9")
    df[names] = df[names].astype(object)
    df.iloc[0, df.columns.get_indexer(names)] = [f"new {n}" for n in range(len(names))]
    df.iloc[1, df.columns.get_indexer(names)] = "new"
    assert df.alchemer.quality().flags["straight_q9"].tolist()[:2] == [False, True]


def test_a_grid_whose_id_differs_between_waves(scripted: ScriptedServer) -> None:
    """The id of the grid in the first wave means another question in the second."""
    options = [survey_json.option(1, "Good"), survey_json.option(2, "Bad")]
    shown = {"question": "", "section_id": 1, "shown": True}

    def wave(own: int) -> pd.DataFrame:
        rows = [
            survey_json.question(100 * own + n, "RADIO", title, "", options, key="radio")
            for n, title in enumerate(("Speed", "Price", "Staff"))
        ]
        grid = survey_json.question(own, "TABLE", "Rate", "rate", options, rows, key="radio-grid")
        new = survey_json.question(2, "RADIO", "New?", "new", options, key="radio")
        cells = {
            str(row["id"]): {**shown, "id": row["id"], "type": "RADIO", "parent": str(own),
                             "answer": "Good", "answer_id": 1}
            for row in rows
        }  # fmt: skip
        data = {"2": {**shown, "id": 2, "type": "RADIO", "answer": "Bad", "answer_id": 2}}
        data[str(own)] = {**shown, "id": own, "type": "parent", "subquestions": cells}
        return survey_json.frame(
            scripted, [new, grid][own == 2 :], [survey_json.response(1, data)], survey_id=own
        )

    waves = al.stack_waves({"1": wave(2), "2": wave(3)})
    quality = waves.alchemer.quality()
    assert quality.flags["straight_rate"].tolist() == [True, True]
    assert "the same answer in all rows of 'Rate'" in set(quality.summary["how"])


def test_repeated_sessions() -> None:
    df = customers()
    expected = df["session_id"].duplicated(keep=False)
    assert df.alchemer.quality().flags["repeated_session"].astype(bool).equals(expected)


def test_open_answers_without_a_word() -> None:
    df = customers()
    df["comments"] = df["comments"].astype(object)
    written = df.index[df["comments"].notna()]
    empty = ["-", "..", "x", "aaa", "a a"]
    said = ["ok", "n.a.", "5", "好"]
    for row, text in zip(written, empty + said, strict=False):
        df.loc[row, "comments"] = text
    flags = df.alchemer.quality().flags["empty_open"]
    assert flags[written[: len(empty + said)]].tolist() == [True] * 5 + [False] * 4
    assert set(flags.index[flags.isna()]).isdisjoint(written)


def test_flags_of_alchemer() -> None:
    df = customers()
    quality = {"opentext": {"gibberish": {"12": 12}, "badwords": []}, "straightlining": []}
    empty = {"opentext": {"gibberish": [], "badwords": []}, "checkbox": {}}
    zero = {"opentext": {"gibberish": False, "badwords": None}, "straightlining": "0"}
    texts: list[object] = [np.nan] * len(df)
    texts[:3] = json.dumps(quality), json.dumps(empty), json.dumps(zero)
    df["data_quality"] = pd.array(texts, dtype="str" if pd.__version__ >= "3" else "object")
    assert df.alchemer.quality().flags["alchemer_flag"].sum() == 1


def test_nothing_is_deleted_and_what_is_missing_is_named() -> None:
    df = customers()
    quality = df.drop(columns=["session_id", "data_quality", "response_time"]).alchemer.quality()
    assert quality.flags.index.equals(df.index)
    assert len(quality.notes) == 3
    assert "Nothing is deleted." in repr(quality)
    assert (quality.flags["flags"] == quality.flags.drop(columns="flags").sum(axis=1)).all()


def test_summary_counts_the_flags() -> None:
    quality = customers().alchemer.quality()
    for row in quality.summary.itertuples():
        assert row.flagged == quality.flags[row.check].sum()
        assert row.of == quality.flags[row.check].notna().sum()
    assert "<table" in quality._repr_html_()


@pytest.mark.parametrize("speed", [0, 1, "fast", None])
def test_a_wrong_speed_is_refused(speed: object) -> None:
    with pytest.raises(InvalidArgument, match="part of the median"):
        customers().alchemer.quality(speed=speed)


def test_nobody_has_answered() -> None:
    assert len(nobody().alchemer.quality().flags) == 0


def test_times_that_are_no_numbers() -> None:
    df = customers()
    expected = df.alchemer.quality().flags["speeder"]
    lengths = df.assign(response_time=pd.to_timedelta(df["response_time"], unit="s"))
    assert lengths.alchemer.quality().flags["speeder"].equals(expected)
    for none in ("fast", np.nan, np.inf):
        quality = df.assign(response_time=none).alchemer.quality()
        assert quality.flags["speeder"].isna().all()
        assert "speeder: 0 of 0 (– %): no response has a time" in repr(quality)
        assert "nan" not in quality._repr_html_()


def test_one_time_for_all_makes_no_speeders() -> None:
    assert customers().assign(response_time=60).alchemer.quality().flags["speeder"].sum() == 0


def test_straight_lines_of_stars(downloads: Callable[[int], pd.DataFrame]) -> None:
    df = downloads(EVERY_TYPE)
    stars = df[[name for name in df.columns if name.startswith("stars_")]]
    assert stars.shape[1] >= 3
    question = df.alchemer.codebook.set_index("column_alias").loc[stars.columns[0], "parent_id"]
    flags = df.alchemer.quality().flags[f"straight_q{question}"]
    given = stars.notna().sum(axis=1)
    assert flags.isna().equals(given < 3)
    assert flags[given >= 3].astype(bool).equals(stars[given >= 3].nunique(axis=1) == 1)
    assert len(given[given >= 3])
