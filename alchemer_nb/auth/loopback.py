"""A listener for the address to which a browser returns after an OAuth sign-in.

If kernel and browser are on one machine, a listener on loopback receives the request that has the
verifier. Otherwise the callback is an address without a server: the page fails to load, but the
user can still copy its address from the browser.
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alchemer_nb.http.secrets import Secret

# ".invalid" never resolves (https://www.rfc-editor.org/rfc/rfc2606), so nobody receives the
# verifier in the address; https, so that no proxy can read it either.
DEAD_ADDRESS = "https://alchemer-nb.invalid/signed-in"
_PATH = "/signed-in"
_REMOTE_VARIABLES = (
    "BINDER_SERVICE_HOST",
    "BINDER_LAUNCH_HOST",
    "JUPYTERHUB_SERVICE_PREFIX",
    "COLAB_RELEASE_TAG",
    "CODESPACES",
    "KUBERNETES_SERVICE_HOST",
    "SSH_CONNECTION",
    "SSH_CLIENT",
)
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<body style="font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem">
<h1>{title}</h1><p>{text}</p></body></html>"""


def is_browser_local() -> bool:
    """Return True if the user's browser probably runs on the kernel's own machine.

    A guess from the environment: False for a hub, Binder, Colab or an SSH session, and for Linux
    without a display. A wrong guess does no harm: pasting works in either case.
    """
    if any(map(os.environ.get, _REMOTE_VARIABLES)):
        return False
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, _DISPLAYS))


class CallbackListener:
    """A listener on a free loopback port for one sign-in.

    Attributes:
        address: The callback address to ask for.
    """

    def __init__(self) -> None:
        self._caught: Secret | None = None
        self._expected: Secret | None = None
        self._arrived = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}{_PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="alchemer_nb callback",
            daemon=True,
        )
        self._thread.start()

    def expect(self, request_token: str | Secret) -> None:
        """Accept only a request with this token from now on; drop an earlier one."""
        self._expected = Secret(request_token)
        self._caught = None
        self._arrived.clear()

    @property
    def caught(self) -> str | None:
        """The query that the browser returned with, or None until then."""
        return self._caught.reveal() if self._caught else None

    def wait(self, timeout: float) -> bool:
        """Wait for the browser; return False if it did not come within the timeout."""
        return self._arrived.wait(timeout)

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    def _accept(self, path: str) -> bool:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        tokens = [Secret(t) for t in query.get("oauth_token", []) + query.get("denied", [])]
        if parts.path != _PATH or self._expected is None or self._expected not in tokens:
            return False
        self._caught = Secret(parts.query)
        self._arrived.set()
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        accept = self._accept

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, title = 404, "Nothing to do here"
                text = "This address belongs to another sign-in. Get a new link in the notebook."
                if accept(self.path):
                    status, title = 200, "Back to your notebook"
                    text = "The notebook has what it needs. You may close this page."
                body = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Log nothing: the request line holds the verifier."""

        return Handler
