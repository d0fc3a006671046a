"""Nothing received is lost: whole responses of any form, read by a reader of the tests' own.

Each scalar of a response is in a cell with ``metadata="all"``, or in the long shape, or in a note
with its count. What only says where an answer belongs is no answer: ids, types and words of
questions, and whether they were shown, which the kinds of missing and the long shape say.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.survey.definition import read_definition
from tests.survey_json import option, question, response

LOOSE = settings(suppress_health_check=list(HealthCheck))
DRINKS = [
    option(10001, "Tea", "t"),
    option(10002, "Coffee", "c"),
    option(10003, "Other", "o", other=True),
]
KNOWN = {str(one["id"]): [one["title"]["English"], one["value"]] for one in DRINKS}
SCALE = [option(10011 + n, str(n), str(n)) for n in range(3)]
ROWS = [question(41, "RADIO", "North"), question(42, "RADIO", "South")]
CELLS = [question(51, "CHECKBOX", "North"), question(52, "CHECKBOX", "South")]
TEXTS = [question(56, "TEXTBOX", "North")]
PARTS = [
    question(61, "TEXTBOX", "Name", key="text"),
    question(62, "CHECKBOX", "Drinks", "", DRINKS, key="checkbox"),
]
TABLE = [
    question(10101, "RADIO", "Size", "", DRINKS, key="radio"),
    question(10102, "TEXTBOX", "Words", key="text"),
]
ASKED = [
    question(2, "RADIO", "Drink", "drink", DRINKS, key="radio"),
    question(3, "TEXTBOX", "Words", "words", key="text"),
    question(4, "TEXTBOX", "Number", "many", key="number"),
    question(5, "TEXTBOX", "Day", "day", key="date"),
    question(6, "NPS", "Score", "nps", SCALE, key="radio-nps"),
    question(21, "CHECKBOX", "Drinks", "drinks", DRINKS, key="checkbox"),
    question(37, "RANK", "Rank", "rank", DRINKS, key="rank-dragdrop"),
    question(38, "CONT_SUM", "Sum", "sum", DRINKS, key="contsum"),
    question(39, "MULTI_TEXTBOX", "List", "list", DRINKS, key="multitext"),
    question(40, "TABLE", "Grid", "grid", DRINKS, ROWS, key="table-radio"),
    question(50, "TABLE", "Boxes", "boxes", DRINKS, CELLS, key="table-checkbox"),
    question(55, "TABLE", "Texts", "texts", DRINKS, TEXTS, key="table-textbox"),
    question(60, "GROUP", "Group", "group", [], PARTS, key="group"),
    question(83, "MATRIX", "Table", "table", [], TABLE, key="matrix"),
    question(90, "HOLOGRAM", "New", "new", DRINKS, key="hologram"),
    question(95, "TEXTBOX", "File", "file", key="file"),
]
SURVEY = read_definition({"id": 5, "title": "T"}, ASKED)
QUESTIONS = [*(str(q["id"]) for q in ASKED), "41", "42", "61", "99", "²", "a b"]
OPTIONS = ["10001", "10002", "10003", "10077", "0", "tea"]
BELOW = ["41", "51", "56", "61", "62", "10101", "10102", "10001", "7", "²"]
PLACES = {"id", "type", "parent", "question", "section_id", "shown"}
PLAIN = response(1, {})
# Names that a column, or a member with a meaning, has elsewhere.
NAMES = st.sampled_from(
    ["weight", "comment", "again", "other", "raw", "member", "10001", "x y", "option", "title",
     "value", "nps", "total", "rank_", "0", "²"]
)  # fmt: skip


class Words:
    """Scalars, each of which occurs once."""

    def __init__(self, draw):
        self._draw, self._count = draw, 0

    def scalar(self):
        self._count += 1
        form = self._draw(st.sampled_from(["word", "word", "number", "fraction", "long", "padded"]))
        return {
            "word": f"w{self._count}x",
            "number": 7_000_000 + self._count,
            "fraction": 7_000_000.25 + self._count,
            "long": f"98765432109876{self._count:04}",
            "padded": f"00{7_000_000 + self._count}",
        }[form]

    def value(self, depth=0):
        """A scalar, or some in a map or list."""
        form = self._draw(st.sampled_from(["one", "one", "one", "map", "list", "empty"]))
        if form == "one" or depth > 1:
            return self.scalar()
        if form == "empty":
            return self._draw(st.sampled_from([None, "", [], {}]))
        inner = [self.value(depth + 1) for _ in range(self._draw(st.integers(1, 2)))]
        return inner if form == "list" else {f"k{n}": each for n, each in enumerate(inner)}

    def members(self, often=3):
        """Undocumented members, mostly none."""
        if self._draw(st.integers(0, often)):
            return {}
        return {name: self.value() for name in self._draw(st.sets(NAMES, min_size=1, max_size=2))}

    def answers(self):
        """The documented members of an answer."""
        draw, found = self._draw, {}
        for name in draw(st.sets(st.sampled_from(["answer", "answer", "original_answer", "rank"]))):
            known = draw(st.integers(0, 3)) == 0
            found[name] = draw(st.sampled_from(["t", "1", "", None])) if known else self.value()
        if draw(st.integers(0, 2)) == 0:
            some = [10001, "10002", 10003, "10003-other", 10077, "77-other", 0, "x", None]
            found["answer_id"] = draw(st.sampled_from(some))
        return found

    def listed(self):
        """One entry of ``options``."""
        if self._draw(st.integers(0, 5)) == 0:
            return self.value()
        label = self._draw(st.sampled_from(["Tea", "Coffee", "", None, "new"]))
        own = self._draw(st.sampled_from([10001, "10002", 10077, None]))
        answers = {name: one for name, one in self.answers().items() if name != "answer_id"}
        found = {"id": own, "option": self.scalar() if label == "new" else label}
        return {**found, **answers, **self.members()}

    def options(self):
        form = self._draw(st.sampled_from(["map", "map", "list", "odd"]))
        if form == "odd":
            return self.value()
        keys = self._draw(st.lists(st.sampled_from(OPTIONS), unique=True, max_size=3))
        found = {key: self.listed() for key in keys}
        return found if form == "map" else list(found.values())

    def entry(self, depth=0):
        """The entry of a question, or of a part of one."""
        draw = self._draw
        if draw(st.integers(0, 9)) == 0:
            return self.value()
        found = {"id": 1, "type": "parent", "question": "Q", **self.answers(), **self.members()}
        if draw(st.integers(0, 4)) == 0:
            found["comments"] = self.value()
        shown = draw(st.sampled_from([True, False, "1", None]))
        if shown is not None:
            found["shown"] = shown
        part = draw(st.sampled_from(["none", "options", "under answer", "below", "cells"]))
        if part == "options":
            found["options"] = self.options()
        elif part == "under answer":
            found["answer"] = self.options()
        elif part in ("below", "cells") and depth < 2:
            keys = draw(st.lists(st.sampled_from(BELOW), unique=True, max_size=2))
            entries = {key: self.entry(depth + 1) for key in keys}
            is_list = draw(st.integers(0, 4)) == 0
            found["subquestions"] = list(entries.values()) if is_list else entries
        return found

    def urls(self):
        form = self._draw(st.sampled_from(["none", "map", "flat", "list", "odd"]))
        if form in ("none", "odd"):
            return [] if form == "none" else self.value()
        names = self._draw(st.sets(st.sampled_from(["utm", "Utm", "status", "q2"]), min_size=1))
        objects = {
            name: {"key": name, "value": self.scalar(), "type": "url", **self.members()}
            for name in names
        }
        if form == "flat":
            return {name: self.scalar() for name in names}
        return objects if form == "map" else [*objects.values(), *objects.values()]

    def response(self, own):
        draw, fields = self._draw, {}
        known = ["status", "response_time", "date_submitted", "contact_id", "is_test_data", "dma"]
        for name in draw(st.sets(st.sampled_from(known), max_size=2)):
            fields[name] = self.value()
        asked = draw(st.lists(st.sampled_from(QUESTIONS), unique=True, max_size=4))
        data = {key: self.entry() for key in asked}
        form = draw(st.sampled_from(["map", "map", "map", "list", "odd", "none"]))
        if form == "list":
            data = list(data.values())
        elif form == "odd":
            data = self.value()
        quality = self.value() if draw(st.integers(0, 4)) == 0 else []
        made = response(own, data, url_variables=self.urls(), data_quality=quality, **fields)
        if form == "none":
            del made["survey_data"]
        return {**made, **self.members(often=1)}


@st.composite
def responses(draw):
    words = Words(draw)
    return [words.response(own) for own in range(1, 1 + draw(st.integers(1, 3)))]


def scalars(value, above=()):
    """Every scalar that says something, with the names above it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from scalars(inner, (*above, name))
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner, (*above, "[]"))
    elif value is not None and value != "":
        yield above, value


def says_where(path, value):
    """Whether a member only says where an answer belongs."""
    if path[0] == "survey_data":  # 0 is the id of no option
        return path[-1] in PLACES or (path[-1] == "answer_id" and value == 0)
    if path[0] == "url_variables":
        return path[-1] == "key" or (path[-1], value) == ("type", "url")
    return PLAIN.get(path[0]) == value  # a plain date or flag is a cell of another form


def without_known_words(value, key=""):
    """A response without the words that the definition has for the option that is listed.

    They only say which option it is: its label, and in a ranking its reporting value.
    """
    if isinstance(value, list):
        return [without_known_words(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    keys = key.removesuffix("-other"), str(value.get("id")).removesuffix("-other")
    words = next((KNOWN[each] for each in keys if each in KNOWN), ())
    repeated = {"option", "answer"} if value.get("rank") else {"option"}
    return {
        name: without_known_words(inner, name)
        for name, inner in value.items()
        if not ("option" in value and name in repeated and inner in words)
    }


def value_of(path):
    """The path of a value, without what a map or list in it has."""
    ends = [place for place, name in enumerate(path) if re.fullmatch("k[0-9]", name)]
    path = path[: ends[0]] if ends else path
    while path[-1] == "[]":
        path = path[:-1]
    return path


class Told:
    """All that the frames of some responses say."""

    def __init__(self, given_):
        builder = AnswersBuilder(SURVEY)
        builder.add_page(json.dumps({"result_ok": True, "data": given_}).encode())
        self.answers = builder.build()
        self.texts = {own: [] for own in range(1, len(given_) + 1)}
        self.notes = {}
        for values, shape in (
            ("label", "wide"),
            ("code", "wide"),
            ("id", "wide"),
            ("label", "long"),
        ):
            options = FrameOptions(
                test_rows="include", metadata="all", names="id", values=values, shape=shape
            )
            rows = choose_rows(self.answers, options)
            df = build_frame(self.answers, SURVEY, rows, options, ZoneInfo("UTC"), {})
            assert df.columns.is_unique
            ids = df["response_id"] if shape == "long" else df.index
            for name in df.columns:
                cells = df[name].astype(object)
                for own, cell in zip(ids, cells, strict=True):
                    if not pd.isna(cell):
                        self.texts[own] += texts_in(cell)
            if values == "label" and shape == "wide":
                self.notes = read_description(df).notes

    def has(self, own, value):
        """Whether a cell of a response says a scalar, alone or in a text of JSON."""
        text = as_text(value)
        if re.search("[0-9]{7}|w[0-9]+x", text):
            return any(text in cell for cell in self.texts[own])
        return not {text, text.removesuffix("-other")}.isdisjoint(self.texts[own])

    def counts(self):
        """How many answers the notes count: by question, and of the metadata."""
        found = Counter()
        for column, notes in self.notes.items():
            stem = re.match("q([^_]*)", column)
            for note in notes:
                number = re.match("[0-9,]+", note)
                found[stem[1] if stem else column] += int(number[0]) if number else 0
        return found


def texts_in(cell):
    """The text of a cell, and each one in it where it is JSON."""
    text = as_text(cell)
    inner = json.loads(text) if text[:1] in ("[", "{") else []
    return [text, *(as_text(value) for _, value in scalars(inner))]


def as_text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def assert_nothing_is_lost(given_):
    told = Told(given_)
    once = {}  # an answer that was not edited is sent as the one before the edit, too
    for own, each in enumerate(given_, 1):
        for path, value in scalars(without_known_words(each)):
            if not says_where(path, value) and not told.has(own, value):
                place = "answer" if path[-1] == "original_answer" else path[-1]
                once.setdefault((own, *path[:-1], place, as_text(value)), value_of(path))
    lost = {(key[0], path) for key, path in once.items()}
    counts, below, fields = told.counts(), {}, Counter()
    for _, path in lost:
        if path[0] == "survey_data":  # a note is at the question or at a part of it
            below.setdefault(path[1], []).append(path)
        else:
            fields[path[0]] += 1
    unchosen = told.answers.unchosen
    for paths in below.values():
        stems = {"1" if name == "[]" else name for path in paths for name in path}
        noted = sum(count for stem, count in counts.items() if stem.split(" again")[0] in stems)
        unchosen -= max(0, len(paths) - noted)
        assert unchosen >= 0, (lost, told.notes)
    for name, count in fields.items():
        assert count <= counts[name], (lost, told.notes)


#: A label that no option of the definition has, at a type that is not known.
EDITED = {"90": {"options": {"10003": {"option": "Coffee", "original_answer": "w1x"}}}}
#: Two answers that meet at one place, of which the second has words of its own.
MEETING = [
    {"2": {"answer": "t", "answer_id": 10001, "options": {
        "10001": "w1x",
        "10077": {"id": 10001, "option": "Tea", "answer": "t"},
        "10003": {"id": 10001, "option": "Tea", "answer": "t", "original_answer": "w2x"}}}},
    {"21": {"answer": [{"id": None, "option": "Coffee"}, {"id": "10002", "option": "Tea"}]}},
    {"2": {"options": {"0": {"option": "w1x", "original_answer": "w2x"}}}},
    {"41": {"answer": [
        {"id": 10003, "answer": "o"},
        {"id": 10003, "option": "w1x", "answer": "o", "original_answer": "w2x"}]}},
    {"6": {"answer": "1", "answer_id": 10012, "options": [
        {"id": 10003, "option": "w1x", "original_answer": "w2x"},
        {"id": 10003, "option": "w3x", "original_answer": "w4x"}]}},
    {"37": {"answer": [
        {"id": 10001, "option": "Tea", "original_answer": "w1x"},
        {"id": 10001, "option": "w2x", "original_answer": "w3x"}]}},
    {"2": {"answer": "w1x", "answer_id": 10003, "original_answer": "w2x", "options": {
        "10003": {"option": "w3x", "answer": "o", "original_answer": "w4x"}}}},
    {"55": {"subquestions": {"56": {"10003": {"option": "w1x", "answer": "w2x"}}}}},
    {"40": {"subquestions": {"41": {
        "10003": {"answer": "o", "original_answer": "w1x"},
        "0": {"id": "10003", "option": "w2x", "answer": "o", "original_answer": "w3x"}}}}},
    {"62": {"options": {"10003": {"option": "w1x", "answer": "o", "original_answer": "w2x"}}},
     "60": {"subquestions": {"62": {
        "10003": {"option": "w3x", "answer": "o", "original_answer": "w4x"}}}}},
    {"39": {"answer_id": 10001, "options": {
        "10001": {"option": "w1x", "answer": "t", "original_answer": "w2x"}}}},
    {"50": {"subquestions": {"51": {
        "10077": {"option": "w1x"},
        "0": {"id": "10003-other", "option": "w2x", "answer": "t", "original_answer": "w3x"}}}}},
    {"21": {"options": {
        "10003": {"id": 10003, "option": "Other", "answer": "w1x", "comments": "w2x"},
        "77": {"id": 10003, "option": "w3x", "answer": "w1x", "comments": "w4x"}}}},
    {"38": {"options": [
        {"id": 10001, "option": "Tea", "answer": "7000001", "original_answer": "w1x"},
        {"id": 10001, "option": "w2x", "answer": "7000001", "original_answer": "w3x"}]}},
]  # fmt: skip
#: Items that the definition does not have, with no more than a label: removed since.
REMOVED = [
    {"37": {"answer": [{"id": 10077, "option": 7000014}]}},
    {"37": {"options": {"10077": {"id": 10077, "option": "w1x", "rank": None}}}},
    {"38": {"answer": [{"option": "w1x"}]}},
    {"39": {"options": {"10077": {"id": 10077, "option": "w1x"}}}},
]


@given(responses())
@example([response(1, EDITED)])
@example([response(own, entry) for own, entry in enumerate(REMOVED, 1)])
@LOOSE
def test_each_scalar_is_in_a_cell_or_counted_in_a_note(given_):
    assert_nothing_is_lost(given_)


@pytest.mark.parametrize("entries", MEETING)
def test_a_second_answer_at_one_place_loses_none_of_its_words(entries):
    assert_nothing_is_lost([response(1, entries)])
