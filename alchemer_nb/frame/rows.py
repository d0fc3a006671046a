"""Which of the responses that came stand in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.decode.answers import latest_rows
from alchemer_nb.wire.json import truths
from alchemer_nb.wire.stamps import read_stamp

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions


@dataclass(frozen=True, slots=True)
class Rows:
    """Which responses a frame holds, and what was left out.

    Attributes:
        keep: Numbers of the kept responses, by ascending response id.
        ids: Their response ids.
        received: Responses that came, each id once.
        repeated: Responses that came more than once.
        test_rows: Test responses that were left out.
    """

    keep: np.ndarray
    ids: np.ndarray
    received: int
    repeated: int
    test_rows: int


def choose_rows(answers: Answers, options: FrameOptions, within: np.ndarray | None = None) -> Rows:
    """Takes each response once (its last copy), sorts by id, and sees to the test rows.

    Args:
        answers: All answers of the download.
        options: ``test_rows`` and ``limit`` count here.
        within: Optional mask by row number; what it excludes was not asked for.
    """
    latest = latest_rows(answers)
    ids = np.array(sorted(latest), dtype=np.int64)
    keep = np.array([latest[i] for i in ids.tolist()], dtype=np.int64)
    received = len(ids)
    if within is not None:
        inside = within[keep]
        keep, ids = keep[inside], ids[inside]
    is_test = np.array(truths(answers.meta["is_test_data"]), dtype=bool)[keep]
    wanted = {"exclude": ~is_test, "only": is_test}.get(options.test_rows)
    tests = ids[is_test] if options.test_rows == "exclude" else ids[:0]
    if wanted is not None:
        keep, ids = keep[wanted], ids[wanted]
    if options.limit is not None and len(ids) > options.limit:
        keep, ids = keep[: options.limit], ids[: options.limit]
        tests = tests[tests <= ids[-1]]  # those further on would not have been given anyway
    left_out = len(tests)
    return Rows(keep, ids, received, answers.count - received, left_out)


def submitted_between(
    answers: Answers, zone: ZoneInfo, start: datetime | None, end: datetime | None
) -> np.ndarray | None:
    """Which responses were submitted between two instants, the second exclusive.

    What carries no date that can be read is kept: the server has let it through.
    """
    if start is None and end is None:
        return None
    mask = np.ones(answers.count, dtype=bool)
    for row, text in enumerate(answers.meta["date_submitted"]):
        moment = read_stamp(text, zone)
        if moment is not None:
            late_enough = start is None or moment >= start
            mask[row] = late_enough and (end is None or moment < end)
    return mask
