"""Names of columns: by alias, by id, or by the question's words; always unique.

Duplicate aliases are allowed in Alchemer, labels may be anything, and metadata has names of its
own: what a clash changes stands in the codebook.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from alchemer_nb.survey.columns import pieces
from alchemer_nb.wire.text import name_of, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alchemer_nb.survey.columns import Column
    from alchemer_nb.survey.definition import Definition, Question

INDEX = "response_id"  # of a frame; no column is named so, since reset_index would fail
Names = Literal["alias", "id", "text"]
_SUFFIXES = {"comment": "_comment", "raw": "_raw"}
_PHRASES = {"other": "other, written in", "comment": "comment", "raw": "as received"}


def name_columns(
    columns: Sequence[Column],
    survey: Definition,
    names: Names,
    taken: Sequence[str],
    language: str | None = None,
) -> list[str]:
    """Names for the columns, in their order.

    Args:
        columns: What the survey gives.
        survey: Its definition.
        names: ``"alias"``, ``"id"`` or ``"text"``.
        taken: Names that metadata holds; they win a clash.
        language: Whose words ``"text"`` takes.
    """
    if names == "id":
        wanted = [column.id for column in columns]
    elif names == "text":
        wanted = [_phrase(column, survey, language) for column in columns]
    else:
        wanted = _by_alias(columns, survey)
    return _unique(wanted, columns, {INDEX, *taken}, names)


def _by_alias(columns: Sequence[Column], survey: Definition) -> list[str]:
    everything = [each for q in survey.questions for each in q.walk()]
    uses = Counter(name_of(question.alias) for question in everything)

    def base(question: Question) -> str | None:
        name = name_of(question.alias)
        return name if name and uses[name] == 1 else None

    wanted = [_alias_name(column, base) or column.id for column in columns]
    # Two parts with one slug: both fall back to their ids, so that neither seems the right one.
    often = Counter(wanted)
    return [
        _alias_name(column, base, by_id=True) or column.id if often[name] > 1 else name
        for column, name in zip(columns, wanted, strict=True)
    ]


def _alias_name(
    column: Column, base: Callable[[Question], str | None], *, by_id: bool = False
) -> str | None:
    question, parent = column.question, column.parent
    stem = base(question)
    if stem is None and parent is not None:
        above = base(parent)
        words = question.id if by_id else slug(question.words()) or question.id
        stem = f"{above}_{words}" if above else None
    if stem is None:
        return None
    if column.part == "leaf" and len(column.path) > 1:
        return "_".join((stem, *pieces(column.path)))
    if column.option is not None:
        # What is gone is known from the answers alone, and they may differ next time.
        by_id = by_id or column.removed
        piece = column.option.id if by_id else slug(column.option.value) or column.option.id
        text = "_text" if column.part == "other" else ""
        return f"{stem}_{piece}{text}{_SUFFIXES.get(column.part, '')}"
    if column.part == "other":
        return f"{stem}_other"
    return f"{stem}{_SUFFIXES.get(column.part, '')}"


def _phrase(column: Column, survey: Definition, language: str | None) -> str:
    spoken = (language, survey.language)
    words = [column.parent.words(*spoken)] if column.parent else []
    words.append(column.question.words(*spoken) or f"q{column.question.id}")
    if column.option is not None:
        words.append(column.option.label(*spoken) or column.option.id)
    elif column.part == "leaf" and len(column.path) > 1:
        words.append(" ".join(pieces(column.path)))
    if column.part in _PHRASES:
        words.append(_PHRASES[column.part])
    return ": ".join(piece for piece in words if piece)


def _unique(
    wanted: Sequence[str], columns: Sequence[Column], taken: set[str], names: Names
) -> list[str]:
    often = Counter(wanted)
    result = []
    for name, column in zip(wanted, columns, strict=True):
        mark = f" [{column.id}]" if names == "text" else f"_{column.id}"
        final = name
        if name in taken or (often[name] > 1 and name != column.id):
            final = f"{name}{mark}"
        while final in taken:
            final += "_"
        taken.add(final)
        result.append(final)
    return result
