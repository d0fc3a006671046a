"""Labelled files of other programs: ids, labels, codes and user-missing values as in the file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument
from tests.export.frames import OWN_CODES, made

LABELS = {0: "None", 2: "Some", 9: "All", -99: "Refused"}


def sav(folder, data, **options):
    path = folder / "in.sav"
    pyreadstat.write_sav(pd.DataFrame(data), path, **options)
    return path


def steps(folder):
    """Codes 0, 2, 9, of which -99 is user-missing."""
    return sav(
        folder,
        {"how": [0.0, 9.0, -99.0, 2.0]},
        variable_value_labels={"how": LABELS},
        missing_ranges={"how": [{"lo": -99, "hi": -99}]},
        variable_measure={"how": "ordinal"},
        column_labels={"how": "How much?"},
    )


@pytest.mark.parametrize(
    ("ids", "index"),
    [
        (["R7", "r7", "ü 8"], ["R7", "r7", "ü 8"]),
        ([3.0, 1.0, 2.0], [3, 1, 2]),
        ([1.5, 2.0, 3.0], [1.5, 2.0, 3.0]),
        (["007", "7", "x"], ["007", "7", "x"]),
    ],
    ids=str,
)
def test_response_ids_are_numbers_or_texts(tmp_path, ids, index):
    data = {"response_id": ids, "a": [1.0, 2.0, 3.0]}
    pyreadstat.write_dta(pd.DataFrame(data), tmp_path / "in.dta")
    for df in (al.read_spss(sav(tmp_path, data)), al.read_stata(tmp_path / "in.dta")):
        assert df.index.name == "response_id"
        assert df.index.tolist() == index
        assert df["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("ids", [["a", "a", "b"], ["a", "", "b"], [1.0, np.nan, 2.0]], ids=str)
def test_ids_that_name_no_response_stay_a_column(tmp_path, ids):
    df = al.read_spss(sav(tmp_path, {"response_id": ids, "a": [1.0, 2.0, 3.0]}))
    assert list(df) == ["response_id", "a"]


def test_labels_of_strings_are_categories_and_written_again(tmp_path):
    data = {"sex": ["M", "F", "", "M"], "partly": ["M", "x", "F", ""]}
    labels = {"M": "Male", "F": "Female", "Z": "Nobody"}
    path = sav(tmp_path, data, variable_value_labels={"sex": labels, "partly": labels})
    df = al.read_spss(path)
    assert df["sex"].tolist() == ["Male", "Female", np.nan, "Male"]
    assert df["sex"].cat.categories.tolist() == ["Female", "Male", "Nobody"]
    assert df["partly"].tolist() == ["M", "x", "F", np.nan]  # not all have one: nothing is lost
    df.alchemer.to_spss(tmp_path / "out.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "out.sav")
    assert raw["sex"].tolist() == ["M", "F", "", "M"]
    assert meta.variable_value_labels["sex"] == labels
    df.alchemer.to_stata(tmp_path / "out.dta")  # in Stata only numbers have labels
    raw, meta = pyreadstat.read_dta(tmp_path / "out.dta")
    assert meta.variable_value_labels["sex"] == {1: "Female", 2: "Male", 3: "Nobody"}
    assert raw["sex"].tolist()[:2] == [2, 1]


def test_user_missing_texts(tmp_path):
    path = sav(
        tmp_path,
        {"sex": ["M", "x", "F"]},
        variable_value_labels={"sex": {"M": "Male", "F": "Female", "x": "Refused"}},
        missing_ranges={"sex": ["x"]},
    )
    assert al.read_spss(path)["sex"].tolist() == ["Male", "Refused", "Female"]
    df = al.read_spss(path, user_missing=False)
    assert df["sex"].tolist() == ["Male", np.nan, "Female"]
    assert df["sex"].cat.categories.tolist() == ["Female", "Male"]
    al.read_spss(path).alchemer.to_spss(tmp_path / "out.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "out.sav", user_missing=True)
    assert raw["sex"].tolist() == ["M", "x", "F"]
    assert meta.missing_ranges["sex"] == [{"lo": "x", "hi": "x"}]


def test_codes_of_the_file_are_written_again(tmp_path):
    df = al.read_spss(steps(tmp_path))
    assert df["how"].tolist() == ["None", "All", "Refused", "Some"]
    df.alchemer.to_spss(tmp_path / "out.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "out.sav", user_missing=True)
    assert raw["how"].tolist() == [0, 9, -99, 2]
    assert meta.variable_value_labels["how"] == LABELS
    assert meta.missing_ranges["how"] == [{"lo": -99, "hi": -99}]
    assert meta.column_names_to_labels["how"] == "How much?"
    assert meta.variable_measure["how"] == "ordinal"
    df.alchemer.to_stata(tmp_path / "out.dta")
    raw, meta = pyreadstat.read_dta(tmp_path / "out.dta", user_missing=True)
    assert raw["how"].tolist() == [0, 9, "e", 2]
    again = al.read_stata(tmp_path / "out.dta")
    assert again["how"].tolist() == df["how"].tolist()
    again.alchemer.to_spss(tmp_path / "out.sav")
    assert pyreadstat.read_sav(tmp_path / "out.sav")[0]["how"].tolist()[:2] == [0, 9]
    again.iloc[:2].alchemer.to_stata(tmp_path / "out.dta")
    assert pyreadstat.read_dta(tmp_path / "out.dta")[0]["how"].tolist() == [0, 9]


def test_a_label_that_was_renamed_has_no_code_of_the_file(tmp_path):
    df = al.read_spss(steps(tmp_path))
    df["how"] = df["how"].cat.rename_categories({"Some": "A few"})
    with pytest.warns(UserWarning, match="'how': not all categories"):
        df.alchemer.to_spss(tmp_path / "out.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "out.sav", user_missing=True)
    assert raw["how"].tolist() == [2, 4, 1, 3]
    assert meta.missing_ranges["how"] == [{"lo": 1, "hi": 1}]  # "Refused"


def test_user_missing_is_a_value_or_nan(tmp_path):
    path = sav(
        tmp_path,
        {"age": [20.0, 40.0, -99.0, -2.0]},
        missing_ranges={"age": [{"lo": -5, "hi": -1}, {"lo": -99, "hi": -99}]},
    )
    assert al.read_spss(path)["age"].tolist() == [20, 40, -99, -2]
    df = al.read_spss(path, user_missing=False)
    assert df["age"].mean() == 30
    assert al.read_spss(steps(tmp_path))["how"].cat.ordered is False
    how = al.read_spss(steps(tmp_path), user_missing=False)["how"]
    assert how.tolist() == ["None", "All", np.nan, "Some"]
    assert how.cat.categories.tolist() == ["None", "Some", "All"]
    assert how.cat.ordered


def test_labels_of_numbers_that_are_not_all_labelled_are_written_again(tmp_path):
    path = sav(
        tmp_path,
        {"age": [20.0, 150.0, -99.0]},
        variable_value_labels={"age": {150: "Old", -99: "Refused"}},
        missing_ranges={"age": [{"lo": -99, "hi": -99}]},
    )
    df = al.read_spss(path)
    assert df["age"].tolist() == [20, 150, -99]
    df.alchemer.to_spss(tmp_path / "out.sav")
    raw, meta = pyreadstat.read_sav(tmp_path / "out.sav", user_missing=True)
    assert raw["age"].tolist() == [20, 150, -99]
    assert meta.variable_value_labels["age"] == {150: "Old", -99: "Refused"}
    assert pyreadstat.read_sav(tmp_path / "out.sav")[0]["age"].mean() == 85


def test_labels_that_come_twice_have_their_codes(tmp_path):
    labels = {1: "same", 2: "same", 3: "same [1]"}
    path = sav(tmp_path, {"a": [1.0, 2.0, 3.0]}, variable_value_labels={"a": labels})
    df = al.read_spss(path)
    assert df["a"].tolist() == ["same [1]", "same [2]", "same [1] [3]"]
    df.alchemer.to_spss(tmp_path / "out.sav")
    _, meta = pyreadstat.read_sav(tmp_path / "out.sav")
    assert meta.variable_value_labels["a"] == labels


def test_stata_files_of_other_programs(tmp_path):
    foreign = pd.DataFrame(
        {
            "how": pd.Categorical(["good", "bad", None], ["bad", "good"]),
            "n": [1.5, np.nan, 3.0],
            "t": ["a", "", "ü"],
            "day": pd.to_datetime(["2026-01-02", None, "1999-12-31"]),
        }
    )
    foreign.to_stata(
        tmp_path / "in.dta", write_index=False, convert_dates={"day": "td"}, version=118,
        variable_labels={"how": "How was it?"},
    )  # fmt: skip
    df = al.read_stata(str(tmp_path / "in.dta"))
    assert df["how"].tolist() == ["good", "bad", np.nan]
    assert df["how"].cat.categories.tolist() == ["bad", "good"]
    assert df["n"].isna().tolist() == [False, True, False]
    assert df["t"].isna().tolist() == [False, True, False]
    assert df["day"].dtype == "datetime64[us]"
    assert df["day"][2] == pd.Timestamp("1999-12-31")
    assert df.alchemer.codebook.set_index("column_id").loc["how", "question"] == "How was it?"


def test_missing_values_of_stata_are_categories_or_nan(tmp_path):
    cells = pd.Categorical([1.0, "b", 5.0, "z"], pd.Index(["b", "z", 1.0, 5.0], dtype=object))
    pyreadstat.write_dta(
        pd.DataFrame({"how": cells[:3], "n": cells[1:], "only": ["b"] * 3}),
        tmp_path / "in.dta",
        variable_value_labels={"how": {1: "Bad", 5: "Good", "b": "Refused"}},
        missing_user_values={"how": ["b"], "n": ["b", "z"], "only": ["b"]},
    )
    df = al.read_stata(tmp_path / "in.dta")
    assert df["how"].tolist() == ["Bad", "Refused", "Good"]
    assert df["how"].cat.categories.tolist() == ["Bad", "Good", "Refused"]
    assert df["n"].isna().tolist() == [True, False, True]
    assert df["only"].isna().all()
    df = al.read_stata(tmp_path / "in.dta", user_missing=False)
    assert df["how"].tolist() == ["Bad", np.nan, "Good"]
    assert df["how"].cat.categories.tolist() == ["Bad", "Good"]


@OWN_CODES
def test_a_survey_comes_back_from_stata(scripted, tmp_path):
    df = made(scripted)
    df.alchemer.to_stata(tmp_path / "x.dta")
    back = al.read_stata(tmp_path / "x.dta")
    assert back.index.equals(df.index)
    assert back["v_with"].tolist() == ["Good", "Don't know", "Bad", np.nan]
    pd.testing.assert_series_equal(back["channels_web"], df["channels_web"])
    pd.testing.assert_series_equal(back["day"], df["day"])
    assert back.alchemer.facts["title"] == "Made by hand"


@OWN_CODES
def test_kinds_of_missing_come_back_as_asked(scripted, tmp_path):
    df = made(scripted)
    df.alchemer.to_stata(tmp_path / "x.dta", missing="kinds")
    df.alchemer.to_spss(tmp_path / "x.sav", missing="kinds")
    for read, name in ((al.read_stata, "x.dta"), (al.read_spss, "x.sav")):
        as_values = read(tmp_path / name)
        assert as_values["v_with"].tolist() == ["Good", "Don't know", "Bad", "unknown"]
        plain = read(tmp_path / name, user_missing=False)
        assert plain["v_with"].tolist() == ["Good", np.nan, "Bad", np.nan]
        pd.testing.assert_series_equal(plain["channels_web"], df["channels_web"])


@pytest.mark.parametrize(
    ("read", "ending", "kind"),
    [
        (al.read_stata, "dta", "as a Stata file"),
        (al.read_spss, "sav", "as an SPSS file"),
        (al.read_parquet, "parquet", "as Parquet"),
    ],
)
def test_files_that_are_none(tmp_path, read, ending, kind):
    with pytest.raises(InvalidArgument, match="there is no file"):
        read(tmp_path / f"none.{ending}")
    bad = tmp_path / f"bad.{ending}"
    bad.write_bytes(b"something else")
    with pytest.raises(InvalidArgument, match=f"cannot be read {kind}"):
        read(bad)
    with pytest.raises(InvalidArgument, match="is a file name, not int"):
        read(5)
    if ending != "parquet":
        with pytest.raises(InvalidArgument, match=rf"ends in \.{ending}"):
            read(__file__)
