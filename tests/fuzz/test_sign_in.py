"""Whatever is pasted, typed as an address, or lies in a profile's file."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb import ApiKey, OAuth1
from alchemer_nb.auth import profiles
from alchemer_nb.auth.oauth_flow import _read_token
from alchemer_nb.auth.pasted import find_verifier
from alchemer_nb.errors import AlchemerError
from alchemer_nb.http.credentials import sign
from alchemer_nb.http.regions import Region, is_loopback
from alchemer_nb.http.secrets import Secret
from tests.fuzz.judge import ANY, outcome, soon
from tests.fuzz.mutations import as_bytes, contents, jsons, texts

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4"
VERIFIER = "f00dfacefeedbeef0011"
ADDRESS = f"http://127.0.0.1:9/?oauth_token={TOKEN}&oauth_verifier={VERIFIER}"
PASTED = (
    VERIFIER,
    ADDRESS,
    f"  <{ADDRESS.replace('&', '&amp;')}>\n",
    f"oauth_verifier={VERIFIER}",
    f"https://example.com/cb#oauth_token={TOKEN}&oauth_verifier={VERIFIER}",
    f"http://127.0.0.1:9/?denied={TOKEN}",
    f"Your verifier: {VERIFIER}.",
    f'{{"oauth_token": "{TOKEN}", "oauth_verifier": "{VERIFIER}"}}',
    f"https://x.safelinks.protection.outlook.com/?url={quote(ADDRESS, safe='')}&data=05",
    f"https://urldefense.com/v3/__{ADDRESS}__;!!Kw",
    "https://urldefense.proofpoint.com/v2/url?u=http-3A__x_-3Foauth-5Fverifier-3Dab&d=Dw",
    f"https://x.example.com/?u={base64.b64encode(ADDRESS.encode()).decode()}",
    "https://example.com/cb?oauth_problem=token_expired",
)
REPLIES = (
    f"oauth_token={TOKEN}&oauth_token_secret=abc&xoauth_token_ttl=3600".encode(),
    f'oauth_token={TOKEN}&oauth_token_secret=abc{{"result_ok":true}}'.encode(),
)
KEYS = OAuth1("consumer", "pair", TOKEN, "secret")


@given(pasted=texts(PASTED))
@ANY
def test_any_pasted_text_is_a_verifier_or_an_error_without_it(pasted):
    with soon():
        found = find_verifier(Secret(pasted), Secret(TOKEN))
    if isinstance(found, AlchemerError):
        assert str(found).strip()
        assert VERIFIER not in str(found)
        return
    verifier, _ = found
    request = requests.Request("GET", "http://127.0.0.1:9/").prepare()
    assert "oauth_verifier" in str(outcome(sign, request, KEYS, verifier=verifier).headers)


@given(body=contents(REPLIES))
@ANY
def test_any_reply_to_a_sign_in_is_a_token_or_none(body):
    with soon():
        token = _read_token(body)
    assert token is None or 0 < token.lifetime < 10**9


ADDRESSES = (
    "https://api.alchemer.eu",
    "https://api.example.com:8443/gateway/",
    "http://127.0.0.1:8765",
    "http://[::1]:80",
    "http://localhost",
)
ZONES = ("America/New_York", "UTC", "Etc/GMT+5", "Europe/Berlin")


def custom(address, zone):
    region = Region.custom(address, timezone=zone)
    return region, region.host, region.zone, requests.Request("GET", region.api_url).prepare()


@given(address=texts(ADDRESSES), zone=texts(ZONES, most=2))
@ANY
def test_any_address_is_safe_or_refused(address, zone):
    made = outcome(custom, address, zone)
    if made is None:
        return
    region = made[0]
    parts = urlsplit(region.api_url)
    assert parts.scheme == "https" or is_loopback(parts.hostname)
    assert not parts.username
    assert not parts.query
    again = Region.custom(region.api_url, timezone=region.timezone)
    assert again.api_url == region.api_url


@given(name=texts(["us", "EU", " ca ", "au"]))
@ANY
def test_any_name_is_a_region_or_refused(name):
    region = outcome(Region.get, name)
    assert region is None or region.name in Region.names()


SAVED = (
    (ApiKey("a" * 50, "A9secret"), Region.get("eu")),
    (KEYS, Region.custom("http://127.0.0.1:8765")),
)


@pytest.fixture(scope="module")
def texts_of_profiles(tmp_path_factory):
    """The folder of profiles, and the JSON of valid ones."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home))
        found = []
        for credentials, region in SAVED:
            profiles.save("work", credentials, region)
            found.append((profiles.folder() / "work.json").read_bytes())
        yield profiles.folder(), found


def _load(folder: Path, content: bytes) -> profiles.Profile | None:
    path = folder / "work.json"
    path.write_bytes(content)
    path.chmod(0o600)
    return profiles.load("work")


def _check_profile(folder: Path, content: bytes, kept: list[bytes]) -> None:
    loaded = outcome(_load, folder, content)
    assert profiles.names() == ("work",)
    if loaded is not None:
        for address in dataclasses.astuple(loaded.region)[2:7]:
            outcome(Region.custom, address)
        repr(loaded)
    outcome(_load, folder, kept[0])
    assert profiles.load("work").credentials == SAVED[0][0]  # the next one is read as ever


@given(data=st.data())
@ANY
def test_any_file_of_a_profile_is_read_or_refused(texts_of_profiles, data):
    folder, kept = texts_of_profiles
    seeds = [json.loads(each) for each in kept]
    _check_profile(folder, as_bytes(data.draw(jsons(seeds))), kept)


@given(data=st.data())
@ANY
def test_any_bytes_of_a_profile_are_read_or_refused(texts_of_profiles, data):
    folder, kept = texts_of_profiles
    _check_profile(folder, data.draw(contents(kept)), kept)


@given(name=texts(["work", "eu-work.2", "default"]))
@ANY
def test_any_name_of_a_profile_is_looked_up_or_refused(texts_of_profiles, name):
    outcome(profiles.load, name)
