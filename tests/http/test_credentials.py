"""Secrets, credentials and regions: what they take, refuse and never show."""

from __future__ import annotations

import copy
import json
import os
import pickle
from functools import partial
from html.entities import html5
from urllib.parse import urlsplit

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb import ApiKey, Client, OAuth1, OAuthFlow, Region
from alchemer_nb.auth.lookup import find_without_profiles
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.http.secrets import Secret, mask_secrets

TOKEN, SECRET = "0123456789abcdef0123456789abcdef", "A9secretpart"


def test_a_secret_never_shows_itself():
    secret = Secret(TOKEN)
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret}",
        repr([secret]),
    ):
        assert TOKEN not in shown
        assert TOKEN[:6] not in shown
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        secret + "x"
    assert copy.deepcopy(secret) is secret
    assert secret.reveal() == TOKEN
    assert not hasattr(secret, "__dict__")
    assert secret.tail == "…cdef"
    assert Secret("short").tail == "••••"


def test_a_secret_is_in_no_attribute_that_an_inspector_lists():
    secret = Secret("canary-value-0123456789")
    listed = {name: getattr(secret, name) for name in dir(secret)}
    assert "canary-value" not in repr(listed)
    with pytest.raises(TypeError, match="not pickled"):
        secret.__getstate__()


def test_secrets_compare_without_showing():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


@given(st.text(min_size=6), st.text())
def test_redact_leaves_no_trace(secret, around):
    from urllib.parse import quote, quote_plus

    text = f"{around}{secret}|{quote(secret, safe='')}|{quote_plus(secret)}"
    cleaned = mask_secrets(text, [Secret(secret)])
    if secret not in "••••" and not any(secret in part for part in (around,)):
        assert secret not in cleaned.replace("••••", "")


def test_redact_takes_secrets_in_any_order_and_where_they_overlap():
    short, long = Secret("abcd1234"), Secret("abcd1234EFGH")
    text = "<abcd1234EFGH> <abcd1234> <xabcd1234EFG>"
    for secrets in ([short, long], [long, short]):
        assert mask_secrets(text, secrets) == "<••••> <••••> <x••••EFG>"
    assert mask_secrets("<abcdefgh>", [Secret("abcdef"), Secret("efgh")]) == "<••••>"
    assert mask_secrets("<ababab>", [Secret("abab")]) == "<••••>"


def _html_form(letter):
    names = (name for name, text in html5.items() if text == letter and name.endswith(";"))
    return f"&{next(names, f'#{ord(letter)};')}"


@pytest.mark.parametrize("secret", ["a/b+c&d=e%f", 'quo"te\\back', "<it's>", "mätä漢😀xx"])
def test_redact_knows_what_addresses_json_and_html_make_of_a_secret(secret):
    from html import escape
    from urllib.parse import quote, quote_plus

    once = quote(secret, safe="")
    written = [
        secret,
        once,
        once.lower(),
        quote(secret),
        quote_plus(secret),
        quote(once, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        escape(secret),
        "".join(f"%{byte:02{'xX'[n % 2]}}" for n, byte in enumerate(secret.encode())),
        "".join(f"&#{ord(letter)};" for letter in secret),
        "".join(f"&#x{ord(letter):X};" for letter in secret),
        "".join(_html_form(letter) for letter in secret),
    ]
    for form in written:
        assert mask_secrets(f"<{form}>", [Secret("other"), Secret(secret)]) == "<••••>"


@pytest.mark.parametrize(
    "text",
    [
        f"{TOKEN} {SECRET}",
        f"  {TOKEN}\n{SECRET}\n",
        f"{TOKEN},{SECRET}",
        f'"{TOKEN}" "{SECRET}"',
        f"https://api.alchemer.com/v5/survey?api_token={TOKEN}&api_token_secret={SECRET}",
        f"https://api.alchemer.com/v5/survey?api_token_secret={SECRET}&amp;api_token={TOKEN}&page=1",
        f"api_token={TOKEN}\napi_token_secret={SECRET}",
        f"export ALCHEMER_API_TOKEN={TOKEN}\nexport ALCHEMER_API_TOKEN_SECRET='{SECRET}'",
        f"API Key: {TOKEN} API Secret Key: {SECRET}",
        f"Your API key: {TOKEN}\nYour API secret key: {SECRET}",
        f"{TOKEN} / {SECRET}",
        f"key={TOKEN}; secret={SECRET}",
        f'{{"api_token": "{TOKEN}", "api_token_secret": "{SECRET}"}}',
        f"https://api.alchemer.com/v5/survey?api_token={TOKEN}&api_token_secret={SECRET}.",
        f"https%3A%2F%2Fapi.alchemer.com%3Fapi_token%3D{TOKEN}%26api_token_secret%3D{SECRET}",
        f"https%253A%252F%252Fx%253Fapi_token%253D{TOKEN}%2526api_token_secret%253D{SECRET}",
    ],
)
def test_both_parts_of_a_key_from_one_text(text):
    assert ApiKey.parse(text) == ApiKey(TOKEN, SECRET)


@pytest.mark.parametrize("text", ["", TOKEN, f"{TOKEN} {SECRET} more", "https://example.org/?a=b"])
def test_a_text_without_both_parts_is_refused_and_not_repeated(text):
    with pytest.raises(InvalidArgument) as caught:
        ApiKey.parse(text)
    assert TOKEN not in str(caught.value)


def test_white_space_around_is_dropped_and_inside_refused():
    assert ApiKey(f" {TOKEN}\n", f"\t{SECRET} ") == ApiKey(TOKEN, SECRET)
    for bad in ("", "   ", None, 7):
        with pytest.raises(ConfigurationError, match="API key is empty"):
            ApiKey(bad, SECRET)
    with pytest.raises(ConfigurationError, match="white space") as caught:
        ApiKey(f"{TOKEN} {SECRET}", SECRET)
    assert TOKEN not in str(caught.value)


def test_a_key_goes_into_the_query_beside_what_is_there():
    request = requests.Request("GET", "https://api.alchemer.com/v5/survey", params={"page": 2})
    prepared = request.prepare()
    signed = ApiKey("to&ken", "se=cret")(prepared)
    assert signed.url.endswith("?page=2&api_token=to%26ken&api_token_secret=se%3Dcret")


@pytest.mark.parametrize("token", [None, ("tok", "toksecret")])
def test_oauth_signs_in_the_header_with_hmac_sha1(token):
    credentials = OAuth1(TOKEN, SECRET, *(token or ()))
    request = requests.Request("GET", "https://api.alchemer.com/v5/survey", params={"page": 2})
    signed = credentials(request.prepare())
    header = signed.headers["Authorization"]
    assert isinstance(header, str)
    assert header.startswith("OAuth ")
    assert 'oauth_signature_method="HMAC-SHA1"' in header
    assert 'oauth_version="1.0"' in header
    assert ("oauth_token=" in header) is (token is not None)
    assert SECRET not in header
    assert signed.url == "https://api.alchemer.com/v5/survey?page=2"


def test_half_a_token_is_refused():
    with pytest.raises(ConfigurationError, match="token_secret is missing"):
        OAuth1(TOKEN, SECRET, token="x")
    with pytest.raises(ConfigurationError, match="token is missing"):
        OAuth1(TOKEN, SECRET, token_secret="x")


@pytest.mark.parametrize(
    "credentials", [ApiKey(TOKEN, SECRET), OAuth1(TOKEN, SECRET, TOKEN, SECRET)]
)
def test_credentials_never_show_themselves(credentials):
    for shown in (repr(credentials), str(credentials), repr(vars(credentials))):
        assert TOKEN not in shown
        assert SECRET not in shown
    assert credentials.masked == "…cdef"
    for held in (credentials, Client(credentials), Client(credentials).survey):
        with pytest.raises(
            TypeError, match=r"make the client in each process, as with al\.connect"
        ):
            pickle.dumps(held)


@pytest.mark.parametrize("kind", [ApiKey, OAuth1, OAuthFlow, Client])
def test_a_half_made_one_shows_itself_too(kind):
    half = kind.__new__(kind)
    for shown in (repr(half), str(half), f"{half}"):
        assert kind.__name__ in shown
    if kind in (ApiKey, OAuth1):
        assert half == kind.__new__(kind)
        assert half.masked == "••••"


@pytest.mark.parametrize(
    "make",
    [
        lambda odd: ApiKey(odd, SECRET),
        lambda odd: ApiKey(TOKEN, odd),
        lambda odd: ApiKey.parse(f"{odd} {SECRET}"),
        lambda odd: ApiKey.parse(f"api_token={odd}&api_token_secret={SECRET}"),
        lambda odd: OAuth1(odd, SECRET),
        lambda odd: OAuth1(TOKEN, SECRET, odd, SECRET),
        lambda odd: OAuthFlow(TOKEN, odd),
    ],
)
@pytest.mark.parametrize("odd", ["\ud800", "\x00", "\x1b[2J", "\u202e"], ids=ascii)
def test_a_letter_that_cannot_be_sent_is_refused_and_not_repeated(make, odd):
    with pytest.raises(ConfigurationError) as caught:
        make(f"CANARY{odd}0123456789")
    error = caught.value
    assert "CANARY" not in f"{error.args} {error.hint}"
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.fixture
def read_environment(monkeypatch):
    def read(variables):
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", variables)
            found = find_without_profiles()
            return found and found.credentials

    return read


def test_the_environment_in_both_modes(read_environment):
    assert read_environment({}) is None
    key = {"ALCHEMER_API_TOKEN": TOKEN, "ALCHEMER_API_TOKEN_SECRET": SECRET}
    assert read_environment(key) == ApiKey(TOKEN, SECRET)
    assert read_environment({"ALCHEMER_API_TOKEN": TOKEN, "ALCHEMER_API_SECRET": SECRET}) == ApiKey(
        TOKEN, SECRET
    )
    pair = {"ALCHEMER_CONSUMER_KEY": "ck", "ALCHEMER_CONSUMER_SECRET": "cs"}
    assert read_environment(pair) == OAuth1("ck", "cs")
    token = {"ALCHEMER_OAUTH_TOKEN": "t", "ALCHEMER_OAUTH_TOKEN_SECRET": "ts"}
    assert read_environment({**pair, **token}) == OAuth1("ck", "cs", "t", "ts")
    assert isinstance(read_environment({**pair, **key}), ApiKey)


@pytest.mark.parametrize(
    ("half", "missing"),
    [
        ({"ALCHEMER_API_TOKEN": TOKEN}, "ALCHEMER_API_TOKEN_SECRET"),
        ({"ALCHEMER_CONSUMER_KEY": TOKEN}, "ALCHEMER_CONSUMER_SECRET"),
        (
            {"ALCHEMER_OAUTH_TOKEN": "a", "ALCHEMER_OAUTH_TOKEN_SECRET": "b"},
            "ALCHEMER_CONSUMER_KEY",
        ),
    ],
)
def test_half_an_environment_names_what_is_missing(read_environment, half, missing):
    with pytest.raises(ConfigurationError, match=missing) as caught:
        read_environment(half)
    assert TOKEN not in str(caught.value)


def test_connect_reads_the_environment(box, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", box.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", box.api_token_secret)
    assert len(al.connect(region=box.region).account()) == 1
    monkeypatch.setenv("ALCHEMER_REGION", "EU")
    assert al.connect().region.name == "eu"
    assert al.connect("EU").region.name == "eu"


def test_connect_says_what_it_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"ALCHEMER_API_TOKEN.*%alchemer login"):
        al.connect()
    with pytest.raises(ConfigurationError, match="no profile is called 'work'"):
        al.connect(profile="work")


# -- regions -------------------------------------------------------------------------------------


def test_the_four_regions():
    hosts = {name: (Region.get(name).api_url, Region.get(name).app_url) for name in Region.names()}
    assert hosts == {
        "us": ("https://api.alchemer.com", "https://app.alchemer.com"),
        "eu": ("https://api.alchemer.eu", "https://app.alchemer.eu"),
        "ca": ("https://api.alchemer-ca.com", "https://app.alchemer-ca.com"),
        "au": ("https://app.au.alchemer.com", "https://app.au.alchemer.com"),
    }
    us = Region.get("US")
    assert us.request_token_url == "https://api.alchemer.com/head/oauth/request_token"
    assert us.authenticate_url == "https://api.alchemer.com/head/oauth/authenticate"
    assert us.access_token_url == "https://api.alchemer.com/head/oauth/access_token"
    assert us.register_url == "https://app.alchemer.com/account/restful-register"
    assert us.timezone == "America/New_York"
    assert not Region.get("au").zone_documented


def test_every_address_can_be_replaced():
    legacy = Region.get(
        "us",
        request_token_url="https://restapi.surveygizmo.com/head/oauth/request_token",
        timezone="America/Denver",
    )
    assert legacy.request_token_url.startswith("https://restapi.surveygizmo.com/")
    assert legacy.api_url == "https://api.alchemer.com"
    assert legacy.timezone == "America/Denver"
    moved = Region.get(legacy, api_url="https://gateway.example.org/alchemer/")
    assert moved.api_url == "https://gateway.example.org/alchemer"
    assert moved.access_token_url == "https://gateway.example.org/alchemer/head/oauth/access_token"
    assert moved.timezone == "America/Denver"
    with pytest.raises(ConfigurationError, match="no such address"):
        Region.get("us", ap_url="https://x.example")


def test_a_region_of_ones_own():
    own = Region.custom(
        "https://api.example.org", "https://app.example.org", "Asia/Tokyo", name="jp"
    )
    assert (own.name, own.host, own.app_host) == ("jp", "api.example.org", "app.example.org")
    assert own.register_url == "https://app.example.org/account/restful-register"
    assert Region.custom("http://localhost:8765").host == "localhost:8765"
    assert Region.custom("http://[::1]:8765").host == "[::1]:8765"


@pytest.mark.parametrize(
    "address",
    [
        "http://api.alchemer.com",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "http://localhost.evil.example",
        "ftp://api.alchemer.com",
        "api.alchemer.com",
        "https://user:pass@api.alchemer.com",
        "https://api.alchemer.com?api_token=x",
        "https://api.alchemer.com:port",
        "https://",
        "",
    ],
)
def test_an_address_that_would_be_unsafe_is_refused(address):
    for name in ("api_url", "app_url", "request_token_url", "authenticate_url", "register_url"):
        with pytest.raises(ConfigurationError, match=name):
            Region.get("us", **{name: address or "x"})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example\\.alchemer.com",
        "evil.example%2f.alchemer.com",
        "evil.example%00.alchemer.com",
        "evil.example;.alchemer.com",
        "evil.example .alchemer.com",
        "evil.example|alchemer.com",
        "*.alchemer.com",
        "api.alche\tmer.com",
        "api.alche\nmer.com",
        "api.alchemer.com\x00",
        "\u0430pi.alchemer.com",  # a Cyrillic letter
        "api\u3002alchemer\u3002com",
        "api\u00ad.alchemer.com",
        "api.alchemer.com\u202e",
        "\ud800.com",
        "api.alchemer.com.",
        "api..alchemer.com",
        "-api.alchemer.com",
        f"{'a' * 64}.com",
        "api.alchemer.com:0",
        "api.alchemer.com:65536",
        "api.alchemer.com:",
        "api.alchemer.com:+443",
        "api.alchemer.com:\uff14\uff14\uff13",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1",
        "127.1",
        "2130706433",
        "api.alchemer.com/a/../b",
        "api.alchemer.com/a\\b",
    ],
    ids=ascii,
)
def test_a_host_that_parsers_read_in_two_ways_is_refused(host):
    with pytest.raises(ConfigurationError) as caught:
        Region.custom(f"https://{host}")
    assert "evil" not in str(caught.value)


HOSTS = st.from_regex(r"[\w.%:@\\/#?;\[\] -]{1,20}", fullmatch=True)


@given(st.sampled_from(["https://", "http://", "HTTPS://"]), HOSTS)
def test_the_host_that_is_shown_is_the_one_that_is_asked(scheme, rest):
    try:
        region = Region.custom(scheme + rest)
    except ConfigurationError:
        return
    asked = urllib3.util.parse_url(requests.Request("GET", region.api_url).prepare().url)
    assert region.host == asked.netloc
    assert urlsplit(region.api_url).netloc == asked.netloc


def test_the_host_beside_the_boxes_is_the_one_that_gets_the_key():
    assert Region.get("eu").shown_host == "app.alchemer.eu"
    far = Region.custom("https://api.example.org", "https://app.alchemer.eu", label="Europe")
    assert far.shown_host == "api.example.org"


# A name with very many parts is too deep for Python, one with a very long part for the disk.
@pytest.mark.parametrize("zone", ["Mars/Olympus", "a/" * 3000 + "a", "a" * 70_000, "", 5],
                         ids=["unknown", "deep", "long", "empty", "number"])  # fmt: skip
def test_a_zone_must_exist(zone):
    for build in (partial(Region.custom, "https://x.example"), partial(Region.get, "eu")):
        with pytest.raises(ConfigurationError, match=r"^no time zone is called .{2,42}; give an"):
            build(timezone=zone)
    with pytest.raises(ConfigurationError, match="no time zone is called 'None'; give an"):
        Region.get("eu", timezone=None)


def test_a_zone_that_nobody_gave_is_known_to_be_a_guess():
    assumed = Region.custom("https://x.example")
    assert (assumed.timezone, assumed.zone_documented) == ("UTC", False)
    assert Region.custom("https://x.example", timezone="UTC").zone_documented
    for region in (assumed, "au"):
        given = Region.get(region, timezone="Australia/Sydney")
        assert (given.timezone, given.zone_documented) == ("Australia/Sydney", True)


def test_a_long_host_is_shortened_in_the_error():
    with pytest.raises(ConfigurationError, match=r"plain http to (a\.){40}: ") as caught:
        Region.custom(f"http://{'a.' * 120}example")
    assert len(str(caught.value)) < 350


def test_the_variable_that_is_set_is_named(read_environment):
    with pytest.raises(ConfigurationError, match=r"^ALCHEMER_API_SECRET is set .*API_TOKEN is not"):
        read_environment({"ALCHEMER_API_SECRET": SECRET})
