"""Waves of a survey under one another."""

from __future__ import annotations

import json
import pickle
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb.client.survey import Survey
from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.survey.definition import read_definition
from tests.survey_json import option, question, response

GOOD = [option(10001, "Bad", "1"), option(10002, "Fair", "2"), option(10003, "Good", "3")]
SHOPS = [option(10011, "Web", "web"), option(10012, "Shop", "shop")]


def wave(own, questions, *data, **options):
    """A frame of one survey, without a server."""
    page = {"id": 1, "title": {"English": "Page"}, "questions": questions}
    survey = read_definition({"id": own, "title": f"Survey {own}", "pages": [page]})
    builder = AnswersBuilder(survey)
    rows = [response(n, each) for n, each in enumerate(data, 1)]
    builder.add_page(json.dumps({"data": rows}).encode())
    answers = builder.build()
    chosen = FrameOptions(**{"metadata": "none", **options})
    about = {"survey_id": str(own), "title": survey.title, "asked": chosen.asked()}
    return build_frame(
        answers, survey, choose_rows(answers, chosen), chosen, ZoneInfo("UTC"), about
    )


def radio(own, options=GOOD, alias="", words="How good?", key="radio-likert"):
    return question(own, "RADIO", words, alias, options, key=key)


def matched(frame):
    report = frame.alchemer.waves
    return dict(zip(report["column"], report["matched"], strict=True))


def test_the_demo_waves_stand_under_one_another(box):
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    old = client.responses("Customer satisfaction 2025", progress="none")
    new = client.responses(9000001, progress="none")
    both = al.stack_waves({"2025": old, "2026": new})
    assert both.index.names == ["wave", "response_id"]
    assert both.index.levels[0].tolist() == ["2025", "2026"]
    assert both.dtypes.equals(new.dtypes)
    for label, frame in (("2025", old), ("2026", new)):
        part = both.xs(label, level="wave")
        pd.testing.assert_frame_equal(part, frame, check_index_type=False)
    assert both.groupby("wave", observed=False)["nps"].count().tolist() == [
        old["nps"].count(),
        new["nps"].count(),
    ]
    assert set(matched(both).values()) == {"name", "alias"}
    assert both.alchemer.find("recommend")["column"].tolist() == ["nps"]
    assert both.alchemer.columns("service") == ["staff", "delivery", "prices", "website"]
    assert [w["title"] for w in both.alchemer.facts["waves"]] == [
        "Customer satisfaction 2025",
        "Customer satisfaction",
    ]


def test_alias_comes_before_words_and_ids_of_another_survey_mean_nothing():
    first = wave(
        1, [radio(2, alias="sat"), radio(3, words="Why, then?"), question(4, "ESSAY", "A")]
    )
    second = wave(
        2,
        [question(4, "ESSAY", "B"), radio(9, words="<b>why</b> then"),
         radio(8, alias="sat", words="How happy?")],
    )  # fmt: skip
    both = al.stack_waves({"1": first, "2": second})
    assert matched(both) == {
        "sat": "alias",
        "q3": "words",
        "q4": "only in 1",
        "q4_2": "only in 2",
    }
    report = both.alchemer.waves.set_index("column")
    assert report.loc["q3", ["1", "2"]].tolist() == ["q3", "q9"]
    assert report.loc["sat", "notes"] == "other words in 2"
    assert pd.isna(report.loc["q3", "notes"])


def test_within_one_survey_the_id_decides():
    first = wave(1, [radio(2, alias="sat"), radio(3, alias="b", words="B?")])
    second = wave(1, [radio(2, alias="b", words="Changed"), radio(3, alias="c", words="B?")])
    both = al.stack_waves({"spring": first, "summer": second})
    assert matched(both) == {"sat": "id", "b": "id"}


def test_a_doubt_is_no_match():
    first = wave(1, [radio(2, words="Why?"), radio(3, words="Why?")])
    second = wave(2, [radio(7, words="Why?")])
    assert matched(al.stack_waves({"1": first, "2": second})) == {
        "q2": "only in 1",
        "q3": "only in 1",
        "q7": "only in 2",
    }


def test_new_columns_and_options_stand_where_they_stood_in_their_wave():
    middling = [*GOOD[:1], option(10009, "Poor", "1.5"), *GOOD[1:]]
    first = wave(1, [radio(2, alias="a"), radio(3, alias="c")], {"2": {"answer_id": 10003}})
    second = wave(
        2,
        [radio(2, middling, alias="a"), radio(4, alias="b"), radio(3, alias="c")],
        {"2": {"answer_id": 10009}},
    )
    both = al.stack_waves({"1": first, "2": second})
    assert list(both.columns) == ["a", "b", "c"]
    assert list(both["a"].cat.categories) == ["Bad", "Poor", "Fair", "Good"]
    assert not both["a"].cat.ordered
    assert both["c"].cat.ordered
    assert both["a"].tolist() == ["Good", "Poor"]
    notes = both.alchemer.waves.set_index("column")["notes"]
    assert notes["a"] == "the waves have other options; not ordered any more"


def test_an_option_whose_words_alone_changed_is_one_category():
    better = [option(10001, "Bad", "1"), option(10002, "So-so", "2"), option(10003, "Good", "3")]
    answers = [{"2": {"answer": "2", "answer_id": 10002}}]
    waves = {
        "2025": wave(5, [radio(2, alias="how")], *answers),
        "2026": wave(6, [radio(2, better, "how")], *answers),
    }
    both = al.stack_waves(waves)
    assert both["how"].tolist() == ["So-so", "So-so"]
    assert [*both["how"].cat.categories] == ["Bad", "So-so", "Good"]
    assert both["how"].cat.ordered
    assert (
        "2025: 'Fair' is now 'So-so'" in both.alchemer.waves.set_index("column").loc["how", "notes"]
    )


@pytest.mark.parametrize(
    "options",
    [
        [option(10001, "Bad", "1"), option(10002, "Cheap", "9"), option(10003, "Good", "3")],
        [option(10001, "Bad", "1"), option(10002, "Good", "2"), option(10003, "Fair", "3")],
        [option(10001, "Bad", "1"), option(10009, "So-so", "2"), option(10003, "Good", "3")],
    ],
    ids=["another value", "words changed places", "another id"],
)
def test_an_option_that_may_be_another_answer_keeps_its_name(options):
    waves = {
        "2025": wave(5, [radio(2, alias="how")], {"2": {"answer": "2", "answer_id": 10002}}),
        "2026": wave(6, [radio(2, options, "how")]),
    }
    assert al.stack_waves(waves)["how"].tolist() == ["Fair"]


def test_one_type_for_all_waves():
    boxes = question(5, "CHECKBOX", "Where?", "shops", SHOPS, key="checkbox")
    number, text = (question(6, "TEXTBOX", "Size?", "size", key=key) for key in ("number", "text"))
    data = {"5": {"options": {"10011": {"id": 10011, "answer": "web"}}}, "6": {"answer": "40"}}
    first = wave(1, [boxes, number], data).assign(mine=1)
    second = wave(2, [text, radio(7, alias="extra")], {"6": {"answer": "large"}}).assign(mine=2.5)
    both = al.stack_waves({"1": first, "2": second})
    assert both["shops_web"].dtype == "boolean"
    assert both["shops_web"].tolist() == [True, pd.NA]
    assert both["size"].tolist() == ["40", "large"]
    assert both["mine"].tolist() == [1.0, 2.5]
    notes = both.alchemer.waves.set_index("column")["notes"]
    assert notes["size"] == "text, because its kinds differ: number, text"


@pytest.mark.parametrize("values", ["label", "code"])
def test_a_wave_that_nobody_answered_changes_no_type(values):
    full = wave(1, [radio(2, alias="how")], {"2": {"answer": "2", "answer_id": 10002}},
                values=values)  # fmt: skip
    nobody = full.assign(how=pd.Series([None], full.index, dtype=object))
    for waves in ({"1": full, "2": nobody}, {"1": nobody, "2": full, "3": full.head(0)}):
        both = al.stack_waves(waves)
        assert both["how"].dtype == full["how"].dtype
        assert both["how"].dropna().tolist() == full["how"].tolist()
        assert both.alchemer.waves["notes"].isna().all()


def test_frames_of_somebody_else_and_columns_of_your_own_go_by_name():
    first = wave(1, [radio(2, alias="sat")], {"2": {"answer_id": 10001}}).assign(weight=1.5)
    second = pd.DataFrame({"sat": ["Good"], "weight": [2.0]})
    both = al.stack_waves({"1": first, "2": second})
    assert both["sat"].tolist() == ["Bad", "Good"]
    assert matched(both) == {"sat": "alias", "weight": "name"}
    assert al.stack_waves({"a": second, "b": second}).index.tolist() == [("a", 0), ("b", 0)]


def test_three_waves_and_frames_that_were_filtered_or_have_no_rows():
    frames = {
        str(year): wave(year, [radio(year, alias="sat")], {str(year): {"answer_id": 10001}})
        for year in (1, 2, 3)
    }
    frames["2"] = frames["2"].iloc[:0]
    both = al.stack_waves(frames)
    assert both.index.get_level_values("wave").tolist() == ["1", "3"]
    assert both.index.get_level_values("wave").categories.tolist() == ["1", "2", "3"]
    assert both.groupby("wave", observed=False).size().tolist() == [1, 0, 1]


def test_names_may_differ_and_other_choices_may_not():
    first = wave(1, [radio(2, alias="sat")], {}, names="alias")
    second = wave(2, [radio(2, alias="sat")], {}, names="text")
    assert matched(al.stack_waves({"1": first, "2": second})) == {"sat": "alias"}
    codes = wave(2, [radio(2, alias="sat")], {}, values="code")
    with pytest.raises(InvalidArgument, match=r"values= \(1: 'label', 2: 'code'\).*relabel"):
        al.stack_waves({"1": first, "2": codes})
    with pytest.raises(InvalidArgument, match="two waves or more"):
        al.stack_waves({"1": first})
    long = wave(1, [radio(2)], {}, shape="long")
    with pytest.raises(InvalidArgument, match="wide"):
        al.stack_waves({"1": long, "2": long})
    with pytest.raises(InvalidArgument, match="two columns 'sat'"):
        al.stack_waves({"1": first, "2": pd.DataFrame(np.ones((1, 2)), columns=["sat", "sat"])})


TURNED = [option(10011, "Good", "1"), option(10012, "Fair", "2"), option(10013, "Bad", "3")]
NEARLY = [option(10011, "bad.", "1"), option(10012, "So so", "2"), option(10013, "Good", "3")]
WIDER = [option(10011, "Bad", "1"), option(10012, "Fair", "2"), option(10013, "Good", "5")]


def pair(options, values):
    return [
        wave(own, [radio(own + 1, each, alias)], {str(own + 1): {
            "answer": each[0]["value"], "answer_id": each[0]["id"]}}, values=values)
        for own, each, alias in ((1, GOOD, "sat"), (2, options, "sat"))
    ]  # fmt: skip


@pytest.mark.parametrize("values", ["code", "both"])
def test_codes_that_mean_something_else_are_refused(values):
    with pytest.raises(InvalidArgument, match=r"code 1 .* 'Bad' in 1 and 'Good' in 2.*relabel"):
        al.stack_waves(pair(TURNED, values))
    with pytest.raises(InvalidArgument, match=r"code 5 .* nothing in 1 and 'Good' in 2"):
        al.stack_waves(pair(WIDER, values))
    labels = al.stack_waves([df.alchemer.relabel(values="label") for df in pair(TURNED, values)])
    assert labels["sat"].tolist() == ["Bad", "Good"]


@pytest.mark.parametrize("values", ["code", "both"])
def test_codes_with_other_words_are_noted_and_the_same_ones_not(values):
    codes = "sat" if values == "code" else "sat_code"
    stacked = al.stack_waves(pair(NEARLY, values))
    assert stacked[codes].tolist() == [1, 1]
    notes = stacked.alchemer.waves.set_index("column")["notes"]
    assert "other words in 2 for codes 2" in notes[codes]
    assert (
        al.stack_waves(pair(GOOD, values)).alchemer.waves.set_index("column")["notes"].isna().all()
    )


def test_texts_of_codes_and_ids_that_mean_something_else_are_refused():
    first = [option(1, "Tea", "a"), option(2, "Milk", "b")]
    then = [option(1, "Milk", "a"), option(2, "Tea", "b")]
    for values in ("code", "id"):
        frames = [wave(n, [radio(2, o, "sip", key="radio")], {}, values=values)
                  for n, o in ((1, first), (2, then))]  # fmt: skip
        with pytest.raises(InvalidArgument, match="'Tea' in 1 and 'Milk' in 2"):
            al.stack_waves(frames)


def test_codes_beside_labels_are_matched_as_their_question():
    first = wave(1, [radio(2, alias="sat")], {}, values="both")
    then = wave(2, [radio(3, alias="happy")], {}, values="both")
    stacked = al.stack_waves([first, then])
    assert [*stacked.columns] == ["sat", "sat_code"]


def test_the_report_is_there_after_a_pickle_and_for_stacked_frames_alone():
    frame = wave(1, [radio(2, alias="sat")], {})
    both = al.stack_waves({"1": frame, "2": frame})
    again = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own bytes
    pd.testing.assert_frame_equal(again.alchemer.waves, both.alchemer.waves)
    assert frame.alchemer.waves.empty


COLUMN = st.sampled_from(
    [
        pd.array([1, 2], dtype="int64"),
        pd.array([1.5, np.nan], dtype="float64"),
        pd.array([1, pd.NA], dtype="Int64"),
        pd.array([True, False], dtype="bool"),
        pd.array([True, pd.NA], dtype="boolean"),
        pd.array(["x", None], dtype="str" if pd.__version__ >= "3" else "string"),
        pd.Categorical(["x", None], categories=["y", "x"], ordered=True),
        pd.Categorical(["x", None], pd.Index(["y", "x"], dtype=object), ordered=True),
        pd.Categorical([1, 2]),
        pd.array(["2026-01-01", "NaT"], dtype="datetime64[us]"),
        pd.array(["2026-01-01", "2026-07-01"], dtype="datetime64[us, UTC]"),
        pd.array(["2026-01-01", "2026-07-01"], dtype="datetime64[ns, Europe/Berlin]"),
        pd.Series([["a", "b"], None], dtype=object),
    ]
)
FRAMES = st.dictionaries(st.sampled_from("abc"), COLUMN, max_size=3)


@given(st.lists(FRAMES, min_size=2, max_size=4))
def test_no_value_is_lost_whatever_the_kinds(contents):
    frames = {str(n): pd.DataFrame(c, index=[5, 6]) for n, c in enumerate(contents)}
    both = al.stack_waves(frames)
    assert len(both) == 2 * len(frames)
    for label, frame in frames.items():
        part = both.xs(label, level="wave")
        for name in both.columns:
            if name in frame:
                assert part[name].notna().tolist() == frame[name].notna().tolist()
            else:
                assert part[name].isna().all()


def test_new_words_that_somebody_had_typed_before_are_left_apart():
    better = [option(10001, "Great", "1"), *GOOD[1:]]
    told = [{"2": {"answer": "1", "answer_id": 10001}}, {"2": {"answer": "Great"}}]
    waves = {
        "2025": wave(5, [radio(2, alias="how")], *told),
        "2026": wave(6, [radio(2, better, "how")], told[0]),
    }
    assert al.stack_waves(waves)["how"].tolist() == ["Bad", "Great", "Great"]


def test_tables_to_read_are_plain_data_frames(tmp_path):
    df = wave(5, [radio(2, alias="how")], {"2": {"answer": "2", "answer_id": 10002}})
    survey = Survey.of(read_description(df).survey)
    changed = Survey.of(read_description(wave(5, [radio(3)])).survey)
    tables = [
        df.alchemer.options,
        df.alchemer.find("how"),
        df.alchemer.base_sizes(),
        df.alchemer.redact(columns=["how"]).alchemer.redacted,
        df.alchemer.to_spss(tmp_path / "one.sav"),
        al.stack_waves({"a": df, "b": df}).alchemer.waves,
        survey.diff(changed),
    ]
    for table in tables:
        assert len(table) > 0
        assert type(table) is pd.DataFrame
        assert type(table.iloc[:1]) is pd.DataFrame
    assert type(df.alchemer.codebook.iloc[:1]) is pd.DataFrame


def test_the_order_of_dates_is_chosen_by_the_download():
    asked = [question(6, "TEXTBOX", "", "day", key="date")]
    days = [{"6": {"answer": "03/04/2026"}}]
    one, other = (wave("1", asked, *days, day_first=first) for first in (False, True))
    with pytest.raises(InvalidArgument, match=r"client\.responses\(…, day_first=…\)") as caught:
        al.stack_waves([one, other])
    assert "relabel" not in str(caught.value)
