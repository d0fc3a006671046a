"""Conditions that Alchemer's filters cannot express, checked on the received responses.

The API's ``in`` separates values by commas, so it cannot take a value that holds a comma
(https://apihelp.alchemer.com/help/filters-v5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alchemer_nb.decode.leaves import WRITE_IN_SUFFIX
from alchemer_nb.survey.columns import COMMENT, MEMBER
from alchemer_nb.survey.filters import QUESTION_FIELD, URL_FIELD
from alchemer_nb.survey.piped_rows import parent_of_row
from alchemer_nb.wire.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.survey.definition import Definition
    from alchemer_nb.survey.filters import Condition


@dataclass(frozen=True)
class LocalConditions:
    """Conditions to check on received responses.

    Attributes:
        conditions: Resolved conditions of the form ``in``.
        survey: The definition, for options that come without their reporting value.
    """

    conditions: tuple[Condition, ...]
    survey: Definition

    def mask(self, answers: Answers) -> np.ndarray:
        """Return a mask of the responses that fulfil all conditions."""
        mask = np.ones(answers.count, dtype=bool)
        for condition in self.conditions:
            wanted = set(condition.value or ())
            fits = np.zeros(answers.count, dtype=bool)
            texts = self._texts(answers, condition.field)
            fits[[row for row, text in texts if text in wanted]] = True
            mask &= fits
        return mask

    def _texts(self, answers: Answers, field: str) -> Iterator[tuple[int, str | None]]:
        """Yield row number and text of every answer in a field."""
        url, asked = URL_FIELD.fullmatch(field), QUESTION_FIELD.fullmatch(field)
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
            if parent_of_row(path[0]) != question or COMMENT in path or MEMBER in path:
                continue
            texts: list[str | None] = []
            for raw in leaf.raw_answers:
                option_id = id_text(raw.answer_id).removesuffix(WRITE_IN_SUFFIX)
                text = values.get(option_id) if raw.answer in (None, "") else raw.text
                texts.append(text if option is None or option in (*path[1:2], option_id) else None)
            for row, code in zip(leaf.rows, leaf.codes, strict=True):
                yield row, texts[code]
