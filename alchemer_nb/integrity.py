"""What a download brought that its reader should know: counted, for the line at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import plan, raw_column
from alchemer_nb.survey.question_types import is_known

if TYPE_CHECKING:
    import numpy as np

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.survey.definition import Survey


def counts(answers: Answers, survey: Survey, keep: np.ndarray) -> dict[str, Any]:
    """Counts what does not fit the definition.

    Args:
        answers: All answers of the download.
        survey: The definition.
        keep: Which of them stand in the frame, by number.

    Returns:
        ``partial_rows``; ``unparsed_values``, the answers that are no number or date where one
        was asked for, and ``unparsed_columns``, the ids of their columns; ``unknown_types``, the
        type words that nobody knows; ``removed_questions``, the ids of questions that were
        answered and are no longer in the definition.
    """
    everything = [each for question in survey.questions for each in question.walk()]
    known = {each.id for each in everything}
    renderer = Renderer(answers, keep, "label", (survey.language,))
    unparsed = {}
    for column in plan(survey):
        if column.part not in ("answer", "item") or column.kind not in ("number", "date"):
            continue
        if column.kind == "date" or renderer.has_raw(column):
            count = int(pd.Series(renderer.array(raw_column(column))).notna().sum())
            if count:
                unparsed[column.id] = count
    unknown = {each.key or each.type for each in everything if not is_known(each)}
    removed = {path[0] for path in answers.leaves if path[0] not in known}
    return {
        "partial_rows": sum(answers.meta["status"][row] == "Partial" for row in keep.tolist()),
        "unparsed_values": sum(unparsed.values()),
        "unparsed_columns": list(unparsed),
        "unknown_types": sorted(unknown),
        "removed_questions": sorted(removed, key=lambda own: (len(own), own)),
    }
