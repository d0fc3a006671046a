"""Any survey can be exported, and no answer is missing in the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.export.frames import OWN_CODES
from tests.frame.test_types_properties import frame_of, surveys

LOOSE = settings(suppress_health_check=list(HealthCheck))


@given(
    made=surveys(),
    names=st.sampled_from(["alias", "id", "text"]),
    values=st.sampled_from(["label", "code", "id", "both"]),
    way=st.sampled_from([{}, {"multi": "list"}, {"shape": "long"}]),
)
@LOOSE
@OWN_CODES
def test_as_many_answers_as_in_the_frame(made, names, values, way):
    asked, given_ = made
    df = frame_of(asked, given_, names=names, values=values, **way)
    wanted = [[answered(value) for value in df[name].tolist()] for name in df]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        df.alchemer.to_excel(base / "x.xlsx")
        sheet = list(openpyxl.load_workbook(base / "x.xlsx")["responses"].values)[1:]
        spss = df.alchemer.to_spss(base / "x.sav")
        stata = df.alchemer.to_stata(base / "x.dta")
        sav, sav_meta = pyreadstat.read_sav(base / "x.sav", user_missing=True)
        dta, dta_meta = pyreadstat.read_dta(base / "x.dta", user_missing=True)
    first = 0 if df.index.name is None else 1
    assert [[row[first + n] is not None for row in sheet] for n in range(df.shape[1])] == wanted
    for table, read, meta in ((spss, sav, sav_meta), (stata, dta, dta_meta)):
        assert list(read.columns) == list(table["variable"])
        for place, name in enumerate(table["variable"][first:]):
            assert [answered(value) for value in read[name].tolist()] == wanted[place], name
            if isinstance(df.iloc[:, place].dtype, pd.CategoricalDtype):
                labels = meta.variable_value_labels.get(name, {})
                assert set(read[name].dropna()) <= set(labels)


@given(made=surveys(), values=st.sampled_from(["label", "code", "id", "both"]))
@LOOSE
@OWN_CODES
def test_kinds_of_missing_change_no_answer(made, values):
    asked, given_ = made
    df = frame_of(asked, given_, values=values)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for kinds in ("empty", "kinds"):
            df.alchemer.to_spss(base / f"{kinds}.sav", missing=kinds)
            df.alchemer.to_stata(base / f"{kinds}.dta", missing=kinds)
        stata = [pyreadstat.read_dta(base / f"{kinds}.dta")[0] for kinds in ("empty", "kinds")]
        spss = [pyreadstat.read_sav(base / f"{kinds}.sav")[0] for kinds in ("empty", "kinds")]
    pd.testing.assert_frame_equal(*stata)
    pd.testing.assert_frame_equal(*spss)


def answered(value):
    if isinstance(value, list):
        return bool(value)
    return value is not None and not pd.isna(value) and value != ""
