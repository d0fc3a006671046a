"""Servers that answer large pages with a 500 at once get smaller ones."""

from __future__ import annotations

import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import ServerError
from alchemer_nb.http.retries import Retries
from alchemer_nb.sandbox import Fault
from tests.boxes import copied_box

CUSTOMER = 9000001
LIST = "survey/9000001/surveyresponse"
QUESTIONS = "survey/9000001/surveyquestion"
QUICK = Retries(base=0.001, longest=0.002)


@pytest.fixture(scope="module")
def shared_box():
    with copied_box(responses=640, cache_seconds=0) as made:
        yield made


@pytest.fixture
def box(shared_box):
    shared_box.calm()
    return shared_box


def client_of(box, retries=QUICK):
    key = ApiKey(box.api_token, box.api_token_secret)
    return Client(key, region=box.region, retries=retries)


def calls_of(box, path, start):
    return [call for call in box.seen[start:] if call.path == path]


def refuse(box, path, *sizes, times=None):
    """Answer pages of these sizes with a 500; return the number of calls before."""
    box.fail_next(
        *(Fault(status=500, when={"path": path, "resultsperpage": n}, times=times) for n in sizes)
    )
    return len(box.seen)


@pytest.mark.parametrize("refused", [[500], [500, 250], [500, 250, 125]])
def test_pages_get_smaller_where_large_ones_fail_at_once(box, refused):
    whole = client_of(box).responses(CUSTOMER, progress="none")
    start = refuse(box, LIST, *refused)
    frame = client_of(box).responses(CUSTOMER, progress="none")
    assert frame.index.tolist() == whole.index.tolist()
    by_page = {}
    for call in calls_of(box, LIST, start):
        if call.status == 500:
            key = call.params["resultsperpage"], call.params.get("page", "1")
            by_page[key] = by_page.get(key, 0) + 1
    assert set(by_page.values()) == {3}  # the third one in a row decides
    # Nothing behind the last page of 500 was asked for, whichever size the totals are of.
    assert all(int(size) * (int(number) - 1) < 1000 for size, number in by_page)


def test_a_page_that_fails_twice_is_asked_for_again(box):
    start = refuse(box, LIST, 500, times=2)
    assert len(client_of(box).responses(CUSTOMER, progress="none", limit=400)) == 400
    sizes = [call.params["resultsperpage"] for call in calls_of(box, LIST, start)]
    assert set(sizes) == {"500"}


def test_a_server_that_is_down_is_asked_as_often_as_ever(box):
    box.fail_next(Fault(status=500, when={"path": LIST}, times=None))
    start = len(box.seen)
    with pytest.raises(ServerError) as caught:
        client_of(box).responses(CUSTOMER, progress="none", limit=400)
    assert caught.value.attempts == 8
    smallest = [call.params["resultsperpage"] for call in calls_of(box, LIST, start)][-1]
    assert smallest == "25"


def test_other_lists_get_smaller_pages_too(box):
    whole = client_of(box).table(QUESTIONS)
    refuse(box, QUESTIONS, 500, 250)
    again = client_of(box).table(QUESTIONS)
    assert again.equals(whole)


def test_a_size_that_the_caller_named_gets_smaller_in_order(box):
    whole = client_of(box).table(LIST, {"resultsperpage": 100})
    refuse(box, LIST, 100, 50)
    again = client_of(box).table(LIST, {"resultsperpage": 100})
    assert again["id"].tolist() == whole["id"].tolist()
