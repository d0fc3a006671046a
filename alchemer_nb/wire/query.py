"""Checks the path of a call, and writes its parameters as PHP reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API_VERSION = "v5"
_CREDENTIAL_NAMES = ("api_token", "oauth_")
_IN_PATH = re.compile(rf"(?:{'|'.join(_CREDENTIAL_NAMES)})\w*\s*(?:=|%)", re.I)
_SIGNED = (
    "calls are signed with the credentials you signed in with. If a secret stood in a cell, clear "
    "it and regenerate the key"
)


def clean_path(path: str) -> str:
    """Return a path in the form ``survey/123/surveyresponse``.

    Raises:
        InvalidArgument: It is an address, leaves the API, or carries a query or credentials.
    """
    text = str(path).strip()
    if _IN_PATH.search(text):
        raise InvalidArgument(f"a path holds no credentials: {_SIGNED}")
    if "://" in text or text.startswith("//"):
        raise InvalidArgument("give a path such as survey/123, not a whole address")
    if "?" in text or "#" in text:
        raise InvalidArgument("give parameters apart from the path, not after a question mark")
    if not text.isprintable() or "%" in text or "\\" in text:
        raise InvalidArgument(
            f"{text[:60]!a} is not a path of the API: it has no percent signs, backslashes or "
            "characters that cannot be seen"
        )
    parts = [p for p in text.split("/") if p]
    if parts and parts[0].lower() == API_VERSION:
        parts = parts[1:]
    if not parts or any(p.strip() in (".", "..") for p in parts):
        raise InvalidArgument(f"{text[:60]!r} is not a path of the API, such as survey/123")
    return "/".join(parts)


def flatten(values: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield nested values as PHP reads them: ``data[2][value]=…``.

    Raises:
        InvalidArgument: The name of a parameter is one for credentials.
    """
    for name, value in (values or {}).items():
        if str(name).lower().startswith(_CREDENTIAL_NAMES):
            raise InvalidArgument(f"{str(name)[:30]!r} is not taken as a parameter: {_SIGNED}")
        yield from _pairs(str(name), value)


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, bytes):
        raise InvalidArgument(f"{name} is bytes; give text")
    if isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _pairs(f"{name}[{key}]", inner)
    else:
        yield name, json.dumps(value) if isinstance(value, (int, float)) else str(value)
