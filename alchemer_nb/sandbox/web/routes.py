"""The addresses of the pages."""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.web import consent, console


def routes(given: dict[str, Any]) -> list[Any]:
    """Return tornado's routes of all pages."""
    return [
        (r"/", console.Home, given),
        (r"/login", console.LogIn, given),
        (r"/logout", console.LogOut, given),
        (r"/security/api-access", console.ApiAccess, given),
        (r"/account/api-key", console.MyKey, given),
        (r"/account/restful-register", console.Register, given),
        (r"/(?:v5|head)/oauth/authenticate", consent.Authenticate, given),
    ]
