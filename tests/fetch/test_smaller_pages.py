"""Servers that answer large pages with a 500 at once get smaller ones."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import DownloadIncomplete, ServerError
from alchemer_nb.fetch.page_fetcher import PageRange, PageSizes
from alchemer_nb.http.retries import Retries
from alchemer_nb.sandbox import Fault
from tests.boxes import copied_box

CUSTOMER = 9000001
LIST = "survey/9000001/surveyresponse"
QUESTIONS = "survey/9000001/surveyquestion"
QUICK = Retries(base=0.001, longest=0.002)


@pytest.fixture(scope="module")
def shared_box():
    with copied_box(responses=600, cache_seconds=0, calls_per_minute=None) as made:
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
    # The third one in a row decides; of smaller pages, and where one grows again, the first one.
    assert all(by_page[key] == (3 if key[0] == "500" else 1) for key in by_page)
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
    sizes = [call.params["resultsperpage"] for call in calls_of(box, LIST, start)]
    assert sizes == ["500"] * 3 + ["250", "125"] + ["25"] * 3


def test_so_are_other_lists(box):
    box.fail_next(Fault(status=500, when={"path": QUESTIONS}, times=None))
    start = len(box.seen)
    with pytest.raises(ServerError) as caught:
        client_of(box).table(QUESTIONS)
    assert caught.value.attempts == len(calls_of(box, QUESTIONS, start)) == 8


def test_so_is_the_list_of_changes(box):
    when = {"path": LIST, "order_by": "-date_updated"}
    box.fail_next(Fault(status=500, when=when, times=None))
    start = len(box.seen)
    with pytest.raises(DownloadIncomplete) as caught:
        client_of(box).responses(CUSTOMER, progress="none")
    newest = [call for call in calls_of(box, LIST, start) if "order_by" in call.params]
    assert caught.value.cause.attempts == len(newest) == 8


def test_pages_get_smaller_where_they_are_too_large_to_be_read(box):
    whole = client_of(box).responses(CUSTOMER, progress="none")
    many = '{"result_ok": true, "data": [' + "[]," * 3_000_000 + "0]}"
    box.fail_next(Fault(body=many, when={"path": LIST, "resultsperpage": 500}, times=None))
    start = len(box.seen)
    frame = client_of(box).responses(CUSTOMER, progress="none")
    assert frame.index.tolist() == whole.index.tolist()
    pages = [call.params for call in calls_of(box, LIST, start)]
    assert [page["resultsperpage"] for page in pages].count("500") <= 2
    assert len(client_of(box).table(LIST)) == 600  # with the test rows


@pytest.mark.parametrize("times", [5, *(pytest.param(n, marks=pytest.mark.long) for n in (4, 6))])
def test_pages_grow_again_after_trouble_that_passes(box, times):
    whole = client_of(box).table(LIST, {"resultsperpage": 100})
    box.fail_next(Fault(status=500, when={"path": LIST}, times=times))
    start = len(box.seen)
    again = client_of(box).table(LIST, {"resultsperpage": 100})
    assert again["id"].tolist() == whole["id"].tolist()
    sizes = [c.params["resultsperpage"] for c in calls_of(box, LIST, start) if c.status == 200]
    assert sizes[0] != "100"
    assert sizes[-4:] == ["100"] * 4


def walk(first, rows, can_answer, *, largest=0, window=8):
    """The rows that come, and the calls that fail, where a server answers some pages alone."""
    sizes = PageSizes(first, largest or first)
    last, got, failed, waiting = PageRange(first, 1), [], [], deque([PageRange(first, 1)])
    while waiting:
        page = waiting.popleft()
        if page.size > 25 and not can_answer(page, len(failed)):
            failed.append(page)
            sizes.note_failure(page, 1 if page == sizes._trial else 3)
            waiting.extendleft(reversed(page.split()))
            continue
        sizes.note_success(page)
        got += range(page.size * (page.number - 1), page.size * page.number)
        while len(waiting) < window and last.size * last.number < rows:
            last = sizes.after(last)
            sizes.note_sent(last)
            waiting.append(last)
    return got, failed, last


@given(
    st.sampled_from([500, 250, 490, 100]),
    st.lists(st.booleans(), max_size=60),
    st.sampled_from([1, 8]),
)
def test_each_row_comes_once_and_in_order_whatever_fails(first, fails, window):
    got, _, _ = walk(first, 5000, lambda _, n: n >= len(fails) or fails[n], window=window)
    assert got == [*range(len(got))]
    assert len(got) >= 5000


@pytest.mark.parametrize("window", [1, 8])
@pytest.mark.parametrize("works", [250, 125, 25])
def test_a_size_that_never_works_is_tried_less_and_less(works, window):
    got, failed, _ = walk(500, 100_000, lambda page, _: page.size <= works, window=window)
    assert got == [*range(len(got))]
    trials = [page for page in failed[3 * window :] if page.size > works]
    assert len(trials) <= 16  # of 200 pages of 500


@pytest.mark.parametrize("window", [1, 8])
def test_the_rest_of_a_long_download_has_large_pages(window):
    _, failed, last = walk(500, 20_000, lambda _, n: n >= 3, window=window)
    assert len(failed) == 3
    assert last.size == 500


def test_a_download_that_goes_on_with_small_pages_has_large_ones_soon():
    _, _, last = walk(25, 5_000, lambda *_: True, largest=500)
    assert last.size == 500


def test_a_server_that_is_too_slow_is_not_asked_for_large_pages_again():
    sizes = PageSizes(500, 500)
    for number in (1, 2):
        sizes.note_failure(PageRange(500, number), 1)
    last = PageRange(500, 8)
    for _ in range(100):
        last = sizes.after(last)
        sizes.note_sent(last)
        sizes.note_success(last)
        assert last.size == 250


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
