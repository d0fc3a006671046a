"""Each error of the tree, raised by the call that raises it, with a server that repeats secrets."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from alchemer_nb import Client, OAuthFlow, errors
from alchemer_nb.auth.lookup import from_environment
from alchemer_nb.client import retrieval
from alchemer_nb.http.secrets import Secret
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import FieldError, SignIn
from alchemer_nb.store import manifest, paths
from tests.leaks.search import CANARIES, MODES, Search, everything_logged
from tests.leaks.test_errors import GIVEN, returned_to
from tests.scripted import Reply, ScriptedServer
from tests.survey_json import question, response, serve

if TYPE_CHECKING:
    from alchemer_nb.http.credentials import Credentials

ECHO = " ".join(CANARIES.values())
VERIFIER, CONSENT = CANARIES["oauth_verifier"], "/head/oauth/access_token"


@dataclass
class Walk:
    """What a walk has: a server, credentials of one mode, and a client of both."""

    server: ScriptedServer
    credentials: Credentials

    @property
    def echo(self) -> str:
        return " ".join(secret.reveal() for secret in self.credentials.secrets)

    @property
    def client(self) -> Client:
        return Client(self.credentials, region=self.server.region, timeout=(2, 1), retries=1)

    def refused(self, status: int, code: int | None = None) -> object:
        """Makes a call that is answered with a status, and with all that was sent."""
        refusal = {"result_ok": False, "code": code or status, "message": self.echo}
        self.server.answer("account", Reply(refusal, status))
        return self.client.account()

    def survey(self, answers: int = 2) -> Client:
        """A client of a survey with some answers."""
        rows = [response(n, {"2": {"id": 2, "answer": "x"}}) for n in range(1, answers + 1)]
        account = {"result_ok": True, "data": {"id": "77", "organization": "Made up"}}
        self.server.answer("account", account)
        serve(self.server, [question(2, "TEXTBOX", "Name", "name")], rows)
        return self.client

    def flow(self, access: Reply, pasted: str = VERIFIER, **given: object) -> object:
        """A sign-in whose last step is answered so."""
        self.server.answer("/head/oauth/request_token", Reply((GIVEN + urlencode(given)).encode()))
        self.server.answer(CONSENT, access)
        pair = (CANARIES["consumer_key"], CANARIES["consumer_secret"])
        flow = OAuthFlow(*pair, region=self.server.region, callback="oob")
        flow.start()
        return flow.finish(pasted)


def half_an_environment(walk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCHEMER_API_TOKEN", CANARIES["api_token"])
        from_environment()


def incomplete(walk):
    client = walk.survey()
    first = walk.server.replies["/v5/survey/5/surveyresponse"][0].body
    walk.server.answer(
        "survey/5/surveyresponse",
        {**first, "total_count": "600", "total_pages": 2},
        Reply({"result_ok": False, "code": 401, "message": walk.echo}, 401),
    )
    client.responses(5, progress="none")


def no_answers(walk):
    client = walk.survey()
    page = walk.server.replies["/v5/survey/5/surveyresponse"][0].body
    for row in page["data"]:
        del row["survey_data"]
    client.responses(5, progress="none")


def stopped(walk):
    options = CallOptions()
    options.stop.set()
    walk.client._transport.send("GET", "account", options=options)


def newer_store(walk):
    client = walk.survey()
    file = client.sync(5).place / paths.MANIFEST
    told = json.loads(file.read_text("utf-8")) | {"format": manifest.FORMAT + 1}
    file.write_text(json.dumps(told), "utf-8")
    client.sync(5)


def busy_store(walk):
    folder = walk.survey().sync(5).place
    with paths.lock_folder(folder, 1.0), paths.lock_folder(folder, 0.05):
        pass


def expired(walk):
    walk.server.answer(
        "/head/oauth/request_token", Reply(GIVEN.replace("ttl=60", "ttl=1").encode())
    )
    pair = (CANARIES["consumer_key"], CANARIES["consumer_secret"])
    flow = OAuthFlow(*pair, region=walk.server.region, callback="oob")
    flow.start()
    time.sleep(1.01)  # the least that a link can live
    flow.finish(VERIFIER)


def too_slow(walk):
    walk.server.answer("account", Reply({"result_ok": False, "message": walk.echo}, 500))
    walk.client._transport.send("GET", "account", most_500s=1)


def wrong_field(walk):
    typed = {"api_token": Secret(f"{ECHO} x y z"), "api_token_secret": Secret(VERIFIER)}
    SignIn(Session()).use_key(typed, walk.server.region)


WAYS = {
    errors.ConfigurationError: half_an_environment,
    errors.InvalidArgument: lambda walk: walk.client.request("NONE", "account"),
    errors.ConditionError: lambda walk: walk.survey().responses(5, where="[nothing] ="),
    errors.SurveyNotFound: lambda walk: (
        walk.server.answer("survey", {"result_ok": True, "total_pages": 1, "data": []}),
        walk.client.survey("No such survey"),
    ),
    errors.KnowledgeLost: lambda walk: (
        walk.survey().responses(5, progress="none").describe().alchemer.codebook()
    ),
    errors.TransportError: lambda walk: (
        walk.server.answer("account", Reply(walk.echo.encode())),
        walk.client.account(),
    ),
    retrieval._NoAnswers: no_answers,
    errors.Stopped: stopped,
    errors.DownloadIncomplete: incomplete,
    errors.StoreError: lambda walk: walk.survey().scan(5),
    errors.StoreBusy: busy_store,
    errors.StoreNewer: newer_store,
    errors.ApiError: lambda walk: walk.refused(400),
    errors.AuthenticationError: lambda walk: walk.refused(401),
    errors.SignInError: lambda walk: OAuthFlow(*walk.credentials.secrets[:2]).finish(VERIFIER),
    errors.WrongAttempt: lambda walk: walk.flow(
        Reply(), returned_to(VERIFIER, CANARIES["oauth_token"])
    ),
    errors.SignInExpired: expired,
    errors.ConsentDenied: lambda walk: walk.flow(
        Reply(), f"https://x.invalid/?denied={CANARIES['request_token']}"
    ),
    errors.PermissionDenied: lambda walk: walk.refused(403),
    errors.NotFound: lambda walk: walk.refused(404),
    errors.RateLimited: lambda walk: walk.refused(429),
    errors.ServerError: lambda walk: walk.refused(503),
    errors.TooSlow: too_slow,
    FieldError: wrong_field,
}


def tree(kind: type[errors.AlchemerError]) -> set[type[errors.AlchemerError]]:
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("alchemer_nb.")]
    return {*below, *(each for kind in below for each in tree(kind))}


def test_every_error_of_the_tree_is_walked():
    assert tree(errors.AlchemerError) == set(WAYS)


CASES = [(kind, mode) for kind in WAYS for mode in MODES]
# A second each, and the mode does not matter: a sign-in has but one.
CASES = [case for case in CASES if case[0] is not errors.SignInExpired or case[1] == "three"]


@pytest.mark.parametrize(("kind", "mode"), CASES, ids=lambda each: getattr(each, "__name__", each))
def test_no_error_shows_a_secret(scripted, search: Search, tmp_path, monkeypatch, kind, mode):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    with everything_logged() as log, pytest.raises(errors.AlchemerError) as caught:
        WAYS[kind](Walk(scripted, MODES[mode]))
    assert type(caught.value) is kind
    search.error("the error", caught.value)
    search.copies("the error", caught.value)
    search.text("its line in a notebook", *caught.value._render_traceback_())
    search.text("the logs", log.getvalue())
    search.folder(tmp_path)
