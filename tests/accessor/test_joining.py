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
