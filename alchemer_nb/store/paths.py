"""Folders and files of the stores: names, locks, and atomic writes.

There is one folder for each account, and in it one for each survey. They hold personal data, so
only the user may read them. Users may put files of their own into a survey's folder: only regular
files with a name of this module belong to the store and are ever removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb.errors import ConfigurationError, StoreBusy, StoreError
from alchemer_nb.files import write_atomically
from alchemer_nb.wire.ids import check_given_id, id_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

FOLDER_VARIABLE = "ALCHEMER_STORE"
_SURVEY = "survey-"
_READ_ONLY_HINT = (
    "client.responses(…, store=True) reads it as it is, client.verify compares it. For all "
    f"else copy the store to where you may write, and set {FOLDER_VARIABLE} to that folder"
)
_LOCK_TIMEOUT = 10.0  # seconds to wait for another notebook before raising StoreBusy

MANIFEST = "manifest.json"
EXPUNGED = "expunged.json"
LOCK = "lock"
_SIX = "(?:[0-9]{6}|[1-9][0-9]{6,11})"
_FOUR = "(?:[0-9]{4}|[1-9][0-9]{4,11})"
PART_PATTERN = re.compile(rf"responses-{_SIX}\.parquet")
DEFINITION_PATTERN = re.compile(rf"definition-{_FOUR}\.json")
TABLE_PATTERN = re.compile(rf"table-{_SIX}-[0-9a-f]{{12}}\.parquet")
_COMPLETE = "|".join(
    [
        *map(re.escape, (MANIFEST, EXPUNGED, LOCK)),
        *(each.pattern for each in (PART_PATTERN, DEFINITION_PATTERN, TABLE_PATTERN)),
    ]
)
FILE_PATTERN = re.compile(_COMPLETE)
_ANY_PATTERN = re.compile(rf"{_COMPLETE}|\.(?:{_COMPLETE})\.[0-9a-f]+\.part")


@contextmanager
def _raise_store_error(problem: str) -> Iterator[None]:
    """Raise an ``OSError`` of the block as a ``StoreError`` that names its path."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{problem} {error.filename}: {error.strerror or error}") from None


# -- folders --------------------------------------------------------------------------------


def find_root(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of all stores: as given, from ``ALCHEMER_STORE``, or in the user's data.

    Raises:
        ConfigurationError: It starts with ``~``, and there is no such home folder.
    """
    named = os.environ.get(FOLDER_VARIABLE, "").strip() if given is None else given
    if named:
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise ConfigurationError(
                f"{named} names no folder for stores: there is no such home; see {FOLDER_VARIABLE}"
            ) from None
    import platformdirs

    return platformdirs.user_data_path("alchemer_nb", appauthor=False) / "store"


def account_folder(root: Path, host: str, account_id: object) -> Path:
    """Return the folder of an account; a hash, so that its name identifies nobody."""
    text = f"{host}\n{account_id}"
    return root / f"account-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def survey_folder_name(survey_id: object) -> str:
    """Return the name of a survey's folder.

    Raises:
        InvalidArgument: It is no id.
    """
    return f"{_SURVEY}{check_given_id(survey_id, 'a survey')}"


def list_survey_folders(account: Path) -> dict[str, Path]:
    """Return survey id -> folder of the surveys that have one, by ascending id."""
    if not folder_exists(account):
        return {}
    entries = [path.name for path in list_folder(account)]
    found = [name.removeprefix(_SURVEY) for name in entries if name.startswith(_SURVEY)]
    ids = sorted({number for number in map(id_number, found) if number is not None})
    folders = {str(number): account / f"{_SURVEY}{number}" for number in ids}
    return {survey_id: folder for survey_id, folder in folders.items() if folder_exists(folder)}


def folder_exists(folder: Path) -> bool:
    """Check for a folder.

    Raises:
        StoreError: Access is denied.
    """
    with _raise_store_error("cannot look into"):
        return folder.is_dir()


def list_folder(folder: Path) -> list[Path]:
    """Return everything in a folder, by name.

    Raises:
        StoreError: Access is denied.
    """
    with _raise_store_error("cannot look into"):
        return sorted(folder.iterdir())


def is_writable(folder: Path) -> bool:
    """Check whether this user may write to a folder, and its disk is not mounted as read-only."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def make_folders(folder: Path) -> None:
    """Make a survey's folder, the account's and the root, readable for the user alone.

    A folder that exists keeps its permissions, and may be a link.

    Raises:
        StoreError: It cannot be made.
    """
    with _raise_store_error("cannot make the folder"):
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def lock_folder(folder: Path, timeout: float | None = None) -> Iterator[None]:
    """Lock a survey's folder against other processes; the lock ends with its process.

    Raises:
        StoreBusy: Another process holds it.
    """
    import filelock

    path = folder / LOCK
    lock = filelock.FileLock(path, mode=0o600)
    _check_no_folder(path)
    try:
        if path.is_symlink():  # filelock truncates the file that it opens
            raise StoreError(f"{path} is a link to another file; remove it, then run this again")
        lock.acquire(timeout=_LOCK_TIMEOUT if timeout is None else timeout, poll_interval=0.05)
    except filelock.Timeout:
        raise StoreBusy(
            f"another notebook or program is working on {folder}; wait for it, then run this again"
        ) from None
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror or error}",
            hint="" if is_writable(folder) else _READ_ONLY_HINT,
        ) from None
    try:
        yield
    finally:
        lock.release()


# -- files of a survey's folder -------------------------------------------------------------


def part_name(number: int) -> str:
    """Return the file name of a part."""
    return f"responses-{number:06}.parquet"


def definition_name(number: int) -> str:
    """Return the file name of a definition."""
    return f"definition-{number:04}.json"


def table_name(number: int, digest: str) -> str:
    """Return the file name of a part's table; the digest is of all that it is built from."""
    return f"table-{number:06}-{digest}.parquet"


def file_number(path: Path) -> int:
    """Return the number in the file name of a part or a definition."""
    return int(path.stem.rpartition("-")[2])


def list_store_files(folder: Path, pattern: re.Pattern[str] = _ANY_PATTERN) -> list[Path]:
    """Return the files of the store in a survey's folder, by name.

    Args:
        folder: The survey's.
        pattern: ``PART_PATTERN``, ``DEFINITION_PATTERN`` or ``TABLE_PATTERN`` for these alone.
    """
    return [p for p in list_folder(folder) if pattern.fullmatch(p.name) and is_regular_file(p)]


def is_regular_file(path: Path) -> bool:
    """Check for a file that is not a link to one."""
    return path.is_file() and not path.is_symlink()


def remove_file(path: Path) -> None:
    """Remove a file of the store; leave a link or a folder of the same name.

    Raises:
        StoreError: Access is denied.
    """
    with _raise_store_error("cannot remove"):
        if is_regular_file(path):
            path.unlink(missing_ok=True)


def remove_other_files(
    folder: Path, keep: Set[str], pattern: re.Pattern[str] = _ANY_PATTERN
) -> None:
    """Remove the files of the store whose names are not in ``keep``."""
    for path in list_store_files(folder, pattern):
        if path.name not in keep:
            remove_file(path)


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise StoreError(
            f"{path} is a folder, where the store has a file",
            hint="Move that folder away, then run this again",
        )


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Write a file as a whole: yield a temporary path, and move it to ``path`` at the end.

    Raises:
        StoreError: The disk is full, or access is denied; the earlier file stays.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    _check_no_folder(path)
    try:
        with write_atomically(path, mode=0o600, temporary=temporary, durable=True):
            yield temporary
    except OSError as error:
        raise StoreError(
            f"{path.parent} could not be written ({error.strerror or error}). What it held "
            "before is unharmed; make room, then sync again to go on where this ended"
        ) from None


def not_stored(folder: Path) -> StoreError:
    """Return the error of a survey that was not synced."""
    survey_id = folder.name.rpartition("-")[2]
    return StoreError(
        f"survey {survey_id} is not stored on this computer, or its first sync did not end: sync "
        "it first",
        hint=f"%alchemer sync {survey_id}, or client.sync({survey_id})",
    )
