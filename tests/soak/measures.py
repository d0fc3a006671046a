"""What a process holds: memory, threads, open files; and what lies on its disk."""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import threading
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True)
class Measure:
    """What was held at one moment."""

    memory: float  # MB
    threads: int
    descriptors: int
    temporary: int  # files
    stored: int  # files, without those of definitions, each of which is kept


# How much more the end may have than the start, which is measured after the first rounds. A store
# gets up to 16 small parts, each with its table, before they are merged.
BOUNDS = Measure(memory=48, threads=4, descriptors=12, temporary=0, stored=40)
NAMES = ("RSS in MB", "threads", "file descriptors", "temporary files", "files of the store")


def can_measure() -> bool:
    return Path("/proc/self/statm").exists()


def take(store: Path) -> Measure:
    gc.collect()
    pa.default_memory_pool().release_unused()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Measure(
        memory=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        threads=threading.active_count(),
        descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - is one of them itself
        temporary=_count_files(Path(tempfile.gettempdir())),
        stored=_count_files(store) - len([*store.rglob("definition-*")]),
    )


def _count_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def start_and_end(taken: list[Measure]) -> tuple[Measure, Measure]:
    """The medians of a quarter of the rounds after the warm-up, and of the last quarter."""
    warm = taken[len(taken) // 5 :]
    size = max(1, len(warm) // 4)
    return _median(warm[:size]), _median(warm[-size:])


def _median(taken: list[Measure]) -> Measure:
    return Measure(*map(statistics.median, zip(*map(astuple, taken), strict=True)))


def growth(start: Measure, end: Measure) -> list[str]:
    """Return what grew more than it may."""
    return [
        f"{name}: {before:.0f} to {after:.0f}, which is more than {bound:+} of growth"
        for name, before, after, bound in zip(
            NAMES, astuple(start), astuple(end), astuple(BOUNDS), strict=True
        )
        if after > before + bound
    ]


def lines(start: Measure, end: Measure) -> list[str]:
    rows = zip(NAMES, astuple(start), astuple(end), astuple(BOUNDS), strict=True)
    table = [f"  {name:<18} {a:>8.0f} {b:>8.0f}   {bound:+}" for name, a, b, bound in rows]
    return [f"  {'':<18} {'start':>8} {'end':>8}   may grow by", *table]


assert len(NAMES) == len(fields(Measure))
