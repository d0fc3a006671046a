"""The addresses of the sandbox and their handlers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.web import Application

from alchemer_nb.sandbox.api.files import PATH
from alchemer_nb.sandbox.api.handler import ApiHandler, UnknownPathHandler
from alchemer_nb.sandbox.web import console, oauth_pages
from alchemer_nb.sandbox.web.uploads import Upload

if TYPE_CHECKING:
    from alchemer_nb.sandbox.services import Services


def build_application(services: Services, port: int) -> Application:
    """Build the tornado application."""
    given: dict[str, Any] = {"services": services}
    return Application(
        [
            (r"/", console.Home, given),
            (r"/login", console.LogIn, given),
            (r"/logout", console.LogOut, given),
            (r"/security/api-access", console.ApiAccess, given),
            (r"/account/api-key", console.MyKey, given),
            (r"/account/restful-register", console.Register, given),
            (r"/(?:v5|head)/oauth/authenticate", oauth_pages.Authenticate, given),
            (r"/(?:v5|head)/oauth/(request_token|access_token)/?", oauth_pages.TokenHandler, given),
            (r"/(?:v5|head)/(.*)", ApiHandler, given),
            (rf"/{PATH}/([^/]+)", Upload, given),
            (r"/.*", UnknownPathHandler, given),
        ],
        cookie_secret=services.state.cookie_secret,
        xsrf_cookies=True,
        # Cookies do not know ports, and behind a proxy Jupyter has an _xsrf of its own.
        xsrf_cookie_name=f"alchemer_sandbox_xsrf_{port}",
        xsrf_cookie_kwargs={"samesite": "Lax", "httponly": True},
        # Tornado's own log line holds the query, and with it the secrets.
        log_function=_no_log,
        template_path=str(Path(__file__).parent / "web" / "templates"),
        port=port,
    )


def _no_log(_: Any) -> None:
    return
