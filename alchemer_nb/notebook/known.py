"""The surveys a session has seen, for Tab: a press of that key never makes a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


class KnownSurveys:
    """Ids and titles, the latest seen last.

    Example:
        >>> from alchemer_nb.notebook.known import KnownSurveys
        >>> known = KnownSurveys()
        >>> known.add("9000001", "Customer satisfaction")
        >>> list(known)
        [('9000001', 'Customer satisfaction')]
    """

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._titles.items()))

    def __len__(self) -> int:
        return len(self._titles)

    def add(self, survey_id: object, title: str) -> None:
        """Remembers one survey; what has no id that is one cannot be asked for."""
        own = id_number(survey_id)
        if own is not None:
            self._titles[str(own)] = " ".join(title.split())

    def add_frame(self, surveys: pd.DataFrame) -> None:
        """Remembers the surveys of a frame that ``Client.surveys`` gave."""
        if {"id", "title"} <= set(surveys.columns):
            for survey_id, title in zip(surveys["id"], surveys["title"], strict=True):
                if isinstance(title, str):
                    self.add(survey_id, title)

    def clear(self) -> None:
        """Forgets all: another account has other surveys."""
        self._titles.clear()
