"""Digests of the files of a store, by which a file is known to be the one that was written."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import stat
from pathlib import Path
from typing import TypedDict

from alchemer_nb.errors import StoreError

_CHUNK = 1 << 20
# With any other error the file may be intact, and must not be thrown away.
_SIGNS_OF_DAMAGE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO)


class FileDamaged(Exception):
    """A file of a store is missing, or is not the one that was written.

    Attributes:
        name: Of the file.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is gone or damaged")
        self.name = name


class FileRecord(TypedDict):
    """What the manifest knows of a file: its bytes, and their BLAKE2b digest of 128 bits."""

    size: int
    digest: str


def record_file(path: Path) -> FileRecord:
    """Return the record of a file as it is now.

    Raises:
        OSError: It cannot be read.
    """
    return FileRecord(size=path.stat().st_size, digest=compute_digest(path))


def is_intact(path: Path, record: FileRecord | None) -> bool:
    """Check whether a file is the one of the record; no digest is computed twice in a process.

    Raises:
        StoreError: It cannot be read now, for lack of access, memory or file handles.
    """
    try:
        status = path.lstat()
        if record is None or not stat.S_ISREG(status.st_mode) or status.st_size != record["size"]:
            return False
        times = (status.st_mtime_ns, status.st_ctime_ns)
        found = _known_digest(str(path), status.st_dev, status.st_ino, status.st_size, *times)
    except OSError as error:
        check_is_damage(error, path)
        return False
    return found == record["digest"]


def check_is_damage(error: OSError, path: Path) -> None:
    """Check that a file could not be read because it is gone or damaged.

    Raises:
        StoreError: It may be intact: access, memory or file handles are lacking.
    """
    if error.errno is not None and error.errno not in _SIGNS_OF_DAMAGE:
        raise StoreError(
            f"cannot read {path}: {os.strerror(error.errno)}",
            hint="Make it readable, then run this again; or remove it, then sync the survey",
        ) from None


def forget_digests() -> None:
    """Compute all digests anew: a file was changed without a trace in its size and times."""
    _known_digest.cache_clear()


@functools.lru_cache(maxsize=20_000)  # the arguments change whenever somebody writes to the file
def _known_digest(path: str, *_: int) -> str:
    return compute_digest(Path(path))


def compute_digest(path: Path) -> str:
    """Compute the digest of a file.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
