"""The questions of a frame by names that mean one question alone, in all of its waves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.lookup import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alchemer_nb.frame.description import Description

    ColumnsByQuestion = Callable[[pd.DataFrame, Description], dict[tuple[str, ...], list[str]]]


@dataclass
class _Asked:
    """A question of one or more waves: what it may be called, and its columns."""

    words: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)


def read_wave_questions(
    frame: pd.DataFrame, description: Description, columns_by_question: ColumnsByQuestion
) -> dict[str, list[str]]:
    """Return the names of each question by its first name.

    There is one name each, except where no name of the survey means that question alone, as an id
    may mean another question in another wave, or a column of the analyst's own: then they are those
    of its columns.

    Args:
        frame: A frame of responses, wide.
        description: Its description.
        columns_by_question: Returns the columns of each question of a wave, by what the question
            may be called there.
    """
    found: list[_Asked] = []
    of: dict[str, _Asked] = {}
    for each in description.each_wave:
        for words, names in columns_by_question(frame, each).items():
            question = next((of[name] for name in names if name in of), None)
            if question is None:
                found.append(question := _Asked())
            question.words |= dict.fromkeys(words)
            question.names |= dict.fromkeys(names)
            of |= dict.fromkeys(names, question)
    if not description.waves:
        own = {*frame.columns}.difference(description.records)
        free = [[word for word in question.words if word not in own][:1] for question in found]
        clear = [word or [*each.names] for word, each in zip(free, found, strict=True)]
        return {each[0]: each for each in clear}
    clear = [_clear_names(frame, description, question) for question in found]
    return {names[0]: names for names in clear}


def _clear_names(frame: pd.DataFrame, description: Description, question: _Asked) -> list[str]:
    clear: dict[str, int] = {}
    for word in question.words:
        try:
            columns = columns_of(frame, description, word)
        except InvalidArgument:  # the first wave of a column names it
            continue
        if question.names.keys() >= {*columns}:
            clear[word] = len(columns)
    return [max(clear, key=lambda word: clear[word])] if clear else [*question.names]
