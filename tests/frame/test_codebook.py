"""How the codebook shows itself: the fields one reads, words to the left, no cell from words."""

from __future__ import annotations

import re

import pandas as pd

from alchemer_nb.frame import codebook as books
from alchemer_nb.survey.definition import read_definition
from tests.survey_json import option, question


def cells(words):
    """What a notebook is given for a multi-select, as rows of pairs: a cell's side, its text."""
    asked = question(2, "CHECKBOX", words, "how", [option(10001, "Web"), option(10002, "Shop")])
    survey = read_definition({"id": 1, "title": "S", "pages": [{"id": 1, "questions": [asked]}]})
    book = books.survey_codebook(survey)
    book["n_asked"] = pd.array([12] * len(book), dtype="Int64")
    html = book._repr_html_()
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    cell = re.compile(r'<t[hd] style="text-align:(\w+)">(.*?)</t[hd]>', re.DOTALL)
    return [cell.findall(row) for row in rows]


def test_words_stand_to_the_left_and_counts_to_the_right():
    head, _, last, *_ = cells("How?")
    names = ["column_alias", "question", "option", "type", "part", "n_asked"]
    sides = ["left"] * 5 + ["right"]
    assert head == list(zip(sides, names, strict=True))
    assert last == list(
        zip(sides, ["how_shop", "How?", "Shop", "checkbox", "option", "12"], strict=True)
    )


def test_a_row_without_a_question_says_what_it_is():
    rows = cells("How?")
    assert [row[4][1] for row in rows[1:]] == ["option"] * 2 + ["metadata"] * 9


def test_words_that_look_like_cells_are_words():
    rows = cells("Which &lt;td&gt; &amp; why?")
    assert {len(row) for row in rows} == {6}
    assert rows[2][1] == ("left", "Which &lt;td&gt; &amp; why?")


def test_very_long_words_are_cut():
    assert 100 < len(cells("so " * 3000)[2][1][1]) < 200
