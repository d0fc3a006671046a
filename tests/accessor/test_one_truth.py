"""One truth: what an analyst did to the frame holds for all that reads it, and travels alone.

The right values are computed here in plain pandas.
"""

from __future__ import annotations

import base64
import json
import pickle
import zlib

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import KnowledgeLost

SCORES = {
    "Very satisfied": 5,
    "Satisfied": 4,
    "Neither satisfied nor dissatisfied": 3,
    "Dissatisfied": 2,
    "Very dissatisfied": 1,
}


@pytest.fixture(scope="module")
def client(box):
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def df(client):
    return client.responses("Customer satisfaction", progress="none")


def scores_of(values):
    return values.astype(object).map(SCORES).dropna().astype(float)


def share(values, least):
    return (scores_of(values) >= least).mean()


def blanked(df):
    """The frame with the answers of the 80 most satisfied removed."""
    out = df.copy()
    out.loc[out["satisfaction"].sort_values(ascending=False).index[:80], "satisfaction"] = np.nan
    return out


@pytest.mark.parametrize(
    "overwrite",
    [
        lambda df: df.assign(email="(removed)"),
        pytest.param(lambda df: df.assign(email=None), marks=pytest.mark.long),
        lambda df: df.assign(email=df["email"].where(df["nps"].isna(), "x")).head(40),
        pytest.param(lambda df: df.drop(columns="email").assign(email="y"), marks=pytest.mark.long),
        lambda df: df.assign(email=df["email"].str.slice(0, 1)),
    ],
)
def test_an_address_that_was_overwritten_is_nowhere(df, tmp_path, overwrite):
    mine = overwrite(df)
    addresses = set(df["email"].dropna()) - set(mine["email"].dropna())
    assert len(addresses) > 50
    mine.alchemer.to_parquet(tmp_path / "x.parquet")
    back = al.read_parquet(tmp_path / "x.parquet")
    again = back.alchemer.relabel(values="code")
    assert not addresses & set(again["email"].dropna())
    mine.to_parquet(tmp_path / "y.parquet", compression=None)
    raw = pickle.dumps(mine) + (tmp_path / "y.parquet").read_bytes() + pickle.dumps(again)
    meaning = json.loads(back.attrs["alchemer"])["meaning"]
    raw += zlib.decompress(base64.b64decode(meaning))
    assert [each for each in addresses if each.encode() in raw] == []


def test_a_pickle_of_two_cells_carries_nobody_else(df):
    raw = pickle.dumps(df[["nps"]].head(2))
    assert len(raw) < 30_000
    assert [each for each in df["email"].dropna() if each.encode() in raw] == []


def test_everything_counts_the_frame_as_it_stands(df, tmp_path):
    mine = blanked(df)
    assert share(mine["satisfaction"], 4) != pytest.approx(share(df["satisfaction"], 4))
    for frame in (df, mine, mine[mine["region"] == "West"]):
        values = frame["satisfaction"]
        assert frame.alchemer.top("satisfaction", 2) == pytest.approx(share(values, 4))
        by_hand = values.astype(object).map(SCORES).astype(float)
        pd.testing.assert_series_equal(
            frame.alchemer.score("satisfaction"), by_hand.rename("satisfaction"),
            check_dtype=False,
        )  # fmt: skip
        bases = frame.alchemer.base_sizes().set_index("alias")
        assert bases.loc["satisfaction", "answered"] == values.notna().sum()
        book = frame.alchemer.codebook.set_index("column_alias")
        assert book.loc["satisfaction", "n_answered"] == values.notna().sum()
        assert (frame.alchemer.missing()["satisfaction"] == "answered").sum() == values.count()
        codes = frame.alchemer.relabel(values="code")
        assert codes["satisfaction"].isna().tolist() == values.isna().tolist()
        back = codes.alchemer.relabel(values="label")["satisfaction"]
        assert back.astype(object).equals(values.astype(object))
    removed = mine.alchemer.missing()["satisfaction"] == "removed"
    assert removed.tolist() == (df["satisfaction"].notna() & mine["satisfaction"].isna()).tolist()


def test_a_recode_is_taken_at_its_word_and_a_column_of_ones_own_is_said(df):
    mine = df.copy()
    mine.loc[mine["satisfaction"] == "Very satisfied", "satisfaction"] = "Satisfied"
    assert mine.alchemer.top("satisfaction", 2) == pytest.approx(share(mine["satisfaction"], 4))
    assert mine.alchemer.top("satisfaction", 1) == 0
    mine["satisfaction"] = df["satisfaction"].cat.codes
    with pytest.raises(al.errors.InvalidArgument, match="of your own"):
        mine.alchemer.top("satisfaction", 2)


@pytest.fixture(scope="module")
def waves(client, df):
    old = client.responses("Customer satisfaction 2025", progress="none")
    return {"2025": old, "2026": df}


def test_stacked_waves_can_be_asked_as_one_frame_and_piece_by_piece(waves, df):
    both = al.stack_waves(waves)
    values = pd.concat([frame["satisfaction"].astype(object) for frame in waves.values()])
    assert both.alchemer.top("satisfaction", 2) == pytest.approx(share(values, 4))
    by_wave = both.groupby("wave", observed=False).apply(
        lambda piece: piece.alchemer.top("satisfaction", 2)
    )
    expected = [share(frame["satisfaction"], 4) for frame in waves.values()]
    assert by_wave.tolist() == pytest.approx(expected)
    sizes = both.alchemer.base_sizes()
    assert sizes["wave"].drop_duplicates().tolist() == ["2025", "2026"]
    for label, frame in waves.items():
        of_wave = sizes[sizes["wave"] == label].set_index("question_id")
        alone = frame.alchemer.base_sizes().set_index("question_id")
        assert of_wave["answered"].to_dict() == alone["answered"].to_dict()
        states = both.alchemer.missing().xs(label, level="wave")["nps"]
        assert states.tolist() == frame.alchemer.missing()["nps"].tolist()
    last = both[both.index.get_level_values("wave") == "2026"]
    assert last.alchemer.top("satisfaction", 2) == pytest.approx(share(df["satisfaction"], 4))
    flat = both.reset_index()
    assert flat.alchemer.top("satisfaction", 2) == pytest.approx(share(values, 4))
    with pytest.raises(KnowledgeLost, match="lost their wave"):
        flat.drop(columns="wave").alchemer.top("satisfaction", 2)


def test_a_tracker_file_can_be_redacted(waves, tmp_path):
    both = al.stack_waves(waves)
    addresses = set(both["email"].dropna())
    clean = both.alchemer.redact()
    assert "email" not in clean
    assert clean.alchemer.redacted.set_index("column").loc["email", "done"] == "dropped"
    assert clean.alchemer.top("satisfaction", 2) == both.alchemer.top("satisfaction", 2)
    clean.alchemer.to_parquet(tmp_path / "tracker.parquet")
    back = al.read_parquet(tmp_path / "tracker.parquet")
    assert back.alchemer.top("satisfaction", 2) == both.alchemer.top("satisfaction", 2)
    raw = pickle.dumps(back)
    assert [each for each in addresses if each.encode() in raw] == []


def test_a_list_of_frames_has_waves_by_number(waves):
    both = al.stack_waves([*waves.values()])
    assert both.index.levels[0].tolist() == ["1", "2"]
    twice = al.stack_waves([waves["2026"], waves["2026"]])
    assert twice.alchemer.top("nps", 2) == pytest.approx(waves["2026"].alchemer.top("nps", 2))


def test_a_renamed_column_gets_its_meaning_by_attach(df):
    mine = df.rename(columns={"satisfaction": "sat"})
    with pytest.raises(al.errors.InvalidArgument):
        mine.alchemer.top("sat", 2)
    mine = df.alchemer.attach(mine, names={"sat": "satisfaction"})
    assert mine.alchemer.top("sat", 2) == pytest.approx(share(df["satisfaction"], 4))
    with pytest.raises(al.errors.InvalidArgument, match="no column of the survey"):
        df.alchemer.attach(mine, names={"sat": "nope"})


def test_the_facts_are_short(df):
    assert len(repr(df.alchemer.facts)) < 2000
    assert "codebook" not in df.alchemer.facts


def test_a_description_that_no_longer_fits_does_not_travel_in_our_files(df, tmp_path):
    lost = df.reset_index(drop=True)[["nps", "region"]]
    lost.alchemer.to_parquet(tmp_path / "x.parquet")
    back = al.read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(back, lost)
    assert back.attrs == {}
    with pytest.raises(KnowledgeLost, match="attach"):
        back.alchemer.missing()
