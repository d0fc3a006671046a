"""The settings of one sandbox, checked in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

# The vendor's page "US, EU or CA API": Eastern in US, GMT in EU and CA.
# invented: GMT for AU, whose zone no page documents.
ZONES = {"us": "America/New_York", "eu": "Etc/GMT", "ca": "Etc/GMT", "au": "Etc/GMT"}
DOMAINS = {
    "us": "alchemer.com",
    "eu": "alchemer.eu",
    "ca": "alchemer-ca.com",
    "au": "au.alchemer.com",
}
_NOT_NEGATIVE = (
    "latency",
    "penalty",
    "cache_seconds",
    "seconds_per_row",
    "recovery",
    "visible_after",
)
FORMS = ("2017", "current")
HOSTS_VARIABLE = "ALCHEMER_SANDBOX_HOSTS"
_HOST = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]", re.A | re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one sandbox; ``Sandbox`` documents each of them."""

    seed: int = 1
    responses: int = 500
    latency: float = 0.0
    port: int = 0
    region: str = "us"
    db: str | None = None
    form: str = "2017"
    flat_single: bool = False
    oob: bool = True
    glue_json: bool = False
    status_200_errors: bool = False
    request_token_ttl: float = 3600
    calls_per_minute: int | None = 240
    minute: float = 60.0
    penalty: float = 0.0
    cache_seconds: float = 60.0
    refuse_identical: bool = True
    slowest: float = 30.0
    seconds_per_row: float = 0.0
    recovery: float = 60.0
    visible_after: float = 0.0
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.region not in ZONES:
            raise ValueError(f"region must be one of {', '.join(ZONES)}, not {self.region!r}")
        if self.form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}, not {self.form!r}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must lie between 0 and 65535, not {self.port}")
        if self.responses < 0:
            raise ValueError("responses must not be negative")
        if self.calls_per_minute is not None and self.calls_per_minute < 1:
            raise ValueError("calls_per_minute must be at least 1, or None for no limit")
        if self.minute <= 0 or self.slowest <= 0:
            raise ValueError("minute and slowest must be above 0")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        self._check_hosts()

    def _check_hosts(self) -> None:
        wrong = [host for host in self.hosts if not _HOST.fullmatch(host)]
        if wrong:
            raise ValueError(
                "a host is a name alone, such as server.example, without http:// and port; "
                f"not {wrong[0]!r}"
            )

    @property
    def zone_name(self) -> str:
        """IANA name of the time zone of this region's dates."""
        return ZONES[self.region]

    @property
    def domain(self) -> str:
        """Domain of the links in payloads; the sandbox itself never calls it."""
        return DOMAINS[self.region]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.zone_name)

    @property
    def current(self) -> bool:
        """Whether payloads have the newer form of the vendor's 2026 reference."""
        return self.form == "current"
