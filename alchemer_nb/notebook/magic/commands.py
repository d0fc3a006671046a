"""What each command does: thin calls of the session and of ``Client``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import DownloadIncomplete, InvalidArgument
from alchemer_nb.notebook.kernel.outputs import fold, say
from alchemer_nb.notebook.magic import echo
from alchemer_nb.notebook.magic.context import LATER, Context
from alchemer_nb.notebook.running.background import sync_broke_off
from alchemer_nb.wire.ids import given_id, id_number

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.client.jobs import Job
    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.notebook.demo import Running
    from alchemer_nb.notebook.magic.context import Context
    from alchemer_nb.notebook.signin.session import Status
    from alchemer_nb.store.sync_result import Synced


def login(context: Context, **given: Any) -> object:
    """Signs in, or shows the panel."""
    from alchemer_nb.notebook.signin.login import login as sign_in

    # A profile has its own region; and somebody signed in would be asked for one account more.
    if context.region and not given.get("profile") and not context.session.status().signed_in:
        given.setdefault("region", context.region)
    return sign_in(context.session, **given)


def logout(context: Context, name: str | None = None) -> None:
    """Forgets a connection."""
    if name is not None and name not in context.session.names():
        from alchemer_nb.notebook.magic.tokens import near

        raise UsageError(f"no connection is called `{name}`.{near(name, context.session.names())}")
    gone = context.session.sign_out(name)
    if gone is None:
        say("Nobody is signed in.")
        return
    left = context.session.status()
    hint = "" if left.signed_in else f" {left.hint}"
    say(f"Signed out of {gone.organisation or gone.name}.{hint}")


def status(context: Context) -> Status:
    """Tells who is signed in to what."""
    return context.session.status()


def switch(context: Context, name: Any) -> Status:
    """Makes another connection the current one; adopts a client made in Python."""
    session = context.session
    if isinstance(name, str) and name in session.names():
        session.switch(name)
    elif isinstance(name, str) and name not in context.variables:
        session.switch(name)  # which tells the names that there are
    else:
        from alchemer_nb.client.client import Client

        client = context.variables[name] if isinstance(name, str) else name
        if not isinstance(client, Client):
            raise UsageError("switch takes the name of a connection, or a variable with a Client")
        session.switch(client, name=name if isinstance(name, str) else None)
    return session.status()


def demo(context: Context, responses: int | None = None) -> Running:
    """Starts the sandbox and signs in to it."""
    from alchemer_nb.notebook.demo import demo as start

    return start(context.session, responses=responses)


def client(context: Context) -> Client:
    """The client of the current connection, for Python."""
    return context.client


def account(context: Context) -> pd.DataFrame:
    """The account, as one row."""
    return context.client.account()


def surveys(context: Context, text: str | None = None, status: str | None = None) -> pd.DataFrame:
    """The surveys, as a frame."""
    frame = context.client.surveys(text=text, status=status)
    context.known.add_frame(frame)
    return frame


def questions(context: Context, survey: Any) -> pd.DataFrame:
    """The questions of a survey, rows of grids too, as a frame."""
    import pandas as pd

    definition = context.client.survey(survey)
    context.known.add(definition.id, definition.title)
    language = definition.language
    rows = [
        {
            "question_id": each.id,
            "alias": each.alias,
            "type": each.type,
            "text": each.words(language),
            "options": ", ".join(option.label(language) for option in each.options),
            "row_of": each.parent,
            "page": page.title(language) or page.id,
        }
        for page in definition.pages
        for question in page.questions
        for each in question.walk()
    ]
    return pd.DataFrame(
        rows, columns=["question_id", "alias", "type", "text", "options", "row_of", "page"]
    )


def codebook(context: Context, survey: Any) -> pd.DataFrame:
    """The columns of a survey's responses, as a frame."""
    return context.client.codebook(survey)


def responses(
    context: Context,
    survey: Any,
    body: str = "",
    complete: bool = False,
    dry_run: bool = False,
    background: bool = False,
    **given: Any,
) -> Any:
    """The responses of a survey, as a frame; with ``background`` a job that gets them."""
    if complete:
        if "status" in given:
            raise UsageError("--complete and --status both choose statuses; give one of them")
        given["status"] = "Complete"
    # Below the lines of the cell, so that an error's number is that of the line in the cell.
    where = "\n".join([*([body] if body else []), *given.pop("where", [])])
    asked = {**given, **({"where": where} if where.strip() else {})}
    progress = asked.pop("progress", context.progress)
    if dry_run:
        return estimate(context, survey, asked)
    if background:
        return beside(context, survey, asked, progress)
    return here(context, survey, asked, progress)


def partial(context: Context, name: str | None = None) -> pd.DataFrame:
    """The rows so far of a download."""
    return context.downloads.partial(name)


def get(context: Context, path: str, parameters: list[str], raw: bool = False) -> Any:
    """Any list of the API as a frame, or any answer as it is."""
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


def listing(context: Context, path: str, survey: Any = None, **ids: Any) -> pd.DataFrame:
    """A list of the API as a frame.

    Args:
        context: The context.
        path: Its path, with places for ids.
        survey: The survey it belongs to, where there is one.
        **ids: The other ids in the path.
    """
    if survey is not None:
        ids["survey"] = context.client.survey_id(survey)
    checked = {name: given_id(own, f"a {name}") for name, own in ids.items()}
    return context.client.table(path.format(**checked))


_SAID = 5  # changed columns that a line names


def sync(
    context: Context,
    survey: Any,
    full: bool = False,
    fresh: bool = False,
    background: bool = False,
) -> Synced | Job[Synced] | object:
    """Brings the store of a survey up to date; with ``background`` beside the cells.

    Raises:
        DownloadIncomplete: It was stopped; what came is kept.
    """
    from alchemer_nb.client import jobs
    from alchemer_nb.notebook.running.follow import follow

    job = jobs.Job.sync(context.client, survey, full=full, fresh=fresh)
    if background:
        context.downloads.begin(
            job, context.target, functools.partial(_sync_receipt, context), context.progress
        )
        return job if context.target is None else LATER
    try:
        synced, shown = follow(job, context.shell, context.progress)
    except DownloadIncomplete as error:
        sync_broke_off(error)
        raise
    shown.end("")
    context.known.add(synced.survey, synced.title)
    return synced


def _sync_receipt(context: Context, _: Job[Synced], synced: Synced) -> str:
    """What is said of a sync that ended beside the cells."""
    context.known.add(synced.survey, synced.title)
    return "" if context.progress == "none" else str(synced)


def diff(context: Context, survey: Any) -> pd.DataFrame:
    """What the last sync brought, row by row."""
    frame = context.client.changes(survey)
    counts = frame["change"].value_counts()
    parts = [f"{counts[kind]:,} {kind}" for kind in ("added", "changed", "removed") if counts[kind]]
    columns = frame["columns"].explode().dropna().value_counts()
    often = ", ".join(f"{name} ({count:,})" for name, count in columns.head(_SAID).items())
    more = f"; changed most: {often}" if often else ""
    when = " and ".join(str(utc)[:16].replace("T", " ") for utc in frame.attrs["syncs"])
    say(fold(f"Between {when} UTC: {', '.join(parts) or 'no difference'}{more}"))
    return frame


def sql(context: Context, query: str | None = None, body: str = "") -> pd.DataFrame:
    """A query over stored surveys and the notebook's frames."""
    if bool(query) == bool(body.strip()):
        raise UsageError("write the query below %%alchemer sql, or behind %alchemer sql in quotes")
    return context.client.sql(query or body, context.variables)


def stores(context: Context) -> pd.DataFrame:
    """What is stored on this computer, and where."""
    return context.client.stored()


def expunge(
    context: Context,
    survey: Any,
    responses: list[str] | None = None,
    contact: str | None = None,
    email: str | None = None,
) -> pd.DataFrame:
    """Removes a person's responses from the store for good."""
    import pandas as pd

    ids = [id_number(each) for each in responses or []]
    if None in ids:
        raise UsageError("--responses takes response ids, with commas between them")
    who = {"responses": ids or None, "contact_id": contact, "email": email}
    if not any(who.values()):
        raise UsageError("say whose: --responses 12,15, --contact ID or --email ADDRESS")
    gone = context.client.expunge(survey, **who)
    count = f"{len(gone):,} response{'s' * (len(gone) != 1)}"
    say(
        f"Removed {count} from this computer for good; later syncs skip them. Alchemer still has "
        "them."
    )
    return pd.DataFrame({"response_id": gone})


_ESTIMATED = ("where", "status", "since", "until", "tz", "limit")


def estimate(context: Context, survey: Any, asked: Mapping[str, Any]) -> object:
    """Says what a download would take, and leaves names alone."""
    chosen = {name: asked[name] for name in _ESTIMATED if name in asked}
    told = context.client.estimate(survey, **chosen)
    say(fold(f"{told}. Nothing was downloaded (--dry-run)."))
    return LATER


def here(context: Context, survey: Any, asked: Mapping[str, Any], progress: str) -> pd.DataFrame:
    """Downloads while the cell runs.

    Raises:
        DownloadIncomplete: It was stopped or broke off; ``%alchemer partial`` has what came.
    """
    from alchemer_nb.notebook.running.follow import follow

    job = _start(context, survey, asked)
    try:
        frame, shown = follow(job, context.shell, progress)
    except DownloadIncomplete as error:
        context.downloads.broke_off(error, context.target)
        raise
    shown.end(_download_receipt(context, survey, asked, progress)(job, frame))
    return frame


def beside(
    context: Context, survey: Any, asked: Mapping[str, Any], progress: str
) -> Job[pd.DataFrame] | object:
    """Begins a download and gives the cell back; its job where no name waits for the frame."""
    if asked.get("limit") == 0:
        raise UsageError("--limit 0 is nothing to wait for; leave --background out")
    job = _start(context, survey, asked)
    told = _download_receipt(context, survey, asked, progress)
    context.downloads.begin(job, context.target, told, progress)
    return job if context.target is None else LATER


def _start(context: Context, survey: Any, asked: Mapping[str, Any]) -> Job[pd.DataFrame]:
    """Begins a download, or goes on with the same one where it had ended."""
    from alchemer_nb.client.jobs import Job

    connection, unfinished = context.session.require(), context.session.unfinished
    client, key = connection.client, connection.download_key(survey, asked)
    if asked.get("fresh"):
        unfinished.remove(key)
    ended = unfinished.find(key)

    def fetch(tell: Callable[[Progress], None], _: threading.Event) -> pd.DataFrame:
        try:
            if ended is not None:
                frame: pd.DataFrame = ended.resume(client, tell)
            else:
                frame = client.responses(survey, progress=tell, **asked)
        except DownloadIncomplete as error:
            unfinished.add(key, error)
            raise
        except InvalidArgument:
            unfinished.remove(key)  # what had come is of no use: it says to run it again
            raise
        unfinished.remove(key)
        return frame

    return Job.of(str(survey), fetch)


def _download_receipt(
    context: Context, survey: Any, asked: Mapping[str, Any], progress: str
) -> Callable[[Job[pd.DataFrame], pd.DataFrame], str]:
    """What is said of a frame that has come: one line for the question and for the answer."""

    def line(job: Job[pd.DataFrame], frame: pd.DataFrame) -> str:
        facts = echo.facts(frame)
        if facts.get("survey_id") and facts.get("title"):
            context.known.add(facts["survey_id"], str(facts["title"]))
        if progress == "none":
            return ""
        return echo.sentence(survey, asked, frame) if context.echo else job.note

    return line
