"""Python values in conditions."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.interpolation import interpolate_lines, to_condition
from alchemer_nb.notebook.magic.tokens import evaluate_word, quote_word, split_words
from alchemer_nb.survey.filters import parse_conditions


def test_lines_below_are_filled_in_and_keep_their_quotes_and_numbers():
    body = "region = '{r}'\n\nscore >= $n\n# {nope} stays\nname = it's {{x}} $$5  # {nope}"
    assert interpolate_lines(body, {"r": "North", "n": 3}) == (
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
    assert interpolate_lines(body, names).splitlines() == [
        "date_submitted >= 2026-01-31",
        'region in "North", "South # 2"',
        'q in ("1", "2")',
        "n = 7",
    ]
    values = [c.value for c in parse_conditions(interpolate_lines(body, names))]
    assert values == ["2026-01-31", ("North", "South # 2"), ("1", "2"), "7"]


@pytest.mark.parametrize("line", ["a = {[None, 'KEY']}", "a = '{[1, 'KEY']}'", "{dict(a='KEY')}"])
def test_a_key_in_an_expression_is_not_repeated(line):
    key = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    with pytest.raises(UsageError, match="…") as caught:
        interpolate_lines(line.replace("KEY", key), {})
    assert key not in str(caught.value)


def first_word(line, names):
    return evaluate_word(split_words(line)[0], names)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXTS, st.sampled_from(["{r}", "$r", "'{r}'", '"$r"']), st.sampled_from(["=", "<", "<>"]))
def test_a_condition_reads_any_value_as_it_is(text, name, operator):
    below = interpolate_lines(f"a = 1\nregion {operator} {name}  # a comment", {"r": text})
    word = quote_word(f"region {operator} {name}").replace("{{", "{").replace("}}", "}")
    line = to_condition(first_word(word.replace("$$", "$"), {"r": text}))
    for written in (below.removeprefix("a = 1\n"), line, [line]):
        [read] = parse_conditions(written)
        assert read.value == text
    assert [read.value for read in parse_conditions(below)] == ["1", text]


@given(st.lists(TEXTS, min_size=1), st.sampled_from(["{r}", "({r})", "[$r]", "'x', {r}"]))
def test_a_list_in_a_condition_keeps_its_values_apart(texts, name):
    below = interpolate_lines(f"region in {name}  # a comment", {"r": texts})
    [read] = parse_conditions(below)
    assert read.value == (("x", *texts) if "x" in name else tuple(texts))
    each = ", ".join(f"{{r[{n}]}}" for n in range(len(texts)))
    [read] = parse_conditions(interpolate_lines(f"region in {each}", {"r": texts}))
    assert read.value == tuple(texts)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("a = 1\n\nb = $nope", "line 3: no variable `nope`."),
        ("a = {b", "line 1: a { is opened and not closed"),
        ("a = b}", "line 1: a } is closed and not opened"),
        ("{two} = 1", "line 1: the value of `two` has a line break in it"),
        ("a = {nothing}", "line 1: the value of `nothing` is None; for no answer write IS NULL"),
        ("a in {[1, None]}", "line 1: the value of `[1, None]` is None"),
        ("a = x {two}", "line 1: the value of `two` needs quotes around it and what it stands"),
        ("a in x {comma}, y", "line 1: the value of `comma` needs quotes around it"),
        ("a = {both}{both}", "line 1: the value of `both` needs quotes around it"),
        ("a = {many}", "line 1: `many` holds several values; write `in {many}`"),
        ("a in '{many}'", "line 1: `many` holds several values; write `in {many}`, unquoted"),
    ],
)
def test_a_value_that_fits_into_no_condition_is_told_with_its_line(body, told):
    names = {"two": "North\nstatus = Partial", "nothing": None, "both": '"it\'s # 1"'}
    names |= {"comma": "a, b", "many": ["a", "b"]}
    with pytest.raises(UsageError) as caught:
        interpolate_lines(body, names)
    assert told in str(caught.value)


def test_a_whole_condition_may_stand_in_a_variable():
    assert to_condition(first_word("$c", {"c": "nps > 8"})) == "nps > 8"
    assert to_condition(first_word("{c}", {"c": ["a = 1", "b = 2"]})) == "a = 1\nb = 2"
    assert to_condition(first_word("'nps > {n}'", {"n": 8})) == "nps > 8"
    assert to_condition(first_word("'r = \"{n}\"'", {"n": "a # b"})) == 'r = "a # b"'


def test_a_value_may_stand_beside_letters_and_within_quotes():
    names = {"n": 2, "r": 'it\'s, "so"', "f": '[url("a b")]', "c": "a"}
    for line, value in (
        ("a = South {n}", "South 2"),
        ("a = {n}0 {n}", "20 2"),
        ('a = "x {r}"', 'x it\'s, "so"'),
        ("a = 'x {r} y'", 'x it\'s, "so" y'),
        ("a = it's {c}", "it's a"),
        ("a in (x{n}, 'y, {n}', {r})", ("x2", "y, 2", 'it\'s, "so"')),
        ("{f} = '{c} # b' # it's", "a # b"),
        ("a = don't # {nope}", "don't"),
    ):
        [read] = parse_conditions(interpolate_lines(line, names))
        assert read.value == value, line
