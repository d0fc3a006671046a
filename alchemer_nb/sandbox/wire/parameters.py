"""The parameters of a call: query, form body and JSON body in one, as PHP reads them."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

_HEAD = re.compile(r"[^\[]+")
_KEY = re.compile(r"\[([^\]]*)\]")


def read_parameters(
    query: str, content_type: str, body: bytes
) -> tuple[dict[str, str], dict[str, Any]]:
    """Read the parameters of a call.

    Args:
        query: Query string of the address.
        content_type: Header of the body.
        body: The body, a form or JSON; anything else is left alone.

    Returns:
        Flat parameters by name as sent (``filter[field][0]``), and the same as nested maps
        (``data[2][value]`` becomes ``{"data": {"2": {"value": …}}}``), the body's winning.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    extra: Any = None
    if "json" in content_type:
        extra = _json(body)
    elif body and "form-urlencoded" in content_type:
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    flat = dict(pairs)
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _put(tree, name, value)
    if isinstance(extra, dict):
        tree.update(extra)
        flat.update({key: str(value) for key, value in extra.items() if _scalar(value)})
    return flat, tree


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _put(tree: dict[str, Any], name: str, value: str) -> None:
    head = _HEAD.match(name)
    if head is None:
        return
    keys = [head[0], *_KEY.findall(name[head.end() :])]
    place = tree
    for key in keys[:-1]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):  # a[b] after a: the later one wins
            inner = place[key] = {}
        place = inner
    place[keys[-1]] = value
