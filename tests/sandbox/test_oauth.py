"""Rows 6 to 8 of what the vendor's page on authentication describes: OAuth 1.0a."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT, Client
from requests_oauthlib import OAuth1, OAuth1Session

from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small
from tests.sandbox.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

HEX41, HEX32 = re.compile(r"[0-9a-f]{41}"), re.compile(r"[0-9a-f]{32}")
BACK = "http://127.0.0.1:9/landed"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(surveys=[small.build()]) as running:
        yield running


class Flow:
    """Three-legged sign-in, step by step, with other people's code."""

    def __init__(self, box: Sandbox, callback: str = BACK, pair: tuple[str, str] | None = None):
        self.box = box
        self.key, self.secret = pair or (box.consumer_key, box.consumer_secret)
        self.session = OAuth1Session(self.key, self.secret, callback_uri=callback)
        self.begun = self.session.fetch_request_token(f"{box.url}/head/oauth/request_token")
        self.person = Person(box.url)

    def open(self) -> None:
        self.person.open(self.session.authorization_url(f"{self.box.url}/head/oauth/authenticate"))

    def decide(self, user: str, step: str) -> requests.Response:
        self.open()
        self.person.send("password", name=user, password=f"{user}-sandbox")
        self.person.send("step:allow", follow=False, step=step)
        assert self.person.answer is not None
        return self.person.answer

    def allow(self, user: str = "ben") -> dict[str, str]:
        answer = self.decide(user, "allow")
        assert answer.status_code == 302
        return query_of(answer.headers["Location"])

    def swap(self, verifier: str) -> dict[str, str]:
        return dict(
            self.session.fetch_access_token(
                f"{self.box.url}/head/oauth/access_token", verifier=verifier
            )
        )

    def signed(self, verifier: str, **more: Any) -> requests.Response:
        auth = OAuth1(
            self.key,
            more.pop("client_secret", self.secret),
            self.begun["oauth_token"],
            self.begun["oauth_token_secret"],
            verifier=verifier,
            **more,
        )
        return requests.get(f"{self.box.url}/head/oauth/access_token", auth=auth, timeout=10)


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def signed(box: Sandbox, path: str = "account", **options: Any) -> requests.Response:
    """A two-legged call."""
    auth = OAuth1(
        options.pop("key", box.consumer_key), options.pop("secret", box.consumer_secret), **options
    )
    return requests.get(f"{box.url}/v5/{path}", auth=auth, timeout=10)


def refusal(answer: requests.Response) -> str:
    body = answer.json()
    assert (answer.status_code, body["result_ok"], body["code"]) == (401, False, 401)
    return str(body["message"])


def test_two_legged_calls_act_as_who_registered_the_application(box: Sandbox) -> None:
    assert signed(box).json()["result_ok"] is True
    assert signed(box, "accountuser").json()["data"][0]["username"] == "ada"
    person = Person(box.url)
    person.log_in("ben")
    person.open("account/restful-register")
    page = person.send("title", title="Ben's tool")
    pair = page.marked["data-consumer-key"], page.marked["data-consumer-secret"]
    assert refusal(signed(box, "accountuser", key=pair[0], secret=pair[1])) == "Not Authorized"
    assert signed(box, "survey", key=pair[0], secret=pair[1]).json()["total_count"] == "1"


def test_a_registered_application_has_a_pair_of_the_seen_shape(box: Sandbox) -> None:
    assert HEX41.fullmatch(box.consumer_key)
    assert HEX32.fullmatch(box.consumer_secret)


def test_three_legged_calls_act_as_who_granted(box: Sandbox) -> None:
    flow = Flow(box)
    assert HEX41.fullmatch(flow.begun["oauth_token"])
    assert HEX32.fullmatch(flow.begun["oauth_token_secret"])
    assert flow.begun["oauth_callback_confirmed"] == "1"
    assert flow.begun["xoauth_token_ttl"] == "3600"
    back = flow.allow("ben")
    assert back["oauth_token"] == flow.begun["oauth_token"]
    tokens = flow.swap(back["oauth_verifier"])
    assert set(tokens) == {"oauth_token", "oauth_token_secret"}
    as_ben = OAuth1Session(
        flow.key, flow.secret, tokens["oauth_token"], tokens["oauth_token_secret"]
    )
    assert as_ben.get(f"{box.url}/v5/survey").json()["result_ok"] is True
    assert refusal(as_ben.get(f"{box.url}/v5/accountuser")) == "Not Authorized"


def test_signed_calls_work_with_queries_bodies_and_brackets(box: Sandbox) -> None:
    auth = OAuth1(box.consumer_key, box.consumer_secret)
    asked = {
        "filter[field][0]": '[url("utm_source")]',
        "filter[operator][0]": "=",
        "filter[value][0]": "news",
        "page": "1",
    }
    address = f"{box.url}/head/survey/7/surveyresponse"
    rows = requests.get(address, params=asked, auth=auth, timeout=10).json()["data"]
    assert [row["id"] for row in rows] == ["1"]
    form = requests.post(address, params={"_method": "GET"}, data=asked, auth=auth, timeout=10)
    assert [row["id"] for row in form.json()["data"]] == ["1"]


def test_an_independent_signer_is_understood(box: Sandbox) -> None:
    client = Client(box.consumer_key, client_secret=box.consumer_secret, nonce="a-b_c.1")
    address, headers, _ = client.sign(f"{box.url}/v5/survey?page=1&resultsperpage=2")
    assert requests.get(address, headers=headers, timeout=10).json()["total_count"] == "1"


def test_parameters_in_the_query_are_understood(box: Sandbox) -> None:
    client = Client(box.consumer_key, client_secret=box.consumer_secret, signature_type="QUERY")
    address, headers, _ = client.sign(f"{box.url}/v5/account")
    assert requests.get(address, headers=headers, timeout=10).json()["result_ok"] is True


def test_a_callback_keeps_its_own_query(box: Sandbox) -> None:
    back = Flow(box, f"{BACK}?state=a%20b&x=").decide("ben", "allow").headers["Location"]
    assert back.startswith(f"{BACK}?state=a+b&x=&oauth_token=")


def test_a_denial_goes_back_without_a_verifier(box: Sandbox) -> None:
    flow = Flow(box)
    back = query_of(flow.decide("ben", "deny").headers["Location"])
    token = flow.begun["oauth_token"]
    assert back == {"oauth_token": token, "denied": token}
    assert "request token" in refusal(flow.signed("0" * 20))


def test_out_of_band_shows_the_verifier_on_a_page(box: Sandbox) -> None:
    flow = Flow(box, "oob")
    flow.decide("cleo", "allow")
    verifier = flow.person.page.marked["data-verifier"]
    assert "Your verifier" in flow.person.page.text
    assert flow.swap(verifier)["oauth_token"]


def test_out_of_band_denied_says_so_on_a_page(box: Sandbox) -> None:
    flow = Flow(box, "oob")
    assert flow.decide("cleo", "deny").status_code == 200
    assert "was not given access" in flow.person.page.text


def test_out_of_band_can_be_switched_off() -> None:
    with Sandbox(surveys=[], oob=False) as strict:
        auth = OAuth1(strict.consumer_key, strict.consumer_secret, callback_uri="oob")
        answer = requests.get(f"{strict.url}/head/oauth/request_token", auth=auth, timeout=10)
        assert "oob" in refusal(answer)


@pytest.mark.parametrize("callback", ["javascript:alert(1)", "landed", "ftp://x/y"])
def test_other_callbacks_are_refused(box: Sandbox, callback: str) -> None:
    auth = OAuth1(box.consumer_key, box.consumer_secret, callback_uri=callback)
    answer = requests.get(f"{box.url}/head/oauth/request_token", auth=auth, timeout=10)
    assert "callback" in refusal(answer)


def test_token_answers_are_form_encoded_and_may_be_asked_for_by_post(box: Sandbox) -> None:
    auth = OAuth1(box.consumer_key, box.consumer_secret, callback_uri="oob")
    answer = requests.post(f"{box.url}/v5/oauth/request_token", auth=auth, timeout=10)
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert set(parse_qs(answer.text)) == {
        "oauth_token",
        "oauth_token_secret",
        "oauth_callback_confirmed",
        "xoauth_token_ttl",
    }


def test_json_can_be_glued_to_token_answers() -> None:
    with Sandbox(surveys=[], glue_json=True) as box:
        auth = OAuth1(box.consumer_key, box.consumer_secret, callback_uri="oob")
        text = requests.get(f"{box.url}/head/oauth/request_token", auth=auth, timeout=10).text
        token = parse_qs(text)["oauth_token"][0]
        assert text.endswith(f'xoauth_token_ttl=3600{{"result_ok":true,"0":"{token}"}}')


class TestRefused:
    def test_a_wrong_consumer_secret(self, box: Sandbox) -> None:
        assert "signature" in refusal(signed(box, secret="0" * 32))

    def test_an_unknown_consumer(self, box: Sandbox) -> None:
        assert "unknown consumer" in refusal(signed(box, key="f" * 41))

    def test_a_changed_address(self, box: Sandbox) -> None:
        client = Client(box.consumer_key, client_secret=box.consumer_secret)
        _, headers, _ = client.sign(f"{box.url}/v5/survey?page=1")
        answer = requests.get(f"{box.url}/v5/survey?page=2", headers=headers, timeout=10)
        assert "signature" in refusal(answer)

    def test_a_replayed_nonce(self, box: Sandbox) -> None:
        client = Client(box.consumer_key, client_secret=box.consumer_secret)
        address, headers, _ = client.sign(f"{box.url}/v5/account")
        assert requests.get(address, headers=headers, timeout=10).status_code == 200
        assert "nonce" in refusal(requests.get(address, headers=headers, timeout=10))

    @pytest.mark.parametrize("shift", [-301, 330])  # a slow call makes one of the future younger
    def test_a_stale_timestamp(self, box: Sandbox, shift: int) -> None:
        assert "timestamp" in refusal(signed(box, timestamp=str(int(time.time()) + shift)))

    def test_a_timestamp_slightly_off_is_not_stale(self, box: Sandbox) -> None:
        assert signed(box, timestamp=str(int(time.time()) - 200)).status_code == 200

    @pytest.mark.parametrize("method", [SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT])
    def test_another_signature_method(self, box: Sandbox, method: str) -> None:
        assert "HMAC-SHA1" in refusal(signed(box, signature_method=method))

    def test_a_header_without_the_rest(self, box: Sandbox) -> None:
        answer = requests.get(
            f"{box.url}/v5/account",
            headers={"Authorization": f'OAuth oauth_consumer_key="{box.consumer_key}"'},
            timeout=10,
        )
        assert "incomplete" in refusal(answer)

    def test_an_unknown_access_token(self, box: Sandbox) -> None:
        answer = signed(box, resource_owner_key="a" * 41, resource_owner_secret="b" * 32)
        assert refusal(answer) == "Login failed / Invalid auth token"

    def test_an_access_token_of_another_application(self, box: Sandbox) -> None:
        flow = Flow(box)
        tokens = flow.swap(flow.allow()["oauth_verifier"])
        person = Person(box.url)
        person.log_in("ada")
        person.open("account/restful-register")
        page = person.send("title", title="Another")
        answer = signed(
            box,
            key=page.marked["data-consumer-key"],
            secret=page.marked["data-consumer-secret"],
            resource_owner_key=tokens["oauth_token"],
            resource_owner_secret=tokens["oauth_token_secret"],
        )
        assert refusal(answer) == "Login failed / Invalid auth token"

    def test_a_reused_verifier(self, box: Sandbox) -> None:
        flow = Flow(box)
        verifier = flow.allow()["oauth_verifier"]
        assert flow.signed(verifier).status_code == 200
        assert "request token" in refusal(flow.signed(verifier))

    def test_a_wrong_verifier_and_then_the_right_one_works(self, box: Sandbox) -> None:
        flow = Flow(box)
        verifier = flow.allow()["oauth_verifier"]
        assert "verifier" in refusal(flow.signed("0" * 20))
        assert flow.signed(verifier).status_code == 200

    def test_a_verifier_of_another_attempt(self, box: Sandbox) -> None:
        one, two = Flow(box), Flow(box)
        verifier = one.allow()["oauth_verifier"]
        two.allow()
        assert "verifier" in refusal(two.signed(verifier))

    def test_a_swap_before_the_consent(self, box: Sandbox) -> None:
        assert "verifier" in refusal(Flow(box).signed("0" * 20))

    def test_a_swap_signed_with_a_wrong_secret(self, box: Sandbox) -> None:
        flow = Flow(box)
        verifier = flow.allow()["oauth_verifier"]
        assert "signature" in refusal(flow.signed(verifier, client_secret="0" * 32))

    def test_an_expired_request_token(self) -> None:
        with Sandbox(surveys=[], request_token_ttl=0) as box:
            flow = Flow(box)
            flow.open()
            assert flow.person.answer is not None
            assert flow.person.answer.status_code == 400
            assert "This sign-in link has ended" in flow.person.page.text
            assert "expired" in refusal(flow.signed("0" * 20))


class TestConsentPage:
    def test_it_asks_for_name_and_password_first(self, box: Sandbox) -> None:
        flow = Flow(box)
        flow.open()
        assert "Log in" in flow.person.page.text
        page = flow.person.send("password", name="ben", password="no")
        assert "do not fit" in page.text
        page = flow.person.send("password", name="ben", password="ben-sandbox")
        assert "Notebook toolkit" in page.text
        assert "ben@example.org" in page.text

    def test_who_is_logged_in_already_is_asked_at_once(self, box: Sandbox) -> None:
        flow = Flow(box)
        flow.person.log_in("cleo")
        flow.open()
        assert "cleo@example.org" in flow.person.page.text

    def test_somebody_else_may_log_in(self, box: Sandbox) -> None:
        flow = Flow(box)
        flow.person.log_in("cleo")
        flow.open()
        flow.person.send("step:switch", step="switch")
        page = flow.person.send("password", name="ben", password="ben-sandbox")
        assert "ben@example.org" in page.text

    def test_the_decision_needs_the_forms_own_token(self, box: Sandbox) -> None:
        flow = Flow(box)
        flow.person.log_in("ben")
        flow.open()
        assert flow.person.answer is not None
        forged = flow.person.session.post(
            flow.person.answer.url, data={"step": "allow"}, allow_redirects=False, timeout=10
        )
        assert forged.status_code == 403
        assert "verifier" in refusal(flow.signed("0" * 20))

    def test_a_decision_is_made_once(self, box: Sandbox) -> None:
        flow = Flow(box)
        flow.allow("ben")
        flow.open()
        assert "Already decided" in flow.person.page.text

    def test_an_unknown_token_gets_a_readable_page(self, box: Sandbox) -> None:
        person = Person(box.url)
        for address in ("head/oauth/authenticate", "head/oauth/authenticate?oauth_token=x"):
            assert "get a new link" in person.open(address).text
            assert person.answer is not None
            assert person.answer.status_code == 400
