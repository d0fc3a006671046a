"""A small store with every kind of file, ways to damage it, and what must come of that."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from alchemer_nb.client.client import Client
from alchemer_nb.errors import AlchemerError, StoreNewer
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.store import paths
from tests.store.conftest import ALL, SURVEY, same

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.sandbox import Sandbox

EXPUNGED = 5
OTHER = "9000002"
KINDS = {
    "manifest": "manifest.json",
    "definition": "definition-*.json",
    "part": "responses-*.parquet",
    "table": "table-*.parquet",
    "expunged": "expunged.json",
}
READERS: dict[str, Callable[[Client], pd.DataFrame]] = {
    "responses": lambda client: client.responses(SURVEY, store=True, **ALL),
    "scan": lambda client: client.scan(SURVEY, "pandas", test_rows="include", progress="none"),
    "changes": lambda client: client.changes(SURVEY),
}


@dataclass
class Stored:
    """A sandbox, its survey in a store, and the frames that this store has.

    Attributes:
        box: Whose data does not change any more.
        root: Folder of the store, which is copied and never damaged.
        early: A copy of the survey's folder after its first sync.
        frames: Name of a reader -> what it returns.
    """

    box: Sandbox
    root: Path
    early: Path
    frames: dict[str, pd.DataFrame]

    def copy(self, to: Path) -> tuple[Client, Path]:
        """Copy the store; return a client of the copy, and the folder of the survey."""
        shutil.copytree(self.root, to)
        client = client_of(self.box, to)
        return client, client._stores.survey_folder(SURVEY)


def client_of(box: Sandbox, root: Path) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region, store=root)


def make_stored(box: Sandbox, folder: Path) -> Stored:
    """Sync twice with changes in between, and remove one response for good."""
    client = client_of(box, folder / "store")
    client.sync(OTHER)
    place = client.sync(SURVEY).place
    shutil.copytree(place, folder / "early")
    box.touch(SURVEY, [3, 4], data={"3": {"value": "77"}})
    box.delete_responses(SURVEY, [10])
    box.add_responses(SURVEY, 3)
    client.sync(SURVEY)
    client.expunge(SURVEY, responses=EXPUNGED)
    frames = {name: read(client) for name, read in READERS.items()}
    is_walked(box, frames)
    return Stored(box, folder / "store", folder / "early", frames)


def is_walked(box: Sandbox, frames: dict[str, pd.DataFrame]) -> None:
    """Compare frames with what the API says, asked without this package."""
    found: dict[int, tuple[Any, ...]] = {}
    key = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
    address = f"{box.url}/v5/survey/{SURVEY}"
    question = requests.get(f"{address}/surveyquestion/3", key, timeout=30).json()["data"]
    labels = {option["value"]: option["title"]["English"] for option in question["options"]}
    page = pages = 1
    while page <= pages:
        query = {**key, "page": page, "resultsperpage": 50}
        told = requests.get(f"{address}/surveyresponse", query, timeout=30).json()
        pages, page = told["total_pages"], page + 1
        for row in told["data"]:
            region = row["survey_data"].get("3", {}).get("answer")
            found[int(row["id"])] = (row["status"], row["session_id"], labels.get(region, region))
    del found[EXPUNGED]
    assert len(found) == 61
    for name in ("responses", "scan"):
        frame = frames[name]
        names = ("status", "session_id", "region" if name == "scan" else "region_q3")
        columns = [frame[each].astype(object) for each in names]
        rows = zip(*(column.where(column.notna(), None) for column in columns), strict=True)
        assert dict(zip(frame.index.tolist(), rows, strict=True)) == found


# -- ways to damage a file ------------------------------------------------------------------


def flip(file: Path, chance: random.Random, _: Stored) -> str:
    """Change one byte to any other."""
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    content[at] ^= chance.randrange(1, 256)
    file.write_bytes(content)
    return f"{file.name}: byte {at} is {content[at]}"


def cut(file: Path, chance: random.Random, _: Stored) -> str:
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(1, len(content))])
    return f"{file.name}: cut"


def empty(file: Path, _: random.Random, __: Stored) -> str:
    file.write_bytes(b"")
    return f"{file.name}: empty"


def remove(file: Path, _: random.Random, __: Stored) -> str:
    file.unlink()
    return f"{file.name}: gone"


def become_folder(file: Path, _: random.Random, __: Stored) -> str:
    file.unlink()
    file.mkdir()
    return f"{file.name}: a folder"


def swap(file: Path, _: random.Random, __: Stored) -> str:
    """Exchange it with another file of its kind, or with any other."""
    pattern = next(pattern for pattern in KINDS.values() if file.match(pattern))
    others = [each for each in sorted(file.parent.glob(pattern)) if each != file]
    other = (others or sorted(file.parent.glob("definition-*")))[0]
    content = other.read_bytes()
    if other != file:
        other.write_bytes(file.read_bytes())
    file.write_bytes(content)
    return f"{file.name}: is {other.name}, and that is it"


def take_from_other_survey(file: Path, _: random.Random, __: Stored) -> str:
    pattern = next(pattern for pattern in KINDS.values() if file.match(pattern))
    others = sorted((file.parent.parent / f"survey-{OTHER}").glob(pattern))
    content = others[0].read_bytes() if others else b'{"survey": "9000002", "ids": [3, 4]}'
    file.write_bytes(content)
    return f"{file.name}: of another survey"


def take_earlier(file: Path, _: random.Random, stored: Stored) -> str:
    """Replace it by an earlier copy of the same file, or of one of its kind."""
    pattern = next(pattern for pattern in KINDS.values() if file.match(pattern))
    others = sorted(stored.early.glob(pattern))
    same_name = stored.early / file.name
    content = b'{"survey": "9000001", "ids": []}'
    if others:
        content = (same_name if same_name.exists() else others[0]).read_bytes()
    file.write_bytes(content)
    return f"{file.name}: an earlier copy"


WAYS = (cut, empty, remove, become_folder, swap, take_from_other_survey, take_earlier)


# -- what comes of it -----------------------------------------------------------------------


def damage(
    stored: Stored,
    to: Path,
    kind: str,
    way: Callable[..., str],
    chance: random.Random,
    *,
    is_thorough: bool,
) -> Counter[str]:
    """Damage one file of a copy; read, sync, read again; count what came of the first reads.

    A read returns what the undamaged store has, or raises an error that says what to do. After a
    sync all is as it was.
    """
    client, folder = stored.copy(to)
    file = chance.choice(sorted(folder.glob(KINDS[kind])))
    what = way(file, chance, stored)
    counts: Counter[str] = Counter()
    names = [name for name in READERS if name != "responses"]  # this one syncs
    for name in [*names, "responses"]:
        found: pd.DataFrame | AlchemerError
        try:
            found = READERS[name](client)
        except AlchemerError as error:
            found = error
        if isinstance(found, AlchemerError):
            assert is_clear(found), f"{what}: {found}"
            counts["typed error"] += 1
        else:
            same_as(stored, name, found, what)
            counts["right"] += 1
    sync(client, folder, what)
    for name in ("scan", "responses"):
        same_as(stored, name, READERS[name](client), what)
    if is_thorough:
        again = client.verify(SURVEY)
        assert again.ok, f"{what}: {again}"
    shutil.rmtree(to)
    return counts


def sync(client: Client, folder: Path, what: str) -> None:
    """Sync; do what an error says."""
    try:
        client.sync(SURVEY)
        return
    except AlchemerError as error:
        caught = error
    if isinstance(caught, StoreNewer):
        assert "delete that file, then sync" in str(caught), what
        (folder / paths.MANIFEST).unlink()
    else:
        assert "Move " in caught.hint, f"{what}: {caught}"
        for place in folder.iterdir():
            if place.is_dir():
                place.rmdir()
    client.sync(SURVEY)


def same_as(stored: Stored, name: str, frame: pd.DataFrame, what: str) -> None:
    if name == "changes":  # a repair is a sync, too
        return
    assert EXPUNGED not in frame.index, what
    expected = stored.frames[name]
    same(frame, expected)


def is_clear(error: AlchemerError) -> bool:
    """Whether an error is one line that says what to do."""
    text = str(error)
    return len(text.splitlines()) == 1 and any(
        word in text.casefold() for word in ("sync", "move ")
    )
