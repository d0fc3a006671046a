"""Fetches in the background what Tab offers: surveys, the words of one survey, profiles.

A press of Tab never waits for the network: it starts the fetch, and a later press has the result.
A fetch that fails is silent, as nobody asked for it; the next press tries again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb.auth import profiles
from alchemer_nb.forks import renew_after_fork
from alchemer_nb.visible import is_visible
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.paging import reply_rows
from alchemer_nb.wire.text import alias_to_name, strip_html

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.client.survey import Survey
    from alchemer_nb.notebook.signin.session import Session

_FRESH_SECONDS = 600.0  # after which a press fetches again; until that is here it offers the old
_LOCAL_SECONDS = 0.2  # that a press waits for this computer
_RESPONSES_READ = 100  # for the names of url variables, which no definition has


@dataclass(frozen=True, slots=True)
class SurveyWords:
    """What can be named of one survey.

    Attributes:
        survey: Its definition.
        urls: The url variables of its newest responses.
    """

    survey: Survey
    urls: tuple[str, ...]

    def columns(self) -> list[str]:
        """Return what ``columns`` can name: columns of a frame, and aliases of questions."""
        from alchemer_nb.survey.columns import STANDARD_FIELDS, URL, name_columns, plan_columns

        columns = plan_columns(self.survey)
        names = name_columns(columns, self.survey, "alias", STANDARD_FIELDS)
        aliases = (alias_to_name(question.alias) for question in self.survey.walk())
        urls = (f"{URL}{name}" for name in self.urls)
        every = dict.fromkeys([*names, *filter(None, aliases), *urls, *STANDARD_FIELDS])
        return [*every]


def frame_words(frame: pd.DataFrame) -> list[str]:
    """Return what can be named of a frame: its questions, and its columns."""
    from alchemer_nb.errors import AlchemerError
    from alchemer_nb.frame.description import describe

    columns = [str(name) for name in frame.columns]
    try:
        records = describe(frame).records
    except AlchemerError:
        return columns
    names = dict.fromkeys(name for name in columns if name in records)
    for name in [*names]:  # a whole grid, or all options of a question
        row = records[name]
        if parent := row.get("parent_id"):
            names.setdefault(alias_to_name(row.get("parent_alias") or "") or f"q{parent}")
        elif alias := alias_to_name(row.get("alias") or ""):
            names.setdefault(alias)
    return [*dict.fromkeys([*names, *columns])]


class KnownSurveys:
    """Ids and titles of surveys, the latest seen last.

    Example:
        >>> from alchemer_nb.notebook.magic.lookahead import KnownSurveys
        >>> known = KnownSurveys()
        >>> known.add("9000001", "Customer satisfaction")
        >>> list(known)
        [('9000001', 'Customer satisfaction')]
    """

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._titles.items()))

    def add(self, survey_id: object, title: str) -> None:
        """Add one survey, unless its id is not valid: a command could not ask for it."""
        number = id_number(survey_id)
        if number is not None:
            self._titles[str(number)] = " ".join(title.split())

    def add_frame(self, surveys: pd.DataFrame) -> None:
        """Add the surveys in a result of ``Client.surveys``."""
        if {"id", "title"} <= set(surveys.columns):
            for survey_id, title in zip(surveys["id"], surveys["title"], strict=True):
                if isinstance(title, str):
                    self.add(survey_id, title)

    def clear(self) -> None:
        """Remove all surveys, as another account has others."""
        self._titles.clear()


class Lookahead:
    """The results of fetches in the background, for one shell.

    Args:
        session: Has the client.
        known: The surveys seen in cells; the list of all surveys is added to them.
    """

    def __init__(self, session: Session, known: KnownSurveys) -> None:
        self._session = session
        self._known = known
        self.clear()
        renew_after_fork(self.clear)

    def clear(self) -> None:
        """Forget all results; those of fetches that run are not taken any more."""
        self._lock = threading.Lock()
        self._results: dict[Hashable, tuple[float, Any]] = {}
        self._running: dict[Hashable, threading.Thread] = {}

    def wait(self, timeout: float) -> None:
        """Wait until the fetches that run have ended."""
        for thread in list(self._running.values()):
            thread.join(timeout)

    def surveys(self) -> list[tuple[str, str]]:
        """Return the ids and titles that are known; fetch the list of all."""
        listed = self._with_client("surveys", _fetch_titles) or ()
        known = dict(self._known)
        return [*{**dict(listed), **known}.items()]

    def survey_words(self, survey: str) -> SurveyWords | None:
        """Return what can be named of a survey; None until it was fetched."""
        found: SurveyWords | None = self._with_client(
            ("survey", survey), lambda client: _fetch_words(client, survey)
        )
        return found

    def profiles(self) -> tuple[str, ...]:
        """Return the names of the profiles; a keychain may take longer than a press waits."""
        self._find("profiles", profiles.names, max_age=0.0)
        self.wait(_LOCAL_SECONDS)
        found: tuple[str, ...] = self._results.get("profiles", (0.0, ()))[1]
        return found

    def _with_client(self, key: Hashable, fetch: Callable[[Client], Any]) -> Any:
        client = self._session.client
        if client is None or client.refused:  # each press would send a refused key again
            return None
        return self._find(key, lambda: fetch(client))

    def _find(
        self, key: Hashable, fetch: Callable[[], Any], max_age: float = _FRESH_SECONDS
    ) -> Any:
        """Return the last result, or None; fetch it in the background if it is missing or old."""
        lock, results, running = self._lock, self._results, self._running

        def run() -> None:
            # Whatever fails, nobody has asked for this fetch.
            with suppress(Exception):
                results[key] = (time.monotonic(), fetch())
            running.pop(key, None)

        with lock:
            fetched, value = results.get(key, (None, None))
            is_old = fetched is None or time.monotonic() - fetched >= max_age
            if is_old and key not in running:
                running[key] = threading.Thread(target=run, name="alchemer-tab", daemon=True)
                running[key].start()
        return value


def _fetch_titles(client: Client) -> list[tuple[str, str]]:
    rows = (row for page in client.pages("survey") for row in reply_rows(page))
    known = KnownSurveys()
    for row in rows:
        if isinstance(row, Mapping):
            known.add(row.get("id"), strip_html(row.get("title")))
    return list(known)


def _fetch_words(client: Client, survey: str) -> SurveyWords:
    definition = client.survey(survey)
    newest = {"resultsperpage": _RESPONSES_READ, "page": 1, "order_by": "-date_submitted"}
    path = f"survey/{definition.id}/surveyresponse"
    rows = reply_rows(client.request("GET", path, newest))
    names = (name for row in rows if isinstance(row, Mapping) for name in _url_names(row))
    return SurveyWords(definition, tuple(sorted(set(filter(is_visible, names)))))


def _url_names(response: Mapping[str, Any]) -> list[str]:
    found = response.get("url_variables")
    if isinstance(found, list):  # of objects, in some accounts
        return [str(each["key"]) for each in found if isinstance(each, Mapping) and each.get("key")]
    return [*map(str, found)] if isinstance(found, Mapping) else []
