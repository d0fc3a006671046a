"""``login``: sign in with credentials that are found, or else ask in a panel or at a prompt.

The prompt is for front ends without widgets; it shows nothing that is typed.
"""

from __future__ import annotations

import getpass
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.core.error import StdinNotImplementedError
from IPython.display import display

from alchemer_nb.auth import lookup, profiles
from alchemer_nb.auth.lookup import REGION_NAME, FoundCredentials
from alchemer_nb.client.client import Client
from alchemer_nb.errors import AlchemerError, ConfigurationError
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.kernel.outputs import add_output, print_text, replace_outputs
from alchemer_nb.notebook.kernel.pump import find_pump, is_unattended
from alchemer_nb.notebook.signin import steps
from alchemer_nb.notebook.signin.session import KEY, MODES, OAUTH, Connection, Session, Status

if TYPE_CHECKING:
    from alchemer_nb.notebook.signin.panel import LoginPanel

WAIT_SECONDS = 600.0
_MODES = {None: None, "key": KEY, "oauth": OAUTH}


def login(
    session: Session,
    *,
    region: str | Region | None = None,
    mode: str | None = None,
    profile: str | None = None,
    wait: bool | float = False,
    prompt: bool = False,
) -> object | None:
    """Sign in.

    Credentials in the environment or in a profile are used at once, in the region that they
    belong to. Where there are none, or they are refused, the panel is shown with the reason;
    where nobody can use a panel, the cell fails with the reason. Where somebody is signed in, the
    status is shown; a region, mode or profile that differs adds another account. Credentials
    that were refused are replaced by new ones.

    Args:
        session: The shell's session.
        region: Name or ``Region``.
        mode: ``"key"`` or ``"oauth"``.
        profile: Use this profile only; also the name to save credentials under.
        wait: Block the cell until somebody has signed in: True for ten minutes, or seconds.
        prompt: Ask with getpass instead of the panel, where there are no widgets.

    Returns:
        What the cell shows: the panel or the status; None where that is shown already.

    Raises:
        ConfigurationError: The profile belongs to another region or mode. Or nobody can sign in
            here: there are no credentials and no front end, or the time limit was reached.
        AuthenticationError: The credentials were refused, and no panel can be shown.
    """
    asked_mode, asked_region = _MODES[mode], Region.get(region) if region else None
    client = session.client
    if client and not _is_another(client, asked_region, asked_mode, profile):
        return _show_status(session, prompt=prompt)
    refused = client if client is not None and client.refused else None
    replaced = refused if profile is None and asked_region is None else None
    found, failure = _find_credentials(session, profile, asked_region, asked_mode, replaced)
    if replaced is not None:
        asked_region = _default_region(session) or replaced.region
    existing = _find_connection(session, found)
    if found is not None and existing is None:
        try:
            session.adopt(Client(found.credentials, region=found.region))
            return session.status().with_note(f"With the credentials from {found.source}.")
        except AlchemerError as error:
            failure = error
    if is_unattended(get_ipython()) if prompt else not _can_show_panel(wait=bool(wait)):
        return _finish_without_asking(session, existing, failure, profile)
    first_region = asked_region or (found.region if found else None) or _default_region(session)
    first_mode = asked_mode or (refused.credentials.mode if refused else KEY)
    notice = _build_notice(found, failure, profile, prompt=prompt)
    if prompt:
        return _sign_in_at_prompt(session, first_region, first_mode, notice)
    panel = _open_panel(
        session,
        region=first_region,
        mode=first_mode,
        found=found,
        notice=notice,
        failed=failure is not None,
        profile=profile,
        adding=client is not None,
    )
    if not wait:
        return panel
    return _wait_for_sign_in(panel, WAIT_SECONDS if wait is True else float(wait))


def _default_region(session: Session) -> Region | None:
    # Where a sandbox runs, the panel chooses its region.
    return None if session.box is not None else lookup.environment_region()


def _is_another(
    client: Client, region: Region | None, mode: str | None, profile: str | None
) -> bool:
    """Check whether the arguments ask for another account than that of the current client."""
    return (
        client.refused
        or profile is not None
        or (region is not None and region.api_url != client.region.api_url)
        or (mode is not None and mode != client.credentials.mode)
    )


def _show_status(session: Session, *, prompt: bool) -> object:
    if prompt or not _can_show_panel():
        return session.status().with_note(
            "Already signed in: %alchemer logout signs out, %alchemer login --region … adds "
            "another account."
        )
    notice = "Already signed in; sign out first, or add another account."
    return _open_panel(session, notice=(notice, ""))


def _find_credentials(
    session: Session,
    profile: str | None,
    region: Region | None,
    mode: str | None,
    replaced: Client | None,
) -> tuple[FoundCredentials | None, AlchemerError | None]:
    """Return credentials to sign in with, or the error that says why they cannot be used.

    An error about the profile that was asked for is raised; ``replaced`` is the client whose
    refused credentials are replaced, if nothing was asked for.
    """
    try:
        found = lookup.find_credentials(profile)
    except ConfigurationError as error:
        return None, error
    if found is None:
        return None, None
    try:
        found = _set_region(session, found, replaced).for_region(region)
        if replaced is not None:
            _check_may_replace(found, replaced)
        if mode not in (None, found.credentials.mode):
            raise ConfigurationError(
                f"{found.source} holds credentials of the other mode "
                f"({MODES[found.credentials.mode]}); leave --mode out to use them"
            )
    except ConfigurationError as error:
        if profile is not None:
            raise
        return None, error
    return found, None


def _set_region(
    session: Session, found: FoundCredentials, replaced: Client | None
) -> FoundCredentials:
    """Return ``found`` with the region in which its credentials have worked, if any.

    New credentials in the environment belong to the region of the refused ones that were there
    at the last login.
    """
    if found.region_source:
        return found
    previous, session.environment = session.environment, found.credentials
    for one in session.connections():
        if one.client.credentials == found.credentials:
            return replace(
                found, region=one.client.region, region_source=f"connection “{one.name}”"
            )
    if replaced is not None and replaced.credentials == previous:
        return replace(found, region=replaced.region)
    return found


def _check_may_replace(found: FoundCredentials, refused: Client) -> None:
    """Raise if found credentials belong to another region, and so account, than refused ones."""
    if found.region_source == REGION_NAME or found.region.api_url == refused.region.api_url:
        return
    use = f"--profile {found.profile}" if found.profile else f"--region {found.region.name}"
    raise ConfigurationError(
        f"the credentials that were refused belong to region {refused.region.name} "
        f"({refused.region.host}), and those from {found.source} to region {found.region.name} "
        f"({found.region.host}), so they do not take their place. To use them there: "
        f"%alchemer login {use}"
    )


def _find_connection(session: Session, found: FoundCredentials | None) -> Connection | None:
    """Return the connection that uses the found credentials, unless they were refused."""
    if found is None:
        return None
    for one in session.connections():
        client = one.client
        same_region = client.region.api_url == found.region.api_url
        if same_region and client.credentials == found.credentials and not client.refused:
            return one
    return None


def _build_notice(
    found: FoundCredentials | None,
    failure: AlchemerError | None,
    profile: str | None,
    *,
    prompt: bool,
) -> tuple[str, str]:
    """Return the line above the form, and what to do next."""
    if failure is not None:
        sentence, hint = failure.lines
        if found is not None:
            which = f"The credentials from {found.source} ({found.credentials.masked})"
            sentence = f"{which} did not work. {sentence}"
        return sentence, hint
    if profile is None or found is not None:
        return "", ""
    known = ", ".join(profiles.names())
    there = f" (there is {known})" if known else ""
    way = "a sign-in at the prompt makes none" if prompt else "sign in, and tick to remember"
    return f"There is no profile “{profile}” yet{there}: {way}.", ""


def _can_show_panel(*, wait: bool = False) -> bool:
    """Check for a front end in which a person can use a panel; to ``wait`` needs a kernel, too."""
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return not is_unattended(get_ipython())
    return not wait and not isinstance(shell, TerminalInteractiveShell)


def _finish_without_asking(
    session: Session,
    existing: Connection | None,
    failure: AlchemerError | None,
    profile: str | None,
) -> Status:
    """Finish a login where no person can be asked: raise why nobody is signed in, if so."""
    if existing is not None:
        session.switch(existing.name)
        return session.status().with_note("Already signed in.")
    if is_unattended(get_ipython()):
        advice = (
            "Nobody can press a button here: set them, or keep a profile where you can and name it "
            "with --profile"
        )
    else:
        advice = "No panel can be shown here: %alchemer login --prompt asks for them"
        if failure is not None:
            print_text(
                "No panel can be shown here: %alchemer login --prompt asks for other credentials."
            )
    raise failure or lookup.no_credentials_error(profile, advice)


def _sign_in_at_prompt(
    session: Session, region: Region | None, mode: str, notice: tuple[str, str]
) -> Status:
    """Ask for credentials with getpass and sign in; nothing is saved."""
    if any(notice):
        print_text(" ".join(notice).strip())
    if region is None:
        region = session.box.region if session.box is not None else Region.get("us")
    sign_in = steps.SignIn(session)
    try:
        if mode == KEY:
            _ask_key(sign_in, region)
        else:
            _ask_oauth(sign_in, region)
    except steps.FieldError as error:
        cause = error.cause or ConfigurationError("nothing was typed, so nobody is signed in")
    else:
        return session.status()
    finally:
        sign_in.cancel()
    raise cause  # outside the except block: a chained error would show variables that hold secrets


def _ask_key(sign_in: steps.SignIn, region: Region) -> None:
    first = _ask_hidden(f"API key for {region.shown_host} (or key and secret key together): ")
    values = {steps.TOKEN: first}
    if first.reveal().strip() and not steps.has_both_parts(first):
        values[steps.TOKEN_SECRET] = _ask_hidden("API secret key: ")
    sign_in.use_key(values, region)


def _ask_oauth(sign_in: steps.SignIn, region: Region) -> None:
    values = {
        steps.CONSUMER: _ask_hidden(f"Consumer key for {region.shown_host}: "),
        steps.CONSUMER_SECRET: _ask_hidden("Consumer secret: "),
    }
    link = sign_in.request_link(values, region)
    shown = add_output({"text/plain": repr(link), "text/html": link._repr_html_()})
    try:
        pasted = _ask_hidden(link.question)
    finally:
        replace_outputs([shown], {"text/plain": ""})  # it has a request token, and would be saved
    callback = sign_in.take_callback() if not pasted.reveal().strip() else None
    sign_in.finish(callback or pasted)


def _ask_hidden(question: str) -> Secret:
    """Ask for a line without showing what is typed; raise where that is impossible."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return Secret(getpass.getpass(question))
    except (StdinNotImplementedError, EOFError, OSError, getpass.GetPassWarning):
        pass
    raise ConfigurationError(
        "nothing can be asked here without showing it: set ALCHEMER_API_TOKEN and "
        "ALCHEMER_API_TOKEN_SECRET in the environment, or sign in with the panel of a notebook"
    )


def _open_panel(session: Session, **options: Any) -> LoginPanel:
    """Open the session's panel, and close an earlier one: two forms would be confusing."""
    from alchemer_nb.notebook.signin.panel import LoginPanel

    if session.panel is not None:
        session.panel.close()
    panel = LoginPanel(session, **options)
    session.panel = panel
    return panel


def _wait_for_sign_in(panel: LoginPanel, seconds: float) -> object | None:
    pump = find_pump(get_ipython())
    if pump is None:
        panel.show_notice("This kernel cannot wait in the cell: sign in, then run the next cell.")
        return panel

    def is_signed_in() -> bool:
        panel.finish_if_returned()
        return not panel.shows_form

    try:
        display(panel)  # type: ignore[no-untyped-call]  # IPython has no hints
        with pump:
            done = pump.wait(is_signed_in, seconds)
    except KeyboardInterrupt:
        done = None
    if done:
        return None
    reason = "the wait was interrupted" if done is None else f"nobody signed in in {seconds:.0f} s"
    raise ConfigurationError(f"{reason}: sign in above, then run from here")
