"""The addresses of the sandbox and their handlers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.web import Application

from alchemer_nb.sandbox.api.handler import ApiHandler, NotThere
from alchemer_nb.sandbox.web.routes import routes
from alchemer_nb.sandbox.web.token_pages import TokenHandler

if TYPE_CHECKING:
    from alchemer_nb.sandbox.services import Services


def build(services: Services, port: int) -> Application:
    """Build the tornado application."""
    given: dict[str, Any] = {"services": services}
    return Application(
        [
            (r"/(?:v5|head)/oauth/(request_token|access_token)/?", TokenHandler, given),
            *routes(given),
            (r"/(?:v5|head)/(.*)", ApiHandler, given),
            (r"/.*", NotThere, given),
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
