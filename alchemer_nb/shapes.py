"""The long shape: one row an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.values import Renderer, is_ordered, option_names, text_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alchemer_nb.answers import Answers
    from alchemer_nb.columns import Column
    from alchemer_nb.definition import Survey
    from alchemer_nb.rows import Rows
    from alchemer_nb.values import Notes

LONG = ("question_id", "row", "option", "column", "value", "code", "option_id", "shown")


def long(
    answers: Answers,
    survey: Survey,
    rows: Rows,
    columns: Sequence[Column],
    names: Sequence[str],
    language: str | None,
    notes: Notes,
) -> pd.DataFrame:
    """One row an answer, by response and then in survey order.

    Args:
        answers: All answers of the download.
        survey: Its definition.
        rows: Which responses.
        columns: Columns of answers.
        names: What they are called in the wide shape.
        language: Whose words.
        notes: Takes what does not fit.

    Returns:
        ``response_id`` int64, ``shown`` boolean, the others text. Of a multi-select, the chosen
        options; a response without answers is there once, with empty answer fields.
    """
    spoken = (language, survey.language)
    renderers = {v: Renderer(answers, rows.keep, v, spoken) for v in ("label", "code", "id")}
    renderers["label"].notes = notes
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


def from_long(
    frame: pd.DataFrame, columns: Mapping[str, Column], languages: Sequence[str | None] = ()
) -> pd.DataFrame:
    """Lays a long frame out again, one row a response, after its rows were chosen or changed.

    Args:
        frame: With ``response_id``, ``column`` and ``value`` of the long shape.
        columns: The columns to give, by name, as ``Kept.names`` has them.
        languages: Whose labels stand in ``value``.

    Returns:
        Index ``response_id`` in the order of the frame; values and dtypes as with
        ``values="label"``. A category that no option of the definition stands for comes after
        those of the definition.
    """
    ids = pd.Index(frame["response_id"].unique(), name="response_id")
    places = ids.get_indexer(pd.Index(frame["response_id"]))
    groups = frame.groupby("column", sort=False).indices
    nothing = np.array([], dtype=np.int64)
    found = {name: groups.get(name, nothing) for name in columns}
    answered: dict[tuple[str, ...], np.ndarray] = {}
    for name, column in columns.items():
        if column.kind == "boolean":
            rows = answered.setdefault(column.path[:-1], np.zeros(len(ids), dtype=bool))
            rows[places[found[name]]] = True
    data: dict[str, Any] = {}
    for name, column in columns.items():
        texts = np.full(len(ids), None, dtype=object)
        texts[places[found[name]]] = frame["value"].to_numpy(dtype=object)[found[name]]
        if column.kind == "boolean":
            chosen = np.array([text is not None for text in texts], dtype=bool)
            data[name] = pd.arrays.BooleanArray(chosen, ~answered[column.path[:-1]])
        else:
            data[name] = _read_back(column, texts, languages)
    return pd.DataFrame(data, index=ids)


def _read_back(column: Column, texts: np.ndarray, languages: Sequence[str | None]) -> Any:
    """The values of a column from their texts."""
    if column.kind == "number":
        return np.array([np.nan if t is None else float(t) for t in texts], dtype=np.float64)
    if column.kind == "date":
        return texts.astype("datetime64[us]")
    if column.kind != "category":
        return pd.array(texts, dtype=text_dtype())
    names = option_names(column.choices, "label", languages)
    more = [text for text in dict.fromkeys(texts) if text is not None and text not in names]
    index = pd.Index([*names, *more], dtype=text_dtype())
    dtype = pd.CategoricalDtype(index, ordered=is_ordered(column) and not more)
    return pd.Categorical(texts, dtype=dtype)
