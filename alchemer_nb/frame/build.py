"""Answers and definition as a DataFrame: rows chosen, columns named, values rendered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import codebook, metadata, multi_lists
from alchemer_nb.frame.long import build_long
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import INDEX, free_name, name_columns, question_names
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition

ATTRS = "alchemer"


def build_frame(
    answers: Answers,
    survey: Definition,
    rows: Rows,
    options: FrameOptions,
    zone: ZoneInfo,
    about: dict[str, Any],
) -> pd.DataFrame:
    """Build the frame of some responses.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: The responses to include, from ``choose_rows``.
        options: Names, values, shape.
        zone: Time zone of the region.
        about: Facts of the download, for ``attrs["alchemer"]``.

    Returns:
        Wide: index ``response_id`` (int64); columns of metadata, answers in survey order, url
        variables. Long: see ``build_long``.
    """
    options = replace(options, language=_language(options.language, survey))
    languages = (options.language, survey.language)
    renderer = Renderer(answers, rows.numbers, options.rendered, languages)
    columns = multi_lists.fold_lists(all_columns(survey, answers, renderer), options)
    meta = metadata.metadata_names(options.metadata)
    names = name_columns(columns, survey, options.names, meta, options.language)
    named = {
        name: column
        for name, column in zip(names, columns, strict=True)
        if not multi_lists.is_redacted(column, options.without)
    }
    if options.shape == "long":
        frame = build_long(answers, survey, rows, named, options.language, renderer)
    else:
        frame = _build_wide(answers, rows, options, zone, renderer, named)
    if options.columns is not None:
        frame = _choose_columns(frame, options, named)
    book = codebook.codebook_records(
        survey,
        columns,
        metadata=meta,
        urls=metadata.url_names(answers),
        notes=renderer.notes,
        language=options.language,
    )
    facts = {**about, "codebook": book}
    frame.attrs[ATTRS] = json.dumps(facts, ensure_ascii=False, default=str)
    return frame


def _build_wide(
    answers: Answers,
    rows: Rows,
    options: FrameOptions,
    zone: ZoneInfo,
    renderer: Renderer,
    named: Mapping[str, AnswerColumn],
) -> pd.DataFrame:
    data: dict[str, Any] = {
        name: metadata.metadata_array(name, answers, rows.numbers, zone, options.tz)
        for name in metadata.metadata_names(options.metadata)
        if name not in options.without
    }
    taken = {*data, *named}
    for name, column in named.items():
        data[name] = renderer.array(column)
        if options.values == "both" and column.kind == "category" and column.part == "answer":
            codes = Renderer(answers, rows.numbers, "code", renderer.languages).array(column)
            data[free_name(f"{name}_code", taken)] = codes  # unique, as names are
    for name in metadata.url_names(answers):
        if f"url_{name}" not in options.without:
            column_name = free_name(f"url_{name}", {*data, *named})
            data[column_name] = metadata.url_array(name, answers, rows.numbers)
    index = pd.Index(rows.ids, name=INDEX, dtype=np.int64)
    return pd.DataFrame(
        {name: pd.Series(values).set_axis(index) for name, values in data.items()}, index=index
    )


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
            meant = {*question_names(column), column.id, *multi_lists.column_ids([column])}
            if word in meant:
                found |= {name, f"{name}_code"} & {*present}
        if not found:
            hint = did_you_mean(word, present)
            raise InvalidArgument(f"no column or question is called {word!r}{hint}")
        chosen |= found
    return [name for name in present if name in chosen]
