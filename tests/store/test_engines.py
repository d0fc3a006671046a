"""Every engine gives the table that the store holds, columns that came late included."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.fetch.raw_pages import split_page
from alchemer_nb.store import compacting, manifest, opening, parts, tables
from tests.store.conftest import ALL, SURVEY, fresh_client, quiet_box, same

if TYPE_CHECKING:
    from alchemer_nb.sandbox import Sandbox


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory):
    """A client whose store has several parts, old versions, deletions and a late column."""
    with quiet_box(responses=203) as box:
        client = fresh_client(box)
        client._stores.folder = tmp_path_factory.mktemp("engines") / "store"
        client.sync(SURVEY)
        box.touch(SURVEY, [3, 4, 80], data={"3": {"value": "77"}})
        box.delete_responses(SURVEY, [10, 70])
        box.add_responses(SURVEY, 6)
        client.sync(SURVEY)
        box.touch(SURVEY, [4, 5])
        client.sync(SURVEY)
        yield client


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with types that each engine can give."""
    frame = frame.reset_index() if frame.index.name else frame
    frame = frame.sort_values("response_id").reset_index(drop=True)
    texts = {}
    for name in frame.columns:
        column = frame[name].astype(object)
        texts[name] = [None if pd.isna(v) else _plain(v) for v in column]
    return pd.DataFrame(texts, dtype=object)


def _plain(value):
    if isinstance(value, pd.Timestamp):
        value = value.tz_convert("UTC") if value.tzinfo else value
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value


@pytest.fixture(scope="module")
def expected(stored) -> pd.DataFrame:
    """The frame of ``responses``, and the metadata that it has on request only.

    The survey asks for a region; with ``metadata="all"`` that name is the place's.
    """
    asked = {"store": True, "test_rows": "include", "progress": "none"}
    frame = stored.responses(SURVEY, **asked)
    more = stored.responses(SURVEY, metadata="all", **asked).drop(columns="region_q3")
    more = more[[name for name in more if name == "region" or name not in frame]]
    return plain(frame.join(more.rename(columns={"region": "region_metadata"})))


def test_arrow_gives_the_latest_version_of_each_row(stored, expected):
    dataset = stored.scan(SURVEY, test_rows="include")
    assert dataset.count_rows() == 207
    assert dataset.to_table(columns=["status"]).num_rows == 207
    table = dataset.to_table()
    names = [name for name in table.column_names if name != tables.KEY]
    assert table["response_id"].to_pandas().is_unique
    same(plain(table.select(names).to_pandas()), expected)


def test_a_table_that_is_damaged_after_the_scan_gives_no_wrong_rows(synced_client, folder):
    dataset = synced_client.scan(SURVEY)
    expected = dataset.to_table()
    (file,) = folder.glob("table-*")
    content, chance, refused = file.read_bytes(), random.Random(1), 0
    for _ in range(40):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        try:
            assert dataset.to_table().equals(expected)
        except (OSError, pa.ArrowException):
            refused += 1
    assert refused > 10
    again = synced_client.scan(SURVEY).to_table()  # as the documentation says
    assert again.sort_by("response_id").equals(expected.sort_by("response_id"))


@pytest.mark.parametrize(
    "engine",
    [
        *(pytest.param(each, marks=pytest.mark.long) for each in ("pandas", "duckdb")),
        "polars",
        "dask",
    ],
)
def test_each_engine_gives_the_same_table(stored, expected, engine):
    pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    found = stored.scan(SURVEY, engine, test_rows="include")
    frame = {
        "pandas": lambda: found,
        "duckdb": lambda: found.to_arrow_table().to_pandas(),
        "polars": lambda: found.collect().to_arrow().to_pandas(),
        "dask": lambda: found.compute(),
    }[engine]()
    same(plain(frame), expected)


@pytest.mark.long
def test_dask_on_its_own_scheduler_gives_the_same_table(stored, expected):
    pytest.importorskip("dask.dataframe")
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        found = stored.scan(SURVEY, "dask", test_rows="include")
        assert found.npartitions == len(stored.scan(SURVEY).files) > 1
        frame = found.compute()
        means = found.groupby("status")["nps"].mean().compute()
    same(plain(frame), expected)
    frame = stored.scan(SURVEY, "pandas", test_rows="include")
    wanted = frame.groupby("status")["nps"].mean()
    assert means.dropna().round(9).to_dict() == wanted.dropna().round(9).to_dict()


def test_a_column_that_came_late_is_there_for_all_rows(synced_client, folder, count):
    assert "url_wave" not in synced_client.scan(SURVEY).schema.names
    synced_client.request(
        "PUT", f"survey/{SURVEY}/surveyresponse", data={"data": {"3": {"value": "1"}}}
    )
    _add_url_variable(synced_client, folder)
    for name in ("polars", "duckdb", "dask.dataframe"):
        pytest.importorskip(name)
    for engine in ("pandas", "polars", "duckdb", "dask"):
        found = synced_client.scan(SURVEY, engine, test_rows="include")
        assert "url_wave" in list(found.columns if engine != "polars" else found.collect_schema())
    frame = synced_client.scan(SURVEY, "pandas", test_rows="include")
    assert frame["url_wave"].notna().sum() == 1
    assert len(synced_client.scan(SURVEY, "dask", test_rows="include")) == len(frame) == count + 1


def _add_url_variable(client, folder) -> None:
    """A response as it would come with a variable in its address."""
    (row,) = client.request("GET", f"survey/{SURVEY}/surveyresponse", {"resultsperpage": 1})["data"]
    row |= {"id": "5000", "url_variables": {"wave": {"key": "wave", "value": "2", "type": "url"}}}
    page = split_page(json.dumps({"data": [row]}).encode())
    found = manifest.read_manifest(folder)
    parts.write_parts(found, page.rows, found.sync)
    found.save()


def test_types_that_do_not_agree_become_text(synced_client, folder):
    _add_url_variable(synced_client, folder)
    synced_client.scan(SURVEY)
    found = manifest.read_manifest(folder)
    place = opening.table_path(found, found.parts[-1])
    table = pq.read_table(place)
    at = table.column_names.index("nps")
    with found.write_file(place.name) as temporary:
        pq.write_table(table.set_column(at, "nps", pa.array(["nine"])), temporary)
    found.save()
    frame = synced_client.scan(SURVEY, "pandas")
    assert frame.loc[5000, "nps"] == "nine"
    assert pd.api.types.is_string_dtype(frame["nps"])


@pytest.fixture
def few(place):
    """A sandbox of fewer responses, as whole stores are written anew."""
    with quiet_box(responses=130) as running:
        yield running


def test_many_small_parts_become_few_and_nothing_is_lost(few: Sandbox, monkeypatch):
    monkeypatch.setattr(compacting, "_MANY_PARTS", 3)
    client = fresh_client(few)
    for turn in range(6):
        few.add_responses(SURVEY, 3)
        few.touch(SURVEY, [turn + 1], data={"3": {"value": str(turn)}})
        if turn == 3:
            few.delete_responses(SURVEY, [100])
        synced = client.sync(SURVEY)
    found = manifest.read_manifest(synced.place)
    assert len(found.parts) <= 4
    assert len(list(synced.place.glob("responses-*"))) == len(found.parts)
    same(client.responses(SURVEY, store=True, **ALL), fresh_client(few).responses(SURVEY, **ALL))
    assert client.changes(SURVEY)["change"].value_counts().to_dict() == {
        "added": 3,
        "changed": 1,
        "removed": 0,
    }
    assert client.scan(SURVEY, test_rows="include").count_rows() == synced.rows


def test_what_is_out_of_date_is_dropped_at_last(few: Sandbox):
    client = fresh_client(few)
    everyone = range(1, 131)
    for turn in range(3):
        synced = client.sync(SURVEY)
        few.touch(SURVEY, everyone, data={"3": {"value": str(turn)}})
    synced = client.sync(SURVEY)
    total = sum(part.rows for part in manifest.read_manifest(synced.place).parts)
    assert total <= 2 * 130  # those that count, and those before the last sync
    assert client.changes(SURVEY)["change"].eq("changed").sum() == 130
    same(client.responses(SURVEY, store=True, **ALL), fresh_client(few).responses(SURVEY, **ALL))


def test_sql_knows_surveys_and_frames(stored):
    pytest.importorskip("duckdb")
    weights = pd.DataFrame({"status": ["Complete", "Partial"], "weight": [1.0, 0.5]})
    found = stored.sql(
        "select status, count(*) as n, max(weight) as weight "
        "from customer_satisfaction join weights using (status) group by status order by n",
        {"weights": weights, "unused": object()},
    )
    frame = stored.scan(SURVEY, "pandas")
    counts = frame["status"].value_counts()
    assert dict(zip(found["status"], found["n"], strict=True)) == {
        name: counts[name] for name in ("Complete", "Partial")
    }
    by_id = stored.sql("select count(*) as n from survey_9000001")
    assert by_id["n"].tolist() == [len(stored.responses(SURVEY, store=True, progress="none"))]
    by_id = stored.sql("select count(*) as n from survey_9000001", test_rows="include")
    assert by_id["n"].tolist() == [207]
    assert tables.KEY not in stored.sql("select * from customer_satisfaction limit 1").columns


def test_sql_counts_a_frame_before_a_survey_of_that_name(stored):
    pytest.importorskip("duckdb")
    mine = pd.DataFrame({"x": [1, 2, 3]})
    found = stored.sql(
        "select sum(x) as s from customer_satisfaction", {"customer_satisfaction": mine}
    )
    assert found["s"].tolist() == [6]


@pytest.mark.parametrize("query", ["", "select nope from customer_satisfaction", "select from"])
def test_a_query_that_does_not_work_is_told_in_one_line(stored, query):
    pytest.importorskip("duckdb")
    with pytest.raises(InvalidArgument) as caught:
        stored.sql(query)
    assert "customer_satisfaction" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_engine_that_is_none_is_refused(stored):
    with pytest.raises(InvalidArgument, match="engine is"):
        stored.scan(SURVEY, "spark")
