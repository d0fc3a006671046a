"""Every question type, in every shape, in the old and the new form, over HTTP."""

from __future__ import annotations

import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.sandbox import Sandbox

EVERY = "Every question type"
# What the definition does not announce: an option, columns and questions that are gone, odd types.
BROUGHT = (
    "q21_10039",
    "q90_10901",
    "q91_left",
    "q91_pile_first",
    "q91_pile_second",
    "q98",
    "q99_10991",
)


@pytest.fixture(scope="module", params=["2017", "current"])
def client(request):
    with Sandbox(responses=60, form=request.param, types=True) as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def df(client):
    return client.responses(EVERY, names="id", metadata="none", progress="none")


KINDS = {
    "str": "q2 q3 q4 q5_raw q6_raw q7_raw q8 q9 q10_other q10_comment q18 q19 q20 q25_10251 "
    "q44_10431 q61 q62 q69_10681 q71_10711 q21_10035_other",
    "float64": "q5 q6 q13 q14 q23_10231 q24_10241 q29_10311 q47_10441 q66 q83_10003 q84_10003",
    "datetime64[us]": "q7",
    "category": "q10 q11 q12 q15 q16 q17 q27 q28 q31 q32 q34 q35 q37_10421 q65 q74 q83_10001 "
    "q84_10002",
    "boolean": "q21_10031 q21_10032 q22_10221 q41_10411 q63_10631 q67_10671 q83_10004_10806 "
    "q84_10004_10826",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_has_its_kind_of_column(df, kind):
    assert {str(df[name].dtype) for name in KINDS[kind].split()} == {kind}
    for name in KINDS[kind].split():
        assert df[name].notna().any() or name.endswith("_raw"), name


def test_custom_tables_keep_their_columns_apart(df):
    assert list(df["q83_10001"].cat.categories) == ["Large", "Small"]
    assert "q83_10004_10826" not in df.columns
    assert "q84_10004_10806" not in df.columns


def test_what_is_not_announced_is_there_and_marked(df):
    book = df.alchemer.codebook.set_index("column_id")
    for name in BROUGHT:
        assert df[name].notna().any()
        assert book.loc[name, "notes"]
    assert book.loc["q98", "removed"]
    assert book.loc["q21_10039", "removed"]
    assert not book.loc["q90_10901", "removed"]


@pytest.mark.parametrize("limit", [1, 5, 23])
def test_same_survey_same_columns_whichever_responses_came(client, df, limit):
    few = client.responses(EVERY, names="id", metadata="none", limit=limit, progress="none")
    none = client.responses(
        EVERY,
        names="id",
        metadata="none",
        where="date_submitted < 1999-01-01",
        progress="none",
    )
    announced = [n for n in df if n not in BROUGHT and not n.startswith("url_")]
    assert list(none.columns) == announced
    # As text: an answer that is no option of the definition adds a category of its own.
    assert [str(d) for d in none.dtypes] == [str(d) for d in few[announced].dtypes]


def test_the_old_and_the_new_form_give_the_same_frame(df):
    with Sandbox(responses=60, form="2017", types=True) as box:
        plain = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        same = plain.responses(EVERY, names="id", metadata="none", progress="none")
    pd.testing.assert_frame_equal(df, same)


def test_names_are_unique_whatever_the_aliases(client):
    for names in ("alias", "text"):
        frame = client.responses(EVERY, names=names, metadata="all", progress="none")
        assert frame.columns.is_unique
