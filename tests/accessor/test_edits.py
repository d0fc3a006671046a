"""Frames that an analyst edited: each call of the accessor says what pandas says by hand.

The right values come from the frame as it is to be seen and from the survey's JSON as the server
sends it. Names by id say which question a column is about.
"""

from __future__ import annotations

import html
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import alchemer_nb as al
from tests.boxes import NO_LIMITS, copied_box

KINDS = ["answered", "skipped", "not shown", "not reached", "removed", "unknown"]
SURVEYS = ("9000001", "9000002", "9000003", "9000004", "9000005", "9000006")
NAME = re.compile(r"q(\d+)(?:_(?!other|comment|raw)(\w+?))?(_other|_comment|_raw)?")
LOOSE = list(HealthCheck)
SILENT = ("skipped", "not shown", "not reached")


def is_aside(option):
    properties = option.get("properties")
    return bool(isinstance(properties, dict) and properties.get("na"))


def number_of(text):
    return float(pd.to_numeric(text, errors="coerce"))


class Surveys(dict):
    """The demo surveys of a sandbox, each from when it is asked for."""

    def __init__(self, box):
        self.box = box

    def __missing__(self, own):
        self[own] = Survey(self.box, own)
        return self[own]


class Survey:
    """A demo survey: its JSON, and frames downloaded of it."""

    def __init__(self, box, own):
        client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
        self.frames = {
            values: client.responses(own, names="id", values=values, progress="none")
            for values in ("label", "code")
        }
        asked = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
        pages = requests.get(f"{box.url}/v5/survey/{own}", asked, timeout=60).json()["data"]
        asked["resultsperpage"] = "500"
        found = requests.get(f"{box.url}/v5/survey/{own}/surveyresponse", asked, timeout=60).json()
        self.given = {int(each["id"]): each for each in found["data"]}
        self.entries = {}
        for own, each in self.given.items():
            data = each["survey_data"]
            listed = data.values() if isinstance(data, dict) else data
            self.entries[own] = {str(entry["id"]): entry for entry in listed}
        self.questions, self.parents = {}, {}
        for page in pages["pages"]:
            for question in page["questions"]:
                self.add(question)

    def add(self, question, parent=None):
        if isinstance(question, dict):
            self.questions.setdefault(str(question["id"]), question)
            if parent is not None:
                self.parents.setdefault(str(question["id"]), parent)
            rows = question.get("sub_questions") or ()
            for row in rows.values() if isinstance(rows, dict) else rows:
                self.add(row, question)

    def options(self, name):
        """The options of a single choice: label, category in a frame, code and score."""
        question = self.questions[NAME.fullmatch(name)[1]]
        above = self.parents.get(str(question["id"]), {})
        listed = question.get("options") or above.get("options") or []
        labels = [html.unescape(re.sub("<[^>]*>", "", o["title"]["English"])) for o in listed]
        labels = [" ".join(label.split()) for label in labels]
        return [
            {
                "label": label,
                "category": f"{label} [{each['id']}]" if labels.count(label) > 1 else label,
                "code": str(each["value"]),
                "aside": is_aside(each),
                "score": np.nan if is_aside(each) else number_of(each["value"]),
            }
            for label, each in zip(labels, listed, strict=True)
        ]

    def said(self, name, own):
        """The reason that the entry itself gives for an empty cell, None if it gives none."""
        entry = self.entries[own].get(NAME.fullmatch(name)[1], {})
        if name.endswith(("_other", "_raw")) or "shown" not in entry:
            return None
        if entry["shown"]:
            return "skipped"
        return "not shown" if self.given[own]["status"] == "Complete" else None


@pytest.fixture(scope="module")
def surveys():
    """The demo surveys, by form of payload."""
    data = {"responses": 60, "types": True, **NO_LIMITS}
    with copied_box(form="2017", **data) as old, copied_box(form="current", **data) as new:
        yield {"2017": Surveys(old), "current": Surveys(new)}


def answers(df):
    return [name for name in df.columns if NAME.fullmatch(str(name))]


@st.composite
def edits(draw):
    kinds = ["blank", "blank many", "clip", "recode", "rows", "sort", "twice", "columns", "order",
             "rename", "mine", "reset", "level", "object", "stored"]  # fmt: skip
    step = st.tuples(st.sampled_from(kinds), st.integers(0, 10**6))
    return draw(st.lists(step, min_size=1, max_size=6))


def edit(df, steps):
    """Do to a frame what an analyst does, in plain pandas."""
    for kind, seed in steps:
        dice = np.random.default_rng(seed)
        df, names = df.copy(), answers(df)
        if kind in ("rows", "twice", "sort"):
            share = 1 if kind == "sort" else dice.random()
            df = df.sample(frac=share, replace=kind == "twice", random_state=seed)
        elif kind == "order":
            df = df[list(dice.permutation(df.columns))]
        elif kind == "rename":
            new = {name: f"my {name}" for name in df.columns}
            df = df.rename(columns=new).rename(columns={n: o for o, n in new.items()})
        elif kind == "mine":
            df[f"mine {seed % 3}"] = dice.integers(0, 9, len(df))
        elif kind == "reset" and df.index.names == ["response_id"]:
            df = df.reset_index()
        elif kind == "level" and df.index.names == ["response_id"]:
            df = df.set_index("status", append=True) if "status" in df else df
        elif kind == "columns" and len(names) > 3:
            df = df.drop(columns=dice.choice(names, len(names) // 3, replace=False))
        elif names and len(df):
            name = names[seed % len(names)]
            df = edit_column(df, name, kind, dice)
    return df


def edit_column(df, name, kind, dice):
    values = df[name]
    if kind.startswith("blank"):
        many = dice.random(len(df)) < (0.9 if kind == "blank many" else 0.2)
        df[name] = values.mask(many)
    elif kind == "clip" and values.dtype == float:
        df[name] = values.clip(upper=values.median())
    elif kind == "recode" and isinstance(values.dtype, pd.CategoricalDtype):
        groups = values.cat.categories
        if len(groups) > 1:
            df[name] = values.mask(values == groups[0], groups[1])
    elif kind == "object":
        df[name] = values.astype(object)
    elif kind == "stored" and isinstance(values.dtype, pd.CategoricalDtype):
        df[name] = values.cat.remove_unused_categories()
    return df


def ids_of(df):
    in_index = "response_id" in df.index.names
    return [*(df.index.get_level_values("response_id") if in_index else df["response_id"])]


def kinds_by_hand(survey, before, first, df, name):
    """Why each cell is what it is; ``first`` is what the unedited frame said of its own cells."""
    for own, value in zip(ids_of(df), df[name], strict=True):
        if not pd.isna(value):
            yield "answered"
        elif not name.endswith(("_other", "_raw")) and not pd.isna(before.at[own, name]):
            yield "removed"
        elif first.at[own, name] != "answered":
            yield survey.said(name, own) or first.at[own, name]
        else:
            yield None  # emptied, of a text beside an answer: nothing says what it was


def check_missing(survey, before, first, df, states):
    found = {}
    assert answers(states) == answers(df)
    assert states.index.equals(df.index)
    for name in answers(df):
        by_hand = [*kinds_by_hand(survey, before, first, df, name)]
        package = [*states[name]]
        right = [p if b is None else b for p, b in zip(package, by_hand, strict=True)]
        assert package == right, name
        found[name] = right
    return found


def check_codebook(df, kinds):
    book = df.alchemer.codebook.set_index("column_id")
    assert {*book.index} >= {*kinds}
    assert {*book.index} <= {*df.columns}
    for name, each in kinds.items():
        answered, skipped = each.count("answered"), each.count("skipped")
        assert book.at[name, "n_answered"] == answered, name
        assert book.at[name, "n_asked"] == answered + skipped, name


def check_bases(survey, df, kinds):
    """A question has the first of these states that one of its cells has."""
    ranks = ["answered", "removed", "skipped", "not shown", "not reached", "unknown"]
    groups = {}
    for name in kinds:
        own, item, part = NAME.fullmatch(name).groups()
        if part is None:
            subs = survey.questions.get(own, {}).get("sub_questions") or ()
            rows = subs.values() if isinstance(subs, dict) else subs
            row = (item or "").split("_")[0]
            is_row = row in {str(each["id"]) for each in rows if isinstance(each, dict)}
            groups.setdefault((own, row if is_row else ""), []).append(kinds[name])
    by_hand = []
    for (own, row), columns in groups.items():
        best = [min(cells, key=ranks.index) for cells in zip(*columns, strict=True)]
        counts = [best.count(kind) for kind in KINDS]
        by_hand.append([row or own, counts[0] + counts[1], *counts])
    sizes = df.alchemer.base_sizes()
    found = sizes[["question_id", "base", *KINDS]].to_numpy().tolist()
    assert sorted(map(str, found)) == sorted(map(str, by_hand))


def is_scale(survey, name):
    """Whether the codes count something: numbers, a likert scale, rising or falling, 0 and 1."""
    if survey.frames["label"][name].dtype == float:
        return True
    question = survey.questions[NAME.fullmatch(name)[1]]
    codes = [each["score"] for each in survey.options(name) if not each["aside"]]
    steps = np.diff(codes)
    is_straight = len(codes) > 2 and ((steps > 0).all() or (steps < 0).all())
    is_likert = question["properties"].get("map_key") == "radio-likert"
    if question["type"] == "MENU":
        return {*codes} <= {0, 1}
    return is_likert or is_straight or {*codes} <= {0, 1}


def scores_by_hand(survey, df, name):
    """The score of each cell, and all scores; None if the column holds no scale."""
    options = survey.options(name)
    levels = {each["score"] for each in options if each["score"] == each["score"]}
    if not levels or not is_scale(survey, name):
        return None
    values = [*df[name].astype(object)]
    if any(isinstance(value, str) for value in values):
        texts = {value for value in values if isinstance(value, str)}
        known = {field: texts & {each[field] for each in options} for field in ("category", "code")}
        field = max(known, key=lambda each: len(known[each]))
        score_of = {each[field]: each["score"] for each in options}
        return [score_of.get(value, np.nan) for value in values], levels
    score_of = {number_of(each["code"]): each["score"] for each in options}
    return [score_of.get(value, value) for value in values], levels


def single_choices(survey, df):
    """Columns of one choice: those whose whole name is a question with options."""
    for name in answers(df):
        own, item, part = NAME.fullmatch(name).groups()
        if item is None and part is None:
            question = survey.questions.get(own, {})
            kind = (question.get("properties") or {}).get("map_key", "")
            if kind.startswith(("radio", "menu")) and survey.options(name):
                yield name


def check_scores(survey, df):
    for name in single_choices(survey, df):
        by_hand = scores_by_hand(survey, df, name)
        if by_hand is None:
            continue
        scores, levels = pd.Series(by_hand[0], dtype=float), sorted(by_hand[1], reverse=True)
        np.testing.assert_array_equal(df.alchemer.score(name).to_numpy(), scores.to_numpy(), name)
        n = min(2, len(levels))
        share = (scores.dropna() >= levels[n - 1]).mean() if scores.notna().any() else np.nan
        assert df.alchemer.top(name, n) == pytest.approx(share, nan_ok=True), name


def check_words(survey, unedited, df):
    here = unedited.alchemer.find("you")["column"]
    assert [*df.alchemer.find("you")["column"]] == [name for name in here if name in df]
    options = df.alchemer.options
    for name in single_choices(survey, df):
        labels = [each["label"] for each in survey.options(name)]
        assert [*options.loc[options["column"] == name, "label"]] == labels
    assert {*options["column"]} <= {*df.columns}


def without_their_question(df):
    """Columns beside an answer, of questions of which nothing else is here.

    What is written or redacted does not say why they are empty: it could tell the answer.
    """
    parts = {name: NAME.fullmatch(name).groups() for name in answers(df)}
    whole = {own for own, _, part in parts.values() if part is None}
    return {name for name, (own, _, part) in parts.items() if part and own not in whole}


def same_kinds(found, right, df):
    """Compare the states of cells, of a frame whose description was trimmed."""
    alone = without_their_question(df)
    assert [*found.columns] == [*right.columns]
    for name in found:
        allowed = {("unknown", kind) for kind in SILENT} if name in alone else set()
        pairs = zip(found[name], right[name], strict=True)
        assert {(a, b) for a, b in pairs if a != b} <= allowed, name


def check_redacted(df):
    clean = df.alchemer.redact()
    gone = [name for name in df.columns if name not in clean]
    assert [*clean.columns] == [name for name in df.columns if name not in gone]
    assert not clean.astype(str).apply(lambda c: c.str.contains("@", regex=False)).any(axis=None)
    for name in clean:
        assert [*clean[name].astype(str)] == [*df[name].astype(str)]
    kinds = clean.alchemer.missing()
    same_kinds(kinds, df.alchemer.missing()[kinds.columns], clean)


def check_models(df):
    model = df.alchemer.for_model()
    for name in df.columns:
        values, made = df[name], model[name]
        if str(values.dtype) in ("bool", "boolean", "Int64"):
            right = [np.nan if pd.isna(value) else float(value) for value in values]
            np.testing.assert_array_equal(made.to_numpy(dtype=float), right)
        else:
            assert [*made.astype(str)] == [*values.astype(str)]


def check_files(survey, df, states):
    with tempfile.TemporaryDirectory() as folder:
        df.alchemer.to_parquet(Path(folder, "x.parquet"))
        back = al.read_parquet(Path(folder, "x.parquet"))
        assert [*back.columns] == [*df.columns]
        for name in df.columns:
            assert [*back[name].astype(str)] == [*df[name].astype(str)], name
        same_kinds(back.alchemer.missing(), states, df)
        table = df.alchemer.to_spss(Path(folder, "x.sav")).set_index("column")
        written, _ = pyreadstat.read_sav(Path(folder, "x.sav"), user_missing=True)
    for name in single_choices(survey, df):
        options = survey.options(name)
        codes = {each["category"]: number_of(each["code"]) for each in options}
        is_label = {*df[name].dropna().astype(object)} <= {*codes}
        numbers = pd.Series([*codes.values()])
        if (
            is_label
            and df[name].dtype == "category"
            and numbers.notna().all()
            and numbers.is_unique
        ):
            right = [np.nan if pd.isna(v) else codes[v] for v in df[name].astype(object)]
            found = written[table.at[name, "variable"]].to_numpy(dtype=float)
            np.testing.assert_array_equal(found, right, name)


def check_waves(survey, unedited, df, states):
    if not (len(df) and answers(df)):
        return
    both = al.stack_waves({"old": unedited, "new": df})
    last = both.xs("new", level="wave")
    assert [*last.index] == ids_of(df)
    kinds = both.alchemer.missing().xs("new", level="wave")
    for name in answers(df):
        assert [*last[name].dropna().astype(object)] == [*df[name].dropna().astype(object)]
        assert [*kinds[name]] == [*states[name]]
    for name in single_choices(survey, df):
        by_hand = [scores_by_hand(survey, each, name) for each in (unedited, df)]
        if None not in by_hand:
            scores = pd.Series(by_hand[0][0] + by_hand[1][0], dtype=float)
            np.testing.assert_array_equal(both.alchemer.score(name).to_numpy(), scores)


def check(surveys, steps, own, form, values, files):
    survey = surveys[form][own]
    before = survey.frames[values]
    first = before.alchemer.missing()
    df = edit(before, steps)
    assert df.attrs == before.attrs
    states = df.alchemer.missing()
    kinds = check_missing(survey, before, first, df, states)
    check_codebook(df, kinds)
    check_bases(survey, df, kinds)
    check_scores(survey, df)
    check_words(survey, before, df)
    if files:
        check_redacted(df)
        check_models(df)
        check_files(survey, df, states)
        check_waves(survey, before, df, states)


EDITED = {
    "steps": edits(),
    "own": st.sampled_from(SURVEYS),
    "form": st.sampled_from(["2017", "current"]),
    "values": st.sampled_from(["label", "code"]),
    "files": st.booleans(),
}


# Of the few rows that are left nobody answered q7, which is made a column of objects.
NOBODY = {"steps": [("rows", 185), ("rows", 185), ("object", 182)], "own": "9000005"}


@example(**NOBODY, form="current", values="label", files=True)
@example(**NOBODY, form="2017", values="code", files=False)
@given(**EDITED)
@settings(max_examples=3, suppress_health_check=LOOSE)
@pytest.mark.filterwarnings("ignore")
def test_each_call_says_what_pandas_says(surveys, steps, own, form, values, files):
    check(surveys, steps, own, form, values, files)


@pytest.mark.long
@example(**NOBODY, form="2017", values="label", files=False)
@example(**NOBODY, form="current", values="label", files=False)
@given(**EDITED)
@settings(max_examples=600, suppress_health_check=LOOSE)
@pytest.mark.filterwarnings("ignore")
def test_each_call_says_what_pandas_says_of_many_edits(surveys, steps, own, form, values, files):
    check(surveys, steps, own, form, values, files)
