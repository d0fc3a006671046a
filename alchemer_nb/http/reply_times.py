"""How long the recent replies of one client took, for estimates of what a download takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.wire.paging import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 20  # remembered, of each survey and of other calls
_LIST = "/surveyresponse"


class ReplyTimes:
    """Seconds that the latest replies took: full pages of responses by survey, and other calls.

    Attributes:
        others: Of all other calls, the latest last.
    """

    def __init__(self) -> None:
        self.others: list[float] = []
        self._pages: dict[str, list[float]] = {}

    def note(self, path: str, query: Iterable[tuple[str, str]], seconds: float) -> None:
        """Note a reply."""
        # A new list each time: other threads may be reading it.
        if not path.endswith(_LIST):
            self.others = [*self.others, seconds][-_MOST:]
        elif ("resultsperpage", str(PAGE_SIZE)) in query:
            self._pages[path] = [*self._pages.get(path, []), seconds][-_MOST:]

    def pages(self, survey_id: str) -> list[float]:
        """Return the seconds of the latest pages of a survey."""
        return self._pages.get(f"survey/{survey_id}{_LIST}", [])

    def all_pages(self) -> list[float]:
        """Return the seconds of the latest pages of all surveys."""
        return [seconds for pages in [*self._pages.values()] for seconds in pages]
