"""A client that is used before and after a fork: nothing of it is shared but the limit."""

from __future__ import annotations

import atexit
import gc
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import filelock
import pytest

from alchemer_nb import ApiKey, Client, Job
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.errors import DownloadIncomplete, StoreBusy
from alchemer_nb.frame.description import Description
from alchemer_nb.http.rate_limit import Limiter
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.store import paths
from tests.boxes import NO_LIMITS, copied_box
from tests.forked import PATIENCE, Child, EchoServer, forks_allowed

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

KEY = ApiKey("canary-token-0123456789abcdef", "canary-secret-xyz")
MINUTE = 0.3


@pytest.fixture
def echo():
    with EchoServer() as server:
        yield server


@pytest.fixture
def used(echo):
    """A transport that holds an open connection, and knows an answer."""
    transport = Transport(KEY, echo.region, minute=MINUTE, requests_per_minute=100_000, retries=1)
    ask(transport, 0)
    return transport


def ask(transport, number):
    answer = transport.send("GET", f"survey/{number}")
    return int(answer.envelope()["data"]["id"])


def wrong_of(transport, numbers):
    """The answers that are those of another call, and how many there were."""
    numbers = list(numbers)
    return [(n, got) for n in numbers if (got := ask(transport, n)) != n], len(numbers)


class Asking:
    """Asks from threads until it is left; each has a connection of its own."""

    def __init__(self, transport, threads=3):
        self.transport, self.wrong, self.answers = transport, [], 0
        self._numbers, self._stop = itertools.count(1_000_000), threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for each in self._threads:
            each.join(PATIENCE)
        assert not any(each.is_alive() for each in self._threads), "the parent hangs"

    def _ask(self):
        while not self._stop.is_set():
            number = next(self._numbers)
            got = ask(self.transport, number)
            self.answers += 1
            if got != number:
                self.wrong.append((number, got))


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("processes", "count"), [(3, 20), pytest.param(6, 160, marks=pytest.mark.long)]
)
def test_answers_of_several_processes_and_none_of_another_call(used, processes, count):
    with ThreadPoolExecutor(2) as pool:  # two more open connections
        list(pool.map(lambda n: ask(used, n), range(1, 9)))
    children = [
        Child(lambda k=k: wrong_of(used, range(1000 * k, 1000 * k + count)))
        for k in range(1, processes)
    ]
    found = [wrong_of(used, range(10_000, 10_000 + count)), *(c.outcome() for c in children)]
    assert found == [([], count)] * processes


_shared = {}  # what a worker of a pool has by being forked: it cannot be pickled


def _asked_by_worker(number):
    return number, ask(_shared["transport"], number), os.getpid()


@contextmanager
def pool_map(kind):
    fork = multiprocessing.get_context("fork")
    with forks_allowed():
        if kind == "Pool":
            with fork.Pool(3) as pool:
                yield lambda work, numbers: pool.map_async(work, numbers, 10).get(PATIENCE)
        elif kind == "Executor":
            with ProcessPoolExecutor(3, mp_context=fork) as pool:
                yield lambda work, numbers: list(
                    pool.map(work, numbers, chunksize=10, timeout=PATIENCE)
                )
        else:
            joblib = pytest.importorskip("joblib")

            def run(work, numbers):
                with joblib.parallel_config("multiprocessing", n_jobs=3):
                    tasks = (joblib.delayed(work)(number) for number in numbers)
                    return joblib.Parallel(timeout=PATIENCE)(tasks)

            yield run


@pytest.mark.parametrize(
    "kind", ["Executor", *(pytest.param(k, marks=pytest.mark.long) for k in ("Pool", "joblib"))]
)
def test_workers_of_a_pool_get_their_own_answers(used, kind):
    _shared["transport"] = used
    try:
        with pool_map(kind) as run:
            found = run(_asked_by_worker, range(1, 61))
    finally:
        _shared.clear()
    assert [(n, got) for n, got, _ in found if n != got] == []
    assert len(found) == 60
    assert os.getpid() not in {pid for _, _, pid in found}
    assert wrong_of(used, range(300, 320)) == ([], 20)


@pytest.mark.parametrize("children", [3, pytest.param(8, marks=pytest.mark.long)])
def test_forks_in_the_midst_of_calls_hang_nobody(used, children):
    with Asking(used) as asking:
        for k in range(1, 1 + children):
            child = Child(lambda k=k: wrong_of(used, range(100 * k, 100 * k + 5)))
            assert child.outcome() == ([], 5)
        before = asking.answers
    assert asking.wrong == []
    assert before > children  # it went on meanwhile


def test_a_child_that_ends_as_a_program_does_leaves_the_connections_of_its_parent_open(used, echo):
    came = echo.opened
    assert Child(lambda: wrong_of(used, range(20, 25)), leaves=True).outcome() == ([], 5)
    assert echo.opened == came + 1  # the child's own
    assert wrong_of(used, range(30, 40)) == ([], 10)
    assert echo.opened == came + 1  # and the parent's was there all the time


def test_a_child_of_a_child_has_its_own_too(used):
    def work():
        mine = wrong_of(used, range(10, 20))
        return mine, Child(lambda: wrong_of(used, range(20, 30))).outcome()

    assert Child(work).outcome() == (([], 10), ([], 10))


def test_a_client_that_is_forgotten_is_not_kept_for_the_next_fork(echo):
    transport = Transport(KEY, echo.region)
    ask(transport, 1)
    reference = weakref.ref(transport)
    del transport
    gc.collect()
    assert reference() is None


# -- what is known, and what is on its way -------------------------------------------------------


def test_the_memory_of_the_minute_belongs_to_one_process(echo):
    client = Client(KEY, echo.region, requests_per_minute=1000)

    def asks():
        return [client.request("GET", "survey/7")["data"]["id"] for _ in range(2)]

    assert asks() == ["7", "7"]
    assert echo.asked == ["7"]
    assert Child(asks).outcome() == ["7", "7"]
    assert echo.asked == ["7", "7"]
    asks()
    assert echo.asked == ["7", "7"]


def test_a_call_that_is_on_its_way_in_the_parent_is_made_anew_by_the_child(echo):
    """The parent's threads, which would bring the answer and free the places, are not there."""
    transport = Transport(KEY, echo.region, max_in_flight=2, retries=1)
    gate = echo.hold(8)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, transport, 8), pool.submit(ask, transport, 9)]
        assert echo.held.wait(PATIENCE)
        child = Child(lambda: (ask(transport, 9), ask(transport, 10)))
        assert child.outcome() == (9, 10)
        gate.set()
        assert [each.result(PATIENCE) for each in asked] == [8, 9]


def test_a_wait_in_which_a_callback_forks_ends_in_the_child(echo):
    """The same call is on its way in a thread, which the child has not."""
    transport = Transport(KEY, echo.region, retries=1)
    gate = echo.hold(8)
    forked = []

    def tell(_):
        if not forked:
            forked.append(forks())
            if forked[0]:
                gate.set()

    def waits():
        transport.send("GET", "survey/8", options=CallOptions(on_wait=tell))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, transport, 8)
        assert echo.held.wait(PATIENCE)
        told = in_both(waits, forked)
        assert first.result(PATIENCE) == 8
    assert told == "TransportError: this process was forked from the one that began it"


def forks():
    with forks_allowed():
        return os.fork()


def in_both(work, forked):
    """Does what forks on its way, and gives the error that ended it in the child."""
    told, telling = os.pipe()
    try:
        work()
        error = ""
    except BaseException as caught:  # noqa: BLE001 - told by the other process
        error = f"{type(caught).__name__}: {caught}"
    if forked[0] == 0:
        os.write(telling, error.encode())
        os._exit(0)
    assert error == ""
    assert exit_of(forked[0]) == 0
    os.close(telling)
    with os.fdopen(told) as pipe:
        return pipe.read()


def exit_of(pid):
    end = time.monotonic() + PATIENCE
    while (found := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("the child hangs")
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(found[1])


# -- the limit -----------------------------------------------------------------------------------


def test_children_and_parent_take_their_turns_from_one_limit(tmp_path):
    minute = 0.5
    limiter = Limiter("api.example", "who", 4, minute, tmp_path / "limits")

    def turns(count):
        for _ in range(count):
            limiter.wait_for_turn()

    began = time.monotonic()
    turns(1)
    children = [Child(lambda: turns(4)) for _ in range(3)]
    turns(4)
    for each in children:
        each.outcome()
    assert time.monotonic() - began >= 4 * minute  # seventeen turns, four a minute


def test_a_child_waits_for_a_lock_of_the_limit_and_not_for_a_thread_of_its_parent(tmp_path):
    folder = tmp_path / "limits"
    limiter = Limiter("api.example", "who", 100, 60.0, folder)
    limiter.wait_for_turn()
    (lock,) = folder.glob("*.lock")
    holder = filelock.FileLock(lock)
    holder.acquire()
    waits = threading.Thread(target=limiter.wait_for_turn)
    waits.start()
    while not limiter._lock.locked():
        time.sleep(0.001)
    child = Child(limiter.wait_for_turn)
    holder.release()
    assert child.outcome() is None
    waits.join(PATIENCE)
    assert limiter.shared


# -- the store -----------------------------------------------------------------------------------


def test_a_store_that_the_parent_works_on_is_busy_for_its_child(tmp_path):
    with paths.lock_folder(tmp_path):
        assert Child(lambda: takes(tmp_path)).outcome() == "busy"
        assert Child(lambda: takes(tmp_path)).outcome() == "busy"
    assert Child(lambda: takes(tmp_path)).outcome() == "taken"


def takes(folder):
    try:
        with paths.lock_folder(folder, 0.1):
            return "taken"
    except StoreBusy:
        return "busy"


def test_a_child_that_ends_in_the_midst_of_its_parents_work_lets_nobody_in(tmp_path):
    forked = []

    def work():
        with paths.lock_folder(tmp_path):
            forked.append(forks())
            if forked[0] == 0:
                raise SystemExit("out of the midst of it")
            exit_of(forked[0])
            assert Child(lambda: takes(tmp_path)).outcome() == "busy"

    try:
        work()
    except SystemExit:
        os._exit(0)
    assert takes(tmp_path) == "taken"


def test_a_child_that_lives_on_does_not_keep_the_lock_of_a_parent_that_died(tmp_path):
    ready, go = os.pipe(), os.pipe()

    def parent():
        with paths.lock_folder(tmp_path):
            if forks() == 0:
                os.write(ready[1], b"x")
                os.read(go[0], 1)
                os._exit(0)
            os.read(ready[0], 1)
            os._exit(0)  # without a word, as at a kill

    pid = forks()
    if pid == 0:
        parent()
    try:
        assert exit_of(pid) == 0
        with paths.lock_folder(tmp_path, 1.0):
            pass
    finally:
        os.write(go[1], b"x")
        for handle in (*ready, *go):
            os.close(handle)


# -- downloads -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slow_box():
    with copied_box(seed=3, responses=1040, form="current", latency=0.05, **NO_LIMITS) as running:
        yield running


@pytest.fixture
def slow(slow_box, tmp_path):
    key = ApiKey(slow_box.api_token, slow_box.api_token_secret)
    return Client(key, slow_box.region, max_in_flight=1, store=tmp_path / "store")


def runs(job):
    """Waits until a page has come; the next takes long enough to fork meanwhile."""
    while job.progress is None or not job.progress.pages:
        time.sleep(0.005)
    return job


@pytest.fixture
def long_page(slow_box):
    slow_box.fail_next({"delay": 1.5, "when": {"path": "surveyresponse", "page": 2}})
    yield
    slow_box.calm()


def told_of(job):
    """What a process sees of a job."""
    with pytest.raises(DownloadIncomplete) as caught:
        job.result()
    job.cancel()
    return (
        str(caught.value),
        job.done,
        job.partial(),
        str(job.exception) == job.line == str(caught.value),
    )


@pytest.mark.parametrize("begin", [Job.start, pytest.param(Job.sync, marks=pytest.mark.long)])
def test_a_job_that_runs_in_the_parent_has_ended_in_the_child(slow, long_page, begin):
    job = runs(begin(slow, "Customer satisfaction"))
    said = (
        "Customer satisfaction: it goes on in the process that began it, and not in this one, "
        "which was forked meanwhile. Run it again here, or wait for it before forking"
    )
    assert Child(lambda: told_of(job)).outcome() == (said, True, None, True)
    assert not job.cancelled
    came = job.result(PATIENCE)
    assert Child(lambda: str(job.result())).outcome() == str(came)  # what has ended stays


def test_a_job_that_had_failed_has_failed_in_the_child_too(slow):
    job = Job.start(slow, "no such survey")
    error = job.wait(PATIENCE) and job.exception
    assert Child(lambda: (str(job.exception), job.done)).outcome() == (str(error), True)


def test_the_child_downloads_by_itself_while_the_parent_does(slow, long_page):
    job = runs(Job.start(slow, "Customer satisfaction"))
    child = Child(lambda: len(slow.responses("Customer satisfaction", limit=20, progress="none")))
    assert child.outcome() == 20
    assert len(job.result(PATIENCE)) > 1000


FORKS_AT_ONCE = """
import os, sys, time
from alchemer_nb import ApiKey, Client, Job, Region
nobody = Region.custom("http://127.0.0.1:9")
job = Job.start(Client(ApiKey("canary-token-0123456789", "canary-secret"), nobody), 1)
while "pandas" not in sys.modules:  # from when on it is being imported
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    import alchemer_nb.client.retrieval, pandas
    os._exit(7)
print(pid, file=sys.stderr, flush=True)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_child_that_is_forked_as_a_job_begins_can_import_what_the_job_needs():
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKS_AT_ONCE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stderr.readline())  # not of stdout, as it may read ahead
    try:
        assert parent.communicate(timeout=PATIENCE)[0] == "7\n"
    except subprocess.TimeoutExpired:
        os.kill(child, signal.SIGKILL)  # the parent ends, too, with what it waits for
        parent.communicate()
        raise


@pytest.mark.parametrize("what", ["responses", pytest.param("sync", marks=pytest.mark.long)])
def test_a_download_whose_callback_forks_ends_in_the_child_alone(slow, what):
    forked, came = [], []

    def tell(progress):
        if progress.pages and not forked:
            forked.append(forks())

    def work():
        if what == "sync":
            came.append(slow.sync("Customer satisfaction", tell=tell).rows)
        else:
            came.append(len(slow.responses("Customer satisfaction", progress=tell)))

    said = in_both(work, forked)
    assert "this process was forked from the one that began it" in said
    if what == "responses":
        assert said.startswith("DownloadIncomplete: Customer satisfaction: 500 of ")
    assert came[0] > 1000
    if what == "sync":
        assert slow.sync("Customer satisfaction").rows == came[0]


# -- what other threads hold ---------------------------------------------------------------------


@contextmanager
def held(context):
    """Has another thread be inside of a context meanwhile."""
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with context:
            inside.set()
            leave.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(PATIENCE)
    try:
        yield
    finally:
        leave.set()
        thread.join(PATIENCE)


def test_the_child_collects_garbage_while_a_thread_of_its_parent_pauses_that():
    with held(collector_paused()):
        assert Child(gc.isenabled).outcome() is True
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_child_can_be_interrupted_while_its_parent_holds_interrupts():
    def interrupted():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return "interrupted"
        return "held"

    def holding():
        with delay_interrupts(), ThreadPoolExecutor(1) as pool:
            child = pool.submit(lambda: Child(interrupted).outcome())
            assert child.result(PATIENCE) == "interrupted"
            assert interrupted() == "held"

    with pytest.raises(KeyboardInterrupt):
        holding()


def test_the_sign_ins_of_a_shell_can_be_asked_for_in_the_child():
    session = Session()
    with held(session._lock):
        assert Child(session.names).outcome() == ()


@pytest.mark.parametrize("children", [2, pytest.param(4, marks=pytest.mark.long)])
def test_a_frame_tells_its_columns_in_the_child_while_a_thread_finds_them_out(box, children):
    key = ApiKey(box.api_token, box.api_token_secret)
    frame = Client(key, box.region).responses("Customer satisfaction", progress="none")
    text, stop = frame.attrs["alchemer"], threading.Event()

    def columns():
        return list(Description.from_json(text).records)

    def again_and_again():
        while not stop.is_set():
            columns()

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        expected = columns()
        for _ in range(children):
            assert Child(columns).outcome() == expected
    finally:
        stop.set()
        thread.join(PATIENCE)


# -- the sandbox ---------------------------------------------------------------------------------


# One that leaves as a program does takes seconds over it.
@pytest.mark.parametrize("leaves", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_child_neither_stops_nor_disturbs_the_sandbox_of_its_parent(leaves):
    with Sandbox(responses=20) as own:
        client = Client(ApiKey(own.api_token, own.api_token_secret), own.region)
        atexit.register(own.stop)
        try:

            def asks():
                rows = len(client.surveys())
                refused = []
                for work in (lambda: own.seen, lambda: own.fail_next(None), own.calm):
                    with pytest.raises(RuntimeError, match="in the process that started it"):
                        work()
                    refused.append(work)
                own.stop()
                return rows, own.running, len(refused)

            rows = len(client.surveys())
            assert Child(asks, leaves=leaves).outcome() == (rows, False, 3)
        finally:
            atexit.unregister(own.stop)
        assert own.running
        assert len(own.calls) == 2
        assert client.request("GET", "account")["result_ok"]
