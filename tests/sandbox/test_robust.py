"""Nothing that a caller sends makes the sandbox fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.person import Person

if TYPE_CHECKING:
    from alchemer_nb.sandbox import Sandbox

words = st.sampled_from(
    [
        "survey",
        "surveyquestion",
        "surveyresponse",
        "surveyoption",
        "surveypage",
        "surveycampaign",
        "account",
        "accountuser",
        "accountteams",
        "quotas",
        "7",
        "2",
        "1",
        "10001",
        "99",
        "0",
        "-1",
        "²",
        "x",
        "99999999999999999999",
        "%00",
        ".json",
    ]
) | st.text(max_size=6)
paths = st.lists(words, max_size=5).map("/".join)
names = st.sampled_from(
    [
        "page",
        "resultsperpage",
        "order_by",
        "_method",
        "metaonly",
        "altfilter",
        "filter[field][0]",
        "filter[value][0]",
        "filter[operator][0]",
        "filter[field][1]",
        "data[2][value]",
        "data[5][6]",
        "data[²]",
        "data",
        "data[4][10004]",
        "data[11][value]",
        "data[9][10008]",
        "status",
        "[x]",
        "a[b",
        "oauth_token",
    ]
)
values = st.sampled_from(
    [
        "[question(2)]",
        "[question(5)]",
        '[url("x")]',
        '[url(""")]',
        "date_submitted",
        "status",
        "=",
        "in",
        "PUT",
        "POST",
        "DELETE",
        "IS_NULL",
        "1",
        "-1",
        "1e9",
        "99999999999999999999999",
        "2026-02-30",
        "9999-12-31",
        "0001-01-01",
        "'",
    ]
) | st.text(max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=paths, params=st.dictionaries(names, values, max_size=5), as_form=st.booleans())
def test_any_call_gets_an_envelope(
    shared: Sandbox, path: str, params: dict[str, str], as_form: bool
) -> None:
    pair = {"api_token": shared.api_token, "api_token_secret": shared.api_token_secret}
    address = f"{shared.url}/v5/{requests.utils.quote(path)}"
    answer = requests.request(
        "POST" if as_form else "GET",
        address,
        params=pair if as_form else params | pair,
        data=params if as_form else None,
        timeout=10,
    )
    assert answer.status_code != 500, answer.text
    assert answer.json()["result_ok"] is (answer.status_code == 200)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{broken"),
        ("application/json", b"[1, 2]"),
        ("application/json", b'{"data": {"2": {"value": [1]}}, "status": {}}'),
        ("application/json", b'{"data": []}'),
        ("application/json", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"\xff=%ff&data%5B2=1"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("", b"data"),
    ],
)
def test_any_body_gets_an_envelope(own: Sandbox, kind: str, body: bytes) -> None:
    pair = {"api_token": own.api_token, "api_token_secret": own.api_token_secret}
    answer = requests.put(
        f"{own.url}/v5/survey/7/surveyresponse",
        params=pair,
        data=body,
        headers={"Content-Type": kind},
        timeout=10,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


@pytest.mark.parametrize(
    "header",
    [
        "OAuth ",
        "OAuth x",
        'OAuth oauth_token="a", oauth_token="b"',
        'OAuth oauth_consumer_key="a", oauth_nonce="b", oauth_timestamp="c", oauth_signature="d", '
        'oauth_signature_method="HMAC-SHA1"',
        'OAuth oauth_consumer_key="é"',
        "oauth oauth_consumer_key=%zz",
    ],
)
@pytest.mark.parametrize(
    "path", ["v5/account", "head/oauth/request_token", "head/oauth/access_token"]
)
def test_any_signature_gets_a_refusal(own: Sandbox, header: str, path: str) -> None:
    answer = requests.get(
        f"{own.url}/{path}", headers={"Authorization": header.encode()}, timeout=10
    )
    assert (answer.status_code, answer.json()["code"]) == (401, 401)


@pytest.mark.parametrize(
    "path",
    [
        "security/api-access?made=%C2%B2",
        "login?next=%FF",
        "head/oauth/authenticate?oauth_token=%FF",
    ],
)
def test_any_query_gets_a_page(own: Sandbox, path: str) -> None:
    person = Person(own.url)
    person.log_in("ada")
    assert "Larkmoor Outdoor" in person.open(f"/{path}").text
    assert person.answer is not None
    assert person.answer.status_code in (200, 400)
