"""``kill -9`` at any moment: one calm sync later all is as if nothing had happened."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from alchemer_nb.store import manifest
from tests.store.conftest import ALL, SURVEY, fresh_client, quiet_box, same

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no kill -9 there")


class Victims:
    """Processes that sync, one after the other; the next one starts while its time is not yet."""

    def __init__(self, box, times: int) -> None:
        self._left = times
        self._command = [
            *(sys.executable, "-m", "tests.store.killed"),
            *(box.url, box.api_token, box.api_token_secret, SURVEY),
        ]
        self._next = self._start()

    def _start(self) -> subprocess.Popen[str] | None:
        if not self._left:
            return None
        self._left -= 1
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)

    def kill_one(self, after: float) -> None:
        """Has one sync for so many seconds, and kills it."""
        victim, self._next = self._next, self._start()
        assert victim is not None
        assert victim.stdout.readline() == "ready\n"
        victim.stdin.write("go\n")
        victim.stdin.flush()
        time.sleep(after)
        assert victim.poll() is None, "it ended by itself"
        self._end(victim)

    def close(self) -> None:
        if self._next is not None:
            self._end(self._next)

    def _end(self, victim: subprocess.Popen[str]) -> None:
        victim.kill()
        victim.wait()
        victim.stdin.close()
        victim.stdout.close()


def kill_often(times: int, seed: int, responses: int) -> None:
    chance = random.Random(seed)
    with quiet_box(responses=responses, latency=0.01) as box:
        client = fresh_client(box)
        victims = Victims(box, times)
        try:
            for turn in range(times):
                victims.kill_one(chance.uniform(0.0, 1.2))
                _something_happens(box, client, chance)
                if turn % 5 == 4:
                    _is_as_fresh(box, client)
        finally:
            victims.close()
        _is_as_fresh(box, client)


def _something_happens(box, client, chance: random.Random) -> None:
    box.add_responses(SURVEY, chance.randrange(4))
    there = fresh_client(box).responses(SURVEY, columns=["status"], **ALL).index.tolist()
    box.touch(SURVEY, chance.sample(there, 3), data={"3": {"value": str(chance.random())}})
    box.delete_responses(SURVEY, chance.sample(there, chance.randrange(3)))


def _is_as_fresh(box, client) -> None:
    synced = fresh_client(box).sync(SURVEY)
    stored = client.responses(SURVEY, store=True, **ALL)
    same(stored, fresh_client(box).responses(SURVEY, **ALL))
    assert client.scan(SURVEY, test_rows="include").count_rows() == len(stored) == synced.rows
    found = manifest.read_manifest(synced.place)
    names = {path.name for path in synced.place.iterdir()}
    assert {part.name for part in found.parts} <= names
    assert len(names) <= 2 * len(found.parts) + len(found.definitions) + 3, "leftovers"


def test_killed_twice(place):
    kill_often(2, seed=1, responses=1540)


@pytest.mark.long
def test_killed_a_hundred_times(place):
    kill_often(100, seed=2, responses=2600)
