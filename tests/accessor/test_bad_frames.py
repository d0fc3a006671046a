"""What no longer is a frame of responses, or not the one described: an error of ours, or right."""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb.errors import AlchemerError, InvalidArgument, KnowledgeLost
from tests.scripted import ScriptedServer
from tests.survey_json import frame as built
from tests.survey_json import option, question, response

SCALE = [
    option(10001, "Good", "5"), option(10002, "Fair", "3"), option(10003, "Bad", "1"),
    option(10004, "Not applicable", "99", na=True),
]  # fmt: skip
SHOPS = [option(10011, "Web", "web"), option(10012, "Shop", "shop")]
ASKED = [
    question(2, "RADIO", "How was it?", "sat", SCALE, key="radio-likert"),
    question(3, "CHECKBOX", "Where?", "used", SHOPS, key="checkbox"),
    question(4, "TEXTBOX", "How many?", "many", key="number"),
    question(5, "TEXTBOX", "Your e-mail", "mail", key="email"),
    question(6, "RADIO", "Again?", "again", SCALE, key="radio-likert"),
]
SCORES = {"Good": 5.0, "Fair": 3.0, "Bad": 1.0}
SALT = "a salt that only we know"


def answer(each):
    return {"answer": each["value"], "answer_id": each["id"], "shown": True}


def responses():
    for n in range(1, 13):
        data = {"2": answer(SCALE[n % 4]), "6": answer(SCALE[n % 3])}
        data["3"] = {"options": {"10011": {"id": 10011, "option": "Web", "answer": "web"}}}
        data["4"] = {"answer": str(n), "shown": True}
        data["5"] = {"answer": f"nobody{n}@example.org"} if n % 2 else {"shown": True}
        yield response(n, data if n != 7 else {"2": {"shown": True}})


@pytest.fixture(scope="module")
def frames():
    """The same responses in both shapes, to be copied."""
    with ScriptedServer() as server:
        return [built(server, ASKED, [*responses()], shape=shape) for shape in ("wide", "long")]


@pytest.fixture
def df(frames):
    return frames[0].copy()


@pytest.fixture
def long(frames):
    return frames[1].copy()


def share(values):
    scores = values.astype(object).map(SCORES).dropna().astype(float)
    return (scores >= 3).mean()


def calls(df, folder):
    """Every call of the accessor, by name."""
    x = df.alchemer
    return {
        "repr": lambda: repr(x),
        "summary": lambda: x.summary,
        "codebook": lambda: repr(x.codebook),
        "options": lambda: x.options,
        "find": lambda: x.find("how"),
        "columns": lambda: x.columns("used"),
        "top": lambda: x.top("sat"),
        "score": lambda: x.score("many"),
        "for_model": x.for_model,
        "missing": x.missing,
        "base_sizes": x.base_sizes,
        "redact": x.redact,
        "hash": lambda: x.redact(how="hash", salt=SALT),
        "redacted": lambda: x.redacted,
        "waves": lambda: x.waves,
        "relabel": lambda: x.relabel(values="code"),
        "relabel long": lambda: x.relabel(shape="long"),
        "relabel lists": lambda: x.relabel(multi="list", names="id"),
        "stack": lambda: al.stack_waves([df, df]),
        "attach": lambda: x.attach(df),
        "parquet": lambda: (x.to_parquet(folder / "x.parquet"), al.read_parquet(
            folder / "x.parquet")),
        "spss": lambda: x.to_spss(folder / "x.sav"),
        "stata": lambda: x.to_stata(folder / "x.dta"),
        "excel": lambda: x.to_excel(folder / "x.xlsx"),
    }  # fmt: skip


def described(df, other):
    other.attrs = dict(df.attrs)
    return other


# -- no frame of responses ------------------------------------------------------------------

LOST = {
    "describe": lambda df: df.describe(),
    "notna": lambda df: df.notna(),
    "isin": lambda df: df.isin(["Good"]),
    "transposed": lambda df: df.T,
    "mean of groups": lambda df: df.groupby("sat", observed=False)[["many"]].mean(),
    "value counts": lambda df: df["sat"].value_counts().to_frame(),
    "value counts as a column": lambda df: df["sat"].value_counts().reset_index(),
    "pivot": lambda df: df.pivot_table(index="response_id", columns="sat", values="many",
                                       observed=True),
    "crosstab": lambda df: pd.crosstab(df["sat"], df["again"]),
    "correlation": lambda df: df.corr(numeric_only=True),
    "melt": lambda df: df.reset_index().melt(id_vars="response_id"),
    "no ids": lambda df: df.reset_index(drop=True),
    "another index": lambda df: df.set_index("sat"),
    "ids with gaps": lambda df: df.reset_index().assign(response_id=[np.nan, *df.index[1:]]),
    "ids that are halves": lambda df: df.reset_index().assign(response_id=df.index / 2),
    "ids that are dates": lambda df: df.reset_index().assign(response_id=pd.Timestamp(0)),
    "ids that are lists": lambda df: df.reset_index().assign(response_id=[[1]] * len(df)),
    "levels of columns": lambda df: pd.concat({"a": df, "b": df}, axis=1),
    "columns of one's own": lambda df: df.assign(mine=1)[["mine"]],
}  # fmt: skip


@pytest.mark.parametrize("kind", LOST)
def test_a_summary_that_still_has_attrs_counts_nothing(df, kind):
    other = described(df, LOST[kind](df))
    for call in (
        lambda: other.alchemer.codebook,
        lambda: other.alchemer.missing(),
        lambda: other.alchemer.base_sizes(),
        lambda: other.alchemer.top("sat"),
        lambda: other.alchemer.redact(),
        lambda: other.alchemer.relabel(values="code"),
        lambda: al.stack_waves({"1": df, "2": other}),
        lambda: al.stack_waves({"1": other, "2": df}),
    ):
        with pytest.raises(KnowledgeLost) as raised:
            call()
        assert "\n" not in raised.value.args[0]


def test_two_columns_of_one_name_are_an_error(df):
    other = described(df, pd.concat([df, df[["sat"]]], axis=1))
    for call in (
        other.alchemer.missing,
        other.alchemer.redact,
        lambda: al.stack_waves([df, other]),
    ):
        with pytest.raises(InvalidArgument, match="two columns"):
            call()


@pytest.mark.parametrize(
    "change",
    [
        lambda long: long.set_index("response_id"),
        lambda long: long.assign(column=[[1]] * len(long)),
        lambda long: long.assign(column=5),
    ],
)
def test_a_long_frame_without_its_columns_is_an_error_everywhere(long, change):
    other = described(long, change(long))
    for name in ("redact", "base_sizes", "missing", "relabel"):
        with pytest.raises(KnowledgeLost):
            getattr(other.alchemer, name)()


@pytest.mark.parametrize("name", ["columns", "score", "missing"])
def test_what_needs_columns_of_questions_refuses_the_long_shape(long, tmp_path, name):
    with pytest.raises(InvalidArgument, match="long shape") as caught:
        calls(long, tmp_path)[name]()
    assert "relabel" in caught.value.hint


def test_tables_about_a_long_frame_are_those_of_the_same_answers_in_columns(long):
    own, wide = long.alchemer, long.alchemer.relabel(shape="wide").alchemer
    for found, right in (
        (own.codebook, wide.codebook),
        (own.options, wide.options),
        (own.find("you"), wide.find("you")),
        (own.base_sizes(), wide.base_sizes()),
    ):
        assert len(found)
        pd.testing.assert_frame_equal(found, right)
    assert own.top("sat") == wide.top("sat")


@pytest.mark.parametrize(
    "made", ["id float", "id text", "id Int64", "id object", "two levels", "kept in a csv"]
)
def test_ids_of_other_types_are_the_same_ids(df, made):
    flat = df.reset_index()
    other = {
        "id float": lambda: flat.assign(response_id=flat["response_id"].astype(float)),
        "id text": lambda: flat.assign(response_id=flat["response_id"].astype(str)),
        "id Int64": lambda: flat.assign(response_id=flat["response_id"].astype("Int64")),
        "id object": lambda: df.set_axis(df.index.astype(object)).rename_axis("response_id"),
        "two levels": lambda: df.set_index("status", append=True),
        "kept in a csv": lambda: pd.read_csv(io.StringIO(df.to_csv())),
    }[made]()
    other = described(df, other)
    states = other.alchemer.missing()["sat"]
    assert [*states] == [*df.alchemer.missing()["sat"]]
    assert other.alchemer.top("sat") == pytest.approx(share(df["sat"]))
    if made != "kept in a csv":
        both = al.stack_waves({"1": df, "2": other})
        assert [*both.index.get_level_values("response_id")] == [*df.index] * 2
        assert [*both.alchemer.missing()["sat"]] == [*states] * 2


def test_a_response_that_is_there_twice_counts_twice_as_in_pandas(df):
    other = df.sample(40, replace=True, random_state=3)
    assert other.alchemer.top("sat") == pytest.approx(share(other["sat"]))
    book = other.alchemer.codebook.set_index("column_alias")
    assert book.at["sat", "n_answered"] == other["sat"].notna().sum()
    sizes = other.alchemer.base_sizes().set_index("alias")
    assert sizes.at["sat", "answered"] == other["sat"].notna().sum()


def test_a_folder_of_two_files_has_the_description_of_the_first(df, tmp_path):
    for name, rows in (("1", df.head(8)), ("2", df.tail(6).assign(many=np.nan))):
        rows.alchemer.to_parquet(tmp_path / f"{name}.parquet")
        rows.to_parquet(tmp_path / f"{name}.parquet")
    both = pd.read_parquet(tmp_path)
    if "alchemer" not in both.attrs:
        both.attrs = dict(df.head(8).attrs)
    assert len(both) == 14
    states = both.alchemer.missing()
    assert {*states["many"].iloc[8:]} <= {"removed", "skipped", "unknown", "not shown"}
    assert both.alchemer.top("sat") == pytest.approx(share(both["sat"]))


def test_a_nameless_column_beside_answers_is_nobodys(df):
    other = df.assign(mine=1).rename(columns={"mine": np.nan})
    assert [*other.alchemer.missing()["sat"]] == [*df.alchemer.missing()["sat"]]


# -- columns that are something else now ----------------------------------------------------


def test_texts_in_objects_are_still_options(df):
    other = df.astype({"sat": object, "many": object})
    assert other.alchemer.top("sat") == pytest.approx(share(df["sat"]))
    assert other.alchemer.score("many").equals(df.alchemer.score("many"))


def test_options_that_were_renamed_are_left_out_and_said(df):
    other = df.assign(sat=df["sat"].cat.rename_categories({"Good": "Great"}))
    with pytest.warns(UserWarning, match="no option of the question") as seen:
        top = other.alchemer.top("sat")
    assert top == pytest.approx(share(other["sat"]))
    assert not any("Great" in str(each.message) for each in seen)


@pytest.mark.parametrize(
    "values",
    [
        lambda df: df["sat"].cat.codes,
        lambda df: df["many"],
        lambda df: pd.Series(True, index=df.index),
        lambda _: pd.Categorical([1, 5] * 6),
        lambda _: pd.Timestamp("2026-01-01"),
        lambda df: [[1]] * len(df),
    ],
)
def test_numbers_in_place_of_options_are_the_analysts_own(df, tmp_path, values):
    other = df.assign(sat=values(df))
    with pytest.raises(InvalidArgument, match="say what its values mean"):
        other.alchemer.top("sat")
    other.alchemer.to_spss(tmp_path / "x.sav")
    _, meta = pyreadstat.read_sav(tmp_path / "x.sav")
    labels = {*meta.variable_value_labels.get("sat", {}).values()}
    assert not labels & {*SCORES, "Not applicable"}
    assert other.alchemer.top("again") == pytest.approx(share(df["again"]))


EMPTY = [object, "float64", "Int64", "boolean", "datetime64[ns]", pd.ArrowDtype(pa.null())]


@pytest.mark.parametrize(
    "values", ["label", *(pytest.param(each, marks=pytest.mark.long) for each in ("code", "id"))]
)
@pytest.mark.parametrize("dtype", EMPTY, ids=str)
@pytest.mark.parametrize("rows", [0, 12])
def test_a_column_without_answers_is_empty_whatever_its_dtype(df, rows, dtype, values):
    df = df.alchemer.relabel(values=values)
    for name in ("sat", "many"):
        empty = pd.Series(None, df.index[:rows], dtype=dtype)
        other = df.head(rows).assign(**{name: empty})
        assert other[name].isna().all()
        assert other.alchemer.score(name).isna().tolist() == [True] * rows
        assert np.isnan(other.alchemer.top(name, 1))
        again = other.alchemer.relabel(values="label" if values != "label" else "code")
        assert again[name].isna().tolist() == [True] * rows
        both = al.stack_waves({"old": df, "new": other})
        assert both[name].dtype == df[name].dtype
        assert both.alchemer.score(name).dropna().tolist() == [*df.alchemer.score(name).dropna()]
        table = other.alchemer.table(name)
        assert table.bases["answered"].tolist() == [0]


def test_dates_in_place_of_numbers_are_no_numbers(df):
    table = df.assign(many=pd.Timestamp("2026-01-01")).alchemer.table("many")
    assert table.bases["answered"].tolist() == [0]
    assert any("12 answers that are no number" in note for note in table.notes)


def test_true_and_false_in_place_of_numbers_are_no_scores(df):
    with pytest.raises(InvalidArgument, match="no numbers"):
        df.assign(many=df["many"] > 3).alchemer.score("many")


def test_names_that_were_swapped_are_known_by_name_alone(df):
    other = df.rename(columns={"sat": "again", "again": "sat"})
    assert other.alchemer.top("sat") == pytest.approx(share(df["again"]))
    other = df.rename(columns={"sat": "many", "many": "sat"})
    for name in ("sat", "many"):
        with pytest.raises(InvalidArgument):
            other.alchemer.top(name)


def test_a_column_of_ones_own_with_the_name_of_a_dropped_question_is_that_column(df):
    other = df.drop(columns="again").assign(again="mine")
    with pytest.raises(InvalidArgument, match="none of its options"):
        other.alchemer.top("again")
    assert (other.alchemer.missing()["again"] == "answered").all()


ODD = {
    "dates": pd.Timestamp("2026-01-01"), "spans": pd.Timedelta("1D"), "complex": 1j,
    "periods": pd.Period("2026-01"), "bytes": b"x", "infinite": np.inf, "true": True,
    "lists": "lists", "dicts": "dicts", "mixed": "mixed", "numbers": 7, "none": None,
}  # fmt: skip


FEW_ODD = ("spans", "complex", "infinite", "dicts", "mixed")


@pytest.mark.parametrize(
    "names", [["sat"], pytest.param(["used_web", "many", "mail", "status"], marks=pytest.mark.long)]
)
@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind in FEW_ODD else pytest.mark.long) for kind in ODD],
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_a_cell_holds_no_error_is_bare(df, tmp_path, kind, names):
    cells = {"lists": [[1]] * 12, "dicts": [{"a": 1}] * 12, "mixed": [1, "a", None] * 4}
    for name in names:
        other = df.assign(**{name: pd.Series(cells.get(kind, [ODD[kind]] * 12), index=df.index)})
        for called, call in calls(other, tmp_path).items():
            if called not in ("excel", "stata") or kind == "infinite":  # they take most of the time
                with contextlib.suppress(AlchemerError):
                    call()


@pytest.mark.parametrize("step", [2, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.filterwarnings("ignore")
def test_frames_in_other_dtypes_or_without_rows_or_columns(df, tmp_path, step):
    frames = (
        df.convert_dtypes(), df.astype(str), df.astype(object), df.head(0), df[[]],
        df.head(0)[[]], df[["status"]],
        df.astype({"mail": object}).explode("mail"), df.rename_axis(columns="x"),
        pd.concat({"a": df, "b": df}), df.assign(**{"0": 1}).rename(columns={"0": 0}),
        described(df, df.set_axis(pd.CategoricalIndex(df.columns), axis=1)),
    )  # fmt: skip
    for other in frames[::step]:
        other.attrs |= {1: {2}, "n": np.float64(1)}
        for called, call in calls(other, tmp_path).items():
            if called not in ("excel", "stata", "spss"):
                with contextlib.suppress(AlchemerError):
                    call()
        if "sat" in other.columns and len(other):
            assert other.alchemer.top("sat") == pytest.approx(share(other["sat"]))


def test_infinite_numbers_in_place_of_flags_are_missing_in_a_file(df, tmp_path):
    notes = df.assign(used_web=np.inf).alchemer.to_stata(tmp_path / "x.dta").set_index("column")
    assert "12 infinite" in notes.at["used_web", "notes"]
    assert pyreadstat.read_dta(tmp_path / "x.dta")[0]["used_web"].isna().all()


def test_columns_of_a_pivot_can_be_stored(df, tmp_path):
    table = df.pivot_table(index="again", columns="sat", values="many", observed=True)
    table.alchemer.to_parquet(tmp_path / "x.parquet")
    assert [*al.read_parquet(tmp_path / "x.parquet").columns] == [*table.columns]


def test_whole_numbers_beside_gaps_stay_whole_in_a_file(df, tmp_path):
    numbers = [2**60 + 1, None, 3] * 4
    other = df.assign(mine=pd.Series(numbers, index=df.index, dtype=object))
    other.alchemer.to_parquet(tmp_path / "x.parquet")
    assert [*al.read_parquet(tmp_path / "x.parquet")["mine"]] == numbers


# -- descriptions that were changed ---------------------------------------------------------


def unpacked(df):
    outer = json.loads(df.attrs["alchemer"])
    return outer, json.loads(zlib.decompress(base64.b64decode(outer["meaning"])))


def packed(raw):
    return base64.b64encode(zlib.compress(raw, 1)).decode()


@pytest.mark.parametrize("version", ["2", "1", 1.0, True, None, [1], 0, -1])
def test_a_version_that_is_none_is_damage(df, version):
    text = json.dumps({**unpacked(df)[0], "alchemer_nb": version})
    df.attrs["alchemer"] = text
    with pytest.raises(KnowledgeLost, match="damaged"):
        df.alchemer.missing()


@pytest.mark.parametrize(
    ("raw", "times"), [(b"[", 10**6), (b"0", 2**28 + 1), (b"{}", 1), (b"", 1), (b"\xff", 1)]
)
def test_a_definition_that_is_too_large_or_none_is_damage(df, raw, times):
    df.attrs["alchemer"] = json.dumps({**unpacked(df)[0], "meaning": packed(raw * times)})
    with pytest.raises(KnowledgeLost, match="damaged"):
        df.alchemer.missing()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "a/" * 3000 + "a", "a" * 70_000, "\ud800", ""],
                         ids=["unknown", "deep", "long", "surrogate", "empty"])  # fmt: skip
def test_a_zone_that_does_not_exist_is_damage(df, zone):
    outer, meaning = unpacked(df)
    raw = json.dumps({**meaning, "timezone": zone}).encode()
    df.attrs["alchemer"] = json.dumps({**outer, "meaning": packed(raw)})
    with pytest.raises(KnowledgeLost, match="damaged"):
        df.alchemer.relabel(tz=None)


def test_what_was_asked_and_received_may_be_damaged_alone(df):
    outer, _ = unpacked(df)
    for about in ({**outer["about"], "asked": "x"}, {**outer["about"], "repeated_rows": {"a": 1}}):
        df.attrs["alchemer"] = json.dumps({**outer, "about": about})
        with pytest.raises(KnowledgeLost, match="damaged"):
            df.alchemer.summary  # noqa: B018 - a property that raises


def places(data, above=()):
    yield above
    pairs = data.items() if isinstance(data, dict) else enumerate(data[:4])
    for key, each in pairs:
        if isinstance(each, (dict, list)):
            yield from places(each, (*above, key))
        else:
            yield (*above, key)


def with_value(data, place, value):
    if not place:
        return value
    changed = copy.deepcopy(data)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if value == "DELETED":
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return changed


VALUES = [
    "DELETED", None, True, -1, 0, 3, 2**70, 1.5, float("nan"), "", "x", "AAAA", [], {}, [1], ["x"],
    [[1]], {"a": 1}, {"a": {"b": [1]}},
]  # fmt: skip


@given(data=st.data())
@settings(suppress_health_check=list(HealthCheck), max_examples=12)
@pytest.mark.filterwarnings("ignore")
def test_a_field_of_another_type_is_lost_or_harmless(df, tmp_path_factory, data):
    outer, inner = unpacked(df)
    folder = tmp_path_factory.getbasetemp()
    value = data.draw(st.sampled_from(VALUES))
    if data.draw(st.booleans()):
        changed = with_value(outer, data.draw(st.sampled_from([*places(outer)][1:])), value)
    else:
        changed = with_value(inner, data.draw(st.sampled_from([*places(inner)][1:])), value)
        changed = {**outer, "meaning": packed(json.dumps(changed).encode())}
    other = df.head(6).copy()
    other.attrs["alchemer"] = json.dumps(changed)
    for name, call in calls(other, folder).items():
        if name not in ("excel", "stata", "spss"):
            with contextlib.suppress(AlchemerError):
                call()
