"""The addresses of OAuth: request token, consent of the user, access token.

invented, because no source documents: that a denial goes back to the callback with ``oauth_token``
and ``denied``, the words on the pages, and that ``oob`` shows the verifier on a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from alchemer_nb.sandbox.data.first_people import PEOPLE
from alchemer_nb.sandbox.services import RedactingHandler
from alchemer_nb.sandbox.web.pages import Page
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.grants import Application, RequestToken

_LINK_EXPIRED = (
    "This sign-in link is not valid any more: it was used, it is too old, or it was never made "
    "here. Go back to your program and get a new link."
)


class Authenticate(Page):
    """The page ``oauth/authenticate``: log in, see which application asks, allow or deny."""

    def get(self) -> None:
        """Show the log-in form or, once logged in, the question."""
        found = self._find_pending()
        if found is None:
            return
        token, application = found
        if self.current_user is None:
            self._ask_log_in(application)
        else:
            self.show("consent.html", application=application, oauth_token=token.token)

    def post(self) -> None:
        """Handle the log-in or the decision."""
        found = self._find_pending()
        if found is None:
            return
        token, application = found
        step = self.get_body_argument("step", "")
        if step == "login":
            self._log_in(token, application)
        elif step == "switch":
            self.log_out()
            self._reload(token)
        elif self.current_user is None:
            self._ask_log_in(application)
        elif step == "allow":
            self._allow(token, application)
        elif step == "deny":
            self._deny(token, application)
        else:
            self.send_error(400)

    def _find_pending(self) -> tuple[RequestToken, Application] | None:
        grants = self.services.state.grants
        token = grants.request_token(self.get_query_argument("oauth_token", ""))
        application = grants.application(token.consumer_key) if token else None
        if token is None or application is None:
            self.show("message.html", 400, title="This sign-in link has ended", text=_LINK_EXPIRED)
            return None
        if token.state != "new":
            self.show(
                "message.html",
                400,
                title="Already decided",
                text="Somebody has answered this question already. Go back to your program, and "
                "get a new link there if it still waits.",
            )
            return None
        return token, application

    def _ask_log_in(self, application: Application, error: str | None = None) -> None:
        self.show(
            "login.html",
            401 if error else 200,
            next_place=None,
            people=PEOPLE,
            name=self.get_body_argument("name", ""),
            application=application,
            error=error,
        )

    def _log_in(self, token: RequestToken, application: Application) -> None:
        name = self.get_body_argument("name", "")
        password = self.get_body_argument("password", "", strip=False)
        user = self.services.state.accounts.log_in(name, password)
        if user is None:
            self._ask_log_in(application, "This name and password do not fit.")
            return
        self.log_in(user)
        self._reload(token)

    def _reload(self, token: RequestToken) -> None:
        self.set_status(303)
        self.set_header("Location", f"authenticate?{urlencode({'oauth_token': token.token})}")
        self.finish()

    def _allow(self, token: RequestToken, application: Application) -> None:
        verifier = self.services.state.grants.allow(token.token, self.current_user.id)
        if token.callback == "oob":
            self.show("verifier.html", application=application, verifier=verifier)
            return
        self._redirect_to_callback(token, {"oauth_token": token.token, "oauth_verifier": verifier})

    def _deny(self, token: RequestToken, application: Application) -> None:
        self.services.state.grants.deny(token.token)
        if token.callback == "oob":
            self.show(
                "message.html",
                title="Not allowed",
                text=f"{application.title} was not given access. You may close this page.",
            )
            return
        self._redirect_to_callback(token, {"oauth_token": token.token, "denied": token.token})

    def _redirect_to_callback(self, token: RequestToken, answer: dict[str, str]) -> None:
        """Redirect to the callback address, and keep its own query."""
        parts = urlsplit(token.callback)
        query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *answer.items()])
        self.set_status(302)
        self.set_header("Location", urlunsplit(parts._replace(query=query)))
        self.finish()


class TokenHandler(RedactingHandler):
    """A handler of signed requests for a token, by GET or POST."""

    def get(self, which: str) -> None:
        """Answer with a form-encoded token, or with an error body."""
        try:
            provider = self.services.provider
            issue = provider.request_token if which == "request_token" else provider.access_token
            text = issue(self.signed())
        except Refusal as refusal:
            self.set_status(refusal.code)
            self.set_header("Content-Type", "application/json")
            self.finish(refusal.body)
            return
        self.set_header("Content-Type", "application/x-www-form-urlencoded")
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    post = get

    def check_xsrf_cookie(self) -> None:
        """Accept every call: a signature, not a cookie, proves who asks."""
