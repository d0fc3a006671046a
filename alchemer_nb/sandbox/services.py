"""What the handlers of the sandbox share."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from alchemer_nb.sandbox.oauth.provider import Provider, SignedRequest
from alchemer_nb.sandbox.settings import HOSTS_VARIABLE
from alchemer_nb.sandbox.traffic.call_log import CallLog

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from alchemer_nb.sandbox.data.state import State
    from alchemer_nb.sandbox.settings import Settings
    from alchemer_nb.sandbox.traffic.cache import Cache
    from alchemer_nb.sandbox.traffic.faults import FaultSchedule
    from alchemer_nb.sandbox.traffic.limits import Limits

_log = logging.getLogger(__name__)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_MISDIRECTED = """\
The sandbox answers at http://127.0.0.1 and http://localhost alone, so that no page of a website can
read its keys. On a Jupyter server that you open under a name, such as http://server.example:8888,
open it to that name, and load this page again:

    %env {variable}=server.example           in the notebook that runs %alchemer demo
    Sandbox(hosts=("server.example",))              in Python
    python -m alchemer_nb.sandbox --host-name server.example
"""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call as tests may look at it; it holds no credentials."""

    method: str
    path: str
    params: dict[str, str]
    mode: str
    status: int


class InFlightCounter:
    """The number of calls that are being answered: now, and at most."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    def __enter__(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


def is_allowed_host(host: str, allowed: Iterable[str] = ()) -> bool:
    """Check the ``Host`` of a request: a name of this machine, an allowed one, or any on a hub.

    A page of any website can have its own name lead to 127.0.0.1 (DNS rebinding), and its scripts
    could then read the sandbox's keys; their requests have that name as ``Host``. On a hub, such as
    Binder, jupyter-server-proxy hands on the hub's name, and no browser runs on the machine.

    Args:
        host: The header.
        allowed: Names without a port; those of ``HOSTS_VARIABLE`` are added.
    """
    if os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "").startswith("/"):
        return True
    # Read at each request: a notebook can set it while its sandbox runs.
    named = filter(None, re.split(r"[\s,]+", os.environ.get(HOSTS_VARIABLE, "")))
    name = re.sub(r":\d{1,5}\Z", "", host, flags=re.A).lower()
    return name in {each.lower() for each in (*_LOOPBACK, *allowed, *named)}


class RedactingHandler(RequestHandler):
    """A handler for this machine alone, whose log lines hold no query, since that holds secrets."""

    services: Services

    def initialize(self, services: Services) -> None:
        """Store the services of the application."""
        self.services = services

    def prepare(self) -> None:
        """Refuse a request that was made for another host."""
        if not is_allowed_host(self.request.host, self.services.settings.hosts):
            self.set_status(421)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(_MISDIRECTED.format(variable=HOSTS_VARIABLE))

    def signed(self) -> SignedRequest:
        """Return the request as its signature covers it, with the address that the client used."""
        request = self.request
        address = f"{request.protocol}://{request.host}{request.uri}"
        return SignedRequest(address, request.method or "GET", request.body, dict(request.headers))

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log errors of the sandbox with method and path; tornado would log the whole query."""
        # A refusal is in the reply; a client that closed the connection early needs no log.
        if typ is None or value is None or isinstance(value, HTTPError | StreamClosedError):
            return
        where = f"{self.request.method} {self.request.path}"
        _log.error("the sandbox failed at %s", where, exc_info=(typ, value, tb))


@dataclass(frozen=True, slots=True)
class Services:
    """The objects that all handlers share."""

    state: State
    faults: FaultSchedule
    provider: Provider
    limits: Limits
    cache: Cache
    calls: CallLog = field(default_factory=CallLog)
    seen: deque[SeenCall] = field(default_factory=lambda: deque(maxlen=10_000))
    traffic: InFlightCounter = field(default_factory=InFlightCounter)

    @property
    def settings(self) -> Settings:
        """The settings of the sandbox."""
        return self.state.settings
