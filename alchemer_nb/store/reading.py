"""Reads a store: its responses as answers, just as a download would have brought them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import StoreError
from alchemer_nb.fetch.download import Download
from alchemer_nb.store import manifest as files
from alchemer_nb.store import parts
from alchemer_nb.store.manifest import Manifest, Unreadable, load_expunged
from alchemer_nb.store.opening import definition_of, drop, opened
from alchemer_nb.store.paths import locked
from alchemer_nb.store.streaming import chosen, pages, stream
from alchemer_nb.store.tables import page_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alchemer_nb.survey.definition import Definition

_TRIES = 5
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Read:
    """What a store holds.

    Attributes:
        survey: The definition as of the last sync.
        download: The responses, as if they had just come.
        utc: When the last sync began.
    """

    survey: Definition
    download: Download
    utc: str | None


def peek(folder: Path) -> Manifest | None:
    """The manifest of a store that was synced to its end; None where there is none that is whole.

    Raises:
        StoreNewer: A newer version of this package wrote it.
    """
    try:
        found = files.load(folder)
    except Unreadable:
        return None
    return found if found is not None and found.complete and not found.doubtful else None


def steadily(folder: Path, read: Callable[[Manifest], _Result]) -> _Result:
    """Reads while others may write: files that went meanwhile are looked for once more.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    last = None
    for _ in range(_TRIES):
        found = peek(folder)
        if found is None:
            raise StoreError(f"{folder} holds no survey that was synced to its end; sync it first")
        state = [part.number for part in found.parts]
        try:
            return read(found)
        except parts.Damaged as damaged:
            number = damaged.number
        except FileNotFoundError:
            number = 0
        if state == last:  # nobody else has changed it meanwhile
            break
        last = state
    _take_out(folder, number)
    raise StoreError(f"a file in {folder} is damaged; sync the survey, which mends it")


def _take_out(folder: Path, number: int) -> None:
    """Notes that a part cannot be read, for the next sync to mend."""
    with locked(folder):
        manifest = opened(folder, folder.name.rpartition("-")[2])
        if any(part.number == number for part in manifest.parts):
            drop(folder, manifest, number)


def read(folder: Path) -> Read:
    """Reads all responses of a store.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    return steadily(folder, lambda manifest: _read(folder, manifest))


def _read(folder: Path, manifest: Manifest) -> Read:
    survey = definition_of(folder, manifest)
    index = parts.index(folder, manifest, without=load_expunged(folder))
    rows = chosen(index, index.here)
    result = Download(AnswersBuilder(survey), told=int(index.here.sum()))
    for some in pages(stream(folder, manifest, rows)):
        result.builder.add_page(page_of(some))
        result.pages += 1
    return Read(survey, result, manifest.utc)
