"""Multi-selects as columns of lists: known to the codebook, to missing, to redact and to files."""

from __future__ import annotations

import copy
import json

import pandas as pd
import pytest

import alchemer_nb as al
from tests.conftest import credentials_for
from tests.survey_json import option, question, response, serve

SURVEY = "Customer satisfaction"


@pytest.fixture(scope="module")
def received(box):
    """The same answers as lists and as columns."""
    client = al.Client(credentials_for(box, "api_key"), region=box.region)
    return [
        client.responses(SURVEY, multi=multi, metadata="none", progress="none")
        for multi in ("list", "columns")
    ]


@pytest.fixture
def lists(received):
    return copy.deepcopy(received[0])


@pytest.fixture
def columns(received):
    return copy.deepcopy(received[1])


def test_every_column_of_the_frame_has_its_row_in_the_codebook(lists, columns):
    book = lists.alchemer.codebook
    urls = [name for name in lists if name.startswith("url_")]
    assert [*book["column_alias"]] == [*lists.columns]
    row = book.set_index("column_alias").loc["channels"]
    assert (row["part"], row["column_id"], row["question_id"]) == ("list", "q14", "14")
    apart = columns.alchemer.codebook.set_index("column_alias")
    for count in ("n_asked", "n_answered"):
        assert row[count] == apart.loc["channels_web", count]
    assert row["question"] == apart.loc["channels_web", "question"]
    assert urls == [name for name in columns if name.startswith("url_")]


def test_a_list_is_found_and_knows_its_options(lists, columns):
    assert lists.alchemer.columns("channels") == ["channels"]
    assert lists.alchemer.columns(14) == ["channels"]
    assert "channels" in [*lists.alchemer.find("channels")["column"]]
    told = lists.alchemer.options.set_index("column").loc["channels"]
    chosen = {each for cell in lists["channels"].dropna() for each in cell}
    assert chosen <= set(told["label"])
    assert len(told) == len(columns.alchemer.columns("channels"))


def test_missing_and_bases_are_those_of_the_options(lists, columns):
    kinds = lists.alchemer.missing()["channels"].astype(str)
    assert kinds.equals(columns.alchemer.missing()["channels_web"].astype(str).rename("channels"))
    pd.testing.assert_frame_equal(lists.alchemer.base_sizes(), columns.alchemer.base_sizes())


def test_what_was_dropped_stays_out_in_either_form(lists, columns):
    apart = lists.drop(columns="channels").alchemer.relabel(multi="columns")
    assert not [name for name in apart if name.startswith("channels_") and "text" not in name]
    options = columns.alchemer.columns("channels")
    assert "channels" not in columns.drop(columns=options).alchemer.relabel(multi="list")
    assert "channels" in columns.drop(columns=options[0]).alchemer.relabel(multi="list")


def test_a_choice_of_columns_takes_a_list_by_any_of_its_question_s_names(client):
    for word in ("channels", "14", "q14"):
        df = client.responses(SURVEY, multi="list", columns=[word], progress="none")
        assert "channels" in df.columns


def test_a_model_gets_the_options_as_numbers(lists, columns):
    dummies = columns.alchemer.columns("channels")
    model, apart = lists.alchemer.for_model(), columns.alchemer.for_model()
    pd.testing.assert_frame_equal(model[dummies], apart[dummies])
    assert [*model.columns] == [*apart.columns]
    filtered = lists[lists["nps"] > 8].alchemer.for_model()
    pd.testing.assert_frame_equal(filtered[dummies], apart.loc[filtered.index, dummies])


HEALTH = [option(10001, "Planted illness", "ill"), option(10002, "Fine", "fine")]
ASKED = [question(5, "CHECKBOX", "How are you?", "health", HEALTH)]
GIVEN = [
    response(1, {"5": {"options": {"10001": {"answer": "ill"}, "10002": {"answer": "fine"}}}}),
    response(2, {"5": {"options": {"10099": {"id": 10099, "option": "Gone", "answer": "g"}}}}),
    response(3, {}),
]  # fmt: skip


def served(scripted):
    return serve(scripted, ASKED, GIVEN).responses(5, multi="list", progress="none")


def test_an_option_taken_out_of_the_survey_stands_in_the_list_with_its_note(scripted):
    df = served(scripted)
    assert df["health"].tolist() == [["Planted illness", "Fine"], ["Gone"], None]
    book = df.alchemer.codebook.set_index("column_alias")
    assert "no longer in the definition" in book.loc["health", "notes"]
    assert not book.loc["health", "removed"]


def test_one_option_can_be_taken_out_of_a_list(scripted, tmp_path):
    df = served(scripted)
    clean = df.alchemer.redact(columns=["q5_10001"])
    assert clean["health"].tolist() == [["Fine"], ["Gone"], None]
    clean.alchemer.to_parquet(tmp_path / "clean.parquet", everything=True)
    again = al.read_parquet(tmp_path / "clean.parquet")
    assert again["health"].tolist() == clean["health"].tolist()
    apart = again.alchemer.relabel(multi="columns")
    assert "health_ill" not in apart
    assert "Planted" not in json.dumps([*again.alchemer.options["label"]])
    assert "health" not in df.alchemer.redact(columns=["health"])


def test_a_list_that_is_to_be_hashed_is_dropped_and_the_report_says_so(scripted):
    df = served(scripted)
    clean = df.alchemer.redact("hash", salt="a salt that only we know", columns=["health"])
    assert "health" not in clean
    told = clean.alchemer.redacted.set_index("column")["done"]
    assert told["health"] == "dropped"
    assert "health_ill" not in clean.alchemer.relabel(multi="columns")


def test_lists_stand_in_waves_and_files_of_every_kind(lists, tmp_path):
    waves = al.stack_waves({"2025": lists, "2026": lists})
    assert waves["channels"].tolist() == lists["channels"].tolist() * 2
    table = lists.alchemer.to_spss(tmp_path / "lists.sav").set_index("column")
    assert "lists are joined" in table.loc["channels", "notes"]
    lists.alchemer.to_excel(tmp_path / "lists.xlsx")
    assert (tmp_path / "lists.xlsx").exists()


def test_a_list_that_was_dropped_leaves_nothing_in_the_file(scripted, tmp_path):
    df = served(scripted)
    df.drop(columns="health").alchemer.to_parquet(tmp_path / "without.parquet")
    back = al.read_parquet(tmp_path / "without.parquet")
    assert back.alchemer.relabel(columns=["status"]).columns.tolist() == ["status"]
    assert b"Planted" not in (tmp_path / "without.parquet").read_bytes()
    df.alchemer.to_parquet(tmp_path / "whole.parquet")
    whole = al.read_parquet(tmp_path / "whole.parquet")
    assert whole.alchemer.relabel(multi="columns")["health_fine"].tolist() == [True, False, pd.NA]


def test_a_member_that_nobody_documents_is_no_option(scripted):
    entry = {"id": 5, "options": {"10001": {**HEALTH[0], "answer": "ill"}}, "mood": "planted"}
    given = [response(1, {"5": entry}), response(2, {"5": {"id": 5, "shown": True, "mood": "x"}})]
    client = serve(scripted, ASKED, given)
    df = client.responses(5, progress="none")
    assert df["health_ill"].tolist() == [True, pd.NA]
    assert df["health_mood"].tolist() == ["planted", "x"]
    assert df.alchemer.base_sizes()["answered"].tolist() == [1]
    lists = df.alchemer.relabel(multi="list")
    assert lists["health"].tolist() == [["Planted illness"], None]


def test_a_model_takes_the_cells_as_they_are(scripted):
    mine = served(scripted)
    mine["health"] = pd.Series([["Fine"], [], None], index=mine.index, dtype=object)
    model = mine.reset_index(drop=True).alchemer.for_model()
    assert model["health_fine"].tolist()[:2] == [1.0, 0.0]
    assert model["health_fine"].isna().tolist() == [False, False, True]
    model = mine.alchemer.for_model()
    book = model.alchemer.codebook.set_index("column_alias")
    assert book.loc["health_fine", "part"] == "option"
