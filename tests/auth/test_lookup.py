"""Credentials that are found go to the region that they belong to, and to no other."""

from __future__ import annotations

import json

import keyring
import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, OAuth1, Region
from alchemer_nb.auth import profiles
from alchemer_nb.errors import AlchemerError, ConfigurationError, InvalidArgument, TransportError
from tests.auth.test_profiles import MemoryKeyring
from tests.scripted import Reply, ScriptedServer

pytestmark = pytest.mark.usefixtures("elsewhere")

CANARIES = ("CANARYfirst0123456789", "CANARYsecond012345678", "CANARYthird", "CANARYfourth")
KEY = ApiKey(*CANARIES[:2])
KINDS = pytest.mark.parametrize(
    "credentials",
    [KEY, OAuth1(*CANARIES[:2]), OAuth1(*CANARIES)],
    ids=["api_key", "two-legged", "three-legged"],
)


@pytest.fixture
def here():
    """The region that the credentials belong to."""
    with ScriptedServer() as server:
        server.answer("account", {"result_ok": True, "data": {"organization": "Ours"}})
        yield server


@pytest.fixture
def other():
    """A server that stands for another region and writes down what it is sent."""
    with ScriptedServer() as server:
        server.answer("account", {"result_ok": True, "data": {"organization": "Theirs"}})
        yield server


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", CANARIES[0])
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", CANARIES[1])
    return monkeypatch


def refused(other, *named, **asked):
    """What is said when somebody asks for what must not be; nothing has arrived anywhere else."""
    with pytest.raises(ConfigurationError) as caught:
        al.connect(**asked).account()
    told = str(caught.value)
    assert other.asked == []
    assert [name for name in named if name not in told] == []
    assert "CANARY" not in told
    return told


@KINDS
def test_a_profile_is_sent_to_no_other_region(credentials, here, other):
    profiles.save("work", credentials, here.region)
    asked = Region.custom(other.url, name="theirs")
    told = refused(other, here.region.host, other.region.host, profile="work", region=asked)
    assert "work" in told
    assert "theirs" in told


def test_the_default_profile_is_sent_to_no_other_region(here, other):
    profiles.save(profiles.DEFAULT, KEY, here.region)
    refused(other, here.region.host, other.region.host, region=other.region)


def test_a_profile_of_a_known_region_is_not_sent_to_a_server_of_that_name(other):
    profiles.save("work", KEY, Region.get("us"))
    asked = Region.custom(other.url, name="us")
    refused(other, "api.alchemer.com", other.region.host, profile="work", region=asked)


def test_nor_a_profile_of_such_a_server_to_the_known_region(here, other):
    profiles.save("work", KEY, Region.custom(here.url, name="eu"))
    refused(other, here.region.host, "api.alchemer.eu", profile="work", region="eu")


def test_a_name_that_another_server_bears_now_leads_to_the_old_one(here, other):
    profiles.save("work", KEY, Region.custom(here.url, name="gateway"))
    asked = Region.custom(other.url, name="gateway")
    refused(other, here.region.host, other.region.host, profile="work", region=asked)
    al.connect(profile="work").account()
    assert here.asked[0][2]["api_token"] == CANARIES[0]


def test_at_its_own_address_a_profile_takes_the_region_that_was_asked_for(here):
    profiles.save("work", KEY, here.region)
    asked = Region.custom(here.url, timezone="Europe/Berlin", name="ours")
    client = al.connect(profile="work", region=asked)
    assert client.region == asked
    client.account()
    assert here.asked[0][2]["api_token"] == CANARIES[0]


def test_what_the_environment_says_of_the_region_is_not_overruled(environment, other):
    environment.setenv("ALCHEMER_REGION", " US ")
    told = refused(other, "us (api.alchemer.com)", other.region.host, region=other.region)
    assert "ALCHEMER_REGION" in told
    refused(other, "us (api.alchemer.com)", "eu (api.alchemer.eu)", region="eu")
    assert al.connect("us").region == Region.get("us")


def test_where_it_says_nothing_the_asked_region_is_where_its_credentials_belong(environment, here):
    al.connect(region=here.region).account()
    assert here.asked[0][2]["api_token"] == CANARIES[0]
    assert al.connect().region == Region.get("us")


def test_the_environment_does_not_move_a_profile(environment, here):
    environment.setenv("ALCHEMER_REGION", "eu")
    profiles.save("work", KEY, here.region)
    assert al.connect(profile="work").region == here.region
    for name in ("ALCHEMER_API_TOKEN", "ALCHEMER_API_TOKEN_SECRET"):
        environment.delenv(name)
    profiles.save(profiles.DEFAULT, KEY, here.region)
    assert al.connect().region == here.region


def test_a_region_of_the_environment_that_does_not_exist_is_named_with_its_variable(environment):
    environment.setenv("ALCHEMER_REGION", "mars")
    with pytest.raises(ConfigurationError, match=r"ALCHEMER_REGION.*mars.*us, eu, ca, au"):
        al.connect()


def test_an_empty_profile_name_is_not_the_environment(environment):
    with pytest.raises(InvalidArgument, match="profile's name"):
        al.connect(profile="")


@pytest.mark.parametrize("name", ["work", None])
def test_what_was_looked_for_is_said(name):
    profiles.save("home", KEY, Region.get("us"))
    with pytest.raises(ConfigurationError, match=r"there is: home") as caught:
        al.connect(profile=name)
    assert ("ALCHEMER_CONSUMER_KEY" in str(caught.value)) is (name is None)


@pytest.mark.parametrize("place", ["file", "keychain"])
@pytest.mark.parametrize("changed", ["name", "api_url", "both"])
def test_a_profile_whose_region_was_changed_by_hand_is_refused(place, changed, here, other):
    ring = MemoryKeyring()
    if place == "keychain":
        keyring.set_keyring(ring)
    profiles.save("work", KEY, here.region)
    file = profiles.folder() / "work.json"
    text = ring.get_password("alchemer_nb", "work") if place == "keychain" else file.read_text()
    told = json.loads(text)
    if changed in ("name", "both"):
        told["region"]["name"] = "eu"
    if changed in ("api_url", "both"):
        told["region"]["api_url"] = other.url
    text = json.dumps(told)
    if place == "keychain":
        ring.set_password("alchemer_nb", "work", text)
    else:
        file.write_text(text)
    assert "changed" in refused(other, "work", "sign in", profile="work")
    assert here.asked == []
    profiles.save("work", KEY, here.region)
    assert al.connect(profile="work").region == here.region


def test_credentials_of_one_profile_do_not_go_with_the_region_of_another(here, other):
    profiles.save("work", KEY, here.region)
    profiles.save("home", OAuth1(*CANARIES[:2]), other.region)
    work, home = (profiles.folder() / f"{name}.json" for name in ("work", "home"))
    mixed = {**json.loads(work.read_text()), "region": json.loads(home.read_text())["region"]}
    work.write_text(json.dumps(mixed))
    assert "changed" in refused(other, "work", profile="work")


def _addresses_of(other):
    """A body of Alchemer in whose every field somebody has put the other server."""
    away = f"{other.url}/v5/account"
    return {
        "id": 5, "title": "Ours", "link": away, "url": away, "next": away, "file": away,
        "links": {"campaign": away}, "organization": away, "message": away,
    }  # fmt: skip


def test_nothing_that_a_server_sends_leads_a_call_elsewhere(here, other, tmp_path):
    row = _addresses_of(other)
    data = {"result_ok": True, "total_count": 1, "total_pages": 1, "data": [row], **row}
    answer = {"id": 2, "type": "FILE", "answer": f"{other.url}/file?signature=x"}
    responses = {**data, "data": [{**row, "id": "1", "survey_data": {"2": answer}}]}
    pages = {
        "account": {"result_ok": True, "data": {**row, "id": 1}},
        "survey": data,
        "survey/5": {**data, "data": row},
        "survey/5/surveyquestion": {**data, "data": []},
        "survey/5/surveystatistic": data,
        "survey/5/surveyresponse": responses,
    }
    for path, body in pages.items():
        headers = {"Link": f"<{other.url}>; rel=next", "Refresh": f"0;url={other.url}"}
        here.answer(path, Reply(body, headers={**headers, "Content-Location": other.url}))
    client = al.Client(KEY, region=here.region, retries=1, store=tmp_path)
    client.surveys()
    client.statistics(5)
    client.table("survey")
    client.estimate(5)
    frame = client.responses(5, progress="none")
    assert other.url in str(frame.iloc[0].tolist())  # the address of a file is data, no more
    al.Job.start(client, 5).result(30)
    client.sync(5)
    assert other.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_no_redirect_leads_a_call_elsewhere(here, other, method, status):
    here.answer("account", Reply(b"", status, {"Location": f"{other.url}/v5/account"}))
    for credentials in (KEY, OAuth1(*CANARIES)):
        with pytest.raises(TransportError, match="redirected"):
            al.Client(credentials, region=here.region).request(method, "account")
    assert other.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "{}/v5/account",
        "//{}/account",
        "@{}/account",
        "\\\\{}/account",
        "account/../../..//{}",
        "account?x=@{}",
        "account#@{}",
        "account\r\nHost: {}",
        "account HTTP/1.1\r\nHost: {}",
    ],
)
def test_no_path_leads_a_call_elsewhere(here, other, path):
    client = al.Client(KEY, region=here.region, retries=1)
    for target in (other.url, other.url.removeprefix("http://")):
        with pytest.raises(AlchemerError):
            client.request("GET", path.format(target))
    assert other.asked == []
    assert all(headers["host"] == here.region.host for headers in here.asked_headers)


@pytest.mark.parametrize("step", ["request_token", "access_token"])
def test_no_step_of_a_sign_in_leads_elsewhere(here, other, step):
    away = Reply(b"", 302, {"Location": f"{other.url}/head/oauth/{step}"})
    given = b"oauth_token=CANARYgiven12345&oauth_token_secret=CANARYgivensecret"
    here.answer("/head/oauth/request_token", away if step == "request_token" else Reply(given))
    here.answer("/head/oauth/access_token", away)
    flow = al.OAuthFlow(*CANARIES[:2], region=here.region, callback="oob")

    def sign_in():
        flow.start()
        flow.finish("CANARYverifier")

    with pytest.raises(AlchemerError):
        sign_in()
    assert other.asked == []


def test_a_remembered_key_that_is_refused_does_not_blame_the_region(here):
    """It was saved after it had worked there."""
    profiles.save("work", KEY, here.region)
    old = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}
    here.answer("account", Reply(old, 401))
    with pytest.raises(AlchemerError) as caught:
        al.connect(profile="work").account()
    assert "regenerated or removed" in caught.value.sentence
    assert "region" not in caught.value.hint
