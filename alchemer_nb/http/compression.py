"""Compressed bodies of replies: kept as gzip, and unpacked when they are read."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ACCEPTED = "gzip"
# Of a body, as received and unpacked: real pages of 500 responses have a few megabytes. A gzip of
# 300 kB can unpack to 300 MB.
MOST_BYTES = 128 << 20
# Lists and maps of a body: an empty one has two bytes, and takes hundreds once it is decoded. Real
# pages have one for each hundred bytes, definitions one for each thirty.
_MOST_OBJECTS = 2_000_000
_FEW_OBJECTS = 200_000  # in a body of any size
_BYTES_OF_OBJECT = 12
_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PIECE_BYTES = 1 << 18
_EDGE_BYTES = 4096
_GZIP_MAGIC = b"\x1f\x8b"  # the first bytes of a gzip body


class Broken(ValueError):
    """A body that is cut off or damaged."""


class TooLarge(ValueError):
    """A body of more bytes than are read."""


class UnknownEncoding(ValueError):
    """A body in an encoding that was not asked for."""


def is_gzip(header: str | None) -> bool:
    """Parse a ``Content-Encoding`` header.

    Raises:
        UnknownEncoding: It names neither gzip nor a plain body.
    """
    name = (header or "").strip().lower()
    if name not in ("", "identity", "none", "gzip", "x-gzip"):
        raise UnknownEncoding
    return name.endswith("gzip")


def unpack(packed: bytes, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a gzip body.

    Raises:
        Broken: It is not whole.
        TooLarge: It has more than ``most`` bytes.
    """
    pieces = list(_pieces(packed, most + 1, most))  # mostly one, which is then not copied
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def unpack_stream(packed: Iterable[bytes], piece_size: int) -> Iterator[bytes]:
    """Yield the bytes of a gzip body that comes in pieces, at most ``piece_size`` at once.

    Raises:
        Broken: It is not whole.
    """
    unpacker, after = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
    try:
        for received in packed:
            rest = received
            while not unpacker.eof:
                piece = unpacker.decompress(rest, piece_size)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if piece:
                    yield piece
                elif not rest:
                    break
            if unpacker.eof:
                after = (after + rest).lstrip(b"\0")[: len(_GZIP_MAGIC)]
    except zlib.error:
        raise Broken("damaged") from None
    if not unpacker.eof or after == _GZIP_MAGIC:
        raise Broken("cut off, or more than one body")


def has_too_many_objects(body: bytes) -> bool:
    """Check whether decoding a body could fill the memory, without decoding it."""
    most = min(_MOST_OBJECTS, max(_FEW_OBJECTS, len(body) // _BYTES_OF_OBJECT))
    if len(body) < most or _count_brackets(body) <= most:
        return False
    return _count_brackets(_TEXTS.sub(b"", body)) > most  # a text may have any number of them


def _count_brackets(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def unpack_edges(packed: bytes) -> tuple[bytes, bytes]:
    """Return the first and last bytes of a gzip body, unpacked piece by piece.

    Raises:
        Broken: It is not whole.
        TooLarge: It has more than ``MOST_BYTES`` bytes.
    """
    head = tail = b""
    for piece in _pieces(packed, _PIECE_BYTES, MOST_BYTES):
        head = head if len(head) >= _EDGE_BYTES else (head + piece)[:_EDGE_BYTES]
        tail = (tail + piece[-_EDGE_BYTES:])[-_EDGE_BYTES:]
    return head, tail


def _pieces(packed: bytes, piece_size: int, most: int) -> Iterator[bytes]:
    unpacker, rest, count = zlib.decompressobj(zlib.MAX_WBITS | 16), packed, 0
    try:
        while not unpacker.eof:  # zlib checks the checksum at the end
            piece = unpacker.decompress(rest, piece_size)
            rest = unpacker.unconsumed_tail
            count += len(piece)
            if count > most:
                raise TooLarge
            if piece:
                yield piece
            elif not rest and not unpacker.eof:
                raise Broken("cut off")
    except zlib.error:
        raise Broken("damaged") from None
    # Padding, and what a proxy appends, is no part of the body, whose checksum was right.
    if unpacker.unused_data.lstrip(b"\0").startswith(_GZIP_MAGIC):
        raise Broken("more than one body")
