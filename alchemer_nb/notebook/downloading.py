"""``responses`` as the magic has it: in the cell, beside it, or not yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import DownloadIncomplete, InvalidArgument
from alchemer_nb.notebook.magic import echo
from alchemer_nb.notebook.magic.context import LATER, fold, say
from alchemer_nb.notebook.signin.unfinished import question_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    import pandas as pd

    from alchemer_nb.client.jobs import Job
    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.notebook.magic.context import Context

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
    shown.end(_receipt(context, survey, asked, progress)(job, frame))
    return frame


def beside(
    context: Context, survey: Any, asked: Mapping[str, Any], progress: str
) -> Job[pd.DataFrame] | object:
    """Begins a download and gives the cell back; its job where no name waits for the frame."""
    if asked.get("limit") == 0:
        raise UsageError("--limit 0 is nothing to wait for; leave --background out")
    job = _start(context, survey, asked)
    told = _receipt(context, survey, asked, progress)
    context.downloads.begin(job, context.target, told, progress)
    return job if context.target is None else LATER


def _start(context: Context, survey: Any, asked: Mapping[str, Any]) -> Job[pd.DataFrame]:
    """Begins a download, or goes on with the same one where it had ended."""
    from alchemer_nb.client.jobs import Job

    connection, unfinished = context.session.require(), context.session.unfinished
    client, question = connection.client, question_of(connection.account, survey, asked)
    if asked.get("fresh"):
        unfinished.drop(question)
    ended = unfinished.find(question)

    def fetch(tell: Callable[[Progress], None], _: threading.Event) -> pd.DataFrame:
        try:
            if ended is not None:
                frame: pd.DataFrame = ended.resume(client, tell)
            else:
                frame = client.responses(survey, progress=tell, **asked)
        except DownloadIncomplete as error:
            unfinished.keep(question, error)
            raise
        except InvalidArgument:
            unfinished.drop(question)  # what had come is of no use: it says to run it again
            raise
        unfinished.drop(question)
        return frame

    return Job.of(str(survey), fetch)


def _receipt(
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
