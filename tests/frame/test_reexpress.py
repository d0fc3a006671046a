"""A frame written with other options from what it shows alone."""

from __future__ import annotations

import itertools
import random
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.metadata import metadata_names
from alchemer_nb.frame.options import FrameOptions, ValuesOrBoth
from alchemer_nb.frame.reexpress import reexpress
from alchemer_nb.survey.definition import read_definition
from tests.boxes import NO_LIMITS, copied_box
from tests.frame.made_frames import fetched, made_frame, received
from tests.frame.test_types_properties import surveys
from tests.survey_json import LIKERT, frame, option, question, response

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
WORDS = st.sampled_from(["1", "01", "2", "07", "One", "Two", "10001", "10002", "One [10001]", "x"])
SMALL = [
    ("RADIO", "radio"), ("RADIO", "radio-likert"), ("MENU", "menu"), ("NPS", "radio-nps"),
    ("CHECKBOX", "checkbox"), ("TABLE", "table-radio"), ("TABLE", "rank-table"),
    ("TABLE", "table-menu-matrix"), ("TEXTBOX", "number"), ("TEXTBOX", "date"),
]  # fmt: skip


def kept_of(asked, given_):
    survey = read_definition({"id": 5, "title": "T", "languages": ["English", "German"]}, asked)
    return received(survey, given_)


@st.composite
def closed_answers(draw):
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
            for n in range(draw(st.integers(0, 3)))
        ]
        if options and draw(st.booleans()):
            options[-1]["properties"] = {"other": True}
        is_grid = kind == "TABLE"
        row = draw(st.sampled_from([("RADIO", ""), ("NPS", "radio-nps"), ("MENU", "menu")]))
        rows = [question(own + 1, row[0], "Row", "", options, key=row[1])] if is_grid else []
        asked.append(question(own, kind, "Q", draw(st.sampled_from(["", "a"])), options, rows, key))
    given_ = []
    for number in range(5):
        data = {}
        for each in asked:
            own, row = str(each["id"]), str(each["id"] + 1)
            entry = draw(st.none() | closed_answers())
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
        refused = str(error)
    else:
        refused = ""
        pd.testing.assert_frame_equal(there, fresh)
    assert not refused or "with the same number" in refused


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


def ways(languages):
    """All ways of a frame that differ: the long shape has labels, codes and ids at once."""
    shapes = [(v, "wide", m) for v in get_args(ValuesOrBoth) for m in ("columns", "list")]
    return [
        FrameOptions(names=names, values=values, shape=shape, multi=multi, language=language)
        for names in ("alias", "id", "text")
        for values, shape, multi in [*shapes, ("label", "long", "columns")]
        for language in languages
    ]


def as_from_long(fresh, first, then):
    """A fresh frame as one of the long shape can tell it: without metadata and url variables."""
    if (first.shape, then.shape) != ("long", "wide"):
        return fresh
    gone = [n for n in fresh if n in metadata_names("standard") or n.startswith("url_")]
    return fresh.drop(columns=gone)


@pytest.fixture(scope="module", params=["2017", "current"])
def demo(request):
    """The answers of all demo surveys in one form of payloads."""
    with copied_box(responses=40, types=True, form=request.param, **NO_LIMITS) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        frames = {own: client.responses(own, progress="none") for own in client.surveys()["id"]}
        yield [(fetched(client, own), [*frame.index]) for own, frame in frames.items()]


def check_pairs(kept, ids, pairs):
    """Compare frames with fresh ones and return the numbers of frames and columns compared."""
    made = {}
    columns = 0
    for first, then in pairs:
        for each in {first, then} - made.keys():
            made[each] = made_frame(kept, ids, each)
        here, known = made[first]
        there = reexpress(here, known, then)
        pd.testing.assert_frame_equal(there, as_from_long(made[then][0], first, then))
        columns += there.shape[1]
    return len(pairs), columns


def test_some_frames_of_the_demo_are_written_as_fresh_calls_write_them(demo):
    chooser = random.Random(1)
    for kept, ids in demo:
        some = ways([None, *kept.survey.languages[1:]])
        pairs = [(chooser.choice(some), chooser.choice(some)) for _ in range(2)]
        assert check_pairs(kept, ids, pairs)[0] == 2


@pytest.mark.long
def test_all_frames_of_the_demo_are_written_as_fresh_calls_write_them(demo):
    counts = []
    for kept, ids in demo:
        every = ways([None])
        pairs = list(itertools.product(every, every))
        for language in kept.survey.languages[1:]:  # names and shapes without it are done above
            abroad = ways([language])
            pairs += [*itertools.product(every, abroad), *zip(abroad, every, strict=True)]
        counts.append(check_pairs(kept, ids, pairs))
    frames, columns = map(sum, zip(*counts, strict=True))
    assert frames >= 6 * 27 * 27, f"{frames} frames, {columns} columns"


def test_what_only_excluded_rows_hold_makes_no_category_and_no_column(scripted):
    asked = [question(2, "RADIO", "", "sat", LIKERT)]
    given_ = [
        response(1, {"2": {"answer": "gone", "answer_id": 10099}}, is_test_data="1"),
        response(2, {"2": {"answer": "late", "answer_id": 10099}}),
        response(3, {"2": {"answer": "4", "answer_id": 10002}}),
        response(4, {"2": {"answer": "07", "answer_id": 10098}}),
        response(5, {"2": {"answer": "new", "answer_id": "10097-other"}}),
    ]
    labels = frame(scripted, asked, given_, metadata="none")
    names = ["Very satisfied", "Satisfied", "Not satisfied"]
    assert [*labels["sat"].cat.categories] == [*names, "late", "07", "new"]
    codes = frame(scripted, asked, given_, metadata="none", values="code")
    assert codes["sat"].tolist()[1:3] == [4.0, 7.0]
    assert codes["sat"].isna().tolist() == [True, False, False, True]
    assert codes["sat_raw"].tolist() == ["late", np.nan, "07", "new"]  # 7 alone would be "7"
    assert codes["sat_other"].tolist() == [np.nan, np.nan, np.nan, "new"]
    kept = kept_of(asked, given_)
    here, known = made_frame(kept, [4, 3, 2], kept.options)
    assert [*here["sat"].cat.categories] == [*names, "07", "late"]  # by first row
    plain, _ = made_frame(kept, [3], kept.with_options(values="code"))
    assert [*plain.columns] == ["sat", "sat_other"]
    assert plain["sat"].tolist() == [4.0]
    few = reexpress(here.loc[[3]], known, kept.with_options(values="code"))
    pd.testing.assert_frame_equal(few, plain)
