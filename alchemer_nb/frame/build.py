"""Answers and definition as a DataFrame: rows chosen, columns named, values rendered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.description import ATTRS, Description
from alchemer_nb.frame.long import build_long
from alchemer_nb.frame.reasons import collect_reasons
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import INDEX, free_name, name_columns, question_names
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition


def build_frame(
    answers: Answers,
    survey: Definition,
    rows: Rows,
    options: FrameOptions,
    zone: ZoneInfo,
    about: Mapping[str, Any],
) -> pd.DataFrame:
    """Build the frame of some responses.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: The responses to include, from ``choose_rows``.
        options: Names, values, shape.
        zone: Time zone of the region.
        about: What was asked and received, as data of JSON.

    Returns:
        Wide: index ``response_id`` (int64); columns of answers in survey order, url variables,
        metadata. Long: see ``build_long``. ``attrs["alchemer"]`` is its description.
    """
    options = replace(options, language=_language(options.language, survey))
    languages = (options.language, survey.language)
    renderer = Renderer(answers, rows.numbers, options.rendered, languages)
    columns = multi_lists.fold_lists(all_columns(survey, answers, renderer), options)
    meta = metadata.metadata_names(options.metadata)
    names = name_columns(columns, survey, options.names, meta, options.language)
    description = Description(
        survey,
        options,
        str(zone),
        columns=dict(zip(names, columns, strict=True)),
        about=about,
    )
    if options.shape == "long":
        frame = build_long(answers, survey, rows, description.columns, options.language, renderer)
        values = ((c, renderer.array(c)) for c in description.columns.values())
    else:
        frame, description = _build_wide(answers, rows, renderer, description)
        values = ((c, frame[name]) for name, c in description.columns.items())
    description = replace(
        description,
        reasons=collect_reasons(answers, survey, rows, values),
        notes=renderer.notes,
    )
    if options.columns is not None:
        frame = _choose_columns(frame, options, description.columns)
        description = description.trim(frame)
    frame.attrs[ATTRS] = description.to_json()
    return frame


def _build_wide(
    answers: Answers, rows: Rows, renderer: Renderer, description: Description
) -> tuple[pd.DataFrame, Description]:
    options, zone = description.options, ZoneInfo(description.timezone)
    meta = description.metadata
    taken = {*meta, *description.columns}
    data: dict[str, Any] = {}
    codes, urls = {}, {}
    for name, column in description.columns.items():
        data[name] = renderer.array(column)
        if options.values == "both" and column.kind == "category" and column.part == "answer":
            coded = Renderer(answers, rows.numbers, "code", renderer.languages).array(column)
            code_name = free_name(f"{name}_code", {*taken, *data})  # unique, as names are
            data[code_name], codes[code_name] = coded, name
    for variable in metadata.url_names(answers):
        name = free_name(f"url_{variable}", {*taken, *data})
        data[name] = metadata.url_array(variable, answers, rows.numbers)
        urls[name] = variable
    for name in meta:
        data[name] = metadata.metadata_array(name, answers, rows.numbers, zone, options.tz)
    index = pd.Index(rows.ids, name=INDEX, dtype=np.int64)
    frame = pd.DataFrame(
        {name: pd.Series(values).set_axis(index) for name, values in data.items()}, index=index
    )
    return frame, replace(description, codes=codes, urls=urls)


def _language(wanted: str | None, survey: Definition) -> str | None:
    if wanted is None:
        return None
    for language in survey.languages:
        if language.casefold() == str(wanted).strip().casefold():
            return language
    raise InvalidArgument(
        f"the survey is not asked in {str(wanted)[:40]!r}; its languages are "
        f"{', '.join(survey.languages)}"
    )


def _choose_columns(
    frame: pd.DataFrame, options: FrameOptions, named: Mapping[str, AnswerColumn]
) -> pd.DataFrame:
    wanted = options.columns or ()
    if options.shape == "wide":
        return frame[_chosen_names(wanted, frame.columns, named)]
    chosen = _chosen_names(wanted, named, named)
    return frame[frame["column"].isin(chosen)].reset_index(drop=True)


def _chosen_names(
    wanted: Iterable[str], present: Iterable[str], named: Mapping[str, AnswerColumn]
) -> list[str]:
    """Return the present names that the user's words mean: columns, or all of a question."""
    present = list(present)
    chosen: set[str] = set()
    for word in wanted:
        found = {word} & {*present}
        for name, column in named.items():
            parts = {part.id for part in column.option_columns}
            meant = {*question_names(column), column.id, *parts}
            if word in meant:
                found |= {name, f"{name}_code"} & {*present}
        if not found:
            hint = did_you_mean(word, present)
            raise InvalidArgument(f"no column or question is called {word!r}{hint}")
        chosen |= found
    return [name for name in present if name in chosen]
