"""Codes of the survey or 1, 2, …, never a mixture; means and kinds of missing as in the frame."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from tests.conftest import credentials_for
from tests.survey_json import frame, option, question, response

STEPS = [
    option(10001, "Very good", "5"),
    option(10002, "Good", "4"),
    option(10003, "Bad", "2"),
    option(10004, "Not applicable", "99"),
]
PLACES = [option(10001, "North", "n"), option(10002, "South", "s")]
WAYS = [option(10001, "Web", "web"), option(10002, "Shop", "shop"), option(10003, "Fax", "fax")]
SURVEY = [
    question(2, "RADIO", "How was it?", "sat", STEPS, key="radio-likert"),
    question(3, "RADIO", "Where?", "region", PLACES, key="radio"),
    question(4, "CHECKBOX", "By what?", "ways", WAYS, key="checkbox"),
    question(5, "TEXTBOX", "Why?", "why", key="text"),
    question(6, "NUMBER", "How many?", "many", key="number"),
]


def chosen(own, value):
    return {"answer": value, "answer_id": own}


def given(sat, region, **more):
    """One response; ``sat`` is the number of its option, or an entry without an answer."""
    step = chosen(10001 + sat, STEPS[sat]["value"]) if isinstance(sat, int) else sat
    place = chosen(10001 + region, PLACES[region]["value"])
    by_web = {"options": {"10001": {"id": 10001, "option": "Web", "answer": "web"}}}
    return {"2": step, "3": place, "4": by_web, **more}


@pytest.fixture
def df(scripted):
    """North says 5, 4 and "not applicable", South 2, 2, skips it and did not see it."""
    skipped, hidden = {"shown": True, "answer": ""}, {"shown": False, "answer": ""}
    answers = [
        given(0, 0, **{"6": {"answer": "-3", "shown": True}}),
        given(1, 0, **{"6": {"answer": "8", "shown": True}}),
        given(3, 0),
        given(2, 1, **{"5": hidden}),
        given(2, 1, **{"5": skipped}),
        given(skipped, 1, **{"6": hidden}),
        given(hidden, 1, **{"6": skipped}),
    ]
    responses = [response(number, data) for number, data in enumerate(answers, 1)]
    return frame(scripted, SURVEY, responses, metadata="none")


def by_region(read):
    return read.groupby("region")["sat"].mean().tolist()


def test_means_by_group_are_those_of_the_frame(df, tmp_path):
    scores = df.alchemer.score("sat").groupby(df["region"], observed=False).mean()
    assert scores.tolist() == [4.5, 2.0]
    for each in (df, df.alchemer.relabel(values="code")):
        each.alchemer.to_stata(tmp_path / "x.dta")
        each.alchemer.to_spss(tmp_path / "x.sav")
        assert by_region(pd.read_stata(tmp_path / "x.dta", convert_categoricals=False)) == [4.5, 2]
        assert by_region(pyreadstat.read_dta(tmp_path / "x.dta")[0]) == [4.5, 2]
        assert by_region(pyreadstat.read_sav(tmp_path / "x.sav")[0]) == [4.5, 2]
    raw, meta = pyreadstat.read_dta(tmp_path / "x.dta", user_missing=True)
    assert raw["sat"].tolist()[:5] == [5, 4, "e", 2, 2]
    assert meta.variable_value_labels["sat"]["e"] == "Not applicable"
    df.alchemer.to_stata(tmp_path / "x.dta", user_missing=False)
    assert by_region(pyreadstat.read_dta(tmp_path / "x.dta")[0]) == [36, 2]  # (5 + 4 + 99) / 3


def test_several_options_that_do_not_apply_are_missing_in_both(scripted, tmp_path):
    words = ["N/A", "Don't know", "Not sure", "Unsure", "Good", "Bad"]
    options = [option(10001 + n, word, str(n + 1)) for n, word in enumerate(words)]
    responses = [response(n, {"2": chosen(10000 + n, str(n))}) for n in range(1, len(words) + 1)]
    asked = [question(2, "RADIO", "How?", "sat", options, key="radio")]
    df = frame(scripted, asked, responses, metadata="none")
    df.alchemer.to_spss(tmp_path / "x.sav")
    assert pyreadstat.read_sav(tmp_path / "x.sav")[0]["sat"].mean() == 5.5
    df.alchemer.to_stata(tmp_path / "x.dta")
    raw, meta = pyreadstat.read_dta(tmp_path / "x.dta", user_missing=True)
    assert raw["sat"].tolist() == ["e", "f", "g", "h", 5, 6]
    assert meta.variable_value_labels["sat"]["f"] == "Don't know"
    df.alchemer.to_spss(tmp_path / "x.sav", missing="kinds")  # one range and one value: no more
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    assert raw["sat"].tolist() == [1, 1, 1, 1, 5, 6]
    assert meta.variable_value_labels["sat"][1] == "N/A / Don't know / Not sure / Unsure"
    assert pyreadstat.read_sav(tmp_path / "x.sav")[0]["sat"].mean() == 5.5


def test_kinds_of_missing_in_spss(df, tmp_path):
    names = df.alchemer.to_spss(tmp_path / "x.sav", missing="kinds").set_index("column")
    raw, meta = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    kinds = {-2: "skipped", -3: "not shown", -4: "not reached", -5: "unknown"}
    assert raw["sat"].tolist() == [5, 4, 99, 2, 2, -2, -3]
    labels = meta.variable_value_labels["sat"]
    assert {code: labels[code] for code in kinds} == kinds
    assert meta.missing_ranges["sat"] == [{"lo": -5, "hi": -2}, {"lo": 99, "hi": 99}]
    # -3 is an answer here, so that the kinds have other codes.
    assert raw["many"].tolist() == [-3, 8, -14, -14, -14, -12, -11]
    assert meta.missing_ranges["many"] == [{"lo": -14, "hi": -11}]
    assert raw["ways_web"].tolist() == [1] * 7
    assert raw["why"].tolist() == [""] * 7
    assert "only numbers hold it" in names.loc["why", "notes"]
    assert "only numbers" not in names.loc["many", "notes"]
    plain = pyreadstat.read_sav(tmp_path / "x.sav")[0]
    assert by_region(plain) == [4.5, 2]
    assert plain["many"].mean() == 2.5


def test_kinds_of_missing_in_stata(df, tmp_path):
    df.loc[4, "sat"] = np.nan  # the analyst took it away: no kind, and nothing is revived
    df.alchemer.to_stata(tmp_path / "x.dta", missing="kinds")
    raw, meta = pyreadstat.read_dta(tmp_path / "x.dta", user_missing=True)
    assert raw["sat"].tolist()[:3] == [5, 4, "e"]
    assert np.isnan(raw["sat"][3])
    assert raw["sat"].tolist()[4:] == [2, "a", "b"]
    assert raw["many"].tolist() == [-3, 8, "d", "d", "d", "b", "a"]
    kinds = {"a": "skipped", "b": "not shown", "c": "not reached", "d": "unknown"}
    assert meta.variable_value_labels["many"] == kinds
    labels = {5: "Very good", 4: "Good", 2: "Bad", "e": "Not applicable"}
    assert meta.variable_value_labels["sat"] == {**labels, **kinds}
    assert pd.read_stata(tmp_path / "x.dta", convert_categoricals=False)["many"].mean() == 2.5


@pytest.mark.parametrize("values", [pytest.param("label", marks=pytest.mark.long), "code"])
def test_every_kind_of_every_cell_of_a_survey(box, tmp_path, values):
    client = al.Client(credentials_for(box, "api_key"), region=box.region)
    df = client.responses("Customer satisfaction", progress="none", values=values)
    kinds = df.alchemer.missing()
    letters = {"skipped": "a", "not shown": "b", "not reached": "c", "unknown": "d"}
    spss = df.alchemer.to_spss(tmp_path / "x.sav", missing="kinds").set_index("column")
    stata = df.alchemer.to_stata(tmp_path / "x.dta", missing="kinds").set_index("column")
    sav, sav_meta = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    dta, _ = pyreadstat.read_dta(tmp_path / "x.dta", user_missing=True)
    seen = set()
    for name in kinds:
        if spss.loc[name, "type"] != "number":
            continue
        empty = df[name].isna().tolist()
        wanted = [kind if none else "" for kind, none in zip(kinds[name], empty, strict=True)]
        seen |= set(wanted)
        labels = sav_meta.variable_value_labels[spss.loc[name, "variable"]]
        cells = sav[spss.loc[name, "variable"]].map(labels)
        assert [c if none else "" for c, none in zip(cells, empty, strict=True)] == wanted
        cells = dta[stata.loc[name, "variable"]]
        found = [c if none else "" for c, none in zip(cells, empty, strict=True)]
        assert found == [letters.get(kind, "") for kind in wanted]
    assert seen >= {"", "skipped", "not shown", "not reached"}


def test_letters_before_the_first_number_and_fractions_stay_numbers(scripted, tmp_path):
    """pyreadstat decides by the first cells of a column whether it is one of texts."""
    entries = [{"shown": True, "answer": ""}] * 150 + [{"answer": "1.5"}, {"answer": "2"}]
    responses = [response(n, {"6": each}) for n, each in enumerate(entries, 1)]
    df = frame(scripted, SURVEY[4:], responses, metadata="none")
    df.alchemer.to_stata(tmp_path / "x.dta", missing="kinds")
    read = pd.read_stata(tmp_path / "x.dta", convert_missing=True, convert_categoricals=False)
    assert [str(cell) for cell in read["many"]] == [".a"] * 150 + ["1.5", "2.0"]
    df.alchemer.to_spss(tmp_path / "x.sav", missing="kinds")
    raw, _ = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    assert raw["many"].tolist() == [-2] * 150 + [1.5, 2]
    df.iloc[:150].alchemer.to_stata(tmp_path / "x.dta", missing="kinds")  # not one number
    read = pd.read_stata(tmp_path / "x.dta", convert_missing=True, convert_categoricals=False)
    assert {str(cell) for cell in read["many"]} == {".a"}


def test_codes_beside_labels_have_kinds_too(df, tmp_path):
    both = df.alchemer.relabel(values="both")
    names = both.alchemer.to_stata(tmp_path / "x.dta", missing="kinds").set_index("column")
    raw, _ = pyreadstat.read_dta(tmp_path / "x.dta", user_missing=True)
    for name in ("sat", "sat_code"):
        assert raw[names.loc[name, "variable"]].tolist() == [5, 4, "e", 2, 2, "a", "b"]


def test_kinds_need_the_answers(df, tmp_path):
    with pytest.raises(KnowledgeLost):
        pd.DataFrame(df.to_dict()).alchemer.to_spss(tmp_path / "x.sav", missing="kinds")
    with pytest.raises(InvalidArgument, match="missing is 'empty', 'kinds', not 'kind'"):
        df.alchemer.to_stata(tmp_path / "x.dta", missing="kind")
    assert list(tmp_path.iterdir()) == []


def export(df, path, **options):
    """The codes and labels of ``sat`` in the file, and the text of the warning, if there is one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        df.alchemer.to_spss(path, **options)
    raw, meta = pyreadstat.read_sav(path, user_missing=True)
    assert len(caught) < 2
    return raw, meta, str(caught[0].message) if caught else ""


def test_a_column_is_known_by_its_name_and_all_its_categories(df, tmp_path):
    few = df[df["sat"] == "Good"]
    few = few.assign(sat=few["sat"].cat.remove_unused_categories())
    turned = df.assign(
        sat=df["sat"].cat.reorder_categories(
            ["Bad", *df["sat"].cat.categories[:2], "Not applicable"]
        )
    )
    for each, codes in ((few, [4]), (turned, [5, 4, 99, 2, 2])):
        raw, meta, warning = export(each, tmp_path / "x.sav")
        assert raw["sat"].dropna().tolist() == codes
        assert meta.variable_value_labels["sat"][99] == "Not applicable"
        assert warning == ""


def test_the_same_categories_have_the_same_codes_under_any_name(df, tmp_path):
    for each in (df.rename(columns={"sat": "mine"}), df.assign(mine=df["sat"])):
        raw, meta, warning = export(each, tmp_path / "x.sav")
        assert raw["mine"].dropna().tolist() == [5, 4, 99, 2, 2]
        assert meta.missing_ranges["mine"] == [{"lo": 99, "hi": 99}]
        assert meta.column_names_to_labels["mine"] == "mine"  # never the question's words
        assert warning == ""
    table = df.assign(mine=df["sat"]).alchemer.to_spss(tmp_path / "x.sav").set_index("column")
    assert "as in sat" in table.loc["mine", "notes"]


def test_two_codes_for_the_same_categories_leave_a_copy_to_the_analyst(scripted, tmp_path):
    upside = [{**each, "value": str(number)} for number, each in enumerate(STEPS, 1)]
    asked = [
        question(2, "RADIO", "One?", "one", STEPS, key="radio"),
        question(3, "RADIO", "Two?", "two", upside, key="radio"),
    ]
    data = {"2": chosen(10001, "5"), "3": chosen(10001, "1")}
    df = frame(scripted, asked, [response(1, data)], metadata="none")
    raw, _, warning = export(df.assign(copy=df["one"]), tmp_path / "x.sav")
    assert raw.iloc[0][["one", "two", "copy"]].tolist() == [5, 1, 1]
    assert warning.startswith("'copy': not all categories")


def test_categories_of_the_analyst_get_positions_and_one_warning(df, tmp_path):
    one = df.assign(sat=df["sat"].cat.rename_categories({"Very good": "Great"}))
    merged = df["sat"].astype(str).replace({"Very good": "Fine", "Good": "Fine"})
    merged = merged.where(df["sat"].notna())
    own = one.assign(merged=pd.Categorical(merged, ["Fine", "Bad", "Not applicable"]))
    raw, meta, warning = export(own, tmp_path / "x.sav")
    assert raw["sat"].dropna().tolist() == [1, 2, 4, 3, 3]
    assert meta.variable_value_labels["sat"] == {
        1: "Great",
        2: "Good",
        3: "Bad",
        4: "Not applicable",
    }
    assert raw["merged"].dropna().tolist() == [1, 1, 3, 2, 2]
    assert meta.missing_ranges["sat"] == [{"lo": 4, "hi": 4}]  # a mean never counts it
    assert warning.startswith("'sat', 'merged': not all categories are options of the survey")
    assert "'region'" not in warning
    with pytest.warns(UserWarning, match="'sat', 'merged'") as caught:
        own.alchemer.to_stata(tmp_path / "x.dta")
    assert (len(caught), caught[0].filename) == (1, __file__)


def test_codes_say_otherwise(df, tmp_path):
    mine = df.assign(sat=df["sat"].cat.rename_categories({"Very good": "Great"}))
    points = {"Great": 7, "Good": 3, "Bad": 0, "Not applicable": -1}
    raw, meta, warning = export(mine, tmp_path / "x.sav", codes={"sat": points})
    assert raw["sat"].dropna().tolist() == [7, 3, -1, 0, 0]
    assert meta.variable_value_labels["sat"] == {code: name for name, code in points.items()}
    assert meta.missing_ranges["sat"] == [{"lo": -1, "hi": -1}]
    assert warning == ""
    texts = df.assign(again=df["sat"].astype(object), number=df.alchemer.score("sat"))
    codes = {"again": "sat", "number": "q2"}
    raw, meta, warning = export(texts, tmp_path / "x.sav", codes=codes)
    assert raw["again"].dropna().tolist() == [5, 4, 99, 2, 2]
    assert raw["number"].dropna().tolist() == [5, 4, 2, 2]
    assert meta.variable_value_labels["number"][5] == "Very good"
    assert warning == ""


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        ({"stat": "sat"}, "no column 'stat'; did you mean 'sat'"),
        ({"sat": "nothing"}, "knows no question 'nothing'"),
        ({"sat": "region"}, "codes for 'sat' leave out 'Very good'"),
        ({"sat": "why"}, "'why' has no options"),
        ({"sat": {"Very god": 5, "Good": 4, "Bad": 2, "Not applicable": 9}}, "mean 'Very god'"),
        ({"sat": {"Very good": 1, "Good": 1}}, "different whole numbers"),
        ({"sat": {"Very good": "5"}}, "different whole numbers"),
        ({"sat": {"Very good": 1.5}}, "different whole numbers"),
        ({"sat": {}}, "the name of a question, or a dict"),
        ({"sat": 1.5}, "the name of a question, or a dict"),
        ({"many": {"few": 8}}, "codes for 'many' leave out -3"),
        ({"ways_web": {"a": 8}}, "'ways_web' is true or false"),
        ("sat", "codes is a dict"),
    ],
    ids=str,
)
def test_codes_that_do_not_fit_are_named(df, tmp_path, codes, problem):
    with pytest.raises(InvalidArgument) as caught:
        df.alchemer.to_stata(tmp_path / "x.dta", codes=codes)
    assert problem in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_no_cell_holds_any_more_changes_no_code(scripted, tmp_path):
    answers = [chosen(10001, "5"), {"answer": "Green", "answer_id": 10099}]
    responses = [response(n, {"2": each}) for n, each in enumerate(answers, 1)]
    df = frame(scripted, SURVEY[:1], responses, metadata="none")
    raw, meta, warning = export(df, tmp_path / "x.sav")
    assert raw["sat"].tolist() == [1, 5]
    assert warning.startswith("'sat'")
    raw, meta, warning = export(df.head(1), tmp_path / "x.sav")
    assert raw["sat"].tolist() == [5]
    assert "Green" not in meta.variable_value_labels["sat"].values()
    assert warning == ""


def test_a_set_is_written_whole_or_not_at_all(df, tmp_path):
    syntax = tmp_path / "x.mrsets.sps"
    export(df, tmp_path / "x.sav")
    assert "VARIABLES=ways_web\n      ways_shop\n      ways_fax" in syntax.read_text("utf-8-sig")
    renamed = df.rename(columns={"ways_shop": "shop"})
    _, _, warning = export(renamed, tmp_path / "x.sav")
    assert "MRSETS" not in syntax.read_text("utf-8-sig")
    assert warning == "no multiple-response set is written where an option is not here: 'ways_shop'"
    with pytest.warns(UserWarning, match="not here: 'ways_shop', 'ways_fax'"):
        table = renamed.drop(columns="ways_fax").alchemer.to_spss(tmp_path / "x.sav")
    assert "without ways_shop" in table.set_index("column").loc["ways_web", "notes"]


def test_plain_writes_what_pandas_would(df, tmp_path):
    merged = df.merge(pd.DataFrame({"many": [8.0], "own": pd.Categorical(["x"])}), how="left")
    raw, meta, warning = export(merged, tmp_path / "x.sav", plain=True)
    assert warning == ""
    assert raw["sat"].tolist()[:3] == ["Very good", "Good", "Not applicable"]
    assert raw["own"].tolist()[:2] == ["", "x"]
    assert raw["ways_web"].tolist() == [1] * 7
    assert meta.variable_value_labels == {}
    assert meta.missing_ranges == {}
    assert set(meta.column_names_to_labels.values()) == {None}
    assert not (tmp_path / "x.mrsets.sps").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        merged.alchemer.to_excel(tmp_path / "x.xlsx", plain=True)
    assert pd.ExcelFile(tmp_path / "x.xlsx").sheet_names == ["responses"]
    with pytest.warns(UserWarning, match="no description of a survey") as caught:
        merged.alchemer.to_excel(tmp_path / "x.xlsx")
    assert caught[0].filename == __file__
    for options in ({"codes": {"sat": "sat"}}, {"missing": "kinds"}):
        with pytest.raises(InvalidArgument, match="plain=True writes no codes and no kinds"):
            df.alchemer.to_stata(tmp_path / "x.dta", plain=True, **options)
