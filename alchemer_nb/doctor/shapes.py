"""Compares the shape of Alchemer's replies with what this package and its sandbox expect.

A shape is paths, JSON types and counts. No value gets into it, and no key that is data: the keys of
a map are written ``<id>`` or ``<name>``, and a key that is not in ``expected_shapes.json`` is
written ``<key>``. An unknown key may be a new field, or an alias that somebody chose; a hash of it
could be guessed, so it is only counted.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE = Path(__file__).with_name("expected_shapes.json")
_ID = re.compile(r"-?[0-9]+(?:-other)?", re.A)
_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}
ANOTHER_TYPE, UNKNOWN_KEY, MISSING = "another type", "unknown key", "missing"

Spec = str | list[Any] | dict[str, Any]  # as in the file: a kind, a choice of kinds, an object


@dataclass(frozen=True, slots=True)
class PathShape:
    """What was found at one path of one reply.

    Attributes:
        reply: Which reply, such as ``"responses"``.
        path: Keys with dots between them; ``[]`` stands for the items of a list.
        types: JSON types with the number of values that have them.
        count: Number of values; of objects without the key where it is missing.
        expected: JSON types that are expected, or ``""``.
        difference: ``ANOTHER_TYPE``, ``UNKNOWN_KEY``, ``MISSING``, or ``""``.
    """

    reply: str
    path: str
    types: str
    count: int
    expected: str
    difference: str = ""


def compare(name: str, reply: Any) -> list[PathShape]:
    """Compare a reply with the expected shape.

    Args:
        name: A name of ``reply_names``.
        reply: The decoded JSON.
    """
    file = _read_file()
    comparison = _Comparison(file["kinds"])
    comparison.visit(reply, _expected_reply(file, name, reply), "")
    return comparison.rows(name)


def reply_names() -> tuple[str, ...]:
    """Return the names of the replies whose shape is known."""
    return tuple(_read_file()["replies"])


@functools.cache
def _read_file() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return content


def _expected_reply(file: Mapping[str, Any], name: str, reply: Any) -> dict[str, Any]:
    envelope, data = file["replies"][name]
    fields = dict(file["kinds"][envelope])
    if envelope == "One" and isinstance(reply, dict) and "data" not in reply:
        # Some single objects come with their fields next to ``result_ok`` (vendor's reference).
        return {**fields, **file["kinds"][data]}
    return {**fields, "data": data} if data else fields


class _Comparison:
    """The paths of one reply, as they are visited."""

    def __init__(self, kinds: Mapping[str, Spec]) -> None:
        self._kinds = kinds
        self._words = {
            field.removesuffix("?")
            for kind in kinds.values()
            if isinstance(kind, dict)
            for field in kind
        }
        self._types: dict[str, Counter[str]] = {}
        self._expected: dict[str, set[str]] = {}
        self._differences: dict[tuple[str, str], int] = {}

    def rows(self, reply: str) -> list[PathShape]:
        """Return one row a path, and one for each key that is missing somewhere."""
        rows = []
        for path, types in self._types.items():
            found = ", ".join(f"{kind} {count}" for kind, count in types.most_common())
            expected = ", ".join(sorted(self._expected.get(path, ())))
            kinds = [k for k in (UNKNOWN_KEY, ANOTHER_TYPE) if (path, k) in self._differences]
            total = types.total()
            rows.append(PathShape(reply, path, found, total, expected, ", ".join(kinds)))
        for (path, kind), count in self._differences.items():
            if kind == MISSING:
                expected = ", ".join(sorted(self._expected[path]))
                rows.append(PathShape(reply, path, "", count, expected, MISSING))
        return rows

    def visit(self, value: Any, spec: Spec | None, path: str) -> None:
        """Note a value and all below it; ``spec`` is None where nothing is expected."""
        kind = _kind_of(value)
        self._types.setdefault(path, Counter())[kind] += 1
        choices = [] if spec is None else list(self._resolve(spec))
        if choices:
            self._expected.setdefault(path, set()).update(map(_describe, choices))
            if not _fits(kind, choices):
                self._note(path, ANOTHER_TYPE)
                choices = []
        if isinstance(value, list):
            lists = (str(choice) for choice in choices if _is_a(choice, "list of "))
            inner = next((choice.removeprefix("list of ") for choice in lists), None)
            for item in value:
                self.visit(item, inner, f"{path}[]")
        elif isinstance(value, dict):
            self._visit_object(value, _choose(choices, value), path)

    def _visit_object(self, value: dict[str, Any], choice: Spec | None, path: str) -> None:
        before = f"{path}." if path else ""
        if not isinstance(choice, dict):
            inner = None if choice is None else str(choice).removeprefix("map of ")
            for key, item in value.items():
                self.visit(item, inner, f"{before}{_general_key(key, '<name>')}")
            return
        fields = {name.removesuffix("?"): spec for name, spec in choice.items()}
        for key, item in value.items():
            if key in fields:
                self.visit(item, fields[key], f"{before}{key}")
                continue
            shown = key if key in self._words else _general_key(key, "<key>")
            self._note(f"{before}{shown}", UNKNOWN_KEY)
            self.visit(item, None, f"{before}{shown}")
        for name, spec in choice.items():
            if not name.endswith("?") and name not in value:
                self._expected.setdefault(f"{before}{name}", set()).update(
                    map(_describe, self._resolve(spec))
                )
                self._note(f"{before}{name}", MISSING)

    def _resolve(self, spec: Spec) -> Iterable[Spec]:
        """Yield the choices of a kind: JSON types, lists, maps and objects."""
        if isinstance(spec, list):
            for each in spec:
                yield from self._resolve(each)
        elif isinstance(spec, str) and spec in self._kinds:
            yield from self._resolve(self._kinds[spec])
        else:
            yield spec

    def _note(self, path: str, difference: str) -> None:
        self._differences[path, difference] = self._differences.get((path, difference), 0) + 1


def _kind_of(value: Any) -> str:
    if isinstance(value, list):
        return "list" if value else "empty list"
    return _TYPES.get(type(value), "object")


def _fits(kind: str, choices: Iterable[Spec]) -> bool:
    described = set(map(_describe, choices))
    # PHP writes an empty map as an empty list.
    return kind in described or (kind == "empty list" and bool(described & {"list", "object"}))


def _describe(choice: Spec) -> str:
    if isinstance(choice, dict) or _is_a(choice, "map of "):
        return "object"
    return "list" if _is_a(choice, "list of ") else str(choice)


def _is_a(choice: Any, start: str) -> bool:
    return isinstance(choice, str) and choice.startswith(start)


def _choose(choices: Iterable[Spec], value: Mapping[str, Any]) -> Spec | None:
    """Return the object that has most keys of a value; a map if no object has any."""
    objects = [choice for choice in choices if isinstance(choice, dict)]
    best = max(objects, key=lambda one: _common_keys(one, value), default=None)
    if best is not None and _common_keys(best, value):
        return best
    return next((choice for choice in choices if _is_a(choice, "map of ")), best)


def _common_keys(one: Mapping[str, Any], value: Mapping[str, Any]) -> int:
    return len({name.removesuffix("?") for name in one} & set(value))


def _general_key(key: str, otherwise: str) -> str:
    return "<id>" if _ID.fullmatch(key) else otherwise
