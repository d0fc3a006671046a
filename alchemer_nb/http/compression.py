"""Compressed bodies of replies: kept as gzip, and unpacked when they are read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED = "gzip"
_PIECE_BYTES = 1 << 16
_EDGE_BYTES = 4096
_NO_LIMIT = 0  # zlib's value for pieces of any size
_GZIP_MAGIC = b"\x1f\x8b"  # the first bytes of a gzip body


class Broken(ValueError):
    """A body that is cut off or damaged."""


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


def unpack(packed: bytes) -> bytes:
    """Return the bytes of a gzip body.

    Raises:
        Broken: It is not whole.
    """
    pieces = list(_pieces(packed, _NO_LIMIT))  # mostly one, which is then not copied
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def unpack_edges(packed: bytes) -> tuple[bytes, bytes]:
    """Return the first and last bytes of a gzip body, unpacked piece by piece.

    Raises:
        Broken: It is not whole.
    """
    head = tail = b""
    for piece in _pieces(packed, _PIECE_BYTES):
        head = head if len(head) >= _EDGE_BYTES else (head + piece)[:_EDGE_BYTES]
        tail = (tail + piece[-_EDGE_BYTES:])[-_EDGE_BYTES:]
    return head, tail


def _pieces(packed: bytes, most: int) -> Iterator[bytes]:
    unpacker, rest = zlib.decompressobj(zlib.MAX_WBITS | 16), packed
    try:
        while not unpacker.eof:  # zlib checks the checksum at the end
            piece = unpacker.decompress(rest, most)
            rest = unpacker.unconsumed_tail
            if piece:
                yield piece
            elif not rest and not unpacker.eof:
                raise Broken("cut off")
    except zlib.error:
        raise Broken("damaged") from None
    # Padding, and what a proxy appends, is no part of the body, whose checksum was right.
    if unpacker.unused_data.lstrip(b"\0").startswith(_GZIP_MAGIC):
        raise Broken("more than one body")
