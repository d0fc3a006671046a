"""Where credentials are looked for, in which order, and what is said of it."""

from __future__ import annotations

import sys
import textwrap

import keyring
import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, OAuth1, Region
from alchemer_nb.auth import lookup, profiles
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from tests.auth.test_profiles import LockedKeyring

pytestmark = pytest.mark.usefixtures("elsewhere")

KEY = ApiKey("CANARYtoken0123456789", "CANARYsecret9876543210")
PAIR = OAuth1("CANARYconsumer0123456", "CANARYconsumersecret")
OF_KEY = {
    "ALCHEMER_API_TOKEN": KEY.api_token.reveal(),
    "ALCHEMER_API_TOKEN_SECRET": KEY.api_token_secret.reveal(),
}
OF_PAIR = {
    "ALCHEMER_CONSUMER_KEY": PAIR.consumer_key.reveal(),
    "ALCHEMER_CONSUMER_SECRET": PAIR.consumer_secret.reveal(),
}
# As https://github.com/googlecolab/colabtools/blob/main/google/colab/userdata.py has it.
USERDATA = """
    class NotebookAccessError(Exception):
        pass

    class SecretNotFoundError(Exception):
        pass

    class TimeoutException(Exception):
        pass

    secrets, refused, asked, silent = {}, set(), [], []

    def get(key):
        asked.append(key)
        if silent:
            raise TimeoutException(key)
        if key in refused:
            raise NotebookAccessError(f"Notebook does not have access to secret {key}")
        if key not in secrets:
            raise SecretNotFoundError(f"Secret {key} does not exist.")
        return secrets[key]
"""


@pytest.fixture
def environment(monkeypatch):
    def fill(*groups, **more):
        for name, value in {k: v for group in (*groups, more) for k, v in group.items()}.items():
            monkeypatch.setenv(name, value)

    return fill


@pytest.fixture
def userdata(tmp_path, monkeypatch):
    """A module in place of Colab's, with secrets that the test fills in."""
    package = tmp_path / "fake" / "google" / "colab"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "userdata.py").write_text(textwrap.dedent(USERDATA))
    names = [name for name in sys.modules if name.split(".")[0] == "google"]
    for name in names:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(package.parents[1]))
    from google.colab import userdata

    yield userdata
    for name in [name for name in sys.modules if name.split(".")[0] == "google"]:
        del sys.modules[name]


class TestMode:
    def test_the_mode_chooses_where_there_are_both(self, environment):
        environment(OF_KEY, OF_PAIR)
        assert al.connect().credentials == KEY
        assert al.connect(mode="key").credentials == KEY
        assert al.connect(mode="oauth").credentials == PAIR

    def test_the_receipt_says_which_and_why(self, environment):
        environment(OF_KEY)
        assert lookup.find_credentials().receipt == "With the API key from the environment."
        environment(OF_PAIR)
        said = {mode: lookup.find_credentials(mode=mode).receipt for mode in (None, "key", "oauth")}
        assert said == {
            None: "With the API key from the environment, which comes before the consumer pair "
            "that is there, too: --mode oauth uses that.",
            "key": "With the API key from the environment, and not the consumer pair that is "
            "there, too, as --mode key asks.",
            "oauth": "With the OAuth consumer pair from the environment, and not the API key that "
            "is there, too, as --mode oauth asks.",
        }

    def test_half_of_what_is_not_asked_for_does_no_harm(self, environment, monkeypatch):
        environment(OF_KEY, OF_PAIR)
        monkeypatch.delenv("ALCHEMER_API_TOKEN_SECRET")
        assert al.connect(mode="oauth").credentials == PAIR
        with pytest.raises(ConfigurationError, match="ALCHEMER_API_TOKEN_SECRET is not") as caught:
            al.connect()
        assert "'oauth'" in caught.value.hint

    def test_a_later_place_has_what_is_asked_for(self, environment):
        environment(OF_KEY)
        with pytest.raises(ConfigurationError, match=r"the environment .*the other mode"):
            al.connect(mode="oauth")
        profiles.save("default", PAIR, Region.get("eu"))
        assert al.connect(mode="oauth").credentials == PAIR
        assert lookup.find_credentials(mode="oauth").looked_at == (
            "the environment (the API key, which is of the other mode)",
            "profile “default” (used)",
        )

    def test_an_unknown_mode_is_refused(self):
        with pytest.raises(InvalidArgument, match="'key' or 'oauth'"):
            al.connect(mode="api_key")


class TestEnvironment:
    @pytest.mark.parametrize("blank", ["", "  ", "\t"])
    def test_empty_variables_are_not_there(self, environment, blank):
        environment(dict.fromkeys((*OF_KEY, *OF_PAIR), blank), ALCHEMER_REGION=blank)
        assert lookup.find_credentials() is None
        environment({"ALCHEMER_API_TOKEN": "CANARYtoken"})
        with pytest.raises(ConfigurationError, match="ALCHEMER_API_TOKEN_SECRET is empty") as told:
            lookup.find_credentials()
        assert "CANARY" not in str(told.value)

    def test_a_value_that_cannot_be_one_is_named_by_its_variable(self, environment):
        for name in (*OF_KEY, *OF_PAIR):
            environment(OF_PAIR, OF_KEY if "API" in name else {}, {name: "CANARY in side"})
            with pytest.raises(ConfigurationError, match=rf"^{name} in the env.*white") as caught:
                lookup.find_credentials(mode="key" if "API" in name else "oauth")
            assert "CANARY" not in str(caught.value)

    def test_what_the_places_hold_is_described_without_a_value(self, environment):
        assert lookup.describe_places() == (
            "Looked at: the environment (nothing there); profiles (none is remembered)."
        )
        environment(OF_KEY)
        profiles.save("work", KEY, Region.get("us"))
        assert lookup.describe_places() == (
            "Looked at: the environment (the API key); profiles (work)."
        )
        environment(ALCHEMER_API_TOKEN_SECRET="")
        keyring.set_keyring(LockedKeyring())
        said = lookup.describe_places()
        assert "ALCHEMER_API_TOKEN_SECRET is empty" in said
        assert "locked" in said
        assert "CANARY" not in said


class TestColab:
    def test_its_secrets_come_after_the_environment_and_before_a_profile(
        self, userdata, environment
    ):
        profiles.save("default", PAIR, Region.get("eu"))
        userdata.secrets.update(OF_KEY, ALCHEMER_REGION="ca")
        found = lookup.find_credentials()
        assert (found.credentials, found.region) == (KEY, Region.get("ca"))
        assert found.receipt == "With the API key from the Colab secrets."
        assert found.looked_at == ("the environment (nothing there)", "the Colab secrets (used)")
        assert al.connect().credentials == KEY
        environment(OF_PAIR)
        assert al.connect().credentials == PAIR

    def test_none_there_is_like_a_place_without_any(self, userdata):
        assert lookup.find_credentials() is None
        assert "ALCHEMER_API_TOKEN" in userdata.asked
        with pytest.raises(ConfigurationError, match="in the environment or among the Colab sec"):
            al.connect()

    def test_refused_access_is_like_a_secret_that_is_not_there(self, userdata):
        userdata.secrets.update(OF_KEY)
        userdata.refused.update(OF_KEY)
        assert lookup.find_credentials() is None
        userdata.refused.remove("ALCHEMER_API_TOKEN")
        with pytest.raises(ConfigurationError, match="ALCHEMER_API_TOKEN_SECRET is not") as caught:
            lookup.find_credentials()
        assert "among the Colab secrets" in str(caught.value)
        assert "lets this notebook read it" in caught.value.hint
        assert "CANARY" not in str(caught.value)

    def test_a_page_that_does_not_answer_is_asked_once(self, userdata):
        userdata.silent.append(True)
        assert lookup.find_credentials() is None
        assert len(userdata.asked) == 1

    def test_each_secret_is_asked_for_once(self, userdata):
        userdata.secrets.update(OF_KEY, **OF_PAIR)
        assert lookup.find_credentials(mode="oauth").credentials == PAIR
        assert sorted(userdata.asked) == sorted(set(userdata.asked))

    def test_a_module_that_fails_is_no_colab(self, userdata, tmp_path):
        for name in ("google.colab.userdata", "google.colab"):
            del sys.modules[name]
        (tmp_path / "fake" / "google" / "colab" / "__init__.py").write_text("1 / 0")
        assert lookup.find_credentials() is None
        assert "Colab" not in lookup.describe_places()
