"""Fetches a survey's definition and its responses: all pages, in order, counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alchemer_nb.decode.answers import Answers, AnswersBuilder, latest_rows
from alchemer_nb.errors import ApiError, InvalidArgument, TransportError
from alchemer_nb.fetch import resuming
from alchemer_nb.fetch.prefetch import Engine, Stretch
from alchemer_nb.fetch.progress import Progress, Told
from alchemer_nb.fetch.resuming import Mark
from alchemer_nb.http.retries import is_refused_in_passing
from alchemer_nb.http.waiting import CallOptions, interrupts_held
from alchemer_nb.survey.definition import Definition, read_definition
from alchemer_nb.wire import clocks
from alchemer_nb.wire.clocks import Clock
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.json import decode
from alchemer_nb.wire.paging import PAGE_SIZE, measure_envelope, rows_of, walk, whole

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pandas as pd

    from alchemer_nb.decode.pages import Page
    from alchemer_nb.http.reply import Answer
    from alchemer_nb.http.transport import Transport


_OFTEN = 0.1  # seconds between two reports while nothing new has come


def definition(
    transport: Transport, survey_id: str, options: CallOptions | None = None
) -> Definition:
    """Fetches the definition of a survey: its pages, and its questions once more in full.

    Args:
        transport: Sends.
        survey_id: Whose.
        options: Of all its calls.
    """
    return definition_and_count(transport, survey_id, options)[0]


def definition_and_count(
    transport: Transport, survey_id: str, options: CallOptions | None = None
) -> tuple[Definition, int | None]:
    """The same, and about how many responses there are, where the survey's statistics say so."""
    envelope = transport.send("GET", f"survey/{survey_id}", options=options).envelope()
    rows = rows_of(envelope)
    survey = rows[0] if rows and isinstance(rows[0], Mapping) else {}
    questions = [
        row
        for page in envelopes(transport, f"survey/{survey_id}/surveyquestion", options=options)
        for row in rows_of(page)
    ]
    statistics = survey.get("statistics")
    counts = statistics.values() if isinstance(statistics, Mapping) else ()
    count = sum(whole(each) or 0 for each in counts)
    # The id that was asked for is the one to go on with, whatever a server calls it.
    return read_definition({**survey, "id": survey_id}, questions), count or None


def envelopes(
    transport: Transport,
    path: str,
    params: Mapping[str, Any] | None = None,
    options: CallOptions | None = None,
) -> Any:
    """Yields the envelopes of all pages of a list."""
    given = {"resultsperpage": PAGE_SIZE, **(params or {})}
    first = whole(given.pop("page", None)) or 1

    def fetch(number: int) -> dict[str, Any]:
        query = {**given, "page": number}
        return transport.send("GET", path, query, options=options).envelope()

    return walk(fetch, measure_envelope, first)


@dataclass(slots=True)
class Download:
    """The responses of a survey as they came.

    Attributes:
        builder: Takes in the pages.
        told: Responses that the last page said there are.
        pages: Pages received.
        pages_told: Pages that the last page said there are.
        stopped: Whether it ended early because enough had come.
        broken: Whether it ended early for any other reason.
        changed: Responses that came once more because they had changed meanwhile.
        copies: Responses that were taken in once more because they had, or may have.
        shrank: Whether the server said less than before: some were deleted meanwhile.
        mark: The last page that came, to go on behind it.
        at_hand: Responses that an earlier run had received.
        first: Those of them that the first run had received.
        clock: What the server's clock said when the first of them came.
        again: How often it was gone on with.
        went_on: The page at which this one went on; None where all had come.
        anew: Why nothing of an earlier run was of use; ``""`` where it was, or there was none.
    """

    builder: AnswersBuilder
    told: int | None = None
    pages: int = 0
    pages_told: int | None = None
    stopped: bool = False
    broken: bool = False
    changed: int = 0
    copies: int = 0
    shrank: bool = False
    mark: Mark | None = None
    at_hand: int = 0
    first: int = 0
    clock: Clock | None = None
    again: int = 0
    went_on: int | None = None
    anew: str = ""

    @property
    def answers(self) -> Answers:
        """The answers received so far, which later pages do not change."""
        return self.builder.build()

    def copy(self) -> Download:
        """The same apart, to go on with."""
        return replace(
            self,
            builder=self.builder.copy(),
            at_hand=self.builder.count,
            first=self.first or self.builder.count,
            again=self.again + 1,
            broken=False,
            anew="",
        )

    def add(self, page: Page) -> None:
        """Takes in a page, whole or not at all."""
        with interrupts_held():
            self.builder.add(page)

    def tell(self, count: int | None) -> None:
        """Notes how many responses the server says there are now."""
        if count is None:
            return
        self.shrank = self.shrank or (self.told is not None and count < self.told)
        self.told = count


@dataclass(slots=True)
class Wishes:
    """How a download is to go.

    Attributes:
        enough: Asked after each page whether to stop.
        most: Rows that will do at most, None for all.
        is_sure: Whether the rows at hand are known to be of the same account.
        expected: About how many there are: so many are sent for before the first page tells.
        on_progress: Called after each page, and often while waiting.
        frame: Makes a frame of what has come so far, for ``Progress``.
        calls: How to stop its calls, and whether they may be answered from memory.
    """

    enough: Callable[[Download], bool] | None = None
    most: int | None = None
    expected: int | None = None
    on_progress: Callable[[Progress], None] | None = None
    frame: Callable[[Download], pd.DataFrame] | None = None
    calls: CallOptions = field(default_factory=CallOptions)
    is_sure: bool = False


class Responses:
    """Fetches the responses of a survey.

    Args:
        transport: Sends.
        survey: Whose responses; its question ids tell known answers from unknown ones.
        params: Filter parameters.
        wishes: How it is to go.
        begun: What an earlier run has received, to go on with; it grows.
    """

    def __init__(
        self,
        transport: Transport,
        survey: Definition,
        params: Mapping[str, Any],
        wishes: Wishes,
        begun: Download | None = None,
    ) -> None:
        self.result = begun or Download(AnswersBuilder(survey))
        self._transport = transport
        self._survey = survey
        self._params = params
        self._wishes = wishes
        self._told = Told()
        self._began = self._last = time.monotonic()

    def fetch(self) -> Download:
        """Fetches them all.

        Raises:
            Stopped: ``stop`` was set; ``result`` has what came before.
            InvalidArgument: What an earlier run has received is of another account.
            ApiError, TransportError: As for any call.
        """
        start = self._begin()
        wishes, result = self._wishes, self.result
        with self._engine(anew=result.again > 0) as engine:
            closing_call = None
            for page in self._pages(engine, start):
                self._take(page, engine.at)
                self._report()
                if wishes.enough is not None and wishes.enough(result):
                    result.stopped = True
                    return result
                if engine.all_sent and closing_call is None and wishes.most is None:
                    closing_call = send(engine, result)
            is_long = result.pages > 1 or result.at_hand
            if closing_call is None and is_long and wishes.most is None:
                closing_call = send(engine, result)  # no page told that it was the last
            if closing_call is not None:
                finish(engine, closing_call, result)
        if closing_call is not None and has_gaps(result):
            with self._engine(fresh=result.again > 0) as engine:
                fill_gaps(engine, self._decode, result)
        return result

    def _pages(self, engine: Engine, start: Stretch | None) -> Iterator[Page]:
        if start is not None:
            yield from engine.run(
                self._decode,
                self._wishes.most,
                size=start.size,
                first=start.number,
                expected=self.result.told or self._wishes.expected,
            )

    def _begin(self) -> Stretch | None:
        """Where to begin: at the first page, or behind what an earlier run had received.

        Returns:
            None where all had come.

        Raises:
            InvalidArgument: What had come is of another account.
        """
        result = self.result
        if result.mark is None:
            return Stretch(PAGE_SIZE, 1)
        with self._engine(fresh=True) as engine:
            seen = resuming.look(engine, self._decode, result.mark, result.again)
        if not (seen.common or self._wishes.is_sure):
            raise InvalidArgument(
                f"none of the rows at hand of survey {self._survey.id} is where it was: another "
                "account, or they were deleted; run the download again"
            )
        if seen.same:
            return self._behind(seen, result.mark)
        self.result = Download(
            AnswersBuilder(self._survey),
            again=result.again,
            anew="responses among those at hand were deleted or moved meanwhile",
        )
        return Stretch(result.mark.stretch.other_size, 1)  # caches may know the pages as they were

    def _behind(self, seen: resuming.Seen, mark: Mark) -> Stretch | None:
        """Takes in what more there is on the last page that came; gives where the rest begins."""
        result, last = self.result, mark.stretch
        result.told = seen.page.measure.total_count
        if mark.has_room:
            take_in(seen.page, latest_rows(result.builder), result)
            last = seen.stretch
            result.mark = Mark.of(last, seen.page)
        self._report()
        if result.told is not None and len(latest_rows(result.builder)) >= result.told:
            return None
        result.went_on = None if mark.has_room else result.pages + 1
        return Stretch(last.size, last.number + 1)

    def _take(self, page: Page, at: Stretch) -> None:
        result = self.result
        result.add(page)
        result.pages += 1
        if len(page):
            result.mark = Mark.of(at, page)
        result.tell(page.measure.total_count)
        result.pages_told = page.measure.total_pages

    def _engine(self, *, fresh: bool = False, anew: bool = False) -> Engine:
        calls = self._wishes.calls
        return Engine(
            self._transport,
            f"survey/{self._survey.id}/surveyresponse",
            self._params,
            replace(calls, on_wait=self._told, fresh=fresh or calls.fresh),
            tick=self._tick,
            anew=anew,
        )

    def _decode(self, answer: Answer) -> Page:
        self.result.clock = self.result.clock or Clock.of(answer.headers)
        try:
            return self.result.builder.decode(answer.body)
        except ValueError:
            pass
        raise TransportError(
            f"a page of the responses of survey {self._survey.id} is not a list of responses"
        )

    def _tick(self) -> None:
        if time.monotonic() - self._last >= _OFTEN:
            self._report()

    def _report(self) -> None:
        if self._wishes.on_progress is None:
            return
        result, frame = self.result, self._wishes.frame
        self._last = time.monotonic()
        self._wishes.on_progress(
            Progress(
                self._survey.title,
                result.builder.count,
                result.told,
                result.pages,
                result.pages_told,
                state=self._told.state,
                seconds=self._last - self._began,
                before=result.at_hand,
                stop=self._wishes.calls.stop,
                frame=None if frame is None else lambda: frame(result),
            )
        )


# Newest change first: needs no clock of the server and no zone, which date_updated does not tell
# (https://apihelp.alchemer.com/help/list-responses).
_NEWEST_FIRST = {"order_by": "-date_updated"}


_FEW = 100


_TURNS = 50


_CUT_ELSEWHERE = 250  # also another address, which no cache of the last minute knows


_MOST = 50  # pages: a survey that changes faster than that is never at rest


def send(engine: Engine, result: Download, page: int = 1) -> Future[Answer]:
    """Asks for the responses that were changed last, beside the last pages.

    A run that goes on asks for another number: what the one before was told may be in a cache.
    """
    few = _FEW - result.again % _TURNS
    return engine.send({"resultsperpage": few, "page": page, **_NEWEST_FIRST})


def finish(engine: Engine, call: Future[Answer], result: Download) -> None:
    """Takes in what changed while the pages travelled; mostly one call says that nothing did."""
    for number in range(2, _MOST + 2):
        try:
            envelope = decode(engine.wait_for(call).body)
        except ApiError as error:
            if is_refused_in_passing(error):  # or for good: this server does not sort
                return
            raise
        if not isinstance(envelope, Mapping):
            return
        rows = [row for row in rows_of(dict(envelope)) if isinstance(row, Mapping)]
        result.tell(whole(envelope.get("total_count")))
        changed = _changed(rows, result.builder)
        is_far_enough = _is_far_enough(rows, changed, result)
        taken = changed
        if result.at_hand:  # had come long ago; what tells no date may have changed as well
            taken = [row for row in rows if row in changed or not row.get("date_updated")]
        if taken:
            before = result.builder.count - len(latest_rows(result.builder))
            result.add(result.builder.decode(json.dumps({"data": taken}).encode()))
            result.changed += len(changed)
            result.copies += result.builder.count - len(latest_rows(result.builder)) - before
        if is_far_enough:
            return  # this far back all is as it was when it came
        call = send(engine, result, number)


def has_gaps(result: Download) -> bool:
    """Whether responses are missing, or may be: one that was deleted hides one that is missing."""
    received = len(latest_rows(result.builder))
    return result.told is not None and (result.shrank or received < result.told)


def fill_gaps(engine: Engine, decode_page: Callable[[Answer], Page], result: Download) -> None:
    """Goes through the list once more, cut elsewhere, and takes in what is missing or newer."""
    latest = latest_rows(result.builder)
    for page in engine.run(decode_page, size=_CUT_ELSEWHERE):
        result.tell(page.measure.total_count)
        take_in(page, latest, result)


def take_in(page: Page, latest: Mapping[int, int], result: Download) -> None:
    """Takes in those responses of a page that are missing or newer.

    Args:
        page: As it came.
        latest: Response id -> number of its last copy at hand.
        result: What is at hand.
    """
    updated, taken = result.builder.meta["date_updated"], []
    for row, (own, date) in enumerate(
        zip(page.fields["id"], page.fields["date_updated"], strict=True)
    ):
        number = id_number(own)
        if number is None:
            continue  # it cannot be told from those that came
        at = latest.get(number)
        if at is None:
            taken.append(row)
        elif str(date or "") > str(updated[at] or ""):
            taken.append(row)
            result.changed += 1
            result.copies += 1
    if taken:
        result.add(page.only(taken))


def _is_far_enough(
    rows: list[Mapping[str, Any]], changed: list[Mapping[str, Any]], result: Download
) -> bool:
    """Whether nothing behind these rows can have changed since what is at hand came.

    In a run that goes on, what came in it is as it was, and tells nothing of what had come before.
    """
    if not rows or not result.at_hand:
        return len(changed) < len(rows) or not rows
    horizon = clocks.horizon(result.clock, None)
    latest = latest_rows(result.builder)
    for row in rows:
        if horizon is not None and str(row.get("date_updated") or "") < horizon:
            return True
        own = id_number(row.get("id"))
        at = None if own is None else latest.get(own)
        if at is not None and at < result.first and row not in changed:
            return True
    return False


def _changed(rows: list[Mapping[str, Any]], answers: AnswersBuilder) -> list[Mapping[str, Any]]:
    """Those that are new, or whose date of change is another than when they came."""
    latest = latest_rows(answers)
    updated = answers.meta["date_updated"]
    found = []
    for row in rows:
        own = id_number(row.get("id"))
        at = None if own is None else latest.get(own)
        if at is None or row.get("date_updated") != updated[at]:
            found.append(row)
    return found
