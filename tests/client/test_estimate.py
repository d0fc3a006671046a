"""Estimates: by the pace that was seen, by the rate limit, and with words for what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.client.estimate import Estimate
from alchemer_nb.http.call_window import Window
from alchemer_nb.http.credentials import ApiKey
from tests.boxes import NO_LIMITS, copied_box

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ID = 9000001


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Client]:
    monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", str(tmp_path))

    def client(box, **options):
        key = ApiKey(box.api_token, box.api_token_secret)
        return Client(key, region=box.region, max_in_flight=1, **options)

    return client


def test_it_learns_from_the_pages_that_came(new):
    with copied_box(responses=1003, latency=0.1, **NO_LIMITS) as box:
        client = new(box)
        guess = client.estimate(ID)
        assert guess.basis.startswith("a guess: no page has come yet")
        assert guess.seconds_range is not None
        least, most = guess.seconds_range
        assert most > 5 * least
        assert " to " in str(guess)
        client.responses(ID, progress="none")
        learnt = client.estimate(ID)
        assert learnt.basis == "by the pace of its latest 3 pages"
        pages = client._transport.reply_times.pages(str(ID))
        assert len(pages) == 3
        assert learnt.seconds >= 3 * 0.1  # three pages, one after the other, each of that latency
        least, most = learnt.seconds_range or (learnt.seconds, learnt.seconds)
        assert 3 * min(pages) <= least <= learnt.seconds <= most < 2 * 3 * max(pages) + 2
        assert client.estimate(9000002).basis == "a guess by the pace of other surveys"


def test_it_knows_what_is_left_of_the_limit(new):
    with copied_box(responses=1003, **NO_LIMITS) as box:
        client = new(box, requests_per_minute=5)
        told = client.estimate(ID)  # six calls, and three were made just now
        assert told.basis == "by the limit of 5 calls a minute"
        assert 60 <= told.seconds <= 180
        assert "about" in str(told)
        assert "minute" in str(told)
        free = new(box, requests_per_minute=200).estimate(ID)
        assert free.seconds < 60


def test_the_wait_for_calls_of_a_window():
    window = Window(60.0)
    assert window.wait_for(0, 10, 100.0) == 0
    assert window.wait_for(10, 10, 100.0) == 0
    assert window.wait_for(11, 10, 100.0) == 60
    window.reserve("mine", 10, 100.0)
    assert window.wait_for(10, 10, 130.0) == 30
    assert window.wait_for(20, 10, 130.0) == 90
    window.pause(150.0, 130.0)
    assert window.wait_for(1, 10, 130.0) == 20
    assert [slot.ticket for slot in window.slots] == ["mine"], "asking reserves nothing"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "about 20 seconds"),
        ((2, 15), "2 to 15 seconds"),
        ((1, 15), "1 to 15 seconds"),
        ((50, 400), "50 seconds to 7 minutes"),
        ((100, 400), "2 to 7 minutes"),
        ((0.1, 0.4), "about 1 second"),
    ],
)
def test_the_span_in_words(span, words):
    told = str(Estimate("Tea", 9, 1, 4, 20, ("note",), span, "a guess"))
    assert told == f"Tea: 9 responses in 1 page, 4 calls, {words} (a guess); note"
