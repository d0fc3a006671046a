"""A frame written with other options from what it shows alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import Kept
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reexpress import reexpress
from alchemer_nb.survey.definition import read_definition
from tests.frame.made_frames import made_frame
from tests.frame.test_types_properties import LABELS, surveys

LOOSE = settings(suppress_health_check=list(HealthCheck))


def without_metadata(frame, then):
    """The columns that a long frame has, too."""
    return frame


WAYS = st.builds(
    lambda names, values, shape, language: FrameOptions(
        names=names, values=values, shape=shape[0], multi=shape[1], language=language,
        metadata="none",
    ),
    st.sampled_from(["alias", "id", "text"]),
    st.sampled_from(["label", "code", "id", "both"]),
    st.sampled_from([("wide", "columns"), ("wide", "list"), ("long", "columns")]),
    st.sampled_from([None, "German"]),
)  # fmt: skip
ANSWERS = st.sampled_from(
    ["", "1", "01", "1.0", "2", " 2", "one", "One", "Two", "3", "7", "10001", "10002", "x", "Two [10002]"]
)


def kept_of(asked, given_):
    survey = read_definition({"id": 5, "title": "T", "languages": ["English", "German"]}, asked)
    builder = AnswersBuilder(survey)
    builder.add_page(json.dumps({"result_ok": True, "data": given_}).encode())
    return Kept(builder.build(), survey, "UTC", FrameOptions(metadata="none"), {})


@st.composite
def surveys_in_two_languages(draw):
    asked, given_ = draw(surveys(ANSWERS))
    for each in [part for q in asked for part in (q, *q.get("sub_questions", ()))]:
        for option in each["options"]:
            option["title"] = {**option["title"], "German": draw(st.sampled_from(["", *LABELS]))}
    return asked, given_


@given(made=surveys_in_two_languages(), first=WAYS, then=WAYS, rows=st.permutations([1, 2, 3]))
@LOOSE
def test_any_frame_is_written_as_a_fresh_call_writes_it(made, first, then, rows):
    asked, given_ = made
    kept = kept_of(asked, given_)
    ids = [own for own in rows if own <= len(given_)]
    here, known = made_frame(kept, ids, first)
    fresh, _ = made_frame(kept, ids, then)
    try:
        there = reexpress(here, known, then)
    except InvalidArgument as error:
        import hypothesis; hypothesis.event("raises")
        assert "the same number" in str(error)
        return
    pd.testing.assert_frame_equal(there, fresh)
