"""JSON and flags as Alchemer sends them, with what strict readers refuse."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

BOM = b"\xef\xbb\xbf"


def decode(body: bytes) -> Any:
    """Decode JSON leniently: drop a BOM, replace lone surrogates.

    Raises:
        ValueError: It is not JSON.
    """
    body = body.removeprefix(BOM)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return json.loads(clean(body))


def clean(body: bytes) -> str:
    """Return a body as text, with bytes and escapes that are no text replaced."""
    text = body.removeprefix(BOM).decode("utf-8", errors="replace")
    # An escaped half of a surrogate pair without its other half.
    pair = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    lone = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    return re.sub(
        rf"((?:\\\\)+)|({pair})|({lone})",
        lambda m: m.group(1) or m.group(2) or "\\ufffd",
        text,
    )


def read_flag(value: Any) -> bool:
    """Read a flag, which comes as true, 1, ``"1"``, ``"true"`` or ``"True"``."""
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes")
    return bool(value)


def truths(values: Sequence[Any]) -> list[bool]:
    """Read many flags, most of which are the same few texts."""
    if set(map(type, values)) <= {str}:
        return list(map({text: read_flag(text) for text in set(values)}.__getitem__, values))
    return [read_flag(value) for value in values]
