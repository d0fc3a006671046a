"""Any survey, any part of its frame: what is read back is what was written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import alchemer_nb as al
from tests.frame.test_types_properties import kept_of, surveys

LOOSE = settings(suppress_health_check=list(HealthCheck))


@given(
    made=surveys(),
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
    multi=st.sampled_from(["columns", "list"]),
    rows=st.sets(st.integers(1, 3)),
    left_out=st.sets(st.integers(0, 8)),
)
@LOOSE
def test_frame_and_knowledge_come_back(made, names, values, multi, rows, left_out):
    asked, given_ = made
    kept, chosen = kept_of(asked, given_, names=names, values=values, multi=multi)
    whole = kept.build(chosen)
    # Other names tell equal words apart, so that a column left out may change another's.
    left_out = left_out if names == "id" else ()
    columns = [name for place, name in enumerate(whole.columns) if place not in left_out]
    for frame in (whole, whole.loc[[own for own in whole.index if own in rows], columns]):
        with tempfile.TemporaryDirectory() as folder:
            frame.alchemer.to_parquet(Path(folder) / "x.parquet")
            back = al.read_parquet(Path(folder) / "x.parquet")
        pd.testing.assert_frame_equal(back, frame)
        if frame is whole:
            assert back.attrs == frame.attrs
        else:  # the notes of what was dropped quote answers that do not go into the file
            told, told_back = frame.alchemer.facts, back.alchemer.facts
            here = {row["column_id"] for row in told["codebook"] if row[f"column_{names}"] in frame}
            gone = {row["column_id"] for row in told["codebook"]} - here
            for row, row_back in zip(told["codebook"], told_back["codebook"], strict=True):
                own = {row["column_id"], f"{row['column_id']}_raw"}
                dropped = own & gone
                assert row_back == ({**row, "notes": ""} if dropped and row["notes"] else row)
            assert {**told, "codebook": 0} == {**told_back, "codebook": 0}
        pd.testing.assert_frame_equal(back.alchemer.relabel(), frame.alchemer.relabel())
        pd.testing.assert_frame_equal(back.alchemer.missing(), frame.alchemer.missing())
        if values != "both" and multi == "columns":  # other choices give other columns
            wanted = frame.alchemer.relabel(names="id", values="label")
            pd.testing.assert_frame_equal(back.alchemer.relabel(names="id", values="label"), wanted)
