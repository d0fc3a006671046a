"""Answers behind frames, which a test keeps to build them afresh, and frames built of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.frame.build import build_frame
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import choose_rows
from alchemer_nb.survey.definition import read_definition

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from alchemer_nb import Client
    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.description import Description
    from alchemer_nb.survey.definition import Definition


@dataclass(frozen=True, eq=False)
class Received:
    """The answers to a survey."""

    answers: Answers
    survey: Definition
    timezone: str = "UTC"
    options: FrameOptions = field(default_factory=lambda: FrameOptions(metadata="none"))

    def with_options(self, **changes: Any) -> FrameOptions:
        return replace(self.options, **changes)


def received(survey: Definition, given: Iterable[Any]) -> Received:
    """The answers of responses as the API sends them."""
    builder = AnswersBuilder(survey)
    builder.add_page(json.dumps({"result_ok": True, "data": [*given]}).encode())
    return Received(builder.build(), survey)


def fetched(client: Client, own: str) -> Received:
    """All answers to a survey of a server."""
    path = f"survey/{own}"
    questions = [q for page in client.pages(f"{path}/surveyquestion") for q in page["data"]]
    survey = read_definition(client.request("GET", path)["data"], questions)
    return received(
        survey, [r for page in client.pages(f"{path}/surveyresponse") for r in page["data"]]
    )


def made_frame(
    kept: Received, ids: Iterable[int], options: FrameOptions
) -> tuple[pd.DataFrame, Description]:
    """A fresh frame of some responses in their order, and its description."""
    rows = choose_rows(kept.answers, replace(options, test_rows="include"))
    place = {own: number for number, own in enumerate(rows.ids.tolist())}
    order = np.array([place[own] for own in ids], dtype=np.int64)
    rows = replace(rows, ids=rows.ids[order], numbers=rows.numbers[order])
    zone = ZoneInfo(kept.timezone)
    frame = build_frame(kept.answers, kept.survey, rows, options, zone, {})
    return frame, read_description(frame)
