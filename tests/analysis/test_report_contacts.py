"""Contact data stays out of a report, whatever column holds it and whatever was asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from alchemer_nb import stack_waves
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.privacy.contact_patterns import asks_for_contact
from tests.survey_json import frame as download
from tests.survey_json import option, question, response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scripted import ScriptedServer

PLACES = [option(10001, "North", "1"), option(10002, "Write to shop@firm.example", "2")]
QUESTIONS = [
    question(2, "RADIO", "Where?", "place", PLACES, key="radio"),
    question(3, "TEXTBOX", "What is your e-mail address?", key="text"),
    question(4, "ESSAY", "Why?", "why", key="essay"),
    question(5, "HIDDEN", "Customer", "customer", key="hidden"),
    question(6, "TEXTBOX", "Phone number", key="text", subtype="NUMBER"),
    question(7, "TEXTBOX", "Mail", "mail_of_work", key="text", subtype="EMAIL"),
]
ADDRESS = re.compile(r"canary\d*@|canary\d* at|\d{7}|CUST")


def entry(own: int, kind: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"id": own, "type": kind, "question": "", "section_id": 1, "shown": True,
            "answer": answer, **more}  # fmt: skip


def respond(own: int) -> dict[str, Any]:
    data = {
        "2": entry(2, "RADIO", PLACES[own % 2]["value"], answer_id=PLACES[own % 2]["id"]),
        "3": entry(3, "TEXTBOX", f"canary{own} at mail dot example"),
        "4": entry(4, "ESSAY", f"because {own}" + "!" * 2000 * (own == 3)),
        "5": entry(5, "HIDDEN", f"CUST{own}"),
        "6": entry(6, "TEXTBOX", f"207946{own:04d}"),
        "7": entry(7, "TEXTBOX", f"canary{own}@mail.example"),
    }
    variables = {"from": {"key": "from", "value": f"canary{own}@mail.example", "type": "url"}}
    return response(own, data, url_variables=variables)


@pytest.fixture
def df(scripted: ScriptedServer) -> pd.DataFrame:
    return download(scripted, QUESTIONS, [respond(own) for own in range(1, 13)])


def report(df: pd.DataFrame, folder: Path, **options: Any) -> str:
    path = folder / "report.html"
    df.alchemer.report(path, **options)
    return path.read_text("utf-8")


def test_open_answers_without_those_to_questions_for_contact_data(
    df: pd.DataFrame, tmp_path: Path
) -> None:
    page = report(df, tmp_path, open_answers=True)
    assert not ADDRESS.search(page)
    assert "<li>because 1</li>" in page
    assert "Write to shop@firm.example" in page  # the survey's own words
    assert "1 long answer cut after 1,000 characters." in page
    assert page.count("!") < 1200


@pytest.mark.parametrize(
    "options",
    [
        {"questions": ["url_from"]}, {"questions": ["place"], "by": "url_from"},
        {"questions": ["who"]}, {"questions": ["place"], "by": "who"},
        {"questions": ["group"]}, {"questions": ["place"], "by": "group"},
        {"questions": ["place"], "by": "tel"}, {"questions": ["phone"]},
        {"questions": ["mail_of_work"]}, {"questions": ["renamed"]},
        {"questions": ["customer"], "open_answers": True},
    ],
)  # fmt: skip
def test_columns_that_hold_it_under_any_name(
    df: pd.DataFrame, options: dict[str, Any], tmp_path: Path
) -> None:
    mails = df["mail_of_work"].astype(object)
    df = df.assign(
        who=mails, renamed=mails, group=mails.astype("category"), phone=2079460000,
        tel=[f"020 7946 {own:04d}" for own in df.index],
    )  # fmt: skip
    page = report(df, tmp_path, **options)
    assert not ADDRESS.search(page.replace("Write to shop@firm.example", ""))
    assert "7946" not in page


def test_an_edited_answer_and_a_renamed_question(df: pd.DataFrame, tmp_path: Path) -> None:
    df["place"] = df["place"].astype(object)
    df.loc[1, "place"] = "canary1@mail.example"
    page = report(df.rename(columns={"mail_of_work": "mine"}), tmp_path, questions=["place"])
    assert not ADDRESS.search(page)
    assert ">(contact data)</th>" in page
    assert "Base: 12 who answered" in page


def test_a_level_of_the_index(df: pd.DataFrame, tmp_path: Path) -> None:
    df = df.assign(who=df["mail_of_work"].astype(object)).set_index("who", append=True)
    with pytest.raises(InvalidArgument, match="'who' is contact data"):
        report(df, tmp_path, questions=["place"], by="who")
    assert not ADDRESS.search(report(df, tmp_path, questions=["place"]))


def test_a_banner_of_contact_data_is_named(df: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="'mail_of_work' is contact data") as caught:
        report(df, tmp_path, by="mail_of_work")
    assert not caught.value.hint
    with pytest.raises(InvalidArgument, match="'country' is contact data") as caught:
        report(df.assign(country="North"), tmp_path, by="country")
    assert "needs another name" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_bands_of_numbers_are_no_telephone_numbers(df: pd.DataFrame, tmp_path: Path) -> None:
    df["income"] = np.where(df.index < 7, "10000-20000", "20000-30000")
    assert "10000-20000" in report(df, tmp_path, questions=["income"])
    df["place"] = df["income"]
    assert "10000-20000" in report(df, tmp_path, questions=["place"])
    df["place"] = pd.Categorical(["020 7946 0018", *[None] * 11])
    assert "7946" not in report(df, tmp_path, questions=["place"])


def test_a_level_of_bands_is_no_contact_data(df: pd.DataFrame, tmp_path: Path) -> None:
    bands = np.where(df.index < 7, "10000-20000", "20000-30000")
    df = df.assign(income=bands).set_index("income", append=True)
    assert "10000-20000" in report(df, tmp_path, questions=["place"], by="income")


@pytest.mark.parametrize("dtype", [object, "category"])
def test_telephone_numbers_among_other_texts(df: pd.DataFrame, tmp_path: Path, dtype: Any) -> None:
    texts = ["020 7946 0018", "020 7946 0019", *["a friend", "the radio"] * 5]
    df = df.assign(place=pd.Series(texts, index=df.index, dtype=dtype), own=texts)
    page = report(df, tmp_path, questions=["place", "own"])
    assert "7946" not in page
    assert "the radio" in page


def test_telephone_numbers_of_people_who_answered_in_each_wave(
    df: pd.DataFrame, tmp_path: Path
) -> None:
    df = df.assign(call=[f"020 7946 {own:04d}" for own in df.index])
    both = stack_waves({"first": df, "second": df})
    assert "7946" not in report(both, tmp_path, questions=["call"], by="wave")


def test_the_frame_stays_as_it_was(df: pd.DataFrame, tmp_path: Path) -> None:
    df["who"] = df["mail_of_work"].astype("category")
    before = df.copy(deep=True)
    report(df, tmp_path, by="who")
    pd.testing.assert_frame_equal(df, before)
    assert df.attrs == before.attrs


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("E-mail", True), ("Your phone number, please", True), ("Name", True),
        ("First name and surname", True), ("What's your postal address?", True),
        ("Zip code", True), ("What is the name of the shop?", False), ("Name a shop", False),
        ("How was your e-mail answered?", False), ("Why?", False), ("", False),
    ],
)  # fmt: skip
def test_questions_that_ask_for_contact_data(words: str, expected: bool) -> None:
    assert asks_for_contact(words) is expected


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_a_piped_row_that_is_an_address(
    scripted: ScriptedServer, shape: str, tmp_path: Path
) -> None:
    grid = question(8, "TABLE", "Brands", "", PLACES, key="table-radio")

    def row(own: int, text: str) -> dict[str, Any]:
        chosen = entry(own, "RADIO", "1", answer_id=10001)
        return {str(own): {**chosen, "parent": 8, "question": text}}

    rows = [row(10001, f"canary{n}@mail.example") | row(10002, "Brand B") for n in range(1, 4)]
    answers = [response(n, each) for n, each in enumerate(rows, 1)]
    df = download(scripted, [grid], answers, shape=shape)
    page = report(df, tmp_path)
    assert "Brand B" in page
    assert "canary" not in page
