"""Whatever lies in the folder of a store: read, repaired or refused; and a sync mends it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.fuzz.judge import COSTLY, outcome
from tests.fuzz.mutations import as_bytes, contents, jsons
from tests.fuzz.surveys import OWN, QUIET, client_of, new_folder
from tests.scripted import ScriptedServer

MANIFEST, SEAL = "manifest.json", "seal"


@pytest.fixture(scope="module")
def server():
    with ScriptedServer() as running:
        yield running


@pytest.fixture(scope="module")
def synced(server, tmp_path_factory):
    """A folder of stores, in which one survey was synced."""
    folder = tmp_path_factory.mktemp("synced")
    client_of(server, store=folder).sync(OWN)
    return folder


def sealed(text: str) -> bytes:
    """The manifest with the checksum that belongs to it, where it is one."""
    try:
        state = json.loads(text)
        state.pop(SEAL, None)
        told = json.dumps(state, sort_keys=True)
        state[SEAL] = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
        return json.dumps(state).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return as_bytes(text)


def check(server, synced: Path, data: st.DataObject, name: str, change) -> None:
    """Change a file of a copy of the store, read it in some way, sync it, and read it again."""
    with new_folder() as folder:
        root = Path(folder, "store")
        shutil.copytree(synced, root)
        (manifest,) = root.rglob(MANIFEST)
        path = next(iter(manifest.parent.glob(name)), manifest.with_name(name))
        path.write_bytes(change(path.read_bytes() if path.exists() else b""))
        client = client_of(server, store=root)
        works = (
            lambda: client.responses(OWN, store=True, test_rows="include", **QUIET),
            lambda: client.scan(OWN, engine="pandas", **QUIET),
            lambda: client.sql(f"select * from survey_{OWN}", **QUIET),  # noqa: S608
            lambda: client.changes(OWN),
            lambda: client.verify(OWN),
            client.stored,
        )
        outcome(data.draw(st.sampled_from(works)))
        if outcome(client_of(server, store=root).sync, OWN) is None:
            return
        frame = client.responses(OWN, store=True, test_rows="include", **QUIET)
        assert frame.index.tolist() == [1, 2, 3]
        assert client.sql(f"select count(*) from survey_{OWN}", **QUIET).iat[0, 0] == 2  # noqa: S608
        found = client.verify(OWN)
        assert found.ok, found.summary


@given(data=st.data())
@COSTLY
def test_any_manifest_is_repaired_or_refused(server, synced, data):
    def change(content: bytes) -> bytes:
        return as_bytes(data.draw(jsons([json.loads(content)])))

    check(server, synced, data, MANIFEST, change)


@given(data=st.data())
@COSTLY
def test_any_manifest_with_its_checksum_is_repaired_or_refused(server, synced, data):
    check(
        server,
        synced,
        data,
        MANIFEST,
        lambda content: sealed(data.draw(jsons([json.loads(content)]))),
    )


@given(data=st.data(), name=st.sampled_from([MANIFEST, "definition-*", "responses-*", "table-*"]))
@COSTLY
def test_any_bytes_of_a_file_are_repaired_or_refused(server, synced, data, name):
    check(server, synced, data, name, lambda content: data.draw(contents([content or b"PAR1"])))


@pytest.mark.long
@given(data=st.data())
@COSTLY
def test_any_definition_of_a_store_is_repaired_or_refused(server, synced, data):
    def change(content: bytes) -> bytes:
        return as_bytes(data.draw(jsons([json.loads(content)])))

    check(server, synced, data, "definition-*", change)


@given(data=st.data())
@COSTLY
def test_any_list_of_expunged_responses_is_read_or_refused(server, synced, data):
    def change(_: bytes) -> bytes:
        drawn = data.draw(jsons([[7, 8]]))
        # A list that names a response keeps it away, whoever wrote the list: see the next test.
        assume(not (isinstance(drawn, list) and {"1", "2", "3"} & {str(each) for each in drawn}))
        return as_bytes(drawn)

    check(server, synced, data, "expunged.json", change)


def test_a_response_that_a_list_names_stays_away(server, synced, tmp_path):
    root = shutil.copytree(synced, tmp_path / "store")
    (manifest,) = root.rglob(MANIFEST)
    manifest.with_name("expunged.json").write_text("[1, 8]", "utf-8")
    client = client_of(server, store=root)
    client.sync(OWN, **QUIET)
    read = client.responses(OWN, store=True, test_rows="include", **QUIET)
    assert read.index.tolist() == [2, 3]


def test_a_manifest_nested_too_deeply_is_made_anew(server, synced, tmp_path):
    root = shutil.copytree(synced, tmp_path / "store")
    (manifest,) = root.rglob(MANIFEST)
    manifest.write_text("[" * 100_000, "utf-8")
    client = client_of(server, store=root)
    assert client.responses(OWN, store=True, test_rows="include", **QUIET).index.tolist() == [
        1,
        2,
        3,
    ]
