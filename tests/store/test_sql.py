"""SQL and scans over a survey made by hand count, sort and name as ``responses`` does."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import uuid

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.errors import InvalidArgument
from tests.scripted import ScriptedServer
from tests.survey_json import LIKERT, option, question, response, serve

duckdb = pytest.importorskip("duckdb")

ENGINES = ("arrow", "pandas", "duckdb", "polars", "dask")
SAT = {"Very satisfied": "5", "Satisfied": "4", "Not satisfied": "1"}
IDS = {own["title"]["English"]: own["id"] for own in LIKERT}
# Id, answer, url variables, test data, submitted in Eastern time (UTC is five hours ahead).
ROWS = [
    (1, "Satisfied", {"slanguage": "en", "sLanguage": "English"}, "0", "2026-01-15 22:30:00 EST"),
    (2, "Very satisfied", {"slanguage": "de"}, "0", "2026-01-15 10:00:00 EST"),
    (3, "Not satisfied", {"sLanguage": "French"}, "0", "2026-01-16 08:00:00 EST"),
    (4, "Satisfied", {"utm_source": "mail"}, "1", "2026-01-16 09:00:00 EST"),
    (5, "Satisfied", {}, "0", "2026-01-17 09:00:00 EST"),
]


def answered(own, label, urls=(), test="0", submitted="2026-01-15 10:42:26 EST"):
    chosen = {"answer": SAT.get(label, label), "answer_id": IDS.get(label)}
    return response(
        own,
        {"2": {"id": 2, "type": "RADIO", "question": "Satisfied?", "shown": True, **chosen}},
        url_variables={key: {"key": key, "value": value} for key, value in dict(urls).items()},
        is_test_data=test,
        date_submitted=submitted,
    )


def synced(scripted: ScriptedServer, place, rows=ROWS, questions=None):
    """A client that has synced these rows."""
    asked = questions or [question(2, "RADIO", "", "sat", LIKERT, key="radio-likert")]
    responses = [row if isinstance(row, dict) else answered(*row) for row in rows]
    client = serve(scripted, asked, responses)
    scripted.answer("account", {"result_ok": True, "data": {"id": "1", "organization": "A"}})
    client.sync(5)
    return client


@pytest.fixture
def client(scripted, place):
    return synced(scripted, place)


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The same for tests that only read."""
    with ScriptedServer() as server, pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("still")
        patch.setenv("ALCHEMER_STORE", str(folder))
        yield synced(server, folder)


def rows_of(client, engine, **options):
    """A scan as a frame, by ascending id."""
    found = client.scan(5, engine, **options)
    frame = {
        "arrow": lambda: found.to_table().to_pandas(),
        "pandas": lambda: found.reset_index(),
        "duckdb": lambda: found.to_arrow_table().to_pandas(),
        "polars": lambda: found.collect().to_pandas(),
        "dask": lambda: found.compute().reset_index(),
    }[engine]()
    return frame.sort_values("response_id").reset_index(drop=True)


# -- the same base --------------------------------------------------------------------------


KEPT = {"exclude": [1, 2, 3, 5], "include": [1, 2, 3, 4, 5], "only": [4]}


def more(*case):
    """Return a case like another one, for test-long."""
    return pytest.param(*case, marks=pytest.mark.long)


def engines(*names):
    """Return these engines, and all of them in test-long."""
    return pytest.mark.parametrize(
        "engine",
        [
            pytest.param(each, marks=() if each in names else pytest.mark.long)
            for each in ENGINES
            if each != "arrow" or "arrow" in names
        ],
    )


@pytest.mark.parametrize(
    ("engine", "test_rows", "ids"),
    [
        pytest.param(engine, *kept, marks=() if number % 3 == turn else pytest.mark.long)
        for number, engine in enumerate(ENGINES)
        for turn, kept in enumerate(KEPT.items())
    ],
)
def test_test_rows_are_in_as_in_responses(still, engine, test_rows, ids):
    if engine != "arrow":
        pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    lines: list[str] = []
    found = rows_of(still, engine, test_rows=test_rows, progress=lines.append)
    assert found["response_id"].tolist() == ids
    asked = {"test_rows": test_rows, "progress": "none"}
    assert still.responses(5, **asked).index.tolist() == ids
    query = "select response_id from made_by_hand order by 1"
    assert still.sql(query, **asked)["response_id"].tolist() == ids
    told = [line for line in lines if "test row" in line]
    assert told == (
        [
            'Made by hand: 1 test row left out (test_rows="include" or --test-rows include '
            "brings them back)"
        ]
        if test_rows == "exclude"
        else []
    )


def test_the_line_is_printed_unless_it_is_not_wanted(client, capsys):
    client.sql("select 1 from survey_5")
    assert "1 test row left out" in capsys.readouterr().err
    client.sql("select 1")  # no survey is counted
    client.sql("select 1 from survey_5", progress="none")
    client.scan(5, progress="none")
    assert capsys.readouterr().err == ""
    with pytest.raises(InvalidArgument, match="progress is"):
        client.scan(5, progress="loud")
    with pytest.raises(InvalidArgument, match="test_rows is"):
        client.sql("select 1", test_rows="all")


def test_without_test_rows_nothing_is_said(scripted, place):
    lines: list[str] = []
    client = synced(scripted, place, [(1, "Satisfied"), (2, "Satisfied")])
    client.scan(5, progress=lines.append)
    client.sql("select count(*) from made_by_hand", progress=lines.append)
    assert lines == []


def test_a_question_has_the_name_that_responses_gives_it(scripted, place):
    """``region`` is metadata, too, which a frame has on request only."""
    asked = [question(2, "TEXTBOX", "", "region"), question(3, "TEXTBOX", "", "status")]
    data = {"2": {"id": 2, "answer": "North"}, "3": {"id": 3, "answer": "Single"}}
    client = synced(scripted, place, [response(1, data, region="MA", city="Boston")], asked)
    query = "select region, status_q3, status, region_metadata, city from made_by_hand"
    found = client.sql(query).iloc[0].tolist()
    assert found == ["North", "Single", "Complete", "MA", "Boston"]
    frame = client.responses(5, progress="none")
    assert frame.loc[1, ["region", "status_q3"]].tolist() == ["North", "Single"]
    columns = ["region", "region_metadata", "q3"]
    row = client.scan(5, "pandas", columns=columns).iloc[0].to_dict()
    assert row == {"region": "North", "status_q3": "Single", "region_metadata": "MA"}


# -- the same order -------------------------------------------------------------------------


@engines("duckdb", "polars")
def test_categories_keep_the_order_of_the_form(client, engine):
    pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    found = rows_of(client, engine, progress="none")
    assert found["sat"].cat.categories.tolist() == list(SAT)
    assert found["status"].cat.categories.tolist() == ["Disqualified", "Partial", "Complete"]
    assert found["sat"].sort_values().astype(str).tolist() == [
        "Very satisfied", "Satisfied", "Satisfied", "Not satisfied",
    ]  # fmt: skip


def test_sql_sorts_by_the_form_and_returns_its_order(client):
    query = "select sat, count(*) as n from made_by_hand group by sat order by sat"
    found = client.sql(query, progress="none")
    assert found["sat"].astype(str).tolist() == ["Very satisfied", "Satisfied", "Not satisfied"]
    assert found["n"].tolist() == [1, 2, 1]
    assert found["sat"].dtype == client.responses(5, progress="none")["sat"].dtype
    assert found["sat"].cat.ordered
    query = "select min(sat)::text as a, max(sat)::text as b, count(distinct status) as c "
    found = client.sql(f"{query} from made_by_hand", progress="none")
    assert found.iloc[0].tolist() == ["Very satisfied", "Not satisfied", 1]


def test_frames_keep_theirs_in_sql(client):
    df = client.responses(5, progress="none")
    df["age"] = pd.cut(pd.Series([10, 40, 41, 80], index=df.index), [0, 18, 65, 99])
    found = client.sql("select sat, age from df order by sat desc, response_id", {"df": df})
    assert found["sat"].astype(str).tolist()[0] == "Not satisfied"
    assert found["sat"].cat.ordered
    assert found["age"].cat.categories.tolist() == ["(0, 18]", "(18, 65]", "(65, 99]"]
    numbers = pd.DataFrame({"n": pd.Categorical([10, 9, None])})
    assert client.sql("select max(n) as m from numbers", {"numbers": numbers})["m"].tolist() == [10]


def test_answers_that_are_no_option_follow_the_options(scripted, place):
    rows = [
        answered(1, "It's fine"),
        answered(2, "Satisfied"),
        answered(3, "Awful", test="1"),
        response(4, {}, status="Odd"),
    ]
    client = synced(scripted, place, rows)
    query = "select sat from made_by_hand where sat is not null order by sat"
    assert client.sql(query, progress="none")["sat"].tolist() == ["Satisfied", "It's fine"]
    found = client.scan(5, "pandas", progress="none")
    wanted = client.responses(5, metadata="all", progress="none")
    assert found["sat"].cat.categories.tolist() == [*SAT, "It's fine"]
    assert found["sat"].dtype == wanted["sat"].dtype
    assert found["status"].dtype == wanted["status"].dtype
    assert found["status"].cat.categories.tolist()[0] == "Odd"


def test_a_result_of_sql_has_no_texts_of_other_rows(scripted, place):
    rows = [answered(1, "It's fine"), answered(2, "Satisfied"), answered(3, "Awful", test="1")]
    client = synced(scripted, place, rows)
    wanted = client.responses(5, progress="none")
    found = client.sql("select * from made_by_hand", progress="none")
    assert found["sat"].dtype == wanted["sat"].dtype
    assert found["sat"].cat.categories.tolist() == [*SAT, "It's fine"]
    found = client.sql("select sat from made_by_hand where response_id = 2", progress="none")
    assert found["sat"].cat.categories.tolist() == [*SAT]
    assert found["sat"].cat.ordered


@pytest.mark.parametrize("last", [1, 2])
def test_a_result_of_sql_has_the_dtypes_of_responses(scripted, place, last):
    ticked = {"id": 3, "type": "parent", "question": "Used?", "shown": True}
    web = {"options": {"10011": {"id": 10011, "option": "Web", "answer": "Web"}}}
    asked = [question(3, "checkbox", "", "used", [option(10011, "Web"), option(10012, "App")])]
    rows = [response(1, {"3": ticked | web}), response(2, {})]
    client = synced(scripted, place, rows, asked)
    wanted = client.responses(5, progress="none")
    query = "select * from made_by_hand where response_id <= $last"
    found = client.sql(query, parameters={"last": last}, progress="none")
    assert found[wanted.columns].dtypes.to_dict() == wanted.dtypes.to_dict()


def test_the_options_of_a_scale_are_no_scale_elsewhere_in_sql(scripted, place):
    asked = [
        question(2, "RADIO", "", "sat", LIKERT, key="radio-likert"),
        question(3, "MENU", "", "seen", LIKERT, key="menu"),
    ]
    client = synced(scripted, place, ROWS, asked)
    wanted = client.responses(5, progress="none")
    assert [wanted[name].cat.ordered for name in ("sat", "seen")] == [True, False]
    found = client.sql("select sat, seen from made_by_hand", progress="none")
    assert found.dtypes.to_dict() == wanted[["sat", "seen"]].dtypes.to_dict()


@pytest.mark.parametrize("day_first", [False, True])
def test_sql_reads_typed_dates_as_responses_does(scripted, place, day_first):
    typed = ["03/04/2026", "31/12/2026", "12/31/2026"]
    rows = [response(n, {"6": {"answer": text}}) for n, text in enumerate(typed, 1)]
    client = synced(scripted, place, rows, [question(6, "TEXTBOX", "", "day", key="date")])
    query = "select day, day_raw from made_by_hand order by response_id"
    wanted = client.responses(5, progress="none", day_first=day_first).reset_index()
    lines: list[str] = []
    found = client.sql(query, progress=lines.append, day_first=day_first)
    other = "month" if day_first else "day"
    note = f"1 date among them would be read with the {other} first (see day_first)"
    assert lines == [f"Made by hand: {note}"]
    assert note in client.responses(5, progress="none", day_first=day_first).alchemer.summary
    pd.testing.assert_frame_equal(found, wanted[["day", "day_raw"]])
    assert found["day"][0] == pd.Timestamp(2026, *((4, 3) if day_first else (3, 4)))


def test_scans_note_dates_in_the_other_order(scripted, place):
    """Of the rows that are read alone: the second date is of test data, the last is none at all."""
    typed = ["31/12/2026", "30/12/2026", "29/12/2026", "2026-12-31", "soon"]
    rows = [
        response(n, {"6": {"answer": text}}, is_test_data=str(int(n == 2)))
        for n, text in enumerate(typed, 1)
    ]
    asked = [question(6, "TEXTBOX", "", "day", key="date"), question(7, "TEXTBOX", alias="words")]
    client = synced(scripted, place, rows, asked)
    for how, count in (
        ({}, "2 dates"),
        ({"test_rows": "only"}, "1 date"),
        ({"test_rows": "include", "columns": ["day"]}, "3 dates"),
        ({"columns": ["words"]}, None),
        ({"day_first": True}, None),
    ):
        lines: list[str] = []
        client.scan(5, progress=lines.append, **how)
        told = [line for line in lines if "would be read" in line]
        note = f"Made by hand: {count} among them would be read with the day first (see day_first)"
        assert told == ([note] if count else [])


@engines("arrow", "polars")
def test_a_survey_without_responses_has_its_columns(scripted, place, engine):
    if engine != "arrow":
        pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    client = synced(scripted, place, [])
    wanted = client.responses(5, progress="none")
    found = rows_of(client, engine, progress="none")
    assert len(found) == 0
    assert [name for name in wanted if name not in found] == []
    found = client.sql("select * from made_by_hand", progress="none")
    assert found.columns.tolist()[: 1 + wanted.shape[1]] == ["response_id", *wanted]
    count = client.sql("select count(*) as n from made_by_hand", progress="none")
    assert count["n"].tolist() == [0]


@pytest.mark.parametrize(
    ("tz", "test_rows"),
    [
        pytest.param(tz, rows, marks=() if number == turn else pytest.mark.long)
        for number, tz in enumerate(["UTC", "Europe/Berlin", None])
        for turn, rows in enumerate(KEPT)
    ],
)
def test_a_scan_with_pandas_is_the_frame_of_responses(client, test_rows, tz):
    options = {"test_rows": test_rows, "tz": tz, "progress": "none"}
    found = client.scan(5, "pandas", **options)
    wanted = client.responses(5, metadata="all", **options)
    wanted.attrs.clear()
    pd.testing.assert_frame_equal(found, wanted[list(found)])
    assert set(wanted) <= set(found)


# -- the same times -------------------------------------------------------------------------

LOCAL = "select strftime(date_submitted, '%d %H:%M') as t from made_by_hand where response_id = 1"


@pytest.mark.parametrize(
    ("tz", "wall"),
    [
        pytest.param("UTC", "16 03:30", marks=pytest.mark.long),
        ("Europe/Berlin", "16 04:30"),
        pytest.param("Asia/Tokyo", "16 12:30", marks=pytest.mark.long),
    ],
)
def test_times_are_in_the_zone_that_was_asked_for(client, tz, wall):
    how = {"tz": tz, "progress": "none"}
    assert client.sql(LOCAL, **how)["t"].tolist() == [wall]
    query = "select date_submitted from made_by_hand order by response_id"
    column = client.sql(query, **how)["date_submitted"]
    assert str(column.dt.tz) == tz
    for engine in ENGINES:
        if engine == "dask":
            pytest.importorskip("dask.dataframe")
        elif engine != "arrow":
            pytest.importorskip(engine)
        found = rows_of(client, engine, **how)["date_submitted"]
        assert str(found.dt.tz) == tz
        assert found[0].strftime("%d %H:%M") == wall


def test_days_are_counted_in_that_zone(scripted, place):
    client = synced(scripted, place)
    query = "select count(*) as n from made_by_hand where date_submitted::date = date '2026-01-15'"
    counts = {"UTC": 1, "America/New_York": 2, None: 2}  # in UTC, 22:30 is the next day
    for tz, count in counts.items():
        assert client.sql(query, tz=tz, progress="none")["n"].tolist() == [count], tz


def test_without_a_zone_times_are_those_of_the_clock_on_the_wall(scripted, place):
    rows = [(1, "Satisfied", {}, "0", "2026-01-15 22:30:00 EST")]
    client = synced(scripted, place, rows)
    assert client.region.timezone == "America/New_York"
    how = {"tz": None, "progress": "none"}
    assert client.sql(LOCAL, **how)["t"].tolist() == ["15 22:30"]
    for engine in ("pandas", "duckdb", "polars", "dask"):
        pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
        found = rows_of(client, engine, **how)["date_submitted"]
        assert found.dt.tz is None
        assert found[0] == pd.Timestamp("2026-01-15 22:30")
    with pytest.raises(InvalidArgument, match="no wall-clock times") as caught:
        client.scan(5, tz=None)
    assert "America/New_York" in caught.value.hint
    with pytest.raises(InvalidArgument, match="no time zone is called"):
        client.sql("select 1", tz="Mars")


# -- names that differ in case only ---------------------------------------------------------


@pytest.mark.parametrize("engine", ["duckdb", "sql"])
def test_names_that_differ_in_case_keep_their_own_data(client, engine):
    lines: list[str] = []
    if engine == "sql":
        query = "select * from made_by_hand order by response_id"
        found = client.sql(query, progress=lines.append)
    else:
        found = rows_of(client, engine, progress=lines.append)
    # In alphabetical order, in which capitals come first.
    names = [name for name in found if name.casefold().startswith("url_slang")]
    assert names == ["url_sLanguage", "url_slanguage_"]
    assert found["url_sLanguage"].fillna("-").tolist() == ["English", "-", "French", "-"]
    assert found["url_slanguage_"].fillna("-").tolist() == ["en", "de", "-", "-"]
    assert lines[-1] == (
        "Made by hand: 'url_slanguage' is 'url_slanguage_' in SQL, which sees no difference to "
        "another name"
    )
    plain = client.scan(5, "pandas", progress="none")
    assert plain["url_slanguage"].fillna("-").tolist() == ["en", "de", "-", "-"]


def test_three_names_and_one_that_is_taken(scripted, place):
    urls = {"Ab": "1", "aB": "2", "AB": "3", "ab_": "4"}
    client = synced(scripted, place, [(1, "Satisfied", urls)])
    found = client.sql("select columns('(?i)url_ab_*') from made_by_hand", progress="none")
    assert {name: found[name][0] for name in found} == {
        "url_AB": "3", "url_Ab__": "1", "url_aB___": "2", "url_ab_": "4",
    }  # fmt: skip


def test_columns_of_frames_that_differ_in_case_or_not_at_all(client):
    lines: list[str] = []
    mine = pd.DataFrame([[1, 2, 3]], columns=["A", "a", "A"], index=pd.Index([9], name="a"))
    found = client.sql("select * from mine", {"mine": mine}, progress=lines.append)
    assert found.iloc[0].to_dict() == {"a": 9, "A_": 1, "a__": 2, "A___": 3}
    assert len(lines) == 3
    assert lines[0].startswith("mine: 'A' is 'A_' in SQL")


def test_frames_whose_names_differ_in_case(client):
    frames = {"df": pd.DataFrame({"x": [1]}), "DF": pd.DataFrame({"x": [2]})}
    assert client.sql("select x from df", frames)["x"].tolist() == [1]
    assert client.sql("select x from DF", frames)["x"].tolist() == [2]
    with pytest.raises(InvalidArgument, match="no difference between the frames df and DF"):
        client.sql("select * from df, DF", frames)
    assert client.sql("select x from Df", {"DF": frames["DF"]})["x"].tolist() == [2]


# -- url variables that nobody has ----------------------------------------------------------


@engines("arrow", "pandas", "dask")
def test_a_scan_has_the_url_variable_that_was_asked_for(client, engine):
    if engine != "arrow":
        pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    lines: list[str] = []
    columns = ["url_campaign", "sat", "url_utm_source"]
    found = rows_of(client, engine, columns=columns, progress=lines.append)
    if engine != "arrow":  # it keeps what it needs to choose the rows
        assert list(found) == ["response_id", "sat", "url_utm_source", "url_campaign"]
    assert found["url_campaign"].isna().all()
    assert found["url_utm_source"].isna().all()  # only the test row has it
    assert found["sat"].tolist() == ["Satisfied", "Very satisfied", "Not satisfied", "Satisfied"]
    assert lines[-1] == "Made by hand: no response has the url variable 'campaign'"
    everyone = rows_of(client, engine, columns=columns, test_rows="include", progress="none")
    assert everyone["url_utm_source"].tolist()[3] == "mail"


def test_columns_of_a_scan_are_words_as_in_responses(scripted, place):
    boxes = [option(10031, "Blue", "b"), option(10032, "Red", "r")]
    asked = [question(21, "CHECKBOX", "", "c", boxes), question(3, "TEXTBOX", "", "url_home")]
    client = synced(scripted, place, [response(1, {})], asked)
    for words, names in {
        ("c",): ["c_b", "c_r"],
        ("q21",): ["c_b", "c_r"],
        ("q21_10032", "status"): ["c_r", "status"],
        ("url_home",): ["url_home"],
    }.items():
        assert list(client.scan(5, "pandas", columns=words, progress="none")) == names
        assert list(client.responses(5, columns=words, progress="none")) == names
    for columns in (["zzz"], ["url_"]):
        with pytest.raises(InvalidArgument, match="no column or question is called"):
            client.scan(5, "pandas", columns=columns, progress="none")


def test_a_query_has_the_url_variable_that_it_names(client):
    lines: list[str] = []
    found = client.sql(
        "select count(*) as n, count(url_campaign) as c from made_by_hand", progress=lines.append
    )
    assert found.iloc[0].tolist() == [4, 0]
    assert lines[-1] == "Made by hand: no response has the url variable 'campaign'"
    query = """
        select url_utm_source as u, m."url_utm-medium" as v from made_by_hand m
        where url_campaign is null and url_UTM_source is null
    """
    assert client.sql(query, progress="none").isna().to_numpy().all()
    assert "url_campaign" not in client.sql("select * from survey_5", progress="none")
    with pytest.raises(InvalidArgument, match="campaign"):
        client.sql("select campaign from made_by_hand", progress="none")


def test_surveys_under_one_another_of_which_one_has_the_variable(client):
    """Both names are the same survey; as two tables each lacks what it lacks."""
    query = """
        select url_campaign from made_by_hand union all
        select url_campaign from survey_5 union all
        select url_sLanguage from survey_5
    """
    found = client.sql(query, progress="none")
    assert found["url_campaign"].count() == 2
    assert len(found) == 12


# -- parameters -----------------------------------------------------------------------------

AT = "select response_id as i from made_by_hand where {} order by 1"


@pytest.mark.parametrize(
    ("condition", "value", "ids"),
    [
        ("sat = $v", "Satisfied", [1, 5]),
        ("sat = $v", "x' or '1'='1", []),
        ("sat in $v", ["Satisfied", "Not satisfied"], [1, 3, 5]),
        more("sat in $v", ("Satisfied",), [1, 5]),
        ("sat in $v", pd.Series(["Very satisfied"]), [2]),
        more("sat in $v", iter({"Very satisfied"}), [2]),
        more("sat in $v", pd.Categorical(["Satisfied"]), [1, 5]),
        ("sat in $v", [], []),
        ("response_id in $v", np.array([1, 2, 9]), [1, 2]),
        more("response_id in $v", range(2, 4), [2, 3]),
        ("response_id >= $V", np.int64(3), [3, 5]),
        ("response_id > $v", decimal.Decimal("2.5"), [3, 5]),
        ("date_submitted >= $v", pd.Timestamp("2026-01-16", tz="UTC"), [1, 3, 5]),
        more("date_submitted >= $v", np.datetime64("2026-01-16"), [1, 3, 5]),
        ("date_submitted::date = $v", dt.date(2026, 1, 15), [2]),
        more("($v is null or sat = $v)", None, [1, 2, 3, 5]),
        ("($v is null or sat = $v)", pd.NA, [1, 2, 3, 5]),
        ("($v is null or response_id = $v)", float("nan"), [1, 2, 3, 5]),
        more("$v", np.True_, [1, 2, 3, 5]),
        ("is_test_data = $v", False, [1, 2, 3, 5]),
    ],
)
def test_values_are_bound(still, condition, value, ids):
    found = still.sql(AT.format(condition), parameters={"v": value}, progress="none")
    assert found["i"].tolist() == ids


@pytest.mark.parametrize(
    ("condition", "parameters", "message"),
    [
        ("sat = $r", {}, r"no value is given for \$r"),
        ("sat = $region", {"region": "a", "regoin": "b"}, r"no parameter \$regoin"),
        ("sat = $r", {"r": object()}, "is of type object"),
        ("sat = $r", {"r": {"a": 1}}, "is of type dict"),
        ("sat in $r", {"r": [["a"]]}, "is of type list"),
        ("sat = $r", {"r": fractions.Fraction(1, 2)}, "is of type Fraction"),
        ("sat in ($r)", {"r": ["Satisfied"]}, "Write a list without brackets"),
        ("$r", {"r": "made_by_hand"}, "made_by_hand"),
    ],
)
def test_values_that_cannot_be_bound_are_refused(still, condition, parameters, message):
    with pytest.raises(InvalidArgument, match=message):
        still.sql(AT.format(condition), parameters=parameters, progress="none")


def test_a_name_is_no_value(client):
    with pytest.raises(InvalidArgument) as caught:
        client.sql("select * from $t", parameters={"t": "made_by_hand"})
    assert "cannot be the name of a table" in caught.value.hint


def test_several_statements_take_the_values_that_they_name(client):
    query = "create temp table t as select $a as a; select a + $b as c from t"
    assert client.sql(query, parameters={"a": 1, "b": 2})["c"].tolist() == [3]
    query = "pivot made_by_hand on sat using count(*) group by status"
    assert client.sql(query, progress="none")["Satisfied"].tolist() == [2]


# -- frames ---------------------------------------------------------------------------------


class Thing:
    """A value that SQL does not know."""


UNTAKEABLE = {
    "objects": pd.DataFrame({"ok": [1], "what": [Thing()]}),
    "complexes": pd.DataFrame({"what": [1j]}),
    "classes": pd.DataFrame({"what": [Thing, None]}),
    "digits": pd.DataFrame({"what": [decimal.Decimal("1" * 60)]}),
    "nested": pd.DataFrame({"what": [[1, "a"], ["b"]]}),
}


# Each has the name of a frame as a word, and as no table of its own.
WORDS_ALONE = (
    "select count(*) as n from made_by_hand where sat <> $${}$$",
    "select count(*) as n from made_by_hand as {}",
    "with {0} as (select * from made_by_hand) select count(*) as n from {0}",
    "select count(*) as n from made_by_hand -- {}",
    "select count(*) as n, '{0}' as {0} from made_by_hand",
)
ALL_OF = "select * from {}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("objects", "nested") else pytest.mark.long)
        for name in UNTAKEABLE
    ],
)
def test_a_frame_that_cannot_be_a_table_breaks_only_a_query_that_names_it(client, name):
    for template in WORDS_ALONE:
        found = client.sql(template.format(name), UNTAKEABLE, progress="none")
        assert found["n"].tolist() == [4], template
    with pytest.raises(InvalidArgument, match=f"the frame {name} cannot be asked.*'what'"):
        client.sql(ALL_OF.format(name), UNTAKEABLE)
    with pytest.raises(InvalidArgument, match=r"'what' (holds|is of)"):
        client.sql("with t as (" + ALL_OF.format(name.upper()) + ") from t", UNTAKEABLE)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, "two", None], ["1", "two", None]),
        more([1.5, "x", np.nan], ["1.5", "x", None]),
        more([True, 2], ["True", "2"]),
        more([dt.date(2026, 1, 2), "soon"], ["2026-01-02", "soon"]),
        ([dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 9)], ["2026-01-02", "2026-01-02 09:00:00"]),
        more(["a", b"b"], ["a", "b'b'"]),
        (["a", ["b", "c"]], ["a", "['b', 'c']"]),
        (["a\ud800", 1], ["a?", "1"]),
    ],
)
def test_a_column_of_several_types_is_text_with_a_note(client, values, texts):
    lines: list[str] = []
    mixed = pd.DataFrame({"n": range(len(values)), "m": pd.Series(values, dtype=object)})
    query = "select m, typeof(m) as t from mixed order by n"
    found = client.sql(query, {"mixed": mixed}, progress=lines.append)
    assert [None if pd.isna(each) else each for each in found["m"]] == texts
    assert set(found["t"]) == {"VARCHAR"}
    assert lines == ["mixed: 'm' is text in SQL, as it holds values of several types"]


def test_columns_of_one_type_are_taken_as_they_are(client):
    lines: list[str] = []
    period = pd.period_range("2026-01", periods=2, freq="M")
    own = pd.DataFrame(
        {
            "whole": pd.Series([1, None], dtype=object),
            "number": pd.Series([1, 2.5], dtype=object),
            "words": pd.Series(["a", None], dtype=object),
            "lists": [["a", "b"], []],
            "period": period,
            "huge": pd.Series([2**70, 1], dtype=object),
            "half": np.array([0.5, 1], dtype=np.float16),
            "sparse": pd.arrays.SparseArray([0, 7]),
            "uuid": [uuid.UUID(int=1), uuid.UUID(int=2)],
            "day": [dt.date(2026, 1, 2), None],
        }
    )
    query = "select *, len(lists) as two, whole + 1 as next, year(day) as y from own limit 1"
    (row,) = client.sql(query, {"own": own}, progress=lines.append).to_dict("records")
    assert lines == []
    assert (row["next"], row["number"], row["words"], row["two"]) == (2, 1.0, "a", 2)
    assert (row["period"], row["half"], row["sparse"], row["y"]) == ("2026-01", 0.5, 0, 2026)
    assert row["huge"] == str(2**70)
    assert str(row["uuid"]).endswith("0001")


def test_index_levels_are_columns(client):
    base = pd.DataFrame({"region": ["N", "N", "S"], "wave": [1, 2, 1], "nps": [8, 9, 7]})
    frames = {
        "plain": base,
        "part": base[1:],
        "named": base.set_index("region"),
        "levels": base.set_index(["region", "wave"]),
        "years": pd.DataFrame({"n": [1]}, index=[2026]),
        "pairs": base.groupby("region").agg({"nps": ["mean", "max"]}),
        "unnamed": pd.DataFrame({"n": [5]}, index=pd.MultiIndex.from_tuples([("a", 1)])),
    }

    def columns(name):
        return list(client.sql(ALL_OF.format(name), frames))

    assert columns("plain") == columns("part") == ["region", "wave", "nps"]
    assert columns("named") == columns("levels") == ["region", "wave", "nps"]
    assert columns("years") == ["index", "n"]
    assert columns("pairs") == ["region", "nps_mean", "nps_max"]
    assert columns("unnamed") == ["level_0", "level_1", "n"]
    odd = pd.DataFrame([[1, 2, 3]], columns=["", None, ("a", "")])
    assert list(client.sql("select * from odd", {"odd": odd})) == ["column_0", "None", "a"]
    found = client.sql("select sum(nps) as s from levels where region = 'N'", frames)
    assert found["s"].tolist() == [17]


def test_what_is_no_frame_is_said(client):
    with pytest.raises(InvalidArgument) as caught:
        client.sql("select * from weights", {"weights": pd.Series([1])})
    assert "Series" in caught.value.hint
    with pytest.raises(InvalidArgument, match="nowhere"):
        client.sql("select * from nowhere")
    with pytest.raises(InvalidArgument, match=r"x\.made_by_hand"):
        client.sql("select * from x.made_by_hand")
    with pytest.raises(InvalidArgument, match="question"):  # a variable of our own code
        client.sql("select * from question")


def test_a_cte_may_have_the_name_of_its_frame(client):
    df = pd.DataFrame({"x": [1, 2, 3]})
    query = "with df as (select * from df where x > 1) select count(*) as n from df"
    assert client.sql(query, {"df": df})["n"].tolist() == [2]


# -- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "select * from '{folder}/in.csv'",
        "select * from read_csv('{folder}/in.csv')",
        "select content from read_text('{folder}/in.csv')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/out.db'; select 1",
        "set enable_external_access = true; select * from '{folder}/in.csv'",
        "load httpfs; select 1",
    ],
)
def test_files_are_closed_unless_they_are_asked_for(client, tmp_path, query):
    (tmp_path / "in.csv").write_text("a\n1\n")
    with pytest.raises(InvalidArgument):
        client.sql(query.format(folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []


def test_files_are_open_if_asked_for(client, tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    query = ALL_OF.format(f"'{tmp_path}/in.csv'")
    with pytest.raises(InvalidArgument) as caught:
        client.sql(query)
    assert "files=True" in caught.value.hint
    assert client.sql(query, files=True)["a"].tolist() == [1]
