"""From a question to a frame: what was asked for, its download, and what became of it."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from alchemer_nb.client.download_facts import about
from alchemer_nb.errors import (
    AlchemerError,
    ApiError,
    DownloadIncomplete,
    InvalidArgument,
    Stopped,
    TransportError,
)
from alchemer_nb.fetch.download import Download, Downloader, Wishes
from alchemer_nb.fetch.endings import advice, describe_end
from alchemer_nb.fetch.lists import fetch_definition
from alchemer_nb.fetch.progress import Progress
from alchemer_nb.frame import rows as chosen
from alchemer_nb.frame.description import Kept
from alchemer_nb.frame.provenance import summary
from alchemer_nb.frame.selection import Selection
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.survey import filters
from alchemer_nb.wire.paging import PAGE_SIZE, whole

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.client.download_options import DownloadOptions
    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.provenance import Summary
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.http.regions import Region
    from alchemer_nb.survey.definition import Definition

Tell = str | bool | None | Callable[[Progress], None]
_TAKE = "import sys; df = sys.last_value.partial"
_GO_ON = "go on with the rows at hand: import sys; df = sys.last_value.resume(client)"
_TOO_OLD = 3600.0  # seconds after which rows at hand are asked for anew
_CALLS_BESIDE = 3  # the definition in two calls, and what changed meanwhile
_A_PAGE_TAKES = 0.5  # seconds, of an ordinary survey; a wide one takes longer


@dataclass(frozen=True)
class Estimate:
    """An estimate of what a download takes, made before it begins.

    Attributes:
        survey: Title.
        rows: Responses that fit.
        pages: Pages they come in.
        calls: Calls in all.
        seconds: About how long, by the pace of ordinary pages and the limit of the account.
    """

    survey: str
    rows: int
    pages: int
    calls: int
    seconds: float

    def __str__(self) -> str:
        took = (
            f"{self.seconds:.0f} seconds"
            if self.seconds < 90
            else f"{self.seconds / 60:.0f} minutes"
        )
        return (
            f"{self.survey}: {self.rows:,} responses in {self.pages:,} pages, {self.calls:,} "
            f"calls, about {took}"
        )


@dataclass(frozen=True)
class Unfinished:
    """A download that ended on its way.

    Attributes:
        api_url: Where it came from.
        account: Id of its account, None where nobody had asked.
        survey: The definition it was read by.
        params: Its filters.
        result: What came.
        ended: When, in seconds since 1970.
    """

    api_url: str
    account: str | None
    survey: Definition
    params: dict[str, str]
    result: Download
    ended: float = field(default_factory=time.time)

    def check(self, transport: Transport, options: CallOptions) -> None:
        """Makes sure that a client leads to the same account.

        Raises:
            InvalidArgument: It does not.
            ApiError, TransportError: As for any call.
        """
        if transport.region.api_url != self.api_url:
            raise InvalidArgument(
                f"the rows at hand are of another region than {transport.region.host}; take a "
                "client of the same account, or run the download again"
            )
        if self.account not in (None, transport.account_id(options)):
            raise InvalidArgument(
                "the rows at hand are of another account; take a client of the same one, or run "
                "the download again"
            )

    def fault(self, survey: Definition, params: Mapping[str, str]) -> str:
        """Tells why it is of no use any more; ``""`` where it is."""
        if not 0 <= time.time() - self.ended <= _TOO_OLD:
            return "what had come was more than an hour old"
        if survey.pages != self.survey.pages:
            return "the survey's questions were changed meanwhile"
        return "" if params == self.params else "the dates asked for are others by now"


@dataclass
class Retrieval:
    """One download of responses.

    Attributes:
        transport: Sends.
        region: Of the account.
        find: Gives the id of the survey; only a title makes it ask.
        options: Which of them, and how the frame looks.
        progress: Who is told, and how.
        fresh: Whether no answer may come from memory.
        stop: Ends it when set.
        earlier: The same one as far as it had come, to go on with.
    """

    transport: Transport
    region: Region
    find: Callable[[], str]
    options: DownloadOptions
    progress: Tell = "auto"
    fresh: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    earlier: Unfinished | None = None

    def __post_init__(self) -> None:
        query, tz = self.options.query, self.options.frame.tz
        self._tz = ZoneInfo(tz) if tz else self.region.zone
        self._lines = filters.parse_conditions(query.where)
        self._between = filters.between(query.since, query.until, self._tz)
        self._status = filters.status_condition(query.status)
        self._count: int | None = None  # of all responses, by the survey's statistics
        self._here: Selection | None = None  # where Alchemer cannot be asked all of it

    def run(self) -> pd.DataFrame:
        """Downloads and gives the frame.

        Raises:
            DownloadIncomplete: It was ended, broke off on the way, or rows are missing;
                ``.partial`` has those that came.
            InvalidArgument: ``earlier`` is of another account.
            ApiError, TransportError: Nothing came.
        """
        try:
            if self.earlier is not None:
                self.earlier.check(self.transport, CallOptions(self.stop))
            survey = self._survey(then_all=self.earlier is None)
        except (Stopped, KeyboardInterrupt):
            survey = None
            self.stop.set()  # what was sent ahead is not wanted either
        if survey is None:
            raise DownloadIncomplete("it was stopped before anything had come; run it again")
        params = filters.to_params(self._conditions(survey))
        fetch = self._fetching(survey, params)
        try:
            return self._finished(survey, fetch.run())
        except (Stopped, KeyboardInterrupt):
            broke = self._incomplete(survey, params, fetch.result)
        except (TransportError, ApiError) as error:
            if not fetch.result.pages:
                raise
            broke = self._incomplete(survey, params, fetch.result, error)
        raise broke  # outside the handler: what was caught is told in its words

    def _fetching(self, survey: Definition, params: Mapping[str, str]) -> Downloader:
        """What fetches the pages: all of them, or those that an earlier run had not reached."""
        earlier, self.earlier = self.earlier, None  # or its rows would be held as long as these
        fault = earlier.fault(survey, params) if earlier is not None else ""
        limit = self.options.frame.limit
        wishes = Wishes(
            enough=None if limit is None else lambda a: len(self._choose(a).keep) >= limit,
            most=None if self._here else limit,  # nobody knows how many it takes
            expected=self._count,
            on_progress=self.progress if callable(self.progress) else None,
            frame=lambda result: self._frame(survey, result)[0],
            calls=CallOptions(self.stop, fresh=self.fresh),
            is_sure=earlier is not None and earlier.account is not None,
        )
        begun = earlier.result.copy() if earlier is not None and not fault else None
        fetch = Downloader(self.transport, survey, params, wishes, begun)
        fetch.result.restart_reason = fault
        return fetch

    def estimate(self) -> Estimate:
        """Asks how many responses there are, in one call beside the definition's."""
        survey = self._survey()
        params = filters.to_params(self._conditions(survey))
        answer = self.transport.send(
            "GET",
            f"survey/{survey.id}/surveyresponse",
            {"resultsperpage": 1, "page": 1, **params},
            options=CallOptions(self.stop),
        )
        rows = whole(answer.envelope().get("total_count")) or 0
        limit = self.options.frame.limit
        if limit is not None and not self._here:
            rows = min(rows, limit)
        pages = max(1, math.ceil(rows / PAGE_SIZE))
        calls = pages + _CALLS_BESIDE
        by_pace = math.ceil(pages / self.transport.max_in_flight) * _A_PAGE_TAKES
        over = max(0, calls - self.transport.requests_per_minute)
        by_limit = 60 * math.ceil(over / self.transport.requests_per_minute)
        return Estimate(survey.title, rows, pages, calls, max(by_pace, by_limit))

    def _survey(self, *, then_all: bool = False) -> Definition:
        """The definition; what is asked for next is sent for at the same time where it can be."""
        own = self.find()
        if not self.fresh:
            first_page = {"resultsperpage": PAGE_SIZE, "page": 1}
            lists = ["surveyquestion"]
            if then_all and not self._is_filtered:
                lists.append("surveyresponse")
            for name in lists:
                self.transport.ahead(f"survey/{own}/{name}", first_page, CallOptions(self.stop))
        options = CallOptions(self.stop, self._say_waiting, self.fresh)
        survey, count = fetch_definition(self.transport, own, options)
        self._count = None if self._is_filtered else count
        return survey

    @property
    def _is_filtered(self) -> bool:
        return bool(self._lines or self._status or any(self._between))

    def _say_waiting(self, state: str) -> None:
        """Waits before the first page are told, too."""
        if callable(self.progress):
            self.progress(Progress("", 0, None, 0, None, state=state, stop=self.stop))

    def _conditions(self, survey: Definition) -> list[filters.Condition]:
        """The conditions that Alchemer is asked; what it cannot be asked is kept for later."""
        conditions = [
            *filters.resolve([*self._lines, *self._status], survey, self._tz, self.region.zone),
            *filters.submitted(*self._between, self.region.zone),
        ]
        asks = any(condition.field == "is_test_data" for condition in conditions)
        if asks and self.options.frame.test_rows == "exclude":  # the condition says which
            frame = replace(self.options.frame, test_rows="include")
            self.options = replace(self.options, frame=frame)
        here = tuple(condition for condition in conditions if not condition.can_be_sent)
        self._here = Selection(here, survey) if here else None
        return [condition for condition in conditions if condition.can_be_sent]

    def _choose(self, answers: Answers) -> Rows:
        inside = chosen.submitted_between(answers, self.region.zone, *self._between)
        if self._here is not None:
            fits = self._here.mask(answers)
            inside = fits if inside is None else inside & fits
        return chosen.choose_rows(answers, self.options.frame, inside)

    def _frame(self, survey: Definition, result: Download) -> tuple[pd.DataFrame, dict[str, Any]]:
        rows = self._choose(result.answers)
        facts = about(self.region, survey, self.options, result, rows)
        facts["chosen_here"] = self._here is not None
        kept = Kept(result.answers, survey, str(self.region.zone), self.options.frame, facts)
        return kept.build(rows), facts

    def _finished(self, survey: Definition, result: Download) -> pd.DataFrame:
        frame, facts = self._frame(survey, result)
        if not facts["complete"] and self.options.incomplete == "raise":
            raise DownloadIncomplete(
                f"{facts['rows_received']:,} of {result.total_count:,} responses came; some may "
                "have been added or deleted meanwhile",
                partial=frame,
                hint=advice("", "run it again", _TAKE),
            )
        say(self.progress, survey, result, summary(facts))
        return frame

    def _incomplete(
        self,
        survey: Definition,
        params: Mapping[str, str],
        result: Download,
        error: AlchemerError | None = None,
    ) -> DownloadIncomplete:
        """The error of a download that ended on its way; the frame is made when it is wanted."""
        result.interrupted = True
        why, needs = "it was stopped", ""
        if error is not None:
            why, needs = describe_end(error, self.transport.credentials)
        if not result.pages:
            return DownloadIncomplete(f"{survey.title}: nothing had come when {why}; run it again")
        left = None
        # Of the first so many rows, nobody looks at the end for what was changed meanwhile.
        if result.last_page is not None and self.options.frame.limit is None:
            left = Unfinished(
                self.region.api_url, self.transport.account, survey, dict(params), result
            )
        of = f" of {result.total_count:,}" if result.total_count is not None else ""
        return DownloadIncomplete(
            f"{survey.title}: {result.answers.count:,}{of} responses had come when {why}",
            partial=lambda: self._frame(survey, result)[0],
            hint=advice(needs, _GO_ON if left else "run it again", _TAKE),
            needs=needs,
            resume=partial(_go_on, self, left) if left else None,
            cause=error,
        )


def _go_on(retrieval: Retrieval, left: Unfinished, client: Any, progress: Tell) -> pd.DataFrame:
    """Goes on with a download by a client that has its own credentials."""
    transport = getattr(client, "_transport", None)
    if not isinstance(transport, Transport):
        raise InvalidArgument("resume takes a Client")
    return replace(
        retrieval,
        transport=transport,
        region=transport.region,
        find=lambda: left.survey.id,
        progress=progress,
        fresh=False,
        stop=threading.Event(),
        earlier=left,
    ).run()


def say(progress: Tell, survey: Definition, result: Download, ending: Summary) -> None:
    """Tells how a download ended: to the function given, or as one line where that is wanted."""
    if callable(progress):
        rows = result.answers.count
        progress(
            Progress(
                survey.title, rows, result.total_count, result.pages, result.pages, str(ending)
            )
        )
    elif progress in ("auto", "text", True):
        # Notebooks paint stderr red; scripts keep stdout for their own output.
        stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
        stream.write(f"{ending}\n")
