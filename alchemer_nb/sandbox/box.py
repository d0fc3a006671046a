"""``Sandbox``: a local server that behaves as Alchemer does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from alchemer_nb.sandbox.api import changes
from alchemer_nb.sandbox.data.first_people import PEOPLE, Person, fill_account
from alchemer_nb.sandbox.server import HOST, Server
from alchemer_nb.sandbox.settings import Settings
from alchemer_nb.sandbox.traffic.call_log import CallRecord, identical_pairs, max_calls_within
from alchemer_nb.sandbox.traffic.faults import Fault, FaultSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from alchemer_nb.http.regions import Region
    from alchemer_nb.sandbox.data.accounts import Key
    from alchemer_nb.sandbox.data.grants import Application
    from alchemer_nb.sandbox.data.library import SurveyRecord
    from alchemer_nb.sandbox.data.state import State
    from alchemer_nb.sandbox.services import SeenCall, Services


class Sandbox:
    """A local server that behaves as Alchemer does.

    Args:
        seed: Seed of the demo data: same seed, same answers.
        responses: Responses of the largest demo survey.
        latency: Seconds that every call of the API takes longer, but for those over a limit.
        port: Port on 127.0.0.1; 0 takes any that is free.
        region: ``"us"``, ``"eu"``, ``"ca"`` or ``"au"``: zone of dates. A key of one sandbox is
            unknown in every other.
        db: File with users, keys, applications, tokens, surveys and responses across
            restarts; in memory when left out.
        form: ``"2017"`` or ``"current"``, the looks of payloads (see ``wire``).
        flat_single: Single objects with their fields next to ``result_ok`` instead of in ``data``.
        faults: Faults for the next calls (see ``traffic/faults.py``).
        oob: Whether the callback ``oob`` is accepted.
        glue_json: Whether JSON is glued to the end of token answers, as seen in the wild.
        surveys: Surveys in neutral form instead of the demo's.
        request_token_ttl: Seconds in which a sign-in must be finished.
        status_200_errors: Whether errors come with HTTP status 200, as seen in the wild.
        types: Whether "Every question type" and "Brand tracker" are among the surveys, which are
            for tests: see ``demo.every_type`` and ``demo.piped``.
        calls_per_minute: Calls of the account within any minute, None for no limit.
        minute: Seconds of that minute, for tests that have less time.
        penalty: Seconds in which every call is refused after one too many.
        cache_seconds: How long the same GET gets the same answer; 0 for no cache.
        refuse_identical: Whether a GET is refused while an identical one runs.
        slowest: Seconds after which a call ends in HTTP 500.
        seconds_per_row: Seconds that every response on a page costs.
        recovery: Seconds in which calls get HTTP 400 after such a slow one.
        visible_after: Seconds after which the API shows what ``add_responses``, ``touch`` and
            ``delete_responses`` did.
        hosts: Names, such as ``("server.example",)``, under which its pages are opened, besides
            those of this machine: where Jupyter runs on another computer, without a hub, and
            jupyter-server-proxy hands on the name in the browser's address bar. Names can be added
            at any time in the environment, as ``ALCHEMER_SANDBOX_HOSTS=server.example``.

    Example:
        >>> from alchemer_nb.sandbox import Sandbox
        >>> with Sandbox(responses=10) as box:
        ...     box.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        seed: int = 1,
        responses: int = 500,
        latency: float = 0.0,
        port: int = 0,
        region: str = "us",
        db: str | Path | None = None,
        form: str = "2017",
        flat_single: bool = False,
        faults: Iterable[Fault | Mapping[str, Any] | None] = (),
        oob: bool = True,
        glue_json: bool = False,
        surveys: Iterable[SurveyRecord] | None = None,
        request_token_ttl: float = 3600,
        status_200_errors: bool = False,
        types: bool = False,
        calls_per_minute: int | None = 240,
        minute: float = 60.0,
        penalty: float = 0.0,
        cache_seconds: float = 60.0,
        refuse_identical: bool = True,
        slowest: float = 30.0,
        seconds_per_row: float = 0.0,
        recovery: float = 60.0,
        visible_after: float = 0.0,
        hosts: Iterable[str] = (),
    ) -> None:
        self.settings = Settings(
            seed=seed,
            responses=responses,
            latency=latency,
            port=port,
            region=region,
            db=None if db is None else str(db),
            form=form,
            flat_single=flat_single,
            oob=oob,
            glue_json=glue_json,
            status_200_errors=status_200_errors,
            request_token_ttl=request_token_ttl,
            calls_per_minute=calls_per_minute,
            minute=minute,
            penalty=penalty,
            cache_seconds=cache_seconds,
            refuse_identical=refuse_identical,
            slowest=slowest,
            seconds_per_row=seconds_per_row,
            recovery=recovery,
            visible_after=visible_after,
            hosts=(hosts,) if isinstance(hosts, str) else tuple(hosts),
        )
        self._faults = FaultSchedule(faults)
        self._surveys = None if surveys is None else list(surveys)
        self._types = types
        self._pending_changes: list[Callable[[], None]] = []  # each makes a hidden change visible
        self._server: Server | None = None
        self._port: int | None = None

    def start(self) -> Self:
        """Start serving, and return when the server answers.

        Raises:
            PortInUse: The port is taken (an ``OSError``).
            ValueError: The file of ``db`` belongs to another region.
            RuntimeError: It runs already.
        """
        if self._server is not None:
            raise RuntimeError(f"this sandbox runs already at {self.url}")
        server = Server(self.settings, self._faults, self._fill)
        self._port = server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stop serving and close everything; do nothing if the sandbox does not run."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f"at {self.url}" if self.running else "not running"
        return f"Sandbox(region={self.region_name!r}, {where})"

    @property
    def running(self) -> bool:
        """Whether it serves now."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port that it listens at."""
        if self._port is None:
            raise RuntimeError("the sandbox has not been started")
        return self._port

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def region_name(self) -> str:
        """Name of the region that it simulates."""
        return self.settings.region

    @property
    def region(self) -> Region:
        """A ``Region`` for ``Client``, with this sandbox's addresses and time zone.

        Only here does the sandbox import a module of the client: ``regions`` holds addresses alone.
        """
        from alchemer_nb.http.regions import Region

        return Region.custom(
            self.url, timezone=self.settings.zone_name, name="sandbox", label="Sandbox"
        )

    @property
    def users(self) -> tuple[Person, ...]:
        """The users: ada is administrator, ben has a key, cleo has none, dora is disabled."""
        return PEOPLE

    @property
    def username(self) -> str:
        """Log-in name of the demo administrator."""
        return PEOPLE[0].username

    @property
    def password(self) -> str:
        """Password of the demo administrator."""
        return PEOPLE[0].password

    @property
    def api_token(self) -> str:
        """The demo administrator's API key, as it is now."""
        return self.key().token

    @property
    def api_token_secret(self) -> str:
        """The secret that belongs to it."""
        return self.key().secret

    @property
    def consumer_key(self) -> str:
        """Consumer key of the application that the demo administrator registered."""
        return self._application().consumer_key

    @property
    def consumer_secret(self) -> str:
        """The secret that belongs to it."""
        return self._application().consumer_secret

    @property
    def seen(self) -> list[SeenCall]:
        """The last calls of the API, without credentials."""
        return self._require_server().call(lambda services: list(services.seen))

    @property
    def in_flight(self) -> int:
        """Number of calls of the API that are being answered now."""
        return self._require_server().call(lambda services: services.traffic.now)

    @property
    def most_in_flight(self) -> int:
        """Highest number of calls of the API that were being answered at once."""
        return self._require_server().call(lambda services: services.traffic.most)

    @property
    def calls(self) -> list[CallRecord]:
        """The last calls of the API with their times, without credentials."""
        return self._require_server().call(lambda services: services.calls.list())

    def busiest_minute(self, seconds: float | None = None) -> int:
        """Return the highest number of the account's calls within 60 seconds (or ``seconds``)."""
        return max_calls_within(self.calls, self.settings.minute if seconds is None else seconds)

    def identical_in_flight(self) -> list[tuple[CallRecord, CallRecord]]:
        """Return the pairs of identical GETs of one user that ran at the same time."""
        return identical_pairs(self.calls)

    def key(self, username: str | None = None) -> Key:
        """Return the current API key of a user.

        Raises:
            LookupError: Nobody made one for this user, or there is no such user.
        """
        name = username or self.username

        def find(state: State) -> Key | None:
            found = [one for one in state.accounts.users() if one.name == name]
            return state.accounts.key(found[0].id) if found else None

        key = self._require_server().call(lambda services: find(services.state))
        if key is None:
            raise LookupError(f"{name} has no API key")
        return key

    def fail_next(self, *faults: Fault | Mapping[str, Any] | None) -> None:
        """Add faults for the next calls of the API."""
        self._schedule().add(faults)

    def calm(self) -> None:
        """Remove all faults that have not occurred yet."""
        self._schedule().clear()

    def add_responses(
        self, survey: int | str, count: int, *, visible_after: float | None = None
    ) -> list[int]:
        """Add responses now, as if people answered, and return their ids.

        Args:
            survey: Id or title.
            count: How many.
            visible_after: Seconds until the API shows them, instead of the sandbox's own.

        Raises:
            LookupError: No such survey.
        """

        def run(services: Services) -> list[int]:
            library = services.state.library
            ids, change = changes.prepare_additions(
                library, changes.find_survey(library, survey), count
            )
            self._apply(change, visible_after)
            return ids

        return self._require_server().call(run)

    def touch(
        self,
        survey: int | str,
        ids: Iterable[int],
        *,
        data: Mapping[str, Any] | None = None,
        visible_after: float | None = None,
    ) -> None:
        """Edit responses now: their ``date_updated`` changes.

        Args:
            survey: Id or title.
            ids: The responses.
            data: New answers, as an update of the API takes them: ``{"3": {"value": "77"}}``.
            visible_after: Seconds until the API shows it, instead of the sandbox's own.

        Raises:
            LookupError: No such survey or response.
        """

        def run(services: Services) -> None:
            library = services.state.library
            one = changes.find_survey(library, survey)
            self._apply(changes.prepare_edits(library, one, ids, data), visible_after)

        self._require_server().call(run)

    def delete_responses(
        self, survey: int | str, ids: Iterable[int], *, visible_after: float | None = None
    ) -> None:
        """Delete responses now.

        Raises:
            LookupError: No such survey or response.
        """

        def run(services: Services) -> None:
            library = services.state.library
            one = changes.find_survey(library, survey)
            self._apply(changes.prepare_deletions(library, one, ids), visible_after)

        self._require_server().call(run)

    def _apply(self, change: Callable[[], None], after: float | None) -> None:
        """Make a change now or later, in the server's thread."""
        seconds = self.settings.visible_after if after is None else after
        if seconds <= 0:
            change()
            return

        def show() -> None:
            if show in self._pending_changes:
                self._pending_changes.remove(show)
                change()

        self._pending_changes.append(show)
        asyncio.get_running_loop().call_later(seconds, show)

    def show_changes(self) -> None:
        """Show at once all changes that ``visible_after`` still hides."""

        def run(_: Services) -> None:
            for show in list(self._pending_changes):
                show()

        self._require_server().call(run)

    def add_survey(self, one: SurveyRecord) -> None:
        """Add a survey with its responses, or replace the one of the same id."""
        self._require_server().call(
            lambda services: services.state.library.add(one.survey, one.responses)
        )

    def _application(self) -> Application:
        def find(state: State) -> Application:
            first = state.accounts.users()[0]
            return state.grants.applications(first.id)[0]

        return self._require_server().call(lambda services: find(services.state))

    def _schedule(self) -> FaultSchedule:
        if self._server is not None:
            self._server.check_process()
        return self._faults

    def _require_server(self) -> Server:
        if self._server is None:
            raise RuntimeError("the sandbox is not running; start it with start() or `with`")
        return self._server

    def _fill(self, state: State) -> None:
        from alchemer_nb.sandbox import demo
        from alchemer_nb.sandbox.demo import every_type, piped

        seed, responses = self.settings.seed, self.settings.responses
        surveys: list[SurveyRecord] = (
            [*demo.build(seed, responses)] if self._surveys is None else [*self._surveys]
        )
        if self._types:
            surveys += [each.build(seed, responses) for each in (every_type, piped)]
        fill_account(state, demo.ORGANISATION, demo.TEAMS, surveys)
