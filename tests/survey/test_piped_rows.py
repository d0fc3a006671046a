"""Ids of piped rows come from their question and text alone."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.survey.definition import Question, parse_question
from alchemer_nb.survey.piped_rows import find_parent, parent_of_row, piped_row_id, shown_row_id
from tests.survey_json import question

GRID = Question("39", "TABLE", "table-radio", {})


def shown(text, **how):
    return shown_row_id(piped_row_id(GRID, text), **how)


def four(words):
    return hashlib.sha256(words.encode()).hexdigest()[:4]


@pytest.mark.parametrize("text", ["Brand A", "brand a", "BRAND  A ", "\tBrand\nA", "Brand&nbsp;A"])
def test_texts_that_differ_in_case_and_blanks_are_one_row(text):
    assert shown(text) == "39_brand_a"


@pytest.mark.parametrize(
    ("text", "stem", "words"),
    [
        ("Café", "39_cafe", "café"),
        ("C++", "39_c", "c++"),
        ("brand_a", "39_brand_a", "brand_a"),
        ("Brand-A", "39_brand_a", "brand-a"),
        ("4 Seasons!", "39_4_seasons", "4 seasons!"),
        ("東京", "39", "東京"),
        ("???", "39", "???"),
        ("Кафе no 1", "39_no_1", "кафе no 1"),
        ("a" * 41, "39_" + "a" * 40, "a" * 41),
        ("Fell &amp; Co", "39_fell_co", "fell & co"),
    ],
)
def test_four_digits_follow_where_the_slug_drops_more(text, stem, words):
    assert shown(text) == f"{stem}_{four(words)}"
    assert shown(text, in_full=True).startswith(shown(text))


def test_a_row_is_not_taken_for_the_write_in_of_another_one():
    assert shown("Brand other") == f"39_brand_other_{four('brand other')}"
    assert shown("Comment") == f"39_comment_{four('comment')}"
    assert shown("Other") == "39_other"
    repeated = Question("39", "RADIO", "radio", {})  # it has a column of write-ins of its own
    assert shown_row_id(piped_row_id(repeated, "Other")) == f"39_other_{four('other')}"
    assert shown("10001") == f"39_10001_{four('10001')}"
    assert shown("Model 10001") == f"39_model_10001_{four('model 10001')}"
    assert shown("2026") == "39_2026"


@given(one=st.text(min_size=1), other=st.text(min_size=1))
def test_only_case_and_blanks_make_one_row_of_two_texts(one, other):
    ids = [piped_row_id(GRID, text) for text in (one, other)]
    if "&" not in one + other and "<" not in one + other:
        import unicodedata

        words = [
            " ".join(unicodedata.normalize("NFC", " ".join(t.split())).casefold().split())
            for t in (one, other)
        ]
        assert (ids[0] == ids[1]) == (words[0] == words[1])
    assert parent_of_row(ids[0]) == "39"


def entry(**members):
    return {"id": 10001, "parent": 39, "question": "Brand A", **members}


KNOWN = {
    each.id: each
    for each in (
        parse_question(question(39, "TABLE", "Brands", key="table-radio")),
        parse_question(
            question(83, "MATRIX", key="matrix", rows=[question(10001, "RADIO", "Size")])
        ),
        parse_question(question(10001, "RADIO", "Size")),
    )
    if each is not None
}


@pytest.mark.parametrize(
    ("own", "given_", "parent"),
    [
        ("10001", entry(), "39"),
        ("10002", entry(parent="39"), "39"),
        ("10002", entry(parent=83), "83"),
        ("10001", entry(parent=40), "40"),  # a grid that left the definition
        ("41", entry(), None),  # a row that left the definition
        ("10001", entry(parent=83), None),  # a column of a custom table
        ("10001", entry(parent=10001), None),
        ("10001", entry(parent=None), None),
        ("10001", entry(parent=[39]), None),
        ("10001", entry(question=""), None),
        ("10001", entry(question=None), None),
        ("row", entry(), None),
        ("10001", [], None),
        ("10001", "Good", None),
    ],
)
def test_what_is_a_piped_row(own, given_, parent):
    found = find_parent(own, given_, KNOWN)
    assert (found and found[0].id) == parent
    assert found is None or found[1] == "Brand A"
