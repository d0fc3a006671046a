"""``login``: signs in with what is there already, else asks: in a panel, or at a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import AlchemerError, ConfigurationError, InvalidArgument
from alchemer_nb.regions import Region

if TYPE_CHECKING:
    from alchemer_nb.notebook.panel import LoginPanel
    from alchemer_nb.notebook.session import Session
    from alchemer_nb.notebook.status import Status
    from alchemer_nb.notebook.stored import Found

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
    """Signs in.

    Credentials in the environment or in a profile are used at once; where there are none, or
    they are refused, the panel is shown. Where somebody is signed in already, that is said; a
    region, mode or profile that differs adds another account. Credentials that were refused since
    give way to new ones.

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
        ConfigurationError: Nobody can sign in here: no front end, no such profile, a time limit.
        AuthenticationError: At a prompt, or where no person is there: the credentials were
            refused.
    """
    from alchemer_nb.notebook.prompt import ask

    kind = _mode(mode)
    place = _region(session, region)
    if session.status().signed_in and not _asks_for_another(session, place, kind, profile):
        return _already(session, prompt=prompt)
    before = session.client
    dead = before if before is not None and before.refused else None
    if dead is not None and profile is None and place is None:
        place = _default_or_none(session) or dead.region
    found, trouble = _find(profile, place, kind)
    if found is not None and not _in_use(session, found):
        try:
            return _use(session, found)
        except AlchemerError as error:
            trouble = error
    if trouble is not None and _nobody_there():
        raise trouble
    if prompt:
        return ask(session, place or _default(session), kind or "api_key", profile)
    panel = _panel(
        session,
        region=place or (found.region if found else None) or _default_or_none(session),
        mode=kind or (dead.credentials.mode if dead else "api_key"),
        found=found,
        notice=_notice(found, trouble, profile),
        profile=profile,
        adding=before is not None,
    )
    return _wait(session, panel, WAIT_SECONDS if wait is True else float(wait)) if wait else panel


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
    from alchemer_nb.notebook.stored import default_region

    return None if session.box is not None else default_region()


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
    if prompt or _nobody_there():
        return status.also(
            "Already signed in: %alchemer logout signs out, %alchemer login --region … adds "
            "another account."
        )
    return _panel(session, notice="Already signed in; sign out first, or add another account.")


def _find(
    profile: str | None, region: Region | None, mode: str | None
) -> tuple[Found | None, AlchemerError | None]:
    """What is there to sign in with; half a pair in the environment is a reason to ask."""
    from alchemer_nb.notebook import stored

    if profile is not None and not stored.is_kept(profile):
        # The panel would remember under this name: a new profile is made by signing in.
        return None, None
    try:
        found = stored.find(profile, region)
    except ConfigurationError as error:
        if profile is not None:
            raise
        return None, error
    if found is not None and mode is not None and mode != found.credentials.mode:
        if profile is not None:
            raise ConfigurationError(f"{found.source} holds credentials of the other mode")
        return None, None
    return found, None


def _in_use(session: Session, found: Found) -> bool:
    return any(
        one.client.credentials == found.credentials
        and not one.client.refused
        and one.client.region.api_url == found.region.api_url
        for one in session.connections()
    )


def _use(session: Session, found: Found) -> Status:
    from alchemer_nb.client import Client

    session.adopt(Client(found.credentials, region=found.region))
    return session.status().also(f"With the credentials from {found.source}.")


def _notice(found: Found | None, trouble: AlchemerError | None, profile: str | None) -> str:
    if trouble is None:
        new = profile is not None and found is None
        return f"There is no profile “{profile}” yet: sign in, and tick to remember." if new else ""
    text = str(trouble)
    if found is None:
        return f"{text[:1].upper()}{text[1:]}."
    return f"The credentials from {found.source} ({found.credentials.masked}) did not work: {text}."


def _nobody_there() -> bool:
    """Whether a kernel runs this without a person, as papermill and nbclient do."""
    from IPython import get_ipython

    from alchemer_nb.notebook.pump import has_front_end

    shell = get_ipython()
    return getattr(shell, "kernel", None) is not None and not has_front_end(shell)


def _panel(session: Session, **given: Any) -> LoginPanel:
    """Makes the session's panel; the one before it is taken away: two forms would confuse."""
    from alchemer_nb.notebook.panel import LoginPanel

    if session.panel is not None:
        session.panel.close()
    panel = LoginPanel(session, **given)
    session.panel = panel
    return panel


def _wait(session: Session, panel: LoginPanel, seconds: float) -> object | None:
    from IPython import get_ipython
    from IPython.display import display

    from alchemer_nb.notebook.pump import find_pump, has_front_end

    shell = get_ipython()
    if not has_front_end(shell):
        panel.close()
        session.panel = None
        raise ConfigurationError(
            "nobody can press a button here, so --wait cannot wait: set "
            f"{' and '.join(_variables())} (or keep a profile), or use --prompt at a terminal"
        )
    pump = find_pump(shell)
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


def _variables() -> tuple[str, ...]:
    from alchemer_nb.credentials import environment_names

    return environment_names()[:2]
