"""How a browser reaches a page that the kernel's machine serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alchemer_nb.http.regions import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping


def for_browser(address: str, environ: Mapping[str, str] | None = None) -> str:
    """Gives the address at which the browser opens a page.

    On JupyterHub and Binder the browser runs on another machine: there a loopback address is
    reached through jupyter-server-proxy. Signatures keep the loopback address.

    Args:
        address: The address as the kernel knows it.
        environ: Instead of ``os.environ``.
    """
    prefix = (os.environ if environ is None else environ).get("JUPYTERHUB_SERVICE_PREFIX", "")
    parts = urlsplit(address)
    if not prefix.startswith("/") or not is_loopback(parts.hostname) or parts.port is None:
        return address
    query = f"?{parts.query}" if parts.query else ""
    return f"{prefix.rstrip('/')}/proxy/{parts.port}{parts.path}{query}"
