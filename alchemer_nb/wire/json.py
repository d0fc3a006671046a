"""Lenient decoding of the JSON that Alchemer sends."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import msgspec

BOM = b"\xef\xbb\xbf"
# From Python 3.12 on msgspec decodes thousands of levels, where functions of Python reach 1000.
_MOST_LEVELS = 700


def decode_json(body: bytes) -> Any:
    """Decode JSON leniently: drop a BOM, replace lone surrogates.

    Raises:
        ValueError: It is not JSON, or nested too deeply.
    """
    body = body.removeprefix(BOM)
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body)
    with suppress(RecursionError):
        return json.loads(decode_text(body), parse_int=_read_integer)
    raise ValueError("nested too deeply")


def is_nested_too_deeply(decoded: Any) -> bool:
    """Check whether decoded JSON has more levels than recursive functions can follow."""
    level: list[Any] = [[decoded]]  # the lists and maps of a level
    for _ in range(_MOST_LEVELS + 1):
        lists = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for items in lists for each in items if isinstance(each, (dict, list))]
        if not level:
            return False
    return True


def _read_integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python reads: infinite, as 1e999 is
        return float(digits)


def encode_json(value: Any) -> bytes:
    """Encode what ``decode_json`` returned.

    Raises:
        ValueError: It is nested too deeply.
    """
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError):  # a number of more than 64 bits; half a character
        return json.dumps(value).encode("ascii")
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_text(body: bytes) -> str:
    """Return a body as text, with invalid bytes and escapes replaced by U+FFFD."""
    text = body.removeprefix(BOM).decode("utf-8", errors="replace")
    # ``lone``: one escaped half of a surrogate pair without its other half, which is no character.
    pair = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    lone = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    return re.sub(
        rf"((?:\\\\)+)|({pair})|({lone})",
        lambda m: m.group(1) or m.group(2) or "\\ufffd",
        text,
    )
