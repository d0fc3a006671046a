"""pandas 2.3 and the newest pandas give the same frames, and read each other's files.

Each describes its frames in a process of its own (``describe.py``), from the same sandbox.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from alchemer_nb.sandbox import Sandbox
from tests.environments import REPOSITORY, run

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.peers

Parts = dict[str, str]


class Described(NamedTuple):
    """What one pandas said; each part of each frame is a JSON text."""

    version: str
    frames: Parts
    own_files: Parts
    others_files: Parts


@pytest.fixture(scope="module")
def described(
    pythons: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Described]:
    folders = {name: tmp_path_factory.mktemp("pandas") for name in pythons}
    others = dict(zip(folders, reversed(folders.values()), strict=True))
    script = str(Path(__file__).with_name("describe.py"))

    def describe(name: str, *more: Path, **environ: str) -> str:
        words = [str(pythons[name]), script, str(folders[name]), *map(str, more)]
        return run(words, folder=REPOSITORY, PYTHONPATH=str(REPOSITORY), **environ).strip()

    with Sandbox(seed=7, responses=60, types=True) as box, ThreadPoolExecutor() as pool:
        access = {
            "WILD_ADDRESS": box.url,
            "WILD_ZONE": box.settings.zone_name,
            "WILD_TOKEN": box.api_token,
            "WILD_SECRET": box.api_token_secret,
        }
        versions = dict(
            zip(pythons, pool.map(lambda name: describe(name, **access), pythons), strict=True)
        )
        list(pool.map(lambda name: describe(name, others[name]), pythons))
    kinds = Described._fields[1:]
    return {
        name: Described(versions[name], *(load(folder / f"{kind}.json") for kind in kinds))
        for name, folder in folders.items()
    }


def load(path: Path) -> Parts:
    parts: Parts = json.loads(path.read_text(encoding="utf-8"))
    return parts


def differences(one: Parts, other: Parts) -> dict[str, tuple[str | None, str | None]]:
    """Parts that are not the same to the letter, cut short."""
    return {
        name: ((one.get(name) or "-")[:400], (other.get(name) or "-")[:400])
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    }


# Where ``read_parquet`` leaves the index to pandas, which reads text as it would have made it.
TEXT_INDEXES = {
    "indexed by contact | index",
    "indexed by text | index",
    "waves {'names': 'text', 'values': 'code', 'tz': None} | index",
    "waves {} | index",
}


def split(parts: Parts) -> tuple[Parts, Parts]:
    """Parts of read files, and apart from them the indexes that hold text."""
    apart = {name: parts[name] for name in TEXT_INDEXES}
    return {name: told for name, told in parts.items() if name not in apart}, apart


def test_the_two_are_the_pandas_that_we_name(described: dict[str, Described]) -> None:
    assert described["2.3"].version.startswith("2.3.")
    assert int(described["newest"].version.split(".")[0]) >= 3


def test_the_same_frames(described: dict[str, Described]) -> None:
    old, new = described["2.3"].frames, described["newest"].frames
    assert differences(old, new) == {}
    seen = " ".join(old.values())
    for dtype in (
        "text",
        "float64",
        "boolean",
        "Int64",
        "category of text, ordered",
        "object",
        "datetime64[us]",
        "datetime64[us, UTC]",
        "datetime64[us, America/New_York]",
    ):
        assert f'"dtype": "{dtype}"' in seen  # fmt: skip
    assert len(old) > 5000


def test_the_same_frames_from_files(described: dict[str, Described]) -> None:
    old, new = (split(described[name].own_files)[0] for name in ("2.3", "newest"))
    assert differences(old, new) == {}
    assert any("relabelled" in name for name in old)


@pytest.mark.parametrize("reader", ["2.3", "newest"])
def test_each_reads_what_the_other_wrote(described: dict[str, Described], reader: str) -> None:
    (writer,) = set(described) - {reader}
    written, _ = split(described[writer].own_files)
    assert differences(split(described[reader].others_files)[0], written) == {}


@pytest.mark.parametrize("reader", ["2.3", "newest"])
def test_a_file_gives_the_frame_that_was_written(
    described: dict[str, Described], reader: str
) -> None:
    read, _ = split(described[reader].own_files)
    frames = {name: told for name, told in described[reader].frames.items() if name in read}
    assert differences(frames, {name: read[name] for name in frames}) == {}
    assert len(frames) > 500


def test_text_in_an_index_comes_back_from_a_file_the_same(described: dict[str, Described]) -> None:
    for kind in ("own_files", "others_files"):
        old, new = (split(getattr(described[name], kind))[1] for name in ("2.3", "newest"))
        assert differences(old, new) == {}
