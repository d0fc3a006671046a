"""What is written for Stata is read back by pyreadstat with the same values and labels."""

from __future__ import annotations

import pandas as pd
import pyreadstat
import pytest

import alchemer_nb as al
from tests.conftest import credentials_for
from tests.export.frames import NO_DESCRIPTION, OWN_CODES, made, own_columns, ways_and_surveys


@pytest.fixture(scope="module")
def own(box):
    return al.Client(credentials_for(box, "api_key"), region=box.region)


WAYS = [{}, {"values": "code"}, {"values": "both", "names": "text"}, {"shape": "long"}]


@pytest.mark.parametrize(("way", "surveys"), ways_and_surveys(WAYS), ids=str)
@OWN_CODES
def test_every_survey_is_read_back_as_pandas_reads_spss(own, tmp_path, way, surveys):
    """Both files hold the same; what the one for SPSS holds is shown in its own tests."""
    for survey in surveys:
        df = own.responses(survey, progress="none", limit=150, **way)
        stata = df.alchemer.to_stata(tmp_path / "x.dta")
        spss = df.alchemer.to_spss(tmp_path / "x.sav")
        raw, meta = pyreadstat.read_dta(tmp_path / "x.dta")
        other, other_meta = pyreadstat.read_sav(tmp_path / "x.sav")  # missing values as NaN
        assert list(raw.columns) == list(stata["variable"])
        assert list(stata["column"]) == list(spss["column"])
        for mine, theirs in zip(raw.columns, other.columns, strict=True):
            a, b = raw[mine], other[theirs]
            if a.dtype == b.dtype == float:
                pd.testing.assert_series_equal(a, b, check_names=False)
            else:
                mine_texts = [str(v).rstrip(" ") for v in a.fillna("")]
                pairs = zip(mine_texts, [str(v) for v in b.fillna("")], strict=True)
                assert [p for p in pairs if p[0] != p[1] and len(p[0]) < 30_000] == []
            labels = meta.variable_value_labels.get(mine, {})
            theirs = other_meta.variable_value_labels.get(theirs, {})
            assert {c: t for c, t in labels.items() if isinstance(c, int)}.items() <= theirs.items()
            assert sorted(labels.values()) == sorted(theirs.values())


@OWN_CODES
def test_labels_names_and_whole_codes(scripted, tmp_path):
    df = made(scripted)
    df["größe der schuhe, und noch viel mehr davon"] = 1.5
    names = df.alchemer.to_stata(tmp_path / "x.dta").set_index("column")
    raw, meta = pyreadstat.read_dta(tmp_path / "x.dta")
    assert meta.variable_value_labels["v_with"] == {1: "Bad", 5: "Good", "e": "Don't know"}
    assert meta.variable_value_labels["half"] == {1: "a", 2: "b"}  # 1.5 can have no label
    assert raw["half"].tolist()[:1] == [1]
    label = meta.column_names_to_labels["channels_shop"]
    assert len(label) <= 80
    assert label.endswith("…: Shop")
    assert meta.original_variable_types["day"] == "%td"
    assert meta.original_variable_types["date_submitted"] == "%tc"
    assert len(meta.variable_value_labels["q8"][1]) == 10_000
    assert names.loc["größe der schuhe, und noch viel mehr davon", "variable"] in raw
    assert raw["status_q5"].tolist()[1] == "two\nlines, ünïcode \U0001f600"


@NO_DESCRIPTION
def test_numbers_beyond_those_of_stata_are_missing_and_said(tmp_path):
    names = pd.DataFrame({"a": [1e308, 1.0]}).alchemer.to_stata(tmp_path / "x.dta")
    assert pyreadstat.read_dta(tmp_path / "x.dta")[0]["a"].isna().tolist() == [True, False]
    assert "too large" in names["notes"][0]


@OWN_CODES
def test_columns_of_the_users_own(scripted, tmp_path):
    own_columns(made(scripted)).alchemer.to_stata(tmp_path / "x.dta")
    raw, _ = pyreadstat.read_dta(tmp_path / "x.dta")
    assert raw["my_list"].tolist() == ["a; b", "", "", "c"]
    assert raw["my_tens"].tolist()[:3] == [10, 20, 10]


@NO_DESCRIPTION
def test_a_great_many_labelled_columns(tmp_path):
    """The reader names a set of labels as its column and a number: that has to fit as well."""
    wide = {f"question_with_a_very_long_name_{n}": [True, False] for n in range(1200)}
    names = pd.DataFrame(wide).alchemer.to_stata(tmp_path / "x.dta")
    raw, meta = pyreadstat.read_dta(tmp_path / "x.dta")
    assert list(raw.columns) == list(names["variable"])
    assert len(meta.variable_value_labels) == 1200
