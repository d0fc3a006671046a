"""Downloads the responses of a query and builds their frame; resumes interrupted downloads."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from alchemer_nb import errors
from alchemer_nb._version import __version__
from alchemer_nb.client.estimate import Estimate, build_estimate
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.fetch.download import Download, Downloader
from alchemer_nb.fetch.interruption import build_hint, build_resume_hint, describe_interruption
from alchemer_nb.fetch.lists import fetch_definition
from alchemer_nb.fetch.progress import Progress
from alchemer_nb.frame import rows as row_choice
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.local_conditions import LocalConditions
from alchemer_nb.frame.provenance import summary
from alchemer_nb.frame.unplanned_columns import plan_piped_rows
from alchemer_nb.frame.values import Renderer
from alchemer_nb.http.transport import Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.survey import filters
from alchemer_nb.survey.columns import is_before_edit, plan_columns, raw_column
from alchemer_nb.survey.piped_rows import parent_of_row
from alchemer_nb.survey.question_types import is_known
from alchemer_nb.visible import print_line
from alchemer_nb.wire.paging import PAGE_SIZE, to_count
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alchemer_nb.client.download_options import DownloadOptions
    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.fetch.progress import ProgressMode
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.provenance import Summary
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.http.regions import Region
    from alchemer_nb.survey.definition import Definition

_TAKE_ROWS = "import sys; df = sys.last_value.partial"
_TEST_ROW_NOTES = {
    "exclude": ("test rows among them, if there are any, are left out of the frame",),
    "only": ("only the test rows among them come into the frame",),
}
_CHOSEN_HERE = "those that fit will be chosen here: Alchemer splits the values of `in` at commas"
_LONGEST_PAUSE = 3600.0  # seconds after which a download is not resumed


@dataclass(frozen=True)
class PartialDownload:
    """A download that was interrupted, to be resumed.

    Attributes:
        api_url: Of its region.
        account: Id of its account, None if unknown.
        survey: The definition that decoded it.
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

    def check_account(self, transport: Transport, options: CallOptions) -> None:
        """Check that a transport calls the same account.

        Raises:
            InvalidArgument: It calls another one.
            ApiError, TransportError: As for any call.
        """
        if transport.region.api_url != self.api_url:
            raise errors.InvalidArgument(
                f"the rows at hand are of another region than {transport.region.host}; take a "
                "client of the same account, or run the download again"
            )
        if self.account not in (None, transport.account_id(options)):
            raise errors.InvalidArgument(
                "the rows at hand are of another account; take a client of the same one, or run "
                "the download again"
            )

    def restart_reason(self, survey: Definition, params: Mapping[str, str]) -> str:
        """Return why it cannot be resumed; ``""`` if it can."""
        if not 0 <= time.time() - self.ended <= _LONGEST_PAUSE:
            return "what had come was more than an hour old"
        if survey.pages != self.survey.pages:
            return "the survey's questions were changed meanwhile"
        return "" if params == self.params else "the dates asked for are others by now"


@dataclass
class Retrieval:
    """One download of responses.

    Attributes:
        transport: Sends the calls.
        region: Of the account.
        find_id: Returns the id of the survey; makes calls if a title was given.
        options: Which responses, and how the frame looks.
        progress: How to report progress.
        calls: Options of its calls.
        earlier: A download to resume.
    """

    transport: Transport
    region: Region
    find_id: Callable[[], str]
    options: DownloadOptions
    progress: ProgressMode = "auto"
    calls: CallOptions = field(default_factory=CallOptions)
    earlier: PartialDownload | None = None

    def __post_init__(self) -> None:
        given, tz = self.options, self.options.frame.tz
        self._tz = ZoneInfo(tz) if tz else self.region.zone
        self._conditions = filters.parse_conditions(given.where)
        self._now = datetime.now(UTC)  # from which relative dates count, for all of them
        self._period = filters.parse_period(given.since, given.until, self._tz, self._now)
        self._status = filters.status_condition(given.status)
        self._is_filtered = bool(self._conditions or self._status or any(self._period.bounds))
        self._local: LocalConditions | None = None  # conditions that Alchemer cannot check
        self._condition_notes: list[str] = []

    def run(self) -> pd.DataFrame:
        """Download the responses and build the frame.

        Raises:
            DownloadIncomplete: It was stopped or failed after some pages, or rows are missing;
                ``.partial`` has those that came.
            InvalidArgument: ``earlier`` is of another account.
            ApiError, TransportError: Nothing came.
        """
        survey = None
        try:
            if self.earlier is not None:
                self.earlier.check_account(self.transport, CallOptions(self.calls.stop))
            survey, count = self._fetch_survey(then_responses=self.earlier is None)
        except (errors.Stopped, KeyboardInterrupt):
            self.calls.stop.set()  # also ends the calls that were sent in advance
        if survey is None:
            raise errors.DownloadIncomplete(
                "it was stopped before anything had come; run it again", stopped=True
            )
        params = self._build_params(survey)
        downloader = self._build_downloader(survey, params, count)
        failure = None
        try:
            failure = _run_until_failure(downloader)
            if failure is None:  # a frame that cannot be built is no reason to download again
                return self._finish(survey, downloader.result)
        except (errors.Stopped, KeyboardInterrupt):
            pass
        # outside the handler: its message includes the first error
        raise self._incomplete(survey, params, downloader.result, failure)

    def _build_downloader(
        self, survey: Definition, params: Mapping[str, str], count: int | None
    ) -> Downloader:
        earlier, self.earlier = self.earlier, None  # frees its rows if it restarts
        restart = earlier.restart_reason(survey, params) if earlier is not None else ""
        limit = self.options.frame.limit
        resumed = earlier.result.copy() if earlier is not None and not restart else None
        downloader = Downloader(
            self.transport,
            survey,
            params,
            resumed,
            same_account=earlier is not None and earlier.account is not None,
            has_enough=None if limit is None else lambda result: self._has_rows(limit, result),
            # With local conditions the number of responses to fetch is unknown.
            most_rows=None if self._local else limit,
            expected_rows=None if self._is_filtered else count,
            on_progress=self.progress if callable(self.progress) else None,
            frame=lambda result: self._build_frame(survey, result)[0],
            calls=self.calls,
        )
        downloader.result.restart_reason = restart
        return downloader

    def estimate(self) -> Estimate:
        """Ask for the number of responses, in one call besides those for the definition."""
        survey, _ = self._fetch_survey()
        params = self._build_params(survey)
        reply = self.transport.send(
            "GET",
            f"survey/{survey.id}/surveyresponse",
            {"resultsperpage": 1, "page": 1, **params},
            options=CallOptions(self.calls.stop),
        )
        rows = to_count(reply.envelope().get("total_count")) or 0
        limit = self.options.frame.limit
        if limit is not None and not self._local:
            rows = min(rows, limit)
        pages = max(1, math.ceil(rows / PAGE_SIZE))
        period = [f"submitted {word}" for word in self._period.phrases()]
        notes = [*period, *self._condition_notes, *([_CHOSEN_HERE] if self._local else [])]
        notes += _TEST_ROW_NOTES.get(self.options.frame.test_rows, ())
        return build_estimate(self.transport, survey, rows, pages, tuple(notes))

    def _fetch_survey(self, *, then_responses: bool = False) -> tuple[Definition, int | None]:
        """Fetch the definition; send the calls that follow it at the same time."""
        survey_id, stop = self.find_id(), self.calls.stop
        if not self.calls.fresh:
            lists = ["surveyquestion"]
            if then_responses and not self._is_filtered:
                lists.append("surveyresponse")
            for name in lists:
                first_page = {"resultsperpage": PAGE_SIZE, "page": 1}
                self.transport.prefetch(f"survey/{survey_id}/{name}", first_page, CallOptions(stop))
        options = replace(self.calls, on_wait=self._report_wait)
        return fetch_definition(self.transport, survey_id, options)

    def _report_wait(self, status: str) -> None:
        if callable(self.progress):
            self.progress(Progress("", 0, None, 0, None, state=status, stop=self.calls.stop))

    def _build_params(self, survey: Definition) -> dict[str, str]:
        """Return the conditions that Alchemer checks as filters; keep the others in ``_local``."""
        given, zone = [*self._conditions, *self._status], self.region.zone
        conditions = filters.resolve(given, survey, self._tz, zone, self._now)
        conditions += filters.submitted_conditions(*self._period.bounds, zone)
        self._condition_notes = [condition.note for condition in conditions if condition.note]
        asks = any(condition.field == "is_test_data" for condition in conditions)
        if asks and self.options.frame.test_rows == "exclude":  # the condition decides
            frame = replace(self.options.frame, test_rows="include")
            self.options = replace(self.options, frame=frame)
        local = tuple(condition for condition in conditions if not condition.can_be_sent)
        self._local = LocalConditions(local, survey) if local else None
        return filters.to_params([each for each in conditions if each.can_be_sent])

    def _has_rows(self, limit: int, result: Download) -> bool:
        """Check whether ``limit`` rows that fit have come."""
        builder = result.builder
        return builder.count >= limit <= len(self._choose_rows(builder.view()).numbers)

    def _choose_rows(self, answers: Answers) -> Rows:
        mask = row_choice.submitted_between(answers, self.region.zone, *self._period.bounds)
        local = self._local_mask(answers)
        if local is not None:
            mask = local if mask is None else mask & local
        return row_choice.choose_rows(answers, self.options.frame, mask)

    def _local_mask(self, answers: Answers) -> np.ndarray | None:
        return None if self._local is None else self._local.mask(answers)

    def _dates_read(self) -> dict[str, Any]:
        """Return what the dates asked for mean: the zone, the time of "today", and the words."""
        if not (any(self._period) or any(each.is_date for each in self._conditions)):
            return {}
        at = self._now.isoformat(timespec="seconds")
        return {"dates_read": {"zone": str(self._tz), "at": at, **self._period.words()}}

    def _local_facts(self) -> dict[str, Any]:
        return {"chosen_here": self._local is not None, "condition_notes": self._condition_notes}

    def _build_frame(
        self, survey: Definition, result: Download
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        rows = self._choose_rows(result.answers)
        facts = self._collect_facts(survey, result, rows)
        with collector_paused():
            frame = build_frame(
                result.answers, survey, rows, self.options.frame, self.region.zone, facts
            )
        # What depends on the columns at hand, such as empty url variables, is known now.
        return frame, {**read_description(frame).about}

    def _collect_facts(self, survey: Definition, result: Download, rows: Rows) -> dict[str, Any]:
        """Collect the facts of a download, for its description and for its summary."""
        total = result.total_count
        is_enough = result.reached_limit or total is None or rows.received >= total
        return {
            "survey_id": survey.id,
            "title": survey.title,
            "region": self.region.name,
            "host": self.region.host,
            "utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "asked": self.options.asked(),
            **self._dates_read(),
            "rows_told": total,
            "rows_received": rows.received,
            "rows": len(rows.numbers),
            "test_rows_left_out": rows.test_rows,
            "repeated_rows": rows.repeated - result.copies,
            "changed_rows": result.changed,
            "misfits": result.answers.misfits,
            "options_not_chosen": result.answers.unchosen,
            **_count_misfits(result.answers, survey, rows, self.options.frame),
            "zone_documented": self.region.zone_documented,
            "complete": not result.interrupted and is_enough,
            **_earlier_runs(result),
            "package": __version__,
            **self._local_facts(),
        }

    def _finish(self, survey: Definition, result: Download) -> pd.DataFrame:
        frame, facts = self._build_frame(survey, result)
        check_answers(facts)
        if not facts["complete"] and self.options.incomplete == "raise":
            raise errors.DownloadIncomplete(
                f"{counted(facts['rows_received'], 'response', of=result.total_count)} came; some "
                "may have been added or deleted meanwhile",
                partial=frame,
                hint=build_hint("", "run it again", _TAKE_ROWS),
            )
        self._report_end(survey, result, summary(facts))
        return frame

    def _report_end(self, survey: Definition, result: Download, ending: Summary) -> None:
        """Report the summary: to the callback, or as one line."""
        if callable(self.progress):
            rows, pages = result.builder.count, result.pages
            self.progress(
                Progress(survey.title, rows, result.total_count, pages, pages, str(ending))
            )
        elif self.progress in ("auto", "text", True):
            print_line(str(ending))

    def _incomplete(
        self,
        survey: Definition,
        params: Mapping[str, str],
        result: Download,
        error: errors.AlchemerError | None = None,
    ) -> errors.DownloadIncomplete:
        """Return the error of an interrupted download; its frame is built when it is read."""
        result.interrupted = True
        why, needs = "it was stopped", ""
        if error is not None:
            why, needs = describe_interruption(error, self.transport.credentials)
        if not result.pages:
            return errors.DownloadIncomplete(
                f"{survey.title}: nothing had come when {why}; run it again", stopped=error is None
            )
        to_resume = None
        # With a limit, the newest changes are not read at the end, so it cannot be resumed.
        if result.last_page is not None and self.options.frame.limit is None:
            to_resume = PartialDownload(
                self.region.api_url, self.transport.account, survey, dict(params), result
            )
        came = counted(result.builder.count, "response", of=result.total_count)
        return errors.DownloadIncomplete(
            f"{survey.title}: {came} had come when {why}",
            partial=lambda: self._build_frame(survey, result)[0],
            hint=build_resume_hint(needs, error)
            if to_resume
            else build_hint(needs, "run it again", _TAKE_ROWS),
            needs=needs,
            resume=partial(self._resume, to_resume) if to_resume else None,
            cause=error,
            stopped=error is None,
        )

    def _resume(
        self, earlier: PartialDownload, client: Any, progress: ProgressMode
    ) -> pd.DataFrame:
        """Resume a download with the credentials of a client."""
        transport = getattr(client, "_transport", None)
        if not isinstance(transport, Transport):
            raise errors.InvalidArgument("resume takes a Client")
        return replace(
            self,
            transport=transport,
            region=transport.region,
            find_id=lambda: earlier.survey.id,
            progress=progress,
            calls=CallOptions(),
            earlier=earlier,
        ).run()


def _run_until_failure(
    downloader: Downloader,
) -> errors.TransportError | errors.ApiError | None:
    """Run a download; return the error that ended it after some pages, None at its end."""
    try:
        downloader.run()
    except (errors.TransportError, errors.ApiError) as error:
        if not downloader.result.pages:
            raise
        return error
    return None


def check_answers(facts: Mapping[str, Any]) -> None:
    """Check that a response has answers. All have come, so there is nothing to resume.

    Raises:
        TransportError: None has.
    """
    if facts["rows"] and facts["without_survey_data"] == facts["rows"]:
        raise errors.TransportError(
            f"of {counted(facts['rows'], 'response')} none has survey_data, where version 5 of the "
            "API has the answers: the address may be that of another version, or a proxy may "
            "have changed the replies"
        )


def _count_misfits(
    answers: Answers, survey: Definition, rows: Rows, options: FrameOptions
) -> dict[str, Any]:
    """Count answers and questions that do not fit the definition.

    Args:
        answers: All answers of the download.
        survey: The definition.
        rows: The responses that are in the frame.
        options: The options of the frame.

    Returns:
        ``unparsed_values`` counts the answers that are no number or date where one was asked for,
        in ``unparsed_columns``. ``removed_questions`` are the ids of questions that were answered
        and are no longer in the definition. ``piped_rows`` counts the rows that came from answers.
        ``hidden_fields`` maps each undocumented field of the responses that the frame does not
        show to its count.
    """
    everything = [each for question in survey.questions for each in question.walk()]
    known = {each.id for each in everything}
    row_numbers, day_first = rows.numbers, options.day_first
    renderer = Renderer(answers, row_numbers, "label", (survey.language,), day_first=day_first)
    unparsed: dict[str, int] = {}
    other_order = 0
    for column in (*plan_columns(survey), *plan_piped_rows(survey, answers)):
        if column.part not in ("answer", "item") or column.kind not in ("number", "date"):
            continue
        if column.kind == "date" or renderer.has_raw(column):
            is_raw = pd.Series(renderer.array(raw_column(column))).notna()
            count = int((is_raw & pd.isna(renderer.array(column))).sum())
            if count:  # the id of a piped row has its text, which may not outlive its column
                own = f"q{column.question_id}" if column.piped else column.id
                unparsed[own] = unparsed.get(own, 0) + count
        if column.kind == "date":
            other_order += renderer.count_other_order(column)
    unknown = {each.key or each.type for each in everything if not is_known(each)}
    questions = (
        parent_of_row(path[0]) if path[0] in answers.piped_rows else path[0]
        for path in answers.leaves
    )
    removed = set(questions) - known
    statuses = np.array([*answers.meta["status"]], dtype=object)
    return {
        "partial_rows": int((statuses[row_numbers] == "Partial").sum()),
        "unparsed_values": sum(unparsed.values()),
        "unparsed_columns": list(unparsed),
        "dates_in_other_order": other_order,
        "unknown_types": sorted(unknown),
        "without_id": int((rows.ids < 0).sum()),
        "without_survey_data": len(np.intersect1d(answers.without_entries, row_numbers)),
        "edited_answers": 0 if options.metadata == "all" else _count_edits(answers, row_numbers),
        "hidden_fields": _count_hidden_fields(answers, row_numbers, options),
        "removed_questions": sorted(
            removed, key=lambda question_id: (len(question_id), question_id)
        ),
        "piped_rows": len(answers.piped_rows),
    }


def _count_edits(answers: Answers, row_numbers: np.ndarray) -> int:
    paths = [path for path in answers.leaves if is_before_edit(path)]
    return sum(int(np.isin(answers.leaves[path].rows, row_numbers).sum()) for path in paths)


def _count_hidden_fields(
    answers: Answers, row_numbers: np.ndarray, options: FrameOptions
) -> dict[str, int]:
    """Count the values of each undocumented field of the responses that the frame does not show."""
    if options.metadata == "all" and options.shape == "wide":
        return {}
    at_hand = set(row_numbers.tolist())
    counts = {name: len(at_hand & values.keys()) for name, values in answers.others.items()}
    return {name: count for name, count in sorted(counts.items()) if count}


def _earlier_runs(result: Download) -> dict[str, Any]:
    if result.restart_reason:
        return {"begun_anew": result.restart_reason}
    if result.rows_before:
        return {"rows_at_hand": result.rows_before, "went_on_at_page": result.resumed_at_page}
    return {}
