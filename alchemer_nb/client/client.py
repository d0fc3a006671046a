"""The client: named calls that return DataFrames, and generic calls for the rest of the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from alchemer_nb.client.titles import filter_surveys, find_survey_id
from alchemer_nb.errors import ConfigurationError
from alchemer_nb.fetch.lists import fetch_definition, fetch_envelopes
from alchemer_nb.fetch.progress import note_printer
from alchemer_nb.http.regions import Region
from alchemer_nb.http.transport import Timeout, Transport
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.store.account_store import Stores
from alchemer_nb.wire.paging import reply_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.client.estimate import Estimate
    from alchemer_nb.client.retrieval import Retrieval
    from alchemer_nb.client.survey import Survey
    from alchemer_nb.doctor.report import Diagnosis
    from alchemer_nb.fetch.progress import NoteMode, ProgressMode
    from alchemer_nb.http.credentials import Credentials
    from alchemer_nb.store.sync_result import SyncResult, VerifyResult


class Client:
    """A client of one account; its constructor makes no call.

    Args:
        credentials: ``ApiKey`` or ``OAuth1``.
        region: ``"us"``, ``"eu"``, ``"ca"``, ``"au"`` or a ``Region``.
        timeout: Seconds to wait for a connection, and for the next bytes of a reply; one that comes
            with less than 1,000 bytes a second has ten times as long in all.
        max_in_flight: Calls at once, at most 8.
        requests_per_minute: Ceiling for calls; Alchemer allows an account 240.
        retries: Policy for transient failures: a ``Retries``, or the number of attempts.
        store: Folder of local stores; left out, ``ALCHEMER_STORE`` or this user's data folder.

    Raises:
        ConfigurationError: A region or another argument is not valid.

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
        if not hasattr(self, "region"):  # a traceback may show an unfinished one
            return "Client(not ready)"
        return f"Client({self.credentials!r}, {self.region.name}, {self.region.host})"

    # -- generic calls ------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
    ) -> dict[str, Any]:
        """Make one call and return the whole envelope, checked.

        A GET of the last minute is answered from memory, as Alchemer does; writing empties it.

        Args:
            method: GET, PUT (creates), POST (updates) or DELETE.
            path: Path after the version, such as ``"survey/123"``.
            params: Query parameters; nested values become ``name[key]=…``.
            data: Form fields, written in the same way.
            options: How to stop it, and what to call during waits.

        Raises:
            ApiError: Alchemer answered with an error.
            TransportError: No reply, or a reply that is not Alchemer's.

        Example:
            >>> client.request("GET", "survey", {"resultsperpage": 1})["result_ok"]
            True
        """
        return self._transport.send(method, path, params, data, options).envelope()

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the envelopes of all pages of a list, from the first to the last."""
        yield from fetch_envelopes(self._transport, path, params)

    def table(self, path: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return any list as a DataFrame: all its pages, one row an object, its dates in UTC.

        Example:
            >>> client.table("accountuser", {"status": "Active"}).columns[:3].tolist()
            ['id', 'username', 'email']
        """
        from alchemer_nb.frame import api_tables

        rows = (row for page in self.pages(path, params) for row in reply_rows(page))
        return api_tables.build_table(rows, self.region.zone)

    # -- named calls ------------------------------------------------------------------------

    def account(self) -> pd.DataFrame:
        """Return the account as one row; this checks that the credentials work.

        From then on all credentials of the account on this machine share its rate limit.

        Raises:
            AuthenticationError: They do not work; the message names region and host.
        """
        from alchemer_nb.frame import api_tables

        rows = reply_rows(self.request("GET", "account"))[:1]
        return api_tables.build_table(rows, self.region.zone)

    def read_account(self, *, retries: int | None = None) -> dict[str, Any]:
        """Return the account's fields as ``account`` does, without pandas.

        Args:
            retries: Attempts at most; None for this client's policy.
        """
        return self._transport.read_account(retries=retries)

    @property
    def refused(self) -> bool:
        """Whether Alchemer refused the credentials the last time they were used."""
        return self._transport.refused

    def surveys(self, text: str | None = None, status: str | None = None) -> pd.DataFrame:
        """Return the surveys of the account, one row each.

        Args:
            text: Part of the title, in any case, with quotes and dashes of any kind.
            status: Such as ``"Launched"`` or ``"Closed"``, in any case.

        Example:
            >>> client.surveys("pulse")["title"].tolist()
            ['Employee pulse 2026']
        """
        from alchemer_nb.frame import api_tables

        rows = filter_surveys(self._survey_rows(), text, status)
        return api_tables.build_survey_table(rows, self.region.zone)

    def survey(self, id_or_title: int | str) -> Survey:
        """Return a survey's definition: pages, questions, options, languages.

        Args:
            id_or_title: The id; or the title, or a part of it that fits one survey only.

        Raises:
            SurveyNotFound: No survey or several fit the title; those are listed.
            NotFound: There is no such id.
        """
        from alchemer_nb.client.survey import Survey

        survey, _ = fetch_definition(self._transport, self.survey_id(id_or_title))
        return Survey.of(survey)

    def codebook(self, id_or_title: int | str, language: str | None = None) -> pd.DataFrame:
        """Return one row for each column that ``responses`` returns for this survey.

        It shows the fields for reading and holds many more, see its ``columns``. For a frame of
        responses, ``df.alchemer.codebook`` also counts who was asked and who answered.

        Example:
            >>> book = client.codebook("Customer satisfaction")
            >>> book.set_index("column_alias").loc["channels_web", "option"]
            'Website'
        """
        from alchemer_nb.frame import codebook

        return codebook.survey_codebook(self.survey(id_or_title), language)

    def statistics(self, id_or_title: int | str, language: str | None = None) -> pd.DataFrame:
        """Return what Alchemer counts for each option of a survey, complete responses only.

        Args:
            id_or_title: As for ``survey``.
            language: Language of the words, where the survey has several.

        Returns:
            One row an option: words of question, grid row and option, ``code``, ``count``,
            ``percent`` of ``responses``, which answered. ``mean``, ``std``, ``min`` and ``max`` of
            a question's codes repeat on its rows, without "not applicable", and are missing
            for questions that are no scale.

        Example:
            >>> counts = client.statistics("Customer satisfaction")
            >>> counts.query("alias == 'satisfaction'")["option"].tolist()[:2]
            ['Very satisfied', 'Satisfied']
        """
        from alchemer_nb.frame import statistics_table

        survey = self.survey(id_or_title)
        pages = self.pages(f"survey/{survey.id}/surveystatistic")
        rows = [row for page in pages for row in reply_rows(page)]
        return statistics_table.build_statistics(rows, survey, language)

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
        day_first: bool = False,
        fresh: bool = False,
        progress: ProgressMode = "auto",
        incomplete: str = "raise",
        store: bool = False,
        max_age: object = None,
    ) -> pd.DataFrame:
        """Return the responses of a survey, all pages of them.

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
            columns: Only these columns, or questions by alias or id, whose comments come only by
                their own name. A url variable, such as ``"url_utm_source"``, is there even if no
                response has it.
            limit: The first so many responses.
            day_first: Whether ``03/04/2026`` in the answer to a date question is the 3rd of April.
                Alchemer's date questions have the month first. What cannot be read so is in
                ``…_raw``, and a note counts what the other order would read.
            fresh: Take nothing from memory. Alchemer, too, repeats its reply to the same call for
                a minute, so this may have to wait.
            progress: ``"auto"`` prints one line at the end, ``"none"`` nothing; a function is
                called with a ``Progress`` after each page and often while waiting, and can
                ``cancel()``.
            incomplete: What to do when fewer rows come than the total count: ``"raise"``, or
                ``"keep"`` to return the rows that came, with a note.
            store: Read them from the local store of the survey, however old, with a note of the
                time; a survey that is not stored yet is synced first.
            max_age: The same, but sync first if the store is older: ``"1h"``, ``"2d"``, seconds.

        Returns:
            One row a response by ascending ``response_id`` (index, int64): answers in survey
            order, url variables, metadata. ``attrs["alchemer"]`` says what its columns mean.

        Raises:
            InvalidArgument: An argument or a condition is not valid.
            DownloadIncomplete: Fewer rows came than the total count, or it was stopped or failed
                after some pages; ``.partial`` has those that came.
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
        test_rows: str = "exclude",
    ) -> Estimate:
        """Estimate what ``responses`` would take, with a few small calls.

        Args:
            id_or_title: As for ``survey``.
            where: As for ``responses``, as all that follow.
            status: Which statuses.
            since: From when on.
            until: To when.
            tz: Zone of the two.
            limit: The first so many responses.
            test_rows: As for ``responses``. Alchemer counts test data, too; a note says so.

        Returns:
            ``rows``, ``pages``, ``calls`` and ``seconds``; its text is one line.

        Example:
            >>> client.estimate("Customer satisfaction", limit=100).pages
            1
        """
        return Client._retrieval(**locals()).estimate()

    # -- the local store --------------------------------------------------------------------

    def sync(
        self, id_or_title: int | str, *, progress: ProgressMode = "none", **how: Any
    ) -> SyncResult:
        """Bring the local store of a survey up to date.

        Args:
            id_or_title: As for ``survey``.
            progress: A function that is called with a ``Progress`` after each page and often while
                waiting, and can ``cancel()``; ``"auto"`` prints the result in one line, ``"none"``
                nothing.
            **how: ``full``, ``fresh``, ``verify``, and ``stop``, an event; see ``Stores.sync``.
        """
        if callable(progress):
            how.setdefault("tell", progress)
        on_note = note_printer("none" if callable(progress) else progress)
        result = self._stores.sync(self.survey_id(id_or_title), **how)
        on_note(str(result))
        return result

    def verify(self, id_or_title: int | str, **how: Any) -> VerifyResult:
        """Compare the local store of a survey with Alchemer, response by response, and its files.

        Nothing is changed; the result says what differs, and which command mends it.

        Args:
            id_or_title: As for ``survey``.
            **how: ``tell`` and ``stop``, as for ``sync``; see ``Stores.verify``.
        """
        return self._stores.verify(self.survey_id(id_or_title), **how)

    def scan(
        self,
        id_or_title: int | str,
        engine: str = "arrow",
        columns: Iterable[str] | None = None,
        test_rows: str = "exclude",
        tz: str | None = "UTC",
        day_first: bool = False,
        progress: NoteMode = "auto",
    ) -> Any:
        """Open a stored survey with an engine, without reading it all.

        The columns are those of ``responses`` with its default options, and after them all other
        metadata; where a question has the name of one, that is called ``…_metadata``.

        Args:
            id_or_title: As for ``survey``.
            engine: ``"arrow"`` (a pyarrow Dataset), ``"pandas"``, ``"duckdb"``, ``"polars"`` or
                ``"dask"``. Categories keep their order, in an Enum of DuckDB and polars; a
                Dataset has them as text, and the columns that it needs to choose rows.
            columns: Only these columns, or questions by alias or id; a url variable
                (``"url_utm_source"``) is there even if no response has it.
            test_rows: ``"exclude"``, ``"include"`` or ``"only"``, as for ``responses``.
            tz: IANA zone of times; None for naive wall-clock time of the region.
            day_first: As for ``responses``.
            progress: ``"auto"`` prints what to know, such as the number of test rows left out;
                ``"none"`` prints nothing; a function is called with each line.

        Raises:
            InvalidArgument: An argument is not valid.
            StoreError: The survey is not stored, or its store is damaged.
        """
        from alchemer_nb.frame.options import FrameOptions
        from alchemer_nb.store import engines

        chosen: dict[str, Any] = {"test_rows": test_rows, "tz": tz, "columns": columns}
        chosen["day_first"] = day_first
        options, on_note = FrameOptions(**chosen), note_printer(progress)
        return engines.scan(self._survey_folder(id_or_title), engine, options, on_note)

    def changes(self, id_or_title: int | str) -> pd.DataFrame:
        """Return the responses that the last sync added, changed and removed, one row each."""
        from alchemer_nb.store.changes import read_changes

        return read_changes(self._survey_folder(id_or_title))

    def expunge(self, id_or_title: int | str, **who: Any) -> list[int]:
        """Remove a person's responses from the local store for good.

        Args:
            id_or_title: As for ``survey``.
            **who: ``responses`` (ids), ``contact_id`` or ``email``.

        Returns:
            The ids of the responses that were stored.
        """
        from alchemer_nb.store.expunging import expunge

        return expunge(self._stores.survey_folder(self.survey_id(id_or_title)), **who)

    def stored(self) -> pd.DataFrame:
        """Return the surveys of this account that are stored here: rows, time, folder."""
        return self._stores.list_stored()

    def sql(
        self,
        query: str,
        frames: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        test_rows: str = "exclude",
        tz: str | None = "UTC",
        files: bool = False,
        progress: NoteMode = "auto",
        day_first: bool = False,
    ) -> pd.DataFrame:
        """Run a query over stored surveys and frames.

        Args:
            query: SQL of DuckDB. A stored survey is named by its title in small letters with
                ``_`` for anything else, or ``survey_ID``. A url variable that no response has
                (``url_utm_source``) is an empty column of it.
            frames: Name -> frame; index levels are columns.
            parameters: Name -> value, for each ``$name`` of the query: a text, number, date, or
                a list of them (``region in $regions``).
            test_rows: ``"exclude"``, ``"include"`` or ``"only"``, as for ``responses``.
            tz: IANA zone of times; None for naive wall-clock time of the region.
            files: Let the query read and write any file of this computer that you can, fetch
                addresses, and load extensions. Use it for queries of your own alone.
            progress: As for ``scan``; comparisons with texts that are no category are noted, too.
            day_first: As for ``responses``.

        Returns:
            The rows of the last statement. Categories keep their order: ``ORDER BY``, ``min``,
            ``max`` and ``<`` between two columns of the same options use it, while ``<`` and ``>``
            with a text compare letters (noted). ``show tables`` lists the stored surveys.

        Raises:
            InvalidArgument: The query fails, or an argument is not valid.
            StoreError: The store of a survey is damaged.
        """
        from alchemer_nb.frame.options import FrameOptions
        from alchemer_nb.store.sql import Query, run_sql

        chosen: dict[str, Any] = {"test_rows": test_rows, "tz": tz, "day_first": day_first}
        wanted = Query(
            query,
            self._stores.list_folders(),
            frames or {},
            parameters or {},
            FrameOptions(**chosen),
            zone=tz or str(self.region.zone),
            files=files,
            on_note=note_printer(progress),
        )
        return run_sql(wanted)

    # -- helpers ------------------------------------------------------------------------------

    def _retrieval(
        self,
        id_or_title: int | str,
        progress: ProgressMode = "auto",
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
        calls = CallOptions(fresh=fresh)
        return kind(self._transport, self.region, find, options, progress, calls)

    def _survey_folder(self, id_or_title: int | str) -> Path:
        return self._stores.survey_folder(self.survey_id(id_or_title))

    def _survey_rows(self) -> list[dict[str, Any]]:
        """Return all surveys, each once: a survey may be on two pages if the list changes."""
        rows = (row for page in self.pages("survey") for row in reply_rows(page))
        unique = {str(row.get("id")): row for row in rows if isinstance(row, dict)}
        return list(unique.values())

    def doctor(
        self,
        survey: int | str | None = None,
        *,
        shapes: bool = False,
        try_regions: bool = False,
    ) -> Diagnosis:
        """Check what a download depends on: network, clock, sign-in, rights, and this computer.

        It makes some fifteen small calls, which change nothing, and raises nothing of what it
        finds. Ctrl-C ends it; what is known by then is returned.

        Args:
            survey: Id or title of the survey to look at; left out, one of the account.
            shapes: Compare the replies with what is expected: paths, JSON types and counts, no
                values.
            try_regions: If the key is not accepted, send it to the hosts of the other regions, too;
                they are printed first.

        Returns:
            A table of checks; ``.ok``, ``.frame`` and ``.shapes`` (DataFrames), and ``.text()``
            for a bug report, which has no data and no setting of yours.

        Example:
            >>> client.doctor().ok
            True
        """
        from alchemer_nb.doctor.examination import Examination, Subject

        transport = self._transport
        limits = transport.timeout, transport.limiter.limit
        subject = Subject(self.region, self.credentials, self._stores.folder, *limits)
        find = None if survey is None else partial(self.survey_id, survey)
        return Examination(subject, find, shapes, try_regions).run()

    def survey_id(self, id_or_title: int | str) -> str:
        """Find the id of a survey; only a title makes a call.

        Raises:
            InvalidArgument: It is empty, or a number that is no id.
            SurveyNotFound: No survey or several fit the title.
            TransportError: Alchemer sends no valid id for the one that fits.
        """
        return find_survey_id(id_or_title, self._survey_rows)
