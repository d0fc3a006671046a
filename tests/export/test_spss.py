"""What is written for SPSS is read back by pyreadstat with the same values and labels."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import alchemer_nb as al
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from tests.conftest import credentials_for
from tests.export.frames import (
    LONG_LABEL,
    NO_DESCRIPTION,
    OWN_CODES,
    made,
    own_columns,
    ways_and_surveys,
)

WAYS = [
    {},
    {"values": "code"},
    {"values": "id"},
    {"values": "both", "names": "text"},
    {"multi": "list"},
    {"shape": "long"},
    {"metadata": "all", "tz": "Europe/Berlin"},
]


@pytest.fixture(scope="module")
def own(box):
    return al.Client(credentials_for(box, "api_key"), region=box.region)


def as_shown(frame):
    """Values as a person reads them, for comparison: labels, 0/1, naive times, "" for none."""
    shown = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_localize(None)
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            texts = values.dt.strftime("%Y-%m-%d %H:%M:%S")
        elif pd.api.types.is_bool_dtype(values.dtype):
            texts = values.astype("Float64")
        else:
            texts = values
        joined = [
            "; ".join(v) if isinstance(v, list) else v
            for v in texts.astype(object).where(values.notna(), "").tolist()
        ]
        shown[name] = [str(float(v)) if isinstance(v, int | float) else v for v in joined]
    return shown


def labelled(raw, meta, flags):
    """What pyreadstat read, with its labels in place of labelled codes, but for flags."""
    frame = raw.copy()
    for name, labels in meta.variable_value_labels.items():
        if name not in flags:
            frame[name] = raw[name].map(lambda v, labels=labels: labels.get(v, v))
    for name in frame.columns:
        if meta.original_variable_types[name].startswith("DATE11"):
            frame[name] = pd.to_datetime(frame[name])
    return frame


def cut_as_spss(text):
    """SPSS keeps no blanks at the end of a text, and 32,767 bytes of it."""
    if not isinstance(text, str) or len(text.encode()) <= 32_767:
        return text.rstrip(" ") if isinstance(text, str) else text
    return text.encode()[:32_764].decode("utf-8", "ignore").rstrip() + "…"


@pytest.mark.parametrize(("way", "surveys"), ways_and_surveys(WAYS), ids=str)
@OWN_CODES
def test_every_survey_is_read_back_with_its_values(own, tmp_path, way, surveys):
    path = tmp_path / "all.sav"
    for survey in surveys:
        df = own.responses(survey, progress="none", limit=200, **way)
        names = df.alchemer.to_spss(path)
        raw, meta = pyreadstat.read_sav(path, user_missing=True)
        there = raw.set_axis(names["column"], axis=1)
        if df.index.name:
            assert there["response_id"].tolist() == df.index.tolist()
        meta_names = dict(zip(names["variable"], names["column"], strict=True))
        wanted = as_shown(df.rename(columns=str))
        flags = [v for v, n in meta_names.items() if n in df and df[n].dtype in ("bool", "boolean")]
        got = as_shown(labelled(raw, meta, flags).rename(columns=meta_names))
        for name in df.columns:
            if way.get("values") in ("code", "id") or name.endswith("_code"):
                continue  # codes have labels of their own: test_codes_keep_their_values
            assert got[name] == [cut_as_spss(text) for text in wanted[name]], name


def test_codes_keep_their_values(own, tmp_path):
    df = own.responses("Customer satisfaction", progress="none", values="code")
    df.alchemer.to_spss(tmp_path / "codes.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "codes.sav", user_missing=True)
    numbers = df.select_dtypes("number")
    for name in numbers:
        wanted = numbers[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        np.testing.assert_array_equal(raw[name].to_numpy(), wanted)
    assert meta.variable_value_labels["satisfaction"][99.0] == "Not applicable"


def test_codes_labels_measures_and_missing(scripted, tmp_path):
    df = made(scripted)
    with pytest.warns(UserWarning, match="^'colour': not all categories are options"):
        names = df.alchemer.to_spss(tmp_path / "x.sav").set_index("column")
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    assert names.loc["with", "variable"] == "v_with"
    assert names.loc["with", "renamed"]
    assert meta.column_names_to_labels["v_with"] == "How was it?"
    assert meta.variable_value_labels["v_with"] == {1: "Bad", 5: "Good", 99: "Don't know"}
    assert raw["v_with"].tolist()[:3] == [5, 99, 1]
    assert np.isnan(raw["v_with"][3])
    assert meta.missing_ranges == {"v_with": [{"lo": 99.0, "hi": 99.0}]}
    assert meta.variable_measure["v_with"] == "nominal"  # two steps are no scale
    # A category that the survey does not know: positions of all, and a warning.
    assert meta.variable_value_labels["colour"] == {1: "Red", 2: "Blue", 3: "Green"}
    assert raw["colour"].tolist()[:2] == [1, 3]
    assert names.loc["colour", "notes"] == "codes are positions of the categories"
    assert meta.variable_value_labels["half"] == {1.5: "a", 2.5: "b"}
    assert meta.variable_value_labels["channels_web"] == {0: "Not selected", 1: "Selected"}
    assert raw["channels_web"].tolist()[:2] == [1, 0]
    assert raw["channels_web"].isna().tolist() == [False, False, True, True]
    label = meta.column_names_to_labels["channels_shop"]
    assert label.endswith("…: Shop")
    assert len(label.encode()) <= 256
    assert names.loc["channels_shop", "label_cut"]
    assert meta.variable_value_labels["q8"][1.0] == LONG_LABEL[:117] + "…"
    assert meta.original_variable_types["day"] == "DATE11"
    assert meta.file_label == "Made by hand"
    assert "status" in raw
    assert raw["status_q5"].tolist() == [
        "=1+1",
        "two\nlines, ünïcode \U0001f600",
        "nul \ufffd here",
        "",
    ]
    assert "UTC" in names.loc["date_submitted", "notes"]


@OWN_CODES
def test_user_missing_can_be_left_out(scripted, tmp_path):
    made(scripted).alchemer.to_spss(tmp_path / "x.sav", user_missing=False)
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav")
    assert meta.missing_ranges == {}
    assert raw["v_with"].tolist()[:3] == [5, 99, 1]


@OWN_CODES
def test_multiple_response_sets_stand_beside_the_file(scripted, tmp_path):
    df = made(scripted)
    df.alchemer.to_spss(tmp_path / "x.sav")
    text = (tmp_path / "x.mrsets.sps").read_text("utf-8-sig")
    assert "/MDGROUP NAME=$channels\n" in text
    assert "    LABEL='It''s where? Why?" in text
    assert "VARIABLES=channels_web\n      channels_shop\n    VALUE=1" in text
    assert max(map(len, text.splitlines())) < 250
    df.drop(columns=["channels_web", "channels_shop"]).alchemer.to_spss(tmp_path / "x.sav")
    assert "MRSETS" not in (tmp_path / "x.mrsets.sps").read_text("utf-8-sig")
    df[["colour"]].alchemer.to_spss(tmp_path / "y.sav")
    assert not (tmp_path / "y.mrsets.sps").exists()


@OWN_CODES
def test_columns_of_the_users_own(scripted, tmp_path):
    df = own_columns(made(scripted)).drop(columns=["half"])
    names = df.alchemer.to_spss(tmp_path / "x.sav").set_index("column")
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    assert "half" not in names.index
    assert names.loc["my number", "variable"] == "my_number"
    assert names.loc["my number", "label"] == "my number"
    assert raw["my_number"].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert raw["my_list"].tolist() == ["a; b", "", "", "c"]
    assert raw["my_flag"].tolist() == [1, 0, 1, 0]
    assert meta.variable_value_labels["my_flag"] == {0: "No", 1: "Yes"}
    assert meta.variable_value_labels["my_group"][1] == "(0.497, 2.0]"
    assert meta.variable_measure["my_group"] == "ordinal"
    assert raw["my_tens"].tolist()[:3] == [10, 20, 10]
    assert raw["my_time"].tolist()[:3] == [3600, 7200, 10800]
    assert raw["my_mix"].tolist() == ["1", "x", "", "{'k': 1}"]
    assert "written as text" in names.loc["my_mix", "notes"]
    assert raw["my_money"].tolist()[2:] == [2, 3]
    assert raw["my_inf"].isna().tolist() == [True, False, True, True]
    assert "2 infinite" in names.loc["my_inf", "notes"]
    assert raw["my_lone"].tolist() == ["a\ufffd", "", "b", ""]
    assert str(raw["my_days"][0])[:10] == "2026-01-02"


def test_a_frame_from_elsewhere_and_one_that_forgot(scripted, tmp_path):
    plain = pd.DataFrame({"a": pd.Categorical(["x", "y"]), 5: [1, 2], ("b", "c"): ["t", None]})
    lost = "no description .*join .*attach.*stack_waves .*'a': not all .* plain=True"
    with pytest.warns(UserWarning, match=lost) as caught:
        names = plain.alchemer.to_spss(tmp_path / "x.sav")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert list(names["variable"]) == ["a", "v_5", "b_c"]
    merged = made(scripted).reset_index().merge(pd.DataFrame({"response_id": [1]}))
    with pytest.warns(UserWarning, match="'with', 'colour', 'half'"):
        merged.alchemer.to_spss(tmp_path / "x.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav")
    assert meta.variable_value_labels["v_with"] == {1: "Bad", 2: "Good", 3: "Don't know"}
    assert raw["v_with"].tolist() == [2]


def test_empty_frames(scripted, tmp_path):
    made(scripted).iloc[:0].alchemer.to_spss(tmp_path / "x.sav")
    _, meta = pyreadstat.read_sav(tmp_path / "x.sav")
    assert meta.variable_value_labels["v_with"][5] == "Good"
    with pytest.raises(InvalidArgument, match="no columns"):
        pd.DataFrame().alchemer.to_spss(tmp_path / "y.sav")


@NO_DESCRIPTION
def test_blanks_at_the_end_are_said(tmp_path):
    names = pd.DataFrame({"t": ["a ", "b"]}).alchemer.to_spss(tmp_path / "x.sav")
    assert names["notes"][0] == "1 with blanks at the end, which SPSS does not keep"
    pd.DataFrame({"t": ["a ", "b"]}).alchemer.to_stata(tmp_path / "x.dta")
    assert pyreadstat.read_dta(tmp_path / "x.dta")[0]["t"].tolist() == ["a ", "b"]


@NO_DESCRIPTION
def test_text_too_long_for_spss_is_cut_and_said(tmp_path):
    df = pd.DataFrame({"t": ["ü" * 40_000, "short"]})
    names = df.alchemer.to_spss(tmp_path / "x.sav")
    assert names["notes"][0] == "1 cut to 32,767 bytes"
    text = pyreadstat.read_sav(tmp_path / "x.sav")[0]["t"][0]
    assert text.endswith("ü…")
    assert 32_760 < len(text.encode()) <= 32_767


@pytest.mark.parametrize("method", ["to_spss", "to_stata", "to_excel", "to_parquet"])
def test_paths_that_do_not_fit(tmp_path, method):
    write = getattr(pd.DataFrame({"a": [1]}).alchemer, method)
    end = {"to_spss": ".sav", "to_stata": ".dta", "to_excel": ".xlsx", "to_parquet": ".parquet"}
    with pytest.raises(InvalidArgument, match="does not exist; make it first"):
        write(tmp_path / "nowhere" / f"x{end[method]}")
    with pytest.raises(InvalidArgument, match=f"ends in {end[method]}"):
        write(tmp_path / "x.csv")
    (tmp_path / f"x{end[method]}").mkdir()
    with pytest.raises(InvalidArgument, match="is a folder"):
        write(tmp_path / f"x{end[method]}")
    with pytest.raises(InvalidArgument, match="no file name"):
        write(f"a\0b{end[method]}")
    with pytest.raises(InvalidArgument, match="is a file name, not int"):
        write(5)
    assert [p.name for p in tmp_path.iterdir()] == [f"x{end[method]}"]


@pytest.mark.parametrize(
    ("package", "method", "end"),
    [
        ("pyreadstat", "to_spss", ".sav"),
        ("pyreadstat", "to_stata", ".dta"),
        ("openpyxl", "to_excel", ".xlsx"),
    ],
)
def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch, package, method, end):
    monkeypatch.setitem(sys.modules, package, None)  # what Python itself keeps for "cannot import"
    with pytest.raises(ConfigurationError, match=f"this needs {package}") as raised:
        getattr(pd.DataFrame({"a": [1]}).alchemer, method)(tmp_path / f"x{end}")
    # The package by its own name: that of ours is on no registry.
    assert re.search(rf'%pip install "{package}>=[\d.]+"', raised.value.hint)
    assert "alchemer" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@OWN_CODES
def test_a_failed_export_leaves_what_was_there(scripted, tmp_path):
    df = made(scripted)
    df[["colour"]].alchemer.to_spss(tmp_path / "x.sav")
    (tmp_path / "x.mrsets.sps").mkdir()
    before = (tmp_path / "x.sav").read_bytes()
    with pytest.raises(InvalidArgument, match="is a folder"):
        df.alchemer.to_spss(tmp_path / "x.sav")
    assert (tmp_path / "x.sav").read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"x.sav", "x.mrsets.sps"}


@contextmanager
def a_full_disk():
    """No file may grow beyond a few bytes, which is what a full disk is like."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize(
    ("method", "end"),
    [("to_spss", "sav"), ("to_stata", "dta"), ("to_excel", "xlsx"), ("to_parquet", "parquet")],
)
@NO_DESCRIPTION
def test_a_full_disk_leaves_no_half_written_file(tmp_path, method, end):
    df = pd.DataFrame({"a": np.arange(5000.0), "b": "text"})
    path = tmp_path / f"x.{end}"
    path.write_text("before")
    with a_full_disk(), pytest.raises(InvalidArgument) as caught:
        getattr(df.alchemer, method)(path)
    assert len(str(caught.value).splitlines()) == 1
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@NO_DESCRIPTION
def test_moments_outside_the_calendar_are_text(tmp_path):
    df = pd.DataFrame({"t": np.array(["1500-01-02T03:04:05", "NaT"], dtype="datetime64[s]")})
    df["late"] = np.array(["20000-01-01", "2026-01-01"], dtype="datetime64[s]")
    names = df.alchemer.to_spss(tmp_path / "x.sav")
    raw, _ = pyreadstat.read_sav(tmp_path / "x.sav")
    assert raw["t"].tolist() == ["1500-01-02T03:04:05", ""]
    assert raw["late"][0].startswith("20000-01-01")
    assert names["notes"].str.contains("calendar").all()


@OWN_CODES
def test_read_spss_gives_labels_as_categories(scripted, tmp_path):
    df = made(scripted)
    df.alchemer.to_spss(tmp_path / "x.sav")
    back = al.read_spss(tmp_path / "x.sav")
    assert back.index.equals(df.index)
    assert back["v_with"].tolist() == ["Good", "Don't know", "Bad", np.nan]
    assert list(back["v_with"].cat.categories) == ["Bad", "Good", "Don't know"]
    pd.testing.assert_series_equal(back["channels_web"], df["channels_web"])
    pd.testing.assert_series_equal(back["day"], df["day"])
    assert back["status"].cat.ordered
    book = back.alchemer.codebook.set_index("column_id")
    assert book.loc["colour", "question"] == "Which colour?"
    assert list(back.alchemer.find("colour")["column"]) == ["colour"]
    assert back.alchemer.facts["title"] == "Made by hand"


def test_read_spss_puts_not_applicable_on_no_scale(tmp_path):
    steps = pd.DataFrame({"how": [1.0, 2.0, 99.0]})
    labels = {"how": {1: "Bad", 2: "Good", 99: "Not applicable"}}
    for aside in ({}, {"how": [{"lo": 99, "hi": 99}]}):
        path = tmp_path / "steps.sav"
        pyreadstat.write_sav(
            steps, path, variable_value_labels=labels, missing_ranges=aside,
            variable_measure={"how": "ordinal"},
        )  # fmt: skip
        how = al.read_spss(path)["how"]
        assert how.tolist() == ["Bad", "Good", "Not applicable"]
        assert how.cat.ordered is (not aside)


def test_read_spss_of_a_foreign_file(tmp_path):
    raw = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, np.nan], "c": ["x", "", "z"]})
    pyreadstat.write_sav(
        raw,
        tmp_path / "f.sav",
        variable_value_labels={"a": {1.0: "one"}, "b": {1.0: "same", 2.0: "same"}},
    )
    df = al.read_spss(str(tmp_path / "f.sav"))
    assert df["a"].tolist() == [1, 2, 3]  # not all are labelled: nothing is lost
    assert df["b"].tolist() == ["same [1]", "same [2]", np.nan]
    assert df["c"].isna().tolist() == [False, True, False]
