"""Answers and fields that are not as the reference has them, read by hand from the facts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.errors import AlchemerError
from alchemer_nb.wire.text import strip_html
from tests.survey_json import frame, option, question, response, serve

ITEMS = [option(10090, "A"), option(10091, "B"), option(10092, "C")]
BOXES = [option(10001, "Tea", "t"), option(10002, "Coffee", "c")]
EASTERN = "America/New_York"


def one(scripted, asked, entry, **options):
    """The frame of one response to one question."""
    given_ = [response(1, {str(asked["id"]): entry})]
    return frame(scripted, [asked], given_, **{"names": "id", "metadata": "none", **options})


def cells(df):
    return {name: df[name].iloc[0] for name in df if pd.notna(df[name].iloc[0])}


# Options under ``answer``.

B_THEN_A = [{"id": 10091, "option": "B", "rank": "1"}, {"id": 10090, "option": "A", "rank": "2"}]


@pytest.mark.parametrize(
    "answer",
    [
        {"10091": B_THEN_A[0], "10090": B_THEN_A[1]},
        {"0": B_THEN_A[0], "1": B_THEN_A[1]},
        {"first": B_THEN_A[0], "second": B_THEN_A[1]},
        B_THEN_A,
        {"10091": "1", "10090": 2},
        {"10091": {"rank": 1}, "10090": {"rank": 2}},
    ],
)
@pytest.mark.parametrize("kind", ["rank-dragdrop", "rank-table"])
def test_ranks_under_answer(scripted, answer, kind):
    df = one(scripted, question(39, "RANK", options=ITEMS, key=kind), {"answer": answer})
    assert cells(df) == {"q39_10090": 2.0, "q39_10091": 1.0}
    assert df.alchemer.missing()["q39_10090"].tolist() == ["answered"]
    assert "1 entry had an undocumented form and was kept" in df.alchemer.summary


@pytest.mark.parametrize(
    ("kind", "key", "right"),
    [
        ("CONT_SUM", "contsum", {"q38_10090": 30.0, "q38_10091": 70.0}),
        ("MULTI_SLIDER", "multi_slider", {"q38_10090": 30.0, "q38_10091": 70.0}),
        ("MULTI_TEXTBOX", "multitext", {"q38_10090": "30", "q38_10091": "70"}),
    ],
)
@pytest.mark.parametrize("keys", [("10090", "10091"), ("0", "1")])
def test_items_under_answer(scripted, kind, key, right, keys):
    items = [{"id": 10090, "answer": "30"}, {"id": 10091, "answer": "70"}]
    asked = question(38, kind, options=ITEMS, key=key)
    for answer in (dict(zip(keys, items, strict=True)), items):
        assert cells(one(scripted, asked, {"answer": answer})) == right


@pytest.mark.parametrize(
    "answer",
    [
        {"10001": {"id": 10001, "option": "Tea", "answer": "t"}},
        [{"id": 10001, "option": "Tea"}],
        ["Tea"],
        {"id": 10001, "option": "Tea"},
        {"0": {"id": "10001"}},
    ],
)
def test_choices_under_answer(scripted, answer):
    boxes = question(21, "CHECKBOX", options=BOXES, key="checkbox")
    right = {"q21_10001": True, "q21_10002": False}
    assert cells(one(scripted, boxes, {"answer": answer})) == right
    radio = question(21, "RADIO", options=BOXES, key="radio")
    assert cells(one(scripted, radio, {"answer": answer})) == {"q21": "Tea"}


def test_a_map_under_answer_of_an_unknown_type_is_kept_as_it_is(scripted):
    asked = question(60, "HOLOGRAM", key="hologram")
    assert cells(one(scripted, asked, {"answer": {"gridX": 1}})) == {"q60": '{"gridX": 1}'}


# Fields of responses, the answer before an edit, url variables.

WORDS = question(2, "TEXTBOX", alias="say", key="text")


def test_undocumented_fields_of_responses(scripted):
    more = [{"comments": "Well done", "score": 0}, {"comments": "", "say": True}, {"tags": ["a"]}]
    given_ = [response(n, {"2": {"answer": "x"}}, **each) for n, each in enumerate(more, 1)]
    df = frame(scripted, [WORDS], given_, metadata="all")
    assert [*df.columns[-4:]] == ["comments", "say_", "score", "tags"]
    assert df["comments"].tolist() == ["Well done", np.nan, np.nan]
    assert df["score"].tolist() == ["0", np.nan, np.nan]
    assert df["tags"].tolist() == [np.nan, np.nan, '["a"]']
    assert {"comments", "say_"} <= set(df.alchemer.columns("metadata"))
    assert "not shown" not in df.alchemer.summary
    by_id = df.alchemer.relabel(names="id")
    pd.testing.assert_frame_equal(
        by_id, frame(scripted, [WORDS], given_, metadata="all", names="id")
    )
    assert "say" in by_id
    assert "say_" not in by_id
    assert "comments" not in df.alchemer.relabel(metadata="standard")
    plain = frame(scripted, [WORDS], given_)
    assert "comments" not in plain
    said = "fields of responses not shown: comments (1), say (1), score (1), tags (1)"
    assert said in plain.alchemer.summary
    assert said in frame(scripted, [WORDS], given_, shape="long", metadata="all").alchemer.summary


def test_a_field_that_names_a_person_is_redacted(scripted):
    given_ = [response(1, {}, email="ann@example.org", comments="x")]
    clean = frame(scripted, [WORDS], given_, metadata="all").alchemer.redact()
    assert "email" not in clean
    assert "comments" in clean


def test_fields_come_from_the_store_and_its_tables(scripted, tmp_path, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    given_ = [response(1, {"2": {"answer": "03/04/2026"}}, comments="Well done")]
    day = question(2, "TEXTBOX", alias="day", key="date")
    client = serve(scripted, [day], given_)
    scripted.answer("account", {"result_ok": True, "data": {"id": "1", "organization": "A"}})
    client.sync(5)
    stored = client.responses(5, metadata="all", store=True, progress="none", day_first=True)
    assert stored["comments"].tolist() == ["Well done"]
    assert stored["day"].tolist() == [pd.Timestamp("2026-04-03")]
    for day_first, right in ((False, "2026-03-04"), (True, "2026-04-03"), (False, "2026-03-04")):
        table = client.scan(5, "pandas", day_first=day_first)
        assert table["comments"].tolist() == ["Well done"]
        assert table["day"].tolist() == [pd.Timestamp(right)]


@pytest.mark.parametrize(
    ("asked", "entry", "name"),
    [
        (question(2, "RADIO", options=BOXES, key="radio"), {"answer": "t", "answer_id": 10001}, ""),
        (WORDS, {"answer": "t"}, ""),
        (WORDS, {}, ""),
        (
            question(2, "CHECKBOX", options=BOXES, key="checkbox"),
            {"options": {"10001": {"id": 10001, "option": "Tea", "answer": "t"}}},
            "_10001",
        ),
    ],
)
def test_the_answer_before_an_edit(scripted, asked, entry, name):
    old = {"original_answer": "Black tea"}
    whole = {**entry, **old}
    if "options" in entry:
        whole = {"options": {"10001": {**entry["options"]["10001"], **old}}}
    df = one(scripted, asked, whole, metadata="all")
    assert df[f"q2{name}_original_answer"].tolist() == ["Black tea"]
    fresh = one(scripted, asked, whole)
    assert f"q2{name}_original_answer" not in fresh
    assert '1 answer had an earlier value (metadata="all" shows it)' in fresh.alchemer.summary
    same = df.alchemer.relabel(metadata="none")
    pd.testing.assert_frame_equal(same, fresh)
    as_now = {"answer": "t", "original_answer": "t"}
    assert not [n for n in one(scripted, WORDS, as_now, metadata="all") if "original" in n]


@pytest.mark.parametrize(
    ("variables", "right"),
    [
        ([{"key": "utm", "value": "news", "type": "url"}], {"url_utm": "news"}),
        ([{"name": "a", "value": "x"}, {"key": "b", "value": 0}], {"url_a": "x", "url_b": "0"}),
        ([{"key": "utm", "value": "a"}, {"key": "utm", "value": "b"}],
         {"url_utm": "a", "url_utm.again": "b"}),
        ({"utm": {"value": "news", "from": "mail"}}, {"url_utm": "news", "url_utm.from": "mail"}),
        (["news"], {"url_0": "news"}),
        ("utm=news", {"url_0": "utm=news"}),
        ([], {}),
    ],
)  # fmt: skip
def test_url_variables_of_any_form(scripted, variables, right):
    df = frame(scripted, [WORDS], [response(1, {}, url_variables=variables)], metadata="none")
    assert cells(df) == right


def test_metadata_that_cannot_be_read_is_counted(scripted):
    odd = {"response_time": "12%", "date_started": 0, "is_test_data": "maybe"}
    df = frame(scripted, [WORDS], [response(1, {}, **odd), response(2, {})])
    notes = df.alchemer.codebook.set_index("column_id")["notes"]
    assert notes[[*odd]].tolist() == ["1 that could not be read"] * 3


# Responses without survey_data.


def test_responses_without_survey_data(scripted):
    old = {key: value for key, value in response(1, {}).items() if key != "survey_data"}
    old["[question(2)]"] = "Yes"
    some = [old, response(2, {"2": {"answer": "x"}}), response(3, []), response(4, None)]
    df = frame(scripted, [WORDS], some)
    assert "1 response came without survey_data" in df.alchemer.summary
    assert "[question(2)] (1)" in df.alchemer.summary
    whole = frame(scripted, [WORDS], some, metadata="all")
    assert whole["[question(2)]"].tolist() == ["Yes", np.nan, np.nan, np.nan]
    with pytest.raises(AlchemerError, match="of 1 response none has survey_data"):
        frame(scripted, [WORDS], [old])
    assert len(frame(scripted, [WORDS], some[2:])) == 2
    assert frame(scripted, [WORDS], []).empty


# Numbers.

MANY = question(4, "TEXTBOX", alias="many", key="number")


@pytest.mark.parametrize(
    ("text", "number", "is_exact", "plain"),
    [
        ("12345678901234567890", 12345678901234567890.0, False, ""),
        ("02134", 2134.0, False, ""),
        ("5%", 5.0, False, ""),
        ("1,234.50", 1234.5, False, ""),
        ("0.1000000000000000001", 0.1, False, ""),
        ("-0", -0.0, False, ""),
        ("1e3", 1000.0, False, ""),
        ("٣", 3.0, False, ""),
        (" +5.0 ", 5.0, True, "5"),
        ("5\u00a0", 5.0, True, "5"),
        ("1.50", 1.5, True, "1.5"),
        ("0.00001", 0.00001, True, "0.00001"),
        ("-12", -12.0, True, "-12"),
        (7, 7.0, True, "7"),
        ("soon", np.nan, False, ""),
    ],
)
def test_a_number_and_its_text(scripted, text, number, is_exact, plain):
    given_ = [response(1, {"4": {"answer": text}})]
    df = frame(scripted, [MANY], given_)
    np.testing.assert_equal(df["many"].tolist(), [number])
    assert df["many_raw"].tolist() == [np.nan if is_exact else text]
    long = frame(scripted, [MANY], given_, shape="long")
    assert long["value"].tolist() == [plain if is_exact else text]
    assert long["column"].tolist() == ["many_raw" if np.isnan(number) else "many"]
    pd.testing.assert_frame_equal(df.alchemer.relabel(shape="long"), long)
    again = long.alchemer.relabel(shape="wide")
    pd.testing.assert_frame_equal(again[["many", "many_raw"]], df[["many", "many_raw"]])
    assert df.alchemer.facts["unparsed_values"] == int(np.isnan(number))


def test_a_number_that_was_changed_has_no_text_as_received(scripted):
    df = frame(scripted, [MANY], [response(1, {"4": {"answer": "02134"}})])
    df["many"] = 99.0
    long = df.alchemer.relabel(shape="long")
    assert long.set_index("column")["value"].to_dict() == {"many": "99", "many_raw": "02134"}


def test_items_have_their_texts_as_received_too(scripted):
    asked = question(38, "CONT_SUM", options=ITEMS, key="contsum")
    entry = {"options": {"10090": {"id": 10090, "answer": "007"}, "10091": {"answer": "7"}}}
    assert cells(one(scripted, asked, entry)) == {
        "q38_10090": 7.0,
        "q38_10090_raw": "007",
        "q38_10091": 7.0,
    }


@pytest.mark.parametrize(
    "codes", [("1", "01"), ("1.5", "1.50"), ("1", "1"), ("01", "02"), ("5%", "5"), ("1", "1.0")]
)
@pytest.mark.parametrize("kind", ["NPS", pytest.param("RADIO", marks=pytest.mark.long)])
def test_numbers_of_options_that_are_not_told_apart_are_labels(scripted, codes, kind):
    scale = [option(10001 + n, str(n + 1), code) for n, code in enumerate(codes)]
    asked = question(6, kind, options=scale, key="radio-nps" if kind == "NPS" else "radio")
    given_ = [
        response(n, {"6": {"answer": scale[n - 1]["value"], "answer_id": 10000 + n}})
        for n in (1, 2)
    ]
    label, code, by_id, long = (
        frame(scripted, [asked], given_, names="id", metadata="none", **each)
        for each in ({}, {"values": "code"}, {"values": "id"}, {"shape": "long"})
    )
    assert label["q6"].tolist() == ["1", "2"]
    assert by_id["q6"].tolist() == ["10001", "10002"]
    if codes[0] != codes[1]:
        assert code["q6"].tolist() == [*codes]
    assert long["option_id"].tolist() == ["10001", "10002"]
    for options, fresh in ({"values": "code"}, code), ({"values": "id"}, by_id):
        pd.testing.assert_frame_equal(label.alchemer.relabel(**options), fresh)


def test_plain_numbers_stay_numbers(scripted):
    scale = [option(10001 + n, f"{n} points", str(n)) for n in range(3)]
    asked = question(6, "NPS", options=scale, key="radio-nps")
    assert one(scripted, asked, {"answer": "2", "answer_id": 10003})["q6"].tolist() == [2.0]


# Titles, stamps, ids, names.


@pytest.mark.parametrize(
    ("title", "right"),
    [
        ("&lt;b&gt;Your name&lt;/b&gt; &amp;amp; town", "Your name & town"),
        ("&lt;p&gt;Nom&amp;nbsp;?&lt;/p&gt;", "Nom?"),
        ("&lt;br /&gt;Line", "Line"),
        ("<p>&lt;span class=&quot;x&quot;&gt;Prénom&lt;/span&gt;</p>", "Prénom"),
        ("press &lt;Tab&gt; now", "press <Tab> now"),
        ("Which &lt;td&gt; &amp; why?", "Which <td> & why?"),
        ("a &lt; b and c &gt; d", "a < b and c > d"),
        ("AT&amp;T", "AT&T"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_escaped_titles(title, right):
    assert strip_html(title) == right


@pytest.mark.parametrize(
    ("submitted", "updated", "right"),
    [
        # On 1 November 2026 the clocks of New York go from 02:00 EDT back to 01:00 EST.
        ("2026-11-01 01:20:00 EST", "2026-11-01 01:25:00", "2026-11-01 06:25:00"),
        ("2026-11-01 01:20:00 EST", "2026-11-01 01:20:00", "2026-11-01 06:20:00"),
        ("2026-11-01 01:20:00 EDT", "2026-11-01 01:25:00", "2026-11-01 05:25:00"),
        ("2026-11-01 01:50:00 EDT", "2026-11-01 01:10:00", "2026-11-01 06:10:00"),
        ("2026-11-01 00:50:00 EDT", "2026-11-01 01:10:00", "2026-11-01 05:10:00"),
        ("2026-11-01 01:20:00", "2026-11-01 01:10:00", "2026-11-01 06:10:00"),
        ("2026-11-01 02:20:00 EST", "2026-11-01 02:25:00", "2026-11-01 07:25:00"),
    ],
)
def test_an_update_in_the_hour_that_occurs_twice(scripted, submitted, updated, right):
    stamps = {"date_started": None, "date_submitted": submitted, "date_updated": updated}
    given_ = [response(1, {}, **stamps)]
    client = serve(scripted, [WORDS], given_)
    zone = type(client.region).custom(client.region.api_url, timezone=EASTERN)
    client = type(client)(client._transport.credentials, region=zone)
    df = client.responses(5, progress="none")
    assert df["date_updated"].tolist() == [pd.Timestamp(right, tz="UTC")]
    assert df["date_updated"].iloc[0] >= df["date_submitted"].iloc[0]


KINDS_WITH_PARTS = ("table-radio", "table-checkbox", "group", "matrix", "table-new")


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        pytest.param(own, kind, marks=() if (row - column) % 5 < 1 else pytest.mark.long)
        for row, own in enumerate(["²", "10001²", "x", "-1", "٣"])
        for column, kind in enumerate(KINDS_WITH_PARTS)
    ],
)
def test_parts_of_any_id(scripted, own, kind):
    part = question(own, "RADIO", "Row", options=BOXES, key="radio")
    asked = question(40, "TABLE", "Grid", "grid", BOXES, [part], key=kind)
    data = {"40": {"subquestions": {own: {"id": own, "answer": "t"}}}, own: {"answer": "c"}}
    for names in ("alias", "id", "text"):
        for shape in ("wide", "long"):
            df = frame(scripted, [asked], [response(1, data)], names=names, shape=shape)
            assert {"t", "Tea", True} & {each for name in df for each in df[name].dropna()}


def test_leaves_of_unknown_types_are_named_by_ids(scripted):
    asked = question(91, "CARD_SORT", "Sort", "sort")
    cards = {"10001": {"id": 10001, "option": "card 3", "answer": "pile 2"}}
    other = {"10001": {"id": 10001, "option": "card 9", "answer": "pile 1"}}
    given_ = [response(n, {"91": {"options": each}}) for n, each in enumerate((cards, other), 1)]
    for options, names in (
        ({"names": "text"}, ["Sort: 10001", "Sort: 10001 option"]),
        ({"names": "alias"}, ["sort_10001", "sort_10001_option"]),
        ({"names": "id"}, ["q91_10001", "q91_10001_option"]),
    ):
        df = frame(scripted, [asked], given_, metadata="none", **options)
        assert [*df] == names
        assert df[names[0]].tolist() == ["pile 2", "pile 1"]
        assert df[names[1]].tolist() == ["card 3", "card 9"]
        assert "card" not in df.alchemer.codebook.drop(columns="type").to_csv()
        reversed_ = frame(scripted, [asked], given_[::-1], metadata="none", **options)
        assert [*reversed_] == names
