"""Reads the responses of a store as answers, in the same form as a download."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import StoreDamaged
from alchemer_nb.fetch.download import Download
from alchemer_nb.fetch.raw_pages import join_page
from alchemer_nb.store import paths
from alchemer_nb.store.digests import FileDamaged, check_is_damage
from alchemer_nb.store.manifest import (
    FORMAT,
    Manifest,
    UnreadableFile,
    read_expunged_ids,
    read_manifest,
)
from alchemer_nb.store.opening import add_digests, drop_parts, open_store, read_stored_definition
from alchemer_nb.store.parts import in_chunks, read_index, read_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alchemer_nb.survey.definition import Definition

SYNC_HINT = "Sync the survey, which mends it, then run this again"
_ATTEMPTS = 5
_Result = TypeVar("_Result")


def read_complete_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a store; None if no sync was completed, or it has to be repaired.

    Raises:
        StoreNewer: A newer version of this package wrote it.
    """
    try:
        manifest = read_manifest(folder)
    except UnreadableFile:
        return None
    if manifest is None or not manifest.complete or manifest.doubtful:
        return None
    return manifest


def read_consistently(folder: Path, read: Callable[[Manifest], _Result]) -> _Result:
    """Read while other processes may write: read again if a sync removes files during the read.

    Raises:
        StoreDamaged: A file is gone or damaged.
        StoreError: There is no store.
    """
    last, damaged = None, paths.MANIFEST
    for _ in range(_ATTEMPTS):
        manifest = read_complete_manifest(folder)
        if manifest is None:
            raise paths.not_stored(folder)
        if manifest.format < FORMAT:
            if paths.is_writable(folder):
                _upgrade(folder)
                continue
            add_digests(manifest)  # each time anew, as they cannot be written
        try:
            return read(manifest)
        except FileDamaged as error:
            damaged = error.name
        except OSError as error:  # a file that went, or cannot be read
            check_is_damage(error, Path(error.filename or folder))
            damaged = Path(error.filename or "").name or damaged
        if manifest.files == last:  # no other process has replaced the file, so it is damaged
            break
        last = manifest.files
    with paths.lock_folder(folder):  # the next sync downloads its responses again
        manifest = open_store(folder)
        found = [part for part in manifest.parts if part.name == damaged]
        if found:
            drop_parts(manifest, found)
    raise _damaged(damaged, folder)


@contextmanager
def as_store_error(folder: Path) -> Iterator[None]:
    """Raise a ``FileDamaged`` of the block, which uses a store, as a ``StoreDamaged``."""
    try:
        yield
    except FileDamaged as error:
        raise _damaged(error.name, folder) from None


def _damaged(name: str, folder: Path) -> StoreDamaged:
    return StoreDamaged(f"{name} in {folder} is gone or damaged", hint=SYNC_HINT)


def _upgrade(folder: Path) -> None:
    """Add the digests that an earlier version of this package did not write."""
    with paths.lock_folder(folder):
        open_store(folder).save()


def read_download(folder: Path) -> tuple[Definition, Download, str | None]:
    """Read all responses of a store, as a download of this moment.

    Returns:
        The definition at the last sync, the download, and when that sync began.

    Raises:
        StoreError: There is no store, or it is damaged.
    """

    def read(manifest: Manifest) -> tuple[Definition, Download, str | None]:
        survey = read_stored_definition(manifest)
        index = read_index(manifest, without=read_expunged_ids(manifest))
        rows = index.rows_by_part(index.has_content)
        result = Download(AnswersBuilder(survey), total_count=int(index.has_content.sum()))
        for chunk in in_chunks(read_versions(manifest, rows)):
            result.builder.add_page(join_page(version.content for version in chunk))
            result.pages += 1
        return survey, result, manifest.utc

    return read_consistently(folder, read)
