"""Condition lines and dates: read, refused with a line number, written as the API wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.errors import ConditionError, InvalidArgument
from alchemer_nb.survey.definition import read_definition
from alchemer_nb.survey.filters import (
    Condition,
    describe_condition,
    parse_conditions,
    parse_period,
    resolve,
    status_condition,
    submitted_conditions,
    to_params,
)

NEW_YORK, BERLIN, UTC_ZONE = (ZoneInfo(z) for z in ("America/New_York", "Europe/Berlin", "UTC"))

SURVEY = read_definition(
    {"id": 1, "title": "T", "languages": ["English", "German"]},
    [
        {
            "id": 2,
            "type": "RADIO",
            "shortname": "region",
            "title": {"English": "Where?"},
            "options": [
                {"id": 10001, "title": {"English": "North", "German": "Norden"}, "value": "1"},
                {"id": 10002, "title": {"English": "South &amp; East"}, "value": "2"},
            ],
        },
        {"id": 3, "type": "TEXTBOX", "shortname": "twin", "title": "a"},
        {"id": 4, "type": "TEXTBOX", "shortname": "twin", "title": "b"},
        {"id": 5, "type": "TEXTBOX", "shortname": "my alias", "title": "c"},
    ],
)


def solve(where, tz=UTC_ZONE):
    resolved = resolve(parse_conditions(where), SURVEY, tz, NEW_YORK)
    return [(c.field, c.operator, c.value) for c in resolved]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status = Complete", ("status", "=", "Complete")),
        ("status==complete", ("status", "=", "Complete")),
        ("STATUS != 'Partial'", ("status", "<>", "Partial")),
        ("status in (complete, Partial)", ("status", "in", ("Complete", "Partial"))),
        ("is_test_data = false", ("is_test_data", "=", "0")),
        ("contact_id IS NOT NULL", ("contact_id", "IS NOT NULL", None)),
        ("contact_id is   null", ("contact_id", "IS NULL", None)),
        ("[question(2)] = 1", ("[question(2)]", "=", "1")),
        ("[question(2)] = North", ("[question(2)]", "=", "1")),
        ("region = norden", ("[question(2)]", "=", "1")),
        ("region = South & East", ("[question(2)]", "=", "2")),
        ("region in North, 'South & East'", ("[question(2)]", "in", ("1", "2"))),
        ("q2 <> SOUTH & east", ("[question(2)]", "<>", "2")),
        (
            '[ question("2"), option("10001") ] IS NOT NULL',
            ("[question(2), option(10001)]", "IS NOT NULL", None),
        ),
        ('[url("utm_source")] = a=b > c', ('[url("utm_source")]', "=", "a=b > c")),
        ("[url(utm_source)] IS NULL", ('[url("utm_source")]', "IS NULL", None)),
        ("'my alias' = x # and why", ("[question(5)]", "=", "x")),
        ("my_alias = '# no comment'", ("[question(5)]", "=", "# no comment")),
        ("date_updated < 2026-01-31 00:00:00", ("date_updated", "<", "2026-01-30 19:00:00")),
    ],
)
def test_lines_that_are_read(line, expected):
    assert solve(line) == [expected]


def test_days_are_whole_days_in_the_users_zone():
    assert solve("date_submitted = 2026-01-31", BERLIN) == [
        ("date_submitted", ">=", "2026-01-30 18:00:00"),
        ("date_submitted", "<", "2026-01-31 18:00:00"),
    ]
    assert solve("date_submitted <= 2026-01-31") == [("date_submitted", "<", "2026-01-31 19:00:00")]
    assert solve("date_submitted > 2026-01-31") == [("date_submitted", ">=", "2026-01-31 19:00:00")]
    assert solve("date_submitted < 2026-01-31 EST") == [
        ("date_submitted", "<", "2026-01-31 00:00:00")
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("status", "FIELD OPERATOR VALUE"),
        ("= 3", "FIELD OPERATOR VALUE"),
        ("status = ", "IS NULL"),
        ("status = Finished", "Complete, Partial, Disqualified"),
        ("status = Complet", "did you mean Complete"),
        ("regon = North", "did you mean 'region'"),
        ("[question(99)] = 1", "neither a field nor a question"),
        ("twin = x", r"\[question\(3\)\] or \[question\(4\)\]"),
        ("date_submitted > soon", "2026-01-31"),
        ("date_submitted > 2026-13-01", "not a date"),
        ("date_submitted in 2026-01-01", "not 'in'"),
        ("is_test_data = perhaps", "1 or 0"),
        ("region not in 1", "not in"),
    ],
)
def test_lines_that_are_refused_with_their_number(line, said):
    with pytest.raises(ConditionError, match=said) as caught:
        solve(f"status = Complete\n\n{line}")
    assert caught.value.line == 3
    assert str(caught.value).startswith("line 3: ")
    assert "\n" not in str(caught.value)


def test_blank_lines_and_comments_are_left_out():
    assert parse_conditions("\n# all of it\n   \n") == []
    assert parse_conditions(None) == []
    assert [c.line for c in parse_conditions("# x\nstatus = Complete")] == [2]


def test_parameters_are_numbered():
    conditions = [Condition("status", "=", "Complete"), Condition("contact_id", "IS NULL")]
    assert to_params(conditions) == {
        "filter[field][0]": "status",
        "filter[operator][0]": "=",
        "filter[value][0]": "Complete",
        "filter[field][1]": "contact_id",
        "filter[operator][1]": "IS NULL",
    }


def test_status_takes_one_or_several():
    assert status_condition(None) == []
    assert status_condition("partial") == [Condition("status", "=", "Partial")]
    assert status_condition(["complete", "Partial"]) == [
        Condition("status", "in", ("Complete", "Partial"))
    ]
    with pytest.raises(InvalidArgument, match="did you mean Complete"):
        status_condition("Compleet")


def test_until_includes_its_day_and_its_second():
    assert parse_period(None, "2026-01-31", BERLIN).bounds == (
        None,
        datetime(2026, 2, 1, tzinfo=BERLIN),
    )
    assert parse_period(date(2026, 1, 1), None, UTC_ZONE).bounds[0] == datetime(
        2026, 1, 1, tzinfo=UTC
    )
    start, end = parse_period("2026-01-31 10:00:00", datetime(2026, 1, 31, 10), UTC_ZONE).bounds
    assert (end - start).total_seconds() == 1


def test_the_hour_that_occurs_twice_is_asked_for_widely():
    # 2025-11-02 01:30 happens twice in New York; the server's clock cannot tell which is meant.
    later = datetime(2025, 11, 2, 6, 30, tzinfo=UTC)
    earlier = datetime(2025, 11, 2, 5, 30, tzinfo=UTC)
    (condition,) = submitted_conditions(earlier, None, NEW_YORK)
    assert condition.value <= "2025-11-02 01:00:00"  # all of the second time round comes after it
    (condition,) = submitted_conditions(later, None, NEW_YORK)
    assert condition.value <= "2025-11-02 01:30:00"
    (condition,) = submitted_conditions(None, later, NEW_YORK)
    assert condition.value >= "2025-11-02 02:00:00"  # all of the first time round comes before it
    (condition,) = submitted_conditions(datetime(2025, 11, 2, 12, tzinfo=UTC), None, NEW_YORK)
    assert condition.value == "2025-11-02 07:00:00"


ANY = st.text(st.characters(codec="utf-8"), min_size=1)


def quoted(text, mark):
    return mark + text.replace(mark, mark + mark) + mark


@given(st.sampled_from(["=", "<>", "<", ">", "<=", ">="]), ANY, st.sampled_from("\"'"))
def test_any_quoted_value_comes_through_whole(operator, value, mark):
    line = f"twin {operator} {quoted(value, mark)} # it's a comment"
    for where in (line, [line], f"a = 1\n{line}\nb = 2"):
        read = {c.field: c for c in parse_conditions(where)}["twin"]
        assert (read.operator, read.value) == (operator, value)


@given(
    st.lists(st.tuples(ANY, st.sampled_from("\"'")), min_size=1), st.sampled_from(["%s", "(%s)"])
)
def test_any_quoted_values_come_through_apart(values, brackets):
    line = "twin in " + brackets % " , ".join(quoted(*each) for each in values)
    (condition,) = parse_conditions(line + '  # it\'s, "so"')
    assert condition.value == tuple(text for text, _ in values)


BARE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1
).filter(lambda text: text == text.strip() and " #" not in text and text[0] not in "\"'#=")


@given(BARE)
def test_a_bare_value_is_taken_as_it_is(text):
    if any(f"{blank}#" in text for blank in text if blank.isspace()):
        return
    (condition,) = parse_conditions(f"twin <> {text}")
    assert condition.value == text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts and not any(part[0] in "\"'([#" for part in parts):
        assert parse_conditions(f"twin in {text}")[0].value == tuple(parts)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("twin = Don't know # it's so", "Don't know"),
        ('twin = 5" screen', '5" screen'),
        ('twin = He said "no"', 'He said "no"'),
        ("twin = 'til now", "'til now"),
        ("twin = Yes, fully", "Yes, fully"),
        ("twin = a#b", "a#b"),
        ("twin = C:\\data\\n", "C:\\data\\n"),
        ("twin = (a, b)", "(a, b)"),
        ("twin = <= 5", "<= 5"),
        ("twin = Work in progress", "Work in progress"),
        ("twin = 'Don''t know'", "Don't know"),
        ('twin = "He said ""no"""', 'He said "no"'),
        ("twin in Don't know, Yes", ("Don't know", "Yes")),
        ("twin in Don't know, Won't say # it's", ("Don't know", "Won't say")),
        ("twin in (Other (please say), No)", ("Other (please say)", "No")),
        ("twin in (a), (b)", ("(a)", "(b)")),
        ("twin in ['(a, b)', \"(c\"]", ("(a, b)", "(c")),
        ("twin in 'x # y', z # w", ("x # y", "z")),
        ("twin in a,, b,", ("a", "b")),
    ],
)
def test_quotes_commas_and_brackets_within_values(line, value):
    (condition,) = parse_conditions(line)
    assert condition.value == value


@pytest.mark.parametrize(
    "line", ['twin in "Yes, fully, "No"', "twin in 'a' b, c", 'twin = "5" screen"', "twin in 'a"]
)
def test_quotes_that_do_not_fit_are_refused(line):
    with pytest.raises(ConditionError, match="line 2: a quote that begins a value has to end it"):
        parse_conditions(f"\n{line}")


@pytest.mark.parametrize("line", ["twin in 'a', ''", "twin = ''", "twin in ()", "twin in ,"])
def test_an_empty_value_is_refused(line):
    with pytest.raises(ConditionError, match="IS NULL"):
        parse_conditions(line)


def test_a_value_in_quotes_may_go_on_in_the_next_line_and_lines_keep_their_numbers():
    lines = parse_conditions("a = 'x\n\ny' # so\nb = 'til now\n# no\nc in 'p\nq', r\nd = 1")
    assert [(c.field, c.value, c.line) for c in lines] == [
        ("a", "x\n\ny", 1), ("b", "'til now", 4), ("c", ("p\nq", "r"), 6), ("d", "1", 8),
    ]  # fmt: skip


def test_labels_fit_as_they_are_before_they_are_folded():
    titles = ["Yes", " yes ", "a  b", "a\u00a0B", "<b>Bold</b>", "c", "c"]
    survey = read_definition(
        {"id": 1, "title": "T"},
        [
            {
                "id": 2, "type": "RADIO", "shortname": "r", "title": "?",
                "options": [
                    {"id": 10001 + n, "title": {"English": title}, "value": str(n)}
                    for n, title in enumerate(titles)
                ],
            }
        ],
    )  # fmt: skip

    def value(text):
        line = f"r = {quoted(text, chr(34))}"
        (found,) = resolve(parse_conditions([line]), survey, UTC_ZONE, NEW_YORK)
        return found.value

    assert [value(title) for title in titles[:5]] == ["0", "1", "2", "3", "4"]
    assert [value(text) for text in ("yes", "a b", "bold", "BOLD", "6", "6.0")] == [
        "1", "2", "4", "4", "6", "6",
    ]  # fmt: skip
    with pytest.raises(ConditionError, match="'d' is no option of r"):
        value("d")
    for text in ("YES", "c"):
        with pytest.raises(ConditionError, match="fits options with the reporting values"):
            value(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_line_number(text):
    line = None
    try:
        conditions = parse_conditions(text)
    except ConditionError as error:
        conditions, line = [], error.line
    assert line is None or 1 <= line <= len(text.splitlines())
    assert all(c.field for c in conditions)


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("date_submitted >= 7d", [(">=", "2026-11-19 00:00:00")]),
        ("date_updated < yesterday", [("<", "2026-11-25 00:00:00")]),
        ("date_submitted <= 2026-01", [("<", "2026-02-01 00:00:00")]),
        ("date_submitted > 2025", [(">=", "2026-01-01 00:00:00")]),
        ("date_submitted = 2026-01", [(">=", "2026-01-01 00:00:00"), ("<", "2026-02-01 00:00:00")]),
    ],
)
def test_relative_dates_of_a_condition_are_sent_as_stamps(line, expected):
    found = resolve(parse_conditions(line), SURVEY, NEW_YORK, NEW_YORK, NOON)
    assert [(each.operator, each.value) for each in found] == expected


def test_a_condition_is_described_with_its_zone():
    def describe(line: str) -> str:
        return describe_condition(parse_conditions(line)[0], NEW_YORK, NOON)

    assert describe("date_submitted >= 7d") == (
        "date_submitted >= 2026-11-19 00:00 America/New_York"
    )
    assert describe("date_submitted <= 2026-01").endswith("the end of 2026-01-31 America/New_York")
    assert describe("date_updated = today") == (
        "date_updated from 2026-11-26 00:00 America/New_York until the end of 2026-11-26 "
        "America/New_York"
    )
    assert describe("status = Complete") == "status is Complete"


@pytest.mark.parametrize(("since", "until"), [("lately", None), (None, "2026-13"), ("8 days", "")])
def test_a_bad_date_is_told_what_is_accepted(since, until):
    with pytest.raises(InvalidArgument, match=r"2026-01 or 2026 .*yesterday, or 7d, 2w, 3m"):
        parse_period(since, until, NEW_YORK)
    with pytest.raises(ConditionError, match=r"line 1.*yesterday, or 7d, 2w, 3m"):
        resolve(parse_conditions(f"date_updated > {since or until}"), SURVEY, NEW_YORK, NEW_YORK)
