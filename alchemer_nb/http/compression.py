"""Bodies as they travel: compressed, and unpacked when somebody reads them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED = "gzip, deflate"
_PIECE = 1 << 20
_ALL = 0  # what zlib takes for no limit
_EDGE = 4096
_GZIP = zlib.MAX_WBITS | 16
_ZLIB = zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
_RAW = -zlib.MAX_WBITS


class Broken(ValueError):
    """A body is cut off, damaged, or packed in a way that was not asked for."""


def unpack(packed: bytes, encoding: str) -> bytes:
    """The bytes of a body.

    Raises:
        Broken: They cannot be had.
    """
    if not encoding:
        return packed
    pieces = list(_pieces(packed, encoding, _ALL))  # mostly one, which is then not copied
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def edges(packed: bytes, encoding: str) -> tuple[bytes, bytes, int]:
    """First and last bytes and length of a body that is whole, without ever holding all of it.

    Raises:
        Broken: It is not whole.
    """
    if not encoding:
        return packed[:_EDGE], packed[-_EDGE:], len(packed)
    head = tail = b""
    size = 0
    for piece in _pieces(packed, encoding, _PIECE):
        head = head if len(head) >= _EDGE else (head + piece)[:_EDGE]
        tail = (tail + piece[-_EDGE:])[-_EDGE:]
        size += len(piece)
    return head, tail, size


def encoding_of(header: str | None) -> str:
    """The encoding that a header names; ``""`` where there is none.

    Raises:
        Broken: It is one that was not asked for.
    """
    name = (header or "").strip().lower()
    if name in ("", "identity", "none"):
        return ""
    if name in ("gzip", "x-gzip"):
        return "gzip"
    if name == "deflate":
        return "deflate"
    raise Broken("packed in a way that was not asked for")


def _pieces(packed: bytes, encoding: str, most: int) -> Iterator[bytes]:
    """Unpacks piece by piece; the checksum at the end is checked on the way."""
    try:
        if encoding == "gzip":
            yield from _members(packed, most)
        else:
            yield from _run(
                zlib.decompressobj(_ZLIB if _has_header(packed) else _RAW), packed, most
            )
    except zlib.error:
        raise Broken("damaged") from None


def _members(packed: bytes, most: int) -> Iterator[bytes]:
    rest = packed
    while rest:
        unpacker = zlib.decompressobj(_GZIP)
        yield from _run(unpacker, rest, most)
        # Several members may follow one another; anything else behind the end is let be.
        rest = unpacker.unused_data
        if not rest.startswith(_MAGIC):
            return


def _run(unpacker: zlib._Decompress, packed: bytes, most: int) -> Iterator[bytes]:
    rest = packed
    while not unpacker.eof:
        piece = unpacker.decompress(rest, most)
        rest = unpacker.unconsumed_tail
        if piece:
            yield piece
        elif not rest and not unpacker.eof:
            raise Broken("cut off")


def _has_header(packed: bytes) -> bool:
    """Whether deflate comes with zlib's header, as it should; some servers leave it out."""
    return len(packed) > 1 and packed[0] & 15 == 8 and (packed[0] << 8 | packed[1]) % 31 == 0
