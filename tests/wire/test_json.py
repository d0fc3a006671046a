"""JSON that is read leniently, and JSON that nobody can read."""

from __future__ import annotations

import json
import math

import pytest

from alchemer_nb.wire.json import BOM, decode_json, encode_json, is_nested_too_deeply

DEEP = b"[" * 100_000 + b"]" * 100_000  # of Python 3.13, too


@pytest.mark.parametrize(
    "body",
    [DEEP, BOM + DEEP, b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["lists", "lists behind a BOM", "maps"],
)
def test_json_nested_too_deeply_is_no_json(body):
    with pytest.raises(ValueError, match="nested too deeply"):
        decode_json(body)


@pytest.mark.parametrize(("opened", "closed"), [(b"[[", b"]]"), (b'{"a": [1, ', b"]}")])
def test_what_functions_can_follow_has_700_levels_at_most(opened, closed):
    deepest = opened * 350 + b"2" + closed * 350
    assert not is_nested_too_deeply(decode_json(deepest))
    assert is_nested_too_deeply(decode_json(b"[" + deepest + b"]"))


def test_a_number_with_more_digits_than_python_reads_is_infinite():
    body = b"[%s, -%s, %s]" % (b"9" * 5000, b"9" * 5000, b"9" * 400)
    assert decode_json(body) == [math.inf, -math.inf, 10**400 - 1]


@pytest.mark.parametrize("value", [10**30, {"a": [-(2**70)]}, "\ud800", {"ok": 1.5, "x": None}])
def test_whatever_was_read_is_written_again(value):
    assert json.loads(encode_json(value)) == value


def test_a_value_nested_too_deeply_is_not_written():
    value: list = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        encode_json(value)
