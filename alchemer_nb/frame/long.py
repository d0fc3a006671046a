"""The long shape: one row an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.frame.values import Renderer, is_ordered, option_names
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.frame.values import Notes
    from alchemer_nb.survey.columns import Column
    from alchemer_nb.survey.definition import Definition

LONG = ("question_id", "row", "option", "column", "value", "code", "option_id", "shown")


def long(
    answers: Answers,
    survey: Definition,
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
    told = _Told(answers, rows)
    ats: list[np.ndarray] = []
    found: dict[str, list[Any]] = {name: [] for name in LONG}
    for column, name in zip(columns, names, strict=True):
        at, piece = _answers_of(column, renderers, spoken)
        if not len(at):
            continue
        ats.append(at)
        row = column.question.words(*spoken) if column.parent else None
        piece |= {"question_id": column.question.id, "row": row, "column": name}
        piece["shown"] = told.shown(column.path[0], at)
        for field, values in piece.items():
            found[field] += values if isinstance(values, list) else [values] * len(at)
    answered = np.concatenate([np.array([], dtype=np.int64), *ats])
    silent = np.setdiff1d(np.arange(len(rows.ids)), answered)
    whole = np.concatenate([answered, silent])
    order = np.argsort(whole, kind="stable")  # the columns came in their order
    result: dict[str, Any] = {INDEX: rows.ids[whole[order]]}
    for field in LONG:
        cells = np.array([*found[field], *[None] * len(silent)], dtype=object)[order]
        result[field] = pd.array(cells, dtype="boolean" if field == "shown" else text_dtype())
    return pd.DataFrame(result)


# Plain lists all the way: a DataFrame for each column costs more than all the answers in it.
_Piece = tuple[np.ndarray, dict[str, Any]]


def _answers_of(
    column: Column, renderers: dict[str, Renderer], spoken: tuple[str | None, ...]
) -> _Piece:
    """Where a column has an answer, and what it is, as text: one for each or one for all."""
    values = renderers["label"].array(column)
    option = column.option
    label = option.label(*spoken) if option else None
    if column.kind == "boolean":
        at = np.flatnonzero(values.to_numpy(dtype=bool, na_value=False))
        return at, {
            "option": label or "",
            "value": label or column.path[-1],
            "code": option.value if option else None,
            "option_id": column.path[-1],
        }
    at = np.flatnonzero(~np.asarray(pd.isna(values), dtype=bool))
    if not len(at):
        return at, {}
    texts = _as_text(values, at)
    found: dict[str, Any] = {
        "option": label,
        "value": texts,
        "code": texts,
        "option_id": option.id if option else None,
    }
    if column.kind == "category" and column.part == "answer":
        found["code"] = _as_text(renderers["code"].array(column), at)
        found["option_id"] = _as_text(renderers["id"].array(column), at)
    return at, found


def _as_text(values: Any, at: np.ndarray) -> list[str | None]:
    if isinstance(values, pd.Categorical):
        names: list[str | None] = [*map(str, values.categories), None]  # the last one for -1
        return [names[code] for code in values.codes[at].tolist()]
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        moments = values[at].astype("datetime64[s]")
        texts = np.datetime_as_string(moments).tolist()
        return [None if text == "NaT" else text.removesuffix("T00:00:00") for text in texts]
    return [
        None if pd.isna(value) else _number(value) if isinstance(value, float) else str(value)
        for value in values[at].tolist()
    ]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


class _Told:
    """What the entries of some responses say of being shown."""

    def __init__(self, answers: Answers, rows: Rows) -> None:
        self._answers = answers
        self._keep = rows.keep

    def shown(self, question: str, at: np.ndarray) -> list[bool | None]:
        """Whether a question was shown; None where nothing is said."""
        numbers, states = self._answers.shown.get(question, ((), ()))
        full = np.full(self._answers.count, -1, dtype=np.int8)
        full[np.asarray(numbers, dtype=np.int64)] = np.asarray(states, dtype=np.int8)
        return [None if state < 0 else bool(state) for state in full[self._keep[at]].tolist()]


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
    ids = pd.Index(frame[INDEX].unique(), name=INDEX)
    places = ids.get_indexer(pd.Index(frame[INDEX]))
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
        return text_array(texts)
    names = option_names(column.choices, "label", languages)
    more = [text for text in dict.fromkeys(texts) if text is not None and text not in names]
    index = pd.Index([*names, *more], dtype=text_dtype())
    dtype = pd.CategoricalDtype(index, ordered=is_ordered(column) and not more)
    return pd.Categorical(texts, dtype=dtype)
