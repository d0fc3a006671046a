"""``login``: sign in with credentials that are found, or else ask in a panel or at a prompt."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display

from alchemer_nb.auth import lookup, profiles
from alchemer_nb.auth.lookup import REGION_NAME, FoundCredentials
from alchemer_nb.client.client import Client
from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    ConfigurationError,
)
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import show_line
from alchemer_nb.notebook.kernel.pump import find_pump, is_unattended
from alchemer_nb.notebook.signin.prompt import sign_in_at_prompt
from alchemer_nb.notebook.signin.session import KEY, Connection, Session, Status

if TYPE_CHECKING:
    from alchemer_nb.notebook.signin.panel import LoginPanel

WAIT_SECONDS = 600.0


def login(
    session: Session,
    *,
    region: str | Region | None = None,
    mode: str | None = None,
    profile: str | None = None,
    env: str | None = None,
    wait: bool | float = False,
    prompt: bool = False,
) -> object | None:
    """Sign in.

    Credentials that are found (see ``lookup``) are used at once, in the region that they belong
    to. Where there are none, or they are refused, the panel is shown with the reason, and a
    terminal asks; where nobody can be asked, the cell fails with the reason. Where somebody is
    signed in, the status is shown; a region, mode, profile or file that differs adds another
    account. Credentials that were refused are replaced by new ones.

    Args:
        session: The shell's session.
        region: Name or ``Region``.
        mode: ``"key"`` or ``"oauth"``.
        profile: Use this profile only; also the name to save credentials under.
        env: Use this ``.env`` file only.
        wait: Block the cell until somebody has signed in: True for ten minutes, or seconds.
        prompt: Ask line by line instead of in the panel, as a terminal always does.

    Returns:
        What the cell shows: the panel or the status; None where that is shown already.

    Raises:
        ConfigurationError: The profile belongs to another region or mode; the file cannot be
            used. Or nobody can sign in here: there are no credentials and no front end, or the time
            limit was reached.
        AuthenticationError: The credentials were refused, and no panel can be shown.
    """
    asked_region = Region.get(region) if region else None
    client, prompt = session.client, prompt or _is_terminal()
    if client and not _is_another(client, asked_region, mode, profile or env):
        return _show_status(session, prompt=prompt)
    refused = client if client is not None and client.refused else None
    replaced = None if profile or env or asked_region else refused
    source = _Source(profile, env, mode, asked_region)
    found, failure = _find_credentials(session, source, replaced)
    if replaced is not None:
        asked_region = _default_region(session) or replaced.region
    if found is not None:
        try:
            return _use_found(session, found)
        except AlchemerError as error:
            failure = error
    cannot_ask = is_unattended(get_ipython()) if prompt else not _can_show_panel(wait=bool(wait))
    if cannot_ask:
        raise _cannot_ask_error(failure, profile)
    first_region = asked_region or (found.region if found else None) or _default_region(session)
    notice = _build_notice(found, failure, profile, prompt=prompt)
    if profile is None and found is not None and isinstance(failure, AuthenticationError):
        profile = found.profile or None  # what is remembered now takes its place
    if prompt:
        if any(notice):
            show_line(" ".join(notice).strip())
        box_region = session.box.region if session.box is not None else Region.get("us")
        return sign_in_at_prompt(
            session,
            # A region that was only assumed for what was found is asked for.
            region=asked_region or (found.region if found and found.region_source else None),
            default_region=first_region or box_region,
            mode=lookup.MODES[mode] if mode else None,
            profile=profile,
        )
    panel = _open_panel(
        session,
        region=first_region,
        mode=lookup.MODES[mode] if mode else refused.credentials.mode if refused else KEY,
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


def _is_another(client: Client, region: Region | None, mode: str | None, place: str | None) -> bool:
    """Check whether the arguments ask for another account than that of the current client."""
    return (
        client.refused
        or place is not None
        or (region is not None and region.api_url != client.region.api_url)
        or (mode is not None and lookup.MODES[mode] != client.credentials.mode)
    )


def _show_status(session: Session, *, prompt: bool) -> object:
    if prompt or not _can_show_panel():
        return session.status().with_note(
            "Already signed in: %alchemer logout signs out, %alchemer login --region … adds "
            "another account."
        )
    notice = "Already signed in; sign out first, or add another account."
    return _open_panel(session, notice=(notice, ""))


@dataclass(frozen=True, slots=True)
class _Source:
    """What a login asks for: profile, file, mode and region, each or None."""

    profile: str | None
    env_file: str | None
    mode: str | None
    region: Region | None


def _find_credentials(
    session: Session, source: _Source, replaced: Client | None
) -> tuple[FoundCredentials | None, AlchemerError | None]:
    """Return credentials to sign in with, or the error that says why they cannot be used.

    An error about the profile or file that was asked for is raised, unless a new sign-in can
    replace the profile; ``replaced`` is the client whose refused credentials are replaced, if
    nothing was asked for.
    """
    try:
        found = lookup.find_credentials(source.profile, mode=source.mode, env_file=source.env_file)
    except ConfigurationError as error:
        if source.env_file is not None:
            raise
        return None, error
    session.found = found
    if found is None:
        return None, None
    try:
        found = _set_region(session, found, replaced).for_region(source.region)
        if replaced is not None:
            _check_may_replace(found, replaced)
        found.check_mode(source.mode)
    except ConfigurationError as error:
        if source.profile is not None or source.env_file is not None:
            raise
        return None, error
    return found, None


def _write_receipt(found: FoundCredentials) -> str:
    warning = f" Warning: {found.warning}." if found.warning else ""
    return f"{found.receipt}{warning}"


def require_connection(session: Session, region: str = "") -> Connection:
    """Return the current connection; sign in where credentials are there and nobody is signed in.

    They are there in the environment and in Colab's secrets. A profile is not used: it is the
    choice of a person, with ``login``. Nor is anything used once a person has signed out.

    Args:
        session: The shell's session.
        region: Name of the region for credentials that do not name theirs, or an empty text.

    Raises:
        ConfigurationError: Nobody is signed in, and there are no credentials to sign in with.
        AlchemerError: They were refused, or the call failed.
    """
    if session.names() or session.signed_out:
        return session.require()
    found = _find_for_command(session)
    if found is None:
        return _require_with_advice(session)
    session.found = found
    found = _set_region(session, found, None).for_region(Region.get(region) if region else None)
    try:
        connection = session.adopt(Client(found.credentials, region=found.region))
    except AlchemerError as error:
        origin = f"The {found.kind} is from {found.source}"
        error.hint = ". ".join(filter(None, (origin, error.hint)))
        raise
    show_line(f"{session.status().line}. {_write_receipt(found)}")
    return connection


def _find_for_command(session: Session) -> FoundCredentials | None:
    """Find credentials for a command; none that an open panel says something about."""
    try:
        found = lookup.find_without_profiles()
    except ConfigurationError:
        if session.panel is None:
            raise
        return None
    is_known = found and session.found and found.credentials == session.found.credentials
    return None if session.panel is not None and is_known else found


def _require_with_advice(session: Session) -> Connection:
    try:
        return session.require()
    except ConfigurationError as error:
        failure = error
    if session.panel is not None:
        pass  # it is above
    elif is_unattended(get_ipython()):
        failure.hint = (
            "Nobody can be asked here: set ALCHEMER_API_TOKEN and ALCHEMER_API_TOKEN_SECRET in the "
            "environment"
        )
    elif not profiles.on_binder():
        with suppress(ConfigurationError):
            if profiles.DEFAULT in profiles.names():
                failure.hint = f"It uses the profile “{profiles.DEFAULT}”, which is remembered"
    raise failure


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


def _use_found(session: Session, found: FoundCredentials) -> Status:
    """Sign in with found credentials, or make the connection that uses them the current one."""
    existing = _find_connection(session, found)
    if existing is not None:
        session.switch(existing.name)
        receipt = f"Already signed in with the credentials from {found.source}."
        return session.status().with_receipt(receipt)
    session.adopt(Client(found.credentials, region=found.region))
    return session.status().with_receipt(_write_receipt(found))


def _find_connection(session: Session, found: FoundCredentials) -> Connection | None:
    """Return the connection that uses the found credentials, unless they were refused."""
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
    way = "sign in, and say yes to remember it" if prompt else "sign in, and tick to remember"
    return f"There is no profile “{profile}” yet{there}: {way}.", ""


def _can_show_panel(*, wait: bool = False) -> bool:
    """Check for a front end in which a person can use a panel; to ``wait`` needs a kernel, too."""
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return not is_unattended(get_ipython())
    return not wait and not isinstance(shell, TerminalInteractiveShell)


def _is_terminal() -> bool:
    """Check for a terminal at which a person can be asked."""
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    shell = get_ipython()
    has_kernel = getattr(shell, "kernel", None) is not None
    if has_kernel or not isinstance(shell, TerminalInteractiveShell):
        return False
    return sys.stdin is not None and sys.stdin.isatty()


def _cannot_ask_error(failure: AlchemerError | None, profile: str | None) -> AlchemerError:
    """Return why nobody is signed in, where no person can be asked."""
    if is_unattended(get_ipython()):
        advice = (
            "Nobody can press a button here: set ALCHEMER_API_TOKEN and ALCHEMER_API_TOKEN_SECRET "
            "before the run, or remember a sign-in on this computer, in a notebook that you run "
            "yourself, and name it with --profile"
        )
    else:
        advice = "No panel can be shown here: %alchemer login --prompt asks for a key"
        if failure is not None:
            show_line(
                "No panel can be shown here: %alchemer login --prompt asks for other credentials."
            )
    return failure or lookup.no_credentials_error(profile, advice)


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
