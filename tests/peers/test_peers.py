"""Two clients that other people wrote read the sandbox, and their answers equal ours.

They check the sandbox (it serves clients that were written for the real service) and our client
(it loses nothing that they find) at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox
from tests.environments import environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peers

PEERS = ("alchemer==0.7.0", "SurveyGizmo==1.2.3")
SCRIPTS = {"alchemer": "with_alchemer.py", "SurveyGizmo": "with_surveygizmo.py"}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    # More than two of the peers' pages, and a last page that is not full.
    with Sandbox(seed=7, responses=230) as started:
        yield started


@pytest.fixture(scope="module")
def client(box: Sandbox) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module", params=SCRIPTS)
def theirs(request: pytest.FixtureRequest, box: Sandbox) -> dict[str, Any]:
    python = environment("peers", PEERS)
    script = Path(__file__).with_name(SCRIPTS[request.param])
    printed = run(
        [str(python), str(script)],
        PEER_ADDRESS=box.url.rstrip("/"),
        PEER_TOKEN=box.api_token,
        PEER_SECRET=box.api_token_secret,
    )
    answers: dict[str, Any] = json.loads(printed)
    return answers


def rows(client: Client, path: str) -> list[dict[str, Any]]:
    return [row for page in client.pages(path) for row in page["data"]]


def test_the_same_surveys(theirs: dict[str, Any], client: Client) -> None:
    assert len(theirs["surveys"]) >= 4
    assert theirs["surveys"] == rows(client, "survey")
    assert [str(s["id"]) for s in theirs["surveys"]] == list(client.surveys()["id"])


def test_the_same_answers_to_the_letter(theirs: dict[str, Any], client: Client) -> None:
    counted = 0
    for survey, received in theirs["responses"].items():
        assert received == rows(client, f"survey/{survey}/surveyresponse")
        counted += len(received)
    assert counted > 400


def test_our_frames_hold_every_response_that_they_find(
    theirs: dict[str, Any], client: Client
) -> None:
    for survey, received in theirs["responses"].items():
        frame = client.responses(survey, test_rows="include")
        assert sorted(int(row["id"]) for row in received) == list(frame.index)
