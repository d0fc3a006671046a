"""What is read from an ``.env`` file, and what is not."""

from __future__ import annotations

import os
import subprocess
import tempfile
import traceback
from pathlib import Path

import pytest

import alchemer_nb as al
from alchemer_nb import ApiKey, OAuth1, Region
from alchemer_nb.auth import lookup
from alchemer_nb.errors import ConfigurationError, InvalidArgument

TOKEN, SECRET = "CANARYtoken0123456789", "CANARYsecret9876543210"
BOTH = f"ALCHEMER_API_TOKEN={TOKEN}\nALCHEMER_API_TOKEN_SECRET={SECRET}\n"


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Writes an ``.env`` file into the working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(content):
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / ".env").write_bytes(content)
        return ".env"

    return write


def found_in(name, **options):
    found = lookup.find_credentials(env_file=name, **options)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "content",
    [
        BOTH,
        BOTH.replace("\n", "\r\n"),
        BOTH.replace("\n", "\r"),
        BOTH.rstrip(),
        f"\ufeff{BOTH}",
        BOTH.encode("utf-16"),
        f"export ALCHEMER_API_TOKEN={TOKEN}\n  export\tALCHEMER_API_TOKEN_SECRET={SECRET}",
        f"ALCHEMER_API_TOKEN = {TOKEN}  \n\tALCHEMER_API_TOKEN_SECRET =\t{SECRET}",
        f"ALCHEMER_API_TOKEN=\"{TOKEN}\"\nALCHEMER_API_TOKEN_SECRET='{SECRET}'",
        f"ALCHEMER_API_TOKEN= '{TOKEN}'  # mine\nALCHEMER_API_TOKEN_SECRET={SECRET} # today",
        f"# a key\n\n{BOTH}not a line of ours\nOTHER\nX={{\n#ALCHEMER_API_TOKEN=old",
        f"ALCHEMER_API_TOKEN=earlier\n{BOTH}",
        f"ALCHEMER_API_TOKEN={TOKEN}\nALCHEMER_API_SECRET={SECRET}",
        f"{BOTH}ALCHEMER_CONSUMER_KEY=\nALCHEMER_CONSUMER_SECRET=  # none\nALCHEMER_REGION=''",
        f'NOTES="a text\nover lines"\nBAD="\n{BOTH}',
        f"NAME=\xff\n{BOTH}".encode("latin-1"),
    ],
)
def test_the_forms_in_which_people_write_it(env_file, content):
    found = found_in(env_file(content))
    assert found.credentials == ApiKey(TOKEN, SECRET)
    assert (found.source, found.region) == ("the file .env", Region.get("us"))


def test_a_value_may_hold_what_starts_a_comment_and_an_escaped_quote(env_file):
    name = env_file(
        'ALCHEMER_CONSUMER_KEY=a#b\nALCHEMER_CONSUMER_SECRET="c \\" \\\\ # d"\n'.replace(" ", "")
    )
    assert found_in(name).credentials == OAuth1("a#b", 'c"\\#d')


def test_the_region_of_the_file_binds_and_that_of_the_environment_is_assumed(env_file, monkeypatch):
    monkeypatch.setenv("ALCHEMER_REGION", "ca")
    found = found_in(env_file(f"{BOTH}ALCHEMER_REGION = EU"))
    assert (found.region, found.region_source) == (Region.get("eu"), "ALCHEMER_REGION")
    with pytest.raises(ConfigurationError, match="belong to region eu"):
        found.for_region(Region.get("us"))
    found = found_in(env_file(BOTH))
    assert (found.region, found.region_source) == (Region.get("ca"), "")
    assert found.for_region(Region.get("au")).region == Region.get("au")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"ALCHEMER_API_TOKEN={TOKEN}", "ALCHEMER_API_TOKEN_SECRET is not; set both"),
        (
            f"ALCHEMER_API_TOKEN={TOKEN}\nALCHEMER_API_TOKEN_SECRET=''",
            "ALCHEMER_API_TOKEN_SECRET is empty; set both",
        ),
        (f'ALCHEMER_API_TOKEN="{TOKEN}', "line 1 has no closing quote"),
        (f"\nALCHEMER_API_TOKEN='{TOKEN}' x", "line 2 has no closing quote, or something behind"),
        ("ALCHEMER_API_TOKEN=${CANARY}", "refers to another variable"),
        (f"ALCHEMER_API_TOKEN=CANARY in side\n{BOTH[35:]}", "ALCHEMER_API_TOKEN in the file .env"),
        (f"{BOTH}ALCHEMER_REGION=mars", "mars"),
        (f"{BOTH}ALCHEMER_REGION={TOKEN}", "what was given (not repeated here), which is no"),
        ("", "no credentials were found in the file .env"),
        ("OTHER=CANARY", "none of these is set there: ALCHEMER_API_TOKEN"),
        (b"x" * 1_000_001, "too large"),
    ],
)
def test_what_is_wrong_is_said_without_a_value(env_file, content, said):
    name = env_file(content)
    with pytest.raises(ConfigurationError) as caught:
        al.connect(env_file=name)
    assert said in str(caught.value)
    assert ".env" in str(caught.value)
    # As a debugger, or a reporter of errors, prints it.
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in report.stack if "alchemer_nb" in frame.filename]
    assert len(frames) >= 2
    assert "CANARY" not in str(caught.value) + str([frame.locals for frame in frames])


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, said in (("nosuch.env", "does not exist"), ("folder", "not a file")):
        with pytest.raises(ConfigurationError, match=f"{name}.* {said}"):
            al.connect(env_file=name)
    for name, said in (("~no-such-user/.env", "no known home"), (7, "not int")):
        with pytest.raises(InvalidArgument, match=said):
            al.connect(env_file=name)
    with pytest.raises(InvalidArgument, match="not both"):
        al.connect(profile="work", env_file="nosuch.env")


@pytest.mark.skipif(os.name == "nt", reason="named pipes of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(ConfigurationError, match="not a file"):
        al.connect(env_file=tmp_path / ".env")


def test_nothing_of_it_is_in_the_environment_afterwards(env_file):
    before = dict(os.environ)
    al.connect(env_file=env_file(f"{BOTH}OTHER=x\n"))
    assert dict(os.environ) == before


def test_it_is_the_only_place(env_file, monkeypatch):
    monkeypatch.setenv("ALCHEMER_API_TOKEN", "half")
    assert found_in(env_file(BOTH)).credentials == ApiKey(TOKEN, SECRET)
    monkeypatch.setenv("ALCHEMER_API_TOKEN_SECRET", "whole")
    with pytest.raises(ConfigurationError, match="no credentials"):
        al.connect(env_file=env_file(""))


def test_a_file_that_git_tracks_is_warned_of(env_file, tmp_path):
    def git(*words):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    name = env_file(BOTH)
    git("init")
    assert found_in(name).warning == ""  # not tracked
    git("add", name)
    with pytest.warns(UserWarning, match=r"git tracks \.env.*git rm --cached \.env"):
        client = al.connect(env_file=name)
    assert client.credentials == ApiKey(TOKEN, SECRET)
    (tmp_path / "link").symlink_to(name)
    assert "git tracks link" in found_in("link").warning
    git("rm", "--cached", name)
    assert found_in(name).warning == ""


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_file_that_other_users_can_read_is_warned_of():
    with tempfile.TemporaryDirectory() as folder:  # not in a folder for one user alone
        path = Path(folder) / ".env"
        path.write_text(BOTH)
        for mode_of_folder, mode, is_open in (
            (0o755, 0o644, True),
            (0o755, 0o604, True),
            (0o755, 0o600, False),
            (0o700, 0o644, False),  # nobody else gets there
        ):
            Path(folder).chmod(mode_of_folder)
            path.chmod(mode)
            warning = found_in(path).warning
            assert ("other users" in warning, "chmod 600 .env" in warning) == (is_open, is_open)
        Path(folder).chmod(0o755)
        path.chmod(0o644)
        with pytest.warns(UserWarning, match="other users of this computer can read"):
            al.connect(env_file=path)


def test_a_program_that_a_repository_names_is_not_run(env_file, tmp_path):
    name = env_file(BOTH)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    for words in (["init"], ["add", name], ["config", "core.fsmonitor", str(program)]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    assert found_in(name).warning
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name == "nt", reason="a script as a program")
def test_git_gets_no_credentials(env_file, tmp_path, monkeypatch):
    git = tmp_path / "programs" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\nexport -p > {tmp_path}/seen\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=os.pathsep)
    monkeypatch.setenv("ALCHEMER_API_TOKEN", TOKEN)
    assert found_in(env_file(BOTH)).warning
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen
    assert TOKEN not in seen


@pytest.mark.skipif(os.name == "nt", reason="a script as a program")
@pytest.mark.parametrize("place", ["", "repository"])
def test_a_git_beside_the_notebook_or_the_file_is_not_run(env_file, tmp_path, monkeypatch, place):
    env_file(BOTH)
    (tmp_path / "repository").mkdir()
    (tmp_path / ".env").rename(tmp_path / "repository" / ".env")
    git = tmp_path / place / "git"
    git.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    assert found_in("repository/.env").warning == ""
    assert not (tmp_path / "ran").exists()


def test_without_git_there_is_no_warning(env_file, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found_in(env_file(BOTH)).warning == ""
