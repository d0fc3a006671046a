"""A frame that was changed, written with other options: compared with pandas by hand.

What is expected comes from the survey's JSON and the changed frame alone.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb import stack_waves
from alchemer_nb.accessor import relabel as relabel_module
from alchemer_nb.accessor.accessor import AlchemerAccessor
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import read_cells as read_cells_module
from alchemer_nb.frame import reexpress as reexpress_module
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reexpress import reexpress
from tests.frame.made_frames import made_frame
from tests.frame.test_reexpress import kept_of
from tests.survey_json import LIKERT, option, question, response

LOOSE = settings(suppress_health_check=list(HealthCheck))
SCALE = [*LIKERT, option(10004, "Don't know", "99")]
COLOURS = [option(10011, "Red", "r"), option(10012, "Blue", "b"), option(10013, "Green", "g")]
WEB = [option(10021, "Web", "web"), option(10022, "Shop", "shop"), option(10023, "Phone", "phone")]
ASKED = [
    question(2, "RADIO", "How was it?", "sat", SCALE, key="radio"),
    question(3, "MENU", "Which colour?", "colour", COLOURS, key="menu"),
    question(4, "CHECKBOX", "Where?", "used", WEB, key="checkbox"),
    question(5, "TEXTBOX", "How many?", "many", key="number"),
    question(6, "ESSAY", "Why?", "why", key="essay"),
    question(7, "RADIO", "Again?", "again", LIKERT, key="radio-likert"),
]
OPTIONS = {"sat": SCALE, "colour": COLOURS, "again": LIKERT}
IDS = {
    "sat": "q2", "colour": "q3", "used": "q4", "used_web": "q4_10021", "used_shop": "q4_10022",
    "used_phone": "q4_10023", "many": "q5", "many_raw": "q5_raw", "why": "q6", "again": "q7",
}  # fmt: skip
PARTS = {"used_web": WEB[0], "used_shop": WEB[1], "used_phone": WEB[2]}
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)


def answers():
    """Ten responses: options by id, unknown ones, numbers that are none, and gaps."""
    given_ = []
    for n in range(10):
        data = {"2": {"answer": SCALE[n % 4]["value"], "answer_id": SCALE[n % 4]["id"]}}
        if n % 3:
            data["3"] = {"answer": COLOURS[n % 3]["value"], "answer_id": COLOURS[n % 3]["id"]}
        if n % 4:
            some = WEB[: n % 4]
            data["4"] = {"options": {str(o["id"]): {"answer": o["value"]} for o in some}}
        data["5"] = {"answer": "many" if n == 5 else str(n / 2), "shown": True}
        data["6"] = {"answer": f"because {n}"}
        data["7"] = {"answer": LIKERT[n % 3]["value"], "answer_id": LIKERT[n % 3]["id"]}
        given_.append(response(n + 1, data))
    return given_


KEPT = kept_of(ASKED, answers())


def spell(column, values):
    """How each option is written: labels, codes (numbers where all are) or ids."""
    if values == "id":
        return [str(each["id"]) for each in OPTIONS[column]]
    if values == "label":
        return [each["title"]["English"] for each in OPTIONS[column]]
    codes = [each["value"] for each in OPTIONS[column]]
    return codes if column == "colour" else [float(code) for code in codes]


def expected_wide(edited, first, then):
    """The frame by hand; the keys of ``edited`` are the names by alias."""
    own = {name: edited[name] for name in edited if name not in IDS}
    data = {}
    for name in IDS:
        if name in PARTS and name in edited and then.multi == "columns":
            chosen = edited[name].map(lambda v: None if pd.isna(v) else bool(v))
            chosen = chosen.astype("boolean")
            mark = PARTS[name]["id"] if then.values == "id" else 1
            is_label = then.values in ("label", "both")
            data[name] = chosen if is_label else chosen.astype("Int64") * mark
        elif name == "used" and then.multi == "list" and {*PARTS} & {*edited}:
            there = [part for part in PARTS if part in edited]
            field = {"label": "title", "both": "title", "code": "value", "id": "id"}[then.values]
            words = {p: PARTS[p][field] for p in there}
            words = {p: w["English"] if isinstance(w, dict) else str(w) for p, w in words.items()}
            cells = [
                None
                if row.isna().all()
                else [words[p] for p in there if not pd.isna(row[p]) and row[p]]
                for _, row in edited[there].astype(object).iterrows()
            ]
            data[name] = pd.Series(cells, index=edited.index, dtype=object)
        elif name in OPTIONS and name in edited:
            data[name] = written(
                edited[name], name, first, "label" if then.values == "both" else then.values
            )
            if then.values == "both":
                data[f"{name}_code"] = written(edited[name], name, first, "code")
        elif name in edited and name not in PARTS:
            data[name] = edited[name]
    if then.names == "id":
        data = {
            IDS.get(n.removesuffix("_code"), n) + "_code" * n.endswith("_code"): v
            for n, v in data.items()
        }
    return pd.DataFrame({**data, **own}, index=edited.index)


def written(series, name, first, values):
    here = spell(name, first.values)
    there = spell(name, values)
    cells = [None if pd.isna(cell) else there[here.index(cell)] for cell in series]
    if isinstance(there[0], float):
        return pd.Series(cells, index=series.index, dtype=np.float64)
    is_ordered = values == "label" and name == "again"
    dtype = pd.CategoricalDtype(pd.Index(there, dtype=TEXT), ordered=is_ordered)
    return pd.Series(pd.Categorical(cells, dtype=dtype), index=series.index)


@st.composite
def edits(draw):
    """What an analyst does to a frame, in any order."""
    some = []
    names = st.sampled_from([name for name in IDS if name != "used"])
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(
            st.sampled_from(["blank", "recode", "drop", "filter", "order", "rename", "add"])
        )
        some.append((kind, draw(names), draw(st.permutations(range(10))), draw(st.integers(0, 9))))
    return some


def edit(df, steps, values):
    df = df.copy()
    for kind, name, order, number in steps:
        if kind in ("filter", "order"):
            wanted = [i for i in order if i < len(df)]
            df = df.iloc[wanted[: max(1, number)] if kind == "filter" else wanted]
            df = df.copy()
        elif kind == "add":
            df[f"own {number}"] = np.arange(len(df)) * 1.5
        elif name not in df:
            continue
        elif kind == "drop":
            df = df.drop(columns=name)
        elif kind == "rename":
            df = df.rename(columns={name: f"my {name}"})
        else:
            row = df.index[number % len(df)]
            new = None if kind == "blank" else another(name, number, values)
            if kind == "blank" or name in OPTIONS or name in PARTS:
                df.loc[row, name] = new
    return df


def another(name, number, values):
    if name in PARTS:
        mark = {"label": True, "code": 1, "id": PARTS[name]["id"]}[values]
        return mark if number % 2 else type(mark)(0)
    return spell(name, values)[number % len(OPTIONS[name])] if name in OPTIONS else None


@given(
    steps=edits(),
    values=st.sampled_from(["label", "code", "id"]),
    then=st.tuples(
        st.sampled_from(["alias", "id"]),
        st.sampled_from(["label", "code", "id", "both"]),
        st.sampled_from(["columns", "list"]),
    ),
)
@LOOSE
def test_a_changed_frame_is_written_as_by_hand(steps, values, then):
    first = FrameOptions(values=values, metadata="none")
    then = FrameOptions(names=then[0], values=then[1], multi=then[2], metadata="none")
    here, made = made_frame(KEPT, range(1, 11), first)
    edited = edit(here, steps, values)
    there = reexpress(edited, made, then)
    by_hand = expected_wide(edited, first, then)
    pd.testing.assert_frame_equal(there, by_hand)
    # And from the long shape: the same cells, as far as a row for each answer tells them.
    long = reexpress(edited, made, FrameOptions(shape="long", metadata="none"))
    assert [*long["response_id"].unique()] == [*edited.index]
    for name in ("sat", "colour", "again"):
        rows = long[long["column"] == name]
        cells = edited[name].dropna() if name in edited else pd.Series(dtype=object)
        assert [*rows["response_id"]] == [*cells.index]
        positions = [spell(name, values).index(cell) for cell in cells]
        assert [*rows["value"]] == [spell(name, "label")[at] for at in positions]
        assert [*rows["option_id"]] == [spell(name, "id")[at] for at in positions]
        assert [*rows["code"]] == [OPTIONS[name][at]["value"] for at in positions]


DATES = kept_of([question(2, "TEXTBOX", "", "born", key="date")], [
    response(1, {"2": {"answer": "01/31/2026"}})
])  # fmt: skip
WIDE, LONG = FrameOptions(), FrameOptions(shape="long")
TO_WIDE = {"shape": "wide"}
BOTH, LISTS = FrameOptions(values="both"), FrameOptions(multi="list")
CODE = FrameOptions(values="code")
NAIVE = FrameOptions(tz=None)


def set_cell(name, value, row=0):
    def change(df):
        df = (
            df.astype({name: object}) if not isinstance(df[name].dtype, pd.CategoricalDtype) else df
        )
        df.iloc[row, df.columns.get_loc(name)] = value
        return df

    return change


def of_column(column, name, value):
    """Change the first row of one column of the long shape."""
    return lambda df: set_cell(name, value, int(np.flatnonzero(df["column"] == column)[0]))(df)


def unchanged(df):
    return df


def in_two_hours(df):
    return df.assign(date_submitted=pd.to_datetime(["2026-11-01 01:30:00"] * len(df)))


#: What raises, as the docs of ``relabel`` list it: answers, options, change, choices.
RAISES = {
    "a choice that does not exist, such as a language in which the survey is not asked": [
        (KEPT, WIDE, unchanged, {"language": "Klingon"}),
        (KEPT, WIDE, unchanged, {"columns": ("nothing",)}),
        (KEPT, LONG, unchanged, {"columns": ("nothing",)}),
        (KEPT, WIDE, unchanged, {"values": "words"}),
        (KEPT, WIDE, unchanged, {"limit": 3}),
        (KEPT, WIDE, unchanged, {"tz": "Mars"}),
    ],
    "several waves under one another": [
        (KEPT, WIDE, lambda df: stack_waves({"a": df, "b": df}), {"values": "code"}),
    ],
    "two columns of one name": [
        (KEPT, WIDE, lambda df: pd.concat([df, df[["sat"]]], axis=1), {"values": "code"}),
    ],
    'labels and codes of ``values="both"`` that disagree': [
        (KEPT, BOTH, set_cell("sat", "Satisfied"), {"values": "label"}),
        (KEPT, BOTH, set_cell("sat", None), {"values": "label"}),
        (KEPT, BOTH, set_cell("sat_code", 4.0), {"values": "code"}),
        (KEPT, BOTH, set_cell("colour_code", "g", 1), {"values": "code"}),
    ],
    "``value`` and ``code`` or ``option_id`` of the long shape that disagree": [
        (KEPT, LONG, of_column("sat", "value", "Satisfied"), TO_WIDE),
        (KEPT, LONG, of_column("sat", "code", "4"), TO_WIDE),
        (KEPT, LONG, of_column("sat", "option_id", "10002"), {"names": "id"}),
    ],
    "a ``value`` that is not the option or the date that its column is about": [
        (KEPT, LONG, of_column("used_web", "value", "Shop"), TO_WIDE),
        (DATES, LONG, of_column("born", "value", "tomorrow"), TO_WIDE),
    ],
    "rows of the long shape that are there twice, or of a column that the survey does not have": [
        (KEPT, LONG, lambda df: pd.concat([df, df.head(1)]), TO_WIDE),
        (KEPT, LONG, of_column("sat", "column", "mine"), TO_WIDE),
    ],
    "a long frame without ``value``": [
        (KEPT, LONG, lambda df: df.drop(columns="value"), TO_WIDE),
    ],
    "a column that does not hold numbers, booleans, days, options or lists of them any more": [
        (KEPT, WIDE, lambda df: df.assign(many="some"), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(many=df["many"] > 1), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(many=pd.Timestamp("2026-01-01")), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(used_web="yes"), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(used_web=2), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(used_web=[[1]] * len(df)), {"values": "code"}),
        (KEPT, CODE, lambda df: df.assign(sat="Satisfied"), {"values": "label"}),
        (KEPT, WIDE, lambda df: df.assign(sat=df["sat"].cat.codes), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(sat=True), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(sat=pd.Timestamp("2026-01-01")), {"values": "code"}),
        (KEPT, WIDE, lambda df: df.assign(sat=pd.Categorical([7] * len(df))), {"values": "code"}),
        (KEPT, LISTS, lambda df: df.assign(used="Web"), {"values": "code"}),
        (KEPT, LISTS, lambda df: df.assign(used=[["Mail"]] * len(df)), {"values": "code"}),
        (DATES, WIDE, lambda df: df.assign(born="tomorrow"), {"names": "id"}),
    ],
    "a column of your own that has the name of a new column": [
        (KEPT, WIDE, lambda df: df.assign(q2=1), {"names": "id"}),
        (KEPT, WIDE, lambda df: df.assign(value=1), {"shape": "long"}),
    ],
    "a column of your own with several values for a response, if the shape becomes wide": [
        (KEPT, LONG, lambda df: df.assign(mine=range(len(df))), TO_WIDE),
    ],
    "dates without a zone in the hour that occurs twice, if they get a zone": [
        (replace(KEPT, timezone="America/New_York"), NAIVE, in_two_hours, {"tz": "UTC"}),
    ],
}


def test_the_list_of_what_raises_is_that_of_the_docs():
    doc = inspect.getdoc(AlchemerAccessor.relabel).partition("in no other:")[2]
    assert [" ".join(item.split()) for item in doc.split("\n        - ")[1:]] == [*RAISES]


def raising_lines(modules):
    """The statements of modules that raise: file and line."""
    return {
        (module.__file__, node.lineno)
        for module in modules
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Raise)
    }


def test_what_cannot_be_written_raises_and_every_cause_is_listed():
    lines = raising_lines([relabel_module, reexpress_module, read_cells_module])
    for kept, first, change, then in itertools.chain(*RAISES.values()):
        here, _ = made_frame(kept, range(1, kept.answers.count + 1), first)
        df = change(here.copy())
        with pytest.raises(InvalidArgument) as raised:
            df.alchemer.relabel(**then)
        assert "Satisfied" not in str(raised.value)  # no answer is in a message
        at = raised.traceback[-1]
        lines.discard((str(at.path), at.lineno + 1))
        short = here[["response_id", "column", "value"]] if first is LONG else here
        short.alchemer.relabel(names="id")
    assert not lines  # what none of the listed cases raises


def test_days_that_were_all_blanked_are_empty_days():
    here, _ = made_frame(DATES, [1], WIDE)
    for nothing in (None, np.nan, pd.NaT):
        again = here.assign(born=pd.Series([nothing], here.index, dtype=object))
        again = again.alchemer.relabel(names="id")
        assert again["q2"].isna().tolist() == [True]
        assert again["q2"].dtype == here["born"].dtype


def test_columns_of_the_user_follow_their_rows():
    long, made = made_frame(KEPT, [2, 1], LONG)
    long = long.assign(mine=np.arange(len(long)), group=long["response_id"] * 10)
    long["lists"] = [[own] for own in long["response_id"]]
    again = reexpress(long.iloc[::-1], made, FrameOptions(shape="long", names="id"))
    back = long["mine"].to_numpy().reshape(-1)
    assert set(again["mine"]) == set(back)
    by_cell = long.set_index(["response_id", "question_id", "value"])["mine"]
    assert again.set_index(["response_id", "question_id", "value"])["mine"].to_dict() == (
        by_cell.to_dict()
    )
    wide = reexpress(long.drop(columns="mine"), made, WIDE)
    assert wide["group"].to_dict() == {2: 20, 1: 10}
    assert wide["lists"].to_dict() == {2: [2], 1: [1]}
    assert reexpress(wide, made_frame(KEPT, [2, 1], WIDE)[1], LONG)["group"].nunique() == 2


def test_a_column_of_the_user_is_no_url_variable():
    kept = kept_of(ASKED, [{**answers()[0], "url_variables": {"src": "mail", "q": "1"}}])
    here, _ = made_frame(kept, [1], FrameOptions(metadata="none"))
    assert [*here.columns[-2:]] == ["url_q", "url_src"]
    mine = here.drop(columns="url_q").assign(url_x=1.5, url_=here["sat"])
    there = mine.alchemer.relabel(names="id", values="code")
    assert [*there.columns[-3:]] == ["url_src", "url_x", "url_"]
    pd.testing.assert_frame_equal(there[["url_x", "url_"]], mine[["url_x", "url_"]])
    assert [*there.alchemer.codebook["column_id"]][-1] == "url_src"
    long = mine.alchemer.relabel(shape="long")
    assert set(long["url_x"]) == {1.5}
    assert "url_src" not in long
    back = long.alchemer.relabel(shape="wide")
    assert [name for name in back if name.startswith("url_")] == ["url_x", "url_"]
    assert "url_x" in back.alchemer.relabel(shape="long")


def test_a_second_column_of_one_meaning_is_of_the_user():
    here, made = made_frame(KEPT, [1, 2], FrameOptions(metadata="none"))
    twice = here.assign(before=here["sat"])
    twice.loc[twice["sat"] == "Very satisfied", "sat"] = "Satisfied"
    there = reexpress(twice, made.named("before", "sat"), FrameOptions(values="code"))
    assert there["sat"].tolist() == [4.0, 4.0]
    assert [*there["before"]] == [*here["sat"]]
    assert reexpress(
        twice.drop(columns="sat"), made.named("before", "sat"), FrameOptions(values="code")
    )["sat"].tolist() == [5.0, 4.0]


def test_metadata_and_zones_are_written_as_far_as_they_are_there():
    everything = FrameOptions(metadata="all", tz=None)
    kept = replace(KEPT, timezone="America/New_York")
    here, made = made_frame(kept, [1, 2, 3], everything)
    for options in (WIDE, NAIVE, FrameOptions(tz="Asia/Tokyo"), FrameOptions(metadata="none")):
        fresh, _ = made_frame(kept, [1, 2, 3], options)
        pd.testing.assert_frame_equal(reexpress(here, made, options), fresh)
        there = reexpress(*made_frame(kept, [1, 2, 3], WIDE), replace(options, metadata="standard"))
        pd.testing.assert_frame_equal(there, made_frame(
            kept, [1, 2, 3], replace(options, metadata="standard"))[0])  # fmt: skip
    some = reexpress(here.drop(columns=["status", "city"]), made, WIDE)
    assert "status" not in some
