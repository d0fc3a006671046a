"""The regions of Alchemer: their addresses and time zones.

Sources: the vendor's pages *API base domains* and *US, EU or CA API*
(https://apihelp.alchemer.com/help/api-base-domains). The OAuth addresses of US are from independent
catalogues of OAuth providers; for the other regions they are undocumented, and the same paths on
the region's API host are assumed. The zone of AU is not documented: stamps
without a zone are taken as UTC there. Every address can be replaced.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alchemer_nb.errors import ConfigurationError

_OAUTH_PATH = "/head/oauth/"
_REGISTER_PATH = "/account/restful-register"


class OtherAddresses(TypedDict, total=False):
    """The further keywords of ``Region.custom``."""

    request_token_url: str
    authenticate_url: str
    access_token_url: str
    register_url: str
    label: str
    zone_documented: bool


class Addresses(OtherAddresses, total=False):
    """The keywords of ``Region.get``."""

    api_url: str
    app_url: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Region:
    """The addresses of one region. Built with ``Region.get`` or ``Region.custom``.

    Attributes:
        name: ``"us"``, ``"eu"``, ``"ca"``, ``"au"`` or a name of your own.
        label: Name for people, such as ``"Europe"``.
        api_url: Base of the API, without the version.
        app_url: Where people log in with a browser.
        request_token_url: OAuth 1.0a, first step.
        authenticate_url: OAuth 1.0a, the page a person opens in a browser.
        access_token_url: OAuth 1.0a, last step.
        register_url: The form at which an application is registered.
        timezone: IANA zone of stamps that carry none, and of dates in filters.
        zone_documented: True if the vendor documents that zone.

    Example:
        >>> from alchemer_nb import Region
        >>> Region.get("ca").api_url
        'https://api.alchemer-ca.com'
    """

    name: str
    label: str
    api_url: str
    app_url: str
    request_token_url: str
    authenticate_url: str
    access_token_url: str
    register_url: str
    timezone: str
    zone_documented: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name.endswith("_url"):
                checked = check_address(getattr(self, field.name), field.name)
                object.__setattr__(self, field.name, checked)
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError, RecursionError):
            raise ConfigurationError(
                f"no time zone is called {str(self.timezone)[:40]!r}; give an IANA name such as "
                "'America/New_York' or 'UTC'"
            ) from None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names that ``Region.get`` knows."""
        return tuple(_KNOWN)

    @classmethod
    def get(cls, name: str | Region, **addresses: Unpack[Addresses]) -> Region:
        """Return a region by its name.

        Args:
            name: ``"us"``, ``"eu"``, ``"ca"`` or ``"au"``, in any case; a ``Region`` is
                returned as it is when nothing is replaced.
            **addresses: Addresses or zone to use instead of the known ones. A new ``api_url``
                or ``app_url`` moves the addresses that were derived from it.

        Raises:
            ConfigurationError: There is no such region or zone, or an address is neither https
                nor plain http on loopback.
        """
        if isinstance(name, Region):
            if not addresses:
                return name
            return _build(name.name, {**_changes(name, addresses), **addresses})
        key = str(name).strip().lower()
        if key not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise ConfigurationError(
                f"no region is called {str(name)[:40]!r}; choose one of {known}, or build one "
                "with Region.custom(api_url)"
            )
        return _build(key, {**_KNOWN[key], **addresses})

    @classmethod
    def custom(
        cls,
        api_url: str,
        app_url: str | None = None,
        timezone: str = "UTC",
        *,
        name: str = "custom",
        **addresses: Unpack[OtherAddresses],
    ) -> Region:
        """Return a region of your own: a new data centre, a gateway, the sandbox.

        Args:
            api_url: Base of the API without the version, ``https://…``; plain ``http://`` is
                allowed for loopback hosts only.
            app_url: Where people log in; left out, the API's address.
            timezone: IANA zone of stamps that carry none.
            name: What messages call it.
            **addresses: Any other address.

        Raises:
            ConfigurationError: As for ``get``.
        """
        given: Addresses = {"api_url": api_url, "app_url": app_url or api_url, "timezone": timezone}
        return _build(name, {"label": name, **given, **addresses})

    @property
    def host(self) -> str:
        """Host (and port, if any) of the API, the part that may be shown."""
        return urlsplit(self.api_url).netloc

    @property
    def app_host(self) -> str:
        """Host (and port, if any) at which people log in."""
        return urlsplit(self.app_url).netloc

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)


def is_loopback(host: str | None) -> bool:
    """Return True if a host name is this machine itself."""
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_address(address: str, what: str = "address") -> str:
    """Check an address and return it without its last slash.

    Raises:
        ConfigurationError: It is neither https nor plain http on loopback, or it carries a user,
            a query or a fragment.
    """
    # The address itself is not repeated in full: a pasted one may carry a key in its query.
    try:
        parts = urlsplit(str(address).strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{what} is not an address; expected https://HOST") from None
    # What follows "[::1]" is no part of the host here, and may be one where it is called.
    after_brackets = parts.netloc.rpartition("]")[2] if "[" in parts.netloc else ""
    if parts.scheme not in ("https", "http") or not host or after_brackets.strip(":0123456789"):
        raise ConfigurationError(f"{what} is not an address; expected https://HOST")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{what} must not carry a user name or password")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{what} must not carry a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"{what} uses plain http to {host[:80]}: credentials would travel unprotected. Use "
            f"https://{host[:80]} (plain http is accepted on this machine's own addresses alone)"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _build(name: str, given: dict[str, Any]) -> Region:
    api = check_address(given["api_url"], "api_url")
    app = check_address(given.get("app_url") or api, "app_url")
    derived = {
        "request_token_url": f"{api}{_OAUTH_PATH}request_token",
        "authenticate_url": f"{api}{_OAUTH_PATH}authenticate",
        "access_token_url": f"{api}{_OAUTH_PATH}access_token",
        "register_url": f"{app}{_REGISTER_PATH}",
    }
    try:
        return Region(**{**derived, "label": name, **given, "name": name, "app_url": app})
    except TypeError as error:
        raise ConfigurationError(f"a region has no such address: {error}") from None


def _changes(region: Region, addresses: Addresses) -> dict[str, Any]:
    """Return the fields of a region that do not follow from the addresses to be replaced."""
    keep = {f.name: getattr(region, f.name) for f in fields(region) if f.name != "name"}
    if "api_url" in addresses:
        for derived in ("request_token_url", "authenticate_url", "access_token_url"):
            keep.pop(derived)
    if "app_url" in addresses:
        keep.pop("register_url")
    return keep


_KNOWN: dict[str, dict[str, Any]] = {
    name: {
        "label": label,
        "api_url": f"https://{api}",
        "app_url": f"https://{app}",
        "timezone": zone,
    }
    for name, label, api, app, zone in (
        ("us", "United States", "api.alchemer.com", "app.alchemer.com", "America/New_York"),
        ("eu", "Europe", "api.alchemer.eu", "app.alchemer.eu", "Etc/GMT"),
        ("ca", "Canada", "api.alchemer-ca.com", "app.alchemer-ca.com", "Etc/GMT"),
        ("au", "Australia", "app.au.alchemer.com", "app.au.alchemer.com", "UTC"),
    )
}
_KNOWN["au"]["zone_documented"] = False
