"""Where stores lie: one folder for each account, in it one for each survey.

What lies there is personal data, so nobody but the user may look into it, and its place is told
with every result.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb.errors import ConfigurationError, StoreBusy, StoreError
from alchemer_nb.files import write_atomically
from alchemer_nb.store import names
from alchemer_nb.wire.ids import given_id, id_number

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER_NAME = "ALCHEMER_STORE"
_SURVEY = "survey-"
_PATIENCE = 10.0  # seconds to wait for another notebook before saying that it is busy


def root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all stores: as given, from ``ALCHEMER_STORE``, or in the user's data.

    Raises:
        ConfigurationError: It lies in the home of somebody who has none.
    """
    named = os.environ.get(FOLDER_NAME, "").strip() if given is None else given
    if named:
        try:
            return Path(named).expanduser()
        except RuntimeError:
            pass
        raise ConfigurationError(
            f"{named} names no folder for stores: there is no such home; see {FOLDER_NAME}"
        )
    import platformdirs

    return platformdirs.user_data_path("alchemer_nb", appauthor=False) / "store"


def account_folder(home: Path, host: str, account_id: object) -> Path:
    """The folder of an account; its name tells nobody whose it is."""
    text = f"{host}\n{account_id}"
    return home / f"account-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def survey_name(survey_id: object) -> str:
    """What the folder of a survey is called in that of its account.

    Raises:
        InvalidArgument: It is no id.
    """
    return f"{_SURVEY}{given_id(survey_id, 'a survey')}"


def surveys_in(account: Path) -> list[str]:
    """Ids of the surveys that have a folder; what has another name there is none of ours."""
    if not is_there(account):
        return []
    entries = [path.name for path in names.inside(account)]
    found = [name.removeprefix(_SURVEY) for name in entries if name.startswith(_SURVEY)]
    ids = {str(number) for number in map(id_number, found) if number is not None}
    return sorted((own for own in ids if is_there(account / survey_name(own))), key=int)


def is_there(folder: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        StoreError: That may not be known.
    """
    try:
        return folder.is_dir()
    except OSError as error:
        raise StoreError(f"cannot look into {folder}: {error.strerror or error}") from None


def make(folder: Path) -> None:
    """Makes a folder, and those above it that are ours, for the user alone.

    One that is there already is the user's, whether it is a link to another place, or open to
    others, and stays as it is: what is made in it is for the user alone.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        at = error.filename or folder
        raise StoreError(f"cannot make the folder {at}: {error.strerror or error}") from None


@contextmanager
def locked(folder: Path, patience: float | None = None) -> Iterator[None]:
    """Holds a survey's folder against other notebooks; the lock ends with its process.

    Raises:
        StoreBusy: Another one holds it.
    """
    import filelock

    place = folder / names.LOCK
    lock = filelock.FileLock(place, mode=0o600)
    try:
        if place.is_symlink():  # a lock empties what it opens
            raise StoreError(f"{place} is a link to another file; remove it, then run this again")
        lock.acquire(timeout=_PATIENCE if patience is None else patience, poll_interval=0.05)
    except filelock.Timeout:
        busy = True
    except OSError as error:
        raise StoreError(f"cannot write to {folder}: {error.strerror or error}") from None
    else:
        busy = False
    if busy:
        raise StoreBusy(
            f"another notebook or program is working on {folder}; wait for it, then run this again"
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def written(place: Path) -> Iterator[Path]:
    """A temporary name that becomes ``place`` once it is on the disk, whole, or never.

    Raises:
        StoreError: The disk is full, or refuses for another reason; what was there stays.
    """
    temporary = place.with_name(names.unfinished(place.name))
    try:
        with write_atomically(place, mode=0o600, temporary=temporary, durable=True):
            yield temporary
    except OSError as error:
        raise StoreError(
            f"{place.parent} could not be written ({error.strerror or error}). What it held "
            "before is unharmed; make room, then sync again to go on where this ended"
        ) from None
