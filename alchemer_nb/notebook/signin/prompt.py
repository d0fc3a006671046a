"""Sign in at a prompt: in a terminal, and where a notebook shows no widgets.

What is secret is asked with getpass, which shows nothing that is typed; all else with ``input``.
"""

from __future__ import annotations

import getpass
import re
import warnings
from functools import partial
from typing import TYPE_CHECKING

from IPython.core.error import StdinNotImplementedError

from alchemer_nb.auth import profiles
from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    ConfigurationError,
    ConsentDenied,
    SignInError,
    SignInExpired,
)
from alchemer_nb.http.credentials import guess_kind
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import Secret
from alchemer_nb.notebook.kernel.outputs import add_output, print_text, replace_outputs, show_line
from alchemer_nb.notebook.signin import steps
from alchemer_nb.notebook.signin.session import KEY, OAUTH

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from alchemer_nb.notebook.signin.session import Session, Status

_TRIES = 3
_APPLICATION = "application"  # the third way: OAuth with the consumer pair alone
_WAYS = {
    KEY: "API key",
    OAUTH: "OAuth: you log in with your browser",
    _APPLICATION: "OAuth as the application itself, for the user who registered it",
}
_LABELS = {
    steps.TOKEN: "API key (or key and secret key together)",
    steps.TOKEN_SECRET: "API secret key",
    steps.CONSUMER: "Consumer key",
    steps.CONSUMER_SECRET: "Consumer secret",
}
_KEY_FIELDS = (steps.TOKEN, steps.TOKEN_SECRET)
_PAIR_FIELDS = (steps.CONSUMER, steps.CONSUMER_SECRET)
_OTHER_WORDS = {"key": KEY, "api key": KEY, "oauth": OAUTH}  # `--mode` has the first and the last
_BETWEEN = re.compile(r"[\s,;|=&?]+")
_KEY_IS_SHOWN = (
    "That looks like a key, and the answer to this question can be seen. Clear this output before "
    "you save or share it, and have the key regenerated if others may have seen it. The key is "
    "asked for after this, and is not shown then."
)
_HIDDEN_ERRORS = (StdinNotImplementedError, EOFError, OSError)


def sign_in_at_prompt(
    session: Session,
    *,
    region: Region | None,
    default_region: Region,
    mode: str | None,
    profile: str | None,
) -> Status:
    """Ask for region, way and credentials, sign in, and offer to remember it.

    Args:
        session: The shell's session.
        region: The region; None to ask for it.
        default_region: The region that an empty answer chooses.
        mode: The mode of the credentials; None to ask for the way.
        profile: Name of the profile to save them under.

    Raises:
        ConfigurationError: Nothing can be asked here, or nothing was typed.
        AlchemerError: The last of three tries failed.
    """
    prompt = _Prompt(session, region, default_region, mode, profile)
    try:
        failure = prompt.run()
    finally:
        prompt.sign_in.cancel()
    if failure is not None:
        raise failure  # outside of any except block: a chained error would show variables
    return session.status().with_note(prompt.offer_to_remember())


class _Prompt:
    """One sign-in at the prompt: what was typed stays for the next try.

    Attributes:
        sign_in: The steps.
    """

    def __init__(
        self,
        session: Session,
        region: Region | None,
        default_region: Region,
        mode: str | None,
        profile: str | None,
    ) -> None:
        self.sign_in = steps.SignIn(session, profile)
        self._session = session
        self._asks_region = region is None
        self._region = region or default_region
        self._way = mode
        self._values: dict[str, Secret] = {}
        self._link: steps.SignInLink | None = None

    def run(self) -> AlchemerError | None:
        """Ask, and try at most three times; return the error of the last try."""
        self._ask_region()
        if self._way is None:
            self._way = _ask_choice("Sign in with", _WAYS, KEY, _OTHER_WORDS)
        fields = _KEY_FIELDS if self._way == KEY else _PAIR_FIELDS
        wrong: Container[str] = fields
        self._explain_fields()
        failure: AlchemerError | None = None
        for number in range(1, _TRIES + 1):
            self._ask_fields(fields, wrong)
            failure = _catch(self._use_values)
            if failure is None:
                break
            cause = _find_cause(failure)
            field = failure.field if isinstance(failure, steps.FieldError) else ""
            typed_wrong = field in fields and not isinstance(cause, AuthenticationError)
            # What Alchemer refused may be any of them: Enter keeps what is right.
            wrong = (field,) if typed_wrong else ()
            failure = cause
            if number < _TRIES:
                _show_failure(cause)
                if not typed_wrong:
                    self._ask_region()
        if failure is None and self._link is not None:
            failure = self._finish_oauth(self._link)
        return failure

    def offer_to_remember(self) -> str:
        """Ask whether to remember the sign-in; return what came of it."""
        if profiles.on_binder():
            return ""
        name = f", as profile “{self.sign_in.profile}”" if self.sign_in.profile else ""
        try:
            answer = input(f"Remember it {profiles.describe_storage()}{name}? [y/N] ")
        except _HIDDEN_ERRORS:
            return ""
        if answer.strip().casefold() not in ("y", "yes"):
            return ""
        self.sign_in.remember(self._session.require())
        return self.sign_in.saved_note

    def _ask_region(self) -> None:
        if not self._asks_region:
            return
        box = self._session.box
        regions = [*map(Region.get, Region.names()), *([box.region] if box is not None else [])]
        by_name = {region.name: region for region in (*regions, self._region)}
        print_text("The region is in the address bar when you are logged in:")
        labels = {name: f"{name}  {each.shown_host}" for name, each in by_name.items()}
        others = {
            word.casefold(): each.name for each in regions for word in (each.label, each.host)
        }
        self._region = by_name[_ask_choice("Region", labels, self._region.name, others)]

    def _explain_fields(self) -> None:
        """Say where one finds what is asked for, in the words of the panel."""
        explain = steps.explain_key if self._way == KEY else steps.explain_pair
        show_line("".join(piece["text"] for piece in explain(self._region)))
        print_text("Paste or type it below; it is not shown:")

    def _ask_fields(self, fields: tuple[str, str], wrong: Container[str]) -> None:
        """Ask for the fields that are wrong; for the others, too, if none is: Enter keeps them."""
        for name in fields:
            first = self._values.get(steps.TOKEN)
            if name == steps.TOKEN_SECRET and (
                first is None or not first.reveal().strip() or steps.has_both_parts(first)
            ):
                self._values.pop(name, None)
                continue
            kept = self._values.get(name)
            if kept is None or name in wrong:
                self._values[name] = _ask_hidden(f"{_LABELS[name]} for {self._region.shown_host}: ")
            elif not wrong:
                is_shown = name in (steps.TOKEN, steps.CONSUMER) and not steps.has_both_parts(kept)
                which = kept.tail if is_shown else "what you typed"
                label = _LABELS[name].partition(" (")[0]
                typed = _ask_hidden(f"{label} (Enter keeps {which}): ")
                self._values[name] = typed if typed.reveal().strip() else kept

    def _use_values(self) -> None:
        if self._way == KEY:
            self.sign_in.use_key(self._values, self._region)
        elif self._way == _APPLICATION:
            self.sign_in.use_consumer_pair(self._values, self._region)
        else:
            self._link = self.sign_in.request_link(self._values, self._region)

    def _finish_oauth(self, link: steps.SignInLink) -> AlchemerError | None:
        """Show the link and ask for what it ends at; return the error of the last try."""
        failure: AlchemerError | None = None
        for number in range(1, _TRIES + 1):
            shown = add_output({"text/plain": repr(link), "text/html": link._repr_html_()})
            try:
                pasted = _ask_hidden(link.question)
            finally:
                # It has a request token, and would be saved.
                replace_outputs([shown], {"text/plain": ""})
            callback = self.sign_in.take_callback() if not pasted.reveal().strip() else None
            failure = _catch(partial(self.sign_in.finish, callback or pasted))
            if failure is None:
                return None
            failure = _find_cause(failure)
            if number < _TRIES and _needs_new_link(failure):
                link = self.sign_in.renew_link()
                # Its hint is how to get a link, and the new one is right below.
                show_line(f"{failure.lines[0]} Here is a new link.")
            elif number < _TRIES:
                _show_failure(failure)
        return failure


def _catch(call: Callable[[], object]) -> AlchemerError | None:
    try:
        call()
    except AlchemerError as error:
        return error
    return None


def _find_cause(failure: AlchemerError) -> AlchemerError:
    """Return the error to show for one of ``steps``."""
    if not isinstance(failure, steps.FieldError):
        return failure
    return failure.cause or ConfigurationError("nothing was typed, so nobody is signed in")


def _needs_new_link(failure: AlchemerError) -> bool:
    """Check whether a link is used up; a paste of another attempt never went to Alchemer."""
    was_sent = isinstance(failure, SignInError) and failure.status is not None
    return was_sent or isinstance(failure, (SignInExpired, ConsentDenied))


def _show_failure(error: AlchemerError) -> None:
    show_line(" ".join(filter(None, error.lines)))


def _ask_choice(
    question: str, choices: dict[str, str], default: str, others: dict[str, str]
) -> str:
    """Ask for one of some names, or other words for them; raise if three answers are none."""
    for number, label in enumerate(choices.values(), 1):
        print_text(f"  {number}  {label}")
    for _ in range(_TRIES):
        chosen = _read_choice(question, choices, default, others)
        if chosen is not None:
            return chosen
        # The answer is not repeated: it may be a key that was pasted too early.
        print_text(
            f"Answer with a number from 1 to {len(choices)}, or press Enter for the default."
        )
    raise ConfigurationError(f"{question}: nothing was chosen, so nobody is signed in")


def _read_choice(
    question: str, choices: dict[str, str], default: str, others: dict[str, str]
) -> str | None:
    """Read a name, its number, or an address with the host of its label; None for all else."""
    typed = _ask(f"{question} [{[*choices].index(default) + 1}]: ")
    if any(guess_kind(Secret(word)) not in ("", "e-mail") for word in _BETWEEN.split(typed)):
        show_line(_KEY_IS_SHOWN)
    answer = typed.strip().casefold()
    if not answer:
        return default
    for number, (name, label) in enumerate(choices.items(), 1):
        host = next((word for word in label.split() if "." in word), "")
        if answer in (str(number), name.casefold()) or (host and host in answer):
            return name
    return others.get(answer)


def _ask(question: str) -> str:
    """Ask for a line that may be seen."""
    try:
        return input(question)
    except _HIDDEN_ERRORS as error:
        is_ended = isinstance(error, EOFError)
    raise _cannot_ask(is_ended)


def _ask_hidden(question: str) -> Secret:
    """Ask for a line without showing what is typed; raise where that is impossible."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return Secret(getpass.getpass(question))
    except (*_HIDDEN_ERRORS, getpass.GetPassWarning) as error:
        is_ended = isinstance(error, EOFError)
    raise _cannot_ask(is_ended)


def _cannot_ask(is_ended: bool) -> ConfigurationError:
    if is_ended:  # by Ctrl-D, or as there is no input
        return ConfigurationError(
            "the input ended before it was complete, so nobody is signed in",
            hint="Where nobody can be asked, set ALCHEMER_API_TOKEN and ALCHEMER_API_TOKEN_SECRET "
            "in the environment",
        )
    return ConfigurationError(
        "nothing can be asked here without showing it: set ALCHEMER_API_TOKEN and "
        "ALCHEMER_API_TOKEN_SECRET in the environment, or sign in with the panel of a notebook"
    )
