"""Rows 1 to 5 of what the vendor's page on authentication describes: API keys."""

from __future__ import annotations

import re

import pytest
import requests

from alchemer_nb.sandbox import Sandbox
from tests.sandbox import small
from tests.sandbox.conftest import caller
from tests.sandbox.person import Person

DEAD = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}
WRONG = {
    "result_ok": False,
    "code": 401,
    "message": "Invalid api_token or api_token_secret supplied",
}


def test_a_pair_is_sent_with_every_call_and_answers_for_its_user(own: Sandbox) -> None:
    answer = caller(own)("account")
    assert answer.status_code == 200
    assert answer.json()["data"]["organization"] == "Larkmoor Outdoor"


def test_pairs_have_the_shapes_of_the_vendors_examples(own: Sandbox) -> None:
    assert re.fullmatch(r"[0-9a-f]{50}", own.api_token)
    assert re.fullmatch(r"A9[0-9a-f]{11}", own.api_token_secret)


@pytest.mark.parametrize(
    ("token", "secret"),
    [("right", "wrong"), ("wrong", "right"), ("right", None), (None, "right"), ("", "")],
)
def test_a_wrong_pair_is_told_so(own: Sandbox, token: str | None, secret: str | None) -> None:
    right = {"api_token": own.api_token, "api_token_secret": own.api_token_secret}
    given = {"api_token": token, "api_token_secret": secret}
    sent = {
        name: right[name] if value == "right" else value
        for name, value in given.items()
        if value is not None
    }
    answer = requests.get(f"{own.url}/v5/account", params=sent, timeout=10)
    assert (answer.status_code, answer.json()) == (401, WRONG)


def test_no_credentials_are_refused(own: Sandbox) -> None:
    answer = requests.get(f"{own.url}/v5/survey", timeout=10)
    assert (answer.status_code, answer.json()) == (401, DEAD)


def test_a_regenerated_key_kills_the_old_one_at_once_and_no_other(own: Sandbox) -> None:
    ben, ada = caller(own, "ben"), caller(own)
    assert ben("survey").status_code == 200
    admin = Person(own.url)
    admin.log_in("ada")
    admin.open("/security/api-access")
    admin.send("user_id:2")
    assert ben("survey").status_code == 200
    admin.send("replaces")
    old = ben("survey")
    assert (old.status_code, old.json()) == (401, DEAD)
    assert ada("survey").status_code == 200
    assert caller(own, "ben")("survey").status_code == 200


def test_a_key_of_another_region_is_unknown() -> None:
    with Sandbox(surveys=[]) as us, Sandbox(surveys=[], region="eu") as eu:
        pair = {"api_token": us.api_token, "api_token_secret": us.api_token_secret}
        answer = requests.get(f"{eu.url}/v5/account", params=pair, timeout=10)
        assert (answer.status_code, answer.json()) == (401, WRONG)


def test_a_disabled_users_key_is_dead(own: Sandbox) -> None:
    answer = caller(own, "dora")("account")
    assert (answer.status_code, answer.json()) == (401, DEAD)


def test_users_are_for_administrators(own: Sandbox) -> None:
    answer = caller(own, "ben")("accountuser")
    assert answer.status_code == 401
    assert answer.json() == {"result_ok": False, "code": 401, "message": "Not Authorized"}
    names = [row["username"] for row in caller(own)("accountuser").json()["data"]]
    assert names == ["ada", "ben", "cleo", "dora"]


def test_users_never_carry_keys_or_passwords(own: Sandbox) -> None:
    one = caller(own)("accountuser/2").json()["data"]
    assert (one["id"], one["email"], one["admin"]) == ("2", "ben@example.org", 0)
    assert one["api_key"] is None
    assert one["api_secret"] is None
    assert own.key("ben").secret not in caller(own)("accountuser").text


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Active", ["ada", "ben", "cleo"]), ("Disabled", ["dora"]), ("all", None)],
)
def test_users_are_filtered_by_status(own: Sandbox, value: str, expected: list[str] | None) -> None:
    asked = {
        "filter[field][0]": "status",
        "filter[operator][0]": "=",
        "filter[value][0]": value,
    }
    names = [row["username"] for row in caller(own)("accountuser", **asked).json()["data"]]
    assert names == (expected or ["ada", "ben", "cleo", "dora"])


def test_errors_can_come_with_status_200() -> None:
    with Sandbox(surveys=[small.build()], status_200_errors=True) as box:
        answer = requests.get(f"{box.url}/v5/survey", timeout=10)
        assert (answer.status_code, answer.json()) == (200, DEAD)


def test_the_pair_may_stand_in_a_form_body(own: Sandbox) -> None:
    pair = {"api_token": own.api_token, "api_token_secret": own.api_token_secret}
    answer = requests.post(
        f"{own.url}/v5/account", params={"_method": "GET"}, data=pair, timeout=10
    )
    assert answer.json()["result_ok"] is True


def test_no_log_line_holds_a_secret(own: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caller(own)("nope")
    caller(own)("account")
    requests.get(f"{own.url}/nowhere", params={"api_token_secret": own.api_token_secret}, timeout=5)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("urllib3")]
    assert own.api_token_secret not in "\n".join(ours)
    assert all(own.api_token_secret not in str(one) for one in own.seen)
    assert [one.path for one in own.seen] == ["nope", "account"]
