"""Each cell holds what somebody answered, by a second reader; `make fidelity` reads more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.fidelity import reader
from tests.fidelity.compare import (
    FORMS,
    Comparison,
    Server,
    compare_sandbox,
    compare_seeds,
    real_surveys,
)
from tests.fidelity.generator import TYPES, draw_survey, key_of
from tests.fidelity.reader import is_same, number

FEW = range(1, 6)


def test_each_cell_is_what_was_answered():
    result = compare_seeds(FEW)
    assert not result.mismatches, "\n".join(result.lines())
    assert result.surveys == len(FEW) + len([*real_surveys()])
    assert result.facts > 200 * len(FEW)


@pytest.mark.long
def test_each_cell_of_many_surveys_is_what_was_answered():
    result = compare_seeds(range(1000, 1100))
    assert not result.mismatches, "\n".join(result.lines())


@pytest.mark.parametrize(
    ("types_alone", "surveys"), [(True, 1), pytest.param(False, 6, marks=pytest.mark.long)]
)
def test_each_cell_of_the_sandbox_is_what_was_answered(types_alone, surveys):
    result = compare_sandbox(20, types_alone=types_alone)
    assert not result.mismatches, "\n".join(result.lines())
    assert (result.payloads, result.surveys) == (2 * surveys, surveys)


def test_every_type_is_drawn_in_both_forms():
    for place, _ in enumerate(FORMS):
        drawn = [[*draw_survey(seed)][place] for seed in range(1, 80)]
        keys = {key_of(each) for questions, _ in drawn for each in questions}
        assert set(TYPES) <= keys


def test_the_second_reader_imports_nothing_of_the_package():
    tree = ast.parse(Path(reader.__file__).read_text(encoding="utf-8"))
    names = [
        name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in (
            [each.module] if isinstance(each, ast.ImportFrom) else [a.name for a in each.names]
        )
    ]
    assert names
    assert not [name for name in names if name.partition(".")[0] in ("alchemer_nb", "tests")]


#: Pairs of entries of a question that one reader takes for the other, if it is wrong.
CHANGES = {
    "radio": ({"answer": "1", "answer_id": 10001}, {"answer": "2", "answer_id": 10002}),
    "checkbox": ({"options": {"10001": {"answer": "1"}}}, {"options": {"10002": {"answer": "2"}}}),
    "number": ({"answer": "3"}, {"answer": "03"}),
    "date": ({"answer": "03/04/2026"}, {"answer": "04/03/2026"}),
    "essay": ({"answer": "Why"}, {"answer": "Why "}),
    "heatmap": ({"answer": {"response": {"dots": []}}}, {"answer": {"response": {"dots": [1]}}}),
    "multitext": ({"options": {"10001": {"answer": "a"}}}, {"options": {}}),
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_difference_is_found(key, scripted):
    options = [
        {"id": 10001, "title": {"English": "One"}, "value": "1"},
        {"id": 10002, "title": {"English": "Two"}, "value": "2"},
    ]
    asked = [{"id": 2, "type": "X", "properties": {"map_key": key}, "options": options}]
    sent, other = ([{"id": "1", "survey_data": {"2": {"id": 2, **each}}}] for each in CHANGES[key])
    server = Server(scripted)
    for read, is_right in ((sent, True), (other, False)):
        comparison = Comparison()
        comparison.compare(key, server.client, server.serve(asked, sent), asked, read)
        assert comparison.result.facts
        assert bool(comparison.result.mismatches) is not is_right, comparison.result.mismatches


def test_numbers_and_cells_as_the_second_reader_sees_them():
    read = [number(text) for text in ("1,234.5", "12%", "02134", "+3", "1,2", "about 40", "")]
    assert read == [1234.5, 12.0, 2134.0, 3.0, None, None, None]
    assert not is_same(False, None)
    assert not is_same(None, False)
    assert not is_same("1", 1.0)
    assert not is_same(True, 1)
    assert is_same(1.0, 1)
