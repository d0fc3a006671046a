"""Fetches a survey's definition and its responses: all pages, in order, counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb.answers import Answers
from alchemer_nb.definition import Survey, read_survey
from alchemer_nb.errors import TransportError
from alchemer_nb.paging import PAGE_SIZE, measure_envelope, rows_of, walk, whole

if TYPE_CHECKING:
    from alchemer_nb.pages import Page
    from alchemer_nb.transport import Transport


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is; handed to the callback after each page.

    Attributes:
        survey: Title of the survey.
        rows: Responses received.
        rows_told: Responses that the server says there are, None where it does not.
        pages: Pages received.
        pages_told: Pages that the server says there are.
        note: What to say when it is over; ``""`` until then.
    """

    survey: str
    rows: int
    rows_told: int | None
    pages: int
    pages_told: int | None
    note: str = ""


def definition(transport: Transport, survey_id: str) -> Survey:
    """Fetches the definition of a survey: its pages, and its questions once more in full."""
    envelope = transport.send("GET", f"survey/{survey_id}").envelope()
    rows = rows_of(envelope)
    survey = rows[0] if rows and isinstance(rows[0], Mapping) else {}
    questions = [
        row
        for page in envelopes(transport, f"survey/{survey_id}/surveyquestion")
        for row in rows_of(page)
    ]
    return read_survey({"id": survey_id, **survey}, questions)


def envelopes(transport: Transport, path: str, params: Mapping[str, Any] | None = None) -> Any:
    """Yields the envelopes of all pages of a list."""
    given = {"resultsperpage": PAGE_SIZE, **(params or {})}
    first = whole(given.pop("page", None)) or 1

    def fetch(number: int) -> dict[str, Any]:
        return transport.send("GET", path, {**given, "page": number}).envelope()

    return walk(fetch, measure_envelope, first)


@dataclass(slots=True)
class Download:
    """The responses of a survey as they came.

    Attributes:
        answers: Everything received.
        told: Responses that the last page said there are.
        pages: Pages received.
        stopped: Whether it ended early because enough had come.
    """

    answers: Answers
    told: int | None = None
    pages: int = 0
    stopped: bool = False


def responses(
    transport: Transport,
    survey: Survey,
    params: Mapping[str, Any],
    *,
    enough: Callable[[Answers], bool] | None = None,
    tell: Callable[[Progress], None] | None = None,
) -> Download:
    """Fetches the responses of a survey.

    Args:
        transport: Sends.
        survey: Whose responses; its question ids tell known answers from unknown ones.
        params: Filter parameters.
        enough: Asked after each page whether to stop.
        tell: Called after each page.

    Raises:
        ApiError, TransportError: As for any call.
    """
    result = Download(Answers.of(survey))
    path = f"survey/{survey.id}/surveyresponse"

    def fetch(number: int) -> Page:
        query = {"resultsperpage": PAGE_SIZE, "page": number, **params}
        answer = transport.send("GET", path, query)
        try:
            return result.answers.add_page(answer.body)
        except ValueError:
            pass
        raise TransportError(
            f"page {number} of the responses of survey {survey.id} is not a list of responses"
        )

    for page in walk(fetch, lambda page: page.measure):
        result.pages += 1
        told = page.measure
        result.told = told.total_count
        if tell is not None:
            tell(
                Progress(
                    survey.title,
                    result.answers.count,
                    told.total_count,
                    result.pages,
                    told.total_pages,
                )
            )
        if enough is not None and enough(result.answers):
            result.stopped = True
            break
    return result
