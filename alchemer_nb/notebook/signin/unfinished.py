"""Downloads of one session that ended on their way, for the same cell to go on with."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alchemer_nb.errors import DownloadIncomplete

    Account = tuple[str, str | None]
    Question = tuple[Account, str]

_MOST = 3  # each holds all rows that came


def question_of(account: Account, survey: Any, asked: Mapping[str, Any]) -> Question:
    """What two cells have in common that ask the same account for the same frame."""
    same = {name: value for name, value in asked.items() if name != "fresh"}
    return account, json.dumps([str(survey), same], sort_keys=True, default=str)


class Unfinished:
    """What has come of the last downloads that ended on their way; kept in memory alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: dict[Question, DownloadIncomplete] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        with self._lock:
            return not self._ended

    def keep(self, question: Question, error: DownloadIncomplete) -> None:
        """Keeps how a download ended, where it can go on from there; the oldest give way."""
        if not error.resumable:
            return
        with self._lock:
            self._ended.pop(question, None)
            self._ended[question] = error
            for oldest in list(self._ended)[:-_MOST]:
                del self._ended[oldest]

    def find(self, question: Question) -> DownloadIncomplete | None:
        """How the last download for a question ended, where it is not done since."""
        with self._lock:
            return self._ended.get(question)

    def drop(self, question: Question) -> None:
        """Forgets a question that was answered."""
        with self._lock:
            self._ended.pop(question, None)

    def drop_others(self, accounts: Collection[Account]) -> None:
        """Forgets all that is of other accounts than these."""
        with self._lock:
            for question in [each for each in self._ended if each[0] not in accounts]:
                del self._ended[question]
