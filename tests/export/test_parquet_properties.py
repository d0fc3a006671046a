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
from tests.survey_json import option, question, response

LOOSE = settings(suppress_health_check=list(HealthCheck))
BY_ID = {"names": "id", "values": "label", "multi": "columns"}
NO_OPTIONS = [{**question(2, "CHECKBOX", key="checkbox"), "comment": True}]
OTHER = [option(10001, "One", "2", other=True)]


def of_row(**entry):
    """A response with an answer to a row that it made of an earlier answer."""
    return response(1, {"10001": {"id": 10001, "parent": 2, "question": "One", **entry}})


def reasons_of(frame):
    """The reasons of empty cells; of write-ins and comments only next to their question."""
    columns = describe(frame).columns
    aside = ("other", "raw", "comment")
    questions = {c.path[0] for n, c in columns.items() if n in frame and c.part not in aside}
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
# A comment beside no options.
@example(
    made=(NO_OPTIONS, [response(1, {"2": {"shown": True, "comments": "w0x"}})]),
    **BY_ID,
    rows={1},
    left_out=set(),
)
# A write-in at a row, without the answer to the row.
@example(
    made=(
        [question(2, "RADIO", "", "", OTHER, key="radio")],
        [of_row(answer="w0x", answer_id="10001-other")],
    ),
    **BY_ID,
    rows={1},
    left_out={2},
)
# A list of options, without the text that was an answer to the same row.
@example(
    made=([question(2, "CHECKBOX", "", "", OTHER, key="checkbox")], [of_row(answer="w0x")]),
    **{**BY_ID, "multi": "list"},
    rows={1},
    left_out={2},
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
        if frame is whole:
            assert back.attrs == frame.attrs
        if not frame.shape[1]:
            continue
        pd.testing.assert_frame_equal(back.alchemer.relabel(), frame.alchemer.relabel())
        pd.testing.assert_frame_equal(reasons_of(back), reasons_of(frame))
        if values != "both" and multi == "columns":  # other choices give other columns
            wanted = frame.alchemer.relabel(names="id", values="label")
            pd.testing.assert_frame_equal(back.alchemer.relabel(names="id", values="label"), wanted)
