"""Texts of a server that a terminal or browser would obey: shown as escapes, kept as sent."""

from __future__ import annotations

import re

import pytest

from alchemer_nb import Client, Job
from alchemer_nb.errors import AlchemerError
from alchemer_nb.notebook.kernel.outputs import line_bundle
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.visible import make_visible
from tests.survey_json import option, question, response, serve

CODES = (
    "\x1b[2J",
    "\x1b]8;;https://evil.example\x07",
    "\x07",
    "\x9b31m",
    "\x00",
    "\u202e",
    "\u2067",
)
EVIL = f"Safe{''.join(CODES)}end"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[(?:31|0)m")  # of our own, around the name of an error


@pytest.fixture
def client(scripted):
    asked = [
        question(2, "RADIO", f"How {EVIL}?", "q", [option(10001, EVIL, "1"), option(10002, "b")]),
        question(3, "TEXTBOX", "Text", "text"),
    ]
    given = [
        response(1, {"2": {"answer": EVIL, "answer_id": 10001}, "3": {"answer": EVIL}}),
        response(2, {"2": {"answer": "b", "answer_id": 10002}}, url_variables={EVIL: EVIL}),
    ]
    client = serve(scripted, asked, given)
    survey = scripted.replies["/v5/survey/5"][0].body["data"] | {"title": EVIL, "status": EVIL}
    scripted.answer("survey/5", {"result_ok": True, "data": survey})
    scripted.answer("survey", {"result_ok": True, "data": [survey, survey | {"id": "6"}]})
    account = {"id": 1, "organization": EVIL}
    scripted.answer("account", {"result_ok": True, "data": account})
    refusal = {"result_ok": False, "code": 400, "message": EVIL}
    scripted.answer("contactlist", refusal)
    return client


def is_shown_safely(text):
    found = OBEYED.search(COLOURS.sub("", text))
    assert found is None, text
    assert "Safe" in text


def test_what_is_printed_and_shown_is_visible(client, capsys):
    frame = client.responses(5)
    job = Job.start(client, 5)
    job.result(30)
    survey, book = client.survey(5), client.codebook(5)
    session = Session()
    session.adopt(Client(client.credentials, region=client.region))
    status = session.status()
    printed = capsys.readouterr()
    for text in (
        printed.out + printed.err,
        str(survey),
        repr(survey),
        survey._repr_html_(),
        repr(book),
        book._repr_html_(),
        repr(frame.alchemer.codebook),
        repr(frame.alchemer),
        repr(job),
        job._repr_html_(),
        repr(status),
        status._repr_html_(),
        *line_bundle(EVIL).values(),
    ):
        is_shown_safely(text)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.request("GET", "contactlist"),
        lambda client: client.survey("Safe"),
        lambda client: client.survey(f"{EVIL} nowhere"),
        lambda client: client.responses(5, where=f"q = {EVIL}x", progress="none"),
    ],
    ids=["message", "titles", "title", "condition"],
)
def test_errors_are_visible(client, call):
    with pytest.raises(AlchemerError) as caught:
        call(client)
    error = caught.value
    for text in (str(error), error.sentence, *error.lines, *error._one_line()):
        assert OBEYED.search(COLOURS.sub("", text)) is None, text


def test_the_data_stay_as_they_were_sent(client):
    frame = client.responses(5, progress="none")
    assert frame["text"].iloc[0] == EVIL
    assert frame["q"].iloc[0] == " ".join(EVIL.split())
    assert client.surveys()["status"].tolist() == [EVIL, EVIL]


def test_tabs_line_ends_and_other_letters_stay():
    text = "Zufriedenheit\t★ 😀\nمرحبا \u200d"
    assert make_visible(text) == text
    assert make_visible("a\rb\ud800") == "a\\rb\\ud800"
