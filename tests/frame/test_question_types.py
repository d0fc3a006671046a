"""Every question type, in every shape, in the old and the new form, over HTTP."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.long import LONG
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.survey.definition import read_definition
from tests.frame.from_long import from_long
from tests.survey_json import LIKERT, option, question, response, serve

EVERY = "Every question type"
# What the definition does not announce: an option, columns and questions that are gone, odd types.
BROUGHT = (
    "q21_10039",
    "q89",
    "q90",
    "q91_left",
    "q91_pile_first",
    "q91_pile_second",
    "q98",
    "q99_10991",
)


@pytest.fixture(scope="module", params=["2017", "current"])
def client(request):
    with Sandbox(responses=60, form=request.param, types=True) as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def df(client):
    return client.responses(EVERY, names="id", metadata="none", progress="none")


KINDS = {
    "str": "q2 q3 q4 q5_raw q6_raw q7_raw q8 q9 q10_other q10_comment q18 q19 q20 q25_10251 "
    "q44_10431 q61 q62 q69_10681 q71_10711 q21_10035_other",
    "float64": "q5 q6 q13 q14 q23_10231 q27 q28 q24_10241 q29_10311 q47_10441 q66 "
    "q83_10003 q84_10003",
    "datetime64[us]": "q7",
    "category": "q10 q11 q12 q15 q16 q17 q31 q32 q34 q35 q37_10421 q65 q74 q83_10001 q84_10002",
    "boolean": "q21_10031 q21_10032 q22_10221 q41_10411 q63_10631 q67_10671 q83_10004_10806 "
    "q84_10004_10826",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_has_its_kind_of_column(df, kind):
    assert {str(df[name].dtype) for name in KINDS[kind].split()} == {kind}
    for name in KINDS[kind].split():
        assert df[name].notna().any() or name.endswith("_raw"), name


def test_custom_tables_keep_their_columns_apart(df):
    assert list(df["q83_10001"].cat.categories) == ["Large", "Small"]
    assert "q83_10004_10826" not in df.columns
    assert "q84_10004_10806" not in df.columns


def test_what_is_not_announced_is_there_and_marked(df):
    book = df.alchemer.codebook.set_index("column_id")
    for name in BROUGHT:
        assert df[name].notna().any()
        assert book.loc[name, "notes"]
    assert book.loc["q98", "removed"]
    assert book.loc["q21_10039", "removed"]
    assert not book.loc["q90", "removed"]


def test_maps_of_unknown_types_are_whole(df):
    signed, clicked = (json.loads(df.loc[1, name]) for name in ("q89", "q90"))
    assert signed == {"signature": "M12,40L90,38L60,55", "name": "Ann Example"}
    picture = clicked["response"]
    assert (picture["imageW"], picture["imageH"]) == (640, 480)
    assert {"id", "x", "y", "xPercent", "answer", "comment", "color"} <= picture["dots"][0].keys()


@pytest.mark.parametrize("limit", [1, 5, 23])
def test_same_survey_same_columns_whichever_responses_came(client, df, limit):
    few = client.responses(EVERY, names="id", metadata="none", limit=limit, progress="none")
    none = client.responses(
        EVERY,
        names="id",
        metadata="none",
        where="date_submitted < 1999-01-01",
        progress="none",
    )
    announced = [n for n in df if n not in BROUGHT and not n.startswith("url_")]
    assert list(none.columns) == announced
    # As text: an answer that is no option of the definition adds a category of its own.
    assert [str(d) for d in none.dtypes] == [str(d) for d in few[announced].dtypes]


def test_the_old_and_the_new_form_give_the_same_frame(df):
    with Sandbox(responses=60, form="2017", types=True) as box:
        plain = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        same = plain.responses(EVERY, names="id", metadata="none", progress="none")
    pd.testing.assert_frame_equal(df, same)


def test_names_are_unique_whatever_the_aliases(client):
    for names in ("alias", "text"):
        frame = client.responses(EVERY, names=names, metadata="all", progress="none")
        assert frame.columns.is_unique


# What is wrong with a definition or an answer, and what comes of it all the same.


def read(scripted, questions, responses, *, nested=True, **options):
    client = serve(scripted, questions, responses, nested=nested)
    return client.responses(5, progress="none", names="id", metadata="none", **options)


@pytest.mark.parametrize("nested", [True, False])
def test_a_definition_that_goes_in_a_circle(scripted, nested):
    inner = question(3, "GROUP", rows=[question(2, "GROUP")])
    outer = question(2, "GROUP", rows=[inner, question(4, "TEXTBOX", key="text")])
    around = [outer, question(3, "GROUP", rows=[outer]), question(4, "TEXTBOX", key="text")]
    df = read(scripted, around, [response(1, {"4": {"answer": "x"}})], nested=nested)
    assert df["q4"].tolist() == ["x"]
    assert not df.alchemer.codebook.set_index("column_id").loc["q4", "removed"]


def test_a_row_whose_grid_is_missing_stands_by_itself(scripted):
    row = {**question(41, "RADIO", "Row", options=LIKERT, key="radio"), "parent": 40}
    flat = {"41": {"parent": 40, "answer": "5", "answer_id": 10001}}
    inside = {"40": {"type": "parent", "subquestions": flat}}
    df = read(scripted, [row], [response(1, flat), response(2, inside)])
    assert df["q41"].tolist() == ["Very satisfied", "Very satisfied"]


def test_pages_and_questions_that_are_none(scripted):
    client = serve(scripted, [None, "x", {"type": "RADIO"}, question(2, "ESSAY")], [])
    survey = {"id": "5", "title": None, "languages": [], "pages": ["x", None, {"questions": "y"}]}
    scripted.answer("survey/5", {"result_ok": True, "data": survey})
    df = client.responses(5, progress="none", metadata="none")
    assert list(df.columns) == ["q2"]


def test_containers_of_the_wrong_json_type_lose_nothing(scripted, capsys):
    asked = [question(3, "CHECKBOX", "", "c", [option(10001, "X", "x")], key="checkbox")]
    data = {
        "3": {"options": [{"id": 10001, "option": "X", "answer": "x"}]},
        "60": {"subquestions": [{"id": 61, "question": "Part", "answer": "deep"}]},
        "70": {"options": "bare"},
    }
    listed = [{"id": "9", "answer": "in a list"}]
    given = [response(1, data), response(2, listed), response(3, "broken")]
    df = serve(scripted, asked, given).responses(5, names="id", metadata="none")
    assert df["q3_10001"].tolist() == [True, pd.NA, pd.NA]
    assert df.loc[1, "q61"] == "deep"
    assert df.loc[1, "q70_0"] == "bare"
    assert df.loc[2, "q9"] == "in a list"
    assert df.loc[3, "q0"] == "broken"
    assert "undocumented form" in "".join(capsys.readouterr())


def test_nul_lone_surrogates_and_a_long_label(scripted):
    long = "word " * 2000
    asked = [
        question(2, "ESSAY", long, "why", key="essay"),
        question(3, "RADIO", "", "r", [option(10001, long, "1"), option(10002, "\ud800 \0", "2")]),
    ]
    given = [
        response(1, {"2": {"answer": "a\0b"}, "3": {"answer": "1", "answer_id": 10001}}),
        response(2, {"2": {"answer": "half \udc00 pair"}, "3": {"answer_id": 10002}}),
    ]
    df = read(scripted, asked, given)
    assert df["q2"].tolist() == ["a\0b", "half \ufffd pair"]
    assert df["q3"].tolist() == [long.strip(), "\ufffd \0"]
    words = serve(scripted, asked, given).responses(5, names="text", progress="none")
    assert words.columns.is_unique


def test_what_is_said_twice_and_differently_is_kept_twice(scripted):
    rows = [question(41, "RADIO", "Row")]
    asked = [question(40, "TABLE", "Rate", "rating", LIKERT, rows, key="table-radio")]
    top = {"41": {"answer": "5", "answer_id": 10001}}
    same = {**top, "40": {"subquestions": top}}
    other = {**top, "40": {"subquestions": {"41": {"answer": "1", "answer_id": 10003}}}}
    assert list(read(scripted, asked, [response(1, same)]).columns) == ["q41"]
    df = read(scripted, asked, [response(1, other)])
    assert set(df.iloc[0]) == {"Very satisfied", "1"}


def test_a_grid_may_say_the_id_as_a_number_and_its_row_as_text(scripted):
    rows = [question(41, "RADIO", "Row")]
    asked = [question(40, "TABLE", "Rate", "rating", LIKERT, rows, key="table-radio")]
    data = {
        "40": {"type": "parent", "subquestions": {"41": {"answer": "5", "answer_id": 10001}}},
        "41": {"answer": "5", "answer_id": "10001"},
    }
    df = read(scripted, asked, [response(1, data)])
    assert df.iloc[0].to_dict() == {"q41": "Very satisfied"}


def test_a_group_tells_of_the_rows_of_its_grids_whether_they_were_shown(scripted):
    rows = [question(64, "RADIO", "Row")]
    grid = question(63, "TABLE", "Grid", "", LIKERT, rows, key="table-radio")
    asked = [question(60, "GROUP", "Group", "", rows=[grid], key="group")]
    given = [
        response(1, {"60": {"type": "parent", "subquestions": [], "shown": True}}),
        response(2, {"60": {"type": "parent", "subquestions": [], "shown": False}}),
    ]
    missing = read(scripted, asked, given).alchemer.missing()
    assert missing["q64"].tolist() == ["skipped", "not shown"]


def test_a_radio_grid_in_a_group_may_list_the_columns_of_each_row(scripted):
    rows = [question(64, "RADIO", "Row"), question(65, "RADIO", "Other row")]
    grid = question(63, "TABLE", "Grid", "", LIKERT, rows, key="table-radio")
    asked = [question(60, "GROUP", "Group", "", rows=[grid], key="group")]
    empty = {"id": 10001, "type": "RADIO", "answer": None, "shown": True}
    cells = {
        "64": {"10001": empty, "10002": {**empty, "id": 10002, "answer": "4"}},
        "65": {"10001": empty, "10002": {**empty, "answer": ""}},
    }
    table = {"id": 63, "type": "TABLE", "parent": 60, "subquestions": cells}
    data = {"60": {"id": 60, "type": "parent", "subquestions": {"63": table}}}
    df = read(scripted, asked, [response(1, data)])
    assert list(df.columns) == ["q64", "q65"]
    assert df["q64"].tolist() == ["Satisfied"]
    assert df.alchemer.missing().iloc[0].tolist() == ["answered", "skipped"]


def test_rows_keyed_by_alias_have_that_alias(scripted):
    rows = [question(own, "RADIO", "Row") for own in (41, 42, 43)]
    for row in rows[:2]:
        del row["shortname"]
    rows[2]["shortname"] = "own"
    grid = question(40, "TABLE", "Rate", "rating", LIKERT, key="table-radio")
    grid["sub_questions"] = dict(zip(("speed", "42", "other"), rows, strict=True))
    df = serve(scripted, [grid], []).responses(5, metadata="none", progress="none")
    assert list(df.columns) == ["speed", "rating_row", "own"]


def test_a_group_may_give_the_parts_of_a_group_within_it_as_its_own(scripted):
    grid = question(63, "TABLE", "", "", LIKERT, [question(64, "RADIO")], key="table-radio")
    inner = question(61, "GROUP", rows=[question(62, "TEXTBOX", key="text"), grid], key="group")
    asked = [question(60, "GROUP", rows=[inner], key="group")]
    flat = {"62": {"id": 62, "answer": "x"}, "64": {"id": 64, "answer": "5", "answer_id": 10001}}
    df = read(scripted, asked, [response(1, {"60": {"id": 60, "subquestions": flat}})])
    assert df.iloc[0].to_dict() == {"q62": "x", "q64": "Very satisfied"}


def test_items_that_are_questions_of_their_own_may_be_listed_as_options(scripted):
    items = [question(34, "TEXTBOX", "Rent"), question(35, "TEXTBOX", "Food")]
    places = [option(10221, "1", "1"), option(10222, "2", "2")]
    ranked = [question(38, "RADIO", "First"), question(39, "RADIO", "Second")]
    asked = [
        question(33, "CONT_SUM", rows=items, key="contsum"),
        question(37, "RANK", options=places, rows=ranked, key="rank-table"),
    ]
    data = {
        "33": {"options": {"34": {"id": 34, "option": "Rent", "answer": "40"}}},
        "37": {"options": {"38": {"id": 38, "rank": 2}, "39": {"id": 39, "rank": "1"}}},
    }
    df = read(scripted, asked, [response(1, data)])
    assert list(df.columns) == ["q34", "q35", "q38", "q39"]
    assert df.iloc[0].dropna().to_dict() == {"q34": 40.0, "q38": 2.0, "q39": 1.0}
    assert df.alchemer.codebook["notes"].isna().all()


def test_an_option_with_the_id_of_a_tables_column_is_an_option(scripted):
    column = question(10001, "CHECKBOX", options=[option(10001, "Web", "web")], key="checkbox")
    asked = [question(83, "MATRIX", rows=[column], key="matrix")]
    chosen = {"10001": {"id": 10001, "option": "Web", "answer": "web"}}
    data = {"83": {"subquestions": {"10001": {"id": 10001, "options": chosen}}}}
    df = read(scripted, asked, [response(1, data)])
    assert df.iloc[0].to_dict() == {"q83_10001_10001": True}


def test_a_survey_may_have_a_title_in_each_language():
    raw = {"id": 5, "title": {"French": "Un", "German": "Eins"}, "languages": ["German"]}
    assert read_definition(raw).title == "Eins"
    assert read_definition({"id": 5, "title": [], "title_ml": {"German": "Zwei"}}).title == "Zwei"


def test_the_numbers_of_an_unknown_type_are_no_question_ids(scripted):
    asked = [question(1, "ESSAY", key="essay"), question(91, "CARD_SORT", key="sort")]
    piles = {"1": {"answer": "card"}, "2": {"9": "other card"}}
    df = read(scripted, asked, [response(1, {"91": {"type": "parent", "subquestions": piles}})])
    assert df.iloc[0].dropna().to_dict() == {"q91_1": "card", "q91_2_9": "other card"}
    book = df.alchemer.codebook.set_index("column_id")
    assert "'sort' is not known" in book.loc["q91_1", "notes"]


def test_members_that_nobody_documents_are_kept(scripted):
    asked = [question(90, "HEATMAP", "", "clicks", key="heatmap")]
    entry = {"id": 90, "type": "HEATMAP", "points": [[1, 2]], "note": "x", "section_id": 1}
    df = read(scripted, asked, [response(1, {"90": entry})])
    assert df.iloc[0].to_dict() == {"q90_note": "x", "q90_points": "[[1, 2]]"}


def test_a_scale_with_an_answer_off_it_has_no_order(scripted):
    asked = [question(2, "RADIO", "", "a", LIKERT, key="radio-likert")]
    known = [response(1, {"2": {"answer": "5", "answer_id": 10001}})]
    gone = [*known, response(2, {"2": {"answer": "8", "answer_id": 10088}})]
    assert read(scripted, asked, known)["q2"].cat.ordered
    df = read(scripted, asked, gone)
    assert not df["q2"].cat.ordered
    assert df["q2"].tolist() == ["Very satisfied", "8"]
    assert (
        "1 not among the options" in df.alchemer.codebook.set_index("column_id").loc["q2", "notes"]
    )


def test_an_unknown_option_id_with_known_text_is_noted(scripted):
    asked = [question(2, "RADIO", "", "a", LIKERT, key="radio")]
    df = read(scripted, asked, [response(1, {"2": {"answer": "5", "answer_id": 10088}})])
    assert df["q2"].tolist() == ["Very satisfied"]
    assert (
        "1 came with an option id that is not"
        in df.alchemer.codebook.set_index("column_id").loc["q2", "notes"]
    )


def test_an_option_that_is_gone_keeps_what_was_typed_into_it(scripted):
    asked = [question(3, "CHECKBOX", "", "c", [option(10001, "X", "x")], key="checkbox")]
    given = [
        response(n, {"3": {"options": {"10035": {"option": "Other", "answer": text}}}})
        for n, text in enumerate(("By post", "By pigeon"), 1)
    ]
    df = read(scripted, asked, given)
    assert df["q3_10035"].tolist() == [True, True]
    assert df["q3_10035_other"].tolist() == ["By post", "By pigeon"]


def test_a_custom_table_of_which_only_the_columns_words_are_known(scripted):
    columns = [option(10001, "Size"), option(10002, "Colour")]
    asked = [question(83, "MATRIX", "Table", "bikes", columns, key="matrix")]
    cells = {"10001": {"id": 10001, "type": "RADIO", "answer": "L", "answer_id": 10090}}
    df = read(scripted, asked, [response(1, {"83": {"subquestions": cells}})])
    assert list(df.columns) == ["q83_10001", "q83_10002"]
    assert df["q83_10001"].tolist() == ["L"]
    assert df["q83_10002"].isna().all()


# The long shape, and back.


def test_wide_to_long_and_back_gives_the_same_answers(client):
    for number in client.surveys()["id"]:
        wide = client.responses(number, metadata="none", progress="none")
        wide = wide[[name for name in wide if not name.startswith("url_")]]
        long = wide.alchemer.relabel(shape="long")
        made = read_description(wide)
        again = from_long(long, made.columns, (made.survey.language,))
        pd.testing.assert_frame_equal(wide, again, check_categorical=True)


def test_long_says_where_each_answer_stands(client):
    long = client.responses(EVERY, shape="long", names="id", progress="none")
    assert list(long.columns) == ["response_id", *LONG]
    first = long[long["response_id"] == 1].set_index("column")
    row = first.loc["q41_10411"]
    assert (row["question_id"], row["row"], row["option"]) == ("41", "North", "Mon")
    assert (row["value"], row["code"], row["option_id"]) == ("Mon", "Mon", "10411")
    row = first.loc["q83_10001"]
    assert row["value"] in ("Large", "Small")
    assert row["code"] == row["value"][0]
    assert row["row"] == "Size"
    silent = long[long["response_id"] == 2]
    assert len(silent) == 1
    assert silent[["question_id", "column", "value"]].isna().all(axis=None)
    notes = read_description(long).notes.values()
    assert any(
        "not among the options of the definition" in text for texts in notes for text in texts
    )


def test_the_line_after_a_download_counts_what_does_not_fit(client, capsys):
    df = client.responses(EVERY, names="id", metadata="none")
    line = "".join(capsys.readouterr())
    facts = df.alchemer.facts
    raw = [name for name in df if name.endswith("_raw")]
    unparsed = {n: df[n].notna() & df[n.removesuffix("_raw")].isna() for n in raw}
    assert facts["unparsed_values"] == sum(int(rows.sum()) for rows in unparsed.values()) > 0
    assert set(facts["unparsed_columns"]) == {
        name.removesuffix("_raw") for name, rows in unparsed.items() if rows.any()
    }
    assert facts["removed_questions"] == ["98", "99"]
    assert {"heatmap", "signature", "CARD_SORT"} <= set(facts["unknown_types"])
    assert f"{facts['unparsed_values']} answers did not parse" in line
    assert "kept as received: CARD_SORT, heatmap, signature" in line
    assert "2 questions not in the definition any more" in line
    customers = client.responses("Customer satisfaction", progress="none")
    told = customers.alchemer.facts["partial_rows"]
    assert told == int((customers["status"] == "Partial").sum()) > 0
