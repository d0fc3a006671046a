"""A frame written with other options from what it shows alone."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reexpress import reexpress
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.survey.definition import read_definition
from tests.frame.test_types_properties import LABELS, surveys

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
ANSWERS = st.sampled_from(
    [
        "",
        "1",
        "01",
        "1.0",
        "2",
        " 2",
        "one",
        "One",
        "Two",
        "3",
        "7",
        "10001",
        "10002",
        "x",
        "Two [10002]",
    ]
)


def built(asked, given_, ids, options):
    survey = read_definition({"id": 5, "title": "T", "languages": ["English", "German"]}, asked)
    builder = AnswersBuilder(survey)
    builder.add_page(json.dumps({"result_ok": True, "data": given_}).encode())
    answers = builder.build()
    rows = choose_rows(answers, options)
    order = [rows.ids.tolist().index(own) for own in ids]
    rows = replace(rows, numbers=rows.numbers[order], ids=rows.ids[order])
    return build_frame(answers, survey, rows, options, ZoneInfo("UTC"), {})


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
    ids = [own for own in rows if own <= len(given_)]
    here, fresh = (built(asked, given_, ids, options) for options in (first, then))
    try:
        there = reexpress(here, read_description(here), then)
    except InvalidArgument as error:
        if "the same number" not in str(error):
            raise
        return
    pd.testing.assert_frame_equal(there, fresh)
    assert [*read_description(there).columns] == [*read_description(fresh).columns]
