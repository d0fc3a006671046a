"""Conditions that Alchemer cannot be asked, fulfilled here: on the responses that came.

The API's ``in`` takes values with commas between them and knows no other way to write one
(https://apihelp.alchemer.com/help/filters-v5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.decode.leaves import OTHER
from alchemer_nb.survey.columns import COMMENT, MEMBER
from alchemer_nb.survey.filters import QUESTION, URL
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.survey.filters import Condition


@dataclass(frozen=True)
class Selection:
    """What is chosen here of the responses that come.

    Attributes:
        conditions: Resolved, each an ``in``: one of the answers is one of its values.
        survey: Its definition, for options that are chosen without their reporting value.
    """

    conditions: tuple[Condition, ...]
    survey: Definition

    def mask(self, answers: Answers) -> np.ndarray:
        """Which responses fulfil all conditions."""
        mask = np.ones(answers.count, dtype=bool)
        for condition in self.conditions:
            wanted = set(condition.value or ())
            fits = np.zeros(answers.count, dtype=bool)
            texts = self._texts(answers, condition.field)
            fits[[row for row, text in texts if text in wanted]] = True
            mask &= fits
        return mask

    def _texts(self, answers: Answers, field: str) -> Iterator[tuple[int, str | None]]:
        """Every row that has something there, with its text."""
        url, asked = URL.fullmatch(field), QUESTION.fullmatch(field)
        if url:
            yield from answers.urls.get(url[1], {}).items()
        elif asked:
            yield from self._answers(answers, asked[1], asked[2])
        else:
            yield from enumerate(str(value) for value in answers.meta[field])

    def _answers(
        self, answers: Answers, question: str, option: str | None
    ) -> Iterator[tuple[int, str | None]]:
        values = {each.id: each.value for each in self.survey.question(question).options}
        for path, leaf in answers.leaves.items():
            if path[0] != question or COMMENT in path or MEMBER in path:
                continue
            texts: list[str | None] = []
            for atom in leaf.atoms:
                own = id_text(atom.answer_id).removesuffix(OTHER)
                text = values.get(own) if atom.answer in (None, "") else atom.text
                texts.append(text if option is None or option in (*path[1:2], own) else None)
            for row, code in zip(leaf.rows, leaf.codes, strict=True):
                yield row, texts[code]
