"""The columns of a frame that a question means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.survey.question_types import GROUP, question_key
from alchemer_nb.wire.text import alias_to_name, did_you_mean, fold_title, nearest_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alchemer_nb.frame.description import Description

_WHOLE = ("answer", "option", "item", "list", "leaf")
_FEWEST_LETTERS = 4  # of words that are looked for in questions


def records_here(frame: pd.DataFrame, description: Description) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the row of the codebook of each column that the frame has."""
    return [(name, row) for name, row in description.records.items() if name in frame.columns]


def describe_no_match(pieces: Sequence[str], texts: Sequence[str]) -> str:
    """Return that no column has all of the words, and what could have been meant."""
    nearest = [
        piece if any(piece in text for text in texts) else nearest_words(piece, texts)
        for piece in pieces
    ]
    line = f"No column has {' and '.join(map(repr, pieces))} in its name or its words"
    if all(nearest) and nearest != [*pieces]:
        return f"{line}; did you mean {' '.join(nearest)!r}?"
    return f"{line}; df.alchemer.codebook lists them all"


def columns_of(frame: pd.DataFrame, description: Description, question: str | int) -> list[str]:
    """Return the names of the columns of a question; see ``AlchemerAccessor.columns``.

    Raises:
        InvalidArgument: No column here belongs to such a question.
    """
    wanted = str(question)
    # A column of the analyst's own is meant by its name, whatever else the survey calls so.
    if isinstance(question, str) and wanted in frame.columns and wanted not in description.records:
        return [wanted]
    here = records_here(frame, description)
    if wanted == "metadata":
        return [name for name, row in here if row["part"] == "metadata"]
    inside = _inside_group(description, wanted)
    hits = [
        name
        for name, row in here
        if row["part"] in _WHOLE
        if wanted in _called(name, row) or row.get("parent_id") in inside
    ]
    if not hits and wanted in frame.columns:  # such as metadata
        return [wanted]
    if not hits:
        parts = [part.strip() for part in wanted.split(",")]
        if len(parts) > 1 and all(part in frame.columns for part in parts):
            hint = f"; did you mean the list {parts}?"
        else:
            hint = did_you_mean(wanted, map(str, frame.columns)) or _asked_with(wanted, here)
        raise InvalidArgument(f"no column here belongs to a question {wanted!r}{hint}")
    return hits


def _inside_group(description: Description, wanted: str) -> set[str]:
    """Return the ids of the questions in a custom group, whose grids have rows of their own."""
    return {
        part.id
        for wave in description.each_wave
        for group in wave.survey.questions
        if question_key(group) in GROUP
        if wanted in (group.id, f"q{group.id}", group.alias, alias_to_name(group.alias))
        for part in group.walk()
    }


def _asked_with(words: str, here: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Return the end of a message: the questions that are asked with these words."""
    folded = fold_title(words)
    found: dict[str, None] = {}
    for name, row in here if len(folded) >= _FEWEST_LETTERS else ():
        if row["part"] in _WHOLE and folded in fold_title(row.get("question")):
            number = row.get("parent_id") or row.get("question_id")
            alias = row.get("parent_alias") or row.get("alias")
            found[str(alias or (f"q{number}" if number else name))] = None
    if not found:
        return "; df.alchemer.find looks for words"
    *some, last = map(repr, [*found][:3])
    return f"; did you mean {', '.join(some)}{' or ' if some else ''}{last}?"


def column_of(frame: pd.DataFrame, description: Description, question: str | int) -> str:
    """Return the name of the only column of a question.

    Raises:
        InvalidArgument: It has several columns, or is no question of the survey.
    """
    names = columns_of(frame, description, question)
    if len(names) != 1:
        raise InvalidArgument(
            f"{str(question)!r} has {len(names)} columns; name one of "
            f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}"
        )
    if not any(names[0] in each.columns for each in description.each_wave):
        here = records_here(frame, description)
        named = [n for n, row in here if row["part"] in _WHOLE and names[0] in _called(n, row)]
        own = f", but a column of your own; did you mean {named[0]!r}?" if named else ""
        raise InvalidArgument(f"{names[0]!r} is no question of the survey{own}")
    return names[0]


def _called(column: str, row: dict[str, Any]) -> set[str]:
    """Return the names that a user may use for a question or its grid."""
    own, above = row.get("question_id"), row.get("parent_id")
    names = {row.get(n) for n in ("column_id", "column_alias", "question_id", "parent_id")}
    for alias in (row.get("alias"), row.get("parent_alias")):
        names |= {alias, alias_to_name(alias)}
    names |= {f"q{number}" for number in (own, above) if number}
    return {column, *(str(name) for name in names if name)}
