"""From answers to columns: hand-made payloads in every shape that the facts page shows."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import DownloadIncomplete, InvalidArgument, TransportError
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.survey.definition import read_definition
from alchemer_nb.survey.scales import read_number
from tests.scripted import Reply
from tests.survey_json import LIKERT, frame, option, question, response, serve


def test_radio_is_a_category_in_option_order_with_unchosen_options(scripted):
    asked = [question(2, "RADIO", "Satisfied?", "sat", LIKERT, key="radio")]
    given_ = [
        response(1, {"2": {"id": 2, "type": "RADIO", "answer": "5", "answer_id": 10001}}),
        response(2, {"2": {"id": 2, "type": "RADIO", "shown": True}}),
        response(3, {"2": {"answer": None, "answer_id": None, "shown": False}}),
        response(4, []),
    ]
    df = frame(scripted, asked, given_)
    assert list(df["sat"].cat.categories) == ["Very satisfied", "Satisfied", "Not satisfied"]
    assert df["sat"].cat.ordered
    assert df["sat"].tolist() == ["Very satisfied", np.nan, np.nan, np.nan]
    code = frame(scripted, asked, given_, values="code")["sat"]
    assert code.dtype == np.float64
    assert code.iloc[0] == 5.0
    assert frame(scripted, asked, given_, values="id")["sat"].iloc[0] == "10001"
    both = frame(scripted, asked, given_, values="both", metadata="none")
    assert list(both.columns) == ["sat", "sat_code"]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["5", "4", "-0.5"], [5.0, 4.0, -0.5]),
        (["01", "02", "03"], ["01", "02", "03"]),
        (["1", "1.0", "2"], ["1", "1.0", "2"]),
        (["1", "1", "2"], ["1 [10001]", "1 [10002]", "2"]),
        (["1", "2%", "nan"], ["1", "2%", "nan"]),
    ],
)
def test_codes_are_numbers_if_all_are_different_plain_numbers(scripted, values, codes):
    options = [option(10001 + n, f"Label {n}", value) for n, value in enumerate(values)]
    asked = [question(2, "RADIO", "", "sat", options)]
    given_ = [response(n + 1, {"2": {"answer_id": o["id"]}}) for n, o in enumerate(options)]
    made = frame(scripted, asked, given_, values="code", metadata="none")
    assert made["sat"].tolist() == codes
    labels = frame(scripted, asked, given_, metadata="none")
    pd.testing.assert_frame_equal(made.alchemer.relabel(values="label"), labels)
    pd.testing.assert_frame_equal(labels.alchemer.relabel(values="code"), made)


def test_a_scale_with_not_applicable_is_not_ordered(scripted):
    asked = [question(2, "RADIO", "", "sat", [*LIKERT, option(10004, "Not applicable", "99")])]
    assert not frame(scripted, asked, [])["sat"].cat.ordered
    marked = [question(2, "RADIO", "", "sat", [*LIKERT, option(10004, "Pass", "99", na=True)])]
    assert not frame(scripted, marked, [])["sat"].cat.ordered


def test_an_edited_reporting_value_and_an_unknown_option_keep_their_answers(scripted):
    asked = [question(2, "RADIO", "", "sat", LIKERT)]
    df = frame(
        scripted,
        asked,
        [
            response(1, {"2": {"original_answer": "Sat", "answer": "4", "answer_id": 10002}}),
            response(2, {"2": {"answer": "old text", "answer_id": "10002"}}),
            response(3, {"2": {"answer": "gone", "answer_id": 10099}}),
            response(4, {"2": {"answer": "1"}}),
            response(5, {"2": {"answer": "Very satisfied"}}),
        ],
    )
    assert df["sat"].tolist() == [
        "Satisfied",
        "Satisfied",
        "gone",
        "Not satisfied",
        "Very satisfied",
    ]
    notes = df.alchemer.codebook.set_index("column_alias").loc["sat", "notes"]
    assert "1 not among the options of the definition" in notes
    assert "1 with another text than the reporting value" in notes
    assert "1 found by the label" in notes
    assert "gone" not in notes


def test_an_unknown_option_keeps_its_text_beside_codes_that_are_numbers(scripted):
    asked = [question(2, "RADIO", "", "sat", LIKERT)]
    given = [response(1, {"2": {"answer": "4", "answer_id": 10002}})]
    given += [response(i, {"2": {"answer": f"gone {i}", "answer_id": 10099}}) for i in range(2, 42)]
    given += [response(42, {"2": {"answer": "7", "answer_id": 10098}})]
    codes = frame(scripted, asked, given, values="code", metadata="none")
    assert [*codes.columns] == ["sat", "sat_raw"]
    assert codes["sat"].dropna().tolist() == [4.0, 7.0]  # a number fits, whoever gave it
    assert codes["sat_raw"].dropna().tolist() == [f"gone {i}" for i in range(2, 42)]
    assert [*codes.alchemer.codebook["part"]] == ["answer", "raw"]
    labels = frame(scripted, asked, given, metadata="none")
    assert [*labels.columns] == ["sat"]
    pd.testing.assert_frame_equal(labels.alchemer.relabel(values="code"), codes)
    pd.testing.assert_frame_equal(codes.alchemer.relabel(values="label"), labels)
    both = labels.alchemer.relabel(values="both")
    assert [*both.columns] == ["sat", "sat_code"]
    pd.testing.assert_frame_equal(both.alchemer.relabel(values="code"), codes)
    dropped = codes.drop(columns="sat").alchemer.relabel(values="both")
    assert not {"sat", "sat_code"} & {*dropped.columns}
    long = codes.alchemer.relabel(shape="long")
    assert len(long) == len(given)


def test_write_ins_stand_in_their_own_column(scripted):
    options = [option(10023, "Friends", "friends"), option(10024, "Other", "other", other=True)]
    asked = [
        question(2, "RADIO", "", "heard", options),
        question(
            3,
            "CHECKBOX",
            "",
            "used",
            [option(10031, "Web", "web"), option(10035, "Other", "o", other=True)],
        ),
    ]
    df = frame(
        scripted,
        asked,
        [
            response(
                1,
                {
                    "2": {"answer": "At a fair", "answer_id": "10024-other"},
                    "3": {
                        "type": "parent",
                        "options": {"10035": {"id": 10035, "option": "Other", "answer": "By post"}},
                    },
                },
            ),
            response(
                2,
                {
                    "2": {"answer": "friends", "answer_id": 10023},
                    "3": {"options": {"10035": {"answer": "o", "original_answer": "By pigeon"}}},
                },
            ),
            response(3, {"2": {"answer": "text", "answer_id": "abc-other"}}),
        ],
        metadata="none",
    )
    assert list(df.columns) == ["heard", "heard_other", "used_web", "used_o", "used_o_text"]
    assert df["heard"].tolist() == ["Other", "Friends", "Other"]
    assert df["heard_other"].tolist() == ["At a fair", np.nan, "text"]
    assert df["used_o_text"].tolist() == ["By post", "By pigeon", np.nan]
    assert df["used_web"].tolist() == [False, False, pd.NA]


def test_a_text_at_the_id_of_an_other_option_was_typed_there(scripted):
    options = [option(10023, "Friends", "friends"), option(10024, "Other", "other", other=True)]
    answers = [
        {"answer": "At a fair", "answer_id": 10024},
        {"answer": "other", "answer_id": "10024", "original_answer": "At work"},
        {"answer": "other", "answer_id": 10024},
        {"answer": "Other", "answer_id": 10024, "original_answer": "other"},
        {"answer": "By friends", "answer_id": 10023},
    ]
    df = frame(
        scripted,
        [question(2, "RADIO", "", "heard", options)],
        [response(n, {"2": answer}) for n, answer in enumerate(answers, 1)],
        metadata="none",
    )
    assert df["heard"].tolist() == ["Other"] * 4 + ["Friends"]
    assert df["heard_other"].tolist() == ["At a fair", "At work", np.nan, np.nan, np.nan]


def test_checkbox_gives_a_nullable_boolean_per_option(scripted):
    asked = [
        question(
            21,
            "CHECKBOX",
            "Which?",
            "channels",
            [option(10031, "Blue", "2"), option(10032, "Red", "1")],
        )
    ]
    given_ = [
        response(
            1,
            {
                "21": {
                    "type": "parent",
                    "options": {"10031": {"id": 10031, "option": "Blue", "answer": "2"}},
                    "shown": True,
                }
            },
        ),
        response(2, {}),
        response(3, {"21": {"type": "parent", "options": [], "shown": False}}),
        response(4, {"21": {"options": {"10099": {"id": 10099, "option": "Gone", "answer": "9"}}}}),
    ]
    df = frame(scripted, asked, given_, names="id", metadata="none")
    assert df["q21_10031"].dtype == "boolean"
    assert df["q21_10031"].tolist() == [True, pd.NA, pd.NA, False]
    assert df["q21_10032"].tolist() == [False, pd.NA, pd.NA, False]
    assert df["q21_10099"].tolist() == [False, pd.NA, pd.NA, True]  # an option taken out since
    code = frame(scripted, asked, given_, values="code")["channels_2"]
    assert code.tolist() == [1, pd.NA, pd.NA, 0]
    own = frame(scripted, asked, given_, values="id")["channels_2"]
    assert own.tolist() == [10031, pd.NA, pd.NA, 0]
    lists = frame(scripted, asked[:1], given_[:2], multi="list")["channels"]
    assert lists.tolist() == [["Blue"], None]


def test_numbers_are_floats_and_what_is_none_is_kept(scripted):
    nps = [option(10100 + i, str(i), str(i)) for i in range(11)]
    asked = [
        question(4, "NPS", "", "nps", nps, key="radio-nps"),
        question(5, "TEXTBOX", "", "age", key="number"),
        question(6, "RADIO", "", "score", [option(1, "1"), option(2, "2")]),
        question(7, "TEXTBOX", "", "share", key="text", subtype="PERCENT"),
    ]
    df = frame(
        scripted,
        asked,
        [
            response(
                1,
                {
                    "4": {"answer": "9", "answer_id": 10109},
                    "5": {"answer": "41"},
                    "6": {"answer": "2", "answer_id": 2},
                    "7": {"answer": "12%"},
                },
            ),
            response(
                2,
                {
                    "4": {"answer": 0, "answer_id": 10100},
                    "5": {"answer": "about 40"},
                    "7": {"answer": "1,234.5"},
                },
            ),
        ],
        metadata="none",
    )
    assert list(df.columns) == ["nps", "age", "age_raw", "score", "share", "share_raw"]
    assert df["nps"].tolist() == [9.0, 0.0]
    assert df["age"].dtype == np.float64
    assert np.isnan(df["age"].iloc[1])
    assert df["age_raw"].tolist() == [np.nan, "about 40"]
    assert df["score"].dtype == np.float64
    assert df["share"].tolist() == [12.0, 1234.5]


def test_a_slider_counts_what_was_answered_whatever_option_it_hangs_on(scripted):
    asked = [question(5, "SLIDER", "", "much", [option(10051, "0", "0")], key="slider")]
    given_ = [
        response(1, {"5": {"answer": "35", "answer_id": 10051}}),
        response(2, {"5": {"answer": "much", "answer_id": 10051}}),
    ]
    df = frame(scripted, asked, given_, metadata="none")
    assert df["much"].tolist() == [35.0, pytest.approx(np.nan, nan_ok=True)]
    assert df["much_raw"].tolist() == [np.nan, "much"]


def test_texts_are_str_with_nan(scripted):
    asked = [
        question(3, "TEXTBOX", "", "name", key="text"),
        question(8, "ESSAY", "", "why", key="essay"),
        question(9, "HIDDEN", "", "source", key="hidden"),
    ]
    df = frame(
        scripted,
        asked,
        [
            response(
                1,
                {
                    "3": {"answer": "  Zoë \u0000<b>"},
                    "8": {"answer": "a\nb"},
                    "9": {"answer": "x", "answer_id": 0},
                },
            ),
            response(2, {"3": {"answer": ""}, "8": {"answer": 12}, "9": {}}),
        ],
        metadata="none",
    )
    assert df["name"].tolist() == ["  Zoë \u0000<b>", np.nan]
    assert df["why"].tolist() == ["a\nb", "12"]
    assert df["source"].tolist() == ["x", np.nan]
    assert all(str(dtype) == "str" for dtype in df.dtypes)
    assert all(dtype.na_value is np.nan for dtype in df.dtypes)


def test_a_radio_grid_has_a_column_per_row_in_both_shapes(scripted):
    rows = [question(41, "RADIO", "Staff"), question(42, "RADIO", "Price", "price_row")]
    asked = [question(40, "TABLE", "Rate", "rating", LIKERT, rows, key="table-radio"), *rows]
    flat = {
        "41": {"parent": 40, "answer": "5", "answer_id": 10001},
        "42": {"parent": 40, "answer": "1"},
    }
    nested = {
        "40": {
            "type": "parent",
            "subquestions": {
                "41": {"id": 41, "answer": "5", "answer_id": 10001},
                "42": {"id": 42, "answer": "1"},
            },
        }
    }
    df = frame(scripted, asked, [response(1, flat), response(2, nested)], metadata="none")
    assert list(df.columns) == ["rating_staff", "price_row"]
    assert df["rating_staff"].tolist() == ["Very satisfied", "Very satisfied"]
    assert df["price_row"].tolist() == ["Not satisfied", "Not satisfied"]
    assert list(frame(scripted, asked, [], names="id", metadata="none").columns) == ["q41", "q42"]


def test_a_checkbox_grid_has_a_column_per_cell(scripted):
    columns = [option(10040, "Mon"), option(10041, "Tue")]
    rows = {"north": question(51, "CHECKBOX", "North"), "south": question(52, "CHECKBOX", "South")}
    asked = [
        {
            **question(50, "TABLE", "When?", "when", columns, key="table-checkbox"),
            "sub_questions": rows,
        }
    ]
    cells = {
        "51": {
            "10040": {"id": 10040, "answer": "Mon", "shown": True},
            "10041": {"id": 10041, "answer": None},
        },
        "52": {"10040": {"id": 10040, "answer": None}, "10041": {"id": 10041, "answer": None}},
    }
    df = frame(
        scripted,
        asked,
        [response(1, {"50": {"type": "parent", "subquestions": cells}})],
        metadata="none",
    )
    assert list(df.columns) == [
        "when_north_mon",
        "when_north_tue",
        "when_south_mon",
        "when_south_tue",
    ]
    assert df.iloc[0].tolist() == [True, False, pd.NA, pd.NA]
    assert (
        next(iter(frame(scripted, asked, [], names="id", metadata="none").columns)) == "q51_10040"
    )


def test_what_the_definition_does_not_know_is_kept_and_marked(scripted):
    asked = [
        question(2, "TEXTBOX", "", "name", key="text"),
        question(60, "HOLOGRAM", "New", "holo"),
    ]
    data = {
        "2": {"answer": "x"},
        "60": {"type": "parent", "options": {"10068": {"option": "Row", "answer": "deep"}}},
        "77": {
            "type": "RADIO",
            "question": "Asked <b>once</b>?",
            "answer": "Yes",
            "answer_id": 10900,
        },
        "83": {"type": "parent", "subquestions": {"10001": {"id": 10001, "answer": "Large"}}},
    }
    df = frame(scripted, asked, [response(1, data)], names="id", metadata="none")
    assert df.iloc[0].to_dict() == {
        "q2": "x",
        "q60_10068": "deep",
        "q60_10068_option": "Row",
        "q77": "Yes",
        "q83_10001": "Large",
    }
    book = df.alchemer.codebook.set_index("column_id")
    assert book.loc["q77", "removed"]
    assert book.loc["q77", "question"] == "Asked once?"
    assert not book.loc["q60_10068", "removed"]


def test_comments_have_their_column(scripted):
    asked = [
        {**question(2, "RADIO", "", "sat", LIKERT), "comment": True},
        question(3, "RADIO", "", "b", LIKERT),
    ]
    data = {
        "2": {"answer": "5", "answer_id": 10001, "comments": "fine"},
        "3": {"comments": "unexpected"},
    }
    df = frame(scripted, asked, [response(1, data)], metadata="none")
    assert df["sat_comment"].tolist() == ["fine"]
    assert df["b_comment"].tolist() == ["unexpected"]


def test_metadata_in_its_three_extents(scripted):
    asked = [question(2, "TEXTBOX", "", "status", key="text")]
    given_ = [
        response(
            12,
            {"2": {"answer": "mine"}},
            is_test_data="0",
            status="Partial",
            contact_id="77",
            date_submitted="2025-11-02 01:30:00 EST",
            date_started="2025-11-02 01:30:00 EDT",
            date_updated="2025-12-09 17:15:43",
            url_variables={"utm": {"key": "utm", "value": "news", "type": "url"}},
            country="Canada",
            longitude="-71.05999755859",
            data_quality={"straightlining": {"40": 40}},
        ),
        response(9, [], url_variables={"_privatedomain": "t"}, response_time=None),
    ]
    df = frame(scripted, asked, given_)
    assert list(df.index) == [9, 12]
    row = df.loc[12]
    assert row["status"] == "Partial"
    assert row["status_q2"] == "mine"
    assert row["contact_id"] == "77"
    assert row["date_started"] == pd.Timestamp("2025-11-02 05:30", tz="UTC")
    assert row["date_submitted"] == pd.Timestamp("2025-11-02 06:30", tz="UTC")
    assert row["date_updated"] == pd.Timestamp("2025-12-09 22:15:43", tz="UTC")
    assert row["url_utm"] == "news"
    assert df.loc[9, "url__privatedomain"] == "t"
    assert np.isnan(df.loc[9, "response_time"])
    everything = frame(scripted, asked, given_, metadata="all").loc[12]
    assert everything["country"] == "Canada"
    assert everything["longitude"] == pytest.approx(-71.05999755859)
    assert json.loads(everything["data_quality"]) == {"straightlining": {"40": 40}}
    assert list(frame(scripted, asked, [], metadata="none").columns) == ["status"]


def test_names_are_unique_whatever_the_aliases(scripted):
    asked = [
        question(2, "TEXTBOX", "Same words", "twin", key="text"),
        question(3, "TEXTBOX", "Same words", "twin", key="text"),
        question(4, "TEXTBOX", "", "my alias!", key="text"),
        question(5, "TEXTBOX", "", "!!!", key="text"),
        question(6, "TEXTBOX", "", "class", key="text"),
        question(
            7, "CHECKBOX", "", "c", [option(10001, "A b", "a-b"), option(10002, "A/b", "a/b")]
        ),
        question(8, "TEXTBOX", "", "q2", key="text"),
        question(9, "RADIO", "", "", LIKERT),
    ]
    df = frame(scripted, asked, [], metadata="none")
    assert df.columns.is_unique
    assert list(df.columns)[:5] == ["q2", "q3", "my_alias", "q5", "class"]
    assert "c_10001" in df.columns
    words = frame(scripted, asked, [], names="text", metadata="none")
    assert words.columns.is_unique
    assert words.columns[0].startswith("Same words")


def test_two_options_with_one_label_get_their_ids(scripted):
    asked = [
        question(2, "RADIO", "", "a", [option(10001, "Same", "1"), option(10002, "Same", "2")])
    ]
    df = frame(scripted, asked, [response(1, {"2": {"answer": "2", "answer_id": 10002}})])
    assert list(df["a"].cat.categories) == ["Same [10001]", "Same [10002]"]
    assert df["a"].iloc[0] == "Same [10002]"
    alike = [question(2, "RADIO", "", "a", [option(10001, "A", "5"), option(10002, "B", "5")])]
    given_ = [response(1, {"2": {"answer": "5", "answer_id": 10002}})]
    assert frame(scripted, alike, given_, values="code")["a"].tolist() == ["5 [10002]"]
    assert frame(scripted, alike, given_)["a"].tolist() == ["B"]


def test_labels_in_another_language(scripted):
    options = [option(10001, {"English": "Yes", "German": "Ja &amp; gern"}, "1")]
    asked = [
        {
            **question(2, "RADIO", "", "a", options),
            "title": {"English": "Q", "German": "<p>Frage</p>"},
        }
    ]
    given_ = [response(1, {"2": {"answer": "1", "answer_id": 10001}})]
    df = frame(scripted, asked, given_, language="german")
    assert df["a"].iloc[0] == "Ja & gern"
    assert "Frage" in frame(scripted, asked, given_, language="German", names="text").columns


ALL_DATES = [
    question(5, "TEXTBOX", "", "day", key="date"),
    question(6, "TEXTBOX", "", "when", key="date"),
]
TYPED = [
    {"5": {"answer": "12/25/2025"}, "6": {"answer": "03/04/2026"}},
    {"5": {"answer": "03/04/2026"}, "6": {"answer": "2026-05-01"}},
    {"5": {"answer": "soon"}, "6": {"answer": "31/12/2026"}},
]


def days(*texts):
    return [pd.NaT if text is None else pd.Timestamp(text) for text in texts]


def test_dates_have_the_month_first_whatever_the_other_rows_have(scripted):
    given_ = [response(n, each) for n, each in enumerate(TYPED, 1)]
    df = frame(scripted, ALL_DATES, given_)
    assert df["day"].tolist() == days("2025-12-25", "2026-03-04", None)
    assert df["day_raw"].tolist() == [np.nan, np.nan, "soon"]
    assert df["when"].tolist() == days("2026-03-04", "2026-05-01", None)
    assert df["when_raw"].tolist() == [np.nan, np.nan, "31/12/2026"]
    assert "1 date among them would be read with the day first" in df.alchemer.summary
    notes = df.alchemer.codebook.set_index("column_alias")["notes"]
    assert notes["when"] == "1 that can be read as a date with the day first alone"
    assert df.loc[[1]].equals(frame(scripted, ALL_DATES, given_[:1]))


def test_dates_have_the_day_first_if_asked(scripted):
    given_ = [response(n, each) for n, each in enumerate(TYPED, 1)]
    df = frame(scripted, ALL_DATES, given_, day_first=True)
    assert df["day"].tolist() == days(None, "2026-04-03", None)
    assert df["day_raw"].tolist() == ["12/25/2025", np.nan, "soon"]
    assert df["when"].tolist() == days("2026-04-03", "2026-05-01", "2026-12-31")
    assert df["when_raw"].isna().all()
    assert "1 date among them would be read with the month first" in df.alchemer.summary
    long = df.alchemer.relabel(shape="long")
    pd.testing.assert_frame_equal(
        long, frame(scripted, ALL_DATES, given_, day_first=True, shape="long")
    )
    pd.testing.assert_frame_equal(
        long.alchemer.relabel(shape="wide")[["day", "when"]], df[["day", "when"]]
    )
    assert df.alchemer.facts["asked"]["day_first"] is True
    with pytest.raises(InvalidArgument, match="relabel takes"):
        df.alchemer.relabel(day_first=False)
    with pytest.raises(InvalidArgument, match="day_first"):
        frame(scripted, ALL_DATES, given_, day_first="yes")


@pytest.mark.parametrize(
    ("typed", "month", "day"),
    [
        ("02/30/2026", None, None),
        ("30.01.2026", None, "2026-01-30"),
        ("1-2-2026", "2026-01-02", "2026-02-01"),
        ("05/05/2026", "2026-05-05", "2026-05-05"),
        ("2026/3/4", "2026-03-04", "2026-03-04"),
        ("03/04/2026 11:30 pm", "2026-03-04 23:30", "2026-04-03 23:30"),
        ("03/04/26", None, None),
        ("03/04/2026 10:00:00.5", None, None),
    ],
)
def test_a_date_in_either_order(scripted, typed, month, day):
    given_ = [response(1, {"5": {"answer": typed}})]
    for day_first, right in ((False, month), (True, day)):
        df = frame(scripted, ALL_DATES, given_, day_first=day_first)
        assert df["day"].tolist() == days(right)
        assert df["day_raw"].tolist() == [typed if right is None else np.nan]


def test_a_date_keeps_the_time_typed_after_it_and_what_is_no_time_stays_raw(scripted):
    asked = [question(5, "TEXTBOX", "", "day", key="date")]
    typed = [
        "01/15/2026 10:20",
        "01/16/2026 1:05:09 PM",
        "2026-1-5",
        "2026-02-03T00:00:00",
        "01/17/2026 or so",
        "01/18/2026 25:00",
    ]
    given_ = [response(n, {"5": {"answer": text}}) for n, text in enumerate(typed, 1)]
    df = frame(scripted, asked, given_)
    read = ["2026-01-15 10:20", "2026-01-16 13:05:09", "2026-01-05", "2026-02-03"]
    assert df["day"].tolist() == [*map(pd.Timestamp, read), pd.NaT, pd.NaT]
    assert df["day_raw"].tolist() == [*[np.nan] * 4, *typed[4:]]
    long = df.alchemer.relabel(shape="long")
    assert long["value"].tolist()[:4] == [
        "2026-01-15T10:20:00",
        "2026-01-16T13:05:09",
        "2026-01-05",
        "2026-02-03",
    ]


def test_a_response_that_comes_twice_counts_once_and_fewer_than_told_is_an_error(scripted, capsys):
    asked = [question(2, "TEXTBOX", "", "name", key="text")]
    twice = [
        response(1, {"2": {"answer": "old"}}),
        response(2, {}),
        response(1, {"2": {"answer": "new"}}),
    ]
    client = serve(scripted, asked, twice, told=3)
    with pytest.raises(DownloadIncomplete, match="2 of 3 responses") as caught:
        client.responses(5, progress="none")
    assert caught.value.partial["name"].tolist() == ["new", np.nan]
    client = serve(scripted, asked, twice, told=3)
    kept = client.responses(5, incomplete="keep")
    assert len(kept) == 2
    assert not kept.alchemer.facts["complete"]
    assert "fewer than Alchemer announced" in "".join(capsys.readouterr())
    client = serve(scripted, asked, twice[:2])
    client.responses(5)
    assert "2 responses received" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "body",
    [
        b'{"result_ok": true, "data": 7}',
        b'{"result_ok": true, "data": "x"}',
        b'{"result_ok": true, "data": {}}',
    ],
)
def test_a_page_that_is_no_list_of_responses(scripted, body):
    client = serve(scripted, [], [])
    scripted.answer("survey/5/surveyresponse", Reply(body))
    if body.endswith(b"{}}"):
        assert len(client.responses(5, progress="none")) == 0  # PHP's other empty list
    else:
        with pytest.raises(TransportError, match="not a list of responses"):
            client.responses(5, progress="none")


def test_wrong_json_types_lose_nothing(scripted, capsys):
    asked = [
        question(2, "TEXTBOX", "", "a", key="text"),
        question(3, "CHECKBOX", "", "c", [option(10001, "X", "x")]),
    ]
    data = {
        "2": {"answer": ["un", "expected"], "shown": "1"},
        "3": {"options": [{"id": 10001, "answer": "x"}]},
        "9": {"answer": {"deep": 1}},
        "10": "bare",
    }
    client = serve(scripted, asked, [response(1, data), response(2, {"2": {"answer": "fine"}})])
    df = client.responses(5, names="id")
    assert df["q2"].tolist() == ['["un", "expected"]', "fine"]
    assert df["q3_10001"].tolist() == [True, pd.NA]
    assert df["q9"].iloc[0] == '{"deep": 1}'
    assert df["q10"].iloc[0] == "bare"
    assert "undocumented form" in "".join(capsys.readouterr())


def test_a_survey_without_pages_and_one_without_a_question_list(scripted):
    asked = [question(2, "TEXTBOX", "", "name", key="text")]
    client = serve(scripted, asked, [response(1, {"2": {"answer": "x"}})], nested=False)
    assert client.responses(5, progress="none")["name"].tolist() == ["x"]


def test_long_has_a_row_per_answer_and_one_for_the_silent(scripted):
    asked = [
        question(2, "RADIO", "", "sat", LIKERT),
        question(21, "CHECKBOX", "", "c", [option(10031, "Blue", "b"), option(10032, "Red", "r")]),
    ]
    given_ = [
        response(
            1,
            {
                "2": {"answer": "4", "answer_id": 10002, "shown": True},
                "21": {"options": {"10031": {"answer": "b"}, "10032": {"answer": "r"}}},
            },
        ),
        response(2, []),
    ]
    long = frame(scripted, asked, given_, shape="long")
    assert long["response_id"].tolist() == [1, 1, 1, 2]
    assert long["column"].tolist() == ["sat", "c_b", "c_r", np.nan]
    assert long["value"].tolist() == ["Satisfied", "Blue", "Red", np.nan]
    assert long["code"].tolist() == ["4", "b", "r", np.nan]
    assert long["option_id"].tolist() == ["10002", "10031", "10032", np.nan]


def test_columns_by_name_alias_or_question(scripted):
    asked = [
        question(2, "RADIO", "", "sat", LIKERT),
        question(21, "CHECKBOX", "", "c", [option(10031, "Blue", "b"), option(10032, "Red", "r")]),
    ]
    assert list(frame(scripted, asked, [], columns=["status", "q21"]).columns) == [
        "c_b",
        "c_r",
        "status",
    ]
    assert list(frame(scripted, asked, [], columns="c").columns) == ["c_b", "c_r"]
    with pytest.raises(InvalidArgument, match="no column or question"):
        frame(scripted, asked, [], columns=["zzz"])


def visited(own, answer, **urls):
    """A response of somebody who came with these url variables."""
    answers = {"2": {"id": 2, "answer": answer, "shown": True}}
    sent = {name: {"key": name, "value": value} for name, value in urls.items()}
    return response(own, answers, url_variables=sent)


WHY = [question(2, "TEXTBOX", "", "why"), question(3, "TEXTBOX", "", "url_home")]
QUIET_WEEK = [visited(1, "a"), visited(2, "b")]
BUSY_WEEK = [visited(1, "a", utm_source="mail", Utm="x"), visited(2, "b")]


@pytest.mark.parametrize(
    ("rows", "words", "cells"),
    [
        (QUIET_WEEK, ["why", "url_utm_source"], {"why": ["a", "b"], "url_utm_source": [None] * 2}),
        (
            BUSY_WEEK,
            ["url_utm_source", "why"],
            {"why": ["a", "b"], "url_utm_source": ["mail", None]},
        ),
        ([], ["url_utm_source"], {"url_utm_source": []}),
        (BUSY_WEEK, ["url_utm_medium"], {"url_utm_medium": [None] * 2}),
        (BUSY_WEEK, ["url_utm"], {"url_utm": [None] * 2}),  # not Utm
        (BUSY_WEEK, "url_Utm", {"url_Utm": ["x", None]}),
        (QUIET_WEEK, ["url_b", "url_a", "url_b"], {"url_a": [None] * 2, "url_b": [None] * 2}),
        (QUIET_WEEK, ["url_home", "status"], {"url_home": [None] * 2, "status": ["Complete"] * 2}),
        (QUIET_WEEK, ["url_é x"], {"url_é x": [None] * 2}),
    ],
)
@pytest.mark.parametrize("values", ["label", "both"])
def test_a_url_variable_that_was_asked_for_is_there_without_answers(
    scripted, rows, words, cells, values
):
    df = frame(scripted, WHY, rows, columns=words, values=values)
    assert {name: [*df[name].astype(object).where(df[name].notna(), None)] for name in df} == cells
    for name in df:
        if name not in ("status", "why"):
            assert df[name].dtype == text_dtype()
    urls = [name for name in df if name.startswith("url_") and name != "url_home"]
    again = df.alchemer.relabel(names="id")
    assert [name for name in again if name.startswith("url_")] == urls
    asked = [f"url_{url}" for url in df.alchemer.facts["empty_urls"]]
    assert asked == [name for name in urls if df[name].isna().all()]
    said = "; ".join(str(df.alchemer.summary).splitlines())
    assert ("no response has the url variable" in said) == bool(asked)


def test_a_url_variable_is_no_answer_and_stays_out_of_the_long_shape(scripted):
    asked = {"columns": ["why", "url_utm_source"]}
    df = frame(scripted, WHY, QUIET_WEEK, **asked)
    long = df.alchemer.relabel(shape="long")
    assert set(long["column"]) == {"why"}
    assert list(long.alchemer.relabel(shape="wide")["why"]) == ["a", "b"]
    with pytest.raises(InvalidArgument, match="no url variable 'url_utm_source'"):
        frame(scripted, WHY, QUIET_WEEK, shape="long", **asked)
    with pytest.raises(InvalidArgument, match="no column or question is called 'url_'"):
        frame(scripted, WHY, QUIET_WEEK, columns=["url_"])


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
SCALARS = st.one_of(TEXTS, st.sampled_from(["1", "2", "One", "", None, 7, 2.5, True]))
OWN_IDS = st.sampled_from([None, 10001, "10001", "10002-other", 10077, "x-other", 0])
CELLS = st.dictionaries(
    st.sampled_from(["10001", "10002", "10077"]),
    st.fixed_dictionaries({"answer": SCALARS}, optional={"original_answer": SCALARS}),
    max_size=3,
)
PARTS = st.one_of(CELLS, st.fixed_dictionaries({"id": st.just(1), "answer": SCALARS}))
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        {"answer": SCALARS, "answer_id": OWN_IDS},
        optional={"shown": st.booleans(), "comments": SCALARS},
    ),
    st.fixed_dictionaries({"type": st.just("parent"), "options": st.one_of(CELLS, st.just([]))}),
    st.fixed_dictionaries(
        {"subquestions": st.dictionaries(st.sampled_from(["61", "69", "10005"]), PARTS, max_size=2)}
    ),
    st.just([]),
)
KINDS = ("RADIO", "CHECKBOX", "NPS", "TEXTBOX", "ESSAY", "HIDDEN", "TABLE", "RANK", "NEW")
OPTIONS = [option(10001, "One", "1"), option(10002, "Two", "2", other=True)]
ASKED = [
    question(
        own,
        kind,
        "?",
        f"a{own % 4}",
        OPTIONS,
        [question(own + 59, "RADIO", "row")] * (kind == "TABLE"),
    )
    for own, kind in enumerate(KINDS, 2)
]
# Dense on purpose: every question has an entry, so that odd pairs of type and answer do come up.
DATA = st.one_of(
    st.just([]), st.fixed_dictionaries(dict.fromkeys([*"23456789", "10", "77"], ENTRIES))
)


def build_from(answers, **options):
    survey = read_definition({"id": 5, "title": "T"}, ASKED)
    builder = AnswersBuilder(survey)
    page = [response(i, data) for i, data in enumerate(answers, 1)]
    builder.add_page(json.dumps({"result_ok": True, "data": page}).encode())
    collected = builder.build()
    chosen = FrameOptions(metadata="none", **options)
    rows = choose_rows(collected, chosen)
    return build_frame(collected, survey, rows, chosen, ZoneInfo("UTC"), {})


@given(
    answers=st.lists(DATA, max_size=4),
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
)
@settings(suppress_health_check=list(HealthCheck))
def test_any_answers_give_a_row_each_and_unique_names(answers, names, values):
    df = build_from(answers, names=names, values=values)
    assert list(df.index) == list(range(1, len(answers) + 1))
    assert df.columns.is_unique


@given(data=DATA)
@settings(suppress_health_check=list(HealthCheck))
def test_every_text_received_is_found_again(data):
    df = build_from([data])
    kept = {str(v) for column in df for v in df[column].dropna()}
    kept |= {str(read_number(v)) for v in kept if not np.isnan(read_number(v))}
    codebook = df.alchemer.codebook
    for own, entry in data.items() if isinstance(data, dict) else ():
        notes = " ".join(codebook.loc[codebook["question_id"] == own, "notes"].fillna(""))
        for text in (entry.get("answer"), entry.get("comments")) if entry else ():
            if not isinstance(text, str) or text in ("", "1", "2", "One"):
                continue
            is_number = not np.isnan(read_number(text)) and str(read_number(text)) in kept
            # The text that came with the id of an option is counted at the question's column.
            is_of_option = str(entry.get("answer_id")) in ("10001", "10002")
            is_counted = is_of_option and "1 with another text" in notes
            assert text in kept or is_number or is_counted, (own, entry)
