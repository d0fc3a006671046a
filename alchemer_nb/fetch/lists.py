"""Fetches all pages of a list as envelopes, and the definition of a survey."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import TooSlow
from alchemer_nb.fetch.page_fetcher import PageRange, PageSizes
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

    A list that ignores the page number ends with the first page that comes twice. Pages get smaller
    where the server cannot answer large ones, see ``PageSizes``.
    """
    given = dict(params or {})
    page = PageRange(
        to_count(given.pop("resultsperpage", None)) or PAGE_SIZE,
        to_count(given.pop("page", 1)) or 1,
    )
    # Without the pages before it, rows cannot be counted.
    seen = 0 if page.number == 1 else math.inf
    key = None
    sizes = PageSizes(page.size, page.size)
    while True:
        query = {"resultsperpage": page.size, **given, "page": page.number}
        most = sizes.most_500s(page)
        try:
            reply = transport.send(
                "GET",
                path,
                query,
                options=options,
                raise_slow=most is not None,
                most_500s=most,
                failed=sizes.attempts,
            )
        except TooSlow as error:
            if most is None:
                raise
            sizes.note_failure(page, error.attempts)
            page = page.split()[0]
            continue
        sizes.note_success(page)
        envelope = reply.envelope()
        totals = read_totals(envelope)
        is_announced = page.number < (totals.total_pages or 0)
        if key is not None and (totals.key == key or not (totals.rows or is_announced)):
            return
        yield envelope
        seen += totals.rows
        key = totals.key
        if not is_announced and not totals.has_more(seen):
            return
        page = sizes.after(page)
        sizes.note_sent(page)


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
