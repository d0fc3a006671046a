"""Removes a person's responses from a store for good.

They leave every file: the responses as they came, in each of their versions, and the columns made
of them. Only their ids stay, so that no later sync brings them back. Alchemer is not asked to
delete anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.store import compacting, opening, parts, paths, tables
from alchemer_nb.store.manifest import load_expunged, save_expunged
from alchemer_nb.store.streaming import Stored, stream
from alchemer_nb.wire.ids import given_id, id_number
from alchemer_nb.wire.json import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest, Part


def expunge(
    folder: Path,
    survey_id: str,
    responses: int | Iterable[int] | None = None,
    contact_id: object = None,
    email: str | None = None,
) -> list[int]:
    """Removes responses; tells the ids of those that were there.

    Args:
        folder: The survey's.
        survey_id: Id.
        responses: Response ids.
        contact_id: The contact whose responses they are.
        email: An address that stands anywhere in them, as an answer or beside the answers.

    Raises:
        InvalidArgument: Nothing says whose, or it is no id and no address.
        StoreBusy: Another notebook is at work on it.
        StoreError: There is no store, or the disk refuses.
    """
    ids = _ids(responses)
    fits = _fits(contact_id, email)
    if not ids and fits is None:
        raise InvalidArgument("say whose: responses= (ids), contact_id= or email=")
    if not paths.is_there(folder):
        return []
    with paths.locked(folder):
        manifest = opening.opened(folder, survey_id)
        if fits is not None:
            ids |= {each.id for each in _everything(folder, manifest) if fits(each)}
        found = _present(folder, manifest, ids)
        # First the list: whatever happens then, nothing of them is read or fetched again.
        save_expunged(folder, load_expunged(folder) | ids)
        finish(folder, manifest)
        manifest.rows = int(parts.index(folder, manifest).here.sum())
        manifest.save(folder)
        tables.make_all(folder, manifest)
    return found


def finish(folder: Path, manifest: Manifest) -> None:
    """Takes out what is on the list and still there, as a run that was ended may have left it."""
    ids = load_expunged(folder)
    touched = [part for part in manifest.parts if ids and _holds(folder, part, ids)]
    if touched:
        compacting.rewrite(folder, manifest, touched, lambda each: _without(each, ids))
        manifest.save(folder)
        opening.sweep(folder, manifest)


def _without(stored: Stored, ids: set[int]) -> Stored:
    if stored.id not in ids or stored.digest == parts.GONE:
        return stored
    return replace(stored, updated=None, digest=parts.EXPUNGED, content=None)


def _ids(given: Any) -> set[int]:
    if given is None:
        return set()
    # Bytes would be taken for many small numbers.
    is_many = isinstance(given, Iterable) and not isinstance(given, (str, bytes, bytearray))
    items = list(given) if is_many else [given]
    return {int(given_id(each, "a response")) for each in items}


def _fits(contact_id: object, email: object) -> Callable[[Stored], bool] | None:
    """Tells whether a response is that person's; None where nobody is named."""
    is_named = contact_id is not None and contact_id != ""
    contact = given_id(contact_id, "a contact") if is_named else ""
    address = _address(email)
    if not contact and not address:
        return None
    # JSON may write other letters than plain ones as \\u….
    needles = [n for n in (contact.encode(), *_written(address)) if n]

    def fits(stored: Stored) -> bool:
        content = stored.content
        if content is None or not any(needle in content.lower() for needle in needles):
            return False
        response = decode(content)
        if contact and id_number(response.get("contact_id")) == int(contact):
            return True
        return bool(address) and any(address in text.casefold() for text in _texts(response))

    return fits


def _address(given: object) -> str:
    if given is None or (isinstance(given, str) and not given.strip()):
        return ""
    if not isinstance(given, str) or "@" not in given:
        raise InvalidArgument("email= takes an address, such as ann.bell@example.org")
    return given.strip().casefold()


def _written(text: str) -> tuple[bytes, ...]:
    plain, escaped = text.encode(), json.dumps(text)[1:-1].encode()
    return (plain, escaped.lower())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _everything(folder: Path, manifest: Manifest) -> Iterator[Stored]:
    return stream(folder, manifest, {p.number: np.arange(p.rows) for p in manifest.parts})


def _present(folder: Path, manifest: Manifest, ids: set[int]) -> list[int]:
    index = parts.index(folder, manifest)
    return [own for own in index.ids[index.here].tolist() if own in ids]


def _holds(folder: Path, part: Part, ids: set[int]) -> bool:
    stored = parts.keys(folder, part, ["response_id", "digest"])
    content = ~np.isin(stored["digest"].to_numpy(), (parts.GONE, parts.EXPUNGED))
    return bool(np.isin(stored["response_id"].to_numpy()[content], list(ids)).any())
