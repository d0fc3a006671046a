"""Rounds of changes, troubles and calls; at the end of each the store must equal the survey."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alchemer_nb import ApiKey, Client, Job, OAuth1
from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    DownloadIncomplete,
    TransportError,
)
from alchemer_nb.http.retries import Retries
from alchemer_nb.sandbox import Sandbox
from tests.boxes import demo_file
from tests.person import regenerate_key
from tests.soak import measures, troubles
from tests.soak.truth import SURVEY, Truth, compare_frame, compare_store, walk, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

DATA: dict[str, Any] = {"seed": 3, "responses": 1003, "form": "current"}
_MANY = 10**6  # calls a minute
_PATIENCE: dict[str, Any] = {
    "timeout": (2, 0.9),
    "retries": Retries(attempts=3, base=0.002),
    "requests_per_minute": _MANY,
}
_MEMORY = 61  # seconds for which a client and the sandbox repeat a reply
_ABANDONED = 30  # seconds: none of the troubles makes a call as slow


@dataclass
class Result:
    """What a soak did and found."""

    seed: int
    rounds: int = 0
    seconds: float = 0.0
    calls: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    syncs: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)
    taken: list[measures.Measure] = field(default_factory=list)

    @property
    def growth(self) -> list[str]:
        return measures.growth(*measures.start_and_end(self.taken))

    @property
    def ok(self) -> bool:
        """Whether the store was compared and right each time, and nothing grew."""
        return self.compared.total() > 0 and not self.mismatches and not self.growth

    def lines(self) -> Iterator[str]:
        """Yield the summary."""
        yield f"soak: seed {self.seed}, {self.rounds:,} rounds in {self.seconds:,.0f} s"
        yield f"calls: {self.calls:,}"
        for name in ("troubles", "actions", "errors", "syncs", "compared"):
            counted: Counter[str] = getattr(self, name)
            kinds = ", ".join(f"{kind} {number:,}" for kind, number in counted.most_common())
            yield f"{name}: {counted.total():,}" + (f" ({kinds})" if kinds else "")
        yield f"mismatches: {len(self.mismatches):,}"
        yield from (f"  {each}" for each in self.mismatches[:20])
        yield "held, after a warm-up and at the end:"
        yield from measures.lines(*measures.start_and_end(self.taken))
        yield from (f"  grew: {each}" for each in self.growth)


class Soak:
    """One client that goes through it all, beside others that come and go.

    Args:
        seed: Of everything that is drawn.
        folder: For the sandbox's file and the store.
        say: Called with a line after each round.
        waits: Whether one client syncs again and again, and now and then waits up to a minute.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        say: Callable[[str], object] = str,
        *,
        waits: bool = True,
    ) -> None:
        self.result = Result(seed)
        self._data = DATA
        self._chance = random.Random(seed)
        self._say = say
        self._waits = waits
        self._file = Path(shutil.copy(demo_file(**DATA), folder / "box.db"))
        self._store = folder / "store"
        self._counted = 0  # calls of this server that are in the result
        self._defined = -_MEMORY * 1.0  # when the definition changed last
        self._is_lying = self._is_caching = self._armed = False
        self._stop = threading.Event()
        self._box = self._serve(0)
        self._client = self._new_client()

    def run(self, rounds: int, seconds: float = float("inf")) -> Result:
        """Run so many rounds, or as many as begin within so many seconds."""
        began = time.monotonic()
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            while self.result.rounds < rounds and time.monotonic() - began < seconds:
                self._round()
                self.result.seconds = time.monotonic() - began
                self._say(self._line())
        finally:
            signal.signal(signal.SIGINT, before)
            self._count_calls()
            self._box.stop()
        return self.result

    def _line(self) -> str:
        last, result = self.result.taken[-1], self.result
        return (
            f"round {result.rounds}: {result.seconds:.0f} s, {result.errors.total()} errors, "
            f"{len(result.mismatches)} mismatches, {last.memory:.0f} MB, {last.threads} threads, "
            f"{last.descriptors} descriptors, {last.stored} files"
        )

    # -- the server -------------------------------------------------------------------------

    def _serve(self, port: int, **more: Any) -> Sandbox:
        settings = {"calls_per_minute": None, "cache_seconds": 0, "refuse_identical": False}
        return Sandbox(port=port, db=self._file, **DATA | settings | more).start()

    def _restart(self, **more: Any) -> None:
        """Stop in the middle of whatever is asked, and start anew on the same port."""
        port = self._box.port
        self._count_calls()
        self._box.stop()
        self._is_caching = bool(more.get("cache_seconds"))
        self._box = self._serve(port, **more)
        self.result.troubles["restart"] += 1

    def _count_calls(self) -> None:
        calls = self._box.calls
        self.result.calls += calls[-1].number if calls else 0

    def _random_settings(self) -> dict[str, Any]:
        chance = self._chance
        return {
            "cache_seconds": chance.choice([0, 0, 60]),
            "refuse_identical": chance.random() < 0.5,
            "status_200_errors": chance.random() < 0.3,
            "flat_single": chance.random() < 0.3,
        }

    def _new_client(self, *, signed: bool = False) -> Client:
        """A client that remembers nothing, with the key or with a consumer pair."""
        box = self._box
        pair = OAuth1(box.consumer_key, box.consumer_secret) if signed else ApiKey(*self._key)
        return Client(pair, region=box.region, store=self._store, **_PATIENCE)

    def _some_client(self) -> Client:
        """The client of the whole soak, or a new one.

        Not always the first: it never asks for a page twice within a minute, in which time
        Alchemer would repeat its reply, and would wait for the rest of the minute.
        """
        kind = self._chance.randrange(4)
        is_first = kind < 2 and self._waits
        return self._client if is_first else self._new_client(signed=kind == 2)

    @property
    def _key(self) -> tuple[str, str]:
        return self._box.api_token, self._box.api_token_secret

    # -- a round ----------------------------------------------------------------------------

    def _round(self) -> None:
        chance = self._chance
        if self._is_caching and chance.random() < 0.5:  # else no download could be compared
            self._restart()
        self._changed: set[int] = set()
        self._change_responses()
        if chance.random() < 0.3:
            self._change_definition()
        for action in chance.sample(self._all_actions(), k=4):
            self._box.calm()
            self._truth = walk(self._box)
            self._order_troubles()
            self._attempt(action)
        self._box.calm()
        self._box.show_changes()
        self._settle()
        self.result.rounds += 1
        self.result.taken.append(measures.take(self._store))

    def _settle(self) -> None:
        """Sync once in peace: now the store must equal the survey."""
        self._wait_for_abandoned_calls()
        remembers = time.monotonic() - self._defined < _MEMORY
        if remembers and self._is_caching:  # the sandbox repeats the old definition, too
            self._restart()
        client = self._new_client() if remembers else self._some_client()
        name = f"round {self.result.rounds + 1}"
        try:
            synced = client.sync(SURVEY)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
            self._mismatch(f"{name}: a sync in peace failed: {type(error).__name__}: {error}")
            return
        self.result.syncs["done in peace"] += 1
        truth = walk(self._box)
        fresh = None if self._is_caching else self._new_client()
        found = compare_store(truth, client, fresh, self._sample(truth))
        if synced.rows != len(truth.ids):
            found.append(f"the sync says {synced.rows} rows, not {len(truth.ids)}")
        self.result.compared["store after a sync in peace"] += 1
        for each in found:
            self._mismatch(f"{name}: {each}")

    def _wait_for_abandoned_calls(self) -> None:
        """Wait until the sandbox answers nothing more.

        It goes on with a call that a client gave up on, and refuses the same call meanwhile, for
        longer than the retries of this client, which wait milliseconds, take together.
        """
        until = time.monotonic() + _ABANDONED
        while self._box.in_flight:
            assert time.monotonic() < until, "the sandbox goes on answering"
            time.sleep(0.01)

    def _sample(self, truth: Truth) -> set[int]:
        """Ids of the responses whose cells are read by the second reader, who is slow."""
        return {*self._changed, *self._chance.sample(truth.ids, 40)}

    def _mismatch(self, what: str) -> None:
        self.result.mismatches.append(" ".join(what.split())[:600])

    def _attempt(self, action: Callable[[], object]) -> None:
        """Act; only errors of the package may come, and a Ctrl-C that was sent."""
        name = action.__name__.strip("_").replace("_", " ")
        self.result.actions[name] += 1
        try:
            action()
        except AlchemerError as error:
            self._note_error(error)
        except KeyboardInterrupt:
            self.result.errors["KeyboardInterrupt that was sent"] += 1
        except Exception as error:  # noqa: BLE001 - which is what is looked for
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            line = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
            self._mismatch(f"{name}: untyped {type(error).__name__} at {line}: {error}")

    def _note_error(self, error: AlchemerError) -> None:
        self.result.errors[type(error).__name__] += 1
        if not str(error).strip():
            self._mismatch(f"{type(error).__name__} says nothing")

    def _order_troubles(self) -> None:
        is_mild = self._chance.random() < 0.5
        self._is_lying = lies = not is_mild and self._chance.random() < 0.5
        for name, fault in troubles.draw(self._chance, 5, lies=lies, is_mild=is_mild):
            self._box.fail_next(fault)
            if name:
                self.result.troubles[name] += 1

    # -- changes ----------------------------------------------------------------------------

    def _change_responses(self) -> None:
        chance, box = self._chance, self._box
        there = walk(box).ids
        self._changed = set(chance.sample(there, 12))
        touched, rest = [*self._changed][:3], [*self._changed][3:]
        box.touch(SURVEY, touched, data={"4": {"value": str(chance.randrange(99))}})
        box.touch(SURVEY, rest[:2])
        self._edit(rest[2:7])
        too_many = max(0, len(there) - self._data["responses"])
        box.delete_responses(SURVEY, chance.sample(there, min(too_many, 8) + chance.randrange(2)))
        self._changed |= {*box.add_responses(SURVEY, chance.randrange(6))}
        if chance.random() < 0.3:  # shown at the end of the round, dated now
            box.add_responses(SURVEY, 2, visible_after=3600)

    def _edit(self, ids: list[int]) -> None:
        """Partial responses become complete ones and the other way, real ones become test data."""
        chance, now = self._chance, int(time.time())

        def edit(services: Any) -> None:
            library = services.state.library
            for own in ids:
                record = library.response(SURVEY, own)
                answers = record["survey_data"]
                if chance.random() < 0.5:
                    record["is_test_data"] = not record["is_test_data"]
                elif record["status"] == "Complete":
                    kept = chance.sample(sorted(answers), len(answers) // 2)
                    record |= {"status": "Partial", "survey_data": {k: answers[k] for k in kept}}
                else:
                    record["status"] = "Complete"
                library.save_responses(SURVEY, [record | {"updated": now}])

        self._box._require_server().call(edit)

    def _change_definition(self) -> None:
        """Give an option another label."""
        chance = self._chance

        def edit(services: Any) -> None:
            library = services.state.library
            record = library.survey(SURVEY).record
            questions = [each for page in record["pages"] for each in page["questions"]]
            chosen = chance.choice([each for each in questions if each.get("options")])
            own = chance.choice(chosen["options"])["id"]
            _relabel(record["pages"], own, f"Label {chance.randrange(10**6)}")
            library._db.execute(
                "UPDATE surveys SET record = ? WHERE id = ?", (json.dumps(record), SURVEY)
            )
            library._definitions.pop(SURVEY)

        self._box._require_server().call(edit)
        self._defined = time.monotonic()
        self._restart()
        self.result.troubles["definition changed"] += 1

    # -- actions ----------------------------------------------------------------------------

    def _all_actions(self) -> list[Callable[[], object]]:
        return [
            self._sync,
            self._full_sync,
            self._interrupted_sync,
            self._stopped_sync,
            self._sync_while_it_restarts,
            self._two_syncs_at_once,
            self._download,
            self._interrupted_download,
            self._cancelled_job,
            self._new_key,
            self._no_server,
            self._stored_reads,
            self._lists,
        ]

    def _synced(self, run: Callable[[], object]) -> None:
        self.result.syncs["begun in trouble"] += 1
        run()
        self.result.syncs["done in trouble"] += 1

    def _sync(self) -> None:
        self._synced(lambda: self._some_client().sync(SURVEY))

    def _full_sync(self) -> None:
        self._synced(lambda: self._some_client().sync(SURVEY, full=True))

    def _interrupted_sync(self) -> None:
        with self._interrupting():
            self._synced(lambda: self._some_client().sync(SURVEY, full=self._chance.random() < 0.5))

    def _stopped_sync(self) -> None:
        job = Job.sync(self._some_client(), SURVEY, full=True)
        job.wait(self._chance.uniform(0, 0.4))
        job.cancel()
        self._synced(job.result)

    def _sync_while_it_restarts(self) -> None:
        def restart() -> None:
            self._restart(**self._random_settings())

        self._synced(lambda: self._some_client().sync(SURVEY, full=True, tell=self._once(restart)))

    def _two_syncs_at_once(self) -> None:
        jobs = [Job.sync(client, SURVEY) for client in (self._some_client(), self._new_client())]
        for job in jobs:
            with contextlib.suppress(AlchemerError):
                job.result()
        for job in jobs:
            self._synced(job.result)

    def _download(self) -> None:
        self._compare("download", whole(self._new_client(signed=self._chance.random() < 0.5)))

    def _interrupted_download(self) -> None:
        with self._interrupting():
            self._resumed(lambda: whole(self._new_client()))

    def _cancelled_job(self) -> None:
        job = Job.start(self._new_client(), SURVEY, names="id", metadata="all", test_rows="include")
        job.first(3).result()
        job.cancel()
        self._resumed(job.result)

    def _new_key(self) -> None:
        """The key is regenerated in the middle of a download, which goes on with the new one."""
        box, old = self._box, self._client
        regenerate = self._once(lambda: regenerate_key(box.url, box.username, box.password))
        try:
            self._resumed(lambda: whole(self._new_client(), progress=regenerate))
        finally:
            regenerate(None)  # where no page had come
            box.calm()
            self.result.troubles["key regenerated"] += 1
            self._client = self._new_client()
            with contextlib.suppress(AuthenticationError):
                old.request("GET", "accountuser", {"now": self._chance.random()})
                self._mismatch("a regenerated key still works")

    def _no_server(self) -> None:
        self._count_calls()
        port, client = self._box.port, self._client
        self._box.stop()
        self.result.troubles["no server"] += 1
        try:
            client.sync(SURVEY)
            self._mismatch("a sync without a server ended well")
        except TransportError as error:
            self._note_error(error)
        finally:
            self._box = self._serve(port, **self._random_settings())
            self._is_caching = self._box.settings.cache_seconds > 0

    def _stored_reads(self) -> None:
        client = self._client
        whole(client, store=True)
        client.sql(f"select * from survey_{SURVEY} limit 3", progress="none")  # noqa: S608
        client.scan(SURVEY, engine="duckdb", progress="none").fetchall()
        client.changes(SURVEY)
        client.stored()

    def _lists(self) -> None:
        client = self._new_client()
        client.surveys()
        client.table("accountuser")
        client.codebook(SURVEY)
        client.estimate(SURVEY)
        client.survey("customer")

    # -- helpers of the actions ---------------------------------------------------------------

    def _compare(self, what: str, frame: pd.DataFrame) -> None:
        if self._is_lying or self._is_caching:
            return
        self.result.compared[f"{what} in trouble"] += 1
        sample = self._sample(self._truth)
        for each in compare_frame(what, self._truth, frame, "label", sample):
            self._mismatch(f"round {self.result.rounds + 1}: {each}")

    def _resumed(self, run: Callable[[], pd.DataFrame]) -> None:
        """Take a frame; where it is cut short, go on with it until it is whole."""
        try:
            frame = run()
        except DownloadIncomplete as error:
            self._note_error(error)
            incomplete = error
        else:
            self._compare("download", frame)
            return
        with contextlib.suppress(AlchemerError):
            _ = incomplete.partial
        if incomplete.resumable:
            self._box.calm()
            frame = incomplete.resume(self._new_client(), "none")
            self.result.actions["resumed download"] += 1
            self._compare("resumed download", frame)

    def _once(self, work: Callable[[], object]) -> Callable[[object], None]:
        """A callback for progress that works the first time."""
        waiting = [work]

        def on_progress(_: object) -> None:
            if waiting:
                waiting.pop()()

        return on_progress

    def _interrupt(self, *_: object) -> None:
        if self._armed:
            self._armed = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def _interrupting(self) -> Iterator[None]:
        """Send Ctrl-C at some moment within the block."""
        main, after = threading.main_thread().ident, self._chance.uniform(0, 0.5)
        over = threading.Event()

        def send() -> None:
            if not over.wait(after):
                signal.pthread_kill(main or 0, signal.SIGINT)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            self._armed = True
            yield
        finally:
            self._armed = False
            over.set()
            sender.join()


def _relabel(thing: Any, own: int, label: str) -> None:
    """Give an option another label wherever it is listed: rows of a grid list it, too."""
    if isinstance(thing, dict) and thing.get("id") == own and "value" in thing:
        thing["title"]["English"] = label
    for each in thing.values() if isinstance(thing, dict) else thing:
        if isinstance(each, dict | list):
            _relabel(each, own, label)
