"""Large surveys: whatever happens on the way, the frame is that of a calm server, or it is said."""

from __future__ import annotations

import json
import signal
import threading
import time

import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client
from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import AuthenticationError, DownloadIncomplete, InvalidArgument
from alchemer_nb.fetch.download import Download
from alchemer_nb.fetch.page_fetcher import SIZES, PageRange
from alchemer_nb.http.retries import Retries
from alchemer_nb.sandbox.traffic.faults import Fault, gateway, limit_reached, please_wait
from alchemer_nb.survey.definition import read_definition
from tests.boxes import copied_box
from tests.scripted import Reply
from tests.survey_json import question, response, serve

CUSTOMER = 9000001
ROWS = 1540
DATA = {"seed": 3, "responses": ROWS, "form": "current"}
LIST = "surveyresponse"
QUICK = Retries(base=0.01, longest=0.05)


def page(number, **fault):
    return Fault(when={"path": LIST, "page": number, "resultsperpage": 500}, **fault)


@pytest.fixture(scope="module")
def large():
    """Answers carry ``date_updated``, as the API of today has it."""
    with copied_box(**DATA, calls_per_minute=None, cache_seconds=0) as running:
        yield running


@pytest.fixture
def quick(large):
    large.calm()
    key = ApiKey(large.api_token, large.api_token_secret)
    return Client(key, region=large.region, retries=QUICK)


@pytest.fixture(scope="module")
def calm(large):
    key = ApiKey(large.api_token, large.api_token_secret)
    return Client(key, region=large.region).responses(CUSTOMER, progress="none")


def same(left, right):
    pd.testing.assert_frame_equal(left, right)


SCHEDULES = {
    "a server error on every page": [page(n, status=500) for n in (1, 2, 3, 4)],
    "bad gateways": [
        *(Fault(status=502, body="<html>", content_type="text/html") for _ in range(3)),
        gateway(522, when={"path": LIST, "page": 4}),
    ],
    "cut short, empty or no JSON": [
        page(1, status=200, body="<html>log in</html>"),
        page(2, cut=2000),
        page(3, status=200, body=""),
        page(4, cut=0),
    ],
    "the limit is reached": [limit_reached(0.05, when={"path": LIST}, times=4)],
    "the limit without a time": [limit_reached(when={"path": LIST, "page": 3})],
    "please wait, as 429": [please_wait(429, when={"path": LIST}, times=3)],
    "please wait, as 400": [please_wait(400, when={"path": LIST}, times=3)],
    "400 after 500": [page(2, status=500), page(2, status=400)],
    "slow pages overtake one another": [page(2, delay=0.4), page(3, delay=0.2)],
    "rows come twice": [page(3, shift=-40)],
    "rows move up": [page(3, shift=5)],
}


# Refusals and errors of one call are waited out in tests/http/test_retries.py, too.
MORE_TROUBLE = {
    "a server error on every page",
    "400 after 500",
    "slow pages overtake one another",
    "rows come twice",
    "bad gateways",
    "the limit without a time",
    "please wait, as 429",
    "please wait, as 400",
}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(name, marks=pytest.mark.long if name in MORE_TROUBLE else ())
        for name in SCHEDULES
    ],
)
def test_trouble_that_passes_ends_with_the_frame_of_a_calm_server(large, quick, calm, trouble):
    large.fail_next(*SCHEDULES[trouble])
    same(quick.responses(CUSTOMER, progress="none"), calm)


@pytest.mark.parametrize(
    "in_flight", [*(pytest.param(n, marks=pytest.mark.long) for n in (1, 2)), 8]
)
def test_any_number_in_flight_gives_the_same_frame(large, calm, in_flight):
    large.calm()
    key = ApiKey(large.api_token, large.api_token_secret)
    client = Client(key, region=large.region, max_in_flight=in_flight)
    same(client.responses(CUSTOMER, progress="none"), calm)
    assert large.identical_in_flight() == []


def test_pages_travel_at_the_same_time():
    with copied_box(**DATA, latency=0.15) as slow:
        client = Client(ApiKey(slow.api_token, slow.api_token_secret), region=slow.region)
        client.responses(CUSTOMER, progress="none")
        assert 2 <= slow.most_in_flight <= 4


def test_a_page_that_takes_too_long_is_sent_for_in_pieces():
    with copied_box(**DATA, seconds_per_row=0.0012, slowest=0.4, recovery=0.1) as heavy:
        key = ApiKey(heavy.api_token, heavy.api_token_secret)
        policy = Retries(base=0.05, longest=0.1, too_slow=0.2)
        client = Client(key, region=heavy.region, retries=policy)
        got = client.responses(CUSTOMER, progress="none")
        sizes = {call.params["resultsperpage"] for call in heavy.seen if call.path.endswith(LIST)}
    assert "250" in sizes
    assert got.alchemer.facts["rows_received"] == ROWS
    assert got.alchemer.facts["repeated_rows"] == 0


def test_stretches_become_smaller_and_stay_whole():
    for size in SIZES[:-1]:
        pieces = PageRange(size, 3).split()
        assert sum(piece.size for piece in pieces) == size
        assert (pieces[0].number - 1) * pieces[0].size == 2 * size
    assert PageRange(SIZES[-1], 1).split() == []


@pytest.fixture
def moving():
    """A sandbox of its own, where responses come, change and go."""
    fewer = DATA | {"responses": 1040}
    with copied_box(**fewer, calls_per_minute=None, cache_seconds=0) as running:
        yield running


def client_of(box, in_flight=4):
    key = ApiKey(box.api_token, box.api_token_secret)
    return Client(key, region=box.region, retries=QUICK, max_in_flight=in_flight)


# One in flight: what happens before page 2 happens after page 1, also on a busy machine.
def test_what_comes_changes_or_goes_meanwhile_is_seen_to(moving):
    gone, touched = (4, 41), (11, 21)
    moving.fail_next(page(2, deletes=gone, touches=touched), page(3, adds=7))
    got = client_of(moving, in_flight=1).responses(CUSTOMER, test_rows="include", progress="none")
    after = client_of(moving).responses(CUSTOMER, test_rows="include", progress="none")
    facts = got.alchemer.facts
    assert facts["complete"]
    assert set(after.index) <= set(got.index)
    assert set(got.index) - set(after.index) <= set(gone)
    here = got.loc[after.index, "date_updated"]
    pd.testing.assert_series_equal(here, after["date_updated"])
    assert facts["changed_rows"] >= len(touched)
    assert facts["repeated_rows"] == 0


@pytest.mark.parametrize("late", [2, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 3))])
def test_what_is_seen_to_does_not_hang_on_the_order_in_which_pages_come(moving, late):
    gone, touched = (4, 41), (11, 21)
    changes = [page(2, deletes=gone, touches=touched), page(3, adds=7)]
    moving.fail_next(*changes, page(late, delay=0.3, after=late > 1))
    got = client_of(moving).responses(CUSTOMER, test_rows="include", progress="none")
    after = client_of(moving).responses(CUSTOMER, test_rows="include", progress="none")
    assert got.alchemer.facts["complete"]
    assert set(got.index) - set(after.index) <= set(gone)
    pd.testing.assert_series_equal(got.loc[after.index, "date_updated"], after["date_updated"])


def test_the_second_pass_takes_in_what_changed_since_the_last_look(moving):
    first = client_of(moving).responses(CUSTOMER, test_rows="include", progress="none")
    gone, touched = (int(first.index[3]),), int(first.index[-1])
    second = {"path": LIST, "page": 1, "resultsperpage": 250}
    moving.fail_next(page(2, deletes=gone), Fault(touches=(touched,), when=second))
    got = client_of(moving, in_flight=1).responses(CUSTOMER, test_rows="include", progress="none")
    after = client_of(moving).responses(CUSTOMER, test_rows="include", progress="none")
    assert after.loc[touched, "date_updated"] != first.loc[touched, "date_updated"]
    assert got.loc[touched, "date_updated"] == after.loc[touched, "date_updated"]


def test_a_count_that_is_never_reached_is_said_and_the_rows_are_there(large, quick, calm):
    large.fail_next(Fault(total_count=ROWS + 9, when={"path": LIST}, times=None))
    with pytest.raises(DownloadIncomplete, match=r"1,540 of 1,549") as caught:
        quick.responses(CUSTOMER, progress="none")
    large.calm()
    same(caught.value.partial, calm)


def test_progress_is_told_after_each_page_and_while_it_waits(large, quick):
    large.fail_next(page(3, delay=2.0))
    told = []
    here = threading.get_ident()

    def tell(progress):
        assert threading.get_ident() == here
        told.append(progress)

    quick.responses(CUSTOMER, progress=tell)
    assert told[-1].note.startswith("Customer satisfaction: 1,540 responses received")
    rows = [each.rows for each in told]
    assert rows == sorted(rows)
    assert {500, 1000, 1500} <= set(rows)
    waiting = [each for each in told if each.rows == 1000]
    assert len(waiting) >= 3
    assert waiting[-1].rows_per_second > 0
    assert waiting[-1].seconds_left > 0


def test_the_first_rows_can_be_seen_while_others_travel(large, quick, calm):
    large.fail_next(page(2, delay=0.3))
    seen = []

    def tell(progress):
        if progress.rows and not seen:
            seen.append(progress.frame())

    quick.responses(CUSTOMER, progress=tell)
    assert len(seen[0]) > 400
    same(seen[0], calm.loc[seen[0].index])


@pytest.fixture
def strict():
    """A sandbox of its own, as the whole account waits once it was told to."""
    with copied_box(**DATA, cache_seconds=0) as running:
        yield running


def patient(box):
    """Waits as long as the server says."""
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


def test_waits_are_told(strict):
    strict.fail_next(limit_reached(1.2, when={"path": LIST, "page": 2}))
    states = set()
    patient(strict).responses(CUSTOMER, progress=lambda progress: states.add(progress.state))
    assert any(state.startswith("Alchemer asks to slow down") for state in states), states


def test_cancel_ends_it_at_once_with_the_rows_so_far(large, quick, calm):
    large.fail_next(page(3, delay=5))
    began = []

    def tell(progress):
        if progress.rows >= 1000 and not began:
            began.append(time.monotonic())
            progress.cancel()

    with pytest.raises(DownloadIncomplete, match=r"1,000 of 1,540 responses had come") as caught:
        quick.responses(CUSTOMER, progress=tell)
    assert time.monotonic() - began[0] < 0.5
    partial = caught.value.partial
    same(partial, calm.loc[partial.index])
    assert partial.alchemer.facts["complete"] is False
    assert 900 < len(partial) <= 1000


def test_a_wait_can_be_cancelled(strict):
    strict.fail_next(limit_reached(30, when={"path": LIST, "page": 2}))
    began = []

    def tell(progress):
        if progress.state and not began:
            began.append(time.monotonic())
            progress.cancel()

    with pytest.raises(DownloadIncomplete):
        patient(strict).responses(CUSTOMER, progress=tell)
    assert time.monotonic() - began[0] < 0.5


def test_trouble_that_stays_ends_with_the_rows_so_far(large, calm):
    large.calm()
    key = ApiKey(large.api_token, large.api_token_secret)
    client = Client(key, region=large.region, retries=Retries(attempts=2, base=0.01))
    large.fail_next(page(3, status=503, times=None))
    with pytest.raises(DownloadIncomplete, match="1,000 of 1,540 responses had come") as caught:
        client.responses(CUSTOMER, progress="none")
    partial = caught.value.partial
    same(partial, calm.loc[partial.index])


@pytest.mark.parametrize(
    "status", [401, *(pytest.param(n, marks=pytest.mark.long) for n in (400, 404))]
)
def test_a_refusal_on_the_way_loses_no_rows(large, quick, status):
    large.fail_next(page(3, status=status))
    with pytest.raises(DownloadIncomplete, match="1,000 of 1,540 responses had come") as caught:
        quick.responses(CUSTOMER, progress="none")
    assert len(caught.value.partial) > 900


def test_a_server_that_does_not_sort_has_no_last_look(moving):
    moving.fail_next(Fault(status=400, when={"path": LIST, "order_by": "-date_updated"}))
    got = client_of(moving).responses(CUSTOMER, progress="none")
    same(got, client_of(moving).responses(CUSTOMER, progress="none"))


@pytest.mark.parametrize("totals", [{}, {"total_count": "0", "total_pages": 0}])
def test_a_list_that_tells_no_totals_is_read_whole(scripted, totals):
    rows = [response(n, {}, date_updated="2026-01-15 10:42:26 EST") for n in range(1, 8)]
    client = serve(scripted, [], [])
    scripted.answer(
        "survey/5/surveyresponse",
        *[
            {"result_ok": True, **totals, "results_per_page": 3, "data": rows[at : at + 3]}
            for at in (0, 3, 6)
        ],
        {"result_ok": True, "data": [{**rows[1], "date_updated": "2026-01-16 10:42:26 EST"}]},
        {"result_ok": True, "data": []},
    )
    got = client.responses(5, progress="none")
    assert sorted(got.index) == list(range(1, 8))
    assert got.alchemer.facts["changed_rows"] == 1  # the last look was had


def test_an_interrupt_before_the_first_page_is_told_as_one(scripted):
    client = serve(scripted, [], [])
    scripted.answer("survey/5", Reply(b"", 503))

    def tell(progress):
        if progress.state:
            raise KeyboardInterrupt

    with pytest.raises(DownloadIncomplete, match="before anything had come"):
        client.responses(5, progress=tell)


class Interrupting(list):
    """Entries of a page during whose reading an interrupt comes."""

    def __iter__(self):
        signal.raise_signal(signal.SIGINT)
        return super().__iter__()


def test_an_interrupt_never_cuts_through_a_page():
    rows = [response(n, {"2": {"id": 2, "type": "TEXTBOX", "answer": "x"}}) for n in (1, 2, 3)]
    result = Download(AnswersBuilder(read_definition({"id": "5"}, [question(2, "TEXTBOX")])))
    read = result.builder.decode(json.dumps({"result_ok": True, "data": rows}).encode())
    read.entries = Interrupting(read.entries)
    with pytest.raises(KeyboardInterrupt):
        result.add(read)
    assert result.answers.count == len(result.answers.meta["id"]) == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_refused_key_is_not_tried_again(large, quick):
    large.calm()
    wrong = Client(ApiKey("a" * 32, "b" * 13), region=large.region)
    before = len(large.seen)
    with pytest.raises(AuthenticationError):
        wrong.responses(CUSTOMER, progress="none")
    # Replies to calls of an interrupted download before this one may still arrive.
    assert [call.status for call in large.seen[before:]].count(401) == 1


def test_an_estimate_before_anything_large_is_sent(large, quick):
    large.calm()
    before = len(large.seen)
    told = quick.estimate(CUSTOMER)
    assert (told.rows, told.pages) == (ROWS, 4)
    assert str(told).startswith("Customer satisfaction: 1,540 responses in 4 pages, ")
    assert quick.estimate(CUSTOMER, limit=10).pages == 1
    assert quick.estimate(CUSTOMER, status="Complete").rows < ROWS
    asked = [call.params.get("resultsperpage") for call in large.seen[before:]]
    assert asked.count("500") <= 1  # the list of questions
    with pytest.raises(InvalidArgument):
        quick.estimate(CUSTOMER, since="yesterday-ish")


@pytest.mark.parametrize("clients", [2, pytest.param(4, marks=pytest.mark.long)])
def test_the_limit_of_the_account_is_never_passed(clients):
    """Several clients at once."""
    with copied_box(**DATA, cache_seconds=0) as box:
        key = ApiKey(box.api_token, box.api_token_secret)
        frames = []

        def work():
            client = Client(key, region=box.region)
            frames.append(client.responses(CUSTOMER, progress="none"))

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [call.status for call in box.calls if call.status != 200] == []
        assert box.busiest_minute() <= 240
    for frame in frames[1:]:
        same(frame, frames[0])
