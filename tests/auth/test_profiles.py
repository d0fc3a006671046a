"""Kept credentials: where they are kept, who can read them, what an error shows."""

from __future__ import annotations

import json
import os
import stat
import traceback
from pathlib import Path

import keyring
import keyring.backend
import pytest

from alchemer_nb.auth import profiles
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region

TOKEN, SECRET = "CANARYtoken0123456789", "CANARYsecret9876543210"
posix = pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keychain of its own for one test; keyring asks for a class like this."""

    priority = 5

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class LockedKeyring(MemoryKeyring):
    """Refuses everything, and repeats what it was given, as a careless backend might."""

    def get_password(self, service, username):
        raise RuntimeError(f"locked: {TOKEN}")

    def set_password(self, service, username, password):
        raise RuntimeError(f"locked: {password}")


@pytest.fixture(autouse=True)
def no_keychain(tmp_path, monkeypatch):
    """A folder of the test's own and no keychain, whatever this machine has."""
    from keyring.backends import fail

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def keychain(no_keychain):
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    return ring


@pytest.mark.parametrize(
    "credentials",
    [
        ApiKey(TOKEN, SECRET),
        OAuth1(TOKEN, SECRET),
        OAuth1(TOKEN, SECRET, "CANARYaccess", "CANARYaccesssecret"),
    ],
    ids=["api_key", "two-legged", "three-legged"],
)
@pytest.mark.parametrize("place", ["file", "keychain"])
def test_a_profile_comes_back_as_it_was_kept(credentials, place, request):
    if place == "keychain":
        request.getfixturevalue("keychain")
    region = Region.custom("http://127.0.0.1:8765", timezone="Etc/GMT", name="box")
    profiles.save("work", credentials, region)
    kept = profiles.load("work")
    assert kept is not None
    assert (kept.credentials, kept.region) == (credentials, region)
    assert profiles.names() == ("work",)
    assert profiles.delete("work")
    assert profiles.load("work") is None
    assert not profiles.delete("work")
    assert profiles.names() == ()


@posix
def test_file_and_folder_are_for_their_owner_alone_even_with_an_open_umask():
    before = os.umask(0)
    try:
        profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    finally:
        os.umask(before)
    file = profiles.folder() / "work.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["work.json"]


@posix
def test_a_file_that_others_can_read_is_refused():
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    (profiles.folder() / "work.json").chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        profiles.load("work")


@posix
def test_a_pipe_in_place_of_a_file_is_refused():
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    (profiles.folder() / "work.json").unlink()
    os.mkfifo(profiles.folder() / "work.json")
    with pytest.raises(ConfigurationError, match="is not a file"):
        profiles.load("work")


def test_saving_again_replaces():
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    profiles.save("work", ApiKey("another-key", SECRET), Region.get("eu"))
    kept = profiles.load("work")
    assert kept is not None
    assert (kept.credentials, kept.region.name) == (ApiKey("another-key", SECRET), "eu")


def test_nothing_is_written_to_a_file_where_there_is_a_keychain(keychain):
    assert "keychain" in profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    assert keychain.kept
    assert not profiles.folder().exists()


def test_the_place_of_the_file_is_said():
    where = profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    assert "only you can read" in where
    assert Path(profiles.folder()).name in where


def test_nothing_is_kept_on_binder(monkeypatch):
    monkeypatch.setenv("BINDER_SERVICE_HOST", "hub.example")
    with pytest.raises(ConfigurationError, match="someone else's machine"):
        profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    assert not profiles.folder().exists()


@pytest.mark.parametrize("name", ["", "../work", "a/b", ".hidden", "a b", "*profiles*", "x" * 65])
def test_a_name_that_could_lead_elsewhere_is_refused(name):
    with pytest.raises(InvalidArgument):
        profiles.load(name)


@pytest.mark.parametrize("text", ["", "{", '{"mode": "api_key"}', f'["{TOKEN}"]', '{"mode": 1}'])
def test_a_damaged_file_gives_one_clear_error_without_its_content(text):
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    (profiles.folder() / "work.json").write_text(text)
    if not text:
        assert profiles.load("work") is None
        return
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        profiles.load("work")
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_profile_of_an_earlier_version_opens_where_its_region_is_the_one_it_names():
    """It had no digest."""
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("eu"))
    path = profiles.folder() / "work.json"
    earlier = {
        name: part for name, part in json.loads(path.read_text()).items() if name != "digest"
    }
    path.write_text(json.dumps(earlier))
    found = profiles.load("work")
    assert found.credentials == ApiKey(TOKEN, SECRET)
    assert found.region == Region.get("eu")
    earlier["region"]["timezone"] = "Europe/Berlin"
    path.write_text(json.dumps(earlier))
    assert profiles.load("work").region == Region.get("eu", timezone="Europe/Berlin")
    earlier["region"]["name"] = "us"
    path.write_text(json.dumps(earlier))
    with pytest.raises(ConfigurationError, match="remember"):
        profiles.load("work")


EDITS = {
    "a part that is no text": lambda plain: plain["credentials"].update(api_token=[TOKEN]),
    "a part that is missing": lambda plain: plain["credentials"].pop("api_token"),
    "a part that is empty": lambda plain: plain["credentials"].update(api_token=""),
    "a part that is not known": lambda plain: plain["credentials"].update(more=TOKEN),
    "credentials that are a text": lambda plain: plain.update(credentials=TOKEN),
    "a mode that is not known": lambda plain: plain.update(mode="CANARYmode"),
    "a mode that is a list": lambda plain: plain.update(mode=[TOKEN]),
    "a region that is a name": lambda plain: plain.update(region="CANARYmars"),
    "a region that is not known": lambda plain: plain["region"].update(name="mars"),
    "an address that is a number": lambda plain: plain["region"].update(api_url=5),
    "an address of another": lambda plain: plain["region"].update(api_url="https://x.example"),
    "a label that is a number": lambda plain: plain["region"].update(label=5),
    "a zone that is not known": lambda plain: plain["region"].update(timezone="CANARYmoon"),
    "a region with more": lambda plain: plain["region"].update(more=TOKEN),
    "an account that is a list": lambda plain: plain.update(account=[TOKEN]),
    "a digest that is a list": lambda plain: plain.update(digest=[TOKEN]),
    "more than was stored": lambda plain: plain.update(more=TOKEN),
}


@pytest.mark.parametrize("has_digest", [True, False])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_file_is_not_used_unless_nothing_of_use_was_edited(edit, has_digest):
    region = Region.get("us")
    profiles.save("work", ApiKey(TOKEN, SECRET), region)
    path = profiles.folder() / "work.json"
    plain = json.loads(path.read_text())
    if not has_digest:  # as in an early profile
        del plain["digest"]
    edit(plain)
    text = json.dumps(plain)
    path.write_text(text)
    (entry,) = profiles.list_profiles()
    assert "CANARY" not in repr(entry)
    if entry.profile is not None:
        assert not has_digest
        assert entry.profile.credentials == ApiKey(TOKEN, SECRET)
        assert entry.profile.region.api_url == region.api_url
    else:
        with pytest.raises(ConfigurationError, match=r"'work', .*work\.json") as caught:
            profiles.load("work")
        assert entry.problem == caught.value.sentence
        assert "%alchemer forget work removes it" in caught.value.hint
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        locals_of_ours = [frame.locals for frame in report.stack[1:]]
        assert "CANARY" not in f"{caught.value} {locals_of_ours}"
    assert path.read_text() == text  # nothing is lost


def test_a_locked_keychain_gives_an_error_that_repeats_nothing():
    keyring.set_keyring(LockedKeyring())
    for call in (
        lambda: profiles.load("work"),
        lambda: profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us")),
    ):
        with pytest.raises(ConfigurationError, match="locked") as caught:
            call()
        chain = [caught.value, caught.value.__cause__, caught.value.__context__]
        assert not any("CANARY" in str(error) for error in chain)


def test_a_profile_never_shows_its_secrets():
    profiles.save("work", ApiKey(TOKEN, SECRET), Region.get("us"))
    assert "CANARY" not in repr(profiles.load("work"))


def test_what_a_killed_process_left_of_a_profile_goes_with_the_next_change():
    folder = profiles.folder()
    profiles.save("mine", ApiKey(TOKEN, SECRET), Region.get("eu"))
    names = (".mine-0123456789ab.json", ".other-ba9876543210.json", ".mine-0123456789cd.json")
    own = (".mine.json", "notes-0123456789ab.json", ".mine-0123456789ab.txt")
    for name in (*names, *own):
        (folder / name).write_text(SECRET)
        os.utime(folder / name, (0, 0))
    os.utime(folder / names[2])  # another process is writing it
    assert profiles.delete("mine")
    assert {path.name for path in folder.iterdir()} == {names[2], *own}


def test_a_file_of_before_there_was_a_keychain_is_replaced():
    profiles.save("mine", ApiKey(TOKEN, SECRET), Region.get("eu"))
    keyring.set_keyring(MemoryKeyring())
    profiles.save("mine", ApiKey("CANARYnewer0123456789", SECRET), Region.get("eu"))
    assert [*profiles.folder().iterdir()] == []
    assert profiles.load("mine").credentials.masked == "…6789"


class EndingKeyring(MemoryKeyring):
    """Ends, as its process does, at the second thing that it is told to keep or delete."""

    def __init__(self):
        super().__init__()
        self.left = 99

    def set_password(self, service, username, password):
        self._count()
        super().set_password(service, username, password)

    def delete_password(self, service, username):
        self._count()
        super().delete_password(service, username)

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_no_profile_in_the_keychain_is_hidden_or_stays_by_an_interrupt():
    ring = EndingKeyring()
    keyring.set_keyring(ring)
    for kept in (0, 1):  # of a profile and the list of their names
        ring.left = kept
        with pytest.raises(KeyboardInterrupt):
            profiles.save("mine", ApiKey(TOKEN, SECRET), Region.get("eu"))
        assert ("mine" in profiles.names()) or SECRET not in str(ring.kept)
    ring.left = 99
    profiles.save("mine", ApiKey(TOKEN, SECRET), Region.get("eu"))
    ring.left = 1
    with pytest.raises(KeyboardInterrupt):
        profiles.delete("mine")
    ring.left = 99
    assert profiles.names() == ("mine",)
    assert profiles.delete("mine")
    assert profiles.names() == ()
    assert not profiles.delete("mine")
