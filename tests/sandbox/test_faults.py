"""Trouble that waits for the calls that fit, and data that changes while it is read."""

from __future__ import annotations

import gzip
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from alchemer_nb.sandbox import Fault, Sandbox
from alchemer_nb.sandbox.traffic import faults
from tests.boxes import copied_box
from tests.sandbox import small
from tests.sandbox.conftest import CALM, caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests

ROWS = "survey/7/surveyresponse"
WAIT = "Please wait for other requests to complete"
PAGES = {"resultsperpage": 2}


@pytest.fixture(params=["2017", "current"])
def box(request: pytest.FixtureRequest, small_file: Path) -> Iterator[Sandbox]:
    with copied_box(small_file, form=request.param, **CALM) as running:
        yield running


@pytest.fixture
def call(box: Sandbox) -> Callable[..., requests.Response]:
    return caller(box)


def ids(answer: requests.Response) -> list[int]:
    return [int(row["id"]) for row in answer.json()["data"]]


class TestWhen:
    def test_path_page_and_times(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        where = {"path": "…/surveyresponse", "page": 2}
        box.fail_next({"status": 503, "when": where, "times": 2})
        found = [
            call(path, page=page).status_code
            for path, page in [
                (ROWS, 1),
                (ROWS, 2),
                ("survey", 2),
                (f"{ROWS}.json", 2),
                (ROWS, 2),
            ]
        ]
        assert found == [200, 503, 200, 503, 200]

    def test_a_page_that_is_not_named_is_the_first(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(Fault(status=502, when={"page": 1, "path": ROWS}))
        assert [call(ROWS).status_code, call(ROWS).status_code] == [502, 200]

    def test_method_parameter_and_pattern(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(
            Fault(status=418, when={"method": "DELETE", "path": "survey/*/surveyresponse/*"}),
            Fault(status=419, when={"resultsperpage": 500}, after=1),
        )
        assert call(f"{ROWS}/1").status_code == 200
        assert call(f"{ROWS}/1", "DELETE").status_code == 418
        assert call(ROWS, resultsperpage=500).status_code == 200
        assert call(ROWS, resultsperpage=500).status_code == 419

    def test_the_queue_does_not_notice(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(Fault(status=503, when={"path": "account"}, times=None), Fault(status=429))
        found = [call(path).status_code for path in ("account", "survey", "account", "survey")]
        assert found == [503, 429, 503, 200]
        box.calm()
        assert call("account").status_code == 200

    def test_without_an_end_it_must_say_when(self) -> None:
        with pytest.raises(ValueError, match="when"):
            Fault(status=500, times=None)


class TestKinds:
    @pytest.mark.parametrize("status", [429, 400])
    def test_please_wait(
        self, box: Sandbox, call: Callable[..., requests.Response], status: int
    ) -> None:
        box.fail_next(faults.please_wait(status))
        answer = call("account")
        assert answer.status_code == status
        assert answer.json() == {"result_ok": False, "code": status, "message": WAIT}

    def test_limit_reached_may_tell_when_to_come_back(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(faults.limit_reached(retry_after=7), faults.limit_reached())
        first, second = call("account"), call("account")
        assert first.json()["message"].startswith("You have exceeded your requests per minute")
        assert [one.headers.get("Retry-After") for one in (first, second)] == ["7", None]

    def test_the_network_in_front_answers_with_a_page(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(faults.gateway(524))
        answer = call("account")
        assert answer.status_code == 524
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Error 524" in answer.text

    def test_a_true_answer_may_warn(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(faults.warning(when={"path": "account"}))
        answer = call("account")
        assert answer.json()["result_ok"] is True
        assert "rate limit" in answer.headers["X-SG-Warning"]

    @pytest.mark.parametrize("cut", [None, 0, 20])
    def test_a_connection_can_be_reset(
        self, box: Sandbox, call: Callable[..., requests.Response], cut: int | None
    ) -> None:
        box.fail_next(Fault(reset=True, cut=cut))
        with pytest.raises(OSError, match=r"reset by peer|10054"):
            call("account")
        assert call("account").status_code == 200

    def test_a_packed_body_can_be_cut(self, box: Sandbox) -> None:
        box.fail_next(Fault(cut=300, when={"path": ROWS}))
        query = urlencode({"api_token": box.api_token, "api_token_secret": box.api_token_secret})
        with socket.create_connection(("127.0.0.1", box.port), timeout=10) as raw:
            raw.sendall(
                f"GET /v5/{ROWS}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{box.port}\r\n"
                "Accept-Encoding: gzip\r\n\r\n".encode()
            )
            got = b"".join(iter(lambda: raw.recv(65536), b""))
        head, _, body = got.partition(b"\r\n\r\n")
        assert b"Content-Encoding: gzip" in head
        assert len(body) == 300
        with pytest.raises(EOFError):
            gzip.decompress(body)

    def test_a_wrong_count(self, box: Sandbox, call: Callable[..., requests.Response]) -> None:
        box.fail_next(Fault(total_count=9, when={"page": 2}))
        wrong, right = call(ROWS, page=2, **PAGES).json(), call(ROWS, page=2, **PAGES).json()
        assert (wrong["total_count"], wrong["total_pages"]) == ("9", 5)
        assert (right["total_count"], right["total_pages"]) == ("5", 3)
        assert wrong["data"] == right["data"]

    def test_rows_twice_or_never(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(Fault(shift=-1, when={"page": 2}), Fault(shift=1, when={"page": 2}))
        assert ids(call(ROWS, page=1, **PAGES)) == [1, 2]
        assert ids(call(ROWS, page=2, **PAGES)) == [2, 3]
        assert ids(call(ROWS, page=2, **PAGES)) == [4, 5]
        assert ids(call(ROWS, page=2, **PAGES)) == [3, 4]

    def test_rows_that_move_while_pages_are_read(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.fail_next(Fault(deletes=(1, 99), adds=2, when={"path": ROWS, "page": 2}))
        assert ids(call(ROWS, page=1, **PAGES)) == [1, 2]
        second = call(ROWS, page=2, **PAGES)
        assert (ids(second), second.json()["total_count"]) == ([4, 5], "6")
        assert ids(call(ROWS, page=3, **PAGES)) == [6, 7]

    def test_what_met_trouble_is_not_cached(self) -> None:
        with Sandbox(surveys=[small.build()]) as box:
            box.fail_next(Fault(total_count=9))
            answers = [caller(box)(ROWS) for _ in range(3)]
        assert [one.json()["total_count"] for one in answers] == ["9", "5", "5"]
        assert [one.headers.get("X-SG-Cached") for one in answers] == [None, None, "true"]


class TestChanges:
    def changed(self, call: Callable[..., requests.Response], since: str) -> list[int]:
        return ids(
            call(
                ROWS,
                order_by="date_updated",
                **{
                    "filter[field][0]": "date_updated",
                    "filter[operator][0]": ">=",
                    "filter[value][0]": since,
                },
            )
        )

    def test_people_answer(self, box: Sandbox, call: Callable[..., requests.Response]) -> None:
        assert box.add_responses("Small survey", 3) == [6, 7, 8]
        assert box.add_responses(7, 1) == [9]
        rows = call(ROWS).json()["data"]
        assert [int(row["id"]) for row in rows] == list(range(1, 10))
        assert len({row["session_id"] for row in rows[5:]}) == 4
        assert call("survey").json()["data"][0]["statistics"]["Complete"] > 2
        today = time.strftime("%Y-%m-%d", time.localtime(time.time() - 2 * 86400))
        assert self.changed(call, today)[-4:] == [6, 7, 8, 9]

    def test_an_edit_moves_the_date_and_may_change_an_answer(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        before = call(f"{ROWS}/2").json()["data"]
        box.touch(7, [2])
        box.touch(7, [4], data={"3": {"value": "77"}})
        assert call(f"{ROWS}/4").json()["data"]["survey_data"]["3"]["answer"] == "77"
        after = call(f"{ROWS}/2").json()["data"]
        assert after["date_submitted"] == before["date_submitted"]
        assert after["survey_data"] == before["survey_data"]
        newest = call(ROWS, order_by="-date_updated").json()["data"]
        assert {newest[0]["id"], newest[1]["id"]} == {"2", "4"}

    def test_deleted_ones_are_gone_and_their_ids_are_not_used_again(
        self, box: Sandbox, call: Callable[..., requests.Response]
    ) -> None:
        box.delete_responses(7, [1, 5])
        assert ids(call(ROWS)) == [2, 3, 4]
        assert call(f"{ROWS}/5").status_code == 404
        assert box.add_responses(7, 1) == [6]
        box.add_responses(7, 0)

    def test_what_is_not_there_is_told(self, box: Sandbox) -> None:
        with pytest.raises(LookupError, match="no survey"):
            box.add_responses("Nothing", 1)
        with pytest.raises(LookupError, match="no response 99"):
            box.touch(7, [1, 99])
        with pytest.raises(LookupError, match="no response 99"):
            box.delete_responses(7, [99])

    def test_they_can_be_seen_later_than_they_are_dated(self) -> None:
        switches: dict[str, Any] = CALM | {"visible_after": 1.2}
        with Sandbox(surveys=[small.build()], form="current", **switches) as box:
            call = caller(box)
            assert box.add_responses(7, 2) == [6, 7]
            assert box.add_responses(7, 1, visible_after=0) == [8]
            assert ids(call(ROWS)) == [1, 2, 3, 4, 5, 8]
            ends = time.monotonic() + 5
            while len(rows := call(ROWS).json()["data"]) < 8 and time.monotonic() < ends:
                time.sleep(0.05)
            dates = {row["id"]: row["date_updated"] for row in rows}
            assert [*dates] == ["1", "2", "3", "4", "5", "6", "7", "8"]
            assert dates["6"] <= dates["8"]  # dated when it was given, though seen later

    def test_a_survey_without_answers_gets_some(self) -> None:
        with Sandbox(surveys=[small.Small(small.survey(), [])], **CALM) as box:
            assert box.add_responses(7, 2) == [1, 2]
            assert [row["survey_data"] for row in caller(box)(ROWS).json()["data"]] == [[], []]


def test_many_responses_start_and_are_served_in_time() -> None:
    begun = time.process_time()  # which others on the machine do not change
    with Sandbox(responses=2000, **CALM) as box:
        call = caller(box)
        found = [
            number
            for page in range(1, 5)
            for number in ids(call("survey/9000001/surveyresponse", page=page, resultsperpage=500))
        ]
        assert found == list(range(1, 2001))
    assert time.process_time() - begun < 20  # a guard against a slip, not a benchmark
