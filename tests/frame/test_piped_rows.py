"""Rows that are piped from earlier answers: one column a question and text, whatever their ids."""

from __future__ import annotations

import base64
import itertools
import json
import random
import zlib

import numpy as np
import pandas as pd
import pytest

from alchemer_nb import stack_waves
from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import ConditionError
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reexpress import reexpress
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.demo import piped
from alchemer_nb.survey.definition import read_definition
from tests.compare.test_waves import wave
from tests.frame.made_frames import made_frame, received
from tests.frame.test_types_properties import frame_of
from tests.store.conftest import fresh_client
from tests.survey_json import frame, option, question, response

RATES = [option(10101, "Good", "1"), option(10102, "Bad", "2")]
GRID = question(39, "TABLE", "Brands", "", RATES, key="table-radio")
SHOPS = question(49, "TABLE", "Shops", "", RATES, key="table-radio")
CELLS = [option(10111, "Plus", "p"), option(10112, "Minus", "m")]


def row(own, parent, text, answer=None, answer_id=None, kind="RADIO", **more):
    chosen = {} if answer is None else {"answer": answer}
    chosen |= {} if answer_id is None else {"answer_id": answer_id}
    head = {"id": own, "type": kind, "parent": parent, "question": text, "section_id": 1}
    return {str(own): {**head, **chosen, "shown": True, **more}}


BAD = {"id": 10102, "option": "Bad", "answer": "2"}
REAL = [
    {**row(10001, 39, "Brand A", "1", 10101), **row(10002, 39, "Brand B", "2", 10102)},
    row(10001, 39, "Brand B", "2", 10102),
    row(10001, 49, "Shop Z", "1", 10101),
]


def built(asked, data, **options):
    given = [response(n, each) for n, each in enumerate(data, 1)]
    return frame_of(asked, given, **{"names": "id", **options})


def cells(df):
    """The cells of each column, None where one is empty."""
    return {n: [None if pd.isna(v) else v for v in df[n].astype(object)] for n in df}


@pytest.mark.parametrize(
    ("values", "a", "b", "z"),
    [
        ("label", ["Good", None, None], ["Bad", "Bad", None], [None, None, "Good"]),
        ("code", [1, None, None], [2, 2, None], [None, None, 1]),
        ("id", ["10101", None, None], ["10102", "10102", None], [None, None, "10101"]),
    ],
)
def test_ids_that_repeat_are_told_apart_by_question_and_text(values, a, b, z):
    df = built([GRID, SHOPS], REAL, values=values)
    assert cells(df) == {"q39_brand_a": a, "q39_brand_b": b, "q49_shop_z": z}
    if values == "label":
        assert df["q39_brand_a"].cat.categories.tolist() == ["Good", "Bad"]


def test_names_by_alias_and_text_and_codes_beside_labels():
    asked = [question(39, "TABLE", "Brands", "brands", RATES, key="table-radio"), SHOPS]
    assert list(built(asked, REAL, names="alias")) == [
        "brands_brand_a", "brands_brand_b", "q49_shop_z",
    ]  # fmt: skip
    assert list(built(asked, REAL, names="text")) == [
        "Brands: Brand A", "Brands: Brand B", "Shops: Shop Z",
    ]  # fmt: skip
    both = built(asked, REAL, values="both")
    assert both["q39_brand_b_code"].dropna().tolist() == [2, 2]


def test_the_long_shape_has_the_grid_as_question_and_the_text_as_row():
    df = built([GRID, SHOPS], REAL, shape="long")
    assert df.drop(columns=["response_id", "option", "shown"]).to_numpy().tolist() == [
        ["39", "Brand A", "q39_brand_a", "Good", "1", "10101"],
        ["39", "Brand B", "q39_brand_b", "Bad", "2", "10102"],
        ["39", "Brand B", "q39_brand_b", "Bad", "2", "10102"],
        ["49", "Shop Z", "q49_shop_z", "Good", "1", "10101"],
    ]
    assert df["shown"].all()


def test_codebook_and_bases_mark_them():
    df = built([GRID, SHOPS], REAL)
    book = df.alchemer.codebook.set_index("column_id")
    assert book["piped"].all()
    assert not book["removed"].any()
    assert book.loc["q39_brand_b", ["question_id", "parent_id", "row", "n_answered"]].tolist() == [
        "39", "39", "Brand B", 2,
    ]  # fmt: skip
    assert set(book["notes"]) == {"a piped row: its text comes from the answers"}
    bases = df.alchemer.base_sizes()[["question_id", "question", "answered"]]
    assert bases.to_numpy().tolist() == [
        ["39", "Brands: Brand A", 1], ["39", "Brands: Brand B", 2], ["49", "Shops: Shop Z", 1],
    ]  # fmt: skip
    options = df.alchemer.options
    assert set(options["question_id"]) == {"39", "49"}
    assert options["label"].tolist() == ["Good", "Bad"] * 3


def test_spellings_are_one_row_and_the_codebook_says_so():
    data = [
        row(10001, 39, "Brand A", "1", 10101),
        row(10001, 39, "BRAND  a", "2", 10102),
        {**row(10001, 39, "Brand B", "1", 10101), **row(10002, 39, "brand b", "2", 10102)},
    ]
    df = built([GRID], data)
    assert list(df) == ["q39_brand_a", "q39_brand_b", "q39_brand_b_again"]
    assert cells(df)["q39_brand_a"] == ["Good", "Bad", None]
    assert df["q39_brand_b_again"].iloc[2] == "2"  # the second answer of one response is kept, too
    book = df.alchemer.codebook.set_index("column_id")
    assert book.loc["q39_brand_a", "row"] == "BRAND a"
    assert "came in 2 spellings" in book.loc["q39_brand_a", "notes"]


def test_the_text_does_not_depend_on_the_order_of_responses():
    data = [row(10001, 39, text, "1", 10101) for text in ("brand a", "Brand A", "BRAND A")]
    texts = {
        built([GRID], some, shape="long")["row"].iloc[0] for some in itertools.permutations(data)
    }
    assert texts == {"BRAND A"}


def test_names_do_not_depend_on_what_else_is_there():
    texts = ["Café", "Cafe", "cafe!", "Other", "東京", "大阪"]
    alone = [next(iter(built([GRID], [row(10001, 39, text, "1", 10101)]))) for text in texts]
    data = [row(10001 + n, 39, text, "1", 10101) for n, text in enumerate(texts)]
    together = built([GRID], [{k: v for each in data for k, v in each.items()}])
    assert sorted(together) == sorted(alone)
    assert len(set(alone)) == 6
    assert (together == "Good").all(axis=None)


def test_two_texts_of_one_short_hash_stay_apart():
    one, other = _texts_of_one_hash()
    df = built([GRID], [row(10001, 39, one, "1", 10101), row(10001, 39, other, "2", 10102)])
    assert df.shape[1] == 2
    assert sorted(df.stack().dropna()) == ["Bad", "Good"]
    assert all(len(name.rpartition("_")[2]) == 16 for name in df)


def _texts_of_one_hash():
    import hashlib

    seen: dict[str, str] = {}
    for number in range(20000):
        text = chr(0x4E00 + number)
        digits = hashlib.sha256(text.encode()).hexdigest()[:4]
        if digits in seen:
            return seen[digits], text
        seen[digits] = text
    raise AssertionError


def test_planned_names_stay_whatever_rows_come():
    drinks = [option(10001, "Tea", "tea"), option(10002, "Other", "other", other=True)]
    asked = [question(21, "CHECKBOX", "Drinks", "drinks", drinks, key="checkbox")]
    told = {"21": {"id": 21, "options": {"10001": {"id": 10001, "option": "Tea", "answer": "tea"}}}}
    tea = {"10001": {"id": 10001, "option": "Tea", "answer": "tea"}}
    rows = [
        row(10001, 21, "Tea", kind="parent", options=tea),
        row(10001, 21, "10001", kind="parent", options=tea),
        row(10001, 21, "other", kind="parent", options=tea),
    ]
    for names in ("id", "alias", "text"):
        alone, more = (built(asked, [told, *some], names=names) for some in ([], rows))
        assert [n for n in more if n in set(alone)] == list(alone)
        assert more[list(alone)].iloc[:1].equals(alone)
        assert (more.notna().sum(axis=1) > 0).all()


# -- other kinds of questions ------------------------------------------------------------------


def of_cells(text, answers, parent=39, **more):
    return {
        own: {"id": int(own), "type": "X", "parent": parent, "question": f"{text} : {own}",
              "answer": answer, "shown": True, **more}
        for own, answer in answers.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        row(10001, 39, "Brand A", kind="parent",
            subquestions=of_cells("Brand A", {"10111": "p", "10112": None})),
        row(10001, 39, "Brand A", kind="parent",
            subquestions={"10001": of_cells("Brand A", {"10111": "p", "10112": None})}),
        row(10001, 39, "Brand A", kind="CHECKBOX",
            options={"10111": {"id": 10111, "option": "Plus", "answer": "p"}}),
        {"39": {"id": 39, "type": "parent", "shown": True, "subquestions":
                {"10001": of_cells("Brand A", {"10111": "p", "10112": None})}}},
    ],
    ids=["cells", "cells of a row", "options", "in the grid"],
)  # fmt: skip
def test_checkbox_grids(data):
    asked = [question(39, "TABLE", "Brands", "", CELLS, key="table-checkbox")]
    df = built(asked, [data, row(10001, 39, "Brand B", kind="parent", subquestions=[])])
    assert cells(df.iloc[:1, :2]) == {"q39_brand_a_10111": [True], "q39_brand_a_10112": [False]}
    assert built(asked, [data], multi="list")["q39_brand_a"].tolist() == [["Plus"]]
    long = built(asked, [data], shape="long")
    assert long[["question_id", "row", "option", "code"]].to_numpy().tolist() == [
        ["39", "Brand A", "Plus", "p"]
    ]


@pytest.mark.parametrize(
    ("key", "answers", "expected"),
    [
        ("table-stars", {"10111": "4", "10112": "x"}, [4.0, np.nan, "x"]),
        ("table-textbox", {"10111": "04", "10112": None}, ["04", np.nan]),
        ("table-menu-matrix", {"10111": "Often", "10112": ""}, ["Often", np.nan]),
    ],
)
def test_other_grids_of_cells(key, answers, expected):
    asked = [question(39, "TABLE", "Brands", "", CELLS, key=key)]
    df = built(asked, [row(10003, 39, "Brand A", kind="parent",
                           subquestions=of_cells("Brand A", answers))])  # fmt: skip
    raw = ["q39_brand_a_10112_raw"] if len(expected) == 3 else []
    assert list(df) == ["q39_brand_a_10111", "q39_brand_a_10112", *raw]
    found = df.iloc[0].tolist()
    assert [None if pd.isna(v) else v for v in found] == [
        None if pd.isna(v) else v for v in expected
    ]


def test_dropdown_grids_write_ins_and_codes_without_ids():
    options = [*RATES, option(10103, "Other", "o", other=True)]
    asked = [question(39, "TABLE", "Brands", "", options, key="table-menu")]
    data = [
        row(10001, 39, "Brand A", "2", kind="MENU"),
        row(10001, 39, "Brand A", "so so", "10103-other", kind="MENU", comments="hm"),
        row(10001, 39, "Brand A", "9", 10109, kind="MENU"),
    ]
    assert cells(built(asked, data)) == {
        "q39_brand_a": ["Bad", "Other", "9"],
        "q39_brand_a_other": [None, "so so", None],
        "q39_brand_a_comment": [None, "hm", None],
    }
    assert cells(built(asked, data, values="code"))["q39_brand_a"] == ["2", "o", "9"]


@pytest.mark.parametrize(
    ("kind", "key", "entry", "expected"),
    [
        ("RADIO", "radio", {"answer": "1", "answer_id": 10101}, {"": "Good"}),
        ("NPS", "radio-nps", {"answer": "2", "answer_id": 10102}, {"": 2.0}),
        ("TEXTBOX", "number", {"answer": "12"}, {"": 12.0, "_raw": None}),
        ("TEXTBOX", "date", {"answer": "soon"}, {"": None, "_raw": "soon"}),
        ("ESSAY", "essay", {"answer": "Nice"}, {"": "Nice"}),
        ("CHECKBOX", "checkbox", {"options": {"10102": BAD}},
         {"_10101": False, "_10102": True}),
        ("CONT_SUM", "contsum", {"options": {"10102": {**BAD, "answer": "7"}}},
         {"_10101": None, "_10102": 7.0}),
    ],
)  # fmt: skip
def test_a_question_that_is_repeated(kind, key, entry, expected):
    asked = [question(39, kind, "Again?", "", RATES, key=key)]
    df = built(asked, [row(10002, 39, "Brand A", kind=kind, **entry)])
    found = {n.removeprefix("q39_brand_a"): v for n, v in cells(df).items() if "brand" in n}
    assert found == {name: [value] for name, value in expected.items()}
    own = [n for n in df if "brand" not in n]
    assert own == list(built(asked, []))  # the question keeps columns of its own
    assert df[own].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["GROUP", "MATRIX", "CARD_SORT"])
def test_what_is_not_known_is_kept_apart_by_text(kind):
    key = {"GROUP": "group", "MATRIX": "matrix"}.get(kind, "")
    parts = [question(61, "TEXTBOX", "Name", key="text")]
    asked = [question(60, kind, "You", "", key=key, rows=parts if kind == "GROUP" else ())]
    data = [
        row(10001, 60, text, kind="parent", subquestions={"61": {"id": 61, "answer": text[-1]}})
        for text in ("Ann A", "Bo B")
    ]
    found = cells(built(asked, data))
    assert found["q60_ann_a_61"] == ["A", None]
    assert found["q60_bo_b_61"] == [None, "B"]


def test_a_grid_without_a_key_has_single_choices():
    df = built([question(39, "TABLE", "Brands", "", RATES)], REAL[:2])
    assert cells(df)["q39_brand_b"] == ["Bad", "Bad"]


def test_beside_placeholders_tables_and_rows_that_left():
    columns = [question(10001, "RADIO", "Size", "", [option(10201, "Large", "L")], key="radio")]
    placeholder = [question(40, "RADIO", '[question("value")]')]
    asked = [
        question(39, "TABLE", "Brands", "", RATES, key="table-radio", rows=placeholder),
        question(83, "MATRIX", "Bicycles", "", (), columns, key="matrix"),
    ]
    size = {"id": 10001, "type": "RADIO", "question": "Size", "answer": "L", "answer_id": 10201}
    data = [
        {**REAL[0], "83": {"id": 83, "type": "parent", "subquestions": {"10001": size}}},
        {**row(41, 39, "Gone", "1", 10101), **row(10001, 77, "Brand A", "1", 10101)},
    ]
    df = built(asked, data)
    assert cells(df) == {
        "q40": [None, None],
        "q39_brand_a": ["Good", None],
        "q39_brand_b": ["Bad", None],
        "q83_10001": ["Large", None],
        "q41": [None, "1"],
        "q77_brand_a": [None, "1"],
    }
    book = df.alchemer.codebook.set_index("column_id")
    assert book.index[book["piped"]].tolist() == ["q39_brand_a", "q39_brand_b", "q77_brand_a"]
    assert book.index[book["removed"]].tolist() == ["q41", "q77_brand_a"]
    assert df.alchemer.facts.get("removed_questions") is None  # the download counts them, below


def test_a_download_says_how_many(scripted):
    data = [response(n, each) for n, each in enumerate([*REAL, row(10001, 77, "X", "1")], 1)]
    df = frame(scripted, [GRID, SHOPS], data)
    assert df.alchemer.facts["piped_rows"] == 4
    assert df.alchemer.facts["removed_questions"] == ["77"]
    assert "4 piped rows, whose columns come from the answers" in str(df.alchemer.summary)
    stars = [question(39, "TABLE", "Stars", "", CELLS, key="table-stars")]
    told = row(10001, 39, "Brand A", kind="parent",
               subquestions=of_cells("Brand A", {"10111": "4", "10112": "x"}))  # fmt: skip
    df = frame(scripted, stars, [response(1, told)])
    assert df.alchemer.facts["unparsed_columns"] == ["q39"]  # without the text of the row


def test_pages_and_snapshots_make_no_difference():
    survey = read_definition({"id": 5, "title": "T"}, [GRID, SHOPS])
    whole, paged = AnswersBuilder(survey), AnswersBuilder(survey)
    given = [response(n, each) for n, each in enumerate(REAL * 20, 1)]
    whole.add_page(json.dumps({"data": given}).encode())
    for start in range(0, 60, 7):
        paged.add_page(json.dumps({"data": given[start : start + 7]}).encode())
        paged = paged.copy()
    columns = [
        all_columns(survey, each, Renderer(each, np.arange(60), "label", ()))
        for each in (whole.build(), paged.build())
    ]
    assert columns[0] == columns[1]
    for column in columns[0]:
        one, other = (
            Renderer(each, np.arange(60), "label", ()).array(column)
            for each in (whole.build(), paged.build())
        )
        assert one.equals(other)


# -- what travels with a frame -----------------------------------------------------------------


def described(df):
    text = df.attrs["alchemer"]
    return text + zlib.decompress(base64.b64decode(json.loads(text)["meaning"])).decode()


def trimmed(df):
    """A frame with a description of its columns alone, as our writers store it."""
    result = df.copy()
    result.attrs["alchemer"] = read_description(df).trim(df).to_json()
    return result


def test_the_description_has_a_text_only_while_a_column_needs_it():
    asked = [GRID, SHOPS, question(2, "TEXTBOX", "Name", "name", key="text")]
    df = built(asked, [*REAL, {"2": {"answer": "x"}}])
    assert "Brand A" in described(df)
    for less in (
        df.alchemer.redact(columns=["q39_brand_a"]),
        trimmed(df.drop(columns="q39_brand_a")),
        built(asked, REAL, columns=["q39_brand_b", "q2"]),
    ):
        assert "rand A" not in described(less)
        assert "brand_a" not in described(less)
        assert "Brand B" in described(less)
    nothing = df.alchemer.redact(columns=["39", "q49"])
    assert list(nothing) == ["q2"]
    assert set(nothing.alchemer.redacted["column"]) == {
        "a piped row of q39",
        "a piped row of q49",
    }
    assert not [t for t in ("rand A", "rand B", "brand_", "hop_z") if t in described(nothing)]


def test_long_frames_are_redacted_by_row():
    df = built([GRID, SHOPS], REAL, shape="long")
    less = df.alchemer.redact(columns=["q39_brand_a"])
    assert less["row"].tolist() == ["Brand B", "Brand B", "Shop Z"]
    assert "rand A" not in described(less)


WAYS = [
    FrameOptions(names=n, values=v, shape=s, multi=m, metadata="none")
    for n, v, (s, m) in itertools.product(
        ["alias", "id", "text"],
        ["label", "code", "id", "both"],
        [("wide", "columns"), ("wide", "list"), ("long", "columns")],
    )
]
MIXED = [
    GRID,
    question(50, "TABLE", "Seen", "seen", CELLS, key="table-checkbox"),
    question(51, "TABLE", "Stars", "", CELLS, key="table-stars"),
    question(52, "TEXTBOX", "Since", "since", key="date"),
    question(53, "CHECKBOX", "Why", "why", [*CELLS, option(10113, "Else", "e", other=True)],
             key="checkbox"),
]  # fmt: skip


def mixed_answers():
    listed = {
        "10111": {"id": 10111, "option": "Plus", "answer": "p"},
        "10113": {"id": 10113, "option": "Else", "answer": "typed"},
        "10119": {"id": 10119, "option": "Gone", "answer": "g"},
    }
    entries = [
        row(10001, 39, "Brand A", "1", 10101),
        row(10002, 39, "Café", "odd", 10109),
        row(10003, 50, "Café", kind="parent",
            subquestions=of_cells("Café", {"10111": "p", "10112": None}, 50)),
        row(10004, 51, "Brand A", kind="parent",
            subquestions=of_cells("Brand A", {"10111": "4", "10112": "x"}, 51)),
        row(10005, 52, "Brand A", "12/31/2025"),
        row(10006, 52, "Brand B", "soon"),
        row(10007, 53, "Brand B", kind="parent", options=listed, comments="hm"),
        row(10008, 53, "other", kind="parent", options=listed, shown=False),
    ]  # fmt: skip
    flat = [next(iter(each.values())) for each in entries]
    given = [{str(10001 + n): {**e, "id": 10001 + n} for n, e in enumerate(some)}
             for some in (flat, flat[3:], flat[::2], flat[:1])]  # fmt: skip
    return [response(n, each) for n, each in enumerate([*given, []], 1)]


@pytest.mark.parametrize("count", [9, pytest.param(len(WAYS), marks=pytest.mark.long)])
def test_relabelled_frames_equal_fresh_ones(count):
    some = [WAYS[0], *random.Random(1).sample(WAYS[1:], count - 1)]
    survey = read_definition({"id": 5, "title": "T"}, MIXED)
    kept = received(survey, mixed_answers())
    made = {way: made_frame(kept, [1, 2, 3, 4, 5], way) for way in some}
    for first, then in itertools.product(some, some):
        pd.testing.assert_frame_equal(reexpress(*made[first], then), made[then][0])
    assert made[WAYS[0]][0].shape[1] > 20


def test_missing_says_that_a_row_without_an_entry_was_not_shown():
    pages = [
        {"id": 1, "title": "One", "questions": [question(2, "TEXTBOX", "Name", key="text")]},
        {"id": 2, "title": "Two", "questions": [GRID, question(53, "CHECKBOX", "Why", "", CELLS)]},
    ]
    survey = read_definition({"id": 5, "title": "T", "pages": pages})
    name = {"2": {"id": 2, "answer": "x", "shown": True}}
    unshown = {"39": {"id": 39, "type": "TABLE", "shown": False}}
    listed = {"10111": {"id": 10111, "option": "Plus", "answer": "p"}}
    data = [
        {**name, **row(10001, 39, "Brand A", "1", 10101), **row(10002, 39, "Brand B")},
        {**name, **row(10001, 39, "Brand A", shown=False)},
        {**name, **unshown},
        name,
        [],
        name,
        {**name, **row(10001, 53, "Brand A", kind="parent", options=listed)},
    ]
    given = [
        response(n, each, status="Partial" if n == 6 else "Complete")
        for n, each in enumerate(data, 1)
    ]
    kept = received(survey, given)
    df, known = made_frame(kept, range(1, 8), FrameOptions(names="id", metadata="none"))
    df.attrs["alchemer"] = known.to_json()
    found = df.alchemer.missing().astype(str)
    assert found["q39_brand_a"].tolist() == [
        "answered", "not shown", "not shown", "not shown", "unknown", "not reached", "not shown",
    ]  # fmt: skip
    assert found["q39_brand_b"].tolist()[:3] == ["skipped", "not shown", "not shown"]
    # Unanswered, a multi-select has no entry, so it may have been shown and skipped.
    assert found["q53_brand_a_10111"].tolist() == [*["unknown"] * 5, "not reached", "answered"]


def test_waves_match_rows_by_their_words():
    other = question(12, "TABLE", "Brands", "", RATES, key="table-radio")
    one = wave(5, [GRID], *REAL[:2])
    two = wave(6, [other], row(10001, 12, "Brand B", "1", 10101), row(10001, 12, "New", "2", 10102))
    both = stack_waves({"a": one, "b": two})
    assert cells(both) == {
        "q39_brand_a": ["Good", None, None, None],
        "q39_brand_b": ["Bad", "Bad", "Good", None],
        "q12_new": [None, None, None, "Bad"],
    }
    assert both.alchemer.missing()["q12_new"].astype(str).tolist()[:3] == ["not shown"] * 3


def test_a_condition_on_a_row_is_refused_with_the_reason(scripted):
    with pytest.raises(ConditionError, match=r"a part of question 39, which .* cannot ask for"):
        frame(scripted, [GRID], [], where="q39_brand_a = Good")
    asked = [question(39, "TABLE", "Brands", "brands", RATES, key="table-radio")]
    with pytest.raises(ConditionError, match="cannot ask for"):
        frame(scripted, asked, [], where="brands_brand_a = Good")


@pytest.fixture(scope="module", params=["2017", "current"])
def tracker(request):
    with Sandbox(surveys=[piped.build(seed=4, responses=60)], form=request.param) as box:
        yield fresh_client(box)


def test_the_sandbox_counts_ids_anew_in_each_response(tracker):
    path = f"survey/{piped.NUMBER}"
    rows = tracker.request("GET", f"{path}/surveyresponse", {"resultsperpage": "500"})["data"]
    entries = [e for r in rows if r["survey_data"] for e in r["survey_data"].values()]
    first = [e for e in entries if e["id"] == 10001]
    assert len({(e["parent"], e["question"]) for e in first}) > 3
    asked = tracker.request("GET", f"{path}/surveyquestion")["data"]
    assert all(int(each["id"]) < 10001 and "sub_questions" not in each for each in asked)


def test_the_sandbox_counts_and_filters_them(tracker):
    df = tracker.responses(piped.NUMBER, progress="none", test_rows="exclude")
    again = df[[name for name in df if name.startswith("buy_again_")]]
    complete = again[df["status"] == "Complete"]
    stats = tracker.table(f"survey/{piped.NUMBER}/surveystatistic").set_index("id")
    counts = {each["label"]: int(each["count"]) for each in json.loads(stats.loc[4, "breakdown"])}
    assert counts == {word: int((complete == word).sum().sum()) for word in ("Yes", "No")}
    assert int(stats.loc[4, "total responses"]) == int(complete.notna().any(axis=1).sum())
    some = tracker.responses(piped.NUMBER, where="buy_again = No", progress="none")
    assert some.index.tolist() == again.index[(again == "No").any(axis=1)].tolist()
    seen = df[[name for name in df if name.startswith("q3_") and name.endswith("_10009")]]
    some = tracker.responses(piped.NUMBER, where="[question(3), option(10009)] = Online",
                             progress="none")  # fmt: skip
    assert some.index.tolist() == seen.index[seen.fillna(False).any(axis=1)].tolist()


def test_redact_reports_piped_rows_that_are_called_as_contact_data():
    grades = {"answer": "1", "answer_id": 10101}
    data = row(10001, 39, "Brand A", **grades) | row(10002, 39, "ann@example.org", **grades)
    df = built([GRID], [data, {}], names="alias").alchemer.redact()
    report = df.alchemer.redacted
    (name,) = [each for each in df if "ann" in each]
    found = report[report["done"] == "left as it is"].set_index("column")
    assert found.index.tolist() == [name]
    assert found.loc[name, ["values", "emails", "phones"]].tolist() == [1, 1, 0]
    assert name not in df.alchemer.redact(columns=[name])
