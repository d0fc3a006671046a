"""Removes a person's responses from a store for good.

All their versions are removed from all files. Only the ids stay, so that no later sync stores them
again. Nothing is deleted at Alchemer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import unquote

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

# Letters and digits that are the same bytes in all spellings but the ones of ``_ODD_LETTERS``.
_PLAIN_PIECES = re.compile(r"[a-hj-z0-9]+")  # without i, of which Turkish has two
# A letter or a digit as an escape, of full width, with an invisible character or of a ligature;
# and the ASCII form of a domain with other letters.
_ODD_LETTERS = re.compile(
    rb"\\u00(?:3\d|[46][1-9a-f]|[57][\da])|%(?:25)*(?:3\d|[46][1-9a-f]|[57][\da])"
    rb"|&(?:amp;)*#0*(?:4[89]|5[0-7]|6[5-9]|[789]\d|1[012]\d|x0*[34567][\da-f])|&shy|xn--"
    rb"|\\uff[1-5]|\xef\xbc[\x90-\x99\xa1-\xba]|\xef\xbd[\x81-\x9a]"
    rb"|\\u(?:00ad|200[b-d]|2060|feff)|\xc2\xad|\xe2(?:\x80[\x8b-\x8d]|\x81\xa0)|\xef\xbb\xbf"
    rb"|\\u(?:fb0|017f|212a)|\xef\xac|\xc5\xbf|\xe2\x84\xaa"
    rb"|%(?:25)*(?:26(?:amp%3b)?%(?:25)*23|5cu|c2%(?:25)*ad|c5|e2|ef)"  # the same in an address
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_PUNYCODE = re.compile(r"\bxn--([a-z0-9-]+)")
_JSON_ESCAPES = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[bfnrt\"/])")
_WORD = re.compile(r"\S+")
_NESTED = 3  # escapes of escapes that are read
_MAY_HOLD_ADDRESS = re.compile(r"[@\uff20&%\\]")
_ONE_ADDRESS = re.compile(r"[^\s<>,;:@]+@[^\s<>,;:@]+[^\W_]")
# Chinese, Japanese, Korean, Thai and their like: no blank has to be between word and address.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff"
# Not "ann@example.org" in "joann@example.org" or "ann@example.org.uk"; but in "- ann@example.org".
_WHOLE_ADDRESS = (
    r"(?<!{letter})(?<!{letter}[.+'-])(?<!{letter}(?!\.\.)[.+'-]{{2}})"
    r"(?<!&#(?:039|x27);|&apos;)(?<!&#39;)"  # read without the escape, it may be O'Brien
    r"{address}(?![.-]?(?!_){letter})"
)


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
    # Decoding is slow, so only responses that may hold the id or the address are decoded.
    id_bytes = contact.encode()
    pieces = [each.encode() for each in _PLAIN_PIECES.findall(address.replace("ss", " "))]
    letter = rf"(?:(?![{_UNSPACED}])\w)" if address.isascii() else r"\w"
    pattern = re.compile(_WHOLE_ADDRESS.format(letter=letter, address=re.escape(address)))

    def may_match(content: bytes) -> bool:
        if contact and id_bytes in content:
            return True
        content = content.lower()
        has_all = all(piece in content for piece in pieces)
        return bool(address) and (has_all or _ODD_LETTERS.search(content) is not None)

    def matches_person(version: StoredVersion) -> bool:
        content = version.content
        if content is None or not may_match(content):
            return False
        response = decode_json(content)
        if contact and id_number(response.get("contact_id")) == int(contact):
            return True
        return bool(address) and any(
            pattern.search(reading)
            for text in _texts(response)
            for way in _read_ways(text)
            for reading in _fold(way)
        )

    return matches_person


def _read_ways(text: str) -> Iterator[str]:
    """Yield a text, and what it is without the escapes of HTML, addresses and JSON."""
    if not _MAY_HOLD_ADDRESS.search(text):
        return
    ways = [text, _WORD.sub(_read_plus, text)] if "%" in text and "+" in text else [text]
    for way in ways:
        for _ in range(_NESTED):
            if "@" in way or "\uff20" in way:
                yield way
            plain = unquote(way)
            with suppress(ValueError):  # a character reference with thousands of digits
                plain = html.unescape(plain)
            if "\\" in plain:
                plain = _JSON_ESCAPES.sub(lambda at: chr(int(at[1] or "20", 16)), plain)
            if plain == way:
                break
            way = plain


def _read_plus(word: re.Match[str]) -> str:
    """Return a word of a form as people write it; an address with a plus in it is no such word."""
    is_of_form = "%" in word[0] and "@" not in word[0]
    return word[0].replace("+", " ") if is_of_form else word[0]


def _fold(text: str) -> Iterator[str]:
    """Yield forms of a text in which equal addresses are equal, in any case and form."""
    if text.isascii() and "xn--" not in text.lower():
        yield text.lower()
        return
    # NFKC joins some signs to the next word: a circled 1 becomes a digit.
    for form in ("NFC", "NFKC"):
        for each in {text, _INVISIBLE.sub("", text)}:
            folded = normalize(form, normalize(form, each).casefold())
            folded = folded.replace("i\u0307", "i").replace("\u0131", "i")  # of Turkish
            yield _PUNYCODE.sub(_decode_label, folded)


def _decode_label(label: re.Match[str]) -> str:
    """Return a part of a domain as people write it."""
    try:
        return normalize("NFC", label[1].encode().decode("punycode").casefold())
    except (UnicodeError, ValueError, OverflowError):
        return label[0]


def _read_address(given: object) -> str:
    if given is None or (isinstance(given, str) and not given.strip()):
        return ""
    address = [*_fold(given.strip())][-1] if isinstance(given, str) else ""
    if not _ONE_ADDRESS.fullmatch(address):
        raise InvalidArgument("email= takes an address, such as ann.bell@example.org")
    return address


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
