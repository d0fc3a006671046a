"""The statistics of a survey, as Alchemer counts them, with the words of its questions.

Source of their shape: https://apihelp.alchemer.com/help/list-survey-statistics. Alchemer's own mean
counts the reporting value of "not applicable", and it is there for questions that are no scale;
here mean, deviation, least and greatest value come from the counts of the options.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.survey.columns import plan_columns
from alchemer_nb.survey.question_types import is_asked
from alchemer_nb.survey.scales import has_scores, read_number
from alchemer_nb.wire.ids import id_text
from alchemer_nb.wire.text import strip_html

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition, Option, Question

FIELDS = (
    "question_id", "alias", "question", "row", "option", "code", "count", "percent", "responses",
    "mean", "std", "min", "max", "type",
)  # fmt: skip
_RECEIVED = {"mean": "average", "std": "stdDev", "min": "min", "max": "max"}
_DTYPES = {
    **dict.fromkeys(("count", "responses"), "Int64"),
    **dict.fromkeys(("percent", *_RECEIVED), "float64"),
}
_READ = {"id", "type", "breakdown", "total responses", "sum", *_RECEIVED.values()}


def build_statistics(
    rows: Iterable[Any], survey: Definition, language: str | None = None
) -> pd.DataFrame:
    """Build a DataFrame with a row for each option of each question.

    A question for which Alchemer has no counts has one row; texts to read, and grids and groups,
    whose rows and parts have rows of their own, have none.

    Args:
        rows: The rows of ``surveystatistic``.
        survey: The definition.
        language: Language of the words.
    """
    languages = (language, survey.language)
    questions = {question.id: question for question in survey.walk()}
    columns = {c.question.id: c for c in plan_columns(survey) if c.part == "answer"}
    records: list[dict[str, Any]] = []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        question = questions.get(id_text(row.get("id")))
        is_counted = bool(row.keys() - {"id", "type"})
        if question is not None and not is_counted and (question.rows or not is_asked(question)):
            continue
        grid = questions.get(question.parent) if question is not None else None
        own = {
            "question_id": id_text(row.get("id")),
            "type": row.get("type"),
            **_words(question, grid, languages),
            # What no page documents is kept as received.
            **{str(k): _as_text(v) for k, v in row.items() if k not in _READ},
        }
        column = None if question is None else columns.get(question.id)
        options = () if question is None else question.options or (grid.options if grid else ())
        records += ({**own, **each} for each in _option_records(row, options, column, languages))
    names = dict.fromkeys([*FIELDS, *(name for record in records for name in record)])
    return typed_frame(records, names, _DTYPES)


def _words(
    question: Question | None, grid: Question | None, languages: tuple[str | None, ...]
) -> dict[str, str]:
    """Return the texts of a question, or of a row and its grid."""
    if question is None:
        return {}
    words = {"alias": question.alias} if question.alias else {}
    if grid is None:
        return words | {"question": question.text(*languages)}
    return words | {"question": grid.text(*languages), "row": question.text(*languages)}


def _option_records(
    row: Mapping[str, Any],
    options: Iterable[Option],
    column: AnswerColumn | None,
    languages: tuple[str | None, ...],
) -> Iterator[dict[str, Any]]:
    """Yield what is counted for each option of a question; one record where nothing is."""
    received = row.get("breakdown")
    items = received.values() if isinstance(received, Mapping) else received
    breakdown = [item for item in items or () if isinstance(item, Mapping)]
    matched = _match_labels([item.get("label") for item in breakdown], options)
    counts = [read_number(item.get("count")) for item in breakdown]
    base = _number(row.get("total responses"))
    shared: dict[str, Any] = {"responses": None if math.isnan(base) else int(base)}
    if breakdown:
        shared |= _summarise(matched, counts, column)
    else:  # numbers that people typed
        shared |= {name: _number(row.get(key)) for name, key in _RECEIVED.items()}
    if not breakdown:
        yield shared
    for item, option, count in zip(breakdown, matched, counts, strict=True):
        yield {
            **shared,
            "option": option.label(*languages) if option else strip_html(item.get("label")),
            "code": option.value if option else None,
            "count": None if math.isnan(count) else int(count),
            "percent": _number(item.get("percentage")),
        }


def _match_labels(labels: Iterable[Any], options: Iterable[Option]) -> list[Option | None]:
    """Return the option of each label; of two options with one label, each once, in order."""
    left = list(options)
    found: list[Option | None] = []
    for label in labels:
        text = strip_html(label)
        fitting = (
            o for o in left if text in {strip_html(t) for t in (*o.titles.values(), o.value)}
        )
        option = next(fitting, None)
        if option is not None:
            left.remove(option)
        found.append(option)
    return found


def _summarise(
    options: list[Option | None], counts: list[float], column: AnswerColumn | None
) -> dict[str, float]:
    """Return mean, deviation (of a sample), least and greatest code, "not applicable" left out."""
    if column is None or not has_scores(column):
        return {}
    pairs = [
        (math.nan if option is None else read_number(option.value), count)
        for option, count in zip(options, counts, strict=True)
        if count > 0 and not (option is not None and option.is_not_applicable)
    ]
    codes, weights = np.array([*zip(*pairs, strict=True)]) if pairs else (np.array([]),) * 2
    if not len(codes) or np.isnan(codes).any():
        return {}  # nobody, or some chose what is no number, or no option any more
    mean = float(np.average(codes, weights=weights))
    spread = float((weights * (codes - mean) ** 2).sum())
    size = weights.sum()
    return {
        "mean": mean,
        "std": math.sqrt(spread / (size - 1)) if size > 1 else math.nan,
        "min": float(codes.min()),
        "max": float(codes.max()),
    }


def _number(value: Any) -> float:
    """Return a number that is sent as text, with commas between thousands in some fields."""
    return read_number(value.replace(",", "") if isinstance(value, str) else value)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
