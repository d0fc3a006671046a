"""The steps of a sign-in, without widgets: from what was typed to a connection of the session.

Panel and prompt both call these steps. An error that belongs to one box of the form is raised as
``FieldError``; all other errors are raised unchanged.
"""

from __future__ import annotations

import os
import re
from functools import partial
from html import escape
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from alchemer_nb import errors
from alchemer_nb.auth import profiles
from alchemer_nb.auth.oauth_flow import (
    CODE_PAGE,
    ERROR_PAGE,
    LISTENER,
    OUT_OF_BAND,
    OWN_PAGE,
    OAuthFlow,
)
from alchemer_nb.client.client import Client
from alchemer_nb.http.credentials import ApiKey, Credentials, OAuth1
from alchemer_nb.http.regions import Region, is_loopback
from alchemer_nb.http.secrets import Secret, to_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alchemer_nb.notebook.signin.session import Connection, Session

# Names of the boxes; those of credentials are the arguments of ApiKey and OAuth1.
TOKEN, TOKEN_SECRET = "api_token", "api_token_secret"
CONSUMER, CONSUMER_SECRET = "consumer_key", "consumer_secret"
PASTED = "pasted"
# What a person has to do at the log-in page, by where it ends.
NEXT_STEPS = {
    LISTENER: "Log in and allow. The notebook then goes on by itself: nothing has to be copied. "
    "Only if the last page shows an error, copy its address from the address bar of the browser "
    "and paste it below.",
    ERROR_PAGE: "Log in and allow. The last page shows an error, such as “this site can’t be "
    "reached”. This is expected: copy the whole address from the address bar of the browser and "
    "paste it below.",
    CODE_PAGE: "Log in and allow. The last page shows a code: copy it and paste it below. If it "
    "shows none, paste the address of the page.",
    OWN_PAGE: "Log in and allow. Then copy the whole address of the page you land on and paste it "
    "below.",
}
_EMPTY = Secret("")
_BOTH_PARTS = re.compile(r"[\s,;|]|://|api[_ ]?(?:token|secret)", re.I)
_T = TypeVar("_T")


class FieldError(errors.AlchemerError):
    """The text of one box cannot be used.

    Attributes:
        field: Name of the box.
        cause: The error that it came from, or None where the box was empty.
    """

    def __init__(self, field: str, message: str, cause: errors.AlchemerError | None = None) -> None:
        super().__init__(message, hint=cause.hint if cause else "")
        self.field = field
        self.cause = cause


class SignInLink:
    """The address of the log-in page, for a person to open.

    Attributes:
        url: The address that the browser opens.
        host: The host, which is shown next to the link.
        next_step: What to do on the page, and what to copy from it, if anything.
        question: What to ask for at a prompt.
    """

    def __init__(self, flow: OAuthFlow, address: str) -> None:
        self.url, self.host = browser_url(address), urlsplit(address).netloc
        ends_at = flow.ends_at
        self.next_step = NEXT_STEPS[ends_at]
        self.question = "Paste the address or the code here: "
        if ends_at == LISTENER:
            self.question = f"Press Enter when the browser says so. {self.question}"

    def __repr__(self) -> str:
        return f"Open this address:\n{self.url}\n{self.next_step}"

    def _repr_html_(self) -> str:
        return (
            f'<div><a href="{escape(self.url)}" target="_blank" rel="noopener noreferrer">'
            f"Open the log-in page</a> on {escape(self.host)}. {escape(self.next_step)}</div>"
        )


def browser_url(address: str) -> str:
    """Return the URL at which the browser opens a page that the kernel reaches at ``address``.

    On JupyterHub and Binder the browser runs on another machine: there it reaches a loopback
    address through jupyter-server-proxy. So it does where a person has set a name for the sandbox.
    Signatures keep the loopback address.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    if not prefix and os.environ.get("ALCHEMER_SANDBOX_HOSTS", "").strip():
        prefix = "/"
    parts = urlsplit(address)
    if not prefix.startswith("/") or not is_loopback(parts.hostname) or parts.port is None:
        return address
    query = f"?{parts.query}" if parts.query else ""
    return f"{prefix.rstrip('/')}/proxy/{parts.port}{parts.path}{query}"


def explain_key(region: Region) -> list[dict[str, str]]:
    """Return in pieces where an API key is found: ``text``, and ``href`` where it is a link."""
    return [
        {"text": "No key at hand? "},
        _log_in_link(region),
        {
            "text": ". Administrators of the account: Security > API Access. Other users: "
            "Account > Integrations > API Key; if no key is there, ask an administrator."
        },
    ]


def explain_pair(region: Region) -> list[dict[str, str]]:
    """Return in pieces where a consumer pair comes from, as ``explain_key``."""
    return [
        {
            "text": "You get a consumer key and a consumer secret when you register an "
            "application for your notebook. "
        },
        _log_in_link(region),
        {"text": ", then open the registration form: "},
        {
            "text": region.register_url.partition("://")[2],
            "href": browser_url(region.register_url),
        },
        {
            "text": ". If this page is not found: ask an administrator of the account or "
            "Alchemer's support where to register, or sign in with an API key."
        },
    ]


def _log_in_link(region: Region) -> dict[str, str]:
    return {"text": f"Log in at {region.app_host}", "href": browser_url(region.app_url)}


class SignIn:
    """The sign-in of one person, by API key or by OAuth; each step can be repeated.

    Args:
        session: The session that gets the connection.
        profile: Name of the profile that the credentials are saved under; None for the default,
            or for another name if another account has that.

    Attributes:
        flow: The OAuth flow that is under way, or None.
        saved_note: A sentence that says where the credentials were saved, or why they were not.
    """

    def __init__(self, session: Session, profile: str | None = None) -> None:
        self.session = session
        self.profile = profile
        self.flow: OAuthFlow | None = None
        self.saved_note = ""
        self._pair: OAuth1 | None = None
        self._tried: Secret | None = None

    def use_key(
        self, values: Mapping[str, Secret], region: Region, *, remember: bool = False
    ) -> Connection:
        """Sign in with an API key; the first box may hold both parts.

        Raises:
            FieldError: A box is empty, or its text is refused.
            AlchemerError: The call failed.
        """
        first = _read_box(values, TOKEN, "Paste your API key here.")
        if has_both_parts(first):
            key = _with_field_errors(TOKEN, lambda: ApiKey.parse(first))
        else:
            request = (
                "Paste the secret key here, or both, with a blank between, into the box above."
            )
            second = _read_box(values, TOKEN_SECRET, request)
            key = _with_field_errors("", lambda: ApiKey(first, second))
        return self.use_credentials(key, region, remember=remember, field=TOKEN)

    def use_consumer_pair(
        self, values: Mapping[str, Secret], region: Region, *, remember: bool = False
    ) -> Connection:
        """Sign in with the consumer pair alone (two-legged).

        Raises:
            FieldError: A box is empty, or the pair is refused.
            AlchemerError: The call failed.
        """
        return self.use_credentials(_read_pair(values), region, remember=remember, field=CONSUMER)

    def use_credentials(
        self,
        credentials: Credentials,
        region: Region,
        *,
        remember: bool = False,
        field: str | None = None,
    ) -> Connection:
        """Sign in with credentials, in one call.

        Args:
            credentials: What signs the call.
            region: Where they belong.
            remember: Save them as a profile once they have worked.
            field: The box that shows the error when they are refused; None if they were not typed.

        Raises:
            FieldError: They were refused, and there is such a box.
            AlchemerError: They were refused, or the call failed.
        """
        client = Client(credentials, region=region)
        adopt = partial(self.session.adopt, client, retries=1)  # a click must not take minutes
        connection = adopt() if field is None else _with_field_errors(field, adopt)
        self.saved_note = ""
        if remember:
            self.remember(connection)
        return connection

    def remember(self, connection: Connection) -> None:
        """Save the credentials of a connection as a profile; ``saved_note`` says what came of it.

        A profile of another account is replaced only if its name was given.
        """
        client, account = connection.client, connection.account_id
        try:
            name = self.profile or profiles.choose_name(client.credentials, client.region, account)
            where = profiles.save(name, client.credentials, client.region, account)
        except errors.AlchemerError as error:
            self.saved_note = f"Not remembered: {error}."
            return
        self.saved_note = f"Remembered {where}, as profile “{name}”."
        if name != (self.profile or profiles.DEFAULT):
            self.saved_note += (
                f" “{profiles.DEFAULT}” is the profile of another sign-in: to use this one, "
                f"%alchemer login --profile {name}."
            )

    def request_link(self, values: Mapping[str, Secret], region: Region) -> SignInLink:
        """Start an OAuth flow and return the link to its log-in page.

        Raises:
            FieldError: A box is empty, or the pair is refused.
            AlchemerError: The call failed.
        """
        self.cancel()
        pair = _read_pair(values)
        flow = OAuthFlow(pair.consumer_key, pair.consumer_secret, region=region)
        flow.known_regions |= self.session.known_regions()
        try:
            link = SignInLink(flow, _with_field_errors(CONSUMER, flow.start))
        except BaseException:
            flow.close()
            raise
        self.flow, self._pair = flow, pair
        return link

    def renew_link(self) -> SignInLink:
        """Start the flow again with the same consumer pair; the old link no longer works.

        Raises:
            AlchemerError: The call failed, or no flow was started before.
        """
        flow = self._require_flow()
        return SignInLink(flow, flow.start())

    def request_code_link(self) -> SignInLink:
        """Start the flow again so that it ends at a page with a code.

        No source says whether Alchemer has such a page. After an error the old link still works.

        Raises:
            AlchemerError: There is no such page, the call failed, or no flow was started before.
        """
        before, pair = self._require_flow(), self._pair
        if pair is None:
            raise errors.ConfigurationError("no sign-in has been started")
        flow = OAuthFlow(pair.consumer_key, pair.consumer_secret, before.region, OUT_OF_BAND)
        refusal = None
        try:
            link = SignInLink(flow, flow.start())
        except errors.AuthenticationError as error:
            refusal = error
        if refusal is not None:  # outside the except block: a chained error would repeat its words
            raise errors.SignInError(
                f"{before.region.host} has no page that shows a code",
                hint="Use the link above: log in, allow, then copy the address of the last page, "
                "even if that page shows an error",
                status=refusal.status,
            )
        before.close()
        self.flow = flow
        return link

    def finish(self, pasted: Secret, *, remember: bool = False) -> Connection:
        """Finish the flow with the address or code that the browser ended at.

        Raises:
            FieldError: The text is empty, of another attempt, too late, or a refusal.
            AlchemerError: The call failed.
        """
        flow = self._require_flow()
        if not pasted.reveal().strip():
            raise FieldError(PASTED, "Paste the address of the page you landed on here.")
        token = _with_field_errors(PASTED, lambda: flow.finish(pasted))
        connection = self.use_credentials(token, flow.region, remember=remember, field=PASTED)
        self.cancel()
        return connection

    @property
    def callback(self) -> Secret | None:
        """What the browser sent to the loopback listener, unless it was tried already."""
        caught = to_secret(self.flow.caught if self.flow else None)
        return caught if caught and caught != self._tried else None

    def take_callback(self) -> Secret | None:
        """Return ``callback`` and mark it as tried, so that it is None from now on."""
        callback = self.callback
        self._tried = callback or self._tried
        return callback

    def cancel(self) -> None:
        """End the flow, if one was started, and close its listener."""
        flow, self.flow = self.flow, None
        self._pair = self._tried = None
        if flow is not None:
            flow.close()

    def _require_flow(self) -> OAuthFlow:
        if self.flow is None:
            raise errors.ConfigurationError("no sign-in has been started")
        return self.flow


def _with_field_errors(field: str, call: Callable[[], _T]) -> _T:
    """Call a function; raise its errors about what was typed as ``FieldError``.

    Args:
        field: Name of the box; ``""`` for the name of the argument that the error is about.
        call: What to call.
    """
    try:
        return call()
    except (errors.AuthenticationError, errors.InvalidArgument, errors.ConfigurationError) as error:
        cause = error
    # Outside the except block: a chained error would show variables that hold secrets.
    raise FieldError(field or getattr(cause, "argument", ""), cause.sentence, cause)


def has_both_parts(text: Secret) -> bool:
    """Check whether a text holds an API key and its secret key together."""
    return bool(_BOTH_PARTS.search(text.reveal().strip()))


def _read_box(values: Mapping[str, Secret], name: str, request: str) -> Secret:
    """Return the text of a box, or raise the request to fill it in."""
    text = values.get(name, _EMPTY)
    if not text.reveal().strip():
        raise FieldError(name, request)
    return text


def _read_pair(values: Mapping[str, Secret]) -> OAuth1:
    key = _read_box(values, CONSUMER, "Paste the consumer key here.")
    secret = _read_box(values, CONSUMER_SECRET, "Paste the consumer secret here.")
    return _with_field_errors("", lambda: OAuth1(key, secret))
