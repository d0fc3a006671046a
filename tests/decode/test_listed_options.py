"""Options that are listed: chosen unless they are null, wherever and however they stand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frame.test_types_properties import frame_of
from tests.survey_json import frame, option, question, response, serve

DRINKS = [
    option(10001, "Tea", "t"),
    option(10002, "Coffee", "c"),
    option(10003, "Other", "o", other=True),
]
TEA = {"id": 10001, "option": "Tea"}
CHECKBOX = question(21, "CHECKBOX", "Drinks?", "drinks", DRINKS, key="checkbox")


def built(asked, data, **options):
    """The frame of some responses, and what its end says."""
    return frame_of(
        asked, [response(n, each) for n, each in enumerate(data, 1)], names="id", **options
    )


def listed(options, **more):
    return {"21": {"id": 21, "type": "parent", "options": options, "shown": True, **more}}


def row(df, stem="q21"):
    cells = df[[f"{stem}_{each['id']}" for each in DRINKS]].iloc[0]
    return [None if pd.isna(v) else bool(v) for v in cells]


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({"10001": TEA}, [True, False, False]),
        ({"10001": {"id": "10001", "option": "Tea", "answer": ""}}, [True, False, False]),
        ({"10001": {}}, [True, False, False]),
        ({"10001": []}, [True, False, False]),
        ({"10001": {"id": 10001}}, [True, False, False]),
        ({"10001": "Tea"}, [True, False, False]),
        ({"10001": 1}, [True, False, False]),
        ({"10001": {"option": "Tea", "original_answer": "Tea, black"}}, [True, False, False]),
        ({"0": TEA}, [True, False, False]),
        ({"0": {"id": "10002", "option": "Coffee"}, "1": TEA}, [True, True, False]),
        ([TEA], [True, False, False]),
        ([{"option": "Coffee"}, {"id": 10001}], [True, True, False]),
        (["Tea", "c"], [True, True, False]),
        ([10001, "10003"], [True, False, True]),
        ({"10003-other": {"id": "10003-other", "option": "Other"}}, [False, False, True]),
        ({"10001": TEA, "10002": {"id": 10002, "answer": None}}, [True, False, False]),
        ({"10001": TEA, "10002": None}, [True, False, False]),
        ([TEA, {"id": 10002, "option": "Coffee", "answer": None}], [True, False, False]),
        ({"t": TEA, "c": {"id": 10002, "option": "Coffee"}}, [True, True, False]),
        ({"t": {"option": "Tea"}}, [True, False, False]),
        ({"10077": TEA}, [True, False, False]),
        ({"10001": True, "10002": False}, [True, False, False]),
        ({"10001": {"id": 10001, "option": "Tea", "answer": False}}, [None, None, None]),
        ({"10001": {"id": 10001, "option": "Tea", "answer": None}}, [None, None, None]),
        ({}, [None, None, None]),
        ([], [None, None, None]),
    ],
)
def test_a_listed_option_is_chosen_unless_it_is_null(options, chosen):
    df = built([CHECKBOX], [listed(options)])
    assert row(df) == chosen
    assert [n for n in df if not n.startswith("q21_1000")] == []
    assert pd.isna(df["q21_10003_other"].iloc[0])
    kinds = df.alchemer.missing().iloc[0].astype(str)
    assert kinds["q21_10001"] == ("skipped" if chosen[0] is None else "answered")


def test_it_looks_the_same_in_every_form_of_the_frame():
    data = [listed({"10001": TEA, "10003": {"id": 10003, "option": "Other", "answer": "Juice"}})]
    assert [*built([CHECKBOX], data, values="code")["q21_10001"]] == [1]
    assert [*built([CHECKBOX], data, values="id")["q21_10001"]] == [10001]
    assert [*built([CHECKBOX], data, multi="list")["q21"]] == [["Tea", "Other"]]
    assert [*built([CHECKBOX], data, multi="list", values="code")["q21"]] == [["t", "o"]]
    assert [*built([CHECKBOX], data)["q21_10003_other"]] == ["Juice"]
    long = built([CHECKBOX], data, shape="long")
    tea = long[long["column"] == "q21_10001"].iloc[0]
    assert [tea[n] for n in ("value", "code", "option_id")] == ["Tea", "t", "10001"]
    wide = built([CHECKBOX], data)
    pd.testing.assert_frame_equal(wide.alchemer.relabel(shape="long"), long)
    assert [*wide.alchemer.relabel(values="code")["q21_10001"]] == [1]


def part(own, kind="CHECKBOX", key="checkbox"):
    return question(own, kind, f"Part {own}", "", DRINKS, key=key)


PLACES = {
    "image select": (
        [question(21, "IMAGE_SELECT", "", "", DRINKS, key="multi-image")],
        lambda options: listed(options),
        "q21",
    ),
    "group": (
        [question(60, "GROUP", rows=[part(61)], key="group")],
        lambda options: {"60": {"id": 60, "subquestions": {"61": {"id": 61, "options": options}}}},
        "q61",
    ),
    "group, bare": (
        [question(60, "GROUP", rows=[part(61)], key="group")],
        lambda options: {"60": {"id": 60, "subquestions": {"61": options}}},
        "q61",
    ),
    "custom table": (
        [question(83, "MATRIX", rows=[part(10001)], key="matrix")],
        lambda options: {
            "83": {"id": 83, "subquestions": {"10001": {"id": 10001, "options": options}}}
        },
        "q83_10001",
    ),
    "grid": (
        [question(50, "TABLE", "", "", DRINKS, [part(51)], key="table-checkbox")],
        lambda options: {"50": {"id": 50, "subquestions": {"51": {"id": 51, "options": options}}}},
        "q51",
    ),
    "row of a grid by itself": (
        [question(50, "TABLE", "", "", DRINKS, [part(51)], key="table-checkbox")],
        lambda options: {"51": {"id": 51, "parent": 50, "options": options}},
        "q51",
    ),
    "grid, bare": (
        [question(50, "TABLE", "", "", DRINKS, [part(51)], key="table-checkbox")],
        lambda options: {"50": {"id": 50, "subquestions": {"51": options}}},
        "q51",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_so_in_every_place_where_options_occur(place):
    asked, entry, stem = PLACES[place]
    assert row(built(asked, [entry({"10001": TEA})]), stem) == [True, False, False]
    null = {"id": 10002, "option": "Coffee", "answer": None}
    assert row(built(asked, [entry({"10001": TEA, "10002": null})]), stem) == [True, False, False]


@pytest.mark.parametrize("form", [lambda options: options, lambda options: [*options.values()]])
def test_a_cell_of_a_grid_may_list_itself(form):
    asked, entry, stem = PLACES["grid, bare"]
    some = {10001: {"10001": TEA}, 10002: {"10002": {"id": 10002, "answer": None}}, 10003: {}}
    cells = {
        str(own): {"id": own, "type": "CHECKBOX", "question": "R : C", "options": form(options)}
        for own, options in some.items()
    }
    df = built(asked, [entry(cells)])
    assert row(df, stem) == [True, False, False]
    assert [*df] == [*(f"{stem}_{own}" for own in some), *(n for n in df if n.endswith("_other"))]


def test_a_single_choice_in_a_group_may_be_a_bare_map():
    drink = question(62, "RADIO", "", "", DRINKS, key="radio")
    asked = [question(60, "GROUP", rows=[drink], key="group")]
    null = {"id": 10002, "option": "Coffee", "answer": None}
    data = [
        {"60": {"id": 60, "subquestions": {"62": given_}}}
        for given_ in ({"10001": TEA}, {"10001": TEA, "10002": null}, [TEA], {"0": TEA})
    ]
    df = built(asked, data)
    assert [*df["q62"]] == ["Tea"] * 4
    assert [*df] == ["q62", "q62_other"]


@pytest.mark.parametrize("cells", [{"10002": {"option": "Coffee"}}, {"0": {"id": 10002}}, ["c"]])
def test_the_column_that_a_row_of_a_grid_lists_is_its_answer(cells):
    if isinstance(cells, dict):
        cells = {key: {"id": 10002, "option": "Coffee", **each} for key, each in cells.items()}
    rows = [question(51, "RADIO", "", "", DRINKS, key="radio")]
    asked = [question(50, "TABLE", "", "", DRINKS, rows, key="table-radio")]
    given_ = cells if isinstance(cells, dict) else {"options": cells}
    df = built(asked, [{"50": {"id": 50, "subquestions": {"51": given_}}}])
    assert [*df["q51"]] == ["Coffee"]
    assert not [name for name in df if name.startswith("q51_1") or "again" in name]


@pytest.mark.parametrize("own", [{}, {"answer": ""}, {"answer": "o"}, {"answer": "Other"}])
def test_a_write_in_may_stand_beside_its_option(own):
    typed = {"id": "10003-other", "option": "Other", "answer": "Juice"}
    options = {"10003": {"id": 10003, "option": "Other", **own}, "10003-other": typed}
    for given_ in (options, dict(reversed(options.items())), [*options.values()]):
        df = built([CHECKBOX], [listed(given_)])
        assert row(df) == [False, False, True]
        assert [*df["q21_10003_other"]] == ["Juice"]
        assert not [name for name in df if "again" in name]


def test_an_answer_is_not_told_once_more_by_its_option():
    asked = [question(2, "RADIO", "", "", DRINKS, key="radio")]
    answer = {"id": 2, "answer": "t", "answer_id": 10001}
    said = [{"10001": TEA}, {"10001": {**TEA, "answer": "t"}}, [TEA]]
    df = built(asked, [{"2": {**answer, "options": each}} for each in said])
    assert [*df["q2"]] == ["Tea"] * 3
    assert [*df] == ["q2", "q2_other"]
    other = built(asked, [{"2": {**answer, "options": {"10002": {"id": 10002}}}}])
    assert [*other["q2"]] == ["Tea"]
    assert "q2_10002" in other, "a contradiction is kept"


def test_a_cell_of_a_grid_is_there_whether_or_not_it_is_chosen():
    asked, entry, stem = PLACES["grid, bare"]

    def cell(own, **answer):
        return {"id": own, "type": "CHECKBOX", "parent": 50, "question": "Row : C", **answer}

    cells = {"10001": cell(10001, answer="t"), "10002": cell(10002, answer=None)}
    assert row(built(asked, [entry(cells)]), stem) == [True, False, False]
    without = {"10001": cell(10001, answer="t"), "10002": cell(10002), "10003": cell(10003)}
    assert row(built(asked, [entry(without)]), stem) == [True, False, False]
    empty = {own: cell(int(own), answer="") for own in cells}
    assert row(built(asked, [entry(empty)]), stem) == [None, None, None]


ITEMS = [option(10068, "Rent", "Rent"), option(10069, "Food", "Food")]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("MULTI_TEXTBOX", "multitext"),
        ("CONT_SUM", "contsum"),
        ("RANK", "rank-dragdrop"),
        ("RANK", "rank-table"),
        ("MULTI_SLIDER", "multi_slider"),
    ],
)
def test_an_item_without_its_value_has_none(kind, key):
    asked = [question(37, kind, "", "", ITEMS, key=key)]
    given_ = {"10068": {"id": 10068, "option": "Rent"}, "10069": {"id": 10069, "answer": "2"}}
    df = built(asked, [{"37": {"id": 37, "options": given_, "shown": True}}])
    assert df["q37_10068"].isna().all()
    assert [*df["q37_10069"].astype(str)] == ["2" if kind == "MULTI_TEXTBOX" else "2.0"]
    assert [*df] == ["q37_10068", "q37_10069", *(n for n in df if n.endswith("_raw"))]
    assert df.alchemer.missing()["q37_10068"].astype(str).tolist() == ["skipped"]
    assert built(asked, [{"37": {"id": 37, "options": given_}}], shape="long").shape[0] == 1


@pytest.mark.parametrize("keys", [("10068", "10069"), ("0", "1"), ("rent", "food")])
@pytest.mark.parametrize("name", ["id", "option"])
def test_items_are_found_by_their_ids_or_their_words(keys, name):
    asked = [question(37, "CONT_SUM", "", "", ITEMS, key="contsum")]
    own = {"id": (10068, 10069), "option": ("Rent", "Food")}[name]
    items = [{name: each, "answer": value} for each, value in zip(own, "21", strict=True)]
    for given_ in (dict(zip(keys, items, strict=True)), items):
        df = built(asked, [{"37": {"id": 37, "options": given_}}])
        assert df.iloc[0].tolist() == [2.0, 1.0]


@pytest.mark.parametrize("words", ["Rent", "r", None, ""])
def test_a_rank_counts_before_the_words_beside_it(words):
    asked = [question(37, "RANK", "", "", ITEMS, key="rank-dragdrop")]
    given_ = {"10068": {"id": 10068, "option": "Rent", "answer": words, "rank": "2"}}
    df = built(asked, [{"37": {"id": 37, "options": given_}}])
    assert [*df["q37_10068"]] == [2.0]
    # Words that are not those of the item are kept.
    other = ["q37_10068_answer"] if words == "r" else []
    assert [*df] == ["q37_10068", "q37_10069", *other]
    assert [*df[other].to_numpy().ravel()] == [words] * len(other)


def test_a_rank_may_stand_beside_an_empty_answer():
    asked = [question(37, "RANK", "", "", ITEMS, key="rank-dragdrop")]
    given_ = {
        "10068": {"id": 10068, "option": "Rent", "rank": "2"},
        "10069": {"id": 10069, "option": "Food", "answer": "", "rank": 1},
    }
    df = built(asked, [{"37": {"id": 37, "options": given_}}])
    assert df.iloc[0].tolist() == [2.0, 1.0]


@pytest.mark.parametrize("key", ["radio", "menu", "single-image", "radio-likert"])
def test_a_single_choice_may_list_the_one_that_was_chosen(key):
    asked = [question(2, "RADIO", "", "", DRINKS, key=key)]
    null = {"id": 10001, "option": "Tea", "answer": None}
    chosen = {"id": 10002, "option": "Coffee"}
    data = [
        {"2": {"id": 2, "options": {"10002": chosen}}},
        {"2": {"id": 2, "options": [null, chosen]}},
        {"2": {"id": 2, "options": {"10001": null}}},
        {"2": {"id": 2, "answer": "t", "answer_id": 10001}},
    ]
    df = built(asked, data)
    assert [*df["q2"].astype(object).fillna("-")] == ["Coffee", "Coffee", "-", "Tea"]
    assert [*df] == ["q2", "q2_other"]
    assert [*built(asked, data, values="id")["q2"].astype(object).fillna("-")] == [
        "10002", "10002", "-", "10001",
    ]  # fmt: skip


def test_what_left_the_definition_is_kept_and_what_was_not_chosen_makes_no_column():
    options = {
        "10001": TEA,
        "10077": {"id": 10077, "option": "Milk"},
        "10078": {"id": 10078, "option": "Beer", "answer": None},
    }
    data = [{**listed(options), "99": {"id": 99, "question": "Gone", "options": options}}]
    df = built([CHECKBOX], data)
    assert [*df["q21_10077"]] == [True]
    assert [*df["q99_10001"]] == ["Tea"]
    assert not [name for name in df if name.endswith("10078")]


def test_options_that_are_null_are_counted(scripted):
    null = {"id": 10002, "option": "Coffee", "answer": None}
    some = [listed({"10001": TEA, "10002": null, "10003": None}), listed([TEA, null])]
    data = [response(n, some[n % 2]) for n in range(1, 7)]
    df = frame(scripted, [CHECKBOX], data, names="id")
    assert [*df["q21_10001"]] == [True] * 6
    assert "9 options came without a value (null) and count as not chosen" in df.alchemer.summary
    none = frame(scripted, [CHECKBOX], [response(1, listed({"10001": TEA}))])
    assert "(null)" not in none.alchemer.summary


def test_a_condition_that_is_chosen_here_finds_an_option_without_its_value(scripted):
    options = [option(10001, "Tea", "tea, black"), option(10002, "Coffee", "c")]
    options.append(option(10003, "Water", "w", other=True))
    asked = [question(21, "CHECKBOX", "Drinks?", "drinks", options, key="checkbox")]
    water = {"10003": {"id": 10003, "option": "Water"}}
    data = [listed({"10001": TEA}), listed(water), listed({"10002": {"answer": "c"}}), {}]
    given_ = [response(n, each) for n, each in enumerate(data, 1)]
    for where in ("drinks in Tea, Coffee", "[question(21)] in 'tea, black', c"):
        assert [*frame(scripted, asked, given_, where=where).index] == [1, 3]
    one = "[question(21), option(10003)] in w, 'x, y'"
    assert [*frame(scripted, asked, given_, where=one).index] == [2]


def test_it_is_so_in_the_store_too(scripted, tmp_path, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    client = serve(scripted, [CHECKBOX], [response(1, listed({"10001": TEA}))])
    scripted.answer("account", {"result_ok": True, "data": {"id": "1", "organization": "A"}})
    client.sync(5)
    stored = client.responses(5, names="id", store=True, progress="none")
    assert row(stored) == [True, False, False]
    table = client.scan(5).to_table().to_pandas()
    assert [*table["drinks_t"]] == [True]


ENTRY = st.sampled_from(["absent", "null", "empty", "value", "label alone", "bare"])
FORM = st.sampled_from(["map", "list", "numbered"])
SETS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from([10001, 10002, 10003]), ENTRY), FORM),
    min_size=1,
    max_size=12,
)


def item(own, how):
    label = {o["id"]: o["title"]["English"] for o in DRINKS}[own]
    value = {o["id"]: o["value"] for o in DRINKS}[own]
    return {
        "absent": {"id": own, "option": label},
        "null": {"id": own, "option": label, "answer": None},
        "empty": {"id": own, "option": label, "answer": ""},
        "value": {"id": str(own), "option": label, "answer": value, "original_answer": value},
        "label alone": {"option": label},
        "bare": label,
    }[how]


@given(SETS, st.sampled_from([place for place in PLACES if "bare" not in place]))
@settings(suppress_health_check=list(HealthCheck))
def test_random_sets_are_read_as_a_plain_reader_does(sets, place):
    asked, entry, stem = PLACES[place]
    data, expected = [], []
    for some, form in sets:
        items = {own: item(own, how) for own, how in some.items()}
        if form == "map":
            data.append(entry({str(own): each for own, each in items.items()}))
        elif form == "list":
            data.append(entry(list(items.values())))
        else:
            data.append(entry({str(n): each for n, each in enumerate(items.values())}))
        chosen = {own for own, how in some.items() if how != "null"}
        expected.append([own in chosen for own in (10001, 10002, 10003)] if chosen else [None] * 3)
    df = built(asked, data)
    columns = [f"{stem}_{o['id']}" for o in DRINKS]
    got = df[columns].astype(object).where(df[columns].notna(), None).to_numpy().tolist()
    assert got == expected
    assert set(df) <= {*columns, f"{stem}_10003_other"}
    assert np.array_equal(df[columns].isna().any(axis=1), [each[0] is None for each in expected])
