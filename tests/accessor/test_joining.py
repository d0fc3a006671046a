"""Other data beside responses: what does not fit is said in words that help."""

from __future__ import annotations

import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument


def test_ids_that_are_numbers_elsewhere_are_told_with_both_types(box):
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    df = client.responses(9000001, progress="none", limit=20)
    numbers = df["contact_id"].dropna().unique().astype(int)
    crm = pd.DataFrame({"contact_id": numbers, "segment": "a"})
    with pytest.raises(InvalidArgument, match=r"'contact_id' is \w+ .* int64 .*astype\(str\)"):
        df.alchemer.join(crm, on="contact_id")
    joined = df.alchemer.join(crm.astype({"contact_id": str}), on="contact_id")
    assert joined["segment"].notna().tolist() == df["contact_id"].notna().tolist()
    assert joined["segment"].notna().any()


def test_a_join_says_how_many_matched(box, capsys):
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    df = client.responses(9000001, progress="none", limit=50)
    ids = df["contact_id"].dropna().unique()[:3]
    crm = pd.DataFrame({"contact_id": [*ids, "none of them"], "segment": "a"})
    capsys.readouterr()
    joined = df.alchemer.join(crm, on="contact_id")
    count = int(df["contact_id"].isin(ids).sum())
    said = f"contact_id: {count} of 50 responses matched, by 3 of 4 rows of the other frame\n"
    assert capsys.readouterr().err == said
    assert joined["segment"].notna().sum() == count > 0
    inner = df.alchemer.join(crm, on="contact_id", how="inner")
    assert capsys.readouterr().err == said
    assert inner.index.tolist() == joined.index[joined["segment"].notna()].tolist()
    df.alchemer.join(crm.iloc[3:], on="contact_id")
    assert "0 of 50 responses matched" in (said := capsys.readouterr().err)
    assert said.endswith("compare how both write contact_id\n")


def test_words_that_no_column_has_are_told_the_nearest(box, capsys):
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    df = client.responses(9000001, progress="none", limit=5)
    capsys.readouterr()
    assert df.alchemer.find("Recomend us").empty
    assert capsys.readouterr().err.endswith("; did you mean 'recommend us'?\n")
    assert df.alchemer.find("xylophone").empty
    assert capsys.readouterr().err.endswith("df.alchemer.codebook lists them all\n")
    assert not df.alchemer.find("recommend").empty
    assert capsys.readouterr().err == ""
