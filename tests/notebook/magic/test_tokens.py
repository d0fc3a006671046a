"""The rules of a magic line: what is a word, and what stands in it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.tokens import evaluate_word, quote_word, split_words, suggest


def texts(line: str, **names: object) -> list[str]:
    return [evaluate_word(word, names).text for word in split_words(line)]


def values(line: str, **names: object) -> list[object]:
    return [evaluate_word(word, names).value for word in split_words(line)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  \t ", []),
        ("surveys customer", ["surveys", "customer"]),
        ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ("--where='status = Complete'", ["--where=status = Complete"]),
        ("key=\"a b\"'c'd", ["key=a bcd"]),
        ('"it\'s" \'say "hi"\'', ["it's", 'say "hi"']),
        ("''", [""]),
        ("a ''  b", ["a", "", "b"]),
        (r"C:\data\new 'D:\a b\'", ["C:\\data\\new", "D:\\a b\\"]),
        ("surveys # all of them", ["surveys"]),
        ("a#b '#c'", ["a#b", "#c"]),
        ("50% a|b <c> ü", ["50%", "a|b", "<c>", "ü"]),
        ("cost $5 a$ $$x", ["cost", "$5", "a$", "$x"]),
        ("{{a}} x{{", ["{a}", "x{"]),
        ("a\u00a0b", ["a", "b"]),
    ],
)
def test_splits_by_the_rules_of_a_shell_but_keeps_backslashes(line, words):
    assert texts(line) == words


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('responses "Customer', 'a quote " is opened and not closed'),
        ("responses O'Brien", "a quote ' is opened and not closed"),
        ("get {x", "a { is opened and not closed"),
        ("get x}", "a } is closed and not opened"),
    ],
)
def test_an_open_quote_or_brace_is_an_error_that_says_what_to_write(line, told):
    with pytest.raises(UsageError, match=told.replace("{", r"\{").replace("}", r"\}")):
        split_words(line)


def test_a_filled_in_value_stays_one_word_whatever_is_in_it():
    title = 'Customer\'s "big" survey --fresh # 1'
    assert texts("responses $t", t=title) == ["responses", title]
    assert texts("responses {t}", t=title) == ["responses", title]
    assert texts("x '{t}' \"$t\"", t=title) == ["x", title, title]


def test_a_word_that_is_one_expression_keeps_the_object():
    day = dt.date(2026, 1, 31)
    numbers = {"a b": 7}
    assert values("$d {d} {n['a b']} {n[\"a b\"]}", d=day, n=numbers) == [day, day, 7, 7]
    assert values("x{n['a b']}", n=numbers) == ["x7"]


def test_expressions_stand_for_any_python_with_an_optional_format():
    day = dt.date(2026, 1, 31)
    assert texts("{d:%Y-%m} {1 + 1} {[1, 2][0]}", d=day) == ["2026-01", "2", "1"]
    assert texts("{ {'a': 1}['a'] } {'}'} {x[1:3]} {0.5:.0%}", x="abcd") == ["1", "}", "bc", "50%"]


def test_a_dollar_name_takes_attributes_and_stops_at_other_signs():
    assert values("$d.year $d.year-x $d.", d=dt.date(2026, 1, 31)) == [
        2026,
        "2026-x",
        "2026-01-31.",
    ]


def test_a_comprehension_sees_the_names():
    assert values("{[a + b for b in (1, 2)]}", a=1) == [[2, 3]]


@pytest.mark.parametrize(
    "line", ["$surve", "{surve}", "x{surve.id}", "'$surve'", "{[surve for _ in 'a']}"]
)
def test_an_unknown_name_is_an_error_with_a_near_one(line):
    with pytest.raises(UsageError) as caught:
        texts(line, survey=1, _survex=2)
    assert str(caught.value) == "no variable `surve`. Did you mean `survey`?"
    assert type(caught.value) is UsageError


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{1/0}", "`{1/0}` cannot be evaluated: ZeroDivisionError (run it in a cell to see why)"),
        ("$d.nope", "`{d.nope}` cannot be evaluated: AttributeError"),
        ("{}", "`{}` holds no expression"),
        ("{a b}", "`{a b}` is not a Python expression"),
        ("{d:%Q!}", "cannot be evaluated"),
    ],
)
def test_an_expression_that_fails_is_one_line(line, told):
    with pytest.raises(UsageError) as caught:
        texts(line, d=3)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


KEYS = ("hunter2", "f0a1b2c3d4e5f60718293a4b5c6d7e8f", "A9Xk28Lq0pZ")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("line", ["{int(KEY)}", "{dict()[KEY]}", "x{KEY:d}", "'{fail(KEY)}'"])
def test_an_expression_that_fails_does_not_repeat_a_value(line, key):
    def fail(text: str) -> None:
        raise RuntimeError(text)

    with pytest.raises(UsageError, match="cannot be evaluated") as caught:
        texts(line, KEY=key, fail=fail)
    assert key not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("key", KEYS[1:])
@pytest.mark.parametrize("line", ["{KEY}", "$KEY", "{0KEY}", "{int('KEY')}", "{KEY.x}"])
def test_a_key_in_place_of_a_name_is_not_repeated(line, key):
    with pytest.raises(UsageError) as caught:
        texts(line.replace("KEY", key))
    assert key not in str(caught.value)


def test_a_dollar_in_a_title_is_told_how_to_write():
    with pytest.raises(UsageError, match=r"no variable `money`\. Write \$\$ or \{\{"):
        texts("responses 'Save $money now'")


def test_nothing_is_suggested_where_no_name_is_similar():
    assert suggest("shap", ["--shape", "shape"]) == " Did you mean `shape`?"
    assert suggest("xyz", ["shape"]) == ""


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_quoted_word_is_read_back_as_it_was(text):
    word = split_words(f"x {quote_word(text)} y")
    assert len(word) == 3
    assert evaluate_word(word[1], {}).text == text


@given(st.text(max_size=60))
def test_no_line_breaks_the_splitter(line):
    try:
        words = split_words(line, partial=True)
    except UsageError:
        return
    assert all(word.start < word.end <= len(line) for word in words)
