"""A listener for the address to which a browser returns after an OAuth sign-in.

If kernel and browser are on one machine, a listener on loopback receives the request that has the
verifier. Otherwise the callback is an address without a server: the page fails to load, but the
user can still copy its address from the browser.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alchemer_nb.auth.pasted import DENIALS, is_expired
from alchemer_nb.http.secrets import Secret

# ".invalid" never resolves (https://www.rfc-editor.org/rfc/rfc2606), so nobody receives the
# verifier in the address; https, so that no proxy can read it either.
DEAD_ADDRESS = "https://alchemer-nb.invalid/signed-in"
_PATH = "/signed-in"
_POLL = 0.1  # seconds between two looks whether the listener has ended
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
# Titles and texts of the page.
_RETURNED = (
    "Back to your notebook",
    "The sign-in finishes in the notebook: go back there. You may close this page.",
)
_DENIED = (
    "Access was denied",
    "Somebody probably pressed Deny, so nobody is signed in. To sign in, get a new sign-in link in "
    "the notebook and press Allow. You may close this page.",
)
_EXPIRED = (
    "The sign-in link has expired",
    "It is too old or was used already, and nobody is signed in. Get a new sign-in link in the "
    "notebook. You may close this page.",
)
_OTHER_LINK = (
    "Not the newest sign-in link",
    "This page belongs to another sign-in link, or the sign-in is already finished. Go back to "
    "the notebook: it shows who is signed in, or the newest link.",
)


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

    It ends when it is closed or no longer referred to, and when the sign-in can no longer be
    finished. Only the first return of the browser counts.

    Attributes:
        address: The callback address to ask for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._caught: Secret | None = None
        self._expected: Secret | None = None
        self._arrived = threading.Event()
        self._ended = threading.Event()
        self._end = float("inf")
        # The thread refers weakly to the listener: one that nobody closes can be collected.
        server = _Server(weakref.ref(self))
        self.address = f"http://127.0.0.1:{server.server_port}{_PATH}"
        self._thread = threading.Thread(
            target=server.serve, args=(self._ended,), name="alchemer_nb callback", daemon=True
        )
        self._thread.start()

    def expect(self, request_token: str | Secret, lifetime: float = float("inf")) -> None:
        """Accept only a request with this token from now on; drop an earlier one.

        Args:
            request_token: The token.
            lifetime: Seconds until the listener ends.
        """
        with self._lock:
            self._expected = Secret(request_token)
            self._caught = None
            self._end = time.monotonic() + lifetime
            self._arrived.clear()

    @property
    def is_open(self) -> bool:
        """True until the listener ends."""
        return self._thread.is_alive() and not self._ended.is_set()

    @property
    def is_late(self) -> bool:
        """True if the sign-in can no longer be finished."""
        return time.monotonic() > self._end

    @property
    def caught(self) -> str | None:
        """The query that the browser returned with, or None until then."""
        return self._caught.reveal() if self._caught else None

    def wait(self, timeout: float) -> bool:
        """Wait for the browser; return False if it did not come within the timeout."""
        return self._arrived.wait(timeout)

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def accept(self, path: str) -> bool:
        """Check the path and query of a request; return True if it is the awaited one.

        The same once more, as after a reload, is True; another one changes nothing: it may be of a
        page that has learnt the address, and would replace the code of the user's own log-in.
        """
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        tokens = [Secret(t) for t in query.get("oauth_token", []) + query.get("denied", [])]
        ended = any(name in query for name in ("oauth_verifier", *DENIALS))
        if parts.path != _PATH or len(set(tokens)) != 1 or not ended:
            return False
        returned = Secret(parts.query)
        with self._lock:
            if self._expected != tokens[0] or self._caught not in (None, returned):
                return False
            self._caught = returned
        self._arrived.set()
        return True


def _describe_return(path: str) -> tuple[str, str]:
    """Return title and text of the page that a person sees when the browser has returned."""
    query = parse_qs(urlsplit(path).query)
    if "oauth_verifier" in query:
        return _RETURNED
    return _EXPIRED if any(map(is_expired, query.get("oauth_problem", []))) else _DENIED


class _Server(ThreadingHTTPServer):
    """The server of a listener."""

    daemon_threads = True
    timeout = _POLL

    def __init__(self, owner: weakref.ref[CallbackListener]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def serve(self, ended: threading.Event) -> None:
        with self:
            while not ended.is_set() and not self._is_over():
                self.handle_request()  # waits for ``timeout`` at most

    def handle_error(self, *_: Any) -> None:
        """Print nothing where a browser has closed the connection early."""

    def _is_over(self) -> bool:
        owner = self.owner()
        return owner is None or owner.is_late


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds that a connection without a request is kept

    def do_GET(self) -> None:
        is_return = self._is_return()
        title, text = _describe_return(self.path) if is_return else _OTHER_LINK
        status = 200 if is_return else 404
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _is_return(self) -> bool:
        owner = self.server.owner()
        # Another host is that of a website whose name leads to this machine (DNS rebinding).
        hosts = self.headers.get_all("Host", [])
        is_here = hosts == [f"127.0.0.1:{self.server.server_port}"]
        return owner is not None and is_here and owner.accept(self.path)

    def log_message(self, *args: Any) -> None:
        """Log nothing: the request line holds the verifier."""
