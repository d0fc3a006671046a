"""Fetches all pages of a list as envelopes, and the definition of a survey."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from alchemer_nb.survey.definition import Definition, read_definition
from alchemer_nb.wire.paging import PAGE_SIZE, read_totals, reply_object, reply_rows, to_count

if TYPE_CHECKING:
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.http.waiting import CallOptions


def fetch_envelopes(
    transport: Transport,
    path: str,
    params: Mapping[str, Any] | None = None,
    options: CallOptions | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the envelopes of all pages of a list.

    A list that ignores the page number ends with the first page that comes twice.
    """
    query = {"resultsperpage": PAGE_SIZE, **(params or {})}
    first = number = to_count(query.get("page")) or 1
    seen = 0 if first == 1 else math.inf  # without the pages before it, rows cannot be counted
    key = None
    while True:
        query["page"] = number
        envelope = transport.send("GET", path, query, options=options).envelope()
        totals = read_totals(envelope)
        is_announced = number < (totals.total_pages or 0)
        if number > first and (totals.key == key or not (totals.rows or is_announced)):
            return
        yield envelope
        seen += totals.rows
        key = totals.key
        if not is_announced and not totals.has_more(seen):
            return
        number += 1


def fetch_definition(
    transport: Transport, survey_id: str, options: CallOptions | None = None
) -> tuple[Definition, int | None]:
    """Fetch the definition of a survey: its pages, then its questions in full.

    Returns:
        The definition, and about how many responses there are by the survey's statistics; None
        if they do not say.
    """
    path = f"survey/{survey_id}"
    survey = reply_object(transport.send("GET", path, options=options).envelope())
    pages = fetch_envelopes(transport, f"{path}/surveyquestion", options=options)
    questions = [row for page in pages for row in reply_rows(page)]
    statistics = survey.get("statistics")
    counts = statistics.values() if isinstance(statistics, Mapping) else ()
    count = sum(to_count(each) or 0 for each in counts)
    # Later calls use the id of this call, whatever id the server reports.
    return read_definition({**survey, "id": survey_id}, questions), count or None
