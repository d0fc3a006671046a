"""Choose the responses of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.decode.answers import latest_rows
from alchemer_nb.wire.stamps import parse_stamp
from alchemer_nb.wire.text import read_flags

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions


@dataclass(frozen=True, slots=True)
class Rows:
    """The responses of a frame, and counts of those left out.

    Attributes:
        numbers: Row numbers among the answers, by ascending response id.
        ids: Response ids of these rows.
        received: Count of received responses, each id once.
        repeated: Count of further copies, of responses that changed during the download.
        test_rows: Count of test responses left out.
    """

    numbers: np.ndarray
    ids: np.ndarray
    received: int
    repeated: int
    test_rows: int


def choose_rows(answers: Answers, options: FrameOptions, within: np.ndarray | None = None) -> Rows:
    """Choose the last copy of each response, sorted by id, with or without test rows.

    Args:
        answers: All answers of the download.
        options: ``test_rows`` and ``limit`` are used.
        within: Optional mask by row number, False for rows that were not asked for.
    """
    latest = latest_rows(answers)
    ids = np.array(sorted(latest), dtype=np.int64)
    row_numbers = np.array([latest[i] for i in ids.tolist()], dtype=np.int64)
    received = len(ids)
    if within is not None:
        inside = within[row_numbers]
        row_numbers, ids = row_numbers[inside], ids[inside]
    is_test = np.array(read_flags([*answers.meta["is_test_data"]]), dtype=bool)[row_numbers]
    wanted = {"exclude": ~is_test, "only": is_test}.get(options.test_rows)
    tests = ids[is_test] if options.test_rows == "exclude" else ids[:0]
    if wanted is not None:
        row_numbers, ids = row_numbers[wanted], ids[wanted]
    if options.limit is not None and len(ids) > options.limit:
        row_numbers, ids = row_numbers[: options.limit], ids[: options.limit]
        tests = tests[tests <= ids[-1]]  # later ones are beyond the limit anyway
    return Rows(row_numbers, ids, received, answers.count - received, len(tests))


def submitted_between(
    answers: Answers, zone: ZoneInfo, start: datetime | None, end: datetime | None
) -> np.ndarray | None:
    """Return a mask of the responses submitted from one instant to before another.

    A response without a readable date is included: the server's filter has included it.
    """
    if start is None and end is None:
        return None
    mask = np.ones(answers.count, dtype=bool)
    for row, text in enumerate(answers.meta["date_submitted"]):
        moment = parse_stamp(text, zone)
        if moment is not None:
            late_enough = start is None or moment >= start
            mask[row] = late_enough and (end is None or moment < end)
    return mask
