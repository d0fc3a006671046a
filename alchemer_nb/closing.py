"""The end of a long download: what changed, came or went while its pages travelled.

Pages are cut by position. A response that is deleted meanwhile moves all after it up by one, so
that one is on neither of two pages; one that is completed or edited after its page has come is out
of date. Both are looked for, and fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ApiError
from alchemer_nb.frame.rows import latest_rows
from alchemer_nb.http.reply import decode
from alchemer_nb.http.retries import is_refused_in_passing
from alchemer_nb.wire import clocks
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.paging import rows_of, whole

if TYPE_CHECKING:
    from concurrent.futures import Future

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.decode.pages import Page
    from alchemer_nb.fetch.download import Download
    from alchemer_nb.fetch.prefetch import Engine
    from alchemer_nb.http.reply import Answer

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
        changed = _changed(rows, result.answers)
        is_far_enough = _is_far_enough(rows, changed, result)
        taken = changed
        if result.at_hand:  # had come long ago; what tells no date may have changed as well
            taken = [row for row in rows if row in changed or not row.get("date_updated")]
        if taken:
            before = result.answers.count - len(latest_rows(result.answers))
            result.add(result.answers.decode(json.dumps({"data": taken}).encode()))
            result.changed += len(changed)
            result.copies += result.answers.count - len(latest_rows(result.answers)) - before
        if is_far_enough:
            return  # this far back all is as it was when it came
        call = send(engine, result, number)


def has_gaps(result: Download) -> bool:
    """Whether responses are missing, or may be: one that was deleted hides one that is missing."""
    received = len(latest_rows(result.answers))
    return result.told is not None and (result.shrank or received < result.told)


def fill_gaps(engine: Engine, decode_page: Callable[[Answer], Page], result: Download) -> None:
    """Goes through the list once more, cut elsewhere, and takes in what is missing or newer."""
    latest = latest_rows(result.answers)
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
    updated, taken = result.answers.meta["date_updated"], []
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
    latest = latest_rows(result.answers)
    for row in rows:
        if horizon is not None and str(row.get("date_updated") or "") < horizon:
            return True
        own = id_number(row.get("id"))
        at = None if own is None else latest.get(own)
        if at is not None and at < result.first and row not in changed:
            return True
    return False


def _changed(rows: list[Mapping[str, Any]], answers: Answers) -> list[Mapping[str, Any]]:
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
