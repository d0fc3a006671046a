"""Values of conditions against the definition: what no answer can fulfil is never sent."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alchemer_nb.errors import ConditionError
from alchemer_nb.survey.definition import read_definition
from alchemer_nb.survey.filters import parse_conditions, resolve
from tests.survey_json import option, question

UTC = ZoneInfo("UTC")
STEPS = [
    option(10001, "Very happy", "5"),
    option(10002, "Happy", "4"),
    option(10003, {"English": "Neither", "German": "Weder noch"}, "3"),
    option(10004, "Unhappy", "2"),
    option(10005, "Very unhappy", "1"),
    option(10006, "Not applicable", "99", na=True),
]
REGIONS = [option(10011 + n, name, str(n + 1)) for n, name in enumerate(("North", "South", "East"))]
WAYS = [option(10021, "Web, mobile", "web"), option(10022, "Shop", "shop")]
OTHER = option(10023, "Other", "other", other=True)
AGREE = [option(10031 + n, name) for n, name in enumerate(("Agree", "Neither", "Disagree"))]
SURVEY = read_definition(
    {"id": 1, "title": "T", "languages": ["English", "German"]},
    [
        question(2, "RADIO", alias="happy", options=STEPS, key="radio"),
        question(3, "MENU", alias="region", options=REGIONS, key="menu"),
        question(4, "CHECKBOX", alias="ways", options=[*WAYS, OTHER], key="checkbox"),
        question(5, "NPS", alias="nps", key="radio-nps",
                 options=[option(10100 + n, str(n)) for n in range(11)]),
        question(6, "TEXTBOX", alias="age", key="number"),
        question(7, "TEXTBOX", alias="visit", key="date"),
        question(8, "ESSAY", alias="words", key="essay"),
        question(9, "TABLE", alias="grid", options=STEPS, key="table-radio", rows=[
            question(10, "RADIO", alias="staff", options=STEPS),
            question(11, "RADIO", options=STEPS),
        ]),
        question(12, "TABLE", alias="week", options=WAYS, key="table-checkbox",
                 rows=[question(13, "CHECKBOX", "Monday")]),
        question(14, "CONT_SUM", alias="split", options=WAYS, key="contsum"),
        question(15, "RADIO", alias="agree", options=AGREE, key="radio-likert"),
        question(16, "INSTRUCTIONS", key="instructions"),
        question(17, "RADIO", alias="heard", options=[*REGIONS, OTHER], key="radio"),
        question(18, "HEATMAP", alias="heat", key="heatmap"),
        question(19, "TABLE", alias="piped", options=REGIONS, key="table-radio"),
        question(22, "TABLE", alias="typed", options=REGIONS, key="table-textbox"),
        question(20, "MATRIX", alias="table", key="matrix", rows=[question(10001, "TEXTBOX")]),
        question(21, "RADIO", alias="twice", key="radio",
                 options=[option(10041, "A", "1"), option(10042, "B", "1"), option(10043, "C")]),
        question(23, "CHECKBOX", alias="tick", key="checkbox",
                 options=[option(10051, "Yes", "1"), option(10052, "Yes", "2")]),
        {**question(24, "RADIO", alias="status", options=REGIONS, key="radio"), "comment": True},
        question(25, "RADIO", "Again?", alias="again", options=REGIONS, key="radio"),
    ],
)  # fmt: skip


def solve(line):
    (found,) = resolve(parse_conditions([line]), SURVEY, UTC, UTC)
    return found.field, found.operator, found.value


def note(line):
    (found,) = resolve(parse_conditions([line]), SURVEY, UTC, UTC)
    return found.note


@pytest.mark.parametrize(
    ("line", "operator", "value"),
    [
        # Comparisons of a scale go through its codes, and "not applicable" (99) is no step.
        ("happy >= Happy", "in", ("5", "4")),
        ("happy > Happy", "=", "5"),
        ("happy <= Unhappy", "in", ("2", "1")),
        ("happy < weder noch", "in", ("2", "1")),
        ("happy >= 3", "in", ("5", "4", "3")),
        ("happy >= 3.5", "in", ("5", "4")),
        ("staff >= 4.0", "in", ("5", "4")),
        ("q11 < Neither", "in", ("2", "1")),
        ("nps >= 9", "in", ("9", "10")),
        ("nps < 2", "in", ("0", "1")),
        # Values that are options, however they are spelled.
        ("nps = 7.0", "=", "7"),
        ("nps in {0, 1, 2}", "in", ("0", "1", "2")),
        (f"nps in {list(range(3))}", "in", ("0", "1", "2")),
        (f"region in {['North', 'East']}", "in", ("1", "3")),
        (f"region in {('North',)}", "=", "1"),
        ("region in {'South', 'North'}", "in", ("2", "1")),
        ("week IS NULL", None, None),
        ("q13 = Shop", "=", "shop"),
        ('ways in "Web, mobile", shop', "in", ("web", "shop")),
        ("piped = South", "=", "2"),
        # Typed answers.
        ("age >= 18", ">=", "18"),
        ("split > 50", ">", "50"),
        ("words = up and down in it", "=", "up and down in it"),
        ("words = this or that", "=", "this or that"),
        ("words = 'None'", "=", "None"),
        ("words = 'a or words = b'", "=", "a or words = b"),
        ('words = "range(0, 7)"', "=", "range(0, 7)"),
        ("typed = anything", "=", "anything"),
        ("heat = anything", "=", "anything"),
        ("heard = a magazine", "=", "a magazine"),
    ],
)
def test_what_is_sent(line, operator, value):
    if operator is None:
        with pytest.raises(ConditionError, match="week has no answer of its own"):
            solve(line)
    else:
        assert solve(line)[1:] == (operator, value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("region = Nort", "'Nort' is no option of region; did you mean 'North'?"),
        ("region <> Nort", "did you mean 'North'?"),
        ("region in North, Suoth", "'Suoth' is no option of region; did you mean 'South'?"),
        ("region = 17", "'17' is no option of region; its options are North, South, East"),
        ("region = North or South", "write 'region in North, South'"),
        ("ways = Shopp", "did you mean"),
        ("q13 = Sunday", "'Sunday' is no option of q13; its options are Web, mobile, Shop"),
        ("heard = Noth", "(a text written in: [question(17), option(10023)] = …)"),
        ("piped = Wset", "is no option of piped"),
        ("[question(4), option(10099)] IS NOT NULL", "ways has no option 10099; it has 10021"),
        ("[question(4), option(10021)] = Shop", "'Shop' is no option of ways"),
        # Two conditions in a line.
        ("happy = Happy or happy = Unhappy", "write 'happy in VALUE, VALUE'"),
        ('happy = "Happy" OR happy = "Unhappy"', "write 'happy in VALUE, VALUE'"),
        ("happy = Happy || region = North", "choose in the frame"),
        ("status = Complete or status = Partial", "write 'status in VALUE, VALUE'"),
        ("nps >= 9 and region = North", "a line of its own"),
        ("nps >= 9 && nps < 10", "a line of its own"),
        ("nps is null or nps in 1, 2", "is no condition"),
        ("happy = Happy or happy in Unhappy", "write 'happy in VALUE, VALUE'"),
        # What Python prints in place of a value.
        ("nps in range(0, 7)", "how Python prints an object"),
        ("nps in <generator object ages at 0x7f00>", "how Python prints an object"),
        (f"nps in {dict.fromkeys([1, 2])}", "how Python prints an object"),
        (f"nps in {[np.int64(3), np.int64(4)]}", "how Python prints an object"),
        (f"nps in {np.arange(3)}", "'0 1 2' is no option of nps"),
        (f"nps in {({1: 2}).keys()}", "how Python prints an object"),
        (f"nps = {float('nan')}", "'nan' is no option of nps; for no answer write IS NULL"),
        (f"words = {None}", "for no answer write IS NULL"),
        (f"age = {np.nan}", "'nan' is no number, and age asks for numbers"),
        (f'[url("a")] = {None}', "for no answer write IS NULL"),
        # Comparisons without an order.
        ("region >= North", "the options of region are no scale"),
        ("ways < Shop", "the options of ways are no scale"),
        ("q13 > Shop", "the options of q13 are no scale"),
        ("agree >= Agree", "the reporting values of agree are no numbers"),
        ("happy >= Not applicable", "'Not applicable' is no step of the scale of happy"),
        ("happy < 99", "'99' is no step of the scale of happy"),
        ("happy >= Hapy", "did you mean 'Happy'?"),
        ("happy > Very happy", "no option of happy is > Very happy"),
        ("nps > 10", "no option of nps is > 10"),
        ("status >= Complete", "it has no order"),
        ("visit >= 2026-01-01", "compares the dates of visit as text"),
        ("visit = 2026-01-01", "compares the dates of visit as text"),
        # Fields that have no answer, or another kind of it.
        ("grid >= Happy", "ask for one of its rows or parts: staff, q11"),
        ("q16 IS NOT NULL", "q16 asks nothing"),
        ("table = x", "a column of a custom table"),
        ("q10001 = x", "a column of a custom table"),
        ("age >= old", "'old' is no number, and age asks for numbers"),
        ("split = half", "'half' is no number"),
        ("contact_id = Ann", "contact_id is a number"),
    ],
)  # fmt: skip
def test_what_is_refused(line, told):
    with pytest.raises(ConditionError) as caught:
        solve(line)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("happy >= Happy", "happy >=: 2 of 6 options"),
        ("q10 < 3", "q10 <: 2 of 6 options"),
        ("nps >= 9", ""),
        ("region = North", ""),
        ("twice = A", "twice =: 2 of 3 options, as some share a reporting value"),
        ("heard = a magazine", "heard =: 1 text that only a write-in can be"),
        (
            "heard in North, Other",
            "heard in: without those who wrote something in, whom [question(17), option(10023)] "
            "IS NOT NULL finds",
        ),
    ],
)
def test_what_its_words_do_not_show_is_noted(line, told):
    assert note(line) == told


def test_people_who_wrote_something_in_have_chosen_other():
    for line in ("heard = Other", "heard = other", "[question(17), option(10023)] = Other"):
        assert solve(line) == ("[question(17), option(10023)]", "IS NOT NULL", None)
    assert solve("ways = Other")[0] == "[question(4), option(10023)]"
    assert solve("[question(17), option(10023)] = Nort") == (
        "[question(17), option(10023)]", "=", "Nort",
    )  # fmt: skip


IN_FRAME = "which Alchemer's filters cannot ask for; download, and choose the rows of the frame"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("ways_shop", "is one option of ways: write ways = Shop"),
        ("ways_web", 'is one option of ways: write ways = "Web, mobile"'),
        ("q4_10022", "is one option of ways: write ways = Shop"),
        ("ways_other", "is one option of ways: write ways = Other"),
        ("ways_other_text", "holds what people wrote in: write [question(4), option(10023)] = …"),
        ("heard_other", "holds what people wrote in: write [question(17), option(10023)] = …"),
        ("tick_2", "is one option of tick: write [question(23), option(10052)] IS NOT NULL"),
        ("week_monday_shop", "one option of q13: write [question(13), option(10022)] IS NOT NULL"),
        ("q13_10021", "one option of q13: write [question(13), option(10021)] IS NOT NULL"),
        ("split_shop", "is one item of split: write [question(14), option(10022)] = …"),
        ("grid_question_11", "is a part of grid: write q11 = …"),
        ("status_q24", "is a question: write q24 = …"),
        ("q24_comment", f"holds the comments on q24, {IN_FRAME}"),
        ("age_raw", f"holds answers to age as received, {IN_FRAME}"),
        ("region_code", "the codes of region: write region = …, with a label or a code"),
        ("'Question 9: Question 10'", "is a part of grid: write staff = …"),
        ("'Question 3'", "is a question: write region = …"),
        ("q10001", "is or has a column of a custom table"),
        ("url_utm_source", 'is a url variable: write [url("utm_source")] = …'),
        ("language", f"is a field of responses, {IN_FRAME}"),
        ("data_quality", f"is a field of responses, {IN_FRAME}"),
        ("piped_brand_a", f"is a part of question 19, {IN_FRAME}"),
        ("q19_brand_a", f"is a part of question 19, {IN_FRAME}"),
        ("again_brand_a", f"is a part of question 25, {IN_FRAME}"),
        ("ways_shp", "is no part of question 4 that the survey has; did you mean 'ways_shop'?"),
        ("ways_10099", "is neither a field nor a question of this survey"),
    ],
)
def test_columns_that_no_condition_can_name(field, said):
    with pytest.raises(ConditionError) as failure:
        solve(f"{field} = Shop")
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("line", ["ways = Shop", 'ways = "Web, mobile"', "q11 = Happy"])
def test_what_is_said_can_be_written(line):
    assert solve(line)
