"""Why there is no answer: the kinds of missing, and the base of each question.

Facts (https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real payloads): an
entry says whether it was shown; ``shown: false`` with an answer is an answer; an unanswered
checkbox question is absent altogether. "Not reached" is inferred: in a response that was not
completed, what stands on a page after the last one with anything shown or answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import Renderer
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.survey.columns import INDEX, Column
from alchemer_nb.survey.definition import conditional_ids
from alchemer_nb.survey.question_types import is_multi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.frame.description import Kept
    from alchemer_nb.survey.definition import Definition

KINDS = ("answered", "skipped", "not shown", "not reached", "unknown")
_ANSWERED, _SKIPPED, _NOT_SHOWN, _NOT_REACHED, _UNKNOWN = range(5)


class Missing:
    """Works out the kinds of missing for some responses.

    Args:
        kept: The answers.
        ids: Response ids.
    """

    def __init__(self, kept: Kept, ids: Iterable[int]) -> None:
        self._answers = kept.answers
        self._survey = kept.survey
        rows = kept.rows(ids)
        self._keep = rows.keep
        self._ids = rows.ids
        self._renderer = Renderer(kept.answers, rows.keep, "label", (kept.survey.language,))
        self._page_numbers = {page.id: n for n, page in enumerate(kept.survey.pages)}
        self._outermost = {
            each.id: question.id for question in kept.survey.questions for each in question.walk()
        }
        self._conditional = conditional_ids(kept.survey)
        self._complete = np.array(
            [kept.answers.meta["status"][row] == "Complete" for row in rows.keep], dtype=bool
        )
        self._last_page = self._reached_pages()

    def cells(self, columns: dict[str, Column]) -> pd.DataFrame:
        """The kind of each cell of some columns, as categories."""
        index = pd.Index(self._ids, name=INDEX)
        kinds = pd.CategoricalDtype(pd.Index(list(KINDS), dtype=text_dtype()))
        data = {
            name: pd.Categorical.from_codes(self.codes(column), dtype=kinds)
            for name, column in columns.items()
        }
        return pd.DataFrame(data, index=index)

    def codes(self, column: Column) -> np.ndarray:
        """Number of the kind, by ``KINDS``, of one column."""
        answered = pd.Series(self._renderer.array(column)).notna().to_numpy(dtype=bool)
        reasons = self._reasons(column)
        if column.part in ("other", "raw"):  # there is no such box unless its option was chosen
            reasons = np.where(reasons == _SKIPPED, _NOT_SHOWN, reasons)
        return np.where(answered, _ANSWERED, reasons).astype(np.int8)

    def counts(self, column: Column) -> tuple[int, int]:
        """How many were asked (answered or skipped), and how many answered."""
        codes = self.codes(column)
        answered = int((codes == _ANSWERED).sum())
        return answered + int((codes == _SKIPPED).sum()), answered

    def _reasons(self, column: Column) -> np.ndarray:
        """Why there would be no answer."""
        question = column.question
        shown = self._shown(question.id)
        if column.parent is not None:  # a grid may speak for its rows, and a group for its grids
            for above in (column.parent.id, self._outermost.get(column.parent.id, "")):
                shown = np.where(shown < 0, self._shown(above), shown)
        page = self._page_numbers.get(question.page)
        beyond = np.zeros(len(self._keep), dtype=bool)
        if page is not None:
            beyond = ~self._complete & (page > self._last_page)
        absent = self._when_absent(column)
        reasons = np.select(
            [shown == 1, beyond, shown == 0], [_SKIPPED, _NOT_REACHED, _NOT_SHOWN], absent
        )
        return reasons.astype(np.int8)

    def _when_absent(self, column: Column) -> np.ndarray:
        """What an absent entry says: of a checkbox without logic, that it was skipped.

        Where nothing at all was recorded (as in 71 of 583 real responses), nothing can be said.
        """
        question = column.parent or column.question
        skippable = column.part in ("option", "list", "other") and is_multi(column.question)
        if not skippable or column.removed or question.id in self._conditional:
            return np.full(len(self._keep), _UNKNOWN)
        return np.where(self._last_page < 0, _UNKNOWN, _SKIPPED)

    def _shown(self, question_id: str) -> np.ndarray:
        """1 shown, 0 not shown, -1 not said."""
        full = np.full(self._answers.count, -1, dtype=np.int8)
        if question_id in self._answers.shown:
            rows, states = self._answers.shown[question_id]
            full[np.asarray(rows, dtype=np.int64)] = np.asarray(states, dtype=np.int8)
        kept: np.ndarray = full[self._keep]
        return kept

    def _reached_pages(self) -> np.ndarray:
        """The last page on which anything was shown or answered, -1 for none."""
        last = np.full(self._answers.count, -1, dtype=np.int64)
        pages = {
            each.id: self._page_numbers.get(each.page, -1)
            for question in self._survey.questions
            for each in question.walk()
        }
        for own, (rows, states) in self._answers.shown.items():
            at = np.asarray(rows, dtype=np.int64)[np.asarray(states, dtype=bool)]
            last[at] = np.maximum(last[at], pages.get(own, -1))
        for path, leaf in self._answers.leaves.items():
            at = np.asarray(leaf.rows, dtype=np.int64)
            last[at] = np.maximum(last[at], pages.get(path[0], -1))
        reached: np.ndarray = last[self._keep]
        return reached


def base_sizes(missing: Missing, columns: dict[str, Column], survey: Definition) -> pd.DataFrame:
    """How many responses stand behind each question.

    Args:
        missing: From the responses in question.
        columns: Columns of answers by name.
        survey: The definition, for the words.

    Returns:
        One row a question or grid row: ``question_id``, ``alias``, ``question``, a count (int64)
        for each kind of missing, and ``base``: those who were asked, so answered or skipped.
    """
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns.values():
        if column.part in ("answer", "option", "item", "list", "leaf"):
            above = column.parent.id if column.parent else ""  # two tables both have a 10001
            groups.setdefault((above, column.question.id), []).append(column)
    rows = []
    for (_, own), group in groups.items():
        answers = [column for column in group if column.part != "leaf"] or group
        codes = np.min([missing.codes(column) for column in answers], axis=0)
        counts = np.bincount(codes, minlength=len(KINDS))
        question = group[0].question
        above = f"{group[0].parent.words(survey.language)}: " if group[0].parent else ""
        rows.append(
            {
                "question_id": own,
                "alias": question.alias or (group[0].parent.alias if group[0].parent else ""),
                "question": above + question.words(survey.language),
                "base": int(counts[_ANSWERED] + counts[_SKIPPED]),
                **{kind: int(count) for kind, count in zip(KINDS, counts, strict=True)},
            }
        )
    frame = WordTable(rows, columns=["question_id", "alias", "question", "base", *KINDS])
    for name in ("question_id", "alias", "question"):
        frame[name] = pd.array(list(frame[name]), dtype=text_dtype())
    return frame
