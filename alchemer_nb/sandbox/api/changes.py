"""Changes of a survey's responses while the sandbox runs: new, edited and deleted ones.

invented: a new response has the answers of an earlier one.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.data import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from alchemer_nb.sandbox.data.definition import Definition
    from alchemer_nb.sandbox.data.library import Library
    from alchemer_nb.sandbox.traffic.faults import Fault


def prepare_additions(
    library: Library, survey: Definition, count: int
) -> tuple[list[int], Callable[[], None]]:
    """Prepare new responses; return their ids, and a function that makes them visible."""
    now = int(time.time())
    patterns = list(library.records(survey.id, min(count, 200)))
    ids = library.reserve(survey.id, count)
    made = []
    for index, number in enumerate(ids):
        record = (
            dict(patterns[index % len(patterns)])
            if patterns
            else writing.new_response(survey, {"status": "Complete"})
        )
        made.append(
            record
            | {
                "id": number,
                "submitted": now,
                "started": now - 60,
                "updated": now,
                "session_id": f"{now}_{secrets.token_hex(7)}.{secrets.randbelow(10**8):08}",
            }
        )
    return ids, lambda: library.save_responses(survey.id, made)


def prepare_edits(
    library: Library, survey: Definition, ids: Iterable[int], data: Mapping[str, Any] | None
) -> Callable[[], None]:
    """Prepare edits that set ``date_updated`` to now; return a function that makes them visible.

    Args:
        library: The surveys.
        survey: The survey.
        ids: Ids of the responses.
        data: Answers as an update takes them, by question; nothing else changes without.

    Raises:
        LookupError: A response does not exist.
    """
    now, wanted = int(time.time()), _require_existing(library, survey, ids)

    def apply() -> None:
        found = [library.response(survey.id, number) for number in wanted]
        changed = [
            writing.changed_response(survey, one, {"data": dict(data)}) if data else one
            for one in found
            if one is not None  # deleted in the meantime
        ]
        library.save_responses(survey.id, [one | {"updated": now} for one in changed])

    return apply


def prepare_deletions(
    library: Library, survey: Definition, ids: Iterable[int]
) -> Callable[[], None]:
    """Prepare deletions; return a function that makes them visible.

    Raises:
        LookupError: A response does not exist.
    """
    wanted = _require_existing(library, survey, ids)

    def apply() -> None:
        for number in wanted:
            library.delete_response(survey.id, number)

    return apply


def apply_fault(library: Library, place: Mapping[str, str], fault: Fault) -> None:
    """Make the changes of a fault, before its call is answered."""
    if not (fault.adds or fault.deletes or fault.touches):
        return
    survey = find_survey(library, place.get("survey", ""))
    if fault.adds:
        prepare_additions(library, survey, fault.adds)[1]()
    prepare_edits(library, survey, _existing(library, survey, fault.touches), None)()
    prepare_deletions(library, survey, _existing(library, survey, fault.deletes))()


def find_survey(library: Library, survey: int | str) -> Definition:
    """Return the survey of an id or a title.

    Raises:
        LookupError: There is none.
    """
    for one in library.surveys():
        if str(one.id) == str(survey) or one.record.get("title") == survey:
            return one
    raise LookupError(f"no survey {survey!r}")


def _existing(library: Library, survey: Definition, ids: Iterable[int]) -> list[int]:
    return [number for number in ids if library.response(survey.id, number) is not None]


def _require_existing(library: Library, survey: Definition, ids: Iterable[int]) -> list[int]:
    wanted = [int(number) for number in ids]
    for number in wanted:
        if library.response(survey.id, number) is None:
            raise LookupError(f"survey {survey.id} has no response {number}")
    return wanted
