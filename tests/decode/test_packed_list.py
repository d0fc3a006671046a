"""Whatever is packed comes back equal and of the same type."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.decode import packed_list
from alchemer_nb.decode.leaves import Leaf, RawAnswer, RawAnswers
from alchemer_nb.decode.packed_list import PackedList

BLOCK = packed_list._BLOCK
# Also what MessagePack cannot hold: huge numbers, and halves of surrogate pairs.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**64, -(2**70), 1, 1.0, True, "1", "\ud83d", "\0", "é", "😀"]),
    st.floats(),
    st.text(),
)


@given(st.lists(SCALARS, min_size=1, max_size=9), st.integers(0, 2 * BLOCK + 9))
def test_scalars_come_back_as_they_were(some, count):
    values = (some * (count // len(some) + 1))[:count]
    packed = PackedList(msgspec.msgpack.Decoder(list[str | int | float | bool | None]))
    packed.extend(values[: count // 3])
    packed.extend(values[count // 3 :])
    assert repr([*packed]) == repr(values)
    assert len(packed) == len(values)
    assert repr([packed[at] for at in range(0, count, 100)]) == repr(values[::100])


@given(st.lists(st.builds(RawAnswer, SCALARS, SCALARS, SCALARS, SCALARS), min_size=1, max_size=9))
def test_answers_come_back_as_they_were(some):
    values = some * BLOCK
    answers = RawAnswers(values)
    assert repr([*answers]) == repr(values)
    assert type(answers[0]) is RawAnswer


def test_a_copy_grows_apart():
    packed = PackedList(msgspec.msgpack.Decoder(list[str]))
    packed.extend(["a"] * BLOCK)
    packed.append("b")
    other = packed.copy()
    other.append("c")
    packed.append("d")
    assert (packed[BLOCK], packed[BLOCK + 1]) == ("b", "d")
    assert (other[BLOCK], other[BLOCK + 1]) == ("b", "c")
    assert len(packed) == len(other) == BLOCK + 2
    with pytest.raises(IndexError):
        packed[BLOCK + 2]


@given(st.lists(st.lists(st.integers(1, 700), min_size=1, max_size=20), max_size=6))
def test_rows_and_codes_of_any_size_come_back(pages):
    leaf, rows, codes = Leaf(), [], []
    for gaps in pages:
        new = (rows[-1] if rows else -1) + np.cumsum(gaps)
        numbers = [leaf.encode(f"text {gap}") for gap in gaps]
        leaf.extend(new.astype(np.int32), np.array(numbers, dtype=np.int32))
        rows += new.tolist()
        codes += numbers
    assert leaf.rows.tolist() == rows
    assert leaf.codes.tolist() == codes
