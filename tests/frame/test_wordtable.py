"""Tables of words on a notebook's screen."""

from __future__ import annotations

import re

import pandas as pd

import alchemer_nb as al
from alchemer_nb.client.survey import Survey
from alchemer_nb.frame.wordtable import WordTable
from tests.compare.test_waves import radio, wave


def cells(table):
    return re.findall(r'<td style="text-align:(\w+)">(.*?)</td>', table._repr_html_())


def test_words_stand_left_and_numbers_right_whatever_is_chosen_of_them():
    table = WordTable({"word": ["a <b>", None], "often": [3, 4], "is_so": [True, False]})
    assert cells(table)[:3] == [("left", "a &lt;b&gt;"), ("right", "3"), ("left", "True")]
    assert cells(table)[3] == ("left", "")
    assert cells(table.query("often == 4")) == [
        ("left", "1"), ("left", ""), ("right", "4"), ("left", "False"),
    ]  # fmt: skip
    assert cells(table[["often"]]) == [("right", "3"), ("right", "4")]
    assert len(cells(WordTable({"words": ["so " * 3000]}))[0][1]) < 200


def test_a_table_without_rows_says_so():
    assert "no rows" in WordTable({"word": [], "often": []})._repr_html_()


def test_any_table_of_pandas_can_still_be_made_of_it():
    table = WordTable({"word": ["a", "b"], "often": [3, 4]})
    levels = table.set_index(["word", "often"])._repr_html_()
    assert levels is not None
    assert "<table" in levels
    assert "<table" in (pd.concat([table, table], axis=1)._repr_html_() or "")
    assert table.groupby("word")["often"].sum().tolist() == [3, 4]
    assert pd.DataFrame(table).equals(table)


def test_what_is_read_is_a_table_of_words():
    df = wave(5, [radio(2, alias="how")], {"2": {"answer": "2", "answer_id": 10002}})
    survey = df.attrs["alchemer"].kept.survey
    told = df.alchemer
    stacked = al.stack_waves({"a": df, "b": df}).alchemer.waves
    for table in (told.options, told.find("how"), told.base_sizes(), told.redacted, stacked):
        assert isinstance(table, WordTable)
    assert "no rows" in Survey.of(survey).diff(survey)._repr_html_()
