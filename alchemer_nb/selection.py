"""Conditions that Alchemer cannot be asked, fulfilled here: on the responses that came.

The API's ``in`` takes values with commas between them and knows no other way to write one
(https://apihelp.alchemer.com/help/filters-v5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.atoms import COMMENT, MEMBER
from alchemer_nb.filters import QUESTION, URL
from alchemer_nb.scalars import id_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.answers import Answers
    from alchemer_nb.filters import Condition


def fulfilled(answers: Answers, conditions: Iterable[Condition]) -> np.ndarray | None:
    """Which responses fulfil all conditions; None where there is none.

    Args:
        answers: All answers of the download.
        conditions: Resolved, each an ``in``: one of the answers is one of its values.
    """
    mask = None
    for condition in conditions:
        wanted = set(condition.value or ())
        fits = np.zeros(answers.count, dtype=bool)
        fits[[row for row, text in _texts(answers, condition.field) if text in wanted]] = True
        mask = fits if mask is None else mask & fits
    return mask


def _texts(answers: Answers, field: str) -> Iterator[tuple[int, str | None]]:
    """Every row that has something there, with its text."""
    url, asked = URL.fullmatch(field), QUESTION.fullmatch(field)
    if url:
        yield from answers.urls.get(url[1], {}).items()
    elif asked:
        yield from _answers(answers, asked[1], asked[2])
    else:
        yield from enumerate(str(value) for value in answers.meta[field])


def _answers(
    answers: Answers, question: str, option: str | None
) -> Iterator[tuple[int, str | None]]:
    for path, leaf in answers.leaves.items():
        if path[0] != question or COMMENT in path or MEMBER in path:
            continue
        below = option is None or path[1:2] == (option,)
        texts = [
            atom.text if below or id_text(atom.answer_id).removesuffix("-other") == option else None
            for atom in leaf.atoms
        ]
        for row, code in zip(leaf.rows, leaf.codes, strict=True):
            yield row, texts[code]
