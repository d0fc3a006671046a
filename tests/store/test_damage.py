"""A damaged file is never read as other data: it is built or fetched again, or the error says how.

What is right is checked against a walk of the API by ``requests``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from alchemer_nb.errors import AlchemerError, InvalidArgument, StoreDamaged, StoreError
from alchemer_nb.store import digests, engines, manifest, opening, parts, paths
from alchemer_nb.store.reading import read_download
from tests.store.conftest import SURVEY, quiet_box
from tests.store.damage import (
    EXPUNGED,
    KINDS,
    READERS,
    WAYS,
    become_folder,
    client_of,
    cut,
    damage,
    flip,
    make_stored,
    remove,
    same_as,
    take_earlier,
    take_from_other_survey,
)

LONG = pytest.mark.long
EARLIER = Path(__file__).parents[1] / "earlier" / "store"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    with quiet_box(responses=60) as box:
        yield make_stored(box, tmp_path_factory.mktemp("damage"))


def many(stored, tmp_path, cases, seed, *, is_thorough=False) -> Counter[str]:
    chance, counts = random.Random(seed), Counter()
    for number, (kind, way) in enumerate(cases):
        to = tmp_path / str(number)
        counts += damage(stored, to, kind, way, chance, is_thorough=is_thorough)
    return counts


@pytest.mark.parametrize(
    "kinds",
    [("manifest", "part"), pytest.param(("definition", "table", "expunged"), marks=LONG)],
    ids="+".join,
)
def test_a_flipped_byte_in_each_kind_of_file_is_no_other_data(stored, tmp_path, kinds):
    counts = many(stored, tmp_path, [(kind, flip) for kind in kinds], seed=1)
    assert sum(counts.values()) == 3 * len(kinds)


FLIPS = 600


@pytest.mark.long
def test_hundreds_of_flipped_bytes_are_no_other_data(stored, tmp_path):
    cases = [(kind, flip) for kind in KINDS for _ in range(FLIPS // len(KINDS))]
    counts = many(stored, tmp_path, cases, seed=2, is_thorough=True)
    print(f"{len(cases)} flipped bytes: 0 wrong, 0 untyped; reads: {dict(counts)}")  # noqa: T201
    assert sum(counts.values()) == 3 * len(cases)


SOME = (("expunged", remove), ("part", take_from_other_survey), ("table", cut))
MORE = (("manifest", remove), ("manifest", take_earlier), ("definition", become_folder))


@pytest.mark.parametrize("cases", [SOME, pytest.param(MORE, marks=LONG)], ids=["some", "more"])
def test_other_damages(stored, tmp_path, cases):
    """Expunged responses stay away, too, whichever file is lost."""
    counts = many(stored, tmp_path, cases, seed=1)
    assert sum(counts.values()) == 3 * len(cases)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_all_damages(stored, tmp_path, way):
    cases = [(kind, way) for kind in KINDS for _ in range(3)]
    many(stored, tmp_path, cases, seed=3, is_thorough=True)


def test_expunged_responses_stay_away_if_manifest_and_list_are_lost(stored, tmp_path):
    """Their rows in the parts say so, too."""
    client, folder = stored.copy(tmp_path / "copy")
    (folder / paths.MANIFEST).unlink()
    (folder / paths.EXPUNGED).unlink()
    client.sync(SURVEY, full=True)
    same_as(stored, "scan", READERS["scan"](client), "both lost")
    assert json.loads((folder / paths.EXPUNGED).read_text())["ids"] == [EXPUNGED]


@pytest.mark.parametrize("way", [remove, pytest.param(take_earlier, marks=pytest.mark.long)])
def test_expunged_responses_stay_away_from_an_earlier_manifest(stored, tmp_path, way):
    """The parts that it does not list yet say who was removed."""
    client, folder = stored.copy(tmp_path / "copy")
    take_earlier(folder / paths.MANIFEST, random.Random(1), stored)
    if way is remove:
        (folder / paths.EXPUNGED).unlink()
    else:
        manifest.write_expunged_ids(manifest.Manifest(tmp_path, SURVEY), set())
        shutil.copy(tmp_path / paths.EXPUNGED, folder)
    same_as(stored, "responses", READERS["responses"](client), "both earlier")
    assert manifest.read_manifest(folder).expunged == [EXPUNGED]


def test_a_part_of_another_survey_is_not_adopted_without_a_manifest(stored, tmp_path):
    client, folder = stored.copy(tmp_path / "copy")
    part = sorted(folder.glob(KINDS["part"]))[-1]
    take_from_other_survey(part, random.Random(1), stored)
    (folder / paths.MANIFEST).unlink()
    for name in ("responses", "scan"):  # whose columns would be of both surveys
        same_as(stored, name, READERS[name](client), "a part of another survey")


def test_an_expunge_that_ended_before_the_manifest_counts(stored, tmp_path):
    client, folder = stored.copy(tmp_path / "copy")
    before = (folder / paths.MANIFEST).read_bytes()
    client.expunge(SURVEY, responses=[7, 1000])
    later = (folder / paths.EXPUNGED).read_bytes()
    shutil.rmtree(folder)
    _, folder = stored.copy(tmp_path / "other")
    (folder / paths.EXPUNGED).write_bytes(later)
    assert (folder / paths.MANIFEST).read_bytes() == before
    client = client_of(stored.box, tmp_path / "other")
    assert 7 not in READERS["scan"](client).index
    client.sync(SURVEY)
    (folder / paths.EXPUNGED).unlink()
    client.sync(SURVEY, full=True)
    assert not {EXPUNGED, 7} & set(READERS["responses"](client).index)
    assert manifest.read_manifest(folder).expunged == [EXPUNGED, 7, 1000]


def test_a_person_is_not_looked_for_where_a_part_is_lost(stored, tmp_path):
    client, folder = stored.copy(tmp_path / "copy")
    sorted(folder.glob(KINDS["part"]))[0].unlink()
    with pytest.raises(StoreDamaged, match="some of this person may be missed"):
        client.expunge(SURVEY, email="ann@example.org")


def test_an_intact_store_is_not_read_twice_for_its_digests(stored, tmp_path):
    client, _ = stored.copy(tmp_path / "copy")
    for read in READERS.values():
        read(client)
    before = digests._known_digest.cache_info().misses
    for read in READERS.values():
        read(client)
    assert digests._known_digest.cache_info().misses == before


def test_each_file_has_its_size_and_digest_in_the_manifest(stored, tmp_path):
    _, folder = stored.copy(tmp_path / "copy")
    files = manifest.read_manifest(folder).files
    there = {path.name for path in folder.iterdir()} - {paths.MANIFEST, paths.LOCK}
    assert set(files) == there
    for name, record in files.items():
        content = (folder / name).read_bytes()
        assert record["size"] == len(content)
        assert record["digest"] == hashlib.blake2b(content, digest_size=16).hexdigest()


def test_a_damaged_table_is_built_again_and_said(stored, tmp_path):
    client, folder = stored.copy(tmp_path / "copy")
    table = sorted(folder.glob(KINDS["table"]))[0]
    flip(table, random.Random(5), stored)
    said = []
    client.scan(SURVEY, progress=said.append, test_rows="include")
    assert said == [f"Customer satisfaction: {table.name} was gone or damaged, and was built again"]
    table.unlink()
    assert f"{table.name} was gone or damaged" in " ".join(client.sync(SURVEY).notes)
    assert client.sync(SURVEY).notes == ()


def test_a_damaged_definition_is_fetched_again_without_all_responses(stored, tmp_path):
    client, folder = stored.copy(tmp_path / "copy")
    flip(next(folder.glob(KINDS["definition"])), random.Random(6), stored)
    with pytest.raises(StoreDamaged, match=r"definition-0001.json in .* Sync the survey"):
        client.changes(SURVEY) if len(client.changes(SURVEY)) else client.scan(SURVEY)
    synced = client.sync(SURVEY)
    assert synced.calls < 4
    assert "definition was fetched again" in " ".join(synced.notes)
    same_as(stored, "scan", READERS["scan"](client), "definition")


def test_a_worker_of_dask_reads_no_damaged_table(stored, tmp_path):
    _, folder = stored.copy(tmp_path / "copy")
    found = engines.open_tables(folder, engines.FrameOptions())
    flip(Path(found.files[0]), random.Random(7), stored)
    with pytest.raises(StoreDamaged, match="Open the survey again"):
        engines.read_table(found.files[0], found=found)


def test_sql_says_which_survey_has_to_be_synced(stored, tmp_path):
    pytest.importorskip("duckdb")
    client, folder = stored.copy(tmp_path / "copy")
    (folder / paths.MANIFEST).write_text("{}")
    with pytest.raises(InvalidArgument, match=f"survey {SURVEY} is damaged .* sync it first"):
        client.sql("select * from customer_satisfaction")


NO_HANDLES = """
import resource, sys
from pathlib import Path
from alchemer_nb.errors import StoreError
from alchemer_nb.store.digests import is_intact, record_file
file = Path(sys.argv[1])
record = record_file(file)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    print(is_intact(file, record))
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="no limits for files there")
def test_a_file_that_cannot_be_read_for_lack_of_handles_is_not_damaged(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"whole")
    command = [sys.executable, "-c", NO_HANDLES, str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"cannot read {file}: Too many open files. Make it readable" in told


@pytest.mark.skipif(os.name == "nt", reason="no limits for files there")
def test_readers_without_file_handles_remove_no_intact_file(stored, tmp_path):
    """Their digests are known, so the files are opened only to be read."""
    import resource

    client, folder = stored.copy(tmp_path / "copy")
    readers = {
        "scan": READERS["scan"],
        "changes": READERS["changes"],
        "download": lambda _: read_download(folder)[1].total_count,
    }
    right = {name: read(client) for name, read in readers.items()}
    before = sorted(folder.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    errors = 0
    for name, read in readers.items():
        for free in range(3):
            taken = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[0], 400), limits[1]))
            try:
                with contextlib.suppress(OSError):
                    while True:
                        taken.append(os.open(os.devnull, os.O_RDONLY))
                for _ in range(free):
                    os.close(taken.pop())
                try:
                    found = read(client)
                except AlchemerError as error:
                    found = error
            finally:
                for handle in taken:
                    os.close(handle)
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            if isinstance(found, AlchemerError):
                errors += 1
                assert "Too many open files" in str(found), f"{name}, {free} free"
            elif name == "scan":
                same_as(stored, name, found, name)
            elif name == "download":
                assert found == right[name]
            assert sorted(folder.iterdir()) == before
    assert errors >= len(readers)


def test_a_part_that_cannot_be_read_for_lack_of_memory_is_not_damaged(stored, tmp_path):
    _, folder = stored.copy(tmp_path / "copy")
    found = manifest.read_manifest(folder)
    damaged = parts._read_error(found, found.parts[0], pa.ArrowInvalid("cut"))
    assert isinstance(damaged, parts.PartDamaged)
    with pytest.raises(StoreError, match=r"responses-\d+.parquet: Cannot allocate memory"):
        parts._read_error(found, found.parts[0], pa.ArrowMemoryError("malloc of size 64 failed"))


DEEP = "[" * 100_000
WRONG = {
    "list": "[]", "null": "null", "number": "1e999", "text": '"x"', "deep": DEEP,
    "no format": "{}", "format": '{"format": {}}', "huge format": '{"format": 1e999}',
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_manifest_of_another_json_type_is_a_typed_error(stored, tmp_path, name):
    client, folder = stored.copy(tmp_path / "copy")
    (folder / paths.MANIFEST).write_text(WRONG[name])
    for name in ("scan", "changes"):
        with pytest.raises(StoreError, match="sync it first"):
            READERS[name](client)


@pytest.mark.parametrize("field", ["files", "parts", "definitions"])
def test_a_manifest_that_lists_files_without_end_names_the_cure(stored, tmp_path, field):
    """Each file that is listed is looked for, and with 600,000 of them for minutes."""
    client, folder = stored.copy(tmp_path / "copy")
    file = folder / paths.MANIFEST
    state = json.loads(file.read_text())
    del state["seal"]
    many = {
        "files": {f"responses-{own:06}.parquet": {} for own in range(1000, 31_000)},
        "parts": [{"number": own} for own in range(1000, 31_000)],
        "definitions": [{"number": own} for own in range(1000, 31_000)],
    }
    state[field] = many[field]
    file.write_text(json.dumps(state | {"seal": manifest._checksum(state)}))
    for name in ("scan", "changes", "responses"):
        with pytest.raises(StoreError, match="lists 30,000 files, as no store has") as caught:
            READERS[name](client)
        assert "delete that file" in str(caught.value)


def test_parts_that_are_gone_together_are_one_note(stored, tmp_path):
    """And one manifest is written, not one for each of them."""
    _, folder = stored.copy(tmp_path / "copy")
    found = manifest.read_manifest(folder)
    gone = [manifest.Part(number, 2, 1, 2, 3) for number in range(1000, 2000)]
    found.parts, found.next = [*found.parts, *gone], 2000
    found.save()
    opened = opening.open_store(folder)
    assert "1,000 parts were gone or damaged, so 2,000 responses had" in opened.doubtful
    assert len(opened.doubtful) < 200
    assert manifest.read_manifest(folder).parts == opened.parts == found.parts[:-1000]


def test_a_manifest_with_a_field_of_another_type_is_a_typed_error(stored, tmp_path):
    """Even if its checksum is right."""
    client, folder = stored.copy(tmp_path / "copy")
    file = folder / paths.MANIFEST
    state = json.loads(file.read_text())
    del state["seal"]
    wrong = (None, True, -1, 10**30, 1.5, "x", [None], {"x": None})
    taken = []
    for key in state:
        for value in wrong:
            changed = state | {key: value}
            file.write_text(json.dumps(changed | {"seal": manifest._checksum(changed)}))
            with contextlib.suppress(manifest.UnreadableFile, StoreError):
                manifest.read_manifest(folder)
                taken.append(key)
    assert {"folder", "parts", "files", "survey", "format", "next"}.isdisjoint(taken)
    file.write_text(json.dumps(state | {"seal": manifest._checksum(state)}))
    same_as(stored, "scan", READERS["scan"](client), "as it was")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read all files")
def test_a_file_that_may_not_be_read_is_a_typed_error(stored, tmp_path):
    for kind, pattern in KINDS.items():
        client, folder = stored.copy(tmp_path / kind)
        next(folder.glob(pattern)).chmod(0)
        for name in ("scan", "responses"):
            with contextlib.suppress(AlchemerError):
                same_as(stored, name, READERS[name](client), kind)


# -- stores of an earlier version -----------------------------------------------------------


@pytest.fixture
def earlier(tmp_path):
    """A copy of a survey's folder in format 1."""
    return Path(shutil.copytree(EARLIER, tmp_path / "account")) / "survey-9000002"


def test_an_earlier_store_gets_its_digests_when_it_is_opened(earlier):
    table = engines.open_tables(earlier, engines.FrameOptions(test_rows="include"))
    assert table.dataset.count_rows() == 5
    found = manifest.read_manifest(earlier)
    assert found.format == manifest.FORMAT
    assert set(found.files) == {path.name for path in earlier.iterdir()} - {
        paths.MANIFEST,
        paths.LOCK,
    }


def test_an_earlier_store_with_a_damaged_part_is_not_read(earlier):
    part = earlier / paths.part_name(1)
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 1
    part.write_bytes(content)
    with pytest.raises(StoreError, match="sync it first"):
        engines.open_tables(earlier, engines.FrameOptions())
    doubtful = manifest.read_manifest(earlier).doubtful
    assert doubtful.startswith("responses-000001.parquet was gone or damaged")


def test_an_earlier_list_of_expunged_ids_counts(earlier):
    (earlier / paths.EXPUNGED).write_text("[2]")
    table = engines.open_tables(earlier, engines.FrameOptions(test_rows="include"))
    assert 2 not in table.to_pandas().index
    assert manifest.read_manifest(earlier).expunged == [2]
    (earlier / paths.EXPUNGED).unlink()
    assert manifest.read_expunged_ids(opening.open_store(earlier)) == {2}


def test_an_earlier_list_of_expunged_ids_that_cannot_be_read_is_an_error(earlier):
    (earlier / paths.EXPUNGED).write_text("[2")
    with pytest.raises(StoreError, match="are not known, so nothing is read or synced"):
        engines.open_tables(earlier, engines.FrameOptions())
