"""``login``: what it uses, when it shows the panel, and when it says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keyring
import pytest

from alchemer_nb.auth import profiles
from alchemer_nb.client.client import Client
from alchemer_nb.errors import AuthenticationError, ConfigurationError, InvalidArgument
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.signin.login import login
from alchemer_nb.notebook.signin.panel import LoginPanel
from alchemer_nb.notebook.signin.session import Session, Status
from tests.auth.test_profiles import LockedKeyring
from tests.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    yield session
    if session.panel is not None:
        session.panel.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, box: Sandbox) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ALCHEMER_API_TOKEN", box.api_token)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", box.api_token_secret)
    return monkeypatch


def key_of(box: Sandbox) -> ApiKey:
    return ApiKey(box.api_token, box.api_token_secret)


def panel_of(shown: object) -> LoginPanel:
    assert isinstance(shown, LoginPanel)
    return shown


class TestPanel:
    def test_with_nothing_to_use_the_panel_is_shown(self, session: Session) -> None:
        panel = panel_of(login(session))
        assert panel.shows_form
        assert panel.region.value == Region.get("us")
        assert panel.mode.value == "api_key"

    def test_region_and_mode_are_those_that_were_asked_for(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        panel = panel_of(login(session, region="CA", mode="oauth"))
        assert (panel.region.value.name, panel.mode.value) == ("ca", "oauth1")
        monkeypatch.setenv("ALCHEMER_REGION", "eu")
        assert panel_of(login(session)).region.value.name == "eu"

    def test_the_running_sandbox_is_offered_first(self, session: Session, box: Sandbox) -> None:
        session.box = box
        assert panel_of(login(session)).region.value == box.region

    def test_the_panel_before_is_taken_away(self, session: Session) -> None:
        first = panel_of(login(session))
        second = panel_of(login(session))
        assert first.comm is None
        assert second.comm is not None

    def test_a_region_that_does_not_exist_is_refused(self, session: Session) -> None:
        with pytest.raises(ConfigurationError, match="mars"):
            login(session, region="mars")

    def test_it_never_holds_what_the_environment_holds(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        environment.setenv("ALCHEMER_API_TOKEN_SECRET", "CANARYwrong12345")
        panel = panel_of(login(session, region=box.region))
        shown = "".join(str(part.get_state()) for part in (panel, panel.form, panel.status))
        assert box.api_token not in shown
        assert "CANARY" not in shown


class TestFound:
    def test_the_environment_signs_in_without_a_panel_and_says_so(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        shown = login(session, region=box.region)
        assert isinstance(shown, Status)
        assert "from the environment" in repr(shown)
        assert session.require().client.credentials == key_of(box)

    def test_refused_it_is_said_and_the_panel_is_shown_with_another_try(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        environment.setenv("ALCHEMER_API_TOKEN_SECRET", "wrong")
        panel = panel_of(login(session, region=box.region))
        view = panel.form.view
        assert "from the environment" in view["notice"]
        assert "refused" in view["notice"]
        assert "Copy" not in view["notice"]
        assert view["notice_next"].startswith("Copy both again")
        (again,) = [a["label"] for a in view["actions"] if a["name"] == "use_found"]
        assert again == "Use the credentials from the environment again"
        assert panel.region.value == box.region
        assert "use_found" in [action["name"] for action in panel.form.view["actions"]]

    def test_half_a_pair_is_said_in_the_panel(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALCHEMER_API_TOKEN", "CANARY-half")
        notice = panel_of(login(session)).form.view["notice"]
        assert "ALCHEMER_API_TOKEN_SECRET is not" in notice
        assert "CANARY" not in notice

    def test_credentials_of_the_other_mode_are_left_alone(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        assert panel_of(login(session, region=box.region, mode="oauth")).mode.value == "oauth1"
        assert not session.status().signed_in

    def test_the_default_profile_signs_in(self, session: Session, box: Sandbox) -> None:
        profiles.save(profiles.DEFAULT, key_of(box), box.region)
        assert "profile “default”" in repr(login(session))
        assert session.require().client.region == box.region

    def test_the_default_profile_is_passed_over_for_another_region_and_that_is_said(
        self, session: Session, box: Sandbox
    ) -> None:
        profiles.save(profiles.DEFAULT, key_of(box), box.region)
        panel = panel_of(login(session, region="eu"))
        assert panel.region.value.name == "eu"
        assert box.region.host in panel.form.view["notice"]

    def test_a_profile_by_name_comes_before_the_environment(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        profiles.save("work", OAuth1(box.consumer_key, box.consumer_secret), box.region)
        login(session, profile="work")
        assert session.status().mode == "OAuth"

    def test_a_profile_is_sent_to_no_other_region(self, session: Session, box: Sandbox) -> None:
        profiles.save("work", key_of(box), box.region)
        with pytest.raises(ConfigurationError, match="sent nowhere else"):
            login(session, profile="work", region="eu")

    def test_a_profile_of_the_other_mode_is_told(self, session: Session, box: Sandbox) -> None:
        profiles.save("work", key_of(box), box.region)
        with pytest.raises(ConfigurationError, match="other mode"):
            login(session, profile="work", mode="oauth")

    def test_a_name_that_no_profile_can_have_is_refused(self, session: Session) -> None:
        with pytest.raises(InvalidArgument):
            login(session, profile="../work")

    def test_a_new_profile_name_is_what_the_panel_remembers_by(self, session: Session) -> None:
        panel = panel_of(login(session, profile="new"))
        assert panel.sign_in.profile == "new"
        told = "There is no profile “new” yet: sign in, and tick to remember."
        assert panel.form.view["notice"] == told

    def test_a_name_that_no_profile_has_tells_those_that_there_are(
        self, session: Session, box: Sandbox
    ) -> None:
        for name in ("work", "home"):
            profiles.save(name, key_of(box), box.region)
        panel = panel_of(login(session, profile="wrok"))
        assert "no profile “wrok” yet (there is home, work):" in panel.form.view["notice"]


class TestAnotherRegion:
    """A server that stands for another region is sent nothing that does not belong there."""

    @pytest.fixture
    def other(self) -> Iterator[ScriptedServer]:
        with ScriptedServer() as server:
            yield server

    def test_what_the_environment_says_of_the_region_is_not_overruled(
        self, session: Session, environment: pytest.MonkeyPatch, other: ScriptedServer
    ) -> None:
        environment.setenv("ALCHEMER_REGION", "us")
        panel = panel_of(login(session, region=other.region))
        notice = panel.form.view["notice"]
        for name in ("ALCHEMER_REGION", "us (api.alchemer.com)", other.region.host):
            assert name in notice
        assert "use_found" not in [action["name"] for action in panel.form.view["actions"]]
        assert panel.region.value == other.region
        assert other.asked == []

    def test_what_has_worked_in_one_region_belongs_there(
        self,
        session: Session,
        environment: pytest.MonkeyPatch,
        box: Sandbox,
        other: ScriptedServer,
    ) -> None:
        login(session, region=box.region)
        panel = panel_of(login(session, region=other.region))
        assert box.region.host in panel.form.view["notice"]
        assert panel.region.value == other.region
        assert other.asked == []

    def test_a_profile_named_together_with_another_region(
        self, session: Session, box: Sandbox, other: ScriptedServer
    ) -> None:
        profiles.save("work", key_of(box), box.region)
        with pytest.raises(ConfigurationError, match=box.region.host) as caught:
            login(session, profile="work", region=other.region)
        assert other.region.host in str(caught.value)
        assert other.asked == []

    def test_a_region_that_is_chosen_in_the_panel_is_not_offered_what_was_found(
        self,
        session: Session,
        environment: pytest.MonkeyPatch,
        box: Sandbox,
        other: ScriptedServer,
    ) -> None:
        environment.setenv("ALCHEMER_API_TOKEN_SECRET", "wrong")
        session.box = box
        panel = panel_of(login(session, region=other.region))
        asked = len(other.asked)
        panel.region.value = box.region
        assert "use_found" not in [action["name"] for action in panel.form.view["actions"]]
        before = len(box.seen)
        panel.form._handle_custom_msg(
            {"type": "action", "attempt": panel.form.view["attempt"], "name": "use_found"}, []
        )
        assert len(box.seen) == before
        assert len(other.asked) > asked
        session.box = None


class TestRefusedSince:
    """Credentials that worked were refused since: what takes their place, and where."""

    @pytest.fixture
    def refused(self, session: Session) -> Iterator[ScriptedServer]:
        with ScriptedServer() as server:
            server.answer("account", {"result_ok": True, "data": {"id": 7, "organization": "One"}})
            key = ApiKey("typed-key-0000001", "typed-secret")
            client = Client(key, region=server.region, retries=1)
            session.adopt(client)
            old = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}
            server.answer("account", Reply(old, 401))
            server.answer("survey", Reply(old, 401))
            with pytest.raises(AuthenticationError):
                client.request("GET", "survey")
            server.asked.clear()
            yield server

    def test_what_the_environment_holds_is_not_sent_to_the_region_of_another_key(
        self, session: Session, environment: pytest.MonkeyPatch, refused: ScriptedServer
    ) -> None:
        panel = panel_of(login(session))
        assert refused.asked == []
        assert panel.region.value.api_url == refused.region.api_url
        for said in ("us (api.alchemer.com)", refused.region.host, "login --region us"):
            assert said in panel.form.view["notice"]
        assert panel_of(login(session)).form.view["notice"] == panel.form.view["notice"]
        assert refused.asked == []

    def test_nor_does_a_profile_of_another_region_take_its_place_unasked(
        self, session: Session, box: Sandbox, refused: ScriptedServer
    ) -> None:
        profiles.save("default", key_of(box), box.region)
        before = len(box.seen)
        panel = panel_of(login(session))
        notice = panel.form.view["notice"]
        assert "was asked for" not in notice
        for said in (box.region.host, refused.region.host, "login --profile default"):
            assert said in notice
        assert (len(box.seen), refused.asked) == (before, [])
        assert isinstance(login(session, profile="default"), Status)
        assert session.require().client.region == box.region

    def test_the_region_that_the_environment_names_is_one_that_is_asked_for(
        self, session: Session, environment: pytest.MonkeyPatch, refused: ScriptedServer
    ) -> None:
        environment.setenv("ALCHEMER_REGION", "eu")
        environment.delenv("ALCHEMER_API_TOKEN_SECRET")
        assert panel_of(login(session)).region.value == Region.get("eu")
        assert refused.asked == []

    def test_a_new_key_in_the_environment_goes_where_the_old_one_of_it_worked(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        with ScriptedServer() as server:
            server.answer("account", {"result_ok": True, "data": {"id": 7}})
            login(session, region=server.region)
            server.answer("survey", Reply({"result_ok": False, "code": 401}, 401))
            with pytest.raises(AuthenticationError):
                session.require().client.request("GET", "survey")
            environment.setenv("ALCHEMER_API_TOKEN", "new-key-00000001")
            assert isinstance(login(session), Status)
            assert server.asked[-1][2]["api_token"] == "new-key-00000001"
            assert len(session.names()) == 1


class TestSaid:
    """Why nobody is signed in stands in the panel and, in full, in its text."""

    @pytest.fixture
    def said(self, session: Session) -> Any:
        def said(**given: Any) -> str:
            panel = panel_of(login(session, **given))
            text = str(panel._repr_mimebundle_()["text/plain"])
            assert panel.form.view["notice"] in text
            assert "--prompt" in text
            assert "CANARY" not in text
            return text

        return said

    def test_a_wrong_pair_in_the_environment(
        self, said: Any, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        environment.setenv("ALCHEMER_API_TOKEN_SECRET", "CANARYwrong12345")
        text = said(region=box.region)
        assert "from the environment" in text
        assert "refused" in text

    def test_half_a_pair(self, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALCHEMER_API_TOKEN", "CANARY-half")
        assert "ALCHEMER_API_TOKEN_SECRET is not" in said()

    def test_a_token_without_its_consumer_pair(
        self, said: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALCHEMER_OAUTH_TOKEN", "CANARY-token")
        monkeypatch.setenv("ALCHEMER_OAUTH_TOKEN_SECRET", "CANARY-secret")
        assert "ALCHEMER_CONSUMER_KEY is not" in said()

    def test_a_profile_that_is_not_there(self, said: Any) -> None:
        assert "nosuch" in said(profile="nosuch")

    def test_a_profile_that_cannot_be_read_can_be_replaced(
        self, said: Any, session: Session, box: Sandbox
    ) -> None:
        profiles.save("work", key_of(box), box.region)
        (profiles.folder() / "work.json").write_text("{")
        assert "cannot be read" in said(profile="work")
        assert session.panel is not None
        assert session.panel.sign_in.profile == "work"

    def test_a_locked_keychain(self, said: Any) -> None:
        keyring.set_keyring(LockedKeyring())
        assert "locked" in said()
        assert "locked" in said(profile="work")

    def test_credentials_of_the_other_mode(
        self, said: Any, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        assert "API key" in said(region=box.region, mode="oauth")

    def test_a_server_that_is_not_there(self, said: Any, environment: pytest.MonkeyPatch) -> None:
        with ScriptedServer() as gone:
            region = gone.region
        assert region.host in said(region=region)

    def test_trouble_is_marked_and_a_new_profile_is_none(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert panel_of(login(session, profile="nosuch")).form.view["failed"] is False
        monkeypatch.setenv("ALCHEMER_API_TOKEN", "half")
        assert panel_of(login(session)).form.view["failed"] is True

    def test_with_nothing_to_say_the_text_is_the_panel_s_alone(self, session: Session) -> None:
        assert repr(panel_of(login(session))).startswith("(The sign-in panel.")


class TestSignedInAlready:
    @pytest.fixture(autouse=True)
    def signed_in(self, session: Session, box: Sandbox) -> None:
        session.adopt(Client(key_of(box), region=box.region))

    def test_a_second_login_says_so(self, session: Session) -> None:
        panel = panel_of(login(session))
        assert not panel.shows_form
        assert "Already signed in" in panel.status.value

    def test_the_same_region_and_mode_are_no_other_account(
        self, session: Session, box: Sandbox
    ) -> None:
        assert not panel_of(login(session, region=box.region, mode="key")).shows_form

    @pytest.mark.parametrize("other", [{"region": "eu"}, {"mode": "oauth"}, {"profile": "x"}])
    def test_another_region_mode_or_profile_asks(
        self, session: Session, other: dict[str, str]
    ) -> None:
        panel = panel_of(login(session, **other))  # type: ignore[arg-type]  # one of three
        assert panel.shows_form
        assert "back" in [action["name"] for action in panel.form.view["actions"]]

    def test_credentials_in_use_are_not_used_again_and_no_form_is_shown(
        self, session: Session, box: Sandbox
    ) -> None:
        profiles.save("work", key_of(box), box.region)
        session.adopt(Client(OAuth1(box.consumer_key, box.consumer_secret), region=box.region))
        calls = len(box.seen)
        shown = login(session, profile="work")
        assert "Already signed in with the credentials from profile “work”." in repr(shown)
        assert session.require().client.credentials == key_of(box)
        assert len(box.seen) == calls
        assert len(session.names()) == 2

    def test_at_a_prompt_it_is_a_line(self, session: Session) -> None:
        assert "Already signed in" in repr(login(session, prompt=True))


class TestWait:
    def test_where_nobody_can_press_a_button_it_says_what_to_set(self, session: Session) -> None:
        with pytest.raises(ConfigurationError, match="ALCHEMER_API_TOKEN"):
            login(session, wait=True)
        assert session.panel is None

    def test_where_credentials_work_there_is_nothing_to_wait_for(
        self, session: Session, environment: pytest.MonkeyPatch, box: Sandbox
    ) -> None:
        assert isinstance(login(session, region=box.region, wait=True), Status)
