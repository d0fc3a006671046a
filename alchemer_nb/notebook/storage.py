"""The commands of the local store: sync, diff, sql, stores, expunge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import DownloadIncomplete
from alchemer_nb.notebook.magic.context import LATER, fold, say
from alchemer_nb.notebook.running.background import sync_broke_off
from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.notebook.magic.context import Context
    from alchemer_nb.store.sync_result import Synced

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
        context.downloads.begin(job, context.target, partial(_receipt, context), context.progress)
        return job if context.target is None else LATER
    try:
        synced, shown = follow(job, context.shell, context.progress)
    except DownloadIncomplete as error:
        sync_broke_off(error)
        raise
    shown.end("")
    context.known.add(synced.survey, synced.title)
    return synced


def _receipt(context: Context, _: Job[Synced], synced: Synced) -> str:
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
