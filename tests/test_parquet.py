"""A frame goes into a Parquet file and comes back as it was, with all it knows."""

from __future__ import annotations

import pandas as pd
import pytest

import alchemer_nb as al
from tests.conftest import credentials_for

WAYS = [
    {},
    {"values": "code"},
    {"values": "both", "names": "text"},
    {"multi": "list"},
    {"shape": "long"},
    {"metadata": "none", "tz": None},
    {"metadata": "all", "tz": "Europe/Berlin"},
]


@pytest.fixture(scope="module")
def own(box):
    return al.Client(credentials_for(box, "api_key"), region=box.region)


@pytest.fixture(scope="module")
def df(own):
    return own.responses("Customer satisfaction", progress="none")


def there_and_back(frame, folder):
    path = folder / "frame.parquet"
    frame.alchemer.to_parquet(path)
    return al.read_parquet(path)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_survey_comes_back_with_dtypes_and_knowledge(own, tmp_path, way):
    for survey in own.surveys()["id"]:
        frame = own.responses(survey, progress="none", **way)
        back = there_and_back(frame, tmp_path)
        pd.testing.assert_frame_equal(frame, back)
        assert back.attrs == frame.attrs
        pd.testing.assert_frame_equal(frame.alchemer.codebook, back.alchemer.codebook)
        for choices in ({"names": "id"}, {"values": "code"}, {"shape": "long"}):
            wanted = frame.alchemer.relabel(**choices)
            got = back.alchemer.relabel(**choices)
            pd.testing.assert_frame_equal(wanted, got)
            assert got.attrs == wanted.attrs
        if "shape" not in way:
            pd.testing.assert_frame_equal(frame.alchemer.missing(), back.alchemer.missing())
            pd.testing.assert_frame_equal(frame.alchemer.base_sizes(), back.alchemer.base_sizes())


def test_plain_pandas_reads_and_writes_it(df, tmp_path):
    path = tmp_path / "frame.parquet"
    df.alchemer.to_parquet(path)
    plain = pd.read_parquet(path)
    assert plain.attrs == df.attrs
    assert list(plain.columns) == list(df.columns)
    assert plain.astype(object).fillna("-").equals(df.astype(object).fillna("-"))
    df.to_parquet(path)
    assert not pd.read_parquet(path).alchemer.codebook.empty
    assert not al.read_parquet(path).alchemer.codebook.empty
