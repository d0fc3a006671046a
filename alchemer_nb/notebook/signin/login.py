"""``login``: signs in with what is there already, else asks: in a panel, or at a prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alchemer_nb.auth import profiles
from alchemer_nb.errors import AlchemerError, ConfigurationError, InvalidArgument
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import say

if TYPE_CHECKING:
    from alchemer_nb.auth.lookup import Found
    from alchemer_nb.client.client import Client
    from alchemer_nb.notebook.signin.panel import LoginPanel
    from alchemer_nb.notebook.signin.session import Connection, Session, Status

WAIT_SECONDS = 600.0
_MODES = {"key": "api_key", "api_key": "api_key", "oauth": "oauth1", "oauth1": "oauth1"}


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
    belong to; where there are none, or they are refused, the panel is shown and tells why. Where
    nobody can use a panel, the cell fails and tells why. Where somebody is signed in already,
    that is said; a region, mode or profile that differs adds another account. Credentials
    that were refused since give way to new ones.

    Args:
        session: The shell's session.
        region: Name or ``Region``.
        mode: ``"key"`` or ``"oauth"``.
        profile: Use this profile and look nowhere else; also the name to remember by.
        wait: Block the cell until somebody has signed in: True for ten minutes, or seconds.
        prompt: Ask with getpass instead of the panel, where there are no widgets.

    Returns:
        What the cell shows: the panel or the status; None where that has been shown already.

    Raises:
        InvalidArgument: No such mode.
        ConfigurationError: The profile belongs to another region or mode. Or nobody can sign in
            here: there are no credentials and no front end, or a time limit.
        AuthenticationError: At a prompt, or where no person is there: the credentials were
            refused.
    """
    kind = _mode(mode)
    place = _region(session, region)
    if session.status().signed_in and not _asks_for_another(session, place, kind, profile):
        return _already(session, prompt=prompt)
    before = session.client
    dead = before if before is not None and before.refused else None
    replaces = dead if profile is None and place is None else None
    found, trouble = _find(session, profile, place, kind, replaces)
    if replaces is not None:
        place = _default_or_none(session) or replaces.region
    used = _in_use(session, found)
    if found is not None and used is None:
        try:
            return _use(session, found)
        except AlchemerError as error:
            trouble = error
    if _nobody_there() if prompt else _no_panel(wait=bool(wait)):
        return _without_asking(session, used, trouble, profile)
    notice = _notice(found, trouble, profile, prompt=prompt)
    place = place or (found.region if found else None)
    kind = kind or (dead.credentials.mode if dead else "api_key")
    if prompt:
        return _prompt(session, place or _default(session), kind, profile, notice)
    panel = _panel(
        session,
        region=place or _default_or_none(session),
        mode=kind,
        found=found,
        notice=notice,
        failed=trouble is not None,
        profile=profile,
        adding=before is not None,
    )
    return _wait(panel, WAIT_SECONDS if wait is True else float(wait)) if wait else panel


def _mode(mode: str | None) -> str | None:
    if mode is None:
        return None
    if mode not in _MODES:
        raise InvalidArgument(f"mode is 'key' or 'oauth', not {str(mode)[:20]!r}")
    return _MODES[mode]


def _region(session: Session, region: str | Region | None) -> Region | None:
    if region is None:
        return None
    if isinstance(region, str) and session.box is not None:
        own: Region = session.box.region
        if region.strip().lower() == own.name:
            return own
    return Region.get(region)


def _default_or_none(session: Session) -> Region | None:
    from alchemer_nb.auth.lookup import environment_region

    return None if session.box is not None else environment_region()


def _default(session: Session) -> Region:
    if session.box is not None:
        box: Region = session.box.region
        return box
    return _default_or_none(session) or Region.get("us")


def _asks_for_another(
    session: Session, region: Region | None, mode: str | None, profile: str | None
) -> bool:
    client = session.client
    if client is None or client.refused:
        return True
    return (
        profile is not None
        or (region is not None and region.api_url != client.region.api_url)
        or (mode is not None and mode != client.credentials.mode)
    )


def _already(session: Session, *, prompt: bool) -> object:
    status = session.status()
    if prompt or _no_panel():
        return status.also(
            "Already signed in: %alchemer logout signs out, %alchemer login --region … adds "
            "another account."
        )
    told = "Already signed in; sign out first, or add another account."
    return _panel(session, notice=(told, ""))


def _find(
    session: Session,
    profile: str | None,
    region: Region | None,
    mode: str | None,
    replaces: Client | None,
) -> tuple[Found | None, AlchemerError | None]:
    """Return what is there to sign in with, or why it cannot be used.

    Args:
        session: The shell's session.
        profile: The profile that was named.
        region: The region that was asked for.
        mode: The mode that was asked for.
        replaces: The client whose refused credentials are to be replaced, where none was asked for.

    Raises:
        ConfigurationError: A profile was named that belongs to another region or mode than the
            ones that were asked for.
    """
    from alchemer_nb.auth import lookup

    try:
        found = lookup.find(profile)
    except ConfigurationError as error:
        return None, error
    if found is None:
        return None, None
    try:
        found = _where_it_works(session, found, replaces).at(region)
        if replaces is not None:
            _check_may_replace(found, replaces)
        if mode not in (None, found.credentials.mode):
            raise ConfigurationError(
                f"{found.source} holds credentials of the other mode ({_modes(found)}); leave "
                "--mode out to use them"
            )
    except ConfigurationError as error:
        if profile is not None:
            raise
        return None, error
    return found, None


def _modes(found: Found) -> str:
    from alchemer_nb.notebook.signin.session import MODES

    return MODES[found.credentials.mode]


def _where_it_works(session: Session, found: Found, replaces: Client | None) -> Found:
    """Return what was found with the region in which it has been seen to work, if in any.

    So it has where the environment held the refused credentials the last time: what it holds now
    takes their place.
    """
    if found.told_by:
        return found
    before, session.environment = session.environment, found.credentials
    for one in session.connections():
        if one.client.credentials == found.credentials:
            return replace(found, region=one.client.region, told_by=f"connection “{one.name}”")
    if replaces is not None and replaces.credentials == before:
        return replace(found, region=replaces.region)
    return found


def _check_may_replace(found: Found, refused: Client) -> None:
    """Check that what was found may take the place of refused credentials unasked.

    Raises:
        ConfigurationError: It belongs to another region, and so to another account.
    """
    from alchemer_nb.auth.lookup import REGION_NAME

    if found.told_by == REGION_NAME or found.region.api_url == refused.region.api_url:
        return
    use = f"--profile {found.profile}" if found.profile else f"--region {found.region.name}"
    raise ConfigurationError(
        f"the credentials that were refused belong to region {refused.region.name} "
        f"({refused.region.host}), and those from {found.source} to region {found.region.name} "
        f"({found.region.host}), so they do not take their place. To use them there: "
        f"%alchemer login {use}"
    )


def _in_use(session: Session, found: Found | None) -> Connection | None:
    """Return the connection that what was found has made already, if any."""
    if found is None:
        return None
    sought = (found.credentials, found.region.api_url)
    each = session.connections()
    return next(
        (
            c
            for c in each
            if (c.client.credentials, c.client.region.api_url) == sought and not c.client.refused
        ),
        None,
    )


def _use(session: Session, found: Found) -> Status:
    from alchemer_nb.client.client import Client

    session.adopt(Client(found.credentials, region=found.region))
    return session.status().also(f"With the credentials from {found.source}.")


def _notice(
    found: Found | None, trouble: AlchemerError | None, profile: str | None, *, prompt: bool
) -> tuple[str, str]:
    """Return what to say above the form, and what to do about it."""
    if trouble is None:
        new = profile is not None and found is None
        return (_no_profile(profile, prompt=prompt) if new else "", "")
    said, hint = trouble.lines
    if found is not None:
        which = f"The credentials from {found.source} ({found.credentials.masked})"
        said = f"{which} did not work. {said}"
    return said, hint


def _no_profile(name: str | None, *, prompt: bool) -> str:
    known = ", ".join(profiles.names())
    there = f" (there is {known})" if known else ""
    way = "a sign-in at the prompt makes none" if prompt else "sign in, and tick to remember"
    return f"There is no profile “{name}” yet{there}: {way}."


def _nobody_there() -> bool:
    """Tell whether a kernel runs this without a person, as papermill and nbclient do."""
    from IPython import get_ipython

    from alchemer_nb.notebook.kernel.pump import has_front_end

    shell = get_ipython()
    return getattr(shell, "kernel", None) is not None and not has_front_end(shell)


def _no_panel(*, wait: bool = False) -> bool:
    """Tell whether nobody can use a panel here: no person is there, or this is a terminal.

    Args:
        wait: Whether the cell is to wait for it, for which there has to be a kernel.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return _nobody_there()
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    return wait or isinstance(shell, TerminalInteractiveShell)


def _without_asking(
    session: Session, used: Connection | None, trouble: AlchemerError | None, profile: str | None
) -> Status:
    """End a login that found nothing to sign in with where no panel can be used.

    Raises:
        AlchemerError: Why nobody is signed in now.
    """
    from alchemer_nb.auth.lookup import nothing_found

    if used is not None:
        session.switch(used.name)
        return session.status().also("Already signed in.")
    if _nobody_there():
        advice = (
            "Nobody can press a button here: set them, or keep a profile where you can and name it "
            "with --profile"
        )
    else:
        advice = "No panel can be shown here: %alchemer login --prompt asks for them"
        if trouble is not None:
            say("No panel can be shown here: %alchemer login --prompt asks for other credentials.")
    raise trouble or nothing_found(profile, advice)


def _prompt(
    session: Session, region: Region, mode: str, profile: str | None, notice: tuple[str, str]
) -> Status:
    from alchemer_nb.notebook.signin.prompt import ask

    if any(notice):
        say(" ".join(notice).strip())
    return ask(session, region, mode, profile)


def _panel(session: Session, **given: Any) -> LoginPanel:
    """Makes the session's panel; the one before it is taken away: two forms would confuse."""
    from alchemer_nb.notebook.signin.panel import LoginPanel

    if session.panel is not None:
        session.panel.close()
    panel = LoginPanel(session, **given)
    session.panel = panel
    return panel


def _wait(panel: LoginPanel, seconds: float) -> object | None:
    from IPython import get_ipython
    from IPython.display import display

    from alchemer_nb.notebook.kernel.pump import find_pump

    pump = find_pump(get_ipython())
    if pump is None:
        panel.say("This kernel cannot wait in the cell: sign in, then run the next cell.")
        return panel

    def signed_in() -> bool:
        panel.tick()
        return not panel.asks

    try:
        display(panel)  # type: ignore[no-untyped-call]  # IPython has no hints
        with pump:
            done = pump.wait(signed_in, seconds)
    except KeyboardInterrupt:
        done = None
    if done:
        return None
    reason = "the wait was interrupted" if done is None else f"nobody signed in in {seconds:.0f} s"
    raise ConfigurationError(f"{reason}: sign in above, then run from here")
