"""Values of conditions through every door: the rows that come are those that hold these values.

Which those are is worked out from the responses as they were given to the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from IPython.core.error import UsageError

from alchemer_nb.client.client import Client
from alchemer_nb.errors import ConditionError, InvalidArgument
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = (
    "Yes", "a lot", "Yes, a lot", "Yes, fully", "No", "Don't know", '5" screen', 'He said "no"',
    "It's \"so\", or not", " blank before", "blank after ", "two  blanks", "no\u00a0break",
    "50 # or more", "#1", "(a, b)", "[c]", "a = b", "< 5, > 3", "Work in progress", "back\\slash",
    "{braces} $dollar", "two\nlines", "'quoted'", "--dash", "nan",
)  # fmt: skip
SURVEY_ID = small.SURVEY_ID


def asked():
    words = [small.option(10001 + n, text, text) for n, text in enumerate(LABELS)]
    coded = [small.option(10101 + n, text, str(n + 1)) for n, text in enumerate(LABELS)]
    many = [small.option(10201 + n, text, text) for n, text in enumerate(LABELS)]
    return [
        small.question(2, "RADIO", "Solved?", "solved", options=words),
        small.question(3, "RADIO", "Coded?", "coded", options=coded),
        small.question(4, "CHECKBOX", "Many?", "many", options=many),
    ]


def answers(n):
    some = {(n + step) % len(LABELS) for step in (0, 1, 7)}
    return {
        "2": small.entry(2, "RADIO", "Solved?", 1, answer=LABELS[n], answer_id=10001 + n),
        "3": small.entry(3, "RADIO", "Coded?", 1, answer=str(n + 1), answer_id=10101 + n),
        "4": small.entry(
            4, "parent", "Many?", 1,
            options={
                str(10201 + m): {"id": 10201 + m, "option": LABELS[m], "answer": LABELS[m]}
                for m in sorted(some)
            },
        ),
    }  # fmt: skip


RESPONSES = [
    small.response(
        n + 1,
        "2026-03-01T12:00:00",
        survey_data=answers(n % len(LABELS)),
        url_variables={"from": LABELS[n % len(LABELS)]},
        is_test_data=n % 10 == 9,
    )
    for n in range(len(LABELS) + 5)
]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    survey = small.survey()
    survey["pages"] = [{**survey["pages"][0], "questions": asked()}]
    calm = {"calls_per_minute": None, "cache_seconds": 0, "refuse_identical": False}
    with Sandbox(surveys=[small.Small(survey, RESPONSES)], **calm) as box:
        yield box


@pytest.fixture(scope="module")
def client(box):
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture
def signed_in(notebook, client):
    notebook.names["client"] = client
    assert notebook.run("%alchemer switch client").failure is None
    notebook.names["ID"] = SURVEY_ID
    return notebook


def held(one, field):
    """What a response holds, by its neutral form alone; of codes, the label."""
    data = one["survey_data"]
    if field == "url":
        return {one["url_variables"]["from"]}
    if field == "coded":
        return {LABELS[int(data["3"]["answer"]) - 1]}
    if field == "solved":
        return {data["2"]["answer"]}
    return {each["answer"] for each in data["4"]["options"].values()}


def expected(field, values):
    return [
        one["id"] for one in RESPONSES if not one["is_test_data"] and held(one, field) & set(values)
    ]


NAMES = {"solved": "solved", "coded": "coded", "many": "[question(4)]", "url": '[url("from")]'}


def quoted(text, mark):
    return mark + text.replace(mark, mark * 2) + mark


def ids(frame):
    return [*frame.index]


@pytest.mark.parametrize(
    ("field", "step"),
    [
        *(("solved", 1), ("many", 5)),
        *(pytest.param(field, 5, marks=pytest.mark.long) for field in ("coded", "url")),
        *(pytest.param(field, 1, marks=pytest.mark.long) for field in ("coded", "many", "url")),
    ],
)
def test_python_lists_and_texts(client, field, step):
    name = NAMES[field]
    for n, label in [*enumerate(LABELS)][::step]:
        mark = "'\""[n % 2]
        pair = [label, LABELS[n - 1]]
        line = f"{name} in {quoted(pair[0], mark)}, {quoted(pair[1], mark)}  # it's, so"
        if n % 2:
            line, pair = f"{name} = {quoted(label, mark)}", [label]
        for where in ([line], line)[n % 2 :]:
            df = client.responses(SURVEY_ID, where=where, progress="none", metadata="none")
            assert ids(df) == expected(field, pair), where


def run(signed_in, cell):
    outcome = signed_in.run(cell)
    assert outcome.failure is None, outcome.told
    return ids(outcome.value)


def doors(field, pair):
    """Cells that ask for the first of two labels, or for both."""
    magic = "%alchemer responses {ID} --progress none --metadata none"
    for body in ("{one}", "$one", "'{one}'", '"$one"'):
        yield f"%{magic}\n{field} = {body} # it's", 1
    for body in ("{two}", "($two)", "{one}, '{two[1]}'"):
        yield f"%{magic}\n{field} in {body} # it's", 2
    yield f'{magic} --where "{field} = {{one}}"', 1
    yield f"{magic} --where '{field} in {{two}}'", 2
    written = ", ".join(quoted(each, '"') for each in pair)
    written = written.replace("{", "{{").replace("}", "}}").replace("$", "$$")
    yield f'%{magic}\n{field} in {written} # "why', 2
    if "'" not in written and "\n" not in written:
        yield f"{magic} --where '{field} in {written}'", 2


@pytest.mark.parametrize(
    ("field", "first", "every"),
    [
        *(("solved", 0, 8), ("coded", 1, 8)),
        *(pytest.param(*case, 1, marks=pytest.mark.long) for case in (("solved", 0), ("coded", 1))),
    ],
)
def test_cells_and_options_and_names(signed_in, field, first, every):
    for n, label in [*enumerate(LABELS)][first::2]:
        pair = [label, LABELS[n - 1]]
        signed_in.names.update(one=label, two=pair)
        for number, (cell, count) in enumerate(doors(field, pair)):
            if (number + n // 2) % every == 0:  # some of them for each label, all of them in all
                assert run(signed_in, cell) == expected(field, pair[:count]), cell


SEVERAL = {
    "array": np.array(["Yes, fully", "No"]),
    "series": pd.Series(["Yes, fully", "No"], dtype="category"),
    "index": pd.Index(["Yes, fully", "No"]),
    "set": {"Yes, fully", "No"},
    "keys": {"Yes, fully": 1, "No": 2}.keys(),
    "one": pd.Series(["Yes, fully", "No"]).unique(),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_values_may_be_held_by_anything(signed_in, kind):
    signed_in.names["v"] = SEVERAL[kind]
    for cell in (
        "%%alchemer responses {ID} --progress none\nsolved in {v}",
        "%alchemer responses {ID} --progress none --where 'solved in {v}'",
    ):
        assert run(signed_in, cell) == expected("solved", ["Yes, fully", "No"])


def test_whole_numbers_are_written_as_such(signed_in):
    cell = "%%alchemer responses {ID} --progress none\ncoded in {v}"
    wanted = expected("coded", LABELS[3:5])
    for value in (range(4, 6), [4, 5], np.array([4, 5]), pd.Series([4.0, 5.0]), (np.int64(4), 5)):
        signed_in.names["v"] = value
        assert run(signed_in, cell) == wanted
    signed_in.names["v"] = (str(n) for n in (4, 5))
    assert run(signed_in, cell) == wanted
    signed_in.names["v"] = np.float64(4)
    assert run(signed_in, cell.replace(" in ", " = ")) == wanted[:1]


def test_moments_of_numpy_and_pandas_are_dates(signed_in):
    cell = "%%alchemer responses {ID} --progress none\ndate_submitted >= {v}"
    for value in (np.datetime64("2026-03-01", "ns"), pd.Timestamp("2026-03-01")):
        signed_in.names["v"] = value
        assert len(run(signed_in, cell)) == len(expected("solved", LABELS))
        signed_in.names["v"] = value + np.timedelta64(300, "D")
        assert run(signed_in, cell) == []


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), pd.NA, pd.NaT, ["No", None], pd.Series(["No", None]), {"No": 1}, b"No",
     [["No"]], pd.DataFrame({"a": ["No"]})],
)  # fmt: skip
def test_what_is_no_value_is_refused(signed_in, box, value):
    signed_in.names["v"] = value
    start = len(box.seen)
    for cell in (
        "%%alchemer responses {ID}\nsolved in {v}",
        "%%alchemer responses {ID}\nnps = '{v}'",
    ):
        outcome = signed_in.run(cell)
        assert type(outcome.failure) is UsageError
        assert "line 1: " in outcome.told
        assert "`v`" in outcome.told
    assert len(box.seen) == start


FIRST_THREE = {
    "range": "{range(1, 4)}", "generator": "{(n for n in range(1, 4))}", "set": "{set([1, 2, 3])}",
    "array": "{np.arange(1, 4)}", "floats": "{np.array([1.0, 2.0, 3.0])}",
    "series": "{pd.Series([1, 2, 3])}", "index": "{pd.RangeIndex(1, 4)}",
    "map": "{map(int, '123')}", "nullable": "{pd.array([1, 2, 3], dtype='Int64')}",
    "values": "{dict(a=1, b=2, c=3).values()}",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.long if number % 2 else ())
        for number, kind in enumerate(FIRST_THREE)
    ],
)
def test_whatever_holds_numbers_is_a_list(signed_in, kind):
    signed_in.names.update(np=np, pd=pd)
    body = FIRST_THREE[kind]
    for cell in (
        f"%%alchemer responses {SURVEY_ID} --progress none\ncoded in {body}",
        f'%alchemer responses {SURVEY_ID} --progress none --where "coded in {body}"',
    ):
        assert run(signed_in, cell) == expected("coded", LABELS[:3])


def test_conditions_may_be_held_by_anything(signed_in, client):
    lines = ["solved in 'Yes, fully', No", "coded = No"]
    for value in (lines, tuple(lines), np.array(lines), pd.Series(lines)):
        signed_in.names["v"] = value
        cell = "%alchemer responses {ID} --progress none --where {v}"
        assert run(signed_in, cell) == expected("coded", ["No"])
        got = client.responses(SURVEY_ID, where=value, progress="none")
        assert ids(got) == expected("coded", ["No"])
    with pytest.raises(ConditionError, match="a condition is text"):
        client.responses(SURVEY_ID, where=5)
    with pytest.raises(InvalidArgument, match="'5' is no status"):
        client.responses(SURVEY_ID, status=5)


def test_labels_stand_bare_where_nothing_forbids_it(client):
    for label in LABELS:
        bare = label == label.strip() and not {"\n", "#"} & set(label)
        if bare and label[0] not in "'\"":
            got = client.responses(SURVEY_ID, where=f"coded = {label}", progress="none")
            assert ids(got) == expected("coded", [label]), label


def test_what_alchemer_cannot_be_asked_is_chosen_here_and_said(client, signed_in):
    where = "solved in 'Yes, fully', No"
    wanted = expected("solved", ["Yes, fully", "No"])
    df = client.responses(SURVEY_ID, where=where, progress="none")
    assert ids(df) == wanted
    assert f": {len(RESPONSES)} responses received" in df.alchemer.summary
    said = "those that fit were chosen here: Alchemer splits the values of `in` at commas"
    assert said in df.alchemer.summary
    assert "; 1 test row left out" in df.alchemer.summary  # 30, which is the second Yes, fully
    assert ids(client.responses(SURVEY_ID, where=where, limit=1, progress="none")) == wanted[:1]
    everything = client.responses(SURVEY_ID, where=where, test_rows="include", progress="none")
    assert [*everything.index] == [
        one["id"] for one in RESPONSES if held(one, "solved") & {"Yes, fully", "No"}
    ]
    both = client.responses(SURVEY_ID, where=[where, "coded = No"], progress="none")
    assert ids(both) == expected("coded", ["No"])
    assert client.estimate(SURVEY_ID, where=where).rows == len(RESPONSES)
    outcome = signed_in.run(f"%%alchemer responses {SURVEY_ID}\n{where}")
    assert 'solved in "Yes, fully", No →' in outcome.out.replace("\n", " ")
    long = client.responses(SURVEY_ID, where=where, shape="long", progress="none")
    assert sorted(set(long["response_id"])) == wanted


def test_what_alchemer_can_be_asked_is_its_to_choose(client):
    df = client.responses(SURVEY_ID, where="coded in 'Yes, fully', No", progress="none")
    assert ids(df) == expected("coded", ["Yes, fully", "No"])
    assert "chosen here" not in df.alchemer.summary
    assert f": {len(df) + 1} responses received; 1 test row" in df.alchemer.summary


def test_columns_and_statuses_may_have_commas_between_them_and_in_them(signed_in):
    text = signed_in.names["client"].responses(SURVEY_ID, names="text", progress="none")
    name = next(name for name in text if "," in name)
    magic = "%alchemer responses {ID} --progress none --names text"
    signed_in.names.update(name=name, names=[name, "Solved?"])
    for columns in ("{name}", "{names[0]}", f"'{quoted(name, chr(34))}'", "'\"{name}\"'"):
        outcome = signed_in.run(f"{magic} --columns {columns}")
        assert outcome.failure is None, outcome.told
        assert [*outcome.value] == [name]
    for columns in ("{names}", f"'{quoted(name, chr(34))}, Solved?'", "'Solved?,{name}'"):
        assert {*signed_in.run(f"{magic} --columns {columns}").value} == {name, "Solved?"}
    frame = signed_in.run("%alchemer responses {ID} --progress none --status 'Complete, Partial'")
    assert len(frame.value) == sum(not one["is_test_data"] for one in RESPONSES)


def test_a_condition_whose_quotes_do_not_fit_names_its_line(signed_in):
    outcome = signed_in.run('%%alchemer responses {ID}\n\nsolved in "Yes, fully, "No"')
    assert isinstance(outcome.failure, ConditionError)
    assert "line 2: a quote that begins a value has to end it" in outcome.told
