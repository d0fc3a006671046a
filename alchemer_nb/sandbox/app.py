"""The addresses of the sandbox and what answers at each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.web import Application

from alchemer_nb.sandbox.api.handler import ApiHandler, NotThere, Seen, Traffic
from alchemer_nb.sandbox.traffic.call_log import CallLog
from alchemer_nb.sandbox.web.routes import routes
from alchemer_nb.sandbox.web.token_pages import TokenHandler

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.state import State
    from alchemer_nb.sandbox.oauth.provider import Provider
    from alchemer_nb.sandbox.settings import Settings
    from alchemer_nb.sandbox.traffic.cache import Cache
    from alchemer_nb.sandbox.traffic.faults import Schedule
    from alchemer_nb.sandbox.traffic.limits import Limits


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers work with."""

    state: State
    faults: Schedule
    provider: Provider
    limits: Limits
    cache: Cache
    calls: CallLog = field(default_factory=CallLog)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=10_000))
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def settings(self) -> Settings:
        """The sandbox's switches."""
        return self.state.settings


def build(services: Services, port: int) -> Application:
    """Gives the tornado application."""
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
