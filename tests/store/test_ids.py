"""Bad ids and other people's files: a typed error, and everything is as it was before."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import (
    AlchemerError,
    InvalidArgument,
    NotFound,
    StoreError,
    SurveyNotFound,
    TransportError,
)
from alchemer_nb.store import manifest
from tests.store.conftest import ALL, SURVEY, fresh_client, quiet_box, same
from tests.survey_json import response, serve

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links are those of POSIX")
NO_IDS = [
    "../../../victim",
    "..",
    "/",
    "²",
    "١٢",
    "5\0",
    "5/../6",
    "5?page=2",
    "%2e%2e",
    "-5",
    " 5",
    "",
    "9" * 5000,
    None,
    True,
    -5,
    5.5,
    10**30,
    ["5"],
]
CALLS = {
    "sync": lambda client, own: client.sync(own),
    "scan": lambda client, own: client.scan(own),
    "changes": lambda client, own: client.changes(own),
    "expunge": lambda client, own: client.expunge(own, responses=1),
    "stored": lambda client, own: client.responses(own, store=True, progress="none"),
    "responses": lambda client, own: client.responses(own, progress="none"),
    "estimate": lambda client, own: client.estimate(own),
    "survey": lambda client, own: client.survey(own),
}
CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
# What else begins in the same way.
ALIKE = {"scan", "changes", "estimate", "survey"}


def tree(folder: Path):
    """Names, modes and contents of all there is in a folder; of links, where they lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        inside = None
        if path.is_symlink():
            inside = str(path.readlink())
        elif path.is_file():
            inside = path.read_bytes()
        found[str(path.relative_to(folder))] = mode, inside
    return found


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder of the user beside that of the stores."""
    folder = tmp_path / "victim"
    (folder / "below").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "thesis.txt").write_text("three years")
    (folder / "below" / "notes.txt").write_text("two")
    return folder


@pytest.fixture(scope="module")
def still():
    """A sandbox in which nothing changes."""
    with quiet_box(responses=30) as running:
        yield running


@pytest.fixture
def small(still, place: Path):
    """The same, with an empty store beside it."""
    return still


@pytest.fixture
def moving(place: Path):
    """A sandbox of the test's own, to change."""
    with quiet_box(responses=30) as running:
        yield running


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(call, id=name, marks=pytest.mark.long if name in ALIKE else ())
        for name, call in CALLS.items()
    ],
)
def test_an_id_that_a_server_made_up_is_told_and_nothing_is_made(
    scripted, place, victim, tmp_path, call
):
    scripted.answer("account", {"result_ok": True, "data": {"id": "10001"}})
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    before = tree(tmp_path)
    for own in NO_IDS:
        rows = [{"id": own, "title": "Trap"}, {"id": "6", "title": "Other"}]
        listed = {"result_ok": True, "total_count": 2, "total_pages": 1, "data": rows}
        scripted.answer("survey", listed)
        client._transport._cache.forget()
        with pytest.raises(TransportError, match="as the id of the survey 'Trap'") as caught:
            call(client, "Trap")
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 300
        assert client.surveys()["title"].tolist() == ["Trap", "Other"]
    assert tree(tmp_path) == before
    assert {path for _, path, _ in scripted.asked} <= {"/v5/survey", "/v5/account"}


@CALL
def test_an_id_that_a_user_made_up_is_told_and_nothing_is_made(
    scripted, place, victim, tmp_path, call
):
    scripted.answer("account", {"result_ok": True, "data": {"id": "10001"}})
    scripted.answer("survey", {"result_ok": True, "data": [{"id": "6", "title": "Other"}]})
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    before = tree(tmp_path)
    for own in [*NO_IDS, b"5", "<b></b>", "a\0b"]:
        titles = ("../../../victim", "..", "/", "5/../6", "5?page=2", "%2e%2e", "-5")
        if own == " 5":
            continue  # blanks around an id are a slip of the hand
        kind = SurveyNotFound if own in titles else InvalidArgument
        with pytest.raises(kind):
            call(client, own)
    assert tree(tmp_path) == before
    assert {path for _, path, _ in scripted.asked} <= {"/v5/survey", "/v5/account"}


def test_the_stores_themselves_take_no_other_ids(scripted, place, victim, tmp_path):
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    before = tree(tmp_path)
    for own in NO_IDS:
        for call in (client._stores.survey_folder, client._stores.sync):
            with pytest.raises(InvalidArgument, match="is not the id of a survey"):
                call(own)
    assert scripted.asked == []
    assert tree(tmp_path) == before


def test_a_survey_has_one_folder_however_its_id_is_written(small):
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    for own in (int(SURVEY), float(SURVEY), f"  {SURVEY} ", f"00{SURVEY}"):
        assert client.sync(own).place == folder
    assert client.stored()["id"].tolist() == [SURVEY]


def test_a_title_of_any_letters_is_still_found(scripted, place):
    rows = [{"id": "6", "title": "CO² and/or ../methane"}, {"id": "7", "title": "Other"}]
    scripted.answer("survey", {"result_ok": True, "data": rows})
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    for piece in ("²", "and/or", "../"):
        assert client.survey_id(piece) == "6"


def test_the_id_that_was_asked_for_is_the_one_to_go_on_with(scripted, place):
    client = serve(scripted, [], [response(1, {})])
    told = {"id": "../../account", "title": "Made by hand", "pages": []}
    scripted.answer("survey/5", {"result_ok": True, "data": told})
    frame = client.responses(5, progress="none")
    assert frame.index.tolist() == [1]
    assert frame.alchemer.facts["survey_id"] == "5"
    assert {path for _, path, _ in scripted.asked} == {
        "/v5/survey/5",
        "/v5/survey/5/surveyquestion",
        "/v5/survey/5/surveyresponse",
    }


@pytest.mark.parametrize("own", ["../x", "²", None, "", -1])
def test_an_account_without_an_id_has_no_folder(scripted, place, tmp_path, own):
    scripted.answer("account", {"result_ok": True, "data": {"id": own, "organization": "x"}})
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    with pytest.raises(TransportError, match="id of the account"):
        client.sync(5)
    with pytest.raises(TransportError, match="id of the account"):
        client.stored()
    assert tree(tmp_path) == {}


def test_of_a_survey_that_is_not_there_nothing_is_made(small, place):
    client = fresh_client(small)
    with pytest.raises(NotFound):
        client.sync(123456)
    assert not place.exists()
    assert client.stored().empty


# What lies in the folders and is not ours.


@posix
def test_odd_names_in_the_folder_of_an_account_break_nothing(small, place, victim):
    client = fresh_client(small)
    account = client.sync(SURVEY).place.parent
    for name in ("survey-²", "survey-", "survey-007", "survey-x", "survey-9" + "9" * 30, "notes"):
        (account / name).mkdir()
    (account / "survey-7").write_text("a file")
    (account / "survey-8").symlink_to(account / "nowhere")
    before = tree(account)
    stored = fresh_client(small).stored()
    assert stored["id"].tolist() == [SURVEY]
    assert stored["bytes"].iloc[0] > 0
    query = "select count(*) as n from customer_satisfaction"
    count = fresh_client(small).sql(query, test_rows="include")
    assert count["n"].iloc[0] == 30
    assert tree(account) == before


@posix
def test_odd_files_in_the_folder_of_a_survey_do_not_count(small, victim):
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    size = client.stored()["bytes"].iloc[0]
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / "large.bin").write_bytes(bytes(1 << 20))
    (folder / "below").mkdir()
    assert client.stored()["bytes"].iloc[0] == size


def test_a_store_that_cannot_be_read_hides_no_other(small):
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    other = folder.with_name("survey-5")
    other.mkdir()
    (other / "manifest.json").write_text(json.dumps({"format": manifest.FORMAT + 1}), "utf-8")
    with pytest.warns(UserWarning, match="survey-5 .* newer version"):
        stored = client.stored()
    assert stored.set_index("id")["rows"].to_dict() == {"5": 0, SURVEY: 30}
    query = "select count(*) as n from customer_satisfaction"
    assert client.sql(query, test_rows="include")["n"].iloc[0] == 30


def foreign(folder: Path, victim: Path) -> dict[str, tuple[int, object]]:
    """Puts the user's own files into the folder of a survey, many of which look like ours."""
    definition = (folder / "definition-0001.json").read_bytes()
    part = (folder / "responses-000001.parquet").read_bytes()
    for name, content in {
        "notes.txt": b"mine",
        ".hidden": b"mine",
        "manifest.json.bak": b"mine",
        "definition-0001-copy.json": definition,
        "definition-old.json": definition,
        "definition-²²²².json": definition,
        "responses-000001 (copy).parquet": part,
        "responses-backup-000001.parquet": part,
        "responses-7.parquet": part,
        "responses-000001.parquet.bak": part,
        "table-mine.parquet": part,
        "table-000001-0123456789ab.parquet.csv": b"mine",
        ".notes.txt.12.part": b"mine",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "below").mkdir()
    (folder / "below" / "responses-000001.parquet").write_bytes(part)
    (folder / "table-000009-0123456789ab.parquet").mkdir()
    for name in ("elsewhere", "responses-000099.parquet", "table-000008-0123456789ab.parquet"):
        (folder / name).symlink_to(victim / "thesis.txt")
    (folder / "a folder").symlink_to(victim)
    (folder / "definition-0099.json").symlink_to(folder / "nowhere")
    return {name: told for name, told in tree(folder).items() if not is_ours(folder, name)}


def is_ours(folder: Path, name: str) -> bool:
    """Whether the first sync had made it; ``foreign`` is called after one alone."""
    starts = ("manifest.json", "lock", "responses-000001.parquet", "definition-0001.json")
    return name in starts or (name.startswith("table-000001-") and name.endswith(".parquet"))


@posix
@pytest.mark.parametrize(
    "lost",
    [pytest.param(False, marks=pytest.mark.long), True],
    ids=["manifest", "no manifest"],
)
def test_the_store_sweeps_its_own_files_alone(moving, victim, lost):
    client = fresh_client(moving)
    folder = client.sync(SURVEY).place
    theirs, outside = foreign(folder, victim), tree(victim)
    leftovers = [
        "responses-000098.parquet",
        "definition-0098.json",
        "table-000098-0123456789ab.parquet",
        f".manifest.json.{os.getpid()}0.part",
        ".responses-000098.parquet.12ab34cd56ef.part",
    ]
    for name in leftovers:
        (folder / name).write_bytes(b"cut short")
    if lost:
        (folder / "manifest.json").unlink()
    moving.touch(SURVEY, [3, 4], data={"3": {"value": "77"}})
    assert fresh_client(moving).sync(SURVEY).rows == 30
    same(client.responses(SURVEY, store=True, **ALL), fresh_client(moving).responses(SURVEY, **ALL))
    assert client.expunge(SURVEY, responses=3) == [3]
    assert client.scan(SURVEY, test_rows="include").count_rows() == 29
    after = tree(folder)
    assert {name: after.get(name) for name in theirs} == theirs
    assert not set(leftovers) & set(after)
    assert tree(victim) == outside


@posix
def test_a_folder_that_is_there_keeps_its_mode(small, place):
    """What is made in it is for the user alone."""
    place.mkdir()
    place.chmod(0o755)
    client = fresh_client(small)
    folder = client._stores.survey_folder(SURVEY)
    folder.mkdir(parents=True)
    folder.parent.chmod(0o751)
    folder.chmod(0o750)
    client.sync(SURVEY)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (place, folder.parent, folder)]
    assert modes == [0o755, 0o751, 0o750]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    other = client.sync(9000002).place
    assert stat.S_IMODE(other.stat().st_mode) == 0o700


@posix
def test_a_survey_may_lie_elsewhere_where_the_user_has_put_a_link(small, place, victim):
    """Its folder is too large for this disk, say; what else lies there stays as it is."""
    client = fresh_client(small)
    folder = client._stores.survey_folder(SURVEY)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(victim)
    before = {**tree(victim), "": stat.S_IMODE(victim.stat().st_mode)}
    client.sync(SURVEY)
    assert client.sync(SURVEY).rows == 30
    assert client.stored()["rows"].tolist() == [30]
    after = {**tree(victim), "": stat.S_IMODE(victim.stat().st_mode)}
    assert {name: after[name] for name in before} == before
    assert folder.is_symlink()


@posix
def test_nothing_is_written_through_a_link(moving, victim):
    client = fresh_client(moving)
    folder = client.sync(SURVEY).place
    secret = victim / "thesis.txt"
    (folder / f".manifest.json.{os.getpid()}.part").symlink_to(secret)
    (folder / "expunged.json").symlink_to(secret)
    outside = tree(victim)
    with pytest.raises(StoreError, match=r"expunged\.json"):
        client.sync(SURVEY)
    (folder / "expunged.json").unlink()
    moving.touch(SURVEY, [3], data={"3": {"value": "77"}})
    assert client.sync(SURVEY).changed == 1
    part = folder / "responses-000001.parquet"
    moved = victim / "part"
    part.rename(moved)
    part.symlink_to(moved)
    outside = tree(victim)
    assert "fetched again" in " ".join(fresh_client(moving).sync(SURVEY).notes)
    (folder / "lock").unlink(missing_ok=True)
    (folder / "lock").symlink_to(secret)
    with pytest.raises(StoreError, match="link"):
        client.sync(SURVEY)
    assert tree(victim) == outside


PART = {"rows": 1, "low": 1, "high": 1, "size": 1}
CHANGES = {
    "a part elsewhere": lambda told: told["parts"][0].update(number="/../../../victim/thesis"),
    "a part as text": lambda told: told["parts"][0].update(number="000001"),
    "a part below nothing": lambda told: told["parts"][0].update(number=-1),
    "a part that is huge": lambda told: told["parts"][0].update(number=10**30),
    "a part twice": lambda told: told["parts"].append({**told["parts"][0]}),
    "a number that is taken": lambda told: told.update(next=1),
    "a definition elsewhere": lambda told: told["definitions"][0].update(number="/../../../x"),
    "a definition without a number": lambda told: told["definitions"][0].pop("number"),
    "a zone elsewhere": lambda told: told.update(zone="../../../../etc/passwd"),
    "a zone that is a folder": lambda told: told.update(zone="America"),
    "syncs of another type": lambda told: told.update(syncs=[7]),
    "syncs without a number": lambda told: told.update(syncs=[{"utc": None}]),
    "parts of another type": lambda told: told.update(parts={"number": 1}),
    "orders of another type": lambda told: told.update(dates=["x"]),
}


# Each is refused where one of the others is.
MORE = {
    "a definition elsewhere",
    "syncs of another type",
    "a part below nothing",
    "a part that is huge",
    "a definition without a number",
    "a zone that is a folder",
    "syncs without a number",
    "a part as text",
    "a number that is taken",
    "parts of another type",
    "orders of another type",
}


@posix
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=name, marks=pytest.mark.long if name in MORE else ())
        for name, change in CHANGES.items()
    ],
)
def test_a_manifest_that_was_tampered_with_leads_nowhere_else(small, victim, change):
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    # The way there would exist: "responses-/../../../victim/thesis.parquet".
    for name in ("responses-", "definition-"):
        (folder / name).mkdir()
    (victim / "thesis.parquet").write_bytes(b"mine")
    outside = tree(victim)
    told = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(told)
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    assert client.stored()["id"].tolist() == [SURVEY]
    with pytest.raises(AlchemerError):
        client.sql("select count(*) from customer_satisfaction")
    assert "made anew" in " ".join(fresh_client(small).sync(SURVEY).notes)
    same(client.responses(SURVEY, store=True, **ALL), fresh_client(small).responses(SURVEY, **ALL))
    assert tree(victim) == outside


# Ids of responses.


def test_expunge_takes_ids_of_responses_alone(small):
    """A number that is none would be read as another person's, or stay in the list for ever."""
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    before = tree(folder)
    for own in (10**30, 2**63, -3, 12.7, "²", "12,13", True, None, "../x", [[1]]):
        for given in ([own], [3, own]):
            with pytest.raises(InvalidArgument):
                client.expunge(SURVEY, responses=given)
    assert tree(folder) == before
    assert client.expunge(SURVEY, responses="12") == [12]


def test_a_list_of_expunged_ids_that_holds_others_is_told(small):
    client = fresh_client(small)
    folder = client.sync(SURVEY).place
    for listed in ([10**30], ["²"], [True], {"a": 1}, [1.5], 7):
        (folder / "expunged.json").write_text(json.dumps(listed), "utf-8")
        with pytest.raises(StoreError, match=r"expunged\.json"):
            client.responses(SURVEY, store=True, **ALL)


@pytest.mark.parametrize(
    "own",
    [
        *(10**30, 2**40 + 2, "../2", True, None),
        *(pytest.param(own, marks=pytest.mark.long) for own in (2**63, "²", 2.5, -2)),
    ],
)
def test_a_response_without_an_id_takes_no_other_ones_place(scripted, place, own):
    """Responses 1 and 2 are stored as they came, and what cannot be is not passed by in silence."""
    scripted.answer("account", {"result_ok": True, "data": {"id": "10001"}})
    odd = {**response(2, {}), "id": own, "session_id": "odd"}
    rows = [response(1, {}), response(2, {}, session_id="two"), odd]
    client = serve(scripted, [], rows)
    synced = client.sync(5)
    assert (synced.rows, synced.told) == (2, 3)
    assert synced.notes == ("1 response came without a valid id and is not stored",)
    stored = client.scan(5, "pandas")
    assert stored["session_id"].to_dict()[2] == "two"
    assert stored.index.tolist() == [1, 2]


NOBODY = (
    *({"contact_id": own} for own in ("²", "../x", "5\0", "ann", True, 5.5, {}, b"5")),
    *({"responses": own} for own in (b"12", bytearray(b"12"), "²", [b"12"])),
    *({"email": own} for own in ("ann", 5, True, b"ann@example.org", ["ann@example.org"])),
)


def test_nobody_is_expunged_for_what_names_nobody(small, tmp_path):
    place = fresh_client(small).sync(SURVEY).place
    before = tree(place)
    refused = []
    for who in NOBODY:
        with contextlib.suppress(InvalidArgument):
            fresh_client(small).expunge(SURVEY, **who)
            continue
        refused.append(who)
        assert tree(place) == before, who
    assert refused == list(NOBODY)


def test_a_contact_is_the_same_however_its_id_is_written(scripted, place):
    serve(scripted, [], [response(own, {}, contact_id=str(own % 2 + 6)) for own in range(1, 5)])
    scripted.answer("account", {"result_ok": True, "data": {"id": "10001"}})
    client = Client(ApiKey("token", "secret"), region=scripted.region)
    client.sync(5)
    assert client.expunge(5, contact_id=7.0) == [1, 3]
    assert client.expunge(5, contact_id="006") == [2, 4]


@posix
def test_a_place_that_cannot_be_looked_into_is_told(small, monkeypatch):
    calls = {
        "sync": lambda client: client.sync(SURVEY),
        "stored": lambda client: client.stored(),
        "sql": lambda client: client.sql("select 1"),
        "expunge": lambda client: client.expunge(SURVEY, responses=1),
    }
    for named, kind in (("/" + "a" * 300, StoreError), ("~nobody-of-that-name/x", AlchemerError)):
        monkeypatch.setenv("ALCHEMER_STORE", named)
        for call in calls.values():
            with pytest.raises(kind, match=named[:20]):
                call(fresh_client(small))
