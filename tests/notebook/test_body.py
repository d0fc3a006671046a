"""Python values in conditions."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from alchemer_nb.filters import parse_conditions
from alchemer_nb.notebook.body import condition, fill_lines
from alchemer_nb.notebook.words import fill, split


def test_lines_below_are_filled_in_and_keep_their_quotes_and_numbers():
    body = "region = '{r}'\n\nscore >= $n\n# {nope} stays\nname = it's {{x}} $$5  # {nope}"
    assert fill_lines(body, {"r": "North", "n": 3}) == (
        "region = 'North'\n\nscore >= 3\n# {nope} stays\nname = it's {x} $5  # {nope}"
    )


def test_dates_and_lists_are_written_as_conditions_take_them():
    names = {
        "day": dt.date(2026, 1, 31),
        "regions": ["North", "South # 2"],
        "numbers": np.array([1, 2]),
        "one": np.int64(7),
    }
    body = "date_submitted >= {day}\nregion in {regions}\nq in ({numbers})\nn = $one"
    assert fill_lines(body, names).splitlines() == [
        "date_submitted >= 2026-01-31",
        'region in "North", "South # 2"',
        'q in ("1", "2")',
        "n = 7",
    ]
    values = [c.value for c in parse_conditions(fill_lines(body, names))]
    assert values == ["2026-01-31", "North,South # 2", "1,2", "7"]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(
    lambda text: not ({"'", '"'} <= set(text)) and text.strip()
)


@given(TEXTS)
def test_a_condition_reads_any_value_as_it_is(text):
    below = fill_lines("region = {r}  # a comment", {"r": text})
    line = condition(fill(split('"region = {r}"')[0], {"r": text}))
    for written in (below, line):
        [read] = parse_conditions(written)
        assert read.value == text if text == text.strip() else read.value.strip() == text.strip()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("a = 1\n\nb = $nope", "line 3: no variable `nope`."),
        ("a = {b", "line 1: a { is opened and not closed"),
        ("a = b}", "line 1: a } is closed and not opened"),
        ("a = {two}", "line 1: the value of `two` has a line break in it"),
        ("a = '{two}'", "line 1: the value of `two` has a line break in it"),
        ("a in {[two]}", "line 1: the value of `[two]` has a line break in it"),
        ("a = {nothing}", "line 1: the value of `nothing` is None; for no answer write IS NULL"),
        ("a = {both}", "line 1: the value of `both` holds quotes of both kinds"),
    ],
)
def test_a_value_that_fits_into_no_condition_is_told_with_its_line(body, told):
    names = {"two": "North\nstatus = Partial", "nothing": None, "both": '"it\'s # 1"'}
    with pytest.raises(UsageError) as caught:
        fill_lines(body, names)
    assert told in str(caught.value)


def test_a_whole_condition_may_stand_in_a_variable():
    assert condition(fill(split("$c")[0], {"c": "nps > 8"})) == "nps > 8"
    assert condition(fill(split("{c}")[0], {"c": ["a = 1", "b = 2"]})) == "a = 1\nb = 2"
    assert condition(fill(split("'nps > {n}'")[0], {"n": 8})) == "nps > 8"
    assert condition(fill(split("'r = \"{n}\"'")[0], {"n": "a # b"})) == 'r = "a # b"'
