"""The base class of the console's pages: session, relative links, safe headers."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.services import RedactingHandler

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.accounts import User

SESSION_DAYS = 1
_PREFIX = re.compile(r"(/[A-Za-z0-9._~%@+-]+)+\Z")
_NEXT = re.compile(r"[a-z][a-z-]*(/[a-z-]+)*\Z")


class Page(RedactingHandler):
    """A page for people. All its links are relative, so that it works behind a proxy's prefix."""

    def set_default_headers(self) -> None:
        """Forbid frames, caching and all scripts but the one of this page: the pages show keys."""
        self.nonce = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{self.nonce}'; style-src 'unsafe-inline'; "
            "base-uri 'none'; frame-ancestors 'none'",
        )
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")

    @property
    def root(self) -> str:
        """The relative path from this page to the console's start page."""
        return "../" * (self.request.path.count("/") - 1) or "./"

    def get_current_user(self) -> User | None:
        """Return the user who is logged in with this browser."""
        raw = self.get_signed_cookie(self._cookie, max_age_days=SESSION_DAYS)
        if not raw or not raw.isdigit():
            return None
        try:
            user = self.services.state.accounts.user(int(raw))
        except KeyError:
            return None
        return user if user.active else None

    def log_in(self, user: User) -> None:
        """Store a log-in in a signed cookie."""
        self.set_signed_cookie(
            self._cookie,
            str(user.id),
            expires_days=SESSION_DAYS,
            path=self._cookie_path,
            httponly=True,
            samesite="Lax",
        )
        self.current_user = user

    def log_out(self) -> None:
        """Remove the log-in."""
        self.clear_cookie(self._cookie, path=self._cookie_path)
        self.current_user = None

    def show(self, template: str, status: int = 200, **values: Any) -> None:
        """Send a page."""
        self.set_status(status)
        settings = self.services.settings
        self.render(
            template,
            **{
                "root": self.root,
                "nonce": self.nonce,
                "user": self.current_user,
                "organisation": self.services.state.read("organisation"),
                "region": settings.region.upper(),
                "error": None,
                "note": None,
                **values,
            },
        )

    def go(self, place: str) -> None:
        """Redirect the browser to a page of this console."""
        self.set_status(303)
        self.set_header("Location", f"{self.root}{place}")
        self.finish()

    def to_log_in(self) -> None:
        """Redirect the browser to the log-in page, and from there back here."""
        self.go(f"login?next={self.request.path.strip('/')}")

    def next_place(self) -> str:
        """Return the page after the log-in: one of this console and no other."""
        asked = self.get_argument("next", "")
        return asked if _NEXT.match(asked) else ""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say what went wrong in a sentence."""
        words = {
            400: "The request could not be read.",
            403: "The form is too old or did not come from this page. Go back, reload, try again.",
            404: "There is no such page.",
            405: "This page cannot be used that way.",
        }
        self.show(
            "message.html",
            status_code,
            title=f"That did not work ({status_code})",
            text=words.get(status_code, "Something went wrong inside the sandbox."),
        )

    @property
    def _cookie(self) -> str:
        # Cookies do not know ports: the name keeps two sandboxes apart.
        port = self.application.settings["port"]
        return f"alchemer_sandbox_{port}"

    @property
    def _cookie_path(self) -> str:
        """Return the path prefix that a proxy removed; a shared host has other people's pages."""
        prefix = self.request.headers.get("X-ProxyContextPath", "").rstrip("/")
        return prefix if _PREFIX.match(prefix) else "/"
