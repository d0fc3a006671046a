"""Each error of the tree, raised by the call that raises it, with a server that repeats secrets."""

from __future__ import annotations

import io
import json
import time
from urllib.parse import quote

import pytest

from alchemer_nb import OAuthFlow, errors
from alchemer_nb.auth.lookup import find_without_profiles
from alchemer_nb.http.secrets import Secret
from alchemer_nb.http.signed_files import FileRefused, FileRequest, fetch_file
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import FieldError, SignIn
from alchemer_nb.store import manifest, paths
from tests.leaks.search import CANARIES, MODES, PAIR, everything_logged
from tests.leaks.walk import GIVEN, REQUEST, REQUESTED, VERIFIER, Walk, returned_to
from tests.scripted import Reply


def half_an_environment(walk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCHEMER_API_TOKEN", CANARIES["api_token"])
        find_without_profiles()


def no_survey(walk):
    walk.client.survey("No such survey")


def lost(walk):
    walk.client.responses(5, progress="none").describe().alchemer.codebook()


def no_json(walk):
    walk.server.answer("account", Reply(walk.echo.encode()))
    walk.client.account()


def stopped(walk):
    options = CallOptions()
    options.stop.set()
    walk.client._transport.send("GET", "account", options=options)


def incomplete(walk):
    refusal = {"result_ok": False, "code": 401, "message": walk.echo}
    walk.break_off(Reply(refusal, 401)).responses(5, progress="none")


def busy_store(walk):
    folder = walk.client.sync(5).place
    with paths.lock_folder(folder, 1.0), paths.lock_folder(folder, 0.05):
        pass


def damaged_store(walk):
    client = walk.client
    for part in client.sync(5).place.glob("responses-*.parquet"):
        part.write_bytes(b"damaged")
    client.scan(5)


def newer_store(walk):
    client = walk.client
    file = client.sync(5).place / paths.MANIFEST
    told = json.loads(file.read_text("utf-8")) | {"format": manifest.FORMAT + 1}
    file.write_text(json.dumps(told), "utf-8")
    client.sync(5)


def never_begun(walk):
    OAuthFlow(*PAIR.secrets).finish(VERIFIER)


def expired(walk):
    walk.server.answer(REQUESTED, Reply(GIVEN.replace("ttl=60", "ttl=1").encode()))
    flow = walk.flow()
    time.sleep(1.01)  # the least that a link can live
    flow.finish(VERIFIER)


def refused_file(walk):
    walk.server.answer("/files/1", Reply(walk.echo.encode(), 403))
    address = Secret(f"{walk.server.url}/files/1?signature={quote(walk.echo)}")
    fetch_file(FileRequest(address, True, 10, -1, CallOptions(), lambda _: None), io.BytesIO())


def too_slow(walk):
    walk.refuse(500)._transport.send("GET", "account", most_500s=1)


def wrong_field(walk):
    typed = {"api_token": Secret(f"{walk.echo} x y z"), "api_token_secret": Secret(VERIFIER)}
    SignIn(Session()).use_key(typed, walk.server.region)


DENIED = f"https://x.invalid/?denied={quote(REQUEST)}"
WAYS = {
    errors.ConfigurationError: half_an_environment,
    errors.InvalidArgument: lambda walk: walk.client.request("NONE", "account"),
    errors.ConditionError: lambda walk: walk.client.responses(5, where="[nothing] ="),
    errors.SurveyNotFound: no_survey,
    errors.KnowledgeLost: lost,
    errors.TransportError: no_json,
    errors.Stopped: stopped,
    errors.DownloadIncomplete: incomplete,
    errors.StoreError: lambda walk: walk.client.scan(5),
    errors.StoreBusy: busy_store,
    errors.StoreDamaged: damaged_store,
    errors.StoreNewer: newer_store,
    errors.ApiError: lambda walk: walk.refuse(400).account(),
    errors.AuthenticationError: lambda walk: walk.refuse(401).account(),
    errors.SignInError: never_begun,
    errors.WrongAttempt: lambda walk: walk.flow().finish(returned_to(VERIFIER, "x" * 20)),
    errors.SignInExpired: expired,
    errors.ConsentDenied: lambda walk: walk.flow().finish(DENIED),
    errors.PermissionDenied: lambda walk: walk.refuse(403).account(),
    errors.NotFound: lambda walk: walk.refuse(404).account(),
    errors.RateLimited: lambda walk: walk.refuse(429).account(),
    errors.ServerError: lambda walk: walk.refuse(503).account(),
    errors.TooSlow: too_slow,
    FieldError: wrong_field,
    FileRefused: refused_file,
}


def tree(kind: type[errors.AlchemerError]) -> set[type[errors.AlchemerError]]:
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("alchemer_nb.")]
    return {*below, *(each for kind in below for each in tree(kind))}


def test_every_error_of_the_tree_is_walked():
    assert tree(errors.AlchemerError) == set(WAYS)


CASES = [(kind, mode) for kind in WAYS for mode in MODES]
# A second each, and the mode does not matter: a sign-in has but one.
CASES = [case for case in CASES if case[0] is not errors.SignInExpired or case[1] == "three"]
# What a refusal repeats is of the mode; other errors are raised in the modes in turn.
EVERY_MODE = {errors.ApiError, errors.AuthenticationError, errors.DownloadIncomplete}


def is_fast(kind, mode):
    turn = list(WAYS).index(kind) % len(MODES)
    return kind in (*EVERY_MODE, errors.SignInExpired) or mode == [*MODES][turn]


CASES = [pytest.param(*case, marks=() if is_fast(*case) else pytest.mark.long) for case in CASES]


@pytest.mark.parametrize(("kind", "mode"), CASES, ids=lambda each: getattr(each, "__name__", each))
def test_no_error_shows_a_secret(scripted, search, tmp_path, monkeypatch, kind, mode):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    with everything_logged() as log, pytest.raises(errors.AlchemerError) as caught:
        WAYS[kind](Walk(scripted, MODES[mode]))
    assert type(caught.value) is kind
    search.error("the error", caught.value)
    search.copies("the error", caught.value)
    search.text("its line in a notebook", *caught.value._render_traceback_())
    search.text("the logs", log.getvalue())
    search.folder(tmp_path)
