"""``verify`` says what differs from Alchemer and changes nothing; a sync with it mends that."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import shutil
import tempfile
import threading
from pathlib import Path

import pytest
import requests

from alchemer_nb import Job
from alchemer_nb.errors import DownloadIncomplete, Stopped, StoreError
from alchemer_nb.fetch.raw_pages import RawResponse, content_digest
from alchemer_nb.sandbox import demo
from alchemer_nb.store import manifest, parts, paths
from tests.store.conftest import SURVEY, fresh_client, quiet_box
from tests.store.listed import OWN, ListedServer, stored

EARLIER = Path(__file__).parents[1] / "earlier" / "store"
EARLIER_SURVEY = "9000002"
_NOBODY = 65534


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """A sandbox whose data does not change, and a folder of stores that has one of it."""
    with quiet_box(responses=60) as box:
        root = tmp_path_factory.mktemp("verify") / "store"
        client = fresh_client(box)
        client._stores.folder = root
        client.sync(SURVEY)
        yield box, root


@pytest.fixture
def copied(synced, tmp_path):
    """A client with a copy of the store, and the folder of the survey."""
    box, root = synced
    client = fresh_client(box)
    client._stores.folder = Path(shutil.copytree(root, tmp_path / "store"))
    return client, client._stores.survey_folder(SURVEY)


def walked(box) -> dict[int, dict]:
    """All responses, asked without this package."""
    key = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
    query = {**key, "resultsperpage": 500}
    address = f"{box.url}/v5/survey/{SURVEY}/surveyresponse"
    told = requests.get(address, query, timeout=30).json()
    assert told["total_pages"] == 1
    return {int(row["id"]): row for row in told["data"]}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_difference_is_found_and_nothing_is_changed(place):
    with quiet_box(responses=60) as box:
        client = fresh_client(box)
        client.sync(SURVEY)
        client.expunge(SURVEY, responses=20)
        box.touch(SURVEY, [3, 4, 20], data={"3": {"value": "77"}})
        box.delete_responses(SURVEY, [10, 11])
        box.add_responses(SURVEY, 3)
        folder = client._stores.survey_folder(SURVEY)
        before = contents(folder)
        found = client.verify(SURVEY)
        assert contents(folder) == before
        here, there = stored(folder), walked(box)
        there.pop(20)
        kinds = {
            "missing": there.keys() - here.keys(),
            "deleted": here.keys() - there.keys(),
            "changed": {n for n in there.keys() & here if json.loads(here[n]) != there[n]},
        }
        table = found.differences
        assert {k: set(table.index[table["difference"] == k]) for k in kinds} == kinds
        assert found.counts == {"missing": 3, "changed": 2, "deleted": 2}
        assert table.loc[3, "date_stored"] == json.loads(here[3])["date_updated"]
        assert table.loc[3, "date_alchemer"] == there[3]["date_updated"]
        assert not found.ok
        assert "not as at Alchemer: 3 missing, 2 changed, 2 deleted" in str(found)
        assert f"%alchemer sync {SURVEY} --full or client.sync(" in str(found)
        assert "date_alchemer" in found._repr_html_()
        assert client.sync(SURVEY, verify=True).verified.ok
        assert client.verify(SURVEY).rows == len(there)


def test_a_store_that_is_as_at_alchemer(copied):
    client, _ = copied
    found = client.verify(SURVEY)
    assert found.ok
    assert str(found).endswith("all 60 responses are as at Alchemer, and 4 files as written")
    assert (found.rows, found.told, found.counts, found.hint) == (60, 60, {}, "")


@pytest.mark.parametrize(
    "kind",
    [
        "responses-",
        "manifest",
        *(pytest.param(k, marks=pytest.mark.long) for k in ("table-", "def")),
    ],
)
def test_a_damaged_or_missing_file_is_named_and_left(copied, kind):
    client, folder = copied
    file = next(path for path in folder.iterdir() if path.name.startswith(kind))
    content = file.read_bytes()
    file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    for problem in ("damaged", "gone"):
        before = contents(folder)
        found = client.verify(SURVEY)
        assert contents(folder) == before
        assert found.files.to_numpy().tolist() == [[file.name, problem]]
        assert f"{file.name} {problem}" in str(found)
        assert found.counts == ({"missing": 60} if kind == "responses-" else {})
        file.unlink(missing_ok=True)
    assert client.sync(SURVEY, full=True, verify=True).verified.ok


def test_content_of_an_expunged_response_is_a_difference(copied):
    client, folder = copied
    found = manifest.read_manifest(folder)
    manifest.write_expunged_ids(found, {8})
    assert client.verify(SURVEY).counts == {"expunged": 1}
    client.sync(SURVEY)
    assert client.verify(SURVEY).ok


@contextlib.contextmanager
def only_readable(folder: Path):
    """Nobody may write to a folder in the block: root, who may all, acts as another user."""
    user = os.geteuid()

    def allow(_=None):
        os.seteuid(user)
        folder.chmod(0o755)

    folder.chmod(0o555)
    os.seteuid(user or _NOBODY)
    try:
        yield allow
    finally:
        allow()


@pytest.mark.skipif(os.name == "nt", reason="needs users and rights as POSIX has them")
@pytest.mark.parametrize("is_changed", [False, True])
def test_a_store_that_may_only_be_read_is_compared(synced, monkeypatch, is_changed):
    box, root = synced
    with tempfile.TemporaryDirectory() as own:  # which another user reaches
        Path(own).chmod(0o755)
        limits = Path(own, "limits")
        limits.mkdir()
        limits.chmod(0o777)
        monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", str(limits))
        client = fresh_client(box)
        client._stores.folder = Path(shutil.copytree(root, f"{own}/store"))
        folder = client._stores.survey_folder(SURVEY)
        (folder / paths.LOCK).unlink()
        table = next(folder.glob("table-*"))
        table.write_bytes(b"other")
        for each in Path(own, "store").rglob("*"):
            each.chmod(0o755 if each.is_dir() else 0o644)
        Path(own, "store").chmod(0o755)
        before = contents(folder)

        def replace_manifest(progress):  # as somebody else's sync does
            if progress.pages:
                allow()
                manifest.read_manifest(folder).save()

        with only_readable(folder) as allow:
            assert not paths.is_writable(folder)
            found = client.verify(SURVEY, tell=replace_manifest if is_changed else None)
        assert found.counts == {}
        assert found.files["file"].tolist() == [table.name]
        assert contents(folder) == before
        is_noted = "the store changed while it was read" in " ".join(found.notes)
        assert is_noted == is_changed


def test_another_definition_is_a_difference(place):
    with quiet_box(responses=60) as box:
        client = fresh_client(box)
        client.sync(SURVEY)
        asked = demo.build(3, 60)[0]
        asked.survey["pages"][0]["questions"][1]["title"] = {"English": "Asked in other words?"}
        box.add_survey(asked)
        found = fresh_client(box).verify(SURVEY)
        assert found.definition_differs
        assert "another definition" in str(found)


def test_no_store_is_an_error(synced, tmp_path):
    client = fresh_client(synced[0])
    client._stores.folder = tmp_path
    with pytest.raises(StoreError, match="sync it first"):
        client.verify(SURVEY)


def test_it_says_how_far_it_is_and_can_be_stopped(place):
    with ListedServer(2600) as server:
        client = server.client()
        client.sync(OWN)
        stop, told = threading.Event(), []

        def tell(progress) -> None:
            told.append(progress)
            if progress.rows >= 1000:
                stop.set()

        with pytest.raises(Stopped):
            client.verify(OWN, tell=tell, stop=stop)
        assert {"checking the files", "comparing"} <= {each.state for each in told}
        assert told[-1].rows_told == 2600
        assert told[-1].rows < 2600
        assert server.client().verify(OWN).ok


def test_what_a_sync_does_not_look_at_is_mended_if_it_verifies(place):
    """A row with a wrong content and a right date, far down the list."""
    with ListedServer(1600) as server:
        client = server.client()
        folder = client.sync(OWN).place
        found = manifest.read_manifest(folder)
        row = json.loads(server.rows[1000])
        wrong = server.rows[1000].replace(b"as it was", b"as it was not")
        parts.write_parts(
            found,
            [RawResponse(1000, row["date_updated"], content_digest(wrong), wrong)],
            found.sync,
        )
        found.save()
        assert server.client().sync(OWN).notes == ()
        assert server.client().verify(OWN).counts == {"changed": 1}
        synced = server.client().sync(OWN, verify=True)
        assert "not as at Alchemer: 1 changed; all were synced again" in synced.notes
        assert synced.verified.ok
        assert stored(folder) == server.rows


class _Held(ListedServer):
    """Answers no page by ascending id, as of a comparison, while it is held."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.free, self.is_reached = threading.Event(), threading.Event()
        self.free.set()

    def page(self, query: dict[str, str]) -> bytes:
        if "order_by" not in query and not self.free.is_set():
            self.is_reached.set()
            self.free.wait(20)
        return super().page(query)


def test_a_comparison_that_is_cancelled_does_not_say_that_the_sync_was(place):
    with _Held(5) as server:
        server.client().sync(OWN)
        server.free.clear()
        job = Job.sync(server.client(), OWN, verify=True)
        assert server.is_reached.wait(20)
        with pytest.raises(DownloadIncomplete) as caught:
            job.end()
        server.free.set()
        assert str(caught.value).startswith("the sync is complete, and its comparison")
        assert server.client().verify(OWN).ok


class _Fickle(ListedServer):
    """Sends one response in another form each time."""

    turn = 0

    def page(self, query: dict[str, str]) -> bytes:
        self.turn += 1
        self.edit([3], "2026-01-02 03:04:05", f"turn {self.turn}")
        return super().page(query)


def test_a_difference_that_stays_is_an_error(place):
    with _Fickle(5) as server, pytest.raises(StoreError) as caught:
        server.client().sync(OWN, verify=True)
    assert "Listed: not as at Alchemer: 1 changed, although all" in str(caught.value)
    assert "another form each time" in caught.value.hint


def test_a_store_of_an_earlier_version_is_compared_and_left(synced, tmp_path):
    client = fresh_client(synced[0])
    client._stores.folder = tmp_path
    folder = client._stores.survey_folder(EARLIER_SURVEY)
    shutil.copytree(EARLIER, folder.parent)
    (folder / paths.LOCK).touch()
    before = contents(folder)
    found = client.verify(EARLIER_SURVEY)
    assert contents(folder) == before
    assert found.files.empty
    assert any("without digests; the next sync adds them" in note for note in found.notes)
    assert client.sync(EARLIER_SURVEY, verify=True).verified.ok
    assert manifest.read_manifest(folder).format == manifest.FORMAT


@pytest.mark.parametrize("way", ["no manifest", "format 1"])
def test_an_intact_list_of_expunged_ids_is_not_named_damaged(copied, synced, tmp_path, way):
    client, folder = copied
    if way == "no manifest":
        client.expunge(SURVEY, responses=8)
        (folder / paths.MANIFEST).unlink()
        survey, problems = SURVEY, [[paths.MANIFEST, "gone"]]
    else:
        folder, survey, problems = folder.with_name("survey-9000002"), EARLIER_SURVEY, []
        shutil.copytree(EARLIER / folder.name, folder)
        (folder / paths.EXPUNGED).write_text("[2]")
    assert client.verify(survey).files.to_numpy().tolist() == problems
    (folder / paths.EXPUNGED).unlink()
    if way == "no manifest":  # their rows in the parts say that there was one
        problems.append([paths.EXPUNGED, "gone"])
    assert client.verify(survey).files.to_numpy().tolist() == problems


def test_a_change_without_a_trace_is_found_and_mended_in_the_same_process(copied):
    client, folder = copied
    file = folder / paths.part_name(1)
    found = manifest.read_manifest(folder)
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as view:
        at = len(view) // 2  # in the responses, which a sync does not read
        view[at] = view[at]  # the file gets its time now, and none with the next byte
        assert found.is_intact(file.name)
        view[at] ^= 1
    assert found.is_intact(file.name)
    assert client.verify(SURVEY).files["file"].tolist() == [file.name]
    assert client.sync(SURVEY, verify=True).verified.ok
