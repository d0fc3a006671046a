"""A proxy on loopback that does what a test says, and keeps each byte that it was sent."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import Self

CERTIFICATES = Path(__file__).parent / "http" / "certificates"  # self-signed, for tests alone
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class ScriptedProxy:
    """A proxy for https.

    Args:
        answer: The bytes to answer CONNECT with; ``"reset"`` or ``"close"`` to hang up instead;
            ``"silent"``; ``"tunnel"``, behind which nobody answers; or the name of a certificate,
            with which it then answers every call in the place of the host that was asked for.
        call_answer: What such a call is answered, without the length.
    """

    def __init__(self, answer: bytes | str, call_answer: bytes = b"") -> None:
        self.answer = answer
        self.call_answer = call_answer or b"HTTP/1.1 200 OK\r\n"
        self.received: list[bytes] = []
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):  # wakes ``accept``
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._stop.is_set():
                connection.close()
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._read_head(connection)
            if self.answer == "silent":
                self._stop.wait(30)
            elif self.answer == "tunnel":
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self._stop.wait(30)
            elif self.answer == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            elif isinstance(self.answer, bytes):
                connection.sendall(self.answer)
            elif self.answer != "close":
                self._stand_in(connection, self.answer)

    def _stand_in(self, connection: socket.socket, certificate: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        body = json.dumps({"result_ok": True, "data": {"id": 1}}).encode()
        with context.wrap_socket(connection, server_side=True) as safe:
            while self._read_head(safe):
                safe.sendall(b"%sContent-Length: %d\r\n\r\n" % (self.call_answer, len(body)) + body)

    def _read_head(self, connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            if not piece:
                break
            head += piece
        if head:  # the end of a connection, which comes at any time, is no call
            self.received.append(head)
        return head
