"""The description of a frame: what it holds, what it never holds, and when it no longer fits."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import time
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import Description, describe, read_description
from tests.boxes import copied_box
from tests.survey_json import frame as built
from tests.survey_json import option, question, response

CHOICES = {
    "plain": {},
    "codes as lists": {"values": "code", "multi": "list"},
    "ids": {"values": "id", "names": "id", "metadata": "all"},
    "both": {"values": "both", "names": "text"},
    "long": {"shape": "long"},
}


def ways_in_turn(number):
    """The ways of a survey: plain, and one of the others in turn."""
    return "plain", [*CHOICES][1 + number % (len(CHOICES) - 1)]


@pytest.fixture(
    scope="module",
    params=[
        ("current", ways_in_turn),
        ("2017", lambda _: ["plain"]),
        pytest.param(("current", lambda _: CHOICES), marks=pytest.mark.long),
        pytest.param(("2017", lambda _: CHOICES), marks=pytest.mark.long),
    ],
    ids=["current", "2017", "current in each way", "2017 in each way"],
)
def frames(request):
    """Each demo survey, in some ways; answers of both forms of payload."""
    form, ways_of = request.param
    with copied_box(form=form, responses=60, types=True) as box:
        client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
        yield {
            (survey, way): client.responses(survey, progress="none", **CHOICES[way])
            for number, survey in enumerate(client.surveys()["id"])
            for way in ways_of(number)
        }


def unpacked(text):
    """The whole text of a description, with what is deflated in it."""
    data = json.loads(text)
    parts = [data, *data.get("waves", {}).values()]
    inner = [
        zlib.decompress(base64.b64decode(p["meaning"])).decode() for p in parts if "meaning" in p
    ]
    return text + "".join(inner)


def test_every_demo_survey_is_written_and_read_again(frames):
    for frame in frames.values():
        text = frame.attrs["alchemer"]
        assert type(text) is str
        assert text.isascii()
        read = Description.from_json(text)
        assert read.to_json() == text
        assert [*read.columns] == [n for n in frame if n in read.columns] or "column" in frame


def test_the_codebook_has_each_column_in_the_order_of_the_frame(frames):
    for (_, way), frame in frames.items():
        if way == "plain":
            book = frame.alchemer.codebook
            assert book["column_alias"].tolist() == frame.columns.tolist()
            answers = (~book["part"].isin(["metadata", "url variable"])).tolist()
            assert answers == sorted(answers, reverse=True)


def test_no_answer_text_or_metadata_value_is_in_it(scripted):
    asked = [
        question(2, "TEXTBOX", "Name", "name", key="text"),
        question(
            3, "RADIO", "Pick", "pick", [option(10001, "A", "1"), option(10002, "Else", other=True)]
        ),
        question(4, "CHECKBOX", "Many", "many", [option(10011, "B", "b")]),
        question(5, "TEXTBOX", "Count", "count", key="number"),
        question(6, "HOLOGRAM", "Odd", "odd"),
        question(
            7, "MULTI_TEXTBOX", "List", "list", [option(10021, "First", "f")], key="multitext"
        ),
    ]
    data = {
        "2": {"answer": "CANARY1"},
        "3": {"answer": "CANARY2", "answer_id": "10002-other", "comments": "CANARY3"},
        "4": {"options": {"10011": {"id": 10011, "option": "B", "answer": "CANARY4"}}},
        "5": {"answer": "CANARY5"},
        "6": {"x": "CANARY6", "answer": "CANARY7"},
        "7": {"options": {"10099": {"id": 10099, "answer": "CANARY8"}}},
        "99": {"id": 99, "type": "RADIO", "question": "Gone?", "answer": "CANARY9"},
    }
    more = {"3": {"answer": "CANARY10", "answer_id": 10077}}
    meta = {"ip_address": "203.0.113.77", "referer": "CANARY11", "session_id": "CANARY12"}
    given_ = [
        response(1, data, **meta, url_variables={"utm": {"key": "utm", "value": "CANARY13"}}),
        response(2, more),
    ]
    for choices in CHOICES.values():
        frame = built(scripted, asked, given_, **{"metadata": "all", **choices})
        text = unpacked(frame.attrs["alchemer"])
        assert "CANARY" not in text
        assert "203.0.113" not in text
    assert "Name" in text


def test_conditions_are_told_without_their_values(scripted):
    asked = [question(2, "TEXTBOX", "Name", "name", key="text")]
    frame = built(scripted, asked, [response(1, {})], where=['[question(2)] = "CANARY"'])
    assert frame.alchemer.facts["asked"]["where"] == ["[question(2)] ="]
    assert "CANARY" not in unpacked(frame.attrs["alchemer"])


def test_copies_pickles_and_steps_share_the_text(frames):
    frame = next(iter(frames.values()))
    text = frame.attrs["alchemer"]
    for other in (frame.copy(), copy.deepcopy(frame), frame.head(2), frame[frame.columns[:3]]):
        assert other.attrs["alchemer"] is text
    assert pickle.loads(pickle.dumps(frame)).attrs == frame.attrs  # noqa: S301 - just written


def test_the_second_call_does_not_read_it_again(frames):
    frame = next(iter(frames.values()))
    first = read_description(frame)
    began = time.perf_counter()
    assert read_description(frame.copy()) is first
    assert time.perf_counter() - began < 0.05  # a frame is copied, nothing is read


@given(data=st.data())
@settings(max_examples=60)
def test_a_text_that_was_cut_or_changed_is_an_error_of_ours(data):
    text = Description().to_json()
    at = data.draw(st.integers(0, len(text) - 1))
    change = data.draw(st.sampled_from(["", "x", "0", "}", '"', "\\", "\ud800", "[[["]))
    try:
        made = Description.from_json(text[:at] + change + text[at + data.draw(st.integers(0, 9)) :])
    except KnowledgeLost:
        return
    assert isinstance(made, Description)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "something else"),
        ("{}", "something else"),
        ("[1]", "something else"),
        ('{"alchemer_nb": 2}', "newer alchemer_nb"),
        ('{"alchemer_nb": 1}', "damaged"),
        ('{"alchemer_nb": 1, "about": {}, "meaning": "AAAA", "reasons": {}}', "damaged"),
        ("[" * 100_000, "something else"),
    ],
)
def test_texts_that_are_none(text, words):
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["alchemer"] = text
    with pytest.raises(KnowledgeLost, match=words):
        frame.alchemer.codebook  # noqa: B018 - a property that raises


def test_a_frame_that_is_none_of_responses_says_so(frames):
    frame = next(df for (_, way), df in frames.items() if way == "plain" and len(df))
    twice = pd.concat([frame, frame[[frame.columns[0]]]], axis=1)
    twice.attrs = frame.attrs
    levels = frame.copy()
    levels.columns = pd.MultiIndex.from_product([["a"], frame.columns])
    pivot = frame.reset_index().pivot_table(
        index="response_id", columns="status", values="response_time", observed=True
    )
    pivot.attrs = frame.attrs
    wrong = {
        "lost their response ids": frame.describe(),
        "no whole number": frame.reset_index().describe(),
        "true and false": frame.notna(),
        "no column of this frame": pivot,
        "levels": levels,
        "lost their": frame.reset_index(drop=True),
    }
    for words, other in wrong.items():
        assert other.attrs == frame.attrs
        with pytest.raises(KnowledgeLost, match=words):
            describe(other)
    with pytest.raises(InvalidArgument, match="two columns"):
        describe(twice)


def test_a_description_is_trimmed_to_the_rows_and_columns_at_hand(frames):
    frame = next(df for (_, way), df in frames.items() if way == "plain" and len(df))
    part = frame[frame.columns[:2]].head(3)
    trimmed = describe(part).trim(part)
    assert [*trimmed.columns] == list(part.columns)
    assert trimmed.reasons.ids.tolist() == part.index.tolist()
    before, after = describe(part).reasons, trimmed.reasons
    at_before, at_after = before.positions(part.index), after.positions(part.index)
    for name, column in trimmed.columns.items():
        kinds = before.kinds(at_before, column, np.ones(3, bool)).tolist()
        assert kinds == after.kinds(at_after, column, np.ones(3, bool)).tolist(), name
