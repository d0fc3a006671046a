"""Files that earlier versions wrote still open, with the same contents.

``tests/earlier`` was written by commit b09eb59, before the modules moved into folders, from the
survey *Event registration* of ``Sandbox(seed=1, responses=12, form="current")``: a Parquet file, a
store after two syncs, and a profile without a digest. The profile with a digest is of f736e26.
``expected.json`` holds the frames as the writer saw them.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.auth import profiles
from alchemer_nb.store import paths
from tests.forked import Child

EARLIER = Path(__file__).parent / "earlier"
EXPECTED = json.loads((EARLIER / "expected.json").read_text("utf-8"))
SURVEY = "9000002"


def check(frame: pd.DataFrame, name: str) -> None:
    expected = EXPECTED[name]
    # Metadata came first then; the order of columns is no part of what is held here.
    frame = frame[sorted(frame.columns, key=expected["columns"].index)]
    seen = json.loads(frame.to_json(orient="split", date_format="iso"))
    labels = frame.select_dtypes("category")
    seen["categories"] = {n: [s.cat.categories.tolist(), s.cat.ordered] for n, s in labels.items()}
    assert seen == expected


def test_a_parquet_file_opens_with_its_frame_and_a_note():
    with pytest.warns(UserWarning, match="earlier version.*the frame is what it shows"):
        frame = al.read_parquet(EARLIER / "responses.parquet")
    check(frame, "file")
    assert set(frame.alchemer.missing().stack()) == {"answered", "unknown"}
    assert frame.alchemer.facts["survey_id"] == SURVEY
    check(frame.alchemer.relabel(names="id", values="code", multi="list"), "relabelled")


def test_plain_pandas_reads_the_same_values_from_it():
    seen = json.loads(
        pd.read_parquet(EARLIER / "responses.parquet").to_json(orient="split", date_format="iso")
    )
    assert {**seen, "categories": EXPECTED["file"]["categories"]} == EXPECTED["file"]


def test_a_store_opens_with_its_frame(box, tmp_path, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path))
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    account = paths.account_folder(tmp_path, box.region.host, client.account()["id"].iloc[0])
    shutil.copytree(EARLIER / "store", account)
    frame = client.responses(
        SURVEY, store=True, metadata="all", test_rows="include", progress="none"
    )
    check(frame, "store")
    assert client.stored()["id"].tolist() == [SURVEY]


@pytest.fixture
def shared_folder():
    """A folder that every user of this computer can read; those of pytest are for one alone."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_store_that_may_not_be_written_is_read_as_it_is(box, shared_folder, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(shared_folder))
    client = al.Client(al.ApiKey(box.api_token, box.api_token_secret), region=box.region)
    account = paths.account_folder(shared_folder, box.region.host, client.account()["id"].iloc[0])
    shutil.copytree(EARLIER / "store", account)
    folders = [account, account / f"survey-{SURVEY}"]
    for folder in folders:
        folder.chmod(0o555)
    before = {path: path.stat().st_mtime_ns for path in account.rglob("*")}

    def work():
        if os.geteuid() == 0:  # whom permissions do not bind
            os.setgid(65534)
            os.setuid(65534)
        how = {"metadata": "all", "test_rows": "include", "progress": "none"}
        read = client.responses(SURVEY, store=True, **how)
        refused = {}
        for name in ("scan", "sync"):
            try:
                getattr(client, name)(SURVEY)
            except al.errors.StoreError as error:
                refused[name] = str(error)
        compared = str(client.verify(SURVEY))
        changes = len(client.changes(SURVEY))
        return read.to_json(orient="split", date_format="iso"), changes, refused, compared

    read, changes, refused, compared = Child(work).outcome()
    for folder in folders:
        folder.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in account.rglob("*")} == before
    columns = json.loads(read)["columns"]
    assert sorted(columns) == sorted(EXPECTED["store"]["columns"])
    assert changes
    assert compared
    assert list(refused) == ["scan", "sync"]
    for text in refused.values():
        assert "Permission denied" in text
        assert "set ALCHEMER_STORE to that folder" in text


@pytest.mark.parametrize(
    ("name", "address", "parts"),
    [
        (
            "no_digest",
            "https://api.alchemer.eu",
            {"api_token": "CANARYtoken0123456789", "api_token_secret": "CANARYsecret9876543210"},
        ),
        (
            "digest",
            "https://api.example.org",
            {
                "consumer_key": "CANARYkey",
                "consumer_secret": "CANARYsecret",
                "token": "CANARYaccess",
                "token_secret": "CANARYaccesssecret",
            },
        ),
    ],
)
def test_a_profile_opens(name, address, parts, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profiles.folder().mkdir(mode=0o700)
    kept = shutil.copy(EARLIER / "profiles" / f"{name}.json", profiles.folder())
    Path(kept).chmod(0o600)
    profile = profiles.load(name)
    assert profile is not None
    assert profile.region.api_url == address
    opened = {part: getattr(profile.credentials, part).reveal() for part in parts}
    assert opened == parts
