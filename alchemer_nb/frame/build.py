"""Answers and definition as a DataFrame: rows chosen, columns named, values rendered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.description import ATTRS, Description
from alchemer_nb.frame.long import build_long
from alchemer_nb.frame.options import Values
from alchemer_nb.frame.reasons import collect_reasons, empty_cells
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer, shown_states
from alchemer_nb.survey.columns import INDEX, URL, free_name, name_columns, question_names
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping
    from zoneinfo import ZoneInfo

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
    options = replace(options, language=check_language(options.language, survey))
    languages = (options.language, survey.language)
    renderers = {
        values: Renderer(answers, rows.numbers, values, languages, day_first=options.day_first)
        for values in get_args(Values)
    }
    renderer = renderers[options.rendered]  # whose notes are shown

    def array(column: AnswerColumn, values: Values) -> Any:
        return renderers[values].array(column)

    def shown(question_id: str, at: np.ndarray) -> list[bool | None]:
        states = shown_states(answers, question_id, rows.numbers[at])
        return [None if state < 0 else bool(state) for state in states.tolist()]

    meta = metadata.metadata_names(options.metadata)
    named = columns_by_name(answers, survey, renderer, options)
    is_long = options.shape == "long"
    codes: dict[str, str] = {} if is_long else code_names(named, options, meta)
    urls: dict[str, str] = {}
    fields: dict[str, str] = {}
    unread: dict[str, list[str]] = {}
    if not is_long:
        urls = url_names(named, answers.urls, options)
        words = {name: column_words(column) for name, column in named.items()}
        present = {*named, *meta, *codes.values(), *urls}
        if absent := absent_urls(options.columns, present, words):
            more = [name.removeprefix(URL) for name in absent]
            urls = url_names(named, [*answers.urls, *more], options)
    empty: Iterable[tuple[str, np.ndarray]]
    if is_long:
        frame = build_long(rows.ids, named, languages, array, shown)
        empty = ((n, np.asarray(pd.isna(array(c, "label")))) for n, c in named.items())
    else:
        about_rows = {
            name: metadata.metadata_array(name, answers, rows.numbers, zone, options.tz)
            for name in meta
        }
        for name, values in about_rows.items():
            count = metadata.count_unread(name, values, answers, rows.numbers)
            if count:
                unread[name] = [f"{count:,} that could not be read"]
        fields = field_names([*named, *codes.values(), *urls, *meta], answers.others, options)
        for name, own in fields.items():
            about_rows[name] = metadata.field_array(own, answers, rows.numbers)
        of_urls = {n: metadata.url_array(own, answers, rows.numbers) for n, own in urls.items()}
        frame = build_wide(rows.ids, named, codes, options, array, {**of_urls, **about_rows})
        empty = empty_cells(frame)
    description = Description(
        survey,
        options,
        str(zone),
        named,
        {code: name for name, code in codes.items()},
        urls,
        about,
        fields=fields,
        reasons=collect_reasons(
            answers, survey, rows, ((named[name], cells) for name, cells in empty if name in named)
        ),
        notes={**renderer.notes, **unread},
    )
    if options.columns is not None:
        frame = choose_columns(frame, options, named)
        at_hand = [name for name in description.urls if name in frame]
        vain = [description.urls[name] for name in at_hand if frame[name].isna().all()]
        about = {**about, "empty_urls": vain}
        description = replace(description, about=about).trim(frame)
    unparsed = count_unparsed(frame, named, options)
    description = replace(description, about={**about, "unparsed_at_hand": unparsed})
    frame.attrs[ATTRS] = description.to_json()
    return frame


def count_unparsed(
    frame: pd.DataFrame, named: Mapping[str, AnswerColumn], options: FrameOptions
) -> dict[str, int] | None:
    """Count the answers that did not parse in each column of a frame that has them as received.

    A piped row's column is counted under ``""``: its name has the row's text. The long shape has
    no such columns: None.
    """
    if options.shape == "long":
        return None
    names = {column.id: name for name, column in named.items() if name in frame}
    counts: dict[str, int] = {}
    for name, column in named.items():
        if column.part == "raw" and name in frame:
            unparsed = frame[name].notna()
            parsed = names.get(column.id.removesuffix("_raw"))
            if parsed is not None:
                unparsed &= frame[parsed].isna()
            own = "" if column.piped else name
            counts[own] = counts.get(own, 0) + int(unparsed.sum())
    return {name: count for name, count in counts.items() if count}


def columns_by_name(
    answers: Answers, survey: Definition, renderer: Renderer, options: FrameOptions
) -> dict[str, AnswerColumn]:
    """Return the columns of answers of a frame, by their names in it."""
    columns = all_columns(survey, answers, renderer, options.metadata)
    columns = multi_lists.fold_lists(columns, options)
    meta = metadata.metadata_names(options.metadata)
    names = name_columns(columns, survey, options.names, meta, options.language)
    return dict(zip(names, columns, strict=True))


def build_wide(
    ids: np.ndarray,
    named: Mapping[str, AnswerColumn],
    codes: Mapping[str, str],
    options: FrameOptions,
    array: Callable[[AnswerColumn, Values], Any],
    others: Mapping[str, Any],
) -> pd.DataFrame:
    """Build the wide shape: a row for each response.

    Args:
        ids: Ids of the responses.
        named: Columns of answers, by name.
        codes: Name of a column -> name of the column of its codes.
        options: ``values`` is used.
        array: Returns the values of a column, one for each response.
        others: Values of the columns of url variables and metadata, by name.
    """
    data: dict[str, Any] = {}
    for name, column in named.items():
        data[name] = array(column, options.rendered)
        if name in codes:
            data[codes[name]] = array(column, "code")
    data |= others
    index = pd.Index(ids, name=INDEX, dtype=np.int64)
    for name, values in data.items():
        if isinstance(values, pd.Series):
            data[name] = values.set_axis(index)
    return pd.DataFrame(data, index=index)


def url_names(
    named: Mapping[str, AnswerColumn], urls: Iterable[str], options: FrameOptions
) -> dict[str, str]:
    """Return name of a column -> url variable, in alphabetical order."""
    meta = metadata.metadata_names(options.metadata)
    taken = {*named, *meta, *code_names(named, options, meta).values()}
    names: dict[str, str] = {}
    for variable in sorted(urls):
        names[free_name(f"{URL}{variable}", {*taken, *names})] = variable
    return names


def field_names(
    taken: Iterable[str], fields: Iterable[str], options: FrameOptions
) -> dict[str, str]:
    """Return name of a column -> undocumented field of responses, for ``metadata="all"``."""
    names: dict[str, str] = {}
    for field in sorted(fields) if options.metadata == "all" else ():
        names[free_name(field, {INDEX, *taken, *names})] = field
    return names


def code_names(
    named: Mapping[str, AnswerColumn], options: FrameOptions, taken: Iterable[str]
) -> dict[str, str]:
    """Return the name of the column of codes of each category, for ``values="both"``."""
    if options.values != "both":
        return {}
    names = {*taken, *named}  # of which codes are free, as of one another
    return {
        name: free_name(f"{name}_code", names)
        for name, column in named.items()
        if column.kind == "category" and column.part == "answer"
    }


def check_language(wanted: str | None, survey: Definition) -> str | None:
    """Return a language as the survey spells it.

    Raises:
        InvalidArgument: The survey is not asked in it.
    """
    if wanted is None:
        return None
    for language in survey.languages:
        if language.casefold() == str(wanted).strip().casefold():
            return language
    raise InvalidArgument(
        f"the survey is not asked in {str(wanted)[:40]!r}; its languages are "
        f"{', '.join(survey.languages)}"
    )


def choose_columns(
    frame: pd.DataFrame, options: FrameOptions, named: Mapping[str, AnswerColumn]
) -> pd.DataFrame:
    """Return the columns of a wide frame, or the rows of a long one, that ``columns`` means."""
    wanted = options.columns or ()
    if options.shape == "wide":
        return frame[choose_names(wanted, frame.columns, named)]
    words = {name: column_words(column) for name, column in named.items()}
    if absent := absent_urls(wanted, named, words):
        raise InvalidArgument(
            f"the long shape has answers alone, and no url variable {absent[0]!r}",
            hint="Take the wide shape, or leave it out of columns",
        )
    chosen = choose_names(wanted, named, named)
    return frame[frame["column"].isin(chosen)].reset_index(drop=True)


def choose_names(
    wanted: Iterable[str], present: Iterable[str], named: Mapping[str, AnswerColumn]
) -> list[str]:
    """Return the present names that the user's words mean: columns, or all of a question.

    Raises:
        InvalidArgument: A word means none of them.
    """
    words = {name: column_words(column) for name, column in named.items()}
    return choose_by_words(wanted, present, words)


def choose_by_words(
    wanted: Iterable[str], present: Iterable[str], words: Mapping[str, Container[str]]
) -> list[str]:
    """Return the present names that the user's words mean.

    Args:
        wanted: The user's words.
        present: Names of columns.
        words: Name of a column of answers -> other words for it.

    Raises:
        InvalidArgument: A word means none of them.
    """
    present = list(present)
    chosen: set[str] = set()
    for word in wanted:
        meant = (n for name, own in words.items() if word in own for n in (name, f"{name}_code"))
        found = {word, *meant} & {*present}
        if not found:
            hint = did_you_mean(word, present)
            raise InvalidArgument(f"no column or question is called {word!r}{hint}")
        chosen |= found
    return [name for name in present if name in chosen]


def column_words(column: AnswerColumn) -> set[str]:
    """Return the words by which ``columns`` may mean a column, besides its name.

    Comments are free text, often about persons: a question's name does not bring them.
    """
    if column.part == "comment":
        return {column.id}
    return {*question_names(column), column.id, *(part.id for part in column.option_columns)}


def absent_urls(
    wanted: Iterable[str] | None, present: Container[str], words: Mapping[str, Iterable[str]]
) -> list[str]:
    """Return the columns of url variables that are asked for and that no response has.

    Args:
        wanted: The user's words.
        present: Names of columns.
        words: Name of a column of answers -> other words for it.
    """
    others = set[str]().union(*words.values())
    return [
        word
        for word in dict.fromkeys(wanted or ())
        if word.startswith(URL) and word != URL and word not in present and word not in others
    ]
