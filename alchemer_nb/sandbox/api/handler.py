"""The HTTP side of the API: paths, methods, suffixes, statuses, gzip, faults."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from alchemer_nb.sandbox.api import answering
from alchemer_nb.sandbox.api.answering import VERBS, Answer, ReceivedCall
from alchemer_nb.sandbox.oauth import authenticate
from alchemer_nb.sandbox.services import RedactingHandler, SeenCall
from alchemer_nb.sandbox.traffic import call_log
from alchemer_nb.sandbox.wire import parameters
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.traffic.faults import Fault


class ApiHandler(RedactingHandler):
    """The handler of ``/v5/…`` and ``/head/…``."""

    SUPPORTED_METHODS = (*VERBS, "PATCH", "HEAD", "OPTIONS")

    async def get(self, path: str) -> None:
        """Answer a call of any method."""
        services, received = self.services, self._read(path)
        number = services.calls.begin(received.verb, received.path, received.identity)
        try:
            with services.traffic:
                fault = services.faults.take(received.verb, received.path, received.flat)
                answer = await answering.answer_call(services, received, number, fault)
                services.calls.note(number, status=answer.status)
                self._note(received, answer.status)
                await self._send(answer, fault)
        finally:
            services.calls.end(number)

    put = post = delete = patch = head = options = get

    def check_xsrf_cookie(self) -> None:
        """Accept every call: the API is not used by browsers and knows no cookies."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer with an error body when the sandbox itself fails."""
        self.set_header("Content-Type", "application/json")
        self.finish(Refusal(status_code, "The sandbox failed; its log tells why").body)

    def _read(self, path: str) -> ReceivedCall:
        request = self.request
        flat, tree = parameters.read_parameters(
            request.query, request.headers.get("Content-Type", ""), request.body
        )
        verb = (flat.get("_method") or request.method or "GET").upper()
        pairs = parse_qsl(request.query, keep_blank_values=True)
        return ReceivedCall(
            verb=verb,
            path=path,
            flat=flat,
            tree=tree,
            identity=answering.read_identity(verb, path, pairs, request.body),
            signed=self.signed(),
            mode=authenticate.credentials_mode(flat, request.headers),
        )

    def _note(self, received: ReceivedCall, status: int) -> None:
        params = dict(call_log.without_secrets(received.flat.items()))
        method = self.request.method or ""
        self.services.seen.append(SeenCall(method, received.path, params, received.mode, status))

    async def _send(self, answer: Answer, fault: Fault | None) -> None:
        if fault is not None and fault.reset and fault.cut is None:
            self._close(reset=True)
            return
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        accepts = "gzip" in self.request.headers.get("Accept-Encoding", "")
        body = (
            await answering.compress(answer.body) if accepts else answering.decompress(answer.body)
        )
        if body.packed:
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Content-Length", str(len(body.content)))
        if fault is not None and fault.cut is not None:
            self.write(body.content[: fault.cut])
            await self.flush()
            self._close(reset=fault.reset)
            return
        await self.finish(b"" if self.request.method == "HEAD" else body.content)

    def _close(self, *, reset: bool) -> None:
        """Close the connection in the middle of a reply."""
        stream = self.detach()
        if reset:  # a socket that lingers for no time sends RST in place of FIN
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        stream.close()


class UnknownPathHandler(RedactingHandler):
    """The handler of any other address (invented: the reply to another version of the API)."""

    SUPPORTED_METHODS = (*VERBS, "PATCH", "HEAD", "OPTIONS")

    def get(self) -> None:
        """Answer with an error body."""
        refusal = Refusal(404, "Method not implemented")
        self.set_status(refusal.code)
        self.set_header("Content-Type", "application/json")
        self.finish(refusal.body)

    put = post = delete = patch = head = options = get

    def check_xsrf_cookie(self) -> None:
        """Accept every call: nothing is changed here."""
