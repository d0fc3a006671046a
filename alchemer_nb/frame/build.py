"""Answers and definition become a DataFrame: rows chosen, columns named, values rendered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import codebook, long, metadata, multi_lists
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import INDEX, name_columns
from alchemer_nb.wire.text import did_you_mean, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.survey.columns import Column
    from alchemer_nb.survey.definition import Definition

ATTRS = "alchemer"


def build(
    answers: Answers,
    survey: Definition,
    rows: Rows,
    options: FrameOptions,
    zone: ZoneInfo,
    about: dict[str, Any],
) -> pd.DataFrame:
    """Makes the frame.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: From ``choose_rows``.
        options: Names, values, shape.
        zone: The region's zone.
        about: What was asked and received; becomes part of ``attrs["alchemer"]``.

    Returns:
        Index ``response_id`` (int64), metadata, answers in survey order, url variables.
    """
    options = replace(options, language=_language(options.language, survey))
    spoken = (options.language, survey.language)
    renderer = Renderer(answers, rows.keep, options.rendered, spoken)
    columns = multi_lists.as_asked(all_columns(survey, answers, renderer), options)
    meta = metadata.names(options.metadata)
    urls = metadata.url_names(answers)
    names = name_columns(columns, survey, options.names, meta, options.language)
    named = zip(columns, names, strict=True)
    here = [pair for pair in named if not multi_lists.is_out(pair[0], options.without)]
    shown, called = [column for column, _ in here], [name for _, name in here]
    if options.shape == "long":
        frame = long.long(answers, survey, rows, shown, called, options.language, renderer.notes)
    else:
        frame = _wide(answers, rows, options, zone, renderer, shown, called)
    if options.columns is not None:
        frame = _only(frame, options, shown, called)
    book = codebook.records(
        survey,
        columns,
        metadata=meta,
        urls=urls,
        notes=renderer.notes.texts,
        language=options.language,
    )
    text = json.dumps({**about, "codebook": book}, ensure_ascii=False, default=str)
    frame.attrs[ATTRS] = text
    return frame


def _wide(
    answers: Answers,
    rows: Rows,
    options: FrameOptions,
    zone: ZoneInfo,
    renderer: Renderer,
    columns: Sequence[Column],
    names: Sequence[str],
) -> pd.DataFrame:
    """One row a response: metadata, answers, url variables."""
    data: dict[str, Any] = {
        name: metadata.array(name, answers, rows.keep, zone, options.tz)
        for name in metadata.names(options.metadata)
        if name not in options.without
    }
    for column, name in zip(columns, names, strict=True):
        data[name] = renderer.array(column)
        if options.values == "both" and column.kind == "category" and column.part == "answer":
            codes = Renderer(answers, rows.keep, "code", renderer.languages).array(column)
            data[_free(f"{name}_code", data, names)] = codes
    for name in metadata.url_names(answers):
        if f"url_{name}" in options.without:
            continue
        data[_free(f"url_{name}", data, names)] = metadata.url_array(name, answers, rows.keep)
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


def _free(name: str, data: dict[str, Any], names: Sequence[str]) -> str:
    while name in data or name in names:
        name += "_"
    return name


def _only(
    frame: pd.DataFrame, options: FrameOptions, columns: Sequence[Column], names: Sequence[str]
) -> pd.DataFrame:
    wanted = options.columns or ()
    if options.shape == "wide":
        return frame[_chosen(wanted, frame.columns, columns, names)]
    chosen = _chosen(wanted, names, columns, names)
    return frame[frame["column"].isin(chosen)].reset_index(drop=True)


def _chosen(
    wanted: Sequence[str],
    present: Iterable[str],
    columns: Sequence[Column],
    names: Sequence[str],
) -> list[str]:
    """Names that the user's list means: names of columns, or questions with all their columns."""
    there = list(present)
    keep: set[str] = set()
    for word in wanted:
        found = {name for name in there if name == word}
        for column, name in zip(columns, names, strict=True):
            question = column.question
            called = {question.id, f"q{question.id}", question.alias, name_of(question.alias)}
            parent = column.parent
            if parent is not None:
                called |= {parent.id, f"q{parent.id}", parent.alias, name_of(parent.alias)}
            if word in called - {""} or word == column.id or word in multi_lists.ids([column]):
                found.update(n for n in (name, f"{name}_code") if n in there)
        if not found:
            hint = did_you_mean(word, there)
            raise InvalidArgument(f"no column or question is called {word!r}{hint}")
        keep |= found
    return [name for name in there if name in keep]
