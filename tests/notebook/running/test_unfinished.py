"""The same cell, run again after a new sign-in, goes on with the rows at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.errors import DownloadIncomplete, InvalidArgument
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.notebook.signin.login import login
from alchemer_nb.sandbox import Fault
from tests.boxes import copied_box
from tests.conftest import credentials_for
from tests.fetch.test_resuming import answering
from tests.person import regenerate_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from alchemer_nb.sandbox import Sandbox

ID, TITLE, ROWS = 9000001, "Customer satisfaction", 540
CELL = f"%alchemer df << responses {ID} --progress none"
LIST = "surveyresponse"
DEAD = '{"result_ok": false, "code": 401, "message": "Login failed / Invalid auth token"}'


def new_box(seed: int = 1) -> AbstractContextManager[Sandbox]:
    calm = {"calls_per_minute": None, "cache_seconds": 0, "form": "current"}
    return copied_box(seed=seed, responses=ROWS, **calm)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with new_box() as running:
        yield running


@pytest.fixture(scope="module")
def whole(box) -> pd.DataFrame:
    """All responses: none is changed here."""
    return client_of(box).responses(ID, progress="none")


@pytest.fixture(autouse=True)
def calm(box: Sandbox) -> Iterator[None]:
    yield
    box.calm()


def client_of(box: Sandbox, mode: str = "api_key") -> Client:
    return Client(credentials_for(box, mode), region=box.region, max_in_flight=1)


@pytest.fixture
def signed_in(notebook, box):
    notebook.magics.session.adopt(client_of(box))
    return notebook


def dies_at(box: Sandbox, number: int = 2) -> None:
    """The key is regenerated, and whoever asks for that page hears of it."""
    box.fail_next(
        Fault(status=401, body=DEAD, when={"path": LIST, "page": number, "resultsperpage": 500})
    )


def broken(notebook, box, cell: str = CELL, number: int = 2) -> str:
    """What the cell says whose key dies on the way."""
    dies_at(box, number)
    outcome = notebook.run(cell)
    assert isinstance(outcome.failure, DownloadIncomplete)
    regenerate_key(box.url, box.username, box.password)
    return outcome.told


def pages_asked(box: Sandbox, since: int) -> list[int]:
    return [
        int(call.params["page"])
        for call in box.seen[since:]
        if call.path.endswith(LIST)
        and call.params["resultsperpage"] == "500"
        and call.status == 200
    ]


def test_it_is_said_and_the_same_cell_goes_on(signed_in, box, whole):
    told = broken(signed_in, box)
    assert "500 of 540 responses had come when the API key was refused" in told
    assert "Sign in with the new key (%alchemer login), then run the cell again" in told
    assert "it goes on from the responses at hand" in told
    assert "take the rows so far: df = %alchemer partial" in told
    assert "region" not in told
    assert "df" not in signed_in.names
    signed_in.magics.session.adopt(client_of(box))
    start = len(box.seen)
    outcome = signed_in.run(CELL.replace(" --progress none", ""))
    assert outcome.failure is None
    assert "went on at page 2 with the 500 responses at hand" in " ".join(outcome.out.split())
    assert pages_asked(box, start) == [2]
    pd.testing.assert_frame_equal(signed_in.names["df"], whole)
    assert not signed_in.magics.session.unfinished


@pytest.mark.parametrize(
    "mode", ["oauth1_three_legged", pytest.param("oauth1_two_legged", marks=pytest.mark.long)]
)
def test_oauth_goes_on_as_well(notebook, box, mode, whole):
    session = notebook.magics.session
    session.adopt(client_of(box, mode))
    dies_at(box)
    told = notebook.run(CELL).told
    if mode == "oauth1_three_legged":
        assert "Get a new sign-in link and allow the access again (%alchemer login)" in told
        assert "key" not in told
    else:
        assert "Sign in with the new consumer pair (%alchemer login)" in told
    session.adopt(client_of(box, mode))
    start = len(box.seen)
    assert notebook.run(CELL).failure is None
    assert pages_asked(box, start) == [2]
    pd.testing.assert_frame_equal(notebook.names["df"], whole)


def test_login_after_a_refusal_does_not_speak_of_another_account(signed_in, box):
    session = signed_in.magics.session
    key = session.client.credentials.masked
    assert not session.status().refused
    broken(signed_in, box)
    refused = f"The API key {key} was refused: sign in again with %alchemer login."
    assert refused in repr(session.status())
    panel = login(session)
    panel._ipython_display_()
    said = " · ".join(panel.outputs._line)
    assert said.startswith(f"Sign in again · the API key {key} of Larkmoor Outdoor (")
    assert "another account" not in said
    session.adopt(client_of(box))
    assert "refused" not in repr(session.status())
    panel.close()
    session.panel = None


def test_login_takes_the_new_key_in_place_of_the_refused_one(signed_in, box, monkeypatch):
    session = signed_in.magics.session
    (name,) = session.names()
    old = session.client.credentials
    monkeypatch.setenv("ALCHEMER_API_TOKEN", old.api_token.reveal())
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", old.api_token_secret.reveal())
    broken(signed_in, box)
    panel = login(session)
    assert panel.shows_form
    assert "did not work" in panel.form.view["notice"]
    panel.close()
    session.panel = None
    assert session.client.credentials == old
    monkeypatch.setenv("ALCHEMER_API_TOKEN", box.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", box.api_token_secret)
    shown = login(session)
    assert "With the API key from the environment" in repr(shown)
    assert session.names() == (name,)
    assert session.client.credentials == credentials_for(box, "api_key")
    start = len(box.seen)
    assert signed_in.run(CELL).failure is None
    assert pages_asked(box, start) == [2]
    assert "Already signed in" in repr(login(session, prompt=True))


def test_in_the_background(signed_in, box, whole):
    cell = f"%alchemer df << responses {ID} --background"
    dies_at(box)
    signed_in.run(cell)
    for one in signed_in.magics.downloads._running:
        one.job.wait(60)
    told = " ".join(signed_in.run("x = 1").out.split())
    assert "Sign in with the new key (%alchemer login), then run the cell again" in told
    regenerate_key(box.url, box.username, box.password)
    signed_in.magics.session.adopt(client_of(box))
    start = len(box.seen)
    signed_in.run(cell)
    for one in signed_in.magics.downloads._running:
        one.job.wait(60)
    told = " ".join(signed_in.run("x = 1").out.split())
    assert "went on at page 2 with the 500 responses at hand" in told
    assert pages_asked(box, start) == [2]
    pd.testing.assert_frame_equal(signed_in.names["df"], whole)


OTHER_CELLS = {
    "other conditions": f"%alchemer df << responses {ID} --status Complete",
    "other choices": f"%alchemer df << responses {ID} --values code",
    "fresh": f"{CELL} --fresh",
}


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(each, marks=() if each == "other choices" else pytest.mark.long)
        for each in OTHER_CELLS
    ],
)
def test_another_question_is_answered_from_its_first_page(signed_in, box, what):
    broken(signed_in, box)
    signed_in.magics.session.adopt(client_of(box))
    start = len(box.seen)
    outcome = signed_in.run(OTHER_CELLS[what])
    assert outcome.failure is None
    assert "at hand" not in outcome.out
    assert 1 in pages_asked(box, start)


def test_nothing_of_another_account_is_mixed_in(signed_in, box):
    broken(signed_in, box)
    with new_box(seed=2) as other:  # so it has other keys
        signed_in.magics.session.adopt(client_of(other))
        outcome = signed_in.run(CELL)
        assert outcome.failure is None
        assert sorted(pages_asked(other, 0)) == [1, 2]
        theirs = client_of(other).responses(ID, progress="none")
        pd.testing.assert_frame_equal(signed_in.names["df"], theirs)
    signed_in.magics.session.adopt(client_of(box))
    start = len(box.seen)
    assert signed_in.run(CELL).failure is None
    assert pages_asked(box, start) == [2], "those of the first account were still at hand"


def test_rows_that_are_of_no_use_stand_in_the_way_once(notebook, scripted):
    """Of an account that tells no id: rows that are all gone may be those of another one."""
    cell, outcomes = "%alchemer df << responses 5 --progress none", []
    for session in "abc":
        answering(scripted, "", session)
        client = Client(ApiKey(session * 20, "b" * 13), region=scripted.region, max_in_flight=1)
        notebook.magics.session.adopt(client)
        outcomes.append(notebook.run(cell).failure)
    assert [type(each) for each in outcomes] == [
        DownloadIncomplete, InvalidArgument, DownloadIncomplete,
    ]  # fmt: skip
    assert "run the download again" in str(outcomes[1])


@pytest.mark.long
def test_a_wrong_key_first_and_then_the_right_one(signed_in, box):
    broken(signed_in, box)
    outcome = signed_in.run(CELL)
    assert isinstance(outcome.failure, DownloadIncomplete)
    assert "500 of 540 responses had come when the API key was refused" in outcome.told
    signed_in.magics.session.adopt(client_of(box))
    start = len(box.seen)
    assert signed_in.run(CELL).failure is None
    assert pages_asked(box, start) == [2]


def test_rows_are_forgotten_with_the_last_sign_in_to_their_account(signed_in, box):
    broken(signed_in, box)
    unfinished = signed_in.magics.session.unfinished
    signed_in.magics.session.adopt(client_of(box), "second")
    signed_in.run("%alchemer logout second")
    assert unfinished
    signed_in.run("%alchemer logout")
    for name in signed_in.magics.session.names():
        signed_in.run(f"%alchemer logout {name}")
    assert not unfinished


@pytest.mark.long
def test_three_are_kept_and_the_oldest_gives_way(signed_in, box):
    cells = [f"{CELL} --values {one}" for one in ("label", "code", "id", "both")]
    for cell in cells:
        broken(signed_in, box, cell)
        signed_in.magics.session.adopt(client_of(box))
    for cell, rest in zip(reversed(cells), [[2], [2], [2], [1, 2]], strict=True):
        signed_in.magics.session.adopt(client_of(box), "the same, remembering nothing")
        start = len(box.seen)
        assert signed_in.run(cell).failure is None
        assert sorted(pages_asked(box, start)) == rest
