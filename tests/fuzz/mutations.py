"""Valid input with something wrong in it: in its bytes, in its text, or anywhere in its JSON."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

_LONG, _LONGEST, _DEEP = 70_000, 300_000, 3_000

PIECES = (
    *("\0", "\x1b[31m", "\x7f", "\r\n", "\n", "\t", "\u2028", "\ufeff", "\u200b", "\u202e"),
    *("\ud800", "\udfff\ud800", "e\u0301", "\U0001f3f3\ufe0f\u200d\U0001f308", "²", "٣", "İ", "ß"),
    *("'", '"', "'''", "`", "\\", "\\u", "\\ud800", "%00", "%", "%s", "$", "$$", "{", "}", "{{"),
    *("(", ")", "[", "]", "<", ">", "<<", "=", "==", "!=", "#", ";", ",", ":", "://", "?", "&"),
    *("-", "--", "-o", "--where", "..", "/../", "//", "*", "~", "|", "&#x110000;"),
    *("NaN", "Infinity", "1e999", "-0", "0x1F", "1_000", "9" * 400, "9" * 5000, "null", "None"),
    *("in", "not in", "IS NULL", "and", "or", "-other", "9999-99-99", "2026-02-30", "0001-01-01"),
    *("[" * _DEEP, "(" * _DEEP, "{" * 300, "{" * _DEEP, '"' * 301, "a" * _LONG, " " * 999),
    "a/" * _DEEP,
)  # fmt: skip
_pieces = st.sampled_from(PIECES) | st.text(max_size=5)
# A place in anything, however long: a share of its length.
_places = st.integers(0, 10**6)


def _at(place: int, length: int) -> int:
    return place * length // 10**6


@st.composite
def _text_edits(draw: DrawFn, text: str, others: Sequence[str]) -> str:
    """One edit of a text."""
    first, second = sorted((_at(draw(_places), len(text)), _at(draw(_places), len(text))))
    kind = draw(st.sampled_from(["insert", "replace", "cut", "end", "repeat", "splice", "swap"]))
    if kind in ("insert", "replace"):
        after = text[first:] if kind == "insert" else text[first + 1 :]
        return text[:first] + draw(_pieces) + after
    if kind == "cut":
        return text[:first] + text[second:]
    if kind == "end":
        return text[:first]
    if kind == "repeat":
        return (
            text[:second] + text[first:second] * draw(st.sampled_from([1, 2, 50])) + text[second:]
        )
    if kind == "swap":
        return text[:first] + text[first:second].swapcase()[::-1] + text[second:]
    other = draw(st.sampled_from(list(others)))
    return text[:first] + other[_at(draw(_places), len(other)) :]


@st.composite
def texts(draw: DrawFn, seeds: Sequence[str], most: int = 4) -> str:
    """A valid text after a few edits."""
    text = draw(st.sampled_from(list(seeds)))
    for _ in range(draw(st.integers(0, most))):
        text = draw(_text_edits(text, seeds))[:_LONGEST]
    return text


@st.composite
def contents(draw: DrawFn, seeds: Sequence[bytes], most: int = 3) -> bytes:
    """Valid bytes after a few edits: bits that flip, bytes that are gone, doubled or others."""
    content = bytearray(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(1, most))):
        length = len(content)
        first, second = sorted((_at(draw(_places), length), _at(draw(_places), length)))
        kind = draw(st.sampled_from(["flip", "flip", "byte", "cut", "end", "repeat", "insert"]))
        if kind == "flip" and first < length:
            content[first] ^= 1 << draw(st.integers(0, 7))
        elif kind == "byte" and first < length:
            content[first] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x5C, 0x7B]))
        elif kind == "cut":
            del content[first : min(second, first + draw(st.integers(1, 64)))]
        elif kind == "end":
            del content[first:]
        elif kind == "repeat":
            content[second:second] = content[first:second]
        else:
            content[first:first] = draw(st.binary(max_size=8))
    return bytes(content)


# -- JSON -----------------------------------------------------------------------------------

_RAW, _TWICE = "@raw@", "@twice@"  # of texts that are numbers in the JSON, of keys that come twice
_RAW_TEXT = re.compile(rf'"{_RAW}((?:[^"\\]|\\.)*)"')
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 500, 2**31, 2**53 + 1, 2**63, 2**70, -(2**64), 0.5, -1e308),
    *("", " ", "0", "-1", "1", "01", "yes", "true", "2026-01-15 10:42:26 EST", "10001-other", "x"),
    *([], {}, [[]], [{}], {"": None}, {"a": {"b": []}}, [None], [1, "x", None], {"id": 1}),
    *(f"{_RAW}1e999", f"{_RAW}-1e999", f"{_RAW}NaN", f"{_RAW}{'9' * 400}", f"{_RAW}{'9' * 5000}"),
    *(f"{_RAW}{'[' * _DEEP}{']' * _DEEP}", f"{_RAW}{'[' * 90}{']' * 90}", f"{_RAW}-0"),
    *(_RAW + '{"a":' * _DEEP + "1" + "}" * _DEEP, f"{_RAW}0.1e-400"),
)  # fmt: skip
_values = st.sampled_from(_VALUES) | st.sampled_from(PIECES)


def _places_of(value: Any) -> list[tuple[Any, Any]]:
    """Each item or member anywhere in a value: what holds it, and its key there."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def _retyped(value: Any) -> Any:
    """The same in another type, as another version of the API may send it."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return {str(number): one for number, one in enumerate(value)}
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else [value]
    return str(value)


@st.composite
def _json_edits(draw: DrawFn, value: Any) -> Any:
    """One edit of a value, in place where it can be."""
    places = _places_of(value) if isinstance(value, dict | list) else []
    if not places:
        return draw(_values)
    holder, key = draw(st.sampled_from(places))
    kinds = ["set", "set", "set", "delete", "retype", "nest", "copy", "twice", "rename"]
    kind = draw(st.sampled_from(kinds))
    if kind == "set":
        holder[key] = draw(_values)
    elif kind == "delete":
        del holder[key]
    elif kind == "retype":
        holder[key] = _retyped(holder[key])
    elif kind == "nest":
        holder[key] = draw(
            st.sampled_from([[holder[key]], {"0": holder[key]}, {"id": holder[key]}])
        )
    elif kind == "copy":
        other, own = draw(st.sampled_from(places))
        copied = copy.deepcopy(holder[key]) if _holds(holder, key) else None
        if _holds(other, own):
            other[own] = copied
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == "twice":
        holder[f"{_TWICE}{key}"] = draw(_values)
    else:
        holder[draw(_pieces)] = holder.pop(key)
    return value


def _holds(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def encode(value: Any) -> str:
    """A value as JSON, with numbers that Python does not have, and keys that come twice."""
    text = _RAW_TEXT.sub(lambda found: json.loads(f'"{found[1]}"'), json.dumps(value))
    return text.replace(_TWICE, "")


@st.composite
def jsons(draw: DrawFn, seeds: Sequence[Any], most: int = 4, *, broken: bool = True) -> str:
    """Valid JSON after a few edits anywhere in it, and now and then of its text, too.

    Args:
        draw: Of Hypothesis.
        seeds: Values.
        most: Edits.
        broken: Whether it may be no JSON any more.
    """
    value = copy.deepcopy(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(1, most))):
        value = draw(_json_edits(value))
    text = encode(value)
    if broken and draw(st.integers(0, 9)) == 0:
        text = draw(_text_edits(text, [text]))
    return text


def as_bytes(text: str) -> bytes:
    """The bytes of a text; half a surrogate pair becomes bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def json_contents(seeds: Sequence[Any], **how: Any) -> SearchStrategy[bytes]:
    """The bytes of ``jsons``."""
    return jsons(seeds, **how).map(as_bytes)
