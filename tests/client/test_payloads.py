"""Payloads that nobody on this project wrote, and what a person reading them expects."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client, OAuth1
from alchemer_nb.survey.definition import read_definition
from tests.frame.made_frames import received
from tests.frame.test_reexpress import check_pairs, ways

FOLDER = Path(__file__).parents[2].parent / "shared" / "payloads"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real payloads are not here")


def read(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(params=["api_key", "oauth1"])
def client(request, scripted):
    credentials = (ApiKey if request.param == "api_key" else OAuth1)("token", "secret")
    return Client(credentials, region=scripted.region)


def test_a_real_survey_of_2013(client, scripted):
    """One real response, whose list says 8: the first page of a list that has only this one."""
    responses = read("surveyresponse_list_2013.json")
    responses["total_count"] = str(len(responses["data"]))
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": "1", "title": "2013"}})
    scripted.answer("survey/1/surveyquestion", read("surveyquestion_list_2013.json"))
    scripted.answer("survey/1/surveyresponse", responses)
    df = client.responses(1, metadata="all", progress="none")
    assert list(df.index) == [1]
    row = df.iloc[0]
    assert df["q2"].dtype == pd.CategoricalDtype(df["q2"].cat.categories, ordered=False)
    assert list(df["q2"].cat.categories) == ["Yes", "No"]
    assert row["q2"] == "Yes"
    assert row["status"] == "Complete"
    assert not row["is_test_data"]
    # 08:02:54 EDT is four hours behind UTC.
    assert row["date_submitted"] == pd.Timestamp("2013-08-23 12:02:54", tz="UTC")
    assert row["date_started"] == pd.Timestamp("2013-08-23 12:02:06", tz="UTC")
    assert pd.isna(row["date_updated"])
    assert row["session_id"] == "1377259326_52174f3eb6f177.78996118"
    assert row["link_id"] == "1097190"
    assert pd.isna(row["contact_id"])
    assert np.isnan(row["response_time"])
    assert row["longitude"] == pytest.approx(-105.2)
    assert (row["country"], row["city"], row["region"], row["dma"]) == (
        "Canada",
        "Toronto",
        "ON",
        "0",
    )
    assert row["url__privatedomain"] == "t"
    assert row["url___pathdata"] == ""
    codes = client.responses(1, values="code", progress="none")
    assert codes["q2"].iloc[0] == "Yes"
    assert client.responses(1, values="id", progress="none")["q2"].iloc[0] == "10001"
    words = client.responses(1, names="text", metadata="none", progress="none")
    assert words.columns[0] == (
        "Have you tried the Crest 3D Whitestrips Express product in your Beyond the Rack order? "
        "(select one)"
    )


def real_answers():
    """The real survey, and the documented answers without their definition."""
    questions = read("surveyquestion_list_2013.json")["data"]
    yield received(
        read_definition({"id": "1", "title": "2013"}, questions),
        read("surveyresponse_list_2013.json")["data"],
    )
    data = read("survey_data_parents.json")
    yield received(read_definition({"id": "1"}, []), [{"id": "1", "survey_data": data}])


@pytest.mark.parametrize("few", [20, pytest.param(None, marks=pytest.mark.long)])
def test_real_answers_are_relabelled_as_fresh_calls_write_them(few):
    for kept in real_answers():
        pairs = [*itertools.product(ways([None]), repeat=2)]
        assert check_pairs(kept, [1], random.Random(1).sample(pairs, few) if few else pairs)


def test_fewer_responses_than_the_real_list_told_is_said(client, scripted):
    from alchemer_nb.errors import DownloadIncomplete

    scripted.answer("survey/1", {"result_ok": True, "data": {"id": "1", "title": "2013"}})
    scripted.answer("survey/1/surveyquestion", read("surveyquestion_list_2013.json"))
    scripted.answer("survey/1/surveyresponse", read("surveyresponse_list_2013.json"))
    with pytest.raises(DownloadIncomplete, match="1 of 8 responses"):
        client.responses(1, progress="none")


def test_the_documented_multi_part_entries(client, scripted):
    """Without their definition: each value stands in a column named by its path of ids."""
    entry = {"id": "1", "status": "Complete", "survey_data": read("survey_data_parents.json")}
    listed = {"result_ok": True, "total_count": 1, "data": [entry]}
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": "1", "title": "Parents"}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": []})
    scripted.answer("survey/1/surveyresponse", listed)
    df = client.responses(1, names="id", metadata="none", progress="none")
    assert df.iloc[0].to_dict() == {
        "q31_10062": "Column 1",
        "q32_10063": "Column 2",
        "q37_10068": "text list answer",
        "q38_10070": "6",
        "q38_10071": "7",
        "q83_10001": "Option 1",
        "q83_10002": "Option 2",
    }


def test_the_documented_multi_part_entries_with_a_definition(client, scripted):
    def options(*ids):
        return [{"id": i, "title": {"English": f"Label {i}"}, "value": f"v{i}"} for i in ids]

    def question(own, kind, key, ids=(), rows=()):
        return {
            "id": own,
            "type": kind,
            "title": {"English": f"Title {own}"},
            "properties": {"map_key": key},
            "options": options(*ids),
            "sub_questions": list(rows),
        }

    rows = [question(31, "CHECKBOX", "checkbox"), question(32, "CHECKBOX", "checkbox")]
    asked = [
        question(37, "MULTI_TEXTBOX", "multitext", (10068, 10069)),
        question(38, "CONT_SUM", "contsum", (10070, 10071)),
        question(30, "TABLE", "table-checkbox", (10062, 10063), rows),
        *rows,
    ]
    data = read("survey_data_parents.json")
    del data["83"]
    listed = [{"id": "1", "survey_data": data}]
    scripted.answer("survey/1", {"result_ok": True, "data": {"id": "1", "title": "Parents"}})
    scripted.answer("survey/1/surveyquestion", {"result_ok": True, "data": asked})
    scripted.answer("survey/1/surveyresponse", {"result_ok": True, "data": listed})
    df = client.responses(1, names="id", metadata="none", progress="none")
    row = df.iloc[0].to_dict()
    assert list(row) == [
        "q37_10068",
        "q37_10069",
        "q38_10070",
        "q38_10071",
        "q31_10062",
        "q31_10063",
        "q32_10062",
        "q32_10063",
    ]
    assert row["q37_10068"] == "text list answer"
    assert (row["q38_10070"], row["q38_10071"]) == (6.0, 7.0)
    assert (row["q31_10062"], row["q31_10063"]) == (True, False)
    assert (row["q32_10062"], row["q32_10063"]) == (False, True)
