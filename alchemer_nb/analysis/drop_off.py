"""Where responses ended: how many reached each page of the survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.frame.description import describe_wide
from alchemer_nb.frame.missing import cell_states
from alchemer_nb.frame.reasons import ANSWERED, REMOVED, SKIPPED
from alchemer_nb.survey.filters import STATUSES

if TYPE_CHECKING:
    from alchemer_nb.frame.description import Description


def drop_off(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the responses that reached each page that asks something.

    A response reached a page if a question there, or on a later page, was answered or shown. It
    left at the last page that it reached unless it is complete: logic may skip the last pages.

    Returns:
        One row for each page in the survey's order (of a stacked frame, for each wave and page):
        ``page`` (its number), ``title`` (text), ``reached``, ``left`` (int64; without a status,
        nobody left at the last page), ``percent`` of all (float64) and ``wave`` (text; ``""`` if
        not stacked).
    """
    description = describe_wide(frame)
    pieces = [
        _of_wave(frame.iloc[rows], wave).assign(wave=str(label))
        for label, rows, wave in description.pieces(frame)
    ]
    return pd.concat(pieces, ignore_index=True)


def _of_wave(frame: pd.DataFrame, wave: Description) -> pd.DataFrame:
    states = cell_states(frame, wave)
    page_of = {each.id: page.id for page in wave.survey.pages for q in page.questions
               for each in q.walk()}  # fmt: skip
    touched: dict[str, np.ndarray] = {}
    for name, cells in states.items():
        column = wave.columns[name]
        page = page_of.get((column.parent or column.question).id)
        if page is None:
            continue
        here = np.isin(cells, (ANSWERED, SKIPPED, REMOVED))
        touched[page] = touched.get(page, np.zeros(len(frame), bool)) | here
    pages = [
        (number, page) for number, page in enumerate(wave.survey.pages, 1) if page.id in touched
    ]
    last = np.full(len(frame), -1)
    for place, (_, each) in enumerate(pages):
        last[touched[each.id]] = place
    gave_up = last < len(pages) - 1
    # An analyst may have given statuses of other words.
    if "status" in frame.columns and frame["status"].isin(STATUSES).any():
        gave_up = ~frame["status"].isin(STATUSES[:1]).to_numpy(bool)
    rows = []
    for place, (number, each) in enumerate(pages):
        reached, left = int((last >= place).sum()), int(((last == place) & gave_up).sum())
        share = 100 * reached / len(frame) if len(frame) else np.nan
        rows.append({
            "page": number, "title": each.title(*wave.languages), "reached": reached,
            "left": left, "percent": share,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["page", "title", "reached", "left", "percent"])
