"""Frames that the tests of the exports share: one of a survey, and one made by hand."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from tests.survey_json import frame, option, question, response

SCALE = [
    option(10001, "Bad", "1"),
    option(10002, "Good", "5"),
    option(10003, "Don't know", "99"),
]
WORDS = [option(10001, "Red", "r"), option(10002, "Blue", "b")]
WEB = [option(10001, "Web", "web"), option(10002, "Shop", "shop")]
SURVEYS = ("9000001", "9000002", "9000003", "9000004", "9000005")
LONG_LABEL = "L" * 10_000

# What test_codes and test_spss show to be said; elsewhere it is not what a test is about.
OWN_CODES = pytest.mark.filterwarnings("ignore:.*not all categories are options:UserWarning")
NO_DESCRIPTION = pytest.mark.filterwarnings("ignore:.*no description of a survey:UserWarning")


def ways_and_surveys(ways):
    """The first way for every survey, others for the largest, and in test-long all for the rest."""
    rest = [pytest.param(way, SURVEYS[1:], marks=pytest.mark.long) for way in ways[1:]]
    largest = [
        pytest.param(way, SURVEYS[:1], marks=pytest.mark.long if turn else ())
        for turn, way in enumerate(ways[1:])
    ]
    return [(ways[0], SURVEYS), *largest, *rest]


def asked():
    """Every kind of column, awkward names and labels."""
    return [
        question(2, "RADIO", "How was it?", "with", SCALE, key="radio"),
        question(3, "RADIO", "Which colour?", "colour", WORDS, key="radio"),
        question(4, "CHECKBOX", "It's where? " + "Why? " * 80, "channels", WEB, key="checkbox"),
        question(5, "TEXTBOX", "Anything?", "status", key="text"),
        question(6, "TEXTBOX", "When?", "day", key="date"),
        question(7, "RADIO", "Half?", "half", [option(1, "a", "1.5"), option(2, "b", "2.5")]),
        question(8, "RADIO", "Long?", "", [option(10001, LONG_LABEL, "1")], key="radio"),
    ]


def answered():
    """Four responses, the last one empty; an option nobody knows among them."""
    return [
        response(1, {
            "2": {"answer": "5", "answer_id": 10002},
            "3": {"answer": "r", "answer_id": 10001},
            "4": {"options": {"10001": {"answer": "web", "option": "Web"}}},
            "5": {"answer": "=1+1"},
            "6": {"answer": "12/31/2025"},
            "7": {"answer": "1.5", "answer_id": 1},
            "8": {"answer": "1", "answer_id": 10001},
        }),
        response(2, {
            "2": {"answer": "99", "answer_id": 10003},
            "3": {"answer": "Green", "answer_id": 10099},
            "4": {"options": {"10002": {"answer": "shop", "option": "Shop"}}},
            "5": {"answer": "two\nlines, ünïcode \U0001f600"},
            "6": {"answer": "01/02/2026"},
        }),
        response(3, {"2": {"answer": "1", "answer_id": 10001}, "5": {"answer": "nul \0 here"}}),
        response(4, []),
    ]  # fmt: skip


def made(scripted, **options):
    """The frame of these answers."""
    return frame(scripted, asked(), answered(), **options)


def own_columns(df: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns of the user's, of every sort."""
    df = df.copy()
    count = len(df)
    df["my number"] = np.arange(count) + 0.5
    df["my_list"] = pd.Series([["a", "b"], [], None, ["c"]], index=df.index, dtype=object)
    df["my_flag"] = np.array([True, False, True, False])
    df["my_group"] = pd.cut(df["my number"], 2)
    df["my_tens"] = pd.Categorical([10, 20, 10, None])
    df["my_time"] = pd.to_timedelta([1, 2, 3, None], unit="h")
    df["my_mix"] = pd.Series([1, "x", None, {"k": 1}], index=df.index, dtype=object)
    df["my_money"] = pd.Series([decimal.Decimal("1.5"), None, 2, 3], index=df.index, dtype=object)
    df["my_days"] = pd.Series([datetime.date(2026, 1, 2), None, None, None], index=df.index)
    df["my_inf"] = [np.inf, 1.0, -np.inf, np.nan]
    df["my_lone"] = pd.Series(["a\ud800", None, "b", ""], index=df.index, dtype=object)
    return df
