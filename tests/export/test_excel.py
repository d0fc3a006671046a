"""A workbook of responses and codebook: values as they were, no formula, no zone."""

from __future__ import annotations

import datetime
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument
from tests.conftest import credentials_for
from tests.export.frames import NO_DESCRIPTION, made, own_columns, ways_and_surveys


@pytest.fixture(scope="module")
def own(box):
    return al.Client(credentials_for(box, "api_key"), region=box.region)


def sheets(path):
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["responses", "codebook"]
    return book


WAYS = [{}, {"values": "code", "tz": "Asia/Tokyo"}, {"multi": "list"}, {"shape": "long"}]


@pytest.mark.parametrize(("way", "surveys"), ways_and_surveys(WAYS), ids=str)
def test_every_survey_is_read_back_with_its_values(own, tmp_path, way, surveys):
    path = tmp_path / "x.xlsx"
    for survey in surveys:
        df = own.responses(survey, progress="none", limit=100, **way)
        df.alchemer.to_excel(path)
        back = read(path)
        names = list(df.columns)
        if df.index.name:
            assert [row[0] for row in back[1:]] == df.index.tolist()
            names = [df.index.name, *names]
        assert list(back[0]) == names
        for place, name in enumerate(df.columns, len(names) - df.shape[1]):
            values = df[name]
            if isinstance(values.dtype, pd.DatetimeTZDtype):
                values = values.dt.tz_localize(None)
            wanted = [as_excel(value) for value in values.tolist()]
            got = [as_excel(row[place]) for row in back[1:]]
            assert got == wanted, name


def read(path):
    """What the cells hold, without pandas' guesses."""
    return [list(row) for row in sheets(path)["responses"].values]


def as_excel(value):
    """Lists joined, missing None, times to the second, texts as long as a cell allows."""
    if isinstance(value, list):
        return "; ".join(value) or None
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp | datetime.datetime):
        return pd.Timestamp(value).round("s")
    if isinstance(value, str) and len(value) > 32_767:
        return value[:32_766] + "…"
    return value


@NO_DESCRIPTION
def test_what_looks_like_a_formula_stays_text(tmp_path):
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "plain", "007"]
    pd.DataFrame({"t": texts, "=head": texts}).alchemer.to_excel(tmp_path / "x.xlsx")
    sheet = sheets(tmp_path / "x.xlsx")["responses"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.quotePrefix for cell in cells] == [True] * 5 + [False] * 2
    assert sheet["B1"].data_type == "s"
    assert sheet["B1"].value == "=head"


def test_the_codebook_tells_words_values_and_zones(scripted, tmp_path):
    df = made(scripted, tz="Europe/Berlin")
    book = df.alchemer.to_excel(tmp_path / "x.xlsx").set_index("column")
    sheet = pd.read_excel(tmp_path / "x.xlsx", sheet_name="codebook", index_col="column")
    assert sheet.index.tolist() == book.index.tolist()
    assert sheet.loc["with", "label"] == "How was it?"
    assert sheet.loc["with", "values"] == "Bad (1); Good (5); Don't know (99)"
    assert sheet.loc["colour", "values"] == "Red; Blue; Green"
    assert "Europe/Berlin" in sheet.loc["date_submitted", "notes"]
    first = pd.read_excel(tmp_path / "x.xlsx")["date_submitted"][0]
    assert first == pd.Timestamp("2026-01-15 16:42:26")
    assert sheet.loc["day", "type"] == "date"
    cells = [cell for row in sheets(tmp_path / "x.xlsx")["codebook"].values for cell in row]
    assert "nan" not in cells  # the index has no page, type or alias
    assert book.loc["response_id", ["page_title", "type", "alias", "reporting_value"]].isna().all()
    coded = df.alchemer.relabel(values="code").alchemer.to_excel(tmp_path / "y.xlsx")
    assert coded.set_index("column").loc["with", "values"] == "1 = Bad; 5 = Good; 99 = Don't know"


def test_odd_values_are_kept_or_said(scripted, tmp_path):
    df = own_columns(made(scripted))
    df["old"] = pd.Series(pd.to_datetime(["1899-12-30"] * 4)).to_numpy()
    df["large"] = [2**60, 1, 2, 3]
    df["long"] = ["x" * 40_000, "\x01bell", "a\U0001f600", "\uffff"]
    book = df.alchemer.to_excel(tmp_path / "x.xlsx").set_index("column")
    back = pd.read_excel(tmp_path / "x.xlsx")
    assert back["my_list"].fillna("").tolist() == ["a; b", "", "", "c"]
    assert back["my_flag"].tolist() == [True, False, True, False]
    place = read(tmp_path / "x.xlsx")[0].index("my_inf")
    assert [row[place] for row in read(tmp_path / "x.xlsx")[1:]] == ["inf", 1, "-inf", None]
    assert back["old"][0] == "1899-12-30 00:00:00"
    assert "1900" in book.loc["old", "notes"]
    assert str(back["large"][0]) == str(2**60)
    assert len(back["long"][0]) == 32_767
    assert back["long"].tolist()[1:] == ["\ufffdbell", "a\U0001f600", "\ufffd"]
    assert "control characters" in book.loc["long", "notes"]
    assert back["status_q5"][2] == "nul \ufffd here"
    assert back["my_time"].tolist()[:3] == [3600, 7200, 10800]
    assert back["day"][0] == pd.Timestamp(datetime.date(2025, 12, 31))


@NO_DESCRIPTION
def test_line_ends_and_what_looks_like_an_escape_come_back(tmp_path):
    """ECMA-376 part 1, 22.9.2.19: "_x0041_" is "A", and "_x005F_x0041_" is "_x0041_"."""
    texts = ["_x0041_", "a\r\nb", "a\rb", "_x0041_x000d_", "=_x0041_&<", "\r\n" * 16_000, "x005F_"]
    df = pd.DataFrame({"t": texts, "_x0042_\r": 1})
    df.alchemer.to_excel(tmp_path / "x.xlsx")
    pd.testing.assert_frame_equal(pd.read_excel(tmp_path / "x.xlsx"), df, check_dtype=False)
    assert read(tmp_path / "x.xlsx")[1] == ["_x0041_", 1]
    with zipfile.ZipFile(tmp_path / "x.xlsx") as archive:
        shared = archive.read("xl/sharedStrings.xml").decode()
        names = archive.read("[Content_Types].xml").decode()
        references = archive.read("xl/_rels/workbook.xml.rels").decode()
    assert ">_x005F_x0041_</t>" in shared
    assert ">_x005F_x0041_x005F_x000d_</t>" in shared
    assert "/xl/sharedStrings.xml" in names
    assert "/xl/sharedStrings.xml" in references
    cell = sheets(tmp_path / "x.xlsx")["responses"]["A6"]
    assert (cell.value, cell.quotePrefix) == ("=_x0041_&<", True)


def test_more_than_a_sheet_holds_is_refused(tmp_path):
    for frame in (
        pd.DataFrame({"a": np.zeros(1_048_576)}),
        pd.DataFrame(np.zeros((1, 16_385))),
    ):
        with pytest.raises(InvalidArgument, match=r"1,048,575 rows .* to_parquet"):
            frame.alchemer.to_excel(tmp_path / "x.xlsx")
    with pytest.raises(InvalidArgument, match="no columns"):
        pd.DataFrame().alchemer.to_excel(tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_frame_has_its_headings(scripted, tmp_path):
    made(scripted).iloc[:0].alchemer.to_excel(tmp_path / "x.xlsx")
    assert "colour" in pd.read_excel(tmp_path / "x.xlsx")
