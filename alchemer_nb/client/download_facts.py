"""Facts of a download, for the description of its frame and for its summary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb._version import __version__
from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import plan_columns, raw_column
from alchemer_nb.survey.question_types import is_known

if TYPE_CHECKING:
    import numpy as np

    from alchemer_nb.client.download_options import DownloadOptions
    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.fetch.download import Download
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.http.regions import Region
    from alchemer_nb.survey.definition import Definition


def collect_facts(
    region: Region,
    survey: Definition,
    options: DownloadOptions,
    result: Download,
    rows: Rows,
) -> dict[str, Any]:
    """Return the facts of a download, for ``attrs["alchemer"]`` and for its summary."""
    total = result.total_count
    is_enough = result.reached_limit or total is None or rows.received >= total
    return {
        "survey_id": survey.id,
        "title": survey.title,
        "region": region.name,
        "host": region.host,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked": options.asked(),
        "rows_told": total,
        "rows_received": rows.received,
        "rows": len(rows.keep),
        "test_rows_left_out": rows.test_rows,
        "repeated_rows": rows.repeated - result.copies,
        "changed_rows": result.changed,
        "misfits": result.answers.misfits,
        "options_not_chosen": result.answers.unchosen,
        **_count_misfits(result.answers, survey, rows.keep),
        "zone_documented": region.zone_documented,
        "complete": not result.interrupted and is_enough,
        **_earlier_runs(result),
        "package": __version__,
    }


def _count_misfits(answers: Answers, survey: Definition, keep: np.ndarray) -> dict[str, Any]:
    """Count what does not fit the definition.

    Args:
        answers: All answers of the download.
        survey: The definition.
        keep: Rows of the answers that are in the frame.

    Returns:
        ``unparsed_values`` counts the answers that are no number or date where one was asked for,
        in ``unparsed_columns``. ``removed_questions`` are the ids of questions that were answered
        and are no longer in the definition.
    """
    everything = [each for question in survey.questions for each in question.walk()]
    known = {each.id for each in everything}
    renderer = Renderer(answers, keep, "label", (survey.language,))
    unparsed = {}
    for column in plan_columns(survey):
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
        "removed_questions": sorted(
            removed, key=lambda question_id: (len(question_id), question_id)
        ),
    }


def _earlier_runs(result: Download) -> dict[str, Any]:
    if result.restart_reason:
        return {"begun_anew": result.restart_reason}
    if result.rows_before:
        return {"rows_at_hand": result.rows_before, "went_on_at_page": result.resumed_at_page}
    return {}
