"""What the responses say, read from the JSON over HTTP without the package, and counted by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import requests

from tests.fidelity.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.sandbox import Sandbox

NOT_APPLICABLE = {"Not applicable", "Don't know", "Don't know yet"}  # of the sandbox's surveys


def read_list(box: Sandbox, path: str) -> list[dict[str, Any]]:
    """Return all items of a list, page by page."""
    found: list[dict[str, Any]] = []
    keys = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
    for page in range(1, 1000):
        asked = {**keys, "resultsperpage": "500", "page": str(page)}
        reply = requests.get(f"{box.url}/v5/{path}", asked, timeout=60).json()
        found += reply["data"]
        if page >= int(reply["total_pages"]):
            break
    return found


class Raw:
    """The raw responses of a survey, and what a second reader makes of their answers.

    Args:
        box: The sandbox.
        survey: Id of the survey.
    """

    def __init__(self, box: Sandbox, survey: int) -> None:
        self.questions = read_list(box, f"survey/{survey}/surveyquestion")
        self.responses = read_list(box, f"survey/{survey}/surveyresponse")
        self._answers: dict[str, dict[str, dict[int, Any]]] = {}

    def answers(self, language: str = "English") -> dict[str, dict[int, Any]]:
        """Return the answers by column (``names="id"``), then by response; None for none."""
        if language in self._answers:
            return self._answers[language]
        found = self._answers[language] = {}
        for fact in Reader(self.questions, self.responses, language).facts():
            found.setdefault(fact.column, {})[fact.response] = fact.label
        return found

    def asked(self, question: int, ids: Iterable[int]) -> int:
        """Return how many responses say that a question was shown, or have an answer to it."""
        data = [response["survey_data"] or {} for response in self._of(ids)]  # [] is an empty one
        entries = [each.get(str(question)) for each in data]
        return sum(bool(e) and (e.get("shown") is True or bool(e.get("answer"))) for e in entries)

    def statuses(self, ids: Iterable[int]) -> Counter[str]:
        return Counter(response["status"] for response in self._of(ids))

    def _of(self, ids: Iterable[int]) -> list[dict[str, Any]]:
        wanted = {*ids}
        return [each for each in self.responses if int(each["id"]) in wanted]


def cells(answers: dict[str, dict[int, Any]], column: str, ids: Iterable[int]) -> pd.Series:
    """Return the answers of a column, by response, those of the responses that are asked for."""
    held = answers[column]
    return pd.Series([held.get(own) for own in ids], list(ids), dtype=object)


def counts_of(table: Any, block: int = 0) -> dict[str, int]:
    """Return label -> count of the total, of choices and of what is not applicable."""
    rows = table.blocks[block].rows
    return {r.label: int(r.counts[0]) for r in rows if r.kind in ("choice", "not applicable")}
