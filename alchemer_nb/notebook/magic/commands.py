"""What each command does: thin calls of the session and of ``Client``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.context import Context, say
from alchemer_nb.wire.ids import given_id

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.client.client import Client
    from alchemer_nb.notebook.demo import Running
    from alchemer_nb.notebook.status import Status


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
    from alchemer_nb.notebook import downloading

    if complete:
        if "status" in given:
            raise UsageError("--complete and --status both choose statuses; give one of them")
        given["status"] = "Complete"
    # Below the lines of the cell, so that an error's number is that of the line in the cell.
    where = "\n".join([*([body] if body else []), *given.pop("where", [])])
    asked = {**given, **({"where": where} if where.strip() else {})}
    progress = asked.pop("progress", context.progress)
    if dry_run:
        return downloading.estimate(context, survey, asked)
    if background:
        return downloading.beside(context, survey, asked, progress)
    return downloading.here(context, survey, asked, progress)


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
