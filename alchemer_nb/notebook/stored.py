"""Credentials that are there before anybody types: in the environment, or kept as a profile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb import profiles
from alchemer_nb.credentials import REGION_NAME, from_environment
from alchemer_nb.errors import ConfigurationError
from alchemer_nb.regions import Region

if TYPE_CHECKING:
    from alchemer_nb.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials, where they are to be sent, and where they come from in words.

    Attributes:
        credentials: What was found.
        region: Where it belongs.
        source: ``"the environment"`` or ``"profile “…”"``.
    """

    credentials: Credentials
    region: Region
    source: str


def find(profile: str | None = None, region: Region | None = None) -> Found | None:
    """Looks in the environment, then for the default profile; or for one profile alone.

    Args:
        profile: Look for this one and nothing else.
        region: Where the environment's credentials are to be sent; a profile has its own region
            and is passed over if that is another one.

    Raises:
        ConfigurationError: The profile is not there or belongs to another region, or half of a
            pair is set in the environment.
    """
    if profile is not None:
        return _named(profile, region)
    credentials = from_environment()
    if credentials is not None:
        where = region or Region.get(os.environ.get(REGION_NAME) or "us")
        return Found(credentials, where, "the environment")
    kept = profiles.load(profiles.DEFAULT) if not profiles.on_binder() else None
    if kept is None or (region is not None and region.api_url != kept.region.api_url):
        return None
    return Found(kept.credentials, kept.region, f"profile “{kept.name}”")


def is_kept(profile: str) -> bool:
    """Tells whether there is a profile of that name.

    Raises:
        InvalidArgument: No profile can be called that.
        ConfigurationError: It is there but cannot be read.
    """
    return profiles.load(profile) is not None


def default_region() -> Region | None:
    """The region that the environment names, or None."""
    name = os.environ.get(REGION_NAME, "").strip()
    return Region.get(name) if name else None


def _named(name: str, region: Region | None) -> Found:
    kept = profiles.load(name)
    if kept is None:
        known = ", ".join(profiles.names())
        there = f"there is: {known}" if known else "none is kept on this computer yet"
        raise ConfigurationError(f"no profile is called {name!r}; {there}")
    if region is not None and region.api_url != kept.region.api_url:
        raise ConfigurationError(
            f"profile {name!r} belongs to region {kept.region.name} ({kept.region.host}); its "
            "credentials are sent nowhere else"
        )
    return Found(kept.credentials, kept.region, f"profile “{name}”")
