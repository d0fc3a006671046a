"""The limit of calls: never more than allowed, in order, shared by all of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb import Client
from alchemer_nb.errors import Stopped
from alchemer_nb.http import rate_limit as limits
from alchemer_nb.http.call_window import Slot, Window
from alchemer_nb.http.rate_limit import Limiter
from alchemer_nb.http.waiting import CallOptions
from tests.conftest import credentials_for

HOST, WHO = "api.example", "canary-token-0123456789abcdef"
SHORT = 0.6  # seconds of a minute in these tests
SEEN = SHORT * 0.85  # a turn is seen a little after it was given, so one may seem nearer the next


def most_in_any(times, period):
    """The most of some times that lie within one period."""
    times = sorted(times)
    return max((sum(t <= u < t + period for u in times) for t in times), default=0)


# -- the window, told the time -------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(0, 0)),
        st.tuples(st.just("pass"), st.integers(0, 40)),
        st.tuples(st.just("cancel"), st.integers(0, 60)),
        st.tuples(st.just("warn"), st.integers(0, 0)),
        st.tuples(st.just("pause"), st.integers(0, 30)),
        st.tuples(st.just("reload"), st.integers(0, 0)),
    ),
    max_size=80,
)


class Story:
    """A window and all that wait in it, as time goes by."""

    def __init__(self, limit):
        self.window, self.limit, self.now = Window(60.0), limit, 1000.0
        self.waiting, self.called, self.number = [], [], 0

    def look(self):
        """Lets those call whose turn has come; they look at every moment that matters."""
        for ticket in [t for t in self.waiting if self.window.time_of(t) <= self.now]:
            self.called.append((self.now, ticket))
            self.waiting.remove(ticket)

    def book(self, _):
        self.number += 1
        self.waiting.append(str(self.number))
        self.window.reserve(str(self.number), self.limit, self.now)
        self.look()

    def pass_(self, seconds):
        end = self.now + seconds
        while self.waiting:
            self.window.update(self.now)
            next_turn = min(self.window.time_of(t) for t in self.waiting)
            if next_turn > end:
                break
            self.now = max(self.now, next_turn)
            self.window.update(self.now)
            self.look()
        self.now = end

    def cancel(self, which):
        if self.waiting:
            ticket = self.waiting.pop(which % len(self.waiting))
            self.window.release(ticket, self.now)
            self.look()

    def warn(self, _):
        self.window.warn(self.limit, self.now)

    def pause(self, seconds):
        self.window.pause(self.now + seconds, self.now)

    def reload(self, _):
        self.window = Window.from_text(self.window.to_text(), 60.0)


@given(steps, st.integers(1, 7))
def test_no_minute_holds_more_than_the_limit_and_all_come_in_order(story, limit):
    told = Story(limit)
    for name, value in story:
        getattr(told, "pass_" if name == "pass" else name)(value)
    told.pass_(60.0 * (len(story) + 2))
    assert told.waiting == []  # nobody waits for ever
    assert most_in_any([at for at, _ in told.called], 60.0) <= limit
    order = [int(ticket) for _, ticket in told.called]
    assert order == sorted(order)


@given(st.integers(1, 5), st.integers(1, 12), st.data())
def test_a_place_given_back_is_not_lost(limit, waiting, data):
    gone = data.draw(st.sets(st.integers(0, waiting - 1)))
    window, plain = Window(60.0), Window(60.0)
    for n in range(limit):
        window.reserve(f"made {n}", limit, 0.0)
        plain.reserve(f"made {n}", limit, 0.0)
    for n in range(waiting):
        window.reserve(str(n), limit, 1.0)
    for n in gone:
        window.release(str(n), 2.0)
    stayed = [n for n in range(waiting) if n not in gone]
    for n in stayed:
        plain.reserve(str(n), limit, 2.0)
    assert [window.time_of(str(n)) for n in stayed] == [plain.time_of(str(n)) for n in stayed]


def test_nobody_waits_while_the_window_has_room():
    window = Window(60.0)
    assert [window.reserve(str(n), 230, 5.0) for n in range(230)] == [5.0] * 230
    assert window.reserve("one more", 230, 6.0) == 65.0


def test_those_that_wait_keep_their_places_when_a_warning_is_over():
    window = Window(60.0)
    window.reserve("made", 6, 0.0)
    window.warn(6, 0.0)  # one call a minute, for a minute
    assert [window.reserve(str(n), 6, 0.0) for n in range(4)] == [60.0, 120.0, 180.0, 240.0]
    window.update(60.0)
    assert [window.time_of(str(n)) for n in range(4)] == [60.0] * 4


def test_a_pause_holds_for_those_that_wait_too():
    window = Window(60.0)
    window.reserve("a", 1, 0.0)
    window.reserve("b", 1, 1.0)
    assert window.time_of("b") == 60.0
    window.pause(90.0, 2.0)
    assert window.time_of("b") == 90.0
    assert window.reserve("c", 1, 3.0) == 150.0


def test_an_early_warning_slows_down_for_a_minute_and_then_no_more():
    window = Window(60.0)
    for n in range(50):
        window.reserve(str(n), 230, float(n) / 10)
    window.warn(230, 5.0)
    assert window.reserve("next", 230, 5.0) == 60.0  # when the first of the fifty is a minute old
    assert Window(60.0).reserve("next", 230, 5.0) == 5.0
    window.release("next", 6.0)
    window.update(66.0)
    assert [window.reserve(f"later {n}", 230, 66.0) for n in range(230)] == [66.0] * 230


def test_a_warning_leaves_a_tenth_of_the_limit():
    window = Window(60.0)
    window.warn(230, 0.0)
    times = [window.reserve(str(n), 230, 0.0) for n in range(24)]
    assert times == [0.0] * 23 + [60.0]


@pytest.mark.parametrize("future", [150.0, 500.0, 1e6, float("inf")])
def test_times_from_before_a_restart_are_not_waited_for(future):
    """The clock starts anew with the machine; what is kept then lies in the future."""
    window = Window(60.0, [Slot(future + n, str(n), 5) for n in range(5)], 1, future, future)
    again = Window.from_text(window.to_text(), 60.0)
    assert again.reserve("now", 5, 10.0) <= 70.0


@given(st.text() | st.from_regex(r"\A[\[\]{}0-9a-z\",:. ]*\Z") | st.sampled_from(["null", "[]"]))
def test_a_damaged_file_is_an_empty_window(text):
    assert Window.from_text(text, 60.0).reserve("a", 1, 0.0) == 0.0


@given(st.integers(0, 400))
def test_a_file_cut_short_is_an_empty_window(length):
    window = Window(60.0)
    for n in range(9):
        window.reserve(str(n), 3, float(n))
    text = window.to_text()
    again = Window.from_text(text[:length], 60.0)
    assert again.slots in ([], window.slots)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"places": [[1.0, "a"]]},
        {"places": [["x", "a", 1]]},
        {"places": [[1.0, "a", 0]]},
        {"places": [[float("nan"), "a", 1]]},
        {"places": 3},
        {"ceiling": None},
        {"paused": []},
    ],
)
def test_a_file_of_another_shape_is_an_empty_window(change):
    text = json.dumps({**json.loads(Window(60.0).to_text()), **change})
    assert Window.from_text(text, 60.0) == Window(60.0)


def test_a_file_of_an_earlier_version_is_read_without_its_leases():
    window = Window(60.0)
    window.reserve("a", 3, 1.0)
    old = {**json.loads(window.to_text()), "leases": {"0123": ["ticket", 1.0, 4711]}}
    assert Window.from_text(json.dumps(old), 60.0).slots == window.slots


# -- turns ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "limits"


def limiter(folder, who=WHO, limit=3, minute=SHORT):
    return Limiter(HOST, who, limit, minute, folder)


def turns(limiter, count):
    """The times of so many turns, taken by a thread each."""

    def take(_):
        limiter.wait_for_turn()
        return time.monotonic()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(take, range(count)))


def test_threads_of_one_client_share_a_window(folder):
    assert most_in_any(turns(limiter(folder), 8), SEEN) == 3


def test_clients_of_the_same_credentials_share_a_window(folder):
    first, second = limiter(folder), limiter(folder)
    with ThreadPoolExecutor(2) as pool:
        times = [t for each in pool.map(turns, (first, second), (4, 4)) for t in each]
    assert most_in_any(times, SEEN) == 3


def test_other_credentials_and_other_hosts_have_windows_of_their_own(folder):
    begun = time.monotonic()
    for each in (limiter(folder, "a"), limiter(folder, "b"), Limiter("other", "a", 3, 60, folder)):
        turns(each, 3)
    assert time.monotonic() - begun < 5


ANOTHER = """
import sys, time
from pathlib import Path
from alchemer_nb.http.rate_limit import Limiter
limiter = Limiter({host!r}, {who!r}, 3, {minute}, Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    limiter.wait_for_turn()
    print(time.monotonic(), flush=True)
"""


def test_two_processes_share_a_window(folder):
    code = ANOTHER.format(host=HOST, who=WHO, minute=SHORT)
    command = [sys.executable, "-c", code, str(folder)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for each in started:
        assert each.stdout.readline() == "ready\n"
    for each in started:
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [[float(word) for word in each.communicate(timeout=30)[0].split()] for each in started]
    times = [t for each in said for t in each]
    assert len(times) == 10
    assert most_in_any(times, SEEN) <= 3
    assert max(times) - min(times) > 2.5 * SHORT
    # Who came second waits for one window, and not until the first has had enough.
    assert abs(said[0][0] - said[1][0]) < 1.5 * SHORT


def test_a_wait_is_announced_and_can_be_called_off_at_once(folder):
    slow = limiter(folder, limit=1, minute=30)
    slow.wait_for_turn()
    stop, told = threading.Event(), []

    def tell(words):
        told.append(words)
        if len(told) == 2:
            stop.set()

    with pytest.raises(Stopped):
        slow.wait_for_turn(CallOptions(stop, tell))
    assert told == ["waiting for the rate limit, 31 s", "waiting for the rate limit, 30 s", ""]


def test_a_place_that_was_called_off_goes_to_the_next(folder):
    slow = limiter(folder, limit=1, minute=1.2)
    begun = time.monotonic()
    slow.wait_for_turn()
    stop, waited = threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.wait_for_turn, CallOptions(stop, lambda _: waited.set()))
        assert waited.wait(5)
        second = pool.submit(turns, slow, 1)
        stop.set()
        assert isinstance(first.exception(), Stopped)
        (came,) = second.result()
    assert 1.2 <= came - begun < 2.0


def test_what_one_client_learns_holds_for_all(folder):
    first, second = limiter(folder, limit=50), limiter(folder, limit=50)
    turns(first, 2)
    first.pause(SHORT)
    begun = time.monotonic()
    second.wait_for_turn()
    assert time.monotonic() - begun > SHORT * 0.9
    first.warn()
    assert most_in_any(turns(second, 8), SEEN) <= 5


def test_credentials_of_one_account_share_once_it_is_known(folder):
    key, application = limiter(folder, "key"), limiter(folder, "application")
    turns(key, 2)
    key.set_account("77001")
    turns(application, 1)
    application.set_account("77001")  # its call is carried over
    begun = time.monotonic()
    key.wait_for_turn()
    assert time.monotonic() - begun > SHORT * 0.5
    # Another client of the same credentials is told by the folder.
    later = limiter(folder, "application")
    assert most_in_any(turns(later, 3) + turns(key, 3), SEEN) == 3


@pytest.mark.parametrize(
    "ask",
    [Client.account, Client.stored, lambda client: client.request("GET", "account")],
    ids=["account", "stored", "request"],
)
def test_whatever_asks_for_the_account_shares_its_limit(box, folder, monkeypatch, tmp_path, ask):
    monkeypatch.setenv(limits.FOLDER_NAME, str(folder))
    for mode in ("api_key", "oauth1_two_legged"):
        ask(Client(credentials_for(box, mode), box.region, store=tmp_path))
    links = [path.read_text() for path in folder.glob("*.link")]
    assert len(links) == 2
    assert len(set(links)) == 1


def test_one_that_waits_when_the_account_becomes_known_keeps_its_place(folder):
    key = limiter(folder, "key", limit=1)
    key.wait_for_turn()
    waited = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        wait_for_turn = pool.submit(key.wait_for_turn, CallOptions(on_wait=lambda _: waited.set()))
        assert waited.wait(5)
        key.set_account("77001")
        wait_for_turn.result(5)
    held = [p for p in folder.glob("*.json") if "places" in p.read_text()]
    assert len(held) == 1
    assert len(json.loads(held[0].read_text())["places"]) == 1


def test_nothing_in_the_folder_tells_a_secret_or_an_account(folder):
    key = limiter(folder)
    key.wait_for_turn()
    key.set_account("77001")
    key.wait_for_turn()
    paths = [*folder.iterdir()]
    assert paths
    for path in paths:
        assert WHO not in path.name + path.read_text()
        assert "77001" not in path.name + path.read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights in another way")
def test_the_folder_and_its_files_are_for_their_owner_alone(folder):
    key = limiter(folder)
    key.set_account("77001")
    key.wait_for_turn()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("text", ["", "{", "null", '{"version": 1, "places": [[1', "\0\0\0"])
def test_a_damaged_file_is_begun_anew(folder, text):
    limiter(folder).wait_for_turn()
    (path,) = folder.glob("*.json")
    path.write_text(text)
    assert most_in_any(turns(limiter(folder), 4), SEEN) == 3


def test_a_file_that_is_lost_meanwhile_stops_nobody(folder):
    slow = limiter(folder, limit=1)
    slow.wait_for_turn()
    waited = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        wait_for_turn = pool.submit(slow.wait_for_turn, CallOptions(on_wait=lambda _: waited.set()))
        assert waited.wait(5)
        for path in folder.glob("*.json"):
            path.unlink()
        wait_for_turn.result(5)
    assert slow.shared


@pytest.mark.parametrize("trouble", ["a file", "in a file", "taken away"])
def test_without_a_folder_the_client_keeps_a_window_of_its_own(tmp_path, trouble):
    place = tmp_path / "limits"
    if trouble == "taken away":
        place.mkdir()
        alone = limiter(place)
        alone.wait_for_turn()
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
        place.write_text("")
        assert most_in_any(turns(alone, 2), SEEN) <= 3
    else:
        place.write_text("")
        alone = limiter(place if trouble == "a file" else place / "below")
    assert most_in_any(turns(alone, 5), SEEN) <= 3
    assert not alone.shared
    alone.set_account("77001")
    alone.wait_for_turn()


def test_the_place_of_the_folder_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv(limits.FOLDER_NAME, str(tmp_path / "mine"))
    Limiter(HOST, WHO, 3).wait_for_turn()
    assert len(list((tmp_path / "mine").glob("*.json"))) == 1
    monkeypatch.delenv(limits.FOLDER_NAME)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert limits.default_folder().name == "limits"


def test_files_of_other_days_are_cleared_away(folder):
    limiter(folder).wait_for_turn()
    old = folder / "0123456789abcdef01234567.json"
    old.write_text("{}")
    os.utime(old, (1, 1))
    limiter(folder).wait_for_turn()
    assert not old.exists()
    assert len(list(Path(folder).glob("*.json"))) == 1
