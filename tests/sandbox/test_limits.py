"""Limits of the account, the cache minute, slow calls, and the log that proves them."""

from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests_oauthlib import OAuth1

from alchemer_nb.sandbox import Fault, Sandbox
from alchemer_nb.sandbox.__main__ import parser
from alchemer_nb.sandbox.traffic.call_log import (
    CallRecord,
    identical_pairs,
    max_calls_within,
)
from tests.sandbox import small
from tests.sandbox.conftest import CALM, caller

if TYPE_CHECKING:
    from collections.abc import Callable

EXCEEDED = (
    "You have exceeded your requests per minute, see /help/api-request-limits for more details"
)
WARNING = (
    "You are reaching your API request rate limit and may be throttled or blocked if you continue"
    " to make excessive requests."
)
WAIT = "Please wait for other requests to complete"
ROWS = "survey/7/surveyresponse"


def start(**switches: Any) -> Sandbox:
    return Sandbox(surveys=[small.build()], **(CALM | switches)).start()


def signed(box: Sandbox) -> Callable[[str], requests.Response]:
    """Calls with two-legged OAuth."""
    auth = OAuth1(box.consumer_key, box.consumer_secret)
    return lambda path: requests.get(f"{box.url}/v5/{path}", auth=auth, timeout=10)


class TestCallsAMinute:
    def test_it_warns_below_a_tenth_and_refuses_what_is_over(self) -> None:
        with start(calls_per_minute=20) as box:
            answers = [caller(box)("account") for _ in range(22)]
        assert [one.status_code for one in answers] == [200] * 20 + [429] * 2
        warned = [one.headers.get("X-SG-Warning") for one in answers]
        assert warned == [None] * 18 + [WARNING] * 2 + [None] * 2
        assert answers[-1].json() == {"result_ok": False, "code": 429, "message": EXCEEDED}

    def test_all_keys_and_ways_of_one_account_share_it(self) -> None:
        with start(calls_per_minute=3) as box:
            statuses = [
                caller(box)("account").status_code,
                caller(box, "ben")("account").status_code,
                signed(box)("account").status_code,
                caller(box, "ben")("account").status_code,
                signed(box)("account").status_code,
            ]
        assert statuses == [200, 200, 200, 429, 429]

    def test_wrong_credentials_use_nothing_up(self) -> None:
        with start(calls_per_minute=1) as box:
            for _ in range(3):
                wrong = {"api_token": "x", "api_token_secret": "y"}
                answer = requests.get(f"{box.url}/v5/account", params=wrong, timeout=10)
                assert answer.status_code == 401
            assert caller(box)("account").status_code == 200
            assert [one.account for one in box.calls] == ["", "", "", "10001"]

    def test_the_window_slides(self) -> None:
        with start(calls_per_minute=2, minute=0.4) as box:
            call = caller(box)
            call("account")
            time.sleep(0.2)
            call("account")
            assert call("account").status_code == 429
            time.sleep(0.25)  # the first call is older than the window, the second is not
            assert call("account").status_code == 200
            assert call("account").status_code == 429

    def test_a_penalty_refuses_everything_for_its_time(self) -> None:
        with start(calls_per_minute=2, minute=0.1, penalty=0.5) as box:
            call = caller(box)
            statuses = [call("account").status_code for _ in range(3)]
            time.sleep(0.15)
            statuses.append(call("account").status_code)
            time.sleep(0.5)
            statuses.append(call("account").status_code)
        assert statuses == [200, 200, 429, 429, 200]

    def test_240_unless_told_otherwise(self) -> None:
        with Sandbox(surveys=[], cache_seconds=0) as box:
            with ThreadPoolExecutor(2) as pool:
                found = list(
                    pool.map(lambda n: caller(box)("account", n=n).status_code, range(245))
                )
            assert sorted(found) == [200] * 240 + [429] * 5
            assert box.busiest_minute() == 245

    @pytest.mark.parametrize(
        "wrong",
        [{"calls_per_minute": 0}, {"minute": 0}, {"cache_seconds": -1}, {"seconds_per_row": -1}],
    )
    def test_impossible_settings_are_told(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Sandbox(**wrong)


class TestCache:
    def test_the_same_get_gets_the_same_answer_whatever_was_written(self) -> None:
        with start(cache_seconds=60) as box:
            call = caller(box)
            first = call(ROWS, resultsperpage=500)
            assert call(f"{ROWS}/1", "DELETE").status_code == 200
            again, other = call(ROWS, resultsperpage=500), call(ROWS, resultsperpage=499)
            assert "X-SG-Cached" not in first.headers
            assert again.headers["X-SG-Cached"] == "true"
            assert again.content == first.content
            assert [row["id"] for row in other.json()["data"]] == ["2", "3", "4", "5"]
            assert [one.cached for one in box.calls] == [False, False, True, False]

    def test_it_ends(self) -> None:
        with start(cache_seconds=0.2) as box:
            call = caller(box)
            call(ROWS)
            box.delete_responses(7, [1])
            time.sleep(0.25)
            assert call(ROWS).json()["total_count"] == "4"

    def test_it_knows_signed_calls_apart_from_other_users(self) -> None:
        with start(cache_seconds=60) as box:
            signed(box)("account")
            assert signed(box)("account").headers["X-SG-Cached"] == "true"
            assert "X-SG-Cached" not in caller(box, "ben")("account").headers

    def test_who_may_not_is_refused_before(self) -> None:
        with start(cache_seconds=60) as box:
            caller(box)("account")
            pair = {"api_token": box.api_token, "api_token_secret": "wrong"}
            answer = requests.get(f"{box.url}/v5/account", params=pair, timeout=10)
            assert answer.status_code == 401

    def test_with_and_without_gzip(self) -> None:
        with start(cache_seconds=60) as box:
            pair = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
            found = []
            for accepts in ("gzip", "identity", "gzip"):
                answer = requests.get(
                    f"{box.url}/v5/{ROWS}",
                    params=pair,
                    headers={"Accept-Encoding": accepts},
                    stream=True,
                    timeout=10,
                )
                body = answer.raw.read(decode_content=False)
                packed = answer.headers.get("Content-Encoding") == "gzip"
                assert packed is (accepts == "gzip")
                found.append(gzip.decompress(body) if packed else body)
        assert found[0] == found[1] == found[2]

    def test_an_error_is_not_kept(self) -> None:
        with start(cache_seconds=60) as box:
            call = caller(box)
            assert call("survey/8").status_code == 404
            more = small.build()
            box.add_survey(small.Small(more.survey | {"id": 8}, more.responses))
            assert call("survey/8").status_code == 200


class TestIdenticalCalls:
    def test_one_at_a_time(self) -> None:
        with start(refuse_identical=True, latency=0.3) as box:
            call = caller(box)
            with ThreadPoolExecutor(3) as pool:
                first = pool.submit(call, ROWS)
                other = pool.submit(call, ROWS, page=2)
                while box.in_flight < 2:
                    time.sleep(0.005)
                second = call(ROWS)
            assert second.status_code == 429
            assert second.json() == {"result_ok": False, "code": 429, "message": WAIT}
            assert (first.result().status_code, other.result().status_code) == (200, 200)
            assert call(ROWS).status_code == 200
            pairs = box.identical_in_flight()
            assert [(a.status, b.status) for a, b in pairs] == [(200, 429)]
            assert pairs[0][0].path == ROWS


class TestSlowCalls:
    def test_a_page_that_costs_too_much_fails_and_a_smaller_one_does_not(self) -> None:
        with start(slowest=0.3, seconds_per_row=0.1, recovery=0.3) as box:
            call = caller(box)
            begun = time.monotonic()
            slow = call(ROWS, resultsperpage=500)
            assert 0.3 <= time.monotonic() - begun < 0.5
            assert (slow.status_code, slow.json()["code"]) == (500, 500)
            after = call(ROWS, resultsperpage=2)
            assert after.json() == {"result_ok": False, "code": 400, "message": WAIT}
            assert after.status_code == 400
            time.sleep(0.3)
            fine = call(ROWS, resultsperpage=2)
            assert fine.status_code == 200
            assert len(fine.json()["data"]) == 2

    def test_latency_and_ordered_delay_count(self) -> None:
        with start(slowest=0.1, recovery=0) as box:
            box.fail_next(Fault(delay=0.2))
            assert caller(box)("account").status_code == 500
            assert caller(box)("account").status_code == 200


class TestLog:
    def test_it_holds_times_and_identities_but_no_secret(self) -> None:
        with start() as box:
            call = caller(box)
            call("account", x="1")
            call("account", x="1")
            call("account", x="2")
            signed(box)("account?x=1")
            records = box.calls
            secrets = (box.api_token, box.api_token_secret, box.consumer_secret)
        assert [one.number for one in records] == [1, 2, 3, 4]
        same = [one.identity for one in records]
        assert same[0] == same[1] == same[3] != same[2]
        assert all(one.ended and one.ended >= one.began for one in records)
        assert {(one.user, one.status) for one in records} == {("ada", 200)}
        assert not any(secret in repr(records) for secret in secrets)

    def test_a_running_call_has_no_end(self) -> None:
        with start(latency=0.2) as box, ThreadPoolExecutor(1) as pool:
            task = pool.submit(caller(box), "account")
            while not box.in_flight:
                time.sleep(0.005)
            assert box.calls[0].ended is None
            task.result()
            assert box.calls[0].ended is not None

    def test_the_busiest_minute_slides_and_goes_by_account(self) -> None:
        def call(began: float, account: str = "1") -> CallRecord:
            return CallRecord(0, began, "GET", "x", "x", began, 200, account)

        records = [call(0), call(30), call(59.9), call(60), call(61), call(1, "2"), call(2, "")]
        assert max_calls_within(records) == 4  # 30, 59.9, 60 and 61
        assert max_calls_within(records, 10) == 3
        assert max_calls_within([]) == 0

    def test_identical_calls_overlap_in_time(self) -> None:
        def call(began: float, ended: float | None, same: str = "a", **more: Any) -> CallRecord:
            return CallRecord(0, began, "GET", "x", same, ended, 200, "1", **more)

        assert identical_pairs([call(0, 1), call(1, 2), call(0, 3, "b")]) == []
        assert len(identical_pairs([call(0, None), call(5, 6), call(5.5, 7)])) == 3
        assert identical_pairs([call(0, 9), call(1, 2, user="ben")]) == []


def test_the_command_line_has_the_switches() -> None:
    given = parser().parse_args(["--calls-per-minute", "0", "--cache-seconds", "1.5"])
    assert (given.calls_per_minute, given.cache_seconds) == (None, 1.5)
    assert parser().parse_args([]).calls_per_minute == 240
