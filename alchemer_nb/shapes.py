"""The long shape: one row an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.values import Renderer, text_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.answers import Answers
    from alchemer_nb.columns import Column
    from alchemer_nb.definition import Survey
    from alchemer_nb.rows import Rows

LONG = ("question_id", "row", "option", "column", "value", "code", "option_id", "shown")


def long(
    answers: Answers,
    survey: Survey,
    rows: Rows,
    columns: Sequence[Column],
    names: Sequence[str],
    language: str | None,
) -> pd.DataFrame:
    """One row an answer, by response and then in survey order.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: Which responses.
        columns: Columns of answers.
        names: What they are called in the wide shape.
        language: Whose words.

    Returns:
        ``response_id`` int64, ``shown`` boolean, the others text. Of a multi-select, the chosen
        options; a response without answers is there once, with empty answer fields.
    """
    spoken = (language, survey.language)
    renderers = {v: Renderer(answers, rows.keep, v, spoken) for v in ("label", "code", "id")}
    pieces: list[pd.DataFrame] = []
    for place, (column, name) in enumerate(zip(columns, names, strict=True)):
        piece = _answers_of(column, renderers, spoken)
        if len(piece):
            piece["question_id"] = column.question.id
            piece["row"] = column.question.words(*spoken) if column.parent else None
            piece["column"] = name
            piece["place"] = place
            piece["shown"] = _shown(answers, column, rows, piece["at"].to_numpy())
            pieces.append(piece)
    answered = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame({"at": []})
    silent = np.setdiff1d(np.arange(len(rows.ids)), answered["at"].to_numpy(dtype=np.int64))
    whole = pd.concat([answered, pd.DataFrame({"at": silent})], ignore_index=True)
    whole = whole.reindex(columns=["at", "place", *LONG]).sort_values(
        ["at", "place"], kind="stable"
    )
    result = {"response_id": rows.ids[whole["at"].to_numpy(dtype=np.int64)]}
    for name in LONG:
        values = [None if pd.isna(v) else v for v in whole[name]]
        result[name] = pd.array(values, dtype="boolean" if name == "shown" else text_dtype())
    return pd.DataFrame(result)


def _answers_of(
    column: Column, renderers: dict[str, Renderer], spoken: tuple[str | None, ...]
) -> pd.DataFrame:
    """Where a column has an answer, and what it is, as text."""
    values = pd.Series(renderers["label"].array(column))
    if column.kind == "boolean":
        at = np.flatnonzero(values.fillna(False).to_numpy(dtype=bool))
        option = column.option
        label = option.label(*spoken) if option else ""
        return pd.DataFrame(
            {
                "at": at,
                "option": label,
                "value": label or column.path[-1],
                "code": option.value if option else None,
                "option_id": column.path[-1],
            }
        )
    at = np.flatnonzero(values.notna().to_numpy())
    found: dict[str, Any] = {"at": at, "value": _as_text(values, at)}
    found["option"] = column.option.label(*spoken) if column.option else None
    found["option_id"] = column.option.id if column.option else None
    if column.kind == "category" and column.part == "answer":
        found["code"] = _as_text(pd.Series(renderers["code"].array(column)), at)
        found["option_id"] = _as_text(pd.Series(renderers["id"].array(column)), at)
    else:
        found["code"] = found["value"]
    return pd.DataFrame(found)


def _as_text(values: pd.Series[Any], at: np.ndarray) -> list[str | None]:
    texts: list[str | None] = []
    for value in values.iloc[at].tolist():
        if pd.isna(value):
            texts.append(None)
        elif isinstance(value, float):
            texts.append(str(int(value)) if value.is_integer() else repr(value))
        elif isinstance(value, pd.Timestamp):
            texts.append(value.date().isoformat())
        else:
            texts.append(str(value))
    return texts


def _shown(answers: Answers, column: Column, rows: Rows, at: np.ndarray) -> list[bool | None]:
    numbers, states = answers.shown.get(column.path[0], ((), ()))
    known = dict(zip(numbers, states, strict=True))
    return [bool(known[int(row)]) if int(row) in known else None for row in rows.keep[at].tolist()]
