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
from tests.frame.test_types_properties import surveys
from tests.survey_json import option, question, response

LOOSE = settings(suppress_health_check=list(HealthCheck))


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
#: Texts that are easily taken for a label, a reporting value, an id or a number of something else.
WORDS = st.sampled_from(["1", "01", "1.0", "2", "One", "Two", "10001", "10002", "One [10001]", "x"])
SMALL = [
    ("RADIO", "radio"), ("RADIO", "radio-likert"), ("MENU", "menu"), ("NPS", "radio-nps"),
    ("CHECKBOX", "checkbox"), ("TABLE", "table-radio"), ("TABLE", "rank-table"),
    ("TABLE", "table-menu-matrix"), ("TEXTBOX", "number"), ("TEXTBOX", "date"),
]  # fmt: skip


def kept_of(asked, given_):
    survey = read_definition({"id": 5, "title": "T", "languages": ["English", "German"]}, asked)
    builder = AnswersBuilder(survey)
    builder.add_page(json.dumps({"result_ok": True, "data": given_}).encode())
    return Kept(builder.build(), survey, "UTC", FrameOptions(metadata="none"), {})


@st.composite
def closed_answers(draw, count):
    """An answer as the API sends it: by option id, by an id that is gone, written in, or bare."""
    entry = {"answer": draw(WORDS), "shown": draw(st.booleans())}
    own = draw(st.sampled_from([None, None, 10001, 10002, 10009, "10001-other", "10009-other"]))
    return entry if own is None else {**entry, "answer_id": own}


@st.composite
def closed_surveys(draw):
    """Two closed questions whose options and answers are hard to tell apart, and five responses."""
    asked = []
    for own in (2, 12):
        kind, key = draw(st.sampled_from(SMALL))
        options = [
            option(10001 + n, {"English": draw(WORDS), "German": draw(WORDS)}, draw(WORDS))
            for n in range(draw(st.integers(1, 3)))
        ]
        if draw(st.booleans()):
            options[-1]["properties"] = {"other": True}
        is_grid = kind == "TABLE"
        rows = [question(own + 1, "RADIO", "Row", "", options)] if is_grid else []
        asked.append(question(own, kind, "Q", draw(st.sampled_from(["", "a"])), options, rows, key))
    given_ = []
    for number in range(5):
        data = {}
        for each in asked:
            own, row = str(each["id"]), str(each["id"] + 1)
            entry = draw(st.none() | closed_answers(3))
            if each["type"] == "CHECKBOX" and entry:
                chosen = str(draw(st.sampled_from([10001, 10002, 10009])))
                entry = {"options": {chosen: {**entry, "id": int(chosen)}}}
            elif each["type"] == "TABLE" and entry:
                entry = {"subquestions": {row: entry}}
            if entry:
                data[own] = entry
        given_.append(response(number + 1, data or []))
    return asked, given_


def check_reexpressed(made, first, then, ids):
    """Compare a frame of some responses with a fresh one of these responses."""
    kept = kept_of(*made)
    here, known = made_frame(kept, ids, first)
    fresh, _ = made_frame(kept, ids, then)
    try:
        there = reexpress(here, known, then)
    except InvalidArgument as error:
        assert "with the same number" in str(error)
        return
    pd.testing.assert_frame_equal(there, fresh)


@given(made=surveys(), first=WAYS, then=WAYS, rows=st.permutations([1, 2, 3]))
@LOOSE
def test_any_frame_is_written_as_a_fresh_call_writes_it(made, first, then, rows):
    check_reexpressed(made, first, then, [own for own in rows if own <= len(made[1])])


@given(
    made=closed_surveys(),
    first=WAYS,
    then=WAYS,
    ids=st.lists(st.sampled_from([1, 2, 3, 4, 5]), unique=True),
)
@LOOSE
def test_texts_that_look_like_options_stay_apart(made, first, then, ids):
    check_reexpressed(made, first, then, ids)
