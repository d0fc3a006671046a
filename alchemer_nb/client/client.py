"""The client: two doors to the API.

Named calls give DataFrames that are ready to analyse; ``request``, ``pages`` and ``table`` reach
everything else. A constructor does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.fetch.lists import fetch_definition, fetch_envelopes
from alchemer_nb.http.regions import Region
from alchemer_nb.http.transport import Timeout, Transport
from alchemer_nb.store.account_store import Stores
from alchemer_nb.survey import finding
from alchemer_nb.wire.paging import rows_of
from alchemer_nb.wire.text import plain

if TYPE_CHECKING:
    import os
    from datetime import date

    import pandas as pd

    from alchemer_nb.client.retrieval import Estimate, Retrieval
    from alchemer_nb.client.survey import Survey
    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.store.sync_result import Synced

Tell = str | bool | None | Callable[["Progress"], None]


class Client:
    """Calls to one account.

    Args:
        credentials: ``ApiKey`` or ``OAuth1``.
        region: ``"us"``, ``"eu"``, ``"ca"``, ``"au"`` or a ``Region``.
        timeout: Seconds to wait for a connection, and for the next bytes of an answer.
        max_in_flight: Calls under way at once, at most 8.
        requests_per_minute: Ceiling for calls; Alchemer allows an account 240.
        retries: Patience with calls that fail in passing: a ``Retries``, or how often to try.
        store: Where local stores lie; left out, ``ALCHEMER_STORE`` or this user's data folder.

    Raises:
        ConfigurationError: A region or a setting does not fit.

    Example:
        >>> client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        >>> df = client.responses("Customer satisfaction", limit=5, progress="none")
        >>> df.index.tolist()
        [1, 2, 3, 4, 5]
    """

    def __init__(
        self,
        credentials: Credentials,
        region: str | Region = "us",
        timeout: Timeout = (5, 60),
        max_in_flight: int = 4,
        requests_per_minute: int = 230,
        retries: Any = None,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        if not hasattr(credentials, "secrets") or not callable(credentials):
            raise ConfigurationError("credentials are an ApiKey or an OAuth1 object")
        self.credentials = credentials
        self.region = Region.get(region)
        self._transport = Transport(
            credentials,
            self.region,
            timeout=timeout,
            max_in_flight=max_in_flight,
            requests_per_minute=requests_per_minute,
            retries=retries,
        )
        self._stores = Stores(self._transport, self.region, store)

    def __repr__(self) -> str:
        region = getattr(self, "region", None)  # a traceback may show one that is half made
        if region is None:
            return "Client(not ready)"
        return f"Client({self.credentials!r}, {region.name}, {region.host})"

    # -- the door to everything -------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Makes one call and returns the whole envelope, checked.

        A GET that was answered within the last minute is answered from memory, as Alchemer does;
        a call that writes forgets what is remembered.

        Args:
            method: GET, PUT (creates), POST (updates) or DELETE.
            path: Below the version, such as ``"survey/123"``.
            params: Query parameters; nested values become ``name[key]=…``.
            data: Form fields, in the same way.

        Raises:
            ApiError: Alchemer answered with an error.
            TransportError: No answer, or none of Alchemer's.

        Example:
            >>> client.request("GET", "survey", {"resultsperpage": 1})["result_ok"]
            True
        """
        return self._transport.send(method, path, params, data).envelope()

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Yields the envelopes of all pages of a list, from the first to the last."""
        yield from fetch_envelopes(self._transport, path, params)

    def table(self, path: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Gives any list as a DataFrame: all its pages, one row an object.

        Example:
            >>> client.table("accountuser", {"status": "Active"}).columns[:3].tolist()
            ['id', 'username', 'email']
        """
        from alchemer_nb.frame import api_tables

        return api_tables.table(row for page in self.pages(path, params) for row in rows_of(page))

    # -- named calls ------------------------------------------------------------------------

    def account(self) -> pd.DataFrame:
        """Gives the account as one row: the check that the credentials work.

        From then on all sign-ins to the account that this machine knows share its limit.

        Raises:
            AuthenticationError: They do not; the message names region and host.
        """
        from alchemer_nb.frame import api_tables

        return api_tables.table(rows_of(self.request("GET", "account"))[:1])

    def know_account(self, account_id: object) -> None:
        """Notes which account it is, where another client with the same credentials has asked."""
        self._transport.know_account(account_id)

    @property
    def refused(self) -> bool:
        """Whether Alchemer refused the credentials the last time they were used."""
        return self._transport.refused

    def surveys(self, text: str | None = None, status: str | None = None) -> pd.DataFrame:
        """Gives the surveys of the account, one row each.

        Args:
            text: A piece of the title, in any case.
            status: Such as ``"Launched"`` or ``"Closed"``, in any case.

        Example:
            >>> client.surveys("pulse")["title"].tolist()
            ['Employee pulse 2026']
        """
        from alchemer_nb.frame import api_tables

        rows = self._survey_rows()
        if text:
            piece = str(text).casefold()
            rows = [row for row in rows if piece in plain(row.get("title")).casefold()]
        if status:
            wanted = str(status).casefold()
            rows = [row for row in rows if str(row.get("status")).casefold() == wanted]
        return api_tables.surveys(rows, self.region.zone)

    def survey(self, id_or_title: int | str) -> Survey:
        """Gives a survey's definition: pages, questions, options, languages.

        Args:
            id_or_title: The id; or the title, or a piece of it that fits one survey alone.

        Raises:
            SurveyNotFound: No survey or several fit the title; those are listed.
            NotFound: There is no such id.
        """
        from alchemer_nb.client.survey import Survey

        survey, _ = fetch_definition(self._transport, self.survey_id(id_or_title))
        return Survey.of(survey)

    def codebook(self, id_or_title: int | str, language: str | None = None) -> pd.DataFrame:
        """Gives one row for each column that ``responses`` gives for this survey.

        It shows the fields one reads and holds many more, see its ``columns``. With responses at
        hand, ``df.alchemer.codebook`` counts who was asked and who answered, too.

        Example:
            >>> book = client.codebook("Customer satisfaction")
            >>> book.set_index("column_alias").loc["channels_web", "option"]
            'Website'
        """
        from alchemer_nb.frame import codebook

        return codebook.of_survey(self.survey(id_or_title), language)

    def responses(
        self,
        id_or_title: int | str,
        where: str | Iterable[str] | None = None,
        status: str | Iterable[str] | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        test_rows: str = "exclude",
        names: str = "alias",
        values: str = "label",
        shape: str = "wide",
        multi: str = "columns",
        language: str | None = None,
        metadata: str = "standard",
        tz: str | None = "UTC",
        columns: Iterable[str] | None = None,
        limit: int | None = None,
        fresh: bool = False,
        progress: Tell = "auto",
        incomplete: str = "raise",
        store: bool = False,
        max_age: object = None,
    ) -> pd.DataFrame:
        """Gives the responses of a survey, all pages of them.

        Args:
            id_or_title: As for ``survey``.
            where: Condition lines, all of which must hold: ``"status = Complete"``, or
                ``'solved in "Yes, fully", No'``: between quotes of either kind a value is taken
                as it is, and the quote itself is written twice.
            status: ``"Complete"``, ``"Partial"``, ``"Disqualified"`` or a list of them.
            since: Submitted from this day or time on, in ``tz`` unless it carries a zone.
            until: Submitted up to this day (included) or time.
            test_rows: ``"exclude"``, ``"include"`` or ``"only"``.
            names: Column names by ``"alias"``, ``"id"`` or ``"text"``.
            values: ``"label"``, ``"code"`` (reporting value), ``"id"`` or ``"both"``.
            shape: ``"wide"``, one row a response, or ``"long"``, one row an answer.
            multi: Multi-selects as ``"columns"`` or as one ``"list"`` column.
            language: Whose words, where the survey has several languages.
            metadata: ``"standard"``, ``"all"`` or ``"none"``.
            tz: IANA zone of times; None for naive wall-clock time of the region.
            columns: Only these columns, or questions by alias or id.
            limit: The first so many rows.
            fresh: Takes nothing from memory. The same call is answered anew after a minute only,
                by Alchemer too, so this may wait for it.
            progress: ``"auto"`` says one line at the end, ``"none"`` nothing; a function is
                called with a ``Progress`` after each page and often while waiting, and can
                ``cancel()``.
            incomplete: What to do when fewer rows come than the server told: ``"raise"``, or
                ``"keep"`` to have the rows that came, and a note.
            store: Takes them from the local store of the survey, however old, and says from when
                they are; what is not there yet is synced first.
            max_age: The same, but syncs first what is older: ``"1h"``, ``"2d"``, seconds.

        Returns:
            One row a response by ascending ``response_id`` (index, int64): metadata, answers in
            survey order, url variables. ``attrs["alchemer"]`` tells how it came about.

        Raises:
            InvalidArgument: An argument or a condition does not fit.
            DownloadIncomplete: Fewer rows came than the server told, or it was stopped or broke
                off on the way; ``.partial`` has those that came.
            ApiError, TransportError: As for any call.
        """
        return Client._retrieval(**locals()).run()  # every keyword above, listed only there

    def estimate(
        self,
        id_or_title: int | str,
        where: str | Iterable[str] | None = None,
        status: str | Iterable[str] | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        tz: str | None = "UTC",
        limit: int | None = None,
    ) -> Estimate:
        """Tells what ``responses`` would take, before anything large is sent.

        Args:
            id_or_title: As for ``survey``.
            where: As for ``responses``, as all that follow.
            status: Which statuses.
            since: From when on.
            until: To when.
            tz: Zone of the two.
            limit: The first so many rows.

        Returns:
            ``rows``, ``pages``, ``calls`` and ``seconds``; its text is one line.

        Example:
            >>> client.estimate("Customer satisfaction", limit=100).pages
            1
        """
        return Client._retrieval(**locals()).estimate()

    # -- the local store --------------------------------------------------------------------

    def sync(self, id_or_title: int | str, **how: Any) -> Synced:
        """Brings the local store of a survey up to date; see ``Stores.sync``."""
        return self._stores.sync(self.survey_id(id_or_title), **how)

    def scan(self, id_or_title: int | str, engine: str = "arrow") -> Any:
        """Gives a stored survey to an engine, without reading it all; see ``Stores.scan``."""
        return self._stores.scan(self.survey_id(id_or_title), engine)

    def changes(self, id_or_title: int | str) -> pd.DataFrame:
        """Tells which responses came, changed and went with the last sync, one row each."""
        return self._stores.changes(self.survey_id(id_or_title))

    def expunge(self, id_or_title: int | str, **who: Any) -> list[int]:
        """Removes a person's responses from the local store for good; see ``Stores.expunge``."""
        return self._stores.expunge(self.survey_id(id_or_title), **who)

    def stored(self) -> pd.DataFrame:
        """Gives the surveys of this account that are stored here: rows, time, place."""
        return self._stores.list_stored()

    def sql(self, query: str, frames: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Asks stored surveys and frames in SQL; see ``Stores.sql``."""
        return self._stores.sql(query, frames or {})

    # -- below the doors --------------------------------------------------------------------

    def _retrieval(
        self,
        id_or_title: int | str,
        progress: Tell = "auto",
        fresh: bool = False,
        **keywords: Any,
    ) -> Retrieval:
        from alchemer_nb.client.download_options import DownloadOptions
        from alchemer_nb.client.retrieval import Retrieval
        from alchemer_nb.client.stored_retrieval import StoredRetrieval

        options = DownloadOptions.of(keywords)
        kind: Callable[..., Retrieval] = Retrieval
        if options.store or options.max_age is not None:
            kind = partial(StoredRetrieval, stores=self._stores)
        find = partial(self.survey_id, id_or_title)
        return kind(self._transport, self.region, find, options, progress=progress, fresh=fresh)

    def _survey_rows(self) -> list[dict[str, Any]]:
        """All surveys; one that is listed twice while pages shift counts once."""
        rows = (row for page in self.pages("survey") for row in rows_of(page))
        unique = {str(row.get("id")): row for row in rows if isinstance(row, dict)}
        return list(unique.values())

    def survey_id(self, id_or_title: int | str) -> str:
        """Finds the id of a survey; only a title makes a call.

        Raises:
            InvalidArgument: Nothing was given, or a number that is no id.
            SurveyNotFound: No survey or several fit the title.
            TransportError: The id of the one that fits is none.
        """
        return finding.survey_id(id_or_title, self._survey_rows)


def connect(region: str | Region | None = None, profile: str | None = None) -> Client:
    """Return a client from the environment, or from a profile kept earlier.

    Credentials go to the region that they belong to and to no other: a profile's to the one it
    was kept for, the environment's to ``ALCHEMER_REGION``.

    Args:
        region: Where the environment's credentials belong, where ``ALCHEMER_REGION`` does not
            say it (then ``"us"`` if this is left out, too). Else it has to be the region that
            the credentials belong to.
        profile: Name of a profile; left out, the environment comes first.

    Raises:
        ConfigurationError: There are no credentials; it says what was looked for. Or they belong
            to another region than the one asked for; it names both.

    Example:
        >>> connect(profile="a-name-nobody-used")
        Traceback (most recent call last):
        alchemer_nb.errors.ConfigurationError: no credentials were found: ...
    """
    from alchemer_nb.auth import lookup

    asked = None if region is None else Region.get(region)
    found = lookup.find(profile)
    if found is None:
        raise lookup.nothing_found(
            profile, "Sign in with %alchemer login, or give Client(ApiKey(…), region=…)"
        )
    found = found.at(asked)
    return Client(found.credentials, found.region)
