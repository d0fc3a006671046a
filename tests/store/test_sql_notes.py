"""Notes on comparisons with texts, empty results, and the list of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.scripted import ScriptedServer
from tests.store.test_sql import SAT, answered, synced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb import Client

pytest.importorskip("duckdb")

LABELS = ("Satisfied", "Very satisfied", "Not satisfied", "Satisfied", "Satisfied")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client that has synced five responses; the fourth is test data."""
    rows = [answered(n, label, test=str(int(n == 4))) for n, label in enumerate(LABELS, 1)]
    with ScriptedServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCHEMER_STORE", str(tmp_path_factory.mktemp("store")))
        yield synced(server, None, rows)


NO_NORT = "'Satisfed' is no category of sat; did you mean 'Satisfied'?"
LETTERS = (
    "{} compares sat with a text by letters, not in the order of its categories; write sat in "
    "('…', '…')"
)


def notes_of(client, query, **asked):
    lines: list[str] = []
    client.sql(query, progress=lines.append, test_rows="include", **asked)
    return lines


@pytest.mark.parametrize(
    "query",
    [
        "select * from made_by_hand where sat = 'Satisfed'",
        "select * from Made_By_Hand m where 'Satisfed' <> M.sat",
        "select * from survey_5 where sat in ('Satisfied', 'Satisfed') or sat = 'Satisfed'",
        "select * from survey_5 where sat not in ('Satisfed')",
        "select count(*) filter (where sat = 'Satisfed') from survey_5",
        "select case sat when 'Satisfed' then 1 end from survey_5",
        "select * from (select * from survey_5 where sat = 'Satisfed') as t(a, b)",
        "select * from survey_5 a join survey_5 b on a.response_id = b.response_id "
        "and a.sat = 'Satisfed'",
        "with t as (select * from survey_5 where sat is distinct from 'Satisfed') from t",
        "select 1 where exists (select 1 from survey_5 where sat = 'Satisfed')",
        "select sat from survey_5 where sat = 'Satisfed' union select 'x'",
        "select upper(sat) as sat from survey_5 where sat = 'Satisfed'",
        "select 1; from survey_5 where sat = 'Satisfed'",
    ],
)
def test_a_text_that_is_no_category_is_noted(client, query):
    assert notes_of(client, query) == [NO_NORT]


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("sat = $x", "Satisfed"),
        ("sat in $X", ["Satisfied", "Satisfed"]),
        ("sat in ($x)", "Satisfed"),
    ],
)
def test_so_is_a_value(client, condition, value):
    query = f"from survey_5 where {condition}"
    assert notes_of(client, query, parameters={"x": value}) == [NO_NORT]


def test_what_is_far_from_all_gets_the_list(client):
    assert notes_of(client, "from survey_5 where sat = '5'") == [
        "'5' is no category of sat; it has Very satisfied, Satisfied, Not satisfied"
    ]
    assert notes_of(client, "from survey_5 where status = 'complete'") == [
        "'complete' is no category of status; did you mean 'Complete'?"
    ]


def test_categories_of_frames_are_noted_likewise(client):
    frame = pd.DataFrame({"size": pd.Categorical(["S", "M"], ["S", "M", "L"])})
    assert notes_of(client, "from sizes where size = 'big'", frames={"sizes": frame}) == [
        "'big' is no category of size; it has S, M, L"
    ]


@pytest.mark.parametrize(
    "query",
    [
        "select * from survey_5 where sat = 'Satisfied'",
        "select * from survey_5 where sat::text = 'Satisfed'",
        "select * from survey_5 where language = 'Satisfed' or response_id = 7 or sat is null",
        "with survey_5 as (select 'Satisfed' as sat) select * from survey_5 where sat = 'Satisfed'",
        "select * from (select lower(sat) as sat from survey_5) where sat = 'Satisfed'",
        "select * from survey_5 as t(a, b) where b = 'Satisfed'",
        "select list_filter(['Satisfed'], lambda sat: sat = 'Satisfed') from survey_5",
        "select lower(sat) as sat from survey_5 group by all having sat = 'Satisfed'",
        "select * from survey_5 join (select 'Satisfed' as sat) s on s.sat = 'Satisfed'",
        "select * from survey_5 a join survey_5 b using (sat) where sat = 'Satisfed'",
        "select * from survey_5 natural join survey_5 as b where sat = 'Satisfed'",
        "select * from survey_5 where contains(sat, 'Satisfed') or sat like 'Satisfed'",
        "create table t as select 'Satisfed' as sat; from t where sat = 'Satisfed'",
    ],
)
def test_what_is_not_certain_is_not_noted(client, query):
    assert notes_of(client, query) == []


@pytest.mark.parametrize(
    ("condition", "ids", "operator"),
    [  # by letters: Not satisfied, Satisfied, Very satisfied
        ("sat < 'Satisfied'", [3], "<"),
        ("sat >= 'Satisfied'", [1, 2, 4, 5], ">="),
        ("sat between 'Not satisfied' and 'Satisfied'", [1, 3, 4, 5], "BETWEEN"),
        ("sat < 'T'", [1, 3, 4, 5], None),  # no category: letters are meant
    ],
)
def test_a_category_is_compared_with_a_text_by_letters(client, condition, ids, operator):
    query = f"from survey_5 where {condition} order by response_id"
    assert client.sql(query, progress="none", test_rows="include")["response_id"].tolist() == ids
    assert notes_of(client, query) == ([LETTERS.format(operator)] if operator else [])


def test_two_columns_are_compared_in_the_order_of_the_options(client):
    query = (
        "select distinct a.sat as one, b.sat as other from survey_5 a join survey_5 b "
        "on a.sat < b.sat order by 1, 2"
    )
    found = client.sql(query, progress="none")
    assert [*map(tuple, found.to_numpy())] == [
        ("Very satisfied", "Satisfied"),
        ("Very satisfied", "Not satisfied"),
        ("Satisfied", "Not satisfied"),
    ]


def test_a_result_without_rows_has_the_dtypes_of_one_with_rows(client):
    some = client.sql("from survey_5", progress="none")
    none = client.sql("from survey_5 where response_id < 0", progress="none")
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)
    assert none.empty
    assert none["sat"].cat.categories.tolist() == [*SAT]


def test_show_tables_lists_the_stored_surveys(client):
    assert client.sql("show tables")["name"].tolist() == ["made_by_hand"]
    assert client.sql("select name from (show tables)")["name"].tolist() == ["made_by_hand"]
    counted = client.sql("show tables; select count(*) as n from made_by_hand", progress="none")
    assert counted["n"].tolist() == [4]
    both = client.sql("create table t as from made_by_hand; show tables", progress="none")
    assert both["name"].tolist() == ["made_by_hand", "t"]
