"""Contact data that redaction does not find by a column's name, hidden in what a report shows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.description import WAVE
from alchemer_nb.frame.values import option_names
from alchemer_nb.privacy.contact_patterns import has_email, has_phone, names_contact
from alchemer_nb.privacy.redact import redact
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.frame.description import Description
    from alchemer_nb.survey.columns import AnswerColumn

HIDDEN = "(contact data)"


def hide_contacts(frame: pd.DataFrame, description: Description) -> pd.DataFrame:
    """Return a redacted frame, wide, in which no text of a cell that a table shows is a contact.

    An e-mail address or telephone number that is no option of the survey becomes ``HIDDEN``: in
    choices that were edited, url variables and the analyst's own columns. Open answers stay. A
    column is dropped if its own name means contact data, or if it is a piped row with a contact.
    """
    waves = len(description.waves) or 1
    described: dict[str, list[tuple[AnswerColumn, Description]]] = {}
    for each in description.each_wave:
        for name, column in each.columns.items():
            described.setdefault(name, []).append((column, each))
    piped = [
        name
        for name, found in described.items()
        for column, _ in found
        if column.piped and any(map(_is_contact, column.question.titles.values()))
        if name in frame.columns
    ]
    frame = redact(frame, "drop", columns=piped) if piped else frame
    levels = [
        name for name in frame.index.names
        if name is not None and name not in (INDEX, WAVE)
        and _contacts(frame.index.get_level_values(str(name)), (), waves)
    ]  # fmt: skip
    if levels and len(levels) < frame.index.nlevels:
        frame = frame.reset_index(levels, drop=True)
    own = [name for name in frame.columns if name not in described and names_contact(str(name))]
    changed = {}
    for name in frame.columns.difference(own, sort=False):
        found = described.get(name, [])
        if any(column.kind == "text" for column, _ in found):
            continue
        options = {
            label
            for column, wave in found
            for label in option_names(column.choices, wave.options.rendered, wave.languages)
        }
        if (cells := _hidden(frame[name], options, waves)) is not None:
            changed[name] = cells
    attrs = frame.attrs
    frame = frame.drop(columns=own).assign(**changed) if own or changed else frame
    frame.attrs = attrs
    return frame


def _is_contact(text: str) -> bool:
    return has_email(text) or has_phone(text)


def _hidden(cells: Any, options: set[str], waves: int) -> pd.Series[Any] | None:
    """Return a column without contact data; None if it has none."""
    if isinstance(cells, pd.DataFrame):  # two columns of one name, which no table shows
        return None
    values: Any = ()
    if isinstance(cells.dtype, pd.CategoricalDtype):
        values = cells.cat.categories
        if not any(isinstance(each, str) and _is_contact(each) for each in values):
            return None
    elif not (
        pd.api.types.is_object_dtype(cells.dtype) or pd.api.types.is_string_dtype(cells.dtype)
    ):
        return None
    if not (found := _contacts(cells, options, waves, values)):
        return None
    plain = cells.astype(object)
    if not isinstance(cells.dtype, pd.CategoricalDtype):
        hidden = [_without(cell, found) for cell in plain]
        return pd.Series(hidden, index=cells.index, dtype=object)
    categories = [each for each in values if each not in found]
    dtype = pd.CategoricalDtype([*categories, HIDDEN], cells.cat.ordered)
    return pd.Series(plain.mask(plain.isin(found), HIDDEN), dtype=dtype)


def _without(cell: Any, found: set[str]) -> Any:
    if isinstance(cell, list | tuple | np.ndarray):
        return [HIDDEN if each in found else each for each in cell]
    return HIDDEN if isinstance(cell, str) and cell in found else cell


def _contacts(
    cells: Iterable[Any], options: Iterable[str], waves: int, categories: Iterable[Any] = ()
) -> set[str]:
    """Return the texts that look like contact data.

    Args:
        cells: Texts, lists of texts, or anything else.
        options: Texts that are none.
        waves: How many responses one person can have.
        categories: Texts that a table shows, whether or not a cell holds them.
    """
    often = Counter(
        part
        for cell in cells
        for part in (cell if isinstance(cell, list | tuple | np.ndarray) else (cell,))
        if isinstance(part, str)
    )
    texts = {*often, *(each for each in categories if isinstance(each, str))}.difference(options)
    phones = set(filter(has_phone, texts))
    # Bands such as "10000-20000" look like telephone numbers, but many share one.
    if sum(often[each] for each in phones) > 2 * waves * len(phones):
        phones = set()
    return phones | set(filter(has_email, texts))
