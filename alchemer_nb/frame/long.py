"""The long shape: one row for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import is_plain_number, number_text
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.survey.scales import read_number
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn

LONG = ("question_id", "row", "option", "column", "value", "code", "option_id", "shown")


def build_long(
    ids: np.ndarray,
    named: Mapping[str, AnswerColumn],
    languages: tuple[str | None, ...],
    array: Callable[[AnswerColumn, Values], Any],
    shown: Callable[[str, np.ndarray], Sequence[bool | None]],
) -> pd.DataFrame:
    """Build the long shape: one row for each answer, by response, then in survey order.

    Args:
        ids: Ids of the responses.
        named: Columns of answers, by their names in the wide shape.
        languages: Languages of the words.
        array: Returns the values of a column, one for each response.
        shown: Returns whether a question was shown, for some positions of responses.

    Returns:
        ``response_id`` int64, ``shown`` boolean, the others text. A multi-select has a row for
        each chosen option; a response without answers has one row with empty answer fields.
    """
    positions: list[np.ndarray] = []
    found: dict[str, list[Any]] = {name: [] for name in LONG}
    as_received = {
        column.id.removesuffix("_raw"): np.asarray(array(column, "label"), dtype=object)
        for column in named.values()
        if column.part == "raw" and column.raw_kind == "number"
    }
    for name, column in named.items():
        at, piece = _answers_of(column, array, languages, as_received)
        if not len(at):
            continue
        positions.append(at)
        row = column.question.text(*languages) if column.parent else None
        piece |= {"question_id": column.question_id, "row": row, "column": name}
        piece["shown"] = [*shown(column.path[0], at)]
        for field, values in piece.items():
            found[field] += values if isinstance(values, list) else [values] * len(at)
    answered = np.concatenate([np.array([], dtype=np.int64), *positions])
    unanswered = np.setdiff1d(np.arange(len(ids)), answered)
    all_rows = np.concatenate([answered, unanswered])
    order = np.argsort(all_rows, kind="stable")  # the columns came in their order
    result: dict[str, Any] = {INDEX: ids[all_rows[order]]}
    for field in LONG:
        cells = np.array([*found[field], *[None] * len(unanswered)], dtype=object)[order]
        result[field] = pd.array(cells, dtype="boolean" if field == "shown" else text_dtype())
    return pd.DataFrame(result)


def _answers_of(
    column: AnswerColumn,
    array: Callable[[AnswerColumn, Values], Any],
    languages: tuple[str | None, ...],
    as_received: dict[str, np.ndarray],
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the rows that answered a column, and the long fields: a list, or one for all rows.

    Args:
        column: The column.
        array: Returns its values.
        languages: Languages of the words.
        as_received: Id of a number column -> the texts in its column ``_raw``; the rows of numbers
            show them, and from then on they are None there.
    """
    # Plain lists: a DataFrame for each column costs more than all the answers in it.
    values = array(column, "label")
    option = column.option
    label = option.label(*languages) if option else None
    if column.kind == "boolean":
        at = np.flatnonzero(values.to_numpy(dtype=bool, na_value=False))
        return at, {
            "option": label or "",
            "value": label or column.path[-1],
            "code": option.value if option else None,
            "option_id": column.path[-1],
        }
    own = column.id.removesuffix("_raw")
    if column.part == "raw" and own in as_received:
        values = as_received[own]
    at = np.flatnonzero(~np.asarray(pd.isna(values), dtype=bool))
    if not len(at):
        return at, {}
    texts = as_text(values, at)
    if column.kind == "number" and column.id in as_received:
        _show_as_received(texts, values, at, as_received[column.id])
    found: dict[str, Any] = {
        "option": label,
        "value": texts,
        "code": texts,
        "option_id": option.id if option else None,
    }
    if column.kind == "category" and column.part == "answer":
        found["code"] = as_text(array(column, "code"), at)
        found["option_id"] = as_text(array(column, "id"), at)
    return at, found


def _show_as_received(
    texts: list[str | None], numbers: np.ndarray, at: np.ndarray, received: np.ndarray
) -> None:
    """Put the texts that say more than their numbers in place of these.

    A plain number stays in ``_raw``: it is there because an option has this number as well.
    """
    for place, row in enumerate(at.tolist()):
        text, number = received[row], numbers[row]
        is_same = isinstance(text, str) and read_number(text) == number
        if is_same and not is_plain_number(text, number):
            texts[place], received[row] = text, None


def as_text(values: Any, at: np.ndarray) -> list[str | None]:
    """Return the values at some positions as the long shape writes them."""
    if isinstance(values, pd.Categorical):
        names: list[str | None] = [*map(str, values.categories), None]  # the last one for -1
        return [names[code] for code in values.codes[at].tolist()]
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        moments = values[at].astype("datetime64[s]")
        texts = np.datetime_as_string(moments).tolist()
        return [None if text == "NaT" else text.removesuffix("T00:00:00") for text in texts]
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return [None if np.isnan(value) else number_text(value) for value in values[at].tolist()]
    return [None if pd.isna(value) else id_text(value) for value in values[at].tolist()]
