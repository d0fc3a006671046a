"""A frame written with other options from what it shows alone."""

from __future__ import annotations

import itertools
import random
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import read_description
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
    FrameOptions,
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
    shape=st.sampled_from(["wide", "wide", "long"]),
    multi=st.sampled_from(["columns", "list"]),
    language=st.sampled_from([None, "English", "German"]),
    metadata=st.sampled_from(["none", "none", "standard", "all"]),
    tz=st.sampled_from(["UTC", None, "Asia/Tokyo"]),
)
#: Url variables; some of them have the names of questions.
URLS = st.dictionaries(st.sampled_from(["x", "src", "url_x", ""]), st.sampled_from(["", "1", "y"]))
DEMO_SURVEYS = 7
ROWS = st.lists(st.integers(1, 5), unique=True)
#: Texts that are easily taken for a label, a reporting value, an id or a number of something else.
WORDS = st.sampled_from(["1", "01", "2", "07", "One", "Two", "10001", "10002", "One [10001]", "x"])
#: A number that is the id of an option, and one that is the value of an option that was not chosen.
ONE = [question(2, "RADIO", "Q", options=[option(10001, "1")], key="radio")]
BARE_ID = ONE, [response(1, {"2": {"answer": "10001"}})]
GONE_ID = ONE, [response(1, {"2": {"answer": "1", "answer_id": "10009-other"}})]
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


def has_number_of_two_options(kept, ids, first):
    """Whether a number in a frame does not say the option: the one thing that cannot be told."""
    if first.values == "id" and first.shape == "wide":
        return False
    df, made = made_frame(kept, ids, FrameOptions(names="id"))
    for name, column in made.columns.items():
        if column.kind == "number" and column.choices:
            values = pd.Series([option.value for option in column.choices])
            of_options = pd.to_numeric(values, errors="coerce").dropna()
            raw = df.get(f"{name}_raw", pd.Series(None, index=df.index, dtype=object))
            if (df[name].isin(of_options[of_options.duplicated()]) & raw.isna()).any():
                return True
    return False


def assert_same(left, right):
    """Compare exactly; pandas' own comparison takes as long as the work that is compared."""
    is_same = (
        left.columns.identical(right.columns)
        and left.index.identical(right.index)
        and left.equals(right)
        and all(
            a == b
            and (not isinstance(a, pd.CategoricalDtype) or [*a.categories] == [*b.categories])
            for a, b in zip(left.dtypes, right.dtypes, strict=True)
        )
    )
    if not is_same:
        pd.testing.assert_frame_equal(left, right, check_exact=True)


def check_same(there, expected, first, then):
    """Compare a frame made of another one with a fresh one, and what their columns mean.

    What the frame at hand does not show is left out: metadata that was not asked for, and from
    the long shape, which has answers alone, metadata and url variables.
    """
    fresh, meaning = expected
    means = read_description(there)
    gone = {*metadata_names(then.metadata)}
    if first.shape == "long" != then.shape:
        gone |= meaning.urls.keys()
        assert not means.urls
    else:
        gone -= {*metadata_names(first.metadata)}
        assert means.urls == meaning.urls
    if then.shape == "wide":
        fresh = fresh.drop(columns=[*gone])
        if fresh.columns.empty:  # pandas makes no text of the names of no columns
            fresh = fresh.set_axis(there.columns, axis=1)
    assert_same(there, fresh)
    assert [*means.columns.items()] == [*meaning.columns.items()]
    assert means.codes == meaning.codes


def check_reexpressed(kept, ids, first, then):
    """Compare a frame of some responses, and what its columns mean, with a fresh one of these."""
    here, known = made_frame(kept, ids, first)
    if then.values == "id" and then.shape == "wide" and has_number_of_two_options(kept, ids, first):
        with pytest.raises(InvalidArgument, match="with the same number"):
            reexpress(here, known, then)
        return
    check_same(reexpress(here, known, then), made_frame(kept, ids, then), first, then)


@given(made=surveys(), urls=st.lists(URLS, min_size=3), first=WAYS, then=WAYS, rows=ROWS)
@LOOSE
def test_any_frame_is_written_as_a_fresh_call_writes_it(made, urls, first, then, rows):
    asked, given_ = made
    given_ = [{**each, "url_variables": own} for each, own in zip(given_, urls, strict=False)]
    ids = [own for own in rows if own <= len(given_)]
    check_reexpressed(kept_of(asked, given_), ids, first, then)


@given(made=closed_surveys(), first=WAYS, then=WAYS, rows=ROWS)
@example(made=BARE_ID, first=FrameOptions(shape="long"), then=FrameOptions(), rows=[1])
@example(made=GONE_ID, first=FrameOptions(shape="long"), then=FrameOptions(), rows=[1])
@LOOSE
def test_texts_that_look_like_options_stay_apart(made, first, then, rows):
    check_reexpressed(kept_of(*made), rows, first, then)


def ways(languages):
    """All ways of a frame that differ: the long shape has labels, codes and ids at once."""
    shapes = [(v, "wide", m) for v in get_args(ValuesOrBoth) for m in ("columns", "list")]
    return [
        FrameOptions(names=names, values=values, shape=shape, multi=multi, language=language)
        for names in ("alias", "id", "text")
        for values, shape, multi in [*shapes, ("label", "long", "columns")]
        for language in languages
    ]


@pytest.fixture(scope="module", params=["2017", "current"])
def demo(request):
    """The answers of all demo surveys in one form of payloads."""
    with copied_box(responses=40, types=True, form=request.param, **NO_LIMITS) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        frames = {own: client.responses(own, progress="none") for own in client.surveys()["id"]}
        yield [(fetched(client, own), [*frame.index]) for own, frame in frames.items()]


def check_pairs(kept, ids, pairs):
    """Compare frames with fresh ones and return the number of columns compared."""
    made = {}
    columns = 0
    for first, then in pairs:
        for each in {first, then} - made.keys():
            made[each] = made_frame(kept, ids, each)
        there = reexpress(*made[first], then)
        check_same(there, made[then], first, then)
        columns += there.shape[1]
    return columns


def some_rows(ids):
    """All rows, other rows in another order, one, none."""
    return [ids, ids[:1:-3], ids[1:2], []]


def test_some_frames_of_the_demo_are_written_as_fresh_calls_write_them(demo):
    chooser = random.Random(1)
    for number, (kept, ids) in enumerate(demo):
        some = ways([None, *kept.survey.languages[1:]])
        for rows in some_rows(ids)[number % 2 :: 2]:
            assert check_pairs(kept, rows, [(chooser.choice(some), chooser.choice(some))])


@pytest.mark.long
@pytest.mark.parametrize("number", range(DEMO_SURVEYS))
def test_all_frames_of_the_demo_are_written_as_fresh_calls_write_them(demo, number):
    kept, ids = demo[number]
    assert len(demo) == DEMO_SURVEYS
    every = ways([None, *kept.survey.languages[1:]])
    assert check_pairs(kept, ids, itertools.product(every, every)) > len(every) ** 2
    for rows in some_rows(ids)[1:]:
        mixed = random.Random(2).sample(every, len(every))
        assert check_pairs(kept, rows, zip(every, mixed, strict=True))


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
