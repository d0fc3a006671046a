"""What is said when credentials are refused: by mode, step and history, whatever the words are."""

from __future__ import annotations

import copy
import email.utils
import pickle
import time
from contextlib import contextmanager

import pytest

from alchemer_nb import ApiKey, Client, OAuth1, OAuthFlow
from alchemer_nb.errors import (
    AlchemerError,
    ApiError,
    AuthenticationError,
    ConditionError,
    ConfigurationError,
    ConsentDenied,
    DownloadIncomplete,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SignInError,
    SignInExpired,
    TransportError,
    WrongAttempt,
)
from alchemer_nb.http.refusals import NEW_LINK_HINT, PASTE_AGAIN_HINT
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import FieldError, SignIn
from alchemer_nb.sandbox import Sandbox
from tests.person import regenerate_key
from tests.scripted import Reply, ScriptedServer

OLD = "Login failed / Invalid auth token"
PAIR = "Invalid api_token or api_token_secret supplied"
TOKEN = Reply(b"oauth_token=req-token-1&oauth_token_secret=req-secret-1&xoauth_token_ttl=3600")
GOOD = {"result_ok": True, "data": []}


def error_body(message, status=401, code=401):
    return Reply({"result_ok": False, "code": code, "message": message}, status)


# What a server may answer instead of the two sentences that are documented.
FOREIGN = {
    "finnish": error_body("Kirjautuminen epäonnistui: vanhentunut tai evätty"),
    "chinese": error_body("登录失败"),
    "sandbox": error_body("OAuth refused: the request token is unknown, used, denied or expired"),
    "misleading": error_body("expired, denied, consumer, region, verifier"),
    "no words": error_body(""),
    "inside 200": error_body("登录失败", 200),
    "code as text": error_body("Pääsy evätty", 200, "401"),
    "words as a map": error_body({"fi": "Kirjautuminen epäonnistui"}),
    "page": Reply(b"<!DOCTYPE html><html><h1>401</h1></html>", 401),
    "empty": Reply(b"", 401),
    "plain words": Reply("Pääsy evätty".encode(), 401),
    "broken JSON": Reply(b'{"result_ok": false, "code": 4', 401),
}
# Only at the steps of a sign-in, where nothing but credentials is asked about.
AT_TOKENS = FOREIGN | {
    "forbidden": error_body("Kielletty", 403, 403),
    "bad request": error_body("Virheellinen pyyntö", 400, 400),
    "no code": Reply({"result_ok": False}),
    "odd code": error_body("登录失败", 200, "E_AUTH"),
    "words with 400": Reply("Virheellinen pyyntö".encode(), 400),
}


class World:
    """One set of credentials, or one sign-in, at a server that says what it is told to say."""

    def __init__(self, server):
        self.server = server

    def credentials(self, mode):
        consumer = "consumer-key-1", "consumer-secret-1"
        return {
            "key": lambda: ApiKey("api-key-one", "api-secret-one"),
            "two": lambda: OAuth1(*consumer),
            "three": lambda: OAuth1(*consumer, "access-token-1", "access-secret-1"),
        }[mode]()

    def call(self, mode, reply, *, worked):
        """The error of a call, or of the first one that is refused after one that was not."""
        client = Client(self.credentials(mode), region=self.server.region, retries=1)
        if worked:
            self.server.answer("survey", GOOD)
            client.request("GET", "survey")
        self.server.answer("account", reply)
        return failure(lambda: client.request("GET", "account"))

    def request_token(self, reply, *, worked):
        with flow_at(self.server) as flow:
            self.server.answer("/head/oauth/request_token", *([TOKEN] if worked else []), reply)
            if worked:
                flow.start()
            return failure(flow.start)

    def access_token(self, reply, pasted):
        with flow_at(self.server) as flow:
            self.server.answer("/head/oauth/request_token", TOKEN)
            flow.start()
            self.server.answer("/head/oauth/access_token", reply)
            return failure(lambda: flow.finish(pasted))


@contextmanager
def flow_at(server):
    flow = OAuthFlow("consumer-key-1", "consumer-secret-1", region=server.region, callback="oob")
    try:
        yield flow
    finally:
        flow.close()


def failure(call):
    with pytest.raises(AlchemerError) as caught:
        call()
    return caught.value


@pytest.fixture(scope="module")
def world():
    with ScriptedServer() as server:
        yield World(server)


def ours(error, said=""):
    """What we say: the text without the server's words, which are quoted in brackets."""
    return str(error).replace(f" ({said})", "") if said else str(error)


def assert_region_is_last(error, *, with_hosts=False):
    assert "region" not in error.sentence
    assert error.hint.count("region") == 1
    causes, _, tail = error.hint.partition(" check the region (now ")
    assert causes
    assert not [word for word in ("key", "secret", "link") if word in tail]
    assert "your address bar" in tail
    for name, host in (("us", "app.alchemer.com"), ("ca", "app.alchemer-ca.com")):
        assert f" {name}" in tail
        assert (f" {name} {host}" in tail) is with_hosts


def assert_no_region(error, said=""):
    assert "region" not in ours(error, said)
    assert "app.alchemer" not in str(error)


# -- calls ---------------------------------------------------------------------------------------

SAID = {
    # mode, the server's sentence, worked before: what the sentence says, and the hint
    ("key", OLD, False): ("the API key was refused", "regenerated or removed", "Security > API"),
    ("key", PAIR, False): ("the API key was refused", "do not belong together", "Copy both again"),
    ("key", OLD, True): (
        "accepted it before",
        "regenerated or removed",
        "sign in with it (%alchemer login",
    ),
    ("key", PAIR, True): (
        "accepted it before",
        "regenerated or removed",
        "sign in with it (%alchemer login",
    ),
    ("two", OLD, False): ("the consumer pair", "refused", "consumer secret again"),
    ("two", PAIR, False): ("the consumer pair", "refused", "consumer secret again"),
    ("two", OLD, True): ("the consumer pair", "accepted it before", "application is registered"),
    ("three", OLD, False): ("the access token was refused", "withdrawn", "a new link"),
    ("three", PAIR, False): ("the access token was refused", "withdrawn", "a new link"),
    ("three", OLD, True): ("the access token was refused", "no longer valid", "a new link"),
}


@pytest.mark.parametrize("status", [401, 200, 403])
@pytest.mark.parametrize(("mode", "words", "worked"), SAID)
def test_the_documented_sentences_by_mode_and_history(world, mode, words, worked, status):
    error = world.call(mode, error_body(words, status), worked=worked)
    assert type(error) is AuthenticationError
    assert (error.status, error.code, error.path) == (status, 401, "account")
    first, why, hint = SAID[mode, words, worked]
    assert first in error.sentence
    assert why in error.sentence
    assert words in error.sentence  # repeated, for whoever asks Alchemer
    assert hint in error.hint
    assert world.server.region.host in error.sentence
    if worked:
        assert_no_region(error)
    else:  # the hosts help where the key is not known: it may be one of another region
        assert_region_is_last(error, with_hosts=(mode, words) == ("key", OLD))


@pytest.mark.parametrize("words", [OLD, PAIR])
def test_a_documented_sentence_needs_no_code_and_is_known_in_any_case(world, words):
    body = {"result_ok": False, "message": f"  {words.upper()}. "}
    error = world.call("key", Reply(body), worked=False)
    assert type(error) is AuthenticationError
    assert ("do not belong together" in error.sentence) is (words == PAIR)


def test_a_short_secret_does_not_hide_the_sentence(scripted):
    scripted.answer("account", error_body(PAIR))
    client = Client(ApiKey("supplied", "api_"), region=scripted.region)
    error = failure(client.account)
    assert "do not belong together" in error.sentence
    assert "supplied" not in error.sentence


@pytest.mark.parametrize(
    ("words", "mode", "worked"),
    [
        pytest.param(words, mode, worked, marks=() if (turn + worked) % 2 else pytest.mark.long)
        for words in FOREIGN
        for turn, mode in enumerate(["key", "two", "three"])
        for worked in (False, True)
    ],
)
def test_other_words_are_not_read(world, mode, words, worked):
    """Whatever a server says: the same error, but for its words in brackets."""
    error = world.call(mode, FOREIGN[words], worked=worked)
    plain = world.call(mode, FOREIGN["no words"], worked=worked)
    assert type(error) is AuthenticationError
    quoted = FOREIGN[words].body
    told = quoted["message"] if isinstance(quoted, dict) else ""
    assert error.sentence.replace(f" ({told})", "") == plain.sentence
    assert error.hint == plain.hint
    what = {"key": "API key", "two": "consumer pair", "three": "access token"}[mode]
    assert f"the {what}" in plain.sentence
    if worked:
        assert_no_region(plain)
    else:
        assert_region_is_last(plain, with_hosts=mode == "key")


def test_a_new_client_with_the_same_credentials_knows_that_they_worked(scripted):
    key = ApiKey("api-key-one", "api-secret-one")
    scripted.answer("account", GOOD, error_body(OLD))
    first = Client(key, region=scripted.region)
    assert not first._transport.accepted
    first.account()
    assert first._transport.accepted
    second = Client(key, region=scripted.region)
    assert second._transport.accepted
    assert_no_region(failure(second.account))
    assert not Client(key, region="eu")._transport.accepted


@pytest.mark.parametrize("reply", [error_body("no", 404, 404), error_body("no", 500, 500)])
def test_only_a_good_answer_accepts(world, reply):
    client = Client(world.credentials("key"), region=world.server.region, retries=1)
    world.server.answer("survey", reply)
    failure(lambda: client.request("GET", "survey"))
    assert not client._transport.accepted


def test_a_missing_right_is_no_refused_key(world):
    for mode, what in (("key", "key"), ("two", "consumer pair"), ("three", "access token")):
        error = world.call(mode, error_body("Not Authorized"), worked=True)
        assert type(error) is PermissionDenied
        assert "you are signed in" in str(error)
        first = world.call(mode, error_body("Not Authorized"), worked=False)
        assert type(first) is PermissionDenied
        assert "you are signed in" not in str(first)
        assert first.hint.endswith(f"check the {what}")
        assert "Ask an administrator" in first.hint
        assert "Account > Integrations > Manage API" in first.hint  # or nobody may make calls
        assert error.hint == ""


def test_a_method_that_is_switched_off_says_who_can_switch_it_on(world):
    error = world.call("key", error_body("Method not supported", 405, 405), worked=True)
    assert type(error) is ApiError
    assert "Manage API" in error.hint


@pytest.mark.parametrize("worked", [False, True])
def test_where_calls_worked_the_account_is_not_looked_for_elsewhere(world, worked):
    error = world.call("key", error_body("No such object", 404, 404), worked=worked)
    assert type(error) is NotFound
    assert ("account lies in this region" in str(error)) is not worked


def test_a_page_that_forbids_is_not_alchemers(world):
    page = Reply(b"<html><title>Blocked by policy</title></html>", 403, {"Server": "gateway"})
    error = world.call("key", page, worked=False)
    assert isinstance(error, TransportError)
    assert error.reason == "blocked"
    assert "a web page, which is not Alchemer's answer" in error.sentence
    assert "firewall" in error.hint
    assert isinstance(world.request_token(page, worked=False), TransportError)
    assert isinstance(world.access_token(page, "the-verifier"), TransportError)


# -- the steps of a sign-in ----------------------------------------------------------------------


@pytest.mark.parametrize("worked", [False, True])
@pytest.mark.parametrize("words", AT_TOKENS)
def test_a_refused_request_token_blames_the_consumer_pair(world, words, worked):
    error = world.request_token(AT_TOKENS[words], worked=worked)
    assert type(error) is AuthenticationError
    assert error.sentence.startswith("the consumer pair (consumer key and consumer secret)")
    assert "API key" not in error.sentence
    assert error.path == "oauth/request_token"
    if worked:
        assert "accepted it before" in error.sentence
        assert_no_region(error, "expired, denied, consumer, region, verifier")
    elif words != "misleading":
        assert_region_is_last(error)


@pytest.mark.parametrize("words", AT_TOKENS)
@pytest.mark.parametrize(
    ("pasted", "kind", "why", "hint"),
    [
        # A text without the token of this link may be anything: the link comes last.
        ("the-verifier", WrongAttempt, ": the code was not copied whole or", PASTE_AGAIN_HINT),
        ("hello", WrongAttempt, ": the code was not copied whole or", PASTE_AGAIN_HINT),
        (
            "https://x.invalid/?oauth_token=req-token-1&oauth_verifier=the-verifier",
            SignInError,
            ": the link has expired or",
            NEW_LINK_HINT,
        ),
    ],
)
def test_a_refused_verifier_asks_for_its_cause_first(world, words, pasted, kind, why, hint):
    error = world.access_token(AT_TOKENS[words], pasted)
    assert type(error) is kind
    assert "the last step of the sign-in was refused" in error.sentence
    assert why in error.sentence
    assert error.hint == hint
    told = ours(error, "expired, denied, consumer, region, verifier")
    assert "region" not in told
    assert "consumer" not in told
    assert "key" not in told.replace("request_token", "")


NO_TOKEN = {
    "page": Reply(b"<html>Kirjaudu</html>"),
    "empty": Reply(b""),
    "words": Reply("登录失败".encode()),
    "half a token": Reply(b"oauth_token=abc"),
    "good without a token": Reply({"result_ok": True, "data": []}),
    "good, large": Reply({"result_ok": True, "data": ["x" * 9_000]}),
}


@pytest.mark.parametrize("words", NO_TOKEN)
def test_an_answer_without_token_and_without_error_names_the_step(world, words):
    error = world.request_token(NO_TOKEN[words], worked=False)
    assert isinstance(error, TransportError)
    assert "there is no sign-in link" in error.sentence
    assert "consumer secret" in error.hint
    assert error.hint.rindex("region") > error.hint.index("consumer secret")
    again = world.request_token(NO_TOKEN[words], worked=True)
    assert_no_region(again)
    error = world.access_token(NO_TOKEN[words], "the-verifier")
    assert type(error) is SignInError
    assert "did not come to its end" in error.sentence
    assert "new sign-in link" in error.hint
    assert_no_region(error)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error_body("hitaammin", 429, 429), RateLimited),
        (error_body("virhe", 500, 500), ServerError),
        (error_body("Service currently unavailable", 200, 103), ServerError),
        (Reply(b"<html>bad gateway</html>", 502), ServerError),
        (Reply(b"x", headers={"Content-Encoding": "gzip"}), TransportError),
        (Reply(b"", 302, {"Location": "https://elsewhere.example/"}), TransportError),
    ],
)
def test_trouble_at_a_step_is_no_refusal(world, reply, kind):
    assert type(world.request_token(reply, worked=False)) is kind
    assert type(world.access_token(reply, "the-verifier")) is kind


# -- what OAuth itself has names for -------------------------------------------------------------


def reported(problem, place):
    if place == "header":
        return Reply(b"", 401, {"WWW-Authenticate": f'OAuth realm="x", oauth_problem="{problem}"'})
    return Reply(f"oauth_problem={problem}&oauth_problem_advice=neuvo".encode(), 400)


@pytest.mark.parametrize("place", ["header", "body"])
@pytest.mark.parametrize(
    ("problem", "kind", "said"),
    [
        ("token_expired", SignInExpired, "expired"),
        ("token_used", SignInExpired, "used already"),
        ("token_rejected", SignInExpired, "expired"),
        ("verifier_invalid", WrongAttempt, "not copied whole"),
        ("permission_denied", ConsentDenied, "access was denied"),
        ("consumer_key_rejected", SignInError, "consumer pair"),
        ("signature_invalid", WrongAttempt, "not copied whole or is not that of this link"),
        ("something_of_its_own", WrongAttempt, "not copied whole or is not that of this link"),
    ],
)
def test_a_reported_problem_decides_the_last_step(world, problem, kind, said, place):
    error = world.access_token(reported(problem, place), "the-verifier")
    assert type(error) is kind
    assert said in error.sentence
    assert "neuvo" not in str(error)
    assert_no_region(error)


@pytest.mark.parametrize("place", ["header", "body"])
def test_a_reported_problem_at_a_call(world, place):
    error = world.call("three", reported("consumer_key_unknown", place), worked=False)
    assert "the consumer pair" in error.sentence
    error = world.call("three", reported("token_revoked", place), worked=True)
    assert "the access token" in error.sentence
    assert "a new link" in error.hint
    error = world.call("three", reported("permission_denied", place), worked=True)
    assert type(error) is PermissionDenied


@pytest.mark.parametrize(
    ("pasted", "kind"),
    [
        ("?oauth_token=req-token-1&oauth_problem=token_expired", SignInExpired),
        ("?oauth_token=req-token-1&oauth_problem=permission_denied", ConsentDenied),
        ("?denied=req-token-1", ConsentDenied),
        ("?oauth_token=another&oauth_verifier=x", WrongAttempt),
    ],
)
def test_what_the_browser_came_back_with(world, pasted, kind):
    error = world.access_token(TOKEN, f"https://x.invalid/{pasted}")
    assert type(error) is kind
    assert "new sign-in link" in error.hint


@contextmanager
def wrong_clock(scripted, minutes):
    """A server whose clock is not ours."""
    handler = scripted._server.RequestHandlerClass
    before = handler.date_time_string
    handler.date_time_string = lambda *_: email.utils.formatdate(
        time.time() - 60 * minutes, usegmt=True
    )
    try:
        yield
    finally:
        handler.date_time_string = before


@pytest.mark.parametrize(
    ("minutes", "said"), [(12, "12 minutes ahead of"), (-30, "30 minutes beh")]
)
@pytest.mark.parametrize("words", ["finnish", "empty", "inside 200"])
def test_a_wrong_clock_is_seen_in_the_answers_date(world, minutes, said, words):
    reply = FOREIGN[words]
    with wrong_clock(world.server, minutes):
        refusals = [
            world.call("two", reply, worked=False),
            world.call("three", reply, worked=True),
            world.request_token(reply, worked=False),
            world.access_token(reply, "the-verifier"),
        ]
        key = world.call("key", reply, worked=False)
    for error in refusals:
        assert said in error.sentence
        assert "Set the clock" in error.hint
        assert_no_region(error)
    assert isinstance(refusals[-1], SignInError)
    assert "clock" not in str(key)  # an API key is not signed with the time


def test_a_clock_that_is_a_little_wrong_is_no_reason(world):
    with wrong_clock(world.server, 2):
        assert "clock" not in str(world.call("two", FOREIGN["empty"], worked=False))


# -- neighbouring mistakes -----------------------------------------------------------------------

HEX32, HEX41, HEX50 = "0123456789abcdef" * 2, "0123456789abcdef0" * 2 + "1234567", "ab" * 25
A9 = "A9qqqqqqqqqqq"


@pytest.mark.parametrize(
    ("kind", "pair", "said"),
    [
        (ApiKey, (A9, HEX50), "swapped"),
        (ApiKey, (A9, HEX32), "swapped"),
        (ApiKey, (HEX41, HEX32), "look like a consumer pair"),
        (ApiKey, (HEX32, HEX32), "the same text"),
        (OAuth1, (HEX41, HEX41), "the same text"),
        (ApiKey, ("ada@example.org", "password"), "an e-mail address"),
        (OAuth1, ("ada@example.org", "password"), "an e-mail address"),
        (OAuth1, (HEX50, A9), "look like an API key"),
        (OAuth1, (HEX32, A9), "look like an API key"),
        (OAuth1, (HEX32, HEX41), "swapped"),
        (ApiKey, (HEX50, A9), ""),
        (ApiKey, (HEX32, A9), ""),
        (OAuth1, (HEX41, HEX32), ""),
    ],
)
def test_a_neighbouring_mistake_is_named_first(scripted, kind, pair, said):
    scripted.answer("account", error_body(PAIR))
    error = failure(Client(kind(*pair), region=scripted.region).account)
    first, _, rest = error.hint.partition(" If that is not it, ")
    is_log_in = said == "an e-mail address"  # nothing was copied that may be right
    assert bool(rest) is (bool(said) and not is_log_in)
    assert said in first
    if is_log_in:
        assert ("API key" if kind is ApiKey else "consumer key") in first
        assert "region" not in first
    scripted.answer("account", GOOD, error_body(PAIR))
    credentials = kind(*pair)
    Client(credentials, region=scripted.region).account()
    again = failure(Client(credentials, region=scripted.region).account)
    assert "If that is not it" not in again.hint  # it worked, so it is no mistake


# -- in a session --------------------------------------------------------------------------------


def test_a_key_that_signed_in_and_is_typed_again_is_known_to_have_worked():
    with Sandbox(responses=0) as box:
        session = Session()
        pair = box.api_token, box.api_token_secret
        SignIn(session).use_credentials(ApiKey(*pair), box.region)
        regenerate_key(box.url, box.username, box.password)
        typed = Client(ApiKey(*pair), region=box.region)
        error = failure(lambda: session.adopt(typed))
        assert type(error) is AuthenticationError
        assert "accepted it before" in error.sentence
        assert_no_region(error)
        other = ApiKey("another-key-of-the-same-person", "its-secret")
        error = failure(lambda: session.adopt(Client(other, region=box.region)))
        assert "regenerated or removed" in str(error) or "do not belong together" in str(error)
        assert_no_region(error)  # somebody is signed in there
        error = failure(
            lambda: SignIn(session).request_link(
                {"consumer_key": Secret("f" * 41), "consumer_secret": Secret("0" * 32)}, box.region
            )
        )
        assert "the consumer pair" in error.sentence
        assert_no_region(error)
        fresh = failure(Client(ApiKey(*pair), region=box.region).account)
        assert "regenerated or removed" in fresh.sentence
        assert_region_is_last(fresh, with_hosts=True)


# -- sentence and hint ---------------------------------------------------------------------------


def examples():
    return [
        AlchemerError("what happened", hint="What to do"),
        ConfigurationError("what happened", hint="What to do"),
        ConditionError("what happened", 3, hint="What to do"),
        TransportError("what happened", reason="cut", hint="What to do"),
        DownloadIncomplete("what happened", [1, 2], hint="What to do"),
        NotFound("what happened", status=404, code=404, method="GET", path="x", hint="What to do"),
        RateLimited("what happened", retry_after=3.0, status=429, hint="What to do"),
        FieldError("api_token", "what happened", AlchemerError("", hint="What to do")),
    ]


@pytest.mark.parametrize("error", examples(), ids=lambda error: type(error).__name__)
def test_an_error_keeps_its_hint_apart_and_shows_both(error):
    assert error.sentence.endswith("what happened")
    assert error.hint == "What to do"
    assert str(error) == f"{error.sentence}. What to do"
    assert error._one_line()[0].endswith(f": {error}")
    first, second = error.lines
    assert first.casefold() == f"{error.sentence}.".casefold()
    assert first[0].isupper()
    assert second == "What to do."


@pytest.mark.parametrize("error", examples(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],  # noqa: S301
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copied_error_is_as_it_was(error, again):
    made = again(error)
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert made.args == error.args
    kept = {name: value for name, value in vars(error).items() if name != "cause"}
    assert {name: value for name, value in vars(made).items() if name != "cause"} == kept


def test_an_error_without_a_hint_is_its_sentence():
    assert str(AlchemerError("nothing answers")) == "nothing answers"
    assert AlchemerError("is it locked?").lines == ("Is it locked?", "")
    assert str(AlchemerError("is it locked?", hint="Open it")) == "is it locked? Open it"
    assert AlchemerError().lines == ("", "")


def test_the_number_of_tries_stands_in_the_sentence(scripted):
    from alchemer_nb.http.retries import Retries

    scripted.answer("account", error_body("x", 500, 500))
    quick = Retries(attempts=2, base=0.0)
    client = Client(ApiKey("api-key-one", "api-secret-one"), scripted.region, retries=quick)
    assert failure(client.account).sentence.endswith("(tried 2 times)")
