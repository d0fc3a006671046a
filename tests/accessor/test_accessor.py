"""``df.alchemer``: what a frame knows, and how it keeps or loses it."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client, stack_waves
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.metadata import metadata_names
from alchemer_nb.survey.columns import is_before_edit
from tests.survey_json import option, question, response, serve

CUSTOMER = "Customer satisfaction"


@pytest.fixture(scope="module")
def client(box):
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def df(client):
    return client.responses(CUSTOMER, progress="none")


CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "names": st.sampled_from(["alias", "id", "text"]),
        "values": st.sampled_from(["label", "code", "id", "both"]),
        "multi": st.sampled_from(["columns", "list"]),
        "shape": st.sampled_from(["wide", "long"]),
        "language": st.sampled_from([None, "French", "German"]),
        "metadata": st.sampled_from(["standard", "all", "none"]),
        "tz": st.sampled_from(["UTC", None, "Asia/Tokyo"]),
    },
)


@given(first=CHOICES, then=CHOICES)
@settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
def test_relabel_gives_just_the_frame_of_a_fresh_call(client, first, then):
    frame = client.responses(CUSTOMER, limit=60, progress="none", **{**first, "shape": "wide"})
    fresh = client.responses(
        CUSTOMER, limit=60, progress="none", **{**first, "shape": "wide", **then}
    )
    relabelled = frame.alchemer.relabel(**then)
    here = metadata_names(first.get("metadata", "standard"))
    wanted = metadata_names({**first, **then}.get("metadata", "standard"))
    gone = [name for name in wanted if name not in here]  # nothing brings it back
    if first.get("metadata") != "all":  # nor an answer before it was edited
        parts = read_description(fresh).columns
        gone += [name for name, column in parts.items() if is_before_edit(column.path)]
    right = fresh.drop(columns=gone, errors="ignore")
    if then.get("shape") == "long":
        right = right[~right["column"].isin(gone)].reset_index(drop=True)
    pd.testing.assert_frame_equal(relabelled, right)
    assert relabelled.alchemer.facts["asked"] == fresh.alchemer.facts["asked"]


def test_relabel_keeps_the_rows_and_columns_at_hand(df):
    part = df[df["nps"] >= 9].sort_values("age")[["region", "nps", "channels_web"]]
    part = part.assign(mine=range(len(part)))
    codes = part.alchemer.relabel(values="code", names="id", metadata="standard")
    assert list(codes.index) == list(part.index)
    assert list(codes.columns) == ["q3", "q8", "q14_10029", "mine"]
    back = codes.alchemer.relabel(values="label", names="alias")
    pd.testing.assert_frame_equal(back, part)


def test_dropped_columns_stay_out_whatever_is_asked(df):
    part = df[["region", "nps", "status"]]
    both = part.alchemer.relabel(values="both")
    assert sorted(both.columns) == ["nps", "region", "region_code", "status"]
    everything = df.drop(columns=["region", "language"]).alchemer.relabel(
        metadata="all", names="id"
    )
    assert "q3" not in everything.columns
    assert "language" not in everything.columns
    assert "q8" in everything.columns


def test_relabel_refuses_what_it_does_not_take(df):
    with pytest.raises(InvalidArgument, match="relabel takes"):
        df.alchemer.relabel(limit=3)
    with pytest.raises(InvalidArgument, match="English, French, German"):
        df.alchemer.relabel(language="Dutch")


@pytest.mark.parametrize(
    "step",
    [
        lambda df: df[df["nps"] > 5],
        lambda df: df.head(3),
        lambda df: df.copy(),
        lambda df: df[["nps", "region"]],
        lambda df: df.query("nps > 5"),
        lambda df: df.sort_values("nps"),
        lambda df: df.dropna(subset=["nps"]),
        lambda df: df.reset_index(),
        lambda df: df.assign(new=1),
        lambda df: pickle.loads(pickle.dumps(df)),  # noqa: S301 - just written
        lambda df: pd.concat([df.iloc[:5], df.iloc[5:9]]),
        lambda df: df.alchemer.relabel(values="code"),
    ],
)
def test_ordinary_steps_keep_the_knowledge(df, step):
    after = step(df)
    assert after.alchemer.facts["survey_id"] == "9000001"
    assert len(after.alchemer.missing()) == len(after)
    assert after.alchemer.columns("nps") == ["nps"]


def test_a_merge_says_what_it_lost_and_attach_and_join_bring_it_back(df):
    crm = pd.DataFrame({"contact_id": ["700000001", "700000002"], "segment": ["a", "b"]})
    merged = df.reset_index().merge(crm, on="contact_id", how="left")
    merged.attrs = {}  # what pandas does in most versions
    with pytest.raises(KnowledgeLost, match="attach"):
        merged.alchemer.codebook  # noqa: B018 - a property that raises
    again = df.alchemer.attach(merged)
    assert again.alchemer.columns("nps") == ["nps"]
    joined = df.alchemer.join(crm, on="contact_id")
    assert list(joined.index) == list(df.index)
    assert joined.index.name == "response_id"
    assert set(joined["segment"].dropna()) <= {"a", "b"}
    assert len(joined.alchemer.missing()) == len(df)
    inner = df.alchemer.join(crm, on="contact_id", how="inner")
    assert 0 < len(inner) < len(df)
    assert inner["segment"].notna().all()


def test_a_join_never_multiplies_responses(df):
    twice = pd.DataFrame({"contact_id": ["700000001", "700000001"], "x": [1, 2]})
    with pytest.raises(InvalidArgument, match="several rows"):
        df.alchemer.join(twice, on="contact_id")
    with pytest.raises(InvalidArgument, match="no column 'customer'"):
        df.alchemer.join(twice, on="customer")
    with pytest.raises(InvalidArgument, match="'left' or 'inner'"):
        df.alchemer.join(twice.iloc[:1], on="contact_id", how="outer")


def test_a_frame_of_somebody_else_says_so():
    with pytest.raises(KnowledgeLost):
        pd.DataFrame({"a": [1]}).alchemer.missing()


def test_rows_without_their_ids_say_so(df):
    with pytest.raises(KnowledgeLost, match="response_id"):
        df.reset_index(drop=True).alchemer.missing()
    other = df.copy()
    other.index = pd.Index(range(10**6, 10**6 + len(df)), name="response_id")
    assert set(other.alchemer.missing()["nps"]) == {"answered", "unknown"}


def test_find_and_columns(df):
    found = df.alchemer.find("RECOMMEND us")
    assert list(found["column"]) == ["nps"]
    assert len(df.alchemer.find("service rate staff")) == 1
    assert df.alchemer.columns("channels") == [
        "channels_web",
        "channels_shop",
        "channels_app",
        "channels_phone",
        "channels_other",
    ]
    assert df.alchemer.columns("q14") == df.alchemer.columns(14) == df.alchemer.columns("channels")
    assert df.alchemer.columns("service") == ["staff", "delivery", "prices", "website"]
    with pytest.raises(InvalidArgument, match="did you mean 'satisfaction'"):
        df.alchemer.columns("satisfacton")


def test_it_says_what_it_is_and_what_came(df):
    assert repr(df.alchemer).startswith("Customer satisfaction: ")
    assert "responses received" in df.alchemer.summary


def test_options_are_the_value_labels(df):
    options = df.alchemer.options
    satisfaction = options[options["column"] == "satisfaction"]
    assert list(satisfaction["score"])[:-1] == [5, 4, 3, 2, 1]
    assert np.isnan(list(satisfaction["score"])[-1])
    assert list(satisfaction["not_applicable"]) == [False] * 5 + [True]


def test_score_and_top_leave_not_applicable_out(df):
    score = df.alchemer.score("satisfaction")
    assert score.dtype == np.float64
    assert score.max() == 5
    expected = df["satisfaction"].map(
        {
            "Very satisfied": 5,
            "Satisfied": 4,
            "Neither satisfied nor dissatisfied": 3,
            "Dissatisfied": 2,
            "Very dissatisfied": 1,
        }
    )
    assert score.isna().sum() > df["satisfaction"].isna().sum()
    answered = score.dropna()
    assert df.alchemer.top("satisfaction", 2) == pytest.approx((answered >= 4).mean())
    assert set(answered.unique()) == {1, 2, 3, 4, 5}
    assert expected.astype(float).fillna(-1).tolist() == score.fillna(-1).tolist()
    with pytest.raises(InvalidArgument, match="1 to 5"):
        df.alchemer.top("satisfaction", 9)
    with pytest.raises(InvalidArgument, match="5 columns"):
        df.alchemer.score("channels")


def test_nominal_questions_have_no_score(df):
    for values in ("label", "code", "id", "both"):
        frame = df.alchemer.relabel(values=values)
        for call in (frame.alchemer.score, frame.alchemer.top):
            with pytest.raises(InvalidArgument, match="are no scale") as caught:
                call("region")
            assert "map(" in caught.value.hint


PLACES = [("North", "1"), ("South", "2"), ("East", "3")]
MIXED = [("North", "3"), ("South", "1"), ("East", "2")]
STEPS = [("Bad", "1"), ("Fair", "2"), ("Good", "3")]
UP_TO_99 = [*STEPS, ("Not applicable", "99")]


def choice_question(kind, key, pairs, **more):
    options = [option(10001 + n, label, value) for n, (label, value) in enumerate(pairs)]
    return question(2, kind, alias="q", key=key, options=options, **more)


def answered_by_all(scripted, asked, pairs):
    """A frame in which each option is chosen once, in order."""
    rows = [
        response(n, {"2": {"id": 2, "answer": value, "answer_id": 10000 + n}})
        for n, (_, value) in enumerate(pairs, 1)
    ]
    return serve(scripted, [asked], rows).responses(5, progress="none")


@pytest.mark.parametrize(
    ("kind", "key", "pairs"),
    [
        ("MENU", "menu", PLACES),  # years and places have rising codes, too
        ("RADIO", "radio", MIXED),
        ("RADIO", "radio", PLACES[:2]),  # two options make no scale, unless they are 0 and 1
        ("IMAGE_SELECT", "single-image", MIXED),
        ("RADIO", "radio", [("North", "n"), ("South", "s"), ("East", "e")]),
    ],
)
def test_no_mean_is_made_of_names(scripted, kind, key, pairs):
    df = answered_by_all(scripted, choice_question(kind, key, pairs), pairs)
    assert not df["q"].cat.ordered
    waves = stack_waves({"one": df, "two": df})
    for frame in (df, df.head(2), df.alchemer.relabel(values="id"), waves):
        for call in (frame.alchemer.score, frame.alchemer.top):
            with pytest.raises(InvalidArgument, match=r"are (no scale|not numbers)"):
                call("q", *([2] if call.__name__ == "top" else []))


@pytest.mark.parametrize(
    ("kind", "key", "pairs", "scores", "top"),
    [
        ("RADIO", "radio", STEPS, [1, 2, 3], 2 / 3),
        ("RADIO", "radio", STEPS[::-1], [3, 2, 1], 2 / 3),
        ("RADIO", "radio-likert", MIXED, [3, 1, 2], 2 / 3),  # the type says that it is one
        ("RADIO", "radio", UP_TO_99, [1, 2, 3, np.nan], 2 / 3),
        ("RADIO", "radio", [("Yes", "1"), ("No", "0")], [1, 0], 1.0),
    ],
)
def test_means_are_made_of_steps(scripted, kind, key, pairs, scores, top):
    df = answered_by_all(scripted, choice_question(kind, key, pairs), pairs)
    for frame in (df, df.alchemer.relabel(values="code"), df.alchemer.relabel(values="id")):
        np.testing.assert_array_equal(frame.alchemer.score("q"), scores)
        assert frame.alchemer.top("q", 2) == pytest.approx(top)


def test_zero_and_one_have_a_score(df):
    yes = df["recent_customer"].map({"Yes": 1.0, "No": 0.0}).astype("float64")
    assert df.alchemer.score("recent_customer").equals(yes)


def test_for_model_has_floats_and_no_empty_levels(df):
    frame = df[df["region"] != "North"].alchemer.for_model()
    assert frame["channels_web"].dtype == np.float64
    assert set(frame["channels_web"].dropna()) == {0.0, 1.0}
    assert "North" not in frame["region"].cat.categories
    assert not frame["satisfaction"].cat.ordered
    assert df["channels_web"].dtype == "boolean"


def test_missing_tells_the_kinds_apart(df):
    missing = df.alchemer.missing()
    answers = [name for name in missing if name in df]
    assert list(missing["nps"].cat.categories) == [
        "answered",
        "skipped",
        "not shown",
        "not reached",
        "removed",
        "unknown",
    ]
    for name in answers:
        assert ((missing[name] == "answered") == df[name].notna()).all()
    no_problem = df["had_problem"] == "No"
    unsolved = missing.loc[no_problem & df["problem_solved"].isna(), "problem_solved"]
    assert set(unsolved) == {"not shown"}
    partial = missing[df["status"] == "Partial"]
    assert (partial["heard_from"] == "not reached").any()
    complete = missing[df["status"] == "Complete"]
    assert not (complete == "not reached").any().any()


def test_base_sizes_add_up(df):
    bases = df.alchemer.base_sizes().set_index("question_id")
    kinds = ["answered", "skipped", "not shown", "not reached", "removed", "unknown"]
    assert (bases[kinds].sum(axis=1) == len(df)).all()
    assert bases.loc["8", "answered"] == df["nps"].notna().sum()
    assert bases.loc["14", "answered"] == df["channels_web"].notna().sum()
    assert (bases["base"] == bases["answered"] + bases["skipped"]).all()


@pytest.mark.parametrize("order", ["import pandas, alchemer_nb", "import alchemer_nb, pandas"])
def test_the_accessor_is_there_once_both_are_imported(order):
    code = f"{order}\nprint(type(pandas.DataFrame({{'a': [1]}}).alchemer).__name__)"
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "AlchemerAccessor"


CUT_OFF = """
import signal, sys, time, alchemer_nb
class Cut:
    def find_spec(self, name, path=None, target=None):
        if name == {inside!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Cut())
began = time.monotonic()
try:
    import {package}
    time.sleep(30)
except KeyboardInterrupt:
    assert time.monotonic() - began < 20  # not after the wait
    del sys.meta_path[0]
import pandas, pyarrow.parquet
print(type(pandas.DataFrame({{"a": [1]}}).alchemer).__name__)
"""


@pytest.mark.parametrize(
    ("package", "inside"),
    [
        ("pandas", "pandas.io.json"),
        pytest.param("pyarrow", "pyarrow.ipc", marks=pytest.mark.long),
    ],
)
def test_an_interrupt_of_the_first_command_leaves_no_broken_package(package, inside):
    code = CUT_OFF.format(package=package, inside=inside)
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, "AlchemerAccessor\n"), said.stderr


def test_importing_the_package_does_not_import_pandas():
    code = "import sys, alchemer_nb; print('pandas' in sys.modules, len(sys.meta_path))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("False")


@pytest.mark.parametrize("key", ["matrix", "table-of-a-new-kind"])
def test_two_tables_whose_columns_have_one_id_are_two_bases(scripted, key):
    columns = [question(10001, "RADIO", "Size", "", [option(10090, "Large", "l")])]
    asked = [
        question(83, "TABLE", "First", "first", rows=columns, key=key),
        question(84, "TABLE", "Second", "second", rows=columns, key=key),
    ]
    large = {"id": 10001, "answer": "l", "answer_id": 10090, "shown": True}
    answered = [
        response(1, {"83": {"type": "parent", "subquestions": {"10001": large}}}),
        response(2, {"84": {"type": "parent", "subquestions": {"10001": large}}}),
        response(3, {"84": {"type": "parent", "subquestions": {"10001": large}}}),
    ]
    df = serve(scripted, asked, answered).responses(5, progress="none")
    sizes = df.alchemer.base_sizes()
    assert sizes["question"].tolist() == ["First: Size", "Second: Size"]
    assert sizes["answered"].tolist() == [1, 2]


def test_codes_stay_where_their_labels_were_dropped(df):
    both = df.alchemer.relabel(values="both").drop(columns="satisfaction")
    again = both.alchemer.relabel(values="both", names="id")
    assert "q7_code" in again
    assert "q7" not in again
