"""Credentials that are there before anybody types: in the environment, or kept as a profile.

They are found together with the region that they belong to, and are sent to no other. A profile
was kept with its region. Where the environment's credentials belong, ``ALCHEMER_REGION`` tells;
where that is not set, a region that is asked for tells it, and else they belong to US.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alchemer_nb.auth import profiles
from alchemer_nb.errors import ConfigurationError
from alchemer_nb.http.credentials import REGION_NAME, environment_names, from_environment
from alchemer_nb.http.regions import Region

if TYPE_CHECKING:
    from alchemer_nb.http.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials, where they are to be sent, and where they come from in words.

    Attributes:
        credentials: What was found.
        region: Where it belongs.
        source: ``"the environment"`` or ``"profile “…”"``.
        told_by: What says that it belongs there; empty where nothing does and US is assumed.
        profile: Name of the profile, empty for the environment.
    """

    credentials: Credentials
    region: Region
    source: str
    told_by: str
    profile: str = ""

    def at(self, region: Region | None) -> Found:
        """Return the same for the region that somebody asks for.

        Args:
            region: Compared by its address, as two regions of one name can be two places; None
                asks for none.

        Raises:
            ConfigurationError: The credentials belong to another region.
        """
        if region is None:
            return self
        if self.told_by and region.api_url != self.region.api_url:
            raise ConfigurationError(
                f"the credentials from {self.source} belong to region {_named(self.region)}, as "
                f"{self.told_by} says, and are sent nowhere else; region {_named(region)} was "
                "asked for. Leave the region out, choose a profile that belongs there, or sign in "
                "there anew"
            )
        return replace(self, region=region)


def find(profile: str | None = None) -> Found | None:
    """Look in the environment, then for the default profile; or for one profile alone.

    Args:
        profile: Look for this one and nothing else.

    Returns:
        What was found; None where nothing is there.

    Raises:
        InvalidArgument: No profile can be called that.
        ConfigurationError: Something is there but cannot be used: half of a pair, a region that
            does not exist, a profile that cannot be read.
    """
    if profile is None:
        credentials = from_environment()
        if credentials is not None:
            told = environment_region()
            by = REGION_NAME if told else ""
            return Found(credentials, told or Region.get("us"), "the environment", by)
        if profiles.on_binder():
            return None
    kept = profiles.load(profiles.DEFAULT if profile is None else profile)
    if kept is None:
        return None
    source = f"profile “{kept.name}”"
    return Found(kept.credentials, kept.region, source, "the profile", kept.name)


def environment_region() -> Region | None:
    """Return the region that the environment names, or None.

    Raises:
        ConfigurationError: There is no such region.
    """
    name = os.environ.get(REGION_NAME, "").strip()
    if not name:
        return None
    if name.lower() not in Region.names():
        known = ", ".join(Region.names())
        raise ConfigurationError(
            f"{REGION_NAME} in the environment is {name[:40]!r}, which is no region; set it to one "
            f"of {known}"
        )
    return Region.get(name)


def nothing_found(profile: str | None, then: str) -> ConfigurationError:
    """Return the error that says what was looked for.

    Args:
        profile: The one that was asked for, or None.
        then: What to do next: a sentence without its full stop.
    """
    name = profiles.DEFAULT if profile is None else profile
    looked = f"no profile is called {name!r}"
    kept = ", ".join(profiles.names())
    if kept:
        looked += f" (there is: {kept})"
    if profile is None:
        looked += f", and none of these is set: {', '.join(environment_names())}"
    return ConfigurationError(f"no credentials were found: {looked}. {then}")


def _named(region: Region) -> str:
    return f"{region.name} ({region.host})"
