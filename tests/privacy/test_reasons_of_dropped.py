"""No bit of the reasons that stay with a frame says what a dropped column held.

Two things do by design, and the docs of ``trim`` name them: that a question was shown, where
another answer decides that (skip logic), and how far a response got.
"""

from __future__ import annotations

import random
import warnings

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, Client
from alchemer_nb.frame.description import read_description
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.survey.definition import conditional_ids
from tests.survey_json import frame, option, question, response

OTHER = option(10009, "Other", "other", other=True)
WEB = [option(10001, "Web", "web"), option(10002, "Shop", "shop")]
YES_NO = [option(10001, "Yes", "y"), option(10002, "No", "n")]
ASKED = [
    question(2, "RADIO", "Any trouble?", "trouble", YES_NO, key="radio"),
    question(3, "ESSAY", "Which?", "which", key="essay", show_rules="[question(2)] = Yes"),
    {**question(4, "RADIO", "Where from?", "where", [*WEB, OTHER], key="radio"), "comment": True},
    question(5, "CHECKBOX", "How?", "how", [*WEB, OTHER], key="checkbox"),
    {**question(6, "CHECKBOX", "Do you agree?", "agree", [option(10001, "I do", "1")],
                key="checkbox"), "comment": True},
    question(7, "TEXTBOX", "How many?", "many", key="number"),
    question(8, "MULTI_TEXTBOX", "Ideas", "ideas", WEB, key="multi-textbox"),
    question(9, "TABLE", "Grid", "grid", YES_NO,
             [question(10, "RADIO", "one", "one"), question(11, "RADIO", "two", "two")],
             key="table-radio"),
    question(12, "TABLE", "Cells", "cells", WEB, [question(13, "CHECKBOX", "row", "row")],
             key="table-checkbox"),
]  # fmt: skip


def given(count):
    """Responses of which each answers about half of all at random, as the API sends them."""
    chance = random.Random(11)

    def maybe(**entry):
        return {**(entry if chance.random() < 0.6 else {}), "shown": True}

    def chosen(*ids):
        some = [own for own in ids if chance.random() < 0.4]
        return {str(own): {"id": own, "answer": "x", "option": "x"} for own in some}

    def words():
        return {"comments": "a comment"} if chance.random() < 0.5 else {}

    def many(*ids, comment=False):  # unanswered, it is absent from the payload
        options = chosen(*ids)
        return (
            {"options": options, **(words() if comment else {}), "shown": True} if options else None
        )

    responses = []
    for own in range(1, count + 1):
        trouble = maybe(answer="y", answer_id=10001) if chance.random() < 0.5 else (
            {"answer": "n", "answer_id": 10002, "shown": True}
        )  # fmt: skip
        is_asked = trouble.get("answer") == "y"
        data = {
            "2": trouble,
            "3": maybe(answer="a word") if is_asked else {"shown": False},
            "4": {**maybe(answer="typed in", answer_id="10009-other"), **words()},
            "5": many(10001, 10002, 10009),
            "6": many(10001, comment=True),
            "7": maybe(answer=chance.choice(["1", "2", "a few"])),
            "8": {"options": {str(n): {"id": n, "answer": "idea"} for n in (10001, 10002)
                              if chance.random() < 0.5}, "shown": True},
            "9": {"subquestions": {n: maybe(answer="y", answer_id=10001) for n in ("10", "11")}},
            "12": {"subquestions": {"13": chosen(10001, 10002)}},
        }  # fmt: skip
        data = {key: entry for key, entry in data.items() if entry is not None}
        status = "Partial" if chance.random() < 0.1 else "Complete"
        responses.append(response(own, data, status=status))
    return responses


# -- bits ----------------------------------------------------------------------------------------


def pattern(bits):
    """Bits as a key that they share with their complement; None if almost all are equal.

    Two patterns of one or two responses may be equal by chance.
    """
    bits = np.asarray(bits, dtype=bool)
    if not 3 <= bits.sum() <= len(bits) - 3:
        return None
    return (bits ^ bits[0]).tobytes()


def patterns_of(values):
    """What a column says of each response: empty or not, and each of its values."""
    found = {"empty": pattern(values.isna())}
    if values.dtype == object:
        lists = [value if isinstance(value, list) else [] for value in values]
        for each in {each for value in lists for each in value}:
            found[each] = pattern([each in value for value in lists])
    elif not pd.api.types.is_string_dtype(values.dtype):
        for each in values.dropna().unique():
            found[each] = pattern((values == each).fillna(False).to_numpy(dtype=bool))
    return {value: bits for value, bits in found.items() if bits is not None}


def stored(left):
    """Each bit that the reasons of a frame have, and each code: where -> pattern."""
    reasons = read_description(left).reasons
    order = pd.Index(reasons.ids).get_indexer(left.index)
    found = {}
    for own, planes in reasons.codes.items():
        bits = np.unpackbits(planes, axis=1, count=len(reasons.ids))[:, order]
        code = bits[0] | bits[1] << 1 | bits[2] << 2
        found |= {(own, f"bit {n}"): pattern(bits[n]) for n in range(3)}
        found |= {(own, f"code {n}"): pattern(code == n) for n in range(8)}
    for key, bits in reasons.answered.items():
        found["cell", key] = pattern(np.unpackbits(bits, count=len(reasons.ids))[order])
    return found


def equal_bits(df, gone, left):
    """The bits left that equal what a dropped column held: (where, column, value).

    What a column at hand shows as well is no secret of the reasons.
    """
    shown = {bits for name in left for bits in patterns_of(left[name]).values()}
    bits = stored(left)
    return {
        (where, name, value)
        for name in gone
        for value, held in patterns_of(df[name]).items()
        if held not in shown
        for where, stays in bits.items()
        if stays == held
    }


def drops(df):
    """Sets of columns to drop: each, those of a question, and those but write-ins and comments."""
    columns = read_description(df).columns
    names = [name for name in df if name in columns]
    questions = {}
    for name in names:
        questions.setdefault(columns[name].path[0], []).append(name)
    answers = [
        [n for n in group if columns[n].part not in ("other", "comment", "raw")]
        for group in questions.values()
    ]
    sets = [*([name] for name in names), *questions.values(), *answers]
    return [list(each) for each in dict.fromkeys(map(tuple, sets)) if each and len(each) < len(df)]


def unexplained(df, found):
    """Those of equal bits that neither skip logic nor how far a response got explains."""
    conditional = conditional_ids(read_description(df).survey)
    states = df.alchemer.missing()
    left = set()
    for where, name, value in found:
        by_page = value == "empty" and not (states[name] == "skipped").any()
        if where[0] not in conditional and not by_page:
            left.add((where, name, value))
    return left


def by_trim(df, gone, _):
    return df.drop(columns=gone).alchemer.trim()


def by_redact(df, gone, _):
    return df.alchemer.redact(columns=gone)


def by_file(df, gone, path):
    df.drop(columns=gone).alchemer.to_parquet(path / "x.parquet")
    return al.read_parquet(path / "x.parquet")


@pytest.fixture
def df(scripted):
    return frame(scripted, ASKED, given(60), metadata="none")


@pytest.mark.parametrize(
    "way",
    [by_trim, by_redact, pytest.param(by_file, marks=pytest.mark.long)],
    ids=lambda way: way.__name__,
)
def test_no_bit_that_stays_says_what_a_dropped_column_held(df, tmp_path, way):
    sets = drops(df) if way is by_trim else [["trouble"], *drops(df)[-9:]]  # they share the code
    found = {tuple(gone): equal_bits(df, gone, way(df, gone, tmp_path)) for gone in sets}
    left = {gone: unexplained(df, bits) for gone, bits in found.items()}
    assert {gone: bits for gone, bits in left.items() if bits} == {}
    # Skip logic does, until the other question is dropped, too.
    assert {where[0] for where, *_ in found["trouble",]} == {"3"}
    both = ["trouble", "which"]
    assert equal_bits(df, both, way(df, both, tmp_path)) == set()


def test_the_search_for_bits_finds_what_it_is_for(df):
    # A plain drop leaves the description as it is.
    left = df.drop(columns=[name for name in df if name.startswith(("agree", "many"))])
    found = equal_bits(df, ["agree_1", "many"], left)
    assert (("cell", "q7"), "many", "empty") in found
    assert unexplained(df, found) != set()


def test_lists_and_long_frames_keep_no_bits_of_dropped_columns(scripted):
    df = frame(scripted, ASKED, given(60), metadata="none", multi="list")
    for gone in (["how"], ["agree"], ["how", "how_other_text"]):
        assert unexplained(df, equal_bits(df, gone, by_trim(df, gone, None))) == set()
    long = frame(scripted, ASKED, given(60), shape="long")
    left = long[~long["column"].str.startswith(("how", "agree")).fillna(False)].alchemer.trim()
    reasons = read_description(left).reasons
    assert not {"5", "6"} & reasons.codes.keys()
    assert not {key for key in reasons.answered if key.startswith(("q5", "q6"))}


@pytest.mark.long
@pytest.mark.parametrize("form", ["2017", "current"])
def test_no_bit_of_any_question_type_says_what_a_dropped_column_held(form):
    with Sandbox(responses=150, form=form, types=True) as box, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        for own in client.surveys()["id"]:
            df = client.responses(own, progress="none", metadata="none")
            for gone in drops(df):
                found = equal_bits(df, gone, by_trim(df, gone, None))
                assert unexplained(df, found) == set(), (own, gone)
