"""Labelled files, read back with other people's readers."""

from __future__ import annotations

import re

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client, read_spss
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.sandbox import Sandbox
from tests.export.frames import OWN_CODES, SURVEYS
from tests.survey_json import LIKERT, frame, option, question, response


@pytest.fixture(scope="module")
def client():
    with Sandbox(responses=150, types=True) as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def df(client):
    return client.responses("Customer satisfaction", progress="none")


def test_spss_gives_back_values_and_labels(df, tmp_path):
    told = df.alchemer.to_spss(tmp_path / "c.sav", user_missing=False)
    assert list(told["column"]) == ["response_id", *df.columns]
    read, meta = pyreadstat.read_sav(tmp_path / "c.sav")
    names = dict(zip(told["column"], told["variable"], strict=True))
    assert list(read.columns) == list(told["variable"])
    assert len(read) == len(df)
    assert read[names["nps"]].fillna(-1).tolist() == df["nps"].fillna(-1).tolist()
    labels = meta.variable_value_labels[names["satisfaction"]]
    assert labels[5.0] == "Very satisfied"
    assert labels[99.0] == "Not applicable"
    back = read[names["satisfaction"]].map(labels)
    assert back.fillna("").tolist() == df["satisfaction"].astype("object").fillna("").tolist()
    assert "satisfied" in meta.column_names_to_labels[names["satisfaction"]]
    web = read[names["channels_web"]]
    assert web.isna().tolist() == df["channels_web"].isna().tolist()
    assert web.dropna().astype(bool).tolist() == df["channels_web"].dropna().tolist()
    # SPSS pads text with blanks, so that those at its end are not told from the padding.
    assert read[names["comments"]].tolist() == df["comments"].fillna("").str.rstrip().tolist()
    syntax = (tmp_path / "c.mrsets.sps").read_text(encoding="utf-8-sig")
    assert "MRSETS" in syntax
    assert names["channels_web"] in syntax


def test_what_was_written_reads_back_as_a_frame(df, tmp_path):
    df.alchemer.to_spss(tmp_path / "c.sav")
    again = read_spss(tmp_path / "c.sav")
    assert again.index.tolist() == df.index.tolist()
    for name in ("satisfaction", "region"):
        told = again[name].astype("object").fillna("").tolist()
        assert told == df[name].astype("object").fillna("").tolist()
    assert again["channels_web"].isna().tolist() == df["channels_web"].isna().tolist()
    with pytest.raises(InvalidArgument):
        read_spss(tmp_path / "none.sav")


def test_not_applicable_is_user_missing_where_asked(df, tmp_path):
    told = df.alchemer.to_spss(tmp_path / "c.sav")
    names = dict(zip(told["column"], told["variable"], strict=True))
    _, meta = pyreadstat.read_sav(tmp_path / "c.sav", user_missing=True)
    ranges = meta.missing_ranges[names["satisfaction"]]
    assert {"lo": 99.0, "hi": 99.0} in ranges


def test_stata_gives_back_values_and_labels(df, tmp_path):
    told = df.alchemer.to_stata(tmp_path / "c.dta")
    names = dict(zip(told["column"], told["variable"], strict=True))
    read, meta = pyreadstat.read_dta(tmp_path / "c.dta", user_missing=True)
    assert len(read) == len(df)
    labels = meta.variable_value_labels[names["satisfaction"]]
    back = read[names["satisfaction"]].map(labels)
    assert back.fillna("").tolist() == df["satisfaction"].astype("object").fillna("").tolist()
    assert all(len(name) <= 32 for name in read.columns)


def test_excel_holds_answers_and_codebook_and_no_formula(df, tmp_path):
    odd = df.assign(mine="=1+1")
    odd.alchemer.to_excel(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    assert book.sheetnames == ["responses", "codebook"]
    read = pd.read_excel(tmp_path / "c.xlsx", sheet_name="responses")
    assert len(read) == len(df)
    assert read["nps"].fillna(-1).tolist() == df["nps"].fillna(-1).tolist()
    assert set(read["mine"]) == {"=1+1"}
    header = [cell.value for cell in book["responses"][1]]
    column = header.index("mine") + 1
    assert book["responses"].cell(2, column).data_type == "s"


@pytest.mark.parametrize(
    ("survey", "values"),
    [
        pytest.param(survey, values, marks=pytest.mark.long if (number + turn) % 3 else ())
        for number, survey in enumerate([*SURVEYS, "Every question type", "Brand tracker"])
        for turn, values in enumerate(["label", "code"])
    ],
)
@OWN_CODES
def test_every_survey_is_written_by_all(client, survey, values, tmp_path):
    frame_ = client.responses(survey, values=values, limit=50, progress="none")
    for kind, method in (("sav", "to_spss"), ("dta", "to_stata"), ("xlsx", "to_excel")):
        getattr(frame_.alchemer, method)(tmp_path / f"x.{kind}")
    read, _ = pyreadstat.read_sav(tmp_path / "x.sav")
    assert len(read) == len(frame_)
    assert not [p for p in tmp_path.iterdir() if p.suffix not in (".sav", ".dta", ".xlsx", ".sps")]


@given(aliases=st.lists(st.text(st.characters(codec="utf-8"), max_size=80), min_size=1, max_size=6))
@settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
def test_names_are_legal_and_unique_for_any_aliases(scripted, tmp_path_factory, aliases):
    folder = tmp_path_factory.mktemp("names")
    asked = [question(i, "TEXTBOX", "?", alias, key="text") for i, alias in enumerate(aliases, 2)]
    made = frame(scripted, asked, [response(1, {"2": {"answer": "x"}})], metadata="none")
    spss = list(made.alchemer.to_spss(folder / "a.sav")["variable"])
    stata = list(made.alchemer.to_stata(folder / "a.dta")["variable"])
    assert len({name.casefold() for name in spss}) == len(spss) == len(aliases) + 1
    assert len(set(stata)) == len(stata)
    assert all(len(name.encode()) <= 64 for name in spss)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", name) for name in stata)


def test_long_labels_odd_text_and_own_columns(scripted, tmp_path):
    options = [*LIKERT, option(10009, "L" * 10_000, "9")]
    asked = [
        question(2, "RADIO", "W" * 10_000, "class", options),
        question(3, "TEXTBOX", "", "status", key="text"),
    ]
    data = {"2": {"answer": "9", "answer_id": 10009}, "3": {"answer": "a\x00b"}}
    made = frame(scripted, asked, [response(1, data)])
    made = made.assign(own=[1.5], flag=[True], words=["x"])
    told = made.alchemer.to_spss(tmp_path / "a.sav")
    assert told["label_cut"].any()
    made.alchemer.to_stata(tmp_path / "a.dta")
    made.alchemer.to_excel(tmp_path / "a.xlsx")
    read, _ = pyreadstat.read_sav(tmp_path / "a.sav")
    assert read.iloc[0][told.set_index("column").loc["own", "variable"]] == 1.5


@pytest.mark.parametrize(
    ("method", "name"),
    [("to_spss", "x.sav"), ("to_stata", "x.dta"), ("to_excel", "x.xlsx")],
)
def test_a_path_that_does_not_fit_says_so(df, tmp_path, method, name):
    write = getattr(df.alchemer, method)
    with pytest.raises(InvalidArgument) as caught:
        write(tmp_path / "no such folder" / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidArgument):
        write(tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []
