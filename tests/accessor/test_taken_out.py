"""Whether knowledge would bring back what was taken out of another frame."""

from __future__ import annotations

import pandas as pd
import pytest

from alchemer_nb.accessor.joining import brought_back
from tests.survey_json import question, response, serve

ASKED = [
    question(2, "TEXTBOX", "Your e-mail", "mail", key="email", subtype="EMAIL"),
    question(3, "TEXTBOX", "Name", "first_name"),
]
SALT = "a salt that only we know"


@pytest.fixture
def df(scripted):
    data = {"2": {"answer": "canary@example.org"}, "3": {"answer": "Planted"}}
    given = [response(1, data, ip_address="203.0.113.77")]
    return serve(scripted, ASKED, given).responses(5, progress="none")


def test_knowledge_that_was_redacted_less_is_told(df):
    full = df.alchemer.redact()
    mail = "q2"
    assert mail in brought_back(df, full)
    assert brought_back(df.alchemer.redact(keep=["mail"]), full) == [mail]
    assert mail in brought_back(df.alchemer.redact(how="hash", salt=SALT), full)


def test_knowledge_that_was_redacted_as_far_or_further_brings_nothing(df):
    full = df.alchemer.redact()
    hashed = df.alchemer.redact(how="hash", salt=SALT)
    assert brought_back(full, full) == []
    assert brought_back(full, df.alchemer.redact(keep=["mail"])) == []
    assert brought_back(full, hashed) == []
    assert brought_back(hashed, hashed) == []
    assert brought_back(full, df) == []


@pytest.mark.parametrize("text", ["not json", "[1]", "{}", '{"redacted": [1]}', None])
def test_frames_that_say_nothing_are_not_in_the_way(df, text):
    other = pd.DataFrame({"a": [1]})
    other.attrs = {} if text is None else {"alchemer": text}
    assert brought_back(df, other) == []
