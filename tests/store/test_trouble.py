"""Whatever breaks: a clear error, or a repair that says what it did; nothing is lost."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from alchemer_nb import Client
from alchemer_nb.errors import (
    AuthenticationError,
    DownloadIncomplete,
    InvalidArgument,
    PermissionDenied,
    ServerError,
    Stopped,
    StoreBusy,
    StoreError,
    StoreNewer,
)
from alchemer_nb.http.retries import Retries
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.traffic.faults import Fault
from alchemer_nb.store import manifest, parts, paths
from alchemer_nb.store import sync as syncing
from tests.boxes import demo_file
from tests.person import regenerate_key
from tests.store.conftest import ALL, QUIET, SURVEY, fresh_client, quiet_box, same
from tests.survey_json import question, response, serve

ROOT = Path(manifest.__file__).parents[2]


def downloaded(box):
    return fresh_client(box).responses(SURVEY, **ALL)


def equal_to_fresh(box, client) -> None:
    same(client.responses(SURVEY, store=True, **ALL), downloaded(box))


def notes(synced) -> str:
    return " ".join(synced.notes)


@pytest.fixture(scope="module")
def second_sync(tmp_path_factory, count):
    """The file of a sandbox, and the folder of a store of two parts that has all of it."""
    made = tmp_path_factory.mktemp("second sync")
    asked = QUIET | {"responses": count}
    file = Path(shutil.copy(demo_file(**asked), made / "box.db"))
    with pytest.MonkeyPatch.context() as patch, Sandbox(**asked, db=file) as box:
        patch.setenv("ALCHEMER_STORE", str(made / "store"))
        client = fresh_client(box)
        client.sync(SURVEY)
        box.touch(SURVEY, [3, 4], data={"3": {"value": "77"}})
        box.delete_responses(SURVEY, [10])
        folder = client.sync(SURVEY).place
    return file, folder


@pytest.fixture
def synced_box(place, second_sync, count):
    """A sandbox of which all is in the store of ``synced``."""
    with quiet_box(source=second_sync[0], responses=count) as running:
        yield running


@pytest.fixture
def synced(synced_box, second_sync):
    """A client with a store of two parts, and its folder."""
    client = fresh_client(synced_box)
    folder = client._stores.survey_folder(SURVEY)
    folder.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(second_sync[1], folder)
    return client, folder


@pytest.mark.parametrize("left", [*(pytest.param(n, marks=pytest.mark.long) for n in (0, 1)), 200])
def test_a_manifest_cut_short_is_made_anew(synced_box, synced, left):
    client, folder = synced
    file = folder / paths.MANIFEST
    file.write_bytes(file.read_bytes()[:left])
    synced_box.add_responses(SURVEY, 2)
    again = fresh_client(synced_box).sync(SURVEY)
    assert "made anew" in notes(again)
    assert (again.added, again.changed, again.removed) == (2, 0, 0)
    equal_to_fresh(synced_box, client)


@pytest.mark.long  # as one that was cut short
def test_a_manifest_that_is_gone_is_made_anew(synced_box, synced):
    client, folder = synced
    (folder / paths.MANIFEST).unlink()
    assert "made anew" in notes(fresh_client(synced_box).sync(SURVEY))
    equal_to_fresh(synced_box, client)


# Of these tests/store/test_damage.py has more.
MORE_DAMAGES = (
    *((0, "gone"), (1, "gone"), (0, "cut"), (0, "empty")),
    *((1, "cut"), (0, "scribbled"), (1, "empty")),
)


@pytest.mark.parametrize(
    ("which", "how"),
    [
        (1, "scribbled"),
        *(pytest.param(*case, marks=pytest.mark.long) for case in MORE_DAMAGES),
    ],
)
def test_a_damaged_part_is_fetched_again(synced_box, synced, which, how, capsys):
    """The second holds the newer version of two responses: the older one must not come back."""
    client, folder = synced
    place_of = sorted(folder.glob("responses-*.parquet"))[which]
    content = place_of.read_bytes()
    if how == "gone":
        place_of.unlink()
    elif how == "scribbled":
        middle = len(content) // 2
        place_of.write_bytes(content[:middle] + b"\0" * 64 + content[middle + 64 :])
    else:
        place_of.write_bytes(content[: 100 if how == "cut" else 0])
    again = fresh_client(synced_box)
    if how == "scribbled":  # shows only when it is read
        same(
            again.responses(SURVEY, store=True, **ALL | {"progress": "text"}),
            downloaded(synced_box),
        )
        assert "fetched again" in capsys.readouterr().err
    else:
        assert "fetched again" in notes(again.sync(SURVEY))
    equal_to_fresh(synced_box, client)


def test_a_table_that_is_gone_is_made_anew(synced_box, synced, count):
    client, folder = synced
    rows = client.scan(SURVEY, test_rows="include").count_rows()
    for path in folder.glob("table-*"):
        path.unlink()
    assert client.scan(SURVEY, test_rows="include").count_rows() == rows == count - 1


def test_a_newer_store_is_let_be(synced_box, synced):
    client, folder = synced
    file = folder / paths.MANIFEST
    told = json.loads(file.read_text("utf-8")) | {"format": manifest.FORMAT + 1}
    file.write_text(json.dumps(told), "utf-8")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    for call in (
        lambda: client.sync(SURVEY),
        lambda: client.responses(SURVEY, store=True),
        lambda: client.scan(SURVEY),
        lambda: client.changes(SURVEY),
        lambda: client.expunge(SURVEY, responses=3),
    ):
        with pytest.raises(StoreNewer, match="update alchemer_nb"):
            call()
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_two_notebooks_do_not_sync_at_once(synced_box, synced, count, monkeypatch):
    client, folder = synced
    monkeypatch.setattr(paths, "_LOCK_TIMEOUT", 0.2)
    with paths.lock_folder(folder, 1.0), pytest.raises(StoreBusy, match="another notebook"):
        client.sync(SURVEY)
    assert client.sync(SURVEY).rows == count - 1


def test_two_notebooks_one_after_the_other(own_box, place, count):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(fresh_client(own_box).sync(SURVEY).added))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 0, count]
    equal_to_fresh(own_box, fresh_client(own_box))


def test_one_can_read_while_another_syncs(synced_box, synced, count, monkeypatch):
    monkeypatch.setattr("alchemer_nb.store.compacting._MANY_PARTS", 0)  # files go at each sync
    client, _ = synced
    done = threading.Event()
    troubles: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                frame = fresh_client(synced_box).responses(SURVEY, store=True, **ALL)
                assert len(frame) >= count - 1
                scan = partial(fresh_client(synced_box).scan, SURVEY, test_rows="include")
                assert len(scan("pandas")) >= count - 1
                dataset = scan()  # reads later: a sync may have replaced a file by then
                with suppress(FileNotFoundError):
                    assert dataset.count_rows() >= count - 1
        except BaseException as error:  # noqa: BLE001 - handed to the test
            troubles.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        synced_box.add_responses(SURVEY, 3)
        client.sync(SURVEY)
    done.set()
    reader.join()
    assert troubles == []


FULL = """
import os, resource, sys
from alchemer_nb import ApiKey, Client, Region
from alchemer_nb.errors import StoreError
import pandas, pyarrow.parquet
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
url, token, secret, *limits = sys.argv[1:]
region = Region.custom(url, timezone="America/New_York", name="sandbox", label="Sandbox")
top = os.environ["ALCHEMER_STORE"]
for limit in limits:
    os.environ["ALCHEMER_STORE"] = os.path.join(top, limit)
    client = Client(ApiKey(token, secret), region=region)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    try:
        client.sync("9000001")
    except StoreError as error:
        print(error)
"""
LIMITS = ("100", "5000", "60000")


@pytest.mark.skipif(os.name == "nt", reason="no limits for files there")
@pytest.mark.parametrize("limits", [("5000",), pytest.param(LIMITS, marks=pytest.mark.long)])
def test_a_full_disk_is_told_and_loses_nothing(paged_box, place, monkeypatch, limits):
    arguments = [paged_box.url, paged_box.api_token, paged_box.api_token_secret, *limits]
    run = subprocess.run(
        [sys.executable, "-c", FULL, *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert run.stderr == ""
    told = run.stdout.splitlines()
    assert len(told) == len(limits)
    assert all("could not be written" in line and "make room" in line for line in told)
    calm = downloaded(paged_box)
    for limit in limits:
        monkeypatch.setenv("ALCHEMER_STORE", str(place / limit))
        client = fresh_client(paged_box)
        client.sync(SURVEY)
        same(client.responses(SURVEY, store=True, **ALL), calm)
        assert not list(client._stores.survey_folder(SURVEY).glob(".*"))


LATER = FULL.replace(
    """        client.sync("9000001")
""",
    """        client.sync("9000001")
        client.expunge("9000001", responses=[7])
        client.scan("9000001", day_first=True, progress="none")
""",
)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="no limits for files there")
def test_a_disk_that_is_full_at_any_step_of_a_later_sync_loses_nothing(
    synced_box, synced, count, place, monkeypatch
):
    """The store that was there can be read; once there is room, a sync brings the rest."""
    client, folder = synced
    chance = random.Random(11)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    near = [max(50, chance.choice(sizes) + chance.randrange(-3000, 3000)) for _ in range(25)]
    limits = [str(each) for each in sorted({*near, 300, 1500, 400_000})]
    for limit in limits:
        shutil.copytree(folder.parent, place / limit / folder.parent.name)
    synced_box.touch(SURVEY, [3, 5, 90], data={"3": {"value": "78"}})
    synced_box.add_responses(SURVEY, 4)
    box = synced_box
    run = subprocess.run(
        [sys.executable, "-c", LATER, box.url, box.api_token, box.api_token_secret, *limits],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert run.stderr == ""
    assert 0 < len(run.stdout.splitlines()) < len(limits)
    calm = downloaded(box)
    for limit in limits:
        monkeypatch.setenv("ALCHEMER_STORE", str(place / limit))
        client = fresh_client(box)
        assert len(client.responses(SURVEY, store=True, **ALL)) - count in (-1, 3, 2)
        client.expunge(SURVEY, responses=[7])
        client.sync(SURVEY)
        same(client.responses(SURVEY, store=True, **ALL), calm.drop(index=7))
        assert client.verify(SURVEY).ok
        assert not list(client._stores.survey_folder(SURVEY).glob(".*"))


def test_a_sync_that_broke_off_goes_on_where_it_was(place, monkeypatch):
    monkeypatch.setattr(syncing, "_STORE_ROWS", 500)
    with quiet_box() as box:
        box.fail_next(Fault(status=500, when={"page": 3}, times=None))
        client = fresh_client(box)
        client._transport.retries = Retries(attempts=1)
        with pytest.raises(ServerError, match="status 500"):
            client.sync(SURVEY)
        with pytest.raises(StoreError, match="sync it first"):
            client.changes(SURVEY)
        box.calm()
        box.delete_responses(SURVEY, [2, 700])
        again = fresh_client(box).sync(SURVEY)
        assert "went on at page 2" in notes(again)
        assert again.rows == 1001
        equal_to_fresh(box, client)


@pytest.mark.long
def test_a_sync_that_broke_off_in_small_pages_goes_on_where_it_was(paged_box):
    """Five pages of 125 are the first page of 500 and no more."""
    paged_box.fail_next(
        Fault(status=500, when={"path": "surveyresponse", "resultsperpage": 500}, times=None),
        Fault(status=500, when={"path": "surveyresponse", "resultsperpage": 250}, times=None),
        Fault(status=403, when={"path": "surveyresponse", "resultsperpage": 125, "page": 6}),
    )
    client = fresh_client(paged_box)
    client._transport.retries = Retries(base=0.001, longest=0.002)
    with pytest.raises(PermissionDenied):
        client.sync(SURVEY)
    paged_box.calm()
    again = fresh_client(paged_box).sync(SURVEY)
    assert again.notes == ("went on at page 1, where the last run was ended",)
    assert again.rows == 1003
    equal_to_fresh(paged_box, client)


@pytest.mark.long  # as where it broke off
def test_a_sync_that_was_stopped_keeps_what_came(place, monkeypatch):
    with quiet_box(responses=1600) as box:
        stop = threading.Event()
        client = fresh_client(box)

        def tell(progress) -> None:
            if progress.rows >= 1000:
                stop.set()

        with pytest.raises(Stopped):
            client.sync(SURVEY, tell=tell, stop=stop)
        again = fresh_client(box).sync(SURVEY)
        assert "went on at page" in notes(again)
        equal_to_fresh(box, client)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            Fault(shift=-7, when={"page": 2, "resultsperpage": 500}), marks=pytest.mark.long
        ),
        pytest.param(
            Fault(shift=5, when={"page": 2, "resultsperpage": 500}), marks=pytest.mark.long
        ),
        pytest.param(
            Fault(adds=7, when={"page": 3, "resultsperpage": 500}), marks=pytest.mark.long
        ),
        Fault(deletes=(1, 2, 600), when={"page": 3, "resultsperpage": 500}),
        pytest.param(
            Fault(touches=(1, 2, 600), when={"page": 3, "resultsperpage": 500}),
            marks=pytest.mark.long,
        ),
        pytest.param(Fault(cut=900, when={"page": 2}), marks=pytest.mark.long),
    ],
    ids=["rows come twice", "rows are skipped", "new", "deleted", "edited", "cut"],
)
def test_what_happens_while_pages_travel_is_in_the_store_at_the_end(place, fault):
    with quiet_box() as box:
        box.fail_next(fault)
        client = fresh_client(box)
        client.sync(SURVEY)
        box.calm()
        equal_to_fresh(box, client)


def test_a_survey_nobody_answered(place):
    with quiet_box(responses=0) as box:
        client = fresh_client(box)
        assert client.sync(SURVEY).rows == len(fresh_client(box).responses(SURVEY, **ALL))
        box.add_responses(SURVEY, 3)
        fresh_client(box).sync(SURVEY)
        equal_to_fresh(box, client)


@pytest.mark.long
def test_many_deletions_are_found_by_going_through_all_pages(paged_box):
    client = fresh_client(paged_box)
    client.sync(SURVEY)
    paged_box.delete_responses(SURVEY, range(100, 400))
    again = client.sync(SURVEY)
    assert again.removed == 300
    equal_to_fresh(paged_box, client)


def test_expunged_responses_leave_every_file_and_never_come_back(synced_box, synced):
    client, folder = synced
    frame = client.responses(SURVEY, store=True, **ALL)
    person = frame["contact_id"].dropna().iloc[0]
    theirs = frame.index[frame["contact_id"] == person].tolist()
    marks = [f'"session_id":"{frame.loc[own, "session_id"]}"'.encode() for own in [3, *theirs]]
    assert all(_anywhere(folder, mark) for mark in marks)
    assert client.expunge(SURVEY, responses=3) == [3]
    assert client.expunge(SURVEY, contact_id=person) == theirs
    assert not any(_anywhere(folder, mark) for mark in marks)
    synced_box.touch(SURVEY, [3])
    for full in (False, True):
        again = fresh_client(synced_box).sync(SURVEY, full=full)
        assert again.rows == len(frame) - 1 - len(theirs)
        assert again.notes == ()
    left = client.responses(SURVEY, store=True, **ALL)
    assert not {3, *theirs} & set(left.index)
    assert not {3, *theirs} & set(client.scan(SURVEY, "pandas", test_rows="include").index)
    (folder / paths.MANIFEST).unlink()
    fresh_client(synced_box).sync(SURVEY)
    assert not any(_anywhere(folder, mark) for mark in marks)


def test_an_expunge_that_was_ended_is_finished_by_the_next_sync(
    synced_box, synced, count, monkeypatch
):
    client, folder = synced
    session = client.responses(SURVEY, store=True, **ALL).loc[3, "session_id"]
    mark = f'"{session}"'.encode()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alchemer_nb.store.compacting.rewrite", dies)
        with pytest.raises(KeyboardInterrupt):
            client.expunge(SURVEY, responses=3)
    assert _anywhere(folder, mark)
    assert 3 not in client.responses(SURVEY, store=True, **ALL).index
    assert fresh_client(synced_box).sync(SURVEY).rows == count - 2
    assert not _anywhere(folder, mark)


def _anywhere(folder: Path, mark: bytes) -> bool:
    """Whether the last quoted text stands in any file of a store, compressed ones included."""
    session = mark.split(b'"')[-2].decode()
    for path in folder.iterdir():
        if path.suffix == ".parquet":
            table = parts.pq.read_table(path)
            for column in table.columns:
                for value in column.to_pylist():
                    if value is not None and session in (
                        value.decode() if isinstance(value, bytes) else str(value)
                    ):
                        return True
        elif session in path.read_text("utf-8"):
            return True
    return False


def test_a_person_is_found_by_e_mail(synced_box, synced):
    client, _ = synced
    synced_box.touch(SURVEY, [20], data={"3": {"value": "Ann.Bell@Example.org"}})
    client.sync(SURVEY)
    assert client.expunge(SURVEY, email="ann.bell@example.org") == [20]


def serve_store(scripted, rows, folder):
    client = serve(scripted, [question(2, "TEXTBOX", "", "q")], rows)
    scripted.answer("account", {"result_ok": True, "data": {"id": 1}})
    return Client(client.credentials, region=client.region, store=folder)


def test_a_response_without_a_valid_id_is_not_left_out_in_silence(scripted, tmp_path):
    rows = [response(own, {"2": {"answer": "x"}}) for own in (1, 2, "x3")]
    client = serve_store(scripted, rows, tmp_path)
    said = "1 response came without a valid id and is not stored"
    assert client.sync(5).notes == (said,)
    found = client.verify(5)
    assert found.ok
    assert found.notes == (said,)


# An address, and how a survey may have it.
SPELLINGS = {
    "j\u00f6rg@example.org": ["J\u00d6RG@Example.org", "Jo\u0308rg <jo\u0308rg@example.org>"],
    "strasse@example.org": ["stra\u00dfe@example.org"],
    "sales/eu@example.org": ["sales/eu@example.org"],
    "o'brien@example.org": ["o&#039;brien@example.org", "'o'brien@example.org'"],
    "ann+news@example.org": ["https://x.example/?mail=ann%2Bnews%40example.org&page=2"],
    "ann@example.org": ["to ann@example.org.", "mailto:ann&#64;example.org", "x%20ann@example.org"],
    "\u0430\u043d\u044f@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444": [
        "\u0410\u041d\u042f@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444"
    ],
}
OTHERS = ["joann@example.org", "ann@example.org.uk", "jo.ann@example.org", "ann@example.orgs"]


@pytest.mark.parametrize("is_ascii", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_person_is_found_in_any_spelling_and_nobody_else(scripted, tmp_path, is_ascii):
    texts = [*itertools.chain(*SPELLINGS.values()), *OTHERS]
    rows = [response(own, {"2": {"id": 2, "answer": text}}) for own, text in enumerate(texts, 1)]
    client = serve_store(scripted, rows, tmp_path)
    page = scripted.replies["/v5/survey/5/surveyresponse"][0]
    page.body = json.dumps(page.body, ensure_ascii=is_ascii).replace("/", "\\/").encode()
    client.sync(5)
    for address, own in SPELLINGS.items():
        wanted = [texts.index(text) + 1 for text in own]
        assert client.expunge(5, email=address) == wanted, address
    left = client.responses(5, store=True, progress="none")
    assert left["q"].tolist() == OTHERS


def test_a_person_is_found_by_the_name_of_a_url_variable(scripted, tmp_path):
    rows = [response(1, {"2": {"answer": "x"}}, url_variables={"ann@example.org": ""})]
    client = serve_store(scripted, rows, tmp_path)
    client.sync(5)
    assert client.expunge(5, email="ann@example.org") == [1]


def test_expunge_needs_to_know_whose(synced_box, synced):
    client, _ = synced
    for who in ({}, {"responses": []}, {"email": " "}, {"responses": ["x"]}):
        with pytest.raises(InvalidArgument):
            client.expunge(SURVEY, **who)


def test_no_secret_is_stored(synced_box, synced):
    _, folder = synced
    for secret in (synced_box.api_token, synced_box.api_token_secret):
        assert not _anywhere(folder, f'"{secret}"'.encode())


@pytest.mark.parametrize("how", [pytest.param("sync", marks=pytest.mark.long), "from the store"])
def test_a_sync_whose_key_was_regenerated_goes_on_with_the_new_one(paged_box, how):
    refused = '{"result_ok": false, "code": 401, "message": "Login failed / Invalid auth token"}'
    third = {"path": "surveyresponse", "page": 3, "resultsperpage": 500}
    paged_box.fail_next(Fault(status=401, body=refused, when=third))
    client = fresh_client(paged_box)
    ways = {
        "sync": lambda: client.sync(SURVEY),
        "from the store": lambda: client.responses(SURVEY, store=True, progress="none"),
    }
    with pytest.raises(DownloadIncomplete, match="the API key was refused") as caught:
        ways[how]()
    assert "Sign in with the new key, then run it again: it goes on" in str(caught.value)
    assert "region" not in str(caught.value)
    assert isinstance(caught.value.cause, AuthenticationError)
    regenerate_key(paged_box.url, paged_box.username, paged_box.password)
    start = len(paged_box.seen)
    notes = fresh_client(paged_box).sync(SURVEY).notes
    assert "went on at page 2, where the last run was ended" in notes
    asked = [c.params.get("page") for c in paged_box.seen[start:] if "surveyresponse" in c.path]
    assert asked.count("1") == 1  # of what changed lately
    stored = fresh_client(paged_box).responses(SURVEY, store=True, **ALL)
    same(stored, fresh_client(paged_box).responses(SURVEY, **ALL))


def test_a_sync_whose_key_never_worked_has_not_begun(own_box):
    regenerate_key(own_box.url, own_box.username, own_box.password)
    client = fresh_client(own_box)
    regenerate_key(own_box.url, own_box.username, own_box.password)
    with pytest.raises(AuthenticationError):
        client.sync(SURVEY)
