"""Frames made of answers, and what is known of each without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer, shown_states
from alchemer_nb.survey.columns import name_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from alchemer_nb.frame.description import Kept
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition


@dataclass(frozen=True, eq=False)
class Made:
    """How a frame was made, and what its columns mean."""

    survey: Definition
    options: FrameOptions
    timezone: str
    columns: dict[str, AnswerColumn]
    states: dict[str, dict[int, bool]]  # by question id and response id

    def shown(self, question_id: str) -> dict[int, bool]:
        return self.states.get(question_id, {})


def made_frame(kept: Kept, ids: Iterable[int], options: FrameOptions) -> tuple[pd.DataFrame, Made]:
    """A fresh frame of some responses, without attrs, and what is known of it."""
    rows = kept.rows(ids)
    frame = build_frame(kept.answers, kept.survey, rows, options, ZoneInfo(kept.timezone), {})
    frame.attrs.clear()
    return frame, Made(
        kept.survey, options, kept.timezone, _columns(kept, rows, options), _states(kept, rows)
    )


def _columns(kept: Kept, rows: Rows, options: FrameOptions) -> dict[str, AnswerColumn]:
    languages = (options.language, kept.survey.language)
    renderer = Renderer(kept.answers, rows.numbers, options.rendered, languages)
    columns = all_columns(kept.survey, kept.answers, renderer)
    columns = multi_lists.fold_lists(columns, options)
    taken = metadata.metadata_names(options.metadata)
    names = name_columns(columns, kept.survey, options.names, taken, options.language)
    return dict(zip(names, columns, strict=True))


def _states(kept: Kept, rows: Rows) -> dict[str, dict[int, bool]]:
    found = {}
    for own in kept.answers.shown:
        states = shown_states(kept.answers, own, rows.numbers)
        pairs = zip(rows.ids.tolist(), states.tolist(), strict=True)
        found[own] = {response: bool(state) for response, state in pairs if state >= 0}
    return found
