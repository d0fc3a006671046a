"""Signing in, out and forgetting by command: what is used, what is said, and what stays."""

from __future__ import annotations

import json

import keyring
import pandas as pd
import pytest

from alchemer_nb.auth import profiles
from alchemer_nb.client.client import Client
from alchemer_nb.errors import AuthenticationError, ConfigurationError
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.signin.login import login, require_connection
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import SignIn
from tests.auth.test_profiles import LockedKeyring, MemoryKeyring
from tests.proxies import CERTIFICATES, ScriptedProxy
from tests.scripted import Reply

pytestmark = pytest.mark.usefixtures("elsewhere")

TOKEN, SECRET = "CANARYtoken0123456789", "CANARYsecret9876543210"


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", TOKEN)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", SECRET)
    return monkeypatch


@pytest.fixture
def alchemer(monkeypatch):
    """A server that answers in the place of each region: every call has one account."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "own.pem"))
    with ScriptedProxy("own") as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        yield server


def key_of(box):
    return ApiKey(box.api_token, box.api_token_secret)


@pytest.fixture
def remembered(notebook, box):
    """A notebook that is signed in with the default profile."""
    profiles.save("default", key_of(box), box.region)
    assert notebook.run("%alchemer login").failure is None
    return notebook


class TestEnvironment:
    def test_the_first_command_signs_in_and_says_so_in_one_line(
        self, notebook, environment, alchemer
    ):
        first = notebook.run("df = %alchemer account")
        assert first.failure is None
        assert len(notebook.names["df"]) == 1
        said = " ".join(first.out.split())
        assert said == (
            "Signed in to an account without a name · United States (api.alchemer.com) · API key "
            "…6789. With the API key from the environment."
        )
        assert "Signed in" not in notebook.run("%alchemer account").out
        assert TOKEN.encode() in b"".join(alchemer.received)

    def test_the_region_of_the_settings_counts(self, notebook, environment, alchemer):
        notebook.run("%config AlchemerMagics.region = 'eu'")
        # The certificate of the test is for US, so the call is not made.
        assert "api.alchemer.eu" in notebook.run("%alchemer account").told
        assert b"api.alchemer.com" not in b"".join(alchemer.received)

    def test_after_logout_no_command_but_login_signs_in(self, notebook, environment, alchemer):
        notebook.run("%alchemer account")
        notebook.run("%alchemer logout")
        alchemer.received.clear()
        told = notebook.run("%alchemer account").told
        assert "as you signed out: run %alchemer login" in told
        assert alchemer.received == []
        assert "from the environment" in repr(notebook.run("%alchemer login").out)
        assert notebook.run("%alchemer account").failure is None

    def test_after_logout_of_nobody_nothing_is_sent_either(self, notebook, environment, alchemer):
        assert "Nobody is signed in" in notebook.run("%alchemer logout").out
        assert "as you signed out" in notebook.run("%alchemer account").told
        assert alchemer.received == []

    def test_half_a_pair_fails_by_its_name(self, notebook, environment):
        environment.delenv("ALCHEMER_API_TOKEN_SECRET")
        outcome = notebook.run("%alchemer surveys")
        assert isinstance(outcome.failure, ConfigurationError)
        assert "ALCHEMER_API_TOKEN_SECRET is not" in outcome.told
        assert "above" not in outcome.told
        assert "CANARY" not in outcome.told

    def test_refused_it_is_said_where_the_key_is_from(self, environment, box, capsys):
        session = Session()
        with pytest.raises(AuthenticationError) as caught:
            require_connection(session, box.region)
        assert "The API key is from the environment. " in str(caught.value)
        assert "CANARY" not in str(caught.value) + capsys.readouterr().out
        assert not session.status().signed_in

    def test_where_a_panel_is_open_it_is_above(self, notebook, environment):
        environment.delenv("ALCHEMER_API_TOKEN_SECRET")
        notebook.run("%alchemer login")
        assert "sign in above, then run from here" in notebook.run("%alchemer surveys").told

    def test_what_is_set_after_a_panel_was_shown_is_used(self, notebook, monkeypatch, alchemer):
        notebook.run("%alchemer login")
        monkeypatch.setenv("ALCHEMER_API_TOKEN", TOKEN)
        monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", SECRET)
        assert "from the environment" in notebook.run("%alchemer account").out

    def test_another_sign_in_is_not_replaced(self, notebook, environment, box):
        notebook.names["client"] = Client(key_of(box), region=box.region)
        notebook.run("%alchemer switch client")
        assert notebook.run("%alchemer surveys").failure is None
        assert "a client made in Python" in repr(notebook.run("%alchemer status").value)

    def test_a_remembered_profile_is_named_and_not_used_unasked(self, notebook, box):
        profiles.save("default", key_of(box), box.region)
        told = notebook.run("%alchemer surveys").told
        assert "run %alchemer login, then run from here" in told
        assert "profile “default”, which is remembered" in told

    def test_an_env_file_signs_in_and_its_trouble_fails_the_cell(
        self, notebook, box, tmp_path, monkeypatch, alchemer
    ):
        monkeypatch.chdir(tmp_path)
        assert "does not exist" in notebook.run("%alchemer login --env .env").told
        (tmp_path / ".env").write_text(
            f"ALCHEMER_API_TOKEN={TOKEN}\nALCHEMER_API_TOKEN_SECRET={SECRET}\n"
        )
        shown = notebook.run("%alchemer login --env .env").out
        assert "With the API key from the file .env." in shown
        assert "CANARY" not in shown
        assert "give a profile or" in notebook.run("%alchemer login --env .env --profile x").told


class TestStatus:
    def test_with_nobody_signed_in_it_says_where_it_looked(self, notebook, environment):
        said = repr(notebook.run("%alchemer status").value)
        assert "the environment (the API key)" in said
        assert "profiles (none is remembered)" in said
        assert "CANARY" not in said

    def test_it_says_which_source_was_used_and_what_else_was_looked_at(self, remembered):
        status = remembered.run("%alchemer status").value
        origin = (
            "profile “default”; looked at: the environment (nothing there), profile “default” "
            "(used)"
        )
        assert f"Credentials from {origin}." in repr(status)
        assert origin in status._repr_html_()

    @pytest.mark.parametrize(
        ("made_of", "scope"),
        [
            (key_of, "the user whose API key it is"),
            (
                lambda box: OAuth1(box.consumer_key, box.consumer_secret),
                "the user who registered the application",
            ),
        ],
    )
    def test_it_says_for_whom_calls_are_made(self, box, made_of, scope):
        session = Session()
        session.adopt(Client(made_of(box), region=box.region))
        assert f"Calls are made for {scope}." in repr(session.status())
        assert scope in session.status()._repr_html_()


class TestProfiles:
    def test_they_are_listed_without_a_secret(self, notebook):
        profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("eu"))
        profiles.save(
            "both", OAuth1(TOKEN, SECRET, "CANARYaccess1234567", SECRET), Region.get("us")
        )
        profiles.save("app", OAuth1(TOKEN, SECRET), Region.get("us"))
        (profiles.folder() / "broken.json").write_text('{"mode": "CANARY')
        (profiles.folder() / "broken.json").chmod(0o600)
        outcome = notebook.run("%alchemer profiles")
        told = " ".join(outcome.out.split())
        assert told.count("cannot be used") == 1
        assert "it is not valid JSON. %alchemer forget broken removes it." in told
        frame = outcome.value
        rows = frame.set_index("profile")
        assert rows["region"].to_dict() == {"app": "us", "both": "us", "broken": "", "work": "eu"}
        assert rows["sign_in"].to_dict() == {
            "app": "OAuth consumer pair",
            "both": "OAuth access token",
            "broken": "",
            "work": "API key",
        }
        assert rows.loc["work", "host"] == "api.alchemer.eu"
        assert rows.loc["work", "key"] == "…6789"
        assert "work.json" in rows.loc["work", "kept_in"]
        assert "not valid JSON" in rows.loc["broken", "problem"]
        assert "CANARY" not in frame.to_csv()

    def test_those_of_the_keychain_too(self, notebook):
        keyring.set_keyring(MemoryKeyring())
        profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("eu"))
        row = notebook.run("%alchemer profiles").value.iloc[0]
        assert (row["profile"], row["kept_in"]) == ("work", "keychain")
        assert "problem" not in row
        assert notebook.tab("%alchemer forget w") == ["%alchemer forget work"]
        offered = notebook.tab("%alchemer doctor --profile w")
        assert offered == ["%alchemer doctor --profile work"]
        assert notebook.run("%alchemer forget work").failure is None
        assert profiles.names() == ()

    def test_with_none_it_says_how_to_make_one(self, notebook):
        outcome = notebook.run("%alchemer profiles")
        assert isinstance(outcome.value, pd.DataFrame)
        assert outcome.value.empty
        assert "Nothing is remembered" in outcome.out

    def test_a_locked_keychain_is_an_error_and_loses_no_sign_out(self, notebook, box):
        notebook.names["client"] = Client(key_of(box), region=box.region)
        notebook.run("%alchemer switch client")
        keyring.set_keyring(LockedKeyring())
        assert "locked" in notebook.run("%alchemer profiles").told
        outcome = notebook.run("%alchemer logout")
        assert outcome.failure is None
        assert "locked" in outcome.out
        assert not notebook.magics.session.status().signed_in

    def test_a_locked_keychain_fails_a_logout_that_should_forget(self, remembered):
        keyring.set_keyring(LockedKeyring())
        told = remembered.run("%alchemer logout --forget").told
        assert "a profile may still hold this sign-in" in told
        assert "locked" in told
        assert not remembered.magics.session.status().signed_in

    def test_forget_removes_it_and_says_what_stays(self, remembered):
        out = remembered.run("%alchemer forget default").out
        assert "Profile “default” was removed" in out
        assert "only you can read" in out
        assert "stays" in out
        assert profiles.names() == ()
        assert remembered.run("%alchemer surveys").failure is None

    def test_forget_of_a_name_that_is_not_there_lists_those_that_are(self, notebook, box):
        assert "There is none" in notebook.run("%alchemer forget work").told
        for name in ("home", "work"):
            profiles.save(name, key_of(box), box.region)
        assert "work" in notebook.run("%alchemer forget wrok").told
        assert "There is: home, work" in notebook.run("%alchemer forget xyz").told
        assert profiles.names() == ("home", "work")

    def test_a_broken_one_can_be_forgotten(self, notebook):
        profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
        (profiles.folder() / "work.json").write_text("{")
        assert notebook.run("%alchemer forget work").failure is None
        assert profiles.names() == ()


class TestLogout:
    def test_it_says_which_profile_still_signs_in_and_login_says_so_again(self, remembered):
        out = remembered.run("%alchemer logout").out
        for words in ("Profile “default” still", "%alchemer login uses it", "forget default"):
            assert words in out
        again = remembered.run("%alchemer login").out
        for words in ("With profile “default”, remembered", "%alchemer forget default removes it"):
            assert words in again

    def test_with_forget_the_profile_goes_too(self, remembered, box):
        profiles.save("same", key_of(box), box.region)
        profiles.save("other", ApiKey(TOKEN, SECRET), box.region)
        out = remembered.run("%alchemer logout --forget").out
        assert "Profile “default” was removed" in out
        assert "Profile “same” was removed" in out
        assert profiles.names() == ("other",)
        assert "Nobody is signed in" in remembered.run("%alchemer logout --forget").out

    def test_without_a_profile_there_is_nothing_to_say_of_one(self, notebook, box):
        notebook.names["client"] = Client(key_of(box), region=box.region)
        notebook.run("%alchemer switch client")
        profiles.save("other", ApiKey(TOKEN, SECRET), box.region)
        assert "rofile" not in notebook.run("%alchemer logout --forget").out
        assert profiles.names() == ("other",)


class TestTwoAccounts:
    """Two accounts of one region, both remembered: neither replaces the other unasked."""

    @pytest.fixture
    def account(self, scripted):
        """Says which account the server's keys are of from now on."""

        def account(number):
            scripted.answer("account", {"result_ok": True, "data": {"id": number}})

        return account

    @pytest.fixture
    def remember(self, scripted):
        def remember(token, profile=None):
            sign_in = SignIn(Session(), profile)
            sign_in.use_credentials(ApiKey(token, SECRET), scripted.region, remember=True)
            return sign_in.saved_note

        return remember

    @staticmethod
    def stored():
        entries = profiles.list_profiles()
        return {one.name: one.profile.credentials.api_token.reveal() for one in entries}

    def test_the_second_gets_a_name_of_its_own(self, account, remember):
        account(7)
        assert "as profile “default”" in remember("key-of-account-7")
        account(8)
        note = remember("key-of-account-8")
        assert "as profile “custom”" in note
        assert "%alchemer login --profile custom" in note
        account(9)
        assert "as profile “custom-2”" in remember("key-of-account-9")
        assert self.stored() == {
            "default": "key-of-account-7",
            "custom": "key-of-account-8",
            "custom-2": "key-of-account-9",
        }

    def test_a_new_key_of_an_account_takes_the_place_of_its_old_one(self, account, remember):
        account(7)
        remember("key-of-account-7")
        assert "as profile “default”." in remember("new-key-of-account-7")
        assert self.stored() == {"default": "new-key-of-account-7"}

    def test_a_name_that_was_given_is_taken(self, account, remember):
        account(7)
        remember("key-of-account-7")
        account(8)
        assert "as profile “default”." in remember("key-of-account-8", "default")
        assert self.stored() == {"default": "key-of-account-8"}

    def test_a_refused_profile_is_replaced_by_what_is_typed_then(self, scripted, remember):
        profiles.save("default", ApiKey("old-key-00000001", SECRET), scripted.region)
        old = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}
        scripted.answer("account", Reply(old, 401))
        panel = login(Session())
        assert panel.sign_in.profile == "default"
        panel.close()

    def test_a_profile_without_an_account_is_not_replaced_by_another_key(self, account, remember):
        account(7)
        remember("key-of-account-7")
        path = profiles.folder() / "default.json"
        plain = json.loads(path.read_text())
        del plain["account"], plain["digest"]  # as earlier versions wrote it
        path.write_text(json.dumps(plain))
        assert "as profile “custom”" in remember("key-of-account-8")
        assert set(self.stored()) == {"default", "custom"}


def test_a_region_that_was_only_assumed_is_asked_for_at_the_prompt(
    notebook, environment, alchemer, monkeypatch
):
    alchemer.answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    asked = []

    def answer(question=""):
        asked.append(question)
        raise EOFError

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("getpass.getpass", answer)
    notebook.run("%alchemer login --prompt")
    environment.setenv("ALCHEMER_REGION", "us")
    notebook.run("%alchemer login --prompt")
    assert [question.partition(" [")[0] for question in asked] == ["Region", "Sign in with"]
