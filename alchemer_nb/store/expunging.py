"""Removes a person's responses from a store for good.

All their versions are removed from all files. Only the ids stay, so that no later sync stores them
again. Nothing is deleted at Alchemer.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

import numpy as np

from alchemer_nb.errors import InvalidArgument, StoreDamaged
from alchemer_nb.store import compacting, opening, parts, paths, tables
from alchemer_nb.store.digests import FileDamaged
from alchemer_nb.store.manifest import Manifest, Part, read_expunged_ids, write_expunged_ids
from alchemer_nb.store.reading import SYNC_HINT, as_store_error
from alchemer_nb.wire.ids import check_given_id, id_number
from alchemer_nb.wire.json import decode_json

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.store.parts import StoredVersion

# Letters and digits that no escape of JSON, HTML or addresses changes.
_PLAIN_PIECES = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")
# Not "ann@example.org" in "joann@example.org" or "ann@example.org.uk".
_WHOLE_ADDRESS = r"(?<![\w.+-])(?<!\w'){}(?![\w-]|\.\w)"


def expunge(
    folder: Path,
    responses: int | Iterable[int] | None = None,
    contact_id: object = None,
    email: str | None = None,
) -> list[int]:
    """Remove responses, and return the ids of those that were stored.

    Args:
        folder: The survey's.
        responses: Response ids.
        contact_id: The contact whose responses are removed.
        email: Responses with this address anywhere in them are removed, not those in which it is
            only a part of another one.

    Raises:
        InvalidArgument: No person is given, or an id or address is none.
        StoreBusy: Another process holds the store.
        StoreDamaged: A part was gone or damaged, so a person's responses may not all be found.
        StoreError: The disk is full, or access is denied.
    """
    ids = _read_ids(responses)
    matches_person = _build_person_test(contact_id, email)
    if not ids and matches_person is None:
        raise InvalidArgument("say whose: responses= (ids), contact_id= or email=")
    if not paths.folder_exists(folder):
        return []
    with paths.lock_folder(folder), as_store_error(folder):
        manifest = opening.open_store(folder)
        if matches_person is not None:
            if manifest.doubtful:
                raise StoreDamaged(
                    f"not all responses of survey {manifest.survey} are in its store "
                    f"({manifest.doubtful}), so some of this person may be missed",
                    hint=SYNC_HINT,
                )
            versions = parts.read_all_versions(manifest, manifest.parts)
            ids |= {version.id for version in versions if matches_person(version)}
        index = parts.read_index(manifest)
        found = sorted(ids.intersection(index.ids[index.has_content].tolist()))
        # The ids first: if this run is interrupted, the next one removes their content.
        write_expunged_ids(manifest, read_expunged_ids(manifest) | ids)
        remove_expunged(manifest)
        manifest.rows = int(parts.read_index(manifest).has_content.sum())
        manifest.save()
        with suppress(FileDamaged):  # a damaged definition: the next sync mends it
            tables.write_tables(manifest)
    return found


def remove_expunged(manifest: Manifest) -> None:
    """Remove the content of listed responses from all parts that hold any."""
    ids = read_expunged_ids(manifest)
    affected = [part for part in manifest.parts if ids and _holds_content(manifest, part, ids)]
    if affected:
        compacting.rewrite(manifest, affected, lambda each: _without_content(each, ids))
        manifest.save()
        opening.remove_leftovers(manifest)


def _without_content(version: StoredVersion, ids: set[int]) -> StoredVersion:
    if version.id not in ids or version.digest == parts.DELETED:
        return version
    return replace(version, updated=None, digest=parts.EXPUNGED, content=None)


def _holds_content(manifest: Manifest, part: Part, ids: set[int]) -> bool:
    stored = parts.read_key_columns(manifest, part, ["response_id", "digest"])
    has_content = ~np.isin(stored["digest"].to_numpy(), (parts.DELETED, parts.EXPUNGED))
    return bool(np.isin(stored["response_id"].to_numpy()[has_content], list(ids)).any())


def _read_ids(given: Any) -> set[int]:
    if given is None:
        return set()
    # Bytes are iterable, too: each byte would become an id.
    is_many = isinstance(given, Iterable) and not isinstance(given, (str, bytes, bytearray))
    items = list(given) if is_many else [given]
    return {int(check_given_id(each, "a response")) for each in items}


def _build_person_test(contact_id: object, email: object) -> Callable[[StoredVersion], bool] | None:
    """Return a test for a person's responses; None where no person is given."""
    is_named = contact_id is not None and contact_id != ""
    contact = check_given_id(contact_id, "a contact") if is_named else ""
    address = _read_address(email)
    if not contact and not address:
        return None
    # Decoding is slow, so only responses that contain the id, or the longest piece of the address
    # that is written alike in all spellings, are decoded.
    needles = [contact.encode()] if contact else []
    if address:
        pieces = _PLAIN_PIECES.findall(str(email))
        needles.append(max(pieces, key=len, default="").lower().encode())
    pattern = re.compile(_WHOLE_ADDRESS.format(re.escape(address)))

    def matches_person(version: StoredVersion) -> bool:
        content = version.content
        if content is None or not any(needle in content.lower() for needle in needles):
            return False
        response = decode_json(content)
        if contact and id_number(response.get("contact_id")) == int(contact):
            return True
        return bool(address) and any(
            pattern.search(_fold(reading))
            for text in _texts(response)
            for reading in _read_ways(text)
        )

    return matches_person


def _read_ways(text: str) -> Iterator[str]:
    """Yield a text, and what it is without the escapes of HTML and of addresses."""
    if "@" in text:
        yield text
    if "&" in text:
        with suppress(ValueError):  # a character reference with thousands of digits
            yield html.unescape(text)
    if "%" in text:
        yield unquote(text)
        yield unquote_plus(text)


def _fold(text: str) -> str:
    """Return a text so that equal addresses are equal, in any case and form of their letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _read_address(given: object) -> str:
    if given is None or (isinstance(given, str) and not given.strip()):
        return ""
    if not isinstance(given, str) or "@" not in given:
        raise InvalidArgument("email= takes an address, such as ann.bell@example.org")
    return _fold(given.strip())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():  # a respondent chooses the names of url variables
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
