"""What the commands of the magic do, where that is more than one call of session or client."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError

from alchemer_nb.errors import (
    ApiError,
    ConfigurationError,
    DownloadIncomplete,
    InvalidArgument,
    SurveyNotFound,
    TransportError,
)
from alchemer_nb.frame.provenance import ZONE_NOTE
from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.notebook.kernel.outputs import print_text, show_line
from alchemer_nb.notebook.kernel.pump import is_unattended
from alchemer_nb.notebook.magic.response_options import describe_download
from alchemer_nb.notebook.magic.sql_values import bind_values
from alchemer_nb.notebook.magic.tokens import suggest
from alchemer_nb.wire.ids import check_given_id, id_number
from alchemer_nb.wire.text import counted, nearest_words

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.client.jobs import Job
    from alchemer_nb.doctor.report import Diagnosis
    from alchemer_nb.errors import AlchemerError
    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.notebook.demo import RunningSandbox
    from alchemer_nb.notebook.magic.lookahead import KnownSurveys
    from alchemer_nb.notebook.running.background import Downloads
    from alchemer_nb.notebook.signin.session import Connection, Session, Status
    from alchemer_nb.store.sync_result import SyncResult

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may use during one call of the magic.

    Attributes:
        session: The connections.
        known_surveys: Surveys that Tab offers.
        downloads: The downloads in the background.
        variables: The notebook's variables, and those of a function that calls the magic.
        region: The region that ``login`` starts with, or an empty text.
        progress: How a download shows its progress.
        echo: Whether a download prints what it was asked for.
        day_first: Whether typed dates have the day before the month.
        target: The name of the variable for the result, or None.
        shell: The IPython shell.
    """

    session: Session
    known_surveys: KnownSurveys
    downloads: Downloads
    variables: Mapping[str, Any]
    region: str
    progress: str
    echo: bool
    day_first: bool
    target: str | None
    shell: Any

    @property
    def client(self) -> Client:
        """The current client; raises ``ConfigurationError`` if nobody is signed in."""
        return self.connection.client

    @property
    def connection(self) -> Connection:
        """The current connection; signs in with the environment where nobody is signed in."""
        from alchemer_nb.notebook.signin.login import require_connection

        return require_connection(self.session, self.region)


def login(context: Context, **given: Any) -> object | None:
    """Sign in, or show the panel."""
    from alchemer_nb.notebook.signin.login import login as sign_in

    # A profile has its own region; and somebody signed in would be asked for one account more.
    has_place = given.get("profile") or given.get("env")
    if context.region and not has_place and not context.session.status().signed_in:
        given.setdefault("region", context.region)
    return sign_in(context.session, **given)


def logout(context: Context, name: str | None = None, forget: bool = False) -> None:
    """End a connection; with ``forget`` remove the profiles that hold its credentials, too."""
    from alchemer_nb.auth import profiles as stored

    if name is not None and name not in context.session.names():
        raise UsageError(
            f"no connection is called `{name}`.{suggest(name, context.session.names())}"
        )
    removed = context.session.sign_out(name)
    if removed is None:
        hint = " %alchemer profiles lists what is remembered." if forget else ""
        show_line(f"Nobody is signed in.{hint}")
        return
    show_line(f"Signed out of {removed.organisation or removed.name}.")
    client = removed.client
    try:
        same = stored.find_same(client.credentials, client.region)
    except ConfigurationError as error:
        if forget:
            raise ConfigurationError(
                f"a profile may still hold this sign-in: {error.sentence}", hint=error.hint
            ) from None
        same = ()
        show_line(f"Whether a profile still holds this sign-in is not known: {error}.")
    for profile in same:
        if forget:
            _forget(profile)
        else:
            show_line(
                f"Profile “{profile}” still holds this sign-in: %alchemer login "
                f"{f'--profile {profile} ' if profile != stored.DEFAULT else ''}uses it again, "
                f"%alchemer forget {profile} removes it."
            )
    status = context.session.status()
    if not status.signed_in:
        show_line(status.hint)


def profiles(_: Context) -> pd.DataFrame:
    """Return what is remembered, one row a profile; no secret is in it."""
    import pandas as pd

    from alchemer_nb.auth import profiles as stored
    from alchemer_nb.auth.lookup import describe_kind

    rows = []
    for entry in stored.list_profiles():
        profile = entry.profile
        about = ("", "", "", "")
        if profile is not None:
            region, credentials = profile.region, profile.credentials
            about = (region.name, describe_kind(credentials), region.host, credentials.masked)
        elif entry.problem:  # a frame shows its beginning only
            show_line(
                f"Profile “{entry.name}” cannot be used: {entry.problem}. %alchemer forget "
                f"{entry.name} removes it."
            )
        rows.append((entry.name, *about, entry.place, entry.problem))
    if not rows:
        show_line(
            "Nothing is remembered on this computer. A sign-in is remembered when you choose so in "
            "the panel or at the prompt."
        )
    columns = ["profile", "region", "sign_in", "host", "key", "kept_in", "problem"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if frame["problem"].any() else frame.drop(columns="problem")


def forget(context: Context, name: str) -> None:
    """Remove a profile."""
    from alchemer_nb.auth import profiles as stored

    names = stored.names()
    if name not in names:
        known = f" There is: {', '.join(names)}." if names else " There is none."
        raise UsageError(f"no profile is called `{name}`.{suggest(name, names) or known}")
    _forget(name)
    if context.session.status().signed_in:
        show_line("Whoever is signed in stays so until %alchemer logout.")


def _forget(name: str) -> None:
    from alchemer_nb.auth import profiles as stored

    place = stored.describe_place(name)
    stored.delete(name)
    show_line(f"Profile “{name}” was removed; it was {place}. The key itself is still valid.")


def status(context: Context) -> Status:
    """Return who is signed in, or else where credentials were looked for."""
    from alchemer_nb.auth.lookup import describe_places

    current = context.session.status()
    return current if current.signed_in else current.with_note(describe_places())


def switch(context: Context, name: Any) -> Status:
    """Make another connection the current one; adopt a client made in Python."""
    from alchemer_nb.client.client import Client

    session = context.session
    value = context.variables.get(name) if isinstance(name, str) else name
    known = {each.name: each for each in session.connections()}.get(str(name))
    if isinstance(value, Client) and not (known and known.client is value):
        if known and known.variable != name:
            raise UsageError(
                f"{name!r} is the name of a connection and of a variable with another client: "
                f"write {{{name}}} for the variable, or give it another name"
            )
        # Also where the variable was assigned again since.
        variable = name if isinstance(name, str) else ""
        source = "a client made in Python"
        session.adopt(value, variable or None, source=source, variable=variable)
    elif isinstance(name, str) and (known or name not in context.variables):
        session.switch(name)  # raises where there is none, with the names that there are
    else:
        raise UsageError("switch takes the name of a connection, or a variable with a Client")
    return session.status()


def demo(context: Context, responses: int | None = None) -> RunningSandbox:
    """Start the sandbox and sign in to it."""
    from alchemer_nb.notebook.demo import demo as start

    return start(context.session, responses=responses)


def name_variable(error: AlchemerError, survey: Any, variables: Mapping[str, Any]) -> None:
    """Say in the hint of an error about a survey that its name is that of a variable, if it is."""
    import pandas as pd

    from alchemer_nb.client.client import Client

    is_name = isinstance(survey, str)
    if is_name and not isinstance(error, SurveyNotFound):
        return  # it is about something else: a survey or a frame has that name
    value = variables.get(survey) if is_name else survey
    if isinstance(value, Client):
        what = f"`{survey}` is a variable with a Client" if is_name else "A Client was given"
        name = survey if is_name else "NAME"
        hint = f"{what}, and no survey: %alchemer switch {name} makes it the current connection"
    elif is_name and isinstance(value, pd.DataFrame):
        hint = f"`{survey}` is a DataFrame, and no survey"
    elif is_name and isinstance(value, str | int):
        hint = f"`{survey}` is a variable: write {{{survey}}} for its value"
    else:
        return
    error.hint = ". ".join(filter(None, (error.hint, hint)))


def doctor(
    context: Context,
    survey: Any = None,
    shapes: bool = False,
    try_regions: bool = False,
    text: bool = False,
    region: Any = None,
    profile: str | None = None,
) -> Diagnosis | None:
    """Examine the current connection, or what the environment or a profile would sign in with.

    Returns:
        What was found; None if it was printed as text.
    """
    connection = None if region or profile else context.session.connection
    if connection is not None:
        _refuse_variable(connection.client, survey, context.variables)
        found = connection.client.doctor(survey, shapes=shapes, try_regions=try_regions)
    else:
        from alchemer_nb.client.client import Client
        from alchemer_nb.doctor.examination import Examination, Subject

        subject, find_survey = Subject.find(profile, region, context.region), None
        if survey is not None and subject.credentials is not None:
            client = Client(subject.credentials, subject.region)
            find_survey = partial(client.survey_id, survey)
        found = Examination(subject, find_survey, shapes, try_regions).run()
    if text:
        print_text(found.text())
        return None
    return found


def _refuse_variable(client: Client, survey: Any, variables: Mapping[str, Any]) -> None:
    """Raise where a variable, and no survey, has the name that is given to the doctor."""
    if not isinstance(survey, str) or survey in variables:
        with suppress(ApiError, TransportError):  # the doctor is there to find those
            if survey is not None:
                client.survey_id(survey)


def surveys(context: Context, text: str | None = None, status: str | None = None) -> pd.DataFrame:
    """Return the surveys of the account, one row each."""
    frame = context.client.surveys(text=text, status=status)
    context.known_surveys.add_frame(frame)
    if text and frame.empty:
        everything = context.client.surveys()  # from memory
        context.known_surveys.add_frame(everything)
        near = nearest_words(text, everything["title"].dropna())
        hint = f"did you mean `{near}`?" if near else "%alchemer surveys lists all of them"
        show_line(f"No title has {text[:60]!r} in it; {hint}")
    if len(frame) and not context.client.region.zone_documented:
        show_line(ZONE_NOTE[:1].upper() + ZONE_NOTE[1:])
    return frame


def questions(context: Context, survey: Any) -> pd.DataFrame:
    """Return the questions of a survey, one row each, and the rows of grids."""
    import pandas as pd

    definition = context.client.survey(survey)
    context.known_surveys.add(definition.id, definition.title)
    language = definition.language
    rows = [
        (
            each.id,
            each.alias,
            each.type,
            each.text(language),
            ", ".join(option.label(language) for option in each.options),
            each.parent,
            page.title(language) or page.id,
        )
        for page in definition.pages
        for question in page.questions
        for each in question.walk()
    ]
    columns = ["question_id", "alias", "type", "text", "options", "row_of", "page"]
    return pd.DataFrame(rows, columns=columns)


def responses(
    context: Context,
    survey: Any,
    body: str = "",
    complete: bool = False,
    dry_run: bool = False,
    background: bool = False,
    progress: str | None = None,
    **options: Any,
) -> Any:
    """Download the responses of a survey.

    Returns:
        The frame; with ``background`` the job, or None where a variable gets the frame
        later.

    Raises:
        DownloadIncomplete: It was stopped or cut off; ``%alchemer partial`` has what came.
    """
    if complete:
        if "status" in options:
            raise UsageError("--complete and --status both choose statuses; give one of them")
        options["status"] = "Complete"
    # The lines of the cell come first, so that an error's number is that of the line in the cell.
    where = "\n".join(text for text in (body, *options.pop("where", ())) if text)
    if where.strip():
        options["where"] = where
    if dry_run:
        estimate_options = inspect.signature(context.client.estimate).parameters
        chosen = {name: value for name, value in options.items() if name in estimate_options}
        estimate = context.client.estimate(survey, **chosen)
        show_line(f"{estimate}. Nothing was downloaded (--dry-run).")
        return None
    progress = progress or context.progress
    if context.day_first:
        options.setdefault("day_first", True)

    def write_receipt(frame: pd.DataFrame) -> str:
        facts = frame.alchemer.facts
        if facts["title"]:
            context.known_surveys.add(facts["survey_id"], facts["title"])
        if progress == "none":
            return ""
        return str(describe_download(facts, options, frame.shape)) if context.echo else job.note

    with _interrupts_delayed() as delay:
        job = _start_download(context, survey, options)
        return _wait_for_job(context, job, progress, write_receipt, delay, background=background)


def _start_download(context: Context, survey: Any, options: Mapping[str, Any]) -> Job[pd.DataFrame]:
    """Begin a download; where the same one had been cut off, go on with its rows."""
    from alchemer_nb.client.jobs import Job

    connection, unfinished = context.connection, context.session.unfinished
    client, key = connection.client, connection.download_key(survey, options)
    if options.get("fresh"):
        unfinished.remove(key)
    earlier = unfinished.find(key)

    def fetch(on_progress: Callable[[Progress], None], _: threading.Event) -> pd.DataFrame:
        try:
            if earlier is not None:
                frame: pd.DataFrame = earlier.resume(client, on_progress)
            else:
                frame = client.responses(survey, progress=on_progress, **options)
        except DownloadIncomplete as error:
            unfinished.add(key, error)
            raise
        except InvalidArgument:
            unfinished.remove(key)  # the earlier rows are of no use: it says to run it again
            raise
        unfinished.remove(key)
        return frame

    return Job.of(str(survey), fetch)


def _interrupts_delayed() -> ExitStack:
    """Delay interrupts until it is closed: a job that nobody waits for would run on."""
    delay = ExitStack()
    delay.enter_context(delay_interrupts())
    return delay


def _wait_for_job(
    context: Context,
    job: Job[_Result],
    progress: str,
    write_receipt: Callable[[_Result], str],
    delay: ExitStack,
    *,
    background: bool,
) -> _Result | Job[_Result] | None:
    """Show the progress of a job until it ends, then leave the line of ``write_receipt``.

    In the background return at once: the job, or None where a variable gets the result later. In
    a run without a person the next cell starts at once, so the background waits there, too.
    """
    if background and not is_unattended(context.shell):
        context.downloads.begin(job, context.target, progress, write_receipt)
        return job if context.target is None else None
    from alchemer_nb.notebook.running.progress_views import wait_in_cell

    try:
        result = wait_in_cell(job, context.shell, progress, write_receipt, delay.close)
        return job if background and context.target is None else result
    except DownloadIncomplete as error:
        context.downloads.note_failure(job, error, context.target)
        raise


def partial_rows(context: Context, name: str | None = None) -> pd.DataFrame:
    """Return the rows so far of a download, and say how many they are."""
    frame = context.downloads.partial(name)
    if context.echo and context.progress != "none":
        facts = frame.alchemer.facts
        came = counted(facts["rows_received"], "response", of=facts["rows_told"])
        so_far = "" if facts["complete"] else f"So far {came} came. "
        show_line(f"{so_far}{describe_download(facts, {}, frame.shape)}")
    return frame


def get(context: Context, path: str, parameters: list[str], raw: bool = False) -> Any:
    """Return any list of the API as a frame, or any reply as it is."""
    params: dict[str, str] = {}
    for pair in parameters:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"a parameter is written key=value, got `{pair[:60]}`")
        if key in params:
            raise UsageError(f"the parameter `{key}` is given twice")
        params[key] = value
    if raw:
        return context.client.request("GET", path, params=params or None)
    return context.client.table(path, params=params or None)


def fetch_list(context: Context, path: str, survey: Any = None, **ids: Any) -> pd.DataFrame:
    """Return a list of the API as a frame.

    Args:
        context: The context.
        path: Its path, with the names of ids in braces.
        survey: The survey it belongs to, if any.
        **ids: The other ids in the path.
    """
    if survey is not None:
        ids["survey"] = context.client.survey_id(survey)
    checked = {name: check_given_id(value, f"a {name}") for name, value in ids.items()}
    place = path.format(**checked)
    table = context.client.table(place)
    if table.empty:
        show_line(f"Alchemer has none: the list {place} is empty.")
    return table


def sync(
    context: Context,
    survey: Any,
    full: bool = False,
    fresh: bool = False,
    background: bool = False,
    verify: bool = False,
) -> SyncResult | Job[SyncResult] | None:
    """Bring the local store of a survey up to date.

    Returns:
        The result of the sync; with ``background`` the job, or None where a variable gets
        the result later.

    Raises:
        DownloadIncomplete: It was stopped; the responses so far are in the store.
        StoreError: With ``verify``, the store differs from Alchemer after all was synced.
    """
    from alchemer_nb.client.jobs import Job

    def write_receipt(synced: SyncResult) -> str:
        context.known_surveys.add(synced.survey, synced.title)
        # In the foreground the result itself is what the cell shows.
        return str(synced) if background and context.progress != "none" else ""

    progress = context.progress
    with _interrupts_delayed() as delay:
        job = Job.sync(context.client, survey, full=full, fresh=fresh, verify=verify)
        return _wait_for_job(context, job, progress, write_receipt, delay, background=background)


def stores(context: Context) -> pd.DataFrame:
    """Return the stored surveys, one row each, and say in which folder they are."""
    frame = context.client.stored()
    if len(frame):
        show_line(f"In {Path(frame['place'].iloc[0]).parent}; rows include test data")
    return frame


_MAX_NAMED_COLUMNS = 5  # in the line about a diff


def diff(context: Context, survey: Any) -> pd.DataFrame:
    """Return what the last sync changed, one row a response."""
    frame = context.client.changes(survey)
    counts = frame["change"].value_counts()
    parts = [f"{counts[kind]:,} {kind}" for kind in ("added", "changed", "removed") if counts[kind]]
    columns = frame["columns"].explode().dropna().value_counts()
    often = ", ".join(
        f"{name} ({count:,})" for name, count in columns.head(_MAX_NAMED_COLUMNS).items()
    )
    more = f"; changed most: {often}" if often else ""
    syncs = [str(utc)[:16].replace("T", " ") for utc in frame.attrs["syncs"]]
    when = f"Between {' and '.join(syncs)}" if len(syncs) > 1 else f"The first sync, {syncs[0]}"
    show_line(f"{when} UTC: {', '.join(parts) or 'no difference'}{more}")
    return frame


def sql(context: Context, query: str | None = None, body: str = "", **options: Any) -> pd.DataFrame:
    """Run a query over stored surveys and the notebook's frames."""
    if bool(query) == bool(body.strip()):
        raise UsageError("write the query after %alchemer sql, or below %%alchemer sql")
    text, values = bind_values(query or body, context.variables)
    progress = "none" if context.progress == "none" else show_line
    options.setdefault("day_first", context.day_first)
    return context.client.sql(text, context.variables, values, progress=progress, **options)


def expunge(
    context: Context,
    survey: Any,
    responses: list[str] | None = None,
    contact: str | None = None,
    email: str | None = None,
) -> pd.DataFrame:
    """Remove a person's responses from the local store for good."""
    import pandas as pd

    ids = [id_number(each) for each in responses or []]
    if None in ids:
        raise UsageError("--responses takes response ids, with commas between them")
    who = {"responses": ids or None, "contact_id": contact, "email": email}
    if not any(who.values()):
        raise UsageError("say whose: --responses 12,15, --contact ID or --email ADDRESS")
    removed = context.client.expunge(survey, **who)
    them = "it" if len(removed) == 1 else "them"
    show_line(
        f"Removed {counted(len(removed), 'response')} from this computer for good; later syncs "
        f"skip {them}. Alchemer still has {them}."
    )
    return pd.DataFrame({"response_id": removed})
