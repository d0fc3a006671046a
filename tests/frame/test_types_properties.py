"""Any definition and any responses to it: a row each, no value lost, names unique."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.survey.definition import read_definition
from tests.frame.from_long import from_long
from tests.survey_json import option, question, response

LOOSE = settings(suppress_health_check=list(HealthCheck))
KINDS = (
    ("RADIO", "radio"), ("MENU", "menu"), ("RADIO", "radio-likert"), ("NPS", "radio-nps"),
    ("SLIDER", "slider"), ("IMAGE_SELECT", "multi-image"), ("CHECKBOX", "checkbox"),
    ("TEXTBOX", "text"), ("TEXTBOX", "number"), ("TEXTBOX", "date"), ("ESSAY", ""),
    ("HIDDEN", "hidden"), ("FILE", "file"), ("RANK", "rank-dragdrop"), ("CONT_SUM", "contsum"),
    ("MULTI_TEXTBOX", "multitext"), ("TABLE", "table-radio"), ("TABLE", "table-menu-matrix"),
    ("TABLE", "table-checkbox"), ("TABLE", "table-textbox"), ("TABLE", "table-stars"),
    ("TABLE", "table-new"), ("GROUP", "contactgroup"), ("GROUP", "group"), ("MATRIX", "matrix"),
    ("HOLOGRAM", "hologram"), ("INSTRUCTIONS", "instructions"), ("SCRIPT", ""),
)  # fmt: skip
ALIASES = st.sampled_from(["", "status", "class", "!!!", "a", "a", "b c", "url_x", "q2", "2nd"])
LABELS = ("One", "Two", "<b>One</b>", "3", "Other")
OPTIONS = st.lists(
    st.builds(
        lambda label, value, other: (label, value, other),
        st.sampled_from(LABELS),
        st.sampled_from(["1", "2", "one", "", "3"]),
        st.booleans(),
    ),
    max_size=3,
).map(lambda given: [option(10001 + n, a, b, other=c) for n, (a, b, c) in enumerate(given)])


@st.composite
def definitions(draw):
    """Some questions; grids, groups and tables have rows of all types, with ids of their own."""
    asked = []
    for place in range(draw(st.integers(1, 4))):
        kind, key = draw(st.sampled_from(KINDS))
        own, rows = 2 + 10 * place, []
        if kind in ("TABLE", "GROUP", "MATRIX"):
            first = 10001 if kind == "MATRIX" else own + 1
            for number in range(draw(st.integers(0, 2))):
                inner = draw(st.sampled_from(KINDS))
                part = (first + number, inner[0], draw(st.sampled_from(LABELS)))
                rows.append(question(*part, draw(ALIASES), draw(OPTIONS), key=inner[1]))
        made = question(own, kind, "Q", draw(ALIASES), draw(OPTIONS), rows, key=key)
        asked.append({**made, "comment": draw(st.booleans())})
    return asked


@st.composite
def entries(draw, token, ids, depth=0):
    """An entry of any shape, with answers of which each is a word of its own."""
    shape = draw(st.sampled_from(("plain", "id", "other", "options", "below", "none", "rank")))
    entry = {"shown": draw(st.booleans())}
    if shape in ("plain", "id", "other"):
        entry["answer"] = token()
        if shape != "plain":
            own = draw(st.sampled_from([10001, "10002", 10077, 0]))
            entry["answer_id"] = f"{own}-other" if shape == "other" else own
    elif shape in ("options", "rank"):
        key = "answer" if shape == "options" else "rank"
        some = draw(st.lists(st.sampled_from(["10001", "10002", "10077"]), unique=True))
        options = {o: {"id": int(o), "option": "One", key: token()} for o in some}
        entry["options"] = options or []
    elif shape == "below" and depth < 2:
        some = draw(st.lists(st.sampled_from(ids), unique=True, max_size=3))
        below = {i: draw(st.one_of(entries(token, ids, depth + 1), cells(token))) for i in some}
        entry["subquestions"] = below or []
    if draw(st.integers(0, 4)) == 0:
        entry["comments"] = token()
    return entry


def cells(token):
    some = st.lists(st.sampled_from(["10001", "10002", "10005"]), unique=True, min_size=1)
    return some.map(lambda given: {i: {"id": int(i), "answer": token()} for i in given})


#: Number of a question and text of a row, of the rows that a response makes of earlier answers.
PIPED = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["One", "one ", "Two", "<b>One</b>", "Other", "Öne", "10001", "One other"]),
    ),
    max_size=3,
)


@st.composite
def surveys(draw, answers=None):
    """Questions and responses to them, whose answers are each a word of its own, or drawn."""
    asked = draw(definitions())
    words: list[str] = []

    def token():
        words.append(f"w{len(words)}x" if answers is None else draw(answers))
        return words[-1]

    parts = [str(r["id"]) for q in asked for r in q.get("sub_questions", ())]
    ids = [*parts, "3", "9", "10001", "77"]
    tops = [str(q["id"]) for q in asked] + ["99"] + [i for i in parts if int(i) < 10001]
    given = []
    for number in range(draw(st.integers(0, 3))):
        some = draw(st.lists(st.sampled_from(tops), unique=True))
        data = {own: draw(entries(token, ids)) for own in some}
        for row, (parent, text) in enumerate(draw(PIPED), 10001):  # see survey.piped_rows
            if parent < len(asked):
                above = {"id": row, "parent": asked[parent]["id"], "question": text}
                data[str(row)] = {**above, **draw(entries(token, ids))}
        given.append(response(number + 1, data or []))
    return asked, given


def frame_of(asked, given, **options):
    survey = read_definition({"id": 5, "title": "T"}, asked)
    builder = AnswersBuilder(survey)
    builder.add_page(json.dumps({"result_ok": True, "data": given}).encode())
    answers = builder.build()
    chosen = FrameOptions(metadata="none", test_rows="include", **options)
    return build_frame(answers, survey, choose_rows(answers, chosen), chosen, ZoneInfo("UTC"), {})


def answers_in(value):
    """Every word that was received as an answer."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("answer", "rank", "comments") and isinstance(inner, str):
                yield inner
            else:
                yield from answers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from answers_in(inner)


@given(
    made=surveys(),
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
    shape=st.sampled_from(["wide", "long"]),
)
@LOOSE
def test_every_value_is_found_again_and_names_are_unique(made, names, values, shape):
    asked, given_ = made
    df = frame_of(asked, given_, names=names, values=values, shape=shape)
    assert df.columns.is_unique
    if shape == "wide":
        assert list(df.index) == [int(each["id"]) for each in given_]
    else:
        assert set(df["response_id"]) == {int(each["id"]) for each in given_}
    cells_ = {str(v) for name in df for v in df[name].dropna()}
    made_ = read_description(df)
    # An option that is gone has its reporting value in the codebook, and True in the frame.
    told = cells_ | {str(row["reporting_value"]) for row in made_.records.values()}
    for each in given_:
        for own, entry in dict(each["survey_data"]).items():
            stems = {f"q{own}", f"q{entry.get('parent')}"}
            notes = " ".join(
                text
                for column, texts in made_.notes.items()
                for text in texts
                if column in stems or column.startswith(tuple(f"{stem}_" for stem in stems))
            )
            for word in answers_in(entry):
                # The text that came with the id of an option is counted at the question's column.
                assert word in told or "another text" in notes, (word, each)


@given(made=surveys(), part=st.sets(st.integers(1, 3)))
@LOOSE
def test_the_definition_alone_decides_columns_and_dtypes(made, part):
    asked, given_ = made
    some_given = [each for each in given_ if int(each["id"]) in part]
    whole, some, none = (frame_of(asked, g, names="id") for g in (given_, some_given, []))
    assert [n for n in whole if n in none] == list(none) == [n for n in some if n in none]
    for name in none:
        assert kind(none[name]) == kind(some[name]) == kind(whole[name])


def kind(values):
    """The dtype, without the categories of answers that are no option of the definition."""
    is_category = isinstance(values.dtype, pd.CategoricalDtype)
    return "category" if is_category else str(values.dtype)


@given(made=surveys())
@LOOSE
def test_wide_to_long_and_back(made):
    asked, given_ = made
    wide = frame_of(asked, given_, names="id")
    long = wide.alchemer.relabel(shape="long")
    description = read_description(wide)
    again = from_long(long, description.columns, (description.survey.language,))
    assert list(again.index) == list(wide.index)
    for name in wide:
        assert str(again[name].dtype) == str(wide[name].dtype) or kind(wide[name]) == "category"
        left = [None if pd.isna(v) else v for v in wide[name]]
        assert left == [None if pd.isna(v) else v for v in again[name]], name
        assert np.array_equal(wide[name].isna(), again[name].isna())


CHOICES = st.fixed_dictionaries(
    {
        "names": st.sampled_from(["alias", "id", "text"]),
        "values": st.sampled_from(["label", "code", "id", "both"]),
        "shape": st.sampled_from(["wide", "wide", "long"]),
        "multi": st.sampled_from(["columns", "list"]),
    }
)


@given(made=surveys(), first=CHOICES, then=CHOICES)
@LOOSE
def test_relabel_there_and_back_gives_what_a_fresh_call_gives(made, first, then):
    asked, given_ = made
    here, fresh = frame_of(asked, given_, **first), frame_of(asked, given_, **then)
    try:
        there = here.alchemer.relabel(**then)
        back = there.alchemer.relabel(**first)
    except InvalidArgument as error:  # a number that two options have does not say which of them
        assert "with the same number" in str(error)  # noqa: PT017 - it may or may not be raised
        return
    pd.testing.assert_frame_equal(there, fresh)
    pd.testing.assert_frame_equal(back, here)
