"""The long shape of surveys with many columns."""

from __future__ import annotations

from tests.frame.test_types_properties import frame_of
from tests.survey_json import option, question, response

SCALE = [option(10001, "Much", "5"), option(10002, "Little", "1")]


def many(count):
    """A survey that asks many questions of four kinds, and two responses to it."""
    asked, data = [], {}
    for own in range(2, count + 2):
        text, alias = f"Question {own}", f"a{own}"
        asked.append(
            [
                question(own, "RADIO", text, alias, SCALE, key="radio"),
                question(own, "TEXTBOX", text, alias),
                question(own, "TEXTBOX", text, alias, key="number"),
                question(own, "CHECKBOX", text, alias, SCALE),
            ][own % 4]
        )
        data[str(own)] = [
            {"answer": "5", "answer_id": 10001, "shown": True},
            {"answer": f"text {own}", "shown": True},
            {"answer": "7", "shown": True},
            {"options": {"10001": {"id": 10001, "option": "Much", "answer": "5"}}, "shown": True},
        ][own % 4]
    return asked, [response(1, data), response(2, data)]


def test_many_columns_in_the_long_shape():
    made = many(400)
    frame = frame_of(*made, shape="long")
    assert len(frame) == 800
    assert frame["value"].head(4).tolist() == ["7", "Much", "Much", "text 5"]
    assert frame["code"].head(4).tolist() == ["7", "5", "5", "text 5"]
