"""Multi-selects as columns of lists: known to the codebook, to missing, to redact and to files."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import alchemer_nb as al
from tests.client.test_frames import option, question, response, serve

SURVEY = "Customer satisfaction"


@pytest.fixture
def lists(client):
    return client.responses(SURVEY, multi="list", metadata="none", progress="none")


@pytest.fixture
def columns(client):
    return client.responses(SURVEY, metadata="none", progress="none")


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
    response(1, {"5": {"options": {str(o["id"]): {**o, "answer": o["value"]} for o in HEALTH}}}),
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


def test_a_list_that_was_dropped_leaves_nothing_in_the_file(scripted, tmp_path):
    df = served(scripted)
    df.drop(columns="health").alchemer.to_parquet(tmp_path / "without.parquet")
    back = al.read_parquet(tmp_path / "without.parquet")
    assert back.alchemer.relabel(columns=["status"]).columns.tolist() == ["status"]
    kept = back.attrs["alchemer"].kept
    assert not any(len(leaf.atoms) > 1 for leaf in kept.answers.leaves.values())
    df.alchemer.to_parquet(tmp_path / "whole.parquet")
    whole = al.read_parquet(tmp_path / "whole.parquet")
    assert whole.alchemer.relabel(multi="columns")["health_fine"].tolist() == [True, False, pd.NA]
