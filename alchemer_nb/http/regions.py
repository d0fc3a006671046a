"""The regions of Alchemer: their addresses and time zones.

Sources: the vendor's pages *API base domains* and *US, EU or CA API*
(https://apihelp.alchemer.com/help/api-base-domains). The OAuth addresses of US are from independent
catalogues of OAuth providers; for the other regions they are undocumented, and the same paths on
the region's API host are assumed. The zone of AU is not documented: stamps
without a zone are taken as UTC there. Every address can be replaced.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, fields
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.wire.stamps import find_zone

_OAUTH_PATH = "/head/oauth/"
_REGISTER_PATH = "/account/restful-register"
# Narrower than any parser of addresses: parsers find other hosts where there is a backslash, "%",
# ";", a tab or a letter beyond ASCII, but the host that is shown must be the one that is asked.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[\w.~!$&'()*+,=:@%-]*)*)",
    re.A | re.I,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.A | re.I)
_LONGEST_HOST = 253
_LARGEST_PORT = 65_535


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
        zone_documented: True if the vendor documents that zone, or it was given.

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
        if find_zone(self.timezone) is None:
            raise ConfigurationError(
                f"no time zone is called {str(self.timezone)[:40]!r}; give an IANA name such as "
                "'America/New_York' or 'UTC'"
            )

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
        if "timezone" in addresses:
            addresses.setdefault("zone_documented", True)
        if isinstance(name, Region):
            if not addresses:
                return name
            return _build(name.name, {**_changes(name, addresses), **addresses})
        key = str(name).strip().lower()
        if key not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise ConfigurationError(
                f"no region is called {quote_region(name)}{suggest_region(name)}; choose one of "
                f"{known}, or build one with Region.custom(api_url)"
            )
        return _build(key, {**_KNOWN[key], **addresses})

    @classmethod
    def custom(
        cls,
        api_url: str,
        app_url: str | None = None,
        timezone: str | None = None,
        *,
        name: str = "custom",
        **addresses: Unpack[OtherAddresses],
    ) -> Region:
        """Return a region of your own: a new data centre, a gateway, the sandbox.

        Args:
            api_url: Base of the API without the version, ``https://…``; plain ``http://`` is
                allowed for loopback hosts only. The host has letters a to z, digits, dots and
                hyphens; one in other letters is written as ``xn--…``.
            app_url: Where people log in; left out, the API's address.
            timezone: IANA zone of stamps that carry none; left out, they are read as UTC, and
                receipts say so.
            name: What messages call it.
            **addresses: Any other address.

        Raises:
            ConfigurationError: As for ``get``.
        """
        given: Addresses = {
            "api_url": api_url,
            "app_url": app_url or api_url,
            "timezone": "UTC" if timezone is None else timezone,
            "zone_documented": timezone is not None,
        }
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
    def shown_host(self) -> str:
        """The host to show where credentials are typed: the one that people know, if it is known.

        A region of one's own may name any page for the log-in, but its API gets the credentials.
        """
        is_known = _KNOWN_ADDRESSES.get(self.api_url) == self.app_url
        return self.app_host if is_known else self.host

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)


def quote_region(name: object) -> str:
    """Return what was given as a region, for a message; not if it may be a misplaced key."""
    text = str(name)
    return repr(text) if _MAY_BE_SHOWN.fullmatch(text) else "what was given (not repeated here)"


def suggest_region(given: object) -> str:
    """Return a question in brackets if a known region's address or label was given, else ``""``."""
    text = str(given).strip().casefold()
    hosts = set(re.findall(r"[\w.-]+", text))
    for region in map(Region.get, _KNOWN):
        if text == region.label.casefold() or hosts & {region.host, region.app_host}:
            return f" (did you mean {region.name}?)"
    return ""


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
    """Check an address and return it in one spelling: host in small letters, no last slash.

    Raises:
        ConfigurationError: It is neither https nor plain http on loopback, its host is not plainly
            a host, or it carries a user, a query or a fragment.
    """
    # The address itself is not repeated in full: a pasted one may carry a key in its query.
    text = str(address).strip()
    after_scheme = text.partition("://")[2]
    if "@" in re.split(r"[/?#]", after_scheme, maxsplit=1)[0]:
        raise ConfigurationError(f"{what} must not carry a user name or password")
    if any(mark in after_scheme.rstrip("?#") for mark in "?#"):
        raise ConfigurationError(f"{what} must not carry a query or a fragment")
    found = _ADDRESS.fullmatch(text.rstrip("?#"))
    if found is None or not _is_host(found["host"]) or not _is_port(found["port"]):
        raise ConfigurationError(
            f"{what} is not an address; expected https://HOST",
            hint="A host has the letters a to z, digits, dots and hyphens alone; one in other "
            "letters is written as xn--…",
        )
    scheme, host, path = found["scheme"].lower(), found["host"].lower(), found["path"]
    if {".", ".."} & set(path.split("/")):
        raise ConfigurationError(f"{what} must not carry . or .. as a part of its path")
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"{what} uses plain http to {host[:80]}: credentials would travel unprotected. Use "
            f"https://{host[:80]} (plain http is accepted on this machine's own addresses alone)"
        )
    port = f":{int(found['port'])}" if found["port"] else ""
    return f"{scheme}://{host}{port}{path}".rstrip("/")


def _is_host(host: str) -> bool:
    if host.startswith("[") or host.rpartition(".")[2].isdigit():
        # Not "127.1" and its like, which some parsers take as an address, too.
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return True
    return len(host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, host.split(".")))


def _is_port(port: str | None) -> bool:
    return port is None or 0 < int(port) <= _LARGEST_PORT


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


_MAY_BE_SHOWN = re.compile(r"\D{0,20}")  # keys and secrets have digits
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
_KNOWN_ADDRESSES = {region["api_url"]: region["app_url"] for region in _KNOWN.values()}
