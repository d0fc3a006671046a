"""Any survey, any part of its frame: what is read back is what was written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb.frame.description import describe, drop_unused_texts
from tests.frame.test_types_properties import frame_of, surveys

LOOSE = settings(suppress_health_check=list(HealthCheck))


# A multiple choice without options: its comment is its only column.
COMMENT_ALONE = {
    "id": 2,
    "base_type": "Question",
    "type": "CHECKBOX",
    "title": {"English": "Q"},
    "shortname": "",
    "varname": [],
    "description": [],
    "comment": True,
    "properties": {},
    "options": [],
}


def questions_of(frame):
    """The questions that have more columns here than write-ins and comments."""
    aside = ("other", "raw", "comment")
    columns = describe(frame).columns
    return {c.path[0] for n, c in columns.items() if n in frame and c.part not in aside}


def reasons_of(frame):
    """The reasons of empty cells; of write-ins and comments only next to their question."""
    columns, questions = describe(frame).columns, questions_of(frame)
    missing = frame.alchemer.missing()
    return missing[[name for name in missing if columns[name].path[0] in questions]]


@given(
    made=surveys(),
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
    multi=st.sampled_from(["columns", "list"]),
    rows=st.sets(st.integers(1, 3)),
    left_out=st.sets(st.integers(0, 8)),
)
@example(
    made=([COMMENT_ALONE], []),
    names="alias",
    values="label",
    multi="columns",
    rows=set(),
    left_out=set(),
)
@LOOSE
def test_frame_and_knowledge_come_back(made, names, values, multi, rows, left_out):
    asked, given_ = made
    whole = frame_of(asked, given_, names=names, values=values, multi=multi)
    # Other names tell equal words apart, so that a column left out may change another's.
    left_out = left_out if names == "id" else ()
    columns = [name for place, name in enumerate(whole.columns) if place not in left_out]
    for frame in (whole, whole.loc[[own for own in whole.index if own in rows], columns]):
        with tempfile.TemporaryDirectory() as folder:
            frame.alchemer.to_parquet(Path(folder) / "x.parquet")
            back = al.read_parquet(Path(folder) / "x.parquet")
        # Of rows that are not here, the file has not even the texts that are no option.
        pd.testing.assert_frame_equal(back, drop_unused_texts(frame, describe(frame)))
        # Of a question with a comment alone, a file has no reasons.
        of_columns = {column.path[0] for column in describe(frame).columns.values()}
        if frame is whole and of_columns == questions_of(frame):
            assert back.attrs == frame.attrs
        if not frame.shape[1]:
            continue
        pd.testing.assert_frame_equal(back.alchemer.relabel(), frame.alchemer.relabel())
        pd.testing.assert_frame_equal(reasons_of(back), reasons_of(frame))
        if values != "both" and multi == "columns":  # other choices give other columns
            wanted = frame.alchemer.relabel(names="id", values="label")
            pd.testing.assert_frame_equal(back.alchemer.relabel(names="id", values="label"), wanted)
