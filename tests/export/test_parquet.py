"""A frame goes into a Parquet file and comes back as it was, with all it knows."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import warnings
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import alchemer_nb as al
from alchemer_nb.errors import AlchemerError, ConfigurationError, InvalidArgument, KnowledgeLost
from alchemer_nb.export.parquet import write_parquet
from alchemer_nb.frame.description import describe, drop_unused_texts
from tests.conftest import credentials_for
from tests.export.frames import made, ways_and_surveys
from tests.survey_json import option, question, response, serve

WAYS = [
    {},
    {"values": "code"},
    {"values": "both", "names": "text"},
    {"multi": "list"},
    {"shape": "long"},
    {"metadata": "none", "tz": None},
    {"metadata": "all", "tz": "Europe/Berlin"},
]


@pytest.fixture(scope="module")
def own(box):
    return al.Client(credentials_for(box, "api_key"), region=box.region)


@pytest.fixture(scope="module")
def df(own):
    return own.responses("Customer satisfaction", progress="none")


def there_and_back(frame, folder):
    path = folder / "frame.parquet"
    frame.alchemer.to_parquet(path)
    return al.read_parquet(path)


@pytest.mark.parametrize(("way", "surveys"), ways_and_surveys(WAYS), ids=str)
def test_every_survey_comes_back_with_dtypes_and_knowledge(own, tmp_path, way, surveys):
    for survey in surveys:
        frame = own.responses(survey, progress="none", limit=100, **way)
        back = there_and_back(frame, tmp_path)
        pd.testing.assert_frame_equal(frame, back)
        is_long = way.get("shape") == "long"  # then it has reasons of columns without rows, too
        assert back.attrs == frame.attrs or is_long
        pd.testing.assert_frame_equal(frame.alchemer.codebook, back.alchemer.codebook)
        for choices in ({"names": "id"}, {"values": "code"}, {"shape": "long"}):
            wanted = frame.alchemer.relabel(**choices)
            got = back.alchemer.relabel(**choices)
            pd.testing.assert_frame_equal(wanted, got)
            assert got.attrs == wanted.attrs or is_long
        if "shape" not in way:
            pd.testing.assert_frame_equal(frame.alchemer.missing(), back.alchemer.missing())
            pd.testing.assert_frame_equal(frame.alchemer.base_sizes(), back.alchemer.base_sizes())


def test_a_long_frame_becomes_the_wide_one(df, own, tmp_path):
    long = own.responses("Customer satisfaction", progress="none", shape="long")
    answers = df[[*describe(df).columns]]  # metadata do not come back
    pd.testing.assert_frame_equal(long.alchemer.relabel(shape="wide"), answers)
    back = there_and_back(long, tmp_path).alchemer.relabel(shape="wide")
    pd.testing.assert_frame_equal(back, answers)


def test_plain_pandas_reads_and_writes_it(df, tmp_path):
    path = tmp_path / "frame.parquet"
    df.alchemer.to_parquet(path)
    plain = pd.read_parquet(path)
    assert plain.attrs == {}, "the description is written once, and not where pandas looks"
    assert list(plain.columns) == list(df.columns)
    for name in df:
        assert plain[name].isna().equals(df[name].isna())
        assert plain[name].dropna().tolist() == df[name].dropna().tolist()
    assert path.read_bytes().count(b'"alchemer_nb": 1') == 1
    df.to_parquet(path)
    assert pd.read_parquet(path).attrs == df.attrs
    assert not pd.read_parquet(path).alchemer.codebook.empty
    assert not al.read_parquet(path).alchemer.codebook.empty


def contents(path):
    """All that a file holds, with what is deflated in its description."""
    table = pq.read_table(path)
    footer = pq.read_metadata(path).metadata
    inner = json.loads(footer[b"alchemer_nb.description"])
    meaning = zlib.decompress(base64.b64decode(inner["meaning"])).decode()
    return f"{table.to_pydict()} {footer} {meaning}"


def test_what_the_frame_does_not_show_is_not_in_the_file(df, tmp_path):
    """Rows filtered out and columns dropped must not travel on, unseen, in a file passed on."""
    part = df[df["region"] == "West"].drop(columns=["email", "comments", "contact_id"])
    back = there_and_back(part, tmp_path)
    pd.testing.assert_frame_equal(part, back)
    elsewhere = {text for name in part for text in part[name].dropna() if isinstance(text, str)}
    text = contents(tmp_path / "frame.parquet")
    for name in ("email", "comments", "contact_id"):
        secret = set(df[name].dropna()) - elsewhere
        assert len(secret) > 20
        # "ok" is part of other words.
        assert not [each for each in secret if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text)]
        assert not [each for each in secret if len(each) > 2 and each in text]
    described = describe(back)
    assert described.reasons.ids.tolist() == part.index.tolist()
    assert not {"q5", "q5_*"} & described.reasons.answered.keys()
    pd.testing.assert_frame_equal(part.alchemer.missing(), back.alchemer.missing())
    pd.testing.assert_frame_equal(part.alchemer.base_sizes(), back.alchemer.base_sizes())
    for choices in ({"names": "id"}, {"values": "code"}, {"values": "id", "names": "text"}):
        wanted = part.alchemer.relabel(**choices)
        pd.testing.assert_frame_equal(wanted, back.alchemer.relabel(**choices))
    part.alchemer.to_parquet(tmp_path / "all.parquet", everything=True)
    assert describe(al.read_parquet(tmp_path / "all.parquet")).reasons.ids.tolist() == [*df.index]


def test_who_chose_an_option_that_was_dropped_is_not_told(df, tmp_path):
    options = [*df.alchemer.columns("channels"), "channels_other_text"]
    back = there_and_back(df.drop(columns=options), tmp_path)
    assert "q14_*" in describe(df).reasons.answered
    assert "q14_*" not in describe(back).reasons.answered
    assert "14" not in describe(back).reasons.codes


def test_a_redacted_frame_stays_redacted(df, tmp_path):
    clean = df.alchemer.redact()
    back = there_and_back(clean, tmp_path)
    pd.testing.assert_frame_equal(clean, back)
    pd.testing.assert_frame_equal(
        clean.alchemer.relabel(values="code"), back.alchemer.relabel(values="code")
    )
    pd.testing.assert_frame_equal(there_and_back(df, tmp_path).alchemer.redact(), clean)
    assert b"@example" not in (tmp_path / "frame.parquet").read_bytes().partition(b"PAR1")[0]


def test_columns_and_index_of_the_users_own(df, tmp_path):
    frame = df.head(6).copy()
    frame["n"] = pd.array([1, None, 3, 4, 5, 6], dtype="Int64")
    frame["cut"] = pd.Categorical([3, 1, None, 1, 3, 3], categories=[3, 1, 2], ordered=True)
    frame["list"] = pd.Series([["a"], [], None, ["b", "c"], [], []], index=frame.index)
    frame["object"] = pd.Series(["x", None, "y", "", "z", "z"], index=frame.index, dtype=object)
    frame["text"] = pd.array(["x", None, "y", "", "z", "z"], dtype=pd.StringDtype(na_value=pd.NA))
    frame["zone"] = pd.date_range("2026-03-29", periods=6, freq="h", tz="Europe/Berlin")
    frame["text group"] = frame["text"].astype("category")
    frame["interval"] = pd.cut(frame["nps"], [0, 3, 6, 10])
    frame["day group"] = (
        frame["date_started"].dt.tz_localize(None).dt.normalize().astype("category")
    )
    frame["flag group"] = pd.Categorical([True, None, False, True, True, False])
    frame["month"] = frame["day group"].astype("datetime64[us]").dt.to_period("M")
    for index in (frame.index, frame.index.astype(str), pd.RangeIndex(6)):
        there = frame.set_axis(index.rename(frame.index.name) if index.name else index)
        there.attrs = frame.attrs
        there.alchemer.to_parquet(tmp_path / "x.parquet")
        pd.testing.assert_frame_equal(al.read_parquet(tmp_path / "x.parquet"), there)
    deep = frame.reset_index().set_index(["status", "response_id"])
    deep.alchemer.to_parquet(tmp_path / "x.parquet")
    back = al.read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(back.reset_index(), deep.reset_index(), check_categorical=False)
    plain = pd.DataFrame({"a": [1, 2]})
    plain.alchemer.to_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(al.read_parquet(tmp_path / "x.parquet"), plain)


def rewritten(path, change):
    """The file with other entries in its footer."""
    with pq.ParquetFile(path) as file:
        table, footer = file.read(), dict(file.metadata.metadata)
    del footer[b"ARROW:schema"]
    change(footer)
    pq.write_table(table.replace_schema_metadata(footer), path)


def test_a_newer_format_is_named(df, tmp_path):
    path = tmp_path / "x.parquet"
    df.alchemer.to_parquet(path)
    rewritten(path, lambda footer: footer.update({b"alchemer_nb": b"2:whatever"}))
    with pytest.raises(ConfigurationError, match=r"newer alchemer_nb \(format 2"):
        al.read_parquet(path)
    assert len(pd.read_parquet(path)) == len(df)


@pytest.mark.parametrize("damage", ["cut", "altered", "nonsense", "empty map"])
def test_a_damaged_description_costs_the_description_alone(df, tmp_path, damage):
    path = tmp_path / "x.parquet"
    df.alchemer.to_parquet(path)
    key = b"alchemer_nb.description"
    good = pq.read_metadata(path).metadata[key]
    at = good.index(b'"meaning"') + 200
    bad = {
        "cut": good[: len(good) // 2],
        "altered": good[:at] + b"AAAA" + good[at + 4 :],
        "nonsense": b"\xff\xfe",
        "empty map": b"{}",
    }[damage]
    rewritten(path, lambda footer: footer.update({key: bad}))
    back = al.read_parquet(path)
    pd.testing.assert_frame_equal(back, df)
    with pytest.raises(KnowledgeLost, match="attach"):
        back.alchemer.relabel(names="id")
    assert df.alchemer.attach(back).alchemer.columns("nps") == ["nps"]


def test_damaged_dtypes_cost_the_dtypes_alone(df, tmp_path):
    path = tmp_path / "x.parquet"
    df.alchemer.to_parquet(path)
    good = pq.read_metadata(path).metadata[b"alchemer_nb"]
    for bad in (b"1:{nonsense", good.replace(b'"pyarrow"', b'"odd"')):
        rewritten(path, lambda footer, bad=bad: footer.update({b"alchemer_nb": bad}))
        with pytest.warns(UserWarning, match="exact dtypes are gone"):
            back = al.read_parquet(path)
        assert back["nps"].equals(df["nps"])


@pytest.mark.parametrize("damage", [b"{nonsense", b"\xff", b"[]", b'{"columns": 3}', b"[" * 5000])
def test_damaged_facts_of_pandas_cost_the_index_alone(df, tmp_path, damage):
    path = tmp_path / "x.parquet"
    df.alchemer.to_parquet(path)
    rewritten(path, lambda footer: footer.update({b"pandas": damage}))
    with pytest.warns(UserWarning, match="index is a column"):
        back = al.read_parquet(path)
    pd.testing.assert_series_equal(back.set_index("response_id")["nps"], df["nps"])


def test_what_parquet_cannot_hold_is_one_line_and_no_file(df, tmp_path):
    frame = df[["nps"]].head(2).copy()
    for name, values in {"mixed": [1, "x"], "lone": ["a\ud800", "b"]}.items():
        frame["odd"] = pd.Series(values, index=frame.index, dtype=object)
        with pytest.raises(InvalidArgument, match="Parquet cannot hold this frame") as caught:
            frame.alchemer.to_parquet(tmp_path / "x.parquet")
        assert len(str(caught.value).splitlines()) == 1, name
    twice = pd.concat([df["nps"], df["nps"]], axis=1)
    with pytest.raises(InvalidArgument, match=r"[Dd]uplicate"):
        twice.alchemer.to_parquet(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_text_with_nul_and_attrs_of_the_users_own(df, tmp_path):
    frame = df[["comments"]].head(2).copy()
    frame["nul"] = ["a\0b", "c"]
    frame.attrs["mine"] = {"a": 1}
    frame.attrs["odd"] = {1, 2}
    with pytest.warns(UserWarning, match="'odd'.* not JSON"):
        frame.alchemer.to_parquet(tmp_path / "x.parquet")
    back = al.read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs["mine"] == {"a": 1}
    assert "odd" not in back.attrs


def test_hand_made_answers_of_every_kind(scripted, tmp_path):
    frame = made(scripted)
    for part in (frame, frame.iloc[:1], frame.iloc[3:], frame.iloc[::-1]):
        back = there_and_back(part, tmp_path)
        part = drop_unused_texts(part, describe(part))  # as it is written
        pd.testing.assert_frame_equal(back, part)
        for choices in ({"names": "id"}, {"values": "id"}, {"values": "code", "multi": "list"}):
            wanted = part.alchemer.relabel(**choices)
            pd.testing.assert_frame_equal(back.alchemer.relabel(**choices), wanted)
        pd.testing.assert_frame_equal(part.alchemer.missing(), back.alchemer.missing())


def test_a_merged_frame_keeps_its_values_and_says_what_it_lost(df, tmp_path):
    merged = df.head().reset_index().merge(pd.DataFrame({"region": ["West"], "x": [1]}), how="left")
    back = there_and_back(merged, tmp_path)
    pd.testing.assert_frame_equal(back, merged)
    with pytest.raises(KnowledgeLost, match="carries no description"):
        back.alchemer.codebook  # noqa: B018  # the access is what is tested


@pytest.mark.parametrize(
    "values",
    [
        ["x", np.nan, "y"],
        ["x", None, np.nan],
        [np.nan, pd.NaT, pd.NA],
        [np.nan, np.nan, np.nan],
        [None, None, None],
        [["a"], np.nan, None],
        [True, np.nan, None],
        [1.5, None, np.nan],
    ],
    ids=str,
)
def test_each_kind_of_missing_among_objects_comes_back(values, tmp_path):
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    back = there_and_back(frame, tmp_path)["x"]
    assert back.dtype == object
    assert [repr(value) for value in back] == [repr(value) for value in values]


def test_rows_that_another_program_took_out_leave_plain_missing(tmp_path):
    frame = pd.DataFrame({"x": pd.Series(["x", np.nan, None], dtype=object)})
    path = tmp_path / "x.parquet"
    frame.alchemer.to_parquet(path)
    with pq.ParquetFile(path) as file:
        table, footer = file.read(), dict(file.metadata.metadata)
    del footer[b"ARROW:schema"]
    pq.write_table(table.slice(0, 2).replace_schema_metadata(footer), path)
    assert al.read_parquet(path)["x"].tolist() == ["x", None]


def test_reasons_too_large_for_a_footer_are_left_out_and_said(df, tmp_path):
    path, key = tmp_path / "x.parquet", b"alchemer_nb.description"
    with pytest.warns(UserWarning, match=r"take \d+\.\d MB, too much.*written without them"):
        write_parquet(df, path, most=100)
    back = al.read_parquet(path)
    pd.testing.assert_frame_equal(back, df)
    assert set(back.alchemer.missing()["nps"]) == {"answered", "unknown"}
    write_parquet(df, path)
    size = len(pq.read_metadata(path).metadata[key])
    write_parquet(df, path, most=size)  # what just fits is written, without a warning
    assert len(pq.read_metadata(path).metadata[key]) == size


def test_what_was_typed_beside_an_answer_goes_with_its_column(scripted, tmp_path):
    other = option(10009, "Other", "9", other=True)
    asked = [
        question(5, "TEXTBOX", "", "age", key="number"),
        question(6, "RADIO", "Where from", "where", [option(10001, "Web", "1"), other]),
        question(9, "CHECKBOX", "Channels", "channels", [option(10010, "Web", "2"), other]),
        question(4, "TEXTBOX", "", "day", key="date"),
    ]
    typed = {"10009": {"id": 10009, "option": "Other", "answer": "planted at the box"}}
    given = [
        response(1, {
            "5": {"answer": "planted at the number"},
            "6": {"answer": "planted at the choice", "answer_id": "10009-other"},
            "9": {"options": typed},
            "4": {"answer": "planted at the date"},
        }),
        response(2, {"5": {"answer": "4"}, "6": {"answer": "planted option", "answer_id": 10077}}),
    ]  # fmt: skip
    whole = serve(scripted, asked, given).responses(5, values="code", progress="none")
    beside = ["age_raw", "where_other", "where_raw", "channels_9_text", "day_raw"]
    assert whole[beside].notna().sum().tolist() == [1] * 5
    part = whole.drop(columns=beside)
    back = there_and_back(part, tmp_path)
    assert "planted" not in contents(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(back.alchemer.relabel(), part)
    pd.testing.assert_frame_equal(back.alchemer.missing(), part.alchemer.missing())
    for few in (part.loc[[1]], whole.loc[[1]]):
        there_and_back(few, tmp_path)
        assert "planted option" not in contents(tmp_path / "frame.parquet")


def test_what_was_answered_does_not_stay_behind_with_what_did_not_fit(scripted, tmp_path):
    other = option(10009, "Other", "9", other=True)
    asked = [
        question(5, "TEXTBOX", "", "age", key="number"),
        question(
            6, "RADIO", "", "where", [option(10001, "Web", "1"), option(10002, "Shop"), other]
        ),
        question(4, "TEXTBOX", "", "day", key="date"),
    ]
    given = [
        response(1, {"5": {"answer": "n/a"}, "4": {"answer": "soon"}, "6": {
            "answer": "At a fair", "answer_id": "10009-other"}}),
        response(2, {"5": {"answer": "4711"}, "4": {"answer": "1999-12-31"}, "6": {
            "answer": "Shop", "answer_id": 10002}}),
    ]  # fmt: skip
    whole = serve(scripted, asked, given).responses(5, progress="none")
    part = whole.drop(columns=["age", "where", "day"])
    back = there_and_back(part, tmp_path)
    text = contents(tmp_path / "frame.parquet")
    assert not [word for word in ("4711", "1999", "'Shop'") if word in text]
    pd.testing.assert_frame_equal(back, part)
    pd.testing.assert_frame_equal(back.alchemer.relabel(), part)
    pd.testing.assert_frame_equal(back.alchemer.missing(), part.alchemer.missing())


FOOTERS = [
    b"", b"null", b"1", b"[]", b"{}", b'"x"', b"1e999", b"\xff", b"[" * 3000 + b"]" * 3000,
    b'{"columns":' * 3000, b"9" * 5000, b"9" * 5000 + b":{}", b"1:[]",
    b'1:{"dtypes": [{"kind": 1}]}',
    b'{"index_columns": ["x"], "columns": [null], "column_indexes": [{}]}',
]  # fmt: skip


@pytest.mark.parametrize(
    "key", [b"pandas", b"PANDAS_ATTRS", b"alchemer_nb", b"alchemer_nb.description"]
)
def test_a_footer_that_somebody_has_changed_costs_no_value(scripted, tmp_path, key):
    asked = [question(2, "RADIO", "", "q", [option(10001, "Web", "1"), option(10002, "Shop", "2")])]
    given = [response(1, {"2": {"answer": "Web", "answer_id": 10001}}), response(2, {})]
    frame = serve(scripted, asked, given).responses(5, progress="none")
    frame.attrs["mine"] = 1
    frame.alchemer.to_parquet(tmp_path / "whole.parquet")
    with pq.ParquetFile(tmp_path / "whole.parquet") as file:
        table, footer = file.read(), dict(file.metadata.metadata)
    footer.pop(b"ARROW:schema", None)
    assert key in footer
    for changed in FOOTERS:
        bare = table.replace_schema_metadata({**footer, key: changed})
        pq.write_table(bare, tmp_path / "changed.parquet")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                back = al.read_parquet(tmp_path / "changed.parquet")
            except AlchemerError:
                continue
        assert back["q"].astype(str).tolist() == frame["q"].astype(str).tolist()
        assert back.reset_index()["response_id"].tolist() == [1, 2] or told
        with contextlib.suppress(AlchemerError):
            back.alchemer.codebook  # noqa: B018 - it reads the description


@pytest.mark.parametrize(
    "dtypes",
    [
        [{"kind": "category", "categories": ["other"]}, None],
        [None, {"kind": "moment", "name": "datetime64[ns, UTC]"}],
    ],
    ids=["categories", "dates"],
)
def test_dtypes_of_other_columns_lose_no_value(tmp_path, dtypes):
    path = tmp_path / "x.parquet"
    table = pa.table({"word": ["a", None, "b"], "number": [1, 2, 3]})
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        entry = json.dumps({"dtypes": dtypes}).encode()
        writer.add_key_value_metadata({b"alchemer_nb": b"1:" + entry})
    with pytest.warns(UserWarning, match="the exact dtypes are gone; the values are all there"):
        frame = al.read_parquet(path)
    assert frame["word"].dropna().tolist() == ["a", "b"]
    assert frame["number"].tolist() == [1, 2, 3]
