"""The reasons of missing answers, and the base of each question.

Facts (https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads): an
entry says whether it was shown; ``shown: false`` with an answer is an answer; an unanswered
checkbox question is absent altogether. "Not reached" is inferred: a question of an incomplete
response on a page after the last one that has anything shown or answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_dtype, typed_frame
from alchemer_nb.frame.values import Renderer, shown_states
from alchemer_nb.survey.columns import INDEX, AnswerColumn
from alchemer_nb.survey.definition import conditional_ids
from alchemer_nb.survey.question_types import is_multi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.frame.kept import Kept

CELL_STATES = ("answered", "skipped", "not shown", "not reached", "unknown")
_ANSWERED, _SKIPPED, _NOT_SHOWN, _NOT_REACHED, _UNKNOWN = range(5)


class MissingReasons:
    """The reasons of missing answers of some responses.

    Args:
        kept: The answers.
        ids: Response ids.
    """

    def __init__(self, kept: Kept, ids: Iterable[int]) -> None:
        self._answers = kept.answers
        self._survey = kept.survey
        rows = kept.rows(ids)
        self._row_numbers = rows.numbers
        self._ids = rows.ids
        self._renderer = Renderer(kept.answers, rows.numbers, "label", (kept.survey.language,))
        self._page_numbers = {page.id: n for n, page in enumerate(kept.survey.pages)}
        self._outermost = {
            each.id: question.id for question in kept.survey.questions for each in question.walk()
        }
        self._conditional = conditional_ids(kept.survey)
        self._complete = np.array(
            [kept.answers.meta["status"][row] == "Complete" for row in rows.numbers], dtype=bool
        )
        self._last_page = self._reached_pages()

    def cells(self, columns: dict[str, AnswerColumn]) -> pd.DataFrame:
        """Return the state of each cell of some columns, as categories."""
        index = pd.Index(self._ids, name=INDEX)
        states = pd.CategoricalDtype(pd.Index(list(CELL_STATES), dtype=text_dtype()))
        data = {
            name: pd.Categorical.from_codes(self.codes(column), dtype=states)
            for name, column in columns.items()
        }
        return pd.DataFrame(data, index=index)

    def codes(self, column: AnswerColumn) -> np.ndarray:
        """Return the state of each cell of a column, as its position in ``CELL_STATES`` (int8)."""
        answered = pd.Series(self._renderer.array(column)).notna().to_numpy(dtype=bool)
        reasons = self._reasons(column)
        if column.part in ("other", "raw"):  # no such box is shown unless its option was chosen
            reasons = np.where(reasons == _SKIPPED, _NOT_SHOWN, reasons)
        return np.where(answered, _ANSWERED, reasons).astype(np.int8)

    def counts(self, column: AnswerColumn) -> tuple[int, int]:
        """Count the responses that were asked (answered or skipped), and those that answered."""
        codes = self.codes(column)
        answered = int((codes == _ANSWERED).sum())
        return answered + int((codes == _SKIPPED).sum()), answered

    def base_sizes(self, columns: Iterable[AnswerColumn]) -> pd.DataFrame:
        """Count the responses behind each question, from its columns.

        Returns:
            One row for each question or grid row: ``question_id``, ``alias``, ``question``, a count
            (int64) for each state, and ``base``: the responses that answered or skipped.
        """
        groups: dict[tuple[str, str], list[AnswerColumn]] = {}
        for column in columns:
            if column.part in ("answer", "option", "item", "list", "leaf"):
                above = column.parent.id if column.parent else ""  # two tables may repeat ids
                groups.setdefault((above, column.question.id), []).append(column)
        rows = []
        for (_, question_id), group in groups.items():
            answers = [column for column in group if column.part != "leaf"] or group
            codes = np.min([self.codes(column) for column in answers], axis=0)
            counts = np.bincount(codes, minlength=len(CELL_STATES))
            question, parent = group[0].question, group[0].parent
            grid = f"{parent.text(self._survey.language)}: " if parent else ""
            rows.append(
                {
                    "question_id": question_id,
                    "alias": question.alias or (parent.alias if parent else ""),
                    "question": grid + question.text(self._survey.language),
                    "base": int(counts[_ANSWERED] + counts[_SKIPPED]),
                    **{state: int(count) for state, count in zip(CELL_STATES, counts, strict=True)},
                }
            )
        fields = ("question_id", "alias", "question", "base", *CELL_STATES)
        return typed_frame(rows, fields, dict.fromkeys(fields[3:], "int64"))

    def _reasons(self, column: AnswerColumn) -> np.ndarray:
        """Return the state of each response, as if it had no answer."""
        question = column.question
        shown = shown_states(self._answers, question.id, self._row_numbers)
        if column.parent is not None:  # the entry of a grid or group may have it for its parts
            for above in (column.parent.id, self._outermost.get(column.parent.id, "")):
                states = shown_states(self._answers, above, self._row_numbers)
                shown = np.where(shown < 0, states, shown)
        page = self._page_numbers.get(question.page)
        beyond = np.zeros(len(self._row_numbers), dtype=bool)
        if page is not None:
            beyond = ~self._complete & (page > self._last_page)
        absent = self._when_absent(column)
        reasons = np.select(
            [shown == 1, beyond, shown == 0], [_SKIPPED, _NOT_REACHED, _NOT_SHOWN], absent
        )
        return reasons.astype(np.int8)

    def _when_absent(self, column: AnswerColumn) -> np.ndarray:
        """Return the state that an absent entry means: a checkbox without logic was skipped.

        A response without any entry (71 of 583 real ones) leaves it unknown.
        """
        question = column.parent or column.question
        skippable = column.part in ("option", "list", "other") and is_multi(column.question)
        if not skippable or column.removed or question.id in self._conditional:
            return np.full(len(self._row_numbers), _UNKNOWN)
        return np.where(self._last_page < 0, _UNKNOWN, _SKIPPED)

    def _reached_pages(self) -> np.ndarray:
        """Return the last page with anything shown or answered, -1 for none."""
        last = np.full(self._answers.count, -1, dtype=np.int64)
        pages = {
            each.id: self._page_numbers.get(each.page, -1)
            for question in self._survey.questions
            for each in question.walk()
        }
        for question_id, (rows, states) in self._answers.shown.items():
            at = np.asarray(rows, dtype=np.int64)[np.asarray(states, dtype=bool)]
            last[at] = np.maximum(last[at], pages.get(question_id, -1))
        for path, leaf in self._answers.leaves.items():
            at = np.asarray(leaf.rows, dtype=np.int64)
            last[at] = np.maximum(last[at], pages.get(path[0], -1))
        reached: np.ndarray = last[self._row_numbers]
        return reached
