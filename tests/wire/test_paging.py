"""Which rows the envelopes of lists have; right values by hand."""

from __future__ import annotations

import pytest

from alchemer_nb.wire.paging import read_totals, reply_rows

A, B = {"id": 1, "name": "a"}, {"id": 2, "name": "b"}
ENVELOPES = {
    "a list": ({"result_ok": True, "data": [A, B]}, [A, B]),
    "a list with holes": ({"data": [None, A, [], {}, B, None]}, [A, B]),
    "holes alone": ({"data": [None, []]}, []),
    "nothing": ({"result_ok": True, "data": None}, []),
    "an empty map": ({"data": []}, []),
    "quotas": ({"quotas": [A, None]}, [A]),
    "no quotas": ({"result_ok": True, "quotas": None}, []),
    "quotas within data": ({"data": {"quotas": [A, B]}}, [A, B]),
    "no quotas within data": ({"data": {"quotas": []}}, []),
    "keyed by id": ({"data": {"7": {"name": "x"}, "8": {"name": "y"}}},
                    [{"id": "7", "name": "x"}, {"id": "8", "name": "y"}]),
    "keyed by id with a hole": ({"data": {"7": {"name": "x"}, "8": None, "9": []}},
                                [{"id": "7", "name": "x"}]),
    "one object": ({"data": {"id": 5, "team": [1, 2]}}, [{"id": 5, "team": [1, 2]}]),
    "one object alone": ({"result_ok": True, "id": 5, "name": "x"}, [{"id": 5, "name": "x"}]),
    "text": ({"data": "no rows"}, []),
    "values": ({"data": [0, False, "x"]}, [0, False, "x"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_rows_of_an_envelope(name):
    envelope, rows = ENVELOPES[name]
    assert reply_rows(envelope) == rows
    assert read_totals(envelope).rows == len(rows)


@pytest.mark.parametrize("inside", [False, True])
def test_a_list_has_the_pages_that_it_announces(inside):
    data = {"quotas": [A]} if inside else [A]
    assert read_totals({"data": data, "total_pages": 3}).total_pages == 3
    assert read_totals({"data": {"id": 5, "name": "x"}, "total_pages": 3}).total_pages == 1


def test_two_pages_of_rows_without_an_id_are_no_copies_of_one():
    first, second = ({"data": [{"name": name}, {"name": name, "id": None}]} for name in "ab")
    assert read_totals(first).key == read_totals(dict(first)).key != read_totals(second).key
