"""The HTTP side of the API: paths, methods, suffixes, statuses, gzip, trouble."""

from __future__ import annotations

import asyncio
import gzip
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from alchemer_nb.sandbox import (
    api_account,
    api_response,
    api_survey,
    authenticate,
    parameters,
)
from alchemer_nb.sandbox.api_call import Call, Resource
from alchemer_nb.sandbox.oauth import Signed
from alchemer_nb.sandbox.replies import Refusal

if TYPE_CHECKING:
    from types import TracebackType

    from alchemer_nb.sandbox.app import Services
    from alchemer_nb.sandbox.faults import Fault

_log = logging.getLogger(__name__)
_RESOURCES: dict[tuple[str, ...], Resource] = {
    **api_account.RESOURCES,
    **api_survey.RESOURCES,
    **api_response.RESOURCES,
}
_ALIASES = {"question": "surveyquestion"}
_VERBS = ("GET", "PUT", "POST", "DELETE")
_WORTH_GZIP = 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as a test may look at it; it holds no credentials."""

    method: str
    path: str
    params: dict[str, str]
    mode: str
    status: int


class Traffic:
    """Calls that are being answered: now, and at most."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    def __enter__(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


class Quiet(RequestHandler):
    """A handler whose log lines never hold a query: there are secrets in it."""

    services: Services

    def initialize(self, services: Services) -> None:
        """Takes what the application was made with."""
        self.services = services

    def signed(self) -> Signed:
        """The request as its signature covers it, with the address the client used."""
        request = self.request
        address = f"{request.protocol}://{request.host}{request.uri}"
        return Signed(address, request.method or "GET", request.body, dict(request.headers))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Logs faults of the sandbox with method and path; tornado would log the whole query."""
        # A refusal is told in the answer; who left early, by an interrupt or a time-out, is gone.
        if typ is None or value is None or isinstance(value, HTTPError | StreamClosedError):
            return
        where = f"{self.request.method} {self.request.path}"
        _log.error("the sandbox failed at %s", where, exc_info=(typ, value, tb))


class ApiHandler(Quiet):
    """``/v5/…`` and ``/head/…``."""

    SUPPORTED_METHODS = (*_VERBS, "PATCH", "HEAD", "OPTIONS")

    async def get(self, path: str) -> None:
        """Answers a call, whatever its method."""
        with self.services.traffic:
            await self._serve(path)

    put = post = delete = patch = head = options = get

    async def _serve(self, path: str) -> None:
        fault = self.services.faults.take()
        wait = self.services.settings.latency + (fault.delay if fault else 0.0)
        if wait:
            await asyncio.sleep(wait)
        if fault and (fault.status is not None or fault.body is not None):
            status, body = _trouble(fault)
            self._note(path, {}, status)
        else:
            status, body = self._answer(path)
        await self._send(status, body, fault)

    def check_xsrf_cookie(self) -> None:
        """The API is not used by browsers and knows no cookies."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answers with an error body when the sandbox itself fails."""
        self.set_header("Content-Type", "application/json")
        self.finish(Refusal(status_code, "The sandbox failed; its log tells why").body)

    def _answer(self, path: str) -> tuple[int, bytes]:
        request = self.request
        flat, tree = parameters.collect(
            request.query, request.headers.get("Content-Type", ""), request.body
        )
        try:
            body = self._act(path, flat, tree)
            status = 200
        except Refusal as refusal:
            body = refusal.body
            status = 200 if self.services.settings.status_200_errors else refusal.code
        self._note(path, flat, status)
        return status, body.encode()

    def _act(self, path: str, flat: dict[str, str], tree: dict[str, Any]) -> str:
        services = self.services
        actor = authenticate.caller(services.state, services.provider, flat, self.signed())
        names, ids = _split(path)
        resource = _RESOURCES.get(names)
        if resource is None:
            raise Refusal(404, "Method not implemented")
        verb = (flat.get("_method") or self.request.method or "GET").upper()
        action = resource.action(verb, len(ids) == len(names)) if verb in _VERBS else None
        if action is None:
            raise Refusal(405, "Method not supported")
        return action(Call(services.state, actor, ids, flat, tree))

    def _note(self, path: str, flat: dict[str, str], status: int) -> None:
        kept = {
            name: value
            for name, value in flat.items()
            if not name.startswith(("api_token", "oauth_"))
        }
        kind = authenticate.mode(flat, self.request.headers)
        self.services.seen.append(Seen(self.request.method or "", path, kept, kind, status))

    async def _send(self, status: int, body: bytes, fault: Fault | None) -> None:
        self.set_status(status)
        self.set_header("Content-Type", fault.content_type if fault else "application/json")
        for name, value in ((fault and fault.headers) or {}).items():
            self.set_header(name, value)
        accepts = self.request.headers.get("Accept-Encoding", "")
        if "gzip" in accepts and len(body) >= _WORTH_GZIP:
            # The fastest level: over loopback the size matters little.
            body = gzip.compress(body, 1)
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Content-Length", str(len(body)))
        if fault and fault.cut is not None:
            self.write(body[: fault.cut])
            await self.flush()
            stream = self.detach()
            stream.close()
            return
        await self.finish(b"" if self.request.method == "HEAD" else body)


class NotThere(Quiet):
    """Any other address: no page, or (invented: the answer) a version that is not played here."""

    SUPPORTED_METHODS = (*_VERBS, "PATCH", "HEAD", "OPTIONS")

    def get(self) -> None:
        """Answers with an error body."""
        refusal = Refusal(404, "Method not implemented")
        self.set_status(refusal.code)
        self.set_header("Content-Type", "application/json")
        self.finish(refusal.body)

    put = post = delete = patch = head = options = get

    def check_xsrf_cookie(self) -> None:
        """Nothing happens here."""


def _split(path: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Splits ``survey/7/surveyresponse.json`` into names and ids."""
    bare = path.strip("/").removesuffix(".json").rstrip("/")
    parts = bare.split("/")
    names = tuple(_ALIASES.get(name.lower(), name.lower()) for name in parts[::2])
    return names, dict(zip(names, parts[1::2], strict=False))


def _trouble(fault: Fault) -> tuple[int, bytes]:
    status = fault.status or 200
    if fault.body is None:
        return status, Refusal(status, f"Ordered trouble {status}").body.encode()
    body = fault.body
    return status, body.encode() if isinstance(body, str) else body
